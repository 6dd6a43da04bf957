//! What one source gives by itself: its row, its proof, its window, and the overlays on it.

use jiff::civil::Date;

use super::overlay::hold_asking;
use super::proof::{Gap, Kind, Reader, Tick};
use super::window::months_after;
use super::{
    Claim, OrganizerLists, Outreach, Overlay, Row, Rule, Source, Terms, Verdict, Window, merger,
};
use crate::domain::standing::Basis;
use crate::domain::time::Timestamp;

/// What one source gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub source: Source,
    pub rule: Rule,
    pub verdict: Verdict,
    pub outreach: Outreach,
    pub basis: Basis,
    /// When implicit consent ends, or ended.
    pub until: Option<Timestamp>,
    /// The operator chose something looser than the row.
    pub deviates: bool,
    /// The notice of a merger has yet to be sent.
    pub notice_due: bool,
}

impl Outcome {
    /// As the row stands.
    pub fn of(row: &Row) -> Self {
        Self {
            source: row.source,
            rule: row.rule,
            verdict: row.verdict,
            outreach: row.outreach,
            basis: match row.verdict {
                Verdict::Accept => Basis::Implicit,
                Verdict::ConfirmFirst | Verdict::Refuse => Basis::None,
            },
            until: None,
            deviates: false,
            notice_due: false,
        }
    }

    /// The same, for a source that stands in for the row's own.
    pub const fn from(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// No marketing until confirmed, by this rule.
    pub fn confirm_first(&mut self, rule: Rule) {
        self.verdict = Verdict::ConfirmFirst;
        self.basis = Basis::None;
        self.rule = rule;
    }

    /// The brand's own wish to wait, not the law's: consent was given, so it takes nothing from the way of asking.
    pub fn hold(mut self, terms_hold: bool) -> Self {
        if terms_hold && self.source == Source::WebsiteForm && self.verdict == Verdict::Accept {
            self.confirm_first(self.rule);
        }
        self
    }
}

/// What one source gives, and how that came about.
#[derive(Clone, Debug)]
pub(super) struct Weighed {
    pub outcome: Outcome,
    pub fired: Vec<Rule>,
    pub gaps: Vec<Gap>,
    /// The day of the act.
    pub act: Option<Date>,
    /// Of a merger: the source at the old brand.
    pub original: Option<Source>,
}

impl Weighed {
    pub fn of(row: &Row) -> Self {
        Self {
            outcome: Outcome::of(row),
            fired: vec![row.rule],
            gaps: Vec::new(),
            act: None,
            original: None,
        }
    }

    pub fn confirm_first(&mut self, rule: Rule) {
        self.outcome.confirm_first(rule);
        self.fired.push(rule);
    }

    /// Ends implicit consent where its window is over. `source` is whose window runs: a merger has none of its own.
    pub fn run_window(&mut self, source: Source, act: Date, terms: &Terms, as_of: Timestamp) {
        let Some((months, by)) = months_of(source.row(), terms) else {
            return;
        };
        if let Some(overlay) = by {
            self.fired.push(overlay.rule());
        }
        let end = months_after(act, months).and_then(|day| terms.zone.start_of(day));
        self.outcome.until = end;
        if end.is_none_or(|end| as_of >= end) {
            self.confirm_first(Rule::D2);
        }
    }
}

/// The months that a source's implicit consent lasts, and the overlay that shortened them.
fn months_of(row: &Row, terms: &Terms) -> Option<(u16, Option<Overlay>)> {
    let own = match row.window {
        Window::Open | Window::Original => None,
        Window::Months(months) => Some((months, None)),
        Window::Activity => Some((terms.active_within_months, None)),
    };
    let stricter = terms
        .overlays
        .iter()
        .filter_map(|overlay| Some((overlay.months(row.source)?, Some(*overlay))));
    own.into_iter()
        .chain(stricter)
        .min_by_key(|(months, _)| *months)
}

/// Weighs one claim.
pub(super) fn weigh(claim: &Claim, terms: &Terms, as_of: Timestamp) -> Weighed {
    let row = claim.source.row();
    let mut weighed = match (claim.source, row.verdict) {
        (Source::EventOrganizerList, _) => organizer_list(claim, terms, as_of),
        (Source::MergerOrAcquisition, _) => merger::weigh(claim, terms, as_of),
        (_, Verdict::Refuse) => Weighed::of(row),
        (_, Verdict::ConfirmFirst) => Weighed {
            gaps: Reader::open(claim, terms, as_of).gaps,
            ..Weighed::of(row)
        },
        (_, Verdict::Accept) => acceptable(claim, terms, as_of),
    };
    let Weighed { outcome, fired, .. } = &mut weighed;
    hold_asking(
        &terms.overlays,
        outcome.verdict,
        &mut outcome.outreach,
        |rule| tell(fired, rule),
    );
    weighed.outcome = weighed.outcome.hold(terms.hold_until_confirmed);
    weighed
}

/// A rule is told once, where it fired first.
pub(super) fn tell(fired: &mut Vec<Rule>, rule: Rule) {
    if !fired.contains(&rule) {
        fired.push(rule);
    }
}

/// Refused, unless an operator chose otherwise for this import and says whose list it is.
fn organizer_list(claim: &Claim, terms: &Terms, as_of: Timestamp) -> Weighed {
    let mut weighed = Weighed::of(claim.source.row());
    if claim.confirm_first || terms.organizer_lists == OrganizerLists::ConfirmFirst {
        weighed.gaps = Reader::open(claim, terms, as_of).gaps;
        if weighed.gaps.is_empty() {
            weighed.outcome.confirm_first(Rule::O2b);
            weighed.outcome.deviates = true;
        }
    }
    weighed
}

/// A source that is accepted while its proof and its window hold.
fn acceptable(claim: &Claim, terms: &Terms, as_of: Timestamp) -> Weighed {
    let source = claim.source;
    let mut weighed = Weighed::of(source.row());
    let mut reader = Reader::open(claim, terms, as_of);
    let act = act_of(source, &mut reader);
    let tick = reader.tick();
    let kind = reader.kind("kind");
    reader.scan();
    reader.page();
    let names_newsletter = source == Source::NewsletterForm && reader.names_newsletter();
    weighed.gaps = reader.gaps;
    weighed.act = act;
    let Some(act) = act.filter(|_| weighed.gaps.is_empty()) else {
        weighed.confirm_first(Rule::D4);
        return weighed;
    };
    match tick {
        Tick::Preticked => weighed.confirm_first(Rule::G2),
        Tick::Unticked => weighed.confirm_first(Rule::G1),
        Tick::Ticked => make_explicit(&mut weighed),
        Tick::NoBox if names_newsletter => make_explicit(&mut weighed),
        Tick::NoBox => weighed.run_window(source, act, terms, as_of),
    }
    if weighed.outcome.verdict == Verdict::Accept && german_card(source, kind, terms) {
        weighed.confirm_first(Rule::De);
    }
    weighed
}

fn make_explicit(weighed: &mut Weighed) {
    weighed.outcome.basis = Basis::Explicit;
    weighed.fired.push(Rule::G3);
}

/// A card handed over is no consent in Germany; what was handed over is taken for a card where nobody says.
pub(super) fn german_card(source: Source, kind: Option<Kind>, terms: &Terms) -> bool {
    source == Source::EventBooth
        && !matches!(kind, Some(Kind::Badge | Kind::Form))
        && terms.overlays.contains(&Overlay::De)
}

/// The day from which the window runs.
fn act_of(source: Source, reader: &mut Reader<'_>) -> Option<Date> {
    match source {
        Source::WebsiteForm => reader.time(),
        Source::ActiveMember => {
            // The day on which the address came may lie after joining: each is read, neither overrules the other.
            let obtained = reader.obtained();
            let joined = match reader.claim.given("joined") {
                Some(_) => reader.day("joined"),
                None => obtained,
            };
            let active = reader.day("last_active")?;
            if joined.is_some_and(|joined| active < joined) {
                let before = "the last activity lies before joining";
                reader.gaps.push(Gap::Contradiction(before));
            }
            Some(active)
        }
        _ => reader.act("date"),
    }
}
