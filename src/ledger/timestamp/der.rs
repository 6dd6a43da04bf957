//! DER (ITU-T X.690): just enough to read tokens and certificates without losing a byte of what was signed, and to write
//! requests. Readers answer `None` for whatever is not in the one form there is; what is hostile costs nothing, since
//! nothing is copied and nothing recurses.

use crate::domain::time::Timestamp;

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OID: u8 = 0x06;
pub const UTF8_STRING: u8 = 0x0C;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// The tag of a context-specific element: `[number]`, constructed or not.
pub const fn context(number: u8, constructed: bool) -> u8 {
    0x80 | number | if constructed { 0x20 } else { 0 }
}

/// One element: its tag, what is in it, and all of it as it stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

/// Reads elements one after another.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// `Some` only when nothing is left over.
    pub fn end(self) -> Option<()> {
        self.is_at_end().then_some(())
    }

    fn is_next(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The next element, whatever it is. Lengths must be definite and as short as possible (X.690, section 10.1).
    pub fn any(&mut self) -> Option<Element<'a>> {
        let (&tag, &first) = (self.0.first()?, self.0.get(1)?);
        // Tags above 30 take more bytes; nothing here has one.
        if tag & 0x1F == 0x1F {
            return None;
        }
        let (length, header) = match first {
            0..=0x7F => (usize::from(first), 2),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7F);
                let bytes = self.0.get(2..2 + count)?;
                let length = bytes
                    .iter()
                    .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                let is_shortest = bytes[0] != 0 && length > 0x7F;
                (
                    usize::try_from(length).ok().filter(|_| is_shortest)?,
                    2 + count,
                )
            }
            _ => return None,
        };
        let end = header.checked_add(length)?;
        let whole = self.0.get(..end)?;
        self.0 = &self.0[end..];
        Some(Element {
            tag,
            content: &whole[header..],
            whole,
        })
    }

    pub fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.is_next(tag) { self.any() } else { None }
    }

    /// An element that may be left out: the inner `None` says that it is, the outer that it cannot be read.
    pub fn optional(&mut self, tag: u8) -> Option<Option<Element<'a>>> {
        if self.is_next(tag) {
            self.any().map(Some)
        } else {
            Some(None)
        }
    }

    /// Goes into the next element.
    pub fn inside(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(|element| Self::new(element.content))
    }

    /// All that is left, element by element.
    pub fn rest(mut self) -> Option<Vec<Element<'a>>> {
        let mut elements = Vec::new();
        while !self.is_at_end() {
            elements.push(self.any()?);
        }
        Some(elements)
    }
}

impl<'a> Element<'a> {
    pub const fn inside(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The bytes of a bit string that has no unused bits.
    pub fn bits(&self) -> Option<&'a [u8]> {
        self.content.strip_prefix(&[0])
    }

    /// An integer's bytes without the zero that keeps it positive. Negative ones are refused, but for serial numbers,
    /// which some authorities get wrong.
    pub fn magnitude(&self) -> Option<&'a [u8]> {
        match self.content {
            [] => None,
            [0, rest @ ..] if !rest.is_empty() => Some(rest),
            whole => Some(whole),
        }
    }

    /// A small integer, such as a version.
    pub fn small(&self) -> Option<u8> {
        match self.content {
            [value] if *value < 0x80 => Some(*value),
            _ => None,
        }
    }

    /// `UTCTime` or `GeneralizedTime`, with a fraction of a second or without one.
    pub fn time(&self) -> Option<Timestamp> {
        let text = std::str::from_utf8(self.content).ok()?;
        match self.tag {
            UTC_TIME => {
                // RFC 5280, section 4.1.2.5.1: years below 50 are of this century.
                let year: u8 = text.get(..2)?.parse().ok()?;
                let century = if year < 50 { "20" } else { "19" };
                generalized_time(&format!("{century}{text}"))
            }
            GENERALIZED_TIME => generalized_time(text),
            _ => None,
        }
    }
}

/// `YYYYMMDDhhmmss[.f…]Z`. What is finer than a microsecond is cut off.
fn generalized_time(text: &str) -> Option<Timestamp> {
    let body = text.strip_suffix('Z')?;
    let (whole, fraction) = match body.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (body, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return None;
    }
    let part = |from: usize, to: usize| &whole[from..to];
    let micros: String = format!("{}000000", fraction.unwrap_or_default())
        .chars()
        .take(6)
        .collect();
    Timestamp::parse(&format!(
        "{}-{}-{}T{}:{}:{}.{micros}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    ))
}

/// An object identifier's content as numbers with dots.
pub fn dotted(content: &[u8]) -> Option<String> {
    let mut arcs = Vec::new();
    let mut arc: u128 = 0;
    for (at, byte) in content.iter().enumerate() {
        if arc == 0 && *byte == 0x80 || arc >> 120 != 0 {
            return None;
        }
        arc = arc << 7 | u128::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        } else if at + 1 == content.len() {
            return None;
        }
    }
    let first = *arcs.first()?;
    let top = (first / 40).min(2);
    let mut text = format!("{top}.{}", first - top * 40);
    for arc in &arcs[1..] {
        text.push('.');
        text.push_str(&arc.to_string());
    }
    Some(text)
}

/// The content of an object identifier written as numbers with dots.
pub fn undotted(text: &str) -> Option<Vec<u8>> {
    let arcs: Vec<u128> = text
        .split('.')
        .map(|arc| arc.parse().ok())
        .collect::<Option<_>>()?;
    let [top, second, rest @ ..] = arcs.as_slice() else {
        return None;
    };
    if *top > 2 || (*top < 2 && *second > 39) {
        return None;
    }
    let mut content = Vec::new();
    for arc in std::iter::once((top * 40).checked_add(*second)?).chain(rest.iter().copied()) {
        let groups = (128 - arc.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            content.push((arc >> (7 * group)) as u8 & 0x7F | more);
        }
    }
    (dotted(&content)? == text).then_some(content)
}

/// Writes one element around parts that are written already.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    if length < 0x80 {
        bytes.push(length as u8);
    } else {
        let digits: Vec<u8> = length
            .to_be_bytes()
            .into_iter()
            .skip_while(|byte| *byte == 0)
            .collect();
        bytes.push(0x80 | digits.len() as u8);
        bytes.extend_from_slice(&digits);
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, parts)
}

/// A whole number, from its bytes, most significant first.
pub fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let at = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let digits = &bytes[at..];
    let sign: &[u8] = if digits.first().is_none_or(|byte| byte & 0x80 != 0) {
        &[0]
    } else {
        &[]
    };
    element(INTEGER, &[sign, digits])
}

/// `AlgorithmIdentifier` with the parameters NULL or none.
pub fn algorithm(oid: &[u8], null: bool) -> Vec<u8> {
    let parameters: &[u8] = if null { &[NULL, 0] } else { &[] };
    sequence(&[&element(OID, &[oid]), parameters])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_form_and_nothing_reaches_past_the_end() {
        for bad in [
            &[0x04][..],
            &[0x04, 2, 0],
            &[0x04, 0x80, 0, 0],
            &[0x04, 0x81, 5, 0, 0, 0, 0, 0],
            &[0x04, 0x82, 0, 0x80],
            &[0x04, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x04, 0x85, 0, 0, 0, 0, 1, 0],
            &[0x1F, 0x01, 0],
        ] {
            assert_eq!(Reader::new(bad).any(), None, "{bad:?}");
        }
        for length in [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x1_0000] {
            let bytes = element(OCTET_STRING, &[&vec![7; length]]);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.any().unwrap().content.len(), length);
            assert!(reader.is_at_end());
        }
    }

    #[test]
    fn identifiers_are_written_as_they_are_read() {
        for (text, bytes) in [
            (
                "1.2.840.113549.1.7.2",
                &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2][..],
            ),
            ("2.5.29.37", &[0x55, 0x1D, 0x25]),
            ("2.999.3", &[0x88, 0x37, 3]),
            ("0.0", &[0]),
        ] {
            assert_eq!(dotted(bytes).as_deref(), Some(text));
            assert_eq!(undotted(text).as_deref(), Some(bytes));
        }
        for bad in ["", "1", "3.1", "1.40", "1.2.", "1.02", "1.2.x", "1.+2"] {
            assert_eq!(undotted(bad), None, "{bad}");
        }
        for bad in [&[][..], &[0x80, 1], &[0x2A, 0x86], &[0xFF; 30]] {
            assert_eq!(dotted(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn times_may_have_fractions_and_must_be_of_the_calendar() {
        let time = |tag, text: &str| {
            Reader::new(&element(tag, &[text.as_bytes()]))
                .any()
                .unwrap()
                .time()
                .map(|at| at.to_string())
        };
        for (tag, text, expected) in [
            (
                GENERALIZED_TIME,
                "20261123173405Z",
                Some("2026-11-23T17:34:05.000000Z"),
            ),
            (
                GENERALIZED_TIME,
                "20261123173405.5Z",
                Some("2026-11-23T17:34:05.500000Z"),
            ),
            (
                GENERALIZED_TIME,
                "20261123173405.123456789Z",
                Some("2026-11-23T17:34:05.123456Z"),
            ),
            (
                UTC_TIME,
                "491231235959Z",
                Some("2049-12-31T23:59:59.000000Z"),
            ),
            (
                UTC_TIME,
                "500101000000Z",
                Some("1950-01-01T00:00:00.000000Z"),
            ),
            (GENERALIZED_TIME, "20260230000000Z", None),
            (GENERALIZED_TIME, "20261123173405", None),
            (GENERALIZED_TIME, "20261123173405.Z", None),
            (GENERALIZED_TIME, "20261123173405+0100", None),
            (GENERALIZED_TIME, "202611231734Z", None),
            (UTC_TIME, "4912312359Z", None),
            (UTC_TIME, "\u{e9}91231235959Z", None),
        ] {
            assert_eq!(time(tag, text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn whole_numbers_stay_positive() {
        assert_eq!(unsigned(&[]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
    }
}
