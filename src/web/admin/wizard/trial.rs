//! Step 4: the list is tried in the background; what would come of it is shown in numbers and samples, and it is started.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::columns::changed;
use super::{Head, draft, frame, path};
use crate::app::drafts::import::StartProblem;
use crate::app::drafts::{Draft, DraftProblem, ImportDraft, Stage, Trial};
use crate::app::import::ImportProblem;
use crate::domain::brand::Brand;
use crate::domain::operator::{Deed, Operator};
use crate::domain::policy::{NO_LEGAL_ADVICE, POLICY_VERSION, Verdict};
use crate::web::Web;
use crate::web::admin::frame::Frame;
use crate::web::admin::imports::{rules, words};
use crate::web::admin::jobs::{Going, grouped, tone};
use crate::web::admin::table::{self, Asked, Cell, Rows, Table, Wrong, as_file};
use crate::web::admin::{acting, see};
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

/// What stands in front of the names of the table of rows, in the page's address.
const SAMPLES: &str = "samples_";

/// What came of a trial.
struct Came {
    about: String,
    rows: String,
    numbers: Vec<(String, &'static str, &'static str)>,
    again: Option<String>,
    elsewhere: Option<String>,
    rules: Table,
    samples: Table,
    columns: Vec<(String, String)>,
    left_out: usize,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/import_trial.html")]
struct TrialPage {
    frame: Frame,
    head: Head,
    path: String,
    start: String,
    back: String,
    trying: bool,
    going: Option<Going>,
    came: Option<Came>,
    name: String,
    source: String,
    policy: &'static str,
    note: &'static str,
}

async fn came(
    shared: &Web,
    draft: &Draft<ImportDraft>,
    trial: &Trial,
    (asked, path): (&Asked, &str),
) -> Result<Came, Wrong> {
    let now = shared.app.clock.now();
    let counts = &trial.counts;
    let samples = shared.app.samples(draft).await;
    let rows = Rows {
        caption: "Some rows of each verdict".to_owned(),
        columns: vec![
            ("Verdict", false),
            ("Line", true),
            ("Address", false),
            ("Rule", false),
            ("May be asked", false),
            ("Why", false),
        ],
        rows: samples
            .into_iter()
            .map(|one| {
                vec![
                    Cell::State(words(&one.verdict).to_owned(), tone(&one.verdict)),
                    Cell::Number(i64::try_from(one.line).unwrap_or(i64::MAX)),
                    Cell::Text(one.address),
                    Cell::Code(one.rule),
                    Cell::Text(one.outreach),
                    Cell::Text(one.reason),
                ]
            })
            .collect(),
        empty: "There is no row to show.".to_owned(),
    };
    let mut samples = rows.arrange(&asked.of(SAMPLES), path, now, true)?;
    // What is looked for would be an address in an address.
    samples.filter = None;
    let told = Rows {
        caption: "What the policy would say".to_owned(),
        columns: vec![
            ("Verdict", false),
            ("Rule", false),
            ("What it says", false),
            ("Rows", true),
        ],
        rows: rules(counts),
        empty: "No row was read.".to_owned(),
    };
    let told = told.arrange(asked, path, now, true)?;
    Ok(Came {
        about: trial.about.clone(),
        rows: grouped(counts.rows()),
        numbers: vec![
            (grouped(counts.of(Verdict::Accept)), "accepted", "may be mailed at once"),
            (grouped(counts.of(Verdict::ConfirmFirst)), "confirm first", "kept, and not mailed before they confirm"),
            (grouped(counts.of(Verdict::Refuse)), "refused", "counted, and nothing of them stored"),
            (grouped(counts.broken), "broken", "skipped; the report says why"),
        ],
        again: (counts.again > 0)
            .then(|| format!("{} rows hold an address that stands further up already.", grouped(counts.again))),
        elsewhere: (counts.elsewhere > 0).then(|| {
            format!(
                "{} rows hold another system's word on the consent. It is kept as that system's word, never as confirmed here.",
                grouped(counts.elsewhere)
            )
        }),
        rules: told,
        samples,
        columns: trial.columns.clone(),
        left_out: trial.left_out,
        problem: trial.problem.clone(),
    })
}

async fn page(
    shared: &Web,
    operator: &Operator,
    (brand, draft): (&Brand, &Draft<ImportDraft>),
    (name, asked): (Option<&str>, &Asked),
    problem: Option<(StatusCode, String)>,
) -> HttpResponse {
    let (status, problem) = match problem {
        Some((status, text)) => (status, Some(text)),
        None => (StatusCode::OK, None),
    };
    let here = path(brand, draft.id, "trial");
    let came = match &draft.of.trial {
        Some(trial) => match came(shared, draft, trial, (asked, &here)).await {
            Ok(came) => Some(came),
            Err(wrong) => return table::refuse(shared, operator, &wrong),
        },
        None => None,
    };
    let files = |came: &Came| {
        as_file(&[
            (&came.rules, "what-the-policy-would-say"),
            (&came.samples, "some-rows"),
        ])
    };
    if let Some(file) = came.as_ref().and_then(files) {
        return file;
    }
    let title = match (draft.stage, &came) {
        (Stage::Trying, _) => "The list is being tried",
        (_, Some(_)) => "What would come of it",
        _ => "Try the list",
    };
    render(
        status,
        &TrialPage {
            frame: frame(shared, operator, title).failing(problem),
            head: Head::of(brand, draft, "trial"),
            start: path(brand, draft.id, "start"),
            back: path(brand, draft.id, "source"),
            trying: draft.stage == Stage::Trying,
            going: shared.app.at_work.shown(draft.id).as_ref().map(Going::of),
            came,
            name: name
                .unwrap_or(&draft.of.file_name)
                .chars()
                .take(100)
                .collect(),
            source: draft
                .of
                .said
                .source
                .clone()
                .unwrap_or_else(|| "as each row says".to_owned()),
            policy: POLICY_VERSION,
            note: NO_LEGAL_ADVICE,
            path: here,
        },
    )
}

/// `GET /admin/new-import/{brand}/{id}/trial`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    asked: Query<Asked>,
) -> HttpResponse {
    let (brand, draft) = draft!(request, shared, operator, path);
    if !draft.of.said.has_source {
        return see(&super::path(&brand, draft.id, super::place(&draft)));
    }
    if asked.of(SAMPLES).is_csv() {
        let Some(acting) = acting(&request, &shared) else {
            return see("/admin/sign-in");
        };
        let on = format!(
            "rows of a list that waits for brand {}",
            brand.declared.slug
        );
        if let Err(problem) = shared.app.takes_list(&acting, on).await {
            return error::store_failure(&request, &shared, &problem);
        }
    }
    page(&shared, &operator, (&brand, &draft), (None, &asked), None).await
}

/// `POST /admin/new-import/{brand}/{id}/trial`
pub async fn submit(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (brand, draft) = draft!(request, shared, operator, path);
    if !draft.of.said.has_source {
        return see(&super::path(&brand, draft.id, super::place(&draft)));
    }
    let here = super::path(&brand, draft.id, "trial");
    match shared.app.have_tried(draft).await {
        Ok(()) => see(&here),
        Err(problem) => changed(&request, &shared, &problem),
    }
}

/// What keeps an import from starting, in words for the page.
fn problem_of(problem: &StartProblem) -> (StatusCode, String) {
    let text = match problem {
        StartProblem::Import(ImportProblem::Done(name)) => {
            format!("There is an import “{name}” already. Give this one a name of its own.")
        }
        StartProblem::Import(ImportProblem::Withdrawn(name)) => {
            format!(
                "There was an import “{name}”, which was taken back. Give this one a name of its own."
            )
        }
        StartProblem::Import(ImportProblem::Other(name, _)) => {
            format!(
                "There is another import “{name}”, which did not come to its end. Give this one a name of its own."
            )
        }
        StartProblem::Import(ImportProblem::Name) => {
            "The name has 1 to 100 characters, and none that cannot be seen.".to_owned()
        }
        other => format!("Not started: {other}."),
    };
    (StatusCode::UNPROCESSABLE_ENTITY, text)
}

/// `POST /admin/new-import/{brand}/{id}/start`
pub async fn start(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    fields: Fields,
) -> HttpResponse {
    let (brand, draft) = draft!(request, shared, operator, path);
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let name = fields.raw("name").trim();
    let kept = shared
        .app
        .acted(&acting, Deed::ImportStarted, Some(name.to_owned()))
        .await;
    if let Err(problem) = kept {
        return error::store_failure(&request, &shared, &problem);
    }
    match shared.app.start_import(&brand, draft.clone(), name).await {
        Ok(import) => see(&format!(
            "/admin/imports/{}/{import}?done=started",
            brand.declared.slug
        )),
        Err(
            StartProblem::Import(ImportProblem::Store(problem))
            | StartProblem::Draft(DraftProblem::Store(problem)),
        ) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let problem = Some(problem_of(&problem));
            let asked = Asked::default();
            let what = (Some(name), &asked);
            page(&shared, &operator, (&brand, &draft), what, problem).await
        }
    }
}
