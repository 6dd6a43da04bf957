//! The mail that a signup may cause, taken from all budgets or from none.

use std::time::Duration;

use super::SignUp;
use super::batch::{Batch, network_key, rate_of};
use crate::app::rates::{INSTALLATION, of_form, refused};
use crate::domain::budget::Occasion;
use crate::domain::event::MailFate;
use crate::domain::time::Timestamp;

/// How long a booth's mail may be held because too many came at once.
const HELD_AT_MOST: Duration = Duration::from_secs(86_400);

impl Batch<'_> {
    /// Takes a mail from all budgets or from none. Mailbox and network say yes or no; form and installation only hold. Without a
    /// mail rates of nobody's are written in their place, by the same statement (T19).
    pub(super) fn take_budget(&mut self, call: &SignUp, suppressed: bool) -> (MailFate, Timestamp) {
        let (mail, due_at) = self.try_budget(call, suppressed);
        if mail != MailFate::Queued {
            self.rates.move_nobody(self.limits);
        }
        (mail, due_at)
    }

    fn try_budget(&mut self, call: &SignUp, suppressed: bool) -> (MailFate, Timestamp) {
        let now = self.now;
        if call.bot {
            return (MailFate::Bot, now);
        }
        if suppressed {
            return (MailFate::Suppressed, now);
        }
        let network = network_key(call);
        let Some((arrival, of_network)) = self.network(call, &network) else {
            return (MailFate::OverBudget, now);
        };
        let limits = self.limits;
        let window = &mut self.mailbox(call).window;
        if !window.take(Occasion::Signup, call.form.id, now, limits) {
            refused("mailbox");
            return (MailFate::OverBudget, now);
        }
        let rates = &mut self.rates;
        rates.move_to(network, arrival);
        let by_form = rates.reserve(of_form(call.form.id), limits.per_form_an_hour);
        let by_all = rates.reserve(INSTALLATION.to_owned(), limits.per_installation_an_hour);
        (MailFate::Queued, of_network.max(by_form).max(by_all))
    }

    /// One more from this network: its new arrival time, and from when the mail may leave. A booth that comes back with a
    /// day's entries has its mails held, for who signed there has no page to ask for another; but no longer than a day, or
    /// a stranger could queue up without end.
    fn network(&self, call: &SignUp, key: &str) -> Option<(i64, Timestamp)> {
        let (rate, now) = (rate_of(call, self.limits), self.now);
        if call.booth.is_none() {
            return Some((self.rates.next(key, rate)?, now));
        }
        let (arrival, due_at) = rate.reserve(self.rates.arrival(key), now);
        if due_at > now.plus(HELD_AT_MOST) {
            refused("network");
            return None;
        }
        Some((arrival, due_at))
    }
}
