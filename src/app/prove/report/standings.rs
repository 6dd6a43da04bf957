//! What stands now for each purpose, and why.

use super::words::{events, grade, legible, rule, time};
use crate::app::prove::dossier::{Dossier, Entry};
use crate::domain::brand::{Slug, in_language};
use crate::domain::event::{Fact, Grade};
use crate::domain::standing::{self, Standing, Standings, State};

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
        .map(|(purpose, standing)| view(dossier, purpose, &standing.as_of(dossier.made_at)))
        .collect()
}

fn view(dossier: &Dossier, slug: &Slug, standing: &Standing) -> StandingView {
    let declared = dossier
        .brand
        .purposes
        .iter()
        .find(|purpose| purpose.slug == *slug);
    let making = making(dossier, slug, standing);
    let (label, words) = words(standing, making.first().map(|entry| &entry.event.fact));
    let numbers: Vec<usize> = making.iter().map(|entry| entry.number).collect();
    let mut reason = format!(
        "{words} Rule {}: {}.",
        standing.rule.id(),
        rule(standing.rule)
    );
    if let Some(until) = standing.until {
        reason.push_str(&format!(" It ends on {}.", time(until)));
    }
    let paused = standing
        .paused_until
        .filter(|until| *until > dossier.made_at);
    if let Some(until) = paused {
        reason.push_str(&format!(
            " The person wants no mail before {}.",
            time(until)
        ));
    }
    if let Some(since) = standing.undeliverable_since {
        reason.push_str(&format!(
            " Since {} mail to the address comes back.",
            time(since)
        ));
    }
    if let Some(since) = standing.suppressed_since {
        reason.push_str(&format!(
            " Since {} an operator keeps the brand from writing to the mailbox.",
            time(since)
        ));
    }
    let kept_back = paused.is_some()
        || standing.undeliverable_since.is_some()
        || standing.suppressed_since.is_some();
    StandingView {
        purpose: declared.map_or_else(
            || slug.to_string(),
            |purpose| legible(in_language(&purpose.name, "en")),
        ),
        wording: declared.map_or_else(String::new, |purpose| {
            legible(in_language(&purpose.wording, "en"))
        }),
        stands: matches!(standing.state, State::Explicit | State::Implicit) && !kept_back,
        label,
        reason,
        since: time(standing.since),
        rests_on: events(&numbers),
    }
}

/// The events that name the purpose at the instant since which the standing holds. A mail names none, and what lapsed has
/// ended before anybody wrote it down: there, the event that made the state what it is.
fn making<'a>(dossier: &'a Dossier, slug: &Slug, standing: &Standing) -> Vec<&'a Entry> {
    let then = dossier
        .entries
        .iter()
        .filter(|entry| entry.event.at == standing.since)
        .filter(|entry| !matches!(entry.event.fact, Fact::Invited(_)))
        .filter(|entry| entry.event.fact.purposes().contains(slug));
    let mut found: Vec<&Entry> = then.collect();
    if found.is_empty() {
        found.extend(turned(dossier, slug));
    }
    found
}

/// The event at which the state became what it is.
fn turned<'a>(dossier: &'a Dossier, slug: &Slug) -> Option<&'a Entry> {
    let mut standings = Standings::new();
    let state = |standings: &Standings| standings.get(slug).map(|standing| standing.state);
    let turns = dossier.entries.iter().filter(|entry| {
        let before = state(&standings);
        standing::apply(&mut standings, &entry.event.fact, entry.event.at);
        before != state(&standings)
    });
    turns.last()
}

/// What stands without a confirmation, by what gave it.
fn unconfirmed(waits: bool, by: Option<&Fact>) -> &'static str {
    match (by, waits) {
        (Some(Fact::Imported(_) | Fact::ProofAdded(_) | Fact::ImportWithdrawn { .. }), false) => {
            "An import names the address, with where it came from as the operator says; nobody has confirmed it from the mailbox."
        }
        (Some(Fact::Imported(_) | Fact::ProofAdded(_) | Fact::ImportWithdrawn { .. }), true) => {
            "An import names the address, and nothing holds before it is confirmed or, after a merger, before the person was told."
        }
        (Some(Fact::MailAccepted { .. }), _) => {
            "An import names the address, and its owner was told of the merger by mail; nobody has confirmed it from the mailbox."
        }
        (_, false) => {
            "The address was entered at the form; nobody has confirmed it from the mailbox."
        }
        (_, true) => {
            "The address was entered at the form, and nothing holds before it is confirmed."
        }
    }
}

fn words(standing: &Standing, by: Option<&Fact>) -> (&'static str, String) {
    match standing.state {
        State::Explicit if standing.chosen && standing.renewed_at.is_none() => (
            "Consent, given on the preferences page",
            "The person turned it on, behind the link that is sent to the address only.".to_owned(),
        ),
        State::Explicit => (
            if standing.grade == Some(Grade::ApiClaim) {
                "Consent, as an import claims"
            } else {
                "Consent, confirmed"
            },
            standing.grade.map_or_else(
                || "The person confirmed.".to_owned(),
                |given| format!("{}.", grade(given).name),
            ),
        ),
        State::Implicit => ("Consent, not confirmed", unconfirmed(false, by).to_owned()),
        State::Pending => ("No consent, waits", unconfirmed(true, by).to_owned()),
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
