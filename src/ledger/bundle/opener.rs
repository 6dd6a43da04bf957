//! Which event opened a confirmation request: a signup, or a campaign's invitation. A campaign's reminder opens none, it has
//! the request of the invitation before it.

use uuid::Uuid;

use super::entry::Entry;

/// Whether the event names a form version: whoever answers has agreed to that wording.
pub fn names_a_form(entry: &Entry) -> bool {
    entry.is("signed_up") || entry.is("invited")
}

pub fn is_reminder(entry: &Entry) -> bool {
    entry.is("invited") && entry.member("reminder").and_then(|value| value.as_bool()) == Some(true)
}

fn opens(entry: &Entry) -> bool {
    names_a_form(entry) && !is_reminder(entry)
}

/// The one event that opened a request. Of two, each reader might take another.
pub fn of(entries: &[Entry], request: Uuid) -> Result<&Entry, &'static str> {
    let mut found = entries
        .iter()
        .filter(|entry| opens(entry) && entry.request == Some(request));
    match (found.next(), found.next()) {
        (Some(opener), None) => Ok(opener),
        (None, _) => Err("no signed_up and no invited event opens its request"),
        (Some(_), Some(_)) => Err("two events open its request"),
    }
}
