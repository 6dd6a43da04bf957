//! Operators: accounts, their passwords (argon2id) and what they may do.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use super::App;
use super::acted::Acting;
use crate::domain::ids::{BrandId, OperatorId};
use crate::domain::operator::{Deed, Operator, Role};
use crate::domain::time::Timestamp;
use crate::store::locks::Locks;
use crate::store::operators::{self, OperatorRow};
use crate::store::set::Writes;
use crate::store::{Store, StoreError, events, passkeys, sessions};

/// Hashes at once: each takes 19 MiB and a core for some 20 ms (OWASP's first parameters for argon2id, the crate's default).
const HASHES_AT_ONCE: usize = 2;
/// Hashes that may wait for their turn before new ones are turned away.
const WAITING_AT_MOST: usize = 16;
pub const PASSWORD_AT_LEAST: usize = 12;
/// Characters; a longer one would only keep the hash busy.
pub const PASSWORD_AT_MOST: usize = 1_024;

static HASHING: Semaphore = Semaphore::const_new(HASHES_AT_ONCE);
static WAITING: Semaphore = Semaphore::const_new(WAITING_AT_MOST);

/// Compared with when there is no such operator, so that an unknown name costs the same time.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this password"));

#[derive(Debug, thiserror::Error)]
pub enum OperatorProblem {
    #[error("a password has {PASSWORD_AT_LEAST} to {PASSWORD_AT_MOST} characters")]
    Password,
    #[error("a name has 1 to 64 letters, digits, '.', '_', '-' or '@'")]
    Name,
    #[error("there is an operator of this name already")]
    Taken,
    #[error("there is no operator of this name")]
    Unknown,
    #[error("a role is one of owner, editor, viewer and auditor")]
    Role,
    #[error("the last owner stays: make somebody else an owner of everything first")]
    LastOwner,
    #[error("the password could not be hashed")]
    Hash,
    #[error("too much is being hashed at this moment; try again in a few seconds")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An account as it is listed.
#[derive(Clone, Debug)]
pub struct Account {
    pub operator: Operator,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    /// Whether one-time codes or a passkey are set up.
    pub has_factor: bool,
}

fn hash_now(password: &str) -> Option<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .ok()
        .map(|hash| hash.to_string())
}

async fn hash(password: &str) -> Result<String, OperatorProblem> {
    if !(PASSWORD_AT_LEAST..=PASSWORD_AT_MOST).contains(&password.chars().count()) {
        return Err(OperatorProblem::Password);
    }
    let _waiting = WAITING.try_acquire().map_err(|_| OperatorProblem::Busy)?;
    let _hashing = HASHING.acquire().await.map_err(|_| OperatorProblem::Busy)?;
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || hash_now(&password))
        .await
        .ok()
        .flatten()
        .ok_or(OperatorProblem::Hash)
}

/// Whether a password is the right one, off the threads that serve requests; `None` if too many wait. Without a hash to
/// compare with it takes the same time and is wrong.
pub(super) async fn is_right(stored: Option<&str>, password: &str) -> Option<bool> {
    let _waiting = WAITING.try_acquire().ok()?;
    let known = stored.is_some();
    let stored = stored.map(ToOwned::to_owned).or_else(|| NOBODY.clone())?;
    let password: String = password.chars().take(PASSWORD_AT_MOST + 1).collect();
    let _hashing = HASHING.acquire().await.ok()?;
    let right = tokio::task::spawn_blocking(move || {
        Argon2::default()
            .verify_password(password.as_bytes(), stored.as_str())
            .is_ok()
    })
    .await
    .unwrap_or(false);
    Some(known && right)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
}

/// Adds an operator; `by` is nobody on the command line.
pub async fn add(
    app: &App,
    by: Option<&Acting>,
    name: &str,
    password: &str,
    (role, brands): (Role, &[BrandId]),
) -> Result<(), OperatorProblem> {
    if !is_name(name) {
        return Err(OperatorProblem::Name);
    }
    let now = app.clock.now();
    let operator = OperatorRow {
        id: OperatorId(app.random.uuid_v7(now)),
        name: name.to_owned(),
        password_hash: hash(password).await?,
        role: role.as_str().to_owned(),
        created_at: now,
        disabled_at: None,
        brands: serde_json::to_string(brands).unwrap_or_default(),
        totp_number: None,
        totp_key_id: None,
        totp_step: 0,
    };
    let event = app.deed_by(
        by,
        Deed::OperatorAdded,
        format!("{name}, {}", role.as_str()),
    )?;
    let mut held = app.store.hold_to_write(Locks::operators()).await?;
    if !operators::insert(held.conn(), &operator).await? {
        return Err(OperatorProblem::Taken);
    }
    let mut writes = Writes::default();
    events::append(&mut writes, &[event]);
    Ok(held.finish_with(writes).await?)
}

/// Changes a password; all sessions of the operator end, but for the one with the hash `but`.
pub async fn set_password(
    app: &App,
    by: Option<&Acting>,
    name: &str,
    password: &str,
    but: &[u8],
) -> Result<(), OperatorProblem> {
    let hash = hash(password).await?;
    let event = app.deed_by(by, Deed::PasswordChanged, name.to_owned())?;
    let mut held = app.store.hold_to_write(Locks::operators()).await?;
    let Some(operator) = operators::find(held.conn(), name).await? else {
        return Err(OperatorProblem::Unknown);
    };
    operators::set_password(held.conn(), name, &hash).await?;
    sessions::end_others(held.conn(), operator.id, but).await?;
    let mut writes = Writes::default();
    events::append(&mut writes, &[event]);
    Ok(held.finish_with(writes).await?)
}

/// Disables an operator; all its sessions end. The last owner of everything stays.
pub async fn disable(app: &App, by: Option<&Acting>, name: &str) -> Result<(), OperatorProblem> {
    let now = app.clock.now();
    let event = app.deed_by(by, Deed::OperatorDisabled, name.to_owned())?;
    let mut held = app.store.hold_to_write(Locks::operators()).await?;
    let Some(operator) = operators::find(held.conn(), name).await? else {
        return Err(OperatorProblem::Unknown);
    };
    if !operators::disable(held.conn(), name, now).await? {
        return Err(OperatorProblem::Unknown);
    }
    // On the command line even the last one may go: whoever sits there can add another.
    if by.is_some() && operators::count_owners(held.conn()).await? == 0 {
        return Err(OperatorProblem::LastOwner);
    }
    sessions::end_others(held.conn(), operator.id, &[]).await?;
    let mut writes = Writes::default();
    events::append(&mut writes, &[event]);
    Ok(held.finish_with(writes).await?)
}

/// Changes what an operator may do; all sessions of the operator end, but for the one with the hash `but`.
pub async fn change(
    app: &App,
    by: &Acting,
    name: &str,
    (role, brands): (Role, &[BrandId]),
    but: &[u8],
) -> Result<(), OperatorProblem> {
    let on = format!(
        "{name}, {}, brands kept to: {}",
        role.as_str(),
        brands.len()
    );
    let event = app.deed(by, Deed::OperatorChanged, Some(on))?;
    let mut held = app.store.hold_to_write(Locks::operators()).await?;
    let Some(operator) = operators::find(held.conn(), name).await? else {
        return Err(OperatorProblem::Unknown);
    };
    operators::change(held.conn(), operator.id, role, brands).await?;
    if operators::count_owners(held.conn()).await? == 0 {
        return Err(OperatorProblem::LastOwner);
    }
    sessions::end_others(held.conn(), operator.id, but).await?;
    let mut writes = Writes::default();
    events::append(&mut writes, &[event]);
    Ok(held.finish_with(writes).await?)
}

/// All accounts by name.
pub async fn list(store: &Store) -> Result<Vec<Account>, StoreError> {
    let mut conn = store.read().await?;
    let rows = operators::list(&mut conn).await?;
    let with_passkeys = passkeys::list_owners(&mut conn).await?;
    rows.iter()
        .map(|row| {
            Ok(Account {
                operator: row.read()?,
                created_at: row.created_at,
                disabled_at: row.disabled_at,
                has_factor: row.totp().is_some() || with_passkeys.contains(&row.id),
            })
        })
        .collect()
}
