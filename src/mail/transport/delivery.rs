//! Sending one mail over a session: MAIL, RCPT, DATA, the message and the final dot.

use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout_at};

use super::commands::{Commands, Step};
use super::ended::Ended;
use super::outgoing::Mail;
use super::reply::{Reply, verdict};
use super::session::{Session, fault};
use super::{Outcome, Phase, SmtpSettings};

/// A server that answers within this time is told of the next mail before it has answered for this one.
const QUICK: Duration = Duration::from_millis(100);

impl Session {
    /// Sends a mail; one that was begun needs only its message. `next` is the mail that this session will carry next: it
    /// is begun at once where the server allows it.
    pub(super) async fn deliver(
        &mut self,
        mail: &Mail,
        next: Option<&Mail>,
        settings: &SmtpSettings,
    ) -> Ended {
        if let Some(why) = self.lacks(mail) {
            let (reply, phase) = (format!("not sent: {why}"), Phase::MailFrom);
            return Ended {
                keep: true,
                ..Ended::lost(Outcome::Rejected { reply, phase })
            };
        }
        self.mails += 1;
        match self.ask_for_data(mail, settings.reply_within).await {
            Ok(()) => {
                let may_begin = self.may_begin_next(settings);
                let next = next.filter(|next| may_begin && self.lacks(next).is_none());
                self.send_data(mail, next, settings).await
            }
            Err(ended) => ended,
        }
    }

    fn lacks(&self, mail: &Mail) -> Option<&'static str> {
        // RFC 6531, section 3.1 and RFC 6152, section 3: without the offer such a mail must not be sent.
        if mail.is_international && !self.offers.smtp_utf8 {
            Some("the server does not offer SMTPUTF8, which this mail needs")
        } else if mail.is_eight_bit && !self.offers.eight_bit_mime {
            Some("the server does not offer 8BITMIME, which this mail needs")
        } else {
            None
        }
    }

    fn may_begin_next(&self, settings: &SmtpSettings) -> bool {
        self.offers.pipelining && self.is_quick && self.mails < settings.max_mails_per_session
    }

    /// MAIL, RCPT and DATA, in one write where the server allows it (RFC 2920). Fine if DATA got its 354.
    async fn ask_for_data(&mut self, mail: &Mail, within: Duration) -> Result<(), Ended> {
        let commands = Commands::of(mail, self.needs_reset);
        let is_begun = std::mem::take(&mut self.is_begun);
        let mut failure: Option<Ended> = None;
        for (at, (step, line)) in commands.steps().enumerate() {
            let line = match (self.offers.pipelining, at) {
                (true, 0) if !is_begun => Some(commands.lines()),
                (true, _) => None,
                (false, _) => Some(line),
            };
            let reply = match self.ask(line, within).await {
                Ok(reply) => reply,
                Err(reason) => {
                    let known = failure.unwrap_or_else(|| Ended::silent(step, reason));
                    return Err(Ended {
                        keep: false,
                        ..known
                    });
                }
            };
            failure = match failure {
                Some(known) => Some(known.and_then(&reply)),
                None if step.is_granted(&reply) => None,
                None => Some(Ended::refused(step, &reply, mail)),
            };
            match &failure {
                Some(known) if !known.keep || !self.offers.pipelining => break,
                _ => {}
            }
        }
        self.is_in_order(failure)
    }

    /// Whether the message may follow, now that the replies were read.
    fn is_in_order(&mut self, failure: Option<Ended>) -> Result<(), Ended> {
        self.needs_reset = failure.is_some();
        let is_in_step = self.is_in_step();
        match failure {
            None if is_in_step => Ok(()),
            // A reply too many may have been taken for the 354.
            None => Err(Ended::silent(Step::Data, "out of step".to_owned())),
            Some(ended) => Err(Ended {
                keep: ended.keep && is_in_step,
                ..ended
            }),
        }
    }

    /// Sends the message and the final dot, and waits for the reply that decides. The transfer of a message may be the
    /// first of a group of commands (RFC 2920, section 3.1): those of the next mail leave in the same write.
    async fn send_data(
        &mut self,
        mail: &Mail,
        next: Option<&Mail>,
        settings: &SmtpSettings,
    ) -> Ended {
        let notes = Arc::clone(&self.notes);
        let dot_at = notes.written() + mail.data.len() as u64;
        let is_dot_sent = || notes.written() >= dot_at;
        self.is_begun = next.is_some();
        let mut said = std::mem::take(&mut self.said);
        said.clear();
        said.push_str(&mail.data);
        if let Some(next) = next {
            said.push_str(Commands::of(next, false).lines());
        }
        self.awaited += 1;
        let began_at = Instant::now();
        let result = self.write_data(&said, settings, is_dot_sent).await;
        self.said = said;
        self.is_quick = began_at.elapsed() < QUICK;
        let reason = match result.map(Reply::from_lettre) {
            Some(Ok(reply)) => match self.ended_by(&reply, mail) {
                Ok(ended) => return ended,
                Err(reason) => reason,
            },
            Some(Err(error)) => fault(&error, &notes),
            None => "no reply in time".to_owned(),
        };
        Ended::lost(if is_dot_sent() {
            Outcome::Unknown { reason }
        } else {
            let phase = Phase::Data;
            Outcome::Deferred { reason, phase }
        })
    }

    /// What the reply after the final dot means, if it means anything.
    fn ended_by(&self, reply: &Reply, mail: &Mail) -> Result<Ended, String> {
        let private: &[&str] = &[&mail.to, &mail.from];
        if reply.is_positive() {
            let reply = reply.text();
            return Ok(Ended {
                keep: self.is_in_step(),
                ..Ended::lost(Outcome::Accepted { reply })
            });
        }
        if reply.code < 400 {
            return Err(format!("out of step: {}", reply.text_without(private)));
        }
        let (outcome, keep) = verdict(reply, Phase::FinalDot, private);
        Ok(Ended {
            keep: keep && self.is_in_step(),
            ..Ended::lost(outcome)
        })
    }

    /// The reply after the final dot; `None` when the time is over.
    async fn write_data(
        &mut self,
        said: &str,
        settings: &SmtpSettings,
        is_dot_sent: impl Fn() -> bool,
    ) -> Option<Result<Response, Error>> {
        let (reply_within, final_within) = (settings.reply_within, settings.final_reply_within);
        let began_at = Instant::now();
        let mut deadline = began_at + reply_within.min(final_within);
        let mut sending = std::pin::pin!(self.connection.command(said));
        loop {
            if let Ok(result) = timeout_at(deadline, &mut sending).await {
                return Some(result);
            }
            // Before the dot the limit is on progress (RFC 5321, section 4.5.3.2.5), with a ceiling
            // for a peer that takes a byte at a time.
            let last_write_at = self.notes.last_write_at();
            let next = if is_dot_sent() {
                last_write_at + final_within
            } else {
                (last_write_at + reply_within).min(began_at + final_within)
            };
            if next <= deadline {
                return None;
            }
            deadline = next;
        }
    }
}
