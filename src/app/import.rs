//! Imports: what the policy says of everybody whom a file names. Nothing is stored here.

use super::App;
use crate::domain::brand::{Brand, Slug};
use crate::domain::policy::{Closed, Judgement, Terms, judge};
use crate::intake::candidate::Candidate;
use crate::store::StoreError;

/// How many candidates are judged together: as many as one statement takes.
pub const TOGETHER: usize = crate::store::set::ROWS_AT_MOST;

/// A candidate with its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    pub candidate: Candidate,
    pub judgement: Judgement,
}

/// For whom a file is imported, and under which terms.
pub struct Import<'a> {
    pub brand: &'a Brand,
    pub purpose: &'a Slug,
    pub terms: Terms,
}

impl App {
    /// Judges candidates by what they claim and by what the brand knows of them. One who left, by the file's own word or by
    /// what the brand knows, is refused (D3).
    pub async fn judge_candidates(
        &self,
        import: &Import<'_>,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<Judged>, StoreError> {
        let addresses: Vec<_> = candidates.iter().map(|one| &one.address).collect();
        let known = self
            .known_of_all(import.brand, Some(import.purpose), &addresses)
            .await?;
        let now = self.clock.now();
        let judged = candidates
            .into_iter()
            .zip(known)
            .map(|(candidate, mut known)| {
                if candidate.left {
                    known.closed = known.closed.or(Some(Closed::Withdrew));
                }
                let judgement = judge(&candidate.claims, known, &import.terms, now);
                Judged {
                    candidate,
                    judgement,
                }
            });
        Ok(judged.collect())
    }
}
