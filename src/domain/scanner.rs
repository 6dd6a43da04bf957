//! Telling a mail scanner's press from a person's, by what was opened, from where and how fast. Pure.
//!
//! Scanners open every link of a mail within seconds, often from several machines of one network, and some press
//! buttons. People open one link, read, and press.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Link;
use super::time::Timestamp;

/// What speaks for a program behind a press. Kept as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The button was pressed within two seconds of its page.
    PressedAtOnce,
    /// This client or its network opened both links of the mail within seconds of each other.
    OpenedAllLinks,
    /// This network opened the links of several people within a minute.
    SeveralPeople,
    /// Nothing shows that anybody saw the page: the press brought no mark of it, and its network did not open the link.
    NoPage,
}

/// The thresholds, settings with these defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// A press sooner than this after its page is a program's.
    pub read_for: Duration,
    /// Both links opened within this time are opened by a program.
    pub both_links_within: Duration,
    /// Links of this many people opened from one network within a minute.
    pub people_a_minute: i64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            read_for: Duration::from_secs(2),
            both_links_within: Duration::from_secs(10),
            people_a_minute: 5,
        }
    }
}

/// Links of several people are opened by a program if they are opened within this time of each other.
const PEOPLE_WITHIN: Duration = Duration::from_secs(60);

/// Of a network that did not open both links.
pub const NEVER: i64 = i64::MAX;

/// What a network opened of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub network: String,
    /// The latest hit on each link.
    pub confirm_at: Option<Timestamp>,
    pub about_at: Option<Timestamp>,
    pub decline_at: Option<Timestamp>,
    /// The least time that ever lay between a hit on the link that confirms and one on the link about the mail: microseconds, or
    /// `NEVER`. A later hit does not undo it.
    pub closest: i64,
}

impl Seen {
    pub const fn of(network: String) -> Self {
        Self {
            network,
            confirm_at: None,
            about_at: None,
            decline_at: None,
            closest: NEVER,
        }
    }

    /// One more hit of the same network; links that are no mail's own change nothing.
    pub fn hit(&mut self, link: Link, at: Timestamp) {
        let (own, other) = match link {
            Link::Confirm => (&mut self.confirm_at, self.about_at),
            Link::About => (&mut self.about_at, self.confirm_at),
            Link::Decline => (&mut self.decline_at, None),
            Link::Unsubscribe | Link::Preferences => return,
        };
        *own = Some(at);
        if let Some(other) = other {
            self.closest = self.closest.min((at.micros() - other.micros()).abs());
        }
    }

    /// The latest hit on any of the links.
    pub fn opened_at(&self) -> Option<Timestamp> {
        self.confirm_at.max(self.about_at).max(self.decline_at)
    }

    /// Takes in what the same network did besides, told in another place.
    pub fn join(&mut self, other: &Self) {
        let between = |one: Option<Timestamp>, other: Option<Timestamp>| match (one, other) {
            (Some(one), Some(other)) => (one.micros() - other.micros()).abs(),
            _ => NEVER,
        };
        self.closest = self
            .closest
            .min(other.closest)
            .min(between(self.confirm_at, other.about_at))
            .min(between(self.about_at, other.confirm_at));
        self.confirm_at = self.confirm_at.max(other.confirm_at);
        self.about_at = self.about_at.max(other.about_at);
        self.decline_at = self.decline_at.max(other.decline_at);
    }

    fn last(&self, button: Button) -> Option<Timestamp> {
        match button {
            Button::Confirm => self.confirm_at,
            Button::Decline => self.decline_at.max(self.about_at).max(self.confirm_at),
        }
    }
}

/// What a press is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Confirm,
    /// "This was not me": it stands on every page that the mail's links lead to.
    Decline,
}

/// A press of a button.
#[derive(Clone, Debug)]
pub struct Press<'a> {
    pub button: Button,
    pub at: Timestamp,
    pub network: &'a str,
    /// When the page with this button was served, if the press says so and the server signed it.
    pub page_opened_at: Option<Timestamp>,
}

/// From when (without it) to when (with it) a network's hits on other people's links count: a minute either side of what it last
/// opened of this mail, for a program may press much later than it opens; the last minute, where it opened nothing.
pub fn watched(seen: &[Seen], network: &str, pressed_at: Timestamp) -> (Timestamp, Timestamp) {
    let own = seen.iter().filter(|seen| seen.network == network);
    let opened_at = own.filter_map(Seen::opened_at).max();
    let around = |at: Timestamp| (at.minus(PEOPLE_WITHIN), at.plus(PEOPLE_WITHIN));
    opened_at.map_or((pressed_at.minus(PEOPLE_WITHIN), pressed_at), around)
}

/// The signals of one press. `seen` is what networks opened of this mail; `people` counts the people whose links the presser's
/// network opened in the time that `watched` tells, this one included.
pub fn signals(
    press: &Press<'_>,
    seen: &[Seen],
    people: i64,
    thresholds: &Thresholds,
) -> Vec<Signal> {
    let mut found = Vec::new();
    // Two may tell of one network: an earlier version kept hits otherwise.
    let own = || seen.iter().filter(|seen| seen.network == press.network);
    let last_opened = own()
        .filter_map(|seen| seen.last(press.button))
        .chain(press.page_opened_at)
        .max();
    match last_opened {
        None => found.push(Signal::NoPage),
        Some(at) if press.at.since(at) < thresholds.read_for => found.push(Signal::PressedAtOnce),
        Some(_) => {}
    }
    let within = i64::try_from(thresholds.both_links_within.as_micros()).unwrap_or(NEVER - 1);
    // A sweep may come from several networks: what counts then is that this one's own hit is a part of it.
    let beside = |own: &Seen| {
        let about = seen.iter().filter_map(|seen| seen.about_at);
        let between = |at: Timestamp| Some((at.micros() - own.confirm_at?.micros()).abs());
        about.filter_map(between).any(|apart| apart <= within)
    };
    if own().any(|seen| seen.closest <= within || beside(seen)) {
        found.push(Signal::OpenedAllLinks);
    }
    if people >= thresholds.people_a_minute {
        found.push(Signal::SeveralPeople);
    }
    found
}

#[cfg(test)]
mod people;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

    /// Hits of one network, each so many seconds ago.
    fn seen(network: &str, hits: &[(Link, u64)]) -> [Seen; 1] {
        let mut seen = Seen::of(network.to_owned());
        for (link, seconds_ago) in hits {
            seen.hit(*link, NOW.minus(Duration::from_secs(*seconds_ago)));
        }
        [seen]
    }

    #[test]
    fn a_sweep_that_comes_from_two_networks_is_seen_at_the_one_that_presses_and_not_at_the_persons()
    {
        let [one] = seen("192.0.2.0/24", &[(Link::Confirm, 100)]);
        let [two] = seen("198.51.100.0/24", &[(Link::About, 98)]);
        let [person] = seen("203.0.113.0/24", &[(Link::Confirm, 60)]);
        let all = [one, two, person];
        let press = |network| Press {
            button: Button::Confirm,
            at: NOW,
            network,
            page_opened_at: Some(NOW.minus(Duration::from_secs(60))),
        };
        let limits = Thresholds::default();
        let program = signals(&press("192.0.2.0/24"), &all, 1, &limits);
        assert_eq!(program, [Signal::OpenedAllLinks]);
        assert_eq!(signals(&press("203.0.113.0/24"), &all, 1, &limits), []);
    }

    fn press_on(button: Button, seen: &[Seen], people: i64) -> Vec<Signal> {
        let page_opened_at = Some(NOW.minus(Duration::from_secs(60)));
        press_of_page(button, page_opened_at, seen, people)
    }

    fn press_of_page(
        button: Button,
        page_opened_at: Option<Timestamp>,
        seen: &[Seen],
        people: i64,
    ) -> Vec<Signal> {
        let press = Press {
            button,
            at: NOW,
            network: "192.0.2.0/24",
            page_opened_at,
        };
        signals(&press, seen, people, &Thresholds::default())
    }

    fn press(seen: &[Seen], people: i64) -> Vec<Signal> {
        press_on(Button::Confirm, seen, people)
    }

    #[test]
    fn a_person_who_opens_one_link_reads_and_presses_shows_no_signal() {
        let calm = seen("192.0.2.0/24", &[(Link::Confirm, 4)]);
        assert_eq!(press(&calm, 1), []);
        assert_eq!(press_on(Button::Decline, &calm, 1), []);
    }

    #[test]
    fn a_press_within_two_seconds_of_its_page_is_a_programs() {
        let hasty = seen("192.0.2.0/24", &[(Link::Confirm, 1)]);
        assert_eq!(press(&hasty, 1), [Signal::PressedAtOnce]);
        for link in [Link::Confirm, Link::About, Link::Decline] {
            let hasty = seen("192.0.2.0/24", &[(link, 1)]);
            assert_eq!(
                press_on(Button::Decline, &hasty, 1),
                [Signal::PressedAtOnce]
            );
        }
    }

    #[test]
    fn opening_both_links_within_seconds_marks_the_network_and_no_other() {
        let both = |network| seen(network, &[(Link::Confirm, 60), (Link::About, 58)]);
        assert_eq!(press(&both("192.0.2.0/24"), 1), [Signal::OpenedAllLinks]);
        assert_eq!(press(&both("198.51.100.0/24"), 1), []);
    }

    #[test]
    fn a_press_that_nobody_saw_the_page_of_is_a_programs_and_either_proof_of_it_is_enough() {
        let elsewhere = seen("198.51.100.0/24", &[(Link::Confirm, 9)]);
        for button in [Button::Confirm, Button::Decline] {
            let without = press_of_page(button, None, &elsewhere, 1);
            assert_eq!(without, [Signal::NoPage]);
            let own = seen("192.0.2.0/24", &[(Link::Confirm, 9)]);
            assert_eq!(press_of_page(button, None, &own, 1), []);
            assert_eq!(press_on(button, &elsewhere, 1), []);
        }
        // Whoever opened the other link only did not see the button that confirms.
        let about = seen("192.0.2.0/24", &[(Link::About, 9)]);
        let confirming = press_of_page(Button::Confirm, None, &about, 1);
        assert_eq!(confirming, [Signal::NoPage]);
        assert_eq!(press_of_page(Button::Decline, None, &about, 1), []);
    }

    #[test]
    fn people_are_counted_around_the_hit_and_not_around_the_press() {
        let own = seen("192.0.2.0/24", &[(Link::Confirm, 90), (Link::About, 3_600)]);
        let at = |seconds| NOW.minus(Duration::from_secs(seconds));
        assert_eq!(watched(&own, "192.0.2.0/24", NOW), (at(150), at(30)));
        assert_eq!(watched(&own, "198.51.100.0/24", NOW), (at(60), NOW));
    }

    #[test]
    fn what_is_opened_later_does_not_undo_a_sweep() {
        let hits = [
            (Link::Confirm, 600),
            (Link::About, 599),
            (Link::About, 100),
            (Link::Confirm, 50),
        ];
        assert_eq!(
            press(&seen("192.0.2.0/24", &hits), 1),
            [Signal::OpenedAllLinks]
        );
    }

    #[test]
    fn a_person_who_reads_about_the_mail_a_minute_later_shows_no_signal() {
        let calm = seen("192.0.2.0/24", &[(Link::Confirm, 90), (Link::About, 30)]);
        assert_eq!(press(&calm, 1), []);
    }

    #[test]
    fn a_network_that_opens_several_peoples_links_in_a_minute_is_a_scanners() {
        assert_eq!(
            press(&seen("192.0.2.0/24", &[(Link::Confirm, 5)]), 5),
            [Signal::SeveralPeople]
        );
    }
}
