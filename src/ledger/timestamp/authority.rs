//! A time-stamping authority inside this process, for the demo: what it stamps proves nothing to others, since whoever
//! runs it knows its keys, and its certificates say so. It answers as RFC 3161 demands, so that everything around it can
//! be tried without a network.

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use sha2::{Digest, Sha256};

use super::certificate::Certificate;
use super::der::{self, Reader};
use super::oid;
use crate::domain::time::Timestamp;

const ROOT: &str = "countersign demo authority - proves nothing to others (root)";
const SIGNER: &str = "countersign demo authority - proves nothing to others";
/// An identifier for examples: below 2.999 (ITU-T X.660, annex A).
const POLICY: &str = "2.999.3161";
const FROM: &str = "200101000000Z";
const TO: &str = "20991231235959Z";
/// Requests are a few hundred bytes at most.
const REQUEST_AT_MOST: usize = 4 << 10;

/// Failures of RFC 3161, section 2.4.2.
const BAD_ALGORITHM: u8 = 0;
const BAD_DATA_FORMAT: u8 = 5;
const UNACCEPTED_POLICY: u8 = 15;
const UNACCEPTED_EXTENSION: u8 = 16;

/// The authority: a root and a signer, both with P-256 keys.
pub struct Authority {
    key: SigningKey,
    signer: Vec<u8>,
    root: Vec<u8>,
}

/// What a request asks for.
struct Request<'a> {
    imprint: &'a [u8],
    hash: &'a [u8],
    nonce: &'a [u8],
    wants_certificates: bool,
}

/// Who is who in a certificate.
struct Subject<'a> {
    name: &'a str,
    key: &'a SigningKey,
    extensions: &'a [Vec<u8>],
}

impl Authority {
    /// The same secret always gives the same certificates.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let (root_key, key) = (derived(secret, "root"), derived(secret, "signer"));
        let ca = Subject {
            name: ROOT,
            key: &root_key,
            extensions: &[
                extension(oid::BASIC_CONSTRAINTS, true, &der::sequence(&[&TRUE])),
                // keyCertSign and cRLSign.
                extension(
                    oid::KEY_USAGE,
                    true,
                    &der::element(der::BIT_STRING, &[&[1, 0b0000_0110]]),
                ),
            ],
        };
        let purpose = der::sequence(&[&der::element(der::OID, &[oid::TIME_STAMPING])]);
        let leaf = Subject {
            name: SIGNER,
            key: &key,
            extensions: &[
                // digitalSignature.
                extension(
                    oid::KEY_USAGE,
                    true,
                    &der::element(der::BIT_STRING, &[&[7, 0b1000_0000]]),
                ),
                extension(oid::EXTENDED_KEY_USAGE, true, &purpose),
            ],
        };
        let root = certificate(&ca, &ca);
        let signer = certificate(&leaf, &ca);
        Self { key, signer, root }
    }

    /// The root certificate, for whoever wants to check against it.
    pub fn root_pem(&self) -> String {
        Certificate::parse(&self.root).map_or_else(String::new, |root| root.pem())
    }

    /// Answers a `TimeStampReq` with a `TimeStampResp` of this time.
    pub fn respond(&self, request: &[u8], at: Timestamp) -> Vec<u8> {
        match Request::parse(request) {
            Ok(request) => {
                let granted = der::sequence(&[&der::unsigned(&[0])]);
                der::sequence(&[&granted, &self.token(&request, at)])
            }
            Err(failure) => rejection(failure),
        }
    }

    fn token(&self, request: &Request<'_>, at: Timestamp) -> Vec<u8> {
        let info = info(request, at);
        let sha_256 = der::algorithm(oid::SHA_256, false);
        let content = der::sequence(&[
            &der::element(der::OID, &[oid::TST_INFO]),
            &der::element(
                der::context(0, true),
                &[&der::element(der::OCTET_STRING, &[&info])],
            ),
        ]);
        let certificates = if request.wants_certificates {
            der::element(der::context(0, true), &[&self.signer, &self.root])
        } else {
            Vec::new()
        };
        let signed_data = der::sequence(&[
            &der::unsigned(&[3]),
            &der::element(der::SET, &[&sha_256]),
            &content,
            &certificates,
            &der::element(der::SET, &[&self.signer_info(&info, &sha_256)]),
        ]);
        der::sequence(&[
            &der::element(der::OID, &[oid::SIGNED_DATA]),
            &der::element(der::context(0, true), &[&signed_data]),
        ])
    }

    fn signer_info(&self, info: &[u8], sha_256: &[u8]) -> Vec<u8> {
        let attributes = self.attributes(info);
        let signature: Signature = self.key.sign(&der::element(der::SET, &[&attributes]));
        let issuer_and_serial = der::sequence(&[&name(ROOT), &serial_of(&self.key)]);
        der::sequence(&[
            &der::unsigned(&[1]),
            &issuer_and_serial,
            sha_256,
            &der::element(der::context(0, true), &[&attributes]),
            &der::algorithm(oid::ECDSA_WITH_SHA_256, false),
            &der::element(der::OCTET_STRING, &[signature.to_der().as_bytes()]),
        ])
    }

    /// The signed attributes in the order of DER: by their bytes (X.690, section 11.6).
    fn attributes(&self, info: &[u8]) -> Vec<u8> {
        let attribute = |kind: &[u8], value: &[u8]| {
            der::sequence(&[
                &der::element(der::OID, &[kind]),
                &der::element(der::SET, &[value]),
            ])
        };
        let id = der::sequence(&[&der::element(
            der::OCTET_STRING,
            &[&Sha256::digest(&self.signer)],
        )]);
        let signing_certificate = der::sequence(&[&der::sequence(&[&id])]);
        let mut attributes = [
            attribute(oid::CONTENT_TYPE, &der::element(der::OID, &[oid::TST_INFO])),
            attribute(
                oid::MESSAGE_DIGEST,
                &der::element(der::OCTET_STRING, &[&Sha256::digest(info)]),
            ),
            attribute(oid::SIGNING_CERTIFICATE_V2, &signing_certificate),
        ];
        attributes.sort();
        attributes.concat()
    }
}

impl<'a> Request<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, u8> {
        let readable = Self::read(bytes).ok_or(BAD_DATA_FORMAT)?;
        let (request, policy, has_extensions) = readable;
        if request.hash != oid::SHA_256 || request.imprint.len() != 32 {
            return Err(BAD_ALGORITHM);
        }
        if has_extensions {
            return Err(UNACCEPTED_EXTENSION);
        }
        match policy {
            Some(other) if der::dotted(other).as_deref() != Some(POLICY) => Err(UNACCEPTED_POLICY),
            _ => Ok(request),
        }
    }

    fn read(bytes: &'a [u8]) -> Option<(Self, Option<&'a [u8]>, bool)> {
        if bytes.len() > REQUEST_AT_MOST {
            return None;
        }
        let mut file = Reader::new(bytes);
        let mut parts = file.inside(der::SEQUENCE)?;
        file.end()?;
        if parts.take(der::INTEGER)?.small()? != 1 {
            return None;
        }
        let mut message = parts.inside(der::SEQUENCE)?;
        let hash = message.inside(der::SEQUENCE)?.take(der::OID)?.content;
        let imprint = message.take(der::OCTET_STRING)?.content;
        message.end()?;
        let policy = parts.optional(der::OID)?.map(|policy| policy.content);
        let nonce = parts.optional(der::INTEGER)?;
        let wants_certificates = parts.optional(der::BOOLEAN)?;
        let extensions = parts.optional(der::context(0, true))?;
        parts.end()?;
        let request = Self {
            imprint,
            hash,
            nonce: nonce.map_or(&[], |nonce| nonce.whole),
            wants_certificates: wants_certificates.is_some_and(|flag| flag.content != [0]),
        };
        Some((request, policy, extensions.is_some()))
    }
}

const TRUE: [u8; 3] = [der::BOOLEAN, 1, 0xFF];

/// A key from the secret and a word. About one number in 2^32 is no key of the curve; then the next is tried.
fn derived(secret: &[u8; 32], word: &str) -> SigningKey {
    let mut block = [0; 64];
    block[..32].copy_from_slice(secret);
    let mut attempt: u32 = 0;
    loop {
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"countersign demo authority ");
        mac.update(word.as_bytes());
        mac.update(&attempt.to_be_bytes());
        if let Ok(key) = SigningKey::from_slice(&mac.finalize().into_bytes()) {
            return key;
        }
        attempt += 1;
    }
}

fn rejection(failure: u8) -> Vec<u8> {
    let mut bits = vec![0; usize::from(failure) / 8 + 2];
    bits[0] = 7 - failure % 8; // bits that are not in use
    bits[usize::from(failure) / 8 + 1] = 0x80 >> (failure % 8);
    let status = der::sequence(&[
        &der::unsigned(&[2]),
        &der::element(der::BIT_STRING, &[&bits]),
    ]);
    der::sequence(&[&status])
}

fn info(request: &Request<'_>, at: Timestamp) -> Vec<u8> {
    let policy = der::undotted(POLICY).unwrap_or_default();
    let imprint = der::sequence(&[
        &der::algorithm(oid::SHA_256, true),
        &der::element(der::OCTET_STRING, &[request.imprint]),
    ]);
    // Unique without a counter: what is stamped, for whom and when.
    let serial = Sha256::new()
        .chain_update(request.imprint)
        .chain_update(request.nonce)
        .chain_update(at.micros().to_be_bytes())
        .finalize();
    der::sequence(&[
        &der::unsigned(&[1]),
        &der::element(der::OID, &[&policy]),
        &imprint,
        &der::unsigned(&serial[..16]),
        &der::element(der::GENERALIZED_TIME, &[time(at).as_bytes()]),
        request.nonce,
    ])
}

/// `YYYYMMDDhhmmss.ffffffZ` without zeros at the end (RFC 3161, section 2.4.2).
fn time(at: Timestamp) -> String {
    let digits: String = at
        .to_string()
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let short = digits.trim_end_matches('0').trim_end_matches('.');
    // Seconds themselves may end in zeros.
    let whole = digits.split('.').next().unwrap_or_default();
    format!(
        "{}Z",
        if short.len() > whole.len() {
            short
        } else {
            whole
        }
    )
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = der::sequence(&[
        &der::element(der::OID, &[oid::COMMON_NAME]),
        &der::element(der::UTF8_STRING, &[common_name.as_bytes()]),
    ]);
    der::sequence(&[&der::element(der::SET, &[&attribute])])
}

fn public_key(key: &SigningKey) -> Vec<u8> {
    key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

/// The first 160 bits of SHA-256 of the key (RFC 7093, section 2).
fn key_id(key: &SigningKey) -> Vec<u8> {
    Sha256::digest(public_key(key))[..20].to_vec()
}

fn serial_of(key: &SigningKey) -> Vec<u8> {
    let mut serial = key_id(key);
    serial.truncate(16);
    serial[0] |= 1;
    der::unsigned(&serial)
}

fn extension(kind: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &TRUE } else { &[] };
    der::sequence(&[
        &der::element(der::OID, &[kind]),
        flag,
        &der::element(der::OCTET_STRING, &[value]),
    ])
}

/// A certificate of version 3 (RFC 5280, section 4.1).
fn certificate(of: &Subject<'_>, by: &Subject<'_>) -> Vec<u8> {
    let mut curve = der::element(der::OID, &[oid::EC_PUBLIC_KEY]);
    curve.extend_from_slice(&der::element(der::OID, &[oid::P_256]));
    let key = der::sequence(&[
        &der::sequence(&[&curve]),
        &der::element(der::BIT_STRING, &[&[0], &public_key(of.key)]),
    ]);
    let own_id = der::element(der::OCTET_STRING, &[&key_id(of.key)]);
    let issuer_id = der::sequence(&[&der::element(der::context(0, false), &[&key_id(by.key)])]);
    let mut extensions = of.extensions.concat();
    extensions.extend_from_slice(&extension(oid::SUBJECT_KEY_ID, false, &own_id));
    extensions.extend_from_slice(&extension(oid::AUTHORITY_KEY_ID, false, &issuer_id));
    let algorithm = der::algorithm(oid::ECDSA_WITH_SHA_256, false);
    let signed = der::sequence(&[
        &der::element(der::context(0, true), &[&der::unsigned(&[2])]),
        &serial_of(of.key),
        &algorithm,
        &name(by.name),
        &der::sequence(&[
            // RFC 5280, section 4.1.2.5: until 2049 with two digits of the year.
            &der::element(der::UTC_TIME, &[FROM.as_bytes()]),
            &der::element(der::GENERALIZED_TIME, &[TO.as_bytes()]),
        ]),
        &name(of.name),
        &key,
        &der::element(der::context(3, true), &[&der::sequence(&[&extensions])]),
    ]);
    let signature: Signature = by.key.sign(&signed);
    der::sequence(&[
        &signed,
        &algorithm,
        &der::element(der::BIT_STRING, &[&[0], signature.to_der().as_bytes()]),
    ])
}
