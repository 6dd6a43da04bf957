//! `countersign bench`: what this machine can take. Each figure stands beside a ceiling measured in the same run.

mod confirms;
mod figures;
mod imports;
mod ledger;
mod load;
mod mails;
mod measure;
mod pages;
mod smtp_sink;
mod smtp_source;
mod stand;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Done, Ended};
use crate::clock::Random;
use crate::domain::hex::hex;
use crate::store::temporary::Temporary;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EngineName {
    Sqlite,
    Postgres,
}

impl EngineName {
    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

#[derive(Args)]
pub struct Bench {
    #[arg(long, value_enum, default_value = "sqlite")]
    engine: EngineName,
    /// For PostgreSQL: a server on which a database may be made for the time of the run
    #[arg(long)]
    database_url: Option<String>,
    /// Seconds per part
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Connections at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// Contacts that the store holds before anything is measured
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    contacts: u32,
    /// Measure the log of evidence instead, with so many entries
    #[arg(long, value_name = "ENTRIES", value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    ledger: Option<u64>,
    /// Measure an import instead, of a file with so many rows
    #[arg(long = "import", value_name = "ROWS", conflicts_with = "ledger",
        value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    imported: Option<u64>,
    /// Measure the operators' pages instead, on the events of so many contacts
    #[arg(long, value_name = "CONTACTS", conflicts_with_all = ["ledger", "imported"],
        value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pages: Option<u64>,
    /// Where the temporary store is made; a folder on the disk that is to be measured
    #[arg(long)]
    folder: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub async fn run(self) -> Done {
        let random = Random::Os;
        let tag = hex(&random.bytes::<6>());
        let parent = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let folder = parent.join(format!("countersign-bench-{tag}"));
        std::fs::create_dir_all(&folder)?;
        let database = self.database(&tag).await?;
        let url = database.as_ref().map_or_else(
            || "sqlite://bench.db".to_owned(),
            |database| database.url.clone(),
        );
        let measured = match (self.ledger, self.imported, self.pages) {
            (Some(entries), _, _) => self.measure_ledger(&folder, &url, entries).await,
            (None, Some(rows), _) => self.measure_import(&folder, &url, rows).await,
            (None, None, Some(contacts)) => self.measure_pages(&folder, &url, contacts).await,
            (None, None, None) => self.measure_server(&folder, &url, &random).await,
        };
        // Whatever happened, nothing stays behind.
        let _ = std::fs::remove_dir_all(&folder);
        if let Some(database) = database {
            database.drop().await?;
        }
        measured
    }

    async fn measure_server(&self, folder: &Path, url: &str, random: &Random) -> Done {
        let figures = self.measure(folder, url, random).await?;
        if self.json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            figures.print();
        }
        Ok(())
    }

    async fn measure_ledger(&self, folder: &Path, url: &str, entries: u64) -> Done {
        let engine = self.engine.name();
        let figures = ledger::measure(folder, url, engine, entries, self.seconds).await?;
        if self.json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            ledger::print(&figures);
        }
        Ok(())
    }

    async fn measure_import(&self, folder: &Path, url: &str, rows: u64) -> Done {
        let figures = imports::measure(folder, url, self.engine.name(), rows).await?;
        if self.json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            imports::print(&figures);
        }
        Ok(())
    }

    async fn measure_pages(&self, folder: &Path, url: &str, contacts: u64) -> Done {
        let figures = pages::measure(folder, url, self.engine.name(), contacts).await?;
        if self.json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            pages::print(&figures);
        }
        Ok(())
    }

    /// A database of its own on the PostgreSQL server that was named; SQLite needs none.
    async fn database(&self, tag: &str) -> Result<Option<Temporary>, Ended> {
        match (self.engine, &self.database_url) {
            (EngineName::Sqlite, _) => Ok(None),
            (EngineName::Postgres, Some(url)) => Ok(Some(Temporary::create(url, tag).await?)),
            (EngineName::Postgres, None) => Err(Ended::Wrong(
                "--engine postgres needs --database-url postgres://USER@HOST/DATABASE".into(),
            )),
        }
    }
}
