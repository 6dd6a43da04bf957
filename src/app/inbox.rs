//! The "check your inbox" page: how one request stands.

use super::App;
use crate::domain::ids::{BrandId, RequestId};
use crate::domain::standing::RequestState;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::contacts::Contact;
use crate::store::requests::{self, Asked, RequestRow};

/// How a request looks to the browser that made it. For an address that is suppressed, confirmed or over its budget this
/// is exactly what a waiting one shows; so does a request that a newer mail replaced, which for those addresses never happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    Waiting {
        resend_in: u32,
    },
    Confirmed,
    /// Declined, corrected or expired: a fresh signup is the way on.
    Closed,
}

/// A request with what its page shows.
#[derive(Clone, Debug)]
pub struct InboxView {
    pub request: RequestRow,
    pub contact: Contact,
    pub waiting: Waiting,
    /// The request whose mail this browser's owner has in place of this one's, where the browser made both signups.
    pub twin: Option<RequestRow>,
}

impl App {
    /// How a request stands. `own` tells whether the asking browser holds the cookie of a given request: only then may
    /// the page of a second signup speak of the first one's mail.
    pub async fn inbox(
        &self,
        brand: BrandId,
        id: RequestId,
        own: &(dyn Fn(RequestId) -> bool + Sync),
    ) -> Result<Option<InboxView>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = requests::list_with_contacts(&mut conn, &[(brand, id)]).await?;
        let Some(Asked { request, contact }) = found.into_iter().next() else {
            return Ok(None);
        };
        let mut waiting = self.waiting(&request)?;
        let mut twin = None;
        if let (Waiting::Waiting { .. }, Some(other)) = (waiting, other_mail(&request, &contact)?)
            && own(other)
        {
            twin = requests::find(&mut conn, brand, other).await?;
        }
        if let Some(twin) = &twin
            && twin.state()? == RequestState::Confirmed
        {
            waiting = Waiting::Confirmed;
        }
        Ok(Some(InboxView {
            request,
            contact,
            waiting,
            twin,
        }))
    }

    /// How a request stands by itself.
    pub(super) fn view_of(&self, asked: Asked) -> Result<InboxView, StoreError> {
        Ok(InboxView {
            waiting: self.waiting(&asked.request)?,
            request: asked.request,
            contact: asked.contact,
            twin: None,
        })
    }

    fn waiting(&self, request: &RequestRow) -> Result<Waiting, StoreError> {
        let now = self.clock.now();
        Ok(match request.state()? {
            RequestState::Confirmed => Waiting::Confirmed,
            RequestState::Open | RequestState::Replaced if now < request.expires_at => {
                Waiting::Waiting {
                    resend_in: self.resend_in(request, now),
                }
            }
            _ => Waiting::Closed,
        })
    }

    /// Seconds until the mail may be asked for again.
    pub(super) fn resend_in(&self, request: &RequestRow, now: Timestamp) -> u32 {
        let ready = request.last_mail_at.plus(self.config.limits.resend_after);
        let left = ready.since(now);
        u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
    }

    /// A request with its contact, as they stand now.
    pub(super) async fn asked(
        &self,
        brand: BrandId,
        id: RequestId,
    ) -> Result<Option<Asked>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = requests::list_with_contacts(&mut conn, &[(brand, id)]).await?;
        Ok(found.into_iter().next())
    }
}

/// The request whose mail is out in place of this one's: the one before it, where this one caused none, or the one behind it that
/// replaced it.
fn other_mail(request: &RequestRow, contact: &Contact) -> Result<Option<RequestId>, StoreError> {
    let other = match request.state()? {
        RequestState::Replaced => contact.open_request_id,
        _ => request.follows_id,
    };
    Ok(other.filter(|id| *id != request.id))
}
