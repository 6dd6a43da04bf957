//! What is a cache of the events, computed anew: forms by their hashes, contacts' standings by the fold.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::super::App;
use super::super::record::read_body;
use super::Audit;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::ContactId;
use crate::domain::standing::fold;
use crate::domain::time::Timestamp;
use crate::ledger::note::hex;
use crate::store::contacts::Contact;
use crate::store::{Conn, StoreError, brands, contacts, events};

/// Contacts that are in memory together, with their events.
const PAGE: i64 = 500;
const FORMS: i64 = 200;

impl App {
    /// Every form version is what its name says.
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
            after = (last.0, last.1.clone());
            for (_, hash, shown) in &page {
                if hex(&Sha256::digest(shown)) != *hash {
                    audit.find(format!("the form version {hash}: it was changed"));
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
                let story = stories.get(&contact.id).map_or(&[][..], Vec::as_slice);
                compare(contact, story, audit);
            }
        }
    }
}

async fn stories(
    conn: &mut Conn,
    page: &[Contact],
) -> Result<HashMap<ContactId, Vec<Event>>, StoreError> {
    let wanted: Vec<_> = page.iter().map(|one| (one.brand_id, one.id)).collect();
    let mut stories: HashMap<ContactId, Vec<Event>> = HashMap::new();
    for (contact, body) in events::list_bodies(conn, &wanted).await? {
        // One that cannot be read was told of by the walk through the log.
        if let Ok(Some(event)) = read_body(body.as_deref()) {
            stories.entry(contact).or_default().push(event);
        }
    }
    Ok(stories)
}

fn compare(contact: &Contact, story: &[Event], audit: &mut Audit) {
    let signed_up = |event: &Event| match &event.fact {
        Fact::SignedUp(signup) => signup.address == contact.address,
        _ => false,
    };
    if !story.iter().any(signed_up) {
        audit.find(format!(
            "contact {}: no event of it tells of the address that is kept",
            contact.id
        ));
    }
    let folded = fold(story, Timestamp::from_micros(i64::MAX));
    if folded != contact.standings {
        audit.find(format!(
            "contact {}: its standing is not what its events say",
            contact.id
        ));
    }
}
