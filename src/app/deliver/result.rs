//! What one try of a mail comes to: an event, a later try, or the end of it.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Delivery;
use super::ready::Ready;
use super::wanted::Job;
use crate::app::bounce::{Failure, GivenUp, Subject, Told};
use crate::app::record::About;
use crate::app::sign_up::CONFIRM;
use crate::domain::brand::Slug;
use crate::domain::campaign::Kind;
use crate::domain::envelope::Returned;
use crate::domain::event::Fact;
use crate::domain::fate::refusal;
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;
use crate::mail::compose::template_version;
use crate::mail::pack::{Dictionary, pack};
use crate::store::StoreError;
use crate::store::events::NewEvent;
use crate::store::outbox::{OutboxKey, Retry};
use crate::store::requests::Key;

/// A mail whose fate is unknown time and again is a poison message: eight tries and it is parked.
const AMBIGUOUS_TRIES: i64 = 8;

/// Characters that are kept of what a server said.
const SAID_AT_MOST: usize = 400;

/// A request that a campaign made.
#[derive(Clone)]
pub(super) struct Asked {
    pub request: Key,
    /// For the notice of a merger, which lets what was carried over hold: the contact's address, and for which purposes.
    pub notice_to: Option<(String, Vec<Slug>)>,
}

/// A mail that came to nothing since its recipient is not there, or takes no mail.
#[derive(Clone)]
pub(super) struct Refused {
    pub subject: Subject,
    pub failure: Failure,
    pub given_up: GivenUp,
}

/// The result of one try.
#[derive(Clone)]
pub(super) enum Sent {
    Accepted {
        key: OutboxKey,
        event: Arc<NewEvent>,
        /// A campaign's mail.
        of: Option<Box<Asked>>,
        /// The first mail of a signup: the breaker weighs how many of these are confirmed.
        weighs: bool,
        /// What the mail was packed with.
        dictionary: Option<Arc<Dictionary>>,
    },
    NotYet(Retry),
    Failed {
        retry: Box<Retry>,
        event: Arc<NewEvent>,
        of: Option<Box<Asked>>,
    },
    /// The server refused the recipient, for good or each time, and spoke of the mailbox.
    Refused(Box<Refused>),
    /// Not tried: nobody wants it any more.
    Dropped(OutboxKey),
}

impl Delivery {
    fn asked(job: &Job) -> Option<Box<Asked>> {
        let ask = job.ask.as_ref()?;
        let is_notice = ask.kind == Kind::MergerNotice && !ask.reminder;
        Some(Box::new(Asked {
            request: (job.mail.brand_id, job.mail.request_id),
            notice_to: is_notice.then(|| (job.to.address.clone(), job.to.purposes())),
        }))
    }

    fn event(&self, job: &Job, at: Timestamp, fact: Fact) -> Result<NewEvent, StoreError> {
        let about = About {
            brand: job.mail.brand_id,
            contact: job.mail.contact_id,
            request: (!job.is_preferences()).then_some(job.mail.request_id),
        };
        self.work.record(about, at, fact)
    }

    pub(super) fn accepted(
        &self,
        one: &Ready,
        reply: String,
        now: Timestamp,
    ) -> Result<Sent, StoreError> {
        let (job, message) = (&one.job, one.message());
        let of = Self::asked(job);
        let notice = of.as_ref().and_then(|asked| asked.notice_to.as_ref());
        let fact = Fact::MailAccepted {
            message_id: one.message_id.clone(),
            from: one.brand.declared.from_address.clone(),
            reply,
            mail_sha256: hex(&Sha256::digest(message)),
            template: job.mail.template.clone(),
            template_version: template_version().to_owned(),
            language: job.to.language.clone(),
            tries: job.mail.tries + 1,
            ambiguous: job.mail.ambiguous != 0,
            notice_for: notice.map_or_else(Vec::new, |notice| notice.1.clone()),
        };
        let mut event = self.event(job, now, fact)?;
        let packed = pack(message, one.dictionary.as_deref());
        event.mail = Some(packed.map_err(|_| StoreError::Corrupt("a mail that cannot be packed"))?);
        Ok(Sent::Accepted {
            key: job.mail.key(),
            event: Arc::new(event),
            weighs: of.is_none() && job.mail.template == CONFIRM,
            of,
            dictionary: one.dictionary.clone(),
        })
    }

    pub(super) fn later(
        &self,
        job: &Job,
        message_id: String,
        reason: String,
        now: Timestamp,
        ambiguous: bool,
    ) -> Result<Sent, StoreError> {
        if self.is_over(job, now, ambiguous) {
            return self.failed(job, message_id, reason, now, ambiguous);
        }
        let tries = job.mail.tries + 1;
        let first = job.mail.first_try_at.unwrap_or(now);
        Ok(Sent::NotYet(Retry {
            key: job.mail.key(),
            next_due_at: Some(now.plus(self.backoff(tries))),
            tries,
            first_try_at: first,
            message_id,
            last_reply: reason,
            tried_at: now,
            ambiguous: ambiguous || job.mail.ambiguous != 0,
        }))
    }

    /// Whether the try that was just made was the last.
    fn is_over(&self, job: &Job, now: Timestamp, ambiguous: bool) -> bool {
        let tries = job.mail.tries + 1;
        let first = job.mail.first_try_at.unwrap_or(now);
        let delivery = &self.app.config.delivery;
        tries >= delivery.max_tries
            || now.since(first) >= delivery.retry_for
            || (ambiguous && tries >= AMBIGUOUS_TRIES)
    }

    /// A 4xx reply to RCPT: tried again, and after the last try, where it speaks of the mailbox, the same as a final one. So a mailbox
    /// that stays full is counted whichever way its server says so.
    pub(super) fn not_yet(
        &self,
        one: &Ready,
        reply: String,
        now: Timestamp,
    ) -> Result<Sent, StoreError> {
        if self.is_over(&one.job, now, false) {
            return self.refused(one, reply, now);
        }
        self.later(&one.job, one.message_id.clone(), reply, now, false)
    }

    /// 30 seconds, doubled at each try up to four hours, and up to a quarter more by chance so that a crowd of mails does
    /// not come back all at once.
    fn backoff(&self, tries: i64) -> Duration {
        let doubled = 30_u64 << u32::try_from(tries - 1).unwrap_or(0).min(9);
        let seconds = doubled.min(4 * 3_600);
        let jitter = self.app.random.below(seconds * 250 + 1);
        Duration::from_secs(seconds) + Duration::from_millis(jitter)
    }

    /// A 5xx reply to RCPT, or a 4xx one to the last try: where it speaks of the mailbox, it counts as a report that the mail came
    /// back (D6).
    pub(super) fn refused(
        &self,
        one: &Ready,
        reply: String,
        now: Timestamp,
    ) -> Result<Sent, StoreError> {
        let (job, message_id) = (&one.job, one.message_id.clone());
        let Some(refusal) = refusal(&reply) else {
            return self.failed(job, message_id, reply, now, false);
        };
        let mail = &job.mail;
        let of = if job.is_preferences() {
            Returned::Contact(mail.contact_id)
        } else {
            Returned::Request(mail.request_id)
        };
        let (fact, retry) = self.given_up(job, message_id.clone(), reply.clone(), now, false);
        Ok(Sent::Refused(Box::new(Refused {
            subject: Subject {
                brand: one.brand.clone(),
                of,
            },
            failure: Failure {
                severity: refusal.severity,
                status: refusal.status,
                said: reply.chars().take(SAID_AT_MOST).collect(),
                reporter: self.app.config.smtp.host.clone(),
                report: String::new(),
                mail: Told::Mail(message_id),
            },
            given_up: GivenUp { fact, retry },
        })))
    }

    /// The event that tells of it, and what becomes of the row.
    fn given_up(
        &self,
        job: &Job,
        message_id: String,
        reason: String,
        now: Timestamp,
        ambiguous: bool,
    ) -> (Fact, Retry) {
        let tries = job.mail.tries + 1;
        let ambiguous = ambiguous || job.mail.ambiguous != 0;
        let fact = Fact::MailFailed {
            message_id: message_id.clone(),
            reason: reason.clone(),
            tries,
            ambiguous,
        };
        let retry = Retry {
            key: job.mail.key(),
            next_due_at: None,
            tries,
            first_try_at: job.mail.first_try_at.unwrap_or(now),
            message_id,
            last_reply: reason,
            tried_at: now,
            ambiguous,
        };
        (fact, retry)
    }

    pub(super) fn failed(
        &self,
        job: &Job,
        message_id: String,
        reason: String,
        now: Timestamp,
        ambiguous: bool,
    ) -> Result<Sent, StoreError> {
        let (fact, retry) = self.given_up(job, message_id, reason, now, ambiguous);
        Ok(Sent::Failed {
            event: Arc::new(self.event(job, now, fact)?),
            of: Self::asked(job),
            retry: Box::new(retry),
        })
    }
}
