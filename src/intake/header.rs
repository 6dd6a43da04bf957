//! What the columns of a file mean, by their names or by what the operator says.

mod names;

use std::fmt;

use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::policy::{SOURCES, Source, TAKE_FILES, takes_file};

/// What a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Email,
    Name,
    FirstName,
    LastName,
    Language,
    Source,
    ObtainedOn,
    /// A piece of proof, by the policy's own name for it.
    Proof(&'static str),
    /// The name of a file that is such a piece of proof.
    File(&'static str),
    /// That the person left, when, or why.
    Left,
    // What another system says of the person's consent.
    OptedInAt,
    OptedInIp,
    ConfirmedAt,
    ConfirmedIp,
    LegalBasis,
    Explanation,
}

const FIELDS: [(&str, Field); 14] = [
    ("email", Field::Email),
    ("name", Field::Name),
    ("first_name", Field::FirstName),
    ("last_name", Field::LastName),
    ("language", Field::Language),
    ("source", Field::Source),
    ("obtained_on", Field::ObtainedOn),
    ("left", Field::Left),
    ("opted_in_at", Field::OptedInAt),
    ("opted_in_ip", Field::OptedInIp),
    ("confirmed_at", Field::ConfirmedAt),
    ("confirmed_ip", Field::ConfirmedIp),
    ("legal_basis", Field::LegalBasis),
    ("explanation", Field::Explanation),
];

impl Field {
    /// A field by its name, or a piece of proof by its key.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix("file.") {
            return proof_key(key).filter(|key| takes_file(key)).map(Self::File);
        }
        let field = FIELDS.iter().find(|(name, _)| *name == text);
        let key = text.strip_prefix("proof.").unwrap_or(text);
        field
            .map(|(_, field)| *field)
            .filter(|_| key == text)
            .or_else(|| proof_key(key).map(Field::Proof))
    }

    /// Whether several columns may hold it, each of which counts.
    const fn holds_several(self) -> bool {
        matches!(self, Self::Left)
    }

    /// All names that [`Field::parse`] knows, for a message.
    pub fn all() -> String {
        let fields: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let mut keys: Vec<&str> = SOURCES
            .iter()
            .flat_map(|row| row.proof)
            .map(|proof| proof.key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        format!(
            "{}; the proof of a source: {}; a file of proof: file.{}; or ignore",
            fields.join(", "),
            keys.join(", "),
            TAKE_FILES.join(", file.")
        )
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Proof(key) = self {
            return write!(f, "proof.{key}");
        }
        if let Self::File(key) = self {
            return write!(f, "file.{key}");
        }
        let found = FIELDS.iter().find(|(_, field)| field == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

fn proof_key(key: &str) -> Option<&'static str> {
    SOURCES
        .iter()
        .find_map(|row| row.key(key))
        .map(|proof| proof.key)
}

/// What the operator says of one column; no field: it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub column: String,
    pub field: Option<Field>,
}

impl Mapping {
    /// Reads `COLUMN=FIELD`; a column's name may hold an equals sign itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (column, field) = text.rsplit_once('=').ok_or("write it as COLUMN=FIELD")?;
        let field = match field.trim() {
            "ignore" => None,
            name => Some(Field::parse(name).ok_or_else(|| {
                format!(
                    "there is no field \"{}\"; there are: {}",
                    name.escape_debug(),
                    Field::all()
                )
            })?),
        };
        Ok(Self {
            column: column.trim().to_owned(),
            field,
        })
    }
}

/// As it is given.
impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{}={field}", self.column),
            None => write!(f, "{}=ignore", self.column),
        }
    }
}

/// Why a header does not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    #[error(
        "no column is known to hold addresses. The columns are: {0}. Say which one with --map COLUMN=email"
    )]
    NoEmail(String),
    #[error("there is no column \"{0}\". The columns are: {1}")]
    NoColumn(String, String),
    #[error("two columns are mapped to {0}")]
    Twice(Field),
    #[error(
        "the first line holds an address, so it is no header. Put a line with the columns' names in front"
    )]
    Headless,
}

/// The columns of a file.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Where each field stands, with the name of its column.
    pub used: Vec<(usize, Field, String)>,
    /// The names of the columns that are left out.
    pub left_out: Vec<String>,
    /// The system that the file was exported from, as far as its columns tell.
    pub system: Option<&'static str>,
}

impl Columns {
    /// Finds what each column means. Of several columns that could hold the same, the first one does; but whatever tells that
    /// the person left counts, for a blank cell in one column says nothing of the others.
    ///
    /// A column that is called like a proof is one only where the source that is claimed takes it, or where the sources come
    /// from a column: "event" in a file of purchases is something else.
    pub fn of(
        header: &[String],
        mappings: &[Mapping],
        source: Option<Source>,
    ) -> Result<Self, HeaderProblem> {
        if header.iter().any(|name| is_address(name)) {
            return Err(HeaderProblem::Headless);
        }
        let mut fields: Vec<Option<Field>> = vec![None; header.len()];
        let mut said = vec![false; header.len()];
        for mapping in mappings {
            let at = find(header, &mapping.column)
                .ok_or_else(|| HeaderProblem::NoColumn(mapping.column.clone(), listed(header)))?;
            if let Some(field) = mapping.field
                && !field.holds_several()
                && fields.contains(&mapping.field)
            {
                return Err(HeaderProblem::Twice(field));
            }
            if let (Some(field), Some(told)) = (fields.get_mut(at), said.get_mut(at)) {
                (*field, *told) = (mapping.field, true);
            }
        }
        guess(header, &mut fields, &said, source);
        if !fields.contains(&Some(Field::Email)) {
            return Err(HeaderProblem::NoEmail(listed(header)));
        }
        let mut columns = Self {
            used: Vec::new(),
            left_out: Vec::new(),
            system: names::system(header),
        };
        for (at, (name, field)) in header.iter().zip(fields).enumerate() {
            match field {
                Some(field) => columns.used.push((at, field, shown(name))),
                None => columns.left_out.push(shown(name)),
            }
        }
        Ok(columns)
    }

    /// Where a field stands.
    pub fn place(&self, field: Field) -> Option<usize> {
        self.places(field).next()
    }

    /// The same of a field that several columns may hold.
    pub fn places(&self, field: Field) -> impl Iterator<Item = usize> {
        let all = self.used.iter().filter(move |(_, used, _)| *used == field);
        all.map(|(at, ..)| *at)
    }
}

fn guess(header: &[String], fields: &mut [Option<Field>], said: &[bool], source: Option<Source>) {
    let has_source_column = fields.contains(&Some(Field::Source))
        || header
            .iter()
            .any(|name| names::field(name) == Some(Field::Source));
    let is_taken = |key: &str| {
        has_source_column || source.is_none_or(|source| source.row().key(key).is_some())
    };
    // The doubtful names for an address come last: "Address" may be a street.
    for find in [
        names::field as fn(&str) -> Option<Field>,
        names::perhaps_email,
    ] {
        for (at, name) in header.iter().enumerate() {
            let field = find(name).filter(|field| match field {
                Field::Proof(key) => is_taken(key),
                _ => true,
            });
            let free = said.get(at) == Some(&false) && fields.get(at) == Some(&None);
            if free
                && field
                    .is_some_and(|field| field.holds_several() || !fields.contains(&Some(field)))
                && let Some(place) = fields.get_mut(at)
            {
                *place = field;
            }
        }
    }
}

/// A column by its name; by its number where none is called so.
fn find(header: &[String], wanted: &str) -> Option<usize> {
    let same = |name: &String| name.trim().to_lowercase() == wanted.trim().to_lowercase();
    header.iter().position(same).or_else(|| {
        let number: usize = wanted.trim().parse().ok()?;
        number.checked_sub(1).filter(|at| *at < header.len())
    })
}

fn is_address(text: &str) -> bool {
    EmailAddress::parse(text, &AddressRules { any_domain: false }).is_ok()
}

/// A column's name in a message: in one line, and not endless.
fn shown(name: &str) -> String {
    let name: String = name.trim().chars().take(60).collect();
    if name.is_empty() {
        "(without a name)".to_owned()
    } else {
        name.escape_debug().to_string()
    }
}

fn listed(header: &[String]) -> String {
    let mut names: Vec<String> = header.iter().take(40).map(|name| shown(name)).collect();
    if header.len() > names.len() {
        names.push(format!("and {} more", header.len() - names.len()));
    }
    names.join(", ")
}
