//! Erasing, at the wish of the person.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::message::{self, Action, Tone};
use super::super::unsubscribe::masked;
use super::find_mailed;
use crate::app::erase::{EraseProblem, Wish};
use crate::domain::event::{ErasedBy, Through};
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::{Page, framed, shown};

framed!(ErasePage);

#[derive(Template)]
#[template(path = "public/erase.html")]
struct ErasePage {
    page: Page,
    t: Texts,
    token: String,
    masked: String,
    sealed: bool,
}

/// `GET /p/{token}/erase`, and HEAD
pub async fn erase_ask(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find_mailed(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let page = ErasePage {
        page: Page::of(&shared, &found.brand, found.t),
        t: found.t,
        token: token.into_inner(),
        masked: masked(&found.preferences.contact.address),
        sealed: found.brand.declared.keep_proof_after_erasure.is_some(),
    };
    shown(StatusCode::OK, &page)
}

/// `POST /p/{token}/erase`
pub async fn erase(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let found = match find_mailed(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if fields.raw("erase") != "yes" {
        return message::broken_link(&request, &shared);
    }
    let wish = Wish {
        by: ErasedBy::Person,
        through: Through::PreferencesPage,
    };
    let address = &found.preferences.contact.address;
    match shared.app.erase(&found.brand, address, wish).await {
        Ok(_) => {}
        // Pressed twice: it is done.
        Err(EraseProblem::Unknown) => {}
        Err(EraseProblem::Held(_)) => {
            let page = message::of_brand(&shared, &found.brand, found.t, "erase-held", Tone::Info);
            let back = Action {
                url: format!("/p/{}", *token),
                posts: false,
                label: found.t.get("erase-held-back"),
            };
            return shown(StatusCode::CONFLICT, &page.with(Some(back)));
        }
        Err(EraseProblem::Store(problem)) => {
            return error::store_failure(&request, &shared, &problem);
        }
        Err(problem) => {
            tracing::error!(%problem, "somebody could not be erased at their own wish");
            return error::unavailable(&request, &shared);
        }
    }
    shared.app.scrub_now().await;
    let page = message::of_brand(&shared, &found.brand, found.t, "erased", Tone::Done);
    shown(StatusCode::OK, &page)
}
