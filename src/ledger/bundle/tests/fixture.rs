//! A log with a story in it, and the bundle of that story. Tests change the parts before the bundle is made, as an
//! operator could who has the log's key.

use std::collections::BTreeMap;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::manifest::{self, Manifest};
use super::super::*;
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;
use crate::ledger::archive::{Files, MANIFEST};
use crate::ledger::canonical::canonical;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::commitment::commitment;
use crate::ledger::merkle::{
    Growing, Hash, consistency_ranges, fold, inclusion_ranges, leaf_hash, subtrees,
};
use crate::ledger::note::SigningNoteKey;
use crate::ledger::stamps::Stamps;
use crate::ledger::timestamp::authority::Authority;
use crate::ledger::timestamp::{self, Asked, Certificate, Certificates};

pub const ORIGIN: &str = "example.org/log";
pub const BRAND: Uuid = Uuid::from_u128(0xB0);
pub const CONTACT: Uuid = Uuid::from_u128(0xC0);
pub const REQUEST: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_00E0);
pub const FORM: &[u8] = b"<!doctype html><p>Yes, send me the newsletter.</p>\n";

/// The place of each event in `Fixture::events`.
pub const SIGNED_UP: usize = 0;
pub const MAIL: usize = 1;
pub const CONFIRMED: usize = 3;

pub fn key() -> SigningNoteKey {
    SigningNoteKey::new(ORIGIN, &[1; 32]).unwrap()
}

pub fn authority() -> Authority {
    Authority::from_secret(&[2; 32])
}

pub fn at(time: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-11-23T{time}Z")).unwrap()
}

pub struct Sample {
    pub event: Value,
    pub index: u64,
    pub mail: Option<Vec<u8>>,
    pub circumstances: Option<String>,
}

pub struct Fixture {
    pub events: Vec<Sample>,
    /// Name, size and time.
    pub anchors: Vec<(&'static str, u64, Timestamp)>,
    pub size: u64,
    pub forms: Vec<Vec<u8>>,
    /// Lines of witnesses, added to the checkpoint's note.
    pub cosignatures: String,
}

fn event(kind: &str, time: &str, members: Value) -> Value {
    let mut event = json!({
        "id": Uuid::from_u128(0xE0 + u128::from(at(time).unix_seconds() as u64)),
        "schema": 1, "kind": kind, "brand": BRAND, "contact": CONTACT, "request": REQUEST,
        "at": at(time),
    });
    for (name, value) in members.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

pub fn link(request: Uuid) -> String {
    let mut token = [3_u8; 40];
    token[8..24].copy_from_slice(request.as_bytes());
    format!("https://example.org/c/{}c", URL_SAFE_NO_PAD.encode(token))
}

/// A mail in quoted-printable, so that the link is broken over two lines.
pub fn mail(to: &str, request: Uuid) -> Vec<u8> {
    let link = link(request);
    let (one, other) = link.split_at(40);
    format!(
        "From: News <news@example.org>\r\nTo: {to}\r\nSubject: Please confirm\r\n\
         Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         Please confirm:\r\n{one}=\r\n{other}\r\n"
    )
    .into_bytes()
}

impl Fixture {
    /// A few hundred entries of others around five events.
    pub fn new() -> Self {
        let form = hex(&Sha256::digest(FORM));
        let sample = |event, index| Sample {
            event,
            index,
            mail: None,
            circumstances: None,
        };
        let mut fixture = Self {
            events: vec![
                sample(
                    event(
                        "signed_up",
                        "12:00:00",
                        json!({
                            "address_typed": "Ann@Example.net", "address": "Ann@example.net",
                            "purposes": ["news", "offers"], "form": "footer", "form_version": form,
                            "language": "en", "verdict": "confirm_first", "rule": "G3",
                            "confirmation_expires_at": at("18:00:00"),
                        }),
                    ),
                    300,
                ),
                sample(
                    event(
                        "mail_accepted",
                        "12:00:01",
                        json!({"tries": 1, "ambiguous": false}),
                    ),
                    301,
                ),
                sample(
                    event("link_opened", "12:05:00", json!({"link": "confirm"})),
                    305,
                ),
                sample(
                    event(
                        "confirmed",
                        "12:05:10",
                        json!({"purposes": ["news"], "grade": "link_button"}),
                    ),
                    310,
                ),
                sample(
                    event("withdrawn", "14:00:00", json!({"purposes": ["news"]})),
                    400,
                ),
            ],
            anchors: vec![
                ("before", 200, at("11:00:00")),
                ("between", 350, at("13:00:00")),
                ("last", 420, at("15:00:00")),
            ],
            size: 420,
            forms: vec![FORM.to_vec()],
            cosignatures: String::new(),
        };
        fixture.send(mail("Ann <Ann@EXAMPLE.net>", REQUEST));
        fixture.come_from(SIGNED_UP, "192.0.2.7");
        fixture.come_from(CONFIRMED, "192.0.2.8");
        fixture
    }

    /// As small as a bundle with an anchor and a confirmation can be.
    pub fn small() -> Self {
        let mut fixture = Self::new();
        fixture.events.truncate(4);
        fixture.events.remove(2);
        fixture.anchors.truncate(2);
        fixture.anchors.remove(0);
        fixture.size = 350;
        fixture
    }

    /// Lets the event tell of this mail.
    pub fn send(&mut self, mail: Vec<u8>) {
        let event = &mut self.events[MAIL];
        event.event["message_id"] = json!("1@example.org");
        event.event["reply"] = json!("250 2.0.0 Ok: queued");
        event.event["mail_sha256"] = json!(hex(&Sha256::digest(&mail)));
        event.mail = Some(mail);
    }

    /// Lets the event name circumstances of its own.
    pub fn come_from(&mut self, which: usize, ip: &str) {
        let salt = STANDARD.encode([which as u8; 16]);
        let kept =
            canonical(&json!({"salt": salt, "ip": ip, "user_agent": "A Browser/1"})).unwrap();
        self.disclose(which, kept);
    }

    pub fn disclose(&mut self, which: usize, kept: String) {
        self.set(
            which,
            "circumstances_sha256",
            json!(hex(&Sha256::digest(&kept))),
        );
        self.events[which].circumstances = Some(kept);
    }

    pub fn set(&mut self, which: usize, member: &str, value: Value) {
        self.events[which].event[member] = value;
    }

    pub fn leaves(&self) -> Vec<Hash> {
        let mut leaves: Vec<Hash> = (0..self.size)
            .map(|n| leaf_hash(&commitment(&[9; 32], &n.to_be_bytes())))
            .collect();
        for sample in &self.events {
            let text = canonical(&sample.event).unwrap();
            let entry = commitment(&salt(sample.index), text.as_bytes());
            if let Some(leaf) = leaves.get_mut(sample.index as usize) {
                *leaf = leaf_hash(&entry);
            }
        }
        leaves
    }

    pub fn parts(&self) -> Parts {
        let leaves = self.leaves();
        let proof = |ranges: Vec<(u64, u64)>| -> Vec<Hash> {
            ranges
                .into_iter()
                .map(|part| range(&leaves, part))
                .collect()
        };
        let events = self.events.iter().map(|sample| EventPart {
            event: canonical(&sample.event).unwrap(),
            salt: salt(sample.index),
            index: sample.index,
            path: if sample.index < self.size {
                proof(inclusion_ranges(sample.index, self.size))
            } else {
                Vec::new()
            },
            mail: sample.mail.clone(),
            circumstances: sample.circumstances.clone(),
        });
        let anchors = self.anchors.iter().map(|(name, size, time)| {
            let consistency = proof(consistency_ranges(*size, self.size));
            anchor(name, checkpoint(&leaves, *size), *time, consistency)
        });
        Parts {
            brand: "newsletter".to_owned(),
            contact: CONTACT,
            made: at("16:00:00"),
            checkpoint: checkpoint(&leaves, self.size) + &self.cosignatures,
            events: events.collect(),
            anchors: anchors.collect(),
            forms: self.forms.clone(),
            pages: BTreeMap::from([(Page::Report, b"<!doctype html>".to_vec())]),
        }
    }

    pub fn files(&self) -> Files {
        let parts = self.parts();
        let files = files(&parts, &key()).unwrap().into_iter();
        files
            .map(|(name, content)| (name, content.into_owned()))
            .collect()
    }

    pub fn check(&self) -> Result<Report, BundleProblem> {
        verify(&write(&self.parts(), &key()).unwrap(), Known::default())
    }
}

pub fn salt(index: u64) -> [u8; 32] {
    Sha256::digest(index.to_be_bytes()).into()
}

/// Signed a minute before the authority of the first anchor that is as large sees it.
pub fn checkpoint(leaves: &[Hash], size: u64) -> String {
    let signed_at = at(match size {
        ..=200 => "10:59:00",
        201..=350 => "12:59:00",
        _ => "14:59:00",
    });
    let mut tree = Growing::default();
    for leaf in &leaves[..size as usize] {
        tree.push(*leaf, |_, _| {});
    }
    let head = Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root: tree.root(),
        signed_at,
        follows: size.checked_sub(1),
        complete_at: Some(signed_at),
        stamps: Stamps::default().with("before", b"answer"),
    };
    key().sign(&head.text())
}

pub fn anchor(
    name: &str,
    checkpoint: String,
    time: Timestamp,
    consistency: Vec<Hash>,
) -> AnchorPart {
    let authority = authority();
    let request = timestamp::request(checkpoint.as_bytes(), 5, None).unwrap();
    let response = authority.respond(&request, time);
    let root = Certificate::all_from_pem(authority.root_pem().as_bytes()).unwrap();
    let certificates = Certificates {
        trusted: &root,
        beside: &[],
    };
    let stamp = timestamp::check(
        &response,
        checkpoint.as_bytes(),
        Asked::default(),
        certificates,
    );
    AnchorPart {
        name: name.to_owned(),
        checkpoint,
        response,
        certificates_pem: stamp.unwrap().certificates_pem,
        consistency,
    }
}

/// The hash of a range of leaves, from its perfect subtrees.
pub fn range(leaves: &[Hash], (from, to): (u64, u64)) -> Hash {
    let perfect = |node: crate::ledger::merkle::Node| {
        let mut tree = Growing::default();
        let (first, width) = (node.place << node.level, 1_u64 << node.level);
        for leaf in &leaves[first as usize..(first + width) as usize] {
            tree.push(*leaf, |_, _| {});
        }
        tree.root()
    };
    fold(
        &subtrees(from, to)
            .into_iter()
            .map(perfect)
            .collect::<Vec<_>>(),
    )
}

/// Lists and signs anew what is there, as whoever has the log's key can.
pub fn sign_again(mut files: Files) -> Files {
    files.remove(MANIFEST);
    let manifest = Manifest {
        origin: ORIGIN.to_owned(),
        brand: "newsletter".to_owned(),
        contact: CONTACT,
        made: at("16:00:00"),
        lines: manifest::lines(&files),
    };
    let note = key().sign(&manifest.text());
    files.insert(MANIFEST.to_owned(), note.into_bytes());
    files
}
