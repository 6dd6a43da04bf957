//! Files that people bring: read, understood, judged; and what they must not be able to do to us.

mod added;
mod again;
mod candidates;
mod columns;
pub mod command;
mod hostile;
mod lapsing;
mod left;
mod notice;
mod proofs;
pub mod resuming;
pub mod storing;
mod tables;
pub mod workbook;
mod workbooks;

use std::path::PathBuf;

use countersign::intake::{Broken, FileProblem, Options, Row, Rows};

use crate::harness::Folder;

/// A file in a folder of its own.
pub struct File {
    pub path: PathBuf,
    _folder: Folder,
}

impl File {
    pub fn of(bytes: &[u8]) -> Self {
        let folder = Folder::new();
        let path = folder.0.join("list");
        std::fs::write(&path, bytes).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    pub fn open(&self) -> Rows {
        Rows::open(&self.path, &Options::default()).unwrap()
    }

    /// What ends the reading of this file.
    pub fn problem(&self) -> String {
        let rows = match Rows::open(&self.path, &Options::default()) {
            Err(problem) => return problem.to_string(),
            Ok(rows) => rows,
        };
        let problem = rows.into_iter().find_map(Result::err);
        problem.expect("the file was read").to_string()
    }
}

/// The rows of a file that can be read to its end.
pub fn read(bytes: &[u8]) -> Vec<Result<Row, Broken>> {
    let rows: Result<Vec<_>, FileProblem> = File::of(bytes).open().collect();
    rows.unwrap()
}

/// The cells of a file without broken lines.
pub fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
    read(bytes)
        .into_iter()
        .map(|row| row.unwrap().cells)
        .collect()
}

/// Lines and reasons of what is broken.
pub fn flaws(bytes: &[u8]) -> Vec<(u64, String)> {
    read(bytes)
        .into_iter()
        .filter_map(Result::err)
        .map(|broken| (broken.line, broken.flaw.to_string()))
        .collect()
}

pub fn words<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
