//! All that a bundle tells of one contact of one brand, gathered before any of it is written.

use std::collections::BTreeMap;

use super::anchors::ANCHORS_AT_MOST;
use crate::domain::brand::BrandDeclaration;
use crate::domain::event::Event;
use crate::domain::form::VersionHash;
use crate::domain::ids::{ContactId, RequestId};
use crate::domain::time::Timestamp;

/// What the report and the consent record are made of. Plain data: whoever fills it in has read and checked it.
#[derive(Clone, Debug)]
pub struct Dossier {
    pub brand: BrandDeclaration,
    pub contact: ContactId,
    /// The contact's address, normalised.
    pub address: String,
    /// The events in the order of the log.
    pub entries: Vec<Entry>,
    /// The mails as the SMTP server took them, by the numbers of their events.
    pub mails: BTreeMap<usize, Vec<u8>>,
    /// The pages that the form versions of the events showed.
    pub forms: BTreeMap<VersionHash, String>,
    /// The files of proof that the brand keeps of those that imports named, by their SHA-256 in hexadecimal; whether what is kept
    /// still has it.
    pub proofs: BTreeMap<String, bool>,
    /// The signed note that all proofs lead to.
    pub checkpoint: String,
    /// The checkpoints that an authority has time-stamped.
    pub anchors: Vec<Anchor>,
    /// SHA-256 of the log's public key, as `ledger::note::Verifier::fingerprint` writes it.
    pub log_key_fingerprint: String,
    pub made_at: Timestamp,
    pub left_out: LeftOut,
}

/// What is known and not in the bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Events of the contact outside the time that the bundle tells of.
    pub events: usize,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Events whose nearest timestamps found no room: others, further away, bound when they were logged.
    pub loosely: usize,
}

impl LeftOut {
    /// Whether the bundle tells of a part of the time only. Then nothing in it says what stands now.
    pub const fn is_part(&self) -> bool {
        self.from.is_some() || self.until.is_some()
    }

    /// In sentences; none where nothing is left out.
    pub fn sentences(&self) -> Vec<String> {
        let mut told = Vec::new();
        if self.is_part() {
            let time = match (self.from, self.until) {
                (Some(from), Some(until)) => format!("from {from} to before {until}"),
                (Some(from), None) => format!("from {from} on"),
                (None, Some(until)) => format!("before {until}"),
                (None, None) => String::new(),
            };
            told.push(format!(
                "This bundle tells only of what happened {time}, and of the requests that fall into that time; {} other events of this contact are left out, and a withdrawal may be among them.",
                self.events
            ));
        }
        if self.loosely > 0 {
            told.push(format!(
                "A bundle holds no more than {ANCHORS_AT_MOST} timestamps, and there are more around these events. Those around confirmations and what changed what stands went first; {} other events are bounded by timestamps that are further away than the nearest.",
                self.loosely
            ));
        }
        told
    }
}

/// An event with its place.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts from 1: the number in `events/NNNN.json`.
    pub number: usize,
    /// Counts from 0: the place in the log.
    pub index: u64,
    /// With its circumstances, where they are still kept.
    pub event: Event,
    /// Whether the bundle holds those circumstances as they are kept.
    pub discloses: bool,
}

/// A checkpoint that a time-stamping authority saw.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// `anchors/NAME.tsr` is the authority's response.
    pub name: String,
    /// The authority's own time.
    pub at: Timestamp,
    /// How many events the log had then.
    pub size: u64,
    /// The signer's name as its certificate says.
    pub authority: String,
    /// The root certificate's name and SHA-256, where the chain was read.
    pub root: Option<String>,
}

impl Entry {
    /// The file of the bundle that holds this event.
    pub fn file(&self) -> String {
        format!("events/{:04}.json", self.number)
    }

    /// The file that says from where it came and with which browser.
    pub fn circumstances_file(&self) -> Option<String> {
        self.discloses
            .then(|| format!("circumstances/{:04}.json", self.number))
    }
}

impl Dossier {
    /// The anchors between which an entry was logged: the last one that did not hold it, and the first one that did.
    pub fn logged_between(&self, entry: &Entry) -> (Option<&Anchor>, Option<&Anchor>) {
        let holds = |anchor: &&Anchor| anchor.size > entry.index;
        let after = self.anchors.iter().filter(|anchor| !holds(anchor));
        let before = self.anchors.iter().filter(holds);
        (
            after.max_by_key(|anchor| anchor.at),
            before.min_by_key(|anchor| anchor.at),
        )
    }

    /// The entries of one confirmation request.
    pub fn of_request(&self, request: Option<RequestId>) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| request.is_some() && entry.event.request == request)
    }
}
