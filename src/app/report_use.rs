//! Taking in when people last used what they agreed to.

use std::collections::{BTreeMap, HashMap};

use super::App;
use crate::domain::brand::{Brand, Slug};
use crate::domain::ids::ContactId;
use crate::domain::time::Timestamp;
use crate::store::set::{ROWS_AT_MOST, Writes};
use crate::store::uses::{self, UseRow};
use crate::store::{StoreError, contacts};

/// Uses in one report.
pub const USES_AT_MOST: usize = 10_000;

/// Who used something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    Contact(ContactId),
    /// The key of an address.
    Address(String),
}

/// A use. It does not lie in the future.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub user: User,
    pub at: Timestamp,
}

impl App {
    /// Keeps when contacts last used what they agreed to for a purpose, or for any; the later of two times stays. Of whom the brand
    /// does not know, nothing. When this returns it is on disk, a part of a thousand at a time.
    pub async fn report_use(
        &self,
        brand: &Brand,
        purpose: Option<&Slug>,
        reported: Vec<Used>,
    ) -> Result<(), StoreError> {
        let mut latest: BTreeMap<ContactId, Timestamp> = BTreeMap::new();
        for part in reported.chunks(ROWS_AT_MOST) {
            for (contact, at) in self.users(brand, part).await? {
                let known = latest.entry(contact).or_insert(at);
                *known = (*known).max(at);
            }
        }
        // In the order of their contacts: two reports at once wait for each other, and never in a circle.
        let rows: Vec<UseRow> = latest
            .into_iter()
            .map(|(contact_id, used_at)| UseRow {
                brand_id: brand.id,
                contact_id,
                purpose: purpose.map(ToString::to_string).unwrap_or_default(),
                used_at,
            })
            .collect();
        for part in rows.chunks(ROWS_AT_MOST) {
            let mut writes = Writes::default();
            uses::put(&mut writes, part);
            let whose: Vec<_> = part.iter().map(|one| (brand.id, one.contact_id)).collect();
            self.store.write_of_contacts(&whose, writes).await?;
        }
        Ok(())
    }

    /// Those of them whom the brand knows.
    async fn users(
        &self,
        brand: &Brand,
        part: &[Used],
    ) -> Result<Vec<(ContactId, Timestamp)>, StoreError> {
        let mut by_key: HashMap<&str, Timestamp> = HashMap::new();
        let mut by_id: HashMap<ContactId, Timestamp> = HashMap::new();
        for used in part {
            let at = match &used.user {
                User::Address(key) => by_key.entry(key.as_str()).or_insert(used.at),
                User::Contact(id) => by_id.entry(*id).or_insert(used.at),
            };
            *at = (*at).max(used.at);
        }
        let mut conn = self.store.read().await?;
        let keys: Vec<&str> = by_key.keys().copied().collect();
        let found = contacts::find_standings(&mut conn, brand.id, &keys).await?;
        let mut known: Vec<_> = found
            .into_iter()
            .filter_map(|(key, id, _)| Some((id, *by_key.get(key.as_str())?)))
            .collect();
        let ids: Vec<_> = by_id.keys().map(|id| (brand.id, *id)).collect();
        let found = contacts::find_all(&mut conn, &ids).await?;
        known.extend(
            found
                .into_iter()
                .filter_map(|one| Some((one.id, *by_id.get(&one.id)?))),
        );
        Ok(known)
    }
}
