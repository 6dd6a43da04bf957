//! The figures of signups and mails for some days and brands, out of the summaries.

use std::collections::BTreeMap;

use super::App;
use crate::domain::figures::{Dimension, Figures, OTHER, day_of};
use crate::domain::ids::BrandId;
use crate::store::set::ROWS_AT_MOST;
use crate::store::summaries::{self, Span};
use crate::store::{Conn, StoreError, log};

/// Domains that are shown by name; the others are shown together.
const DOMAINS_SHOWN: usize = 20;

/// Figures with what they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub figures: Figures,
}

/// A form's figures, with its signups day by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormFigures {
    pub form: String,
    pub figures: Figures,
    pub signups: Vec<i64>,
}

/// What the overview shows of some days.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first day, as days since 1970 (UTC). The last one is today.
    pub first: i64,
    /// One for each day.
    pub days: Vec<Figures>,
    pub forms: Vec<FormFigures>,
    /// Most signups first.
    pub sources: Vec<Named>,
    pub domains: Vec<Named>,
    /// What campaigns asked.
    pub invited: Figures,
    /// Events that are logged and not counted yet.
    pub behind: i64,
}

impl Report {
    pub fn total(&self) -> Figures {
        self.days.iter().copied().sum()
    }
}

impl App {
    /// The figures of these brands for so many days up to today.
    pub async fn figures(&self, brands: &[BrandId], days: i64) -> Result<Report, StoreError> {
        let last = day_of(self.clock.now());
        let first = last - days.max(1) + 1;
        let mut conn = self.store.read().await?;
        let mut report = Report {
            first,
            behind: behind(&mut conn).await?,
            ..Report::default()
        };
        let count = usize::try_from(last - first + 1).unwrap_or(1);
        report.days = vec![Figures::default(); count];
        let mut forms: BTreeMap<String, FormFigures> = BTreeMap::new();
        let place = |day: i64| usize::try_from(day - first).ok().filter(|at| *at < count);
        for part in brands.chunks(ROWS_AT_MOST) {
            let span = |dimension| Span {
                brands: part,
                dimension,
                first,
                last,
            };
            for line in summaries::by_day(&mut conn, span(Dimension::All)).await? {
                if let Some(day) = place(line.day).and_then(|at| report.days.get_mut(at)) {
                    *day += line.figures;
                }
            }
            for line in summaries::by_day(&mut conn, span(Dimension::Form)).await? {
                let form = forms
                    .entry(line.name.clone())
                    .or_insert_with(|| FormFigures {
                        form: line.name.clone(),
                        figures: Figures::default(),
                        signups: vec![0; count],
                    });
                form.figures += line.figures;
                if let Some(day) = place(line.day).and_then(|at| form.signups.get_mut(at)) {
                    *day += line.figures.signed_up;
                }
            }
            add(
                &mut report.sources,
                summaries::by_name(&mut conn, span(Dimension::Source)).await?,
            );
            add(
                &mut report.domains,
                summaries::by_name(&mut conn, span(Dimension::Domain)).await?,
            );
            for line in summaries::by_name(&mut conn, span(Dimension::Invited)).await? {
                report.invited += line.figures;
            }
        }
        report.forms = forms.into_values().collect();
        report.forms.sort_by(|one, other| {
            (other.figures.signed_up, &one.form).cmp(&(one.figures.signed_up, &other.form))
        });
        most_first(&mut report.sources, |figures| figures.signed_up);
        most_first(&mut report.domains, |figures| figures.signed_up);
        shorten(&mut report.domains);
        Ok(report)
    }

    /// What became of mails by recipient domain, for so many days up to today, most mails first.
    pub async fn mail_figures(
        &self,
        brands: &[BrandId],
        days: i64,
    ) -> Result<Vec<Named>, StoreError> {
        let last = day_of(self.clock.now());
        let mut conn = self.store.read().await?;
        let mut found = Vec::new();
        for part in brands.chunks(ROWS_AT_MOST) {
            let span = Span {
                brands: part,
                dimension: Dimension::Mail,
                first: last - days.max(1) + 1,
                last,
            };
            add(&mut found, summaries::by_name(&mut conn, span).await?);
        }
        most_first(&mut found, |figures| figures.mailed + figures.failed);
        Ok(found)
    }

    /// Events that are logged and not counted yet.
    pub async fn figures_behind(&self) -> Result<i64, StoreError> {
        behind(&mut self.store.read().await?).await
    }
}

async fn behind(conn: &mut Conn) -> Result<i64, StoreError> {
    let logged = log::head(conn).await?.map_or(0, |head| head.last_position);
    Ok((logged - summaries::cursor(conn).await?.position).max(0))
}

fn add(sums: &mut Vec<Named>, lines: Vec<summaries::Line>) {
    for line in lines {
        match sums.iter_mut().find(|sum| sum.name == line.name) {
            Some(sum) => sum.figures += line.figures,
            None => sums.push(Named {
                name: line.name,
                figures: line.figures,
            }),
        }
    }
}

fn most_first(lines: &mut [Named], of: fn(&Figures) -> i64) {
    lines.sort_by(|one, other| {
        let key = |line: &Named| (line.name == OTHER, -of(&line.figures));
        (key(one), &one.name).cmp(&(key(other), &other.name))
    });
}

/// Puts the small ones together with the others.
fn shorten(lines: &mut Vec<Named>) {
    let others: Figures = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| *at >= DOMAINS_SHOWN || line.name == OTHER)
        .map(|(_, line)| line.figures)
        .sum();
    lines.truncate(DOMAINS_SHOWN);
    lines.retain(|line| line.name != OTHER);
    if others != Figures::default() {
        lines.push(Named {
            name: OTHER.to_owned(),
            figures: others,
        });
    }
}
