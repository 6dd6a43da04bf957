//! What an operator says of a list in the pages, as `countersign import` takes it on the command line.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::email_address::AddressRules;
use crate::domain::policy::{Source, Zone};
use crate::intake::Options;
use crate::intake::candidate::{Batch, Reading};
use crate::intake::dates::{Order, day};
use crate::intake::header::{Columns, Field, HeaderProblem, Mapping};
use crate::intake::papers::Papers;
use crate::intake::proof::ProofFolder;

/// All that decides how the rows are read and judged. Text as it was given; it is checked where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub encoding: Option<String>,
    pub delimiter: Option<String>,
    pub sheet: Option<String>,
    /// `day_first` or `month_first`.
    pub dates: Option<String>,
    /// What each column holds: its name or number, and the name of a field or `ignore`.
    pub map: Vec<(String, String)>,
    /// None: each row says it in a column.
    pub source: Option<String>,
    /// A source was chosen, or it was said that the rows tell it.
    pub has_source: bool,
    pub obtained_on: Option<String>,
    pub proof: Vec<(String, String)>,
    pub language: String,
    pub confirm_organizer_list: bool,
}

impl Said {
    pub(super) fn new() -> Self {
        Self {
            encoding: None,
            delimiter: None,
            sheet: None,
            dates: None,
            map: Vec::new(),
            source: None,
            has_source: false,
            obtained_on: None,
            proof: Vec::new(),
            language: "en".to_owned(),
            confirm_organizer_list: false,
        }
    }

    pub fn source(&self) -> Option<Source> {
        self.source.as_deref().and_then(Source::parse)
    }

    fn order(&self) -> Option<Order> {
        match self.dates.as_deref() {
            Some("day_first") => Some(Order::DayFirst),
            Some("month_first") => Some(Order::MonthFirst),
            _ => None,
        }
    }

    pub(super) fn options(&self) -> Result<Options, String> {
        Ok(Options {
            encoding: self
                .encoding
                .as_deref()
                .map(Options::encoding)
                .transpose()?,
            delimiter: self
                .delimiter
                .as_deref()
                .map(Options::delimiter)
                .transpose()?,
            sheet: self.sheet.clone(),
        })
    }

    pub(super) fn columns(&self, header: &[String]) -> Result<Columns, HeaderProblem> {
        let mappings: Vec<Mapping> = self
            .map
            .iter()
            .map(|(column, field)| Mapping {
                column: column.clone(),
                field: Field::parse(field),
            })
            .collect();
        Columns::of(header, &mappings, self.source())
    }

    pub(super) fn reading(
        &self,
        columns: Columns,
        (rules, zone): (AddressRules, Zone),
        (papers, files): (Papers, ProofFolder),
    ) -> Reading {
        Reading {
            columns,
            batch: Batch {
                source: self.source(),
                obtained_on: self.obtained_on.clone(),
                proof: papers.proof,
            },
            order: self.order(),
            zone,
            rules,
            proofs: Some(files.into()),
        }
    }

    /// What is wrong with source, date and proof, each with the field that it is about: `paper.KEY` where only a file speaks.
    pub(super) fn problems(&self, papers: &Papers) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let Some(text) = &self.obtained_on
            && day(text, self.order(), &Zone::default()).is_none()
        {
            let says = "this is no day; write it as YYYY-MM-DD, such as 2026-11-24".to_owned();
            found.push(("obtained_on".to_owned(), says));
        }
        let has_words = |key: &str| self.proof.iter().any(|pair| pair.0 == key);
        for (key, says) in papers.problems(self.source()) {
            let kind = if has_words(&key) { "proof" } else { "paper" };
            found.push((format!("{kind}.{key}"), says));
        }
        found
    }

    /// All of it, in the shape in which the command line keeps it with an import.
    pub(super) fn as_json(&self, papers: &Papers) -> Value {
        let map: Vec<String> = self
            .map
            .iter()
            .map(|(column, field)| format!("{column}={field}"))
            .collect();
        json!({
            "given": {
                "source": self.source,
                "obtained_on": self.obtained_on,
                "proof": papers.proof,
                "map": map,
                "dates": self.dates,
                "sheet": self.sheet,
                "encoding": self.encoding,
                "delimiter": self.delimiter,
            },
            "language": self.language,
            "confirm_organizer_list": self.confirm_organizer_list,
        })
    }
}
