//! The evidence bundle: everything known of one contact in one file that anybody can check. `write` puts the parts
//! together, `verify` checks a file in the eleven steps of `docs/evidence-bundle.md`, which says what each name holds.
//!
//! The check knows nothing of the types that wrote the events: it reads the members that the document names and no others,
//! so that bundles of later versions can be checked too.

mod anchors;
mod circumstances;
mod consistency;
mod entry;
mod mails;
mod manifest;
mod name;
mod opener;
mod problem;
mod receipt;
mod report;
mod story;
mod verify;
mod words;
mod write;

pub use self::anchors::{Anchor, CLOCK_OFF_AT_MOST};
pub use self::circumstances::Whence;
pub use self::name::Page;
pub use self::problem::{BundleProblem, Step};
pub use self::receipt::{Receipted, read_receipt, receipt_of};
pub use self::report::{Claim, Report, Told, Witness};
pub use self::verify::{Known, verify, verify_files};
pub use self::write::{AnchorPart, EventPart, Parts, WriteProblem, files, write};

#[cfg(test)]
mod tests;
