//! May this address be mailed, on what basis, since when, until when, and why.

use serde::Serialize;

use super::event::Grade;
use super::policy::Rule;
use super::standing::{Basis, Standing, State};
use super::time::Timestamp;

/// The answer, with the names that programs rely on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    pub allowed: bool,
    pub basis: Basis,
    pub grade: Option<Grade>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub rule: &'static str,
    pub why: String,
}

impl Permission {
    /// Answers for an instant from the standing that held then. `None`: this address never signed up for the purpose.
    pub fn of(standing: Option<&Standing>, at: Timestamp) -> Self {
        let Some(standing) = standing else {
            return Self {
                allowed: false,
                basis: Basis::None,
                grade: None,
                since: None,
                until: None,
                rule: Rule::G1.id(),
                why: "No act of the person is known for this brand and purpose.".to_owned(),
            };
        };
        let lapsed =
            standing.state == State::Implicit && standing.until.is_some_and(|until| at >= until);
        let state = if lapsed {
            State::Lapsed
        } else {
            standing.state
        };
        let basis = state.basis();
        let since = standing.since.to_the_minute();
        let own_form = standing.rule == Rule::A1;
        let why = match state {
            State::Pending if own_form => format!(
                "Signed up at {since}; the brand waits for the confirmation, which has not come."
            ),
            State::Pending if standing.waits_for_notice() => format!(
                "Carried over by a merger, imported at {since}; it holds once the notice of the change has reached the person's mail server ({}).",
                said(standing.rule)
            ),
            State::Pending => format!(
                "Imported at {since}; not to be mailed before the person confirms ({}).",
                said(standing.rule)
            ),
            State::Implicit if own_form => format!(
                "Signed up on the brand's own form at {since}; not confirmed, so consent is implicit."
            ),
            State::Implicit => format!(
                "Imported at {since}; consent is implicit ({}){}.",
                said(standing.rule),
                standing.until.map_or_else(String::new, |until| format!(
                    " until {}",
                    until.to_the_minute()
                )),
            ),
            State::Explicit if standing.grade == Some(Grade::ApiClaim) => {
                format!("An import of {since} claims explicit consent; nobody confirmed it here.")
            }
            State::Explicit => format!(
                "Confirmed by double opt-in at {since}{}{}.",
                standing
                    .renewed_at
                    .map_or_else(String::new, |again| format!(
                        ", the last time at {}",
                        again.to_the_minute()
                    )),
                match standing.grade {
                    Some(Grade::Code) => ", with the code from the mail",
                    Some(Grade::SameBrowser) => ", in the browser that signed up",
                    Some(Grade::LinkButton) => ", by the button behind the mail's link",
                    Some(Grade::ApiClaim) | None => "",
                }
            ),
            State::Lapsed if standing.rule == Rule::D7 => format!(
                "Explicit consent ended at {since}: the person was asked again, was told that no answer ends it, and did not answer."
            ),
            State::Lapsed => standing.until.filter(|_| lapsed).map_or_else(
                || format!("Implicit consent lapsed at {since}."),
                |until| format!("Implicit consent lapsed at {}.", until.to_the_minute()),
            ),
            State::Declined => {
                format!("At {since} the person said that the signup was not theirs.")
            }
            State::Withdrawn => format!("Withdrawn at {since}."),
            State::Corrected => format!(
                "At {since} the person who signed up corrected the address; this one was a mistake."
            ),
        };
        let kept_back = kept_back(standing, at).filter(|_| basis != Basis::None);
        let (kept_by, why) = match kept_back {
            Some((rule, why)) => (Some(rule), why),
            None => (None, why),
        };
        Self {
            allowed: basis != Basis::None && kept_by.is_none(),
            basis,
            grade: standing.grade,
            since: Some(standing.since),
            until: standing.until.filter(|_| state != State::Pending),
            rule: if let Some(rule) = kept_by {
                rule.id()
            } else if lapsed {
                Rule::D2.id()
            } else if state == State::Pending && own_form {
                Rule::G1.id()
            } else {
                standing.rule.id()
            },
            why,
        }
    }
}

/// What keeps mail back though the person agreed, and why.
fn kept_back(standing: &Standing, at: Timestamp) -> Option<(Rule, String)> {
    let suppressed = standing.suppressed_since.map(|since| {
        let since = since.to_the_minute();
        let why =
            format!("The operator keeps the brand from writing to this mailbox since {since}.");
        (Rule::D3, why)
    });
    let bounced = standing.undeliverable_since.map(|since| {
        let since = since.to_the_minute();
        let why =
            format!("Mail to the address came back for good at {since}; it cannot be delivered.");
        (Rule::D6, why)
    });
    let paused = standing.paused_until.filter(|until| at < *until);
    suppressed.or(bounced).or_else(|| {
        paused.map(|until| {
            let until = until.to_the_minute();
            (
                Rule::D5,
                format!("The person asked for no mail before {until}."),
            )
        })
    })
}

/// A rule with its sentence, to stand in brackets.
fn said(rule: Rule) -> String {
    format!("{}: {}", rule.id(), rule.says().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_address_may_not_be_mailed_by_g1() {
        let answer = Permission::of(None, Timestamp::from_micros(0));
        assert!(!answer.allowed);
        assert_eq!(answer.rule, "G1");
    }

    #[test]
    fn implicit_consent_ends_at_its_last_instant_and_names_d2() {
        let until = Timestamp::from_micros(2_000_000);
        let standing = Standing {
            until: Some(until),
            ..Standing::new(State::Implicit, None, Rule::A1, Timestamp::from_micros(0))
        };
        let before = Permission::of(Some(&standing), Timestamp::from_micros(1_999_999));
        assert!(before.allowed);
        let at = Permission::of(Some(&standing), until);
        assert_eq!((at.allowed, at.rule), (false, "D2"));
    }

    #[test]
    fn a_pause_and_an_undeliverable_address_keep_mail_back_and_leave_the_basis_as_it_is() {
        let at = Timestamp::from_micros;
        let given = Standing::new(State::Explicit, Some(Grade::Code), Rule::G3, at(0));
        let paused = Standing {
            paused_until: Some(at(2_000_000)),
            ..given
        };
        let during = Permission::of(Some(&paused), at(1_999_999));
        assert_eq!(
            (during.allowed, during.rule, during.basis),
            (false, "D5", Basis::Explicit)
        );
        assert!(Permission::of(Some(&paused), at(2_000_000)).allowed);
        let bounced = Standing {
            undeliverable_since: Some(at(1)),
            ..paused
        };
        let answer = Permission::of(Some(&bounced), at(3_000_000));
        assert_eq!((answer.allowed, answer.rule), (false, "D6"));
        let suppressed = Standing {
            suppressed_since: Some(at(1)),
            ..bounced
        };
        let answer = Permission::of(Some(&suppressed), at(3_000_000));
        assert_eq!(
            (answer.allowed, answer.rule, answer.basis),
            (false, "D3", Basis::Explicit)
        );
    }

    #[test]
    fn who_has_left_is_refused_for_that_and_not_for_a_pause() {
        let left = Standing {
            paused_until: Some(Timestamp::from_micros(9)),
            ..Standing::new(State::Withdrawn, None, Rule::D3, Timestamp::from_micros(0))
        };
        assert_eq!(
            Permission::of(Some(&left), Timestamp::from_micros(1)).rule,
            "D3"
        );
    }
}
