//! What an import says of somebody: the operator's word on where the address came from, with the policy's verdict on it.

use serde::{Deserialize, Serialize};

use super::brand::Slug;
use super::circumstances::Circumstances;
use super::event::{AskedBy, Event, Fact, Grade};
use super::ids::ImportId;
use super::policy::{Claim, Judgement, Rule, Verdict};
use super::standing::{Basis, Standing, Standings, State, apply, put};
use super::time::Timestamp;

/// Of how many people a part of a list told that they left, whom the brand does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftTold {
    pub import: ImportId,
    /// How many rows of the list came before the part.
    pub part: i64,
    pub rows: i64,
    /// Over what is kept of them, with a salt that is kept with it and goes with it.
    pub sha256: String,
    /// In the first such event of an installation: imports up to this one may have told of more, in no event. None where none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold_to: Option<ImportId>,
}

/// What another system says of the person's consent. It is that system's word, kept as a claim and never as ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_in_at: Option<String>,
    /// In the event of an earlier version. Since then it lies beside the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_in_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_ip: Option<String>,
    /// It says from where the person confirmed; the address itself lies beside the event, and has a shorter life.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub says_whence: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

impl Elsewhere {
    /// The first instant, in UTC, of the day on which it says that the person confirmed.
    fn confirmed_on(&self) -> Option<Timestamp> {
        let day = self.confirmed_at.as_deref().and_then(|at| at.get(..10));
        day.and_then(|day| Timestamp::parse(&format!("{day}T00:00:00Z")))
    }

    /// Whether it tells of a confirmation on a later day than that of an instant, or so early on that day as nobody knows better.
    pub fn confirmed_since(&self, at: Timestamp) -> bool {
        self.confirmed_on()
            .is_some_and(|day| at < day.plus(std::time::Duration::from_secs(86_400)))
    }

    /// Whether it says that the person confirmed, and not only what the consent rests on.
    pub const fn tells_of_a_confirmation(&self) -> bool {
        self.confirmed_at.is_some() || self.confirmed_ip.is_some() || self.says_whence
    }

    /// As it stands in an event, and the network addresses that lie beside it; none where it names none.
    pub fn apart(&self) -> (Self, Option<Circumstances>) {
        let whence = Circumstances {
            opted_in_ip: self.opted_in_ip.clone(),
            confirmed_ip: self.confirmed_ip.clone(),
            ..Circumstances::default()
        };
        let rest = Self {
            opted_in_ip: None,
            confirmed_ip: None,
            says_whence: self.says_whence || self.confirmed_ip.is_some(),
            ..self.clone()
        };
        (rest, (whence != Circumstances::default()).then_some(whence))
    }

    /// Whether both say the same, whatever became of the network addresses.
    pub fn tells_the_same(&self, other: &Self) -> bool {
        self.apart().0 == other.apart().0
    }

    /// Whether it says on which day the person confirmed, and that day had begun. Without one there is no act that anybody
    /// could look for (G1).
    pub fn confirmed_before(&self, now: Timestamp) -> bool {
        self.confirmed_on().is_some_and(|start| start <= now)
    }
}

/// One row of an import that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub import: ImportId,
    /// The row's line, or its row in a sheet.
    pub line: u64,
    pub address_typed: String,
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub purposes: Vec<Slug>,
    pub language: String,
    /// What this row claims. The judgement's facts hold it together with what was known before.
    pub claims: Vec<Claim>,
    pub judgement: Judgement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// The network addresses that it names.
    #[serde(default, skip_serializing)]
    pub circumstances: Option<Box<Circumstances>>,
    /// What the other system says of a confirmation counts: this row's own source accepts the address by itself, and it is no
    /// merger, where explicit consent to the old brand is implicit for the new one (O4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed_elsewhere: bool,
    /// The file says that the person left the brand: taken for a withdrawal that the operator tells of (D3). Recorded only of
    /// somebody whom the brand knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// By when, as the file says: what the person agreed to here since then stands. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_by: Option<Timestamp>,
    /// Another import told the same before, and stands: this one gives nothing, and brings nothing back. Once the other is taken
    /// back it stands in the other's place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_again: bool,
    /// The verdict on this row's claims alone, where the contact has other sources too: what holds where those are taken back, and
    /// what brings back consent that had ended. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Judgement>,
    pub asked_by: AskedBy,
}

impl Imported {
    /// The standing that the import gives by itself; none where the policy refuses, or the file says that the person left.
    pub fn gives(&self, at: Timestamp) -> Option<Standing> {
        gives(&self.judgement, self.confirmed_elsewhere, at)
    }

    /// Raises what the contact has, and never lowers it or reopens what the person closed; but a row that tells of a withdrawal
    /// ends what there is.
    pub(super) fn apply(&self, standings: &mut Standings, at: Timestamp) {
        if self.left {
            self.leave(standings, at);
            return;
        }
        if self.told_again {
            return;
        }
        let given = self.gives(at);
        let by_itself = self.gives_by_itself(at);
        for purpose in &self.purposes {
            let old = standings.get(purpose);
            let has_ended = old.is_some_and(|old| old.state == State::Lapsed);
            if let Some(given) = if has_ended { by_itself } else { given } {
                raise(standings, std::slice::from_ref(purpose), given, at);
            }
        }
    }

    /// Ends what there is. What was ended before stays as it is, and what the person agreed to since stands.
    fn leave(&self, standings: &mut Standings, at: Timestamp) {
        for purpose in &self.purposes {
            let stays = standings.get(purpose).is_some_and(|old| {
                matches!(old.state, State::Withdrawn | State::Declined)
                    || self.left_by.is_some_and(|left_by| old.reopens(left_by))
            });
            if !stays {
                let standing = Standing::new(State::Withdrawn, None, Rule::D3, at);
                put(standings, purpose, standing);
            }
        }
    }

    /// What the row's own claims give; none where these, or all sources together, are refused.
    fn gives_by_itself(&self, at: Timestamp) -> Option<Standing> {
        let together = self.gives(at)?;
        match &self.own {
            Some(own) => gives(own, self.confirmed_elsewhere, at),
            None => Some(together),
        }
    }

    /// As `apply`, where other imports count no more.
    fn apply_by_itself(&self, standings: &mut Standings, at: Timestamp) {
        if self.left {
            self.leave(standings, at);
        } else if let Some(given) = self.gives_by_itself(at) {
            raise(standings, &self.purposes, given, at);
        }
    }
}

/// The standing that a verdict on an operator's word gives by itself; none where the policy refuses.
pub(super) fn gives(
    judgement: &Judgement,
    confirmed_elsewhere: bool,
    at: Timestamp,
) -> Option<Standing> {
    let explicit = judgement.basis == Basis::Explicit || confirmed_elsewhere;
    let notice_due = judgement.verdict == Verdict::Accept && judgement.notice_due;
    let (state, until) = match judgement.verdict {
        // It holds once the person was told.
        Verdict::Accept if notice_due => (State::Pending, judgement.valid_until),
        Verdict::Accept if explicit => (State::Explicit, None),
        Verdict::Accept => (State::Implicit, judgement.valid_until),
        Verdict::ConfirmFirst => (State::Pending, None),
        Verdict::Refuse => return None,
    };
    let grade = (state == State::Explicit).then_some(Grade::ApiClaim);
    Some(Standing {
        until,
        notice_due,
        ..Standing::new(state, grade, judgement.rule, at)
    })
}

/// Raises what the contact has, and never lowers it or reopens what the person closed.
pub(super) fn raise(standings: &mut Standings, purposes: &[Slug], given: Standing, at: Timestamp) {
    for purpose in purposes {
        let old = standings.get(purpose).copied();
        let raises = match old.map(|standing| standing.state) {
            None | Some(State::Corrected) => true,
            Some(State::Pending | State::Lapsed) => {
                let waits = old.filter(Standing::waits_for_notice);
                given.state != State::Pending
                    || given.waits_for_notice()
                        && waits.is_none_or(|old| lasts_longer(&given, old.until))
            }
            Some(State::Implicit) => match given.state {
                State::Explicit => true,
                State::Implicit => lasts_longer(&given, old.and_then(|old| old.until)),
                _ => false,
            },
            Some(State::Explicit | State::Declined | State::Withdrawn) => false,
        };
        if raises {
            // A new dated act moves the end of implicit consent, not its beginning.
            let since = old
                .filter(|old| old.state == State::Implicit && given.state == State::Implicit)
                .map_or(at, |old| old.since);
            put(standings, purpose, Standing { since, ..given });
        }
    }
}

/// Nothing ends after what never ends.
fn lasts_longer(given: &Standing, until: Option<Timestamp>) -> bool {
    until.is_some_and(|until| given.until.is_none_or(|new| new > until))
}

/// A fold of a contact's events as if some imports had never come: of the others each gives what it gives by itself. Imports that
/// were taken back before are among the missing ones, whatever they left standing then. It is made in two walks: one to learn what
/// counts no more, and what others told again; then one to apply.
#[derive(Debug, Default)]
pub struct Without {
    gone: Vec<ImportId>,
    again: Vec<Again>,
}

/// What an import told that another one had told before.
#[derive(Debug)]
struct Again {
    import: ImportId,
    purposes: Vec<Slug>,
    claims: Vec<Claim>,
    given: Option<Standing>,
    at: Timestamp,
    /// Imports that were taken back before it came: it repeats nothing of theirs.
    gone_before: Vec<ImportId>,
    counted: bool,
}

impl Again {
    /// Whether any of these is what it tells again.
    fn tells_of(&self, claims: &[Claim]) -> bool {
        let mut own = self.claims.iter();
        own.any(|own| claims.iter().any(|claim| own.tells_the_same(claim)))
    }
}

impl Without {
    /// Learns from an event of the contact, in their order.
    pub fn learn(&mut self, event: &Event) {
        match &event.fact {
            Fact::ImportWithdrawn { import, .. } => self.gone.push(*import),
            Fact::Imported(one) if one.told_again && !one.left => self.again.push(Again {
                import: one.import,
                purposes: one.purposes.clone(),
                claims: one.claims.clone(),
                given: one.gives_by_itself(event.at),
                at: event.at,
                gone_before: self.gone_before(one),
                counted: false,
            }),
            _ => {}
        }
    }

    /// The imports that had gone when this one told again what was known, but for those in whose place another one stands that
    /// tells the same: in theirs it stands too.
    fn gone_before(&self, one: &Imported) -> Vec<ImportId> {
        let same = |other: &&Again| {
            other.purposes == one.purposes
                && other.tells_of(&one.claims)
                && !self.has_gone(other.import)
        };
        let stands_for = |gone: &ImportId| {
            let mut others = self.again.iter().filter(same);
            others.any(|other| !other.gone_before.contains(gone))
        };
        let gone = self.gone.iter().copied();
        gone.filter(|gone| !stands_for(gone)).collect()
    }

    /// Whether the import was taken back before.
    pub fn has_gone(&self, import: ImportId) -> bool {
        self.gone.contains(&import)
    }

    /// From now on the import counts no more either.
    pub fn take_back(&mut self, import: ImportId) {
        self.gone.push(import);
    }

    /// Folds one event.
    pub fn apply(&mut self, standings: &mut Standings, event: &Event) {
        match &event.fact {
            Fact::Imported(one) if one.left && !self.has_gone(one.import) => {
                one.apply_by_itself(standings, event.at);
            }
            Fact::Imported(one) if one.left || one.told_again => {}
            Fact::Imported(one) if self.has_gone(one.import) => {
                self.stand_in(standings, (one.import, &one.purposes), &one.claims);
            }
            Fact::Imported(one) => one.apply_by_itself(standings, event.at),
            Fact::ProofAdded(one) if self.has_gone(one.import) => {
                let claims = std::slice::from_ref(&one.claim);
                self.stand_in(standings, (one.import, &one.purposes), claims);
            }
            Fact::ImportWithdrawn { .. } => {}
            fact => apply(standings, fact, event.at),
        }
    }

    /// Lets count what stands and tells the same, in the place of what counts no more: so it brings nothing back that ended since.
    fn stand_in(
        &mut self,
        standings: &mut Standings,
        (import, purposes): (ImportId, &[Slug]),
        claims: &[Claim],
    ) {
        let gone = &self.gone;
        for one in &mut self.again {
            let stands = !gone.contains(&one.import) && !one.gone_before.contains(&import);
            if stands && !one.counted && one.purposes == purposes && one.tells_of(claims) {
                one.counted = true;
                if let Some(given) = one.given {
                    raise(standings, &one.purposes, given, one.at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
