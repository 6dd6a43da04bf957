//! `/admin/evidence`: the log, its checkpoints and timestamps, and having all of it checked.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::chart::{self, grouped};
use super::frame::{Done, Frame};
use super::table::sift::{cut, sift};
use super::table::{
    self, Asked, Cell, Order, PAGE, Paging, Rows, Table, Wanted, Wrong, as_file, relative,
};
use super::{acting, say, see};
use crate::app::auditing::{Audited, Running};
use crate::app::log_standing::{CheckpointLine, LogStanding, StampLine};
use crate::domain::operator::{Deed, Operator};
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

const PATH: &str = "/admin/evidence";
/// Lines of each kind on the page of all.
const FEW: usize = 8;

const CHECKPOINTS: [(&str, bool); 3] = [("Entries", true), ("Added", true), ("Signed", false)];
const STAMPS: [(&str, bool); 7] = [
    ("Number", true),
    ("Authority", false),
    ("Signed by", false),
    ("Time", false),
    ("Entries", true),
    ("Serial", false),
    ("Policy", false),
];

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
    /// How many findings there are.
    found: u64,
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
    /// Whether it is shown what was found, and who may have it checked and timestamped: findings are of all brands' people.
    of_all_brands: bool,
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
    (done, asked): (Query<Done>, Query<Asked>),
) -> HttpResponse {
    let app = &shared.app;
    let found = async {
        Ok((
            app.log_standing().await?,
            app.last_audit().await?,
            app.checkpoints((None, true), FEW).await?,
            app.stamps((None, true), FEW).await?,
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
    let frame = Frame::new(&shared, &operator, "Evidence")
        .at("/admin/evidence")
        .noticing(done.done.as_deref(), &DONE);
    let may_take = frame.may_take();
    let by_name = |rows: Rows, prefix| rows.arrange(&asked.of(prefix), PATH, now, may_take);
    let tables = || {
        let authorities = by_name(authorities_table(&log), "authorities_")?;
        Ok::<_, Wrong>((authorities, by_name(witnesses_table(&log), "witnesses_")?))
    };
    let (authorities, witnesses) = match tables() {
        Ok(tables) => tables,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    if let Some(file) = as_file(&[(&authorities, "authorities"), (&witnesses, "witnesses")]) {
        return file;
    }
    render(
        StatusCode::OK,
        &EvidencePage {
            frame,
            entries: grouped(log.entries),
            signed: log
                .signed_at
                .map(|at| format!("{} ({})", relative(at, now), at.to_the_minute())),
            waiting: grouped(log.waiting),
            progress: format!("{} of {} entries", grouped(so_far), grouped(of)),
            bar: chart::bar(so_far, of),
            running,
            of_all_brands: operator.brands.is_empty(),
            last: last.map(|audited| Last {
                ago: relative(audited.ended_at, now),
                at: audited.ended_at.to_the_minute(),
                found: audited.findings.len() as u64 + audited.more,
                audited,
            }),
            authorities,
            witnesses,
            checkpoints: checkpoints_table(&checkpoints).fixed(now),
            stamps: stamps_table(&stamps).fixed(now),
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
        caption: "Checkpoints".to_owned(),
        columns: CHECKPOINTS.to_vec(),
        rows: lines.iter().map(checkpoint).collect(),
        empty: "Nothing is signed yet. The first event, such as a signup, is in the log within a second.".to_owned(),
    }
}

fn checkpoint(line: &CheckpointLine) -> Vec<Cell> {
    vec![
        Cell::Number(line.size),
        Cell::Number(line.added),
        Cell::Time(line.signed_at),
    ]
}

fn stamps_table(lines: &[StampLine]) -> Rows {
    Rows {
        caption: "Timestamps".to_owned(),
        columns: STAMPS.to_vec(),
        rows: lines.iter().map(stamp).collect(),
        empty: "No timestamp is kept yet.".to_owned(),
    }
}

fn stamp(line: &StampLine) -> Vec<Cell> {
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
}

/// A list of the log on a page of its own.
struct List {
    title: &'static str,
    about: &'static str,
    path: &'static str,
    sorts: &'static [&'static str],
    unasked: Order,
    rows: Rows,
}

/// Answers with a list, whose lines `read` finds behind a number, downwards or not, so many at most, each with its number.
async fn list<T, F>(
    (request, shared, operator): (&HttpRequest, &Data<Web>, &Operator),
    list: List,
    asked: &Asked,
    read: impl Fn(Data<Web>, (Option<i64>, bool), usize) -> F + Clone + 'static,
    row: fn(&T) -> Vec<Cell>,
) -> HttpResponse
where
    T: 'static,
    F: Future<Output = Result<Vec<(i64, T)>, StoreError>> + 'static,
{
    let wanted = || {
        let order = asked.order(list.sorts)?.unwrap_or(list.unasked);
        let after = asked.after.as_deref().map(str::parse::<i64>);
        let after = after.transpose().map_err(|_| Wrong::After)?;
        let wanted = Wanted::of(asked, &list.rows.columns, Vec::new(), true)?;
        Ok::<_, Wrong>((order, after, wanted))
    };
    let (order, after, wanted) = match wanted() {
        Ok(wanted) => wanted,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    let of = (shared.clone(), wanted.clone());
    let page = move |after: Option<i64>, limit: usize| {
        let ((shared, wanted), read) = (of.clone(), read.clone());
        async move {
            let some = async |after: Option<i64>, count: usize| {
                let found = read(shared.clone(), (after, order.down), count + 1);
                Ok(cut(found.await?, count))
            };
            sift(limit, after, &wanted, some, |one| wanted.pick(row(&one))).await
        }
    };
    if asked.is_csv() {
        let columns = list.rows.columns.iter();
        let head = columns.map(|column| column.0.to_owned()).collect();
        return table::stream(&list.title.to_lowercase(), head, page);
    }
    let found = match page(after, PAGE).await {
        Ok(found) => found.written(|next| next.to_string()),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let frame = Frame::new(shared, operator, list.title)
        .at(PATH)
        .below("Evidence", PATH);
    let paging = Paging {
        asked,
        path: list.path,
        now: shared.app.clock.now(),
        sorts: list.sorts,
        order,
        wanted: &wanted,
        may_take: frame.may_take(),
    };
    let table = list.rows.paged(&paging, found);
    let page = ListPage {
        frame,
        about: list.about,
        table,
    };
    render(StatusCode::OK, &page)
}

/// `GET /admin/evidence/checkpoints`
pub async fn checkpoints(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    asked: Query<Asked>,
) -> HttpResponse {
    let of = List {
        title: "Checkpoints",
        about: "Each is the signed state of the log: how many entries it has, and a hash of all of them. Whoever kept one can tell later whether anything before it was changed.",
        path: "/admin/evidence/checkpoints",
        // Both run the same way: each checkpoint is larger than those that were signed before it.
        sorts: &["Entries", "Signed"],
        unasked: Order::down("Entries"),
        rows: checkpoints_table(&[]),
    };
    let read = |shared: Data<Web>, after, count| async move {
        let lines = shared.app.checkpoints(after, count).await?;
        Ok(lines.into_iter().map(|line| (line.size, line)).collect())
    };
    list((&request, &shared, &operator), of, &asked, read, checkpoint).await
}

/// `GET /admin/evidence/timestamps`
pub async fn timestamps(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    asked: Query<Asked>,
) -> HttpResponse {
    let of = List {
        title: "Timestamps",
        about: "Each says, signed by somebody else, that the log had so many entries at that time (RFC 3161).",
        path: "/admin/evidence/timestamps",
        sorts: &["Number"],
        unasked: Order::down("Number"),
        rows: stamps_table(&[]),
    };
    let read = |shared: Data<Web>, after, count| async move {
        let lines = shared.app.stamps(after, count).await?;
        Ok(lines.into_iter().map(|line| (line.number, line)).collect())
    };
    list((&request, &shared, &operator), of, &asked, read, stamp).await
}

/// The answer to whoever is kept to some brands: what they ask for concerns the log of all.
fn not_for_one_brand(shared: &Web, operator: &Operator) -> Option<HttpResponse> {
    if operator.brands.is_empty() {
        return None;
    }
    Some(say(
        shared,
        operator,
        StatusCode::FORBIDDEN,
        "Not for some brands only",
        "The log is of all brands together, so somebody who works for all of them has it checked and timestamped.",
    ))
}

/// `POST /admin/evidence/verify`
pub async fn verify(request: HttpRequest, shared: Data<Web>) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    if let Some(refused) = not_for_one_brand(&shared, &acting.operator) {
        return refused;
    }
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
    if let Some(refused) = not_for_one_brand(&shared, &acting.operator) {
        return refused;
    }
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
