//! Tables: sorted, filtered, a page at a time, and as CSV.
//!
//! A table of which all rows are at hand (`Rows::arrange`) is sorted by any of its columns here. One that the database pages
//! through by key (`Rows::paged`) is sorted by those behind which an index stands, and filtered while it is read (`sift`).

pub mod arrange;
pub mod asked;
mod cell;
pub mod sift;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;
use form_urlencoded::Serializer;

pub use asked::{Asked, Choice, Order, Wrong};
pub use cell::{Act, Cell};
pub use sift::{Sifted, Wanted, stream};

use super::say;
use crate::domain::operator::Operator;
use crate::domain::time::Timestamp;
use crate::intake::export;
use crate::web::Web;

/// Rows shown at a time.
pub const PAGE: usize = 50;

/// A column's heading with the way to sort by it.
#[derive(Clone, Debug)]
pub struct Heading {
    pub name: String,
    pub is_number: bool,
    /// Where a press on it leads; none where nothing is sorted by it.
    pub path: Option<String>,
    /// `ascending`, `descending` or `none`, as ARIA has it.
    pub sorted: &'static str,
}

/// A choice as the page shows it.
#[derive(Clone, Debug)]
pub struct Choosing {
    pub name: String,
    pub label: &'static str,
    /// Value, words, and whether it is chosen.
    pub options: Vec<(String, String, bool)>,
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
    pub filter_name: String,
    pub choices: Vec<Choosing>,
    /// Whether anything is filtered.
    pub is_filtered: bool,
    /// The page without its query, and what of that a filter keeps.
    pub action: String,
    pub kept: Vec<(String, String)>,
    /// The page that shows all rows.
    pub all: String,
    /// The number of rows that the filter leaves, where all are known.
    pub total: Option<usize>,
    /// How many rows were looked through where a filter left few of them and there are more.
    pub looked: Option<usize>,
    pub next: Option<String>,
    pub first: Option<String>,
    /// Where the CSV is; none where it may not be taken.
    pub csv: Option<String>,
    /// Whether it is asked for as a file.
    pub is_file: bool,
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

/// Where a table stands, and how its addresses are made.
#[derive(Clone, Debug)]
struct Place {
    path: String,
    prefix: &'static str,
    /// What is sorted and filtered by, as it stands in addresses.
    sort: String,
    filters: Vec<(String, String)>,
}

impl Place {
    /// The page with this order and these filters, and more.
    fn with(&self, sort: &str, filters: &[(String, String)], more: &[(&str, &str)]) -> String {
        let (path, kept) = split(&self.path);
        let mut query = Serializer::new(String::new());
        for (name, value) in &kept {
            query.append_pair(name, value);
        }
        let own = [("sort", sort)].into_iter().chain(more.iter().copied());
        for (name, value) in own.filter(|pair| !pair.1.is_empty()) {
            query.append_pair(&format!("{}{name}", self.prefix), value);
        }
        for (name, value) in filters {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        }
    }

    fn sorted(&self, sort: &str) -> String {
        self.with(sort, &self.filters, &[])
    }

    fn at(&self, more: &[(&str, &str)]) -> String {
        self.with(&self.sort, &self.filters, more)
    }
}

/// A path without its query, and the pairs of that.
fn split(path: &str) -> (String, Vec<(String, String)>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    (path.to_owned(), pairs.collect())
}

/// How a table that the database pages through is shown.
#[derive(Clone, Debug)]
pub struct Paging<'a> {
    pub asked: &'a Asked,
    pub path: &'a str,
    pub now: Timestamp,
    /// The columns behind which an index stands.
    pub sorts: &'a [&'static str],
    /// The order that the rows are in.
    pub order: Order,
    pub wanted: &'a Wanted,
    pub may_take: bool,
}

impl Rows {
    /// A page that came out of the database; `next` is the key behind which the next one begins.
    pub fn paged(mut self, paging: &Paging<'_>, sifted: Sifted<String>) -> Table {
        let Paging { asked, wanted, .. } = paging;
        let place = Place {
            path: paging.path.to_owned(),
            prefix: asked.prefix,
            sort: asked.sort.clone().unwrap_or_default(),
            filters: wanted.pairs(asked.prefix),
        };
        let sorts = |name: &str| paging.sorts.contains(&name);
        let headings = self.headings(&place, Some(paging.order), sorts);
        self.rows = sifted.rows;
        Table {
            total: None,
            looked: sifted.looked,
            next: sifted.next.map(|next| place.at(&[("after", &next)])),
            first: asked.after.as_ref().map(|_| place.at(&[])),
            csv: paging
                .may_take
                .then(|| place.with(&place.sort, &place.filters, &[("format", "csv")])),
            ..self.shown(&place, headings, wanted, paging.now)
        }
    }

    /// A short table whose order says something: nothing is sorted, filtered or taken along.
    pub fn fixed(mut self, now: Timestamp) -> Table {
        let place = Place {
            path: String::new(),
            prefix: "",
            sort: String::new(),
            filters: Vec::new(),
        };
        let headings = self.headings(&place, None, |_| false);
        let rows = std::mem::take(&mut self.rows);
        Table {
            rows,
            filter: None,
            ..self.shown(&place, headings, &Wanted::default(), now)
        }
    }

    fn headings(
        &self,
        place: &Place,
        order: Option<Order>,
        sorts: impl Fn(&str) -> bool,
    ) -> Vec<Heading> {
        let of = |&(name, is_number): &(&'static str, bool)| {
            let here = order.filter(|order| order.by == name);
            let turned = match here {
                Some(order) if !order.down => Order::down(name),
                _ => Order::up(name),
            };
            Heading {
                name: name.to_owned(),
                is_number,
                path: sorts(name).then(|| place.sorted(&turned.written())),
                sorted: match here {
                    Some(order) if order.down => "descending",
                    Some(_) => "ascending",
                    None => "none",
                },
            }
        };
        self.columns.iter().map(of).collect()
    }

    /// With its rows, and nothing known of further pages.
    fn shown(
        self,
        place: &Place,
        headings: Vec<Heading>,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Table {
        let (action, mut kept) = split(&place.path);
        if !place.sort.is_empty() {
            kept.push((format!("{}sort", place.prefix), place.sort.clone()));
        }
        Table {
            caption: self.caption,
            headings,
            rows: self.rows,
            now,
            filter: wanted.has_text.then(|| wanted.text.clone()),
            filter_name: format!("{}filter", place.prefix),
            choices: wanted.choosing(place.prefix),
            is_filtered: !wanted.is_all(),
            action,
            kept,
            all: place.with(&place.sort, &[], &[]),
            total: None,
            looked: None,
            next: None,
            first: None,
            csv: None,
            is_file: false,
            empty: self.empty,
        }
    }
}

impl Table {
    fn ago(&self, at: &Timestamp) -> String {
        relative(*at, self.now)
    }

    /// Whether there is enough to be filtered, or something is.
    fn has_filters(&self) -> bool {
        let is_long = self.total.unwrap_or(0) > 7
            || self.next.is_some()
            || self.first.is_some()
            || self.rows.len() > 7;
        (self.filter.is_some() || !self.choices.is_empty()) && (self.is_filtered || is_long)
    }

    /// The table as a file that a spreadsheet opens, with no cell that it would take for a formula (T25), and without what is
    /// there for a page only.
    pub fn csv(&self, name: &str) -> HttpResponse {
        let columns: Vec<usize> = (0..self.headings.len())
            .filter(|at| !self.rows.iter().any(|row| is_for_pages(row, *at)))
            .collect();
        let names = columns.iter().filter_map(|at| self.headings.get(*at));
        let mut text = export::cells(names.map(|heading| heading.name.clone()));
        for row in &self.rows {
            let cells = columns.iter().filter_map(|at| row.get(*at));
            text.push_str(&export::cells(cells.map(Cell::plain)));
        }
        csv(name, text)
    }
}

fn is_for_pages(row: &[Cell], at: usize) -> bool {
    row.get(at).is_some_and(Cell::is_for_pages)
}

/// The file that is asked for of a page with several tables, each with the name of its file; none where it is the page itself.
pub fn as_file(tables: &[(&Table, &str)]) -> Option<HttpResponse> {
    let (table, name) = tables.iter().find(|one| one.0.is_file)?;
    Some(table.csv(name))
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

/// What somebody gets who asked for an order or a filter that there is not.
pub fn refuse(shared: &Web, operator: &Operator, wrong: &Wrong) -> HttpResponse {
    let title = "Not a way to show this table";
    say(
        shared,
        operator,
        StatusCode::BAD_REQUEST,
        title,
        &wrong.to_string(),
    )
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
