//! What readers of the log get: its head, and the tiles of the tree of that size.

use super::App;
use crate::ledger::merkle::{Hash, consistency_ranges, inclusion_ranges, leaf_hash};
use crate::ledger::tile::{self, Resource};
use crate::ledger::tree::{Tiles, split, tiles_of};
use crate::store::cosignatures::{self, Cosignature};
use crate::store::{Conn, StoreError, log};

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

    /// The audit path of an entry (RFC 6962, section 2.1.1) in the log of `size` entries, not larger than the newest
    /// checkpoint.
    pub async fn log_inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        let mut conn = self.store.read().await?;
        let mut paths = audit_paths(&mut conn, &[index], size).await?;
        paths.pop().ok_or(MISSING)
    }

    /// The proof that the log of `new` entries continues the one of `old` entries (RFC 6962, section 2.1.2). `new` must
    /// not be larger than the newest checkpoint.
    pub async fn log_consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, StoreError> {
        let ranges = consistency_ranges(old, new);
        let mut conn = self.store.read().await?;
        let tiles = read_tiles(&mut conn, &ranges).await?;
        tiles.consistency(old, new).map_err(|_| MISSING)
    }
}

/// The tiles that these ranges are computed from.
pub(super) async fn read_tiles(
    conn: &mut Conn,
    ranges: &[(u64, u64)],
) -> Result<Tiles, StoreError> {
    let wanted: Vec<_> = tiles_of(ranges).into_iter().collect();
    let mut tiles = Tiles::default();
    for (id, bytes) in log::tiles(conn, &wanted).await? {
        tiles.add(id, &bytes).map_err(|_| MISSING)?;
    }
    Ok(tiles)
}

/// The audit paths of these entries in the tree of this size, in the same order.
pub(super) async fn audit_paths(
    conn: &mut Conn,
    indexes: &[u64],
    size: u64,
) -> Result<Vec<Vec<Hash>>, StoreError> {
    let ranges: Vec<_> = indexes
        .iter()
        .flat_map(|index| inclusion_ranges(*index, size))
        .collect();
    let tiles = read_tiles(conn, &ranges).await?;
    indexes
        .iter()
        .map(|index| tiles.inclusion(*index, size).map_err(|_| MISSING))
        .collect()
}

/// A note goes on with further signature lines (C2SP signed-note).
fn cosigned(mut note: String, lines: &[Cosignature]) -> String {
    for line in lines {
        note.push_str(&line.line);
    }
    note
}
