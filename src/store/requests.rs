//! Confirmation requests: what one link and one code stand for.

use super::set::Rows;
use super::{Conn, StoreError, on};
use crate::domain::brand::Slug;
use crate::domain::ids::{BrandId, ContactId, FormId, RequestId};
use crate::domain::standing::{RequestState, RequestView};
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RequestRow {
    pub brand_id: BrandId,
    pub id: RequestId,
    pub contact_id: ContactId,
    pub form_id: FormId,
    pub form_version: String,
    /// The purposes' names, separated by spaces.
    pub purposes: String,
    pub language: String,
    /// The host of the page that the form stood on, for the mail ("asked from").
    pub page_host: Option<String>,
    pub key_id: i64,
    pub state: String,
    pub mailed: i64,
    pub last_mail_at: Timestamp,
    /// The open request whose mail this one points to, when this one caused none.
    pub follows_id: Option<RequestId>,
    pub code_tries: i64,
    pub openings: i64,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl RequestRow {
    pub fn purposes(&self) -> Vec<Slug> {
        self.purposes
            .split(' ')
            .filter_map(|name| Slug::try_from(name.to_owned()).ok())
            .collect()
    }

    pub fn state(&self) -> Result<RequestState, StoreError> {
        RequestState::parse(&self.state).ok_or(StoreError::Corrupt("request state"))
    }

    pub fn view(&self) -> Result<RequestView, StoreError> {
        Ok(RequestView {
            state: self.state()?,
            expires_at: self.expires_at,
            code_tries: self.code_tries,
            mailed: self.mailed != 0,
        })
    }
}

const INSERT: &str = "insert into request (brand_id, id, contact_id, form_id, form_version, purposes, language, \
     page_host, key_id, state, mailed, last_mail_at, follows_id, code_tries, openings, issued_at, expires_at) \
     select brand_id, id, contact_id, form_id, form_version, purposes, language, page_host, key_id, 'open', \
     mailed, issued_at, follows_id, 0, 0, issued_at, expires_at from r where brand_id is not null";
const FIND: &str = "select q.brand_id, q.id, q.contact_id, q.form_id, q.form_version, q.purposes, q.language, \
     q.page_host, q.key_id, q.state, q.mailed, q.last_mail_at, q.follows_id, q.code_tries, q.openings, \
     q.issued_at, q.expires_at, q.ended_at \
     from r cross join request q where q.brand_id = r.brand_id and q.id = r.id";
const UPDATE: &str = "update request set state = r.state, ended_at = r.ended_at, mailed = r.mailed, \
     last_mail_at = r.last_mail_at, code_tries = r.code_tries, openings = r.openings \
     from r where request.brand_id = r.brand_id and request.id = r.id";
/// PostgreSQL locks the rows that a batch decides about, in one order for all, so that two processes never both confirm.
/// SQLite has one writer and no such clause, hence the second text.
const LOCK_POSTGRES: &str = "select 1::bigint from request q, r where q.brand_id = r.brand_id and q.id = r.id \
     order by q.brand_id, q.id for update of q";
const FIND_ONE: &str = "select brand_id, id, contact_id, form_id, form_version, purposes, language, page_host, \
     key_id, state, mailed, last_mail_at, follows_id, code_tries, openings, issued_at, expires_at, ended_at \
     from request where brand_id = $1 and id = $2";

type Key = (BrandId, RequestId);

fn by_key(keys: &[Key]) -> Rows<'_, Key> {
    Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0)
}

pub async fn insert(tx: &mut Conn, requests: &[RequestRow]) -> Result<(), StoreError> {
    let rows = Rows::of(requests)
        .uuid("brand_id", |q| q.brand_id.0)
        .uuid("id", |q| q.id.0)
        .uuid("contact_id", |q| q.contact_id.0)
        .uuid("form_id", |q| q.form_id.0)
        .text("form_version", |q| q.form_version.clone())
        .text("purposes", |q| q.purposes.clone())
        .text("language", |q| q.language.clone())
        .text_or_null("page_host", |q| q.page_host.clone())
        .int("key_id", |q| q.key_id)
        .int("mailed", |q| q.mailed)
        .uuid_or_null("follows_id", |q| q.follows_id.map(|id| id.0))
        .int("issued_at", |q| q.issued_at.micros())
        .int("expires_at", |q| q.expires_at.micros());
    tx.write_set(INSERT, rows).await?;
    Ok(())
}

pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    id: RequestId,
) -> Result<Option<RequestRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_ONE)
        .bind(brand)
        .bind(id)
        .fetch_optional(driver)
        .await?))
}

/// Reads the requests of a batch and, on PostgreSQL, keeps other processes from deciding about them meanwhile.
pub async fn find_to_decide(tx: &mut Conn, keys: &[Key]) -> Result<Vec<RequestRow>, StoreError> {
    if tx.engine() == super::Engine::Postgres {
        let _: Vec<(i64,)> = tx.read_set(LOCK_POSTGRES, by_key(keys)).await?;
    }
    tx.read_set(FIND, by_key(keys)).await
}

/// The requests of a batch, to read only.
pub async fn list(conn: &mut Conn, keys: &[Key]) -> Result<Vec<RequestRow>, StoreError> {
    conn.read_set(FIND, by_key(keys)).await
}

/// Writes what may change of a request: state, end, mails, tries, openings.
pub async fn update(tx: &mut Conn, requests: &[RequestRow]) -> Result<(), StoreError> {
    let rows = Rows::of(requests)
        .uuid("brand_id", |q| q.brand_id.0)
        .uuid("id", |q| q.id.0)
        .text("state", |q| q.state.clone())
        .int_or_null("ended_at", |q| q.ended_at.map(Timestamp::micros))
        .int("mailed", |q| q.mailed)
        .int("last_mail_at", |q| q.last_mail_at.micros())
        .int("code_tries", |q| q.code_tries)
        .int("openings", |q| q.openings);
    tx.write_set(UPDATE, rows).await?;
    Ok(())
}
