//! The booth: people sign for themselves on a tablet. What cannot be sent at once waits there, sealed to the server.
//!
//! HPKE (RFC 9180) in its base mode, with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM: what every browser's
//! WebCrypto has. The tablet makes a key pair for each entry and forgets its private half, so it cannot read what waits.
//! A sealed entry is the encapsulated key, 65 bytes, and the ciphertext.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, Serializable};
use serde::Deserialize;
use uuid::Uuid;

use super::time::Timestamp;

type PrivateKey = <DhP256HkdfSha256 as Kem>::PrivateKey;
type Encapsulated = <DhP256HkdfSha256 as Kem>::EncappedKey;

/// Binds a sealed entry to this use (RFC 9180, section 8.1); `kiosk.js` says the same.
const INFO: &[u8] = b"countersign booth entry v1";
const ENCAPSULATED: usize = 65;
/// Bytes of a sealed entry; one has some 600.
const SEALED_AT_MOST: usize = 4_096;

/// A tablet's clock may be ahead by so much,
pub const AHEAD_AT_MOST: Duration = Duration::from_secs(600);
/// and an entry may have waited for so long.
pub const WAITS_AT_MOST: Duration = Duration::from_secs(30 * 86_400);
/// The numbers of recorded entries are kept for longer than any entry may wait, so that none is ever recorded twice.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(40 * 86_400);

/// What a signup at a booth says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtBooth {
    /// The number that the tablet gave the entry, so that sending it twice records it once. None where scripts are off.
    pub entry: Option<Uuid>,
    /// When it was entered, by the tablet's clock, put right where that was wrong: a claim. None where it was sent at once, or nobody
    /// can tell.
    pub entered_at: Option<Timestamp>,
    /// What the tablet's clock said, where it was wrong.
    pub clock_said: Option<Timestamp>,
}

/// The half of a form's key that opens entries.
pub struct BoothKey(PrivateKey);

impl BoothKey {
    /// From a secret of the form's own (RFC 9180, section 7.1.3).
    pub fn derive(secret: &[u8; 32]) -> Self {
        Self(DhP256HkdfSha256::derive_keypair(secret).0)
    }

    /// The half that seals, as an uncompressed point in base64url.
    pub fn public_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(DhP256HkdfSha256::sk_to_pk(&self.0).to_bytes())
    }

    fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(ENCAPSULATED)?;
        let encapsulated = Encapsulated::from_bytes(encapsulated).ok()?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            INFO,
            ciphertext,
            about,
        )
        .ok()
    }
}

/// An entry as it waited: its number, the id of the key that it is sealed to, and what nobody but us can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub id: Uuid,
    pub key_id: u8,
    sealed: Vec<u8>,
}

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Content {
    pub email: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub purposes: Vec<String>,
    #[serde(default)]
    pub lang: String,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub page: Option<String>,
    #[serde(default)]
    pub fields: Vec<String>,
    /// The field that people do not see was filled in.
    #[serde(default)]
    pub bot: bool,
    /// By the tablet's clock.
    pub entered_at: String,
    /// The server's time as the tablet had last heard of it.
    #[serde(default)]
    pub after: Option<String>,
}

impl Waiting {
    /// Reads `NUMBER.KEY.SEALED`: a UUID, the key's id in decimal, base64url.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > SEALED_AT_MOST * 4 / 3 + 64 {
            return None;
        }
        let (id, rest) = text.split_once('.')?;
        let (key_id, sealed) = rest.split_once('.')?;
        Some(Self {
            id: Uuid::try_parse(id).ok()?,
            key_id: key_id.parse().ok()?,
            sealed: URL_SAFE_NO_PAD.decode(sealed).ok()?,
        })
    }

    /// Opens it. It is bound to its form and its number, so that none passes for another.
    pub fn open(&self, key: &BoothKey, form: &str) -> Option<Content> {
        let about = format!("{form} {}", self.id);
        let text = key.open(about.as_bytes(), &self.sealed)?;
        // Spaces at its end hide how long an address is.
        serde_json::from_slice(&text).ok()
    }
}

/// Why a claimed time is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untimely {
    Late,
    Early,
}

/// What a tablet's clock says of an entry that waited.
#[derive(Clone, Copy, Debug)]
pub struct TabletClock {
    pub entered_at: Timestamp,
    /// As it was sent. Pages of earlier versions do not say.
    pub sent_at: Option<Timestamp>,
    /// The server's time that the tablet knew of as it was entered.
    pub after: Option<Timestamp>,
}

impl TabletClock {
    /// When it was entered, and what the clock said where it was wrong. A clock that is off as the entry is sent is put right by how
    /// far it is off; one that was set right meanwhile leaves the time unknown.
    pub fn read(self, now: Timestamp) -> Result<(Option<Timestamp>, Option<Timestamp>), Untimely> {
        let said = self.entered_at;
        let off = self
            .sent_at
            .filter(|sent| now.since(*sent) > AHEAD_AT_MOST || sent.since(now) > AHEAD_AT_MOST);
        let entered_at = match off {
            None => said,
            Some(sent) if sent < now => said.plus(now.since(sent)),
            Some(sent) => said.minus(sent.since(now)),
        };
        match claimed(entered_at, now) {
            Ok(at) => Ok((Some(at), off.map(|_| said))),
            // Nobody enters anything before a time that the tablet knew, or after it was sent.
            Err(Untimely::Late)
                if self
                    .after
                    .is_some_and(|after| said < after && claimed(after, now).is_ok()) =>
            {
                Ok((None, Some(said)))
            }
            Err(Untimely::Early) if self.sent_at.is_some() => Ok((None, Some(said))),
            Err(untimely) => Err(untimely),
        }
    }
}

/// A tablet's claim of when somebody entered something, within what can be true.
fn claimed(entered_at: Timestamp, now: Timestamp) -> Result<Timestamp, Untimely> {
    if entered_at > now.plus(AHEAD_AT_MOST) {
        return Err(Untimely::Early);
    }
    if entered_at < now.minus(WAITS_AT_MOST) {
        return Err(Untimely::Late);
    }
    Ok(entered_at)
}

#[cfg(test)]
mod tests {
    use hpke::OpModeS;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn sealed(key: &BoothKey, about: &str, text: &str) -> Vec<u8> {
        let public = DhP256HkdfSha256::sk_to_pk(&key.0);
        let mut random = StdRng::seed_from_u64(1);
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
                &OpModeS::Base,
                &public,
                INFO,
                text.as_bytes(),
                about.as_bytes(),
                &mut random,
            )
            .unwrap();
        [encapsulated.to_bytes().to_vec(), ciphertext].concat()
    }

    #[test]
    fn an_entry_opens_for_its_form_and_number_only_and_only_as_it_was() {
        let key = BoothKey::derive(&[7; 32]);
        let text = r#"{"email":"anna@example.org","entered_at":"2026-11-24T10:00:00Z"}   "#;
        let sealed = sealed(&key, &format!("news {ID}"), text);
        let waiting = |id: Uuid, sealed: &[u8]| {
            let text = format!("{id}.3.{}", URL_SAFE_NO_PAD.encode(sealed));
            Waiting::parse(&text).unwrap()
        };
        let content = waiting(ID, &sealed).open(&key, "news").unwrap();
        assert_eq!(content.email, "anna@example.org");
        assert_eq!(waiting(ID, &sealed).open(&key, "other"), None);
        let other = Uuid::from_u128(8);
        assert_eq!(waiting(other, &sealed).open(&key, "news"), None);
        let wrong = BoothKey::derive(&[8; 32]);
        assert_eq!(waiting(ID, &sealed).open(&wrong, "news"), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(waiting(ID, &changed).open(&key, "news"), None, "{at}");
        }
        for length in 0..ENCAPSULATED + 1 {
            assert_eq!(waiting(ID, &sealed[..length]).open(&key, "news"), None);
        }
    }

    #[test]
    fn what_is_no_entry_is_none_and_what_is_too_long_is_not_decoded() {
        let long = format!("{ID}.3.{}", "A".repeat(6_000));
        for text in [
            "",
            "x",
            "x.3.AAAA",
            &format!("{ID}.300.AAAA"),
            &format!("{ID}.3.!"),
            &long,
        ] {
            assert_eq!(Waiting::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_tablets_clock_is_put_right_by_how_far_it_is_off_and_what_it_cannot_have_said_rightly_is_not_believed()
     {
        let now = Timestamp::from_micros(1_795_455_245_000_000);
        let hour = Duration::from_secs(3_600);
        let year = hour * 24 * 365;
        let wrong = now.minus(year * 11);
        let read = |entered_at, sent_at, after| {
            let clock = TabletClock {
                entered_at,
                sent_at,
                after,
            };
            clock.read(now)
        };
        let before = now.minus(hour);
        assert_eq!(read(before, Some(now), None), Ok((Some(before), None)));
        // Off as it is sent: by eleven years, and ahead by one.
        let put_right = Ok((Some(before), Some(wrong.minus(hour))));
        assert_eq!(read(wrong.minus(hour), Some(wrong), None), put_right);
        let ahead = now.plus(year);
        let put_right = Ok((Some(before), Some(ahead.minus(hour))));
        assert_eq!(read(ahead.minus(hour), Some(ahead), None), put_right);
        // Set right before it was sent.
        assert_eq!(
            read(wrong, Some(now), Some(now.minus(hour * 30))),
            Ok((None, Some(wrong)))
        );
        assert_eq!(read(ahead, Some(now), None), Ok((None, Some(ahead))));
        // It may be true, or nobody can tell.
        let old = now.minus(hour * 24 * 31);
        assert_eq!(
            read(old, Some(now), Some(old.minus(hour))),
            Err(Untimely::Late)
        );
        assert_eq!(read(wrong, Some(now), Some(old)), Err(Untimely::Late));
        assert_eq!(read(wrong, None, None), Err(Untimely::Late));
        assert_eq!(read(ahead, None, None), Err(Untimely::Early));
    }

    #[test]
    fn a_claimed_time_lies_within_thirty_days_before_and_ten_minutes_after_now() {
        let now = Timestamp::from_micros(1_795_455_245_000_000);
        let second = Duration::from_secs(1);
        for (at, told) in [
            (now.plus(AHEAD_AT_MOST), None),
            (now.plus(AHEAD_AT_MOST + second), Some(Untimely::Early)),
            (now.minus(WAITS_AT_MOST), None),
            (now.minus(WAITS_AT_MOST + second), Some(Untimely::Late)),
        ] {
            assert_eq!(claimed(at, now).err(), told);
        }
    }
}
