//! The consent policy: from where an address came to what may be sent to it. The table in `sources` is the only place where
//! its rows are written; the command line, the documents and the pages show the same rows.

mod claim;
mod data;
mod judge;
mod merger;
mod overlay;
mod proof;
mod rule;
mod sources;
mod terms;
mod told;
mod verdict;
mod weigh;
mod why;
mod window;

#[cfg(test)]
mod tests;

pub use claim::{AddressFacts, Claim, ClaimProblem, Closed, is_same_brand};
pub use data::data;
pub use judge::{Facts, Judgement, judge, judge_signup};
pub use overlay::{OVERLAYS, Overlay, OverlayRow};
pub use proof::is_foreign;
pub use rule::{ADDRESS_RULES, GENERAL_RULES, PRECEDENCE, READING_DATES, Rule};
pub use sources::{Need, ProofKey, Row, SOURCES, Source, TAKE_FILES, takes_file};
pub use terms::{ACTIVE_WITHIN_AT_MOST, ACTIVE_WITHIN_MONTHS, OrganizerLists, Terms};
pub use told::Explanation;
pub use verdict::{Outreach, Ruling, Verdict};
pub use window::{Window, Zone, ZoneName};

/// The version of the rules below, kept with every verdict.
pub const POLICY_VERSION: &str = "2026-11";

/// Stands wherever a verdict is shown.
pub const NO_LEGAL_ADVICE: &str = "countersign applies these rules; it gives no legal advice. Ask a lawyer what the law asks of you.";
