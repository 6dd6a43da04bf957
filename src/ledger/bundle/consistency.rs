//! `consistency.json`: proofs that the log of the checkpoint continues the log of each anchored one.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::ledger::canonical::{NotCanonical, canonical};
use crate::ledger::merkle::Hash;

/// No tree of 2^63 leaves needs more hashes.
const HASHES_AT_MOST: usize = 64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    to: u64,
    proofs: Vec<WrittenProof>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProof {
    from: u64,
    hashes: Vec<String>,
}

/// Proofs by the size that they begin at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    pub to: u64,
    pub proofs: BTreeMap<u64, Vec<Hash>>,
}

impl Consistency {
    pub fn written(&self) -> Result<String, NotCanonical> {
        let proofs = self.proofs.iter().map(|(from, hashes)| WrittenProof {
            from: *from,
            hashes: hashes.iter().map(|hash| STANDARD.encode(hash)).collect(),
        });
        let written = Written {
            to: self.to,
            proofs: proofs.collect(),
        };
        Ok(format!("{}\n", canonical(&written)?))
    }

    /// Reads the one form there is.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(bytes).ok()?;
        let mut proofs = BTreeMap::new();
        for proof in written.proofs {
            if proof.hashes.len() > HASHES_AT_MOST {
                return None;
            }
            let hashes = proof
                .hashes
                .iter()
                .map(|hash| STANDARD.decode(hash).ok()?.try_into().ok())
                .collect::<Option<Vec<Hash>>>()?;
            proofs.insert(proof.from, hashes);
        }
        let consistency = Self {
            to: written.to,
            proofs,
        };
        let again = consistency.written().ok()?;
        (again.as_bytes() == bytes).then_some(consistency)
    }
}
