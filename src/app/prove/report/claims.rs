//! What can be stated, and what each statement rests on.

use super::words::{events, grade, legible, logged, time};
use crate::app::proof::hashes_in;
use crate::app::prove::dossier::{Dossier, Entry};
use crate::domain::brand::Slug;
use crate::domain::campaign::Invited;
use crate::domain::event::{Fact, SignedUp};
use crate::domain::import::Imported;

pub(super) struct Claim {
    pub(super) says: String,
    pub(super) rests_on: String,
    pub(super) logged: String,
}

pub(super) fn all(dossier: &Dossier) -> Vec<Claim> {
    dossier
        .entries
        .iter()
        .flat_map(|entry| of(dossier, entry))
        .collect()
}

fn list(purposes: &[Slug]) -> String {
    let names: Vec<&str> = purposes.iter().map(Slug::as_str).collect();
    names.join(", ")
}

fn of(dossier: &Dossier, entry: &Entry) -> Vec<Claim> {
    let at = time(entry.event.at);
    let claim = |says: String, rests_on: String| Claim {
        says,
        rests_on: format!(
            "Event {} at place {} of the log. {rests_on}",
            entry.number, entry.index
        ),
        logged: logged(dossier, entry),
    };
    let whence = whence(entry);
    match &entry.event.fact {
        Fact::SignedUp(signup) => of_signup(signup, &at, &whence, claim),
        Fact::Imported(import) => [claim(says_of_import(import, &at), "What the server wrote down of the operator’s file. Where the address came from is the operator’s word; it was not seen here.".to_owned())]
            .into_iter()
            .chain(files_of(dossier, import.claims.iter().flat_map(|claim| claim.proof())).map(|file| of_file(dossier, file, claim)))
            .collect(),
        Fact::ProofAdded(added) => [claim(
            format!("At {at} the operator added proof of the source {} for {}.", added.claim.source().as_str(), list(&added.purposes)),
            format!("What the server wrote down of the operator’s word; it was not seen here. What the consent policy said with it stands in the event: rule {}.", added.judgement.rule.id()),
        )]
            .into_iter()
            .chain(files_of(dossier, added.added.iter().map(|(key, value)| (key.as_str(), value.as_str()))).map(|file| of_file(dossier, file, claim)))
            .collect(),
        Fact::OperatorNote { by, .. } => vec![claim(
            format!("At {at} {} wrote a note; it stands in this report.", legible(by)),
            "The writer’s word.".to_owned(),
        )],
        Fact::ImportWithdrawn { purposes, .. } => vec![claim(
            format!("At {at} the operator took the import back ({}).", list(purposes)),
            "From then on the address stands as it would without it.".to_owned(),
        )],
        Fact::Invited(invited) => of_invitation(invited, &at, claim),
        Fact::Lapsed { purposes, until, explicit: true, .. } => vec![claim(
            format!("Confirmed consent for {} ended on {}: the address was asked again, and nobody answered.", list(purposes), time(*until)),
            "The operator had declared that no answer ends it; the mail that asked is in this bundle as it was sent. From then on there is no consent for it.".to_owned(),
        )],
        Fact::Lapsed { purposes, until, .. } => vec![claim(
            format!("Consent for {}, which nobody had confirmed, ended on {}.", list(purposes), time(*until)),
            "What the server wrote down when it looked. From then on there is no consent for it.".to_owned(),
        )],
        Fact::MailAccepted {
            reply,
            mail_sha256,
            template,
            ..
        } => vec![claim(
            format!(
                "{} was handed to a mail server, which answered at {at} that it took it.",
                if template == "preferences" {
                    "The mail with the link to the preferences"
                } else {
                    "The mail that asks for the confirmation"
                }
            ),
            format!(
                "The mail, mails/{:04}.eml (SHA-256 {}). The server’s reply as it came: “{}”. The server’s own log should hold the same.",
                entry.number,
                legible(mail_sha256),
                legible(reply.trim())
            ),
        )],
        Fact::Confirmed {
            purposes,
            grade: given,
            ..
        } => vec![claim(
            format!(
                "At {at} the request of that mail was confirmed for {}. {}.",
                list(purposes),
                grade(*given).name
            ),
            format!(
                "It carries the request that {} carry, and the link in the mail holds that request’s number. {whence}",
                events(&asked_by(dossier, entry))
            ),
        )],
        Fact::Declined { purposes, .. } => vec![claim(
            format!(
                "At {at} somebody who had the mail said “this was not me” ({}).",
                list(purposes)
            ),
            format!("From then on nothing is sent to this mailbox. {whence}"),
        )],
        Fact::Withdrawn { purposes, .. } => vec![claim(
            format!("At {at} the person left {}.", list(purposes)),
            format!("From then on there is no consent for it. {whence}"),
        )],
        Fact::PurposeChanged(change) => vec![claim(
            format!(
                "At {at} the person said yes to {}, on the page behind the preferences link, in the wording that the event holds.",
                list(&change.purposes)
            ),
            format!(
                "That link is sent to the address only. The event holds every word that the page showed, in the language “{}”. {whence}",
                legible(&change.language)
            ),
        )],
        Fact::Complained(complaint) => vec![claim(
            if complaint.purposes.is_empty() {
                format!(
                    "At {at} a provider reported that the person, who had left everything before, had called a mail unwanted."
                )
            } else {
                format!(
                    "At {at} a provider reported that the person had called a mail unwanted; with it the person left {}.",
                    list(&complaint.purposes)
                )
            },
            "The provider’s word, in a report about a mail that only the person’s mailbox got."
                .to_owned(),
        )],
        _ => Vec::new(),
    }
}

/// The signup, or the campaign's asking, and the mails of the request that an entry answers.
fn asked_by(dossier: &Dossier, entry: &Entry) -> Vec<usize> {
    dossier
        .of_request(entry.event.request)
        .filter(|other| {
            matches!(
                other.event.fact,
                Fact::SignedUp(_) | Fact::Invited(_) | Fact::MailAccepted { .. }
            )
        })
        .map(|other| other.number)
        .collect()
}

/// What speaks for the network address and the browser.
fn whence(entry: &Entry) -> String {
    match entry.circumstances_file() {
        Some(file) => {
            format!("Network address and browser: {file}, whose SHA-256 the event names.")
        }
        None => "Network address and browser are not disclosed.".to_owned(),
    }
}

fn of_file(
    dossier: &Dossier,
    (key, hash): (&str, &str),
    claim: impl Fn(String, String) -> Claim,
) -> Claim {
    let rests_on = if dossier.proofs.get(hash) == Some(&true) {
        format!(
            "The event names the SHA-256. The file is not in this bundle; the brand’s operator gives it out with: countersign proof-file {hash} --brand {} -o FILE",
            dossier.brand.slug
        )
    } else {
        "The event names the SHA-256. What the brand’s operator keeps as this file no longer has it: it was changed or damaged, and proves nothing.".to_owned()
    };
    claim(
        format!(
            "The operator brought a file for it, as the proof “{}”, with the SHA-256 {hash}.",
            legible(key)
        ),
        rests_on,
    )
}

/// The files of proof that the brand keeps, of those that pieces of proof name: the key of each, and its hash.
fn files_of<'a>(
    dossier: &'a Dossier,
    proofs: impl Iterator<Item = (&'a str, &'a str)>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    proofs
        .flat_map(|(key, value)| hashes_in(value).map(move |hash| (key, hash)))
        .filter(|(_, hash)| dossier.proofs.contains_key(*hash))
}

fn says_of_import(import: &Imported, at: &str) -> String {
    if import.left {
        return format!(
            "At {at} an import said that the person with the address “{}” had left {}. From then on there is no consent for it.",
            legible(&import.address_typed),
            list(&import.purposes)
        );
    }
    if import.told_again {
        return format!(
            "At {at} an import named the address “{}” for {} as another one had before. It gives nothing anew.",
            legible(&import.address_typed),
            list(&import.purposes)
        );
    }
    format!(
        "At {at} an import named the address “{}” for {}. Nobody entered it at a form here, and nobody was asked by it.",
        legible(&import.address_typed),
        list(&import.purposes)
    )
}

fn of_invitation(
    invited: &Invited,
    at: &str,
    claim: impl Fn(String, String) -> Claim,
) -> Vec<Claim> {
    let version = invited.form_version.as_str();
    let address = legible(&invited.address);
    let purposes = list(&invited.purposes);
    if invited.reminder {
        return vec![claim(
            format!(
                "At {at} the campaign reminded the address “{address}” of its request ({purposes})."
            ),
            "The request, and so its link, is that of the invitation before.".to_owned(),
        )];
    }
    vec![
        claim(
            format!("At {at} the address “{address}” was asked by campaign to confirm {purposes}."),
            format!(
                "What the server wrote down at that moment, with all that the consent policy judged by: rule {}.",
                invited.judgement.rule.id()
            ),
        ),
        claim(
            format!(
                "It was asked in the wording of this report, in the language “{}”.",
                legible(&invited.language)
            ),
            format!(
                "The page forms/{version}.html, whose SHA-256 is its name; the event names it."
            ),
        ),
    ]
}

fn of_signup(
    signup: &SignedUp,
    at: &str,
    whence: &str,
    claim: impl Fn(String, String) -> Claim,
) -> Vec<Claim> {
    let version = signup.form_version.as_str();
    if signup.passed_on.is_some() {
        return vec![
            claim(
                entered(signup, at),
                format!(
                    "The word of the operator's program, as the server wrote it down at that moment; nobody was at a form here. {whence}"
                ),
            ),
            claim(
                format!(
                    "The confirmation asked for the wording of this report, in the language “{}”.",
                    legible(&signup.language)
                ),
                format!(
                    "The page forms/{version}.html, whose SHA-256 is its name; the event names it."
                ),
            ),
        ];
    }
    vec![
        claim(
            entered(signup, at),
            format!("What the server wrote down at that moment. {whence}"),
        ),
        claim(
            format!(
                "The form showed the wording of this report, in the language “{}”, and no box was ticked in advance.",
                legible(&signup.language)
            ),
            format!(
                "The page forms/{version}.html, whose SHA-256 is its name; the event names it."
            ),
        ),
    ]
}

/// What waited on a booth's tablet was entered before it arrived, and when is the tablet's word.
fn entered(signup: &SignedUp, at: &str) -> String {
    let what = format!(
        "the address “{}” was entered at the form “{}” for {}",
        legible(&signup.address_typed),
        signup.form,
        list(&signup.purposes)
    );
    if signup.passed_on.is_some() {
        return format!("At {at} a program of the operator's reported that {what}.");
    }
    match (signup.kiosk, signup.entered_at) {
        (_, Some(entered_at)) if signup.clock_said.is_some() => format!(
            "At {at} a booth's tablet reported that {what}; by its clock, put right, that was at {}.",
            time(entered_at)
        ),
        (_, None) if signup.clock_said.is_some() => format!(
            "At {at} a booth's tablet, whose clock had been wrong, reported that {what} some time before."
        ),
        (_, Some(entered_at)) => format!(
            "At {at} a booth's tablet reported that {what}; by its clock that was at {}.",
            time(entered_at)
        ),
        (true, None) => format!("At {at} {what}, on a booth's tablet."),
        (false, None) => format!("At {at} {what}."),
    }
}
