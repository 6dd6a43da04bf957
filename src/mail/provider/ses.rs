//! What Amazon SES tells of a mail, inside an SNS message: notifications of an identity, and events that a configuration set
//! publishes (docs.aws.amazon.com/ses/latest/dg/notification-contents.html, …/event-publishing-retrieving-sns-contents.html).

use serde_json::Value;

use super::{Entry, FIELD, Fate, NAME, RECIPIENTS_AT_MOST, plain, report, text, tokens, told};
use crate::domain::fate::Claim;
use crate::mail::bounce::after_type;

/// Why an address is on a list of the provider's and nothing was sent.
const LISTED: [&str; 2] = ["Suppressed", "OnAccountSuppressionList"];

/// Reads the text of an SNS message. What is no notification of SES, such as the sentence that comes when a topic is chosen,
/// changes nothing.
pub fn read(message: &str, message_id: &str) -> Vec<Entry> {
    let Ok(event) = serde_json::from_str::<Value>(message) else {
        return vec![Entry::Other];
    };
    let kind = text(&event, &["notificationType"]).or_else(|| text(&event, &["eventType"]));
    match kind {
        Some("Bounce") => bounce(&event, message_id),
        Some("Complaint") => complaint(&event, message_id),
        Some("Subscription") => subscription(&event, message_id),
        _ => vec![Entry::Other],
    }
}

fn bounce(event: &Value, message_id: &str) -> Vec<Entry> {
    let subtype = text(event, &["bounce", "bounceSubType"]).unwrap_or_default();
    let claim = match text(event, &["bounce", "bounceType"]) {
        _ if LISTED.contains(&subtype) => Claim::Listed,
        Some("Permanent") => Claim::Permanent,
        // "Transient", "Undetermined", and what may come.
        _ => Claim::Passing,
    };
    let id = id_of(event, "bounce", message_id);
    let one = |recipient: &Value| {
        let said = text(recipient, &["diagnosticCode"]).map_or(subtype, after_type);
        let fate = Fate::failed(claim, text(recipient, &["status"]), said);
        told(
            tokens_of(event),
            text(recipient, &["emailAddress"]),
            id.clone(),
            fate,
        )
    };
    each(event, &["bounce", "bouncedRecipients"], one)
}

fn complaint(event: &Value, message_id: &str) -> Vec<Entry> {
    // An earlier mail was complained of; this one was not sent.
    let listed = text(event, &["complaint", "complaintSubType"])
        .is_some_and(|subtype| LISTED.contains(&subtype));
    let feedback = text(event, &["complaint", "complaintFeedbackType"]);
    let fate = match (listed, feedback) {
        // Not every provider says what kind of feedback it passes on.
        (true, _) | (false, None) => Fate::abuse(),
        (false, Some(kind)) => Fate::Unwanted(
            kind.to_ascii_lowercase()
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .take(40)
                .collect(),
        ),
    };
    let id = id_of(event, "complaint", message_id);
    let one = |recipient: &Value| {
        told(
            tokens_of(event),
            text(recipient, &["emailAddress"]),
            id.clone(),
            fate.clone(),
        )
    };
    each(event, &["complaint", "complainedRecipients"], one)
}

/// The person left by the link that SES puts into mail where subscriptions are managed there.
fn subscription(event: &Value, message_id: &str) -> Vec<Entry> {
    let preferences = event
        .get("subscription")
        .and_then(|one| one.get("newTopicPreferences"));
    let left = preferences.and_then(|one| one.get("unsubscribeAll")?.as_bool());
    if left != Some(true) {
        return vec![Entry::Other];
    }
    let id = report(&[Some(message_id.to_owned())]);
    let one =
        |recipient: &Value| told(tokens_of(event), recipient.as_str(), id.clone(), Fate::Left);
    each(event, &["mail", "destination"], one)
}

fn each(event: &Value, path: &[&str], one: impl Fn(&Value) -> Entry) -> Vec<Entry> {
    let found = path.iter().try_fold(event, |value, name| value.get(name));
    match found.and_then(Value::as_array) {
        Some(all) if !all.is_empty() => all.iter().take(RECIPIENTS_AT_MOST).map(one).collect(),
        _ => vec![Entry::Broken],
    }
}

fn id_of(event: &Value, within: &str, message_id: &str) -> String {
    let feedback = plain(event, &[within, "feedbackId"]);
    report(&[feedback.or_else(|| Some(message_id.to_owned()))])
}

/// The token as a tag, as a field of the mail's head, or in its envelope sender.
fn tokens_of(event: &Value) -> Vec<String> {
    let mail = event.get("mail").unwrap_or(&Value::Null);
    let tag = mail.get("tags").and_then(|tags| tags.get(NAME)?.get(0));
    let fields = mail.get("headers").and_then(Value::as_array);
    let field = fields
        .into_iter()
        .flatten()
        .find(|field| text(field, &["name"]).is_some_and(|name| name.eq_ignore_ascii_case(FIELD)));
    tokens([
        tag.and_then(Value::as_str),
        field.and_then(|field| text(field, &["value"])),
        text(mail, &["source"]),
    ])
}
