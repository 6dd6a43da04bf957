//! What operators add to a contact's story later: proof to what an import claimed, and notes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::brand::Slug;
use super::event::{Event, Fact, Through};
use super::ids::ImportId;
use super::import::{gives, raise};
use super::policy::{Claim, Judgement, Source};
use super::standing::{Standing, Standings};
use super::time::Timestamp;

/// Characters of a note.
pub const NOTE_AT_MOST: usize = 2_000;

/// Proof that was added to a claim of an import, with what the policy said of the contact with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofAdded {
    /// An operator, a key, or the command line.
    pub by: String,
    pub through: Through,
    /// The row whose claim it is.
    pub import: ImportId,
    pub line: u64,
    pub purposes: Vec<Slug>,
    /// By its key each piece of proof that was added, as it stands in the claim from now on; a file by its SHA-256.
    pub added: BTreeMap<String, String>,
    /// The claim with what was added. From now on it stands in the place of the one before it.
    pub claim: Claim,
    /// The verdict at this moment, on all sources of the contact.
    pub judgement: Judgement,
    /// What another system says of a confirmation counts, as it would have if the row had brought the proof.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed_elsewhere: bool,
    /// The verdict on this claim alone, where it is another: only what the claim gives by itself holds from now on, so that it goes
    /// with its import, and nothing of other imports stays with it. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Judgement>,
    /// The claim was accepted without the proof. Either it gave the same, or what it gave has ended: the proof gives nothing, and
    /// brings nothing back. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nothing_new: bool,
}

impl ProofAdded {
    /// Whether it adds to this claim of this row.
    pub fn is_of(&self, (import, line): (ImportId, u64), source: Source) -> bool {
        (self.import, self.line) == (import, line) && self.claim.source() == source
    }

    /// What the contact's sources give together with the proof; none where the policy refuses.
    pub fn gives(&self, at: Timestamp) -> Option<Standing> {
        gives(&self.judgement, self.confirmed_elsewhere, at)
    }

    /// What the claim gives by itself; none where that is nothing new, and where all sources together give nothing.
    fn gives_by_itself(&self, at: Timestamp) -> Option<Standing> {
        let together = self.gives(at).filter(|_| !self.nothing_new)?;
        match &self.own {
            Some(own) => gives(own, self.confirmed_elsewhere, at),
            None => Some(together),
        }
    }

    /// As an import does, it raises what the contact has, and never lowers it or reopens what the person closed.
    pub(super) fn apply(&self, standings: &mut Standings, at: Timestamp) {
        if let Some(given) = self.gives_by_itself(at) {
            raise(standings, &self.purposes, given, at);
        }
    }
}

/// A note as it is kept: without space around it, its lines ended by line feeds, and with no other character that steers.
/// None where nothing is left, or it is too long.
pub fn clean_note(text: &str) -> Option<String> {
    let lines = text.replace("\r\n", "\n").replace('\t', " ");
    let clean = lines.trim();
    let fits = (1..=NOTE_AT_MOST).contains(&clean.chars().count());
    let steers = |c: char| c.is_control() && c != '\n';
    (fits && !clean.chars().any(steers)).then(|| clean.to_owned())
}

/// The claims that an event tells of, as they stand from then on.
pub fn claims_of(event: &Event) -> &[Claim] {
    match &event.fact {
        Fact::Imported(import) => &import.claims,
        Fact::ProofAdded(added) => std::slice::from_ref(&added.claim),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_has_lines_and_nothing_else_that_steers() {
        let kept = clean_note("  She called.\r\n\tShe wants the paper form. ");
        assert_eq!(
            kept.as_deref(),
            Some("She called.\n She wants the paper form.")
        );
        assert_eq!(clean_note(" \n "), None);
        assert_eq!(clean_note("red \u{1b}[31m"), None);
        assert_eq!(clean_note("\u{0}"), None);
    }

    #[test]
    fn a_note_of_two_thousand_characters_is_kept_and_a_longer_one_is_not() {
        let long = "é".repeat(NOTE_AT_MOST);
        assert_eq!(clean_note(&long), Some(long.clone()));
        assert_eq!(clean_note(&format!("{long}é")), None);
    }
}
