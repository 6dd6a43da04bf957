//! Windows: calendar years and months from a dated act, in the brand's time zone.

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// How long implicit consent lasts after the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Until it is withdrawn.
    Open,
    Months(u16),
    /// As many months after the last activity as the brand sets.
    Activity,
    /// As long as that of the source at the old brand.
    Original,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("no fixed end"),
            Self::Months(months) if months % 12 == 0 => write!(f, "{} years", months / 12),
            Self::Months(months) => write!(f, "{months} months"),
            Self::Original => f.write_str("as long as the original's window"),
            Self::Activity => {
                f.write_str("12 months after the last activity, or as the brand sets")
            }
        }
    }
}

/// The name of a time zone in the IANA database, such as `Europe/Amsterdam`. The database is built in: the machine is not
/// asked, so that one date means the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ZoneName(String);

impl Default for ZoneName {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl ZoneName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ZoneName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let found = TimeZoneDatabase::bundled().get(&text).ok();
        // The database ignores case; a name that is kept is kept as the database writes it.
        let name = found.and_then(|zone| zone.iana_name().map(str::to_owned));
        name.map(Self).ok_or_else(|| {
            format!(
                "\"{}\" is no time zone; use a name of the IANA database, such as Europe/Amsterdam or UTC",
                text.chars().take(60).collect::<String>().escape_debug()
            )
        })
    }
}

/// A time zone, ready to reckon with.
#[derive(Clone, Debug)]
pub struct Zone {
    name: ZoneName,
    zone: TimeZone,
}

impl Default for Zone {
    fn default() -> Self {
        Self::of(&ZoneName::default())
    }
}

impl Zone {
    pub fn of(name: &ZoneName) -> Self {
        Self {
            name: name.clone(),
            zone: TimeZoneDatabase::bundled()
                .get(&name.0)
                .unwrap_or(TimeZone::UTC),
        }
    }

    pub fn name(&self) -> &str {
        &self.name.0
    }

    /// The day that it is there at an instant.
    pub fn day(&self, at: Timestamp) -> Option<Date> {
        self.local(at).map(|local| local.date())
    }

    fn local(&self, at: Timestamp) -> Option<jiff::Zoned> {
        let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }

    /// The first instant of a day. Where clocks skip midnight, the day begins later; where they repeat it, at the first.
    pub(super) fn start_of(&self, day: Date) -> Option<Timestamp> {
        let start = day
            .to_datetime(Time::midnight())
            .to_zoned(self.zone.clone())
            .ok()?;
        Some(Timestamp::from_micros(start.timestamp().as_microsecond()))
    }

    /// The first instant of a day that is written `2026-11-24`.
    pub fn start_of_written(&self, day: &str) -> Option<Timestamp> {
        self.start_of(read_day(day)?)
    }

    /// An instant as people write it: RFC 3339, or a day for its first instant.
    pub fn instant(&self, text: &str) -> Option<Timestamp> {
        self.start_of_written(text)
            .or_else(|| Timestamp::parse(text))
    }

    /// The start of the day that lies so many calendar months behind the day of an instant.
    pub fn months_after(&self, at: Timestamp, months: u16) -> Option<Timestamp> {
        self.start_of(months_after(self.day(at)?, months)?)
    }

    /// The hour of the day that it is there, 0 to 23.
    pub fn hour(&self, at: Timestamp) -> u8 {
        let hour = self.local(at).map_or(0, |local| local.hour());
        u8::try_from(hour).unwrap_or(0)
    }

    /// The next instant after this one at which it is this hour there, 0 to 23. Where clocks skip the hour, the one behind it.
    pub fn next_hour(&self, at: Timestamp, hour: u8) -> Option<Timestamp> {
        let local = self.local(at)?;
        let time = Time::new(i8::try_from(hour).ok()?, 0, 0, 0).ok()?;
        let of = |day: Date| day.to_datetime(time).to_zoned(self.zone.clone()).ok();
        let mut next = of(local.date())?;
        if next <= local {
            next = of(local.date().tomorrow().ok()?)?;
        }
        Some(Timestamp::from_micros(next.timestamp().as_microsecond()))
    }

    /// `2026-11-24 00:00 (Europe/Amsterdam)`.
    pub fn written(&self, at: Timestamp) -> String {
        self.local(at).map_or_else(
            || at.to_string(),
            |local| {
                format!(
                    "{} {:02}:{:02} ({})",
                    local.date(),
                    local.hour(),
                    local.minute(),
                    self.name
                )
            },
        )
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads `YYYY-MM-DD` and nothing else: a date that could be read in two ways proves nothing.
pub(super) fn read_day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    let year = text.get(..4)?.parse().ok()?;
    let month = text.get(5..7)?.parse().ok()?;
    let day = text.get(8..)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

/// So many calendar months after a day. A day that the month does not have is the first of the month after it: what begins
/// on 29 February ends two years later at the start of 1 March.
pub(super) fn months_after(day: Date, months: u16) -> Option<Date> {
    let count = i32::from(day.year()) * 12 + i32::from(day.month()) - 1 + i32::from(months);
    let year = i16::try_from(count.div_euclid(12)).ok()?;
    let month = i8::try_from(count.rem_euclid(12) + 1).ok()?;
    let first = Date::new(year, month, 1).ok()?;
    if day.day() <= first.days_in_month() {
        Date::new(year, month, day.day()).ok()
    } else {
        first.last_of_month().tomorrow().ok()
    }
}
