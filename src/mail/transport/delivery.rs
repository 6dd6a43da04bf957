//! Sending one mail over a session: MAIL, RCPT, DATA, the message and the final dot.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout_at};

use super::outgoing::Mail;
use super::reply::{Reply, verdict};
use super::session::{Session, fault};
use super::{Outcome, Phase, SmtpSettings};

/// CRLF, dot, CRLF: the end of data (RFC 5321, section 4.1.1.4).
const END_OF_DATA: u64 = 5;

/// How sending one mail ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// Every reply was read and the server awaits a command.
    pub(super) keep: bool,
    /// The connection broke, or the server said 421, before it had answered MAIL FROM.
    pub(super) stale: bool,
}

impl Ended {
    fn lost(outcome: Outcome) -> Self {
        Self {
            outcome,
            keep: false,
            stale: false,
        }
    }
}

impl Session {
    pub(super) async fn deliver(&mut self, mail: &Mail<'_>, settings: &SmtpSettings) -> Ended {
        if let Some(why) = self.lacks(mail) {
            let (reply, phase) = (format!("not sent: {why}"), Phase::MailFrom);
            return Ended {
                outcome: Outcome::Rejected { reply, phase },
                keep: true,
                stale: false,
            };
        }
        self.mails += 1;
        match self.ask_for_data(mail, settings.reply_within).await {
            Ok(()) => self.send_data(mail, settings).await,
            Err(ended) => ended,
        }
    }

    fn lacks(&self, mail: &Mail<'_>) -> Option<&'static str> {
        // RFC 6531, section 3.1 and RFC 6152, section 3: without the offer such a mail must not be sent.
        if mail.is_international && !self.offers.smtp_utf8 {
            Some("the server does not offer SMTPUTF8, which this mail needs")
        } else if mail.is_eight_bit && !self.offers.eight_bit_mime {
            Some("the server does not offer 8BITMIME, which this mail needs")
        } else {
            None
        }
    }

    /// MAIL, RCPT and DATA, in one write where the server allows it (RFC 2920). Fine if DATA got its 354.
    async fn ask_for_data(&mut self, mail: &Mail<'_>, within: Duration) -> Result<(), Ended> {
        let mut lines = String::with_capacity(96 + mail.from.len() + mail.to.len());
        let mut ends = [0; 4];
        // Writing to a String cannot fail.
        let _ = write!(lines, "{}", if self.needs_reset { "RSET\r\n" } else { "" });
        ends[0] = lines.len();
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
        let _ = write!(lines, "MAIL FROM:<{}>{body}{utf8}\r\n", mail.from);
        ends[1] = lines.len();
        let _ = write!(lines, "RCPT TO:<{}>\r\n", mail.to);
        ends[2] = lines.len();
        lines.push_str("DATA\r\n");
        ends[3] = lines.len();

        let mut failure: Option<Ended> = None;
        let mut start = 0;
        for (step, end) in ends.into_iter().enumerate() {
            if end == start {
                continue;
            }
            let line = match (self.offers.pipelining, start) {
                (true, 0) => Some(lines.as_str()),
                (true, _) => None,
                (false, _) => Some(&lines[start..end]),
            };
            start = end;
            let phase = [
                Phase::MailFrom,
                Phase::MailFrom,
                Phase::Recipient,
                Phase::Data,
            ][step];
            let reply = match self.ask(line, within).await {
                Ok(reply) => reply,
                Err(reason) => {
                    return Err(failure.map_or_else(
                        || Ended {
                            stale: step < 2,
                            ..Ended::lost(Outcome::Deferred { reason, phase })
                        },
                        |known| Ended {
                            keep: false,
                            ..known
                        },
                    ));
                }
            };
            let wished = if step == 3 {
                reply.code == 354
            } else {
                reply.is_positive()
            };
            if let Some(known) = &mut failure {
                // The server wants a message although it refused sender or recipient. An empty one would
                // put things in step (RFC 2920, section 3.1), and some server might deliver it.
                known.keep &= !(reply.code == 354 || reply.code == 421);
            } else if !wished {
                let (outcome, keep) = verdict(&reply, phase, &[mail.to, mail.from]);
                // A refused RSET says nothing about this mail.
                let keep = keep && step > 0;
                let stale = reply.code == 421 && step < 2 || step == 0;
                failure = Some(Ended {
                    outcome,
                    keep,
                    stale,
                });
            } else if step == 0 {
                self.needs_reset = false;
            }
            match &failure {
                Some(known) if !known.keep || !self.offers.pipelining => break,
                _ => {}
            }
        }
        match failure {
            None => Ok(()),
            Some(ended) => {
                self.needs_reset = true;
                let keep = ended.keep && self.is_in_step();
                Err(Ended { keep, ..ended })
            }
        }
    }

    /// Sends the message and the final dot, and waits for the reply that decides.
    async fn send_data(&mut self, mail: &Mail<'_>, settings: &SmtpSettings) -> Ended {
        let notes = Arc::clone(&self.notes);
        let length = mail.body.len() as u64 + mail.dotted_lines + END_OF_DATA;
        let dot_at = notes.written() + length;
        let is_dot_sent = || notes.written() >= dot_at;
        self.awaited += 1;
        let result = self.write_data(mail.body, settings, is_dot_sent).await;
        let reason = match result.map(Reply::from_lettre) {
            Some(Ok(reply)) if reply.is_positive() => {
                return Ended {
                    outcome: Outcome::Accepted {
                        reply: reply.text(),
                    },
                    keep: self.is_in_step(),
                    stale: false,
                };
            }
            Some(Ok(reply)) if reply.code >= 400 => {
                let (outcome, keep) = verdict(&reply, Phase::FinalDot, &[mail.to, mail.from]);
                let keep = keep && self.is_in_step();
                return Ended {
                    keep,
                    ..Ended::lost(outcome)
                };
            }
            Some(Ok(reply)) => {
                format!("out of step: {}", reply.text_without(&[mail.to, mail.from]))
            }
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

    /// The reply after the final dot; `None` when the time is over.
    async fn write_data(
        &mut self,
        body: &[u8],
        settings: &SmtpSettings,
        is_dot_sent: impl Fn() -> bool,
    ) -> Option<Result<Response, Error>> {
        let (reply_within, final_within) = (settings.reply_within, settings.final_reply_within);
        let began_at = Instant::now();
        let mut deadline = began_at + reply_within.min(final_within);
        let mut sending = std::pin::pin!(self.connection.message(body));
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
