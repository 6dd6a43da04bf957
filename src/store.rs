//! The database. One SQL text serves SQLite and PostgreSQL; what differs between them is in this file and in `set.rs`.
//!
//! A `Conn` is a connection to read with or a transaction to write in. `on!` runs one statement on whichever engine is
//! behind it: the body stands once in the source, is expanded twice and typed twice.

pub mod answers;
pub mod backup;
pub mod booth;
pub mod brands;
pub mod breaker;
pub mod budgets;
pub mod campaign_counts;
pub mod campaign_fates;
pub mod campaigns;
mod checkpoint;
pub mod contacts;
pub mod cosignatures;
pub mod drafts;
pub mod erased;
pub mod events;
pub mod head_file;
pub mod held;
pub mod holds;
pub mod imports;
mod joined;
pub mod keys;
pub mod leases;
pub mod left;
pub mod listed;
pub mod load;
pub mod locks;
pub mod log;
pub mod mails;
pub mod notices;
pub mod openings;
pub mod operators;
pub mod outbox;
pub mod passkeys;
pub mod personal;
pub mod plain;
mod postgres;
pub mod proofs;
pub mod recipients;
pub mod requests;
pub mod room;
pub mod scrub;
pub mod sealed;
pub mod sessions;
pub mod set;
pub mod settings;
pub mod signups;
pub mod sqlite;
pub mod summaries;
pub mod suppressions;
pub mod temporary;
pub mod timestamps;
pub mod uses;
pub mod webhooks;
pub mod wishes;
pub mod writer;

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use held::Epoch;
use locks::LockTable;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgConnection, Postgres, Sqlite, SqliteConnection, SqlitePool};

use crate::domain::time::Timestamp;
use postgres::Writers;
use sqlite::{WriteTransaction, Writer};

/// What went wrong in the database. Clients never see its text.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Database(Arc<sqlx::Error>),
    #[error("migration: {0}")]
    Migration(String),
    /// A row holds what no version of this program wrote.
    #[error("stored data cannot be read: {0}")]
    Corrupt(&'static str),
    /// The database's settings would lose acknowledged writes.
    #[error("{0}")]
    Unsafe(String),
    /// Another process wrote between reading and writing, or on PostgreSQL two transactions waited for each other; nothing was
    /// done, and a second attempt will do.
    #[error("another process wrote at the same moment")]
    Overtaken,
    /// Too many writes are waiting; the caller may try again in a moment.
    #[error("too many writes are waiting")]
    Busy,
}

/// PostgreSQL's code for the transaction that it ended of two that waited for each other.
const DEADLOCK: &str = "40P01";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        if code.as_deref() == Some(DEADLOCK) {
            return Self::Overtaken;
        }
        Self::Database(Arc::new(error))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(crate) const fn text(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

/// Where the database is.
#[derive(Clone)]
pub enum Location {
    /// A file; made if it is not there.
    Sqlite(std::path::PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

/// Without the URL: a password may stand in it.
impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// Why a URL names no database. Nothing of the URL is repeated: a password may stand in it.
#[derive(Debug, thiserror::Error)]
pub enum LocationProblem {
    #[error("must begin with sqlite:// and a path, or with postgres://")]
    Scheme,
    #[error(
        "cannot be read ({0}); write it as postgres://USER:PASSWORD@HOST:PORT/NAME, with signs such as @ / : # in user and \
         password as %40 %2F %3A %23"
    )]
    Url(String),
}

impl Location {
    /// Reads `sqlite://PATH` (or `sqlite:PATH`) and `postgres://…`.
    pub fn parse(url: &str) -> Result<Self, LocationProblem> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return match PgConnectOptions::from_str(url) {
                Ok(_) => Ok(Self::Postgres(url.to_owned())),
                Err(sqlx::Error::Configuration(why)) => Err(LocationProblem::Url(why.to_string())),
                Err(_) => Err(LocationProblem::Url("it is no URL".to_owned())),
            };
        }
        let path = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
            .filter(|path| !path.is_empty())
            .ok_or(LocationProblem::Scheme)?;
        Ok(Self::Sqlite(path.into()))
    }
}

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    /// Readers on their own pool beside the single writer: in WAL mode they never wait for it.
    Sqlite {
        read: SqlitePool,
        writer: Writer,
        locks: LockTable,
        epoch: Arc<Epoch>,
    },
    Postgres(Writers),
}

/// A connection to read with, or a transaction. Dropping a transaction rolls it back.
pub enum Conn {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(WriteTransaction),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(postgres::WriteTransaction),
}

/// The concrete driver behind a `Conn`.
pub(crate) enum Driver<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// Runs an expression on the engine that is there.
macro_rules! on {
    ($conn:expr, $driver:ident => $body:expr) => {
        match $conn.driver() {
            $crate::store::Driver::Sqlite($driver) => $body,
            $crate::store::Driver::Postgres($driver) => $body,
        }
    };
}
pub(crate) use on;

impl Conn {
    pub(crate) fn driver(&mut self) -> Driver<'_> {
        match self {
            Self::SqliteRead(conn) => Driver::Sqlite(conn),
            Self::SqliteWrite(tx) => Driver::Sqlite(tx),
            Self::PostgresRead(conn) => Driver::Postgres(conn),
            Self::PostgresWrite(tx) => Driver::Postgres(tx),
        }
    }

    /// The text for the engine that is there, where one statement needs two; each says why.
    pub const fn text(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        self.engine().text(sqlite, postgres)
    }

    pub const fn engine(&self) -> Engine {
        match self {
            Self::SqliteRead(_) | Self::SqliteWrite(_) => Engine::Sqlite,
            Self::PostgresRead(_) | Self::PostgresWrite(_) => Engine::Postgres,
        }
    }

    /// What the database server's own clock shows; none on SQLite, which has none besides the machine's.
    pub async fn own_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        const NOW: &str = "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)";
        match self.driver() {
            Driver::Sqlite(_) => Ok(None),
            Driver::Postgres(driver) => {
                let (micros,): (i64,) = sqlx::query_as(NOW).fetch_one(driver).await?;
                Ok(Some(Timestamp::from_micros(micros)))
            }
        }
    }

    /// Makes the transaction durable. When this returns, what was written is on disk; if the process dies inside it,
    /// either all of the transaction is there or nothing.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::SqliteWrite(tx) => tx.commit().await?,
            Self::PostgresWrite(tx) => tx.commit().await?,
            Self::SqliteRead(_) | Self::PostgresRead(_) => {}
        }
        Ok(())
    }
}

/// How many connections read, and how many PostgreSQL gets in all.
const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;

/// Every statement here finds its rows by an index, and is planned anew each time: a plan that was made while a table was
/// empty and then kept would read the whole table for each batch. (Signups are the exception: `held.rs`.) No statement may
/// take longer than the time-out.
const POSTGRES_OPTIONS: [(&str, &str); 8] = [
    ("statement_timeout", "30s"),
    ("plan_cache_mode", "force_custom_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("jit", "off"),
];

/// SQLite before this one can corrupt a database in WAL mode when a checkpoint races a writer.
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Sqlite(path) => Self::open_sqlite(path).await,
            Location::Postgres(url) => Self::open_postgres(url).await,
        }
    }

    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        sqlite::make_private(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL loses acknowledged commits at a power cut; FULL keeps them.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(512)
            // Rows cross from SQLite's thread in one go instead of waking the reader for each.
            .row_buffer_size(2_048)
            // Journals of single statements and small tables in between stay out of the file system.
            .pragma("temp_store", "memory")
            // Every statement finds its rows by an index that is there. From 512 rows of a batch on SQLite would rather index the
            // batch, and read a whole table to look for each of its rows in that.
            .pragma("automatic_index", "off")
            .pragma("secure_delete", "on")
            // Checkpoints are made beside the writer, not by it: `checkpoint`.
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", "67108864")
            // Beyond it the operating system keeps the pages; a larger one costs more at each commit than it saves.
            .pragma("cache_size", "-8192");
        let mut write = options.connect().await?;
        let (version,): (String,) = sqlx::query_as("select sqlite_version()")
            .fetch_one(&mut write)
            .await?;
        if parse_version(&version) < SQLITE_AT_LEAST {
            return Err(StoreError::Unsafe(format!(
                "SQLite {version} can corrupt a database in WAL mode; 3.51.3 or newer is needed"
            )));
        }
        let (synchronous,): (i64,) = sqlx::query_as("pragma synchronous")
            .fetch_one(&mut write)
            .await?;
        if synchronous < 2 {
            return Err(StoreError::Unsafe(
                "SQLite runs without synchronous=FULL; acknowledged signups could be lost".into(),
            ));
        }
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_with(options.clone().pragma("query_only", "on"))
            .await?;
        let (version,): (i64,) = sqlx::query_as("pragma data_version")
            .fetch_one(&mut write)
            .await?;
        sqlx::migrate!("migrations/sqlite")
            .run(&mut write)
            .await
            .map_err(|error| StoreError::Migration(error.to_string()))?;
        let writer = Writer::new(write);
        tokio::spawn(checkpoint::run(options, path.to_owned(), writer.closing()));
        Ok(Self::Sqlite {
            read,
            writer,
            locks: LockTable::default(),
            epoch: Arc::new(Epoch::new(version)),
        })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("countersign")
            .statement_cache_capacity(256)
            .options(POSTGRES_OPTIONS);
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let (value,): (String,) = sqlx::query_as("select current_setting($1)")
                .bind(setting)
                .fetch_one(&pool)
                .await?;
            if value == "off" {
                return Err(StoreError::Unsafe(format!(
                    "PostgreSQL runs with {setting} = off; acknowledged signups could be lost. Turn it on"
                )));
            }
        }
        sqlx::migrate!("migrations/postgres")
            .run(&pool)
            .await
            .map_err(|error| StoreError::Migration(error.to_string()))?;
        postgres::check_positions(&pool).await?;
        Ok(Self::Postgres(Writers::new(pool)))
    }

    /// A connection to read with. It sees all that was acknowledged before.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Conn::SqliteRead(read.acquire().await?),
            Self::Postgres(writers) => Conn::PostgresRead(writers.pool().acquire().await?),
        })
    }

    /// A transaction.
    pub async fn write(&self) -> Result<Conn, StoreError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => {
                let mut tx = writer.take().await?;
                tx.begin().await?;
                Conn::SqliteWrite(tx)
            }
            Self::Postgres(writers) => Conn::PostgresWrite(writers.begin("begin".into()).await?),
        })
    }

    /// Waits until what is under way is done, and closes.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, writer, .. } => {
                read.close().await;
                writer.close().await;
            }
            Self::Postgres(writers) => writers.close().await,
        }
    }
}

fn parse_version(text: &str) -> (u32, u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (
        parts.next().unwrap_or(0),
        parts.next().unwrap_or(0),
        parts.next().unwrap_or(0),
    )
}
