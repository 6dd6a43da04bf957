//! Group commit: calls that arrive while a batch commits form the next batch. An idle server commits a single call at once, a busy
//! one many together.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tracing::Instrument;

use super::StoreError;
use super::held::decided;
use super::set::ROWS_AT_MOST;
use crate::telemetry::traces::TARGET;

/// Calls that may wait before new ones are turned away.
const WAITING_AT_MOST: usize = 8_192;

/// How long a call waits for others: one batch that is held up does not hold up the next.
const PATIENCE: Duration = Duration::from_millis(5);

/// Where no more wait than so many, all go at once: an empty row costs less than another commit.
const MANY: usize = 64;

/// How a verb's batches are formed.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// So many of them may be under way.
    at_once: usize,
    /// While calls come one upon the other, a batch waits for as many as it may hold.
    gathers: bool,
}

/// Of a verb that decides, whose answer somebody waits for: one batch is decided while another is written.
pub const DECIDING: Manner = Manner {
    at_once: 2,
    gathers: false,
};
/// Of a verb that writes down what happened, for whose answer nobody waits: a commit costs as much as some thirty of its calls, so few
/// large batches leave the writer to others.
pub const WRITING: Manner = Manner {
    at_once: 1,
    gathers: true,
};

type Waiting<C, R> = (C, oneshot::Sender<Result<R, StoreError>>);

/// Collects calls of one verb into batches. The work runs on a task of its own: a caller that goes away cannot leave
/// half a write.
#[derive(Debug)]
pub struct Batcher<C, R> {
    queue: mpsc::Sender<Waiting<C, R>>,
    turn: Arc<Turn>,
}

/// Whether it is time for the next batch. A small one costs nearly as much as a large one: beside others that are under way a batch
/// begins when as many calls wait as these hold; one that gathers, when it is full.
#[derive(Debug)]
struct Turn {
    /// Calls of batches that were begun and are not done.
    under_way: AtomicUsize,
    /// Calls that the next batch waits for whatever is under way: none after a batch of a single call, which nothing follows soon.
    gathered: AtomicUsize,
    /// What a batch that gathers waits for after others; 0 where none gathers.
    full: usize,
    changed: Notify,
}

impl Turn {
    fn new(full: usize) -> Self {
        Self {
            under_way: AtomicUsize::new(0),
            gathered: AtomicUsize::new(0),
            full,
            changed: Notify::new(),
        }
    }

    fn is_come(&self, waiting: usize) -> bool {
        waiting >= self.under_way.load(Ordering::SeqCst)
            && waiting >= self.gathered.load(Ordering::SeqCst)
    }

    /// Waits for it, but not for long.
    async fn come(&self, waiting: impl Fn() -> usize) {
        if self.is_come(waiting()) {
            return;
        }
        let come = async {
            while !self.is_come(waiting()) {
                self.changed.notified().await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, come).await;
    }

    fn begin(&self, calls: usize) -> UnderWay<'_> {
        self.under_way.fetch_add(calls, Ordering::SeqCst);
        let gathered = if calls > 1 { self.full } else { 0 };
        self.gathered.store(gathered, Ordering::SeqCst);
        UnderWay { turn: self, calls }
    }
}

/// A batch that was begun; dropped, it is done.
struct UnderWay<'a> {
    turn: &'a Turn,
    calls: usize,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.turn.under_way.fetch_sub(self.calls, Ordering::SeqCst);
        self.turn.changed.notify_one();
    }
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
            turn: self.turn.clone(),
        }
    }
}

impl<C, R> Batcher<C, R>
where
    C: Clone + Send + Sync + 'static,
    R: Send + 'static,
{
    /// Starts the tasks, one for each of the batches that may be under way at once by the verb's manner. `run` is given 1 to `batch_at_most` calls
    /// and answers each, in order; the tasks end with the last handle.
    pub fn start<F, Work>(batch_at_most: usize, manner: Manner, run: F) -> Self
    where
        F: Fn(Vec<C>) -> Work + Send + Sync + 'static,
        Work: Future<Output = Result<Vec<R>, StoreError>> + Send,
    {
        let limit = batch_at_most.clamp(1, ROWS_AT_MOST);
        let (queue, waiting) = mpsc::channel::<Waiting<C, R>>(WAITING_AT_MOST);
        let (waiting, run) = (Arc::new(Mutex::new(waiting)), Arc::new(run));
        let turn = Arc::new(Turn::new(if manner.gathers { limit } else { 0 }));
        for _ in 0..manner.at_once {
            let (waiting, run, turn) = (waiting.clone(), run.clone(), turn.clone());
            tokio::spawn(async move {
                let mut batch = Vec::with_capacity(limit);
                // Whoever holds the lock forms the next batch; it is free again before the batch is run.
                while let Some(under_way) = form(&waiting, &turn, &mut batch, limit).await {
                    let (calls, answers): (Vec<C>, Vec<_>) = batch.drain(..).unzip();
                    let span = tracing::info_span!(target: TARGET, "db.batch", calls = calls.len());
                    let results = answer_all(run.as_ref(), calls).instrument(span).await;
                    drop(under_way);
                    for (answer, result) in answers.into_iter().zip(results) {
                        // The caller may be gone; its work is done all the same.
                        let _ = answer.send(result);
                    }
                }
            });
        }
        Self { queue, turn }
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
        // With the one that whoever forms the next batch has taken already.
        let waiting = 1 + self.queue.max_capacity() - self.queue.capacity();
        if self.turn.is_come(waiting) {
            self.turn.changed.notify_one();
        }
        Ok(Submitted(answered))
    }
}

/// Takes the calls of the next batch when its turn has come; none when nobody can call any more.
async fn form<'a, C, R>(
    waiting: &Mutex<mpsc::Receiver<Waiting<C, R>>>,
    turn: &'a Turn,
    batch: &mut Vec<Waiting<C, R>>,
    limit: usize,
) -> Option<UnderWay<'a>> {
    let mut queue = waiting.lock().await;
    batch.push(queue.recv().await?);
    turn.come(|| 1 + queue.len()).await;
    let size = size_of_batch(batch.len() + queue.len(), limit);
    while batch.len() < size {
        let Ok(call) = queue.try_recv() else { break };
        batch.push(call);
    }
    Some(turn.begin(batch.len()))
}

/// Calls of the next batch, of those that wait. A statement has as many rows as a power of two, the rest of them empty (`set`): where
/// many wait, those beyond such a number are left for the batch that follows.
fn size_of_batch(waiting: usize, limit: usize) -> usize {
    let waiting = waiting.min(limit);
    if waiting <= MANY {
        return waiting;
    }
    1 << waiting.ilog2()
}

/// Runs a batch; if it fails as a whole, each call alone, so that one that cannot be stored never takes others along.
async fn answer_all<C, R, F, Work>(run: &F, calls: Vec<C>) -> Vec<Result<R, StoreError>>
where
    C: Clone,
    F: Fn(Vec<C>) -> Work,
    Work: Future<Output = Result<Vec<R>, StoreError>>,
{
    let count = calls.len();
    match attempt(run, &calls).await {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) if count == 1 => vec![Err(error)],
        Err(error) => {
            tracing::warn!(%error, calls = count, "a batch failed; its calls are run one by one");
            let mut results = Vec::with_capacity(count);
            for call in calls {
                let one = attempt(run, &[call]).await;
                results.push(one.and_then(|mut one| one.pop().ok_or(UNANSWERED)));
            }
            results
        }
    }
}

const UNANSWERED: StoreError = StoreError::Corrupt("a batch left a call unanswered");

async fn attempt<C, R, F, Work>(run: &F, calls: &[C]) -> Result<Vec<R>, StoreError>
where
    C: Clone,
    F: Fn(Vec<C>) -> Work,
    Work: Future<Output = Result<Vec<R>, StoreError>>,
{
    let count = calls.len();
    let results = decided(|| run(calls.to_vec())).await?;
    if results.len() == count {
        Ok(results)
    } else {
        Err(UNANSWERED)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as Seen;

    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::*;

    #[test]
    fn of_many_calls_a_batch_takes_as_many_as_a_statement_has_rows_without_empty_ones() {
        let sizes = [1, 37, 64, 65, 127, 128, 200, 255, 256, 900]
            .map(|waiting| size_of_batch(waiting, 256));
        assert_eq!(sizes, [1, 37, 64, 64, 64, 128, 128, 128, 256, 256]);
        assert_eq!(size_of_batch(900, 16), 16);
    }

    /// A batcher whose batches are seen when they begin, and done when they may be.
    struct Held {
        batcher: Batcher<(), ()>,
        begun: Arc<Seen<Vec<usize>>>,
        done: Arc<Semaphore>,
    }

    fn held() -> Held {
        held_in(DECIDING)
    }

    fn held_in(manner: Manner) -> Held {
        let begun = Arc::new(Seen::new(Vec::new()));
        let done = Arc::new(Semaphore::new(0));
        let (seen, may) = (begun.clone(), done.clone());
        let batcher = Batcher::start(16, manner, move |calls: Vec<()>| {
            let (seen, may) = (seen.clone(), may.clone());
            async move {
                seen.lock().unwrap().push(calls.len());
                may.acquire().await.unwrap().forget();
                Ok(calls)
            }
        });
        Held {
            batcher,
            begun,
            done,
        }
    }

    impl Held {
        fn submit(&self, calls: usize) {
            for _ in 0..calls {
                self.batcher.submit(()).unwrap();
            }
        }

        /// The sizes of the batches that were begun, once nobody has anything to do. The clock stands meanwhile.
        async fn begun(&self) -> Vec<usize> {
            for _ in 0..20 {
                yield_now().await;
            }
            self.begun.lock().unwrap().clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_batcher_begins_at_once_and_beside_a_batch_the_next_begins_when_as_many_wait() {
        let held = held();
        held.submit(4);
        assert_eq!(held.begun().await, [4]);
        held.submit(3);
        assert_eq!(held.begun().await, [4]);
        held.submit(1);
        assert_eq!(held.begun().await, [4, 4]);
        held.submit(1);
        assert_eq!(held.begun().await, [4, 4], "there are two at once");
    }

    #[tokio::test(start_paused = true)]
    async fn when_a_batch_is_done_the_next_begins_with_whoever_waits() {
        let held = held();
        held.submit(4);
        assert_eq!(held.begun().await, [4]);
        held.submit(2);
        held.done.add_permits(1);
        assert_eq!(held.begun().await, [4, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_is_held_up_holds_up_the_next_for_five_milliseconds_and_no_longer() {
        let held = held();
        held.submit(4);
        assert_eq!(held.begun().await, [4]);
        held.submit(1);
        for milliseconds in [0, 4] {
            tokio::time::advance(Duration::from_millis(milliseconds)).await;
            assert_eq!(held.begun().await, [4]);
        }
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(held.begun().await, [4, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_no_larger_than_its_limit_whatever_waits() {
        let held = held();
        held.submit(40);
        assert_eq!(held.begun().await, [16, 16]);
        held.done.add_permits(2);
        assert_eq!(held.begun().await, [16, 16, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_gathers_begins_a_single_call_at_once_and_then_waits_for_a_full_batch() {
        let held = held_in(WRITING);
        held.done.add_permits(100);
        held.submit(1);
        assert_eq!(held.begun().await, [1]);
        held.submit(3);
        assert_eq!(held.begun().await, [1, 3]);
        held.submit(15);
        assert_eq!(held.begun().await, [1, 3]);
        held.submit(1);
        assert_eq!(held.begun().await, [1, 3, 16]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_gathers_waits_five_milliseconds_and_no_longer() {
        let held = held_in(WRITING);
        held.done.add_permits(100);
        held.submit(2);
        assert_eq!(held.begun().await, [2]);
        held.submit(1);
        for milliseconds in [0, 4] {
            tokio::time::advance(Duration::from_millis(milliseconds)).await;
            assert_eq!(held.begun().await, [2]);
        }
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(held.begun().await, [2, 1]);
        held.submit(1);
        assert_eq!(held.begun().await, [2, 1, 1], "a single one came before");
    }
}
