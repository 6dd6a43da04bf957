//! One record after the other (RFC 4180, and what programs write besides).
//!
//! A record is read from a buffer that keeps all of it, so that after a broken quote reading goes on with the line behind the
//! one on which the record began: one bad quote must not swallow the rest of a file.

use std::io;

use super::super::limits::{CELL_BYTES, COLUMNS, ROW_BYTES};
use super::super::problem::{Broken, Flaw};
use super::super::rows::{Row, broken};

/// Where text comes from. `more` adds a piece; false: there is no more.
pub trait More {
    fn more(&mut self, into: &mut Vec<u8>) -> io::Result<bool>;
}

/// A source of nothing: all of the text is already there.
pub struct Nothing;

impl More for Nothing {
    fn more(&mut self, _: &mut Vec<u8>) -> io::Result<bool> {
        Ok(false)
    }
}

pub struct Records<S> {
    source: S,
    text: Vec<u8>,
    /// Where the record begins; what stands before it is done with.
    at: usize,
    line: u64,
    delimiter: u8,
    ended: bool,
}

/// How a cell ended.
enum After {
    Cell,
    Record,
}

/// What reading a record comes to, if it is not read.
enum Stop {
    Io(io::Error),
    Flaw(Flaw),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<S: More> Records<S> {
    /// Reads what is there already, then what the source has.
    pub fn new(source: S, text: Vec<u8>, delimiter: u8) -> Self {
        Self {
            source,
            text,
            at: 0,
            line: 1,
            delimiter,
            ended: false,
        }
    }

    /// Leaves out whole lines at the beginning.
    pub fn behind(mut self, bytes: usize) -> Self {
        self.done_with(bytes);
        self
    }

    pub const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub const fn source(&self) -> &S {
        &self.source
    }

    pub fn next_record(&mut self) -> io::Result<Option<Result<Row, Broken>>> {
        if self.byte(0)?.is_none() {
            return Ok(None);
        }
        let line = self.line;
        match self.record() {
            Ok((cells, bytes)) => {
                self.done_with(bytes);
                Ok(Some(Ok(Row { line, cells })))
            }
            Err(Stop::Io(error)) => Err(error),
            Err(Stop::Flaw(flaw)) => {
                self.skip_line()?;
                Ok(Some(Err(broken(line, flaw))))
            }
        }
    }

    /// The byte so far behind the beginning of the record.
    fn byte(&mut self, behind: usize) -> io::Result<Option<u8>> {
        loop {
            if let Some(byte) = self.text.get(self.at + behind) {
                return Ok(Some(*byte));
            }
            if self.ended {
                return Ok(None);
            }
            self.text.drain(..self.at);
            self.at = 0;
            self.ended = !self.source.more(&mut self.text)?;
        }
    }

    fn is_end(&self, byte: Option<u8>) -> bool {
        byte.is_none_or(|byte| byte == self.delimiter || matches!(byte, b'\n' | b'\r'))
    }

    fn record(&mut self) -> Result<(Vec<String>, usize), Stop> {
        let mut cells = Vec::new();
        let mut place = 0;
        loop {
            if cells.len() == COLUMNS {
                return Err(Stop::Flaw(Flaw::ManyCells));
            }
            let cell = self.cell(&mut place)?;
            // Split at ASCII characters only, so it is still UTF-8.
            cells.push(String::from_utf8(cell).unwrap_or_default());
            if let After::Record = self.after(&mut place)? {
                return Ok((cells, place));
            }
        }
    }

    fn cell(&mut self, place: &mut usize) -> Result<Vec<u8>, Stop> {
        // Some programs write a space behind the delimiter, also before a quote.
        let mut begin = *place;
        while self.byte(begin)? == Some(b' ') && begin - *place < 8 {
            begin += 1;
        }
        if self.byte(begin)? == Some(b'"') {
            *place = begin + 1;
            return self.quoted(place);
        }
        let mut cell = Vec::new();
        loop {
            let byte = self.byte(*place)?;
            match byte {
                Some(other) if !self.is_end(byte) => cell.push(other),
                _ => return Ok(cell),
            }
            *place += 1;
            check(&cell, *place)?;
        }
    }

    fn quoted(&mut self, place: &mut usize) -> Result<Vec<u8>, Stop> {
        let mut cell = Vec::new();
        loop {
            let Some(byte) = self.byte(*place)? else {
                return Err(Stop::Flaw(Flaw::Unclosed));
            };
            *place += 1;
            if byte == b'"' {
                let next = self.byte(*place)?;
                if next == Some(b'"') {
                    *place += 1;
                } else if cell.last() == Some(&b'\\') && !self.is_end(next) {
                    // Written by a program that escapes quotes with a backslash.
                    cell.pop();
                } else {
                    return Ok(cell);
                }
            }
            cell.push(byte);
            check(&cell, *place)?;
        }
    }

    fn after(&mut self, place: &mut usize) -> Result<After, Stop> {
        while self.byte(*place)? == Some(b' ') {
            *place += 1;
            check(&[], *place)?;
        }
        let byte = self.byte(*place)?;
        match byte {
            Some(delimiter) if delimiter == self.delimiter => {
                *place += 1;
                Ok(After::Cell)
            }
            _ if !self.is_end(byte) => Err(Stop::Flaw(Flaw::BehindQuote)),
            Some(b'\r') if self.byte(*place + 1)? == Some(b'\n') => {
                *place += 2;
                Ok(After::Record)
            }
            Some(_) => {
                *place += 1;
                Ok(After::Record)
            }
            None => Ok(After::Record),
        }
    }

    /// Counts the lines of what is done with, and leaves it behind.
    fn done_with(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.text.len());
        let done = self.text.get(self.at..end).unwrap_or_default();
        let mut before = 0;
        for byte in done {
            self.line += u64::from(*byte == b'\n' || before == b'\r');
            before = if *byte == b'\n' { 0 } else { *byte };
        }
        // The lone return of old machines ends a line, too.
        self.line += u64::from(before == b'\r');
        self.at = end;
    }

    /// Goes to the end of the line on which the record began, however long it is, keeping nothing of it.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                let pair = self.byte(end)? == Some(b'\r') && self.byte(end + 1)? == Some(b'\n');
                self.done_with(end + 1 + usize::from(pair));
                return Ok(());
            }
            self.at = self.text.len();
            if self.byte(0)?.is_none() {
                return Ok(());
            }
        }
    }
}

fn check(cell: &[u8], place: usize) -> Result<(), Stop> {
    if cell.len() > CELL_BYTES {
        return Err(Stop::Flaw(Flaw::LongCell));
    }
    if place > ROW_BYTES {
        return Err(Stop::Flaw(Flaw::LongRow));
    }
    Ok(())
}
