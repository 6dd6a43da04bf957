//! A witness as C2SP tlog-witness describes it, without our code: own key, own state on disk, own check of proofs.

use std::path::PathBuf;
use std::sync::Mutex;

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign::clock::Random;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::harness::Folder;
use crate::harness::http::{Reaction, Request};

type Hash = [u8; 32];

pub const TIME: u64 = 1_795_455_300;

/// The log that the witness trusts.
struct Log {
    origin: String,
    id: [u8; 4],
    key: VerifyingKey,
}

pub struct Witness {
    pub name: String,
    key: SigningKey,
    log: Mutex<Option<Log>>,
    folder: Folder,
    /// Checking and writing the latest checkpoint is one step.
    turn: Mutex<()>,
}

fn id(name: &str, key: &[u8]) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update(key)
        .finalize();
    hash[..4].try_into().unwrap()
}

impl Witness {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(&Random::Os.bytes()),
            log: Mutex::new(None),
            folder: Folder::new(),
            turn: Mutex::new(()),
        }
    }

    fn public(&self) -> Vec<u8> {
        let mut bytes = vec![4];
        bytes.extend_from_slice(self.key.verifying_key().as_bytes());
        bytes
    }

    pub fn vkey(&self) -> String {
        let id: String = id(&self.name, &self.public())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}+{id}+{}", self.name, STANDARD.encode(self.public()))
    }

    /// Its operator adds the log's key.
    pub fn trust(&self, vkey: &str) {
        let mut parts = vkey.splitn(3, '+');
        let (origin, _, key) = (parts.next(), parts.next(), parts.next().unwrap());
        let key = STANDARD.decode(key).unwrap();
        *self.log.lock().unwrap() = Some(Log {
            origin: origin.unwrap().to_owned(),
            id: id(origin.unwrap(), &key),
            key: VerifyingKey::from_bytes(key[1..].try_into().unwrap()).unwrap(),
        });
    }

    fn file(&self) -> PathBuf {
        self.folder.0.join("latest")
    }

    /// Size and root of the latest checkpoint that it cosigned.
    pub fn latest(&self) -> (u64, Hash) {
        let Ok(text) = std::fs::read_to_string(self.file()) else {
            return (0, Sha256::digest(b"").into());
        };
        let (size, root) = text.split_once(' ').unwrap();
        let root = STANDARD.decode(root).unwrap().try_into().unwrap();
        (size.parse().unwrap(), root)
    }

    pub fn set_latest(&self, size: u64, root: &Hash) {
        std::fs::write(self.file(), format!("{size} {}", STANDARD.encode(root))).unwrap();
    }

    /// It loses its state.
    pub fn forget(&self) {
        std::fs::remove_file(self.file()).unwrap();
    }

    /// A signature line under a checkpoint's text, with a change of one bit if asked for.
    pub fn line(&self, text: &str, spoilt: bool) -> String {
        let message = format!("cosignature/v1\ntime {TIME}\n{text}");
        let mut bytes = id(&self.name, &self.public()).to_vec();
        bytes.extend_from_slice(&TIME.to_be_bytes());
        bytes.extend_from_slice(&self.key.sign(message.as_bytes()).to_bytes());
        bytes[20] ^= u8::from(spoilt);
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }

    pub fn answer(&self, request: &Request) -> Reaction {
        if (request.method.as_str(), request.path.as_str()) != ("post", "/add-checkpoint") {
            return Reaction::status(404, "no such path\n");
        }
        match self.add_checkpoint(&request.body) {
            Ok(line) => Reaction::ok("text/plain", line),
            Err(reaction) => reaction,
        }
    }

    fn add_checkpoint(&self, body: &[u8]) -> Result<String, Reaction> {
        let wrong = || Reaction::status(400, "bad request\n");
        let body = std::str::from_utf8(body).map_err(|_| wrong())?;
        let (head, note) = body.split_once("\n\n").ok_or_else(wrong)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = decimal(old.ok_or_else(wrong)?).ok_or_else(wrong)?;
        let proof: Vec<Hash> = lines.map(hash).collect::<Option<_>>().ok_or_else(wrong)?;
        let (text, signatures) = note.split_once("\n\n").ok_or_else(wrong)?;
        let text = format!("{text}\n");
        let mut lines = text.split('\n');
        let (origin, size) = (lines.next().unwrap(), lines.next().ok_or_else(wrong)?);
        let size = decimal(size).ok_or_else(wrong)?;
        let root = lines.next().and_then(hash).ok_or_else(wrong)?;
        self.check_signature(origin, &text, signatures)?;
        if old > size || proof.len() > 63 {
            return Err(wrong());
        }
        let _turn = self.turn.lock().unwrap();
        let (latest, latest_root) = self.latest();
        if old != latest {
            return Err(Reaction::Answer {
                status: 409,
                headers: vec![("content-type", "text/x.tlog.size".to_owned())],
                body: format!("{latest}\n").into_bytes(),
            });
        }
        if !is_consistent(old, &latest_root, size, &root, &proof) {
            return Err(Reaction::status(422, "not consistent\n"));
        }
        self.set_latest(size, &root);
        Ok(self.line(&text, false))
    }

    fn check_signature(&self, origin: &str, text: &str, signatures: &str) -> Result<(), Reaction> {
        let log = self.log.lock().unwrap();
        let Some(log) = log.as_ref().filter(|log| log.origin == origin) else {
            return Err(Reaction::status(404, "unknown log\n"));
        };
        let mut found = false;
        for line in signatures.lines() {
            let (name, bytes) = line
                .strip_prefix("\u{2014} ")
                .unwrap()
                .split_once(' ')
                .unwrap();
            let bytes = STANDARD.decode(bytes).unwrap();
            if name != log.origin || bytes[..4] != log.id {
                continue;
            }
            let signature = Signature::from_slice(&bytes[4..]).unwrap();
            if log.key.verify_strict(text.as_bytes(), &signature).is_err() {
                return Err(Reaction::status(403, "bad signature\n"));
            }
            found = true;
        }
        if found {
            Ok(())
        } else {
            Err(Reaction::status(403, "no signature\n"))
        }
    }
}

fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn hash(line: &str) -> Option<Hash> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]).chain_update(left);
    hash.chain_update(right).finalize().into()
}

/// RFC 9162, section 2.1.4.2, step by step.
fn is_consistent(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 {
        return proof.is_empty();
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let mut path = proof.to_vec();
    if old.is_power_of_two() {
        path.insert(0, *old_root);
    }
    let (mut at_old, mut at_new) = (old - 1, new - 1);
    while at_old & 1 == 1 {
        at_old >>= 1;
        at_new >>= 1;
    }
    let Some((first, rest)) = path.split_first() else {
        return false;
    };
    let (mut as_old, mut as_new) = (*first, *first);
    for next in rest {
        if at_new == 0 {
            return false;
        }
        if at_old & 1 == 1 || at_old == at_new {
            as_old = node(next, &as_old);
            as_new = node(next, &as_new);
            while at_old & 1 == 0 && at_old != 0 {
                at_old >>= 1;
                at_new >>= 1;
            }
        } else {
            as_new = node(&as_new, next);
        }
        at_old >>= 1;
        at_new >>= 1;
    }
    as_old == *old_root && as_new == *new_root && at_new == 0
}
