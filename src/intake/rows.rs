//! The rows of a file, whatever its kind.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;

use encoding_rs::Encoding;

use super::problem::{Broken, FileProblem, Flaw};
use super::table::{Table, is_delimiter};
use super::workbook::Sheet;

/// What the person who brings the file says of it. What is left out is found out.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub encoding: Option<&'static Encoding>,
    pub delimiter: Option<u8>,
    pub sheet: Option<String>,
}

impl Options {
    /// An encoding by any of its names (WHATWG Encoding, section 4.2): `utf-16`, `latin1`.
    pub fn encoding(name: &str) -> Result<&'static Encoding, String> {
        Encoding::for_label(name.as_bytes()).ok_or_else(|| {
            format!(
                "there is no encoding \"{}\"; such are utf-8, utf-16le, latin1, windows-1252",
                name.escape_debug()
            )
        })
    }

    /// One character between cells, or the word `tab`.
    pub fn delimiter(text: &str) -> Result<u8, String> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(b'\t'),
            [byte] if is_delimiter(*byte) => Ok(*byte),
            _ => {
                Err("a delimiter is one character such as , or ; or |, or the word tab".to_owned())
            }
        }
    }
}

/// One row with its place: a line of a text file, counted from 1, or the number of a sheet's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub cells: Vec<String>,
}

enum Kind {
    Table(Box<Table>),
    Sheet(Box<Sheet>),
}

/// The rows, one at a time. The first one is the header: no later one is wider. Rows without any text are left out.
pub struct Rows {
    kind: Kind,
    width: Option<usize>,
    ended: bool,
}

impl Rows {
    pub fn open(path: &Path, options: &Options) -> Result<Self, FileProblem> {
        Self::of(File::open(path)?, options)
    }

    /// The rows of an open file, from its beginning.
    pub fn of(mut file: File, options: &Options) -> Result<Self, FileProblem> {
        file.rewind()?;
        let mut head = Vec::new();
        (&mut file).take(512).read_to_end(&mut head)?;
        file.rewind()?;
        if head.is_empty() {
            return Err(FileProblem::Empty);
        }
        if let Some(other) = other_kind(&head) {
            return Err(FileProblem::OtherKind(other));
        }
        let kind = if head.starts_with(b"PK") {
            if options.encoding.is_some() || options.delimiter.is_some() {
                let what = "an encoding or a delimiter";
                return Err(FileProblem::NotFor(what, "text", "a workbook"));
            }
            let sheet = options.sheet.as_deref();
            Kind::Sheet(Box::new(Sheet::open(Arc::new(file), sheet)?))
        } else {
            if options.sheet.is_some() {
                return Err(FileProblem::NotFor("a sheet", "workbooks", "text"));
            }
            Kind::Table(Box::new(Table::open(file, options)?))
        };
        Ok(Self {
            kind,
            width: None,
            ended: false,
        })
    }

    /// What the file was taken for: `CSV, UTF-8, delimiter ";"`.
    pub fn about(&self) -> String {
        match &self.kind {
            Kind::Table(table) => table.about(),
            Kind::Sheet(sheet) => sheet.about().to_owned(),
        }
    }

    /// How many bytes of how many are read, for a bar that shows progress.
    pub fn progress(&self) -> (u64, u64) {
        match &self.kind {
            Kind::Table(table) => table.progress(),
            Kind::Sheet(sheet) => sheet.progress(),
        }
    }

    /// The first row: the names of the columns.
    pub fn header(&mut self) -> Result<Row, FileProblem> {
        match self.next() {
            None => Err(FileProblem::Empty),
            Some(Ok(Ok(row))) => Ok(row),
            Some(Ok(Err(broken))) => Err(FileProblem::Header(broken.line, broken.flaw)),
            Some(Err(problem)) => Err(problem),
        }
    }

    fn fitted(&mut self, mut row: Row) -> Option<Result<Row, Broken>> {
        // A row may be wide and nearly empty: the first look at a cell is the cheapest one.
        let blank = |cell: &String| cell.is_empty() || cell.trim().is_empty();
        if row.cells.iter().all(blank) {
            return None;
        }
        if row
            .cells
            .iter()
            .any(|cell| !cell.is_empty() && cell.contains('\0'))
        {
            return Some(Err(broken(row.line, Flaw::Nul)));
        }
        match self.width {
            None => {
                let filled = row.cells.iter().rposition(|cell| !blank(cell));
                row.cells.truncate(filled.map_or(0, |last| last + 1));
                self.width = Some(row.cells.len());
            }
            Some(width) => {
                if row.cells.iter().skip(width).any(|cell| !blank(cell)) {
                    return Some(Err(broken(row.line, Flaw::WiderThanHeader)));
                }
                row.cells.truncate(width);
            }
        }
        Some(Ok(row))
    }
}

pub(super) fn broken(line: u64, flaw: Flaw) -> Broken {
    Broken {
        line,
        address: String::new(),
        flaw,
    }
}

impl Iterator for Rows {
    /// A problem ends the rows; a broken line does not.
    type Item = Result<Result<Row, Broken>, FileProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let read = match &mut self.kind {
                Kind::Table(table) => table.next_row(),
                Kind::Sheet(sheet) => sheet.next_row(),
            };
            match read {
                Ok(Some(Ok(row))) => {
                    if let Some(row) = self.fitted(row) {
                        return Some(Ok(row));
                    }
                }
                Ok(Some(Err(broken))) => return Some(Ok(Err(broken))),
                Ok(None) => self.ended = true,
                Err(problem) => {
                    self.ended = true;
                    return Some(Err(problem));
                }
            }
        }
        None
    }
}

/// What a file is that is neither text nor a workbook, by how it begins, and what to do with it.
fn other_kind(head: &[u8]) -> Option<&'static str> {
    let beginnings: [(&[u8], &str); 6] = [
        (
            b"\xD0\xCF\x11\xE0",
            "this is an old workbook (.xls), or one that is protected by a password; save it as .xlsx without one, or as CSV",
        ),
        (b"%PDF", "this is a PDF; bring the list as CSV or XLSX"),
        (
            b"\x1F\x8B",
            "this is packed with gzip; unpack it first: gunzip FILE",
        ),
        (
            b"SQLite format 3\0",
            "this is an SQLite database; bring the list as CSV or XLSX",
        ),
        (
            b"{\\rtf",
            "this is a text document; bring the list as CSV or XLSX",
        ),
        (b"\xFF\xFE\0\0", "this is text in UTF-32; save it as UTF-8"),
    ];
    let found = beginnings
        .iter()
        .find(|(beginning, _)| head.starts_with(beginning));
    if let Some((_, says)) = found {
        return Some(says);
    }
    let text = String::from_utf8_lossy(head).trim_start().to_lowercase();
    ["<!doctype html", "<html", "<?xml"]
        .iter()
        .any(|beginning| text.starts_with(beginning))
        .then_some("this is a web page or XML; bring the list as CSV or XLSX")
}
