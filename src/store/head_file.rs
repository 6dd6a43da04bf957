//! A copy of the log's newest head outside the database, in a file of its own: whoever puts an older copy of the database in
//! its place, or cuts off the end of the log in it, leaves this file as it was.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A signed note with the lines of witnesses is far shorter.
const BYTES_AT_MOST: u64 = 64 << 10;

/// Where it lies beside a database in a file: `countersign.db.log-head` for `countersign.db`.
pub fn beside(database: &Path) -> PathBuf {
    with(database, ".log-head")
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

/// Replaces the file. It is written after the database's commit, so that it never runs ahead of it, and is on disk before it takes
/// the place of the one before: a power cut leaves the one or the other.
pub fn write(path: &Path, note: &str) -> std::io::Result<()> {
    let fresh = with(path, &format!(".{}", std::process::id()));
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}

/// Puts this head in the place of the one that is kept, whatever that is; none removes it.
pub fn replace(path: &Path, note: Option<&str>) -> std::io::Result<()> {
    match note.map(|note| write(path, note)) {
        Some(written) => written,
        None => match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// What the file holds; none where there is none.
pub fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) if found.len() > BYTES_AT_MOST => Err(ErrorKind::FileTooLarge.into()),
        Ok(_) => std::fs::read(path).map(Some),
    }
}
