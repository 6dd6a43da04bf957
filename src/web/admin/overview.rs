//! `/admin`: what needs somebody, and how signups go.

use std::borrow::Borrow;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::chart::{self, Days, grouped};
use super::frame::Frame;
use super::table::{self, Asked, Cell, Rows, Table, Wrong, csv, relative};
use crate::app::due_again::COUNTED_UP_TO;
use crate::app::figures::Report;
use crate::app::overview::{FailedMail, FormLine, Overview};
use crate::domain::figures::{Figures, percent};
use crate::domain::ids::BrandId;
use crate::domain::operator::Operator;
use crate::intake::export;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

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

/// Something that needs a person.
struct Task {
    what: String,
    /// The words of a server or of a file.
    words: Option<String>,
    mend: String,
    /// A page that mends it.
    link: Option<(&'static str, &'static str)>,
}

/// A step of the funnel.
struct Step {
    name: &'static str,
    count: String,
    rate: String,
    bar: String,
}

/// A form with its figures.
struct FormRow {
    line: FormLine,
    spark: String,
    figures: Figures,
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
    by_day: Table,
    by_source: Table,
    by_domain: Table,
    behind: Option<String>,
    forms: Vec<FormRow>,
    overview: Overview,
    checkpoint: Option<String>,
    timestamps: Vec<(String, String)>,
    witnesses: Vec<(String, String)>,
}

impl OverviewPage {
    fn percent(&self, part: impl Borrow<i64>, whole: impl Borrow<i64>) -> String {
        percent(*part.borrow(), *whole.borrow())
    }

    fn number(&self, number: impl Borrow<i64>) -> String {
        grouped(*number.borrow())
    }

    fn failed(&self) -> &[FailedMail] {
        &self.overview.failed
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
    let arranged = |caption: &str, column: &'static str, rows: Vec<(String, Figures)>, prefix| {
        figures_table(caption, column, rows).arrange(&asked.of(prefix), &here, now, false)
    };
    let named = |lines: &[crate::app::figures::Named]| {
        lines
            .iter()
            .map(|line| (line.name.clone(), line.figures))
            .collect()
    };
    let by_day = (report.first..)
        .zip(&report.days)
        .rev_days()
        .map(|(day, figures)| (chart::date(day), *figures))
        .collect();
    let (sources, domains) = (named(&report.sources), named(&report.domains));
    let tables = || {
        Ok::<_, Wrong>((
            arranged("Figures by day of the signup", "Day", by_day, "days_")?,
            arranged("By source", "Source", sources, "sources_")?,
            arranged("By recipient domain", "Domain", domains, "domains_")?,
        ))
    };
    let (by_day, by_source, by_domain) = match tables() {
        Ok(tables) => tables,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
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
            by_day,
            by_source,
            by_domain,
            behind: (report.behind > 1_000).then(|| grouped(report.behind)),
            forms: forms(&overview, &report),
            checkpoint: overview
                .checkpoint_at
                .map(|at| format!("{} ({})", relative(at, now), at.to_the_minute())),
            timestamps: standings(
                overview
                    .ready
                    .timestamps
                    .iter()
                    .map(|one| (&one.authority, one.sentence())),
            ),
            witnesses: standings(
                overview
                    .ready
                    .witnesses
                    .iter()
                    .map(|one| (&one.witness, one.sentence())),
            ),
            total,
            overview,
            frame,
        },
    )
}

/// Days, the newest first.
trait RevDays<T> {
    fn rev_days(self) -> std::vec::IntoIter<T>;
}

impl<T, I: Iterator<Item = T>> RevDays<T> for I {
    fn rev_days(self) -> std::vec::IntoIter<T> {
        let mut all: Vec<T> = self.collect();
        all.reverse();
        all.into_iter()
    }
}

fn standings<'a>(all: impl Iterator<Item = (&'a String, String)>) -> Vec<(String, String)> {
    all.map(|(name, sentence)| (name.clone(), sentence))
        .collect()
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

fn forms(overview: &Overview, report: &Report) -> Vec<FormRow> {
    let lines = overview.forms.iter().cloned();
    lines
        .map(|line| {
            let known = report.forms.iter().find(|known| known.form == line.form);
            let title = known.map_or_else(
                || "No signups in this time".to_owned(),
                |known| format!("{} signups, day by day", grouped(known.figures.signed_up)),
            );
            FormRow {
                spark: chart::sparkline(&title, known.map_or(&[][..], |known| &known.signups)),
                figures: known.map_or_else(Figures::default, |known| known.figures),
                line,
            }
        })
        .collect()
}

const COLUMNS: [&str; 6] = [
    "Signed up",
    "Mail accepted",
    "Link opened",
    "Confirmed",
    "Declined",
    "Mail failed",
];

fn figures_table(caption: &str, column: &'static str, rows: Vec<(String, Figures)>) -> Rows {
    let columns = COLUMNS.map(|name| (name, true));
    let rate = ("Rate", false);
    Rows {
        caption: caption.to_owned(),
        columns: [(column, false)]
            .into_iter()
            .chain(columns)
            .chain([rate])
            .collect(),
        rows: rows
            .into_iter()
            .map(|(name, of)| {
                let numbers = [
                    of.signed_up,
                    of.mailed,
                    of.opened,
                    of.confirmed,
                    of.declined,
                    of.failed,
                ];
                let rate = percent(of.confirmed, of.signed_up);
                let mut row = vec![Cell::Text(name)];
                row.extend(numbers.map(Cell::Number));
                row.push(Cell::Text(rate));
                row
            })
            .collect(),
        empty: "Nothing in this time.".to_owned(),
    }
}

/// All figures, a line for each day and for each form, source and domain.
fn as_csv(report: &Report) -> String {
    let head = ["of", "name"].into_iter().chain(COLUMNS).map(str::to_owned);
    let mut text = export::cells(head);
    let mut line = |of: &str, name: &str, figures: &Figures| {
        let numbers = [
            figures.signed_up,
            figures.mailed,
            figures.opened,
            figures.confirmed,
            figures.declined,
            figures.failed,
        ];
        let words = [of.to_owned(), name.to_owned()].into_iter();
        text.push_str(&export::cells(
            words.chain(numbers.map(|number| number.to_string())),
        ));
    };
    for (day, figures) in (report.first..).zip(&report.days) {
        line("day", &chart::date(day), figures);
    }
    for form in &report.forms {
        line("form", &form.form, &form.figures);
    }
    for source in &report.sources {
        line("source", &source.name, &source.figures);
    }
    for domain in &report.domains {
        line("domain", &domain.name, &domain.figures);
    }
    text
}

/// What needs a person, the worst first.
fn tasks(overview: &Overview) -> Vec<Task> {
    let ready = &overview.ready;
    let mut tasks = Vec::new();
    let mut add = |what: String, words: Option<String>, mend: &str, link| {
        tasks.push(Task {
            what,
            words,
            mend: mend.to_owned(),
            link,
        });
    };
    if let Some(held) = &ready.sending_held {
        add(
            format!("No mail leaves: {}.", held.why),
            None,
            "This copy does not know the withdrawals and erasures since. Enter them again, or put the newest copy back; then the command countersign restored accept lets mail leave.",
            Some(("/admin/evidence", "What this means")),
        );
    }
    for one in ready.witnesses.iter().filter(|one| one.in_doubt) {
        add(
            format!(
                "The log is in doubt. The witness {} has seen another history of it: {}.",
                one.witness,
                one.problem
                    .as_deref()
                    .unwrap_or_default()
                    .trim_end_matches('.')
            ),
            None,
            "Put the newest copy of the database back before anything else is signed.",
            Some(("/admin/evidence", "Evidence")),
        );
    }
    let waiting = ready.log_waiting.as_ref().map(|waiting| waiting.sentence());
    if let Some(text) = waiting.as_ref().or(ready.log_problem.as_ref()) {
        add(
            format!("The log of evidence does not go on: {text}."),
            None,
            "Events are recorded and wait for it. Have the whole log checked to see what is wrong; countersign verify --log does the same.",
            Some(("/admin/evidence", "Check the log")),
        );
    }
    if let Some(at) = ready.breaker.open_since {
        add(
            format!(
                "Suddenly few people confirm, so somebody may be signing up people who did not ask. Since {} confirmation mails are held; none is lost.",
                at.to_the_minute()
            ),
            None,
            "If these signups are genuine, let the mails go, here or with countersign breaker release.",
            Some(("/admin/delivery?show=held", "Held mails")),
        );
    }
    if let Some(text) = &ready.last_smtp_problem {
        add(
            "Mail does not leave at the moment. The server's words:".to_owned(),
            Some(text.clone()),
            "Waiting mails are tried again by themselves.",
            Some(("/admin/delivery", "Delivery")),
        );
    }
    if ready.mails_failed > 0 {
        add(
            format!(
                "Mails that failed for good: {}.",
                grouped(ready.mails_failed)
            ),
            None,
            "Read what the server said, mend it, and have them tried again.",
            Some(("/admin/delivery?show=failed", "Failed mails")),
        );
    }
    for one in &ready.timestamps {
        if let Some(problem) = one.problem.as_ref().filter(|_| one.failures > 2) {
            add(
                format!(
                    "The authority {} gave no timestamp {} times.",
                    one.authority, one.failures
                ),
                Some(problem.clone()),
                "It is asked again by itself; another authority can stand beside it in the settings.",
                Some(("/admin/evidence", "Evidence")),
            );
        }
    }
    for (brand, purpose, contacts) in &overview.due_again {
        let many = if *contacts >= COUNTED_UP_TO {
            "1,000 or more".to_owned()
        } else {
            contacts.to_string()
        };
        add(
            format!("Contacts of {brand} that are due to be asked again for {purpose}: {many}."),
            None,
            "Their confirmation or use is older than the brand's term. A re-confirmation asks them, also with countersign campaign start --due.",
            Some(("/admin/new-campaign", "New campaign")),
        );
    }
    for (brand, contacts) in &overview.lapsing {
        add(
            format!(
                "Implicit consent of {} contacts of {brand} lapses within 30 days.",
                grouped(*contacts)
            ),
            None,
            "Ask these people to confirm while they may still be asked; countersign lapsing --brand lists them.",
            Some(("/admin/campaigns", "Campaigns")),
        );
    }
    tasks
}
