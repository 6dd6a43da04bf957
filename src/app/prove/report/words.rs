//! The report's words: times, what a grade means, what a rule says.

use crate::app::prove::dossier::{Dossier, Entry};
use crate::domain::event::{ClockState, Event, Fact, Grade};
use crate::domain::policy::Rule;
use crate::domain::time::Timestamp;

/// An instant to the microsecond, in UTC and saying so: `2026-11-23 17:34:05.000042 UTC`. Whole seconds need no zeros.
pub(super) fn time(at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ").replace('Z', "");
    format!("{} UTC", text.strip_suffix(".000000").unwrap_or(&text))
}

/// Text from outside, with every character made visible that would hide, move or turn around other text: controls, and the
/// marks of Unicode's bidirectional algorithm. Line feeds stay.
pub(super) fn legible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hides = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if c == '\n' || !(c.is_control() || hides) {
            out.push(c);
        } else if c != '\r' {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// Which events speak: `event 3`, `events 1 and 3`, `events 1, 2 and 4`.
pub(super) fn events(numbers: &[usize]) -> String {
    match numbers {
        [] => "no event".to_owned(),
        [one] => format!("event {one}"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(usize::to_string).collect();
            format!("events {} and {last}", first.join(", "))
        }
    }
}

/// Between which outside timestamps an entry was logged.
pub(super) fn logged(dossier: &Dossier, entry: &Entry) -> String {
    match dossier.logged_between(entry) {
        (Some(after), Some(before)) => {
            format!("after {} and before {}", time(after.at), time(before.at))
        }
        (None, Some(before)) => format!("before {}", time(before.at)),
        (Some(after), None) => {
            format!("after {}; no later timestamp covers it yet", time(after.at))
        }
        (None, None) => "no outside timestamp covers it yet".to_owned(),
    }
}

pub(super) fn clock(event: &Event) -> String {
    let state = match event.clock.state {
        ClockState::Synchronised => "it followed a time server",
        ClockState::Unsynchronised => "it had no answer from a time server",
        ClockState::Stepped => {
            "it had been set by more than half a second within the ten minutes before"
        }
        ClockState::Unknown => "it is not known whether it followed a time server",
    };
    match event.clock.ahead_micros {
        Some(micros) if micros.unsigned_abs() < 500 => {
            format!("{state}, and agreed with the time-stamping authority to the millisecond")
        }
        // No line ends between the number and its unit.
        Some(micros) => format!(
            "{state}, and was {:.3}\u{a0}s {} of the time-stamping authority",
            micros.unsigned_abs() as f64 / 1e6,
            if micros < 0 { "behind" } else { "ahead" }
        ),
        None => state.to_owned(),
    }
}

/// What a way to confirm means, and what it does not.
pub(super) struct GradeWords {
    pub(super) name: &'static str,
    pub(super) means: &'static str,
    pub(super) does_not: &'static str,
}

const CODE: GradeWords = GradeWords {
    name: "The six digits of the mail were typed",
    means: "Whoever confirmed had read the mail that was sent to this address: the digits stood nowhere else. Five wrong tries would have closed the way.",
    does_not: "It does not show who the person is, or that nobody else can read this mailbox.",
};

const SAME_BROWSER: GradeWords = GradeWords {
    name: "The link was opened in the browser that signed up",
    means: "The link stood in the mail that was sent to this address, and the browser that opened it held the cookie that was set when the address was entered. Whoever entered the address could read its mail.",
    does_not: "It does not show who the person is, or that nobody else uses this browser or reads this mailbox.",
};

const LINK_BUTTON: GradeWords = GradeWords {
    name: "The button behind the link was pressed",
    means: "The link stood in the mail that was sent to this address, and somebody who opened it pressed the button on its page. Presses that look like those of a mail scanner (at once, after opening every link, or for several people within a minute) were not taken; the code was asked for instead.",
    does_not: "It does not show who the person is. The mail could have been passed on, and a program that reads and presses like a person cannot be excluded.",
};

const API_CLAIM: GradeWords = GradeWords {
    name: "An import claims it",
    means: "Whoever imported the address says that the person had consented, and by what act. The claim was recorded with its time.",
    does_not: "Nobody confirmed it here. Whether the person did act is for the sources to show that the claim names.",
};

pub(super) const fn grade(of: Grade) -> &'static GradeWords {
    match of {
        Grade::Code => &CODE,
        Grade::SameBrowser => &SAME_BROWSER,
        Grade::LinkButton => &LINK_BUTTON,
        Grade::ApiClaim => &API_CLAIM,
    }
}

/// What a rule of the consent policy says.
pub(super) fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::G1 => "without an act of the person, or without proof of it, there is no consent",
        Rule::G3 => "only consent in writing, a ticked box or a double opt-in is explicit consent",
        Rule::A1 => "a signup at the brand's own form",
        Rule::O6 => "an address that several people may read",
        Rule::D2 => "consent that was never confirmed lapses",
        Rule::D3 => "whoever withdrew, complained or declined is not written to",
        other => other.says().trim_end_matches('.'),
    }
}

/// What happened, in two or three words.
pub(in crate::app) const fn headline(fact: &Fact) -> &'static str {
    match fact {
        Fact::SignedUp(_) => "Signed up",
        Fact::Imported(_) => "Imported",
        Fact::ImportWithdrawn { .. } => "Import taken back",
        Fact::ProofAdded(_) => "Proof added",
        Fact::Invited(_) => "Asked by campaign",
        Fact::Lapsed { .. } => "Lapsed",
        Fact::MailRequested { .. } => "Mail asked for again",
        Fact::MailAccepted { .. } => "Mail handed over",
        Fact::MailFailed { .. } => "Mail given up",
        Fact::LinkOpened { .. } => "Link opened",
        Fact::CodeAsked { .. } => "Press not taken",
        Fact::CodeWrong { .. } => "Wrong code",
        Fact::Confirmed { .. } => "Confirmed",
        Fact::Declined { .. } => "Declined",
        Fact::Withdrawn { .. } => "Withdrawn",
        Fact::PurposeChanged(_) => "Said yes",
        Fact::Paused { until: Some(_), .. } => "Paused",
        Fact::Paused { until: None, .. } => "Pause ended",
        Fact::LanguageChanged { .. } => "Language changed",
        Fact::Bounced(bounced) if bounced.hard => "Mail came back",
        Fact::Bounced(_) => "Mail came back for now",
        Fact::Complained(_) => "Complained",
        Fact::Suppressed { .. } => "Suppressed",
        Fact::SuppressionLifted { .. } => "Suppression lifted",
        Fact::OperatorNote { .. } => "Note",
        Fact::LegalHold { .. } => "Legal hold",
        Fact::LegalHoldLifted { .. } => "Legal hold lifted",
        Fact::ErasureWished {
            taken_back: false, ..
        } => "Asked to be erased",
        Fact::ErasureWished {
            taken_back: true, ..
        } => "Wish taken back",
        Fact::Expired => "Request expired",
        Fact::Reminded { .. } => "Reminded",
        Fact::AddressChanged { .. } => "Address corrected",
        Fact::Replaced => "Request replaced",
        Fact::Erased { .. } => "Erased",
        Fact::LeftTold(_) => "Left elsewhere",
        Fact::LeftForgotten { .. } => "Left elsewhere forgotten",
        Fact::SealOpened { .. } => "Seal opened",
        Fact::SealDeleted => "Seal deleted",
        Fact::Exported { .. } => "Handed out",
        Fact::OperatorActed { .. } => "Operator",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_would_hide_or_turn_around_is_made_visible() {
        assert_eq!(
            legible("a\u{202e}b\u{1b}[2J\u{0}\r\nc\u{200b}é"),
            "a\\u{202e}b\\u{1b}[2J\\u{0}\nc\\u{200b}é"
        );
    }

    #[test]
    fn a_time_is_in_utc_and_says_so() {
        let at = Timestamp::from_micros(1_795_455_245_000_042);
        assert_eq!(time(at), "2026-11-23 17:34:05.000042 UTC");
        let whole = Timestamp::from_micros(1_795_455_245_000_000);
        assert_eq!(time(whole), "2026-11-23 17:34:05 UTC");
    }

    #[test]
    fn events_are_named_in_a_list_as_people_write_it() {
        assert_eq!(events(&[3]), "event 3");
        assert_eq!(events(&[1, 3]), "events 1 and 3");
        assert_eq!(events(&[1, 2, 4]), "events 1, 2 and 4");
    }
}
