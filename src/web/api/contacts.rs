//! Contacts: found by address or id, with where they stand, what happened, and the proof of it.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{Body, Input, Params};
use super::cursor;
use super::key::{ContactsRead, EvidenceRead, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, ok};
use crate::app::last_use::LastUse;
use crate::app::look_up::Known;
use crate::app::permit::Unanswerable;
use crate::app::prove::gather::NoBundle;
use crate::app::prove::receipt::HandedReceipt;
use crate::domain::event::{Event, HandedOut, Through};
use crate::domain::ids::{ContactId, EventId};
use crate::domain::operator::Deed;
use crate::domain::sentence::sentence;
use crate::domain::standing::Standing;
use crate::web::Web;

/// One address of one brand.
#[derive(Debug, Serialize, ToSchema)]
pub struct Contact {
    #[schema(format = "uuid")]
    id: String,
    brand: String,
    address: String,
    language: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    name: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Where it stands for each purpose.
    standings: BTreeMap<String, StandingItem>,
}

/// Where a contact stands for a purpose.
#[derive(Debug, Serialize, ToSchema)]
pub struct StandingItem {
    /// `pending`, `implicit`, `explicit`, `lapsed`, `declined`, `withdrawn` or `corrected`.
    #[schema(example = "explicit")]
    state: &'static str,
    /// `none`, `implicit` or `explicit`: with `none` it may not be mailed.
    basis: &'static str,
    grade: Option<&'static str>,
    /// The rule of the consent policy.
    rule: &'static str,
    #[schema(format = DateTime)]
    since: String,
    #[schema(format = DateTime)]
    until: Option<String>,
    /// When it was last used, as `POST /api/v1/contacts/use` was told.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// From when on the contact is due to be asked again, by the brand's terms (`[brand.reconfirm]`); none without such terms,
    /// or without explicit consent.
    #[schema(format = DateTime)]
    due_from: Option<String>,
}

impl StandingItem {
    fn of(standing: &Standing, last: LastUse) -> Self {
        Self {
            state: standing.state.as_str(),
            basis: standing.state.basis().as_str(),
            grade: standing.grade.map(|grade| grade.as_str()),
            rule: standing.rule.id(),
            since: standing.since.to_string(),
            until: standing.until.map(|at| at.to_string()),
            last_used_at: last.used_at.map(|at| at.to_string()),
            due_from: last.due_from.map(|at| at.to_string()),
        }
    }
}

impl From<Known> for Contact {
    fn from(known: Known) -> Self {
        let standings = known.standings.iter();
        Self {
            id: known.id.to_string(),
            brand: known.brand.declared.slug.to_string(),
            address: known.address.clone(),
            language: known.language.clone(),
            name: known.name.clone(),
            created_at: known.created_at.to_string(),
            standings: standings
                .map(|(purpose, standing)| {
                    let last = known.uses.get(purpose).copied().unwrap_or_default();
                    (purpose.to_string(), StandingItem::of(standing, last))
                })
                .collect(),
        }
    }
}

/// Which contact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FindRequest {
    #[schema(example = "acme")]
    pub brand: String,
    #[schema(example = "ada@example.org")]
    pub address: String,
}

impl Input for FindRequest {}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContactsQuery {
    /// The brand whose contacts are wanted.
    #[param(example = "acme")]
    brand: String,
    /// The cursor of an earlier page.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The cursor of an earlier page.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Find a contact by its address.
#[utoipa::path(post, path = "/api/v1/contacts/find", operation_id = "findContact", tag = "Contacts",
    request_body = FindRequest, security(("key" = ["contacts:read"])),
    responses((status = 200, description = "The contact", body = Contact)))]
pub async fn find(
    shared: web::Data<Web>,
    key: Key<ContactsRead>,
    body: Body<FindRequest>,
) -> Answer {
    let brand = key.brand(&shared, &body.value.brand)?;
    let found = shared.app.contact_by_address(&brand, &body.value.address);
    match found.await {
        Ok(Some(known)) => ok(&Contact::from(known)),
        Ok(None) => Err(ApiProblem::not_found(
            "The brand does not know this address.",
        )),
        Err(Unanswerable::Store(error)) => Err(error.into()),
        Err(problem @ Unanswerable::Address(_)) => {
            Err(ApiProblem::invalid("address", format!("{problem}.")))
        }
    }
}

/// A brand's contacts, oldest first.
#[utoipa::path(get, path = "/api/v1/contacts", operation_id = "listContacts", tag = "Contacts", params(ContactsQuery),
    security(("key" = ["contacts:read"])),
    responses((status = 200, description = "A page of contacts", body = Page<Contact>)))]
pub async fn list(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ContactsRead>,
    query: Params<ContactsQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let after = cursor::id(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let taken = format!("contacts of brand {}", brand.declared.slug);
    let acting = key.acting(&request, &shared);
    shared.app.takes_list(&acting, taken).await?;
    let found = shared.app.contacts_behind(&brand, after, limit).await?;
    let next = cursor::next(&found, limit, |last| cursor::of_id(last.id.0));
    let items: Vec<Contact> = found.into_iter().map(Contact::from).collect();
    ok(&Page { items, next })
}

/// One contact.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", operation_id = "getContact", tag = "Contacts",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["contacts:read"])),
    responses((status = 200, description = "The contact", body = Contact)))]
pub async fn show(shared: web::Data<Web>, key: Key<ContactsRead>, id: web::Path<String>) -> Answer {
    ok(&Contact::from(known(&shared, &key, &id).await?))
}

/// What happened to a contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoryItem {
    #[schema(format = "uuid")]
    id: String,
    kind: &'static str,
    #[schema(format = DateTime)]
    at: String,
    /// The event in words.
    sentence: String,
    /// All that the event holds; docs/evidence-bundle.md says what.
    #[schema(value_type = Object)]
    event: Value,
}

/// The events of a contact, oldest first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/events", operation_id = "listContactEvents", tag = "Contacts",
    params(("id" = String, Path, format = "uuid"), PageQuery), security(("key" = ["contacts:read"])),
    responses((status = 200, description = "A page of events", body = Page<StoryItem>)))]
pub async fn events(
    shared: web::Data<Web>,
    key: Key<ContactsRead>,
    id: web::Path<String>,
    query: Params<PageQuery>,
) -> Answer {
    let after = cursor::position(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let known = known(&shared, &key, &id).await?;
    let story = shared.app.story_behind(&known, after, limit).await?;
    let next = story.goes_on.then(|| cursor::of_position(story.up_to));
    let items: Vec<StoryItem> = story.events.iter().map(told).collect();
    ok(&Page { items, next })
}

fn told(event: &Event) -> StoryItem {
    StoryItem {
        id: event.id.to_string(),
        kind: event.fact.kind(),
        at: event.at.to_string(),
        sentence: sentence(event),
        event: serde_json::to_value(event).unwrap_or_default(),
    }
}

/// The evidence bundle of a contact, a ZIP file.
///
/// It is made at this moment: its events get their place in the log first, and the time-stamping authorities are asked.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/evidence", operation_id = "getEvidence", tag = "Contacts",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["evidence:read"])),
    responses((status = 200, description = "The bundle; docs/evidence-bundle.md says what is in it",
        body = inline(Bundle), content_type = "application/zip")))]
pub async fn evidence(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<EvidenceRead>,
    id: web::Path<String>,
) -> Answer {
    let known = known(&shared, &key, &id).await?;
    let _turn = shared.bundles.try_acquire().map_err(|_| {
        ApiProblem::unavailable("Several bundles are being made; try again in a moment.")
    })?;
    let on = format!(
        "contact {} of brand {}",
        known.id, known.brand.declared.slug
    );
    let (app, acting) = (&shared.app, key.acting(&request, &shared));
    app.acted(&acting, Deed::BundleTaken, Some(on)).await?;
    app.hand_out(&known.brand, known.id, HandedOut::Bundle, Through::Api)
        .await?;
    let gone = || ApiProblem::not_found("There is no such contact.");
    match shared.app.bundle(&known.brand, &known.address_key).await {
        Ok(Some((bytes, _))) => Ok(HttpResponse::Ok()
            .content_type("application/zip")
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"evidence-{}.zip\"", known.id),
            ))
            .body(bytes)),
        Ok(None) => Err(gone()),
        Err(NoBundle::TooMany) => Err(ApiProblem::conflict(NoBundle::TooMany.to_string())),
        Err(problem) => {
            tracing::error!(%problem, "a bundle could not be made");
            Err(ApiProblem::unavailable(
                "The bundle could not be made. The log of the server tells why.",
            ))
        }
    }
}

/// The proof that an event stands in the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptAnswer {
    #[schema(format = "uuid")]
    event: String,
    /// A text to be kept: the event itself, its place in the log, and the signed checkpoint (C2SP tlog-proof@v1).
    receipt: String,
}

/// The receipt of an event: a proof that it stands in the log, which anybody can check offline (docs/how-to-verify.md).
///
/// An event has its place in the log within about a second; before that the answer is 503.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/events/{event}/receipt", operation_id = "getEventReceipt", tag = "Contacts",
    params(("id" = String, Path, format = "uuid"), ("event" = String, Path, format = "uuid")),
    security(("key" = ["evidence:read"])),
    responses((status = 200, description = "The receipt", body = ReceiptAnswer)))]
pub async fn receipt(
    shared: web::Data<Web>,
    key: Key<EvidenceRead>,
    path: web::Path<(String, String)>,
) -> Answer {
    let none = || ApiProblem::not_found("The contact has no such event.");
    let known = known(&shared, &key, &path.0).await?;
    let event = EventId(Uuid::try_parse(&path.1).map_err(|_| none())?);
    let of = (known.brand.id, known.id);
    match shared.app.event_receipt(of, event).await? {
        HandedReceipt::Given(receipt) => ok(&ReceiptAnswer {
            event: event.to_string(),
            receipt,
        }),
        HandedReceipt::NotYet => Err(ApiProblem::unavailable(
            "The event has no place in the log yet; try again in a moment.",
        )),
        HandedReceipt::Nothing => Err(none()),
    }
}

/// Bytes of a ZIP file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code)] // For the description.
pub struct Bundle(Vec<u8>);

/// A contact by the id of a path, in the brands that the key sees.
pub async fn known<S>(shared: &Web, key: &Key<S>, id: &str) -> Result<Known, ApiProblem> {
    let none = || ApiProblem::not_found("There is no such contact.");
    let id = Uuid::try_parse(id).map_err(|_| none())?;
    let brands = key.brands(shared);
    let found = shared.app.contact_by_id(&brands, ContactId(id)).await?;
    found.ok_or_else(none)
}
