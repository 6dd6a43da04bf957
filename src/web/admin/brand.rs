//! `/admin/settings/brands/{brand}`: who asks, how it looks, and for what.

pub mod typed;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::brands::brand_of;
use super::frame::Frame;
use super::{acting, not_found, see};
use crate::app::acted::Acting;
use crate::app::edit_form::EditProblem;
use crate::domain::brand::{BrandDeclaration, LANGUAGES, RoleAddresses, Slug, Texts};
use crate::domain::circumstances::KeepCircumstances;
use crate::domain::operator::{Deed, Need, Operator};
use crate::domain::policy::OVERLAYS;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

use typed::{NewPurpose, Numbers, Typed, typed};

const NEW: &str = "/admin/settings/new-brand";

/// A purpose's words in one language.
struct Words {
    language: &'static str,
    name: String,
    wording: String,
}

struct PurposeFields {
    slug: String,
    words: Vec<Words>,
}

#[derive(Template)]
#[template(path = "admin/brand.html")]
struct BrandPage {
    frame: Frame,
    /// Where the form goes.
    action: String,
    /// The name of a new brand; none of one that there is.
    slug: Option<String>,
    brand: BrandDeclaration,
    address: String,
    purposes: Vec<PurposeFields>,
    /// Each with its words, and whether it is chosen.
    circumstances: Vec<(&'static str, &'static str, bool)>,
    /// Each with its country and effects, and whether it is on.
    overlays: Vec<(&'static str, &'static str, &'static [&'static str], bool)>,
    role_addresses: bool,
    numbers: Numbers,
    new: NewPurpose,
    revision: String,
    problems: Vec<String>,
}

/// `revision`: what the fields rest on. Typed fields that come back rest on what they did, whatever was saved meanwhile.
fn page(shared: &Web, operator: &Operator, typed: Typed, revision: String) -> HttpResponse {
    let Typed {
        declared: brand,
        slug,
        numbers,
        new,
        problems,
    } = typed;
    let of = |texts: &Texts, tag: &str| texts.get(tag).cloned().unwrap_or_default();
    let purposes = brand
        .purposes
        .iter()
        .map(|purpose| PurposeFields {
            slug: purpose.slug.to_string(),
            words: LANGUAGES
                .iter()
                .map(|&language| Words {
                    language,
                    name: of(&purpose.name, language),
                    wording: of(&purpose.wording, language),
                })
                .collect(),
        })
        .collect();
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let title = match &slug {
        Some(_) => "New brand",
        None => brand.name.as_str(),
    };
    let frame = Frame::new(shared, operator, title)
        .at("/admin/settings")
        .below("Settings", "/admin/settings");
    let action = match &slug {
        Some(_) => NEW.to_owned(),
        None => format!("/admin/settings/brands/{}", brand.slug),
    };
    render(
        status,
        &BrandPage {
            frame,
            action,
            slug,
            overlays: OVERLAYS
                .iter()
                .map(|row| {
                    let on = brand.overlays.contains(&row.overlay);
                    (row.overlay.as_str(), row.country, row.effects, on)
                })
                .collect(),
            role_addresses: brand.role_addresses == RoleAddresses::ConfirmFirst,
            address: brand.postal_address.join("\n"),
            purposes,
            circumstances: KeepCircumstances::ALL
                .map(|how| (how.as_str(), words(how), how == brand.circumstances))
                .into(),
            numbers,
            new,
            revision,
            problems,
            brand,
        },
    )
}

const fn words(how: KeepCircumstances) -> &'static str {
    match how {
        KeepCircumstances::Whole => "Whole, for as long as the settings say",
        KeepCircumstances::Shortened => "Shortened: the network block, and no browser",
        KeepCircumstances::Nothing => "Not at all",
    }
}

/// `GET /admin/settings/brands/{brand}`
pub async fn show(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    slug: Path<String>,
) -> HttpResponse {
    match brand_of(&shared, &operator, &slug) {
        Some(brand) => {
            let typed = Typed::of(brand.declared.clone());
            page(&shared, &operator, typed, shared.app.revision())
        }
        None => not_found(&shared, &operator, "This brand"),
    }
}

/// `POST /admin/settings/brands/{brand}`
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
    let brand = brand_of(&shared, &operator, &slug);
    let (Some(brand), Some(acting)) = (brand, acting(&request, &shared)) else {
        return not_found(&shared, &operator, "This brand");
    };
    let typed = typed(
        shared.app.declaration_of(&brand),
        &fields,
        operator.may(Need::Rule),
    );
    write(&request, (&shared, &operator, &acting), typed, &fields).await
}

/// `GET /admin/settings/new-brand`
pub async fn show_new(shared: Data<Web>, operator: ReqData<Operator>) -> HttpResponse {
    let mut typed = Typed::of(BrandDeclaration::blank(blank_slug()));
    typed.slug = Some(String::new());
    page(&shared, &operator, typed, shared.app.revision())
}

/// What stands in the place of a name that cannot be read. It is never saved.
fn blank_slug() -> Slug {
    Slug::try_from("new-brand".to_owned()).unwrap_or_else(|_| unreachable!("a plain name"))
}

/// `POST /admin/settings/new-brand`
pub async fn save_new(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    if let Err(problem) = shared.app.refresh_catalog().await {
        return error::store_failure(&request, &shared, &problem);
    }
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let named = fields.raw("slug").trim().to_owned();
    let (slug, problem) = match Slug::try_from(named.clone()) {
        Ok(slug) if shared.app.catalog().brand_by_slug(slug.as_str()).is_some() => {
            let text = format!("There is a brand {slug} already. Give this one a name of its own.");
            (slug, Some(text))
        }
        Ok(slug) => (slug, None),
        Err(problem) => (
            blank_slug(),
            Some(format!("The name in files and the API: {problem}.")),
        ),
    };
    let mut typed = typed(BrandDeclaration::blank(slug), &fields, true);
    typed.problems.splice(0..0, problem);
    typed.slug = Some(named);
    write(&request, (&shared, &operator, &acting), typed, &fields).await
}

/// Saves what was typed, or shows it again with what is wrong.
async fn write(
    request: &HttpRequest,
    (shared, operator, acting): (&Data<Web>, &Operator, &Acting),
    mut typed: Typed,
    fields: &Fields,
) -> HttpResponse {
    let revision = fields.raw("revision").to_owned();
    if !typed.problems.is_empty() {
        return page(shared, operator, typed, revision);
    }
    let what = (Deed::Declared, format!("brand {}", typed.declared.slug));
    let saved = shared
        .app
        .change_brand(acting, typed.whole(), &revision, what);
    typed.problems = match saved.await {
        Ok(steps) => {
            let done = if steps.is_empty() { "same" } else { "saved" };
            return see(&format!("/admin/settings?done={done}"));
        }
        Err(EditProblem::Store(problem)) => {
            return error::store_failure(request, shared, &problem);
        }
        Err(EditProblem::Wrong(problems)) => problems,
        Err(problem @ EditProblem::Overtaken) => vec![problem.to_string()],
    };
    page(shared, operator, typed, revision)
}
