//! The rules that a verdict or a standing can rest on, each with its id and a sentence.

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($name:ident = $id:literal: $says:literal,)+) => {
        /// One rule of the policy. Ids are stored with every verdict and never given a new meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Rule {
            $(#[doc = $says] #[serde(rename = $id)] $name,)+
        }

        impl Rule {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }

            /// What the rule says, as a sentence.
            pub const fn says(self) -> &'static str {
                match self {
                    $(Self::$name => $says,)+
                }
            }
        }
    };
}

rules! {
    G1 = "G1": "Consent is an act of the person, shown by a verifiable method; without act or proof there is none, implicit or explicit.",
    G2 = "G2": "The absence of an opt-out is no consent, and a box ticked in advance is none.",
    G3 = "G3": "Only written consent, a box that the person ticked, or a double opt-in makes explicit consent.",
    G4 = "G4": "Mail from one person to one person needs no marketing consent; it is never sent in bulk.",
    G5 = "G5": "Every implicit contact has a way up to explicit consent.",
    G6 = "G6": "Consent does not move between brands, except by merger or acquisition (O4); it is held for one brand, purpose and address.",
    G7 = "G7": "Local law may be stricter: a brand may switch on overlays, and the strictest rule wins.",
    G8 = "G8": "Nobody can set explicit consent on an address: an operator's claim is an event of its own kind, with a lower grade.",
    A1 = "A1": "The person signed up at a form of the brand's own.",
    A2 = "A2": "The person bought from this brand within the last two years.",
    A3 = "A3": "The person concluded a written agreement with this brand within the last two years.",
    A4 = "A4": "The person donated to the brand, or worked for it as a volunteer, within the last two years.",
    A5 = "A5": "The person signed up for the brand's service, organisation or club, and is active in it.",
    A6 = "A6": "The person filled in a form, on paper or on a screen, that was made for this newsletter.",
    A7 = "A7": "The person answered this brand's own advertisement.",
    U1 = "U1": "A list that was bought, rented, borrowed or got from any third party holds no act of the person towards this brand, whatever it advertises.",
    U2 = "U2": "A list of members or of an organisation holds no act of the person towards this brand, whatever was promised when it was collected.",
    U3 = "U3": "Business contacts brought along from a former company gave their addresses to that company.",
    U4 = "U4": "A form on another brand's website gives that brand the address, not this one.",
    U5 = "U5": "A vendor of leads or of enriched data cannot give the person's consent.",
    U6 = "U6": "Somebody who wrote to the brand asked for an answer, not for marketing; they can convert on a form.",
    O1 = "O1": "Knowing somebody (friends, family, former colleagues) is no consent; another source with its own proof is needed.",
    O2a = "O2a": "The person came to the brand's own booth and left a badge scan, a business card or a form.",
    O2b = "O2b": "The address was given to the organiser of the event, not to the brand.",
    O3 = "O3": "An employer named the person for a benefit that it provides; the person did not act.",
    O4 = "O4": "In a merger or acquisition implicit consent moves to the new brand at most as it stood; the notice of the change, with the chance to re-confirm, is sent first.",
    O5 = "O5": "Consent that was only spoken cannot be verified; it can be converted on a paper form (A6) or on the brand's own form (A1).",
    O6 = "O6": "Several people read a role address such as info@ or sales@, so nobody's consent can be verified.",
    D1 = "D1": "Nobody knows where the address came from; it is listed for classification.",
    D2 = "D2": "Implicit consent lapses when its window is over.",
    D3 = "D3": "Whoever withdrew, complained, declined or is suppressed is refused; only the person's own fresh double opt-in reopens that.",
    D4 = "D4": "The source would be acceptable, but its proof or its date is missing.",
    D5 = "D5": "The person asked for a pause; no mail before it is over, whatever was agreed.",
    D6 = "D6": "Mail to the address came back for good; none is sent before the person confirms anew.",
    D7 = "D7": "Explicit consent ends without the person's act only where the brand's term was over and an operator declared so for one campaign, and whoever was asked was told it and did not answer.",
    CaCasl = "ca-casl": "Canada: answers to an advertisement lapse after six months, and a request for confirmation is itself a commercial message.",
    De = "de": "Germany: a business card is no consent, an asset deal moves none, and nobody is asked again unsolicited.",
    Nl = "nl": "Netherlands: no mail asks for permission without prior consent.",
    Uk = "uk": "United Kingdom: no mail asks for permission without prior consent.",
}

/// The rules that hold whatever the source.
pub const GENERAL_RULES: [Rule; 11] = [
    Rule::G1,
    Rule::G2,
    Rule::G3,
    Rule::G4,
    Rule::G5,
    Rule::G6,
    Rule::G7,
    Rule::G8,
    Rule::D5,
    Rule::D6,
    Rule::D7,
];

/// The rules about the address, its date and its proof, with the verdict of each and what it does to outreach.
pub const ADDRESS_RULES: [(Rule, super::Verdict, &str); 4] = [
    (
        Rule::O6,
        super::Verdict::Refuse,
        "none; a brand may loosen this to confirm_first with a named responsible person, which is kept as a deviation",
    ),
    (Rule::D2, super::Verdict::ConfirmFirst, "as its source"),
    (
        Rule::D3,
        super::Verdict::Refuse,
        "none; beats every other rule",
    ),
    (Rule::D4, super::Verdict::ConfirmFirst, "as its source"),
];

/// How several rules and several sources of one address come to one verdict, step by step.
pub const PRECEDENCE: [&str; 6] = [
    "D3: whoever withdrew, complained, declined or is suppressed is refused.",
    "O6: a role address is refused, whatever the source. Where the brand has loosened it, it is confirm_first unless a source refuses.",
    "A source that refuses, unless a second source with its own proof accepts.",
    "D4, then D2: a source whose proof is missing, or whose window is over, has to be confirmed first, unless another source accepts.",
    "A source that has to be confirmed first, unless another one accepts.",
    "A source that accepts: explicit before implicit, then one that holds before a merger whose notice has yet to be sent, then the one that lasts longest.",
];

/// How dates and windows are read.
pub const READING_DATES: [&str; 5] = [
    "The day on which an address was obtained counts as the proof \"date\" or \"joined\" where that is not given by itself.",
    "A window is of calendar years or months from the dated act. The contact may be mailed strictly before its end, at the start of that day in the brand's time zone.",
    "A day that the month of the end does not have is the first day of the month after it: 29 February and two years is the start of 1 March.",
    "A date that is missing, that cannot be read as YYYY-MM-DD, or that lies in the future, is D4; so are two dates that differ.",
    "A new dated act restarts the window.",
];
