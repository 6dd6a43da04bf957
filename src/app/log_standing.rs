//! How the log of evidence stands, for an operator's page: its key, its checkpoints and timestamps, the newest first.

use super::App;
use super::anchored::{AuthorityStanding, WitnessStanding};
use super::restored::SendingHeld;
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::{Certificate, told};
use crate::store::timestamps::NumberedStamp;
use crate::store::{StoreError, log, timestamps};

/// How the log stands.
#[derive(Clone, Debug)]
pub struct LogStanding {
    pub origin: String,
    pub vkey: String,
    pub entries: i64,
    /// When the newest checkpoint was signed.
    pub signed_at: Option<Timestamp>,
    /// Events without a place in the log.
    pub waiting: i64,
    /// Where readers find it; none where it is not published.
    pub published_at: Option<String>,
    /// What keeps the log from going on.
    pub problem: Option<String>,
    /// Why no mail leaves: an older copy of the database was put back.
    pub rolled_back: Option<SendingHeld>,
    pub authorities: Vec<AuthorityStanding>,
    pub witnesses: Vec<WitnessStanding>,
}

/// A signed checkpoint.
#[derive(Clone, Debug)]
pub struct CheckpointLine {
    pub size: i64,
    /// Entries that it added.
    pub added: i64,
    pub signed_at: Timestamp,
}

/// A timestamp that is kept.
#[derive(Clone, Debug)]
pub struct StampLine {
    pub number: i64,
    pub size: i64,
    pub authority: String,
    /// As its certificate calls it.
    pub signer: Option<String>,
    pub at: Timestamp,
    /// Hexadecimal, and an object identifier with dots.
    pub serial: Option<String>,
    pub policy: Option<String>,
}

/// A timestamp with all that it is checked by.
#[derive(Clone, Debug)]
pub struct WholeStamp {
    pub line: StampLine,
    /// The `TimeStampResp`, as it was received.
    pub response: Vec<u8>,
    /// Signer, intermediates and root, as PEM.
    pub certificates: String,
    /// The note whose SHA-256 it stamps.
    pub checkpoint: String,
}

impl App {
    pub async fn log_standing(&self) -> Result<LogStanding, StoreError> {
        let mut conn = self.store.read().await?;
        let head = log::head(&mut conn).await?;
        let last = log::last_position(&mut conn).await?;
        let authorities = self.authorities(&mut conn).await?;
        let witnesses = self.witnesses(&mut conn).await?;
        drop(conn);
        let key = self.log.key.verifier();
        Ok(LogStanding {
            vkey: key.vkey(),
            origin: key.name,
            entries: head.as_ref().map_or(0, |head| head.size),
            signed_at: head.as_ref().map(|head| head.signed_at),
            waiting: (last - head.map_or(0, |head| head.last_position)).max(0),
            published_at: self.config.ledger.published.then(|| self.url("/log/")),
            problem: self.live.log_problem(),
            rolled_back: self.sending_held().await?,
            authorities,
            witnesses,
        })
    }

    /// Checkpoints behind one of a size: larger ones, or smaller ones if `down`.
    pub async fn checkpoints(
        &self,
        (after, down): (Option<i64>, bool),
        limit: usize,
    ) -> Result<Vec<CheckpointLine>, StoreError> {
        let mut conn = self.store.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = if down {
            log::list_checkpoints_back(&mut conn, after.unwrap_or(i64::MAX), limit).await?
        } else {
            log::list_checkpoints(&mut conn, after.unwrap_or(-1), limit).await?
        };
        let lines = found.into_iter().map(|one| CheckpointLine {
            size: one.size,
            added: one.size - one.follows.unwrap_or(0),
            signed_at: one.signed_at,
        });
        Ok(lines.collect())
    }

    /// Timestamps that were kept behind the one of a number: after it, or before it if `down`.
    pub async fn stamps(
        &self,
        (after, down): (Option<i64>, bool),
        limit: usize,
    ) -> Result<Vec<StampLine>, StoreError> {
        let mut conn = self.store.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = if down {
            timestamps::list_back(&mut conn, after.unwrap_or(i64::MAX), limit).await?
        } else {
            timestamps::list_numbered(&mut conn, after.unwrap_or(0), limit).await?
        };
        Ok(found.iter().map(line).collect())
    }

    /// The timestamp of a number with all that it is checked by.
    pub async fn stamp_of_number(&self, number: i64) -> Result<Option<WholeStamp>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = timestamps::list_back(&mut conn, number.saturating_add(1), 1).await?;
        let Some(found) = found.into_iter().find(|one| one.number == number) else {
            return Ok(None);
        };
        let checkpoint = log::find_checkpoint(&mut conn, found.stamp.size).await?;
        let checkpoint =
            checkpoint.ok_or(StoreError::Corrupt("a timestamp without a checkpoint"))?;
        Ok(Some(WholeStamp {
            line: line(&found),
            response: found.stamp.response,
            certificates: found.stamp.certificates,
            checkpoint: checkpoint.note,
        }))
    }
}

fn line(one: &NumberedStamp) -> StampLine {
    let (serial, policy) = told(&one.stamp.response).unzip();
    let chain = Certificate::all_from_pem(one.stamp.certificates.as_bytes());
    let signer = chain.ok().and_then(|chain| Some(chain.first()?.name()));
    StampLine {
        number: one.number,
        size: one.stamp.size,
        authority: one.stamp.authority.clone(),
        signer,
        at: one.stamp.at,
        serial,
        policy,
    }
}
