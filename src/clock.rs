//! Now and randomness. Every other module is handed one of these, so that a test can fix both.

#![allow(clippy::disallowed_methods)] // the one place for them

mod watch;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::domain::event::{ClockReading, ClockState};
use crate::domain::time::Timestamp;

use watch::StepWatch;

/// Tells the time: the machine's, or one that a test moves by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    Fixed(Arc<FixedClock>),
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FixedClock {
    wall: AtomicI64,
    /// What a monotonic clock would show: `advance` moves it, `step` does not.
    monotonic: AtomicI64,
    steps: Mutex<StepWatch>,
    ahead: Mutex<Option<Ahead>>,
    /// It stands for all clocks, the database's too.
    stands_for_all: bool,
}

/// How far this clock was ahead of an authority's.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    micros: i64,
    /// When that was seen last.
    at: Timestamp,
    /// Since when readings have told nearly the same.
    since: Timestamp,
}

/// For so long it is told with every reading.
const AHEAD_TOLD_FOR: Duration = Duration::from_secs(86_400);

/// Offsets that differ by no more, in microseconds, are nearly the same: half of what a bundle forgives.
pub const NEARLY: i64 = 300_000_000;

/// Of the machine's clock, as this process saw it.
static MACHINE_AHEAD: Mutex<Option<Ahead>> = Mutex::new(None);

impl Clock {
    pub fn fixed(at: Timestamp) -> Self {
        Self::moved_by_hand(at, true)
    }

    /// A fixed clock of one machine; the database has its own.
    pub fn of_one_machine(at: Timestamp) -> Self {
        Self::moved_by_hand(at, false)
    }

    fn moved_by_hand(at: Timestamp, stands_for_all: bool) -> Self {
        let mut steps = StepWatch::default();
        steps.look(at.micros(), 0);
        Self::Fixed(Arc::new(FixedClock {
            wall: AtomicI64::new(at.micros()),
            monotonic: AtomicI64::new(0),
            steps: Mutex::new(steps),
            ahead: Mutex::new(None),
            stands_for_all,
        }))
    }

    /// Whether it is moved by hand, and the database's clock is not looked at beside it.
    pub fn stands_for_all(&self) -> bool {
        match self {
            Self::System => false,
            Self::Fixed(clock) => clock.stands_for_all,
        }
    }

    /// The present instant in microseconds since 1970, UTC. A clock set before 1970 reads as 1970.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Fixed(clock) => Timestamp::from_micros(clock.wall.load(Ordering::SeqCst)),
        }
    }

    /// How far the clock can be relied on at this moment. A step is looked for at each call, which reads two clocks;
    /// what the operating system says is asked every five seconds at most (see `watch`). A fixed clock is `unknown`
    /// unless it was stepped.
    pub fn reading(&self) -> ClockReading {
        let state = match self {
            Self::System => watch::of_the_machine(),
            Self::Fixed(clock) => {
                let monotonic = clock.monotonic.load(Ordering::SeqCst);
                let stepped = clock
                    .steps
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .look(self.now().micros(), monotonic);
                if stepped {
                    ClockState::Stepped
                } else {
                    ClockState::Unknown
                }
            }
        };
        let now = self.now();
        let mut seen = self.ahead().lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.as_mut().filter(|_| state == ClockState::Stepped) {
            seen.since = now;
        }
        // What was seen before the clock was set says nothing of it now.
        let ahead = seen.filter(|seen| state != ClockState::Stepped && seen.is_told(now));
        ClockReading {
            state,
            ahead_micros: ahead.map(|seen| seen.micros),
        }
    }

    /// How far this clock was ahead as readings tell it, and since when they have told nearly that. None where they tell nothing,
    /// or will not for much longer.
    pub fn told_ahead(&self) -> Option<(i64, Timestamp)> {
        self.reading().ahead_micros?;
        let soon = self.now().plus(Duration::from_secs(600));
        let seen = *self.ahead().lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.filter(|seen| seen.is_told(soon))?;
        Some((seen.micros, seen.since))
    }

    /// Takes down how far this clock was ahead of a time-stamping authority's at this moment.
    pub fn set_ahead(&self, micros: i64) {
        let mut seen = self.ahead().lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(Ahead::after(*seen, micros, self.now()));
    }

    /// The same as another process saw it, by this clock's time; what this one saw later stays.
    pub fn learn_ahead(&self, micros: i64, at: Timestamp) {
        let mut seen = self.ahead().lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|seen| seen.at < at) {
            *seen = Some(Ahead::after(*seen, micros, at));
        }
    }

    fn ahead(&self) -> &Mutex<Option<Ahead>> {
        match self {
            Self::System => &MACHINE_AHEAD,
            Self::Fixed(clock) => &clock.ahead,
        }
    }

    /// Lets time pass on a fixed clock; the machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(clock) = self {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            clock.wall.fetch_add(micros, Ordering::SeqCst);
            clock.monotonic.fetch_add(micros, Ordering::SeqCst);
        }
    }

    /// Sets a fixed clock forward, or back, by microseconds without letting time pass, as an operator or a time server does.
    pub fn step(&self, micros: i64) {
        if let Self::Fixed(clock) = self {
            clock.wall.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

impl Ahead {
    fn after(before: Option<Self>, micros: i64, at: Timestamp) -> Self {
        let same = before.filter(|before| {
            before.is_told(at) && before.micros.abs_diff(micros) <= NEARLY.unsigned_abs()
        });
        Self {
            micros,
            at,
            since: same.map_or(at, |same| same.since),
        }
    }

    fn is_told(&self, now: Timestamp) -> bool {
        self.at <= now && now.since(self.at) < AHEAD_TOLD_FOR
    }
}

/// Gives random bytes: the operating system's generator, or a seeded one for tests.
#[derive(Clone)]
pub enum Random {
    /// A per-thread ChaCha generator that the operating system seeds and reseeds.
    Os,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            Self::Os => rand::rng().fill_bytes(bytes),
            Self::Seeded(generator) => generator
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .fill_bytes(bytes),
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A generator for a library that wants one, seeded anew.
    pub fn generator(&self) -> StdRng {
        StdRng::from_seed(self.bytes())
    }

    /// A UUID version 7 (RFC 9562, section 5.7) of the given instant.
    pub fn uuid_v7(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// A whole number in `0..below`, for jitter; the slight bias of the remainder does not matter there.
    pub fn below(&self, below: u64) -> u64 {
        u64::from_le_bytes(self.bytes()) % below.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

    #[test]
    fn a_step_of_a_second_is_noticed_at_once_and_forgotten_after_ten_minutes() {
        for micros in [1_000_000, -1_000_000, 3_600_000_000] {
            let clock = Clock::fixed(START);
            assert_eq!(clock.reading().state, ClockState::Unknown);
            clock.step(micros);
            assert_eq!(clock.reading().state, ClockState::Stepped);
            clock.advance(Duration::from_secs(599));
            assert_eq!(clock.reading().state, ClockState::Stepped);
            clock.advance(Duration::from_secs(2));
            assert_eq!(clock.reading().state, ClockState::Unknown);
        }
    }

    #[test]
    fn time_that_passes_is_no_step_and_a_hair_is_none_either() {
        let clock = Clock::fixed(START);
        for _ in 0..100 {
            clock.advance(Duration::from_secs(3_600));
            assert_eq!(clock.reading().state, ClockState::Unknown);
        }
        clock.step(400_000);
        assert_eq!(clock.reading().state, ClockState::Unknown);
    }

    #[test]
    fn small_steps_that_add_up_within_ten_minutes_are_noticed() {
        let clock = Clock::fixed(START);
        for _ in 0..2 {
            clock.advance(Duration::from_secs(60));
            clock.step(300_000);
            clock.reading();
        }
        assert_eq!(clock.reading().state, ClockState::Stepped);
    }

    #[test]
    fn a_step_while_nobody_looked_is_noticed_at_the_next_look() {
        let clock = Clock::fixed(START);
        clock.advance(Duration::from_secs(7_200));
        clock.step(-5_000_000);
        clock.advance(Duration::from_secs(7_200));
        assert_eq!(clock.reading().state, ClockState::Stepped);
    }

    #[test]
    fn how_far_it_was_ahead_is_told_for_a_day_and_not_after_it_was_set() {
        let clock = Clock::fixed(START);
        assert_eq!(clock.reading().ahead_micros, None);
        clock.set_ahead(-250_000);
        clock.advance(Duration::from_secs(86_399));
        assert_eq!(clock.reading().ahead_micros, Some(-250_000));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.reading().ahead_micros, None);
        clock.set_ahead(7);
        clock.step(3_000_000);
        assert_eq!(clock.reading().ahead_micros, None);
    }

    #[test]
    fn what_another_process_saw_is_told_unless_this_one_saw_something_later() {
        let clock = Clock::fixed(START);
        clock.learn_ahead(-9, START.minus(Duration::from_secs(3_600)));
        assert_eq!(clock.reading().ahead_micros, Some(-9));
        clock.learn_ahead(-8, START.minus(Duration::from_secs(7_200)));
        assert_eq!(clock.reading().ahead_micros, Some(-9));
        clock.set_ahead(5);
        clock.learn_ahead(-7, START.minus(Duration::from_secs(1)));
        assert_eq!(clock.reading().ahead_micros, Some(5));
        // Its day is counted from when it was seen, not from when it was learned.
        let other = Clock::fixed(START);
        other.learn_ahead(-9, START.minus(Duration::from_secs(86_399)));
        other.advance(Duration::from_secs(1));
        assert_eq!(other.reading().ahead_micros, None);
    }

    #[test]
    fn since_when_it_is_told_counts_from_the_first_of_answers_that_nearly_agree() {
        let (clock, minute) = (Clock::fixed(START), Duration::from_secs(60));
        assert_eq!(clock.told_ahead(), None);
        clock.set_ahead(-3_600_000_000);
        clock.advance(minute);
        clock.set_ahead(-3_601_000_000);
        assert_eq!(clock.told_ahead(), Some((-3_601_000_000, START)));
        clock.set_ahead(0);
        let later = START.plus(minute);
        assert_eq!(clock.told_ahead(), Some((0, later)));
        // Nobody was told of it while the clock had just been set.
        clock.step(700_000);
        assert_eq!(clock.told_ahead(), None);
        clock.advance(minute * 11);
        let since = clock.told_ahead().unwrap().1;
        assert!(since > later && since < clock.now(), "{since}");
        clock.advance(Duration::from_secs(86_400 - 720 - 300));
        assert!(clock.reading().ahead_micros.is_some());
        assert_eq!(clock.told_ahead(), None, "it is over in a moment");
    }

    #[test]
    fn the_machines_clock_gives_a_reading_without_being_stepped() {
        assert_ne!(Clock::System.reading().state, ClockState::Stepped);
    }
}
