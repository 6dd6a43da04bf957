//! Making events fit to be kept: canonical, salted, with what has a shorter life beside them.

use std::borrow::{Borrow, Cow};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Work;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact, SCHEMA_VERSION};
use crate::domain::hex::hex;
use crate::domain::ids::{BrandId, ContactId, EventId, RequestId};
use crate::domain::time::Timestamp;
use crate::ledger::canonical::canonical;
use crate::store::events::{self, NewEvent, StoredEvent, WholeEvent};
use crate::store::{Conn, StoreError};

/// Whom an event is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub brand: BrandId,
    pub contact: ContactId,
    pub request: Option<RequestId>,
}

/// The contacts that events are about, each once.
pub(super) fn whose<One: Borrow<NewEvent>>(events: &[One]) -> Vec<(BrandId, ContactId)> {
    let events = events.iter().map(Borrow::borrow);
    let mut contacts: Vec<_> = events
        .map(|event: &NewEvent| (event.brand_id, event.contact_id))
        .collect();
    contacts.sort_unstable();
    contacts.dedup();
    contacts
}

/// Circumstances as they are kept: salted by themselves, so that whoever holds the event cannot guess an IP address that
/// was removed.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    salt: String,
    #[serde(flatten)]
    circumstances: Cow<'a, Circumstances>,
}

const UNWRITABLE: StoreError = StoreError::Corrupt("an event that cannot be written");

impl Work {
    /// An event of this moment, ready to be appended.
    pub(super) fn record(
        &self,
        about: About,
        at: Timestamp,
        fact: Fact,
    ) -> Result<NewEvent, StoreError> {
        // Here, where every event passes: what the brand does not keep reaches no database.
        let how = self.keeps(about.brand);
        let circumstances = fact
            .circumstances()
            .and_then(|found| found.kept(how))
            .map(|kept| self.keep(&kept))
            .transpose()?;
        let kind = fact.kind();
        let event = Event {
            id: EventId(self.random.uuid_v7(at)),
            schema: SCHEMA_VERSION,
            brand: about.brand,
            contact: about.contact,
            request: about.request,
            at,
            clock: self.clock.reading(),
            circumstances_sha256: circumstances
                .as_ref()
                .map(|kept| hex(&Sha256::digest(kept))),
            fact,
        };
        Ok(NewEvent {
            brand_id: about.brand,
            contact_id: about.contact,
            kind,
            at,
            body: canonical(&event).map_err(|_| UNWRITABLE)?,
            salt: self.random.bytes(),
            circumstances,
            mail: None,
        })
    }

    fn keep(&self, circumstances: &Circumstances) -> Result<String, StoreError> {
        let kept = Kept {
            salt: STANDARD.encode(self.random.bytes::<16>()),
            circumstances: Cow::Borrowed(circumstances),
        };
        canonical(&kept).map_err(|_| UNWRITABLE)
    }
}

/// Reads an event back, with its circumstances if they are still there; none if it was emptied by an erasure.
pub(super) fn read(stored: &StoredEvent) -> Result<Option<Event>, StoreError> {
    read_parts(stored.body.as_deref(), stored.circumstances.as_deref())
}

/// The same of an event with all that is kept of it.
pub(super) fn read_whole(stored: &WholeEvent) -> Result<Option<Event>, StoreError> {
    read_parts(stored.body.as_deref(), stored.circumstances.as_deref())
}

/// The same of a body alone.
pub(super) fn read_body(body: Option<&str>) -> Result<Option<Event>, StoreError> {
    read_parts(body, None)
}

fn read_parts(
    body: Option<&str>,
    circumstances: Option<&str>,
) -> Result<Option<Event>, StoreError> {
    let Some(body) = body else {
        return Ok(None);
    };
    let mut event: Event = serde_json::from_str(body).map_err(|_| StoreError::Corrupt("event"))?;
    if let (Some(text), Some(found)) = (circumstances, event.fact.circumstances_mut()) {
        let kept: Kept =
            serde_json::from_str(text).map_err(|_| StoreError::Corrupt("circumstances"))?;
        *found = kept.circumstances.into_owned();
    }
    Ok(Some(event))
}

/// Events of a contact that are in memory together while its story is walked through.
const PAGE: i64 = 1_000;

/// Hands over the events of a contact one after another, in their order and however many there are; those that an erasure
/// emptied are left out.
pub(super) async fn walk(
    conn: &mut Conn,
    (brand, contact): (BrandId, ContactId),
    mut each: impl FnMut(Event),
) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let page = events::list_after(conn, brand, contact, after, PAGE).await?;
        read_all(&page)?.into_iter().for_each(&mut each);
        match page.last() {
            Some(last) => after = last.position,
            None => return Ok(()),
        }
    }
}

/// Reads events back; those that an erasure emptied are left out.
pub(super) fn read_all(stored: &[StoredEvent]) -> Result<Vec<Event>, StoreError> {
    stored
        .iter()
        .filter_map(|one| read(one).transpose())
        .collect()
}
