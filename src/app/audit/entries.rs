//! The walk through the log: tiles against checkpoints, events against tiles.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::super::App;
use super::super::sequence::Head;
use super::Audit;
use super::rows::{self, Unpacker};
use crate::domain::ids::{BrandId, ContactId};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::Hash;
use crate::ledger::tile::WIDTH;
use crate::ledger::tree::{Growth, split};
use crate::store::events::{self, AuditedEvent};
use crate::store::log::{self, Run, SignedCheckpoint, TileId};
use crate::store::{Conn, StoreError};

/// Entries that are in memory together.
const CHUNK: u64 = 4_096;
/// Rows of a page of runs and checkpoints.
const PAGE: i64 = 4_096;
/// How far an event's time may lie outside the time in which it was logged: the clock may have been set, and another
/// machine's may differ.
const TOLERANCE: Duration = Duration::from_secs(600);
/// Entries that do not fit, remembered to tell whether two changed places.
const STRAY_AT_MOST: usize = 10_000;

/// Whom events are about.
type About = (BrandId, ContactId);

/// Where the walk is.
pub(super) struct Walk {
    tree: Growth,
    runs: VecDeque<Run>,
    run: Option<Run>,
    last_run_seen: bool,
    checkpoints: VecDeque<SignedCheckpoint>,
    /// The checkpoint before the next.
    before: Option<SignedCheckpoint>,
    /// The last position that was expected.
    after: i64,
    unpacker: Unpacker,
    /// Emptied events, by contact: the first of each.
    emptied: HashMap<About, (u64, i64)>,
    /// Where each contact was erased last.
    erased: HashMap<About, i64>,
    /// Entries whose event does not fit, and the commitments that stood there instead.
    logged: HashMap<Hash, u64>,
    strays: Vec<(Hash, u64)>,
    forms: HashSet<String>,
}

impl App {
    pub(super) async fn audit_entries(
        &self,
        conn: &mut Conn,
        head: &Head,
        audit: &mut Audit,
        progress: impl Fn(u64, u64) + Send,
    ) -> Result<(), StoreError> {
        audit.entries = head.size;
        let mut walk = Walk::new()?;
        self.pass_checkpoints(conn, head, &mut walk, audit).await?;
        let mut from = 0;
        while from < head.size {
            let to = head.size.min(from + CHUNK);
            self.walk_chunk(conn, head, from, to, &mut walk, audit)
                .await?;
            from = to;
            progress(from, head.size);
        }
        if walk.after != head.last_position && head.size > 0 {
            audit.find(format!(
                "the newest checkpoint ends at position {}, its places at position {}",
                head.last_position, walk.after
            ));
        }
        walk.compare_tiles(conn, audit, true).await?;
        walk.tell_strays(audit);
        walk.tell_emptied(conn, audit).await?;
        self.audit_form_names(conn, &walk.forms, audit).await
    }

    async fn walk_chunk(
        &self,
        conn: &mut Conn,
        head: &Head,
        from: u64,
        to: u64,
        walk: &mut Walk,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let entries = entries_of(conn, from, to, audit).await?;
        let positions = walk.positions(conn, from, to).await?;
        let last = positions.last().copied().unwrap_or(walk.after);
        let mut events = events_in(conn, walk.after, last).await?;
        for ((index, position), entry) in (from..to).zip(positions).zip(entries) {
            let event = events.remove(&position);
            let made = walk
                .check_event(conn, index, position, event, entry, audit)
                .await?;
            // Where a tile lacks an entry, the event's own commitment stands in, and a root will tell.
            walk.tree.push(entry.or(made).unwrap_or_default());
            self.pass_checkpoints(conn, head, walk, audit).await?;
        }
        for position in events.into_keys() {
            audit.find(format!(
                "an event stands at position {position} that was not there when its neighbours were logged: it was inserted"
            ));
        }
        walk.after = last;
        walk.compare_tiles(conn, audit, false).await
    }

    /// Holds the tree against the checkpoints of its size.
    async fn pass_checkpoints(
        &self,
        conn: &mut Conn,
        head: &Head,
        walk: &mut Walk,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        loop {
            let after = walk.before.as_ref().map_or(-1, |one| one.size);
            if walk.checkpoints.is_empty() && after < as_stored(head.size) {
                walk.checkpoints = log::list_checkpoints(conn, after, PAGE).await?.into();
            }
            let size = walk.tree.size();
            let next = walk.checkpoints.front();
            let Some(next) = next.filter(|one| as_size(one.size) <= size && size <= head.size)
            else {
                return Ok(());
            };
            let read = Checkpoint::verified(next.note.as_bytes(), &self.log.key.verifier());
            match read {
                Err(problem) => audit.find(format!("the checkpoint of size {}: {problem}", next.size)),
                Ok((read, _)) if read.size != size || as_size(next.size) != size => {
                    audit.find(format!("the checkpoint of size {} says {}", next.size, read.size));
                }
                Ok((read, _)) if read.root != walk.tree.root() => audit.find(format!(
                    "the tiles up to entry {size} do not lead to the root of the checkpoint of size {size}: they, or the checkpoint, were changed"
                )),
                Ok(_) => {}
            }
            let before = walk.before.as_ref().map(|one| one.size);
            if next.follows != before {
                audit.find(format!(
                    "the checkpoint of size {} follows {:?}, yet {before:?} stands before it: one was removed or added",
                    next.size, next.follows
                ));
            }
            audit.checkpoints += 1;
            walk.before = walk.checkpoints.pop_front();
        }
    }
}

impl Walk {
    fn new() -> Result<Self, StoreError> {
        let empty = Growth::from_edge(0, []);
        Ok(Self {
            tree: empty.map_err(|_| StoreError::Corrupt("an empty tree"))?,
            runs: VecDeque::new(),
            run: None,
            last_run_seen: false,
            checkpoints: VecDeque::new(),
            before: None,
            after: i64::MIN,
            unpacker: Unpacker::default(),
            emptied: HashMap::new(),
            erased: HashMap::new(),
            logged: HashMap::new(),
            strays: Vec::new(),
            forms: HashSet::new(),
        })
    }

    /// The positions that these indexes have.
    async fn positions(
        &mut self,
        conn: &mut Conn,
        from: u64,
        to: u64,
    ) -> Result<Vec<i64>, StoreError> {
        let mut positions = Vec::new();
        for index in as_stored(from)..as_stored(to) {
            if self.runs.is_empty() && !self.last_run_seen {
                let after = self.run.map_or(-1, |run| run.first_index);
                self.runs = log::list_runs(conn, after, PAGE).await?.into();
                self.last_run_seen = self.runs.is_empty();
            }
            if self
                .runs
                .front()
                .is_some_and(|run| run.first_index <= index)
            {
                self.run = self.runs.pop_front();
            }
            let run = self.run.ok_or(StoreError::Corrupt("the log has no runs"))?;
            positions.push(run.first_position + (index - run.first_index));
        }
        Ok(positions)
    }

    /// Checks one event; answers with the commitment that is made of it.
    async fn check_event(
        &mut self,
        conn: &mut Conn,
        index: u64,
        position: i64,
        event: Option<AuditedEvent>,
        entry: Option<Hash>,
        audit: &mut Audit,
    ) -> Result<Option<Hash>, StoreError> {
        let name = format!("event {index} (position {position})");
        let Some(event) = event else {
            audit.find(format!("{name}: it is missing"));
            return Ok(None);
        };
        if event.is_emptied() {
            audit.emptied += 1;
            self.emptied
                .entry((event.brand_id, event.contact_id))
                .or_insert((index, position));
            return Ok(None);
        }
        let made = rows::commitment_of(&event);
        if made.is_none() {
            audit.find(format!("{name}: part of it was emptied"));
        } else if entry.is_some() && made != entry {
            audit.find(format!("{name}: it is not what was logged"));
            self.stray(index, made, entry);
        }
        let read = rows::check(conn, &event, &mut self.unpacker).await?;
        read.problems
            .into_iter()
            .for_each(|problem| audit.find(format!("{name}: {problem}")));
        self.forms.extend(read.form_version);
        if event.kind == "erased" {
            self.erased
                .insert((event.brand_id, event.contact_id), position);
        }
        self.check_time(&name, &event, audit);
        Ok(made)
    }

    /// An event lies between the checkpoints before and behind it, by the clock as well.
    fn check_time(&self, name: &str, event: &AuditedEvent, audit: &mut Audit) {
        let (Some(before), Some(behind)) = (&self.before, self.checkpoints.front()) else {
            return;
        };
        if event.at < before.signed_at.minus(TOLERANCE) {
            audit.find(format!(
                "{name}: it says {}, yet was not there when the checkpoint of size {} was signed at {}: it was back-dated, or the clock was set",
                event.at, before.size, before.signed_at
            ));
        } else if event.at > behind.signed_at.plus(TOLERANCE) {
            audit.find(format!(
                "{name}: it says {}, yet was logged by {}",
                event.at, behind.signed_at
            ));
        }
    }

    fn stray(&mut self, index: u64, made: Option<Hash>, entry: Option<Hash>) {
        if self.strays.len() < STRAY_AT_MOST
            && let (Some(made), Some(entry)) = (made, entry)
        {
            self.logged.insert(entry, index);
            self.strays.push((made, index));
        }
    }

    /// Events that stand in another's place.
    fn tell_strays(&self, audit: &mut Audit) {
        for (made, index) in &self.strays {
            if let Some(logged) = self.logged.get(made) {
                audit.find(format!(
                    "event {index} is what was logged as event {logged}: they were reordered"
                ));
            }
        }
    }

    /// An event is emptied by an erasure of its contact, which is an event behind it.
    async fn tell_emptied(&mut self, conn: &mut Conn, audit: &mut Audit) -> Result<(), StoreError> {
        for (contact, (index, position)) in std::mem::take(&mut self.emptied) {
            let mut erased = self.erased.get(&contact).copied();
            if erased.is_none() {
                // It may have happened since the newest checkpoint.
                erased = events::last_of_kind(conn, contact.0, contact.1, "erased").await?;
            }
            if erased.is_none_or(|erased| erased < position) {
                audit.find(format!(
                    "event {index} (position {position}): it was emptied, and no erasure of its contact stands behind it"
                ));
            }
        }
        Ok(())
    }

    /// Holds the kept tiles above level 0 against those of the tree; at the end the unfinished ones too.
    async fn compare_tiles(
        &mut self,
        conn: &mut Conn,
        audit: &mut Audit,
        end: bool,
    ) -> Result<(), StoreError> {
        let made: Vec<(TileId, Vec<u8>)> = self
            .tree
            .take()
            .into_iter()
            .filter(|(id, hashes)| id.0 > 0 && (end || hashes.len() as u64 == 32 * WIDTH))
            .collect();
        let wanted: Vec<TileId> = made.iter().map(|tile| tile.0).collect();
        let kept: BTreeMap<_, _> = log::tiles(conn, &wanted).await?.into_iter().collect();
        for (id, hashes) in made {
            // What stands behind it was written for a checkpoint to come.
            if !kept.get(&id).is_some_and(|kept| kept.starts_with(&hashes)) {
                audit.find(format!("the tile {} of level {} was changed", id.1, id.0));
            }
        }
        Ok(())
    }
}

/// The entries of the tiles; none where a tile lacks one.
async fn entries_of(
    conn: &mut Conn,
    from: u64,
    to: u64,
    audit: &mut Audit,
) -> Result<Vec<Option<Hash>>, StoreError> {
    let wanted: Vec<TileId> = (from / WIDTH..to.div_ceil(WIDTH))
        .map(|place| (0, place))
        .collect();
    let kept: BTreeMap<_, _> = log::tiles(conn, &wanted).await?.into_iter().collect();
    let mut entries = Vec::new();
    for id in wanted {
        let hashes = kept.get(&id).and_then(|bytes| split(id, bytes).ok());
        let width = (to - id.1 * WIDTH).min(WIDTH);
        let hashes = hashes.unwrap_or_default();
        if (hashes.len() as u64) < width {
            audit.find(format!(
                "the tile {} of level 0 is missing or too short",
                id.1
            ));
        }
        entries.extend((0..width).map(|at| hashes.get(at as usize).copied()));
    }
    Ok(entries)
}

/// The events behind one position up to another.
async fn events_in(
    conn: &mut Conn,
    after: i64,
    up_to: i64,
) -> Result<BTreeMap<i64, AuditedEvent>, StoreError> {
    let mut found = BTreeMap::new();
    let mut from = after;
    loop {
        let page = events::list_audited(conn, from, up_to, PAGE).await?;
        let Some(last) = page.last().map(|event| event.position) else {
            return Ok(found);
        };
        found.extend(page.into_iter().map(|event| (event.position, event)));
        from = last;
    }
}

fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn as_size(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(u64::MAX)
}
