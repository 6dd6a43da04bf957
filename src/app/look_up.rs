//! Contacts, looked up for programs and pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::App;
use super::last_use::{LastUse, LastUses};
use super::permit::{Unanswerable, parse_address};
use super::record::read;
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::Event;
use crate::domain::ids::ContactId;
use crate::domain::standing::Standings;
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Contact};
use crate::store::{Conn, StoreError, events};

/// A contact as others see it.
#[derive(Clone, Debug)]
pub struct Known {
    pub brand: Arc<Brand>,
    pub id: ContactId,
    pub address: String,
    /// What addresses are compared by.
    pub address_key: String,
    pub language: String,
    pub name: Option<String>,
    /// As they are at this moment: consent that ended is told as ended.
    pub standings: Standings,
    /// The last use of each purpose that it has a standing for, and from when on it is due to be asked again.
    pub uses: BTreeMap<Slug, LastUse>,
    pub created_at: Timestamp,
}

/// Events of a contact, with the position of the last.
#[derive(Clone, Debug)]
pub struct Story {
    pub events: Vec<Event>,
    pub up_to: i64,
    pub goes_on: bool,
}

impl App {
    /// A contact by its id, in one of these brands.
    pub async fn contact_by_id(
        &self,
        brands: &[Arc<Brand>],
        id: ContactId,
    ) -> Result<Option<Known>, StoreError> {
        let mut conn = self.store.read().await?;
        for brand in brands {
            if let Some(found) = contacts::find_by_id(&mut conn, brand.id, id).await? {
                let known = self.known(&mut conn, brand, vec![found]).await?;
                return Ok(known.into_iter().next());
            }
        }
        Ok(None)
    }

    /// A contact by its address.
    pub async fn contact_by_address(
        &self,
        brand: &Arc<Brand>,
        address: &str,
    ) -> Result<Option<Known>, Unanswerable> {
        let address = parse_address(address)?;
        let mut conn = self.store.read().await?;
        let found = contacts::find(&mut conn, brand.id, address.key()).await?;
        let found = found.into_iter().collect();
        Ok(self
            .known(&mut conn, brand, found)
            .await?
            .into_iter()
            .next())
    }

    /// A brand's contacts behind one, in the order of their ids, which is that of their first signups.
    pub async fn contacts_behind(
        &self,
        brand: &Arc<Brand>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Known>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = contacts::list_of_brand(&mut conn, brand.id, ContactId(after), limit).await?;
        self.known(&mut conn, brand, found).await
    }

    /// Events of a contact behind a position, oldest first.
    pub async fn story_behind(
        &self,
        contact: &Known,
        after: i64,
        limit: i64,
    ) -> Result<Story, StoreError> {
        let mut conn = self.store.read().await?;
        let stored =
            events::list_after(&mut conn, contact.brand.id, contact.id, after, limit).await?;
        let up_to = stored.last().map_or(after, |event| event.position);
        let goes_on = i64::try_from(stored.len()) == Ok(limit);
        let mut events = Vec::with_capacity(stored.len());
        for one in &stored {
            events.extend(read(one)?);
        }
        Ok(Story {
            events,
            up_to,
            goes_on,
        })
    }

    async fn known(
        &self,
        conn: &mut Conn,
        brand: &Arc<Brand>,
        found: Vec<Contact>,
    ) -> Result<Vec<Known>, StoreError> {
        let now = self.clock.now();
        let ids: Vec<ContactId> = found.iter().map(|contact| contact.id).collect();
        let uses = LastUses::read(conn, brand.id, &ids).await?;
        let known = found.into_iter().map(|contact| {
            let standings: Standings = contact
                .standings
                .into_iter()
                .map(|(purpose, standing)| (purpose, standing.as_of(now)))
                .collect();
            let of = |(purpose, standing)| uses.of(brand, contact.id, (purpose, standing));
            Known {
                brand: brand.clone(),
                id: contact.id,
                address: contact.address,
                address_key: contact.address_key,
                language: contact.language,
                name: contact.name,
                uses: standings
                    .iter()
                    .map(|one| (one.0.clone(), of(one)))
                    .collect(),
                standings,
                created_at: contact.created_at,
            }
        });
        Ok(known.collect())
    }
}
