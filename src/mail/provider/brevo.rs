//! Brevo's transactional webhooks. They bear no signature; a secret comes with each
//! (developers.brevo.com/docs/username-and-password-authentication).

use serde_json::Value;

use super::{Entry, Fate, Unreadable, entries, json, plain, report, text, tokens, told};
use crate::domain::fate::Claim;

/// Reads a post: one event, or a list of them where posts are batched
/// (developers.brevo.com/docs/transactional-webhooks).
pub fn read(body: &[u8]) -> Result<Vec<Entry>, Unreadable> {
    entries(&json(body)?, one)
}

fn one(event: &Value) -> Entry {
    let Some(kind) = text(event, &["event"]) else {
        return Entry::Broken;
    };
    let said = text(event, &["reason"]).unwrap_or_default();
    let failed = |claim| Fate::failed(claim, None, said);
    // The documentation writes names with "_", the settings in camel case.
    let kind: String = kind
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase())
        .take(40)
        .collect();
    let fate = match kind.as_str() {
        "hardbounce" | "invalidemail" | "invalid" => failed(Claim::Permanent),
        "softbounce" | "error" => failed(Claim::Passing),
        "blocked" => failed(Claim::Listed),
        "spam" | "complaint" => Fate::abuse(),
        "unsubscribed" | "unsubscribe" => Fate::Left,
        _ => return Entry::Other,
    };
    let at = plain(event, &["ts_event"]).or_else(|| plain(event, &["ts"]));
    // `id` is the webhook's, not the event's.
    let id = report(&[plain(event, &["message-id"]), Some(kind), at]);
    let tokens = tokens([text(event, &["X-Mailin-custom"])]);
    told(tokens, text(event, &["email"]), id, fate)
}
