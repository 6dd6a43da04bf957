//! The mail of a request once more: from the "check your inbox" page, by an operator, or because its link is too old. It says
//! nothing of consent: no standing moves. Every decision reads and writes by the same statements, whatever is known of the
//! address, for the time of the answer must not tell (T19).

use std::time::Duration;

use super::App;
use super::rates::{INSTALLATION, Rates, held_at_most, of_form};
use super::record::About;
use super::sign_up::{CONFIRM, NOTHING, empty_mailbox, rate_key};
use crate::domain::budget::{Occasion, Rate};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Fact, MailFate};
use crate::domain::ids::{FormId, OutboxId};
use crate::domain::standing::RequestState;
use crate::domain::time::Timestamp;
use crate::store::budgets;
use crate::store::contacts::{self, Contact};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, Asked, Key, RequestRow};
use crate::store::set::Writes;
use crate::store::{StoreError, events};

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
    /// Behind the link of a mail whose time is over.
    OldLink,
}

impl App {
    /// Sends the mail of a request again, if a minute has passed and the budgets allow it. What was taken for a program's signup
    /// gets its mail only by a press as a person makes it; a request that was replaced has the mail of its successor sent. By an
    /// old link a request whose time is over is open again; none of a campaign, for nobody signed up, and none that was answered.
    /// The caller learns nothing of that: the answer is how the request stands.
    pub async fn resend(
        &self,
        key: Key,
        asking: Asking,
        circumstances: Circumstances,
    ) -> Result<(), StoreError> {
        decided(|| self.try_resend(key, asking, circumstances.clone())).await
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

    fn may_ask(
        &self,
        request: &RequestRow,
        asking: Asking,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let in_time = now < request.expires_at;
        let may = match (asking, request.state()?) {
            (Asking::Operator | Asking::Page { .. }, RequestState::Open)
            | (Asking::Page { .. }, RequestState::Replaced) => in_time,
            (Asking::OldLink, RequestState::Open | RequestState::Expired) => {
                request.campaign_id.is_none() && request.mailed != 0
            }
            _ => false,
        };
        Ok(may && self.resend_in(request, now) == 0)
    }

    async fn try_resend(
        &self,
        key: Key,
        asking: Asking,
        circumstances: Circumstances,
    ) -> Result<(), StoreError> {
        let Some(known) = self.asked(key.0, key.1).await? else {
            return Ok(());
        };
        // It never changes, so it may be read before anything is locked.
        let said = self.said_at(&known.request).await?;
        let was_bot = said.is_some_and(|said| said.mail == MailFate::Bot);
        let network = rate_key("network", &circumstances.network());
        let hash = known.contact.mailbox_hash()?;
        let mut locks = Locks::default();
        locks.contact(key.0, &known.contact.address_key);
        locks.mailbox(key.0, &hash);
        locks.rate(&network);
        let mut held = self.store.hold(locks).await?;
        let found = requests::list_with_contacts(held.conn(), &[key]).await?;
        let Some(Asked { request, contact }) = found.into_iter().next() else {
            return Ok(());
        };
        let now = self.clock.now();
        if !self.may_ask(&request, asking, now)? {
            return Ok(());
        }
        let newest = contact.open_request_id.unwrap_or(request.id);
        let newest = requests::find(held.conn(), key.0, newest).await?;
        let mut mailbox = budgets::find_mailboxes(held.conn(), &[(key.0, hash)])
            .await?
            .pop()
            .unwrap_or_else(|| empty_mailbox(key.0, hash));
        let limits = &self.config.limits;
        let mut again = Again::of(request, contact, newest, now);
        let form_id = again
            .mailed()
            .map_or(again.request.form_id, |one| one.form_id);
        let keys = [network, of_form(form_id), INSTALLATION.to_owned()];
        let mut rates = Rates::read(held.conn(), &keys, now).await?;
        let [network, ..] = keys;
        let rate = Rate {
            an_hour: limits.per_network_an_hour,
        };
        let occasion = match asking {
            Asking::OldLink => Occasion::Signup,
            _ => Occasion::Resend,
        };
        let within = self
            .catalog()
            .brand(key.0)
            .map(|brand| brand.confirm_within());
        let is_bot = was_bot && !self.is_a_persons(asking, form_id, now);
        // Whatever becomes of the mail, the press counts for its network, as a signup does.
        let of_network = if is_bot {
            None
        } else {
            rates.next(&network, rate)
        };
        if let Some(next) = of_network {
            rates.move_to(network, next);
        }
        let at_most = held_at_most(within.unwrap_or_default());
        let mut due_at = now;
        let mail = if is_bot {
            MailFate::Bot
        } else if mailbox.suppressed_at.is_some() {
            MailFate::Suppressed
        } else if again.mailed().is_none() {
            MailFate::Replaced
        } else if of_network.is_none() {
            MailFate::OverBudget
        } else if let Some(at) =
            rates.take_mail(&mut mailbox.window, (occasion, form_id), limits, at_most)
        {
            due_at = at;
            MailFate::Queued
        } else {
            MailFate::OverBudget
        };
        if mail != MailFate::Queued {
            rates.move_nobody(limits, of_network.is_none());
        }
        let row = self.row(&again, mail, due_at, now);
        let mut events = Vec::with_capacity(2);
        let mut confirmation_expires_at = None;
        if mail == MailFate::Queued {
            if let Some(within) = within {
                confirmation_expires_at = again.open_anew(within, now);
            }
            if let Some(replaced) = again.take_over(now) {
                events.push(self.work().record(replaced, now, Fact::Replaced)?);
            }
        }
        let fact = Fact::MailRequested {
            mail,
            confirmation_expires_at,
            circumstances,
        };
        events.push(self.work().record(about(&again.request), now, fact)?);
        let mut writes = Writes::default();
        budgets::add_rates(&mut writes, &rates.moved(), now);
        budgets::put_mailboxes(&mut writes, &[mailbox]);
        outbox::insert(&mut writes, &[row]);
        contacts::put(&mut writes, std::slice::from_ref(&again.contact));
        let mut changed = vec![again.request];
        changed.extend(again.other);
        requests::update(&mut writes, &changed);
        events::append(&mut writes, &events);
        held.finish(writes).await?;
        // Whatever became of the mail: delivery wakes for all alike.
        self.live.mail_queued();
        Ok(())
    }

    /// Without a mail a row that delivery takes out unsent.
    fn row(&self, again: &Again, mail: MailFate, due_at: Timestamp, now: Timestamp) -> OutboxRow {
        let address = &again.contact.address;
        let template = match mail {
            MailFate::Queued => CONFIRM,
            _ => NOTHING,
        };
        OutboxRow {
            id: OutboxId(self.random.uuid_v7(now)),
            brand_id: again.contact.brand_id,
            contact_id: again.contact.id,
            request_id: again.mailed().unwrap_or(&again.request).id,
            template: template.to_owned(),
            recipient_domain: address.rsplit('@').next().unwrap_or("").to_owned(),
            due_at,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        }
    }
}

/// A request that was asked about, with the one whose mail it is.
struct Again {
    request: RequestRow,
    contact: Contact,
    /// The contact's open request, where it is another one.
    other: Option<RequestRow>,
    /// It is open itself, and in its time.
    is_open: bool,
}

impl Again {
    fn of(
        mut request: RequestRow,
        contact: Contact,
        newest: Option<RequestRow>,
        now: Timestamp,
    ) -> Self {
        request.last_mail_at = now;
        let is_open =
            |row: &RequestRow| row.state == RequestState::Open.as_str() && now < row.expires_at;
        Self {
            other: newest.filter(|row| row.id != request.id && is_open(row)),
            is_open: is_open(&request),
            request,
            contact,
        }
    }

    /// The request whose mail is sent: this one; or, where it was replaced or its time is over, the one that is open in its
    /// place, unless a campaign asked there.
    fn mailed(&self) -> Option<&RequestRow> {
        let is_replaced = self.request.state == RequestState::Replaced.as_str();
        match &self.other {
            None => (!is_replaced).then_some(&self.request),
            Some(_) if self.is_open => Some(&self.request),
            Some(other) => other.campaign_id.is_none().then_some(other),
        }
    }

    /// Its time was over: until when it is open from now on.
    fn open_anew(&mut self, within: Duration, now: Timestamp) -> Option<Timestamp> {
        if self.is_open || self.other.is_some() {
            return None;
        }
        // Tokens carry whole seconds; the stored expiry is the same instant.
        let until = Timestamp::from_micros(now.plus(within).unix_seconds() * 1_000_000);
        let request = &mut self.request;
        request.state = RequestState::Open.as_str().to_owned();
        request.ended_at = None;
        request.expires_at = until;
        request.look_at = until;
        self.contact.open_request_id = Some(request.id);
        Some(until)
    }

    /// A request that never had a mail takes over from the one that it followed, which is named.
    fn take_over(&mut self, now: Timestamp) -> Option<About> {
        if self.request.mailed != 0 {
            return None;
        }
        self.request.mailed = 1;
        self.contact.open_request_id = Some(self.request.id);
        let first = self.other.as_mut()?;
        first.state = RequestState::Replaced.as_str().to_owned();
        first.ended_at = Some(now);
        Some(about(first))
    }
}

fn about(request: &RequestRow) -> About {
    About {
        brand: request.brand_id,
        contact: request.contact_id,
        request: Some(request.id),
    }
}
