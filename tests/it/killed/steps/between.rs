//! A wire to PostgreSQL that stops: from a first message on it counts what the program sends, and at one of them nothing goes on
//! any more in either direction, as if the program had died before it sent it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

struct State {
    from: &'static [u8],
    stop_at: usize,
    /// Messages since the first one that counts, that one included.
    sent: AtomicUsize,
    stopped: Notify,
}

pub struct Between {
    /// Where the database is, by this wire.
    pub url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Between {
    /// Stops at the message of this number, from the first on that holds `from`.
    pub async fn start(url: &str, from: &'static [u8], stop_at: usize) -> Self {
        let (user, rest) = url.rsplit_once('@').expect("a URL with a user");
        let (server, database) = rest.split_once('/').expect("a URL with a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // What is said must be readable here.
        let url = format!("{user}@127.0.0.1:{port}/{database}?sslmode=disable");
        let state = Arc::new(State {
            from,
            stop_at,
            sent: AtomicUsize::new(0),
            stopped: Notify::new(),
        });
        let (server, shared) = (server.to_owned(), state.clone());
        let task = tokio::spawn(async move {
            // They end with this task: the database sees its client go.
            let mut wires = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                wires.spawn(carry(shared.clone(), true, from_client, to_server));
                wires.spawn(carry(shared.clone(), false, from_server, to_client));
            }
        });
        Self { url, state, task }
    }

    /// Waits until it has stopped.
    pub async fn stopped(&self) {
        self.state.stopped.notified().await;
    }
}

async fn carry(
    state: Arc<State>,
    counts: bool,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let message = &buffer[..read];
        if counts && state.counts(message) == state.stop_at {
            state.stopped.notify_one();
        }
        if state.sent.load(Ordering::SeqCst) >= state.stop_at {
            return std::future::pending().await;
        }
        if to.write_all(message).await.is_err() {
            return;
        }
    }
}

impl State {
    /// The number of this message; 0 for those before the first that counts.
    fn counts(&self, message: &[u8]) -> usize {
        let begun = self.sent.load(Ordering::SeqCst) > 0;
        if begun
            || message
                .windows(self.from.len())
                .any(|part| part == self.from)
        {
            self.sent.fetch_add(1, Ordering::SeqCst) + 1
        } else {
            0
        }
    }
}
