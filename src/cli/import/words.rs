//! What came of an import, in words and for programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::app::import::tally::{Counts, Tally, Told};
use crate::domain::policy::{NO_LEGAL_ADVICE, POLICY_VERSION, Verdict};
use crate::intake::header::Columns;

/// What was read, and under which name it was taken in; none where it was only tried.
pub struct About<'a> {
    pub file: &'a str,
    pub name: Option<&'a str>,
    pub columns: &'a Columns,
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2 rows`.
fn rows(count: u64) -> String {
    let word = if count == 1 { "row" } else { "rows" };
    format!("{} {word}", grouped(count))
}

pub fn text(tally: &Tally, about: &About<'_>) -> String {
    let counts = &tally.counts;
    let mut text = format!("{}: {}\n", about.file, rows(counts.rows()));
    text.push_str(&columns_text(about.columns));
    text.push_str(&counts_text(counts));
    if counts.again > 0 {
        let again = rows(counts.again);
        let _ = writeln!(
            text,
            "\nWith an address that stands further up already: {again}."
        );
    }
    if counts.left > 0 {
        let left = grouped(counts.left);
        let _ = writeln!(
            text,
            "\nKnown contacts that left, as the file says: {left}. They are withdrawn from this purpose."
        );
    }
    if counts.elsewhere > 0 {
        let (said, confirmed) = (rows(counts.elsewhere), grouped(counts.confirmed_elsewhere));
        let _ = writeln!(
            text,
            "\nWith another system's word on the consent: {said}, of a confirmation: {confirmed}. It is kept as that system's\n\
             word (api_claim), never as confirmed here."
        );
    }
    for verdict in Verdict::ALL.map(Some).into_iter().chain([None]) {
        if let Some(samples) = tally.samples.get(&verdict) {
            text.push_str(&samples_text(samples));
        }
    }
    let stored = about.name.map_or_else(
        || "Nothing was stored.".to_owned(),
        |name| stored_text(name, counts),
    );
    let _ = writeln!(
        text,
        "\n{stored} Policy {POLICY_VERSION}.\n{NO_LEGAL_ADVICE}"
    );
    text
}

fn columns_text(columns: &Columns) -> String {
    let mut text = String::new();
    for (_, field, name) in &columns.used {
        let _ = writeln!(text, "  column {name}: {field}");
    }
    if !columns.left_out.is_empty() {
        let mut names = columns.left_out.clone();
        names.truncate(40);
        if columns.left_out.len() > names.len() {
            names.push(format!("and {} more", columns.left_out.len() - names.len()));
        }
        let _ = writeln!(text, "  left out: {}", names.join(", "));
    }
    text
}

fn stored_text(name: &str, counts: &Counts) -> String {
    format!(
        "Import \"{}\": {} new, {} with a further source, {} known as they are; nothing of the others was stored.",
        name.escape_debug(),
        grouped(counts.new),
        grouped(counts.added),
        grouped(counts.unchanged)
    )
}

fn counts_text(counts: &Counts) -> String {
    let mut text = "\n".to_owned();
    for verdict in Verdict::ALL {
        let rules = counts.verdicts.get(&verdict).into_iter().flatten();
        let rules: Vec<String> = rules
            .map(|(rule, count)| format!("{} {}", rule.id(), grouped(*count)))
            .collect();
        let (word, count) = (verdict.as_str(), grouped(counts.of(verdict)));
        let line = format!("{word:14} {count:>10}  {}", rules.join(", "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "{:14} {:>10}", "broken", grouped(counts.broken));
    text
}

fn samples_text(samples: &[Told]) -> String {
    let word = samples.first().map_or("", Told::verdict_word);
    let mut text = format!("\n{word}, for example\n");
    for told in samples {
        let rule = told.rule.map(|rule| rule.id().to_owned());
        let asked = told
            .outreach
            .map(|outreach| format!("outreach {}", outreach.as_str()));
        let address = Some(told.address.escape_debug().to_string()).filter(|text| !text.is_empty());
        let parts: Vec<String> = [address, rule, asked].into_iter().flatten().collect();
        let _ = writeln!(text, "  line {}  {}", told.line, parts.join("  "));
        let _ = writeln!(text, "    {}", told.reason);
    }
    text
}

pub fn data(tally: &Tally, about: &About<'_>) -> Value {
    let (counts, columns) = (&tally.counts, about.columns);
    let verdicts: BTreeMap<&str, Value> = Verdict::ALL
        .into_iter()
        .map(|verdict| {
            let rules = counts.verdicts.get(&verdict).into_iter().flatten();
            let rules: BTreeMap<&str, u64> =
                rules.map(|(rule, count)| (rule.id(), *count)).collect();
            (
                verdict.as_str(),
                json!({ "rows": counts.of(verdict), "rules": rules }),
            )
        })
        .collect();
    let samples: BTreeMap<&str, Vec<Value>> = tally
        .samples
        .values()
        .filter_map(|told| {
            Some((
                told.first()?.verdict_word(),
                told.iter().map(sample_data).collect(),
            ))
        })
        .collect();
    json!({
        "dry_run": about.name.is_none(),
        "import": about.name,
        "file": about.file,
        "rows": counts.rows(),
        "verdicts": verdicts,
        "broken": counts.broken,
        "again": counts.again,
        "new": counts.new,
        "added": counts.added,
        "unchanged": counts.unchanged,
        "left": counts.left,
        "elsewhere": { "rows": counts.elsewhere, "confirmed": counts.confirmed_elsewhere, "system": columns.system },
        "columns": columns.used.iter().map(|(_, field, name)| json!({
            "column": name, "field": field.to_string(),
        })).collect::<Vec<_>>(),
        "left_out": columns.left_out,
        "samples": samples,
        "policy_version": POLICY_VERSION,
        "note": NO_LEGAL_ADVICE,
    })
}

fn sample_data(told: &Told) -> Value {
    json!({
        "line": told.line,
        "address": told.address,
        "rule": told.rule,
        "outreach": told.outreach,
        "reason": told.reason,
    })
}
