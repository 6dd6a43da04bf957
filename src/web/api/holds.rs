//! Legal holds: contacts that are kept for a claim, whoever wants them erased and whatever term is over.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input, Params};
use super::contacts::known;
use super::cursor;
use super::idempotent::once;
use super::imports::BrandQuery;
use super::key::{HoldsRead, HoldsWrite, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::held::{By, HeldContact};
use crate::app::hold::HoldProblem;
use crate::domain::ids::ContactId;
use crate::domain::time::Timestamp;
use crate::web::Web;

const DAY: Duration = Duration::from_secs(86_400);

/// A contact that is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldItem {
    #[schema(format = "uuid")]
    contact: String,
    /// For which claim.
    reason: String,
    /// Who placed it.
    by: String,
    #[schema(format = DateTime)]
    since: String,
    /// The hold ends by itself then.
    #[schema(format = DateTime)]
    until: String,
    /// Since when the person wishes to be erased, which is done once no hold keeps them.
    #[schema(format = DateTime)]
    erasure_wished_at: Option<String>,
}

impl From<HeldContact> for HoldItem {
    fn from(held: HeldContact) -> Self {
        Self {
            contact: held.hold.contact_id.to_string(),
            reason: held.hold.reason,
            by: held.hold.operator,
            since: held.hold.since.to_string(),
            until: held.hold.until.to_string(),
            erasure_wished_at: held.wished_at.map(|at| at.to_string()),
        }
    }
}

/// For how long a contact is held, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// In your own words; they stand in the contact's story.
    #[schema(example = "claim 2026/17", min_length = 3, max_length = 400)]
    reason: String,
    /// The last day (UTC), ahead and within ten years.
    #[schema(example = "2028-12-31", format = Date)]
    until: String,
    /// Since when the hold has been that this one replaces, as it was told. Without it none is replaced.
    #[schema(format = DateTime)]
    replaces: Option<String>,
}

impl Input for HoldRequest {}

/// Why a hold is lifted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftRequest {
    #[schema(example = "the claim was settled", min_length = 3, max_length = 400)]
    reason: String,
}

impl Input for LiftRequest {}

/// Whether a contact is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldAnswer {
    #[schema(format = "uuid")]
    contact: String,
    held: bool,
    #[schema(format = DateTime)]
    since: Option<String>,
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// The contacts of a brand that are held now, those first whose hold ends first.
#[utoipa::path(get, path = "/api/v1/holds", operation_id = "listHolds", tag = "Holds", params(BrandQuery),
    security(("key" = ["holds:read"])),
    responses((status = 200, description = "A page of holds", body = Page<HoldItem>)))]
pub async fn list(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<HoldsRead>,
    query: Params<BrandQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let after = cursor::moment(query.0.after.as_deref())?.map(|(at, id)| (at, ContactId(id)));
    let limit = cursor::limit(query.0.limit)?;
    let taken = format!("held contacts of brand {}", brand.declared.slug);
    let acting = key.acting(&request, &shared);
    shared.app.takes_list(&acting, taken).await?;
    let most = usize::try_from(limit).unwrap_or(1);
    let found = shared
        .app
        .held_contacts(brand.id, By::Until, (after, false), most)
        .await?;
    let next = cursor::next(&found, limit, |last| {
        let (until, id) = last.place(By::Until);
        cursor::of_moment(until, id.0)
    });
    let items: Vec<HoldItem> = found.into_iter().map(HoldItem::from).collect();
    ok(&Page { items, next })
}

/// Keep what is known of a contact for a claim.
///
/// Until the end of that day it is not erased, neither on request nor by a term, and its network addresses stay. What may be sent
/// does not change, and the person may leave as always.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/hold", operation_id = "placeHold", tag = "Holds",
    params(("id" = String, Path, format = "uuid")), request_body = HoldRequest, security(("key" = ["holds:write"])),
    responses((status = 200, description = "It is on disk", body = HoldAnswer)))]
pub async fn place_hold(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<HoldsWrite>,
    id: web::Path<String>,
    body: Body<HoldRequest>,
) -> Answer {
    let known = known(&shared, &key, &id).await?;
    let HoldRequest {
        reason,
        until,
        replaces,
    } = body.value;
    let day = Timestamp::parse(&until).filter(|_| until.len() == "YYYY-MM-DD".len());
    let until = day.ok_or_else(|| refused(HoldProblem::Until))?.plus(DAY);
    let seen = match replaces {
        None => None,
        Some(text) => Some(Timestamp::parse(&text).ok_or_else(|| {
            ApiProblem::invalid(
                "replaces",
                "Say since when that hold has been, as it was told.",
            )
        })?),
    };
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let what = (reason.as_str(), until);
            let placed = shared
                .app
                .place_hold(&acting, &known.brand, known.id, what, seen);
            let since = placed.await.map_err(refused)?;
            let answer = HoldAnswer {
                contact: known.id.to_string(),
                held: true,
                since: Some(since.to_string()),
                until: Some(until.to_string()),
            };
            Reply::json(StatusCode::OK, &answer)
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

/// End the hold on a contact. A wish to be erased that was kept meanwhile is done within a minute.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/hold/lift", operation_id = "liftHold", tag = "Holds",
    params(("id" = String, Path, format = "uuid")), request_body = LiftRequest, security(("key" = ["holds:write"])),
    responses((status = 200, description = "It is on disk", body = HoldAnswer)))]
pub async fn lift_hold(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<HoldsWrite>,
    id: web::Path<String>,
    body: Body<LiftRequest>,
) -> Answer {
    let known = known(&shared, &key, &id).await?;
    let reason = body.value.reason;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let lifted = shared
                .app
                .lift_hold(&acting, &known.brand, known.id, &reason);
            lifted.await.map_err(refused)?;
            let answer = HoldAnswer {
                contact: known.id.to_string(),
                held: false,
                since: None,
                until: None,
            };
            Reply::json(StatusCode::OK, &answer)
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

fn refused(problem: HoldProblem) -> ApiProblem {
    match problem {
        HoldProblem::Store(error) => error.into(),
        HoldProblem::Reason => {
            let detail = "Say why in 3 to 400 characters, all of which can be seen.";
            ApiProblem::invalid("reason", detail)
        }
        HoldProblem::Until => ApiProblem::invalid("until", format!("{problem}.")),
        HoldProblem::Unknown => ApiProblem::not_found("There is no such contact."),
        HoldProblem::NotHeld => ApiProblem::conflict("The contact is not held."),
        HoldProblem::Changed => ApiProblem::conflict(
            "The contact is held already, or another hold stands there by now; say in replaces since when that one has been.",
        ),
    }
}
