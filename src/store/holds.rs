//! Contacts that are kept although they would be erased.

use uuid::Uuid;

use super::set::Rows;
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// A hold on a contact. It is in force until `until`; a worker then takes the row away.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HoldRow {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    /// The operator's own words.
    pub reason: String,
    /// The operator's name.
    pub operator: String,
    pub since: Timestamp,
    pub until: Timestamp,
}

const FIND: &str = "select brand_id, contact_id, reason, operator, since, until from legal_hold \
     where brand_id = $1 and contact_id = $2 and until > $3";
const PUT: &str = "insert into legal_hold (brand_id, contact_id, reason, operator, since, until) \
     values ($1, $2, $3, $4, $5, $6) on conflict (brand_id, contact_id) do update set reason = excluded.reason, \
     operator = excluded.operator, since = excluded.since, until = excluded.until";
const END: &str =
    "update legal_hold set until = $3 where brand_id = $1 and contact_id = $2 and until > $3";
const LIST_ENDED: &str = "select brand_id, contact_id, reason, operator, since, until from legal_hold \
     where until <= $1 order by until limit $2";
const DELETE_ENDED: &str =
    "delete from legal_hold where brand_id = $1 and contact_id = $2 and until <= $3";
const DELETE_OF: &str = "delete from legal_hold where brand_id = $1 and contact_id = $2";

/// The holds on contacts, those among them that are over and were not taken away yet.
const FIND_ALL: &str = "select h.brand_id, h.contact_id, h.reason, h.operator, h.since, h.until \
     from r join legal_hold h on h.brand_id = r.brand_id and h.contact_id = r.contact_id";
const LIST_WITHOUT_CONTACT: &str = "select h.brand_id, h.contact_id, h.reason, h.operator, h.since, h.until from legal_hold h \
     where not exists (select 1 from contact c where c.brand_id = h.brand_id and c.id = h.contact_id) limit $1";

/// By what holds are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// When they end.
    Until,
    /// Since when they are.
    Since,
}

/// By the index of their ends: what is over stands in front of where it begins.
pub const LIST_UNTIL: &str = "select brand_id, contact_id, reason, operator, since, until from legal_hold \
     where brand_id = $1 and (until, contact_id) > ($2, $3) order by until, contact_id limit $4";
pub const LIST_UNTIL_DOWN: &str = "select brand_id, contact_id, reason, operator, since, until from legal_hold \
     where brand_id = $1 and (until, contact_id) < ($2, $3) and until > $5 order by until desc, contact_id desc limit $4";
/// By the index of their beginnings. Holds that are over and still there are passed over: few, since each was placed by hand.
pub const LIST_SINCE: &str = "select brand_id, contact_id, reason, operator, since, until from legal_hold \
     where brand_id = $1 and (since, contact_id) > ($2, $3) and until > $5 order by since, contact_id limit $4";
pub const LIST_SINCE_DOWN: &str = "select brand_id, contact_id, reason, operator, since, until from legal_hold \
     where brand_id = $1 and (since, contact_id) < ($2, $3) and until > $5 order by since desc, contact_id desc limit $4";

/// The hold that is in force on a contact.
pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    now: Timestamp,
) -> Result<Option<HoldRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND)
        .bind(brand)
        .bind(contact)
        .bind(now)
        .fetch_optional(driver)
        .await?))
}

/// The holds on contacts, some of which may be over.
pub async fn find_all(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
) -> Result<Vec<HoldRow>, StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |one| one.0.0)
        .uuid("contact_id", |one| one.1.0);
    conn.read_set(FIND_ALL, rows).await
}

/// Holds on contacts that are not there.
pub async fn list_without_contact(conn: &mut Conn, limit: i64) -> Result<Vec<HoldRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_WITHOUT_CONTACT)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Places a hold, or another in its place. The caller holds the contact's lock.
pub async fn put(tx: &mut Conn, hold: &HoldRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(PUT)
            .bind(hold.brand_id)
            .bind(hold.contact_id)
            .bind(&hold.reason)
            .bind(&hold.operator)
            .bind(hold.since)
            .bind(hold.until)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Ends the hold on a contact at this instant.
pub async fn end(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(END).bind(brand).bind(contact).bind(now).execute(driver).await?;
    });
    Ok(())
}

/// The holds of a brand that are in force, behind one of them; the other way round if `down`.
pub async fn list(
    conn: &mut Conn,
    (brand, by): (BrandId, By),
    (after, down): (Option<(Timestamp, ContactId)>, bool),
    now: Timestamp,
    limit: i64,
) -> Result<Vec<HoldRow>, StoreError> {
    let (sql, begin) = match (by, down) {
        (By::Until, false) => (LIST_UNTIL, (now, Uuid::max())),
        (By::Since, false) => (LIST_SINCE, (Timestamp::from_micros(i64::MIN), Uuid::nil())),
        (By::Until, true) => (
            LIST_UNTIL_DOWN,
            (Timestamp::from_micros(i64::MAX), Uuid::max()),
        ),
        (By::Since, true) => (
            LIST_SINCE_DOWN,
            (Timestamp::from_micros(i64::MAX), Uuid::max()),
        ),
    };
    let begin = (begin.0, ContactId(begin.1));
    // By their ends those that are over stand in front; the hold behind which the page begins may be one of them by now.
    let by_end = by == By::Until && !down;
    let behind = match after {
        Some(after) if by_end => after.max(begin),
        Some(after) => after,
        None => begin,
    };
    Ok(on!(conn, driver => {
        let query = sqlx::query_as(sql).bind(brand).bind(behind.0).bind(behind.1).bind(limit);
        let query = if by_end { query } else { query.bind(now) };
        query.fetch_all(driver).await?
    }))
}

/// Holds that are over, the first first.
pub async fn list_ended(
    conn: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<HoldRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_ENDED)
        .bind(now)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Takes away a hold that is over; false where it is there no more, or was placed anew.
pub async fn delete_ended(
    tx: &mut Conn,
    hold: &HoldRow,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let deleted = on!(tx, driver => sqlx::query(DELETE_ENDED)
        .bind(hold.brand_id)
        .bind(hold.contact_id)
        .bind(now)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(deleted > 0)
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
