//! Signatures of tokens and certificates: RSA (PKCS#1 v1.5 and PSS), and ECDSA on P-256 and P-384, each with
//! SHA-256, SHA-384 or SHA-512. ring checks all of them but ECDSA with SHA-512, which it does not know.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use webpki::ring as by_ring;

use super::der::{self, Reader};
use super::oid;

/// What may stand in a chain; webpki picks by key and signature.
pub static KNOWN: &[&dyn SignatureVerificationAlgorithm] = &[
    by_ring::RSA_PKCS1_2048_8192_SHA256,
    by_ring::RSA_PKCS1_2048_8192_SHA384,
    by_ring::RSA_PKCS1_2048_8192_SHA512,
    by_ring::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    by_ring::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    by_ring::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    by_ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    by_ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    by_ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    by_ring::ECDSA_P256_SHA256,
    by_ring::ECDSA_P256_SHA384,
    by_ring::ECDSA_P384_SHA256,
    by_ring::ECDSA_P384_SHA384,
    &EcdsaSha512(Curve::P256),
    &EcdsaSha512(Curve::P384),
];

#[derive(Clone, Copy, Debug)]
enum Curve {
    P256,
    P384,
}

/// ECDSA over a SHA-512 hash (RFC 5758, section 3.2), of which the curve takes the leftmost bits.
#[derive(Debug)]
struct EcdsaSha512(Curve);

impl SignatureVerificationAlgorithm for EcdsaSha512 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let hash = Sha512::digest(message);
        let holds = match self.0 {
            Curve::P256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(public_key);
                let signature = p256::ecdsa::Signature::from_der(signature);
                key.and_then(|key| key.verify_prehash(&hash, &signature?))
            }
            Curve::P384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(public_key);
                let signature = p384::ecdsa::Signature::from_der(signature);
                key.and_then(|key| key.verify_prehash(&hash, &signature?))
            }
        };
        holds.map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.0 {
            Curve::P256 => alg_id::ECDSA_P256,
            Curve::P384 => alg_id::ECDSA_P384,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

/// The hashes that are strong enough to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Reads the content of an `AlgorithmIdentifier`; its parameters are NULL or left out (RFC 5754, section 2).
    pub fn parse(algorithm: &[u8]) -> Option<Self> {
        let mut parts = Reader::new(algorithm);
        let hash = match parts.take(der::OID)?.content {
            oid::SHA_256 => Self::Sha256,
            oid::SHA_384 => Self::Sha384,
            oid::SHA_512 => Self::Sha512,
            _ => return None,
        };
        let parameters = parts.optional(der::NULL)?;
        parts.end()?;
        parameters
            .is_none_or(|null| null.content.is_empty())
            .then_some(hash)
    }

    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// A signature's `AlgorithmIdentifier`, its content in the form that the checks above are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithm(Vec<u8>);

impl Algorithm {
    pub fn of_certificate(content: &[u8]) -> Option<Self> {
        let mut parts = Reader::new(content);
        let kind = parts.take(der::OID)?.content;
        let is_rsa = [
            oid::SHA_256_WITH_RSA,
            oid::SHA_384_WITH_RSA,
            oid::SHA_512_WITH_RSA,
        ]
        .contains(&kind);
        // RFC 4055, section 5: NULL must stand there, and must be forgiven where it does not.
        if is_rsa && parts.is_at_end() {
            let mut with_null = content.to_vec();
            with_null.extend_from_slice(&[der::NULL, 0]);
            return Some(Self(with_null));
        }
        Some(Self(content.to_vec()))
    }

    /// A signer may name RSA alone and leave the hash to the field beside it (RFC 5754, section 3.2).
    pub fn of_signer(content: &[u8], hash: Hash) -> Option<Self> {
        let mut parts = Reader::new(content);
        if parts.take(der::OID)?.content != oid::RSA_ENCRYPTION {
            return Self::of_certificate(content);
        }
        let is_plain = parts
            .optional(der::NULL)?
            .is_none_or(|null| null.content.is_empty());
        parts.end()?;
        let identifier = match hash {
            Hash::Sha256 => alg_id::RSA_PKCS1_SHA256,
            Hash::Sha384 => alg_id::RSA_PKCS1_SHA384,
            Hash::Sha512 => alg_id::RSA_PKCS1_SHA512,
        };
        is_plain.then(|| Self(identifier.to_vec()))
    }

    /// Whether this kind of signature by this kind of key can be checked here.
    pub fn check_for(&self, key: &[u8]) -> Option<&'static dyn SignatureVerificationAlgorithm> {
        KNOWN.iter().copied().find(|known| {
            *known.public_key_alg_id() == *key && *known.signature_alg_id() == *self.0
        })
    }
}

/// Whether the key made this signature over the message.
pub fn holds(
    key_algorithm: &[u8],
    public_key: &[u8],
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    algorithm.check_for(key_algorithm).is_some_and(|check| {
        check
            .verify_signature(public_key, message, signature)
            .is_ok()
    })
}
