//! `/f/{form}?kiosk=1`: the form on a booth's tablet. It clears itself after each person, works without a connection, and
//! sets no cookie: the tablet is nobody's browser, so no mail's link completes there by itself.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Serialize;
use uuid::Uuid;

use super::form::page::{FormView, LanguageLink, languages, view};
use super::form::{explain, find, language_of, problems_of};
use crate::app::booth::{Outcome, Unrecorded};
use crate::domain::booth::{Untimely, Waiting};
use crate::domain::brand::Brand;
use crate::domain::form::Form;
use crate::domain::time::Timestamp;
use crate::texts::Texts;
use crate::web::error::{self, FieldProblem};
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::page::{Page, framed, shown_with};
use crate::web::{Web, assets};

framed!(KioskPage);

/// Entries of one request; opening one takes about a millisecond.
const ENTRIES_AT_MOST: usize = 25;

const WORKER: &str = include_str!("../../../static/kiosk-worker.js");

/// Texts of problems that a page without scripts may be asked to show: what was wrong, never what was typed.
const PROBLEMS: [&str; 10] = [
    "form-problem-empty",
    "form-problem-at",
    "form-problem-syntax",
    "form-problem-domain",
    "form-problem-long",
    "form-problem-space",
    "form-problem-unusual",
    "form-problem-role",
    "form-problem-purpose",
    "form-problem-gone",
];

#[derive(Template)]
#[template(path = "public/kiosk.html")]
struct KioskPage {
    page: Page,
    t: Texts,
    form: FormView,
    languages: Vec<LanguageLink>,
    problems: Vec<FieldProblem>,
    /// After a signup without scripts.
    done: bool,
    url: String,
    base: String,
    key: String,
    key_id: u8,
    /// The server's time. A tablet whose clock lies before it has a wrong one.
    now: Timestamp,
    css: String,
    script: String,
}

/// Whether a request is about the booth's page of a form.
pub fn is_asked(request: &HttpRequest) -> bool {
    value_of(request, "kiosk").is_some_and(|value| value == "1")
}

fn value_of<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let mut parts = request.query_string().split('&');
    parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// The page's address. `kiosk=1` comes first: the worker's scope is this beginning.
fn url_of(form: &Form, language: &str) -> String {
    format!("/f/{}?kiosk=1&lang={language}", form.declared.slug)
}

/// A form that has no booth's page says so to whoever sets one up.
pub fn off(request: &HttpRequest, shared: &Web) -> HttpResponse {
    error::answer(request, shared, StatusCode::NOT_FOUND, "kiosk-off")
}

/// What was wrong with a signup without scripts: its field and its text.
fn noted(request: &HttpRequest) -> Vec<(&'static str, &'static str)> {
    let named = value_of(request, "problem");
    let known = PROBLEMS.into_iter().find(|key| named == Some(key));
    known
        .map(|key| match key {
            "form-problem-purpose" => ("purpose", key),
            _ => ("email", key),
        })
        .into_iter()
        .collect()
}

/// The empty page, or the thanks of one without scripts.
pub(super) fn page(
    request: &HttpRequest,
    shared: &Web,
    brand: &Brand,
    form: &Form,
    language: &str,
) -> HttpResponse {
    let t = Texts::of(language);
    let mut links = languages(form, language, "", "");
    for link in &mut links {
        link.url = url_of(form, &link.code);
    }
    let (key_id, key) = shared.app.booth_key(form);
    let mut view = view(shared, brand, form, language);
    view.action = url_of(form, language);
    let page = KioskPage {
        page: Page::of(shared, brand, t),
        t,
        form: view,
        languages: links,
        problems: explain(t, "", &noted(request)),
        done: value_of(request, "done").is_some(),
        url: url_of(form, language),
        base: format!("/f/{}", form.declared.slug),
        key,
        key_id,
        now: shared.app.clock.now(),
        css: shared.assets.kiosk_css.clone(),
        script: shared.assets.kiosk_js.clone(),
    };
    shown_with(HttpResponse::Ok(), &page, None, "'none'")
}

/// The way on without scripts. The address of the next page holds nothing of the person, so that nobody finds it by going
/// back; what was typed wrong is typed once more.
pub(super) fn next(form: &Form, language: &str, note: &str) -> HttpResponse {
    let url = format!("{}&{note}", url_of(form, language));
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, url))
        .finish()
}

/// `GET /f/{form}/clear.svg`: an empty picture on the page after a signup without scripts. Browsers keep the page before as
/// it was left, with what was typed, to show it when somebody goes back; by this header they let go of it. It works from
/// within the next page only: on its way there, the page before is not kept yet.
pub async fn clear() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
        .insert_header(("clear-site-data", "\"cache\""))
        .body("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>")
}

/// What the tablet is told of a signup that was sent at once: nothing but that it is on disk, and the time.
#[derive(Serialize)]
struct Sent {
    recorded: bool,
    now: Timestamp,
}

pub(super) fn recorded(shared: &Web) -> HttpResponse {
    HttpResponse::Accepted().json(Sent {
        recorded: true,
        now: shared.app.clock.now(),
    })
}

#[derive(Serialize)]
struct Told {
    /// The server's time, by which the tablet notices that its clock is wrong.
    now: Timestamp,
    entries: Vec<ToldEntry>,
}

#[derive(Serialize)]
struct ToldEntry {
    id: Uuid,
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

/// `POST /f/{form}/entries`: what waited on a tablet. JSON: `lang`, and `entry`, a list of up to 25 texts
/// `NUMBER.KEY.SEALED`, and `now`, the time by the tablet's clock. Each is answered for itself; `recorded` means that it is on disk.
pub async fn entries(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some((_, form)) = find(&shared, &slug).filter(|found| found.1.declared.kiosk) else {
        return off(&request, &shared);
    };
    let t = Texts::of(&language_of(&request, &form, fields.one("lang")));
    let sent = fields.all("entry");
    if sent.len() > ENTRIES_AT_MOST {
        return error::answer(
            &request,
            &shared,
            StatusCode::PAYLOAD_TOO_LARGE,
            "error-too-large",
        );
    }
    let waiting: Option<Vec<Waiting>> = sent.iter().map(|text| Waiting::parse(text)).collect();
    let Some(waiting) = waiting else {
        return error::answer(
            &request,
            &shared,
            StatusCode::BAD_REQUEST,
            "error-malformed",
        );
    };
    let from = circumstances(&request, &shared.app.config.trusted_proxies);
    let sent_at = fields.one("now").and_then(Timestamp::parse);
    let outcomes = shared
        .app
        .record_waiting(&form, waiting, sent_at, &from)
        .await;
    let entries = outcomes.iter().map(|(id, outcome)| tell(t, *id, outcome));
    HttpResponse::Ok().json(Told {
        now: shared.app.clock.now(),
        entries: entries.collect(),
    })
}

fn tell(t: Texts, id: Uuid, outcome: &Outcome) -> ToldEntry {
    let (state, reason) = match outcome {
        Outcome::Recorded => ("recorded", String::new()),
        Outcome::NotNow => ("later", String::new()),
        Outcome::Refused(why) => ("refused", reason(t, why)),
    };
    ToldEntry { id, state, reason }
}

/// For the staff, without a word of what was typed.
fn reason(t: Texts, why: &Unrecorded) -> String {
    let key = match why {
        Unrecorded::Unreadable => "kiosk-refused-unreadable",
        Unrecorded::Untimely(Untimely::Late) => "kiosk-refused-late",
        Unrecorded::Untimely(Untimely::Early) => "kiosk-refused-early",
        Unrecorded::Typed(refusal) => {
            let problems = problems_of(refusal).unwrap_or_default();
            problems
                .first()
                .map_or("error-unavailable-text", |problem| problem.1)
        }
    };
    t.get(key)
}

/// What the page needs without a connection.
#[derive(Serialize)]
struct Kept {
    name: String,
    form: String,
    scope: String,
    pages: Vec<String>,
    files: Vec<String>,
}

/// `GET /f/{form}/kiosk.js`: the worker that keeps the page. It changes whenever anything on the page does, and then keeps
/// it anew. It may stand above its own path, for this one form's page.
pub async fn worker(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug).filter(|found| found.1.declared.kiosk) else {
        return off(&request, &shared);
    };
    let page = Page::of(&shared, &brand, Texts::of(""));
    let mut files = vec![
        page.css,
        page.icon,
        shared.assets.kiosk_css.clone(),
        shared.assets.kiosk_js.clone(),
    ];
    if !page.theme_css.is_empty() {
        files.push(page.theme_css);
    }
    let languages = &form.declared.languages;
    let (key_id, _) = shared.app.booth_key(&form);
    let told = format!(
        "{files:?} {languages:?} {} {key_id} {WORKER}",
        form.current.as_str()
    );
    let kept = Kept {
        name: format!("kiosk/{slug}/{}", assets::short_hash(told.as_bytes())),
        form: format!("kiosk/{slug}/"),
        scope: format!("/f/{slug}?kiosk=1"),
        pages: languages
            .iter()
            .map(|language| url_of(&form, language))
            .collect(),
        files,
    };
    let kept = serde_json::to_string(&kept).unwrap_or_default();
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header(("service-worker-allowed", format!("/f/{slug}")))
        .body(format!("const kept = {kept};\n{WORKER}"))
}
