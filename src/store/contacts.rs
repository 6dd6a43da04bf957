//! Contacts, each with its standings: a cache of the fold of its events.

use uuid::Uuid;

use super::budgets::{MailboxHash, read_hash};
use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::standing::{Standings, State, explicit_from, lapses_at, never_confirmed};
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub brand_id: BrandId,
    pub id: ContactId,
    pub address: String,
    pub address_key: String,
    /// The keyed hash of the canonical mailbox, for budgets and suppression.
    pub mailbox: Vec<u8>,
    pub language: String,
    pub name: Option<String>,
    pub open_request_id: Option<RequestId>,
    pub standings: Standings,
    pub created_at: Timestamp,
}

impl Contact {
    /// Its mailbox, as budgets and suppressions are found by it.
    pub fn mailbox_hash(&self) -> Result<MailboxHash, StoreError> {
        read_hash(&self.mailbox)
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct ContactRow {
    brand_id: BrandId,
    id: ContactId,
    address: String,
    address_key: String,
    mailbox: Vec<u8>,
    language: String,
    name: Option<String>,
    open_request_id: Option<RequestId>,
    standings: String,
    created_at: Timestamp,
}

impl ContactRow {
    pub(super) fn read(self) -> Result<Contact, StoreError> {
        Ok(Contact {
            brand_id: self.brand_id,
            id: self.id,
            address: self.address,
            address_key: self.address_key,
            mailbox: self.mailbox,
            language: self.language,
            name: self.name,
            open_request_id: self.open_request_id,
            standings: read_standings(&self.standings)?,
            created_at: self.created_at,
        })
    }
}

/// A contact for the audit: of one whose standings cannot be read, who it is.
pub type Audited = Result<Contact, (BrandId, ContactId)>;

fn read_all(found: Vec<ContactRow>) -> Result<Vec<Contact>, StoreError> {
    found.into_iter().map(ContactRow::read).collect()
}

pub(super) fn read_standings(text: &str) -> Result<Standings, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("standings"))
}

fn written(standings: &Standings) -> String {
    serde_json::to_string(standings).unwrap_or_default()
}

fn micros_of(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::micros)
}

/// What is read of a contact.
macro_rules! columns {
    () => {
        "brand_id, id, address, address_key, mailbox, language, name, open_request_id, standings, created_at"
    };
}

const FIND_ONE: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and address_key = $2"
);
const FIND_STANDINGS: &str = "select c.address_key, c.id, c.standings from r cross join contact c \
     where c.brand_id = r.brand_id and c.address_key = r.address_key";
const LIST: &str = concat!(
    "select ",
    columns!(),
    " from contact where (brand_id, id) > ($1, $2) order by brand_id, id limit $3"
);
const FIND_BY_ID: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and id = $2"
);
/// Writing contacts, with more columns or none.
macro_rules! put {
    ($more:literal, $update:literal) => {
        concat!(
            "insert into contact (brand_id, id, address, address_key, mailbox, language, name, open_request_id, \
             standings, lapses_at, explicit_from, created_at",
            $more,
            ") select brand_id, id, address, address_key, mailbox, language, name, open_request_id, standings, lapses_at, \
             explicit_from, created_at",
            $more,
            " from r where brand_id is not null \
             on conflict (brand_id, id) do update set language = excluded.language, name = excluded.name, \
             open_request_id = excluded.open_request_id, standings = excluded.standings, lapses_at = excluded.lapses_at, \
             explicit_from = excluded.explicit_from",
            $update
        )
    };
}

const PUT: &str = put!("", "");
const PUT_BROUGHT: &str = put!(
    ", unconfirmed_since",
    ", unconfirmed_since = coalesce(excluded.unconfirmed_since, contact.unconfirmed_since)"
);
const PUT_STANDINGS: &str = "update contact set standings = r.standings, lapses_at = r.lapses_at, \
     explicit_from = r.explicit_from from r \
     where contact.brand_id = r.brand_id and contact.id = r.id";
/// The same, for those who have another name as well: of one batch none may be written twice.
const PUT_RENAMED: &str = "update contact set name = r.name, standings = r.standings, lapses_at = r.lapses_at, \
     explicit_from = r.explicit_from from r \
     where contact.brand_id = r.brand_id and contact.id = r.id";

const PUT_UNCONFIRMED: &str = "update contact set unconfirmed_since = r.since from r \
     where contact.brand_id = r.brand_id and contact.id = r.id";
/// A mark that somebody set meanwhile is another one, and stays.
const MOVE_UNCONFIRMED: &str = "update contact set unconfirmed_since = r.moved_to from r \
     where contact.brand_id = r.brand_id and contact.id = r.id and contact.unconfirmed_since = r.since";
const PUT_CLOSED: &str = "update contact set language = r.language, standings = r.standings, lapses_at = r.lapses_at, \
     explicit_from = r.explicit_from, \
     unconfirmed_since = coalesce(r.since, contact.unconfirmed_since) from r \
     where contact.brand_id = r.brand_id and contact.id = r.id";
const UNCONFIRMED_SINCE: &str =
    "select unconfirmed_since from contact where brand_id = $1 and id = $2";
const LIST_UNCONFIRMED: &str = "select brand_id, id, address, unconfirmed_since from contact \
     where unconfirmed_since is not null and unconfirmed_since <= $1 and (unconfirmed_since, id) > ($2, $3) \
     order by unconfirmed_since, id limit $4";

const LIST_LAPSING: &str = concat!(
    "select ",
    columns!(),
    " from contact where lapses_at is not null and lapses_at <= $1 order by lapses_at limit $2"
);
const LIST_LAPSING_OF: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and lapses_at is not null and lapses_at <= $2 \
     and (lapses_at > $3 or (lapses_at = $3 and id > $4)) order by lapses_at, id limit $5"
);
const COUNT_LAPSING: &str = "select brand_id, count(*) from contact where lapses_at is not null and lapses_at <= $1 \
     group by brand_id";

const COUNT_LAPSING_OF: &str = "select count(*), min(lapses_at) from contact where brand_id = $1 \
     and lapses_at is not null and lapses_at > $2 and lapses_at <= $3";

/// By the index of those who confirmed anything.
pub const LIST_EXPLICIT: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and explicit_from is not null and explicit_from <= $2 \
     and (explicit_from, id) > ($3, $4) order by explicit_from, id limit $5"
);
pub const LIST_OF_BRAND: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and id > $2 order by id limit $3"
);
/// Whether each holds consent is seen in the text of its standings, so that a million of them need not be read.
pub const LIST_CONSENTING: &str = "select id, cast(case when standings like $4 or standings like $5 then 1 else 0 end as bigint) \
     from contact where brand_id = $1 and id > $2 order by id limit $3";
pub const LIST_NEWEST: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and id < $2 order by id desc limit $3"
);
/// By the unique index of addresses.
pub const LIST_BY_ADDRESS: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and address_key > $2 order by address_key limit $3"
);
pub const LIST_BY_ADDRESS_DOWN: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and address_key < $2 order by address_key desc limit $3"
);
/// By the primary key alone.
pub const LIST_BY_ID_RANGE: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and id >= $2 and id <= $3 and id > $4 order by id limit $5"
);
pub const LIST_BY_PREFIX: &str = concat!(
    "select ",
    columns!(),
    " from contact where brand_id = $1 and address_key >= $2 and address_key < $3 and address_key > $4 \
     order by address_key limit $5"
);
const FIND_ALL: &str = "select c.brand_id, c.id, c.address, c.address_key, c.mailbox, c.language, c.name, c.open_request_id, \
     c.standings, c.created_at from r join contact c on c.brand_id = r.brand_id and c.id = r.id";

const FIND_DATES: &str = "select c.brand_id, c.id, c.lapses_at, c.explicit_from \
     from r join contact c on c.brand_id = r.brand_id and c.id = r.id";

const DELETE: &str = "delete from contact where brand_id = $1 and id = $2";

/// Deletes an erased contact.
pub async fn delete(tx: &mut Conn, brand: BrandId, id: ContactId) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(DELETE).bind(brand).bind(id).execute(driver).await?; });
    Ok(())
}

pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    address_key: &str,
) -> Result<Option<Contact>, StoreError> {
    let found: Option<ContactRow> = on!(conn, driver => sqlx::query_as(FIND_ONE)
        .bind(brand)
        .bind(address_key)
        .fetch_optional(driver)
        .await?);
    found.map(ContactRow::read).transpose()
}

/// Where those of a brand's addresses stand that it knows: their keys and contacts.
pub async fn find_standings(
    conn: &mut Conn,
    brand: BrandId,
    address_keys: &[&str],
) -> Result<Vec<(String, ContactId, Standings)>, StoreError> {
    let rows = Rows::of(address_keys)
        .uuid("brand_id", |_| brand.0)
        .text("address_key", |key| (*key).to_owned());
    let found: Vec<(String, ContactId, String)> = conn.read_set(FIND_STANDINGS, rows).await?;
    found
        .into_iter()
        .map(|(key, id, standings)| Ok((key, id, read_standings(&standings)?)))
        .collect()
}

pub async fn find_by_id(
    conn: &mut Conn,
    brand: BrandId,
    id: ContactId,
) -> Result<Option<Contact>, StoreError> {
    let found: Option<ContactRow> = on!(conn, driver => sqlx::query_as(FIND_BY_ID)
        .bind(brand)
        .bind(id)
        .fetch_optional(driver)
        .await?);
    found.map(ContactRow::read).transpose()
}

/// Contacts of a brand behind one, in the order of their ids: each with whether it holds consent for a purpose.
pub async fn list_consenting(
    conn: &mut Conn,
    brand: BrandId,
    purpose: &str,
    after: ContactId,
    limit: i64,
) -> Result<Vec<(ContactId, bool)>, StoreError> {
    // As `written` writes a standing: its state comes first.
    let stands = |state: State| format!("%\"{purpose}\":{{\"state\":\"{}\"%", state.as_str());
    let found: Vec<(ContactId, i64)> = on!(conn, driver => sqlx::query_as(LIST_CONSENTING)
        .bind(brand)
        .bind(after)
        .bind(limit)
        .bind(stands(State::Explicit))
        .bind(stands(State::Implicit))
        .fetch_all(driver)
        .await?);
    Ok(found.into_iter().map(|(id, is)| (id, is == 1)).collect())
}

/// Contacts of a brand behind one, in the order of their ids.
pub async fn list_of_brand(
    conn: &mut Conn,
    brand: BrandId,
    after: ContactId,
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST_OF_BRAND)
        .bind(brand)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// Contacts of a brand some of whose explicit consent was last confirmed by an instant, the oldest first, behind a contact and
/// its oldest confirmation.
pub async fn list_explicit(
    conn: &mut Conn,
    brand: BrandId,
    by: Timestamp,
    after: (Timestamp, ContactId),
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST_EXPLICIT)
        .bind(brand)
        .bind(by)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// Contacts of a brand before one, the newest first.
pub async fn list_newest(
    conn: &mut Conn,
    brand: BrandId,
    before: ContactId,
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST_NEWEST)
        .bind(brand)
        .bind(before)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// Behind every address: addresses are compared byte by byte.
const BEHIND_ALL: &str = "\u{10FFFF}";

/// Contacts of a brand in the order of their addresses, behind one of them.
pub async fn list_by_address(
    conn: &mut Conn,
    brand: BrandId,
    (after, down): (Option<&str>, bool),
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let (sql, begin) = if down {
        (LIST_BY_ADDRESS_DOWN, BEHIND_ALL)
    } else {
        (LIST_BY_ADDRESS, "")
    };
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(sql)
        .bind(brand)
        .bind(after.unwrap_or(begin))
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// Contacts of a brand whose address begins so, behind an address, in the order of their addresses.
pub async fn list_by_prefix(
    conn: &mut Conn,
    brand: BrandId,
    prefix: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST_BY_PREFIX)
        .bind(brand)
        .bind(prefix)
        // Behind every text that begins so: the last character that there is.
        .bind(format!("{prefix}\u{10ffff}"))
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// Contacts of a brand whose ids lie between two, behind one, in the order of their ids.
pub async fn list_by_id_range(
    conn: &mut Conn,
    brand: BrandId,
    (first, last): (ContactId, ContactId),
    after: ContactId,
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST_BY_ID_RANGE)
        .bind(brand)
        .bind(first)
        .bind(last)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// Those of these contacts that are there.
pub async fn find_all(
    conn: &mut Conn,
    ids: &[(BrandId, ContactId)],
) -> Result<Vec<Contact>, StoreError> {
    let rows = Rows::of(ids)
        .uuid("brand_id", |one| one.0.0)
        .uuid("id", |one| one.1.0);
    let found: Vec<ContactRow> = conn.read_set(FIND_ALL, rows).await?;
    read_all(found)
}

/// By what a contact is found when its consent ends, or is to be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Dates {
    pub brand_id: BrandId,
    pub id: ContactId,
    pub lapses_at: Option<Timestamp>,
    pub explicit_from: Option<Timestamp>,
}

impl Dates {
    /// Whether these are the dates of what the contact has.
    pub fn are_of(&self, standings: &Standings) -> bool {
        (self.lapses_at, self.explicit_from) == (lapses_at(standings), explicit_from(standings))
    }
}

/// The dates by which contacts are found.
pub async fn find_dates(
    conn: &mut Conn,
    ids: &[(BrandId, ContactId)],
) -> Result<Vec<Dates>, StoreError> {
    let rows = Rows::of(ids)
        .uuid("brand_id", |one| one.0.0)
        .uuid("id", |one| one.1.0);
    conn.read_set(FIND_DATES, rows).await
}

/// Contacts some of whose implicit consent ends by an instant, whatever the brand; those that end first.
pub async fn list_lapsing(
    conn: &mut Conn,
    by: Timestamp,
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST_LAPSING)
        .bind(by)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// The same of one brand, behind a contact and the end of its consent.
pub async fn list_lapsing_of(
    conn: &mut Conn,
    brand: BrandId,
    by: Timestamp,
    after: (Timestamp, ContactId),
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST_LAPSING_OF)
        .bind(brand)
        .bind(by)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    read_all(found)
}

/// How many contacts of each brand lose some implicit consent by an instant.
pub async fn count_lapsing(
    conn: &mut Conn,
    by: Timestamp,
) -> Result<Vec<(BrandId, i64)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(COUNT_LAPSING)
        .bind(by)
        .fetch_all(driver)
        .await?))
}

/// How many contacts of a brand lose some implicit consent behind one instant and up to another, and when the first of them does.
pub async fn count_lapsing_of(
    conn: &mut Conn,
    brand: BrandId,
    after: Timestamp,
    by: Timestamp,
) -> Result<(i64, Option<Timestamp>), StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(COUNT_LAPSING_OF)
        .bind(brand)
        .bind(after)
        .bind(by)
        .fetch_one(driver)
        .await?))
}

/// Contacts of all brands behind one, in the order of their keys.
pub async fn list(
    conn: &mut Conn,
    after: (Uuid, Uuid),
    limit: i64,
) -> Result<Vec<Audited>, StoreError> {
    let found: Vec<ContactRow> = on!(conn, driver => sqlx::query_as(LIST)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(driver)
        .await?);
    let read = |row: ContactRow| {
        let id = (row.brand_id, row.id);
        row.read().map_err(|_| id)
    };
    Ok(found.into_iter().map(read).collect())
}

/// Writes new contacts, and of known ones what a signup may change.
pub fn put(writes: &mut Writes, contacts: &[Contact]) {
    for part in contacts.chunks(ROWS_AT_MOST) {
        writes.add(PUT, whole(part));
    }
}

/// The same of those whom a list brings: of who never confirmed it is counted from here on how long nobody has asked them.
pub fn put_brought(writes: &mut Writes, contacts: &[Contact], now: Timestamp) {
    let since = |contact: &Contact| never_confirmed(&contact.standings).then(|| now.micros());
    for part in contacts.chunks(ROWS_AT_MOST) {
        let rows = whole(part).int_or_null("unconfirmed_since", since);
        writes.add(PUT_BROUGHT, rows);
    }
}

fn whole(part: &[Contact]) -> Rows<'_, Contact> {
    Rows::of(part)
        .uuid("brand_id", |c| c.brand_id.0)
        .uuid("id", |c| c.id.0)
        .text("address", |c| c.address.clone())
        .text("address_key", |c| c.address_key.clone())
        .blob("mailbox", |c| c.mailbox.clone())
        .text("language", |c| c.language.clone())
        .text_or_null("name", |c| c.name.clone())
        .uuid_or_null("open_request_id", |c| c.open_request_id.map(|id| id.0))
        .text("standings", |c| written(&c.standings))
        .int_or_null("lapses_at", |c| micros_of(lapses_at(&c.standings)))
        .int_or_null("explicit_from", |c| micros_of(explicit_from(&c.standings)))
        .int("created_at", |c| c.created_at.micros())
}

/// Writes where known contacts stand.
pub fn put_standings(writes: &mut Writes, contacts: &[(BrandId, ContactId, &Standings)]) {
    for part in contacts.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |c| c.0.0)
            .uuid("id", |c| c.1.0)
            .text("standings", |c| written(c.2))
            .int_or_null("lapses_at", |c| micros_of(lapses_at(c.2)))
            .int_or_null("explicit_from", |c| micros_of(explicit_from(c.2)));
        writes.add(PUT_STANDINGS, rows);
    }
}

/// Writes where known contacts stand, and their names.
pub fn put_renamed(writes: &mut Writes, contacts: &[&Contact]) {
    for part in contacts.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |c| c.brand_id.0)
            .uuid("id", |c| c.id.0)
            .text_or_null("name", |c| c.name.clone())
            .text("standings", |c| written(&c.standings))
            .int_or_null("lapses_at", |c| micros_of(lapses_at(&c.standings)))
            .int_or_null("explicit_from", |c| micros_of(explicit_from(&c.standings)));
        writes.add(PUT_RENAMED, rows);
    }
}

/// Writes since when contacts that never confirmed have nothing left to answer.
pub fn put_unconfirmed(writes: &mut Writes, contacts: &[(BrandId, ContactId)], since: Timestamp) {
    for part in contacts.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |c| c.0.0)
            .uuid("id", |c| c.1.0)
            .int("since", |_| since.micros());
        writes.add(PUT_UNCONFIRMED, rows);
    }
}

/// Moves the mark of a contact, or takes it off one that is not like that, if it is still the one that was seen.
pub fn move_unconfirmed(writes: &mut Writes, seen: &Unconfirmed, to: Option<Timestamp>) {
    let one = [seen];
    let rows = Rows::of(&one)
        .uuid("brand_id", |c| c.brand_id.0)
        .uuid("id", |c| c.id.0)
        .int("since", |c| c.unconfirmed_since.micros())
        .int_or_null("moved_to", |_| micros_of(to));
    writes.add(MOVE_UNCONFIRMED, rows);
}

/// The mark of a contact that never confirmed; none where it has none.
pub async fn unconfirmed_since(
    conn: &mut Conn,
    brand: BrandId,
    id: ContactId,
) -> Result<Option<Timestamp>, StoreError> {
    let found: Option<(Option<Timestamp>,)> = on!(conn, driver => sqlx::query_as(UNCONFIRMED_SINCE)
        .bind(brand)
        .bind(id)
        .fetch_optional(driver)
        .await?);
    Ok(found.and_then(|one| one.0))
}

/// A contact that never confirmed, and since when it has nothing to answer.
#[derive(Debug, sqlx::FromRow)]
pub struct Unconfirmed {
    pub brand_id: BrandId,
    pub id: ContactId,
    pub address: String,
    pub unconfirmed_since: Timestamp,
}

/// Contacts of all brands that never confirmed and have had nothing to answer since an instant or longer, the longest first;
/// behind one of them.
pub async fn list_unconfirmed(
    conn: &mut Conn,
    by: Timestamp,
    after: Option<&Unconfirmed>,
    limit: i64,
) -> Result<Vec<Unconfirmed>, StoreError> {
    let (since, id) = after.map_or((Timestamp::from_micros(0), ContactId(Uuid::nil())), |one| {
        (one.unconfirmed_since, one.id)
    });
    Ok(on!(conn, driver => sqlx::query_as(LIST_UNCONFIRMED)
        .bind(by)
        .bind(since)
        .bind(id)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Writes where a known contact stands and the language it wants; and, if it never confirmed, since when it has nothing to
/// answer.
pub fn put_closed(writes: &mut Writes, contact: &Contact, unconfirmed_since: Option<Timestamp>) {
    let one = [contact];
    let rows = Rows::of(&one)
        .uuid("brand_id", |c| c.brand_id.0)
        .uuid("id", |c| c.id.0)
        .text("language", |c| c.language.clone())
        .text("standings", |c| written(&c.standings))
        .int_or_null("lapses_at", |c| micros_of(lapses_at(&c.standings)))
        .int_or_null("explicit_from", |c| micros_of(explicit_from(&c.standings)))
        .int_or_null("since", |_| micros_of(unconfirmed_since));
    writes.add(PUT_CLOSED, rows);
}
