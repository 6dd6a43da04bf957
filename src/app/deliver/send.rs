//! Sending one mail after the other, and what the server's answer means for each.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::Delivery;
use super::result::Sent;
use super::wanted::Job;
use crate::domain::brand::Brand;
use crate::mail::transport::{Envelope, Outcome, Phase};
use crate::store::StoreError;
use crate::store::outbox::OutboxKey;
use crate::telemetry;

/// Results that one sender hands over without waiting for their commit.
const RESULTS_AT_ONCE: usize = 64;

impl Delivery {
    /// Takes jobs until the queue is closed and empty. Results are handed over without waiting for their commit, up to
    /// a number: the next mail need not wait for the disk.
    pub(super) async fn send_all(self: &Arc<Self>, waiting: &Mutex<mpsc::Receiver<Job>>) {
        let mut writing = VecDeque::with_capacity(RESULTS_AT_ONCE);
        loop {
            let next = waiting.lock().await.recv().await;
            let Some(job) = next else { break };
            let key = job.mail.key();
            match self
                .send(job)
                .await
                .and_then(|sent| self.results.submit(sent))
            {
                Ok(submitted) => writing.push_back((key, submitted)),
                Err(error) => self.settled(key, Err(error)),
            }
            if writing.len() >= RESULTS_AT_ONCE
                && let Some((key, submitted)) = writing.pop_front()
            {
                self.settled(key, submitted.wait().await);
            }
        }
        for (key, submitted) in writing {
            self.settled(key, submitted.wait().await);
        }
    }

    fn settled(&self, key: OutboxKey, written: Result<(), StoreError>) {
        if let Err(error) = written {
            // The lease runs out and the mail is tried again, marked ambiguous.
            tracing::error!(%error, "the result of a mail could not be written");
        }
        self.under_way.remove([&key]);
    }

    async fn send(&self, job: Job) -> Result<Sent, StoreError> {
        let catalog = self.app.catalog();
        let Some(brand) = catalog.brand(job.mail.brand_id) else {
            return Ok(Sent::Dropped(job.mail.key()));
        };
        let message_id = message_id(brand, &job);
        let now = self.app.clock.now();
        let composed = match self.compose(brand, &job, &message_id, now) {
            Ok(composed) => composed,
            Err(reason) => return self.failed(&job, message_id, reason, now, false),
        };
        let envelope = Envelope {
            from: brand.declared.from_address.clone(),
            to: job.contact.address.clone(),
        };
        let outcome = self.transport.send(&envelope, &composed.bytes).await;
        let now = self.app.clock.now();
        self.tell(&outcome);
        match outcome {
            Outcome::Accepted { reply } => {
                self.accepted(brand, &job, message_id, reply, &composed, now)
            }
            Outcome::Rejected { reply, .. } => self.failed(&job, message_id, reply, now, false),
            Outcome::Deferred { reason, .. } => self.later(&job, message_id, reason, now, false),
            Outcome::Unknown { reason } => self.later(&job, message_id, reason, now, true),
        }
    }

    /// Tells metrics and operators how it went.
    fn tell(&self, outcome: &Outcome) {
        let result = match outcome {
            Outcome::Accepted { .. } => {
                self.app.live.set_smtp_problem(None);
                "accepted"
            }
            Outcome::Rejected { .. } => "rejected",
            Outcome::Deferred { reason, phase } => {
                // A busy mailbox is this mail's matter; what fails before the envelope concerns all mail.
                if matches!(phase, Phase::Connect | Phase::Tls | Phase::Login) {
                    self.app.live.set_smtp_problem(Some(reason));
                }
                "deferred"
            }
            Outcome::Unknown { .. } => "unknown",
        };
        metrics::counter!(telemetry::MAILS, "result" => result).increment(1);
    }
}

/// The id of the outbox row makes the Message-ID: the same for every try (RFC 5322, section 3.6.4).
fn message_id(brand: &Brand, job: &Job) -> String {
    let given = job.mail.message_id.clone();
    given.unwrap_or_else(|| {
        let from = &brand.declared.from_address;
        let domain = from.rsplit('@').next().unwrap_or("localhost");
        format!("{}@{domain}", job.mail.id)
    })
}
