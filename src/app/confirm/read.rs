//! What a batch of answers reads: first whom to lock, then, under the locks, what to decide about.

use std::collections::{HashMap, HashSet};

use super::batch::Batch;
use super::{Act, Answer};
use crate::app::Work;
use crate::app::close::{Ending, open_requests};
use crate::app::correct::said_at;
use crate::domain::ids::RequestId;
use crate::domain::scanner::{self, Seen, Thresholds};
use crate::domain::standing::{RequestState, explicit_from};
use crate::store::budgets;
use crate::store::locks::Locks;
use crate::store::openings::{self, Watched};
use crate::store::requests::{self, Asked, Key};
use crate::store::{Conn, StoreError};

/// The contacts of a batch, and the mailboxes that somebody wants left alone. Neither ever changes for a request, so both
/// may be read before they are locked.
pub(super) async fn locks_of(
    work: &Work,
    keys: &[Key],
    calls: &[Answer],
) -> Result<Locks, StoreError> {
    let mut locks = Locks::default();
    let declining = declining(calls);
    let mut conn = work.store.read().await?;
    for owner in requests::list_owners(&mut conn, keys).await? {
        locks.contact(owner.brand_id, &owner.address_key);
        if declining.contains(&owner.id) {
            locks.mailbox(owner.brand_id, &owner.mailbox_hash()?);
        }
    }
    Ok(locks)
}

/// How many people's links the network of each press opened around the time when it opened this one.
pub(super) async fn count_people(
    work: &Work,
    calls: &[Answer],
) -> Result<HashMap<(RequestId, String), i64>, StoreError> {
    let mut presses: Vec<(Key, String)> = calls
        .iter()
        .filter(|call| call.act.is_a_press())
        .map(|call| {
            let key = (call.brand, call.request);
            (key, work.mark_of(&call.circumstances))
        })
        .collect();
    if presses.is_empty() {
        return Ok(HashMap::new());
    }
    presses.sort_unstable();
    presses.dedup();
    let mut keys: Vec<Key> = presses.iter().map(|press| press.0).collect();
    keys.dedup();
    let mut conn = work.store.read().await?;
    let mut seen: HashMap<RequestId, Vec<Seen>> = HashMap::new();
    for (request, one) in openings::list(&mut conn, &keys).await? {
        seen.entry(request).or_default().push(one);
    }
    let now = work.clock.now();
    let watched: Vec<Watched> = presses
        .iter()
        .map(|((_, request), network)| {
            let opened = seen.get(request).map_or(&[][..], Vec::as_slice);
            let (after, until) = scanner::watched(opened, network, now);
            Watched {
                network: network.clone(),
                after,
                until,
            }
        })
        .collect();
    let counted = openings::count_people(&mut conn, &watched).await?;
    let presses = presses.into_iter().map(|(key, network)| (key.1, network));
    Ok(presses.zip(counted).collect())
}

fn declining(calls: &[Answer]) -> HashSet<RequestId> {
    calls
        .iter()
        .filter(|call| matches!(call.act, Act::Decline(_)))
        .map(|call| call.request)
        .collect()
}

impl<'a> Batch<'a> {
    pub(super) async fn read(
        work: &'a Work,
        thresholds: &'a Thresholds,
        tx: &mut Conn,
        keys: &[Key],
        calls: &[Answer],
    ) -> Result<Self, StoreError> {
        let asked = requests::list_with_contacts(tx, keys).await?;
        let mut batch = Self::new(work, thresholds, calls.len());
        let declining = declining(calls);
        let mut boxes = Vec::new();
        for Asked { request, contact } in asked {
            if declining.contains(&request.id) {
                boxes.push((contact.brand_id, contact.mailbox_hash()?));
            }
            batch.contacts.insert(contact.id, contact);
            batch.requests.insert(request.id, request);
        }
        boxes.sort_unstable();
        boxes.dedup();
        batch.mailboxes = budgets::find_mailboxes(tx, &boxes).await?;
        batch.read_others(tx, &declining).await?;
        batch.read_seen(tx, calls).await?;
        batch.read_names(tx).await?;
        Ok(batch)
    }

    /// What else asks the person for the same as a campaign's request that may be declined: for whoever had confirmed that is
    /// leaving.
    async fn read_others(
        &mut self,
        tx: &mut Conn,
        declining: &HashSet<RequestId>,
    ) -> Result<(), StoreError> {
        // Also of one that a newer mail replaced, which may be declined all the same.
        let asked = self.requests.values();
        let asked = asked.filter(|row| row.campaign_id.is_some() && declining.contains(&row.id));
        let asked: Vec<_> = asked
            .map(|row| (row.id, row.contact_id, row.purposes()))
            .collect();
        for (id, contact, purposes) in asked {
            let Some(contact) = self.contacts.get(&contact) else {
                continue;
            };
            let mut others = open_requests(tx, contact, Ending::For(&purposes)).await?;
            others.retain(|one| one.id != id);
            self.others
                .insert(id, others.iter().map(|one| one.id).collect());
            for one in others {
                self.requests.entry(one.id).or_insert(one);
            }
        }
        Ok(())
    }

    /// The names that were given at signups of people who had confirmed before. Of anybody else the contact has it already.
    async fn read_names(&mut self, tx: &mut Conn) -> Result<(), StoreError> {
        for request in self.requests.values() {
            let contact = self.contacts.get(&request.contact_id);
            let had_confirmed = contact
                .and_then(|one| explicit_from(&one.standings))
                .is_some();
            let is_open = request.state()? == RequestState::Open;
            if !had_confirmed || !is_open || request.campaign_id.is_some() {
                continue;
            }
            let said = said_at(tx, request).await?;
            if let Some(name) = said.and_then(|said| said.name) {
                self.names.insert(request.id, name);
            }
        }
        Ok(())
    }

    /// What tells whether a press is a scanner's; of a request whose links nobody opened there is nothing.
    async fn read_seen(&mut self, tx: &mut Conn, calls: &[Answer]) -> Result<(), StoreError> {
        let pressed: HashSet<RequestId> = calls
            .iter()
            .filter(|call| call.act.is_a_press())
            .map(|call| call.request)
            .collect();
        let opened: Vec<Key> = self
            .requests
            .values()
            .filter(|row| row.openings > 0 && pressed.contains(&row.id))
            .map(|row| (row.brand_id, row.id))
            .collect();
        for (request, seen) in openings::list(tx, &opened).await? {
            self.seen.entry(request).or_default().push(seen);
        }
        Ok(())
    }
}
