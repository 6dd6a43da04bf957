//! Instants and spans.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An instant: microseconds since 1970-01-01T00:00:00Z. Stored as BIGINT on both engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    pub fn minus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// `2026-11-23 17:34 UTC`, for operators and auditors.
    pub fn to_the_minute(self) -> String {
        let at = self.date_time();
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02} UTC",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute()
        )
    }

    /// As the language writes it, to the minute, in UTC and saying so: `23 Nov 2026, 17:34 (UTC)`. In one language all
    /// have one length, so that a mail can be filled in.
    pub fn for_people(self, language: &str) -> String {
        let at = self.date_time();
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute) = (at.hour(), at.minute());
        match language {
            "de" => format!("{day:02}.{month:02}.{year:04} um {hour:02}:{minute:02} Uhr (UTC)"),
            "nl" => format!("{day:02}-{month:02}-{year:04} om {hour:02}:{minute:02} uur (UTC)"),
            // No line may break within the time.
            "fr" => {
                format!("{day:02}/{month:02}/{year:04} à {hour:02}\u{a0}h\u{a0}{minute:02} (UTC)")
            }
            "es" => format!("{day:02}/{month:02}/{year:04}, {hour:02}:{minute:02}\u{a0}h (UTC)"),
            _ => {
                let month = at.month().to_string();
                let month = month.get(..3).unwrap_or_default();
                format!("{day:02} {month} {year:04}, {hour:02}:{minute:02} (UTC)")
            }
        }
    }

    /// Reads RFC 3339 with any offset, or a plain date (its first instant in UTC).
    pub fn parse(text: &str) -> Option<Self> {
        let full = if text.len() == 10 {
            format!("{text}T00:00:00Z")
        } else {
            text.to_owned()
        };
        let at = OffsetDateTime::parse(&full, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000))
            .ok()
            .map(Self)
    }

    /// `Mon, 23 Nov 2026 17:34:05 +0000`, for the Date header (RFC 5322, section 3.3).
    pub fn rfc2822(self) -> String {
        self.date_time()
            .format(&time::format_description::well_known::Rfc2822)
            .unwrap_or_default()
    }
}

/// RFC 3339 in UTC with microseconds: `2026-11-23T17:34:05.000000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.date_time();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.microsecond()
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_microseconds_and_read_back() {
        let at = Timestamp::from_micros(1_795_455_245_000_042);
        assert_eq!(at.to_string(), "2026-11-23T17:34:05.000042Z");
        assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
    }

    #[test]
    fn an_offset_is_converted_and_a_plain_date_is_its_first_instant() {
        assert_eq!(
            Timestamp::parse("2026-11-23T01:00:00+01:00"),
            Timestamp::parse("2026-11-23")
        );
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn instants_past_2038_and_extremes_do_not_panic() {
        assert_eq!(
            Timestamp::parse("2040-02-29T00:00:00Z").map(|at| at.to_string()),
            Some("2040-02-29T00:00:00.000000Z".to_owned())
        );
        let _ = Timestamp::from_micros(i64::MAX).to_string();
        let _ = Timestamp::from_micros(i64::MIN).for_people("fr");
    }

    #[test]
    fn people_read_dates_as_their_language_writes_them_with_the_time_zone_named() {
        let at = Timestamp::from_micros(1_780_646_645_000_000);
        for (language, written) in [
            ("en", "05 Jun 2026, 08:04 (UTC)"),
            ("nl", "05-06-2026 om 08:04 uur (UTC)"),
            ("de", "05.06.2026 um 08:04 Uhr (UTC)"),
            ("fr", "05/06/2026 à 08\u{a0}h\u{a0}04 (UTC)"),
            ("es", "05/06/2026, 08:04\u{a0}h (UTC)"),
        ] {
            assert_eq!(at.for_people(language), written);
        }
    }

    #[test]
    fn in_one_language_all_dates_have_one_length() {
        let year = (0..366).map(|day| Timestamp::from_micros(day * 86_413_000_000));
        for language in crate::domain::brand::LANGUAGES {
            let lengths: std::collections::BTreeSet<usize> = year
                .clone()
                .map(|at| at.for_people(language).len())
                .collect();
            assert_eq!(lengths.len(), 1, "{language}");
        }
    }
}
