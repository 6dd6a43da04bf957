//! Passkeys: under one's own name, and at the door.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use uuid::Uuid;

use super::account::{self, check_password};
use super::{DEVICE, SESSION, acting, cookie_of, from, see, sign_in};
use crate::app::passkeys::PasskeyProblem;
use crate::app::sign_in::SignInProblem;
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;

/// What is asked of the browser, for the script.
fn asked(json: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(json)
}

/// Why nothing is asked of it, for the script to show.
fn told(status: StatusCode, problem: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "problem": problem }))
}

fn sentence(problem: &PasskeyProblem) -> String {
    match problem {
        // These are sentences of their own.
        PasskeyProblem::NoHome(reason) => reason.to_string(),
        other => format!("Not added: {other}."),
    }
}

/// `POST /admin/account/passkeys/begin`: what the browser is to make a passkey with. It takes the password, so that whoever
/// stole a session cannot make it last; without what is asked for here, no passkey is added.
pub async fn begin(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let (Some(acting), Some(session)) = (
        acting(&request, &shared),
        cookie_of(&request, &shared, SESSION),
    ) else {
        return see("/admin/sign-in");
    };
    match account::knows_password(&shared, &operator, fields.raw("current")).await {
        Ok(()) => {}
        Err(SignInProblem::Store(problem)) => {
            return error::store_failure(&request, &shared, &problem);
        }
        Err(problem) => {
            let (status, text) = (
                StatusCode::UNPROCESSABLE_ENTITY,
                account::not_done(&problem),
            );
            return told(status, &text);
        }
    }
    match shared.app.ask_for_passkey(&acting, &session).await {
        Ok(json) => asked(json),
        Err(PasskeyProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => told(StatusCode::CONFLICT, &sentence(&problem)),
    }
}

/// `POST /admin/account/passkeys`: adds the one that it made.
pub async fn add(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let (Some(acting), Some(session)) = (
        acting(&request, &shared),
        cookie_of(&request, &shared, SESSION),
    ) else {
        return see("/admin/sign-in");
    };
    let (name, answer) = (fields.raw("name"), fields.raw("answer"));
    let added = shared.app.add_passkey(&acting, &session, name, answer);
    match added.await {
        Ok(codes) if codes.is_empty() => see("/admin/account?done=passkey#passkeys"),
        Ok(codes) => account::recovery_page(&shared, &operator, codes, "passkey"),
        Err(PasskeyProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => account::refuse(&request, &shared, &operator, sentence(&problem)).await,
    }
}

/// `POST /admin/account/passkeys/remove`
pub async fn remove(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let (Some(acting), Some(session), Ok(id)) = (
        acting(&request, &shared),
        cookie_of(&request, &shared, SESSION),
        Uuid::parse_str(fields.raw("passkey")),
    ) else {
        return see("/admin/account");
    };
    let refused = check_password(&request, &shared, &operator, fields.raw("current"));
    if let Some(response) = refused.await {
        return response;
    }
    match shared.app.remove_passkey(&acting, &session, id).await {
        Ok(_) => see("/admin/account?done=no-passkey#passkeys"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `POST /admin/sign-in/passkey/begin`: what the browser is to sign, behind a right password.
pub async fn ask(request: HttpRequest, shared: Data<Web>) -> HttpResponse {
    let session = cookie_of(&request, &shared, SESSION).unwrap_or_default();
    match shared.app.ask_for_signature(&session).await {
        Ok(json) => asked(json),
        Err(SignInProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let (status, text) = sign_in::problem_of(&problem);
            told(status, &text)
        }
    }
}

/// `POST /admin/sign-in/passkey`
pub async fn sign(request: HttpRequest, shared: Data<Web>, fields: Fields) -> HttpResponse {
    let session = cookie_of(&request, &shared, SESSION).unwrap_or_default();
    let circumstances = from(&request, &shared);
    let (answer, device) = (fields.raw("answer"), cookie_of(&request, &shared, DEVICE));
    let signed = shared
        .app
        .passkey_factor(&session, answer, device.as_deref(), &circumstances);
    sign_in::after_factor(&request, &shared, signed.await).await
}
