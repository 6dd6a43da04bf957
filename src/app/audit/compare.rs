//! The log against a checkpoint that somebody else kept: whoever restored an older copy of the database, or made another
//! log under the same key, is found out by it.

use super::super::App;
use super::super::read_log::read_tiles;
use super::super::sequence::SequenceProblem;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::NoteProblem;

/// How the log stands to a checkpoint from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The log continues it.
    Continues { size: u64 },
    /// The checkpoint is of a longer log: what came after is lost here, as after an older copy was restored.
    Behind { here: u64, there: u64 },
    /// The log has another history.
    Differs { size: u64 },
}

impl App {
    /// Compares with a signed checkpoint. An error where it is none of this log.
    pub async fn compare(
        &self,
        note: &[u8],
    ) -> Result<Result<Comparison, NoteProblem>, SequenceProblem> {
        let read = match Checkpoint::verified(note, &self.log.key.verifier()) {
            Ok((read, _)) => read,
            Err(problem) => return Ok(Err(problem)),
        };
        let mut conn = self.store.read().await?;
        let here = self.log_head(&mut conn).await?.map_or(0, |head| head.size);
        if read.size > here {
            return Ok(Ok(Comparison::Behind {
                here,
                there: read.size,
            }));
        }
        let tiles = read_tiles(&mut conn, &[(0, read.size)]).await?;
        Ok(Ok(if tiles.root(read.size)? == read.root {
            Comparison::Continues { size: read.size }
        } else {
            Comparison::Differs { size: read.size }
        }))
    }
}
