//! The timestamps that a bundle needs: for each event the last that came before it was logged, and the first that came after.

use std::collections::BTreeMap;

use super::super::App;
use super::super::read_log::read_tiles;
use crate::ledger::bundle::AnchorPart;
use crate::ledger::merkle::consistency_ranges;
use crate::store::timestamps::{self, KeptStamp};
use crate::store::{Conn, StoreError, log};

/// A bundle has room for a thousand; more than a few hundred help nobody.
const ANCHORS_AT_MOST: usize = 500;

const MISSING: StoreError = StoreError::Corrupt("a checkpoint that was stamped is missing");

impl App {
    /// The anchors of entries in ascending order, in the log of `size` entries.
    pub(super) async fn anchors(
        &self,
        conn: &mut Conn,
        indexes: &[u64],
        size: u64,
    ) -> Result<Vec<AnchorPart>, StoreError> {
        let stamps = stamps_around(conn, indexes, size).await?;
        let ranges: Vec<_> = stamps
            .keys()
            .flat_map(|(at, _)| consistency_ranges(as_size(*at), size))
            .collect();
        let tiles = read_tiles(conn, &ranges).await?;
        let mut anchors = Vec::new();
        for ((at, authority), stamp) in stamps {
            let checkpoint = log::find_checkpoint(conn, at).await?.ok_or(MISSING)?;
            let proof = tiles.consistency(as_size(at), size);
            anchors.push(AnchorPart {
                name: format!("{at:08}-{}", file_name(&authority)),
                checkpoint: checkpoint.note,
                response: stamp.response,
                certificates_pem: stamp.certificates,
                consistency: proof.map_err(|_| MISSING)?,
            });
        }
        Ok(anchors)
    }
}

async fn stamps_around(
    conn: &mut Conn,
    indexes: &[u64],
    size: u64,
) -> Result<BTreeMap<(i64, String), KeptStamp>, StoreError> {
    let mut found = BTreeMap::new();
    // Events below this index lie between the same stamps as the one before them.
    let mut same_below = 0;
    for index in indexes.iter().filter(|_| size > 0) {
        if *index < same_below || found.len() >= ANCHORS_AT_MOST {
            continue;
        }
        let holding = log::as_stored(*index).saturating_add(1);
        let behind = timestamps::first_from(conn, holding).await?;
        let before = timestamps::last_before(conn, holding).await?;
        let next = behind.iter().map(|stamp| as_size(stamp.size)).min();
        same_below = next.unwrap_or(u64::MAX);
        for stamp in before.into_iter().chain(behind) {
            // One that came while this bundle is made belongs to a later head.
            if as_size(stamp.size) <= size {
                found.insert((stamp.size, stamp.authority.clone()), stamp);
            }
        }
    }
    Ok(found)
}

/// An authority's name in the name of a file.
fn file_name(authority: &str) -> String {
    authority
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(60)
        .collect()
}

fn as_size(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
