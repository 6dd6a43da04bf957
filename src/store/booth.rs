//! The numbers of entries from booths that are recorded, so that one that is sent twice is recorded once.

use uuid::Uuid;

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

/// An entry: its brand and the number that a tablet gave it.
pub type EntryKey = (BrandId, Uuid);

const FIND: &str = "select b.brand_id, b.id from r cross join booth_entry b \
     where b.brand_id = r.brand_id and b.id = r.id";
/// Two texts for the reason that `budgets.rs` gives.
const FIND_POSTGRES: &str = "select b.brand_id, b.id from r \
     cross join lateral (select * from booth_entry t where t.brand_id = r.brand_id and t.id = r.id offset 0) b";
const INSERT: &str = "insert into booth_entry (brand_id, id, recorded_at) \
     select brand_id, id, recorded_at from r where brand_id is not null";
const PRUNE: &str = "delete from booth_entry where recorded_at < $1";

/// Those of the entries that are recorded. The caller holds the locks of all of them.
pub async fn find_recorded(
    conn: &mut Conn,
    keys: &[EntryKey],
) -> Result<Vec<EntryKey>, StoreError> {
    let rows = Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1);
    conn.read_set(conn.text(FIND, FIND_POSTGRES), rows).await
}

pub fn insert(writes: &mut Writes, keys: &[EntryKey], now: Timestamp) {
    for part in keys.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |key| key.0.0)
            .uuid("id", |key| key.1)
            .int("recorded_at", |_| now.micros());
        writes.add(INSERT, rows);
    }
}

/// Forgets the numbers of entries that are too old to be sent once more.
pub async fn prune(tx: &mut Conn, before: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(PRUNE).bind(before).execute(driver).await?.rows_affected()))
}
