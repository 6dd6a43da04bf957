//! Mails to the operator about implicit consent that is about to end: at most one for a brand and a day.

use super::{Conn, StoreError, on};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

/// A notice as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NoticeRow {
    pub brand_id: BrandId,
    /// Days since 1970-01-01, in UTC.
    pub day: i64,
    pub contacts: i64,
    /// When the first of them ends.
    pub first_until: Timestamp,
    /// Up to when it was looked.
    pub looked_until: Timestamp,
    pub state: String,
    /// When it is to be sent; while somebody sends it, when somebody else may.
    pub due_at: Timestamp,
    pub tries: i64,
}

const FIND_LAST: &str = "select brand_id, day, contacts, first_until, looked_until, state, due_at, tries \
     from lapse_notice where brand_id = $1 order by day desc limit 1";
const INSERT: &str = "insert into lapse_notice (brand_id, day, contacts, first_until, looked_until, state, due_at, tries) \
     values ($1, $2, $3, $4, $5, 'due', $6, 0) on conflict (brand_id, day) do nothing";
/// Whoever comes second waits for the first one's commit, and finds nothing due any more.
const CLAIM: &str = "update lapse_notice set due_at = $2, tries = tries + 1 where state = 'due' and due_at <= $1 \
     returning brand_id, day, contacts, first_until, looked_until, state, due_at, tries";
const SETTLE: &str = "update lapse_notice set state = $3, due_at = $4, last_reply = $5 \
     where brand_id = $1 and day = $2 and state = 'due'";
const IS_DUE: &str = "select day from lapse_notice where state = 'due' and due_at <= $1 limit 1";
const PRUNE: &str = "delete from lapse_notice where due_at < $1";

/// A brand's newest notice.
pub async fn find_last(conn: &mut Conn, brand: BrandId) -> Result<Option<NoticeRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_LAST).bind(brand).fetch_optional(driver).await?))
}

/// Writes a notice, unless the brand has one of that day; false then.
pub async fn insert(tx: &mut Conn, row: &NoticeRow) -> Result<bool, StoreError> {
    let written = on!(tx, driver => sqlx::query(INSERT)
        .bind(row.brand_id)
        .bind(row.day)
        .bind(row.contacts)
        .bind(row.first_until)
        .bind(row.looked_until)
        .bind(row.due_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(written > 0)
}

/// Whether any notice is due: an idle server writes nothing.
pub async fn is_due(conn: &mut Conn, now: Timestamp) -> Result<bool, StoreError> {
    let found: Option<(i64,)> =
        on!(conn, driver => sqlx::query_as(IS_DUE).bind(now).fetch_optional(driver).await?);
    Ok(found.is_some())
}

/// Takes all notices that are due; until an instant nobody else takes them.
pub async fn claim(
    tx: &mut Conn,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<NoticeRow>, StoreError> {
    Ok(on!(tx, driver => sqlx::query_as(CLAIM).bind(now).bind(until).fetch_all(driver).await?))
}

/// What became of a notice: `sent`, `failed`, or `due` at another time.
pub async fn settle(
    tx: &mut Conn,
    row: &NoticeRow,
    state: &str,
    due_at: Timestamp,
    reply: &str,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(SETTLE)
            .bind(row.brand_id)
            .bind(row.day)
            .bind(state)
            .bind(due_at)
            .bind(reply)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Removes old notices; answers with their number.
pub async fn prune(tx: &mut Conn, before: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(PRUNE).bind(before).execute(driver).await?.rows_affected()))
}
