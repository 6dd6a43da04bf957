//! What is wrong with a bundle: at which step, in which file, and what.

use std::fmt;

/// The steps of a check, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Container = 1,
    Key,
    Manifest,
    Checkpoint,
    Events,
    Proofs,
    Anchors,
    Times,
    Forms,
    Mails,
    Story,
}

impl Step {
    pub const fn number(self) -> u8 {
        self as u8
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Key => "key",
            Self::Manifest => "manifest",
            Self::Checkpoint => "checkpoint",
            Self::Events => "events",
            Self::Proofs => "proofs",
            Self::Anchors => "anchors",
            Self::Times => "times",
            Self::Forms => "forms",
            Self::Mails => "mails",
            Self::Story => "story",
        }
    }

    /// The step's complaint about a file.
    pub fn wrong(self, file: impl Into<String>, what: impl fmt::Display) -> BundleProblem {
        BundleProblem {
            step: self,
            file: file.into(),
            what: what.to_string(),
        }
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {what} (step {}, {})", step.number(), step.name())]
pub struct BundleProblem {
    pub step: Step,
    /// The file in the bundle, or "the bundle" itself.
    pub file: String,
    pub what: String,
}
