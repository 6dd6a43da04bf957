//! What is counted of signups and of mails, by day, and what the figures say.

use std::ops::AddAssign;
use std::time::Duration;

use super::time::Timestamp;

/// Days are those of UTC.
const DAY_MICROS: i64 = 86_400_000_000;

/// The day of an instant, as days since 1970.
pub const fn day_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(DAY_MICROS)
}

/// The first instant of a day.
pub const fn start_of(day: i64) -> Timestamp {
    Timestamp::from_micros(day.saturating_mul(DAY_MICROS))
}

/// Where what is not counted by its own name is counted.
pub const OTHER: &str = "other";

/// By what figures are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// All signups.
    All,
    /// All that a campaign asked.
    Invited,
    Form,
    Source,
    /// Recipient domains of signups.
    Domain,
    /// Recipient domains of all mails, under the day on which something became of them.
    Mail,
}

impl Dimension {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Invited => "invited",
            Self::Form => "form",
            Self::Source => "source",
            Self::Domain => "domain",
            Self::Mail => "mail",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::All,
            Self::Invited,
            Self::Form,
            Self::Source,
            Self::Domain,
            Self::Mail,
        ]
        .into_iter()
        .find(|one| one.as_str() == text)
    }
}

/// Figures of a day, or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Figures {
    /// Signups; of what campaigns asked, requests.
    pub signed_up: i64,
    /// Of these, those that caused no mail: a budget was used up, the person wants none, or a program signed up.
    pub held_back: i64,
    /// Of these, those of which a server took a mail. By mails: the mails that servers took.
    pub mailed: i64,
    /// Of these, those whose confirmation link was opened, by whomever.
    pub opened: i64,
    pub confirmed: i64,
    pub declined: i64,
    /// Of these, those of which a mail was given up. By mails: the mails that were given up.
    pub failed: i64,
    /// Of these, those that a later signup replaced, or whose address was corrected.
    pub replaced: i64,
    /// People who left, under the day on which they did.
    pub withdrawn: i64,
    /// Mails that came back, and complaints, under the day on which they did.
    pub bounced: i64,
    pub complained: i64,
    /// Confirmations by the time since the signup.
    pub within_minute: i64,
    pub within_ten_minutes: i64,
    pub within_hour: i64,
    pub within_day: i64,
    pub later: i64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.signed_up += other.signed_up;
        self.held_back += other.held_back;
        self.mailed += other.mailed;
        self.opened += other.opened;
        self.confirmed += other.confirmed;
        self.declined += other.declined;
        self.failed += other.failed;
        self.replaced += other.replaced;
        self.withdrawn += other.withdrawn;
        self.bounced += other.bounced;
        self.complained += other.complained;
        self.within_minute += other.within_minute;
        self.within_ten_minutes += other.within_ten_minutes;
        self.within_hour += other.within_hour;
        self.within_day += other.within_day;
        self.later += other.later;
    }
}

impl std::iter::Sum for Figures {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

impl Figures {
    /// Counts a confirmation that came so long after its signup.
    pub const fn confirm_after(&mut self, taken: Duration) {
        self.confirmed += 1;
        match taken.as_secs() {
            0..60 => self.within_minute += 1,
            60..600 => self.within_ten_minutes += 1,
            600..3_600 => self.within_hour += 1,
            3_600..86_400 => self.within_day += 1,
            _ => self.later += 1,
        }
    }

    /// How many confirmed how soon, soonest first. The classes do not overlap.
    pub const fn times(&self) -> [(&'static str, i64); 5] {
        [
            ("within a minute", self.within_minute),
            ("within 10 minutes", self.within_ten_minutes),
            ("within an hour", self.within_hour),
            ("within a day", self.within_day),
            ("later than a day", self.later),
        ]
    }

    /// The class that the middle confirmation falls into: half of all came then or sooner. None where nobody confirmed.
    pub fn median(&self) -> Option<&'static str> {
        let all: i64 = self.times().iter().map(|time| time.1).sum();
        let mut sooner = 0;
        self.times()
            .iter()
            .filter(|_| all > 0)
            .find(|time| {
                sooner += time.1;
                sooner * 2 >= all
            })
            .map(|time| time.0)
    }
}

/// A share in percent with one digit; a dash where there is nothing to take a share of.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    let tenths = (i128::from(part) * 1_000 + i128::from(whole) / 2) / i128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_class_of_the_middle_confirmation() {
        assert_eq!(Figures::default().median(), None);
        let mut figures = Figures::default();
        for seconds in [5, 59, 60, 599, 4_000] {
            figures.confirm_after(Duration::from_secs(seconds));
        }
        assert_eq!(figures.median(), Some("within 10 minutes"));
        assert_eq!(figures.times().map(|time| time.1), [2, 2, 0, 1, 0]);
        figures.confirm_after(Duration::from_secs(1));
        assert_eq!(figures.median(), Some("within a minute"));
    }

    #[test]
    fn a_share_is_rounded_to_a_tenth_and_of_nothing_there_is_none() {
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(2, 3), "66.7 %");
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc_before_1970_too() {
        assert_eq!(day_of(Timestamp::from_micros(-1)), -1);
        assert_eq!(
            start_of(day_of(Timestamp::from_micros(86_400_000_001))).micros(),
            86_400_000_000
        );
    }
}
