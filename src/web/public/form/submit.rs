//! `POST /f/{form}`: the signup.

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use uuid::Uuid;

use super::super::inbox::Webmail;
use super::super::{kiosk, opened};
use super::page::{Filled, page};
use super::{HONEYPOT, OPEN_FOR, explain, find, language_of, problems_of};
use crate::app::sign_up::{SignedUp, Submission};
use crate::domain::booth::AtBooth;
use crate::domain::brand::Brand;
use crate::domain::form::Form;
use crate::domain::origin::origin_of;
use crate::domain::token::Purpose;
use crate::store::StoreError;
use crate::texts::Texts;
use crate::web::error::{self, Problem, wants_json};
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::same_time::signed_up_in_the_same_time;
use crate::web::{Web, cors};

/// What a signup is answered with: the same for every state of the address.
#[derive(Serialize)]
struct Accepted {
    inbox: String,
    status: String,
    masked: String,
    resend_in: u64,
    did_you_mean: Option<String>,
    sender: String,
    webmail: Option<Webmail>,
    /// Given back with a press on "send again".
    opened: String,
}

/// The JSON answer to a signup.
pub fn accepted(shared: &Web, brand: &Brand, done: &SignedUp, token: &str) -> HttpResponse {
    let inbox = shared.app.url(&format!("/i/{token}"));
    HttpResponse::Accepted().json(Accepted {
        status: format!("{inbox}/status"),
        inbox,
        masked: done.masked.clone(),
        resend_in: shared.app.config.limits.resend_after.as_secs(),
        did_you_mean: done.suggestion.clone(),
        sender: brand.declared.from_address.clone(),
        // What is masked is not the domain.
        webmail: done.masked.rsplit('@').next().and_then(Webmail::of),
        opened: opened::now(shared, brand, done.request),
    })
}

pub(super) fn submission(
    request: &HttpRequest,
    shared: &Web,
    form: &Form,
    fields: &Fields,
) -> Submission {
    Submission {
        email: fields.raw("email").to_owned(),
        name: fields.one("name").map(ToOwned::to_owned),
        purposes: fields.all("purpose"),
        language: language_of(request, form, fields.one("lang")),
        page: page_of(request, shared, fields.one("page")),
        version: fields.one("version").map(ToOwned::to_owned),
        fields: fields.names(),
        bot: fields.one(HONEYPOT).is_some() || too_fast(shared, form, fields),
        booth: kiosk::is_asked(request).then(|| AtBooth {
            entry: fields.one("entry").and_then(|id| Uuid::try_parse(id).ok()),
            entered_at: None,
            clock_said: None,
        }),
        passed_on: None,
        corrects: None,
        circumstances: circumstances(request, &shared.app.config.trusted_proxies),
    }
}

/// The page that the form stood on: what the form says of it, else what the browser says. Where the browser names another site than the
/// form does (Fetch Standard, section 3.1), the browser is believed. Our own forms may stand in a frame of a page that they name.
fn page_of(request: &HttpRequest, shared: &Web, said: Option<&str>) -> Option<String> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let referer = header(header::REFERER);
    let said = said.or(referer);
    let Some(origin) = header(header::ORIGIN).and_then(origin_of) else {
        return said.map(ToOwned::to_owned);
    };
    let is_there = |page: &&str| origin_of(page).as_ref() == Some(&origin);
    let is_ours = origin_of(&shared.app.config.base_url).as_ref() == Some(&origin);
    let page = match said {
        Some(page) if is_ours || is_there(&page) => page,
        _ => match referer.filter(is_there) {
            Some(page) => page,
            None if is_ours => return None,
            None => &origin,
        },
    };
    Some(page.to_owned())
}

/// Whether the form came back sooner than a person types. A form that does not say when it was opened (plain HTML on
/// somebody's site) is not judged by it.
fn too_fast(shared: &Web, form: &Form, fields: &Fields) -> bool {
    let now = shared.app.clock.now();
    fields
        .one("opened")
        .and_then(|text| shared.app.keys.verify(Purpose::PageOpened, text, now).ok())
        .filter(|token| token.subject == form.id.0)
        .is_some_and(|token| {
            let opened_at = token.expires_at.minus(OPEN_FOR);
            let least = u64::from(form.declared.minimum_fill_seconds);
            now.since(opened_at) < Duration::from_secs(least)
        })
}

/// Whether the proof of work is there that the form asks for; it is spent by asking.
pub async fn proved(shared: &Web, form: &Form, fields: &Fields) -> Result<bool, StoreError> {
    if !form.declared.proof_of_work {
        return Ok(true);
    }
    shared.app.solved(fields.raw("altcha")).await
}

/// `POST /f/{form}`: 303 to the next page for a browser, 202 for a script. Nothing in the answer, its time included,
/// depends on whether the address is known.
pub async fn submit(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    if kiosk::is_asked(&request) && !form.declared.kiosk {
        return kiosk::off(&request, &shared);
    }
    let answer = |response| cors::of_form(&request, &shared, &slug, response);
    match proved(&shared, &form, &fields).await {
        Ok(true) => {}
        Ok(false) => {
            let problem = vec![("form", "form-problem-proof")];
            return answer(refuse(&request, &shared, &brand, &form, &fields, problem));
        }
        Err(problem) => return answer(error::store_failure(&request, &shared, &problem)),
    }
    let given = submission(&request, &shared, &form, &fields);
    match signed_up_in_the_same_time(shared.app.sign_up(&form, given)).await {
        Ok(_) if kiosk::is_asked(&request) => {
            if wants_json(&request) {
                return kiosk::recorded(&shared);
            }
            let language = language_of(&request, &form, fields.one("lang"));
            kiosk::next(&form, &language, "done=1")
        }
        Ok(done) => {
            let token = shared
                .app
                .inbox_token(done.brand, done.request, done.expires_at);
            if wants_json(&request) {
                return answer(accepted(&shared, &brand, &done, &token));
            }
            next_page(&request, &form, &token)
        }
        Err(refusal) => match problems_of(&refusal) {
            Some(problems) => answer(refuse(&request, &shared, &brand, &form, &fields, problems)),
            None => answer(error::unavailable(&request, &shared)),
        },
    }
}

/// The way on for a browser: the form's own next page, or "check your inbox".
fn next_page(request: &HttpRequest, form: &Form, token: &str) -> HttpResponse {
    let declared = form.declared.redirect_after_signup.clone();
    let target = declared.unwrap_or_else(|| {
        let framed = request.query_string().contains("embed=1");
        format!("/i/{token}{}", if framed { "?embed=1" } else { "" })
    });
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, target))
        .finish()
}

fn refuse(
    request: &HttpRequest,
    shared: &Web,
    brand: &Brand,
    form: &Form,
    fields: &Fields,
    problems: Vec<(&'static str, &'static str)>,
) -> HttpResponse {
    let language = language_of(request, form, fields.one("lang"));
    let t = Texts::of(&language);
    let email = fields.raw("email");
    let explained = explain(t, email, &problems);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if wants_json(request) {
        return Problem::respond(status, t.get("form-problem-title"), explained);
    }
    if kiosk::is_asked(request)
        && let Some((_, key)) = problems.first()
    {
        return kiosk::next(form, &language, &format!("problem={key}"));
    }
    let filled = Filled {
        email: email.chars().take(254).collect(),
        name: fields.raw("name").chars().take(80).collect(),
        purposes: fields.all("purpose"),
        problems: explained,
    };
    let embedded = request.query_string().contains("embed=1");
    page(shared, brand, form, &language, embedded, status, filled)
}
