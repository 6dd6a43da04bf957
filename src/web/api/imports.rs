//! `/api/v1/imports`: lists that were taken in, how far each is, and taking one back.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::body::Params;
use super::cursor;
use super::idempotent::once;
use super::import_drafts::refused as start_refused;
use super::key::{ContactsRead, ImportsRead, ImportsWrite, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::drafts::{Draft, ImportDraft, Stage};
use crate::app::import::{ImportTold, KeptRow, WithdrawProblem};
use crate::domain::brand::Brand;
use crate::domain::ids::ImportId;
use crate::domain::operator::Deed;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::page::pieces;

/// How long a request waits for an import to be taken back, before it answers that this goes on.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BrandQuery {
    #[param(example = "acme")]
    pub brand: String,
    /// The cursor of an earlier page.
    pub after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// A file that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportItem {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    brand: String,
    purpose: String,
    file_name: String,
    /// From where the addresses came; null where each row says it.
    source: Option<String>,
    /// `running`, `failed`, `done`, `withdrawing` or `withdrawn`.
    state: &'static str,
    rows_done: u64,
    /// What became of the rows.
    #[schema(value_type = Object)]
    counts: Value,
    /// Why it broke off, and what to do.
    problem: Option<String>,
    /// Whether there is a report to fetch; it is kept for a week.
    has_report: bool,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl ImportItem {
    fn of(
        shared: &Web,
        brand: &Brand,
        told: ImportTold,
        draft: Option<&Draft<ImportDraft>>,
    ) -> Self {
        let failed = draft.is_some_and(|draft| draft.stage == Stage::Failed);
        Self {
            id: told.id.to_string(),
            name: told.name,
            brand: brand.declared.slug.to_string(),
            purpose: told.purpose,
            file_name: told.file_name,
            source: told.source,
            state: match told.state.as_str() {
                "done" => "done",
                "withdrawn" => "withdrawn",
                "withdrawing" => "withdrawing",
                _ if failed => "failed",
                _ => "running",
            },
            rows_done: told.rows,
            counts: serde_json::to_value(&told.counts).unwrap_or_default(),
            problem: draft.and_then(|draft| draft.of.problem.clone()),
            has_report: draft.is_some_and(|draft| shared.app.report_of(draft).is_some()),
            started_at: told.started_at.to_string(),
            ended_at: told.ended_at.map(|at| at.to_string()),
        }
    }
}

const NONE: &str = "There is no such import.";

/// An import of a brand as it is now.
pub async fn item_of(shared: &Web, brand: &Brand, id: ImportId) -> Result<ImportItem, ApiProblem> {
    let found = shared.app.tell_import(brand.id, id).await?;
    let told = found.ok_or_else(|| ApiProblem::not_found(NONE))?;
    let draft = shared.app.draft_of_import(brand.id, id).await?;
    Ok(ImportItem::of(shared, brand, told, draft.as_ref()))
}

type Found = (Arc<Brand>, ImportTold, Option<Draft<ImportDraft>>);

/// An import of the brands that the key sees.
async fn find<S>(shared: &Web, key: &Key<S>, id: &str) -> Result<Found, ApiProblem> {
    let look = |brand, id| shared.app.tell_import(brand, ImportId(id));
    let (brand, told) = key.find(shared, id, NONE, look).await?;
    let draft = shared.app.draft_of_import(brand.id, told.id).await?;
    Ok((brand, told, draft))
}

/// A brand's imports, newest first.
#[utoipa::path(get, path = "/api/v1/imports", operation_id = "listImports", tag = "Imports", params(BrandQuery),
    security(("key" = ["imports:read"])),
    responses((status = 200, description = "A page of imports", body = Page<ImportItem>)))]
pub async fn list(
    shared: web::Data<Web>,
    key: Key<ImportsRead>,
    query: Params<BrandQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let before = cursor::before(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let app = &shared.app;
    let found = app.tell_imports_before(&brand, ImportId(before), limit);
    let found = found.await?;
    let drafts = app.import_drafts(brand.id).await?;
    let next = cursor::next(&found, limit, |last| cursor::of_id(last.id.0));
    let items: Vec<ImportItem> = found
        .into_iter()
        .map(|told| {
            let draft = drafts.iter().find(|draft| draft.of.import == Some(told.id));
            ImportItem::of(&shared, &brand, told, draft)
        })
        .collect();
    ok(&Page { items, next })
}

/// One import.
#[utoipa::path(get, path = "/api/v1/imports/{id}", operation_id = "getImport", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["imports:read"])),
    responses((status = 200, description = "The import", body = ImportItem)))]
pub async fn show(shared: web::Data<Web>, key: Key<ImportsRead>, id: web::Path<String>) -> Answer {
    let (brand, told, draft) = find(&shared, &key, &id).await?;
    ok(&ImportItem::of(&shared, &brand, told, draft.as_ref()))
}

/// The report of an import: a CSV with a line for each row (line, address, verdict, rule, outreach, reason).
///
/// It is there for a week once an import that came over the API or the operators' pages is done.
#[utoipa::path(get, path = "/api/v1/imports/{id}/report", operation_id = "getImportReport", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["imports:write"])),
    responses((status = 200, description = "The report", body = String, content_type = "text/csv")))]
pub async fn report(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    id: web::Path<String>,
) -> Answer {
    let (_, told, draft) = find(&shared, &key, &id).await?;
    let none = || ApiProblem::not_found("There is no report of this import.");
    let path = draft.as_ref().and_then(|draft| shared.app.report_of(draft));
    let path = path.ok_or_else(none)?;
    let on = format!("the report of the import {}", told.name);
    let acting = key.acting(&request, &shared);
    shared.app.acted(&acting, Deed::ListTaken, Some(on)).await?;
    let pieces = pieces(&path).await.map_err(|_| none())?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"report-{}.csv\"", told.id),
        ))
        .streaming(pieces))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RowsQuery {
    /// The cursor of an earlier page.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A row that was taken in, and what the policy said of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRowItem {
    line: u64,
    #[schema(format = "uuid")]
    contact: String,
    /// As the list named it.
    address: String,
    verdict: &'static str,
    rule: &'static str,
    outreach: &'static str,
    reason: String,
}

impl ImportRowItem {
    fn of(row: KeptRow) -> Self {
        let judgement = row.judgement;
        Self {
            line: row.line,
            contact: row.contact.to_string(),
            address: row.address,
            verdict: judgement.verdict.as_str(),
            rule: judgement.rule.id(),
            outreach: judgement.outreach.as_str(),
            reason: judgement.why,
        }
    }
}

/// The rows of an import that were taken in, in the order of the list.
///
/// Of refused and broken rows numbers are kept alone: the import's `counts`. Whoever was erased is here no more. A page looks through a
/// bounded part of the events, so it may have fewer rows than asked for, or none, and a `next` all the same.
#[utoipa::path(get, path = "/api/v1/imports/{id}/rows", operation_id = "listImportRows", tag = "Imports",
    params(("id" = String, Path, format = "uuid"), RowsQuery), security(("key" = ["contacts:read"])),
    responses((status = 200, description = "A page of rows", body = Page<ImportRowItem>)))]
pub async fn rows(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ContactsRead>,
    id: web::Path<String>,
    query: Params<RowsQuery>,
) -> Answer {
    let behind = cursor::position(query.0.after.as_deref())?;
    let limit = usize::try_from(cursor::limit(query.0.limit)?).unwrap_or(1);
    let (brand, told, _) = find(&shared, &key, &id).await?;
    let taken = format!("the rows of the import {}", told.name);
    shared
        .app
        .takes_list(&key.acting(&request, &shared), taken)
        .await?;
    let of = (brand.id, told.id);
    let (found, further) = shared
        .app
        .rows_of_import(of, (Some(behind), false), limit)
        .await?;
    let items = found.into_iter().map(|row| ImportRowItem::of(row.1));
    ok(&Page {
        items: items.collect(),
        next: further.map(cursor::of_position),
    })
}

/// How far taking an import back is.
#[derive(Debug, Serialize, ToSchema)]
pub struct WithdrawnAnswer {
    /// `withdrawn`, or `withdrawing` where it goes on: ask for the import to see its end.
    state: &'static str,
    /// Contacts of whom nothing rests on the import any more; null where it goes on, or was taken back before.
    contacts: Option<u64>,
    /// Those that have nothing else.
    left_without: Option<u64>,
}

/// Take an import back as a whole: its contacts stand as if the file had never come.
///
/// Refused once a campaign has written to people because of it. A large one goes on after the answer; interrupted, it goes on when it
/// is asked for again.
#[utoipa::path(post, path = "/api/v1/imports/{id}/withdraw", operation_id = "withdrawImport", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["imports:write"])),
    responses(
        (status = 200, description = "It is taken back", body = WithdrawnAnswer),
        (status = 202, description = "It is being taken back", body = WithdrawnAnswer)))]
pub async fn withdraw(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    id: web::Path<String>,
) -> Answer {
    let (brand, told, _) = find(&shared, &key, &id).await?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let (app, name) = (shared.app.clone(), told.name);
            if told.state != "withdrawn" {
                let on = Some(name.clone());
                app.acted(&acting, Deed::ImportTakenBack, on).await?;
            }
            let task = tokio::spawn(async move { app.withdraw_import(&brand, &name).await });
            let answer = |state, done: Option<(u64, u64)>| WithdrawnAnswer {
                state,
                contacts: done.map(|done| done.0),
                left_without: done.map(|done| done.1),
            };
            match tokio::time::timeout(PATIENCE, task).await {
                Ok(Ok(Ok(done))) => {
                    let numbers = Some((done.contacts, done.left_without));
                    Reply::json(StatusCode::OK, &answer("withdrawn", numbers))
                }
                Ok(Ok(Err(problem))) => match problem {
                    WithdrawProblem::Already(_) => {
                        Reply::json(StatusCode::OK, &answer("withdrawn", None))
                    }
                    WithdrawProblem::Store(error) => Err(error.into()),
                    WithdrawProblem::Unknown(_) => {
                        Err(ApiProblem::not_found("There is no such import."))
                    }
                    WithdrawProblem::Sent(_) => Err(ApiProblem::conflict(
                        "A campaign has written to people since the import came, so it cannot be taken back as a whole. Erase \
                         those who should not be here one by one.",
                    )),
                },
                Ok(Err(_)) => Err(ApiProblem::unavailable("It broke off; ask for it again.")),
                Err(_) => Reply::json(StatusCode::ACCEPTED, &answer("withdrawing", None)),
            }
        }
    };
    once(&request, shared, key.key.id, [0; 32], work).await
}

/// Go on with an import that broke off.
#[utoipa::path(post, path = "/api/v1/imports/{id}/resume", operation_id = "resumeImport", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["imports:write"])),
    responses((status = 202, description = "It goes on", body = ImportItem)))]
pub async fn resume(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    id: web::Path<String>,
) -> Answer {
    let (brand, told, draft) = find(&shared, &key, &id).await?;
    let draft = draft.ok_or_else(|| {
        ApiProblem::conflict("It was begun on the command line, and goes on from there.")
    })?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            if draft.stage == Stage::Failed {
                let on = Some(told.name.clone());
                let kept: Result<(), StoreError> =
                    shared.app.acted(&acting, Deed::ImportStarted, on).await;
                kept?;
            }
            let going = shared.app.go_on_with_import(draft).await;
            going.map_err(start_refused)?;
            let item = item_of(&shared, &brand, told.id).await?;
            Reply::json(StatusCode::ACCEPTED, &item)
        }
    };
    once(&request, shared, key.key.id, [0; 32], work).await
}
