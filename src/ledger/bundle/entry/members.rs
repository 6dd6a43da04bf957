//! What later steps rest on must be there and well-formed: all verifiers refuse at the same step what is not.

use serde_json::Value;

use super::Entry;
use crate::ledger::bundle::name;

/// The grades that a confirmation has.
const GRADES: [&str; 3] = ["code", "same_browser", "link_button"];

pub(super) fn check(entry: &Entry) -> Result<(), &'static str> {
    let purposes = || {
        must(
            entry.list("purposes").is_some(),
            "its purposes are no list of texts",
        )
    };
    match entry.kind.as_str() {
        "signed_up" | "invited" => {
            purposes()?;
            must(entry.text("address").is_some(), "its address is no text")?;
            must(
                is_hash(entry, "form_version"),
                "its form_version is no SHA-256",
            )?;
            let expires = entry.instant("confirmation_expires_at");
            must(expires.is_some(), "its confirmation_expires_at is no time")
        }
        "mail_accepted" => {
            must(
                entry.text("message_id").is_some(),
                "its message_id is no text",
            )?;
            must(
                is_hash(entry, "mail_sha256"),
                "its mail_sha256 is no SHA-256",
            )?;
            let tries = entry.member("tries").and_then(Value::as_u64);
            must(
                tries.is_some_and(|tries| tries < 1 << 53),
                "its tries are no number",
            )?;
            let ambiguous = entry.member("ambiguous").and_then(Value::as_bool);
            must(
                ambiguous.is_some(),
                "its ambiguous is neither true nor false",
            )
        }
        "confirmed" => {
            purposes()?;
            let grade = entry.text("grade");
            let is_known = grade.is_some_and(|grade| GRADES.contains(&grade));
            must(is_known, "its grade is none that a confirmation has")
        }
        "declined" | "withdrawn" | "purpose_changed" | "complained" => purposes(),
        _ => Ok(()),
    }
}

fn is_hash(entry: &Entry, member: &str) -> bool {
    entry.text(member).is_some_and(name::is_hash)
}

const fn must(holds: bool, what: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(what) }
}
