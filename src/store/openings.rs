//! What each network opened of a mail: what tells a scanner from a person. Kept as long as its request is, in a bounded number of
//! rows however often the links are opened; and how many hits on the contacts' own links are kept.

use sha2::{Digest, Sha256};

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, Engine, StoreError, on};
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::scanner::Seen;
use crate::domain::time::Timestamp;

/// Networks of one mail that are told apart once many came; two that fall into the same slot share it as the statement says. The first
/// hits of a mail have slots of their networks' own.
const SLOTS: u8 = 64;

/// What a network opened of a mail in one batch.
#[derive(Clone, Debug)]
pub struct SeenRow {
    pub brand_id: BrandId,
    pub request_id: RequestId,
    /// Whose request it is; not kept.
    pub contact_id: ContactId,
    pub slot: i64,
    pub seen: Seen,
}

/// The slot of a network: its own as long as there is room, else one of a few.
pub fn slot_of(network: &str, has_room: bool) -> i64 {
    let hash = Sha256::digest(network.as_bytes());
    if has_room {
        let own = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        i64::from(SLOTS) + i64::from(own)
    } else {
        i64::from(hash[0] % SLOTS)
    }
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    request_id: RequestId,
    network: String,
    confirm_at: Option<Timestamp>,
    about_at: Option<Timestamp>,
    decline_at: Option<Timestamp>,
    closest: i64,
}

/// The latest hit on each link stays, and the least time that ever lay between the two links; what another network did in a slot gives
/// way, unless it opened both links closer together. Two texts: for the reason that `events.rs` gives, and since the least of several
/// numbers has two names.
const PUT: &str = "insert into opened_from (brand_id, request_id, slot, network, confirm_at, about_at, decline_at, opened_at, closest) \
     select brand_id, request_id, slot, network, confirm_at, about_at, decline_at, opened_at, closest from r where brand_id is not null \
     and exists (select 1 from contact c where c.brand_id = r.brand_id and c.id = r.contact_id) \
     on conflict (brand_id, request_id, slot) do update set network = excluded.network, opened_at = excluded.opened_at, \
     confirm_at = case when opened_from.network = excluded.network \
     then coalesce(excluded.confirm_at, opened_from.confirm_at) else excluded.confirm_at end, \
     about_at = case when opened_from.network = excluded.network \
     then coalesce(excluded.about_at, opened_from.about_at) else excluded.about_at end, \
     decline_at = case when opened_from.network = excluded.network \
     then coalesce(excluded.decline_at, opened_from.decline_at) else excluded.decline_at end, \
     closest = case when opened_from.network = excluded.network then \
     min(opened_from.closest, excluded.closest, \
     coalesce(abs(excluded.confirm_at - opened_from.about_at), 9223372036854775807), \
     coalesce(abs(excluded.about_at - opened_from.confirm_at), 9223372036854775807)) else excluded.closest end \
     where opened_from.network = excluded.network or opened_from.closest >= excluded.closest";
const PUT_POSTGRES: &str = "insert into opened_from (brand_id, request_id, slot, network, confirm_at, about_at, decline_at, opened_at, closest) \
     select r.brand_id, r.request_id, r.slot, r.network, r.confirm_at, r.about_at, r.decline_at, r.opened_at, r.closest from r \
     cross join lateral (select 1 from contact t where t.brand_id = r.brand_id and t.id = r.contact_id for key share) c \
     on conflict (brand_id, request_id, slot) do update set network = excluded.network, opened_at = excluded.opened_at, \
     confirm_at = case when opened_from.network = excluded.network \
     then coalesce(excluded.confirm_at, opened_from.confirm_at) else excluded.confirm_at end, \
     about_at = case when opened_from.network = excluded.network \
     then coalesce(excluded.about_at, opened_from.about_at) else excluded.about_at end, \
     decline_at = case when opened_from.network = excluded.network \
     then coalesce(excluded.decline_at, opened_from.decline_at) else excluded.decline_at end, \
     closest = case when opened_from.network = excluded.network then \
     least(opened_from.closest, excluded.closest, \
     abs(excluded.confirm_at - opened_from.about_at), abs(excluded.about_at - opened_from.confirm_at)) else excluded.closest end \
     where opened_from.network = excluded.network or opened_from.closest >= excluded.closest";
const LIST: &str = "select o.request_id, o.network, o.confirm_at, o.about_at, o.decline_at, o.closest \
     from r cross join opened_from o where o.brand_id = r.brand_id and o.request_id = r.id";
/// Of hits without end a bounded number is looked at: it is many times what makes several people.
const COUNT_PEOPLE: &str = "select r.number, (select count(distinct h.contact_id) from (select q.contact_id from opened_from o \
     join request q on q.brand_id = o.brand_id and q.id = o.request_id \
     where o.network = r.network and o.opened_at > r.since and o.opened_at <= r.until limit 500) h) as people from r \
     where r.number is not null";
/// Two texts for the reason that `budgets.rs` gives.
const LIST_POSTGRES: &str = "select o.request_id, o.network, o.confirm_at, o.about_at, o.decline_at, o.closest \
     from r cross join lateral (select * from opened_from p where p.brand_id = r.brand_id and p.request_id = r.id offset 0) o";
const DELETE_OF_REQUESTS: &str = "delete from opened_from where (brand_id, request_id) in \
     (select brand_id, request_id from r where brand_id is not null) returning 1";
const COUNT_OF_CONTACTS: &str = "select o.contact_id, o.openings from r join contact_opening o \
     on o.brand_id = r.brand_id and o.contact_id = r.contact_id";
const ADD_OF_CONTACTS: &str = "insert into contact_opening (brand_id, contact_id, openings) \
     select brand_id, contact_id, openings from r where brand_id is not null \
     and exists (select 1 from contact c where c.brand_id = r.brand_id and c.id = r.contact_id) \
     on conflict (brand_id, contact_id) do update set openings = contact_opening.openings + excluded.openings";
const DELETE_OF_CONTACT: &str =
    "delete from contact_opening where brand_id = $1 and contact_id = $2";
const PRUNE: &str = "delete from opened_from where opened_at < $1";

/// How many hits on the own links of these contacts are kept.
pub async fn count_of_contacts(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
) -> Result<Vec<(ContactId, i64)>, StoreError> {
    let rows = Rows::of(contacts)
        .uuid("brand_id", |one| one.0.0)
        .uuid("contact_id", |one| one.1.0);
    conn.read_set(COUNT_OF_CONTACTS, rows).await
}

/// Counts hits on the own links of contacts, in the order of these, to be written with `Store::write_of_contacts`.
pub fn add_of_contacts(writes: &mut Writes, hits: &[((BrandId, ContactId), i64)]) {
    for part in hits.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |hit| hit.0.0.0)
            .uuid("contact_id", |hit| hit.0.1.0)
            .int("openings", |hit| hit.1);
        writes.add(ADD_OF_CONTACTS, rows);
    }
}

/// Forgets the count of a contact that is erased.
pub async fn delete_of_contact(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(DELETE_OF_CONTACT).bind(brand).bind(contact).execute(driver).await?;
    });
    Ok(())
}

/// Keeps what networks opened, but for mails of a contact that was erased meanwhile. No two rows may share a request and a slot, and
/// they stand in their order, to be written with `Store::write_of_contacts`.
pub fn put(writes: &mut Writes, engine: Engine, seen: &[SeenRow]) {
    for part in seen.chunks(ROWS_AT_MOST) {
        let at = |at: Option<Timestamp>| at.map(Timestamp::micros);
        let rows = Rows::of(part)
            .uuid("brand_id", |o| o.brand_id.0)
            .uuid("request_id", |o| o.request_id.0)
            .uuid("contact_id", |o| o.contact_id.0)
            .int("slot", |o| o.slot)
            .text("network", |o| o.seen.network.clone())
            .int_or_null("confirm_at", |o| at(o.seen.confirm_at))
            .int_or_null("about_at", |o| at(o.seen.about_at))
            .int_or_null("decline_at", |o| at(o.seen.decline_at))
            .int_or_null("opened_at", |o| at(o.seen.opened_at()))
            .int("closest", |o| o.seen.closest);
        writes.add(engine.text(PUT, PUT_POSTGRES), rows);
    }
}

/// What each network opened of the mails of a batch of requests, whichever of its slots it stands in.
pub async fn list(
    conn: &mut Conn,
    requests: &[(BrandId, RequestId)],
) -> Result<Vec<(RequestId, Seen)>, StoreError> {
    let rows = Rows::of(requests)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0);
    let found: Vec<FoundRow> = conn.read_set(conn.text(LIST, LIST_POSTGRES), rows).await?;
    let mut all: Vec<(RequestId, Seen)> = Vec::with_capacity(found.len());
    for row in found {
        let seen = Seen {
            network: row.network,
            confirm_at: row.confirm_at,
            about_at: row.about_at,
            decline_at: row.decline_at,
            closest: row.closest,
        };
        let is_same =
            |one: &&mut (RequestId, Seen)| one.0 == row.request_id && one.1.network == seen.network;
        match all.iter_mut().find(is_same) {
            Some(one) => one.1.join(&seen),
            None => all.push((row.request_id, seen)),
        }
    }
    Ok(all)
}

/// A network, and the time in which its hits count: behind `after`, and up to `until`.
#[derive(Clone, Debug)]
pub struct Watched {
    pub network: String,
    pub after: Timestamp,
    pub until: Timestamp,
}

/// How many people's links each network opened in its time, in the order of these; some hundreds at most are counted.
pub async fn count_people(conn: &mut Conn, watched: &[Watched]) -> Result<Vec<i64>, StoreError> {
    let numbered: Vec<(i64, &Watched)> = (0..).zip(watched).collect();
    let mut people = vec![0; watched.len()];
    for part in numbered.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .int("number", |one| one.0)
            .text("network", |one| one.1.network.clone())
            .int("since", |one| one.1.after.micros())
            .int("until", |one| one.1.until.micros());
        let found: Vec<(i64, i64)> = conn.read_set(COUNT_PEOPLE, rows).await?;
        for (number, count) in found {
            let place = usize::try_from(number)
                .ok()
                .and_then(|at| people.get_mut(at));
            if let Some(place) = place {
                *place = count;
            }
        }
    }
    Ok(people)
}

/// Deletes the hits on requests of an erased contact; answers with their number.
pub async fn delete_of_requests(
    tx: &mut Conn,
    requests: &[(BrandId, RequestId)],
) -> Result<usize, StoreError> {
    let mut deleted = 0;
    for part in requests.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |key| key.0.0)
            .uuid("request_id", |key| key.1.0);
        let found: Vec<(i32,)> = tx.read_set(DELETE_OF_REQUESTS, rows).await?;
        deleted += found.len();
    }
    Ok(deleted)
}

pub async fn prune(tx: &mut Conn, before: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(PRUNE).bind(before).execute(driver).await?.rows_affected()))
}
