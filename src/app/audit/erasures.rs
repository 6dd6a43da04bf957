//! What erasures say of what stays after them: the sealed evidence, until when, and the address among the erased ones.
//!
//! The rows themselves are signed by nobody. An `erased` event says whether something was sealed, until when and with which
//! hash, and whether the address had been erased before; a `seal_deleted` event says when it was deleted. So rows that are
//! gone, or that were given another term, reason, time, address or content, are found.

use std::collections::HashMap;

use super::super::record::read_body;
use super::super::seal::{PART, PartsHash};
use super::super::sequence::Head;
use super::Audit;
use super::emptied::About;
use super::times::TOLERANCE;
use crate::domain::event::{ErasedBy, Event, Fact};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;
use crate::store::events::AuditedEvent;
use crate::store::sealed::{self, Kept};
use crate::store::{Conn, StoreError, erased, events};

/// Rows that are read at a time.
const PAGE: i64 = 1_000;

/// What an erasure says of what it sealed.
struct Sealed {
    /// The event's place in the log.
    index: u64,
    at: Timestamp,
    reason: Option<String>,
    /// How many events it emptied.
    events: i64,
    /// Earlier versions did not say.
    until: Option<Timestamp>,
    /// Nor this.
    sha256: Option<String>,
}

/// What the erasures of a brand say together.
#[derive(Default)]
struct OfBrand {
    /// When there were erasures, and how often at that time.
    times: HashMap<Timestamp, u64>,
    /// Erasures of addresses that had not been erased before: each is remembered in a row of its own.
    first: u64,
    /// When there were erasures of addresses that may have been erased before, and the place in the log of the last at that time.
    again: HashMap<Timestamp, u64>,
}

/// Whether an erasure left a row of its own for the address: not where it had been erased before, nor where it was emptied
/// because its term was over, for then nobody objected to anything.
fn is_remembered(by: ErasedBy, erased_before: Option<bool>) -> bool {
    by != ErasedBy::Term && erased_before == Some(false)
}

#[derive(Default)]
pub(super) struct Erasures {
    sealed: HashMap<About, Sealed>,
    deleted: HashMap<About, Timestamp>,
    brands: HashMap<BrandId, OfBrand>,
}

impl Erasures {
    /// Takes note of what an event of the log says. One that cannot be read was told of by the walk.
    pub fn add(&mut self, about: About, index: u64, event: &AuditedEvent) {
        if ["erased", "seal_deleted"].contains(&event.kind.as_str())
            && let Ok(Some(event)) = read_body(event.body.as_deref())
        {
            self.add_event(about, index, &event);
        }
    }

    fn add_event(&mut self, about: About, index: u64, event: &Event) {
        match &event.fact {
            Fact::Erased {
                by,
                events,
                sealed,
                reason,
                sealed_until,
                sealed_sha256,
                erased_before,
                ..
            } => {
                let of_brand = self.brands.entry(about.0).or_default();
                *of_brand.times.entry(event.at).or_default() += 1;
                of_brand.first += u64::from(is_remembered(*by, *erased_before));
                if *by != ErasedBy::Term && *erased_before != Some(false) {
                    of_brand.again.insert(event.at, index);
                }
                if *sealed {
                    let sealed = Sealed {
                        index,
                        at: event.at,
                        reason: reason.clone(),
                        events: *events,
                        until: *sealed_until,
                        sha256: sealed_sha256.clone(),
                    };
                    self.sealed.insert(about, sealed);
                }
            }
            Fact::SealDeleted => {
                self.deleted.insert(about, event.at);
            }
            _ => {}
        }
    }

    /// Holds the rows against it. They are read after the log: whatever it holds was committed with its rows.
    pub async fn check(
        &self,
        conn: &mut Conn,
        head: &Head,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        self.check_sealed(conn, head, audit).await?;
        self.check_addresses(conn, head, audit).await
    }

    async fn check_sealed(
        &self,
        conn: &mut Conn,
        head: &Head,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut there: HashMap<About, Kept> = HashMap::new();
        let mut after = (BrandId(uuid::Uuid::nil()), ContactId(uuid::Uuid::nil()));
        loop {
            let page = sealed::list_kept(conn, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = (last.brand_id, last.contact_id);
            there.extend(
                page.into_iter()
                    .map(|kept| ((kept.brand_id, kept.contact_id), kept)),
            );
        }
        for (about, said) in in_order(&self.sealed) {
            let problem = match there.get(about) {
                Some(kept) => match problem_of(said, kept) {
                    Some(problem) => Some(problem),
                    None if !self.is_its_address(conn, head, said, kept).await? => {
                        Some("and it was given another address".to_owned())
                    }
                    None => replaced(conn, *about, said).await?,
                },
                None => self.gone(conn, *about, said).await?,
            };
            if let Some(problem) = problem {
                audit.find(format!(
                    "event {}: the erasure sealed what it emptied, {problem}",
                    said.index
                ));
            }
        }
        Ok(())
    }

    /// The address that it is found by was erased last by this erasure, or by a later one that found it erased before. Which of the
    /// addresses that were erased at one time it is nothing tells.
    async fn is_its_address(
        &self,
        conn: &mut Conn,
        head: &Head,
        said: &Sealed,
        kept: &Kept,
    ) -> Result<bool, StoreError> {
        let (brand, Some(at)) = (kept.brand_id, kept.remembered_at) else {
            return Ok(false);
        };
        let again = self.brands.get(&brand).map(|told| &told.again);
        let later = again
            .and_then(|again| again.get(&at))
            .is_some_and(|index| *index > said.index);
        if at == said.at || later {
            return Ok(true);
        }
        let waiting = erasure_waiting(conn, head.last_position, brand, at).await?;
        Ok(waiting == Some(false))
    }

    /// Sealed evidence that is gone: the log must say so, and that its term was over.
    async fn gone(
        &self,
        conn: &mut Conn,
        about: About,
        said: &Sealed,
    ) -> Result<Option<String>, StoreError> {
        let mut deleted = self.deleted.get(&about).copied();
        if deleted.is_none() {
            // It may wait for its place.
            let found = events::last_of_kind(conn, about.0, about.1, "seal_deleted").await?;
            let event = found.and_then(|(_, body)| read_body(body.as_deref()).ok()?);
            deleted = event
                .filter(|event| matches!(event.fact, Fact::SealDeleted))
                .map(|event| event.at);
        }
        Ok(match (deleted, said.until) {
            (None, _) => Some("and that is gone, yet no event says that it was deleted".to_owned()),
            (Some(at), Some(until)) if at < until.minus(TOLERANCE) => Some(format!(
                "to be kept until {until}, and it was deleted at {at}: too early"
            )),
            _ => None,
        })
    }

    async fn check_addresses(
        &self,
        conn: &mut Conn,
        head: &Head,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut counted: HashMap<BrandId, u64> = HashMap::new();
        let mut after = (BrandId(uuid::Uuid::nil()), Vec::new());
        loop {
            let page = erased::list_all(conn, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = (last.brand_id, last.hash.clone());
            for row in &page {
                let (brand, at) = (row.brand_id, row.erased_at);
                let told = self.brands.get(&brand);
                if told.is_some_and(|told| told.times.contains_key(&at)) {
                    *counted.entry(brand).or_default() += 1;
                    continue;
                }
                match erasure_waiting(conn, head.last_position, brand, at).await? {
                    Some(first) => *counted.entry(brand).or_default() += u64::from(!first),
                    None => audit.find(format!(
                        "an erased address of brand {brand} is remembered since {at}, and no erasure was at that time: it was put in or changed"
                    )),
                }
            }
        }
        for (brand, told) in &self.brands {
            let there = counted.get(brand).copied().unwrap_or(0);
            if there < told.first {
                audit.find(format!(
                    "{} addresses of brand {brand} were erased for the first time, and {there} of them are remembered as erased: the others were removed, and an import could bring them back",
                    told.first
                ));
            }
        }
        Ok(())
    }
}

fn problem_of(said: &Sealed, kept: &Kept) -> Option<String> {
    let parts = said.events.max(1).saturating_add(PART - 1) / PART;
    let term = said
        .until
        .filter(|until| kept.first_due != *until || kept.last_due != *until);
    if kept.parts < parts {
        let missing = parts - kept.parts;
        Some(format!("and {missing} of its {parts} parts are missing"))
    } else if let Some(until) = term {
        Some(format!(
            "to be kept until {until}, and its column delete_at was changed"
        ))
    } else if [kept.first_at, kept.last_at] != [said.at; 2] {
        Some("and its column sealed_at was changed".to_owned())
    } else if let Some(reason) = &said.reason
        && [&kept.first_reason, &kept.last_reason] != [reason; 2]
    {
        Some("and its column reason was changed".to_owned())
    } else if kept.remembered_at.is_none() {
        Some("and its address is not among the erased ones".to_owned())
    } else {
        None
    }
}

/// Whether what is kept sealed is what was sealed: one part at a time.
async fn replaced(
    conn: &mut Conn,
    about: About,
    said: &Sealed,
) -> Result<Option<String>, StoreError> {
    let Some(sha256) = &said.sha256 else {
        return Ok(None);
    };
    let mut parts = PartsHash::default();
    let mut after = -1;
    while let Some((part, sealed)) = sealed::next_part(conn, about, after).await? {
        parts.add(&sealed);
        after = part;
    }
    let is_same = parts.hex() == *sha256;
    Ok((!is_same).then(|| "and what is kept of it was replaced".to_owned()))
}

/// An erasure at this time that waits for its place in the log: whether it was the first of its address.
async fn erasure_waiting(
    conn: &mut Conn,
    behind: i64,
    brand: BrandId,
    at: Timestamp,
) -> Result<Option<bool>, StoreError> {
    for body in events::list_erased_behind(conn, behind, brand, at).await? {
        if let Ok(Some(event)) = read_body(body.as_deref())
            && let Fact::Erased {
                by, erased_before, ..
            } = event.fact
        {
            return Ok(Some(is_remembered(by, erased_before)));
        }
    }
    Ok(None)
}

fn in_order(sealed: &HashMap<About, Sealed>) -> Vec<(&About, &Sealed)> {
    let mut all: Vec<_> = sealed.iter().collect();
    all.sort_unstable_by_key(|(_, said)| said.index);
    all
}
