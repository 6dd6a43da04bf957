//! What stands between the cells, found from the first lines.

use super::records::{Nothing, Records};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
const LINES: usize = 50;

pub struct Found {
    pub delimiter: u8,
    /// So many bytes at the beginning are not part of the table.
    pub behind: usize,
}

/// Takes the delimiter that gives most lines as many cells as the first one; of equals the one that gives more cells.
/// `sep=;`, which spreadsheets write in front, says it by itself.
pub fn find(sample: &[u8], is_all: bool) -> Found {
    if let Some(found) = said(sample) {
        return found;
    }
    let best = DELIMITERS
        .into_iter()
        .rev()
        .max_by_key(|delimiter| score(sample, is_all, *delimiter));
    Found {
        delimiter: best.unwrap_or(b','),
        behind: 0,
    }
}

fn said(sample: &[u8]) -> Option<Found> {
    let rest = sample.strip_prefix(b"sep=")?;
    let (delimiter, rest) = rest.split_first()?;
    let end = if rest.starts_with(b"\r\n") { 2 } else { 1 };
    let ends = rest.starts_with(b"\r") || rest.starts_with(b"\n");
    (ends && is_delimiter(*delimiter)).then_some(Found {
        delimiter: *delimiter,
        behind: 5 + end,
    })
}

/// Whether a byte may stand between cells.
pub fn is_delimiter(byte: u8) -> bool {
    byte == b'\t' || (byte.is_ascii_punctuation() && byte != b'"')
}

fn score(sample: &[u8], is_all: bool, delimiter: u8) -> (usize, usize) {
    let mut records = Records::new(Nothing, sample.to_vec(), delimiter);
    let mut widths = Vec::new();
    while widths.len() < LINES
        && let Ok(Some(record)) = records.next_record()
    {
        let width = record.map_or(0, |row| row.cells.len());
        widths.push(width);
    }
    // The last line of a sample may be cut off.
    if !is_all && widths.len() < LINES {
        widths.pop();
    }
    let first = widths.first().copied().unwrap_or_default();
    if first < 2 {
        return (0, 0);
    }
    let alike = widths.iter().filter(|width| **width == first).count();
    (alike * 100 / widths.len(), first)
}
