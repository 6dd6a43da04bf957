//! Noticing that an older copy of the database was put back. What such a copy does not know are the withdrawals, the
//! erasures and the mails since: so no mail leaves until an operator says that they were seen to.
//!
//! On SQLite a file beside the database holds the newest head of the log. On PostgreSQL a witness tells (`witness`).

use serde::Serialize;

use super::App;
use super::audit::Comparison;
use super::sequence::SequenceProblem;
use crate::store::{Location, StoreError, head_file, log, settings};

/// The setting in the database that holds mail back.
pub(super) const HELD: &str = "sending_held";

/// Why no mail leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SendingHeld {
    pub why: String,
}

impl App {
    /// Keeps the newest head beside the database, where it is a file. That this fails holds up nothing.
    pub(super) fn keep_head(&self, note: &str) {
        if let Location::Sqlite(database) = &self.config.database
            && let Err(error) = head_file::write(database, note)
        {
            tracing::warn!(%error, "the log's head could not be written beside the database");
        }
    }

    /// Compares the database with what stands beside it; holds mail back if it is an older copy. To be called before
    /// anything is sent or logged.
    pub async fn notice_restored(&self) -> Result<Option<SendingHeld>, SequenceProblem> {
        let Location::Sqlite(database) = &self.config.database else {
            return Ok(None);
        };
        let kept = match head_file::read(database) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%error, "the log's head beside the database could not be read");
                None
            }
        };
        let Some(kept) = kept else {
            return Ok(None);
        };
        let why = match self.compare(&kept).await? {
            // Another installation's file, or a damaged one: it says nothing of this database.
            Err(problem) => {
                tracing::warn!(%problem, "the log's head beside the database is none of this log");
                return Ok(None);
            }
            Ok(Comparison::Continues { .. }) => return Ok(None),
            Ok(Comparison::Behind { here, there }) => format!(
                "the log had {there} entries before, and this database has {here}: an older copy was put back"
            ),
            Ok(Comparison::Differs { size }) => {
                format!("this database has another history of the first {size} entries")
            }
        };
        let mut tx = self.store.write().await?;
        settings::put(&mut tx, HELD, &why).await?;
        tx.commit().await?;
        tracing::error!(%why, "no mail is sent until `countersign restored accept`");
        Ok(Some(SendingHeld { why }))
    }

    /// Why no mail leaves at the moment, if so.
    pub async fn sending_held(&self) -> Result<Option<SendingHeld>, StoreError> {
        let mut conn = self.store.read().await?;
        let why = settings::find(&mut conn, HELD).await?;
        Ok(why.map(|why| SendingHeld { why }))
    }

    /// Takes the database as it is: mail leaves again. False where nothing was held.
    pub async fn accept_restored(&self) -> Result<bool, StoreError> {
        let mut tx = self.store.write().await?;
        let was_held = settings::clear(&mut tx, HELD).await?;
        let head = log::head(&mut tx).await?;
        tx.commit().await?;
        if let Some(head) = head {
            self.keep_head(&head.note);
        }
        self.live.mail_queued();
        Ok(was_held)
    }
}
