//! Pages: where one ended is told as a cursor, which says nothing to its bearer and is good for coming back with.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::problem::ApiProblem;
use crate::domain::time::Timestamp;

/// Entries of a page, where nothing else is asked for.
const BY_DEFAULT: u32 = 100;
const AT_MOST: u32 = 500;

fn read(text: &str, kind: char) -> Result<String, ApiProblem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let of_kind = plain.and_then(|text| text.strip_prefix(kind).map(ToOwned::to_owned));
    of_kind.ok_or_else(|| ApiProblem::malformed("The cursor is not one that this address gave."))
}

/// What is no cursor of the address that it came to.
pub fn not_ours() -> ApiProblem {
    ApiProblem::malformed("The cursor is not one that this address gave.")
}

/// A cursor in the order of events.
pub fn of_position(position: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("p{position}"))
}

/// The position that a cursor stands for; none is the beginning.
pub fn position(text: Option<&str>) -> Result<i64, ApiProblem> {
    let Some(text) = text else { return Ok(0) };
    let position = read(text, 'p')?.parse::<i64>().map_err(|_| not_ours())?;
    if position < 0 {
        return Err(not_ours());
    }
    Ok(position)
}

/// The number that a cursor stands for where the largest come first; none is behind all.
pub fn number_before(text: Option<&str>) -> Result<Option<i64>, ApiProblem> {
    text.map(|text| position(Some(text))).transpose()
}

/// A cursor in the order of ids.
pub fn of_id(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(format!("i{}", id.simple()))
}

/// The id that a cursor stands for; none is before all.
pub fn id(text: Option<&str>) -> Result<Uuid, ApiProblem> {
    let Some(text) = text else {
        return Ok(Uuid::nil());
    };
    Uuid::try_parse(&read(text, 'i')?).map_err(|_| not_ours())
}

/// The id that a cursor stands for where the newest come first; none is behind all.
pub fn before(text: Option<&str>) -> Result<Uuid, ApiProblem> {
    text.map_or_else(|| Ok(Uuid::max()), |text| id(Some(text)))
}

/// A cursor in an order that the verbs know.
pub fn of_place(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("k{place}"))
}

/// The place that a cursor stands for; none is before all. Only what names no place of ours is refused here.
pub fn place(text: Option<&str>) -> Result<Option<String>, ApiProblem> {
    let Some(text) = text else { return Ok(None) };
    let place = read(text, 'k')?;
    let looks_right = place.len() <= 64
        && place
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'.'));
    looks_right.then_some(Some(place)).ok_or_else(not_ours)
}

/// A cursor in the order of times, and of ids at the same time.
pub fn of_moment(at: Timestamp, id: Uuid) -> String {
    of_place(&format!("{}.{id}", at.micros()))
}

/// The time and the id that a cursor stands for; none is before all.
pub fn moment(text: Option<&str>) -> Result<Option<(Timestamp, Uuid)>, ApiProblem> {
    let Some(text) = place(text)? else {
        return Ok(None);
    };
    let read = |text: &str| {
        let (at, id) = text.split_once('.')?;
        let at = Timestamp::from_micros(at.parse().ok()?);
        Some((at, Uuid::try_parse(id).ok()?))
    };
    read(&text).map(Some).ok_or_else(not_ours)
}

/// The cursor of the next page, where this one is full.
pub fn next<T>(found: &[T], limit: i64, cursor: impl FnOnce(&T) -> String) -> Option<String> {
    let is_full = i64::try_from(found.len()) == Ok(limit);
    found.last().filter(|_| is_full).map(cursor)
}

/// How many entries a page is to have.
pub fn limit(asked: Option<u32>) -> Result<i64, ApiProblem> {
    match asked.unwrap_or(BY_DEFAULT) {
        limit @ 1..=AT_MOST => Ok(i64::from(limit)),
        _ => Err(ApiProblem::malformed(format!("limit is 1 to {AT_MOST}."))),
    }
}
