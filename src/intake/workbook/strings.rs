//! The texts that the cells of a workbook share (ECMA-376, part 1, section 18.4).

use super::super::limits::{CELL_BYTES, SHARED_BYTES, SHARED_TEXTS};
use super::super::problem::FileProblem;
use super::directory::Directory;
use super::xml::{Node, Xml, unescaped};

/// Texts are laid into blocks that never grow, so that no copy doubles the memory.
const BLOCK: usize = 1_024 * 1_024;
/// In place of a text that is longer than a cell may be.
const LONG: u32 = u32::MAX;

#[derive(Default)]
pub struct Strings {
    blocks: Vec<String>,
    /// Where each begins: its block times the block's size, and its place in it. It ends at a NUL, which XML cannot hold.
    begins: Vec<u32>,
    bytes: usize,
}

/// A text that a cell points to.
pub enum Shared<'a> {
    Text(&'a str),
    TooLong,
    Missing,
}

impl Strings {
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
        const FULL: FileProblem = FileProblem::TooMuch(
            "it holds more text than is read from a workbook; save the sheet as CSV, which may have any size",
        );
        if self.begins.len() == SHARED_TEXTS {
            return Err(FULL);
        }
        if text.len() > CELL_BYTES || text.contains('\0') {
            self.begins.push(LONG);
            return Ok(());
        }
        let room = self
            .blocks
            .last()
            .map_or(0, |block| block.capacity() - block.len());
        if room <= text.len() {
            self.bytes += BLOCK;
            if self.bytes > SHARED_BYTES {
                return Err(FULL);
            }
            self.blocks.push(String::with_capacity(BLOCK));
        }
        let number = self.blocks.len().saturating_sub(1);
        if let Some(block) = self.blocks.last_mut() {
            let begin = number * BLOCK + block.len();
            self.begins.push(u32::try_from(begin).unwrap_or(LONG));
            block.push_str(text);
            block.push('\0');
        }
        Ok(())
    }

    pub fn get(&self, index: usize) -> Shared<'_> {
        let Some(begin) = self.begins.get(index).copied() else {
            return Shared::Missing;
        };
        let begin = begin as usize;
        self.blocks
            .get(begin / BLOCK)
            .and_then(|block| block.get(begin % BLOCK..))
            .and_then(|rest| rest.split('\0').next())
            .map_or(Shared::TooLong, Shared::Text)
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
