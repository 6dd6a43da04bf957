//! How far a campaign is, and what became of everybody in it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::read_plan;
use crate::app::App;
use crate::domain::campaign::Plan;
use crate::domain::ids::ContactId;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::campaigns::{self, CampaignRow, Outcome};

/// A campaign with its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    pub name: String,
    pub state: String,
    pub why: Option<String>,
    pub plan: Plan,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// People who wait to be asked, who are held for release, and who were asked.
    pub waiting: i64,
    pub held: i64,
    pub asked: i64,
    /// Of those who were asked: whose mail a server took or did not, and how they answered.
    pub accepted: i64,
    pub failed: i64,
    pub confirmed: i64,
    pub declined: i64,
    pub unanswered: i64,
    pub cancelled: i64,
    pub left_out: BTreeMap<String, i64>,
}

impl App {
    pub async fn tell_campaign(&self, row: CampaignRow) -> Result<Told, StoreError> {
        let mut conn = self.store.read().await?;
        let counts = campaigns::count(&mut conn, &row).await?;
        let mut told = Told {
            plan: read_plan(&row)?,
            name: row.name,
            state: row.state,
            why: row.why,
            started_at: row.started_at,
            ended_at: row.ended_at,
            waiting: 0,
            held: 0,
            asked: 0,
            accepted: 0,
            failed: 0,
            confirmed: 0,
            declined: 0,
            unanswered: 0,
            cancelled: 0,
            left_out: BTreeMap::new(),
        };
        for (state, why, mail, answer, count) in counts {
            match state.as_str() {
                "waiting" => told.waiting += count,
                "held" => told.held += count,
                "cancelled" => told.cancelled += count,
                "left_out" => *told.left_out.entry(why.unwrap_or_default()).or_default() += count,
                _ => told.asked += count,
            }
            match mail.as_deref() {
                Some("accepted") => told.accepted += count,
                Some(_) => told.failed += count,
                None => {}
            }
            match answer.as_deref() {
                Some("confirmed") => told.confirmed += count,
                Some("declined") => told.declined += count,
                Some("open" | "expired" | "bounced") if state == "unanswered" => {
                    told.unanswered += count
                }
                _ => {}
            }
        }
        Ok(told)
    }

    /// What became of everybody, a page at a time.
    pub async fn campaign_outcomes(
        &self,
        row: &CampaignRow,
        after: Option<ContactId>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut conn = self.store.read().await?;
        campaigns::list_outcomes(&mut conn, row, after, 500).await
    }
}
