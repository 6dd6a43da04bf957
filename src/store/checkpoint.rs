//! Moving SQLite's write-ahead log back into the database file.
//!
//! SQLite would do it inside whichever commit makes the log long, and that signup would wait. Here a connection of its own
//! copies what it can while the writer goes on (`passive`). Under constant load the log would still never begin anew, so
//! the rest is copied with the writer held for a moment (`restart`).

use std::path::PathBuf;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Length of the log, in pages of 4 KiB, from which it is copied back: a page that was written many times is copied once.
const COPY_FROM: i64 = 8_000;

/// Tells the length and copies nothing.
const LENGTH: &str = "pragma wal_checkpoint(noop)";
const PASSIVE: &str = "pragma wal_checkpoint(passive)";
const RESTART: &str = "pragma wal_checkpoint(restart)";

/// Runs until the writer is closed. A failure costs only disk space: the next turn tries again.
pub(super) async fn run(
    options: SqliteConnectOptions,
    path: PathBuf,
    mut closing: watch::Receiver<bool>,
) {
    let mut log = path.into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    let mut connection = None;
    let mut seen = None;
    loop {
        tokio::select! {
            _ = closing.wait_for(|closed| *closed) => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let changed = std::fs::metadata(&log)
            .and_then(|file| file.modified())
            .ok();
        if changed == seen {
            continue;
        }
        match copy(&options, &mut connection).await {
            Ok(()) => seen = changed,
            Err(error) => {
                connection = None;
                tracing::warn!(%error, "the write-ahead log could not be copied back");
            }
        }
    }
}

async fn copy(
    options: &SqliteConnectOptions,
    connection: &mut Option<SqliteConnection>,
) -> Result<(), sqlx::Error> {
    if connection.is_none() {
        *connection = Some(options.connect().await?);
    }
    let Some(open) = connection else {
        return Ok(());
    };
    let (_, pages, _): (i64, i64, i64) = sqlx::query_as(LENGTH).fetch_one(&mut *open).await?;
    if pages >= COPY_FROM {
        sqlx::query(PASSIVE).execute(&mut *open).await?;
        sqlx::query(RESTART).execute(open).await?;
    }
    Ok(())
}
