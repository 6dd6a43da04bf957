//! The breaker: when suddenly hardly anybody confirms, mail goes to people who did not ask (T2). Confirmation mails are then
//! held, and none is dropped, until people confirm after all, a window has passed, or the operator says so.
//!
//! A young mail says nothing: nobody has had the time to confirm it. So mails count once they are `young_for` old, while a
//! confirmation counts at once.

use std::time::Duration;

use super::time::Timestamp;

/// When the breaker trips, all settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub on: bool,
    /// How long the window is whose mails are compared with what is usual, and how long mails are held at most.
    pub window: Duration,
    /// Mails younger than this are not judged yet.
    pub young_for: Duration,
    /// Fewer mails in a window are no flood.
    pub mails_at_least: u32,
    /// By how much the confirmed share must fall below the usual one.
    pub fall_percent: u32,
    /// Mails from which on it is known what is usual.
    pub warm_up: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            on: true,
            window: Duration::from_secs(3_600),
            young_for: Duration::from_secs(300),
            mails_at_least: 300,
            fall_percent: 50,
            warm_up: 1_000,
        }
    }
}

/// What is usual is what was so in the week before the window.
pub const USUAL_FOR: Duration = Duration::from_secs(7 * 86_400);

const MINUTE: Duration = Duration::from_secs(60);

/// Where people rarely confirm, a window is judged only once so many confirmations of it would be usual: below, chance
/// alone halves them now and then.
const EXPECTED_AT_LEAST: f64 = 20.0;

/// Confirmation mails that a server took, and confirmations that came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub mailed: i64,
    pub confirmed: i64,
}

impl Tally {
    /// The confirmed share. Confirmations of older mails count as well, so it is cut off at one.
    fn share(self) -> f64 {
        if self.mailed <= 0 {
            return 0.0;
        }
        (self.confirmed as f64 / self.mailed as f64).min(1.0)
    }

    pub fn percent(self) -> u32 {
        (self.share() * 100.0).round() as u32
    }
}

/// Why an open breaker closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// People confirmed after all.
    Recovered,
    /// A window passed; whether the flood is over shows only now.
    Quiet,
    Operator,
    /// The settings turned it off.
    Off,
}

impl Closed {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Quiet => "quiet",
            Self::Operator => "operator",
            Self::Off => "off",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Recovered, Self::Quiet, Self::Operator, Self::Off]
            .into_iter()
            .find(|closed| closed.as_str() == text)
    }
}

/// The spans that are compared: mails count from `from` until before `until`, confirmations from `from` on; what is usual
/// from `usual_from` until before `usual_until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    pub from: Timestamp,
    pub until: Timestamp,
    pub usual_from: Timestamp,
    pub usual_until: Timestamp,
}

impl Rules {
    fn looks_back(&self) -> Duration {
        self.window + self.young_for
    }

    /// What to look at now. Counting begins anew when the breaker closes; after the operator's word it leaves mail alone
    /// for a whole window before that.
    pub fn spans(&self, now: Timestamp, last: Option<(Timestamp, Closed)>) -> Spans {
        let usual_until = now.minus(self.looks_back());
        let anew = last.map(|(at, closed)| match closed {
            Closed::Operator => at.plus(self.looks_back()),
            _ => at,
        });
        Spans {
            from: anew.map_or(usual_until, |at| at.max(usual_until)),
            until: now.minus(self.young_for),
            usual_from: usual_until.minus(USUAL_FOR),
            usual_until,
        }
    }

    /// Whether confirmation mails must be held from now on.
    pub fn trips(&self, usual: Tally, window: Tally) -> bool {
        self.on
            && usual.mailed >= i64::from(self.warm_up)
            && window.mailed >= i64::from(self.mails_at_least)
            && usual.share() * window.mailed as f64 >= EXPECTED_AT_LEAST
            && window.share() < usual.share() * left(self.fall_percent)
    }

    /// Whether a breaker that tripped closes by itself. `since` counts from the beginning of the window that tripped it
    /// until now: no mails are added while they are held, only confirmations.
    pub fn closes(
        &self,
        tripped_at: Timestamp,
        usual: Tally,
        since: Tally,
        now: Timestamp,
    ) -> Option<Closed> {
        if !self.on {
            return Some(Closed::Off);
        }
        // Half of the fall must be made good, so that it does not trip again at the next look.
        if since.share() >= usual.share() * left(self.fall_percent / 2) {
            return Some(Closed::Recovered);
        }
        (now.since(tripped_at) >= self.looks_back()).then_some(Closed::Quiet)
    }

    /// Held mails that leave in this minute once a window has passed: in a window half as many as trip the breaker, so that
    /// what a flood left behind neither leaves at once nor trips it again by itself.
    pub fn portion(&self, at: Timestamp) -> i64 {
        let minutes = i128::from(self.window.as_secs() / MINUTE.as_secs()).max(1);
        let in_window = i128::from(self.mails_at_least / 2);
        let minute = i128::from(at.unix_seconds()) / i128::from(MINUTE.as_secs());
        let until = |minute: i128| minute * in_window / minutes;
        i64::try_from(until(minute + 1) - until(minute)).unwrap_or(1)
    }
}

/// What is left of a whole after a fall.
fn left(fall_percent: u32) -> f64 {
    1.0 - f64::from(fall_percent) / 100.0
}

/// The minute that an instant lies in.
pub const fn minute_of(at: Timestamp) -> Timestamp {
    let length = MINUTE.as_micros() as i64;
    Timestamp::from_micros(at.micros() - at.micros().rem_euclid(length))
}

#[cfg(test)]
mod tests;
