//! Errors as people and programs see them: a page with a way out, or a problem document (RFC 9457). Never an internal text.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::Web;
use super::page::{Page, shown};
use super::public::message::{Message, Tone};
use crate::store::StoreError;
use crate::texts::{Texts, negotiate};

/// One field that is not right.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    pub field: String,
    pub detail: String,
}

/// A problem document.
#[derive(Debug, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub title: String,
    pub status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

impl Problem {
    pub fn respond(status: StatusCode, title: String, errors: Vec<FieldProblem>) -> HttpResponse {
        let detail = errors
            .iter()
            .map(|error| error.detail.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .body(
                serde_json::to_string(&Self {
                    kind: "about:blank",
                    title,
                    status: status.as_u16(),
                    detail,
                    errors,
                })
                .unwrap_or_default(),
            )
    }
}

/// Whether a program asks: it sends JSON or accepts JSON.
pub fn wants_json(request: &HttpRequest) -> bool {
    let has = |name: header::HeaderName| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("application/json"))
    };
    has(header::ACCEPT) || has(header::CONTENT_TYPE)
}

/// The texts in the language of the request, for pages that know no form.
pub fn texts_of(request: &HttpRequest) -> Texts {
    let accepted = request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let offered: Vec<String> = crate::domain::brand::LANGUAGES
        .iter()
        .map(|&tag| tag.to_owned())
        .collect();
    Texts::of(&negotiate(&offered, accepted).unwrap_or_default())
}

/// An error with a text of its own: `{key}-title` and `{key}-text`.
pub fn answer(request: &HttpRequest, shared: &Web, status: StatusCode, key: &str) -> HttpResponse {
    let t = texts_of(request);
    let (title, text) = (
        t.get(&format!("{key}-title")),
        t.get(&format!("{key}-text")),
    );
    if wants_json(request) {
        let errors = vec![FieldProblem {
            field: String::new(),
            detail: text,
        }];
        return Problem::respond(status, title, errors);
    }
    let page = Page::plain(shared, t);
    shown(status, &Message::new(page, t, title, text, Tone::Problem))
}

/// The server could not write or read. The caller may try again: nothing was acknowledged.
pub fn unavailable(request: &HttpRequest, shared: &Web) -> HttpResponse {
    let mut response = answer(
        request,
        shared,
        StatusCode::SERVICE_UNAVAILABLE,
        "error-unavailable",
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
    response
}

pub fn store_failure(request: &HttpRequest, shared: &Web, error: &StoreError) -> HttpResponse {
    tracing::error!(%error, "a request failed in the store");
    unavailable(request, shared)
}

pub async fn no_such_page(request: HttpRequest, shared: web::Data<Web>) -> HttpResponse {
    if *request.method() == actix_web::http::Method::OPTIONS {
        return HttpResponse::NoContent().finish();
    }
    answer(&request, &shared, StatusCode::NOT_FOUND, "error-not-found")
}

pub fn plain_failure() -> HttpResponse {
    HttpResponse::InternalServerError()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body("Something went wrong on our side. Please try again.")
}
