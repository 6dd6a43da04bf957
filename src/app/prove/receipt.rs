//! Receipts: of a confirmation, for the person who gave it; of any event of a contact, for a program of the operator's.

use super::super::App;
use super::super::read_log::audit_paths;
use super::super::record::read_body;
use crate::domain::ids::{BrandId, ContactId, EventId};
use crate::domain::standing::RequestState;
use crate::ledger::bundle::receipt_of;
use crate::store::events::Entry;
use crate::store::requests::RequestRow;
use crate::store::{Conn, StoreError, events, log};

/// What there is to hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandedReceipt {
    /// A C2SP tlog-proof@v1 with the event in it.
    Given(String),
    /// It happened a moment ago; its place in the log comes within a second or so.
    NotYet,
    /// There is no such event, or it was erased since.
    Nothing,
}

/// Events that are in memory together where one is looked for.
const PAGE: i64 = 500;

const DAMAGED: StoreError = StoreError::Corrupt("a confirmation's row");

impl App {
    /// The receipt of the confirmation of a request. Reads only, and no event but the one that confirmed it: whoever holds
    /// a link may ask as often as he likes.
    pub async fn confirmation_receipt(
        &self,
        request: &RequestRow,
    ) -> Result<HandedReceipt, StoreError> {
        let (RequestState::Confirmed, Some(ended_at)) = (request.state()?, request.ended_at) else {
            return Ok(HandedReceipt::Nothing);
        };
        let mut conn = self.store.read().await?;
        let (brand, contact) = (request.brand_id, request.contact_id);
        // A request ends at the time of the event that ended it.
        for stored in events::list_confirmed_at(&mut conn, brand, contact, ended_at).await? {
            let event = read_body(stored.body.as_deref())?;
            if event.is_some_and(|event| event.request == Some(request.id)) {
                return receipt(&mut conn, &stored).await;
            }
        }
        Ok(HandedReceipt::Nothing)
    }

    /// The receipt of an event of a contact.
    pub async fn event_receipt(
        &self,
        (brand, contact): (BrandId, ContactId),
        wanted: EventId,
    ) -> Result<HandedReceipt, StoreError> {
        let mut conn = self.store.read().await?;
        let mut after = 0;
        loop {
            let page = events::list_after(&mut conn, brand, contact, after, PAGE).await?;
            for stored in &page {
                if read_body(stored.body.as_deref())?.is_some_and(|event| event.id == wanted) {
                    let before = stored.position - 1;
                    let whole = events::list_whole(&mut conn, brand, contact, before, 1).await?;
                    let whole = whole.into_iter().next();
                    // An erasure may have emptied it in between.
                    let found = whole.filter(|one| one.position == stored.position);
                    let Some(found) = found.filter(|one| one.body.is_some()) else {
                        return Ok(HandedReceipt::Nothing);
                    };
                    let entry = Entry {
                        position: found.position,
                        body: found.body,
                        salt: found.salt,
                    };
                    return receipt(&mut conn, &entry).await;
                }
            }
            match page.last() {
                Some(last) => after = last.position,
                None => return Ok(HandedReceipt::Nothing),
            }
        }
    }
}

async fn receipt(conn: &mut Conn, stored: &Entry) -> Result<HandedReceipt, StoreError> {
    let Some(head) = log::head(conn)
        .await?
        .filter(|head| head.last_position >= stored.position)
    else {
        return Ok(HandedReceipt::NotYet);
    };
    let size = u64::try_from(head.size).map_err(|_| DAMAGED)?;
    let indexes = log::indexes(conn, &[stored.position]).await?;
    let index = indexes.first().and_then(|found| found.1);
    let index = index
        .and_then(|index| u64::try_from(index).ok())
        .ok_or(DAMAGED)?;
    let path = audit_paths(conn, &[index], size)
        .await?
        .pop()
        .ok_or(DAMAGED)?;
    let salt = stored.salt.as_deref().and_then(|salt| salt.try_into().ok());
    let (Some(salt), Some(body)) = (salt, &stored.body) else {
        return Err(DAMAGED);
    };
    Ok(HandedReceipt::Given(receipt_of(
        body, &salt, index, path, head.note,
    )))
}
