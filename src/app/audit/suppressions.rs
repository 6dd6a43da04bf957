//! The suppression list against the events that it follows from: a row that was put in, changed or removed is named.
//!
//! A mailbox is suppressed by an event of a contact that has it, or by an operator's deed, which names the mailbox by its keyed
//! hash, also where there is no contact. Events that an erasure emptied tell their kind and time, and not whose mailbox it was.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::App;
use super::super::record::read_body;
use super::super::suppress::mailbox_in;
use super::Audit;
use crate::domain::event::Fact;
use crate::domain::hex::hex;
use crate::domain::ids::BrandId;
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::store::budgets::MailboxHash;
use crate::store::suppressions::{self, SuppressedRow, SuppressionEvent};
use crate::store::{Conn, StoreError};
use folded::{DONE_WITHIN, Folded, Way};

mod folded;

/// Events, and rows of the list, that are read at a time.
const PAGE: i64 = 5_000;
/// Mailboxes that are in memory together, some hundred bytes each; where there are more, the events are read once for each part.
const MAILBOXES: usize = 200_000;
/// Emptied events and deeds without a mailbox that are remembered, some fifty bytes each.
const EMPTIED: usize = 1_000_000;
/// Findings of one look.
const FOUND_AT_MOST: usize = 10_000;

/// The mailboxes of one part, and the emptied events that could have suppressed any.
#[derive(Default)]
struct Part {
    mailboxes: HashMap<(BrandId, MailboxHash), Folded>,
    emptied: HashSet<(BrandId, Timestamp, &'static str)>,
    /// When operators suppressed mailboxes by deeds that do not name them.
    unnamed_adds: BTreeSet<(BrandId, Timestamp)>,
    /// How often operators lifted suppressions so.
    unnamed_lifts: HashMap<BrandId, u64>,
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

/// The brand of a deed that does not name the mailbox, as deeds were kept before the audit held the list against them.
fn brand_in(on: &str) -> Option<&str> {
    match on.strip_prefix("an address that brand ") {
        Some(rest) => rest.strip_suffix(" has no contact of"),
        None => on.split_once(" of brand ").map(|(_, slug)| slug),
    }
}

impl Part {
    fn mailbox(&mut self, key: (BrandId, MailboxHash)) -> &mut Folded {
        let lifts = self.unnamed_lifts.get(&key.0).copied().unwrap_or(0);
        let folded = self.mailboxes.entry(key).or_insert_with(Folded::new);
        if folded.unnamed_lifts < lifts {
            folded.unnamed_lifts = lifts;
            folded.may_lift();
        }
        folded
    }

    /// A mailbox that somebody may have let go by a deed that names none may be any of its brand.
    fn may_be_open(&self, brand: BrandId, folded: &Folded) -> bool {
        let lifts = self.unnamed_lifts.get(&brand).copied().unwrap_or(0);
        folded.may_be_open || folded.unnamed_lifts < lifts
    }

    /// Whether there is room to remember one more event.
    fn has_room(&mut self) -> bool {
        self.is_cut |= self.emptied.len() + self.unnamed_adds.len() >= EMPTIED;
        !self.is_cut
    }

    /// A deed of an operator that does not name the mailbox.
    fn tell_unnamed(&mut self, deed: Option<Deed>, brand: BrandId, at: Timestamp) {
        match deed {
            Some(Deed::SuppressionAdded) if self.has_room() => {
                self.unnamed_adds.insert((brand, at));
            }
            Some(Deed::SuppressionLifted) => *self.unnamed_lifts.entry(brand).or_default() += 1,
            _ => {}
        }
    }

    /// Whether an operator may have suppressed a mailbox of the brand just then, by a deed that does not name it.
    fn is_by_unnamed(&self, row: &SuppressedRow) -> bool {
        let from = (row.brand_id, row.since.minus(DONE_WITHIN));
        let to = (row.brand_id, row.since.plus(DONE_WITHIN));
        row.reason == "operator" && self.unnamed_adds.range(from..=to).next().is_some()
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
            let deed = Deed::parse(&deed);
            let Some((hash, slug)) = mailbox_in(&on) else {
                if let Some(brand) = brand_in(&on).and_then(brand_of) {
                    self.tell_unnamed(deed, brand, event.at);
                }
                return Ok(());
            };
            if !is_of(&hash) {
                return Ok(());
            }
            let Some(brand) = brand_of(slug) else {
                return Ok(());
            };
            match deed {
                Some(Deed::SuppressionAdded) => {
                    self.mailbox((brand, hash)).may_suppress(event.at);
                }
                Some(Deed::SuppressionLifted) => self.mailbox((brand, hash)).may_lift(),
                _ => {}
            }
            return Ok(());
        }
        let reason = reason_of(&event.kind);
        if event.emptied != 0 {
            if let Some(reason) = reason
                && self.has_room()
            {
                self.emptied.insert((event.brand_id, event.at, reason));
            }
            return Ok(());
        }
        let hash = event.mailbox.as_deref().map(MailboxHash::try_from);
        let Some(Ok(hash)) = hash else { return Ok(()) };
        if !is_of(&hash) {
            return Ok(());
        }
        let key = (event.brand_id, hash);
        let Some(reason) = reason else {
            self.mailbox(key).lift();
            return Ok(());
        };
        let fact = read_body(event.body.as_deref()).ok().flatten();
        let fact = fact.map(|event| event.fact);
        // Only what came back for good suppresses, and only a mailbox that it speaks of.
        let for_good = |fact: &Fact| matches!(fact, Fact::Bounced(bounced) if bounced.hard && !bounced.address_only);
        if reason == "bounced" && !fact.as_ref().is_some_and(for_good) {
            return Ok(());
        }
        // Events of earlier versions replace nothing: then the first reason stayed.
        match fact.as_ref().and_then(Fact::replaces) {
            Some(_) => self.mailbox(key).replace(event.at, reason),
            None => self.mailbox(key).suppress(event.at, reason),
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
        if ways.iter().any(fits) || by_emptied() || self.is_by_unnamed(row) {
            return None;
        }
        let told = ways
            .last()
            .filter(|_| folded.is_some_and(|one| !self.may_be_open(row.brand_id, one)));
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

/// What one look found.
#[derive(Default)]
struct Looked {
    found: BTreeSet<Problem>,
    /// There were more of these than are told.
    is_full: bool,
    /// There were more events to remember than there is room for.
    is_cut: bool,
}

impl Looked {
    fn add(&mut self, problem: Problem) {
        self.is_full |= self.found.len() >= FOUND_AT_MOST;
        if !self.is_full {
            self.found.insert(problem);
        }
    }
}

impl App {
    /// A server may write meanwhile, between one reading and the next: what is found must be found twice.
    pub(super) async fn audit_suppressions(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let first = self.look_at_suppressions(conn).await?;
        if first.is_cut {
            audit.remark(format!(
                "more than {EMPTIED} emptied events, or deeds that name no mailbox, could have suppressed one: suppressions that no other event tells of were not held against them"
            ));
        }
        if first.found.is_empty() {
            return Ok(());
        }
        // A brand may be as new as what was found of it.
        self.refresh_catalog().await?;
        let second = self.look_at_suppressions(conn).await?;
        for (brand, hash, problem) in first.found.intersection(&second.found) {
            audit.find(format!(
                "the suppression list of brand {brand}: mailbox {}: {problem}",
                hex(hash)
            ));
        }
        if first.is_full && second.is_full {
            audit.find(format!(
                "the suppression lists: there are more than {FOUND_AT_MOST} findings, and the others are not told"
            ));
        }
        Ok(())
    }

    async fn look_at_suppressions(&self, conn: &mut Conn) -> Result<Looked, StoreError> {
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
    ) -> Result<Option<Looked>, StoreError> {
        // Two bytes make no more parts; hashes that all begin alike somebody made.
        let is_last = parts >= usize::from(u16::MAX);
        let mut looked = Looked::default();
        for number in 0..parts {
            let is_of = |hash: &MailboxHash| {
                usize::from(u16::from_be_bytes([hash[0], hash[1]])) % parts == number
            };
            let Some(part) = self.fold_part(conn, is_of, is_last).await? else {
                return Ok(None);
            };
            looked.is_cut |= part.is_cut;
            compare(conn, part, is_of, &mut looked).await?;
        }
        Ok(Some(looked))
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
    looked: &mut Looked,
) -> Result<(), StoreError> {
    let mut after = (BrandId(uuid::Uuid::nil()), Vec::new());
    loop {
        let page = suppressions::list_rows(conn, (after.0, &after.1), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.brand_id, last.hash.to_vec());
        for row in page.iter().filter(|row| is_of(&row.hash)) {
            let folded = part.mailboxes.remove(&(row.brand_id, row.hash));
            if let Some(problem) = part.problem(row, folded.as_ref()) {
                looked.add((row.brand_id, row.hash, problem));
            }
        }
    }
    let mut open: Vec<_> = std::mem::take(&mut part.mailboxes).into_iter().collect();
    // In their order, so that two looks find the same where there is too much.
    open.sort_unstable_by_key(|(key, _)| *key);
    for ((brand, hash), folded) in open {
        if let Some((at, _, reason)) = folded
            .ways
            .last()
            .filter(|_| !part.may_be_open(brand, &folded))
        {
            let problem = format!(
                "it is open, and an event tells that it was suppressed at {at} ({reason}) and none that it was let go: its row was removed or changed"
            );
            looked.add((brand, hash, problem));
        }
    }
    Ok(())
}
