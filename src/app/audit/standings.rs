//! What is a cache of the events, computed anew: forms by their hashes, contacts' standings by the fold.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::super::App;
use super::super::permit::parse_address;
use super::super::record::read_body;
use super::Audit;
use crate::domain::event::{Event, Fact};
use crate::domain::form::FormContent;
use crate::domain::ids::{BrandId, ContactId, EventId};
use crate::domain::standing::fold;
use crate::domain::time::Timestamp;
use crate::ledger::note::hex;
use crate::store::contacts::Contact;
use crate::store::{Conn, StoreError, brands, contacts, events};

/// Contacts that are in memory together, with their events.
const PAGE: i64 = 500;
const FORMS: i64 = 200;
/// Events that are looked through at a time for their contacts.
const EVENTS: i64 = 20_000;
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
            after = (last.brand_id.0, last.id.0);
            count += page.len() as u64;
            let stories = stories(conn, &page).await?;
            for contact in &page {
                let about = (contact.brand_id, contact.id);
                let story = stories.get(&about).map_or(&[][..], Vec::as_slice);
                if !problems(contact, story).is_empty() {
                    self.look_again(conn, contact, audit).await?;
                }
            }
        }
    }

    /// What is wrong with a contact. It may have changed, or been erased, between the reading of its row and that of its
    /// events: so its row must be the same before and after.
    async fn look_again(
        &self,
        conn: &mut Conn,
        contact: &Contact,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let (brand, id) = (contact.brand_id, contact.id);
        for _ in 0..LOOKS {
            let Some(before) = contacts::find_by_id(conn, brand, id).await? else {
                return Ok(());
            };
            let mut stories = stories(conn, std::slice::from_ref(&before)).await?;
            let after = contacts::find_by_id(conn, brand, id).await?;
            if after.as_ref() == Some(&before) {
                let story = stories.remove(&(brand, id)).unwrap_or_default();
                for problem in problems(&before, &story) {
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
        Ok(())
    }
}

async fn stories(
    conn: &mut Conn,
    page: &[Contact],
) -> Result<HashMap<(BrandId, ContactId), Vec<Event>>, StoreError> {
    let wanted: Vec<_> = page.iter().map(|one| (one.brand_id, one.id)).collect();
    let mut stories: HashMap<_, Vec<Event>> = HashMap::new();
    for (brand, contact, body) in events::list_bodies(conn, &wanted).await? {
        // One that cannot be read was told of by the walk through the log.
        if let Ok(Some(event)) = read_body(body.as_deref()) {
            stories.entry((brand, contact)).or_default().push(event);
        }
    }
    Ok(stories)
}

fn problems(contact: &Contact, story: &[Event]) -> Vec<String> {
    let mut problems = Vec::new();
    let names_it = |event: &Event| match &event.fact {
        Fact::SignedUp(signup) => signup.address == contact.address,
        Fact::Imported(import) => import.address == contact.address,
        _ => false,
    };
    if !story.iter().any(names_it) {
        problems.push("no event of it tells of the address that is kept".to_owned());
    }
    let is_key = |address: &str| {
        parse_address(address).is_ok_and(|address| address.key() == contact.address_key)
    };
    if !is_key(&contact.address) {
        problems.push("it is found under another address than the one that is kept".to_owned());
    }
    let mut seen: HashSet<EventId> = HashSet::new();
    for twice in story.iter().filter(|event| !seen.insert(event.id)) {
        problems.push(format!("its event {} stands there twice", twice.id));
    }
    let folded = fold(story, Timestamp::from_micros(i64::MAX));
    if folded != contact.standings {
        problems.push("its standing is not what its events say".to_owned());
    }
    problems
}
