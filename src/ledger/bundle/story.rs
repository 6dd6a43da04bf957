//! Step 11: each confirmation answers a mail that was sent for a signup, or for a campaign's invitation.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::entry::Entry;
use super::mails::Linked;
use super::name;
use super::opener;
use super::problem::{BundleProblem, Step};
use crate::domain::time::Timestamp;

/// The server's reply and the person's click may be written down out of order by this much.
const OUT_OF_ORDER: Duration = Duration::from_secs(5);
/// For so long a reply may have waited to be written down.
const WAITED: Duration = Duration::from_secs(600);

/// A confirmation with what it rests on, by the events' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub confirmed: usize,
    /// The signup or the invitation that it answers.
    pub opener: usize,
    pub mail: Answered,
}

/// The outcome of the mail that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    Accepted(usize),
    /// No server said yes, and one may have taken it all the same: its reply was lost.
    MaybeTaken(usize),
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
    let opener = opener::of(entries, request)?;
    // Numbers follow the order of the log.
    if opener.number > confirmed.number {
        return Err(format!(
            "it stands before {}, which it answers",
            opener.file()
        ));
    }
    check_answers(
        confirmed,
        opener,
        open_until(entries, request, confirmed, opener)?,
    )?;
    let sent = entries
        .iter()
        .filter(|entry| of_request(entry, "mail_accepted"));
    let lost = entries
        .iter()
        .find(|entry| of_request(entry, "mail_failed") && is_ambiguous(entry));
    let mail = match (
        answered(confirmed, request, &sent.collect::<Vec<_>>(), mails),
        lost,
    ) {
        (Ok(mail), _) => Answered::Accepted(mail.number),
        (Err(_), Some(lost)) => Answered::MaybeTaken(lost.number),
        (Err(why), None) => return Err(why.to_owned()),
    };
    Ok(Confirmation {
        confirmed: confirmed.number,
        opener: opener.number,
        mail,
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
        return Err("it stands before the mail that it answers");
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

/// Until when a request was open, as its opener says, or whoever asked for its mail again before it was confirmed.
fn open_until(
    entries: &[Entry],
    request: Uuid,
    confirmed: &Entry,
    opener: &Entry,
) -> Result<Timestamp, String> {
    let first = opener
        .instant("confirmation_expires_at")
        .ok_or_else(|| format!("{} has no confirmation_expires_at", opener.file()))?;
    let again = entries
        .iter()
        .filter(|entry| entry.is("mail_requested") && entry.request == Some(request))
        .filter(|entry| entry.number < confirmed.number)
        .filter_map(|entry| entry.instant("confirmation_expires_at"));
    Ok(again.fold(first, Timestamp::max))
}

/// It confirms what was asked for, in time.
fn check_answers(confirmed: &Entry, opener: &Entry, expires_at: Timestamp) -> Result<(), String> {
    let (Some(purposes), Some(asked)) = (confirmed.list("purposes"), opener.list("purposes"))
    else {
        return Err("it or what it answers lists no purposes".to_owned());
    };
    if let Some(other) = purposes.iter().find(|purpose| !asked.contains(purpose)) {
        return Err(format!(
            "it confirms \"{}\", which {} did not ask for",
            super::words::plain(other),
            opener.file()
        ));
    }
    if confirmed.at >= expires_at {
        return Err(format!(
            "it came after the request had expired at {expires_at}"
        ));
    }
    Ok(())
}

/// Whether the mail can have arrived before the confirmation. The order of the log decides, whatever a clock that was set
/// says. Behind the confirmation it may stand if both were written down at nearly the same time, or if a first copy may
/// have arrived although its reply was lost: then the outcome is marked ambiguous, or there was more than one try.
fn went_before(mail: &Entry, confirmed: &Entry) -> bool {
    let tries = mail.member("tries").and_then(|value| value.as_u64());
    let at_once =
        mail.at <= confirmed.at.plus(OUT_OF_ORDER) && mail.at >= confirmed.at.minus(WAITED);
    mail.number < confirmed.number || at_once || is_ambiguous(mail) || tries.unwrap_or(0) > 1
}

fn is_ambiguous(mail: &Entry) -> bool {
    mail.member("ambiguous").and_then(|value| value.as_bool()) == Some(true)
}

/// Times that run against the order of the log, and mails of which no server said that it took them.
pub fn remarks(entries: &[Entry], confirmations: &[Confirmation]) -> Vec<String> {
    let entry = |number: usize| entries.get(number.saturating_sub(1));
    let mut remarks = Vec::new();
    for confirmation in confirmations {
        let Some(confirmed) = entry(confirmation.confirmed) else {
            continue;
        };
        let mail = match confirmation.mail {
            Answered::Accepted(number) => entry(number),
            Answered::MaybeTaken(number) => {
                remarks.push(format!(
                    "no mail server said that it took the mail which {} answers: the last reply was lost ({}), and the bundle does not hold the mail",
                    confirmed.file(),
                    name::event(number)
                ));
                None
            }
        };
        let before = [entry(confirmation.opener), mail];
        let later = before.into_iter().flatten().filter(|before| {
            before.number < confirmed.number && before.at > confirmed.at.plus(OUT_OF_ORDER)
        });
        remarks.extend(later.map(|before| {
            format!(
                "{} stands before {} in the log and says a later time: the clock was set back between them",
                before.file(),
                confirmed.file()
            )
        }));
    }
    remarks
}
