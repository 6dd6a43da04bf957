//! What operators do, kept in the log.

use super::App;
use super::record::{About, read_all};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{BrandId, ContactId, OperatorId};
use crate::domain::operator::{Deed, Operator};
use crate::store::events::{self, NewEvent};
use crate::store::set::Writes;
use crate::store::{Store, StoreError};
use uuid::Uuid;

/// The brand of what belongs to none.
const NO_BRAND: BrandId = BrandId(Uuid::nil());
/// Characters of what a deed was done to.
const ON_AT_MOST: usize = 300;

/// Somebody at work.
#[derive(Clone, Debug)]
pub struct Acting {
    pub operator: Operator,
    pub circumstances: Circumstances,
}

/// Whoever works on the command line: they hold the settings file, and with it everything.
pub const COMMAND_LINE: &str = "the command line";

impl App {
    /// Keeps that an operator does something. Called before the deed where that is a transaction of its own: nothing is done
    /// without a trace. `on` names what it is done to; it holds no address.
    pub async fn acted(
        &self,
        acting: &Acting,
        deed: Deed,
        on: Option<String>,
    ) -> Result<(), StoreError> {
        let event = self.deed(acting, deed, on)?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        self.store.write_now(writes).await
    }

    /// The same of whoever works on the command line, where nobody is signed in.
    pub(super) async fn acted_by(
        &self,
        by: Option<&Acting>,
        deed: Deed,
        on: String,
    ) -> Result<(), StoreError> {
        if let Some(acting) = by {
            return self.acted(acting, deed, Some(on)).await;
        }
        let (nobody, unknown) = (OperatorId(Uuid::nil()), Circumstances::default());
        let event = self.deed_of(nobody, COMMAND_LINE, &unknown, deed, Some(on))?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        self.store.write_now(writes).await
    }

    /// The event of a deed, for a transaction that holds more.
    pub(super) fn deed(
        &self,
        acting: &Acting,
        deed: Deed,
        on: Option<String>,
    ) -> Result<NewEvent, StoreError> {
        self.deed_of(
            acting.operator.id,
            &acting.operator.name,
            &acting.circumstances,
            deed,
            on,
        )
    }

    pub(super) fn deed_of(
        &self,
        id: OperatorId,
        name: &str,
        circumstances: &Circumstances,
        deed: Deed,
        on: Option<String>,
    ) -> Result<NewEvent, StoreError> {
        let about = About {
            brand: NO_BRAND,
            contact: ContactId(id.0),
            request: None,
        };
        let fact = Fact::OperatorActed {
            operator: name.to_owned(),
            deed: deed.as_str().to_owned(),
            on: on.map(|on| on.chars().take(ON_AT_MOST).collect()),
            circumstances: circumstances.clone(),
        };
        self.work().record(about, self.clock.now(), fact)
    }
}

/// What an operator did, oldest first; the last `limit`.
pub async fn deeds_of(store: &Store, id: OperatorId, limit: i64) -> Result<Vec<Event>, StoreError> {
    let mut conn = store.read().await?;
    let stored = events::list_last(&mut conn, NO_BRAND, ContactId(id.0), limit).await?;
    read_all(&stored)
}
