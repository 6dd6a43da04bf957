//! An SMTP server inside the process that takes every mail and throws it away, to measure senders.
//!
//! It has a thread of its own, as an SMTP server would be a process of its own, and is written so that the
//! sender stays the slower side: bodies are scanned where they were read and never copied, and the replies
//! to all commands of one read leave in one write (RFC 2920, section 3.2).

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use self::body::{Body, through_line_feed};

mod body;

const READ_BYTES: usize = 64 * 1024;
/// RFC 5321, section 4.5.3.1.4 wants 512; parameters may make a line longer.
const LINE_BYTES_MAX: usize = 2048;
const SESSIONS_MAX: usize = 1024;
const GREETING: &[u8] = b"220 sink.invalid ESMTP\r\n";
const CAPABILITIES: &[u8] = b"250-sink.invalid\r\n250-PIPELINING\r\n250-8BITMIME\r\n\
    250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 104857600\r\n";

/// A running sink; dropping it stops it too.
pub struct SmtpSink {
    pub addr: SocketAddr,
    counts: Arc<Counts>,
    _running: oneshot::Sender<()>,
}

#[derive(Default)]
struct Counts {
    mails: AtomicU64,
    bytes: AtomicU64,
}

impl SmtpSink {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let (running, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let accepting = accept(listener, Arc::clone(&counts));
        std::thread::Builder::new()
            .name("smtp-sink".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        _ = accepting => {}
                    }
                });
            })?;
        Ok(Self {
            addr,
            counts,
            _running: running,
        })
    }

    /// The mails whose end has been read.
    pub fn mails(&self) -> u64 {
        self.counts.mails.load(Ordering::Relaxed)
    }

    /// The bytes of those mails, without the dots that the protocol adds.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// Closes the port and all sessions.
    pub fn stop(self) {}
}

async fn accept(listener: std::net::TcpListener, counts: Arc<Counts>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut sessions = JoinSet::new();
    loop {
        while sessions.try_join_next().is_some() {}
        if sessions.len() >= SESSIONS_MAX {
            sessions.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                sessions.spawn(serve(stream, Arc::clone(&counts)));
            }
            // Out of file descriptors, mostly: a session that ends gives one back.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(mut stream: TcpStream, counts: Arc<Counts>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(GREETING).await?;
    let mut dialogue = Dialogue::new(counts);
    let mut buffer = vec![0; READ_BYTES];
    let mut replies = Vec::with_capacity(1024);
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let goes_on = dialogue.hear(&buffer[..count], &mut replies);
        if !replies.is_empty() {
            stream.write_all(&replies).await?;
            replies.clear();
        }
        if !goes_on {
            return stream.shutdown().await;
        }
    }
}

/// Where a session stands between two reads.
struct Dialogue {
    counts: Arc<Counts>,
    /// Inside a mail, what was last read of it.
    body: Option<Body>,
    /// The beginning of a command whose end has not come yet.
    held: Vec<u8>,
    envelope: Envelope,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Envelope {
    Empty,
    Sender,
    Recipient,
}

impl Dialogue {
    fn new(counts: Arc<Counts>) -> Self {
        Self {
            counts,
            body: None,
            held: Vec::new(),
            envelope: Envelope::Empty,
        }
    }

    /// Takes what was read, appends the replies, and says whether the session goes on.
    fn hear(&mut self, mut bytes: &[u8], replies: &mut Vec<u8>) -> bool {
        while !bytes.is_empty() {
            if let Some(body) = &mut self.body {
                let Some(size) = body.scan(&mut bytes) else {
                    return true;
                };
                self.body = None;
                self.envelope = Envelope::Empty;
                self.counts.bytes.fetch_add(size, Ordering::Relaxed);
                let number = self.counts.mails.fetch_add(1, Ordering::Relaxed) + 1;
                // Writing into a vector cannot fail.
                let _ = write!(replies, "250 2.0.0 queued {number}\r\n");
                continue;
            }
            let line = through_line_feed(&mut bytes);
            if self.held.len() + line.len() > LINE_BYTES_MAX {
                replies.extend_from_slice(b"500 5.5.2 line too long\r\n");
                return false;
            }
            let goes_on = if !line.ends_with(b"\n") {
                self.held.extend_from_slice(line);
                true
            } else if self.held.is_empty() {
                self.obey(line, replies)
            } else {
                let mut whole = std::mem::take(&mut self.held);
                whole.extend_from_slice(line);
                self.obey(&whole, replies)
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// Answers one command. The order of an envelope is checked, so that no half a transaction counts.
    fn obey(&mut self, line: &[u8], replies: &mut Vec<u8>) -> bool {
        let mut verb = [0; 4];
        let name = line.get(..4).unwrap_or_default();
        verb[..name.len()].copy_from_slice(name);
        verb.make_ascii_uppercase();
        let reply: &[u8] = match (&verb, self.envelope) {
            (b"MAIL", Envelope::Empty) => {
                self.envelope = Envelope::Sender;
                b"250 2.1.0 ok\r\n"
            }
            (b"RCPT", Envelope::Sender | Envelope::Recipient) => {
                self.envelope = Envelope::Recipient;
                b"250 2.1.5 ok\r\n"
            }
            (b"DATA", Envelope::Recipient) => {
                self.body = Some(Body::default());
                b"354 go on\r\n"
            }
            (b"MAIL" | b"RCPT" | b"DATA", _) => b"503 5.5.1 not now\r\n",
            (b"EHLO", _) => {
                self.envelope = Envelope::Empty;
                CAPABILITIES
            }
            (b"HELO" | b"RSET", _) => {
                self.envelope = Envelope::Empty;
                b"250 2.0.0 ok\r\n"
            }
            (b"NOOP", _) => b"250 2.0.0 ok\r\n",
            (b"QUIT", _) => b"221 2.0.0 bye\r\n",
            _ => b"500 5.5.1 unknown\r\n",
        };
        replies.extend_from_slice(reply);
        verb != *b"QUIT"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &[u8] = b"EHLO me\r\nmail from:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n\
        Subject: x\r\n\r\n..dot\r\n\n.\nbare\r\n.\r\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\nQUIT\r\n";

    fn talk(pieces: impl Iterator<Item = &'static [u8]>) -> (String, u64, u64) {
        let counts = Arc::new(Counts::default());
        let mut dialogue = Dialogue::new(Arc::clone(&counts));
        let mut replies = Vec::new();
        for piece in pieces {
            dialogue.hear(piece, &mut replies);
        }
        let replies = String::from_utf8(replies).unwrap();
        let mails = counts.mails.load(Ordering::Relaxed);
        (replies, mails, counts.bytes.load(Ordering::Relaxed))
    }

    #[test]
    fn reads_that_cut_anywhere_give_the_same_replies_and_counts() {
        let whole = talk([TALK].into_iter());
        let body = "Subject: x\r\n\r\n.dot\r\n\n.\nbare\r\n\r\r\n".len() as u64;
        assert_eq!((whole.1, whole.2), (2, body));
        let said = whole.0.lines().map(|line| &line[..3]).collect::<Vec<_>>();
        let after_ehlo = [
            "250", "250", "354", "250", "250", "250", "354", "250", "221",
        ];
        assert_eq!(said[6..], after_ehlo);
        for size in 1..TALK.len() {
            assert_eq!(talk(TALK.chunks(size)), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn a_transaction_out_of_order_is_refused() {
        let (replies, mails, _) =
            talk([&b"MAIL FROM:<>\r\nDATA\r\nMAIL FROM:<>\r\n"[..]].into_iter());
        assert_eq!(replies.matches("503").count(), 2);
        assert_eq!(mails, 0);
    }

    #[test]
    fn an_endless_command_ends_the_session() {
        let mut dialogue = Dialogue::new(Arc::default());
        let mut replies = Vec::new();
        assert!(dialogue.hear(&[b'x'; LINE_BYTES_MAX], &mut replies));
        assert!(!dialogue.hear(b"x", &mut replies));
        assert!(replies.starts_with(b"500 "));
    }

    #[tokio::test]
    async fn a_stopped_sink_closes_its_sessions() {
        let sink = SmtpSink::start().await.unwrap();
        let mut stream = TcpStream::connect(sink.addr).await.unwrap();
        sink.stop();
        let mut said = Vec::new();
        // A session cut before its greeting may be reset instead of ended.
        let _ = stream.read_to_end(&mut said).await;
        assert!(GREETING.starts_with(&said));
    }
}
