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
    /// Each with its words, and whether it is chosen.
    circumstances: Vec<(&'static str, &'static str, bool)>,
    numbers: Numbers,
    new: NewPurpose,
    revision: String,
    problems: Vec<String>,
}

/// The numbers as they were typed.
#[derive(Clone, Debug, Default)]
struct Numbers {
    confirm_within_days: String,
    mails_per_hour: String,
    after_years: String,
    unused_months: String,
}

impl Numbers {
    fn of(brand: &BrandDeclaration) -> Self {
        let terms = brand.reconfirm.unwrap_or_default();
        let or_empty = |number: Option<String>| number.unwrap_or_default();
        Self {
            confirm_within_days: brand.confirm_within_days.to_string(),
            mails_per_hour: brand.mails_per_hour.to_string(),
            after_years: or_empty(terms.after_years.map(|one| one.to_string())),
            unused_months: or_empty(terms.unused_months.map(|one| one.to_string())),
        }
    }
}

/// A purpose that is being added, as it was typed.
#[derive(Clone, Debug, Default)]
struct NewPurpose {
    slug: String,
    name: String,
    wording: String,
}

/// What a page sent: the declaration as far as it can be read, and the rest as it was typed.
struct Typed {
    declared: BrandDeclaration,
    numbers: Numbers,
    new: NewPurpose,
    problems: Vec<String>,
}

fn page(shared: &Web, operator: &Operator, typed: Typed) -> HttpResponse {
    let Typed {
        declared: brand,
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
    let frame = Frame::new(shared, operator, &brand.name)
        .at("/admin/settings")
        .below("Settings", "/admin/settings");
    render(
        status,
        &BrandPage {
            frame,
            address: brand.postal_address.join("\n"),
            purposes,
            circumstances: KeepCircumstances::ALL
                .map(|how| (how.as_str(), words(how), how == brand.circumstances))
                .into(),
            numbers,
            new,
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
        Some(brand) => {
            let typed = Typed {
                declared: brand.declared.clone(),
                numbers: Numbers::of(&brand.declared),
                new: NewPurpose::default(),
                problems: Vec::new(),
            };
            page(&shared, &operator, typed)
        }
        None => not_found(&shared, &operator, "This brand"),
    }
}

/// The declaration with what the fields say; what has no field stays.
fn typed(shared: &Web, brand: &Arc<Brand>, fields: &Fields) -> Typed {
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
    let numbers = Numbers {
        confirm_within_days: text("confirm_within_days"),
        mails_per_hour: text("mails_per_hour"),
        after_years: text("reconfirm_after_years"),
        unused_months: text("reconfirm_unused_months"),
    };
    let mut term = |number: &str| match number {
        "" => None,
        number => number.parse::<u16>().ok().or_else(|| {
            problems.push(
                "The term after which people are asked again is a number; leave it empty for none."
                    .to_owned(),
            );
            None
        }),
    };
    let (years, months) = (term(&numbers.after_years), term(&numbers.unused_months));
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
    let new = NewPurpose {
        slug: text("new_slug"),
        name: text("new_name"),
        wording: text("new_wording").replace("\r\n", "\n"),
    };
    if !new.slug.is_empty()
        && let Err(problem) = Slug::try_from(new.slug.clone())
    {
        problems.push(problem);
    }
    Typed {
        declared,
        numbers,
        new,
        problems,
    }
}

impl Typed {
    /// The declaration to be saved: with the new purpose, where one was named.
    fn whole(&self) -> BrandDeclaration {
        let mut declared = self.declared.clone();
        if let Ok(slug) = Slug::try_from(self.new.slug.clone()) {
            declared.purposes.push(PurposeDeclaration {
                slug,
                name: Texts::from([("en".to_owned(), self.new.name.clone())]),
                wording: Texts::from([("en".to_owned(), self.new.wording.clone())]),
            });
        }
        declared
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
    let mut typed = typed(&shared, &brand, &fields);
    if !typed.problems.is_empty() {
        return page(&shared, &operator, typed);
    }
    let what = (Deed::Declared, format!("brand {}", brand.declared.slug));
    let saved = shared
        .app
        .change_brand(&acting, typed.whole(), fields.raw("revision"), what);
    typed.problems = match saved.await {
        Ok(steps) => {
            let done = if steps.is_empty() { "same" } else { "saved" };
            return see(&format!("/admin/settings?done={done}"));
        }
        Err(EditProblem::Store(problem)) => {
            return error::store_failure(&request, &shared, &problem);
        }
        Err(EditProblem::Wrong(problems)) => problems,
        Err(problem @ EditProblem::Overtaken) => vec![problem.to_string()],
    };
    page(&shared, &operator, typed)
}
