//! docs/policy.md, generated; a test compares it with what is kept.

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
    | `hold_until_confirmed` | `false` | the brand's own form gives no consent before it is confirmed |\n\
    \n\
    What a brand switches on or shortens holds for what comes from then on, and for whom a campaign asks. Consent that was given \
    before stays as it was judged, in `permission` too, and ends when it was to end; `countersign policy explain --brand` judges \
    anew.\n";

const EXPLAINED: &str = "```\ncountersign policy explain --source event_organizer_list --proof event=Fair --proof organizer=\"Fair Ltd\" \\\n    \
    --source purchase --obtained-on 2026-08-24 --proof order=1001 --as-of 2026-11-24\n```\n\n\
    A date and a piece of proof belong to the source before them. `--brand` takes the brand's settings and, with `--address`, what \
    it knows of the address; without it no installation is needed. `--json` gives `verdict`, `outreach`, `rule`, `fired` (every \
    rule that had a say, as they were applied), `valid_until` (when implicit consent ends, or by D2 ended) and `why`.\n";

/// The page.
pub fn markdown() -> String {
    let head = format!(
        "# The consent policy, version {POLICY_VERSION}\n\n{NO_LEGAL_ADVICE}\n\n{ABOUT}\n\n"
    );
    let ours: Vec<&str> = SOURCES
        .iter()
        .filter(|row| row.ours)
        .map(|row| row.rule.id())
        .collect();
    let ours = format!(
        "\nRows of our own: {}, D2, D3, D4, and the months of A5.\n\n",
        ours.join(", ")
    );
    [
        head,
        words(),
        sources(),
        ours,
        rules(),
        overlays(),
        format!("## What a brand sets\n\n{BRANDS}\n## One verdict\n\n{EXPLAINED}"),
    ]
    .concat()
}

/// A table with its heading.
fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(columns) + &line(&vec!["---"; columns.len()]);
    for row in rows {
        text.push_str(&line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    text
}

fn code(word: &str) -> String {
    format!("`{word}`")
}

fn words() -> String {
    let verdicts = Verdict::ALL.iter().map(|one| (one.as_str(), one.says()));
    let outreach = Outreach::ALL.iter().map(|one| (one.as_str(), one.says()));
    let row = |(word, says): (&str, &str)| vec![code(word), says.to_owned()];
    format!(
        "## Words\n\n{}\n{}\n",
        table(&["verdict", "what it means"], verdicts.map(row)),
        table(
            &["outreach", "how a person may be asked"],
            outreach.map(row)
        )
    )
}

fn sources() -> String {
    let columns = [
        "id",
        "source",
        "verdict",
        "outreach",
        "what it is",
        "conditions",
        "lasts",
        "proof",
    ];
    format!(
        "## Sources\n\n{}",
        table(&columns, SOURCES.iter().map(source))
    )
}

fn rules() -> String {
    let address = ADDRESS_RULES.iter().map(|(rule, verdict, outreach)| {
        let (id, says) = (rule.id().to_owned(), rule.says().to_owned());
        vec![id, says, code(verdict.as_str()), (*outreach).to_owned()]
    });
    let general = GENERAL_RULES
        .iter()
        .map(|rule| vec![rule.id().to_owned(), rule.says().to_owned()]);
    let steps: String = (1..)
        .zip(PRECEDENCE)
        .map(|(step, says)| format!("{step}. {says}\n"))
        .collect();
    let dates: String = READING_DATES.map(|says| format!("- {says}\n")).concat();
    format!(
        "## Rules about address, date and proof\n\n{}\n## Precedence\n\n{steps}\n## Dates and windows\n\n{dates}\n\
         ## General rules\n\n{}\n",
        table(&["id", "rule", "verdict", "outreach"], address),
        table(&["id", "rule"], general)
    )
}

fn overlays() -> String {
    let rows = OVERLAYS.iter().map(|row| {
        let country = row.country.to_owned();
        vec![code(row.overlay.as_str()), country, row.effects.join(" ")]
    });
    format!(
        "## Overlays\n\nStricter local law that a brand switches on. They only make things stricter.\n\n{}\n",
        table(&["overlay", "country", "effect"], rows)
    )
}

fn source(row: &Row) -> Vec<String> {
    vec![
        row.rule.id().to_owned(),
        code(row.name),
        code(row.verdict.as_str()),
        code(row.outreach.as_str()),
        row.rule.says().to_owned(),
        row.conditions.to_owned(),
        row.lasts(),
        row.proof_in_words(),
    ]
}
