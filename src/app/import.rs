//! Imports: what the policy says of everybody whom a file names, and taking them in.
//!
//! A file is read a thousand rows at a time. Each part is decided and written in one transaction together with how far the
//! import came; so after a crash it goes on behind the last part that was written, and nothing is there twice.

mod decide;
mod read;
pub mod report;
mod run;
mod show;
pub mod tally;
mod withdraw;

pub use read::{Problem, Progress};
pub use run::{Begun, ImportProblem, NewImport};
pub use show::ImportTold;
pub use withdraw::{WithdrawProblem, Withdrawn};

use super::App;
use crate::domain::brand::{Brand, Slug};
use crate::domain::policy::{Judgement, Terms, judge};
use crate::intake::candidate::Candidate;
use crate::store::StoreError;

/// How many candidates are judged together: as many as one statement takes.
pub const TOGETHER: usize = crate::store::set::ROWS_AT_MOST;

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A contact that the brand did not have.
    New,
    /// A further source of a contact that the brand has.
    Added,
    /// The brand has had the contact from this very source, and nothing would change.
    Unchanged,
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

impl App {
    /// Judges candidates by what they claim and by what the brand knows of them. One who left, by the file's own word or by
    /// what the brand knows, is refused (D3). Nothing is stored.
    pub async fn judge_candidates(
        &self,
        import: &Import<'_>,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<Judged>, StoreError> {
        let known = self.known_candidates(import, &candidates).await?;
        let now = self.clock.now();
        let judged = candidates.into_iter().zip(known);
        Ok(judged
            .map(|(candidate, (address, mut sources))| {
                sources.add(&candidate.claims);
                let terms = sources.terms(&import.terms);
                let judgement = judge(&sources.claims, address, &terms, now);
                Judged {
                    candidate,
                    judgement,
                    fate: Fate::NotStored,
                }
            })
            .collect())
    }
}
