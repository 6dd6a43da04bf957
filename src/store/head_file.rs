//! A copy of the log's newest head beside a SQLite database, in a file of its own: whoever puts an older copy of the
//! database in its place leaves this file as it was.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A signed note with the lines of witnesses is far shorter.
const BYTES_AT_MOST: u64 = 64 << 10;

/// `countersign.db.log-head` for `countersign.db`.
fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".log-head");
    PathBuf::from(path)
}

/// Replaces the file. It is written after the database's commit, so that it never runs ahead of it.
pub fn write(database: &Path, note: &str) -> std::io::Result<()> {
    let path = path(database);
    let fresh = path.with_extension(format!("log-head.{}", std::process::id()));
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(note.as_bytes())?;
    std::fs::rename(&fresh, &path)
}

/// Puts this head in the place of the one that is kept, whatever that is; none removes it.
pub fn replace(database: &Path, note: Option<&str>) -> std::io::Result<()> {
    match note.map(|note| write(database, note)) {
        Some(written) => written,
        None => match std::fs::remove_file(path(database)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// What the file holds; none where there is none.
pub fn read(database: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let path = path(database);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) if found.len() > BYTES_AT_MOST => Err(ErrorKind::FileTooLarge.into()),
        Ok(_) => std::fs::read(&path).map(Some),
    }
}
