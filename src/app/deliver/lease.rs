//! Claiming due mails: whoever leases a mail is the only one to send it, until the lease runs out.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Delivery;
use super::wanted::Job;
use crate::app::restored::HELD;
use crate::store::outbox::{self, OutboxKey, OutboxRow};
use crate::store::set::Writes;
use crate::store::{Engine, StoreError, settings};

/// Mails claimed at a time.
pub(super) const CLAIM: i64 = 512;
/// How long a claim holds without being renewed: after a crash the mails of a worker wait this long for another one.
const LEASE: Duration = Duration::from_secs(60);
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// What this process has leased and not finished, to renew the leases.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashSet<OutboxKey>>);

impl UnderWay {
    fn add(&self, keys: &[OutboxKey]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(keys);
    }

    pub(super) fn remove<'a>(&self, keys: impl IntoIterator<Item = &'a OutboxKey>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            all.remove(key);
        }
    }

    fn list(&self) -> Vec<OutboxKey> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().copied().collect()
    }
}

impl Delivery {
    /// On SQLite this process is the only sender: what an earlier one leased and did not finish is free at once.
    pub(super) async fn release_after_restart(&self) {
        if self.app.store.engine() != Engine::Sqlite {
            return;
        }
        let released = async {
            let mut tx = self.app.store.write().await?;
            outbox::release_all(&mut tx).await?;
            tx.commit().await
        };
        if let Err(error) = released.await {
            tracing::warn!(%error, "leases of an earlier run could not be ended; they end by themselves");
        }
    }

    /// Until the other end of the channel is dropped.
    pub(super) async fn renew_leases(self: Arc<Self>, mut over: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(RENEW_EVERY);
        loop {
            tokio::select! {
                _ = &mut over => return,
                _ = ticks.tick() => {}
            }
            let keys: Vec<OutboxKey> = self.under_way.list();
            let until = self.app.clock.now().plus(LEASE);
            let renewed = async {
                let mut writes = Writes::default();
                outbox::renew(&mut writes, self.app.store.engine(), &keys, until);
                self.app.store.write_now(writes).await
            };
            if !keys.is_empty()
                && let Err(error) = renewed.await
            {
                tracing::warn!(%error, "leases could not be renewed");
            }
        }
    }

    /// Claims due mails and hands them to the senders. Answers with how many were claimed.
    pub(super) async fn claim(&self, queue: &mpsc::Sender<Job>) -> Result<usize, StoreError> {
        let mails = self.lease().await?;
        let claimed = mails.len();
        if claimed == 0 {
            return Ok(0);
        }
        let keys: Vec<OutboxKey> = mails.iter().map(OutboxRow::key).collect();
        self.under_way.add(&keys);
        let jobs = match self.prepare(mails).await {
            Ok(jobs) => jobs,
            Err(error) => {
                // Their leases are no longer renewed, so they are free again within a minute.
                self.under_way.remove(&keys);
                return Err(error);
            }
        };
        for job in jobs {
            if queue.send(job).await.is_err() {
                break;
            }
        }
        Ok(claimed)
    }

    async fn lease(&self) -> Result<Vec<OutboxRow>, StoreError> {
        // Look before taking the write lock: an idle server writes nothing.
        let now = self.app.clock.now();
        let mut conn = self.app.store.read().await?;
        let is_due = outbox::is_due(&mut conn, now).await?;
        let held = is_due && settings::find(&mut conn, HELD).await?.is_some();
        drop(conn);
        if !is_due || held {
            return Ok(Vec::new());
        }
        let mut tx = self.app.store.write().await?;
        let now = self.app.clock.now();
        let mails = outbox::claim_due(&mut tx, now, now.plus(LEASE), CLAIM).await?;
        // If the process dies after this commit, the lease runs out and the mails are claimed again.
        tx.commit().await?;
        Ok(mails)
    }
}
