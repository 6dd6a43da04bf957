//! How far a reading is, on a terminal only: a line that is written over.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::app::import::Progress;

const EVERY: Duration = Duration::from_millis(200);
const WIDTH: u64 = 24;

pub struct Bar {
    started: Instant,
    shown: Option<Instant>,
    on: bool,
}

impl Bar {
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            shown: None,
            on: stderr().is_terminal(),
        }
    }

    pub fn show(&mut self, progress: Progress) {
        if !self.on || self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let _ = write!(
            stderr(),
            "\r{}\x1b[K",
            line(progress.rows, progress.bytes, self.started.elapsed())
        );
    }

    /// Leaves an empty line for what follows.
    pub fn end(&self) {
        if self.shown.is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// `[####      ]  40 %  400,000 rows, 50,000 a second, 12 s left`.
fn line(rows: u64, (done, of): (u64, u64), spent: Duration) -> String {
    let of = of.max(1);
    let done = done.min(of);
    let millis = u64::try_from(spent.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = rows.saturating_mul(1_000) / millis;
    let left = u128::from(millis) * u128::from(of - done) / u128::from(done.max(1)) / 1_000;
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
