//! docs/policy.md, generated; a test compares it with what is kept.

use std::fmt::Write;

use super::table::proof;
use crate::domain::policy::{
    ADDRESS_RULES, GENERAL_RULES, NO_LEGAL_ADVICE, OVERLAYS, Outreach, POLICY_VERSION, PRECEDENCE,
    READING_DATES, Row, SOURCES, Verdict,
};

const ABOUT: &str = "From where an address came, to what may be sent to it. This page is generated from the program: \
                     `countersign policy` prints the same table, `countersign policy explain` judges one address and says why. Every \
                     verdict is kept with its rule, the version of the policy, and the facts that it used.";

const BRANDS: &str = "A brand's declaration (see `countersign apply`) may say:\n\n\
    | setting | default | |\n| --- | --- | --- |\n\
    | `time_zone` | `\"UTC\"` | in which windows begin and end: a name of the IANA database, such as `\"Europe/Amsterdam\"` |\n\
    | `overlays` | `[]` | stricter local law, such as `[\"de\", \"nl\"]` |\n\
    | `role_addresses`, `responsible` | `\"refuse\"` | `\"confirm_first\"` loosens O6; `responsible` names who answers for it |\n\
    | `active_within_months` | `12` | A5: how long after the last activity a member counts as active, 1 to 24 |\n\
    | `hold_until_confirmed` | `false` | the brand's own form gives no consent before it is confirmed |\n";

const EXPLAINED: &str = "```\ncountersign policy explain --source event_organizer_list --proof event=Fair --proof organizer=\"Fair Ltd\" \\\n    \
    --source purchase --obtained-on 2026-08-24 --proof order=1001 --as-of 2026-11-24\n```\n\n\
    A date and a piece of proof belong to the source before them. `--brand` takes the brand's settings and, with `--address`, what \
    it knows of the address; without it no installation is needed. `--json` gives `verdict`, `outreach`, `rule`, `fired` (every \
    rule that had a say, as they were applied), `valid_until` (when implicit consent ends, or by D2 ended) and `why`.\n";

/// The page.
pub fn markdown() -> String {
    let mut page = format!(
        "# The consent policy, version {POLICY_VERSION}\n\n{NO_LEGAL_ADVICE}\n\n{ABOUT}\n\n## Words\n\n"
    );
    page.push_str("| verdict | |\n| --- | --- |\n");
    for one in Verdict::ALL {
        let _ = writeln!(page, "| `{}` | {} |", one.as_str(), one.says());
    }
    page.push_str("\n| outreach | |\n| --- | --- |\n");
    for one in Outreach::ALL {
        let _ = writeln!(page, "| `{}` | {} |", one.as_str(), one.says());
    }
    page.push_str("\n## Sources\n\n| id | source | verdict | outreach | what it is | conditions | lasts | proof |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    SOURCES.iter().for_each(|row| page.push_str(&source(row)));
    page.push_str("\nRows of our own: ");
    let ours: Vec<&str> = SOURCES
        .iter()
        .filter(|row| row.ours)
        .map(|row| row.rule.id())
        .collect();
    let _ = writeln!(
        page,
        "{}, D2, D3, D4, and the months of A5.",
        ours.join(", ")
    );
    page.push_str("\n## Rules about address, date and proof\n\n| id | rule | verdict | outreach |\n| --- | --- | --- | --- |\n");
    for (rule, verdict, outreach) in ADDRESS_RULES {
        let _ = writeln!(
            page,
            "| {} | {} | `{}` | {outreach} |",
            rule.id(),
            rule.says(),
            verdict.as_str()
        );
    }
    page.push_str("\n## Precedence\n\n");
    for (step, says) in PRECEDENCE.iter().enumerate() {
        let _ = writeln!(page, "{}. {says}", step + 1);
    }
    page.push_str("\n## Dates and windows\n\n");
    READING_DATES.iter().for_each(|says| {
        let _ = writeln!(page, "- {says}");
    });
    page.push_str("\n## Overlays\n\nStricter local law that a brand switches on. They only make things stricter.\n\n| overlay | country | effect |\n| --- | --- | --- |\n");
    for row in &OVERLAYS {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            row.overlay.as_str(),
            row.country,
            row.effects.join(" ")
        );
    }
    page.push_str("\n## General rules\n\n| id | rule |\n| --- | --- |\n");
    for rule in GENERAL_RULES {
        let _ = writeln!(page, "| {} | {} |", rule.id(), rule.says());
    }
    let _ = write!(
        page,
        "\n## What a brand sets\n\n{BRANDS}\n## One verdict\n\n{EXPLAINED}"
    );
    page
}

fn source(row: &Row) -> String {
    let lasts = match row.verdict {
        Verdict::Accept => row.window.to_string(),
        Verdict::ConfirmFirst | Verdict::Refuse => "–".to_owned(),
    };
    format!(
        "| {} | `{}` | `{}` | `{}` | {} | {} | {lasts} | {} |\n",
        row.rule.id(),
        row.name,
        row.verdict.as_str(),
        row.outreach.as_str(),
        row.rule.says(),
        row.conditions,
        proof(row)
    )
}
