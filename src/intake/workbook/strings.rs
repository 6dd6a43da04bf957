//! The texts that the cells of a workbook share (ECMA-376, part 1, section 18.4).

use std::borrow::Cow;

use super::super::limits::{CELL_BYTES, SHARED_BYTES, SHARED_IN_MEMORY, SHARED_TEXTS};
use super::super::problem::FileProblem;
use super::directory::Directory;
use super::spill::Spill;
use super::xml::{Node, Xml, unescaped};

/// Places are kept in blocks that never grow, so that no copy doubles the memory.
const BLOCK: usize = 64 * 1_024;
/// In place of a text that is longer than a cell may be, or holds a NUL: no UTF-8.
const LONG: &[u8] = &[0xFF];

const FULL: FileProblem = FileProblem::TooMuch(
    "it holds more text than is read from a workbook; save the sheet as CSV, which may have any size",
);

/// How much is taken, and how much of it into memory.
struct Room {
    in_memory: usize,
    bytes: usize,
    texts: usize,
}

const ROOM: Room = Room {
    in_memory: SHARED_IN_MEMORY,
    bytes: SHARED_BYTES,
    texts: SHARED_TEXTS,
};

/// Texts one behind the other: the first in memory, the others in a file. Each ends where the next one begins.
pub struct Strings {
    room: Room,
    memory: Vec<u8>,
    spill: Option<Spill>,
    begins: Vec<Vec<u32>>,
    count: usize,
    bytes: usize,
}

/// A text that a cell points to.
#[derive(Debug, PartialEq, Eq)]
pub enum Shared<'a> {
    Text(Cow<'a, str>),
    TooLong,
    Missing,
}

impl Default for Strings {
    fn default() -> Self {
        Self::with(ROOM)
    }
}

impl Strings {
    const fn with(room: Room) -> Self {
        Self {
            room,
            memory: Vec::new(),
            spill: None,
            begins: Vec::new(),
            count: 0,
            bytes: 0,
        }
    }

    pub fn read(directory: &Directory, path: &str) -> Result<Self, FileProblem> {
        let mut strings = Self::default();
        let Some(mut xml) = Xml::open(directory, path)? else {
            return Ok(strings);
        };
        let mut text = String::new();
        let mut item = Item::default();
        loop {
            match xml.next()? {
                Node::Begin { tag, empty } => {
                    let name = tag.local_name();
                    if name.as_ref() == "si" {
                        text.clear();
                        if empty {
                            strings.add("")?;
                        } else {
                            item = Item::open();
                        }
                    } else if item.depth > 0 && !empty {
                        item.begin(name.as_ref());
                    }
                }
                Node::End if item.depth > 0 && item.end() => {
                    text = unescaped(text);
                    strings.add(&text)?;
                }
                Node::Text(piece) if item.is_text() && text.len() <= CELL_BYTES => {
                    text.push_str(&piece);
                }
                Node::Over => return Ok(strings),
                _ => {}
            }
        }
    }

    fn add(&mut self, text: &str) -> Result<(), FileProblem> {
        let bytes = if text.len() > CELL_BYTES || text.contains('\0') {
            LONG
        } else {
            text.as_bytes()
        };
        if self.count == self.room.texts || self.bytes + bytes.len() > self.room.bytes {
            return Err(FULL);
        }
        let begin = u32::try_from(self.bytes).map_err(|_| FULL)?;
        if self.count.is_multiple_of(BLOCK) {
            self.begins.push(Vec::with_capacity(BLOCK));
        }
        if let Some(block) = self.begins.last_mut() {
            block.push(begin);
        }
        if self.spill.is_none() && self.memory.len() + bytes.len() > self.room.in_memory {
            self.spill = Some(Spill::new()?);
        }
        match &mut self.spill {
            Some(spill) => spill.add(bytes)?,
            None => {
                // The room is taken once, so that no copy doubles it; what is not written to costs nothing.
                let room = self.room.in_memory - self.memory.len();
                self.memory.reserve_exact(room);
                self.memory.extend_from_slice(bytes);
            }
        }
        self.count += 1;
        self.bytes += bytes.len();
        Ok(())
    }

    fn begin(&self, index: usize) -> Option<usize> {
        let begin = self.begins.get(index / BLOCK)?.get(index % BLOCK)?;
        Some(*begin as usize)
    }

    /// Fails where the temporary file does.
    pub fn get(&mut self, index: usize) -> Result<Shared<'_>, FileProblem> {
        let Some(begin) = self.begin(index) else {
            return Ok(Shared::Missing);
        };
        let end = self.begin(index + 1).unwrap_or(self.bytes);
        let bytes = match &mut self.spill {
            Some(spill) if begin >= self.memory.len() => {
                let before = self.memory.len();
                Cow::Owned(spill.get((begin - before) as u64, (end - before) as u64)?)
            }
            _ => Cow::Borrowed(self.memory.get(begin..end).unwrap_or(LONG)),
        };
        let text = match bytes {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        Ok(text.map_or(Shared::TooLong, Shared::Text))
    }
}

/// Where in a text with parts we are: `t` holds what is read, `rPh` how it is pronounced.
#[derive(Default)]
pub struct Item {
    pub depth: usize,
    text_at: usize,
    aside_at: usize,
}

impl Item {
    /// An item whose own tag is open.
    pub const fn open() -> Self {
        Self {
            depth: 1,
            text_at: 0,
            aside_at: 0,
        }
    }

    pub fn begin(&mut self, name: &str) {
        self.depth += 1;
        match name {
            "t" if self.text_at == 0 => self.text_at = self.depth,
            "rPh" if self.aside_at == 0 => self.aside_at = self.depth,
            _ => {}
        }
    }

    /// Whether the whole item has ended.
    pub const fn end(&mut self) -> bool {
        if self.text_at == self.depth {
            self.text_at = 0;
        }
        if self.aside_at == self.depth {
            self.aside_at = 0;
        }
        self.depth -= 1;
        self.depth == 0
    }

    pub const fn is_text(&self) -> bool {
        self.text_at > 0 && self.aside_at == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Room = Room {
        in_memory: 1_000,
        bytes: 3_000_000,
        texts: 100_000,
    };

    fn text(number: usize) -> String {
        format!("{number}-{}", "ä".repeat(number % 30))
    }

    #[test]
    fn texts_in_memory_and_in_the_file_are_found_again_in_any_order() {
        let mut strings = Strings::with(SMALL);
        let long = "x".repeat(CELL_BYTES + 1);
        let largest = "y".repeat(CELL_BYTES);
        for number in 0..70_000 {
            match number {
                5 | 60_000 => strings.add(&long).unwrap(),
                6 | 60_001 => strings.add("").unwrap(),
                50_000 => strings.add(&largest).unwrap(),
                _ => strings.add(&text(number)).unwrap(),
            }
        }
        assert!(strings.memory.len() <= 1_000);
        let names = strings.spill.as_ref().map(Spill::names);
        assert_eq!(
            names,
            Some(0),
            "nobody sees the file, and nothing stays of it"
        );
        // Forwards, backwards, and far apart in turn.
        let there_and_back = (0..70_000).chain((0..70_000).rev());
        let apart = (0..2_000).flat_map(|number| [number, 69_999 - number * 30]);
        for number in there_and_back.chain(apart) {
            let found = strings.get(number).unwrap();
            match number {
                5 | 60_000 => assert_eq!(found, Shared::TooLong),
                6 | 60_001 => assert_eq!(found, Shared::Text("".into())),
                50_000 => assert_eq!(found, Shared::Text(largest.as_str().into())),
                _ => assert_eq!(found, Shared::Text(text(number).into()), "{number}"),
            }
        }
        assert_eq!(strings.get(70_000).unwrap(), Shared::Missing);
    }

    #[test]
    fn more_texts_or_longer_ones_than_there_is_room_for_are_refused() {
        let mut many = Strings::with(SMALL);
        for _ in 0..100_000 {
            many.add("").unwrap();
        }
        assert!(many.add("").unwrap_err().to_string().contains("CSV"));
        let mut large = Strings::with(SMALL);
        let text = "x".repeat(100_000);
        for _ in 0..30 {
            large.add(&text).unwrap();
        }
        assert!(large.add("x").unwrap_err().to_string().contains("CSV"));
    }
}
