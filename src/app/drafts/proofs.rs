//! Files of proof that are brought with a list: papers that hold for all rows, and files that rows name. Each is streamed into a
//! private file beside the list, and stands in the draft once it is on the disk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::files::{self, Part};
use super::{Draft, DraftProblem, ImportDraft, Said, Stage};
use crate::app::App;
use crate::app::proof::parse_hash;
use crate::domain::hex::hex;
use crate::intake::papers::{PaperProblem, Papers};
use crate::intake::proof::{FILE_BYTES, ProofFile, ProofFolder, ProofProblem, plain};
use crate::store::StoreError;

/// Files that rows name, of one list at most: they stand in its draft. The command line takes a folder of any length.
pub const NAMED_AT_MOST: usize = 500;
/// Bytes of them together.
pub const NAMED_BYTES: u64 = 250 << 20;
/// Characters of a file's name.
const NAME_AT_MOST: usize = 200;
/// How often a file is put into a draft that somebody else changed meanwhile.
const ATTEMPTS: usize = 5;

/// A file of proof that was brought with a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    pub id: Uuid,
    /// The piece of proof that it is for all rows; none: rows name it.
    pub key: Option<String>,
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

/// Why a file of proof is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PaperRefused {
    #[error(transparent)]
    File(#[from] ProofProblem),
    #[error(transparent)]
    Paper(#[from] PaperProblem),
    #[error("its name has 1 to {NAME_AT_MOST} characters, and none that cannot be seen")]
    Name,
    #[error(
        "there are {NAMED_AT_MOST} files that rows name already; for more of them use the command line: countersign import … \
         --proof-dir DIR"
    )]
    Many,
    #[error(
        "the files that rows name have {} MiB together at most; for more use the command line: countersign import … --proof-dir DIR",
        NAMED_BYTES >> 20
    )]
    Long,
    #[error("the server cannot keep it ({0}); is its disk full?")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Draft(#[from] DraftProblem),
}

impl From<StoreError> for PaperRefused {
    fn from(error: StoreError) -> Self {
        Self::Draft(error.into())
    }
}

/// A file of proof that is being brought. Let go of before its draft holds it, it leaves nothing.
pub struct Arriving {
    paper: Paper,
    path: PathBuf,
    file: File,
    hash: Sha256,
    is_kept: bool,
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.is_kept {
            // What stays all the same goes with the draft.
            let _ = files::remove(&self.path);
        }
    }
}

impl Arriving {
    pub const fn id(&self) -> Uuid {
        self.paper.id
    }

    /// The SHA-256 of what came up to now.
    pub fn sha256(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Takes the next bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), PaperRefused> {
        self.paper.bytes += bytes.len() as u64;
        if self.paper.bytes > FILE_BYTES {
            return Err(ProofProblem::TooLong.into());
        }
        self.hash.update(bytes);
        Ok(self.file.write_all(bytes).await?)
    }

    /// Puts it on the disk.
    async fn end(&mut self) -> Result<(), PaperRefused> {
        if self.paper.bytes == 0 {
            return Err(ProofProblem::Empty.into());
        }
        let hash = self.sha256();
        self.paper.sha256 = hex(&hash);
        self.file.flush().await?;
        Ok(self.file.sync_all().await?)
    }
}

impl ImportDraft {
    /// What is wrong with source, date and proof, each with the field that it is about: `paper.KEY` where only a file speaks.
    pub fn problems(&self, said: &Said) -> Vec<(String, String)> {
        said.problems(&self.all_rows(said, Path::new("")))
    }

    /// The files that hold for all rows.
    pub fn papers(&self) -> impl Iterator<Item = &Paper> {
        self.papers.iter().filter(|paper| paper.key.is_some())
    }

    /// The files that rows name.
    pub fn named(&self) -> impl Iterator<Item = &Paper> {
        self.papers.iter().filter(|paper| paper.key.is_none())
    }

    /// The proof that holds for all rows.
    pub(super) fn all_rows(&self, said: &Said, folder: &Path) -> Papers {
        let mut papers = Papers::of(&said.proof);
        for paper in self.papers() {
            // They fitted beside each other when they came; what the words say changes nothing about that.
            let key = paper.key.as_deref().unwrap_or_default();
            let _ = papers.add(key, paper.file(folder));
        }
        papers
    }

    /// Takes a file among those that are there; answers with those whose place it takes.
    fn admit(&mut self, paper: &Paper) -> Result<Vec<Uuid>, PaperRefused> {
        if let Some(key) = &paper.key {
            let nowhere = Path::new("");
            let mut papers = self.all_rows(&Said::new(), nowhere);
            papers.add(key, paper.file(nowhere))?;
            self.papers.push(paper.clone());
            return Ok(Vec::new());
        }
        let name = plain(&paper.name);
        let same = |known: &Paper| known.key.is_none() && plain(&known.name) == name;
        let others = || self.named().filter(|known| !same(known));
        if others().count() >= NAMED_AT_MOST {
            return Err(PaperRefused::Many);
        }
        if others().map(|known| known.bytes).sum::<u64>() + paper.bytes > NAMED_BYTES {
            return Err(PaperRefused::Long);
        }
        let replaced = self.papers.extract_if(.., |known| same(known));
        let replaced = replaced.map(|known| known.id).collect();
        self.papers.push(paper.clone());
        Ok(replaced)
    }
}

impl Paper {
    fn file(&self, folder: &Path) -> ProofFile {
        ProofFile {
            name: self.name.clone(),
            path: folder.join(self.id.to_string()),
            sha256: parse_hash(&self.sha256).unwrap_or_default(),
            bytes: self.bytes,
        }
    }
}

/// Files can be added and taken away as long as the import was not started.
fn check_open(draft: &Draft<ImportDraft>) -> Result<(), DraftProblem> {
    match draft.stage {
        Stage::Open | Stage::Trying | Stage::Tried => Ok(()),
        Stage::Started | Stage::Done | Stage::Failed => Err(DraftProblem::Changed),
    }
}

impl App {
    pub(super) fn proofs_of(&self, draft: &Draft<ImportDraft>) -> PathBuf {
        files::path(&self.config.uploads.folder, draft.id, Part::Proofs)
    }

    /// The proof that holds for all rows of a list, with its files.
    pub(super) fn papers_of(&self, draft: &Draft<ImportDraft>) -> Papers {
        draft.of.all_rows(&draft.of.said, &self.proofs_of(draft))
    }

    /// The files that rows of a list may name.
    pub(super) fn named_of(&self, draft: &Draft<ImportDraft>) -> ProofFolder {
        let folder = self.proofs_of(draft);
        ProofFolder::of(draft.of.named().map(|paper| paper.file(&folder)))
    }

    /// Begins to take a file.
    pub async fn begin_paper(
        &self,
        draft: &Draft<ImportDraft>,
        name: &str,
    ) -> Result<Arriving, PaperRefused> {
        check_open(draft)?;
        let name = name.trim();
        if !(1..=NAME_AT_MOST).contains(&name.chars().count()) || name.chars().any(char::is_control)
        {
            return Err(PaperRefused::Name);
        }
        let folder = self.proofs_of(draft);
        files::made(&folder)?;
        let id = self.random.uuid_v7(self.clock.now());
        let path = folder.join(id.to_string());
        let file = File::from_std(files::create(&path)?);
        Ok(Arriving {
            paper: Paper {
                id,
                key: None,
                name: name.to_owned(),
                bytes: 0,
                sha256: String::new(),
            },
            path,
            file,
            hash: Sha256::new(),
            is_kept: false,
        })
    }

    /// Keeps files that were brought whole, each for a piece of proof of all rows, or (none) by the name that rows give it. Those
    /// that are not refused are on the disk when this answers, and stand in the draft; of the others the names with the reasons.
    pub async fn keep_papers(
        &self,
        mut draft: Draft<ImportDraft>,
        brought: Vec<(Option<String>, Arriving)>,
    ) -> Result<(Draft<ImportDraft>, Vec<(String, PaperRefused)>), PaperRefused> {
        let mut refused = Vec::new();
        let mut whole = Vec::with_capacity(brought.len());
        for (key, mut one) in brought {
            one.paper.key = key;
            match one.end().await {
                Ok(()) => whole.push(one),
                Err(PaperRefused::Io(problem)) => return Err(problem.into()),
                Err(problem) => refused.push((one.paper.name.clone(), problem)),
            }
        }
        if whole.is_empty() {
            return Ok((draft, refused));
        }
        files::sync(&self.proofs_of(&draft))?;
        for _ in 0..ATTEMPTS {
            check_open(&draft)?;
            let mut next = draft.clone();
            let (mut replaced, mut not_now, mut is_in) = (Vec::new(), Vec::new(), Vec::new());
            for one in &whole {
                match next.of.admit(&one.paper) {
                    Ok(ids) => {
                        replaced.extend(ids);
                        is_in.push(one.paper.id);
                    }
                    Err(problem) => not_now.push((one.paper.name.clone(), problem)),
                }
            }
            if is_in.is_empty() {
                refused.extend(not_now);
                return Ok((draft, refused));
            }
            // What came of a trial without them is forgotten.
            (next.stage, next.of.trial) = (Stage::Open, None);
            match self.change_draft(&mut next).await {
                Err(DraftProblem::Changed) => {
                    let now = self.import_draft(draft.brand, draft.id).await?;
                    draft = now.ok_or(DraftProblem::Changed)?;
                }
                Err(problem) => return Err(problem.into()),
                Ok(()) => {
                    for one in &mut whole {
                        one.is_kept = is_in.contains(&one.paper.id);
                    }
                    self.remove_papers(&next, &replaced);
                    refused.extend(not_now);
                    return Ok((next, refused));
                }
            }
        }
        Err(DraftProblem::Changed.into())
    }

    /// Takes files away again; those that are not there are none less.
    pub async fn drop_papers(
        &self,
        mut draft: Draft<ImportDraft>,
        which: impl Fn(&Paper) -> bool,
    ) -> Result<Draft<ImportDraft>, DraftProblem> {
        let gone = draft.of.papers.extract_if(.., |paper| which(paper));
        let gone: Vec<Uuid> = gone.map(|paper| paper.id).collect();
        if gone.is_empty() {
            return Ok(draft);
        }
        check_open(&draft)?;
        (draft.stage, draft.of.trial) = (Stage::Open, None);
        self.change_draft(&mut draft).await?;
        self.remove_papers(&draft, &gone);
        Ok(draft)
    }

    fn remove_papers(&self, draft: &Draft<ImportDraft>, gone: &[Uuid]) {
        let folder = self.proofs_of(draft);
        for id in gone {
            if let Err(problem) = files::remove(&folder.join(id.to_string())) {
                tracing::warn!(%problem, "a file of proof that was removed goes with its list");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, bytes: u64) -> Paper {
        Paper {
            id: Uuid::from_u128(bytes.into()),
            key: None,
            name: name.to_owned(),
            bytes,
            sha256: "00".repeat(32),
        }
    }

    fn draft() -> ImportDraft {
        ImportDraft {
            operator: "olga".to_owned(),
            file_name: "people.csv".to_owned(),
            bytes: 1,
            sha256: "00".repeat(32),
            purpose: "newsletter".to_owned().try_into().unwrap(),
            said: Said::new(),
            papers: Vec::new(),
            trial: None,
            name: None,
            import: None,
            problem: None,
        }
    }

    #[test]
    fn so_many_files_may_be_there_for_rows_to_name_and_one_of_the_same_name_takes_no_further_place()
    {
        let mut draft = draft();
        for number in 0..NAMED_AT_MOST {
            draft.admit(&named(&format!("{number}.png"), 1)).unwrap();
        }
        let more = draft.admit(&named("more.png", 1));
        assert!(matches!(more, Err(PaperRefused::Many)), "{more:?}");
        let again = draft.admit(&named("./7.png", 2)).unwrap();
        assert_eq!(again, [Uuid::from_u128(1)]);
        assert_eq!(draft.named().count(), NAMED_AT_MOST);
    }

    #[test]
    fn files_for_rows_to_name_may_be_so_long_together() {
        let mut draft = draft();
        draft.admit(&named("a.png", NAMED_BYTES - 5)).unwrap();
        let long = draft.admit(&named("b.png", 6));
        assert!(matches!(long, Err(PaperRefused::Long)), "{long:?}");
        draft.admit(&named("b.png", 5)).unwrap();
        draft.admit(&named("a.png", NAMED_BYTES - 5)).unwrap();
        assert_eq!(draft.named().count(), 2);
    }
}
