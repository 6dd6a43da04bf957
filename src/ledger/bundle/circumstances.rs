//! The last part of step 5: `circumstances/NNNN.json`, what a browser showed of itself, as it is kept beside its event. It
//! may have been removed after its term; what is there must be what the event names.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::entry::Entry;
use super::name;
use super::problem::{BundleProblem, Step};
use super::words::plain;
use crate::domain::hex::hex;
use crate::ledger::archive::Views;
use crate::ledger::canonical::canonical;

/// It keeps whoever holds the event from guessing the address that was removed.
const SALT_LENGTH: usize = 16;

/// The members of one file; all are texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances(BTreeMap<String, String>);

/// Where an event came from, as far as the bundle tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The event names no circumstances: no request caused it.
    Nowhere,
    /// It names some, and the bundle does not hold them.
    NotDisclosed,
    /// In words.
    Disclosed(String),
}

/// Checks every file; answers with their members by the events' numbers.
pub fn check(
    files: &Views<'_>,
    entries: &[Entry],
) -> Result<BTreeMap<usize, Circumstances>, BundleProblem> {
    let there = files.iter().filter_map(|(file, content)| {
        Some((name::number(file, "circumstances", "json")?, file, content))
    });
    there
        .map(|(number, file, content)| {
            // Numbers of events have no gap: step 5 saw to that before.
            let entry = entries.get(number - 1);
            check_file(entry, content)
                .map(|found| (number, found))
                .map_err(|what| Step::Events.wrong(file, what))
        })
        .collect()
}

fn check_file(entry: Option<&Entry>, content: &[u8]) -> Result<Circumstances, &'static str> {
    let entry = entry.ok_or("there is no event of this number")?;
    let named = entry
        .text("circumstances_sha256")
        .ok_or("its event names no circumstances")?;
    if hex(&Sha256::digest(content)) != named {
        return Err("its SHA-256 is not the circumstances_sha256 of its event");
    }
    // One way to write it: of a member that stands there twice, each reader might show another.
    let members: BTreeMap<String, String> =
        serde_json::from_slice(content).map_err(|_| "it is not an object of texts in JSON")?;
    if canonical(&members).ok().map(String::into_bytes).as_deref() != Some(content) {
        return Err("it is not written in the one canonical form");
    }
    let salt = members
        .get("salt")
        .and_then(|salt| STANDARD.decode(salt).ok());
    if salt.is_none_or(|salt| salt.len() != SALT_LENGTH) {
        return Err("its salt is not 16 bytes in base64");
    }
    Ok(Circumstances(members))
}

impl Circumstances {
    /// From which network address, with which browser.
    fn words(&self) -> String {
        let told = [
            ("ip", "from "),
            ("peer", "through "),
            ("user_agent", "with the browser "),
            ("opted_in_ip", "signed up elsewhere, as a list says, from "),
            ("confirmed_ip", "confirmed elsewhere, as a list says, from "),
        ];
        let words: Vec<String> = told
            .into_iter()
            .filter_map(|(member, before)| {
                let text = plain(self.0.get(member)?);
                Some(match member {
                    "user_agent" => format!("{before}{text:?}"),
                    _ => format!("{before}{text}"),
                })
            })
            .collect();
        match words.as_slice() {
            [] => "from a network address and browser that were not noted".to_owned(),
            words => words.join(", "),
        }
    }
}

/// Where an event came from.
pub fn whence(entry: &Entry, circumstances: &BTreeMap<usize, Circumstances>) -> Whence {
    match circumstances.get(&entry.number) {
        Some(found) => Whence::Disclosed(found.words()),
        None if entry.member("circumstances_sha256").is_some() => Whence::NotDisclosed,
        None => Whence::Nowhere,
    }
}
