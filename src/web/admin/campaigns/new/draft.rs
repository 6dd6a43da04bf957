//! `/admin/new-campaign/{brand}/{id}`: a campaign that was put together, looked over before it starts.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::campaign::CampaignProblem;
use crate::app::drafts::campaign::CampaignDraft;
use crate::app::drafts::{Draft, Stage};
use crate::domain::brand::Brand;
use crate::domain::operator::{Deed, Operator};
use crate::web::Web;
use crate::web::admin::campaigns::mail::{Preview, framed, none, preview};
use crate::web::admin::campaigns::{plan_words, why_words};
use crate::web::admin::frame::Frame;
use crate::web::admin::jobs::{brand_and_id, grouped};
use crate::web::admin::{acting, not_found, see};
use crate::web::error;
use crate::web::page::render;

pub(super) fn path(brand: &Brand, id: uuid::Uuid) -> String {
    format!("/admin/new-campaign/{}/{id}", brand.declared.slug)
}

/// Whom it would ask.
struct Counted {
    asked: String,
    held: String,
    asked_before: String,
    left_out: Vec<(String, String)>,
    left_out_in_all: String,
    nobody: bool,
}

#[derive(Template)]
#[template(path = "admin/campaign_draft.html")]
struct DraftPage {
    frame: Frame,
    path: String,
    brand: String,
    counting: bool,
    counted: Option<Counted>,
    plan: Vec<(&'static str, String)>,
    mail: Option<Preview>,
}

type Found = (Arc<Brand>, Draft<CampaignDraft>);

async fn draft_of(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    path: &(String, String),
) -> Result<Found, HttpResponse> {
    let nowhere = || not_found(shared, operator, "This campaign");
    let (brand, id) = brand_and_id(shared, operator, (&path.0, &path.1)).ok_or_else(nowhere)?;
    match shared.app.campaign_draft(brand.id, id).await {
        Ok(Some(draft)) => Ok((brand, draft)),
        Ok(None) => Err(nowhere()),
        Err(problem) => Err(error::store_failure(request, shared, &problem)),
    }
}

async fn draft_page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (brand, draft): Found,
    problem: Option<String>,
) -> HttpResponse {
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let of = &draft.of;
    let counted = of.counted.as_ref().map(|counted| Counted {
        asked: grouped(counted.asked),
        held: grouped(counted.held),
        asked_before: grouped(counted.asked_before),
        left_out: counted
            .left_out
            .iter()
            .map(|(why, number)| (why_words(why).to_owned(), grouped(*number)))
            .collect(),
        left_out_in_all: grouped(counted.left_out.values().sum()),
        nobody: counted.asked == 0 && counted.held == 0,
    });
    let example = of.counted.as_ref().and_then(|counted| counted.example);
    let mail = if counted.is_some() {
        match preview(shared, &brand, &of.plan, example).await {
            Ok(mail) => Some(mail),
            Err(problem) => return none(request, shared, operator, &problem),
        }
    } else {
        None
    };
    let import = match of.plan.import {
        Some(import) => match shared.app.tell_import(brand.id, import).await {
            Ok(told) => told.map(|told| told.name),
            Err(problem) => return error::store_failure(request, shared, &problem),
        },
        None => None,
    };
    let told = of
        .problem
        .as_ref()
        .map(|problem| format!("It cannot start: {problem}"));
    let frame = Frame::new(shared, operator, &of.name)
        .at("/admin/campaigns")
        .below("Campaigns", "/admin/campaigns")
        .below("New campaign", "/admin/new-campaign")
        .failing(problem.or(told));
    render(
        status,
        &DraftPage {
            frame,
            path: path(&brand, draft.id),
            brand: brand.declared.name.clone(),
            counting: draft.stage == Stage::Trying,
            counted,
            plan: plan_words(&of.plan, import.as_deref()),
            mail,
        },
    )
}

/// `GET /admin/new-campaign/{brand}/{id}`
pub async fn look_over(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => draft_page(&request, &shared, &operator, found, None).await,
        Err(response) => response,
    }
}

/// `GET /admin/new-campaign/{brand}/{id}/mail.html`
pub async fn html(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (brand, draft) = match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let example = draft
        .of
        .counted
        .as_ref()
        .and_then(|counted| counted.example);
    match preview(&shared, &brand, &draft.of.plan, example).await {
        Ok(mail) => framed(mail),
        Err(problem) => none(&request, &shared, &operator, &problem),
    }
}

/// `POST /admin/new-campaign/{brand}/{id}/start`
pub async fn start(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (brand, draft) = match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if draft.of.counted.is_none() {
        return see(&self::path(&brand, draft.id));
    }
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let name = Some(draft.of.name.clone());
    if let Err(problem) = shared.app.acted(&acting, Deed::CampaignStarted, name).await {
        return error::store_failure(&request, &shared, &problem);
    }
    match shared.app.start_draft(&brand, &draft).await {
        Ok(id) => see(&format!(
            "/admin/campaigns/{}/{id}?done=started",
            brand.declared.slug
        )),
        Err(CampaignProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let text = format!("Not started: {problem}.");
            draft_page(&request, &shared, &operator, (brand, draft), Some(text)).await
        }
    }
}

/// `POST /admin/new-campaign/{brand}/{id}/remove`
pub async fn remove(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (_, draft) = match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match shared.app.drop_campaign_draft(&draft).await {
        Ok(()) => see("/admin/campaigns?done=dropped"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}
