//! Changing a form, or making one: fields, with the page and the mail beside them as they would be.

mod typed;

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
use typed::{Typed, Wrong, blank};

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
    /// Whether one of its words is not right: then they are in sight.
    open: bool,
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
    fill_seconds: String,
    remind_days: String,
    origins: String,
    wrong: Vec<Wrong>,
}

impl EditPage {
    /// What is wrong with a field, to stand beside it.
    fn at(&self, field: &str) -> Option<&str> {
        let wrong = self.wrong.iter().find(|one| one.field == field)?;
        Some(&wrong.text)
    }

    fn at_words(&self, what: &str, language: &str) -> Option<&str> {
        self.at(&format!("{what}-{language}"))
    }
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

/// What a page is shown with.
struct Shown {
    status: StatusCode,
    existing: Option<String>,
    slug: String,
    /// What fields that come back rest on; whatever was saved meanwhile, they do not rest on that.
    revision: Option<String>,
    typed: Typed,
}

impl Shown {
    fn again(
        (existing, slug): (Option<String>, String),
        revision: &str,
        typed: Typed,
        wrong: Vec<Wrong>,
    ) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            existing,
            slug,
            revision: Some(revision.to_owned()),
            typed: Typed { wrong, ..typed },
        }
    }
}

fn page(shared: &Web, operator: &Operator, brand: Arc<Brand>, shown: Shown) -> HttpResponse {
    let Typed {
        form,
        fill_seconds,
        remind_days,
        origins,
        wrong,
    } = shown.typed;
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
            open: wrong.iter().any(|one| {
                let words = one.field.strip_suffix(language);
                words.is_some_and(|rest| rest.ends_with('-'))
            }),
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
            revision: shown.revision.unwrap_or_else(|| shared.app.revision()),
            existing: shown.existing,
            slug: shown.slug,
            purposes,
            words,
            fill_seconds,
            remind_days,
            origins,
            form,
            wrong,
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
        revision: None,
        typed: Typed::of(form.declared.clone()),
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
        revision: None,
        typed: Typed::of(form),
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
    let (Some(acting), Some(typed)) = (acting(request, shared), Typed::read(&brand, &slug, fields))
    else {
        return see("/admin/sign-in");
    };
    let wrong = match typed.declared() {
        Ok(form) => {
            let revision = fields.raw("revision");
            match shared
                .app
                .change_form(&acting, &brand, form, revision)
                .await
            {
                Ok(steps) => {
                    let done = if steps.is_empty() { "same" } else { "saved" };
                    return see(&format!("/admin/forms/{slug}?done={done}"));
                }
                Err(EditProblem::Store(problem)) => {
                    return error::store_failure(request, shared, &problem);
                }
                Err(EditProblem::Wrong(problems)) => problems
                    .into_iter()
                    .map(|problem| Wrong::of(&typed.form, problem))
                    .collect(),
                Err(problem @ EditProblem::Overtaken) => vec![Wrong::at("", problem.to_string())],
            }
        }
        Err(wrong) => wrong,
    };
    page(
        shared,
        operator,
        brand,
        Shown::again((existing, slug), fields.raw("revision"), typed, wrong),
    )
}

/// `POST /admin/forms/{form}/edit`
pub async fn save(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    slug: Path<String>,
    fields: Fields,
) -> HttpResponse {
    // What the page does not change is taken from how it stands now.
    if let Err(problem) = shared.app.refresh_catalog().await {
        return error::store_failure(&request, &shared, &problem);
    }
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
    if let Err(problem) = shared.app.refresh_catalog().await {
        return error::store_failure(&request, &shared, &problem);
    }
    let Some(brand) = brand_of(&shared, &operator, fields.raw("brand")) else {
        return not_found(&shared, &operator, "This brand");
    };
    let slug = fields.raw("slug").trim().to_owned();
    if shared.app.form_named(&slug).is_some() {
        let problem = format!(
            "There is a form \"{slug}\" already; forms have one name each in the installation."
        );
        let Some(typed) = Typed::read(&brand, &slug, &fields) else {
            return see("/admin/forms");
        };
        let mut wrong = vec![Wrong::at("slug", problem)];
        wrong.extend(typed.wrong.iter().cloned());
        let again = Shown::again((None, slug), fields.raw("revision"), typed, wrong);
        return page(&shared, &operator, brand, again);
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
    let said = |wrong: Vec<Wrong>| wrong.into_iter().map(|one| one.text).collect::<Vec<_>>();
    let draft = Typed::read(&brand, slug, &fields)
        .ok_or_else(Vec::new)
        .and_then(|typed| typed.declared().map_err(said))
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
