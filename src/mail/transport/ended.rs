//! How sending one mail ended, and what that means for its session.

use super::Outcome;
use super::commands::Step;
use super::outgoing::Mail;
use super::reply::{Reply, verdict};

/// How sending one mail ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// Every reply was read and the server awaits a command, or the message of the mail that was begun.
    pub(super) keep: bool,
    /// The connection broke, or the server said 421, before it had answered MAIL FROM.
    pub(super) stale: bool,
}

impl Ended {
    pub(super) fn lost(outcome: Outcome) -> Self {
        Self {
            outcome,
            keep: false,
            stale: false,
        }
    }

    /// A reply did not come.
    pub(super) fn silent(step: Step, reason: String) -> Self {
        let phase = step.phase();
        Self {
            stale: step.is_before_mail(),
            ..Self::lost(Outcome::Deferred { reason, phase })
        }
    }

    /// A command got another reply than the wished-for one.
    pub(super) fn refused(step: Step, reply: &Reply, mail: &Mail) -> Self {
        let (outcome, keep) = verdict(reply, step.phase(), &[&mail.to, &mail.from]);
        Self {
            outcome,
            // A refused RSET says nothing about this mail.
            keep: keep && step != Step::Reset,
            stale: reply.code == 421 && step.is_before_mail() || step == Step::Reset,
        }
    }

    /// The reply to a command behind the one that failed.
    pub(super) fn and_then(mut self, reply: &Reply) -> Self {
        // The server wants a message although it refused sender or recipient. An empty one would
        // put things in step (RFC 2920, section 3.1), and some server might deliver it.
        self.keep &= !(reply.code == 354 || reply.code == 421);
        self
    }
}
