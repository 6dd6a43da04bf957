//! What came of the rows, counted and with samples; told to people and to programs.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::hash::BuildHasher;

use serde_json::{Value, json};

use crate::app::import::Judged;
use crate::domain::policy::{NO_LEGAL_ADVICE, Outreach, POLICY_VERSION, Rule, Verdict};
use crate::intake::Broken;
use crate::intake::header::Columns;

const SAMPLES: usize = 5;
/// Addresses are remembered as hashes, to see which come again: 9 bytes each, so that a million take less than 40 MB.
const REMEMBERED: usize = 4_000_000;

/// What is told of one row.
#[derive(Clone)]
pub struct Told {
    pub line: u64,
    pub address: String,
    /// None: the row is broken.
    pub verdict: Option<Verdict>,
    pub rule: Option<Rule>,
    pub outreach: Option<Outreach>,
    pub reason: String,
}

impl Told {
    pub fn verdict_word(&self) -> &'static str {
        self.verdict.map_or("broken", Verdict::as_str)
    }
}

#[derive(Default)]
pub struct Tally {
    counts: BTreeMap<Verdict, BTreeMap<Rule, u64>>,
    broken: u64,
    again: u64,
    elsewhere: u64,
    confirmed_elsewhere: u64,
    samples: BTreeMap<Option<Verdict>, Vec<Told>>,
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Tally {
    pub fn rows(&self) -> u64 {
        let judged: u64 = self.counts.values().flat_map(BTreeMap::values).sum();
        judged + self.broken
    }

    pub fn broken(&mut self, broken: Broken) -> Told {
        self.broken += 1;
        Told {
            line: broken.line,
            address: broken.address,
            verdict: None,
            rule: None,
            outreach: None,
            reason: broken.flaw.to_string(),
        }
    }

    pub fn judged(&mut self, judged: Judged) -> Told {
        let (candidate, judgement) = (judged.candidate, judged.judgement);
        let rules = self.counts.entry(judgement.verdict).or_default();
        *rules.entry(judgement.rule).or_default() += 1;
        let mut reason = judgement.why;
        if let Some(word) = &candidate.unknown_source {
            let _ = write!(
                reason,
                " The policy has no source \"{}\".",
                word.escape_debug()
            );
        }
        if let Some(said) = &candidate.elsewhere {
            self.elsewhere += 1;
            self.confirmed_elsewhere += u64::from(said.tells_of_a_confirmation());
        }
        if self.is_again(candidate.address.key()) {
            self.again += 1;
            reason.push_str(" The address stands further up already.");
        }
        Told {
            line: candidate.line,
            address: candidate.address.as_typed().to_owned(),
            verdict: Some(judgement.verdict),
            rule: Some(judgement.rule),
            outreach: Some(judgement.outreach),
            reason,
        }
    }

    fn is_again(&mut self, key: &str) -> bool {
        let hash = self.hasher.hash_one(key);
        if self.seen.len() < REMEMBERED {
            !self.seen.insert(hash)
        } else {
            self.seen.contains(&hash)
        }
    }

    pub fn sample(&mut self, told: Told) {
        let samples = self.samples.entry(told.verdict).or_default();
        if samples.len() < SAMPLES {
            samples.push(told);
        }
    }

    fn count(&self, verdict: Verdict) -> u64 {
        self.counts
            .get(&verdict)
            .map_or(0, |rules| rules.values().sum())
    }
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

pub fn text(tally: &Tally, about: &str, columns: &Columns) -> String {
    let mut text = format!("{about}: {}\n", rows(tally.rows()));
    text.push_str(&columns_text(columns));
    text.push_str(&counts_text(tally));
    if tally.again > 0 {
        let again = rows(tally.again);
        let _ = writeln!(
            text,
            "\nWith an address that stands further up already: {again}."
        );
    }
    if tally.elsewhere > 0 {
        let (said, confirmed) = (rows(tally.elsewhere), grouped(tally.confirmed_elsewhere));
        let _ = writeln!(
            text,
            "\nWith another system's word on the consent: {said}, of a confirmation: {confirmed}. It would be kept as that\n\
             system's word (api_claim), never as confirmed here."
        );
    }
    for verdict in Verdict::ALL.map(Some).into_iter().chain([None]) {
        if let Some(samples) = tally.samples.get(&verdict) {
            text.push_str(&samples_text(samples));
        }
    }
    let _ = writeln!(
        text,
        "\nNothing was stored. Policy {POLICY_VERSION}.\n{NO_LEGAL_ADVICE}"
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

fn counts_text(tally: &Tally) -> String {
    let mut text = "\n".to_owned();
    for verdict in Verdict::ALL {
        let rules = tally.counts.get(&verdict).into_iter().flatten();
        let rules: Vec<String> = rules
            .map(|(rule, count)| format!("{} {}", rule.id(), grouped(*count)))
            .collect();
        let (word, count) = (verdict.as_str(), grouped(tally.count(verdict)));
        let line = format!("{word:14} {count:>10}  {}", rules.join(", "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "{:14} {:>10}", "broken", grouped(tally.broken));
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

pub fn data(tally: &Tally, about: &str, columns: &Columns) -> Value {
    let counts: BTreeMap<&str, Value> = Verdict::ALL
        .into_iter()
        .map(|verdict| {
            let rules = tally.counts.get(&verdict).into_iter().flatten();
            let rules: BTreeMap<&str, u64> =
                rules.map(|(rule, count)| (rule.id(), *count)).collect();
            (
                verdict.as_str(),
                json!({ "rows": tally.count(verdict), "rules": rules }),
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
        "dry_run": true,
        "file": about,
        "rows": tally.rows(),
        "verdicts": counts,
        "broken": tally.broken,
        "again": tally.again,
        "elsewhere": { "rows": tally.elsewhere, "confirmed": tally.confirmed_elsewhere, "system": columns.system },
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
