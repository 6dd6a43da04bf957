//! SendGrid's Event Webhook, signed by ECDSA over a time and the body
//! (twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;

use super::mailgun::is_fresh;
use super::{
    Entry, Fate, NAME, Unreadable, Untrue, entries, json, plain, report, text, tokens, told,
};
use crate::domain::fate::Claim;
use crate::domain::time::Timestamp;

/// The headers that the signature and its time stand in.
pub const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
pub const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";
/// A post is tried again for 24 hours, and nothing says that it is signed anew.
pub const GOOD_FOR: Duration = Duration::from_secs(25 * 3_600);

/// What stands in front of the point in a public key on P-256 (RFC 5480, section 2).
const BEFORE_THE_POINT: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The key that SendGrid's settings show: base64 of a public key on P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKey(Vec<u8>);

impl EventKey {
    /// Reads what the settings show, or the same as PEM.
    pub fn parse(shown: &str) -> Option<Self> {
        let lines = shown.lines().filter(|line| !line.starts_with("-----"));
        let base64: String = lines.flat_map(str::split_whitespace).collect();
        let bytes = STANDARD.decode(base64).ok()?;
        let point = bytes.strip_prefix(&BEFORE_THE_POINT)?;
        p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
        Some(Self(point.to_vec()))
    }

    /// Whether a body is signed by this key, and lately.
    pub fn check(
        &self,
        signature: &str,
        timestamp: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Untrue> {
        let signature = STANDARD.decode(signature.trim());
        let signature = signature.map_err(|_| Untrue::Signature)?;
        let message = [timestamp.as_bytes(), body].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0)
            .verify(&message, &signature)
            .map_err(|_| Untrue::Signature)?;
        let seconds = timestamp.parse().map_err(|_| Untrue::Stale)?;
        is_fresh(seconds, now, GOOD_FOR).ok_or(Untrue::Stale)
    }
}

/// Reads a post, which is a list (twilio.com/docs/sendgrid/for-developers/tracking-events/event).
pub fn read(body: &[u8]) -> Result<Vec<Entry>, Unreadable> {
    let post = json(body)?;
    if !post.is_array() {
        return Err(Unreadable::Malformed);
    }
    entries(&post, one)
}

fn one(event: &Value) -> Entry {
    let Some(kind) = text(event, &["event"]) else {
        return Entry::Broken;
    };
    let status = text(event, &["status"]);
    let said = text(event, &["reason"]).unwrap_or_default();
    let fate = match kind {
        // A block is a refusal that does not lie in the address.
        "bounce" if text(event, &["type"]) == Some("blocked") => {
            Fate::failed(Claim::Passing, status, said)
        }
        "bounce" => Fate::failed(Claim::Permanent, status, said),
        "dropped" => dropped(status, said),
        "spamreport" => Fate::abuse(),
        "unsubscribe" | "group_unsubscribe" => Fate::Left,
        _ => return Entry::Other,
    };
    let id = report(&[plain(event, &["sg_event_id"])]);
    // Unique arguments stand beside the event's own members.
    let tokens = tokens([text(event, &[NAME])]);
    told(tokens, text(event, &["email"]), id, fate)
}

/// Why SendGrid did not even try: because of what the person did, of the address, or of the mail or the account.
fn dropped(status: Option<&str>, reason: &str) -> Fate {
    match reason.trim() {
        "Unsubscribed Address" => Fate::Left,
        "Spam Reporting Address" => Fate::abuse(),
        "Bounced Address" | "Invalid" => Fate::failed(Claim::Listed, status, reason),
        _ => Fate::failed(Claim::Passing, status, reason),
    }
}
