//! `/admin/campaigns`: all campaigns, with their numbers, and those that wait for their start.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::{DONE, kind_words, state_words};
use crate::app::campaign::Told;
use crate::app::drafts::campaign::CampaignDraft;
use crate::app::drafts::{Draft, KEPT_FOR, Stage};
use crate::domain::brand::Brand;
use crate::domain::ids::CampaignId;
use crate::domain::operator::Operator;
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::admin::by_age::{self, ByAge};
use crate::web::admin::frame::{Done, Frame};
use crate::web::admin::jobs::{brands, tone};
use crate::web::admin::table::{Asked, Cell, Rows, Table, relative};
use crate::web::error;
use crate::web::page::render;

const COLUMNS: [(&str, bool); 14] = [
    ("Name", false),
    ("State", false),
    ("People", true),
    ("Asked", true),
    ("Accepted", true),
    ("Confirmed", true),
    ("Said no", true),
    ("Failed", true),
    ("Brand", false),
    ("Kind", false),
    ("Purpose", false),
    ("Stopped for", false),
    ("Began", false),
    ("Ended", false),
];
const STATES: [&str; 6] = [
    "looking through the contacts",
    "running",
    "paused",
    "stopped by itself",
    "done",
    "cancelled",
];

/// A campaign that somebody prepared and nobody started yet.
struct Waiting {
    name: String,
    brand: String,
    path: String,
    since: String,
    ends: String,
    by: String,
    what: &'static str,
}

#[derive(Template)]
#[template(path = "admin/campaigns.html")]
struct CampaignsPage {
    frame: Frame,
    waiting: Vec<Waiting>,
    table: Table,
}

fn row(brand: &Brand, told: Told) -> Vec<Cell> {
    let path = format!("/admin/campaigns/{}/{}", brand.declared.slug, told.id);
    vec![
        Cell::link(told.name, path),
        Cell::State(state_words(&told.state).to_owned(), tone(&told.state)),
        Cell::Number(told.enrolled),
        Cell::Number(told.asked),
        Cell::Number(told.accepted),
        Cell::Number(told.confirmed),
        Cell::Number(told.declined + told.left),
        Cell::Number(told.failed),
        Cell::text(&brand.declared.name),
        Cell::text(kind_words(told.plan.kind)),
        Cell::Text(told.plan.purpose.to_string()),
        Cell::Text(told.why.unwrap_or_default()),
        Cell::Time(told.started_at),
        Cell::time(told.ended_at),
    ]
}

fn waiting(brand: &Brand, draft: Draft<CampaignDraft>, now: Timestamp) -> Waiting {
    Waiting {
        path: format!("/admin/new-campaign/{}/{}", brand.declared.slug, draft.id),
        brand: brand.declared.name.clone(),
        since: relative(draft.begun_at, now),
        ends: relative(draft.begun_at.plus(KEPT_FOR), now),
        what: match (draft.stage, &draft.of.problem) {
            (_, Some(_)) => "cannot start any more",
            (Stage::Trying, None) => "is being counted",
            (_, None) => "counted, waits for its start",
        },
        name: draft.of.name,
        by: draft.of.operator,
    }
}

/// `GET /admin/campaigns`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    done: Query<Done>,
    asked: Query<Asked>,
) -> HttpResponse {
    let now = shared.app.clock.now();
    let brands = brands(&shared, &operator);
    let mut waiting = Vec::new();
    for brand in &brands {
        match shared.app.campaign_drafts(brand.id).await {
            Ok(drafts) => waiting.extend(
                drafts
                    .into_iter()
                    .map(|draft| self::waiting(brand, draft, now)),
            ),
            Err(problem) => return error::store_failure(&request, &shared, &problem),
        }
    }
    let rows = Rows {
        caption: "Campaigns".to_owned(),
        columns: COLUMNS.to_vec(),
        rows: Vec::new(),
        empty: "Nobody was asked yet. Begin with “New campaign”: it shows whom it would ask, and the mail, before anything is \
                sent; countersign campaign start does the same on the command line."
            .to_owned(),
    };
    let of = ByAge {
        path: "/admin/campaigns",
        file: "campaigns",
        began: "Began",
        states: &STATES,
        brands,
        rows,
    };
    let frame = Frame::new(&shared, &operator, "Campaigns")
        .at("/admin/campaigns")
        .noticing(done.done.as_deref(), &DONE);
    let web = shared.clone();
    let read = move |brand: Arc<Brand>, after: Option<Uuid>, down, limit| {
        let web = web.clone();
        async move {
            let after = (after.map(CampaignId), down);
            let told = web.app.campaigns_in_order(&brand, after, limit).await?;
            let rows = told.into_iter().map(|told| (told.id.0, row(&brand, told)));
            Ok(rows.collect())
        }
    };
    let who = (&request, &shared, &*operator);
    let table = by_age::table(who, of, (&asked, frame.may_take()), read);
    match table.await {
        Ok(table) => render(
            StatusCode::OK,
            &CampaignsPage {
                frame,
                waiting,
                table,
            },
        ),
        Err(answer) => answer,
    }
}
