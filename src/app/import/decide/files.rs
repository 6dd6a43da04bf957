//! The files of proof that rows of a part rest on.

use std::collections::BTreeMap;

use super::super::Problem;
use super::Part;
use crate::intake::proof::ProofFile;
use crate::store::Conn;
use crate::store::proofs::{self, FILES_AT_MOST, FileHash, ProofRow};

impl Part<'_> {
    /// The files that are not kept yet, with their content.
    pub(super) async fn new_files(&self, conn: &mut Conn) -> Result<Vec<ProofRow>, Problem> {
        let mut wanted: BTreeMap<FileHash, &ProofFile> = BTreeMap::new();
        for (file, _) in &self.files {
            wanted.insert(file.sha256, file);
        }
        let brand_id = self.import.brand.id;
        let hashes: Vec<FileHash> = wanted.keys().copied().collect();
        for kept in proofs::list_kept(conn, brand_id, &hashes).await? {
            wanted.remove(&kept);
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let more = i64::try_from(wanted.len()).unwrap_or(i64::MAX);
        if proofs::count(conn, brand_id).await?.saturating_add(more) > FILES_AT_MOST {
            return Err(Problem::ManyProofs);
        }
        let mut rows = Vec::with_capacity(wanted.len());
        for (sha256, file) in wanted {
            let name = || file.name.clone();
            let content = file
                .content()
                .map_err(|problem| Problem::Proof(name(), problem))?;
            rows.push(ProofRow {
                brand_id,
                sha256,
                content,
                kept_at: self.now,
            });
        }
        Ok(rows)
    }
}
