//! `/api/v1/suppressions`: mailboxes that a brand does not write to. They are kept as keyed hashes, so there is no list of them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input};
use super::contacts::FindRequest;
use super::idempotent::once;
use super::key::{Key, SuppressionsRead, SuppressionsWrite};
use super::problem::ApiProblem;
use super::reply::{Answer, Reply, ok};
use crate::app::permit::Unanswerable;
use crate::app::suppress::{Suppressed, is_reason};
use crate::domain::operator::Deed;
use crate::web::Web;

/// Whether anything is sent to a mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuppressionAnswer {
    suppressed: bool,
    #[schema(format = DateTime)]
    since: Option<String>,
    /// `declined`, `complained`, `bounced` or `operator`.
    reason: Option<String>,
}

impl From<Option<Suppressed>> for SuppressionAnswer {
    fn from(found: Option<Suppressed>) -> Self {
        Self {
            suppressed: found.is_some(),
            since: found.as_ref().map(|one| one.since.to_string()),
            reason: found.map(|one| one.reason),
        }
    }
}

/// Which mailbox, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionRequest {
    #[schema(example = "acme")]
    brand: String,
    #[schema(example = "ada@example.org")]
    address: String,
    /// In your own words; they stand in the evidence of the contact.
    #[schema(example = "asked by letter", min_length = 3, max_length = 400)]
    reason: String,
}

impl Input for SuppressionRequest {}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuppressionChange {
    /// Whether something changed; where it was so before, nothing did.
    changed: bool,
    /// Whether anything is sent there now.
    suppressed: bool,
    /// Of the suppression that holds, or that was lifted.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// `declined`, `complained`, `bounced` or `operator`.
    reason: Option<String>,
}

/// Whether the brand keeps from writing to the mailbox of an address.
#[utoipa::path(post, path = "/api/v1/suppressions/find", operation_id = "findSuppression", tag = "Withdrawals",
    request_body = FindRequest, security(("key" = ["suppressions:read"])),
    responses((status = 200, description = "Whether, since when and why", body = SuppressionAnswer)))]
pub async fn find(
    shared: web::Data<Web>,
    key: Key<SuppressionsRead>,
    body: Body<FindRequest>,
) -> Answer {
    let brand = key.brand(&shared, &body.value.brand)?;
    let found = shared.app.suppressed(&brand, &body.value.address).await;
    ok(&SuppressionAnswer::from(found.map_err(refused)?))
}

/// Keep the brand from writing to a mailbox, whether it has a contact there or not.
///
/// It takes effect at once: open requests end, and mails that wait do not leave. What the person gave stays in the evidence, and
/// counts for nothing until the suppression is lifted.
#[utoipa::path(post, path = "/api/v1/suppressions", operation_id = "createSuppression", tag = "Withdrawals",
    request_body = SuppressionRequest, security(("key" = ["suppressions:write"])),
    responses((status = 200, description = "It is on disk", body = SuppressionChange)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<SuppressionsWrite>,
    body: Body<SuppressionRequest>,
) -> Answer {
    change(request, shared, key, body, true).await
}

/// Let the brand write to a mailbox again. What was withdrawn or declined stays so until the person confirms anew.
#[utoipa::path(post, path = "/api/v1/suppressions/lift", operation_id = "liftSuppression", tag = "Withdrawals",
    request_body = SuppressionRequest, security(("key" = ["suppressions:write"])),
    responses((status = 200, description = "It is on disk", body = SuppressionChange)))]
pub async fn lift(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<SuppressionsWrite>,
    body: Body<SuppressionRequest>,
) -> Answer {
    change(request, shared, key, body, false).await
}

async fn change(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<SuppressionsWrite>,
    body: Body<SuppressionRequest>,
    adds: bool,
) -> Answer {
    let brand = key.brand(&shared, &body.value.brand)?;
    let SuppressionRequest {
        address, reason, ..
    } = body.value;
    if !is_reason(&reason) {
        let detail = "Say why in 3 to 400 characters, all of which can be seen.";
        return Err(ApiProblem::invalid("reason", detail));
    }
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let (app, reason) = (&shared.app, reason.trim());
            // What is no address is told before anything is kept.
            let was = app.suppressed(&brand, &address).await.map_err(refused)?;
            let deed = if adds {
                Deed::SuppressionAdded
            } else {
                Deed::SuppressionLifted
            };
            if adds || was.is_some() {
                let on = app.mailbox_named(&brand, &address).map_err(refused)?;
                app.acted(&acting, deed, Some(on)).await?;
            }
            let (changed, told) = if adds {
                let added = app.suppress(&brand, &address, reason).await;
                let (now, before) = added.map_err(refused)?;
                (!before, Some(now))
            } else {
                let lifted = app.lift_suppression(&brand, &address, reason).await;
                let was = lifted.map_err(refused)?;
                (was.is_some(), was)
            };
            let answer = SuppressionChange {
                changed,
                suppressed: adds,
                since: told.as_ref().map(|one| one.since.to_string()),
                reason: told.map(|one| one.reason),
            };
            Reply::json(StatusCode::OK, &answer)
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

fn refused(problem: Unanswerable) -> ApiProblem {
    match problem {
        Unanswerable::Store(error) => error.into(),
        Unanswerable::Address(_) => ApiProblem::invalid("address", format!("{problem}.")),
    }
}
