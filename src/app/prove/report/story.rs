//! The story: each event with its time, in words, and with what belongs to it.

use std::collections::BTreeSet;

use super::mail::{self, MailView};
use super::rows;
use super::words::{GradeWords, clock, grade, headline, legible, logged, time};
use crate::app::prove::dossier::{Dossier, Entry};
use crate::domain::event::{Event, Fact, ShownBox};
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
    /// A campaign shows nobody a form: its mail asks in the form's words.
    pub(super) by_campaign: bool,
    pub(super) file: String,
    pub(super) passed_on: bool,
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
    let mut rows = rows::of(&event.fact);
    // A brand may keep none of them; then the event names none.
    if event.circumstances_sha256.is_some() {
        let circumstances = event.fact.circumstances().cloned().unwrap_or_default();
        rows.extend(rows::of_circumstances(&circumstances, entry.discloses));
    }
    EventView {
        number: entry.number,
        file: entry.file(),
        circumstances_file: entry.circumstances_file(),
        headline: headline(&event.fact),
        weighty: !event.fact.purposes().is_empty() || event.fact.is_merger_notice(),
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

fn form_of(
    dossier: &Dossier,
    event: &Event,
    seen: &mut BTreeSet<(VersionHash, String)>,
) -> Option<FormView> {
    let (version, language, boxes) = match &event.fact {
        Fact::SignedUp(signup) => (
            &signup.form_version,
            &signup.language,
            signup.boxes.iter().map(box_words).collect(),
        ),
        Fact::Invited(invited) => (
            &invited.form_version,
            &invited.language,
            invited.purposes.iter().map(ToString::to_string).collect(),
        ),
        _ => return None,
    };
    let first = seen.insert((version.clone(), language.clone()));
    let section = dossier
        .forms
        .get(version)
        .filter(|_| first)
        // What is not the page of its name is not shown as if it were.
        .filter(|page| VersionHash::of_page(page.as_bytes()) == *version)
        .and_then(|page| shown::section_of(page, language));
    Some(FormView {
        by_campaign: matches!(event.fact, Fact::Invited(_)),
        passed_on: matches!(&event.fact, Fact::SignedUp(signup) if signup.passed_on.is_some()),
        file: format!("forms/{}.html", version.as_str()),
        boxes,
        section: section.map(str::to_owned),
        shown_before: !first,
    })
}

fn box_words(shown: &ShownBox) -> String {
    match (shown.is_box, shown.ticked) {
        (false, _) => format!("{}: no box, the form is for it", shown.purpose),
        (true, true) => format!("{}: the person ticked the box", shown.purpose),
        (true, false) => format!("{}: the box stayed empty", shown.purpose),
    }
}
