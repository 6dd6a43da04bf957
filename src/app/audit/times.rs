//! The times that events say, held against the times that checkpoints were signed with and those at which authorities saw
//! them.

use std::collections::VecDeque;
use std::time::Duration;

use super::Audit;
use super::timestamps::Seen;
use crate::domain::time::Timestamp;
use crate::ledger::checkpoint::Checkpoint;

/// How far an event's time may lie outside the time in which it was logged: the clock may have been set, and another
/// machine's may differ.
pub(super) const TOLERANCE: Duration = Duration::from_secs(600);

/// What is known of time at a place in the log.
pub(super) struct Times {
    /// What authorities saw of larger logs, and when they saw the last smaller one.
    seen: VecDeque<Seen>,
    seen_before: Option<Seen>,
    /// When the checkpoint before was signed.
    signed_before: Option<Timestamp>,
    /// The size of the last checkpoint that said until when it holds everything, and that time. Others do not tell: a
    /// sequencer that catches up signs several, and what the later ones hold was there all the time.
    complete: Option<Seen>,
    /// Events that were logged long after their own time, and the first of them.
    late: u64,
    first_late: Option<String>,
}

impl Times {
    pub fn new(seen: VecDeque<Seen>) -> Self {
        Self {
            seen,
            seen_before: None,
            signed_before: None,
            complete: None,
            late: 0,
            first_late: None,
        }
    }

    /// Takes note of what the checkpoint just passed says of the times of events behind it.
    pub fn pass(&mut self, size: u64, checkpoint: Option<&Checkpoint>) {
        let complete_at = checkpoint.and_then(|one| one.complete_at);
        if let Some(at) = complete_at {
            self.complete = Some((size, at));
        }
        self.signed_before = checkpoint.map(|one| one.signed_at).or(self.signed_before);
        while let Some(seen) = self.seen.pop_front_if(|seen| seen.0 <= size) {
            if complete_at.is_some() {
                self.seen_before = Some(seen);
            }
        }
    }

    /// What is wrong with an event's time, if the next checkpoint is this one.
    pub fn problem(&mut self, index: u64, at: Timestamp, behind: &Checkpoint) -> Option<String> {
        let problem = self
            .problem_with_authorities(at)
            .or_else(|| self.problem_with_checkpoints(at, behind));
        if problem.is_none() && at < behind.signed_at.minus(TOLERANCE) {
            self.late += 1;
            self.first_late.get_or_insert_with(|| {
                format!(
                    "event {index}, which says {at} and was logged by {}",
                    behind.signed_at
                )
            });
        }
        problem
    }

    fn problem_with_authorities(&self, at: Timestamp) -> Option<String> {
        if let Some((size, seen)) = self.seen_before.filter(|seen| at < seen.1.minus(TOLERANCE)) {
            return Some(format!(
                "it says {at}, yet was not there when an authority stamped the checkpoint of size {size} at {seen}: it was back-dated, or the clock was wrong"
            ));
        }
        let (_, seen) = self
            .seen
            .front()
            .filter(|seen| at > seen.1.plus(TOLERANCE))?;
        Some(format!(
            "it says {at}, yet an authority saw it logged at {seen}"
        ))
    }

    /// The times of checkpoints are our own clock's. Where that clock was set back between them, both orders are honest.
    fn problem_with_checkpoints(&self, at: Timestamp, behind: &Checkpoint) -> Option<String> {
        let signed_at = behind.signed_at;
        if let Some((size, complete_at)) = self
            .complete
            .filter(|complete| at < complete.1.min(signed_at).minus(TOLERANCE))
        {
            return Some(format!(
                "it says {at}, yet was not there when the checkpoint of size {size} held everything recorded by {complete_at}: it was back-dated, or the clock was set"
            ));
        }
        let latest = self
            .signed_before
            .map_or(signed_at, |before| before.max(signed_at));
        (at > latest.plus(TOLERANCE))
            .then(|| format!("it says {at}, yet was logged by {signed_at}"))
    }

    pub fn tell_late(&mut self, audit: &mut Audit) {
        if let Some(first) = self.first_late.take() {
            audit.remark(format!(
                "{} events came into the log more than ten minutes after the time that they say: the log stood still, or they were written later. The first is {first}",
                self.late
            ));
        }
    }
}
