//! Getting the bytes of deleted rows off the disk, as far as the engine can.
//!
//! SQLite overwrites with zeros what it deletes (`secure_delete`), but the write-ahead log still holds the pages as they
//! were: it is copied back and cut to nothing. PostgreSQL keeps old versions of rows until a vacuum, and samples of values for
//! its planner until the next analysis; its own log, and its pages' free space, are beyond our reach (docs/erasure.md says so
//! to the operator).

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, SqliteConnection, SqlitePool,
};
use uuid::Uuid;

use super::{Conn, Store, StoreError, settings};

/// Set in the transaction that deletes, and taken away when the bytes are gone: if a process dies in between, the next
/// tidying does the rest.
const DUE: &str = "scrub_due";

/// The tables that hold what an erasure deletes.
pub const TABLES: [&str; 10] = [
    "contact",
    "request",
    "opened_from",
    "outbox",
    "event",
    "sealed_evidence",
    "proof_file",
    "proof_reference",
    "webhook_message",
    "legal_hold",
];

/// The columns of the person's data in tables that may have no row left: there an analysis lets old samples be.
const SAMPLED: [(&str, &[&str]); 5] = [
    ("contact", &["address", "address_key", "name"]),
    ("opened_from", &["network"]),
    ("outbox", &["recipient_domain", "last_reply", "attempts"]),
    ("webhook_message", &["reply"]),
    ("legal_hold", &["reason"]),
];

/// A reader that is at it keeps the log from being cut. Other writers wait with us, so each try is short.
const TRIES: u32 = 40;
const BUSY_MILLIS: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(150);

/// PostgreSQL's codes for a lock that was not to be had in time, and for a table of somebody else's.
const IN_USE: &str = "55P03";
const NOT_OURS: &str = "42501";

/// Marks that deleted rows are still in the files. Each mark is new, so that one that comes during a scrub is not lost.
pub async fn mark(tx: &mut Conn, mark: Uuid) -> Result<(), StoreError> {
    settings::put(tx, DUE, &mark.to_string()).await
}

impl Store {
    /// Gets rid of the bytes, if rows were deleted since the last time; false where a long read was in the way. Then, and if
    /// the process dies inside, the next call does it.
    pub async fn scrub(&self) -> Result<bool, StoreError> {
        let mut conn = self.read().await?;
        let Some(mark) = settings::find(&mut conn, DUE).await? else {
            return Ok(true);
        };
        drop(conn);
        let done = match self {
            Self::Sqlite { read, .. } => cut_log(read).await?,
            Self::Postgres(writers) => vacuum(writers.pool()).await?,
        };
        if done {
            let mut tx = self.write().await?;
            settings::remove(&mut tx, DUE, &mark).await?;
            tx.commit().await?;
        }
        Ok(done)
    }
}

/// Copies the whole write-ahead log back and cuts it to length zero. A connection of its own, so that its patience is its
/// own too.
async fn cut_log(read: &SqlitePool) -> Result<bool, StoreError> {
    let options = read.connect_options();
    let mut conn: SqliteConnection = (*options).clone().connect().await?;
    let patience = format!("pragma busy_timeout = {BUSY_MILLIS}");
    sqlx::query(AssertSqlSafe(patience))
        .execute(&mut conn)
        .await?;
    let mut done = false;
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(BETWEEN).await;
        }
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("pragma wal_checkpoint(truncate)")
            .fetch_one(&mut conn)
            .await?;
        if busy == 0 {
            done = true;
            break;
        }
    }
    conn.close().await?;
    Ok(done)
}

/// Takes the old versions of rows out of tables and indexes, and their values out of the planner's samples; false where somebody
/// was in the way. Where we do not own a table PostgreSQL only warns, and the owner's autovacuum does it later.
async fn vacuum(pool: &PgPool) -> Result<bool, StoreError> {
    let mut conn = pool.connect_options().connect().await?;
    sqlx::query("set statement_timeout = 0")
        .execute(&mut conn)
        .await?;
    for table in TABLES {
        // Without the word on indexes a vacuum leaves their entries alone where few rows died, and one holds addresses.
        let vacuum = format!("vacuum (analyze, index_cleanup on, truncate on) {table}");
        sqlx::query(AssertSqlSafe(vacuum))
            .execute(&mut conn)
            .await?;
    }
    let mut done = true;
    for (table, columns) in SAMPLED {
        done &= drop_samples(&mut conn, table, columns).await?;
    }
    sqlx::query("vacuum pg_catalog.pg_statistic")
        .execute(&mut conn)
        .await?;
    conn.close().await?;
    Ok(done)
}

/// To give a column its own type once more changes nothing but that its samples go.
async fn drop_samples(
    conn: &mut PgConnection,
    table: &str,
    columns: &[&str],
) -> Result<bool, StoreError> {
    let is_sampled = "select count(*) > 0 from pg_stats where schemaname = current_schema() and tablename = $1 and attname = any($2)";
    let is_sampled: bool = sqlx::query_scalar(is_sampled)
        .bind(table)
        .bind(columns)
        .fetch_one(&mut *conn)
        .await?;
    let is_empty = format!("select not exists (select 1 from {table})");
    let is_empty: bool = sqlx::query_scalar(AssertSqlSafe(is_empty))
        .fetch_one(&mut *conn)
        .await?;
    if !is_sampled || !is_empty {
        return Ok(true);
    }
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("alter column {column} type text collate \"C\""))
        .collect();
    // Everybody who wants the table waits with us, so the wait is short.
    let retype = format!(
        "begin; set local lock_timeout = '{BUSY_MILLIS}ms'; alter table {table} {}; commit",
        columns.join(", ")
    );
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(retype))
        .execute(&mut *conn)
        .await
    else {
        return Ok(true);
    };
    sqlx::raw_sql("rollback").execute(&mut *conn).await?;
    match error
        .as_database_error()
        .and_then(|error| error.code())
        .as_deref()
    {
        Some(IN_USE) => Ok(false),
        Some(NOT_OURS) => Ok(true),
        _ => Err(error.into()),
    }
}
