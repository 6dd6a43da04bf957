//! XML as a stream of tags and texts, with bounds on length and depth, and without document types or entities of its own.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::super::limits::XML_DEPTH;
use super::super::problem::FileProblem;
use super::directory::Directory;
use super::part::Part;

pub struct Xml {
    reader: Reader<Part>,
    buffer: Vec<u8>,
    depth: usize,
}

/// What comes next in a document.
pub enum Node<'a> {
    /// A tag; an empty one has no end of its own.
    Begin {
        tag: BytesStart<'a>,
        empty: bool,
    },
    End,
    Text(Cow<'a, str>),
    /// Nothing that matters.
    Aside,
    Over,
}

impl Xml {
    pub fn open(directory: &Directory, path: &str) -> Result<Option<Self>, FileProblem> {
        Ok(Part::open(directory, path)?.map(|part| {
            let mut reader = Reader::from_reader(part);
            // Not needed to find cells, and each costs time.
            reader.config_mut().check_end_names = false;
            Self {
                reader,
                buffer: Vec::new(),
                depth: 0,
            }
        }))
    }

    pub fn progress(&self) -> (u64, u64) {
        self.reader.get_ref().progress()
    }

    pub fn next(&mut self) -> Result<Node<'_>, FileProblem> {
        self.buffer.clear();
        self.reader.get_mut().begin_piece();
        // Asked before the event borrows the reader's buffer.
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => return Err(failed(self.reader.get_ref(), &error)),
        };
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                if self.depth > XML_DEPTH {
                    return Err(FileProblem::TooMuch("its tags are nested too deeply"));
                }
                Ok(Node::Begin { tag, empty: false })
            }
            Event::Empty(tag) => Ok(Node::Begin { tag, empty: true }),
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Node::End)
            }
            Event::Text(text) => Ok(Node::Text(text.into_inner())),
            Event::CData(text) => Ok(Node::Text(text.into_inner())),
            Event::GeneralRef(reference) => Ok(Node::Text(resolved(&reference)?)),
            Event::DocType(_) => Err(FileProblem::TooMuch("it declares a type of document")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Ok(Node::Aside),
            Event::Eof if self.depth > 0 => Err(CUT_OFF),
            Event::Eof => Ok(Node::Over),
        }
    }
}

const CUT_OFF: FileProblem = FileProblem::Damaged("a file in it ends too early");

fn failed(part: &Part, error: &quick_xml::Error) -> FileProblem {
    match (part.refused(), error) {
        (Some(why), _) => FileProblem::TooMuch(why),
        (None, quick_xml::Error::Io(_)) => FileProblem::Damaged("a file in it cannot be unpacked"),
        (None, _) => FileProblem::Damaged("a file in it is no XML"),
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, FileProblem> {
    let predefined = match &**reference {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => {
            let unknown = FileProblem::Damaged("it refers to a character that there is not");
            let character = reference.resolve_char_ref().ok().flatten();
            return character.map(|c| c.to_string().into()).ok_or(unknown);
        }
    };
    Ok(predefined.into())
}

/// The value of an attribute, by its local name.
pub fn attribute<'a>(tag: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    let mut attributes = tag.attributes();
    attributes
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| {
            attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .ok()
        })
}

/// The characters that a sheet writes as `_x000D_` (ECMA-376, part 1, section 22.9.2.19).
pub fn unescaped(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let hex = from.get(2..6).filter(|_| from.get(6..7) == Some("_"));
        let character = hex
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32);
        match character {
            Some(character) => plain.push(character),
            None => plain.push_str("_x"),
        }
        rest = from
            .get(if character.is_some() { 7 } else { 2 }..)
            .unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}
