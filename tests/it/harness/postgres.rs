//! A database of its own for each test, on the server that the check started.

use std::str::FromStr;

use countersign::store::{Location, Store};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::OnceCell;

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
    /// An empty one.
    pub async fn create() -> Self {
        Self::made("").await
    }

    /// One with all tables, and nothing in them.
    pub async fn create_with_tables() -> Self {
        let template = TEMPLATE.get_or_init(template).await;
        Self::made(&format!("template {template}")).await
    }

    async fn made(from: &str) -> Self {
        let random = countersign::clock::Random::Os.bytes();
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        let name = format!("test_{}", id.simple());
        run(format!("create database {name} {from}")).await.unwrap();
        let server = server();
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        Self {
            url: format!("{base}/{name}"),
            name,
        }
    }

    pub async fn drop(self) {
        let name = self.name;
        run(format!("drop database {name} with (force)"))
            .await
            .unwrap();
    }
}

/// The database that others are copied from: making the tables anew takes longer than many a test.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Named by what makes the tables, so that a server which stays has one for each state of them. Several runs of the tests may want
/// it at the same moment: it gets its name when it is whole, and who comes second takes the first one's.
async fn template() -> String {
    let name = format!("template_{}", super::hash_of_migrations("postgres"));
    let found = format!("select 1 from pg_database where datname = '{name}'");
    if run(found).await.unwrap() == 0 {
        let making = Database::create().await;
        let location = Location::Postgres(making.url.clone());
        Store::open(&location).await.unwrap().close().await;
        let renamed = run(format!("alter database {} rename to {name}", making.name)).await;
        if renamed.is_err() {
            making.drop().await;
        }
    }
    name
}

/// Runs a statement; answers with how many rows it was about.
async fn run(statement: String) -> Result<u64, sqlx::Error> {
    let mut conn = connect().await;
    let done = sqlx::raw_sql(AssertSqlSafe(statement));
    Ok(done.execute(&mut conn).await?.rows_affected())
}

async fn connect() -> PgConnection {
    let options = PgConnectOptions::from_str(&server()).unwrap();
    PgConnection::connect_with(&options).await.unwrap()
}
