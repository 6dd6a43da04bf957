//! The judge: what all sources of one address give together, by the precedence of the policy.

use serde::{Deserialize, Serialize};

use super::overlay::{Overlays, hold_asking};
use super::weigh::{Outcome, Weighed, tell, weigh};
use super::{
    AddressFacts, Claim, Closed, OrganizerLists, Outreach, POLICY_VERSION, Rule, Ruling, Source,
    Terms, Verdict, why,
};
use crate::domain::brand::RoleAddresses;
use crate::domain::standing::Basis;
use crate::domain::time::Timestamp;

/// What was known when an address was judged. Together with the policy's version it gives the same verdict again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub as_of: Timestamp,
    pub time_zone: String,
    #[serde(default, skip_serializing_if = "Overlays::is_empty")]
    pub overlays: Overlays,
    #[serde(flatten)]
    pub address: AddressFacts,
    pub sources: Vec<Claim>,
    /// Who answers for role addresses, where this is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizer_lists: Option<OrganizerLists>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_within_months: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until_confirmed: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
}

impl Facts {
    /// Only what a verdict on these sources can rest on.
    fn of(claims: &[Claim], address: AddressFacts, terms: &Terms, as_of: Timestamp) -> Self {
        let from = |source| claims.iter().any(|claim| claim.source == source);
        let form = from(Source::WebsiteForm);
        let member = from(Source::ActiveMember) || from(Source::MergerOrAcquisition);
        Self {
            as_of,
            time_zone: terms.zone.name().to_owned(),
            overlays: terms.overlays.clone(),
            address,
            sources: claims.to_vec(),
            responsible: terms
                .answers_for_roles()
                .filter(|_| address.role)
                .map(str::to_owned),
            organizer_lists: from(Source::EventOrganizerList).then_some(terms.organizer_lists),
            active_within_months: member.then_some(terms.active_within_months),
            hold_until_confirmed: form.then_some(terms.hold_until_confirmed),
            origins: if form {
                terms.origins.clone()
            } else {
                Vec::new()
            },
        }
    }
}

/// The verdict on one address, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    pub verdict: Verdict,
    pub outreach: Outreach,
    pub basis: Basis,
    /// The rule that decided.
    pub rule: Rule,
    /// Every rule that had a say, in the order in which they were applied.
    pub fired: Vec<Rule>,
    /// When implicit consent ends, or by D2 ended; none where nothing ends.
    pub valid_until: Option<Timestamp>,
    /// The source that the verdict rests on; none where the address itself decided.
    pub source: Option<Source>,
    /// The rule that the brand or an operator loosened, to be kept as a deviation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Rule>,
    /// The way of asking is that of a person's own act, and another source lets a person be asked one to one as well. It follows from
    /// the facts.
    #[serde(skip)]
    pub one_to_one: bool,
    /// The first mail must be the notice of a merger.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notice_due: bool,
    pub policy_version: String,
    pub facts: Facts,
    /// In one or two sentences.
    pub why: String,
}

/// What all sources give together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    pub verdict: Verdict,
    pub outreach: Outreach,
    pub basis: Basis,
    pub rule: Rule,
    pub until: Option<Timestamp>,
    /// Which of the outcomes decided.
    pub by: Option<usize>,
}

/// Judges an address by all that is claimed of it. No claim at all is the source that nobody knows (D1).
pub fn judge(
    claims: &[Claim],
    address: AddressFacts,
    terms: &Terms,
    as_of: Timestamp,
) -> Judgement {
    let unknown = [Claim::new(Source::Unknown, None)];
    let claims = if claims.is_empty() { &unknown } else { claims };
    let weighed: Vec<Weighed> = claims
        .iter()
        .map(|claim| weigh(claim, terms, as_of))
        .collect();
    let outcomes: Vec<Outcome> = weighed.iter().map(|one| one.outcome).collect();
    let mut fired = Vec::new();
    for rule in weighed.iter().flat_map(|one| &one.fired) {
        tell(&mut fired, *rule);
    }
    let loosened = terms.answers_for_roles().is_some();
    let settled = settle(&outcomes, address, loosened, &terms.overlays, |rule| {
        tell(&mut fired, rule);
    });
    let decider = settled.by.and_then(|index| outcomes.get(index));
    let deviation = match settled.rule {
        Rule::O6 if loosened => Some(Rule::O6),
        rule => decider.filter(|one| one.deviates).map(|_| rule),
    };
    Judgement {
        verdict: settled.verdict,
        outreach: settled.outreach,
        basis: settled.basis,
        rule: settled.rule,
        fired,
        valid_until: settled.until,
        source: decider.map(|one| one.source),
        deviation,
        one_to_one: settled.outreach == Outreach::OwnAct
            && settled.rule != Rule::O6
            && allows(&outcomes, Outreach::OneToOne),
        notice_due: settled.verdict == Verdict::Accept && decider.is_some_and(|one| one.notice_due),
        policy_version: POLICY_VERSION.to_owned(),
        facts: Facts::of(claims, address, terms, as_of),
        why: why::tell(&settled, &weighed, address, terms),
    }
}

/// The precedence: D3, then O6, then a refusing source unless another one accepts, then D4 and D2, then what has to be
/// confirmed first, then what is accepted.
///
/// Of several sources the one that accepts wins: the person did act, and the others are further facts. What only has to be
/// confirmed does not open what another source closes. The ways of asking add up, since each source allows its own.
pub(super) fn settle(
    outcomes: &[Outcome],
    address: AddressFacts,
    roles_loosened: bool,
    overlays: &Overlays,
    mut fired: impl FnMut(Rule),
) -> Settled {
    let closed_by = match address.closed {
        Some(_) => Some(Rule::D3),
        None if address.role && !roles_loosened => Some(Rule::O6),
        None => None,
    };
    if let Some(rule) = closed_by {
        fired(rule);
        return Settled {
            verdict: Verdict::Refuse,
            outreach: Outreach::None,
            basis: Basis::None,
            rule,
            until: None,
            by: None,
        };
    }
    let mut settled = of_sources(outcomes);
    if address.role && settled.verdict != Verdict::Refuse {
        fired(Rule::O6);
        settled = Settled {
            verdict: Verdict::ConfirmFirst,
            // Nobody else may be asked in this one's place: only who acts, right after the act.
            outreach: settled.outreach.max(Outreach::OwnAct),
            basis: Basis::None,
            rule: Rule::O6,
            until: None,
            by: None,
        };
        hold_asking(overlays, settled.verdict, &mut settled.outreach, fired);
    }
    settled
}

fn of_sources(outcomes: &[Outcome]) -> Settled {
    let with = |verdict| {
        outcomes
            .iter()
            .enumerate()
            .filter(move |(_, one)| one.verdict == verdict)
    };
    // `min_by_key` takes the first of equals: sources come in their order.
    // What holds by its own proof holds while it lasts, whatever a merger would carry over once its notice is sent.
    let accepting = with(Verdict::Accept).min_by_key(|(_, one)| {
        let end = one.until.map_or(i64::MAX, Timestamp::micros);
        let explicit = one.basis == Basis::Explicit;
        (!explicit, one.notice_due, std::cmp::Reverse(end))
    });
    let refusing = || with(Verdict::Refuse).max_by_key(|(at, one)| (one.outreach, usize::MAX - at));
    let waiting = || {
        with(Verdict::ConfirmFirst).min_by_key(|(_, one)| match one.rule {
            Rule::D4 => 0,
            Rule::D2 => 1,
            _ => 2,
        })
    };
    // What only waits opens nothing that a refusing source closed.
    let Some((by, one)) = accepting.or_else(refusing).or_else(waiting) else {
        // No source at all: as one that nobody knows.
        return of_sources(&[Outcome::of(Source::Unknown.row())]);
    };
    Settled {
        verdict: one.verdict,
        outreach: asking(outcomes, one),
        basis: one.basis,
        rule: one.rule,
        until: one
            .until
            .filter(|_| one.verdict == Verdict::Accept || one.rule == Rule::D2),
        by: Some(by),
    }
}

/// Whether a source that does not refuse leaves this way of asking.
fn allows(outcomes: &[Outcome], outreach: Outreach) -> bool {
    let mut all = outcomes.iter();
    all.any(|one| one.verdict != Verdict::Refuse && one.outreach == outreach)
}

/// The loosest way of asking that a source leaves which does not refuse; where one refuses for all, its own.
fn asking(outcomes: &[Outcome], decider: &Outcome) -> Outreach {
    let open = |one: &&Outcome| one.verdict != Verdict::Refuse;
    outcomes
        .iter()
        .filter(|_| open(&decider))
        .filter(open)
        .map(|one| one.outreach)
        .min()
        .unwrap_or(decider.outreach)
}

/// Judges a signup at the brand's own form, whose proof the server itself keeps. It is on the path that a signup waits for:
/// nothing is allocated.
///
/// A person who withdrew is refused as a *basis*, yet is asked: a fresh double opt-in of their own reopens (D3). A form that stands on a
/// page of somebody else is no form of the brand's own: whoever signs up there is asked first (D4).
pub fn judge_signup(
    withdrew_or_declined: bool,
    foreign_page: bool,
    role_address: bool,
    role_addresses: RoleAddresses,
    hold_until_confirmed: bool,
) -> Ruling {
    let mut outcome = Outcome::of(Source::WebsiteForm.row());
    if foreign_page {
        outcome.confirm_first(Rule::D4);
    }
    let outcome = outcome.hold(hold_until_confirmed);
    let address = AddressFacts {
        role: role_address,
        closed: withdrew_or_declined.then_some(Closed::Withdrew),
    };
    let loosened = role_addresses == RoleAddresses::ConfirmFirst;
    let settled = settle(&[outcome], address, loosened, &Overlays::new(), |_| ());
    Ruling {
        verdict: settled.verdict,
        rule: settled.rule,
    }
}
