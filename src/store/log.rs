//! The log's rows: which event has which place, the tree's tiles, the signed checkpoints. Nothing that a checkpoint holds is
//! ever changed.

mod tiles;
mod turn;

pub use self::tiles::{TileId, list_tiles, mend_and_sign, stage, tiles};
pub use self::turn::{Holder, settled_position, turn_holders};

use super::set::{ROWS_AT_MOST, Rows};
use super::{Conn, Store, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// A checkpoint that was signed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SignedCheckpoint {
    /// Entries of the log.
    pub size: i64,
    /// The size of the one before it; none for the first.
    pub follows: Option<i64>,
    /// The position of the last event that it holds, 0 for none.
    pub last_position: i64,
    /// The signed note.
    pub note: String,
    pub signed_at: Timestamp,
}

/// What an entry is made of, and what else the row says.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct LoggedEvent {
    pub position: i64,
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub kind: String,
    pub at: Timestamp,
    pub body: Option<String>,
    pub salt: Option<Vec<u8>>,
}

/// From this index and position on both count up together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Run {
    pub first_index: i64,
    pub first_position: i64,
}

const HEAD: &str = "select size, follows, last_position, note, signed_at from log_checkpoint \
     order by size desc limit 1";
const LIST_CHECKPOINTS: &str = "select size, follows, last_position, note, signed_at from log_checkpoint \
     where size > $1 order by size limit $2";
const LIST_BACK: &str = "select size, follows, last_position, note, signed_at from log_checkpoint \
     where size < $1 order by size desc limit $2";
const FIND_CHECKPOINT: &str =
    "select size, follows, last_position, note, signed_at from log_checkpoint where size = $1";
const ADD_CHECKPOINT: &str = "insert into log_checkpoint (size, follows, last_position, note, signed_at) \
     values ($1, $2, $3, $4, $5) on conflict do nothing returning size";
const LAST_POSITION: &str = "select coalesce(max(position), 0) from event";
const FIRST_TIME_BEHIND: &str =
    "select at from event where position > $1 order by position limit 1";
const LIST_EVENTS: &str = "select position, brand_id, contact_id, kind, at, body, salt from event \
     where position > $1 and position <= $2 order by position limit $3";
const LAST_RUN: &str =
    "select first_index, first_position from log_run order by first_index desc limit 1";
const LIST_RUNS: &str = "select first_index, first_position from log_run \
     where first_index > $1 order by first_index limit $2";
const RUNS_BESIDE: &str = "select first_index, first_position from log_run \
     where first_index < 0 or (first_index >= $1 and first_position <= $2) order by first_index limit 100";
const ADD_RUNS: &str = "insert into log_run (first_index, first_position) \
     select first_index, first_position from r where first_index is not null on conflict do nothing";
const INDEXES: &str = "select r.position, (select first_index + r.position - first_position from log_run \
     where first_position <= r.position order by first_position desc limit 1) as log_index \
     from r where r.position is not null";
const SIZE_OF_TILES: &str = "select cast(coalesce(sum(length(hashes)), 0) as bigint) from log_tile";
/// Two texts: each engine counts its own pages.
const SIZE_OF_SQLITE: &str = "select (select page_count from pragma_page_count()) * (select page_size from pragma_page_size())";
const SIZE_OF_POSTGRES: &str = "select pg_database_size(current_database())";
const INCLUSION_TIMES: &str = "select (select min(log_checkpoint.signed_at) from log_checkpoint \
     where log_checkpoint.last_position >= event.position) - event.at from event";

/// The bytes of all tiles together. It reads every tile: for measurements.
pub async fn size_of_tiles(conn: &mut Conn) -> Result<i64, StoreError> {
    let (size,): (i64,) =
        on!(conn, driver => sqlx::query_as(SIZE_OF_TILES).fetch_one(driver).await?);
    Ok(size)
}

/// The bytes of the whole database, its indexes and its catalogue included, whether they stand in SQLite's file yet or in the
/// log beside it.
pub async fn size_of_database(conn: &mut Conn) -> Result<i64, StoreError> {
    let sql = conn.text(SIZE_OF_SQLITE, SIZE_OF_POSTGRES);
    let (size,): (i64,) = on!(conn, driver => sqlx::query_as(sql).fetch_one(driver).await?);
    Ok(size)
}

/// Microseconds from each event to the checkpoint that holds it first; those that wait are left out. It reads every event:
/// for measurements.
pub async fn inclusion_times(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    let times: Vec<(Option<i64>,)> =
        on!(conn, driver => sqlx::query_as(INCLUSION_TIMES).fetch_all(driver).await?);
    Ok(times.into_iter().filter_map(|row| row.0).collect())
}

/// The newest checkpoint.
pub async fn head(conn: &mut Conn) -> Result<Option<SignedCheckpoint>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(HEAD).fetch_optional(driver).await?))
}

/// The checkpoint of this size, if one was signed.
pub async fn find_checkpoint(
    conn: &mut Conn,
    size: i64,
) -> Result<Option<SignedCheckpoint>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_CHECKPOINT)
        .bind(size)
        .fetch_optional(driver)
        .await?))
}

/// Checkpoints larger than a size, in their order.
pub async fn list_checkpoints(
    conn: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<SignedCheckpoint>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_CHECKPOINTS)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Checkpoints smaller than a size, the largest first.
pub async fn list_checkpoints_back(
    conn: &mut Conn,
    before: i64,
    limit: i64,
) -> Result<Vec<SignedCheckpoint>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_BACK)
        .bind(before)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Puts a checkpoint behind the one that it follows; false where that one has a successor already, and nothing is done.
/// If the process dies inside, the checkpoint is there whole or not at all.
pub async fn add_checkpoint(
    store: &Store,
    checkpoint: &SignedCheckpoint,
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let added = put_checkpoint(&mut tx, checkpoint).await?;
    tx.commit().await?;
    Ok(added)
}

async fn put_checkpoint(tx: &mut Conn, checkpoint: &SignedCheckpoint) -> Result<bool, StoreError> {
    let added: Option<(i64,)> = on!(tx, driver => sqlx::query_as(ADD_CHECKPOINT)
        .bind(checkpoint.size)
        .bind(checkpoint.follows)
        .bind(checkpoint.last_position)
        .bind(&checkpoint.note)
        .bind(checkpoint.signed_at)
        .fetch_optional(driver)
        .await?);
    Ok(added.is_some())
}

/// The highest position that can be seen now; 0 where there are no events. A lower one may still become visible.
pub async fn last_position(conn: &mut Conn) -> Result<i64, StoreError> {
    let (position,): (i64,) =
        on!(conn, driver => sqlx::query_as(LAST_POSITION).fetch_one(driver).await?);
    Ok(position)
}

/// The time that the first event behind a position says; none where there is none.
pub async fn first_time_behind(
    conn: &mut Conn,
    position: i64,
) -> Result<Option<Timestamp>, StoreError> {
    let found: Option<(Timestamp,)> = on!(conn, driver => sqlx::query_as(FIRST_TIME_BEHIND)
        .bind(position)
        .fetch_optional(driver)
        .await?);
    Ok(found.map(|row| row.0))
}

/// Events behind one position up to another, in their order.
pub async fn list_events(
    conn: &mut Conn,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_EVENTS)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

pub async fn last_run(conn: &mut Conn) -> Result<Option<Run>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LAST_RUN).fetch_optional(driver).await?))
}

/// Runs that begin behind an index (-1 for all), in their order.
pub async fn list_runs(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<Run>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_RUNS)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Runs of no entry below a size, that yet begin at a position which those entries have.
pub async fn runs_beside(
    conn: &mut Conn,
    size: i64,
    last_position: i64,
) -> Result<Vec<Run>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(RUNS_BESIDE)
        .bind(size)
        .bind(last_position)
        .fetch_all(driver)
        .await?))
}

/// The places in the log of events by their positions; none where nothing was logged yet.
pub async fn indexes(
    conn: &mut Conn,
    positions: &[i64],
) -> Result<Vec<(i64, Option<i64>)>, StoreError> {
    let mut found: Vec<(i64, Option<i64>)> = Vec::with_capacity(positions.len());
    for part in positions.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part).int("position", |position| *position);
        found.append(&mut conn.read_set(INDEXES, rows).await?);
    }
    Ok(found)
}

/// No log has so many entries that this loses anything.
pub fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
