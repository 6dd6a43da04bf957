//! A verdict in one or two sentences, for people who know the law and not the program.

use super::judge::Settled;
use super::proof::Gap;
use super::weigh::Weighed;
use super::{AddressFacts, Closed, Outreach, Rule, Source, Terms, Verdict};
use crate::domain::standing::Basis;

const THEN: &str = "no marketing until the person confirms";

/// Says what decided, on what, and until when.
pub(super) fn tell(
    settled: &Settled,
    weighed: &[Weighed],
    address: AddressFacts,
    terms: &Terms,
) -> String {
    let Some(decider) = settled.by.and_then(|index| weighed.get(index)) else {
        return of_address(address, terms);
    };
    let mut text = match settled.verdict {
        Verdict::Accept => accepted(settled, decider, terms),
        Verdict::ConfirmFirst => held(settled, decider, terms),
        Verdict::Refuse => refused(decider),
    };
    if let Some(other) = overcome(settled, weighed) {
        text.push_str(&format!(
            " The source {other} ({}) alone would be refused.",
            other.row().rule.id()
        ));
    }
    if settled.verdict == Verdict::ConfirmFirst {
        text.push_str(asking(settled, decider));
    }
    text
}

fn of_address(address: AddressFacts, terms: &Terms) -> String {
    let closed = match address.closed {
        Some(Closed::Withdrew) => "The person withdrew",
        Some(Closed::Complained) => "The person complained about mail",
        Some(Closed::Declined) => "The person said that a signup was not theirs",
        Some(Closed::Suppressed) => "The mailbox is suppressed",
        Some(Closed::Erased) => "Everything known of this address was erased",
        None => {
            let several = "Several people read this role address, so nobody's consent can be verified, whatever the source";
            return match terms.answers_for_roles() {
                None => format!("{several}."),
                Some(name) => format!(
                    "{several}. \"{}\" answers for it, so it may confirm; no marketing before.",
                    name.chars().take(100).collect::<String>().escape_debug()
                ),
            };
        }
    };
    format!(
        "{closed}; that beats every other rule, and only the person's own fresh double opt-in reopens it."
    )
}

/// "The person bought from this brand on 2026-08-24".
fn told(weighed: &Weighed) -> String {
    let row = weighed.outcome.source.row();
    match (weighed.original, weighed.act) {
        (Some(original), Some(act)) => {
            format!("{}, where it stood as {original} of {act}", row.told)
        }
        (_, Some(act)) => format!("{} on {act}", row.told),
        _ => row.told.to_owned(),
    }
}

fn accepted(settled: &Settled, decider: &Weighed, terms: &Terms) -> String {
    let told = told(decider);
    if settled.basis == Basis::Explicit {
        let how = match decider.outcome.source {
            Source::NewsletterForm => "whose wording names it",
            _ => "and ticked the box of consent",
        };
        return format!("{told}, {how}: explicit consent, which does not lapse by itself.");
    }
    let until = settled.until.map_or_else(
        || "with no fixed end; a confirmation makes it explicit".to_owned(),
        |end| format!("until {}", terms.zone.written(end)),
    );
    let notice = if decider.outcome.notice_due {
        " The notice of the change, with the chance to re-confirm, must be the first mail."
    } else {
        ""
    };
    format!("{told}: implicit consent {until}.{notice}")
}

fn held(settled: &Settled, decider: &Weighed, terms: &Terms) -> String {
    let told = told(decider);
    match settled.rule {
        Rule::D2 => {
            let ended = settled.until.map_or_else(
                || "is over".to_owned(),
                |end| format!("ended at {}", terms.zone.written(end)),
            );
            format!("{told}, and the implicit consent from it {ended}; {THEN}.")
        }
        Rule::D4 => format!(
            "The source {} would be acceptable, but {}; without proof there is no implicit consent, so {THEN}.",
            decider.outcome.source,
            gaps(decider)
        ),
        Rule::G1 => format!("{told} and left the box of consent empty; {THEN}."),
        Rule::G2 => {
            format!("{told}, where the box was ticked in advance, which is no consent; {THEN}.")
        }
        Rule::De if decider.original.is_some() => format!(
            "{told}, and in Germany no consent moves by an asset deal, by a deal of unknown kind, or by a business card; {THEN}."
        ),
        Rule::De => {
            format!("{told} and left a business card, which is no consent in Germany; {THEN}.")
        }
        Rule::A1 => format!("{told}, and the brand waits for every confirmation; {THEN}."),
        Rule::O2b => format!(
            "{told}, not to the brand; for this import an operator chose to have the people asked one to one, and {THEN}."
        ),
        _ if decider.gaps.is_empty() => {
            format!("{told}, which is no consent to marketing; {THEN}.")
        }
        _ => format!(
            "{told}, which is no consent to marketing, and {}; {THEN}.",
            gaps(decider)
        ),
    }
}

fn refused(decider: &Weighed) -> String {
    let says = decider.outcome.rule.says();
    if decider.original.is_some() {
        let told = told(decider);
        return format!("{told}, and what was refused there is refused here. {says}");
    }
    if decider.outcome.rule == Rule::O2b && !decider.gaps.is_empty() {
        return format!(
            "{says} To have it confirmed all the same, {}.",
            gaps(decider)
        );
    }
    format!("{says} Only the person's own new act reopens it.")
}

/// What is missing first, in one list, then what is there and wrong.
fn gaps(decider: &Weighed) -> String {
    let missing: Vec<&str> = decider
        .gaps
        .iter()
        .filter_map(|gap| match gap {
            Gap::Missing(keys) => Some(keys.as_str()),
            Gap::Unreadable(..) | Gap::Future(_) | Gap::Contradiction(_) => None,
        })
        .collect();
    let mut words: Vec<String> = decider
        .gaps
        .iter()
        .filter(|gap| !matches!(gap, Gap::Missing(_)))
        .map(ToString::to_string)
        .collect();
    if let Some((last, before)) = missing.split_last() {
        words.insert(
            0,
            match before {
                [] => format!("the proof {last} is missing"),
                _ => format!("the proofs {} and {last} are missing", before.join(", ")),
            },
        );
    }
    words.join(" and ")
}

/// The first source that would have been refused, had the decider not been there.
fn overcome(settled: &Settled, weighed: &[Weighed]) -> Option<Source> {
    weighed
        .iter()
        .filter(|_| settled.verdict == Verdict::Accept)
        .find(|one| one.outcome.verdict == Verdict::Refuse)
        .map(|one| one.outcome.source)
}

/// What an overlay leaves of the ways of asking.
fn asking(settled: &Settled, decider: &Weighed) -> &'static str {
    let local = decider
        .fired
        .iter()
        .any(|rule| matches!(rule, Rule::CaCasl | Rule::De | Rule::Nl | Rule::Uk));
    match settled.outreach {
        Outreach::OneToOne if local => " Under local law the person may only be asked one to one.",
        Outreach::OwnAct if local => {
            " Under local law the person may be asked only right after an act of their own."
        }
        _ => "",
    }
}
