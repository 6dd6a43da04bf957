//! `POST /api/v1/erasures`: somebody wants to be forgotten.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input};
use super::idempotent::once;
use super::key::{ContactsErase, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Reply};
use super::who::{Who, who};
use crate::app::acted::Acting;
use crate::app::erase::{EraseProblem, Erased, Wish};
use crate::app::permit::{Unanswerable, parse_address};
use crate::domain::brand::Brand;
use crate::domain::event::{ErasedBy, Through};
use crate::domain::operator::Deed;
use crate::web::Web;

/// Who is erased. Either `contact` or `address` says who.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureRequest {
    #[schema(example = "acme")]
    brand: String,
    #[schema(format = "uuid")]
    contact: Option<String>,
    #[schema(example = "ada@example.org")]
    address: Option<String>,
}

impl Input for ErasureRequest {}

/// An erasure that is on disk.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasureAnswer {
    /// The random id under which the log of evidence tells that the contact was erased; null where the address was erased before.
    #[schema(format = "uuid")]
    contact: Option<String>,
    /// Whether there was nothing left to erase, since it was done before.
    erased_before: bool,
    /// Events that were emptied, and what was deleted.
    events: i64,
    requests: usize,
    mails: u64,
    proofs: u64,
    /// Imports that were over, whose lists and reports were deleted: they may have named the address.
    reports: usize,
    /// Lists of the brand that wait to be taken in, or are being taken in: they are not searched. One that waits goes a day after it was
    /// brought.
    lists_waiting: i64,
    /// Until when what the events held is kept, sealed to a key that is not here: where the brand declares that legal claims need it.
    #[schema(format = DateTime)]
    sealed_until: Option<String>,
}

impl ErasureAnswer {
    const fn before(contact: Option<String>) -> Self {
        Self {
            contact,
            erased_before: true,
            events: 0,
            requests: 0,
            mails: 0,
            proofs: 0,
            reports: 0,
            lists_waiting: 0,
            sealed_until: None,
        }
    }
}

impl From<Erased> for ErasureAnswer {
    fn from(erased: Erased) -> Self {
        Self {
            contact: Some(erased.contact.to_string()),
            erased_before: false,
            events: erased.events,
            requests: erased.requests,
            mails: erased.mails,
            proofs: erased.proofs,
            reports: erased.reports.len(),
            lists_waiting: erased.lists_waiting,
            sealed_until: erased.sealed_until.map(|until| until.to_string()),
        }
    }
}

/// Erase a contact: all that the brand knows of it goes, and the log of evidence stays whole.
///
/// It may take some seconds, since the log has to hold the contact's events first. Asked for again it answers that it was done before.
/// From then on a list that names the address gets the verdict refuse (D3); the person can come back by signing up and confirming.
#[utoipa::path(post, path = "/api/v1/erasures", operation_id = "createErasure", tag = "Contacts",
    request_body = ErasureRequest, security(("key" = ["contacts:erase"])),
    responses((status = 200, description = "It is on disk", body = ErasureAnswer)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ContactsErase>,
    body: Body<ErasureRequest>,
) -> Answer {
    let brand = key.brand(&shared, &body.value.brand)?;
    let who = who("contact", body.value.contact, body.value.address)?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move { erase(&shared, &brand, &acting, who).await }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

async fn erase(
    shared: &Web,
    brand: &Arc<Brand>,
    acting: &Acting,
    who: Who,
) -> Result<Reply, ApiProblem> {
    let app = &shared.app;
    let known = match &who {
        Who::Contact(id) => app
            .contact_by_id(std::slice::from_ref(brand), *id)
            .await
            .map_err(ApiProblem::from)?,
        Who::Address(address) => app
            .contact_by_address(brand, address)
            .await
            .map_err(unanswerable)?,
    };
    let Some(known) = known else {
        return before(shared, brand, &who).await;
    };
    app.not_held(brand.id, known.id).await.map_err(refused)?;
    let on = Some(format!("a contact of brand {}", brand.declared.slug));
    app.acted(acting, Deed::ContactErased, on).await?;
    let wish = Wish {
        by: ErasedBy::Operator,
        through: Through::Api,
    };
    match app.erase(brand, &known.address, wish).await {
        Ok(erased) => {
            app.scrub_now().await;
            Reply::json(StatusCode::OK, &ErasureAnswer::from(erased))
        }
        // Somebody else was faster.
        Err(EraseProblem::Unknown) => before(shared, brand, &who).await,
        Err(problem) => Err(refused(problem)),
    }
}

/// The answer where nobody is there to be erased.
async fn before(shared: &Web, brand: &Brand, who: &Who) -> Result<Reply, ApiProblem> {
    let app = &shared.app;
    let (was, contact) = match who {
        Who::Contact(id) => (app.was_erased(brand.id, *id).await?, Some(id.to_string())),
        Who::Address(address) => {
            let address = parse_address(address).map_err(unanswerable)?;
            let was = app.erased_among(brand, &[address]).await?;
            (was.contains(&true), None)
        }
    };
    if was {
        Reply::json(StatusCode::OK, &ErasureAnswer::before(contact))
    } else {
        Err(ApiProblem::not_found(
            "The brand knows nothing of this contact.",
        ))
    }
}

fn unanswerable(problem: Unanswerable) -> ApiProblem {
    match problem {
        Unanswerable::Store(error) => error.into(),
        Unanswerable::Address(_) => ApiProblem::invalid("address", format!("{problem}.")),
    }
}

fn refused(problem: EraseProblem) -> ApiProblem {
    match problem {
        EraseProblem::Store(error) => error.into(),
        EraseProblem::Address(problem) => unanswerable(problem),
        EraseProblem::Unknown => ApiProblem::not_found("The brand knows nothing of this contact."),
        EraseProblem::Kept
        | EraseProblem::NotYet(_)
        | EraseProblem::Held(_)
        | EraseProblem::Seal(_) => ApiProblem::conflict(format!("{problem}.")),
        EraseProblem::NotLogged | EraseProblem::Log(_) => {
            tracing::error!(%problem, "a contact could not be erased");
            ApiProblem::unavailable(
                "The log of evidence does not come up with this contact's events; nothing was changed.",
            )
        }
    }
}
