//! Requests that may come twice: with an Idempotency-Key, the second gets the answer of the first.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::App;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::answers::{self, Asked};

pub use crate::store::answers::Asked as Repeatable;

/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_secs(86_400);
/// A request that is under way for longer belongs to a process that died: the next one is taken up in its place.
const UNDER_WAY_FOR: Duration = Duration::from_secs(60);

/// What becomes of a request with an Idempotency-Key.
#[derive(Debug)]
pub enum Taken {
    /// It is the first: it is to be done, and then to be told to `answered` or `not_done`.
    Up(Turn),
    /// It was answered: the status and the body.
    Answered(u16, String),
    UnderWay,
    /// The Idempotency-Key belongs to another request.
    Other,
}

/// The right to do a request.
#[derive(Debug)]
pub struct Turn {
    asked: Asked,
    running_until: Timestamp,
}

impl App {
    /// Takes a request up, unless it came before. If the process dies before `answered`, a repetition within a minute is told
    /// that it is under way, and a later one is done again: whatever was committed by then is done twice.
    pub async fn take_up(&self, asked: Asked) -> Result<Taken, StoreError> {
        let now = self.clock.now();
        let running_until = now.plus(UNDER_WAY_FOR);
        let mut tx = self.store.write().await?;
        let begun = answers::begin(&mut tx, &asked, running_until, now.plus(KEPT_FOR), now).await?;
        if begun {
            tx.commit().await?;
            return Ok(Taken::Up(Turn {
                asked,
                running_until,
            }));
        }
        let kept = answers::find(&mut tx, &asked).await?;
        drop(tx);
        Ok(match kept {
            Some(kept) if kept.request_hash != asked.request => Taken::Other,
            Some(kept) => match (kept.status, kept.body, kept.body_hash) {
                (Some(status), Some(body), Some(hash)) => {
                    if Sha256::digest(body.as_bytes()).as_slice() != hash {
                        return Err(StoreError::Corrupt("a kept answer"));
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
        let mut tx = self.store.write().await?;
        answers::keep(
            &mut tx,
            &turn.asked,
            turn.running_until,
            status,
            body,
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
}
