//! Puts the parts of a bundle together. Collecting them is the caller's matter; so is `verify`, which should be asked
//! before a bundle is handed out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::consistency::Consistency;
use super::entry;
use super::manifest::{self, Manifest};
use super::name::{self, CHECKPOINT, CONSISTENCY, LOG_KEY, Page};
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;
use crate::ledger::archive::{self, ArchiveProblem, MANIFEST, Views};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::commitment::Salt;
use crate::ledger::merkle::Hash;
use crate::ledger::note::{Note, NoteProblem, SigningNoteKey};
use crate::ledger::receipt::Receipt;

/// Everything that goes into a bundle.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The brand's slug.
    pub brand: String,
    pub contact: Uuid,
    pub made: Timestamp,
    /// The signed checkpoint that all paths lead to, with its cosignatures.
    pub checkpoint: String,
    /// In the order of the log.
    pub events: Vec<EventPart>,
    pub anchors: Vec<AnchorPart>,
    /// What each form version showed; their names are their hashes.
    pub forms: Vec<Vec<u8>>,
    pub pages: BTreeMap<Page, Vec<u8>>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct EventPart {
    /// In canonical form, as the commitment was made over it.
    pub event: String,
    pub salt: Salt,
    pub index: u64,
    /// The audit path to the root of the checkpoint.
    pub path: Vec<Hash>,
    /// The mail of a `mail_accepted` event: the bytes that the SMTP server took.
    pub mail: Option<Vec<u8>>,
    /// What is kept beside the event, to the byte, if the event names any and they are still there.
    pub circumstances: Option<String>,
}

/// One anchored checkpoint.
#[derive(Clone, Debug)]
pub struct AnchorPart {
    /// Letters, digits, `.`, `-` and `_`.
    pub name: String,
    /// The signed checkpoint whose bytes were stamped.
    pub checkpoint: String,
    /// The authority's `TimeStampResp`.
    pub response: Vec<u8>,
    /// Signer, intermediates, root: `timestamp::Stamp::certificates_pem`.
    pub certificates_pem: String,
    /// The proof that the bundle's checkpoint continues this one; empty where the sizes are the same.
    pub consistency: Vec<Hash>,
}

/// Why the parts make no bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteProblem {
    #[error("a checkpoint: {0}")]
    Checkpoint(#[from] NoteProblem),
    #[error("the slug of the brand is empty or has a line's end in it")]
    Brand,
    #[error("the anchor \"{0}\" has no name that a file can have, or one that is taken")]
    AnchorName(String),
    #[error("a size of the log is larger than 2^53")]
    Size,
    #[error("{0}")]
    Archive(#[from] ArchiveProblem),
}

/// The bundle as one file.
pub fn write(parts: &Parts, key: &SigningNoteKey) -> Result<Vec<u8>, WriteProblem> {
    Ok(archive::write(&files(parts, key)?)?)
}

/// The bundle's files with their signed manifest.
pub fn files<'a>(parts: &'a Parts, key: &SigningNoteKey) -> Result<Views<'a>, WriteProblem> {
    let verifier = key.verifier();
    if parts.brand.is_empty() || parts.brand.contains(char::is_control) {
        return Err(WriteProblem::Brand);
    }
    let mut files = Views::new();
    let owned = |text: String| Cow::Owned(text.into_bytes());
    files.insert(LOG_KEY.to_owned(), owned(format!("{}\n", verifier.vkey())));
    files.insert(CHECKPOINT.to_owned(), parts.checkpoint.as_bytes().into());
    for (at, event) in parts.events.iter().enumerate() {
        put_event(&mut files, at + 1, event, &parts.checkpoint);
    }
    put_anchors(&mut files, parts)?;
    for form in &parts.forms {
        let hash = hex(&Sha256::digest(form));
        files.insert(name::form(&hash), form.into());
    }
    for (page, content) in &parts.pages {
        files.insert(page.name().to_owned(), content.into());
    }
    let manifest = Manifest {
        origin: verifier.name,
        brand: parts.brand.clone(),
        contact: parts.contact,
        made: parts.made,
        lines: manifest::lines(&files),
    };
    files.insert(MANIFEST.to_owned(), owned(key.sign(&manifest.text())));
    Ok(files)
}

fn put_event<'a>(files: &mut Views<'a>, number: usize, part: &'a EventPart, checkpoint: &str) {
    let written = entry::written(&part.event, &part.salt, part.index);
    files.insert(name::event(number), Cow::Owned(written.into()));
    let receipt = Receipt {
        extra: None,
        index: part.index,
        path: part.path.clone(),
        checkpoint: checkpoint.to_owned(),
    };
    files.insert(name::proof(number), Cow::Owned(receipt.written().into()));
    if let Some(mail) = &part.mail {
        files.insert(name::mail(number), mail.into());
    }
    if let Some(circumstances) = &part.circumstances {
        files.insert(name::circumstances(number), circumstances.as_bytes().into());
    }
}

fn put_anchors<'a>(files: &mut Views<'a>, parts: &'a Parts) -> Result<(), WriteProblem> {
    let to = size_of(&parts.checkpoint)?;
    let mut proofs = BTreeMap::new();
    for anchor in &parts.anchors {
        if !name::is_anchor_name(&anchor.name) {
            return Err(WriteProblem::AnchorName(anchor.name.clone()));
        }
        let from = size_of(&anchor.checkpoint)?;
        if from < to {
            proofs.insert(from, anchor.consistency.clone());
        }
        for (ending, content) in [
            ("checkpoint", anchor.checkpoint.as_bytes()),
            ("tsr", anchor.response.as_slice()),
            ("pem", anchor.certificates_pem.as_bytes()),
        ] {
            let file = name::anchor(&anchor.name, ending);
            if files.insert(file, content.into()).is_some() {
                return Err(WriteProblem::AnchorName(anchor.name.clone()));
            }
        }
    }
    let consistency = Consistency { to, proofs };
    let written = consistency.written().map_err(|_| WriteProblem::Size)?;
    files.insert(CONSISTENCY.to_owned(), Cow::Owned(written.into()));
    Ok(())
}

fn size_of(checkpoint: &str) -> Result<u64, NoteProblem> {
    let note = Note::parse(checkpoint.as_bytes())?;
    Ok(Checkpoint::parse(&note.text)?.size)
}
