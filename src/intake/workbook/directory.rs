//! The list of files at the end of a ZIP (APPNOTE 6.3.10, sections 4.3.12 and 4.3.16).

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::super::limits::{DIRECTORY_BYTES, PARTS};
use super::super::problem::FileProblem;

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
/// A comment behind the end has a length of two bytes.
const LONGEST_END: u64 = END_BYTES as u64 + 0xFFFF;

const CUT_OFF: FileProblem =
    FileProblem::Damaged("its list of files is not at its end; was it cut off?");
const BROKEN: FileProblem = FileProblem::Damaged("its list of files is broken");

/// One file within.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub deflated: bool,
    pub packed: u64,
    pub begin: u64,
}

pub struct Directory {
    pub file: Arc<File>,
    entries: HashMap<String, Entry>,
}

/// Numbers of a record, read from left to right.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        let taken = self.bytes(bytes)?;
        Some(
            taken
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    }

    fn short(&mut self) -> Option<usize> {
        self.number(2)
            .and_then(|number| usize::try_from(number).ok())
    }
}

impl Directory {
    pub fn read(file: Arc<File>) -> Result<Self, FileProblem> {
        let size = file.metadata()?.len();
        let mut tail = vec![0; usize::try_from(size.min(LONGEST_END)).unwrap_or_default()];
        let from = size - tail.len() as u64;
        file.read_exact_at(&mut tail, from)?;
        let (count, bytes, begin) = end(&tail).ok_or(CUT_OFF)?;
        if count > PARTS || bytes > DIRECTORY_BYTES {
            return Err(FileProblem::TooMuch(
                "it holds more files than a workbook has",
            ));
        }
        let mut list = vec![0; usize::try_from(bytes).unwrap_or_default()];
        file.read_exact_at(&mut list, begin).map_err(|_| CUT_OFF)?;
        let mut entries = HashMap::new();
        let mut fields = Fields(&list);
        for _ in 0..count {
            let (name, entry) = entry(&mut fields).ok_or(BROKEN)??;
            if entries.insert(name, entry).is_some() {
                return Err(FileProblem::Damaged("it holds a file twice"));
            }
        }
        Ok(Self { file, entries })
    }

    /// A file within, by its path; letters of either case are the same (ECMA-376, part 2, section 7.3.4).
    pub fn find(&self, path: &str) -> Option<Entry> {
        self.entries
            .get(&path.trim_start_matches('/').to_lowercase())
            .copied()
    }
}

/// Number of files, bytes of their list, and where it begins.
fn end(tail: &[u8]) -> Option<(usize, u64, u64)> {
    let last = tail.len().checked_sub(END_BYTES)?;
    (0..=last).rev().find_map(|at| {
        let mut fields = Fields(tail.get(at..)?.strip_prefix(END)?);
        fields.bytes(6)?;
        let count = fields.short()?;
        let (bytes, begin) = (fields.number(4)?, fields.number(4)?);
        let comment = fields.short()?;
        (fields.0.len() == comment).then_some((count, bytes, begin))
    })
}

fn entry(fields: &mut Fields<'_>) -> Option<Result<(String, Entry), FileProblem>> {
    if fields.bytes(4)? != b"PK\x01\x02" {
        return None;
    }
    fields.bytes(4)?;
    let flags = fields.number(2)?;
    let method = fields.number(2)?;
    fields.bytes(8)?;
    let (packed, plain) = (fields.number(4)?, fields.number(4)?);
    let (name, extra, comment) = (fields.short()?, fields.short()?, fields.short()?);
    fields.bytes(8)?;
    let begin = fields.number(4)?;
    let name = String::from_utf8_lossy(fields.bytes(name)?).to_lowercase();
    let extra = fields.bytes(extra)?;
    fields.bytes(comment)?;
    if flags & 1 == 1 {
        let says = "this workbook is protected by a password; save it without one";
        return Some(Err(FileProblem::OtherKind(says)));
    }
    if !matches!(method, 0 | 8) {
        return Some(Err(FileProblem::Damaged(
            "a file in it is packed in an unknown way",
        )));
    }
    let (packed, begin) = large(extra, plain, packed, begin)?;
    let entry = Entry {
        deflated: method == 8,
        packed,
        begin,
    };
    Some(Ok((name.trim_start_matches('/').to_owned(), entry)))
}

/// Sizes that do not fit into four bytes stand in an extra field (section 4.5.3), in this order and only where needed.
fn large(extra: &[u8], plain: u64, packed: u64, begin: u64) -> Option<(u64, u64)> {
    const ELSEWHERE: u64 = 0xFFFF_FFFF;
    if plain != ELSEWHERE && packed != ELSEWHERE && begin != ELSEWHERE {
        return Some((packed, begin));
    }
    let mut fields = Fields(extra);
    loop {
        let id = fields.number(2)?;
        let length = fields.short()?;
        let mut inner = Fields(fields.bytes(length)?);
        if id != 1 {
            continue;
        }
        if plain == ELSEWHERE {
            inner.number(8)?;
        }
        let packed = if packed == ELSEWHERE {
            inner.number(8)?
        } else {
            packed
        };
        let begin = if begin == ELSEWHERE {
            inner.number(8)?
        } else {
            begin
        };
        return Some((packed, begin));
    }
}
