//! Legal hold: what is known of a contact is kept for a claim, whoever wants it erased and whatever term is over, until the hold
//! ends by itself or an owner lifts it (GDPR, article 17(3)(e)).
//!
//! A hold keeps three things from happening: an erasure, the removal of who never confirmed, and the removal of network
//! addresses and browsers. It changes nothing about what may be sent, and the person may leave as always; their wish to be erased
//! is kept meanwhile (`wish`).

use std::time::Duration;

use super::App;
use super::acted::Acting;
use super::erase::EraseProblem;
use super::record::About;
use super::retain::removed_to;
use super::suppress::is_reason;
use crate::domain::brand::Brand;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::store::contacts::Contact;
pub use crate::store::holds::HoldRow as Hold;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{StoreError, contacts, events, holds, scrub};

/// A hold lasts so long at most; then somebody says anew why.
pub const YEARS_AT_MOST: u64 = 10;
const AT_MOST: Duration = Duration::from_secs(YEARS_AT_MOST * 366 * 86_400);
/// Holds that are over and taken away in one go.
const TOGETHER: i64 = 200;

/// Why a hold was not placed or lifted.
#[derive(Debug, thiserror::Error)]
pub enum HoldProblem {
    #[error(
        "say why in 3 to 400 characters, all of which can be seen: it stays in the contact's story"
    )]
    Reason,
    #[error(
        "the last day of the hold is ahead, and at most {YEARS_AT_MOST} years; it is written as YYYY-MM-DD"
    )]
    Until,
    #[error("the contact is not there any more")]
    Unknown,
    #[error("the contact is not held")]
    NotHeld,
    #[error("somebody else placed or lifted a hold meanwhile; look at what stands there now")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// The hold that is in force on a contact.
    pub async fn hold_of(
        &self,
        brand: BrandId,
        contact: ContactId,
    ) -> Result<Option<Hold>, StoreError> {
        let mut conn = self.store.read().await?;
        holds::find(&mut conn, brand, contact, self.clock.now()).await
    }

    /// Says no to an erasure before it is noted as done: whoever is held is not erased. The erasure itself looks again.
    pub async fn not_held(&self, brand: BrandId, contact: ContactId) -> Result<(), EraseProblem> {
        match self.hold_of(brand, contact).await? {
            Some(hold) => Err(EraseProblem::Held(hold.until)),
            None => Ok(()),
        }
    }

    /// Keeps what is known of a contact until an instant. A hold that is in force already is replaced, if it is the one that the
    /// operator saw: `seen` is since when that has been. When this returns it is on disk, with what the operator did. Answers with since
    /// when it is.
    pub async fn place_hold(
        &self,
        acting: &Acting,
        brand: &Brand,
        contact: ContactId,
        (reason, until): (&str, Timestamp),
        seen: Option<Timestamp>,
    ) -> Result<Timestamp, HoldProblem> {
        if !is_reason(reason) {
            return Err(HoldProblem::Reason);
        }
        let now = self.clock.now();
        if until <= now || until.since(now) > AT_MOST {
            return Err(HoldProblem::Until);
        }
        let reason = reason.trim();
        let fact = Fact::LegalHold {
            reason: reason.to_owned(),
            until,
        };
        let change = Change::Place(reason, until, seen);
        self.change_hold(acting, brand, contact, (Deed::HoldPlaced, fact, change))
            .await
    }

    /// Ends the hold on a contact.
    pub async fn lift_hold(
        &self,
        acting: &Acting,
        brand: &Brand,
        contact: ContactId,
        reason: &str,
    ) -> Result<(), HoldProblem> {
        if !is_reason(reason) {
            return Err(HoldProblem::Reason);
        }
        let fact = Fact::LegalHoldLifted {
            reason: reason.trim().to_owned(),
        };
        self.change_hold(
            acting,
            brand,
            contact,
            (Deed::HoldLifted, fact, Change::Lift),
        )
        .await
        .map(drop)
    }

    /// One transaction: the hold, the event of the contact, and the operator's deed. Answers with its time.
    async fn change_hold(
        &self,
        acting: &Acting,
        brand: &Brand,
        id: ContactId,
        (deed, fact, change): (Deed, Fact, Change<'_>),
    ) -> Result<Timestamp, HoldProblem> {
        let known = self.whom_to_hold(brand.id, id).await?;
        let mut locks = Locks::default();
        locks.contact(brand.id, &known.address_key);
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        // An erasure holds the same lock: it was faster, or finds the hold.
        if contacts::find_by_id(tx, brand.id, id).await?.is_none() {
            return Err(HoldProblem::Unknown);
        }
        let now = self.clock.now();
        match change {
            Change::Place(reason, until, seen) => {
                let found = holds::find(tx, brand.id, id, now).await?;
                if found.map(|hold| hold.since) != seen {
                    return Err(HoldProblem::Changed);
                }
                let hold = Hold {
                    brand_id: brand.id,
                    contact_id: id,
                    reason: reason.to_owned(),
                    operator: acting.operator.name.clone(),
                    since: now,
                    until,
                };
                holds::put(tx, &hold).await?;
            }
            Change::Lift => {
                if holds::find(tx, brand.id, id, now).await?.is_none() {
                    return Err(HoldProblem::NotHeld);
                }
                holds::end(tx, brand.id, id, now).await?;
            }
        }
        let about = About {
            brand: brand.id,
            contact: id,
            request: None,
        };
        let on = format!("contact {id} of brand {}", brand.declared.slug);
        let mut writes = Writes::default();
        let deed = self.deed(acting, deed, Some(on))?;
        let told = self.work().record(about, now, fact)?;
        events::append(&mut writes, &[deed, told]);
        held.finish_with(writes).await?;
        Ok(now)
    }

    async fn whom_to_hold(&self, brand: BrandId, id: ContactId) -> Result<Contact, HoldProblem> {
        let mut conn = self.store.read().await?;
        let found = contacts::find_by_id(&mut conn, brand, id).await?;
        found.ok_or(HoldProblem::Unknown)
    }

    /// Takes away holds that are over. What had stayed of network addresses and browsers only for them goes with them, where their
    /// term is over. Answers with whether old bytes are left on the disk.
    pub(super) async fn end_holds(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let ended = holds::list_ended(&mut conn, now, TOGETHER).await?;
        drop(conn);
        let mut removed = 0;
        for hold in ended {
            // While this lock is held nobody moves the mark up to which they are removed, and passes over those who are held.
            let mut held = self.store.hold_to_write(Locks::circumstances()).await?;
            let tx = held.conn();
            if holds::delete_ended(tx, &hold, now).await? {
                let whose = (hold.brand_id, hold.contact_id);
                let up_to = removed_to(tx).await?;
                let some = events::remove_circumstances_of(tx, whose, up_to).await?;
                if some > 0 {
                    scrub::mark(tx, self.random.uuid_v7(now)).await?;
                }
                removed += some;
            }
            held.finish().await?;
        }
        Ok(removed > 0)
    }
}

/// What becomes of the hold.
enum Change<'a> {
    Place(&'a str, Timestamp, Option<Timestamp>),
    Lift,
}
