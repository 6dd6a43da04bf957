//! `/c/{token}`: the link in the mail. GET and HEAD change nothing but record the hit.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::message::{self, Action, Tone};
use super::opened;
use super::unsubscribe::lost_url;
use crate::app::confirm::{Act, Answer, Outcome};
use crate::app::inbox::InboxView;
use crate::app::open_link::{Opened, Whose};
use crate::app::resend::Asking;
use crate::domain::event::Link;
use crate::domain::form::{Form, VersionHash};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::standing::RequestState;
use crate::domain::token::Purpose;
use crate::mail::compose::{PurposeView, purposes_shown};
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::extract::token::{self, Known, Unknown, is_same_browser};
use crate::web::page::{Page, framed, shown, shown_with};

framed!(ConfirmPage, CodePage, DonePage);

#[derive(Template)]
#[template(path = "public/confirm.html")]
struct ConfirmPage {
    page: Page,
    t: Texts,
    token: String,
    purposes: Vec<PurposeView>,
    consent: String,
    asked: String,
    by_campaign: bool,
    same_browser: bool,
    opened: String,
    script: String,
}

#[derive(Template)]
#[template(path = "public/code.html")]
struct CodePage {
    page: Page,
    t: Texts,
    token: String,
    opened: String,
    /// The code is asked for to decline, not to confirm.
    declines: bool,
    problem: Option<String>,
    tries_left: i64,
}

#[derive(Template)]
#[template(path = "public/done.html")]
struct DonePage {
    page: Page,
    t: Texts,
    again: bool,
    token: String,
    purposes: Vec<PurposeView>,
    /// Where a link to the preferences is asked for: it goes to the address only, whoever has this page.
    preferences_url: String,
    continue_url: Option<String>,
}

/// A request behind a genuine link, with what its pages show.
pub struct Found {
    pub known: Known,
    pub view: InboxView,
    pub form: Option<std::sync::Arc<Form>>,
    pub t: Texts,
    /// A campaign asked; nobody entered the address just now.
    pub by_campaign: bool,
    /// The link's time is over.
    pub is_over: bool,
}

impl Found {
    fn purposes(&self) -> Vec<PurposeView> {
        let meant = self.view.request.purposes();
        let version = VersionHash::stored(self.view.request.form_version.clone());
        self.form
            .as_ref()
            .and_then(|form| form.content(&version))
            .map(|content| {
                purposes_shown(content, self.t.language(), |slug| {
                    meant.iter().any(|own| own.as_str() == slug)
                })
            })
            .unwrap_or_default()
    }

    /// Where whoever confirms is led to, if the form names it.
    fn redirect(&self) -> Option<&str> {
        let form = self.form.as_ref()?;
        form.declared.redirect_after_confirmation.as_deref()
    }

    /// When the address was entered, and where; or when the campaign asked.
    fn asked(&self) -> String {
        let request = &self.view.request;
        let entered_at = request.entered_at.unwrap_or(request.issued_at);
        let date = entered_at.for_people(self.t.language());
        let brand = &self.known.brand.declared.name;
        match &request.page_host {
            _ if self.by_campaign => self.t.arg2("ask-asked-on", "brand", brand, "date", &date),
            _ if request.entered_at.is_some() => {
                self.t.arg("confirm-asked-on-tablet", "date", &date)
            }
            Some(page) => self
                .t
                .arg2("confirm-asked-on-at", "date", &date, "page", page),
            None => self.t.arg("confirm-asked-on", "date", &date),
        }
    }

    fn consent(&self) -> String {
        let version = VersionHash::stored(self.view.request.form_version.clone());
        self.form
            .as_ref()
            .and_then(|form| form.content(&version))
            .map(|content| {
                crate::domain::brand::in_language(&content.consent, self.t.language()).to_owned()
            })
            .unwrap_or_default()
    }
}

/// Verifies a link of a mail and reads its request, also where the link's time is over. The error is the answer: a forged link
/// says nothing more than that it does not work.
pub async fn find(
    request: &HttpRequest,
    shared: &Web,
    purpose: Purpose,
    text: &str,
) -> Result<Found, HttpResponse> {
    let (known, is_over) = match token::verify(shared, purpose, text) {
        Ok(known) => (known, false),
        Err(Unknown::Expired(known)) => (known, true),
        Err(Unknown::Forged) => return Err(message::broken_link(request, shared)),
    };
    let view = shared
        .app
        .inbox(known.brand.id, known.request, &|_| false)
        .await;
    match view {
        Ok(view) => found(request, shared, (known, is_over), view),
        Err(problem) => Err(error::store_failure(request, shared, &problem)),
    }
}

#[allow(clippy::result_large_err)] // the error is the answer, made once and sent
fn found(
    request: &HttpRequest,
    shared: &Web,
    (known, is_over): (Known, bool),
    view: Option<InboxView>,
) -> Result<Found, HttpResponse> {
    // Erased since: the link creates nothing and says no more than a forged one.
    let Some(view) = view else {
        return Err(message::broken_link(request, shared));
    };
    Ok(Found {
        by_campaign: view.request.campaign_id.is_some(),
        is_over,
        known,
        form: shared
            .app
            .catalog()
            .form_by_id(view.request.form_id)
            .cloned(),
        t: Texts::of(&view.request.language),
        view,
    })
}

/// The link is too old: the person can have a new mail sent, unless it was a campaign that asked.
fn too_old(request: &HttpRequest, shared: &Web, found: &Found, text: &str) -> HttpResponse {
    if found.by_campaign {
        return ended(request, shared, found, Outcome::Expired);
    }
    let t = found.t;
    let page = message::of_brand(shared, &found.known.brand, t, "link-expired", Tone::Info).with(
        Some(Action {
            url: format!("/c/{text}/fresh"),
            posts: true,
            label: t.get("link-expired-action"),
        }),
    );
    shown(StatusCode::GONE, &page)
}

/// Records a hit on a link: whoever it was, and nothing else.
pub async fn record_hit(request: &HttpRequest, shared: &Web, found: &Found, link: Link) {
    shared
        .app
        .link_opened(Opened {
            brand: found.known.brand.id,
            whose: Whose::Request(found.known.request),
            link,
            method: request.method().to_string(),
            same_browser: is_same_browser(request, shared, found.known.request),
            circumstances: circumstances(request, &shared.app.config.trusted_proxies),
        })
        .await;
}

/// The same of a link that is the contact's own.
pub async fn record_own_hit(
    request: &HttpRequest,
    shared: &Web,
    (brand, contact): (BrandId, ContactId),
    link: Link,
) {
    shared
        .app
        .link_opened(Opened {
            brand,
            whose: Whose::Contact(contact),
            link,
            method: request.method().to_string(),
            same_browser: false,
            circumstances: circumstances(request, &shared.app.config.trusted_proxies),
        })
        .await;
}

/// `GET /c/{token}`, and HEAD
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find(&request, &shared, Purpose::Confirm, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    record_hit(&request, &shared, &found, Link::Confirm).await;
    as_it_stands(&request, &shared, &found, &token)
}

/// The page of a request as it stands, where nothing is to change.
fn as_it_stands(request: &HttpRequest, shared: &Web, found: &Found, token: &str) -> HttpResponse {
    let outcome = match found.view.request.state() {
        Ok(RequestState::Open) if !found.is_over => {
            return confirm_page(request, shared, found, token);
        }
        Ok(RequestState::Open | RequestState::Expired) => {
            return too_old(request, shared, found, token);
        }
        Ok(RequestState::Confirmed) => return done_page(shared, found, token, true),
        Ok(RequestState::Declined) => Outcome::Declined,
        Ok(RequestState::Replaced) => Outcome::Replaced,
        Ok(RequestState::Abandoned) => Outcome::Abandoned,
        Ok(RequestState::Left) => Outcome::Left,
        Ok(RequestState::Bounced) => Outcome::Bounced,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    ended(request, shared, found, outcome)
}

/// The page for an outcome that ends a request, other than a confirmation.
pub fn ended(request: &HttpRequest, shared: &Web, found: &Found, outcome: Outcome) -> HttpResponse {
    let whose = (&*found.known.brand, found.form.as_deref());
    message::ended(request, shared, whose, found.t, outcome)
}

fn confirm_page(request: &HttpRequest, shared: &Web, found: &Found, token: &str) -> HttpResponse {
    let brand = &found.known.brand;
    shown_with(
        HttpResponse::Ok(),
        &ConfirmPage {
            page: Page::of(shared, brand, found.t),
            t: found.t,
            token: token.to_owned(),
            purposes: found.purposes(),
            consent: found.consent(),
            asked: found.asked(),
            by_campaign: found.by_campaign,
            same_browser: is_same_browser(request, shared, found.known.request),
            opened: opened::now(shared, &found.known.brand, found.known.request),
            script: shared.assets.confirm_js.clone(),
        },
        found.redirect(),
        "'none'",
    )
}

fn done_page(shared: &Web, found: &Found, token: &str, again: bool) -> HttpResponse {
    let page = DonePage {
        page: Page::of(shared, &found.known.brand, found.t),
        t: found.t,
        again,
        token: token.to_owned(),
        purposes: found.purposes(),
        preferences_url: lost_url(&found.known.brand),
        continue_url: found
            .redirect()
            .map(ToOwned::to_owned)
            .or_else(|| found.known.brand.declared.home_url.clone()),
    };
    shown(StatusCode::OK, &page)
}

/// The page that asks for the code, to confirm or to decline; none where the outcome is another.
pub fn code_page(
    shared: &Web,
    found: &Found,
    token: &str,
    outcome: Outcome,
    declines: bool,
) -> Option<HttpResponse> {
    let t = found.t;
    let (problem, tries_left) = match outcome {
        Outcome::CodeAsked { tries_left } => (None, tries_left),
        // The right code declines however many wrong ones came before.
        Outcome::CodeWrong { .. } | Outcome::CodeClosed if declines => {
            (Some(t.get("decline-code-wrong")), 0)
        }
        Outcome::CodeWrong { tries_left: 0 } | Outcome::CodeClosed => {
            (Some(t.get("code-closed")), 0)
        }
        Outcome::CodeWrong { tries_left } => {
            let text = t.arg("code-wrong", "left", tries_left.to_string());
            (Some(text), tries_left)
        }
        _ => return None,
    };
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let page = CodePage {
        page: Page::of(shared, &found.known.brand, t),
        t,
        token: token.to_owned(),
        opened: opened::now(shared, &found.known.brand, found.known.request),
        declines,
        problem,
        tries_left,
    };
    // The right code confirms, and leads on like the button. A decline leads nowhere.
    let redirect = found.redirect().filter(|_| !declines);
    let response = HttpResponse::build(status);
    Some(shown_with(response, &page, redirect, "'none'"))
}

/// `POST /c/{token}`: the button, the script of the browser that signed up, or the code typed instead.
pub async fn submit(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let known = match token::verify(&shared, Purpose::Confirm, &token) {
        Ok(known) => known,
        Err(Unknown::Forged) => return message::broken_link(&request, &shared),
        // It answers nothing any more, and tells how its request stands.
        Err(Unknown::Expired(_)) => {
            return match find(&request, &shared, Purpose::Confirm, &token).await {
                Ok(found) => as_it_stands(&request, &shared, &found, &token),
                Err(response) => response,
            };
        }
    };
    let act = if let Some(code) = fields.one("code") {
        Act::Code {
            typed: code.chars().take(40).collect(),
        }
    } else if is_same_browser(&request, &shared, known.request) {
        Act::SameBrowser
    } else {
        Act::Button {
            page_opened_at: opened::at(&shared, known.request, &fields),
        }
    };
    let answer = Answer {
        brand: known.brand.id,
        request: known.request,
        act,
        method: "POST".to_owned(),
        circumstances: circumstances(&request, &shared.app.config.trusted_proxies),
    };
    let (outcome, view) = match shared.app.answer_and_look(answer).await {
        Ok(answered) => answered,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let found = match found(&request, &shared, (known, false), view) {
        Ok(found) => found,
        Err(response) => return response,
    };
    match outcome {
        Outcome::Confirmed { again } => match found.redirect().filter(|_| !again) {
            Some(target) => HttpResponse::SeeOther()
                .insert_header((header::LOCATION, target))
                .finish(),
            None => done_page(&shared, &found, &token, again),
        },
        outcome => match code_page(&shared, &found, &token, outcome, false) {
            Some(page) => page,
            None if outcome == Outcome::Expired => too_old(&request, &shared, &found, &token),
            None => ended(&request, &shared, &found, outcome),
        },
    }
}

/// `POST /c/{token}/fresh`: an old link asks for a new mail, through the budgets of every mail. It is no signup: whoever presses
/// here, a program too, gives no consent by it. Only what nobody answered, and no campaign asked, is asked once more. The answer
/// is the same whether a mail is sent.
pub async fn fresh(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find(&request, &shared, Purpose::Confirm, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if !found.is_over {
        return HttpResponse::SeeOther()
            .insert_header((header::LOCATION, format!("/c/{token}")))
            .finish();
    }
    let state = found.view.request.state();
    let is_unanswered = matches!(state, Ok(RequestState::Open | RequestState::Expired));
    if found.by_campaign || !is_unanswered {
        return as_it_stands(&request, &shared, &found, &token);
    }
    let key = (found.known.brand.id, found.known.request);
    let from = circumstances(&request, &shared.app.config.trusted_proxies);
    if let Err(problem) = shared.app.resend(key, Asking::OldLink, from).await {
        return error::store_failure(&request, &shared, &problem);
    }
    let brand = &found.known.brand;
    let page = message::of_brand(&shared, brand, found.t, "link-fresh", Tone::Done);
    shown(StatusCode::OK, &page)
}
