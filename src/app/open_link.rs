//! Recording hits on the links of mails. A hit changes nothing else (T9).

use std::collections::{BTreeMap, HashMap};

use super::record::{About, whose};
use super::{App, Work};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Fact, Link};
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::scanner::{NEVER, Seen};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::openings::{self, SeenRow, slot_of};
use crate::store::requests::{self, Key, RequestRow};
use crate::store::set::Writes;
use crate::telemetry;

/// Hits in one transaction at most.
pub const BATCH: usize = 256;

/// Hits on one mail that are kept as events: what comes after tells nobody anything new and would fill the disk. What each network
/// opened last, and how close together, is kept of all of them, in a bounded number of rows.
const KEPT_PER_REQUEST: i64 = 40;

/// Hits on a contact's own links (to leave, to the preferences) that are kept, in all: these links work for years. Batches side by
/// side may keep some more, each no more than so many.
const KEPT_PER_CONTACT: i64 = 40;

/// Whose link it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Request(RequestId),
    Contact(ContactId),
}

/// One hit, by whatever method.
#[derive(Clone, Debug)]
pub struct Opened {
    pub brand: BrandId,
    pub whose: Whose,
    pub link: Link,
    pub method: String,
    /// With the cookie of the browser that signed up: certainly no scanner.
    pub same_browser: bool,
    pub circumstances: Circumstances,
}

impl App {
    /// Records a hit. A failure is logged and does not keep the person from the page.
    pub async fn link_opened(&self, opened: Opened) {
        metrics::counter!(
            telemetry::OPENINGS,
            "link" => opened.link.as_str(),
            "method" => if opened.method == "HEAD" { "HEAD" } else { "GET" },
        )
        .increment(1);
        if let Err(error) = self.openings.call(opened).await {
            tracing::warn!(%error, "a hit on a link could not be recorded");
        }
    }
}

/// What a batch of hits writes.
#[derive(Default)]
struct Hits {
    of_requests: HashMap<Key, i64>,
    of_contacts: BTreeMap<(BrandId, ContactId), i64>,
    /// By request and slot, in this order: batches side by side write the same rows.
    seen: BTreeMap<(BrandId, RequestId, i64), SeenRow>,
    events: Vec<NewEvent>,
}

/// What was kept before it.
struct Known {
    requests: HashMap<RequestId, RequestRow>,
    contacts: HashMap<ContactId, i64>,
}

impl Known {
    async fn read(work: &Work, calls: &[Opened]) -> Result<Self, StoreError> {
        let mut keys: Vec<Key> = Vec::new();
        let mut contacts: Vec<(BrandId, ContactId)> = Vec::new();
        for call in calls {
            match call.whose {
                Whose::Request(id) => keys.push((call.brand, id)),
                Whose::Contact(id) => contacts.push((call.brand, id)),
            }
        }
        keys.sort_unstable();
        keys.dedup();
        contacts.sort_unstable();
        contacts.dedup();
        let mut conn = work.store.read().await?;
        let requests = requests::list(&mut conn, &keys).await?;
        let counts = openings::count_of_contacts(&mut conn, &contacts).await?;
        Ok(Self {
            requests: requests.into_iter().map(|row| (row.id, row)).collect(),
            contacts: counts.into_iter().collect(),
        })
    }
}

impl Hits {
    /// Keeps a hit, unless enough of the same are kept.
    fn add(
        &mut self,
        work: &Work,
        known: &Known,
        now: Timestamp,
        call: Opened,
    ) -> Result<(), StoreError> {
        let about = match call.whose {
            Whose::Request(id) => {
                let Some(request) = known.requests.get(&id) else {
                    return Ok(());
                };
                let hits = self.of_requests.entry((call.brand, id)).or_default();
                let has_room = request.openings + *hits < KEPT_PER_REQUEST;
                *hits += i64::from(has_room);
                if !call.same_browser {
                    let network = work.mark_of(&call.circumstances);
                    self.see(request, (call.link, network), has_room, now);
                }
                if !has_room {
                    return Ok(());
                }
                About {
                    brand: call.brand,
                    contact: request.contact_id,
                    request: Some(id),
                }
            }
            Whose::Contact(id) => {
                let hits = self.of_contacts.entry((call.brand, id)).or_default();
                if known.contacts.get(&id).copied().unwrap_or(0) + *hits >= KEPT_PER_CONTACT {
                    return Ok(());
                }
                *hits += 1;
                About {
                    brand: call.brand,
                    contact: id,
                    request: None,
                }
            }
        };
        let fact = Fact::LinkOpened {
            link: call.link,
            method: call.method,
            same_browser: call.same_browser,
            circumstances: call.circumstances,
        };
        self.events.push(work.record(about, now, fact)?);
        Ok(())
    }

    /// Keeps what a network opened; of two networks in one slot as the store does.
    fn see(
        &mut self,
        request: &RequestRow,
        (link, network): (Link, String),
        has_room: bool,
        now: Timestamp,
    ) {
        let slot = slot_of(&network, has_room);
        let key = (request.brand_id, request.id, slot);
        let row = self.seen.entry(key).or_insert_with(|| SeenRow {
            brand_id: request.brand_id,
            request_id: request.id,
            contact_id: request.contact_id,
            slot,
            seen: Seen::of(network.clone()),
        });
        if row.seen.network != network {
            if row.seen.closest < NEVER {
                return;
            }
            row.seen = Seen::of(network);
        }
        row.seen.hit(link, now);
    }
}

pub(super) async fn run(work: &Work, calls: Vec<Opened>) -> Result<Vec<()>, StoreError> {
    let known = Known::read(work, &calls).await?;
    let now = work.clock.now();
    let answers = vec![(); calls.len()];
    let mut hits = Hits::default();
    for call in calls {
        hits.add(work, &known, now, call)?;
    }
    let of_requests: Vec<(Key, i64)> = hits
        .of_requests
        .into_iter()
        .filter(|one| one.1 > 0)
        .collect();
    let seen: Vec<SeenRow> = hits.seen.into_values().collect();
    let of_contacts: Vec<_> = hits
        .of_contacts
        .into_iter()
        .filter(|one| one.1 > 0)
        .collect();
    let mut writes = Writes::default();
    requests::count_openings(&mut writes, &of_requests);
    openings::add_of_contacts(&mut writes, &of_contacts);
    // Nothing was locked: an erasure may have come in between, and then nothing of it is kept.
    let engine = work.store.engine();
    openings::put(&mut writes, engine, &seen);
    events::append_to_known(&mut writes, engine, &hits.events);
    let mut contacts = whose(&hits.events);
    contacts.extend(seen.iter().map(|row| (row.brand_id, row.contact_id)));
    contacts.sort_unstable();
    contacts.dedup();
    work.store.write_of_contacts(&contacts, writes).await?;
    Ok(answers)
}
