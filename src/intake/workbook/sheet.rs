//! The rows of one sheet (ECMA-376, part 1, sections 18.3.1.4 and 18.3.1.73).

use std::fs::File;
use std::sync::Arc;

use quick_xml::events::BytesStart;

use super::super::limits::{CELL_BYTES, COLUMNS, ROW_BYTES, SHEET_COLUMNS, SHEET_ROWS};
use super::super::problem::{Broken, FileProblem, Flaw};
use super::super::rows::{Row, broken};
use super::directory::Directory;
use super::numbers::{Shape, read_shapes, text_of};
use super::strings::{Item, Shared, Strings};
use super::structure::Structure;
use super::xml::{Node, Xml, attribute, unescaped};

pub struct Sheet {
    xml: Xml,
    strings: Strings,
    shapes: Vec<Shape>,
    from_1904: bool,
    about: String,
    row: u64,
}

/// The cell that is being read.
struct Cell {
    column: usize,
    kind: Kind,
    shape: Shape,
    text: String,
    inline: Item,
    in_value: bool,
}

/// What the text in a cell means.
enum Kind {
    Shared,
    Truth,
    Number,
    Text,
}

/// The row that is being read.
#[derive(Default)]
struct Reading {
    cells: Vec<String>,
    bytes: usize,
    next: usize,
    flaw: Option<Flaw>,
}

const FAR_CELL: FileProblem = FileProblem::TooMuch("a cell lies outside of what a sheet can be");
const NO_SHEET: FileProblem = FileProblem::Damaged("its sheet is not there");

impl Sheet {
    pub fn open(file: Arc<File>, wanted: Option<&str>) -> Result<Self, FileProblem> {
        let directory = Directory::read(file)?;
        let structure = Structure::read(&directory)?;
        let (name, path) = structure.sheet(wanted)?;
        let shown = name.escape_debug();
        let others = structure.sheets.len() - 1;
        let about = match others {
            0 => format!("XLSX, sheet \"{shown}\""),
            _ => format!("XLSX, sheet \"{shown}\" ({others} more: --sheet NAME)"),
        };
        let strings = match &structure.strings {
            Some(path) => Strings::read(&directory, path)?,
            None => Strings::default(),
        };
        let shapes = match &structure.styles {
            Some(path) => read_shapes(&directory, path)?,
            None => Vec::new(),
        };
        Ok(Self {
            xml: Xml::open(&directory, path)?.ok_or(NO_SHEET)?,
            strings,
            shapes,
            from_1904: structure.from_1904,
            about,
            row: 0,
        })
    }

    pub fn about(&self) -> &str {
        &self.about
    }

    pub fn progress(&self) -> (u64, u64) {
        self.xml.progress()
    }

    pub fn next_row(&mut self) -> Result<Option<Result<Row, Broken>>, FileProblem> {
        loop {
            match self.xml.next()? {
                Node::Begin { tag, empty } if tag.local_name().as_ref() == "row" => {
                    self.row = number_of(&tag, self.row)?;
                    if !empty {
                        return self.cells().map(Some);
                    }
                }
                Node::Over => return Ok(None),
                _ => {}
            }
        }
    }

    fn cells(&mut self) -> Result<Result<Row, Broken>, FileProblem> {
        let mut reading = Reading::default();
        let mut cell: Option<Cell> = None;
        loop {
            match self.xml.next()? {
                Node::Begin { tag, empty } => match &mut cell {
                    None if tag.local_name().as_ref() == "c" => {
                        let begun = begin(&tag, &self.shapes, &mut reading)?;
                        cell = (!empty).then_some(begun);
                    }
                    Some(cell) if !empty => cell.begin(tag.local_name().as_ref()),
                    _ if empty => {}
                    _ => return Err(FileProblem::Damaged("a row holds what is no cell")),
                },
                Node::Text(text) => {
                    if let Some(cell) = &mut cell {
                        cell.add(&text);
                    }
                }
                Node::End => match cell.take() {
                    None => break,
                    Some(mut open) => {
                        if open.inline.end() {
                            self.finish(open, &mut reading)?;
                        } else {
                            cell = Some(open.left());
                        }
                    }
                },
                Node::Aside => {}
                Node::Over => return Err(FileProblem::Damaged("its sheet ends too early")),
            }
        }
        Ok(match reading.flaw {
            Some(flaw) => Err(broken(self.row, flaw)),
            None => Ok(Row {
                line: self.row,
                cells: reading.cells,
            }),
        })
    }

    fn finish(&mut self, cell: Cell, reading: &mut Reading) -> Result<(), FileProblem> {
        if cell.text.len() > CELL_BYTES {
            reading.flaw = Some(Flaw::LongCell);
            return Ok(());
        }
        let text = match cell.kind {
            Kind::Shared if cell.text.is_empty() => return Ok(()),
            Kind::Shared => {
                let shared = match cell.text.trim().parse() {
                    Ok(index) => self.strings.get(index)?,
                    Err(_) => Shared::Missing,
                };
                match shared {
                    Shared::Text(text) => text.into_owned(),
                    Shared::TooLong => {
                        reading.flaw = Some(Flaw::LongCell);
                        return Ok(());
                    }
                    Shared::Missing => {
                        reading.flaw = Some(Flaw::NoText);
                        return Ok(());
                    }
                }
            }
            Kind::Truth if cell.text == "1" => "TRUE".to_owned(),
            Kind::Truth => "FALSE".to_owned(),
            Kind::Number if cell.text.is_empty() => return Ok(()),
            Kind::Number => text_of(&cell.text, cell.shape, self.from_1904),
            Kind::Text => unescaped(cell.text),
        };
        reading.put(cell.column, text);
        Ok(())
    }
}

impl Reading {
    fn put(&mut self, column: usize, text: String) {
        if text.is_empty() {
            return;
        }
        self.bytes += text.len();
        if column >= COLUMNS {
            self.flaw = Some(Flaw::ManyCells);
        } else if self.bytes > ROW_BYTES {
            self.flaw = Some(Flaw::LongRow);
        } else {
            if self.cells.len() <= column {
                self.cells.resize_with(column + 1, String::new);
            }
            if let Some(cell) = self.cells.get_mut(column) {
                *cell = text;
            }
        }
    }
}

impl Cell {
    /// The value stands in `v`, a text of the cell's own in `is`; a formula, in `f`, is not asked.
    fn begin(&mut self, name: &str) {
        self.inline.begin(name);
        self.in_value |= name == "v";
    }

    fn left(mut self) -> Self {
        self.in_value &= self.inline.depth > 1;
        self
    }

    fn add(&mut self, text: &str) {
        // One more byte than allowed is enough to know.
        if (self.in_value || self.inline.is_text()) && self.text.len() <= CELL_BYTES {
            self.text.push_str(text);
        }
    }
}

fn begin(
    tag: &BytesStart<'_>,
    shapes: &[Shape],
    reading: &mut Reading,
) -> Result<Cell, FileProblem> {
    let column = match attribute(tag, "r") {
        Some(name) => column_of(&name).ok_or(FAR_CELL)?,
        None => reading.next,
    };
    if column >= SHEET_COLUMNS {
        return Err(FAR_CELL);
    }
    reading.next = column + 1;
    let kind = match attribute(tag, "t").as_deref() {
        Some("s") => Kind::Shared,
        Some("b") => Kind::Truth,
        None | Some("n") => Kind::Number,
        Some(_) => Kind::Text,
    };
    let style = attribute(tag, "s").and_then(|style| style.parse::<usize>().ok());
    let shape = style.and_then(|style| shapes.get(style)).copied();
    Ok(Cell {
        column,
        kind,
        shape: shape.unwrap_or(Shape::Plain),
        text: String::new(),
        inline: Item::open(),
        in_value: false,
    })
}

/// The number of a row; without one it is the next. Rows come in their order.
fn number_of(tag: &BytesStart<'_>, before: u64) -> Result<u64, FileProblem> {
    let number = match attribute(tag, "r") {
        Some(number) => number.parse().map_err(|_| FAR_CELL)?,
        None => before + 1,
    };
    if number > SHEET_ROWS {
        return Err(FAR_CELL);
    }
    if number <= before {
        return Err(FileProblem::Damaged("its rows are not in their order"));
    }
    Ok(number)
}

/// The column of a cell's name, from 0: that of `AA12` is 26.
fn column_of(name: &str) -> Option<usize> {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic);
    let mut column = 0;
    for letter in letters {
        column = column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        if column > SHEET_COLUMNS {
            return None;
        }
    }
    column.checked_sub(1)
}
