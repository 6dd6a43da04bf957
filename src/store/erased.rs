//! Erased addresses, as keyed hashes.

use super::set::{ROWS_AT_MOST, Rows};
use super::{Conn, StoreError, on};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

/// An address as its keyed hash (`Keys::address_hash`).
pub type AddressHash = [u8; 16];

const PUT: &str = "insert into erased_address (brand_id, hash, erased_at) values ($1, $2, $3) \
     on conflict (brand_id, hash) do update set erased_at = excluded.erased_at";
const LIST: &str = "select e.hash from r cross join erased_address e \
     where e.brand_id = r.brand_id and e.hash = r.hash";

/// Remembers that an address was erased.
pub async fn put(
    tx: &mut Conn,
    brand: BrandId,
    hash: &AddressHash,
    at: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(PUT).bind(brand).bind(&hash[..]).bind(at).execute(driver).await?;
    });
    Ok(())
}

/// Those of a brand's addresses that were erased. An import refuses them (D3) unless the person confirmed anew since.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    hashes: &[AddressHash],
) -> Result<Vec<AddressHash>, StoreError> {
    let mut found = Vec::new();
    for part in hashes.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |_| brand.0)
            .blob("hash", |hash| hash.to_vec());
        let read: Vec<(Vec<u8>,)> = conn.read_set(LIST, rows).await?;
        for (hash,) in read {
            found.push(
                hash.try_into()
                    .map_err(|_| StoreError::Corrupt("erased address"))?,
            );
        }
    }
    Ok(found)
}
