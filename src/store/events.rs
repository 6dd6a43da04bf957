//! The events: appended, read in their order, never changed. An erasure empties them.

use std::borrow::Borrow;

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// An event as it is kept.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub kind: &'static str,
    pub at: Timestamp,
    /// Canonical JSON (RFC 8785).
    pub body: String,
    pub salt: [u8; 32],
    /// What `body` names by its SHA-256: removed after a term of its own.
    pub circumstances: Option<String>,
    /// The mail that it tells of, packed by `mails`.
    pub mail: Option<Vec<u8>>,
}

/// An event that was read; its content is gone after an erasure.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredEvent {
    pub position: i64,
    pub body: Option<String>,
    pub circumstances: Option<String>,
}

const APPEND: &str = "insert into event (brand_id, contact_id, kind, at, body, salt, circumstances, mail) \
     select brand_id, contact_id, kind, at, body, salt, circumstances, mail from r where brand_id is not null";
const LIST: &str = "select position, body, circumstances from event \
     where brand_id = $1 and contact_id = $2 and position > $3 order by position limit $4";
const LIST_MAILS: &str = "select position, mail from event \
     where brand_id = $1 and contact_id = $2 and mail is not null order by position limit $3";

const LIST_WHOLE: &str = "select position, body, salt, circumstances, mail from event \
     where brand_id = $1 and contact_id = $2 and position > $3 order by position limit $4";

const LIST_AUDITED: &str = "select position, brand_id, contact_id, kind, at, body, salt, circumstances, mail from event \
     where position > $1 and position <= $2 order by position limit $3";
const LIST_BODIES: &str = "select event.contact_id, event.body from r \
     join event on event.brand_id = r.brand_id and event.contact_id = r.contact_id order by event.position";
const LAST_OF_KIND: &str =
    "select max(position) from event where brand_id = $1 and contact_id = $2 and kind = $3";

/// Events of one contact that a page of the story reads at a time.
const PAGE: i64 = 5_000;

pub fn append<Event: Borrow<NewEvent>>(writes: &mut Writes, events: &[Event]) {
    for part in events.chunks(ROWS_AT_MOST) {
        let part: Vec<&NewEvent> = part.iter().map(Borrow::borrow).collect();
        let rows = Rows::of(&part)
            .uuid("brand_id", |event| event.brand_id.0)
            .uuid("contact_id", |event| event.contact_id.0)
            .text("kind", |event| event.kind.to_owned())
            .int("at", |event| event.at.micros())
            .text("body", |event| event.body.clone())
            .blob("salt", |event| event.salt.to_vec())
            .text_or_null("circumstances", |event| event.circumstances.clone())
            .blob_or_null("mail", |event| event.mail.clone());
        writes.add(APPEND, rows);
    }
}

/// The events of a contact, oldest first; the first 5,000.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST)
        .bind(brand)
        .bind(contact)
        .bind(0_i64)
        .bind(PAGE)
        .fetch_all(driver)
        .await?))
}

/// An event with all that is kept of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WholeEvent {
    pub position: i64,
    pub body: Option<String>,
    pub salt: Option<Vec<u8>>,
    pub circumstances: Option<String>,
    /// Packed by `mails`.
    pub mail: Option<Vec<u8>>,
}

/// The events of a contact behind a position, oldest first.
pub async fn list_whole(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    after: i64,
    limit: i64,
) -> Result<Vec<WholeEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_WHOLE)
        .bind(brand)
        .bind(contact)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// An event with every column there is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuditedEvent {
    pub position: i64,
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub kind: String,
    pub at: Timestamp,
    pub body: Option<String>,
    pub salt: Option<Vec<u8>>,
    pub circumstances: Option<String>,
    pub mail: Option<Vec<u8>>,
}

impl AuditedEvent {
    /// Whether nothing is left of its content.
    pub const fn is_emptied(&self) -> bool {
        self.body.is_none()
            && self.salt.is_none()
            && self.circumstances.is_none()
            && self.mail.is_none()
    }
}

/// Events of all contacts behind one position up to another, in their order.
pub async fn list_audited(
    conn: &mut Conn,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<AuditedEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_AUDITED)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The bodies of all events of these contacts, in their order.
pub async fn list_bodies(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
) -> Result<Vec<(ContactId, Option<String>)>, StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |one| one.0.0)
        .uuid("contact_id", |one| one.1.0);
    conn.read_set(LIST_BODIES, rows).await
}

/// The position of a contact's last event of this kind.
pub async fn last_of_kind(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    kind: &str,
) -> Result<Option<i64>, StoreError> {
    let (position,): (Option<i64>,) = on!(conn, driver => sqlx::query_as(LAST_OF_KIND)
        .bind(brand)
        .bind(contact)
        .bind(kind)
        .fetch_one(driver)
        .await?);
    Ok(position)
}

/// The packed mails of a contact with the positions of the events that tell of them, oldest first; the first 5,000.
pub async fn list_mails(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_MAILS)
        .bind(brand)
        .bind(contact)
        .bind(PAGE)
        .fetch_all(driver)
        .await?))
}
