//! Whom the legal holds of a brand keep, as a list.

use std::collections::HashMap;

use super::App;
use super::hold::Hold;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;
pub use crate::store::holds::By;
use crate::store::{StoreError, contacts, holds, wishes};

/// A contact that is held.
#[derive(Clone, Debug)]
pub struct HeldContact {
    pub hold: Hold,
    /// None of one that was erased a moment ago.
    pub address: Option<String>,
    /// Since when it wishes to be erased, which is done once no hold keeps it.
    pub wished_at: Option<Timestamp>,
}

impl HeldContact {
    /// Where it stands in the list.
    pub const fn place(&self, by: By) -> (Timestamp, ContactId) {
        let at = match by {
            By::Until => self.hold.until,
            By::Since => self.hold.since,
        };
        (at, self.hold.contact_id)
    }
}

impl App {
    /// The contacts of a brand that are held at this instant, behind one of them, by when their hold ends or since when it is; the
    /// other way round if `down`.
    pub async fn held_contacts(
        &self,
        brand: BrandId,
        by: By,
        after: (Option<(Timestamp, ContactId)>, bool),
        limit: usize,
    ) -> Result<Vec<HeldContact>, StoreError> {
        let mut conn = self.store.read().await?;
        let (now, limit) = (self.clock.now(), i64::try_from(limit).unwrap_or(i64::MAX));
        let found = holds::list(&mut conn, (brand, by), after, now, limit).await?;
        let ids: Vec<_> = found.iter().map(|hold| (brand, hold.contact_id)).collect();
        let mut addresses = HashMap::new();
        for part in ids.chunks(crate::store::set::ROWS_AT_MOST) {
            let known = contacts::find_all(&mut conn, part).await?;
            addresses.extend(known.into_iter().map(|one| (one.id, one.address)));
        }
        let wished = wishes::find_all(&mut conn, &ids).await?;
        let wished: HashMap<ContactId, Timestamp> = wished
            .into_iter()
            .map(|wish| (wish.contact_id, wish.wished_at))
            .collect();
        let held = found.into_iter().map(|hold| HeldContact {
            address: addresses.remove(&hold.contact_id),
            wished_at: wished.get(&hold.contact_id).copied(),
            hold,
        });
        Ok(held.collect())
    }
}
