//! Which addresses of a file come again: a first look at a file that is then tried.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::tally::REMEMBERED;
use crate::intake::candidate::Reading;
use crate::intake::{FileProblem, Rows};

/// Addresses, as hashes: 9 bytes each.
pub struct Again {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Again {
    /// Reads a file to its end. Where it cannot be read any further, whoever reads it next finds that too.
    pub fn look(rows: &mut Rows, reading: &Reading) -> Result<Self, FileProblem> {
        let hasher = RandomState::new();
        let (mut seen, mut hashes) = (HashSet::new(), HashSet::new());
        while let Some(Ok(row)) = rows.next() {
            let key = row.ok().and_then(|row| reading.address_key(&row));
            let Some(hash) = key.map(|key| hasher.hash_one(key)) else {
                continue;
            };
            if seen.contains(&hash) {
                hashes.insert(hash);
            } else if seen.len() < REMEMBERED {
                seen.insert(hash);
            }
        }
        Ok(Self { hasher, hashes })
    }

    pub(super) fn comes_again(&self, key: &str) -> bool {
        self.hashes.contains(&self.hasher.hash_one(key))
    }
}
