//! What the policy says of a contact in the moment in which it would be asked.

use std::collections::{HashMap, HashSet};

use crate::app::App;
use crate::app::judge::closed;
use crate::app::permit::parse_address;
use crate::app::record::read_body;
use crate::domain::brand::{Brand, Slug};
use crate::domain::campaign::{Plan, Verdicts};
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{ContactId, RequestId};
use crate::domain::policy::{AddressFacts, Claim, Judgement, Terms, is_same_brand, judge};
use crate::domain::standing::State;
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts::Contact;
use crate::store::{Conn, StoreError, events};

/// A contact with the verdict on all that the brand knows of it.
pub(super) struct Judged {
    pub contact: Contact,
    pub judgement: Judgement,
    /// For the notice of a merger: the verdict on what came over from the brand that it names.
    pub named: Option<Judgement>,
    pub mailbox: Option<Mailbox>,
}

impl Judged {
    pub const fn verdicts(&self) -> Verdicts<'_> {
        Verdicts {
            all: &self.judgement,
            named: self.named.as_ref(),
        }
    }
}

impl App {
    /// Judges contacts by all their sources, in their order.
    pub(super) async fn judge_contacts(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        plan: &Plan,
        contacts: Vec<Contact>,
        now: Timestamp,
    ) -> Result<Vec<Judged>, StoreError> {
        let terms: Terms = self.terms(brand);
        let purpose = &plan.purpose;
        let old = plan.old_brand.as_deref();
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
                let of_it = |old| of_old_brand(&sources.claims, old);
                let named = old
                    .map(of_it)
                    .filter(|claims| !claims.is_empty())
                    .map(|claims| judge(&claims, facts, &terms, now));
                Judged {
                    contact,
                    judgement,
                    named,
                    mailbox,
                }
            })
            .collect();
        self.learn_of_notices(conn, brand, plan, &mut judged)
            .await?;
        Ok(judged)
    }

    /// A judgement knows what was claimed of a merger, and not that its notice was sent from here. Where the standing tells no
    /// more, since it lapsed, the events do.
    async fn learn_of_notices(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        plan: &Plan,
        judged: &mut [Judged],
    ) -> Result<(), StoreError> {
        let purpose = &plan.purpose;
        let lapsed = |one: &Judged| {
            let standing = one.contact.standings.get(purpose);
            one.judgement.notice_due
                && standing.is_some_and(|standing| standing.state == State::Lapsed)
        };
        let in_doubt = judged.iter().filter(|one| lapsed(one));
        let ids: Vec<_> = in_doubt.map(|one| (brand.id, one.contact.id)).collect();
        // Of which old brands each of them was told; a notice that came back told nothing.
        let mut told: HashMap<ContactId, Notices> = HashMap::new();
        events::each_body(conn, &ids, |(_, contact), body| {
            if let Some(event) = read_body(body.as_deref())? {
                told.entry(contact).or_default().learn(purpose, &event);
            }
            Ok(())
        })
        .await?;
        let terms = self.terms(brand);
        let old = plan.old_brand.as_deref().unwrap_or_default();
        for one in judged.iter_mut() {
            let Some(told) = told.get(&one.contact.id) else {
                continue;
            };
            if let Some(named) = &mut one.named {
                named.notice_due &= !told.of(|arrived| is_same_brand(arrived, old));
            }
            let facts = &one.judgement.facts;
            let is_due = |claim: &Claim| {
                let alone = judge(
                    std::slice::from_ref(claim),
                    facts.address,
                    &terms,
                    facts.as_of,
                );
                alone.notice_due && !told.of(|arrived| claim.is_of_old_brand(arrived))
            };
            one.judgement.notice_due = facts.sources.iter().any(is_due);
        }
        Ok(())
    }
}

/// The notices that reached somebody.
#[derive(Default)]
struct Notices {
    /// Which brand the notice of each request names.
    named: HashMap<RequestId, String>,
    arrived: HashSet<RequestId>,
}

impl Notices {
    fn learn(&mut self, purpose: &Slug, event: &Event) {
        let Some(request) = event.request else {
            return;
        };
        match &event.fact {
            Fact::Invited(invited) => {
                let named = invited.old_brand.clone();
                self.named.extend(named.map(|named| (request, named)));
            }
            Fact::MailAccepted { notice_for, .. } if notice_for.contains(purpose) => {
                self.arrived.insert(request);
            }
            Fact::Bounced(bounced) if bounced.notice_for.contains(purpose) => {
                self.arrived.remove(&request);
            }
            _ => {}
        }
    }

    fn of(&self, is_it: impl Fn(&str) -> bool) -> bool {
        let mut arrived = self.arrived.iter();
        arrived.any(|request| self.named.get(request).is_some_and(|named| is_it(named)))
    }
}

fn of_old_brand(claims: &[Claim], old: &str) -> Vec<Claim> {
    let of_it = claims.iter().filter(|claim| claim.is_of_old_brand(old));
    of_it.cloned().collect()
}
