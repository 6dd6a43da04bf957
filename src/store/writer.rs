//! Group commit: calls that arrive while a batch commits form the next batch. There is no timer; an idle server commits
//! a single call at once, a busy one many together.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};
use tracing::Instrument;

use super::StoreError;
use super::held::decided;
use super::set::ROWS_AT_MOST;
use crate::telemetry::traces::TARGET;

/// Calls that may wait before new ones are turned away.
const WAITING_AT_MOST: usize = 8_192;

/// Batches of a verb that decides: one is decided while another is written.
pub const DECIDING: usize = 2;
/// Batches of a verb that only writes: whatever comes meanwhile makes the next batch larger.
pub const WRITING: usize = 1;

type Waiting<C, R> = (C, oneshot::Sender<Result<R, StoreError>>);

/// Collects calls of one verb into batches. The work runs on a task of its own: a caller that goes away cannot leave
/// half a write.
#[derive(Debug)]
pub struct Batcher<C, R> {
    queue: mpsc::Sender<Waiting<C, R>>,
}

/// A call that was handed in. Letting go of it does not take the call back.
#[derive(Debug)]
pub struct Submitted<R>(oneshot::Receiver<Result<R, StoreError>>);

impl<R> Submitted<R> {
    /// Waits for the commit that holds the call.
    pub async fn wait(self) -> Result<R, StoreError> {
        self.0.await.unwrap_or(Err(StoreError::Busy))
    }
}

impl<C, R> Clone for Batcher<C, R> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
        }
    }
}

impl<C, R> Batcher<C, R>
where
    C: Clone + Send + Sync + 'static,
    R: Send + 'static,
{
    /// Starts the tasks, one for each of the batches that may be under way at once. `run` is given 1 to `batch_at_most` calls
    /// and answers each, in order; the tasks end with the last handle.
    pub fn start<F, Work>(batch_at_most: usize, at_once: usize, run: F) -> Self
    where
        F: Fn(Vec<C>) -> Work + Send + Sync + 'static,
        Work: Future<Output = Result<Vec<R>, StoreError>> + Send,
    {
        let limit = batch_at_most.clamp(1, ROWS_AT_MOST);
        let (queue, waiting) = mpsc::channel::<Waiting<C, R>>(WAITING_AT_MOST);
        let (waiting, run) = (Arc::new(Mutex::new(waiting)), Arc::new(run));
        for _ in 0..at_once {
            let (waiting, run) = (waiting.clone(), run.clone());
            tokio::spawn(async move {
                let mut batch = Vec::with_capacity(limit);
                // Whoever holds the lock forms the next batch; it is free again before the batch is run.
                while waiting.lock().await.recv_many(&mut batch, limit).await > 0 {
                    let (calls, answers): (Vec<C>, Vec<_>) = batch.drain(..).unzip();
                    let span = tracing::info_span!(target: TARGET, "db.batch", calls = calls.len());
                    let results = answer_all(run.as_ref(), calls).instrument(span).await;
                    for (answer, result) in answers.into_iter().zip(results) {
                        // The caller may be gone; its work is done all the same.
                        let _ = answer.send(result);
                    }
                }
            });
        }
        Self { queue }
    }

    /// Hands in one call and waits for the commit that holds it.
    pub async fn call(&self, command: C) -> Result<R, StoreError> {
        self.submit(command)?.wait().await
    }

    /// Hands in one call; its answer is waited for later.
    pub fn submit(&self, command: C) -> Result<Submitted<R>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send((command, answer))
            .map_err(|_| StoreError::Busy)?;
        Ok(Submitted(answered))
    }
}

/// Runs a batch; if it fails as a whole, each call alone, so that one that cannot be stored never takes others along.
async fn answer_all<C, R, F, Work>(run: &F, calls: Vec<C>) -> Vec<Result<R, StoreError>>
where
    C: Clone,
    F: Fn(Vec<C>) -> Work,
    Work: Future<Output = Result<Vec<R>, StoreError>>,
{
    let count = calls.len();
    match attempt(run, calls.clone()).await {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) if count == 1 => vec![Err(error)],
        Err(error) => {
            tracing::warn!(%error, calls = count, "a batch failed; its calls are run one by one");
            let mut results = Vec::with_capacity(count);
            for call in calls {
                let one = attempt(run, vec![call]).await;
                results.push(one.and_then(|mut one| one.pop().ok_or(UNANSWERED)));
            }
            results
        }
    }
}

const UNANSWERED: StoreError = StoreError::Corrupt("a batch left a call unanswered");

async fn attempt<C, R, F, Work>(run: &F, calls: Vec<C>) -> Result<Vec<R>, StoreError>
where
    C: Clone,
    F: Fn(Vec<C>) -> Work,
    Work: Future<Output = Result<Vec<R>, StoreError>>,
{
    let count = calls.len();
    let results = decided(|| run(calls.clone())).await?;
    if results.len() == count {
        Ok(results)
    } else {
        Err(UNANSWERED)
    }
}
