//! Brands, forms and form versions.

use uuid::Uuid;

use super::{Conn, StoreError, on};
use crate::domain::time::Timestamp;

#[derive(Debug, sqlx::FromRow)]
pub struct BrandRow {
    pub id: Uuid,
    pub number: i64,
    pub slug: String,
    pub declared: String,
}

#[derive(Debug, sqlx::FromRow)]
pub struct FormRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub slug: String,
    pub declared: String,
    pub current_version: String,
    pub retired_at: Option<Timestamp>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct VersionRow {
    pub form_id: Uuid,
    pub hash: String,
    pub content: String,
}

const LIST_BRANDS: &str = "select id, number, slug, declared from brand order by number";
const LIST_FORMS: &str = "select id, brand_id, slug, declared, current_version, retired_at \
     from form order by slug";
const LIST_VERSIONS: &str =
    "select form_id, hash, content from form_version order by form_id, created_at";
const PUT_BRAND: &str = "insert into brand (id, number, slug, declared, declared_at) \
     values ($1, (select coalesce(max(number), 0) + 1 from brand), $2, $3, $4) \
     on conflict (slug) do update set declared = excluded.declared, declared_at = excluded.declared_at";
const PUT_FORM: &str = "insert into form (id, brand_id, slug, declared, current_version, retired_at) \
     values ($1, $2, $3, $4, $5, null) \
     on conflict (slug) do update set declared = excluded.declared, \
     current_version = excluded.current_version, retired_at = null \
     where form.brand_id = excluded.brand_id";
const PUT_VERSION: &str = "insert into form_version (form_id, hash, content, shown, created_at) \
     select id, $2, $3, $4, $5 from form where slug = $1 on conflict (form_id, hash) do nothing";
// The same hash is the same page, whichever form has it.
const FIND_SHOWN: &str = "select shown from form_version where hash = $1 limit 1";
const LIST_SHOWN: &str = "select form_id, hash, shown, content from form_version \
     where (form_id, hash) > ($1, $2) order by form_id, hash limit $3";
const LIST_VERSION_TIMES: &str = "select hash, created_at from form_version where form_id = $1 order by created_at desc, hash limit 500";
const RETIRE_FORM: &str = "update form set retired_at = $2 where slug = $1";

pub async fn list_brands(conn: &mut Conn) -> Result<Vec<BrandRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_BRANDS).fetch_all(driver).await?))
}

/// When the versions of a form were made, the newest first; the first 500.
pub async fn list_version_times(
    conn: &mut Conn,
    form: Uuid,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_VERSION_TIMES)
        .bind(form)
        .fetch_all(driver)
        .await?))
}

pub async fn list_forms(conn: &mut Conn) -> Result<Vec<FormRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_FORMS).fetch_all(driver).await?))
}

pub async fn list_versions(conn: &mut Conn) -> Result<Vec<VersionRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_VERSIONS).fetch_all(driver).await?))
}

pub async fn put_brand(
    tx: &mut Conn,
    id: Uuid,
    slug: &str,
    declared: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(PUT_BRAND).bind(id).bind(slug).bind(declared).bind(now).execute(driver).await?;
    });
    Ok(())
}

/// Writes a form; a form of the same name of another brand is left alone.
pub async fn put_form(tx: &mut Conn, form: &FormRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(PUT_FORM)
            .bind(form.id)
            .bind(form.brand_id)
            .bind(&form.slug)
            .bind(&form.declared)
            .bind(&form.current_version)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// A form version to be kept: its content as data, and the page that shows it.
#[derive(Debug)]
pub struct NewVersion<'a> {
    pub form_slug: &'a str,
    pub hash: &'a str,
    pub content: &'a str,
    pub shown: &'a str,
}

/// Keeps a version; one that is there already stays as it was.
pub async fn put_version(
    tx: &mut Conn,
    version: &NewVersion<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(PUT_VERSION)
            .bind(version.form_slug)
            .bind(version.hash)
            .bind(version.content)
            .bind(version.shown)
            .bind(now)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// The page that shows a version, as it was kept.
pub async fn find_shown(conn: &mut Conn, hash: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, driver => {
        sqlx::query_scalar(FIND_SHOWN).bind(hash).fetch_optional(driver).await?
    }))
}

pub async fn retire_form(tx: &mut Conn, slug: &str, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(RETIRE_FORM).bind(slug).bind(now).execute(driver).await?;
    });
    Ok(())
}

/// A form version as the audit reads it.
#[derive(Debug, sqlx::FromRow)]
pub struct KeptVersion {
    pub form_id: Uuid,
    pub hash: String,
    /// The page.
    pub shown: String,
    /// The same as data.
    pub content: String,
}

/// Form versions behind one of them, in their order.
pub async fn list_shown(
    conn: &mut Conn,
    after: &(Uuid, String),
    limit: i64,
) -> Result<Vec<KeptVersion>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_SHOWN)
        .bind(after.0)
        .bind(&after.1)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}
