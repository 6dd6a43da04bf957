//! Keys for each use, derived from one root secret, so that no two uses ever share a key.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// HMAC-SHA-256 (RFC 2104) over the parts, each with its length in front so that no two lists of parts collide.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> HmacSha256 {
    // A key shorter than the hash's block is filled up with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = HmacSha256::new(&block.into());
    for part in parts {
        mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        mac.update(part);
    }
    mac
}

/// What is derived from one root secret.
struct Derived {
    id: u8,
    token: [u8; 32],
    code: [u8; 32],
    mailbox: [u8; 32],
    challenge: [u8; 32],
    log: [u8; 32],
    booth: [u8; 32],
    totp: [u8; 32],
    webhook: [u8; 32],
    answer: [u8; 32],
    network: [u8; 32],
}

/// The newest root secret first, then earlier ones that still verify what they signed.
pub struct Keys {
    derived: Vec<Derived>,
    mailbox: [u8; 32],
    log: [u8; 32],
    network: [u8; 32],
}

/// Why the keys cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysProblem {
    #[error("a root secret must have 32 bytes or more")]
    TooShort,
    #[error("two root secrets have the same key id; generate a new one")]
    SameId,
    #[error("no root secret is given")]
    None,
}

impl Keys {
    /// Derives the keys. `roots` are the secrets, newest first, at least 32 bytes each.
    pub fn derive(roots: &[SecretSlice<u8>]) -> Result<Self, KeysProblem> {
        let mut derived: Vec<Derived> = Vec::with_capacity(roots.len());
        for root in roots {
            let root = root.expose_secret();
            if root.len() < 32 {
                return Err(KeysProblem::TooShort);
            }
            // HKDF-Extract (RFC 5869, section 2.2) makes one 32-byte key of a secret of any length.
            let mut extract = HmacSha256::new(&[0u8; 64].into());
            extract.update(root);
            let base: [u8; 32] = extract.finalize().into_bytes().into();
            let one = |purpose: &[u8]| -> [u8; 32] {
                mac(&base, &[b"countersign/1", purpose])
                    .finalize()
                    .into_bytes()
                    .into()
            };
            let id = one(b"key id")[0];
            if derived.iter().any(|other| other.id == id) {
                return Err(KeysProblem::SameId);
            }
            derived.push(Derived {
                id,
                token: one(b"token"),
                code: one(b"code"),
                mailbox: one(b"mailbox"),
                challenge: one(b"challenge"),
                log: one(b"log"),
                booth: one(b"booth"),
                totp: one(b"totp"),
                webhook: one(b"webhook"),
                answer: one(b"answer"),
                network: one(b"network"),
            });
        }
        let oldest = derived.last().ok_or(KeysProblem::None)?;
        let (mailbox, log, network) = (oldest.mailbox, oldest.log, oldest.network);
        Ok(Self {
            derived,
            mailbox,
            log,
            network,
        })
    }

    /// The id of the key that signs now.
    pub fn current_id(&self) -> u8 {
        self.derived[0].id
    }

    pub(super) fn token_key(&self, id: u8) -> Option<&[u8; 32]> {
        self.derived
            .iter()
            .find(|key| key.id == id)
            .map(|key| &key.token)
    }

    /// A mailbox is kept as a keyed hash, so that a budget or a suppression outlives the address itself.
    /// The key comes from the oldest secret given: it must not change when a new one is added in front.
    pub fn mailbox_hash(&self, brand: Uuid, mailbox: &str) -> [u8; 16] {
        let full: [u8; 32] = mac(&self.mailbox, &[brand.as_bytes(), mailbox.as_bytes()])
            .finalize()
            .into_bytes()
            .into();
        first_16(&full)
    }

    /// An erased address is kept as a keyed hash, under the key of mailboxes and for the same reason. Of the address that
    /// contacts are compared by, not of its mailbox: others of the same mailbox were not erased.
    pub fn address_hash(&self, brand: Uuid, address_key: &str) -> [u8; 16] {
        let parts: [&[u8]; 3] = [b"erased", brand.as_bytes(), address_key.as_bytes()];
        let full: [u8; 32] = mac(&self.mailbox, &parts).finalize().into_bytes().into();
        first_16(&full)
    }

    /// A network that opened links is kept as a keyed hash: whether it is the same one again is all that is asked.
    pub fn network_mark(&self, network: &str) -> String {
        let full: [u8; 32] = mac(&self.network, &[network.as_bytes()])
            .finalize()
            .into_bytes()
            .into();
        first_16(&full)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Which mailbox key is in use, to notice at start that an old secret is missing.
    pub fn mailbox_fingerprint(&self) -> String {
        let hash = Sha256::digest(self.mailbox);
        hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The six digits that stand in the mail of one request. They are derived, so nothing stored reveals them.
    pub fn code(&self, key_id: u8, request: Uuid) -> Option<String> {
        let key = self.derived.iter().find(|key| key.id == key_id)?;
        let full: [u8; 32] = mac(&key.code, &[request.as_bytes()])
            .finalize()
            .into_bytes()
            .into();
        let number = u64::from_be_bytes([
            full[0], full[1], full[2], full[3], full[4], full[5], full[6], full[7],
        ]);
        Some(format!("{:06}", number % 1_000_000))
    }

    /// The secret that a form's booth key comes from: entries that wait on tablets are sealed to it. `None` if no secret
    /// with this id is given any more.
    pub fn booth_secret(&self, key_id: u8, form: Uuid) -> Option<[u8; 32]> {
        let key = self.derived.iter().find(|key| key.id == key_id)?;
        Some(
            mac(&key.booth, &[form.as_bytes()])
                .finalize()
                .into_bytes()
                .into(),
        )
    }

    /// The secret of an operator's one-time codes (RFC 4226 asks for 160 bits). It is derived, so nothing stored reveals it.
    /// `None` if no root secret with this id is given any more.
    pub fn totp_secret(&self, key_id: u8, operator: Uuid, number: &[u8; 16]) -> Option<[u8; 20]> {
        let key = self.derived.iter().find(|key| key.id == key_id)?;
        let full: [u8; 32] = mac(&key.totp, &[operator.as_bytes(), number])
            .finalize()
            .into_bytes()
            .into();
        let mut first = [0; 20];
        first.copy_from_slice(&full[..20]);
        Some(first)
    }

    /// The secret that signs what a webhook is sent: of one webhook, and of one generation of it, so that it can be rotated. It is
    /// kept nowhere; none where the root secret that it was made from is not given any more.
    pub fn webhook_secret(&self, id: u8, webhook: Uuid, generation: i64) -> Option<[u8; 32]> {
        let key = self.derived.iter().find(|key| key.id == id)?;
        let parts: [&[u8]; 2] = [webhook.as_bytes(), &generation.to_be_bytes()];
        Some(mac(&key.webhook, &parts).finalize().into_bytes().into())
    }

    /// The keys that an answer may be sealed with which is kept for whoever brings this text again: the first one seals, those of
    /// older root secrets open what was kept before. Who has the database and the root secrets, but not the text, reads nothing.
    pub fn answer_keys(&self, brought: &str) -> impl Iterator<Item = [u8; 32]> {
        self.derived.iter().map(|key| {
            mac(&key.answer, &[brought.as_bytes()])
                .finalize()
                .into_bytes()
                .into()
        })
    }

    /// The secret half of the key that signs the log (Ed25519, RFC 8032). It comes from the oldest secret given, since a
    /// log has one key for its life.
    pub const fn log_secret(&self) -> &[u8; 32] {
        &self.log
    }

    /// The secret that signs proof-of-work challenges, as text for the library that wants text.
    pub fn challenge_secret(&self) -> String {
        self.derived[0]
            .challenge
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

fn first_16(full: &[u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&full[..16]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(byte: u8) -> SecretSlice<u8> {
        vec![byte; 32].into()
    }

    #[test]
    fn a_new_root_secret_in_front_keeps_mailbox_hashes_and_codes_of_the_old_one() {
        let old = Keys::derive(&[root(1)]).unwrap();
        let both = Keys::derive(&[root(2), root(1)]).unwrap();
        let id = Uuid::from_u128(7);
        assert_eq!(
            old.mailbox_hash(id, "a@example.org"),
            both.mailbox_hash(id, "a@example.org")
        );
        assert_eq!(
            old.code(old.current_id(), id),
            both.code(old.current_id(), id)
        );
        assert_ne!(old.current_id(), both.current_id());
    }

    #[test]
    fn entries_that_were_sealed_before_a_new_root_secret_can_still_be_opened() {
        let old = Keys::derive(&[root(1)]).unwrap();
        let both = Keys::derive(&[root(2), root(1)]).unwrap();
        let form = Uuid::from_u128(7);
        let secret = |keys: &Keys, id| keys.booth_secret(id, form);
        let id = old.current_id();
        assert_eq!(secret(&old, id), secret(&both, id));
        assert_ne!(secret(&both, id), secret(&both, both.current_id()));
        assert_ne!(secret(&old, id), old.booth_secret(id, Uuid::from_u128(8)));
        assert_eq!(secret(&old, both.current_id()), None);
    }

    #[test]
    fn every_webhook_and_generation_has_a_secret_of_its_own_that_outlives_a_new_root_secret() {
        let old = Keys::derive(&[root(1)]).unwrap();
        let both = Keys::derive(&[root(2), root(1)]).unwrap();
        let (id, hook) = (old.current_id(), Uuid::from_u128(7));
        let first = old.webhook_secret(id, hook, 1);
        assert_eq!(first, both.webhook_secret(id, hook, 1));
        assert_ne!(first, old.webhook_secret(id, hook, 2));
        assert_ne!(first, old.webhook_secret(id, Uuid::from_u128(8), 1));
        assert_ne!(first, both.webhook_secret(both.current_id(), hook, 1));
        assert_eq!(old.webhook_secret(both.current_id(), hook, 1), None);
    }

    #[test]
    fn a_short_or_missing_secret_is_refused() {
        assert_eq!(
            Keys::derive(&[vec![1; 31].into()]).err(),
            Some(KeysProblem::TooShort)
        );
        assert_eq!(Keys::derive(&[]).err(), Some(KeysProblem::None));
    }

    #[test]
    fn two_brands_never_share_a_mailbox_hash() {
        let keys = Keys::derive(&[root(1)]).unwrap();
        assert_ne!(
            keys.mailbox_hash(Uuid::from_u128(1), "a@example.org"),
            keys.mailbox_hash(Uuid::from_u128(2), "a@example.org")
        );
    }
}
