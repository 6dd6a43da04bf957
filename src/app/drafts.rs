//! What operators begin in the pages and finish there: an import whose file they brought, a campaign that they look over.
//!
//! A draft is a row; the file of an import lies beside it in a private folder, with the files of proof that were brought for it,
//! the samples of a dry run and, later, the report. What takes long is done by `work`, in whichever process has the file: it goes on when the page is closed, and after
//! a restart.

pub mod campaign;
mod files;
pub mod import;
mod look;
pub mod proofs;
mod said;
mod tidy;
pub mod upload;
mod work;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use super::App;
use super::import::Progress;
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::drafts::{self, DraftRow};
use crate::store::events::{self, NewEvent};
use crate::store::locks::Locks;
use crate::store::set::Writes;

pub use import::{ImportDraft, Sample, Trial};
pub use look::{Look, Problem as LookProblem};
pub use proofs::{Paper, PaperRefused};
pub use said::Said;
pub use tidy::{KEPT_FOR, REPORT_KEPT_FOR};
pub use work::Due;

/// How far a draft is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Somebody still says what it is.
    Open,
    /// It is tried: read to its end, or counted, with nothing stored.
    Trying,
    /// What would come of it is known.
    Tried,
    /// The import runs.
    Started,
    Done,
    /// The import broke off; somebody has to look at it.
    Failed,
}

impl Stage {
    const ALL: [Self; 6] = [
        Self::Open,
        Self::Trying,
        Self::Tried,
        Self::Started,
        Self::Done,
        Self::Failed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Trying => "trying",
            Self::Tried => "tried",
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// What a draft is of.
pub trait Kind: Serialize + DeserializeOwned {
    const KIND: &'static str;
}

/// A draft as it was read.
#[derive(Clone, Debug)]
pub struct Draft<Of> {
    pub brand: BrandId,
    pub id: Uuid,
    pub stage: Stage,
    pub of: Of,
    pub begun_at: Timestamp,
    pub changed_at: Timestamp,
    revision: i64,
}

/// Why a draft is not changed.
#[derive(Debug, thiserror::Error)]
pub enum DraftProblem {
    /// Somebody else, or the work on it, was faster.
    #[error("it was changed at the same moment; look at it again")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<Of: Kind> Draft<Of> {
    fn of(row: &DraftRow) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt("a draft");
        Ok(Self {
            brand: row.brand_id,
            id: row.id,
            stage: Stage::parse(&row.stage).ok_or_else(corrupt)?,
            of: serde_json::from_str(&row.body).map_err(|_| corrupt())?,
            begun_at: row.begun_at,
            changed_at: row.changed_at,
            revision: row.revision,
        })
    }

    fn row(&self) -> Result<DraftRow, StoreError> {
        Ok(DraftRow {
            brand_id: self.brand,
            id: self.id,
            kind: Of::KIND.to_owned(),
            stage: self.stage.as_str().to_owned(),
            body: serde_json::to_string(&self.of)
                .map_err(|_| StoreError::Corrupt("a draft that cannot be written"))?,
            revision: self.revision,
            begun_at: self.begun_at,
            changed_at: self.changed_at,
        })
    }
}

/// The work of this process on drafts.
#[derive(Debug)]
pub struct AtWork {
    /// As whom this process holds its leases.
    holder: Uuid,
    progress: Mutex<HashMap<Uuid, Shown>>,
    wake: Notify,
    /// Files that are looked at at once, beside those that are worked on.
    looks: Semaphore,
}

/// How far something is, as a page shows it.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub progress: Progress,
    /// Rows a second since this process works on it.
    pub rate: u64,
    /// Seconds left at this pace.
    pub left: u64,
    began: Instant,
    from: (u64, u64),
}

impl AtWork {
    pub fn new(holder: Uuid) -> Self {
        Self {
            holder,
            progress: Mutex::new(HashMap::new()),
            wake: Notify::new(),
            looks: Semaphore::new(2),
        }
    }

    /// How far this process is with a draft; none where another one works on it, or nobody.
    pub fn shown(&self, id: Uuid) -> Option<Shown> {
        self.all().get(&id).copied()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Shown>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, id: Uuid, progress: Progress) {
        let mut all = self.all();
        let shown = all.entry(id).or_insert_with(|| Shown {
            progress,
            rate: 0,
            left: 0,
            began: Instant::now(),
            from: (progress.rows, progress.bytes.0),
        });
        let millis = u64::try_from(shown.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (done, of) = progress.bytes;
        let read = done.saturating_sub(shown.from.1);
        shown.progress = progress;
        let rows = progress.rows.saturating_sub(shown.from.0);
        let pace = rows.saturating_mul(1_000).checked_div(millis);
        shown.rate = pace.unwrap_or(0);
        let left =
            u128::from(millis) * u128::from(of.saturating_sub(done)) / u128::from(read.max(1));
        shown.left = u64::try_from(left / 1_000).unwrap_or(u64::MAX);
    }

    fn forget(&self, id: Uuid) {
        self.all().remove(&id);
    }

    /// Wakes whoever waits for something to do.
    fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until there may be something to do.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}

impl App {
    async fn find_draft<Of: Kind>(
        &self,
        brand: BrandId,
        id: Uuid,
    ) -> Result<Option<Draft<Of>>, StoreError> {
        let mut conn = self.store.read().await?;
        let row = drafts::find(&mut conn, brand, id, Of::KIND).await?;
        row.as_ref().map(Draft::of).transpose()
    }

    /// The newest 500.
    async fn list_drafts<Of: Kind>(&self, brand: BrandId) -> Result<Vec<Draft<Of>>, StoreError> {
        self.list_drafts_before(brand, Uuid::max(), 500).await
    }

    async fn list_drafts_before<Of: Kind>(
        &self,
        brand: BrandId,
        before: Uuid,
        limit: i64,
    ) -> Result<Vec<Draft<Of>>, StoreError> {
        let mut conn = self.store.read().await?;
        let rows = drafts::list_before(&mut conn, brand, Of::KIND, before, limit).await?;
        rows.iter().map(Draft::of).collect()
    }

    /// Writes a draft, with what is kept of who began it.
    async fn insert_draft<Of: Kind>(
        &self,
        brand: BrandId,
        id: Uuid,
        (stage, of): (Stage, Of),
        deed: Option<NewEvent>,
    ) -> Result<Draft<Of>, StoreError> {
        let now = self.clock.now();
        let draft = Draft {
            brand,
            id,
            stage,
            of,
            begun_at: now,
            changed_at: now,
            revision: 0,
        };
        let row = draft.row()?;
        let mut writes = Writes::default();
        events::append(&mut writes, deed.as_slice());
        let mut held = self.store.hold_to_write(Locks::default()).await?;
        drafts::insert(held.conn(), &row).await?;
        held.finish_with(writes).await?;
        self.at_work.wake();
        Ok(draft)
    }

    /// Writes a draft as it is now, unless it was changed since it was read.
    async fn change_draft<Of: Kind>(&self, draft: &mut Draft<Of>) -> Result<(), DraftProblem> {
        draft.changed_at = self.clock.now();
        let mut tx = self.store.write().await?;
        let changed = drafts::change(&mut tx, &draft.row()?).await?;
        tx.commit().await?;
        if !changed {
            return Err(DraftProblem::Changed);
        }
        draft.revision += 1;
        self.at_work.wake();
        Ok(())
    }

    async fn delete_draft<Of>(
        &self,
        draft: &Draft<Of>,
        deed: Option<NewEvent>,
    ) -> Result<(), StoreError> {
        let mut writes = Writes::default();
        events::append(&mut writes, deed.as_slice());
        let mut held = self.store.hold_to_write(Locks::default()).await?;
        drafts::delete(held.conn(), draft.brand, draft.id).await?;
        held.finish_with(writes).await
    }
}
