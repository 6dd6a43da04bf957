//! Imports and campaigns: how far each of them is.

use std::collections::BTreeMap;

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::body::Params;
use super::key::{CampaignsRead, ImportsRead, Key};
use super::reply::{Answer, Page, ok};
use crate::web::Web;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BrandQuery {
    #[param(example = "acme")]
    brand: String,
}

/// A file that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportItem {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    purpose: String,
    file_name: String,
    /// `running`, `done`, `withdrawing` or `withdrawn`.
    state: String,
    rows_done: i64,
    /// What became of the rows.
    #[schema(value_type = Object)]
    counts: Value,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// A campaign with its numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignItem {
    name: String,
    /// `invitation`, `reconfirmation` or `merger_notice`.
    kind: &'static str,
    /// `enrolling`, `running`, `paused`, `stopped`, `cancelled` or `done`.
    state: String,
    /// Why it stopped by itself.
    why: Option<String>,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// People who wait to be asked, who are held for release, and who were asked.
    waiting: i64,
    held: i64,
    asked: i64,
    /// Of those who were asked: whose mail a server took or did not, and how they answered.
    accepted: i64,
    failed: i64,
    confirmed: i64,
    declined: i64,
    unanswered: i64,
    cancelled: i64,
    /// Who was left out, by the reason.
    left_out: BTreeMap<String, i64>,
}

/// A brand's imports, newest first; at most 500.
#[utoipa::path(get, path = "/api/v1/imports", operation_id = "listImports", tag = "Lists", params(BrandQuery),
    security(("key" = ["imports:read"])),
    responses((status = 200, description = "The imports", body = Page<ImportItem>)))]
pub async fn imports(
    shared: web::Data<Web>,
    key: Key<ImportsRead>,
    query: Params<BrandQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let found = shared.app.imports(&brand).await?.into_iter();
    let items: Vec<ImportItem> = found
        .map(|row| ImportItem {
            id: row.id.to_string(),
            name: row.name,
            purpose: row.purpose,
            file_name: row.file_name,
            state: row.state,
            rows_done: row.rows_done,
            counts: serde_json::from_str(&row.counts).unwrap_or_default(),
            started_at: row.started_at.to_string(),
            ended_at: row.ended_at.map(|at| at.to_string()),
        })
        .collect();
    ok(&Page { items, next: None })
}

/// A brand's campaigns, newest first; at most 500.
#[utoipa::path(get, path = "/api/v1/campaigns", operation_id = "listCampaigns", tag = "Lists", params(BrandQuery),
    security(("key" = ["campaigns:read"])),
    responses((status = 200, description = "The campaigns", body = Page<CampaignItem>)))]
pub async fn campaigns(
    shared: web::Data<Web>,
    key: Key<CampaignsRead>,
    query: Params<BrandQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let mut items = Vec::new();
    for row in shared.app.campaigns(&brand).await? {
        let told = shared.app.tell_campaign(row).await?;
        items.push(CampaignItem {
            name: told.name,
            kind: told.plan.kind.as_str(),
            state: told.state,
            why: told.why,
            started_at: told.started_at.to_string(),
            ended_at: told.ended_at.map(|at| at.to_string()),
            waiting: told.waiting,
            held: told.held,
            asked: told.asked,
            accepted: told.accepted,
            failed: told.failed,
            confirmed: told.confirmed,
            declined: told.declined,
            unanswered: told.unanswered,
            cancelled: told.cancelled,
            left_out: told.left_out,
        });
    }
    ok(&Page { items, next: None })
}
