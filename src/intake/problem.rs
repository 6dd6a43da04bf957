//! What can be wrong with a file, and with one of its lines.

use std::io;

use super::limits::{CELL_BYTES, COLUMNS, ROW_BYTES};
use super::proof::ProofProblem;

/// Why a file cannot be read, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is empty")]
    Empty,
    /// It is something else than a table or a workbook.
    #[error("{0}")]
    OtherKind(&'static str),
    #[error("{0} is for {1} only, and this is {2}")]
    NotFor(&'static str, &'static str, &'static str),
    #[error("it has no sheet \"{wanted}\"; it has: {has}")]
    NoSuchSheet { wanted: String, has: String },
    #[error("this workbook is damaged: {0}")]
    Damaged(&'static str),
    #[error("this workbook is refused: {0}")]
    TooMuch(&'static str),
    #[error("its header in line {0} cannot be read: {1}")]
    Header(u64, Flaw),
}

/// One line that cannot be used; the others can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line of a text file, counted from 1, or the number of a sheet's row.
    pub line: u64,
    /// The cell that should hold the address, as far as there is one.
    pub address: String,
    pub flaw: Flaw,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("a quote is opened and never closed")]
    Unclosed,
    #[error("text stands behind a closing quote")]
    BehindQuote,
    #[error("a cell is longer than {CELL_BYTES} bytes")]
    LongCell,
    #[error("the line is longer than {ROW_BYTES} bytes")]
    LongRow,
    #[error("it has more than {COLUMNS} cells")]
    ManyCells,
    #[error("it has more cells than the header; is a delimiter not quoted?")]
    WiderThanHeader,
    #[error("a cell holds a NUL character")]
    Nul,
    #[error("a cell points to a text that is not there")]
    NoText,
    #[error("the address is missing")]
    NoAddress,
    #[error("this is no address that could be mailed ({0})")]
    Address(&'static str),
    #[error("{0}")]
    Claim(String),
    #[error("the file of proof \"{0}\": {1}")]
    Proof(String, ProofProblem),
}
