//! How the log stands with those outside who watch it: for `/readyz`, `/metrics` and the operators' page.

use serde::Serialize;

use super::App;
use crate::config::Authority;
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::Certificate;
use crate::store::timestamps::{self, Try};
use crate::store::{Conn, StoreError, leases};
use crate::telemetry;

/// How it stands with a time-stamping authority.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorityStanding {
    /// As the settings call it.
    pub authority: String,
    /// As its certificate calls it.
    pub signer: Option<String>,
    /// Entries that its newest stamp covers.
    pub entries: i64,
    /// The time of its newest stamp.
    pub last_stamp_at: Option<Timestamp>,
    /// Failures since then, and what was wrong last.
    pub failures: i64,
    pub problem: Option<String>,
    /// How far this server's clock was ahead of it when it last answered, in seconds.
    pub clock_ahead_seconds: Option<f64>,
}

impl AuthorityStanding {
    /// One line for people.
    pub fn sentence(&self) -> String {
        let stamped = match (self.last_stamp_at, &self.signer) {
            (Some(at), Some(signer)) => format!(
                "{} entries stamped at {} by \"{signer}\"",
                self.entries,
                at.to_the_minute()
            ),
            _ => "no stamp yet".to_owned(),
        };
        match &self.problem {
            None => stamped,
            Some(problem) => format!(
                "{stamped}; {} failed since then, it is tried again: {problem}",
                match self.failures {
                    1 => "one try".to_owned(),
                    more => format!("{more} tries"),
                }
            ),
        }
    }
}

impl App {
    /// How it stands with each authority of the settings.
    pub(super) async fn authorities(
        &self,
        conn: &mut Conn,
    ) -> Result<Vec<AuthorityStanding>, StoreError> {
        let named = &self.config.timestamps.authorities;
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let tries = timestamps::list_tries(conn).await?;
        let mut standings = Vec::with_capacity(named.len());
        for authority in named {
            let known = tries.iter().find(|known| known.authority == authority.name);
            standings.push(standing(conn, authority, known).await?);
        }
        Ok(standings)
    }

    /// Sets the gauges of the authorities.
    pub(super) async fn measure_authorities(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let now = self.clock.now();
        for standing in self.authorities(conn).await? {
            let name = standing.authority;
            metrics::gauge!(telemetry::TIMESTAMP_FAILURES, "authority" => name.clone())
                .set(standing.failures as f64);
            if let Some(at) = standing.last_stamp_at {
                metrics::gauge!(telemetry::TIMESTAMP_AGE, "authority" => name)
                    .set(now.since(at).as_secs_f64());
            }
        }
        Ok(())
    }

    /// Lets other processes ask at once whom this one was asking.
    pub async fn end_asking(&self) -> Result<(), StoreError> {
        leases::end(
            &self.store,
            super::timestamp::LEASE_NAME,
            self.stamping.holder,
        )
        .await
    }
}

async fn standing(
    conn: &mut Conn,
    authority: &Authority,
    known: Option<&Try>,
) -> Result<AuthorityStanding, StoreError> {
    let newest = timestamps::newest_by(conn, &authority.name).await?;
    let signer = newest.as_ref().and_then(|newest| {
        let chain = Certificate::all_from_pem(newest.certificates.as_bytes()).ok()?;
        Some(chain.first()?.name())
    });
    Ok(AuthorityStanding {
        authority: authority.name.clone(),
        signer,
        entries: newest.as_ref().map_or(0, |newest| newest.size),
        last_stamp_at: newest.map(|newest| newest.at),
        failures: known.map_or(0, |known| known.tries),
        problem: known.and_then(|known| known.last_problem.clone()),
        clock_ahead_seconds: known
            .and_then(|known| known.ahead_micros)
            .map(|micros| micros as f64 / 1e6),
    })
}
