//! Lines of CSV that we write: RFC 4180, with no cell that a spreadsheet would take for a formula (T25).

use std::borrow::Cow;

use super::formula::neutralised;

/// One line with its end.
pub fn line<const N: usize>(cells: [&str; N]) -> String {
    let cells = cells.map(|cell| quoted(&neutralised(cell)).into_owned());
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
