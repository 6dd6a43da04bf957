//! `/admin/settings`: where everything is set.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use askama::Template;

use super::brands::brands_of;
use super::frame::{Done, Frame};
use super::table::{self, Asked, Cell, Rows, Table, Wrong, as_file};
use crate::app::passkeys::ceremony::NoHome;
use crate::app::prefer::{CHANGES_A_DAY, PAUSES};
use crate::app::{drafts, lapse, repeat, summarize, tidy, webhooks};
use crate::config::SETTINGS;
use crate::domain::booth::REMEMBERED_FOR;
use crate::domain::brand::{BrandDeclaration, in_language};
use crate::domain::operator::Operator;
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
            "unasked_days",
            days(config.retention.unasked_for),
        ),
        (
            "retention",
            "circumstances_days",
            days(config.retention.circumstances_for),
        ),
        (
            "leaving",
            "mailed_link_days",
            days(Some(config.links.mailed)),
        ),
        (
            "leaving",
            "program_link_days",
            days(Some(config.links.handed_out)),
        ),
        (
            "campaign",
            "asked_again_months",
            format!("{} months", config.asked_again_after),
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
    let days = |span: Duration| match span.as_secs() / 86_400 {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let pauses = PAUSES.map(|days| days.to_string()).join(", ");
    let fixed = [
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
            "fixed: links that were opened",
            days(tidy::OPENINGS_KEPT_FOR),
            "How long it is kept apart from the events which networks opened which links, by which programs are told from people. No request lives longer.",
        ),
        (
            "fixed: notice before consent lapses",
            days(lapse::NOTICE),
            "So long before implicit consent ends it is told on the overview, and by mail where [notice] email says to whom.",
        ),
        (
            "fixed: lists and campaigns begun",
            days(drafts::KEPT_FOR),
            "How long a list that was brought, or a campaign that is being put together, waits for somebody to go on with it.",
        ),
        (
            "fixed: reports of lists",
            days(drafts::REPORT_KEPT_FOR),
            "How long the report of a list that was taken in can be fetched here, if nobody is erased before.",
        ),
        (
            "fixed: numbers of booth entries",
            days(REMEMBERED_FOR),
            "How long it is known which entries of a booth's tablet were recorded, so that none is twice.",
        ),
        (
            "fixed: small domains in figures",
            days(summarize::SMALL_NAMED_FOR),
            "How long figures name a domain that few people have; then it counts among the others.",
        ),
        (
            "fixed: what webhooks were told",
            days(webhooks::KEPT_FOR),
            "How long the deliveries of a webhook are listed.",
        ),
        (
            "fixed: answers to repeated requests",
            days(repeat::KEPT_FOR),
            "How long the API gives a request with the same Idempotency-Key the same answer.",
        ),
        (
            "fixed: mails held for a sudden fall",
            days(tidy::TRIPS_KEPT_FOR),
            "How long it is listed when mails were held since few of them were confirmed.",
        ),
        (
            "fixed: notices to the operator",
            days(tidy::NOTICES_KEPT_FOR),
            "How long it is kept when [notice] email was written to.",
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
