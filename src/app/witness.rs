//! Witnesses: each new checkpoint is shown to those that the operator named, with the proof that it continues the one
//! they saw last; they cosign it (C2SP tlog-witness, tlog-cosignature). Signups never wait for it.
//!
//! A round goes in steps, each of which may be the last one of this process:
//! 1. a lease is taken; if the process dies with it, it runs out;
//! 2. the checkpoint goes to the witness, from the size that it saw last as far as we know. If the process dies here, the
//!    witness may know a size that we do not; its next answer is a conflict that names it (409), and we prove from there;
//! 3. its signature line is checked over the checkpoint's text. One that does not hold is never written;
//! 4. the line and how it stands with the witness are written in one transaction. If the process dies after it, the line
//!    is kept, and served with the checkpoint.
//!
//! A witness remembers what this database may have lost: if it knows a checkpoint that is not here, the database was
//! restored from an older copy, and that is told aloud.

mod show;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use uuid::Uuid;

use super::App;
use super::outside::is_due;
use super::sequence::{Head, SequenceProblem};
use crate::config::{Witness, Witnesses};
use crate::ledger::note::NoteProblem;
use crate::ledger::tree::TileProblem;
use crate::outgoing::{Limits, Outgoing, OutgoingProblem};
use crate::store::cosignatures::{self, Cosignature, Try};
use crate::store::{StoreError, leases, log};

pub(super) const LEASE_NAME: &str = "witnesses";
/// So much longer than a witness may take for its answers is a round given.
const LEASE: Duration = Duration::from_secs(30);
/// A witness is asked this often at most.
const EVERY: Duration = Duration::from_secs(2);
/// The first answer may be a conflict, and another process may be quicker than the second.
const QUESTIONS: u32 = 3;
/// A few signature lines; the longest kind (ML-DSA-44) has 3.3 KB.
const ANSWER_AT_MOST: u64 = 64 << 10;

/// The way out to the witnesses, and who this process is among those that ask them.
pub struct Witnessing {
    outgoing: Outgoing,
    pub(super) holder: Uuid,
    /// Whom this process has asked. Each is asked once at its start, even of a head that it has cosigned: a database is put
    /// back while no server runs.
    met: Mutex<HashSet<String>>,
    /// Who has cosigned the log since this process started.
    agreed: Mutex<HashSet<String>>,
}

impl Witnessing {
    pub(super) fn new(settings: &Witnesses, holder: Uuid) -> Self {
        let limits = Limits {
            allow_private: settings.allow_private,
            within: settings.within,
            answer_at_most: ANSWER_AT_MOST,
        };
        Self {
            outgoing: Outgoing::new(limits),
            holder,
            met: Mutex::default(),
            agreed: Mutex::default(),
        }
    }

    fn has_met(&self, witness: &str) -> bool {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.contains(witness)
    }

    /// Whether the witness has cosigned the log since this process started.
    fn has_agreed(&self, witness: &str) -> bool {
        let agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.contains(witness)
    }

    fn agrees(&self, witness: &str) {
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.insert(witness.to_owned());
    }

    fn meets(&self, witness: &str) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.insert(witness.to_owned());
    }
}

/// Why a witness did not cosign.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WitnessProblem {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Sequence(#[from] SequenceProblem),
    #[error("{0}")]
    Outgoing(#[from] OutgoingProblem),
    #[error("{0}")]
    Tile(#[from] TileProblem),
    #[error("the tiles do not prove that the log of {new} entries continues that of {old}")]
    Proof { old: u64, new: u64 },
    #[error(
        "it cosigned a checkpoint of {theirs} entries that is not in this database, whose newest has {ours}: the database was \
         restored from an older copy, or another server writes a log with the same key. Entries that others have seen \
         are missing here"
    )]
    RolledBack { theirs: u64, ours: u64 },
    #[error(
        "it finds that this log does not continue the one it cosigned before (422): the database was restored from an older \
         copy and went on from there, or another server writes a log with the same key"
    )]
    Inconsistent,
    #[error("it does not know this log (404); its operator has to add the log's key {vkey}")]
    UnknownLog { vkey: String },
    #[error("it does not trust the log's key (403); its operator has to add {vkey}")]
    Untrusted { vkey: String },
    #[error("it answered with the HTTP status {0}")]
    Status(u16),
    #[error("it names no size of the log that it saw (409)")]
    Size,
    #[error("it named other sizes each time it was asked (409)")]
    Restless,
    #[error("its cosignature: {0}")]
    Cosignature(#[from] NoteProblem),
}

impl WitnessProblem {
    /// Whether the log's whole history is in doubt, and not just an answer.
    const fn is_grave(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::Inconsistent)
    }
}

/// What came of asking one witness.
#[derive(Clone, Debug)]
pub struct Asking {
    pub witness: String,
    /// Its signature line, or why there is none.
    pub outcome: Result<Cosignature, WitnessProblem>,
}

impl App {
    /// Shows the newest checkpoint to the witnesses that have not cosigned it and whose time has come. Nothing where
    /// another process is at it.
    pub async fn witness_due(&self) -> Result<Vec<Asking>, SequenceProblem> {
        if self.due_witnesses().await?.is_none() {
            return Ok(Vec::new());
        }
        let (now, holder) = (self.clock.now(), self.witnessing.holder);
        let until = now.plus(LEASE + self.config.witnesses.within * QUESTIONS);
        if !leases::take(&self.store, LEASE_NAME, holder, now, until).await? {
            return Ok(Vec::new());
        }
        let asked = match self.due_witnesses().await? {
            Some((head, due)) => {
                let each = due
                    .into_iter()
                    .map(|(witness, known)| self.show_to(witness, known, &head));
                join_all(each).await
            }
            None => Vec::new(),
        };
        leases::end(&self.store, LEASE_NAME, holder).await?;
        Ok(asked)
    }

    /// The head, and who is to cosign it; none where nobody is.
    async fn due_witnesses(
        &self,
    ) -> Result<Option<(Head, Vec<(&Witness, Option<Try>)>)>, SequenceProblem> {
        let named = &self.config.witnesses.witnesses;
        if named.is_empty() {
            return Ok(None);
        }
        let mut conn = self.store.read().await?;
        let Some(size) = log::head(&mut conn).await?.map(|head| head.size) else {
            return Ok(None);
        };
        let tries = cosignatures::list_tries(&mut conn).await?;
        let now = self.clock.now();
        let due: Vec<(&Witness, Option<Try>)> = named
            .iter()
            .map(|witness| {
                let known = tries.iter().find(|known| known.witness == witness.key.name);
                (witness, known.cloned())
            })
            .filter(|(witness, known)| match known {
                None => size > 0,
                Some(known) => {
                    let has_news = known.cosigned.unwrap_or(0) < size
                        || known.tries > 0
                        || !self.witnessing.has_met(&witness.key.name);
                    has_news && is_due(known.due_at, now, EVERY)
                }
            })
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        Ok(self.log_head(&mut conn).await?.map(|head| (head, due)))
    }
}
