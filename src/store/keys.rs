//! API keys, by their SHA-256.

use super::{Conn, StoreError, on};
use crate::domain::ids::{ApiKeyId, BrandId};
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub id: ApiKeyId,
    pub name: String,
    /// Separated by spaces.
    pub scopes: String,
    pub brand_id: Option<BrandId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub used_day: Option<i64>,
}

macro_rules! columns {
    () => {
        "id, name, scopes, brand_id, created_at, expires_at, revoked_at, used_day"
    };
}

const INSERT: &str = "insert into api_key (id, name, hash, scopes, brand_id, created_at, expires_at) \
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (name) do nothing";
const FIND: &str = concat!("select ", columns!(), " from api_key where hash = $1");
const LIST: &str = concat!(
    "select ",
    columns!(),
    " from api_key order by name limit 1000"
);
const REVOKE: &str = "update api_key set revoked_at = $2 where name = $1 and revoked_at is null";
const USED: &str =
    "update api_key set used_day = $2 where id = $1 and (used_day is null or used_day < $2)";

/// Adds a key; false if the name is taken.
pub async fn insert(tx: &mut Conn, row: &KeyRow, hash: &[u8]) -> Result<bool, StoreError> {
    let added = on!(tx, driver => sqlx::query(INSERT)
        .bind(row.id)
        .bind(&row.name)
        .bind(hash)
        .bind(&row.scopes)
        .bind(row.brand_id)
        .bind(row.created_at)
        .bind(row.expires_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(added == 1)
}

pub async fn find(conn: &mut Conn, hash: &[u8]) -> Result<Option<KeyRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND).bind(hash).fetch_optional(driver).await?))
}

/// The keys by name; the first 1,000.
pub async fn list(conn: &mut Conn) -> Result<Vec<KeyRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST).fetch_all(driver).await?))
}

/// False if no key in use has this name.
pub async fn revoke(tx: &mut Conn, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(REVOKE)
        .bind(name)
        .bind(now)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Takes down the day of a use.
pub async fn used(tx: &mut Conn, id: ApiKeyId, day: i64) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(USED).bind(id).bind(day).execute(driver).await?; });
    Ok(())
}
