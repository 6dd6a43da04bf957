//! What a person can do on the inbox page: ask for the mail again, type the code, correct the address.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Extras, page};
use super::{back_to, form_of, is_framed, look, own_ids, status};
use crate::app::confirm::{Act, Answer, Outcome};
use crate::app::inbox::InboxView;
use crate::app::sign_up::{Refusal, Submission};
use crate::texts::Texts;
use crate::web::error::{self, FieldProblem, Problem, wants_json};
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::extract::token::{Known, cookie_name};
use crate::web::public::form::{accepted, explain, problems_of};
use crate::web::public::message;
use crate::web::{Web, cors};

/// `POST /i/{token}/resend`: the same answer whether a mail goes out or not.
pub async fn resend(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let (known, _) = match look(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let from = circumstances(&request, &shared.app.config.trusted_proxies);
    if let Err(problem) = shared.app.resend(known.brand.id, known.request, from).await {
        return error::store_failure(&request, &shared, &problem);
    }
    if wants_json(&request) {
        return status(request, shared, token).await;
    }
    back_to(&request, &token, "sent=1")
}

/// `POST /i/{token}/code`
pub async fn code(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let (known, view) = match look(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let answer = typed(&request, &shared, &known, &view, &fields);
    let outcome = match shared.app.answer(answer).await {
        Ok(outcome) => outcome,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let t = Texts::of(&view.request.language);
    let problem = match outcome {
        Outcome::CodeWrong { tries_left } if tries_left > 0 => {
            t.arg("code-wrong", "left", tries_left.to_string())
        }
        Outcome::CodeWrong { .. } | Outcome::CodeClosed => t.get("code-closed"),
        _ if wants_json(&request) => return status(request, shared, token).await,
        _ => return back_to(&request, &token, ""),
    };
    if wants_json(&request) {
        let errors = vec![FieldProblem {
            field: "code".to_owned(),
            detail: problem,
        }];
        return refused(&request, &shared, &known, t, errors);
    }
    let extras = Extras {
        code_problem: Some(problem),
        ..not_taken(&request)
    };
    page(&request, &shared, &token, &known, &view, extras)
}

/// The code that was typed, for the request whose mail it can stand in.
fn typed(
    request: &HttpRequest,
    shared: &Web,
    known: &Known,
    view: &InboxView,
    fields: &Fields,
) -> Answer {
    // The mail in the inbox may be the one of the signup that this one follows, if this very browser made both.
    let own = own_ids(request, shared);
    let asked = view
        .request
        .follows_id
        .filter(|first| view.request.mailed == 0 && own.contains(&cookie_name(*first)))
        .unwrap_or(known.request);
    Answer {
        brand: known.brand.id,
        request: asked,
        act: Act::Code {
            typed: fields.raw("code").chars().take(40).collect(),
        },
        method: "POST".to_owned(),
        circumstances: circumstances(request, &shared.app.config.trusted_proxies),
    }
}

/// `POST /i/{token}/address`: the address was mistyped.
pub async fn address(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let (known, view) = match look(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let Some(form) = form_of(&shared, &view) else {
        return message::broken_link(&request, &shared);
    };
    let given = corrected(&request, &shared, &view, &fields);
    let done = shared
        .app
        .correct_address(&form, &view.request, given)
        .await;
    let done = match done {
        Ok(done) => done,
        Err(refusal) => {
            let email = fields.raw("email");
            return not_corrected(&request, &shared, &token, &known, &view, email, &refusal);
        }
    };
    let fresh = shared
        .app
        .inbox_token(done.brand, done.request, done.expires_at);
    if wants_json(&request) {
        let response = accepted(&shared, &known.brand, &done, &fresh);
        return cors::of_brand(&request, &shared, known.brand.id, response);
    }
    back_to(&request, &fresh, "")
}

/// The same signup with another address.
fn corrected(request: &HttpRequest, shared: &Web, view: &InboxView, fields: &Fields) -> Submission {
    let purposes = view.request.purposes();
    Submission {
        email: fields.raw("email").to_owned(),
        name: view.contact.name.clone(),
        purposes: purposes.iter().map(ToString::to_string).collect(),
        language: view.request.language.clone(),
        page: None,
        version: Some(view.request.form_version.clone()),
        fields: fields.names(),
        bot: false,
        booth: None,
        passed_on: None,
        circumstances: circumstances(request, &shared.app.config.trusted_proxies),
    }
}

fn not_corrected(
    request: &HttpRequest,
    shared: &Web,
    token: &str,
    known: &Known,
    view: &InboxView,
    email: &str,
    refusal: &Refusal,
) -> HttpResponse {
    let t = Texts::of(&view.request.language);
    let Some(problems) = problems_of(refusal) else {
        return error::unavailable(request, shared);
    };
    let explained = explain(t, email, &problems);
    if wants_json(request) {
        return refused(request, shared, known, t, explained);
    }
    let extras = Extras {
        change_problem: explained.into_iter().next().map(|problem| problem.detail),
        ..not_taken(request)
    };
    page(request, shared, token, known, view, extras)
}

/// What the page of something that was not taken has in common.
fn not_taken(request: &HttpRequest) -> Extras {
    Extras {
        embedded: is_framed(request),
        status: Some(StatusCode::UNPROCESSABLE_ENTITY),
        ..Default::default()
    }
}

/// The same for scripts.
fn refused(
    request: &HttpRequest,
    shared: &Web,
    known: &Known,
    t: Texts,
    errors: Vec<FieldProblem>,
) -> HttpResponse {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let response = Problem::respond(status, t.get("form-problem-title"), errors);
    cors::of_brand(request, shared, known.brand.id, response)
}
