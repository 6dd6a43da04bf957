//! The "check your inbox" page: how one request stands, sending again, correcting the address.

use std::sync::Arc;

use super::App;
use super::sign_up::{CONFIRM, Refusal, SignedUp, Submission, empty_mailbox, lock_key, rate_key};
use crate::domain::budget::{Occasion, Rate};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact, MailFate, SCHEMA_VERSION};
use crate::domain::form::Form;
use crate::domain::ids::{BrandId, ContactId, EventId, OutboxId, RequestId};
use crate::domain::standing::{RequestState, apply};
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, MailboxHash};
use crate::store::contacts::{self, ContactRow};
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, RequestRow};
use crate::store::{StoreError, events};

/// How a request looks to the browser that made it. For an address that is suppressed, confirmed or over its budget this
/// is exactly what a waiting one shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    Waiting {
        resend_in: u32,
    },
    Confirmed,
    /// Declined, replaced, corrected or expired: a fresh signup is the way on.
    Closed,
}

/// A request with what its page shows.
#[derive(Clone, Debug)]
pub struct InboxView {
    pub request: RequestRow,
    pub contact: ContactRow,
    pub waiting: Waiting,
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
        let Some(request) = requests::find(&mut conn, brand, id).await? else {
            return Ok(None);
        };
        let mut waiting = self.waiting(&request)?;
        if let (Waiting::Waiting { .. }, Some(first)) = (waiting, request.follows_id)
            && own(first)
            && let Some(followed) = requests::find(&mut conn, brand, first).await?
            && followed.state()? == RequestState::Confirmed
        {
            waiting = Waiting::Confirmed;
        }
        let contact = contacts::find_by_ids(&mut conn, &[(brand, request.contact_id)])
            .await?
            .pop();
        Ok(contact.map(|contact| InboxView {
            request,
            contact,
            waiting,
        }))
    }

    fn waiting(&self, request: &RequestRow) -> Result<Waiting, StoreError> {
        let now = self.clock.now();
        Ok(match request.state()? {
            RequestState::Confirmed => Waiting::Confirmed,
            RequestState::Open if now < request.expires_at => Waiting::Waiting {
                resend_in: self.resend_in(request, now),
            },
            _ => Waiting::Closed,
        })
    }

    fn resend_in(&self, request: &RequestRow, now: Timestamp) -> u32 {
        let ready = request.last_mail_at.plus(self.config.limits.resend_after);
        let left = ready.since(now);
        u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
    }

    /// Sends the mail of a request again, if a minute has passed and the budgets allow it. The caller learns nothing of
    /// that: the answer is how the request stands.
    pub async fn resend(
        &self,
        brand: BrandId,
        id: RequestId,
        circumstances: Circumstances,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let Some(known) = requests::find(&mut tx, brand, id).await? else {
            return Ok(());
        };
        let network = rate_key("network", &circumstances.network());
        let Some(hash) = self.mailbox_of(&mut tx, brand, known.contact_id).await? else {
            return Ok(());
        };
        // The order of all verbs: mailboxes and networks, then contacts, then requests.
        let mut locks = [
            lock_key(&[brand.0.as_bytes(), &hash]),
            lock_key(&[network.as_bytes()]),
        ];
        locks.sort_unstable();
        budgets::lock(&mut tx, &locks).await?;
        contacts::lock(&mut tx, &[(brand, known.contact_id)]).await?;
        let Some(mut request) = requests::find_to_decide(&mut tx, &[(brand, id)])
            .await?
            .pop()
        else {
            return Ok(());
        };
        let now = self.clock.now();
        if request.state()? != RequestState::Open
            || now >= request.expires_at
            || self.resend_in(&request, now) > 0
        {
            return Ok(());
        }
        let Some(mut contact) = contacts::find_by_ids(&mut tx, &[(brand, request.contact_id)])
            .await?
            .pop()
        else {
            return Ok(());
        };
        let mut mailbox = budgets::find_mailboxes(&mut tx, &[(brand, hash)])
            .await?
            .pop()
            .unwrap_or_else(|| empty_mailbox(brand, hash));
        let arrival = budgets::find_rates(&mut tx, std::slice::from_ref(&network))
            .await?
            .pop()
            .map(|rate| rate.1);
        let rate = Rate {
            an_hour: self.config.limits.per_network_an_hour,
        };
        let mail = if mailbox.suppressed_at.is_some() {
            MailFate::Suppressed
        } else {
            match rate.take(arrival, now) {
                Ok(next)
                    if mailbox.window.take(
                        Occasion::Resend,
                        request.form_id,
                        now,
                        &self.config.limits,
                    ) =>
                {
                    budgets::put_rates(&mut tx, &[(network, next)]).await?;
                    budgets::put_mailboxes(&mut tx, &[mailbox]).await?;
                    MailFate::Queued
                }
                _ => MailFate::OverBudget,
            }
        };
        request.last_mail_at = now;
        if mail == MailFate::Queued {
            let domain = contact.address.rsplit('@').next().unwrap_or("").to_owned();
            let row = OutboxRow {
                id: OutboxId(self.random.uuid_v7(now)),
                brand_id: brand,
                contact_id: contact.id,
                request_id: id,
                template: CONFIRM.to_owned(),
                recipient_domain: domain,
                due_at: now,
                tries: 0,
                first_try_at: None,
                message_id: None,
                ambiguous: 0,
            };
            outbox::insert(&mut tx, &[row]).await?;
            // A request that never had a mail takes over from the one that it followed.
            if request.mailed == 0 {
                request.mailed = 1;
                if let Some(first) = contact.open_request_id.filter(|first| *first != id) {
                    self.replace(&mut tx, brand, first, now).await?;
                }
                contact.open_request_id = Some(id);
                contacts::put(&mut tx, std::slice::from_ref(&contact)).await?;
            }
        }
        let event = Event {
            id: EventId(self.random.uuid_v7(now)),
            schema: SCHEMA_VERSION,
            brand,
            contact: contact.id,
            request: Some(id),
            at: now,
            fact: Fact::MailRequested {
                mail,
                circumstances,
            },
        };
        requests::update(&mut tx, &[request]).await?;
        events::append(&mut tx, &[event]).await?;
        tx.commit().await?;
        if mail == MailFate::Queued {
            self.live.mail_queued();
        }
        Ok(())
    }

    async fn mailbox_of(
        &self,
        tx: &mut crate::store::Conn,
        brand: BrandId,
        contact: ContactId,
    ) -> Result<Option<MailboxHash>, StoreError> {
        let found = contacts::find_by_ids(tx, &[(brand, contact)]).await?.pop();
        found
            .map(|contact| {
                MailboxHash::try_from(contact.mailbox.as_slice())
                    .map_err(|_| StoreError::Corrupt("mailbox of a contact"))
            })
            .transpose()
    }

    async fn replace(
        &self,
        tx: &mut crate::store::Conn,
        brand: BrandId,
        id: RequestId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(mut request) = requests::find_to_decide(tx, &[(brand, id)]).await?.pop() else {
            return Ok(());
        };
        if request.state()? != RequestState::Open {
            return Ok(());
        }
        request.state = RequestState::Replaced.as_str().to_owned();
        request.ended_at = Some(now);
        let event = Event {
            id: EventId(self.random.uuid_v7(now)),
            schema: SCHEMA_VERSION,
            brand,
            contact: request.contact_id,
            request: Some(id),
            at: now,
            fact: Fact::Replaced,
        };
        requests::update(tx, &[request]).await?;
        events::append(tx, &[event]).await
    }

    /// The person mistyped the address: signs up the right one and ends the request of the wrong one, with what that
    /// signup had given. The new address goes through all checks and budgets of a signup.
    pub async fn correct_address(
        &self,
        form: &Arc<Form>,
        old: &RequestRow,
        given: Submission,
    ) -> Result<SignedUp, Refusal> {
        let circumstances = given.circumstances.clone();
        let done = self.sign_up(form, given).await?;
        if let Err(error) = self.abandon(old, circumstances).await {
            // The new signup stands; the old request is merely still open and expires by itself.
            tracing::warn!(%error, "the request of a mistyped address could not be ended");
        }
        Ok(done)
    }

    async fn abandon(
        &self,
        old: &RequestRow,
        circumstances: Circumstances,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let key = (old.brand_id, old.id);
        contacts::lock(&mut tx, &[(old.brand_id, old.contact_id)]).await?;
        let Some(mut request) = requests::find_to_decide(&mut tx, &[key]).await?.pop() else {
            return Ok(());
        };
        if request.state()? != RequestState::Open {
            return Ok(());
        }
        let now = self.clock.now();
        let fact = Fact::AddressChanged {
            purposes: request.purposes(),
            signed_up_at: request.issued_at,
            circumstances,
        };
        let mut standings = contacts::list_standings(&mut tx, &[(old.brand_id, old.contact_id)])
            .await?
            .remove(&old.contact_id)
            .unwrap_or_default();
        apply(&mut standings, &fact, now);
        let changed: Vec<contacts::StandingOf> = standings
            .into_iter()
            .map(|(purpose, standing)| (old.brand_id, old.contact_id, purpose, standing))
            .collect();
        contacts::put_standings(&mut tx, &changed).await?;
        request.state = RequestState::Abandoned.as_str().to_owned();
        request.ended_at = Some(now);
        requests::update(&mut tx, &[request]).await?;
        outbox::remove_untried(&mut tx, old.id).await?;
        let event = Event {
            id: EventId(self.random.uuid_v7(now)),
            schema: SCHEMA_VERSION,
            brand: old.brand_id,
            contact: old.contact_id,
            request: Some(old.id),
            at: now,
            fact,
        };
        events::append(&mut tx, &[event]).await?;
        tx.commit().await
    }
}
