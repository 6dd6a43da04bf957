//! `/admin/sign-in`: password, then the second factor where there is one.

use actix_web::cookie::time::Duration as Age;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{DEVICE, SESSION, acting, cookie, cookie_of, from, see};
use crate::app::sign_in::{Admitted, DEVICE_FOR, SignInProblem};
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct SignInPage {
    css: String,
    icon: String,
    name: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/factor.html")]
struct FactorPage {
    css: String,
    icon: String,
    passkey_js: String,
    /// Whether one-time codes are set up, and whether a passkey is.
    codes: bool,
    passkeys: bool,
    problem: Option<String>,
}

fn page(shared: &Web, status: StatusCode, name: &str, problem: Option<String>) -> HttpResponse {
    render(
        status,
        &SignInPage {
            css: shared.assets.admin_css.clone(),
            icon: shared.assets.icon.clone(),
            name: name.chars().take(64).collect(),
            problem,
        },
    )
}

/// What went wrong, with its status and its words.
pub(super) fn problem_of(problem: &SignInProblem) -> (StatusCode, String) {
    match problem {
        SignInProblem::Wrong => (
            StatusCode::UNAUTHORIZED,
            "Name or password is wrong.".to_owned(),
        ),
        SignInProblem::WrongCode => (
            StatusCode::UNAUTHORIZED,
            "This code is wrong, or was used before. Wait for the next one.".to_owned(),
        ),
        SignInProblem::WrongPasskey => (
            StatusCode::UNAUTHORIZED,
            "This passkey does not fit. Try again or take another one, or use a code.".to_owned(),
        ),
        SignInProblem::CopiedPasskey => (
            StatusCode::UNAUTHORIZED,
            "This passkey counts less than it did before, so there may be a copy of it. It is refused, and the log says so. \
             Use a code or another passkey, and then remove this one under your account."
                .to_owned(),
        ),
        SignInProblem::StalePasskey => (
            StatusCode::UNAUTHORIZED,
            "That took longer than five minutes, or was sent twice. Please use the passkey again.".to_owned(),
        ),
        SignInProblem::NoPasskey => (
            StatusCode::UNAUTHORIZED,
            "There is no passkey that opens these pages. Please use a code.".to_owned(),
        ),
        SignInProblem::Over => (
            StatusCode::UNAUTHORIZED,
            "That took too long, or there were too many wrong tries. Please sign in again.".to_owned(),
        ),
        SignInProblem::Busy => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many people sign in at this moment. Please try again in a few seconds.".to_owned(),
        ),
        SignInProblem::TooOften(until) => (
            StatusCode::TOO_MANY_REQUESTS,
            format!(
                "There were too many wrong tries. Please try again after {}.",
                until.to_the_minute()
            ),
        ),
        SignInProblem::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
    }
}

fn admit(shared: &Web, admitted: Admitted) -> HttpResponse {
    let mut response = see(if admitted.awaits_factor {
        "/admin/sign-in/code"
    } else {
        "/admin"
    });
    // Cookies of our own making always fit into a header. The session's ends with the browser; the device's outlasts it, or a
    // stranger's wrong tries would lock the operator out who comes back the next morning.
    let _ = response.add_cookie(&cookie(shared, SESSION, admitted.secret));
    if let Some(device) = admitted.device {
        let mut known = cookie(shared, DEVICE, device);
        let seconds = i64::try_from(DEVICE_FOR.as_secs()).unwrap_or(0);
        known.set_max_age(Age::seconds(seconds));
        let _ = response.add_cookie(&known);
    }
    response
}

/// `GET /admin/sign-in`
pub async fn show(shared: web::Data<Web>) -> HttpResponse {
    page(&shared, StatusCode::OK, "", None)
}

/// `POST /admin/sign-in`
pub async fn submit(request: HttpRequest, shared: web::Data<Web>, fields: Fields) -> HttpResponse {
    let name = fields.raw("name").trim();
    let device = cookie_of(&request, &shared, DEVICE);
    let circumstances = from(&request, &shared);
    let answer = shared
        .app
        .sign_in(
            name,
            fields.raw("password"),
            device.as_deref(),
            &circumstances,
        )
        .await;
    match answer {
        Ok(admitted) => admit(&shared, admitted),
        Err(SignInProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let (status, text) = problem_of(&problem);
            page(&shared, status, name, Some(text))
        }
    }
}

async fn factor(
    request: &HttpRequest,
    shared: &web::Data<Web>,
    status: StatusCode,
    problem: Option<String>,
) -> HttpResponse {
    let session = cookie_of(request, shared, SESSION).unwrap_or_default();
    match shared.app.awaits(&session).await {
        Ok(Some(awaited)) => render(
            status,
            &FactorPage {
                css: shared.assets.admin_css.clone(),
                icon: shared.assets.icon.clone(),
                passkey_js: shared.assets.passkey_js.clone(),
                codes: awaited.codes,
                passkeys: awaited.passkeys,
                problem,
            },
        ),
        Ok(None) => see("/admin/sign-in"),
        Err(problem) => error::store_failure(request, shared, &problem),
    }
}

/// `GET /admin/sign-in/code`
pub async fn show_factor(request: HttpRequest, shared: web::Data<Web>) -> HttpResponse {
    factor(&request, &shared, StatusCode::OK, None).await
}

/// `POST /admin/sign-in/code`
pub async fn submit_factor(
    request: HttpRequest,
    shared: web::Data<Web>,
    fields: Fields,
) -> HttpResponse {
    let session = cookie_of(&request, &shared, SESSION).unwrap_or_default();
    let device = cookie_of(&request, &shared, DEVICE);
    let circumstances = from(&request, &shared);
    let answer = shared
        .app
        .second_factor(
            &session,
            fields.raw("code"),
            device.as_deref(),
            &circumstances,
        )
        .await;
    after_factor(&request, &shared, answer).await
}

/// Lets in whoever had the second factor; others may try again, or begin anew.
pub(super) async fn after_factor(
    request: &HttpRequest,
    shared: &web::Data<Web>,
    answer: Result<Admitted, SignInProblem>,
) -> HttpResponse {
    match answer {
        Ok(admitted) => admit(shared, admitted),
        Err(SignInProblem::Store(problem)) => error::store_failure(request, shared, &problem),
        Err(
            problem @ (SignInProblem::WrongCode
            | SignInProblem::WrongPasskey
            | SignInProblem::CopiedPasskey
            | SignInProblem::StalePasskey
            | SignInProblem::NoPasskey),
        ) => {
            let (status, text) = problem_of(&problem);
            factor(request, shared, status, Some(text)).await
        }
        Err(problem) => {
            let (status, text) = problem_of(&problem);
            page(shared, status, "", Some(text))
        }
    }
}

/// `POST /admin/sign-out`
pub async fn end(request: HttpRequest, shared: web::Data<Web>) -> HttpResponse {
    if let (Some(session), Some(acting)) = (
        cookie_of(&request, &shared, SESSION),
        acting(&request, &shared),
    ) && let Err(problem) = shared.app.sign_out(&acting, &session).await
    {
        return error::store_failure(&request, &shared, &problem);
    }
    let mut gone = cookie(&shared, SESSION, String::new());
    gone.make_removal();
    let mut response = see("/admin/sign-in");
    let _ = response.add_cookie(&gone);
    response
}
