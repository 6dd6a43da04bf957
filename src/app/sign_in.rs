//! Operators: their passwords (argon2id) and sessions.

use std::sync::LazyLock;
use std::time::Duration;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::App;
use crate::domain::ids::OperatorId;
use crate::store::operators::{self, OperatorRow, SessionRow};
use crate::store::{Store, StoreError};

/// Hashes at once: each takes 19 MiB and a core for some 20 ms (OWASP's first parameters for argon2id, the crate's default).
const HASHES_AT_ONCE: usize = 2;
/// Sign-ins that may wait for their turn before new ones are turned away.
const WAITING_AT_MOST: usize = 16;
const SESSION_FOR: Duration = Duration::from_secs(12 * 3_600);
const IDLE_FOR: Duration = Duration::from_secs(3_600);
pub const PASSWORD_AT_LEAST: usize = 12;

static HASHING: Semaphore = Semaphore::const_new(HASHES_AT_ONCE);
static WAITING: Semaphore = Semaphore::const_new(WAITING_AT_MOST);

/// Compared with when there is no such operator, so that an unknown name costs the same time.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this password"));

#[derive(Debug, thiserror::Error)]
pub enum SignInProblem {
    #[error("name or password is wrong")]
    Wrong,
    /// Too many sign-ins at once; try again in a moment.
    #[error("too many sign-ins at once")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum OperatorProblem {
    #[error("a password needs at least {PASSWORD_AT_LEAST} characters")]
    ShortPassword,
    #[error("a name has 1 to 64 letters, digits, '.', '_', '-' or '@'")]
    Name,
    #[error("there is an operator of this name already")]
    Taken,
    #[error("there is no operator of this name")]
    Unknown,
    #[error("the password could not be hashed")]
    Hash,
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hash_now(password: &str) -> Option<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .ok()
        .map(|hash| hash.to_string())
}

async fn hash(password: &str) -> Result<String, OperatorProblem> {
    if password.chars().count() < PASSWORD_AT_LEAST {
        return Err(OperatorProblem::ShortPassword);
    }
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || hash_now(&password))
        .await
        .ok()
        .flatten()
        .ok_or(OperatorProblem::Hash)
}

/// Adds an operator with a role of `owner`, `editor`, `viewer` or `auditor`.
pub async fn add(app: &App, name: &str, password: &str, role: &str) -> Result<(), OperatorProblem> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    if !fits {
        return Err(OperatorProblem::Name);
    }
    let now = app.clock.now();
    let operator = OperatorRow {
        id: OperatorId(app.random.uuid_v7(now)),
        name: name.to_owned(),
        password_hash: hash(password).await?,
        role: role.to_owned(),
        created_at: now,
        disabled_at: None,
    };
    let mut tx = app.store.write().await?;
    if !operators::insert(&mut tx, &operator).await? {
        return Err(OperatorProblem::Taken);
    }
    Ok(tx.commit().await?)
}

/// Changes a password; all sessions of the operator end.
pub async fn set_password(app: &App, name: &str, password: &str) -> Result<(), OperatorProblem> {
    let hash = hash(password).await?;
    let mut tx = app.store.write().await?;
    if !operators::set_password(&mut tx, name, &hash).await? {
        return Err(OperatorProblem::Unknown);
    }
    Ok(tx.commit().await?)
}

/// Disables an operator; all its sessions end.
pub async fn disable(app: &App, name: &str) -> Result<(), OperatorProblem> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    if !operators::disable(&mut tx, name, now).await? {
        return Err(OperatorProblem::Unknown);
    }
    Ok(tx.commit().await?)
}

pub async fn list(store: &Store) -> Result<Vec<OperatorRow>, StoreError> {
    operators::list(&mut store.read().await?).await
}

impl App {
    /// Checks name and password; answers with the new session's secret for the cookie. Only its SHA-256 is kept.
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<String, SignInProblem> {
        let _waiting = WAITING.try_acquire().map_err(|_| SignInProblem::Busy)?;
        let operator = operators::find(&mut self.store.read().await?, name)
            .await?
            .filter(|operator| operator.disabled_at.is_none());
        let known = operator.as_ref().map(|o| o.password_hash.clone());
        let Some(stored) = known.or_else(|| NOBODY.clone()) else {
            return Err(SignInProblem::Busy);
        };
        let password = password.to_owned();
        let right = {
            let _hashing = HASHING.acquire().await.map_err(|_| SignInProblem::Busy)?;
            tokio::task::spawn_blocking(move || {
                Argon2::default()
                    .verify_password(password.as_bytes(), stored.as_str())
                    .is_ok()
            })
            .await
            .unwrap_or(false)
        };
        let operator = operator.filter(|_| right).ok_or(SignInProblem::Wrong)?;
        let secret: String = self
            .random
            .bytes::<32>()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let now = self.clock.now();
        let session = SessionRow {
            hash: session_hash(&secret),
            operator_id: operator.id,
            created_at: now,
            seen_at: now,
            expires_at: now.plus(SESSION_FOR),
        };
        let mut tx = self.store.write().await?;
        operators::insert_session(&mut tx, &session).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// The operator behind a cookie, if the session holds. Being seen keeps it from going idle.
    pub async fn operator_of(&self, secret: &str) -> Result<Option<OperatorRow>, StoreError> {
        if secret.len() != 64 {
            return Ok(None);
        }
        let now = self.clock.now();
        let hash = session_hash(secret);
        let mut conn = self.store.read().await?;
        let found = operators::find_by_session(&mut conn, &hash, now, now.minus(IDLE_FOR)).await?;
        drop(conn);
        if found.is_some() {
            let mut tx = self.store.write().await?;
            operators::session_seen(&mut tx, &hash, now).await?;
            tx.commit().await?;
        }
        Ok(found)
    }

    pub async fn sign_out(&self, secret: &str) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        operators::end_session(&mut tx, &session_hash(secret)).await?;
        tx.commit().await
    }
}

fn session_hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
