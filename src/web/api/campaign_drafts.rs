//! `/api/v1/campaign-drafts`: campaigns before they start. Each is counted first, and its mail can be looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input, Params};
use super::campaigns::{CampaignItem, item_of, refused};
use super::cursor;
use super::idempotent::once;
use super::imports::BrandQuery;
use super::key::{CampaignsWrite, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::campaign::{NewCampaign, NoPreview, Worded, WordedProblem};
use crate::app::drafts::campaign::CampaignDraft;
use crate::app::drafts::{Draft, KEPT_FOR, Stage};
use crate::domain::brand::Brand;
use crate::domain::campaign::{Kind, complaints_by_default};
use crate::domain::operator::Deed;
use crate::web::Web;

/// Campaigns of a brand that may wait for their start.
const WAITING_AT_MOST: usize = 100;
const WARM_UP_AT_MOST: usize = 365;
const TEXT_AT_MOST: usize = 4_000;

/// A campaign, as `countersign campaign start` takes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignRequest {
    #[schema(example = "acme")]
    brand: String,
    #[schema(example = "spring", min_length = 1, max_length = 100)]
    name: String,
    /// `invitation`, `reconfirmation` or `merger_notice`.
    #[schema(example = "invitation")]
    kind: String,
    #[schema(example = "newsletter")]
    purpose: String,
    /// Whose wording people agree to, and where they come out.
    #[schema(example = "news")]
    form: String,
    /// Only the contacts of the import of this name.
    import: Option<String>,
    /// Only people whose confirmation or use is older than the brand's `reconfirm` terms; of a re-confirmation.
    #[serde(default)]
    due: bool,
    /// Of a merger: the brand that people know.
    #[schema(max_length = 1000)]
    old_brand: Option<String>,
    /// Your own words, a paragraph of the mail; of a merger, what changes.
    #[schema(max_length = 1000)]
    note: Option<String>,
    /// Mails an hour; 0 is no limit.
    #[serde(default = "by_default::rate")]
    #[schema(example = 500)]
    rate: u32,
    /// Mails on each of the first days.
    #[serde(default)]
    #[schema(max_items = 365)]
    warm_up: Vec<u32>,
    /// Hours of the day in the brand's time zone: from the first, before the second.
    #[schema(value_type = Option<Vec<u8>>, min_items = 2, max_items = 2)]
    hours: Option<(u8, u8)>,
    /// Days that people have to answer.
    #[serde(default = "by_default::answer_within")]
    #[schema(minimum = 1, maximum = 90)]
    answer_within: u16,
    /// One reminder after so many days.
    remind_after: Option<u16>,
    /// From this day on implicit consent that was not confirmed ends.
    #[schema(example = "2027-12-31")]
    lapse_unanswered_on: Option<String>,
    /// It stops by itself when so many of a hundred mails fail or come back.
    #[serde(default = "by_default::stop_at_failed")]
    #[schema(minimum = 1, maximum = 100)]
    stop_at_failed: u8,
    /// It stops by itself when so many of a thousand people complain, and three at least.
    #[serde(default = "complaints_by_default")]
    #[schema(minimum = 1, maximum = 1000)]
    stop_at_complaints: u16,
}

impl Input for CampaignRequest {}

mod by_default {
    pub(super) const fn rate() -> u32 {
        500
    }
    pub(super) const fn answer_within() -> u16 {
        30
    }
    pub(super) const fn stop_at_failed() -> u8 {
        10
    }
}

/// A campaign before its start, and whom it would ask.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignDraftItem {
    #[schema(format = "uuid")]
    id: String,
    brand: String,
    name: String,
    kind: &'static str,
    purpose: String,
    form: String,
    /// `trying` (it is being counted) or `tried`.
    stage: &'static str,
    /// People whom the server would ask by itself; null until it was counted.
    asked: Option<u64>,
    /// People whom only a person may ask; they wait to be released.
    held: Option<u64>,
    /// Of both, people whom some campaign has asked before.
    asked_before: Option<u64>,
    /// Who would be left out, by the reason.
    left_out: BTreeMap<String, u64>,
    /// Why it cannot start any more.
    problem: Option<String>,
    /// When it is removed if it is not started by then.
    #[schema(format = DateTime)]
    until: String,
}

/// A mail as it would leave now. Its links belong to no request, and do not work.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailAnswer {
    to: String,
    subject: String,
    text: String,
    html: String,
}

fn item(brand: &Brand, draft: &Draft<CampaignDraft>) -> CampaignDraftItem {
    let of = &draft.of;
    let counted = of.counted.as_ref();
    CampaignDraftItem {
        id: draft.id.to_string(),
        brand: brand.declared.slug.to_string(),
        name: of.name.clone(),
        kind: of.plan.kind.as_str(),
        purpose: of.plan.purpose.to_string(),
        form: of.plan.form.to_string(),
        stage: draft.stage.as_str(),
        asked: counted.map(|counted| counted.asked),
        held: counted.map(|counted| counted.held),
        asked_before: counted.map(|counted| counted.asked_before),
        left_out: counted.map_or_else(BTreeMap::new, |counted| counted.left_out.clone()),
        problem: of.problem.clone(),
        until: draft.begun_at.plus(KEPT_FOR).to_string(),
    }
}

async fn find<S>(
    shared: &Web,
    key: &Key<S>,
    id: &str,
) -> Result<(Arc<Brand>, Draft<CampaignDraft>), ApiProblem> {
    let none = "There is no such campaign before its start.";
    let app = &shared.app;
    key.find(shared, id, none, |brand, id| app.campaign_draft(brand, id))
        .await
}

fn worded(body: CampaignRequest) -> Result<(String, Worded), ApiProblem> {
    let Some(kind) = Kind::parse(&body.kind) else {
        let all = Kind::ALL.map(Kind::as_str).join(", ");
        return Err(ApiProblem::invalid("kind", format!("It is one of {all}.")));
    };
    if body.warm_up.len() > WARM_UP_AT_MOST {
        let detail = format!("At most {WARM_UP_AT_MOST} days.");
        return Err(ApiProblem::invalid("warm_up", detail));
    }
    let texts = [&body.import, &body.old_brand, &body.note];
    if texts
        .iter()
        .any(|text| text.as_deref().unwrap_or_default().len() > TEXT_AT_MOST)
    {
        return Err(ApiProblem::invalid("note", "It is too long."));
    }
    let worded = Worded {
        kind,
        purpose: body.purpose,
        form: body.form,
        import: body.import,
        due: body.due,
        old_brand: body.old_brand,
        note: body.note,
        an_hour: body.rate,
        warm_up: body.warm_up,
        hours: body.hours,
        answer_within_days: body.answer_within,
        remind_after_days: body.remind_after,
        lapse_unanswered_on: body.lapse_unanswered_on,
        stop_at_failed_percent: body.stop_at_failed,
        stop_at_complaints_permille: body.stop_at_complaints,
    };
    Ok((body.name, worded))
}

fn not_worded(problem: WordedProblem) -> ApiProblem {
    let field = match &problem {
        WordedProblem::Purpose(_) => "purpose",
        WordedProblem::Form(_) => "form",
        WordedProblem::Import(_) => "import",
        WordedProblem::Due(_) => "due",
        WordedProblem::Day(_) => "lapse_unanswered_on",
        WordedProblem::Store(_) => "",
    };
    match problem {
        WordedProblem::Store(error) => error.into(),
        problem => ApiProblem::invalid(field, format!("{problem}.")),
    }
}

/// Prepare a campaign: it is checked, and whom it would ask is counted. Nobody is asked before it is started.
///
/// Ask for it until its stage is `tried`. It waits for a day.
#[utoipa::path(post, path = "/api/v1/campaign-drafts", operation_id = "createCampaignDraft", tag = "Campaigns",
    request_body = CampaignRequest, security(("key" = ["campaigns:write"])),
    responses((status = 202, description = "It is being counted", body = CampaignDraftItem)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    body: Body<CampaignRequest>,
) -> Answer {
    let brand = key.brand(&shared, &body.value.brand)?;
    let (name, worded) = worded(body.value)?;
    let by = format!("API key {}", key.key.name);
    let work = {
        let shared = shared.clone();
        async move {
            let app = &shared.app;
            if app.campaign_drafts(brand.id).await?.len() >= WAITING_AT_MOST {
                return Err(ApiProblem::conflict(format!(
                    "{WAITING_AT_MOST} campaigns of the brand wait for their start already; start or remove one of them first."
                )));
            }
            let plan = app.plan_of(&brand, worded).await.map_err(not_worded)?;
            let new = NewCampaign { name, plan };
            let id = app.draft_campaign(&brand, &by, new).await;
            let id = id.map_err(refused)?;
            let draft = app.campaign_draft(brand.id, id).await?;
            let draft = draft.ok_or_else(|| ApiProblem::unavailable("It is gone already."))?;
            Reply::json(StatusCode::ACCEPTED, &item(&brand, &draft))
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

/// A brand's campaigns before their start, newest first. They wait for a day.
#[utoipa::path(get, path = "/api/v1/campaign-drafts", operation_id = "listCampaignDrafts", tag = "Campaigns", params(BrandQuery),
    security(("key" = ["campaigns:write"])),
    responses((status = 200, description = "A page of campaigns", body = Page<CampaignDraftItem>)))]
pub async fn list(
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    query: Params<BrandQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let before = cursor::before(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let found = shared.app.campaign_drafts_before(brand.id, before, limit);
    let found = found.await?;
    let next = cursor::next(&found, limit, |last| cursor::of_id(last.id));
    let items: Vec<CampaignDraftItem> = found.iter().map(|draft| item(&brand, draft)).collect();
    ok(&Page { items, next })
}

/// A campaign before its start.
#[utoipa::path(get, path = "/api/v1/campaign-drafts/{id}", operation_id = "getCampaignDraft", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:write"])),
    responses((status = 200, description = "The campaign", body = CampaignDraftItem)))]
pub async fn show(
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
) -> Answer {
    let (brand, draft) = find(&shared, &key, &id).await?;
    ok(&item(&brand, &draft))
}

/// The very mail that somebody would get; to the brand's own address where nobody would be asked.
#[utoipa::path(get, path = "/api/v1/campaign-drafts/{id}/mail", operation_id = "previewCampaign", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:write"])),
    responses((status = 200, description = "The mail", body = MailAnswer)))]
pub async fn mail(
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
) -> Answer {
    let (brand, draft) = find(&shared, &key, &id).await?;
    let example = draft.of.counted.and_then(|counted| counted.example);
    let mail = shared.app.preview_campaign(&brand, &draft.of.plan, example);
    let raw = mail.await.map_err(|problem| match problem {
        NoPreview::Store(error) => error.into(),
        NoPreview::Form | NoPreview::Compose(_) => {
            ApiProblem::conflict("The form of this campaign is gone, or its mail cannot be made.")
        }
    })?;
    let mail = MessageParser::default().parse(&raw);
    let mail = mail.ok_or_else(|| ApiProblem::unavailable("The mail cannot be read."))?;
    let to = mail.to().and_then(|to| to.first());
    let owned = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().into_owned();
    ok(&MailAnswer {
        to: to
            .and_then(|one| one.address())
            .unwrap_or_default()
            .to_owned(),
        subject: mail.subject().unwrap_or_default().to_owned(),
        text: owned(mail.body_text(0)),
        html: owned(mail.body_html(0)),
    })
}

/// Start a campaign that was counted. The server asks its people, at its pace.
#[utoipa::path(post, path = "/api/v1/campaign-drafts/{id}/start", operation_id = "startCampaign", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:write"])),
    responses((status = 201, description = "It has started", body = CampaignItem)))]
pub async fn start(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
) -> Answer {
    let acting = key.acting(&request, &shared);
    let asker = key.key.id;
    let work = {
        let shared = shared.clone();
        async move {
            let (brand, draft) = find(&shared, &key, &id).await?;
            let app = &shared.app;
            if draft.stage != Stage::Tried || draft.of.problem.is_some() {
                let detail = "It is not counted yet, or cannot start any more; look at it again.";
                return Err(ApiProblem::conflict(detail));
            }
            let on = Some(draft.of.name.clone());
            app.acted(&acting, Deed::CampaignStarted, on).await?;
            let started = app.start_draft(&brand, &draft).await;
            let id = started.map_err(refused)?;
            Reply::json(StatusCode::CREATED, &item_of(&shared, &brand, id).await?)
        }
    };
    once(&request, shared, asker, [0; 32], work).await
}

/// Remove a campaign that was not started.
#[utoipa::path(delete, path = "/api/v1/campaign-drafts/{id}", operation_id = "deleteCampaignDraft", tag = "Campaigns",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["campaigns:write"])),
    responses((status = 204, description = "It is gone")))]
pub async fn remove(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CampaignsWrite>,
    id: web::Path<String>,
) -> Answer {
    let asker = key.key.id;
    let work = {
        let shared = shared.clone();
        async move {
            let (_, draft) = find(&shared, &key, &id).await?;
            shared.app.drop_campaign_draft(&draft).await?;
            Ok(Reply::nothing())
        }
    };
    once(&request, shared, asker, [0; 32], work).await
}
