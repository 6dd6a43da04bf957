//! What operators do, kept in the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::App;
use super::record::{About, read, read_all};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{BrandId, ContactId, OperatorId};
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
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
const COMMAND_LINE: &str = "the command line";
/// Lists that are remembered as taken.
const LISTS_AT_MOST: usize = 10_000;
/// Within it a list that a program takes in pages, again and again, is told once.
const LIST_TOLD_ONCE_IN: Duration = Duration::from_secs(3_600);

/// When programs last took which list: a list comes in many requests. Only of this process, so that with several of them it is
/// told a few times more.
#[derive(Debug, Default)]
pub struct ListsTaken(Mutex<HashMap<(OperatorId, String), Timestamp>>);

impl ListsTaken {
    /// Whether it is to be told.
    fn note(&self, by: OperatorId, list: &str, now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= LISTS_AT_MOST {
            known.clear();
        }
        let key = (by, list.to_owned());
        let told = known
            .get(&key)
            .is_some_and(|at| *at <= now && now.since(*at) < LIST_TOLD_ONCE_IN);
        if !told {
            known.insert(key, now);
        }
        !told
    }

    fn forget(&self, by: OperatorId, list: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(by, list.to_owned()));
    }
}

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
        let event = self.deed_by(by, deed, on)?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        self.store.write_now(writes).await
    }

    /// Keeps that somebody on the command line does something; before it is done. `on` holds no address.
    pub async fn acted_on_command_line(&self, deed: Deed, on: String) -> Result<(), StoreError> {
        self.acted_by(None, deed, on).await
    }

    /// What stands in the log for whoever is on the command line: with the system's user, where the system tells.
    pub(super) fn command_line(&self) -> String {
        match &self.config.system_user {
            Some(user) => format!("{COMMAND_LINE} ({user})"),
            None => COMMAND_LINE.to_owned(),
        }
    }

    /// Keeps that a program takes a list along, page by page; once an hour for each list.
    pub async fn takes_list(&self, acting: &Acting, list: String) -> Result<(), StoreError> {
        let by = acting.operator.id;
        if !self.lists_taken.note(by, &list, self.clock.now()) {
            return Ok(());
        }
        let kept = self
            .acted(acting, Deed::ListTaken, Some(list.clone()))
            .await;
        if kept.is_err() {
            self.lists_taken.forget(by, &list);
        }
        kept
    }

    /// The event of a deed of an operator, or of whoever is on the command line, for a transaction that holds more.
    pub(super) fn deed_by(
        &self,
        by: Option<&Acting>,
        deed: Deed,
        on: String,
    ) -> Result<NewEvent, StoreError> {
        if let Some(acting) = by {
            return self.deed(acting, deed, Some(on));
        }
        let (nobody, unknown) = (OperatorId(Uuid::nil()), Circumstances::default());
        self.deed_of(nobody, &self.command_line(), &unknown, deed, Some(on))
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

/// What an operator did behind a position: later, or earlier if `down`. Each with its position.
pub async fn deeds_behind(
    store: &Store,
    id: OperatorId,
    (after, down): (Option<i64>, bool),
    limit: usize,
) -> Result<Vec<(i64, Event)>, StoreError> {
    let mut conn = store.read().await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (brand, id) = (NO_BRAND, ContactId(id.0));
    let stored = if down {
        events::list_before(&mut conn, brand, id, after.unwrap_or(i64::MAX), limit).await?
    } else {
        events::list_after(&mut conn, brand, id, after.unwrap_or(0), limit).await?
    };
    let mut deeds = Vec::with_capacity(stored.len());
    for one in &stored {
        if let Some(event) = read(one)? {
            deeds.push((one.position, event));
        }
    }
    Ok(deeds)
}

/// What an operator did, oldest first; the last `limit`.
pub async fn deeds_of(store: &Store, id: OperatorId, limit: i64) -> Result<Vec<Event>, StoreError> {
    let mut conn = store.read().await?;
    let stored = events::list_last(&mut conn, NO_BRAND, ContactId(id.0), limit).await?;
    read_all(&stored)
}
