//! A wire to PostgreSQL that stops: from a first statement on it counts what the program has done, and at one of them nothing goes
//! on any more in either direction, as if the program had died before it said it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Where it stops.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// What the first statement that counts holds, or a value that is bound to it.
    pub from: &'static str,
    /// Of several such statements, the one of this number.
    pub which: usize,
    /// The number of the statement that does not arrive, from that one on, which is 1.
    pub at: usize,
    /// Whether only statements of the same connection are counted: a server has other work beside.
    pub one_connection: bool,
}

struct State {
    stop: Stop,
    /// Statements that hold what the first one holds.
    met: AtomicUsize,
    /// Statements since the first one that counts, that one included.
    said: AtomicUsize,
    is_stopped: AtomicBool,
    stopped: Notify,
    /// The statement that it stopped at.
    held: Mutex<String>,
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
    pub async fn start(url: &str, stop: Stop) -> Self {
        let (user, rest) = url.rsplit_once('@').expect("a URL with a user");
        let (server, database) = rest.split_once('/').expect("a URL with a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // What is said must be readable here.
        let url = format!("{user}@127.0.0.1:{port}/{database}?sslmode=disable");
        let state = Arc::new(State {
            stop,
            met: AtomicUsize::new(0),
            said: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
            stopped: Notify::new(),
            held: Mutex::default(),
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

    /// Waits until it has stopped; answers with the statement that did not arrive.
    pub async fn stopped(&self) -> String {
        self.state.stopped.notified().await;
        self.state.held.lock().unwrap().clone()
    }
}

async fn carry(
    state: Arc<State>,
    is_program: bool,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) {
    let mut buffer = vec![0; 1 << 16];
    let (mut prepared, mut counts) = (HashMap::new(), false);
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let message = &buffer[..read];
        if is_program && let Some(statement) = statement_of(message, &mut prepared) {
            state.count(statement, &mut counts);
        }
        if state.is_stopped.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        if to.write_all(message).await.is_err() {
            return;
        }
    }
}

/// The statement that a message of the program has done: a query (`Q`), or one that it prepared (`P`) and binds (`B`), for the first
/// time or once more. None for messages that have nothing done, as when a connection begins. What is bound stands behind it.
fn statement_of(message: &[u8], prepared: &mut HashMap<String, String>) -> Option<String> {
    let text = String::from_utf8_lossy(message).into_owned();
    // Behind the kind and a length: of a preparation the statement's name and its text, of a binding a portal's name and the statement's.
    let mut parts = message.get(5..)?.split(|byte| *byte == 0);
    let mut part = || {
        parts
            .next()
            .map(|part| String::from_utf8_lossy(part).into_owned())
    };
    match message[0] {
        b'P' => {
            prepared.insert(part()?, part()?);
            None
        }
        b'B' => {
            part();
            let statement = prepared.get(&part()?).map_or("", String::as_str);
            Some(format!("{statement}{text}"))
        }
        b'Q' => Some(text),
        _ => None,
    }
}

impl State {
    /// `counts`: whether the connection has said the first statement that counts.
    fn count(&self, statement: String, counts: &mut bool) {
        let is_met = statement.contains(self.stop.from);
        if is_met && self.met.fetch_add(1, Ordering::SeqCst) + 1 == self.stop.which {
            *counts = true;
        }
        let begun = !self.stop.one_connection && self.said.load(Ordering::SeqCst) > 0;
        if (begun || *counts) && self.said.fetch_add(1, Ordering::SeqCst) + 1 == self.stop.at {
            self.is_stopped.store(true, Ordering::SeqCst);
            *self.held.lock().unwrap() = statement;
            self.stopped.notify_one();
        }
    }
}
