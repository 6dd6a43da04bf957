//! The kept tiles above level 0 against those of the tree; what level 0 holds is compared entry by entry.

use std::collections::BTreeMap;

use super::Audit;
use crate::ledger::tile::WIDTH;
use crate::ledger::tree::Growth;
use crate::store::log::{self, TileId};
use crate::store::{Conn, StoreError};

/// Compares those that are full; at the end of the walk the unfinished ones too.
pub(super) async fn compare(
    conn: &mut Conn,
    tree: &mut Growth,
    audit: &mut Audit,
    end: bool,
) -> Result<(), StoreError> {
    let made: Vec<(TileId, Vec<u8>)> = tree
        .take()
        .into_iter()
        .filter(|(id, hashes)| id.0 > 0 && (end || hashes.len() as u64 == 32 * WIDTH))
        .collect();
    let wanted: Vec<TileId> = made.iter().map(|tile| tile.0).collect();
    let kept: BTreeMap<_, _> = log::tiles(conn, &wanted).await?.into_iter().collect();
    for (id, hashes) in made {
        // What stands behind it was written for a checkpoint to come.
        if !kept.get(&id).is_some_and(|kept| kept.starts_with(&hashes)) {
            audit.find(format!("the tile {} of level {} was changed", id.1, id.0));
        }
    }
    Ok(())
}
