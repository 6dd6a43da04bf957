//! The tree in tiles of 256 hashes. What a checkpoint holds of one is never changed; what stands beyond the newest checkpoint
//! was written for one to come.

use super::super::set::{ROWS_AT_MOST, Rows, Writes};
use super::super::{Conn, Store, StoreError, on};
use super::{ADD_RUNS, Run, SignedCheckpoint, as_stored, put_checkpoint};

/// A tile's level, and its place from the left.
pub type TileId = (u32, u64);

const TILES: &str = "select log_tile.level, log_tile.place, log_tile.hashes from r \
     join log_tile on log_tile.level = r.level and log_tile.place = r.place";
const ADD_TILES: &str = "insert into log_tile (level, place, hashes) \
     select level, place, hashes from r where level is not null \
     on conflict (level, place) do update set hashes = excluded.hashes \
     where length(excluded.hashes) > length(log_tile.hashes) \
     and substr(excluded.hashes, 1, length(log_tile.hashes)) = log_tile.hashes";
/// The trigger lets nothing be changed that a checkpoint holds.
const MEND_TILES: &str = "insert into log_tile (level, place, hashes) \
     select level, place, hashes from r where level is not null \
     on conflict (level, place) do update set hashes = excluded.hashes returning place";
const LIST_TILES: &str = "select level, place, hashes from log_tile \
     where level = $1 and place >= $2 order by place limit $3";

/// The kept tiles among those wanted.
pub async fn tiles(
    conn: &mut Conn,
    wanted: &[TileId],
) -> Result<Vec<(TileId, Vec<u8>)>, StoreError> {
    let mut found = Vec::with_capacity(wanted.len());
    for part in wanted.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .int("level", |id| i64::from(id.0))
            .int("place", |id| as_stored(id.1));
        let read: Vec<(i64, i64, Vec<u8>)> = conn.read_set(TILES, rows).await?;
        for tile in read {
            found.push(tile_row(tile)?);
        }
    }
    Ok(found)
}

/// The tiles of one level from a place on, in their order.
pub async fn list_tiles(
    conn: &mut Conn,
    level: u32,
    from: i64,
    limit: i64,
) -> Result<Vec<(TileId, Vec<u8>)>, StoreError> {
    let read: Vec<(i64, i64, Vec<u8>)> = on!(conn, driver => sqlx::query_as(LIST_TILES)
        .bind(i64::from(level))
        .bind(from)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read.into_iter().map(tile_row).collect()
}

/// Writes new tiles, longer ones over shorter, and new runs. Whatever another sequencer wrote at the same time is the same,
/// as far as it goes: events have one order. A kept tile that is not the beginning of the new one stays as it is.
pub async fn stage(
    store: &Store,
    tiles: &[(TileId, Vec<u8>)],
    runs: &[Run],
) -> Result<(), StoreError> {
    let mut writes = Writes::default();
    // Far below what one statement takes: a batch of the sequencer fills a few dozen tiles.
    for part in tiles.chunks(ROWS_AT_MOST) {
        writes.add(ADD_TILES, tile_rows(part));
    }
    for part in runs.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .int("first_index", |run| run.first_index)
            .int("first_position", |run| run.first_position);
        writes.add(ADD_RUNS, rows);
    }
    store.write_now(writes).await
}

/// Writes these tiles over what is kept, and puts the checkpoint that is signed over them behind the one that it follows, in
/// one transaction: false where that one has a successor already, and then nothing is done. So what is changed is in no
/// checkpoint, and nobody else signs what it was; the database refuses to change what one holds. If the process dies inside,
/// both are there or neither.
pub async fn mend_and_sign(
    store: &Store,
    mended: &[(TileId, Vec<u8>)],
    checkpoint: &SignedCheckpoint,
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let rows = tile_rows(mended);
    let _: Vec<(i64,)> = tx.read_set(MEND_TILES, rows).await?;
    let wanted: Vec<TileId> = mended.iter().map(|tile| tile.0).collect();
    let mut kept = tiles(&mut tx, &wanted).await?;
    let mut meant = mended.to_vec();
    kept.sort_unstable();
    meant.sort_unstable();
    if kept != meant {
        return Err(StoreError::Corrupt(
            "a tile of the log that was just written",
        ));
    }
    if !put_checkpoint(&mut tx, checkpoint).await? {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

fn tile_rows(tiles: &[(TileId, Vec<u8>)]) -> Rows<'_, (TileId, Vec<u8>)> {
    Rows::of(tiles)
        .int("level", |tile| i64::from(tile.0.0))
        .int("place", |tile| as_stored(tile.0.1))
        .blob("hashes", |tile| tile.1.clone())
}

fn tile_row((level, place, hashes): (i64, i64, Vec<u8>)) -> Result<(TileId, Vec<u8>), StoreError> {
    const WRONG: StoreError = StoreError::Corrupt("a tile's level or place");
    let level = u32::try_from(level).map_err(|_| WRONG)?;
    let place = u64::try_from(place).map_err(|_| WRONG)?;
    Ok(((level, place), hashes))
}
