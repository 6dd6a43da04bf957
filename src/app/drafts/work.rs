//! Doing what takes long: trying a list, taking it in, counting a campaign.

use std::time::Duration;

use uuid::Uuid;

use super::campaign::CampaignDraft;
use super::files::{self, Part};
use super::look::{open, words};
use super::{Draft, DraftProblem, ImportDraft, Kind, Sample, Stage, Trial};
use crate::app::App;
use crate::app::import::{Again, Import, Problem};
use crate::domain::brand::Brand;
use crate::domain::ids::BrandId;
use crate::intake::Rows;
use crate::intake::candidate::Reading;
use crate::store::{StoreError, drafts, leases};

/// How long one process keeps the others from a draft, and how often it says that it is still at it.
const LEASE: Duration = Duration::from_secs(15);
const RENEW: Duration = Duration::from_secs(5);

/// A draft about which something is to be done here; this process has its lease.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    brand: BrandId,
    pub id: Uuid,
}

impl Due {
    fn lease(&self) -> String {
        format!("draft {}", self.id)
    }
}

impl App {
    /// The oldest draft that nobody works on and that this process can: it has the list.
    pub async fn next_draft(&self, at_work: &[Uuid]) -> Result<Option<Due>, StoreError> {
        let mut conn = self.store.read().await?;
        let due = drafts::list_due(&mut conn).await?;
        drop(conn);
        for row in due {
            let list = files::path(&self.config.uploads.folder, row.id, Part::List);
            if at_work.contains(&row.id) || row.kind == ImportDraft::KIND && !list.exists() {
                continue;
            }
            let due = Due {
                brand: row.brand_id,
                id: row.id,
            };
            if self.hold_draft(due).await? {
                return Ok(Some(due));
            }
        }
        Ok(None)
    }

    async fn hold_draft(&self, due: Due) -> Result<bool, StoreError> {
        let now = self.clock.now();
        leases::take(
            &self.store,
            &due.lease(),
            self.at_work.holder,
            now,
            now.plus(LEASE),
        )
        .await
    }

    /// Does all there is to do about a draft. Ended in between, it is done again, or gone on with.
    pub async fn work_on(&self, due: Due) {
        let work = async {
            if let Err(problem) = self.work_through(due).await {
                tracing::warn!(%problem, "an import or a campaign in preparation waits");
                // It is tried again; not at once, since it is the database that did not do.
                tokio::time::sleep(RENEW).await;
            }
        };
        let renew = async {
            loop {
                tokio::time::sleep(RENEW).await;
                // Whoever cannot renew works on: an import notices who overtook it.
                let _ = self.hold_draft(due).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = renew => {}
        }
        self.at_work.forget(due.id);
        let ended = leases::end(&self.store, &due.lease(), self.at_work.holder).await;
        if let Err(error) = ended {
            tracing::warn!(%error, "the lease on a draft runs out by itself");
        }
    }

    async fn work_through(&self, due: Due) -> Result<(), DraftProblem> {
        let Some(brand) = self.catalog().brand(due.brand).cloned() else {
            return Ok(());
        };
        if let Some(draft) = self.find_draft::<CampaignDraft>(due.brand, due.id).await? {
            return settled(match draft.stage {
                Stage::Trying => self.count_draft(&brand, draft).await,
                _ => Ok(()),
            });
        }
        let Some(draft) = self.find_draft::<ImportDraft>(due.brand, due.id).await? else {
            return Ok(());
        };
        settled(match draft.stage {
            Stage::Trying => self.try_draft(&brand, draft).await,
            Stage::Started => self.take_draft_in(&brand, draft).await,
            _ => Ok(()),
        })
    }

    async fn opened(
        &self,
        brand: &Brand,
        draft: &Draft<ImportDraft>,
    ) -> Result<(Rows, Reading), String> {
        let (path, said) = (self.list_of(draft), draft.of.said.clone());
        let (rules, proofs) = (
            (self.address_rules(), self.terms(brand).zone),
            (self.papers_of(draft), self.named_of(draft)),
        );
        let opened = tokio::task::spawn_blocking(move || {
            let opened = open(&path, &said)?;
            Ok((opened.rows, said.reading(opened.columns, rules, proofs)))
        });
        let fault = |_| Err("The list could not be read.".to_owned());
        opened.await.unwrap_or_else(fault)
    }

    /// A first look at a list: which addresses come more than once.
    async fn looked(&self, brand: &Brand, draft: &Draft<ImportDraft>) -> Result<Again, String> {
        let (mut rows, reading) = self.opened(brand, draft).await?;
        let looked = tokio::task::spawn_blocking(move || Again::look(&mut rows, &reading));
        let fault = |_| Err("The list could not be read.".to_owned());
        looked
            .await
            .map(|looked| looked.map_err(|problem| problem.to_string()))
            .unwrap_or_else(fault)
    }

    async fn try_draft(
        &self,
        brand: &Brand,
        mut draft: Draft<ImportDraft>,
    ) -> Result<(), DraftProblem> {
        let mut trial = Trial::default();
        match self.opened(brand, &draft).await {
            Err(problem) => trial.problem = Some(problem),
            Ok((rows, reading)) => {
                let import = Import {
                    brand,
                    purpose: &draft.of.purpose,
                    terms: self.terms_of(brand, &draft.of.said),
                    language: &draft.of.said.language,
                };
                let used = reading.columns.used.iter();
                trial.columns = used
                    .map(|(_, field, name)| (name.clone(), field.to_string()))
                    .collect();
                trial.left_out = reading.columns.left_out.len();
                let id = draft.id;
                let show = |progress| self.at_work.note(id, progress);
                let again = match self.looked(brand, &draft).await {
                    Ok(again) => again,
                    Err(problem) => {
                        trial.problem = Some(problem);
                        Again::none()
                    }
                };
                let (tally, ended) = self
                    .try_import(&import, again, (rows, reading), None, show)
                    .await;
                match ended {
                    Ok(about) => trial.about = about,
                    Err(Problem::Store(problem)) => return Err(problem.into()),
                    Err(problem) => trial.problem = Some(told(&problem)),
                }
                let samples = serde_json::to_vec(&Sample::all(&tally)).unwrap_or_default();
                let folder = &self.config.uploads.folder;
                if let Err(problem) = files::replace(folder, draft.id, Part::Samples, &samples) {
                    tracing::warn!(%problem, "the samples of a dry run could not be kept");
                }
                trial.counts = tally.counts;
            }
        }
        draft.of.trial = Some(trial);
        draft.stage = Stage::Tried;
        self.change_draft(&mut draft).await
    }

    async fn take_draft_in(
        &self,
        brand: &Brand,
        mut draft: Draft<ImportDraft>,
    ) -> Result<(), DraftProblem> {
        let ended = self.run_draft(brand, &draft).await;
        let folder = &self.config.uploads.folder;
        match ended {
            Ok(()) => {
                draft.stage = Stage::Done;
                self.change_draft(&mut draft).await?;
                // The report tells of all rows; the list itself is not needed any more.
                if let Err(problem) = files::remove_all(folder, draft.id, &[Part::Report]) {
                    tracing::warn!(%problem, "a list that was taken in is tidied away later");
                }
                Ok(())
            }
            Err(Broken::Store(problem)) => Err(problem.into()),
            Err(Broken::Told(problem)) => {
                (draft.stage, draft.of.problem) = (Stage::Failed, Some(problem));
                self.change_draft(&mut draft).await
            }
        }
    }

    async fn run_draft(&self, brand: &Brand, draft: &Draft<ImportDraft>) -> Result<(), Broken> {
        let import = Import {
            brand,
            purpose: &draft.of.purpose,
            terms: self.terms_of(brand, &draft.of.said),
            language: &draft.of.said.language,
        };
        // Its papers were kept when it was started.
        let new = self.new_import(draft, Vec::new());
        let begun = match self.begin_import(&import, new).await {
            Ok(begun) => begun,
            // Ended by this very draft, and killed before the draft said so.
            Err(crate::app::import::ImportProblem::Done(_)) => return Ok(()),
            Err(crate::app::import::ImportProblem::Store(problem)) => {
                return Err(Broken::Store(problem));
            }
            Err(problem) => return Err(Broken::Told(problem.to_string())),
        };
        let file = self.opened(brand, draft).await.map_err(Broken::Told)?;
        let report = files::path(&self.config.uploads.folder, draft.id, Part::Report);
        let show = |progress| self.at_work.note(draft.id, progress);
        let (_, ended) = self
            .run_import(&import, begun, file, Some(&report), show)
            .await;
        match ended {
            Ok(_) => Ok(()),
            Err(Problem::Store(problem)) => Err(Broken::Store(problem)),
            Err(problem @ Problem::File(..)) => Err(Broken::Told(format!(
                "{} The rows before are in. Take the import back, and bring a whole file.",
                told(&problem)
            ))),
            Err(problem) => Err(Broken::Told(told(&problem))),
        }
    }
}

/// How an import breaks off: for now, or until somebody looks at it.
enum Broken {
    Store(StoreError),
    Told(String),
}

fn told(problem: &Problem) -> String {
    match problem {
        Problem::File(file, line) => format!(
            "Behind line {line} the list cannot be read. {}",
            words(file)
        ),
        other => format!("It broke off: {other}."),
    }
}

/// Whoever changed the draft meanwhile had a reason: the work is for nothing, and nothing is wrong.
fn settled(done: Result<(), DraftProblem>) -> Result<(), DraftProblem> {
    match done {
        Err(DraftProblem::Changed) => Ok(()),
        done => done,
    }
}
