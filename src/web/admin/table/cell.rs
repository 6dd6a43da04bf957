//! What stands in a table: shown in a page, and written into a file.

use crate::domain::time::Timestamp;

/// Bytes of a text from which it is long.
const LONG: usize = 60;

/// One cell.
#[derive(Clone, Debug)]
pub enum Cell {
    Text(String),
    Number(i64),
    /// Shown relative to now, with the exact time on hover, in print and in the CSV.
    Time(Timestamp),
    /// A word with a tone: `good`, `bad`, `wait` or `plain`.
    State(String, &'static str),
    Link(String, String),
    /// A name or a hash, in letters of one width.
    Code(String),
    /// A text with more behind it, a line each, which a press unfolds.
    Folded(String, Vec<String>),
    /// Several texts, one below the other.
    Lines(Vec<String>),
    /// Links side by side; a file has where they lead.
    Links(Vec<(&'static str, String)>),
    /// A chart, as SVG that `chart` drew; it stands in no file.
    Drawn(String),
    /// A button; it stands in no file.
    Act(Act),
    None,
}

/// A button in a table: a form with one hidden field.
#[derive(Clone, Debug)]
pub struct Act {
    pub label: &'static str,
    /// What a screen reader says behind the label.
    pub about: String,
    pub action: String,
    pub name: &'static str,
    pub value: String,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn link(text: impl Into<String>, path: impl Into<String>) -> Self {
        Self::Link(text.into(), path.into())
    }

    pub fn time(at: Option<Timestamp>) -> Self {
        at.map_or(Self::None, Self::Time)
    }

    /// As it stands in a CSV, and as it is searched.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::State(text, _) | Self::Link(text, _) | Self::Code(text) => {
                text.clone()
            }
            Self::Number(number) => number.to_string(),
            Self::Time(at) => at.to_string(),
            Self::Folded(text, lines) if lines.is_empty() => text.clone(),
            Self::Folded(_, lines) | Self::Lines(lines) => lines.join(" | "),
            Self::Links(links) => {
                let paths: Vec<&str> = links.iter().map(|link| link.1.as_str()).collect();
                paths.join(" ")
            }
            Self::Drawn(_) | Self::Act(_) | Self::None => String::new(),
        }
    }

    /// Whether it says something only on a page: nothing is sorted by it, and no file has it.
    pub const fn is_for_pages(&self) -> bool {
        matches!(self, Self::Drawn(_) | Self::Act(_))
    }

    /// Whether it is a sentence or more, which a narrow column would make very high.
    pub const fn is_long(&self) -> bool {
        matches!(self, Self::Text(text) if text.len() > LONG)
    }

    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }
}
