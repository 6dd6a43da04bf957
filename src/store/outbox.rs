//! The outbox: everything that leaves the server waits here, is leased, tried, and tried again.

use super::set::Rows;
use super::{Conn, Engine, StoreError, on};
use crate::domain::ids::{BrandId, ContactId, OutboxId, RequestId};
use crate::domain::time::Timestamp;

/// A mail to be sent.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OutboxRow {
    pub id: OutboxId,
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub request_id: RequestId,
    pub template: String,
    pub recipient_domain: String,
    pub due_at: Timestamp,
    pub tries: i64,
    pub first_try_at: Option<Timestamp>,
    /// Given at the first try and kept for all: a receiver that got the mail twice can tell.
    pub message_id: Option<String>,
    pub ambiguous: i64,
}

/// A mail that the server took.
#[derive(Clone, Debug)]
pub struct SentMail {
    pub brand_id: BrandId,
    pub id: OutboxId,
    pub contact_id: ContactId,
    pub request_id: RequestId,
    pub message_id: String,
    pub accepted_at: Timestamp,
    pub reply: String,
    /// The message's bytes, compressed with zstd.
    pub bytes: Vec<u8>,
}

/// What becomes of a mail that the server did not take.
#[derive(Clone, Debug)]
pub struct Retry {
    pub id: OutboxId,
    pub failed: bool,
    pub due_at: Timestamp,
    pub tries: i64,
    pub first_try_at: Timestamp,
    pub message_id: String,
    pub last_reply: String,
    pub ambiguous: bool,
}

/// A mail that failed for good, for the operator.
#[derive(Debug, sqlx::FromRow)]
pub struct FailedRow {
    pub id: OutboxId,
    pub recipient_domain: String,
    pub tries: i64,
    pub last_reply: Option<String>,
}

const INSERT: &str = "insert into outbox (id, brand_id, contact_id, request_id, template, recipient_domain, state, \
     due_at, tries, ambiguous) \
     select id, brand_id, contact_id, request_id, template, recipient_domain, 'due', due_at, 0, 0 \
     from r where id is not null";
/// Two texts: on PostgreSQL several workers claim side by side and must not wait for each other's rows (`skip locked`,
/// seven times as fast there); SQLite has one writer and does not know the words.
const CLAIM_SQLITE: &str = "update outbox set ambiguous = case when leased_until is null then ambiguous else 1 end, \
     leased_until = $2 where id in ( \
     select id from outbox where state = 'due' and due_at <= $1 and (leased_until is null or leased_until <= $1) \
     order by due_at limit $3) \
     returning id, brand_id, contact_id, request_id, template, recipient_domain, due_at, tries, first_try_at, \
     message_id, ambiguous";
/// The array keeps the planner, whose statistics of a queue are always stale, from joining the table with itself.
const CLAIM_POSTGRES: &str = "update outbox set ambiguous = case when leased_until is null then ambiguous else 1 end, \
     leased_until = $2 where id = any(array( \
     select id from outbox where state = 'due' and due_at <= $1 and (leased_until is null or leased_until <= $1) \
     order by due_at limit $3 for update skip locked)) \
     returning id, brand_id, contact_id, request_id, template, recipient_domain, due_at, tries, first_try_at, \
     message_id, ambiguous";
const REMOVE: &str = "delete from outbox where id in (select id from r where id is not null)";
/// The second text for the reason that `CLAIM_POSTGRES` has one.
const REMOVE_POSTGRES: &str =
    "delete from outbox where id = any(array(select id from r where id is not null))";
const REMOVE_OF_REQUESTS: &str =
    "delete from outbox where request_id = $1 and state = 'due' and tries = 0";
const RETRY: &str = "update outbox set state = r.state, due_at = r.due_at, leased_until = null, tries = r.tries, \
     first_try_at = r.first_try_at, message_id = r.message_id, last_reply = r.last_reply, ambiguous = r.ambiguous \
     from r where outbox.id = r.id";
const RELEASE: &str =
    "update outbox set leased_until = null, due_at = r.due_at from r where outbox.id = r.id";
const RELEASE_ALL: &str = "update outbox set leased_until = null, ambiguous = 1 where state = 'due' and leased_until is not null";
const RENEW: &str = "update outbox set leased_until = r.until from r where outbox.id = r.id and outbox.leased_until is not null";
const KEEP: &str = "insert into sent_mail (brand_id, id, contact_id, request_id, message_id, accepted_at, reply, bytes) \
     select brand_id, id, contact_id, request_id, message_id, accepted_at, reply, bytes from r where brand_id is not null \
     on conflict (brand_id, id) do nothing";
const COUNT: &str = "select state, count(*) as mails from outbox group by state";
const NEXT_DUE: &str = "select min(case when leased_until is null or leased_until < due_at then due_at else leased_until end) \
     from outbox where state = 'due'";
const LIST_FAILED: &str = "select id, recipient_domain, tries, last_reply from outbox where state = 'failed' \
     order by id desc limit $1";
const FIND_SENT: &str = "select bytes from sent_mail where brand_id = $1 and id = $2";

pub async fn insert(tx: &mut Conn, mails: &[OutboxRow]) -> Result<(), StoreError> {
    let rows = Rows::of(mails)
        .uuid("id", |m| m.id.0)
        .uuid("brand_id", |m| m.brand_id.0)
        .uuid("contact_id", |m| m.contact_id.0)
        .uuid("request_id", |m| m.request_id.0)
        .text("template", |m| m.template.clone())
        .text("recipient_domain", |m| m.recipient_domain.clone())
        .int("due_at", |m| m.due_at.micros());
    tx.write_set(INSERT, rows).await?;
    Ok(())
}

/// Leases due mails until an instant; another worker leaves them alone until then. A lease that ran out without a result
/// means that a process died between the claim and the result: that try may have reached the server, so the mail is
/// marked ambiguous. Its next try carries the same Message-ID.
pub async fn claim_due(
    tx: &mut Conn,
    now: Timestamp,
    leased_until: Timestamp,
    limit: i64,
) -> Result<Vec<OutboxRow>, StoreError> {
    let sql = match tx.engine() {
        Engine::Sqlite => CLAIM_SQLITE,
        Engine::Postgres => CLAIM_POSTGRES,
    };
    Ok(on!(tx, driver => sqlx::query_as(sql)
        .bind(now)
        .bind(leased_until)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Keeps the mails that the server took and ends their wait.
pub async fn accepted(tx: &mut Conn, mails: &[SentMail]) -> Result<(), StoreError> {
    let rows = Rows::of(mails)
        .uuid("brand_id", |m| m.brand_id.0)
        .uuid("id", |m| m.id.0)
        .uuid("contact_id", |m| m.contact_id.0)
        .uuid("request_id", |m| m.request_id.0)
        .text("message_id", |m| m.message_id.clone())
        .int("accepted_at", |m| m.accepted_at.micros())
        .text("reply", |m| m.reply.clone())
        .blob("bytes", |m| m.bytes.clone());
    tx.write_set(KEEP, rows).await?;
    let ids: Vec<OutboxId> = mails.iter().map(|m| m.id).collect();
    remove(tx, &ids).await
}

/// Takes mails out of the outbox that need not be sent any more.
pub async fn remove(tx: &mut Conn, ids: &[OutboxId]) -> Result<(), StoreError> {
    let sql = tx.text(REMOVE, REMOVE_POSTGRES);
    tx.write_set(sql, Rows::of(ids).uuid("id", |id| id.0))
        .await?;
    Ok(())
}

/// Takes out what is still untried of a request that the person gave up.
pub async fn remove_untried(tx: &mut Conn, request: RequestId) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(REMOVE_OF_REQUESTS)
        .bind(request)
        .execute(driver)
        .await?
        .rows_affected()))
}

/// Puts mails back for a later try, or parks them as failed.
pub async fn retry(tx: &mut Conn, mails: &[Retry]) -> Result<(), StoreError> {
    let rows = Rows::of(mails)
        .uuid("id", |m| m.id.0)
        .text("state", |m| {
            if m.failed { "failed" } else { "due" }.to_owned()
        })
        .int("due_at", |m| m.due_at.micros())
        .int("tries", |m| m.tries)
        .int("first_try_at", |m| m.first_try_at.micros())
        .text("message_id", |m| m.message_id.clone())
        .text("last_reply", |m| m.last_reply.clone())
        .int("ambiguous", |m| i64::from(m.ambiguous));
    tx.write_set(RETRY, rows).await?;
    Ok(())
}

/// Gives leased mails back untried, due at another time.
pub async fn release(tx: &mut Conn, mails: &[(OutboxId, Timestamp)]) -> Result<(), StoreError> {
    let rows = Rows::of(mails)
        .uuid("id", |m| m.0.0)
        .int("due_at", |m| m.1.micros());
    tx.write_set(RELEASE, rows).await?;
    Ok(())
}

/// Ends the leases that an earlier run left. Each of those tries may have reached the server.
pub async fn release_all(tx: &mut Conn) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(RELEASE_ALL).execute(driver).await?.rows_affected()))
}

/// Keeps the leases of mails that are still under way.
pub async fn renew(tx: &mut Conn, ids: &[OutboxId], until: Timestamp) -> Result<(), StoreError> {
    let rows = Rows::of(ids)
        .uuid("id", |id| id.0)
        .int("until", |_| until.micros());
    tx.write_set(RENEW, rows).await?;
    Ok(())
}

/// How many mails wait and how many failed.
pub async fn count(conn: &mut Conn) -> Result<(i64, i64), StoreError> {
    let rows: Vec<(String, i64)> =
        on!(conn, driver => sqlx::query_as(COUNT).fetch_all(driver).await?);
    let of = |state: &str| {
        rows.iter()
            .find(|row| row.0 == state)
            .map_or(0, |row| row.1)
    };
    Ok((of("due"), of("failed")))
}

/// When the next mail can be claimed.
pub async fn next_due(conn: &mut Conn) -> Result<Option<Timestamp>, StoreError> {
    let (next,): (Option<Timestamp>,) =
        on!(conn, driver => sqlx::query_as(NEXT_DUE).fetch_one(driver).await?);
    Ok(next)
}

pub async fn list_failed(conn: &mut Conn, limit: i64) -> Result<Vec<FailedRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_FAILED).bind(limit).fetch_all(driver).await?))
}

/// The compressed bytes of a mail as it was sent.
pub async fn find_sent(
    conn: &mut Conn,
    brand: BrandId,
    id: OutboxId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found: Option<(Vec<u8>,)> = on!(conn, driver => sqlx::query_as(FIND_SENT)
        .bind(brand)
        .bind(id)
        .fetch_optional(driver)
        .await?);
    Ok(found.map(|row| row.0))
}
