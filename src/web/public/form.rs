//! `/f/{form}`: the hosted form, its definition for scripts, and the signup.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::{Deserialize, Serialize};

use crate::app::sign_up::{Refusal, SignedUp, Submission};
use crate::domain::brand::{Accent, Brand, in_language};
use crate::domain::email_address::{AddressProblem, EmailAddress};
use crate::domain::form::Form;
use crate::domain::token::Purpose;
use crate::mail::compose::{PurposeView, purposes_shown};
use crate::texts::{Texts, negotiate};
use crate::web::error::{self, FieldProblem, Problem, wants_json};
use crate::web::extract::client::circumstances;
use crate::web::extract::fields::Fields;
use crate::web::page::{Page, policy, respond};
use crate::web::{Web, cors};

/// A field that people do not see and programs fill in.
pub const HONEYPOT: &str = "website";

/// How long a form may stay open; its opening time is signed for so long.
const OPEN_FOR: Duration = Duration::from_secs(7 * 86_400);

/// The texts that the embedded form shows; named here, in `embed.js` and in the language files.
const EMBED_TEXTS: &[&str] = &[
    "form-email-label",
    "form-name-label",
    "form-optional",
    "form-trap-label",
    "form-privacy",
    "form-proof-working",
    "form-sending",
    "form-failed",
    "inbox-title",
    "inbox-sent-to",
    "inbox-from",
    "inbox-code-label",
    "inbox-code-button",
    "inbox-waiting",
    "inbox-nothing",
    "inbox-resend",
    "inbox-resend-wait",
    "inbox-sent-again",
    "inbox-wrong-address",
    "inbox-change-label",
    "inbox-change-button",
    "inbox-did-you-mean",
    "inbox-did-you-mean-yes",
    "inbox-confirmed-title",
    "inbox-closed-title",
    "inbox-closed-text",
    "inbox-closed-action",
    "done-text",
    "done-leave",
];

#[derive(Debug, Default, Deserialize)]
pub struct Query {
    lang: Option<String>,
    /// Shown in a frame.
    embed: Option<String>,
}

pub struct FormView {
    id: String,
    title: String,
    intro: String,
    consent: String,
    button: String,
    action: String,
    version: String,
    purposes: Vec<PurposeView>,
    asks_name: bool,
    proof_of_work: Option<String>,
    opened: String,
    honeypot: String,
    script: String,
}

pub struct LanguageLink {
    code: String,
    name: String,
    url: String,
    current: bool,
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

/// The form's language: the one asked for, else the browser's, else the form's first.
fn language_of(request: &HttpRequest, form: &Form, asked: Option<&str>) -> String {
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

fn view(shared: &Web, brand: &Brand, form: &Form, language: &str) -> FormView {
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

fn find(shared: &Web, slug: &str) -> Option<(Arc<Brand>, Arc<Form>)> {
    let catalog = shared.app.catalog();
    let form = catalog.form(slug)?.clone();
    let brand = catalog.brand(form.brand)?.clone();
    Some((brand, form))
}

const LANGUAGE_NAMES: [(&str, &str); 5] = [
    ("en", "English"),
    ("nl", "Nederlands"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
];

fn languages(form: &Form, current: &str, embedded: bool) -> Vec<LanguageLink> {
    if form.declared.languages.len() < 2 {
        return Vec::new();
    }
    let suffix = if embedded { "&embed=1" } else { "" };
    LANGUAGE_NAMES
        .iter()
        .filter(|(code, _)| form.declared.languages.iter().any(|tag| tag == code))
        .map(|&(code, name)| LanguageLink {
            code: code.to_owned(),
            name: name.to_owned(),
            url: format!("/f/{}?lang={code}{suffix}", form.declared.slug),
            current: code == current,
        })
        .collect()
}

/// What a page with problems shows again.
#[derive(Default)]
struct Filled {
    email: String,
    name: String,
    purposes: Vec<String>,
    problems: Vec<FieldProblem>,
}

fn page(
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
    if embedded {
        view.action.push_str("?embed=1");
    }
    let mut targets: Vec<String> = Vec::new();
    if let Some(url) = &form.declared.redirect_after_signup {
        targets.extend(origin_of(url));
    }
    let framed_by = if !embedded {
        "'none'".to_owned()
    } else if form.declared.origins.is_empty() {
        "*".to_owned()
    } else {
        format!("'self' {}", form.declared.origins.join(" "))
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((
        header::CONTENT_SECURITY_POLICY,
        policy(&targets, &framed_by),
    ));
    respond(
        response,
        &FormPage {
            page: frame,
            t,
            form: view,
            email: filled.email,
            name: filled.name,
            problems: filled.problems,
            languages: languages(form, language, embedded),
        },
    )
}

/// Scheme, host and port of a URL.
pub fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{authority}"))
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

#[derive(Serialize)]
struct Definition {
    id: String,
    version: String,
    lang: String,
    dir: &'static str,
    title: String,
    intro: String,
    consent: String,
    button: String,
    asks_name: bool,
    proof_of_work: Option<String>,
    honeypot: &'static str,
    opened: String,
    purposes: Vec<DefinedPurpose>,
    brand: DefinedBrand,
    accent: String,
    accent_ink: &'static str,
    texts: std::collections::BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct DefinedPurpose {
    slug: String,
    name: String,
    wording: String,
    choice: bool,
}

#[derive(Serialize)]
struct DefinedBrand {
    name: String,
    privacy_url: Option<String>,
}

/// `GET /f/{form}/definition`: what the embedded form needs to draw itself.
pub async fn definition(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    query: web::Query<Query>,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let language = language_of(&request, &form, query.lang.as_deref());
    let t = Texts::of(&language);
    let view = view(&shared, &brand, &form, &language);
    let accent = Accent::of(&brand.declared.accent);
    let definition = Definition {
        id: view.id,
        version: view.version,
        lang: language,
        dir: t.direction(),
        title: view.title,
        intro: view.intro,
        consent: view.consent,
        button: view.button,
        asks_name: view.asks_name,
        proof_of_work: view.proof_of_work,
        honeypot: HONEYPOT,
        opened: view.opened,
        purposes: view
            .purposes
            .into_iter()
            .map(|purpose| DefinedPurpose {
                slug: purpose.slug,
                name: purpose.name,
                wording: purpose.wording,
                choice: purpose.choice,
            })
            .collect(),
        brand: DefinedBrand {
            name: brand.declared.name.clone(),
            privacy_url: brand.declared.privacy_url.clone(),
        },
        accent_ink: accent.as_ref().map_or("#ffffff", |accent| accent.ink),
        accent: accent.map_or_else(|| "#1f5f8b".to_owned(), |accent| accent.colour),
        texts: EMBED_TEXTS.iter().map(|&key| (key, t.get(key))).collect(),
    };
    cors::of_form(
        &request,
        &shared,
        &slug,
        HttpResponse::Ok().json(definition),
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

/// What a signup is answered with: the same for every state of the address.
#[derive(Serialize)]
struct Accepted {
    inbox: String,
    status: String,
    masked: String,
    resend_in: u64,
    did_you_mean: Option<String>,
    sender: String,
}

/// The JSON answer to a signup.
pub fn accepted(shared: &Web, brand: &Brand, done: &SignedUp, token: &str) -> HttpResponse {
    let inbox = shared.app.url(&format!("/i/{token}"));
    HttpResponse::Accepted().json(Accepted {
        status: format!("{inbox}/status"),
        inbox,
        masked: done.masked.clone(),
        resend_in: shared.app.config.limits.resend_after.as_secs(),
        did_you_mean: done.suggestion.clone(),
        sender: brand.declared.from_address.clone(),
    })
}

fn submission(request: &HttpRequest, shared: &Web, form: &Form, fields: &Fields) -> Submission {
    let referer = || {
        request
            .headers()
            .get(header::REFERER)
            .and_then(|value| value.to_str().ok())
            .map(ToOwned::to_owned)
    };
    Submission {
        email: fields.raw("email").to_owned(),
        name: fields.one("name").map(ToOwned::to_owned),
        purposes: fields.all("purpose"),
        language: language_of(request, form, fields.one("lang")),
        page: fields.one("page").map(ToOwned::to_owned).or_else(referer),
        version: fields.one("version").map(ToOwned::to_owned),
        fields: fields.names(),
        bot: fields.one(HONEYPOT).is_some() || too_fast(shared, form, fields),
        circumstances: circumstances(request, &shared.app.config.trusted_proxies),
    }
}

/// Whether the form came back sooner than a person types. A form that does not say when it was opened (plain HTML on
/// somebody's site) is not judged by it.
fn too_fast(shared: &Web, form: &Form, fields: &Fields) -> bool {
    let now = shared.app.clock.now();
    fields
        .one("opened")
        .and_then(|text| shared.app.keys.verify(Purpose::PageOpened, text, now).ok())
        .filter(|token| token.subject == form.id.0)
        .is_some_and(|token| {
            let opened_at = token.expires_at.minus(OPEN_FOR);
            let least = u64::from(form.declared.minimum_fill_seconds);
            now.since(opened_at) < Duration::from_secs(least)
        })
}

/// `POST /f/{form}`: 303 to the next page for a browser, 202 for a script. Nothing in the answer, its time included,
/// depends on whether the address is known.
pub async fn submit(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let json = wants_json(&request);
    let answer = |response| cors::of_form(&request, &shared, &slug, response);
    if form.declared.proof_of_work {
        match shared.app.solved(fields.raw("altcha")).await {
            Ok(true) => {}
            Ok(false) => {
                let problem = vec![("form", "form-problem-proof")];
                return answer(refuse(&request, &shared, &brand, &form, &fields, problem));
            }
            Err(problem) => return answer(error::store_failure(&request, &shared, &problem)),
        }
    }
    let given = submission(&request, &shared, &form, &fields);
    match shared.app.sign_up(&form, given).await {
        Ok(done) => {
            let token = shared
                .app
                .inbox_token(done.brand, done.request, done.expires_at);
            if json {
                return answer(accepted(&shared, &brand, &done, &token));
            }
            let target = form
                .declared
                .redirect_after_signup
                .clone()
                .unwrap_or_else(|| {
                    let framed = request.query_string().contains("embed=1");
                    format!("/i/{token}{}", if framed { "?embed=1" } else { "" })
                });
            HttpResponse::SeeOther()
                .insert_header((header::LOCATION, target))
                .finish()
        }
        Err(refusal) => match problems_of(&refusal) {
            Some(problems) => answer(refuse(&request, &shared, &brand, &form, &fields, problems)),
            None => answer(error::unavailable(&request, &shared)),
        },
    }
}

/// The field and the text of a refusal; `None` where the fault is ours.
pub fn problems_of(refusal: &Refusal) -> Option<Vec<(&'static str, &'static str)>> {
    let text = match refusal {
        Refusal::Store => return None,
        Refusal::UnknownPurpose | Refusal::NoPurpose => {
            return Some(vec![("purpose", "form-problem-purpose")]);
        }
        Refusal::RoleAddress => "form-problem-role",
        Refusal::Address(problem) => match problem {
            AddressProblem::Empty => "form-problem-empty",
            AddressProblem::TooLong
            | AddressProblem::LocalPartTooLong
            | AddressProblem::DomainTooLong => "form-problem-long",
            AddressProblem::NoAt => "form-problem-at",
            AddressProblem::QuotedLocalPart
            | AddressProblem::IpLiteral
            | AddressProblem::Comment => "form-problem-unusual",
            AddressProblem::SingleLabel
            | AddressProblem::NumericTopLevel
            | AddressProblem::ReservedDomain
            | AddressProblem::UnknownTopLevel => "form-problem-domain",
            AddressProblem::ControlCharacter
            | AddressProblem::LocalPart
            | AddressProblem::DomainSyntax => "form-problem-syntax",
        },
    };
    Some(vec![("email", text)])
}

/// The texts of problems, with a likely meant address where there is one.
pub fn explain(t: Texts, email: &str, problems: &[(&str, &str)]) -> Vec<FieldProblem> {
    problems
        .iter()
        .map(|(field, key)| {
            let mut detail = t.get(key);
            if *field == "email"
                && let Some(meant) = EmailAddress::suggestion_for(email)
            {
                detail.push(' ');
                detail.push_str(&t.arg("form-did-you-mean", "address", &meant));
            }
            FieldProblem {
                field: (*field).to_owned(),
                detail,
            }
        })
        .collect()
}

fn refuse(
    request: &HttpRequest,
    shared: &Web,
    brand: &Brand,
    form: &Form,
    fields: &Fields,
    problems: Vec<(&'static str, &'static str)>,
) -> HttpResponse {
    let language = language_of(request, form, fields.one("lang"));
    let t = Texts::of(&language);
    let email = fields.raw("email");
    let explained = explain(t, email, &problems);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if wants_json(request) {
        return Problem::respond(status, t.get("form-problem-title"), explained);
    }
    let filled = Filled {
        email: email.chars().take(254).collect(),
        name: fields.raw("name").chars().take(80).collect(),
        purposes: fields.all("purpose"),
        problems: explained,
    };
    let embedded = request.query_string().contains("embed=1");
    page(shared, brand, form, &language, embedded, status, filled)
}

/// `POST /ceiling/{form}`, for `bench` only: everything that a signup does but the store.
pub async fn ceiling(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let given = submission(&request, &shared, &form, &fields);
    let rules = crate::domain::email_address::AddressRules { any_domain: true };
    let now = shared.app.clock.now();
    let id = crate::domain::ids::RequestId(shared.app.random.uuid_v7(now));
    match EmailAddress::parse(&given.email, &rules) {
        Ok(_) => {
            let token = shared.app.inbox_token(brand.number, id, now.plus(OPEN_FOR));
            HttpResponse::SeeOther()
                .insert_header((header::LOCATION, format!("/i/{token}")))
                .finish()
        }
        Err(_) => HttpResponse::UnprocessableEntity().finish(),
    }
}
