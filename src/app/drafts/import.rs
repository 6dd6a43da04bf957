//! An import as it is put together in the pages.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::files::{self, Part};
use super::{Draft, DraftProblem, Kind, Paper, Said, Stage};
use crate::app::App;
use crate::app::acted::Acting;
use crate::app::import::tally::{Counts, Tally};
use crate::app::import::{Import, ImportProblem, NewImport};
use crate::app::proof::parse_hash;
use crate::domain::brand::{Brand, Slug};
use crate::domain::ids::{BrandId, ImportId};
use crate::domain::operator::Deed;
use crate::intake::papers::Content;
use crate::intake::proof::ProofProblem;
use crate::store::StoreError;

/// A list that was brought, with what was said of it and what came of that.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportDraft {
    /// The name of the operator who brought it.
    pub operator: String,
    pub file_name: String,
    pub bytes: u64,
    pub sha256: String,
    pub purpose: Slug,
    pub said: Said,
    /// Files of proof that were brought for it.
    #[serde(default)]
    pub papers: Vec<Paper>,
    pub trial: Option<Trial>,
    pub name: Option<String>,
    pub import: Option<ImportId>,
    /// Why it broke off, in words that say what to do.
    pub problem: Option<String>,
}

impl Kind for ImportDraft {
    const KIND: &'static str = "import";
}

/// What would come of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trial {
    /// What it was taken for.
    pub about: String,
    pub counts: Counts,
    /// Columns with the fields that they hold, and how many are left out.
    pub columns: Vec<(String, String)>,
    pub left_out: usize,
    /// Why it could not be read to its end.
    pub problem: Option<String>,
}

/// A row to look at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub verdict: String,
    pub line: u64,
    pub address: String,
    pub rule: String,
    pub outreach: String,
    pub reason: String,
}

impl Sample {
    pub(super) fn all(tally: &Tally) -> Vec<Self> {
        let samples = tally.samples.values().flatten();
        samples
            .map(|told| Self {
                verdict: told.verdict_word().to_owned(),
                line: told.line,
                address: told.address.clone(),
                rule: told.rule.map_or("", |rule| rule.id()).to_owned(),
                outreach: told.outreach.map_or("", |way| way.as_str()).to_owned(),
                reason: told.reason.clone(),
            })
            .collect()
    }
}

/// Why an import does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartProblem {
    #[error("try it first: what would become of everybody is shown before anything is stored")]
    NotTried,
    #[error("the server does not have the list any more; bring it again")]
    Gone,
    /// A file of proof is not what was brought.
    #[error("the file of proof {0}: {1}; remove it, and bring it again")]
    Paper(String, ProofProblem),
    #[error("the files of proof could not be read; please try again")]
    Reader,
    #[error(transparent)]
    Import(#[from] ImportProblem),
    #[error(transparent)]
    Draft(#[from] DraftProblem),
}

impl From<StoreError> for StartProblem {
    fn from(error: StoreError) -> Self {
        Self::Draft(error.into())
    }
}

impl App {
    pub async fn import_draft(
        &self,
        brand: BrandId,
        id: Uuid,
    ) -> Result<Option<Draft<ImportDraft>>, StoreError> {
        self.find_draft(brand, id).await
    }

    /// A brand's lists that were brought, newest first.
    pub async fn import_drafts(
        &self,
        brand: BrandId,
    ) -> Result<Vec<Draft<ImportDraft>>, StoreError> {
        self.list_drafts(brand).await
    }

    /// The same that are older than one.
    pub async fn import_drafts_before(
        &self,
        brand: BrandId,
        before: Uuid,
        limit: i64,
    ) -> Result<Vec<Draft<ImportDraft>>, StoreError> {
        self.list_drafts_before(brand, before, limit).await
    }

    /// The draft that an import came from; none of one from the command line, or once its report is gone.
    pub async fn draft_of_import(
        &self,
        brand: BrandId,
        import: ImportId,
    ) -> Result<Option<Draft<ImportDraft>>, StoreError> {
        let drafts: Vec<Draft<ImportDraft>> = self.list_drafts(brand).await?;
        Ok(drafts
            .into_iter()
            .find(|draft| draft.of.import == Some(import)))
    }

    /// Keeps what is said of a list now. What came of something else that was said is forgotten.
    pub async fn say(
        &self,
        mut draft: Draft<ImportDraft>,
        said: Said,
    ) -> Result<Draft<ImportDraft>, DraftProblem> {
        if matches!(draft.stage, Stage::Started | Stage::Done | Stage::Failed) {
            return Err(DraftProblem::Changed);
        }
        if draft.of.said != said {
            (draft.of.said, draft.of.trial) = (said, None);
            draft.stage = Stage::Open;
            self.change_draft(&mut draft).await?;
        }
        Ok(draft)
    }

    /// Has a list tried: it is read to its end, and nothing is stored.
    pub async fn have_tried(&self, mut draft: Draft<ImportDraft>) -> Result<(), DraftProblem> {
        match draft.stage {
            Stage::Open | Stage::Tried => {
                (draft.stage, draft.of.trial) = (Stage::Trying, None);
                self.change_draft(&mut draft).await
            }
            Stage::Trying => Ok(()),
            Stage::Started | Stage::Done | Stage::Failed => Err(DraftProblem::Changed),
        }
    }

    /// Rows of the trial to look at.
    pub async fn samples(&self, draft: &Draft<ImportDraft>) -> Vec<Sample> {
        let path = files::path(&self.config.uploads.folder, draft.id, Part::Samples);
        let text = tokio::fs::read(path).await.unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// `proofs`: what is kept of the files that hold for all rows.
    pub(super) fn new_import(&self, draft: &Draft<ImportDraft>, proofs: Vec<Content>) -> NewImport {
        let of = &draft.of;
        NewImport {
            name: of.name.clone().unwrap_or_default(),
            file_name: of.file_name.clone(),
            file_sha256: parse_hash(&of.sha256).unwrap_or_default(),
            reading: of.said.as_json(&self.papers_of(draft)),
            proofs,
        }
    }

    /// The contents of the files that hold for all rows.
    async fn contents_of(&self, draft: &Draft<ImportDraft>) -> Result<Vec<Content>, StartProblem> {
        let papers = self.papers_of(draft);
        let read = tokio::task::spawn_blocking(move || papers.contents());
        let read = read.await.map_err(|_| StartProblem::Reader)?;
        read.map_err(|(name, problem)| StartProblem::Paper(name, problem))
    }

    /// Starts an import. It runs in the background, and goes on by itself after a restart of the server.
    pub async fn start_import(
        &self,
        brand: &Brand,
        mut draft: Draft<ImportDraft>,
        name: &str,
    ) -> Result<ImportId, StartProblem> {
        let whole = draft
            .of
            .trial
            .as_ref()
            .is_some_and(|trial| trial.problem.is_none());
        if draft.stage != Stage::Tried || !whole {
            return Err(StartProblem::NotTried);
        }
        if !self.list_of(&draft).exists() {
            return Err(StartProblem::Gone);
        }
        draft.of.name = Some(name.trim().to_owned());
        let import = Import {
            brand,
            purpose: &draft.of.purpose.clone(),
            terms: self.terms_of(brand, &draft.of.said),
            language: &draft.of.said.language.clone(),
        };
        // Up to ten long files are in memory here; two imports begin at once, and further ones wait.
        let turn = self.at_work.looks.acquire().await;
        let proofs = self.contents_of(&draft).await?;
        let begun = self
            .begin_import(&import, self.new_import(&draft, proofs))
            .await?;
        drop(turn);
        draft.of.import = Some(begun.row.id);
        draft.stage = Stage::Started;
        self.change_draft(&mut draft).await?;
        Ok(begun.row.id)
    }

    /// Goes on with an import that broke off.
    pub async fn go_on_with_import(
        &self,
        mut draft: Draft<ImportDraft>,
    ) -> Result<(), StartProblem> {
        if draft.stage != Stage::Failed {
            return Ok(());
        }
        if !self.list_of(&draft).exists() {
            return Err(StartProblem::Gone);
        }
        (draft.stage, draft.of.problem) = (Stage::Started, None);
        Ok(self.change_draft(&mut draft).await?)
    }

    /// Removes a list of which no import was begun.
    pub async fn drop_import_draft(
        &self,
        acting: &Acting,
        draft: &Draft<ImportDraft>,
    ) -> Result<(), DraftProblem> {
        if draft.of.import.is_some() {
            return Err(DraftProblem::Changed);
        }
        let on = Some(draft.id.to_string());
        let deed = self.deed(acting, Deed::ListRemoved, on)?;
        self.delete_draft(draft, Some(deed)).await?;
        let folder = &self.config.uploads.folder;
        if let Err(problem) = files::remove_all(folder, draft.id, &[]) {
            tracing::warn!(%problem, "a list that was removed is tidied away later");
        }
        Ok(())
    }

    /// The report of an import, where it is still there.
    pub fn report_of(&self, draft: &Draft<ImportDraft>) -> Option<std::path::PathBuf> {
        let path = files::path(&self.config.uploads.folder, draft.id, Part::Report);
        (draft.stage == Stage::Done && path.exists()).then_some(path)
    }
}
