//! `/admin/settings`: where everything is set.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use askama::Template;

use super::contacts::brands_of;
use super::frame::{Done, Frame};
use crate::domain::brand::in_language;
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::page::render;

const DONE: [(&str, &str); 2] = [
    ("saved", "Saved."),
    ("same", "Nothing was different, so nothing was saved."),
];

/// A brand as the list shows it.
struct BrandLine {
    slug: String,
    name: String,
    purposes: String,
}

/// A setting of the file, as it is in force, with what it does.
pub struct Term {
    pub name: &'static str,
    pub value: String,
    pub about: &'static str,
}

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct SettingsPage {
    frame: Frame,
    brands: Vec<BrandLine>,
    terms: Vec<Term>,
}

/// `GET /admin/settings`
pub async fn show(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    done: Query<Done>,
) -> HttpResponse {
    let brands = brands_of(&shared, &operator)
        .iter()
        .map(|brand| {
            let names: Vec<&str> = brand
                .declared
                .purposes
                .iter()
                .map(|purpose| in_language(&purpose.name, "en"))
                .collect();
            BrandLine {
                slug: brand.declared.slug.to_string(),
                name: brand.declared.name.clone(),
                purposes: names.join(", "),
            }
        })
        .collect();
    let frame = Frame::new(&shared, &operator, "Settings")
        .at("/admin/settings")
        .noticing(done.done.as_deref(), &DONE);
    render(
        StatusCode::OK,
        &SettingsPage {
            frame,
            brands,
            terms: Vec::new(),
        },
    )
}
