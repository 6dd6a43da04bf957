//! The story: each event with its time, in words, and with what belongs to it.

use std::collections::BTreeSet;

use super::mail::{self, MailView};
use super::words::{GradeWords, clock, grade, headline, legible, logged, time};
use crate::app::prove::dossier::{Dossier, Entry};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact, SignedUp};
use crate::domain::form::{VersionHash, shown};
use crate::domain::sentence::sentence;

pub(super) struct EventView {
    pub(super) number: usize,
    pub(super) file: String,
    pub(super) circumstances_file: Option<String>,
    pub(super) headline: &'static str,
    /// A change of the standing: the reader looks for these first.
    pub(super) weighty: bool,
    pub(super) time: String,
    pub(super) sentence: String,
    pub(super) rows: Vec<(&'static str, String)>,
    pub(super) index: u64,
    pub(super) logged: String,
    pub(super) clock: String,
    pub(super) request: Option<String>,
    pub(super) form: Option<FormView>,
    pub(super) mail: Option<MailView>,
    pub(super) mail_file: String,
    pub(super) grade: Option<&'static GradeWords>,
}

pub(super) struct FormView {
    pub(super) file: String,
    pub(super) boxes: Vec<String>,
    /// The section of the kept page; none where an earlier event of the report shows it, or it is not there.
    pub(super) section: Option<String>,
    pub(super) shown_before: bool,
}

pub(super) fn all(dossier: &Dossier) -> Vec<EventView> {
    let mut seen = BTreeSet::new();
    dossier
        .entries
        .iter()
        .map(|entry| view(dossier, entry, &mut seen))
        .collect()
}

fn view(dossier: &Dossier, entry: &Entry, seen: &mut BTreeSet<(VersionHash, String)>) -> EventView {
    let event = &entry.event;
    let mut rows = rows_of(&event.fact);
    if let Some(circumstances) = event.fact.circumstances() {
        rows.extend(rows_of_circumstances(circumstances, entry.discloses));
    }
    EventView {
        number: entry.number,
        file: entry.file(),
        circumstances_file: entry.circumstances_file(),
        headline: headline(&event.fact),
        weighty: !event.fact.purposes().is_empty(),
        time: time(event.at),
        sentence: legible(&sentence(event)),
        rows,
        index: entry.index,
        logged: logged(dossier, entry),
        clock: clock(event),
        request: event.request.map(|request| request.0.to_string()),
        form: form_of(dossier, event, seen),
        mail: dossier
            .mails
            .get(&entry.number)
            .and_then(|bytes| mail::view(bytes)),
        mail_file: format!("mails/{:04}.eml", entry.number),
        grade: match &event.fact {
            Fact::Confirmed { grade: given, .. } => Some(grade(*given)),
            _ => None,
        },
    }
}

fn rows_of(fact: &Fact) -> Vec<(&'static str, String)> {
    match fact {
        Fact::SignedUp(signup) => rows_of_signup(signup),
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
        Fact::Confirmed { method, .. } => vec![("Request method", legible(method))],
        _ => Vec::new(),
    }
}

fn rows_of_signup(signup: &SignedUp) -> Vec<(&'static str, String)> {
    let by = &signup.asked_by;
    let mut rows = vec![
        ("Address as typed", legible(&signup.address_typed)),
        (
            "Asked by",
            legible(&format!(
                "{}, {}, {}",
                by.name,
                by.legal_name,
                by.postal_address.join(", ")
            )),
        ),
    ];
    if let Some(page) = &signup.page {
        rows.push(("Page, as the browser says", legible(page)));
    }
    if signup.kiosk {
        let at = "at a booth, on a tablet that clears itself after each person";
        rows.push(("Where", at.to_owned()));
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

fn rows_of_circumstances(from: &Circumstances, disclosed: bool) -> Vec<(&'static str, String)> {
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
        ("Languages it asks for", from.accept_language.clone()),
        ("Site it came from", from.origin.clone()),
        ("Fetch metadata", from.sec_fetch.clone()),
        ("Fetched ahead", from.purpose.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, legible(&value?))))
    .collect()
}

fn form_of(
    dossier: &Dossier,
    event: &Event,
    seen: &mut BTreeSet<(VersionHash, String)>,
) -> Option<FormView> {
    let Fact::SignedUp(signup) = &event.fact else {
        return None;
    };
    let (version, language) = (&signup.form_version, &signup.language);
    let first = seen.insert((version.clone(), language.clone()));
    let section = dossier
        .forms
        .get(version)
        .filter(|_| first)
        // What is not the page of its name is not shown as if it were.
        .filter(|page| VersionHash::of_page(page.as_bytes()) == *version)
        .and_then(|page| shown::section_of(page, language));
    Some(FormView {
        file: format!("forms/{}.html", version.as_str()),
        boxes: signup
            .boxes
            .iter()
            .map(|shown| match (shown.is_box, shown.ticked) {
                (false, _) => format!("{}: no box, the form is for it", shown.purpose),
                (true, true) => format!("{}: the person ticked the box", shown.purpose),
                (true, false) => format!("{}: the box stayed empty", shown.purpose),
            })
            .collect(),
        section: section.map(str::to_owned),
        shown_before: !first,
    })
}
