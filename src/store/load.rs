//! Filling a store that nothing rests on, as `bench` does: many rows in one transaction, none of which waits for the disk, and
//! contacts' indexes made at the end, since addresses come in no order. What is there in the end is what the server would have
//! written.

use sqlx::AssertSqlSafe;

use super::held::run;
use super::set::Writes;
use super::{Conn, Store, StoreError, on};

const IS_USED: &str = "select 1 from contact limit 1";
/// Each with the statement that makes it. Keys that tables were made with are not among them.
const INDEXES_SQLITE: &str = "select name, sql from sqlite_schema where type = 'index' and tbl_name = 'contact' and sql is not null";
const INDEXES_POSTGRES: &str = "select cast(indexname as text), indexdef from pg_indexes \
     where schemaname = current_schema() and tablename = 'contact' \
     and not exists (select 1 from pg_constraint c where c.conname = indexname)";

/// Set outside of transactions. What is sorted for an index does not have to fit into memory.
const BEGIN_SQLITE: &str =
    "pragma synchronous = off; pragma temp_store = file; pragma cache_size = -262144";
/// As the store was opened.
const END_SQLITE: &str =
    "pragma synchronous = full; pragma temp_store = memory; pragma cache_size = -8192";
/// A server that dies loses what was filled last, and the store is of no use without it anyway.
const BEGIN_POSTGRES: &str = "set local synchronous_commit = off";
const INDEX_POSTGRES: &str = "set local statement_timeout = 0; set local maintenance_work_mem = '512MB'; \
     set local synchronous_commit = off";
/// What the server's own vacuum would come to in a while. Not in a transaction.
const END_POSTGRES: [&str; 5] = [
    "set statement_timeout = 0",
    "vacuum (analyze) contact",
    "vacuum (analyze) event",
    "vacuum (analyze) outbox",
    "reset statement_timeout",
];

/// A store that is being filled.
#[derive(Debug)]
pub struct Load {
    store: Store,
    indexes: Vec<String>,
}

impl Store {
    /// Begins to fill a store, which must hold no contact: whoever dies before the end leaves it without indexes.
    pub async fn begin_load(&self) -> Result<Load, StoreError> {
        let mut conn = self.read().await?;
        let used: Option<(i32,)> =
            on!(conn, driver => sqlx::query_as(IS_USED).fetch_optional(driver).await?);
        drop(conn);
        if used.is_some() {
            return Err(StoreError::Unsafe(
                "only an empty store is filled".to_owned(),
            ));
        }
        if let Self::Sqlite { writer, .. } = self {
            let mut writer = writer.take().await?;
            sqlx::raw_sql(BEGIN_SQLITE).execute(&mut *writer).await?;
        }
        let mut tx = self.write().await?;
        let sql = tx.text(INDEXES_SQLITE, INDEXES_POSTGRES);
        let found: Vec<(String, String)> =
            on!(tx, driver => sqlx::query_as(sql).fetch_all(driver).await?);
        for (name, _) in &found {
            say(&mut tx, &format!("drop index {name}")).await?;
        }
        tx.commit().await?;
        Ok(Load {
            store: self.clone(),
            indexes: found.into_iter().map(|index| index.1).collect(),
        })
    }
}

impl Load {
    /// Writes, one behind the other, in one transaction.
    pub async fn put(&self, all: Vec<Writes>) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        if let Conn::PostgresWrite(tx) = &mut tx {
            tx.say(BEGIN_POSTGRES).await?;
        }
        for writes in all {
            run(&mut tx, writes).await?;
        }
        tx.commit().await
    }

    /// Makes the indexes, and leaves the store as it was opened.
    pub async fn end(&self) -> Result<(), StoreError> {
        for index in &self.indexes {
            let mut tx = self.store.write().await?;
            if let Conn::PostgresWrite(tx) = &mut tx {
                tx.say(INDEX_POSTGRES).await?;
            }
            say(&mut tx, index).await?;
            tx.commit().await?;
        }
        match &self.store {
            Store::Sqlite { writer, .. } => {
                let mut writer = writer.take().await?;
                sqlx::raw_sql(END_SQLITE).execute(&mut *writer).await?;
            }
            Store::Postgres(writers) => {
                let mut connection = writers.take().await?;
                for text in END_POSTGRES {
                    sqlx::raw_sql(text).execute(&mut *connection).await?;
                }
                writers.put_back(connection);
            }
        }
        Ok(())
    }
}

/// Runs a text that the database itself told.
async fn say(tx: &mut Conn, text: &str) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(driver).await?;
    });
    Ok(())
}
