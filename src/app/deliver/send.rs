//! Sending the mails that were claimed, and what the server's answer means for each.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;
use tracing::Instrument;
use tracing::field::Empty;

use super::Delivery;
use super::ready::Ready;
use super::result::Sent;
use super::wanted::Job;
use crate::mail::transport::{Outcome, Phase};
use crate::store::StoreError;
use crate::store::outbox::OutboxKey;
use crate::store::writer::Submitted;
use crate::telemetry::{self, traces::TARGET};

/// Results that one sender hands over without waiting for their commit.
const RESULTS_AT_ONCE: usize = 64;
/// Mails that one sender takes at a time, while there are enough for all senders.
const ROW: usize = 32;

/// Results that are not written yet.
#[derive(Default)]
struct Writing(Mutex<VecDeque<(OutboxKey, Submitted<()>)>>);

impl Writing {
    fn push(&self, key: OutboxKey, submitted: Submitted<()>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back((key, submitted));
    }

    /// The oldest, if there are more than so many.
    fn beyond(&self, many: usize) -> Option<(OutboxKey, Submitted<()>)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > many {
            all.pop_front()
        } else {
            None
        }
    }
}

impl Delivery {
    /// Takes jobs until the queue is closed and empty. Results are handed over without waiting for their commit, up to
    /// a number: the next mail need not wait for the disk.
    pub(super) async fn send_all(&self, waiting: &tokio::sync::Mutex<mpsc::Receiver<Job>>) {
        let writing = Writing::default();
        loop {
            let row = self.next_row(waiting).await;
            if row.is_empty() {
                break;
            }
            self.send_row(row, &writing).await;
            self.settle(&writing, RESULTS_AT_ONCE).await;
        }
        self.settle(&writing, 0).await;
    }

    /// As many mails as are this sender's share; none once the queue is closed.
    async fn next_row(&self, waiting: &tokio::sync::Mutex<mpsc::Receiver<Job>>) -> Vec<Job> {
        let mut row = Vec::with_capacity(ROW);
        let mut waiting = waiting.lock().await;
        let share = waiting.len() / self.app.config.smtp.max_sessions;
        waiting.recv_many(&mut row, share.clamp(1, ROW)).await;
        row
    }

    async fn send_row(&self, row: Vec<Job>, writing: &Writing) {
        // Each is made when the one in front of it leaves: what was just written is read again while it is at hand.
        let jobs = self.that_may_leave(row).await.into_iter();
        let row = jobs.filter_map(|job| {
            let key = job.mail.key();
            let ready = self.make_ready(job);
            ready
                .map_err(|sent| self.hand_over(key, sent, writing))
                .ok()
        });
        let span = tracing::info_span!(
            target: TARGET,
            "smtp.row",
            otel.kind = "client",
            mails.accepted = Empty,
            mails.rejected = Empty,
            mails.deferred = Empty,
            mails.unknown = Empty,
        );
        let fates: [AtomicU64; 4] = Default::default();
        let told = |one: &Ready, outcome: Outcome| {
            let fate = match &outcome {
                Outcome::Accepted { .. } => &fates[0],
                Outcome::Rejected { .. } => &fates[1],
                Outcome::Deferred { .. } => &fates[2],
                Outcome::Unknown { .. } => &fates[3],
            };
            fate.fetch_add(1, Ordering::Relaxed);
            self.hand_over(one.job.mail.key(), self.result(one, outcome), writing);
        };
        let sending = self.transport.send_row(row, &told);
        sending.instrument(span.clone()).await;
        let fields = [
            "mails.accepted",
            "mails.rejected",
            "mails.deferred",
            "mails.unknown",
        ];
        for (field, mails) in fields.into_iter().zip(&fates) {
            span.record(field, mails.load(Ordering::Relaxed));
        }
    }

    fn hand_over(&self, key: OutboxKey, sent: Result<Sent, StoreError>, writing: &Writing) {
        match sent.and_then(|sent| self.results.submit(sent)) {
            Ok(submitted) => writing.push(key, submitted),
            Err(error) => self.settled(key, Err(error)),
        }
    }

    /// Waits until no more than so many results are still to be written.
    async fn settle(&self, writing: &Writing, left: usize) {
        while let Some((key, submitted)) = writing.beyond(left) {
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

    fn result(&self, one: &Ready, outcome: Outcome) -> Result<Sent, StoreError> {
        let now = self.app.clock.now();
        self.tell(&outcome);
        let (job, message_id) = (&one.job, one.message_id.clone());
        match outcome {
            Outcome::Accepted { reply } => self.accepted(one, reply, now),
            Outcome::Rejected {
                reply,
                phase: Phase::Recipient,
            } => self.refused(one, reply, now),
            Outcome::Rejected { reply, .. } => self.failed(job, message_id, reply, now, false),
            Outcome::Deferred {
                reason,
                phase: Phase::Recipient,
            } => self.not_yet(one, reason, now),
            Outcome::Deferred { reason, .. } => self.later(job, message_id, reason, now, false),
            Outcome::Unknown { reason } => self.later(job, message_id, reason, now, true),
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
