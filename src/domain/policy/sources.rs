//! The sources: how an address can have come to a brand, and what each way gives.

mod table;

use serde::{Deserialize, Serialize};

use super::{Outreach, Rule, Verdict, Window};

pub use table::SOURCES;

/// How an address came to the brand. It never changes; later sources are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    WebsiteForm,
    Purchase,
    WrittenAgreement,
    DonationOrVolunteering,
    ActiveMember,
    NewsletterForm,
    AdResponse,
    BoughtOrRentedList,
    MembershipList,
    PreviousEmployer,
    OtherBrandForm,
    LeadVendorOrEnrichment,
    DirectEmail,
    PersonalAcquaintance,
    EventBooth,
    EventOrganizerList,
    EmployerList,
    MergerOrAcquisition,
    MetInPerson,
    Unknown,
}

impl Source {
    pub fn parse(text: &str) -> Option<Self> {
        SOURCES
            .iter()
            .find(|row| row.name == text)
            .map(|row| row.source)
    }

    pub const fn row(self) -> &'static Row {
        // The table is written in the order of the sources; a test holds it.
        &SOURCES[self as usize]
    }

    pub const fn as_str(self) -> &'static str {
        self.row().name
    }
}

/// Whether a piece of proof must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Demanded,
    /// One of those of its source that say so is enough.
    OneOf,
    Optional,
}

/// One piece of proof, as imports and the command line name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofKey {
    pub key: &'static str,
    pub about: &'static str,
    pub need: Need,
}

/// The pieces of proof that may be a file, by its hash: what exists on paper or as a document. The others are words or days.
pub const TAKE_FILES: [&str; 9] = [
    "account",
    "ad",
    "assignment",
    "contract",
    "document",
    "lead",
    "order",
    "receipt",
    "scan",
];

pub fn takes_file(key: &str) -> bool {
    TAKE_FILES.contains(&key)
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub rule: Rule,
    pub source: Source,
    pub name: &'static str,
    pub verdict: Verdict,
    pub outreach: Outreach,
    pub window: Window,
    pub conditions: &'static str,
    pub proof: &'static [ProofKey],
    /// What is told of one address, before its date: "The person bought from this brand".
    pub told: &'static str,
    /// Ours: not from the list that the policy follows.
    pub ours: bool,
}

impl Row {
    pub fn key(&self, name: &str) -> Option<&'static ProofKey> {
        self.proof.iter().find(|proof| proof.key == name)
    }
}
