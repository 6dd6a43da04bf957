//! The mail that a signup may cause, taken from all budgets or from none.

use super::SignUp;
use super::batch::{Batch, network_key, rate_of};
use crate::app::rates::{HELD_AT_MOST, held_at_most, refused};
use crate::domain::budget::Occasion;
use crate::domain::event::MailFate;
use crate::domain::time::Timestamp;

impl Batch<'_> {
    /// Takes a mail from all budgets or from none, but that a signup counts for its network whatever becomes of it: else the next
    /// ones' mails would tell whether this one caused any (T19). What is not moved has a rate of nobody's moved in its place, by the
    /// same statement.
    pub(super) fn take_budget(&mut self, call: &SignUp, suppressed: bool) -> (MailFate, Timestamp) {
        if call.bot {
            self.rates.move_nobody(self.limits, true);
            return (MailFate::Bot, self.now);
        }
        let network = network_key(call);
        let Some((arrival, of_network)) = self.network(call, &network) else {
            self.rates.move_nobody(self.limits, true);
            return (MailFate::OverBudget, self.now);
        };
        self.rates.move_to(network, arrival);
        let (mail, due_at) = self.try_budget(call, suppressed);
        if mail != MailFate::Queued {
            self.rates.move_nobody(self.limits, false);
        }
        (mail, of_network.max(due_at))
    }

    /// The mailbox says yes or no; form and installation hold, up to what their mails may wait.
    fn try_budget(&mut self, call: &SignUp, suppressed: bool) -> (MailFate, Timestamp) {
        let (now, limits) = (self.now, self.limits);
        if suppressed {
            return (MailFate::Suppressed, now);
        }
        let at_most = held_at_most(call.brand.confirm_within());
        let what = (Occasion::Signup, call.form.id);
        let mut window = std::mem::take(&mut self.mailbox(call).window);
        let due_at = self.rates.take_mail(&mut window, what, limits, at_most);
        self.mailbox(call).window = window;
        due_at.map_or((MailFate::OverBudget, now), |at| (MailFate::Queued, at))
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
