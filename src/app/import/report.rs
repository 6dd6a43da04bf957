//! The report: a line for each row, as CSV that no spreadsheet takes for formulas (T25).

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Error, ErrorKind, Result, Seek, SeekFrom, Write};
use std::path::Path;

use super::tally::Told;
use crate::intake::export::{create, line};

const COLUMNS: [&str; 6] = ["line", "address", "verdict", "rule", "outreach", "reason"];

/// It holds addresses, so nobody else may read it.
pub struct Report {
    file: BufWriter<File>,
    bytes: u64,
}

impl Report {
    /// A new report. A file that tells of any row is not written over.
    pub fn create(path: &Path) -> Result<Self> {
        let file = match create(path) {
            // Left by a process that died before its first row.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && is_empty(path)? => {
                OpenOptions::new().write(true).truncate(true).open(path)?
            }
            opened => opened?,
        };
        let mut report = Self {
            file: BufWriter::new(file),
            bytes: 0,
        };
        report.line(COLUMNS)?;
        report.sync()?;
        Ok(report)
    }

    /// The report of an import that was interrupted: what it holds beyond this length was never done.
    pub(super) fn go_on(path: &Path, kept: u64) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        if file.metadata()?.len() < kept {
            let says = "this is not the report that the import began with";
            return Err(Error::new(ErrorKind::InvalidInput, says));
        }
        let mut report = Self {
            file: BufWriter::new(file),
            bytes: kept,
        };
        report.back_to(kept)?;
        Ok(report)
    }

    pub(super) fn write(&mut self, told: &Told) -> Result<()> {
        self.line([
            &told.line.to_string(),
            &told.address,
            told.verdict_word(),
            told.rule.map_or("", |rule| rule.id()),
            told.outreach.map_or("", |outreach| outreach.as_str()),
            &told.reason,
        ])
    }

    fn line(&mut self, cells: [&str; 6]) -> Result<()> {
        let line = line(cells);
        self.bytes += line.len() as u64;
        self.file.write_all(line.as_bytes())
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts what was written on the disk.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()
    }

    /// Takes back what was written behind a length.
    pub(super) fn back_to(&mut self, bytes: u64) -> Result<()> {
        self.file.flush()?;
        self.file.get_ref().set_len(bytes)?;
        self.file.seek(SeekFrom::Start(bytes))?;
        self.bytes = bytes;
        Ok(())
    }
}

/// Whether a file holds nothing, or nothing but the names of our columns.
fn is_empty(path: &Path) -> Result<bool> {
    let header = format!("{}\n", COLUMNS.join(","));
    let short = std::fs::metadata(path)?.len() <= header.len() as u64;
    Ok(short && header.as_bytes().starts_with(&std::fs::read(path)?))
}
