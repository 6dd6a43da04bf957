//! Whom a confirmation mail goes to and what it says: no more than that, since it is read for every mail that leaves.

use super::requests::Key;
use super::set::Rows;
use super::{Conn, StoreError};
use crate::domain::brand::Slug;
use crate::domain::ids::{BrandId, ContactId, FormId, RequestId};
use crate::domain::time::Timestamp;

/// What a mail needs of its request and its contact.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub request_id: RequestId,
    pub form_id: FormId,
    pub form_version: String,
    pub purposes: String,
    pub language: String,
    pub page_host: Option<String>,
    pub key_id: i64,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was entered, by a booth's tablet.
    pub entered_at: Option<Timestamp>,
    pub address: String,
    pub name: Option<String>,
}

/// Its columns in the order of both statements, by their places for the reason that `outbox::claim_due` has.
type Columns = (
    RequestId,
    FormId,
    String,
    String,
    String,
    Option<String>,
    i64,
    Timestamp,
    Timestamp,
    Option<Timestamp>,
    String,
    Option<String>,
);

impl From<Columns> for Recipient {
    fn from(columns: Columns) -> Self {
        let (request_id, form_id, form_version, purposes, language, page_host, ..) = columns;
        let (.., key_id, issued_at, expires_at, entered_at, address, name) = columns;
        Self {
            request_id,
            form_id,
            form_version,
            purposes,
            language,
            page_host,
            key_id,
            issued_at,
            expires_at,
            entered_at,
            address,
            name,
        }
    }
}

impl Recipient {
    /// A contact to whom something is sent that nobody has to answer.
    pub fn without_request(
        mail: RequestId,
        contact: Reached,
        now: Timestamp,
        until: Timestamp,
    ) -> Self {
        Self {
            request_id: mail,
            form_id: FormId(uuid::Uuid::nil()),
            form_version: String::new(),
            purposes: String::new(),
            language: contact.language,
            page_host: None,
            key_id: 0,
            issued_at: now,
            expires_at: until,
            entered_at: None,
            address: contact.address,
            name: None,
        }
    }

    pub fn purposes(&self) -> Vec<Slug> {
        self.purposes
            .split(' ')
            .filter_map(|name| Slug::try_from(name.to_owned()).ok())
            .collect()
    }
}

/// A contact whose mailbox the brand may write to.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Reached {
    pub contact_id: ContactId,
    pub address: String,
    pub language: String,
}

const LIST_CONTACTS: &str = "select c.id as contact_id, c.address, c.language \
     from r cross join contact c where c.brand_id = r.brand_id and c.id = r.id \
     and not exists (select 1 from mailbox m indexed by suppressed_mailbox \
     where m.brand_id = c.brand_id and m.hash = c.mailbox and m.suppressed_at is not null)";
/// Two texts for the reason that `LIST_POSTGRES` gives.
pub const LIST_CONTACTS_POSTGRES: &str = "select c.id as contact_id, c.address, c.language from r \
     cross join lateral (select * from contact t where t.brand_id = r.brand_id and t.id = r.id offset 0) c \
     left join lateral (select t.suppressed_at from mailbox t \
     where t.brand_id = c.brand_id and t.hash = c.mailbox and t.suppressed_at is not null offset 0) m on true \
     where m.suppressed_at is null";

/// Requests that are still open, of mailboxes that the brand may write to.
const LIST: &str = "select q.id as request_id, q.form_id, q.form_version, q.purposes, q.language, q.page_host, q.key_id, \
     q.issued_at, q.expires_at, q.entered_at, c.address, c.name \
     from r cross join request q cross join contact c \
     where q.brand_id = r.brand_id and q.id = r.id and c.brand_id = q.brand_id and c.id = q.contact_id \
     and q.state = 'open' and not exists (select 1 from mailbox m indexed by suppressed_mailbox \
     where m.brand_id = c.brand_id and m.hash = c.mailbox and m.suppressed_at is not null)";
/// Two texts: PostgreSQL counted tables some time ago. Where it counted hardly any open request it reads all that are open by
/// their index, for each batch: a thirtieth of the mails a second with 40,000 of them. Here it has one way only.
pub const LIST_POSTGRES: &str = "select q.id as request_id, q.form_id, q.form_version, q.purposes, q.language, q.page_host, \
     q.key_id, q.issued_at, q.expires_at, q.entered_at, c.address, c.name from r \
     cross join lateral (select * from request t where t.brand_id = r.brand_id and t.id = r.id offset 0) q \
     cross join lateral (select * from contact t where t.brand_id = q.brand_id and t.id = q.contact_id offset 0) c \
     left join lateral (select t.suppressed_at from mailbox t \
     where t.brand_id = c.brand_id and t.hash = c.mailbox and t.suppressed_at is not null offset 0) m on true \
     where q.state = 'open' and m.suppressed_at is null";

/// The recipients of the mails of these requests, without those to whom nothing may be sent any more.
pub async fn list(conn: &mut Conn, keys: &[Key]) -> Result<Vec<Recipient>, StoreError> {
    let rows = Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0);
    let found: Vec<Columns> = conn.read_set(conn.text(LIST, LIST_POSTGRES), rows).await?;
    Ok(found.into_iter().map(Recipient::from).collect())
}

/// Those of these contacts that may be written to.
pub async fn list_contacts(
    conn: &mut Conn,
    keys: &[(BrandId, ContactId)],
) -> Result<Vec<Reached>, StoreError> {
    let rows = Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0);
    conn.read_set(conn.text(LIST_CONTACTS, LIST_CONTACTS_POSTGRES), rows)
        .await
}
