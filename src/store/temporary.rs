//! A PostgreSQL database for a while: made on a server, used, dropped. For `bench`.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};

use super::{Conn, Store, StoreError, on};
use crate::domain::ids::{BrandId, RequestId};

/// A database that was made for a while.
pub struct Temporary {
    server: String,
    name: String,
    pub url: String,
}

async fn run(server: &str, sql: String) -> Result<(), StoreError> {
    let mut conn = PgConnection::connect_with(&PgConnectOptions::from_str(server)?).await?;
    // The name in it is ours, letters and digits only.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
    Ok(conn.close().await?)
}

impl Temporary {
    /// Makes a database beside the one that the URL names. `tag` has letters and digits only.
    pub async fn create(server: &str, tag: &str) -> Result<Self, StoreError> {
        let tag: String = tag.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("countersign_bench_{tag}");
        run(server, format!("create database {name}")).await?;
        let (address, parameters) = match server.split_once('?') {
            Some((address, parameters)) => (address, format!("?{parameters}")),
            None => (server, String::new()),
        };
        // Behind `postgres://` the first slash begins the database's name.
        let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
        let host = rest.split('/').next().unwrap_or(rest);
        Ok(Self {
            url: format!("{scheme}://{host}/{name}{parameters}"),
            server: server.to_owned(),
            name,
        })
    }

    pub async fn drop(self) -> Result<(), StoreError> {
        run(
            &self.server,
            format!("drop database {} with (force)", self.name),
        )
        .await
    }
}

const LIST_OPEN: &str =
    "select brand_id, id from request where state = 'open' and id > $1 order by id limit $2";
const CLEAR: [&str; 3] = [
    "delete from outbox",
    "delete from mailbox",
    "delete from rate",
];
/// Both engines collect statistics by this word, so that plans fit a store that has just been filled.
const ANALYZE: &str = "analyze";

/// Open requests after an id, in order: what `bench` confirms.
pub async fn list_open(
    conn: &mut Conn,
    after: RequestId,
    limit: i64,
) -> Result<Vec<(BrandId, RequestId)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_OPEN)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Makes a store that is only measured as it would be a day after its contacts signed up: their mails are gone from the
/// outbox, their budgets tidied away, and the planner's statistics are up to date.
pub async fn settle(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    for sql in CLEAR {
        on!(tx, driver => { sqlx::query(sql).execute(driver).await?; });
    }
    on!(tx, driver => { sqlx::query(ANALYZE).execute(driver).await?; });
    tx.commit().await
}
