//! How a contact stands for each purpose: the fold of its events. And the life of one confirmation request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::brand::Slug;
use super::campaign::{notice_arrived, notice_came_back};
use super::event::{Event, Fact, Grade};
use super::leaving::SCOPE_ALL;
use super::policy::{Rule, Verdict};
use super::scanner::Signal;
use super::time::Timestamp;
use kept_back::KeptBack;
pub(super) use kept_back::put;

mod kept_back;

/// What a contact has given a brand for a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    None,
    Implicit,
    Explicit,
}

impl Basis {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Implicit => "implicit",
            Self::Explicit => "explicit",
        }
    }
}

/// Where a contact stands for a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Signed up, and nothing holds before it is confirmed.
    Pending,
    Implicit,
    Explicit,
    Lapsed,
    Declined,
    Withdrawn,
    /// The person who signed up said that the address was mistyped: as if it had never been given.
    Corrected,
}

impl State {
    pub const fn basis(self) -> Basis {
        match self {
            Self::Implicit => Basis::Implicit,
            Self::Explicit => Basis::Explicit,
            Self::Pending | Self::Lapsed | Self::Declined | Self::Withdrawn | Self::Corrected => {
                Basis::None
            }
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Implicit => "implicit",
            Self::Explicit => "explicit",
            Self::Lapsed => "lapsed",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Corrected => "corrected",
        }
    }
}

/// The standing for one purpose, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    pub rule: Rule,
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When explicit consent was confirmed anew, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed_at: Option<Timestamp>,
    /// It began with a choice on the preferences page, behind the link of a mail, and with no request for confirmation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chosen: bool,
    /// Carried over from an old brand, and no mail server has taken the notice of that yet (O4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notice_due: bool,
    /// The person wants no mail before this instant (D5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// Since when mail to the address comes back for good (D6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undeliverable_since: Option<Timestamp>,
    /// Since when an operator keeps the brand from writing to the mailbox (D3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_since: Option<Timestamp>,
    /// The person left everything that the brand sends, whatever it sends later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_all: bool,
}

impl Standing {
    /// A state that an event has just brought about, without an end.
    pub const fn new(state: State, grade: Option<Grade>, rule: Rule, since: Timestamp) -> Self {
        Self {
            state,
            grade,
            rule,
            since,
            until: None,
            renewed_at: None,
            chosen: false,
            notice_due: false,
            paused_until: None,
            undeliverable_since: None,
            suppressed_since: None,
            left_all: false,
        }
    }

    /// When explicit consent was last confirmed; none where there is none.
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        (self.state == State::Explicit).then(|| self.renewed_at.unwrap_or(self.since))
    }

    /// When the person last agreed here, by a confirmation or on the preferences page; none where an import only claims it.
    pub fn agreed_here_at(&self) -> Option<Timestamp> {
        self.confirmed_at()
            .filter(|_| self.grade != Some(Grade::ApiClaim))
    }

    /// Whether the person came back after leaving: only their own act reopens (D3).
    pub fn reopens(&self, left_at: Timestamp) -> bool {
        self.agreed_here_at().is_some_and(|at| at >= left_at)
    }

    /// Until when the person wants no mail, at an instant; none where mail may go on (D5).
    pub fn paused_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.paused_until.filter(|until| *until > now)
    }

    /// As it is at an instant: implicit consent ends at its time, whether or not the end was written down yet (D2).
    pub fn as_of(self, at: Timestamp) -> Self {
        match self.until {
            Some(until) if self.state == State::Implicit && at >= until => Self {
                state: State::Lapsed,
                grade: None,
                rule: Rule::D2,
                since: until,
                until: None,
                ..self
            },
            _ => self,
        }
    }

    /// What the person gave, without what keeps mail back for the time being.
    pub const fn consent(self) -> Self {
        Self {
            paused_until: None,
            undeliverable_since: None,
            suppressed_since: None,
            ..self
        }
    }

    /// Carried over from an old brand: it begins to hold once a mail server took the notice (O4), and ends when it would have
    /// ended there, if ever.
    pub fn waits_for_notice(&self) -> bool {
        self.state == State::Pending && self.notice_due
    }
}

/// The standings of one contact.
pub type Standings = BTreeMap<Slug, Standing>;

/// Folds one fact into the standings. This function is the only place where a standing changes.
pub fn apply(standings: &mut Standings, fact: &Fact, at: Timestamp) {
    match fact {
        Fact::SignedUp(signup) => {
            let left_all = has_left_all(standings);
            for purpose in &signup.purposes {
                // What there was not when the person left everything is closed too, and what a list told of.
                if left_all && !standings.contains_key(purpose) || signup.left.contains(purpose) {
                    continue;
                }
                let old = standings.get(purpose).copied();
                // Its end is moved, not its beginning, as by any new act.
                let moved = old.filter(|old| {
                    signup.moves_end && old.state == State::Implicit && old.until.is_some()
                });
                // A signup never lowers what a contact has, and never reopens what the person closed.
                let state = match (old.map(|old| old.state), signup.ruling.verdict) {
                    (
                        None | Some(State::Pending | State::Lapsed | State::Corrected),
                        Verdict::Accept,
                    ) => State::Implicit,
                    (Some(State::Implicit), Verdict::Accept) if moved.is_some() => State::Implicit,
                    (None | Some(State::Lapsed | State::Corrected), Verdict::ConfirmFirst) => {
                        State::Pending
                    }
                    _ => continue,
                };
                let held = moved.filter(|old| old.until.is_some_and(|until| at < until));
                let since = held.map_or(at, |old| old.since.min(at));
                let standing = Standing::new(state, None, signup.ruling.rule, since);
                put(standings, purpose, standing);
            }
        }
        Fact::Imported(import) => import.apply(standings, at),
        Fact::ProofAdded(added) => added.apply(standings, at),
        Fact::ImportWithdrawn {
            purposes, back_to, ..
        } => {
            // A pause or a bounce is no part of the import, and stays.
            let kept_back = KeptBack::of(standings);
            standings.retain(|purpose, _| !purposes.contains(purpose));
            let back_to = back_to.iter();
            standings.extend(back_to.map(|(purpose, one)| (purpose.clone(), kept_back.on(*one))));
        }
        Fact::Lapsed {
            purposes,
            until,
            explicit,
            ..
        } => {
            // Explicit consent ends so only where the operator declared it, and the person was told (D7).
            let (ends, rule) = if *explicit {
                (State::Explicit, Rule::D7)
            } else {
                (State::Implicit, Rule::D2)
            };
            for purpose in purposes {
                if standings.get(purpose).is_some_and(|one| one.state == ends) {
                    end(standings, purpose, State::Lapsed, rule, *until);
                }
            }
        }
        Fact::Confirmed {
            purposes, grade, ..
        } => {
            give_explicit(standings, purposes, *grade, false, at);
            // Whoever answered a mail gets mail.
            for standing in standings.values_mut() {
                standing.undeliverable_since = None;
            }
        }
        Fact::PurposeChanged(change) => {
            give_explicit(standings, &change.purposes, change.grade, true, at);
        }
        Fact::Declined { purposes, .. } => {
            for purpose in purposes {
                // "This was not me" speaks of this signup; what the person confirmed earlier stays theirs.
                let keep = standings
                    .get(purpose)
                    .is_some_and(|s| matches!(s.state, State::Explicit | State::Withdrawn));
                if !keep {
                    end(standings, purpose, State::Declined, Rule::D3, at);
                }
            }
        }
        Fact::Withdrawn {
            purposes,
            scope,
            keeps_all,
            ..
        } => leave(standings, purposes, (scope == SCOPE_ALL, *keeps_all), at),
        Fact::Complained(complaint) => leave(standings, &complaint.purposes, (true, true), at),
        Fact::Paused { until, .. } => {
            for standing in standings.values_mut() {
                standing.paused_until = *until;
            }
        }
        Fact::Suppressed { .. } => {
            for standing in standings.values_mut() {
                standing.suppressed_since.get_or_insert(at);
            }
        }
        Fact::SuppressionLifted { .. } => {
            for standing in standings.values_mut() {
                standing.suppressed_since = None;
                standing.undeliverable_since = None;
            }
        }
        Fact::Bounced(bounced) => {
            notice_came_back(standings, &bounced.notice_for, at);
            for standing in standings.values_mut().filter(|_| bounced.hard) {
                standing.undeliverable_since.get_or_insert(at);
            }
        }
        Fact::AddressChanged {
            purposes,
            signed_up_at,
            ..
        } => {
            for purpose in purposes {
                // Only what this very signup gave goes with it.
                let given = standings.get(purpose).is_some_and(|s| {
                    matches!(s.state, State::Implicit | State::Pending) && s.since >= *signed_up_at
                });
                if given {
                    end(standings, purpose, State::Corrected, Rule::G1, at);
                }
            }
        }
        // Whatever the person had given went with the rest.
        Fact::Erased { .. } => standings.clear(),
        Fact::MailAccepted { notice_for, .. } if !notice_for.is_empty() => {
            notice_arrived(standings, notice_for, at);
        }
        Fact::Invited(invited) => invited.apply(standings, at),
        Fact::LeftTold(_)
        | Fact::LeftForgotten { .. }
        | Fact::MailRequested { .. }
        | Fact::MailAccepted { .. }
        | Fact::MailFailed { .. }
        | Fact::LinkOpened { .. }
        | Fact::CodeAsked { .. }
        | Fact::CodeWrong { .. }
        | Fact::LanguageChanged { .. }
        | Fact::OperatorNote { .. }
        | Fact::LegalHold { .. }
        | Fact::LegalHoldLifted { .. }
        | Fact::ErasureWished { .. }
        | Fact::Expired
        | Fact::Reminded { .. }
        | Fact::Replaced
        | Fact::SealOpened { .. }
        | Fact::SealDeleted
        | Fact::Exported { .. }
        | Fact::OperatorActed { .. } => {}
    }
}

/// Whether the person has left everything that the brand sends, and not come back to all of it.
pub fn has_left_all(standings: &Standings) -> bool {
    let mut all = standings.values();
    all.any(|standing| standing.left_all && standing.state == State::Withdrawn)
}

/// Whether nobody ever answered: nothing was given, taken back or declined. Of such a contact nothing is worth keeping.
pub fn never_confirmed(standings: &Standings) -> bool {
    let mut states = standings.values().map(|standing| standing.state);
    states.all(|state| matches!(state, State::Pending | State::Corrected))
}

/// When that explicit consent was last confirmed which is the oldest of them; none if there is none.
pub fn explicit_from(standings: &Standings) -> Option<Timestamp> {
    standings.values().filter_map(Standing::confirmed_at).min()
}

/// When the next of them lapses; none if none does.
pub fn lapses_at(standings: &Standings) -> Option<Timestamp> {
    standings
        .values()
        .filter(|standing| standing.state == State::Implicit)
        .filter_map(|standing| standing.until)
        .min()
}

/// A second confirmation is further proof, with a date of its own; it does not move the beginning. What an import only claimed
/// is none.
fn give_explicit(
    standings: &mut Standings,
    purposes: &[Slug],
    grade: Grade,
    chosen: bool,
    at: Timestamp,
) {
    for purpose in purposes {
        let before = standings
            .get(purpose)
            .filter(|standing| standing.agreed_here_at().is_some());
        let since = before.map_or(at, |standing| standing.since);
        let standing = Standing {
            renewed_at: before.map(|_| at),
            chosen: before.map_or(chosen, |standing| standing.chosen),
            ..Standing::new(State::Explicit, Some(grade), Rule::G3, since)
        };
        put(standings, purpose, standing);
    }
}

/// Whether the person had left any of these with everything that the brand sends, and not come back to it.
pub fn were_left_with_all(standings: &Standings, purposes: &[Slug]) -> bool {
    let mut known = purposes.iter().filter_map(|purpose| standings.get(purpose));
    known.any(|standing| standing.left_all && standing.state == State::Withdrawn)
}

fn leave(
    standings: &mut Standings,
    purposes: &[Slug],
    (all, keeps_all): (bool, bool),
    at: Timestamp,
) {
    for purpose in purposes {
        let kept = keeps_all && were_left_with_all(standings, std::slice::from_ref(purpose));
        let standing = Standing {
            left_all: all || kept,
            ..Standing::new(State::Withdrawn, None, Rule::D3, at)
        };
        put(standings, purpose, standing);
    }
}

fn end(standings: &mut Standings, purpose: &Slug, state: State, rule: Rule, at: Timestamp) {
    put(standings, purpose, Standing::new(state, None, rule, at));
}

/// The standings as they were at an instant, from the events in their order.
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>, at: Timestamp) -> Standings {
    let mut standings = Standings::new();
    for event in events {
        if event.at <= at {
            apply(&mut standings, &event.fact, event.at);
        }
    }
    standings
}

/// The life of a confirmation request. Open is the only state that leads anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    Open,
    Confirmed,
    Declined,
    /// A newer request of the same contact took over.
    Replaced,
    /// The person corrected the address.
    Abandoned,
    /// The person left what it asks for, while it was open.
    Left,
    /// Nobody answered in time.
    Expired,
    /// Its mail came back for good.
    Bounced,
}

impl RequestState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Replaced => "replaced",
            Self::Abandoned => "abandoned",
            Self::Left => "left",
            Self::Expired => "expired",
            Self::Bounced => "bounced",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Open,
            Self::Confirmed,
            Self::Declined,
            Self::Replaced,
            Self::Abandoned,
            Self::Left,
            Self::Expired,
            Self::Bounced,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// How somebody tries to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// With the cookie of the browser that signed up.
    SameBrowser,
    /// The button, with what speaks for a program behind it.
    Button { signals: Vec<Signal> },
    /// Six digits; whether they are the right ones was compared in constant time.
    Code { right: bool },
}

/// What becomes of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Confirm(Grade),
    /// The press looks like a program's: the six digits settle it.
    AskCode(Vec<Signal>),
    CodeWrong {
        tries: i64,
    },
    /// Five wrong codes: this request takes no code any more. Its link still works.
    CodeClosed,
    Ended(RequestState),
    Expired,
}

/// Wrong codes that one request takes. With three mails a day and mailbox that is a chance of 1 in 66,000 a day.
pub const CODE_TRIES: i64 = 5;

/// What is known of a request when somebody tries to confirm it.
#[derive(Clone, Copy, Debug)]
pub struct RequestView {
    pub state: RequestState,
    pub expires_at: Timestamp,
    pub code_tries: i64,
    /// Whether a mail with this request's code was ever queued; without one no code is right.
    pub mailed: bool,
}

/// Decides about one attempt. Every outcome but `Confirm` leaves the standing as it is.
pub fn decide(request: RequestView, attempt: Attempt, now: Timestamp) -> Decision {
    if request.state != RequestState::Open {
        return Decision::Ended(request.state);
    }
    if now >= request.expires_at {
        return Decision::Expired;
    }
    settle(request, attempt)
}

/// The same of "this was not me"; `Confirm` says that it is taken. It is taken of an open request and, so that it always stops the
/// mail, of one that a newer mail replaced or that nobody answered in time, whatever their time. What was confirmed is left by leaving, not by declining. The right
/// code is taken whatever was typed before: whoever comes here has the mail, and nobody else's guesses are to stand in the way.
pub fn decide_decline(request: RequestView, attempt: Attempt) -> Decision {
    match request.state {
        RequestState::Open | RequestState::Replaced | RequestState::Expired => match attempt {
            Attempt::Code { right: true } if request.mailed => Decision::Confirm(Grade::Code),
            attempt => settle(request, attempt),
        },
        state => Decision::Ended(state),
    }
}

/// Whether it is the person who tries.
fn settle(request: RequestView, attempt: Attempt) -> Decision {
    match attempt {
        Attempt::SameBrowser => Decision::Confirm(Grade::SameBrowser),
        Attempt::Button { signals } if signals.is_empty() => Decision::Confirm(Grade::LinkButton),
        Attempt::Button { signals } => Decision::AskCode(signals),
        Attempt::Code { .. } if request.code_tries >= CODE_TRIES => Decision::CodeClosed,
        Attempt::Code { right: true } if request.mailed => Decision::Confirm(Grade::Code),
        Attempt::Code { .. } => Decision::CodeWrong {
            tries: request.code_tries + 1,
        },
    }
}

#[cfg(test)]
mod tests;
