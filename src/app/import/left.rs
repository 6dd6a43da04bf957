//! How an event tells of people whom the brand does not know and of whom a list said that they left: by a hash over the rows of a part.

use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::store::left::LeftRow;

/// Over rows in the order of their addresses' hashes. They hold a salt that goes with them: then the event tells nothing of anybody.
#[derive(Clone, Default)]
pub(in crate::app) struct LeftHash(Sha256);

impl LeftHash {
    pub fn add(&mut self, row: &LeftRow) {
        for part in [
            row.salt.as_slice(),
            row.brand_id.0.as_bytes(),
            row.import_id.0.as_bytes(),
            &row.part.to_be_bytes(),
            row.hash.as_slice(),
            &row.left_at.micros().to_be_bytes(),
            &(row.purpose.len() as u64).to_be_bytes(),
            row.purpose.as_bytes(),
        ] {
            self.0.update(part);
        }
    }

    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}
