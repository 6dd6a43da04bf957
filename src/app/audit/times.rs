//! The times that events say, held against the times that checkpoints were signed with and those at which authorities saw
//! them. The rules are those of `docs/evidence-bundle.md`, and what only our own clock can tell besides.

use std::collections::VecDeque;
use std::time::Duration;

use super::timestamps::Seen;
use super::{Audit, Many};
use crate::domain::time::Timestamp;
use crate::ledger::checkpoint::Checkpoint;

/// How far an event's time may lie outside the time in which it was logged: the clock may have been set, and another
/// machine's may differ.
pub(super) const TOLERANCE: Duration = Duration::from_secs(600);
/// A clock that is off by more than this is no excuse.
const CLOCK_OFF_AT_MOST: Duration = Duration::from_secs(86_400);

/// What an event says of time.
#[derive(Clone, Copy)]
pub(super) struct Said {
    pub index: u64,
    pub at: Timestamp,
    /// How far the clock was ahead of an authority's.
    pub ahead_micros: Option<i64>,
}

/// What is known of time at a place in the log.
pub(super) struct Times {
    /// What authorities saw of larger logs; the times are the earliest of each and those behind it, so that one that was put
    /// in can hide none.
    seen: VecDeque<Seen>,
    /// The latest that they saw of smaller ones.
    seen_before: Option<(u64, Timestamp)>,
    /// When the checkpoint before was signed.
    signed_before: Option<Timestamp>,
    /// The size of the last checkpoint that said until when it holds everything, and that time. Others do not tell: a
    /// sequencer that catches up signs several, and what the later ones hold was there all the time.
    complete: Option<(u64, Timestamp)>,
    /// Events that were logged long after their own time.
    late: Many,
    /// Events that say a later time than that by which they were logged.
    ahead: Many,
    /// Events whose clock was off against an authority's.
    off: Many,
}

impl Times {
    pub fn new(mut seen: VecDeque<Seen>) -> Self {
        let mut earliest: Option<Seen> = None;
        for one in seen.iter_mut().rev() {
            if let Some(behind) = earliest {
                one.latest = one.latest.min(behind.latest);
                one.holds_by = one.holds_by.min(behind.holds_by);
            }
            earliest = Some(*one);
        }
        Self {
            seen,
            seen_before: None,
            signed_before: None,
            complete: None,
            late: Many::default(),
            ahead: Many::default(),
            off: Many::default(),
        }
    }

    /// Takes note of what the checkpoint just passed says of the times of events behind it.
    pub fn pass(&mut self, size: u64, checkpoint: Option<&Checkpoint>) {
        let complete_at = checkpoint.and_then(|one| one.complete_at);
        if let Some(at) = complete_at {
            self.complete = Some((size, at));
        }
        self.signed_before = checkpoint.map(|one| one.signed_at).or(self.signed_before);
        while let Some(seen) = self.seen.pop_front_if(|seen| seen.size <= size) {
            let is_later = self.seen_before.is_none_or(|before| before.1 <= seen.at);
            if complete_at.is_some() && is_later {
                self.seen_before = Some((seen.size, seen.at));
            }
        }
    }

    /// What is wrong with an event's time, if the next checkpoint is this one.
    pub fn problem(&mut self, said: Said, behind: &Checkpoint) -> Option<String> {
        self.problem_with_authorities(said)
            .or_else(|| self.problem_with_checkpoints(said, behind))
    }

    /// If the event says itself how far its clock was off, by at most a day, then what the authority's clock showed may fit
    /// instead.
    fn problem_with_authorities(&mut self, said: Said) -> Option<String> {
        let Some(problem) = self.contradiction(said.at) else {
            if self
                .seen
                .front()
                .is_some_and(|seen| said.at > seen.holds_by.plus(TOLERANCE))
            {
                self.off.add(|| told(said));
            }
            return None;
        };
        let most = i64::try_from(CLOCK_OFF_AT_MOST.as_micros()).unwrap_or(i64::MAX);
        let ahead = said
            .ahead_micros
            .filter(|ahead| (-most..=most).contains(ahead));
        let by_authority =
            ahead.map(|ahead| Timestamp::from_micros(said.at.micros().saturating_sub(ahead)));
        if by_authority.is_some_and(|at| self.contradiction(at).is_none()) {
            self.off.add(|| told(said));
            return None;
        }
        Some(problem)
    }

    fn contradiction(&self, at: Timestamp) -> Option<String> {
        if let Some((size, seen)) = self.seen_before.filter(|seen| at < seen.1.minus(TOLERANCE)) {
            return Some(format!(
                "it says {at}, yet was not there when an authority stamped the checkpoint of size {size} at {seen}: it was back-dated, or the clock was wrong"
            ));
        }
        let seen = self
            .seen
            .front()
            .filter(|seen| at > seen.latest.plus(TOLERANCE))?;
        Some(format!(
            "it says {at}, yet an authority saw it logged at {}",
            seen.holds_by
        ))
    }

    /// The times of checkpoints are our own clock's. Where that clock was set back between them, both orders are honest; and
    /// what was recorded just before it was set back, by at most a day, says a time that comes again.
    fn problem_with_checkpoints(&mut self, said: Said, behind: &Checkpoint) -> Option<String> {
        let (at, signed_at) = (said.at, behind.signed_at);
        if let Some((size, complete_at)) = self
            .complete
            .filter(|complete| at < complete.1.min(signed_at).minus(TOLERANCE))
        {
            return Some(format!(
                "it says {at}, yet was not there when the checkpoint of size {size} held everything recorded by {complete_at}: it was back-dated, or the clock was set"
            ));
        }
        if at < signed_at.minus(TOLERANCE) {
            self.late
                .add(|| format!("{} and was logged by {signed_at}", told(said)));
        }
        let latest = self
            .signed_before
            .map_or(signed_at, |before| before.max(signed_at));
        if at > latest.plus(CLOCK_OFF_AT_MOST) {
            return Some(format!("it says {at}, yet was logged by {signed_at}"));
        }
        if at > latest.plus(TOLERANCE) {
            self.ahead
                .add(|| format!("{} and was logged by {signed_at}", told(said)));
        }
        None
    }

    pub fn tell(&self, audit: &mut Audit) {
        self.late.tell(
            audit,
            "came into the log more than ten minutes after the time that they say: the log stood still, or they were written later",
        );
        self.ahead.tell(
            audit,
            "say a time that had not come when they were logged: the clock was set back just then, or they were written with a later time. If nobody set the clock, look at them, and let a time server keep it",
        );
        self.off.tell(
            audit,
            "say another time than an authority's clock showed, and the log says itself that the server's clock was off: the authority's time counts. Let a time server keep the clock",
        );
    }
}

fn told(said: Said) -> String {
    format!("event {}, which says {}", said.index, said.at)
}

/// No event that a checkpoint holds is later than this, give or take the tolerance: the time at which an authority saw it, or,
/// if the clock was ahead when it was signed, that time.
pub(super) fn latest(stamped: Timestamp, signed_at: Timestamp) -> Timestamp {
    if stamped < signed_at && signed_at <= stamped.plus(CLOCK_OFF_AT_MOST) {
        signed_at
    } else {
        stamped
    }
}
