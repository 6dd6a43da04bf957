//! Clockwork: removing what no longer limits or tells anything. Safe with several workers.

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::anchored::{AuthorityStanding, WitnessStanding};
use super::breaker::BreakerState;
use super::restored::SendingHeld;
use super::waiting::LogWaiting;
use crate::domain::booth::REMEMBERED_FOR;
use crate::domain::breaker::USUAL_FOR;
use crate::store::{StoreError, answers, booth, breaker, budgets, log, notices, openings, outbox};
use crate::telemetry;

const DAY: Duration = Duration::from_secs(86_400);

/// Openings tell scanners from people while a request lives; requests live for 90 days at most.
pub const OPENINGS_KEPT_FOR: Duration = Duration::from_secs(91 * 86_400);

/// Trips tell the operator what was; windows are two days long at most.
pub const TRIPS_KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);
const WINDOWS_AT_MOST: Duration = Duration::from_secs(2 * 86_400);

/// The newest one tells when the operator was told last.
pub const NOTICES_KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);
/// Mails that `/readyz` and pages count; of more they say so many. `/metrics` counts all.
pub const COUNTED_AT_MOST: i64 = 100_000;

/// The answer of `/readyz`.
#[derive(Debug, Serialize)]
pub struct Readiness {
    pub database: &'static str,
    pub mails_waiting: i64,
    pub mails_failed: i64,
    /// What the SMTP server last refused or could not do, whichever process saw it, with no address in it; none once a mail
    /// went through.
    pub last_smtp_problem: Option<String>,
    /// Entries that the newest signed checkpoint of the log holds.
    pub log_entries: i64,
    /// Why the log of evidence does not go on; events are recorded all the same, and wait for it.
    pub log_problem: Option<String>,
    /// That events wait for their place in the log for longer than they should, whoever extends it.
    pub log_waiting: Option<LogWaiting>,
    pub breaker: BreakerState,
    /// Why no mail leaves: an older copy of the database was put back.
    pub sending_held: Option<SendingHeld>,
    /// Each time-stamping authority of the settings.
    pub timestamps: Vec<AuthorityStanding>,
    /// Each witness of the settings.
    pub witnesses: Vec<WitnessStanding>,
}

impl App {
    pub async fn tidy(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let tally_before = now.minus(USUAL_FOR + WINDOWS_AT_MOST);
        let mut tx = self.store.write().await?;
        let removed = budgets::prune(&mut tx, now, now.minus(DAY)).await?
            + openings::prune(&mut tx, now.minus(OPENINGS_KEPT_FOR)).await?
            + answers::prune(&mut tx, now).await?
            + booth::prune(&mut tx, now.minus(REMEMBERED_FOR)).await?
            + breaker::prune(&mut tx, tally_before, now.minus(TRIPS_KEPT_FOR)).await?
            + notices::prune(&mut tx, now.minus(NOTICES_KEPT_FOR)).await?;
        tx.commit().await?;
        let removed = removed
            + self.delete_due_seals().await?
            + self.tidy_webhooks().await?
            + self.tidy_summaries().await?;
        // What an erasure, here or on the command line, left in the files because a reader was at it or a process died.
        self.store.scrub().await?;
        Ok(removed)
    }

    /// How the server stands: reads the database as a signup would. Mails that fail are for the operator to see.
    pub async fn readiness(&self) -> Result<Readiness, StoreError> {
        let mut conn = self.store.read().await?;
        let (mails_waiting, mails_failed) = outbox::count_up_to(&mut conn, COUNTED_AT_MOST).await?;
        let log_entries = log::head(&mut conn).await?.map_or(0, |head| head.size);
        let log_waiting = self.log_waiting(&mut conn).await?;
        let last_smtp_problem = self.smtp_problem(&mut conn).await?;
        let timestamps = self.authorities(&mut conn).await?;
        let witnesses = self.witnesses(&mut conn).await?;
        drop(conn);
        Ok(Readiness {
            database: "ready",
            mails_waiting,
            mails_failed,
            last_smtp_problem,
            log_entries,
            log_problem: self.live.log_problem(),
            log_waiting,
            breaker: self.breaker().await?,
            sending_held: self.sending_held().await?,
            timestamps,
            witnesses,
        })
    }

    /// Sets the gauges that are read from the database.
    pub async fn measure(&self) -> Result<(), StoreError> {
        let mut conn = self.store.read().await?;
        let (due, failed) = outbox::count(&mut conn).await?;
        metrics::gauge!(telemetry::OUTBOX, "state" => "due").set(due as f64);
        metrics::gauge!(telemetry::OUTBOX, "state" => "failed").set(failed as f64);
        let now = self.clock.now();
        let head = log::head(&mut conn).await?;
        let entries = head.as_ref().map_or(0, |head| head.size);
        metrics::gauge!(telemetry::LOG_ENTRIES).set(entries as f64);
        let waiting = self.log_waiting(&mut conn).await?;
        let waited = waiting.map_or(0.0, |waiting| now.since(waiting.since).as_secs_f64());
        metrics::gauge!(telemetry::LOG_WAITING).set(waited);
        let logged = head.as_ref().map_or(0, |head| head.last_position);
        let behind = log::last_position(&mut conn).await? - logged;
        metrics::gauge!(telemetry::LOG_BEHIND).set(behind.max(0) as f64);
        if let Some(head) = &head {
            let age = now.since(head.signed_at).as_secs_f64();
            metrics::gauge!(telemetry::CHECKPOINT_AGE).set(age);
        }
        drop(conn);
        let lapsing = self.lapsing_soon().await?;
        let lapsing: i64 = lapsing.iter().map(|(_, count)| count).sum();
        metrics::gauge!(telemetry::LAPSING).set(lapsing as f64);
        self.measure_figures().await?;
        let held = u8::from(self.sending_held().await?.is_some());
        metrics::gauge!(telemetry::SENDING_HELD).set(f64::from(held));
        let breaker = self.breaker().await?;
        let open = u8::from(breaker.open_since.is_some());
        metrics::gauge!(telemetry::BREAKER_OPEN).set(f64::from(open));
        let mut conn = self.store.read().await?;
        let held = outbox::count_held(&mut conn, i64::MAX).await?;
        metrics::gauge!(telemetry::BREAKER_HELD).set(held as f64);
        self.measure_anchors(&mut conn).await
    }
}
