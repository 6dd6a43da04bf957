//! `POST /api/v1/withdrawals`: somebody told a program of the operator's to leave. And the links by which people leave
//! themselves, for mails that other programs send.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Body, Input, Params};
use super::contacts::known;
use super::idempotent::once;
use super::key::{Key, LinksRead, WithdrawalsWrite};
use super::permissions::purpose_of;
use super::problem::ApiProblem;
use super::reply::{Answer, Reply, ok};
use super::who::{Who, who};
use crate::app::permit::Unanswerable;
use crate::app::withdraw::{Leave, LeaveProblem, Leaver, Left, Scope};
use crate::domain::brand::Slug;
use crate::domain::event::{LeaveMethod, LeftBy};
use crate::web::Web;
use crate::web::extract::client::circumstances;

const PURPOSES_AT_MOST: usize = 50;

/// Who leaves what. Either `contact` or `address` says who.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalRequest {
    #[schema(example = "acme")]
    brand: String,
    #[schema(format = "uuid")]
    contact: Option<String>,
    #[schema(example = "ada@example.org")]
    address: Option<String>,
    /// What is left; without any, everything that the brand sends, and ever will.
    #[serde(default)]
    #[schema(max_items = 50)]
    purposes: Vec<String>,
    /// How the person said so; it stands in the evidence. At most 400 characters are kept.
    reason: Option<String>,
}

impl Input for WithdrawalRequest {}

/// A withdrawal that is on disk.
#[derive(Debug, Serialize, ToSchema)]
pub struct WithdrawalAnswer {
    #[schema(format = "uuid")]
    contact: String,
    /// What ended with it.
    purposes: Vec<String>,
    /// Whether the person had left before, so that nothing changed.
    left_before: bool,
}

/// Withdraw somebody who said so elsewhere.
///
/// It takes effect at once: open requests end, and mails that wait do not leave.
#[utoipa::path(post, path = "/api/v1/withdrawals", operation_id = "createWithdrawal", tag = "Withdrawals",
    request_body = WithdrawalRequest, security(("key" = ["withdrawals:write"])),
    responses((status = 200, description = "It is on disk", body = WithdrawalAnswer)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<WithdrawalsWrite>,
    body: Body<WithdrawalRequest>,
) -> Answer {
    let brand = key.brand(&shared, &body.value.brand)?;
    let leave = leave(&request, &shared, body.value)?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let left = shared.app.withdraw_by(Some(&acting), &brand, leave);
            let left = left.await.map_err(refused)?;
            let answer = match left {
                Left::Now { contact, purposes } => WithdrawalAnswer {
                    contact: contact.to_string(),
                    purposes: purposes.iter().map(ToString::to_string).collect(),
                    left_before: false,
                },
                Left::Before { contact } => WithdrawalAnswer {
                    contact: contact.to_string(),
                    purposes: Vec::new(),
                    left_before: true,
                },
            };
            Reply::json(StatusCode::OK, &answer)
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

fn leave(
    request: &HttpRequest,
    shared: &Web,
    body: WithdrawalRequest,
) -> Result<Leave, ApiProblem> {
    let who = match who("contact", body.contact, body.address)? {
        Who::Contact(id) => Leaver::Contact(id),
        Who::Address(address) => Leaver::Address(address),
    };
    if body.purposes.len() > PURPOSES_AT_MOST {
        let detail = format!("At most {PURPOSES_AT_MOST} purposes.");
        return Err(ApiProblem::invalid("purposes", detail));
    }
    let purposes: Result<Vec<Slug>, String> =
        body.purposes.into_iter().map(Slug::try_from).collect();
    let purposes = purposes.map_err(|why| ApiProblem::invalid("purposes", format!("{why}.")))?;
    Ok(Leave {
        who,
        scope: if purposes.is_empty() {
            Scope::All
        } else {
            Scope::Purposes(purposes)
        },
        method: LeaveMethod::Api,
        by: LeftBy::Operator,
        reason: body.reason,
        circumstances: circumstances(request, &shared.app.config.trusted_proxies),
    })
}

fn refused(problem: LeaveProblem) -> ApiProblem {
    match problem {
        LeaveProblem::Unknown => ApiProblem::not_found("The brand does not know this contact."),
        LeaveProblem::UnknownPurpose(_) => ApiProblem::invalid("purposes", format!("{problem}.")),
        LeaveProblem::Address(Unanswerable::Store(error)) | LeaveProblem::Store(error) => {
            error.into()
        }
        LeaveProblem::Address(Unanswerable::Address(_)) => {
            ApiProblem::invalid("address", format!("{problem}."))
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LinksQuery {
    /// The purpose that the mail is for: the link to leave is for it alone. Without it, for everything.
    purpose: Option<String>,
}

/// What a mail to the contact carries.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinksAnswer {
    /// It works for ten years and longer.
    #[schema(format = "uri")]
    unsubscribe_url: String,
    /// It works for as long as `[leaving] program_link_days` says: to leave, to pause, and for the language. To agree, to be erased and to take the data along, the
    /// person has a fresh link sent to the address.
    #[schema(format = "uri")]
    preferences_url: String,
    /// The value of the header `List-Unsubscribe` (RFC 2369).
    list_unsubscribe: String,
    /// The value of the header `List-Unsubscribe-Post` (RFC 8058).
    list_unsubscribe_post: &'static str,
}

/// The links by which the person leaves or chooses, for a mail that you send.
///
/// Whoever has them acts for the person. Put them into mails to the person, and nowhere else.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/links", operation_id = "getContactLinks", tag = "Contacts",
    params(("id" = String, Path, format = "uuid"), LinksQuery), security(("key" = ["links:read"])),
    responses((status = 200, description = "Links and headers", body = LinksAnswer)))]
pub async fn links(
    shared: web::Data<Web>,
    key: Key<LinksRead>,
    id: web::Path<String>,
    query: Params<LinksQuery>,
) -> Answer {
    let known = known(&shared, &key, &id).await?;
    let purpose = query.0.purpose.as_deref();
    let purpose = purpose
        .map(|name| purpose_of(&known.brand, name))
        .transpose()?;
    let links = shared.app.links(&known.brand, known.id, purpose.as_ref());
    ok(&LinksAnswer {
        unsubscribe_url: links.unsubscribe_url,
        preferences_url: links.preferences_url,
        list_unsubscribe: links.list_unsubscribe,
        list_unsubscribe_post: links.list_unsubscribe_post,
    })
}
