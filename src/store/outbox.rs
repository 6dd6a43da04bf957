//! The outbox: everything that leaves the server waits here, is leased, tried, and tried again.

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, Engine, StoreError, on};
use crate::domain::ids::{BrandId, ContactId, OutboxId, RequestId};
use crate::domain::time::Timestamp;

/// When a row is due, and its id: so the rows lie in the order in which they leave.
pub type OutboxKey = (Timestamp, OutboxId);

/// When a mail is due that failed for good.
const NEVER: i64 = i64::MAX;

/// When a mail is due that the breaker holds: not before it is given back.
const HELD: i64 = i64::MAX - 1;

/// A mail to be sent.
#[derive(Clone, Debug)]
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

/// The columns of a mail as it is claimed, in the order in which both statements return them. By their places: looking each up by its
/// name takes longer than reading it, and this is done for every mail that leaves.
type Claimed = (
    OutboxId,
    BrandId,
    ContactId,
    RequestId,
    String,
    String,
    Timestamp,
    i64,
    Option<Timestamp>,
    Option<String>,
    i64,
);

impl From<Claimed> for OutboxRow {
    fn from(claimed: Claimed) -> Self {
        let (id, brand_id, contact_id, request_id, template, recipient_domain, ..) = claimed;
        let (.., due_at, tries, first_try_at, message_id, ambiguous) = claimed;
        Self {
            id,
            brand_id,
            contact_id,
            request_id,
            template,
            recipient_domain,
            due_at,
            tries,
            first_try_at,
            message_id,
            ambiguous,
        }
    }
}

impl OutboxRow {
    pub const fn key(&self) -> OutboxKey {
        (self.due_at, self.id)
    }
}

/// What becomes of a mail that the server did not take.
#[derive(Clone, Debug)]
pub struct Retry {
    pub key: OutboxKey,
    /// None: it failed for good.
    pub next_due_at: Option<Timestamp>,
    pub tries: i64,
    pub first_try_at: Timestamp,
    pub message_id: String,
    pub last_reply: String,
    /// When this try ended; with the reply it is added to those before.
    pub tried_at: Timestamp,
    pub ambiguous: bool,
}

/// Characters of a reply that are kept of each try.
const SAID_AT_MOST: usize = 400;

/// One try of a mail, and what the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    pub said: String,
}

/// A try as a line: whatever the server said stands on that one.
fn line_of(retry: &Retry) -> String {
    let said: String = retry
        .last_reply
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(SAID_AT_MOST)
        .collect();
    format!("{} {said}\n", retry.tried_at.micros())
}

fn read_attempts(lines: Option<&str>) -> Vec<Attempt> {
    lines
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let (at, said) = line.split_once(' ')?;
            Some(Attempt {
                at: Timestamp::from_micros(at.parse().ok()?),
                said: said.to_owned(),
            })
        })
        .collect()
}

/// A mail that failed for good, for the operator.
#[derive(Debug, sqlx::FromRow)]
pub struct FailedRow {
    pub id: OutboxId,
    pub brand_id: BrandId,
    pub recipient_domain: String,
    pub tries: i64,
    pub last_reply: Option<String>,
}

/// A mail as operators see it: without its address.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ShownRow {
    pub id: OutboxId,
    pub brand_id: BrandId,
    pub contact_id: ContactId,
    pub template: String,
    pub recipient_domain: String,
    pub due_at: Timestamp,
    pub leased_until: Option<Timestamp>,
    pub tries: i64,
    pub first_try_at: Option<Timestamp>,
    pub last_reply: Option<String>,
    /// Not 0: a try may have reached the server without its reply reaching us.
    pub ambiguous: i64,
    attempts: Option<String>,
}

impl ShownRow {
    pub const fn which(&self) -> Shown {
        match self.due_at.micros() {
            NEVER => Shown::Failed,
            HELD => Shown::Held,
            _ => Shown::Waiting,
        }
    }

    /// Each try since the mail was queued, or since it was last tried again by hand, oldest first: as many as tries are allowed.
    pub fn attempts(&self) -> Vec<Attempt> {
        read_attempts(self.attempts.as_deref())
    }
}

/// Which mails are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Waiting,
    Held,
    Failed,
}

impl Shown {
    /// Between which times they are due.
    const fn between(self) -> (i64, i64) {
        match self {
            Self::Waiting => (i64::MIN, HELD - 1),
            Self::Held => (HELD, HELD),
            Self::Failed => (NEVER, NEVER),
        }
    }
}

const INSERT: &str = "insert into outbox (id, brand_id, contact_id, request_id, template, recipient_domain, state, \
     due_at, tries, ambiguous) \
     select id, brand_id, contact_id, request_id, template, recipient_domain, 'due', due_at, 0, 0 \
     from r where id is not null";
/// Two texts: on PostgreSQL several workers claim side by side and must not wait for each other's rows (`skip locked`,
/// seven times as fast there); SQLite has one writer and does not know the words. There the limit is a sum, since a bare parameter
/// makes SQLite plan the statement anew each time that it is bound.
const CLAIM_SQLITE: &str = "update outbox set ambiguous = case when leased_until is null then ambiguous else 1 end, \
     leased_until = $2 + $4 where (due_at, id) in ( \
     select due_at, id from outbox where due_at <= $1 and (leased_until is null or leased_until <= $2) \
     order by due_at, id limit $3 + 0) \
     returning id, brand_id, contact_id, request_id, template, recipient_domain, due_at, tries, first_try_at, \
     message_id, ambiguous";
/// The array keeps the planner, whose statistics of a queue are always stale, from joining the table with itself.
const CLAIM_POSTGRES: &str = "update outbox o set ambiguous = case when o.leased_until is null then o.ambiguous else 1 end, \
     leased_until = $2 + $4 where o.id = any(array(select id from outbox \
     where due_at <= $1 and (leased_until is null or leased_until <= $2) \
     order by due_at limit $3 for update skip locked)) \
     returning o.id, o.brand_id, o.contact_id, o.request_id, o.template, o.recipient_domain, o.due_at, o.tries, \
     o.first_try_at, o.message_id, o.ambiguous";
const REMOVE: &str =
    "delete from outbox where (due_at, id) in (select due_at, id from r where id is not null)";
/// Second texts: PostgreSQL's planner, whose statistics of a queue are always stale, would read all of it and look for each
/// row in the batch. The array leaves it nothing but the index.
const REMOVE_POSTGRES: &str =
    "delete from outbox where id = any(array(select id from r where id is not null))";
const REMOVE_OF_REQUEST: &str =
    "delete from outbox where request_id in (select id from r) and state = 'due' and tries = 0";
const DELETE_OF_CONTACT: &str = "delete from outbox where brand_id = $1 and contact_id = $2";
const RETRY: &str = "update outbox set state = r.state, due_at = r.next_due_at, leased_until = null, tries = r.tries, \
     first_try_at = r.first_try_at, message_id = r.message_id, last_reply = r.last_reply, ambiguous = r.ambiguous, \
     attempts = coalesce(outbox.attempts, '') || r.attempt \
     from r where outbox.due_at = r.due_at and outbox.id = r.id";
const RETRY_POSTGRES: &str = "update outbox set state = r.state, due_at = r.next_due_at, leased_until = null, tries = r.tries, \
     first_try_at = r.first_try_at, message_id = r.message_id, last_reply = r.last_reply, ambiguous = r.ambiguous, \
     attempts = coalesce(outbox.attempts, '') || r.attempt \
     from r where outbox.id = any(array(select id from r)) and outbox.id = r.id and outbox.due_at = r.due_at";
const RELEASE: &str = "update outbox set leased_until = null, due_at = r.next_due_at \
     from r where outbox.due_at = r.due_at and outbox.id = r.id";
const RELEASE_POSTGRES: &str = "update outbox set leased_until = null, due_at = r.next_due_at \
     from r where outbox.id = any(array(select id from r)) and outbox.id = r.id";
const RELEASE_ALL: &str = "update outbox set leased_until = null, ambiguous = 1 where state = 'due' and leased_until is not null";
const RENEW: &str = "update outbox set leased_until = r.until from r \
     where outbox.due_at = r.due_at and outbox.id = r.id and outbox.leased_until = r.told";
const RENEW_POSTGRES: &str = "update outbox set leased_until = r.until from r \
     where outbox.id = any(array(select id from r)) and outbox.id = r.id and outbox.leased_until = r.told";
/// On PostgreSQL alone: on SQLite there is one sender.
const LET_GO: &str = "update outbox set leased_until = null from r where outbox.id = any(array(select id from r)) \
     and outbox.id = r.id and outbox.due_at = r.due_at and outbox.leased_until = r.told";
const COUNT: &str = "select state, count(*) as mails from outbox group by state";
const IS_DUE: &str = "select due_at from outbox where due_at <= $1 and (leased_until is null or leased_until <= $2) \
     order by due_at limit 1";
const LIST_FAILED: &str = "select id, brand_id, recipient_domain, tries, last_reply from outbox \
     where due_at = 9223372036854775807 order by id desc limit $1";
/// By the time alone, which every mail is found by: the state stands in no index. PostgreSQL has one index up to the time of held
/// mails, and one from there on.
const COUNT_UP_TO: &str = "select (select count(*) from (select 1 from outbox where due_at < 9223372036854775806 limit $1) as due) \
     + (select count(*) from (select 1 from outbox where due_at = 9223372036854775806 limit $1) as held), \
     (select count(*) from (select 1 from outbox where due_at = 9223372036854775807 limit $1) as failed)";
const COUNT_BY_BRAND: &str = "select brand_id, count(*) from (select brand_id from outbox \
     where due_at >= $1 and due_at <= $2 order by due_at limit $3) as taken group by brand_id";
pub const LIST_SHOWN: &str = "select id, brand_id, contact_id, template, recipient_domain, due_at, leased_until, tries, first_try_at, \
     last_reply, ambiguous, attempts from outbox where (due_at, id) > ($1, $3) and due_at <= $2 order by due_at, id limit $4";
/// What is held, and what failed, has one time each: by the id behind it.
pub const LIST_PARKED: &str = "select id, brand_id, contact_id, template, recipient_domain, due_at, leased_until, tries, first_try_at, \
     last_reply, ambiguous, attempts from outbox where due_at = $1 and id > $2 order by id limit $3";
pub const LIST_PARKED_DOWN: &str = "select id, brand_id, contact_id, template, recipient_domain, due_at, leased_until, tries, \
     first_try_at, last_reply, ambiguous, attempts from outbox where due_at = $1 and id < $2 order by id desc limit $3";
/// On SQLite no index has the id first: one mail is looked for by people and programs seldom, and each index costs every mail.
const FIND_SHOWN: &str = "select id, brand_id, contact_id, template, recipient_domain, due_at, leased_until, tries, first_try_at, \
     last_reply, ambiguous, attempts from outbox where id = $1";
const FIND_FAILED: &str =
    "select brand_id from outbox where due_at = 9223372036854775807 and id = $1";
pub const LIST_SHOWN_DOWN: &str = "select id, brand_id, contact_id, template, recipient_domain, due_at, leased_until, tries, first_try_at, \
     last_reply, ambiguous, attempts from outbox where due_at >= $1 and due_at <= $2 and (due_at, id) < ($2, $3) \
     order by due_at desc, id desc limit $4";
const TRY_AGAIN: &str = "update outbox set state = 'due', due_at = r.now, tries = 0, first_try_at = null, attempts = null \
     from r where outbox.due_at = r.due_at and outbox.id = r.id";
const TRY_AGAIN_POSTGRES: &str = "update outbox set state = 'due', due_at = r.now, tries = 0, first_try_at = null, attempts = null \
     from r where outbox.id = any(array(select id from r)) and outbox.id = r.id and outbox.due_at = r.due_at";

const COUNT_HELD: &str =
    "select count(*) from (select 1 from outbox where due_at = $1 limit $2) as held";
const GIVE_BACK: &str = "update outbox set due_at = $1 where (due_at, id) in ( \
     select due_at, id from outbox where due_at = $2 order by id limit $3)";
/// A second text for the reason that `REMOVE_POSTGRES` gives; and several workers may give back side by side.
const GIVE_BACK_POSTGRES: &str = "update outbox set due_at = $1 where id = any(array( \
     select id from outbox where due_at = $2 order by id limit $3 for update skip locked))";

pub fn insert(writes: &mut Writes, mails: &[OutboxRow]) {
    for part in mails.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("id", |m| m.id.0)
            .uuid("brand_id", |m| m.brand_id.0)
            .uuid("contact_id", |m| m.contact_id.0)
            .uuid("request_id", |m| m.request_id.0)
            .text("template", |m| m.template.clone())
            .text("recipient_domain", |m| m.recipient_domain.clone())
            .int("due_at", |m| m.due_at.micros());
        writes.add(INSERT, rows);
    }
}

/// Leases mails that are due at an instant, for so many microseconds; another worker leaves them alone until then. Leases are
/// measured by the clock that `by_database` was read from, and every process by the same. A lease that ran out without a result
/// means that a process died between the claim and the result: that try may have reached the server, so the mail is marked
/// ambiguous. Its next try carries the same Message-ID.
pub async fn claim_due(
    tx: &mut Conn,
    (now, by_database): (Timestamp, Timestamp),
    micros: i64,
    limit: i64,
) -> Result<Vec<OutboxRow>, StoreError> {
    let sql = match tx.engine() {
        Engine::Sqlite => CLAIM_SQLITE,
        Engine::Postgres => CLAIM_POSTGRES,
    };
    let claimed: Vec<Claimed> = on!(tx, driver => sqlx::query_as(sql)
        .bind(now)
        .bind(by_database)
        .bind(limit)
        .bind(micros)
        .fetch_all(driver)
        .await?);
    Ok(claimed.into_iter().map(OutboxRow::from).collect())
}

/// Takes mails out of the outbox that were sent or need not be sent any more.
pub fn remove(writes: &mut Writes, engine: Engine, keys: &[OutboxKey]) {
    let sql = engine.text(REMOVE, REMOVE_POSTGRES);
    for part in keys.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .int("due_at", |key| key.0.micros())
            .uuid("id", |key| key.1.0);
        writes.add(sql, rows);
    }
}

/// Takes out what is still untried of a request that the person gave up.
pub fn remove_untried(writes: &mut Writes, request: RequestId) {
    let one = [request];
    writes.add(REMOVE_OF_REQUEST, Rows::of(&one).uuid("id", |id| id.0));
}

/// Deletes all mails of an erased contact, failed ones and those under way too; answers with their number.
pub async fn delete_of(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(DELETE_OF_CONTACT)
        .bind(brand)
        .bind(contact)
        .execute(driver)
        .await?
        .rows_affected()))
}

/// Puts mails back for a later try, or parks them as failed.
pub fn retry(writes: &mut Writes, engine: Engine, mails: &[Retry]) {
    for part in mails.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .int("due_at", |m| m.key.0.micros())
            .uuid("id", |m| m.key.1.0)
            .text("state", |m| {
                if m.next_due_at.is_some() {
                    "due"
                } else {
                    "failed"
                }
                .to_owned()
            })
            .int("next_due_at", |m| {
                m.next_due_at.map_or(NEVER, Timestamp::micros)
            })
            .int("tries", |m| m.tries)
            .int("first_try_at", |m| m.first_try_at.micros())
            .text("message_id", |m| m.message_id.clone())
            .text("last_reply", |m| m.last_reply.clone())
            .text("attempt", line_of)
            .int("ambiguous", |m| i64::from(m.ambiguous));
        writes.add(engine.text(RETRY, RETRY_POSTGRES), rows);
    }
}

/// Gives leased mails back untried, due at another time.
pub fn release(writes: &mut Writes, engine: Engine, mails: &[(OutboxKey, Timestamp)]) {
    for part in mails.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .int("due_at", |m| m.0.0.micros())
            .uuid("id", |m| m.0.1.0)
            .int("next_due_at", |m| m.1.micros());
        writes.add(engine.text(RELEASE, RELEASE_POSTGRES), rows);
    }
}

/// Puts leased mails by, untried, until they are given back.
pub fn put_by(writes: &mut Writes, engine: Engine, keys: &[OutboxKey]) {
    let held = Timestamp::from_micros(HELD);
    let mails: Vec<(OutboxKey, Timestamp)> = keys.iter().map(|key| (*key, held)).collect();
    release(writes, engine, &mails);
}

/// Makes the oldest of the mails that were put by due. Answers with how many.
pub async fn give_back(tx: &mut Conn, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = tx.text(GIVE_BACK, GIVE_BACK_POSTGRES);
    Ok(on!(tx, driver => sqlx::query(sql)
        .bind(now)
        .bind(HELD)
        .bind(limit)
        .execute(driver)
        .await?
        .rows_affected()))
}

/// How many mails are put by; it stops counting at `at_most`.
pub async fn count_held(conn: &mut Conn, at_most: i64) -> Result<i64, StoreError> {
    let (held,): (i64,) = on!(conn, driver => sqlx::query_as(COUNT_HELD)
        .bind(HELD)
        .bind(at_most)
        .fetch_one(driver)
        .await?);
    Ok(held)
}

/// Ends the leases that an earlier run left. Each of those tries may have reached the server.
pub async fn release_all(tx: &mut Conn) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(RELEASE_ALL).execute(driver).await?.rows_affected()))
}

/// Keeps the leases of mails that are still under way.
pub fn renew(
    writes: &mut Writes,
    engine: Engine,
    keys: &[(OutboxKey, Timestamp)],
    until: Timestamp,
) {
    for part in keys.chunks(ROWS_AT_MOST) {
        let rows = leases(part).int("until", |_| until.micros());
        writes.add(engine.text(RENEW, RENEW_POSTGRES), rows);
    }
}

/// Ends leases of mails that were not tried, if they are still the ones that their holder had.
pub fn let_go(writes: &mut Writes, keys: &[(OutboxKey, Timestamp)]) {
    for part in keys.chunks(ROWS_AT_MOST) {
        writes.add(LET_GO, leases(part));
    }
}

fn leases(part: &[(OutboxKey, Timestamp)]) -> Rows<'_, (OutboxKey, Timestamp)> {
    Rows::of(part)
        .int("due_at", |one| one.0.0.micros())
        .uuid("id", |one| one.0.1.0)
        .int("told", |one| one.1.micros())
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

/// Whether a mail can be claimed now.
pub async fn is_due(
    conn: &mut Conn,
    now: Timestamp,
    by_database: Timestamp,
) -> Result<bool, StoreError> {
    let found: Option<(i64,)> = on!(conn, driver => sqlx::query_as(IS_DUE)
        .bind(now)
        .bind(by_database)
        .fetch_optional(driver)
        .await?);
    Ok(found.is_some())
}

pub async fn list_failed(conn: &mut Conn, limit: i64) -> Result<Vec<FailedRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_FAILED).bind(limit).fetch_all(driver).await?))
}

/// How many mails wait and how many failed; a number of `limit` means so many or more.
pub async fn count_up_to(conn: &mut Conn, limit: i64) -> Result<(i64, i64), StoreError> {
    let (due, failed): (i64, i64) = on!(conn, driver => sqlx::query_as(COUNT_UP_TO)
        .bind(limit)
        .fetch_one(driver)
        .await?);
    Ok((due.min(limit), failed))
}

/// The mails of each brand, among the first of them.
pub async fn count_by_brand(
    conn: &mut Conn,
    which: Shown,
    limit: i64,
) -> Result<Vec<(BrandId, i64)>, StoreError> {
    let (first, last) = which.between();
    Ok(on!(conn, driver => sqlx::query_as(COUNT_BY_BRAND)
        .bind(first)
        .bind(last)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Mails behind a key, in the order in which they are due.
pub async fn list_shown(
    conn: &mut Conn,
    which: Shown,
    (after, down): (Option<OutboxKey>, bool),
    limit: i64,
) -> Result<Vec<ShownRow>, StoreError> {
    let (first, last) = which.between();
    let end = OutboxId(if down {
        uuid::Uuid::max()
    } else {
        uuid::Uuid::nil()
    });
    if which != Shown::Waiting {
        let after = match after {
            None => end,
            Some((at, id)) if at.micros() == first => id,
            // A key of another list: all of this one lies on one side of it.
            Some((at, _)) if (at.micros() < first) != down => end,
            Some(_) => return Ok(Vec::new()),
        };
        let sql = if down { LIST_PARKED_DOWN } else { LIST_PARKED };
        return Ok(on!(conn, driver => sqlx::query_as(sql)
            .bind(first)
            .bind(after)
            .bind(limit)
            .fetch_all(driver)
            .await?));
    }
    let (sql, from, last, id) = match (after, down) {
        (None, false) => (LIST_SHOWN, first, last, end),
        (Some((at, id)), false) => (LIST_SHOWN, at.micros(), last, id),
        (None, true) => (LIST_SHOWN_DOWN, first, last, end),
        (Some((at, id)), true) => (LIST_SHOWN_DOWN, first, at.micros().min(last), id),
    };
    Ok(on!(conn, driver => sqlx::query_as(sql)
        .bind(from)
        .bind(last)
        .bind(id)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// One mail, wherever it stands.
pub async fn find_shown(conn: &mut Conn, id: OutboxId) -> Result<Option<ShownRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_SHOWN).bind(id).fetch_optional(driver).await?))
}

/// Whether a mail failed for good, and of which brand it is.
pub async fn find_failed(conn: &mut Conn, id: OutboxId) -> Result<Option<BrandId>, StoreError> {
    let found: Option<(BrandId,)> =
        on!(conn, driver => sqlx::query_as(FIND_FAILED).bind(id).fetch_optional(driver).await?);
    Ok(found.map(|found| found.0))
}

/// Makes failed mails due as if they had never been tried; their Message-IDs stay. One that is there no more, or failed no
/// longer, is left alone.
pub fn try_again(writes: &mut Writes, engine: Engine, ids: &[OutboxId], now: Timestamp) {
    for part in ids.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .int("due_at", |_| NEVER)
            .uuid("id", |id| id.0)
            .int("now", |_| now.micros());
        writes.add(engine.text(TRY_AGAIN, TRY_AGAIN_POSTGRES), rows);
    }
}
