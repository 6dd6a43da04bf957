//! What witnesses signed under checkpoints, never changed, and how it stands with them.

use super::{Conn, Store, StoreError, on};
use crate::domain::time::Timestamp;

/// A witness's line under the checkpoint of this size, checked.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Cosignature {
    pub size: i64,
    pub witness: String,
    /// The signature line of the note, with its newline.
    pub line: String,
    /// The line's own time.
    pub at: Timestamp,
    pub received_at: Timestamp,
}

/// How it stands with a witness.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Try {
    pub witness: String,
    /// Entries of the checkpoint that it last cosigned, as far as we know.
    pub size: i64,
    /// Failures since the last success.
    pub tries: i64,
    pub due_at: Timestamp,
    pub last_asked_at: Option<Timestamp>,
    pub last_problem: Option<String>,
    /// 1 where it has seen another history of the log than this database holds, else 0.
    pub in_doubt: i64,
    /// The largest checkpoint of which we have its line.
    pub cosigned: Option<i64>,
}

const ADD: &str = "insert into cosignature (size, witness, line, at, received_at) \
     values ($1, $2, $3, $4, $5) on conflict (size, witness) do nothing";
const LIST_OF: &str = "select size, witness, line, at, received_at from cosignature \
     where size = $1 order by witness";
const LIST: &str = "select size, witness, line, at, received_at from cosignature \
     where (size, witness) > ($1, $2) order by size, witness limit $3";
const NEWEST_BY: &str = "select size, witness, line, at, received_at from cosignature \
     where witness = $1 order by size desc limit 1";
const LIST_TRIES: &str = "select w.witness, w.size, w.tries, w.due_at, w.last_asked_at, w.last_problem, \
     w.in_doubt, (select max(c.size) from cosignature c where c.witness = w.witness) as cosigned \
     from witness_try w order by w.witness";
const PUT_TRY: &str = "insert into witness_try (witness, size, tries, due_at, last_asked_at, last_problem, \
     in_doubt) values ($1, $2, $3, $4, $5, $6, $7) on conflict (witness) do update set size = excluded.size, \
     tries = excluded.tries, due_at = excluded.due_at, last_asked_at = excluded.last_asked_at, \
     last_problem = excluded.last_problem, in_doubt = excluded.in_doubt";

/// Keeps a line, where there is one, and how it stands with its witness. A line of the same size by the same witness that
/// is there already stays. If the process dies inside, both are there or neither.
pub async fn keep(
    store: &Store,
    line: Option<&Cosignature>,
    state: &Try,
) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    if let Some(line) = line {
        on!(tx, driver => { sqlx::query(ADD)
            .bind(line.size)
            .bind(&line.witness)
            .bind(&line.line)
            .bind(line.at)
            .bind(line.received_at)
            .execute(driver)
            .await?; });
    }
    on!(tx, driver => { sqlx::query(PUT_TRY)
        .bind(&state.witness)
        .bind(state.size)
        .bind(state.tries)
        .bind(state.due_at)
        .bind(state.last_asked_at)
        .bind(&state.last_problem)
        .bind(state.in_doubt)
        .execute(driver)
        .await?; });
    tx.commit().await
}

/// The lines under the checkpoint of this size.
pub async fn list_of(conn: &mut Conn, size: i64) -> Result<Vec<Cosignature>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_OF).bind(size).fetch_all(driver).await?))
}

/// All lines behind one, in the order of their checkpoints' sizes.
pub async fn list(
    conn: &mut Conn,
    after: &(i64, String),
    limit: i64,
) -> Result<Vec<Cosignature>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST)
        .bind(after.0)
        .bind(&after.1)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The line under the largest checkpoint by this witness.
pub async fn newest_by(conn: &mut Conn, witness: &str) -> Result<Option<Cosignature>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(NEWEST_BY)
        .bind(witness)
        .fetch_optional(driver)
        .await?))
}

/// How it stands with every witness that was ever asked.
pub async fn list_tries(conn: &mut Conn) -> Result<Vec<Try>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_TRIES).fetch_all(driver).await?))
}
