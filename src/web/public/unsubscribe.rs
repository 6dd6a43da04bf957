//! `/u/{token}`: leaving. Opening it changes nothing; one press does, and so does the mail program's own request (RFC 8058),
//! which brings no cookie and shows nobody a page.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::confirm::record_own_hit;
use super::message::{self, Tone};
use crate::app::links::ONE_CLICK;
use crate::app::prefer::Preferences;
use crate::app::withdraw::{Leave, LeaveProblem, Leaver, Scope};
use crate::domain::brand::{Brand, Slug, in_language};
use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::event::{LeaveMethod, LeftBy, Link};
use crate::domain::ids::ContactId;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::page::{Page, framed, shown};

framed!(LeavePage, LeftPage);

#[derive(Template)]
#[template(path = "public/leave.html")]
struct LeavePage {
    page: Page,
    t: Texts,
    token: String,
    title: String,
    text: String,
    masked: String,
}

#[derive(Template)]
#[template(path = "public/left.html")]
struct LeftPage {
    page: Page,
    t: Texts,
    token: String,
    text: String,
    /// Where one purpose was left and others stand: the way to leave these too.
    leaves_more: bool,
    lost_url: String,
}

/// A genuine link, with whom it stands for.
struct Found {
    brand: Arc<Brand>,
    contact: ContactId,
    purpose: Option<Slug>,
    preferences: Preferences,
    t: Texts,
}

/// The address as pages show it that others may see.
pub fn masked(address: &str) -> String {
    let address = EmailAddress::parse(address, &AddressRules { any_domain: true });
    address.map_or_else(|_| String::new(), |address| address.masked())
}

/// Where a fresh link to the preferences is asked for.
pub fn lost_url(brand: &Brand) -> String {
    format!("/p?brand={}", brand.declared.slug)
}

impl Found {
    fn name(&self) -> Option<String> {
        let purpose = self.purpose.as_ref()?;
        let declared = self.brand.purpose(purpose);
        let name = declared.map(|one| in_language(&one.name, self.t.language()).to_owned());
        Some(name.unwrap_or_else(|| purpose.to_string()))
    }
}

/// The error is the answer: a forged link says nothing more than that it does not work; of whom nothing is kept, there is
/// nothing to leave.
async fn find(request: &HttpRequest, shared: &Web, text: &str) -> Result<Found, HttpResponse> {
    let broken = || message::broken_link(request, shared);
    let known = shared.app.unsubscribing(text).ok_or_else(broken)?;
    let catalog = shared.app.catalog();
    let brand = catalog.brand_by_number(known.token.brand);
    let brand = brand.cloned().ok_or_else(broken)?;
    let contact = ContactId(known.token.subject);
    match shared.app.preferences(&brand, contact).await {
        Ok(Some(preferences)) => Ok(Found {
            t: Texts::of(&preferences.contact.language),
            brand,
            contact,
            purpose: known.purpose,
            preferences,
        }),
        Ok(None) => {
            let t = error::texts_of(request);
            let page = message::of_brand(shared, &brand, t, "leave-gone", Tone::Info);
            Err(shown(StatusCode::OK, &page))
        }
        Err(problem) => Err(error::store_failure(request, shared, &problem)),
    }
}

fn ask(shared: &Web, found: &Found, token: String, status: StatusCode) -> HttpResponse {
    let t = found.t;
    let brand = &found.brand.declared.name;
    let (title, text) = match found.name() {
        Some(name) => (
            t.arg("leave-one-title", "purpose", &name),
            t.arg("leave-one-text", "purpose", &name),
        ),
        None => (
            t.arg("leave-title", "brand", brand),
            t.arg("leave-text", "brand", brand),
        ),
    };
    let page = LeavePage {
        page: Page::of(shared, &found.brand, t),
        t,
        token,
        title,
        text,
        masked: masked(&found.preferences.contact.address),
    };
    shown(status, &page)
}

/// `GET /u/{token}`, and HEAD
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    match find(&request, &shared, &token).await {
        Ok(found) => {
            let whose = (found.brand.id, found.contact);
            record_own_hit(&request, &shared, whose, Link::Unsubscribe).await;
            ask(&shared, &found, token.into_inner(), StatusCode::OK)
        }
        Err(response) => response,
    }
}

/// What a request to leave says. Whatever else is posted leaves nothing.
fn wanted(fields: &Fields, purpose: Option<&Slug>) -> Option<(LeaveMethod, Scope)> {
    let of_link = || purpose.map_or(Scope::All, |one| Scope::Purposes(vec![one.clone()]));
    let (name, value) = ONE_CLICK.split_once('=').unwrap_or_default();
    match fields.raw("leave") {
        // Some programs end the body with a line of its own.
        _ if fields.raw(name).trim_end_matches(['\r', '\n']) == value => {
            Some((LeaveMethod::OneClick, of_link()))
        }
        "yes" => Some((LeaveMethod::LinkButton, of_link())),
        "all" => Some((LeaveMethod::LinkButton, Scope::All)),
        _ => None,
    }
}

/// `POST /u/{token}`: leaves at once, and says the same however often it comes.
pub async fn submit(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let mut found = match find(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let Some((method, scope)) = wanted(&fields, found.purpose.as_ref()) else {
        return ask(&shared, &found, token.into_inner(), StatusCode::BAD_REQUEST);
    };
    if scope == Scope::All {
        found.purpose = None;
    }
    let leave = Leave {
        who: Leaver::Contact(found.contact),
        scope,
        method,
        by: LeftBy::Person,
        reason: None,
        circumstances: circumstances(&request, &shared.app.config.trusted_proxies),
    };
    match shared.app.withdraw(&found.brand, leave).await {
        // Erased in this very moment, or a purpose that the person never had: either way there is nothing left to leave.
        Ok(_) | Err(LeaveProblem::Unknown | LeaveProblem::UnknownPurpose(_)) => {
            left(&request, &shared, &found, token.into_inner()).await
        }
        Err(LeaveProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(LeaveProblem::Address(_)) => message::broken_link(&request, &shared),
    }
}

async fn left(request: &HttpRequest, shared: &Web, found: &Found, token: String) -> HttpResponse {
    let now = match shared.app.preferences(&found.brand, found.contact).await {
        Ok(now) => now,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let t = found.t;
    let page = LeftPage {
        page: Page::of(shared, &found.brand, t),
        t,
        token,
        text: match found.name() {
            Some(name) => t.arg("left-one-text", "purpose", &name),
            None => t.arg("left-text", "brand", &found.brand.declared.name),
        },
        leaves_more: now.is_some_and(|now| now.is_subscribed()),
        lost_url: lost_url(&found.brand),
    };
    shown(StatusCode::OK, &page)
}
