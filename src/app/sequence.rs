//! The sequencer: gives committed events their places in the log, and signs its new head. The steps of a round are in
//! `extend`, but for who takes it, and up to where.

mod extend;
mod mend;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::App;
use crate::domain::time::Timestamp;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::Hash;
use crate::ledger::note::{NoteProblem, SigningNoteKey};
use crate::ledger::tree::TileProblem;
use crate::store::{Conn, StoreError, leases, log};

pub(super) use self::extend::entry;

pub(super) const LEASE: Duration = Duration::from_secs(10);
/// How long to wait for another process that extends the log: longer than the lease of one that died.
const LOGGED_WITHIN: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
pub(super) const LEASE_NAME: &str = "sequencer";

/// What signs the log, and who this process is among sequencers.
pub struct Log {
    pub key: SigningNoteKey,
    holder: Uuid,
    leased_until: AtomicI64,
    /// The largest head that this process has seen, and its root. Before it has seen one, the file beside the database tells.
    reached: Mutex<Option<(u64, Hash)>>,
}

impl Log {
    pub(super) const fn new(key: SigningNoteKey, holder: Uuid) -> Self {
        Self {
            key,
            holder,
            leased_until: AtomicI64::new(0),
            reached: Mutex::new(None),
        }
    }

    pub(super) const fn holder(&self) -> Uuid {
        self.holder
    }

    fn reached(&self) -> Option<(u64, Hash)> {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self, head: &Head) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.is_none_or(|(size, _)| size < head.size) {
            *reached = Some((head.size, head.root));
        }
    }
}

/// Why the log does not go on. Nothing was signed; events go on being recorded, and wait.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SequenceProblem {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Tile(#[from] TileProblem),
    #[error("the newest checkpoint: {0}")]
    Head(#[from] NoteProblem),
    #[error(
        "the tiles do not lead to the root hash of the newest checkpoint, of size {0}: one that evidence rests on was damaged or \
         changed. `countersign verify --log` names it; put the newest copy of the database back that holds (docs/log.md, \"When the \
         log stands still\")"
    )]
    Root(u64),
    #[error("the event at position {0} was emptied before it was logged")]
    Emptied(i64),
    #[error("what was written is not what is read: {0}")]
    Reread(String),
    #[error(
        "the tile {place} of level {level} is not what the events say. It lies beyond the newest checkpoint that is here, of {here} \
         entries, but {by} has seen a log of {there}: it may belong to what is lost here, and is left as it is. Keep a copy of the \
         database and put the newest one back (docs/log.md, \"When the log stands still\")"
    )]
    TileSeen {
        level: u32,
        place: u64,
        here: u64,
        by: String,
        there: u64,
    },
    #[error(
        "this process has seen a log of {before} entries, and the database now holds another one, of {now}: its end was cut \
         off, it was begun anew, or an older copy was put back. Run `countersign verify --log`; if it was meant, run \
         `countersign restored accept` and restart"
    )]
    PutBack { before: u64, now: u64 },
    #[error(
        "{0}. That is told by the head of the log that lies beside the database. Run `countersign verify --log`; if it was \
         meant, `countersign restored accept` lets the log go on"
    )]
    Beside(String),
}

/// Where the log stands.
#[derive(Clone, Debug)]
pub struct Head {
    pub size: u64,
    pub last_position: i64,
    pub root: Hash,
    /// Everything that was recorded by this time is in it; none where more was waiting.
    pub complete_at: Option<Timestamp>,
    /// The signed note.
    pub note: String,
}

/// Up to this position nothing can appear any more, and everything that was committed by this time is there.
struct Settled {
    position: i64,
    by: Timestamp,
}

impl App {
    /// Gives the events that are committed by now their places; answers with how many. Nothing where there are none, or
    /// another process is at it.
    pub async fn sequence(&self) -> Result<u64, SequenceProblem> {
        // Before the head is read: another round of this process may make it grow meanwhile.
        let reached = self.log.reached();
        if reached.is_none()
            && let Some(why) = self.beside().await?.why_not()
        {
            return Err(SequenceProblem::Beside(why));
        }
        let mut conn = self.store.read().await?;
        let seen = log::last_position(&mut conn).await?;
        let mut head = self.log_head(&mut conn).await?;
        drop(conn);
        self.goes_on(reached, head.as_ref())?;
        if head.as_ref().is_some_and(|head| head.last_position >= seen) || !self.lead().await? {
            return Ok(0);
        }
        // Read first: whatever was committed by then is settled.
        let by = self.clock.now();
        let Some(position) = log::settled_position(&self.store).await? else {
            return Ok(0);
        };
        let settled = Settled { position, by };
        let mut added = 0;
        loop {
            let from = match head {
                Some(head) => head,
                None => match self.first_checkpoint().await? {
                    Some(head) => head,
                    None => return Ok(added),
                },
            };
            let size = from.size;
            if from.last_position >= settled.position {
                return Ok(added);
            }
            let Some(next) = self.extend(&from, &settled).await? else {
                return Ok(added);
            };
            added += next.size - size;
            head = Some(next);
        }
    }

    /// The newest head of the log, once it holds the event at this position, by this process or by another; none if that
    /// took too long. The right to extend the log is let go of: a command must not keep a server from it.
    pub async fn logged(&self, position: i64) -> Result<Option<Head>, SequenceProblem> {
        let logged = async {
            loop {
                self.sequence().await?;
                let mut conn = self.store.read().await?;
                let head = self.log_head(&mut conn).await?;
                drop(conn);
                if let Some(head) = head.filter(|head| head.last_position >= position) {
                    return Ok(Some(head));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let head = tokio::time::timeout(LOGGED_WITHIN, logged).await;
        self.end_sequencing().await?;
        head.unwrap_or(Ok(None))
    }

    /// Waits until everything that is recorded by now is in the log; false if that took too long.
    pub async fn everything_logged(&self) -> Result<bool, SequenceProblem> {
        let recorded = log::last_position(&mut self.store.read().await?).await?;
        Ok(recorded == 0 || self.logged(recorded).await?.is_some())
    }

    /// A log that became shorter under this process, or another, is not signed on.
    fn goes_on(
        &self,
        reached: Option<(u64, Hash)>,
        head: Option<&Head>,
    ) -> Result<(), SequenceProblem> {
        let now = head.map_or(0, |head| head.size);
        if let Some((before, root)) = reached
            && head.is_none_or(|head| now < before || (now == before && head.root != root))
        {
            return Err(SequenceProblem::PutBack { before, now });
        }
        if let Some(head) = head {
            self.log.reach(head);
        }
        Ok(())
    }

    /// Has, or takes, the right to extend the log. The checkpoints' order alone keeps it whole; the lease spares two
    /// processes the same work.
    async fn lead(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let good_for = self.log.leased_until.load(Ordering::SeqCst) - now.micros();
        let half = i64::try_from(LEASE.as_micros() / 2).unwrap_or(i64::MAX);
        if good_for > half {
            return Ok(true);
        }
        let until = now.plus(LEASE);
        let taken = leases::take(&self.store, LEASE_NAME, self.log.holder, now, until).await?;
        if taken {
            self.log
                .leased_until
                .store(until.micros(), Ordering::SeqCst);
        }
        Ok(taken)
    }

    /// Lets another process go on at once.
    pub async fn end_sequencing(&self) -> Result<(), StoreError> {
        self.log.leased_until.store(0, Ordering::SeqCst);
        leases::end(&self.store, LEASE_NAME, self.log.holder).await
    }

    /// The newest checkpoint, its signature checked.
    pub async fn log_head(&self, conn: &mut Conn) -> Result<Option<Head>, SequenceProblem> {
        let Some(stored) = log::head(conn).await? else {
            return Ok(None);
        };
        let (read, _) = Checkpoint::verified(stored.note.as_bytes(), &self.log.key.verifier())?;
        if i64::try_from(read.size) != Ok(stored.size) {
            return Err(NoteProblem::Form("its size is not that of its row").into());
        }
        Ok(Some(Head {
            size: read.size,
            last_position: stored.last_position,
            root: read.root,
            complete_at: read.complete_at,
            note: stored.note,
        }))
    }
}
