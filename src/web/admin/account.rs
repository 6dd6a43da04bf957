//! `/admin/account`: password, second factor, and where one is signed in.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::deeds::{Whose, deeds};
use super::frame::{Done, Frame};
use super::table::{self, Act, Asked, Cell, Rows, Table};
use super::{SESSION, acting, cookie_of, see};
use crate::app::operators::{self, OperatorProblem, PASSWORD_AT_LEAST};
use crate::app::passkeys::NAME_AT_MOST;
use crate::app::passkeys::ceremony::NoHome;
use crate::app::second_factor::{FactorProblem, Factors, Offered};
use crate::app::sign_in::{Session, SignInProblem, session_hash};
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;
use crate::web::public::qr;

const DONE: [(&str, &str); 7] = [
    (
        "password",
        "Your password is changed; your other sessions have ended.",
    ),
    (
        "codes",
        "One-time codes are set up; your other sessions have ended.",
    ),
    (
        "no-codes",
        "One-time codes are removed, and your other sessions have ended. Your password alone opens these pages now.",
    ),
    (
        "codes-only",
        "One-time codes are removed, and your other sessions have ended. Your passkeys open these pages, and your recovery codes.",
    ),
    (
        "passkey",
        "The passkey is added; your other sessions have ended.",
    ),
    (
        "no-passkey",
        "The passkey is removed; your other sessions have ended.",
    ),
    ("session", "That session has ended."),
];

/// A passkey as its owner sees it.
struct PasskeyLine {
    id: Uuid,
    name: String,
    added: String,
    used: String,
}

#[derive(Template)]
#[template(path = "admin/account.html")]
struct AccountPage {
    frame: Frame,
    factors: Factors,
    passkeys: Vec<PasskeyLine>,
    /// Why this server cannot have any.
    no_passkeys: Option<NoHome>,
    passkey_js: String,
    name_at_most: usize,
    sessions: Table,
    deeds: Table,
    password_at_least: usize,
    password_problem: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/codes.html")]
struct CodesPage {
    frame: Frame,
    offered: Offered,
    qr: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/recovery.html")]
struct RecoveryPage {
    frame: Frame,
    codes: Vec<String>,
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    status: StatusCode,
    (done, asked): (Option<&str>, &Asked),
    password_problem: Option<String>,
) -> HttpResponse {
    let session = cookie_of(request, shared, SESSION).unwrap_or_default();
    let now = shared.app.clock.now();
    let found = async {
        Ok((
            shared.app.factors(operator.id).await?,
            shared.app.passkeys(operator.id).await?,
            shared.app.sessions(operator.id, &session).await?,
        ))
    };
    let (factors, passkeys, sessions) = match found.await {
        Ok(found) => found,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let whose = Whose {
        id: operator.id,
        path: "/admin/account",
        caption: "What you did".to_owned(),
        file: "what-you-did".to_owned(),
    };
    let deeds = match deeds(request, shared, operator, whose, asked).await {
        Ok(deeds) => deeds,
        Err(response) => return response,
    };
    let passkeys = passkeys
        .into_iter()
        .map(|key| PasskeyLine {
            id: key.id,
            name: key.name,
            added: key.added_at.to_the_minute(),
            used: key.used_at.map_or_else(
                || "not used yet".to_owned(),
                |at| format!("last used {}", at.to_the_minute()),
            ),
        })
        .collect();
    let sessions =
        sessions_table(sessions).arrange(&asked.of("sessions_"), "/admin/account", now, true);
    let sessions = match sessions {
        Ok(sessions) => sessions,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    if sessions.is_file {
        return sessions.csv("sessions");
    }
    let frame = Frame::new(shared, operator, "Your account").noticing(done, &DONE);
    render(
        status,
        &AccountPage {
            frame,
            factors,
            passkeys,
            no_passkeys: shared.app.no_passkeys(),
            passkey_js: shared.assets.passkey_js.clone(),
            name_at_most: NAME_AT_MOST,
            sessions,
            deeds,
            password_at_least: PASSWORD_AT_LEAST,
            password_problem,
        },
    )
}

/// Where somebody is signed in, each with whether it is the session that asks, and a button that ends any other.
fn sessions_table(sessions: Vec<(Session, bool)>) -> Rows {
    let row = |(session, this): (Session, bool)| {
        let end = Act {
            label: "End",
            about: format!(
                "this session of {} from {}",
                session.browser, session.network
            ),
            action: "/admin/account/sessions/end".to_owned(),
            name: "session",
            value: session.id.to_string(),
        };
        vec![
            Cell::Text(session.browser),
            Cell::Text(session.network),
            Cell::Time(session.created_at),
            Cell::Time(session.seen_at),
            Cell::Time(session.expires_at),
            if this {
                Cell::State("this browser".to_owned(), "good")
            } else {
                Cell::State("another".to_owned(), "plain")
            },
            if this { Cell::None } else { Cell::Act(end) },
        ]
    };
    let columns = [
        "Browser", "Network", "Since", "Seen", "Ends", "Which", "End it",
    ];
    Rows {
        caption: "Where you are signed in".to_owned(),
        columns: columns.map(|name| (name, false)).into(),
        rows: sessions.into_iter().map(row).collect(),
        empty: "Nowhere.".to_owned(),
    }
}

/// `GET /admin/account`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    done: Query<Done>,
    asked: Query<Asked>,
) -> HttpResponse {
    let what = (done.done.as_deref(), &*asked);
    page(&request, &shared, &operator, StatusCode::OK, what, None).await
}

/// `POST /admin/account/password`
pub async fn change_password(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let session = cookie_of(&request, &shared, SESSION).unwrap_or_default();
    let refused = check_password(&request, &shared, &operator, fields.raw("current"));
    if let Some(response) = refused.await {
        return response;
    }
    let but = session_hash(&session);
    let password = fields.raw("password");
    let changed =
        operators::set_password(&shared.app, Some(&acting), &operator.name, password, &but);
    match changed.await {
        Ok(()) => see("/admin/account?done=password"),
        Err(OperatorProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let text = format!("Not changed: {problem}.");
            refuse(&request, &shared, &operator, text).await
        }
    }
}

pub(super) async fn refuse(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    text: String,
) -> HttpResponse {
    let (status, asked) = (StatusCode::UNPROCESSABLE_ENTITY, Asked::default());
    page(
        request,
        shared,
        operator,
        status,
        (None, &asked),
        Some(text),
    )
    .await
}

/// The answer to whoever does not know their own password.
pub(super) async fn check_password(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    password: &str,
) -> Option<HttpResponse> {
    let text = match knows_password(shared, operator, password).await {
        Ok(()) => return None,
        Err(SignInProblem::Store(problem)) => {
            return Some(error::store_failure(request, shared, &problem));
        }
        Err(problem) => not_done(&problem),
    };
    Some(refuse(request, shared, operator, text).await)
}

/// Whether whoever is signed in knows their own password; `Wrong` if not.
pub(super) async fn knows_password(
    shared: &Web,
    operator: &Operator,
    password: &str,
) -> Result<(), SignInProblem> {
    match shared.app.is_own_password(operator, password).await? {
        true => Ok(()),
        false => Err(SignInProblem::Wrong),
    }
}

/// Why nothing was done for want of a password, for people.
pub(super) fn not_done(problem: &SignInProblem) -> String {
    match problem {
        SignInProblem::Wrong => {
            "Not done: the password that you have now is not this one.".to_owned()
        }
        other => format!("Not done: {other}."),
    }
}

fn codes_page(
    shared: &Web,
    operator: &Operator,
    offered: Offered,
    problem: Option<String>,
) -> HttpResponse {
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let frame =
        Frame::new(shared, operator, "One-time codes").below("Your account", "/admin/account");
    let qr = qr::svg(&offered.url, "QR code for your app").unwrap_or_default();
    render(
        status,
        &CodesPage {
            frame,
            offered,
            qr,
            problem,
        },
    )
}

/// `POST /admin/account/codes/begin`
pub async fn offer_codes(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
) -> HttpResponse {
    match acting(&request, &shared).and_then(|acting| shared.app.offer_codes(&acting)) {
        Some(offered) => codes_page(&shared, &operator, offered, None),
        None => see("/admin/account"),
    }
}

/// Shows recovery codes, this once, below what was done.
pub(super) fn recovery_page(
    shared: &Web,
    operator: &Operator,
    codes: Vec<String>,
    done: &str,
) -> HttpResponse {
    let frame = Frame::new(shared, operator, "Recovery codes")
        .below("Your account", "/admin/account")
        .noticing(Some(done), &DONE);
    render(StatusCode::OK, &RecoveryPage { frame, codes })
}

/// `POST /admin/account/codes`
pub async fn set_up_codes(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let number = fields.raw("number");
    let session = cookie_of(&request, &shared, SESSION).unwrap_or_default();
    let again = |problem| match shared.app.offer_again(&acting, number) {
        Some(offered) => codes_page(&shared, &operator, offered, Some(problem)),
        None => see("/admin/account"),
    };
    match knows_password(&shared, &operator, fields.raw("current")).await {
        Ok(()) => {}
        Err(SignInProblem::Store(problem)) => {
            return error::store_failure(&request, &shared, &problem);
        }
        Err(problem) => return again(not_done(&problem)),
    }
    let answer = shared
        .app
        .set_up_codes(&acting, &session, number, fields.raw("code"))
        .await;
    match answer {
        Ok(codes) => recovery_page(&shared, &operator, codes, "codes"),
        Err(FactorProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => again(format!("Not set up: {problem}.")),
    }
}

/// `POST /admin/account/codes/remove`
pub async fn remove_codes(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let refused = check_password(&request, &shared, &operator, fields.raw("current"));
    if let Some(response) = refused.await {
        return response;
    }
    let session = cookie_of(&request, &shared, SESSION).unwrap_or_default();
    match shared.app.remove_codes(&acting, &session).await {
        Ok(true) => see("/admin/account?done=codes-only"),
        Ok(false) => see("/admin/account?done=no-codes"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `POST /admin/account/sessions/end`
pub async fn end_session(request: HttpRequest, shared: Data<Web>, fields: Fields) -> HttpResponse {
    let (Some(acting), Ok(id)) = (
        acting(&request, &shared),
        Uuid::parse_str(fields.raw("session")),
    ) else {
        return see("/admin/account");
    };
    match shared.app.end_session(&acting, id).await {
        Ok(_) => see("/admin/account?done=session"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}
