//! The walk through the log: tiles against checkpoints, events against tiles.

use std::collections::HashSet;

use super::super::App;
use super::super::sequence::{Head, entry as entry_of};
use super::checkpoints::{Checkpoints, Found};
use super::emptied::Emptied;
use super::erasures::Erasures;
use super::left::Left;
use super::load::{self, Chunk};
use super::rows::{self, Unpacker};
use super::strays::Strays;
use super::times::{Said, Times};
use super::{Audit, Many, tiles};
use crate::ledger::merkle::Hash;
use crate::ledger::tree::Growth;
use crate::store::events::AuditedEvent;
use crate::store::{Conn, StoreError};

/// Where the walk is.
struct Walk {
    tree: Growth,
    checkpoints: Checkpoints,
    times: Times,
    last_position: i64,
    unpacker: Unpacker,
    emptied: Emptied,
    erasures: Erasures,
    left: Left,
    strays: Strays,
    /// Events whose circumstances are gone, though they themselves are not.
    undisclosed: Many,
    forms: HashSet<String>,
    /// An entry was met whose position nothing tells.
    is_unplaced: bool,
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
        walk.undisclosed.tell(
            audit,
            "name circumstances that are not kept any more. They may be removed before the event (docs/evidence-bundle.md); nothing signed says when, so whether it was meant is for you to know",
        );
        tiles::compare(conn, &mut walk.tree, audit, true).await?;
        walk.strays.tell(audit);
        walk.emptied.tell(conn, audit).await?;
        walk.erasures.check(conn, head, audit).await?;
        walk.left.check(conn, head, audit).await?;
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
            emptied: Emptied::default(),
            erasures: Erasures::default(),
            left: Left::default(),
            strays: Strays::default(),
            undisclosed: Many::default(),
            forms: HashSet::new(),
            is_unplaced: false,
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
            let Some(position) = position else {
                self.unplaced(index, audit);
                self.tree.push(entry.unwrap_or_default());
                self.pass_checkpoints(conn, audit).await?;
                continue;
            };
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
        tiles::compare(conn, &mut self.tree, audit, false).await
    }

    /// The runs were removed or changed. One finding says it of all entries from this one on.
    fn unplaced(&mut self, index: u64, audit: &mut Audit) {
        if !std::mem::replace(&mut self.is_unplaced, true) {
            audit.find(format!(
                "no run tells at which position entry {index} stands: runs were removed or changed, so events from there on cannot be held against the log"
            ));
        }
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
            self.emptied.add(about, index, position);
            return Ok(None);
        }
        let made = entry_of(event.body.as_deref(), event.salt.as_deref());
        if made.is_none() {
            audit.find(format!("{}: part of it was emptied", name()));
        } else if entry.is_some() && made != entry {
            audit.find(format!("{}: it is not what was logged", name()));
            self.strays.add(index, made, entry);
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
        if read.hides_circumstances {
            self.undisclosed.add(name);
        }
        if event.kind == "erased" {
            self.emptied.erased(about, index, &event, audit);
        }
        self.erasures.add(about, index, &event);
        self.left.add(index, &event, audit);
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
}
