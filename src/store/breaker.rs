//! What the breaker compares, and when it held mail: the tally of mails and confirmations, and its trips.

use std::collections::BTreeMap;
use std::time::Duration;

use super::set::{Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::breaker::{Closed, Spans, Tally, minute_of};
use crate::domain::time::Timestamp;

/// A turn so far ahead was taken by a clock that was wrong.
const FAR: Duration = Duration::from_secs(600);

/// Parts that a minute is counted in: batches that run side by side seldom add to the same.
const PARTS: u8 = 8;

const ADD: &str = "insert into mail_tally (minute, part, mailed, confirmed) \
     select minute, part, mailed, confirmed from r where minute is not null \
     on conflict (minute, part) do update set mailed = mail_tally.mailed + excluded.mailed, \
     confirmed = mail_tally.confirmed + excluded.confirmed";
const COUNT: &str = "select cast(coalesce(sum(case when minute < $2 then mailed else 0 end), 0) as bigint) as mailed, \
     cast(coalesce(sum(confirmed), 0) as bigint) as confirmed from mail_tally where minute >= $1";
/// Without the times of floods, or what is usual would become what floods are like.
const COUNT_USUAL: &str = "select cast(coalesce(sum(mailed), 0) as bigint) as mailed, \
     cast(coalesce(sum(confirmed), 0) as bigint) as confirmed from mail_tally where minute >= $1 and minute < $2 \
     and not exists (select 1 from breaker_trip where closed_for = 'quiet' \
     and mail_tally.minute >= since and mail_tally.minute <= closed_at)";
const FIND_LAST: &str = "select tripped_at, since, mailed, confirmed, usual_mailed, usual_confirmed, closed_at, closed_for \
     from breaker_trip order by tripped_at desc limit 1";
const IS_OPEN: &str = "select open from breaker_trip where open = 1";
const TRIP: &str = "insert into breaker_trip (tripped_at, since, mailed, confirmed, usual_mailed, usual_confirmed, open) \
     values ($1, $2, $3, $4, $5, $6, 1) on conflict do nothing";
const CLOSE: &str =
    "update breaker_trip set open = null, closed_at = $1, closed_for = $2 where open = 1";
/// The operator's word outranks the end of a window.
const OVERRULE: &str = "update breaker_trip set closed_at = $1, closed_for = 'operator' \
     where closed_for = 'quiet' and tripped_at = (select max(tripped_at) from breaker_trip)";
const PRUNE_TALLY: &str = "delete from mail_tally where minute < $1";
const PRUNE_TRIPS: &str = "delete from breaker_trip where closed_at < $1";
/// The turn of a minute belongs to the worker that changes the row; one of the far future, left by a clock that was wrong,
/// is taken over.
const TAKE_TURN: &str = "insert into setting (key, value) values ('breaker_turn', $1) \
     on conflict (key) do update set value = excluded.value where setting.value < excluded.value or setting.value > $2";

/// The newest trip.
#[derive(Clone, Copy, Debug)]
pub struct Trip {
    pub tripped_at: Timestamp,
    /// Where the window began that tripped it.
    pub since: Timestamp,
    pub window: Tally,
    pub usual: Tally,
    /// None while mails are held.
    pub closed: Option<(Timestamp, Closed)>,
}

#[derive(sqlx::FromRow)]
struct TripRow {
    tripped_at: Timestamp,
    since: Timestamp,
    mailed: i64,
    confirmed: i64,
    usual_mailed: i64,
    usual_confirmed: i64,
    closed_at: Option<Timestamp>,
    closed_for: Option<String>,
}

impl TripRow {
    fn read(self) -> Result<Trip, StoreError> {
        let closed = match (self.closed_at, self.closed_for) {
            (Some(at), Some(word)) => {
                let closed = Closed::parse(&word).ok_or(StoreError::Corrupt("breaker"))?;
                Some((at, closed))
            }
            _ => None,
        };
        Ok(Trip {
            tripped_at: self.tripped_at,
            since: self.since,
            window: Tally {
                mailed: self.mailed,
                confirmed: self.confirmed,
            },
            usual: Tally {
                mailed: self.usual_mailed,
                confirmed: self.usual_confirmed,
            },
            closed,
        })
    }
}

/// Adds what a batch did, by instants. `chance` chooses the part.
pub fn add(writes: &mut Writes, chance: u8, mailed: &[Timestamp], confirmed: &[Timestamp]) {
    // Sorted, so that all batches lock rows in one order; they stay locked until the commit.
    let mut minutes: BTreeMap<Timestamp, Tally> = BTreeMap::new();
    for at in mailed {
        minutes.entry(minute_of(*at)).or_default().mailed += 1;
    }
    for at in confirmed {
        minutes.entry(minute_of(*at)).or_default().confirmed += 1;
    }
    let minutes: Vec<(Timestamp, Tally)> = minutes.into_iter().collect();
    let rows = Rows::of(&minutes)
        .int("minute", |one| one.0.micros())
        .int("part", |_| i64::from(chance % PARTS))
        .int("mailed", |one| one.1.mailed)
        .int("confirmed", |one| one.1.confirmed);
    writes.add(ADD, rows);
}

async fn sum(
    conn: &mut Conn,
    sql: &'static str,
    from: Timestamp,
    until: Timestamp,
) -> Result<Tally, StoreError> {
    let (from, until) = (minute_of(from), minute_of(until));
    let (mailed, confirmed): (i64, i64) = on!(conn, driver => sqlx::query_as(sql)
        .bind(from)
        .bind(until)
        .fetch_one(driver)
        .await?);
    Ok(Tally { mailed, confirmed })
}

/// Mails of a window, and confirmations since it began.
pub async fn count(
    conn: &mut Conn,
    from: Timestamp,
    until: Timestamp,
) -> Result<Tally, StoreError> {
    sum(conn, COUNT, from, until).await
}

/// What is usual.
pub async fn count_usual(conn: &mut Conn, spans: &Spans) -> Result<Tally, StoreError> {
    sum(conn, COUNT_USUAL, spans.usual_from, spans.usual_until).await
}

pub async fn find_last(conn: &mut Conn) -> Result<Option<Trip>, StoreError> {
    let found: Option<TripRow> =
        on!(conn, driver => sqlx::query_as(FIND_LAST).fetch_optional(driver).await?);
    found.map(TripRow::read).transpose()
}

/// Whether confirmation mails are held.
pub async fn is_open(conn: &mut Conn) -> Result<bool, StoreError> {
    let found: Option<(i64,)> =
        on!(conn, driver => sqlx::query_as(IS_OPEN).fetch_optional(driver).await?);
    Ok(found.is_some())
}

/// Opens a trip; false if one is open already.
pub async fn trip(tx: &mut Conn, trip: &Trip) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(TRIP)
        .bind(trip.tripped_at)
        .bind(trip.since)
        .bind(trip.window.mailed)
        .bind(trip.window.confirmed)
        .bind(trip.usual.mailed)
        .bind(trip.usual.confirmed)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Closes the open trip; false if there is none, as when another process closed it.
pub async fn close(tx: &mut Conn, at: Timestamp, closed: Closed) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(CLOSE)
        .bind(at)
        .bind(closed.as_str())
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Makes the newest trip, closed by itself, one that the operator closed.
pub async fn overrule(tx: &mut Conn, at: Timestamp) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(OVERRULE).bind(at).execute(driver).await?; });
    Ok(())
}

/// Takes the turn of a minute for this process; false if another one has it.
pub async fn take_turn(tx: &mut Conn, now: Timestamp) -> Result<bool, StoreError> {
    // Of one length, so that texts compare as the numbers do.
    let text = |at: Timestamp| format!("{:020}", minute_of(at).micros());
    let changed = on!(tx, driver => sqlx::query(TAKE_TURN)
        .bind(text(now))
        .bind(text(now.plus(FAR)))
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Removes what is compared with nothing any more.
pub async fn prune(
    tx: &mut Conn,
    tally_before: Timestamp,
    trips_before: Timestamp,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for (sql, before) in [(PRUNE_TALLY, tally_before), (PRUNE_TRIPS, trips_before)] {
        removed +=
            on!(tx, driver => sqlx::query(sql).bind(before).execute(driver).await?.rows_affected());
    }
    Ok(removed)
}
