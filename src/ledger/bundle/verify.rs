//! The check of a bundle: the steps of `docs/evidence-bundle.md` in their order, up to the first thing that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::anchors;
use super::circumstances;
use super::entry::Entry;
use super::mails;
use super::manifest::{self, Manifest};
use super::name::{self, CHECKPOINT, LOG_KEY};
use super::opener;
use super::problem::{BundleProblem, Step};
use super::report::{self, Report, Witness};
use super::story;
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;
use crate::ledger::archive::{self, MANIFEST, Views};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::verify_inclusion;
use crate::ledger::note::{ED25519, Note, NoteProblem, Verifier};
use crate::ledger::receipt::Receipt;
use crate::ledger::timestamp::Certificate;

/// The longest proof that is read: 63 hashes and a checkpoint with its cosignatures.
const PROOF_AT_MOST: usize = 64 << 10;

/// What the reader knows beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The key that the log must have.
    pub key: Option<&'a Verifier>,
    /// Root certificates of time-stamping authorities; if there are any, no other will do.
    pub roots: &'a [Certificate],
    pub witnesses: &'a [Verifier],
}

/// Checks a bundle's bytes.
pub fn verify(bytes: &[u8], known: Known<'_>) -> Result<Report, BundleProblem> {
    let (files, is_ours) =
        archive::view(bytes).map_err(|problem| Step::Container.wrong("the bundle", problem))?;
    check(&files, is_ours, known)
}

/// Checks the files of a bundle that is unpacked, or not packed yet.
pub fn verify_files<Content: AsRef<[u8]>>(
    files: &BTreeMap<String, Content>,
    container_checked: bool,
    known: Known<'_>,
) -> Result<Report, BundleProblem> {
    let views = files.iter();
    let views = views.map(|(name, content)| (name.clone(), content.as_ref().into()));
    check(&views.collect(), container_checked, known)
}

fn check(
    files: &Views<'_>,
    container_checked: bool,
    known: Known<'_>,
) -> Result<Report, BundleProblem> {
    check_names(files)?;
    let key = read_key(files, known.key)?;
    let manifest = read_manifest(files, &key)?;
    let (head, witnesses) = read_checkpoint(files, &key, known.witnesses)?;
    let entries = read_events(files, &manifest, &head)?;
    let circumstances = circumstances::check(files, &entries)?;
    check_proofs(files, &entries, &head)?;
    let anchors = anchors::check(files, &key, &head, known.roots)?;
    let mut remarks = anchors::check_times(&head, &anchors, &entries)?;
    check_forms(files, &entries)?;
    let mails = mails::check(files, &entries)?;
    let confirmations = story::check(&entries, &mails)?;
    remarks.extend(story::remarks(&entries, &confirmations));
    let mut report = Report {
        origin: manifest.origin,
        brand: manifest.brand,
        contact: manifest.contact,
        made: manifest.made,
        vkey: key.vkey(),
        key_fingerprint: key.fingerprint(),
        size: head.size,
        root: hex(&head.root),
        signed_at: head.signed_at,
        container_checked,
        witnesses,
        events: report::told(&entries, &anchors, &circumstances),
        anchors,
        claims: Vec::new(),
        remarks,
        on_trust: Vec::new(),
    };
    report.claims = report::claims(&report, &entries, &confirmations);
    report.on_trust = report::on_trust(&report, known.key.is_some());
    Ok(report)
}

/// The last part of step 1: no other names.
fn check_names(files: &Views<'_>) -> Result<(), BundleProblem> {
    let mut names = files.keys().filter(|name| *name != MANIFEST);
    match names.find(|name| !name::is_known(name)) {
        Some(name) => {
            let what = "a bundle holds no file of this name";
            Err(Step::Container.wrong(super::words::plain(name), what))
        }
        None => Ok(()),
    }
}

fn file<'a>(files: &'a Views<'_>, step: Step, name: &str) -> Result<&'a [u8], BundleProblem> {
    let content = files.get(name).map(|content| &**content);
    content.ok_or_else(|| step.wrong(name, "it is missing"))
}

/// Step 2.
fn read_key(files: &Views<'_>, expected: Option<&Verifier>) -> Result<Verifier, BundleProblem> {
    let wrong = |what: &str| Step::Key.wrong(LOG_KEY, what);
    let text = std::str::from_utf8(file(files, Step::Key, LOG_KEY)?)
        .ok()
        .and_then(|text| text.strip_suffix('\n'))
        .ok_or_else(|| wrong("it is not one line of text"))?;
    let key = Verifier::parse(text).map_err(|problem| Step::Key.wrong(LOG_KEY, problem))?;
    if key.kind != ED25519 || key.vkey() != text {
        return Err(wrong("it is no key of type 1 in the one form there is"));
    }
    if expected.is_some_and(|expected| *expected != key) {
        return Err(wrong("it is not the key that was expected"));
    }
    Ok(key)
}

/// Step 3.
fn read_manifest(files: &Views<'_>, key: &Verifier) -> Result<Manifest, BundleProblem> {
    let wrong = |what: &str| Step::Manifest.wrong(MANIFEST, what);
    let note = Note::parse(file(files, Step::Manifest, MANIFEST)?)
        .map_err(|problem| Step::Manifest.wrong(MANIFEST, problem))?;
    note.verify(key)
        .map_err(|problem| Step::Manifest.wrong(MANIFEST, problem))?;
    if note.lines.len() != 1 {
        return Err(wrong("it has more than one signature"));
    }
    let manifest = Manifest::parse(&note.text)
        .ok_or_else(|| wrong("its text is not written in the one form there is"))?;
    if let Some((name, what)) = manifest::difference(&manifest.lines, &manifest::lines(files)) {
        return Err(Step::Manifest.wrong(super::words::plain(&name), what));
    }
    if manifest.origin != key.name {
        return Err(wrong("its origin is not the name of the log's key"));
    }
    Ok(manifest)
}

/// Step 4.
fn read_checkpoint(
    files: &Views<'_>,
    key: &Verifier,
    known: &[Verifier],
) -> Result<(Checkpoint, Vec<Witness>), BundleProblem> {
    let wrong = |problem: NoteProblem| Step::Checkpoint.wrong(CHECKPOINT, problem);
    let bytes = file(files, Step::Checkpoint, CHECKPOINT)?;
    let (head, note) = Checkpoint::verified(bytes, key).map_err(wrong)?;
    let mut witnesses = Vec::new();
    for witness in known {
        match note.verify_cosignature(witness) {
            Ok(seconds) => witnesses.push(Witness {
                name: witness.name.clone(),
                checked_at: Some(from_seconds(seconds)),
            }),
            Err(NoteProblem::Unsigned(_)) => {}
            Err(problem) => return Err(wrong(problem)),
        }
    }
    let others = note
        .lines
        .iter()
        .filter(|line| !line.is_by(key) && !known.iter().any(|witness| line.is_by(witness)));
    witnesses.extend(others.map(|line| Witness {
        name: line.name.clone(),
        checked_at: None,
    }));
    Ok((head, witnesses))
}

fn from_seconds(seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

/// Step 5.
fn read_events(
    files: &Views<'_>,
    manifest: &Manifest,
    head: &Checkpoint,
) -> Result<Vec<Entry>, BundleProblem> {
    let numbers = |folder: &'static str, ending: &'static str| {
        let numbers = files
            .keys()
            .filter_map(move |file| name::number(file, folder, ending));
        numbers.collect::<BTreeSet<usize>>()
    };
    let (events, proofs) = (numbers("events", "json"), numbers("proofs", "tlog-proof"));
    let mut entries: Vec<Entry> = Vec::with_capacity(events.len());
    for number in 1..=events.len().max(1) {
        let file_name = name::event(number);
        let entry = Entry::parse(number, file(files, Step::Events, &file_name)?)
            .map_err(|what| Step::Events.wrong(&file_name, what))?;
        check_place(&entry, entries.last(), manifest, head)
            .map_err(|what| Step::Events.wrong(&file_name, what))?;
        file(files, Step::Events, &name::proof(number))?;
        entries.push(entry);
    }
    match proofs.difference(&events).next() {
        Some(number) => {
            let what = "there is no event of this number";
            Err(Step::Events.wrong(name::proof(*number), what))
        }
        None => Ok(entries),
    }
}

fn check_place(
    entry: &Entry,
    before: Option<&Entry>,
    manifest: &Manifest,
    head: &Checkpoint,
) -> Result<(), &'static str> {
    if entry.contact != manifest.contact {
        return Err("its contact is not the manifest's");
    }
    if entry.index >= head.size {
        return Err("its index is not below the size of the log");
    }
    match before {
        Some(before) if before.index >= entry.index => {
            Err("its index is not above that of the event before it")
        }
        Some(before) if before.brand != entry.brand => {
            Err("its brand is not that of the event before it")
        }
        _ => Ok(()),
    }
}

/// Step 6.
fn check_proofs(
    files: &Views<'_>,
    entries: &[Entry],
    head: &Checkpoint,
) -> Result<(), BundleProblem> {
    let checkpoint = file(files, Step::Proofs, CHECKPOINT)?;
    for entry in entries {
        let name = name::proof(entry.number);
        let wrong = |what: &str| Step::Proofs.wrong(&name, what);
        let bytes = file(files, Step::Proofs, &name)?;
        if bytes.len() > PROOF_AT_MOST {
            return Err(wrong("it is longer than 64 KB"));
        }
        let receipt =
            Receipt::parse(bytes).map_err(|problem| Step::Proofs.wrong(&name, problem))?;
        if receipt.extra.is_some() {
            return Err(wrong("it has a line \"extra\""));
        }
        if receipt.index != entry.index {
            return Err(wrong("its index is not the event's"));
        }
        if receipt.checkpoint.as_bytes() != checkpoint {
            return Err(wrong("the checkpoint in it is not the file checkpoint"));
        }
        verify_inclusion(
            &entry.leaf,
            entry.index,
            head.size,
            &receipt.path,
            &head.root,
        )
        .map_err(|problem| Step::Proofs.wrong(&name, problem))?;
    }
    Ok(())
}

/// Step 9.
fn check_forms(files: &Views<'_>, entries: &[Entry]) -> Result<(), BundleProblem> {
    let mut there = BTreeSet::new();
    for (file, content) in files {
        let Some(hash) = name::within(file, "forms", "html") else {
            continue;
        };
        if hex(&Sha256::digest(content)) != hash {
            return Err(Step::Forms.wrong(file, "its SHA-256 is not its name"));
        }
        there.insert(hash);
    }
    let mut shown = BTreeSet::new();
    for entry in entries.iter().filter(|entry| opener::names_a_form(entry)) {
        let version = entry
            .text("form_version")
            .filter(|version| name::is_hash(version))
            .ok_or_else(|| Step::Forms.wrong(entry.file(), "its form_version is no SHA-256"))?;
        if !there.contains(version) {
            let what = format!("it is missing, and {} names it", entry.file());
            return Err(Step::Forms.wrong(name::form(version), what));
        }
        shown.insert(version);
    }
    match there.difference(&shown).next() {
        Some(hash) => {
            Err(Step::Forms.wrong(name::form(hash), "no signup and no invitation names it"))
        }
        None => Ok(()),
    }
}
