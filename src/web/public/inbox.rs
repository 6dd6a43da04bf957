//! `/i/{token}`: "check your inbox". It speaks of one signup only, and looks the same whatever the address's state.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use self::page::{Extras, page};
use super::message::{self, Action, Tone};
use crate::app::inbox::{InboxView, Waiting};
use crate::domain::form::Form;
use crate::domain::ids::RequestId;
use crate::domain::token::Purpose;
use crate::texts::Texts;
use crate::web::extract::token::{self, Known, Unknown, cookie_name};
use crate::web::page::shown;
use crate::web::{Web, cors, error};

pub use self::acts::{address, code, resend};
pub use self::events::events;
pub use self::page::Webmail;

mod acts;
mod events;
mod page;

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

#[derive(Debug, Default, Deserialize)]
pub struct Query {
    embed: Option<String>,
    sent: Option<String>,
    early: Option<String>,
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

/// The token's signup as it stands, or the answer that ends the request.
async fn look(
    request: &HttpRequest,
    shared: &Web,
    text: &str,
) -> Result<(Known, InboxView), HttpResponse> {
    let known = match token::verify(shared, Purpose::Inbox, text) {
        Ok(known) => known,
        Err(Unknown::Forged) => return Err(message::broken_link(request, shared)),
        Err(Unknown::Expired(known)) => return Err(closed(request, shared, &known).await),
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

/// The page of a signup whose time is over: its form is the way on, or another one of the brand's where that is not known any more.
async fn closed(request: &HttpRequest, shared: &Web, known: &Known) -> HttpResponse {
    let t = error::texts_of(request);
    let view = shared.app.inbox(known.brand.id, known.request, &|_| false);
    let own = match view.await {
        Ok(view) => view.and_then(|view| form_of(shared, &view)),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let others = || {
        let catalog = shared.app.catalog();
        let forms = catalog.forms_of(known.brand.id);
        forms.map(|form| form.declared.slug.to_string()).min()
    };
    // A retired one takes nobody on any more.
    let own = own.map(|form| form.declared.slug.to_string());
    let own = own.filter(|slug| shared.app.catalog().form(slug).is_some());
    let form = own.or_else(others);
    let page = message::of_brand(shared, &known.brand, t, "inbox-closed", Tone::Info).with(
        form.map(|slug| Action {
            url: format!("/f/{slug}"),
            posts: false,
            label: t.get("inbox-closed-action"),
        }),
    );
    shown(StatusCode::GONE, &page)
}

fn form_of(shared: &Web, view: &InboxView) -> Option<Arc<Form>> {
    shared
        .app
        .catalog()
        .form_by_id(view.request.form_id)
        .cloned()
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
            let note = match (&query.sent, &query.early) {
                (Some(_), _) => Some("inbox-sent-again"),
                (None, Some(_)) => Some("inbox-resend-early"),
                (None, None) => None,
            };
            let extras = Extras {
                embedded: query.embed.is_some(),
                notice: note.map(|note| t.get(note)),
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
