//! `countersign verify --log`: the whole log against its checkpoints, and against checkpoints that others kept.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::{Done, Ended};
use crate::app::App;
use crate::app::audit::{Audit, Comparison};
use crate::ledger::archive::{self, BYTES_AT_MOST};
use crate::ledger::receipt::{self, Receipt};

/// What is to be looked at.
pub struct Wanted {
    pub rebuild: bool,
    pub against: Vec<PathBuf>,
    pub json: bool,
}

pub async fn run(wanted: Wanted, app: &App) -> Done {
    let mut audit = app.audit(wanted.rebuild, progress).await?;
    let mut compared = Vec::new();
    for file in &wanted.against {
        for (name, note) in notes(file)? {
            compared.push(compare(app, &name, &note, &mut audit).await?);
        }
    }
    if wanted.json {
        println!("{}", as_json(&audit, &compared));
    } else {
        print(&audit, &compared);
    }
    match audit.findings.len() as u64 + audit.untold {
        0 => Ok(()),
        1 => Err(Ended::Refused("the log does not hold: 1 finding".into())),
        found => Err(Ended::Refused(format!(
            "the log does not hold: {found} findings"
        ))),
    }
}

/// On a terminal only: a line that is written over.
fn progress(done: u64, of: u64) {
    let mut out = std::io::stderr();
    if out.is_terminal() && of > 100_000 {
        let end = if done == of { "\n" } else { "" };
        let _ = write!(out, "\r{done} of {of} entries{end}");
    }
}

/// The checkpoints of a file: one signed note, that of a receipt, or those of a bundle. At least one.
fn notes(file: &Path) -> Result<Vec<(String, Vec<u8>)>, Ended> {
    let name = file.display().to_string();
    let wrong = |problem: String| Ended::Wrong(format!("{name}: {problem}"));
    let size = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?;
    if size.len() > BYTES_AT_MOST as u64 {
        return Err(wrong("it is larger than a bundle may be".to_owned()));
    }
    let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    if bytes.starts_with(receipt::FIRST_LINE.as_bytes()) {
        let receipt = Receipt::parse(&bytes).map_err(|problem| wrong(problem.to_string()))?;
        return Ok(vec![(name, receipt.checkpoint.into_bytes())]);
    }
    if !bytes.starts_with(b"PK") {
        return Ok(vec![(name, bytes)]);
    }
    let (files, _) = archive::read(&bytes).map_err(|problem| wrong(problem.to_string()))?;
    let notes: Vec<_> = files
        .into_iter()
        .filter(|(within, _)| within == "checkpoint" || within.ends_with(".checkpoint"))
        .map(|(within, note)| (format!("{name}: {within}"), note))
        .collect();
    if notes.is_empty() {
        return Err(wrong(
            "it holds no checkpoint, so there is nothing to compare with".to_owned(),
        ));
    }
    Ok(notes)
}

async fn compare(app: &App, name: &str, note: &[u8], audit: &mut Audit) -> Result<String, Ended> {
    match app.compare(note).await? {
        Err(problem) => Err(Ended::Wrong(format!(
            "{name}: no checkpoint of this log: {problem}"
        ))),
        Ok(Comparison::Continues { size }) => Ok(format!(
            "{name}: this log continues it, from {size} entries"
        )),
        Ok(Comparison::Behind { here, there }) => {
            audit.findings.push(format!(
                "{name} saw {there} entries; this log has {here}: an older copy of the database was restored, or its end was cut off"
            ));
            Ok(format!("{name}: later than this log"))
        }
        Ok(Comparison::Differs { size }) => {
            audit.findings.push(format!(
                "{name} saw another history of the first {size} entries"
            ));
            Ok(format!("{name}: another history"))
        }
    }
}

fn print(audit: &Audit, compared: &[String]) {
    println!("Log key: {}", audit.vkey);
    println!(
        "{} entries under {} checkpoints, {} timestamps. {} events emptied by erasures; {} waiting for their place.",
        audit.entries, audit.checkpoints, audit.timestamps, audit.emptied, audit.waiting
    );
    if let Some(contacts) = audit.contacts {
        println!("The standing of {contacts} contacts was computed anew.");
    }
    if let Some(size) = audit.beside {
        println!("The head beside the database: this log continues it, from {size} entries");
    }
    for line in compared {
        println!("{line}");
    }
    for remark in &audit.remarks {
        println!("Worth knowing: {remark}.");
    }
    for finding in &audit.findings {
        println!("- {finding}");
    }
    if audit.untold > 0 {
        println!("- and {} more", audit.untold);
    }
    if audit.holds() {
        println!("The log holds.");
    }
}

fn as_json(audit: &Audit, compared: &[String]) -> serde_json::Value {
    json!({
        "holds": audit.holds(),
        "log_key": audit.vkey,
        "entries": audit.entries,
        "checkpoints": audit.checkpoints,
        "timestamps": audit.timestamps,
        "emptied": audit.emptied,
        "waiting": audit.waiting,
        "contacts": audit.contacts,
        "beside": audit.beside,
        "compared": compared,
        "remarks": audit.remarks,
        "findings": audit.findings,
        "more_findings": audit.untold,
    })
}
