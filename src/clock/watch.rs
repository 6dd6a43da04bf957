//! Whether the machine's clock can be relied on: was it set lately, and does it follow a time server?
//!
//! The kernel knows the second (`adjtimex`, `STA_UNSYNC`), but asking it needs a foreign function, and this program has no
//! unsafe code. So the time services are asked, by the files that they leave:
//!
//! - systemd-timesyncd touches `/run/systemd/timesync/synchronized` at each answer of its server, every 34 minutes at the
//!   longest. Its folder without that file tells that it runs and has had no answer since the machine started.
//! - chrony and ntpd (also ntpsec) write their drift file about every hour while they follow a server.
//!
//! A file that is older than three hours counts for nothing: a service that stopped, or lost its server. Where none of these
//! is to be seen, as in most containers, and with other services, the state is `unknown`; it is never guessed.

use std::path::Path;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use super::Clock;
use crate::domain::event::ClockState;

/// A clock set by more than this is stepped: 0.5 s. Slewing, which is how time services correct a running clock, moves the
/// monotonic clock along and never shows here.
const STEP: u64 = 500_000;

/// For this long a step is told of, and so long small ones add up.
const REMEMBERED: i64 = 600_000_000;

/// Two clocks are read within this time of each other, or not compared.
const HELD_UP: Duration = Duration::from_millis(100);

/// What the operating system says is asked this often at most.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A time service's file that is older says nothing.
const FRESH_FOR: Duration = Duration::from_secs(3 * 3_600);

const TIMESYNCD_FOLDER: &str = "/run/systemd/timesync";
const TIMESYNCD_FILE: &str = "/run/systemd/timesync/synchronized";
const DRIFT_FILES: [&str; 4] = [
    "/var/lib/chrony/chrony.drift",
    "/var/lib/chrony/drift",
    "/var/lib/ntpsec/ntp.drift",
    "/var/lib/ntp/ntp.drift",
];

/// Compares a wall clock with a monotonic one, both in microseconds.
#[derive(Debug, Default)]
pub(super) struct StepWatch {
    /// How far the wall clock was ahead of the monotonic one, and when (monotonic) that was taken down.
    reference: Option<(i64, i64)>,
    stepped_at: Option<i64>,
}

impl StepWatch {
    /// Whether the wall clock was set within the last ten minutes, as far as can be seen from the looks at it: a step between
    /// two looks is taken to have been at the later one. A machine that slept looks stepped too, since its monotonic clock
    /// stood still; that is one more reason not to rely on the times around.
    pub(super) fn look(&mut self, wall: i64, monotonic: i64) -> bool {
        let ahead = wall.saturating_sub(monotonic);
        let (reference, taken_at) = *self.reference.get_or_insert((ahead, monotonic));
        if ahead.abs_diff(reference) > STEP {
            self.stepped_at = Some(monotonic);
            self.reference = Some((ahead, monotonic));
        } else if monotonic.saturating_sub(taken_at) > REMEMBERED {
            self.reference = Some((ahead, monotonic));
        }
        self.stepped_at = self
            .stepped_at
            .filter(|at| monotonic.saturating_sub(*at) <= REMEMBERED);
        self.stepped_at.is_some()
    }
}

struct Machine {
    began: Instant,
    steps: StepWatch,
    stepped: bool,
    asked_at: Option<Instant>,
    said: ClockState,
}

/// One for the process: all clocks that tell the machine's time tell the same.
static MACHINE: LazyLock<Mutex<Machine>> = LazyLock::new(|| {
    Mutex::new(Machine {
        began: Instant::now(),
        steps: StepWatch::default(),
        stepped: false,
        asked_at: None,
        said: ClockState::Unknown,
    })
});

/// The state of the clock that the machine shows.
pub(super) fn of_the_machine() -> ClockState {
    let mut machine = MACHINE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let before = Instant::now();
    let wall = Clock::System.now();
    let now = Instant::now();
    // A thread that was held up between the two clocks would see a step that never was.
    if now.duration_since(before) < HELD_UP {
        let monotonic = now.duration_since(machine.began).as_micros();
        let monotonic = i64::try_from(monotonic).unwrap_or(i64::MAX);
        machine.stepped = machine.steps.look(wall.micros(), monotonic);
    }
    if machine
        .asked_at
        .is_none_or(|at| now.duration_since(at) >= ASK_EVERY)
    {
        machine.asked_at = Some(now);
        machine.said = said_by(
            Path::new(TIMESYNCD_FOLDER).is_dir(),
            age(TIMESYNCD_FILE),
            DRIFT_FILES.into_iter().filter_map(age).min(),
        );
    }
    if machine.stepped {
        ClockState::Stepped
    } else {
        machine.said
    }
}

/// How long ago a file was written; a time in the future, left by a clock that was ahead, is as good as now.
fn age(path: &str) -> Option<Duration> {
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    Some(written.elapsed().unwrap_or_default())
}

/// What the files of time services say together.
fn said_by(
    timesyncd_runs: bool,
    timesyncd: Option<Duration>,
    drift: Option<Duration>,
) -> ClockState {
    let fresh = |age: Option<Duration>| age.is_some_and(|age| age <= FRESH_FOR);
    if fresh(timesyncd) || fresh(drift) {
        ClockState::Synchronised
    } else if timesyncd_runs {
        ClockState::Unsynchronised
    } else {
        ClockState::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Option<Duration> = Some(Duration::from_secs(3_600));
    const DAY: Option<Duration> = Some(Duration::from_secs(86_400));

    #[test]
    fn a_fresh_file_of_any_time_service_makes_the_clock_synchronised() {
        assert_eq!(said_by(true, HOUR, None), ClockState::Synchronised);
        assert_eq!(said_by(false, None, HOUR), ClockState::Synchronised);
    }

    #[test]
    fn a_service_without_an_answer_is_unsynchronised_and_no_service_is_unknown() {
        assert_eq!(said_by(true, None, None), ClockState::Unsynchronised);
        assert_eq!(said_by(true, DAY, DAY), ClockState::Unsynchronised);
        assert_eq!(said_by(false, None, DAY), ClockState::Unknown);
        assert_eq!(said_by(false, None, None), ClockState::Unknown);
    }
}
