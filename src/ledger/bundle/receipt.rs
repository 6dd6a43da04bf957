//! A receipt that stands alone: one event with its salt in the `extra` line of its proof (C2SP tlog-proof@v1), so that
//! whoever keeps it can show that the event is in the log, and sees at once if it was removed.

use super::entry::{self, Entry};
use super::words::sentence;
use crate::domain::time::Timestamp;
use crate::ledger::commitment::Salt;
use crate::ledger::merkle::Hash;
use crate::ledger::note::Verifier;
use crate::ledger::receipt::{Receipt, ReceiptProblem};

/// What a receipt tells, once it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipted {
    pub origin: String,
    pub index: u64,
    /// Entries that the log had when the receipt was given.
    pub size: u64,
    /// By the server's own clock.
    pub at: Timestamp,
    pub kind: String,
    pub sentence: String,
}

/// Writes the receipt of an event in canonical form.
pub fn receipt_of(
    canonical: &str,
    salt: &Salt,
    index: u64,
    path: Vec<Hash>,
    checkpoint: String,
) -> String {
    let receipt = Receipt {
        extra: Some(entry::written(canonical, salt, index).into()),
        index,
        path,
        checkpoint,
    };
    receipt.written()
}

/// Checks a receipt against the key of the log.
pub fn read_receipt(bytes: &[u8], by: &Verifier) -> Result<Receipted, ReceiptProblem> {
    let receipt = Receipt::parse(bytes)?;
    let extra = receipt.extra.as_deref().ok_or(ReceiptProblem::Form(
        "there is no event in its line \"extra\"",
    ))?;
    let entry = Entry::parse(1, extra).map_err(ReceiptProblem::Form)?;
    if entry.index != receipt.index {
        return Err(ReceiptProblem::Form("the event says another index"));
    }
    let checkpoint = receipt.verify(&entry.leaf, by)?;
    Ok(Receipted {
        origin: checkpoint.origin,
        index: entry.index,
        size: checkpoint.size,
        at: entry.at,
        kind: entry.kind.clone(),
        sentence: sentence(&entry),
    })
}
