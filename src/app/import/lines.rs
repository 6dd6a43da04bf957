//! The rows of a part, and what is told of each.

use super::Judged;
use super::read::Progress;
use super::report::Report;
use super::tally::{Counts, Tally, Told};
use crate::intake::Broken;
use crate::intake::candidate::Candidate;

/// Some rows: those that name somebody, and of each row which of them it is, or why it is none.
pub(super) struct Lines {
    pub candidates: Vec<Candidate>,
    /// For a candidate, whether its address stood further up already.
    places: Vec<Result<bool, Broken>>,
}

impl Lines {
    pub fn of(rows: Vec<Result<Candidate, Broken>>, tally: &mut Tally) -> Self {
        let mut candidates = Vec::with_capacity(rows.len());
        let places = rows
            .into_iter()
            .map(|row| {
                row.map(|candidate| {
                    let again = tally.is_again(candidate.address.key());
                    candidates.push(candidate);
                    again
                })
            })
            .collect();
        Self { candidates, places }
    }

    pub const fn count(&self) -> usize {
        self.places.len()
    }

    /// Tells of all rows in their order.
    pub fn tell(
        &self,
        judged: Vec<Judged>,
        counts: &mut Counts,
        mut report: Option<&mut Report>,
    ) -> Result<Vec<Told>, std::io::Error> {
        let mut judged = judged.into_iter();
        let mut all = Vec::with_capacity(self.places.len());
        for place in &self.places {
            let told = match place {
                Err(broken) => Told::broken(broken.clone()),
                Ok(again) => match judged.next() {
                    Some(judged) => Told::judged(judged, *again),
                    None => continue,
                },
            };
            if let Some(report) = report.as_deref_mut() {
                report.write(&told)?;
            }
            counts.add(&told);
            all.push(told);
        }
        Ok(all)
    }
}

impl Tally {
    pub(super) fn take(&mut self, told: Vec<Told>, counts: Counts) {
        self.counts = counts;
        for one in told {
            self.sample(one);
        }
    }

    pub(super) fn progress(&self, bytes: (u64, u64)) -> Progress {
        Progress {
            rows: self.counts.rows(),
            bytes,
        }
    }
}
