//! Changing a form, or making one: fields, with the page and the mail beside them as they would be.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::brands::{brand_of, brands_of};
use super::forms::form_of;
use super::frame::Frame;
use super::shown::{TEXT, mail_part, shown};
use super::{acting, not_found, see};
use crate::app::edit_form::EditProblem;
use crate::domain::brand::{Brand, LANGUAGES, Slug, Texts, in_language};
use crate::domain::form::FormDeclaration;
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

/// Lines of a list, and characters of a text.
const LINES_AT_MOST: usize = 50;
const TEXT_AT_MOST: usize = 2_000;

/// How a form stands to one of its brand's purposes.
struct PurposeChoice {
    slug: String,
    name: String,
    /// `none`, `purpose` or `choice`.
    now: &'static str,
}

/// The words of a form in one language.
struct Words {
    language: &'static str,
    name: &'static str,
    on: bool,
    title: String,
    intro: String,
    consent: String,
    button: String,
}

#[derive(Template)]
#[template(path = "admin/edit_form.html")]
struct EditPage {
    frame: Frame,
    brand: Arc<Brand>,
    /// None of a new form.
    existing: Option<String>,
    slug: String,
    revision: String,
    purposes: Vec<PurposeChoice>,
    words: Vec<Words>,
    form: FormDeclaration,
    origins: String,
    problems: Vec<String>,
}

fn name_of(language: &str) -> &'static str {
    match language {
        "nl" => "Nederlands",
        "de" => "Deutsch",
        "fr" => "Français",
        "es" => "Español",
        _ => "English",
    }
}

fn blank(slug: Slug) -> FormDeclaration {
    FormDeclaration {
        slug,
        purposes: Vec::new(),
        choices: Vec::new(),
        languages: vec!["en".to_owned()],
        asks_name: false,
        name_in_mail: false,
        proof_of_work: false,
        minimum_fill_seconds: 1,
        remind_after_days: None,
        kiosk: false,
        origins: Vec::new(),
        redirect_after_signup: None,
        redirect_after_confirmation: None,
        title: Texts::new(),
        intro: Texts::new(),
        consent: Texts::new(),
        button: Texts::new(),
    }
}

/// The declaration that the fields make, or what is wrong with them.
fn declared(brand: &Brand, slug: &str, fields: &Fields) -> Result<FormDeclaration, Vec<String>> {
    let slug = Slug::try_from(slug.to_owned()).map_err(|problem| vec![problem])?;
    let mut form = blank(slug);
    let mut problems = Vec::new();
    for purpose in &brand.declared.purposes {
        match fields.one(&format!("purpose-{}", purpose.slug)) {
            Some("purpose") => form.purposes.push(purpose.slug.clone()),
            Some("choice") => form.choices.push(purpose.slug.clone()),
            _ => {}
        }
    }
    let chosen = fields.all("languages");
    form.languages = LANGUAGES
        .iter()
        .filter(|tag| chosen.iter().any(|one| one == *tag))
        .map(|&tag| tag.to_owned())
        .collect();
    let on = |name| fields.one(name).is_some();
    form.asks_name = on("asks_name");
    form.name_in_mail = on("name_in_mail");
    form.proof_of_work = on("proof_of_work");
    form.kiosk = on("kiosk");
    match fields.one("minimum_fill_seconds").unwrap_or("0").parse() {
        Ok(seconds) if seconds <= 60 => form.minimum_fill_seconds = seconds,
        _ => problems.push("The shortest time to fill the form in is 0 to 60 seconds.".to_owned()),
    }
    match fields.one("remind_after_days").map(str::parse) {
        None => {}
        Some(Ok(days)) => form.remind_after_days = Some(days),
        Some(Err(_)) => problems.push("Days before the reminder are a number.".to_owned()),
    }
    form.origins = fields
        .raw("origins")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(LINES_AT_MOST)
        .map(|line| line.trim_end_matches('/').to_owned())
        .collect();
    let own = |name: &str| fields.one(name).map(ToOwned::to_owned);
    form.redirect_after_signup = own("redirect_after_signup");
    form.redirect_after_confirmation = own("redirect_after_confirmation");
    let mut texts = |name: &str| -> Texts {
        let mut found = BTreeMap::new();
        for tag in &form.languages {
            if let Some(text) = fields.one(&format!("{name}-{tag}")) {
                if text.chars().count() > TEXT_AT_MOST {
                    problems.push(format!(
                        "The {name} in {} is too long: {TEXT_AT_MOST} characters at most.",
                        name_of(tag)
                    ));
                }
                found.insert(tag.clone(), text.replace("\r\n", "\n"));
            }
        }
        found
    };
    (form.title, form.intro, form.consent, form.button) = (
        texts("title"),
        texts("intro"),
        texts("consent"),
        texts("button"),
    );
    if problems.is_empty() {
        Ok(form)
    } else {
        Err(problems)
    }
}

/// What a page is shown with.
struct Shown {
    status: StatusCode,
    existing: Option<String>,
    slug: String,
    form: FormDeclaration,
    problems: Vec<String>,
}

fn page(shared: &Web, operator: &Operator, brand: Arc<Brand>, shown: Shown) -> HttpResponse {
    let form = shown.form;
    let purposes = brand
        .declared
        .purposes
        .iter()
        .map(|purpose| PurposeChoice {
            slug: purpose.slug.to_string(),
            name: in_language(&purpose.name, "en").to_owned(),
            now: if form.purposes.contains(&purpose.slug) {
                "purpose"
            } else if form.choices.contains(&purpose.slug) {
                "choice"
            } else {
                "none"
            },
        })
        .collect();
    let of = |texts: &Texts, tag: &str| texts.get(tag).cloned().unwrap_or_default();
    let words = LANGUAGES
        .iter()
        .map(|&language| Words {
            language,
            name: name_of(language),
            on: form.languages.iter().any(|tag| tag == language),
            title: of(&form.title, language),
            intro: of(&form.intro, language),
            consent: of(&form.consent, language),
            button: of(&form.button, language),
        })
        .collect();
    let mut frame = Frame::new(
        shared,
        operator,
        if shown.existing.is_some() {
            "Change the form"
        } else {
            "New form"
        },
    )
    .at("/admin/forms")
    .below("Forms", "/admin/forms");
    if let Some(slug) = &shown.existing {
        frame = frame.below(slug, &format!("/admin/forms/{slug}"));
    }
    render(
        shown.status,
        &EditPage {
            frame,
            revision: shared.app.revision(),
            existing: shown.existing,
            slug: shown.slug,
            purposes,
            words,
            origins: form.origins.join("\n"),
            form,
            problems: shown.problems,
            brand,
        },
    )
}

/// `GET /admin/forms/{form}/edit`
pub async fn show(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    slug: Path<String>,
) -> HttpResponse {
    let Some((brand, form)) = form_of(&shared, &operator, &slug) else {
        return not_found(&shared, &operator, "This form");
    };
    let shown = Shown {
        status: StatusCode::OK,
        existing: Some(slug.to_string()),
        slug: slug.to_string(),
        form: form.declared.clone(),
        problems: Vec::new(),
    };
    page(&shared, &operator, brand, shown)
}

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    brand: Option<String>,
}

/// `GET /admin/new-form`
pub async fn show_new(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    which: Query<Which>,
) -> HttpResponse {
    let brand = match which.brand.as_deref() {
        Some(slug) => brand_of(&shared, &operator, slug),
        None => brands_of(&shared, &operator).into_iter().next(),
    };
    let Some(brand) = brand else {
        return not_found(&shared, &operator, "This brand");
    };
    // Any name that fits: the field itself is empty.
    let Ok(slug) = Slug::try_from("new-form".to_owned()) else {
        return see("/admin/forms");
    };
    let mut form = blank(slug);
    form.purposes
        .extend(brand.declared.purposes.first().map(|one| one.slug.clone()));
    let shown = Shown {
        status: StatusCode::OK,
        existing: None,
        slug: String::new(),
        form,
        problems: Vec::new(),
    };
    page(&shared, &operator, brand, shown)
}

async fn save_it(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (brand, existing, slug): (Arc<Brand>, Option<String>, String),
    fields: &Fields,
) -> HttpResponse {
    let Some(acting) = acting(request, shared) else {
        return see("/admin/sign-in");
    };
    let draft = declared(&brand, &slug, fields);
    let (form, problems) = match draft {
        Ok(form) => {
            let revision = fields.raw("revision");
            let saved = shared
                .app
                .change_form(&acting, &brand, form.clone(), revision);
            match saved.await {
                Ok(steps) => {
                    let done = if steps.is_empty() { "same" } else { "saved" };
                    return see(&format!("/admin/forms/{slug}?done={done}"));
                }
                Err(EditProblem::Store(problem)) => {
                    return error::store_failure(request, shared, &problem);
                }
                Err(EditProblem::Wrong(problems)) => (form, problems),
                Err(problem @ EditProblem::Overtaken) => (form, vec![problem.to_string()]),
            }
        }
        Err(problems) => match Slug::try_from("unnamed".to_owned()) {
            // What was typed is shown again as far as it can be read.
            Ok(fallback) => (
                declared(&brand, fallback.as_str(), fields).unwrap_or_else(|_| blank(fallback)),
                problems,
            ),
            Err(_) => return see("/admin/forms"),
        },
    };
    let shown = Shown {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        existing,
        slug,
        form,
        problems,
    };
    page(shared, operator, brand, shown)
}

/// `POST /admin/forms/{form}/edit`
pub async fn save(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    slug: Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some((brand, _)) = form_of(&shared, &operator, &slug) else {
        return not_found(&shared, &operator, "This form");
    };
    let slug = slug.into_inner();
    let what = (brand, Some(slug.clone()), slug);
    save_it(&request, &shared, &operator, what, &fields).await
}

/// `POST /admin/new-form`
pub async fn save_new(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(brand) = brand_of(&shared, &operator, fields.raw("brand")) else {
        return not_found(&shared, &operator, "This brand");
    };
    let slug = fields.raw("slug").trim().to_owned();
    if shared.app.form_named(&slug).is_some() {
        let problem = format!(
            "There is a form \"{slug}\" already; forms have one name each in the installation."
        );
        let form = Slug::try_from(slug.clone())
            .map(|name| declared(&brand, name.as_str(), &fields).unwrap_or_else(|_| blank(name)));
        let Ok(form) = form else {
            return see("/admin/forms");
        };
        let shown = Shown {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            existing: None,
            slug,
            form,
            problems: vec![problem],
        };
        return page(&shared, &operator, brand, shown);
    }
    let what = (brand, None, slug);
    save_it(&request, &shared, &operator, what, &fields).await
}

/// `POST /admin/preview-form/{part}`: the page or the mail of what is in the fields, saved nowhere. `part` is `page` or `mail`.
pub async fn preview(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    part: Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some(brand) = brand_of(&shared, &operator, fields.raw("brand")) else {
        return not_found(&shared, &operator, "This brand");
    };
    let slug = fields.one("slug").unwrap_or("new-form");
    let draft = declared(&brand, slug, &fields)
        .and_then(|form| shared.app.draft(&brand, form))
        .and_then(|form| {
            let language = form.declared.languages.first().cloned().unwrap_or_default();
            if part.as_str() == "mail" {
                let mail = shared.app.preview_confirmation(&brand, &form, &language);
                mail.map(|(mail, _)| mail_part(&mail, "html"))
                    .map_err(|problem| vec![problem.to_string()])
            } else {
                Ok(crate::web::public::form::preview(
                    &shared, &brand, &form, &language,
                ))
            }
        });
    draft.unwrap_or_else(|problems| {
        let mut response = shown(TEXT, problems.join("\n"));
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        response
    })
}
