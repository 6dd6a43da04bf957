//! Timestamps by an outside authority (RFC 3161): the request, and the check of what comes back, from its signature to a
//! root certificate. The check needs no clock: everything must hold at the token's own time.
//!
//! A token is read here and not by a library: fractions of a second are legal in RFC 3161 and refused by the DER readers at
//! hand, and what is signed must be checked over the bytes as they stood there. Chains are built by webpki, signatures
//! checked by ring.

pub mod authority;
mod certificate;
mod chain;
mod der;
mod oid;
mod signature;
mod token;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use self::certificate::Certificate;
use self::der::Reader;
use self::signature::{Algorithm, Hash};
use self::token::{Info, Response, Signer, Token};
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;

/// The longest response that is read.
pub const RESPONSE_AT_MOST: usize = 256 << 10;

/// What is wrong with a response, in words that tell what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampProblem {
    #[error("the response is no well-formed RFC 3161 response")]
    Form,
    #[error("the response is larger than 256 KB")]
    Large,
    #[error("the policy \"{0}\" is no object identifier such as 1.2.3")]
    PolicyForm(String),
    #[error("the authority refused to stamp: {0}")]
    Rejected(String),
    #[error(
        "the token is over other bytes: its imprint is not the SHA-256 of what was to be stamped"
    )]
    Imprint,
    #[error("the token's imprint is not made with SHA-256")]
    ImprintAlgorithm,
    #[error("the token answers another request: its nonce is not ours")]
    Nonce,
    #[error("the token was issued under the policy {found}, not under {wanted}")]
    Policy { wanted: String, found: String },
    #[error("the signer's certificate is neither in the token nor in the certificates given")]
    NoSigner,
    #[error("the signed attribute {0} is missing or does not fit")]
    Attribute(&'static str),
    #[error("the kind of signature or hash is not known here: {0}")]
    Algorithm(String),
    #[error("the signature of {0} does not fit the token")]
    Signature(String),
    #[error("the signer's certificate is not for timestamps alone: {0}")]
    Usage(&'static str),
    #[error("the certificate of {certificate} was valid from {} to {}, and the token is of {}",
        from.to_the_minute(), to.to_the_minute(), at.to_the_minute())]
    Expired {
        certificate: String,
        from: Timestamp,
        to: Timestamp,
        at: Timestamp,
    },
    #[error("no chain leads from {signer} to a root certificate that is trusted")]
    Unknown { signer: String },
    #[error("the chain to the root certificate does not hold: {why}")]
    Chain { why: String },
    #[error("the certificate of {0} was not signed by the issuer that stands beside it")]
    Spoiled(String),
    #[error("the file of certificates: {0}")]
    Pem(&'static str),
}

/// What was asked for, where the reader knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked<'a> {
    pub nonce: Option<u64>,
    /// An object identifier with dots.
    pub policy: Option<&'a str>,
}

/// The certificates that a chain may be made of, besides those in the token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Certificates<'a> {
    /// Roots that the reader trusts. If there are none, a self-signed one from the token or from `beside` will do, and
    /// the answer says so.
    pub trusted: &'a [Certificate],
    pub beside: &'a [Certificate],
}

/// A response that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub at: Timestamp,
    /// Hexadecimal.
    pub serial: String,
    /// The authority's policy, an object identifier with dots.
    pub policy: String,
    pub authority: String,
    /// SHA-256 of the root certificate.
    pub root_fingerprint: String,
    pub root_name: String,
    /// Whether nobody named this root as trusted.
    pub root_on_trust: bool,
    /// Signer, intermediates and root, each once.
    pub certificates_pem: String,
}

/// Writes a `TimeStampReq` that asks for a token with its certificates (RFC 3161, section 2.4.1).
pub fn request(
    stamped: &[u8],
    nonce: u64,
    policy: Option<&str>,
) -> Result<Vec<u8>, TimestampProblem> {
    let imprint = der::sequence(&[
        &der::algorithm(oid::SHA_256, true),
        &der::element(der::OCTET_STRING, &[&Sha256::digest(stamped)]),
    ]);
    let policy = match policy {
        None => Vec::new(),
        Some(text) => {
            let content =
                der::undotted(text).ok_or_else(|| TimestampProblem::PolicyForm(text.to_owned()))?;
            der::element(der::OID, &[&content])
        }
    };
    Ok(der::sequence(&[
        &der::unsigned(&[1]),
        &imprint,
        &policy,
        &der::unsigned(&nonce.to_be_bytes()),
        &der::element(der::BOOLEAN, &[&[0xFF]]),
    ]))
}

/// What a `TimeStampResp` says of its token: the serial number, hexadecimal, and the policy, with dots. Nothing is checked:
/// for showing what was checked before it was kept.
pub fn told(response: &[u8]) -> Option<(String, String)> {
    let token = Response::parse(response)?.token?;
    Some((hex(token.info.serial), der::dotted(token.info.policy)?))
}

/// Checks a `TimeStampResp` over these bytes.
pub fn check(
    response: &[u8],
    stamped: &[u8],
    asked: Asked<'_>,
    certificates: Certificates<'_>,
) -> Result<Stamp, TimestampProblem> {
    if response.len() > RESPONSE_AT_MOST {
        return Err(TimestampProblem::Large);
    }
    let response = Response::parse(response).ok_or(TimestampProblem::Form)?;
    let token = granted(&response)?;
    check_info(&token.info, stamped, asked)?;
    let mut others = token.certificates.clone();
    others.extend_from_slice(certificates.beside);
    others.extend_from_slice(certificates.trusted);
    let named = |certificate: &&Certificate| token.signer.name.fits(certificate);
    let signer = others
        .iter()
        .find(named)
        .ok_or(TimestampProblem::NoSigner)?;
    check_signature(token, signer)?;
    chain::check_usage(signer)?;
    let roots: Vec<Certificate> = if certificates.trusted.is_empty() {
        let selves = others.iter().filter(|other| other.is_self_signed());
        selves.cloned().collect()
    } else {
        certificates.trusted.to_vec()
    };
    let chain = chain::find(signer, &others, &roots, token.info.at)?;
    let in_use = chain.certificates.iter().chain(&token.certificates);
    for certificate in in_use {
        if certificate.is_spoiled(&others) {
            return Err(TimestampProblem::Spoiled(certificate.name()));
        }
    }
    stamp(token, &chain.certificates, certificates.trusted.is_empty())
}

/// The token of a response that granted one (RFC 3161, section 2.4.2: status 0 or 1).
fn granted<'a, 'b>(response: &'b Response<'a>) -> Result<&'b Token<'a>, TimestampProblem> {
    match (response.status, &response.token) {
        (0 | 1, Some(token)) => Ok(token),
        (0 | 1, None) => Err(TimestampProblem::Form),
        (status, _) => {
            let mut words = match status {
                2 => "rejected".to_owned(),
                3 => "it is waiting".to_owned(),
                4 | 5 => "its key is revoked".to_owned(),
                other => format!("status {other}"),
            };
            let reason = match response.failure {
                None => "",
                Some(0) => ", it does not know the hash",
                Some(2) => ", it does not do such requests",
                Some(5) => ", it could not read the request",
                Some(14) => ", its clock is not available",
                Some(15) => ", it does not know the policy",
                Some(16) => ", it does not know an extension",
                Some(17) => ", it does not give what was asked for besides",
                Some(25) => ", it has a failure of its own",
                Some(_) => ", for a reason that has no name here",
            };
            words.push_str(reason);
            if !response.words.is_empty() {
                words.push_str(&format!(" (\"{}\")", response.words));
            }
            Err(TimestampProblem::Rejected(words))
        }
    }
}

fn check_info(info: &Info<'_>, stamped: &[u8], asked: Asked<'_>) -> Result<(), TimestampProblem> {
    if Hash::parse(info.imprint_algorithm) != Some(Hash::Sha256) {
        return Err(TimestampProblem::ImprintAlgorithm);
    }
    if !is_same(&Sha256::digest(stamped), info.imprint) {
        return Err(TimestampProblem::Imprint);
    }
    if let Some(nonce) = asked.nonce {
        let ours = der::unsigned(&nonce.to_be_bytes());
        let ours = Reader::new(&ours)
            .any()
            .and_then(|integer| integer.magnitude());
        if ours != info.nonce {
            return Err(TimestampProblem::Nonce);
        }
    }
    if let Some(wanted) = asked.policy {
        let found = der::dotted(info.policy).ok_or(TimestampProblem::Form)?;
        if found != wanted {
            return Err(TimestampProblem::Policy {
                wanted: wanted.to_owned(),
                found,
            });
        }
    }
    Ok(())
}

fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// RFC 5652, section 5.4 and 5.6: the signature is over the signed attributes, and they name content and signer.
fn check_signature(token: &Token<'_>, by: &Certificate) -> Result<(), TimestampProblem> {
    let signer = &token.signer;
    let unknown = |content: &[u8]| {
        let kind = Reader::new(content).take(der::OID);
        let kind = kind.and_then(|oid| der::dotted(oid.content));
        TimestampProblem::Algorithm(kind.unwrap_or_else(|| "unreadable".to_owned()))
    };
    let hash = Hash::parse(signer.hash.content).ok_or_else(|| unknown(signer.hash.content))?;
    // RFC 5652, section 5.1: the hashes in use are named in front, any number of them; nothing signs that list.
    let mut named = token.hashes.iter();
    if !named.any(|one| Hash::parse(one.content) == Some(hash)) {
        return Err(TimestampProblem::Form);
    }
    let content_type = signer.attribute(oid::CONTENT_TYPE);
    if content_type.is_none_or(|kind| kind.tag != der::OID || kind.content != oid::TST_INFO) {
        return Err(TimestampProblem::Attribute("content-type"));
    }
    let digest = signer.attribute(oid::MESSAGE_DIGEST);
    if !digest.is_some_and(|digest| {
        digest.tag == der::OCTET_STRING && is_same(digest.content, &hash.of(token.content))
    }) {
        return Err(TimestampProblem::Attribute("message-digest"));
    }
    check_binding(signer, by)?;
    let algorithm = Algorithm::of_signer(signer.algorithm, hash)
        .filter(|algorithm| algorithm.check_for(&by.key_algorithm).is_some())
        .ok_or_else(|| unknown(signer.algorithm))?;
    if by.holds(algorithm, &signer.signed, signer.signature) {
        Ok(())
    } else {
        Err(TimestampProblem::Signature(by.name()))
    }
}

/// `signing-certificate` (RFC 2634, SHA-1) or its second version (RFC 5035) names the signer's certificate by its hash;
/// without it another certificate with the same key and serial could be slipped in.
fn check_binding(signer: &Signer<'_>, by: &Certificate) -> Result<(), TimestampProblem> {
    let wrong = TimestampProblem::Attribute("signing-certificate");
    let (old, new) = (
        signer.attribute(oid::SIGNING_CERTIFICATE),
        signer.attribute(oid::SIGNING_CERTIFICATE_V2),
    );
    if old.is_none() && new.is_none() {
        return Err(wrong);
    }
    let binds = |attribute: Option<der::Element<'_>>, second: bool| {
        attribute.is_none_or(|value| first_id(value, by, second).unwrap_or(false))
    };
    if binds(old, false) && binds(new, true) {
        Ok(())
    } else {
        Err(wrong)
    }
}

/// Whether the first `ESSCertID` or `ESSCertIDv2` of the attribute is this certificate's.
fn first_id(value: der::Element<'_>, by: &Certificate, second: bool) -> Option<bool> {
    let mut id = value
        .inside()
        .inside(der::SEQUENCE)?
        .inside(der::SEQUENCE)?;
    let expected = if second {
        let hash = match id.optional(der::SEQUENCE)? {
            Some(algorithm) => Hash::parse(algorithm.content)?,
            None => Hash::Sha256,
        };
        hash.of(by.der())
    } else {
        let hash = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, by.der());
        hash.as_ref().to_vec()
    };
    let fits = is_same(id.take(der::OCTET_STRING)?.content, &expected);
    let issuer_fits = match id.optional(der::SEQUENCE)? {
        None => true,
        Some(issuer) => {
            let mut parts = issuer.inside();
            let mut names = parts.inside(der::SEQUENCE)?;
            let name = names.take(der::context(4, true))?.content;
            name == by.issuer && parts.take(der::INTEGER)?.content == by.serial
        }
    };
    Some(fits && issuer_fits)
}

fn stamp(
    token: &Token<'_>,
    chain: &[Certificate],
    root_on_trust: bool,
) -> Result<Stamp, TimestampProblem> {
    let (Some(signer), Some(root)) = (chain.first(), chain.last()) else {
        return Err(TimestampProblem::NoSigner);
    };
    let named = token.info.authority.and_then(certificate::name_in);
    Ok(Stamp {
        at: token.info.at,
        serial: hex(token.info.serial),
        policy: der::dotted(token.info.policy).ok_or(TimestampProblem::Form)?,
        authority: certificate::name_in(&signer.subject)
            .or(named)
            .unwrap_or_else(|| signer.name()),
        root_fingerprint: root.fingerprint(),
        root_name: root.name(),
        root_on_trust,
        certificates_pem: chain.iter().map(Certificate::pem).collect(),
    })
}

#[cfg(test)]
mod tests;
