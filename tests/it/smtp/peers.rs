//! A server that misbehaves on demand, and what all tests of the transport need.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use countersign::mail::transport::{Envelope, Login, Outcome, SmtpSettings, Tls, Transport};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// Nothing in these tests takes so long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

static IS_QUICK: LazyLock<bool> = LazyLock::new(|| std::env::var("COUNTERSIGN_TEST_QUICK").is_ok());

/// Whether to leave out a test that needs Python or openssl.
pub fn is_left_out(what: &str) -> bool {
    if *IS_QUICK {
        eprintln!("left out in the quick check: {what}");
    }
    *IS_QUICK
}

pub fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::Plain,
        login: Login::None,
        hello_name: "client.example.org".into(),
        max_sessions: 4,
        max_mails_per_session: 100,
        extra_root_certificates: Vec::new(),
        connect_within: Duration::from_secs(10),
        reply_within: Duration::from_secs(10),
        final_reply_within: Duration::from_secs(10),
        idle_for: Duration::from_secs(60),
    }
}

pub fn envelope(to: &str) -> Envelope {
    Envelope {
        from: "bounces+7f@example.org".into(),
        to: to.into(),
    }
}

pub const MESSAGE: &[u8] = b"From: News <news@example.org>\r\nTo: ann@example.net\r\n\
    Subject: Please confirm\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n\
    Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\
    \r\nHello,\r\n.a line with a dot\r\n.\r\n..\r\nbye\r\n";

pub async fn send(transport: &Transport, to: &str) -> Outcome {
    let envelope = envelope(to);
    timeout(PATIENCE, transport.send(&envelope, MESSAGE))
        .await
        .expect("send came back")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Greeting,
    Hello,
    StartTls,
    Auth,
    /// The line after a 334.
    AuthAnswer,
    MailFrom,
    Recipient,
    Data,
    /// The first bytes of a message.
    InMessage,
    AfterDot,
    Reset,
    Noop,
    Quit,
    /// The connection is over; what the script says here is not heard.
    Closed,
}

pub enum Action {
    Usual,
    Say(String),
    SayAndDrop(String),
    Drop,
    Stall,
    /// Does as usual once it is told to.
    After(Arc<Notify>),
    /// Says this again and again, for as long as somebody listens.
    Endless(&'static str),
}

pub fn say(text: &str) -> Action {
    Action::Say(format!("{text}\r\n"))
}

/// What the peer is at: the connection, and how often this step was reached on it before.
pub struct Turn<'a> {
    pub step: Step,
    pub line: &'a str,
    pub connection: usize,
    pub before: usize,
}

type Script = dyn Fn(&Turn<'_>) -> Action + Send + Sync;

/// A server on the loopback address that follows a script and writes down what it was told.
pub struct Peer {
    pub port: u16,
    steps: mpsc::UnboundedReceiver<Step>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    lines: Mutex<Vec<String>>,
    messages: Mutex<Vec<Vec<u8>>>,
}

impl Peer {
    pub async fn start(
        offers: &'static [&'static str],
        script: impl Fn(&Turn<'_>) -> Action + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (script, seen): (Arc<Script>, _) = (Arc::new(script), Arc::new(Seen::default()));
        let (reached, steps) = mpsc::unbounded_channel();
        let theirs = Arc::clone(&seen);
        tokio::spawn(async move {
            for number in 0.. {
                let Ok((socket, _)) = listener.accept().await else {
                    break;
                };
                // The replies to pipelined commands must not wait for each other's acknowledgement.
                socket.set_nodelay(true).unwrap();
                let conversation = Conversation {
                    socket: BufReader::new(socket),
                    offers,
                    number,
                    script: Arc::clone(&script),
                    seen: Arc::clone(&theirs),
                    reached: reached.clone(),
                    counts: HashMap::new(),
                };
                tokio::spawn(conversation.hold());
            }
        });
        Self { port, steps, seen }
    }

    /// Waits until some connection has reached the step.
    pub async fn until(&mut self, step: Step) {
        timeout(PATIENCE, async {
            while self.steps.recv().await.expect("the peer runs") != step {}
        })
        .await
        .unwrap_or_else(|_| panic!("{step:?} was not reached"));
    }

    /// What was reached so far is not waited for again.
    pub fn forget_steps(&mut self) {
        while self.steps.try_recv().is_ok() {}
    }

    /// Every command line of every connection, in the order of arrival.
    pub fn lines(&self) -> Vec<String> {
        self.seen.lines.lock().unwrap().clone()
    }

    pub fn count(&self, verb: &str) -> usize {
        self.lines()
            .iter()
            .filter(|line| line.starts_with(verb))
            .count()
    }

    /// Every message as it came over the wire, dots still doubled, without the end-of-data sequence.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        self.seen.messages.lock().unwrap().clone()
    }
}

struct Conversation {
    socket: BufReader<TcpStream>,
    offers: &'static [&'static str],
    number: usize,
    script: Arc<Script>,
    seen: Arc<Seen>,
    reached: mpsc::UnboundedSender<Step>,
    counts: HashMap<Step, usize>,
}

impl Conversation {
    async fn hold(mut self) {
        let _ = self.talk().await;
        drop(self.socket);
        let _ = self.reached.send(Step::Closed);
    }

    async fn talk(&mut self) -> Option<()> {
        let mut last = self.answer(Step::Greeting, "").await?;
        loop {
            let mut line = String::new();
            let length = self.socket.read_line(&mut line).await.ok()?;
            if length == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            self.seen.lines.lock().unwrap().push(line.clone());
            let step = match line.split([' ', ':']).next().unwrap_or_default() {
                _ if last.starts_with("334") => Step::AuthAnswer,
                "EHLO" => Step::Hello,
                "STARTTLS" => Step::StartTls,
                "AUTH" => Step::Auth,
                "MAIL" => Step::MailFrom,
                "RCPT" => Step::Recipient,
                "DATA" => Step::Data,
                "RSET" => Step::Reset,
                "NOOP" => Step::Noop,
                "QUIT" => Step::Quit,
                _ => {
                    self.socket.write_all(b"500 what?\r\n").await.ok()?;
                    continue;
                }
            };
            last = self.answer(step, &line).await?;
            if step == Step::Quit {
                return None;
            }
            if last.starts_with("354") {
                last = self.read_message().await?;
            }
        }
    }

    async fn read_message(&mut self) -> Option<String> {
        let mut message = vec![self.socket.read_u8().await.ok()?];
        self.answer(Step::InMessage, "").await?;
        while !message.ends_with(b"\r\n.\r\n") {
            message.push(self.socket.read_u8().await.ok()?);
        }
        message.truncate(message.len() - 3);
        self.seen.messages.lock().unwrap().push(message);
        self.answer(Step::AfterDot, "").await
    }

    /// Says what the script wants; gives nothing when the conversation is over.
    async fn answer(&mut self, step: Step, line: &str) -> Option<String> {
        let count = self.counts.entry(step).or_default();
        let turn = Turn {
            step,
            line,
            connection: self.number,
            before: *count,
        };
        let action = (self.script)(&turn);
        *count += 1;
        let _ = self.reached.send(step);
        let (text, is_last) = match action {
            Action::Usual => (self.usual(step), false),
            Action::Say(text) => (text, false),
            Action::SayAndDrop(text) => (text, true),
            Action::Drop => return None,
            // Reads nothing more; ends when the runtime of the test does.
            Action::Stall => std::future::pending().await,
            Action::After(told) => {
                told.notified().await;
                (self.usual(step), false)
            }
            Action::Endless(text) => loop {
                self.socket.write_all(text.as_bytes()).await.ok()?;
            },
        };
        self.socket.write_all(text.as_bytes()).await.ok()?;
        (!is_last).then_some(text)
    }

    fn usual(&self, step: Step) -> String {
        match step {
            Step::Greeting => "220 peer.example.net ESMTP\r\n".into(),
            Step::Hello => {
                let mut text = String::from("250-peer.example.net\r\n");
                self.offers
                    .iter()
                    .for_each(|offer| text += &format!("250-{offer}\r\n"));
                text + "250 HELP\r\n"
            }
            Step::Auth | Step::AuthAnswer => "235 2.7.0 ok\r\n".into(),
            Step::Data => "354 go ahead\r\n".into(),
            Step::InMessage | Step::Closed => String::new(),
            Step::AfterDot => {
                let lines = self.seen.lines.lock().unwrap();
                let mail = lines.iter().rev().find(|line| line.starts_with("RCPT"));
                format!("250 2.0.0 taken {}\r\n", mail.map_or("", |line| line))
            }
            Step::Quit => "221 bye\r\n".into(),
            _ => "250 2.0.0 ok\r\n".into(),
        }
    }
}
