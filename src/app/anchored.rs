//! How the log stands with those outside who watch it: for `/readyz`, `/metrics` and the operators' page.

use serde::Serialize;

use super::App;
use crate::config::Authority;
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::Certificate;
use crate::store::timestamps::{self, Try};
use crate::store::{Conn, StoreError, cosignatures, leases};
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
        with_problem(stamped, self.failures, self.problem.as_deref())
    }
}

/// How it stands with a witness.
#[derive(Clone, Debug, Serialize)]
pub struct WitnessStanding {
    pub witness: String,
    /// Entries of the newest checkpoint that it cosigned.
    pub entries: i64,
    pub last_cosigned_at: Option<Timestamp>,
    /// Failures since then, and what was wrong last.
    pub failures: i64,
    pub problem: Option<String>,
    /// Whether it has seen another history of the log than this database holds.
    pub in_doubt: bool,
}

impl WitnessStanding {
    /// One line for people.
    pub fn sentence(&self) -> String {
        let cosigned = match self.last_cosigned_at {
            Some(at) => format!(
                "{} entries cosigned at {}",
                self.entries,
                at.to_the_minute()
            ),
            None => "nothing cosigned yet".to_owned(),
        };
        with_problem(cosigned, self.failures, self.problem.as_deref())
    }
}

fn with_problem(stands: String, failures: i64, problem: Option<&str>) -> String {
    match (problem, failures) {
        (None, _) => stands,
        (Some(problem), 1) => {
            format!("{stands}; one try failed since then, it is tried again: {problem}")
        }
        (Some(problem), more) => {
            format!("{stands}; {more} tries failed since then, it is tried again: {problem}")
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

    /// How it stands with each witness of the settings.
    pub(super) async fn witnesses(
        &self,
        conn: &mut Conn,
    ) -> Result<Vec<WitnessStanding>, StoreError> {
        let named = &self.config.witnesses.witnesses;
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let tries = cosignatures::list_tries(conn).await?;
        let mut standings = Vec::with_capacity(named.len());
        for name in named.iter().map(|witness| &witness.key.name) {
            let known = tries.iter().find(|known| known.witness == *name);
            let newest = cosignatures::newest_by(conn, name).await?;
            standings.push(WitnessStanding {
                witness: name.clone(),
                entries: newest.as_ref().map_or(0, |newest| newest.size),
                last_cosigned_at: newest.map(|newest| newest.at),
                failures: known.map_or(0, |known| known.tries),
                problem: known.and_then(|known| known.last_problem.clone()),
                in_doubt: known.is_some_and(|known| known.in_doubt > 0),
            });
        }
        Ok(standings)
    }

    /// Sets the gauges of authorities and witnesses.
    pub(super) async fn measure_anchors(&self, conn: &mut Conn) -> Result<(), StoreError> {
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
        for standing in self.witnesses(conn).await? {
            let name = standing.witness;
            metrics::gauge!(telemetry::WITNESS_FAILURES, "witness" => name.clone())
                .set(standing.failures as f64);
            if let Some(at) = standing.last_cosigned_at {
                metrics::gauge!(telemetry::COSIGNATURE_AGE, "witness" => name)
                    .set(now.since(at).as_secs_f64());
            }
        }
        Ok(())
    }

    /// Lets other processes ask at once whom this one was asking.
    pub async fn end_asking(&self) -> Result<(), StoreError> {
        let (stamping, witnessing) = (self.stamping.holder, self.witnessing.holder);
        leases::end(&self.store, super::timestamp::LEASE_NAME, stamping).await?;
        leases::end(&self.store, super::witness::LEASE_NAME, witnessing).await
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
