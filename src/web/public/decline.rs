//! `/c/{token}/decline`: "this was not me". As easy as confirming, and like it never done by opening a link.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::confirm::{code_page, ended, find, record_hit};
use super::message::{self, Tone};
use super::opened;
use crate::app::confirm::{Act, Answer, Declining, Outcome};
use crate::domain::event::Link;
use crate::domain::token::Purpose;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::extract::token::is_same_browser;
use crate::web::page::{Page, framed, shown};

framed!(DeclinePage);

#[derive(Template)]
#[template(path = "public/decline.html")]
struct DeclinePage {
    page: Page,
    t: Texts,
    token: String,
    opened: String,
    /// The beginning of the texts' names.
    of: &'static str,
}

impl DeclinePage {
    fn words(&self, which: &str) -> String {
        self.t.get(&format!("{}-{which}", self.of))
    }
}

/// `GET /c/{token}/decline`, and HEAD. The link's time may be over: no is always taken.
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find(&request, &shared, Purpose::Confirm, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    record_hit(&request, &shared, &found, Link::Decline).await;
    let page = DeclinePage {
        page: Page::of(&shared, &found.known.brand, found.t),
        t: found.t,
        token: token.into_inner(),
        opened: opened::now(&shared, &found.known.brand, found.known.request),
        of: if found.by_campaign {
            "ask-decline"
        } else {
            "decline"
        },
    };
    shown(StatusCode::OK, &page)
}

/// `POST /c/{token}/decline`: the button, or the code, which is asked for where a program seems to have pressed it (T10).
pub async fn submit(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let found = match find(&request, &shared, Purpose::Confirm, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let declining = if let Some(code) = fields.one("code") {
        Declining::Code {
            typed: code.chars().take(40).collect(),
        }
    } else if is_same_browser(&request, &shared, found.known.request) {
        Declining::SameBrowser
    } else {
        Declining::Button {
            page_opened_at: opened::at(&shared, found.known.request, &fields),
        }
    };
    let answer = Answer {
        brand: found.known.brand.id,
        request: found.known.request,
        act: Act::Decline(declining),
        method: "POST".to_owned(),
        circumstances: circumstances(&request, &shared.app.config.trusted_proxies),
    };
    let brand = &found.known.brand;
    match shared.app.answer(answer).await {
        Ok(Outcome::Confirmed { .. }) => {
            let page = message::of_brand(
                &shared,
                brand,
                found.t,
                "decline-after-confirmation",
                Tone::Info,
            );
            shown(StatusCode::OK, &page)
        }
        Ok(outcome) => match code_page(&shared, &found, &token, outcome, true) {
            Some(page) => page,
            None => ended(&request, &shared, &found, outcome),
        },
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}
