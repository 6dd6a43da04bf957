//! `events/NNNN.json`: one event with its salt and its place in the log, read as plain JSON.

mod members;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::name;
use crate::domain::time::Timestamp;
use crate::ledger::canonical::canonical;
use crate::ledger::commitment::{Salt, commitment};
use crate::ledger::merkle::{Hash, leaf_hash};

/// Objects and lists stand in one another so deep at most, the event itself being the first.
const DEEPEST: usize = 64;
/// The longest event that is read.
pub const EVENT_AT_MOST: usize = 4 << 20;

/// An event as the bundle holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// From 1.
    pub number: usize,
    pub index: u64,
    pub leaf: Hash,
    pub kind: String,
    pub brand: Uuid,
    pub contact: Uuid,
    pub request: Option<Uuid>,
    pub at: Timestamp,
    event: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    event: Value,
    salt: String,
    index: u64,
}

/// Writes the file from an event that is in canonical form already.
pub fn written(canonical: &str, salt: &Salt, index: u64) -> String {
    format!(
        "{{\"event\":{canonical},\"salt\":\"{}\",\"index\":{index}}}\n",
        STANDARD.encode(salt)
    )
}

impl Entry {
    pub fn parse(number: usize, bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > EVENT_AT_MOST {
            return Err("it is longer than 4 MB");
        }
        let file: Written =
            serde_json::from_slice(bytes).map_err(|_| "it is not event, salt and index in JSON")?;
        if !is_flat(&file.event, DEEPEST) {
            return Err("lists and objects stand in one another more than 64 deep");
        }
        let salt = STANDARD
            .decode(&file.salt)
            .ok()
            .and_then(|bytes| Salt::try_from(bytes).ok())
            .ok_or("its salt is not 32 bytes in base64")?;
        let text =
            canonical(&file.event).map_err(|_| "a number in it is no integer of at most 2^53")?;
        if written(&text, &salt, file.index).as_bytes() != bytes {
            return Err("it is not written in the one canonical form");
        }
        let leaf = leaf_hash(&commitment(&salt, text.as_bytes()));
        Self::read(number, file.index, leaf, file.event)
    }

    fn read(number: usize, index: u64, leaf: Hash, event: Value) -> Result<Self, &'static str> {
        let uuid = |name: &str| {
            let text = event.get(name)?.as_str()?;
            let id: Uuid = text.parse().ok()?;
            (id.to_string() == text).then_some(id)
        };
        if uuid("id").is_none() {
            return Err("its id is no UUID");
        }
        if event.get("schema").and_then(Value::as_u64) != Some(1) {
            return Err("its schema is not 1, the only one that this program knows");
        }
        let request = match event.get("request") {
            None => None,
            Some(_) => Some(uuid("request").ok_or("its request is no UUID")?),
        };
        let entry = Self {
            number,
            index,
            leaf,
            kind: event
                .get("kind")
                .and_then(Value::as_str)
                .ok_or("it has no kind")?
                .to_owned(),
            brand: uuid("brand").ok_or("its brand is no UUID")?,
            contact: uuid("contact").ok_or("its contact is no UUID")?,
            request,
            at: instant(event.get("at")).ok_or("its time is not RFC 3339 with microseconds")?,
            event,
        };
        members::check(&entry)?;
        Ok(entry)
    }

    pub fn file(&self) -> String {
        name::event(self.number)
    }

    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    pub fn member(&self, name: &str) -> Option<&Value> {
        self.event.get(name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    pub fn instant(&self, name: &str) -> Option<Timestamp> {
        instant(self.member(name))
    }

    /// How far the clock was ahead of an authority's, in microseconds, where the event tells.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.member("clock")?.get("ahead_micros")?.as_i64()
    }

    /// A list of texts.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.member(name)?
            .as_array()?
            .iter()
            .map(Value::as_str)
            .collect()
    }
}

fn is_flat(value: &Value, levels: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return true,
    };
    levels > 0 && inner.all(|value| is_flat(value, levels - 1))
}

/// A time in the one form that the document names.
fn instant(value: Option<&Value>) -> Option<Timestamp> {
    let text = value?.as_str()?;
    Timestamp::parse(text).filter(|at| at.to_string() == text)
}
