//! The receipt of a confirmation, for the person who gave it.

use super::super::App;
use super::super::read_log::audit_paths;
use super::super::record::read_whole;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::ledger::bundle::receipt_of;
use crate::store::events::WholeEvent;
use crate::store::{Conn, StoreError, events, log};

/// Events of one contact that are looked through.
const EVENTS_AT_MOST: i64 = 5_000;

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
    /// The receipt of the confirmation of a request. Reads only.
    pub async fn confirmation_receipt(
        &self,
        brand: BrandId,
        contact: ContactId,
        request: RequestId,
    ) -> Result<ConfirmationReceipt, StoreError> {
        let mut conn = self.store.read().await?;
        let whole = events::list_whole(&mut conn, brand, contact, 0, EVENTS_AT_MOST).await?;
        let mut confirmed = None;
        for stored in whole {
            if let Some(event) = read_whole(&stored)?
                && event.request == Some(request)
                && matches!(event.fact, Fact::Confirmed { .. })
            {
                confirmed = Some(stored);
            }
        }
        match confirmed {
            None => Ok(ConfirmationReceipt::Nothing),
            Some(stored) => receipt(&mut conn, &stored).await,
        }
    }
}

async fn receipt(conn: &mut Conn, stored: &WholeEvent) -> Result<ConfirmationReceipt, StoreError> {
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
