//! What a server's reply means for a mail, and its words in a form that can be stored and shown.

use lettre::transport::smtp::response::Response;
use std::error::Error as _;

use super::{Outcome, Phase};

const MAX_TEXT: usize = 1000;

/// A reply with its code; positive and negative ones come from lettre in different wrappings.
pub(super) struct Reply {
    pub(super) code: u16,
    words: Words,
}

enum Words {
    Positive(Response),
    Negative(lettre::transport::smtp::Error),
}

impl Reply {
    /// Gives the error back if it is none that a reply made.
    pub(super) fn from_lettre(
        result: Result<Response, lettre::transport::smtp::Error>,
    ) -> Result<Self, lettre::transport::smtp::Error> {
        match result {
            Ok(response) => Ok(Self {
                code: response.code().into(),
                words: Words::Positive(response),
            }),
            Err(error) => match error.status() {
                Some(code) => Ok(Self {
                    code: code.into(),
                    words: Words::Negative(error),
                }),
                None => Err(error),
            },
        }
    }

    pub(super) fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The code and the lines, joined by spaces.
    pub(super) fn text(&self) -> String {
        let mut text = self.code.to_string();
        match &self.words {
            Words::Positive(response) => {
                for line in response.message() {
                    text.push(' ');
                    text.push_str(line);
                }
            }
            Words::Negative(error) => {
                if let Some(lines) = error.source() {
                    text.push(' ');
                    text.push_str(&lines.to_string());
                }
            }
        }
        printable(&text)
    }

    /// As [`Reply::text`], with every private word blotted out: servers like to repeat what they were told.
    pub(super) fn text_without(&self, private: &[&str]) -> String {
        let mut text = self.text();
        for word in private {
            text = blotted(&text, word);
        }
        text
    }
}

/// At most 1,000 characters, control characters replaced, as it goes into records and pages.
pub(super) fn printable(text: &str) -> String {
    text.trim_end()
        .chars()
        .take(MAX_TEXT)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn blotted(text: &str, word: &str) -> String {
    let (haystack, needle) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    if needle.is_empty() || !haystack.contains(&needle) {
        return text.to_owned();
    }
    let (mut clean, mut done) = (String::with_capacity(text.len()), 0);
    // Lowering ASCII letters keeps every byte's place, so the offsets fit both texts.
    for (at, _) in haystack.match_indices(&needle) {
        clean.push_str(&text[done..at]);
        clean.push_str("[…]");
        done = at + needle.len();
    }
    clean.push_str(&text[done..]);
    clean
}

/// What a reply other than the wished-for one means: the outcome, and whether the session is still good.
pub(super) fn verdict(reply: &Reply, phase: Phase, private: &[&str]) -> (Outcome, bool) {
    let text = reply.text_without(private);
    let deferred = |reason: String, phase| Outcome::Deferred { reason, phase };
    match reply.code {
        // RFC 5321, section 3.8: the server is about to close the connection.
        421 => (deferred(text, phase), false),
        // RFC 4954, section 6: the server wants a (better) login, which is the operator's to mend.
        530 | 534 | 535 | 538 => (deferred(text, Phase::Login), false),
        // "Bad sequence of commands" speaks of the session and not of the mail.
        503 => (deferred(text, phase), false),
        400..500 => (deferred(text, phase), true),
        500..600 => (Outcome::Rejected { reply: text, phase }, true),
        _ => (deferred(format!("out of step: {text}"), phase), false),
    }
}
