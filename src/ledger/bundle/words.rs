//! Events as sentences. What stands in an event came from strangers: it is cut and cleaned before it is shown.

use super::entry::Entry;
use super::opener;

const TEXT_AT_MOST: usize = 300;

/// A stranger's text as one line: no control characters, no marks that turn the direction of writing.
pub fn plain(text: &str) -> String {
    let is_shown = |c: &char| {
        !c.is_control()
            && !matches!(*c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(is_shown).take(TEXT_AT_MOST).collect()
}

/// One event as a sentence; kinds that are not known here are named as they are.
pub fn sentence(entry: &Entry) -> String {
    let text = |name: &str| plain(entry.text(name).unwrap_or("?"));
    let purposes = || {
        let list = entry.list("purposes").unwrap_or_default();
        plain(&list.join(", "))
    };
    match entry.kind.as_str() {
        "signed_up" => format!(
            "{} was typed into the form \"{}\" for {} (wording {}, language {}; the server's ruling: {} by rule {}).",
            text("address_typed"),
            text("form"),
            purposes(),
            text("form_version").chars().take(12).collect::<String>(),
            text("language"),
            text("verdict"),
            text("rule"),
        ),
        "imported" if entry.member("left").and_then(|left| left.as_bool()) == Some(true) => {
            format!(
                "An import said that {} had left {}.",
                text("address_typed"),
                purposes(),
            )
        }
        "imported" => format!(
            "{} was imported for {} (line {}).",
            text("address_typed"),
            purposes(),
            entry
                .member("line")
                .and_then(|line| line.as_u64())
                .unwrap_or(0),
        ),
        "import_withdrawn" => "The import was taken back.".to_owned(),
        "proof_added" => proof_added(entry),
        "invited" => invited(entry),
        "lapsed" if entry.member("explicit").and_then(|one| one.as_bool()) == Some(true) => {
            format!(
                "Explicit consent to {} ended: asked again, nobody answered.",
                purposes()
            )
        }
        "lapsed" => format!("Implicit consent to {} lapsed.", purposes()),
        "mail_requested" if entry.text("confirmation_expires_at").is_some() => format!(
            "The mail was asked for again, and the request is open until {}.",
            text("confirmation_expires_at")
        ),
        "mail_requested" => "The mail was asked for again.".to_owned(),
        "mail_accepted" => format!(
            "The mail server took the mail <{}> and said: {}",
            text("message_id"),
            text("reply").trim()
        ),
        "mail_failed" => format!("The mail was given up: {}", text("reason").trim()),
        "link_opened" => format!("The link \"{}\" of the mail was opened.", text("link")),
        "code_asked" => "A press that looked like a program's did not confirm.".to_owned(),
        "code_wrong" => "A wrong code was typed.".to_owned(),
        "confirmed" if entry.text("name").is_some() => format!(
            "Confirmed {} {}; the name given at that signup holds from now on.",
            purposes(),
            how(entry)
        ),
        "confirmed" => format!("Confirmed {} {}.", purposes(), how(entry)),
        "declined" => format!("Said \"this was not me\" to {}.", purposes()),
        "withdrawn" => format!("Withdrew {}.", purposes()),
        "purpose_changed" => format!("Said yes to {} on the preferences page.", purposes()),
        "paused" if entry.text("until").is_some() => {
            format!("Asked for no mail before {}.", text("until"))
        }
        "paused" => "Ended the pause.".to_owned(),
        "language_changed" => {
            format!(
                "Changed the language from {} to {}.",
                text("from"),
                text("to")
            )
        }
        "bounced" => bounced(entry),
        "complained" if entry.list("purposes").is_some_and(|left| left.is_empty()) => format!(
            "A provider reported a complaint ({}); the person had left everything before.",
            text("feedback")
        ),
        "complained" => format!(
            "A provider reported a complaint ({}); the person left {}.",
            text("feedback"),
            purposes()
        ),
        "suppressed" => format!(
            "An operator kept the brand from writing to the mailbox from then on: {}",
            text("reason")
        ),
        "suppression_lifted" => format!(
            "An operator let the brand write to the mailbox again: {}",
            text("reason")
        ),
        "operator_note" => format!("{} wrote down: {}", text("by"), text("note")),
        "legal_hold" => format!(
            "An operator kept what is known for a claim, until {}: {}",
            text("until"),
            text("reason")
        ),
        "legal_hold_lifted" => {
            format!("An operator ended that before its time: {}", text("reason"))
        }
        "erasure_wished"
            if entry.member("taken_back").and_then(|one| one.as_bool()) == Some(true) =>
        {
            "The person took the wish to be erased back.".to_owned()
        }
        "erasure_wished" => {
            "The person asked to be erased; a legal hold stood in the way, and the wish was kept."
                .to_owned()
        }
        "expired" => "Nobody answered in time; this request ended.".to_owned(),
        "reminded" => "Nobody had answered yet; a reminder was due.".to_owned(),
        "address_changed" => "The address was corrected; this request ended.".to_owned(),
        "exported" => exported(entry).to_owned(),
        "replaced" => "A newer request took the place of this one.".to_owned(),
        other => format!("\"{}\" happened.", plain(other)),
    }
}

/// A campaign asked; nobody typed anything.
fn invited(entry: &Entry) -> String {
    let text = |name: &str| plain(entry.text(name).unwrap_or("?"));
    let rule = entry
        .member("judgement")
        .and_then(|judgement| judgement.get("rule")?.as_str());
    let how = if opener::is_reminder(entry) {
        "was reminded by campaign to confirm"
    } else {
        "was asked by campaign to confirm"
    };
    format!(
        "{} {how} {} ({}, campaign {}, wording {}, language {}; by rule {}).",
        text("address"),
        plain(&entry.list("purposes").unwrap_or_default().join(", ")),
        text("campaign_kind").replace('_', " "),
        text("campaign"),
        text("form_version").chars().take(12).collect::<String>(),
        text("language"),
        plain(rule.unwrap_or("?")),
    )
}

/// An operator's word, with what the server made of it.
fn proof_added(entry: &Entry) -> String {
    let text = |name: &str| plain(entry.text(name).unwrap_or("?"));
    let of = |member: &str, name: &str| {
        let value = entry
            .member(member)
            .and_then(|value| value.get(name)?.as_str());
        plain(value.unwrap_or("?"))
    };
    let added = entry.member("added").and_then(|added| added.as_object());
    let keys: Vec<&str> = added
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    format!(
        "{} added proof ({}) of the source {} for {} (the server's ruling: {} by rule {}).",
        text("by"),
        plain(&keys.join(", ")),
        of("claim", "source"),
        plain(&entry.list("purposes").unwrap_or_default().join(", ")),
        of("judgement", "verdict"),
        of("judgement", "rule"),
    )
}

/// To whom the evidence went: to the person, or to whoever works for the brand.
fn exported(entry: &Entry) -> &'static str {
    match entry.text("through") {
        Some("preferences_page") => "The person took along what is kept.",
        _ => "What is kept was handed out to an operator or a program.",
    }
}

fn bounced(entry: &Entry) -> String {
    let text = |name: &str| plain(entry.text(name).unwrap_or(""));
    let hard = entry.member("hard").and_then(|value| value.as_bool()) == Some(true);
    let (status, said) = (text("status"), text("said"));
    let how = if hard {
        "for good"
    } else {
        "for the time being"
    };
    format!("A mail came back {how} ({status}): {}", said.trim())
}

fn how(entry: &Entry) -> &'static str {
    match entry.text("grade") {
        Some("code") => "with the code from the mail",
        Some("same_browser") => "by the mail's link, in the browser that signed up",
        Some("link_button") => "by the button behind the mail's link",
        _ => "in a way that has no name here",
    }
}
