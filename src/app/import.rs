//! Imports: what the policy says of everybody whom a file names, and taking them in.
//!
//! A file is read some hundred rows at a time. Each part is decided, and written in one transaction together with how far the
//! import came; so after a crash it goes on behind the last part that was written, and nothing is there twice.

mod again;
mod decide;
mod known;
pub(super) mod left;
mod lines;
mod read;
pub mod report;
mod rows;
mod run;
mod show;
mod take;
pub mod tally;
mod withdraw;

pub use again::Again;
pub use read::{Problem, Progress};
pub use rows::KeptRow;
pub use run::{Begun, ImportProblem, NewImport};
pub use show::ImportTold;
pub use withdraw::{WithdrawProblem, Withdrawn};

use crate::domain::brand::{Brand, Slug};
use crate::domain::policy::{Judgement, Terms};
use crate::intake::candidate::Candidate;
use crate::store::Engine;
use crate::store::set::ROWS_AT_MOST;

/// How many rows are judged together. On SQLite half of what one statement takes: a part is in memory while the one before it is
/// written. PostgreSQL has room for some thousand locks in all (`max_locks_per_transaction` for each connection), and a part takes
/// two of them for each row.
const fn together(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => ROWS_AT_MOST / 2,
        Engine::Postgres => 200,
    }
}

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A contact that the brand did not have.
    New,
    /// A further source of a contact that the brand has.
    Added,
    /// The brand has had the contact from this very source, and nothing would change.
    Unchanged,
    /// A contact that the brand has, of whom the file says that the person left.
    Left,
    /// Refused by the policy, or only tried: nothing is stored.
    NotStored,
}

/// A candidate with its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    pub candidate: Candidate,
    pub judgement: Judgement,
    pub fate: Fate,
}

/// For whom a file is imported, and under which terms.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    pub brand: &'a Brand,
    pub purpose: &'a Slug,
    pub terms: Terms,
    /// Of contacts whose language the file does not tell.
    pub language: &'a str,
}
