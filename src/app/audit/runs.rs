//! What no entry leads to: runs beside those that give the entries their positions, and a log without a checkpoint.

use super::super::sequence::Head;
use super::Audit;
use crate::store::log::as_stored;
use crate::store::{Conn, StoreError, log, timestamps};

/// A run that no entry leads to must be one that a sequencer wrote for entries to come: any other would give events that are
/// logged another place.
pub(super) async fn audit_runs(
    conn: &mut Conn,
    head: &Head,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let size = as_stored(head.size);
    for run in log::runs_beside(conn, size, head.last_position).await? {
        audit.find(format!(
            "the run of index {} and position {} belongs to no entry: it was added",
            run.first_index, run.first_position
        ));
    }
    Ok(())
}

/// The first checkpoint is signed before anything else is written of the log.
pub(super) async fn audit_unbegun(conn: &mut Conn, audit: &mut Audit) -> Result<(), StoreError> {
    let runs = log::list_runs(conn, i64::MIN, 1).await?;
    let tiles = log::list_tiles(conn, 0, 0, 1).await?;
    let stamps = timestamps::list(conn, -1, 1).await?;
    if !(runs.is_empty() && tiles.is_empty() && stamps.is_empty()) {
        audit.find(
            "there is no checkpoint, yet other rows of the log are there: the checkpoints were removed"
                .to_owned(),
        );
    }
    Ok(())
}
