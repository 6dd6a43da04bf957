//! Confirmation requests: what one link and one code stand for.

use super::budgets::{MailboxHash, read_hash};
use super::contacts::{Contact, read_standings};
use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::brand::Slug;
use crate::domain::ids::{BrandId, CampaignId, ContactId, FormId, RequestId};
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
    /// Wrong codes on its own page.
    pub code_tries: i64,
    /// Wrong codes on pages of other requests, where its own would have been right.
    pub other_tries: i64,
    pub openings: i64,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// The campaign that made it; none where somebody signed up.
    pub campaign_id: Option<CampaignId>,
    /// When it was entered, by the clock of a booth's tablet, where it waited there: a claim.
    pub entered_at: Option<Timestamp>,
    /// When an open one is looked at next: for its reminder, or because its time is over.
    pub look_at: Timestamp,
    /// How many corrections of the address led to it.
    pub corrections: i64,
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
     page_host, key_id, state, mailed, last_mail_at, follows_id, code_tries, openings, issued_at, expires_at, ended_at, campaign_id, entered_at, look_at, \
     corrections) \
     select brand_id, id, contact_id, form_id, form_version, purposes, language, page_host, key_id, state, \
     mailed, issued_at, follows_id, 0, 0, issued_at, expires_at, ended_at, campaign_id, entered_at, look_at, \
     corrections from r where brand_id is not null";
const FIND: &str = "select q.brand_id, q.id, q.contact_id, q.form_id, q.form_version, q.purposes, q.language, \
     q.page_host, q.key_id, q.state, q.mailed, q.last_mail_at, q.follows_id, q.code_tries, q.other_tries, q.openings, \
     q.issued_at, q.expires_at, q.ended_at, q.campaign_id, q.entered_at, q.look_at, q.corrections \
     from r cross join request q where q.brand_id = r.brand_id and q.id = r.id";
const UPDATE: &str = "update request set state = r.state, ended_at = r.ended_at, mailed = r.mailed, \
     last_mail_at = r.last_mail_at, code_tries = r.code_tries, other_tries = r.other_tries, look_at = r.look_at, expires_at = r.expires_at \
     from r where request.brand_id = r.brand_id and request.id = r.id";
/// `|| ''` keeps PostgreSQL from the index of open requests, which it takes where it once counted few of them.
pub const END_UNSENT: &str = "update request set state = 'replaced', ended_at = r.ended_at from r \
     where request.brand_id = r.brand_id and request.id = r.id and request.state || '' = 'open'";
const COUNT_OPENINGS: &str = "update request set openings = openings + r.more \
     from r where request.brand_id = r.brand_id and request.id = r.id";
const LIST_OWNERS: &str = "select q.brand_id, q.id, c.address_key, c.mailbox \
     from r cross join request q cross join contact c \
     where q.brand_id = r.brand_id and q.id = r.id and c.brand_id = q.brand_id and c.id = q.contact_id";
const LIST_WITH_CONTACTS: &str = "select q.brand_id, q.id, q.contact_id, q.form_id, q.form_version, q.purposes, q.language, \
     q.page_host, q.key_id, q.state, q.mailed, q.last_mail_at, q.follows_id, q.code_tries, q.other_tries, q.openings, \
     q.issued_at, q.expires_at, q.ended_at, q.campaign_id, q.entered_at, q.look_at, q.corrections, \
     c.address, c.address_key, c.mailbox, c.language as contact_language, c.name, c.open_request_id, c.standings, \
     c.created_at as contact_created_at \
     from r cross join request q cross join contact c \
     where q.brand_id = r.brand_id and q.id = r.id and c.brand_id = q.brand_id and c.id = q.contact_id";
const LIST_DUE: &str = "select brand_id, id from request where state = 'open' and look_at <= $1 \
     order by look_at limit $2";
/// One at most: a request is corrected once.
const CORRECT: &str = "update request set state = r.state, ended_at = r.ended_at, corrected_to = r.corrected_to \
     from r where request.brand_id = r.brand_id and request.id = r.id";
const FIND_CORRECTED: &str = "select corrected_to from request where brand_id = $1 and id = $2";
const DELETE: &str = "delete from request where (brand_id, id) in \
     (select brand_id, id from r where brand_id is not null) returning 1";
const FIND_ONE: &str = "select brand_id, id, contact_id, form_id, form_version, purposes, language, page_host, \
     key_id, state, mailed, last_mail_at, follows_id, code_tries, other_tries, openings, issued_at, expires_at, ended_at, \
     campaign_id, entered_at, look_at, corrections from request where brand_id = $1 and id = $2";

/// A request's brand and id.
pub type Key = (BrandId, RequestId);

fn by_key(keys: &[Key]) -> Rows<'_, Key> {
    Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0)
}

/// Whom a request is for: what never changes about it, and what is locked to decide about it.
#[derive(Debug, sqlx::FromRow)]
pub struct Owner {
    pub brand_id: BrandId,
    pub id: RequestId,
    pub address_key: String,
    pub mailbox: Vec<u8>,
}

impl Owner {
    /// The contact's mailbox, as budgets and suppressions are found by it.
    pub fn mailbox_hash(&self) -> Result<MailboxHash, StoreError> {
        read_hash(&self.mailbox)
    }
}

/// A request with the contact that it is for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub request: RequestRow,
    pub contact: Contact,
}

#[derive(sqlx::FromRow)]
struct AskedRow {
    #[sqlx(flatten)]
    request: RequestRow,
    address: String,
    address_key: String,
    mailbox: Vec<u8>,
    contact_language: String,
    name: Option<String>,
    open_request_id: Option<RequestId>,
    standings: String,
    contact_created_at: Timestamp,
}

impl AskedRow {
    fn read(self) -> Result<Asked, StoreError> {
        Ok(Asked {
            contact: Contact {
                brand_id: self.request.brand_id,
                id: self.request.contact_id,
                address: self.address,
                address_key: self.address_key,
                mailbox: self.mailbox,
                language: self.contact_language,
                name: self.name,
                open_request_id: self.open_request_id,
                standings: read_standings(&self.standings)?,
                created_at: self.contact_created_at,
            },
            request: self.request,
        })
    }
}

pub fn insert(writes: &mut Writes, requests: &[RequestRow]) {
    for part in requests.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |q| q.brand_id.0)
            .uuid("id", |q| q.id.0)
            .uuid("contact_id", |q| q.contact_id.0)
            .uuid("form_id", |q| q.form_id.0)
            .text("form_version", |q| q.form_version.clone())
            .text("purposes", |q| q.purposes.clone())
            .text("language", |q| q.language.clone())
            .text_or_null("page_host", |q| q.page_host.clone())
            .int("key_id", |q| q.key_id)
            .text("state", |q| q.state.clone())
            .int("mailed", |q| q.mailed)
            .uuid_or_null("follows_id", |q| q.follows_id.map(|id| id.0))
            .int("issued_at", |q| q.issued_at.micros())
            .int("expires_at", |q| q.expires_at.micros())
            .int_or_null("ended_at", |q| q.ended_at.map(Timestamp::micros))
            .uuid_or_null("campaign_id", |q| q.campaign_id.map(|id| id.0))
            .int_or_null("entered_at", |q| q.entered_at.map(Timestamp::micros))
            .int("look_at", |q| q.look_at.micros())
            .int("corrections", |q| q.corrections);
        writes.add(INSERT, rows);
    }
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

/// Whom the requests of a batch are for.
pub async fn list_owners(conn: &mut Conn, keys: &[Key]) -> Result<Vec<Owner>, StoreError> {
    conn.read_set(LIST_OWNERS, by_key(keys)).await
}

/// The requests of a batch with their contacts. Who decides about them holds the contacts' locks.
pub async fn list_with_contacts(conn: &mut Conn, keys: &[Key]) -> Result<Vec<Asked>, StoreError> {
    let found: Vec<AskedRow> = conn.read_set(LIST_WITH_CONTACTS, by_key(keys)).await?;
    found.into_iter().map(AskedRow::read).collect()
}

/// The requests of a batch.
pub async fn list(conn: &mut Conn, keys: &[Key]) -> Result<Vec<RequestRow>, StoreError> {
    conn.read_set(FIND, by_key(keys)).await
}

/// Writes what a decision may change of a request: state, end, mails, tries, and its time where it is opened anew.
pub fn update(writes: &mut Writes, requests: &[RequestRow]) {
    for part in requests.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |q| q.brand_id.0)
            .uuid("id", |q| q.id.0)
            .text("state", |q| q.state.clone())
            .int_or_null("ended_at", |q| q.ended_at.map(Timestamp::micros))
            .int("mailed", |q| q.mailed)
            .int("last_mail_at", |q| q.last_mail_at.micros())
            .int("code_tries", |q| q.code_tries)
            .int("other_tries", |q| q.other_tries)
            .int("look_at", |q| q.look_at.micros())
            .int("expires_at", |q| q.expires_at.micros());
        writes.add(UPDATE, rows);
    }
}

/// Ends a request because another one follows it, for the address that was meant.
pub fn correct(writes: &mut Writes, request: &RequestRow, by: RequestId) {
    let rows = Rows::of(std::slice::from_ref(request))
        .uuid("brand_id", |q| q.brand_id.0)
        .uuid("id", |q| q.id.0)
        .text("state", |q| q.state.clone())
        .int_or_null("ended_at", |q| q.ended_at.map(Timestamp::micros))
        .uuid("corrected_to", |_| by.0);
    writes.add(CORRECT, rows);
}

/// The request that follows this one, where its address was corrected.
pub async fn find_corrected(
    conn: &mut Conn,
    brand: BrandId,
    id: RequestId,
) -> Result<Option<RequestId>, StoreError> {
    let found: Option<(Option<RequestId>,)> = on!(conn, driver => sqlx::query_as(FIND_CORRECTED)
        .bind(brand)
        .bind(id)
        .fetch_optional(driver)
        .await?);
    Ok(found.and_then(|one| one.0))
}

/// Ends open requests whose mails never left: nobody holds their links, and whoever asks these contacts next need not wait.
pub fn end_unsent(writes: &mut Writes, requests: &[Key], now: Timestamp) {
    for part in requests.chunks(ROWS_AT_MOST) {
        let rows = by_key(part).int("ended_at", |_| now.micros());
        writes.add(END_UNSENT, rows);
    }
}

/// Adds to the hits that were counted on the links of requests. Needs no lock: nothing else changes with it.
pub fn count_openings(writes: &mut Writes, hits: &[(Key, i64)]) {
    for part in hits.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |hit| hit.0.0.0)
            .uuid("id", |hit| hit.0.1.0)
            .int("more", |hit| hit.1);
        writes.add(COUNT_OPENINGS, rows);
    }
}

/// Open requests of all brands whose reminder or whose end is due; those that are due first.
pub async fn list_due(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Key>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_DUE)
        .bind(now)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Deletes the requests of an erased contact; answers with their number. From then on their links lead nowhere.
pub async fn delete(tx: &mut Conn, keys: &[Key]) -> Result<usize, StoreError> {
    let mut deleted = 0;
    for part in keys.chunks(ROWS_AT_MOST) {
        let found: Vec<(i32,)> = tx.read_set(DELETE, by_key(part)).await?;
        deleted += found.len();
    }
    Ok(deleted)
}
