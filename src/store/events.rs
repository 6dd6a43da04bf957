//! The events: appended, read in their order, never changed.

use uuid::Uuid;

use super::set::{ROWS_AT_MOST, Rows};
use super::{Conn, StoreError, on};
use crate::domain::event::Event;
use crate::domain::ids::{BrandId, ContactId};

const APPEND: &str = "insert into event (id, brand_id, contact_id, request_id, kind, at, body) \
     select id, brand_id, contact_id, request_id, kind, at, body from r where id is not null";
const LIST: &str = "select body from event where brand_id = $1 and contact_id = $2 and position > $3 \
     order by position limit $4";
const COUNT_OF_CONTACT: &str = "select count(*) from event where brand_id = $1 and contact_id = $2";

/// Events of one contact that a page of the story reads at a time.
const PAGE: i64 = 5_000;

pub async fn append(tx: &mut Conn, events: &[Event]) -> Result<(), StoreError> {
    for part in events.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("id", |event| event.id.0)
            .uuid("brand_id", |event| event.brand.0)
            .uuid("contact_id", |event| event.contact.0)
            .uuid_or_null("request_id", |event| event.request.map(|id| id.0))
            .text("kind", |event| event.fact.kind().to_owned())
            .int("at", |event| event.at.micros())
            .text("body", |event| {
                serde_json::to_string(event).unwrap_or_default()
            });
        tx.write_set(APPEND, rows).await?;
    }
    Ok(())
}

/// The events of a contact, oldest first; the first 5,000.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<Vec<Event>, StoreError> {
    let rows: Vec<(String,)> = on!(conn, driver => sqlx::query_as(LIST)
        .bind(brand)
        .bind(contact)
        .bind(0_i64)
        .bind(PAGE)
        .fetch_all(driver)
        .await?);
    rows.iter()
        .map(|(body,)| serde_json::from_str(body).map_err(|_| StoreError::Corrupt("event")))
        .collect()
}

/// How many events a contact has.
pub async fn count(conn: &mut Conn, brand: Uuid, contact: Uuid) -> Result<i64, StoreError> {
    let (count,): (i64,) = on!(conn, driver => sqlx::query_as(COUNT_OF_CONTACT)
        .bind(brand)
        .bind(contact)
        .fetch_one(driver)
        .await?);
    Ok(count)
}
