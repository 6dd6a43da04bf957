//! Files that people bring: their rows one at a time, what their columns mean, and whom each row names.
//!
//! Everything here is hostile input (T26, T29): whatever a file holds, it is read in bounded memory, and it ends in rows, in
//! broken lines with their reasons, or in one clear problem. Nothing here asks the database.

pub mod candidate;
pub mod dates;
pub mod export;
pub mod formula;
pub mod header;
mod limits;
pub mod papers;
mod problem;
pub mod proof;
mod rows;
mod table;
mod workbook;

pub use problem::{Broken, FileProblem, Flaw};
pub use rows::{Options, Row, Rows};
