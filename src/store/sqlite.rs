//! SQLite's one writer. A pool would hand it on over a task of its own each time; a lock hands it on at once.

use std::fs::OpenOptions;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::StoreError;

/// The connection that writes; none once it was closed.
#[derive(Clone, Debug)]
pub struct Writer {
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    closed: watch::Sender<bool>,
}

/// The writer, taken. Until `commit` whatever was written is undone when this is dropped.
#[derive(Debug)]
pub struct WriteTransaction {
    guard: Option<OwnedMutexGuard<Option<SqliteConnection>>>,
    is_open: bool,
}

const CLOSED: StoreError = StoreError::Corrupt("the database was closed");

/// Makes the file, empty, for its owner alone; SQLite gives the files beside it the same mode. One that is there stays as it is,
/// and what cannot be made here, SQLite will tell.
pub(super) fn make_private(path: &Path) {
    let _ = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self {
            connection: Arc::new(Mutex::new(Some(connection))),
            closed: watch::Sender::new(false),
        }
    }

    /// Waits for the writer; begins nothing yet.
    pub(super) async fn take(&self) -> Result<WriteTransaction, StoreError> {
        let guard = self.connection.clone().lock_owned().await;
        if guard.is_none() {
            return Err(CLOSED);
        }
        Ok(WriteTransaction {
            guard: Some(guard),
            is_open: false,
        })
    }

    pub(super) async fn close(&self) {
        let _ = self.closed.send(true);
        if let Some(connection) = self.connection.lock().await.take() {
            let _ = connection.close().await;
        }
    }

    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }
}

impl WriteTransaction {
    /// With the write lock at once: a deferred transaction that reads first and then writes would fail under load.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.is_open = true;
        sqlx::query("begin immediate").execute(&mut **self).await?;
        Ok(())
    }

    /// Tells that a statement begins the transaction by itself.
    pub(super) const fn begins(&mut self) {
        self.is_open = true;
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("commit").execute(&mut *self).await?;
        self.is_open = false;
        Ok(())
    }
}

impl Deref for WriteTransaction {
    type Target = SqliteConnection;

    #[allow(clippy::expect_used)] // `take` gives it only where there is a connection, and only `drop` takes the guard away
    fn deref(&self) -> &SqliteConnection {
        self.guard
            .as_ref()
            .and_then(|guard| guard.as_ref())
            .expect("the writer")
    }
}

impl DerefMut for WriteTransaction {
    #[allow(clippy::expect_used)] // as above
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.guard
            .as_mut()
            .and_then(|guard| guard.as_mut())
            .expect("the writer")
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        let Some(mut guard) = self.guard.take().filter(|_| self.is_open) else {
            return;
        };
        // The next one gets the writer when nothing of this transaction is left.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Some(connection) = guard.as_mut() {
                    // It fails where the transaction never began, and then there is nothing to undo.
                    let _ = sqlx::query("rollback").execute(connection).await;
                }
            });
        }
    }
}
