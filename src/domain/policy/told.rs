//! Verdicts and rows in words, the same on the command line and on pages.

use serde::Serialize;

use super::{Judgement, NO_LEGAL_ADVICE, Need, Outreach, ProofKey, Row, Rule, Verdict, Zone};
use crate::domain::standing::Basis;
use crate::domain::time::Timestamp;

/// A verdict for programs, with the names that they rely on: the same on the command line and over the API.
#[derive(Debug, Serialize)]
pub struct Explanation<'a> {
    pub verdict: Verdict,
    pub outreach: Outreach,
    pub rule: Rule,
    pub fired: &'a [Rule],
    pub valid_until: Option<Timestamp>,
    pub why: &'a str,
}

impl Judgement {
    pub fn explanation(&self) -> Explanation<'_> {
        Explanation {
            verdict: self.verdict,
            outreach: self.outreach,
            rule: self.rule,
            fired: &self.fired,
            valid_until: self.valid_until,
            why: &self.why,
        }
    }

    /// The verdict line by line: what the line is about, and what it says.
    pub fn lines(&self, zone: &Zone) -> Vec<(&'static str, String)> {
        let fired: Vec<&str> = self.fired.iter().map(|rule| rule.id()).collect();
        let verdict = match self.basis {
            Basis::Explicit => "accept, on explicit consent",
            Basis::Implicit => "accept, on implicit consent",
            Basis::None => self.verdict.as_str(),
        };
        let (rule, outreach) = (self.rule, self.outreach);
        let mut lines = vec![
            ("verdict", verdict.to_owned()),
            ("rule", format!("{}: {}", rule.id(), rule.says())),
            ("fired", fired.join(", ")),
            (
                "outreach",
                format!("{}: {}", outreach.as_str(), outreach.says()),
            ),
        ];
        if let Some(until) = self.valid_until {
            lines.push(("until", zone.written(until)));
        }
        lines.push(("why", self.why.clone()));
        if let Some(rule) = self.deviation {
            let kept = format!(
                "rule {} was loosened, which is kept as a deviation",
                rule.id()
            );
            lines.push(("deviates", kept));
        }
        lines.push(("policy", self.policy_version.clone()));
        lines.push(("note", NO_LEGAL_ADVICE.to_owned()));
        lines
    }
}

impl Row {
    /// The proof of a row in words: what is demanded, what is enough of several, what may be there.
    pub fn proof_in_words(&self) -> String {
        let keys = |need: Need, joint: &str| {
            let words: Vec<String> = self
                .proof
                .iter()
                .filter(|key| key.need == need)
                .map(|ProofKey { key, about, .. }| format!("{key} ({about})"))
                .collect();
            words.join(joint)
        };
        let mut parts = vec![keys(Need::OneOf, " or "), keys(Need::Demanded, ", ")];
        let optional = keys(Need::Optional, ", ");
        if !optional.is_empty() {
            parts.push(format!("optional: {optional}"));
        }
        parts.retain(|part| !part.is_empty());
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join("; ")
        }
    }

    /// How long what a row gives lasts.
    pub fn lasts(&self) -> String {
        match self.verdict {
            Verdict::Accept => self.window.to_string(),
            Verdict::ConfirmFirst | Verdict::Refuse => "–".to_owned(),
        }
    }
}
