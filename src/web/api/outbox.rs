//! `/api/v1/outbox`: mails that wait, are held or failed, with what servers replied; failed ones tried again, held ones let go.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{Body, Input, Params};
use super::cursor;
use super::idempotent::once;
use super::key::{Key, Needs, OutboxRead, OutboxWrite};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::acted::Acting;
use crate::app::queue::{QueuedMail, Which};
use crate::domain::ids::OutboxId;
use crate::domain::operator::Deed;
use crate::web::Web;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OutboxQuery {
    /// `waiting` (by default), `held` or `failed`.
    #[param(example = "failed")]
    state: Option<String>,
    /// Only of this brand.
    #[param(example = "acme")]
    brand: Option<String>,
    /// The cursor of an earlier page.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A try of a mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptItem {
    #[schema(format = DateTime)]
    at: String,
    /// What the server said, in its own words, which may name the recipient.
    reply: String,
}

/// A mail that has not left, or that no server took.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxMail {
    #[schema(format = "uuid")]
    id: String,
    brand: String,
    #[schema(format = "uuid")]
    contact: String,
    /// What it is for: `confirm`, `remind`, `preferences`, or a campaign's.
    #[schema(example = "confirm")]
    kind: String,
    /// `waiting`, `under_way`, `held` (by the breaker) or `failed` (given up).
    #[schema(example = "failed")]
    state: &'static str,
    recipient_domain: String,
    /// When it is tried next; null of one that is held or failed.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    tries: i64,
    #[schema(format = DateTime)]
    first_try_at: Option<String>,
    last_reply: Option<String>,
    /// A try may have reached the server without its reply reaching us.
    ambiguous: bool,
    /// Each try, oldest first.
    attempts: Vec<AttemptItem>,
}

/// Mails of which brand, if not of all that the key sees.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboxRequest {
    #[schema(example = "acme")]
    brand: Option<String>,
}

impl Input for OutboxRequest {}

/// How many mails are due again.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetriedAnswer {
    mails: usize,
}

/// What was let go.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedAnswer {
    mails: u64,
    /// Whether further mails were being held.
    was_open: bool,
}

fn item(shared: &Web, mail: QueuedMail) -> OutboxMail {
    let catalog = shared.app.catalog();
    let brand = catalog.brand(mail.brand);
    OutboxMail {
        id: mail.id.to_string(),
        brand: brand.map_or_else(String::new, |brand| brand.declared.slug.to_string()),
        contact: mail.contact.to_string(),
        kind: mail.kind,
        state: match mail.which {
            Which::Waiting if mail.under_way => "under_way",
            which => which.as_str(),
        },
        recipient_domain: mail.domain,
        due_at: (mail.which == Which::Waiting).then(|| mail.due_at.to_string()),
        tries: mail.tries,
        first_try_at: mail.first_try_at.as_ref().map(ToString::to_string),
        last_reply: mail.reply,
        ambiguous: mail.ambiguous,
        attempts: mail
            .attempts
            .into_iter()
            .map(|one| AttemptItem {
                at: one.at.to_string(),
                reply: one.said,
            })
            .collect(),
    }
}

/// The key in an operator's place, kept to a brand if one is named.
fn acting<S: Needs>(
    key: &Key<S>,
    request: &HttpRequest,
    shared: &Web,
    brand: Option<&str>,
) -> Result<Acting, ApiProblem> {
    let mut acting = key.acting(request, shared);
    if let Some(slug) = brand {
        acting.operator.brands = vec![key.brand(shared, slug)?.id];
    }
    Ok(acting)
}

fn none() -> ApiProblem {
    ApiProblem::not_found(
        "There is no such mail in the outbox: it was sent, or is not wanted any more.",
    )
}

async fn find(shared: &Web, acting: &Acting, id: &str) -> Result<QueuedMail, ApiProblem> {
    let id = OutboxId(Uuid::try_parse(id).map_err(|_| none())?);
    let found = shared.app.queued_mail(&acting.operator, id).await?;
    found.ok_or_else(none)
}

/// Mails that have not left: those that wait, that the breaker holds, or that failed for good, in the order in which they are due.
///
/// What a server said may name the recipient.
#[utoipa::path(get, path = "/api/v1/outbox", operation_id = "listOutbox", tag = "Outbox", params(OutboxQuery),
    security(("key" = ["outbox:read"])),
    responses((status = 200, description = "A page of mails", body = Page<OutboxMail>)))]
pub async fn list(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<OutboxRead>,
    query: Params<OutboxQuery>,
) -> Answer {
    let query = query.0;
    let which = query.state.as_deref().unwrap_or("waiting");
    let which = Which::parse(which)
        .ok_or_else(|| ApiProblem::malformed("state is one of waiting, held, failed."))?;
    let after = cursor::moment(query.after.as_deref())?.map(|(at, id)| (at, OutboxId(id)));
    let limit = usize::try_from(cursor::limit(query.limit)?).unwrap_or(1);
    let acting = acting(&key, &request, &shared, query.brand.as_deref())?;
    let of = query
        .brand
        .map_or_else(String::new, |slug| format!(" of brand {slug}"));
    let taken = format!("mails in the outbox ({}){of}", which.as_str());
    shared.app.takes_list(&acting, taken).await?;
    let found = shared
        .app
        .queue(&acting.operator, which, (after, false), limit);
    let (mails, next) = found.await?;
    let items = mails.into_iter().map(|mail| item(&shared, mail)).collect();
    let next = next.map(|(at, id)| cursor::of_moment(at, id.0));
    ok(&Page { items, next })
}

/// One mail of the outbox. One that a server took is there no more: the contact's events tell of it.
#[utoipa::path(get, path = "/api/v1/outbox/{id}", operation_id = "getOutboxMail", tag = "Outbox",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["outbox:read"])),
    responses((status = 200, description = "The mail", body = OutboxMail)))]
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<OutboxRead>,
    id: web::Path<String>,
) -> Answer {
    let acting = key.acting(&request, &shared);
    let mail = find(&shared, &acting, &id).await?;
    ok(&item(&shared, mail))
}

/// Have a failed mail tried again, as if it had never been tried. Whether it is still wanted is looked at when it is sent.
#[utoipa::path(post, path = "/api/v1/outbox/{id}/retry", operation_id = "retryOutboxMail", tag = "Outbox",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["outbox:write"])),
    responses((status = 200, description = "How many mails are due again: one, or none where somebody was faster",
        body = RetriedAnswer)))]
pub async fn retry_one(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<OutboxWrite>,
    id: web::Path<String>,
) -> Answer {
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let mail = find(&shared, &acting, &id).await?;
            if mail.which != Which::Failed {
                return Err(ApiProblem::conflict(
                    "It did not fail: it is tried by itself when it is due, or held.",
                ));
            }
            let mails = shared.app.retry_failed(&acting, Some(mail.id)).await?;
            Reply::json(StatusCode::OK, &RetriedAnswer { mails })
        }
    };
    once(&request, shared, key.key.id, [0; 32], work).await
}

/// Have all failed mails tried again, of one brand or of all that the key sees.
#[utoipa::path(post, path = "/api/v1/outbox/retry", operation_id = "retryOutbox", tag = "Outbox",
    request_body = OutboxRequest, security(("key" = ["outbox:write"])),
    responses((status = 200, description = "How many mails are due again", body = RetriedAnswer)))]
pub async fn retry(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<OutboxWrite>,
    body: Body<OutboxRequest>,
) -> Answer {
    let acting = acting(&key, &request, &shared, body.value.brand.as_deref())?;
    let work = {
        let shared = shared.clone();
        async move {
            let mails = shared.app.retry_failed(&acting, None).await?;
            Reply::json(StatusCode::OK, &RetriedAnswer { mails })
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

/// Let the mails go that the breaker holds: somebody looked, and the signups are genuine. It takes a key for all brands.
#[utoipa::path(post, path = "/api/v1/outbox/release", operation_id = "releaseOutbox", tag = "Outbox",
    security(("key" = ["outbox:write"])),
    responses((status = 200, description = "What was let go", body = ReleasedAnswer)))]
pub async fn release(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<OutboxWrite>,
) -> Answer {
    key.needs_all_brands()?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            shared.app.acted(&acting, Deed::MailReleased, None).await?;
            let released = shared.app.release_breaker().await?;
            let answer = ReleasedAnswer {
                mails: released.mails,
                was_open: released.was_open,
            };
            Reply::json(StatusCode::OK, &answer)
        }
    };
    once(&request, shared, key.key.id, [0; 32], work).await
}
