//! People whom a brand does not know and of whom a list said that they left: keyed hashes of their addresses, and nothing else.

use uuid::Uuid;

use super::erased::AddressHash;
use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ImportId};
use crate::domain::time::Timestamp;

/// Somebody who left, as a part of an import told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LeftRow {
    pub brand_id: BrandId,
    pub hash: Vec<u8>,
    pub purpose: String,
    pub import_id: ImportId,
    /// How many rows of the list came before the part; -1 of what an earlier version wrote, of which no event tells.
    pub part: i64,
    /// The part's.
    pub salt: Vec<u8>,
    pub left_at: Timestamp,
}

/// A row is never written twice: what a part told stays as it is until its import is taken back.
const PUT: &str = "insert into left_elsewhere (brand_id, hash, purpose, import_id, part, salt, left_at) \
     select brand_id, hash, purpose, import_id, part, salt, left_at from r where brand_id is not null \
     on conflict (brand_id, hash, purpose, import_id, part) do nothing";
const LIST_ALL: &str = "select brand_id, hash, purpose, import_id, part, salt, left_at from left_elsewhere \
     where (brand_id, hash, purpose, import_id, part) > ($1, $2, $3, $4, $5) \
     order by brand_id, hash, purpose, import_id, part limit $6";
const NEWEST_UNTOLD: &str =
    "select import_id from left_elsewhere where part < 0 order by import_id desc limit 1";
const LIST: &str = "select l.hash, l.purpose, l.left_at from r cross join left_elsewhere l \
     where l.brand_id = r.brand_id and l.hash = r.hash";
const DELETE_OF: &str = "delete from left_elsewhere where brand_id = $1 and import_id = $2";

/// What somebody left, and when, as one list told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub purpose: String,
    pub at: Timestamp,
}

const CORRUPT: StoreError = StoreError::Corrupt("who left");

/// Reads what `signups.rs` and `listed.rs` read of an address in one column: `newsletter 1795455245000000,events 1795455245000000`.
pub(super) fn read_joined(text: &str) -> Result<Vec<Left>, StoreError> {
    let read = |part: &str| {
        let (purpose, at) = part.split_once(' ')?;
        Some(Left {
            purpose: purpose.to_owned(),
            at: Timestamp::from_micros(at.parse().ok()?),
        })
    };
    let parts = text.split(',');
    parts.map(|part| read(part).ok_or(CORRUPT)).collect()
}

/// Remembers them, each address of a part once.
pub fn put(writes: &mut Writes, rows: &[LeftRow]) {
    for part in rows.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |row| row.brand_id.0)
            .blob("hash", |row| row.hash.clone())
            .text("purpose", |row| row.purpose.clone())
            .uuid("import_id", |row| row.import_id.0)
            .int("part", |row| row.part)
            .blob("salt", |row| row.salt.clone())
            .int("left_at", |row| row.left_at.micros());
        writes.add(PUT, rows);
    }
}

/// Those of these addresses of which lists told that they left: which purpose, and when.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    hashes: &[AddressHash],
) -> Result<Vec<(AddressHash, Left)>, StoreError> {
    let mut found = Vec::new();
    for part in hashes.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |_| brand.0)
            .blob("hash", |hash| hash.to_vec());
        let read: Vec<(Vec<u8>, String, Timestamp)> = conn.read_set(LIST, rows).await?;
        for (hash, purpose, at) in read {
            let hash = hash.try_into().map_err(|_| CORRUPT)?;
            found.push((hash, Left { purpose, at }));
        }
    }
    Ok(found)
}

/// All rows behind one, in their order; from the beginning without one.
pub async fn list_all(
    conn: &mut Conn,
    after: Option<&LeftRow>,
    limit: i64,
) -> Result<Vec<LeftRow>, StoreError> {
    let nil = Uuid::nil();
    Ok(on!(conn, driver => sqlx::query_as(LIST_ALL)
        .bind(after.map_or(BrandId(nil), |row| row.brand_id))
        .bind(after.map_or(&[][..], |row| &row.hash))
        .bind(after.map_or("", |row| &row.purpose))
        .bind(after.map_or(ImportId(nil), |row| row.import_id))
        .bind(after.map_or(i64::MIN, |row| row.part))
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The newest import of which rows are there that no event tells of.
pub async fn newest_untold(conn: &mut Conn) -> Result<Option<ImportId>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_scalar(NEWEST_UNTOLD).fetch_optional(driver).await?))
}

/// Forgets what an import told that is taken back; answers with how many rows that were.
pub async fn delete_of(tx: &mut Conn, brand: BrandId, import: ImportId) -> Result<u64, StoreError> {
    let deleted = on!(tx, driver => sqlx::query(DELETE_OF)
        .bind(brand)
        .bind(import)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(deleted)
}
