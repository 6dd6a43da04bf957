//! Making events fit to be kept: canonical, salted, with what has a shorter life beside them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Work;
use crate::domain::event::{Event, Fact, SCHEMA_VERSION};
use crate::domain::ids::{BrandId, ContactId, EventId, RequestId};
use crate::domain::time::Timestamp;
use crate::ledger::canonical::canonical;
use crate::ledger::note::hex;
use crate::store::StoreError;
use crate::store::events::{NewEvent, StoredEvent};

/// Whom an event is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub brand: BrandId,
    pub contact: ContactId,
    pub request: Option<RequestId>,
}

const CIRCUMSTANCES: &str = "circumstances";
const CIRCUMSTANCES_HASH: &str = "circumstances_sha256";
const SALT: &str = "salt";

impl Work {
    /// An event of this moment, ready to be appended.
    pub(super) fn record(
        &self,
        about: About,
        at: Timestamp,
        fact: Fact,
    ) -> Result<NewEvent, StoreError> {
        let kind = fact.kind();
        let event = Event {
            id: EventId(self.random.uuid_v7(at)),
            schema: SCHEMA_VERSION,
            brand: about.brand,
            contact: about.contact,
            request: about.request,
            at,
            clock: self.clock.reading(),
            fact,
        };
        const UNWRITABLE: StoreError = StoreError::Corrupt("an event that cannot be written");
        let mut value = serde_json::to_value(&event).map_err(|_| UNWRITABLE)?;
        let mut circumstances = None;
        if let Value::Object(members) = &mut value
            && let Some(Value::Object(mut found)) = members.remove(CIRCUMSTANCES)
            && !found.is_empty()
        {
            // Salted by itself: whoever holds the event must not be able to guess an IP address that was removed.
            let salt = STANDARD.encode(self.random.bytes::<16>());
            found.insert(SALT.to_owned(), salt.into());
            let text = canonical(&Value::Object(found)).map_err(|_| UNWRITABLE)?;
            let hash = hex(&Sha256::digest(&text));
            members.insert(CIRCUMSTANCES_HASH.to_owned(), hash.into());
            circumstances = Some(text);
        }
        Ok(NewEvent {
            brand_id: about.brand,
            contact_id: about.contact,
            kind,
            at,
            body: canonical(&value).map_err(|_| UNWRITABLE)?,
            salt: self.random.bytes(),
            circumstances,
            mail: None,
        })
    }
}

/// Reads an event back, with its circumstances if they are still there; none if it was emptied by an erasure.
pub(super) fn read(stored: &StoredEvent) -> Result<Option<Event>, StoreError> {
    let corrupt = || StoreError::Corrupt("event");
    let Some(body) = &stored.body else {
        return Ok(None);
    };
    let mut value: Value = serde_json::from_str(body).map_err(|_| corrupt())?;
    let members = value.as_object_mut().ok_or_else(corrupt)?;
    members.remove(CIRCUMSTANCES_HASH);
    if let Some(text) = &stored.circumstances {
        let mut found: Value = serde_json::from_str(text).map_err(|_| corrupt())?;
        if let Some(found) = found.as_object_mut() {
            found.remove(SALT);
        }
        members.insert(CIRCUMSTANCES.to_owned(), found);
    }
    serde_json::from_value(value)
        .map(Some)
        .map_err(|_| corrupt())
}

/// Reads events back; those that an erasure emptied are left out.
pub(super) fn read_all(stored: &[StoredEvent]) -> Result<Vec<Event>, StoreError> {
    stored
        .iter()
        .filter_map(|one| read(one).transpose())
        .collect()
}
