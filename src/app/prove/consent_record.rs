//! `record.jsonld`: the consent record in the terms of ISO/IEC TS 27560:2023, in the words of the W3C Data Privacy
//! Vocabulary (DPV), as its community group's guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023" lays out.
//!
//! One `dpv:Process` for each purpose, with all its changes of state in their order; the last is the one that holds. The
//! context stands in the file, so nothing is fetched to read it. What this server cannot know, the controller adds to a copy:
//! jurisdiction, where and how long data are stored, other recipients.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::dossier::{Dossier, Entry};
use crate::domain::brand::{Slug, in_language};
use crate::domain::event::{Fact, Grade, SignedUp};
use crate::domain::standing::{self, Standings, State};

const SUBJECT: &str = "#principal";
const CONTROLLER: &str = "#controller";

/// The record. There is one for each contact of a brand, and its identifier says both.
pub fn consent_record(dossier: &Dossier) -> Value {
    let processes: Vec<Value> = changes(dossier)
        .iter()
        .map(|(purpose, changes)| process(dossier, purpose, changes))
        .collect();
    json!({
        "@context": context(),
        "@id": "#record",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": format!("{}/{}", dossier.brand.slug, dossier.contact.0),
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dct:created": dossier.made_at.to_string(),
        "dct:description": "Made from the events of this bundle, which count where the two differ. Jurisdiction, storage and further recipients are not known to the server that made it.",
        "dpv:hasDataSubject": {
            "@id": SUBJECT,
            "@type": "dpv:DataSubject",
            "dct:identifier": dossier.contact.0.to_string(),
            "schema:email": dossier.address,
        },
        "dpv:hasDataController": controller(dossier),
        "dpv:hasNotice": notices(dossier),
        "dpv:hasProcess": processes,
    })
}

/// Prefixes, and which properties hold names and times. Nothing in it points to a context elsewhere.
fn context() -> Value {
    let mut context = Map::new();
    for (prefix, namespace) in [
        ("dpv", "https://w3id.org/dpv#"),
        ("pd", "https://w3id.org/dpv/pd#"),
        ("dct", "http://purl.org/dc/terms/"),
        ("schema", "https://schema.org/"),
        ("skos", "http://www.w3.org/2004/02/skos/core#"),
        ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ] {
        context.insert(prefix.to_owned(), namespace.into());
    }
    for name in [
        "dct:conformsTo",
        "dct:source",
        "dpv:hasLegalBasis",
        "dpv:hasPersonalData",
        "dpv:isIndicatedBy",
        "skos:broader",
    ] {
        context.insert(name.to_owned(), json!({"@type": "@id"}));
    }
    for time in ["dct:created", "dpv:isIndicatedAtTime"] {
        context.insert(time.to_owned(), json!({"@type": "xsd:dateTime"}));
    }
    Value::Object(context)
}

fn controller(dossier: &Dossier) -> Value {
    let brand = &dossier.brand;
    json!({
        "@id": CONTROLLER,
        "@type": ["dpv:DataController", "dpv:Organisation"],
        "dct:identifier": brand.slug,
        "dpv:hasName": brand.legal_name,
        "schema:name": brand.name,
        "schema:address": {
            "@type": "schema:PostalAddress",
            "schema:streetAddress": brand.postal_address.join(", "),
        },
        "schema:contactPoint": {
            "@type": "schema:ContactPoint",
            "schema:contactType": "data protection",
            (if brand.contact.contains("://") { "schema:url" } else { "schema:email" }): brand.contact,
        },
    })
}

/// The form versions that were shown, each in each language in which it was.
fn notices(dossier: &Dossier) -> Vec<Value> {
    let shown: BTreeMap<(&str, &str), &SignedUp> = dossier
        .entries
        .iter()
        .filter_map(|entry| signup(&entry.event.fact))
        .map(|signup| {
            (
                (signup.form_version.as_str(), signup.language.as_str()),
                signup,
            )
        })
        .collect();
    shown.values().map(|signup| notice(signup)).collect()
}

fn notice(signup: &SignedUp) -> Value {
    let version = signup.form_version.as_str();
    json!({
        "@id": notice_id(signup),
        "@type": "dpv:ConsentNotice",
        "dct:identifier": format!("sha-256:{version}"),
        "dct:language": signup.language,
        "dct:title": signup.form,
    })
}

/// A form version in one of its languages.
fn notice_id(signup: &SignedUp) -> String {
    let version = signup.form_version.as_str();
    format!("forms/{version}.html#{}", signup.language)
}

fn signup(fact: &Fact) -> Option<&SignedUp> {
    match fact {
        Fact::SignedUp(signup) => Some(signup),
        _ => None,
    }
}

/// The changes of state of each purpose, in the order of the log: where the standing changed, and where it was confirmed
/// once more. So the last change of a purpose is the one that holds.
fn changes(dossier: &Dossier) -> BTreeMap<Slug, Vec<Value>> {
    let mut all: BTreeMap<Slug, Vec<Value>> = BTreeMap::new();
    let mut standings = Standings::new();
    for entry in &dossier.entries {
        let before = standings.clone();
        standing::apply(&mut standings, &entry.event.fact, entry.event.at);
        let confirms = matches!(entry.event.fact, Fact::Confirmed { .. });
        for purpose in entry.event.fact.purposes() {
            let (old, new) = (before.get(purpose), standings.get(purpose));
            if let Some(new) = new
                && (confirms || old != Some(new))
            {
                let again = old.is_some_and(|old| old.state == State::Explicit);
                let status = status(dossier, entry, new.state, again);
                all.entry(purpose.clone()).or_default().push(status);
            }
        }
    }
    all
}

/// The state's DPV class, the kind of consent where it is given, and who brought it about.
const fn terms(state: State, again: bool) -> (&'static str, Option<&'static str>, &'static str) {
    match state {
        State::Pending => ("dpv:ConsentRequested", None, CONTROLLER),
        State::Implicit => ("dpv:ConsentGiven", Some("dpv:ImpliedConsent"), SUBJECT),
        State::Explicit if again => (
            "dpv:RenewedConsentGiven",
            Some("dpv:ExpressedConsent"),
            SUBJECT,
        ),
        State::Explicit => ("dpv:ConsentGiven", Some("dpv:ExpressedConsent"), SUBJECT),
        State::Lapsed => ("dpv:ConsentExpired", None, CONTROLLER),
        State::Declined => ("dpv:ConsentRefused", None, SUBJECT),
        State::Withdrawn => ("dpv:ConsentWithdrawn", None, SUBJECT),
        State::Corrected => ("dpv:ConsentInvalidated", None, SUBJECT),
    }
}

/// One change of state. `again` tells that the purpose was confirmed before.
fn status(dossier: &Dossier, entry: &Entry, state: State, again: bool) -> Value {
    let (class, consent, by) = terms(state, again);
    let classes: Vec<&str> = [class].into_iter().chain(consent).collect();
    let mut status = json!({
        "@type": classes,
        "dpv:isIndicatedAtTime": entry.event.at.to_string(),
        "dpv:isIndicatedBy": by,
        "dpv:hasIndicationMethod": method(&entry.event.fact),
        "dct:source": sources(dossier, entry),
    });
    if let Some(shown) = dossier
        .of_request(entry.event.request)
        .find_map(|other| signup(&other.event.fact))
    {
        status["dpv:hasNotice"] = json!({"@id": notice_id(shown)});
        if state == State::Pending {
            status["dpv:hasDuration"] = json!({
                "@type": "dpv:UntilTimeDuration",
                "rdf:value": shown.confirmation_expires_at.to_string(),
            });
        }
    }
    if consent.is_some() {
        status["dpv:hasDuration"] = json!({
            "@type": "dpv:UntilEventDuration",
            "rdf:value": "withdrawal",
        });
    }
    status
}

/// The files of the bundle that a change rests on: its event with its circumstances, and for a confirmation the signup and
/// the mails before it.
fn sources(dossier: &Dossier, entry: &Entry) -> Vec<String> {
    let mut files = Vec::new();
    if matches!(entry.event.fact, Fact::Confirmed { .. }) {
        for other in dossier.of_request(entry.event.request) {
            match other.event.fact {
                Fact::SignedUp(_) => {
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
    files.extend(entry.circumstances_file());
    files
}

/// How it was done; for a confirmation its grade, by its name in the events and in words.
fn method(fact: &Fact) -> String {
    match fact {
        Fact::SignedUp(_) => "website_form: the address was entered at the form".to_owned(),
        Fact::Imported(import) => {
            let sources = import.claims.iter().map(|claim| claim.source().as_str());
            format!(
                "import: the operator names the source {}",
                sources.collect::<Vec<_>>().join(", ")
            )
        }
        Fact::Confirmed { grade, .. } => match grade {
            Grade::Code => "code: the six digits of the mail were typed",
            Grade::SameBrowser => {
                "same_browser: the link of the mail was opened in the browser that signed up"
            }
            Grade::LinkButton => "link_button: the button behind the link of the mail was pressed",
            Grade::ApiClaim => "api_claim: an import claims it",
        }
        .to_owned(),
        Fact::Declined { .. } => "decline: “this was not me”, behind a link of the mail".to_owned(),
        Fact::Withdrawn { scope, .. } => format!("withdraw: {scope}"),
        Fact::AddressChanged { .. } => {
            "address_changed: the person corrected a mistyped address".to_owned()
        }
        other => other.kind().to_owned(),
    }
}

fn process(dossier: &Dossier, slug: &Slug, changes: &[Value]) -> Value {
    let brand = &dossier.brand;
    let declared = brand.purposes.iter().find(|purpose| purpose.slug == *slug);
    let mut purpose = json!({
        "@id": format!("#purpose-{slug}"),
        "@type": "dpv:Purpose",
        "skos:broader": "dpv:DirectMarketing",
        "dct:identifier": slug,
    });
    if let Some(declared) = declared {
        purpose["dct:title"] = in_language(&declared.name, "en").into();
        purpose["dct:description"] = in_language(&declared.wording, "en").into();
    }
    let mut process = json!({
        "@type": "dpv:Process",
        "dpv:hasPurpose": purpose,
        "dpv:hasPersonalData": "pd:EmailAddress",
        "dpv:hasConsentStatus": changes,
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dpv:isExercisedAt": format!("the link in every mail, or {}", brand.contact),
        },
    });
    if let Some(basis) = basis(dossier, slug) {
        process["dpv:hasLegalBasis"] = basis.into();
    }
    process
}

/// The kind of consent that stands at the time of the record; none if none does.
fn basis(dossier: &Dossier, slug: &Slug) -> Option<&'static str> {
    let events = dossier.entries.iter().map(|entry| &entry.event);
    match standing::fold(events, dossier.made_at).get(slug)?.state {
        State::Explicit => Some("dpv:ExpressedConsent"),
        State::Implicit => Some("dpv:ImpliedConsent"),
        _ => None,
    }
}
