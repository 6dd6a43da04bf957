//! Overlays: stricter local law that a brand switches on. They only ever make things stricter.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Outreach, Rule, Source, Verdict};

/// Local law that is stricter than the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlay {
    CaCasl,
    De,
    Nl,
    Uk,
}

/// The overlays that a brand has on.
pub(super) type Overlays = BTreeSet<Overlay>;

/// An overlay with its effects, as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct OverlayRow {
    pub overlay: Overlay,
    pub rule: Rule,
    pub country: &'static str,
    pub effects: &'static [&'static str],
}

const ASKING_NEEDS_CONSENT: &str =
    "No mail asks for permission without prior consent: confirm_first gets outreach one_to_one.";

pub const OVERLAYS: [OverlayRow; 4] = [
    OverlayRow {
        overlay: Overlay::CaCasl,
        rule: Rule::CaCasl,
        country: "Canada",
        effects: &[
            "Inquiries lapse: an ad_response (A7) without a purchase holds for 6 months.",
            "A request for confirmation is itself a commercial message: confirm_first gets outreach one_to_one, unless implicit consent still holds.",
        ],
    },
    OverlayRow {
        overlay: Overlay::De,
        rule: Rule::De,
        country: "Germany",
        effects: &[
            "A business card is no consent: event_booth (O2a) with a card is confirm_first, outreach self.",
            "A merger by asset deal, or by a deal of unknown kind, is confirm_first.",
            "Nobody is asked for permission again unsolicited: confirm_first with outreach auto gets outreach self.",
            "The double opt-in mail is free of advertising, as ours always is.",
        ],
    },
    OverlayRow {
        overlay: Overlay::Nl,
        rule: Rule::Nl,
        country: "Netherlands",
        effects: &[ASKING_NEEDS_CONSENT],
    },
    OverlayRow {
        overlay: Overlay::Uk,
        rule: Rule::Uk,
        country: "United Kingdom",
        effects: &[ASKING_NEEDS_CONSENT],
    },
];

impl Overlay {
    const fn row(self) -> &'static OverlayRow {
        &OVERLAYS[self as usize]
    }

    pub const fn rule(self) -> Rule {
        self.row().rule
    }

    pub const fn as_str(self) -> &'static str {
        self.rule().id()
    }

    pub fn parse(text: &str) -> Option<Self> {
        OVERLAYS
            .iter()
            .map(|row| row.overlay)
            .find(|overlay| overlay.as_str() == text)
    }

    /// A window that this law sets for a source that has none, or a longer one.
    pub(super) const fn months(self, source: Source) -> Option<u16> {
        match (self, source) {
            (Self::CaCasl, Source::AdResponse) => Some(6),
            _ => None,
        }
    }

    /// The loosest way of asking that it leaves to somebody without consent.
    const fn asks_at_most(self) -> Outreach {
        match self {
            Self::CaCasl | Self::Nl | Self::Uk => Outreach::OneToOne,
            Self::De => Outreach::OwnAct,
        }
    }
}

/// Holds the outreach of a contact without consent to what the overlays leave of it. Each overlay that is stricter than
/// what stood is told, and the strictest wins.
pub(super) fn hold_asking(
    overlays: &Overlays,
    verdict: Verdict,
    outreach: &mut Outreach,
    mut fired: impl FnMut(Rule),
) {
    if verdict != Verdict::ConfirmFirst {
        return;
    }
    let before = *outreach;
    for overlay in overlays {
        let at_most = overlay.asks_at_most();
        if at_most > before {
            fired(overlay.rule());
            *outreach = at_most.max(*outreach);
        }
    }
}
