//! What a batch of signups read, changes as it decides, and writes.

use std::collections::{HashMap, HashSet};

use super::SignUp;
use crate::app::Work;
use crate::app::rates::{INSTALLATION, Rates, of_form};
use crate::domain::budget::{Limits, MailboxWindow, Rate};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;
use crate::store::booth::{self, EntryKey};
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts;
use crate::store::events::{self, NewEvent};
use crate::store::left::Left;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, RequestRow};
use crate::store::set::Writes;
use crate::store::signups::{Known, Who};

type ContactKey = (BrandId, String);
type MailboxKey = (BrandId, MailboxHash);

/// A contact as the batch sees it.
pub(super) struct Contact {
    pub row: contacts::Contact,
    pub open: Option<RequestRow>,
}

pub(super) struct Batch<'a> {
    pub work: &'a Work,
    pub limits: &'a Limits,
    pub now: Timestamp,
    pub contacts: HashMap<ContactKey, Contact>,
    pub mailboxes: HashMap<MailboxKey, Mailbox>,
    /// Addresses that were erased.
    pub erased: HashSet<ContactKey>,
    /// What addresses left, as lists told.
    pub left: HashMap<ContactKey, Vec<Left>>,
    pub rates: Rates,
    /// Entries of booths that are recorded, and those that this batch records.
    pub recorded: HashSet<EntryKey>,
    pub entries: Vec<EntryKey>,
    /// Requests that correct another one's address and are recorded.
    pub corrected: HashSet<requests::Key>,
    pub requests: Vec<RequestRow>,
    pub replaced: Vec<RequestRow>,
    pub events: Vec<NewEvent>,
    pub mails: Vec<OutboxRow>,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(
        work: &'a Work,
        limits: &'a Limits,
        who: Vec<Who>,
        known: Vec<Known>,
    ) -> Self {
        let count = who.len();
        // The clock is read under the locks, so that times within one contact never run backwards.
        let now = work.clock.now();
        let mut batch = Self {
            now,
            work,
            limits,
            contacts: HashMap::with_capacity(count),
            mailboxes: HashMap::with_capacity(count),
            erased: HashSet::new(),
            left: HashMap::new(),
            rates: Rates::at(now),
            recorded: HashSet::new(),
            entries: Vec::new(),
            corrected: HashSet::new(),
            requests: Vec::with_capacity(count),
            replaced: Vec::new(),
            events: Vec::with_capacity(count),
            mails: Vec::with_capacity(count),
        };
        for (who, known) in who.into_iter().zip(known) {
            batch.learn(who, known);
        }
        batch
    }

    fn learn(&mut self, who: Who, known: Known) {
        let rates = [
            (who.network, known.network_arrival),
            (who.form, known.form_arrival),
            (INSTALLATION.to_owned(), known.installation_arrival),
        ];
        for (key, arrival) in rates {
            self.rates.learn(key, arrival);
        }
        let mailbox_key = (who.brand_id, who.mailbox);
        self.mailboxes
            .extend(known.mailbox.map(|one| (mailbox_key, one)));
        if known.erased_at.is_some() {
            self.erased.insert((who.brand_id, who.address_key.clone()));
        }
        if !known.left.is_empty() {
            let key = (who.brand_id, who.address_key.clone());
            self.left.insert(key, known.left);
        }
        if let Some(row) = known.contact {
            let open = known.open;
            self.contacts
                .entry((who.brand_id, who.address_key))
                .or_insert(Contact { row, open });
        }
    }

    /// Made for every mailbox that is named, so that each signup writes one, whatever comes of it.
    pub(super) fn mailbox(&mut self, call: &SignUp) -> &mut Mailbox {
        self.mailboxes
            .entry((call.brand.id, call.mailbox))
            .or_insert_with(|| empty_mailbox(call.brand.id, call.mailbox))
    }

    /// A request that ends within the batch that made it is changed where it waits to be inserted.
    pub(super) fn replace(&mut self, ended: RequestRow) {
        match self.requests.iter_mut().find(|row| row.id == ended.id) {
            Some(row) => *row = ended,
            None => self.replaced.push(ended),
        }
    }

    pub(super) fn writes(self) -> Writes {
        let contacts: Vec<contacts::Contact> = self
            .contacts
            .into_values()
            .map(|contact| contact.row)
            .collect();
        let mailboxes: Vec<Mailbox> = self.mailboxes.into_values().collect();
        let moved = self.rates.moved();
        let mut writes = Writes::default();
        contacts::put(&mut writes, &contacts);
        requests::insert(&mut writes, &self.requests);
        requests::update(&mut writes, &self.replaced);
        events::append(&mut writes, &self.events);
        outbox::insert(&mut writes, &self.mails);
        budgets::put_mailboxes(&mut writes, &mailboxes);
        booth::insert(&mut writes, &self.entries, self.now);
        budgets::add_rates(&mut writes, &moved, self.now);
        writes
    }
}

/// The rate of whoever sends it. The tablets of a fair share one address with each other and with nobody else's form: a
/// stranger elsewhere who posts to the booth's form draws on a rate of his own.
/// A program's signups draw on the network that it says the person has, as they would at the form; where it does not say, on
/// a rate of the program's own.
pub(super) fn network_key(call: &SignUp) -> String {
    let network = call.circumstances.network();
    match (call.booth, &call.passed_on) {
        (Some(_), _) => rate_key("kiosk", &format!("{}:{network}", call.form.id)),
        (None, Some(passed_on)) => match call.circumstances.claimed_network() {
            Some(network) => rate_key("network", &network),
            None => rate_key("key", &passed_on.key.to_string()),
        },
        (None, None) => rate_key("network", &network),
    }
}

/// The entry of a booth that a signup brings, if it has a number.
pub(super) fn entry_key(call: &SignUp) -> Option<EntryKey> {
    Some((call.brand.id, call.booth?.entry?))
}

/// The request that a correction makes: decided long before, so that one that comes twice is recorded once.
pub(super) fn corrected_key(call: &SignUp) -> Option<requests::Key> {
    call.corrects.map(|one| (call.brand.id, one.request))
}

pub(in crate::app) fn rate_key(kind: &str, of: &str) -> String {
    format!("{kind}:{of}")
}

pub(super) fn who(call: &SignUp) -> Who {
    Who {
        brand_id: call.brand.id,
        address_key: call.address.key().to_owned(),
        address_hash: call.address_hash,
        mailbox: call.mailbox,
        network: network_key(call),
        form: of_form(call.form.id),
    }
}

pub(super) const fn rate_of(call: &SignUp, limits: &Limits) -> Rate {
    Rate {
        an_hour: match (call.booth, &call.passed_on) {
            (Some(_), _) => limits.per_kiosk_an_hour,
            (None, Some(_)) if call.circumstances.claimed_ip.is_none() => limits.per_key_an_hour,
            (None, _) => limits.per_network_an_hour,
        },
    }
}

/// What a batch decides about. Form and installation are not among it: they only hold mail back, and all would wait.
pub(super) fn locks_of(calls: &[SignUp], all: &[Who], limits: &Limits) -> Locks {
    let mut locks = Locks::default();
    for (call, who) in calls.iter().zip(all) {
        locks.contact(who.brand_id, &who.address_key);
        locks.mailbox(who.brand_id, &who.mailbox);
        if rate_of(call, limits).an_hour > 0 {
            locks.rate(&who.network);
        }
        if let Some((brand, id)) = entry_key(call) {
            locks.entry(brand, id);
        }
        if let Some((brand, request)) = corrected_key(call) {
            locks.entry(brand, request.0);
        }
    }
    locks
}

pub(in crate::app) fn empty_mailbox(brand_id: BrandId, hash: MailboxHash) -> Mailbox {
    Mailbox {
        brand_id,
        hash,
        window: MailboxWindow::default(),
        suppressed_at: None,
        suppressed_for: None,
    }
}
