//! `/admin`: how the installation stands.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::Frame;
use crate::app::overview::{FailedMail, FormLine};
use crate::domain::operator::Operator;
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct OverviewPage {
    frame: Frame,
    forms: Vec<FormLine>,
    mails_waiting: i64,
    mails_failed: i64,
    smtp_problem: Option<String>,
    /// An older copy of the database was put back.
    restored: Option<String>,
    log_entries: i64,
    log_problem: Option<String>,
    /// Since when confirmation mails are held.
    held_since: Option<String>,
    mails_held: i64,
    timestamps: Vec<(String, String)>,
    witnesses: Vec<(String, String)>,
    /// Witnesses that have seen another history of the log.
    doubts: Vec<(String, String)>,
    failed: Vec<FailedMail>,
    lapsing: Vec<(String, i64)>,
}

/// `GET /admin`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
) -> HttpResponse {
    let overview = match shared.app.overview().await {
        Ok(overview) => overview,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let breaker = overview.ready.breaker;
    render(
        StatusCode::OK,
        &OverviewPage {
            frame: Frame::new(&shared, &operator, "Overview").at("/admin"),
            forms: overview.forms,
            mails_waiting: overview.ready.mails_waiting,
            mails_failed: overview.ready.mails_failed,
            smtp_problem: overview.ready.last_smtp_problem,
            restored: overview.ready.sending_held.map(|held| held.why),
            log_entries: overview.ready.log_entries,
            log_problem: overview
                .ready
                .log_waiting
                .map(|waiting| waiting.sentence())
                .or(overview.ready.log_problem),
            held_since: breaker.open_since.map(Timestamp::to_the_minute),
            mails_held: breaker.mails_held,
            timestamps: overview
                .ready
                .timestamps
                .iter()
                .map(|one| (one.authority.clone(), one.sentence()))
                .collect(),
            witnesses: overview
                .ready
                .witnesses
                .iter()
                .map(|one| (one.witness.clone(), one.sentence()))
                .collect(),
            doubts: overview
                .ready
                .witnesses
                .iter()
                .filter(|one| one.in_doubt)
                .map(|one| (one.witness.clone(), one.problem.clone().unwrap_or_default()))
                .collect(),
            failed: overview.failed,
            lapsing: overview.lapsing,
        },
    )
}
