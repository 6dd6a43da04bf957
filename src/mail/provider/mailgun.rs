//! Mailgun's webhooks, signed by HMAC over a time and a token
//! (documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks).
//!
//! The signature does not cover what is told: who has one post could put other events beside its signature. So a token is good
//! once, and the mail's own token counts as everywhere.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::{
    AHEAD_AT_MOST, Entry, Fate, NAME, Unreadable, Untrue, plain, report, text, tokens, told,
};
use crate::domain::fate::Claim;
use crate::domain::time::Timestamp;

/// A post is tried again for 8 hours (documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-retries), and nothing
/// says that it is signed anew.
pub const GOOD_FOR: Duration = Duration::from_secs(9 * 3_600);
const TOKEN_AT_MOST: usize = 200;

/// A post, taken apart.
#[derive(Debug, Deserialize)]
pub struct Post {
    signature: Signature,
    #[serde(rename = "event-data")]
    event: Value,
}

#[derive(Debug, Deserialize)]
struct Signature {
    /// Seconds, as a text or as a number.
    timestamp: Value,
    token: String,
    signature: String,
}

impl Post {
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let post: Self = serde_json::from_slice(body).map_err(|_| Unreadable::Malformed)?;
        match post.signature.token.len() {
            1..=TOKEN_AT_MOST => Ok(post),
            _ => Err(Unreadable::Malformed),
        }
    }

    /// Whether the post is signed by this key, and lately.
    pub fn check(&self, key: &str, now: Timestamp) -> Result<(), Untrue> {
        let signed = &self.signature;
        let timestamp = match &signed.timestamp {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // A key longer than the hash's block is hashed first, a shorter one filled up (RFC 2104, section 2).
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
        let mut mac = mac.map_err(|_| Untrue::Signature)?;
        mac.update(timestamp.as_bytes());
        mac.update(signed.token.as_bytes());
        let given = bytes(&signed.signature).ok_or(Untrue::Signature)?;
        mac.verify_slice(&given).map_err(|_| Untrue::Signature)?;
        let seconds = timestamp.parse().map_err(|_| Untrue::Stale)?;
        is_fresh(seconds, now, GOOD_FOR).ok_or(Untrue::Stale)
    }

    /// What is good once.
    pub fn token(&self) -> &str {
        &self.signature.token
    }

    /// Reads the event (documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure).
    pub fn read(&self) -> Vec<Entry> {
        vec![one(&self.event)]
    }
}

/// Whether seconds of the Unix time are near enough to now.
pub(super) fn is_fresh(seconds: i64, now: Timestamp, for_: Duration) -> Option<()> {
    let at = Timestamp::from_micros(seconds.checked_mul(1_000_000)?);
    let fits = at <= now.plus(AHEAD_AT_MOST) && at >= now.minus(for_);
    fits.then_some(())
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn one(event: &Value) -> Entry {
    let Some(kind) = text(event, &["event"]) else {
        return Entry::Broken;
    };
    let fate = match kind {
        "failed" => match failure(event) {
            Some(fate) => fate,
            None => return Entry::Other,
        },
        "complained" => Fate::abuse(),
        "unsubscribed" => Fate::Left,
        _ => return Entry::Other,
    };
    let id = report(&[plain(event, &["id"])]);
    let tokens = tokens([
        text(event, &["user-variables", NAME]),
        text(event, &["envelope", "sender"]),
    ]);
    told(tokens, text(event, &["recipient"]), id, fate)
}

/// None: Mailgun goes on trying. The last try of what fails for the time being has the reason "old". What is on one of its lists is
/// told as a failure too: that of the bounces tells of the address, the others of what the person did.
fn failure(event: &Value) -> Option<Fate> {
    let status = |name| text(event, &["delivery-status", name]);
    let reason = text(event, &["reason"]).unwrap_or_default();
    let claim = match (text(event, &["severity"]), reason) {
        (_, "old") => Claim::Passing,
        (Some("permanent"), "suppress-unsubscribe") => return Some(Fate::Left),
        (Some("permanent"), "suppress-complaint") => return Some(Fate::abuse()),
        (Some("permanent"), _) if reason.starts_with("suppress-") => Claim::Listed,
        (Some("permanent"), _) => Claim::Permanent,
        _ => return None,
    };
    let said = ["message", "description"].into_iter().filter_map(status);
    let said = said.map(str::trim).find(|said| !said.is_empty());
    let code = status("enhanced-code").or_else(|| status("bounce-code"));
    Some(Fate::failed(claim, code, said.unwrap_or(reason)))
}
