//! The sessions: how many there may be, and those that wait for their next mail.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::SmtpSettings;
use super::session::{Counted, Session};

pub(super) struct Pool {
    permits: Arc<Semaphore>,
    idle: Mutex<Idle>,
    open: Arc<AtomicUsize>,
    max_mails: u32,
    idle_for: Duration,
}

/// A stack: the session used last is used next, so that a quiet time leaves most of them to expire.
#[derive(Default)]
struct Idle {
    sessions: Vec<(Session, Instant)>,
    has_reaper: bool,
}

impl Pool {
    pub(super) fn new(settings: &SmtpSettings) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(
                settings.max_sessions.min(Semaphore::MAX_PERMITS),
            )),
            idle: Mutex::default(),
            open: Arc::default(),
            max_mails: settings.max_mails_per_session,
            idle_for: settings.idle_for,
        }
    }

    /// Waits until one session more may be used; fails once the pool is closed.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.permits).acquire_owned().await
    }

    pub(super) fn counted(&self) -> Counted {
        Counted::new(&self.open)
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// An idle session, now the caller's alone: whoever drops it closes it.
    pub(super) fn take(&self) -> Option<Session> {
        let mut idle = self.idle();
        let (session, idle_since) = idle.sessions.pop()?;
        if idle_since.elapsed() < self.idle_for {
            return Some(session);
        }
        // The top of the stack is the youngest, so all others have expired as well.
        let expired = std::mem::take(&mut idle.sessions);
        drop(idle);
        drop(expired);
        None
    }

    /// Ends the use of a session: keeps it if it is in step and may carry more mails.
    pub(super) fn put_back(
        self: &Arc<Self>,
        mut session: Session,
        keep: bool,
        permit: OwnedSemaphorePermit,
    ) {
        if !keep {
            return;
        }
        if session.mails >= self.max_mails || self.permits.is_closed() {
            // The outcome is known and must not wait for a farewell; the permit does, so that the
            // server never sees more connections than were agreed.
            tokio::spawn(async move {
                session.quit().await;
                drop(permit);
            });
            return;
        }
        let mut idle = self.idle();
        idle.sessions.push((session, Instant::now()));
        if !idle.has_reaper {
            idle.has_reaper = true;
            tokio::spawn(reap(Arc::downgrade(self), self.idle_for));
        }
    }

    /// Lets no further send begin and hands out the idle sessions.
    pub(super) fn close(&self) -> Vec<Session> {
        self.permits.close();
        let sessions = std::mem::take(&mut self.idle().sessions);
        sessions.into_iter().map(|(session, _)| session).collect()
    }

    /// The lock is never held across an await: this guard is not `Send`, so the compiler sees to it.
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes sessions that nobody used for long. Ends when none is left or the pool is gone.
async fn reap(pool: Weak<Pool>, idle_for: Duration) {
    loop {
        sleep(idle_for).await;
        let Some(pool) = pool.upgrade() else { return };
        // Decided under the lock: a session that is put back later finds either this task or none.
        let (expired, is_done) = {
            let mut idle = pool.idle();
            let young = idle
                .sessions
                .partition_point(|(_, since)| since.elapsed() >= idle_for);
            let expired: Vec<_> = idle.sessions.drain(..young).collect();
            idle.has_reaper = !idle.sessions.is_empty();
            (expired, !idle.has_reaper)
        };
        drop(pool);
        for (mut session, _) in expired {
            session.quit().await;
        }
        if is_done {
            return;
        }
    }
}
