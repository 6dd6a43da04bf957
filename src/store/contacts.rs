//! Contacts and their standings.

use std::collections::HashMap;

use super::set::Rows;
use super::{Conn, StoreError, on};
use crate::domain::brand::Slug;
use crate::domain::event::Grade;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::policy::Rule;
use crate::domain::standing::{Standing, Standings, State};
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ContactRow {
    pub brand_id: BrandId,
    pub id: ContactId,
    pub address: String,
    pub address_key: String,
    /// The keyed hash of the canonical mailbox, for budgets and suppression.
    pub mailbox: Vec<u8>,
    pub language: String,
    pub name: Option<String>,
    pub open_request_id: Option<RequestId>,
    pub created_at: Timestamp,
}

#[derive(Debug, sqlx::FromRow)]
struct StandingRow {
    contact_id: ContactId,
    purpose: String,
    state: String,
    grade: Option<String>,
    rule: String,
    since: Timestamp,
    until: Option<Timestamp>,
}

impl StandingRow {
    fn read(self) -> Result<(ContactId, Slug, Standing), StoreError> {
        let corrupt = StoreError::Corrupt("standing");
        Ok((
            self.contact_id,
            Slug::try_from(self.purpose).map_err(|_| corrupt.clone())?,
            Standing {
                state: State::parse(&self.state).ok_or_else(|| corrupt.clone())?,
                grade: self.grade.as_deref().and_then(Grade::parse),
                rule: Rule::from_id(&self.rule).ok_or(corrupt)?,
                since: self.since,
                until: self.until,
            },
        ))
    }
}

const FIND_BY_KEY: &str = "select c.brand_id, c.id, c.address, c.address_key, c.mailbox, c.language, c.name, \
     c.open_request_id, c.created_at \
     from r cross join contact c where c.brand_id = r.brand_id and c.address_key = r.address_key";
/// PostgreSQL takes the contacts' rows one process at a time, in one order for all: whoever decides about a contact holds
/// its row, so that a signup never overwrites what a confirmation just raised. SQLite has one writer.
const LOCK_BY_KEY_POSTGRES: &str = "select 1::bigint from r cross join contact c \
     where c.brand_id = r.brand_id and c.address_key = r.address_key order by c.brand_id, c.id for update of c";
const LOCK_BY_ID_POSTGRES: &str = "select 1::bigint from r cross join contact c \
     where c.brand_id = r.brand_id and c.id = r.id order by c.brand_id, c.id for update of c";
const FIND_BY_ID: &str = "select c.brand_id, c.id, c.address, c.address_key, c.mailbox, c.language, c.name, \
     c.open_request_id, c.created_at \
     from r cross join contact c where c.brand_id = r.brand_id and c.id = r.id";
const LIST_STANDINGS: &str = "select s.contact_id, s.purpose, s.state, s.grade, s.rule, s.since, s.until \
     from r cross join standing s where s.brand_id = r.brand_id and s.contact_id = r.id";
const PUT: &str = "insert into contact (brand_id, id, address, address_key, mailbox, language, name, open_request_id, created_at) \
     select brand_id, id, address, address_key, mailbox, language, name, open_request_id, created_at \
     from r where brand_id is not null \
     on conflict (brand_id, id) do update set language = excluded.language, name = excluded.name, \
     open_request_id = excluded.open_request_id";
const PUT_STANDINGS: &str = "insert into standing (brand_id, contact_id, purpose, state, grade, rule, since, until) \
     select brand_id, contact_id, purpose, state, grade, rule, since, until from r where brand_id is not null \
     on conflict (brand_id, contact_id, purpose) do update set state = excluded.state, \
     grade = excluded.grade, rule = excluded.rule, since = excluded.since, until = excluded.until";
const FIND_ONE: &str = "select brand_id, id, address, address_key, mailbox, language, name, open_request_id, created_at \
     from contact where brand_id = $1 and address_key = $2";

pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    address_key: &str,
) -> Result<Option<ContactRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_ONE)
        .bind(brand)
        .bind(address_key)
        .fetch_optional(driver)
        .await?))
}

fn by_key(keys: &[(BrandId, String)]) -> Rows<'_, (BrandId, String)> {
    Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .text("address_key", |key| key.1.clone())
}

/// The contacts of a batch by brand and comparison key; they are this transaction's to decide about.
pub async fn find_to_decide(
    tx: &mut Conn,
    keys: &[(BrandId, String)],
) -> Result<Vec<ContactRow>, StoreError> {
    if tx.engine() == super::Engine::Postgres {
        let _: Vec<(i64,)> = tx.read_set(LOCK_BY_KEY_POSTGRES, by_key(keys)).await?;
    }
    tx.read_set(FIND_BY_KEY, by_key(keys)).await
}

/// Makes these contacts this transaction's to decide about. Contacts come before their requests, everywhere.
pub async fn lock(tx: &mut Conn, ids: &[(BrandId, ContactId)]) -> Result<(), StoreError> {
    if tx.engine() == super::Engine::Postgres {
        let _: Vec<(i64,)> = tx.read_set(LOCK_BY_ID_POSTGRES, by_id(ids)).await?;
    }
    Ok(())
}

fn by_id(ids: &[(BrandId, ContactId)]) -> Rows<'_, (BrandId, ContactId)> {
    Rows::of(ids)
        .uuid("brand_id", |id| id.0.0)
        .uuid("id", |id| id.1.0)
}

pub async fn find_by_ids(
    conn: &mut Conn,
    ids: &[(BrandId, ContactId)],
) -> Result<Vec<ContactRow>, StoreError> {
    conn.read_set(FIND_BY_ID, by_id(ids)).await
}

/// The standings of a batch of contacts; a contact without any is not in the map.
pub async fn list_standings(
    conn: &mut Conn,
    ids: &[(BrandId, ContactId)],
) -> Result<HashMap<ContactId, Standings>, StoreError> {
    let rows: Vec<StandingRow> = conn.read_set(LIST_STANDINGS, by_id(ids)).await?;
    let mut found: HashMap<ContactId, Standings> = HashMap::new();
    for row in rows {
        let (contact, purpose, standing) = row.read()?;
        found.entry(contact).or_default().insert(purpose, standing);
    }
    Ok(found)
}

/// Writes new contacts, and of known ones what a signup may change.
pub async fn put(tx: &mut Conn, contacts: &[ContactRow]) -> Result<(), StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |c| c.brand_id.0)
        .uuid("id", |c| c.id.0)
        .text("address", |c| c.address.clone())
        .text("address_key", |c| c.address_key.clone())
        .blob("mailbox", |c| c.mailbox.clone())
        .text("language", |c| c.language.clone())
        .text_or_null("name", |c| c.name.clone())
        .uuid_or_null("open_request_id", |c| c.open_request_id.map(|id| id.0))
        .int("created_at", |c| c.created_at.micros());
    tx.write_set(PUT, rows).await?;
    Ok(())
}

/// One standing to write.
pub type StandingOf = (BrandId, ContactId, Slug, Standing);

pub async fn put_standings(tx: &mut Conn, standings: &[StandingOf]) -> Result<(), StoreError> {
    for part in standings.chunks(super::set::ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |s| s.0.0)
            .uuid("contact_id", |s| s.1.0)
            .text("purpose", |s| s.2.to_string())
            .text("state", |s| s.3.state.as_str().to_owned())
            .text_or_null("grade", |s| {
                s.3.grade.map(|grade| grade.as_str().to_owned())
            })
            .text("rule", |s| s.3.rule.id().to_owned())
            .int("since", |s| s.3.since.micros())
            .int_or_null("until", |s| s.3.until.map(Timestamp::micros));
        tx.write_set(PUT_STANDINGS, rows).await?;
    }
    Ok(())
}
