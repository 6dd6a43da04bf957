//! Timestamps: at an interval, and on demand, the newest checkpoint of the log is stamped by every authority that the
//! operator named (RFC 3161). Signups never wait for it.
//!
//! A round goes in steps, each of which may be the last one of this process:
//! 1. a lease is taken, so that two processes do not ask for the same. If the process dies with it, it runs out;
//! 2. each authority is asked over the bytes of the checkpoint's note. If the process dies here, a token that was given
//!    is lost, and the next round asks for another. Nothing depends on the lost one;
//! 3. the response is checked: status, imprint, nonce, policy, signature, key usage and chain, and that its time does not
//!    speak against what is recorded. One that fails is never written, only why;
//! 4. the response and how it stands with the authority are written in one transaction. If the process dies after it,
//!    the stamp is kept, and the lease runs out.

mod ask;

pub(super) use self::ask::stamps_of;

use std::time::Duration;

use futures_util::future::join_all;
use uuid::Uuid;

use super::App;
use super::outside::is_due;
use super::sequence::{Head, SequenceProblem};
use crate::config::{Authority, Timestamps};
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::{Stamp, TimestampProblem};
use crate::outgoing::{Limits, Outgoing, OutgoingProblem};
use crate::store::timestamps::{self, Try};
use crate::store::{Conn, StoreError, leases, log};
use crate::telemetry;

pub(super) const LEASE_NAME: &str = "timestamps";
/// So much longer than an authority may take is a round given.
const LEASE: Duration = Duration::from_secs(60);
/// The log may lag behind by so much when it is stamped.
const LAG: Duration = Duration::from_secs(60);
/// How long after it was told everything that a stamped log does not hold says how far the clock is off: other processes look
/// once a minute, the log may lag behind by one, and one for what was under way.
const TOLD_AFTER: Duration = Duration::from_secs(180);
/// A token with a chain of four large certificates has some 10 KB.
const ANSWER_AT_MOST: u64 = 64 << 10;
pub(super) const QUERY: &str = "application/timestamp-query";
pub(super) const REPLY: &str = "application/timestamp-reply";

/// The way out to the authorities, and who this process is among those that ask them.
pub struct Stamping {
    outgoing: Outgoing,
    pub(super) holder: Uuid,
}

impl Stamping {
    pub(super) fn new(settings: &Timestamps, holder: Uuid) -> Self {
        let limits = Limits {
            allow_private: settings.allow_private,
            within: settings.within,
            answer_at_most: ANSWER_AT_MOST,
        };
        Self {
            outgoing: Outgoing::new(limits),
            holder,
        }
    }
}

/// Why an authority gave no stamp that can be kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StampProblem {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Outgoing(#[from] OutgoingProblem),
    #[error("it answered with the HTTP status {0}")]
    Status(u16),
    #[error("its answer is of the type \"{0}\" and not {REPLY}")]
    ContentType(String),
    #[error("{0}")]
    Timestamp(#[from] TimestampProblem),
    #[error(
        "its chain leads to the root certificate \"{found}\" and not to \"{first}\", which its earlier stamps lead to; if that is \
         meant, name its root certificates under [timestamp] roots"
    )]
    OtherRoot { found: String, first: String },
    #[error(
        "its time is {} ours, more than a day, and no bundle would hold beside it: see which of the two clocks is wrong",
        apart(*.ahead)
    )]
    ClockFarOff { ahead: i64 },
    #[error(
        "its time is {} ours: let a time server keep this server's clock. What is recorded says so from now on, and after three \
         minutes a stamp can be kept",
        apart(*.ahead)
    )]
    ClockBehind { ahead: i64 },
}

/// What came of asking one authority.
#[derive(Clone, Debug)]
pub struct Asking {
    pub authority: String,
    /// Entries of the checkpoint that it was to stamp.
    pub size: u64,
    pub outcome: Result<Stamped, StampProblem>,
}

/// A stamp that is kept.
#[derive(Clone, Debug)]
pub struct Stamped {
    pub stamp: Stamp,
    /// Whether it was there before it was asked for: a checkpoint is stamped once by each authority.
    pub was_there: bool,
}

impl App {
    /// Asks the authorities whose time has come, if the log has grown since their last stamp. Nothing where another
    /// process is at it.
    pub async fn stamp_due(&self) -> Result<Vec<Asking>, SequenceProblem> {
        if self.due_authorities().await?.is_none() {
            return Ok(Vec::new());
        }
        let (now, holder) = (self.clock.now(), self.stamping.holder);
        let until = now.plus(LEASE + self.config.timestamps.within);
        if !leases::take(&self.store, LEASE_NAME, holder, now, until).await? {
            return Ok(Vec::new());
        }
        // Whoever had the lease before may have done it.
        let asked = match self.due_authorities().await? {
            Some((head, due)) => self.ask_all(&head, due, false).await,
            None => Vec::new(),
        };
        leases::end(&self.store, LEASE_NAME, holder).await?;
        Ok(asked)
    }

    /// Has the newest checkpoint stamped by every authority, whatever their time. A stamp that is there is answered with.
    /// Nothing where there are no entries yet, or no authorities.
    pub async fn stamp_now(&self) -> Result<Vec<Asking>, SequenceProblem> {
        let mut conn = self.store.read().await?;
        let Some(head) = self.head_to_stamp(&mut conn).await? else {
            return Ok(Vec::new());
        };
        let tries = timestamps::list_tries(&mut conn).await?;
        drop(conn);
        let all = self.config.timestamps.authorities.iter();
        let all = all.map(|authority| (authority, found(&tries, &authority.name)));
        Ok(self.ask_all(&head, all.collect(), true).await)
    }

    /// The head, and who is to stamp it; none where nobody is.
    async fn due_authorities(
        &self,
    ) -> Result<Option<(Head, Vec<(&Authority, Option<Try>)>)>, SequenceProblem> {
        let settings = &self.config.timestamps;
        if settings.authorities.is_empty() {
            return Ok(None);
        }
        let mut conn = self.store.read().await?;
        let tries = timestamps::list_tries(&mut conn).await?;
        let now = self.clock.now();
        let mut due: Vec<(&Authority, Option<Try>)> = settings
            .authorities
            .iter()
            .map(|authority| (authority, found(&tries, &authority.name)))
            .filter(|(_, known)| {
                known
                    .as_ref()
                    .is_none_or(|known| time_has_come(known, now, settings.every))
            })
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        let Some(head) = self.head_to_stamp(&mut conn).await? else {
            return Ok(None);
        };
        due.retain(|(_, known)| {
            let stamped = known.as_ref().and_then(|known| known.stamped).unwrap_or(0);
            u64::try_from(stamped).is_ok_and(|stamped| stamped < head.size)
        });
        Ok((!due.is_empty()).then_some((head, due)))
    }

    /// The head, if it has entries and the log does not lag behind. An event that waits while an older head is stamped would
    /// seem to be dated back: what a stamp does not hold is taken to have been recorded after it.
    async fn head_to_stamp(&self, conn: &mut Conn) -> Result<Option<Head>, SequenceProblem> {
        let Some(head) = self.log_head(conn).await?.filter(|head| head.size > 0) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let is_fresh = head.complete_at.is_some_and(|at| now.since(at) < LAG);
        let is_whole = is_fresh || log::last_position(conn).await? <= head.last_position;
        Ok(is_whole.then_some(head))
    }

    /// Asks them at the same time: one that hangs does not keep the others waiting.
    async fn ask_all(
        &self,
        head: &Head,
        whom: Vec<(&Authority, Option<Try>)>,
        on_demand: bool,
    ) -> Vec<Asking> {
        let each = whom.into_iter().map(|(authority, known)| async move {
            let outcome = self.ask_and_keep(authority, known, head, on_demand).await;
            let told = if outcome.is_ok() { "kept" } else { "failed" };
            metrics::counter!(telemetry::TIMESTAMPS, "authority" => authority.name.clone(), "outcome" => told).increment(1);
            Asking {
                authority: authority.name.clone(),
                size: head.size,
                outcome,
            }
        });
        join_all(each).await
    }
}

/// How the authority's time stands to ours, which is so many microseconds ahead.
fn apart(ahead: i64) -> String {
    let way = if ahead < 0 { "later" } else { "earlier" };
    let minutes = (ahead.unsigned_abs() + 30_000_000) / 60_000_000;
    format!("{minutes} minutes {way} than")
}

fn found(tries: &[Try], name: &str) -> Option<Try> {
    tries.iter().find(|known| known.authority == name).cloned()
}

/// A shorter interval in the settings holds from now on, not only after the next stamp.
fn time_has_come(known: &Try, now: Timestamp, every: Duration) -> bool {
    let sooner = known.tries == 0
        && known
            .last_asked_at
            .is_some_and(|asked| asked.plus(every) <= now);
    sooner || is_due(known.due_at, now, every)
}
