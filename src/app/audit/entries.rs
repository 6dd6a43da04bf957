//! The walk through the log: tiles against checkpoints, events against tiles.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::super::App;
use super::super::record::read_body;
use super::super::sequence::{BATCH, Head};
use super::Audit;
use super::load::{self, Chunk, as_stored};
use super::rows::{self, Unpacker};
use super::timestamps::Seen;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::Hash;
use crate::ledger::note::Verifier;
use crate::ledger::tile::WIDTH;
use crate::ledger::tree::Growth;
use crate::store::events::{self, AuditedEvent};
use crate::store::log::{self, SignedCheckpoint, TileId};
use crate::store::{Conn, StoreError};

/// Checkpoints that are read at a time.
const PAGE: i64 = 4_096;
/// How far an event's time may lie outside the time in which it was logged: the clock may have been set, and another
/// machine's may differ.
const TOLERANCE: Duration = Duration::from_secs(600);
/// Entries that do not fit, remembered to tell whether two changed places.
const STRAY_AT_MOST: usize = 10_000;

/// Whom events are about.
type About = (BrandId, ContactId);

/// Where the walk is.
struct Walk {
    tree: Growth,
    /// The size of the log that is walked through.
    size: u64,
    key: Verifier,
    checkpoints: VecDeque<SignedCheckpoint>,
    /// The checkpoint before the next.
    before: Option<SignedCheckpoint>,
    /// What authorities saw of larger logs, and when they saw the last smaller one.
    seen: VecDeque<Seen>,
    seen_before: Option<Seen>,
    /// The size and time of the last checkpoint that held everything recorded by then. One of a full batch does not tell:
    /// a sequencer that catches up signs several, and what the later ones hold was there all the time.
    complete: Option<Seen>,
    last_position: i64,
    /// Events that were logged long after their own time, and the first of them.
    late: u64,
    first_late: Option<String>,
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
        let mut walk = Walk::new(head.size, self.log.key.verifier())?;
        walk.seen = self.audit_timestamps(conn, audit).await?;
        walk.pass_checkpoints(conn, audit).await?;
        let mut chunks = load::start(&self.store, head.size);
        while let Some(chunk) = chunks.recv().await {
            walk.chunk(conn, chunk?, audit).await?;
            progress(walk.tree.size(), head.size);
        }
        if walk.last_position != head.last_position {
            audit.find(format!(
                "the newest checkpoint ends at position {}, its places at position {}",
                head.last_position, walk.last_position
            ));
        }
        walk.tell_late(audit);
        walk.compare_tiles(conn, audit, true).await?;
        walk.tell_strays(audit);
        walk.tell_emptied(conn, audit).await?;
        self.audit_form_names(conn, &walk.forms, audit).await
    }
}

impl Walk {
    fn new(size: u64, key: Verifier) -> Result<Self, StoreError> {
        let empty = Growth::from_edge(0, []);
        Ok(Self {
            tree: empty.map_err(|_| StoreError::Corrupt("an empty tree"))?,
            size,
            key,
            checkpoints: VecDeque::new(),
            before: None,
            seen: VecDeque::new(),
            seen_before: None,
            complete: None,
            last_position: 0,
            late: 0,
            first_late: None,
            unpacker: Unpacker::default(),
            emptied: HashMap::new(),
            erased: HashMap::new(),
            logged: HashMap::new(),
            strays: Vec::new(),
            forms: HashSet::new(),
        })
    }

    async fn chunk(
        &mut self,
        conn: &mut Conn,
        chunk: Chunk,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        for place in chunk.broken {
            audit.find(format!(
                "the tile {place} of level 0 is missing or too short"
            ));
        }
        let mut events = chunk.events.into_iter().peekable();
        let places = chunk.positions.into_iter().zip(chunk.entries);
        for (index, (position, entry)) in (chunk.from..).zip(places) {
            while let Some(stray) = events.next_if(|event| event.position < position) {
                audit.find(format!(
                    "an event stands at position {} that was not there when its neighbours were logged: it was inserted",
                    stray.position
                ));
            }
            let event = events.next_if(|event| event.position == position);
            let made = self
                .check_event(conn, (index, position), event, entry, audit)
                .await?;
            // Where a tile lacks an entry, the event's own commitment stands in, and a root will tell.
            self.tree.push(entry.or(made).unwrap_or_default());
            self.last_position = position;
            self.pass_checkpoints(conn, audit).await?;
        }
        self.compare_tiles(conn, audit, false).await
    }

    /// Holds the tree against the checkpoints of its size.
    async fn pass_checkpoints(
        &mut self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        loop {
            let after = self.before.as_ref().map_or(-1, |one| one.size);
            if self.checkpoints.is_empty() && after < as_stored(self.size) {
                self.checkpoints = log::list_checkpoints(conn, after, PAGE).await?.into();
            }
            let (size, at) = (self.size, as_stored(self.tree.size()));
            let reached = |one: &&SignedCheckpoint| one.size <= at && one.size <= as_stored(size);
            let Some(next) = self.checkpoints.front().filter(reached) else {
                return Ok(());
            };
            self.check_checkpoint(next, audit);
            audit.checkpoints += 1;
            self.before = self.checkpoints.pop_front();
            self.note_times();
        }
    }

    /// Takes note of what the checkpoint just passed says of the times of events behind it.
    fn note_times(&mut self) {
        let now = self.tree.size();
        let is_complete = self
            .before
            .as_ref()
            .is_some_and(|checkpoint| checkpoint.size - checkpoint.follows.unwrap_or(0) < BATCH);
        if is_complete {
            self.complete = self.before.as_ref().map(|one| (now, one.signed_at));
        }
        while let Some(seen) = self.seen.pop_front_if(|seen| seen.0 <= now) {
            if is_complete {
                self.seen_before = Some(seen);
            }
        }
    }

    fn check_checkpoint(&self, next: &SignedCheckpoint, audit: &mut Audit) {
        let size = self.tree.size();
        match Checkpoint::verified(next.note.as_bytes(), &self.key) {
            Err(problem) => audit.find(format!("the checkpoint of size {}: {problem}", next.size)),
            Ok((read, _)) if read.size != size || next.size != as_stored(size) => {
                audit.find(format!("the checkpoint of size {} says {}", next.size, read.size));
            }
            Ok((read, _)) if read.root != self.tree.root() => audit.find(format!(
                "the tiles up to entry {size} do not lead to the root of the checkpoint of size {size}: they, or the checkpoint, were changed"
            )),
            Ok(_) => {}
        }
        // That of the newest is compared at the end.
        if size < self.size && next.last_position != self.last_position {
            audit.find(format!(
                "the checkpoint of size {size} ends at position {}, its places at position {}",
                next.last_position, self.last_position
            ));
        }
        if let Some(before) = &self.before
            && next.signed_at < before.signed_at.minus(TOLERANCE)
        {
            audit.remark(format!(
                "the checkpoint of size {} was signed at {} and the one before it at {}: the clock was set back",
                next.size, next.signed_at, before.signed_at
            ));
        }
        let before = self.before.as_ref().map(|one| one.size);
        if next.follows != before {
            audit.find(format!(
                "the checkpoint of size {} follows {:?}, yet {before:?} stands before it: one was removed or added",
                next.size, next.follows
            ));
        }
    }

    /// Checks one event; answers with the commitment that is made of it.
    async fn check_event(
        &mut self,
        conn: &mut Conn,
        (index, position): (u64, i64),
        event: Option<AuditedEvent>,
        entry: Option<Hash>,
        audit: &mut Audit,
    ) -> Result<Option<Hash>, StoreError> {
        let name = || format!("event {index} (position {position})");
        let Some(event) = event else {
            audit.find(format!("{}: it is missing", name()));
            return Ok(None);
        };
        let about = (event.brand_id, event.contact_id);
        if event.is_emptied() {
            audit.emptied += 1;
            self.emptied.entry(about).or_insert((index, position));
            return Ok(None);
        }
        let made = rows::commitment_of(&event);
        if made.is_none() {
            audit.find(format!("{}: part of it was emptied", name()));
        } else if entry.is_some() && made != entry {
            audit.find(format!("{}: it is not what was logged", name()));
            self.stray(index, made, entry);
        }
        let read = rows::check(conn, &event, &mut self.unpacker).await?;
        for problem in read.problems {
            audit.find(format!("{}: {problem}", name()));
        }
        if let Some(version) = read.form_version
            && !self.forms.contains(&version)
        {
            self.forms.insert(version);
        }
        if event.kind == "erased" {
            self.erased.insert(about, position);
        }
        if let Some(problem) = self.problem_of_time(&event) {
            audit.find(format!("{}: {problem}", name()));
        } else {
            self.look_whether_late(&event, index);
        }
        Ok(made)
    }

    /// The sequencer stood still for so long, or the event was written later than it says.
    fn look_whether_late(&mut self, event: &AuditedEvent, index: u64) {
        let Some(behind) = self.checkpoints.front() else {
            return;
        };
        if event.at < behind.signed_at.minus(TOLERANCE) {
            self.late += 1;
            self.first_late.get_or_insert_with(|| {
                format!(
                    "event {index}, which says {} and was logged by {}",
                    event.at, behind.signed_at
                )
            });
        }
    }

    fn tell_late(&mut self, audit: &mut Audit) {
        if let Some(first) = self.first_late.take() {
            audit.remark(format!(
                "{} events came into the log more than ten minutes after the time that they say: the log stood still, or they were written later. The first is {first}",
                self.late
            ));
        }
    }

    /// An event lies between what authorities saw before and behind it; and between the checkpoints around it, whose times
    /// are our own clock's. Where that clock was set back between them, both orders are honest.
    fn problem_of_time(&self, event: &AuditedEvent) -> Option<String> {
        let (seen_before, seen_behind) = (self.seen_before, self.seen.front());
        if let Some((size, at)) = seen_before.filter(|seen| event.at < seen.1.minus(TOLERANCE)) {
            return Some(format!(
                "it says {}, yet was not there when an authority stamped the checkpoint of size {size} at {at}: it was back-dated, or the clock was wrong",
                event.at
            ));
        }
        if let Some((_, at)) = seen_behind.filter(|seen| event.at > seen.1.plus(TOLERANCE)) {
            return Some(format!(
                "it says {}, yet an authority saw it logged at {at}",
                event.at
            ));
        }
        let ((size, signed_at), behind) = (self.complete?, self.checkpoints.front()?);
        let latest = self.before.as_ref()?.signed_at.max(behind.signed_at);
        if event.at < signed_at.min(behind.signed_at).minus(TOLERANCE) {
            return Some(format!(
                "it says {}, yet was not there when the checkpoint of size {size} was signed at {signed_at}: it was back-dated, or the clock was set",
                event.at
            ));
        }
        (event.at > latest.plus(TOLERANCE)).then(|| {
            format!(
                "it says {}, yet was logged by {}",
                event.at, behind.signed_at
            )
        })
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

    /// An event is emptied by an erasure of its contact, which is an event behind it and empties all that stand before it.
    async fn tell_emptied(&mut self, conn: &mut Conn, audit: &mut Audit) -> Result<(), StoreError> {
        let mut erasures = Vec::new();
        for (about, (index, position)) in &self.emptied {
            let mut erased = self.erased.get(about).copied();
            if erased.is_none() {
                erased = erasure_since(conn, *about).await?;
            }
            match erased.filter(|erased| erased > position) {
                Some(erased) => erasures.push((about.0, about.1, erased)),
                None => audit.find(format!(
                    "event {index} (position {position}): it was emptied, and no erasure of its contact stands behind it"
                )),
            }
        }
        for (brand, contact, left) in events::left_whole(conn, &erasures).await? {
            if let Some((index, position)) = self.emptied.get(&(brand, contact)) {
                audit.find(format!(
                    "event {index} (position {position}): it was emptied, yet the erasure behind it left the event at position {left} of the same contact whole: it was no erasure"
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

/// Where a contact was erased since the newest checkpoint. What waits for its place was held against nothing yet, so it must
/// read as what its column says.
async fn erasure_since(conn: &mut Conn, about: About) -> Result<Option<i64>, StoreError> {
    let found = events::last_of_kind(conn, about.0, about.1, "erased").await?;
    Ok(found.and_then(|(position, body)| {
        let event = read_body(body.as_deref()).ok()??;
        let is_of_it = (event.brand, event.contact) == about;
        (is_of_it && matches!(event.fact, Fact::Erased { .. })).then_some(position)
    }))
}
