//! Signed links. A token says what it is for, whom it stands for and until when, and cannot be made without the key.
//!
//! Layout, 40 bytes: version (1), key id (1), brand number (2), expiry in Unix seconds (4), subject (16), MAC (16).
//! Written as base64url (RFC 4648, section 5) without padding and one closing letter, 55 characters: a token that ended
//! in `-` or `_` would be cut by the autolinkers of some mail programs.
//! The MAC is HMAC-SHA-256 truncated to 128 bits (RFC 2104, section 5) over the purpose and all bytes before it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;
use uuid::Uuid;

use super::keys::{HmacSha256, Keys, mac};
use super::time::Timestamp;

const VERSION: u8 = 1;
const SIGNED: usize = 24;
const WHOLE: usize = 40;
const CLOSING: char = 'c';

/// What a token may be used for. A token of one purpose never works for another: the purpose is under the MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The link in the mail.
    Confirm,
    /// The link "About this mail".
    About,
    /// The "check your inbox" page of the browser that signed up.
    Inbox,
    /// The cookie that the "check your inbox" page sets.
    Browser,
    /// When a page with a button was served.
    PageOpened,
    /// The cookie of a browser in which an operator has signed in before.
    Device,
    /// The link to leave, of a contact.
    Unsubscribe,
    /// The link to the preferences, of a contact, as it goes to the address by mail.
    Preferences,
    /// The same as programs are given it, for mails that they send. Whoever has it may be no more than a program: it leaves, and
    /// gives nothing.
    PreferencesHandedOut,
}

impl Purpose {
    const fn context(self) -> &'static [u8] {
        match self {
            Self::Confirm => b"confirm",
            Self::About => b"about",
            Self::Inbox => b"inbox",
            Self::Browser => b"browser",
            Self::PageOpened => b"page opened",
            Self::Device => b"device",
            Self::Unsubscribe => b"unsubscribe",
            Self::Preferences => b"preferences",
            Self::PreferencesHandedOut => b"preferences handed out",
        }
    }
}

/// What a token says. `brand` is the brand's number, which brings the database's partition key along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub brand: u16,
    pub subject: Uuid,
    /// Whole seconds; the token is good strictly before it.
    pub expires_at: Timestamp,
    pub key_id: u8,
}

/// Why a token does not work. Only the holder of a genuine one learns more than "does not work".
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Forged,
    /// Genuine, but its time is over.
    Expired(Token),
}

impl Keys {
    /// Signs with the current key. The expiry is cut to whole seconds and must lie before 2106.
    pub fn sign(
        &self,
        purpose: Purpose,
        brand: u16,
        subject: Uuid,
        expires_at: Timestamp,
    ) -> String {
        self.sign_about(purpose, "", brand, subject, expires_at)
    }

    /// The same of a token that is about one thing alone, whose name is under the MAC too and not in the token.
    pub fn sign_about(
        &self,
        purpose: Purpose,
        about: &str,
        brand: u16,
        subject: Uuid,
        expires_at: Timestamp,
    ) -> String {
        let key_id = self.current_id();
        let mut bytes = [0u8; WHOLE];
        bytes[0] = VERSION;
        bytes[1] = key_id;
        bytes[2..4].copy_from_slice(&brand.to_be_bytes());
        let seconds = u32::try_from(expires_at.unix_seconds().max(0)).unwrap_or(u32::MAX);
        bytes[4..8].copy_from_slice(&seconds.to_be_bytes());
        bytes[8..24].copy_from_slice(subject.as_bytes());
        if let Some(key) = self.token_key(key_id) {
            let tag = signed(key, purpose, about, &bytes).finalize().into_bytes();
            bytes[SIGNED..].copy_from_slice(&tag[..WHOLE - SIGNED]);
        }
        let mut text = URL_SAFE_NO_PAD.encode(bytes);
        text.push(CLOSING);
        text
    }

    /// Verifies in constant time, before any database work. `purpose` must be the one it was signed for.
    pub fn verify(&self, purpose: Purpose, text: &str, now: Timestamp) -> Result<Token, Refused> {
        self.verify_about(purpose, "", text, now)
    }

    /// The same of a token that is about one thing alone: about another it is forged.
    pub fn verify_about(
        &self,
        purpose: Purpose,
        about: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<Token, Refused> {
        let body = text.strip_suffix(CLOSING).ok_or(Refused::Forged)?;
        // A length check first: nothing long is decoded.
        if body.len() != 54 {
            return Err(Refused::Forged);
        }
        let bytes: [u8; WHOLE] = URL_SAFE_NO_PAD
            .decode(body)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(Refused::Forged)?;
        if bytes[0] != VERSION {
            return Err(Refused::Forged);
        }
        let key = self.token_key(bytes[1]).ok_or(Refused::Forged)?;
        signed(key, purpose, about, &bytes)
            .verify_truncated_left(&bytes[SIGNED..])
            .map_err(|_| Refused::Forged)?;
        let seconds = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        let mut subject = [0; 16];
        subject.copy_from_slice(&bytes[8..24]);
        let token = Token {
            brand: u16::from_be_bytes([bytes[2], bytes[3]]),
            subject: Uuid::from_bytes(subject),
            expires_at: Timestamp::from_micros(i64::from(seconds) * 1_000_000),
            key_id: bytes[1],
        };
        if now >= token.expires_at {
            return Err(Refused::Expired(token));
        }
        Ok(token)
    }
}

/// Puts a mark in the place of whatever in a text is written like a token, genuine or not; answers with their subjects too.
pub fn veil(text: &str, mark: &str) -> (String, Vec<Uuid>) {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let (mut clean, mut subjects) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some(start) = rest.find(is_of_token) {
        let (before, behind) = rest.split_at(start);
        let end = behind.find(|c| !is_of_token(c)).unwrap_or(behind.len());
        let (run, after) = behind.split_at(end);
        clean.push_str(before);
        match subject_of(run) {
            Some(subject) => {
                clean.push_str(mark);
                subjects.push(subject);
            }
            None => clean.push_str(run),
        }
        rest = after;
    }
    clean.push_str(rest);
    (clean, subjects)
}

/// Whom something that is written like a token stands for.
fn subject_of(text: &str) -> Option<Uuid> {
    let bytes: [u8; WHOLE] = URL_SAFE_NO_PAD
        .decode(text.strip_suffix(CLOSING).filter(|body| body.len() == 54)?)
        .ok()?
        .try_into()
        .ok()?;
    (bytes[0] == VERSION).then(|| Uuid::from_slice(&bytes[8..24]).ok())?
}

fn signed(key: &[u8; 32], purpose: Purpose, about: &str, bytes: &[u8; WHOLE]) -> HmacSha256 {
    let (context, bytes) = (purpose.context(), &bytes[..SIGNED]);
    match about {
        "" => mac(key, &[context, bytes]),
        about => mac(key, &[context, about.as_bytes(), bytes]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

    fn keys() -> Keys {
        Keys::derive(&[vec![7; 32].into()]).unwrap()
    }

    fn sample(keys: &Keys) -> String {
        keys.sign(
            Purpose::Confirm,
            3,
            Uuid::from_u128(42),
            NOW.plus(std::time::Duration::from_secs(60)),
        )
    }

    #[test]
    fn a_token_says_what_was_signed_and_fits_in_64_url_characters() {
        let keys = keys();
        let text = sample(&keys);
        assert!(text.len() <= 64);
        assert!(text.ends_with('c'));
        let token = keys.verify(Purpose::Confirm, &text, NOW).unwrap();
        assert_eq!((token.brand, token.subject), (3, Uuid::from_u128(42)));
    }

    #[test]
    fn a_veil_covers_every_token_of_a_text_and_nothing_else() {
        let keys = keys();
        let token = sample(&keys);
        let about = keys.sign_about(Purpose::Unsubscribe, "news", 3, Uuid::from_u128(43), NOW);
        let text = format!(
            "é <a href=\"https://c.example/c/{token}/decline\">Press</a> or /u/{about}, not {about}x"
        );
        let (veiled, subjects) = veil(&text, "HIDDEN");
        assert_eq!(
            veiled,
            format!(
                "é <a href=\"https://c.example/c/HIDDEN/decline\">Press</a> or /u/HIDDEN, not {about}x"
            )
        );
        assert_eq!(subjects, [Uuid::from_u128(42), Uuid::from_u128(43)]);
    }

    #[test]
    fn every_change_of_one_character_and_every_truncation_is_refused() {
        let keys = keys();
        let text = sample(&keys);
        for at in 0..text.len() {
            assert_eq!(
                keys.verify(Purpose::Confirm, &text[..at], NOW),
                Err(Refused::Forged)
            );
            for other in "AQgwZz09-_c".chars() {
                let mut changed: Vec<char> = text.chars().collect();
                if changed[at] == other {
                    continue;
                }
                changed[at] = other;
                let changed: String = changed.into_iter().collect();
                assert_eq!(
                    keys.verify(Purpose::Confirm, &changed, NOW),
                    Err(Refused::Forged)
                );
            }
        }
    }

    #[test]
    fn every_change_of_one_bit_is_refused() {
        let keys = keys();
        let text = sample(&keys);
        let bytes = URL_SAFE_NO_PAD.decode(&text[..54]).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = format!("{}c", URL_SAFE_NO_PAD.encode(changed));
            assert_eq!(
                keys.verify(Purpose::Confirm, &changed, NOW),
                Err(Refused::Forged)
            );
        }
    }

    #[test]
    fn a_token_of_one_purpose_never_works_for_another() {
        let keys = keys();
        let text = sample(&keys);
        for purpose in [
            Purpose::About,
            Purpose::Inbox,
            Purpose::Browser,
            Purpose::PageOpened,
            Purpose::Unsubscribe,
            Purpose::Preferences,
            Purpose::PreferencesHandedOut,
        ] {
            assert_eq!(keys.verify(purpose, &text, NOW), Err(Refused::Forged));
        }
    }

    #[test]
    fn a_link_to_the_preferences_that_a_program_was_given_is_none_that_was_mailed_and_as_short() {
        let keys = keys();
        let later = NOW.plus(std::time::Duration::from_secs(60));
        let of = |purpose| keys.sign(purpose, 3, Uuid::from_u128(42), later);
        let mailed = of(Purpose::Preferences);
        let handed_out = of(Purpose::PreferencesHandedOut);
        assert!(handed_out.len() <= 64);
        for (purpose, text) in [
            (Purpose::PreferencesHandedOut, &mailed),
            (Purpose::Preferences, &handed_out),
        ] {
            assert_eq!(keys.verify(purpose, text, NOW), Err(Refused::Forged));
        }
        assert!(keys.verify(Purpose::Preferences, &mailed, NOW).is_ok());
        let found = keys.verify(Purpose::PreferencesHandedOut, &handed_out, NOW);
        assert!(found.is_ok());
    }

    #[test]
    fn a_token_about_one_thing_works_for_no_other_and_not_for_all() {
        let keys = keys();
        let later = NOW.plus(std::time::Duration::from_secs(60));
        let id = Uuid::from_u128(42);
        let one = keys.sign_about(Purpose::Unsubscribe, "newsletter", 3, id, later);
        let all = keys.sign(Purpose::Unsubscribe, 3, id, later);
        let verify = |about, text: &str| keys.verify_about(Purpose::Unsubscribe, about, text, NOW);
        assert!(verify("newsletter", &one).is_ok());
        assert!(verify("", &all).is_ok());
        for (about, text) in [("", &one), ("events", &one), ("newsletter", &all)] {
            assert_eq!(verify(about, text), Err(Refused::Forged), "{about}");
        }
    }

    #[test]
    fn a_token_ends_at_its_expiry_and_says_so_only_when_genuine() {
        let keys = keys();
        let text = sample(&keys);
        let later = NOW.plus(std::time::Duration::from_secs(60));
        assert!(matches!(
            keys.verify(Purpose::Confirm, &text, later),
            Err(Refused::Expired(_))
        ));
        assert_eq!(
            keys.verify(Purpose::About, &text, later),
            Err(Refused::Forged)
        );
    }

    #[test]
    fn a_token_of_the_previous_secret_works_until_that_secret_is_taken_away() {
        let text = sample(&keys());
        let rotated = Keys::derive(&[vec![8; 32].into(), vec![7; 32].into()]).unwrap();
        assert!(rotated.verify(Purpose::Confirm, &text, NOW).is_ok());
        let gone = Keys::derive(&[vec![8; 32].into()]).unwrap();
        assert_eq!(
            gone.verify(Purpose::Confirm, &text, NOW),
            Err(Refused::Forged)
        );
    }
}
