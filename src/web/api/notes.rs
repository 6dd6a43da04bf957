//! `POST /api/v1/contacts/{id}/notes`: what a program of the operator's, or somebody behind it, writes down about a contact.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input};
use super::contacts::known;
use super::idempotent::once;
use super::key::{ContactsWrite, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Reply};
use crate::domain::added::{NOTE_AT_MOST, clean_note};
use crate::domain::event::Through;
use crate::web::Web;

/// A note about a contact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteRequest {
    /// Plain text; line feeds stay. The person gets to read it with all that is kept of them.
    #[schema(
        example = "Asked by telephone for the paper form.",
        min_length = 1,
        max_length = 2000
    )]
    note: String,
}

impl Input for NoteRequest {}

/// A note that is on disk.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteAnswer {
    #[schema(format = "uuid")]
    contact: String,
    /// As it was kept: without space around it.
    note: String,
}

/// Write a note into a contact's story. It changes nothing of where the contact stands, and cannot be changed itself.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/notes", operation_id = "createNote", tag = "Contacts",
    params(("id" = String, Path, format = "uuid")), request_body = NoteRequest, security(("key" = ["contacts:write"])),
    responses((status = 201, description = "It is on disk", body = NoteAnswer)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ContactsWrite>,
    id: web::Path<String>,
    body: Body<NoteRequest>,
) -> Answer {
    let known = known(&shared, &key, &id).await?;
    let note = clean_note(&body.value.note).ok_or_else(|| {
        let detail =
            format!("A note has 1 to {NOTE_AT_MOST} characters, all of which can be seen.");
        ApiProblem::invalid("note", detail)
    })?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let by = (Some(&acting), Through::Api);
            let written = shared.app.write_note(&known.brand, known.id, &note, by);
            if !written.await? {
                return Err(ApiProblem::not_found("There is no such contact."));
            }
            let answer = NoteAnswer {
                contact: known.id.to_string(),
                note,
            };
            Reply::json(StatusCode::CREATED, &answer)
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}
