//! Emptied events: all of a contact that stand before its erasure, and no others.
//!
//! An erasure says how many events it emptied. What was emptied besides, or moved to somebody who had been erased, makes more of
//! them; and behind an erasure nothing is emptied.

use std::collections::HashMap;

use super::super::record::read_body;
use super::Audit;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId};
use crate::store::events::{self, AuditedEvent, EmptiedOf};
use crate::store::{Conn, StoreError};

/// Whom events are about.
pub(super) type About = (BrandId, ContactId);

/// An erasure, as its event tells.
#[derive(Clone, Copy)]
struct Erasure {
    position: i64,
    /// Events that it emptied.
    events: i64,
}

#[derive(Default)]
pub(super) struct Emptied {
    /// The first of each contact: its index and position.
    first: HashMap<About, (u64, i64)>,
    /// Where each contact was erased.
    erased: HashMap<About, Erasure>,
}

impl Emptied {
    pub fn add(&mut self, about: About, index: u64, position: i64) {
        self.first.entry(about).or_insert((index, position));
    }

    /// Takes note of an erasure. One that cannot be read was told of by the walk.
    pub fn erased(&mut self, about: About, index: u64, event: &AuditedEvent, audit: &mut Audit) {
        let Some(erasure) = read(event.position, event.body.as_deref()) else {
            return;
        };
        if self.erased.insert(about, erasure).is_some() {
            audit.find(format!(
                "event {index} (position {}): it tells of an erasure of somebody who had been erased",
                event.position
            ));
        }
    }

    pub async fn tell(&self, conn: &mut Conn, audit: &mut Audit) -> Result<(), StoreError> {
        let mut erasures = Vec::new();
        let mut abouts: Vec<About> = self.first.keys().copied().collect();
        abouts.extend(
            self.erased
                .keys()
                .filter(|about| !self.first.contains_key(about)),
        );
        // Counted anew: an erasure may have come while the log was walked.
        let counted = events::count_emptied(conn, &abouts).await?.into_iter();
        let counted: HashMap<About, EmptiedOf> = counted
            .map(|one| ((one.brand_id, one.contact_id), one))
            .collect();
        for about in abouts {
            let there = counted.get(&about);
            let mut erasure = self.erased.get(&about).copied();
            if erasure.is_none() {
                erasure = erasure_since(conn, about).await?;
            }
            let last = there.map_or(0, |there| there.last);
            match (erasure, self.first.get(&about)) {
                (Some(erasure), first) => {
                    let count = there.map_or(0, |there| there.count);
                    if let Some((index, position)) = first
                        && erasure.position < *position
                    {
                        audit.find(stands_alone(*index, *position));
                    } else if last > erasure.position {
                        audit.find(format!(
                            "the event at position {last}: it was emptied, and the erasure of its contact stands before it"
                        ));
                    } else if count != erasure.events {
                        audit.find(format!(
                            "the erasure at position {}: it says that it emptied {} events of its contact, and {count} stand there emptied: others were emptied, or moved to that contact",
                            erasure.position, erasure.events
                        ));
                    }
                    erasures.push((about.0, about.1, erasure.position));
                }
                (None, Some((index, position))) => audit.find(stands_alone(*index, *position)),
                (None, None) => {}
            }
        }
        for (brand, contact, left) in events::left_whole(conn, &erasures).await? {
            if let Some((index, position)) = self.first.get(&(brand, contact)) {
                audit.find(format!(
                    "event {index} (position {position}): it was emptied, yet the erasure behind it left the event at position {left} of the same contact whole: it was no erasure"
                ));
            }
        }
        Ok(())
    }
}

fn stands_alone(index: u64, position: i64) -> String {
    format!(
        "event {index} (position {position}): it was emptied, and no erasure of its contact stands behind it"
    )
}

fn read(position: i64, body: Option<&str>) -> Option<Erasure> {
    let event = read_body(body).ok()??;
    let Fact::Erased { events, .. } = event.fact else {
        return None;
    };
    Some(Erasure { position, events })
}

/// Where a contact was erased since the newest checkpoint. What waits for its place was held against nothing yet, so it must
/// read as what its column says.
async fn erasure_since(conn: &mut Conn, about: About) -> Result<Option<Erasure>, StoreError> {
    let found = events::last_of_kind(conn, about.0, about.1, "erased").await?;
    Ok(found.and_then(|(position, body)| {
        let event = read_body(body.as_deref()).ok()??;
        let is_of_it = (event.brand, event.contact) == about;
        read(position, body.as_deref()).filter(|_| is_of_it)
    }))
}
