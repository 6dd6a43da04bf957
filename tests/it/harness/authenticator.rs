//! An authenticator in software: makes passkeys and signs with them as WebAuthn (Level 3, section 6) says, and as it must not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PRESENT_AND_VERIFIED: u8 = 0b0000_0101;
const WITH_CREDENTIAL: u8 = 0b0100_0000;

/// One passkey (ES256) with its counter.
#[derive(Clone)]
pub struct Authenticator {
    key: SigningKey,
    id: Vec<u8>,
    pub counter: u32,
}

/// What a browser tells about where it is; each part may be a lie.
#[derive(Clone, Debug)]
pub struct Browsing {
    pub origin: String,
    pub challenge: String,
    pub relying_party: String,
}

impl Browsing {
    /// An honest browser at this origin, asked with these options.
    pub fn at(origin: &str, options: &Value) -> Self {
        let relying_party = options["rp"]["id"].as_str().or(options["rpId"].as_str());
        Self {
            origin: origin.to_owned(),
            challenge: options["challenge"].as_str().unwrap().to_owned(),
            relying_party: relying_party.unwrap().to_owned(),
        }
    }

    fn client_data(&self, kind: &str) -> Vec<u8> {
        json!({
            "type": kind, "challenge": self.challenge, "origin": self.origin, "crossOrigin": false
        })
        .to_string()
        .into_bytes()
    }
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A CBOR byte string of 24 to 65,535 bytes.
fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let mut text = match u8::try_from(length) {
        Ok(short) => vec![0x58, short],
        Err(_) => [&[0x59][..], &length.to_be_bytes()].concat(),
    };
    text.extend_from_slice(bytes);
    text
}

impl Authenticator {
    pub fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[seed; 32]).unwrap(),
            id: vec![seed; 20],
            counter: 1,
        }
    }

    /// What options call it by.
    pub fn id(&self) -> String {
        base64(&self.id)
    }

    fn data(&self, relying_party: &str, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(relying_party.as_bytes()).to_vec();
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// The answer to `navigator.credentials.create`.
    pub fn make(&self, browsing: &Browsing) -> String {
        let mut data = self.data(
            &browsing.relying_party,
            PRESENT_AND_VERIFIED | WITH_CREDENTIAL,
        );
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend_from_slice(&self.id);
        // The public key as COSE writes it: kty EC2, alg ES256, crv P-256, x, y.
        let point = self.key.verifying_key().to_sec1_point(false);
        let point = point.as_bytes();
        data.extend_from_slice(&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]);
        data.extend_from_slice(&byte_string(&point[1..33]));
        data.push(0x22);
        data.extend_from_slice(&byte_string(&point[33..]));
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec();
        object.extend_from_slice(&byte_string(&data));
        json!({
            "id": self.id(), "rawId": self.id(), "type": "public-key",
            "authenticatorAttachment": "cross-platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64(&browsing.client_data("webauthn.create")),
                "attestationObject": base64(&object),
                "transports": ["usb"]
            }
        })
        .to_string()
    }

    /// The answer to `navigator.credentials.get`.
    pub fn sign(&self, browsing: &Browsing) -> String {
        let data = self.data(&browsing.relying_party, PRESENT_AND_VERIFIED);
        let client_data = browsing.client_data("webauthn.get");
        let mut signed = data.clone();
        signed.extend_from_slice(&Sha256::digest(&client_data));
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": self.id(), "rawId": self.id(), "type": "public-key",
            "authenticatorAttachment": "cross-platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64(&client_data),
                "authenticatorData": base64(&data),
                "signature": base64(signature.to_der().as_bytes())
            }
        })
        .to_string()
    }
}
