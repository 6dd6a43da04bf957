//! Bringing a list: streamed into a private file, acknowledged once it is on the disk.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::files::{self, Part};
use super::{Draft, ImportDraft, Said, Stage};
use crate::app::App;
use crate::app::acted::Acting;
use crate::domain::brand::{Brand, Slug};
use crate::domain::hex::hex;
use crate::domain::operator::Deed;
use crate::store::StoreError;

/// Characters of a file's name that are kept.
const NAME_AT_MOST: usize = 200;

/// Why a list is not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadProblem {
    #[error("{0} lists wait here already; finish or remove one of them first")]
    Many(usize),
    #[error(
        "it is longer than the {0} MB that this server takes; leave out columns that are not needed, save it as CSV, or \
         use the command line: countersign import"
    )]
    TooLong(u64),
    #[error("choose a file first")]
    None,
    #[error("it is empty; choose the file with the list")]
    Empty,
    #[error("the server cannot keep it ({0}); is its disk full?")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A list that is being brought. Let go of before its end it leaves nothing.
pub struct Incoming {
    id: Uuid,
    path: PathBuf,
    file: File,
    bytes: u64,
    most: u64,
    hash: Sha256,
    is_whole: bool,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.is_whole {
            // What stays all the same is tidied away.
            let _ = files::remove(&self.path);
        }
    }
}

impl Incoming {
    /// The SHA-256 of what came up to now.
    pub fn sha256(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Takes the next bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), UploadProblem> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.most {
            return Err(UploadProblem::TooLong(self.most >> 20));
        }
        self.hash.update(bytes);
        Ok(self.file.write_all(bytes).await?)
    }
}

/// From whom a list comes, and for what.
pub struct Brought<'a> {
    pub brand: &'a Brand,
    pub purpose: &'a Slug,
    pub file_name: &'a str,
    pub by: &'a Acting,
}

impl App {
    pub async fn begin_upload(&self) -> Result<Incoming, UploadProblem> {
        let uploads = &self.config.uploads;
        files::made(&uploads.folder)?;
        if files::count(&uploads.folder)? >= uploads.at_most {
            return Err(UploadProblem::Many(uploads.at_most));
        }
        let id = self.random.uuid_v7(self.clock.now());
        let path = files::path(&uploads.folder, id, Part::Coming);
        let file = File::from_std(files::create(&path)?);
        Ok(Incoming {
            id,
            path,
            file,
            bytes: 0,
            most: uploads.bytes,
            hash: Sha256::new(),
            is_whole: false,
        })
    }

    /// Keeps a list that was brought whole, and who brought it. When this answers, it is on the disk.
    pub async fn end_upload(
        &self,
        mut incoming: Incoming,
        brought: Brought<'_>,
    ) -> Result<Draft<ImportDraft>, UploadProblem> {
        if incoming.bytes == 0 {
            return Err(UploadProblem::Empty);
        }
        incoming.file.flush().await?;
        incoming.file.sync_all().await?;
        let folder = &self.config.uploads.folder;
        tokio::fs::rename(&incoming.path, files::path(folder, incoming.id, Part::List)).await?;
        incoming.is_whole = true;
        files::sync(folder)?;
        let hash = incoming.hash.clone().finalize();
        let visible = |c: &char| !c.is_control();
        let of = ImportDraft {
            operator: brought.by.operator.name.clone(),
            file_name: brought
                .file_name
                .chars()
                .filter(visible)
                .take(NAME_AT_MOST)
                .collect(),
            bytes: incoming.bytes,
            sha256: hex(&hash),
            purpose: brought.purpose.clone(),
            said: Said::new(),
            papers: Vec::new(),
            trial: None,
            import: None,
            name: None,
            problem: None,
        };
        // By its hash: a file's name may hold an address.
        let on = format!(
            "{} for {} of brand {}, SHA-256 {}",
            incoming.id, of.purpose, brought.brand.declared.slug, of.sha256
        );
        let deed = self.deed(brought.by, Deed::ListBrought, Some(on))?;
        let draft = self.insert_draft(brought.brand.id, incoming.id, (Stage::Open, of), Some(deed));
        Ok(draft.await?)
    }
}
