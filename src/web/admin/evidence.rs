//! `/admin/evidence`: the log, its checkpoints and timestamps, and having all of it checked.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::chart::{self, grouped};
use super::frame::{Done, Frame};
use super::table::{Asked, Cell, Rows, Table, relative};
use super::{acting, see};
use crate::app::auditing::{Audited, Running};
use crate::app::log_standing::{CheckpointLine, LogStanding, StampLine};
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

/// Lines of each kind on the page of all, on a page of their own, and in a file at most.
const FEW: usize = 8;
const SHOWN: usize = 50;
const IN_A_FILE: usize = 10_000;

const DONE: [(&str, &str); 6] = [
    ("checking", "The log is being checked."),
    (
        "at-it",
        "A check is under way already; this page shows how far it is.",
    ),
    (
        "stamped",
        "The newest checkpoint is timestamped by every authority.",
    ),
    (
        "not-all-stamped",
        "Not every authority gave a timestamp; the table of authorities says why.",
    ),
    (
        "nothing-to-stamp",
        "There is nothing to be timestamped yet, or the log is just catching up. Try again in a moment.",
    ),
    (
        "no-authority",
        "No authority is named in the settings under [timestamp].",
    ),
];

/// What the last check found, in words.
struct Last {
    audited: Audited,
    ago: String,
    at: String,
}

#[derive(Template)]
#[template(path = "admin/evidence.html")]
struct EvidencePage {
    frame: Frame,
    log: LogStanding,
    entries: String,
    signed: Option<String>,
    waiting: String,
    running: Option<Running>,
    progress: String,
    bar: String,
    last: Option<Last>,
    authorities: Table,
    witnesses: Table,
    checkpoints: Table,
    stamps: Table,
}

#[derive(Template)]
#[template(path = "admin/list.html")]
struct ListPage {
    frame: Frame,
    about: &'static str,
    table: Table,
}

/// `GET /admin/evidence`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    done: Query<Done>,
) -> HttpResponse {
    let app = &shared.app;
    let found = async {
        Ok((
            app.log_standing().await?,
            app.last_audit().await?,
            app.checkpoints_before(None, FEW).await?,
            app.stamps_before(None, FEW).await?,
        ))
    };
    let (log, last, checkpoints, stamps) = match found.await {
        Ok(found) => found,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let now = app.clock.now();
    let running = app.auditing.running();
    let (so_far, of) = running.as_ref().map_or((0, 0), |one| {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        (signed(one.done), signed(one.of))
    });
    let fixed = |rows: Rows| rows.paged(&Asked::default(), "/admin/evidence", now, None, false);
    render(
        StatusCode::OK,
        &EvidencePage {
            frame: Frame::new(&shared, &operator, "Evidence")
                .at("/admin/evidence")
                .noticing(done.done.as_deref(), &DONE),
            entries: grouped(log.entries),
            signed: log
                .signed_at
                .map(|at| format!("{} ({})", relative(at, now), at.to_the_minute())),
            waiting: grouped(log.waiting),
            progress: format!("{} of {} entries", grouped(so_far), grouped(of)),
            bar: chart::bar(so_far, of),
            running,
            last: last.map(|audited| Last {
                ago: relative(audited.ended_at, now),
                at: audited.ended_at.to_the_minute(),
                audited,
            }),
            authorities: fixed(authorities_table(&log)),
            witnesses: fixed(witnesses_table(&log)),
            checkpoints: fixed(checkpoints_table(&checkpoints)),
            stamps: fixed(stamps_table(&stamps)),
            log,
        },
    )
}

fn state(problem: Option<&String>, fine: &str) -> Cell {
    match problem {
        Some(problem) => Cell::State(problem.clone(), "bad"),
        None => Cell::State(fine.to_owned(), "good"),
    }
}

fn authorities_table(log: &LogStanding) -> Rows {
    Rows {
        caption: "Time-stamping authorities".to_owned(),
        columns: vec![
            ("Authority", false),
            ("Signs as", false),
            ("Newest timestamp", false),
            ("Entries", true),
            ("Failures since", true),
            ("State", false),
        ],
        rows: log
            .authorities
            .iter()
            .map(|one| {
                vec![
                    Cell::text(one.authority.clone()),
                    one.signer.clone().map_or(Cell::None, Cell::Text),
                    Cell::time(one.last_stamp_at),
                    Cell::Number(one.entries),
                    Cell::Number(one.failures),
                    match (&one.problem, one.last_stamp_at) {
                        (None, None) => Cell::State("not asked yet".to_owned(), "wait"),
                        (problem, _) => state(problem.as_ref(), "in order"),
                    },
                ]
            })
            .collect(),
        empty: "No authority stamps this log, so its times are only this server's word. Name one under [timestamp] authorities in the settings; two of different operators are better.".to_owned(),
    }
}

fn witnesses_table(log: &LogStanding) -> Rows {
    Rows {
        caption: "Witnesses".to_owned(),
        columns: vec![
            ("Witness", false),
            ("Newest cosignature", false),
            ("Entries", true),
            ("Failures since", true),
            ("State", false),
        ],
        rows: log
            .witnesses
            .iter()
            .map(|one| {
                vec![
                    Cell::text(one.witness.clone()),
                    Cell::time(one.last_cosigned_at),
                    Cell::Number(one.entries),
                    Cell::Number(one.failures),
                    match (one.in_doubt, &one.problem, one.last_cosigned_at) {
                        (true, _, _) => {
                            Cell::State("has seen another history of the log".to_owned(), "bad")
                        }
                        (false, None, None) => Cell::State("nothing cosigned yet".to_owned(), "wait"),
                        (false, problem, _) => state(problem.as_ref(), "in order"),
                    },
                ]
            })
            .collect(),
        empty: "No witness watches this log. A witness signs each checkpoint only if it continues the one before, so that nobody can show two histories. Name one under [witness] witnesses in the settings.".to_owned(),
    }
}

fn checkpoints_table(lines: &[CheckpointLine]) -> Rows {
    Rows {
        caption: "Checkpoints, the newest first".to_owned(),
        columns: vec![("Entries", true), ("Added", true), ("Signed", false)],
        rows: lines
            .iter()
            .map(|line| vec![Cell::Number(line.size), Cell::Number(line.added), Cell::Time(line.signed_at)])
            .collect(),
        empty: "Nothing is signed yet. The first event, such as a signup, is in the log within a second.".to_owned(),
    }
}

fn stamps_table(lines: &[StampLine]) -> Rows {
    Rows {
        caption: "Timestamps, the newest first".to_owned(),
        columns: vec![
            ("Number", true),
            ("Authority", false),
            ("Signed by", false),
            ("Time", false),
            ("Entries", true),
            ("Serial", false),
            ("Policy", false),
        ],
        rows: lines
            .iter()
            .map(|line| {
                let code = |text: &Option<String>| text.clone().map_or(Cell::None, Cell::Code);
                vec![
                    Cell::Number(line.number),
                    Cell::text(line.authority.clone()),
                    line.signer.clone().map_or(Cell::None, Cell::Text),
                    Cell::Time(line.at),
                    Cell::Number(line.size),
                    code(&line.serial),
                    code(&line.policy),
                ]
            })
            .collect(),
        empty: "No timestamp is kept yet.".to_owned(),
    }
}

fn limit_of(asked: &Asked) -> usize {
    if asked.is_csv() { IN_A_FILE } else { SHOWN }
}

fn list(
    shared: &Web,
    operator: &Operator,
    (title, about, path): (&str, &'static str, &str),
    (rows, next): (Rows, Option<i64>),
    asked: &Asked,
) -> HttpResponse {
    let now: Timestamp = shared.app.clock.now();
    let frame = Frame::new(shared, operator, title)
        .at("/admin/evidence")
        .below("Evidence", "/admin/evidence");
    let next = next
        .filter(|_| rows.rows.len() == limit_of(asked))
        .map(|next| next.to_string());
    let table = rows.paged(asked, path, now, next.as_deref(), frame.may_take());
    if asked.is_csv() {
        return table.csv(&title.to_lowercase());
    }
    render(
        StatusCode::OK,
        &ListPage {
            frame,
            about,
            table,
        },
    )
}

fn before(asked: &Asked) -> Option<i64> {
    asked.after.as_deref().and_then(|after| after.parse().ok())
}

/// `GET /admin/evidence/checkpoints`
pub async fn checkpoints(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    asked: Query<Asked>,
) -> HttpResponse {
    match shared
        .app
        .checkpoints_before(before(&asked), limit_of(&asked))
        .await
    {
        Ok(lines) => list(
            &shared,
            &operator,
            (
                "Checkpoints",
                "Each is the signed state of the log: how many entries it has, and a hash of all of them. Whoever kept one can tell later whether anything before it was changed.",
                "/admin/evidence/checkpoints",
            ),
            (
                checkpoints_table(&lines),
                lines.last().map(|line| line.size),
            ),
            &asked,
        ),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `GET /admin/evidence/timestamps`
pub async fn timestamps(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    asked: Query<Asked>,
) -> HttpResponse {
    match shared
        .app
        .stamps_before(before(&asked), limit_of(&asked))
        .await
    {
        Ok(lines) => list(
            &shared,
            &operator,
            (
                "Timestamps",
                "Each says, signed by somebody else, that the log had so many entries at that time (RFC 3161).",
                "/admin/evidence/timestamps",
            ),
            (stamps_table(&lines), lines.last().map(|line| line.number)),
            &asked,
        ),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `POST /admin/evidence/verify`
pub async fn verify(request: HttpRequest, shared: Data<Web>) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    match shared.app.begin_audit(&acting).await {
        Ok(true) => see("/admin/evidence?done=checking"),
        Ok(false) => see("/admin/evidence?done=at-it"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `POST /admin/evidence/timestamp`
pub async fn timestamp(request: HttpRequest, shared: Data<Web>) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    if shared.app.config.timestamps.authorities.is_empty() {
        return see("/admin/evidence?done=no-authority");
    }
    if let Err(problem) = shared.app.acted(&acting, Deed::TimestampAsked, None).await {
        return error::store_failure(&request, &shared, &problem);
    }
    let app = shared.app.clone();
    // To its end, whether or not the browser waits for it.
    let asked = actix_web::rt::spawn(async move {
        app.sequence().await?;
        app.stamp_now().await
    });
    match asked.await {
        Ok(Ok(asked)) if asked.is_empty() => see("/admin/evidence?done=nothing-to-stamp"),
        Ok(Ok(asked)) if asked.iter().all(|one| one.outcome.is_ok()) => {
            see("/admin/evidence?done=stamped")
        }
        Ok(Ok(_)) => see("/admin/evidence?done=not-all-stamped"),
        Ok(Err(problem)) => {
            tracing::warn!(%problem, "the authorities could not be asked for timestamps");
            see("/admin/evidence?done=not-all-stamped")
        }
        Err(_) => error::plain_failure(),
    }
}
