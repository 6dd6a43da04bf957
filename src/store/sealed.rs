//! What an erasure sealed, where the brand keeps proof: encrypted, for a term.

use super::erased::AddressHash;
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// A part of what a contact's events held.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SealedPart {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    /// Counts from 0, in the order of the events.
    pub part: i64,
    pub sealed: Vec<u8>,
    /// The brand's reason for keeping it.
    pub reason: String,
    pub sealed_at: Timestamp,
    pub delete_at: Timestamp,
}

const INSERT: &str = "insert into sealed_evidence (brand_id, contact_id, part, address_hash, sealed, reason, sealed_at, \
     delete_at) values ($1, $2, $3, $4, $5, $6, $7, $8)";
const LIST: &str = "select brand_id, contact_id, part, sealed, reason, sealed_at, delete_at from sealed_evidence \
     where brand_id = $1 and address_hash = $2 order by contact_id, part";
const LIST_BEFORE: &str = "select contact_id, reason, sealed_at, delete_at from sealed_evidence \
     where brand_id = $1 and contact_id < $2 and part = 0 order by contact_id desc limit $3";
const LIST_AFTER: &str = "select contact_id, reason, sealed_at, delete_at from sealed_evidence \
     where brand_id = $1 and contact_id > $2 and part = 0 order by contact_id limit $3";
const LIST_DUE: &str =
    "select distinct brand_id, contact_id from sealed_evidence where delete_at <= $1 limit $2";
const LIST_KEPT: &str = "select s.brand_id, s.contact_id, count(*) as parts, min(s.delete_at) as first_due, \
     max(s.delete_at) as last_due, min(s.sealed_at) as first_at, max(s.sealed_at) as last_at, min(s.reason) as first_reason, \
     max(s.reason) as last_reason, \
     (select max(e.erased_at) from erased_address e where e.brand_id = s.brand_id and e.hash = s.address_hash) as remembered_at \
     from sealed_evidence s where (s.brand_id, s.contact_id) > ($1, $2) \
     group by s.brand_id, s.contact_id, s.address_hash order by s.brand_id, s.contact_id limit $3";
const NEXT_PART: &str = "select part, sealed from sealed_evidence where brand_id = $1 and contact_id = $2 and part > $3 \
     order by part limit 1";
const DELETE: &str =
    "delete from sealed_evidence where brand_id = $1 and contact_id = $2 and delete_at <= $3";

/// What is kept sealed of a contact, as the audit reads it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub parts: i64,
    pub first_due: Timestamp,
    pub last_due: Timestamp,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub first_reason: String,
    pub last_reason: String,
    /// The time of the newest erasure of its address; none where that is not among the erased ones.
    pub remembered_at: Option<Timestamp>,
}

/// What is sealed of contacts behind one, in their order.
pub async fn list_kept(
    conn: &mut Conn,
    after: (BrandId, ContactId),
    limit: i64,
) -> Result<Vec<Kept>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_KEPT)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The part of a contact's sealed evidence behind one (-1 for the first): its number and bytes.
pub async fn next_part(
    conn: &mut Conn,
    (brand, contact): (BrandId, ContactId),
    after: i64,
) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(NEXT_PART)
        .bind(brand)
        .bind(contact)
        .bind(after)
        .fetch_optional(driver)
        .await?))
}

pub async fn insert(
    tx: &mut Conn,
    address: &AddressHash,
    part: &SealedPart,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(INSERT)
            .bind(part.brand_id)
            .bind(part.contact_id)
            .bind(part.part)
            .bind(&address[..])
            .bind(&part.sealed)
            .bind(&part.reason)
            .bind(part.sealed_at)
            .bind(part.delete_at)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// All that is sealed of an address: one contact after another, since it may have been erased more than once.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    address: &AddressHash,
) -> Result<Vec<SealedPart>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST)
        .bind(brand)
        .bind(&address[..])
        .fetch_all(driver)
        .await?))
}

/// What anybody may know of what is sealed of a contact.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct About {
    pub contact_id: ContactId,
    pub reason: String,
    pub sealed_at: Timestamp,
    pub delete_at: Timestamp,
}

/// Contacts of a brand with something sealed, behind one of them; downwards if `down`.
pub async fn list_contacts(
    conn: &mut Conn,
    brand: BrandId,
    (after, down): (Option<ContactId>, bool),
    limit: i64,
) -> Result<Vec<About>, StoreError> {
    let (sql, begin) = if down {
        (LIST_BEFORE, uuid::Uuid::max())
    } else {
        (LIST_AFTER, uuid::Uuid::nil())
    };
    Ok(on!(conn, driver => sqlx::query_as(sql)
        .bind(brand)
        .bind(after.unwrap_or(ContactId(begin)))
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Contacts whose sealed evidence is to be deleted by now.
pub async fn list_due(
    conn: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(BrandId, ContactId)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_DUE)
        .bind(now)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Deletes what is due of a contact; answers with the number of parts.
pub async fn delete(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(DELETE)
        .bind(brand)
        .bind(contact)
        .bind(now)
        .execute(driver)
        .await?
        .rows_affected()))
}
