//! The log of evidence: its name, who may read it, and where its newest head is kept besides.

use std::path::PathBuf;

use super::reader::Reader;
use crate::store::{Location, head_file};

/// The log of evidence.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The name that a new log gets (C2SP tlog-checkpoint's origin).
    pub origin: String,
    /// Whether it is served under `/log/`.
    pub published: bool,
    /// The file outside the database that holds the newest head: it tells that an older copy was put back. By default beside
    /// an SQLite database; on PostgreSQL none is kept unless the settings name one.
    pub head_file: Option<PathBuf>,
}

impl Reader<'_> {
    pub(super) fn ledger(&mut self, base_url: &str, database: &Location) -> Ledger {
        let chosen = self.text("ledger", "origin");
        let name = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if !chosen.chars().all(name) || chosen.len() > 200 {
            self.wrong(
                "ledger",
                "origin",
                "it is no name: 1 to 200 characters, without spaces and +, such as example.org/log",
            );
        }
        let by_default = || {
            let bare = base_url.split_once("://").map_or(base_url, |parts| parts.1);
            format!("{bare}/log")
        };
        Ledger {
            origin: if chosen.is_empty() {
                by_default()
            } else {
                chosen
            },
            published: self.flag("ledger", "published"),
            head_file: self.head_file(database),
        }
    }

    fn head_file(&mut self, database: &Location) -> Option<PathBuf> {
        let named = self.text("ledger", "head_file");
        match database {
            _ if !named.is_empty() => Some(self.folder.join(named)),
            Location::Sqlite(path) => Some(head_file::beside(path)),
            Location::Postgres(_) => None,
        }
    }
}
