//! What readers of the log get: its head, and the tiles of the tree of that size.

use super::App;
use crate::ledger::merkle::leaf_hash;
use crate::ledger::tile::{self, Resource};
use crate::ledger::tree::split;
use crate::store::cosignatures::{self, Cosignature};
use crate::store::{StoreError, log};

/// A tile that the tree has is kept; if it is not, the database was damaged.
const MISSING: StoreError = StoreError::Corrupt("a tile of the log is missing or too short");

impl App {
    /// The bytes that a path below `/log/` names (C2SP tlog-tiles); none where the log has not come so far. A tile never
    /// reaches beyond the newest signed checkpoint.
    pub async fn log_resource(&self, wanted: Resource) -> Result<Option<Vec<u8>>, StoreError> {
        let mut conn = self.store.read().await?;
        let Some(head) = log::head(&mut conn).await? else {
            return Ok(None);
        };
        let size = u64::try_from(head.size).unwrap_or(0);
        if !wanted.is_in(size) {
            return Ok(None);
        }
        let (id, width) = match wanted {
            Resource::Checkpoint => {
                let lines = cosignatures::list_of(&mut conn, head.size).await?;
                return Ok(Some(cosigned(head.note, &lines).into_bytes()));
            }
            Resource::Entries { place, width } => ((0, place), width),
            Resource::Tile {
                level,
                place,
                width,
            } => ((level, place), width),
        };
        let kept = log::tiles(&mut conn, &[id]).await?;
        let (_, bytes) = kept.first().ok_or(MISSING)?;
        let all = split(id, bytes).map_err(|_| MISSING)?;
        let hashes = usize::try_from(width)
            .ok()
            .and_then(|width| all.get(..width))
            .ok_or(MISSING)?;
        Ok(Some(match wanted {
            Resource::Entries { .. } => tile::entries(hashes),
            Resource::Tile { level: 0, .. } => {
                let leaves: Vec<_> = hashes.iter().map(|entry| leaf_hash(entry)).collect();
                tile::tile(&leaves)
            }
            _ => tile::tile(hashes),
        }))
    }

    /// The signed note of the checkpoint of this size with the lines of those that cosigned it; none where none was signed.
    pub async fn checkpoint_with_cosignatures(
        &self,
        size: u64,
    ) -> Result<Option<String>, StoreError> {
        let Ok(size) = i64::try_from(size) else {
            return Ok(None);
        };
        let mut conn = self.store.read().await?;
        let Some(checkpoint) = log::find_checkpoint(&mut conn, size).await? else {
            return Ok(None);
        };
        let lines = cosignatures::list_of(&mut conn, size).await?;
        Ok(Some(cosigned(checkpoint.note, &lines)))
    }
}

/// A note goes on with further signature lines (C2SP signed-note).
fn cosigned(mut note: String, lines: &[Cosignature]) -> String {
    for line in lines {
        note.push_str(&line.line);
    }
    note
}
