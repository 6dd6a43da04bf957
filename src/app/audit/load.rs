//! Reading for the audit: chunk after chunk, one ahead of what is being checked.

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::mpsc;

use crate::ledger::merkle::Hash;
use crate::ledger::tile::WIDTH;
use crate::ledger::tree::split;
use crate::store::events::{self, AuditedEvent};
use crate::store::log::{self, Run, TileId, as_stored};
use crate::store::{Conn, Store, StoreError};

/// Entries that are in memory together; so many more are read ahead.
const CHUNK: u64 = 4_096;
/// Rows of a page.
const PAGE: i64 = 4_096;

/// Entries of the log with what stands at their places.
pub(super) struct Chunk {
    /// The index of the first.
    pub from: u64,
    /// The position of each; none where no run tells it.
    pub positions: Vec<Option<i64>>,
    /// What the tiles hold of each; none where a tile lacks it.
    pub entries: Vec<Option<Hash>>,
    /// Tiles that are missing or too short.
    pub broken: Vec<u64>,
    /// All events up to the last position, behind the last of the chunk before.
    pub events: Vec<AuditedEvent>,
}

/// Where the reading is.
struct Loader {
    conn: Conn,
    runs: VecDeque<Run>,
    run: Option<Run>,
    last_run_seen: bool,
    after: i64,
}

/// Reads the entries below `size` on a task of its own.
pub(super) fn start(store: &Store, size: u64) -> mpsc::Receiver<Result<Chunk, StoreError>> {
    let (sender, receiver) = mpsc::channel(1);
    let store = store.clone();
    tokio::spawn(async move {
        let mut loader = match Loader::new(&store).await {
            Ok(loader) => loader,
            Err(error) => {
                let _ = sender.send(Err(error)).await;
                return;
            }
        };
        let mut from = 0;
        while from < size {
            let to = size.min(from + CHUNK);
            let chunk = loader.load(from, to).await;
            let failed = chunk.is_err();
            // Nobody listening any more: the audit ended.
            if sender.send(chunk).await.is_err() || failed {
                return;
            }
            from = to;
        }
    });
    receiver
}

impl Loader {
    async fn new(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            conn: store.read().await?,
            runs: VecDeque::new(),
            run: None,
            last_run_seen: false,
            after: i64::MIN,
        })
    }

    async fn load(&mut self, from: u64, to: u64) -> Result<Chunk, StoreError> {
        let positions = self.positions(from, to).await?;
        let last = positions.iter().rev().find_map(|one| *one);
        let last = last.unwrap_or(self.after);
        let (entries, broken) = self.entries(from, to).await?;
        let events = self.events(last).await?;
        self.after = last;
        Ok(Chunk {
            from,
            positions,
            entries,
            broken,
            events,
        })
    }

    /// The positions that these indexes have.
    async fn positions(&mut self, from: u64, to: u64) -> Result<Vec<Option<i64>>, StoreError> {
        let mut positions = Vec::new();
        for index in as_stored(from)..as_stored(to) {
            if self.runs.is_empty() && !self.last_run_seen {
                let after = self.run.map_or(-1, |run| run.first_index);
                self.runs = log::list_runs(&mut self.conn, after, PAGE).await?.into();
                self.last_run_seen = self.runs.is_empty();
            }
            if self
                .runs
                .front()
                .is_some_and(|run| run.first_index <= index)
            {
                self.run = self.runs.pop_front();
            }
            let position = |run: Run| run.first_position.checked_add(index - run.first_index);
            positions.push(self.run.and_then(position));
        }
        Ok(positions)
    }

    /// What the tiles hold, and the places of those that are missing or too short.
    async fn entries(
        &mut self,
        from: u64,
        to: u64,
    ) -> Result<(Vec<Option<Hash>>, Vec<u64>), StoreError> {
        let wanted: Vec<TileId> = (from / WIDTH..to.div_ceil(WIDTH))
            .map(|place| (0, place))
            .collect();
        let kept: BTreeMap<_, _> = log::tiles(&mut self.conn, &wanted)
            .await?
            .into_iter()
            .collect();
        let (mut entries, mut broken) = (Vec::new(), Vec::new());
        for id in wanted {
            let hashes = kept.get(&id).and_then(|bytes| split(id, bytes).ok());
            let hashes = hashes.unwrap_or_default();
            let width = (to - id.1 * WIDTH).min(WIDTH) as usize;
            if hashes.len() < width {
                broken.push(id.1);
            }
            entries.extend((0..width).map(|at| hashes.get(at).copied()));
        }
        Ok((entries, broken))
    }

    async fn events(&mut self, up_to: i64) -> Result<Vec<AuditedEvent>, StoreError> {
        let mut found: Vec<AuditedEvent> = Vec::new();
        loop {
            let from = found.last().map_or(self.after, |event| event.position);
            let mut page = events::list_audited(&mut self.conn, from, up_to, PAGE).await?;
            let whole = (page.len() as i64) < PAGE;
            found.append(&mut page);
            if whole {
                return Ok(found);
            }
        }
    }
}
