//! A mailbox as the events leave it that could have suppressed it, or let it go.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// Ways in which one mailbox may have come to be suppressed.
const WAYS: usize = 64;
/// How long after it was kept a deed may take effect, and before it where the clock is set back meanwhile.
pub(super) const DONE_WITHIN: Duration = Duration::from_secs(120);

/// The strongest reason.
const OPERATOR: &str = "operator";

/// What tells why a mailbox is suppressed: from when to when, and for what reason.
pub(super) type Way = (Timestamp, Timestamp, &'static str);

/// A mailbox as its events leave it.
pub(super) struct Folded {
    /// How the row may read if it is suppressed.
    pub ways: Vec<Way>,
    /// How many of them are older than the last deed that may have lifted the suppression.
    lifted: usize,
    /// Deeds that may have lifted it, as far as they were looked at: those of its brand that name no mailbox.
    pub unnamed_lifts: u64,
    /// It may just as well be open.
    pub may_be_open: bool,
    /// An event tells that an operator suppressed it; no reason is stronger.
    by_operator: bool,
}

impl Folded {
    pub const fn new() -> Self {
        Self {
            ways: Vec::new(),
            lifted: 0,
            unnamed_lifts: 0,
            may_be_open: true,
            by_operator: false,
        }
    }

    fn add(&mut self, way: Way) {
        if self.ways.len() >= WAYS {
            // Of operators' deeds the first since a lift is what the row says, unless it was not done; those behind it changed nothing
            // then.
            let by_operator = |at: &usize| self.ways[*at].2 == OPERATOR;
            let second = (self.lifted..self.ways.len()).filter(by_operator).nth(1);
            match second {
                Some(at) => {
                    self.ways.remove(at);
                }
                None => {
                    self.ways.remove(0);
                    self.lifted = self.lifted.saturating_sub(1);
                }
            }
        }
        self.ways.push(way);
    }

    /// An event suppresses it; what was suppressed before stays as it is.
    pub fn suppress(&mut self, at: Timestamp, reason: &'static str) {
        if std::mem::take(&mut self.may_be_open) {
            self.add((at, at, reason));
            self.by_operator = reason == OPERATOR;
        }
    }

    /// An event suppresses it, and says that its reason took the place of a weaker one.
    pub fn replace(&mut self, at: Timestamp, reason: &'static str) {
        self.lift();
        self.suppress(at, reason);
    }

    /// An operator's deed, which is kept before it is done: it may not have been done after all. Where an event tells of a weaker
    /// reason, this one took its place.
    pub fn may_suppress(&mut self, at: Timestamp) {
        if self.may_be_open || !self.by_operator {
            self.add((at.minus(DONE_WITHIN), at.plus(DONE_WITHIN), OPERATOR));
        }
    }

    /// An operator's deed: it may not have been done after all.
    pub fn may_lift(&mut self) {
        self.lifted = self.ways.len();
        self.may_be_open = true;
    }

    pub fn lift(&mut self) {
        self.ways.clear();
        self.lifted = 0;
        self.may_be_open = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn told(folded: &Folded) -> Vec<(Timestamp, &'static str)> {
        folded.ways.iter().map(|way| (way.1, way.2)).collect()
    }

    #[test]
    fn the_first_reason_stays_until_an_event_says_that_it_took_its_place() {
        let mut folded = Folded::new();
        folded.suppress(at(1), "declined");
        // As earlier versions kept it.
        folded.suppress(at(2), "complained");
        assert_eq!(told(&folded), [(at(1), "declined")]);
        folded.replace(at(3), "complained");
        assert_eq!(told(&folded), [(at(3), "complained")]);
        assert!(!folded.may_be_open);
    }

    #[test]
    fn a_deed_may_take_a_weaker_reasons_place_and_changes_nothing_of_an_operators_own() {
        let mut folded = Folded::new();
        folded.suppress(at(1), "declined");
        for second in 1_000..1_200 {
            folded.may_suppress(at(second));
        }
        assert_eq!(folded.ways.len(), WAYS);
        assert_eq!(
            told(&folded)[..2],
            [(at(1), "declined"), (at(1_000).plus(DONE_WITHIN), OPERATOR)],
            "the deed that may have done it is not forgotten over those behind it"
        );
        folded.replace(at(2_000), OPERATOR);
        folded.may_suppress(at(2_001));
        assert_eq!(told(&folded), [(at(2_000), OPERATOR)]);
        folded.may_lift();
        folded.may_suppress(at(2_002));
        assert_eq!(folded.ways.len(), 2);
    }
}
