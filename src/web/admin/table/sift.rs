//! Filtering what the database pages through: rows are read in the order of an index and left out here, and no page looks
//! through more than a bounded number of them, however many there are.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};

use super::asked::{Asked, Choice, Wrong, key};
use super::{Cell, Choosing};
use crate::app::queue::LOOKED_AT;
use crate::intake::export;
use crate::store::StoreError;
use crate::web::admin::jobs::attachment;

/// Rows that are read at once where a filter leaves some out, and looked through for one page.
const TOGETHER: usize = 500;
pub const LOOKED_AT_MOST: usize = 2_000;
/// Rows of one piece of a file.
const PIECE: usize = 1_000;

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Whether there is a filter of any text, and what it says.
    pub has_text: bool,
    pub text: String,
    /// Each choice with the number of its column, and what is chosen.
    choices: Vec<(Choice, usize, Option<String>)>,
}

impl Wanted {
    /// What an address asks of a table with these choices, and with a filter of any text if `has_text`.
    pub fn of(
        asked: &Asked,
        columns: &[(&'static str, bool)],
        choices: Vec<Choice>,
        has_text: bool,
    ) -> Result<Self, Wrong> {
        let mut wanted = Self {
            has_text,
            text: if has_text {
                asked.text()
            } else {
                String::new()
            },
            choices: Vec::new(),
        };
        for choice in choices {
            let chosen = asked.chosen(&choice)?;
            let at = columns.iter().position(|column| column.0 == choice.column);
            if let Some(at) = at {
                wanted.choices.push((choice, at, chosen));
            }
        }
        Ok(wanted)
    }

    /// The same of a table whose rows are all at hand: a column of a few words is a choice of them.
    pub(super) fn of_rows(
        asked: &Asked,
        columns: &[(&'static str, bool)],
        rows: &[Vec<Cell>],
        at_most: usize,
    ) -> Self {
        let mut choices = Vec::new();
        for (at, &(column, _)) in columns.iter().enumerate() {
            let mut words = std::collections::BTreeSet::new();
            let mut cells = rows.iter().filter_map(|row| row.get(at));
            let all = cells.all(|cell| match cell {
                Cell::State(word, _) => {
                    words.insert(word.clone());
                    words.len() <= at_most
                }
                Cell::None => true,
                _ => false,
            });
            let chosen = asked.rest.get(&key(column));
            let chosen = chosen.filter(|value| !value.is_empty()).cloned();
            if all && (words.len() > 1 || chosen.is_some()) {
                // What nothing is any more was chosen of an older page.
                words.extend(chosen.iter().map(|word| word.chars().take(60).collect()));
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                choices.push((Choice::of(column, &words), at, chosen));
            }
        }
        Self {
            has_text: true,
            text: asked.text(),
            choices,
        }
    }

    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        self.text.is_empty() && self.choices.iter().all(|choice| choice.2.is_none())
    }

    /// What is chosen of a column.
    pub fn chosen(&self, column: &str) -> Option<&str> {
        let mut all = self.choices.iter();
        let one = all.find(|choice| choice.0.column == column)?;
        one.2.as_deref()
    }

    /// Whether a row is wanted. A cell may hold several words, `newsletter: explicit, events: pending`.
    pub fn keeps(&self, row: &[Cell]) -> bool {
        let chosen = self.choices.iter().filter_map(|(_, at, chosen)| {
            let chosen = chosen.as_deref()?;
            Some((row.get(*at).map(Cell::plain).unwrap_or_default(), chosen))
        });
        for (cell, chosen) in chosen {
            let is = |word: &str| {
                word == chosen
                    || word.rsplit_once(": ").is_some_and(|word| word.1 == chosen)
                    || word.replace(' ', "_") == chosen
            };
            if cell != chosen && !cell.split(", ").any(is) {
                return false;
            }
        }
        let text = self.text.to_lowercase();
        text.is_empty()
            || row
                .iter()
                .any(|cell| cell.plain().to_lowercase().contains(&text))
    }

    /// The row, if it is wanted.
    pub fn pick(&self, row: Vec<Cell>) -> Option<Vec<Cell>> {
        self.keeps(&row).then_some(row)
    }

    /// As it stands in addresses.
    pub fn pairs(&self, prefix: &str) -> Vec<(String, String)> {
        let text = [("filter".to_owned(), self.text.clone())];
        let chosen = self
            .choices
            .iter()
            .filter_map(|(choice, _, chosen)| Some((key(choice.column), chosen.clone()?)));
        text.into_iter()
            .chain(chosen)
            .filter(|pair| !pair.1.is_empty())
            .map(|(name, value)| (format!("{prefix}{name}"), value))
            .collect()
    }

    pub fn choosing(&self, prefix: &str) -> Vec<Choosing> {
        let of = |(choice, _, chosen): &(Choice, usize, Option<String>)| Choosing {
            name: format!("{prefix}{}", key(choice.column)),
            label: choice.column,
            options: choice
                .options
                .iter()
                .map(|(value, words)| {
                    (value.clone(), words.clone(), chosen.as_ref() == Some(value))
                })
                .collect(),
        };
        self.choices.iter().map(of).collect()
    }
}

/// Rows that are wanted, and where the next ones begin.
#[derive(Clone, Debug)]
pub struct Sifted<K> {
    pub rows: Vec<Vec<Cell>>,
    pub next: Option<K>,
    /// How many were looked through, where that ended the page before it was full.
    pub looked: Option<usize>,
}

impl<K> Sifted<K> {
    /// Where there is nothing to look through.
    pub const fn nothing() -> Self {
        Self {
            rows: Vec::new(),
            next: None,
            looked: None,
        }
    }

    /// With the place of the next page as it stands in addresses.
    pub fn written(self, write: impl FnOnce(K) -> String) -> Sifted<String> {
        Sifted {
            rows: self.rows,
            next: self.next.map(write),
            looked: self.looked,
        }
    }
}

/// What is read at once: some rows of the table, each with its place, and behind which place there is more.
pub type Read<K, T> = (Vec<(K, T)>, Option<K>);

/// Cuts off what was read beyond `count`, which tells whether there is more.
pub fn cut<K: Clone, T>(mut found: Vec<(K, T)>, count: usize) -> Read<K, T> {
    let more = found.len() > count;
    found.truncate(count);
    let next = found.last().filter(|_| more).map(|last| last.0.clone());
    (found, next)
}

/// Reads on behind `after`, and shows what `row` leaves in, until `limit` rows are wanted, there is nothing more, or so many
/// were looked through.
pub async fn sift<T, K: Clone>(
    limit: usize,
    after: Option<K>,
    wanted: &Wanted,
    mut read: impl AsyncFnMut(Option<K>, usize) -> Result<Read<K, T>, StoreError>,
    row: impl Fn(T) -> Option<Vec<Cell>>,
) -> Result<Sifted<K>, StoreError> {
    let together = if wanted.is_all() { limit } else { TOGETHER };
    let (mut rows, mut at, mut looked) = (Vec::new(), after, 0);
    loop {
        let (found, next) = read(at, together).await?;
        let count = found.len();
        for (number, (here, one)) in found.into_iter().enumerate() {
            let Some(cells) = row(one) else { continue };
            rows.push(cells);
            if rows.len() == limit {
                let is_last = number + 1 == count;
                return Ok(Sifted {
                    rows,
                    next: if is_last { next } else { Some(here) },
                    looked: None,
                });
            }
        }
        // A part in which there was nothing to look at counts, too: it was read. One that came back short although there is more
        // looked through as many as it may.
        let gave_up = count < together && next.is_some();
        looked += if gave_up {
            LOOKED_AT
        } else {
            count.max(together)
        };
        let goes_on = next.is_some() && looked < LOOKED_AT_MOST.max(limit);
        if !goes_on {
            return Ok(Sifted {
                rows,
                looked: next.is_some().then_some(looked),
                next,
            });
        }
        at = next;
    }
}

/// The whole table as a file, read piece by piece while it is sent: `read` is given where a piece begins and how many rows it
/// has at most.
pub fn stream<K, F>(
    name: &str,
    head: Vec<String>,
    read: impl Fn(Option<K>, usize) -> F + 'static,
) -> HttpResponse
where
    K: 'static,
    F: Future<Output = Result<Sifted<K>, StoreError>> + 'static,
{
    let head = export::cells(head.into_iter());
    let head = stream::once(async { Ok::<_, std::io::Error>(Bytes::from(head)) });
    // Where the next piece begins; none behind the last one.
    let begin = Some(None::<K>);
    let pieces = stream::unfold((begin, read), move |(after, read)| async move {
        let after = after?;
        Some(match read(after, PIECE).await {
            Ok(piece) => {
                let lines = piece.rows.iter();
                let text: String = lines
                    .map(|row| export::cells(row.iter().map(Cell::plain)))
                    .collect();
                (Ok(Bytes::from(text)), (piece.next.map(Some), read))
            }
            Err(problem) => (
                Err(std::io::Error::other(problem.to_string())),
                (None, read),
            ),
        })
    });
    attachment(name).streaming(head.chain(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, bool); 2] = [("Number", true), ("Stands", false)];

    fn row(number: usize, wanted: &Wanted) -> Option<Vec<Cell>> {
        let state = if number.is_multiple_of(100) {
            "explicit"
        } else {
            "pending"
        };
        let words = format!("news: {state}, events: none");
        wanted.pick(vec![
            Cell::Number(i64::try_from(number).unwrap()),
            Cell::State(words, "plain"),
        ])
    }

    fn wanted(state: &str) -> Wanted {
        let mut asked = Asked::default();
        asked.rest.insert("stands".to_owned(), state.to_owned());
        let choice = Choice::of("Stands", &["explicit", "withdrawn"]);
        Wanted::of(&asked, &COLUMNS, vec![choice], false).unwrap()
    }

    /// The numbers from 1 to `all`, as a table.
    async fn page(all: usize, wanted: &Wanted, after: Option<usize>) -> Sifted<usize> {
        let read = async |after: Option<usize>, count: usize| {
            let from = after.unwrap_or(0) + 1;
            let found: Vec<_> = (from..=all).take(count + 1).map(|n| (n, n)).collect();
            Ok(cut(found, count))
        };
        sift(10, after, wanted, read, |n| row(n, wanted))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_page_goes_on_behind_its_last_row_and_the_last_one_says_that_it_is_the_last() {
        let all = Wanted::default();
        let first = page(25, &all, None).await;
        assert_eq!((first.rows.len(), first.next), (10, Some(10)));
        let last = page(20, &all, Some(10)).await;
        assert_eq!((last.rows.len(), last.next), (10, None));
    }

    #[tokio::test]
    async fn what_is_rare_is_looked_for_in_a_bounded_number_of_rows_and_then_further_on() {
        let rare = wanted("explicit");
        let found = page(1_000, &rare, None).await;
        assert_eq!((found.rows.len(), found.next), (10, None));
        let first = page(1_000_000, &rare, None).await;
        assert_eq!((first.rows.len(), first.next), (10, Some(1_000)));
        let none = page(1_000_000, &wanted("withdrawn"), None).await;
        assert_eq!((none.rows.len(), none.next), (0, Some(LOOKED_AT_MOST)));
        assert_eq!(none.looked, Some(LOOKED_AT_MOST));
    }
}
