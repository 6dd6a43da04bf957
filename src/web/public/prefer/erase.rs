//! Erasing, at the wish of the person; while a legal hold lasts the wish is kept, and may be taken back.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::message::{self, Action, Tone};
use super::super::unsubscribe::masked;
use super::{Found, back, find_mailed};
use crate::app::erase::{EraseProblem, Wish};
use crate::app::wish::{TakenBack, Wished};
use crate::domain::event::{ErasedBy, Through};
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::client::circumstances;
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
    /// A hold keeps it from being done at once.
    held: bool,
    /// It is wished already.
    wished: bool,
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
    let held = match shared.app.hold_of(found.brand.id, found.contact).await {
        Ok(hold) => hold.is_some(),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let page = ErasePage {
        page: Page::of(&shared, &found.brand, found.t),
        t: found.t,
        token: token.into_inner(),
        masked: masked(&found.preferences.contact.address),
        sealed: found.brand.declared.keep_proof_after_erasure.is_some(),
        held,
        wished: found.preferences.erasure_wished,
    };
    shown(StatusCode::OK, &page)
}

/// How often it is tried where holds end and begin meanwhile.
const TRIES: usize = 3;

/// `POST /p/{token}/erase`: erases; while a hold lasts it keeps the wish, and `erase=no` takes that back.
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
    match fields.raw("erase") {
        "yes" => {}
        "no" => return take_back(&request, &shared, &token, &found).await,
        _ => return message::broken_link(&request, &shared),
    }
    let wish = Wish {
        by: ErasedBy::Person,
        through: Through::PreferencesPage,
    };
    let address = &found.preferences.contact.address;
    for _ in 0..TRIES {
        match shared.app.erase(&found.brand, address, wish).await {
            // Pressed twice: it is done.
            Ok(_) | Err(EraseProblem::Unknown) => return erased(&shared, &found).await,
            Err(EraseProblem::Held(_)) => {}
            Err(EraseProblem::Store(problem)) => {
                return error::store_failure(&request, &shared, &problem);
            }
            Err(problem) => {
                tracing::error!(%problem, "somebody could not be erased at their own wish");
                return error::unavailable(&request, &shared);
            }
        }
        let whence = circumstances(&request, &shared.app.config.trusted_proxies);
        let kept = shared.app.keep_wish(&found.brand, found.contact, whence);
        match kept.await {
            Ok(Wished::Kept) => return kept_page(&shared, &found, &token),
            Ok(Wished::Gone) => return erased(&shared, &found).await,
            // The hold is over since a moment.
            Ok(Wished::Free) => {}
            Err(problem) => return error::store_failure(&request, &shared, &problem),
        }
    }
    error::unavailable(&request, &shared)
}

async fn erased(shared: &Web, found: &Found) -> HttpResponse {
    shared.app.scrub_now().await;
    let page = message::of_brand(shared, &found.brand, found.t, "erased", Tone::Done);
    shown(StatusCode::OK, &page)
}

fn kept_page(shared: &Web, found: &Found, token: &str) -> HttpResponse {
    let page = message::of_brand(shared, &found.brand, found.t, "erase-kept", Tone::Info);
    let way_on = Action {
        url: format!("/p/{token}"),
        posts: false,
        label: found.t.get("erase-kept-back"),
    };
    shown(StatusCode::ACCEPTED, &page.with(Some(way_on)))
}

async fn take_back(
    request: &HttpRequest,
    shared: &Web,
    token: &str,
    found: &Found,
) -> HttpResponse {
    let whence = circumstances(request, &shared.app.config.trusted_proxies);
    let taken = shared
        .app
        .take_wish_back(&found.brand, found.contact, whence);
    match taken.await {
        Ok(TakenBack::Done) => back(token, "not-erased"),
        Ok(TakenBack::NotKept) => back(token, "unchanged"),
        Ok(TakenBack::TooOften) => back(token, "still-erased"),
        Err(problem) => error::store_failure(request, shared, &problem),
    }
}
