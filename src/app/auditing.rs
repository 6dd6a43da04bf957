//! The audit of the whole log, run for an operator's page: in the background, so that it goes on when the page is closed. How
//! far it is stands in this process; what it found is kept in the database with its time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::App;
use super::acted::Acting;
use super::audit::Audit;
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, settings};

/// The setting that holds the last result.
const LAST: &str = "last_audit";
/// Findings and remarks that are kept of one audit.
const KEPT: usize = 20;

/// An audit under way in this process.
#[derive(Clone, Debug)]
pub struct Running {
    /// Who asked for it.
    pub by: String,
    pub since: Timestamp,
    pub done: u64,
    pub of: u64,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    pub by: String,
    pub ended_at: Timestamp,
    pub seconds: u64,
    pub entries: u64,
    pub checkpoints: u64,
    pub timestamps: u64,
    pub emptied: u64,
    pub findings: Vec<String>,
    /// Findings that are not kept one by one.
    pub more: u64,
    pub remarks: Vec<String>,
}

impl Audited {
    fn of(audit: Audit, by: String, started: Timestamp, ended: Timestamp) -> Self {
        let beyond = audit.findings.len().saturating_sub(KEPT);
        Self {
            by,
            ended_at: ended,
            seconds: ended.since(started).as_secs(),
            entries: audit.entries,
            checkpoints: audit.checkpoints,
            timestamps: audit.timestamps,
            emptied: audit.emptied,
            more: audit.untold + beyond as u64,
            findings: audit.findings.into_iter().take(KEPT).collect(),
            remarks: audit.remarks.into_iter().take(KEPT).collect(),
        }
    }

    pub const fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The audit of this process.
#[derive(Debug, Default)]
pub struct Auditing {
    is_running: AtomicBool,
    done: AtomicU64,
    of: AtomicU64,
    started: Mutex<Option<(String, Timestamp)>>,
}

impl Auditing {
    fn begin(&self, by: &str, now: Timestamp) -> bool {
        if self.is_running.swap(true, Ordering::SeqCst) {
            return false;
        }
        self.tell(0, 0);
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = Some((by.to_owned(), now));
        true
    }

    fn tell(&self, done: u64, of: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.of.store(of, Ordering::Relaxed);
    }

    fn end(&self) {
        self.is_running.store(false, Ordering::SeqCst);
    }

    /// The one under way, if any.
    pub fn running(&self) -> Option<Running> {
        if !self.is_running.load(Ordering::SeqCst) {
            return None;
        }
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let (by, since) = started.clone()?;
        Some(Running {
            by,
            since,
            done: self.done.load(Ordering::Relaxed),
            of: self.of.load(Ordering::Relaxed),
        })
    }
}

impl App {
    /// Begins an audit in the background; false where one is under way in this process.
    pub async fn begin_audit(self: &Arc<Self>, acting: &Acting) -> Result<bool, StoreError> {
        let by = acting.operator.name.clone();
        let started = self.clock.now();
        if !self.auditing.begin(&by, started) {
            return Ok(false);
        }
        if let Err(error) = self.acted(acting, Deed::LogVerified, None).await {
            self.auditing.end();
            return Err(error);
        }
        let app = self.clone();
        // Not on the threads that serve pages: hashing a long log keeps a core busy for minutes.
        self.background.spawn(async move {
            if let Err(error) = app.run_audit(by, started).await {
                tracing::error!(%error, "the log could not be checked to its end");
            }
            app.auditing.end();
        });
        Ok(true)
    }

    async fn run_audit(&self, by: String, started: Timestamp) -> Result<(), StoreError> {
        let progress = |done, of| self.auditing.tell(done, of);
        let audit = self.audit(false, progress).await?;
        let audited = Audited::of(audit, by, started, self.clock.now());
        if !audited.holds() {
            tracing::error!(
                findings = audited.findings.len(),
                "the log of evidence does not hold"
            );
        }
        let text = serde_json::to_string(&audited).map_err(|_| StoreError::Corrupt(LAST))?;
        let mut tx = self.store.write().await?;
        settings::put(&mut tx, LAST, &text).await?;
        tx.commit().await
    }

    /// What the last audit found that an operator's page had asked for.
    pub async fn last_audit(&self) -> Result<Option<Audited>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = settings::find(&mut conn, LAST).await?;
        Ok(found.and_then(|text| serde_json::from_str(&text).ok()))
    }
}
