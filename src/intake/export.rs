//! Lines of CSV that we write: RFC 4180, with no cell that a spreadsheet would take for a formula (T25).

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::formula::neutralised;

/// A new file that nobody else may read, since it holds addresses. One that is there already is not written over.
pub fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// One line with its end.
pub fn line<const N: usize>(cells: [&str; N]) -> String {
    let cells = cells.map(|cell| quoted(&neutralised(cell)).into_owned());
    format!("{}\n", cells.join(","))
}

/// One line with its end, of any number of cells.
pub fn cells(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells
        .map(|cell| quoted(&neutralised(&cell)).into_owned())
        .collect();
    format!("{}\n", cells.join(","))
}

/// RFC 4180, section 2.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains(['"', ',', ';', '\t', '\r', '\n']) || cell.trim() != cell {
        Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(cell)
    }
}
