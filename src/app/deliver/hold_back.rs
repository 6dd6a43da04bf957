//! Holding back what the breaker holds, and what is over the rates of its brand, its recipient domain and its campaign.

use std::collections::HashMap;

use super::Delivery;
use super::wanted::Job;
use crate::app::catalog::Catalog;
use crate::app::sign_up::rate_key;
use crate::domain::budget::Rate;
use crate::domain::time::Timestamp;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxKey};
use crate::store::set::Writes;
use crate::store::{StoreError, budgets};

/// A rate's key, and how many mails an hour it lets through.
type Limit = (String, u32);

fn keys_of(limits: &[Vec<Limit>]) -> Vec<String> {
    let mut keys: Vec<String> = limits.iter().flatten().map(|one| one.0.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Rates as a batch of mails moves them on.
struct Rates {
    now: Timestamp,
    arrivals: HashMap<String, i64>,
    moved: HashMap<String, i64>,
}

impl Rates {
    /// Takes one mail from all of its limits, or from none; then the error is the instant at which it is its turn.
    fn take(&mut self, limits: &[Limit]) -> Result<(), Timestamp> {
        let mut taken = Vec::with_capacity(limits.len());
        let mut later = None;
        for (key, an_hour) in limits {
            let rate = Rate { an_hour: *an_hour };
            match rate.take(self.arrivals.get(key).copied(), self.now) {
                Ok(arrival) => taken.push((key, arrival)),
                Err(from) => later = later.max(Some(from)),
            }
        }
        if let Some(from) = later {
            return Err(from);
        }
        for (key, arrival) in taken {
            let before = self.arrivals.insert(key.clone(), arrival).unwrap_or(0);
            *self.moved.entry(key.clone()).or_insert(0) += arrival - before.max(self.now.micros());
        }
        Ok(())
    }
}

impl Delivery {
    /// Puts mails by until the breaker closes. If the process dies before the commit, their leases run out and they are
    /// claimed again.
    pub(super) async fn put_by(&self, jobs: &[Job]) -> Result<(), StoreError> {
        let keys: Vec<OutboxKey> = jobs.iter().map(|job| job.mail.key()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut writes = Writes::default();
        outbox::put_by(&mut writes, self.app.store.engine(), &keys);
        self.app.store.write_now(writes).await?;
        self.under_way.remove(&keys);
        Ok(())
    }

    /// Applies the rates per brand, per recipient domain and per campaign; a mail over its rate goes back, due when it is its turn.
    pub(super) async fn hold_back(
        &self,
        jobs: Vec<Job>,
        now: Timestamp,
    ) -> Result<Vec<Job>, StoreError> {
        let catalog = self.app.catalog();
        let limits: Vec<Vec<Limit>> = jobs
            .iter()
            .map(|job| self.limits_of(&catalog, job))
            .collect();
        let keys = keys_of(&limits);
        if keys.is_empty() {
            return Ok(jobs);
        }
        let mut locks = Locks::default();
        keys.iter().for_each(|key| locks.rate(key));
        let mut held_rates = self.app.store.hold(locks).await?;
        let found = budgets::find_rates(held_rates.conn(), &keys).await?;
        let mut rates = Rates {
            now,
            arrivals: found.into_iter().collect(),
            moved: HashMap::new(),
        };
        let mut kept = Vec::with_capacity(jobs.len());
        let mut held: Vec<(OutboxKey, Timestamp)> = Vec::new();
        for (job, limits) in jobs.into_iter().zip(limits) {
            match rates.take(&limits) {
                Ok(()) => kept.push(job),
                Err(from) => held.push((job.mail.key(), from)),
            }
        }
        let moved: Vec<(String, i64)> = rates.moved.into_iter().collect();
        let mut writes = Writes::default();
        outbox::release(&mut writes, self.app.store.engine(), &held);
        budgets::add_rates(&mut writes, &moved, now);
        held_rates.finish(writes).await?;
        self.under_way.remove(held.iter().map(|mail| &mail.0));
        Ok(kept)
    }

    /// The limits that a mail counts towards; 0 mails an hour means that there is none.
    fn limits_of(&self, catalog: &Catalog, job: &Job) -> Vec<Limit> {
        let of_brand = catalog
            .brand(job.mail.brand_id)
            .map_or(0, |brand| brand.declared.mails_per_hour);
        let of_domain = self.app.config.delivery.per_domain_an_hour;
        let brand = || rate_key("send brand", &job.mail.brand_id.to_string());
        let domain = || rate_key("send domain", &job.mail.recipient_domain);
        let mut limits = Vec::new();
        if of_brand > 0 {
            limits.push((brand(), of_brand));
        }
        if of_domain > 0 {
            limits.push((domain(), of_domain));
        }
        // They were asked at this rate, and leave at it too when much has waited.
        if let Some((campaign, an_hour)) = job.pace.filter(|pace| pace.1 > 0) {
            limits.push((rate_key("send campaign", &campaign.to_string()), an_hour));
        }
        limits
    }
}
