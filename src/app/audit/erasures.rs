//! What erasures say of what stays after them: the sealed evidence, until when, and the address among those that are remembered.
//!
//! The rows themselves are signed by nobody. An `erased` event says whether something was sealed, until when and with which
//! hash; a `seal_deleted` event says when it was deleted. So rows that are gone, or that were given another term, reason, time,
//! address or content, are found.

use std::collections::HashMap;

use super::super::record::read_body;
use super::super::seal::{PART, PartsHash};
use super::super::sequence::Head;
use super::Audit;
use super::addresses::{self, Addresses, Kept as Remembered, Table};
use super::emptied::About;
use super::times::TOLERANCE;
use crate::domain::event::{ErasedBy, Event, Fact};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;
use crate::store::events::AuditedEvent;
use crate::store::sealed::{self, Kept};
use crate::store::{Conn, StoreError, events};

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
    addresses: Addresses,
    /// When there were erasures of addresses that may have been erased before, and the place in the log of the last at that time.
    again: HashMap<Timestamp, u64>,
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
                of_brand.addresses.add(event);
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
        &mut self,
        conn: &mut Conn,
        head: &Head,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        self.check_sealed(conn, head, audit).await?;
        let brands = self.brands.iter_mut();
        let mut addresses = brands
            .map(|(brand, told)| (*brand, &mut told.addresses))
            .collect();
        addresses::check(conn, head, &mut addresses, audit).await
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
        let waiting = addresses::waiting(conn, head, (brand, Table::Erased), at).await?;
        Ok(waiting.is_some_and(|kept| kept != Remembered::First))
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

fn in_order(sealed: &HashMap<About, Sealed>) -> Vec<(&About, &Sealed)> {
    let mut all: Vec<_> = sealed.iter().collect();
    all.sort_unstable_by_key(|(_, said)| said.index);
    all
}
