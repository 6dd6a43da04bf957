//! One round that extends the log.
//!
//! A round goes in steps, each of which may be the last one of this process:
//! 1. the tiles that grow are read, and the head's root is computed from them and compared;
//! 2. new entries are added to them and written. If the process dies here, the tiles reach beyond the newest checkpoint,
//!    which no reader sees, and the next round writes the same;
//! 3. events and tiles are read and hashed a second time, by another way through the database;
//! 4. the checkpoint is signed and put behind the one that it follows. Where another sequencer was faster, it finds that
//!    place taken, and nothing is done. If the process dies after it, the log has grown.
//!
//! Where a tile that is kept is not what the events say, `mend` decides.

use super::{Head, SequenceProblem, Settled};
use crate::app::App;
use crate::app::timestamp::stamps_of;
use crate::domain::time::Timestamp;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::commitment::commitment;
use crate::ledger::merkle::{Hash, empty_root};
use crate::ledger::tree::{Growth, edge_tiles};
use crate::store::log::{LoggedEvent, Run, SignedCheckpoint, TileId, as_stored};
use crate::store::{Conn, StoreError, log, timestamps};

/// Events of one checkpoint at most: they are in memory together.
const BATCH: i64 = 4_096;

impl App {
    /// The checkpoint of the log without entries.
    pub(super) async fn first_checkpoint(&self) -> Result<Option<Head>, SequenceProblem> {
        let first = self.checkpoint((0, empty_root()), None, None).await?;
        self.sign(&first, 0).await
    }

    /// One batch: steps 1 to 4.
    pub(super) async fn extend(
        &self,
        from: &Head,
        settled: &Settled,
    ) -> Result<Option<Head>, SequenceProblem> {
        let mut conn = self.store.read().await?;
        let up_to = settled.position;
        let events = log::list_events(&mut conn, from.last_position, up_to, BATCH).await?;
        let Some(last) = events.last().map(|event| event.position) else {
            return Ok(None);
        };
        let mut grown = match grow(&mut conn, from, &events).await {
            Err(SequenceProblem::Emptied(position)) => return self.overtaken(position).await,
            grown => grown?,
        };
        let runs = runs(log::last_run(&mut conn).await?, from.size, &events);
        drop(conn);
        log::stage(&self.store, &grown.take(), &runs).await?;

        let mut conn = self.store.read().await?;
        let events = log::list_events(&mut conn, from.last_position, last, BATCH).await?;
        let mut again = match grow(&mut conn, from, &events).await {
            Err(SequenceProblem::Emptied(position)) => return self.overtaken(position).await,
            grown => grown?,
        };
        if (again.size(), again.root()) != (grown.size(), grown.root()) {
            return Err(SequenceProblem::Reread("the events differ".to_owned()));
        }
        let differing = differing(&mut conn, again.take()).await?;
        drop(conn);
        let complete_at = (last >= settled.position).then_some(settled.by);
        let tree = (again.size(), again.root());
        let next = self.checkpoint(tree, Some(from.size), complete_at).await?;
        if differing.is_empty() {
            self.sign(&next, last).await
        } else {
            self.mend(from, &differing, &next, last).await
        }
    }

    /// An event was emptied before this round came to it. If another sequencer was faster and an erasure waited for that,
    /// the newest checkpoint holds the event, and nothing is wrong.
    async fn overtaken(&self, position: i64) -> Result<Option<Head>, SequenceProblem> {
        let mut conn = self.store.read().await?;
        match self.log_head(&mut conn).await? {
            Some(head) if head.last_position >= position => Ok(None),
            _ => Err(SequenceProblem::Emptied(position)),
        }
    }

    /// What is to be signed. The stamps are read after the checkpoint that it follows, so it names no fewer than that.
    async fn checkpoint(
        &self,
        (size, root): (u64, Hash),
        follows: Option<u64>,
        complete_at: Option<Timestamp>,
    ) -> Result<Checkpoint, StoreError> {
        let stamps = timestamps::newest(&mut self.store.read().await?).await?;
        Ok(Checkpoint {
            origin: self.log.key.verifier().name,
            size,
            root,
            signed_at: self.clock.now(),
            follows,
            complete_at,
            stamps: stamps_of(stamps),
        })
    }

    /// Step 4.
    async fn sign(
        &self,
        checkpoint: &Checkpoint,
        last_position: i64,
    ) -> Result<Option<Head>, SequenceProblem> {
        let stored = self.signed(checkpoint, last_position);
        let added = log::add_checkpoint(&self.store, &stored).await?;
        Ok(self.added(checkpoint, stored, added).await)
    }

    /// The checkpoint as it is kept. The columns repeat what is signed, for the database to hold the chain together.
    pub(super) fn signed(&self, checkpoint: &Checkpoint, last_position: i64) -> SignedCheckpoint {
        SignedCheckpoint {
            size: as_stored(checkpoint.size),
            follows: checkpoint.follows.map(as_stored),
            last_position,
            note: self.log.key.sign(&checkpoint.text()),
            signed_at: checkpoint.signed_at,
        }
    }

    /// Takes note of the new head; none where another sequencer was faster.
    pub(super) async fn added(
        &self,
        checkpoint: &Checkpoint,
        stored: SignedCheckpoint,
        added: bool,
    ) -> Option<Head> {
        if added {
            self.keep_head(checkpoint.size, &stored.note).await;
        }
        let head = Head {
            size: checkpoint.size,
            last_position: stored.last_position,
            root: checkpoint.root,
            complete_at: checkpoint.complete_at,
            note: stored.note,
        };
        if added {
            self.log.reach(&head);
        }
        added.then_some(head)
    }
}

/// The tree of the head, as its tiles tell it, with these events behind.
async fn grow(
    conn: &mut Conn,
    from: &Head,
    events: &[LoggedEvent],
) -> Result<Growth, SequenceProblem> {
    let kept = log::tiles(conn, &edge_tiles(from.size)).await?;
    let mut grown = Growth::from_edge(from.size, kept)?;
    if grown.root() != from.root {
        return Err(SequenceProblem::Root(from.size));
    }
    for event in events {
        let entry = entry(event.body.as_deref(), event.salt.as_deref());
        grown.push(entry.ok_or(SequenceProblem::Emptied(event.position))?);
    }
    Ok(grown)
}

/// The commitment of an event; none where it was emptied.
pub(in crate::app) fn entry(body: Option<&str>, salt: Option<&[u8]>) -> Option<Hash> {
    Some(commitment(salt?.try_into().ok()?, body?.as_bytes()))
}

/// Those of these tiles that are not kept as they are. A kept one may be longer, if another sequencer came further.
async fn differing(
    conn: &mut Conn,
    tiles: Vec<(TileId, Vec<u8>)>,
) -> Result<Vec<(TileId, Vec<u8>)>, SequenceProblem> {
    let wanted: Vec<TileId> = tiles.iter().map(|tile| tile.0).collect();
    let kept: std::collections::HashMap<_, _> =
        log::tiles(conn, &wanted).await?.into_iter().collect();
    let differs = |(id, hashes): &(TileId, Vec<u8>)| {
        let found = kept.get(id);
        !found.is_some_and(|found| found.starts_with(hashes))
    };
    Ok(tiles.into_iter().filter(differs).collect())
}

/// The runs that begin with these events.
fn runs(last: Option<Run>, size: u64, events: &[LoggedEvent]) -> Vec<Run> {
    let mut begun = Vec::new();
    let mut current = last;
    for (index, event) in (as_stored(size)..).zip(events) {
        let goes_on = current
            .is_some_and(|run| event.position - run.first_position == index - run.first_index);
        if !goes_on {
            let run = Run {
                first_index: index,
                first_position: event.position,
            };
            begun.push(run);
            current = Some(run);
        }
    }
    begun
}
