//! A small HTTP server of a test's own, on a real socket: it answers as it is told, and can hang, drip or break off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub head: String,
    /// The head as it came: `head` is in small letters.
    pub raw_head: String,
    pub body: Vec<u8>,
}

/// What goes out.
#[derive(Clone, Debug)]
pub enum Reaction {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// The connection stays open, and nothing comes.
    Hang,
    /// The head at once, then a byte each 50 ms without end.
    Drip,
    /// These bytes, then the end.
    Raw(Vec<u8>),
}

impl Reaction {
    pub fn ok(kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer {
            status: 200,
            headers: vec![("content-type", kind.to_owned())],
            body: body.into(),
        }
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type", "text/plain".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }
}

/// The server; it ends with the test.
pub struct Peer {
    pub port: u16,
    asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    pub async fn start(react: impl Fn(Request) -> Reaction + Send + Sync + 'static) -> Self {
        Self::start_at(0, react).await
    }

    /// At a port that an earlier one had.
    pub async fn start_at(
        port: u16,
        react: impl Fn(Request) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        Self::begin(port, None, react).await
    }

    /// Over TLS.
    pub async fn start_tls(
        tls: TlsAcceptor,
        react: impl Fn(Request) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        Self::begin(0, Some(tls), react).await
    }

    async fn begin(
        port: u16,
        tls: Option<TlsAcceptor>,
        react: impl Fn(Request) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (react, count) = (Arc::new(react), asked.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (react, count, tls) = (react.clone(), count.clone(), tls.clone());
                tokio::spawn(async move {
                    // A client that breaks off is what some tests are about.
                    let _ = match tls {
                        None => serve(stream, &*react, &count).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &*react, &count).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self { port, asked, task }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Requests that came in whole.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    react: &(dyn Fn(Request) -> Reaction + Send + Sync),
    count: &AtomicUsize,
) -> std::io::Result<()> {
    let request = read(&mut stream).await?;
    count.fetch_add(1, Ordering::SeqCst);
    match react(request) {
        Reaction::Answer {
            status,
            headers,
            body,
        } => {
            let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
        Reaction::Hang => std::future::pending().await,
        Reaction::Drip => {
            stream.write_all(b"HTTP/1.1 200 x\r\n\r\n").await?;
            loop {
                stream.write_all(b"x").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Reaction::Raw(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let raw_head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let head = raw_head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse::<usize>().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut words = head.split(' ');
    Ok(Request {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        head,
        raw_head,
        body,
    })
}
