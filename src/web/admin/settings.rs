//! `/admin/settings`: where everything is set.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use askama::Template;

use super::brands::brands_of;
use super::frame::{Done, Frame};
use crate::app::passkeys::ceremony::NoHome;
use crate::config::SETTINGS;
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
    pub name: String,
    pub value: String,
    pub about: &'static str,
}

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct SettingsPage {
    frame: Frame,
    brands: Vec<BrandLine>,
    terms: Vec<Term>,
    /// Why nobody can have a passkey here.
    no_passkeys: Option<NoHome>,
}

fn days(span: Option<Duration>) -> String {
    span.map_or_else(
        || "for good".to_owned(),
        |span| format!("{} days", span.as_secs() / 86_400),
    )
}

/// The terms and limits that people ask about, as they are in force.
fn terms(shared: &Web) -> Vec<Term> {
    let config = &shared.app.config;
    let limits = &config.limits;
    let in_force = [
        (
            "retention",
            "unconfirmed_days",
            days(config.retention.unconfirmed_for),
        ),
        (
            "retention",
            "circumstances_days",
            days(config.retention.circumstances_for),
        ),
        (
            "budget",
            "per_form_minutes",
            format!("{} minutes", limits.per_form_every.as_secs() / 60),
        ),
        (
            "budget",
            "per_mailbox_a_day",
            limits.per_mailbox_a_day.to_string(),
        ),
        (
            "budget",
            "per_network_an_hour",
            limits.per_network_an_hour.to_string(),
        ),
        (
            "budget",
            "per_form_an_hour",
            limits.per_form_an_hour.to_string(),
        ),
        (
            "delivery",
            "retry_for_hours",
            format!("{} hours", config.delivery.retry_for.as_secs() / 3_600),
        ),
        (
            "bounce",
            "soft_limit",
            config.bounces.soft_limit.to_string(),
        ),
        (
            "ledger",
            "published",
            if config.ledger.published { "yes" } else { "no" }.to_owned(),
        ),
    ];
    in_force
        .into_iter()
        .filter_map(|(section, key, value)| {
            let setting = SETTINGS
                .iter()
                .find(|setting| setting.section == section && setting.key == key)?;
            Some(Term {
                name: format!("[{section}] {key}"),
                value,
                about: setting.about,
            })
        })
        .chain(providers(shared))
        .collect()
}

/// The mail providers that tell what becomes of mail, and where.
fn providers(shared: &Web) -> impl Iterator<Item = Term> {
    let set_up = shared.app.config.hooks.providers();
    set_up.map(|provider| Term {
        name: format!("[hook] {}", provider.as_str()),
        value: shared.app.url(&format!("/hooks/{}", provider.as_str())),
        about: "Set up: this provider tells at this address what becomes of mail, and mails carry the field that it gives back.",
    })
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
            terms: terms(&shared),
            no_passkeys: shared.app.no_passkeys(),
        },
    )
}
