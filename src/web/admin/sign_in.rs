//! `/admin/sign-in`

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{is_own_post, session_cookie, session_of};
use crate::app::sign_in::SignInProblem;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct SignInPage {
    css: String,
    icon: String,
    name: String,
    problem: Option<&'static str>,
}

fn page(
    shared: &Web,
    status: StatusCode,
    name: &str,
    problem: Option<&'static str>,
) -> HttpResponse {
    render(
        status,
        &SignInPage {
            css: shared.assets.admin_css.clone(),
            icon: shared.assets.icon.clone(),
            name: name.chars().take(64).collect(),
            problem,
        },
    )
}

/// `GET /admin/sign-in`
pub async fn show(shared: web::Data<Web>) -> HttpResponse {
    page(&shared, StatusCode::OK, "", None)
}

/// `POST /admin/sign-in`
pub async fn submit(request: HttpRequest, shared: web::Data<Web>, fields: Fields) -> HttpResponse {
    if !is_own_post(&request, &shared) {
        return page(
            &shared,
            StatusCode::FORBIDDEN,
            "",
            Some("This did not come from the sign-in page. Please try again."),
        );
    }
    let name = fields.raw("name").trim();
    match shared.app.sign_in(name, fields.raw("password")).await {
        Ok(secret) => HttpResponse::SeeOther()
            .cookie(session_cookie(&shared, secret))
            .insert_header((header::LOCATION, "/admin"))
            .finish(),
        Err(SignInProblem::Wrong) => page(
            &shared,
            StatusCode::UNAUTHORIZED,
            name,
            Some("Name or password is wrong."),
        ),
        Err(SignInProblem::Busy) => page(
            &shared,
            StatusCode::TOO_MANY_REQUESTS,
            name,
            Some("Too many people sign in at this moment. Please try again in a few seconds."),
        ),
        Err(SignInProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
    }
}

/// `POST /admin/sign-out`
pub async fn end(request: HttpRequest, shared: web::Data<Web>) -> HttpResponse {
    if !is_own_post(&request, &shared) {
        return page(&shared, StatusCode::FORBIDDEN, "", None);
    }
    if let Some(session) = session_of(&request, &shared)
        && let Err(problem) = shared.app.sign_out(&session).await
    {
        return error::store_failure(&request, &shared, &problem);
    }
    let mut gone = session_cookie(&shared, String::new());
    gone.make_removal();
    HttpResponse::SeeOther()
        .cookie(gone)
        .insert_header((header::LOCATION, "/admin/sign-in"))
        .finish()
}
