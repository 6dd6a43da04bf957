//! The mail that a signup may cause, taken from all budgets or from none.

use std::time::Duration;

use super::SignUp;
use super::batch::{Batch, form_key, network_key, rate_of};
use crate::domain::budget::{Occasion, Rate};
use crate::domain::event::MailFate;
use crate::domain::time::Timestamp;
use crate::store::signups::INSTALLATION;
use crate::telemetry;

/// How long a booth's mail may be held because too many came at once.
const HELD_AT_MOST: Duration = Duration::from_secs(86_400);

impl Batch<'_> {
    /// Takes a mail from all budgets or from none. Mailbox and network say yes or no; form and installation only hold.
    pub(super) fn take_budget(&mut self, call: &SignUp, suppressed: bool) -> (MailFate, Timestamp) {
        let now = self.now;
        if call.bot {
            return (MailFate::Bot, now);
        }
        if suppressed {
            return (MailFate::Suppressed, now);
        }
        let network = network_key(call);
        let Some((arrival, of_network)) = self.network(call, &network) else {
            metrics::counter!(telemetry::BUDGET, "budget" => "network").increment(1);
            return (MailFate::OverBudget, now);
        };
        let limits = self.limits;
        let window = &mut self.mailbox(call).window;
        if !window.take(Occasion::Signup, call.form.id, now, limits) {
            metrics::counter!(telemetry::BUDGET, "budget" => "mailbox").increment(1);
            return (MailFate::OverBudget, now);
        }
        self.move_rate(network, arrival);
        let of_form = self.reserve(form_key(&call.form), limits.per_form_an_hour);
        let of_all = self.reserve(INSTALLATION.to_owned(), limits.per_installation_an_hour);
        (MailFate::Queued, of_network.max(of_form).max(of_all))
    }

    /// One more from this network: its new arrival time, and from when the mail may leave. A booth that comes back with a
    /// day's entries has its mails held, for who signed there has no page to ask for another; but no longer than a day, or
    /// a stranger could queue up without end.
    fn network(&self, call: &SignUp, key: &str) -> Option<(i64, Timestamp)> {
        let (rate, now) = (rate_of(call, self.limits), self.now);
        let arrival = self.rates.get(key).copied();
        if call.booth.is_none() {
            return Some((rate.take(arrival, now).ok()?, now));
        }
        let (arrival, due_at) = rate.reserve(arrival, now);
        (due_at <= now.plus(HELD_AT_MOST)).then_some((arrival, due_at))
    }

    fn reserve(&mut self, key: String, an_hour: u32) -> Timestamp {
        let (arrival, due_at) = Rate { an_hour }.reserve(self.rates.get(&key).copied(), self.now);
        if due_at > self.now {
            metrics::counter!(telemetry::BUDGET, "budget" => "held").increment(1);
        }
        self.move_rate(key, arrival);
        due_at
    }

    fn move_rate(&mut self, key: String, arrival: i64) {
        let before = self.rates.insert(key.clone(), arrival).unwrap_or(0);
        *self.moved.entry(key).or_insert(0) += arrival - before.max(self.now.micros());
    }
}
