//! Which encoding a text is in: by its mark, by its zeros, or by whether it is valid.

use std::fs::File;
use std::io::{Read, Seek};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::super::problem::FileProblem;

const PIECE: usize = 64 * 1_024;

/// Reads the file once and goes back to its beginning.
///
/// What is not UTF-8 is taken for Windows-1252, which has all of Latin-1. A text with more letters that are valid UTF-8 than
/// bytes that are not is a UTF-8 text with a fault in it: its other lines must not suffer.
pub fn find(file: &mut File) -> Result<&'static Encoding, FileProblem> {
    let mut head = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut head)?;
    file.rewind()?;
    if let Some((encoding, _)) = Encoding::for_bom(&head) {
        return Ok(encoding);
    }
    if let Some(encoding) = by_zeros(&head) {
        return Ok(encoding);
    }
    let (letters, faults) = count(file)?;
    file.rewind()?;
    Ok(if faults == 0 || letters > faults {
        UTF_8
    } else {
        WINDOWS_1252
    })
}

/// Text of mostly Latin letters in UTF-16 has a zero in every other byte.
fn by_zeros(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |first: usize| {
        head.iter()
            .skip(first)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    let most = |count: usize| pairs > 1 && count * 10 > pairs * 4;
    match (most(even), most(odd)) {
        (false, true) if even * 20 <= pairs => Some(UTF_16LE),
        (true, false) if odd * 20 <= pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// How many letters beyond ASCII are valid UTF-8, and how many faults there are.
fn count(file: &mut File) -> Result<(u64, u64), FileProblem> {
    let (mut letters, mut faults) = (0, 0);
    let mut bytes = Vec::new();
    loop {
        let read = file.take(PIECE as u64).read_to_end(&mut bytes)?;
        let mut left = 0;
        for chunk in bytes.utf8_chunks() {
            letters += chunk.valid().bytes().filter(|byte| *byte >= 0xC0).count() as u64;
            left = chunk.invalid().len();
            faults += u64::from(left > 0);
        }
        if read == 0 {
            return Ok((letters, faults));
        }
        // A letter may be cut off at the end of the piece: it is looked at again with the next one.
        let cut = bytes.len() - left;
        if left > 0
            && bytes
                .utf8_chunks()
                .last()
                .is_some_and(|last| !last.invalid().is_empty())
        {
            faults -= 1;
            bytes.drain(..cut);
        } else {
            bytes.clear();
        }
    }
}
