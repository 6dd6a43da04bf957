//! A first look at a list: what it was taken for, what its columns are called, and its first rows.

use std::path::{Path, PathBuf};

use super::files::{self, Part};
use super::{Draft, ImportDraft, Said};
use crate::app::App;
use crate::domain::brand::Brand;
use crate::domain::email_address::AddressRules;
use crate::domain::policy::{AddressFacts, Judgement, OrganizerLists, Terms, judge};
use crate::intake::candidate::Reading;
use crate::intake::header::{Columns, Field, HeaderProblem, Mapping};
use crate::intake::{FileProblem, Rows};
use crate::store::StoreError;

/// Rows that are shown.
const ROWS: usize = 5;
/// Characters of a cell that are shown.
const CELL: usize = 80;

/// A list as it begins.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// `CSV, UTF-8, delimiter ";"`; none where it could not be opened.
    pub about: Option<String>,
    pub is_workbook: bool,
    pub header: Vec<String>,
    /// The first rows; of one that cannot be used, why.
    pub rows: Vec<Result<Vec<String>, String>>,
    /// For each column the field that it seems to hold, or is said to hold.
    pub fields: Vec<Option<String>>,
    /// Why the list cannot be read like this, in words that say what to do.
    pub problem: Option<Problem>,
}

/// What keeps a list from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The file is gone, or lies on another machine.
    Gone,
    /// Another file is needed.
    File(String),
    /// It can be mended by what is said of the columns.
    Columns(String),
}

/// What is wrong with a file, in words for somebody who brings it in a page.
pub(super) fn words(problem: &FileProblem) -> String {
    let advice = match problem {
        FileProblem::Damaged(_) => {
            " Open it in your spreadsheet program and save it anew, or bring it again: it may have been cut off on its way."
        }
        FileProblem::TooMuch(_) => " Save it anew with nothing in it but the list, or as CSV.",
        FileProblem::Header(..) => " The first line must hold the names of the columns.",
        FileProblem::Empty => " Choose the file with the list.",
        _ => "",
    };
    format!("{}.{advice}", capital(&problem.to_string()))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + chars.as_str()
    })
}

fn column_words(problem: &HeaderProblem) -> Problem {
    match problem {
        HeaderProblem::Headless => Problem::File(
            "The first line holds an address, so it is no header. Put a line with the columns' names in front, and bring the \
             file again."
                .to_owned(),
        ),
        HeaderProblem::NoEmail(_) => Problem::Columns(
            "No column is known to hold addresses. Choose “Address” for the one that does.".to_owned(),
        ),
        HeaderProblem::Twice(field) => Problem::Columns(format!(
            "Two columns are said to hold the same: {field}. Leave one of them out."
        )),
        HeaderProblem::NoColumn(column, _) => Problem::Columns(format!(
            "There is no column “{column}” when the list is read like this. Say again what the columns hold."
        )),
    }
}

/// A list that was opened, behind its header.
pub(super) struct Opened {
    pub rows: Rows,
    pub columns: Columns,
}

/// Opens a list as it is said to be read.
pub(super) fn open(path: &Path, said: &Said) -> Result<Opened, String> {
    let mut rows = Rows::open(path, &said.options()?).map_err(|problem| words(&problem))?;
    let header = rows.header().map_err(|problem| words(&problem))?.cells;
    let columns = said
        .columns(&header)
        .map_err(|problem| match column_words(&problem) {
            Problem::File(text) | Problem::Columns(text) => text,
            Problem::Gone => String::new(),
        })?;
    Ok(Opened { rows, columns })
}

fn shown(cell: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut text: String = cell.trim().chars().take(CELL).map(visible).collect();
    if cell.trim().chars().nth(CELL).is_some() {
        text.push('…');
    }
    text
}

/// The fields of all columns, by what is said and by their names. Where no column holds addresses, the others are told still.
fn fields(header: &[String], said: &Said) -> (Vec<Option<String>>, Option<Problem>) {
    let (columns, problem) = match said.columns(header) {
        Ok(columns) => (Some(columns), None),
        Err(problem) => {
            let first = Mapping {
                column: "1".to_owned(),
                field: Some(Field::Email),
            };
            let guess = Columns::of(header, &[first], said.source())
                .ok()
                .map(|mut found| {
                    found.used.retain(|(_, field, _)| *field != Field::Email);
                    found
                });
            (guess, Some(column_words(&problem)))
        }
    };
    let mut fields = vec![None; header.len()];
    for (at, field, _) in columns.iter().flat_map(|columns| &columns.used) {
        if let Some(place) = fields.get_mut(*at) {
            *place = Some(field.to_string());
        }
    }
    (fields, problem)
}

fn look(path: &Path, said: &Said) -> Look {
    let mut found = Look::default();
    let file = |text| Some(Problem::File(text));
    let mut head = [0; 2];
    found.is_workbook = std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut head))
        .is_ok()
        && head == *b"PK";
    let options = match said.options() {
        Ok(options) => options,
        Err(text) => {
            found.problem = Some(Problem::Columns(text));
            return found;
        }
    };
    let mut rows = match Rows::open(path, &options) {
        Ok(rows) => rows,
        Err(problem @ FileProblem::NoSuchSheet { .. }) => {
            found.problem = Some(Problem::Columns(words(&problem)));
            return found;
        }
        Err(problem) => {
            found.problem = file(words(&problem));
            return found;
        }
    };
    found.about = Some(rows.about());
    match rows.header() {
        Ok(header) => found.header = header.cells,
        Err(problem) => {
            found.problem = file(words(&problem));
            return found;
        }
    }
    (found.fields, found.problem) = fields(&found.header, said);
    for row in rows.take(ROWS) {
        match row {
            Ok(Ok(row)) => found
                .rows
                .push(Ok(row.cells.iter().map(|cell| shown(cell)).collect())),
            Ok(Err(broken)) => {
                let text = format!("line {}: {}", broken.line, broken.flaw);
                found.rows.push(Err(text));
            }
            Err(problem) => {
                found.problem = file(words(&problem));
                return found;
            }
        }
    }
    if found.rows.is_empty() && found.problem.is_none() {
        found.problem =
            file("It has a header and no row behind it. Choose the file with the list.".to_owned());
    }
    found
}

impl App {
    pub(super) fn list_of(&self, draft: &Draft<ImportDraft>) -> PathBuf {
        files::path(&self.config.uploads.folder, draft.id, Part::List)
    }

    /// How a list begins, read as it is said to be.
    pub async fn look(&self, draft: &Draft<ImportDraft>) -> Look {
        let gone = || Look {
            problem: Some(Problem::Gone),
            ..Look::default()
        };
        let path = self.list_of(draft);
        if !path.exists() {
            return gone();
        }
        let said = draft.of.said.clone();
        let Ok(_turn) = self.at_work.looks.acquire().await else {
            return gone();
        };
        let found = tokio::task::spawn_blocking(move || look(&path, &said)).await;
        found.unwrap_or_else(|_| gone())
    }

    pub(super) fn terms_of(&self, brand: &Brand, said: &Said) -> Terms {
        let mut terms = self.terms(brand);
        if said.confirm_organizer_list {
            terms.organizer_lists = OrganizerLists::ConfirmFirst;
        }
        terms
    }

    pub(super) const fn address_rules(&self) -> AddressRules {
        AddressRules {
            any_domain: self.config.any_domain,
        }
    }

    /// What the policy says of the first row that names somebody, by what is said of the list and nothing else.
    pub async fn judge_first(
        &self,
        brand: &Brand,
        draft: &Draft<ImportDraft>,
    ) -> Result<Option<Judgement>, StoreError> {
        let (path, said) = (self.list_of(draft), draft.of.said.clone());
        let (rules, proofs) = (
            (self.address_rules(), self.terms(brand).zone),
            (self.papers_of(draft), self.named_of(draft)),
        );
        let Ok(_turn) = self.at_work.looks.acquire().await else {
            return Ok(None);
        };
        let first = tokio::task::spawn_blocking(move || {
            let opened = open(&path, &said).ok()?;
            let reading: Reading = said.reading(opened.columns, rules, proofs);
            let rows = opened.rows.take(20).map_while(Result::ok);
            rows.filter_map(Result::ok)
                .find_map(|row| reading.candidate(&row).ok())
        });
        let terms = self.terms_of(brand, &draft.of.said);
        let now = self.clock.now();
        Ok(first.await.ok().flatten().map(|candidate| {
            let facts = AddressFacts::default();
            judge(&candidate.claims, facts, &terms, now)
        }))
    }
}
