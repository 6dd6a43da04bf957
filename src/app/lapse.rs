//! Implicit consent ends by itself. A question is answered by its date already; this writes it down, and says beforehand who
//! it will be. Safe with several workers: whoever comes second finds nothing left to end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::App;
use super::record::About;
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::standing::{Standing, Standings, State, apply, lapses_at};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::contacts::{self, Contact};
use crate::store::events;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::settings;

/// Contacts in one transaction.
const TOGETHER: i64 = 500;

/// The setting that holds how many are about to lapse, and how long it tells that.
const SOON: &str = "lapsing_soon";
const COUNTED_FOR: Duration = Duration::from_secs(600);

/// How long before its end an operator is told of implicit consent that lapses.
pub const NOTICE: Duration = Duration::from_secs(30 * 86_400);

/// Implicit consent that is about to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapsing {
    pub address: String,
    pub purpose: Slug,
    pub rule: &'static str,
    pub until: Timestamp,
}

impl App {
    /// Ends all implicit consent whose time is over; answers with the number of contacts.
    pub async fn lapse(&self) -> Result<u64, StoreError> {
        let mut ended = 0;
        loop {
            let now = self.clock.now();
            let mut conn = self.store.read().await?;
            let due = contacts::list_lapsing(&mut conn, now, TOGETHER).await?;
            drop(conn);
            if due.is_empty() {
                return Ok(ended);
            }
            ended += decided(|| self.lapse_part(&due)).await?;
        }
    }

    async fn lapse_part(&self, due: &[Contact]) -> Result<u64, StoreError> {
        let mut locks = Locks::default();
        for contact in due {
            locks.contact(contact.brand_id, &contact.address_key);
        }
        let mut held = self.store.hold(locks).await?;
        // The clock is read under the locks, so that times within one contact never run backwards.
        let now = self.clock.now();
        let ids: Vec<_> = due.iter().map(|one| (one.brand_id, one.id)).collect();
        let mut told = Vec::new();
        let mut changed: Vec<(Contact, Standings)> = Vec::new();
        for contact in contacts::find_all(held.conn(), &ids).await? {
            let mut standings = contact.standings.clone();
            for (until, purposes) in over(&standings, now) {
                let fact = Fact::Lapsed {
                    purposes,
                    until,
                    campaign: None,
                    explicit: false,
                };
                apply(&mut standings, &fact, now);
                let about = About {
                    brand: contact.brand_id,
                    contact: contact.id,
                    request: None,
                };
                told.push(self.work().record(about, now, fact)?);
            }
            changed.push((contact, standings));
        }
        let rows: Vec<_> = changed
            .iter()
            .map(|(contact, standings)| (contact.brand_id, contact.id, standings))
            .collect();
        let mut writes = Writes::default();
        contacts::put_standings(&mut writes, &rows);
        events::append(&mut writes, &told);
        held.finish(writes).await?;
        Ok(rows.len() as u64)
    }

    /// Counts whose implicit consent is about to lapse, for pages: a worker does this once a minute.
    pub async fn keep_lapsing(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let counts = contacts::count_lapsing(&mut conn, now.plus(NOTICE)).await?;
        drop(conn);
        let text = serde_json::to_string(&(now, counts)).map_err(|_| StoreError::Corrupt(SOON))?;
        let mut tx = self.store.write().await?;
        settings::put(&mut tx, SOON, &text).await?;
        tx.commit().await
    }

    /// By brands, the number of contacts whose implicit consent lapses within 30 days, as it was counted a moment ago; counted
    /// now where no worker did.
    pub(super) async fn lapsing_soon(&self) -> Result<Vec<(BrandId, i64)>, StoreError> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let kept = settings::find(&mut conn, SOON).await?;
        let kept = kept
            .and_then(|text| serde_json::from_str::<(Timestamp, Vec<(BrandId, i64)>)>(&text).ok());
        match kept.filter(|(at, _)| now.since(*at) < COUNTED_FOR) {
            Some((_, counts)) => Ok(counts),
            None => contacts::count_lapsing(&mut conn, now.plus(NOTICE)).await,
        }
    }

    /// Whose implicit consent to a brand ends before an instant, a page at a time, the first first. `after` is where the page
    /// before ended.
    pub async fn lapsing(
        &self,
        brand: &Brand,
        before: Timestamp,
        after: Option<(Timestamp, ContactId)>,
    ) -> Result<(Vec<Lapsing>, Option<(Timestamp, ContactId)>), StoreError> {
        let after = after.unwrap_or((
            Timestamp::from_micros(i64::MIN),
            ContactId(uuid::Uuid::nil()),
        ));
        let mut conn = self.store.read().await?;
        let page = contacts::list_lapsing_of(&mut conn, brand.id, before, after, TOGETHER).await?;
        let next = page
            .last()
            .and_then(|last| Some((lapses_at(&last.standings)?, last.id)));
        let lines = page.iter().flat_map(|contact| {
            let ends = contact.standings.iter().filter_map(|(purpose, standing)| {
                let until = ends(standing).filter(|until| *until <= before)?;
                Some((purpose, standing, until))
            });
            ends.map(|(purpose, standing, until)| Lapsing {
                address: contact.address.clone(),
                purpose: purpose.clone(),
                rule: standing.rule.id(),
                until,
            })
        });
        Ok((lines.collect(), next))
    }
}

fn ends(standing: &Standing) -> Option<Timestamp> {
    standing.until.filter(|_| standing.state == State::Implicit)
}

/// The purposes whose time is over, by their ends.
fn over(standings: &Standings, now: Timestamp) -> BTreeMap<Timestamp, Vec<Slug>> {
    let mut all: BTreeMap<Timestamp, Vec<Slug>> = BTreeMap::new();
    for (purpose, standing) in standings {
        if let Some(until) = ends(standing).filter(|until| *until <= now) {
            all.entry(until).or_default().push(purpose.clone());
        }
    }
    all
}
