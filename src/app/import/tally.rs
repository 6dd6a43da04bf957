//! What came of the rows, counted and with samples.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write};
use std::hash::BuildHasher;

use serde::{Deserialize, Serialize};

use super::{Fate, Judged};
use crate::domain::email_address::EmailAddress;
use crate::domain::policy::{Outreach, Rule, Verdict};
use crate::intake::Broken;

const SAMPLES: usize = 5;
/// Addresses are remembered as hashes, to see which come again: 9 bytes each, so that a million take less than 40 MB.
pub(super) const REMEMBERED: usize = 4_000_000;

/// What is told of one row.
#[derive(Clone)]
pub struct Told {
    pub line: u64,
    pub address: String,
    /// None: the row is broken.
    pub verdict: Option<Verdict>,
    pub rule: Option<Rule>,
    pub outreach: Option<Outreach>,
    pub reason: String,
    fate: Fate,
    again: bool,
    elsewhere: bool,
    confirmed_elsewhere: bool,
}

impl Told {
    pub fn verdict_word(&self) -> &'static str {
        self.verdict.map_or("broken", Verdict::as_str)
    }

    pub(super) fn broken(broken: Broken) -> Self {
        Self {
            line: broken.line,
            address: broken.address,
            verdict: None,
            rule: None,
            outreach: None,
            reason: broken.flaw.to_string(),
            fate: Fate::NotStored,
            again: false,
            elsewhere: false,
            confirmed_elsewhere: false,
        }
    }

    /// `again`: the address stands further up already.
    pub(super) fn judged(judged: Judged, again: bool) -> Self {
        let (candidate, judgement) = (judged.candidate, judged.judgement);
        let mut reason = judgement.why;
        if let Some(word) = &candidate.unknown_source {
            let _ = write!(
                reason,
                " The policy has no source \"{}\".",
                word.escape_debug()
            );
        }
        reason.push_str(&looks(&candidate.address));
        if again {
            reason.push_str(" The address stands further up already.");
        }
        let elsewhere = candidate.elsewhere.as_ref();
        Self {
            line: candidate.line,
            address: candidate.address.as_typed().to_owned(),
            verdict: Some(judgement.verdict),
            rule: Some(judgement.rule),
            outreach: Some(judgement.outreach),
            reason,
            fate: judged.fate,
            again,
            elsewhere: elsewhere.is_some(),
            confirmed_elsewhere: elsewhere.is_some_and(|said| said.tells_of_a_confirmation()),
        }
    }
}

/// What a reader of the report may overlook in an address: a domain whose letters only look like others (T28), and one that was
/// probably mistyped. Empty where there is nothing to see.
fn looks(address: &EmailAddress) -> String {
    let mut says = String::new();
    let typed = address.as_typed().rsplit('@').next().unwrap_or_default();
    let typed = typed.trim().trim_end_matches('.');
    if !typed.eq_ignore_ascii_case(address.domain()) {
        let _ = write!(says, " Mail goes to the domain {}.", address.domain());
    }
    if let Some(meant) = address.suggestion() {
        let _ = write!(says, " Perhaps {} was meant.", meant.escape_debug());
    }
    says
}

/// Numbers of rows. They are kept with the import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub verdicts: BTreeMap<Verdict, BTreeMap<Rule, u64>>,
    pub broken: u64,
    /// With an address that stood further up already.
    pub again: u64,
    /// With another system's word on the consent, and of a confirmation.
    pub elsewhere: u64,
    pub confirmed_elsewhere: u64,
    /// Contacts that were made, further sources of those that were there, and rows that told nothing new.
    pub new: u64,
    pub added: u64,
    pub unchanged: u64,
    /// Contacts that were there, and left by the file's word.
    pub left: u64,
}

impl Counts {
    pub fn rows(&self) -> u64 {
        let judged: u64 = self.verdicts.values().flat_map(BTreeMap::values).sum();
        judged + self.broken
    }

    pub fn of(&self, verdict: Verdict) -> u64 {
        let rules = self.verdicts.get(&verdict);
        rules.map_or(0, |rules| rules.values().sum())
    }

    pub(super) fn add(&mut self, told: &Told) {
        match (told.verdict, told.rule) {
            (Some(verdict), Some(rule)) => {
                *self
                    .verdicts
                    .entry(verdict)
                    .or_default()
                    .entry(rule)
                    .or_default() += 1;
            }
            _ => self.broken += 1,
        }
        self.again += u64::from(told.again);
        self.elsewhere += u64::from(told.elsewhere);
        self.confirmed_elsewhere += u64::from(told.confirmed_elsewhere);
        match told.fate {
            Fate::New => self.new += 1,
            Fate::Added => self.added += 1,
            Fate::Unchanged => self.unchanged += 1,
            Fate::Left => self.left += 1,
            Fate::NotStored => {}
        }
    }

    /// As they are kept; text of another version counts nothing.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// Numbers, and some rows to look at.
#[derive(Default)]
pub struct Tally {
    pub counts: Counts,
    /// By verdict; under none those that are broken.
    pub samples: BTreeMap<Option<Verdict>, Vec<Told>>,
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Tally {
    pub(super) fn of(counts: Counts) -> Self {
        Self {
            counts,
            ..Self::default()
        }
    }

    /// Whether an address was seen before; from now on it was.
    pub(super) fn is_again(&mut self, key: &str) -> bool {
        let hash = self.hasher.hash_one(key);
        if self.seen.len() < REMEMBERED {
            !self.seen.insert(hash)
        } else {
            self.seen.contains(&hash)
        }
    }

    pub(super) fn sample(&mut self, told: Told) {
        let samples = self.samples.entry(told.verdict).or_default();
        if samples.len() < SAMPLES {
            samples.push(told);
        }
    }
}
