//! What a claimed mail needs to be composed, and which mails nobody wants any more.

use std::collections::HashMap;

use super::Delivery;
use crate::app::sign_up::CONFIRM;
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, OutboxKey, OutboxRow};
use crate::store::recipients::{self, Recipient};
use crate::store::set::Writes;
use crate::store::{StoreError, breaker};

/// A claimed mail with all that it takes to compose it.
pub(super) struct Job {
    pub mail: OutboxRow,
    pub to: Recipient,
}

/// What the claimed mails are about.
struct About {
    recipients: HashMap<RequestId, Recipient>,
    /// The breaker is open.
    held: bool,
}

impl About {
    /// The mail with its recipient, or its key if nobody wants it any more.
    fn job(&self, mail: OutboxRow, now: Timestamp) -> Result<Job, OutboxKey> {
        let wanted = self
            .recipients
            .get(&mail.request_id)
            .filter(|to| mail.template == CONFIRM && now < to.expires_at);
        match wanted.cloned() {
            Some(to) => Ok(Job { mail, to }),
            None => Err(mail.key()),
        }
    }
}

impl Delivery {
    /// Reads what the claimed mails need, takes out what nobody wants any more and puts back what the breaker or a rate holds.
    pub(super) async fn prepare(&self, mails: Vec<OutboxRow>) -> Result<Vec<Job>, StoreError> {
        let now = self.app.clock.now();
        let about = self.read_about(&mails).await?;
        let mut unwanted = Vec::new();
        let mut jobs = Vec::with_capacity(mails.len());
        for mail in mails {
            match about.job(mail, now) {
                Ok(job) => jobs.push(job),
                Err(key) => unwanted.push(key),
            }
        }
        if !unwanted.is_empty() {
            let mut writes = Writes::default();
            outbox::remove(&mut writes, self.app.store.engine(), &unwanted);
            self.app.store.write_now(writes).await?;
            self.under_way.remove(&unwanted);
        }
        if about.held {
            self.put_by(&jobs).await?;
            return Ok(Vec::new());
        }
        self.hold_back(jobs, now).await
    }

    async fn read_about(&self, mails: &[OutboxRow]) -> Result<About, StoreError> {
        let mut conn = self.app.store.read().await?;
        let keys: Vec<_> = mails.iter().map(|m| (m.brand_id, m.request_id)).collect();
        let recipients = recipients::list(&mut conn, &keys)
            .await?
            .into_iter()
            .map(|to| (to.request_id, to))
            .collect();
        let held = breaker::is_open(&mut conn).await?;
        Ok(About { recipients, held })
    }
}
