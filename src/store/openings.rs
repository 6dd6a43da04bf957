//! Hits on the links of mails: what tells a scanner from a person. Kept as long as their request is.

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, Engine, StoreError, on};
use crate::domain::event::Link;
use crate::domain::ids::{BrandId, ContactId, EventId, RequestId};
use crate::domain::scanner::Opening;
use crate::domain::time::Timestamp;

/// One hit.
#[derive(Clone, Debug)]
pub struct OpeningRow {
    pub brand_id: BrandId,
    pub request_id: RequestId,
    /// Whose request it is; not kept.
    pub contact_id: ContactId,
    pub id: EventId,
    pub link: Link,
    pub network: String,
    pub at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    request_id: RequestId,
    link: String,
    network: String,
    at: Timestamp,
}

const INSERT: &str = "insert into opening (brand_id, request_id, id, link, network, at) \
     select brand_id, request_id, id, link, network, at from r where brand_id is not null \
     and exists (select 1 from contact c where c.brand_id = r.brand_id and c.id = r.contact_id)";
/// Two texts for the reason that `events.rs` gives.
const INSERT_POSTGRES: &str = "insert into opening (brand_id, request_id, id, link, network, at) \
     select r.brand_id, r.request_id, r.id, r.link, r.network, r.at from r \
     cross join lateral (select 1 from contact t where t.brand_id = r.brand_id and t.id = r.contact_id for key share) c";
const LIST: &str = "select o.request_id, o.link, o.network, o.at \
     from r cross join opening o where o.brand_id = r.brand_id and o.request_id = r.id";
const COUNT_PEOPLE: &str = "select r.network, count(distinct q.contact_id) as people \
     from r cross join opening o join request q on q.brand_id = o.brand_id and q.id = o.request_id \
     where o.network = r.network and o.at > r.since and o.link = 'confirm' group by r.network";
/// Two texts for the reason that `budgets.rs` gives.
const LIST_POSTGRES: &str = "select o.request_id, o.link, o.network, o.at \
     from r cross join lateral (select * from opening p where p.brand_id = r.brand_id and p.request_id = r.id offset 0) o";
const COUNT_PEOPLE_POSTGRES: &str = "select r.network, count(distinct q.contact_id) as people \
     from r cross join lateral (select * from opening p where p.network = r.network and p.at > r.since \
     and p.link = 'confirm' offset 0) o \
     join request q on q.brand_id = o.brand_id and q.id = o.request_id group by r.network";
const DELETE_OF_REQUESTS: &str = "delete from opening where (brand_id, request_id) in \
     (select brand_id, request_id from r where brand_id is not null) returning 1";
const COUNT_OF_CONTACTS: &str = "select o.contact_id, o.openings from r join contact_opening o \
     on o.brand_id = r.brand_id and o.contact_id = r.contact_id";
const ADD_OF_CONTACTS: &str = "insert into contact_opening (brand_id, contact_id, openings) \
     select brand_id, contact_id, openings from r where brand_id is not null \
     and exists (select 1 from contact c where c.brand_id = r.brand_id and c.id = r.contact_id) \
     on conflict (brand_id, contact_id) do update set openings = contact_opening.openings + excluded.openings";
const DELETE_OF_CONTACT: &str =
    "delete from contact_opening where brand_id = $1 and contact_id = $2";
const PRUNE: &str = "delete from opening where at < $1";

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

/// Keeps hits, but for those on a contact that was erased meanwhile.
pub fn insert(writes: &mut Writes, engine: Engine, openings: &[OpeningRow]) {
    for part in openings.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |o| o.brand_id.0)
            .uuid("request_id", |o| o.request_id.0)
            .uuid("contact_id", |o| o.contact_id.0)
            .uuid("id", |o| o.id.0)
            .text("link", |o| o.link.as_str().to_owned())
            .text("network", |o| o.network.clone())
            .int("at", |o| o.at.micros());
        writes.add(engine.text(INSERT, INSERT_POSTGRES), rows);
    }
}

/// The hits on the links of a batch of requests.
pub async fn list(
    conn: &mut Conn,
    requests: &[(BrandId, RequestId)],
) -> Result<Vec<(RequestId, Opening)>, StoreError> {
    let rows = Rows::of(requests)
        .uuid("brand_id", |key| key.0.0)
        .uuid("id", |key| key.1.0);
    let found: Vec<FoundRow> = conn.read_set(conn.text(LIST, LIST_POSTGRES), rows).await?;
    found
        .into_iter()
        .map(|row| {
            let link = Link::parse(&row.link).ok_or(StoreError::Corrupt("opening"))?;
            let opening = Opening {
                link,
                at: row.at,
                network: row.network,
            };
            Ok((row.request_id, opening))
        })
        .collect()
}

/// How many people's links each network opened since an instant.
pub async fn count_people(
    conn: &mut Conn,
    networks: &[String],
    since: Timestamp,
) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = Rows::of(networks)
        .text("network", String::clone)
        .int("since", |_| since.micros());
    let sql = conn.text(COUNT_PEOPLE, COUNT_PEOPLE_POSTGRES);
    conn.read_set(sql, rows).await
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
