//! Emptied events: each must stand before an erasure of its contact, which empties all that stand before it.

use std::collections::HashMap;

use super::super::record::read_body;
use super::Audit;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId};
use crate::store::events;
use crate::store::{Conn, StoreError};

/// Whom events are about.
pub(super) type About = (BrandId, ContactId);

#[derive(Default)]
pub(super) struct Emptied {
    /// The first of each contact: its index and position.
    first: HashMap<About, (u64, i64)>,
    /// Where each contact was erased last.
    erased: HashMap<About, i64>,
}

impl Emptied {
    pub fn add(&mut self, about: About, index: u64, position: i64) {
        self.first.entry(about).or_insert((index, position));
    }

    pub fn erased(&mut self, about: About, position: i64) {
        self.erased.insert(about, position);
    }

    pub async fn tell(&self, conn: &mut Conn, audit: &mut Audit) -> Result<(), StoreError> {
        let mut erasures = Vec::new();
        for (about, (index, position)) in &self.first {
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
            if let Some((index, position)) = self.first.get(&(brand, contact)) {
                audit.find(format!(
                    "event {index} (position {position}): it was emptied, yet the erasure behind it left the event at position {left} of the same contact whole: it was no erasure"
                ));
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
