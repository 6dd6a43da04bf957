//! Postmark's webhooks. They bear no signature; Basic credentials come with each
//! (postmarkapp.com/developer/webhooks/webhooks-overview).

use serde_json::Value;

use super::{Entry, Fate, NAME, Unreadable, json, plain, report, text, tokens, told};
use crate::domain::fate::Claim;
use crate::mail::bounce::after_type;

/// Reads a post, which is one event.
pub fn read(body: &[u8]) -> Result<Vec<Entry>, Unreadable> {
    let event = json(body)?;
    match text(&event, &["RecordType"]) {
        None => Err(Unreadable::Malformed),
        Some("Bounce") => Ok(vec![bounce(&event)]),
        Some("SpamComplaint") => Ok(vec![entry(&event, "Email", Fate::abuse())]),
        Some("SubscriptionChange") => Ok(vec![subscription(&event)]),
        Some(_) => Ok(vec![Entry::Other]),
    }
}

/// The kinds of postmarkapp.com/developer/api/bounce-api#bounce-types.
fn bounce(event: &Value) -> Entry {
    let said = text(event, &["Details"]).or_else(|| text(event, &["Description"]));
    let said = after_type(said.unwrap_or_default());
    let failed = |claim| Fate::failed(claim, None, said);
    let fate = match text(event, &["Type"]) {
        Some("HardBounce" | "BadEmailAddress") => failed(Claim::Permanent),
        Some("ManuallyDeactivated") => failed(Claim::Listed),
        Some(
            "SoftBounce" | "DnsError" | "Blocked" | "SpamNotification" | "DMARCPolicy"
            | "VirusNotification" | "SMTPApiError" | "Unknown",
        ) => failed(Claim::Passing),
        Some("SpamComplaint") => Fate::abuse(),
        Some("Unsubscribe") => Fate::Left,
        // A delay, an answer from somebody on holiday, a question whether a person wrote, and what is not known.
        Some(_) => return Entry::Other,
        None => return Entry::Broken,
    };
    entry(event, "Email", fate)
}

/// The person left by the link that Postmark puts into broadcast mail. What else puts an address on its list is told as a bounce
/// or a complaint, or was an operator's doing.
fn subscription(event: &Value) -> Entry {
    let stopped = event.get("SuppressSending").and_then(Value::as_bool);
    let by = text(event, &["Origin"]);
    let why = text(event, &["SuppressionReason"]);
    match (stopped, by, why) {
        (Some(true), Some("Recipient"), Some("ManualSuppression")) => {
            entry(event, "Recipient", Fate::Left)
        }
        (Some(_), _, _) => Entry::Other,
        (None, _, _) => Entry::Broken,
    }
}

fn entry(event: &Value, recipient: &str, fate: Fate) -> Entry {
    let id = match plain(event, &["ID"]) {
        Some(id) => report(&[plain(event, &["RecordType"]), Some(id)]),
        None => report(&[
            plain(event, &["RecordType"]),
            plain(event, &["MessageID"]),
            plain(event, &["ChangedAt"]),
        ]),
    };
    let tokens = tokens([text(event, &["Metadata", NAME])]);
    told(tokens, text(event, &[recipient]), id, fate)
}
