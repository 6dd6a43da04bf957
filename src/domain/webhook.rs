//! Webhooks as Standard Webhooks has them (version 1.0.0): the signature, and when a message is tried again.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::time::Timestamp;

/// A message is tried for so long. A receiver that fails for so long is not tried any more until an operator says so.
pub const TRIED_FOR: Duration = Duration::from_secs(72 * 3_600);
/// The secret before a rotation signs beside the new one for so long.
pub const OLD_SECRET_FOR: Duration = Duration::from_secs(24 * 3_600);
/// After so many failures in a row a receiver is asked with one message at a time, until one goes through.
pub const IN_TROUBLE: i64 = 3;

/// Seconds to the next try, after the first, the second … failure; the last holds for all that come.
const PAUSES: [u64; 9] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800];
/// A receiver in trouble is asked again after so many seconds at most: what waits for it is not the message's fault.
const PROBE_AT_MOST: u64 = 300;

/// The secret as the receiver is given it.
pub fn written(secret: &[u8; 32]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

/// The header `webhook-signature`: one signature for each secret, the newest first.
pub fn signatures(secrets: &[[u8; 32]], id: &str, at: Timestamp, body: &str) -> String {
    let signed = format!("{id}.{}.{body}", at.unix_seconds());
    let one = |secret: &[u8; 32]| {
        // Filled up with zeros to the hash's block, as HMAC does with any shorter key (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..32].copy_from_slice(secret);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(signed.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// How long a message waits after so many tries of its own. `chance` in 0..=1000 moves it by up to a fifth, so that not
/// everything comes at once.
pub fn pause_of_message(tries: i64, chance: u64) -> Duration {
    let at = usize::try_from(tries.max(1) - 1).unwrap_or(0);
    jittered(PAUSES[at.min(PAUSES.len() - 1)], chance)
}

/// How long a receiver is left alone after so many failures in a row.
pub fn pause_of_receiver(failures: i64, chance: u64) -> Duration {
    let at = usize::try_from(failures.max(1) - 1).unwrap_or(0);
    jittered(PAUSES[at.min(PAUSES.len() - 1)].min(PROBE_AT_MOST), chance)
}

fn jittered(seconds: u64, chance: u64) -> Duration {
    let share = 800 + chance.min(1_000) * 400 / 1_000;
    Duration::from_millis(seconds * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_example_in_the_specification() {
        let mut secret = [0; 32];
        let given = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        secret[..given.len()].copy_from_slice(&given);
        let at = Timestamp::from_micros(1_614_265_330_000_000);
        let signed = signatures(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_is_rotated_there_are_two_signatures() {
        let at = Timestamp::from_micros(0);
        let both = signatures(&[[1; 32], [2; 32]], "a", at, "b");
        let (new, old) = both.split_once(' ').unwrap();
        assert_eq!(new, signatures(&[[1; 32]], "a", at, "b"));
        assert_eq!(old, signatures(&[[2; 32]], "a", at, "b"));
    }

    #[test]
    fn pauses_grow_to_eight_hours_and_chance_moves_them_by_a_fifth() {
        assert_eq!(pause_of_message(1, 500), Duration::from_secs(5));
        assert_eq!(pause_of_message(1, 0), Duration::from_secs(4));
        assert_eq!(pause_of_message(1, 1_000), Duration::from_secs(6));
        assert_eq!(pause_of_message(99, 500), Duration::from_secs(8 * 3_600));
        assert_eq!(pause_of_receiver(99, 500), Duration::from_secs(300));
    }
}
