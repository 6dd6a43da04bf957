//! Webhooks, and what each is told.

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId, WebhookId};
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WebhookRow {
    pub id: WebhookId,
    pub brand_id: Option<BrandId>,
    pub url: String,
    /// Separated by spaces; empty: all.
    pub types: String,
    pub about: String,
    /// `active` or `paused`.
    pub state: String,
    pub why: Option<String>,
    /// Everything up to here is delivered or stands among the messages.
    pub position: i64,
    pub key_id: i64,
    pub generation: i64,
    pub old_key_id: Option<i64>,
    pub old_generation: Option<i64>,
    pub old_until: Option<Timestamp>,
    /// Tries that failed since the last that did not.
    pub failures: i64,
    pub failing_since: Option<Timestamp>,
    pub next_try_at: Timestamp,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MessageRow {
    pub webhook_id: WebhookId,
    pub position: i64,
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    #[sqlx(rename = "type")]
    pub kind: String,
    /// `waiting`, `delivered`, `failed` (given up), or `dropped` (its event was erased).
    pub state: String,
    pub due_at: Timestamp,
    pub tries: i64,
    pub first_try_at: Option<Timestamp>,
    pub last_try_at: Option<Timestamp>,
    pub status: Option<i64>,
    pub reply: Option<String>,
}

const INSERT: &str = "insert into webhook (id, brand_id, url, types, about, state, position, key_id, generation, failures, \
     next_try_at, created_at) values ($1, $2, $3, $4, $5, 'active', $6, $7, $8, 0, 0, $9)";
const FIND: &str = "select * from webhook where id = $1";
const LIST: &str = "select * from webhook order by id limit 1000";
const LIST_ACTIVE: &str = "select * from webhook where state = 'active' order by id limit 1000";
const COUNT: &str = "select count(*) from webhook";
const SET_STATE: &str = "update webhook set state = $2, why = $3, failures = 0, failing_since = null, next_try_at = 0 \
     where id = $1";
const ROTATE: &str = "update webhook set old_key_id = key_id, old_generation = generation, old_until = $4, key_id = $2, \
     generation = $3 where id = $1 and generation = $3 - 1";
const DELETE_MESSAGES: &str = "delete from webhook_message where webhook_id = $1";
const DELETE: &str = "delete from webhook where id = $1";
/// Of two processes that read the same position, one gets on.
const ADVANCE: &str =
    "update webhook set position = $3 where id = $1 and position = $2 and state = 'active'";
const ADD_MESSAGES: &str = "insert into webhook_message (webhook_id, position, brand_id, contact_id, type, state, due_at, tries) \
     select webhook_id, position, brand_id, contact_id, type, 'waiting', due_at, 0 from r where webhook_id is not null \
     on conflict (webhook_id, position) do nothing returning position";
const COUNT_WAITING: &str = "select count(*) from (select 1 from webhook_message \
     where webhook_id = $1 and state = 'waiting' limit $2) as waiting";
/// One that waits for its next try holds back the later ones of its contact.
const LIST_DUE: &str = "select m.* from webhook_message m where m.webhook_id = $1 and m.state = 'waiting' and m.due_at <= $2 \
     and not exists (select 1 from webhook_message e where e.webhook_id = m.webhook_id and e.contact_id = m.contact_id \
     and e.state = 'waiting' and e.position < m.position and e.due_at > $2) order by m.position limit $3";
/// Whatever its time: what waits for a receiver in trouble does not wait for its own sake. The one that was not tried for longest.
const LIST_PROBE: &str = "select m.* from webhook_message m where m.webhook_id = $1 and m.state = 'waiting' \
     and not exists (select 1 from webhook_message e where e.webhook_id = m.webhook_id and e.contact_id = m.contact_id \
     and e.state = 'waiting' and e.position < m.position) order by m.last_try_at nulls first, m.position limit 1";
pub const LIST_MESSAGES: &str = "select * from webhook_message where webhook_id = $1 and position < $2 order by position desc limit $3";
pub const LIST_MESSAGES_UP: &str = "select * from webhook_message where webhook_id = $1 and position > $2 order by position limit $3";
/// `|| ''` keeps PostgreSQL from the index of messages that wait, which it takes where it once counted few of them.
pub const PUT_MESSAGES: &str = "update webhook_message set state = r.state, due_at = r.due_at, tries = r.tries, \
     first_try_at = r.first_try_at, last_try_at = r.last_try_at, status = r.status, reply = r.reply from r \
     where webhook_message.webhook_id = r.webhook_id and webhook_message.position = r.position \
     and webhook_message.state || '' = 'waiting'";
const PUT_HEALTH: &str = "update webhook set state = r.state, why = r.why, failures = r.failures, \
     failing_since = r.failing_since, next_try_at = r.next_try_at from r where webhook.id = r.id and webhook.state = 'active'";
const MAKE_DUE: &str = "update webhook_message set due_at = $2 where webhook_id = $1 and state = 'waiting' and due_at > $2";
/// As if none of them had been tried yet: while nobody sent them, their time ran on.
const BEGIN_ANEW: &str = "update webhook_message set due_at = $2, tries = 0, first_try_at = null \
     where webhook_id = $1 and state = 'waiting'";
const DELETE_OF: &str = "delete from webhook_message where brand_id = $1 and contact_id = $2";
const PRUNE: &str = "delete from webhook_message where webhook_id = $1 and state <> 'waiting' and (last_try_at < $2 \
     or position <= (select position from webhook_message where webhook_id = $1 and state <> 'waiting' \
     order by position desc limit 1 offset $3))";

pub async fn insert(tx: &mut Conn, row: &WebhookRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(INSERT)
            .bind(row.id)
            .bind(row.brand_id)
            .bind(&row.url)
            .bind(&row.types)
            .bind(&row.about)
            .bind(row.position)
            .bind(row.key_id)
            .bind(row.generation)
            .bind(row.created_at)
            .execute(driver)
            .await?;
    });
    Ok(())
}

pub async fn find(conn: &mut Conn, id: WebhookId) -> Result<Option<WebhookRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND).bind(id).fetch_optional(driver).await?))
}

/// All webhooks, oldest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<WebhookRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST).fetch_all(driver).await?))
}

pub async fn list_active(conn: &mut Conn) -> Result<Vec<WebhookRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_ACTIVE).fetch_all(driver).await?))
}

pub async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    let (count,): (i64,) = on!(conn, driver => sqlx::query_as(COUNT).fetch_one(driver).await?);
    Ok(count)
}

/// Pauses or resumes, with a clean slate; false if there is no such webhook.
pub async fn set_state(
    tx: &mut Conn,
    id: WebhookId,
    state: &str,
    why: Option<&str>,
) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(SET_STATE)
        .bind(id)
        .bind(state)
        .bind(why)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Goes on to the next secret; false where another did so meanwhile.
pub async fn rotate(
    tx: &mut Conn,
    id: WebhookId,
    key_id: i64,
    generation: i64,
    old_until: Timestamp,
) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(ROTATE)
        .bind(id)
        .bind(key_id)
        .bind(generation)
        .bind(old_until)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Removes a webhook and its messages; false if there is none.
pub async fn remove(tx: &mut Conn, id: WebhookId) -> Result<bool, StoreError> {
    on!(tx, driver => { sqlx::query(DELETE_MESSAGES).bind(id).execute(driver).await?; });
    let removed =
        on!(tx, driver => sqlx::query(DELETE).bind(id).execute(driver).await?.rows_affected());
    Ok(removed == 1)
}

/// Moves the position on; false where another process did so, or it was paused.
pub async fn advance(tx: &mut Conn, id: WebhookId, from: i64, to: i64) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(ADVANCE)
        .bind(id)
        .bind(from)
        .bind(to)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Writes messages that wait, in the transaction that moves the position over their events.
pub async fn add_messages(tx: &mut Conn, messages: &[MessageRow]) -> Result<(), StoreError> {
    for part in messages.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("webhook_id", |m| m.webhook_id.0)
            .int("position", |m| m.position)
            .uuid("brand_id", |m| m.brand_id.0)
            .uuid("contact_id", |m| m.contact_id.0)
            .text("type", |m| m.kind.clone())
            .int("due_at", |m| m.due_at.micros());
        let _: Vec<(i64,)> = tx.read_set(ADD_MESSAGES, rows).await?;
    }
    Ok(())
}

/// How many messages wait, counted up to a number.
pub async fn count_waiting(
    conn: &mut Conn,
    id: WebhookId,
    at_most: i64,
) -> Result<i64, StoreError> {
    let (count,): (i64,) = on!(conn, driver => sqlx::query_as(COUNT_WAITING)
        .bind(id)
        .bind(at_most)
        .fetch_one(driver)
        .await?);
    Ok(count)
}

/// Messages that may be sent now, in their order.
pub async fn list_due(
    conn: &mut Conn,
    id: WebhookId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_DUE)
        .bind(id)
        .bind(now)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// The message that a receiver in trouble is asked with; at most one.
pub async fn list_probe(conn: &mut Conn, id: WebhookId) -> Result<Vec<MessageRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_PROBE).bind(id).fetch_all(driver).await?))
}

/// Messages before a position, newest first.
pub async fn list_messages(
    conn: &mut Conn,
    id: WebhookId,
    before: i64,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_MESSAGES)
        .bind(id)
        .bind(before)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Messages of a webhook behind a position, the oldest first.
pub async fn list_messages_after(
    conn: &mut Conn,
    id: WebhookId,
    after: i64,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_MESSAGES_UP)
        .bind(id)
        .bind(after)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Writes what became of messages that waited.
pub fn put_messages(writes: &mut Writes, messages: &[MessageRow]) {
    for part in messages.chunks(ROWS_AT_MOST) {
        let micros = |at: Option<Timestamp>| at.map(Timestamp::micros);
        let rows = Rows::of(part)
            .uuid("webhook_id", |m| m.webhook_id.0)
            .int("position", |m| m.position)
            .text("state", |m| m.state.clone())
            .int("due_at", |m| m.due_at.micros())
            .int("tries", |m| m.tries)
            .int_or_null("first_try_at", |m| micros(m.first_try_at))
            .int_or_null("last_try_at", |m| micros(m.last_try_at))
            .int_or_null("status", |m| m.status)
            .text_or_null("reply", |m| m.reply.clone());
        writes.add(PUT_MESSAGES, rows);
    }
}

/// Writes how a receiver does.
pub fn put_health(writes: &mut Writes, row: &WebhookRow) {
    let rows = Rows::of(std::slice::from_ref(row))
        .uuid("id", |w| w.id.0)
        .text("state", |w| w.state.clone())
        .text_or_null("why", |w| w.why.clone())
        .int("failures", |w| w.failures)
        .int_or_null("failing_since", |w| w.failing_since.map(Timestamp::micros))
        .int("next_try_at", |w| w.next_try_at.micros());
    writes.add(PUT_HEALTH, rows);
}

/// What waits may be tried now, with all of its time ahead of it.
pub async fn begin_anew(tx: &mut Conn, id: WebhookId, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(BEGIN_ANEW).bind(id).bind(now).execute(driver).await?; });
    Ok(())
}

/// What waits for a later try may be tried now.
pub async fn make_due(tx: &mut Conn, id: WebhookId, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(MAKE_DUE).bind(id).bind(now).execute(driver).await?; });
    Ok(())
}

/// Deletes what tells of an erased contact.
pub async fn delete_of(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(DELETE_OF).bind(brand).bind(contact).execute(driver).await?;
    });
    Ok(())
}

/// Forgets what was sent before an instant, and all but so many of a webhook's newest.
pub async fn prune(
    tx: &mut Conn,
    id: WebhookId,
    before: Timestamp,
    kept: i64,
) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(PRUNE)
        .bind(id)
        .bind(before)
        .bind(kept)
        .execute(driver)
        .await?
        .rows_affected()))
}
