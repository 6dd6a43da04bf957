//! What a claimed mail needs to be composed, and which mails nobody wants any more.

use std::collections::{HashMap, HashSet};

use super::Delivery;
use crate::app::sign_up::CONFIRM;
use crate::domain::ids::RequestId;
use crate::domain::standing::RequestState;
use crate::domain::time::Timestamp;
use crate::store::contacts::Contact;
use crate::store::outbox::{self, OutboxKey, OutboxRow};
use crate::store::requests::{self, Asked, RequestRow};
use crate::store::set::Writes;
use crate::store::{StoreError, breaker, budgets};

/// A claimed mail with all that it takes to compose it.
pub(super) struct Job {
    pub mail: OutboxRow,
    pub request: RequestRow,
    pub contact: Contact,
}

/// What the claimed mails are about.
struct About {
    asked: HashMap<RequestId, Asked>,
    /// Mailboxes that the brand may send nothing any more.
    suppressed: HashSet<Vec<u8>>,
    /// The breaker is open.
    held: bool,
}

impl About {
    /// The mail with its request and contact, or its key if nobody wants it any more.
    fn job(&self, mail: OutboxRow, now: Timestamp) -> Result<Job, OutboxKey> {
        let wanted = self.asked.get(&mail.request_id).filter(|asked| {
            mail.template == CONFIRM
                && asked.request.state == RequestState::Open.as_str()
                && now < asked.request.expires_at
                && !self.suppressed.contains(&asked.contact.mailbox)
        });
        match wanted.cloned() {
            Some(Asked { request, contact }) => Ok(Job {
                mail,
                request,
                contact,
            }),
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
        let asked: HashMap<RequestId, Asked> = requests::list_with_contacts(&mut conn, &keys)
            .await?
            .into_iter()
            .map(|asked| (asked.request.id, asked))
            .collect();
        let boxes: Vec<_> = asked
            .values()
            .map(|asked| &asked.contact)
            .filter_map(|c| Some((c.brand_id, c.mailbox.as_slice().try_into().ok()?)))
            .collect();
        let suppressed = budgets::find_mailboxes(&mut conn, &boxes)
            .await?
            .into_iter()
            .filter(|mailbox| mailbox.suppressed_at.is_some())
            .map(|mailbox| mailbox.hash.to_vec())
            .collect();
        let held = breaker::is_open(&mut conn).await?;
        Ok(About {
            asked,
            suppressed,
            held,
        })
    }
}
