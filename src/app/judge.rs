//! What a brand brings to a verdict of the policy: its terms, and what it knows of an address.

use std::collections::{HashMap, HashSet};

use super::App;
use super::permit::{Unanswerable, parse_address};
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::EmailAddress;
use crate::domain::policy::{AddressFacts, Closed, Terms};
use crate::domain::standing::{Standings, State, has_left_all};
use crate::store::set::ROWS_AT_MOST;
use crate::store::{StoreError, budgets, contacts, erased};

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
        let known = self.known_of_all(brand, purpose, &[&address]).await?;
        Ok(known.into_iter().next().unwrap_or_default())
    }

    /// As [`Self::known_of`], for many addresses with three statements for each 1,024, in their order.
    pub async fn known_of_all(
        &self,
        brand: &Brand,
        purpose: Option<&Slug>,
        addresses: &[&EmailAddress],
    ) -> Result<Vec<AddressFacts>, StoreError> {
        let mut conn = self.store.read().await?;
        let mut known = Vec::with_capacity(addresses.len());
        for part in addresses.chunks(ROWS_AT_MOST) {
            let keys: Vec<&str> = part.iter().map(|address| address.key()).collect();
            let hash = |address: &EmailAddress| {
                let mailbox = address.mailbox();
                (brand.id, self.keys.mailbox_hash(brand.id.0, &mailbox))
            };
            let hashes: Vec<_> = part.iter().map(|address| hash(address)).collect();
            let standings = contacts::find_standings(&mut conn, brand.id, &keys).await?;
            let standings: HashMap<String, Standings> = standings
                .into_iter()
                .map(|(key, _, standings)| (key, standings))
                .collect();
            let mailboxes = budgets::find_mailboxes(&mut conn, &hashes).await?;
            let suppressed: HashSet<_> = mailboxes
                .iter()
                .filter(|mailbox| mailbox.suppressed_at.is_some())
                .map(|mailbox| mailbox.hash)
                .collect();
            let erased_hash =
                |address: &&EmailAddress| self.keys.address_hash(brand.id.0, address.key());
            let erased_hashes: Vec<_> = part.iter().map(erased_hash).collect();
            let erased = erased::list(&mut conn, brand.id, &erased_hashes).await?;
            known.extend(part.iter().zip(hashes.iter().zip(&erased_hashes)).map(
                |(address, ((_, mailbox), erased_hash))| AddressFacts {
                    role: address.is_role(),
                    closed: closed(
                        standings.get(address.key()),
                        purpose,
                        suppressed.contains(mailbox),
                        erased.contains(erased_hash),
                    ),
                },
            ));
        }
        Ok(known)
    }
}

/// Whether the person has confirmed anything, as only the person can after an erasure.
fn is_confirmed(standings: &Standings) -> bool {
    let mut all = standings.values();
    all.any(|standing| standing.state == State::Explicit)
}

/// How the door is closed, for whoever asks about an address: the person left, the mailbox is suppressed, or all was erased
/// and the person has not confirmed anew.
pub(super) fn closed(
    standings: Option<&Standings>,
    purpose: Option<&Slug>,
    suppressed: bool,
    erased: bool,
) -> Option<Closed> {
    let erased = erased && !standings.is_some_and(is_confirmed);
    standings
        .and_then(|standings| left(standings, purpose))
        .or(suppressed.then_some(Closed::Suppressed))
        .or(erased.then_some(Closed::Erased))
}

/// How the person closed the door, as the standings tell. Whoever left everything has left what there was not then.
fn left(standings: &Standings, purpose: Option<&Slug>) -> Option<Closed> {
    if purpose.is_some_and(|purpose| !standings.contains_key(purpose)) {
        return has_left_all(standings).then_some(Closed::Withdrew);
    }
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
