//! `/admin/new-import`: bringing a list, one step a page. Each step is kept, so that it can be left and gone on with.

pub mod columns;
pub mod file;
mod papers;
pub mod source;
pub mod trial;

use std::sync::Arc;

use actix_web::HttpResponse;
use uuid::Uuid;

use super::frame::Frame;
use super::jobs::brand_and_id;
use super::not_found;
use crate::app::drafts::{Draft, ImportDraft, KEPT_FOR, Stage};
use crate::domain::brand::Brand;
use crate::domain::operator::Operator;
use crate::store::StoreError;
use crate::web::Web;

/// The steps in their order: the last part of the path, and the name.
const STEPS: [(&str, &str); 4] = [
    ("file", "File"),
    ("columns", "Columns"),
    ("source", "Source and proof"),
    ("trial", "Trial and start"),
];

/// A step as the pages show it.
pub struct Step {
    number: usize,
    name: &'static str,
    here: bool,
    /// Where a step leads that was taken already.
    path: Option<String>,
}

/// What all steps show of a list.
pub struct Head {
    steps: Vec<Step>,
    file: String,
    brand: String,
    purpose: String,
    /// Until when it waits.
    until: String,
    remove: String,
}

/// The path of a step.
pub fn path(brand: &Brand, id: Uuid, step: &str) -> String {
    format!("/admin/new-import/{}/{id}/{step}", brand.declared.slug)
}

/// The step at which somebody goes on.
pub fn place(draft: &Draft<ImportDraft>) -> &'static str {
    match draft.stage {
        Stage::Open if draft.of.said.map.is_empty() => "columns",
        Stage::Open => "source",
        _ => "trial",
    }
}

fn steps(brand: Option<(&Brand, &Draft<ImportDraft>)>, here: &str) -> Vec<Step> {
    let at = STEPS.iter().position(|step| step.0 == here).unwrap_or(0);
    let numbered = STEPS.iter().enumerate();
    numbered
        .map(|(number, (step, name))| Step {
            number: number + 1,
            name,
            here: number == at,
            path: brand
                .filter(|_| number < at && number > 0)
                .map(|(brand, draft)| path(brand, draft.id, step)),
        })
        .collect()
}

impl Head {
    fn of(brand: &Brand, draft: &Draft<ImportDraft>, here: &str) -> Self {
        Self {
            steps: steps(Some((brand, draft)), here),
            file: draft.of.file_name.clone(),
            brand: brand.declared.name.clone(),
            purpose: draft.of.purpose.to_string(),
            until: draft.begun_at.plus(KEPT_FOR).to_the_minute(),
            remove: path(brand, draft.id, "remove"),
        }
    }
}

fn frame(shared: &Web, operator: &Operator, title: &str) -> Frame {
    Frame::new(shared, operator, title)
        .at("/admin/imports")
        .below("Imports", "/admin/imports")
}

/// A list of theirs that was brought and not started yet.
async fn draft_of(
    shared: &Web,
    operator: &Operator,
    slug_and_id: (&str, &str),
) -> Result<Option<(Arc<Brand>, Draft<ImportDraft>)>, StoreError> {
    let Some((brand, id)) = brand_and_id(shared, operator, slug_and_id) else {
        return Ok(None);
    };
    let draft = shared.app.import_draft(brand.id, id).await?;
    Ok(draft.map(|draft| (brand, draft)))
}

fn gone(shared: &Web, operator: &Operator) -> HttpResponse {
    not_found(shared, operator, "This list")
}

/// The page of the import that a draft became.
fn started(brand: &Brand, draft: &Draft<ImportDraft>) -> Option<String> {
    let import = draft.of.import?;
    Some(format!("/admin/imports/{}/{import}", brand.declared.slug))
}

/// Takes a draft out of the database, or answers in the page's place.
macro_rules! draft {
    ($request:expr, $shared:expr, $operator:expr, $path:expr) => {
        match super::draft_of(&$shared, &$operator, (&$path.0, &$path.1)).await {
            Ok(Some((brand, draft))) => match super::started(&brand, &draft) {
                None => (brand, draft),
                Some(import) => return crate::web::admin::see(&import),
            },
            Ok(None) => return super::gone(&$shared, &$operator),
            Err(problem) => {
                return crate::web::error::store_failure(&$request, &$shared, &problem);
            }
        }
    };
}
pub(super) use draft;
