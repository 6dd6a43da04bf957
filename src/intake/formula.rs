//! Cells that a spreadsheet would take for formulas (T25).

use std::borrow::Cow;

/// Whether a spreadsheet that opens this as a cell may compute with it. White space before the sign changes nothing, and the
/// full-width signs are read as the plain ones.
fn is_computed(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n'])
        || text
            .trim_start()
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// The text as a cell of an export: one that could be a formula gets a `'` in front. A text that already looks like that gets
/// another one, so that [`taken_back`] gives every text back as it was.
pub fn neutralised(text: &str) -> Cow<'_, str> {
    if is_computed(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a cell that [`neutralised`] may have written.
pub fn taken_back(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_computed(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}
