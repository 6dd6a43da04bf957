//! What mail providers tell by webhook of what became of a mail: whether it is theirs (a file each), and what it says.
//!
//! A provider's signature proves who speaks, not that the mail was ours: customers of one provider share its topics, keys and
//! mistakes. So every mail carries a token that nobody else can make, in a field that the provider gives back with what it
//! tells, and only that token says whose mail it was (T34).

pub mod brevo;
pub mod mailgun;
pub mod postmark;
pub mod sendgrid;
pub mod ses;
pub mod sns;

use std::time::Duration;

use serde_json::Value;

use super::bounce::{SAID_AT_MOST, code_in, one_line};
use crate::domain::fate::Claim;
use crate::domain::provider::Provider;

/// Bytes of one post. The largest documented ones are SendGrid's, with 768 KB.
pub const POST_AT_MOST: usize = 1024 * 1024;
/// Events of one post.
pub const ENTRIES_AT_MOST: usize = 5_000;
/// Recipients that one event may tell of; each of our mails has one.
const RECIPIENTS_AT_MOST: usize = 50;
/// Texts of one event that are held against the key, and characters of each.
const TOKENS_AT_MOST: usize = 8;
const TOKEN_AT_MOST: usize = 320;
const ADDRESS_AT_MOST: usize = 1_024;
/// Characters of a provider's id that are kept.
const REPORT_AT_MOST: usize = 120;
/// How far a provider's clock may be ahead of ours.
pub const AHEAD_AT_MOST: Duration = Duration::from_secs(300);

/// The name under which the token stands in what a provider calls tags, metadata, variables or arguments.
const NAME: &str = "countersign";
/// A field that SES gives back among the mail's other fields.
const FIELD: &str = "X-Countersign-Mail";

/// What a post holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Told(Told),
    /// Of a kind that changes nothing here, or that is not known.
    Other,
    /// It cannot be read.
    Broken,
}

/// What a provider tells of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Texts that may be our token, or the envelope sender that holds it.
    pub tokens: Vec<String>,
    pub recipient: String,
    /// The provider's own id of this event.
    pub report: String,
    pub fate: Fate,
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Failed {
        claim: Claim,
        /// RFC 3463, where the receiving server or the provider named one.
        status: Option<String>,
        said: String,
    },
    /// The kind of feedback (RFC 5965), in lower case.
    Unwanted(String),
    /// The person left by a link of the provider's.
    Left,
}

impl Fate {
    /// A failure with the receiving server's words, which may hold the status.
    fn failed(claim: Claim, status: Option<&str>, said: &str) -> Self {
        let given = status.and_then(code_in);
        // "Other or undefined" says less than the server's own words may (RFC 3463, section 3.1).
        let status = match (given, code_in(said)) {
            (Some(given), Some(inside)) if given.ends_with(".0.0") && inside[..2] == given[..2] => {
                Some(inside)
            }
            (None, inside) => inside,
            (given, _) => given,
        };
        Self::Failed {
            claim,
            status,
            said: one_line(said, SAID_AT_MOST),
        }
    }

    fn abuse() -> Self {
        Self::Unwanted("abuse".to_owned())
    }
}

/// Whether a post is the provider's, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrue {
    #[error("the signature does not hold")]
    Signature,
    #[error("it was signed too long ago, or by a clock that is ahead")]
    Stale,
}

/// The fields that make providers give the token back, each with its line end. They are not signed by DKIM: most providers take
/// them out again.
pub fn fields(provider: Provider, token: &str) -> String {
    match provider {
        // Tags come back with published events, all fields with both kinds of notifications:
        // docs.aws.amazon.com/ses/latest/dg/notification-contents.html
        Provider::Ses => {
            format!("X-SES-MESSAGE-TAGS: {NAME}={token}\r\n{FIELD}: {token}\r\n")
        }
        // Names have 20 characters at most, values 80: postmarkapp.com/support/article/1125-custom-metadata-faq
        Provider::Postmark => format!("X-PM-Metadata-{NAME}: {token}\r\n"),
        Provider::Mailgun => format!("X-Mailgun-Variables: {{\"{NAME}\":\"{token}\"}}\r\n"),
        Provider::Sendgrid => {
            format!("X-SMTPAPI: {{\"unique_args\":{{\"{NAME}\":\"{token}\"}}}}\r\n")
        }
        Provider::Brevo => format!("X-Mailin-custom: {token}\r\n"),
    }
}

/// An event as it was read; broken where it names no recipient.
fn told(tokens: Vec<String>, recipient: Option<&str>, report: String, fate: Fate) -> Entry {
    match recipient {
        Some(recipient) if !recipient.is_empty() && recipient.len() <= ADDRESS_AT_MOST => {
            Entry::Told(Told {
                tokens,
                recipient: recipient.to_owned(),
                report,
                fate,
            })
        }
        _ => Entry::Broken,
    }
}

/// A text in an object, behind names.
fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    let found = path.iter().try_fold(value, |value, name| value.get(name));
    found?.as_str()
}

/// A text or a number, as text.
fn plain(value: &Value, path: &[&str]) -> Option<String> {
    let found = path.iter().try_fold(value, |value, name| value.get(name))?;
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Texts that may be our token.
fn tokens<'a>(found: impl IntoIterator<Item = Option<&'a str>>) -> Vec<String> {
    let found = found.into_iter().flatten().map(str::trim);
    let fitting = found.filter(|text| !text.is_empty() && text.len() <= TOKEN_AT_MOST);
    fitting.take(TOKENS_AT_MOST).map(str::to_owned).collect()
}

/// An id as it is kept: printable, on one line, and not long.
fn report(parts: &[Option<String>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    one_line(&parts.join(" "), REPORT_AT_MOST)
}

/// The entries of a post that is one event or a list of them. None: it is neither; too many are refused.
fn entries(post: &Value, read: impl Fn(&Value) -> Entry) -> Result<Vec<Entry>, Unreadable> {
    match post {
        Value::Array(all) if all.len() > ENTRIES_AT_MOST => Err(Unreadable::TooMany),
        Value::Array(all) => Ok(all.iter().map(read).collect()),
        Value::Object(_) => Ok(vec![read(post)]),
        _ => Err(Unreadable::Malformed),
    }
}

/// Why a post cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the body is not the JSON that this provider sends")]
    Malformed,
    #[error("a post here has {ENTRIES_AT_MOST} events at most")]
    TooMany,
}

fn json(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|_| Unreadable::Malformed)
}
