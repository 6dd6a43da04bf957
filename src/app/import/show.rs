//! Imports as pages show them.

use serde_json::Value;
use uuid::Uuid;

use super::tally::Counts;
use crate::app::App;
use crate::domain::brand::Brand;
use crate::domain::hex::hex;
use crate::domain::ids::{BrandId, ImportId};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::imports::{self, ImportRow};

/// An import with what is told of it.
#[derive(Clone, Debug)]
pub struct ImportTold {
    pub brand: BrandId,
    pub id: ImportId,
    pub name: String,
    pub purpose: String,
    pub file_name: String,
    pub file_sha256: String,
    /// From where the addresses came; none where each row says it.
    pub source: Option<String>,
    /// How the list was read: what was said of it, and its value.
    pub reading: Vec<(&'static str, String)>,
    /// What was brought forward for all rows.
    pub proof: Vec<(String, String)>,
    pub state: String,
    pub rows: u64,
    pub counts: Counts,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl ImportTold {
    fn of(row: ImportRow) -> Self {
        let said: Value = serde_json::from_str(&row.reading).unwrap_or_default();
        let given = said.get("given").unwrap_or(&said);
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Array(items)) if !items.is_empty() => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                Some(items.join(", "))
            }
            _ => None,
        };
        let of_given = |key: &str| text(given.get(key)).filter(|text| text != "[]");
        let reading = [
            ("Encoding", of_given("encoding")),
            ("Delimiter", of_given("delimiter")),
            ("Sheet", of_given("sheet")),
            ("Columns", of_given("map")),
            ("Dates", of_given("dates")),
            ("Language", text(said.get("language"))),
        ];
        let pairs = given.get("proof").and_then(Value::as_array);
        let proof = pairs
            .into_iter()
            .flatten()
            .filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)))
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let day = of_given("obtained_on").map(|day| ("obtained_on".to_owned(), day));
        Self {
            brand: row.brand_id,
            id: row.id,
            name: row.name,
            purpose: row.purpose,
            file_name: row.file_name,
            file_sha256: hex(&row.file_sha256),
            source: of_given("source"),
            reading: reading
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            proof: day.into_iter().chain(proof).collect(),
            state: row.state,
            rows: u64::try_from(row.rows_done).unwrap_or(0),
            counts: Counts::read(&row.counts),
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

impl App {
    /// The imports of a brand behind one, or from the first; the newest come first if `down`.
    pub async fn tell_imports_in_order(
        &self,
        brand: &Brand,
        (after, down): (Option<ImportId>, bool),
        limit: usize,
    ) -> Result<Vec<ImportTold>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        if down {
            let before = after.unwrap_or(ImportId(Uuid::max()));
            return self.tell_imports_before(brand, before, limit).await;
        }
        let after = after.unwrap_or(ImportId(Uuid::nil()));
        let mut conn = self.store.read().await?;
        let rows = imports::list_after(&mut conn, brand.id, after, limit).await?;
        Ok(rows.into_iter().map(ImportTold::of).collect())
    }

    /// The imports of a brand that are older than one, newest first.
    pub async fn tell_imports_before(
        &self,
        brand: &Brand,
        before: ImportId,
        limit: i64,
    ) -> Result<Vec<ImportTold>, StoreError> {
        let mut conn = self.store.read().await?;
        let rows = imports::list_before(&mut conn, brand.id, before, limit).await?;
        Ok(rows.into_iter().map(ImportTold::of).collect())
    }

    pub async fn tell_import(
        &self,
        brand: BrandId,
        id: ImportId,
    ) -> Result<Option<ImportTold>, StoreError> {
        let mut conn = self.store.read().await?;
        let row = imports::find_by_id(&mut conn, brand, id).await?;
        Ok(row.map(ImportTold::of))
    }
}
