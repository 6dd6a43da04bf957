//! Reports about mails: delivery reports (RFC 3464) and feedback reports (RFC 5965), as far as they are machine-readable.
//!
//! Whoever wants to can write such a message. So what is read here says nothing by itself: it has to hold an address or a link
//! that only we can have made. What is no such report, an answer from somebody on holiday for one, is none (T34).

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};

use crate::domain::fate::{Severity, weigh};
use crate::domain::hex::hex;

/// Bytes of a report; servers return the header or the whole of a mail, and ours are small.
pub const MESSAGE_AT_MOST: usize = 1024 * 1024;
/// Recipients that one report may tell of, fields of each, and bytes of one field.
const GROUPS_AT_MOST: usize = 100;
const FIELDS_AT_MOST: usize = 100;
const FIELD_AT_MOST: usize = 2_000;
/// Characters that are kept of what a server said.
pub(super) const SAID_AT_MOST: usize = 400;
/// Characters of an id that is kept. Ours have 36 before the domain.
const ID_AT_MOST: usize = 300;
/// Places that are looked through for an address of ours, and bytes of each.
const PLACES_AT_MOST: usize = 200;
const PLACE_AT_MOST: usize = 4_000;

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub kind: Kind,
    /// What this report is known by if it comes again: its Message-ID, or the SHA-256 of the message.
    pub id: String,
    /// The Message-ID of the mail that it returns, without brackets, where it returns as much.
    pub mail: Option<String>,
    /// The server or the program that reports, as it calls itself.
    pub reporter: String,
    /// Texts in which an address or a link of ours may stand.
    pub places: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Delivery(Vec<Delivery>),
    /// The kind of feedback, in lower case.
    Feedback(String),
}

/// What became of the mail to one recipient (RFC 3464, section 2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub action: Action,
    /// RFC 3463, such as `5.1.1`.
    pub status: String,
    /// The receiving server's words on one line.
    pub said: String,
    /// Whom the server tried last, in its own words; none where it names nobody.
    pub final_recipient: Option<String>,
}

impl Delivery {
    /// What it says of the address. A status that says nothing (`5.0.0`) leaves it at that, whatever words stand behind it: they do not
    /// tell to which command they replied, and of the corpus one such "unknown user" was what a filter said of a message.
    pub fn severity(&self) -> Severity {
        weigh(&self.status)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Failed,
    Delayed,
    Delivered,
    /// Handed on to a server that reports nothing, or to a list.
    Relayed,
}

/// Reads a message; none if it is no report of these kinds.
pub fn read(bytes: &[u8]) -> Option<Report> {
    if bytes.len() > MESSAGE_AT_MOST {
        return None;
    }
    let message = MessageParser::default().parse(bytes)?;
    let mut places = places_of(&message);
    let mut mail = None;
    for part in &message.parts {
        match &part.body {
            PartType::Message(returned) => {
                places.extend(places_of_returned(returned));
                mail = mail.or_else(|| id_of(returned));
            }
            // RFC 6533, section 3: the same of a mail whose head is not ASCII.
            _ if is_type(part, "text", "rfc822-headers")
                || is_type(part, "message", "global-headers") =>
            {
                let text = text_of(part).unwrap_or_default();
                mail = mail.or_else(|| id_of(&MessageParser::default().parse(text.as_bytes())?));
                places.push(cut(&text, PLACE_AT_MOST));
            }
            _ => {}
        }
    }
    let delivery = message
        .parts
        .iter()
        .find(|part| is_type(part, "message", "delivery-status"))
        .or_else(|| {
            let mut parts = message.parts.iter();
            parts.find(|part| is_type(part, "message", "global-delivery-status"))
        });
    let feedback = message
        .parts
        .iter()
        .find(|part| is_type(part, "message", "feedback-report"));
    let (kind, reporter) = match (delivery, feedback) {
        (Some(part), _) => delivered(&text_of(part)?)?,
        (None, Some(part)) => {
            let (kind, reporter, from) = fed_back(&text_of(part)?)?;
            places.extend(from);
            (kind, reporter)
        }
        (None, None) => return None,
    };
    places.truncate(PLACES_AT_MOST);
    Some(Report {
        kind,
        id: id_of(&message).unwrap_or_else(|| hex(&Sha256::digest(bytes))),
        // Many servers answer the mail that they return.
        mail: mail.or_else(|| in_brackets(values(&message, &["in-reply-to"]).first()?)),
        reporter: one_line(&reporter, 200),
        places,
    })
}

/// A message's own Message-ID.
fn id_of(message: &Message<'_>) -> Option<String> {
    in_brackets(values(message, &["message-id"]).first()?)
}

/// What stands in a field of one id (RFC 5322, section 3.6.4); none where it is too long to be kept whole.
fn in_brackets(value: &str) -> Option<String> {
    let (_, rest) = value.split_once('<')?;
    let (id, _) = rest.split_once('>')?;
    let fits =
        (1..=ID_AT_MOST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

/// Fields that say to which address the report itself went.
fn places_of(message: &Message<'_>) -> Vec<String> {
    const NAMES: [&str; 6] = [
        "to",
        "delivered-to",
        "x-original-to",
        "x-envelope-to",
        "envelope-to",
        "x-failed-recipients",
    ];
    values(message, &NAMES)
}

/// Fields of the mail that came back, in which we wrote an address or a link ourselves.
fn places_of_returned(message: &Message<'_>) -> Vec<String> {
    values(message, &["return-path", "list-unsubscribe"])
}

fn values(message: &Message<'_>, names: &[&str]) -> Vec<String> {
    message
        .headers_raw()
        .filter(|(name, _)| names.iter().any(|one| name.eq_ignore_ascii_case(one)))
        .map(|(_, value)| cut(value, PLACE_AT_MOST))
        .take(PLACES_AT_MOST)
        .collect()
}

fn is_type(part: &MessagePart<'_>, kind: &str, subtype: &str) -> bool {
    part.content_type().is_some_and(|found| {
        found.ctype().eq_ignore_ascii_case(kind)
            && found
                .subtype()
                .is_some_and(|own| own.eq_ignore_ascii_case(subtype))
    })
}

fn text_of(part: &MessagePart<'_>) -> Option<String> {
    match &part.body {
        PartType::Text(text) | PartType::Html(text) => Some(text.to_string()),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        PartType::Message(message) => {
            Some(String::from_utf8_lossy(message.raw_message()).into_owned())
        }
        PartType::Multipart(_) => None,
    }
}

/// Names in lower case and values of one group of fields.
type Fields = Vec<(String, String)>;

/// Groups of fields with an empty line between them (RFC 3464, section 2.1), folded lines put together.
fn groups(text: &str) -> Vec<Fields> {
    let mut groups: Vec<Fields> = Vec::new();
    let mut fields: Fields = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            if !fields.is_empty() {
                groups.push(std::mem::take(&mut fields));
            }
            if groups.len() >= GROUPS_AT_MOST {
                return groups;
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut()
                && value.len() < FIELD_AT_MOST
            {
                value.push(' ');
                value.push_str(&cut(line.trim(), FIELD_AT_MOST));
            }
        } else if let Some((name, value)) = line.split_once(':')
            && fields.len() < FIELDS_AT_MOST
        {
            let value = cut(value.trim(), FIELD_AT_MOST);
            fields.push((name.trim().to_ascii_lowercase(), value));
        }
    }
    if !fields.is_empty() {
        groups.push(fields);
    }
    groups
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|one| one.0 == name)?;
    Some(found.1.as_str())
}

fn delivered(text: &str) -> Option<(Kind, String)> {
    let groups = groups(text);
    let reporter = groups
        .iter()
        .find_map(|fields| field(fields, "reporting-mta"))
        .map_or("", after_type);
    let told: Vec<Delivery> = groups.iter().filter_map(one_recipient).collect();
    let reporter = reporter.to_owned();
    (!told.is_empty()).then_some((Kind::Delivery(told), reporter))
}

/// A value that has its type in front: `dns; mx.example.org`, `smtp; 550 no such user`.
pub(super) fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |parts| parts.1).trim()
}

fn one_recipient(fields: &Fields) -> Option<Delivery> {
    let action = match field(fields, "action")?.to_ascii_lowercase().trim() {
        "failed" | "fail" | "failure" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" | "expanded" => Action::Relayed,
        _ => return None,
    };
    let diagnostic = field(fields, "diagnostic-code").unwrap_or_default();
    let said = after_type(diagnostic);
    let final_recipient = field(fields, "final-recipient").map(after_type);
    let final_recipient = final_recipient.filter(|address| address.contains('@'));
    let given = field(fields, "status").and_then(code_in);
    // "Other or undefined" says less than the server's own words may.
    let status = match (given, code_in(said)) {
        (Some(given), Some(inside)) if given.ends_with(".0.0") && inside[..2] == given[..2] => {
            inside
        }
        (Some(given), _) => given,
        (None, Some(inside)) => inside,
        (None, None) => return None,
    };
    Some(Delivery {
        action,
        status,
        said: one_line(said, SAID_AT_MOST),
        final_recipient: final_recipient.map(|address| {
            let bare = address.trim_matches(['<', '>', '"']);
            one_line(bare, 320)
        }),
    })
}

/// The first enhanced status code (RFC 3463, section 2) in a text.
pub(super) fn code_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    words
        .map(|word| word.trim_matches('.'))
        .find(|word| is_code(word))
        .map(str::to_owned)
}

fn is_code(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let small = |part: &&str| (1..=3).contains(&part.len());
    parts.len() == 3 && matches!(parts[0], "2" | "4" | "5") && parts[1..].iter().all(small)
}

/// The kind of feedback, who reports it, and the envelope sender of the mail that it is about.
fn fed_back(text: &str) -> Option<(Kind, String, Vec<String>)> {
    let fields: Fields = groups(text).into_iter().flatten().collect();
    let kind = field(&fields, "feedback-type")?;
    let kind: String = kind
        .trim()
        .to_ascii_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(40)
        .collect();
    let reporter = ["reporting-mta", "user-agent"]
        .iter()
        .find_map(|name| field(&fields, name))
        .map_or("", after_type);
    let from = fields
        .iter()
        .filter(|one| one.0 == "original-mail-from")
        .map(|one| one.1.clone());
    Some((Kind::Feedback(kind), reporter.to_owned(), from.collect()))
}

fn cut(text: &str, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or(0)].to_owned()
}

/// Without control characters, and not long.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(most).collect()
}
