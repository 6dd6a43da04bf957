//! Files of proof against their hashes, by which events name them.

use sha2::{Digest, Sha256};

use super::super::App;
use super::Audit;
use crate::domain::hex::hex;
use crate::domain::ids::BrandId;
use crate::store::{Conn, StoreError, proofs};

/// Files that are referred to and gone, and are told one by one.
const GONE: i64 = 100;

impl App {
    /// Every file is what its hash says, and every file that is referred to is there. One file is in memory at a time.
    pub(super) async fn audit_proofs(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut after = (BrandId(uuid::Uuid::nil()), Vec::new());
        while let Some(file) = proofs::next_file(conn, (after.0, &after.1)).await? {
            if Sha256::digest(&file.content)[..] != file.sha256[..] {
                audit.find(format!(
                    "the file of proof {} of brand {}: it was changed",
                    hex(&file.sha256),
                    file.brand_id
                ));
            }
            after = (file.brand_id, file.sha256);
        }
        for (brand, sha256) in proofs::list_gone(conn, GONE).await? {
            audit.find(format!(
                "the file of proof {} of brand {brand}: it is missing, and an import or a contact rests on it",
                hex(&sha256)
            ));
        }
        Ok(())
    }
}
