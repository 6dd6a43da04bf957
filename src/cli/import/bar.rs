//! How far a reading is, on a terminal only: a line that is written over.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::app::import::Progress;

const EVERY: Duration = Duration::from_millis(200);
const WIDTH: u64 = 24;

pub struct Bar {
    /// How far it was when this run began, and when.
    begun: Option<(Progress, Instant)>,
    shown: Option<Instant>,
    on: bool,
}

impl Bar {
    pub fn start() -> Self {
        Self {
            begun: None,
            shown: None,
            on: stderr().is_terminal(),
        }
    }

    pub fn show(&mut self, progress: Progress) {
        let (from, at) = self.begun(progress);
        if !self.on || self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let _ = write!(stderr(), "\r{}\x1b[K", line(progress, from, at.elapsed()));
    }

    /// Where this run began: behind the rows that are only passed over.
    fn begun(&mut self, progress: Progress) -> (Progress, Instant) {
        let known = self.begun.filter(|begun| begun.0.rows < progress.rows);
        *self
            .begun
            .insert(known.unwrap_or((progress, Instant::now())))
    }

    /// Leaves an empty line for what follows.
    pub fn end(&self) {
        if self.shown.is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// `[####      ]  40 %  400,000 rows, 50,000 a second, 12 s left`.
fn line(progress: Progress, from: Progress, spent: Duration) -> String {
    let (rows, (done, of)) = (progress.rows, progress.bytes);
    let of = of.max(1);
    let done = done.min(of);
    let millis = u64::try_from(spent.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = rows.saturating_sub(from.rows).saturating_mul(1_000) / millis;
    let now = done.saturating_sub(from.bytes.0);
    let left = u128::from(millis) * u128::from(of - done) / u128::from(now.max(1)) / 1_000;
    let filled = WIDTH * done / of;
    let bar: String = (0..WIDTH)
        .map(|at| if at < filled { '#' } else { ' ' })
        .collect();
    format!(
        "[{bar}] {:3} %  {} rows, {} a second, {left} s left",
        100 * done / of,
        super::words::grouped(rows),
        super::words::grouped(rate)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_goes_on_tells_its_own_speed() {
        let at = |rows, done| Progress {
            rows,
            bytes: (done, 1_000),
        };
        let mut bar = Bar::start();
        // The rows of an earlier run are passed over, at once.
        for done in [100, 300, 500] {
            assert_eq!(bar.begun(at(400_000, done)).0, at(400_000, done));
        }
        let from = bar.begun(at(400_500, 750)).0;
        assert_eq!(from, at(400_000, 500));
        let told = line(at(400_500, 750), from, Duration::from_secs(10));
        assert!(
            told.ends_with("75 %  400,500 rows, 50 a second, 10 s left"),
            "{told}"
        );
    }
}
