//! Claiming due mails: whoever leases a mail is the only one to send it, until the lease runs out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Delivery;
use super::wanted::Job;
use crate::app::restored::HELD;
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, OutboxKey, OutboxRow};
use crate::store::set::Writes;
use crate::store::{Conn, Engine, StoreError, settings};

/// Mails claimed at a time.
pub(super) const CLAIM: i64 = 512;
/// How long a claim holds without being renewed: after a crash the mails of a worker wait this long for another one.
const LEASE: Duration = Duration::from_secs(60);
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// What this process has leased and not finished, and until when, by its own clock.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashMap<OutboxKey, Timestamp>>);

impl UnderWay {
    /// Those of them that were not under way yet.
    fn add(&self, mails: Vec<OutboxRow>, until: Timestamp) -> Vec<OutboxRow> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |mail: &OutboxRow| all.insert(mail.key(), until).is_none();
        mails.into_iter().filter(is_new).collect()
    }

    fn renewed(&self, keys: &[OutboxKey], until: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if let Some(known) = all.get_mut(key) {
                *known = until;
            }
        }
    }

    pub(super) fn remove<'a>(&self, keys: impl IntoIterator<Item = &'a OutboxKey>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            all.remove(key);
        }
    }

    fn holds(&self, key: &OutboxKey, now: Timestamp) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|until| now < *until)
    }

    fn list(&self) -> Vec<OutboxKey> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.keys().copied().collect()
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
            if keys.is_empty() {
                continue;
            }
            if let Err(error) = self.renew(&keys).await {
                tracing::warn!(%error, "leases could not be renewed");
            }
        }
    }

    async fn renew(&self, keys: &[OutboxKey]) -> Result<(), StoreError> {
        let mut conn = self.app.store.read().await?;
        let by_database = self.lease_time(&mut conn).await?;
        drop(conn);
        let until = self.app.clock.now().plus(LEASE);
        let mut writes = Writes::default();
        let engine = self.app.store.engine();
        outbox::renew(&mut writes, engine, keys, by_database.plus(LEASE));
        self.app.store.write_now(writes).await?;
        self.under_way.renewed(keys, until);
        Ok(())
    }

    /// What leases are measured by. Several processes on PostgreSQL share its clock, whatever their own ones show; on SQLite there is
    /// one sender.
    async fn lease_time(&self, conn: &mut Conn) -> Result<Timestamp, StoreError> {
        if self.app.clock.is_apart() {
            return Ok(self.app.clock.now());
        }
        let shown = conn.own_time().await?;
        Ok(shown.unwrap_or_else(|| self.app.clock.now()))
    }

    /// Whether a mail that was claimed may leave: where others send too, not once its lease may be over, as after the machine stood
    /// still. Whoever leases it then sends it.
    pub(super) fn may_leave(&self, key: &OutboxKey) -> bool {
        let alone = self.app.store.engine() == Engine::Sqlite;
        alone || self.under_way.holds(key, self.app.clock.now())
    }

    /// Claims due mails and hands them to the senders. Answers with how many were claimed.
    pub(super) async fn claim(&self, queue: &mpsc::Sender<Job>) -> Result<usize, StoreError> {
        let until = self.app.clock.now().plus(LEASE);
        // A mail whose lease ran out while this very process is sending it stays with whoever is at it.
        let mails = self.under_way.add(self.lease().await?, until);
        let claimed = mails.len();
        if claimed == 0 {
            return Ok(0);
        }
        let keys: Vec<OutboxKey> = mails.iter().map(OutboxRow::key).collect();
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
        let by_database = self.lease_time(&mut conn).await?;
        let is_due = outbox::is_due(&mut conn, now, by_database).await?;
        let held = is_due && settings::find(&mut conn, HELD).await?.is_some();
        drop(conn);
        if !is_due || held {
            return Ok(Vec::new());
        }
        let mut tx = self.app.store.write().await?;
        let now = self.app.clock.now();
        let by_database = self.lease_time(&mut tx).await?;
        let micros = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
        let mails = outbox::claim_due(&mut tx, (now, by_database), micros, CLAIM).await?;
        // If the process dies after this commit, the lease runs out and the mails are claimed again.
        tx.commit().await?;
        Ok(mails)
    }
}
