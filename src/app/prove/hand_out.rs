//! That evidence was handed out stands in the contact's own story, before it leaves.

use std::time::Duration;

use crate::app::App;
use crate::app::record::{About, read_body};
use crate::domain::brand::Brand;
use crate::domain::event::{Fact, HandedOut, Through};
use crate::domain::ids::ContactId;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{StoreError, contacts, events};

/// Within it the same that goes out by the same way is told once: whoever downloads in a loop does not make a story grow.
pub const TOLD_ONCE_IN: Duration = Duration::from_secs(3_600);
/// More than there can be in that time: each of what, by each way, once.
const LOOKED_AT: i64 = 20;

impl App {
    /// Keeps that something of a contact is handed out. To be called before it is made, so that a bundle holds its own handing
    /// out. False where nothing was written: it was told within the hour, or the contact is gone.
    pub async fn hand_out(
        &self,
        brand: &Brand,
        contact: ContactId,
        what: HandedOut,
        through: Through,
    ) -> Result<bool, StoreError> {
        decided(|| self.try_hand_out(brand, contact, what, through)).await
    }

    async fn try_hand_out(
        &self,
        brand: &Brand,
        contact: ContactId,
        what: HandedOut,
        through: Through,
    ) -> Result<bool, StoreError> {
        let mut conn = self.store.read().await?;
        let found = contacts::find_by_id(&mut conn, brand.id, contact).await?;
        drop(conn);
        let Some(found) = found else {
            return Ok(false);
        };
        let mut locks = Locks::default();
        locks.contact(brand.id, &found.address_key);
        let mut held = self.store.hold(locks).await?;
        let still = contacts::find_by_id(held.conn(), brand.id, contact).await?;
        if still.is_none() {
            return Ok(false);
        }
        let now = self.clock.now();
        let fact = Fact::Exported { what, through };
        let (about, since) = ((brand.id, contact), now.minus(TOLD_ONCE_IN));
        let told =
            events::list_of_kind_since(held.conn(), about, fact.kind(), since, LOOKED_AT).await?;
        for body in &told {
            if read_body(body.as_deref())?.is_some_and(|event| event.fact == fact) {
                return Ok(false);
            }
        }
        let about = About {
            brand: brand.id,
            contact,
            request: None,
        };
        let event = self.work().record(about, now, fact)?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish(writes).await?;
        Ok(true)
    }
}
