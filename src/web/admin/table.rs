//! Tables: sorted, filtered, a page at a time, and as CSV.
//!
//! A table of which all rows are at hand (`Table::arrange`) is sorted and filtered here. One that the database pages through
//! by key (`Table::paged`) comes in its own order and says where the next page begins.

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;
use form_urlencoded::Serializer;
use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::intake::export;

/// Rows shown at a time.
pub const PAGE: usize = 50;
/// Characters of a filter.
const FILTER_AT_MOST: usize = 100;

/// What of the address tells a table how to show itself. Never an address of a person: those are asked for by a form.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// The column to sort by, with `-` in front for the other way round.
    pub sort: Option<String>,
    /// Shows the rows that have this in some cell.
    pub filter: Option<String>,
    /// Where the page begins: a number of rows, or a key that the page before named.
    pub after: Option<String>,
    /// `csv` for a file with all rows.
    pub format: Option<String>,
}

impl Asked {
    pub fn is_csv(&self) -> bool {
        self.format.as_deref() == Some("csv")
    }
}

/// One cell.
#[derive(Clone, Debug)]
pub enum Cell {
    Text(String),
    Number(i64),
    /// Shown relative to now, with the exact time on hover, in print and in the CSV.
    Time(Timestamp),
    /// A word with a tone: `good`, `bad`, `wait` or `plain`.
    State(String, &'static str),
    Link(String, String),
    /// A name or a hash, in letters of one width.
    Code(String),
    /// A text with more behind it, a line each, which a press unfolds.
    Folded(String, Vec<String>),
    None,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn link(text: impl Into<String>, path: impl Into<String>) -> Self {
        Self::Link(text.into(), path.into())
    }

    pub fn time(at: Option<Timestamp>) -> Self {
        at.map_or(Self::None, Self::Time)
    }

    /// As it stands in a CSV, and as it is searched.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::State(text, _) | Self::Link(text, _) | Self::Code(text) => {
                text.clone()
            }
            Self::Number(number) => number.to_string(),
            Self::Time(at) => at.to_string(),
            Self::Folded(text, lines) if lines.is_empty() => text.clone(),
            Self::Folded(_, lines) => lines.join(" | "),
            Self::None => String::new(),
        }
    }

    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    fn key(&self) -> (u8, i64, String) {
        match self {
            Self::Number(number) => (0, *number, String::new()),
            Self::Time(at) => (0, at.micros(), String::new()),
            other => (1, 0, other.plain().to_lowercase()),
        }
    }
}

/// A column's heading with the way to sort by it.
#[derive(Clone, Debug)]
pub struct Heading {
    pub name: String,
    pub is_number: bool,
    /// Where a press on it leads; none where the order is fixed.
    pub path: Option<String>,
    /// `ascending`, `descending` or `none`, as ARIA has it.
    pub sorted: &'static str,
}

/// A table ready to be shown: a page writes `{{ table|safe }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/table.html")]
pub struct Table {
    pub caption: String,
    pub headings: Vec<Heading>,
    pub rows: Vec<Vec<Cell>>,
    pub now: Timestamp,
    /// What the filter says; none where the table has none.
    pub filter: Option<String>,
    pub path: String,
    pub sort: String,
    /// The number of rows that the filter leaves, where all are known.
    pub total: Option<usize>,
    pub next: Option<String>,
    pub first: Option<String>,
    /// Where the CSV is; none where it may not be taken.
    pub csv: Option<String>,
    /// What is said where there is no row.
    pub empty: String,
}

/// Columns and all rows of a table.
#[derive(Clone, Debug)]
pub struct Rows {
    pub caption: String,
    /// Each with whether its cells are numbers.
    pub columns: Vec<(&'static str, bool)>,
    pub rows: Vec<Vec<Cell>>,
    pub empty: String,
}

fn with(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in pairs.iter().filter(|pair| !pair.1.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else if path.contains('?') {
        format!("{path}&{query}")
    } else {
        format!("{path}?{query}")
    }
}

impl Rows {
    /// Sorts, filters and cuts out a page. `path` is the page that the table stands on; `may_take` says whether whoever looks
    /// may have it as a file.
    pub fn arrange(mut self, asked: &Asked, path: &str, now: Timestamp, may_take: bool) -> Table {
        let filter: String = asked
            .filter
            .as_deref()
            .unwrap_or("")
            .trim()
            .chars()
            .take(FILTER_AT_MOST)
            .collect();
        if !filter.is_empty() {
            let wanted = filter.to_lowercase();
            self.rows.retain(|row| {
                row.iter()
                    .any(|cell| cell.plain().to_lowercase().contains(&wanted))
            });
        }
        let sort = asked.sort.clone().unwrap_or_default();
        let (by, down) = sort
            .strip_prefix('-')
            .map_or((sort.as_str(), false), |by| (by, true));
        let column = self.columns.iter().position(|column| column.0 == by);
        if let Some(column) = column {
            self.rows
                .sort_by_cached_key(|row| row.get(column).map(Cell::key));
            if down {
                self.rows.reverse();
            }
        }
        let headings = self
            .columns
            .iter()
            .enumerate()
            .map(|(number, &(name, is_number))| {
                let here = column == Some(number);
                let turned = if here && !down {
                    format!("-{name}")
                } else {
                    name.to_owned()
                };
                Heading {
                    name: name.to_owned(),
                    is_number,
                    path: Some(with(path, &[("sort", &turned), ("filter", &filter)])),
                    sorted: match (here, down) {
                        (true, true) => "descending",
                        (true, false) => "ascending",
                        (false, _) => "none",
                    },
                }
            })
            .collect();
        let total = self.rows.len();
        let sort = column.map_or_else(String::new, |_| sort.clone());
        let csv = may_take.then(|| {
            with(
                path,
                &[("sort", &sort), ("filter", &filter), ("format", "csv")],
            )
        });
        let skip = asked
            .after
            .as_deref()
            .and_then(|after| after.parse().ok())
            .unwrap_or(0)
            .min(total);
        if !asked.is_csv() {
            self.rows = self.rows.into_iter().skip(skip).take(PAGE).collect();
        }
        let end = skip + self.rows.len();
        let next = (!asked.is_csv() && end < total).then(|| {
            with(
                path,
                &[
                    ("sort", &sort),
                    ("filter", &filter),
                    ("after", &end.to_string()),
                ],
            )
        });
        let first = (skip > 0).then(|| with(path, &[("sort", &sort), ("filter", &filter)]));
        Table {
            caption: self.caption,
            headings,
            rows: self.rows,
            now,
            filter: Some(filter),
            path: path.to_owned(),
            sort,
            total: Some(total),
            next,
            first,
            csv,
            empty: self.empty,
        }
    }

    /// A page that came out of the database in its own order; `next` is the key behind which the next one begins.
    pub fn paged(
        self,
        asked: &Asked,
        path: &str,
        now: Timestamp,
        next: Option<&str>,
        may_take: bool,
    ) -> Table {
        Table {
            caption: self.caption,
            headings: self
                .columns
                .iter()
                .map(|&(name, is_number)| Heading {
                    name: name.to_owned(),
                    is_number,
                    path: None,
                    sorted: "none",
                })
                .collect(),
            rows: self.rows,
            now,
            filter: None,
            path: path.to_owned(),
            sort: String::new(),
            total: None,
            next: next.map(|next| with(path, &[("after", next)])),
            first: asked.after.as_ref().map(|_| path.to_owned()),
            csv: may_take.then(|| with(path, &[("format", "csv")])),
            empty: self.empty,
        }
    }
}

impl Table {
    fn ago(&self, at: &Timestamp) -> String {
        relative(*at, self.now)
    }

    /// The table as a file that a spreadsheet opens, with no cell that it would take for a formula (T25).
    pub fn csv(&self, name: &str) -> HttpResponse {
        let mut text = export::cells(self.headings.iter().map(|heading| heading.name.clone()));
        for row in &self.rows {
            text.push_str(&export::cells(row.iter().map(Cell::plain)));
        }
        csv(name, text)
    }
}

/// An answer that browsers keep as a file.
pub fn csv(name: &str, text: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ))
        .body(text)
}

/// How long ago something was, or how long it still is, in one unit.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let (seconds, ahead) = if at > now {
        (at.since(now).as_secs(), true)
    } else {
        (now.since(at).as_secs(), false)
    };
    let (number, unit) = match seconds {
        0..60 => return if ahead { "in a moment" } else { "just now" }.to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..5_184_000 => (seconds / 86_400, "day"),
        5_184_000..63_072_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    let plural = if number == 1 { "" } else { "s" };
    if ahead {
        format!("in {number} {unit}{plural}")
    } else {
        format!("{number} {unit}{plural} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

    fn rows(count: i64) -> Rows {
        Rows {
            caption: "Things".to_owned(),
            columns: vec![("Name", false), ("Size", true)],
            rows: (0..count)
                .map(|n| vec![Cell::text(format!("thing {n}")), Cell::Number(count - n)])
                .collect(),
            empty: "None.".to_owned(),
        }
    }

    fn asked(sort: &str, filter: &str, after: &str) -> Asked {
        Asked {
            sort: Some(sort.to_owned()),
            filter: Some(filter.to_owned()),
            after: Some(after.to_owned()),
            format: None,
        }
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_a_second_press_turns_the_order_round() {
        let table = rows(12).arrange(&asked("Size", "", ""), "/x", NOW, true);
        assert_eq!(table.rows[0][1].plain(), "1");
        assert_eq!(table.rows[11][1].plain(), "12");
        assert_eq!(table.headings[1].path.as_deref(), Some("/x?sort=-Size"));
        assert_eq!(table.headings[1].sorted, "ascending");
    }

    #[test]
    fn a_filter_looks_into_every_cell_and_pages_keep_it() {
        let table = rows(120).arrange(&asked("", "THING 1", ""), "/x", NOW, false);
        assert_eq!(table.total, Some(31));
        assert_eq!(table.next, None);
        assert_eq!(table.csv, None);
        let table = rows(120).arrange(&asked("", "thing", "50"), "/x", NOW, true);
        assert_eq!(table.rows[0][0].plain(), "thing 50");
        assert_eq!(table.next.as_deref(), Some("/x?filter=thing&after=100"));
        assert_eq!(table.first.as_deref(), Some("/x?filter=thing"));
    }

    #[test]
    fn an_unknown_column_or_place_changes_nothing() {
        let table = rows(3).arrange(&asked("-Colour", "", "many"), "/x", NOW, true);
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.sort, "");
    }

    #[test]
    fn times_are_told_in_one_unit() {
        let of = |seconds| relative(NOW.minus(std::time::Duration::from_secs(seconds)), NOW);
        assert_eq!(of(5), "just now");
        assert_eq!(of(60), "1 minute ago");
        assert_eq!(of(7_300), "2 hours ago");
        assert_eq!(of(200_000), "2 days ago");
        assert_eq!(
            relative(NOW.plus(std::time::Duration::from_secs(90)), NOW),
            "in 1 minute"
        );
    }
}
