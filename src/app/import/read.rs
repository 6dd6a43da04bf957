//! A file's rows, read ahead on a thread of their own: the next part is read while the last one is written.

use std::collections::HashSet;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::intake::candidate::{Candidate, Reading};
use crate::intake::proof::ProofProblem;
use crate::intake::{Broken, FileProblem, Rows};
use crate::store::StoreError;
use crate::store::proofs::FILES_AT_MOST;

/// Parts that wait to be dealt with.
const AHEAD: usize = 1;

/// Files of proof are in memory while their part is written: a part ends once they are so long together. The last of them may be
/// longer.
const PROOF_BYTES: u64 = 8 * 1_024 * 1_024;

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
    #[error("the file of proof {0}: {1}")]
    Proof(String, ProofProblem),
    #[error(
        "the brand keeps {FILES_AT_MOST} files of proof, and no more; name papers that many rows share once, with --proof-file"
    )]
    ManyProofs,
    #[error("another process went on with this import meanwhile, or took it back")]
    Elsewhere,
}

/// Some rows in their order.
pub(super) struct Part {
    pub rows: Vec<Result<Candidate, Broken>>,
    pub bytes: (u64, u64),
    /// What ended the file before its time, and behind which line.
    pub problem: Option<(FileProblem, u64)>,
    is_last: bool,
}

/// A file that is being read.
pub(super) struct Ahead {
    parts: mpsc::Receiver<Part>,
    reader: JoinHandle<String>,
}

impl Ahead {
    /// Reads from behind the header on.
    /// `together`: rows of a part.
    pub fn start(mut rows: Rows, reading: Reading, together: usize) -> Self {
        let (send, parts) = mpsc::channel(AHEAD);
        let reader = tokio::task::spawn_blocking(move || {
            let mut line = 1;
            loop {
                let part = part(&mut rows, &reading, &mut line, together);
                let is_last = part.is_last;
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

fn part(rows: &mut Rows, reading: &Reading, line: &mut u64, together: usize) -> Part {
    let mut part = Part {
        rows: Vec::with_capacity(together),
        bytes: (0, 0),
        problem: None,
        is_last: false,
    };
    let mut proofs = HashSet::new();
    let mut proof_bytes = 0;
    while part.rows.len() < together && proof_bytes < PROOF_BYTES {
        let Some(read) = rows.next() else {
            part.is_last = true;
            break;
        };
        let read = match read {
            Ok(read) => read,
            Err(problem) => {
                part.problem = Some((problem, *line));
                part.is_last = true;
                break;
            }
        };
        let candidate = read.and_then(|row| reading.candidate(&row));
        *line = match &candidate {
            Ok(candidate) => candidate.line,
            Err(broken) => broken.line,
        };
        for file in candidate.iter().flat_map(|candidate| &candidate.files) {
            if proofs.insert(file.sha256) {
                proof_bytes += file.bytes;
            }
        }
        part.rows.push(candidate);
    }
    part.bytes = rows.progress();
    part
}
