//! Noticing that an older copy of the database was put back. What such a copy does not know are the withdrawals, the
//! erasures and the mails since: so no mail leaves until an operator says that they were seen to.
//!
//! A file outside the database (`[ledger] head_file`) holds the newest head of the log: on SQLite beside the database, on
//! PostgreSQL where the settings name one. A witness tells in any case (`witness`).

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::App;
use super::audit::Comparison;
use super::sequence::SequenceProblem;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::Verifier;
use crate::store::{StoreError, head_file, log, settings};

/// One thread of a process writes the file at a time, also where whoever waited for the one before went away.
static WRITING: Mutex<()> = Mutex::new(());

/// The setting in the database that holds mail back.
pub(super) const HELD: &str = "sending_held";

/// The setting in the database that says that it was taken as it is, whatever the witness has seen.
fn accepted(witness: &str) -> String {
    format!("restored_accepted {witness}")
}

/// Why no mail leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SendingHeld {
    pub why: String,
}

/// How the log stands to the head that lies beside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// There is no such file, or none is to be kept.
    Nothing,
    /// Another installation's file, or a damaged one: it says nothing of this database.
    Unreadable(String),
    Compared(Comparison),
}

fn size_in(file: &Path, key: &Verifier) -> Option<u64> {
    let kept = head_file::read(file).ok().flatten()?;
    let (kept, _) = Checkpoint::verified(&kept, key).ok()?;
    Some(kept.size)
}

impl Beside {
    /// Why nothing is to be signed or sent, if so.
    pub fn why_not(&self) -> Option<String> {
        match self {
            Self::Compared(Comparison::Behind { here, there }) => Some(format!(
                "the log had {there} entries before, and this database has {here}: an older copy was put back, or its end was cut off"
            )),
            Self::Compared(Comparison::Differs { size }) => Some(format!(
                "this database has another history of the first {size} entries"
            )),
            _ => None,
        }
    }
}

impl App {
    /// Keeps the newest head in its file, where there is to be one, unless a larger one of this log lies there: what was
    /// cut off must not be forgotten. That this fails holds up nothing. Of two processes that write at once the smaller
    /// head may stay, until the next one is signed. It waits for the disk on a thread of its own.
    pub(super) async fn keep_head(&self, size: u64, note: &str) {
        let Some(file) = self.config.ledger.head_file.clone() else {
            return;
        };
        let (key, note) = (self.log.key.verifier(), note.to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
            match size_in(&file, &key) {
                Some(kept) if kept > size => Ok(()),
                _ => head_file::write(&file, &note),
            }
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(%error, "the log's head could not be written beside the database");
        }
    }

    /// Entries of the head that is kept outside the database; none where there is none of this log.
    pub(super) fn kept_head(&self) -> Option<u64> {
        let file = self.config.ledger.head_file.as_ref()?;
        size_in(file, &self.log.key.verifier())
    }

    /// Whether a head is to be kept outside the database.
    pub(super) const fn keeps_a_head(&self) -> bool {
        self.config.ledger.head_file.is_some()
    }

    /// Whether anything outside the database tells when an older copy of it is put back.
    pub fn is_watched(&self) -> bool {
        self.keeps_a_head() || !self.config.witnesses.witnesses.is_empty()
    }

    /// Compares the log with the head that lies beside the database.
    pub(super) async fn beside(&self) -> Result<Beside, SequenceProblem> {
        let Some(file) = &self.config.ledger.head_file else {
            return Ok(Beside::Nothing);
        };
        // Read before the log is: it never runs ahead of it.
        let kept = match head_file::read(file) {
            Ok(Some(kept)) => kept,
            Ok(None) => return Ok(Beside::Nothing),
            Err(error) => return Ok(Beside::Unreadable(error.to_string())),
        };
        Ok(match self.compare(&kept).await? {
            Ok(comparison) => Beside::Compared(comparison),
            Err(problem) => Beside::Unreadable(problem.to_string()),
        })
    }

    /// Compares the database with what stands beside it; holds mail back if it is an older copy. To be called before
    /// anything is sent or logged.
    pub async fn notice_restored(&self) -> Result<Option<SendingHeld>, SequenceProblem> {
        let beside = self.beside().await?;
        if let Beside::Unreadable(problem) = &beside {
            tracing::warn!(%problem, "the log's head beside the database cannot be used");
        }
        let Some(why) = beside.why_not() else {
            return Ok(None);
        };
        self.hold_sending(&why).await?;
        tracing::error!("nothing is signed either");
        Ok(Some(SendingHeld { why }))
    }

    async fn hold_sending(&self, why: &str) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        settings::put(&mut tx, HELD, why).await?;
        tx.commit().await?;
        tracing::error!(%why, "no mail is sent until `countersign restored accept`");
        Ok(())
    }

    /// Holds mail back on the word of a witness, unless the database was taken as it is since the witness last agreed.
    pub(super) async fn hold_for(&self, witness: &str, problem: &str) -> Result<(), StoreError> {
        let mut conn = self.store.read().await?;
        let held = settings::find(&mut conn, HELD).await?;
        let accepted = settings::find(&mut conn, &accepted(witness)).await?;
        drop(conn);
        if held.is_some() || accepted.is_some() {
            return Ok(());
        }
        self.hold_sending(&format!("the witness {witness}: {problem}"))
            .await
    }

    /// The witness agrees again: from now on its word counts as before.
    pub(super) async fn agreed_with(&self, witness: &str) -> Result<(), StoreError> {
        let key = accepted(witness);
        let mut conn = self.store.read().await?;
        let was_accepted = settings::find(&mut conn, &key).await?.is_some();
        drop(conn);
        if was_accepted {
            let mut tx = self.store.write().await?;
            settings::clear(&mut tx, &key).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Why no mail leaves at the moment, if so.
    pub async fn sending_held(&self) -> Result<Option<SendingHeld>, StoreError> {
        let mut conn = self.store.read().await?;
        let why = settings::find(&mut conn, HELD).await?;
        Ok(why.map(|why| SendingHeld { why }))
    }

    /// Takes the database as it is: mail leaves again, and the log goes on. False where nothing was held.
    pub async fn accept_restored(&self) -> Result<bool, StoreError> {
        let mut tx = self.store.write().await?;
        let was_held = settings::clear(&mut tx, HELD).await?;
        if was_held {
            for witness in &self.config.witnesses.witnesses {
                settings::put(&mut tx, &accepted(&witness.key.name), "yes").await?;
            }
        }
        let head = log::head(&mut tx).await?;
        tx.commit().await?;
        if let Some(file) = &self.config.ledger.head_file {
            let note = head.as_ref().map(|head| head.note.as_str());
            if let Err(error) = head_file::replace(file, note) {
                tracing::error!(%error, "the log's head beside the database could not be replaced: remove it by hand");
            }
        }
        self.live.mail_queued();
        Ok(was_held)
    }
}
