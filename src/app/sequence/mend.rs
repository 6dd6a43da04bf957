//! A kept tile that is not what the events say, found behind the newest checkpoint: the disk rotted, or somebody changed the
//! tile, or an event after it was written there and before it was signed.
//!
//! What no checkpoint holds is no evidence: readers never see it, and nobody can have seen it. It is written anew from the
//! events, which were read and hashed twice, in the same transaction as the checkpoint that is signed over it; the database
//! refuses to change what a checkpoint holds. But if anybody has seen a larger log than the newest checkpoint that is here, the
//! tile may belong to what is lost here, and is left as it is.

use super::{Head, SequenceProblem};
use crate::app::App;
use crate::ledger::checkpoint::Checkpoint;
use crate::store::log::TileId;
use crate::store::{cosignatures, log};
use crate::telemetry;

impl App {
    /// Writes these tiles anew and signs the checkpoint over them, if nobody has seen more of the log than `from`.
    pub(super) async fn mend(
        &self,
        from: &Head,
        tiles: &[(TileId, Vec<u8>)],
        next: &Checkpoint,
        last_position: i64,
    ) -> Result<Option<Head>, SequenceProblem> {
        let ((level, place), _) = tiles
            .first()
            .ok_or_else(|| SequenceProblem::Reread("no tile differs".to_owned()))?;
        if let Some((by, there)) = self.seen_beyond(from.size).await? {
            return Err(SequenceProblem::TileSeen {
                level: *level,
                place: *place,
                here: from.size,
                by,
                there,
            });
        }
        let stored = self.signed(next, last_position);
        let added = log::mend_and_sign(&self.store, tiles, &stored).await?;
        if added {
            let mended = tiles.len();
            metrics::counter!(telemetry::LOG_TILES_MENDED).increment(mended as u64);
            tracing::error!(
                level,
                place,
                mended,
                newest_checkpoint = from.size,
                "a tile beyond the newest checkpoint of the log was not what the events say: the disk may be failing, or somebody \
                 changed the tile or an event. No evidence rested on it; it was written anew from the events. Run `countersign verify --log`"
            );
        }
        Ok(self.added(next, stored, added).await)
    }

    /// Who has seen a larger log than this, and how large.
    async fn seen_beyond(&self, size: u64) -> Result<Option<(String, u64)>, SequenceProblem> {
        let reached = self.log.reached().map(|(reached, _)| reached);
        let kept = self.kept_head();
        let tries = cosignatures::list_tries(&mut self.store.read().await?).await?;
        let named = &self.config.witnesses.witnesses;
        let witnesses = tries.into_iter().filter_map(|one| {
            let is_named = named.iter().any(|witness| witness.key.name == one.witness);
            let seen = u64::try_from(one.size.max(one.cosigned.unwrap_or(0))).ok()?;
            is_named.then(|| (format!("the witness {}", one.witness), seen))
        });
        let seen = reached
            .map(|reached| ("this process".to_owned(), reached))
            .into_iter()
            .chain(kept.map(|kept| ("the log's head beside the database".to_owned(), kept)))
            .chain(witnesses);
        Ok(seen
            .filter(|(_, there)| *there > size)
            .max_by_key(|seen| seen.1))
    }
}
