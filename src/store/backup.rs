//! A copy of a SQLite database while a server writes to it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::StoreError;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupProblem {
    #[error("{}: {error}", path.display())]
    File {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{} is there already; name another file", .0.display())]
    Taken(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the copy is damaged ({0}); the database itself may be: run `countersign verify --log`"
    )]
    Damaged(String),
}

/// Writes all of the database, as it is at one moment, to a new file that only its owner reads. The copy holds no pages
/// that were given up. If the process dies, `TO.new` is left behind, and nothing that looks like a whole copy.
pub async fn copy(database: &Path, to: &Path) -> Result<(), BackupProblem> {
    let problem = |path: &Path| {
        let path = path.to_owned();
        move |error| BackupProblem::File { path, error }
    };
    if to.exists() {
        return Err(BackupProblem::Taken(to.to_owned()));
    }
    let mut fresh = to.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let _ = std::fs::remove_file(&fresh);
    // SQLite fills an empty file that is there; so it is private from its first byte.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(problem(&fresh))?;
    vacuum_into(database, &fresh).await?;
    file.sync_all().map_err(problem(&fresh))?;
    std::fs::rename(&fresh, to).map_err(problem(to))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(problem(folder))
}

async fn vacuum_into(database: &Path, fresh: &Path) -> Result<(), BackupProblem> {
    let open = |path: &Path| {
        SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(std::time::Duration::from_secs(10))
    };
    let mut source = open(database).connect().await.map_err(StoreError::from)?;
    sqlx::query("vacuum into $1")
        .bind(fresh.display().to_string())
        .execute(&mut source)
        .await
        .map_err(StoreError::from)?;
    source.close().await.map_err(StoreError::from)?;
    let mut copy = open(fresh)
        .read_only(true)
        .connect()
        .await
        .map_err(StoreError::from)?;
    let (state,): (String,) = sqlx::query_as("pragma quick_check(1)")
        .fetch_one(&mut copy)
        .await
        .map_err(StoreError::from)?;
    copy.close().await.map_err(StoreError::from)?;
    if state == "ok" {
        Ok(())
    } else {
        Err(BackupProblem::Damaged(state))
    }
}
