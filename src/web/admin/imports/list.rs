//! `/admin/imports`: all lists that were taken in, and those that wait for somebody to go on with them.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::{DONE, state};
use crate::app::drafts::{Draft, ImportDraft, KEPT_FOR, Stage};
use crate::app::import::ImportTold;
use crate::domain::brand::Brand;
use crate::domain::ids::ImportId;
use crate::domain::operator::Operator;
use crate::domain::policy::Verdict;
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::admin::by_age::{self, ByAge};
use crate::web::admin::frame::{Done, Frame};
use crate::web::admin::jobs::{brands, tone};
use crate::web::admin::table::{Asked, Cell, Rows, Table, relative};
use crate::web::admin::wizard;
use crate::web::error;
use crate::web::page::render;

/// A list that waits for somebody to go on with it.
struct Waiting {
    file: String,
    brand: String,
    path: String,
    since: String,
    ends: String,
    by: String,
    what: &'static str,
}

#[derive(Template)]
#[template(path = "admin/imports.html")]
struct ImportsPage {
    frame: Frame,
    waiting: Vec<Waiting>,
    table: Table,
}

const COLUMNS: [(&str, bool); 10] = [
    ("Name", false),
    ("Brand", false),
    ("Source", false),
    ("State", false),
    ("Rows", true),
    ("Accepted", true),
    ("Confirm first", true),
    ("Refused", true),
    ("Broken", true),
    ("When", false),
];
const STATES: [&str; 5] = [
    "running",
    "interrupted",
    "done",
    "withdrawing",
    "taken back",
];

fn row(brand: &Brand, told: ImportTold, drafts: &[Draft<ImportDraft>]) -> Vec<Cell> {
    let draft = drafts.iter().find(|draft| draft.of.import == Some(told.id));
    let state = state(&told, draft);
    let number = |count: u64| Cell::Number(i64::try_from(count).unwrap_or(i64::MAX));
    let path = format!("/admin/imports/{}/{}", brand.declared.slug, told.id);
    vec![
        Cell::link(told.name, path),
        Cell::text(&brand.declared.name),
        told.source.map_or(Cell::text("each row says"), Cell::Code),
        Cell::State(state.to_owned(), tone(state)),
        number(told.counts.rows()),
        number(told.counts.of(Verdict::Accept)),
        number(told.counts.of(Verdict::ConfirmFirst)),
        number(told.counts.of(Verdict::Refuse)),
        number(told.counts.broken),
        Cell::Time(told.started_at),
    ]
}

fn waiting(brand: &Brand, drafts: &[Draft<ImportDraft>], now: Timestamp) -> Vec<Waiting> {
    let open = drafts.iter().filter(|draft| draft.of.import.is_none());
    open.map(|draft| Waiting {
        file: draft.of.file_name.clone(),
        brand: brand.declared.name.clone(),
        path: wizard::path(brand, draft.id, wizard::place(draft)),
        since: relative(draft.begun_at, now),
        ends: relative(draft.begun_at.plus(KEPT_FOR), now),
        by: draft.of.operator.clone(),
        what: match draft.stage {
            Stage::Trying => "is being tried",
            Stage::Tried => "tried, waits for its start",
            _ => "waits for the next step",
        },
    })
    .collect()
}

/// `GET /admin/imports`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    done: Query<Done>,
    asked: Query<Asked>,
) -> HttpResponse {
    let now = shared.app.clock.now();
    let brands = brands(&shared, &operator);
    let (mut waiting, mut lists) = (Vec::new(), Vec::new());
    for brand in &brands {
        match shared.app.import_drafts(brand.id).await {
            Ok(drafts) => {
                waiting.extend(self::waiting(brand, &drafts, now));
                lists.extend(drafts);
            }
            Err(problem) => return error::store_failure(&request, &shared, &problem),
        }
    }
    let rows = Rows {
        caption: "Imports".to_owned(),
        columns: COLUMNS.to_vec(),
        rows: Vec::new(),
        empty: "No list was taken in yet. Bring the first one with “Bring a list”; countersign import FILE does the same on the \
                command line."
            .to_owned(),
    };
    let of = ByAge {
        path: "/admin/imports",
        file: "imports",
        began: "When",
        states: &STATES,
        brands,
        rows,
    };
    let frame = Frame::new(&shared, &operator, "Imports")
        .at("/admin/imports")
        .noticing(done.done.as_deref(), &DONE);
    let reading = (shared.clone(), Arc::new(lists));
    let read = move |brand: Arc<Brand>, after: Option<Uuid>, down, limit| {
        let (web, lists) = reading.clone();
        async move {
            let after = (after.map(ImportId), down);
            let told = web.app.tell_imports_in_order(&brand, after, limit).await?;
            let rows = told.into_iter();
            let rows = rows.map(|told| (told.id.0, row(&brand, told, &lists)));
            Ok(rows.collect())
        }
    };
    let who = (&request, &shared, &*operator);
    let table = by_age::table(who, of, (&asked, frame.may_take()), read);
    match table.await {
        Ok(table) => render(
            StatusCode::OK,
            &ImportsPage {
                frame,
                waiting,
                table,
            },
        ),
        Err(answer) => answer,
    }
}
