//! Dates as people write them, turned into the one form that the policy reads. What can be read in two ways is left as it is,
//! and the policy then finds it unreadable (D4): a guess would be a wrong proof.

use jiff::civil::Date;

use crate::domain::policy::Zone;
use crate::domain::time::Timestamp;

/// How days and months stand in a date of three numbers, as the operator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    DayFirst,
    MonthFirst,
}

/// The day that a text tells, as `YYYY-MM-DD`. Of an instant that says how far it is from UTC, the day that it was in the zone; of a
/// time that does not, the day as it is written.
pub fn day(text: &str, order: Option<Order>, zone: &Zone) -> Option<String> {
    let text = text.trim();
    if text.len() > 60 {
        return None;
    }
    if let Some(at) = exact(text) {
        return zone.day(at).map(|day| day.to_string());
    }
    // A day may be followed by a time: "2026-11-24T10:00:00Z", "24.11.2026 10:00".
    let alone = text.split(['T', ' ']).next().unwrap_or_default();
    serial(text)
        .map(|day| day.to_string())
        .or_else(|| numbers(alone, order).map(|day| day.to_string()))
        .or_else(|| named_month(text).map(|day| day.to_string()))
}

/// The instant that a text tells exactly. As programs write it: with a space or a `T`, with or without seconds, and with an offset
/// such as `Z`, `UTC`, `+01`, `+0100` or `+01:00`.
fn exact(text: &str) -> Option<Timestamp> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let at = rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '.'))?;
    let (time, offset) = (rest.get(..at)?, rest.get(at..)?.trim());
    let time = if time.len() == 5 {
        format!("{time}:00")
    } else {
        time.to_owned()
    };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let offset = match (offset.chars().next()?, digits.len(), offset.len()) {
        ('Z' | 'z', 0, 1) => "Z".to_owned(),
        ('U', 0, 3) if offset == "UTC" => "Z".to_owned(),
        (sign @ ('+' | '-'), 2, 3) => format!("{sign}{digits}:00"),
        (sign @ ('+' | '-'), 4, 5 | 6) => {
            format!("{sign}{}:{}", digits.get(..2)?, digits.get(2..)?)
        }
        _ => return None,
    };
    Timestamp::parse(&format!("{day}T{time}{offset}"))
}

/// An instant in RFC 3339, where the text tells how far it is from UTC. Otherwise nobody knows which instant it was.
pub fn instant(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.get(10) != Some(&b' ') {
        return None;
    }
    let text = text.replacen(' ', "T", 1);
    let text = text
        .strip_suffix(" UTC")
        .map_or(text.clone(), |time| format!("{time}Z"));
    let at = text.replacen(' ', "", 1);
    Timestamp::parse(&at).map(|_| at)
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    let short =
        |text: &str| matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    let long = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    if !(long && short(month) && short(day)) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Three numbers. The year first is ISO 8601; dots stand between day, month and year wherever they are used.
fn numbers(text: &str, order: Option<Order>) -> Option<Date> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return date(text.get(..4)?, text.get(4..6)?, text.get(6..)?);
    }
    let between = text.chars().find(|c| !c.is_ascii_digit())?;
    let parts: Vec<&str> = text.split(between).collect();
    let [one, two, three] = parts.as_slice() else {
        return None;
    };
    match (between, order) {
        ('-' | '/' | '.', _) if one.len() == 4 => date(one, two, three),
        ('.', _) | ('-' | '/', Some(Order::DayFirst)) => date(three, two, one),
        ('-' | '/', Some(Order::MonthFirst)) => date(three, one, two),
        _ => None,
    }
}

/// English, with the month's name: `24 Nov 2026`, `November 24, 2026`.
fn named_month(text: &str) -> Option<Date> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let words: Vec<&str> = text
        .split([' ', ',', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    let month_of = |word: &str| {
        let word = word.trim_end_matches('.').to_lowercase();
        let fits = |name: &&str| word.len() >= 3 && name.starts_with(word.as_str());
        MONTHS.iter().position(fits).map(|at| (at + 1).to_string())
    };
    let [one, two, year, ..] = words.as_slice() else {
        return None;
    };
    match (month_of(one), month_of(two)) {
        (Some(month), None) => date(year, &month, two),
        (None, Some(month)) => date(year, &month, one),
        _ => None,
    }
}

/// A spreadsheet's number of days, in a column that holds dates: five digits, from the years 1954 to 2119.
fn serial(text: &str) -> Option<Date> {
    let whole = text.split('.').next().unwrap_or_default();
    if whole.len() != 5 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    (20_000.0..80_000.0)
        .contains(&number)
        .then(|| of_serial(number, false))
        .flatten()
        .map(|(day, _)| day)
}

/// The day and the second of a spreadsheet's number. Day 60 of the older count is a 29 February 1900 that never was.
pub(super) fn of_serial(number: f64, from_1904: bool) -> Option<(Date, u32)> {
    if !(0.0..2_958_466.0).contains(&number) {
        return None;
    }
    // In range, so nothing is cut off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (mut days, mut seconds) = (
        number.trunc() as i64,
        (number.fract() * 86_400.0).round() as u32,
    );
    if seconds >= 86_400 {
        days += 1;
        seconds = 0;
    }
    let first = if from_1904 {
        Date::new(1904, 1, 1)
    } else if days < 60 {
        Date::new(1899, 12, 31)
    } else {
        Date::new(1899, 12, 30)
    };
    let day = first
        .ok()?
        .checked_add(jiff::Span::new().try_days(days).ok()?);
    Some((day.ok()?, seconds))
}
