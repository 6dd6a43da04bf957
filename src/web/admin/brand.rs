//! `/admin/settings/brands/{brand}`: who asks, how it looks, and for what.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::brands::brand_of;
use super::frame::Frame;
use super::{acting, not_found, see};
use crate::app::edit_form::EditProblem;
use crate::domain::brand::{Brand, BrandDeclaration, LANGUAGES, PurposeDeclaration, Slug, Texts};
use crate::domain::circumstances::KeepCircumstances;
use crate::domain::operator::{Deed, Operator};
use crate::domain::reconfirm::Reconfirm;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

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
    brand: BrandDeclaration,
    address: String,
    purposes: Vec<PurposeFields>,
    after_years: String,
    unused_months: String,
    /// Each with its words, and whether it is chosen.
    circumstances: Vec<(&'static str, &'static str, bool)>,
    new_slug: String,
    revision: String,
    problems: Vec<String>,
}

fn page(
    shared: &Web,
    operator: &Operator,
    brand: BrandDeclaration,
    new_slug: &str,
    problems: Vec<String>,
) -> HttpResponse {
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
    let terms = brand.reconfirm.unwrap_or_default();
    let frame = Frame::new(shared, operator, &brand.name)
        .at("/admin/settings")
        .below("Settings", "/admin/settings");
    render(
        status,
        &BrandPage {
            frame,
            address: brand.postal_address.join("\n"),
            purposes,
            after_years: terms
                .after_years
                .map_or_else(String::new, |one| one.to_string()),
            unused_months: terms
                .unused_months
                .map_or_else(String::new, |one| one.to_string()),
            circumstances: KeepCircumstances::ALL
                .map(|how| (how.as_str(), words(how), how == brand.circumstances))
                .into(),
            new_slug: new_slug.to_owned(),
            revision: shared.app.revision(),
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
        Some(brand) => page(&shared, &operator, brand.declared.clone(), "", Vec::new()),
        None => not_found(&shared, &operator, "This brand"),
    }
}

/// The declaration with what the fields say; what has no field stays.
fn declared(
    shared: &Web,
    brand: &Arc<Brand>,
    fields: &Fields,
) -> Result<BrandDeclaration, Vec<String>> {
    let mut declared = shared.app.declaration_of(brand);
    let mut problems = Vec::new();
    let own = |name: &str| fields.one(name).map(ToOwned::to_owned);
    let text = |name: &str| own(name).unwrap_or_default();
    declared.name = text("name");
    declared.legal_name = text("legal_name");
    declared.postal_address = fields
        .raw("postal_address")
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .take(8)
        .collect();
    declared.contact = text("contact");
    declared.from_address = text("from_address");
    declared.reply_to = own("reply_to");
    declared.accent = text("accent");
    declared.privacy_url = own("privacy_url");
    declared.privacy_version = own("privacy_version");
    declared.home_url = own("home_url");
    declared.logo_url = own("logo_url");
    declared.hold_until_confirmed = own("hold_until_confirmed").is_some();
    if let Some(how) = fields.one("circumstances") {
        match KeepCircumstances::parse(how) {
            Some(how) => declared.circumstances = how,
            None => problems.push(
                "Network addresses and browsers are kept whole, shortened, or not at all."
                    .to_owned(),
            ),
        }
    }
    declared.checked_by_line = own("checked_by_line").is_some();
    match text("confirm_within_days").parse() {
        Ok(days) => declared.confirm_within_days = days,
        Err(_) => problems.push("The days within which people confirm are 1 to 90.".to_owned()),
    }
    match text("mails_per_hour").parse() {
        Ok(mails) => declared.mails_per_hour = mails,
        Err(_) => problems.push("Mails an hour are a number; 0 is no limit.".to_owned()),
    }
    let mut term = |name: &str| match text(name).as_str() {
        "" => None,
        number => number.parse::<u16>().ok().or_else(|| {
            problems.push(
                "The term after which people are asked again is a number; leave it empty for none."
                    .to_owned(),
            );
            None
        }),
    };
    let (years, months) = (
        term("reconfirm_after_years"),
        term("reconfirm_unused_months"),
    );
    let terms = Reconfirm {
        // Too many are refused with the rest of what is declared.
        after_years: years.map(|years| u8::try_from(years).unwrap_or(u8::MAX)),
        unused_months: months,
    };
    declared.reconfirm = (terms != Reconfirm::default()).then_some(terms);
    for purpose in &mut declared.purposes {
        let texts = |kind: &str| -> Texts {
            LANGUAGES
                .iter()
                .filter_map(|tag| {
                    let name = format!("{kind}-{}-{tag}", purpose.slug);
                    Some(((*tag).to_owned(), own(&name)?.replace("\r\n", "\n")))
                })
                .collect()
        };
        let (name, wording) = (texts("name"), texts("wording"));
        (purpose.name, purpose.wording) = (name, wording);
    }
    if let Some(slug) = own("new_slug") {
        match Slug::try_from(slug) {
            Ok(slug) => declared.purposes.push(PurposeDeclaration {
                slug,
                name: Texts::from([("en".to_owned(), text("new_name"))]),
                wording: Texts::from([("en".to_owned(), text("new_wording"))]),
            }),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(declared)
    } else {
        Err(problems)
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
    let brand = brand_of(&shared, &operator, &slug);
    let (Some(brand), Some(acting)) = (brand, acting(&request, &shared)) else {
        return not_found(&shared, &operator, "This brand");
    };
    let declared = match declared(&shared, &brand, &fields) {
        Ok(declared) => declared,
        Err(problems) => {
            let before = brand.declared.clone();
            return page(&shared, &operator, before, fields.raw("new_slug"), problems);
        }
    };
    let what = (Deed::Declared, format!("brand {}", brand.declared.slug));
    let saved = shared
        .app
        .change_brand(&acting, declared.clone(), fields.raw("revision"), what);
    match saved.await {
        Ok(steps) => {
            let done = if steps.is_empty() { "same" } else { "saved" };
            see(&format!("/admin/settings?done={done}"))
        }
        Err(EditProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(EditProblem::Wrong(problems)) => page(&shared, &operator, declared, "", problems),
        Err(problem @ EditProblem::Overtaken) => {
            page(&shared, &operator, declared, "", vec![problem.to_string()])
        }
    }
}
