//! Entries whose event is not what was logged: whether it stands in another's place.

use std::collections::HashMap;

use super::Audit;
use crate::ledger::merkle::Hash;

/// Entries that do not fit, remembered to tell whether two changed places.
const REMEMBERED_AT_MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Strays {
    /// The commitments that stand in the tiles at the places of strays.
    logged: HashMap<Hash, u64>,
    /// The commitments that are made of what stands there.
    found: Vec<(Hash, u64)>,
}

impl Strays {
    pub fn add(&mut self, index: u64, made: Option<Hash>, entry: Option<Hash>) {
        if self.found.len() < REMEMBERED_AT_MOST
            && let (Some(made), Some(entry)) = (made, entry)
        {
            self.logged.insert(entry, index);
            self.found.push((made, index));
        }
    }

    /// Events that stand in another's place.
    pub fn tell(&self, audit: &mut Audit) {
        for (made, index) in &self.found {
            if let Some(logged) = self.logged.get(made) {
                audit.find(format!(
                    "event {index} is what was logged as event {logged}: they were reordered"
                ));
            }
        }
    }
}
