//! The table for a terminal of 80 columns.

use std::fmt::Write;

use crate::domain::policy::{
    ADDRESS_RULES, GENERAL_RULES, NO_LEGAL_ADVICE, OVERLAYS, Outreach, POLICY_VERSION, PRECEDENCE,
    READING_DATES, Row, SOURCES, Verdict,
};

const COLUMNS: usize = 80;
const INDENT: usize = 5;

/// Text in lines of 80 columns: the first begins with `first`, the others with so many spaces.
pub fn folded(text: &str, first: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut bare = true;
    for word in text.split_whitespace() {
        if !bare && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = " ".repeat(indent);
            bare = true;
        }
        if !bare {
            line.push(' ');
        }
        line.push_str(word);
        bare = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

fn indented(text: &str) -> String {
    folded(text, &" ".repeat(INDENT), INDENT)
}

fn listed(id: &str, text: &str) -> String {
    folded(text, &format!("{id:8} "), 9)
}

fn source(row: &Row) -> String {
    let mut text = format!(
        "{:4} {:26} {:14} {}\n",
        row.rule.id(),
        row.name,
        row.verdict.as_str(),
        row.outreach.as_str()
    );
    text.push_str(&indented(row.rule.says()));
    text.push_str(&indented(row.conditions));
    if row.verdict == Verdict::Accept {
        text.push_str(&indented(&format!("Lasts: {}", row.window)));
    }
    if !row.proof.is_empty() {
        text.push_str(&indented(&format!("Proof: {}", row.proof_in_words())));
    }
    text.push('\n');
    text
}

/// The whole policy for people at a terminal.
pub fn text() -> String {
    let mut text = format!("Consent policy {POLICY_VERSION}\n");
    text.push_str(&folded(NO_LEGAL_ADVICE, "", 0));
    text.push_str("\nVERDICTS\n");
    for verdict in Verdict::ALL {
        text.push_str(&word(verdict.as_str(), verdict.says()));
    }
    text.push_str("\nOUTREACH: how a person may be asked to confirm\n");
    for outreach in Outreach::ALL {
        text.push_str(&word(outreach.as_str(), outreach.says()));
    }
    let (rule, name, verdict) = ("rule", "source", "verdict");
    let _ = write!(
        text,
        "\nSOURCES\n{rule:4} {name:26} {verdict:14} outreach\n\n"
    );
    SOURCES.iter().for_each(|row| text.push_str(&source(row)));
    text.push_str(&rules());
    text
}

fn word(word: &str, says: &str) -> String {
    folded(says, &format!("{word:14} "), 15)
}

fn rules() -> String {
    let mut text = "RULES ABOUT ADDRESS, DATE AND PROOF\n".to_owned();
    for (rule, verdict, outreach) in ADDRESS_RULES {
        let says = format!("{} {}; outreach {outreach}.", rule.says(), verdict.as_str());
        text.push_str(&listed(rule.id(), &says));
    }
    text.push_str("\nOVERLAYS: stricter local law that a brand switches on\n");
    for row in &OVERLAYS {
        let effects = format!("{}: {}", row.country, row.effects.join(" "));
        text.push_str(&listed(row.overlay.as_str(), &effects));
    }
    text.push_str("\nPRECEDENCE\n");
    for (step, says) in (1..).zip(PRECEDENCE) {
        text.push_str(&listed(&format!("{step}."), says));
    }
    text.push_str("\nDATES\n");
    for says in READING_DATES {
        text.push_str(&listed("-", says));
    }
    text.push_str("\nGENERAL RULES\n");
    for rule in GENERAL_RULES {
        text.push_str(&listed(rule.id(), rule.says()));
    }
    text
}
