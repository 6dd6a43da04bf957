//! People who wished to be erased while they were held, until it is done.

use super::set::{ROWS_AT_MOST, Rows};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// A wish that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WishRow {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub wished_at: Timestamp,
}

const FIND: &str = "select brand_id, contact_id, wished_at from erasure_wish where brand_id = $1 and contact_id = $2";
const FIND_ALL: &str = "select w.brand_id, w.contact_id, w.wished_at from r \
     join erasure_wish w on w.brand_id = r.brand_id and w.contact_id = r.contact_id";
const PUT: &str = "insert into erasure_wish (brand_id, contact_id, wished_at) values ($1, $2, $3) \
     on conflict (brand_id, contact_id) do nothing";
const DELETE_OF: &str = "delete from erasure_wish where brand_id = $1 and contact_id = $2";
/// In the order of an index; of each it is looked, by a whole key, whether a hold still keeps it.
pub const LIST_DUE: &str = "select w.brand_id, w.contact_id, w.wished_at from erasure_wish w \
     where (w.wished_at, w.contact_id) > ($1, $2) and not exists (select 1 from legal_hold h \
     where h.brand_id = w.brand_id and h.contact_id = w.contact_id and h.until > $3) \
     order by w.wished_at, w.contact_id limit $4";

/// The wish of a contact that is kept.
pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<Option<WishRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND)
        .bind(brand)
        .bind(contact)
        .fetch_optional(driver)
        .await?))
}

/// The wishes of those among these contacts who have one.
pub async fn find_all(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
) -> Result<Vec<WishRow>, StoreError> {
    let mut found = Vec::new();
    for part in contacts.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |id| id.0.0)
            .uuid("contact_id", |id| id.1.0);
        found.append(&mut conn.read_set(FIND_ALL, rows).await?);
    }
    Ok(found)
}

/// Keeps a wish; false where one is kept already. The caller holds the contact's lock.
pub async fn put(tx: &mut Conn, wish: &WishRow) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(PUT)
        .bind(wish.brand_id)
        .bind(wish.contact_id)
        .bind(wish.wished_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed > 0)
}

/// Forgets the wish of a contact, since it is done or taken back; false where there was none. The caller holds the contact's lock.
pub async fn delete_of(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(DELETE_OF)
        .bind(brand)
        .bind(contact)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed > 0)
}

/// Wishes of contacts whom no hold keeps at this instant, the oldest first; behind one of them.
pub async fn list_due(
    conn: &mut Conn,
    now: Timestamp,
    after: Option<&WishRow>,
    limit: i64,
) -> Result<Vec<WishRow>, StoreError> {
    let nobody = (
        Timestamp::from_micros(i64::MIN),
        ContactId(uuid::Uuid::nil()),
    );
    let (at, id) = after.map_or(nobody, |one| (one.wished_at, one.contact_id));
    Ok(on!(conn, driver => sqlx::query_as(LIST_DUE)
        .bind(at)
        .bind(id)
        .bind(now)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}
