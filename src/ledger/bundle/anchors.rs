//! Steps 7 and 8: what a time-stamping authority saw of the log, and what that and the log's own checkpoints say of the events'
//! times.

use std::collections::BTreeSet;
use std::time::Duration;

use super::consistency::Consistency;
use super::entry::Entry;
use super::name::{self, ANCHOR_ENDINGS, CHECKPOINT, CONSISTENCY};
use super::problem::{BundleProblem, Step};
use crate::domain::time::Timestamp;
use crate::ledger::archive::Views;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::verify_consistency;
use crate::ledger::note::Verifier;
use crate::ledger::timestamp::{self, Asked, Certificate, Certificates, Stamp};

/// How far the clocks of the server and of the authority may be apart.
const TOLERANCE: Duration = Duration::from_secs(600);
/// A clock that is off by more than this, in microseconds, is taken at its word.
pub const CLOCK_OFF_AT_MOST: i64 = 86_400_000_000;
/// More anchors than a bundle needs; each costs a few signatures to check.
const ANCHORS_AT_MOST: usize = 1_000;

/// An anchor that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub name: String,
    /// The size of the log that the authority saw.
    pub size: u64,
    /// When the log signed that checkpoint, by its own clock.
    pub signed_at: Timestamp,
    pub stamp: Stamp,
}

impl Anchor {
    /// An event that it holds says no later time than this, give or take the tolerance. A clock that was ahead when the
    /// checkpoint was signed was so for the events in it.
    fn latest(&self) -> Timestamp {
        let ahead = self.signed_at.micros() - self.stamp.at.micros();
        if (1..=CLOCK_OFF_AT_MOST).contains(&ahead) {
            self.signed_at
        } else {
            self.stamp.at
        }
    }
}

/// Step 7.
pub fn check(
    files: &Views<'_>,
    key: &Verifier,
    head: &Checkpoint,
    roots: &[Certificate],
) -> Result<Vec<Anchor>, BundleProblem> {
    let consistency = files
        .get(CONSISTENCY)
        .ok_or_else(|| Step::Anchors.wrong(CONSISTENCY, "it is missing"))?;
    let consistency = Consistency::parse(consistency).ok_or_else(|| {
        Step::Anchors.wrong(CONSISTENCY, "it is not written in the one canonical form")
    })?;
    let names = names(files)?;
    let mut heads = Vec::new();
    for name in &names {
        heads.push(read_head(files, name, key, head)?);
    }
    check_sizes(&consistency, head, &heads)?;
    let mut anchors = Vec::new();
    for (name, older) in names.iter().zip(&heads) {
        check_continues(name, older, head, &consistency)?;
        anchors.push(Anchor {
            name: (*name).to_owned(),
            size: older.size,
            signed_at: older.signed_at,
            stamp: check_stamp(files, name, roots)?,
        });
    }
    anchors.sort_by_key(|anchor| (anchor.size, anchor.stamp.at));
    Ok(anchors)
}

/// The anchors' names; each has all three of its files.
fn names<'a>(files: &'a Views<'_>) -> Result<Vec<&'a str>, BundleProblem> {
    let of = |ending: &'static str| {
        let names = files
            .keys()
            .filter_map(move |file| name::within(file, "anchors", ending));
        names.collect::<BTreeSet<&str>>()
    };
    let all: BTreeSet<&str> = ANCHOR_ENDINGS.into_iter().flat_map(of).collect();
    for name in &all {
        for ending in ANCHOR_ENDINGS {
            let file = name::anchor(name, ending);
            if !files.contains_key(&file) {
                return Err(Step::Anchors.wrong(file, "it is missing, and the anchor needs it"));
            }
        }
    }
    if all.len() > ANCHORS_AT_MOST {
        return Err(Step::Anchors.wrong("the bundle", "it has more than 1,000 anchors"));
    }
    Ok(all.into_iter().collect())
}

fn read_head(
    files: &Views<'_>,
    name: &str,
    key: &Verifier,
    head: &Checkpoint,
) -> Result<Checkpoint, BundleProblem> {
    let file = name::anchor(name, "checkpoint");
    let bytes = files.get(&file).map_or(&[][..], |content| &**content);
    let (older, _) =
        Checkpoint::verified(bytes, key).map_err(|problem| Step::Anchors.wrong(&file, problem))?;
    if older.size == 0 {
        return Err(Step::Anchors.wrong(file, "its log is empty, so it anchors nothing"));
    }
    if older.size > head.size {
        let what = "its log is larger than that of the file checkpoint";
        return Err(Step::Anchors.wrong(file, what));
    }
    Ok(older)
}

/// One proof for each distinct size that is smaller, and no other.
fn check_sizes(
    consistency: &Consistency,
    head: &Checkpoint,
    heads: &[Checkpoint],
) -> Result<(), BundleProblem> {
    let wrong = |what| Err(Step::Anchors.wrong(CONSISTENCY, what));
    if consistency.to != head.size {
        return wrong("it does not lead to the size of the file checkpoint");
    }
    let smaller = heads.iter().filter(|older| older.size < head.size);
    let needed: BTreeSet<u64> = smaller.map(|older| older.size).collect();
    if !consistency.proofs.keys().eq(needed.iter()) {
        return wrong("it does not hold one proof for each anchor's size and no other");
    }
    Ok(())
}

fn check_continues(
    name: &str,
    older: &Checkpoint,
    head: &Checkpoint,
    consistency: &Consistency,
) -> Result<(), BundleProblem> {
    let proof = consistency
        .proofs
        .get(&older.size)
        .map_or(&[][..], Vec::as_slice);
    verify_consistency(older.size, &older.root, head.size, &head.root, proof).map_err(|problem| {
        let file = name::anchor(name, "checkpoint");
        let what = format!("the log of the file checkpoint is not shown to continue it: {problem}");
        Step::Anchors.wrong(file, what)
    })
}

fn check_stamp(
    files: &Views<'_>,
    name: &str,
    roots: &[Certificate],
) -> Result<Stamp, BundleProblem> {
    let file = |ending| name::anchor(name, ending);
    let content = |ending| {
        files
            .get(&file(ending))
            .map(|content| &**content)
            .unwrap_or_default()
    };
    let beside = Certificate::all_from_pem(content("pem"))
        .map_err(|problem| Step::Anchors.wrong(file("pem"), problem))?;
    let certificates = Certificates {
        trusted: roots,
        beside: &beside,
    };
    timestamp::check(
        content("tsr"),
        content("checkpoint"),
        Asked::default(),
        certificates,
    )
    .map_err(|problem| Step::Anchors.wrong(file("tsr"), problem))
}

/// Step 8. Answers with what is worth knowing of the clock. An event's time must fit all anchors; if the event says itself
/// how far the clock was ahead of an authority's, that authority's time may fit instead. Nor may it be later than the log's own
/// checkpoints that hold it were signed.
pub fn check_times(
    head: &Checkpoint,
    anchors: &[Anchor],
    entries: &[Entry],
) -> Result<Vec<String>, BundleProblem> {
    let mut remarks = Vec::new();
    for entry in entries {
        remarks.extend(check_signed(head, anchors, entry)?);
        let Some(problem) = contradiction(anchors, entry.index, entry.at) else {
            let behind = anchors.iter().find(|anchor| {
                entry.index < anchor.size && entry.at > anchor.stamp.at.plus(TOLERANCE)
            });
            remarks.extend(behind.map(|anchor| ahead_of(anchor, entry)));
            continue;
        };
        let said = entry
            .clock_ahead()
            .filter(|ahead| ahead.abs() <= CLOCK_OFF_AT_MOST);
        let by_authority = said.map(|ahead| Timestamp::from_micros(entry.at.micros() - ahead));
        match by_authority.filter(|at| contradiction(anchors, entry.index, *at).is_none()) {
            Some(at) => remarks.push(format!(
                "{} says {}, yet its clock was off, as it says itself: by an authority's clock that was {at}",
                entry.file(),
                entry.at
            )),
            None => return Err(Step::Times.wrong(entry.file(), problem)),
        }
    }
    Ok(remarks)
}

/// An event is there before the checkpoint that holds it is signed. By clocks that were set back just then, or that differ, it
/// may say a later time, by at most a day, which is remarked on.
fn check_signed(
    head: &Checkpoint,
    anchors: &[Anchor],
    entry: &Entry,
) -> Result<Option<String>, BundleProblem> {
    let holding = anchors.iter().filter(|anchor| entry.index < anchor.size);
    let holding =
        holding.map(|anchor| (anchor.signed_at, name::anchor(&anchor.name, "checkpoint")));
    let head = (head.signed_at, CHECKPOINT.to_owned());
    let (signed_at, file) =
        holding.fold(head, |first, one| if one.0 < first.0 { one } else { first });
    if entry.at <= signed_at.plus(TOLERANCE) {
        return Ok(None);
    }
    let told = format!("the log signed {file} at {signed_at}, which holds it already");
    if entry.at.since(signed_at) > Duration::from_micros(CLOCK_OFF_AT_MOST.unsigned_abs()) {
        let problem = format!("its time {} is more than a day too late: {told}", entry.at);
        return Err(Step::Times.wrong(entry.file(), problem));
    }
    Ok(Some(format!(
        "{} says {}, yet {told}: the clock was set back, or another machine's clock differs",
        entry.file(),
        entry.at
    )))
}

fn ahead_of(anchor: &Anchor, entry: &Entry) -> String {
    format!(
        "{} says {}, and the anchor {} of {} holds it: the server's clock was ahead, for it signed that checkpoint at {}",
        entry.file(),
        entry.at,
        anchor.name,
        anchor.stamp.at,
        anchor.signed_at
    )
}

/// Which anchor speaks against this time of the entry at this index, and how.
fn contradiction(anchors: &[Anchor], index: u64, at: Timestamp) -> Option<String> {
    anchors.iter().find_map(|anchor| {
        let stamped = anchor.stamp.at;
        let what = if index >= anchor.size && at < stamped.minus(TOLERANCE) {
            "earlier than that, although the log did not hold it yet"
        } else if index < anchor.size && at > anchor.latest().plus(TOLERANCE) {
            "later than that, although the log held it already"
        } else {
            return None;
        };
        Some(format!(
            "its time {at} is more than ten minutes off: the anchor {} is of {stamped}, and the event claims to be {what}",
            anchor.name
        ))
    })
}
