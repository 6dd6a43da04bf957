//! What a brand brings to a verdict of the policy: its terms, and what it knows of an address.

use std::collections::HashMap;

use super::App;
use super::permit::{Unanswerable, parse_address};
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::EmailAddress;
use crate::domain::ids::BrandId;
use crate::domain::permission::Suppressed;
use crate::domain::policy::{AddressFacts, Closed, Terms, is_foreign};
use crate::domain::standing::{Standings, State, has_left_all};
use crate::store::budgets::MailboxHash;
use crate::store::left::Left;
use crate::store::set::ROWS_AT_MOST;
use crate::store::{Conn, StoreError, budgets, contacts, erased, left};

impl App {
    /// Whether the page of a signup is somebody else's: where the brand's forms say on which origins they stand, all others are, but for
    /// our own.
    pub(super) fn is_foreign(&self, brand: &Brand, page: &str) -> bool {
        let catalog = self.catalog();
        let mut forms = catalog.forms_of(brand.id);
        forms.any(|form| !form.declared.origins.is_empty())
            && is_foreign(page, &self.origins(brand))
    }

    /// The origins of the brand's pages: those of its forms, and our own; none where it has named none.
    fn origins(&self, brand: &Brand) -> Vec<String> {
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
        origins
    }

    /// The brand's terms, with the origins of its pages.
    pub fn terms(&self, brand: &Brand) -> Terms {
        Terms::of(&brand.declared, self.origins(brand))
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

    /// As [`Self::known_of`], for many addresses with four statements for each 1,024, in their order.
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
            let mailbox =
                |address: &&EmailAddress| self.keys.mailbox_hash(brand.id.0, &address.mailbox());
            let mailboxes: Vec<_> = part.iter().map(mailbox).collect();
            let standings = contacts::find_standings(&mut conn, brand.id, &keys).await?;
            let standings: HashMap<String, Standings> = standings
                .into_iter()
                .map(|(key, _, standings)| (key, standings))
                .collect();
            let suppressed = suppressed_among(&mut conn, brand.id, &mailboxes).await?;
            let hash = |address: &&EmailAddress| self.keys.address_hash(brand.id.0, address.key());
            let hashes: Vec<_> = part.iter().map(hash).collect();
            let erased = erased::list(&mut conn, brand.id, &hashes).await?;
            let mut told: HashMap<_, Vec<Left>> = HashMap::new();
            for (hash, left) in left::list(&mut conn, brand.id, &hashes).await? {
                told.entry(hash).or_default().push(left);
            }
            known.extend(part.iter().zip(mailboxes.iter().zip(&hashes)).map(
                |(address, (mailbox, hash))| {
                    let standings = standings.get(address.key());
                    let closed = closed(
                        standings,
                        purpose,
                        suppressed.contains_key(mailbox),
                        erased.contains(hash),
                    );
                    let told = told.get(hash).map_or(&[][..], Vec::as_slice);
                    let mut told = told.iter().filter(|left| {
                        purpose.is_none_or(|purpose| left.purpose == purpose.as_str())
                    });
                    let left = told.any(|left| !came_back(standings, left));
                    AddressFacts {
                        role: address.is_role(),
                        closed: closed.or(left.then_some(Closed::Withdrew)),
                    }
                },
            ));
        }
        Ok(known)
    }
}

/// Those of a brand's mailboxes that it does not write to, and why.
pub(super) async fn suppressed_among(
    conn: &mut Conn,
    brand: BrandId,
    mailboxes: &[MailboxHash],
) -> Result<HashMap<MailboxHash, Suppressed>, StoreError> {
    let found = budgets::find_suppressed(conn, brand, mailboxes).await?;
    let found = found
        .into_iter()
        .map(|(hash, since, reason)| (hash, Suppressed { since, reason }));
    Ok(found.collect())
}

/// Whether the person has agreed here since a list told that they had left: only that reopens (D3).
pub(super) fn came_back(standings: Option<&Standings>, left: &Left) -> bool {
    let mut all = standings.into_iter().flatten();
    all.any(|(purpose, standing)| purpose.as_str() == left.purpose && standing.reopens(left.at))
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
