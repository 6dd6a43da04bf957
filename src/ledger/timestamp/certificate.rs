//! Certificates (RFC 5280), as far as a timestamp's check must read them. Chains are built by webpki.

use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};

use super::TimestampProblem;
use super::der::{self, Element, Reader};
use super::oid;
use super::signature::{self, Algorithm};
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;

/// More than any authority's chain needs.
pub const CERTIFICATES_AT_MOST: usize = 32;
const CERTIFICATE_AT_MOST: usize = 64 << 10;

/// One certificate, taken apart. Nothing in it is to be trusted before its chain was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// The part that is signed.
    signed: Vec<u8>,
    signature_algorithm: Vec<u8>,
    signature: Vec<u8>,
    pub serial: Vec<u8>,
    /// Names as they stand there, to be compared byte for byte.
    pub issuer: Vec<u8>,
    pub subject: Vec<u8>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub key_algorithm: Vec<u8>,
    pub public_key: Vec<u8>,
    pub key_id: Option<Vec<u8>>,
    issuer_key_id: Option<Vec<u8>>,
    /// The first eight bits of the key usage (RFC 5280, section 4.2.1.3), where it is stated.
    pub key_usage: Option<u8>,
    /// Whether the extension is critical, and what the key may be used for.
    pub extended_key_usage: Option<(bool, Vec<Vec<u8>>)>,
}

impl Certificate {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > CERTIFICATE_AT_MOST {
            return None;
        }
        let mut file = Reader::new(bytes);
        let mut outer = file.inside(der::SEQUENCE)?;
        file.end()?;
        let signed = outer.take(der::SEQUENCE)?;
        let algorithm = outer.take(der::SEQUENCE)?;
        let signature = outer.take(der::BIT_STRING)?.bits()?;
        outer.end()?;
        Self::read(bytes, signed, algorithm, signature)
    }

    /// Reads `TBSCertificate` (RFC 5280, section 4.1).
    fn read(
        bytes: &[u8],
        signed: Element<'_>,
        algorithm: Element<'_>,
        signature: &[u8],
    ) -> Option<Self> {
        let mut inner = signed.inside();
        inner.optional(der::context(0, true))?;
        let serial = inner.take(der::INTEGER)?.content;
        // Section 4.1.1.2: inside and outside the signed part stands the same.
        if inner.take(der::SEQUENCE)?.whole != algorithm.whole {
            return None;
        }
        let issuer = inner.take(der::SEQUENCE)?.whole;
        let (not_before, not_after) = validity(inner.inside(der::SEQUENCE)?)?;
        let subject = inner.take(der::SEQUENCE)?.whole;
        let (key_algorithm, public_key) = key(inner.inside(der::SEQUENCE)?)?;
        for unique_id in [1, 2] {
            inner.optional(der::context(unique_id, false))?;
        }
        let extensions = match inner.optional(der::context(3, true))? {
            Some(wrapped) => Extensions::parse(wrapped)?,
            None => Extensions::default(),
        };
        inner.end()?;
        Some(Self {
            der: bytes.to_vec(),
            signed: signed.whole.to_vec(),
            signature_algorithm: algorithm.content.to_vec(),
            signature: signature.to_vec(),
            serial: serial.to_vec(),
            issuer: issuer.to_vec(),
            subject: subject.to_vec(),
            not_before,
            not_after,
            key_algorithm: key_algorithm.to_vec(),
            public_key: public_key.to_vec(),
            key_id: extensions.key_id,
            issuer_key_id: extensions.issuer_key_id,
            key_usage: extensions.key_usage,
            extended_key_usage: extensions.extended_key_usage,
        })
    }

    /// All certificates of a PEM file (RFC 7468), in their order.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, TimestampProblem> {
        let wrong = |why| TimestampProblem::Pem(why);
        if pem.len() > CERTIFICATES_AT_MOST * CERTIFICATE_AT_MOST {
            return Err(wrong("it is too long"));
        }
        let mut found = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let bytes = certificate.map_err(|_| wrong("it cannot be read as PEM"))?;
            found.push(Self::parse(&bytes).ok_or(wrong("a certificate in it cannot be read"))?);
            if found.len() > CERTIFICATES_AT_MOST {
                return Err(wrong("it holds more than 32 certificates"));
            }
        }
        if found.is_empty() {
            return Err(wrong("it holds no certificate"));
        }
        Ok(found)
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for at in (0..text.len()).step_by(64) {
            pem.push_str(&text[at..text.len().min(at + 64)]);
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }

    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it but for colons and case.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(&self.der))
    }

    /// The subject's common name, or its organization where it has none.
    pub fn name(&self) -> String {
        name_in(&self.subject).unwrap_or_else(|| "an authority without a name".to_owned())
    }

    pub fn is_self_signed(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether this certificate says that the other's key signed it.
    fn names_as_issuer(&self, other: &Self) -> bool {
        let keys_differ = match (&self.issuer_key_id, &other.key_id) {
            (Some(named), Some(id)) => named != id,
            _ => false,
        };
        self.issuer == other.subject && !keys_differ
    }

    /// Whether the other's key signed this certificate; `None` where that cannot be checked here, as with the SHA-1
    /// signatures that old roots bear of themselves.
    fn is_signed_by(&self, other: &Self) -> Option<bool> {
        let algorithm = Algorithm::of_certificate(&self.signature_algorithm)?;
        algorithm.check_for(&other.key_algorithm)?;
        Some(other.holds(algorithm, &self.signed, &self.signature))
    }

    /// Whether a certificate contradicts itself or those beside it: it names an issuer that is at hand and did not sign
    /// it, or it names itself and cannot be its own issuer.
    pub fn is_spoiled(&self, others: &[Self]) -> bool {
        let issuers = others.iter().filter(|other| self.names_as_issuer(other));
        let verdicts: Vec<_> = issuers.map(|issuer| self.is_signed_by(issuer)).collect();
        if verdicts.is_empty() {
            let own_key = self.issuer_key_id.is_some() && self.issuer_key_id == self.key_id;
            return own_key || self.is_self_signed();
        }
        verdicts.contains(&Some(false)) && !verdicts.contains(&Some(true))
    }

    /// Whether the key of this certificate made the signature.
    pub fn holds(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        signature::holds(
            &self.key_algorithm,
            &self.public_key,
            algorithm,
            message,
            signature,
        )
    }
}

fn validity(mut parts: Reader<'_>) -> Option<(Timestamp, Timestamp)> {
    let (from, to) = (parts.any()?.time()?, parts.any()?.time()?);
    parts.end()?;
    Some((from, to))
}

/// `SubjectPublicKeyInfo`: the kind of key, and its bits.
fn key(mut parts: Reader<'_>) -> Option<(&[u8], &[u8])> {
    let kind = parts.take(der::SEQUENCE)?.content;
    let bits = parts.take(der::BIT_STRING)?.bits()?;
    parts.end()?;
    Some((kind, bits))
}

/// The extensions that matter here; webpki reads the others.
#[derive(Default)]
struct Extensions {
    key_id: Option<Vec<u8>>,
    issuer_key_id: Option<Vec<u8>>,
    key_usage: Option<u8>,
    extended_key_usage: Option<(bool, Vec<Vec<u8>>)>,
}

impl Extensions {
    fn parse(wrapped: Element<'_>) -> Option<Self> {
        let mut wrapper = wrapped.inside();
        let list = wrapper.inside(der::SEQUENCE)?;
        wrapper.end()?;
        let mut extensions = Self::default();
        for extension in list.rest()? {
            let mut parts = extension.inside();
            let kind = parts.take(der::OID)?.content;
            let critical = match parts.optional(der::BOOLEAN)? {
                Some(flag) => flag.content == [0xFF],
                None => false,
            };
            let mut value = parts.inside(der::OCTET_STRING)?;
            parts.end()?;
            match kind {
                oid::SUBJECT_KEY_ID => {
                    extensions.key_id = Some(value.take(der::OCTET_STRING)?.content.to_vec());
                }
                oid::AUTHORITY_KEY_ID => {
                    let mut parts = value.inside(der::SEQUENCE)?;
                    extensions.issuer_key_id = parts
                        .optional(der::context(0, false))?
                        .map(|id| id.content.to_vec());
                }
                oid::KEY_USAGE => {
                    // A bit string: how many bits of the last byte do not count, then the bits.
                    let bits = value.take(der::BIT_STRING)?.content;
                    extensions.key_usage = Some(bits.get(1).copied().unwrap_or(0));
                }
                oid::EXTENDED_KEY_USAGE => {
                    let purposes = value.inside(der::SEQUENCE)?.rest()?;
                    let purposes = purposes
                        .iter()
                        .map(|purpose| purpose.content.to_vec())
                        .collect();
                    extensions.extended_key_usage = Some((critical, purposes));
                }
                _ => {}
            }
        }
        Some(extensions)
    }
}

/// The common name in a `Name`, or the organization.
pub fn name_in(name: &[u8]) -> Option<String> {
    let parts = Reader::new(name).inside(der::SEQUENCE)?.rest()?;
    let attributes: Vec<(&[u8], String)> = parts
        .iter()
        .filter_map(|part| {
            let mut attribute = part.inside().inside(der::SEQUENCE)?;
            let kind = attribute.take(der::OID)?.content;
            let text = String::from_utf8_lossy(attribute.any()?.content).into_owned();
            Some((kind, text))
        })
        .collect();
    [oid::COMMON_NAME, oid::ORGANIZATION]
        .iter()
        .find_map(|kind| attributes.iter().find(|(found, _)| found == kind))
        .map(|(_, text)| text.clone())
}

/// Bits of the key usage: digitalSignature or nonRepudiation, and keyCertSign.
pub const MAY_SIGN: u8 = 0b1100_0000;
pub const MAY_SIGN_CERTIFICATES: u8 = 0b0000_0100;
