//! What is said of an address: where it came from, when, and with what proof.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::window::read_day;
use super::{OrganizerLists, Source, Zone};
use crate::domain::time::Timestamp;

/// The longest value of a proof, in characters.
const LONGEST: usize = 2_000;

/// One way in which an address came to the brand. Dates are kept as they were given: one that cannot be read is a fact too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub(super) source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) obtained_on: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) proof: BTreeMap<String, String>,
    /// An operator chose, for the import that told it, that an organiser's list is confirmed instead of refused (O2b).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) confirm_first: bool,
}

/// Why something cannot be a claim. Missing proof is none of these: it has a verdict of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimProblem {
    #[error("{name} has no proof \"{}\"; {}", key.escape_debug(), known_keys(*.name))]
    UnknownKey { name: Source, key: String },
    #[error("the proof \"{}\" is given twice", .0.escape_debug())]
    Twice(String),
    #[error("the proof \"{}\" is longer than {LONGEST} characters", .0.escape_debug())]
    TooLong(String),
}

fn known_keys(source: Source) -> String {
    let keys: Vec<&str> = source.row().proof.iter().map(|proof| proof.key).collect();
    if keys.is_empty() {
        "it takes none".to_owned()
    } else {
        format!("it takes: {}", keys.join(", "))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Claim {
    /// A claim without proof; a blank date is none.
    pub fn new(source: Source, obtained_on: Option<&str>) -> Self {
        let obtained_on = obtained_on.map(str::trim).filter(|text| !text.is_empty());
        Self {
            source,
            obtained_on: obtained_on.map(|text| text.chars().take(LONGEST).collect()),
            proof: BTreeMap::new(),
            confirm_first: false,
        }
    }

    /// The claim with what an operator chose for the import that tells it. Other claims are judged by their own imports' choice.
    pub fn chosen(mut self, lists: OrganizerLists) -> Self {
        self.confirm_first |=
            self.source == Source::EventOrganizerList && lists == OrganizerLists::ConfirmFirst;
        self
    }

    /// Adds a piece of proof; a blank one is none.
    pub fn prove(mut self, key: &str, value: &str) -> Result<Self, ClaimProblem> {
        if self.source.row().key(key).is_none() {
            return Err(ClaimProblem::UnknownKey {
                name: self.source,
                key: key.chars().take(60).collect(),
            });
        }
        let value = value.trim();
        if value.chars().count() > LONGEST {
            return Err(ClaimProblem::TooLong(key.to_owned()));
        }
        if !value.is_empty()
            && self
                .proof
                .insert(key.to_owned(), value.to_owned())
                .is_some()
        {
            return Err(ClaimProblem::Twice(key.to_owned()));
        }
        Ok(self)
    }

    /// Adds a piece of proof, or puts it in the place of the one that it goes on from.
    pub fn prove_on(mut self, key: &str, value: &str) -> Result<Self, ClaimProblem> {
        self.proof.remove(key);
        self.prove(key, value)
    }

    /// Whether both tell of the same act with the same proof, whatever was chosen for their imports.
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let told = |one: &Self| (one.source, one.obtained_on.clone(), one.proof.clone());
        told(self) == told(other)
    }

    pub const fn source(&self) -> Source {
        self.source
    }

    pub fn obtained_on(&self) -> Option<&str> {
        self.obtained_on.as_deref()
    }

    /// What speaks for it, by the keys of its source.
    pub fn proof(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.proof.iter();
        pairs.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether the person's act is of the day of an instant, or of a later one. Of a member it is the last activity; of a merger
    /// the act at the old brand.
    pub fn acted_since(&self, at: Timestamp, zone: &Zone) -> bool {
        let keys = ["last_active", "original_date", "date", "time"];
        let told = keys.iter().find_map(|key| self.given(key));
        let day = told.or(self.obtained_on()).and_then(|text| text.get(..10));
        day.and_then(read_day)
            .zip(zone.day(at))
            .is_some_and(|(act, day)| act >= day)
    }

    /// Whether it is of a merger with a brand of this name, whatever the case and the space around it.
    pub fn is_of_old_brand(&self, name: &str) -> bool {
        self.source == Source::MergerOrAcquisition
            && self
                .given("old_brand")
                .is_some_and(|own| is_same_brand(own, name))
    }

    /// What stands there for a piece of proof.
    pub fn given(&self, key: &str) -> Option<&str> {
        self.proof.get(key).map(String::as_str)
    }
}

/// Whether both name the same old brand, whatever the case and the space around it.
pub fn is_same_brand(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.trim().to_lowercase();
    plain(one) == plain(other)
}

/// How a person closed the door to a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    Withdrew,
    Complained,
    Declined,
    Suppressed,
    /// Everything known of it was erased; only a keyed hash tells that it was there.
    Erased,
}

/// What is known of the address itself, whatever its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressFacts {
    /// It names a job, such as `info@` (O6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub role: bool,
    /// Its owner closed the door (D3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}
