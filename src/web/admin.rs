//! Pages for operators.

pub mod account;
pub mod as_sent;
pub mod brand;
pub mod brands;
pub mod by_age;
pub mod campaigns;
pub mod chart;
pub mod contact;
pub mod contacts;
pub mod deeds;
pub mod delivery;
pub mod edit_form;
pub mod evidence;
pub mod forms;
pub mod frame;
pub mod guard;
pub mod held;
pub mod hold;
pub mod imports;
pub mod jobs;
pub mod keys;
pub mod operators;
pub mod overview;
pub mod passkeys;
pub mod policy;
pub mod routes;
pub mod sealed;
pub mod settings;
pub mod shown;
pub mod sign_in;
pub mod suppressions;
pub mod table;
pub mod webhooks;
pub mod wizard;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::Web;
use super::error;
use super::extract::client;
use super::page::render;
use crate::app::acted::Acting;
use crate::domain::circumstances::Circumstances;
use crate::domain::operator::{Deed, Operator};
use frame::{Frame, MessagePage};

/// `__Host-` binds a cookie to this very host over https; without https browsers refuse the prefix.
fn cookie_name(shared: &Web, name: &str) -> String {
    if shared.app.config.is_https() {
        format!("__Host-{name}")
    } else {
        name.to_owned()
    }
}

const SESSION: &str = "session";
/// Kept by a browser in which somebody signed in before.
const DEVICE: &str = "device";

fn cookie_of(request: &HttpRequest, shared: &Web, name: &str) -> Option<String> {
    request
        .cookie(&cookie_name(shared, name))
        .map(|cookie| cookie.value().to_owned())
}

fn cookie(shared: &Web, name: &str, value: String) -> Cookie<'static> {
    Cookie::build(cookie_name(shared, name), value)
        .path("/")
        .http_only(true)
        .secure(shared.app.config.is_https())
        .same_site(SameSite::Strict)
        .finish()
}

fn from(request: &HttpRequest, shared: &Web) -> Circumstances {
    client::circumstances(request, &shared.app.config.trusted_proxies)
}

/// Whoever the guard let in, with where they act from.
fn acting(request: &HttpRequest, shared: &Web) -> Option<Acting> {
    Some(Acting {
        operator: request.extensions().get::<Operator>().cloned()?,
        circumstances: from(request, shared),
    })
}

/// Keeps that whoever asks takes a list of people along, before anything of it is sent; the answer if it cannot be kept.
async fn takes(
    request: &HttpRequest,
    shared: &Data<Web>,
    list: String,
) -> Result<(), HttpResponse> {
    let Some(acting) = acting(request, shared) else {
        return Err(see("/admin/sign-in"));
    };
    let kept = shared.app.acted(&acting, Deed::ListTaken, Some(list)).await;
    kept.map_err(|problem| error::store_failure(request, shared, &problem))
}

/// Goes on to another page, which a reload does not send again (post, redirect, get).
fn see(location: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .finish()
}

/// A page that says one thing.
fn say(
    shared: &Web,
    operator: &Operator,
    status: StatusCode,
    title: &str,
    text: &str,
) -> HttpResponse {
    let frame = Frame::new(shared, operator, title);
    render(
        status,
        &MessagePage {
            frame,
            text: text.to_owned(),
        },
    )
}

fn not_found(shared: &Web, operator: &Operator, what: &str) -> HttpResponse {
    say(
        shared,
        operator,
        StatusCode::NOT_FOUND,
        "Not found",
        &format!(
            "{what} is not here. It may have been erased or renamed, or it belongs to a brand that you do not work for."
        ),
    )
}

/// A post to these pages must come from one of them: browsers say where a request comes from (Fetch Metadata). Only one
/// that does not is judged by its Origin, which our own referrer policy turns into `null` on ordinary form posts.
fn is_own_post(request: &HttpRequest, shared: &Web) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == shared.app.config.base_url,
        (None, None) => false,
    }
}
