//! What waiting pages and the delivery loop of this process are woken by. Losing a wake-up only delays: both also look
//! at the database by themselves, since another process may have done the work.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, broadcast, watch};

use crate::domain::ids::RequestId;

/// Wake-ups that a slow listener may miss before it looks at the database by itself.
const BACKLOG: usize = 1_024;

/// What this process last saw of the SMTP server.
#[derive(Debug, Default)]
struct Said {
    problem: Option<String>,
    /// Something was seen since it was last kept in the database.
    is_new: bool,
}

#[derive(Debug)]
pub struct Live {
    answered: broadcast::Sender<RequestId>,
    mail: Notify,
    smtp: Mutex<Said>,
    log_problem: Mutex<Option<String>>,
    stopping: watch::Sender<bool>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            answered: broadcast::channel(BACKLOG).0,
            mail: Notify::new(),
            smtp: Mutex::default(),
            log_problem: Mutex::new(None),
            stopping: watch::Sender::new(false),
        }
    }
}

impl Live {
    pub fn answered(&self, request: RequestId) {
        // Nobody listening is no fault.
        let _ = self.answered.send(request);
    }

    pub fn listen(&self) -> broadcast::Receiver<RequestId> {
        self.answered.subscribe()
    }

    /// The process is about to end: answers that go on until something happens end now.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub fn mail_queued(&self) {
        self.mail.notify_one();
    }

    pub async fn mail_waits(&self) {
        self.mail.notified().await;
    }

    /// Remembers what keeps mail from leaving, or that nothing does any more, until `App::keep_smtp_problem` keeps it.
    pub fn set_smtp_problem(&self, problem: Option<&str>) {
        let mut said = self.smtp.lock().unwrap_or_else(PoisonError::into_inner);
        said.is_new = true;
        if said.problem.as_deref() != problem {
            said.problem = problem.map(ToOwned::to_owned);
        }
    }

    /// What this process saw last, if it is not in the database yet.
    pub(super) fn new_smtp_problem(&self) -> Option<Option<String>> {
        let said = self.smtp.lock().unwrap_or_else(PoisonError::into_inner);
        said.is_new.then(|| said.problem.clone())
    }

    /// It was kept; what was seen meanwhile stays new.
    pub(super) fn smtp_problem_kept(&self, kept: Option<&str>) {
        let mut said = self.smtp.lock().unwrap_or_else(PoisonError::into_inner);
        if said.problem.as_deref() == kept {
            said.is_new = false;
        }
    }

    /// Remembers what keeps the log of evidence from going on, or that nothing does any more.
    pub fn set_log_problem(&self, problem: Option<&str>) {
        keep(&self.log_problem, problem);
    }

    pub fn log_problem(&self) -> Option<String> {
        kept(&self.log_problem)
    }
}

fn keep(place: &Mutex<Option<String>>, problem: Option<&str>) {
    let mut kept = place.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.as_deref() != problem {
        *kept = problem.map(ToOwned::to_owned);
    }
}

fn kept(place: &Mutex<Option<String>>) -> Option<String> {
    place.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
