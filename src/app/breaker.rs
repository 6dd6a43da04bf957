//! Watching the share of mails that is confirmed, holding confirmation mails while it is far below what is usual (T2).
//!
//! All state is in the database: every worker looks, whoever comes first trips or closes, and all of them hold.

use serde::Serialize;

use super::App;
use super::tidy::COUNTED_AT_MOST;
use crate::domain::breaker::{Closed, Tally};
use crate::domain::time::Timestamp;
use crate::store::breaker::{self, Trip};
use crate::store::{StoreError, outbox};
use crate::telemetry;

/// Held mails that are given back in one transaction.
const RELEASED_AT_ONCE: i64 = 5_000;

/// How the breaker stands, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BreakerState {
    /// Since when confirmation mails are held; none while they are not.
    pub open_since: Option<Timestamp>,
    /// Mails held: while it is open, and those that leave bit by bit after it closed by itself. Counting stops at 100,000.
    pub mails_held: i64,
}

/// What a release did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    pub was_open: bool,
    pub mails: u64,
}

impl App {
    pub async fn breaker(&self) -> Result<BreakerState, StoreError> {
        let mut conn = self.store.read().await?;
        let last = breaker::find_last(&mut conn).await?;
        let open = last.filter(|trip| trip.closed.is_none());
        Ok(BreakerState {
            open_since: open.map(|trip| trip.tripped_at),
            mails_held: outbox::count_held(&mut conn, COUNTED_AT_MOST).await?,
        })
    }

    /// Looks at the last window: a worker does this once a minute.
    pub async fn watch_breaker(&self) -> Result<(), StoreError> {
        let mut conn = self.store.read().await?;
        let last = breaker::find_last(&mut conn).await?;
        drop(conn);
        match last {
            Some(trip) if trip.closed.is_none() => self.watch_open(&trip).await,
            last => {
                let closed = last.and_then(|trip| trip.closed);
                self.give_back(closed.map(|closed| closed.1)).await?;
                self.watch_closed(closed).await
            }
        }
    }

    /// The operator's word: closes it, lets all held mails go, and leaves mail alone for a window.
    pub async fn release_breaker(&self) -> Result<Released, StoreError> {
        let was_open = self.close_breaker(Closed::Operator).await?;
        let mails = self.give_all_back().await?;
        if mails > 0 && !was_open {
            let mut tx = self.store.write().await?;
            breaker::overrule(&mut tx, self.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(Released { was_open, mails })
    }

    async fn watch_open(&self, trip: &Trip) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let since = breaker::count(&mut conn, trip.since, Timestamp::from_micros(i64::MAX)).await?;
        drop(conn);
        let rules = &self.config.breaker;
        let Some(closed) = rules.closes(trip.tripped_at, trip.usual, since, now) else {
            return Ok(());
        };
        self.close_breaker(closed).await?;
        self.give_back(Some(closed)).await
    }

    async fn watch_closed(&self, last: Option<(Timestamp, Closed)>) -> Result<(), StoreError> {
        let rules = &self.config.breaker;
        if !rules.on {
            return Ok(());
        }
        let now = self.clock.now();
        let spans = rules.spans(now, last);
        let mut conn = self.store.read().await?;
        let window = breaker::count(&mut conn, spans.from, spans.until).await?;
        let usual = breaker::count_usual(&mut conn, &spans).await?;
        drop(conn);
        if !rules.trips(usual, window) {
            return Ok(());
        }
        self.trip_breaker(&Trip {
            tripped_at: now,
            since: spans.from,
            window,
            usual,
            closed: None,
        })
        .await
    }

    async fn trip_breaker(&self, trip: &Trip) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let first = breaker::trip(&mut tx, trip).await?;
        // From this commit on every worker holds what it claims. If the process dies before, the next look trips it.
        tx.commit().await?;
        if first {
            metrics::counter!(telemetry::BREAKER_TRIPS).increment(1);
            let Tally { mailed, confirmed } = trip.window;
            tracing::warn!(
                mailed,
                confirmed,
                usual_percent = trip.usual.percent(),
                "few confirmation mails are confirmed: somebody may be signing up people who did not ask. \
                 Further ones are held; `countersign breaker release` lets them go"
            );
        }
        Ok(())
    }

    async fn close_breaker(&self, closed: Closed) -> Result<bool, StoreError> {
        let mut tx = self.store.write().await?;
        let first = breaker::close(&mut tx, self.clock.now(), closed).await?;
        // If the process dies behind this commit, the next look gives back what is held.
        tx.commit().await?;
        if first {
            let why = closed.as_str();
            tracing::warn!(why, "confirmation mails are no longer held");
        }
        Ok(first)
    }

    /// Gives held mails back to a closed breaker: all of them, or bit by bit where nothing but time has passed. Also takes
    /// care of what a worker put by at the very moment of the closing.
    async fn give_back(&self, closed: Option<Closed>) -> Result<(), StoreError> {
        let mut conn = self.store.read().await?;
        let held = outbox::count_held(&mut conn, 1).await?;
        drop(conn);
        if held == 0 {
            return Ok(());
        }
        if closed != Some(Closed::Quiet) || !self.config.breaker.on {
            self.give_all_back().await?;
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        if breaker::take_turn(&mut tx, now).await? {
            outbox::give_back(&mut tx, now, self.config.breaker.portion(now)).await?;
        }
        tx.commit().await
    }

    async fn give_all_back(&self) -> Result<u64, StoreError> {
        let mut mails = 0;
        loop {
            let mut tx = self.store.write().await?;
            let some = outbox::give_back(&mut tx, self.clock.now(), RELEASED_AT_ONCE).await?;
            tx.commit().await?;
            mails += some;
            if some < RELEASED_AT_ONCE as u64 {
                self.live.mail_queued();
                return Ok(mails);
            }
        }
    }
}
