//! `/admin/settings`: where everything is set.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use askama::Template;

use super::brands::brands_of;
use super::frame::{Done, Frame};
use super::table::{self, Asked, Cell, Rows, Table, Wrong, as_file};
use crate::app::deliver::PREFERENCES_WITHIN;
use crate::app::links::CHOOSE_WITHIN;
use crate::app::passkeys::ceremony::NoHome;
use crate::app::prefer::{CHANGES_A_DAY, PAUSES};
use crate::config::SETTINGS;
use crate::domain::brand::{BrandDeclaration, in_language};
use crate::domain::operator::Operator;
use crate::domain::reconfirm::ASKED_AGAIN_AFTER;
use crate::web::Web;
use crate::web::page::render;

const PATH: &str = "/admin/settings";

const DONE: [(&str, &str); 2] = [
    ("saved", "Saved."),
    ("same", "Nothing was different, so nothing was saved."),
];

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
    brands: Table,
    terms: Table,
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
            "bounce",
            "feedback",
            match config.bounces.feedback.as_slice() {
                [] => "none".to_owned(),
                all => all.join(", "),
            },
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
        .chain(fixed_terms())
        .chain(providers(shared))
        .collect()
}

/// Terms that nobody sets, so that they are known all the same.
fn fixed_terms() -> impl Iterator<Item = Term> {
    let days = |span: Duration| format!("{} days", span.as_secs() / 86_400);
    let pauses = PAUSES.map(|days| days.to_string()).join(", ");
    let fixed = [
        (
            "fixed: link to the preferences, by mail",
            days(PREFERENCES_WITHIN),
            "How long a link to the preferences works that somebody asked for. It opens everything: choosing, their data, erasing.",
        ),
        (
            "fixed: link to the preferences, for programs",
            days(CHOOSE_WITHIN),
            "How long a link to the preferences works that programs get for mails that they send. Leaving, pausing and the language work at once; to agree to anything, to take data along or to be erased, people have a link sent to them first.",
        ),
        (
            "fixed: link to leave",
            "for good".to_owned(),
            "A link to leave works for as long as the mail is kept that it stands in.",
        ),
        (
            "fixed: pauses",
            format!("{pauses} days"),
            "How long people may pause mail on the preferences page.",
        ),
        (
            "fixed: choices a day",
            CHANGES_A_DAY.to_string(),
            "How often within 24 hours somebody's choices on the preferences page are taken. Leaving and erasing have no limit.",
        ),
        (
            "fixed: asked again by time",
            format!("{ASKED_AGAIN_AFTER} months"),
            "Who was asked again by time (a brand's \u{201c}When it asks again\u{201d}) and did not answer is left alone for so long, or for the brand's own term where that is shorter.",
        ),
    ];
    fixed.into_iter().map(|(name, value, about)| Term {
        name: name.to_owned(),
        value,
        about,
    })
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
    (done, asked): (Query<Done>, Query<Asked>),
) -> HttpResponse {
    let frame = Frame::new(&shared, &operator, "Settings")
        .at("/admin/settings")
        .noticing(done.done.as_deref(), &DONE);
    let now = shared.app.clock.now();
    let brands = Rows {
        caption: "Brands".to_owned(),
        columns: ["Brand", "Name in files", "Purposes", "Time zone", "Overlays"]
            .map(|name| (name, false))
            .into(),
        rows: brands_of(&shared, &operator)
            .iter()
            .map(|brand| brand_row(&brand.declared, frame.may_change()))
            .collect(),
        empty: if frame.may_rule() {
            "No brand yet. A brand is who asks: make the first one with “New brand”, or declare it with its purposes and a form in a file and run countersign apply FILE; the README has one to start from."
        } else {
            "No brand yet. An owner makes the first one here."
        }
        .to_owned(),
    };
    let terms = Rows {
        caption: "Terms and limits".to_owned(),
        columns: ["Setting", "Now", "What it does"]
            .map(|name| (name, false))
            .into(),
        rows: terms(&shared)
            .into_iter()
            .map(|term| {
                vec![
                    Cell::Code(term.name),
                    Cell::Text(term.value),
                    Cell::text(term.about),
                ]
            })
            .collect(),
        empty: String::new(),
    };
    let may_take = frame.may_take();
    let tables = || {
        let brands = brands.arrange(&asked, PATH, now, may_take)?;
        Ok::<_, Wrong>((
            brands,
            terms.arrange(&asked.of("terms_"), PATH, now, may_take)?,
        ))
    };
    let (brands, terms) = match tables() {
        Ok(tables) => tables,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    if let Some(file) = as_file(&[(&brands, "brands"), (&terms, "terms-and-limits")]) {
        return file;
    }
    render(
        StatusCode::OK,
        &SettingsPage {
            frame,
            brands,
            terms,
            no_passkeys: shared.app.no_passkeys(),
        },
    )
}

fn brand_row(brand: &BrandDeclaration, may_change: bool) -> Vec<Cell> {
    let purposes = brand.purposes.iter();
    let purposes: Vec<&str> = purposes
        .map(|purpose| in_language(&purpose.name, "en"))
        .collect();
    let overlays: Vec<&str> = brand.overlays.iter().map(|one| one.as_str()).collect();
    let name = brand.name.clone();
    vec![
        if may_change {
            Cell::link(name, format!("/admin/settings/brands/{}", brand.slug))
        } else {
            Cell::Text(name)
        },
        Cell::Code(brand.slug.to_string()),
        Cell::text(purposes.join(", ")),
        Cell::text(brand.time_zone.as_str()),
        Cell::text(overlays.join(", ")),
    ]
}
