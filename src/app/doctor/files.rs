//! Who may read the files that hold secrets and addresses, and whether the disk has room.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Finding;
use crate::config::Config;
use crate::store::{Location, room};

/// Everybody who is neither the owner nor of the group.
const OTHERS: u32 = 0o007;
/// Below it a disk is as good as full: SQLite's log alone may grow to half of it between two checkpoints.
const ROOM_AT_LEAST: u64 = 128 << 20;
const ROOM_TO_WARN: u64 = 1 << 30;

pub(super) fn check(config: &Config, settings_file: &Path) -> Vec<Finding> {
    let mut private: Vec<&Path> = config.secret_files.iter().map(AsRef::as_ref).collect();
    if config.file_holds_secrets {
        private.insert(0, settings_file);
    }
    if let Location::Sqlite(path) = &config.database {
        private.push(path);
    }
    private.push(&config.uploads.folder);
    let open: Vec<&Path> = private
        .iter()
        .copied()
        .filter(|path| std::fs::metadata(path).is_ok_and(|file| is_open(&file)))
        .collect();
    let mut findings = Vec::new();
    for path in &open {
        let path = path.display();
        findings.push(Finding::fail(
            "files",
            format!("{path} can be read by everybody on this machine"),
            format!("chmod o= {path}"),
        ));
    }
    if open.is_empty() {
        let what = "what holds secrets and addresses can be read by its owner and group only";
        findings.push(Finding::ok("files", what));
    }
    if let Location::Sqlite(path) = &config.database {
        findings.push(of_disk(path));
    }
    findings.push(of_head(config));
    findings
}

/// Whether anything would tell that an older copy of the database was put back.
fn of_head(config: &Config) -> Finding {
    let check = "log-head";
    if config.ledger.head_file.is_some() {
        return Finding::ok(
            check,
            "the newest head of the log is kept outside the database",
        );
    }
    if config.witnesses.witnesses.is_empty() {
        return Finding::warn(
            check,
            "nothing outside the database tells when an older copy of it is put back, and mails would go out again",
            "name a file with [ledger] head_file, on a disk that is not restored together with the database, or a witness",
        );
    }
    Finding::ok(
        check,
        "a witness tells when an older copy of the database is put back",
    )
}

fn is_open(file: &Metadata) -> bool {
    file.permissions().mode() & OTHERS != 0
}

fn of_disk(database: &Path) -> Finding {
    let folder = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let shown = folder.display();
    let mend = "make room there, or move the database to a larger disk";
    match room::free(folder) {
        Ok(free) if free >= ROOM_TO_WARN => {
            Finding::ok("disk", format!("{} free in {shown}", megabytes(free)))
        }
        Ok(free) if free >= ROOM_AT_LEAST => Finding::warn(
            "disk",
            format!("only {} free in {shown}", megabytes(free)),
            mend,
        ),
        Ok(free) => Finding::fail(
            "disk",
            format!(
                "only {} free in {shown}: signups fail soon",
                megabytes(free)
            ),
            mend,
        ),
        Err(error) => Finding::fail(
            "disk",
            format!("{shown}: {error}"),
            "the folder of [database] url must be there, and this user must be able to look into it",
        ),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}
