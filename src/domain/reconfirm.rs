//! Asking again by time: when somebody who confirmed is asked whether it still holds. Explicit consent does not end by itself;
//! that it is asked for again after a term is the brand's own choice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::policy::Zone;
use super::standing::Standing;
use super::time::Timestamp;

const YEARS_AT_MOST: u8 = 30;
pub const MONTHS_AT_MOST: u16 = 360;
/// The shortest month, in days, and the longest.
const SHORTEST: u64 = 28;
const LONGEST: u64 = 31;

/// After which time a brand asks again. One of both is there; where both are, whichever is over first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconfirm {
    /// Calendar years since the last confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_years: Option<u8>,
    /// Calendar months without use: since the last use that was reported, or since the last confirmation if that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_months: Option<u16>,
}

impl Reconfirm {
    /// What is wrong with it, and how to mend it.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.after_years.is_none() && self.unused_months.is_none() {
            found.push("reconfirm says after_years, unused_months, or both".to_owned());
        }
        if !(1..=YEARS_AT_MOST).contains(&self.after_years.unwrap_or(1)) {
            found.push(format!(
                "reconfirm.after_years must be 1 to {YEARS_AT_MOST}"
            ));
        }
        if !(1..=MONTHS_AT_MOST).contains(&self.unused_months.unwrap_or(1)) {
            found.push(format!(
                "reconfirm.unused_months must be 1 to {MONTHS_AT_MOST}"
            ));
        }
        found
    }

    /// From when on explicit consent is old enough to be asked for again; none of any other, or beyond the calendar. `used_at` is
    /// its last use, where one was reported. Terms are calendar months from the day of the act, and over at the start of their
    /// last day, as windows are.
    pub fn due_from(
        &self,
        standing: &Standing,
        used_at: Option<Timestamp>,
        zone: &Zone,
    ) -> Option<Timestamp> {
        let confirmed_at = standing.confirmed_at()?;
        let used_at = used_at.map_or(confirmed_at, |used_at| used_at.max(confirmed_at));
        let years = self
            .after_years
            .and_then(|years| zone.months_after(confirmed_at, u16::from(years) * 12));
        let months = self
            .unused_months
            .and_then(|months| zone.months_after(used_at, months));
        years.into_iter().chain(months).min()
    }

    /// Whether it is at an instant.
    pub fn is_over(
        &self,
        standing: &Standing,
        used_at: Option<Timestamp>,
        zone: &Zone,
        at: Timestamp,
    ) -> bool {
        let from = self.due_from(standing, used_at, zone);
        from.is_some_and(|from| from <= at)
    }

    fn shortest(&self) -> Option<u16> {
        let years = self.after_years.map(|years| u16::from(years) * 12);
        years.into_iter().chain(self.unused_months).min()
    }

    /// Whoever confirmed later than this is not due at an instant, whatever the calendar says.
    pub fn confirmed_by(&self, at: Timestamp) -> Timestamp {
        let days = u64::from(self.shortest().unwrap_or(u16::MAX)) * SHORTEST;
        at.minus(Duration::from_secs(days * 86_400))
    }

    /// So many months whoever was asked by time is left alone: those of the settings, or the brand's term if that is shorter.
    fn alone_for(&self, months: u16) -> u16 {
        self.shortest().map_or(months, |term| term.min(months))
    }

    /// Whether somebody who was asked by time at one instant is to be left alone at another, for so many calendar months.
    pub fn leaves_alone(
        &self,
        months: u16,
        asked_at: Timestamp,
        (zone, at): (&Zone, Timestamp),
    ) -> bool {
        let until = zone.months_after(asked_at, self.alone_for(months));
        until.is_none_or(|until| at < until)
    }

    /// Nobody who was asked before this is left alone at an instant, whatever the calendar says.
    pub fn asked_since(&self, months: u16, at: Timestamp) -> Timestamp {
        let days = u64::from(self.alone_for(months)) * LONGEST;
        at.minus(Duration::from_secs((days + 1) * 86_400))
    }

    /// In words, to stand behind "asks again".
    pub fn words(&self) -> String {
        let years = self
            .after_years
            .map(|years| format!("{years} years after the confirmation"));
        let months = self
            .unused_months
            .map(|months| format!("after {months} months without use"));
        let both: Vec<String> = years.into_iter().chain(months).collect();
        both.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Grade;
    use crate::domain::policy::Rule;
    use crate::domain::standing::State;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn confirmed(text: &str) -> Standing {
        Standing::new(State::Explicit, Some(Grade::LinkButton), Rule::G3, at(text))
    }

    #[test]
    fn a_term_of_years_is_over_at_the_start_of_its_day_and_not_a_moment_sooner() {
        let term = Reconfirm {
            after_years: Some(3),
            unused_months: None,
        };
        let zone = Zone::default();
        let standing = confirmed("2023-11-24T15:00:00Z");
        assert!(!term.is_over(&standing, None, &zone, at("2026-11-23T23:59:59Z")));
        assert!(term.is_over(&standing, None, &zone, at("2026-11-24T00:00:00Z")));
        // Use does not lengthen it.
        let used = Some(at("2026-11-20T00:00:00Z"));
        assert!(term.is_over(&standing, used, &zone, at("2026-11-24T00:00:00Z")));
    }

    #[test]
    fn a_term_without_use_begins_at_the_later_of_use_and_confirmation() {
        let term = Reconfirm {
            after_years: None,
            unused_months: Some(24),
        };
        let zone = Zone::default();
        let standing = confirmed("2024-01-10T08:00:00Z");
        let now = at("2026-01-10T00:00:00Z");
        assert!(term.is_over(&standing, None, &zone, now));
        assert!(!term.is_over(&standing, Some(at("2024-01-11T00:00:00Z")), &zone, now));
        assert!(term.is_over(&standing, Some(at("2020-05-05T00:00:00Z")), &zone, now));
        let renewed = Standing {
            renewed_at: Some(at("2025-06-01T00:00:00Z")),
            ..standing
        };
        assert!(!term.is_over(&renewed, None, &zone, now));
    }

    #[test]
    fn where_both_terms_are_declared_the_first_to_be_over_says_from_when_on() {
        let term = Reconfirm {
            after_years: Some(3),
            unused_months: Some(24),
        };
        let zone = Zone::default();
        let standing = confirmed("2024-01-10T08:00:00Z");
        let from = |used: Option<&str>| term.due_from(&standing, used.map(at), &zone);
        assert_eq!(from(None), Some(at("2026-01-10T00:00:00Z")));
        let used = Some("2024-06-01T12:00:00Z");
        assert_eq!(from(used), Some(at("2026-06-01T00:00:00Z")));
        let lately = Some("2026-06-01T12:00:00Z");
        assert_eq!(from(lately), Some(at("2027-01-10T00:00:00Z")));
        let implicit = Standing::new(State::Implicit, None, Rule::G3, at("2024-01-10T08:00:00Z"));
        assert_eq!(term.due_from(&implicit, None, &zone), None);
    }

    #[test]
    fn who_is_due_was_always_confirmed_by_the_day_that_the_index_is_asked_for() {
        let zone = Zone::default();
        for (years, months) in [
            (Some(1), None),
            (None, Some(1)),
            (Some(3), Some(24)),
            (None, Some(25)),
        ] {
            let term = Reconfirm {
                after_years: years,
                unused_months: months,
            };
            for day in 0..1_200 {
                let now = at("2026-03-01T00:00:00Z");
                let since = now.minus(Duration::from_secs(day * 86_400));
                let standing = Standing::new(State::Explicit, None, Rule::G3, since);
                if term.is_over(&standing, None, &zone, now) {
                    assert!(since <= term.confirmed_by(now), "{term:?}, {day} days");
                }
            }
        }
    }

    #[test]
    fn who_was_asked_is_left_alone_until_the_day_twelve_months_later_and_for_a_shorter_term_of_the_brand_that()
     {
        let zone = Zone::default();
        let of = |months| Reconfirm {
            after_years: None,
            unused_months: Some(months),
        };
        for (months, asked, last, free) in [
            (
                24,
                "2024-11-24T15:00:00Z",
                "2025-11-23T23:59:59Z",
                "2025-11-24T00:00:00Z",
            ),
            (
                24,
                "2024-02-29T08:00:00Z",
                "2025-02-28T23:59:59Z",
                "2025-03-01T00:00:00Z",
            ),
            (
                3,
                "2025-06-30T08:00:00Z",
                "2025-09-29T23:59:59Z",
                "2025-09-30T00:00:00Z",
            ),
        ] {
            let (term, asked) = (of(months), at(asked));
            assert!(term.leaves_alone(12, asked, (&zone, at(last))), "{last}");
            assert!(!term.leaves_alone(12, asked, (&zone, at(free))), "{free}");
            // The index is asked for everybody who is left alone.
            assert!(term.asked_since(12, at(last)) <= asked, "{last}");
        }
    }

    #[test]
    fn a_term_that_says_nothing_or_too_much_is_refused() {
        let problems = |after_years, unused_months| {
            Reconfirm {
                after_years,
                unused_months,
            }
            .problems()
            .len()
        };
        assert_eq!(problems(None, None), 1);
        assert_eq!(problems(Some(0), Some(0)), 2);
        assert_eq!(problems(Some(31), Some(361)), 2);
        assert_eq!(problems(Some(3), Some(24)), 0);
    }
}
