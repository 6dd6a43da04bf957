//! A mail composed once and then filled in: of two confirmation mails of one form and language only tokens, code, times,
//! ids and the recipient differ, and all but the recipient have a fixed length.
//!
//! A skeleton is made by composing a mail with marks in those places and remembering where each byte of a mark landed.
//! It is only used if filling it in gives, for other values, the very bytes that composing gives.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use crate::domain::brand::LANGUAGES;
use crate::domain::time::Timestamp;
use crate::mail::pack::Dictionary;
use crate::mail::transport::MORE;

/// What differs between two mails of one kind.
#[derive(Clone, Debug)]
pub struct Varying {
    /// The deliverable address.
    pub to: String,
    pub confirm_token: String,
    pub about_token: String,
    /// To leave what a campaign asks for; in other mails it stands nowhere, and is empty.
    pub leave_token: String,
    pub code: String,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
    /// The part of the Message-ID before the `@`: a UUID.
    pub message_local: String,
    pub now: Timestamp,
}

/// The fields of fixed length, as they stand in the message.
type Fields<'a> = [Cow<'a, str>; 9];

impl Varying {
    fn fields(&self, language: &str) -> Fields<'_> {
        let date = |at: Timestamp| quoted_printable(at.for_people(language));
        [
            self.confirm_token.as_str().into(),
            self.about_token.as_str().into(),
            self.leave_token.as_str().into(),
            self.code.as_str().into(),
            date(self.asked_at).into(),
            date(self.expires_at).into(),
            self.message_local.as_str().into(),
            // The boundary is made of the Message-ID.
            self.message_local.replace('-', "").into(),
            self.now.rfc2822().into(),
        ]
    }

    /// Values that appear nowhere by chance. `turn` gives two sets that differ in every field.
    fn marks(turn: u8) -> Self {
        let token = |letter: char| -> String {
            let body: String = ["Zq", "Xv"][usize::from(turn)]
                .chars()
                .chain([letter])
                .cycle()
                .take(54)
                .collect();
            format!("{body}c")
        };
        let year = |year: i64| {
            Timestamp::from_micros(
                (year - 1970) * 31_556_952_000_000 + i64::from(turn) * 98_765_432_000,
            )
        };
        Self {
            to: ["marked@marked.invalid", "m@other.invalid"][usize::from(turn)].to_owned(),
            confirm_token: token('1'),
            about_token: token('2'),
            leave_token: token('3'),
            code: ["918273", "564738"][usize::from(turn)].to_owned(),
            asked_at: year(2091),
            expires_at: year(2092),
            message_local: [
                "a1b2c3d4-e5f6-7a7b-8c8d-9e9f0a1b2c3d",
                "d4c3b2a1-6f5e-7b7a-8d8c-f9e9b1a03d2c",
            ][usize::from(turn)]
            .to_owned(),
            now: year(2093),
        }
    }
}

/// A run of bytes that is copied from a field.
struct Patch {
    at: usize,
    field: usize,
    from: usize,
    length: usize,
}

pub struct Skeleton {
    /// What sent mails of this kind are packed with: the mail with its marks, which is about nobody.
    pub dictionary: Arc<Dictionary>,
    /// The language of the dates.
    language: &'static str,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Places in head and tail written one behind the other.
    patches: Vec<Patch>,
    /// Of the fields that stand somewhere.
    lengths: [Option<usize>; 9],
}

const TO: &str = "\r\nTo: ";

impl Skeleton {
    /// Makes a skeleton from a way to compose; `None` where these mails cannot be filled in, and are composed each time.
    /// Of all languages only one whose dates the mail holds passes the comparison.
    pub fn of<E>(compose: impl Fn(&Varying) -> Result<Vec<u8>, E>) -> Option<Self> {
        let (marks, others) = (Varying::marks(0), Varying::marks(1));
        let (composed, expected) = (compose(&marks).ok()?, compose(&others).ok()?);
        LANGUAGES.into_iter().find_map(|language| {
            Self::marked(language, &marks, &composed)
                .filter(|skeleton| skeleton.fill(&others).as_ref() == Some(&expected))
        })
    }

    fn marked(language: &'static str, marks: &Varying, composed: &[u8]) -> Option<Self> {
        let to = format!("{TO}{}\r\n", marks.to);
        let value = find(composed, to.as_bytes())? + TO.len();
        let head = composed[..value].to_vec();
        let tail = composed[value + marks.to.len()..].to_vec();
        let joined = [head.as_slice(), tail.as_slice()].concat();
        let fields = marks.fields(language);
        let patches: Vec<Patch> = fields
            .iter()
            .enumerate()
            .flat_map(|(field, mark)| places(&joined, mark.as_bytes(), field))
            .collect();
        let mut lengths = [None; 9];
        for patch in &patches {
            lengths[patch.field] = Some(fields[patch.field].len());
        }
        Some(Self {
            dictionary: Dictionary::of(composed.to_vec()),
            language,
            head,
            tail,
            patches,
            lengths,
        })
    }

    /// The message with these values; `None` if one has not the length that the skeleton has room for.
    pub fn fill(&self, values: &Varying) -> Option<Vec<u8>> {
        let fields = values.fields(self.language);
        if fields.iter().zip(&self.lengths).any(|(field, length)| {
            length.is_some_and(|one| field.len() != one) || !field.is_ascii()
        }) {
            return None;
        }
        // A folded header would need the composer; RFC 5322 allows 998 octets a line, an address has 254 at most.
        let to = values.to.as_bytes();
        if to.iter().any(|byte| *byte < 0x21 || *byte == 0x7f) || !values.to.is_ascii() {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.head.len() + to.len() + self.tail.len() + MORE);
        bytes.extend_from_slice(&self.head);
        bytes.extend_from_slice(to);
        bytes.extend_from_slice(&self.tail);
        for patch in &self.patches {
            let at = if patch.at < self.head.len() {
                patch.at
            } else {
                patch.at + to.len()
            };
            let source = &fields[patch.field].as_bytes()[patch.from..patch.from + patch.length];
            bytes[at..at + patch.length].copy_from_slice(source);
        }
        Some(bytes)
    }
}

/// As the body writes what is not ASCII (RFC 2045, section 6.7, rule 1).
fn quoted_printable(text: String) -> String {
    let is_plain = |byte: u8| matches!(byte, 0x20..0x7f) && byte != b'=';
    if text.bytes().all(is_plain) {
        return text;
    }
    text.bytes().fold(String::new(), |mut written, byte| {
        match byte {
            byte if is_plain(byte) => written.push(char::from(byte)),
            _ => {
                let _ = write!(written, "={byte:02X}");
            }
        }
        written
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// Every place of a mark, even where quoted-printable broke the line within it (RFC 2045, section 6.7, rule 5).
fn places(text: &[u8], mark: &[u8], field: usize) -> Vec<Patch> {
    let mut found = Vec::new();
    for start in 0..text.len() {
        if text[start] != mark[0] {
            continue;
        }
        let mut patches: Vec<Patch> = Vec::new();
        let (mut at, mut matched) = (start, 0);
        while matched < mark.len() && at < text.len() {
            if text[at..].starts_with(b"=\r\n") {
                at += 3;
                continue;
            }
            if text[at] != mark[matched] {
                break;
            }
            match patches.last_mut() {
                Some(last) if last.at + last.length == at => last.length += 1,
                _ => patches.push(Patch {
                    at,
                    field,
                    from: matched,
                    length: 1,
                }),
            }
            at += 1;
            matched += 1;
        }
        if matched == mark.len() {
            found.extend(patches);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(values: &Varying) -> Result<Vec<u8>, ()> {
        let [
            confirm,
            about,
            _,
            code,
            asked,
            expires,
            local,
            boundary,
            date,
        ] = values.fields("en");
        Ok(format!(
            "From: a@b.c\r\nTo: {}\r\nDate: {date}\r\nMessage-ID: <{local}@b.c>\r\n\r\n--{boundary}\r\n\
             http://b.c/c/{}=\r\n{} {about} {code} {asked} {expires}\r\n",
            values.to,
            &confirm[..20],
            &confirm[20..],
        )
        .into_bytes())
    }

    #[test]
    fn a_filled_skeleton_has_the_bytes_of_a_composed_mail_across_soft_line_breaks() {
        let skeleton = Skeleton::of(message).unwrap();
        let values = Varying {
            to: "somebody.else@example.org".to_owned(),
            asked_at: Timestamp::from_micros(1_795_455_245_000_000),
            ..Varying::marks(1)
        };
        assert_eq!(skeleton.fill(&values), message(&values).ok());
    }

    #[test]
    fn values_of_another_length_and_addresses_that_could_break_a_header_are_left_to_the_composer() {
        let skeleton = Skeleton::of(message).unwrap();
        for values in [
            Varying {
                code: "12345".to_owned(),
                ..Varying::marks(0)
            },
            Varying {
                to: "a@b.c\r\nBcc: d@e.f".to_owned(),
                ..Varying::marks(0)
            },
            Varying {
                to: "ü@b.c".to_owned(),
                ..Varying::marks(0)
            },
        ] {
            assert_eq!(skeleton.fill(&values), None);
        }
    }

    #[test]
    fn a_mail_whose_layout_depends_on_its_values_has_no_skeleton() {
        let made = Skeleton::of(|values: &Varying| {
            let mut bytes = message(values)?;
            if values.code.starts_with('5') {
                bytes.extend_from_slice(b"more\r\n");
            }
            Ok::<_, ()>(bytes)
        });
        assert!(made.is_none());
    }
}
