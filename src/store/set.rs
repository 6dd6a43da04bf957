//! Set-based statements: one statement for a whole batch, with one SQL text for both engines.
//!
//! The text says `from r`, and `r` is put in front of it as a common table expression: on PostgreSQL from one array per
//! column (`unnest`), on SQLite from a list of rows. SQLite prepares a statement per number of rows, so a batch is
//! filled up with empty rows to the next power of two; the text leaves them out (`where r.… is not null`).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex};

use futures_util::TryStreamExt;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, FromRow};
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
    before: &'static str,
    parts: &[(&'static str, Table)],
    padded: usize,
    render: fn(&[(&'static str, Table)], usize) -> String,
) -> Arc<str> {
    let texts = std::iter::once(before).chain(parts.iter().map(|part| part.0));
    let key = texts.map(|text| (text.as_ptr() as usize, padded)).collect();
    let mut cache = RENDERED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    cache
        .entry(key)
        .or_insert_with(|| format!("{before}{}", render(parts, padded)).into())
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

impl Writes {
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether rows are only put in, for which there is one plan.
    pub(super) fn only_insert(&self) -> bool {
        self.parts.iter().all(|part| part.0.starts_with("insert"))
    }

    /// The text, behind another one, with its arguments: bound before any transaction waits for it.
    pub(super) fn bound_sqlite(self, before: &'static str) -> (Arc<str>, SqliteArguments) {
        bind_sqlite(before, self.parts)
    }

    pub(super) fn bound_postgres(self) -> (Arc<str>, PgArguments) {
        bind_postgres(self.parts)
    }
}

/// Adding an argument fails only if it cannot be encoded, which no number, text or list of bytes does.
fn bind_sqlite(
    before: &'static str,
    mut parts: Vec<(&'static str, Table)>,
) -> (Arc<str>, SqliteArguments) {
    let padded = padded(&parts);
    let text = rendered(before, &parts, padded, render_sqlite);
    let mut arguments = SqliteArguments::default();
    let columns: usize = parts.iter().map(|part| part.1.columns.len()).sum();
    arguments.reserve(columns * padded, 0);
    for (_, table) in &mut parts {
        for at in 0..padded {
            for column in &mut table.columns {
                let _ = match column {
                    Column::Uuid(values) => arguments.add(values.get(at).copied().flatten()),
                    Column::Int(values) => arguments.add(values.get(at).copied().flatten()),
                    Column::Text(values) => {
                        arguments.add(values.get_mut(at).and_then(Option::take))
                    }
                    Column::Blob(values) => {
                        arguments.add(values.get_mut(at).and_then(Option::take))
                    }
                };
            }
        }
    }
    (text, arguments)
}

fn bind_postgres(parts: Vec<(&'static str, Table)>) -> (Arc<str>, PgArguments) {
    let text = rendered("", &parts, 0, render_postgres);
    let mut arguments = PgArguments::default();
    for column in parts.into_iter().flat_map(|part| part.1.columns) {
        let _ = match column {
            Column::Uuid(values) => arguments.add(values),
            Column::Int(values) => arguments.add(values),
            Column::Text(values) => arguments.add(values),
            Column::Blob(values) => arguments.add(values),
        };
    }
    (text, arguments)
}

impl Conn {
    /// Reads with the rows as a table to join with. No rows: nothing is read.
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
        let parts = vec![(sql, rows.table)];
        match self.driver() {
            Driver::Sqlite(driver) => {
                let (text, arguments) = bind_sqlite("", parts);
                let query = sqlx::query_as_with(AssertSqlSafe(text), arguments);
                Ok(query.fetch_all(driver).await?)
            }
            Driver::Postgres(driver) => {
                let (text, arguments) = bind_postgres(parts);
                let query = sqlx::query_as_with(AssertSqlSafe(text), arguments);
                Ok(query.fetch_all(driver).await?)
            }
        }
    }

    /// The same where more may be found than is to be in memory: each as it is read.
    pub async fn read_set_each<T, Found>(
        &mut self,
        sql: &'static str,
        rows: Rows<'_, T>,
        mut each: impl FnMut(Found) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>
    where
        Found: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if rows.table.count == 0 {
            return Ok(());
        }
        let parts = vec![(sql, rows.table)];
        match self.driver() {
            Driver::Sqlite(driver) => {
                let (text, arguments) = bind_sqlite("", parts);
                let query = sqlx::query_as_with(AssertSqlSafe(text), arguments);
                let mut found = query.fetch(driver);
                while let Some(one) = found.try_next().await? {
                    each(one)?;
                }
            }
            Driver::Postgres(driver) => {
                let (text, arguments) = bind_postgres(parts);
                let query = sqlx::query_as_with(AssertSqlSafe(text), arguments);
                let mut found = query.fetch(driver);
                while let Some(one) = found.try_next().await? {
                    each(one)?;
                }
            }
        }
        Ok(())
    }
}
