//! Figures by day, how far the events are folded into them, and the requests under way that later events are counted with.

use super::locks::Locks;
use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, Store, StoreError, on};
use crate::domain::figures::{Dimension, Figures, OTHER};
use crate::domain::ids::{BrandId, RequestId};
use crate::domain::time::Timestamp;

/// Under what figures are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub brand: BrandId,
    pub dimension: Dimension,
    /// Days since 1970 (UTC).
    pub day: i64,
    /// Of a form, source or domain.
    pub name: String,
}

/// How far the folding came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Cursor {
    pub position: i64,
    /// Domains of days before this one that had few mails were put together.
    pub folded_day: i64,
}

/// An event as far as it is counted.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedEvent {
    pub position: i64,
    pub brand_id: BrandId,
    pub kind: String,
    pub at: Timestamp,
    /// Only of the kinds that are counted by what they hold; none where it was emptied.
    pub body: Option<String>,
}

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UnderWay {
    pub request_id: RequestId,
    pub brand_id: BrandId,
    pub signed_up_at: Timestamp,
    /// 1 where a campaign asked, else 0.
    pub invited: i64,
    pub form: String,
    pub source: String,
    pub domain: String,
    /// What was counted of it already, as bits.
    pub seen: i64,
    pub forget_at: Timestamp,
}

/// Figures with what they are of.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Line {
    pub name: String,
    #[sqlx(flatten)]
    pub figures: Figures,
}

/// Figures of a day.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DayLine {
    pub name: String,
    pub day: i64,
    #[sqlx(flatten)]
    pub figures: Figures,
}

const FIND_CURSOR: &str = "select position, folded_day from summary_cursor";
const MOVE_CURSOR: &str =
    "update summary_cursor set position = $2 where position = $1 and folded_day = $3";
const MOVE_FOLDED: &str = "update summary_cursor set folded_day = $2 where folded_day = $1";
const LIST_EVENTS: &str = "select position, brand_id, kind, at, case when kind in ('signed_up', 'invited', 'mail_accepted', \
     'mail_failed', 'link_opened', 'confirmed', 'declined', 'replaced', 'address_changed', 'bounced', 'complained') \
     then body end as body from event where position > $1 and position <= $2 order by position limit $3";
pub const LIST_UNDER_WAY: &str = "select s.request_id, s.brand_id, s.signed_up_at, s.invited, s.form, s.source, s.domain, s.seen, \
     s.forget_at from r join summary_request s on s.request_id = r.request_id";
const LIST_NAMES: &str = "select s.brand_id, s.dimension, s.day, s.name from r join summary s on s.brand_id = r.brand_id \
     and s.dimension = r.dimension and s.day = r.day where r.day is not null";
const ADD: &str = "insert into summary (brand_id, dimension, day, name, signed_up, held_back, mailed, opened, confirmed, \
     declined, failed, replaced, withdrawn, bounced, complained, within_minute, within_ten_minutes, within_hour, within_day, \
     later) select brand_id, dimension, day, name, signed_up, held_back, mailed, opened, confirmed, declined, failed, \
     replaced, withdrawn, bounced, complained, within_minute, within_ten_minutes, within_hour, within_day, later \
     from r where brand_id is not null on conflict (brand_id, dimension, day, name) do update set \
     signed_up = summary.signed_up + excluded.signed_up, held_back = summary.held_back + excluded.held_back, \
     mailed = summary.mailed + excluded.mailed, opened = summary.opened + excluded.opened, \
     confirmed = summary.confirmed + excluded.confirmed, declined = summary.declined + excluded.declined, \
     failed = summary.failed + excluded.failed, replaced = summary.replaced + excluded.replaced, \
     withdrawn = summary.withdrawn + excluded.withdrawn, bounced = summary.bounced + excluded.bounced, \
     complained = summary.complained + excluded.complained, \
     within_minute = summary.within_minute + excluded.within_minute, \
     within_ten_minutes = summary.within_ten_minutes + excluded.within_ten_minutes, \
     within_hour = summary.within_hour + excluded.within_hour, within_day = summary.within_day + excluded.within_day, \
     later = summary.later + excluded.later";
const PUT_UNDER_WAY: &str = "insert into summary_request (request_id, brand_id, signed_up_at, invited, form, source, domain, \
     seen, forget_at) select request_id, brand_id, signed_up_at, invited, form, source, domain, seen, forget_at \
     from r where request_id is not null on conflict (request_id) do update set seen = excluded.seen, \
     forget_at = excluded.forget_at";
const FORGET: &str = "delete from summary_request where request_id in (select request_id from summary_request \
     where forget_at < $1 order by forget_at limit $2)";
/// A second text: the array leaves PostgreSQL's planner nothing but the index.
const FORGET_POSTGRES: &str = "delete from summary_request where request_id = any(array(select request_id from summary_request \
     where forget_at < $1 order by forget_at limit $2))";
const DELETE: &str = "delete from summary where (brand_id, dimension, day, name) in \
     (select brand_id, dimension, day, name from r where brand_id is not null)";

macro_rules! sums {
    ($($before:literal, $after:literal);+) => {
        concat!($($before, "cast(coalesce(sum(s.signed_up), 0) as bigint) as signed_up, \
         cast(coalesce(sum(s.held_back), 0) as bigint) as held_back, cast(coalesce(sum(s.mailed), 0) as bigint) as mailed, \
         cast(coalesce(sum(s.opened), 0) as bigint) as opened, cast(coalesce(sum(s.confirmed), 0) as bigint) as confirmed, \
         cast(coalesce(sum(s.declined), 0) as bigint) as declined, cast(coalesce(sum(s.failed), 0) as bigint) as failed, \
         cast(coalesce(sum(s.replaced), 0) as bigint) as replaced, \
         cast(coalesce(sum(s.withdrawn), 0) as bigint) as withdrawn, \
         cast(coalesce(sum(s.bounced), 0) as bigint) as bounced, \
         cast(coalesce(sum(s.complained), 0) as bigint) as complained, \
         cast(coalesce(sum(s.within_minute), 0) as bigint) as within_minute, \
         cast(coalesce(sum(s.within_ten_minutes), 0) as bigint) as within_ten_minutes, \
         cast(coalesce(sum(s.within_hour), 0) as bigint) as within_hour, \
         cast(coalesce(sum(s.within_day), 0) as bigint) as within_day, \
         cast(coalesce(sum(s.later), 0) as bigint) as later", $after)+)
    };
}

const BY_NAME: &str = sums!(
    "select s.name, ",
    " from r join summary s on s.brand_id = r.brand_id and s.dimension = r.dimension \
     and s.day >= r.first and s.day <= r.last where r.brand_id is not null group by s.name"
);
const BY_DAY: &str = sums!(
    "select s.name, s.day, ",
    " from r join summary s on s.brand_id = r.brand_id \
     and s.dimension = r.dimension and s.day >= r.first and s.day <= r.last where r.brand_id is not null \
     group by s.name, s.day"
);
const SMALL: &str = sums!(
    "select s.name, ",
    " from r join summary s on s.brand_id = r.brand_id and s.dimension = r.dimension \
     and s.day >= r.first and s.day <= r.last where r.brand_id is not null group by s.name, s.dimension \
     having case when s.dimension = 'mail' then sum(s.mailed) + sum(s.failed) else sum(s.signed_up) end < 5"
);

pub async fn cursor(conn: &mut Conn) -> Result<Cursor, StoreError> {
    let found: Option<Cursor> =
        on!(conn, driver => sqlx::query_as(FIND_CURSOR).fetch_optional(driver).await?);
    found.ok_or(StoreError::Corrupt("summary_cursor"))
}

/// Events behind one position up to another, in their order.
pub async fn list_events(
    conn: &mut Conn,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<CountedEvent>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_EVENTS)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Those of these requests that are under way.
pub async fn list_under_way(
    conn: &mut Conn,
    ids: &[RequestId],
) -> Result<Vec<UnderWay>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part).uuid("request_id", |id| id.0);
        found.append(&mut conn.read_set(LIST_UNDER_WAY, rows).await?);
    }
    Ok(found)
}

/// A day of a brand in one dimension.
pub type Place = (BrandId, Dimension, i64);

/// The names that are counted in these places.
pub async fn list_names(conn: &mut Conn, places: &[Place]) -> Result<Vec<Key>, StoreError> {
    let mut found = Vec::new();
    for part in places.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |place| place.0.0)
            .text("dimension", |place| place.1.as_str().to_owned())
            .int("day", |place| place.2);
        let read: Vec<(BrandId, String, i64, String)> = conn.read_set(LIST_NAMES, rows).await?;
        for (brand, dimension, day, name) in read {
            let dimension =
                Dimension::parse(&dimension).ok_or(StoreError::Corrupt("summary dimension"))?;
            found.push(Key {
                brand,
                dimension,
                day,
                name,
            });
        }
    }
    Ok(found)
}

fn add(writes: &mut Writes, figures: &[(Key, Figures)]) {
    for part in figures.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |one| one.0.brand.0)
            .text("dimension", |one| one.0.dimension.as_str().to_owned())
            .int("day", |one| one.0.day)
            .text("name", |one| one.0.name.clone())
            .int("signed_up", |one| one.1.signed_up)
            .int("held_back", |one| one.1.held_back)
            .int("mailed", |one| one.1.mailed)
            .int("opened", |one| one.1.opened)
            .int("confirmed", |one| one.1.confirmed)
            .int("declined", |one| one.1.declined)
            .int("failed", |one| one.1.failed)
            .int("replaced", |one| one.1.replaced)
            .int("withdrawn", |one| one.1.withdrawn)
            .int("bounced", |one| one.1.bounced)
            .int("complained", |one| one.1.complained)
            .int("within_minute", |one| one.1.within_minute)
            .int("within_ten_minutes", |one| one.1.within_ten_minutes)
            .int("within_hour", |one| one.1.within_hour)
            .int("within_day", |one| one.1.within_day)
            .int("later", |one| one.1.later);
        writes.add(ADD, rows);
    }
}

/// Moves the cursor to a position and adds what lies between them. False where another worker was faster, and nothing is
/// done. If the process dies inside, both are done or neither.
pub async fn advance(
    store: &Store,
    from: Cursor,
    to: i64,
    figures: &[(Key, Figures)],
    under_way: &[UnderWay],
) -> Result<bool, StoreError> {
    let mut held = store.hold_to_write(Locks::default()).await?;
    let moved = on!(held.conn(), driver => sqlx::query(MOVE_CURSOR)
        .bind(from.position)
        .bind(to)
        .bind(from.folded_day)
        .execute(driver)
        .await?
        .rows_affected());
    if moved == 0 {
        return Ok(false);
    }
    let mut writes = Writes::default();
    add(&mut writes, figures);
    for part in under_way.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("request_id", |one| one.request_id.0)
            .uuid("brand_id", |one| one.brand_id.0)
            .int("signed_up_at", |one| one.signed_up_at.micros())
            .int("invited", |one| one.invited)
            .text("form", |one| one.form.clone())
            .text("source", |one| one.source.clone())
            .text("domain", |one| one.domain.clone())
            .int("seen", |one| one.seen)
            .int("forget_at", |one| one.forget_at.micros());
        writes.add(PUT_UNDER_WAY, rows);
    }
    held.finish_with(writes).await?;
    Ok(true)
}

/// Forgets requests that are over, so many at most; answers with how many.
pub async fn forget(store: &Store, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let mut tx = store.write().await?;
    let sql = tx.text(FORGET, FORGET_POSTGRES);
    let forgotten = on!(tx, driver => sqlx::query(sql)
        .bind(before)
        .bind(limit)
        .execute(driver)
        .await?
        .rows_affected());
    tx.commit().await?;
    Ok(forgotten)
}

/// From which brands, in which dimension, from which day to which.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    pub brands: &'a [BrandId],
    pub dimension: Dimension,
    pub first: i64,
    pub last: i64,
}

impl Span<'_> {
    fn rows(&self) -> Rows<'_, BrandId> {
        Rows::of(self.brands)
            .uuid("brand_id", |brand| brand.0)
            .text("dimension", |_| self.dimension.as_str().to_owned())
            .int("first", |_| self.first)
            .int("last", |_| self.last)
    }
}

/// Figures of a span by name.
pub async fn by_name(conn: &mut Conn, span: Span<'_>) -> Result<Vec<Line>, StoreError> {
    conn.read_set(BY_NAME, span.rows()).await
}

/// Figures of a span by name and day; days on which nothing was are missing.
pub async fn by_day(conn: &mut Conn, span: Span<'_>) -> Result<Vec<DayLine>, StoreError> {
    conn.read_set(BY_DAY, span.rows()).await
}

/// Puts the domains of a day that few people have together with the others: with one or two of them a domain may well be
/// somebody's own. False where another worker was faster, and nothing is done.
pub async fn fold_small(store: &Store, day: i64, brands: &[BrandId]) -> Result<bool, StoreError> {
    let mut held = store.hold_to_write(Locks::default()).await?;
    let moved = on!(held.conn(), driver => sqlx::query(MOVE_FOLDED)
        .bind(day)
        .bind(day + 1)
        .execute(driver)
        .await?
        .rows_affected());
    if moved == 0 {
        return Ok(false);
    }
    // The cursor's row is held from here on, so nobody adds to what is read.
    let mut sums = Vec::new();
    let mut gone = Vec::new();
    for brand in brands {
        for dimension in [Dimension::Domain, Dimension::Mail] {
            let span = Span {
                brands: std::slice::from_ref(brand),
                dimension,
                first: day,
                last: day,
            };
            let key = |name: String| Key {
                brand: *brand,
                dimension,
                day,
                name,
            };
            let mut small: Vec<Line> = held.conn().read_set(SMALL, span.rows()).await?;
            small.retain(|line| line.name != OTHER);
            if !small.is_empty() {
                let sum: Figures = small.iter().map(|line| line.figures).sum();
                sums.push((key(OTHER.to_owned()), sum));
            }
            gone.extend(small.into_iter().map(|line| key(line.name)));
        }
    }
    let mut writes = Writes::default();
    add(&mut writes, &sums);
    for part in gone.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |key| key.brand.0)
            .text("dimension", |key| key.dimension.as_str().to_owned())
            .int("day", |key| key.day)
            .text("name", |key| key.name.clone());
        writes.add(DELETE, rows);
    }
    held.finish_with(writes).await?;
    Ok(true)
}

const SKIP_TO: &str = "update summary_cursor set folded_day = $1 where folded_day < $1";
const FIRST_DAY: &str = "select min(s.day) from r join summary s on s.brand_id = r.brand_id and s.dimension = r.dimension \
     where r.brand_id is not null and s.day >= r.first and s.day <= r.last";

/// The first day of a span on which anything is counted.
pub async fn first_day(conn: &mut Conn, span: Span<'_>) -> Result<Option<i64>, StoreError> {
    let found: Vec<(Option<i64>,)> = conn.read_set(FIRST_DAY, span.rows()).await?;
    Ok(found.into_iter().find_map(|row| row.0))
}

/// Days before this one have nothing left to be put together.
pub async fn folded_to(store: &Store, day: i64) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    on!(tx, driver => { sqlx::query(SKIP_TO).bind(day).execute(driver).await?; });
    tx.commit().await
}
