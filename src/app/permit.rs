//! May this address be mailed, and the story behind the answer.

use super::App;
use super::record::read_all;
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::{AddressProblem, AddressRules, EmailAddress};
use crate::domain::event::Event;
use crate::domain::permission::Permission;
use crate::domain::standing::fold;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, contacts, events};

/// Why a question about an address has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswerable {
    #[error("this is no address that could be mailed ({})", .0.code())]
    Address(AddressProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Answers for now from the standing, for a past instant from the events up to it.
    pub async fn permission(
        &self,
        brand: &Brand,
        purpose: &Slug,
        address: &str,
        at: Option<Timestamp>,
    ) -> Result<Permission, Unanswerable> {
        let address = self.parse_address(address)?;
        let now = self.clock.now();
        let instant = at.unwrap_or(now);
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find(&mut conn, brand.id, address.key()).await? else {
            return Ok(Permission::of(None, instant));
        };
        let standings = if at.is_some() {
            let stored = events::list(&mut conn, brand.id, contact.id).await?;
            fold(&read_all(&stored)?, instant)
        } else {
            contact.standings
        };
        Ok(Permission::of(standings.get(purpose), instant))
    }

    /// All events of an address, oldest first; empty if the brand does not know it.
    pub async fn story(&self, brand: &Brand, address: &str) -> Result<Vec<Event>, Unanswerable> {
        let address = self.parse_address(address)?;
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find(&mut conn, brand.id, address.key()).await? else {
            return Ok(Vec::new());
        };
        let stored = events::list(&mut conn, brand.id, contact.id).await?;
        Ok(read_all(&stored)?)
    }

    pub(super) fn parse_address(&self, address: &str) -> Result<EmailAddress, Unanswerable> {
        // Any domain: a question about a stored address must not depend on today's list of domains.
        EmailAddress::parse(address, &AddressRules { any_domain: true })
            .map_err(Unanswerable::Address)
    }
}
