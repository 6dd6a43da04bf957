//! What the log holds of an event: a commitment that tells nothing of it and fits no other.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Each event has its own; once it is gone, nobody can tell what the commitment was made of.
pub type Salt = [u8; 32];

/// `HMAC-SHA-256(key = salt, message = the event's canonical JSON)` (RFC 2104, RFC 8785).
pub fn commitment(salt: &Salt, canonical: &[u8]) -> [u8; 32] {
    // A key shorter than the hash's block is filled up with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block[..32].copy_from_slice(salt);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(canonical);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_is_hmac_sha_256_as_in_rfc_4231_test_case_2_with_the_key_filled_up() {
        // Key "Jefe", data "what do ya want for nothing?"; zeros at the key's end change nothing.
        let mut salt = [0; 32];
        salt[..4].copy_from_slice(b"Jefe");
        let hex: String = commitment(&salt, b"what do ya want for nothing?")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
