//! The receipt of a confirmation, for the person who gave it.

use super::super::App;
use super::super::read_log::audit_paths;
use super::super::record::read_body;
use crate::domain::standing::RequestState;
use crate::ledger::bundle::receipt_of;
use crate::store::events::Entry;
use crate::store::requests::RequestRow;
use crate::store::{Conn, StoreError, events, log};

/// What there is to hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmationReceipt {
    /// A C2SP tlog-proof@v1 with the event in it.
    Given(String),
    /// It was confirmed a moment ago; its place in the log comes within a second or so.
    NotYet,
    /// Nothing was confirmed by this request, or it was erased since.
    Nothing,
}

const DAMAGED: StoreError = StoreError::Corrupt("a confirmation's row");

impl App {
    /// The receipt of the confirmation of a request. Reads only, and no event but the one that confirmed it: whoever holds
    /// a link may ask as often as he likes.
    pub async fn confirmation_receipt(
        &self,
        request: &RequestRow,
    ) -> Result<ConfirmationReceipt, StoreError> {
        let (RequestState::Confirmed, Some(ended_at)) = (request.state()?, request.ended_at) else {
            return Ok(ConfirmationReceipt::Nothing);
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
        Ok(ConfirmationReceipt::Nothing)
    }
}

async fn receipt(conn: &mut Conn, stored: &Entry) -> Result<ConfirmationReceipt, StoreError> {
    let Some(head) = log::head(conn)
        .await?
        .filter(|head| head.last_position >= stored.position)
    else {
        return Ok(ConfirmationReceipt::NotYet);
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
    Ok(ConfirmationReceipt::Given(receipt_of(
        body, &salt, index, path, head.note,
    )))
}
