//! `/p`: a fresh link by mail, for people who have lost theirs. The answer is the same for every address.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::form::{explain, problems_of};
use super::super::message::{self, Tone};
use crate::app::prefer::NotAsked;
use crate::app::sign_up::Refusal;
use crate::domain::brand::Brand;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::page::{Page, framed, shown};
use crate::web::same_time::in_the_same_time;

framed!(LostPage);

#[derive(Template)]
#[template(path = "public/lost.html")]
struct LostPage {
    page: Page,
    t: Texts,
    brand: String,
    email: String,
    problem: Option<String>,
}

/// Whose preferences: the brand that a link names; an installation with one brand needs none.
#[derive(Deserialize)]
pub struct Query {
    brand: Option<String>,
}

fn brand_of(shared: &Web, named: Option<&str>) -> Option<Arc<Brand>> {
    let catalog = shared.app.catalog();
    match (named, catalog.brands.as_slice()) {
        (Some(slug), _) => catalog.brand_by_slug(slug).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}

fn page(
    shared: &Web,
    brand: &Brand,
    t: Texts,
    email: &str,
    problem: Option<String>,
) -> HttpResponse {
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let page = LostPage {
        page: Page::of(shared, brand, t),
        t,
        brand: brand.declared.slug.to_string(),
        email: email.to_owned(),
        problem,
    };
    shown(status, &page)
}

/// `GET /p`, and HEAD
pub async fn lost_ask(
    request: HttpRequest,
    shared: web::Data<Web>,
    query: web::Query<Query>,
) -> HttpResponse {
    match brand_of(&shared, query.brand.as_deref()) {
        Some(brand) => page(&shared, &brand, error::texts_of(&request), "", None),
        None => error::answer(&request, &shared, StatusCode::NOT_FOUND, "error-not-found"),
    }
}

/// `POST /p`
pub async fn lost(request: HttpRequest, shared: web::Data<Web>, fields: Fields) -> HttpResponse {
    let Some(brand) = brand_of(&shared, fields.one("brand")) else {
        return error::answer(&request, &shared, StatusCode::NOT_FOUND, "error-not-found");
    };
    let t = error::texts_of(&request);
    let email = fields.raw("email");
    let from = circumstances(&request, &shared.app.config.trusted_proxies);
    let sent = shared.app.send_preferences(&brand, email, &from);
    match in_the_same_time(sent).await {
        Ok(()) => {
            let page = message::of_brand(&shared, &brand, t, "lost-sent", Tone::Done);
            shown(StatusCode::OK, &page)
        }
        Err(NotAsked::Address(problem)) => {
            let problems = problems_of(&Refusal::Address(problem)).unwrap_or_default();
            let said = explain(t, email, &problems).into_iter().next();
            page(&shared, &brand, t, email, said.map(|one| one.detail))
        }
        Err(NotAsked::Store(problem)) => error::store_failure(&request, &shared, &problem),
    }
}
