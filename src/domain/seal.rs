//! Sealing: evidence that outlives an erasure is encrypted to a key whose other half lies in a safe.
//!
//! HPKE (RFC 9180) in its base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305; a sealed text is
//! the encapsulated key, 32 bytes, and the ciphertext.

use base64::{Engine, engine::general_purpose::STANDARD};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use secrecy::{ExposeSecret, SecretSlice};

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Binds a sealed text to this use (RFC 9180, section 8.1).
const INFO: &[u8] = b"countersign sealed evidence v1";
/// What a private key begins with where it is written down, so that nobody takes it for a public one.
const PRIVATE_PREFIX: &str = "countersign-seal-private-1:";
const ENCAPSULATED: usize = 32;

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealProblem {
    #[error("this is no public seal key; `countersign seal-key new` makes a pair")]
    PublicKey,
    #[error("there is no private seal key in it; it is the line that begins with {PRIVATE_PREFIX}")]
    PrivateKey,
    #[error("it could not be sealed")]
    Seal,
    #[error("this key does not open it, or it was changed")]
    Open,
}

/// The half that seals. Anybody may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealKey(PublicKey);

/// The half that opens.
pub struct OpeningKey(PrivateKey);

impl SealKey {
    /// Reads 32 bytes in base64.
    pub fn parse(text: &str) -> Result<Self, SealProblem> {
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|_| SealProblem::PublicKey)?;
        let key = PublicKey::from_bytes(&bytes).map_err(|_| SealProblem::PublicKey)?;
        // Tried out at once, with any other key: a point of small order gives everybody the same secret (RFC 7748, section
        // 6.1), and the library refuses it.
        let point = Encapsulated::from_bytes(&bytes).map_err(|_| SealProblem::PublicKey)?;
        let other = OpeningKey::derive(&[0; 32]).0;
        hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &other,
            &point,
            INFO,
        )
        .map_err(|_| SealProblem::PublicKey)?;
        Ok(Self(key))
    }

    pub fn text(&self) -> String {
        STANDARD.encode(self.0.to_bytes())
    }

    /// Encrypts. `about` is not hidden, and must be the same to open it.
    pub fn seal(
        &self,
        random: &mut impl CryptoRng,
        about: &[u8],
        text: &[u8],
    ) -> Result<Vec<u8>, SealProblem> {
        let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(
            &OpModeS::Base, &self.0, INFO, text, about, random
        )
        .map_err(|_| SealProblem::Seal)?;
        let mut sealed = encapsulated.to_bytes().to_vec();
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }
}

impl OpeningKey {
    /// Makes a key of 32 fresh random bytes (RFC 9180, section 7.1.3).
    pub fn derive(entropy: &[u8; 32]) -> Self {
        Self(X25519HkdfSha256::derive_keypair(entropy).0)
    }

    /// Finds the private key in the text of a file.
    pub fn find(text: &str) -> Result<Self, SealProblem> {
        let key = text
            .lines()
            .find_map(|line| line.split_once(PRIVATE_PREFIX))
            .ok_or(SealProblem::PrivateKey)?
            .1;
        let bytes: SecretSlice<u8> = STANDARD
            .decode(key.trim())
            .map_err(|_| SealProblem::PrivateKey)?
            .into();
        PrivateKey::from_bytes(bytes.expose_secret())
            .map(Self)
            .map_err(|_| SealProblem::PrivateKey)
    }

    /// For the safe.
    pub fn text(&self) -> String {
        format!("{PRIVATE_PREFIX}{}", STANDARD.encode(self.0.to_bytes()))
    }

    pub fn public(&self) -> SealKey {
        SealKey(X25519HkdfSha256::sk_to_pk(&self.0))
    }

    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealProblem> {
        let (encapsulated, ciphertext) = sealed
            .split_at_checked(ENCAPSULATED)
            .ok_or(SealProblem::Open)?;
        let encapsulated = Encapsulated::from_bytes(encapsulated).map_err(|_| SealProblem::Open)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            INFO,
            ciphertext,
            about,
        )
        .map_err(|_| SealProblem::Open)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn only_the_other_half_opens_what_was_sealed_and_only_as_it_was() {
        let key = OpeningKey::derive(&[7; 32]);
        let public = SealKey::parse(&key.public().text()).unwrap();
        let mut random = StdRng::seed_from_u64(1);
        let sealed = public
            .seal(&mut random, b"contact 1", b"what happened")
            .unwrap();
        assert!(!sealed.windows(4).any(|part| part == b"what"));
        let read = OpeningKey::find(&format!("# for the safe\nprivate: {}\n", key.text())).unwrap();
        assert_eq!(read.open(b"contact 1", &sealed).unwrap(), b"what happened");
        assert_eq!(read.open(b"contact 2", &sealed), Err(SealProblem::Open));
        let other = OpeningKey::derive(&[8; 32]);
        assert_eq!(other.open(b"contact 1", &sealed), Err(SealProblem::Open));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(
                read.open(b"contact 1", &changed),
                Err(SealProblem::Open),
                "{at}"
            );
        }
    }

    #[test]
    fn a_public_key_is_no_private_one_and_a_word_is_neither() {
        let key = OpeningKey::derive(&[7; 32]);
        assert!(OpeningKey::find(&key.public().text()).is_err());
        assert!(SealKey::parse(&key.text()).is_err());
        assert!(SealKey::parse("newsletter").is_err());
        for point in [0, 1] {
            let mut weak = [0; 32];
            weak[0] = point;
            let text = STANDARD.encode(weak);
            assert_eq!(
                SealKey::parse(&text),
                Err(SealProblem::PublicKey),
                "{point}"
            );
        }
    }
}
