//! The suppression list, and the events that it follows from, for the audit.

use super::budgets::MailboxHash;
use super::{Conn, StoreError, on};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

/// An event that suppresses a mailbox, or lets it go.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SuppressionEvent {
    pub position: i64,
    pub brand_id: BrandId,
    pub kind: String,
    pub at: Timestamp,
    /// Of its contact; none where the contact is gone, and of what operators did.
    pub mailbox: Option<Vec<u8>>,
    /// Only where more than the kind counts.
    pub body: Option<String>,
    /// Not 0: an erasure emptied it.
    pub emptied: i64,
}

/// A mailbox that is suppressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppressedRow {
    pub brand_id: BrandId,
    pub hash: MailboxHash,
    pub since: Timestamp,
    pub reason: String,
}

const LIST_EVENTS: &str = "select e.position, e.brand_id, e.kind, e.at, c.mailbox, \
     case when e.kind in ('bounced', 'complained', 'suppressed', 'operator_acted') then e.body end as body, \
     cast(case when e.body is null then 1 else 0 end as bigint) as emptied \
     from event e left join contact c on c.brand_id = e.brand_id and c.id = e.contact_id \
     where e.position > $1 and e.kind in ('declined', 'complained', 'bounced', 'suppressed', 'suppression_lifted', 'operator_acted') \
     order by e.position limit $2";
const LIST_ROWS: &str = "select brand_id, hash, suppressed_at, coalesce(suppressed_for, '') from mailbox \
     where suppressed_at is not null and (brand_id, hash) > ($1, $2) order by brand_id, hash limit $3";

/// The next events behind a position, in their order.
pub async fn list_events(
    conn: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<SuppressionEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_EVENTS)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The next rows behind one, by brand and hash.
pub async fn list_rows(
    conn: &mut Conn,
    (brand, hash): (BrandId, &[u8]),
    limit: i64,
) -> Result<Vec<SuppressedRow>, StoreError> {
    let found: Vec<(BrandId, Vec<u8>, Timestamp, String)> = on!(conn, driver => sqlx::query_as(LIST_ROWS)
        .bind(brand)
        .bind(hash)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    let read = |(brand_id, hash, since, reason): (BrandId, Vec<u8>, Timestamp, String)| {
        Ok(SuppressedRow {
            brand_id,
            hash: hash
                .try_into()
                .map_err(|_| StoreError::Corrupt("mailbox"))?,
            since,
            reason,
        })
    };
    found.into_iter().map(read).collect()
}
