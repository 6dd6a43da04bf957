//! What a bundle that holds tells, and what each claim rests on.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::anchors::Anchor;
use super::circumstances::{Circumstances, Whence, whence};
use super::entry::Entry;
use super::name;
use super::story::{Answered, Confirmation};
use super::words::{plain, sentence};
use crate::domain::time::Timestamp;

/// A bundle that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub origin: String,
    /// The brand's slug.
    pub brand: String,
    pub contact: Uuid,
    pub made: Timestamp,
    pub vkey: String,
    pub key_fingerprint: String,
    /// Size and root hash (hexadecimal) of the log that all proofs lead to.
    pub size: u64,
    pub root: String,
    /// When that was signed, by the log's own clock.
    pub signed_at: Timestamp,
    /// Whether the container was checked to the last byte; another program may have packed the files again.
    pub container_checked: bool,
    pub witnesses: Vec<Witness>,
    /// In the order of the log.
    pub anchors: Vec<Anchor>,
    pub events: Vec<Told>,
    pub claims: Vec<Claim>,
    /// What is no fault and yet worth knowing: mostly clocks that were off.
    pub remarks: Vec<String>,
    /// What the reader gave nothing to compare with.
    pub on_trust: Vec<String>,
}

/// A signature line by another key than the log's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    pub name: String,
    /// When it saw the log, if its key is known to the reader; else it was not checked.
    pub checked_at: Option<Timestamp>,
}

/// One event of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub number: usize,
    pub index: u64,
    /// By the server's own clock.
    pub at: Timestamp,
    pub kind: String,
    pub sentence: String,
    pub whence: Whence,
    /// It was logged after the time of this anchor and before the time of that one.
    pub logged_after: Option<(String, Timestamp)>,
    pub logged_before: Option<(String, Timestamp)>,
}

/// What is claimed, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub says: String,
    pub rests_on: Vec<String>,
}

/// The story in the order of the log.
pub fn told(
    entries: &[Entry],
    anchors: &[Anchor],
    circumstances: &BTreeMap<usize, Circumstances>,
) -> Vec<Told> {
    entries
        .iter()
        .map(|entry| {
            let named = |anchor: &Anchor| (anchor.name.clone(), anchor.stamp.at);
            let (before, after): (Vec<&Anchor>, Vec<&Anchor>) =
                anchors.iter().partition(|anchor| entry.index < anchor.size);
            let at = |anchor: &&&Anchor| anchor.stamp.at;
            Told {
                number: entry.number,
                index: entry.index,
                at: entry.at,
                kind: plain(&entry.kind),
                sentence: sentence(entry),
                whence: whence(entry, circumstances),
                logged_after: after.iter().max_by_key(at).map(|anchor| named(anchor)),
                logged_before: before.iter().min_by_key(at).map(|anchor| named(anchor)),
            }
        })
        .collect()
}

pub fn claims(report: &Report, entries: &[Entry], confirmations: &[Confirmation]) -> Vec<Claim> {
    let mut claims = vec![claim_of_log(report)];
    claims.extend(report.anchors.iter().map(claim_of_anchor));
    let by_number: BTreeMap<usize, &Entry> =
        entries.iter().map(|entry| (entry.number, entry)).collect();
    for confirmation in confirmations {
        let entry = |number| by_number.get(number).copied();
        let (number, was_taken) = match confirmation.mail {
            Answered::Accepted(number) => (number, true),
            Answered::MaybeTaken(number) => (number, false),
        };
        if let (Some(confirmed), Some(opener), Some(mail)) = (
            entry(&confirmation.confirmed),
            entry(&confirmation.opener),
            entry(&number),
        ) {
            claims.push(claim_of_opener(report, opener));
            claims.push(if was_taken {
                claim_of_mail(mail, opener)
            } else {
                claim_of_lost_mail(mail)
            });
            claims.push(claim_of_confirmation(report, confirmed, mail, was_taken));
        }
    }
    claims
}

fn claim_of_log(report: &Report) -> Claim {
    let mut rests_on = vec![
        format!(
            "a commitment for each event, and a proof for each that leads to the log's root {}",
            report.root
        ),
        format!("the signature by the log's key {}", report.key_fingerprint),
    ];
    let checked = report
        .witnesses
        .iter()
        .filter_map(|witness| witness.checked_at.map(|at| (witness, at)));
    rests_on.extend(checked.map(|(witness, at)| {
        format!(
            "the cosignature of the witness {} of {}",
            plain(&witness.name),
            at.to_the_minute()
        )
    }));
    Claim {
        says: format!(
            "All {} events stand in the log {} of {} entries, signed at {} by its own clock, unchanged and in this order.",
            report.events.len(),
            report.origin,
            report.size,
            report.signed_at
        ),
        rests_on,
    }
}

fn claim_of_anchor(anchor: &Anchor) -> Claim {
    let stamp = &anchor.stamp;
    Claim {
        says: format!(
            "The log had its first {} entries by {}, and none of them was changed since.",
            anchor.size, stamp.at
        ),
        rests_on: vec![
            format!(
                "the timestamp {} by {} ({})",
                stamp.serial,
                plain(&stamp.authority),
                name::anchor(&anchor.name, "tsr")
            ),
            format!(
                "the root certificate {} ({})",
                plain(&stamp.root_name),
                stamp.root_fingerprint
            ),
            "the proof that the log continues the one stamped (consistency.json)".to_owned(),
        ],
    }
}

/// What is told of an event.
fn told_of<'a>(report: &'a Report, entry: &Entry) -> Option<&'a Told> {
    report.events.get(entry.number.saturating_sub(1))
}

/// The file that says where an event came from, or that it is not there.
fn ground_of_whence(report: &Report, entry: &Entry) -> Option<String> {
    match &told_of(report, entry)?.whence {
        Whence::Nowhere => None,
        Whence::NotDisclosed => {
            Some("its network address and browser are not disclosed".to_owned())
        }
        Whence::Disclosed(words) => Some(format!(
            "{}, named by the event: {words}",
            name::circumstances(entry.number)
        )),
    }
}

/// What asked for the confirmation: the person's signup, or a campaign.
fn claim_of_opener(report: &Report, opener: &Entry) -> Claim {
    let version = opener.text("form_version").unwrap_or("?");
    let mut rests_on = vec![
        opener.file(),
        format!("{}, named by its own SHA-256", name::form(&plain(version))),
    ];
    rests_on.extend(ground_of_whence(report, opener));
    let how = if opener.is("invited") {
        "was asked by campaign to confirm, with the wording of a form that is known"
    } else {
        "was signed up, on a form whose wording is known"
    };
    let address = plain(opener.text("address").unwrap_or("?"));
    Claim {
        says: format!("At {} the address {address} {how}.", opener.at),
        rests_on,
    }
}

fn claim_of_mail(mail: &Entry, opener: &Entry) -> Claim {
    Claim {
        says: format!(
            "A mail server took a mail to this address by {}, with a link of this request.",
            mail.at
        ),
        rests_on: vec![
            format!("{}, with the server's reply", mail.file()),
            format!(
                "{}, whose SHA-256, Message-ID and To fit, and whose link holds the request of {}",
                name::mail(mail.number),
                opener.file()
            ),
        ],
    }
}

fn claim_of_lost_mail(mail: &Entry) -> Claim {
    Claim {
        says: format!(
            "A mail was handed to a mail server by {}, whose reply was lost: it may have taken it.",
            mail.at
        ),
        rests_on: vec![mail.file()],
    }
}

fn claim_of_confirmation(
    report: &Report,
    confirmed: &Entry,
    mail: &Entry,
    was_taken: bool,
) -> Claim {
    let mut rests_on = vec![confirmed.file()];
    if was_taken {
        rests_on.push(format!(
            "the mail whose link or code was used: {}",
            name::mail(mail.number)
        ));
    }
    rests_on.extend(ground_of_whence(report, confirmed));
    if let Some(told) = told_of(report, confirmed) {
        if let Some((name, at)) = &told.logged_after {
            rests_on.push(format!("it was logged after {at} (anchor {name})"));
        }
        if let Some((name, at)) = &told.logged_before {
            rests_on.push(format!("it was logged before {at} (anchor {name})"));
        }
    }
    Claim {
        says: format!(
            "At {} somebody who had {} confirmed, before the request expired.",
            confirmed.at,
            if was_taken {
                "that mail"
            } else {
                "the link or code of it"
            }
        ),
        rests_on,
    }
}

/// What nothing in the bundle can prove.
pub fn on_trust(report: &Report, key_is_known: bool) -> Vec<String> {
    let mut list = Vec::new();
    if !key_is_known {
        list.push(format!(
            "the log's key {}: no key was given to compare it with",
            report.key_fingerprint
        ));
    }
    let stamps = report.anchors.iter().map(|anchor| &anchor.stamp);
    let roots: BTreeMap<&str, &str> = stamps
        .filter(|stamp| stamp.root_on_trust)
        .map(|stamp| (stamp.root_fingerprint.as_str(), stamp.root_name.as_str()))
        .collect();
    for (fingerprint, name) in roots {
        list.push(format!(
            "the root certificate {} ({fingerprint}): no root was given to compare it with",
            plain(name)
        ));
    }
    for witness in &report.witnesses {
        if witness.checked_at.is_none() {
            let name = plain(&witness.name);
            list.push(format!(
                "the signature line by {name}: its key was not given, it was not checked"
            ));
        }
    }
    if report
        .events
        .iter()
        .any(|told| told.logged_before.is_none())
    {
        list.push("times that no later anchor bounds: the server's own clock".to_owned());
    }
    list.push(
        "what report.html and record.jsonld say: they are the sender's words, and the story told here is what was checked"
            .to_owned(),
    );
    list.push(
        "what the server wrote down at the time, such as network addresses, what browsers said of themselves, and the mail server's replies"
            .to_owned(),
    );
    list
}
