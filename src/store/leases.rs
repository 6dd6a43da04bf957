//! Leases: jobs that one process does at a time. Whoever dies lets go of his by its time.

use std::time::Duration;

use uuid::Uuid;

use super::{Conn, Store, StoreError, on};
use crate::domain::time::Timestamp;

/// A lease that ends so much later than one that is taken now was taken by a clock that was ahead, and may be set back since.
/// Two machines' clocks differ by less.
const AHEAD: Duration = Duration::from_secs(60);

const TAKE: &str = "insert into lease (name, holder, held_until) values ($1, $2, $3) \
     on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until \
     where lease.holder = excluded.holder or lease.held_until <= $4 or lease.held_until > $5 \
     returning held_until";
const FIND: &str = "select holder, held_until from lease where name = $1";
const END: &str = "delete from lease where name = $1 and holder = $2";

/// Who has a lease, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Lease {
    pub holder: Uuid,
    /// From then on it is anybody's.
    pub held_until: Timestamp,
}

pub async fn find(conn: &mut Conn, name: &str) -> Result<Option<Lease>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND).bind(name).fetch_optional(driver).await?))
}

/// Takes a lease or renews one's own; false where another has it.
pub async fn take(
    store: &Store,
    name: &str,
    holder: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let taken: Option<(i64,)> = on!(tx, driver => sqlx::query_as(TAKE)
        .bind(name)
        .bind(holder)
        .bind(until)
        .bind(now)
        .bind(until.plus(AHEAD))
        .fetch_optional(driver)
        .await?);
    tx.commit().await?;
    Ok(taken.is_some())
}

/// Lets go of a lease before its time.
pub async fn end(store: &Store, name: &str, holder: Uuid) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    on!(tx, driver => { sqlx::query(END).bind(name).bind(holder).execute(driver).await?; });
    tx.commit().await
}
