//! `/i/{token}`: "check your inbox". It speaks of one signup only, and looks the same whatever the address's state.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time::Duration as CookieDuration};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

use super::form::{accepted, explain, problems_of};
use super::message::{self, Action, Tone};
use crate::app::confirm::{Act, Answer, Outcome};
use crate::app::inbox::{InboxView, Waiting};
use crate::app::sign_up::Submission;
use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::form::Form;
use crate::domain::ids::RequestId;
use crate::domain::token::Purpose;
use crate::texts::Texts;
use crate::web::error::{self, FieldProblem, Problem, wants_json};
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::extract::token::{self, Known, Unknown, cookie_name, is_same_browser};
use crate::web::page::{Page, policy, respond};
use crate::web::{Web, cors};

/// Waiting pages that are kept informed at once; further ones ask again by themselves.
const LISTENERS_AT_MOST: usize = 2_000;
/// A connection is held so long; then the page opens a new one.
const LISTEN_FOR: Duration = Duration::from_secs(300);
/// Looks at the database, since another process may have taken the confirmation.
const LOOK_EVERY: Duration = Duration::from_secs(2);

pub struct Webmail {
    name: String,
    url: String,
}

#[derive(Template)]
#[template(path = "public/inbox.html")]
struct InboxPage {
    page: Page,
    t: Texts,
    masked: String,
    sender: String,
    state: String,
    token: String,
    code_problem: Option<String>,
    notice: Option<String>,
    resend_in: u32,
    suggestion: Option<String>,
    change_open: bool,
    change_problem: Option<String>,
    webmail: Option<Webmail>,
    script: String,
    thanks: String,
    continue_url: Option<String>,
    /// Where to sign up again once this request is over.
    form_url: String,
}

/// What the page, and scripts, are told.
#[derive(Serialize)]
struct Status {
    state: &'static str,
    resend_in: u32,
}

impl Status {
    const fn of(waiting: Waiting) -> Self {
        match waiting {
            Waiting::Waiting { resend_in } => Self {
                state: "waiting",
                resend_in,
            },
            Waiting::Confirmed => Self {
                state: "confirmed",
                resend_in: 0,
            },
            Waiting::Closed => Self {
                state: "closed",
                resend_in: 0,
            },
        }
    }
}

/// Where a person whose provider is known reads mail in a browser.
const WEBMAIL: &[(&str, &str, &str)] = &[
    ("gmail.com", "Gmail", "https://mail.google.com/"),
    ("googlemail.com", "Gmail", "https://mail.google.com/"),
    ("outlook.com", "Outlook", "https://outlook.live.com/mail/"),
    ("hotmail.com", "Outlook", "https://outlook.live.com/mail/"),
    ("live.com", "Outlook", "https://outlook.live.com/mail/"),
    ("yahoo.com", "Yahoo Mail", "https://mail.yahoo.com/"),
    ("icloud.com", "iCloud Mail", "https://www.icloud.com/mail/"),
    ("gmx.de", "GMX", "https://www.gmx.net/"),
    ("gmx.net", "GMX", "https://www.gmx.net/"),
    ("web.de", "WEB.DE", "https://web.de/"),
    ("proton.me", "Proton Mail", "https://mail.proton.me/"),
    ("orange.fr", "Orange", "https://messagerie.orange.fr/"),
];

#[derive(Debug, Default, Deserialize)]
pub struct Query {
    embed: Option<String>,
    sent: Option<String>,
}

/// Whether the page stands in a frame; the next page must know, or the frame may not show it.
fn is_framed(request: &HttpRequest) -> bool {
    request
        .query_string()
        .split('&')
        .any(|part| part == "embed=1")
}

/// The way back to the inbox page, with a note for it.
fn back_to(request: &HttpRequest, token: &str, note: &str) -> HttpResponse {
    let mut parts: Vec<&str> = Vec::new();
    if is_framed(request) {
        parts.push("embed=1");
    }
    if !note.is_empty() {
        parts.push(note);
    }
    let query = if parts.is_empty() {
        String::new()
    } else {
        format!("?{}", parts.join("&"))
    };
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("/i/{token}{query}")))
        .finish()
}

#[derive(Default)]
struct Extras {
    embedded: bool,
    code_problem: Option<String>,
    notice: Option<String>,
    change_problem: Option<String>,
    status: Option<StatusCode>,
}

/// The token's signup as it stands, or the answer that ends the request.
async fn look(
    request: &HttpRequest,
    shared: &Web,
    text: &str,
) -> Result<(Known, InboxView), HttpResponse> {
    let known = match token::verify(shared, Purpose::Inbox, text) {
        Ok(known) => known,
        Err(Unknown::Forged) => return Err(message::broken_link(request, shared)),
        Err(Unknown::Expired(known)) => return Err(closed(request, shared, &known)),
    };
    let own = own_ids(request, shared);
    match shared
        .app
        .inbox(known.brand.id, known.request, &move |id| {
            own.contains(&cookie_name(id))
        })
        .await
    {
        Ok(Some(view)) => Ok((known, view)),
        Ok(None) => Err(message::broken_link(request, shared)),
        Err(problem) => Err(error::store_failure(request, shared, &problem)),
    }
}

/// The names of the genuine cookies that this browser brings.
fn own_ids(request: &HttpRequest, shared: &Web) -> Vec<String> {
    let now = shared.app.clock.now();
    request
        .cookies()
        .map(|cookies| {
            cookies
                .iter()
                .filter(|cookie| cookie.name().starts_with("cs-"))
                .filter_map(|cookie| {
                    let token = shared
                        .app
                        .keys
                        .verify(Purpose::Browser, cookie.value(), now)
                        .ok()?;
                    Some(cookie_name(RequestId(token.subject)))
                })
                .collect()
        })
        .unwrap_or_default()
}

/// The page of a signup whose time is over: the form is the way on.
fn closed(request: &HttpRequest, shared: &Web, known: &Known) -> HttpResponse {
    let t = error::texts_of(request);
    let form = shared
        .app
        .catalog()
        .forms_of(known.brand.id)
        .map(|form| form.declared.slug.to_string())
        .min();
    let page = message::of_brand(shared, &known.brand, t, "inbox-closed", Tone::Info).with(
        form.map(|slug| Action {
            url: format!("/f/{slug}"),
            posts: false,
            label: t.get("inbox-closed-action"),
        }),
    );
    crate::web::page::render(StatusCode::GONE, &page)
}

fn form_of(shared: &Web, view: &InboxView) -> Option<std::sync::Arc<Form>> {
    shared
        .app
        .catalog()
        .form_by_id(view.request.form_id)
        .cloned()
}

fn page(
    request: &HttpRequest,
    shared: &Web,
    token: &str,
    known: &Known,
    view: &InboxView,
    extras: Extras,
) -> HttpResponse {
    let t = Texts::of(&view.request.language);
    let brand = &known.brand;
    // Stored addresses were accepted once; reading them again needs no list of domains.
    let address =
        EmailAddress::parse(&view.contact.address, &AddressRules { any_domain: true }).ok();
    let status = Status::of(view.waiting);
    let form = form_of(shared, view);
    let domain = address.as_ref().map_or("", EmailAddress::domain).to_owned();
    let webmail = WEBMAIL
        .iter()
        .find(|known| known.0 == domain)
        .map(|known| Webmail {
            name: known.1.to_owned(),
            url: known.2.to_owned(),
        });
    let mut frame = Page::of(shared, brand, t);
    frame.embedded = extras.embedded;
    let mut response = HttpResponse::build(extras.status.unwrap_or(StatusCode::OK));
    let framed_by = match (&form, extras.embedded) {
        (Some(form), true) if !form.declared.origins.is_empty() => {
            format!("'self' {}", form.declared.origins.join(" "))
        }
        (_, true) => "*".to_owned(),
        (_, false) => "'none'".to_owned(),
    };
    response.insert_header((header::CONTENT_SECURITY_POLICY, policy(&[], &framed_by)));
    if !is_same_browser(request, shared, known.request) {
        response.cookie(browser_cookie(shared, known));
    }
    respond(
        response,
        &InboxPage {
            page: frame,
            t,
            masked: address
                .as_ref()
                .map_or_else(String::new, EmailAddress::masked),
            sender: brand.declared.from_address.clone(),
            state: status.state.to_owned(),
            token: token.to_owned(),
            code_problem: extras.code_problem,
            notice: extras.notice,
            resend_in: status.resend_in,
            suggestion: address.and_then(|address| address.suggestion()),
            change_open: extras.change_problem.is_some(),
            change_problem: extras.change_problem,
            webmail,
            script: shared.assets.inbox_js.clone(),
            thanks: t.arg("done-text", "brand", &brand.declared.name),
            form_url: form.as_ref().map_or_else(String::new, |form| {
                let framed = if extras.embedded { "?embed=1" } else { "" };
                format!("/f/{}{framed}", form.declared.slug)
            }),
            continue_url: form.and_then(|form| form.declared.redirect_after_confirmation.clone()),
        },
    )
}

/// Marks this browser as the one that signed up. A token, not a session: it proves that this browser saw this page.
fn browser_cookie(shared: &Web, known: &Known) -> Cookie<'static> {
    let app = &shared.app;
    let value = app.keys.sign(
        Purpose::Browser,
        known.brand.number,
        known.request.0,
        known.expires_at,
    );
    let left = known.expires_at.since(app.clock.now()).as_secs();
    Cookie::build(cookie_name(known.request), value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.config.is_https())
        .max_age(CookieDuration::seconds(i64::try_from(left).unwrap_or(0)))
        .finish()
}

/// `GET /i/{token}`
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    query: web::Query<Query>,
) -> HttpResponse {
    match look(&request, &shared, &token).await {
        Ok((known, view)) => {
            let t = Texts::of(&view.request.language);
            let extras = Extras {
                embedded: query.embed.is_some(),
                notice: query.sent.as_ref().map(|_| t.get("inbox-sent-again")),
                ..Default::default()
            };
            page(&request, &shared, &token, &known, &view, extras)
        }
        Err(response) => response,
    }
}

/// `GET /i/{token}/status`
pub async fn status(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    match look(&request, &shared, &token).await {
        Ok((known, view)) => cors::of_brand(
            &request,
            &shared,
            known.brand.id,
            HttpResponse::Ok().json(Status::of(view.waiting)),
        ),
        Err(response) => response,
    }
}

/// Counts a listener for as long as it lives.
struct Listening(web::Data<Web>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

/// `GET /i/{token}/events`: server-sent events (HTML Living Standard, section 9.2), one at the start and one at the end.
pub async fn events(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let (known, view) = match look(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if shared.listeners.fetch_add(1, Ordering::Relaxed) >= LISTENERS_AT_MOST {
        shared.listeners.fetch_sub(1, Ordering::Relaxed);
        return error::unavailable(&request, &shared);
    }
    let listening = Listening(shared.clone());
    let own = own_ids(&request, &shared);
    let brand = known.brand.id;
    let follows = view.request.follows_id;
    let wakes = shared.app.live.listen();
    let until = tokio::time::Instant::now() + LISTEN_FOR;
    let first = (Some(view.waiting), wakes);
    let body = stream::unfold(
        (first, listening, own, false),
        move |((next, mut wakes), listening, own, over)| {
            let shared = shared.clone();
            let id = known.request;
            async move {
                if over {
                    return None;
                }
                let waiting = match next {
                    Some(waiting) => waiting,
                    None => loop {
                        let woken = tokio::select! {
                            woken = wakes.recv() => woken,
                            () = tokio::time::sleep(LOOK_EVERY) => Err(RecvError::Lagged(0)),
                        };
                        match woken {
                            Ok(answered) if answered != id && Some(answered) != follows => continue,
                            Err(RecvError::Closed) => return None,
                            _ => {}
                        }
                        let is_own = |id: RequestId| own.contains(&cookie_name(id));
                        let found = shared.app.inbox(brand, id, &is_own).await.ok().flatten()?;
                        let waiting = found.waiting;
                        if !matches!(waiting, Waiting::Waiting { .. }) {
                            break waiting;
                        }
                        if tokio::time::Instant::now() >= until {
                            return None;
                        }
                    },
                };
                let data = serde_json::to_string(&Status::of(waiting)).ok()?;
                let over = !matches!(waiting, Waiting::Waiting { .. });
                let bytes = web::Bytes::from(format!("event: state\ndata: {data}\n\n"));
                Some((
                    Ok::<_, actix_web::Error>(bytes),
                    ((None, wakes), listening, own, over),
                ))
            }
        },
    );
    let response = HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(body));
    let shared = request.app_data::<web::Data<Web>>().cloned();
    match shared {
        Some(shared) => cors::of_brand(&request, &shared, brand, response),
        None => response,
    }
}

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
    // The mail in the inbox may be the one of the signup that this one follows, if this very browser made both.
    let own = own_ids(&request, &shared);
    let asked = view
        .request
        .follows_id
        .filter(|first| view.request.mailed == 0 && own.contains(&cookie_name(*first)))
        .unwrap_or(known.request);
    let answer = Answer {
        brand: known.brand.id,
        request: asked,
        act: Act::Code {
            typed: fields.raw("code").chars().take(40).collect(),
        },
        method: "POST".to_owned(),
        circumstances: circumstances(&request, &shared.app.config.trusted_proxies),
    };
    let outcome = match shared.app.answer(answer).await {
        Ok(outcome) => outcome,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let t = Texts::of(&view.request.language);
    let problem = match outcome {
        Outcome::CodeWrong { tries_left } if tries_left > 0 => {
            Some(t.arg("code-wrong", "left", tries_left.to_string()))
        }
        Outcome::CodeWrong { .. } | Outcome::CodeClosed => Some(t.get("code-closed")),
        _ => None,
    };
    let json = wants_json(&request);
    match problem {
        None if json => status(request, shared, token).await,
        None => back_to(&request, &token, ""),
        Some(detail) if json => {
            let errors = vec![FieldProblem {
                field: "code".to_owned(),
                detail,
            }];
            let response = Problem::respond(
                StatusCode::UNPROCESSABLE_ENTITY,
                t.get("form-problem-title"),
                errors,
            );
            cors::of_brand(&request, &shared, known.brand.id, response)
        }
        Some(detail) => {
            let extras = Extras {
                embedded: is_framed(&request),
                code_problem: Some(detail),
                status: Some(StatusCode::UNPROCESSABLE_ENTITY),
                ..Default::default()
            };
            page(&request, &shared, &token, &known, &view, extras)
        }
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
    let given = Submission {
        email: fields.raw("email").to_owned(),
        name: view.contact.name.clone(),
        purposes: view
            .request
            .purposes()
            .iter()
            .map(ToString::to_string)
            .collect(),
        language: view.request.language.clone(),
        page: None,
        version: Some(view.request.form_version.clone()),
        fields: fields.names(),
        bot: false,
        circumstances: circumstances(&request, &shared.app.config.trusted_proxies),
    };
    let json = wants_json(&request);
    let done = shared
        .app
        .correct_address(&form, &view.request, given)
        .await;
    let refusal = match done {
        Ok(done) => {
            let fresh = shared
                .app
                .inbox_token(done.brand, done.request, done.expires_at);
            if json {
                let response = accepted(&shared, &known.brand, &done, &fresh);
                return cors::of_brand(&request, &shared, known.brand.id, response);
            }
            return back_to(&request, &fresh, "");
        }
        Err(refusal) => refusal,
    };
    let t = Texts::of(&view.request.language);
    let Some(problems) = problems_of(&refusal) else {
        return error::unavailable(&request, &shared);
    };
    let explained = explain(t, fields.raw("email"), &problems);
    if json {
        let response = Problem::respond(
            StatusCode::UNPROCESSABLE_ENTITY,
            t.get("form-problem-title"),
            explained,
        );
        return cors::of_brand(&request, &shared, known.brand.id, response);
    }
    let extras = Extras {
        embedded: is_framed(&request),
        change_problem: explained.into_iter().next().map(|problem| problem.detail),
        status: Some(StatusCode::UNPROCESSABLE_ENTITY),
        ..Default::default()
    };
    page(&request, &shared, &token, &known, &view, extras)
}
