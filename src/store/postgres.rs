//! PostgreSQL's connections for writing. The pool asks each connection for a sign of life when it comes back, and hands
//! out the one that rested longest; here they come back as they are, and the one used last, whose server process has
//! everything at hand, is used next.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres};

use super::StoreError;

/// Connections that are kept from the pool, which has twice as many.
const KEPT: usize = 8;

type Connection = PoolConnection<Postgres>;

/// The pool, and the connections that rest between two writes; none are kept once this was closed.
#[derive(Clone, Debug)]
pub struct Writers {
    pool: PgPool,
    idle: Arc<Mutex<Option<Vec<Connection>>>>,
}

/// A transaction. Until `commit` whatever was written is undone when this is dropped.
#[derive(Debug)]
pub struct WriteTransaction {
    connection: Option<Connection>,
    writers: Writers,
}

const SEQUENCE: &str = "select seqcache, seqincrement, seqcycle from pg_sequence \
     where seqrelid = 'event_position_seq'::regclass";

/// The order of positions must be the order of the log. A sequence with a cache hands each connection several positions
/// ahead: one that is used late lies below others that are logged already, and its event would never be logged.
pub(super) async fn check_positions(pool: &PgPool) -> Result<(), StoreError> {
    let (cache, step, cycles): (i64, i64, bool) = sqlx::query_as(SEQUENCE).fetch_one(pool).await?;
    if cache != 1 {
        return Err(StoreError::Unsafe(positions_ahead(cache)));
    }
    if step < 1 || cycles {
        return Err(StoreError::Unsafe(
            "the sequence event_position_seq does not count up: the log's order rests on it. Stop every server, run \
             `alter sequence event_position_seq increment by 1 no cycle`, start again, and run `countersign verify --log`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// What to tell of a sequence that hands out so many positions at a time.
pub(super) fn positions_ahead(cache: i64) -> String {
    format!(
        "the sequence event_position_seq hands out {cache} positions at a time (cache {cache}), so events could come to \
         stand before others that are logged already, and would never be logged. Stop every server that uses this \
         database (a connection keeps the positions that it took), run `alter sequence event_position_seq cache 1`, start \
         again, and run `countersign verify --log`: it names an event that was passed over"
    )
}

const ENDED: StoreError = StoreError::Corrupt("a transaction that has ended");

impl Writers {
    pub(super) fn new(pool: PgPool) -> Self {
        let idle = Arc::new(Mutex::new(Some(Vec::with_capacity(KEPT))));
        Self { pool, idle }
    }

    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn take(&self) -> Result<Connection, StoreError> {
        let kept = self.with_idle(|idle| idle.as_mut().and_then(Vec::pop));
        match kept {
            Some(connection) => Ok(connection),
            None => Ok(self.pool.acquire().await?),
        }
    }

    /// Only after a statement that was answered: whatever else may be under way, the pool finds out.
    pub(super) fn put_back(&self, connection: Connection) {
        let refused = self.with_idle(|idle| match idle {
            Some(idle) if idle.len() < KEPT => {
                idle.push(connection);
                None
            }
            _ => Some(connection),
        });
        drop(refused);
    }

    /// Begins a transaction by a text that begins with `begin`. Whoever waits for it may be given up before the server has
    /// answered, as a request is whose client has gone: the transaction is there before its text is said, so that a rollback
    /// follows it. A connection that went back open would take what others write and never commit it.
    pub(super) async fn begin(&self, text: String) -> Result<WriteTransaction, StoreError> {
        let mut tx = WriteTransaction {
            connection: Some(self.take().await?),
            writers: self.clone(),
        };
        tx.say(text).await?;
        Ok(tx)
    }

    pub(super) async fn close(&self) {
        drop(self.with_idle(Option::take));
        self.pool.close().await;
    }

    fn with_idle<R>(&self, act: impl FnOnce(&mut Option<Vec<Connection>>) -> R) -> R {
        act(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl WriteTransaction {
    pub(super) async fn say(&mut self, text: impl Into<String>) -> Result<(), StoreError> {
        let connection = self.connection.as_mut().ok_or(ENDED)?;
        let said = sqlx::raw_sql(AssertSqlSafe(text.into()));
        said.execute(&mut **connection).await?;
        Ok(())
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.say("commit").await?;
        if let Some(connection) = self.connection.take() {
            self.writers.put_back(connection);
        }
        Ok(())
    }
}

impl Deref for WriteTransaction {
    type Target = PgConnection;

    #[allow(clippy::expect_used)] // only `commit` and `drop` take it away
    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("a connection")
    }
}

impl DerefMut for WriteTransaction {
    #[allow(clippy::expect_used)] // as above
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a connection")
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            connection.close_on_drop();
            return;
        };
        runtime.spawn(async move {
            let undone = sqlx::raw_sql("rollback").execute(&mut *connection).await;
            if undone.is_err() {
                // The server undoes what a closed connection left open.
                connection.close_on_drop();
            }
        });
    }
}
