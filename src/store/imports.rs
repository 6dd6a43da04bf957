//! Imports, and how far each of them came.

use super::set::{Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ImportId};
use crate::domain::time::Timestamp;

/// An import as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ImportRow {
    pub brand_id: BrandId,
    pub id: ImportId,
    pub name: String,
    pub purpose: String,
    pub file_name: String,
    pub file_sha256: Vec<u8>,
    /// How the file is read, as JSON.
    pub reading: String,
    pub state: String,
    /// Rows of the file behind its header that were dealt with, whatever became of them.
    pub rows_done: i64,
    /// What became of them, as JSON.
    pub counts: String,
    /// How long the report was then.
    pub report_bytes: Option<i64>,
    /// The SHA-256 of that much of it.
    pub report_sha256: Option<Vec<u8>>,
    /// The newest event when it began; its own events lie behind it.
    pub after_position: i64,
    /// The newest event when it had ended.
    pub last_position: Option<i64>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

const FIND: &str = "select * from import where brand_id = $1 and name = $2";
const FIND_BY_ID: &str = "select * from import where brand_id = $1 and id = $2";
const LIST_BEFORE: &str =
    "select * from import where brand_id = $1 and id < $2 order by id desc limit $3";
pub const LIST_AFTER: &str =
    "select * from import where brand_id = $1 and id > $2 order by id limit $3";
const LAST_POSITION: &str = "select coalesce(max(position), 0) from event";
const LIST_WITHDRAWING: &str =
    "select id from import where brand_id = $1 and state = 'withdrawing'";
const INSERT: &str = "insert into import (brand_id, id, name, purpose, file_name, file_sha256, reading, state, rows_done, \
     counts, after_position, started_at) values ($1, $2, $3, $4, $5, $6, $7, 'running', 0, $8, $9, $10) \
     on conflict (brand_id, name) do nothing";
const PUT_PROGRESS: &str = "update import set rows_done = r.rows_done, counts = r.counts, report_bytes = r.report_bytes, \
     report_sha256 = r.report_sha256 from r where import.brand_id = r.brand_id and import.id = r.id";
const MOVE: &str = "update import set state = $4, last_position = $5, ended_at = $6 \
     where brand_id = $1 and id = $2 and state = $3";

pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    name: &str,
) -> Result<Option<ImportRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND)
        .bind(brand)
        .bind(name)
        .fetch_optional(driver)
        .await?))
}

pub async fn find_by_id(
    conn: &mut Conn,
    brand: BrandId,
    id: ImportId,
) -> Result<Option<ImportRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_BY_ID)
        .bind(brand)
        .bind(id)
        .fetch_optional(driver)
        .await?))
}

/// A brand's imports that are older than one, newest first.
pub async fn list_before(
    conn: &mut Conn,
    brand: BrandId,
    before: ImportId,
    limit: i64,
) -> Result<Vec<ImportRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_BEFORE)
        .bind(brand)
        .bind(before)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// A brand's imports that are newer than one, oldest first.
pub async fn list_after(
    conn: &mut Conn,
    brand: BrandId,
    after: ImportId,
    limit: i64,
) -> Result<Vec<ImportRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_AFTER)
        .bind(brand)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The imports of a brand that are being taken back: not all of their contacts' events say so yet.
pub async fn list_withdrawing(
    conn: &mut Conn,
    brand: BrandId,
) -> Result<Vec<ImportId>, StoreError> {
    let found: Vec<(ImportId,)> =
        on!(conn, driver => sqlx::query_as(LIST_WITHDRAWING).bind(brand).fetch_all(driver).await?);
    Ok(found.into_iter().map(|one| one.0).collect())
}

/// The position of the newest event of all.
pub async fn last_position(conn: &mut Conn) -> Result<i64, StoreError> {
    let (position,): (i64,) =
        on!(conn, driver => sqlx::query_as(LAST_POSITION).fetch_one(driver).await?);
    Ok(position)
}

/// Writes a new import, unless one of its name is there.
pub async fn insert(tx: &mut Conn, row: &ImportRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(INSERT)
            .bind(row.brand_id)
            .bind(row.id)
            .bind(&row.name)
            .bind(&row.purpose)
            .bind(&row.file_name)
            .bind(&row.file_sha256)
            .bind(&row.reading)
            .bind(&row.counts)
            .bind(row.after_position)
            .bind(row.started_at)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// How far it came, written together with the rows that it came to.
pub fn put_progress(writes: &mut Writes, row: &ImportRow) {
    let rows = Rows::of(std::slice::from_ref(row))
        .uuid("brand_id", |row| row.brand_id.0)
        .uuid("id", |row| row.id.0)
        .int("rows_done", |row| row.rows_done)
        .text("counts", |row| row.counts.clone())
        .int_or_null("report_bytes", |row| row.report_bytes)
        .blob_or_null("report_sha256", |row| row.report_sha256.clone());
    writes.add(PUT_PROGRESS, rows);
}

/// Moves an import from one state to another; false where it was in no such state.
pub async fn move_on(
    tx: &mut Conn,
    row: &ImportRow,
    to: &str,
    last_position: Option<i64>,
    ended_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let moved = on!(tx, driver => sqlx::query(MOVE)
        .bind(row.brand_id)
        .bind(row.id)
        .bind(&row.state)
        .bind(to)
        .bind(last_position)
        .bind(ended_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(moved > 0)
}
