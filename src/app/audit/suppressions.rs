//! The suppression list against the events that it follows from: a row that was put in, changed or removed is named.
//!
//! A mailbox is suppressed by an event of a contact that has it, or by an operator's deed, which names the mailbox by its keyed
//! hash, also where there is no contact. Events that an erasure emptied tell their kind and time, and not whose mailbox it was.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::super::App;
use super::super::record::read_body;
use super::super::suppress::mailbox_in;
use super::Audit;
use crate::domain::event::Fact;
use crate::domain::ids::BrandId;
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::ledger::note::hex;
use crate::store::budgets::MailboxHash;
use crate::store::suppressions::{self, SuppressedRow, SuppressionEvent};
use crate::store::{Conn, StoreError};

/// Events, and rows of the list, that are read at a time.
const PAGE: i64 = 5_000;
/// Mailboxes that are in memory together, some hundred bytes each; where there are more, the events are read once for each part.
const MAILBOXES: usize = 200_000;
/// Emptied events that are remembered, some fifty bytes each.
const EMPTIED: usize = 1_000_000;
/// Findings of one look.
const FOUND_AT_MOST: usize = 10_000;
/// Ways in which one mailbox may have come to be suppressed.
const WAYS: usize = 64;
/// How long after it was kept a deed may take effect.
const DONE_WITHIN: Duration = Duration::from_secs(120);

/// What tells why a mailbox is suppressed: from when to when, and for what reason.
type Way = (Timestamp, Timestamp, &'static str);

/// A mailbox as its events leave it.
struct Folded {
    /// How the row may read if it is suppressed.
    ways: Vec<Way>,
    /// It may just as well be open.
    may_be_open: bool,
}

impl Folded {
    const fn new() -> Self {
        Self {
            ways: Vec::new(),
            may_be_open: true,
        }
    }

    fn add(&mut self, way: Way) {
        if self.ways.len() >= WAYS {
            self.ways.remove(0);
        }
        self.ways.push(way);
    }

    /// An event suppresses it; what was suppressed before stays as it is.
    fn suppress(&mut self, at: Timestamp, reason: &'static str) {
        if std::mem::take(&mut self.may_be_open) {
            self.add((at, at, reason));
        }
    }

    /// An operator's deed, which is kept before it is done: it may not have been done after all.
    fn may_suppress(&mut self, at: Timestamp) {
        if self.may_be_open {
            self.add((at, at.plus(DONE_WITHIN), "operator"));
        }
    }

    fn lift(&mut self) {
        self.ways.clear();
        self.may_be_open = true;
    }
}

/// The mailboxes of one part, and the emptied events that could have suppressed any.
#[derive(Default)]
struct Part {
    mailboxes: HashMap<(BrandId, MailboxHash), Folded>,
    emptied: HashSet<(BrandId, Timestamp, &'static str)>,
    /// There were more of these than are remembered.
    is_cut: bool,
}

/// For what reason an event of this kind suppresses.
fn reason_of(kind: &str) -> Option<&'static str> {
    match kind {
        "declined" => Some("declined"),
        "complained" => Some("complained"),
        "bounced" => Some("bounced"),
        "suppressed" => Some("operator"),
        _ => None,
    }
}

impl Part {
    fn mailbox(&mut self, key: (BrandId, MailboxHash)) -> &mut Folded {
        self.mailboxes.entry(key).or_insert_with(Folded::new)
    }

    /// `is_of`: whether a mailbox belongs to this part. `brand_of`: the brand that a deed was done for.
    fn tell(
        &mut self,
        event: &SuppressionEvent,
        is_of: impl Fn(&MailboxHash) -> bool,
        brand_of: impl Fn(&str) -> Option<BrandId>,
    ) -> Result<(), StoreError> {
        if event.kind == "operator_acted" {
            let Some(Fact::OperatorActed {
                deed, on: Some(on), ..
            }) = read_body(event.body.as_deref())
                .ok()
                .flatten()
                .map(|event| event.fact)
            else {
                return Ok(());
            };
            let Some((hash, slug)) = mailbox_in(&on).filter(|(hash, _)| is_of(hash)) else {
                return Ok(());
            };
            let Some(brand) = brand_of(slug) else {
                return Ok(());
            };
            match Deed::parse(&deed) {
                Some(Deed::SuppressionAdded) => {
                    self.mailbox((brand, hash)).may_suppress(event.at);
                }
                Some(Deed::SuppressionLifted) => self.mailbox((brand, hash)).may_be_open = true,
                _ => {}
            }
            return Ok(());
        }
        let reason = reason_of(&event.kind);
        if event.emptied != 0 {
            if let Some(reason) = reason {
                self.is_cut |= self.emptied.len() >= EMPTIED;
                if !self.is_cut {
                    self.emptied.insert((event.brand_id, event.at, reason));
                }
            }
            return Ok(());
        }
        let hash = event.mailbox.as_deref().map(MailboxHash::try_from);
        let Some(Ok(hash)) = hash else { return Ok(()) };
        if !is_of(&hash) {
            return Ok(());
        }
        let key = (event.brand_id, hash);
        match reason {
            // Only what came back for good suppresses.
            Some("bounced") => {
                let read = read_body(event.body.as_deref()).ok().flatten();
                let hard = read.is_some_and(
                    |event| matches!(event.fact, Fact::Bounced(bounced) if bounced.hard),
                );
                if hard {
                    self.mailbox(key).suppress(event.at, "bounced");
                }
            }
            Some(reason) => self.mailbox(key).suppress(event.at, reason),
            None => self.mailbox(key).lift(),
        }
        Ok(())
    }

    fn problem(&self, row: &SuppressedRow, folded: Option<&Folded>) -> Option<String> {
        let ways = folded.map_or(&[][..], |folded| folded.ways.as_slice());
        let fits =
            |(from, to, reason): &Way| (from..=to).contains(&&row.since) && *reason == row.reason;
        let by_emptied = || {
            let mut emptied = ["declined", "complained", "bounced", "operator"].into_iter();
            let reason = emptied.find(|reason| *reason == row.reason);
            reason.is_some_and(|reason| {
                self.is_cut || self.emptied.contains(&(row.brand_id, row.since, reason))
            })
        };
        if ways.iter().any(fits) || by_emptied() {
            return None;
        }
        let told = ways
            .last()
            .filter(|_| folded.is_some_and(|one| !one.may_be_open));
        Some(match told {
            Some((at, _, reason)) => format!(
                "it is suppressed since {} ({}), and events tell: since {at} ({reason}). It was changed",
                row.since,
                row.reason.escape_debug()
            ),
            None => format!(
                "it is suppressed since {} ({}), and no event tells of that: it was put in or changed",
                row.since,
                row.reason.escape_debug()
            ),
        })
    }
}

/// What is wrong with one mailbox.
type Problem = (BrandId, MailboxHash, String);

impl App {
    /// A server may write meanwhile, between one reading and the next: what is found must be found twice.
    pub(super) async fn audit_suppressions(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let (first, is_cut) = self.look_at_suppressions(conn).await?;
        if is_cut {
            audit.remark(format!(
                "more than {EMPTIED} emptied events could have suppressed a mailbox: suppressions that no other event tells of were not held against them"
            ));
        }
        if first.is_empty() {
            return Ok(());
        }
        let (second, _) = self.look_at_suppressions(conn).await?;
        for (brand, hash, problem) in first.intersection(&second) {
            audit.find(format!(
                "the suppression list of brand {brand}: mailbox {}: {problem}",
                hex(hash)
            ));
        }
        Ok(())
    }

    async fn look_at_suppressions(
        &self,
        conn: &mut Conn,
    ) -> Result<(BTreeSet<Problem>, bool), StoreError> {
        let mut parts = 1;
        loop {
            if let Some(looked) = self.look_at_parts(conn, parts).await? {
                return Ok(looked);
            }
            parts *= 2;
        }
    }

    /// None where the parts are still too large.
    async fn look_at_parts(
        &self,
        conn: &mut Conn,
        parts: usize,
    ) -> Result<Option<(BTreeSet<Problem>, bool)>, StoreError> {
        // Two bytes make no more parts; hashes that all begin alike somebody made.
        let is_last = parts >= usize::from(u16::MAX);
        let mut found = BTreeSet::new();
        let mut is_cut = false;
        for number in 0..parts {
            let is_of = |hash: &MailboxHash| {
                usize::from(u16::from_be_bytes([hash[0], hash[1]])) % parts == number
            };
            let Some(part) = self.fold_part(conn, is_of, is_last).await? else {
                return Ok(None);
            };
            is_cut |= part.is_cut;
            compare(conn, part, is_of, &mut found).await?;
        }
        Ok(Some((found, is_cut)))
    }

    /// None where there are more mailboxes than are to be in memory.
    async fn fold_part(
        &self,
        conn: &mut Conn,
        is_of: impl Fn(&MailboxHash) -> bool + Copy,
        is_last: bool,
    ) -> Result<Option<Part>, StoreError> {
        let catalog = self.catalog();
        let brand_of = |slug: &str| catalog.brand_by_slug(slug).map(|brand| brand.id);
        let mut part = Part::default();
        let mut after = i64::MIN;
        loop {
            let page = suppressions::list_events(conn, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(Some(part));
            };
            after = last.position;
            for event in &page {
                part.tell(event, is_of, brand_of)?;
            }
            if part.mailboxes.len() > MAILBOXES && !is_last {
                return Ok(None);
            }
        }
    }
}

/// Holds the rows of a part against what was folded.
async fn compare(
    conn: &mut Conn,
    mut part: Part,
    is_of: impl Fn(&MailboxHash) -> bool,
    found: &mut BTreeSet<Problem>,
) -> Result<(), StoreError> {
    let mut add = |problem: Problem| {
        if found.len() < FOUND_AT_MOST {
            found.insert(problem);
        }
    };
    let mut after = (BrandId(uuid::Uuid::nil()), Vec::new());
    loop {
        let page = suppressions::list_rows(conn, (after.0, &after.1), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.brand_id, last.hash.to_vec());
        for row in page.iter().filter(|row| is_of(&row.hash)) {
            let folded = part.mailboxes.remove(&(row.brand_id, row.hash));
            if let Some(problem) = part.problem(row, folded.as_ref()) {
                add((row.brand_id, row.hash, problem));
            }
        }
    }
    for ((brand, hash), folded) in part.mailboxes {
        if let Some((at, _, reason)) = folded.ways.last().filter(|_| !folded.may_be_open) {
            let problem = format!(
                "it is open, and an event tells that it was suppressed at {at} ({reason}) and none that it was let go: its row was removed or changed"
            );
            add((brand, hash, problem));
        }
    }
    Ok(())
}
