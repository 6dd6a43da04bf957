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
    names: Vec<&'static str>,
    columns: Vec<Column>,
}

impl<'a, T> Rows<'a, T> {
    pub fn of(items: &'a [T]) -> Self {
        debug_assert!(items.len() <= ROWS_AT_MOST);
        Self {
            items,
            names: Vec::new(),
            columns: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, column: Column) -> Self {
        self.names.push(name);
        self.columns.push(column);
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
        let values = self.items.iter().map(|item| Some(value(item))).collect();
        self.with(name, Column::Blob(values))
    }
}

/// The rendered texts, by statement and number of rows (0 stands for PostgreSQL, where the number does not matter).
type Rendered = HashMap<(usize, usize), Arc<str>>;

static RENDERED: LazyLock<Mutex<Rendered>> = LazyLock::new(Mutex::default);

fn rendered<T>(sql: &'static str, rows: &Rows<'_, T>, padded: usize) -> Arc<str> {
    let key = (sql.as_ptr() as usize, padded);
    let mut cache = RENDERED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    cache
        .entry(key)
        .or_insert_with(|| render(sql, rows, padded).into())
        .clone()
}

fn render<T>(sql: &str, rows: &Rows<'_, T>, padded: usize) -> String {
    let mut text = format!("with r ({}) as (", rows.names.join(", "));
    if padded == 0 {
        text.push_str("select * from unnest(");
        for (at, column) in rows.columns.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}${}::{}[]", at + 1, column.postgres_type());
        }
        text.push(')');
    } else {
        let row = format!("({})", vec!["?"; rows.columns.len()].join(", "));
        text.push_str("values ");
        text.push_str(&vec![row.as_str(); padded].join(", "));
    }
    text.push_str(") ");
    text.push_str(sql);
    text
}

macro_rules! bind_sqlite {
    ($query:ident, $rows:ident, $padded:ident) => {
        for at in 0..$padded {
            for column in &mut $rows.columns {
                $query = match column {
                    Column::Uuid(values) => $query.bind(values.get(at).copied().flatten()),
                    Column::Int(values) => $query.bind(values.get(at).copied().flatten()),
                    Column::Text(values) => $query.bind(values.get_mut(at).and_then(Option::take)),
                    Column::Blob(values) => $query.bind(values.get_mut(at).and_then(Option::take)),
                };
            }
        }
    };
}

macro_rules! bind_postgres {
    ($query:ident, $rows:ident) => {
        for column in std::mem::take(&mut $rows.columns) {
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
        mut rows: Rows<'_, T>,
    ) -> Result<u64, StoreError> {
        let count = rows.items.len();
        if count == 0 {
            return Ok(0);
        }
        match self.driver() {
            Driver::Sqlite(driver) => {
                let padded = count.next_power_of_two();
                let text = rendered(sql, &rows, padded);
                let mut query = sqlx::query::<sqlx::Sqlite>(AssertSqlSafe(text));
                bind_sqlite!(query, rows, padded);
                Ok(query.execute(driver).await?.rows_affected())
            }
            Driver::Postgres(driver) => {
                let text = rendered(sql, &rows, 0);
                let mut query = sqlx::query::<sqlx::Postgres>(AssertSqlSafe(text));
                bind_postgres!(query, rows);
                Ok(query.execute(driver).await?.rows_affected())
            }
        }
    }

    /// Reads with the rows as a table to join with.
    pub async fn read_set<T, Found>(
        &mut self,
        sql: &'static str,
        mut rows: Rows<'_, T>,
    ) -> Result<Vec<Found>, StoreError>
    where
        Found: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let count = rows.items.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        match self.driver() {
            Driver::Sqlite(driver) => {
                let padded = count.next_power_of_two();
                let text = rendered(sql, &rows, padded);
                let mut query = sqlx::query_as::<sqlx::Sqlite, Found>(AssertSqlSafe(text));
                bind_sqlite!(query, rows, padded);
                Ok(query.fetch_all(driver).await?)
            }
            Driver::Postgres(driver) => {
                let text = rendered(sql, &rows, 0);
                let mut query = sqlx::query_as::<sqlx::Postgres, Found>(AssertSqlSafe(text));
                bind_postgres!(query, rows);
                Ok(query.fetch_all(driver).await?)
            }
        }
    }
}
