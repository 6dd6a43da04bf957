//! Webhooks, as programs manage them.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{Body, Input, Params};
use super::catalog::Nothing;
use super::cursor;
use super::idempotent::once;
use super::key::{Key, WebhooksRead, WebhooksWrite};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::webhooks::{NewWebhook, Webhook, WebhookProblem};
use crate::domain::announcement::Kind;
use crate::domain::brand::Brand;
use crate::domain::ids::WebhookId;
use crate::web::Web;

/// A receiver of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookItem {
    #[schema(format = "uuid")]
    id: String,
    url: String,
    /// Which events; none at all: all of them.
    types: Vec<String>,
    /// The only brand whose events are told; null for all.
    brand: Option<String>,
    about: String,
    /// `active` or `paused`.
    state: String,
    /// Why it was paused.
    why: Option<String>,
    /// Messages that wait, counted up to 1,000.
    waiting: i64,
    /// Tries that failed since the last that did not.
    failures: i64,
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// A webhook with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewWebhookAnswer {
    #[serde(flatten)]
    webhook: WebhookItem,
    /// Standard Webhooks' form: `whsec_` and base64.
    secret: String,
}

/// A receiver that is to be told of events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// https only.
    #[schema(example = "https://hooks.example.org/countersign", max_length = 1000)]
    url: String,
    /// Without it, all.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["contact.confirmed", "contact.withdrawn"]))]
    types: Vec<String>,
    /// Without it, every brand that the key sees.
    brand: Option<String>,
    #[serde(default)]
    #[schema(max_length = 200)]
    about: String,
}

impl Input for WebhookRequest {}

/// The new secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretAnswer {
    secret: String,
}

/// What a test message was answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestAnswer {
    /// Whether the receiver took it.
    taken: bool,
    /// The HTTP status; null where there was no answer.
    status: Option<u16>,
    /// The first words of the answer, or what went wrong instead.
    reply: String,
    milliseconds: u64,
}

/// One message to a receiver.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryItem {
    #[serde(rename = "type")]
    kind: String,
    #[schema(format = "uuid")]
    contact: String,
    /// `waiting`, `delivered`, `failed` (given up after 72 hours), or `dropped` (the contact was erased).
    state: String,
    tries: i64,
    #[schema(format = DateTime)]
    due_at: String,
    #[schema(format = DateTime)]
    last_try_at: Option<String>,
    status: Option<i64>,
    reply: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// The cursor of an earlier page.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

fn item(shared: &Web, webhook: Webhook) -> WebhookItem {
    let catalog = shared.app.catalog();
    let row = webhook.row;
    let brand = row.brand_id.and_then(|id| catalog.brand(id));
    WebhookItem {
        id: row.id.to_string(),
        url: row.url,
        types: names(&webhook.kinds),
        brand: brand.map(|brand| brand.declared.slug.to_string()),
        about: row.about,
        state: row.state,
        why: row.why,
        waiting: webhook.waiting,
        failures: row.failures,
        failing_since: row.failing_since.map(|at| at.to_string()),
        created_at: row.created_at.to_string(),
    }
}

fn names(kinds: &[Kind]) -> Vec<String> {
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// A key of one brand sees the webhooks of that brand, and none that tell more.
fn sees<S>(key: &Key<S>, webhook: &Webhook) -> bool {
    key.key.brand.is_none() || key.key.brand == webhook.row.brand_id
}

async fn find<S>(shared: &Web, key: &Key<S>, id: &str) -> Result<Webhook, ApiProblem> {
    let none = || ApiProblem::not_found("There is no such webhook.");
    let id = Uuid::try_parse(id).map_err(|_| none())?;
    let found = shared.app.webhook(WebhookId(id)).await?;
    found.filter(|webhook| sees(key, webhook)).ok_or_else(none)
}

fn refused(problem: WebhookProblem) -> ApiProblem {
    match problem {
        WebhookProblem::Url(why) => ApiProblem::invalid("url", format!("{why}.")),
        WebhookProblem::About => ApiProblem::invalid("about", format!("{problem}.")),
        WebhookProblem::Unknown => ApiProblem::not_found("There is no such webhook."),
        WebhookProblem::TooMany | WebhookProblem::Overtaken => {
            ApiProblem::conflict(format!("{problem}."))
        }
        WebhookProblem::Store(error) => error.into(),
    }
}

/// All webhooks.
#[utoipa::path(get, path = "/api/v1/webhooks", operation_id = "listWebhooks", tag = "Webhooks",
    security(("key" = ["webhooks:read"])),
    responses((status = 200, description = "All of them", body = Page<WebhookItem>)))]
pub async fn list(shared: web::Data<Web>, key: Key<WebhooksRead>, _: Params<Nothing>) -> Answer {
    let all = shared.app.webhooks().await?.into_iter();
    let items: Vec<WebhookItem> = all
        .filter(|webhook| sees(&key, webhook))
        .map(|webhook| item(&shared, webhook))
        .collect();
    ok(&Page { items, next: None })
}

/// Tell a receiver of events from now on.
#[utoipa::path(post, path = "/api/v1/webhooks", operation_id = "createWebhook", tag = "Webhooks",
    request_body = WebhookRequest, security(("key" = ["webhooks:write"])),
    responses((status = 201, description = "The webhook, with its secret", body = NewWebhookAnswer)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksWrite>,
    body: Body<WebhookRequest>,
) -> Answer {
    let new = new_webhook(&shared, &key, body.value)?;
    let kinds = new.kinds.clone();
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let (row, secret) = shared
                .app
                .add_webhook(Some(&acting), new)
                .await
                .map_err(refused)?;
            let webhook = Webhook {
                row,
                kinds,
                waiting: 0,
            };
            let webhook = item(&shared, webhook);
            Reply::json(StatusCode::CREATED, &NewWebhookAnswer { webhook, secret })
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

fn new_webhook<S>(
    shared: &Web,
    key: &Key<S>,
    body: WebhookRequest,
) -> Result<NewWebhook, ApiProblem> {
    let slug = body.brand.as_deref();
    let mut brand: Option<Arc<Brand>> = slug.map(|slug| key.brand(shared, slug)).transpose()?;
    if brand.is_none() && key.key.brand.is_some() {
        brand = key.brands(shared).into_iter().next();
    }
    let mut kinds = Vec::with_capacity(body.types.len().min(Kind::ALL.len()));
    for name in &body.types {
        kinds.push(Kind::parse(name).ok_or_else(|| {
            let detail = format!("Types are: {}.", names(Kind::ALL).join(", "));
            ApiProblem::invalid("types", detail)
        })?);
    }
    Ok(NewWebhook {
        url: body.url,
        kinds,
        brand,
        about: body.about,
    })
}

/// One webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", operation_id = "getWebhook", tag = "Webhooks",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["webhooks:read"])),
    responses((status = 200, description = "The webhook", body = WebhookItem)))]
pub async fn show(shared: web::Data<Web>, key: Key<WebhooksRead>, id: web::Path<String>) -> Answer {
    let webhook = find(&shared, &key, &id).await?;
    ok(&item(&shared, webhook))
}

/// Remove a webhook. What waits for it is told to nobody.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", operation_id = "deleteWebhook", tag = "Webhooks",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["webhooks:write"])),
    responses((status = 204, description = "It is gone")))]
pub async fn remove(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Remove).await
}

/// Send nothing to it until it is resumed.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/pause", operation_id = "pauseWebhook", tag = "Webhooks",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["webhooks:write"])),
    responses((status = 204, description = "It is paused")))]
pub async fn pause(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Pause).await
}

/// Go on. What happened meanwhile is told.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/resume", operation_id = "resumeWebhook", tag = "Webhooks",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["webhooks:write"])),
    responses((status = 204, description = "It goes on")))]
pub async fn resume(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Resume).await
}

/// Make a new secret. For 24 hours messages are signed with the old one as well.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate", operation_id = "rotateWebhook", tag = "Webhooks",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["webhooks:write"])),
    responses((status = 200, description = "The new secret", body = SecretAnswer)))]
pub async fn rotate(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Rotate).await
}

/// Send a message of the type `webhook.test`, and tell the answer.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", operation_id = "testWebhook", tag = "Webhooks",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["webhooks:write"])),
    responses((status = 200, description = "What the receiver answered", body = TestAnswer)))]
pub async fn test(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksWrite>,
    id: web::Path<String>,
) -> Answer {
    act(request, shared, key, id, Act::Test).await
}

/// What a program may do with a webhook, without saying more.
#[derive(Clone, Copy)]
enum Act {
    Pause,
    Resume,
    Rotate,
    Remove,
    Test,
}

async fn act(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksWrite>,
    id: web::Path<String>,
    act: Act,
) -> Answer {
    let acting = key.acting(&request, &shared);
    let asker = key.key.id;
    let work = {
        let shared = shared.clone();
        async move {
            let id = find(&shared, &key, &id).await?.row.id;
            let app = &shared.app;
            match act {
                Act::Pause => app
                    .pause_webhook(Some(&acting), id)
                    .await
                    .map_err(refused)?,
                Act::Resume => app
                    .resume_webhook(Some(&acting), id)
                    .await
                    .map_err(refused)?,
                Act::Remove => app
                    .remove_webhook(Some(&acting), id)
                    .await
                    .map_err(refused)?,
                Act::Rotate => {
                    let secret = app
                        .rotate_webhook(Some(&acting), id)
                        .await
                        .map_err(refused)?;
                    return Reply::json(StatusCode::OK, &SecretAnswer { secret });
                }
                Act::Test => {
                    let tried = app.test_webhook(Some(&acting), id).await.map_err(refused)?;
                    let answer = TestAnswer {
                        taken: tried.is_taken(),
                        status: tried.status,
                        reply: tried.reply,
                        milliseconds: tried.milliseconds,
                    };
                    return Reply::json(StatusCode::OK, &answer);
                }
            }
            Ok(Reply::nothing())
        }
    };
    once(&request, shared, asker, [0; 32], work).await
}

/// What was sent to it and what waits, newest first, with the answers.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", operation_id = "listDeliveries", tag = "Webhooks",
    params(("id" = String, Path, format = "uuid"), DeliveriesQuery), security(("key" = ["webhooks:read"])),
    responses((status = 200, description = "A page of deliveries", body = Page<DeliveryItem>)))]
pub async fn deliveries(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WebhooksRead>,
    id: web::Path<String>,
    query: Params<DeliveriesQuery>,
) -> Answer {
    let before = query.0.after.as_deref();
    let before = before
        .map(|text| cursor::position(Some(text)))
        .transpose()?;
    let limit = cursor::limit(query.0.limit)?;
    let id = find(&shared, &key, &id).await?.row.id;
    let acting = key.acting(&request, &shared);
    let taken = format!("deliveries of webhook {id}");
    shared.app.takes_list(&acting, taken).await?;
    let found = shared.app.deliveries(id, before, limit).await?;
    let next = cursor::next(&found, limit, |last| cursor::of_position(last.position));
    let items: Vec<DeliveryItem> = found
        .into_iter()
        .map(|row| DeliveryItem {
            kind: row.kind,
            contact: row.contact_id.to_string(),
            state: row.state,
            tries: row.tries,
            due_at: row.due_at.to_string(),
            last_try_at: row.last_try_at.map(|at| at.to_string()),
            status: row.status,
            reply: row.reply,
        })
        .collect();
    ok(&Page { items, next })
}
