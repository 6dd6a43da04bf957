//! The changes of state of each purpose, in the order of the log.

mod method;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::notices::Notice;
use super::{CONTROLLER, SUBJECT};
use crate::app::prove::dossier::{Dossier, Entry};
use crate::domain::brand::Slug;
use crate::domain::event::Fact;
use crate::domain::standing::{self, Standing, Standings, State};
use method::method;

/// Where the standing changed, where it was confirmed once more, and where a campaign asked somebody of whom nothing stands.
/// So the last change of a purpose is the one that holds.
pub(super) fn all(dossier: &Dossier) -> BTreeMap<Slug, Vec<Value>> {
    let mut all: BTreeMap<Slug, Vec<Value>> = BTreeMap::new();
    let mut standings = Standings::new();
    for entry in &dossier.entries {
        let before = standings.clone();
        standing::apply(&mut standings, &entry.event.fact, entry.event.at);
        let mut named: Vec<&Slug> = entry.event.fact.purposes().iter().collect();
        // A mail names no purpose, and that of a merger's notice changes what stands (O4).
        let others = standings
            .keys()
            .filter(|slug| before.get(*slug) != standings.get(*slug));
        named.extend(others.filter(|slug| !entry.event.fact.purposes().contains(slug)));
        for purpose in named {
            let change = change(
                &entry.event.fact,
                before.get(purpose),
                standings.get(purpose),
            );
            if let Some(terms) = change {
                let status = status(dossier, entry, &terms);
                all.entry(purpose.clone()).or_default().push(status);
            }
        }
    }
    all
}

/// The state's DPV class, the kind of consent where it is given, and who brought it about.
struct Terms {
    class: &'static str,
    consent: Option<&'static str>,
    by: &'static str,
}

impl Terms {
    const fn new(class: &'static str, consent: Option<&'static str>, by: &'static str) -> Self {
        Self { class, consent, by }
    }
}

/// What an event changes for one purpose; none where nothing does.
fn change(fact: &Fact, old: Option<&Standing>, new: Option<&Standing>) -> Option<Terms> {
    let waits = |standing: Option<&Standing>| {
        standing.is_none_or(|standing| matches!(standing.state, State::Pending | State::Lapsed))
    };
    match (fact, new) {
        (Fact::Invited(invited), _) if !invited.reminder && waits(new) => {
            Some(Terms::new("dpv:ConsentRequested", None, CONTROLLER))
        }
        (Fact::ImportWithdrawn { .. }, None) if old.is_some() => {
            Some(Terms::new("dpv:ConsentInvalidated", None, CONTROLLER))
        }
        (_, Some(new))
            if matches!(fact, Fact::Confirmed { .. } | Fact::PurposeChanged(_))
                || old.map(|old| old.consent()) != Some(new.consent()) =>
        {
            let again = old.is_some_and(|old| old.state == State::Explicit);
            Some(terms(fact, new.state, again))
        }
        _ => None,
    }
}

/// `again` tells that the purpose was confirmed before. What an import or a merger's notice gives is the controller's word.
const fn terms(fact: &Fact, state: State, again: bool) -> Terms {
    let claimed = matches!(
        fact,
        Fact::Imported(_)
            | Fact::ProofAdded(_)
            | Fact::ImportWithdrawn { .. }
            | Fact::MailAccepted { .. }
    );
    let by = if claimed { CONTROLLER } else { SUBJECT };
    let expressed = Some("dpv:ExpressedConsent");
    match state {
        // Nobody asked anybody by an import.
        State::Pending if claimed => Terms::new("dpv:ConsentUnknown", None, CONTROLLER),
        State::Pending => Terms::new("dpv:ConsentRequested", None, CONTROLLER),
        State::Implicit => Terms::new("dpv:ConsentGiven", Some("dpv:ImpliedConsent"), by),
        State::Explicit if again && !claimed => {
            Terms::new("dpv:RenewedConsentGiven", expressed, by)
        }
        State::Explicit => Terms::new("dpv:ConsentGiven", expressed, by),
        State::Lapsed => Terms::new("dpv:ConsentExpired", None, CONTROLLER),
        State::Declined => Terms::new("dpv:ConsentRefused", None, by),
        State::Withdrawn => Terms::new("dpv:ConsentWithdrawn", None, by),
        State::Corrected => Terms::new("dpv:ConsentInvalidated", None, by),
    }
}

/// One change of state.
fn status(dossier: &Dossier, entry: &Entry, terms: &Terms) -> Value {
    let classes: Vec<&str> = [terms.class].into_iter().chain(terms.consent).collect();
    let mut status = json!({
        "@type": classes,
        "dpv:isIndicatedAtTime": entry.event.at.to_string(),
        "dpv:isIndicatedBy": terms.by,
        "dpv:hasIndicationMethod": method(&entry.event.fact),
        "dct:source": sources(dossier, entry),
    });
    let asked = dossier
        .of_request(entry.event.request)
        .find_map(|other| Notice::of(&other.event.fact));
    if let Some(notice) = asked {
        status["dpv:hasNotice"] = json!({"@id": notice.id()});
        if terms.class == "dpv:ConsentRequested" {
            status["dpv:hasDuration"] = json!({
                "@type": "dpv:UntilTimeDuration",
                "rdf:value": notice.expires_at.to_string(),
            });
        }
    }
    if terms.consent.is_some() {
        status["dpv:hasDuration"] = json!({
            "@type": "dpv:UntilEventDuration",
            "rdf:value": "withdrawal",
        });
    }
    status
}

/// The files of the bundle that a change rests on: its event with its circumstances, and for a confirmation the signup, or the
/// campaign's asking, and the mails of its request.
fn sources(dossier: &Dossier, entry: &Entry) -> Vec<String> {
    let mut files = Vec::new();
    if matches!(entry.event.fact, Fact::Confirmed { .. }) {
        for other in dossier.of_request(entry.event.request) {
            match other.event.fact {
                Fact::SignedUp(_) | Fact::Invited(_) => {
                    files.push(other.file());
                    files.extend(other.circumstances_file());
                }
                Fact::MailAccepted { .. } => {
                    files.push(other.file());
                    files.push(format!("mails/{:04}.eml", other.number));
                }
                _ => {}
            }
        }
    }
    files.push(entry.file());
    if matches!(entry.event.fact, Fact::MailAccepted { .. }) {
        files.push(format!("mails/{:04}.eml", entry.number));
    }
    files.extend(entry.circumstances_file());
    files
}
