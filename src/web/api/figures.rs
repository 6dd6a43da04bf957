//! `/api/v1/figures`: how signups and mails go, in numbers of nobody: the figures of the operators' overview and of delivery.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Params;
use super::key::{FiguresRead, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, ok};
use crate::app::figures::{FormFigures, Named};
use crate::domain::figures::{Figures, OTHER, start_of};
use crate::domain::ids::BrandId;
use crate::web::Web;

const DAYS: u32 = 30;
const DAYS_AT_MOST: u32 = 366;
/// Recipient domains of mails that are told by name; the others are told together.
const DOMAINS_AT_MOST: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FiguresQuery {
    /// Only of this brand.
    #[param(example = "acme")]
    brand: Option<String>,
    /// So many days up to today (UTC), 1 to 366; by default 30.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// Numbers of signups, each under the day of the signup, whenever something became of it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct SignupFigures {
    signed_up: i64,
    /// Of these, those that caused no mail: a budget was used up, the person wants none, or a program signed up.
    held_back: i64,
    /// Of these, those of which a server took a mail.
    mailed: i64,
    /// Of these, those whose confirmation link was opened, by whomever.
    opened: i64,
    confirmed: i64,
    declined: i64,
    /// Of these, those of which a mail was given up.
    failed: i64,
    /// Of these, those that a later signup replaced, or whose address was corrected.
    replaced: i64,
}

impl From<Figures> for SignupFigures {
    fn from(of: Figures) -> Self {
        Self {
            signed_up: of.signed_up,
            held_back: of.held_back,
            mailed: of.mailed,
            opened: of.opened,
            confirmed: of.confirmed,
            declined: of.declined,
            failed: of.failed,
            replaced: of.replaced,
        }
    }
}

/// Shares of those who signed up, 0 to 1; null where nobody did.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignupRates {
    mailed: Option<f64>,
    opened: Option<f64>,
    confirmed: Option<f64>,
    declined: Option<f64>,
    failed: Option<f64>,
}

impl From<Figures> for SignupRates {
    fn from(of: Figures) -> Self {
        let share = |part: i64| (of.signed_up > 0).then(|| part as f64 / of.signed_up as f64);
        Self {
            mailed: share(of.mailed),
            opened: share(of.opened),
            confirmed: share(of.confirmed),
            declined: share(of.declined),
            failed: share(of.failed),
        }
    }
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayFigures {
    #[schema(format = Date)]
    day: String,
    figures: SignupFigures,
    /// People who left on this day.
    withdrawn: i64,
}

/// What figures are of, with them.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedFigures {
    /// `other`: all that are not told by name.
    name: String,
    figures: SignupFigures,
    rates: SignupRates,
}

/// A form with its signups day by day.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfForm {
    form: String,
    figures: SignupFigures,
    rates: SignupRates,
    /// One number for each day.
    signed_up_by_day: Vec<i64>,
}

/// How soon people confirmed; the classes do not overlap.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimeClass {
    #[schema(example = "within a minute")]
    time: &'static str,
    confirmed: i64,
}

/// How signups went.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiguresAnswer {
    #[schema(format = Date)]
    from: String,
    /// Today (UTC).
    #[schema(format = Date)]
    to: String,
    total: SignupFigures,
    rates: SignupRates,
    times: Vec<TimeClass>,
    /// The class of the middle confirmation.
    median: Option<&'static str>,
    /// Oldest first, each day of the time.
    days: Vec<DayFigures>,
    forms: Vec<OfForm>,
    sources: Vec<NamedFigures>,
    /// By recipient domain: the twenty with most signups, and the others together.
    domains: Vec<NamedFigures>,
    /// What campaigns asked.
    invited: SignupFigures,
    /// Events that are logged and not counted yet.
    behind: i64,
}

/// What became of mails to a recipient domain, each under the day on which it became so.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailFigures {
    /// `other`: all that are not told by name.
    domain: String,
    /// Taken by a server.
    accepted: i64,
    /// Given up.
    failed: i64,
    came_back: i64,
    complaints: i64,
}

fn date(day: i64) -> String {
    start_of(day).to_string().chars().take(10).collect()
}

fn named(all: Vec<Named>) -> Vec<NamedFigures> {
    let each = all.into_iter().map(|one| NamedFigures {
        name: one.name,
        figures: one.figures.into(),
        rates: one.figures.into(),
    });
    each.collect()
}

fn of_form(one: FormFigures) -> OfForm {
    OfForm {
        form: one.form,
        figures: one.figures.into(),
        rates: one.figures.into(),
        signed_up_by_day: one.signups,
    }
}

/// The brands and the number of days that are asked about.
fn asked(
    shared: &Web,
    key: &Key<FiguresRead>,
    query: FiguresQuery,
) -> Result<(Vec<BrandId>, i64), ApiProblem> {
    let days = query.days.unwrap_or(DAYS);
    if !(1..=DAYS_AT_MOST).contains(&days) {
        let detail = format!("days is 1 to {DAYS_AT_MOST}.");
        return Err(ApiProblem::malformed(detail));
    }
    let brands = match &query.brand {
        Some(slug) => vec![key.brand(shared, slug)?.id],
        None => key.brands(shared).iter().map(|brand| brand.id).collect(),
    };
    Ok((brands, i64::from(days)))
}

/// The funnel and its rates: in all, by day, form, source and recipient domain.
///
/// They are sums by day behind the log, some seconds old.
#[utoipa::path(get, path = "/api/v1/figures", operation_id = "getFigures", tag = "Figures", params(FiguresQuery),
    security(("key" = ["figures:read"])),
    responses((status = 200, description = "The figures", body = FiguresAnswer)))]
pub async fn show(
    shared: web::Data<Web>,
    key: Key<FiguresRead>,
    query: Params<FiguresQuery>,
) -> Answer {
    let (brands, days) = asked(&shared, &key, query.0)?;
    let report = shared.app.figures(&brands, days).await?;
    let total = report.total();
    let times = total
        .times()
        .map(|(time, confirmed)| TimeClass { time, confirmed });
    ok(&FiguresAnswer {
        from: date(report.first),
        to: date(report.first + days - 1),
        total: total.into(),
        rates: total.into(),
        times: times.into(),
        median: total.median(),
        days: (report.first..)
            .zip(&report.days)
            .map(|(day, of)| DayFigures {
                day: date(day),
                figures: (*of).into(),
                withdrawn: of.withdrawn,
            })
            .collect(),
        forms: report.forms.into_iter().map(of_form).collect(),
        sources: named(report.sources),
        domains: named(report.domains),
        invited: report.invited.into(),
        behind: report.behind,
    })
}

/// How mails fare by recipient domain, most mails first.
#[utoipa::path(get, path = "/api/v1/figures/mails", operation_id = "listMailFigures", tag = "Figures", params(FiguresQuery),
    security(("key" = ["figures:read"])),
    responses((status = 200, description = "At most 200 domains by name, and the others together", body = Page<MailFigures>)))]
pub async fn mails(
    shared: web::Data<Web>,
    key: Key<FiguresRead>,
    query: Params<FiguresQuery>,
) -> Answer {
    let (brands, days) = asked(&shared, &key, query.0)?;
    let lines = shared.app.mail_figures(&brands, days).await?;
    let (mut told, mut others) = (Vec::new(), Figures::default());
    for line in lines {
        if line.name == OTHER || told.len() == DOMAINS_AT_MOST {
            others += line.figures;
        } else {
            told.push(line);
        }
    }
    if others != Figures::default() {
        let name = OTHER.to_owned();
        told.push(Named {
            name,
            figures: others,
        });
    }
    let items = told.into_iter().map(|line| MailFigures {
        domain: line.name,
        accepted: line.figures.mailed,
        failed: line.figures.failed,
        came_back: line.figures.bounced,
        complaints: line.figures.complained,
    });
    ok(&Page {
        items: items.collect(),
        next: None,
    })
}
