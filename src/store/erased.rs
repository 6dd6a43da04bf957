//! Erased addresses, and those that were asked before their term was over, as keyed hashes.

use super::set::{ROWS_AT_MOST, Rows};
use super::{Conn, StoreError, on};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

/// An address as its keyed hash (`Keys::address_hash`).
pub type AddressHash = [u8; 16];

const PUT: &str = "insert into erased_address (brand_id, hash, erased_at) values ($1, $2, $3) \
     on conflict (brand_id, hash) do update set erased_at = excluded.erased_at";
const LIST_ALL: &str = "select brand_id, hash, erased_at as since from erased_address \
     where (brand_id, hash) > ($1, $2) order by brand_id, hash limit $3";
const LIST: &str = "select e.hash from r cross join erased_address e \
     where e.brand_id = r.brand_id and e.hash = r.hash";

const PUT_ASKED: &str = "insert into asked_address (brand_id, hash, asked_by) values ($1, $2, $3) \
     on conflict (brand_id, hash) do update set asked_by = excluded.asked_by";
const LIST_ALL_ASKED: &str = "select brand_id, hash, asked_by as since from asked_address \
     where (brand_id, hash) > ($1, $2) order by brand_id, hash limit $3";
const LIST_ASKED: &str = "select a.hash from r cross join asked_address a \
     where a.brand_id = r.brand_id and a.hash = r.hash";

/// A row of either table as the audit reads it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Remembered {
    pub brand_id: BrandId,
    pub hash: Vec<u8>,
    /// The time of the newest erasure by which the address is remembered.
    pub since: Timestamp,
}

/// All erased addresses behind one (brand and hash), in their order.
pub async fn list_all(
    conn: &mut Conn,
    after: &(BrandId, Vec<u8>),
    limit: i64,
) -> Result<Vec<Remembered>, StoreError> {
    page(conn, LIST_ALL, after, limit).await
}

/// The same of those that were asked.
pub async fn list_all_asked(
    conn: &mut Conn,
    after: &(BrandId, Vec<u8>),
    limit: i64,
) -> Result<Vec<Remembered>, StoreError> {
    page(conn, LIST_ALL_ASKED, after, limit).await
}

async fn page(
    conn: &mut Conn,
    sql: &'static str,
    after: &(BrandId, Vec<u8>),
    limit: i64,
) -> Result<Vec<Remembered>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(sql)
        .bind(after.0)
        .bind(&after.1)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Remembers that an address was erased.
pub async fn put(
    tx: &mut Conn,
    brand: BrandId,
    hash: &AddressHash,
    at: Timestamp,
) -> Result<(), StoreError> {
    remember(tx, PUT, (brand, hash, at)).await
}

/// Those of a brand's addresses that were erased. An import refuses them (D3) unless the person confirmed anew since.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    hashes: &[AddressHash],
) -> Result<Vec<AddressHash>, StoreError> {
    among(conn, LIST, brand, hashes).await
}

/// Remembers that a campaign had asked an address by an instant at which all else that was known of it is removed.
pub async fn put_asked(
    tx: &mut Conn,
    brand: BrandId,
    hash: &AddressHash,
    by: Timestamp,
) -> Result<(), StoreError> {
    remember(tx, PUT_ASKED, (brand, hash, by)).await
}

async fn remember(
    tx: &mut Conn,
    sql: &'static str,
    (brand, hash, at): (BrandId, &AddressHash, Timestamp),
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(sql).bind(brand).bind(&hash[..]).bind(at).execute(driver).await?;
    });
    Ok(())
}

/// Those of a brand's addresses that campaigns had asked before they were removed.
pub async fn list_asked(
    conn: &mut Conn,
    brand: BrandId,
    hashes: &[AddressHash],
) -> Result<Vec<AddressHash>, StoreError> {
    among(conn, LIST_ASKED, brand, hashes).await
}

async fn among(
    conn: &mut Conn,
    sql: &'static str,
    brand: BrandId,
    hashes: &[AddressHash],
) -> Result<Vec<AddressHash>, StoreError> {
    let mut found = Vec::new();
    for part in hashes.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |_| brand.0)
            .blob("hash", |hash| hash.to_vec());
        let read: Vec<(Vec<u8>,)> = conn.read_set(sql, rows).await?;
        for (hash,) in read {
            found.push(
                hash.try_into()
                    .map_err(|_| StoreError::Corrupt("erased address"))?,
            );
        }
    }
    Ok(found)
}
