//! People whom a brand does not know and of whom a list said that they left: keyed hashes of their addresses, and nothing else.

use super::erased::AddressHash;
use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ImportId};
use crate::domain::time::Timestamp;

/// Somebody who left, as an import told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftRow {
    pub brand_id: BrandId,
    pub hash: AddressHash,
    pub purpose: String,
    pub import_id: ImportId,
    pub left_at: Timestamp,
}

const PUT: &str = "insert into left_elsewhere (brand_id, hash, purpose, import_id, left_at) \
     select brand_id, hash, purpose, import_id, left_at from r where brand_id is not null \
     on conflict (brand_id, hash, purpose, import_id) do update \
     set left_at = case when excluded.left_at > left_elsewhere.left_at then excluded.left_at else left_elsewhere.left_at end";
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

/// Remembers them, each address of an import once.
pub fn put(writes: &mut Writes, rows: &[LeftRow]) {
    for part in rows.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |row| row.brand_id.0)
            .blob("hash", |row| row.hash.to_vec())
            .text("purpose", |row| row.purpose.clone())
            .uuid("import_id", |row| row.import_id.0)
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

/// Forgets what an import told that is taken back.
pub async fn delete_of(tx: &mut Conn, brand: BrandId, import: ImportId) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(DELETE_OF).bind(brand).bind(import).execute(driver).await?; });
    Ok(())
}
