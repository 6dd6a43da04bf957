//! Claiming due mails: whoever leases a mail is the only one to send it, until the lease runs out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
pub(super) const CLAIM: i64 = 256;
/// How long a claim holds without being renewed: after a crash the mails of a worker wait this long for another one.
const LEASE: Duration = Duration::from_secs(60);
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// A lease of this process.
#[derive(Clone, Copy)]
struct Lease {
    /// Until when it holds for sure, by this process's own clock.
    until: Timestamp,
    /// The same as the mail's row tells it, and so whose lease that is.
    told: Timestamp,
}

/// What this process has leased and not finished.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashMap<OutboxKey, Lease>>);

impl UnderWay {
    fn all(&self) -> MutexGuard<'_, HashMap<OutboxKey, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of them that were not under way yet. The lease of one that was is the new one.
    fn add(&self, mails: Vec<OutboxRow>, lease: Lease) -> Vec<OutboxRow> {
        let mut all = self.all();
        let is_new = |mail: &OutboxRow| all.insert(mail.key(), lease).is_none();
        mails.into_iter().filter(is_new).collect()
    }

    fn renewed(&self, keys: &[(OutboxKey, Timestamp)], lease: Lease) {
        let mut all = self.all();
        for (key, told) in keys {
            if let Some(known) = all.get_mut(key)
                && known.told == *told
            {
                *known = lease;
            }
        }
    }

    pub(super) fn remove<'a>(&self, keys: impl IntoIterator<Item = &'a OutboxKey>) {
        let mut all = self.all();
        for key in keys {
            all.remove(key);
        }
    }

    /// Takes out a mail whose lease may be over; it is as its row tells.
    fn give_up(&self, key: &OutboxKey, now: Timestamp) -> Option<(OutboxKey, Timestamp)> {
        let mut all = self.all();
        let lease = all.get(key).copied()?;
        if now < lease.until {
            return None;
        }
        all.remove(key);
        Some((*key, lease.told))
    }

    /// Those whose lease holds: what is over may be somebody else's by now, and is not taken back.
    fn list(&self, now: Timestamp) -> Vec<(OutboxKey, Timestamp)> {
        let all = self.all();
        let held = all.iter().filter(|(_, lease)| now < lease.until);
        held.map(|(key, lease)| (*key, lease.told)).collect()
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
            let keys = self.under_way.list(self.app.clock.now());
            if keys.is_empty() {
                continue;
            }
            if let Err(error) = self.renew(&keys).await {
                tracing::warn!(%error, "leases could not be renewed");
            }
        }
    }

    async fn renew(&self, keys: &[(OutboxKey, Timestamp)]) -> Result<(), StoreError> {
        let mut conn = self.app.store.read().await?;
        // In this order: what this process takes for sure ends sooner than what the row tells.
        let until = self.app.clock.now().plus(LEASE);
        let told = self.lease_time(&mut conn).await?.plus(LEASE);
        drop(conn);
        let mut writes = Writes::default();
        outbox::renew(&mut writes, self.app.store.engine(), keys, told);
        self.app.store.write_now(writes).await?;
        self.under_way.renewed(keys, Lease { until, told });
        Ok(())
    }

    /// What leases are measured by. Several processes on PostgreSQL share its clock, whatever their own ones show; on SQLite there is
    /// one sender.
    async fn lease_time(&self, conn: &mut Conn) -> Result<Timestamp, StoreError> {
        if self.app.clock.stands_for_all() {
            return Ok(self.app.clock.now());
        }
        let shown = conn.own_time().await?;
        Ok(shown.unwrap_or_else(|| self.app.clock.now()))
    }

    /// Those of some claimed mails that may leave: where others send too, not those whose lease may be over, as after the machine stood
    /// still. They are free for whoever claims them next, if nobody has yet; they were not tried.
    pub(super) async fn that_may_leave(&self, jobs: Vec<Job>) -> Vec<Job> {
        if self.app.store.engine() == Engine::Sqlite {
            return jobs;
        }
        let now = self.app.clock.now();
        let mut over = Vec::new();
        let mut kept = Vec::with_capacity(jobs.len());
        for job in jobs {
            match self.under_way.give_up(&job.mail.key(), now) {
                Some(lease) => over.push(lease),
                None => kept.push(job),
            }
        }
        if !over.is_empty() {
            let mut writes = Writes::default();
            outbox::let_go(&mut writes, &over);
            if let Err(error) = self.app.store.write_now(writes).await {
                tracing::warn!(%error, "leases could not be given back");
            }
        }
        kept
    }

    /// Claims due mails and hands them to the senders. Answers with how many were claimed.
    pub(super) async fn claim(&self, queue: &mpsc::Sender<Job>) -> Result<usize, StoreError> {
        let until = self.app.clock.now().plus(LEASE);
        let (mails, told) = self.lease().await?;
        // A mail whose lease ran out while this very process is sending it stays with whoever is at it.
        let mails = self.under_way.add(mails, Lease { until, told });
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

    /// What was leased, and until when by its rows.
    async fn lease(&self) -> Result<(Vec<OutboxRow>, Timestamp), StoreError> {
        // Look before taking the write lock: an idle server writes nothing.
        let now = self.app.clock.now();
        let mut conn = self.app.store.read().await?;
        let by_database = self.lease_time(&mut conn).await?;
        let is_due = outbox::is_due(&mut conn, now, by_database).await?;
        let held = is_due && settings::find(&mut conn, HELD).await?.is_some();
        drop(conn);
        if !is_due || held {
            return Ok((Vec::new(), by_database));
        }
        let mut tx = self.app.store.write().await?;
        let now = self.app.clock.now();
        let by_database = self.lease_time(&mut tx).await?;
        let micros = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
        let mails = outbox::claim_due(&mut tx, (now, by_database), micros, CLAIM).await?;
        // If the process dies after this commit, the lease runs out and the mails are claimed again.
        tx.commit().await?;
        Ok((mails, by_database.plus(LEASE)))
    }
}
