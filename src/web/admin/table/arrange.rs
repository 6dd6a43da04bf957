//! Tables of which all rows are at hand: sorted by any column, filtered by any cell.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::sift::Wanted;
use super::{Asked, Cell, Order, PAGE, Place, Rows, Table, Wrong, is_for_pages};
use crate::domain::time::Timestamp;

/// A column of words is a choice if it has so many of them, and each of its cells has one.
const WORDS_AT_MOST: usize = 12;

impl Cell {
    fn sort_key(&self) -> (u8, i64, String) {
        match self {
            Self::Number(number) => (0, *number, String::new()),
            Self::Time(at) => (0, at.micros(), String::new()),
            other => match share(&other.plain()) {
                Some(thousandths) => (0, thousandths, String::new()),
                None => (1, 0, other.plain().to_lowercase()),
            },
        }
    }
}

/// A share, `85.0 %`, in thousandths of a percent.
fn share(text: &str) -> Option<i64> {
    let number: f64 = text.strip_suffix(" %")?.parse().ok()?;
    (0.0..=1e9)
        .contains(&number)
        .then_some((number * 1_000.0).round() as i64)
}

/// A row as it is found again, wherever it stands by then.
fn mark(row: &[Cell]) -> String {
    let mut hasher = DefaultHasher::new();
    for cell in row {
        cell.plain().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// How many rows stand before the page: up to the last row of the page before, wherever that stands by now; where it is gone,
/// as many as there were.
fn skipped(after: &str, rows: &[Vec<Cell>]) -> Result<usize, Wrong> {
    let (number, known) = after.split_once('.').ok_or(Wrong::After)?;
    let number: usize = number.parse().map_err(|_| Wrong::After)?;
    let at = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| mark(row) == known)
        .map(|(at, _)| at + 1)
        .min_by_key(|at| at.abs_diff(number));
    Ok(at.unwrap_or(number).min(rows.len()))
}

impl Rows {
    /// Sorts, filters and cuts out a page. `path` is the page that the table stands on; `may_take` says whether whoever looks
    /// may have it as a file.
    pub fn arrange(
        mut self,
        asked: &Asked,
        path: &str,
        now: Timestamp,
        may_take: bool,
    ) -> Result<Table, Wrong> {
        let names: Vec<&'static str> = self.columns.iter().map(|column| column.0).collect();
        // By a chart or a button nothing is sorted.
        let is_drawn = |at: usize| self.rows.iter().any(|row| is_for_pages(row, at));
        let sorts = names.iter().enumerate().filter(|(at, _)| !is_drawn(*at));
        let sorts: Vec<&'static str> = sorts.map(|(_, name)| *name).collect();
        let order = asked.order(&sorts)?;
        let wanted = Wanted::of_rows(asked, &self.columns, &self.rows, WORDS_AT_MOST);
        self.rows.retain(|row| wanted.keeps(row));
        let column = order.and_then(|order| names.iter().position(|name| *name == order.by));
        if let (Some(column), Some(order)) = (column, order) {
            self.rows
                .sort_by_cached_key(|row| row.get(column).map(Cell::sort_key));
            if order.down {
                self.rows.reverse();
            }
        }
        let place = Place {
            path: path.to_owned(),
            prefix: asked.prefix,
            sort: order.map_or_else(String::new, Order::written),
            filters: wanted.pairs(asked.prefix),
        };
        let headings = self.headings(&place, order, |name| sorts.contains(&name));
        let total = self.rows.len();
        let (mut next, mut first) = (None, None);
        if !asked.is_csv() {
            let skip = match asked.after.as_deref() {
                Some(after) => skipped(after, &self.rows)?,
                None => 0,
            };
            first = (skip > 0).then(|| place.at(&[]));
            self.rows = self.rows.into_iter().skip(skip).take(PAGE).collect();
            let end = skip + self.rows.len();
            if let Some(last) = self.rows.last().filter(|_| end < total) {
                let after = format!("{end}.{}", mark(last));
                next = Some(place.at(&[("after", &after)]));
            }
        }
        Ok(Table {
            total: Some(total),
            next,
            first,
            csv: may_take.then(|| place.at(&[("format", "csv")])),
            is_file: asked.is_csv(),
            ..self.shown(&place, headings, &wanted, now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody as _;

    const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

    fn rows(count: i64) -> Rows {
        let state = |n: i64| if n % 2 == 0 { "good" } else { "bad" };
        Rows {
            caption: "Things".to_owned(),
            columns: vec![("Name", false), ("Size of it", true), ("State", false)],
            rows: (0..count)
                .map(|n| {
                    vec![
                        Cell::text(format!("thing {n}")),
                        Cell::Number(count - n),
                        Cell::State(state(n).to_owned(), "plain"),
                    ]
                })
                .collect(),
            empty: "None.".to_owned(),
        }
    }

    fn asked(sort: &str, filter: &str, after: &str) -> Asked {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Asked {
            sort: some(sort),
            filter: some(filter),
            after: some(after),
            ..Asked::default()
        }
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_a_second_press_turns_the_order_round() {
        let table = rows(12)
            .arrange(&asked("size_of_it", "", ""), "/x", NOW, true)
            .unwrap();
        assert_eq!(table.rows[0][1].plain(), "1");
        assert_eq!(table.rows[11][1].plain(), "12");
        assert_eq!(
            table.headings[1].path.as_deref(),
            Some("/x?sort=-size_of_it")
        );
        assert_eq!(table.headings[1].sorted, "ascending");
        assert_eq!(table.headings[0].sorted, "none");
    }

    #[test]
    fn a_filter_looks_into_every_cell_and_pages_and_files_keep_it() {
        let table = rows(120)
            .arrange(&asked("", "THING 1", ""), "/x?brand=a", NOW, false)
            .unwrap();
        assert_eq!(table.total, Some(31));
        assert_eq!((table.next, table.csv), (None, None));
        assert_eq!(table.kept, [("brand".to_owned(), "a".to_owned())]);
        let first = rows(120)
            .arrange(&asked("-name", "thing", ""), "/x", NOW, true)
            .unwrap();
        let next = first.next.unwrap();
        assert!(
            next.starts_with("/x?sort=-name&after=50.") && next.ends_with("&filter=thing"),
            "{next}"
        );
        assert_eq!(first.csv.unwrap(), "/x?sort=-name&format=csv&filter=thing");
    }

    #[test]
    fn a_page_begins_behind_the_last_row_of_the_one_before_wherever_that_stands_by_now() {
        let before = rows(120)
            .arrange(&asked("", "", ""), "/x", NOW, true)
            .unwrap();
        let after = before.next.unwrap().replace("/x?after=", "");
        let mut more = rows(120);
        let mut new = more.rows[0].clone();
        new[0] = Cell::text("new");
        more.rows.insert(0, new);
        let table = more
            .arrange(&asked("", "", &after), "/x", NOW, true)
            .unwrap();
        assert_eq!(table.rows[0][0].plain(), "thing 50");
        let mut fewer = rows(120);
        fewer.rows.remove(49);
        let table = fewer
            .arrange(&asked("", "", &after), "/x", NOW, true)
            .unwrap();
        assert_eq!(table.rows[0][0].plain(), "thing 51", "that row is gone");
    }

    #[test]
    fn a_column_of_few_words_is_a_choice() {
        let mut good = asked("", "", "");
        good.rest.insert("state".to_owned(), "good".to_owned());
        let table = rows(20).arrange(&good, "/x", NOW, true).unwrap();
        assert_eq!(table.total, Some(10));
        let choice = &table.choices[0];
        assert_eq!((choice.name.as_str(), choice.options.len()), ("state", 2));
        assert!(
            choice.options[1].2 && !choice.options[0].2,
            "good is chosen"
        );
        assert_eq!(
            table.headings[0].path.as_deref(),
            Some("/x?sort=name&state=good")
        );
    }

    #[test]
    fn a_chart_and_a_button_are_neither_sorted_by_nor_taken_along() {
        let drawn = || {
            let mut rows = rows(3);
            rows.columns.insert(1, ("Day by day", false));
            for row in &mut rows.rows {
                row.insert(1, Cell::Drawn("<svg></svg>".to_owned()));
            }
            rows
        };
        let wrong = drawn().arrange(&asked("day_by_day", "", ""), "/x", NOW, true);
        assert!(matches!(wrong, Err(Wrong::Sort(..))), "{wrong:?}");
        let table = drawn()
            .arrange(&asked("-name", "", ""), "/x", NOW, true)
            .unwrap();
        assert_eq!(table.headings[1].path, None);
        let file = table.csv("things").into_body().try_into_bytes().unwrap();
        let file = String::from_utf8(file.to_vec()).unwrap();
        assert!(file.starts_with("Name,Size of it,State"), "{file}");
        assert!(!file.contains("svg"), "{file}");
    }

    #[test]
    fn an_unknown_column_or_place_is_refused() {
        let wrong = |asked: &Asked| rows(3).arrange(asked, "/x", NOW, true).unwrap_err();
        assert!(matches!(wrong(&asked("-colour", "", "")), Wrong::Sort(..)));
        assert_eq!(wrong(&asked("", "", "many")), Wrong::After);
    }
}
