//! Step 11: each confirmation answers a mail that was sent for a signup.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::entry::Entry;
use super::mails::Linked;
use super::problem::{BundleProblem, Step};

/// The server's reply and the person's click may be written down out of order by this much.
const OUT_OF_ORDER: Duration = Duration::from_secs(5);

/// A confirmation with what it rests on, by the events' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub confirmed: usize,
    pub signed_up: usize,
    pub mail: usize,
}

pub fn check(
    entries: &[Entry],
    mails: &BTreeMap<usize, Linked>,
) -> Result<Vec<Confirmation>, BundleProblem> {
    let confirmed = entries.iter().filter(|entry| entry.is("confirmed"));
    confirmed
        .map(|entry| {
            confirmation(entry, entries, mails)
                .map_err(|what| Step::Story.wrong(entry.file(), what))
        })
        .collect()
}

fn confirmation(
    confirmed: &Entry,
    entries: &[Entry],
    mails: &BTreeMap<usize, Linked>,
) -> Result<Confirmation, String> {
    let request = confirmed.request.ok_or("it belongs to no request")?;
    let of_request = |entry: &&Entry, kind| entry.is(kind) && entry.request == Some(request);
    // Numbers follow the order of the log.
    let signed_up = entries
        .iter()
        .take_while(|entry| entry.number < confirmed.number)
        .filter(|entry| of_request(entry, "signed_up"))
        .last()
        .ok_or("no signed_up event of the same request stands before it")?;
    check_answers(confirmed, signed_up)?;
    let sent = entries
        .iter()
        .filter(|entry| of_request(entry, "mail_accepted"));
    let mail = answered(confirmed, request, &sent.collect::<Vec<_>>(), mails)?;
    Ok(Confirmation {
        confirmed: confirmed.number,
        signed_up: signed_up.number,
        mail: mail.number,
    })
}

/// The mail of the request that the confirmation can have answered.
fn answered<'a>(
    confirmed: &Entry,
    request: Uuid,
    sent: &[&'a Entry],
    mails: &BTreeMap<usize, Linked>,
) -> Result<&'a Entry, &'static str> {
    if sent.is_empty() {
        return Err("no mail of the same request was accepted by a mail server");
    }
    let mut in_time = sent
        .iter()
        .filter(|mail| went_before(mail, confirmed))
        .peekable();
    if in_time.peek().is_none() {
        return Err("it came before the mail that it answers");
    }
    let is_linked = |mail: &&&Entry| {
        let linked = mails.get(&mail.number);
        linked.is_some_and(|linked| linked.contains(&request))
    };
    in_time
        .find(is_linked)
        .copied()
        .ok_or("the mail that it answers has no link of its request")
}

/// It confirms what was signed up for, in time.
fn check_answers(confirmed: &Entry, signed_up: &Entry) -> Result<(), String> {
    let (Some(purposes), Some(asked)) = (confirmed.list("purposes"), signed_up.list("purposes"))
    else {
        return Err("it or its signup lists no purposes".to_owned());
    };
    if let Some(other) = purposes.iter().find(|purpose| !asked.contains(purpose)) {
        return Err(format!(
            "it confirms \"{}\", which {} did not ask for",
            super::words::plain(other),
            signed_up.file()
        ));
    }
    let expires_at = signed_up
        .instant("confirmation_expires_at")
        .ok_or_else(|| format!("{} has no confirmation_expires_at", signed_up.file()))?;
    if confirmed.at >= expires_at {
        return Err(format!(
            "it came after the request had expired at {expires_at}"
        ));
    }
    Ok(())
}

/// Whether the mail can have arrived before the confirmation. A first copy may have, although its reply was lost: then
/// the outcome is marked ambiguous, or there was more than one try.
fn went_before(mail: &Entry, confirmed: &Entry) -> bool {
    let is_ambiguous = mail.member("ambiguous").and_then(|value| value.as_bool()) == Some(true);
    let tries = mail
        .member("tries")
        .and_then(|value| value.as_u64())
        .unwrap_or(0);
    mail.at <= confirmed.at.plus(OUT_OF_ORDER) || is_ambiguous || tries > 1
}
