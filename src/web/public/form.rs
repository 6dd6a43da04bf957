//! `/f/{form}`: the hosted form, its definition for scripts, and the signup.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use self::page::{Filled, page};
use super::kiosk;
use crate::domain::brand::Brand;
use crate::domain::form::Form;
use crate::domain::token::Purpose;
use crate::texts::negotiate;
use crate::web::{Web, cors, error};

pub use self::ceiling::ceiling;
pub use self::definition::definition;
pub(super) use self::page::LANGUAGE_NAMES;
pub use self::page::preview;
pub use self::problems::{explain, problems_of};
pub use self::submit::{accepted, proved, submit};

mod ceiling;
mod definition;
pub(super) mod page;
mod problems;
mod submit;

/// A field that people do not see and programs fill in.
pub const HONEYPOT: &str = "website";

/// How long a form may stay open; its opening time is signed for so long.
const OPEN_FOR: Duration = Duration::from_secs(7 * 86_400);

#[derive(Debug, Default, Deserialize)]
pub struct Query {
    pub(super) lang: Option<String>,
    /// Shown in a frame.
    embed: Option<String>,
}

/// The form's language: the one asked for, else the browser's, else the form's first.
pub(super) fn language_of(request: &HttpRequest, form: &Form, asked: Option<&str>) -> String {
    let offered = &form.declared.languages;
    if let Some(asked) = asked
        && offered.iter().any(|tag| tag == asked)
    {
        return asked.to_owned();
    }
    request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|accepted| negotiate(offered, accepted))
        .or_else(|| offered.first().cloned())
        .unwrap_or_default()
}

/// When a page was served, signed: a form that comes back sooner than a person types was filled in by a program.
fn opened(shared: &Web, brand: &Brand, form: &Form) -> String {
    let until = shared.app.clock.now().plus(OPEN_FOR);
    shared
        .app
        .keys
        .sign(Purpose::PageOpened, brand.number, form.id.0, until)
}

pub(super) fn find(shared: &Web, slug: &str) -> Option<(Arc<Brand>, Arc<Form>)> {
    let catalog = shared.app.catalog();
    let form = catalog.form(slug)?.clone();
    let brand = catalog.brand(form.brand)?.clone();
    Some((brand, form))
}

/// Text within HTML, or SVG, that is put together here and in no template.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// `GET /f/{form}`
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    query: web::Query<Query>,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let language = language_of(&request, &form, query.lang.as_deref());
    if kiosk::is_asked(&request) {
        if !form.declared.kiosk {
            return kiosk::off(&request, &shared);
        }
        return kiosk::page(&request, &shared, &brand, &form, &language);
    }
    page(
        &shared,
        &brand,
        &form,
        &language,
        query.embed.is_some(),
        StatusCode::OK,
        Filled::default(),
    )
}

/// `GET /f/{form}/challenge`: a proof of work, where the form asks for one.
pub async fn challenge(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
) -> HttpResponse {
    let asked = find(&shared, &slug).is_some_and(|(_, form)| form.declared.proof_of_work);
    let Some(challenge) = asked.then(|| shared.app.challenge()).flatten() else {
        return error::no_such_page(request, shared).await;
    };
    cors::of_form(&request, &shared, &slug, HttpResponse::Ok().json(challenge))
}
