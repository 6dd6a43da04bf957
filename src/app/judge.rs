//! What a brand brings to a verdict of the policy: its terms, and what it knows of an address.

use super::App;
use super::permit::{Unanswerable, parse_address};
use crate::domain::brand::{Brand, Slug};
use crate::domain::policy::{AddressFacts, Closed, Terms};
use crate::domain::standing::{Standings, State};
use crate::store::budgets;
use crate::store::contacts::{self, Contact};

impl App {
    /// The brand's terms, with the origins of its pages: those of its forms, and our own.
    pub fn terms(&self, brand: &Brand) -> Terms {
        let catalog = self.catalog();
        let mut origins: Vec<String> = catalog
            .forms_of(brand.id)
            .flat_map(|form| form.declared.origins.iter().cloned())
            .chain(brand.declared.home_url.iter().cloned())
            .collect();
        // Where the brand has named no page of its own, nothing speaks against one that is claimed.
        if !origins.is_empty() {
            origins.push(self.config.base_url.clone());
            origins.sort_unstable();
            origins.dedup();
        }
        Terms::of(&brand.declared, origins)
    }

    /// What the brand knows of an address, whatever source is claimed. Without a purpose, having left any of them counts.
    pub async fn known_of(
        &self,
        brand: &Brand,
        purpose: Option<&Slug>,
        address: &str,
    ) -> Result<AddressFacts, Unanswerable> {
        let address = parse_address(address)?;
        let mailbox = self.keys.mailbox_hash(brand.id.0, &address.mailbox());
        let mut conn = self.store.read().await?;
        let contact = contacts::find(&mut conn, brand.id, address.key()).await?;
        let mailboxes = budgets::find_mailboxes(&mut conn, &[(brand.id, mailbox)]).await?;
        drop(conn);
        let erased = self.erased_among(brand, std::slice::from_ref(&address));
        let erased = erased.await?.contains(&true);
        let reopened = contact.as_ref().is_some_and(is_confirmed);
        let left = contact.and_then(|contact| left(&contact.standings, purpose));
        let suppressed = mailboxes
            .iter()
            .any(|mailbox| mailbox.suppressed_at.is_some());
        Ok(AddressFacts {
            role: address.is_role(),
            closed: left
                .or(suppressed.then_some(Closed::Suppressed))
                .or((erased && !reopened).then_some(Closed::Erased)),
        })
    }
}

/// Whether the person has confirmed anything, as only the person can after an erasure.
fn is_confirmed(contact: &Contact) -> bool {
    let mut standings = contact.standings.values();
    standings.any(|standing| standing.state == State::Explicit)
}

fn left(standings: &Standings, purpose: Option<&Slug>) -> Option<Closed> {
    standings
        .iter()
        .filter(|(own, _)| purpose.is_none_or(|purpose| purpose == *own))
        .find_map(|(_, standing)| match standing.state {
            State::Withdrawn => Some(Closed::Withdrew),
            State::Declined => Some(Closed::Declined),
            State::Pending
            | State::Implicit
            | State::Explicit
            | State::Lapsed
            | State::Corrected => None,
        })
}
