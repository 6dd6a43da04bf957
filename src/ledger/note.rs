//! Signed notes (C2SP signed-note) with Ed25519, and their keys.
//!
//! Checking is strict beyond the specification where it costs nobody anything: base64 must be in its one canonical form,
//! so that no byte of a note can change without notice.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::domain::hex::hex;

/// Signature types of C2SP signed-note.
pub const ED25519: u8 = 0x01;
pub const COSIGNATURE: u8 = 0x04;

const DASH: &str = "\u{2014} ";
/// Signature lines that a note may have; the specification asks for 16 at least.
const LINES_AT_MOST: usize = 64;
/// A bundle's manifest of 65,000 files has some 6.5 MB.
const NOTE_AT_MOST: usize = 8 << 20;

/// What is wrong with a note or a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteProblem {
    #[error("this is no signed note: {0}")]
    Form(&'static str),
    #[error("this is no key: {0}")]
    Key(&'static str),
    #[error("there is no signature by {0}")]
    Unsigned(String),
    #[error("the signature by {0} does not fit the text")]
    Forged(String),
    #[error("there are two signatures by {0}")]
    SignedTwice(String),
}

/// The first four bytes of `SHA-256(name || 0x0A || type || public key)`.
fn key_id(name: &str, kind: u8, public: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(public)
        .finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A key to check with: a C2SP vkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    pub name: String,
    pub kind: u8,
    public: VerifyingKey,
}

impl Verifier {
    /// Reads `name+hex(key id)+base64(type || public key)`.
    pub fn parse(vkey: &str) -> Result<Self, NoteProblem> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteProblem::Key("it needs three parts with + between them"));
        };
        if !is_name(name) {
            return Err(NoteProblem::Key("its name is empty or has a space in it"));
        }
        let bytes = STANDARD
            .decode(key)
            .map_err(|_| NoteProblem::Key("its last part is not base64"))?;
        let (kind, public) = bytes.split_first().ok_or(NoteProblem::Key("it is empty"))?;
        if *kind != ED25519 && *kind != COSIGNATURE {
            return Err(NoteProblem::Key("it is of a type that is not known here"));
        }
        let public: [u8; 32] = public
            .try_into()
            .map_err(|_| NoteProblem::Key("it has not 32 bytes"))?;
        if id != hex(&key_id(name, *kind, &public)) {
            return Err(NoteProblem::Key("its id does not belong to it"));
        }
        Ok(Self {
            name: name.to_owned(),
            kind: *kind,
            public: VerifyingKey::from_bytes(&public)
                .ok()
                // For a point of small order anybody can sign (RFC 8032, section 8; RFC 7748, section 7).
                .filter(|public| !public.is_weak())
                .ok_or(NoteProblem::Key("it is no good point of the curve"))?,
        })
    }

    fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.kind, self.public.as_bytes())
    }

    pub fn vkey(&self) -> String {
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(self.public.as_bytes());
        format!(
            "{}+{}+{}",
            self.name,
            hex(&self.id()),
            STANDARD.encode(bytes)
        )
    }

    /// SHA-256 of the vkey, to be read aloud or printed on paper.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.vkey()))
    }

    pub fn public_key(&self) -> &[u8; 32] {
        self.public.as_bytes()
    }
}

/// A key to sign with.
pub struct SigningNoteKey {
    name: String,
    key: SigningKey,
}

impl SigningNoteKey {
    /// The name must be a schema-less URL or the like: no space, no plus.
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, NoteProblem> {
        if !is_name(name) {
            return Err(NoteProblem::Key("its name is empty or has a space in it"));
        }
        Ok(Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(secret),
        })
    }

    pub fn verifier(&self) -> Verifier {
        Verifier {
            name: self.name.clone(),
            kind: ED25519,
            public: self.key.verifying_key(),
        }
    }

    /// Signs a text, which must end in a newline; answers with the whole note.
    pub fn sign(&self, text: &str) -> String {
        debug_assert!(text.ends_with('\n'));
        let mut bytes = key_id(&self.name, ED25519, self.key.verifying_key().as_bytes()).to_vec();
        bytes.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{DASH}{} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl Line {
    fn parse(line: &str) -> Result<Self, NoteProblem> {
        let wrong = NoteProblem::Form("a signature line is not dash, name and base64");
        let (name, signature) = line
            .strip_prefix(DASH)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(wrong.clone())?;
        let bytes = STANDARD.decode(signature).map_err(|_| wrong.clone())?;
        if !is_name(name) || bytes.len() < 5 {
            return Err(wrong);
        }
        Ok(Self {
            name: name.to_owned(),
            id: [bytes[0], bytes[1], bytes[2], bytes[3]],
            bytes: bytes[4..].to_vec(),
        })
    }

    /// Whether the line says that it is by this key; that it is remains to be checked.
    pub fn is_by(&self, key: &Verifier) -> bool {
        self.name == key.name && self.id == key.id()
    }

    /// With its newline.
    pub fn written(&self) -> String {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.bytes);
        format!("{DASH}{} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// A note, taken apart. Nothing in it is to be trusted before `verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// With its last newline.
    pub text: String,
    pub lines: Vec<Line>,
}

impl Note {
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteProblem> {
        if bytes.len() > NOTE_AT_MOST {
            return Err(NoteProblem::Form("it is longer than 8 MB"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteProblem::Form("it is not UTF-8"))?;
        if whole.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteProblem::Form("it has control characters"));
        }
        let at = whole.rfind("\n\n").ok_or(NoteProblem::Form(
            "there is no empty line before the signatures",
        ))?;
        let (text, signatures) = (&whole[..=at], &whole[at + 2..]);
        if !signatures.ends_with('\n') {
            return Err(NoteProblem::Form("it does not end with a signature line"));
        }
        let lines: Vec<Line> = signatures
            .lines()
            .map(Line::parse)
            .collect::<Result<_, _>>()?;
        if lines.is_empty() || lines.len() > LINES_AT_MOST {
            return Err(NoteProblem::Form("it has no signature, or more than 64"));
        }
        Ok(Self {
            text: text.to_owned(),
            lines,
        })
    }

    /// Checks that this key signed the text, in one line.
    pub fn verify(&self, by: &Verifier) -> Result<(), NoteProblem> {
        let mut lines = self.lines_by(by);
        let Some(line) = lines.next() else {
            return Err(NoteProblem::Unsigned(by.name.clone()));
        };
        if lines.next().is_some() {
            return Err(NoteProblem::SignedTwice(by.name.clone()));
        }
        if by.kind != ED25519 || !holds(by, self.text.as_bytes(), &line.bytes) {
            return Err(NoteProblem::Forged(by.name.clone()));
        }
        Ok(())
    }

    /// The lines that say they are by this key.
    pub fn lines_by<'a>(&'a self, by: &'a Verifier) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.is_by(by))
    }

    /// Checks a witness's cosignature (C2SP tlog-cosignature, Ed25519); answers with its time, seconds since 1970.
    pub fn verify_cosignature(&self, by: &Verifier) -> Result<u64, NoteProblem> {
        let forged = || NoteProblem::Forged(by.name.clone());
        let mut time = None;
        for line in self.lines_by(by) {
            let (seconds, signature) = line.bytes.split_at_checked(8).ok_or_else(forged)?;
            let seconds = u64::from_be_bytes(seconds.try_into().map_err(|_| forged())?);
            let message = format!("cosignature/v1\ntime {seconds}\n{}", self.text);
            if by.kind != COSIGNATURE || seconds == 0 || !holds(by, message.as_bytes(), signature) {
                return Err(forged());
            }
            time = Some(seconds);
        }
        time.ok_or_else(|| NoteProblem::Unsigned(by.name.clone()))
    }

    /// The note with the good cosignatures of these witnesses added from lines that a witness answered with; all other
    /// lines are left out, as the protocol demands.
    pub fn with_cosignatures(&self, answer: &str, by: &Verifier) -> Result<Self, NoteProblem> {
        let answered = Self {
            text: self.text.clone(),
            lines: answer
                .lines()
                .take(LINES_AT_MOST)
                .filter_map(|line| Line::parse(line).ok())
                .collect(),
        };
        answered.verify_cosignature(by)?;
        let mut note = self.clone();
        note.lines.retain(|line| !line.is_by(by));
        note.lines.extend(answered.lines_by(by).cloned());
        Ok(note)
    }

    pub fn written(&self) -> String {
        let lines: String = self.lines.iter().map(Line::written).collect();
        format!("{}\n{lines}", self.text)
    }
}

/// `verify_strict`: no small-order keys, no signature that fits several texts (RFC 8032, section 8).
fn holds(by: &Verifier, message: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature)
        .is_ok_and(|signature| by.public.verify_strict(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_signed_note_specification_verifies_and_with_any_byte_changed_does_not() {
        let key = Verifier::parse(KEY).unwrap();
        assert_eq!(key.vkey(), KEY);
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        note.verify(&key).unwrap();
        assert_eq!(note.written(), NOTE);
        for at in 0..NOTE.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut bytes = NOTE.as_bytes().to_vec();
                bytes[at] ^= bit;
                let holds = Note::parse(&bytes).is_ok_and(|note| note.verify(&key).is_ok());
                assert!(!holds, "byte {at} with {bit:#x}");
            }
        }
    }

    /// Those that are whole: `[...]` stands where one was cut.
    #[test]
    fn the_notes_in_the_specifications_are_read_and_written_as_they_stand_there() {
        for (name, count) in [
            ("signed-note", 2),
            ("tlog-checkpoint", 1),
            ("tlog-cosignature", 1),
        ] {
            let folder = env!("CARGO_MANIFEST_DIR");
            let path = format!("{folder}/../shared/specs/c2sp/{name}.md");
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
            let blocks = text.split("```\n").skip(1).step_by(2);
            let notes: Vec<&str> = blocks.filter(|block| block.contains(DASH)).collect();
            assert_eq!(notes.len(), count, "{name}");
            for note in notes {
                assert_eq!(Note::parse(note.as_bytes()).unwrap().written(), note);
            }
        }
    }

    #[test]
    fn a_note_that_its_key_signed_twice_is_refused() {
        let key = SigningNoteKey::new("example.org/log", &[7; 32]).unwrap();
        let note = key.sign("example.org/log\n1\nAAAA\n");
        let line = &note[note.rfind(DASH).unwrap()..];
        let twice = Note::parse(format!("{note}{line}").as_bytes()).unwrap();
        let refused = twice.verify(&key.verifier());
        assert_eq!(
            refused,
            Err(NoteProblem::SignedTwice("example.org/log".into()))
        );
    }

    #[test]
    fn a_key_with_a_changed_byte_is_no_key() {
        for at in 0..KEY.len() {
            let mut bytes = KEY.as_bytes().to_vec();
            bytes[at] ^= 0x01;
            let same = String::from_utf8(bytes)
                .ok()
                .and_then(|text| Verifier::parse(&text).ok());
            assert!(same.is_none(), "byte {at}");
        }
    }

    #[test]
    fn what_we_sign_is_what_we_read() {
        let key = SigningNoteKey::new("example.org/log", &[7; 32]).unwrap();
        let text = "example.org/log\n1\nAAAA\n\nan empty line may stand in the text\n";
        let note = Note::parse(key.sign(text).as_bytes()).unwrap();
        assert_eq!(note.text, text);
        note.verify(&key.verifier()).unwrap();
        let other = SigningNoteKey::new("example.org/log", &[8; 32]).unwrap();
        assert_eq!(
            note.verify(&other.verifier()),
            Err(NoteProblem::Unsigned("example.org/log".into()))
        );
        assert!(SigningNoteKey::new("with space", &[7; 32]).is_err());
    }
}
