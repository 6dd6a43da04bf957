//! `/admin/imports`: the lists that were taken in, and what became of each.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::{Done, Frame};
use super::jobs::{Going, brand_and_id, grouped, send_file, size, tone};
use super::table::{self, Asked, Cell, Rows, Table};
use super::{acting, not_found, see};
use crate::app::drafts::{Draft, ImportDraft, Stage};
use crate::app::import::tally::Counts;
use crate::app::import::{ImportTold, WithdrawProblem};
use crate::domain::brand::Brand;
use crate::domain::ids::ImportId;
use crate::domain::operator::{Deed, Operator};
use crate::domain::policy::Verdict;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

pub mod list;
pub mod rows;

const DONE: [(&str, &str); 6] = [
    (
        "started",
        "The import has started. It goes on when you close this page.",
    ),
    ("resumed", "The import goes on."),
    (
        "taken-back",
        "The import is taken back: nothing rests on it any more.",
    ),
    (
        "taking-back",
        "The import is being taken back. That goes on when you close this page.",
    ),
    ("removed", "The list is removed. Nothing of it was stored."),
    ("exists", "That import runs already."),
];

/// The rows of a table that tells what the policy said.
pub fn rules(counts: &Counts) -> Vec<Vec<Cell>> {
    let of = |verdict: Verdict| counts.verdicts.get(&verdict).into_iter().flatten();
    let mut rows: Vec<Vec<Cell>> = Verdict::ALL
        .into_iter()
        .flat_map(|verdict| of(verdict).map(move |(rule, rows)| (verdict, *rule, *rows)))
        .map(|(verdict, rule, rows)| {
            vec![
                Cell::State(words(verdict.as_str()).to_owned(), tone(verdict.as_str())),
                Cell::Code(rule.id().to_owned()),
                Cell::text(rule.says()),
                Cell::Number(i64::try_from(rows).unwrap_or(i64::MAX)),
            ]
        })
        .collect();
    if counts.broken > 0 {
        rows.push(vec![
            Cell::State("broken".to_owned(), "bad"),
            Cell::None,
            Cell::text("The row cannot be read, or names no address. The report says why."),
            Cell::Number(i64::try_from(counts.broken).unwrap_or(i64::MAX)),
        ]);
    }
    rows
}

pub fn words(verdict: &str) -> &str {
    match verdict {
        "confirm_first" => "confirm first",
        other => other,
    }
}

async fn state_of(
    shared: &Web,
    told: &ImportTold,
) -> Result<(&'static str, Option<Draft<ImportDraft>>), StoreError> {
    let draft = shared.app.draft_of_import(told.brand, told.id).await?;
    Ok((state(told, draft.as_ref()), draft))
}

fn state(told: &ImportTold, draft: Option<&Draft<ImportDraft>>) -> &'static str {
    match (told.state.as_str(), draft.map(|draft| draft.stage)) {
        ("done", _) => "done",
        ("withdrawn", _) => "taken back",
        ("withdrawing", _) => "withdrawing",
        (_, Some(Stage::Failed)) => "interrupted",
        (_, Some(_)) => "running",
        (_, None) => "running",
    }
}

#[derive(Template)]
#[template(path = "admin/import.html")]
struct ImportPage {
    frame: Frame,
    told: ImportTold,
    brand: String,
    path: String,
    state: &'static str,
    tone: &'static str,
    going: Option<Going>,
    rows: String,
    numbers: Vec<(String, &'static str)>,
    elsewhere: Option<String>,
    rules: Table,
    size: Option<String>,
    about: Option<String>,
    by: Option<String>,
    /// Until when the report can be taken along.
    report: Option<String>,
    broke_off: Option<String>,
    /// Begun on the command line, and not ended: from there it goes on.
    from_command_line: bool,
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    brand: &Brand,
    id: ImportId,
    (status, done, problem): (StatusCode, Option<&str>, Option<String>),
    asked: &Asked,
) -> HttpResponse {
    let found = async {
        let Some(told) = shared.app.tell_import(brand.id, id).await? else {
            return Ok(None);
        };
        let (state, draft) = state_of(shared, &told).await?;
        Ok(Some((told, state, draft)))
    };
    let (told, state, draft) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return not_found(shared, operator, "This import"),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let now = shared.app.clock.now();
    let frame = Frame::new(shared, operator, &told.name)
        .at("/admin/imports")
        .below("Imports", "/admin/imports")
        .noticing(done, &DONE)
        .failing(problem);
    let counts = &told.counts;
    let path = format!("/admin/imports/{}/{}", brand.declared.slug, told.id);
    let rules = Rows {
        caption: "What the policy said".to_owned(),
        columns: vec![
            ("Verdict", false),
            ("Rule", false),
            ("What it says", false),
            ("Rows", true),
        ],
        rows: rules(counts),
        empty: "No row was read yet.".to_owned(),
    };
    let rules = match rules.arrange(asked, &path, now, frame.may_take()) {
        Ok(rules) => rules,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    if asked.is_csv() {
        return rules.csv(&format!("what-the-policy-said-{}", told.id));
    }
    let trial = draft.as_ref().and_then(|draft| draft.of.trial.as_ref());
    let page = ImportPage {
        brand: brand.declared.name.clone(),
        state,
        tone: tone(state),
        going: draft
            .as_ref()
            .and_then(|draft| shared.app.at_work.shown(draft.id))
            .as_ref()
            .map(Going::of),
        rows: grouped(counts.rows()),
        numbers: vec![
            (grouped(counts.new), "new contacts"),
            (grouped(counts.added), "contacts with a further source"),
            (grouped(counts.unchanged), "known as they are"),
            (grouped(counts.of(Verdict::Refuse) + counts.broken), "rows of which nothing is stored"),
        ],
        elsewhere: (counts.elsewhere > 0).then(|| {
            format!(
                "{} rows hold another system's word on the consent, {} of a confirmation. It is kept as that system's word, never \
                 as confirmed here.",
                grouped(counts.elsewhere),
                grouped(counts.confirmed_elsewhere)
            )
        }),
        rules,
        size: draft.as_ref().map(|draft| size(draft.of.bytes)),
        about: trial.map(|trial| trial.about.clone()),
        by: draft.as_ref().map(|draft| draft.of.operator.clone()),
        report: draft
            .as_ref()
            .filter(|draft| shared.app.report_of(draft).is_some())
            .map(|draft| draft.changed_at.plus(crate::app::drafts::REPORT_KEPT_FOR).to_the_minute()),
        broke_off: draft.as_ref().and_then(|draft| draft.of.problem.clone()),
        from_command_line: told.state == "running" && draft.is_none(),
        path,
        told,
        frame,
    };
    render(status, &page)
}

/// `GET /admin/imports/{brand}/{id}`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    (done, asked): (Query<Done>, Query<Asked>),
) -> HttpResponse {
    let Some((brand, id)) = brand_and_id(&shared, &operator, (&path.0, &path.1)) else {
        return not_found(&shared, &operator, "This import");
    };
    let (id, what) = (ImportId(id), (StatusCode::OK, done.done.as_deref(), None));
    page(&request, &shared, &operator, &brand, id, what, &asked).await
}

/// `GET /admin/imports/{brand}/{id}/report`
pub async fn report(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let Some((brand, id)) = brand_and_id(&shared, &operator, (&path.0, &path.1)) else {
        return not_found(&shared, &operator, "This import");
    };
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let found = async {
        let draft = shared.app.draft_of_import(brand.id, ImportId(id)).await?;
        let report = draft.as_ref().and_then(|draft| shared.app.report_of(draft));
        let name = draft.and_then(|draft| draft.of.name).unwrap_or_default();
        if report.is_some() {
            let on = Some(format!("the report of the import {name}"));
            shared.app.acted(&acting, Deed::ListTaken, on).await?;
        }
        Ok(report.map(|report| (report, name)))
    };
    let (report, name) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return not_found(&shared, &operator, "A report of this import"),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    match send_file(&report, &format!("report-{name}")).await {
        Ok(response) => response,
        Err(_) => not_found(&shared, &operator, "A report of this import"),
    }
}

/// How long a page waits for an import to be taken back, before it goes on without it.
const PATIENCE: Duration = Duration::from_secs(3);

/// `POST /admin/imports/{brand}/{id}/take-back`
pub async fn take_back(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    fields: Fields,
) -> HttpResponse {
    let Some((brand, id)) = brand_and_id(&shared, &operator, (&path.0, &path.1)) else {
        return not_found(&shared, &operator, "This import");
    };
    let told = match shared.app.tell_import(brand.id, ImportId(id)).await {
        Ok(Some(told)) => told,
        Ok(None) => return not_found(&shared, &operator, "This import"),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let refuse = async |text: String| {
        let what = (StatusCode::UNPROCESSABLE_ENTITY, None, Some(text));
        page(
            &request,
            &shared,
            &operator,
            &brand,
            ImportId(id),
            what,
            &Asked::default(),
        )
        .await
    };
    if fields.raw("name").trim() != told.name {
        let text = format!(
            "Not taken back: type the name of the import, {}, to say that you mean it.",
            told.name
        );
        return refuse(text).await;
    }
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let kept = shared
        .app
        .acted(&acting, Deed::ImportTakenBack, Some(told.name.clone()))
        .await;
    if let Err(problem) = kept {
        return error::store_failure(&request, &shared, &problem);
    }
    // A long one goes on when the page is closed; interrupted, it is asked for again.
    let (app, of, name) = (shared.app.clone(), brand.clone(), told.name.clone());
    let work = tokio::spawn(async move { app.withdraw_import(&of, &name).await.map(drop) });
    let here = format!("/admin/imports/{}/{id}", brand.declared.slug);
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(Ok(())) | Ok(Err(WithdrawProblem::Already(_)))) => {
            see(&format!("{here}?done=taken-back"))
        }
        Ok(Ok(Err(WithdrawProblem::Store(problem)))) => {
            error::store_failure(&request, &shared, &problem)
        }
        Ok(Ok(Err(WithdrawProblem::Sent(_)))) => {
            let text = "Not taken back: a campaign has written to people since the import came. Erase those who should not be \
                        here one by one, under Contacts.";
            refuse(text.to_owned()).await
        }
        Ok(Ok(Err(problem))) => refuse(format!("Not taken back: {problem}.")).await,
        Ok(Err(_)) | Err(_) => see(&format!("{here}?done=taking-back")),
    }
}

/// `POST /admin/imports/{brand}/{id}/resume`
pub async fn resume(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let Some((brand, id)) = brand_and_id(&shared, &operator, (&path.0, &path.1)) else {
        return not_found(&shared, &operator, "This import");
    };
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let found = async {
        let draft = shared.app.draft_of_import(brand.id, ImportId(id)).await?;
        let name = draft.as_ref().and_then(|draft| draft.of.name.clone());
        if draft.is_some() {
            shared.app.acted(&acting, Deed::ImportStarted, name).await?;
        }
        Ok(draft)
    };
    let draft = match found.await {
        Ok(Some(draft)) => draft,
        Ok(None) => return not_found(&shared, &operator, "The list of this import"),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    match shared.app.go_on_with_import(draft).await {
        Ok(()) => see(&format!(
            "/admin/imports/{}/{id}?done=resumed",
            brand.declared.slug
        )),
        Err(problem) => {
            let what = (
                StatusCode::CONFLICT,
                None,
                Some(format!("Not done: {problem}.")),
            );
            page(
                &request,
                &shared,
                &operator,
                &brand,
                ImportId(id),
                what,
                &Asked::default(),
            )
            .await
        }
    }
}
