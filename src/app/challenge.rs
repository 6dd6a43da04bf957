//! Proof of work (ALTCHA, protocol version 2): challenges are signed, expire, and count once.

use std::collections::BTreeMap;
use std::time::Duration;

use altcha::{
    Challenge, CreateChallengeOptions, Payload, VerifySolutionOptions, create_challenge,
    verify_solution,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::App;
use crate::store::{StoreError, budgets};

/// Iterations of PBKDF2 per try. With one byte to match, about 256 tries: a second or two on a phone.
const COST: u32 = 2_000;
/// The name of the end among a challenge's data, in Unix seconds.
const UNTIL: &str = "until";
const VALID_FOR: Duration = Duration::from_secs(20 * 60);
/// A payload is a few hundred bytes; nothing longer is decoded.
const PAYLOAD_AT_MOST: usize = 4_096;

impl App {
    /// A fresh challenge for one form.
    pub fn challenge(&self) -> Option<Challenge> {
        let expires = self.clock.now().plus(VALID_FOR);
        create_challenge(CreateChallengeOptions {
            algorithm: "PBKDF2/SHA-256".to_owned(),
            cost: COST,
            key_prefix: "00".to_owned(),
            // Our own clock decides about the end, so it stands among the signed data and not in the library's field.
            data: Some(BTreeMap::from([(
                UNTIL.to_owned(),
                expires.unix_seconds().into(),
            )])),
            hmac_signature_secret: Some(self.keys.challenge_secret()),
            ..Default::default()
        })
        .ok()
    }

    /// Whether a solution is right, in time and unused. A right one is spent by asking; looking at a wrong one costs no more than asking for
    /// a challenge.
    pub async fn solved(&self, payload: &str) -> Result<bool, StoreError> {
        if payload.len() > PAYLOAD_AT_MOST {
            return Ok(false);
        }
        let Some(payload) = STANDARD
            .decode(payload)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Payload>(&bytes).ok())
        else {
            return Ok(false);
        };
        // Whoever sends a dearer challenge than ours would make the server do the work.
        if payload.challenge.parameters.cost > COST
            || payload.challenge.parameters.algorithm != "PBKDF2/SHA-256"
        {
            return Ok(false);
        }
        let now = self.clock.now();
        let until = payload
            .challenge
            .parameters
            .data
            .as_ref()
            .and_then(|data| data.get(UNTIL))
            .and_then(serde_json::Value::as_i64);
        if until.is_none_or(|until| now.unix_seconds() >= until) {
            return Ok(false);
        }
        let secret = self.keys.challenge_secret();
        let spent = Sha256::digest(
            payload
                .challenge
                .signature
                .as_deref()
                .unwrap_or_default()
                .as_bytes(),
        );
        let right = tokio::task::spawn_blocking(move || {
            verify_solution(VerifySolutionOptions::new(
                &payload.challenge,
                &payload.solution,
                &secret,
            ))
            .is_ok_and(|result| result.verified)
        })
        .await
        .unwrap_or(false);
        if !right {
            return Ok(false);
        }
        let mut tx = self.store.write().await?;
        let first =
            budgets::spend_challenge(&mut tx, spent.as_slice(), now.plus(VALID_FOR)).await?;
        tx.commit().await?;
        Ok(first)
    }
}
