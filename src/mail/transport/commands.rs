//! The commands before a message.

use super::Phase;
use super::outgoing::Mail;
use super::reply::Reply;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Reset,
    MailFrom,
    Recipient,
    Data,
}

impl Step {
    /// Where a failure of it is booked.
    pub(super) const fn phase(self) -> Phase {
        match self {
            Self::Reset | Self::MailFrom => Phase::MailFrom,
            Self::Recipient => Phase::Recipient,
            Self::Data => Phase::Data,
        }
    }

    /// Nothing of the mail was accepted yet.
    pub(super) const fn is_before_mail(self) -> bool {
        matches!(self, Self::Reset | Self::MailFrom)
    }

    pub(super) fn is_granted(self, reply: &Reply) -> bool {
        match self {
            Self::Data => reply.code == 354,
            _ => reply.is_positive(),
        }
    }
}

/// RSET where it is needed, MAIL, RCPT and DATA: one text, and where each step of it ends.
pub(super) struct Commands {
    lines: String,
    steps: [(Step, usize); 4],
}

impl Commands {
    pub(super) fn of(mail: &Mail, needs_reset: bool) -> Self {
        let mut lines = String::with_capacity(96 + mail.from.len() + mail.to.len());
        let mut after = |step, words: &[&str]| {
            words.iter().for_each(|word| lines.push_str(word));
            (step, lines.len())
        };
        let body = if mail.is_eight_bit {
            " BODY=8BITMIME"
        } else {
            ""
        };
        let utf8 = if mail.is_international {
            " SMTPUTF8"
        } else {
            ""
        };
        let reset = if needs_reset { "RSET\r\n" } else { "" };
        let steps = [
            after(Step::Reset, &[reset]),
            after(
                Step::MailFrom,
                &["MAIL FROM:<", &mail.from, ">", body, utf8, "\r\n"],
            ),
            after(Step::Recipient, &["RCPT TO:<", &mail.to, ">\r\n"]),
            after(Step::Data, &["DATA\r\n"]),
        ];
        Self { lines, steps }
    }

    pub(super) fn lines(&self) -> &str {
        &self.lines
    }

    /// The steps, each with its line.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Step, &str)> {
        let mut start = 0;
        self.steps.iter().filter_map(move |(step, end)| {
            let line = &self.lines[start..*end];
            start = *end;
            (!line.is_empty()).then_some((*step, line))
        })
    }
}
