//! A person's wish to be erased while a legal hold keeps what is known of them: it is kept, and done by itself once no hold keeps
//! them any more. Until then the person may take it back.

use super::App;
use super::erase::{EraseProblem, KEPT_WISH};
use super::prefer::{CHANGES_A_DAY, changes_of_late};
use super::record::About;
use crate::domain::brand::Brand;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::wishes::{self, WishRow};
use crate::store::{StoreError, contacts, events, holds};

/// Wishes that are read at a time.
const TOGETHER: i64 = 200;
/// Contacts that the log keeps from being erased, before the others wait for it too.
const WAITING_AT_MOST: usize = 3;

/// What becomes of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wished {
    /// It is on disk, and done once no hold keeps the contact.
    Kept,
    /// No hold keeps the contact: it can be erased now.
    Free,
    /// The contact is gone.
    Gone,
}

/// What becomes of taking a wish back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenBack {
    /// It is on disk that it is wished no more.
    Done,
    /// None was kept.
    NotKept,
    /// The preferences changed so often within a day that no more is taken; the wish stands.
    TooOften,
}

impl App {
    /// Since when a contact wishes to be erased; none where it does not, or where nothing keeps that from being done at once.
    pub async fn wish_of(
        &self,
        brand: BrandId,
        contact: ContactId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = wishes::find(&mut conn, brand, contact).await?;
        Ok(found.map(|wish| wish.wished_at))
    }

    /// Keeps the wish of a contact that is held. Wished again it is one wish, and one event.
    pub async fn keep_wish(
        &self,
        brand: &Brand,
        contact: ContactId,
        circumstances: Circumstances,
    ) -> Result<Wished, StoreError> {
        let Some(locks) = self.locks_of(brand.id, contact).await? else {
            return Ok(Wished::Gone);
        };
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        // An erasure and whoever places or lifts a hold take the same lock.
        if contacts::find_by_id(tx, brand.id, contact).await?.is_none() {
            return Ok(Wished::Gone);
        }
        let now = self.clock.now();
        if holds::find(tx, brand.id, contact, now).await?.is_none() {
            return Ok(Wished::Free);
        }
        let wish = WishRow {
            brand_id: brand.id,
            contact_id: contact,
            wished_at: now,
        };
        let mut writes = Writes::default();
        if wishes::put(tx, &wish).await? {
            let fact = Fact::ErasureWished {
                taken_back: false,
                circumstances,
            };
            let event = self.work().record(about(brand.id, contact), now, fact)?;
            events::append(&mut writes, &[event]);
        }
        held.finish_with(writes).await?;
        Ok(Wished::Kept)
    }

    /// Forgets the wish of a contact. It counts among the changes of a day, which bound what the story grows by: a wish that is kept
    /// is no second event, so wishing itself has no limit.
    pub async fn take_wish_back(
        &self,
        brand: &Brand,
        contact: ContactId,
        circumstances: Circumstances,
    ) -> Result<TakenBack, StoreError> {
        let Some(locks) = self.locks_of(brand.id, contact).await? else {
            return Ok(TakenBack::NotKept);
        };
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        let now = self.clock.now();
        if changes_of_late(tx, (brand.id, contact), now).await? >= CHANGES_A_DAY {
            let kept = wishes::find(tx, brand.id, contact).await?;
            return Ok(kept.map_or(TakenBack::NotKept, |_| TakenBack::TooOften));
        }
        if !wishes::delete_of(tx, brand.id, contact).await? {
            return Ok(TakenBack::NotKept);
        }
        let fact = Fact::ErasureWished {
            taken_back: true,
            circumstances,
        };
        let event = self.work().record(about(brand.id, contact), now, fact)?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await?;
        Ok(TakenBack::Done)
    }

    async fn locks_of(
        &self,
        brand: BrandId,
        contact: ContactId,
    ) -> Result<Option<Locks>, StoreError> {
        let mut conn = self.store.read().await?;
        let known = contacts::find_by_id(&mut conn, brand, contact).await?;
        Ok(known.map(|known| {
            let mut locks = Locks::default();
            locks.contact(brand, &known.address_key);
            locks
        }))
    }

    /// Erases who wished it and is held no longer. Answers with how many; whoever cannot be erased now is tried again the next
    /// time, and keeps nobody else.
    pub async fn do_wishes(&self) -> Result<u64, StoreError> {
        let (mut done, mut after, mut waiting) = (0, None, 0);
        while waiting < WAITING_AT_MOST {
            let mut conn = self.store.read().await?;
            let now = self.clock.now();
            let due = wishes::list_due(&mut conn, now, after.as_ref(), TOGETHER).await?;
            drop(conn);
            for wish in &due {
                done += u64::from(self.do_wish(wish, &mut waiting).await?);
                if waiting >= WAITING_AT_MOST {
                    break;
                }
            }
            after = due.into_iter().next_back();
            if after.is_none() {
                break;
            }
        }
        if done > 0 {
            self.store.scrub().await?;
        }
        Ok(done)
    }

    async fn do_wish(&self, wish: &WishRow, waiting: &mut usize) -> Result<bool, StoreError> {
        let Some(brand) = self.catalog().brand(wish.brand_id).cloned() else {
            return Ok(false);
        };
        let mut conn = self.store.read().await?;
        let known = contacts::find_by_id(&mut conn, brand.id, wish.contact_id).await?;
        drop(conn);
        let Some(contact) = known else {
            return Ok(false);
        };
        match self.erase(&brand, &contact.address, KEPT_WISH).await {
            Ok(_) => Ok(true),
            // Another worker was faster, the wish was taken back, or somebody placed another hold.
            Err(EraseProblem::Unknown | EraseProblem::Kept | EraseProblem::Held(_)) => Ok(false),
            Err(EraseProblem::Store(problem)) if !matches!(problem, StoreError::Corrupt(_)) => {
                Err(problem)
            }
            Err(problem) => {
                let waits = matches!(problem, EraseProblem::NotLogged | EraseProblem::Log(_));
                *waiting += usize::from(waits);
                tracing::warn!(%problem, "somebody who wished it could not be erased; it is tried again");
                Ok(false)
            }
        }
    }
}

const fn about(brand: BrandId, contact: ContactId) -> About {
    About {
        brand,
        contact,
        request: None,
    }
}
