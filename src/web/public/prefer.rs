//! `/p/{token}`: what the person gets, a pause, leaving, their data, and erasing it. Opening a page changes nothing.

mod data;
mod erase;
mod lost;

pub use data::{json, report};
pub use erase::{erase, erase_ask};
pub use lost::{lost, lost_ask};

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::confirm::record_own_hit;
use super::form::LANGUAGE_NAMES;
use super::message::{self, Action, Tone};
use super::unsubscribe::{lost_url, masked};
use crate::app::prefer::{Choice, Chosen, PAUSES, Pause, Preferences, Preferred};
use crate::app::withdraw::{Leave, LeaveProblem, Leaver, Scope};
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::{LeaveMethod, LeftBy, Link};
use crate::domain::ids::ContactId;
use crate::domain::permission::Closed;
use crate::domain::token::{Refused, Token};
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::page::{Page, framed, shown};

framed!(PreferPage);

/// A genuine link with the preferences that it opens.
struct Found {
    brand: Arc<Brand>,
    contact: ContactId,
    preferences: Preferences,
    /// A program was given the link, and may be who opens it.
    handed_out: bool,
    t: Texts,
}

#[derive(Template)]
#[template(path = "public/prefer.html")]
struct PreferPage {
    page: Page,
    t: Texts,
    token: String,
    masked: String,
    choices: Vec<Choice>,
    consent: String,
    button: String,
    /// The words at a box that asks for a yes to what is on without one; none behind a link that a program was given.
    agree: Option<String>,
    wording: String,
    languages: Vec<(&'static str, &'static str, bool)>,
    paused: Option<String>,
    pauses: [u64; 3],
    can_leave: bool,
    notice: Option<String>,
    /// What is on and not sent all the same, and why.
    closed: Vec<String>,
    /// That the person wished to be erased, and when that is done.
    erasure: Option<String>,
}

/// What the page says about what was just done.
#[derive(Deserialize)]
pub struct Query {
    done: Option<String>,
}

/// Verifies a link and reads what it opens. The error is the answer.
async fn find(request: &HttpRequest, shared: &Web, text: &str) -> Result<Found, HttpResponse> {
    let broken = || message::broken_link(request, shared);
    let catalog = shared.app.catalog();
    let brand_of = |token: &Token| catalog.brand_by_number(token.brand).cloned();
    let (link, brand) = match shared.app.choosing(text) {
        Ok(link) => (link, brand_of(&link.token).ok_or_else(broken)?),
        Err(Refused::Expired(token)) => {
            let brand = brand_of(&token).ok_or_else(broken)?;
            return Err(expired(request, shared, &brand));
        }
        Err(Refused::Forged) => return Err(broken()),
    };
    let contact = ContactId(link.token.subject);
    match shared.app.preferences(&brand, contact).await {
        Ok(Some(preferences)) => Ok(Found {
            t: Texts::of(&preferences.contact.language),
            brand,
            contact,
            preferences,
            handed_out: link.handed_out,
        }),
        // Erased since: the link opens nothing.
        Ok(None) => Err(broken()),
        Err(problem) => Err(error::store_failure(request, shared, &problem)),
    }
}

/// Reads what a link opens that came by mail. Of one that a program was given, the answer is the way to such a link.
async fn find_mailed(
    request: &HttpRequest,
    shared: &Web,
    text: &str,
) -> Result<Found, HttpResponse> {
    let found = find(request, shared, text).await?;
    if found.handed_out {
        return Err(needs_mail(shared, &found.brand, found.t));
    }
    Ok(found)
}

fn expired(request: &HttpRequest, shared: &Web, brand: &Brand) -> HttpResponse {
    let t = error::texts_of(request);
    let page = message::of_brand(shared, brand, t, "prefer-expired", Tone::Info);
    shown(StatusCode::GONE, &page.with(Some(asking_anew(brand, t))))
}

/// What acts for the person, and is not leaving, asks for a link that only the person can have.
fn needs_mail(shared: &Web, brand: &Brand, t: Texts) -> HttpResponse {
    let page = message::of_brand(shared, brand, t, "prefer-by-mail", Tone::Info);
    shown(
        StatusCode::FORBIDDEN,
        &page.with(Some(asking_anew(brand, t))),
    )
}

fn asking_anew(brand: &Brand, t: Texts) -> Action {
    Action {
        url: lost_url(brand),
        posts: false,
        label: t.get("prefer-expired-action"),
    }
}

fn page(shared: &Web, found: Found, token: String, notice: Option<String>) -> HttpResponse {
    let Found {
        brand,
        preferences,
        handed_out,
        t,
        ..
    } = found;
    let own = t.language();
    let paused = preferences
        .paused_until
        .map(|until| t.arg("prefer-paused", "date", until.for_people(own)));
    let wished = preferences.erasure_wished;
    let erasure = wished.then(|| t.arg("prefer-erase-kept", "brand", &brand.declared.name));
    let name = &brand.declared.name;
    let closed = [
        (Closed::CameBack, "prefer-came-back"),
        (Closed::NotWritten, "prefer-not-written"),
    ];
    let closed = closed.into_iter().filter_map(|(why, key)| {
        let all = preferences.choices.iter();
        let those = all.filter(|choice| choice.closed == Some(why));
        let names: Vec<&str> = those.map(|choice| choice.name.as_str()).collect();
        let told = || t.arg2(key, "brand", name, "purposes", names.join(", "));
        (!names.is_empty()).then(told)
    });
    let page = PreferPage {
        closed: closed.collect(),
        erasure,
        page: Page::of(shared, &brand, t),
        t,
        token,
        masked: masked(&preferences.contact.address),
        can_leave: preferences.can_leave(),
        choices: preferences.choices,
        consent: if handed_out {
            t.get("prefer-agree-by-mail")
        } else {
            preferences.consent
        },
        button: preferences.button,
        agree: (!handed_out).then_some(preferences.agree),
        wording: preferences.wording,
        languages: LANGUAGE_NAMES
            .map(|(tag, name)| (tag, name, tag == own))
            .to_vec(),
        paused,
        pauses: PAUSES,
        notice,
    };
    shown(StatusCode::OK, &page)
}

/// `GET /p/{token}`, and HEAD
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    query: web::Query<Query>,
) -> HttpResponse {
    let found = match find(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    // The page that stands behind a choice tells nothing new.
    if query.done.is_none() {
        let whose = (found.brand.id, found.contact);
        record_own_hit(&request, &shared, whose, Link::Preferences).await;
    }
    let notice = match query.done.as_deref() {
        Some("saved") => Some(found.t.get("prefer-saved")),
        Some("unchanged") => Some(found.t.get("prefer-unchanged")),
        Some("not-erased") => Some(found.t.get("prefer-erase-off")),
        Some("still-erased") => Some(found.t.get("prefer-erase-stays")),
        Some("wording") => Some(found.t.get("prefer-other-wording")),
        Some("often") => Some(found.t.get("prefer-too-often")),
        _ => None,
    };
    page(&shared, found, token.into_inner(), notice)
}

/// `POST /p/{token}`: saves, and shows the page as it is then.
pub async fn submit(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let found = match find(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let circumstances = circumstances(&request, &shared.app.config.trusted_proxies);
    if fields.raw("act") == "leave" {
        let leave = Leave {
            who: Leaver::Contact(found.contact),
            scope: Scope::All,
            method: LeaveMethod::Preferences,
            by: LeftBy::Person,
            reason: None,
            circumstances,
        };
        return match shared.app.withdraw(&found.brand, leave).await {
            Ok(_) => back(&token, "saved"),
            Err(LeaveProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
            Err(_) => message::broken_link(&request, &shared),
        };
    }
    let Some(mut chosen) = chosen(&fields) else {
        return back(&token, "unchanged");
    };
    chosen.circumstances = circumstances;
    // What is left, paused or in another language is done at once; what would be agreed to waits for a link that came by mail.
    let agrees = found.handed_out && !(chosen.on.is_empty() && chosen.agree.is_empty());
    if agrees {
        chosen.on.clear();
        chosen.agree.clear();
    }
    match shared.app.prefer(&found.brand, found.contact, chosen).await {
        Ok(Preferred::Gone) => message::broken_link(&request, &shared),
        Ok(_) if agrees => needs_mail(&shared, &found.brand, found.t),
        Ok(Preferred::Saved) => back(&token, "saved"),
        Ok(Preferred::Unchanged) => back(&token, "unchanged"),
        Ok(Preferred::TooOften) => back(&token, "often"),
        Ok(Preferred::OtherWording) => back(&token, "wording"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// What a form of the page asks for; none where it is no form of ours. What was on when the page was shown stands beside what
/// is ticked, so that a page that is old changes only what the person changed.
fn chosen(fields: &Fields) -> Option<Chosen> {
    let slugs = |name: &str| -> Vec<Slug> {
        let named = fields.all(name).into_iter();
        named.filter_map(|one| Slug::try_from(one).ok()).collect()
    };
    let mut chosen = Chosen::default();
    match fields.raw("act") {
        "save" => {
            let (ticked, was) = (slugs("purpose"), slugs("was"));
            let not_in = |all: &[Slug], one: &Slug| !all.contains(one);
            chosen.on = ticked
                .iter()
                .filter(|one| not_in(&was, one))
                .cloned()
                .collect();
            chosen.off = was
                .iter()
                .filter(|one| not_in(&ticked, one))
                .cloned()
                .collect();
            chosen.agree = slugs("agree");
            chosen.language = fields.one("language").map(str::to_owned);
            chosen.wording = fields.raw("wording").to_owned();
        }
        "pause" => {
            let days = fields.raw("days").parse().ok();
            let days = days.filter(|days| PAUSES.contains(days))?;
            chosen.pause = Some(Pause::ForDays(days));
        }
        "resume" => chosen.pause = Some(Pause::End),
        _ => return None,
    }
    Some(chosen)
}

fn back(token: &str, done: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("/p/{token}?done={done}")))
        .finish()
}
