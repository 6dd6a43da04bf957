//! Timestamps of the log, never changed, and how it stands with the authorities that give them.

use super::{Conn, Store, StoreError, on};
use crate::domain::time::Timestamp;

/// A response that was checked, over the note of the checkpoint of this size.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KeptStamp {
    pub size: i64,
    pub authority: String,
    /// The token's own time.
    pub at: Timestamp,
    /// The `TimeStampResp`, as it was received.
    pub response: Vec<u8>,
    /// Signer, intermediates and root, as PEM.
    pub certificates: String,
    pub received_at: Timestamp,
}

/// With its place among all that were kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NumberedStamp {
    /// From 1.
    pub number: i64,
    /// A chain of hashes up to this one.
    pub chain: Vec<u8>,
    #[sqlx(flatten)]
    pub stamp: KeptStamp,
}

/// How it stands with an authority.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Try {
    pub authority: String,
    /// Failures since the last success.
    pub tries: i64,
    pub due_at: Timestamp,
    pub last_asked_at: Option<Timestamp>,
    pub last_problem: Option<String>,
    /// How far our clock was ahead of it when it last answered.
    pub ahead_micros: Option<i64>,
    /// The largest checkpoint that it stamped.
    pub stamped: Option<i64>,
}

const ADD: &str = "insert into timestamp (size, authority, at, response, certificates, received_at, number, chain) \
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (size, authority) do nothing";
/// Whoever keeps a stamp on PostgreSQL waits for the one before: each follows on another. Rare enough to wait.
const TURN: &str = "select pg_advisory_xact_lock(7161108350190421348)";
const NEWEST: &str = "select number, chain from timestamp order by number desc limit 1";
const FIND: &str = "select size, authority, at, response, certificates, received_at from timestamp \
     where size = $1 and authority = $2";
const LAST_STAMPED: &str = "select c.last_position from timestamp t join log_checkpoint c on c.size = t.size \
     order by t.size desc limit 1";
const NEWEST_BY: &str = "select size, authority, at, response, certificates, received_at from timestamp \
     where authority = $1 order by size desc limit 1";
const LIST: &str = "select number, chain, size, authority, at, response, certificates, received_at from timestamp \
     where size > $1 order by size, authority limit $2";
const LIST_BACK: &str = "select number, chain, size, authority, at, response, certificates, received_at from timestamp \
     where number < $1 order by number desc limit $2";
const LIST_NUMBERED: &str = "select number, chain, size, authority, at, response, certificates, received_at from timestamp \
     where number > $1 order by number limit $2";
/// The authorities that ever gave a stamp, one step along the index for each.
const FIRST_FROM: &str = "with recursive a (authority) as (select min(n.authority) from timestamp n union all \
     select (select min(n.authority) from timestamp n where n.authority > a.authority) from a where a.authority is not null) \
     select t.size, t.authority, t.at, t.response, t.certificates, t.received_at \
     from a join timestamp t on t.authority = a.authority and t.size = (select min(o.size) \
     from timestamp o where o.authority = a.authority and o.size >= $1) order by t.size, t.authority";
const LAST_BEFORE: &str = "with recursive a (authority) as (select min(n.authority) from timestamp n union all \
     select (select min(n.authority) from timestamp n where n.authority > a.authority) from a where a.authority is not null) \
     select t.size, t.authority, t.at, t.response, t.certificates, t.received_at \
     from a join timestamp t on t.authority = a.authority and t.size = (select max(o.size) \
     from timestamp o where o.authority = a.authority and o.size < $1) order by t.size, t.authority";
const LIST_TRIES: &str = "select a.authority, a.tries, a.due_at, a.last_asked_at, a.last_problem, a.ahead_micros, \
     (select max(t.size) from timestamp t where t.authority = a.authority) as stamped \
     from timestamp_try a order by a.authority";
const PUT_TRY: &str = "insert into timestamp_try (authority, tries, due_at, last_asked_at, last_problem, ahead_micros) \
     values ($1, $2, $3, $4, $5, $6) on conflict (authority) do update set tries = excluded.tries, \
     due_at = excluded.due_at, last_asked_at = excluded.last_asked_at, last_problem = excluded.last_problem, \
     ahead_micros = excluded.ahead_micros";

/// How many stamps are kept, and the chain of hashes up to the last of them; none where there are none.
pub async fn newest(conn: &mut Conn) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(NEWEST).fetch_optional(driver).await?))
}

/// Keeps a stamp, where there is one, and how it stands with its authority. `chained` makes its link of what `newest` told. A stamp of the same size by the same
/// authority that is there already stays; answers with whether this one was added. If the process dies inside, both are there
/// or neither.
pub async fn keep(
    store: &Store,
    stamp: Option<&KeptStamp>,
    state: &Try,
    chained: impl FnOnce(Option<(i64, Vec<u8>)>, &KeptStamp) -> (i64, Vec<u8>) + Send,
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let mut added = false;
    if let Some(stamp) = stamp {
        if let Conn::PostgresWrite(tx) = &mut tx {
            sqlx::query(TURN).execute(&mut **tx).await?;
        }
        let (number, chain) = chained(newest(&mut tx).await?, stamp);
        let rows = on!(tx, driver => sqlx::query(ADD)
            .bind(stamp.size)
            .bind(&stamp.authority)
            .bind(stamp.at)
            .bind(&stamp.response)
            .bind(&stamp.certificates)
            .bind(stamp.received_at)
            .bind(number)
            .bind(chain)
            .execute(driver)
            .await?
            .rows_affected());
        added = rows > 0;
    }
    on!(tx, driver => { sqlx::query(PUT_TRY)
        .bind(&state.authority)
        .bind(state.tries)
        .bind(state.due_at)
        .bind(state.last_asked_at)
        .bind(&state.last_problem)
        .bind(state.ahead_micros)
        .execute(driver)
        .await?; });
    tx.commit().await?;
    Ok(added)
}

pub async fn find(
    conn: &mut Conn,
    size: i64,
    authority: &str,
) -> Result<Option<KeptStamp>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND)
        .bind(size)
        .bind(authority)
        .fetch_optional(driver)
        .await?))
}

/// The stamp of the largest size by this authority.
pub async fn newest_by(conn: &mut Conn, authority: &str) -> Result<Option<KeptStamp>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(NEWEST_BY)
        .bind(authority)
        .fetch_optional(driver)
        .await?))
}

/// All stamps of checkpoints larger than a size, in the order of their sizes.
pub async fn list(
    conn: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<NumberedStamp>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Stamps that were kept before the one of a number, the newest first.
pub async fn list_back(
    conn: &mut Conn,
    before: i64,
    limit: i64,
) -> Result<Vec<NumberedStamp>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_BACK)
        .bind(before)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Stamps that were kept after the one of a number, in the order in which they were kept.
pub async fn list_numbered(
    conn: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<NumberedStamp>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_NUMBERED)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Of each authority the first stamp that covers the first `size` entries: they were logged before its time.
pub async fn first_from(conn: &mut Conn, size: i64) -> Result<Vec<KeptStamp>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIRST_FROM).bind(size).fetch_all(driver).await?))
}

/// Of each authority the last stamp that does not cover the first `size` entries: the last of them was logged after it.
pub async fn last_before(conn: &mut Conn, size: i64) -> Result<Vec<KeptStamp>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LAST_BEFORE).bind(size).fetch_all(driver).await?))
}

/// The position up to which events are covered by some stamp; 0 for none.
pub async fn last_stamped_position(conn: &mut Conn) -> Result<i64, StoreError> {
    let found: Option<(i64,)> =
        on!(conn, driver => sqlx::query_as(LAST_STAMPED).fetch_optional(driver).await?);
    Ok(found.map_or(0, |row| row.0))
}

/// How it stands with every authority that was ever asked.
pub async fn list_tries(conn: &mut Conn) -> Result<Vec<Try>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_TRIES).fetch_all(driver).await?))
}
