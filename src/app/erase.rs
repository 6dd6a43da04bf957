//! Erasure: what is known of an address goes; the log stays whole.
//!
//! A commitment in the log is made from an event's body and salt. So an event may be emptied only once it stands in a signed
//! checkpoint; then nothing of the log changes, and the commitment is one of nothing. The order of the steps inside the one
//! transaction is what settles the races, on PostgreSQL too, where others write at the same time:
//! 1. the contact's lock: no signup, answer or resend is under way for it;
//! 2. the contact itself is deleted, before anything else: whoever records a hit or the fate of a mail for it has either
//!    committed, or finds it gone and records nothing. They look at the contact first, too, so nobody waits in a circle;
//! 3. only now all that belongs to it can be seen: its requests, hits and mails go. Whether the log holds all its events is
//!    looked at, and if not, everything is undone and tried again after the sequencer;
//! 4. the events are sealed, where the brand keeps proof, and emptied.

use std::time::Duration;

use uuid::Uuid;

use super::App;
use super::drafts::{ImportDraft, Kind as _};
use super::permit::{Unanswerable, parse_address};
use super::record::{About, read_all};
use super::retain::Unanswered;
use super::seal::{OpenProblem, Sealing};
use super::sequence::SequenceProblem;
use crate::domain::brand::{Brand, KeepProof};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{Asked, ErasedBy, Event, Fact, Through};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::seal::SealProblem;
use crate::domain::time::Timestamp;
use crate::store::contacts::Contact;
use crate::store::erased::AddressHash;
use crate::store::events::NewEvent;
use crate::store::locks::Locks;
use crate::store::requests::{self, Key};
use crate::store::set::Writes;
use crate::store::{
    Conn, StoreError, campaigns, contacts, drafts, erased, events, holds, openings, outbox, proofs,
    scrub, uses, webhooks, wishes,
};

/// How often it is looked whether the log came up with the events. A sequencer that died keeps others away for ten seconds.
const ATTEMPTS: u32 = 150;
const BETWEEN: Duration = Duration::from_millis(100);
/// Events that are read at a time to find their requests.
const PAGE: i64 = 1_000;

/// Who wants it, and by what way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    pub by: ErasedBy,
    pub through: Through,
}

/// A wish that was kept while a hold lasted: it is looked at again whether it still stands.
pub const KEPT_WISH: Wish = Wish {
    by: ErasedBy::Person,
    through: Through::Clockwork,
};

/// What was deleted, and what stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    pub contact: ContactId,
    /// Events that were emptied.
    pub events: i64,
    pub requests: usize,
    /// Networks that opened links of their mails, each for each request.
    pub openings: usize,
    /// Mails that waited, or had failed.
    pub mails: u64,
    /// Files of proof that nobody else referred to.
    pub proofs: u64,
    /// Imports of the pages that were over, whose lists, samples and reports were deleted: they may have named the person.
    pub reports: Vec<Uuid>,
    /// Lists of the brand that wait in the pages or are being taken in: they are not searched.
    pub lists_waiting: i64,
    /// Until when what the events held is kept sealed, where the brand keeps proof.
    pub sealed_until: Option<Timestamp>,
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseProblem {
    #[error(transparent)]
    Address(#[from] Unanswerable),
    #[error("the brand knows nothing of this address")]
    Unknown,
    #[error(
        "the log of evidence does not come up with this contact's events, and before that they cannot be emptied; \
         nothing was changed. Is a server running whose /readyz shows a problem of the log?"
    )]
    NotLogged,
    #[error("the log of evidence does not go on ({0}); nothing was changed")]
    Log(#[from] SequenceProblem),
    /// Something was given meanwhile, or the person took the wish back.
    #[error("the reason to erase the contact does not hold any more; nothing was changed")]
    Kept,
    /// Of what is erased by a term: it is looked at again then.
    #[error("the contact's term lasts until {}; nothing was changed", .0.to_the_minute())]
    NotYet(Timestamp),
    /// Somebody needs it for a claim.
    #[error("the contact is under legal hold until {}; nothing was changed", .0.to_the_minute())]
    Held(Timestamp),
    #[error("the brand's keep_proof_after_erasure: {0}; nothing was changed")]
    Seal(#[from] SealProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OpenProblem> for EraseProblem {
    fn from(problem: OpenProblem) -> Self {
        match problem {
            OpenProblem::Seal(problem) => Self::Seal(problem),
            OpenProblem::Store(problem) => Self::Store(problem),
            OpenProblem::Address(problem) => Self::Address(problem),
            OpenProblem::Nothing | OpenProblem::Several(_) => Self::Unknown,
        }
    }
}

impl App {
    /// Takes what was erased off the disk, for callers who have nobody to tell if that must wait: a worker tries again.
    pub async fn scrub_now(&self) {
        if let Err(problem) = self.store.scrub().await {
            tracing::warn!(%problem, "old bytes are still in the files; the worker tries again");
        }
    }

    /// Erases what a brand knows of an address. When this returns, no row holds it; `Store::scrub` then takes the bytes of
    /// deleted rows off the disk.
    pub async fn erase(
        &self,
        brand: &Brand,
        address: &str,
        wish: Wish,
    ) -> Result<Erased, EraseProblem> {
        let address = parse_address(address)?;
        let mut stuck = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(BETWEEN).await;
            }
            // Before any lock: the log goes on by itself, and this process may be the one that makes it.
            match self.sequence().await {
                Ok(_) => stuck = None,
                // Another sequencer was faster, and an erasure had waited for it: a newer head holds that event.
                Err(problem @ SequenceProblem::Emptied(_)) => stuck = Some(problem),
                Err(problem) => return Err(problem.into()),
            }
            match self.try_erase(brand, &address, wish).await {
                Ok(Some(erased)) => {
                    self.remove_files_of(&erased.reports);
                    return Ok(erased);
                }
                Ok(None) | Err(EraseProblem::Store(StoreError::Overtaken)) => {}
                Err(problem) => return Err(problem),
            }
        }
        Err(stuck.map_or(EraseProblem::NotLogged, EraseProblem::Log))
    }

    /// None where the log does not hold all of the contact's events yet; then nothing was changed.
    async fn try_erase(
        &self,
        brand: &Brand,
        address: &EmailAddress,
        wish: Wish,
    ) -> Result<Option<Erased>, EraseProblem> {
        let mut locks = Locks::default();
        locks.contact(brand.id, address.key());
        locks.proofs(brand.id);
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        let contact = contacts::find(tx, brand.id, address.key())
            .await?
            .ok_or(EraseProblem::Unknown)?;
        let hold = holds::find(tx, brand.id, contact.id, self.clock.now()).await?;
        if let Some(hold) = hold {
            return Err(EraseProblem::Held(hold.until));
        }
        let by_term = wish.by == ErasedBy::Term;
        let mut invited = false;
        if by_term {
            match self.look_at_unconfirmed(tx, &contact).await? {
                Unanswered::Remove { invited: asked } => invited = asked,
                Unanswered::Until(until) => return Err(EraseProblem::NotYet(until)),
                Unanswered::Keep => return Err(EraseProblem::Kept),
            }
        }
        if wish == KEPT_WISH && wishes::find(tx, brand.id, contact.id).await?.is_none() {
            return Err(EraseProblem::Kept);
        }
        let mut erased = delete_rows(tx, &contact).await?;
        // Whose term is over is still counted.
        if by_term {
            campaigns::leave_counted(tx, contact.brand_id, contact.id).await?;
        } else {
            campaigns::delete_of(tx, contact.brand_id, contact.id).await?;
        }
        let last = events::last_of(tx, brand.id, contact.id).await?;
        let head = self.log_head(tx).await?;
        if head.is_none_or(|head| head.last_position < last) {
            return Ok(None);
        }
        // The clock is read under the locks, so that times within one contact never run backwards.
        let now = self.clock.now();
        let hash = self.keys.address_hash(brand.id.0, address.key());
        let sealed = self
            .empty(tx, (brand, wish.by), &hash, &mut erased, now)
            .await?;
        let known = erased::list(tx, brand.id, &[hash]).await?;
        let asked = match invited {
            true if erased::list_asked(tx, brand.id, &[hash]).await?.is_empty() => Asked::First,
            true => Asked::Again,
            false => Asked::No,
        };
        // Who never confirmed has objected to nothing, and may come by any way; but an invitation in person comes once.
        if invited {
            erased::put_asked(tx, brand.id, &hash, now).await?;
        }
        if !by_term {
            erased::put(tx, brand.id, &hash, now).await?;
            erased.reports = drafts::delete_over(tx, brand.id, ImportDraft::KIND).await?;
            erased.lists_waiting = drafts::count_waiting(tx, brand.id, ImportDraft::KIND).await?;
        }
        scrub::mark(tx, self.random.uuid_v7(now)).await?;
        let mut writes = Writes::default();
        events::append(
            &mut writes,
            &[self.told(
                (brand, wish),
                &erased,
                sealed,
                (!known.is_empty(), asked),
                now,
            )?],
        );
        // If the process dies before this commit, nothing was erased; after it everything is.
        held.finish_with(writes).await?;
        Ok(Some(erased))
    }

    /// Step 4. Answers with the hash of what was sealed.
    async fn empty(
        &self,
        tx: &mut Conn,
        (brand, by): (&Brand, ErasedBy),
        address: &AddressHash,
        erased: &mut Erased,
        now: Timestamp,
    ) -> Result<Option<String>, EraseProblem> {
        let mut sealed = None;
        if let Some(keep) = kept(brand, by) {
            let sealing = Sealing {
                brand: brand.id,
                contact: erased.contact,
                address: *address,
                keep,
                now,
            };
            let made = self.seal(tx, &sealing).await?;
            erased.sealed_until = Some(made.until);
            sealed = Some(made.sha256);
        }
        let emptied = events::empty(tx, brand.id, erased.contact).await?;
        erased.events = i64::try_from(emptied).unwrap_or(i64::MAX);
        Ok(sealed)
    }

    /// The event that says that it was lawful.
    fn told(
        &self,
        (brand, wish): (&Brand, Wish),
        erased: &Erased,
        sealed_sha256: Option<String>,
        (erased_before, asked): (bool, Asked),
        now: Timestamp,
    ) -> Result<NewEvent, StoreError> {
        let keep = kept(brand, wish.by);
        let fact = Fact::Erased {
            by: wish.by,
            through: wish.through,
            events: erased.events,
            sealed: keep.is_some(),
            reason: keep.map(|keep| keep.reason.clone()),
            sealed_until: erased.sealed_until,
            sealed_sha256,
            erased_before: Some(erased_before),
            asked: (wish.by == ErasedBy::Term).then_some(asked),
        };
        let about = About {
            brand: brand.id,
            contact: erased.contact,
            request: None,
        };
        self.work().record(about, now, fact)
    }

    /// Whether a contact of this id was erased.
    pub async fn was_erased(&self, brand: BrandId, contact: ContactId) -> Result<bool, StoreError> {
        let mut conn = self.store.read().await?;
        // Behind it stands at most what became of its seal.
        let last = events::list_last(&mut conn, brand, contact, 20).await?;
        let last = read_all(&last)?;
        Ok(last
            .iter()
            .any(|event| matches!(event.fact, Fact::Erased { .. })))
    }

    /// Which of these addresses a brand erased: no basis, whatever an import brings (D3), unless the person has signed up
    /// and confirmed since.
    pub async fn erased_among(
        &self,
        brand: &Brand,
        addresses: &[EmailAddress],
    ) -> Result<Vec<bool>, StoreError> {
        let hashes: Vec<_> = addresses
            .iter()
            .map(|address| self.keys.address_hash(brand.id.0, address.key()))
            .collect();
        let mut conn = self.store.read().await?;
        let found = erased::list(&mut conn, brand.id, &hashes).await?;
        Ok(hashes.iter().map(|hash| found.contains(hash)).collect())
    }
}

/// Where proof outlives an erasure. Of somebody who never consented there is none.
fn kept(brand: &Brand, by: ErasedBy) -> Option<&KeepProof> {
    let keep = brand.declared.keep_proof_after_erasure.as_ref();
    keep.filter(|_| by != ErasedBy::Term)
}

/// Steps 2 and 3: from here on nothing can be recorded of the contact.
async fn delete_rows(tx: &mut Conn, contact: &Contact) -> Result<Erased, StoreError> {
    let asked = requests_of(tx, contact).await?;
    contacts::delete(tx, contact.brand_id, contact.id).await?;
    uses::delete_of(tx, contact.brand_id, contact.id).await?;
    holds::delete_of(tx, contact.brand_id, contact.id).await?;
    wishes::delete_of(tx, contact.brand_id, contact.id).await?;
    webhooks::delete_of(tx, contact.brand_id, contact.id).await?;
    let mails = outbox::delete_of(tx, contact.brand_id, contact.id).await?;
    let requests = requests::delete(tx, &asked).await?;
    let openings = openings::delete_of_requests(tx, &asked).await?;
    openings::delete_of_contact(tx, contact.brand_id, contact.id).await?;
    let proofs = proofs::delete_of(tx, contact.brand_id, contact.id).await?;
    Ok(Erased {
        contact: contact.id,
        events: 0,
        requests,
        openings,
        mails,
        proofs,
        reports: Vec::new(),
        lists_waiting: 0,
        sealed_until: None,
    })
}

/// The contact's requests, from its events: no index leads to them, since every signup would have to keep it.
pub(super) async fn requests_of(tx: &mut Conn, contact: &Contact) -> Result<Vec<Key>, StoreError> {
    let mut keys = Vec::new();
    let mut after = 0;
    loop {
        let found = events::list_after(tx, contact.brand_id, contact.id, after, PAGE).await?;
        let Some(last) = found.last() else { break };
        after = last.position;
        for stored in &found {
            let Some(body) = &stored.body else { continue };
            let event: Event =
                serde_json::from_str(body).map_err(|_| StoreError::Corrupt("event"))?;
            keys.extend(event.request.map(|id| (contact.brand_id, id)));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}
