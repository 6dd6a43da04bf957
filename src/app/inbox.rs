//! The "check your inbox" page: how one request stands, sending again, correcting the address.

use std::time::Duration;

use super::App;
use super::rates::{INSTALLATION, Rates, of_form, refused};
use super::record::About;
use super::sign_up::{CONFIRM, empty_mailbox, rate_key};
use crate::domain::budget::{Occasion, Rate};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Fact, MailFate};
use crate::domain::ids::{BrandId, FormId, OutboxId, RequestId};
use crate::domain::standing::RequestState;
use crate::domain::time::Timestamp;
use crate::store::budgets;
use crate::store::contacts::{self, Contact};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, Asked, RequestRow};
use crate::store::set::Writes;
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
    pub contact: Contact,
    pub waiting: Waiting,
}

/// What speaks for a person behind a press on "send again".
#[derive(Clone, Copy, Debug)]
pub enum Asking {
    Operator,
    /// On the page, or in a form that shows it.
    Page {
        /// When it was served, if the press says so truly.
        shown_at: Option<Timestamp>,
        /// The honeypot was filled in.
        trapped: bool,
    },
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
        if let (Waiting::Waiting { .. }, Some(first)) = (waiting, request.follows_id)
            && own(first)
            && let Some(followed) = requests::find(&mut conn, brand, first).await?
            && followed.state()? == RequestState::Confirmed
        {
            waiting = Waiting::Confirmed;
        }
        Ok(Some(InboxView {
            request,
            contact,
            waiting,
        }))
    }

    /// How a request stands by itself.
    pub(super) fn view_of(&self, asked: Asked) -> Result<InboxView, StoreError> {
        Ok(InboxView {
            waiting: self.waiting(&asked.request)?,
            request: asked.request,
            contact: asked.contact,
        })
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

    /// Sends the mail of a request again, if a minute has passed and the budgets allow it. What was taken for a program's signup
    /// gets its mail only by a press as a person makes it. The caller learns nothing of that: the answer is how the request stands.
    pub async fn resend(
        &self,
        brand: BrandId,
        id: RequestId,
        asking: Asking,
        circumstances: Circumstances,
    ) -> Result<(), StoreError> {
        decided(|| self.try_resend(brand, id, asking, circumstances.clone())).await
    }

    /// Whether the press is like a person's: on the page that was shown, with the honeypot left alone, and not sooner than a
    /// person fills in the form.
    fn is_a_persons(&self, asking: Asking, form: FormId, now: Timestamp) -> bool {
        let Asking::Page { shown_at, trapped } = asking else {
            return true;
        };
        let catalog = self.catalog();
        let form = catalog.form_by_id(form);
        let least = form.map_or(0, |form| form.declared.minimum_fill_seconds);
        let least = Duration::from_secs(u64::from(least));
        !trapped && shown_at.is_some_and(|at| now.since(at) >= least)
    }

    async fn try_resend(
        &self,
        brand: BrandId,
        id: RequestId,
        asking: Asking,
        circumstances: Circumstances,
    ) -> Result<(), StoreError> {
        let Some(known) = self.asked(brand, id).await? else {
            return Ok(());
        };
        // It never changes, so it may be read before anything is locked.
        let said = self.said_at(&known.request).await?;
        let was_bot = said.is_some_and(|said| said.mail == MailFate::Bot);
        let network = rate_key("network", &circumstances.network());
        let hash = known.contact.mailbox_hash()?;
        let mut locks = Locks::default();
        locks.contact(brand, &known.contact.address_key);
        locks.mailbox(brand, &hash);
        locks.rate(&network);
        let mut held = self.store.hold(locks).await?;
        let found = requests::list_with_contacts(held.conn(), &[(brand, id)]).await?;
        let Some(Asked {
            mut request,
            mut contact,
        }) = found.into_iter().next()
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
        let mut writes = Writes::default();
        let mut events = Vec::new();
        let mut changed = Vec::new();
        let mut mailbox = budgets::find_mailboxes(held.conn(), &[(brand, hash)])
            .await?
            .pop()
            .unwrap_or_else(|| empty_mailbox(brand, hash));
        let limits = &self.config.limits;
        let keys = [network, of_form(request.form_id), INSTALLATION.to_owned()];
        let mut rates = Rates::read(held.conn(), &keys, now).await?;
        let [network, form, all] = keys;
        let rate = Rate {
            an_hour: limits.per_network_an_hour,
        };
        let mut due_at = now;
        let mail = if was_bot && !self.is_a_persons(asking, request.form_id, now) {
            MailFate::Bot
        } else if mailbox.suppressed_at.is_some() {
            MailFate::Suppressed
        } else if let Some(next) = rates.next(&network, rate) {
            let window = &mut mailbox.window;
            if window.take(Occasion::Resend, request.form_id, now, limits) {
                rates.move_to(network, next);
                let by_form = rates.reserve(form, limits.per_form_an_hour);
                due_at = by_form.max(rates.reserve(all, limits.per_installation_an_hour));
                budgets::add_rates(&mut writes, &rates.moved(), now);
                budgets::put_mailboxes(&mut writes, &[mailbox]);
                MailFate::Queued
            } else {
                refused("mailbox");
                MailFate::OverBudget
            }
        } else {
            MailFate::OverBudget
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
                due_at,
                tries: 0,
                first_try_at: None,
                message_id: None,
                ambiguous: 0,
            };
            outbox::insert(&mut writes, &[row]);
            // A request that never had a mail takes over from the one that it followed.
            if request.mailed == 0 {
                request.mailed = 1;
                if let Some(first) = contact.open_request_id.filter(|first| *first != id)
                    && let Some(mut first) = requests::find(held.conn(), brand, first).await?
                    && first.state()? == RequestState::Open
                {
                    first.state = RequestState::Replaced.as_str().to_owned();
                    first.ended_at = Some(now);
                    events.push(self.work().record(about(&first), now, Fact::Replaced)?);
                    changed.push(first);
                }
                contact.open_request_id = Some(id);
                contacts::put(&mut writes, std::slice::from_ref(&contact));
            }
        }
        let fact = Fact::MailRequested {
            mail,
            circumstances,
        };
        events.push(self.work().record(about(&request), now, fact)?);
        changed.push(request);
        requests::update(&mut writes, &changed);
        events::append(&mut writes, &events);
        held.finish(writes).await?;
        if mail == MailFate::Queued {
            self.live.mail_queued();
        }
        Ok(())
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

fn about(request: &RequestRow) -> About {
    About {
        brand: request.brand_id,
        contact: request.contact_id,
        request: Some(request.id),
    }
}
