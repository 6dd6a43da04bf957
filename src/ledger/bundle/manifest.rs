//! `MANIFEST`: every other file by name, size and hash, in a note that the log's key signs.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::hex::hex;
use crate::domain::time::Timestamp;
use crate::ledger::archive::MANIFEST;

const FIRST_LINE: &str = "countersign-bundle/v1";

/// What stands above the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub origin: String,
    pub brand: String,
    pub contact: Uuid,
    pub made: Timestamp,
    pub lines: Vec<Line>,
}

/// One file of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub hash: String,
    pub size: usize,
    pub name: String,
}

/// The lines for the files that are there; a map keeps names in the order of their bytes.
pub fn lines<Content: AsRef<[u8]>>(files: &BTreeMap<String, Content>) -> Vec<Line> {
    files
        .iter()
        .filter(|(name, _)| *name != MANIFEST)
        .map(|(name, content)| Line {
            hash: hex(&Sha256::digest(content)),
            size: content.as_ref().len(),
            name: name.clone(),
        })
        .collect()
}

impl Manifest {
    pub fn text(&self) -> String {
        let mut text = format!(
            "{FIRST_LINE}\norigin {}\nbrand {}\ncontact {}\nmade {}\n",
            self.origin, self.brand, self.contact, self.made
        );
        for Line { hash, size, name } in &self.lines {
            text.push_str(&format!("{hash} {size} {name}\n"));
        }
        text
    }

    /// Reads the one form there is.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut after = |word: &str| lines.next()?.strip_prefix(word);
        after(FIRST_LINE)?;
        let manifest = Self {
            origin: after("origin ")?.to_owned(),
            brand: after("brand ")?.to_owned(),
            contact: after("contact ")?.parse().ok()?,
            made: Timestamp::parse(after("made ")?)?,
            lines: lines.map(Line::parse).collect::<Option<_>>()?,
        };
        (manifest.text() == text).then_some(manifest)
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let (hash, rest) = line.split_once(' ')?;
        let (size, name) = rest.split_once(' ')?;
        Some(Self {
            hash: hash.to_owned(),
            size: size.parse().ok()?,
            name: name.to_owned(),
        })
    }
}

/// The first difference between the list and what is there, as file and complaint.
pub fn difference(listed: &[Line], there: &[Line]) -> Option<(String, String)> {
    let by_name: BTreeMap<&str, &Line> = listed
        .iter()
        .map(|line| (line.name.as_str(), line))
        .collect();
    for line in there {
        let wrong = match by_name.get(line.name.as_str()) {
            None => "the manifest does not list it".to_owned(),
            Some(found) if found.size != line.size => {
                format!(
                    "it has {} bytes; the manifest lists {}",
                    line.size, found.size
                )
            }
            Some(found) if found.hash != line.hash => {
                "its SHA-256 is not the one in the manifest".to_owned()
            }
            Some(_) => continue,
        };
        return Some((line.name.clone(), wrong));
    }
    let names: BTreeSet<&str> = there.iter().map(|line| line.name.as_str()).collect();
    if let Some(line) = listed
        .iter()
        .find(|line| !names.contains(line.name.as_str()))
    {
        let what = "the manifest lists it, and it is not there".to_owned();
        return Some((line.name.clone(), what));
    }
    let what = "its list is not in the order of the names, or names a file twice".to_owned();
    (listed != there).then(|| (MANIFEST.to_owned(), what))
}
