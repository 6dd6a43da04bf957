//! Where a mail ends, and how long it is.

use std::io::BufRead as _;

/// Splits off the bytes up to and with the next line feed, or all.
pub(super) fn through_line_feed<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let all = *bytes;
    // Skipping within a slice is the standard library's way to memchr, and cannot fail.
    let length = bytes.skip_until(b'\n').unwrap_or(all.len());
    &all[..length]
}

/// Finds the end of a mail, which may be cut by reads at any byte.
#[derive(Default)]
pub(super) struct Body {
    size: u64,
    last: Last,
}

/// Only CR LF ends a line: a bare line feed before a dot would let one mail smuggle in another.
#[derive(Clone, Copy, Default)]
enum Last {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Inside,
    Cr,
}

impl Body {
    /// Takes bytes up to the end of the mail and gives its size then.
    pub(super) fn scan(&mut self, bytes: &mut &[u8]) -> Option<u64> {
        while let Some((&first, rest)) = bytes.split_first() {
            let next = match (self.last, first) {
                (Last::LineStart, b'.') => Last::Dot,
                (Last::Dot, b'\r') => Last::DotCr,
                (Last::DotCr, b'\n') => {
                    *bytes = rest;
                    // Of the last line, the dot and the CR have been counted.
                    return Some(self.size - 2);
                }
                (last, _) => {
                    if matches!(last, Last::Dot | Last::DotCr) {
                        // RFC 5321, section 4.5.2: a dot before other text was added by the sender.
                        self.size -= 1;
                    }
                    let after_cr = matches!(last, Last::Cr | Last::DotCr);
                    self.scan_line(after_cr, bytes);
                    continue;
                }
            };
            self.last = next;
            self.size += 1;
            *bytes = rest;
        }
        None
    }

    fn scan_line(&mut self, after_cr: bool, bytes: &mut &[u8]) {
        let line = through_line_feed(bytes);
        self.size += line.len() as u64;
        self.last = match line {
            [.., b'\r', b'\n'] => Last::LineStart,
            [b'\n'] if after_cr => Last::LineStart,
            [.., b'\r'] => Last::Cr,
            _ => Last::Inside,
        };
    }
}
