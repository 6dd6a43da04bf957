//! Recording hits on the links of mails. A hit changes nothing else (T9).

use std::collections::HashMap;

use super::record::{About, whose};
use super::{App, Work};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Fact, Link};
use crate::domain::ids::{BrandId, EventId, RequestId};
use crate::store::openings::{self, OpeningRow};
use crate::store::requests::{self, Key, RequestRow};
use crate::store::set::Writes;
use crate::store::{StoreError, events};
use crate::telemetry;

/// Hits in one transaction at most.
pub const BATCH: usize = 1_024;

/// Hits on one mail that are kept; what comes after tells nothing new and would fill the disk.
const KEPT_PER_REQUEST: i64 = 40;

/// One hit, by whatever method.
#[derive(Clone, Debug)]
pub struct Opened {
    pub brand: BrandId,
    pub request: RequestId,
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

pub(super) async fn run(work: &Work, calls: Vec<Opened>) -> Result<Vec<()>, StoreError> {
    let mut keys: Vec<Key> = calls
        .iter()
        .map(|call| (call.brand, call.request))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let mut conn = work.store.read().await?;
    let found = requests::list(&mut conn, &keys).await?;
    drop(conn);
    let found: HashMap<RequestId, RequestRow> =
        found.into_iter().map(|row| (row.id, row)).collect();
    let now = work.clock.now();
    let answers = vec![(); calls.len()];
    let mut hits: HashMap<Key, i64> = HashMap::new();
    let mut rows = Vec::new();
    let mut events = Vec::new();
    for call in calls {
        let Some(request) = found.get(&call.request) else {
            continue;
        };
        let hits = hits.entry((call.brand, call.request)).or_default();
        if request.openings + *hits >= KEPT_PER_REQUEST {
            continue;
        }
        *hits += 1;
        if !call.same_browser {
            rows.push(OpeningRow {
                brand_id: call.brand,
                request_id: call.request,
                contact_id: request.contact_id,
                id: EventId(work.random.uuid_v7(now)),
                link: call.link,
                network: call.circumstances.neighbourhood(),
                at: now,
            });
        }
        let about = About {
            brand: call.brand,
            contact: request.contact_id,
            request: Some(call.request),
        };
        let fact = Fact::LinkOpened {
            link: call.link,
            method: call.method,
            same_browser: call.same_browser,
            circumstances: call.circumstances,
        };
        events.push(work.record(about, now, fact)?);
    }
    let hits: Vec<(Key, i64)> = hits.into_iter().collect();
    let mut writes = Writes::default();
    requests::count_openings(&mut writes, &hits);
    // Nothing was locked: an erasure may have come in between, and then nothing of it is kept.
    let engine = work.store.engine();
    openings::insert(&mut writes, engine, &rows);
    events::append_to_known(&mut writes, engine, &events);
    let contacts = whose(&events);
    work.store.write_of_contacts(&contacts, writes).await?;
    Ok(answers)
}
