//! What a batch of answers read, changes as it decides, and writes.

use std::collections::{HashMap, HashSet};

use crate::app::Work;
use crate::app::record::About;
use crate::app::sign_up::empty_mailbox;
use crate::app::suppress::close_mailbox;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::scanner::{Seen, Thresholds};
use crate::domain::standing::{RequestState, Standings, apply};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::breaker;
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts::{self, Contact};
use crate::store::events::{self, NewEvent};
use crate::store::outbox;
use crate::store::requests::{self, Asked, RequestRow};
use crate::store::set::Writes;

pub(super) struct Batch<'a> {
    pub work: &'a Work,
    pub thresholds: &'a Thresholds,
    pub now: Timestamp,
    pub requests: HashMap<RequestId, RequestRow>,
    pub touched: Vec<RequestId>,
    pub contacts: HashMap<ContactId, Contact>,
    pub changed: HashSet<ContactId>,
    /// Of those of campaigns that may be declined: the contact's other open requests for what they ask.
    pub others: HashMap<RequestId, Vec<RequestId>>,
    /// Whose mails do not leave any more.
    pub given_up: Vec<RequestId>,
    /// The names that signups of confirmed contacts gave.
    pub names: HashMap<RequestId, String>,
    /// Whose name is another one now.
    pub renamed: HashSet<ContactId>,
    /// What networks opened of the mails.
    pub seen: HashMap<RequestId, Vec<Seen>>,
    /// How many people's links the network of a press opened around its own hit on this mail.
    pub people: HashMap<(RequestId, String), i64>,
    /// The mailboxes of those who may decline.
    pub mailboxes: Vec<Mailbox>,
    pub declined: Vec<(BrandId, MailboxHash)>,
    pub events: Vec<NewEvent>,
    /// When mails of signups were confirmed.
    pub confirmed_at: Vec<Timestamp>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(work: &'a Work, thresholds: &'a Thresholds, calls: usize) -> Self {
        Self {
            now: work.clock.now(),
            work,
            thresholds,
            requests: HashMap::with_capacity(calls),
            touched: Vec::new(),
            contacts: HashMap::with_capacity(calls),
            changed: HashSet::new(),
            others: HashMap::new(),
            given_up: Vec::new(),
            names: HashMap::new(),
            renamed: HashSet::new(),
            seen: HashMap::new(),
            people: HashMap::new(),
            mailboxes: Vec::new(),
            declined: Vec::new(),
            events: Vec::with_capacity(calls),
            confirmed_at: Vec::new(),
        }
    }

    pub(super) fn asked(&self, id: RequestId) -> Option<Asked> {
        let request = self.requests.get(&id)?;
        let contact = self.contacts.get(&request.contact_id)?;
        Some(Asked {
            request: request.clone(),
            contact: contact.clone(),
        })
    }

    pub(super) fn end(&mut self, id: RequestId, state: RequestState) {
        if let Some(row) = self.requests.get_mut(&id) {
            row.state = state.as_str().to_owned();
            row.ended_at = Some(self.now);
            self.touched.push(id);
        }
    }

    /// Ends what else asks for something that the person left with this request, and keeps its mails from leaving.
    pub(super) fn end_others(&mut self, id: RequestId) {
        for other in self.others.remove(&id).unwrap_or_default() {
            let open = self.requests.get(&other);
            let Some(open) = open.filter(|one| one.state == RequestState::Open.as_str()) else {
                continue;
            };
            if open.mailed != 0 {
                self.given_up.push(other);
            }
            self.end(other, RequestState::Left);
        }
    }

    /// The name that comes with a confirmation, where it is not the contact's already. Nobody but the person can have confirmed
    /// the signup that gave it.
    pub(super) fn take_name(&mut self, id: RequestId) -> Option<String> {
        let name = self.names.remove(&id)?;
        let request = self.requests.get(&id)?;
        let contact = self.contacts.get_mut(&request.contact_id)?;
        if contact.name.as_ref() == Some(&name) {
            return None;
        }
        contact.name = Some(name.clone());
        self.renamed.insert(contact.id);
        Some(name)
    }

    pub(super) fn record(&mut self, id: RequestId, fact: Fact) -> Result<(), StoreError> {
        let Some(row) = self.requests.get(&id) else {
            return Ok(());
        };
        let about = About {
            brand: row.brand_id,
            contact: row.contact_id,
            request: Some(id),
        };
        if let Some(contact) = self.contacts.get_mut(&about.contact) {
            let before = contact.standings.clone();
            apply(&mut contact.standings, &fact, self.now);
            if contact.standings != before {
                self.changed.insert(contact.id);
            }
        }
        self.events.push(self.work.record(about, self.now, fact)?);
        Ok(())
    }

    pub(super) fn writes(mut self) -> Writes {
        self.touched.sort_unstable();
        self.touched.dedup();
        let requests: Vec<RequestRow> = self
            .touched
            .iter()
            .filter_map(|id| self.requests.remove(id))
            .collect();
        let renamed: Vec<&Contact> = self
            .renamed
            .iter()
            .filter_map(|id| self.contacts.get(id))
            .collect();
        let standings: Vec<(BrandId, ContactId, &Standings)> = self
            .changed
            .difference(&self.renamed)
            .filter_map(|id| self.contacts.get(id))
            .map(|contact| (contact.brand_id, contact.id, &contact.standings))
            .collect();
        let mailboxes = suppressed(self.mailboxes, self.declined, "declined", self.now);
        let mut writes = Writes::default();
        requests::update(&mut writes, &requests);
        self.given_up.sort_unstable();
        self.given_up.dedup();
        for id in self.given_up {
            outbox::remove_untried(&mut writes, id);
        }
        contacts::put_standings(&mut writes, &standings);
        contacts::put_renamed(&mut writes, &renamed);
        events::append(&mut writes, &self.events);
        budgets::put_mailboxes(&mut writes, &mailboxes);
        let chance = self.events.first().map_or(0, |event| event.salt[0]);
        breaker::add(&mut writes, chance, &[], &self.confirmed_at);
        writes
    }
}

/// The mailboxes that all further mail of the brand is kept from.
fn suppressed(
    mut known: Vec<Mailbox>,
    mut keys: Vec<(BrandId, MailboxHash)>,
    reason: &str,
    now: Timestamp,
) -> Vec<Mailbox> {
    keys.sort_unstable();
    keys.dedup();
    let mut mailboxes = Vec::with_capacity(keys.len());
    for (brand, hash) in keys {
        let at = known
            .iter()
            .position(|one| one.brand_id == brand && one.hash == hash);
        let mut mailbox = at.map_or_else(|| empty_mailbox(brand, hash), |at| known.swap_remove(at));
        close_mailbox(&mut mailbox, reason, now);
        mailboxes.push(mailbox);
    }
    mailboxes
}
