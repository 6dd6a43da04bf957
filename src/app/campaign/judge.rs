//! What the policy says of a contact in the moment in which it would be asked.

use std::collections::{HashMap, HashSet};

use crate::app::App;
use crate::app::judge::closed;
use crate::app::permit::parse_address;
use crate::app::record::read_body;
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::{Event, Fact};
use crate::domain::policy::{AddressFacts, Judgement, Terms, judge};
use crate::domain::standing::State;
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts::Contact;
use crate::store::{Conn, StoreError, events};

/// A contact with the verdict on all that the brand knows of it.
pub(super) struct Judged {
    pub contact: Contact,
    pub judgement: Judgement,
    pub mailbox: Option<Mailbox>,
}

impl App {
    /// Judges contacts by all their sources, in their order.
    pub(super) async fn judge_contacts(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        purpose: &Slug,
        contacts: Vec<Contact>,
        now: Timestamp,
    ) -> Result<Vec<Judged>, StoreError> {
        let terms: Terms = self.terms(brand);
        let ids: Vec<_> = contacts.iter().map(|one| (brand.id, one.id)).collect();
        let mut sources = self.sources_of(conn, purpose, &ids).await?;
        let hashes: Vec<_> = contacts
            .iter()
            .filter_map(|one| Some((brand.id, one.mailbox_hash().ok()?)))
            .collect();
        let mailboxes = budgets::find_mailboxes(conn, &hashes).await?;
        let mailboxes: HashMap<MailboxHash, Mailbox> =
            mailboxes.into_iter().map(|one| (one.hash, one)).collect();
        let mut judged: Vec<Judged> = contacts
            .into_iter()
            .map(|contact| {
                let sources = sources.remove(&contact.id).unwrap_or_default();
                let mailbox = contact
                    .mailbox_hash()
                    .ok()
                    .and_then(|hash| mailboxes.get(&hash).cloned());
                let suppressed = mailbox
                    .as_ref()
                    .is_some_and(|mailbox| mailbox.suppressed_at.is_some());
                let facts = AddressFacts {
                    role: parse_address(&contact.address).is_ok_and(|address| address.is_role()),
                    closed: closed(Some(&contact.standings), Some(purpose), suppressed, false),
                };
                let judgement = judge(&sources.claims, facts, &terms, now);
                Judged {
                    contact,
                    judgement,
                    mailbox,
                }
            })
            .collect();
        self.learn_of_notices(conn, brand, purpose, &mut judged)
            .await?;
        Ok(judged)
    }

    /// A judgement knows what was claimed of a merger, and not that its notice was sent from here. Where the standing tells no
    /// more, since it lapsed, the events do.
    async fn learn_of_notices(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        purpose: &Slug,
        judged: &mut [Judged],
    ) -> Result<(), StoreError> {
        let lapsed = |one: &Judged| {
            let standing = one.contact.standings.get(purpose);
            one.judgement.notice_due
                && standing.is_some_and(|standing| standing.state == State::Lapsed)
        };
        let in_doubt = judged.iter().filter(|one| lapsed(one));
        let ids: Vec<_> = in_doubt.map(|one| (brand.id, one.contact.id)).collect();
        let mut told = HashSet::new();
        let notice = |event: &Event| match &event.fact {
            Fact::MailAccepted { notice_for, .. } => notice_for.contains(purpose),
            _ => false,
        };
        events::each_body(conn, &ids, |(_, contact), body| {
            if read_body(body.as_deref())?.as_ref().is_some_and(notice) {
                told.insert(contact);
            }
            Ok(())
        })
        .await?;
        for one in judged.iter_mut() {
            if told.contains(&one.contact.id) {
                one.judgement.notice_due = false;
            }
        }
        Ok(())
    }
}
