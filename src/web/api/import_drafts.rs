//! `/api/v1/import-drafts`: lists on their way in. A list is brought, tried and started; what takes long is done by the server, whether
//! the program waits for it or not.

pub mod files;
pub mod said;
pub(super) mod upload;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{Body, Input, Params};
use super::cursor;
use super::idempotent::once;
use super::imports::{BrandQuery, ImportItem, item_of};
use super::key::{ImportsWrite, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::drafts::import::StartProblem;
use crate::app::drafts::{Draft, DraftProblem, ImportDraft, KEPT_FOR, LookProblem, Stage};
use crate::app::import::ImportProblem;
use crate::domain::brand::Brand;
use crate::domain::operator::Deed;
use crate::web::Web;
use said::TryRequest;

pub use upload::{__path_create, create};

/// A list on its way in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportDraftItem {
    #[schema(format = "uuid")]
    id: String,
    brand: String,
    purpose: String,
    file_name: String,
    bytes: u64,
    sha256: String,
    /// `open`, `trying`, `tried`, `started`, `done` or `failed`.
    stage: &'static str,
    /// What the file was taken for.
    about: Option<String>,
    /// The columns with what each holds; null where that is not known, and the column is left out.
    columns: Vec<ColumnItem>,
    /// Why the list cannot be read, or broke off, and what to do.
    problem: Option<String>,
    /// How far it is, where the process that answers is the one that works on it.
    progress: Option<ProgressItem>,
    /// What would become of the rows; null until it was tried.
    #[schema(value_type = Option<Object>)]
    counts: Option<Value>,
    /// Some rows of each verdict.
    samples: Vec<SampleItem>,
    /// The import that it became.
    #[schema(format = "uuid")]
    import: Option<String>,
    /// When the list is removed if it is not started by then.
    #[schema(format = DateTime)]
    until: String,
}

/// A column of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnItem {
    name: String,
    #[schema(example = "email")]
    field: Option<String>,
}

/// How far something is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressItem {
    rows: u64,
    #[schema(maximum = 100)]
    percent: u64,
    seconds_left: u64,
}

/// A row to look at.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleItem {
    /// `accept`, `confirm_first`, `refuse` or `broken`.
    verdict: String,
    line: u64,
    address: String,
    rule: String,
    outreach: String,
    reason: String,
}

/// How an import begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// What it is called, 1 to 100 characters; without it, as the file.
    #[schema(example = "customers 2026", max_length = 100)]
    name: Option<String>,
}

impl Input for StartRequest {}

/// A list of a brand that the key sees.
async fn find<S>(
    shared: &Web,
    key: &Key<S>,
    id: &str,
) -> Result<(Arc<Brand>, Draft<ImportDraft>), ApiProblem> {
    let none = "There is no such list; it waits for a day.";
    let app = &shared.app;
    key.find(shared, id, none, |brand, id| app.import_draft(brand, id))
        .await
}

async fn item(shared: &Web, brand: &Brand, draft: &Draft<ImportDraft>) -> ImportDraftItem {
    let (app, of) = (&shared.app, &draft.of);
    let mut about = None;
    let mut columns = Vec::new();
    let mut problem = of.problem.clone();
    match &of.trial {
        Some(trial) => {
            about = Some(trial.about.clone()).filter(|text| !text.is_empty());
            let used = trial.columns.iter();
            columns.extend(used.map(|(name, field)| ColumnItem {
                name: name.clone(),
                field: Some(field.clone()),
            }));
            problem = problem.or_else(|| trial.problem.clone());
        }
        None if draft.stage == Stage::Open => {
            let look = app.look(draft).await;
            about = look.about;
            let names = look.header.into_iter().zip(look.fields);
            columns.extend(names.map(|(name, field)| ColumnItem { name, field }));
            problem = problem.or_else(|| look.problem.map(words));
        }
        None => {}
    }
    let progress = app.at_work.shown(draft.id).map(|shown| {
        let (done, whole) = shown.progress.bytes;
        ProgressItem {
            rows: shown.progress.rows,
            percent: (100 * done.min(whole)).checked_div(whole).unwrap_or(0),
            seconds_left: shown.left,
        }
    });
    let samples = match draft.stage {
        Stage::Tried => app.samples(draft).await,
        _ => Vec::new(),
    };
    ImportDraftItem {
        id: draft.id.to_string(),
        brand: brand.declared.slug.to_string(),
        purpose: of.purpose.to_string(),
        file_name: of.file_name.clone(),
        bytes: of.bytes,
        sha256: of.sha256.clone(),
        stage: draft.stage.as_str(),
        about,
        columns,
        problem,
        progress,
        counts: of
            .trial
            .as_ref()
            .and_then(|trial| serde_json::to_value(&trial.counts).ok()),
        samples: samples
            .into_iter()
            .map(|sample| SampleItem {
                verdict: sample.verdict,
                line: sample.line,
                address: sample.address,
                rule: sample.rule,
                outreach: sample.outreach,
                reason: sample.reason,
            })
            .collect(),
        import: of.import.map(|id| id.to_string()),
        until: draft.begun_at.plus(KEPT_FOR).to_string(),
    }
}

fn words(problem: LookProblem) -> String {
    match problem {
        LookProblem::Gone => "The server does not have the list any more; bring it again.".into(),
        LookProblem::File(text) | LookProblem::Columns(text) => text,
    }
}

/// A brand's lists on their way in, newest first. Those that wait are removed after a day.
#[utoipa::path(get, path = "/api/v1/import-drafts", operation_id = "listImportDrafts", tag = "Imports", params(BrandQuery),
    security(("key" = ["imports:write"])),
    responses((status = 200, description = "A page of lists", body = Page<ImportDraftLine>)))]
pub async fn list(
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    query: Params<BrandQuery>,
) -> Answer {
    let brand = key.brand(&shared, &query.0.brand)?;
    let before = cursor::before(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let found = shared.app.import_drafts_before(brand.id, before, limit);
    let found = found.await?;
    let next = cursor::next(&found, limit, |last| cursor::of_id(last.id));
    let items: Vec<ImportDraftLine> = found
        .into_iter()
        .map(|draft| ImportDraftLine {
            id: draft.id.to_string(),
            file_name: draft.of.file_name,
            stage: draft.stage.as_str(),
            import: draft.of.import.map(|id| id.to_string()),
        })
        .collect();
    ok(&Page { items, next })
}

/// A list on its way in, in a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportDraftLine {
    #[schema(format = "uuid")]
    id: String,
    file_name: String,
    stage: &'static str,
    #[schema(format = "uuid")]
    import: Option<String>,
}

/// A list on its way in: how it begins, how far it is, and what would become of its rows.
#[utoipa::path(get, path = "/api/v1/import-drafts/{id}", operation_id = "getImportDraft", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["imports:write"])),
    responses((status = 200, description = "The list", body = ImportDraftItem)))]
pub async fn show(shared: web::Data<Web>, key: Key<ImportsWrite>, id: web::Path<String>) -> Answer {
    let (brand, draft) = find(&shared, &key, &id).await?;
    ok(&item(&shared, &brand, &draft).await)
}

/// Remove a list that was not started.
#[utoipa::path(delete, path = "/api/v1/import-drafts/{id}", operation_id = "deleteImportDraft", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["imports:write"])),
    responses((status = 204, description = "It is gone")))]
pub async fn remove(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    id: web::Path<String>,
) -> Answer {
    let acting = key.acting(&request, &shared);
    let asker = key.key.id;
    let work = {
        let shared = shared.clone();
        async move {
            let (_, draft) = find(&shared, &key, &id).await?;
            let removed = shared.app.drop_import_draft(&acting, &draft).await;
            removed.map_err(changed)?;
            Ok(Reply::nothing())
        }
    };
    once(&request, shared, asker, [0; 32], work).await
}

/// Say what a list is, and have it tried: it is read to its end, and nothing is stored.
///
/// Ask for the list until its stage is `tried`. It can be tried again with something else said.
#[utoipa::path(post, path = "/api/v1/import-drafts/{id}/try", operation_id = "tryImportDraft", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), request_body = TryRequest, security(("key" = ["imports:write"])),
    responses((status = 202, description = "It is being tried", body = ImportDraftItem)))]
pub async fn have_tried(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    id: web::Path<String>,
    body: Body<TryRequest>,
) -> Answer {
    let (asker, hash) = (key.key.id, body.hash);
    let work = {
        let shared = shared.clone();
        async move {
            let (brand, draft) = find(&shared, &key, &id).await?;
            let said = said::read(body.value, &draft.of)?;
            let app = &shared.app;
            let id = draft.id;
            let draft = app.say(draft, said).await.map_err(changed)?;
            app.have_tried(draft).await.map_err(changed)?;
            let now = app.import_draft(brand.id, id).await?;
            let now =
                now.ok_or_else(|| ApiProblem::not_found("The list was removed meanwhile."))?;
            Reply::json(StatusCode::ACCEPTED, &item(&shared, &brand, &now).await)
        }
    };
    once(&request, shared, asker, hash, work).await
}

/// Take in a list that was tried. It runs on the server, and goes on after a restart.
#[utoipa::path(post, path = "/api/v1/import-drafts/{id}/start", operation_id = "startImportDraft", tag = "Imports",
    params(("id" = String, Path, format = "uuid")), request_body = StartRequest, security(("key" = ["imports:write"])),
    responses((status = 202, description = "It has started", body = ImportItem)))]
pub async fn start(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<ImportsWrite>,
    id: web::Path<String>,
    body: Body<StartRequest>,
) -> Answer {
    let acting = key.acting(&request, &shared);
    let (asker, name) = (key.key.id, body.value.name);
    let work = {
        let shared = shared.clone();
        async move {
            let (brand, draft) = find(&shared, &key, &id).await?;
            let app = &shared.app;
            let name = name.unwrap_or_else(|| draft.of.file_name.chars().take(100).collect());
            let name = name.trim().to_owned();
            if draft.stage != Stage::Tried {
                return Err(refused(StartProblem::NotTried));
            }
            app.acted(&acting, Deed::ImportStarted, Some(name.clone()))
                .await?;
            let started = app.start_import(&brand, draft, &name).await;
            let id = started.map_err(refused)?;
            let item = item_of(&shared, &brand, id).await?;
            Reply::json(StatusCode::ACCEPTED, &item)
        }
    };
    once(&request, shared, asker, body.hash, work).await
}

fn changed(problem: DraftProblem) -> ApiProblem {
    match problem {
        DraftProblem::Store(error) => error.into(),
        DraftProblem::Changed => {
            ApiProblem::conflict("It was started, or changed at the same moment; look at it again.")
        }
    }
}

pub(super) fn refused(problem: StartProblem) -> ApiProblem {
    let another_name = "The brand has an import of this name already; give this one another.";
    match problem {
        StartProblem::Draft(problem) => changed(problem),
        StartProblem::NotTried | StartProblem::Gone | StartProblem::Paper(..) => {
            ApiProblem::conflict(format!("{problem}."))
        }
        StartProblem::Reader => ApiProblem::unavailable(format!("{problem}.")),
        StartProblem::Import(problem) => match problem {
            ImportProblem::Store(error) => error.into(),
            ImportProblem::Name => ApiProblem::invalid("name", format!("{problem}.")),
            ImportProblem::Done(_) | ImportProblem::Withdrawn(_) | ImportProblem::Other(..) => {
                ApiProblem::conflict(another_name)
            }
            ImportProblem::ManyProofs => ApiProblem::conflict(format!("{problem}.")),
        },
    }
}

/// Pairs of a JSON object, in the order of their names.
type Pairs = BTreeMap<String, String>;
