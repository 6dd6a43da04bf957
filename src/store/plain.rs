//! The plainest way to put rows into a table: what `bench` holds imports against. The server has no use for it.

use sqlx::AssertSqlSafe;

use super::{Conn, Store, StoreError, on};

/// Rows in one transaction.
const TOGETHER: usize = 1_024;

const CREATE: &str = "create table if not exists plain_row (email text not null primary key, name text, order_number text, \
     ordered_on text, city text, country text)";
const INSERT: &str = "insert into plain_row (email, name, order_number, ordered_on, city, country) \
     values ($1, $2, $3, $4, $5, $6)";

/// A table of texts, without any rule.
pub struct PlainTable {
    store: Store,
    tx: Option<Conn>,
    rows: usize,
}

impl PlainTable {
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let mut tx = store.write().await?;
        on!(&mut tx, driver => { sqlx::raw_sql(AssertSqlSafe(CREATE)).execute(driver).await?; });
        tx.commit().await?;
        Ok(Self {
            store: store.clone(),
            tx: None,
            rows: 0,
        })
    }

    /// Inserts a row of six cells.
    pub async fn insert(&mut self, cells: &[&str]) -> Result<(), StoreError> {
        let tx = match &mut self.tx {
            Some(tx) => tx,
            none => none.insert(self.store.write().await?),
        };
        let cell = |at: usize| cells.get(at).copied();
        on!(tx, driver => {
            sqlx::query(INSERT)
                .bind(cell(0))
                .bind(cell(1))
                .bind(cell(2))
                .bind(cell(3))
                .bind(cell(4))
                .bind(cell(5))
                .execute(driver)
                .await?;
        });
        self.rows += 1;
        if self.rows.is_multiple_of(TOGETHER) {
            self.end().await?;
        }
        Ok(())
    }

    /// Commits what is open.
    pub async fn end(&mut self) -> Result<(), StoreError> {
        match self.tx.take() {
            Some(tx) => tx.commit().await,
            None => Ok(()),
        }
    }
}
