//! The events: appended, read in their order, never changed. An erasure empties them.

use std::borrow::Borrow;

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, Engine, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// An event as it is kept.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub kind: &'static str,
    pub at: Timestamp,
    /// Canonical JSON (RFC 8785).
    pub body: String,
    pub salt: [u8; 32],
    /// What `body` names by its SHA-256: removed after a term of its own.
    pub circumstances: Option<String>,
    /// The mail that it tells of, packed by `mails`.
    pub mail: Option<Vec<u8>>,
}

/// An event that was read; its content is gone after an erasure.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredEvent {
    pub position: i64,
    pub body: Option<String>,
    pub circumstances: Option<String>,
}

/// An event with all that its row holds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WholeEvent {
    pub position: i64,
    pub body: Option<String>,
    pub salt: Option<Vec<u8>>,
    pub circumstances: Option<String>,
    /// Packed by `mails`.
    pub mail: Option<Vec<u8>>,
}

/// What an entry of the log is made of.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Entry {
    pub position: i64,
    pub body: Option<String>,
    pub salt: Option<Vec<u8>>,
}

const APPEND: &str = "insert into event (brand_id, contact_id, kind, at, body, salt, circumstances, mail) \
     select brand_id, contact_id, kind, at, body, salt, circumstances, mail from r where brand_id is not null";
const LIST_THERE: &str = "select e.salt from r join event e on e.brand_id = r.brand_id and e.contact_id = r.contact_id \
     where e.salt = r.salt";
/// Two texts: what an event of an erased contact told would be back, so the contact must still be there when this commits.
/// SQLite has one writer; on PostgreSQL the contact's row is held, and an erasure under way is waited for.
const APPEND_TO_KNOWN: &str = "insert into event (brand_id, contact_id, kind, at, body, salt, circumstances, mail) \
     select brand_id, contact_id, kind, at, body, salt, circumstances, mail from r where brand_id is not null \
     and exists (select 1 from contact c where c.brand_id = r.brand_id and c.id = r.contact_id)";
const APPEND_TO_KNOWN_POSTGRES: &str = "insert into event (brand_id, contact_id, kind, at, body, salt, circumstances, mail) \
     select r.brand_id, r.contact_id, r.kind, r.at, r.body, r.salt, r.circumstances, r.mail from r \
     cross join lateral (select 1 from contact t where t.brand_id = r.brand_id and t.id = r.contact_id for key share) c";
pub const LIST: &str = "select position, body, circumstances from event \
     where brand_id = $1 and contact_id = $2 and position > $3 order by position limit $4";
const LIST_LAST: &str = "select position, body, circumstances from (select position, body, circumstances from event \
     where brand_id = $1 and contact_id = $2 order by position desc limit $3) as last order by position";
pub const LIST_BEFORE: &str = "select position, body, circumstances from event \
     where brand_id = $1 and contact_id = $2 and position < $3 order by position desc limit $4";
/// What others told of a contact or for it, which they may tell again.
const LIST_TOLD: &str = "select position, body, circumstances from event \
     where brand_id = $1 and contact_id = $2 and position > $3 and kind in ('bounced', 'complained', 'withdrawn') \
     order by position limit $4";
/// Mails that came back, and what starts their count anew: that the mailbox's owner did something. Links are opened by programs too.
const LIST_RETURNED: &str = "select position, body, circumstances from event \
     where brand_id = $1 and contact_id = $2 and position < $3 \
     and kind in ('bounced', 'confirmed', 'purpose_changed', 'paused', 'language_changed', 'suppression_lifted') \
     order by position desc limit $4";
const LAST_OF_CONTACT: &str =
    "select coalesce(max(position), 0) from event where brand_id = $1 and contact_id = $2";
const EMPTY: &str = "update event set body = null, salt = null, circumstances = null, mail = null \
     where brand_id = $1 and contact_id = $2";
const LIST_MAILS: &str = "select position, mail from event \
     where brand_id = $1 and contact_id = $2 and mail is not null order by position limit $3";

const LIST_WHOLE: &str = "select position, body, salt, circumstances, mail from event \
     where brand_id = $1 and contact_id = $2 and position > $3 order by position limit $4";
/// One batch of confirmations has one time; a contact has few requests that are open at once.
const LIST_CONFIRMED_AT: &str = "select position, body, salt from event \
     where brand_id = $1 and contact_id = $2 and kind = 'confirmed' and at = $3 order by position limit 20";

/// A batch of signups has one time; few of it are for one contact.
const LIST_SIGNED_UP_AT: &str = "select position, body, circumstances from event \
     where brand_id = $1 and contact_id = $2 and kind = 'signed_up' and at = $3 order by position limit 20";

const LIST_AUDITED: &str = "select position, brand_id, contact_id, kind, at, body, salt, circumstances, mail from event \
     where position > $1 and position <= $2 order by position limit $3";
const LIST_BODIES: &str = "select event.brand_id, event.contact_id, event.body from r \
     join event on event.brand_id = r.brand_id and event.contact_id = r.contact_id order by event.position";
/// The events that tell from where an address came, and which of them were taken back.
const LIST_SOURCES: &str = "select event.contact_id, event.body from r \
     join event on event.brand_id = r.brand_id and event.contact_id = r.contact_id \
     and event.kind in ('signed_up', 'imported', 'proof_added', 'import_withdrawn', 'address_changed', 'confirmed', 'purpose_changed') order by event.position";
const LIST_IMPORTED: &str = "select position, body from event where brand_id = $1 and kind = 'imported' \
     and position > $2 and position <= $3 order by position limit $4";
const LIST_IMPORTED_DOWN: &str = "select position, body from event where brand_id = $1 and kind = 'imported' \
     and position > $2 and position <= $3 order by position desc limit $4";
const LIST_INVITED: &str = "select position, contact_id from event where brand_id = $1 and kind = 'invited' \
     and position > $2 and position <= $3 order by position limit $4";
const LAST_OF_KIND: &str = "select position, body from event where brand_id = $1 and contact_id = $2 and kind = $3 \
     order by position desc limit 1";
const LIST_OF_KIND_SINCE: &str = "select body from event where brand_id = $1 and contact_id = $2 and kind = $3 \
     and at > $4 order by position desc limit $5";
const LIST_ERASED_BEHIND: &str = "select body from event where position > $1 and brand_id = $2 and kind = 'erased' \
     and at = $3 order by position limit 10";
const LIST_LEFT_BEHIND: &str = "select position, body from event where position > $1 \
     and kind in ('left_told', 'left_forgotten') order by position limit $2";
const LEFT_WHOLE: &str = "select event.brand_id, event.contact_id, min(event.position) from r \
     join event on event.brand_id = r.brand_id and event.contact_id = r.contact_id and event.position < r.position \
     where event.body is not null group by event.brand_id, event.contact_id";
const COUNT_EMPTIED: &str = "select event.brand_id, event.contact_id, count(*) as count, max(event.position) as last from r \
     join event on event.brand_id = r.brand_id and event.contact_id = r.contact_id \
     where event.body is null group by event.brand_id, event.contact_id";
const END_OF_PAGE: &str = "select max(position) from (select position from event where position > $1 \
     order by position limit $2) as page";
/// The kinds that an erased contact keeps are left out, what operators did, and what lists told of people whom nobody knows.
const WITHOUT_CONTACT: &str = "select position, contact_id from event where position > $1 and position <= $2 \
     and body is not null and kind not in ('erased', 'seal_opened', 'seal_deleted', 'operator_acted', 'left_told', 'left_forgotten') \
     and not exists (select 1 from contact where contact.brand_id = event.brand_id and contact.id = event.contact_id) \
     order by position";

const LIST_TIMES: &str =
    "select position, at from event where position > $1 order by position limit $2";
const REMOVE_CIRCUMSTANCES: &str = "update event set circumstances = null \
     where position > $1 and position <= $2 and circumstances is not null and not exists \
     (select 1 from legal_hold h where h.brand_id = event.brand_id and h.contact_id = event.contact_id)";
const REMOVE_CIRCUMSTANCES_OF: &str = "update event set circumstances = null \
     where brand_id = $1 and contact_id = $2 and position <= $3 and circumstances is not null";

/// Mails of one contact that are read together.
const MAILS_AT_MOST: i64 = 5_000;

/// Appends what was decided with the contact's lock held.
pub fn append<Event: Borrow<NewEvent>>(writes: &mut Writes, events: &[Event]) {
    append_by(APPEND, writes, events);
}

/// Appends what needs no lock; an event of a contact that was erased meanwhile is left out.
pub fn append_to_known<Event: Borrow<NewEvent>>(
    writes: &mut Writes,
    engine: Engine,
    events: &[Event],
) {
    append_by(
        engine.text(APPEND_TO_KNOWN, APPEND_TO_KNOWN_POSTGRES),
        writes,
        events,
    );
}

/// The salts of those of some events that are there: of two tries to write one, which it was that did.
pub async fn list_there(conn: &mut Conn, events: &[&NewEvent]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut there = Vec::new();
    for part in events.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |event| event.brand_id.0)
            .uuid("contact_id", |event| event.contact_id.0)
            .blob("salt", |event| event.salt.to_vec());
        let found: Vec<(Vec<u8>,)> = conn.read_set(LIST_THERE, rows).await?;
        there.extend(found.into_iter().map(|one| one.0));
    }
    Ok(there)
}

fn append_by<Event: Borrow<NewEvent>>(sql: &'static str, writes: &mut Writes, events: &[Event]) {
    for part in events.chunks(ROWS_AT_MOST) {
        let part: Vec<&NewEvent> = part.iter().map(Borrow::borrow).collect();
        let rows = Rows::of(&part)
            .uuid("brand_id", |event| event.brand_id.0)
            .uuid("contact_id", |event| event.contact_id.0)
            .text("kind", |event| event.kind.to_owned())
            .int("at", |event| event.at.micros())
            .text("body", |event| event.body.clone())
            .blob("salt", |event| event.salt.to_vec())
            .text_or_null("circumstances", |event| event.circumstances.clone())
            .blob_or_null("mail", |event| event.mail.clone());
        writes.add(sql, rows);
    }
}

/// Events of a contact on one side of a position.
async fn page(
    conn: &mut Conn,
    sql: &'static str,
    (brand, contact): (BrandId, ContactId),
    position: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(sql)
        .bind(brand)
        .bind(contact)
        .bind(position)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Events of a contact behind a position, oldest first.
pub async fn list_after(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    page(conn, LIST, (brand, contact), after, limit).await
}

/// Events of a contact before a position, newest first.
pub async fn list_before(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    before: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    page(conn, LIST_BEFORE, (brand, contact), before, limit).await
}

/// Events of a contact behind a position by which others told of it: bounces, complaints and withdrawals, oldest first.
pub async fn list_told(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    page(conn, LIST_TOLD, (brand, contact), after, limit).await
}

/// Events of a contact before a position that count mails which came back, or start that count anew; the newest first.
pub async fn list_returned(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    before: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    page(conn, LIST_RETURNED, (brand, contact), before, limit).await
}

/// The newest events of a contact, so many at most, oldest first.
pub async fn list_last(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_LAST)
        .bind(brand)
        .bind(contact)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// An event with every column there is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuditedEvent {
    pub position: i64,
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub kind: String,
    pub at: Timestamp,
    pub body: Option<String>,
    pub salt: Option<Vec<u8>>,
    pub circumstances: Option<String>,
    pub mail: Option<Vec<u8>>,
}

impl AuditedEvent {
    /// Whether nothing is left of its content.
    pub const fn is_emptied(&self) -> bool {
        self.body.is_none()
            && self.salt.is_none()
            && self.circumstances.is_none()
            && self.mail.is_none()
    }
}

/// Events of all contacts behind one position up to another, in their order.
pub async fn list_audited(
    conn: &mut Conn,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<AuditedEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_AUDITED)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The bodies of all events of these contacts, in their order, each handed over as it is read: contacts may have more events than
/// are to be in memory.
pub async fn each_body(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
    mut each: impl FnMut((BrandId, ContactId), Option<String>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |one| one.0.0)
        .uuid("contact_id", |one| one.1.0);
    let each =
        |(brand, contact, body): (BrandId, ContactId, Option<String>)| each((brand, contact), body);
    conn.read_set_each(LIST_BODIES, rows, each).await
}

/// The bodies of the events that tell from where these contacts' addresses came, and of their agreeing here, in their order, each handed over as it is read.
pub async fn each_source(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
    mut each: impl FnMut(ContactId, Option<String>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |one| one.0.0)
        .uuid("contact_id", |one| one.1.0);
    let each = |(contact, body): (ContactId, Option<String>)| each(contact, body);
    conn.read_set_each(LIST_SOURCES, rows, each).await
}

/// A brand's imported rows behind one position up to another, of all its imports.
pub async fn list_imported(
    conn: &mut Conn,
    brand: BrandId,
    between: (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, Option<String>)>, StoreError> {
    list_imported_in(conn, brand, (between, false), limit).await
}

/// The same, the newest first if `down`.
pub async fn list_imported_in(
    conn: &mut Conn,
    brand: BrandId,
    ((after, up_to), down): ((i64, i64), bool),
    limit: i64,
) -> Result<Vec<(i64, Option<String>)>, StoreError> {
    let sql = if down {
        LIST_IMPORTED_DOWN
    } else {
        LIST_IMPORTED
    };
    Ok(on!(conn, driver => sqlx::query_as(sql)
        .bind(brand)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Whom campaigns of a brand asked, behind one position up to another.
pub async fn list_invited(
    conn: &mut Conn,
    brand: BrandId,
    (after, up_to): (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, ContactId)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_INVITED)
        .bind(brand)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// A contact's last event whose column says this kind: its position and its body.
pub async fn last_of_kind(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    kind: &str,
) -> Result<Option<(i64, Option<String>)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LAST_OF_KIND)
        .bind(brand)
        .bind(contact)
        .bind(kind)
        .fetch_optional(driver)
        .await?))
}

/// The bodies of a contact's events of a kind after an instant, newest first.
pub async fn list_of_kind_since(
    conn: &mut Conn,
    (brand, contact): (BrandId, ContactId),
    kind: &str,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Option<String>>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_scalar(LIST_OF_KIND_SINCE)
        .bind(brand)
        .bind(contact)
        .bind(kind)
        .bind(since)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The erasures of a brand at a time, behind a position.
pub async fn list_erased_behind(
    conn: &mut Conn,
    position: i64,
    brand: BrandId,
    at: Timestamp,
) -> Result<Vec<Option<String>>, StoreError> {
    let found: Vec<(Option<String>,)> = on!(conn, driver => sqlx::query_as(LIST_ERASED_BEHIND)
        .bind(position)
        .bind(brand)
        .bind(at)
        .fetch_all(driver)
        .await?);
    Ok(found.into_iter().map(|row| row.0).collect())
}

/// What lists told of people who left, and that it was forgotten, behind a position.
pub async fn list_left_behind(
    conn: &mut Conn,
    position: i64,
    limit: i64,
) -> Result<Vec<(i64, Option<String>)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_LEFT_BEHIND)
        .bind(position)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Of those contacts that have an event with a body before a position, the first such event's position.
pub async fn left_whole(
    conn: &mut Conn,
    before: &[(BrandId, ContactId, i64)],
) -> Result<Vec<(BrandId, ContactId, i64)>, StoreError> {
    let mut found = Vec::new();
    for part in before.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |one| one.0.0)
            .uuid("contact_id", |one| one.1.0)
            .int("position", |one| one.2);
        found.append(&mut conn.read_set(LEFT_WHOLE, rows).await?);
    }
    Ok(found)
}

/// Emptied events of one contact.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct EmptiedOf {
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub count: i64,
    /// The position of the last.
    pub last: i64,
}

/// Counts the emptied events of contacts; those that have none are left out.
pub async fn count_emptied(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
) -> Result<Vec<EmptiedOf>, StoreError> {
    let mut found = Vec::new();
    for part in contacts.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |one| one.0.0)
            .uuid("contact_id", |one| one.1.0);
        found.append(&mut conn.read_set(COUNT_EMPTIED, rows).await?);
    }
    Ok(found)
}

/// The position at which a page of so many events behind another ends; none where there is no event behind it.
pub async fn end_of_page(
    conn: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Option<i64>, StoreError> {
    let (position,): (Option<i64>,) = on!(conn, driver => sqlx::query_as(END_OF_PAGE)
        .bind(after)
        .bind(limit)
        .fetch_one(driver)
        .await?);
    Ok(position)
}

/// Events behind one position up to another that were not emptied, and whose contact is not there all the same.
pub async fn list_without_contact(
    conn: &mut Conn,
    after: i64,
    up_to: i64,
) -> Result<Vec<(i64, ContactId)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(WITHOUT_CONTACT)
        .bind(after)
        .bind(up_to)
        .fetch_all(driver)
        .await?))
}

/// The packed mails of a contact with the positions of the events that tell of them, oldest first; the first 5,000.
pub async fn list_mails(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_MAILS)
        .bind(brand)
        .bind(contact)
        .bind(MAILS_AT_MOST)
        .fetch_all(driver)
        .await?))
}

/// Events of a contact behind a position (0 for all) with all that they hold, oldest first.
pub async fn list_whole(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    after: i64,
    limit: i64,
) -> Result<Vec<WholeEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_WHOLE)
        .bind(brand)
        .bind(contact)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The confirmations of a contact at a time. Only their bodies and salts are read.
pub async fn list_confirmed_at(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    at: Timestamp,
) -> Result<Vec<Entry>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_CONFIRMED_AT)
        .bind(brand)
        .bind(contact)
        .bind(at)
        .fetch_all(driver)
        .await?))
}

/// The signups of a contact at a time.
pub async fn list_signed_up_at(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    at: Timestamp,
) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_SIGNED_UP_AT)
        .bind(brand)
        .bind(contact)
        .bind(at)
        .fetch_all(driver)
        .await?))
}

/// The position of the newest event of a contact; 0 where there is none.
pub async fn last_of(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<i64, StoreError> {
    let (position,): (i64,) = on!(conn, driver => sqlx::query_as(LAST_OF_CONTACT)
        .bind(brand)
        .bind(contact)
        .fetch_one(driver)
        .await?);
    Ok(position)
}

/// Empties all events of a contact; answers with their number. Only what the log holds may be emptied: an entry is made of
/// body and salt.
pub async fn empty(tx: &mut Conn, brand: BrandId, contact: ContactId) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(EMPTY)
        .bind(brand)
        .bind(contact)
        .execute(driver)
        .await?
        .rows_affected()))
}

/// Positions and times of events behind a position, in their order.
pub async fn list_times(
    conn: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Timestamp)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_TIMES)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Removes the circumstances of events behind one position up to another; answers with how many had any.
pub async fn remove_circumstances(
    tx: &mut Conn,
    after: i64,
    up_to: i64,
) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(REMOVE_CIRCUMSTANCES)
        .bind(after)
        .bind(up_to)
        .execute(driver)
        .await?
        .rows_affected()))
}

/// The same of one contact, up to a position: it was held.
pub async fn remove_circumstances_of(
    tx: &mut Conn,
    (brand, contact): (BrandId, ContactId),
    up_to: i64,
) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(REMOVE_CIRCUMSTANCES_OF)
        .bind(brand)
        .bind(contact)
        .bind(up_to)
        .execute(driver)
        .await?
        .rows_affected()))
}
