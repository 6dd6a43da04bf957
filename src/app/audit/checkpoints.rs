//! The signed checkpoints in their order: each must be signed, follow the one before it, be the head of the tree as the walk
//! finds it, and say the same as its row. A checkpoint's size, time and predecessor are taken from what was signed.

use std::collections::VecDeque;

use super::Audit;
use super::times::TOLERANCE;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::Hash;
use crate::ledger::note::{NoteProblem, Verifier};
use crate::ledger::stamps::Stamps;
use crate::store::log::{self, SignedCheckpoint, as_stored};
use crate::store::{Conn, StoreError};

/// Checkpoints that are read at a time.
const PAGE: i64 = 4_096;

/// A row with what its note says.
pub(super) struct Listed {
    row: SignedCheckpoint,
    pub read: Result<Checkpoint, NoteProblem>,
}

/// The log up to a checkpoint, as the walk finds it.
pub(super) struct Found {
    pub size: u64,
    pub root: Hash,
    pub last_position: i64,
}

/// Where the walk is among the checkpoints.
pub(super) struct Checkpoints {
    key: Verifier,
    /// The size of the log that is walked through.
    size: u64,
    ahead: VecDeque<Listed>,
    before: Option<Listed>,
    /// The chain of the timestamps that are there, from that of none on; taken when a checkpoint has told of others.
    stamps: Option<Vec<Stamps>>,
}

impl Checkpoints {
    pub fn new(key: Verifier, size: u64, stamps: Vec<Stamps>) -> Self {
        Self {
            key,
            size,
            stamps: Some(stamps),
            ahead: VecDeque::new(),
            before: None,
        }
    }

    /// The next one, if its note can be believed.
    pub fn behind(&self) -> Option<&Checkpoint> {
        self.ahead.front()?.read.as_ref().ok()
    }

    /// Whether the next one is to be passed at this size of the tree.
    pub async fn is_reached(&mut self, conn: &mut Conn, at: u64) -> Result<bool, StoreError> {
        let after = self.before.as_ref().map_or(-1, |one| one.row.size);
        if self.ahead.is_empty() && after < as_stored(self.size) {
            for row in log::list_checkpoints(conn, after, PAGE).await? {
                let read = Checkpoint::verified(row.note.as_bytes(), &self.key);
                let read = read.map(|(read, _)| read);
                self.ahead.push_back(Listed { row, read });
            }
        }
        let at = as_stored(at.min(self.size));
        Ok(self.ahead.front().is_some_and(|next| next.row.size <= at))
    }

    /// Holds the next one against the log as it was found, and passes it.
    pub fn pass(&mut self, found: &Found, audit: &mut Audit) -> Option<&Listed> {
        let next = self.ahead.pop_front()?;
        audit.checkpoints += 1;
        self.check(&next, found, audit);
        self.before = Some(next);
        self.before.as_ref()
    }

    fn check(&mut self, next: &Listed, found: &Found, audit: &mut Audit) {
        let (row, size) = (&next.row, found.size);
        match &next.read {
            Err(problem) => audit.find(format!("the checkpoint of size {}: {problem}", row.size)),
            Ok(read) if read.size != size || row.size != as_stored(size) => audit.find(format!(
                "the checkpoint of size {} says {}",
                row.size, read.size
            )),
            Ok(read) => {
                if read.root != found.root {
                    audit.find(format!(
                        "the tiles up to entry {size} do not lead to the root of the checkpoint of size {size}: they, or the checkpoint, were changed"
                    ));
                }
                check_columns(row, read, audit);
                self.check_order(read, audit);
                self.check_stamps(read, audit);
            }
        }
        // That of the newest is compared at the end.
        if size < self.size && row.last_position != found.last_position {
            audit.find(format!(
                "the checkpoint of size {size} ends at position {}, its places at position {}",
                row.last_position, found.last_position
            ));
        }
    }

    /// The one before it must be the one that it says it follows. That its time is not earlier is not asked for: clocks
    /// are set.
    fn check_order(&self, read: &Checkpoint, audit: &mut Audit) {
        let before = self.before.as_ref();
        let size = before.and_then(|one| u64::try_from(one.row.size).ok());
        if read.follows != size {
            audit.find(format!(
                "the checkpoint of size {} follows {:?}, yet {size:?} stands before it: one was removed or added",
                read.size, read.follows
            ));
        }
        if let Some(Ok(before)) = before.map(|one| &one.read)
            && read.signed_at < before.signed_at.minus(TOLERANCE)
        {
            audit.remark(format!(
                "the checkpoint of size {} was signed at {} and the one before it at {}: the clock was set back",
                read.size, read.signed_at, before.signed_at
            ));
        }
    }

    /// It tells of the timestamps that were kept before it, which must still be there. What one misses, all behind it do.
    fn check_stamps(&mut self, read: &Checkpoint, audit: &mut Audit) {
        let Some(kept) = &self.stamps else {
            return;
        };
        let told = read.stamps;
        let found = usize::try_from(told.count)
            .ok()
            .and_then(|count| kept.get(count));
        if found != Some(&told) {
            audit.find(format!(
                "the checkpoint of size {} tells of {} timestamps, and {} of those that are there follow on one another: one was removed, changed or put in",
                read.size,
                told.count,
                kept.len() - 1
            ));
            self.stamps = None;
        }
    }
}

/// The columns repeat what is signed.
fn check_columns(row: &SignedCheckpoint, read: &Checkpoint, audit: &mut Audit) {
    for (column, fits) in [
        ("follows", row.follows == read.follows.map(as_stored)),
        ("signed_at", row.signed_at == read.signed_at),
    ] {
        if !fits {
            audit.find(format!(
                "the checkpoint of size {}: its column {column} was changed",
                row.size
            ));
        }
    }
}
