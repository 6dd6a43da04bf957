//! The whole policy for programs: what `countersign policy --json` prints and `GET /api/v1/policy` answers.

use serde_json::{Value, json};

use super::{
    ADDRESS_RULES, GENERAL_RULES, NO_LEGAL_ADVICE, Need, OVERLAYS, Outreach, POLICY_VERSION,
    PRECEDENCE, READING_DATES, Row, Rule, SOURCES, Verdict, Window,
};

/// The table with all its rules.
pub fn data() -> Value {
    let rule = |rule: &Rule| json!({ "id": rule.id(), "says": rule.says() });
    json!({
        "version": POLICY_VERSION,
        "note": NO_LEGAL_ADVICE,
        "verdicts": Verdict::ALL.map(|one| json!({ "verdict": one, "says": one.says() })),
        "outreach": Outreach::ALL.map(|one| json!({ "outreach": one, "says": one.says() })),
        "sources": SOURCES.iter().map(source_data).collect::<Vec<_>>(),
        "address_rules": ADDRESS_RULES.map(|(rule, verdict, outreach)| json!({
            "id": rule.id(), "says": rule.says(), "verdict": verdict, "outreach": outreach,
        })),
        "overlays": OVERLAYS.map(|row| json!({
            "overlay": row.overlay, "country": row.country, "effects": row.effects,
        })),
        "precedence": PRECEDENCE,
        "dates": READING_DATES,
        "general_rules": GENERAL_RULES.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn source_data(row: &Row) -> Value {
    let need = |need| match need {
        Need::Demanded => "demanded",
        Need::OneOf => "one_of",
        Need::Optional => "optional",
    };
    let months = match row.window {
        Window::Months(months) => Some(months),
        Window::Open | Window::Activity | Window::Original => None,
    };
    json!({
        "id": row.rule.id(),
        "source": row.source,
        "verdict": row.verdict,
        "outreach": row.outreach,
        "says": row.rule.says(),
        "conditions": row.conditions,
        "window": { "says": row.window.to_string(), "months": months },
        "proof": row.proof.iter().map(|key| json!({
            "key": key.key, "about": key.about, "need": need(key.need),
        })).collect::<Vec<_>>(),
        "ours": row.ours,
    })
}
