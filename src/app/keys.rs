//! API keys: made, found, revoked. The key is shown once; its SHA-256 is kept, which is enough for 256 random bits.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::App;
use super::acted::Acting;
use crate::domain::api_key::{ApiKey, PREFIX, Scope, day_of};
use crate::domain::brand::Brand;
use crate::domain::ids::ApiKeyId;
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::keys::{self, KeyRow};

/// Characters of a key: the prefix, and 32 bytes in base64.
const LENGTH: usize = PREFIX.len() + 43;
const NAME_AT_MOST: usize = 64;

/// A key that is to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// The only brand that it may see; none for all.
    pub brand: Option<Arc<Brand>>,
    pub expires_at: Option<Timestamp>,
}

/// Why a key was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    #[error("a name has 1 to 64 letters, digits, dots, hyphens and underscores")]
    Name,
    #[error("a key needs a scope: {}", Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "))]
    NoScope,
    #[error("that time is over")]
    Over,
    #[error("a key of this name exists; revoked ones keep their names")]
    Taken,
    #[error("no key in use has this name")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Makes a key; answers with it and with its secret, which nobody can be shown again. `by` is nobody on the command line.
    pub async fn add_key(
        &self,
        by: Option<&Acting>,
        new: NewKey,
    ) -> Result<(ApiKey, String), KeyProblem> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if new.name.is_empty() || new.name.len() > NAME_AT_MOST || !new.name.chars().all(fits) {
            return Err(KeyProblem::Name);
        }
        if new.scopes.is_empty() {
            return Err(KeyProblem::NoScope);
        }
        let now = self.clock.now();
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(KeyProblem::Over);
        }
        let secret = format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(self.random.bytes::<32>())
        );
        let mut scopes = new.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let row = KeyRow {
            id: ApiKeyId(self.random.uuid_v7(now)),
            name: new.name,
            scopes: names.join(" "),
            brand_id: new.brand.map(|brand| brand.id),
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            used_day: None,
        };
        let on = format!("{} ({})", row.name, row.scopes);
        self.acted_by(by, Deed::KeyAdded, on).await?;
        let mut tx = self.store.write().await?;
        if !keys::insert(&mut tx, &row, &hash_of(&secret)).await? {
            return Err(KeyProblem::Taken);
        }
        tx.commit().await?;
        Ok((read(row), secret))
    }

    /// All keys, those that do not hold any more among them.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let found = keys::list(&mut self.store.read().await?).await?;
        Ok(found.into_iter().map(read).collect())
    }

    /// From when this returns on, no new request gets through with the key.
    pub async fn revoke_key(&self, by: Option<&Acting>, name: &str) -> Result<(), KeyProblem> {
        let known = self.api_keys().await?;
        if !known.iter().any(|key| key.name == name) {
            return Err(KeyProblem::Unknown);
        }
        self.acted_by(by, Deed::KeyRevoked, name.to_owned()).await?;
        let mut tx = self.store.write().await?;
        if !keys::revoke(&mut tx, name, self.clock.now()).await? {
            return Err(KeyProblem::Unknown);
        }
        Ok(tx.commit().await?)
    }

    /// The key that a program brought, if it holds. Of its use the day is kept, and no more.
    pub async fn key_of(&self, secret: &str) -> Result<Option<ApiKey>, StoreError> {
        if secret.len() != LENGTH || !secret.starts_with(PREFIX) {
            return Ok(None);
        }
        let mut conn = self.store.read().await?;
        let found = keys::find(&mut conn, &hash_of(secret)).await?;
        drop(conn);
        let now = self.clock.now();
        let Some(key) = found.map(read).filter(|key| key.holds(now)) else {
            return Ok(None);
        };
        let today = day_of(now);
        if key.used_day.is_none_or(|day| day < today) {
            let mut tx = self.store.write().await?;
            keys::used(&mut tx, key.id, today).await?;
            tx.commit().await?;
        }
        Ok(Some(key))
    }
}

fn hash_of(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// A scope that this version does not know gives nothing.
fn read(row: KeyRow) -> ApiKey {
    ApiKey {
        id: row.id,
        name: row.name,
        scopes: row.scopes.split(' ').filter_map(Scope::parse).collect(),
        brand: row.brand_id,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        used_day: row.used_day,
    }
}
