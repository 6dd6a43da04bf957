//! One row: whom it names, and what it claims of how the address came to the brand.

use std::cell::RefCell;

use super::dates::{Order, day, instant};
use super::formula::taken_back;
use super::header::{Columns, Field};
use super::proof::{ProofFile, ProofFolder};
use super::{Broken, Flaw, Row};
use crate::domain::brand::LANGUAGES;
use crate::domain::email_address::{AddressRules, EmailAddress, kept_name};
use crate::domain::hex::hex;
use crate::domain::import::Elsewhere;
use crate::domain::policy::{Claim, ClaimProblem, Source, Zone};

/// The longest text that is kept of what another system says, in characters.
const LONGEST: usize = 2_000;

/// Somebody whom a file names.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub line: u64,
    pub address: EmailAddress,
    pub name: Option<String>,
    pub language: Option<&'static str>,
    pub claims: Vec<Claim>,
    /// The file says that the person has left (D3), and on which day, where it tells one.
    pub left: bool,
    pub left_on: Option<String>,
    /// The word of a source that the policy does not know.
    pub unknown_source: Option<String>,
    pub elsewhere: Option<Elsewhere>,
    /// The files of proof that the claims rest on.
    pub files: Vec<ProofFile>,
}

/// What holds for all rows of a file where they say nothing else.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub source: Option<Source>,
    pub obtained_on: Option<String>,
    pub proof: Vec<(String, String)>,
}

/// How the rows of one file are read.
pub struct Reading {
    pub columns: Columns,
    pub batch: Batch,
    pub order: Option<Order>,
    /// The brand's: in which days begin.
    pub zone: Zone,
    pub rules: AddressRules,
    /// Where the files lie that rows name.
    pub proofs: Option<RefCell<ProofFolder>>,
}

impl Reading {
    /// Whom a row names, or why it cannot be used. Proof or a date that is missing or cannot be read is no reason: the policy
    /// has an answer to that (D4).
    pub fn candidate(&self, row: &Row) -> Result<Candidate, Broken> {
        let typed = self.cell(row, Field::Email).unwrap_or_default();
        let broken = |flaw| Broken {
            line: row.line,
            address: typed.chars().take(EmailAddress::MAX_BYTES).collect(),
            flaw,
        };
        if typed.is_empty() {
            return Err(broken(Flaw::NoAddress));
        }
        let address = EmailAddress::parse(typed, &self.rules)
            .map_err(|problem| broken(Flaw::Address(problem.code())))?;
        let (source, unknown_source) = self.source(row);
        let files = self.files(row, source).map_err(broken)?;
        let claim = self
            .claim(row, source, &files)
            .map_err(|problem| broken(Flaw::Claim(problem.to_string())))?;
        let left: Vec<&str> = self
            .columns
            .places(Field::Left)
            .filter_map(|at| cell_at(row, at))
            .filter(|text| is_yes(text))
            .collect();
        Ok(Candidate {
            line: row.line,
            address,
            name: self.name(row),
            language: self.cell(row, Field::Language).and_then(language),
            claims: vec![claim],
            left: !left.is_empty(),
            left_on: left
                .into_iter()
                .filter_map(|text| day(text, self.order, &self.zone))
                .max(),
            unknown_source,
            elsewhere: self.elsewhere(row),
            files: files.into_iter().map(|(_, file)| file).collect(),
        })
    }

    /// The key of the address that a row names, where it names one.
    pub fn address_key(&self, row: &Row) -> Option<String> {
        let typed = self.cell(row, Field::Email)?;
        let address = EmailAddress::parse(typed, &self.rules).ok()?;
        Some(address.key().to_owned())
    }

    /// The files that a row names for what its source takes.
    fn files(&self, row: &Row, source: Source) -> Result<Vec<(&'static str, ProofFile)>, Flaw> {
        let Some(folder) = &self.proofs else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for proof in source.row().proof {
            if let Some(name) = self.cell(row, Field::File(proof.key)) {
                let file = folder.borrow_mut().find(name);
                let shown = || name.chars().take(100).collect();
                let file = file.map_err(|problem| Flaw::Proof(shown(), problem))?;
                found.push((proof.key, file));
            }
        }
        Ok(found)
    }

    /// The text of a field, unless it is blank.
    fn cell<'a>(&self, row: &'a Row, field: Field) -> Option<&'a str> {
        cell_at(row, self.columns.place(field)?)
    }

    /// The row's own source before the one of all rows. One that the policy does not know is listed for classification (D1).
    fn source(&self, row: &Row) -> (Source, Option<String>) {
        let otherwise = self.batch.source.unwrap_or(Source::Unknown);
        let Some(text) = self.cell(row, Field::Source) else {
            return (otherwise, None);
        };
        let word = text.to_lowercase().replace([' ', '-'], "_");
        Source::parse(&word).map_or_else(
            || (Source::Unknown, Some(text.chars().take(60).collect())),
            |source| (source, None),
        )
    }

    /// The row's own proof before the one of all rows, and only what the source takes.
    fn claim(
        &self,
        row: &Row,
        source: Source,
        files: &[(&str, ProofFile)],
    ) -> Result<Claim, ClaimProblem> {
        let of_all = self.batch.source == Some(source) || self.batch.source.is_none();
        let dated =
            |text: &str| day(text, self.order, &self.zone).unwrap_or_else(|| text.to_owned());
        let obtained = self
            .cell(row, Field::ObtainedOn)
            .or(self.batch.obtained_on.as_deref().filter(|_| of_all))
            .map(dated);
        let claim = Claim::new(source, obtained.as_deref());
        source.row().proof.iter().try_fold(claim, |claim, proof| {
            let given = self.cell(row, Field::Proof(proof.key)).or_else(|| {
                let mut pairs = self.batch.proof.iter().filter(|_| of_all);
                let pair = pairs.find(|(key, _)| key == proof.key);
                pair.map(|(_, value)| value.as_str())
            });
            let file = files.iter().find(|(key, _)| *key == proof.key);
            let by_hash = file.map(|(_, file)| with_hash(proof.key, given, &file.sha256));
            let Some(given) = by_hash.as_deref().or(given) else {
                return Ok(claim);
            };
            let value = match proof.key {
                "date" | "joined" | "last_active" | "original_date" | "notice_sent" => dated(given),
                "time" => instant(given).unwrap_or_else(|| given.to_owned()),
                _ => given.to_owned(),
            };
            claim.prove(proof.key, &value)
        })
    }

    fn name(&self, row: &Row) -> Option<String> {
        let full = self.cell(row, Field::Name).map(str::to_owned);
        let parts = [Field::FirstName, Field::LastName].map(|field| self.cell(row, field));
        let joined: Vec<&str> = parts.into_iter().flatten().collect();
        let joined = (!joined.is_empty()).then(|| joined.join(" "));
        joined.or(full).as_deref().and_then(kept_name)
    }

    fn elsewhere(&self, row: &Row) -> Option<Elsewhere> {
        let text = |field| {
            self.cell(row, field)
                .map(|text| text.chars().take(LONGEST).collect())
        };
        let said = Elsewhere {
            system: None,
            opted_in_at: text(Field::OptedInAt),
            opted_in_ip: text(Field::OptedInIp),
            confirmed_at: text(Field::ConfirmedAt),
            confirmed_ip: text(Field::ConfirmedIp),
            says_whence: false,
            legal_basis: text(Field::LegalBasis),
            explanation: text(Field::Explanation),
        };
        (said != Elsewhere::default()).then_some(Elsewhere {
            system: self.columns.system.map(str::to_owned),
            ..said
        })
    }
}

/// A piece of proof that is a file: its hash, behind the words that there are for it besides.
pub fn with_hash(key: &str, words: Option<&str>, sha256: &[u8; 32]) -> String {
    let hash = hex(sha256);
    match words {
        Some(words) if key != "scan" => format!("{words} sha256:{hash}"),
        _ => hash,
    }
}

/// One of our languages, from a code such as `de`, `de-AT` or `de_AT`.
fn language(text: &str) -> Option<&'static str> {
    let code = text.split(['-', '_']).next()?.trim().to_lowercase();
    LANGUAGES.into_iter().find(|language| *language == code)
}

fn cell_at(row: &Row, at: usize) -> Option<&str> {
    let text = taken_back(row.cells.get(at)?.trim()).trim();
    (!text.is_empty()).then_some(text)
}

/// What programs and people write who mean no, or nothing: without spaces and signs, as `plain` does it.
const NO: [&str; 27] = [
    "no",
    "n",
    "false",
    "f",
    "off",
    "nee",
    "nein",
    "non",
    "onwaar",
    "falsch",
    "faux",
    "falso",
    "subscribed",
    "active",
    "none",
    "null",
    "nil",
    "nan",
    "na",
    "nvt",
    "never",
    "empty",
    "blank",
    "geen",
    "keine",
    "aucun",
    "ninguno",
];

/// Signs that stand for nothing.
const NOTHING: &[char] = &[
    '-', '–', '—', '−', '_', '.', '…', '/', '\\', '(', ')', '#', '\'',
];

/// Whether a column that tells of leaving says so: with a yes, a date, a reason, or anything else that does not stand for no
/// or for nothing. What is not understood counts as a yes: nobody is mailed by mistake.
fn is_yes(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !NOTHING.contains(c))
        .flat_map(char::to_lowercase)
        .collect();
    // `0`, `0.0`, and the date that some databases write for none: `0000-00-00 00:00:00`.
    let is_zero = plain.chars().all(|c| matches!(c, '0' | ':'));
    !is_zero && !NO.contains(&plain.as_str())
}
