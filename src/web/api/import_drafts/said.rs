//! What a program says of a list, read strictly.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Pairs;
use crate::app::drafts::{ImportDraft, Said};
use crate::domain::brand::LANGUAGES;
use crate::domain::policy::{SOURCES, Source};
use crate::intake::Options;
use crate::intake::header::Field;
use crate::web::api::body::Input;
use crate::web::api::problem::ApiProblem;
use crate::web::error::FieldProblem;

/// Columns of which something is said, and pieces of proof.
const PAIRS_AT_MOST: usize = 500;
/// Characters of a name or a value.
const TEXT_AT_MOST: usize = 2_000;

/// How a list is read, and from where its people came; all as the arguments of `countersign import`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryRequest {
    /// How the addresses came to the brand; `countersign policy` lists the sources. Without it a column has to say it.
    #[schema(example = "purchase")]
    source: Option<String>,
    /// The day of the act, for rows that say nothing else.
    #[schema(example = "2026-11-01")]
    obtained_on: Option<String>,
    /// Proof for rows that say nothing else: values by their keys.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"order": "4711"}))]
    proof: Pairs,
    /// What columns hold whose names do not tell it: fields (or `ignore`) by the columns' names or numbers. A column of
    /// `file.scan` names files that were brought for the list.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"Bestelling": "order"}))]
    map: Pairs,
    /// How days and months stand in dates such as 03/04/2026: `day_first` or `month_first`.
    dates: Option<String>,
    /// The sheet of a workbook.
    sheet: Option<String>,
    #[schema(example = "utf-8")]
    encoding: Option<String>,
    /// One character, or `tab`.
    delimiter: Option<String>,
    /// Of contacts for whom the list tells none.
    #[schema(example = "en")]
    language: Option<String>,
    /// Have an organiser's list confirmed instead of refused (rule O2b); it is kept as a deviation.
    #[serde(default)]
    confirm_organizer_list: bool,
}

impl Input for TryRequest {
    const AT_MOST: usize = 256 << 10;
}

/// What was said of a list, or everything that is wrong with it.
pub fn read(given: TryRequest, of: &ImportDraft) -> Result<Said, ApiProblem> {
    let mut problems = Vec::new();
    let mut wrong = |field: &str, detail: String| {
        problems.push(FieldProblem {
            field: field.to_owned(),
            detail: format!("{detail}."),
        });
    };
    let texts = given.proof.iter().chain(&given.map);
    let long = |text: &String| text.chars().count() > TEXT_AT_MOST;
    if given.proof.len() > PAIRS_AT_MOST
        || given.map.len() > PAIRS_AT_MOST
        || texts.clone().any(|(name, value)| long(name) || long(value))
    {
        let detail = format!("at most {PAIRS_AT_MOST} entries of {TEXT_AT_MOST} characters");
        return Err(ApiProblem::invalid("map", format!("{detail}.")));
    }
    if let Some(source) = &given.source
        && Source::parse(source).is_none()
    {
        let all: Vec<&str> = SOURCES.iter().map(|row| row.name).collect();
        wrong("source", format!("it is one of {}", all.join(", ")));
    }
    for (column, field) in &given.map {
        if field != "ignore" && Field::parse(field).is_none() {
            wrong(
                "map",
                format!("column {column:?}: there are {}", Field::all()),
            );
        }
    }
    if given.source.is_none() && !given.map.values().any(|field| field == "source") {
        let detail = "say where the addresses came from, or which column tells it (map)";
        wrong("source", detail.to_owned());
    }
    if given
        .dates
        .as_deref()
        .is_some_and(|order| !matches!(order, "day_first" | "month_first"))
    {
        wrong("dates", "it is day_first or month_first".to_owned());
    }
    if let Some(Err(problem)) = given.encoding.as_deref().map(Options::encoding) {
        wrong("encoding", problem);
    }
    if let Some(Err(problem)) = given.delimiter.as_deref().map(Options::delimiter) {
        wrong("delimiter", problem);
    }
    let language = given.language.unwrap_or_else(|| "en".to_owned());
    if !LANGUAGES.contains(&language.as_str()) {
        wrong("language", format!("it is one of {}", LANGUAGES.join(", ")));
    }
    let said = Said {
        encoding: given.encoding,
        delimiter: given.delimiter,
        sheet: given.sheet,
        dates: given.dates,
        map: given.map.into_iter().collect(),
        has_source: true,
        source: given.source,
        obtained_on: given.obtained_on,
        proof: given.proof.into_iter().collect(),
        language,
        confirm_organizer_list: given.confirm_organizer_list,
    };
    for (field, problem) in of.problems(&said) {
        wrong(&field, problem);
    }
    if problems.is_empty() {
        Ok(said)
    } else {
        Err(ApiProblem::fields(problems))
    }
}
