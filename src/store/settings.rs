//! Facts about the installation, one row each.

use super::set::{Rows, Writes};
use super::{Conn, StoreError, on};

const FIND: &str = "select value from setting where key = $1";
const PUT: &str = "insert into setting (key, value) values ($1, $2) \
     on conflict (key) do update set value = excluded.value";
const CLEAR: &str = "delete from setting where key = $1";
const PUT_ONCE: &str =
    "insert into setting (key, value) values ($1, $2) on conflict (key) do nothing";

const NOTE: &str = "insert into setting (key, value) select key, value from r where key is not null \
     on conflict (key) do update set value = excluded.value";
const REMOVE: &str = "delete from setting where key = $1 and value = $2";

pub async fn find(conn: &mut Conn, key: &str) -> Result<Option<String>, StoreError> {
    let found: Option<(String,)> =
        on!(conn, driver => sqlx::query_as(FIND).bind(key).fetch_optional(driver).await?);
    Ok(found.map(|row| row.0))
}

pub async fn put(tx: &mut Conn, key: &str, value: &str) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(PUT).bind(key).bind(value).execute(driver).await?; });
    Ok(())
}

/// The same, written together with what it tells of.
pub fn note(writes: &mut Writes, key: &'static str, value: &'static str) {
    let rows = Rows::of(&[()])
        .text("key", |()| key.to_owned())
        .text("value", |()| value.to_owned());
    writes.add(NOTE, rows);
}

/// Writes the value unless one stands there already; answers with the one that stands.
pub async fn put_once(tx: &mut Conn, key: &str, value: &str) -> Result<String, StoreError> {
    on!(tx, driver => { sqlx::query(PUT_ONCE).bind(key).bind(value).execute(driver).await?; });
    Ok(find(tx, key).await?.unwrap_or_else(|| value.to_owned()))
}

/// Removes a setting, if it still has this value.
pub async fn remove(tx: &mut Conn, key: &str, value: &str) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(REMOVE).bind(key).bind(value).execute(driver).await?; });
    Ok(())
}

/// Takes a value out; false where there was none.
pub async fn clear(tx: &mut Conn, key: &str) -> Result<bool, StoreError> {
    let removed = on!(tx, driver => sqlx::query(CLEAR)
        .bind(key)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(removed > 0)
}
