//! What the operator says of a file and of all its rows.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use encoding_rs::Encoding;
use serde_json::{Value, json};

use crate::domain::email_address::AddressRules;
use crate::domain::policy::{SOURCES, Source, Zone};
use crate::intake::candidate::{Batch, Reading};
use crate::intake::dates::{Order, day};
use crate::intake::header::{Columns, Field, HeaderProblem, Mapping};
use crate::intake::papers::{PAPERS_AT_MOST, Papers};
use crate::intake::proof::{ProofFile, ProofFolder};
use crate::intake::{Options, Row};

#[derive(Args)]
pub struct Given {
    /// How the addresses came to the brand, for rows that say nothing else; `countersign policy` lists the sources
    #[arg(long, hide_possible_values = true, value_parser = sources())]
    source: Option<Source>,
    /// The day of the act, for rows that say nothing else: YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    obtained_on: Option<String>,
    /// A piece of proof for rows that say nothing else; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    proof: Vec<(String, String)>,
    /// A paper that holds for all rows, such as a contract or a scan: the file is kept by its hash; may be given several times
    #[arg(long, value_name = "KEY=FILE", value_parser = key_and_value)]
    proof_file: Vec<(String, String)>,
    /// The folder of the files that rows name in a column that is mapped to file.KEY; each is kept by its hash
    #[arg(long, value_name = "DIR")]
    proof_dir: Option<PathBuf>,
    /// What a column holds, by its name or number: email, name, first_name, last_name, language, source, obtained_on, a piece of
    /// proof such as order, the name of a file that is one such as file.scan, left, or ignore; may be given several times
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = Mapping::parse)]
    map: Vec<Mapping>,
    /// How days and months stand in dates such as 03/04/2026; without it such a date proves nothing
    #[arg(long, value_name = "ORDER")]
    dates: Option<DateOrder>,
    /// The sheet of a workbook; by default the first visible one
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// The encoding of a text file, such as utf-8, utf-16le or latin1; by default it is found out
    #[arg(long, value_parser = Options::encoding)]
    encoding: Option<&'static Encoding>,
    /// What stands between the cells of a text file: one character, or tab; by default it is found out
    #[arg(long, value_parser = Options::delimiter)]
    delimiter: Option<u8>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DateOrder {
    DayFirst,
    MonthFirst,
}

fn sources() -> impl TypedValueParser<Value = Source> {
    PossibleValuesParser::new(SOURCES.map(|row| row.name))
        .try_map(|name| Source::parse(&name).ok_or("no source"))
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.to_owned()))
        .ok_or_else(|| "write it as KEY=VALUE".to_owned())
}

impl Given {
    /// The papers that hold for all rows, looked at.
    pub fn papers(&self) -> Result<Papers, String> {
        if self.proof_file.len() > PAPERS_AT_MOST {
            return Err(format!("--proof-file may be given {PAPERS_AT_MOST} times"));
        }
        let mut papers = Papers::of(&self.proof);
        for (key, path) in &self.proof_file {
            let file = ProofFile::look(Path::new(path))
                .map_err(|problem| format!("{}: {problem}", path.escape_debug()))?;
            papers
                .add(key, file)
                .map_err(|problem| problem.to_string())?;
        }
        Ok(papers)
    }

    /// Where the files lie that rows name; a column has to say which.
    pub fn folder(&self) -> Result<Option<ProofFolder>, String> {
        let mapped = |one: &Mapping| matches!(one.field, Some(Field::File(_)));
        let is_mapped = self.map.iter().any(mapped);
        match &self.proof_dir {
            None if is_mapped => Err("say where the files lie that rows name: --proof-dir DIR".to_owned()),
            None => Ok(None),
            Some(_) if !is_mapped => {
                Err("say which column names the files in --proof-dir: --map COLUMN=file.KEY, such as file.scan".to_owned())
            }
            Some(folder) => ProofFolder::open(folder)
                .map(Some)
                .map_err(|error| format!("{}: {error}", folder.display())),
        }
    }

    /// What is wrong for all rows is told before any row is read.
    pub fn check(&self, papers: &Papers) -> Result<(), String> {
        if let Some(text) = &self.obtained_on
            && day(text, self.order(), &Zone::default()).is_none()
        {
            let text = text.escape_debug();
            return Err(format!(
                "--obtained-on \"{text}\" is no day; write it as YYYY-MM-DD"
            ));
        }
        let problem = papers.problems(self.source).into_iter().next();
        problem.map_or(Ok(()), |(_, says)| Err(says))
    }

    /// All of it, to tell whether the same was said before.
    pub fn as_json(&self, papers: &Papers) -> Value {
        let dates = self.dates.as_ref().and_then(ValueEnum::to_possible_value);
        let delimiter = self.delimiter.map(|one| match one {
            b'\t' => "tab".to_owned(),
            one => char::from(one).to_string(),
        });
        json!({
            "source": self.source,
            "obtained_on": self.obtained_on,
            "proof": papers.proof,
            "proof_dir": self.proof_dir.is_some(),
            "map": self.map.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "dates": dates.map(|dates| dates.get_name().to_owned()),
            "sheet": self.sheet,
            "encoding": self.encoding.map(Encoding::name),
            "delimiter": delimiter,
        })
    }

    pub fn options(&self) -> Options {
        Options {
            encoding: self.encoding,
            delimiter: self.delimiter,
            sheet: self.sheet.clone(),
        }
    }

    /// What the columns mean; without a source at all nothing could be judged.
    pub fn columns(&self, header: &Row) -> Result<Columns, String> {
        let told = |problem: HeaderProblem| problem.to_string();
        let columns = Columns::of(&header.cells, &self.map, self.source).map_err(told)?;
        if self.source.is_none() && columns.place(Field::Source).is_none() {
            let says = "say where the addresses came from: --source S, or --map COLUMN=source; \
                        `countersign policy` lists the sources";
            return Err(says.to_owned());
        }
        Ok(columns)
    }

    pub fn reading(
        &self,
        columns: Columns,
        (rules, zone): (AddressRules, Zone),
        (papers, folder): (&Papers, Option<ProofFolder>),
    ) -> Reading {
        Reading {
            columns,
            batch: Batch {
                source: self.source,
                obtained_on: self.obtained_on.clone(),
                proof: papers.proof.clone(),
            },
            order: self.order(),
            zone,
            rules,
            proofs: folder.map(RefCell::new),
        }
    }

    fn order(&self) -> Option<Order> {
        self.dates.map(|order| match order {
            DateOrder::DayFirst => Order::DayFirst,
            DateOrder::MonthFirst => Order::MonthFirst,
        })
    }
}
