//! A file's rows, read ahead on a thread of their own: the next part is read while the last one is written.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::TOGETHER;
use crate::intake::candidate::{Candidate, Reading};
use crate::intake::{Broken, FileProblem, Rows};
use crate::store::StoreError;

/// Parts that wait to be dealt with.
const AHEAD: usize = 2;

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub rows: u64,
    /// Bytes of the file, and how many there are.
    pub bytes: (u64, u64),
}

/// What ends an import before its file does.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read behind this line.
    #[error("behind line {1}: {0}")]
    File(FileProblem, u64),
    #[error("the report: {0}")]
    Report(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of ours. The import can be begun again.
    #[error("the file could not be read to its end; please report this as a fault of the program")]
    Reader,
    #[error("another process went on with this import meanwhile, or took it back")]
    Elsewhere,
}

/// Some rows in their order.
pub(super) struct Part {
    pub rows: Vec<Result<Candidate, Broken>>,
    pub bytes: (u64, u64),
    /// What ended the file before its time, and behind which line.
    pub problem: Option<(FileProblem, u64)>,
}

/// A file that is being read.
pub(super) struct Ahead {
    parts: mpsc::Receiver<Part>,
    reader: JoinHandle<String>,
}

impl Ahead {
    /// Reads from behind the header on.
    pub fn start(mut rows: Rows, reading: Reading) -> Self {
        let (send, parts) = mpsc::channel(AHEAD);
        let reader = tokio::task::spawn_blocking(move || {
            let mut line = 1;
            loop {
                let part = part(&mut rows, &reading, &mut line);
                let is_last = part.rows.len() < TOGETHER || part.problem.is_some();
                // Whoever no longer waits for the rows has given up; so does the reader.
                if send.blocking_send(part).is_err() || is_last {
                    return rows.about();
                }
            }
        });
        Self { parts, reader }
    }

    /// The next rows; none behind the last.
    pub async fn next(&mut self) -> Option<Part> {
        self.parts.recv().await
    }

    /// What the file was taken for: `CSV, UTF-8, delimiter ";"`.
    pub async fn about(mut self) -> Result<String, Problem> {
        self.parts.close();
        while self.parts.recv().await.is_some() {}
        self.reader.await.map_err(|_| Problem::Reader)
    }
}

fn part(rows: &mut Rows, reading: &Reading, line: &mut u64) -> Part {
    let mut part = Part {
        rows: Vec::with_capacity(TOGETHER),
        bytes: (0, 0),
        problem: None,
    };
    for read in rows.by_ref().take(TOGETHER) {
        let read = match read {
            Ok(read) => read,
            Err(problem) => {
                part.problem = Some((problem, *line));
                break;
            }
        };
        let candidate = read.and_then(|row| reading.candidate(&row));
        *line = match &candidate {
            Ok(candidate) => candidate.line,
            Err(broken) => broken.line,
        };
        part.rows.push(candidate);
    }
    part.bytes = rows.progress();
    part
}
