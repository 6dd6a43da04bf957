//! The page of a form, and what it shows again when something was wrong.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;

use super::{HONEYPOT, opened};
use crate::domain::brand::{Brand, in_language};
use crate::domain::form::Form;
use crate::mail::compose::{PurposeView, purposes_shown};
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error::FieldProblem;
use crate::web::page::{Page, framed, shown_with};

framed!(FormPage);

pub struct FormView {
    pub id: String,
    pub title: String,
    pub intro: String,
    pub consent: String,
    pub button: String,
    pub action: String,
    pub version: String,
    pub purposes: Vec<PurposeView>,
    pub asks_name: bool,
    pub proof_of_work: Option<String>,
    pub opened: String,
    pub honeypot: String,
    pub script: String,
}

pub struct LanguageLink {
    pub code: String,
    pub name: String,
    pub url: String,
    pub current: bool,
}

#[derive(Template)]
#[template(path = "public/form.html")]
struct FormPage {
    page: Page,
    t: Texts,
    form: FormView,
    email: String,
    name: String,
    problems: Vec<FieldProblem>,
    languages: Vec<LanguageLink>,
}

pub(in crate::web::public) fn view(
    shared: &Web,
    brand: &Brand,
    form: &Form,
    language: &str,
) -> FormView {
    let content = &form.versions[&form.current];
    let slug = &form.declared.slug;
    FormView {
        id: slug.to_string(),
        title: in_language(&content.title, language).to_owned(),
        intro: in_language(&content.intro, language).to_owned(),
        consent: in_language(&content.consent, language).to_owned(),
        button: in_language(&content.button, language).to_owned(),
        action: format!("/f/{slug}"),
        version: form.current.as_str().to_owned(),
        purposes: purposes_shown(content, language, |_| true),
        asks_name: form.declared.asks_name,
        proof_of_work: form
            .declared
            .proof_of_work
            .then(|| format!("/f/{slug}/challenge")),
        opened: opened(shared, brand, form),
        honeypot: HONEYPOT.to_owned(),
        script: shared.assets.form_js.clone(),
    }
}

pub(in crate::web::public) const LANGUAGE_NAMES: [(&str, &str); 5] = [
    ("en", "English"),
    ("nl", "Nederlands"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
];

/// Links to a page of the form in each of its languages: the page's path behind the form's own, and what stands behind the language
/// in the address.
pub(in crate::web::public) fn languages(
    form: &Form,
    current: &str,
    page: &str,
    suffix: &str,
) -> Vec<LanguageLink> {
    if form.declared.languages.len() < 2 {
        return Vec::new();
    }
    LANGUAGE_NAMES
        .iter()
        .filter(|(code, _)| form.declared.languages.iter().any(|tag| tag == code))
        .map(|&(code, name)| LanguageLink {
            code: code.to_owned(),
            name: name.to_owned(),
            url: format!("/f/{}{page}?lang={code}{suffix}", form.declared.slug),
            current: code == current,
        })
        .collect()
}

/// What a page with problems shows again.
#[derive(Default)]
pub(super) struct Filled {
    pub email: String,
    pub name: String,
    pub purposes: Vec<String>,
    pub problems: Vec<FieldProblem>,
}

pub(super) fn page(
    shared: &Web,
    brand: &Brand,
    form: &Form,
    language: &str,
    embedded: bool,
    status: StatusCode,
    filled: Filled,
) -> HttpResponse {
    let t = Texts::of(language);
    let mut view = view(shared, brand, form, language);
    for purpose in &mut view.purposes {
        purpose.checked = filled.purposes.contains(&purpose.slug);
    }
    let mut frame = Page::of(shared, brand, t);
    frame.embedded = embedded;
    let mut suffix = "";
    if embedded {
        view.action.push_str("?embed=1");
        suffix = "&embed=1";
    }
    shown_with(
        HttpResponse::build(status),
        &FormPage {
            page: frame,
            t,
            form: view,
            email: filled.email,
            name: filled.name,
            problems: filled.problems,
            languages: languages(form, language, "", suffix),
        },
        form.declared.redirect_after_signup.as_deref(),
        &framed_by(form, embedded),
    )
}

/// The page of a form that is only looked at, in a frame of the operators' pages: nothing in it can be sent.
pub fn preview(shared: &Web, brand: &Brand, form: &Form, language: &str) -> HttpResponse {
    let filled = Filled::default();
    let mut response = page(shared, brand, form, language, true, StatusCode::OK, filled);
    let policy = header::HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; img-src 'self'; sandbox; frame-ancestors 'self'",
    );
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Who may show the form in a frame.
fn framed_by(form: &Form, embedded: bool) -> String {
    if !embedded {
        "'none'".to_owned()
    } else if form.declared.origins.is_empty() {
        "*".to_owned()
    } else {
        format!("'self' {}", form.declared.origins.join(" "))
    }
}
