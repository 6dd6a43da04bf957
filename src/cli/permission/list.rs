//! `countersign permission --file LIST.csv`: who of a list may be mailed, and why not.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::app::App;
use crate::app::permit::parse_address;
use crate::cli::{Done, Ended};
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::EmailAddress;
use crate::domain::permission::Permission;
use crate::domain::time::Timestamp;
use crate::intake::export::{self, line};
use crate::intake::header::{Columns, Field, Mapping};
use crate::intake::{FileProblem, Options, Row, Rows};
use crate::store::set::ROWS_AT_MOST;

/// The names of the columns that are written.
const COLUMNS: [&str; 9] = [
    "line", "address", "allowed", "basis", "grade", "since", "until", "rule", "why",
];

/// A list with what is asked of everybody on it.
pub struct List {
    pub brand: Arc<Brand>,
    pub purpose: Slug,
    pub at: Option<Timestamp>,
    pub file: PathBuf,
    pub map: Vec<Mapping>,
    pub out: Option<PathBuf>,
    pub allowed_only: bool,
    pub json: bool,
}

/// How many there were.
#[derive(Default)]
struct Counts {
    allowed: u64,
    not_allowed: u64,
    broken: u64,
}

/// A row: an address to ask about, or why it is none.
struct Place {
    line: u64,
    typed: String,
    address: Result<EmailAddress, String>,
}

impl List {
    /// Streams the list through, a thousand rows at a time.
    pub async fn answer(&self, app: &App) -> Done {
        let mut rows = Rows::open(&self.file, &Options::default()).map_err(|p| self.told(&p))?;
        let header = rows.header().map_err(|problem| self.told(&problem))?;
        let columns = Columns::of(&header.cells, &self.map, None)
            .map_err(|problem| Ended::Wrong(format!("{}: {problem}", self.file.display())))?;
        let place = columns.place(Field::Email).unwrap_or_default();
        let mut out = self.out.as_deref().map(create).transpose()?;
        write(&mut out, &line(COLUMNS))?;
        let mut counts = Counts::default();
        loop {
            let mut part = Vec::with_capacity(ROWS_AT_MOST);
            for row in rows.by_ref().take(ROWS_AT_MOST) {
                part.push(read(row.map_err(|problem| self.told(&problem))?, place));
            }
            if part.is_empty() {
                break;
            }
            self.answer_part(app, part, &mut counts, &mut out).await?;
        }
        if let Some(out) = &mut out {
            out.flush()?;
        }
        self.end(&counts);
        Ok(())
    }

    async fn answer_part(
        &self,
        app: &App,
        part: Vec<Place>,
        counts: &mut Counts,
        out: &mut Option<BufWriter<std::fs::File>>,
    ) -> Done {
        let addresses: Vec<&EmailAddress> = part
            .iter()
            .filter_map(|place| place.address.as_ref().ok())
            .collect();
        let mut answers = app
            .permissions(&self.brand, &self.purpose, &addresses, self.at)
            .await?
            .into_iter();
        for place in &part {
            let text = match &place.address {
                Err(why) => {
                    counts.broken += 1;
                    broken(place, why)
                }
                Ok(_) => {
                    let Some(answer) = answers.next() else { break };
                    if answer.allowed {
                        counts.allowed += 1;
                    } else {
                        counts.not_allowed += 1;
                    }
                    if self.allowed_only && !answer.allowed {
                        continue;
                    }
                    told(place, &answer)
                }
            };
            if !(self.allowed_only && place.address.is_err()) {
                write(out, &text)?;
            }
        }
        Ok(())
    }

    fn end(&self, counts: &Counts) {
        let Counts {
            allowed,
            not_allowed,
            broken,
        } = counts;
        if self.json {
            let counts =
                json!({ "allowed": allowed, "not_allowed": not_allowed, "broken": broken });
            // The lines have standard output for themselves.
            if self.out.is_some() {
                println!("{counts}");
            } else {
                eprintln!("{counts}");
            }
        } else {
            eprintln!(
                "{allowed} may be mailed, {not_allowed} may not, {broken} rows hold no address."
            );
        }
    }

    fn told(&self, problem: &FileProblem) -> Ended {
        Ended::Refused(format!("{}: {problem}", self.file.display()))
    }
}

fn create(path: &Path) -> Result<BufWriter<std::fs::File>, Ended> {
    export::create(path)
        .map(BufWriter::new)
        .map_err(|error| Ended::Wrong(format!("{}: {error}", path.display())))
}

fn write(out: &mut Option<BufWriter<std::fs::File>>, text: &str) -> Done {
    match out {
        Some(out) => Ok(out.write_all(text.as_bytes())?),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

fn read(row: Result<Row, crate::intake::Broken>, place: usize) -> Place {
    match row {
        Err(broken) => Place {
            line: broken.line,
            typed: broken.address,
            address: Err(broken.flaw.to_string()),
        },
        Ok(row) => {
            let cell = row.cells.get(place).map_or("", |cell| cell.trim());
            let typed = crate::intake::formula::taken_back(cell).trim().to_owned();
            Place {
                line: row.line,
                address: parse_address(&typed).map_err(|problem| problem.to_string()),
                typed,
            }
        }
    }
}

fn broken(place: &Place, why: &str) -> String {
    let number = place.line.to_string();
    line([&number, &place.typed, "no", "", "", "", "", "", why])
}

fn told(place: &Place, answer: &Permission) -> String {
    let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    line([
        &place.line.to_string(),
        &place.typed,
        if answer.allowed { "yes" } else { "no" },
        answer.basis.as_str(),
        answer.grade.map_or("", |grade| grade.as_str()),
        &instant(answer.since),
        &instant(answer.until),
        answer.rule,
        &answer.why,
    ])
}
