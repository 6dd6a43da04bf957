//! Requests that may come twice: with an Idempotency-Key, the second gets the answer of the first. An answer may hold a
//! secret, so it is kept sealed to the Idempotency-Key, of which only the hash is kept.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use super::App;
use crate::domain::ids::ApiKeyId;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::answers::{self, Asked};

/// A request that may come again.
#[derive(Clone, Debug)]
pub struct Repeatable {
    /// Whose it is.
    pub key: ApiKeyId,
    /// Its Idempotency-Key.
    pub brought: String,
    /// SHA-256 of all that it asks for.
    pub request: [u8; 32],
}

/// How long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(86_400);
/// A request that is under way for longer belongs to a process that died: the next one is taken up in its place.
const UNDER_WAY_FOR: Duration = Duration::from_secs(60);

/// A kept answer that was changed.
const DAMAGED: StoreError = StoreError::Corrupt("a kept answer");

/// What becomes of a request with an Idempotency-Key.
#[derive(Debug)]
pub enum Taken {
    /// It is the first: it is to be done, and then to be told to `answered` or `not_done`.
    Up(Turn),
    /// It was answered: the status and the body.
    Answered(u16, String),
    UnderWay,
    /// It was done, but its answer is sealed under a root secret that is not given any more.
    Unreadable,
    /// The Idempotency-Key belongs to another request.
    Other,
}

/// The right to do a request.
#[derive(Debug)]
pub struct Turn {
    asked: Asked,
    brought: String,
    running_until: Timestamp,
}

impl App {
    /// Takes a request up, unless it came before. If the process dies before `answered`, a repetition within a minute is told
    /// that it is under way, and a later one is done again: whatever was committed by then is done twice.
    pub async fn take_up(&self, repeatable: Repeatable) -> Result<Taken, StoreError> {
        let brought = repeatable.brought;
        let asked = Asked {
            key: repeatable.key,
            hash: Sha256::digest(brought.as_bytes()).into(),
            request: repeatable.request,
        };
        let now = self.clock.now();
        let running_until = now.plus(UNDER_WAY_FOR);
        let mut tx = self.store.write().await?;
        let begun = answers::begin(&mut tx, &asked, running_until, now.plus(KEPT_FOR), now).await?;
        if begun {
            tx.commit().await?;
            return Ok(Taken::Up(Turn {
                asked,
                brought,
                running_until,
            }));
        }
        let kept = answers::find(&mut tx, &asked).await?;
        drop(tx);
        Ok(match kept {
            Some(kept) if kept.request_hash != asked.request => Taken::Other,
            Some(kept) => match (kept.status, kept.body, kept.body_hash) {
                (Some(status), Some(sealed), Some(hash)) => {
                    let Some(body) = self.unseal_answer(&brought, &sealed) else {
                        return Ok(Taken::Unreadable);
                    };
                    if Sha256::digest(body.as_bytes()).as_slice() != hash {
                        return Err(DAMAGED);
                    }
                    Taken::Answered(u16::try_from(status).unwrap_or(200), body)
                }
                _ => Taken::UnderWay,
            },
            // Let go of between the two statements.
            None => Taken::UnderWay,
        })
    }

    /// Keeps what it was answered.
    pub async fn answered(&self, turn: Turn, status: u16, body: &str) -> Result<(), StoreError> {
        let hash = Sha256::digest(body.as_bytes());
        let sealed = self.seal_answer(&turn.brought, body).ok_or(DAMAGED)?;
        let mut tx = self.store.write().await?;
        answers::keep(
            &mut tx,
            &turn.asked,
            turn.running_until,
            status,
            &sealed,
            &hash,
        )
        .await?;
        tx.commit().await
    }

    /// It was refused, and changed nothing.
    pub async fn not_done(&self, turn: Turn) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        answers::let_go(&mut tx, &turn.asked, turn.running_until).await?;
        tx.commit().await
    }

    fn seal_answer(&self, brought: &str, body: &str) -> Option<String> {
        let nonce: [u8; NONCE_LEN] = self.random.bytes();
        let mut bytes = body.as_bytes().to_vec();
        let key = opener(self.keys.answer_keys(brought).next()?)?;
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce_used, Aad::empty(), &mut bytes)
            .ok()?;
        Some(STANDARD.encode([&nonce[..], &bytes].concat()))
    }

    fn unseal_answer(&self, brought: &str, sealed: &str) -> Option<String> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
        self.keys.answer_keys(brought).find_map(|key| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let mut sealed = sealed.to_vec();
            let plain = opener(key)?.open_in_place(nonce, Aad::empty(), &mut sealed);
            String::from_utf8(plain.ok()?.to_vec()).ok()
        })
    }
}

fn opener(key: [u8; 32]) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, &key).ok()?;
    Some(LessSafeKey::new(key))
}
