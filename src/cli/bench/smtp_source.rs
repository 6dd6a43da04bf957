//! The fastest plain SMTP sender that is still fair to compare with: what a ceiling for delivery means.
//!
//! Like postfix's smtp-source it has one thread, keeps its sessions, sends the same mail again and again,
//! one a transaction, and waits for the reply to each command. It makes no mail, signs none and stores nothing.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

const REPLY_BYTES_MAX: usize = 4096;
const RUN_FOR_MAX: Duration = Duration::from_secs(3600);
/// How long after the end of a run the last replies may still come.
const LAST_REPLY_WITHIN: Duration = Duration::from_secs(30);
const MAIL: &[u8] = b"MAIL FROM:<bench@sender.invalid>\r\n";
const RCPT: &[u8] = b"RCPT TO:<bench@recipient.invalid>\r\n";
const DATA: &[u8] = b"DATA\r\n";

#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// This many mails over all sessions, within an hour.
    Mails(u64),
    /// No mail starts after this time; an hour at most.
    For(Duration),
}

#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub mails: u64,
    /// From the first MAIL to the last reply; opening and closing the sessions is not in it.
    pub elapsed: Duration,
}

/// Sends without pipelining: MAIL, RCPT, DATA and the mail each wait for the reply to the one before.
pub async fn run(
    addr: SocketAddr,
    sessions: usize,
    message: &[u8],
    limit: Limit,
) -> io::Result<Sent> {
    send(addr, sessions, message, limit, &[MAIL, RCPT, DATA]).await
}

async fn send(
    addr: SocketAddr,
    sessions: usize,
    message: &[u8],
    limit: Limit,
    writes: &[&[u8]],
) -> io::Result<Sent> {
    let (mails, for_) = match limit {
        Limit::Mails(mails) => (mails, RUN_FOR_MAX),
        Limit::For(for_) => (u64::MAX, for_.min(RUN_FOR_MAX)),
    };
    let plan = Arc::new(Plan {
        writes: writes.iter().map(|write| write.to_vec()).collect(),
        mail: on_the_wire(message),
        mails,
        for_,
        taken: AtomicU64::new(0),
    });
    // A thread cannot be aborted, so it hears from the drop of this end that nobody waits any more.
    let (_waiting, given_up) = oneshot::channel::<()>();
    // In a single-threaded runtime of its own, a reply wakes no other core.
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let all = drive(addr, sessions.max(1), plan);
            tokio::select! {
                sent = timeout(for_ + LAST_REPLY_WITHIN, all) => sent?,
                _ = given_up => Err(ErrorKind::Interrupted.into()),
            }
        })
    })
    .await?
}

struct Plan {
    /// What to write before the mail, a reply to each line of it.
    writes: Vec<Vec<u8>>,
    mail: Vec<u8>,
    mails: u64,
    for_: Duration,
    taken: AtomicU64,
}

impl Plan {
    fn take(&self, spent: Duration) -> bool {
        spent < self.for_ && self.taken.fetch_add(1, Ordering::Relaxed) < self.mails
    }
}

async fn drive(addr: SocketAddr, sessions: usize, plan: Arc<Plan>) -> io::Result<Sent> {
    let mut greeted = Vec::with_capacity(sessions);
    for _ in 0..sessions {
        greeted.push(Session::open(addr).await?);
    }
    let began = Instant::now();
    let mut running = JoinSet::new();
    for session in greeted {
        running.spawn(session.send(Arc::clone(&plan), began));
    }
    let mut sent = Sent {
        mails: 0,
        elapsed: Duration::ZERO,
    };
    while let Some(ended) = running.join_next().await {
        let part = ended??;
        sent.mails += part.mails;
        sent.elapsed = sent.elapsed.max(part.elapsed);
    }
    Ok(sent)
}

struct Session<S> {
    stream: S,
    buffer: Box<[u8]>,
    filled: usize,
}

impl Session<TcpStream> {
    async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let mut session = Self::new(stream);
        session.replies(1, b'2').await?;
        session.stream.write_all(b"EHLO bench.invalid\r\n").await?;
        session.replies(1, b'2').await?;
        Ok(session)
    }

    async fn send(mut self, plan: Arc<Plan>, began: Instant) -> io::Result<Sent> {
        let mut sent = Sent {
            mails: 0,
            elapsed: Duration::ZERO,
        };
        while plan.take(sent.elapsed) {
            for write in &plan.writes {
                self.stream.write_all(write).await?;
                let lines = write.iter().filter(|byte| **byte == b'\n').count();
                let last = if write.ends_with(DATA) { b'3' } else { b'2' };
                self.replies(lines, last).await?;
            }
            self.stream.write_all(&plan.mail).await?;
            self.replies(1, b'2').await?;
            sent.mails += 1;
            sent.elapsed = began.elapsed();
        }
        self.stream.write_all(b"QUIT\r\n").await?;
        self.replies(1, b'2').await?;
        Ok(sent)
    }
}

impl<S: AsyncRead + Unpin> Session<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: vec![0; REPLY_BYTES_MAX].into(),
            filled: 0,
        }
    }

    /// Reads replies, all of them positive, and the last of the class that `last` begins. Nothing else is
    /// under way then, so whatever came beyond them is an error.
    async fn replies(&mut self, count: usize, last: u8) -> io::Result<()> {
        let (mut seen, mut start) = (0, 0);
        self.filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.filled += read;
            while let Some(length) = self.buffer[start..self.filled]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                let line = &self.buffer[start..start + length];
                start += length + 1;
                // RFC 5321, section 4.2.1: a hyphen after the code says that more lines follow.
                if line.get(3) == Some(&b'-') {
                    continue;
                }
                seen += 1;
                let wanted = if seen == count { last } else { b'2' };
                if line.first() != Some(&wanted) || seen > count {
                    let line = String::from_utf8_lossy(line).into_owned();
                    return Err(io::Error::other(format!("an unwanted reply: {line}")));
                }
            }
            if seen == count && start == self.filled {
                return Ok(());
            }
            if self.filled == self.buffer.len() {
                return Err(io::Error::other("replies too long"));
            }
        }
    }
}

/// The mail as DATA carries it: dots doubled at the start of lines (RFC 5321, section 4.5.2), and its end.
fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    if !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::super::smtp_sink::SmtpSink;
    use super::*;

    #[test]
    fn dots_are_doubled_and_the_end_is_marked() {
        assert_eq!(on_the_wire(b".a\r\nb.\r\n."), b"..a\r\nb.\r\n..\r\n.\r\n");
    }

    #[tokio::test]
    async fn both_manners_send_just_as_many_mails_as_asked() {
        let sink = SmtpSink::start().await.unwrap();
        let message = b"Subject: x\r\n\r\n.dot\r\n";
        let sent = run(sink.addr, 3, message, Limit::Mails(20)).await.unwrap();
        assert_eq!((sent.mails, sink.mails()), (20, 20));
        assert_eq!(sink.bytes(), 20 * message.len() as u64);
    }

    #[tokio::test]
    async fn a_reply_that_refuses_ends_the_run_with_its_words() {
        let mut session = Session::new(&b"250 ok\r\n550 no\r\n"[..]);
        let refused = session.replies(2, b'2').await.unwrap_err();
        assert!(refused.to_string().contains("550 no"));
    }

    #[tokio::test]
    async fn replies_cut_anywhere_are_read_as_one() {
        let (mut server, client) = tokio::io::duplex(1);
        let mut session = Session::new(client);
        let (said, heard) = tokio::join!(
            server.write_all(b"250-one\r\n250 two\r\n354 go\r\n"),
            session.replies(2, b'3')
        );
        assert!(said.is_ok() && heard.is_ok());
    }
}
