//! The audit of the whole log: every row that evidence rests on is read, hashed and held against the signed checkpoints.
//!
//! It looks only at what the newest checkpoint holds, which nobody changes any more, so a server may go on beside it.
//! What it says rests on the log's key; whoever does not trust that the key was kept from the operator compares with
//! checkpoints that others hold: `compare`.

mod addresses;
mod answers;
mod checkpoints;
mod compare;
mod cosignatures;
mod details;
mod emptied;
mod entries;
mod erasures;
mod kept;
mod left;
mod load;
mod proofs;
mod rows;
mod runs;
mod standings;
mod strays;
mod suppressions;
mod tiles;
mod times;
mod timestamps;

use super::App;
use super::restored::Beside;
use super::sequence::SequenceProblem;
use crate::store::{Conn, StoreError, log};

pub use self::compare::Comparison;
use self::runs::{audit_runs, audit_unbegun};

/// Findings that are told one by one; the rest is counted.
const TOLD_AT_MOST: usize = 200;

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The log's public key, by which all of it was checked.
    pub vkey: String,
    /// Entries that the newest checkpoint holds.
    pub entries: u64,
    pub checkpoints: u64,
    /// Events that an erasure emptied.
    pub emptied: u64,
    /// Events behind the newest checkpoint, waiting for their place.
    pub waiting: u64,
    pub timestamps: u64,
    /// Entries of the head that lies beside the database, where there is one and the log continues it.
    pub beside: Option<u64>,
    /// Contacts whose standing was computed anew; none where that was not asked for.
    pub contacts: Option<u64>,
    /// What is no fault by itself, since clocks are set and servers stand still, and yet worth knowing.
    pub remarks: Vec<String>,
    /// What is wrong, in the order of the log.
    pub findings: Vec<String>,
    /// Further findings.
    pub untold: u64,
}

impl Audit {
    fn find(&mut self, finding: String) {
        if self.findings.len() < TOLD_AT_MOST {
            self.findings.push(finding);
        } else {
            self.untold += 1;
        }
    }

    fn remark(&mut self, remark: String) {
        if self.remarks.len() < TOLD_AT_MOST {
            self.remarks.push(remark);
        }
    }

    pub const fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What is told of many events at once: how many there are, and the first.
#[derive(Default)]
struct Many {
    count: u64,
    first: Option<String>,
}

impl Many {
    fn add(&mut self, one: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(one);
    }

    fn tell(&self, audit: &mut Audit, what: &str) {
        if let Some(first) = &self.first {
            audit.remark(format!(
                "{} events {what}. The first is {first}",
                self.count
            ));
        }
    }
}

impl App {
    /// Audits the log; with `rebuild` also computes every contact's standing from its events. `progress` is told how many
    /// entries of how many are done.
    pub async fn audit(
        &self,
        rebuild: bool,
        progress: impl Fn(u64, u64) + Send,
    ) -> Result<Audit, StoreError> {
        let mut audit = Audit {
            vkey: self.log.key.verifier().vkey(),
            ..Audit::default()
        };
        let mut conn = self.store.read().await?;
        match self.log_head(&mut conn).await {
            Ok(Some(head)) => {
                self.audit_entries(&mut conn, &head, &mut audit, progress)
                    .await?;
                self.audit_forms(&mut conn, &mut audit).await?;
                self.audit_cosignatures(&mut conn, &mut audit).await?;
                audit_runs(&mut conn, &head, &mut audit).await?;
                count_waiting(&mut conn, head.last_position, &mut audit).await?;
            }
            Ok(None) => {
                audit_unbegun(&mut conn, &mut audit).await?;
                count_waiting(&mut conn, 0, &mut audit).await?;
            }
            Err(SequenceProblem::Store(error)) => return Err(error),
            Err(problem) => audit.find(problem.to_string()),
        }
        self.audit_beside(&mut audit).await?;
        self.audit_suppressions(&mut conn, &mut audit).await?;
        self.audit_proofs(&mut conn, &mut audit).await?;
        if rebuild {
            self.audit_standings(&mut conn, &mut audit).await?;
            self.audit_contacts(&mut conn, &mut audit).await?;
        }
        Ok(audit)
    }
}

impl App {
    /// The head that is kept outside the database saw the end of the log.
    async fn audit_beside(&self, audit: &mut Audit) -> Result<(), StoreError> {
        let beside = match self.beside().await {
            Ok(beside) => beside,
            Err(SequenceProblem::Store(error)) => return Err(error),
            // What keeps the log from being read was told before.
            Err(_) => return Ok(()),
        };
        if let Some(why) = beside.why_not() {
            audit.find(format!("the log's head beside the database: {why}"));
        }
        match beside {
            Beside::Compared(Comparison::Continues { size }) => audit.beside = Some(size),
            Beside::Unreadable(problem) => audit.remark(format!(
                "the log's head beside the database cannot be used, so nothing tells whether the end of the log was cut off: {problem}"
            )),
            Beside::Nothing if audit.entries > 0 && self.keeps_a_head() => audit.remark(
                "no head of the log lies beside the database (….log-head, or the setting [ledger] head_file), so nothing tells whether the end of the log was cut off; a server writes it with the next checkpoint"
                    .to_owned(),
            ),
            Beside::Nothing if audit.entries > 0 => audit.remark(
                "no head of the log is kept outside the database, so nothing here tells whether the end of the log was cut off: name a file under [ledger] head_file, and compare with what others kept (--against)"
                    .to_owned(),
            ),
            _ => {}
        }
        Ok(())
    }
}

async fn count_waiting(conn: &mut Conn, last: i64, audit: &mut Audit) -> Result<(), StoreError> {
    let newest = log::last_position(conn).await?;
    audit.waiting = u64::try_from(newest - last).unwrap_or(0);
    Ok(())
}
