//! Reading the proof of a claim: what is there, what is missing, and what cannot be read.

use std::fmt;

use jiff::civil::Date;

use super::window::read_day;
use super::{Claim, Need, Source, Terms, Zone};
use crate::domain::origin::origin_of;
use crate::domain::time::Timestamp;

/// Whether a page is on none of a brand's own origins. Where the brand has named none, nothing speaks against any; what is no web address
/// is no page.
pub fn is_foreign(page: &str, own: &[String]) -> bool {
    let Some(origin) = origin_of(page).filter(|_| !own.is_empty()) else {
        return false;
    };
    !own.iter()
        .any(|one| origin_of(one).as_ref() == Some(&origin))
}

/// What is wrong with the proof of a source that would be acceptable (rule D4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// The key, or the keys of which one is enough.
    Missing(String),
    /// With what was given, and what is wanted.
    Unreadable(&'static str, String, &'static str),
    Future(&'static str),
    /// Two statements that cannot both be true.
    Contradiction(&'static str),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(keys) => write!(f, "the proof {keys} is missing"),
            Self::Unreadable(key, given, wanted) => {
                let given: String = given.chars().take(40).collect();
                write!(
                    f,
                    "the proof \"{key}\" (\"{}\") is not {wanted}",
                    given.escape_debug()
                )
            }
            Self::Future(key) => write!(f, "the proof \"{key}\" lies in the future"),
            Self::Contradiction(what) => f.write_str(what),
        }
    }
}

/// What the person left at a booth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Badge,
    Card,
    Form,
}

/// The box of consent on a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    Ticked,
    Unticked,
    Preticked,
    /// The form had none.
    NoBox,
}

/// Reads one claim and notes what is wrong with it.
pub(super) struct Reader<'a> {
    pub claim: &'a Claim,
    terms: &'a Terms,
    as_of: Timestamp,
    pub gaps: Vec<Gap>,
}

const A_DAY: &str = "a day, YYYY-MM-DD";

impl<'a> Reader<'a> {
    /// Notes what the row demands and the claim does not have. A day may come as the claim's own date.
    pub fn open(claim: &'a Claim, terms: &'a Terms, as_of: Timestamp) -> Self {
        let row = claim.source.row();
        let has = |key: &str| {
            claim.given(key).is_some()
                || (matches!(key, "date" | "joined") && claim.obtained_on.is_some())
        };
        let mut gaps: Vec<Gap> = row
            .proof
            .iter()
            .filter(|proof| proof.need == Need::Demanded && !has(proof.key))
            .map(|proof| Gap::Missing(format!("\"{}\"", proof.key)))
            .collect();
        let choices: Vec<&str> = row
            .proof
            .iter()
            .filter(|proof| proof.need == Need::OneOf)
            .map(|proof| proof.key)
            .collect();
        if !choices.is_empty() && !choices.iter().any(|key| has(key)) {
            gaps.insert(0, Gap::Missing(format!("\"{}\"", choices.join("\" or \""))));
        }
        Self {
            claim,
            terms,
            as_of,
            gaps,
        }
    }

    fn zone(&self) -> &'a Zone {
        &self.terms.zone
    }

    /// A day that was given under a key; none was noted as missing before, if it is demanded.
    pub fn day(&mut self, key: &'static str) -> Option<Date> {
        let text = self.claim.given(key)?;
        self.read(key, text)
    }

    fn read(&mut self, key: &'static str, text: &str) -> Option<Date> {
        let day = read_day(text);
        match day {
            None => self.gaps.push(Gap::Unreadable(key, text.to_owned(), A_DAY)),
            Some(day) if self.is_ahead(day) => self.gaps.push(Gap::Future(key)),
            Some(_) => return day,
        }
        None
    }

    fn is_ahead(&self, day: Date) -> bool {
        self.zone().day(self.as_of).is_none_or(|today| day > today)
    }

    /// The day of the act, under its key or as the claim's own date. Two that differ prove neither.
    pub fn act(&mut self, key: &'static str) -> Option<Date> {
        let obtained = self.obtained();
        if self.claim.given(key).is_none() {
            return obtained;
        }
        let day = self.day(key)?;
        if obtained.is_some_and(|other| other != day) {
            self.gaps.push(Gap::Contradiction("its two dates differ"));
            return None;
        }
        Some(day)
    }

    /// The claim's own date.
    pub fn obtained(&mut self) -> Option<Date> {
        let text = self.claim.obtained_on.as_deref()?;
        self.read("date", text)
    }

    /// The instant of a signup, as its day. The time of day must be there: a date alone has lost in court.
    pub fn time(&mut self) -> Option<Date> {
        let obtained = self.obtained();
        let text = self.claim.given("time")?;
        let at = Timestamp::parse(text).filter(|_| text.len() > 10);
        let Some((at, day)) = at.and_then(|at| Some((at, self.zone().day(at)?))) else {
            let wanted = "a time like 2026-11-23T17:00:00Z";
            self.gaps
                .push(Gap::Unreadable("time", text.to_owned(), wanted));
            return None;
        };
        if at > self.as_of {
            self.gaps.push(Gap::Future("time"));
            return None;
        }
        // The day may have been taken in the brand's time zone or in the one that the time is written in.
        let written = text.get(..10).and_then(read_day);
        if obtained.is_some_and(|other| other != day && Some(other) != written) {
            self.gaps
                .push(Gap::Contradiction("its date and its time differ"));
            return None;
        }
        Some(day)
    }

    /// Whether the page is on one of the brand's own origins, where they are known.
    pub fn page(&mut self) {
        let Some(text) = self.claim.given("page") else {
            return;
        };
        if origin_of(text).is_none() {
            let wanted = "a URL that begins with https:// or http://";
            self.gaps
                .push(Gap::Unreadable("page", text.to_owned(), wanted));
            return;
        }
        if is_foreign(text, &self.terms.origins) {
            let foreign = "the page is on no origin that the brand has declared";
            self.gaps.push(Gap::Contradiction(foreign));
        }
    }

    pub fn scan(&mut self) {
        if let Some(text) = self.claim.given("scan")
            && !(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            let wanted = "a SHA-256, 64 hexadecimal digits";
            self.gaps
                .push(Gap::Unreadable("scan", text.to_owned(), wanted));
        }
    }

    pub fn kind(&mut self, key: &'static str) -> Option<Kind> {
        self.word(
            key,
            "badge, card or form",
            &[
                ("badge", Kind::Badge),
                ("card", Kind::Card),
                ("form", Kind::Form),
            ],
        )
    }

    pub fn tick(&mut self) -> Tick {
        let found = self.word(
            "box",
            "ticked, unticked, preticked or none",
            &[
                ("ticked", Tick::Ticked),
                ("unticked", Tick::Unticked),
                ("preticked", Tick::Preticked),
                ("none", Tick::NoBox),
            ],
        );
        found.unwrap_or(Tick::NoBox)
    }

    /// Whether a merger was a share deal: the company with all its contracts, instead of its data alone.
    pub fn share_deal(&mut self) -> bool {
        self.word(
            "deal",
            "share or asset",
            &[("share", true), ("asset", false)],
        )
        .unwrap_or(false)
    }

    /// The source at the old brand. What leads nowhere proves nothing.
    pub fn original(&mut self) -> Option<Source> {
        let text = self.claim.given("original_source")?;
        match Source::parse(text) {
            None | Some(Source::Unknown | Source::MergerOrAcquisition) => {
                let wanted = "a source that says how the old brand got the address";
                self.gaps
                    .push(Gap::Unreadable("original_source", text.to_owned(), wanted));
                None
            }
            found => found,
        }
    }

    fn word<T: Copy>(
        &mut self,
        key: &'static str,
        wanted: &'static str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.claim.given(key)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            self.gaps
                .push(Gap::Unreadable(key, text.to_owned(), wanted));
        }
        found.map(|(_, value)| *value)
    }

    /// Whether the stored wording names the newsletter, in whole words and whatever the case.
    pub fn names_newsletter(&self) -> bool {
        let words = |key| self.claim.given(key).map(words_of);
        match (words("wording"), words("newsletter")) {
            (Some(wording), Some(name)) => {
                !name.is_empty() && wording.windows(name.len()).any(|part| part == name)
            }
            _ => false,
        }
    }
}

fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
