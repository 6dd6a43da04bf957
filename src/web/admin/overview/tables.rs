//! The tables of the overview, and all its figures as one file.

use actix_web::HttpResponse;

use super::chart::{self, grouped};
use crate::app::figures::{Named, Report};
use crate::app::overview::{FormLine, Overview};
use crate::domain::figures::{Figures, percent};
use crate::domain::time::Timestamp;
use crate::intake::export;
use crate::web::admin::table::{Asked, Cell, Rows, Table, Wrong, as_file};

/// Each table has names of its own in the page's address.
pub struct Tables {
    pub by_day: Table,
    pub by_source: Table,
    pub by_domain: Table,
    pub forms: Table,
    pub failed: Table,
    pub timestamps: Table,
    pub witnesses: Table,
}

impl Tables {
    /// The tables of a page at `path`, as its address asks for them.
    pub fn of(
        (overview, report): (&Overview, &Report),
        (asked, path): (&Asked, &str),
        now: Timestamp,
        may_take: bool,
    ) -> Result<Self, Wrong> {
        let arranged = |rows: Rows, prefix| rows.arrange(&asked.of(prefix), path, now, may_take);
        let mut by_day: Vec<(String, Figures)> = (report.first..)
            .zip(&report.days)
            .map(|(day, figures)| (chart::date(day), *figures))
            .collect();
        by_day.reverse();
        let ready = &overview.ready;
        let stamps = ready.timestamps.iter();
        let stamps = stamps.map(|one| (one.authority.clone(), one.sentence()));
        let witnesses = ready.witnesses.iter();
        let witnesses = witnesses.map(|one| (one.witness.clone(), one.sentence()));
        Ok(Self {
            by_day: arranged(
                figures_table("Figures by day of the signup", "Day", by_day),
                "days_",
            )?,
            by_source: arranged(
                figures_table("By source", "Source", named(&report.sources)),
                "sources_",
            )?,
            by_domain: arranged(
                figures_table("By recipient domain", "Domain", named(&report.domains)),
                "domains_",
            )?,
            forms: arranged(forms_table(overview, report), "forms_")?,
            failed: arranged(failed_table(overview), "failed_")?,
            timestamps: arranged(
                standings("Timestamps of the log", "Authority", stamps),
                "stamps_",
            )?,
            witnesses: arranged(
                standings("Witnesses of the log", "Witness", witnesses),
                "witnesses_",
            )?,
        })
    }

    /// The one that is asked for as a file.
    pub fn file(&self) -> Option<HttpResponse> {
        as_file(&[
            (&self.by_day, "figures-by-day"),
            (&self.by_source, "figures-by-source"),
            (&self.by_domain, "figures-by-domain"),
            (&self.forms, "figures-by-form"),
            (&self.failed, "failed-mails"),
            (&self.timestamps, "authorities"),
            (&self.witnesses, "witnesses"),
        ])
    }
}

fn named(lines: &[Named]) -> Vec<(String, Figures)> {
    let lines = lines.iter();
    lines
        .map(|line| (line.name.clone(), line.figures))
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

/// Each form with its signups day by day.
fn forms_table(overview: &Overview, report: &Report) -> Rows {
    let row = |line: &FormLine| {
        let known = report.forms.iter().find(|known| known.form == line.form);
        let title = known.map_or_else(
            || "No signups in this time".to_owned(),
            |known| format!("{} signups, day by day", grouped(known.figures.signed_up)),
        );
        let figures = known.map_or_else(Figures::default, |known| known.figures);
        let signups = known.map_or(&[][..], |known| &known.signups);
        let form = &line.form;
        vec![
            Cell::text(line.brand.as_str()),
            Cell::link(form.as_str(), format!("/admin/forms/{form}")),
            Cell::Drawn(chart::sparkline(&title, signups)),
            Cell::Number(figures.signed_up),
            Cell::Number(figures.confirmed),
            Cell::Text(percent(figures.confirmed, figures.signed_up)),
            Cell::Code(line.version.clone()),
            Cell::text(line.languages.as_str()),
            Cell::Links(vec![
                ("Form", format!("/f/{form}")),
                ("Embed", format!("/f/{form}/embed")),
            ]),
        ]
    };
    Rows {
        caption: "Forms".to_owned(),
        columns: vec![
            ("Brand", false),
            ("Form", false),
            ("Day by day", false),
            ("Signed up", true),
            ("Confirmed", true),
            ("Rate", false),
            ("Version", false),
            ("Languages", false),
            ("Pages", false),
        ],
        rows: overview.forms.iter().map(row).collect(),
        empty: "No form yet. Under Forms one is made; countersign apply FILE takes a declaration with brand, purposes and form, and the README has one to start from.".to_owned(),
    }
}

fn failed_table(overview: &Overview) -> Rows {
    Rows {
        caption: "Mails that failed".to_owned(),
        columns: vec![
            ("Recipient domain", false),
            ("Tries", true),
            ("The server's reply", false),
        ],
        rows: overview
            .failed
            .iter()
            .map(|mail| {
                vec![
                    Cell::text(mail.domain.as_str()),
                    Cell::Number(mail.tries),
                    Cell::text(mail.reply.as_str()),
                ]
            })
            .collect(),
        empty: "None.".to_owned(),
    }
}

fn standings(
    caption: &str,
    who: &'static str,
    all: impl Iterator<Item = (String, String)>,
) -> Rows {
    Rows {
        caption: caption.to_owned(),
        columns: vec![(who, false), ("How it stands", false)],
        rows: all
            .map(|(name, sentence)| vec![Cell::Text(name), Cell::Text(sentence)])
            .collect(),
        empty: "None is named in the settings.".to_owned(),
    }
}

/// All figures, a line for each day and for each form, source and domain.
pub fn as_csv(report: &Report) -> String {
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
