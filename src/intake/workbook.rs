//! Workbooks: one sheet of an XLSX file (ECMA-376), streamed cell by cell.
//!
//! Nothing is held but a part of the texts that cells share, where each of them begins, the kinds of numbers, and one row.
//! Libraries that build a whole sheet in memory can be made to abort the process by one cell far out (T26); this one never allocates for what is not there.

mod directory;
mod numbers;
mod part;
mod sheet;
mod spill;
mod strings;
mod structure;
mod xml;

pub use sheet::Sheet;
