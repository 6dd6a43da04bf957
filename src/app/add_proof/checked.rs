//! Proof that was brought, looked over, and the claims that it belongs to.

use sha2::{Digest, Sha256};

use super::{Misfit, NewProof, ProofRefused};
use crate::app::sources::{Sources, Told};
use crate::domain::brand::Slug;
use crate::domain::ids::ImportId;
use crate::domain::policy::{Claim, Source, Zone, takes_file};
use crate::domain::time::Timestamp;
use crate::intake::candidate::with_hash;
use crate::intake::dates::{day, instant};
use crate::intake::proof::{FILE_BYTES, ProofProblem};
use crate::store::proofs::FileHash;

/// Pieces of proof that are added at once at most.
pub(super) const PIECES_AT_MOST: usize = 20;
/// What is a day, and what an instant.
const DAYS: [&str; 5] = [
    "date",
    "joined",
    "last_active",
    "original_date",
    "notice_sent",
];
const INSTANT: &str = "time";

/// Proof that was looked over.
pub(super) struct Checked {
    words: Vec<(String, String)>,
    pub file: Option<(String, FileHash)>,
}

/// The newest claim of a source for a purpose, among all that is told for it.
pub(super) struct Claimed<'a> {
    pub purpose: &'a Slug,
    /// The row that told it.
    pub import: ImportId,
    pub line: u64,
    /// As it stands without the proof.
    pub claim: Claim,
    /// The row tells of a confirmation in another system.
    pub confirmed_elsewhere: bool,
    told: Vec<Told>,
    /// Which of these it is.
    at: usize,
}

impl<'a> Claimed<'a> {
    /// None where no import claimed the source.
    pub fn of(purpose: &'a Slug, told: Vec<Told>, source: Source) -> Option<Self> {
        let is_of = |one: &Told| one.row.is_some() && one.claim.source() == source;
        // What was only told again stands in for what told it first.
        let first = told.iter().rposition(|one| is_of(one) && !one.again);
        let at = first.or_else(|| told.iter().rposition(is_of))?;
        let one = told.get(at)?;
        let (import, line) = one.row?;
        Some(Self {
            purpose,
            import,
            line,
            claim: one.claim.clone(),
            confirmed_elsewhere: one.confirmed_elsewhere,
            told,
            at,
        })
    }

    /// All sources for the purpose, with this claim in the place of the one without the proof.
    pub fn sources_with(mut self, claim: Claim) -> Sources {
        if let Some(one) = self.told.get_mut(self.at) {
            one.become_proven(claim);
        }
        Sources::of(self.told)
    }
}

impl Checked {
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let words = self.words.iter().map(|(key, _)| key.as_str());
        words.chain(self.file.iter().map(|(key, _)| key.as_str()))
    }

    /// A claim with the proof: what stands there already stays, and a file goes behind the words of its key.
    pub fn added_to(&self, claim: &Claim) -> Result<Claim, ProofRefused> {
        let mut claim = claim.clone();
        for (key, value) in &self.words {
            if claim.given(key).is_some() {
                return Err(Misfit::There(key.clone()).into());
            }
            claim = claim.prove(key, value)?;
        }
        if let Some((key, sha256)) = &self.file {
            let given = claim.given(key);
            let value = with_hash(key, given, sha256);
            let hash = with_hash(key, None, sha256);
            if given.is_some_and(|given| key == "scan" || given.contains(&hash)) {
                return Err(Misfit::There(key.clone()).into());
            }
            claim = claim.prove_on(key, &value)?;
        }
        Ok(claim)
    }

    /// The claims that the proof belongs to, each with the proof: the newest, and where the same act was told for other purposes,
    /// these too. Other acts are left alone, and so is what has the proof already.
    pub fn belongs_to<'a>(
        &self,
        claimed: Vec<Claimed<'a>>,
        source: Source,
    ) -> Result<Vec<(Claimed<'a>, Claim)>, ProofRefused> {
        let newest = claimed.iter().max_by_key(|one| (one.import, one.line));
        let newest = newest.map(|one| one.claim.clone());
        let newest = newest.ok_or(ProofRefused::NoClaim(source))?;
        let proven = self.added_to(&newest);
        let mut found = Vec::with_capacity(claimed.len());
        for one in claimed {
            let Ok(with) = self.added_to(&one.claim) else {
                continue;
            };
            let is_same = match &proven {
                Ok(_) => one.claim == newest,
                // The newest has the proof already: with it, the same act is the same claim.
                Err(_) => with == newest,
            };
            if is_same {
                found.push((one, with));
            }
        }
        match proven {
            Err(problem) if found.is_empty() => Err(problem),
            _ => Ok(found),
        }
    }
}

/// Looks over what was brought. What is added cannot be taken away again, so what cannot be read is not taken, nor what has yet to
/// come.
pub(super) fn check(new: &NewProof, zone: &Zone, now: Timestamp) -> Result<Checked, ProofRefused> {
    let has_begun = |day: &String| zone.start_of_written(day).is_some_and(|start| start <= now);
    let is_past = |text: &String| Timestamp::parse(text).is_some_and(|at| at <= now);
    let mut words = Vec::with_capacity(new.words.len());
    for (key, value) in &new.words {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        let value = match key.as_str() {
            key if DAYS.contains(&key) => day(value, None, zone)
                .filter(has_begun)
                .ok_or_else(|| ProofRefused::NoDay(key.to_owned()))?,
            // A day alone is no instant.
            INSTANT => instant(value)
                .or_else(|| (value.len() > 10).then(|| value.to_owned()))
                .filter(is_past)
                .ok_or_else(|| ProofRefused::NoInstant(key.clone()))?,
            _ => value.to_owned(),
        };
        words.push((key.clone(), value));
    }
    let file = match &new.file {
        Some((key, _)) if !takes_file(key) => {
            return Err(ProofRefused::NoFile(key.chars().take(60).collect()));
        }
        Some((_, content)) if content.is_empty() => return Err(ProofProblem::Empty.into()),
        Some((_, content)) if content.len() as u64 > FILE_BYTES => {
            return Err(ProofProblem::TooLong.into());
        }
        Some((key, content)) => Some((key.clone(), Sha256::digest(content).into())),
        None => None,
    };
    let pieces = words.len() + usize::from(file.is_some());
    if !(1..=PIECES_AT_MOST).contains(&pieces) {
        return Err(ProofRefused::Count);
    }
    // Whether the source takes it is told before anything is looked up.
    let checked = Checked { words, file };
    checked.added_to(&Claim::new(new.source, None))?;
    Ok(checked)
}
