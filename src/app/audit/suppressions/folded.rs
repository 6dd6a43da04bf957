//! A mailbox as the events leave it that could have suppressed it, or let it go.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// Ways in which one mailbox may have come to be suppressed.
const WAYS: usize = 64;
/// How long after it was kept a deed may take effect, and before it where the clock is set back meanwhile.
pub(super) const DONE_WITHIN: Duration = Duration::from_secs(120);

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
}

impl Folded {
    pub const fn new() -> Self {
        Self {
            ways: Vec::new(),
            lifted: 0,
            unnamed_lifts: 0,
            may_be_open: true,
        }
    }

    fn add(&mut self, way: Way) {
        if self.ways.len() >= WAYS {
            // The first since a lift is what the row says, unless that deed was not done; those behind it changed nothing then.
            let second = self.lifted + 1;
            if second < self.ways.len() {
                self.ways.remove(second);
            } else {
                self.ways.remove(0);
                self.lifted = self.lifted.saturating_sub(1);
            }
        }
        self.ways.push(way);
    }

    /// An event suppresses it; what was suppressed before stays as it is.
    pub fn suppress(&mut self, at: Timestamp, reason: &'static str) {
        if std::mem::take(&mut self.may_be_open) {
            self.add((at, at, reason));
        }
    }

    /// An operator's deed, which is kept before it is done: it may not have been done after all.
    pub fn may_suppress(&mut self, at: Timestamp) {
        if self.may_be_open {
            self.add((at.minus(DONE_WITHIN), at.plus(DONE_WITHIN), "operator"));
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
