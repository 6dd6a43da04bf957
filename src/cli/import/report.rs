//! The report: a line for each row, as CSV that no spreadsheet takes for formulas (T25).

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::tally::Told;
use crate::cli::Ended;
use crate::intake::formula::neutralised;

pub struct Report(BufWriter<File>);

impl Report {
    /// It holds addresses, so nobody else may read it; a file that is there already is not written over.
    pub fn create(path: &Path) -> Result<Self, Ended> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| Ended::Wrong(format!("{}: {error}", path.display())))?;
        let mut report = Self(BufWriter::new(file));
        report.line(["line", "address", "verdict", "rule", "outreach", "reason"])?;
        Ok(report)
    }

    pub fn write(&mut self, told: &Told) -> Result<(), Ended> {
        self.line([
            &told.line.to_string(),
            &told.address,
            told.verdict_word(),
            told.rule.map_or("", |rule| rule.id()),
            told.outreach.map_or("", |outreach| outreach.as_str()),
            &told.reason,
        ])
    }

    fn line(&mut self, cells: [&str; 6]) -> Result<(), Ended> {
        let cells = cells.map(|cell| quoted(&neutralised(cell)).into_owned());
        writeln!(self.0, "{}", cells.join(","))?;
        Ok(())
    }

    pub fn end(&mut self) -> Result<(), Ended> {
        Ok(self.0.flush()?)
    }
}

/// RFC 4180, section 2.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains(['"', ',', ';', '\t', '\r', '\n']) || cell.trim() != cell {
        Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(cell)
    }
}
