//! Events that wait for their place in the log for longer than they should: since when, and why, as far as that can be seen
//! from here. For `/readyz`, `/metrics` and the operators' page, by any process, whoever extends the log.

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::outside::plain;
use super::sequence::{LEASE, LEASE_NAME};
use crate::domain::time::Timestamp;
use crate::store::log::Holder;
use crate::store::{Conn, StoreError, leases, log};

/// An event is in the log within a second or so; this long it may take before anybody is told.
const TOLD_AFTER: Duration = Duration::from_secs(10);
/// A transaction that is open for so long is no writer that will be done in a moment.
const IN_THE_WAY_AFTER: Duration = Duration::from_secs(2);

/// That events wait for their place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogWaiting {
    /// The time of the first event that waits.
    pub since: Timestamp,
    pub why: String,
}

impl LogWaiting {
    /// One line for people.
    pub fn sentence(&self) -> String {
        format!("since {} {}", self.since.to_the_minute(), self.why)
    }
}

impl App {
    /// Whether events wait for longer than they should.
    pub(super) async fn log_waiting(
        &self,
        conn: &mut Conn,
    ) -> Result<Option<LogWaiting>, StoreError> {
        let now = self.clock.now();
        let last = log::head(conn).await?.map_or(0, |head| head.last_position);
        let first = log::first_time_behind(conn, last).await?;
        let Some(since) = first.filter(|since| now.since(*since) >= TOLD_AFTER) else {
            return Ok(None);
        };
        let why = match self.live.log_problem() {
            Some(problem) => problem,
            None => self.what_keeps_it(conn, now).await?,
        };
        Ok(Some(LogWaiting { since, why }))
    }

    async fn what_keeps_it(&self, conn: &mut Conn, now: Timestamp) -> Result<String, StoreError> {
        let holders = log::turn_holders(conn).await?;
        if let Some(holder) = holders
            .first()
            .filter(|holder| holder.open_for() >= IN_THE_WAY_AFTER)
        {
            return Ok(in_the_way(holder));
        }
        let lease = leases::find(conn, LEASE_NAME).await?;
        Ok(match lease.filter(|lease| lease.held_until > now) {
            None => "nobody extends the log: is a server running with the role all or worker, and can it write to the database?"
                .to_owned(),
            Some(lease) if lease.holder == self.log.holder() => {
                "this server extends the log and has not come up with it yet".to_owned()
            }
            Some(lease) if lease.held_until > now.plus(LEASE) => format!(
                "another process has the right to extend the log until {}, which is later than it can be: its clock is ahead, or this one's behind",
                lease.held_until
            ),
            Some(lease) => format!(
                "another process has the right to extend the log until {} and has not come up with it yet; its own /readyz tells more",
                lease.held_until
            ),
        })
    }
}

fn in_the_way(holder: &Holder) -> String {
    format!(
        "a transaction in the database is open for {} seconds and may still write events that come before others (process {} of PostgreSQL, \"{}\", {}): \
         let it end, or end it with `select pg_terminate_backend({})`",
        holder.open_for().as_secs(),
        holder.pid,
        plain(&holder.application),
        plain(&holder.state),
        holder.pid
    )
}
