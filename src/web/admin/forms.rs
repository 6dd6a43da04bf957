//! `/admin/forms`: the forms, one form with its previews and versions.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use similar::{ChangeTag, TextDiff};

use super::brands::brands_of;
use super::frame::{Done, Frame};
use super::shown::mail_part;
use super::table::{self, Asked, Cell, Rows, Table};
use super::{acting, not_found, see};
use crate::app::edit_form::EditProblem;
use crate::domain::brand::{Brand, in_language};
use crate::domain::form::{Form, FormContent};
use crate::domain::operator::{Need, Operator};
use crate::domain::time::Timestamp;
use crate::mail::lint::Finding;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

#[derive(Template)]
#[template(path = "admin/forms.html")]
struct FormsPage {
    frame: Frame,
    table: Table,
    brands: Vec<(String, String)>,
}

/// `GET /admin/forms`
pub async fn list(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    (asked, done): (Query<Asked>, Query<Done>),
) -> HttpResponse {
    let catalog = shared.app.catalog();
    let brands = brands_of(&shared, &operator);
    let mut forms: Vec<(&Arc<Brand>, &Arc<Form>)> = brands
        .iter()
        .flat_map(|brand| catalog.forms_of(brand.id).map(move |form| (brand, form)))
        .collect();
    forms.sort_by_key(|(brand, form)| (brand.declared.name.clone(), form.declared.slug.clone()));
    let rows = Rows {
        caption: "Forms".to_owned(),
        columns: vec![
            ("Form", false),
            ("Brand", false),
            ("Title", false),
            ("Languages", false),
            ("Versions", true),
        ],
        rows: forms
            .iter()
            .map(|(brand, form)| {
                let content = &form.versions[&form.current];
                let slug = form.declared.slug.to_string();
                vec![
                    Cell::link(slug.clone(), format!("/admin/forms/{slug}")),
                    Cell::text(brand.declared.name.clone()),
                    Cell::text(in_language(&content.title, "en")),
                    Cell::text(form.declared.languages.join(", ")),
                    Cell::Number(form.versions.len() as i64),
                ]
            })
            .collect(),
        empty: "No form yet. A form is what people sign up at: make one here, or declare it in a file and run countersign apply FILE.".to_owned(),
    };
    let now = shared.app.clock.now();
    let may_take = operator.may(Need::Take);
    let table = match rows.arrange(&asked, "/admin/forms", now, may_take) {
        Ok(table) => table,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    if asked.is_csv() {
        return table.csv("forms");
    }
    let brands = brands
        .iter()
        .map(|brand| (brand.declared.slug.to_string(), brand.declared.name.clone()))
        .collect();
    let frame = Frame::new(&shared, &operator, "Forms")
        .at("/admin/forms")
        .noticing(done.done.as_deref(), &RETIRED);
    render(
        StatusCode::OK,
        &FormsPage {
            frame,
            table,
            brands,
        },
    )
}

/// The form of this name with its brand, if the operator works for it.
pub fn form_of(shared: &Web, operator: &Operator, slug: &str) -> Option<(Arc<Brand>, Arc<Form>)> {
    shared
        .app
        .form_named(slug)
        .filter(|(brand, _)| operator.works_for(brand.id))
}

#[derive(Debug, Default, Deserialize)]
pub struct Shown {
    lang: Option<String>,
    done: Option<String>,
}

const RETIRED: [(&str, &str); 1] = [(
    "retired",
    "The form is retired: it takes no signups any more. The links in its mails still work, and its evidence stays.",
)];
const DONE: [(&str, &str); 2] = [
    ("saved", "Saved. Whoever opens the form now sees this."),
    ("same", "Nothing was different, so nothing was saved."),
];

#[derive(Template)]
#[template(path = "admin/form.html")]
struct FormPage {
    frame: Frame,
    brand: Arc<Brand>,
    slug: String,
    languages: Vec<String>,
    language: String,
    address: String,
    findings: Vec<Finding>,
    versions: Table,
    kiosk: bool,
    revision: String,
}

/// `GET /admin/forms/{form}`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    slug: Path<String>,
    (shown, asked): (Query<Shown>, Query<Asked>),
) -> HttpResponse {
    one(&request, &shared, &operator, &slug, (&shown, &asked), None).await
}

/// A form's page; with a problem where something could not be done.
async fn one(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    slug: &str,
    (shown, asked): (&Shown, &Asked),
    problem: Option<(StatusCode, String)>,
) -> HttpResponse {
    let Some((brand, form)) = form_of(shared, operator, slug) else {
        return not_found(shared, operator, "This form");
    };
    let times = match shared.app.versions_of(&form).await {
        Ok(times) => times,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let language = language_of(&form, shown.lang.as_deref());
    let findings = shared
        .app
        .preview_confirmation(&brand, &form, &language)
        .map(|(_, findings)| findings)
        .unwrap_or_default();
    let path = format!("/admin/forms/{}", form.declared.slug);
    let now = shared.app.clock.now();
    let (status, problem) = problem.map_or((StatusCode::OK, None), |(status, text)| {
        (status, Some(text))
    });
    let frame = Frame::new(shared, operator, form.declared.slug.as_str())
        .at("/admin/forms")
        .below("Forms", "/admin/forms")
        .noticing(shown.done.as_deref(), &DONE)
        .failing(problem);
    let versions = versions_table(&form, &times, &path);
    let versions = match versions.arrange(asked, &path, now, frame.may_take()) {
        Ok(versions) => versions,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    if asked.is_csv() {
        return versions.csv(&format!("versions-of-{}", form.declared.slug));
    }
    render(
        status,
        &FormPage {
            frame,
            slug: form.declared.slug.to_string(),
            languages: form.declared.languages.clone(),
            language,
            address: shared.app.url(&format!("/f/{}", form.declared.slug)),
            findings,
            versions,
            kiosk: form.declared.kiosk,
            revision: shared.app.revision(),
            brand,
        },
    )
}

/// The versions of a form, the newest first, with when each was made.
fn versions_table(form: &Form, times: &[(String, Timestamp)], path: &str) -> Rows {
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let rows = times.iter().enumerate().map(|(number, (hash, made))| {
        let before = times.get(number + 1);
        vec![
            Cell::Code(short(hash)),
            if *hash == form.current.as_str() {
                Cell::State("in use".to_owned(), "good")
            } else {
                Cell::State("earlier".to_owned(), "plain")
            },
            Cell::Time(*made),
            Cell::link(
                format!("Look at {}", short(hash)),
                format!("/admin/shown/{hash}"),
            ),
            before.map_or_else(
                || Cell::text("the first"),
                |(before, _)| {
                    Cell::link(
                        format!("Compare {} with the one before", short(hash)),
                        format!("{path}/versions/{before}/{hash}"),
                    )
                },
            ),
        ]
    });
    Rows {
        caption: "Versions".to_owned(),
        columns: ["Version", "Stands", "Made", "As shown", "What changed"]
            .map(|name| (name, false))
            .into(),
        rows: rows.collect(),
        empty: String::new(),
    }
}

/// `POST /admin/forms/{form}/retire`: the name typed again says that it is meant.
pub async fn retire(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    slug: Path<String>,
    fields: Fields,
) -> HttpResponse {
    if let Err(problem) = shared.app.refresh_catalog().await {
        return error::store_failure(&request, &shared, &problem);
    }
    let found = form_of(&shared, &operator, &slug);
    let (Some((brand, form)), Some(acting)) = (found, acting(&request, &shared)) else {
        return not_found(&shared, &operator, "This form");
    };
    let refuse = async |status, text: String| {
        let what = (&Shown::default(), &Asked::default());
        one(
            &request,
            &shared,
            &operator,
            &slug,
            what,
            Some((status, text)),
        )
        .await
    };
    let name = &form.declared.slug;
    if fields.raw("name").trim() != name.as_str() {
        let text =
            format!("Not retired: type the name of the form, {name}, to say that you mean it.");
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, text).await;
    }
    let revision = fields.raw("revision");
    match shared
        .app
        .retire_form(&acting, &brand, name, revision)
        .await
    {
        Ok(_) => see("/admin/forms?done=retired"),
        Err(EditProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => refuse(StatusCode::CONFLICT, format!("Not retired: {problem}.")).await,
    }
}

/// The language that is asked for, if the form speaks it; else its first.
pub fn language_of(form: &Form, asked: Option<&str>) -> String {
    let offered = &form.declared.languages;
    asked
        .filter(|asked| offered.iter().any(|tag| tag == asked))
        .map(ToOwned::to_owned)
        .or_else(|| offered.first().cloned())
        .unwrap_or_default()
}

/// `GET /admin/forms/{form}/mail/{part}`
pub async fn mail(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Path<(String, String)>,
    shown: Query<Shown>,
) -> HttpResponse {
    let Some((brand, form)) = form_of(&shared, &operator, &at.0) else {
        return not_found(&shared, &operator, "This form");
    };
    let language = language_of(&form, shown.lang.as_deref());
    match shared.app.preview_confirmation(&brand, &form, &language) {
        Ok((mail, _)) => mail_part(&mail, &at.1),
        Err(problem) => super::say(
            &shared,
            &operator,
            StatusCode::CONFLICT,
            "No preview",
            &problem.to_string(),
        ),
    }
}

/// `GET /admin/forms/{form}/page`
pub async fn page(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    slug: Path<String>,
    shown: Query<Shown>,
) -> HttpResponse {
    let Some((brand, form)) = form_of(&shared, &operator, &slug) else {
        return not_found(&shared, &operator, "This form");
    };
    let language = language_of(&form, shown.lang.as_deref());
    crate::web::public::form::preview(&shared, &brand, &form, &language)
}

struct DiffLine {
    mark: &'static str,
    word: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "admin/diff.html")]
struct DiffPage {
    frame: Frame,
    lines: Vec<DiffLine>,
    old: String,
    new: String,
}

/// What a person reads, a line each.
fn lines_of(content: &FormContent) -> String {
    let mut text = String::new();
    let mut line = |name: &str, language: &str, words: &str| {
        text.push_str(&format!("{name} ({language}): {words}\n"));
    };
    for language in &content.languages {
        line("title", language, in_language(&content.title, language));
        line("intro", language, in_language(&content.intro, language));
        for purpose in &content.purposes {
            let kind = if purpose.choice { "box" } else { "purpose" };
            let (name, wording) = (
                in_language(&purpose.name, language),
                in_language(&purpose.wording, language),
            );
            line(
                &format!("{kind} {}", purpose.slug),
                language,
                &format!("{name}: {wording}"),
            );
        }
        line("consent", language, in_language(&content.consent, language));
        line("button", language, in_language(&content.button, language));
    }
    let none = "none".to_owned();
    let about = [
        ("brand", &content.brand_name),
        ("legal name", &content.legal_name),
        (
            "privacy notice",
            content.privacy_url.as_ref().unwrap_or(&none),
        ),
        (
            "its version",
            content.privacy_version.as_ref().unwrap_or(&none),
        ),
    ];
    for (name, words) in about {
        text.push_str(&format!("{name}: {words}\n"));
    }
    text.push_str(if content.asks_name {
        "asks for a name\n"
    } else {
        "asks for no name\n"
    });
    text
}

/// `GET /admin/forms/{form}/versions/{old}/{new}`: what a new version says otherwise.
pub async fn diff(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Path<(String, String, String)>,
) -> HttpResponse {
    let found = form_of(&shared, &operator, &at.0).and_then(|(_, form)| {
        let of = |name: &str| {
            form.versions
                .iter()
                .find(|version| version.0.as_str() == name)
                .map(|version| lines_of(version.1))
        };
        Some((of(&at.1)?, of(&at.2)?))
    });
    let Some((old, new)) = found else {
        return not_found(&shared, &operator, "This version");
    };
    let lines = TextDiff::from_lines(&old, &new)
        .iter_all_changes()
        .map(|change| {
            let (mark, word) = match change.tag() {
                ChangeTag::Delete => ("gone", "was"),
                ChangeTag::Insert => ("new", "is"),
                ChangeTag::Equal => ("same", ""),
            };
            DiffLine {
                mark,
                word,
                text: change.value().trim_end().to_owned(),
            }
        })
        .collect();
    let frame = Frame::new(&shared, &operator, "What changed")
        .at("/admin/forms")
        .below("Forms", "/admin/forms")
        .below(&at.0, &format!("/admin/forms/{}", at.0));
    render(
        StatusCode::OK,
        &DiffPage {
            frame,
            lines,
            old: at.1.clone(),
            new: at.2.clone(),
        },
    )
}
