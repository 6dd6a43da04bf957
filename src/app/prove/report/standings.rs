//! What stands now for each purpose, and why.

use super::words::{events, grade, legible, rule, time};
use crate::app::prove::dossier::Dossier;
use crate::domain::brand::{Slug, in_language};
use crate::domain::standing::{self, Standing, State};

pub(super) struct StandingView {
    pub(super) purpose: String,
    pub(super) wording: String,
    /// Whether the brand may write for this purpose.
    pub(super) stands: bool,
    pub(super) label: &'static str,
    pub(super) reason: String,
    pub(super) since: String,
    pub(super) rests_on: String,
}

pub(super) fn all(dossier: &Dossier) -> Vec<StandingView> {
    let events = dossier.entries.iter().map(|entry| &entry.event);
    standing::fold(events, dossier.made_at)
        .iter()
        .map(|(purpose, standing)| view(dossier, purpose, standing))
        .collect()
}

fn view(dossier: &Dossier, slug: &Slug, standing: &Standing) -> StandingView {
    let declared = dossier
        .brand
        .purposes
        .iter()
        .find(|purpose| purpose.slug == *slug);
    let (label, words) = words(standing);
    let mut reason = format!(
        "{words} Rule {}: {}.",
        standing.rule.id(),
        rule(standing.rule)
    );
    if let Some(until) = standing.until {
        reason.push_str(&format!(" It ends on {}.", time(until)));
    }
    StandingView {
        purpose: declared.map_or_else(
            || slug.to_string(),
            |purpose| legible(in_language(&purpose.name, "en")),
        ),
        wording: declared.map_or_else(String::new, |purpose| {
            legible(in_language(&purpose.wording, "en"))
        }),
        stands: matches!(standing.state, State::Explicit | State::Implicit),
        label,
        reason,
        since: time(standing.since),
        rests_on: events(&making(dossier, slug, standing)),
    }
}

/// The events that name the purpose at the instant since which the standing holds.
fn making(dossier: &Dossier, slug: &Slug, standing: &Standing) -> Vec<usize> {
    dossier
        .entries
        .iter()
        .filter(|entry| entry.event.at == standing.since)
        .filter(|entry| entry.event.fact.purposes().contains(slug))
        .map(|entry| entry.number)
        .collect()
}

fn words(standing: &Standing) -> (&'static str, String) {
    match standing.state {
        State::Explicit => (
            "Consent, confirmed",
            standing.grade.map_or_else(
                || "The person confirmed.".to_owned(),
                |given| format!("{}.", grade(given).name),
            ),
        ),
        State::Implicit => (
            "Consent, not confirmed",
            "The address was entered at the form; nobody has confirmed it from the mailbox."
                .to_owned(),
        ),
        State::Pending => (
            "No consent, waits",
            "The address was entered at the form, and nothing holds before it is confirmed."
                .to_owned(),
        ),
        State::Lapsed => (
            "No consent, lapsed",
            "It was never confirmed, and its time is over.".to_owned(),
        ),
        State::Declined => (
            "No consent, declined",
            "Somebody who had the mail said that this was not them.".to_owned(),
        ),
        State::Withdrawn => ("No consent, withdrawn", "The person left.".to_owned()),
        State::Corrected => (
            "No consent, corrected",
            "The person who signed up said that the address was mistyped.".to_owned(),
        ),
    }
}
