//! Budgets: the mails a mailbox was sent, and the rates of networks, forms and the installation.

use super::set::{ROWS_AT_MOST, Rows, Writes};
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

pub(super) fn read_window(text: &str) -> Result<MailboxWindow, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("mailbox"))
}

const FIND: &str = "select m.brand_id, m.hash, m.recent, m.suppressed_at, m.suppressed_for \
     from r cross join mailbox m where m.brand_id = r.brand_id and m.hash = r.hash";
/// Two texts: these tables empty themselves, and PostgreSQL's planner, told of an empty one, would read it whole for each
/// row of the batch. A lateral subquery that cannot be pulled up leaves it nothing but the index.
const FIND_POSTGRES: &str = "select m.brand_id, m.hash, m.recent, m.suppressed_at, m.suppressed_for \
     from r cross join lateral (select * from mailbox b where b.brand_id = r.brand_id and b.hash = r.hash offset 0) m";
/// Two texts, likewise.
const FIND_SUPPRESSED: &str = "select m.hash, m.suppressed_at, coalesce(m.suppressed_for, '') \
     from r cross join mailbox m indexed by suppressed_mailbox \
     where m.brand_id = r.brand_id and m.hash = r.hash and m.suppressed_at is not null";
const FIND_SUPPRESSED_POSTGRES: &str = "select m.hash, m.suppressed_at, coalesce(m.suppressed_for, '') \
     from r cross join lateral (select * from mailbox b where b.brand_id = r.brand_id and b.hash = r.hash offset 0) m \
     where m.suppressed_at is not null";
/// By the index of what is suppressed.
pub const LIST_SUPPRESSED: &str = "select hash, suppressed_at, coalesce(suppressed_for, '') from mailbox \
     where brand_id = $1 and suppressed_at is not null and (suppressed_at, hash) > ($2, $3) \
     order by suppressed_at, hash limit $4";
pub const LIST_SUPPRESSED_DOWN: &str = "select hash, suppressed_at, coalesce(suppressed_for, '') from mailbox \
     where brand_id = $1 and suppressed_at is not null and (suppressed_at, hash) < ($2, $3) \
     order by suppressed_at desc, hash desc limit $4";
const FIND_RATES_POSTGRES: &str = "select t.key, t.arrival \
     from r cross join lateral (select * from rate a where a.key = r.key offset 0) t";
const PUT: &str = "insert into mailbox (brand_id, hash, recent, recent_until, suppressed_at, suppressed_for) \
     select brand_id, hash, recent, recent_until, suppressed_at, suppressed_for from r where brand_id is not null \
     on conflict (brand_id, hash) do update set recent = excluded.recent, recent_until = excluded.recent_until, \
     suppressed_at = excluded.suppressed_at, suppressed_for = excluded.suppressed_for";
const FIND_RATES: &str = "select t.key, t.arrival from r cross join rate t where t.key = r.key";
/// A transaction brings by how much it moves an arrival, as the distance from its own time: processes that share a rate
/// without holding its lock add up instead of overwriting each other.
const ADD_RATES: &str = "insert into rate (key, arrival, changed_at) select key, arrival, changed_at from r where key is not null \
     on conflict (key) do update set changed_at = excluded.changed_at, arrival = excluded.arrival - excluded.changed_at \
     + case when rate.arrival > excluded.changed_at then rate.arrival else excluded.changed_at end";
const PRUNE_MAILBOXES: &str =
    "delete from mailbox where recent_until < $1 and suppressed_at is null";
const PRUNE_RATES: &str = "delete from rate where arrival < $1";
const SPEND: &str =
    "insert into spent_challenge (hash, expires_at) values ($1, $2) on conflict (hash) do nothing";
const IS_SPENT: &str = "select 1 from spent_challenge where hash = $1";
const PRUNE_CHALLENGES: &str = "delete from spent_challenge where expires_at < $1";

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
            Ok(Mailbox {
                brand_id: row.brand_id,
                hash: row
                    .hash
                    .try_into()
                    .map_err(|_| StoreError::Corrupt("mailbox"))?,
                window: read_window(&row.recent)?,
                suppressed_at: row.suppressed_at,
                suppressed_for: row.suppressed_for,
            })
        })
        .collect()
}

/// A mailbox as rows of contacts hold it.
pub(super) fn read_hash(stored: &[u8]) -> Result<MailboxHash, StoreError> {
    MailboxHash::try_from(stored).map_err(|_| StoreError::Corrupt("mailbox of a contact"))
}

/// The suppressed mailboxes of a brand behind one of them, in the order in which they came to be so, or the other way round if
/// `down`: each with since when, and for which reason.
pub async fn list_suppressed(
    conn: &mut Conn,
    brand: BrandId,
    (after, down): (Option<(Timestamp, MailboxHash)>, bool),
    limit: i64,
) -> Result<Vec<(MailboxHash, Timestamp, String)>, StoreError> {
    let (sql, begin) = if down {
        (LIST_SUPPRESSED_DOWN, (i64::MAX, [u8::MAX; 16]))
    } else {
        (LIST_SUPPRESSED, (i64::MIN, [0; 16]))
    };
    let (at, hash) = after.unwrap_or((Timestamp::from_micros(begin.0), begin.1));
    let found: Vec<(Vec<u8>, Timestamp, String)> = on!(conn, driver => sqlx::query_as(sql)
        .bind(brand)
        .bind(at)
        .bind(hash.to_vec())
        .bind(limit)
        .fetch_all(driver)
        .await?);
    let read =
        |(hash, at, reason): (Vec<u8>, Timestamp, String)| Ok((read_hash(&hash)?, at, reason));
    found.into_iter().map(read).collect()
}

/// Those of a brand's mailboxes that are suppressed: since when, and for which reason.
pub async fn find_suppressed(
    conn: &mut Conn,
    brand: BrandId,
    hashes: &[MailboxHash],
) -> Result<Vec<(MailboxHash, Timestamp, String)>, StoreError> {
    let mut all = Vec::new();
    for part in hashes.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |_| brand.0)
            .blob("hash", |hash| hash.to_vec());
        let sql = conn.text(FIND_SUPPRESSED, FIND_SUPPRESSED_POSTGRES);
        let found: Vec<(Vec<u8>, Timestamp, String)> = conn.read_set(sql, rows).await?;
        for (hash, at, reason) in found {
            let hash = hash.try_into();
            let hash = hash.map_err(|_| StoreError::Corrupt("mailbox"))?;
            all.push((hash, at, reason));
        }
    }
    Ok(all)
}

pub fn put_mailboxes(writes: &mut Writes, mailboxes: &[Mailbox]) {
    for part in mailboxes.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
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
        writes.add(PUT, rows);
    }
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

/// Moves rates on: each by microseconds from the later of `now` and where it stands.
pub fn add_rates(writes: &mut Writes, rates: &[(String, i64)], now: Timestamp) {
    // In one order for all processes: rates that are shared without a lock stay locked until the commit.
    let mut sorted: Vec<&(String, i64)> = rates.iter().filter(|rate| rate.1 > 0).collect();
    sorted.sort_unstable();
    for part in sorted.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .text("key", |rate| rate.0.clone())
            .int("arrival", |rate| now.micros() + rate.1)
            .int("changed_at", |_| now.micros());
        writes.add(ADD_RATES, rows);
    }
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

/// Whether this is spent.
pub async fn is_spent(conn: &mut Conn, hash: &[u8]) -> Result<bool, StoreError> {
    let found: Option<(i32,)> = on!(conn, driver => sqlx::query_as(IS_SPENT)
        .bind(hash)
        .fetch_optional(driver)
        .await?);
    Ok(found.is_some())
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
