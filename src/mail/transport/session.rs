//! One connection to the server, from the greeting to QUIT.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::reply::{Reply, printable};
use super::wire::{Notes, Stream, Tap, Wire};
use super::{Phase, ProbeProblem, SmtpSettings};

/// Replies to the commands of a mail that was begun.
const BEGUN: u64 = 3;

/// QUIT is a courtesy that nobody should wait long for.
const QUIT_WITHIN: Duration = Duration::from_secs(2);

/// Counts open connections, whatever way they end.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(super) fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The extensions that matter to us. Keywords are compared without case (RFC 5321, section 2.4).
#[derive(Default)]
pub(super) struct Offers {
    pub(super) pipelining: bool,
    pub(super) eight_bit_mime: bool,
    pub(super) smtp_utf8: bool,
    pub(super) auth_plain: bool,
    pub(super) auth_login: bool,
    pub(super) auth_xoauth2: bool,
}

impl Offers {
    fn parse(heard: &str) -> Self {
        let mut offers = Self::default();
        let reply = heard.lines().filter(|line| line.starts_with("250"));
        // The first line holds the server's name (RFC 5321, section 4.1.1.1).
        for line in reply.skip(1) {
            let line = line.get(4..).unwrap_or_default().to_ascii_uppercase();
            let mut words = line.split([' ', '=']);
            match words.next() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("8BITMIME") => offers.eight_bit_mime = true,
                Some("SMTPUTF8") => offers.smtp_utf8 = true,
                Some("AUTH") => words.for_each(|mechanism| match mechanism {
                    "PLAIN" => offers.auth_plain = true,
                    "LOGIN" => offers.auth_login = true,
                    "XOAUTH2" => offers.auth_xoauth2 = true,
                    _ => {}
                }),
                _ => {}
            }
        }
        offers
    }
}

pub(super) struct Session {
    pub(super) connection: AsyncSmtpConnection,
    pub(super) notes: Arc<Notes>,
    pub(super) offers: Offers,
    heard: String,
    /// Replies that the commands sent so far must have brought. More than these mean that the server
    /// is out of step, fewer that we are.
    pub(super) awaited: u64,
    pub(super) mails: u32,
    /// A failed transaction is still open at the server and must be reset before the next.
    pub(super) needs_reset: bool,
    /// The commands of the next mail were sent behind the message of the last; their replies are still to be read.
    pub(super) is_begun: bool,
    /// The last message was answered at once.
    pub(super) is_quick: bool,
    /// What was last said, for its memory.
    pub(super) said: String,
    _counted: Counted,
}

impl Session {
    /// Waits for the greeting and says EHLO.
    pub(super) async fn begin(
        stream: Stream,
        replay: &'static [u8],
        settings: &SmtpSettings,
        counted: Counted,
    ) -> Result<Self, String> {
        let tap = Arc::new(Tap::default());
        let (wire, notes) = Wire::new(stream, replay, &tap);
        let hello = ClientId::Domain(settings.hello_name.clone());
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello);
        let connection = match timeout(settings.reply_within, connecting).await {
            Err(_) => return Err("no greeting or answer to EHLO in time".to_owned()),
            Ok(Err(error)) => match Reply::from_lettre(Err(error)) {
                Ok(reply) => return Err(reply.text()),
                Err(error) => return Err(fault(&error, &notes)),
            },
            Ok(Ok(connection)) => connection,
        };
        let heard = std::mem::take(&mut *tap.lock().unwrap_or_else(PoisonError::into_inner));
        let heard = String::from_utf8_lossy(&heard).into_owned();
        Ok(Self {
            connection,
            notes,
            offers: Offers::parse(&heard),
            heard,
            awaited: 2,
            mails: 0,
            needs_reset: false,
            is_begun: false,
            is_quick: false,
            said: String::new(),
            _counted: counted,
        })
    }

    /// The greeting and the answer to EHLO in one line.
    pub(super) fn summary(&self) -> String {
        printable(&self.heard.lines().collect::<Vec<_>>().join(" / "))
    }

    /// Whether exactly the replies came that were asked for; those to a mail that was begun may have come.
    pub(super) fn is_in_step(&self) -> bool {
        let begun = if self.is_begun { BEGUN } else { 0 };
        let asked_for = self.awaited..=self.awaited + begun;
        asked_for.contains(&self.notes.replies()) && !self.notes.ended()
    }

    /// Sends a line (or several, when pipelining) and reads one reply; with no line reads the next reply.
    pub(super) async fn ask(
        &mut self,
        line: Option<&str>,
        within: Duration,
    ) -> Result<Reply, String> {
        self.awaited += 1;
        let answer = timeout(within, async {
            match line {
                Some(line) => self.connection.command(line).await,
                None => self.connection.read_response().await,
            }
        });
        match answer.await {
            Err(_) => Err("no reply in time".to_owned()),
            Ok(result) => Reply::from_lettre(result).map_err(|error| fault(&error, &self.notes)),
        }
    }

    pub(super) async fn noop(&mut self, within: Duration) -> Result<(), ProbeProblem> {
        let problem = |reason| ProbeProblem {
            phase: Phase::Connect,
            reason,
        };
        match self.ask(Some("NOOP\r\n"), within).await {
            Ok(reply) if reply.is_positive() => Ok(()),
            Ok(reply) => Err(problem(reply.text())),
            Err(reason) => Err(problem(reason)),
        }
    }

    pub(super) async fn quit(&mut self) {
        let _ = self.ask(Some("QUIT\r\n"), QUIT_WITHIN).await;
    }
}

/// A failed connection in our own words, since lettre's may quote what the server sent.
pub(super) fn fault(error: &lettre::transport::smtp::Error, notes: &Notes) -> String {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<std::io::Error>() {
            return format!("the connection failed: {}", printable(&error.to_string()));
        }
        source = inner.source();
    }
    if notes.ended() {
        "the server closed the connection".to_owned()
    } else {
        "the server sent something that is no SMTP reply".to_owned()
    }
}
