//! `/api/v1/contacts/{id}/proofs` and `…/proof-files`: proof that turned up after an import, in words or as a file.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};

use super::body::{Body, Input, Params};
use super::contacts::known;
use super::idempotent::once;
use super::import_drafts::files::{KINDS, ProofBytes};
use super::import_drafts::upload::{check_kind, next_part};
use super::key::{ContactsWrite, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Reply};
use crate::app::add_proof::{NewProof, ProofRefused, Proven};
use crate::domain::brand::Slug;
use crate::domain::event::Through;
use crate::domain::policy::Source;
use crate::intake::proof::{FILE_BYTES, ProofProblem};
use crate::web::Web;
use crate::web::extract::paced::Paced;

/// Files that are in memory at once, each of 10 MiB at most.
static FILES: Semaphore = Semaphore::const_new(4);

/// Proof in words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofRequest {
    /// The source that it is proof of: one that an import claimed for the contact.
    #[schema(example = "purchase")]
    source: String,
    /// Without it, for each purpose that the source was claimed for.
    #[schema(example = "newsletter")]
    purpose: Option<String>,
    /// Pieces of proof by their keys; `countersign policy` says which a source takes. Days are YYYY-MM-DD.
    #[schema(example = json!({"order": "1001", "date": "2026-10-01"}))]
    proof: BTreeMap<String, String>,
}

impl Input for ProofRequest {}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// The source that it is proof of: one that an import claimed for the contact.
    #[param(example = "newsletter_form")]
    source: String,
    /// The piece of proof: `account`, `ad`, `assignment`, `contract`, `document`, `lead`, `order`, `receipt` or `scan`.
    #[param(example = "scan")]
    key: String,
    /// Without it, for each purpose that the source was claimed for.
    purpose: Option<String>,
}

/// What became of it for one purpose.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProvenItem {
    purpose: String,
    /// What the consent policy says with the proof: `accept`, `confirm_first` or `refuse`.
    verdict: &'static str,
    rule: &'static str,
    why: String,
    /// Until when implicit consent by it holds.
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    /// Where the contact stands now: `pending`, `implicit`, `explicit`, `lapsed`, `declined`, `withdrawn` or `corrected`.
    state: Option<&'static str>,
}

/// Proof that is on disk.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofAnswer {
    #[schema(format = "uuid")]
    contact: String,
    items: Vec<ProvenItem>,
}

impl ProvenItem {
    fn of(one: &Proven) -> Self {
        let judgement = &one.judgement;
        Self {
            purpose: one.purpose.to_string(),
            verdict: judgement.verdict.as_str(),
            rule: judgement.rule.id(),
            why: judgement.why.clone(),
            valid_until: judgement.valid_until.map(|at| at.to_string()),
            state: one.standing.map(|standing| standing.state.as_str()),
        }
    }
}

/// Add proof in words to what an import claimed of a contact; the contact is judged with it.
///
/// It cannot be changed or taken away; taking the import back ends what rests on it.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/proofs", operation_id = "addProof", tag = "Contacts",
    params(("id" = String, Path, format = "uuid")), request_body = ProofRequest, security(("key" = ["contacts:write"])),
    responses((status = 201, description = "It is on disk", body = ProofAnswer)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ContactsWrite>,
    id: web::Path<String>,
    body: Body<ProofRequest>,
) -> Answer {
    let ProofRequest {
        source,
        purpose,
        proof,
    } = body.value;
    let what = (source.as_str(), purpose, proof.into_iter().collect(), None);
    add(&request, shared, &key, &id, body.hash, what).await
}

/// Add a file of proof to what an import claimed of a contact: the body is the file, of 10 MiB at most. It is kept by its SHA-256.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/proof-files", operation_id = "addProofFile", tag = "Contacts",
    params(("id" = String, Path, format = "uuid"), ProofQuery),
    request_body(content(
        (ProofBytes = "application/pdf"),
        (ProofBytes = "image/jpeg"),
        (ProofBytes = "image/png"),
        (ProofBytes = "image/tiff"),
        (ProofBytes = "application/octet-stream"))),
    security(("key" = ["contacts:write"])),
    responses((status = 201, description = "It is on disk", body = ProofAnswer)))]
pub async fn bring(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ContactsWrite>,
    id: web::Path<String>,
    query: Params<ProofQuery>,
    payload: web::Payload,
) -> Answer {
    let ProofQuery {
        source,
        key: of,
        purpose,
    } = query.0;
    // Of somebody whom the key does not see no file is read.
    known(&shared, &key, &id).await?;
    check_kind(&request, &KINDS)?;
    let _turn = FILES.try_acquire().map_err(|_| {
        ApiProblem::unavailable("Several files are being brought; try again in a moment.")
    })?;
    let mut payload = Paced::new(payload, shared.upload_pace);
    let mut content = Vec::new();
    while let Some(part) = next_part(&mut payload).await? {
        if (content.len() + part.len()) as u64 > FILE_BYTES {
            return Err(too_large());
        }
        content.extend_from_slice(&part);
    }
    let hash = Sha256::digest(&content).into();
    let what = (source.as_str(), purpose, Vec::new(), Some((of, content)));
    add(&request, shared, &key, &id, hash, what).await
}

type What<'a> = (
    &'a str,
    Option<String>,
    Vec<(String, String)>,
    Option<(String, Vec<u8>)>,
);

async fn add(
    request: &HttpRequest,
    shared: web::Data<Web>,
    key: &Key<ContactsWrite>,
    id: &str,
    hash: [u8; 32],
    (source, purpose, words, file): What<'_>,
) -> Answer {
    let known = known(&shared, key, id).await?;
    let source = Source::parse(source).ok_or_else(|| {
        ApiProblem::invalid(
            "source",
            "There is no such source; docs/policy.md lists them.",
        )
    })?;
    let purpose = purpose.map(Slug::try_from).transpose();
    let new = NewProof {
        contact: known.id,
        source,
        purpose: purpose.map_err(|why| ApiProblem::invalid("purpose", format!("{why}.")))?,
        words,
        file,
    };
    let acting = key.acting(request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let by = (Some(&acting), Through::Api);
            let added = shared.app.add_proof(&known.brand, &new, by).await;
            let answer = ProofAnswer {
                contact: known.id.to_string(),
                items: added.map_err(refused)?.iter().map(ProvenItem::of).collect(),
            };
            Reply::json(StatusCode::CREATED, &answer)
        }
    };
    once(request, shared, key.key.id, hash, work).await
}

fn too_large() -> ApiProblem {
    ApiProblem::too_large(usize::try_from(FILE_BYTES).unwrap_or(usize::MAX))
}

fn refused(problem: ProofRefused) -> ApiProblem {
    let says = format!("{problem}.");
    match problem {
        ProofRefused::Store(error) => error.into(),
        ProofRefused::Unknown => ApiProblem::not_found("There is no such contact."),
        ProofRefused::File(ProofProblem::TooLong) => too_large(),
        ProofRefused::File(_) => {
            ApiProblem::invalid("", "The body is empty; send the file of proof.")
        }
        ProofRefused::NoFile(_) => ApiProblem::invalid("key", says),
        ProofRefused::Claim(_)
        | ProofRefused::Count
        | ProofRefused::NoDay(_)
        | ProofRefused::NoInstant(_) => ApiProblem::invalid("proof", says),
        ProofRefused::NoClaim(_) | ProofRefused::There(_) | ProofRefused::ManyFiles => {
            ApiProblem::conflict(says)
        }
    }
}
