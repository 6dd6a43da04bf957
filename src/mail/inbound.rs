//! Taking reports: a small server for LMTP (RFC 2033) and SMTP (RFC 5321) that takes mail for our own envelope senders and for
//! nobody else. Everything has a limit; a message counts as taken once it was worked off.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bounce::MESSAGE_AT_MOST;

/// Conversations at once; more are told to come back.
const SESSIONS: usize = 32;
/// Of a command: RFC 5321, section 4.5.3.1.4 asks for 512; extensions add to it. Lines of a message may be as long as the message:
/// complaints return what was sent, and not everybody keeps to the 1,000 bytes of section 4.5.3.1.6.
const COMMAND_LINE_AT_MOST: usize = 2_000;
const RECIPIENTS_AT_MOST: usize = 20;
const ADDRESS_AT_MOST: usize = 320;
const COMMANDS_AT_MOST: usize = 1_000;
const ERRORS_AT_MOST: usize = 10;
/// How long a client may take for a command, and for a message.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
const MESSAGE_WITHIN: Duration = Duration::from_secs(300);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Taken,
    /// It could not be written; the client tries again.
    Later,
}

/// Serves until `stop` is done; conversations under way end with it, and what was not acknowledged comes again.
pub async fn serve<K, T, F>(
    listener: TcpListener,
    knows: K,
    take: T,
    stop: impl Future<Output = ()>,
) where
    K: Fn(&str) -> bool + Send + Sync + 'static,
    T: Fn(String, Arc<Vec<u8>>) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send,
{
    let (knows, take) = (Arc::new(knows), Arc::new(take));
    let room = Arc::new(Semaphore::new(SESSIONS));
    let mut sessions = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => return,
            Some(_) = sessions.join_next(), if !sessions.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let mut stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection for reports could not be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Ok(place) = room.clone().try_acquire_owned() else {
            let busy = stream.write_all(b"421 4.3.2 Too many connections, try again\r\n");
            let _ = timeout(Duration::from_secs(1), busy).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (knows, take) = (knows.clone(), take.clone());
        sessions.spawn(async move {
            let session = Session::new(stream, &*knows, &*take);
            if let Err(error) = session.run().await {
                tracing::debug!(%error, "a conversation about reports was cut off");
            }
            drop(place);
        });
    }
}

/// One conversation.
struct Session<'a, S, K, T> {
    stream: BufReader<S>,
    knows: &'a K,
    take: &'a T,
    /// Whether the client speaks LMTP, where each recipient gets an answer of its own.
    lmtp: bool,
    greeted: bool,
    has_sender: bool,
    recipients: Vec<String>,
    errors: usize,
}

/// A line that was read.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    End,
}

impl<'a, S, K, T, F> Session<'a, S, K, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    K: Fn(&str) -> bool,
    T: Fn(String, Arc<Vec<u8>>) -> F,
    F: Future<Output = Answer>,
{
    fn new(stream: S, knows: &'a K, take: &'a T) -> Self {
        Self {
            stream: BufReader::new(stream),
            knows,
            take,
            lmtp: false,
            greeted: false,
            has_sender: false,
            recipients: Vec::new(),
            errors: 0,
        }
    }

    async fn run(mut self) -> std::io::Result<()> {
        self.say("220 countersign takes reports").await?;
        for _ in 0..COMMANDS_AT_MOST {
            let line = match timeout(COMMAND_WITHIN, self.line(COMMAND_LINE_AT_MOST)).await {
                Ok(line) => line?,
                Err(_) => return self.say("421 4.4.2 Took too long").await,
            };
            let line = match line {
                Line::End => return Ok(()),
                Line::TooLong => {
                    self.wrong("500 5.5.2 The line is too long").await?;
                    continue;
                }
                Line::Whole(line) => line,
            };
            let text = String::from_utf8_lossy(&line).into_owned();
            if self.command(text.trim_end()).await? {
                return Ok(());
            }
            if self.errors > ERRORS_AT_MOST {
                return self.say("421 4.7.0 Too many errors").await;
            }
        }
        self.say("421 4.7.0 Too many commands").await
    }

    /// True where the conversation is over.
    async fn command(&mut self, line: &str) -> std::io::Result<bool> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "QUIT" => {
                self.say("221 2.0.0 Bye").await?;
                return Ok(true);
            }
            "HELO" => self.greet(false, false).await?,
            "EHLO" => self.greet(false, true).await?,
            "LHLO" => self.greet(true, true).await?,
            "NOOP" => self.say("250 2.0.0 OK").await?,
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 OK").await?;
            }
            "VRFY" => self.say("252 2.5.0 Send it and see").await?,
            "MAIL" => self.mail(rest).await?,
            "RCPT" => self.recipient(rest).await?,
            "DATA" => return self.data().await,
            _ => self.wrong("502 5.5.1 Not a command of this server").await?,
        }
        Ok(false)
    }

    async fn greet(&mut self, lmtp: bool, extended: bool) -> std::io::Result<()> {
        self.reset();
        self.greeted = true;
        self.lmtp = lmtp;
        if !extended {
            return self.say("250 countersign").await;
        }
        let text = format!(
            "250-countersign\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {MESSAGE_AT_MOST}"
        );
        self.say(&text).await
    }

    async fn mail(&mut self, rest: &str) -> std::io::Result<()> {
        if !self.greeted || self.has_sender {
            return self.wrong("503 5.5.1 Not now").await;
        }
        if path_of(rest, "FROM:").is_none() {
            return self.wrong("501 5.5.4 MAIL FROM:<address>").await;
        }
        let size = rest
            .split_ascii_whitespace()
            .filter_map(|word| word.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("SIZE"))
            .and_then(|(_, size)| size.parse::<usize>().ok());
        if size.is_some_and(|size| size > MESSAGE_AT_MOST) {
            return self.say("552 5.3.4 Larger than a report may be").await;
        }
        self.has_sender = true;
        self.say("250 2.1.0 OK").await
    }

    async fn recipient(&mut self, rest: &str) -> std::io::Result<()> {
        if !self.has_sender {
            return self.wrong("503 5.5.1 MAIL first").await;
        }
        let Some(address) = path_of(rest, "TO:").filter(|one| one.len() <= ADDRESS_AT_MOST) else {
            return self.wrong("501 5.5.4 RCPT TO:<address>").await;
        };
        if self.recipients.len() >= RECIPIENTS_AT_MOST {
            return self.say("452 4.5.3 Too many recipients").await;
        }
        // Whoever makes one up learns no more than that nobody is there.
        if !(self.knows)(address) {
            return self.wrong("550 5.1.1 No such address here").await;
        }
        self.recipients.push(address.to_owned());
        self.say("250 2.1.5 OK").await
    }

    async fn data(&mut self) -> std::io::Result<bool> {
        if self.recipients.is_empty() {
            self.wrong("503 5.5.1 RCPT first").await?;
            return Ok(false);
        }
        self.say("354 End with a line that has a dot alone").await?;
        let read = timeout(MESSAGE_WITHIN, self.message()).await;
        let Ok(message) = read else {
            self.say("421 4.4.2 Took too long").await?;
            return Ok(true);
        };
        let recipients = std::mem::take(&mut self.recipients);
        self.reset();
        let message = match message? {
            Body::Whole(message) => Arc::new(message),
            Body::TooLarge => {
                let times = if self.lmtp { recipients.len() } else { 1 };
                for _ in 0..times {
                    self.say("552 5.3.4 Larger than a report may be").await?;
                }
                return Ok(false);
            }
            Body::CutOff => return Ok(true),
        };
        let mut all = Answer::Taken;
        for recipient in recipients {
            let answer = (self.take)(recipient, message.clone()).await;
            if self.lmtp {
                self.answer(answer).await?;
            } else if answer == Answer::Later {
                all = answer;
            }
        }
        if !self.lmtp {
            self.answer(all).await?;
        }
        Ok(false)
    }

    async fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.say(match answer {
            Answer::Taken => "250 2.0.0 Taken",
            Answer::Later => "451 4.3.0 Try again",
        })
        .await
    }

    /// The message up to a dot alone on a line. Only CRLF ends a line: a bare LF is part of it, so that nothing can be hidden
    /// behind what other servers take for an end.
    async fn message(&mut self) -> std::io::Result<Body> {
        let mut message = Vec::new();
        let (mut too_large, mut at_start) = (false, true);
        loop {
            let mut line = match self.line(MESSAGE_AT_MOST).await? {
                Line::End => return Ok(Body::CutOff),
                Line::Whole(line) => line,
                Line::TooLong => {
                    too_large = true;
                    at_start = true;
                    continue;
                }
            };
            if at_start && line == b".\r\n" {
                break;
            }
            if at_start && line.first() == Some(&b'.') {
                line.remove(0);
            }
            at_start = line.ends_with(b"\r\n");
            if message.len() + line.len() > MESSAGE_AT_MOST {
                too_large = true;
            }
            if !too_large {
                message.extend_from_slice(&line);
            }
        }
        Ok(if too_large {
            Body::TooLarge
        } else {
            Body::Whole(message)
        })
    }

    /// Up to the next LF. Of a line that is too long only the end is looked for.
    async fn line(&mut self, at_most: usize) -> std::io::Result<Line> {
        let mut line = Vec::new();
        let mut too_long = false;
        loop {
            let there = self.stream.fill_buf().await?;
            if there.is_empty() {
                return Ok(Line::End);
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(there.len(), |at| at + 1);
            if line.len() + taken > at_most {
                too_long = true;
                line = Vec::new();
            } else if !too_long {
                line.extend_from_slice(&there[..taken]);
            }
            self.stream.consume(taken);
            if end.is_some() {
                return Ok(if too_long {
                    Line::TooLong
                } else {
                    Line::Whole(line)
                });
            }
        }
    }

    fn reset(&mut self) {
        self.has_sender = false;
        self.recipients.clear();
    }

    async fn wrong(&mut self, text: &str) -> std::io::Result<()> {
        self.errors += 1;
        self.say(text).await
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        let line = format!("{text}\r\n");
        let said = timeout(
            COMMAND_WITHIN,
            self.stream.get_mut().write_all(line.as_bytes()),
        );
        said.await.unwrap_or_else(|_| {
            let late = std::io::ErrorKind::TimedOut;
            Err(std::io::Error::new(late, "the client does not read"))
        })
    }
}

enum Body {
    Whole(Vec<u8>),
    TooLarge,
    CutOff,
}

/// The address between the angle brackets, without a source route (RFC 5321, appendix C).
fn path_of<'a>(rest: &'a str, keyword: &str) -> Option<&'a str> {
    let rest = rest.trim_start();
    let start = rest.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let inner = rest[keyword.len()..].trim_start().strip_prefix('<')?;
    let path = inner.split_once('>')?.0;
    Some(match path.strip_prefix('@') {
        Some(route) => route.split_once(':').map_or(path, |parts| parts.1),
        None => path,
    })
}
