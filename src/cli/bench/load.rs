//! A closed-loop HTTP/1.1 load generator: each connection asks, reads the whole answer, and asks again.
//!
//! It shares the machine with the server that it measures, so it is kept cheap. Its connections live on
//! threads of their own with a single-threaded runtime each, where an answer wakes no other core; a request
//! is one write and mostly one read; answers are skipped where they lie and never copied.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::answers::Answers;
use self::histogram::Histogram;

mod answers;
mod histogram;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long after the end of a run an answer may still come.
const LAST_ANSWER_WITHIN: Duration = Duration::from_secs(30);
const RUN_FOR_MAX: Duration = Duration::from_secs(3600);

/// What to put on the server.
#[derive(Clone, Debug)]
pub struct Load {
    pub connections: usize,
    /// No request starts after this time; an hour at most.
    pub for_: Duration,
    /// No more requests than this, for requests that can be made only once each.
    pub up_to: Option<u64>,
    /// Answers with any other status count as refused.
    pub expected: &'static [u16],
}

impl Load {
    /// A load that is bounded by time alone and content with the usual answers of a form.
    pub fn new(connections: usize, for_: Duration) -> Self {
        Self {
            connections,
            for_,
            up_to: None,
            expected: &[200, 201, 202, 204, 303],
        }
    }
}

/// What became of the requests. A run has sent the sequence numbers below its `done + refused`, no others.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers with an expected status; only these count for the rate and the latencies.
    pub done: u64,
    pub refused: u64,
    /// The status line of the first refusal.
    pub first_refusal: Option<String>,
    pub elapsed: Duration,
    latencies: Histogram,
}

impl Tally {
    pub fn rps(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    pub fn p50_ms(&self) -> f64 {
        self.latencies.quantile_micros(0.5) / 1_000.0
    }

    pub fn p99_ms(&self) -> f64 {
        self.latencies.quantile_micros(0.99) / 1_000.0
    }

    /// Adds a later round of the same load.
    pub fn merge(&mut self, later: Self) {
        let elapsed = self.elapsed + later.elapsed;
        self.merge_parallel(later);
        self.elapsed = elapsed;
    }

    fn merge_parallel(&mut self, other: Self) {
        self.done += other.done;
        self.refused += other.refused;
        self.first_refusal = self.first_refusal.take().or(other.first_refusal);
        self.elapsed = self.elapsed.max(other.elapsed);
        self.latencies.merge(&other.latencies);
    }
}

/// Runs the load. `request` writes a whole HTTP request into an empty buffer for a sequence number, which
/// counts up from 0 over all connections, in every run anew. The first connection that fails ends the run
/// with what happened. A latency runs from the answer before to the answer, so it holds the making of the request.
pub async fn run<F>(addr: SocketAddr, load: &Load, request: F) -> Result<Tally, String>
where
    F: Fn(u64, &mut Vec<u8>) + Send + Sync + 'static,
{
    let mut sockets = Vec::with_capacity(load.connections);
    for _ in 0..load.connections.max(1) {
        let socket = connect(addr).await?.into_std();
        sockets.push(socket.map_err(|error| format!("releasing a connection: {error}"))?);
    }
    // A quarter of the cores asks, the rest is left to the server.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let per_thread = sockets.len().div_ceil((cores / 4).clamp(1, 8));

    let began = Instant::now();
    let plan = Arc::new(Plan {
        addr,
        request,
        began,
        for_: load.for_.min(RUN_FOR_MAX),
        up_to: load.up_to.unwrap_or(u64::MAX),
        expected: load.expected,
        next: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
    });
    let _stop = StopOnDrop(Arc::clone(&plan));
    let mut threads = JoinSet::new();
    while !sockets.is_empty() {
        let share = sockets.split_off(sockets.len().saturating_sub(per_thread));
        let plan = Arc::clone(&plan);
        threads.spawn_blocking(move || generate(plan, share));
    }
    let mut tally = Tally::default();
    while let Some(part) = threads.join_next().await {
        let part = part.map_err(|error| format!("a thread of the load ended early: {error}"))?;
        tally.merge_parallel(part?);
    }
    Ok(tally)
}

struct Plan<F> {
    addr: SocketAddr,
    request: F,
    began: Instant,
    for_: Duration,
    up_to: u64,
    expected: &'static [u16],
    next: AtomicU64,
    stopped: AtomicBool,
}

impl<F> Plan<F> {
    fn take_number(&self, now: Instant) -> Option<u64> {
        if now.duration_since(self.began) >= self.for_ || self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.up_to).then_some(number)
    }
}

/// Threads cannot be aborted, so a failed or dropped run tells them to send nothing more.
struct StopOnDrop<F>(Arc<Plan<F>>);

impl<F> Drop for StopOnDrop<F> {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }
}

fn generate<F>(plan: Arc<Plan<F>>, sockets: Vec<std::net::TcpStream>) -> Result<Tally, String>
where
    F: Fn(u64, &mut Vec<u8>) + Send + Sync + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("starting a runtime: {error}"))?;
    let limit = plan.for_ + LAST_ANSWER_WITHIN;
    runtime.block_on(async {
        // One tally for the thread: a histogram for each connection would not stay in the cache.
        let tally = Arc::new(Mutex::new(Tally::default()));
        let mut connections = JoinSet::new();
        for socket in sockets {
            connections.spawn(drive(Arc::clone(&plan), socket, Arc::clone(&tally)));
        }
        let all = async {
            while let Some(ended) = connections.join_next().await {
                ended
                    .map_err(|error| format!("a connection of the load ended early: {error}"))??;
            }
            Ok::<(), String>(())
        };
        timeout(limit, all)
            .await
            .map_err(|_| format!("no answer within {LAST_ANSWER_WITHIN:?} after the run"))??;
        let tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(tally)
    })
}

async fn drive<F>(
    plan: Arc<Plan<F>>,
    socket: std::net::TcpStream,
    tally: Arc<Mutex<Tally>>,
) -> Result<(), String>
where
    F: Fn(u64, &mut Vec<u8>) + Send + Sync + 'static,
{
    let stream = TcpStream::from_std(socket)
        .map_err(|error| format!("taking over a connection: {error}"))?;
    let mut answers = Answers::new(stream);
    let mut out = Vec::with_capacity(1024);
    let mut asked = plan.began;
    while let Some(number) = plan.take_number(asked) {
        out.clear();
        (plan.request)(number, &mut out);
        let written = answers.stream.write_all(&out).await;
        written.map_err(|error| format!("writing request {number}: {error}"))?;
        let answer = answers.next(plan.expected).await;
        let answer = answer.map_err(|problem| format!("the answer to {number}: {problem}"))?;
        let answered = Instant::now();
        {
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(status_line) = answer.refusal {
                tally.refused += 1;
                tally.first_refusal.get_or_insert(status_line);
            } else {
                tally.done += 1;
                tally.latencies.record(answered.duration_since(asked));
            }
            tally.elapsed = answered.duration_since(plan.began);
        }
        if answer.closes {
            answers = Answers::new(connect(plan.addr).await?);
        }
        asked = answered;
    }
    Ok(())
}

async fn connect(addr: SocketAddr) -> Result<TcpStream, String> {
    let stream = timeout(CONNECT_WITHIN, TcpStream::connect(addr))
        .await
        .map_err(|_| format!("connecting to {addr}: no answer within {CONNECT_WITHIN:?}"))?
        .map_err(|error| format!("connecting to {addr}: {error}"))?;
    stream
        .set_nodelay(true)
        .map_err(|error| format!("setting TCP_NODELAY: {error}"))?;
    Ok(stream)
}

/// Writes a form post, whose body is form-encoded already.
pub fn form_post(path: &str, host: &str, body: &str, out: &mut Vec<u8>) {
    for part in [
        "POST ",
        path,
        " HTTP/1.1\r\nHost: ",
        host,
        "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ",
    ] {
        out.extend_from_slice(part.as_bytes());
    }
    // Writing into a vector cannot fail.
    let _ = write!(out, "{}\r\n\r\n{body}", body.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    #[test]
    fn rounds_add_up_in_time_and_in_number() {
        let mut tally = Tally {
            done: 10,
            elapsed: Duration::from_secs(1),
            ..Tally::default()
        };
        tally.merge(tally.clone());
        assert_eq!((tally.done, tally.elapsed), (20, Duration::from_secs(2)));
        assert!((tally.rps() - 10.0).abs() < 1e-9);
    }

    /// Answers each connection once and closes it.
    async fn closing_server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for number in 0..100 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let status = if number == 0 { "429 Slow" } else { "303 Go" };
                let answer =
                    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        addr
    }

    #[tokio::test]
    async fn each_number_is_sent_once_and_none_beyond_the_bound() {
        let load = Load {
            up_to: Some(20),
            ..Load::new(1, Duration::from_secs(60))
        };
        let numbers = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&numbers);
        let tally = run(closing_server().await, &load, move |number, out| {
            seen.lock().unwrap().push(number);
            form_post("/f/x", "localhost", "email=a%40b.example", out);
        });
        let tally = tally.await.unwrap();
        assert_eq!((tally.done, tally.refused), (19, 1));
        assert_eq!(tally.first_refusal.as_deref(), Some("HTTP/1.1 429 Slow"));
        assert_eq!(*numbers.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_closed_port_is_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        drop(listener);
        let told = run(addr, &Load::new(1, Duration::ZERO), |_, _| ()).await;
        assert!(told.unwrap_err().starts_with("connecting to 127.0.0.1:"));
    }
}
