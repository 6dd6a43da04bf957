//! Who decides about a contact, a mailbox or a rate holds it until the transaction ends, so that several processes decide
//! one after another. SQLite has one writer and needs none of this.
//!
//! A lock is a number; two things that share one by chance only wait for each other. All are taken at the beginning of a
//! transaction and in ascending order, so that no two transactions wait for each other.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::budgets::MailboxHash;
use super::{Conn, Store, StoreError};
use crate::domain::ids::BrandId;

/// What a transaction is going to decide about.
#[derive(Debug, Default)]
pub struct Locks(Vec<i64>);

impl Locks {
    /// A contact, by the key that its address is compared by. Its requests belong to it.
    pub fn contact(&mut self, brand: BrandId, address_key: &str) {
        self.add(&[b"contact", brand.0.as_bytes(), address_key.as_bytes()]);
    }

    pub fn mailbox(&mut self, brand: BrandId, hash: &MailboxHash) {
        self.add(&[b"mailbox", brand.0.as_bytes(), hash]);
    }

    pub fn rate(&mut self, key: &str) {
        self.add(&[b"rate", key.as_bytes()]);
    }

    fn add(&mut self, parts: &[&[u8]]) {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
            hash.update([0]);
        }
        let bytes = hash.finalize();
        self.0.push(i64::from_be_bytes([
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
        ]));
    }
}

impl Store {
    /// Whether decisions need locks: the caller may save itself the search for what to lock.
    pub const fn needs_locks(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// A transaction that holds these locks. Its statements see all that earlier holders committed.
    pub async fn write_locked(&self, mut locks: Locks) -> Result<Conn, StoreError> {
        let Self::Postgres(pool) = self else {
            return self.write().await;
        };
        locks.0.sort_unstable();
        locks.0.dedup();
        // One way to the server and back instead of two. The text holds numbers only.
        let mut begin = "begin; select pg_advisory_xact_lock(k) from unnest('{".to_owned();
        for (at, lock) in locks.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(begin, "{comma}{lock}");
        }
        begin.push_str("}'::bigint[]) as k");
        let tx = pool.begin_with(sqlx::AssertSqlSafe(begin)).await?;
        Ok(Conn::PostgresWrite(tx))
    }
}
