//! Tables as text: CSV in any common dialect and encoding.

mod decode;
mod delimiter;
mod encoding;
mod records;

use std::fs::File;

use super::problem::{Broken, FileProblem};
use super::rows::{Options, Row};
use decode::Decoded;
pub use delimiter::is_delimiter;
use records::Records;

/// So much of the text is looked at to find the delimiter.
const SAMPLE_BYTES: usize = 64 * 1_024;

pub struct Table {
    records: Records<Decoded>,
    encoding: &'static str,
    size: u64,
}

impl Table {
    pub fn open(mut file: File, options: &Options) -> Result<Self, FileProblem> {
        let size = file.metadata()?.len();
        let encoding = match options.encoding {
            Some(encoding) => encoding,
            None => encoding::find(&mut file)?,
        };
        let mut text = Decoded::new(file, encoding);
        let mut sample = Vec::new();
        let mut all = false;
        while !all && sample.len() < SAMPLE_BYTES {
            all = !records::More::more(&mut text, &mut sample)?;
        }
        let found = delimiter::find(&sample, all);
        let delimiter = options.delimiter.unwrap_or(found.delimiter);
        Ok(Self {
            records: Records::new(text, sample, delimiter).behind(found.behind),
            encoding: encoding.name(),
            size,
        })
    }

    pub fn about(&self) -> String {
        let delimiter = match self.records.delimiter() {
            b'\t' => "tab".to_owned(),
            other => format!("\"{}\"", char::from(other)),
        };
        format!("CSV, {}, delimiter {delimiter}", self.encoding)
    }

    pub fn progress(&self) -> (u64, u64) {
        (self.records.source().read(), self.size)
    }

    pub fn next_row(&mut self) -> Result<Option<Result<Row, Broken>>, FileProblem> {
        Ok(self.records.next_record()?)
    }
}
