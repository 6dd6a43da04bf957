//! `POST /api/v1/import-drafts`: the list itself, written to disk as it comes.

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{ImportDraftItem, item};
use crate::app::drafts::upload::{Brought, Incoming, UploadProblem};
use crate::domain::brand::Slug;
use crate::web::Web;
use crate::web::api::body::Params;
use crate::web::api::idempotent::once;
use crate::web::api::key::{ImportsWrite, Key};
use crate::web::api::problem::ApiProblem;
use crate::web::api::reply::{Answer, Reply};
use crate::web::extract::paced::Paced;

const KINDS: [&str; 3] = [
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    #[param(example = "acme")]
    brand: String,
    #[param(example = "newsletter")]
    purpose: String,
    /// What the file is called; it stands in the evidence of everybody whom it names.
    #[param(example = "customers.csv", max_length = 200)]
    file_name: String,
}

/// The bytes of a list.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code)] // For the description.
pub struct ListBytes(Vec<u8>);

/// Bring a list: the body is a CSV file with a header, or an XLSX workbook.
///
/// It is kept for a day. The answer tells what it was taken for, and what its columns seem to hold.
#[utoipa::path(post, path = "/api/v1/import-drafts", operation_id = "createImportDraft", tag = "Imports", params(UploadQuery),
    request_body(content(
        (ListBytes = "text/csv"),
        (ListBytes = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (ListBytes = "application/octet-stream"))),
    security(("key" = ["imports:write"])),
    responses((status = 201, description = "The list is on disk", body = ImportDraftItem)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    query: Params<UploadQuery>,
    payload: web::Payload,
) -> Answer {
    let query = query.0;
    let brand = key.brand(&shared, &query.brand)?;
    let purpose = Slug::try_from(query.purpose)
        .ok()
        .filter(|purpose| brand.purpose(purpose).is_some());
    let purpose =
        purpose.ok_or_else(|| ApiProblem::invalid("purpose", "The brand has no such purpose."))?;
    let file_name = query.file_name.trim().to_owned();
    let length = file_name.chars().count();
    if !(1..=200).contains(&length) || file_name.chars().any(char::is_control) {
        let detail = "It has 1 to 200 characters, all of which can be seen.";
        return Err(ApiProblem::invalid("file_name", detail));
    }
    check_kind(&request, &KINDS)?;
    let incoming = receive(&shared, payload).await?;
    let (hash, acting) = (incoming.sha256(), key.acting(&request, &shared));
    let work = {
        let shared = shared.clone();
        async move {
            let brought = Brought {
                brand: &brand,
                purpose: &purpose,
                file_name: &file_name,
                by: &acting,
            };
            let draft = shared.app.end_upload(incoming, brought).await;
            let draft = draft.map_err(|problem| refused(&shared, problem))?;
            Reply::json(StatusCode::CREATED, &item(&shared, &brand, &draft).await)
        }
    };
    once(&request, shared, key.key.id, hash, work).await
}

/// A file is sent as it is, with a kind that its route knows.
pub(in crate::web::api) fn check_kind(
    request: &HttpRequest,
    known: &[&str],
) -> Result<(), ApiProblem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if known.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(ApiProblem::other_kind(&format!(
        "Send the file itself, with Content-Type: {}.",
        known.join(" or ")
    )))
}

/// The next bytes of a body; none behind its end.
pub(in crate::web::api) async fn next_part(body: &mut Paced) -> Result<Option<Bytes>, ApiProblem> {
    match body.next().await.transpose() {
        Ok(part) => Ok(part),
        Err(_) if body.too_slow().is_it() => Err(ApiProblem::too_slow()),
        Err(_) => Err(ApiProblem::malformed("The body broke off.")),
    }
}

async fn receive(shared: &Web, payload: web::Payload) -> Result<Incoming, ApiProblem> {
    let mut payload = Paced::new(payload, shared.upload_pace);
    let incoming = shared.app.begin_upload().await;
    let mut incoming = incoming.map_err(|problem| refused(shared, problem))?;
    while let Some(part) = next_part(&mut payload).await? {
        let written = incoming.write(&part).await;
        written.map_err(|problem| refused(shared, problem))?;
    }
    Ok(incoming)
}

fn refused(shared: &Web, problem: UploadProblem) -> ApiProblem {
    match problem {
        UploadProblem::Store(error) => error.into(),
        UploadProblem::TooLong(_) => {
            let bytes = shared.app.config.uploads.bytes;
            ApiProblem::too_large(usize::try_from(bytes).unwrap_or(usize::MAX))
        }
        UploadProblem::Many(_) => ApiProblem::conflict(format!("{problem}.")),
        UploadProblem::None | UploadProblem::Empty => {
            ApiProblem::invalid("", "The body is empty; send the file with the list.")
        }
        UploadProblem::Io(problem) => {
            tracing::error!(%problem, "a list that was brought cannot be kept");
            ApiProblem::unavailable("The server cannot keep the list at the moment.")
        }
    }
}
