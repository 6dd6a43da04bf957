//! The report: a line for each row, as CSV that no spreadsheet takes for formulas (T25).

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::tally::Told;
use crate::intake::export::{create, line};

const COLUMNS: [&str; 6] = ["line", "address", "verdict", "rule", "outreach", "reason"];

/// It holds addresses, so nobody else may read it.
pub struct Report {
    file: BufWriter<File>,
    bytes: u64,
    hash: Sha256,
}

/// How far a report was at some moment.
pub(super) struct Mark {
    bytes: u64,
    hash: Sha256,
}

/// Why a report is not gone on with.
const ANOTHER: &str = "this is not the report that the import began with";

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
            hash: Sha256::new(),
        };
        report.line(COLUMNS)?;
        report.sync()?;
        Ok(report)
    }

    /// The report of an import that was interrupted: what it holds beyond this length was never done.
    /// What it holds up to there must be what was written; an import of an older version kept no hash of it.
    pub(super) fn go_on(path: &Path, kept: u64, sha256: Option<&[u8]>) -> Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut hash = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        let mut left = kept;
        while left > 0 {
            let most = usize::try_from(left)
                .unwrap_or(piece.len())
                .min(piece.len());
            let read = file.read(piece.get_mut(..most).unwrap_or_default())?;
            if read == 0 {
                return Err(Error::new(ErrorKind::InvalidInput, ANOTHER));
            }
            hash.update(piece.get(..read).unwrap_or_default());
            left -= read as u64;
        }
        if sha256.is_some_and(|sha256| hash.clone().finalize().as_slice() != sha256) {
            return Err(Error::new(ErrorKind::InvalidInput, ANOTHER));
        }
        let mut report = Self {
            file: BufWriter::new(file),
            bytes: kept,
            hash: hash.clone(),
        };
        report.back_to(&Mark { bytes: kept, hash })?;
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
        self.hash.update(line.as_bytes());
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

    /// The hash of all that was written.
    pub(super) fn sha256(&self) -> Vec<u8> {
        self.hash.clone().finalize().to_vec()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes,
            hash: self.hash.clone(),
        }
    }

    /// Takes back what was written since.
    pub(super) fn back_to(&mut self, mark: &Mark) -> Result<()> {
        self.file.flush()?;
        self.file.get_ref().set_len(mark.bytes)?;
        self.file.seek(SeekFrom::Start(mark.bytes))?;
        self.bytes = mark.bytes;
        self.hash = mark.hash.clone();
        Ok(())
    }
}

/// Whether a file holds nothing, or nothing but the names of our columns.
fn is_empty(path: &Path) -> Result<bool> {
    let header = format!("{}\n", COLUMNS.join(","));
    let short = std::fs::metadata(path)?.len() <= header.len() as u64;
    Ok(short && header.as_bytes().starts_with(&std::fs::read(path)?))
}
