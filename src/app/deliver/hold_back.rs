//! Holding back what the breaker holds, and what is over the rates of its brand, its recipient domain and its campaign.
//!
//! Each mail over a rate is due again at an instant of its own, so that a long backlog is not claimed anew for every mail that
//! leaves. A turn is when a mail is looked at, no reservation: the rate itself is taken by whoever is claimed, and signups line
//! up as if no campaign's mails waited.

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
use crate::store::{Conn, StoreError, budgets};

/// A rate's key, and how many mails an hour it lets through.
type Limit = (String, u32);

/// Turns are given up to the next whole hour; in microseconds. Whoever finds none before it is looked at again then, so that a
/// rate that was raised or lifted is felt within the hour.
const TURNS: i64 = 3_600_000_000;
/// Within it stand those who found no turn.
const A_SECOND: i64 = 1_000_000;

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

/// A limit that a mail is over, and from when on it lets one more through.
type Over = (Limit, Timestamp);

impl Rates {
    /// Takes one mail from all of its limits, or from none; then the error has those that it is over.
    fn take(&mut self, limits: &[Limit]) -> Result<(), Vec<Over>> {
        let mut taken = Vec::with_capacity(limits.len());
        let mut over = Vec::new();
        for limit in limits {
            let (key, an_hour) = limit;
            let rate = Rate { an_hour: *an_hour };
            match rate.take(self.arrivals.get(key).copied(), self.now) {
                Ok(arrival) => taken.push((key, arrival)),
                Err(from) => over.push((limit.clone(), from)),
            }
        }
        if !over.is_empty() {
            return Err(over);
        }
        for (key, arrival) in taken {
            let before = self.arrivals.insert(key.clone(), arrival).unwrap_or(0);
            *self.moved.entry(key.clone()).or_insert(0) += arrival - before.max(self.now.micros());
        }
        Ok(())
    }
}

/// Who lines up at a limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Whoever signed up, or asked for a link.
    People,
    /// A campaign's mails, behind those.
    Campaigns,
}

/// A mail that is over some of its limits.
struct Held {
    key: OutboxKey,
    line: Line,
    over: Vec<Over>,
}

/// Where it is kept until when a line's turns are given.
fn line_key(line: Line, limit: &str) -> String {
    match line {
        Line::People => rate_key("turn", limit),
        Line::Campaigns => rate_key("campaign turn", limit),
    }
}

/// The lines at the limits as a batch of mails makes them longer: for each the first instant that was given to nobody.
struct Turns {
    now: Timestamp,
    free: HashMap<String, i64>,
}

impl Turns {
    fn free(&self, line: Line, limit: &str) -> i64 {
        let known = self.free.get(&line_key(line, limit)).copied();
        known.unwrap_or(0)
    }

    /// When it is a mail's turn at a limit.
    fn turn(&self, line: Line, (limit, from): (&str, Timestamp)) -> i64 {
        let behind_people = from.micros().max(self.free(Line::People, limit));
        match line {
            Line::People => behind_people,
            Line::Campaigns => behind_people.max(self.free(line, limit)),
        }
    }

    /// When a held mail is due. It lines up at the limit where its turn is the latest: at the others it would only take the
    /// turns of mails that could use them.
    fn give(&mut self, mail: &Held) -> Option<Timestamp> {
        let turns = mail.over.iter().map(|(limit, from)| {
            let turn = self.turn(mail.line, (limit.0.as_str(), *from));
            (turn, limit)
        });
        let (turn, (limit, an_hour)) = turns.max()?;
        let until = self.turns_end();
        let (due, free) = if turn < until {
            (turn, turn + Rate { an_hour: *an_hour }.spacing())
        } else {
            // In the order in which they came, a microsecond apart.
            let free = self.free(mail.line, limit).max(until);
            (free.min(until + A_SECOND), free + 1)
        };
        self.free.insert(line_key(mail.line, limit), free);
        Some(Timestamp::from_micros(due))
    }

    fn turns_end(&self) -> i64 {
        let now = self.now.micros();
        now - now.rem_euclid(TURNS) + TURNS
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

    /// Applies the rates per brand, per recipient domain and per campaign; a mail over its rate goes back, due at its turn.
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
        let mut held = Vec::new();
        for (job, limits) in jobs.into_iter().zip(limits) {
            match rates.take(&limits) {
                Ok(()) => kept.push(job),
                Err(over) => held.push(Held {
                    key: job.mail.key(),
                    line: job.pace.map_or(Line::People, |_| Line::Campaigns),
                    over,
                }),
            }
        }
        let mut moved: Vec<(String, i64)> = rates.moved.into_iter().collect();
        let mut writes = Writes::default();
        if !held.is_empty() {
            let (due, longer) = line_up(held_rates.conn(), &held, now).await?;
            outbox::release(&mut writes, self.app.store.engine(), &due);
            moved.extend(longer);
        }
        budgets::add_rates(&mut writes, &moved, now);
        held_rates.finish(writes).await?;
        self.under_way.remove(held.iter().map(|mail| &mail.key));
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

type Due = Vec<(OutboxKey, Timestamp)>;
type Longer = Vec<(String, i64)>;

/// When each of these mails is due, and by how much that makes the lines longer. The locks of their rates are held.
async fn line_up(
    conn: &mut Conn,
    held: &[Held],
    now: Timestamp,
) -> Result<(Due, Longer), StoreError> {
    let over = held.iter().flat_map(|mail| &mail.over);
    let mut keys: Vec<String> = over
        .flat_map(|((limit, _), _)| {
            [Line::People, Line::Campaigns].map(|line| line_key(line, limit))
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let before: HashMap<String, i64> = budgets::find_rates(conn, &keys)
        .await?
        .into_iter()
        .collect();
    let mut turns = Turns {
        now,
        free: before.clone(),
    };
    let mut due = Vec::with_capacity(held.len());
    for mail in held {
        due.extend(turns.give(mail).map(|turn| (mail.key, turn)));
    }
    let longer = turns.free.into_iter().map(|(key, free)| {
        let stood = before.get(&key).copied().unwrap_or(0);
        (key, free - stood.max(now.micros()))
    });
    Ok((due, longer.collect()))
}
