//! People whom a brand does not know and of whom lists told that they left, against the events of those lists' parts.
//!
//! A part's rows are written with an event that says how many they are, with a hash over them; nothing changes them, and all of an
//! import go together, with an event that says that. So a row that was removed, put in or changed is found, also of an import that
//! broke off. Rows of earlier versions stand in no event: the first event of all says up to which import there can be any.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::import::left::LeftHash;
use super::super::record::read_body;
use super::super::sequence::Head;
use super::Audit;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ImportId};
use crate::store::events::AuditedEvent;
use crate::store::left::{self, LeftRow};
use crate::store::{Conn, StoreError, events};

/// Rows, and events that wait for their place, that are read at a time.
const PAGE: i64 = 5_000;
/// Parts that no event tells of and that are told of one by one.
const UNKNOWN_AT_MOST: usize = 10_000;

type OfImport = (BrandId, ImportId);
/// A part of an import, by how many rows of the list came before it.
type OfPart = (BrandId, ImportId, i64);

/// A part, some two hundred bytes: those are kept of which an event tells.
struct Told {
    rows: i64,
    sha256: String,
    seen: i64,
    hash: LeftHash,
}

/// What the log tells.
#[derive(Default)]
pub(super) struct Left {
    parts: BTreeMap<OfPart, Told>,
    /// How many rows were there when an import was taken back.
    forgotten: HashMap<OfImport, i64>,
    /// Up to which import rows may be there that no event tells of, as the first event says; unknown as long as there is none.
    untold_to: Option<Option<ImportId>>,
}

/// The events that wait for their place: by them nothing is missed, and nothing is there too much.
#[derive(Default)]
struct Waiting {
    parts: HashSet<OfPart>,
    forgotten: HashSet<OfImport>,
}

/// Rows that no event of the log tells of.
#[derive(Default)]
struct Unknown {
    parts: BTreeMap<OfPart, u64>,
    /// Rows of further parts.
    others: u64,
    /// As earlier versions wrote them.
    untold: u64,
}

impl Unknown {
    fn add(&mut self, part: OfPart) {
        if self.parts.len() < UNKNOWN_AT_MOST || self.parts.contains_key(&part) {
            *self.parts.entry(part).or_default() += 1;
        } else {
            self.others += 1;
        }
    }
}

impl Left {
    /// Takes note of what an event of the log says. One that cannot be read was told of by the walk.
    pub fn add(&mut self, index: u64, event: &AuditedEvent, audit: &mut Audit) {
        if !["left_told", "left_forgotten"].contains(&event.kind.as_str()) {
            return;
        }
        let Ok(Some(read)) = read_body(event.body.as_deref()) else {
            return;
        };
        match read.fact {
            Fact::LeftTold(told) => {
                self.untold_to.get_or_insert(told.untold_to);
                let part = Told {
                    rows: told.rows,
                    sha256: told.sha256,
                    seen: 0,
                    hash: LeftHash::default(),
                };
                let key = (event.brand_id, told.import, told.part);
                if self.parts.insert(key, part).is_some() {
                    audit.find(format!(
                        "event {index} (position {}): it tells once more of who left by {}: how far that import came was changed",
                        event.position,
                        named(&key)
                    ));
                }
            }
            Fact::LeftForgotten { import, rows } => {
                self.forgotten.insert((event.brand_id, import), rows);
            }
            _ => {}
        }
    }

    /// Holds the rows against it. They are read after the log, so whatever it holds was committed with its rows; and what is
    /// written meanwhile waits for its place before the rows were read, or after.
    pub async fn check(
        &mut self,
        conn: &mut Conn,
        head: &Head,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let before = waiting_behind(conn, head.last_position).await?;
        let mut unknown = Unknown::default();
        let mut last: Option<LeftRow> = None;
        loop {
            let mut page = left::list_all(conn, last.as_ref(), PAGE).await?;
            page.iter()
                .for_each(|row| self.meet(row, &before, &mut unknown));
            let Some(row) = page.pop() else { break };
            last = Some(row);
        }
        let after = waiting_behind(conn, head.last_position).await?;
        for part in &after.parts {
            unknown.parts.remove(part);
        }
        self.tell_unknown(&unknown, audit);
        self.tell_parts(&after, audit);
        Ok(())
    }

    fn meet(&mut self, row: &LeftRow, waiting: &Waiting, unknown: &mut Unknown) {
        let import = (row.brand_id, row.import_id);
        let key = (row.brand_id, row.import_id, row.part);
        if self.forgotten.contains_key(&import) {
            unknown.add(key);
        } else if let Some(told) = self.parts.get_mut(&key) {
            told.seen += 1;
            told.hash.add(row);
        } else if row.part < 0 && self.may_be_untold(row.import_id) {
            unknown.untold += 1;
        } else if !waiting.parts.contains(&key) {
            unknown.add(key);
        }
    }

    fn may_be_untold(&self, import: ImportId) -> bool {
        match self.untold_to {
            None => true,
            Some(newest) => newest.is_some_and(|newest| import <= newest),
        }
    }

    fn tell_unknown(&self, unknown: &Unknown, audit: &mut Audit) {
        for (key, rows) in &unknown.parts {
            let why = if self.forgotten.contains_key(&(key.0, key.1)) {
                "yet it was taken back"
            } else if key.2 < 0 {
                "as an earlier version kept them, of which there were none"
            } else {
                "and no event tells of them"
            };
            audit.find(format!(
                "who left by {}: {rows} rows are kept, {why}: they were put in or changed",
                named(key)
            ));
        }
        if unknown.others > 0 {
            audit.find(format!(
                "who left by lists: {} further rows are kept that no event tells of: they were put in or changed",
                unknown.others
            ));
        }
        if unknown.untold > 0 {
            audit.remark(format!(
                "of people who left by lists {} rows are kept as earlier versions wrote them: no event tells of them, so nothing tells whether they were changed",
                unknown.untold
            ));
        }
    }

    fn tell_parts(&mut self, waiting: &Waiting, audit: &mut Audit) {
        let mut told_of: HashMap<OfImport, i64> = HashMap::new();
        for (key, told) in std::mem::take(&mut self.parts) {
            let import = (key.0, key.1);
            if self.forgotten.contains_key(&import) {
                *told_of.entry(import).or_default() += told.rows;
            } else if waiting.forgotten.contains(&import) {
                // They went while this was looked at.
            } else if told.seen != told.rows {
                audit.find(format!(
                    "who left by {}: its event tells of {} rows, and {} are kept: they were removed, put in or changed",
                    named(&key),
                    told.rows,
                    told.seen
                ));
            } else if told.hash.hex() != told.sha256 {
                audit.find(format!(
                    "who left by {}: its {} rows are not those that its event tells of: they were changed",
                    named(&key),
                    told.rows
                ));
            }
        }
        let mut told_of: Vec<_> = told_of.into_iter().collect();
        told_of.sort_unstable();
        for ((brand, import), told) in told_of {
            let there = self.forgotten.get(&(brand, import)).copied();
            if let Some(there) = there.filter(|there| *there < told) {
                audit.find(format!(
                    "who left by import {import} of brand {brand}: its events tell of {told} rows, and {there} were there when it was taken back: the others had been removed"
                ));
            }
        }
    }
}

fn named((brand, import, part): &OfPart) -> String {
    match part {
        ..0 => format!("import {import} of brand {brand}"),
        _ => format!("import {import} of brand {brand}, its part behind row {part}"),
    }
}

async fn waiting_behind(conn: &mut Conn, position: i64) -> Result<Waiting, StoreError> {
    let mut waiting = Waiting::default();
    let mut after = position;
    loop {
        let page = events::list_left_behind(conn, after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(waiting);
        };
        after = *last;
        for (_, body) in &page {
            let Ok(Some(event)) = read_body(body.as_deref()) else {
                continue;
            };
            match event.fact {
                Fact::LeftTold(told) => {
                    waiting.parts.insert((event.brand, told.import, told.part));
                }
                Fact::LeftForgotten { import, .. } => {
                    waiting.forgotten.insert((event.brand, import));
                }
                _ => {}
            }
        }
    }
}
