//! Rates as a decision sees them: what was read of each, and by how much the decision moves it. Every way that causes a mail
//! goes through here, so that none is forgotten and each refusal is counted.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::budget::{Limits, MailboxWindow, Occasion, Rate};
use crate::domain::ids::FormId;
use crate::domain::time::Timestamp;
use crate::store::{Conn, StoreError, budgets};
use crate::telemetry;

pub(super) use crate::store::signups::INSTALLATION;

/// What moves in place of the installation's rate where no mail is queued and the time of the answer must not tell.
pub(super) const NOBODY: &str = "nobody";

/// Counts a mail that the budget of a mailbox or of a network refused, for `/metrics`.
pub(super) fn refused(budget: &'static str) {
    count(budget, budget);
}

/// The same of a rate that holds back, by what became of the mail and by whose rate it is.
fn count(budget: &'static str, of: &'static str) {
    metrics::counter!(telemetry::BUDGET, "budget" => budget, "of" => of).increment(1);
}

/// Whose rate it is.
fn whose(key: &str) -> &'static str {
    if key == INSTALLATION {
        "installation"
    } else {
        "form"
    }
}

/// The rate of whatever a form causes.
pub(super) fn of_form(form: FormId) -> String {
    format!("form:{form}")
}

/// How long a mail may be held because too many came at once.
pub(super) const HELD_AT_MOST: Duration = Duration::from_secs(86_400);

/// The same of a mail that waits for its form or the installation: no longer than a day, nor than half of the time to answer.
pub(super) fn held_at_most(confirm_within: Duration) -> Duration {
    HELD_AT_MOST.min(confirm_within / 2)
}

/// What rates would move to.
pub(super) struct Reserved<const N: usize> {
    arrivals: [(String, i64); N],
    due_at: Timestamp,
    /// Whose rate is the one that lets it leave last.
    of: &'static str,
}

#[derive(Debug)]
pub(super) struct Rates {
    now: Timestamp,
    arrivals: HashMap<String, i64>,
    moved: HashMap<String, i64>,
}

impl Rates {
    /// None known yet.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            arrivals: HashMap::new(),
            moved: HashMap::new(),
        }
    }

    pub async fn read(
        conn: &mut Conn,
        keys: &[String],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut rates = Self::at(now);
        rates
            .arrivals
            .extend(budgets::find_rates(conn, keys).await?);
        Ok(rates)
    }

    pub fn learn(&mut self, key: String, arrival: Option<i64>) {
        self.arrivals.extend(arrival.map(|at| (key, at)));
    }

    pub fn arrival(&self, key: &str) -> Option<i64> {
        self.arrivals.get(key).copied()
    }

    /// Where one more now would take a rate; none where there is none left, which is counted.
    pub fn next(&self, key: &str, rate: Rate) -> Option<i64> {
        let next = rate.take(self.arrival(key), self.now).ok();
        if next.is_none() {
            refused("network");
        }
        next
    }

    /// One more of rates that only hold back; none, which is counted, where its mail would have to wait longer than it may.
    pub fn reserve<const N: usize>(
        &self,
        rates: [(String, u32); N],
        at_most: Duration,
    ) -> Option<Reserved<N>> {
        let (mut due_at, mut of) = (self.now, "");
        let arrivals = rates.map(|(key, an_hour)| {
            let (arrival, from) = Rate { an_hour }.reserve(self.arrival(&key), self.now);
            if from > due_at {
                (due_at, of) = (from, whose(&key));
            }
            (key, arrival)
        });
        if due_at > self.now.plus(at_most) {
            count("full", of);
            return None;
        }
        Some(Reserved {
            arrivals,
            due_at,
            of,
        })
    }

    /// One mail of a form, from all that it counts towards: its mailbox, which says yes or no, the form and the installation, which hold
    /// it up to what it may wait. From when it may leave; none where one of them says no, which is counted, and then nothing is taken.
    pub fn take_mail(
        &mut self,
        window: &mut MailboxWindow,
        (occasion, form): (Occasion, FormId),
        limits: &Limits,
        at_most: Duration,
    ) -> Option<Timestamp> {
        let both = [
            (of_form(form), limits.per_form_an_hour),
            (INSTALLATION.to_owned(), limits.per_installation_an_hour),
        ];
        let reserved = self.reserve(both, at_most)?;
        if !window.take(occasion, form, self.now, limits) {
            refused("mailbox");
            return None;
        }
        Some(self.take(reserved))
    }

    /// Takes what was reserved: from when the mail may leave.
    pub fn take<const N: usize>(&mut self, reserved: Reserved<N>) -> Timestamp {
        if reserved.due_at > self.now {
            count("held", reserved.of);
        }
        for (key, arrival) in reserved.arrivals {
            self.move_to(key, arrival);
        }
        reserved.due_at
    }

    pub fn move_to(&mut self, key: String, arrival: i64) {
        let before = self.arrivals.insert(key.clone(), arrival).unwrap_or(0);
        *self.moved.entry(key).or_insert(0) += arrival - before.max(self.now.micros());
    }

    /// Moves rates of nobody's as a mail would have moved those of its form and the installation, and of its network where that
    /// one did not move.
    pub fn move_nobody(&mut self, limits: &Limits, network: bool) {
        for (key, an_hour, moves) in [
            ("nobody:network", limits.per_network_an_hour, network),
            ("nobody:form", limits.per_form_an_hour, true),
            (NOBODY, limits.per_installation_an_hour, true),
        ] {
            if moves {
                let (arrival, _) = Rate { an_hour }.reserve(self.arrival(key), self.now);
                self.move_to(key.to_owned(), arrival);
            }
        }
    }

    /// By how much each moved, to be written.
    pub fn moved(self) -> Vec<(String, i64)> {
        self.moved.into_iter().collect()
    }
}
