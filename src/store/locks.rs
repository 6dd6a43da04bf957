//! Whoever decides about a contact, a mailbox or a rate holds it from the moment of reading to the commit, so that two
//! decisions about one thing never rest on the same old state.
//!
//! A lock is a number; two things that share one by chance only wait for each other. All are taken at once. On PostgreSQL
//! they are the server's advisory locks and hold between processes; on SQLite, where one process decides, they are a table
//! in memory, and `held.rs` notices what another process wrote all the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::budgets::MailboxHash;
use crate::domain::ids::{BrandId, CampaignId, ImportId};

/// What a decision is about.
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

    /// How far a campaign came.
    pub fn campaign(&mut self, brand: BrandId, id: CampaignId) {
        self.add(&[b"campaign", brand.0.as_bytes(), id.0.as_bytes()]);
    }

    /// How far an import came.
    pub fn import(&mut self, brand: BrandId, id: ImportId) {
        self.add(&[b"import", brand.0.as_bytes(), id.0.as_bytes()]);
    }

    /// An entry from a booth, by the number that its tablet gave it.
    pub fn entry(&mut self, brand: BrandId, id: Uuid) {
        self.add(&[b"entry", brand.0.as_bytes(), id.as_bytes()]);
    }

    /// Who may do what, as a whole.
    pub fn operators() -> Self {
        let mut locks = Self::default();
        locks.add(&[b"operators"]);
        locks
    }

    /// Which brands and forms there are, as a whole.
    pub fn declarations() -> Self {
        let mut locks = Self::default();
        locks.add(&[b"declarations"]);
        locks
    }

    /// Up to where network addresses and browsers were removed, and whose were passed over since they are held.
    pub fn circumstances() -> Self {
        let mut locks = Self::default();
        locks.add(&[b"circumstances"]);
        locks
    }

    /// Which files of proof a brand keeps, and who refers to them.
    pub fn proofs(&mut self, brand: BrandId) {
        self.add(&[b"proofs", brand.0.as_bytes()]);
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

    /// In ascending order, so that no two transactions wait for each other.
    pub(super) fn sorted(mut self) -> Vec<i64> {
        self.0.sort_unstable();
        self.0.dedup();
        self.0
    }
}

/// The locks of one process.
#[derive(Clone, Debug, Default)]
pub struct LockTable(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    /// Sorted; few at a time: the batches that are under way.
    held: Vec<Vec<i64>>,
    /// First come, first served: a waiter also keeps back those behind it that want the same.
    waiting: VecDeque<(Vec<i64>, oneshot::Sender<Guard>)>,
}

/// Locks that are held; letting go of it frees them.
#[derive(Debug)]
pub struct Guard {
    table: LockTable,
    keys: Vec<i64>,
}

impl LockTable {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard(&self, table: &mut Table, keys: Vec<i64>) -> Guard {
        table.held.push(keys.clone());
        Guard {
            table: self.clone(),
            keys,
        }
    }

    /// Takes all of the locks, as soon as nobody else has or waits for one of them.
    pub async fn take(&self, locks: Locks) -> Guard {
        let keys = locks.sorted();
        let granted = {
            let mut table = self.lock();
            let waited_for = table.waiting.iter().map(|waiter| &waiter.0);
            if !table
                .held
                .iter()
                .chain(waited_for)
                .any(|other| meet(other, &keys))
            {
                return self.guard(&mut table, keys);
            }
            let (grant, granted) = oneshot::channel();
            table.waiting.push_back((keys, grant));
            granted
        };
        match granted.await {
            Ok(guard) => guard,
            // The table never drops a waiter; if it did, nothing would be held, and nothing is freed.
            Err(_) => Guard {
                table: self.clone(),
                keys: Vec::new(),
            },
        }
    }

    /// Grants what became free, in the order of arrival.
    fn grant(&self) {
        let mut orphans = Vec::new();
        let mut table = self.lock();
        let mut passed: Vec<Vec<i64>> = Vec::new();
        for (keys, grant) in std::mem::take(&mut table.waiting) {
            if table
                .held
                .iter()
                .chain(&passed)
                .any(|other| meet(other, &keys))
            {
                passed.push(keys.clone());
                table.waiting.push_back((keys, grant));
                continue;
            }
            let guard = self.guard(&mut table, keys);
            // The waiter may have gone; its guard then frees itself, outside of our hold on the table.
            if let Err(guard) = grant.send(guard) {
                orphans.push(guard);
            }
        }
        drop(table);
        drop(orphans);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        let at = table.held.iter().position(|held| *held == self.keys);
        if let Some(at) = at {
            table.held.swap_remove(at);
        }
        drop(table);
        self.table.grant();
    }
}

/// Whether two sorted lists share a number.
fn meet(one: &[i64], other: &[i64]) -> bool {
    let (mut a, mut b) = (0, 0);
    while a < one.len() && b < other.len() {
        match one[a].cmp(&other[b]) {
            std::cmp::Ordering::Less => a += 1,
            std::cmp::Ordering::Greater => b += 1,
            std::cmp::Ordering::Equal => return true,
        }
    }
    false
}
