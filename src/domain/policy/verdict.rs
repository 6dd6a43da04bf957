//! What may be done with an address, and how its owner may be asked.

use serde::{Deserialize, Serialize};

use super::Rule;

/// What may be done with an address. Loosest first, so that the greater of two is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Implicit or explicit consent holds now.
    Accept,
    /// No marketing until confirmed.
    ConfirmFirst,
    /// Only the person's own new act reopens it.
    Refuse,
}

impl Verdict {
    pub const ALL: [Self; 3] = [Self::Accept, Self::ConfirmFirst, Self::Refuse];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::ConfirmFirst => "confirm_first",
            Self::Refuse => "refuse",
        }
    }

    /// What it means, as a sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Accept => {
                "Consent holds now; where it is implicit, a confirmation is recommended."
            }
            Self::ConfirmFirst => "No marketing until the person confirms.",
            Self::Refuse => "Not to be mailed; only the person's own new act reopens it.",
        }
    }
}

/// How a person may be asked to confirm: decided beside the verdict, because in many countries asking by mail is itself
/// restricted. Loosest first, so that the greater of two is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outreach {
    /// The server may send the request.
    Auto,
    /// Only right after the person's own act.
    #[serde(rename = "self")]
    OwnAct,
    /// A human's personal mail, or a link or QR code handed over; at most one invitation that an operator releases.
    OneToOne,
    None,
}

impl Outreach {
    pub const ALL: [Self; 4] = [Self::Auto, Self::OwnAct, Self::OneToOne, Self::None];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::OwnAct => "self",
            Self::OneToOne => "one_to_one",
            Self::None => "none",
        }
    }

    /// What it allows, as a sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Auto => "The server may send the request for confirmation.",
            Self::OwnAct => {
                "The request may be sent only right after the person's own act, such as a signup."
            }
            Self::OneToOne => {
                "One person may write to the person by name, or hand over a link or QR code; the server sends at most \
                 one invitation, which an operator releases."
            }
            Self::None => "Nobody is asked.",
        }
    }
}

/// A verdict with its rule, as events keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    pub verdict: Verdict,
    pub rule: Rule,
}
