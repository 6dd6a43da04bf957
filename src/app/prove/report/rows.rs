//! What stands below an event's sentence: names and values, all of them text.

use super::words::{legible, time};
use crate::domain::campaign::Invited;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{AskedBy, Fact, PurposeChanged, SignedUp};
use crate::domain::import::{Elsewhere, Imported};
use crate::domain::policy::Claim;

type Rows = Vec<(&'static str, String)>;

pub(super) fn of(fact: &Fact) -> Rows {
    match fact {
        Fact::SignedUp(signup) => of_signup(signup),
        Fact::Imported(import) => of_import(import),
        Fact::ProofAdded(added) => vec![
            ("Added by", legible(&added.by)),
            (
                "Source with it, as the operator says",
                source_words(&added.claim),
            ),
        ],
        Fact::OperatorNote { by, note, .. } => {
            vec![("Written by", legible(by)), ("Note", legible(note))]
        }
        Fact::Invited(invited) => of_invitation(invited),
        Fact::MailAccepted {
            reply,
            mail_sha256,
            ambiguous,
            ..
        } => {
            let mut rows = vec![
                ("The server's reply", legible(reply.trim())),
                ("SHA-256 of the mail", legible(mail_sha256)),
            ];
            if *ambiguous {
                rows.push((
                    "Note",
                    "An earlier try may have arrived although its reply was lost: the person may have had the same mail twice."
                        .to_owned(),
                ));
            }
            rows
        }
        Fact::Confirmed { method, name, .. } => {
            let mut rows = vec![("Request method", legible(method))];
            rows.extend(
                name.as_deref()
                    .map(|name| ("Name from now on", legible(name))),
            );
            rows
        }
        Fact::PurposeChanged(change) => of_change(change),
        Fact::Bounced(bounced) => vec![
            ("Status (RFC 3463)", legible(&bounced.status)),
            ("What the receiving server said", legible(&bounced.said)),
            (REPORTED_BY, reported(&bounced.reporter, &bounced.report)),
        ],
        Fact::Complained(complaint) => vec![
            ("Kind of feedback (RFC 5965)", legible(&complaint.feedback)),
            (
                REPORTED_BY,
                reported(&complaint.reporter, &complaint.report),
            ),
        ],
        Fact::Withdrawn {
            told_by: Some(told),
            ..
        } => vec![(REPORTED_BY, reported(&told.reporter, &told.report))],
        _ => Vec::new(),
    }
}

const REPORTED_BY: &str = "Reported by";

/// Who reported, and under which id of its own.
fn reported(reporter: &str, report: &str) -> String {
    match report {
        "" => legible(reporter),
        id => format!("{}, as {}", legible(reporter), legible(id)),
    }
}

fn of_signup(signup: &SignedUp) -> Rows {
    let mut rows = vec![
        ("Address as typed", legible(&signup.address_typed)),
        ("Asked by", asked_by(&signup.asked_by)),
    ];
    if let Some(page) = &signup.page {
        let who = if signup.passed_on.is_some() {
            "Page, as the program says"
        } else {
            "Page, as the browser says"
        };
        rows.push((who, legible(page)));
    }
    if let Some(passed_on) = &signup.passed_on {
        rows.push((
            "Passed on by",
            format!("a program, with the API key {}", passed_on.key),
        ));
        if let Some(wording) = &passed_on.wording {
            rows.push(("Wording, as the program says", legible(wording)));
        }
        if let Some(at) = passed_on.entered_at {
            rows.push(("Entered, as the program says", time(at)));
        }
    }
    if signup.kiosk {
        let at = "at a booth, on a tablet that clears itself after each person";
        rows.push(("Where", at.to_owned()));
    }
    if let Some(said) = signup.clock_said {
        let note = match signup.entered_at {
            Some(_) => {
                "The clock was off as the entry was sent, and the time is put right by how far it was off."
            }
            None => {
                "The clock was wrong then and had been set right when the entry was sent: nobody can tell when it was entered."
            }
        };
        rows.push((
            "What the tablet's clock said",
            format!("{} {note}", time(said)),
        ));
    }
    if let Some(entered_at) = signup.entered_at {
        rows.push(("Entered, as the tablet's clock says", time(entered_at)));
        let kept = "There was no connection; until the entry was sent, it waited on the tablet, encrypted. The event's own time is \
                    that of its arrival, and so is what is known of browser and network.";
        rows.push(("Note", kept.to_owned()));
    }
    if let Some(responsible) = &signup.responsible {
        rows.push(("Answers for this address", legible(responsible)));
    }
    rows.push((
        "To be confirmed before",
        time(signup.confirmation_expires_at),
    ));
    rows
}

/// The words of the preferences page: nothing but the event holds them.
fn of_change(change: &PurposeChanged) -> Rows {
    let mut rows = vec![("Asked by", asked_by(&change.asked_by))];
    for shown in &change.shown {
        let words = format!("{}: {}", shown.name, shown.wording);
        rows.push(("Said yes to, as the page showed it", legible(&words)));
        let agree = shown.agree.as_deref();
        rows.extend(agree.map(|words| ("At the box that was ticked", legible(words))));
    }
    rows.push(("Above the button", legible(&change.consent)));
    rows.push(("On the button", legible(&change.button)));
    rows
}

/// What the operator's file said. Nobody was asked by it, and nobody typed anything here.
fn of_import(import: &Imported) -> Rows {
    let mut rows = vec![
        ("Address in the file", legible(&import.address_typed)),
        ("For", asked_by(&import.asked_by)),
    ];
    for claim in &import.claims {
        rows.push(("Source, as the operator says", source_words(claim)));
    }
    if let Some(said) = &import.elsewhere {
        rows.extend(of_elsewhere(said));
    }
    rows
}

fn source_words(claim: &Claim) -> String {
    let mut words = claim.source().as_str().to_owned();
    if let Some(on) = claim.obtained_on() {
        words.push_str(&format!(", obtained on {on}"));
    }
    for (key, value) in claim.proof() {
        words.push_str(&format!("; {key}: {value}"));
    }
    legible(&words)
}

fn of_elsewhere(said: &Elsewhere) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("Other system", &said.system),
        ("Opted in there, as it says", &said.opted_in_at),
        ("From the address, as it says", &said.opted_in_ip),
        ("Confirmed there, as it says", &said.confirmed_at),
        ("Confirmed from, as it says", &said.confirmed_ip),
        ("Legal basis, as it says", &said.legal_basis),
        ("Its explanation", &said.explanation),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, legible(value.as_deref()?))))
}

fn of_invitation(invited: &Invited) -> Rows {
    let mut rows = vec![
        ("Address asked", legible(&invited.address)),
        ("Asked by", asked_by(&invited.asked_by)),
        ("Campaign", invited.campaign.to_string()),
        ("Why it may be asked", legible(&invited.judgement.why)),
    ];
    if let Some(brand) = &invited.old_brand {
        rows.push(("Brand that the person knew", legible(brand)));
    }
    rows.push((
        "To be confirmed before",
        time(invited.confirmation_expires_at),
    ));
    rows
}

fn asked_by(by: &AskedBy) -> String {
    legible(&format!(
        "{}, {}, {}",
        by.name,
        by.legal_name,
        by.postal_address.join(", ")
    ))
}

pub(super) fn of_circumstances(from: &Circumstances, disclosed: bool) -> Rows {
    let none = |why: &str| vec![("Browser and network", why.to_owned())];
    if !disclosed {
        return none("not disclosed: they are kept for a shorter time than the event");
    }
    if *from == Circumstances::default() {
        return none("nothing came that could be noted");
    }
    let ip = from.ip.map(|ip| ip.to_string());
    let peer = from.peer.map(|ip| ip.to_string());
    [
        ("Network address", ip),
        ("Through the proxy", peer),
        ("Browser, as it says", from.user_agent.clone()),
        (
            "The person's network address, as the program says",
            from.claimed_ip.map(|ip| ip.to_string()),
        ),
        (
            "The person's browser, as the program says",
            from.claimed_user_agent.clone(),
        ),
        ("Languages it asks for", from.accept_language.clone()),
        ("Site it came from", from.origin.clone()),
        ("Fetch metadata", from.sec_fetch.clone()),
        ("Fetched ahead", from.purpose.clone()),
        (
            "Opted in elsewhere from the address, as the list says",
            from.opted_in_ip.clone(),
        ),
        (
            "Confirmed elsewhere from, as the list says",
            from.confirmed_ip.clone(),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, legible(&value?))))
    .collect()
}
