//! Up to which position nothing can appear any more. On PostgreSQL whoever appends holds a lock, shared, from before its
//! first position to its commit; SQLite has one writer.

use std::time::Duration;

use super::super::postgres::positions_ahead;
use super::super::{Conn, Store, StoreError};
use super::last_position;

/// The lock that whoever appends events on PostgreSQL holds (the trigger `event_takes_its_turn`), taken alone. It waits for
/// a fifth of a second at most, since those that come behind it wait with it.
const WAIT: &str = "set local lock_timeout = '200ms'";
const TURN: &str = "select pg_advisory_xact_lock(7161108350190421347)";
/// An event beyond the positions that were given out would hide all that come before it: they would never be logged. So
/// would a sequence that hands out positions ahead (`postgres::check_positions`), if it was altered while the server runs.
const GIVEN_OUT: &str = "select last_value >= (select coalesce(max(position), 0) from event), \
     (select seqcache from pg_sequence where seqrelid = 'event_position_seq'::regclass) from event_position_seq";
const NOT_GIVEN_OUT: StoreError = StoreError::Corrupt(
    "an event stands at a position that event_position_seq has not given out yet: it was inserted past the server, or the \
     sequence was restored to an older value; set the sequence beyond it",
);
/// PostgreSQL's code for a lock that was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// The highest position below which nothing can appear any more; none where writers were in the way.
pub async fn settled_position(store: &Store) -> Result<Option<i64>, StoreError> {
    let mut conn = store.write_if_shared().await?;
    if let Conn::PostgresWrite(tx) = &mut conn {
        sqlx::query(WAIT).execute(&mut **tx).await?;
        if let Err(error) = sqlx::query(TURN).execute(&mut **tx).await {
            let code = error.as_database_error().and_then(|error| error.code());
            return match code.as_deref() {
                Some(LOCK_NOT_AVAILABLE) => Ok(None),
                _ => Err(error.into()),
            };
        }
        let (given_out, cache): (bool, i64) =
            sqlx::query_as(GIVEN_OUT).fetch_one(&mut **tx).await?;
        if cache != 1 {
            return Err(StoreError::Unsafe(positions_ahead(cache)));
        }
        if !given_out {
            return Err(NOT_GIVEN_OUT);
        }
    }
    let position = last_position(&mut conn).await?;
    conn.commit().await?;
    Ok(Some(position))
}

impl Store {
    /// SQLite has one writer at a time, so what is committed is settled; PostgreSQL needs a transaction for its lock.
    async fn write_if_shared(&self) -> Result<Conn, StoreError> {
        match self {
            Self::Sqlite { .. } => self.read().await,
            Self::Postgres(_) => self.write().await,
        }
    }
}

/// The two halves of the lock's number are how the server shows it.
const HOLDERS: &str = "select a.pid, coalesce(a.application_name, '') as application, coalesce(a.state, '') as state, \
     coalesce(cast(extract(epoch from clock_timestamp() - a.xact_start) * 1000000 as bigint), 0) as open_for_micros \
     from pg_locks l join pg_stat_activity a on a.pid = l.pid \
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and a.pid <> pg_backend_pid() \
     and l.database = (select d.oid from pg_database d where d.datname = current_database()) \
     and cast(l.classid as bigint) = 7161108350190421347 / 4294967296 \
     and cast(l.objid as bigint) = 7161108350190421347 % 4294967296 \
     order by a.xact_start limit 10";

/// A transaction that may still write events before others.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Holder {
    /// The server's process.
    pub pid: i32,
    /// What its client calls itself.
    pub application: String,
    /// As `pg_stat_activity` says; empty where the role may not see it.
    pub state: String,
    open_for_micros: i64,
}

impl Holder {
    /// How long its transaction is open.
    pub fn open_for(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.open_for_micros).unwrap_or(0))
    }
}

/// The transactions that hold the lock now, the oldest first. On SQLite none.
pub async fn turn_holders(conn: &mut Conn) -> Result<Vec<Holder>, StoreError> {
    match conn {
        Conn::PostgresRead(driver) => Ok(sqlx::query_as(HOLDERS).fetch_all(&mut **driver).await?),
        _ => Ok(Vec::new()),
    }
}
