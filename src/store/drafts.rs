//! What operators have begun in the pages and not finished.

use uuid::Uuid;

use super::{Conn, StoreError, on};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DraftRow {
    pub brand_id: BrandId,
    pub id: Uuid,
    pub kind: String,
    pub stage: String,
    /// JSON, as `app::drafts` writes it.
    pub body: String,
    pub revision: i64,
    pub begun_at: Timestamp,
    pub changed_at: Timestamp,
}

const FIND: &str = "select * from draft where brand_id = $1 and id = $2 and kind = $3";
const LIST_BEFORE: &str =
    "select * from draft where brand_id = $1 and kind = $2 and id < $3 order by id desc limit $4";
const LIST_DUE: &str =
    "select * from draft where stage in ('trying', 'started') order by id limit 500";
const LIST_ALL: &str = "select * from draft order by changed_at limit 10000";
/// Drafts that [`list_all`] answers with at most.
pub const ALL_AT_MOST: usize = 10_000;
const INSERT: &str = "insert into draft (brand_id, id, kind, stage, body, revision, begun_at, changed_at) \
     values ($1, $2, $3, $4, $5, 0, $6, $7)";
const CHANGE: &str = "update draft set stage = $4, body = $5, changed_at = $6, revision = revision + 1 \
     where brand_id = $1 and id = $2 and revision = $3";
const DELETE_OVER: &str = "delete from draft where brand_id = $1 and kind = $2 and stage in ('done', 'failed') returning id";
const COUNT_WAITING: &str = "select count(*) from draft where brand_id = $1 and kind = $2 and stage not in ('done', 'failed')";
const DELETE: &str = "delete from draft where brand_id = $1 and id = $2";

macro_rules! fetch {
    ($conn:expr, $sql:expr, $fetch:ident $(, $value:expr)*) => {
        on!($conn, driver => sqlx::query_as($sql)$(.bind($value))*.$fetch(driver).await?)
    };
}

pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    id: Uuid,
    kind: &str,
) -> Result<Option<DraftRow>, StoreError> {
    Ok(fetch!(conn, FIND, fetch_optional, brand, id, kind))
}

/// A brand's drafts of a kind that are older than one, newest first.
pub async fn list_before(
    conn: &mut Conn,
    brand: BrandId,
    kind: &str,
    before: Uuid,
    limit: i64,
) -> Result<Vec<DraftRow>, StoreError> {
    Ok(fetch!(
        conn,
        LIST_BEFORE,
        fetch_all,
        brand,
        kind,
        before,
        limit
    ))
}

/// Those of all brands about which something is to be done, oldest first.
pub async fn list_due(conn: &mut Conn) -> Result<Vec<DraftRow>, StoreError> {
    Ok(fetch!(conn, LIST_DUE, fetch_all))
}

/// Deletes a brand's drafts of a kind that are over. Answers with their ids.
pub async fn delete_over(
    tx: &mut Conn,
    brand: BrandId,
    kind: &str,
) -> Result<Vec<Uuid>, StoreError> {
    let gone: Vec<(Uuid,)> = fetch!(tx, DELETE_OVER, fetch_all, brand, kind);
    Ok(gone.into_iter().map(|one| one.0).collect())
}

/// How many of a brand's drafts of a kind are not over.
pub async fn count_waiting(conn: &mut Conn, brand: BrandId, kind: &str) -> Result<i64, StoreError> {
    let (count,): (i64,) = fetch!(conn, COUNT_WAITING, fetch_one, brand, kind);
    Ok(count)
}

/// All of them, those first that were left alone longest; the first 10,000.
pub async fn list_all(conn: &mut Conn) -> Result<Vec<DraftRow>, StoreError> {
    Ok(fetch!(conn, LIST_ALL, fetch_all))
}

pub async fn insert(tx: &mut Conn, row: &DraftRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(INSERT)
            .bind(row.brand_id)
            .bind(row.id)
            .bind(&row.kind)
            .bind(&row.stage)
            .bind(&row.body)
            .bind(row.begun_at)
            .bind(row.changed_at)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Puts stage and body in the place of those that are known; false where somebody else was faster.
pub async fn change(tx: &mut Conn, row: &DraftRow) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(CHANGE)
        .bind(row.brand_id)
        .bind(row.id)
        .bind(row.revision)
        .bind(&row.stage)
        .bind(&row.body)
        .bind(row.changed_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed > 0)
}

pub async fn delete(tx: &mut Conn, brand: BrandId, id: Uuid) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(DELETE).bind(brand).bind(id).execute(driver).await?; });
    Ok(())
}
