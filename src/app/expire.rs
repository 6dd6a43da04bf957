//! Clockwork around requests: a reminder where the form has one, and the end of those that nobody answered. Safe with several
//! workers: whoever comes second finds nothing left to do.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::App;
use super::rates::{INSTALLATION, Rates, held_at_most, of_form};
use super::record::{About, read_body};
use super::sign_up::{REMIND, empty_mailbox};
use crate::domain::budget::Occasion;
use crate::domain::event::{Fact, MailFate};
use crate::domain::ids::{BrandId, ContactId, OutboxId, RequestId};
use crate::domain::standing::{RequestState, State, never_confirmed};
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts::{self, Contact};
use crate::store::events::{self, NewEvent};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, Asked, Key, RequestRow};
use crate::store::set::{ROWS_AT_MOST, Writes};
use crate::store::{Conn, StoreError};

/// Requests in one transaction.
const TOGETHER: i64 = 200;
/// How long a reminder waits whose mailbox had its mails for today, or whose first mail is not out yet.
const TOMORROW: Duration = Duration::from_secs(86_400);
const SOON: Duration = Duration::from_secs(3_600);

/// What became of requests that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub expired: u64,
    pub reminded: u64,
}

/// What one transaction writes.
struct Round {
    requests: Vec<RequestRow>,
    unconfirmed: Vec<(BrandId, ContactId)>,
    events: Vec<NewEvent>,
    mails: Vec<OutboxRow>,
    mailboxes: HashMap<(BrandId, MailboxHash), Mailbox>,
    taken: HashSet<(BrandId, MailboxHash)>,
    rates: Rates,
    looked: Looked,
}

impl Round {
    fn at(rates: Rates, mailboxes: Vec<Mailbox>) -> Self {
        let mailboxes = mailboxes.into_iter();
        Self {
            mailboxes: mailboxes
                .map(|one| ((one.brand_id, one.hash), one))
                .collect(),
            rates,
            requests: Vec::new(),
            unconfirmed: Vec::new(),
            events: Vec::new(),
            mails: Vec::new(),
            taken: HashSet::new(),
            looked: Looked::default(),
        }
    }
}

impl App {
    /// Ends requests whose time is over, and reminds those whose reminder is due.
    pub async fn expire(&self) -> Result<Looked, StoreError> {
        let mut all = Looked::default();
        loop {
            let mut conn = self.store.read().await?;
            let due = requests::list_due(&mut conn, self.clock.now(), TOGETHER).await?;
            drop(conn);
            if due.is_empty() {
                break;
            }
            let Some(looked) = decided(|| self.look_at(&due)).await? else {
                break;
            };
            all.expired += looked.expired;
            all.reminded += looked.reminded;
        }
        if all.reminded > 0 {
            self.live.mail_queued();
        }
        Ok(all)
    }

    /// None where there was nothing to do any more.
    async fn look_at(&self, due: &[Key]) -> Result<Option<Looked>, StoreError> {
        let mut conn = self.store.read().await?;
        let owners = requests::list_owners(&mut conn, due).await?;
        drop(conn);
        let mut locks = Locks::default();
        let mut boxes = Vec::with_capacity(owners.len());
        for owner in &owners {
            let hash = owner.mailbox_hash()?;
            locks.contact(owner.brand_id, &owner.address_key);
            locks.mailbox(owner.brand_id, &hash);
            boxes.push((owner.brand_id, hash));
        }
        boxes.sort_unstable();
        boxes.dedup();
        let mut held = self.store.hold(locks).await?;
        let asked = requests::list_with_contacts(held.conn(), due).await?;
        // The clock is read under the locks, so that times within one contact never run backwards.
        let now = self.clock.now();
        let due: Vec<Asked> = asked
            .into_iter()
            .filter(|one| one.request.state == RequestState::Open.as_str())
            .filter(|one| one.request.look_at <= now)
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        let seen = Seen::of(held.conn(), &due, now).await?;
        let mailboxes = budgets::find_mailboxes(held.conn(), &boxes).await?;
        let mut keys: Vec<String> = due.iter().map(|one| of_form(one.request.form_id)).collect();
        keys.push(INSTALLATION.to_owned());
        keys.sort_unstable();
        keys.dedup();
        let rates = Rates::read(held.conn(), &keys, now).await?;
        let mut round = Round::at(rates, mailboxes);
        for one in due {
            if now >= one.request.expires_at {
                self.end(&mut round, one, now)?;
            } else {
                self.remind(&mut round, one, &seen, now)?;
            }
        }
        let looked = round.looked;
        // If the process dies before this commit, nothing was done, and the next round does it.
        held.finish(round.writes(now)).await?;
        Ok(Some(looked))
    }

    /// Nobody answered. A request without a mail ends without a word: there was nothing to answer.
    fn end(&self, round: &mut Round, one: Asked, now: Timestamp) -> Result<(), StoreError> {
        let Asked {
            mut request,
            contact,
        } = one;
        if request.mailed != 0 {
            let event = self.work().record(about(&request), now, Fact::Expired)?;
            round.events.push(event);
        }
        request.state = RequestState::Expired.as_str().to_owned();
        request.ended_at = Some(now);
        if never_confirmed(&contact.standings) {
            round.unconfirmed.push((contact.brand_id, contact.id));
        }
        round.looked.expired += 1;
        round.requests.push(request);
        Ok(())
    }

    /// Reminds once, if the form still says so and the first mail has arrived; from then on only the end is due.
    fn remind(
        &self,
        round: &mut Round,
        one: Asked,
        seen: &Seen,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Asked {
            mut request,
            contact,
        } = one;
        request.look_at = request.expires_at;
        let catalog = self.catalog();
        let form = catalog.form_by_id(request.form_id);
        let wanted = form.is_some_and(|form| form.declared.remind_after_days.is_some());
        let explicit = |slug| {
            let standing = contact.standings.get(slug);
            standing.is_some_and(|standing| standing.state == State::Explicit)
        };
        if wanted
            && !seen.reminded.contains(&request.id)
            && !request.purposes().iter().all(explicit)
        {
            let key = (contact.brand_id, contact.mailbox_hash()?);
            let known = round.mailboxes.entry(key);
            let mailbox = known.or_insert_with(|| empty_mailbox(key.0, key.1));
            let limits = &self.config.limits;
            let standings = contact.standings.values();
            let paused_until = standings.filter_map(|one| one.paused_at(now)).max();
            if mailbox.suppressed_at.is_some() {
                // Nothing is sent there any more.
            } else if let Some(until) = paused_until {
                // The person wants no mail before then (D5).
                request.look_at = until.min(request.expires_at);
            } else if !seen.accepted.contains(&request.id) {
                request.look_at = now.plus(SOON).min(request.expires_at);
            } else if let Some(due_at) = round.rates.take_mail(
                &mut mailbox.window,
                (Occasion::Resend, request.form_id),
                limits,
                held_at_most(request.expires_at.since(now)),
            ) {
                round.taken.insert(key);
                let fact = Fact::Reminded {
                    mail: MailFate::Queued,
                };
                round
                    .events
                    .push(self.work().record(about(&request), now, fact)?);
                round.mails.push(self.reminder(&request, &contact, due_at));
                request.last_mail_at = now;
                round.looked.reminded += 1;
            } else {
                request.look_at = now.plus(TOMORROW).min(request.expires_at);
            }
        }
        round.requests.push(request);
        Ok(())
    }

    fn reminder(&self, request: &RequestRow, contact: &Contact, due_at: Timestamp) -> OutboxRow {
        let domain = contact.address.rsplit('@').next().unwrap_or_default();
        OutboxRow {
            id: OutboxId(self.random.uuid_v7(self.clock.now())),
            brand_id: contact.brand_id,
            contact_id: contact.id,
            request_id: request.id,
            template: REMIND.to_owned(),
            recipient_domain: domain.to_owned(),
            due_at,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        }
    }
}

impl Round {
    fn writes(self, now: Timestamp) -> Writes {
        let taken: Vec<Mailbox> = self
            .mailboxes
            .into_iter()
            .filter(|(key, _)| self.taken.contains(key))
            .map(|(_, mailbox)| mailbox)
            .collect();
        let mut unconfirmed = self.unconfirmed;
        unconfirmed.sort_unstable_by_key(|one| one.1.0);
        unconfirmed.dedup();
        let mut writes = Writes::default();
        requests::update(&mut writes, &self.requests);
        contacts::put_unconfirmed(&mut writes, &unconfirmed, now);
        events::append(&mut writes, &self.events);
        outbox::insert(&mut writes, &self.mails);
        budgets::put_mailboxes(&mut writes, &taken);
        budgets::add_rates(&mut writes, &self.rates.moved(), now);
        writes
    }
}

/// What events tell of the requests that are looked at.
#[derive(Default)]
struct Seen {
    reminded: HashSet<RequestId>,
    /// A server took a mail of it.
    accepted: HashSet<RequestId>,
}

impl Seen {
    /// Of those who may be reminded. Their events are read one after another, however many there are.
    async fn of(conn: &mut Conn, due: &[Asked], now: Timestamp) -> Result<Self, StoreError> {
        let may_be = due.iter().filter(|one| now < one.request.expires_at);
        let mut contacts: Vec<_> = may_be
            .clone()
            .map(|one| (one.contact.brand_id, one.contact.id))
            .collect();
        let asked: HashSet<RequestId> = may_be.map(|one| one.request.id).collect();
        contacts.sort_unstable_by_key(|one| one.1.0);
        contacts.dedup();
        let mut seen = Self::default();
        for part in contacts.chunks(ROWS_AT_MOST) {
            events::each_body(conn, part, |_, body| {
                let event = read_body(body.as_deref())?;
                if let Some(event) = event
                    && let Some(request) = event.request.filter(|id| asked.contains(id))
                {
                    match event.fact {
                        Fact::Reminded { .. } => seen.reminded.insert(request),
                        Fact::MailAccepted { .. } => seen.accepted.insert(request),
                        _ => false,
                    };
                }
                Ok(())
            })
            .await?;
        }
        Ok(seen)
    }
}

fn about(request: &RequestRow) -> About {
    About {
        brand: request.brand_id,
        contact: request.contact_id,
        request: Some(request.id),
    }
}
