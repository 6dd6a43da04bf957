//! Taking reports by LMTP and SMTP: from a real client, from clients that misbehave, and only for addresses that we made.

use std::process::Command;
use std::time::Duration;

use countersign::domain::envelope::Returned;
use countersign::mail::bounce::MESSAGE_AT_MOST;
use countersign::store::Engine;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::bounces::{feedback, report, return_path};
use super::{brand, confirmed};
use crate::harness::World;
use crate::on_both_engines;
use crate::smtp::peers::{Action, Peer};

/// The door of a world, open until the test ends it.
struct Door {
    port: u16,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Door {
    async fn of(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let app = world.app.clone();
        let serving = tokio::spawn(app.take_reports(listener, async {
            let _ = stopped.await;
        }));
        Self {
            port,
            stop,
            serving,
        }
    }

    async fn close(self) {
        let _ = self.stop.send(());
        self.serving.await.unwrap();
    }

    async fn connect(&self) -> Line {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut line = Line(BufReader::new(stream));
        assert!(line.hear().await.starts_with("220 "));
        line
    }
}

/// A conversation, line by line.
struct Line(BufReader<TcpStream>);

impl Line {
    async fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    /// The last line of a reply; empty where the server has closed.
    async fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(Duration::from_secs(10), self.0.read_line(&mut line));
            if read.await.unwrap().unwrap_or(0) == 0 {
                return String::new();
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn ask(&mut self, text: &str) -> String {
        self.send(&format!("{text}\r\n")).await;
        self.hear().await
    }
}

/// Python's own client of both protocols.
const CLIENT: &str = "\
import smtplib, sys
kind, port, recipient, message = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
client = {'smtp': smtplib.SMTP, 'lmtp': smtplib.LMTP}[kind]('127.0.0.1', port)
try:
    client.sendmail('', [recipient], message.encode())
    print('taken')
except smtplib.SMTPRecipientsRefused as refused:
    print(list(refused.recipients.values())[0][0])
client.quit()
";

async fn by_python(kind: &str, port: u16, recipient: &str, message: &str) -> String {
    let arguments = ["-c", CLIENT, kind, &port.to_string(), recipient, message].map(str::to_owned);
    let done = tokio::task::spawn_blocking(move || {
        Command::new("/usr/bin/python3")
            .args(arguments)
            .output()
            .unwrap()
    });
    let done = done.await.unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

on_both_engines! {
    async fn a_real_client_hands_a_report_over_by_either_protocol_and_a_made_up_address_is_refused(engine: Engine) {
        let world = World::on(engine).await;
        let door = Door::of(&world).await;
        for kind in ["smtp", "lmtp"] {
            let email = format!("{kind}@example.org");
            confirmed(&world, &email).await;
            let to = return_path(&world, &email).await;
            let message = report(&to, "failed", "5.1.1", "550 no such user");
            let forged = to.replacen("bounce+", "bounce+a", 1);
            for other in ["somebody@acme.example", forged.as_str(), "letters@acme.example"] {
                assert_eq!(by_python(kind, door.port, other, &message).await, "550", "{other}");
            }
            assert!(world.permission(&email, "newsletter").await.allowed);
            assert_eq!(by_python(kind, door.port, &to, &message).await, "taken");
            assert_eq!(world.permission(&email, "newsletter").await.rule, "D6", "acknowledged means written");
        }
        door.close().await;
        world.finish().await;
    }

    async fn complaints_are_taken_at_the_addresses_that_providers_were_given_and_believed_by_what_they_hold(engine: Engine) {
        let set = "[bounce]\nlisten = \"127.0.0.1:2525\"\nfeedback = [\"fbl@acme.example\", \"Complaints@Acme.example\"]\n";
        let world = World::with(engine, set).await;
        let door = Door::of(&world).await;
        for (kind, to) in [("smtp", "FBL@acme.example"), ("lmtp", "complaints@acme.EXAMPLE")] {
            let email = format!("{kind}@example.org");
            confirmed(&world, &email).await;
            let path = return_path(&world, &email).await;
            let forged = path.replacen("bounce+", "bounce+a", 1);
            let complaint = |path: &str| feedback("abuse", &format!("Original-Mail-From: <{path}>\r\n"), "");
            let before = world.kinds(&email).await;
            assert_eq!(by_python(kind, door.port, to, &complaint(&forged)).await, "taken");
            assert_eq!(by_python(kind, door.port, to, "Subject: Hello\r\n\r\nBuy this.\r\n").await, "taken");
            assert_eq!(world.kinds(&email).await, before, "what holds nothing of ours changes nothing");
            for other in ["fbl@other.example", "xfbl@acme.example", "fbl@acme.example.org"] {
                assert_eq!(by_python(kind, door.port, other, &complaint(&path)).await, "550", "{other}");
            }
            assert_eq!(by_python(kind, door.port, to, &complaint(&path)).await, "taken");
            let permission = world.permission(&email, "newsletter").await;
            assert_eq!((permission.allowed, permission.rule), (false, "D3"));
            assert_eq!(world.kinds(&email).await.last(), Some(&"complained"));
        }
        door.close().await;
        world.finish().await;
    }

    async fn a_mail_leaves_under_an_envelope_sender_of_its_own_that_leads_back_to_its_request(engine: Engine) {
        let peer = Peer::start(&["PIPELINING", "8BITMIME"], |_| Action::Usual).await;
        let world = World::mailing_with(engine, peer.port, "[bounce]\ndomain = \"bounces.acme.example\"\n").await;
        world.client("192.0.2.1").post("/f/news", &[("email", "anna@example.org")]).await;
        world.delivery.drain().await.unwrap();
        let story = world.story("anna@example.org").await;
        let request = story[0].request.unwrap();
        let lines = peer.lines();
        let from = lines.iter().find_map(|line| line.strip_prefix("MAIL FROM:<")).unwrap();
        let from = from.split('>').next().unwrap();
        assert!(from.starts_with("bounce+") && from.ends_with("@bounces.acme.example"), "{from}");
        assert_eq!(world.app.keys.returned(from), Some((brand(&world).number, Returned::Request(request))));
        let message = String::from_utf8(peer.messages().remove(0)).unwrap();
        assert!(message.contains("From: \"Acme Letters\" <letters@acme.example>"), "{message}");
        assert!(!message.contains("bounce+"), "only the envelope has it");
        assert_eq!(peer.count("MAIL FROM"), 1);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_that_returns_a_mail_with_lines_of_any_length_is_taken() {
    let world = World::on(Engine::Sqlite).await;
    confirmed(&world, "anna@example.org").await;
    let to = return_path(&world, "anna@example.org").await;
    let html = format!("<p>{}</p>\r\n", "a long line ".repeat(20_000));
    let original = format!("Return-Path: <{to}>\r\nX-Html: {html}");
    let message = feedback("abuse", "", &original);
    assert!(message.len() > 200_000 && message.len() < MESSAGE_AT_MOST);
    let door = Door::of(&world).await;
    let mut line = door.connect().await;
    assert!(line.ask("EHLO client").await.starts_with("250"));
    assert!(line.ask("MAIL FROM:<>").await.starts_with("250"));
    assert!(
        line.ask(&format!("RCPT TO:<{to}>"))
            .await
            .starts_with("250")
    );
    assert!(line.ask("DATA").await.starts_with("354"));
    line.send(&message).await;
    assert_eq!(line.ask(".").await, "250 2.0.0 Taken");
    let permission = world.permission("anna@example.org", "newsletter").await;
    assert_eq!((permission.allowed, permission.rule), (false, "D3"));
    // A line that is longer than a whole message may be is still too much, and a command has its own limit.
    assert!(line.ask("MAIL FROM:<>").await.starts_with("250"));
    assert!(
        line.ask(&format!("RCPT TO:<{to}>"))
            .await
            .starts_with("250")
    );
    assert!(line.ask("DATA").await.starts_with("354"));
    line.send(&format!("{}\r\n", "a".repeat(MESSAGE_AT_MOST)))
        .await;
    assert!(line.ask(".").await.starts_with("552"));
    assert!(line.ask(&"x".repeat(5_000)).await.starts_with("500"));
    door.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_out_of_order_too_long_too_large_or_hidden_behind_a_bare_line_feed_is_refused() {
    let world = World::on(Engine::Sqlite).await;
    confirmed(&world, "anna@example.org").await;
    let to = return_path(&world, "anna@example.org").await;
    let door = Door::of(&world).await;
    let mut line = door.connect().await;
    assert!(
        line.ask("MAIL FROM:<>").await.starts_with("503"),
        "a greeting comes first"
    );
    assert!(line.ask("LHLO client").await.starts_with("250"));
    assert!(
        line.ask(&format!("RCPT TO:<{to}>"))
            .await
            .starts_with("503")
    );
    assert!(
        line.ask("MAIL FROM:<> SIZE=99999999")
            .await
            .starts_with("552")
    );
    assert!(line.ask(&"x".repeat(5_000)).await.starts_with("500"));
    assert!(line.ask("MAIL FROM:<>").await.starts_with("250"));
    assert!(line.ask("DATA").await.starts_with("503"));
    assert!(
        line.ask(&format!("RCPT TO:<@relay.example:{to}>"))
            .await
            .starts_with("250")
    );
    assert!(
        line.ask(&format!("RCPT TO:<{to}>"))
            .await
            .starts_with("250")
    );
    assert!(line.ask("DATA").await.starts_with("354"));
    // A dot behind a bare LF is no end: the rest, which looks like a second conversation, is part of the message.
    line.send("Subject: x\r\n\r\nHello\n.\r\nMAIL FROM:<>\r\n\n.\n.\r\n..\r\n")
        .await;
    let quiet = tokio::time::timeout(Duration::from_millis(300), line.0.read_u8()).await;
    assert!(quiet.is_err(), "no answer before the real end");
    assert!(line.ask(".").await.starts_with("250"));
    assert!(
        line.hear().await.starts_with("250"),
        "LMTP answers for each recipient"
    );
    assert!(line.ask("MAIL FROM:<>").await.starts_with("250"));
    assert!(
        line.ask(&format!("RCPT TO:<{to}>"))
            .await
            .starts_with("250")
    );
    assert!(line.ask("DATA").await.starts_with("354"));
    let large = format!("{}\r\n", "a".repeat(1_000)).repeat(MESSAGE_AT_MOST / 1_000 + 2);
    line.send(&large).await;
    assert!(line.ask(".").await.starts_with("552"));
    assert!(line.ask("QUIT").await.starts_with("221"));
    assert_eq!(line.hear().await, "");
    assert!(
        world
            .permission("anna@example.org", "newsletter")
            .await
            .allowed
    );
    door.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_guesses_addresses_is_cut_off_and_too_many_at_once_are_told_to_come_back() {
    let world = World::on(Engine::Sqlite).await;
    let door = Door::of(&world).await;
    let mut line = door.connect().await;
    line.ask("EHLO client").await;
    line.ask("MAIL FROM:<>").await;
    let mut last = String::new();
    for guess in 0..12 {
        last = line
            .ask(&format!("RCPT TO:<bounce+{guess:a>56}@b.example>"))
            .await;
        if !last.starts_with("550") {
            break;
        }
    }
    let end = if last.starts_with("421") {
        last
    } else {
        line.hear().await
    };
    assert!(end.starts_with("421"), "{end}");
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(door.connect().await);
    }
    let one_more = TcpStream::connect(("127.0.0.1", door.port)).await.unwrap();
    let mut one_more = Line(BufReader::new(one_more));
    assert!(one_more.hear().await.starts_with("421"));
    drop(open);
    door.close().await;
    world.finish().await;
}
