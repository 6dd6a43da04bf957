//! Campaigns, and how far each of their recipients is.

use uuid::Uuid;

use super::contacts::read_standings;
use super::requests::Key;
use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, CampaignId, ContactId, RequestId};
use crate::domain::standing::Standings;
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CampaignRow {
    pub brand_id: BrandId,
    pub id: CampaignId,
    pub name: String,
    /// JSON of a `Plan`.
    pub plan: String,
    pub state: String,
    pub why: Option<String>,
    pub enrolled_to: Option<ContactId>,
    /// Where people are asked by time: the oldest confirmation of that contact.
    pub enrolled_from: Option<Timestamp>,
    pub arrival: i64,
    pub day: i64,
    pub asked_on_day: i64,
    /// When the first mail of the day left; none before.
    pub day_began_at: Option<Timestamp>,
    /// Mails that had left, or failed, before the day.
    pub left_before: i64,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RecipientRow {
    pub brand_id: BrandId,
    pub campaign_id: CampaignId,
    pub contact_id: ContactId,
    pub state: String,
    pub why: Option<String>,
    pub due_at: Timestamp,
    /// From where the address came, in the policy's word.
    pub source: Option<String>,
    pub request_id: Option<RequestId>,
    pub mail: Option<String>,
    pub released: i64,
    pub asked_at: Option<Timestamp>,
    pub reminded_at: Option<Timestamp>,
    /// When the mail came back that a server had taken.
    pub returned_at: Option<Timestamp>,
}

/// A recipient with its address and how its request stands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Outcome {
    pub contact_id: ContactId,
    pub address: String,
    pub known_since: Timestamp,
    /// When somebody who waits is asked, or when the time of somebody who was asked is over.
    pub due_at: Timestamp,
    pub state: String,
    pub why: Option<String>,
    pub mail: Option<String>,
    pub answer: Option<String>,
    pub asked_at: Option<Timestamp>,
    pub reminded_at: Option<Timestamp>,
}

/// The campaign of a mail.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OfRequest {
    pub request_id: RequestId,
    pub campaign_id: CampaignId,
    pub plan: String,
    pub state: String,
    pub source: Option<String>,
    pub reminded_at: Option<Timestamp>,
    standings: String,
}

impl OfRequest {
    /// Where the person stands whom the mail goes to.
    pub fn standings(&self) -> Result<Standings, StoreError> {
        read_standings(&self.standings)
    }
}

/// Parts that a campaign's mails are counted in.
pub(super) const PARTS: u8 = 8;

const FIND: &str = "select * from campaign where brand_id = $1 and name = $2";
const FIND_BY_ID: &str = "select * from campaign where brand_id = $1 and id = $2";
const LIST_UNDER_WAY: &str = "select * from campaign where brand_id = $1 and state not in ('cancelled', 'done') \
     order by id desc limit 500";
const LIST_BEFORE: &str =
    "select * from campaign where brand_id = $1 and id < $2 order by id desc limit $3";
pub const LIST_AFTER: &str =
    "select * from campaign where brand_id = $1 and id > $2 order by id limit $3";
const LIST_AT_WORK: &str = "select * from campaign where state in ('enrolling', 'running') and id > $1 order by id limit $2";
const INSERT: &str = "insert into campaign (brand_id, id, name, plan, state, arrival, day, asked_on_day, started_at) \
     values ($1, $2, $3, $4, 'enrolling', 0, 0, 0, $5) on conflict (brand_id, name) do nothing";
const MOVE: &str = "update campaign set state = $4, why = $5, ended_at = $6 \
     where brand_id = $1 and id = $2 and state = $3";
const PUT_PROGRESS: &str = "update campaign set arrival = r.arrival, day = r.day, asked_on_day = r.asked_on_day, \
     day_began_at = r.day_began_at, left_before = r.left_before from r where campaign.brand_id = r.brand_id and campaign.id = r.id";
const PUT_ENROLLED: &str = "update campaign set state = r.state, enrolled_to = r.enrolled_to, \
     enrolled_from = r.enrolled_from from r \
     where campaign.brand_id = r.brand_id and campaign.id = r.id and campaign.state = 'enrolling'";
const ENROL: &str = "insert into campaign_recipient (brand_id, campaign_id, contact_id, state, why, due_at, released) \
     select brand_id, campaign_id, contact_id, state, why, due_at, 0 from r where brand_id is not null \
     on conflict (brand_id, campaign_id, contact_id) do nothing";
const PUT: &str = "update campaign_recipient set state = r.state, why = r.why, due_at = r.due_at, \
     source = r.source, request_id = r.request_id, released = r.released, asked_at = r.asked_at, reminded_at = r.reminded_at from r \
     where campaign_recipient.brand_id = r.brand_id and campaign_recipient.campaign_id = r.campaign_id \
     and campaign_recipient.contact_id = r.contact_id";
const PUT_MAIL: &str = "update campaign_recipient set mail = r.mail from r \
     where campaign_recipient.brand_id = r.brand_id and campaign_recipient.request_id = r.request_id \
     and campaign_recipient.mail is null";
const LIST_DUE: &str = "select * from campaign_recipient where brand_id = $1 and campaign_id = $2 and state = $3 \
     and due_at <= $4 order by due_at, contact_id limit $5";
const LIST_OF: &str = "select p.* from r join campaign_recipient p on p.brand_id = r.brand_id \
     and p.campaign_id = r.campaign_id and p.contact_id = r.contact_id";
/// What is read of a recipient's outcome.
macro_rules! outcomes {
    () => {
        "select p.contact_id, c.address, c.created_at as known_since, p.due_at, p.state, p.why, p.mail, \
         case when p.state = 'cancelled' then null else q.state end as answer, p.asked_at, p.reminded_at \
         from campaign_recipient p join contact c on c.brand_id = p.brand_id and c.id = p.contact_id \
         left join request q on q.brand_id = p.brand_id and q.id = p.request_id \
         where p.brand_id = $1 and p.campaign_id = $2"
    };
}

pub const LIST_OUTCOMES: &str = concat!(
    outcomes!(),
    " and p.contact_id > $3 order by p.contact_id limit $4"
);
pub const LIST_OUTCOMES_DOWN: &str = concat!(
    outcomes!(),
    " and p.contact_id < $3 order by p.contact_id desc limit $4"
);
pub const LIST_OUTCOMES_IN: &str = concat!(
    outcomes!(),
    " and p.state = $3 and (p.due_at, p.contact_id) > ($4, $5) order by p.due_at, p.contact_id limit $6"
);
pub const LIST_OUTCOMES_IN_DOWN: &str = concat!(
    outcomes!(),
    " and p.state = $3 and (p.due_at, p.contact_id) < ($4, $5) order by p.due_at desc, p.contact_id desc limit $6"
);
/// In front of `PUT_MAIL`, for what has no fate yet.
const TALLY: &str = "insert into campaign_tally (brand_id, campaign_id, part, accepted, failed) \
     select p.brand_id, p.campaign_id, min(r.part), sum(case when r.mail = 'accepted' then 1 else 0 end), \
     sum(case when r.mail = 'failed' then 1 else 0 end) from r join campaign_recipient p on p.brand_id = r.brand_id \
     and p.request_id = r.request_id where p.mail is null group by p.brand_id, p.campaign_id \
     order by p.brand_id, p.campaign_id on conflict (brand_id, campaign_id, part) do update \
     set accepted = campaign_tally.accepted + excluded.accepted, failed = campaign_tally.failed + excluded.failed";
/// Of those who were asked, whose mail has come to nothing yet: a sum that triggers keep.
const COUNT_FATELESS: &str = "select cast(coalesce(sum(case when what like 'mail:%' then -people else people end), 0) as bigint) \
     from campaign_count where brand_id = $1 and campaign_id = $2 \
     and what in ('asked', 'answered', 'unanswered', 'mail:accepted', 'mail:failed')";
/// By the outbox, which is short: a mail that failed for good is due never, and one that is held just before that.
const COUNT_WAITING: &str = "select count(*) from (select 1 from ( \
     select brand_id, request_id, template, tries from outbox where due_at < 9223372036854775806 \
     union all select brand_id, request_id, template, tries from outbox where due_at = 9223372036854775806) o \
     where o.tries <= $3 and o.brand_id = $1 and o.template in ('invitation', 'reconfirmation', 'merger_notice') \
     and exists (select 1 from campaign_recipient p where p.brand_id = o.brand_id and p.request_id = o.request_id \
     and p.campaign_id = $2) limit $4) as mails";
/// Who waits for the end of a pause keeps nothing running.
const IS_OVER: &str = "select count(*) from (select 1 from campaign_recipient where brand_id = $1 and campaign_id = $2 \
     and state in ('waiting', 'asked') and (state = 'asked' or why is null or why <> 'paused') limit 1) as open_ones";
const SKIP_PAUSED: &str = "update campaign_recipient set state = 'left_out' where brand_id = $1 and campaign_id = $2 \
     and state = 'waiting' and why = 'paused'";
const CANCEL: &str = "update campaign_recipient set state = 'cancelled' where brand_id = $1 and campaign_id = $2 \
     and state in ('waiting', 'held')";
const CANCEL_ASKED: &str = "update campaign_recipient set state = 'cancelled' from r \
     where campaign_recipient.brand_id = r.brand_id and campaign_recipient.request_id = r.id \
     and campaign_recipient.state = 'asked' and campaign_recipient.mail is null";
const GO_ON: &str = "update campaign set state = 'running', ended_at = null from r \
     where campaign.brand_id = r.brand_id and campaign.id = r.id and campaign.state = 'done'";
/// An operator's release stays with the recipient.
const ASK_ANEW: &str = "update campaign_recipient set state = 'waiting', why = null, due_at = r.due_at, request_id = null, \
     asked_at = null, reminded_at = null from r \
     where campaign_recipient.brand_id = r.brand_id and campaign_recipient.request_id = r.id \
     and campaign_recipient.state in ('asked', 'unanswered') and campaign_recipient.mail is null";
const OF_REQUESTS: &str = "select p.request_id, p.campaign_id, c.plan, c.state, p.source, p.reminded_at, k.standings from r \
     join campaign_recipient p on p.brand_id = r.brand_id and p.request_id = r.id \
     join campaign c on c.brand_id = p.brand_id and c.id = p.campaign_id \
     join contact k on k.brand_id = p.brand_id and k.id = p.contact_id";
const DELETE_OF: &str = "delete from campaign_recipient where brand_id = $1 and contact_id = $2";
const ASKED_AMONG: &str = "select p.contact_id from r join campaign_recipient p on p.brand_id = r.brand_id \
     and p.contact_id = r.contact_id where p.request_id is not null and p.asked_at >= r.since and p.state <> 'cancelled'";
const IS_AWAITED: &str = "select count(*) from (select 1 from campaign_recipient p \
     join campaign c on c.brand_id = p.brand_id and c.id = p.campaign_id where p.brand_id = $1 and p.contact_id = $2 \
     and p.state in ('waiting', 'held') and c.state in ('enrolling', 'running', 'paused') limit 1) as awaited_ones";
/// Nobody answers any more, and nobody is asked.
const LEAVE_COUNTED: &str = "update campaign_recipient set state = case when state = 'asked' then 'unanswered' else 'left_out' end, \
     why = case when state = 'asked' then why else 'erased' end \
     where brand_id = $1 and contact_id = $2 and state in ('waiting', 'held', 'asked')";
const ASKED_BY: &str = "select p.contact_id, p.campaign_id, p.asked_at from r join campaign_recipient p on p.brand_id = r.brand_id \
     and p.contact_id = r.contact_id where p.request_id is not null and p.asked_at >= r.since and p.state <> 'cancelled'";

macro_rules! fetch {
    ($conn:expr, $sql:expr, $fetch:ident $(, $value:expr)*) => {
        on!($conn, driver => sqlx::query_as($sql)$(.bind($value))*.$fetch(driver).await?)
    };
}

pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    name: &str,
) -> Result<Option<CampaignRow>, StoreError> {
    Ok(fetch!(conn, FIND, fetch_optional, brand, name))
}

pub async fn find_by_id(
    conn: &mut Conn,
    brand: BrandId,
    id: CampaignId,
) -> Result<Option<CampaignRow>, StoreError> {
    Ok(fetch!(conn, FIND_BY_ID, fetch_optional, brand, id))
}

/// A brand's campaigns that are not over, newest first; the first 500.
pub async fn list_under_way(
    conn: &mut Conn,
    brand: BrandId,
) -> Result<Vec<CampaignRow>, StoreError> {
    Ok(fetch!(conn, LIST_UNDER_WAY, fetch_all, brand))
}

/// A brand's campaigns that are older than one, newest first.
pub async fn list_before(
    conn: &mut Conn,
    brand: BrandId,
    before: CampaignId,
    limit: i64,
) -> Result<Vec<CampaignRow>, StoreError> {
    Ok(fetch!(conn, LIST_BEFORE, fetch_all, brand, before, limit))
}

/// A brand's campaigns that are newer than one, oldest first.
pub async fn list_after(
    conn: &mut Conn,
    brand: BrandId,
    after: CampaignId,
    limit: i64,
) -> Result<Vec<CampaignRow>, StoreError> {
    Ok(fetch!(conn, LIST_AFTER, fetch_all, brand, after, limit))
}

/// The campaigns of all brands that have something to do, behind one of them, oldest first.
pub async fn list_at_work(
    conn: &mut Conn,
    after: CampaignId,
    limit: i64,
) -> Result<Vec<CampaignRow>, StoreError> {
    Ok(fetch!(conn, LIST_AT_WORK, fetch_all, after, limit))
}

/// Writes a new campaign, unless one of its name is there.
pub async fn insert(tx: &mut Conn, row: &CampaignRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(INSERT)
            .bind(row.brand_id)
            .bind(row.id)
            .bind(&row.name)
            .bind(&row.plan)
            .bind(row.started_at)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Moves a campaign from the state it is known in to another; false where it was in no such state any more.
pub async fn move_on(
    tx: &mut Conn,
    row: &CampaignRow,
    to: &str,
    why: Option<&str>,
    ended_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let moved = on!(tx, driver => sqlx::query(MOVE)
        .bind(row.brand_id)
        .bind(row.id)
        .bind(&row.state)
        .bind(to)
        .bind(why)
        .bind(ended_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(moved > 0)
}

/// How far the enrolment is; behind the last contact the campaign runs.
pub fn put_enrolled(writes: &mut Writes, row: &CampaignRow) {
    let rows = Rows::of(std::slice::from_ref(row))
        .uuid("brand_id", |row| row.brand_id.0)
        .uuid("id", |row| row.id.0)
        .text("state", |row| row.state.clone())
        .uuid_or_null("enrolled_to", |row| row.enrolled_to.map(|id| id.0))
        .int_or_null("enrolled_from", |row| {
            row.enrolled_from.map(Timestamp::micros)
        });
    writes.add(PUT_ENROLLED, rows);
}

/// How many were asked, written with the recipients that were. The state is not touched: it may have been changed meanwhile.
pub fn put_progress(writes: &mut Writes, row: &CampaignRow) {
    let rows = Rows::of(std::slice::from_ref(row))
        .uuid("brand_id", |row| row.brand_id.0)
        .uuid("id", |row| row.id.0)
        .int("arrival", |row| row.arrival)
        .int("day", |row| row.day)
        .int("asked_on_day", |row| row.asked_on_day)
        .int_or_null("day_began_at", |row| {
            row.day_began_at.map(Timestamp::micros)
        })
        .int("left_before", |row| row.left_before);
    writes.add(PUT_PROGRESS, rows);
}

/// Enrols contacts; those that are enrolled already stay as they are.
pub fn enrol(writes: &mut Writes, recipients: &[RecipientRow]) {
    for part in recipients.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |row| row.brand_id.0)
            .uuid("campaign_id", |row| row.campaign_id.0)
            .uuid("contact_id", |row| row.contact_id.0)
            .text("state", |row| row.state.clone())
            .text_or_null("why", |row| row.why.clone())
            .int("due_at", |row| row.due_at.micros());
        writes.add(ENROL, rows);
    }
}

/// Writes how far recipients are.
pub fn put(writes: &mut Writes, recipients: &[RecipientRow]) {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::micros);
    for part in recipients.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |row| row.brand_id.0)
            .uuid("campaign_id", |row| row.campaign_id.0)
            .uuid("contact_id", |row| row.contact_id.0)
            .text("state", |row| row.state.clone())
            .text_or_null("why", |row| row.why.clone())
            .int("due_at", |row| row.due_at.micros())
            .text_or_null("source", |row| row.source.clone())
            .uuid_or_null("request_id", |row| row.request_id.map(|id| id.0))
            .int("released", |row| row.released)
            .int_or_null("asked_at", |row| micros(row.asked_at))
            .int_or_null("reminded_at", |row| micros(row.reminded_at));
        writes.add(PUT, rows);
    }
}

/// What became of the first mail of each request of a campaign: `accepted` or `failed`. A reminder changes nothing of it.
/// `chance` chooses the part that it is counted in.
pub fn put_mails(writes: &mut Writes, mails: &[(Key, &'static str)], chance: u8) {
    for part in mails.chunks(ROWS_AT_MOST) {
        writes.add(TALLY, fates(part, chance));
        writes.add(PUT_MAIL, fates(part, chance));
    }
}

fn fates<'a>(part: &'a [(Key, &'static str)], chance: u8) -> Rows<'a, (Key, &'static str)> {
    Rows::of(part)
        .uuid("brand_id", |mail| mail.0.0.0)
        .uuid("request_id", |mail| mail.0.1.0)
        .text("mail", |mail| mail.1.to_owned())
        .int("part", |_| i64::from(chance % PARTS))
}

/// Recipients in a state that are due, the first first.
pub async fn list_due(
    conn: &mut Conn,
    campaign: &CampaignRow,
    state: &str,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<RecipientRow>, StoreError> {
    Ok(fetch!(
        conn,
        LIST_DUE,
        fetch_all,
        campaign.brand_id,
        campaign.id,
        state,
        now,
        limit
    ))
}

/// These contacts as recipients of a campaign, in no order.
pub async fn list_of(
    conn: &mut Conn,
    campaign: &CampaignRow,
    contacts: &[ContactId],
) -> Result<Vec<RecipientRow>, StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |_| campaign.brand_id.0)
        .uuid("campaign_id", |_| campaign.id.0)
        .uuid("contact_id", |id| id.0);
    conn.read_set(LIST_OF, rows).await
}

/// What became of a campaign's recipients, behind a contact, in the order in which the brand came to know them.
pub async fn list_outcomes(
    conn: &mut Conn,
    campaign: &CampaignRow,
    (after, down): (Option<ContactId>, bool),
    limit: i64,
) -> Result<Vec<Outcome>, StoreError> {
    let (sql, begin) = if down {
        (LIST_OUTCOMES_DOWN, Uuid::max())
    } else {
        (LIST_OUTCOMES, Uuid::nil())
    };
    let after = after.unwrap_or(ContactId(begin));
    Ok(fetch!(
        conn,
        sql,
        fetch_all,
        campaign.brand_id,
        campaign.id,
        after,
        limit
    ))
}

/// What became of those of a campaign's recipients that are in a state, in the order in which they are due.
pub async fn list_outcomes_in(
    conn: &mut Conn,
    campaign: &CampaignRow,
    state: &str,
    (after, down): (Option<(Timestamp, ContactId)>, bool),
    limit: i64,
) -> Result<Vec<Outcome>, StoreError> {
    let (sql, begin) = if down {
        (LIST_OUTCOMES_IN_DOWN, (i64::MAX, Uuid::max()))
    } else {
        (LIST_OUTCOMES_IN, (i64::MIN, Uuid::nil()))
    };
    let begin = (Timestamp::from_micros(begin.0), ContactId(begin.1));
    let (due_at, contact) = after.unwrap_or(begin);
    Ok(fetch!(
        conn,
        sql,
        fetch_all,
        campaign.brand_id,
        campaign.id,
        state,
        due_at,
        contact,
        limit
    ))
}

/// Whether nobody waits, and everybody's time to answer is over. Who is held for release keeps nothing running.
pub async fn is_over(conn: &mut Conn, campaign: &CampaignRow) -> Result<bool, StoreError> {
    let (open,): (i64,) = fetch!(conn, IS_OVER, fetch_one, campaign.brand_id, campaign.id);
    Ok(open == 0)
}

/// How many people were asked whose mail is neither accepted nor failed.
pub async fn count_fateless(conn: &mut Conn, campaign: &CampaignRow) -> Result<i64, StoreError> {
    let (people,): (i64,) = fetch!(
        conn,
        COUNT_FATELESS,
        fetch_one,
        campaign.brand_id,
        campaign.id
    );
    Ok(people)
}

/// How many first mails of a campaign wait in the outbox after no more than so many tries; up to a limit.
pub async fn count_waiting(
    conn: &mut Conn,
    campaign: &CampaignRow,
    tries: i64,
    limit: i64,
) -> Result<i64, StoreError> {
    let (mails,): (i64,) = fetch!(
        conn,
        COUNT_WAITING,
        fetch_one,
        campaign.brand_id,
        campaign.id,
        tries,
        limit
    );
    Ok(mails)
}

/// The campaign is over: whoever is still paused is not asked any more.
pub async fn skip_paused(tx: &mut Conn, campaign: &CampaignRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(SKIP_PAUSED).bind(campaign.brand_id).bind(campaign.id).execute(driver).await?;
    });
    Ok(())
}

/// Nobody who was not asked yet is asked any more.
pub async fn cancel(tx: &mut Conn, campaign: &CampaignRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(CANCEL).bind(campaign.brand_id).bind(campaign.id).execute(driver).await?;
    });
    Ok(())
}

/// Whose mail never left, since the campaign was cancelled: they were not asked.
pub fn cancel_asked(writes: &mut Writes, requests: &[Key]) {
    for part in requests.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |key| key.0.0)
            .uuid("id", |key| key.1.0);
        writes.add(CANCEL_ASKED, rows);
    }
}

/// A campaign that was done goes on.
pub fn go_on(writes: &mut Writes, row: &CampaignRow) {
    let rows = Rows::of(std::slice::from_ref(row))
        .uuid("brand_id", |row| row.brand_id.0)
        .uuid("id", |row| row.id.0);
    writes.add(GO_ON, rows);
}

/// Whose mail never left, since it came to its turn too late: they were not asked, and are asked anew from an instant on.
pub fn ask_anew(writes: &mut Writes, request: Key, from: Timestamp) {
    let one = [request];
    let rows = Rows::of(&one)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0)
        .int("due_at", |_| from.micros());
    writes.add(ASK_ANEW, rows);
}

/// The campaigns that made these requests.
pub async fn list_of_requests(conn: &mut Conn, keys: &[Key]) -> Result<Vec<OfRequest>, StoreError> {
    let rows = Rows::of(keys)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0);
    conn.read_set(OF_REQUESTS, rows).await
}

/// Which of these contacts any campaign has asked since an instant; not those whose mail never left.
pub async fn asked_among(
    conn: &mut Conn,
    brand: BrandId,
    contacts: &[ContactId],
    since: Timestamp,
) -> Result<Vec<ContactId>, StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |_| brand.0)
        .uuid("contact_id", |id| id.0)
        .int("since", |_| since.micros());
    let found: Vec<(ContactId,)> = conn.read_set(ASKED_AMONG, rows).await?;
    Ok(found.into_iter().map(|one| one.0).collect())
}

/// The same, with the campaigns that did, and when.
pub async fn asked_by(
    conn: &mut Conn,
    brand: BrandId,
    contacts: &[ContactId],
    since: Timestamp,
) -> Result<Vec<(ContactId, CampaignId, Timestamp)>, StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |_| brand.0)
        .uuid("contact_id", |id| id.0)
        .int("since", |_| since.micros());
    conn.read_set(ASKED_BY, rows).await
}

/// Whether a contact waits to be asked, or released, in a campaign that goes on or may at any time.
pub async fn is_awaited(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<bool, StoreError> {
    let (awaited,): (i64,) = fetch!(conn, IS_AWAITED, fetch_one, brand, contact);
    Ok(awaited > 0)
}

/// Leaves a contact that is removed in the numbers of its campaigns: by an id that leads to nobody any more.
pub async fn leave_counted(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(LEAVE_COUNTED).bind(brand).bind(contact).execute(driver).await?;
    });
    Ok(())
}

/// Forgets a contact that is erased.
pub async fn delete_of(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(DELETE_OF).bind(brand).bind(contact).execute(driver).await?; });
    Ok(())
}
