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

/// One hit on one of a mail's links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub link: Link,
    pub at: Timestamp,
    pub network: String,
}

/// A press of the button.
#[derive(Clone, Debug)]
pub struct Press<'a> {
    pub at: Timestamp,
    pub network: &'a str,
    /// When the page with this button was served, if the press says so and the server signed it.
    pub page_opened_at: Option<Timestamp>,
}

/// The signals of one press. `openings` are the hits on this mail's links; `people` counts the people whose links were
/// opened from the presser's network within the last minute, this one included.
pub fn signals(
    press: &Press<'_>,
    openings: &[Opening],
    people: i64,
    thresholds: &Thresholds,
) -> Vec<Signal> {
    let mut found = Vec::new();
    let last_opened = openings
        .iter()
        .filter(|opening| opening.link == Link::Confirm && opening.network == press.network)
        .map(|opening| opening.at)
        .chain(press.page_opened_at)
        .max();
    if last_opened.is_some_and(|at| press.at.since(at) < thresholds.read_for) {
        found.push(Signal::PressedAtOnce);
    }
    let of_network = |opening: &&Opening| opening.network == press.network;
    let swept = openings.iter().filter(of_network).any(|one| {
        one.link == Link::About
            && openings.iter().filter(of_network).any(|other| {
                other.link == Link::Confirm
                    && distance(one.at, other.at) <= thresholds.both_links_within
            })
    });
    if swept {
        found.push(Signal::OpenedAllLinks);
    }
    if people >= thresholds.people_a_minute {
        found.push(Signal::SeveralPeople);
    }
    found
}

fn distance(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

    fn opening(link: Link, seconds_ago: u64, network: &str) -> Opening {
        Opening {
            link,
            at: NOW.minus(Duration::from_secs(seconds_ago)),
            network: network.to_owned(),
        }
    }

    fn press(openings: &[Opening], people: i64) -> Vec<Signal> {
        let press = Press {
            at: NOW,
            network: "192.0.2.0/24",
            page_opened_at: None,
        };
        signals(&press, openings, people, &Thresholds::default())
    }

    #[test]
    fn a_person_who_opens_one_link_reads_and_presses_shows_no_signal() {
        assert_eq!(press(&[opening(Link::Confirm, 4, "192.0.2.0/24")], 1), []);
    }

    #[test]
    fn a_press_within_two_seconds_of_its_page_is_a_programs() {
        let hasty = [opening(Link::Confirm, 1, "192.0.2.0/24")];
        assert_eq!(press(&hasty, 1), [Signal::PressedAtOnce]);
    }

    #[test]
    fn opening_both_links_within_seconds_marks_the_network_and_no_other() {
        let both = |network| {
            [
                opening(Link::Confirm, 60, network),
                opening(Link::About, 58, network),
            ]
        };
        assert_eq!(press(&both("192.0.2.0/24"), 1), [Signal::OpenedAllLinks]);
        assert_eq!(press(&both("198.51.100.0/24"), 1), []);
    }

    #[test]
    fn a_person_who_reads_about_the_mail_a_minute_later_shows_no_signal() {
        let calm = [
            opening(Link::Confirm, 90, "192.0.2.0/24"),
            opening(Link::About, 30, "192.0.2.0/24"),
        ];
        assert_eq!(press(&calm, 1), []);
    }

    #[test]
    fn a_network_that_opens_several_peoples_links_in_a_minute_is_a_scanners() {
        assert_eq!(
            press(&[opening(Link::Confirm, 5, "192.0.2.0/24")], 5),
            [Signal::SeveralPeople]
        );
    }
}
