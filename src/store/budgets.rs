//! Budgets: the mails a mailbox was sent, and the rates of networks, forms and the installation.

use super::set::Rows;
use super::{Conn, StoreError, on};
use crate::domain::budget::MailboxWindow;
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

/// A mailbox as its keyed hash.
pub type MailboxHash = [u8; 16];

/// What is kept of a mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub brand_id: BrandId,
    pub hash: MailboxHash,
    pub window: MailboxWindow,
    pub suppressed_at: Option<Timestamp>,
    pub suppressed_for: Option<String>,
}

#[derive(sqlx::FromRow)]
struct MailboxRow {
    brand_id: BrandId,
    hash: Vec<u8>,
    recent: String,
    suppressed_at: Option<Timestamp>,
    suppressed_for: Option<String>,
}

const LOCK_POSTGRES: &str = "select pg_advisory_xact_lock(k) is null from (select distinct key as k from r order by 1) as keys";
const FIND: &str = "select m.brand_id, m.hash, m.recent, m.suppressed_at, m.suppressed_for \
     from r cross join mailbox m where m.brand_id = r.brand_id and m.hash = r.hash";
/// Two texts: these tables empty themselves, and PostgreSQL's planner, told of an empty one, would read it whole for each
/// row of the batch. A lateral subquery that cannot be pulled up leaves it nothing but the index.
const FIND_POSTGRES: &str = "select m.brand_id, m.hash, m.recent, m.suppressed_at, m.suppressed_for \
     from r cross join lateral (select * from mailbox b where b.brand_id = r.brand_id and b.hash = r.hash offset 0) m";
const FIND_RATES_POSTGRES: &str = "select t.key, t.arrival \
     from r cross join lateral (select * from rate a where a.key = r.key offset 0) t";
const PUT: &str = "insert into mailbox (brand_id, hash, recent, recent_until, suppressed_at, suppressed_for) \
     select brand_id, hash, recent, recent_until, suppressed_at, suppressed_for from r where brand_id is not null \
     on conflict (brand_id, hash) do update set recent = excluded.recent, recent_until = excluded.recent_until, \
     suppressed_at = excluded.suppressed_at, suppressed_for = excluded.suppressed_for";
const FIND_RATES: &str = "select t.key, t.arrival from r cross join rate t where t.key = r.key";
const PUT_RATES: &str = "insert into rate (key, arrival) select key, arrival from r where key is not null \
     on conflict (key) do update set arrival = excluded.arrival";
/// Several processes add to the widest counters; each adds its share to what stands there instead of overwriting it.
const ADD_RATE: &str = "insert into rate (key, arrival) values ($1, cast($2 as bigint) + $3) \
     on conflict (key) do update set arrival = \
     case when rate.arrival > $2 then rate.arrival else $2 end + $3";
const PRUNE_MAILBOXES: &str =
    "delete from mailbox where recent_until < $1 and suppressed_at is null";
const PRUNE_RATES: &str = "delete from rate where arrival < $1";
const SPEND: &str =
    "insert into spent_challenge (hash, expires_at) values ($1, $2) on conflict (hash) do nothing";
const PRUNE_CHALLENGES: &str = "delete from spent_challenge where expires_at < $1";

/// Keeps other processes from deciding about the same mailboxes, addresses and networks until this transaction ends.
/// SQLite has one writer and needs nothing.
pub async fn lock(tx: &mut Conn, keys: &[i64]) -> Result<(), StoreError> {
    if tx.engine() == super::Engine::Postgres {
        let rows = Rows::of(keys).int("key", |key| *key);
        let _: Vec<(bool,)> = tx.read_set(LOCK_POSTGRES, rows).await?;
    }
    Ok(())
}

pub async fn find_mailboxes(
    conn: &mut Conn,
    keys: &[(BrandId, MailboxHash)],
) -> Result<Vec<Mailbox>, StoreError> {
    let rows = Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .blob("hash", |key| key.1.to_vec());
    let found: Vec<MailboxRow> = conn.read_set(conn.text(FIND, FIND_POSTGRES), rows).await?;
    found
        .into_iter()
        .map(|row| {
            let corrupt = || StoreError::Corrupt("mailbox");
            Ok(Mailbox {
                brand_id: row.brand_id,
                hash: row.hash.try_into().map_err(|_| corrupt())?,
                window: serde_json::from_str(&row.recent).map_err(|_| corrupt())?,
                suppressed_at: row.suppressed_at,
                suppressed_for: row.suppressed_for,
            })
        })
        .collect()
}

pub async fn put_mailboxes(tx: &mut Conn, mailboxes: &[Mailbox]) -> Result<(), StoreError> {
    let rows = Rows::of(mailboxes)
        .uuid("brand_id", |m| m.brand_id.0)
        .blob("hash", |m| m.hash.to_vec())
        .text("recent", |m| {
            serde_json::to_string(&m.window).unwrap_or_default()
        })
        .int("recent_until", |m| {
            m.window.0.last().map_or(0, |caused| caused.0)
        })
        .int_or_null("suppressed_at", |m| m.suppressed_at.map(Timestamp::micros))
        .text_or_null("suppressed_for", |m| m.suppressed_for.clone());
    tx.write_set(PUT, rows).await?;
    Ok(())
}

/// The theoretical arrival times of the keys that have one.
pub async fn find_rates(
    conn: &mut Conn,
    keys: &[String],
) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = conn.text(FIND_RATES, FIND_RATES_POSTGRES);
    conn.read_set(sql, Rows::of(keys).text("key", String::clone))
        .await
}

/// Writes rates that this transaction holds the lock of.
pub async fn put_rates(tx: &mut Conn, rates: &[(String, i64)]) -> Result<(), StoreError> {
    let rows = Rows::of(rates)
        .text("key", |rate| rate.0.clone())
        .int("arrival", |rate| rate.1);
    tx.write_set(PUT_RATES, rows).await?;
    Ok(())
}

/// Adds to rates that no lock was taken for. `floor` is the present; `added` what this transaction took.
pub async fn add_rates(tx: &mut Conn, rates: &[(String, i64, i64)]) -> Result<(), StoreError> {
    for (key, floor, added) in rates {
        on!(tx, driver => {
            sqlx::query(ADD_RATE).bind(key).bind(floor).bind(added).execute(driver).await?;
        });
    }
    Ok(())
}

/// Marks a proof-of-work challenge as used; false if it was used before.
pub async fn spend_challenge(
    tx: &mut Conn,
    hash: &[u8],
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(SPEND)
        .bind(hash)
        .bind(expires_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Removes what no longer limits anything.
pub async fn prune(tx: &mut Conn, now: Timestamp, day_ago: Timestamp) -> Result<u64, StoreError> {
    let mut removed = 0;
    for (sql, before) in [
        (PRUNE_MAILBOXES, day_ago),
        (PRUNE_RATES, now),
        (PRUNE_CHALLENGES, now),
    ] {
        removed +=
            on!(tx, driver => sqlx::query(sql).bind(before).execute(driver).await?.rows_affected());
    }
    Ok(removed)
}
