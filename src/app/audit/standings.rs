//! What is a cache of the events, computed anew: forms by their hashes, contacts' standings by the fold.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::super::App;
use super::super::permit::parse_address;
use super::super::record::read_body;
use super::Audit;
use super::answers::Answers;
use super::details::Details;
use super::kept::Hold;
use crate::domain::event::{Event, Fact};
use crate::domain::form::FormContent;
use crate::domain::hex::hex;
use crate::domain::ids::{BrandId, ContactId, EventId};
use crate::domain::standing::{Standings, apply};
use crate::domain::time::Timestamp;
use crate::store::contacts::Contact;
use crate::store::{Conn, StoreError, brands, contacts, events, holds};

/// Contacts that are in memory together.
const PAGE: i64 = 500;
const FORMS: i64 = 200;
/// Events that are looked through at a time for their contacts.
const EVENTS: i64 = 20_000;
/// Events of a page of contacts whose ids are in memory together; where there are more, one contact is looked at after another.
const IDS: usize = 200_000;
/// Events of one contact that are told to stand there twice.
const TWICE_AT_MOST: usize = 20;
/// Holds without a contact that are told.
const HOLDS: i64 = 20;
/// How often a contact that does not fit is read again, if it changes while it is read.
const LOOKS: u32 = 5;

impl App {
    /// Every form version is what its name says, and its content what its page shows.
    pub(super) async fn audit_forms(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut after = (uuid::Uuid::nil(), String::new());
        loop {
            let page = brands::list_shown(conn, &after, FORMS).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = (last.form_id, last.hash.clone());
            for version in &page {
                let hash = &version.hash;
                if hex(&Sha256::digest(&version.shown)) != *hash {
                    audit.find(format!("the form version {hash}: it was changed"));
                    continue;
                }
                let content = serde_json::from_str::<FormContent>(&version.content).ok();
                if !content.is_some_and(|content| content.is_shown_by(&version.shown)) {
                    audit.find(format!(
                        "the form version {hash}: its content, from which mails and pages are made, is not what its page shows: it was changed"
                    ));
                }
            }
        }
    }

    /// Every form version that an event names is there.
    pub(super) async fn audit_form_names(
        &self,
        conn: &mut Conn,
        named: &HashSet<String>,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut named: Vec<_> = named.iter().collect();
        named.sort_unstable();
        for hash in named {
            if brands::find_shown(conn, hash).await?.is_none() {
                audit.find(format!(
                    "the form version {hash}, which events name, is missing"
                ));
            }
        }
        Ok(())
    }

    /// Folds the events of every contact and compares with what is kept of it.
    pub(super) async fn audit_standings(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut after = (uuid::Uuid::nil(), uuid::Uuid::nil());
        let mut count = 0;
        loop {
            let page = contacts::list(conn, after, PAGE).await?;
            let Some(last) = page.last() else {
                audit.contacts = Some(count);
                return Ok(());
            };
            let (brand, id) = last.as_ref().map_or_else(|id| *id, about);
            after = (brand.0, id.0);
            count += page.len() as u64;
            let mut readable = Vec::with_capacity(page.len());
            for contact in page {
                match contact {
                    Ok(contact) => readable.push(contact),
                    Err((_, id)) => audit.find(format!(
                        "contact {id}: its standing cannot be read: it was changed"
                    )),
                }
            }
            let page = readable;
            let folded = fold_all(conn, &page, IDS).await?;
            for kept in &self.kept_of(conn, page).await? {
                // Too many events to be looked at beside those of others.
                let is_fine = folded.as_ref().is_some_and(|all| {
                    let one = all.get(&about(&kept.contact));
                    one.is_some_and(|one| self.problems(kept, one).is_empty())
                });
                if !is_fine {
                    self.look_again(conn, &kept.contact, audit).await?;
                }
            }
        }
    }

    /// What is wrong with a contact. It may have changed, or been erased, between the reading of its row and that of its
    /// events: so what is kept of it must be the same before and after.
    async fn look_again(
        &self,
        conn: &mut Conn,
        contact: &Contact,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let (brand, id) = (contact.brand_id, contact.id);
        for _ in 0..LOOKS {
            let found = contacts::find_by_id(conn, brand, id).await?;
            let before = self.kept_of(conn, found.into_iter().collect()).await?;
            let Some(kept) = before.first() else {
                return Ok(());
            };
            let folded = fold_all(conn, std::slice::from_ref(&kept.contact), usize::MAX).await?;
            let found = contacts::find_by_id(conn, brand, id).await?;
            if self.kept_of(conn, found.into_iter().collect()).await? == before {
                let mut folded = folded.unwrap_or_default();
                let one = folded.remove(&(brand, id)).unwrap_or_default();
                for problem in self.problems(kept, &one) {
                    audit.find(format!("contact {id}: {problem}"));
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// Every event that was not emptied has its contact.
    pub(super) async fn audit_contacts(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut after = i64::MIN;
        let mut told: Option<ContactId> = None;
        while let Some(end) = events::end_of_page(conn, after, EVENTS).await? {
            for (position, contact) in events::list_without_contact(conn, after, end).await? {
                if told.replace(contact) != Some(contact) {
                    audit.find(format!(
                        "contact {contact}: it is missing, yet the event at position {position} tells of it and no erasure emptied that"
                    ));
                }
            }
            after = end;
        }
        for hold in holds::list_without_contact(conn, HOLDS).await? {
            audit.find(format!(
                "contact {}: it is missing, yet it is under legal hold, which keeps it from being erased",
                hold.contact_id
            ));
        }
        Ok(())
    }
}

/// What the events of a contact say, of which no more is kept than the ids.
#[derive(Default)]
pub(super) struct Folded {
    standings: Standings,
    /// The newest that was not lifted; it may be over.
    pub hold: Option<Hold>,
    /// Since when the person wishes to be erased.
    pub wished_at: Option<Timestamp>,
    answers: Answers,
    details: Details,
    names_it: bool,
    ids: HashSet<EventId>,
    twice: Vec<EventId>,
}

impl Folded {
    fn add(&mut self, contact: &Contact, event: &Event) {
        self.names_it |= match &event.fact {
            Fact::SignedUp(signup) => signup.address == contact.address,
            Fact::Imported(import) => import.address == contact.address,
            _ => false,
        };
        self.answers.add(event);
        self.details.add(contact, event, &self.standings);
        match &event.fact {
            Fact::LegalHold { reason, until } => {
                self.hold = Some(Hold {
                    since: event.at,
                    until: *until,
                    reason: reason.clone(),
                });
            }
            Fact::LegalHoldLifted { .. } => self.hold = None,
            Fact::ErasureWished { taken_back, .. } => {
                self.wished_at = (!taken_back).then_some(event.at);
            }
            _ => {}
        }
        if !self.ids.insert(event.id) && self.twice.len() < TWICE_AT_MOST {
            self.twice.push(event.id);
        }
        apply(&mut self.standings, &event.fact, event.at);
    }

    pub fn problems(&self, contact: &Contact) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.names_it {
            problems.push("no event of it tells of the address that is kept".to_owned());
        }
        let is_key = |address: &str| {
            parse_address(address).is_ok_and(|address| address.key() == contact.address_key)
        };
        if !is_key(&contact.address) {
            problems.push("it is found under another address than the one that is kept".to_owned());
        }
        problems.extend(self.answers.problems.iter().cloned());
        problems.extend(self.details.problems(contact));
        for twice in &self.twice {
            problems.push(format!("its event {twice} stands there twice"));
        }
        if self.standings != contact.standings {
            problems.push("its standing is not what its events say".to_owned());
        }
        problems
    }
}

pub(super) type About = (BrandId, ContactId);

pub(super) const fn about(contact: &Contact) -> About {
    (contact.brand_id, contact.id)
}

/// Folds the events of contacts, one after another as they are read; none where they have more than so many.
async fn fold_all(
    conn: &mut Conn,
    page: &[Contact],
    at_most: usize,
) -> Result<Option<HashMap<About, Folded>>, StoreError> {
    let wanted: Vec<About> = page.iter().map(about).collect();
    let known: HashMap<About, &Contact> = page.iter().map(|one| (about(one), one)).collect();
    let mut folded: HashMap<About, Folded> = HashMap::new();
    let mut count = 0;
    events::each_body(conn, &wanted, |about, body| {
        count += 1;
        if count > at_most {
            folded.clear();
            return Ok(());
        }
        // One that cannot be read was told of by the walk through the log.
        if let (Ok(Some(event)), Some(contact)) = (read_body(body.as_deref()), known.get(&about)) {
            folded.entry(about).or_default().add(contact, &event);
        }
        Ok(())
    })
    .await?;
    Ok((count <= at_most).then_some(folded))
}
