//! The envelope sender of a mail: an address that is made for this mail and tells whose it was, when it comes back (VERP). It
//! cannot be made without the key, so that a forged report changes nothing.
//!
//! `bounce+TOKEN@domain`: 35 bytes (key id 1, brand number 2, id 16, MAC 16) in base32 (RFC 4648, section 6) in lower case,
//! 56 characters: a local part of 63, where 64 are allowed, and it survives servers that change the case of letters. It has no
//! end: a mail comes back when it does. Providers that tell by webhook carry the token alone, in a field of the mail's head.

use hmac::Mac;
use uuid::Uuid;

use super::ids::{ContactId, RequestId};
use super::keys::{Keys, mac};

const SIGNED: usize = 19;
const WHOLE: usize = 35;
const LETTERS: usize = 56;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The beginning of the local part.
pub const BOUNCE: &str = "bounce+";

/// Whose mail came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Returned {
    /// One of a request: what a signup or a campaign caused.
    Request(RequestId),
    /// One of a contact.
    Contact(ContactId),
}

impl Returned {
    const fn context(self) -> &'static [u8] {
        match self {
            Self::Request(_) => b"bounce of request",
            Self::Contact(_) => b"bounce of contact",
        }
    }

    const fn id(self) -> Uuid {
        match self {
            Self::Request(id) => id.0,
            Self::Contact(id) => id.0,
        }
    }
}

impl Keys {
    /// The envelope sender of a mail, at a domain.
    pub fn return_path(&self, brand: u16, of: Returned, domain: &str) -> String {
        format!("{BOUNCE}{}@{domain}", self.mail_token(brand, of))
    }

    /// The token that tells whose a mail was: 56 letters and digits.
    pub fn mail_token(&self, brand: u16, of: Returned) -> String {
        let mut bytes = [0u8; WHOLE];
        bytes[0] = self.current_id();
        bytes[1..3].copy_from_slice(&brand.to_be_bytes());
        bytes[3..SIGNED].copy_from_slice(of.id().as_bytes());
        if let Some(key) = self.token_key(bytes[0]) {
            let tag = mac(key, &[of.context(), &bytes[..SIGNED]])
                .finalize()
                .into_bytes();
            bytes[SIGNED..].copy_from_slice(&tag[..WHOLE - SIGNED]);
        }
        encode(&bytes)
    }

    /// The brand's number and whose mail it was, if the address is one of ours. The domain is not looked at: what is under the
    /// MAC came from us.
    pub fn returned(&self, address: &str) -> Option<(u16, Returned)> {
        let (local, _) = address.split_once('@')?;
        let prefix = local.get(..BOUNCE.len())?;
        if !prefix.eq_ignore_ascii_case(BOUNCE) {
            return None;
        }
        self.of_mail(local.get(BOUNCE.len()..)?)
    }

    /// The brand's number and whose mail it was, if the token is one of ours.
    pub fn of_mail(&self, token: &str) -> Option<(u16, Returned)> {
        let bytes = decode(token)?;
        let key = self.token_key(bytes[0])?;
        let id = Uuid::from_slice(&bytes[3..SIGNED]).ok()?;
        let either = [
            Returned::Request(RequestId(id)),
            Returned::Contact(ContactId(id)),
        ];
        let of = either.into_iter().find(|of| {
            mac(key, &[of.context(), &bytes[..SIGNED]])
                .verify_truncated_left(&bytes[SIGNED..])
                .is_ok()
        })?;
        Some((u16::from_be_bytes([bytes[1], bytes[2]]), of))
    }
}

fn encode(bytes: &[u8; WHOLE]) -> String {
    // Five bytes are eight letters; 35 bytes leave no rest.
    let mut text = String::with_capacity(LETTERS);
    for part in bytes.chunks(5) {
        let number = part
            .iter()
            .fold(0u64, |all, byte| (all << 8) | u64::from(*byte));
        for letter in (0..8).rev() {
            let five = (number >> (5 * letter)) & 31;
            text.push(char::from(ALPHABET[five as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Option<[u8; WHOLE]> {
    if text.len() != LETTERS || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; WHOLE];
    for (part, letters) in bytes.chunks_mut(5).zip(text.as_bytes().chunks(8)) {
        let mut number = 0u64;
        for letter in letters {
            let letter = letter.to_ascii_lowercase();
            let five = ALPHABET.iter().position(|known| *known == letter)?;
            number = (number << 5) | five as u64;
        }
        part.copy_from_slice(&number.to_be_bytes()[3..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::derive(&[vec![byte; 32].into()]).unwrap()
    }

    const REQUEST: Returned = Returned::Request(RequestId(Uuid::from_u128(42)));

    #[test]
    fn a_return_path_says_what_was_signed_in_a_local_part_of_at_most_64_in_any_case() {
        let keys = keys(7);
        for of in [REQUEST, Returned::Contact(ContactId(Uuid::from_u128(42)))] {
            let address = keys.return_path(3, of, "bounces.example.org");
            assert!(address.split('@').next().unwrap().len() <= 64);
            assert_eq!(keys.returned(&address), Some((3, of)));
            assert_eq!(keys.returned(&address.to_uppercase()), Some((3, of)));
        }
    }

    #[test]
    fn every_change_of_a_letter_every_truncation_and_every_other_key_is_refused() {
        let keys = keys(7);
        let address = keys.return_path(3, REQUEST, "b.example");
        let at_sign = address.find('@').unwrap();
        for at in BOUNCE.len()..at_sign {
            let mut changed: Vec<u8> = address.bytes().collect();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(keys.returned(&changed), None, "{at}");
            let short = format!("{}{}", &address[..at], &address[at_sign..]);
            assert_eq!(keys.returned(&short), None);
        }
        assert_eq!(self::keys(8).returned(&address), None);
        for other in [
            "",
            "@",
            "bounce+@b.example",
            "bounce+ü@b.example",
            "somebody@b.example",
            "bounce",
        ] {
            assert_eq!(keys.returned(other), None, "{other}");
        }
    }
}
