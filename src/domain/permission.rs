//! May this address be mailed, on what basis, since when, until when, and why.

use serde::Serialize;

use super::event::Grade;
use super::policy::Rule;
use super::standing::{Basis, Standing, State};
use super::time::Timestamp;

/// Why a mailbox may be suppressed, the weakest reason first: what an operator set holds until it is lifted; what the person said
/// of the mail weighs more than what a server said of the mailbox, and "this was not me" speaks of one signup only.
const REASONS: [&str; 4] = ["declined", "bounced", "complained", "operator"];

/// Whether a reason takes the place of the one for which a mailbox is suppressed already.
pub fn outweighs(reason: &str, known: &str) -> bool {
    let weight = |name: &str| REASONS.iter().position(|one| *one == name);
    weight(known).is_some_and(|known| weight(reason) > Some(known))
}

/// Since when a brand sends nothing to a mailbox, under any spelling of its address, and why: `declined`, `complained`,
/// `bounced` or `operator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    pub since: Timestamp,
    pub reason: String,
}

impl Suppressed {
    /// Why it keeps mail back from somebody who agreed. What an operator set holds until it is lifted; anything else gives way
    /// to what the person did since, and "this was not me" spoke of a signup and not of what the person had confirmed.
    fn keeps_back(&self, standing: &Standing) -> Option<(Rule, String)> {
        let since = self.since.to_the_minute();
        let came_back = standing.reopens(self.since);
        let (rule, why) = match self.reason.as_str() {
            "bounced" if came_back && !(standing.chosen && standing.renewed_at.is_none()) => {
                return None;
            }
            "complained" if came_back => return None,
            "declined" if standing.agreed_here_at().is_some() => return None,
            "bounced" => (
                Rule::D6,
                format!(
                    "Mail to this mailbox came back for good at {since}; it cannot be delivered."
                ),
            ),
            "complained" => (
                Rule::D3,
                format!("Somebody called a mail to this mailbox unwanted at {since}."),
            ),
            "declined" => (
                Rule::D3,
                format!("Whoever has this mailbox said at {since} that a signup was not theirs."),
            ),
            _ => (Rule::D3, by_operator(&since)),
        };
        Some((rule, why))
    }
}

fn by_operator(since: &str) -> String {
    format!("The operator keeps the brand from writing to this mailbox since {since}.")
}

/// What keeps mail back from somebody who agreed, whatever they choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Mail to the address or its mailbox came back for good (D6).
    CameBack,
    /// The brand does not write to the mailbox (D3).
    NotWritten,
}

/// Whether mail is kept back so at an instant; a pause is the person's own choice, and none.
pub fn closed(standing: &Standing, mailbox: Option<&Suppressed>, at: Timestamp) -> Option<Closed> {
    match kept_back(standing, mailbox, at)?.0 {
        Rule::D6 => Some(Closed::CameBack),
        Rule::D3 => Some(Closed::NotWritten),
        _ => None,
    }
}

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
    /// Answers for an instant from the standing that held then, and from how the mailbox was suppressed. No standing: this
    /// address never signed up for the purpose.
    pub fn of(standing: Option<&Standing>, mailbox: Option<&Suppressed>, at: Timestamp) -> Self {
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
                "Signed up on the brand's own form; not confirmed, so consent is implicit, since {since}."
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
            State::Explicit => confirmed(standing),
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
        let kept_back = kept_back(standing, mailbox, at).filter(|_| basis != Basis::None);
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

/// How explicit consent came about, which nobody only claims.
fn confirmed(standing: &Standing) -> String {
    let since = standing.since.to_the_minute();
    let how = match standing.grade {
        Some(Grade::Code) => ", with the code from the mail",
        Some(Grade::SameBrowser) => ", in the browser that signed up",
        Some(Grade::LinkButton) => ", by the button behind the mail's link",
        Some(Grade::ApiClaim) | None => "",
    };
    let again = standing.renewed_at.map(Timestamp::to_the_minute);
    match (standing.chosen, again) {
        (false, None) => format!("Confirmed by double opt-in at {since}{how}."),
        (false, Some(again)) => {
            format!("Confirmed by double opt-in at {since}, the last time at {again}{how}.")
        }
        (true, None) => format!(
            "Said yes at {since} on the preferences page, which a link in a mail to the address opens."
        ),
        (true, Some(again)) => format!(
            "Said yes at {since} on the preferences page; confirmed by double opt-in at {again}{how}."
        ),
    }
}

/// What keeps mail back though the person agreed, and why.
fn kept_back(
    standing: &Standing,
    mailbox: Option<&Suppressed>,
    at: Timestamp,
) -> Option<(Rule, String)> {
    let suppressed = standing
        .suppressed_since
        .map(|since| (Rule::D3, by_operator(&since.to_the_minute())));
    let bounced = standing.undeliverable_since.map(|since| {
        let since = since.to_the_minute();
        let why =
            format!("Mail to the address came back for good at {since}; it cannot be delivered.");
        (Rule::D6, why)
    });
    let paused = standing.paused_until.filter(|until| at < *until);
    let paused = paused.map(|until| {
        let until = until.to_the_minute();
        (
            Rule::D5,
            format!("The person asked for no mail before {until}."),
        )
    });
    suppressed
        .or(bounced)
        .or_else(|| mailbox.and_then(|mailbox| mailbox.keeps_back(standing)))
        .or(paused)
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
        let answer = Permission::of(None, None, Timestamp::from_micros(0));
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
        let before = Permission::of(Some(&standing), None, Timestamp::from_micros(1_999_999));
        assert!(before.allowed);
        let at = Permission::of(Some(&standing), None, until);
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
        let during = Permission::of(Some(&paused), None, at(1_999_999));
        assert_eq!(
            (during.allowed, during.rule, during.basis),
            (false, "D5", Basis::Explicit)
        );
        assert!(Permission::of(Some(&paused), None, at(2_000_000)).allowed);
        let bounced = Standing {
            undeliverable_since: Some(at(1)),
            ..paused
        };
        let answer = Permission::of(Some(&bounced), None, at(3_000_000));
        assert_eq!((answer.allowed, answer.rule), (false, "D6"));
        let suppressed = Standing {
            suppressed_since: Some(at(1)),
            ..bounced
        };
        let answer = Permission::of(Some(&suppressed), None, at(3_000_000));
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
            Permission::of(Some(&left), None, Timestamp::from_micros(1)).rule,
            "D3"
        );
    }

    #[test]
    fn a_stronger_reason_takes_the_place_of_a_weaker_one_and_of_no_other() {
        for (at, reason) in REASONS.iter().enumerate() {
            for (other, known) in REASONS.iter().enumerate() {
                assert_eq!(outweighs(reason, known), at > other, "{reason} {known}");
            }
            assert!(!outweighs(reason, "of another time") && !outweighs("", reason));
        }
    }

    const fn suppressed(reason: String, since: i64) -> Suppressed {
        Suppressed {
            since: Timestamp::from_micros(since),
            reason,
        }
    }

    fn answered(standing: &Standing, reason: &str) -> (bool, &'static str) {
        let mailbox = suppressed(reason.to_owned(), 10);
        let now = Timestamp::from_micros(99);
        let answer = Permission::of(Some(standing), Some(&mailbox), now);
        (answer.allowed, answer.rule)
    }

    #[test]
    fn a_suppressed_mailbox_keeps_back_what_was_given_under_any_of_its_spellings() {
        let at = Timestamp::from_micros;
        let implicit = Standing::new(State::Implicit, None, Rule::A1, at(0));
        let explicit = Standing::new(State::Explicit, Some(Grade::Code), Rule::G3, at(0));
        for standing in [implicit, explicit] {
            assert_eq!(answered(&standing, "bounced"), (false, "D6"));
            assert_eq!(answered(&standing, "complained"), (false, "D3"));
            assert_eq!(answered(&standing, "operator"), (false, "D3"));
        }
        assert_eq!(answered(&implicit, "declined"), (false, "D3"));
    }

    #[test]
    fn what_the_person_confirmed_since_opens_the_mailbox_and_what_an_operator_closed_stays_closed()
    {
        let at = Timestamp::from_micros;
        let since = Standing::new(State::Explicit, Some(Grade::Code), Rule::G3, at(11));
        assert_eq!(answered(&since, "bounced"), (true, "G3"));
        assert_eq!(answered(&since, "complained"), (true, "G3"));
        assert_eq!(answered(&since, "operator"), (false, "D3"));
        let claimed = Standing::new(State::Explicit, Some(Grade::ApiClaim), Rule::A1, at(11));
        for reason in ["bounced", "complained", "declined", "operator"] {
            assert!(!answered(&claimed, reason).0, "{reason}");
        }
        let chosen = Standing {
            chosen: true,
            ..since
        };
        assert_eq!(
            answered(&chosen, "bounced"),
            (false, "D6"),
            "no mail arrived"
        );
        let before = Standing::new(State::Explicit, Some(Grade::Code), Rule::G3, at(0));
        assert_eq!(
            answered(&before, "declined"),
            (true, "G3"),
            "no word of that"
        );
    }

    #[test]
    fn what_was_turned_on_on_the_preferences_page_is_told_as_that_and_not_as_a_double_opt_in() {
        let at = Timestamp::from_micros;
        let chosen = Standing {
            chosen: true,
            ..Standing::new(State::Explicit, Some(Grade::LinkButton), Rule::G3, at(0))
        };
        let told = |standing: &Standing| Permission::of(Some(standing), None, at(99)).why;
        let why = told(&chosen);
        assert!(
            why.starts_with("Said yes at 1970-01-01 00:00 UTC on the preferences page"),
            "{why}"
        );
        assert!(!why.contains("double opt-in"), "{why}");
        let later = Standing {
            renewed_at: Some(at(60_000_000)),
            grade: Some(Grade::Code),
            ..chosen
        };
        let why = told(&later);
        assert!(
            why.contains("confirmed by double opt-in at 1970-01-01 00:01 UTC, with the code"),
            "{why}"
        );
    }
}
