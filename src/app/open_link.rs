//! Recording hits on the links of mails. A hit changes nothing else (T9).

use std::collections::HashMap;

use super::{App, Work};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact, Link, SCHEMA_VERSION};
use crate::domain::ids::{BrandId, RequestId};
use crate::store::openings::{self, OpeningRow};
use crate::store::requests::{self, RequestRow};
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
    let mut tx = work.store.write().await?;
    let mut keys: Vec<(BrandId, RequestId)> = calls
        .iter()
        .map(|call| (call.brand, call.request))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let mut found: HashMap<RequestId, RequestRow> = requests::find_to_decide(&mut tx, &keys)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let now = work.clock.now();
    let answers = vec![(); calls.len()];
    let mut rows = Vec::new();
    let mut facts = Vec::new();
    for call in calls {
        let Some(request) = found.get_mut(&call.request) else {
            continue;
        };
        if request.openings >= KEPT_PER_REQUEST {
            continue;
        }
        request.openings += 1;
        let id = work.event_id(now);
        if !call.same_browser {
            rows.push(OpeningRow {
                brand_id: call.brand,
                request_id: call.request,
                id,
                link: call.link,
                network: call.circumstances.neighbourhood(),
                at: now,
            });
        }
        facts.push(Event {
            id,
            schema: SCHEMA_VERSION,
            brand: call.brand,
            contact: request.contact_id,
            request: Some(call.request),
            at: now,
            fact: Fact::LinkOpened {
                link: call.link,
                method: call.method,
                same_browser: call.same_browser,
                circumstances: call.circumstances,
            },
        });
    }
    let touched: Vec<RequestRow> = found.into_values().collect();
    requests::update(&mut tx, &touched).await?;
    openings::insert(&mut tx, &rows).await?;
    events::append(&mut tx, &facts).await?;
    tx.commit().await?;
    Ok(answers)
}
