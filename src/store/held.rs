//! Decisions: read under locks, decide, write.
//!
//! On PostgreSQL all of it is one transaction that begins with the locks. On SQLite the reading goes over a reader's
//! connection while the writer is still busy with others, and the transaction holds the writing only: the locks keep this
//! process from deciding twice about one thing, and a counter of the database tells when another process wrote in between;
//! then the decision is made again.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::Executor;

use super::locks::{Guard, Locks};
use super::set::{Bound, Writes};
use super::{Conn, Driver, Store, StoreError};

/// How often the database was seen to be written by another process, and the counter that told (`pragma data_version`).
#[derive(Debug)]
pub struct Epoch {
    version: AtomicI64,
    number: AtomicI64,
}

impl Epoch {
    pub(super) const fn new(version: i64) -> Self {
        Self {
            version: AtomicI64::new(version),
            number: AtomicI64::new(0),
        }
    }
}

const DATA_VERSION: &str = "pragma data_version";

/// Locks that are held, with a connection to read what is decided about.
pub struct Held {
    conn: Conn,
    store: Store,
    epoch: i64,
    guard: Option<Guard>,
}

impl Store {
    /// Takes the locks, and a connection to read with.
    pub async fn hold(&self, locks: Locks) -> Result<Held, StoreError> {
        let (conn, epoch, guard) = match self {
            Self::Sqlite {
                locks: table,
                epoch,
                ..
            } => {
                let guard = table.take(locks).await;
                // Before the reading: whatever is noticed from here on may have come after it.
                let epoch = epoch.number.load(Ordering::SeqCst);
                (self.read().await?, epoch, Some(guard))
            }
            Self::Postgres(pool) => {
                let begin = begin_with(&locks.sorted());
                let tx = pool.begin_with(sqlx::AssertSqlSafe(begin)).await?;
                (Conn::PostgresWrite(tx), 0, None)
            }
        };
        Ok(Held {
            conn,
            store: self.clone(),
            epoch,
            guard,
        })
    }

    /// Writes in one transaction what rests on nothing that was read.
    pub async fn write_now(&self, writes: Writes) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let bound = writes.bound(self.engine());
        let mut tx = self.write().await?;
        tx.run(bound).await?;
        tx.commit().await
    }
}

/// One way to the server and back instead of two. The text holds numbers only.
fn begin_with(locks: &[i64]) -> String {
    let mut begin = "begin; select pg_advisory_xact_lock(k) from unnest('{".to_owned();
    for (at, lock) in locks.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(begin, "{comma}{lock}");
    }
    begin.push_str("}'::bigint[]) as k");
    begin
}

/// How often a decision is made anew that another process overtook.
const ATTEMPTS: usize = 5;

/// Makes a decision, again if another process wrote between its reading and its writing.
pub async fn decided<R, Work>(decide: impl Fn() -> Work) -> Result<R, StoreError>
where
    Work: Future<Output = Result<R, StoreError>>,
{
    let mut result = decide().await;
    for _ in 1..ATTEMPTS {
        if !matches!(result, Err(StoreError::Overtaken)) {
            break;
        }
        result = decide().await;
    }
    result
}

impl Held {
    /// To read with. It sees all that was committed before the locks were taken.
    pub const fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Writes and commits, and lets go of the locks. `Overtaken` means that another process wrote meanwhile and nothing was
    /// done: read and decide again. If the process dies inside it, either all is there or nothing.
    pub async fn finish(self, writes: Writes) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let bound = writes.bound(self.store.engine());
        let mut tx = match self.conn {
            Conn::PostgresWrite(tx) => Conn::PostgresWrite(tx),
            reader => {
                drop(reader);
                self.store.write().await?
            }
        };
        if let Store::Sqlite { epoch, .. } = &self.store {
            let number = epoch.after(&mut tx).await?;
            if number != self.epoch {
                return Err(StoreError::Overtaken);
            }
        }
        tx.run(bound).await?;
        tx.commit().await?;
        drop(self.guard);
        Ok(())
    }
}

impl Epoch {
    /// The number of the epoch, counted up if the database changed under us. Called inside a transaction only.
    async fn after(&self, tx: &mut Conn) -> Result<i64, StoreError> {
        let Driver::Sqlite(driver) = tx.driver() else {
            return Ok(0);
        };
        let (version,): (i64,) = sqlx::query_as(DATA_VERSION).fetch_one(driver).await?;
        if self.version.swap(version, Ordering::SeqCst) != version {
            self.number.fetch_add(1, Ordering::SeqCst);
        }
        Ok(self.number.load(Ordering::SeqCst))
    }
}

impl Conn {
    /// Runs what was bound beforehand.
    async fn run(&mut self, bound: Bound) -> Result<(), StoreError> {
        match (self.driver(), bound) {
            (Driver::Sqlite(driver), Bound::Sqlite(text, arguments)) => {
                let query = sqlx::query_with(sqlx::AssertSqlSafe(text), arguments);
                driver.execute(query).await?;
            }
            (Driver::Postgres(driver), Bound::Postgres(text, arguments)) => {
                let query = sqlx::query_with(sqlx::AssertSqlSafe(text), arguments);
                driver.execute(query).await?;
            }
            _ => return Err(StoreError::Corrupt("statements for another engine")),
        }
        Ok(())
    }
}
