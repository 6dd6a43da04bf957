//! Which rule decides about a signup, and what it gives. Sources, windows and overlays of imports are added beside these.

use serde::{Deserialize, Serialize};

use super::brand::RoleAddresses;

/// The version of the rules below, kept with every verdict.
pub const POLICY_VERSION: &str = "2026-11";

/// The rules that a verdict or a standing can rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// No act or no proof: never implicit, never explicit.
    G1,
    /// Only written consent, a ticked box, or double opt-in makes explicit consent.
    G3,
    /// The brand's own website form.
    A1,
    /// Role address.
    O6,
    /// Implicit consent lapsed.
    D2,
    /// Withdrew, complained, declined or suppressed.
    D3,
}

impl Rule {
    pub const fn id(self) -> &'static str {
        match self {
            Self::G1 => "G1",
            Self::G3 => "G3",
            Self::A1 => "A1",
            Self::O6 => "O6",
            Self::D2 => "D2",
            Self::D3 => "D3",
        }
    }
}

/// What may be done with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Implicit consent holds now.
    Accept,
    /// No marketing until confirmed.
    ConfirmFirst,
    /// Only the person's own new act reopens it.
    Refuse,
}

/// A verdict with its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    pub verdict: Verdict,
    pub rule: Rule,
}

/// Judges a signup at the brand's own form. Precedence: D3, then O6, then the brand's wish to wait, then A1.
/// A person who withdrew is refused as a *basis*, yet is asked: a fresh double opt-in of their own reopens (D3).
pub fn judge_signup(
    withdrew_or_declined: bool,
    role_address: bool,
    role_addresses: RoleAddresses,
    hold_until_confirmed: bool,
) -> Ruling {
    let ruling = |verdict, rule| Ruling { verdict, rule };
    if withdrew_or_declined {
        return ruling(Verdict::Refuse, Rule::D3);
    }
    if role_address {
        return match role_addresses {
            RoleAddresses::Refuse => ruling(Verdict::Refuse, Rule::O6),
            RoleAddresses::ConfirmFirst => ruling(Verdict::ConfirmFirst, Rule::O6),
        };
    }
    if hold_until_confirmed {
        return ruling(Verdict::ConfirmFirst, Rule::A1);
    }
    ruling(Verdict::Accept, Rule::A1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withdrawal_beats_a_role_address_and_a_role_address_beats_the_form() {
        let refuse = RoleAddresses::Refuse;
        assert_eq!(judge_signup(true, true, refuse, false).rule, Rule::D3);
        assert_eq!(judge_signup(false, true, refuse, false).rule, Rule::O6);
        let plain = judge_signup(false, false, refuse, false);
        assert_eq!((plain.verdict, plain.rule), (Verdict::Accept, Rule::A1));
    }

    #[test]
    fn a_loosened_role_address_or_a_waiting_brand_confirms_first() {
        let loosened = judge_signup(false, true, RoleAddresses::ConfirmFirst, false);
        assert_eq!(loosened.verdict, Verdict::ConfirmFirst);
        let waiting = judge_signup(false, false, RoleAddresses::Refuse, true);
        assert_eq!(waiting.verdict, Verdict::ConfirmFirst);
    }
}
