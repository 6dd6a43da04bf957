//! What holds for all who are asked over the network about the log: when they are asked again, and how their problems
//! are told.

use std::time::Duration;

use crate::clock::Random;
use crate::domain::time::Timestamp;

const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// An answer's words may be anybody's, and stand in logs, in `/readyz` and on a page.
const WORDS_AT_MOST: usize = 300;

/// How long to wait after so many failures: twice as long each time, up to an hour, and up to half of it more by chance,
/// so that not everybody comes back at once.
pub(super) fn pause_after(tries: i64, random: &Random) -> Duration {
    let doublings = u32::try_from(tries.clamp(1, 20) - 1).unwrap_or(0);
    let pause = FIRST_PAUSE
        .saturating_mul(1 << doublings)
        .min(LONGEST_PAUSE);
    let half = u64::try_from(pause.as_millis() / 2).unwrap_or(u64::MAX);
    pause + Duration::from_millis(random.below(half + 1))
}

/// Whether something is due. A time further away than anything that is ever written is that of a clock that was set back.
pub(super) fn is_due(due_at: Timestamp, now: Timestamp, every: Duration) -> bool {
    let longest = every.max(LONGEST_PAUSE * 3 / 2);
    due_at <= now || due_at.since(now) > longest
}

/// Words in which nothing can hide: one line, and not a long one.
pub(super) fn plain(words: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    words.chars().take(WORDS_AT_MOST).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_a_half_with_chance() {
        let random = Random::seeded(1);
        let (mut before, mut seen) = (Duration::ZERO, Vec::new());
        for tries in 1..=40 {
            let pause = pause_after(tries, &random);
            assert!(pause >= FIRST_PAUSE && pause <= LONGEST_PAUSE * 3 / 2);
            if tries < 7 {
                assert!(pause > before, "{tries}");
            }
            before = pause;
            seen.push(pause);
        }
        seen.dedup();
        assert_eq!(seen.len(), 40, "no two pauses are the same");
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_put_things_off_for_years() {
        let now = Timestamp::from_micros(1_795_455_245_000_000);
        let every = Duration::from_secs(600);
        assert!(is_due(now, now, every));
        assert!(!is_due(now.plus(every), now, every));
        assert!(is_due(now.plus(Duration::from_secs(86_400)), now, every));
    }

    #[test]
    fn words_of_others_are_one_short_line() {
        let told = plain(&format!("a\r\nb\u{1b}[2J{}", "x".repeat(1_000)));
        assert!(told.starts_with("a  b [2J") && told.len() == WORDS_AT_MOST);
    }
}
