//! A database of its own for each test, on the server that the check started.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};

/// The URL of a PostgreSQL server on which databases may be made; `./check` starts one and sets it.
const SERVER: &str = "COUNTERSIGN_TEST_POSTGRES";

pub fn is_left_out() -> bool {
    if std::env::var("COUNTERSIGN_TEST_QUICK").is_ok() {
        eprintln!("left out in the quick check: PostgreSQL");
        return true;
    }
    false
}

fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is not set: run ./check, which starts PostgreSQL, or set COUNTERSIGN_TEST_QUICK=1")
    })
}

pub struct Database {
    pub url: String,
    name: String,
}

impl Database {
    pub async fn create() -> Self {
        let name = format!(
            "test_{}",
            uuid::Builder::from_random_bytes(countersign::clock::Random::Os.bytes())
                .into_uuid()
                .simple()
        );
        let mut conn = connect().await;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}")))
            .execute(&mut conn)
            .await
            .unwrap();
        let server = server();
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        Self {
            url: format!("{base}/{name}"),
            name,
        }
    }

    pub async fn drop(self) {
        let mut conn = connect().await;
        sqlx::raw_sql(AssertSqlSafe(format!(
            "drop database {} with (force)",
            self.name
        )))
        .execute(&mut conn)
        .await
        .unwrap();
    }
}

async fn connect() -> PgConnection {
    let options = PgConnectOptions::from_str(&server()).unwrap();
    PgConnection::connect_with(&options).await.unwrap()
}
