//! Files of proof that imports brought, or that came later: given back by their hashes, and found in what claims say.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::App;
use crate::domain::added::claims_of;
use crate::domain::brand::Brand;
use crate::domain::event::Event;
use crate::domain::hex::hex;
use crate::domain::ids::BrandId;
use crate::domain::policy::takes_file;
use crate::store::proofs::{self, FileHash};
use crate::store::{Conn, StoreError};

impl App {
    /// A file of proof, if the brand keeps it.
    pub async fn proof_file(
        &self,
        brand: &Brand,
        sha256: &FileHash,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = proofs::find(&mut conn, brand.id, sha256).await?;
        match found {
            Some(content) if !is_whole(&content, sha256) => {
                Err(StoreError::Corrupt("a file of proof: it was changed"))
            }
            found => Ok(found),
        }
    }
}

fn is_whole(content: &[u8], sha256: &FileHash) -> bool {
    Sha256::digest(content).as_slice() == sha256
}

/// Those of the files that events name which the brand keeps, by their hashes in hexadecimal: whether what is kept still has
/// that hash. One file is in memory at a time.
pub(super) async fn kept_of(
    conn: &mut Conn,
    brand: BrandId,
    events: impl Iterator<Item = &Event>,
) -> Result<BTreeMap<String, bool>, StoreError> {
    let named: BTreeSet<FileHash> = events
        .flat_map(claims_of)
        .flat_map(|claim| claim.proof())
        .filter(|(key, _)| takes_file(key))
        .flat_map(|(_, value)| hashes_in(value))
        .filter_map(parse_hash)
        .collect();
    let mut kept = BTreeMap::new();
    for hash in named {
        if let Some(content) = proofs::find(conn, brand, &hash).await? {
            kept.insert(hex(&hash), is_whole(&content, &hash));
        }
    }
    Ok(kept)
}

/// The hashes that stand in a piece of proof, by themselves or behind other words.
pub(super) fn hashes_in(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|part| part.len() == 64)
}

/// Reads a SHA-256, 64 hexadecimal digits.
pub fn parse_hash(text: &str) -> Option<FileHash> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
