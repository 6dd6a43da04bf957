//! `/api/v1/import-drafts/{id}/files`: files of proof for a list, each written to disk as it comes.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::upload::{check_kind, next_part};
use super::{changed, find};
use crate::app::drafts::proofs::Arriving;
use crate::app::drafts::{Draft, DraftProblem, ImportDraft, Paper, PaperRefused};
use crate::domain::policy::{TAKE_FILES, takes_file};
use crate::intake::proof::{FILE_BYTES, ProofProblem};
use crate::web::Web;
use crate::web::api::body::Params;
use crate::web::api::idempotent::once;
use crate::web::api::key::{ImportsWrite, Key};
use crate::web::api::problem::ApiProblem;
use crate::web::api::reply::{Answer, Page, Reply, ok};
use crate::web::extract::paced::Paced;

pub const KINDS: [&str; 5] = [
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "application/octet-stream",
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// What the file is called. Rows name a file by it, in a column of `file.KEY`; of two with the same name the later one stays.
    #[param(example = "contract.pdf", max_length = 200)]
    name: String,
    /// The piece of proof that it is for all rows: `account`, `ad`, `assignment`, `contract`, `document`, `lead`, `order`, `receipt`
    /// or `scan`. Without it the file is there for rows to name.
    #[param(example = "contract")]
    key: Option<String>,
}

/// The bytes of a file of proof.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code)] // For the description.
pub struct ProofBytes(Vec<u8>);

/// A file of proof that was brought for a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportDraftFile {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    /// The piece of proof that it is for all rows; null where rows name it.
    key: Option<String>,
    bytes: u64,
    /// By it claims name the file, and `countersign proof-file` gives it back.
    sha256: String,
}

impl ImportDraftFile {
    fn of(paper: &Paper) -> Self {
        Self {
            id: paper.id.to_string(),
            name: paper.name.clone(),
            key: paper.key.clone(),
            bytes: paper.bytes,
            sha256: paper.sha256.clone(),
        }
    }
}

/// The files of proof that were brought for a list, in their order.
#[utoipa::path(get, path = "/api/v1/import-drafts/{id}/files", operation_id = "listImportDraftFiles", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["imports:write"])),
    responses((status = 200, description = "The files", body = Page<ImportDraftFile>)))]
pub async fn list(shared: web::Data<Web>, key: Key<ImportsWrite>, id: web::Path<String>) -> Answer {
    let (_, draft) = find(&shared, &key, &id).await?;
    let items = draft.of.papers.iter().map(ImportDraftFile::of).collect();
    ok(&Page { items, next: None })
}

/// Bring a file of proof for a list that is not started: the body is the file, of 10 MiB at most.
///
/// Up to ten hold for all rows (`key`); up to 500, of 250 MiB together, are for rows to name. What came of a trial is forgotten. The
/// file goes with the list if no import is started; else it is kept by its SHA-256.
#[utoipa::path(post, path = "/api/v1/import-drafts/{id}/files", operation_id = "createImportDraftFile", tag = "Imports",
    params(("id" = String, Path, format = "uuid"), FileQuery),
    request_body(content(
        (ProofBytes = "application/pdf"),
        (ProofBytes = "image/jpeg"),
        (ProofBytes = "image/png"),
        (ProofBytes = "image/tiff"),
        (ProofBytes = "application/octet-stream"))),
    security(("key" = ["imports:write"])),
    responses((status = 201, description = "The file is on disk", body = ImportDraftFile)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    id: web::Path<String>,
    query: Params<FileQuery>,
    payload: web::Payload,
) -> Answer {
    let (_, draft) = find(&shared, &key, &id).await?;
    let FileQuery { name, key: of } = query.0;
    if of.as_deref().is_some_and(|key| !takes_file(key)) {
        let detail = format!("It is one of {}.", TAKE_FILES.join(", "));
        return Err(ApiProblem::invalid("key", detail));
    }
    check_kind(&request, &KINDS)?;
    let arriving = receive(&shared, &draft, &name, payload).await?;
    let hash = arriving.sha256();
    let work = {
        let shared = shared.clone();
        async move {
            let id = arriving.id();
            let kept = shared.app.keep_papers(draft, vec![(of, arriving)]).await;
            let (draft, told) = kept.map_err(refused)?;
            if let Some((_, problem)) = told.into_iter().next() {
                return Err(refused(problem));
            }
            let paper = draft.of.papers.iter().find(|paper| paper.id == id);
            let paper = paper.ok_or_else(|| changed(DraftProblem::Changed))?;
            Reply::json(StatusCode::CREATED, &ImportDraftFile::of(paper))
        }
    };
    once(&request, shared, key.key.id, hash, work).await
}

async fn receive(
    shared: &Web,
    draft: &Draft<ImportDraft>,
    name: &str,
    payload: web::Payload,
) -> Result<Arriving, ApiProblem> {
    let mut payload = Paced::new(payload, shared.upload_pace);
    let arriving = shared.app.begin_paper(draft, name).await;
    let mut arriving = arriving.map_err(refused)?;
    while let Some(part) = next_part(&mut payload).await? {
        arriving.write(&part).await.map_err(refused)?;
    }
    Ok(arriving)
}

/// Remove a file of proof from a list that is not started.
#[utoipa::path(delete, path = "/api/v1/import-drafts/{id}/files/{file}", operation_id = "deleteImportDraftFile", tag = "Imports",
    params(("id" = String, Path, format = "uuid"), ("file" = String, Path, format = "uuid")),
    security(("key" = ["imports:write"])),
    responses((status = 204, description = "It is gone")))]
pub async fn remove(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    path: web::Path<(String, String)>,
) -> Answer {
    let id = Uuid::try_parse(&path.1).ok();
    let asker = key.key.id;
    let work = {
        let shared = shared.clone();
        async move {
            let (_, draft) = find(&shared, &key, &path.0).await?;
            if !draft.of.papers.iter().any(|paper| Some(paper.id) == id) {
                return Err(ApiProblem::not_found("The list has no such file."));
            }
            let removed = shared.app.drop_papers(draft, |paper| Some(paper.id) == id);
            removed.await.map_err(changed)?;
            Ok(Reply::nothing())
        }
    };
    once(&request, shared, asker, [0; 32], work).await
}

fn refused(problem: PaperRefused) -> ApiProblem {
    match problem {
        PaperRefused::Draft(problem) => changed(problem),
        PaperRefused::File(ProofProblem::TooLong) => {
            ApiProblem::too_large(usize::try_from(FILE_BYTES).unwrap_or(usize::MAX))
        }
        PaperRefused::File(_) => {
            ApiProblem::invalid("", "The body is empty; send the file of proof.")
        }
        PaperRefused::Name => ApiProblem::invalid("name", format!("{problem}.")),
        PaperRefused::Paper(_) | PaperRefused::Many | PaperRefused::Long => {
            ApiProblem::conflict(format!("{problem}."))
        }
        PaperRefused::Io(problem) => {
            tracing::error!(%problem, "a file of proof that was brought cannot be kept");
            ApiProblem::unavailable("The server cannot keep the file at the moment.")
        }
    }
}
