//! `countersign backup FILE`: a consistent copy of a running SQLite database.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Ended};
use crate::app::App;
use crate::domain::operator::Deed;
use crate::store::backup::{self, BackupProblem};
use crate::store::{Location, log};

#[derive(Args)]
pub struct Backup {
    /// The copy; it must not be there yet
    file: PathBuf,
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub async fn run(self, app: &App) -> Done {
        let Location::Sqlite(database) = &app.config.database else {
            return Err(Ended::Wrong(
                "this installation runs on PostgreSQL: use pg_dump, or a base backup; docs/backup.md says what to keep with it"
                    .to_owned(),
            ));
        };
        // The copy's head is the newest one before it, or a later one.
        let mut conn = app.store.read().await?;
        let head = log::head(&mut conn).await?;
        drop(conn);
        backup::copy(database, &self.file)
            .await
            .map_err(|problem| match problem {
                BackupProblem::Damaged(_) | BackupProblem::Store(_) => {
                    Ended::Refused(problem.to_string())
                }
                BackupProblem::File { .. } | BackupProblem::Taken(_) => {
                    Ended::Wrong(problem.to_string())
                }
            })?;
        let on = self.file.file_name().unwrap_or_default().to_string_lossy();
        app.acted_on_command_line(Deed::BackupTaken, on.into_owned())
            .await?;
        let entries = head.map_or(0, |head| head.size);
        if self.json {
            println!("{}", json!({ "file": self.file, "log_entries": entries }));
            return Ok(());
        }
        println!(
            "{}: a whole copy, of {} log entries or more.",
            self.file.display(),
            entries
        );
        println!("It does not hold the root secret: keep the settings elsewhere, not beside it.");
        Ok(())
    }
}
