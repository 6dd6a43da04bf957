//! `/api/v1/campaigns`: how far each is, who is in it, and what a program may do about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Body, Input, Params};
use super::cursor;
use super::idempotent::once;
use super::imports::BrandQuery;
use super::key::{CampaignsRead, CampaignsWrite, ContactsRead, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::campaign::{CampaignProblem, Told};
use crate::domain::brand::Brand;
use crate::domain::ids::CampaignId;
use crate::domain::operator::Deed;
use crate::web::Web;
use crate::web::error::FieldProblem;

/// People who are released at once.
const RELEASED_AT_MOST: usize = 1_000;
/// The states of people in a campaign.
const STATES: [&str; 7] = [
    "waiting",
    "held",
    "asked",
    "answered",
    "unanswered",
    "left_out",
    "cancelled",
];

/// A campaign with its numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignItem {
    #[schema(format = "uuid")]
    id: String,
    brand: String,
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
    /// Whom it asks, or would have asked: who waits, is held, was asked, or was not asked since it was cancelled.
    enrolled: i64,
    /// People who wait to be asked, who are held for release, and who were asked.
    waiting: i64,
    held: i64,
    asked: i64,
    /// Of those who were asked: whose mail a server took or did not, and how they answered.
    accepted: i64,
    failed: i64,
    confirmed: i64,
    declined: i64,
    /// Who left what they were asked for, instead of answering.
    left: i64,
    unanswered: i64,
    cancelled: i64,
    /// Who was left out, by the reason.
    left_out: BTreeMap<String, i64>,
}

impl CampaignItem {
    fn of(brand: &Brand, told: Told) -> Self {
        Self {
            id: told.id.to_string(),
            brand: brand.declared.slug.to_string(),
            name: told.name,
            kind: told.plan.kind.as_str(),
            state: told.state,
            why: told.why,
            started_at: told.started_at.to_string(),
            ended_at: told.ended_at.map(|at| at.to_string()),
            enrolled: told.enrolled,
            waiting: told.waiting,
            held: told.held,
            asked: told.asked,
            accepted: told.accepted,
            failed: told.failed,
            confirmed: told.confirmed,
            declined: told.declined,
            left: told.left,
            unanswered: told.unanswered,
            cancelled: told.cancelled,
            left_out: told.left_out,
        }
    }
}

const NONE: &str = "There is no such campaign.";

/// A campaign of a brand as it is now.
pub async fn item_of(
    shared: &Web,
    brand: &Brand,
    id: CampaignId,
) -> Result<CampaignItem, ApiProblem> {
    let found = shared.app.tell_campaign_of(brand.id, id).await?;
    let told = found.ok_or_else(|| ApiProblem::not_found(NONE))?;
    Ok(CampaignItem::of(brand, told))
}

type Found = (Arc<Brand>, CampaignId, CampaignItem);

/// A campaign of the brands that the key sees.
async fn find<S>(shared: &Web, key: &Key<S>, id: &str) -> Result<Found, ApiProblem> {
    let look = |brand, id| async move { shared.app.tell_campaign_of(brand, CampaignId(id)).await };
    let (brand, told) = key.find(shared, id, NONE, look).await?;
    let id = told.id;
    let item = CampaignItem::of(&brand, told);
    Ok((brand, id, item))
}

pub fn refused(problem: CampaignProblem) -> ApiProblem {
    match problem {
        CampaignProblem::Store(error) => error.into(),
        CampaignProblem::Unknown(_) => ApiProblem::not_found(NONE),
        CampaignProblem::Plan(problems) => {
            let problems = problems.into_iter().map(|problem| FieldProblem {
                field: String::new(),
                detail: format!("{problem}."),
            });
            ApiProblem::fields(problems.collect())
        }
        CampaignProblem::NotHeld { .. } => ApiProblem::conflict(
            "Nobody was released: not all of them are held here. Look again at who is held.",
        ),
        CampaignProblem::Taken(_) | CampaignProblem::State { .. } => {
            ApiProblem::conflict(format!("{problem}."))
        }
    }
}

/// A brand's campaigns, newest first.
#[utoipa::path(get, path = "/api/v1/campaigns", operation_id = "listCampaigns", tag = "Campaigns", params(BrandQuery),
    security(("key" = ["campaigns:read"])),
    responses((status = 200, description = "A page of campaigns", body = Page<CampaignItem>)))]
pub async fn list(
    shared: web::Data<Web>,
    key: Key<CampaignsRead>,
    query: Params<BrandQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let before = cursor::before(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let app = &shared.app;
    let found = app.campaigns_before(&brand, CampaignId(before), limit);
    let found = found.await?;
    let next = cursor::next(&found, limit, |last| cursor::of_id(last.id.0));
    let told = app.tell_campaigns(found).await?;
    let items: Vec<CampaignItem> = told
        .into_iter()
        .map(|told| CampaignItem::of(&brand, told))
        .collect();
    ok(&Page { items, next })
}

/// One campaign.
#[utoipa::path(get, path = "/api/v1/campaigns/{id}", operation_id = "getCampaign", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:read"])),
    responses((status = 200, description = "The campaign", body = CampaignItem)))]
pub async fn show(
    shared: web::Data<Web>,
    key: Key<CampaignsRead>,
    id: web::Path<String>,
) -> Answer {
    ok(&find(&shared, &key, &id).await?.2)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeopleQuery {
    /// Only people in this state: `waiting`, `held`, `asked`, `answered`, `unanswered`, `left_out` or `cancelled`.
    #[param(example = "held")]
    state: Option<String>,
    /// The cursor of an earlier page.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// What became of somebody in a campaign.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonItem {
    #[schema(format = "uuid")]
    contact: String,
    address: String,
    state: String,
    /// Why the person was left out.
    why: Option<String>,
    mail: Option<String>,
    answer: Option<String>,
    #[schema(format = DateTime)]
    asked_at: Option<String>,
    #[schema(format = DateTime)]
    reminded_at: Option<String>,
}

/// The people of a campaign.
#[utoipa::path(get, path = "/api/v1/campaigns/{id}/people", operation_id = "listCampaignPeople", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid"), PeopleQuery), security(("key" = ["contacts:read"])),
    responses((status = 200, description = "A page of people", body = Page<PersonItem>)))]
pub async fn people(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ContactsRead>,
    id: web::Path<String>,
    query: Params<PeopleQuery>,
) -> Answer {
    let state = query.0.state.as_deref();
    if state.is_some_and(|state| !STATES.contains(&state)) {
        let detail = format!("state is one of {}.", STATES.join(", "));
        return Err(ApiProblem::malformed(detail));
    }
    let limit = usize::try_from(cursor::limit(query.0.limit)?).unwrap_or(1);
    let after = cursor::place(query.0.after.as_deref())?;
    let (brand, id, item) = find(&shared, &key, &id).await?;
    let taken = format!("the people of the campaign {}", item.name);
    let acting = key.acting(&request, &shared);
    shared.app.takes_list(&acting, taken).await?;
    let found = shared
        .app
        .campaign_people(brand.id, id, state, after.as_deref(), limit)
        .await?;
    let items: Vec<PersonItem> = found
        .people
        .into_iter()
        .map(|one| PersonItem {
            contact: one.contact.to_string(),
            address: one.address,
            state: one.state,
            why: one.why,
            mail: one.mail,
            answer: one.answer,
            asked_at: one.asked_at.map(|at| at.to_string()),
            reminded_at: one.reminded_at.map(|at| at.to_string()),
        })
        .collect();
    let next = found.next.map(|place| cursor::of_place(&place));
    ok(&Page { items, next })
}

#[derive(Clone, Copy)]
enum Act {
    Pause,
    Resume,
    Cancel,
}

/// Ask nobody else for now; mails that wait do not leave.
#[utoipa::path(post, path = "/api/v1/campaigns/{id}/pause", operation_id = "pauseCampaign", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:write"])),
    responses((status = 200, description = "It is paused", body = CampaignItem)))]
pub async fn pause(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Pause).await
}

/// Go on with a campaign that was paused, or that stopped by itself.
#[utoipa::path(post, path = "/api/v1/campaigns/{id}/resume", operation_id = "resumeCampaign", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:write"])),
    responses((status = 200, description = "It goes on", body = CampaignItem)))]
pub async fn resume(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Resume).await
}

/// End a campaign for good. Whoever was asked can still answer.
#[utoipa::path(post, path = "/api/v1/campaigns/{id}/cancel", operation_id = "cancelCampaign", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:write"])),
    responses((status = 200, description = "It has ended", body = CampaignItem)))]
pub async fn cancel(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Cancel).await
}

async fn act(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
    act: Act,
) -> Answer {
    let (brand, id, item) = find(&shared, &key, &id).await?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let (app, name) = (&shared.app, item.name);
            let deed = match act {
                Act::Pause => Deed::CampaignPaused,
                Act::Resume => Deed::CampaignResumed,
                Act::Cancel => Deed::CampaignCancelled,
            };
            app.acted(&acting, deed, Some(name.clone())).await?;
            let done = match act {
                Act::Pause => app.pause_campaign(&brand, &name).await,
                Act::Resume => app.resume_campaign(&brand, &name).await,
                Act::Cancel => app.cancel_campaign(&brand, &name).await,
            };
            done.map_err(refused)?;
            Reply::json(StatusCode::OK, &item_of(&shared, &brand, id).await?)
        }
    };
    once(&request, shared, key.key.id, [0; 32], work).await
}

/// Who is released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// People who are held, by their addresses.
    #[schema(min_items = 1, max_items = 1000, example = json!(["ada@example.org"]))]
    addresses: Vec<String>,
}

impl Input for ReleaseRequest {
    const AT_MOST: usize = 512 << 10;
}

/// How many were released.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseAnswer {
    released: usize,
}

/// Let the server write to people whom only a person may ask: to all of these, or to none.
///
/// Each gets one invitation, and no reminder.
#[utoipa::path(post, path = "/api/v1/campaigns/{id}/release", operation_id = "releaseRequests", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), request_body = ReleaseRequest, security(("key" = ["campaigns:write"])),
    responses((status = 200, description = "They are released", body = ReleaseAnswer)))]
pub async fn release(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
    body: Body<ReleaseRequest>,
) -> Answer {
    let (brand, _, item) = find(&shared, &key, &id).await?;
    let addresses = body.value.addresses;
    if !(1..=RELEASED_AT_MOST).contains(&addresses.len()) {
        let detail = format!("Name 1 to {RELEASED_AT_MOST} addresses.");
        return Err(ApiProblem::invalid("addresses", detail));
    }
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let app = &shared.app;
            let people = if addresses.len() == 1 {
                "person"
            } else {
                "people"
            };
            let on = format!("{}: {} {people}", item.name, addresses.len());
            app.acted(&acting, Deed::RequestReleased, Some(on)).await?;
            let released = app.release_recipients(&brand, &item.name, &addresses).await;
            let released = released.map_err(refused)?;
            Reply::json(StatusCode::OK, &ReleaseAnswer { released })
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}
