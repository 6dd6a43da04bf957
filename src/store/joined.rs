//! A contact as statements over a batch join it to what is asked about: all its columns are empty where there is none.

use super::StoreError;
use super::budgets::MailboxHash;
use super::contacts::{Contact, read_standings};
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::time::Timestamp;

#[derive(sqlx::FromRow)]
pub(super) struct Joined {
    pub id: Option<ContactId>,
    address: Option<String>,
    language: Option<String>,
    name: Option<String>,
    open_request_id: Option<RequestId>,
    standings: Option<String>,
    created_at: Option<Timestamp>,
}

impl Joined {
    /// The contact, found by its brand, the key of its address and its mailbox.
    pub fn contact(
        self,
        brand: BrandId,
        (address_key, mailbox): (&str, &MailboxHash),
    ) -> Result<Option<Contact>, StoreError> {
        let (Some(id), Some(address), Some(language), Some(standings), Some(created_at)) = (
            self.id,
            self.address,
            self.language,
            self.standings,
            self.created_at,
        ) else {
            return Ok(None);
        };
        Ok(Some(Contact {
            brand_id: brand,
            id,
            address,
            address_key: address_key.to_owned(),
            mailbox: mailbox.to_vec(),
            language,
            name: self.name,
            open_request_id: self.open_request_id,
            standings: read_standings(&standings)?,
            created_at,
        }))
    }
}
