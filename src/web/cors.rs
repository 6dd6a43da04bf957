//! Scripts of other sites: only from the origins that a form names, never with credentials (T22).

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Route, guard, web};

use super::Web;
use super::extract::token;
use crate::domain::ids::BrandId;
use crate::domain::token::Purpose;

fn origin(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::ORIGIN)?.to_str().ok()
}

fn allow(request: &HttpRequest, response: &mut HttpResponse, allowed: impl Fn(&str) -> bool) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin(request).filter(|origin| allowed(origin)) else {
        return;
    };
    if let Ok(value) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
}

fn form_allows(shared: &Web, form: &str, origin: &str) -> bool {
    shared
        .app
        .catalog()
        .form(form)
        .is_some_and(|form| form.allows_origin(origin))
}

fn brand_allows(shared: &Web, brand: BrandId, origin: &str) -> bool {
    shared
        .app
        .catalog()
        .forms_of(brand)
        .any(|form| form.allows_origin(origin))
}

/// Lets the form's origins read an answer.
pub fn of_form(
    request: &HttpRequest,
    shared: &Web,
    form: &str,
    mut response: HttpResponse,
) -> HttpResponse {
    allow(request, &mut response, |origin| {
        form_allows(shared, form, origin)
    });
    response
}

/// Lets the origins of the brand's forms read an answer about one of their signups.
pub fn of_brand(
    request: &HttpRequest,
    shared: &Web,
    brand: BrandId,
    mut response: HttpResponse,
) -> HttpResponse {
    allow(request, &mut response, |origin| {
        brand_allows(shared, brand, origin)
    });
    response
}

/// The brand of an inbox page's token.
fn brand_of(shared: &Web, token: &str) -> Option<BrandId> {
    let known = token::verify(shared, Purpose::Inbox, token).ok()?;
    Some(known.brand.id)
}

/// Lets the origins of whatever the path names read an answer that was given before anybody looked at it: a form's, or those of an
/// inbox page's brand.
pub fn of_path(request: &HttpRequest, shared: &Web, response: HttpResponse) -> HttpResponse {
    let named = |name| request.match_info().get(name);
    if let Some(form) = named("form") {
        return of_form(request, shared, form, response);
    }
    match named("token").and_then(|token| brand_of(shared, token)) {
        Some(brand) => of_brand(request, shared, brand, response),
        None => response,
    }
}

fn preflight(request: &HttpRequest, allowed: impl Fn(&str) -> bool) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    allow(request, &mut response, allowed);
    if response
        .headers()
        .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    {
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type, accept"),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("600"),
        );
    }
    response
}

fn options() -> Route {
    web::route().guard(guard::fn_guard(|context| {
        context.head().method == Method::OPTIONS
    }))
}

pub fn preflight_of_form() -> Route {
    options().to(
        |request: HttpRequest, shared: web::Data<Web>, form: web::Path<String>| async move {
            preflight(&request, |origin| form_allows(&shared, &form, origin))
        },
    )
}

pub fn preflight_of_inbox() -> Route {
    options().to(
        |request: HttpRequest, shared: web::Data<Web>, path: web::Path<(String, String)>| async move {
            let brand = brand_of(&shared, &path.0);
            preflight(&request, |origin| {
                brand.is_some_and(|brand| brand_allows(&shared, brand, origin))
            })
        },
    )
}
