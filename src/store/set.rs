//! Set-based statements: one statement for a whole batch, with one SQL text for both engines.
//!
//! The text says `from r`, and `r` is put in front of it as a common table expression: on PostgreSQL from one array per
//! column (`unnest`), on SQLite from a list of rows. SQLite prepares a statement per number of rows, so a batch is
//! filled up with empty rows to the next power of two; the text leaves them out (`where r.… is not null`).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex};

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::{Conn, Driver, StoreError};

/// Rows of one statement; SQLite takes 32,766 parameters at most.
pub const ROWS_AT_MOST: usize = 1_024;

enum Column {
    Uuid(Vec<Option<Uuid>>),
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Blob(Vec<Option<Vec<u8>>>),
}

impl Column {
    const fn postgres_type(&self) -> &'static str {
        match self {
            Self::Uuid(_) => "uuid",
            Self::Int(_) => "bigint",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytea",
        }
    }
}

/// The rows of a batch, column by column.
pub struct Rows<'a, T> {
    items: &'a [T],
    table: Table,
}

/// Rows that have been taken apart.
#[derive(Default)]
struct Table {
    count: usize,
    names: Vec<&'static str>,
    columns: Vec<Column>,
}

impl<'a, T> Rows<'a, T> {
    pub fn of(items: &'a [T]) -> Self {
        debug_assert!(items.len() <= ROWS_AT_MOST);
        Self {
            items,
            table: Table {
                count: items.len(),
                ..Table::default()
            },
        }
    }

    fn with(mut self, name: &'static str, column: Column) -> Self {
        self.table.names.push(name);
        self.table.columns.push(column);
        self
    }

    pub fn uuid(self, name: &'static str, value: impl Fn(&T) -> Uuid) -> Self {
        self.uuid_or_null(name, |item| Some(value(item)))
    }

    pub fn uuid_or_null(self, name: &'static str, value: impl Fn(&T) -> Option<Uuid>) -> Self {
        let values = self.items.iter().map(value).collect();
        self.with(name, Column::Uuid(values))
    }

    pub fn int(self, name: &'static str, value: impl Fn(&T) -> i64) -> Self {
        self.int_or_null(name, |item| Some(value(item)))
    }

    pub fn int_or_null(self, name: &'static str, value: impl Fn(&T) -> Option<i64>) -> Self {
        let values = self.items.iter().map(value).collect();
        self.with(name, Column::Int(values))
    }

    pub fn text(self, name: &'static str, value: impl Fn(&T) -> String) -> Self {
        self.text_or_null(name, |item| Some(value(item)))
    }

    pub fn text_or_null(self, name: &'static str, value: impl Fn(&T) -> Option<String>) -> Self {
        let values = self.items.iter().map(value).collect();
        self.with(name, Column::Text(values))
    }

    pub fn blob(self, name: &'static str, value: impl Fn(&T) -> Vec<u8>) -> Self {
        self.blob_or_null(name, |item| Some(value(item)))
    }

    pub fn blob_or_null(self, name: &'static str, value: impl Fn(&T) -> Option<Vec<u8>>) -> Self {
        let values = self.items.iter().map(value).collect();
        self.with(name, Column::Blob(values))
    }
}

/// Statements over rows that are run together: on SQLite one behind the other in one go, on PostgreSQL as parts of one
/// statement, which see nothing of each other. So no two of them may touch the same row.
#[derive(Default)]
pub struct Writes {
    parts: Vec<(&'static str, Table)>,
}

impl Writes {
    /// Adds a statement; without rows it is left out.
    pub fn add<T>(&mut self, sql: &'static str, rows: Rows<'_, T>) {
        if rows.table.count > 0 {
            self.parts.push((sql, rows.table));
        }
    }
}

/// The rendered texts, by statements and their numbers of rows (0 stands for PostgreSQL, where these do not matter).
type Rendered = HashMap<Vec<(usize, usize)>, Arc<str>>;

static RENDERED: LazyLock<Mutex<Rendered>> = LazyLock::new(Mutex::default);

fn rendered(
    parts: &[(&'static str, Table)],
    padded: usize,
    render: fn(&[(&'static str, Table)], usize) -> String,
) -> Arc<str> {
    let key = parts
        .iter()
        .map(|part| (part.0.as_ptr() as usize, padded))
        .collect();
    let mut cache = RENDERED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    cache
        .entry(key)
        .or_insert_with(|| render(parts, padded).into())
        .clone()
}

/// All parts get the same number of rows, so that few texts are prepared.
fn padded(parts: &[(&'static str, Table)]) -> usize {
    let most = parts.iter().map(|part| part.1.count).max().unwrap_or(0);
    most.next_power_of_two()
}

fn render_sqlite(parts: &[(&'static str, Table)], padded: usize) -> String {
    let mut text = String::new();
    for (sql, table) in parts {
        let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
        let rows = vec![row.as_str(); padded].join(", ");
        let _ = write!(
            text,
            "with r ({}) as (values {rows}) {sql};",
            table.names.join(", ")
        );
    }
    text
}

fn rows_postgres(table: &Table, before: usize) -> String {
    let arrays: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| format!("${}::{}[]", before + at + 1, column.postgres_type()))
        .collect();
    let names = table.names.join(", ");
    format!(
        "with r ({names}) as (select * from unnest({}))",
        arrays.join(", ")
    )
}

fn render_postgres(parts: &[(&'static str, Table)], _: usize) -> String {
    if let [(sql, table)] = parts {
        return format!("{} {sql}", rows_postgres(table, 0));
    }
    let mut before = 0;
    let mut text = String::new();
    for (at, (sql, table)) in parts.iter().enumerate() {
        let begin = if at == 0 { "with" } else { "," };
        let _ = write!(
            text,
            "{begin} w{at} as ({} {sql})",
            rows_postgres(table, before)
        );
        before += table.columns.len();
    }
    text.push_str(" select 1");
    text
}

macro_rules! bind_sqlite {
    ($query:ident, $parts:ident, $padded:ident) => {
        for (_, table) in &mut $parts {
            for at in 0..$padded {
                for column in &mut table.columns {
                    $query = match column {
                        Column::Uuid(values) => $query.bind(values.get(at).copied().flatten()),
                        Column::Int(values) => $query.bind(values.get(at).copied().flatten()),
                        Column::Text(values) => {
                            $query.bind(values.get_mut(at).and_then(Option::take))
                        }
                        Column::Blob(values) => {
                            $query.bind(values.get_mut(at).and_then(Option::take))
                        }
                    };
                }
            }
        }
    };
}

macro_rules! bind_postgres {
    ($query:ident, $parts:ident) => {
        for column in $parts.into_iter().flat_map(|part| part.1.columns) {
            $query = match column {
                Column::Uuid(values) => $query.bind(values),
                Column::Int(values) => $query.bind(values),
                Column::Text(values) => $query.bind(values),
                Column::Blob(values) => $query.bind(values),
            };
        }
    };
}

impl Conn {
    /// Runs a statement over the rows; answers with the number of rows changed. No rows: nothing is run.
    pub async fn write_set<T>(
        &mut self,
        sql: &'static str,
        rows: Rows<'_, T>,
    ) -> Result<u64, StoreError> {
        let mut writes = Writes::default();
        writes.add(sql, rows);
        self.write_all(writes).await
    }

    /// Runs all of the statements, each over its rows. The number of rows changed means something for a single one only.
    pub async fn write_all(&mut self, writes: Writes) -> Result<u64, StoreError> {
        let mut parts = writes.parts;
        if parts.is_empty() {
            return Ok(0);
        }
        match self.driver() {
            Driver::Sqlite(driver) => {
                let padded = padded(&parts);
                let text = rendered(&parts, padded, render_sqlite);
                let mut query = sqlx::query::<sqlx::Sqlite>(AssertSqlSafe(text));
                bind_sqlite!(query, parts, padded);
                Ok(query.execute(driver).await?.rows_affected())
            }
            Driver::Postgres(driver) => {
                let text = rendered(&parts, 0, render_postgres);
                let mut query = sqlx::query::<sqlx::Postgres>(AssertSqlSafe(text));
                bind_postgres!(query, parts);
                Ok(query.execute(driver).await?.rows_affected())
            }
        }
    }

    /// Reads with the rows as a table to join with.
    pub async fn read_set<T, Found>(
        &mut self,
        sql: &'static str,
        rows: Rows<'_, T>,
    ) -> Result<Vec<Found>, StoreError>
    where
        Found: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if rows.table.count == 0 {
            return Ok(Vec::new());
        }
        let mut parts = vec![(sql, rows.table)];
        match self.driver() {
            Driver::Sqlite(driver) => {
                let padded = padded(&parts);
                let text = rendered(&parts, padded, render_sqlite);
                let mut query = sqlx::query_as::<sqlx::Sqlite, Found>(AssertSqlSafe(text));
                bind_sqlite!(query, parts, padded);
                Ok(query.fetch_all(driver).await?)
            }
            Driver::Postgres(driver) => {
                let text = rendered(&parts, 0, render_postgres);
                let mut query = sqlx::query_as::<sqlx::Postgres, Found>(AssertSqlSafe(text));
                bind_postgres!(query, parts);
                Ok(query.fetch_all(driver).await?)
            }
        }
    }
}
