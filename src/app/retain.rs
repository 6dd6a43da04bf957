//! What is kept only for a term: people who never confirmed, and network addresses and browsers. Safe with several workers: whoever
//! comes second finds nothing left to do.
//!
//! Who never confirmed has a mark that says since when: from the end of the last request that nobody answered, or from the list that
//! brought it. Whether it is still so is looked at under the contact's lock, once the mark is as old as the term.

use super::App;
use super::close::{Ending, open_requests};
use super::erase::{EraseProblem, Wish};
use super::record::read_all;
use crate::domain::event::{ErasedBy, Event, Fact, Through};
use crate::domain::standing::never_confirmed;
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Contact, Unconfirmed};
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, campaigns, events, scrub, settings};

/// Contacts that are removed before the disk is cleaned of them; each needs a transaction of its own.
const TOGETHER: i64 = 200;
/// So many times that in one go: what came in on a day of millions is gone within a day.
const GOES: usize = 500;
/// Contacts that the log keeps from being removed, before the others wait for it too.
const WAITING_AT_MOST: usize = 3;
/// Events whose circumstances are removed in one transaction, and transactions in one go.
const EVENTS_TOGETHER: i64 = 2_000;
const ROUNDS: usize = 50;
/// How far circumstances have been removed: a position.
const REMOVED_TO: &str = "circumstances_removed_to";

/// What became of some contacts whose term is over.
#[derive(Default)]
struct Purged {
    removed: u64,
    /// Who could not be removed, and why the last of them could not.
    failed: u64,
    problem: Option<EraseProblem>,
    /// Who is left since the log does not come up with their events.
    waiting: usize,
}

impl App {
    /// Removes contacts that never confirmed, once their term is over, with all that is known of them. An event that says so
    /// stays, and the numbers that do not tell of anybody. Answers with how many.
    pub async fn purge_unconfirmed(&self) -> Result<u64, StoreError> {
        self.purge_while(|| true).await
    }

    /// The same, for as long as it may go on: it is asked between parts of 200. What was removed is off the disk when this returns.
    pub async fn purge_while(&self, goes_on: impl Fn() -> bool) -> Result<u64, StoreError> {
        let Some(term) = self.config.retention.unconfirmed_for else {
            return Ok(0);
        };
        let by = self.clock.now().minus(term);
        let mut all = Purged::default();
        let mut after = None;
        for _ in 0..GOES {
            let mut conn = self.store.read().await?;
            let due = contacts::list_unconfirmed(&mut conn, by, after.as_ref(), TOGETHER).await?;
            drop(conn);
            for one in &due {
                self.purge(one, &mut all).await?;
                if all.waiting >= WAITING_AT_MOST {
                    break;
                }
            }
            after = due.into_iter().next_back();
            if after.is_none() || all.waiting >= WAITING_AT_MOST || !goes_on() {
                break;
            }
        }
        if all.removed > 0 {
            self.store.scrub().await?;
        }
        if let Some(problem) = all.problem {
            let contacts = all.failed;
            tracing::warn!(contacts, %problem, "contacts that never confirmed could not be removed");
        }
        Ok(all.removed)
    }

    /// Removes one. Whatever is wrong with it keeps nobody else.
    async fn purge(&self, contact: &Unconfirmed, all: &mut Purged) -> Result<(), StoreError> {
        let Some(brand) = self.catalog().brand(contact.brand_id).cloned() else {
            return Ok(());
        };
        let wish = Wish {
            by: ErasedBy::Term,
            through: Through::Clockwork,
        };
        match self.erase(&brand, &contact.address, wish).await {
            Ok(_) => all.removed += 1,
            // It has answered.
            Err(EraseProblem::Kept) => self.mark_again(contact, None).await?,
            Err(EraseProblem::NotYet(until)) => {
                let term = self.config.retention.unconfirmed_for.unwrap_or_default();
                self.mark_again(contact, Some(until.minus(term))).await?;
            }
            // Another worker was faster; or it is held, and looked at again when that is over.
            Err(EraseProblem::Unknown | EraseProblem::Held(_)) => {}
            Err(EraseProblem::Store(problem)) if !matches!(problem, StoreError::Corrupt(_)) => {
                return Err(problem);
            }
            Err(problem) => {
                let waits = matches!(problem, EraseProblem::NotLogged | EraseProblem::Log(_));
                all.waiting += usize::from(waits);
                all.failed += 1;
                all.problem = Some(problem);
            }
        }
        Ok(())
    }

    async fn mark_again(
        &self,
        contact: &Unconfirmed,
        since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut writes = Writes::default();
        contacts::move_unconfirmed(&mut writes, contact, since);
        self.store.write_now(writes).await
    }

    /// What the clock makes of a contact that is held by its lock, and whose mark is as old as the term.
    pub(super) async fn look_at_unconfirmed(
        &self,
        tx: &mut Conn,
        contact: &Contact,
    ) -> Result<Unanswered, StoreError> {
        if !never_confirmed(&contact.standings) {
            return Ok(Unanswered::Keep);
        }
        let retention = &self.config.retention;
        let a_term_on = |from: Timestamp| from.plus(retention.unconfirmed_for.unwrap_or_default());
        // A list, or the end of a request, may have set another mark since it was listed.
        match contacts::unconfirmed_since(tx, contact.brand_id, contact.id).await? {
            None => return Ok(Unanswered::Keep),
            Some(since) if a_term_on(since) > self.clock.now() => {
                return Ok(Unanswered::Until(a_term_on(since)));
            }
            Some(_) => {}
        }
        if !open_requests(tx, contact, Ending::All).await?.is_empty()
            || campaigns::is_awaited(tx, contact.brand_id, contact.id).await?
        {
            return Ok(Unanswered::Until(a_term_on(self.clock.now())));
        }
        let ever = Timestamp::from_micros(0);
        let invited = campaigns::asked_among(tx, contact.brand_id, &[contact.id], ever).await?;
        let invited = !invited.is_empty();
        let mut history = History::default();
        let mut after = 0;
        loop {
            let page = events::list_after(tx, contact.brand_id, contact.id, after, 1_000).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for event in &read_all(&page)? {
                history.learn(event);
            }
        }
        if history.gave {
            return Ok(Unanswered::Keep);
        }
        let until = match retention.unasked_for {
            _ if invited || history.signed_up => return Ok(Unanswered::Remove { invited }),
            Some(term) => history.named_at.plus(term),
            None => a_term_on(self.clock.now()),
        };
        Ok(if until > self.clock.now() {
            Unanswered::Until(until)
        } else {
            Unanswered::Remove { invited }
        })
    }

    /// Removes network addresses and browsers from events whose term for them is over, but of contacts that are held. The events
    /// name them by their hash and stay as they are. Answers with the number of events.
    pub async fn remove_circumstances(&self) -> Result<u64, StoreError> {
        let Some(term) = self.config.retention.circumstances_for else {
            // Holds that are over stay too, until there is a term: by them is known whose have to be removed then.
            return Ok(0);
        };
        if self.end_holds().await? {
            self.store.scrub().await?;
        }
        let before = self.clock.now().minus(term);
        let mut removed = 0;
        for _ in 0..ROUNDS {
            match self.remove_some(before).await? {
                Some(some) => removed += some,
                None => break,
            }
        }
        if removed > 0 {
            self.store.scrub().await?;
        }
        Ok(removed)
    }

    async fn remove_some(&self, before: Timestamp) -> Result<Option<u64>, StoreError> {
        // Look before taking the write lock: mostly there is nothing to do.
        let mut conn = self.store.read().await?;
        let after = removed_to(&mut conn).await?;
        let page = events::list_times(&mut conn, after, EVENTS_TOGETHER).await?;
        drop(conn);
        let older = page.iter().take_while(|one| one.1 < before);
        let Some((up_to, _)) = older.last().copied() else {
            return Ok(None);
        };
        let mut held = self.store.hold_to_write(Locks::circumstances()).await?;
        let tx = held.conn();
        // Another worker may have been faster.
        let after = after.max(removed_to(tx).await?);
        if up_to <= after {
            return Ok(Some(0));
        }
        let removed = events::remove_circumstances(tx, after, up_to).await?;
        settings::put(tx, REMOVED_TO, &up_to.to_string()).await?;
        if removed > 0 {
            scrub::mark(tx, self.random.uuid_v7(self.clock.now())).await?;
        }
        held.finish().await?;
        Ok(Some(removed))
    }
}

/// The position up to which they were removed.
pub(super) async fn removed_to(conn: &mut Conn) -> Result<i64, StoreError> {
    let found = settings::find(conn, REMOVED_TO).await?;
    Ok(found.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// What becomes of a contact that never confirmed.
pub(super) enum Unanswered {
    /// Nothing of it is worth keeping. Whether a campaign asked it is to be remembered.
    Remove {
        invited: bool,
    },
    /// It is looked at again then: it has something to answer, waits in a campaign, or was named not long ago.
    Until(Timestamp),
    Keep,
}

/// What a contact's events tell of it.
struct History {
    /// Something that is worth keeping.
    gave: bool,
    /// Somebody signed it up, and so it was asked.
    signed_up: bool,
    /// When a list named it, the last time.
    named_at: Timestamp,
}

impl Default for History {
    fn default() -> Self {
        Self {
            gave: false,
            signed_up: false,
            named_at: Timestamp::from_micros(0),
        }
    }
}

impl History {
    fn learn(&mut self, event: &Event) {
        match &event.fact {
            Fact::SignedUp(_) => self.signed_up = true,
            // What proof gives is consent, and seen in the standings.
            Fact::Imported(_) | Fact::ProofAdded(_) => self.named_at = event.at,
            fact => self.gave |= !gives_nothing(fact),
        }
    }
}

fn gives_nothing(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Invited(_)
            | Fact::MailRequested { .. }
            | Fact::MailFailed { .. }
            | Fact::LinkOpened { .. }
            | Fact::CodeAsked { .. }
            | Fact::CodeWrong { .. }
            | Fact::AddressChanged { .. }
            | Fact::Replaced
            | Fact::Expired
            | Fact::Reminded { .. }
            | Fact::Bounced(_)
            | Fact::Suppressed { .. }
            | Fact::SuppressionLifted { .. }
            | Fact::ImportWithdrawn { .. }
            | Fact::LegalHold { .. }
            | Fact::LegalHoldLifted { .. }
            | Fact::OperatorNote { .. }
            | Fact::Exported { .. }
    ) || matches!(fact, Fact::MailAccepted { .. } if !fact.is_merger_notice())
}
