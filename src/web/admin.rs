//! Pages for operators.

pub mod overview;
pub mod sign_in;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::Web;
use crate::store::operators::OperatorRow;

/// `__Host-` binds the cookie to this very host over https; without https browsers refuse the prefix.
fn cookie_name(shared: &Web) -> &'static str {
    if shared.app.config.is_https() {
        "__Host-session"
    } else {
        "session"
    }
}

fn session_of(request: &HttpRequest, shared: &Web) -> Option<String> {
    request
        .cookie(cookie_name(shared))
        .map(|cookie| cookie.value().to_owned())
}

fn session_cookie(shared: &Web, value: String) -> Cookie<'static> {
    Cookie::build(cookie_name(shared), value)
        .path("/")
        .http_only(true)
        .secure(shared.app.config.is_https())
        .same_site(SameSite::Strict)
        .finish()
}

/// Who is signed in; else the answer that leads to the sign-in page.
async fn signed_in(
    request: &HttpRequest,
    shared: &web::Data<Web>,
) -> Result<OperatorRow, HttpResponse> {
    let to_sign_in = || {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, "/admin/sign-in"))
            .finish()
    };
    let Some(session) = session_of(request, shared) else {
        return Err(to_sign_in());
    };
    match shared.app.operator_of(&session).await {
        Ok(Some(operator)) => Ok(operator),
        Ok(None) => Err(to_sign_in()),
        Err(error) => Err(super::error::store_failure(request, shared, &error)),
    }
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
