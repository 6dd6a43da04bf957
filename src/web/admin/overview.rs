//! `/admin`: what needs somebody, and how signups go.

mod tables;
mod tasks;

use std::borrow::Borrow;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::chart::{self, Days, grouped};
use super::delivery::counted;
use super::frame::Frame;
use super::table::{self, Asked, csv, relative};
use crate::app::overview::Overview;
use crate::domain::figures::{Figures, percent};
use crate::domain::ids::BrandId;
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;
use tables::{Tables, as_csv};
use tasks::{Task, tasks};

/// Days that can be looked at.
const SPANS: [i64; 3] = [7, 30, 90];
const SPAN: i64 = 30;

/// What of the address chooses the figures.
#[derive(Debug, Default, Deserialize)]
pub struct Chosen {
    brand: Option<String>,
    days: Option<String>,
    format: Option<String>,
}

/// A step of the funnel.
struct Step {
    name: &'static str,
    count: String,
    rate: String,
    bar: String,
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct OverviewPage {
    frame: Frame,
    tasks: Vec<Task>,
    brands: Vec<(String, String, bool)>,
    spans: Vec<(i64, bool)>,
    days: i64,
    csv: Option<String>,
    total: Figures,
    funnel: Vec<Step>,
    invited: Vec<Step>,
    median: Option<&'static str>,
    times: Vec<Step>,
    chart: String,
    top: String,
    first: String,
    last: String,
    behind: Option<String>,
    tables: Tables,
    overview: Overview,
    checkpoint: Option<String>,
}

impl OverviewPage {
    fn number(&self, number: impl Borrow<i64>) -> String {
        grouped(*number.borrow())
    }

    fn counted(&self, number: impl Borrow<i64>) -> String {
        counted(*number.borrow())
    }
}

/// `GET /admin`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    (chosen, asked): (Query<Chosen>, Query<Asked>),
) -> HttpResponse {
    let catalog = shared.app.catalog();
    let days = chosen
        .days
        .as_deref()
        .and_then(|days| days.parse().ok())
        .filter(|days| SPANS.contains(days))
        .unwrap_or(SPAN);
    let theirs = catalog
        .brands
        .iter()
        .filter(|brand| operator.works_for(brand.id));
    let brands: Vec<(String, String, bool)> = theirs
        .clone()
        .map(|brand| {
            let slug = brand.declared.slug.to_string();
            let here = chosen.brand.as_deref() == Some(&slug);
            (slug, brand.declared.name.clone(), here)
        })
        .collect();
    let is_one = brands.iter().any(|brand| brand.2);
    let wanted: Vec<BrandId> = theirs
        .filter(|brand| !is_one || chosen.brand.as_deref() == Some(brand.declared.slug.as_str()))
        .map(|brand| brand.id)
        .collect();
    let found = async {
        let mut overview = shared.app.overview().await?;
        overview.ready = shared.app.kept_to(&operator, overview.ready).await?;
        Ok((overview, shared.app.figures(&wanted, days).await?))
    };
    let (mut overview, report) = match found.await {
        Ok(found) => found,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    overview.keep_to(&operator);
    let is_wanted = |brand: &BrandId| wanted.contains(brand);
    overview.forms.retain(|line| is_wanted(&line.brand_id));
    if chosen.format.as_deref() == Some("csv") {
        return csv("figures", as_csv(&report));
    }
    let now = shared.app.clock.now();
    let frame = Frame::new(&shared, &operator, "Overview").at("/admin");
    let path = |format: &str| {
        let brand = chosen.brand.as_deref().filter(|_| is_one).unwrap_or("");
        format!("/admin?brand={brand}&days={days}{format}")
    };
    let total = report.total();
    let values = |of: fn(&Figures) -> i64| report.days.iter().map(of).collect();
    let drawn = Days {
        id: "signups",
        title: "Signups and confirmations by day of the signup",
        first: report.first,
        behind: ("signed up", values(|day| day.signed_up)),
        before: ("confirmed", values(|day| day.confirmed)),
    };
    let last = report.first + days - 1;
    let here = path("");
    let what = (&overview, &report);
    let tables = match Tables::of(what, (&asked, &here), now, frame.may_take()) {
        Ok(tables) => tables,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    if let Some(file) = tables.file() {
        return file;
    }
    render(
        StatusCode::OK,
        &OverviewPage {
            tasks: tasks(&overview),
            brands,
            spans: SPANS.iter().map(|span| (*span, *span == days)).collect(),
            days,
            csv: frame.may_take().then(|| path("&format=csv")),
            funnel: funnel("Signed up", &total),
            invited: if report.invited.signed_up > 0 {
                funnel("Asked", &report.invited)
            } else {
                Vec::new()
            },
            median: total.median(),
            times: total
                .times()
                .map(|(name, count)| step(name, count, total.confirmed))
                .into(),
            chart: drawn.svg(),
            top: grouped(drawn.top()),
            first: chart::date(report.first),
            last: chart::date(last),
            behind: (report.behind > 1_000).then(|| grouped(report.behind)),
            tables,
            checkpoint: overview
                .checkpoint_at
                .map(|at| format!("{} ({})", relative(at, now), at.to_the_minute())),
            total,
            overview,
            frame,
        },
    )
}

fn step(name: &'static str, count: i64, whole: i64) -> Step {
    Step {
        name,
        count: grouped(count),
        rate: percent(count, whole),
        bar: chart::bar(count, whole),
    }
}

fn funnel(begins: &'static str, figures: &Figures) -> Vec<Step> {
    [
        (begins, figures.signed_up),
        ("Mail accepted", figures.mailed),
        ("Link opened", figures.opened),
        ("Confirmed", figures.confirmed),
    ]
    .map(|(name, count)| step(name, count, figures.signed_up))
    .into()
}
