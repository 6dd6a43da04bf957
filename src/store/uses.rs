//! When contacts last used what they agreed to, as the operator's programs report it. Kept beside the contact and changed in
//! place: it is no evidence of consent, and a report on all contacts each week would fill the log.

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// One use. An empty purpose stands for whatever the contact agreed to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UseRow {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub purpose: String,
    pub used_at: Timestamp,
}

const PUT: &str = "insert into contact_use (brand_id, contact_id, purpose, used_at) \
     select brand_id, contact_id, purpose, used_at from r where brand_id is not null \
     and exists (select 1 from contact c where c.brand_id = r.brand_id and c.id = r.contact_id) \
     on conflict (brand_id, contact_id, purpose) do update set used_at = excluded.used_at \
     where excluded.used_at > contact_use.used_at";
const LIST: &str = "select u.brand_id, u.contact_id, u.purpose, u.used_at from r join contact_use u \
     on u.brand_id = r.brand_id and u.contact_id = r.contact_id";
const DELETE_OF: &str = "delete from contact_use where brand_id = $1 and contact_id = $2";

/// Keeps uses; of two of the same contact and purpose the later one stays. To be written with `Store::write_of_contacts`, so that
/// nothing of a contact that is erased meanwhile comes back; each contact and purpose at most once, in their order.
pub fn put(writes: &mut Writes, uses: &[UseRow]) {
    for part in uses.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |one| one.brand_id.0)
            .uuid("contact_id", |one| one.contact_id.0)
            .text("purpose", |one| one.purpose.clone())
            .int("used_at", |one| one.used_at.micros());
        writes.add(PUT, rows);
    }
}

/// The uses of these contacts.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    contacts: &[ContactId],
) -> Result<Vec<UseRow>, StoreError> {
    let mut all = Vec::new();
    for part in contacts.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |_| brand.0)
            .uuid("contact_id", |id| id.0);
        all.extend(conn.read_set::<_, UseRow>(LIST, rows).await?);
    }
    Ok(all)
}

/// Forgets a contact that is erased.
pub async fn delete_of(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(DELETE_OF).bind(brand).bind(contact).execute(driver).await?; });
    Ok(())
}
