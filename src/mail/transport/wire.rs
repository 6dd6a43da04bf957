//! The byte stream under lettre's connection, with the few facts about it that lettre does not tell:
//! how much was written, how many replies came, and what the server offers.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

/// lettre parses a reply anew at each of its lines, which is quadratic work, so the lines are bounded
/// here and not only the bytes. No server needs so many, not even for EHLO.
const MAX_REPLY_LINES: u32 = 200;

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What a session may ask about the stream that lettre owns.
pub(super) struct Notes {
    opened_at: Instant,
    last_write: AtomicU64,
    written: AtomicU64,
    replies: AtomicU64,
    ended: AtomicBool,
}

impl Notes {
    fn new() -> Self {
        Self {
            opened_at: Instant::now(),
            last_write: AtomicU64::new(0),
            written: AtomicU64::new(0),
            replies: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// Bytes that the socket or the TLS layer took from us.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Complete replies that arrived, read by anyone yet or not.
    pub(super) fn replies(&self) -> u64 {
        self.replies.load(Relaxed)
    }

    /// Whether the server closed its side.
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    pub(super) fn last_write_at(&self) -> Instant {
        self.opened_at + Duration::from_micros(self.last_write.load(Relaxed))
    }

    fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Relaxed);
        let micros = self.opened_at.elapsed().as_micros();
        self.last_write
            .store(u64::try_from(micros).unwrap_or(u64::MAX), Relaxed);
    }
}

/// Records what the server says for as long as the other end of the `Weak` is kept, which is during
/// greeting and EHLO: lettre keeps no word of them but a few extensions.
pub(super) type Tap = Mutex<Vec<u8>>;

pub(super) struct Wire {
    stream: Stream,
    /// Read before anything from the stream.
    replay: &'static [u8],
    notes: Arc<Notes>,
    tap: Weak<Tap>,
    column: u32,
    continued: bool,
    lines: u32,
}

impl Wire {
    pub(super) fn new(stream: Stream, replay: &'static [u8], tap: &Arc<Tap>) -> (Self, Arc<Notes>) {
        let notes = Arc::new(Notes::new());
        let wire = Self {
            stream,
            replay,
            notes: Arc::clone(&notes),
            tap: Arc::downgrade(tap),
            column: 0,
            continued: false,
            lines: 0,
        };
        (wire, notes)
    }

    /// Looks at what was read before lettre sees it: counts replies and lines, and makes it ASCII,
    /// because lettre takes a reply in another character set for a broken connection.
    fn inspect(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        for byte in bytes.iter_mut() {
            match (*byte, self.column) {
                (b'\n', _) => {
                    if self.continued {
                        self.lines += 1;
                    } else {
                        self.notes.replies.fetch_add(1, Relaxed);
                        self.lines = 0;
                    }
                    (self.column, self.continued) = (0, false);
                    continue;
                }
                // RFC 5321, section 4.2.1: the hyphen after the code says that more lines follow.
                (b'-', 3) => self.continued = true,
                (0x80.., _) => *byte = b'?',
                _ => {}
            }
            self.column = self.column.saturating_add(1);
        }
        if self.lines > MAX_REPLY_LINES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a reply has too many lines",
            ));
        }
        if let Some(tap) = self.tap.upgrade() {
            tap.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(bytes);
        }
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        let before = buffer.filled().len();
        if wire.replay.is_empty() {
            ready!(match &mut wire.stream {
                Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
                Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            })?;
        } else {
            let (now, later) = wire
                .replay
                .split_at(wire.replay.len().min(buffer.remaining()));
            buffer.put_slice(now);
            wire.replay = later;
        }
        let read = &mut buffer.filled_mut()[before..];
        if read.is_empty() {
            wire.notes.ended.store(true, Relaxed);
        }
        Poll::Ready(wire.inspect(read))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        })?;
        self.notes.wrote(taken);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Wire")
    }
}
