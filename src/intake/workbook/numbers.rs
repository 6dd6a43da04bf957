//! Numbers as people see them: days as days, whole numbers without a point.

use std::collections::HashMap;

use super::super::dates::of_serial;
use super::super::limits::STYLES;
use super::super::problem::FileProblem;
use super::directory::Directory;
use super::xml::{Node, Xml, attribute};

/// What a cell's format makes of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Plain,
    /// A day, an instant, or a time of day.
    Time,
    /// So many digits, with zeros in front.
    Padded(usize),
}

/// The shape of each cell format, in the order in which cells name them.
pub fn read_shapes(directory: &Directory, path: &str) -> Result<Vec<Shape>, FileProblem> {
    let mut shapes = Vec::new();
    let Some(mut xml) = Xml::open(directory, path)? else {
        return Ok(shapes);
    };
    let mut codes = HashMap::new();
    let mut within = false;
    loop {
        match xml.next()? {
            Node::Begin { tag, .. } => match tag.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&tag, "numFmtId").unwrap_or_default().into_owned();
                    let code = attribute(&tag, "formatCode").unwrap_or_default();
                    codes.insert(id, shape_of_code(&code));
                }
                "cellXfs" => within = true,
                // The formats of styles and of conditions have the same tags in other places.
                "cellStyleXfs" | "cellStyles" | "dxfs" => within = false,
                "xf" if within => {
                    let id = attribute(&tag, "numFmtId").unwrap_or_default();
                    shapes.push(codes.get(&*id).copied().unwrap_or_else(|| built_in(&id)));
                }
                _ => {}
            },
            Node::Over => return Ok(shapes),
            _ => {}
        }
        if shapes.len() > STYLES || codes.len() > STYLES {
            return Err(FileProblem::TooMuch(
                "it has more formats than a workbook may have",
            ));
        }
    }
}

/// ECMA-376, part 1, section 18.8.30; from 27 to 36 and from 50 to 58 are those of East Asian languages.
fn built_in(id: &str) -> Shape {
    match id.parse() {
        Ok(14..=22 | 27..=36 | 45..=47 | 50..=58) => Shape::Time,
        _ => Shape::Plain,
    }
}

/// A format of one's own. What stands in quotes, in brackets or behind a backslash is shown as it is.
fn shape_of_code(code: &str) -> Shape {
    if !code.is_empty() && code.bytes().all(|byte| byte == b'0') {
        return Shape::Padded(code.len().min(32));
    }
    let mut shown = String::new();
    let mut characters = code.split(';').next().unwrap_or_default().chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => drop(characters.by_ref().find(|c| *c == '"')),
            '[' => {
                let inner: String = characters.by_ref().take_while(|c| *c != ']').collect();
                // [h]:mm counts hours; [Red] and [$-409] colour and speak.
                if matches!(
                    inner.to_lowercase().as_str(),
                    "h" | "hh" | "m" | "mm" | "s" | "ss"
                ) {
                    return Shape::Plain;
                }
            }
            '\\' | '_' | '*' => drop(characters.next()),
            other => shown.push(other.to_ascii_lowercase()),
        }
    }
    let is_time = shown.contains(['y', 'd', 'h', 's']) || shown.contains("mm");
    if is_time && !shown.contains(['0', '#', '?']) {
        Shape::Time
    } else {
        Shape::Plain
    }
}

/// The text of a number.
pub fn text_of(written: &str, shape: Shape, from_1904: bool) -> String {
    let Some(number) = written
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
    else {
        return written.to_owned();
    };
    match shape {
        Shape::Time => time_of(number, from_1904).unwrap_or_else(|| written.to_owned()),
        Shape::Padded(digits) => format!("{number:0digits$.0}"),
        // The shortest text that is this number: 0.1, not 0.10000000000000001.
        Shape::Plain if number.abs() < 1e21 => number.to_string(),
        Shape::Plain => written.to_owned(),
    }
}

fn time_of(number: f64, from_1904: bool) -> Option<String> {
    let (day, seconds) = of_serial(number, from_1904)?;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    Some(match (number < 1.0, seconds) {
        (true, _) => format!("{hour:02}:{minute:02}:{second:02}"),
        (false, 0) => day.to_string(),
        (false, _) => format!("{day} {hour:02}:{minute:02}:{second:02}"),
    })
}
