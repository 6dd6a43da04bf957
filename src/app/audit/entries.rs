//! The walk through the log: tiles against checkpoints, events against tiles.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::App;
use super::super::record::read_body;
use super::super::sequence::{Head, entry as entry_of};
use super::Audit;
use super::checkpoints::{Checkpoints, Found};
use super::load::{self, Chunk};
use super::rows::{self, Unpacker};
use super::times::{Said, Times};
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId};
use crate::ledger::merkle::Hash;
use crate::ledger::tile::WIDTH;
use crate::ledger::tree::Growth;
use crate::store::events::{self, AuditedEvent};
use crate::store::log::{self, TileId};
use crate::store::{Conn, StoreError};

/// Entries that do not fit, remembered to tell whether two changed places.
const STRAY_AT_MOST: usize = 10_000;

/// Whom events are about.
type About = (BrandId, ContactId);

/// Where the walk is.
struct Walk {
    tree: Growth,
    checkpoints: Checkpoints,
    times: Times,
    last_position: i64,
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
        let stamped = self.audit_timestamps(conn, audit).await?;
        let key = self.log.key.verifier();
        let checkpoints = Checkpoints::new(key, head.size, stamped.chain);
        let mut walk = Walk::new(checkpoints, Times::new(stamped.seen))?;
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
        walk.times.tell(audit);
        walk.compare_tiles(conn, audit, true).await?;
        walk.tell_strays(audit);
        walk.tell_emptied(conn, audit).await?;
        self.audit_form_names(conn, &walk.forms, audit).await
    }
}

impl Walk {
    fn new(checkpoints: Checkpoints, times: Times) -> Result<Self, StoreError> {
        let empty = Growth::from_edge(0, []);
        Ok(Self {
            tree: empty.map_err(|_| StoreError::Corrupt("an empty tree"))?,
            checkpoints,
            times,
            last_position: 0,
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
        let size = self.tree.size();
        while self.checkpoints.is_reached(conn, size).await? {
            let found = Found {
                size,
                root: self.tree.root(),
                last_position: self.last_position,
            };
            if let Some(passed) = self.checkpoints.pass(&found, audit) {
                self.times.pass(size, passed.read.as_ref().ok());
            }
        }
        Ok(())
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
        let made = entry_of(event.body.as_deref(), event.salt.as_deref());
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
        let said = Said {
            index,
            at: event.at,
            ahead_micros: read.ahead_micros,
        };
        if let Some(behind) = self.checkpoints.behind()
            && let Some(problem) = self.times.problem(said, behind)
        {
            audit.find(format!("{}: {problem}", name()));
        }
        Ok(made)
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
