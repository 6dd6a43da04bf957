//! `record.jsonld`: the consent record in the terms of ISO/IEC TS 27560:2023, in the words of the W3C Data Privacy
//! Vocabulary (DPV), as its community group's guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023" lays out.
//!
//! One `dpv:Process` for each purpose, with all its changes of state in their order; the last is the one that holds. The
//! context stands in the file, so nothing is fetched to read it. What this server cannot know, the controller adds to a copy:
//! jurisdiction, where and how long data are stored, other recipients.

mod changes;
mod notices;

use serde_json::{Map, Value, json};

use super::dossier::Dossier;
use crate::domain::brand::{Slug, in_language};
use crate::domain::standing::{self, State};

const SUBJECT: &str = "#principal";
const CONTROLLER: &str = "#controller";

/// The record. There is one for each contact of a brand, and its identifier says both.
pub fn consent_record(dossier: &Dossier) -> Value {
    let processes: Vec<Value> = changes::all(dossier)
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
        "dct:description": description(dossier),
        "dpv:hasDataSubject": {
            "@id": SUBJECT,
            "@type": "dpv:DataSubject",
            "dct:identifier": dossier.contact.0.to_string(),
            "schema:email": dossier.address,
        },
        "dpv:hasDataController": controller(dossier),
        "dpv:hasNotice": notices::all(dossier),
        "dpv:hasProcess": processes,
    })
}

fn description(dossier: &Dossier) -> String {
    let made = "Made from the events of this bundle, which count where the two differ. Jurisdiction, storage and further recipients are not known to the server that made it.";
    let mut sentences = vec![made.to_owned()];
    sentences.extend(dossier.left_out.sentences());
    sentences.join(" ")
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
    let standings = standing::fold(events, dossier.made_at);
    match standings.get(slug)?.as_of(dossier.made_at).state {
        State::Explicit => Some("dpv:ExpressedConsent"),
        State::Implicit => Some("dpv:ImpliedConsent"),
        _ => None,
    }
}
