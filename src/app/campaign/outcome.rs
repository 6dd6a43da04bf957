//! How far a campaign is, and what became of everybody in it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::read_plan;
use crate::app::App;
use crate::domain::brand::Brand;
use crate::domain::campaign::Plan;
use crate::domain::ids::{BrandId, CampaignId, ContactId};
use crate::domain::time::Timestamp;
use crate::store::campaign_counts::{self, CountRow};
use crate::store::campaigns::{self, CampaignRow, Outcome};
use crate::store::{Engine, StoreError};

/// Campaigns that are read at once.
const PAGE: usize = 500;

/// A campaign with its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    #[serde(skip)]
    pub brand: BrandId,
    #[serde(skip)]
    pub id: CampaignId,
    pub name: String,
    pub state: String,
    pub why: Option<String>,
    pub plan: Plan,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Whom it asks, or would have asked: who waits, is held, was asked, or was not asked since it was cancelled.
    pub enrolled: i64,
    /// People who wait to be asked, who are held for release, and who were asked.
    pub waiting: i64,
    pub held: i64,
    pub asked: i64,
    /// Of those who were asked: whose mail a server took or did not, and how they answered.
    pub accepted: i64,
    pub failed: i64,
    pub confirmed: i64,
    pub declined: i64,
    /// Who left what they were asked for, instead of answering.
    pub left: i64,
    pub unanswered: i64,
    pub cancelled: i64,
    pub left_out: BTreeMap<String, i64>,
}

impl Told {
    fn of(row: CampaignRow) -> Result<Self, StoreError> {
        Ok(Self {
            plan: read_plan(&row)?,
            brand: row.brand_id,
            id: row.id,
            name: row.name,
            state: row.state,
            why: row.why,
            started_at: row.started_at,
            ended_at: row.ended_at,
            enrolled: 0,
            waiting: 0,
            held: 0,
            asked: 0,
            accepted: 0,
            failed: 0,
            confirmed: 0,
            declined: 0,
            left: 0,
            unanswered: 0,
            cancelled: 0,
            left_out: BTreeMap::new(),
        })
    }

    fn count(&mut self, what: &str, people: i64) {
        if let Some(why) = what.strip_prefix("left_out:") {
            // A reason that nobody is left out for any more.
            if people > 0 {
                self.left_out.insert(why.to_owned(), people);
            }
            return;
        }
        match what {
            "waiting" => self.waiting = people,
            "held" => self.held = people,
            "cancelled" => self.cancelled = people,
            "asked" | "answered" => self.asked += people,
            "unanswered" => {
                self.asked += people;
                self.unanswered = people;
            }
            "mail:accepted" => self.accepted = people,
            "mail:failed" => self.failed = people,
            "answer:confirmed" => self.confirmed = people,
            "answer:declined" => self.declined = people,
            "answer:left" => self.left = people,
            _ => {}
        }
    }
}

impl App {
    /// A campaign with its numbers.
    pub async fn tell_campaign(&self, row: CampaignRow) -> Result<Told, StoreError> {
        let told = self.tell_campaigns(vec![row]).await?;
        told.into_iter()
            .next()
            .ok_or(StoreError::Corrupt("a campaign that is not told"))
    }

    /// All campaigns of a brand with their numbers, newest first.
    pub async fn campaigns_told(&self, brand: &Brand) -> Result<Vec<Told>, StoreError> {
        let mut all: Vec<Told> = Vec::new();
        loop {
            let last = all.last().map(|told| told.id);
            let page = self.campaigns_in_order(brand, (last, true), PAGE).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Campaigns of one brand with their numbers, in the same order. That takes as long for ten million people as for ten: what is
    /// read was counted when it was written.
    pub async fn tell_campaigns(&self, rows: Vec<CampaignRow>) -> Result<Vec<Told>, StoreError> {
        let Some(brand) = rows.first().map(|row| row.brand_id) else {
            return Ok(Vec::new());
        };
        let ids: Vec<CampaignId> = rows.iter().map(|row| row.id).collect();
        let mut conn = self.store.read().await?;
        let counts = campaign_counts::list(&mut conn, brand, &ids).await?;
        drop(conn);
        let mut of: HashMap<CampaignId, Vec<CountRow>> = HashMap::new();
        for count in counts {
            of.entry(count.campaign_id).or_default().push(count);
        }
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let mut told = Told::of(row)?;
            for count in of.remove(&told.id).unwrap_or_default() {
                told.count(&count.what, count.people);
            }
            told.enrolled = told.waiting + told.held + told.asked + told.cancelled;
            all.push(told);
        }
        Ok(all)
    }

    /// Keeps the numbers of campaigns few, where processes count side by side: every few seconds, in the worker.
    pub(super) async fn put_counts_together(&self) -> Result<(), StoreError> {
        if self.store.engine() == Engine::Sqlite {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        campaign_counts::put_together(&mut tx).await?;
        tx.commit().await
    }

    /// What became of everybody, a page at a time.
    pub async fn campaign_outcomes(
        &self,
        row: &CampaignRow,
        after: Option<ContactId>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut conn = self.store.read().await?;
        campaigns::list_outcomes(&mut conn, row, (after, false), 500).await
    }
}
