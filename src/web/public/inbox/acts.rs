//! What a person can do on the inbox page: ask for the mail again, type the code, correct the address.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Extras, page};
use super::{back_to, form_of, is_framed, look, status};
use crate::app::confirm::{Act, Answer, Outcome};
use crate::app::correct::{Correction, NotCorrected};
use crate::app::inbox::{InboxView, Waiting};
use crate::app::resend::Asking;
use crate::app::sign_up::Refusal;
use crate::domain::standing::RequestState;
use crate::texts::Texts;
use crate::web::error::{self, FieldProblem, Problem, wants_json};
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::extract::token::Known;
use crate::web::public::form::{HONEYPOT, accepted, explain, problems_of, proved};
use crate::web::public::{message, opened};
use crate::web::same_time::in_the_same_time;
use crate::web::{Web, cors};

/// `POST /i/{token}/resend`: the same answer whether a mail goes out or not.
pub async fn resend(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let (known, view) = match look(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    // The same seconds for every state of the address, so that they may be told.
    let is_early = matches!(view.waiting, Waiting::Waiting { resend_in } if resend_in > 0);
    let asking = Asking::Page {
        shown_at: opened::at(&shared, known.request, &fields),
        trapped: fields.one(HONEYPOT).is_some(),
    };
    let from = circumstances(&request, &shared.app.config.trusted_proxies);
    let sent = shared
        .app
        .resend((known.brand.id, known.request), asking, from);
    if let Err(problem) = in_the_same_time(sent).await {
        return error::store_failure(&request, &shared, &problem);
    }
    if wants_json(&request) {
        return status(request, shared, token).await;
    }
    back_to(
        &request,
        &token,
        if is_early { "early=1" } else { "sent=1" },
    )
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

/// The code that was typed, for the request whose mail it can stand in. Wrong ones count at the page's own request, so that the page
/// tells nothing.
fn typed(
    request: &HttpRequest,
    shared: &Web,
    known: &Known,
    view: &InboxView,
    fields: &Fields,
) -> Answer {
    let typed: String = fields.raw("code").chars().take(40).collect();
    // The mail in the inbox may be the one of the signup that this one follows, or of the one that replaced it, if this very browser
    // made both.
    let other = view.twin.as_ref().map(|twin| twin.id);
    let is_replaced = view.request.state == RequestState::Replaced.as_str();
    let act = if is_replaced || view.request.mailed == 0 {
        Act::OtherCode { typed, other }
    } else {
        Act::Code { typed }
    };
    Answer {
        brand: known.brand.id,
        request: known.request,
        act,
        method: "POST".to_owned(),
        circumstances: circumstances(request, &shared.app.config.trusted_proxies),
    }
}

/// `POST /i/{token}/address`: the address was mistyped. It is one more way in, so it asks for what the form asks for.
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
    let no = |problem| {
        not_corrected(
            &request,
            &shared,
            (&token, &known, &view),
            &fields,
            &problem,
        )
    };
    match proved(&shared, &form, &fields).await {
        Ok(true) => {}
        Ok(false) => return no(NotTaken::Unproved),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    }
    let given = Correction {
        email: fields.raw("email").to_owned(),
        fields: fields.names(),
        bot: fields.one(HONEYPOT).is_some(),
        circumstances: circumstances(&request, &shared.app.config.trusted_proxies),
    };
    let done = shared
        .app
        .correct_address(&form, &view.request, given)
        .await;
    let done = match done {
        Ok(done) => done,
        Err(NotCorrected::Store(problem)) => {
            return error::store_failure(&request, &shared, &problem);
        }
        Err(NotCorrected::Refused(refusal)) => return no(NotTaken::Refused(refusal)),
        Err(NotCorrected::TooOften) => return no(NotTaken::TooOften),
        Err(NotCorrected::Over) if wants_json(&request) => return no(NotTaken::Over),
        // The page says that it is over.
        Err(NotCorrected::Over) => return back_to(&request, &token, ""),
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

/// Why a correction was not taken.
enum NotTaken {
    /// The form asks for a proof of work.
    Unproved,
    Refused(Refusal),
    TooOften,
    Over,
}

fn not_corrected(
    request: &HttpRequest,
    shared: &Web,
    (token, known, view): (&str, &Known, &InboxView),
    fields: &Fields,
    problem: &NotTaken,
) -> HttpResponse {
    let t = Texts::of(&view.request.language);
    let email = fields.raw("email");
    let of_form = |detail| {
        vec![FieldProblem {
            field: "form".to_owned(),
            detail,
        }]
    };
    let explained = match problem {
        NotTaken::Unproved => of_form(t.get("form-problem-proof")),
        NotTaken::TooOften => of_form(t.get("inbox-change-limit")),
        NotTaken::Over => {
            let brand = &known.brand.declared;
            of_form(t.arg2(
                "inbox-closed-text",
                "brand",
                &brand.name,
                "contact",
                &brand.contact,
            ))
        }
        NotTaken::Refused(refusal) => match problems_of(refusal) {
            Some(problems) => explain(t, email, &problems),
            None => return error::unavailable(request, shared),
        },
    };
    if wants_json(request) {
        return refused(request, shared, known, t, explained);
    }
    let extras = Extras {
        change_problem: explained.into_iter().next().map(|problem| problem.detail),
        change_typed: email.chars().take(254).collect(),
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
