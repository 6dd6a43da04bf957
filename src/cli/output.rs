//! Standard output. A reader that leaves early, such as `head`, is no fault: the command goes on with its work and what it
//! says goes nowhere. Any other fault, such as a full disk, is told at the end.

use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write, stdout};
use std::sync::{Mutex, PoisonError};

static FAULT: Mutex<Option<Error>> = Mutex::new(None);

/// In place of the standard library's, which panics when the reader has left.
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::output::write(format_args!($($text)*)) };
}

/// As [`print!`], with an end of line.
macro_rules! println {
    ($($text:tt)*) => { $crate::cli::output::write(format_args!("{}\n", format_args!($($text)*))) };
}

pub fn write(text: Arguments<'_>) {
    keep(stdout().write_fmt(text));
}

/// Writes out what is buffered; fails if anything could not be written although somebody reads.
pub fn end() -> Result<(), Error> {
    keep(stdout().flush());
    let fault = FAULT.lock().unwrap_or_else(PoisonError::into_inner).take();
    fault.map_or(Ok(()), Err)
}

fn keep(result: Result<(), Error>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        FAULT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }
}
