//! How the inbox page looks.

use actix_web::cookie::{Cookie, SameSite, time::Duration as CookieDuration};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Serialize;

use super::{Status, form_of};
use crate::app::correct::CORRECTIONS_AT_MOST;
use crate::app::inbox::InboxView;
use crate::domain::email_address::EmailAddress;
use crate::domain::form::Form;
use crate::domain::token::Purpose;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::extract::token::{Known, cookie_name, is_same_browser};
use crate::web::page::{Page, framed, shown_with};
use crate::web::public::form::HONEYPOT;
use crate::web::public::opened;

framed!(InboxPage);

/// A mailbox in the browser.
#[derive(Serialize)]
pub struct Webmail {
    name: &'static str,
    url: &'static str,
}

impl Webmail {
    /// Of the providers that are known.
    pub fn of(domain: &str) -> Option<Self> {
        let (_, name, url) = WEBMAIL.iter().find(|known| known.0 == domain)?;
        Some(Self { name, url })
    }
}

/// Where a person whose provider is known reads mail in a browser.
const WEBMAIL: &[(&str, &str, &str)] = &[
    ("gmail.com", "Gmail", "https://mail.google.com/"),
    ("googlemail.com", "Gmail", "https://mail.google.com/"),
    ("outlook.com", "Outlook", "https://outlook.live.com/mail/"),
    ("hotmail.com", "Outlook", "https://outlook.live.com/mail/"),
    ("live.com", "Outlook", "https://outlook.live.com/mail/"),
    ("yahoo.com", "Yahoo Mail", "https://mail.yahoo.com/"),
    ("icloud.com", "iCloud Mail", "https://www.icloud.com/mail/"),
    ("gmx.de", "GMX", "https://www.gmx.net/"),
    ("gmx.net", "GMX", "https://www.gmx.net/"),
    ("web.de", "WEB.DE", "https://web.de/"),
    ("proton.me", "Proton Mail", "https://mail.proton.me/"),
    ("orange.fr", "Orange", "https://messagerie.orange.fr/"),
];

#[derive(Template)]
#[template(path = "public/inbox.html")]
struct InboxPage {
    page: Page,
    t: Texts,
    masked: String,
    sender: String,
    state: String,
    token: String,
    /// For "send again".
    opened: String,
    code_problem: Option<String>,
    notice: Option<String>,
    resend_in: u32,
    suggestion: Option<String>,
    /// Whether the address may be corrected: a request once, and not without end.
    can_change: bool,
    change_open: bool,
    change_problem: Option<String>,
    change_typed: String,
    honeypot: String,
    /// Where the proof of work comes from that the form asks for, and the script that does it.
    proof_of_work: Option<String>,
    form_script: String,
    webmail: Option<Webmail>,
    script: String,
    thanks: String,
    continue_url: Option<String>,
    /// Where to sign up again once this request is over.
    form_url: String,
}

#[derive(Default)]
pub(super) struct Extras {
    pub embedded: bool,
    pub code_problem: Option<String>,
    pub notice: Option<String>,
    pub change_problem: Option<String>,
    pub change_typed: String,
    pub status: Option<StatusCode>,
}

pub(super) fn page(
    request: &HttpRequest,
    shared: &Web,
    token: &str,
    known: &Known,
    view: &InboxView,
    extras: Extras,
) -> HttpResponse {
    let form = form_of(shared, view);
    let mut response = HttpResponse::build(extras.status.unwrap_or(StatusCode::OK));
    let framed_by = framed_by(form.as_deref(), extras.embedded);
    if !is_same_browser(request, shared, known.request) {
        response.cookie(browser_cookie(shared, known));
    }
    let page = inbox_page(shared, token, known, view, form.as_deref(), extras);
    shown_with(response, &page, None, &framed_by)
}

fn inbox_page(
    shared: &Web,
    token: &str,
    known: &Known,
    view: &InboxView,
    form: Option<&Form>,
    extras: Extras,
) -> InboxPage {
    let t = Texts::of(&view.request.language);
    let brand = &known.brand;
    // Not as it was first written: that would tell whether it was known before (T19).
    let address = EmailAddress::of_key(&view.contact.address_key);
    let status = Status::of(view.waiting);
    let mut frame = Page::of(shared, brand, t);
    frame.embedded = extras.embedded;
    InboxPage {
        page: frame,
        t,
        masked: address
            .as_ref()
            .map_or_else(String::new, EmailAddress::masked),
        sender: brand.declared.from_address.clone(),
        state: status.state.to_owned(),
        token: token.to_owned(),
        opened: opened::now(shared, brand, known.request),
        code_problem: extras.code_problem,
        notice: extras.notice,
        resend_in: status.resend_in,
        webmail: address
            .as_ref()
            .and_then(|address| Webmail::of(address.domain())),
        suggestion: address.and_then(|address| address.suggestion()),
        change_open: extras.change_problem.is_some(),
        change_problem: extras.change_problem,
        change_typed: extras.change_typed,
        can_change: view.request.corrections < CORRECTIONS_AT_MOST,
        honeypot: HONEYPOT.to_owned(),
        proof_of_work: form
            .filter(|form| form.declared.proof_of_work)
            .map(|form| format!("/f/{}/challenge", form.declared.slug)),
        form_script: shared.assets.form_js.clone(),
        script: shared.assets.inbox_js.clone(),
        thanks: t.arg("done-text", "brand", &brand.declared.name),
        form_url: form_url(form, extras.embedded),
        continue_url: form.and_then(|form| form.declared.redirect_after_confirmation.clone()),
    }
}

fn form_url(form: Option<&Form>, embedded: bool) -> String {
    let framed = if embedded { "?embed=1" } else { "" };
    form.map_or_else(String::new, |form| {
        format!("/f/{}{framed}", form.declared.slug)
    })
}

/// Who may show the page in a frame.
fn framed_by(form: Option<&Form>, embedded: bool) -> String {
    match (form, embedded) {
        (Some(form), true) if !form.declared.origins.is_empty() => {
            format!("'self' {}", form.declared.origins.join(" "))
        }
        (_, true) => "*".to_owned(),
        (_, false) => "'none'".to_owned(),
    }
}

/// Marks this browser as the one that signed up. A token, not a session: it proves that this browser saw this page.
fn browser_cookie(shared: &Web, known: &Known) -> Cookie<'static> {
    let app = &shared.app;
    let value = app.keys.sign(
        Purpose::Browser,
        known.brand.number,
        known.request.0,
        known.expires_at,
    );
    let left = known.expires_at.since(app.clock.now()).as_secs();
    Cookie::build(cookie_name(known.request), value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.config.is_https())
        .max_age(CookieDuration::seconds(i64::try_from(left).unwrap_or(0)))
        .finish()
}
