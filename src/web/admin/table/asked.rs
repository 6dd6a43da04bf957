//! What an address asks of a table: order, filters, where the page begins.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Characters of a filter.
pub const FILTER_AT_MOST: usize = 100;
/// Characters of what an answer repeats of a wrong word.
const REPEATED_AT_MOST: usize = 60;

/// What of the address tells a table how to show itself. Never an address of a person: those are asked for by a form.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// The column to sort by, with `-` in front for the other way round. Columns are named as `key` makes it of their heading.
    pub sort: Option<String>,
    /// Shows the rows that have this in some cell.
    pub filter: Option<String>,
    /// Where the page begins: what the page before named.
    pub after: Option<String>,
    /// `csv` for a file with all rows.
    pub format: Option<String>,
    /// Of a column by its name the value that its cells must have.
    #[serde(flatten)]
    pub rest: BTreeMap<String, String>,
    /// What stands in front of each name, where the page has more than one such table.
    #[serde(skip)]
    pub prefix: &'static str,
}

/// Why a table cannot be shown as it was asked for. In words that say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error(
        "This table has no column “{0}” to sort by. It sorts by {1}; with a - in front, the other way round."
    )]
    Sort(String, String),
    #[error("“{1}” is nothing that {0} can be. It is one of {2}.")]
    Choice(String, String, String),
    #[error(
        "The place where this page would begin is not there any more, or cannot be read. Go on from the first page."
    )]
    After,
}

/// In which order rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The heading of a column.
    pub by: &'static str,
    pub down: bool,
}

impl Order {
    pub const fn up(by: &'static str) -> Self {
        Self { by, down: false }
    }

    pub const fn down(by: &'static str) -> Self {
        Self { by, down: true }
    }

    /// As it stands in an address.
    pub fn written(self) -> String {
        let down = if self.down { "-" } else { "" };
        format!("{down}{}", key(self.by))
    }
}

/// A column's name in addresses: `Known since` is `known_since`.
pub fn key(heading: &str) -> String {
    let words = heading.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("_")
}

fn repeated(text: &str) -> String {
    let text: String = text.chars().take(REPEATED_AT_MOST).collect();
    text.escape_debug().to_string()
}

/// A choice of what a column's cells must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The heading of the column.
    pub column: &'static str,
    /// Each value with its words.
    pub options: Vec<(String, String)>,
}

impl Choice {
    pub fn of(column: &'static str, values: &[&str]) -> Self {
        let options = values
            .iter()
            .map(|value| ((*value).to_owned(), value.replace('_', " ")));
        Self {
            column,
            options: options.collect(),
        }
    }
}

impl Asked {
    pub fn is_csv(&self) -> bool {
        self.format.as_deref() == Some("csv")
    }

    /// What the address asks of another table of the page, whose names have something in front.
    #[must_use]
    pub fn of(&self, prefix: &'static str) -> Self {
        let own = |name: &str| self.rest.get(&format!("{prefix}{name}")).cloned();
        let rest = self.rest.iter();
        Self {
            sort: own("sort"),
            filter: own("filter"),
            after: own("after"),
            format: own("format"),
            rest: rest
                .filter_map(|(name, value)| {
                    Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
                })
                .collect(),
            prefix,
        }
    }

    /// The order that is asked for, of the columns that can be sorted by; none where none is asked for.
    pub fn order(&self, sorts: &[&'static str]) -> Result<Option<Order>, Wrong> {
        let Some(sort) = self.sort.as_deref().filter(|sort| !sort.is_empty()) else {
            return Ok(None);
        };
        let (by, down) = sort
            .strip_prefix('-')
            .map_or((sort, false), |by| (by, true));
        match sorts.iter().find(|column| key(column) == by) {
            Some(by) => Ok(Some(Order { by, down })),
            None => {
                let all: Vec<String> = sorts.iter().map(|column| key(column)).collect();
                Err(Wrong::Sort(repeated(by), all.join(", ")))
            }
        }
    }

    /// What is chosen of a column; none where nothing is.
    pub fn chosen(&self, choice: &Choice) -> Result<Option<String>, Wrong> {
        let name = key(choice.column);
        let Some(value) = self.rest.get(&name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        if choice.options.iter().any(|option| option.0 == *value) {
            return Ok(Some(value.clone()));
        }
        let all: Vec<&str> = choice.options.iter().map(|one| one.0.as_str()).collect();
        Err(Wrong::Choice(name, repeated(value), all.join(", ")))
    }

    /// The text that some cell must have, as it was typed.
    pub fn text(&self) -> String {
        let text = self.filter.as_deref().unwrap_or("").trim();
        text.chars().take(FILTER_AT_MOST).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::web::Query;

    #[test]
    fn a_column_is_named_in_addresses_by_its_heading() {
        assert_eq!(key("Known since"), "known_since");
        assert_eq!(key("The server's last reply"), "the_server_s_last_reply");
    }

    #[test]
    fn an_unknown_column_or_value_is_refused_with_those_that_there_are() {
        let mut asked = Asked {
            sort: Some("-colour<b>".to_owned()),
            ..Asked::default()
        };
        let wrong = asked.order(&["Known since", "Address"]).unwrap_err();
        let text = wrong.to_string();
        assert!(
            text.contains("“colour<b>”") && text.contains("known_since, address"),
            "{text}"
        );
        asked.sort = Some("-known_since".to_owned());
        let order = asked.order(&["Known since"]).unwrap();
        assert_eq!(order, Some(Order::down("Known since")));
        let choice = Choice::of("State", &["held", "left_out"]);
        assert_eq!(asked.chosen(&choice), Ok(None));
        asked.rest.insert("state".to_owned(), "left_out".to_owned());
        assert_eq!(asked.chosen(&choice), Ok(Some("left_out".to_owned())));
        asked.rest.insert("state".to_owned(), "gone".to_owned());
        let wrong = asked.chosen(&choice).unwrap_err();
        assert!(wrong.to_string().contains("held, left_out"));
    }

    #[test]
    fn a_second_table_of_a_page_has_names_of_its_own() {
        let read = "sort=-due&domains_sort=-accepted&domains_filter=example&domains_format=csv";
        let asked = Query::<Asked>::from_query(read).unwrap();
        assert_eq!(asked.sort.as_deref(), Some("-due"));
        let domains = asked.of("domains_");
        assert_eq!(domains.sort.as_deref(), Some("-accepted"));
        assert_eq!(domains.text(), "example");
        assert_eq!(domains.after, None);
        assert!(domains.is_csv() && !asked.is_csv());
    }
}
