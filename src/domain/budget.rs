//! How much mail may be caused: per mailbox by exact sliding windows, per network, form and installation by GCRA.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::FormId;
use super::time::Timestamp;

/// The limits, all settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One mail per form and mailbox in this time, for new signups.
    pub per_form_every: Duration,
    /// Mails per mailbox and day over all forms of the brand; resends count.
    pub per_mailbox_a_day: u32,
    /// The shortest time between a mail and its resend.
    pub resend_after: Duration,
    pub per_network_an_hour: u32,
    /// In place of `per_network_an_hour` for the tablets of a form's booth.
    pub per_kiosk_an_hour: u32,
    /// In place of `per_network_an_hour` for an API key that names no client address.
    pub per_key_an_hour: u32,
    pub per_form_an_hour: u32,
    pub per_installation_an_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_form_every: Duration::from_secs(600),
            per_mailbox_a_day: 3,
            resend_after: Duration::from_secs(60),
            per_network_an_hour: 60,
            per_kiosk_an_hour: 240,
            per_key_an_hour: 2_000,
            per_form_an_hour: 2_000,
            per_installation_an_hour: 10_000,
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// One mail caused: when, and by which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caused(pub i64, pub FormId);

/// The mails that one mailbox was sent in the last day. At most `per_mailbox_a_day` entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailboxWindow(pub Vec<Caused>);

/// What a mail would be for: a new signup keeps the longer distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    Signup,
    Resend,
}

impl MailboxWindow {
    /// Takes one mail from the budget, or says no and takes nothing.
    pub fn take(
        &mut self,
        occasion: Occasion,
        form: FormId,
        now: Timestamp,
        limits: &Limits,
    ) -> bool {
        let day_ago = now.minus(DAY).micros();
        self.0.retain(|caused| caused.0 > day_ago);
        if self.0.len() >= limits.per_mailbox_a_day as usize {
            return false;
        }
        let distance = match occasion {
            Occasion::Signup => limits.per_form_every,
            Occasion::Resend => limits.resend_after,
        };
        let since = now.minus(distance).micros();
        if self
            .0
            .iter()
            .any(|caused| caused.1 == form && caused.0 > since)
        {
            return false;
        }
        self.0.push(Caused(now.micros(), form));
        true
    }
}

/// A rate by the generic cell rate algorithm (ITU-T I.371): an hour's worth may come at once, after that evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub an_hour: u32,
}

impl Rate {
    /// Microseconds from one to the next, once the hour's worth is used up.
    pub fn spacing(self) -> i64 {
        HOUR.as_micros() as i64 / i64::from(self.an_hour.max(1))
    }

    /// Takes one. `arrival` is the stored theoretical arrival time in microseconds. `Err` carries the instant from which
    /// one more would be allowed; nothing is taken then. A rate of 0 is no limit.
    pub fn take(self, arrival: Option<i64>, now: Timestamp) -> Result<i64, Timestamp> {
        let arrival = arrival.unwrap_or(0).max(now.micros());
        if self.an_hour == 0 {
            return Ok(arrival);
        }
        let allowed_from = arrival + self.spacing() - HOUR.as_micros() as i64;
        if allowed_from > now.micros() {
            return Err(Timestamp::from_micros(allowed_from));
        }
        Ok(arrival + self.spacing())
    }

    /// Takes one from the future where the present is used up: the mail is held until then, never dropped.
    pub fn reserve(self, arrival: Option<i64>, now: Timestamp) -> (i64, Timestamp) {
        match self.take(arrival, now) {
            Ok(next) => (next, now),
            Err(from) => (
                arrival.unwrap_or(0).max(now.micros()) + self.spacing(),
                from,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

    fn form(number: u128) -> FormId {
        FormId(Uuid::from_u128(number))
    }

    #[test]
    fn a_mailbox_gets_one_mail_per_form_in_ten_minutes_and_three_a_day_over_all_forms() {
        let limits = Limits::default();
        let mut window = MailboxWindow::default();
        let at = |minutes: u64| NOW.plus(Duration::from_secs(minutes * 60));
        assert!(window.take(Occasion::Signup, form(1), at(0), &limits));
        assert!(!window.take(Occasion::Signup, form(1), at(9), &limits));
        assert!(window.take(Occasion::Signup, form(2), at(9), &limits));
        assert!(window.take(Occasion::Signup, form(1), at(10), &limits));
        assert!(!window.take(Occasion::Signup, form(3), at(11), &limits));
        assert!(!window.take(Occasion::Resend, form(3), at(1439), &limits));
        assert!(window.take(Occasion::Signup, form(3), at(1440), &limits));
    }

    #[test]
    fn a_resend_waits_a_minute_and_counts_towards_the_day() {
        let limits = Limits::default();
        let mut window = MailboxWindow::default();
        let at = |seconds: u64| NOW.plus(Duration::from_secs(seconds));
        assert!(window.take(Occasion::Signup, form(1), at(0), &limits));
        assert!(!window.take(Occasion::Resend, form(1), at(59), &limits));
        assert!(window.take(Occasion::Resend, form(1), at(60), &limits));
        assert!(window.take(Occasion::Resend, form(1), at(120), &limits));
        assert!(!window.take(Occasion::Resend, form(1), at(180), &limits));
    }

    #[test]
    fn a_rate_lets_an_hours_worth_through_at_once_and_then_one_at_a_time() {
        let rate = Rate { an_hour: 4 };
        let mut arrival = None;
        for _ in 0..4 {
            arrival = Some(rate.take(arrival, NOW).unwrap());
        }
        let from = rate.take(arrival, NOW).unwrap_err();
        assert_eq!(from.since(NOW), Duration::from_secs(900));
        assert!(rate.take(arrival, from).is_ok());
    }

    #[test]
    fn a_reserved_mail_is_held_until_its_turn_and_each_next_one_later() {
        let rate = Rate { an_hour: 2 };
        let mut arrival = None;
        let mut due = Vec::new();
        for _ in 0..4 {
            let (next, at) = rate.reserve(arrival, NOW);
            arrival = Some(next);
            due.push(at.since(NOW).as_secs());
        }
        assert_eq!(due, [0, 0, 1800, 3600]);
    }
}
