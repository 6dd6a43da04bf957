//! A campaign as it is looked over in the pages: counted before it starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Draft, DraftProblem, Kind, Stage};
use crate::app::App;
use crate::app::campaign::{CampaignProblem, NewCampaign};
use crate::domain::brand::Brand;
use crate::domain::campaign::Plan;
use crate::domain::ids::{BrandId, CampaignId, ContactId};
use crate::store::StoreError;

/// A campaign that somebody wants, and whom it would ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CampaignDraft {
    pub operator: String,
    pub name: String,
    pub plan: Plan,
    pub counted: Option<Counted>,
    pub problem: Option<String>,
}

impl Kind for CampaignDraft {
    const KIND: &'static str = "campaign";
}

/// Whom a campaign would ask.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    pub asked: u64,
    pub held: u64,
    /// Of both, whom some campaign has asked before.
    #[serde(default)]
    pub asked_before: u64,
    /// By reason.
    pub left_out: BTreeMap<String, u64>,
    /// Somebody who would be asked, or held.
    pub example: Option<ContactId>,
}

impl Draft<CampaignDraft> {
    fn new_campaign(&self) -> NewCampaign {
        NewCampaign {
            name: self.of.name.clone(),
            plan: self.of.plan.clone(),
        }
    }
}

impl App {
    /// Keeps a campaign that somebody wants, checked as one that begins, and has it counted.
    pub async fn draft_campaign(
        &self,
        brand: &Brand,
        operator: &str,
        new: NewCampaign,
    ) -> Result<Uuid, CampaignProblem> {
        self.check_plan(brand, &new)?;
        let id = self.random.uuid_v7(self.clock.now());
        let of = CampaignDraft {
            operator: operator.to_owned(),
            name: new.name,
            plan: new.plan,
            counted: None,
            problem: None,
        };
        self.insert_draft(brand.id, id, (Stage::Trying, of), None)
            .await?;
        Ok(id)
    }

    /// A brand's campaigns that wait for their start, newest first; the first 500.
    pub async fn campaign_drafts(
        &self,
        brand: BrandId,
    ) -> Result<Vec<Draft<CampaignDraft>>, StoreError> {
        self.list_drafts(brand).await
    }

    /// The same that are older than one.
    pub async fn campaign_drafts_before(
        &self,
        brand: BrandId,
        before: Uuid,
        limit: i64,
    ) -> Result<Vec<Draft<CampaignDraft>>, StoreError> {
        self.list_drafts_before(brand, before, limit).await
    }

    pub async fn campaign_draft(
        &self,
        brand: BrandId,
        id: Uuid,
    ) -> Result<Option<Draft<CampaignDraft>>, StoreError> {
        self.find_draft(brand, id).await
    }

    /// Counts whom a draft would ask.
    pub(super) async fn count_draft(
        &self,
        brand: &Brand,
        mut draft: Draft<CampaignDraft>,
    ) -> Result<(), DraftProblem> {
        match self.count_campaign(brand, &draft.new_campaign()).await {
            Ok(groups) => {
                let why = |(why, count): (crate::domain::campaign::Why, u64)| {
                    (why.as_str().to_owned(), count)
                };
                draft.of.counted = Some(Counted {
                    asked: groups.asked,
                    held: groups.held,
                    asked_before: groups.asked_before,
                    left_out: groups.left_out.into_iter().map(why).collect(),
                    example: groups.example,
                });
            }
            Err(CampaignProblem::Store(problem)) => return Err(problem.into()),
            Err(problem) => draft.of.problem = Some(problem.to_string()),
        }
        draft.stage = Stage::Tried;
        self.change_draft(&mut draft).await
    }

    /// Begins the campaign of a draft that was counted.
    pub async fn start_draft(
        &self,
        brand: &Brand,
        draft: &Draft<CampaignDraft>,
    ) -> Result<CampaignId, CampaignProblem> {
        let row = self.begin_campaign(brand, draft.new_campaign()).await?;
        self.delete_draft(draft, None).await?;
        Ok(row.id)
    }

    pub async fn drop_campaign_draft(
        &self,
        draft: &Draft<CampaignDraft>,
    ) -> Result<(), StoreError> {
        self.delete_draft(draft, None).await
    }
}
