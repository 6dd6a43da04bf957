//! Messages of Amazon SNS: who signed them, for which topic, and what is fetched from where.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign::domain::time::Timestamp;
use serde_json::{Value, json};

use super::ses::{complaint, mail};
use super::{ANNA, THERE, assert_refused, assert_untouched, came_to, confirmed, outcome, posted};
use crate::harness::http::{Peer, Reaction};
use crate::harness::{Folder, Reply, START, World};
use crate::on_both_engines;
use crate::smtp::peers::is_left_out;

pub const PATH: &str = "/hooks/ses";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mail";
const HOST: &str = "https://sns.eu-west-1.amazonaws.com";
pub const CERTIFICATE: &str = "/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem";

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Signer {
    certificate: String,
    key: String,
}

fn openssl(folder: &Folder, command: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(command.split(' '))
        .current_dir(&folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "openssl {command}");
    done.stdout
}

impl Signer {
    pub fn new() -> Self {
        let folder = Folder::new();
        let command = "req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout key.pem -out own.pem -subj /CN=sns.amazonaws.com";
        openssl(&folder, command, b"");
        let read = |name| std::fs::read_to_string(folder.0.join(name)).unwrap();
        Self {
            certificate: read("own.pem"),
            key: read("key.pem"),
        }
    }

    /// The one whose certificate SNS shows.
    pub fn genuine() -> Self {
        static ONE: OnceLock<Signer> = OnceLock::new();
        ONE.get_or_init(Self::new).clone()
    }

    pub fn sign(&self, hash: &str, text: &str) -> String {
        let folder = Folder::new();
        std::fs::write(folder.0.join("key.pem"), &self.key).unwrap();
        let command = format!("dgst -{hash} -sign key.pem");
        STANDARD.encode(openssl(&folder, &command, text.as_bytes()))
    }
}

/// Certificates begin now, so the clock of these worlds goes with the machine's.
fn to_the_present(world: &World) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = Timestamp::from_micros(i64::try_from(now.unwrap().as_micros()).unwrap());
    world.advance(now.since(START).as_secs() + 3_600);
}

pub async fn pinned(engine: countersign::store::Engine, more: &str) -> (World, Folder) {
    let folder = Folder::new();
    let path = folder.0.join("sns.pem");
    std::fs::write(&path, Signer::genuine().certificate).unwrap();
    let settings = format!(
        "[hook]\nses_topics = [\"{TOPIC}\"]\nses_certificates = [\"{}\"]\n{more}",
        path.display()
    );
    let world = World::with(engine, &settings).await;
    to_the_present(&world);
    (world, folder)
}

/// What SNS was asked for, and what it answers.
pub struct Sns {
    peer: Peer,
    asked: Arc<Mutex<Vec<String>>>,
    status: Arc<Mutex<u16>>,
}

impl Sns {
    pub async fn start() -> Self {
        let (asked, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(200)));
        let (told, answers) = (asked.clone(), status.clone());
        let certificate = Signer::genuine().certificate;
        let peer = Peer::start(move |request| {
            let path = request.raw_head.split(' ').nth(1).unwrap().to_owned();
            assert_eq!(request.method, "get");
            told.lock().unwrap().push(path.clone());
            let status = *answers.lock().unwrap();
            if status != 200 {
                return Reaction::status(status, "no");
            }
            if path.ends_with(".pem") {
                return Reaction::ok("application/octet-stream", certificate.as_bytes());
            }
            Reaction::ok("text/xml", "<ConfirmSubscriptionResponse/>")
        })
        .await;
        Self {
            peer,
            asked,
            status,
        }
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    pub async fn world(&self, engine: countersign::store::Engine) -> World {
        let settings = format!(
            "[hook]\nses_topics = [\"{TOPIC}\"]\nses_gateway = \"{}\"\n",
            self.peer.url()
        );
        let world = World::with(engine, &settings).await;
        to_the_present(&world);
        world
    }
}

/// A message as docs.aws.amazon.com/sns/latest/dg/http-notification-json.html shows it, not signed yet.
pub fn message(world: &World, kind: &str, text: &str) -> Value {
    let seconds = world.clock.now().unix_seconds();
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let form =
        time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].655Z");
    let id = uuid::Builder::from_random_bytes(countersign::clock::Random::Os.bytes()).into_uuid();
    let mut message = json!({
        "Type": kind, "MessageId": id.to_string(), "TopicArn": TOPIC, "Message": text,
        "Timestamp": at.format(&form).unwrap(), "SignatureVersion": "1", "Signature": "",
        "SigningCertURL": format!("{HOST}{CERTIFICATE}"),
    });
    if kind == "Notification" {
        message["UnsubscribeURL"] = json!(format!(
            "{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:2bcfbf39"
        ));
    } else {
        message["Token"] = json!(
            "2336412f37fb687f5d51e6e241d09c8058323f60b964268bfe08ce35640228c208a66d3621bd9f7b"
        );
        message["SubscribeURL"] = json!(format!(
            "{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e241d09c8058323f60b964268bfe08ce35640228c208a66d3621bd9f7b"
        ));
    }
    message
}

/// Signs as docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html describes.
pub fn sign(mut message: Value, version: &str, signer: &Signer) -> Value {
    let names: &[&str] = match message["Type"].as_str().unwrap() {
        "Notification" => &[
            "Message",
            "MessageId",
            "Subject",
            "Timestamp",
            "TopicArn",
            "Type",
        ],
        _ => &[
            "Message",
            "MessageId",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        ],
    };
    let lines = names.iter().filter_map(|name| {
        let value = message.get(name)?.as_str()?;
        Some(format!("{name}\n{value}\n"))
    });
    let text: String = lines.collect();
    message["SignatureVersion"] = json!(version);
    let hash = if version == "1" { "sha1" } else { "sha256" };
    message["Signature"] = json!(signer.sign(hash, &text));
    message
}

pub async fn send(world: &World, message: &Value) -> Reply {
    let mut client = world
        .client(THERE)
        .with("x-amz-sns-message-type", "Notification");
    let kind = Some("text/plain; charset=UTF-8");
    client
        .send("POST", PATH, kind, message.to_string().as_bytes())
        .await
}

pub async fn post(world: &World, event: &Value) -> Reply {
    let message = message(world, "Notification", &event.to_string());
    send(world, &sign(message, "2", &Signer::genuine())).await
}

on_both_engines! {
    async fn a_forged_changed_stale_or_repeated_message_changes_nothing(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let (world, _folder) = pinned(engine, "").await;
        let raw = confirmed(&world, ANNA).await;
        let before = world.kinds(ANNA).await;
        let event = complaint(&mail(&raw), Some("abuse")).to_string();
        let unsigned = message(&world, "Notification", &event);
        let genuine = sign(unsigned.clone(), "2", &Signer::genuine());
        let mut forged = vec![unsigned.clone(), sign(unsigned, "2", &Signer::new())];
        for (name, value) in [
            ("Message", json!("{}")), ("MessageId", json!("another")), ("Subject", json!("added")),
            ("Timestamp", json!("2026-11-23T17:34:05.655Z")), ("SignatureVersion", json!("1")),
            ("SignatureVersion", json!("3")), ("Signature", json!("!")),
        ] {
            let mut changed = genuine.clone();
            changed[name] = value;
            forged.push(changed);
        }
        for message in &forged {
            assert_refused(&send(&world, message).await, 403, "signature");
        }
        let raw_delivery = posted(world.client(THERE), PATH, event.as_bytes()).await;
        assert_refused(&raw_delivery, 400, "JSON");
        assert_untouched(&world, &before).await;
        // A message that told nothing new when it came is not taken when it comes again.
        let opened = sign(message(&world, "Notification", r#"{"eventType":"Open"}"#), "2", &Signer::genuine());
        assert_eq!(outcome(&send(&world, &opened).await), came_to("ignored"));
        assert_eq!(outcome(&send(&world, &opened).await), came_to("replay"));
        world.advance(2 * 3_600 + 2);
        assert_refused(&send(&world, &genuine).await, 403, "too long ago");
        assert_untouched(&world, &before).await;
        world.finish().await;
    }

    async fn only_named_topics_count_and_nothing_is_fetched_from_another_host(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let sns = Sns::start().await;
        let world = sns.world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let before = world.kinds(ANNA).await;
        let event = complaint(&mail(&raw), Some("abuse")).to_string();
        for topic in ["arn:aws:sns:eu-west-1:210987654321:mail", "arn:aws:sns:eu-west-1:123456789012:other", ""] {
            let mut message = message(&world, "Notification", &event);
            message["TopicArn"] = json!(topic);
            assert_refused(&send(&world, &sign(message, "2", &Signer::genuine())).await, 403, "topic");
        }
        for url in [
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
            "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
            "https://sns.s3-eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
            "https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-1.pem",
            "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-1.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?x=.pem",
            "https://evil.example/sns.eu-west-1.amazonaws.com/1.pem",
            "",
        ] {
            let mut message = message(&world, "Notification", &event);
            message["SigningCertURL"] = json!(url);
            assert_refused(&send(&world, &sign(message, "2", &Signer::genuine())).await, 403, "own SNS");
        }
        assert!(sns.asked().is_empty());
        assert_untouched(&world, &before).await;
        world.finish().await;
    }

    async fn a_subscription_to_a_named_topic_is_confirmed_at_its_own_host_and_no_other(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let sns = Sns::start().await;
        let world = sns.world(engine).await;
        let text = "You have chosen to subscribe to the topic. To confirm the subscription, visit the SubscribeURL.";
        let genuine = message(&world, "SubscriptionConfirmation", text);
        assert_refused(&send(&world, &sign(genuine.clone(), "1", &Signer::new())).await, 403, "signature");
        for url in ["https://evil.example/?Action=ConfirmSubscription&Token=1", "https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&Token=1"] {
            let mut elsewhere = genuine.clone();
            elsewhere["SubscribeURL"] = json!(url);
            assert_refused(&send(&world, &sign(elsewhere, "1", &Signer::genuine())).await, 403, "own SNS");
        }
        let mut foreign = genuine.clone();
        foreign["TopicArn"] = json!("arn:aws:sns:eu-west-1:123456789012:other");
        assert_refused(&send(&world, &sign(foreign, "1", &Signer::genuine())).await, 403, "topic");
        assert_eq!(sns.asked(), [CERTIFICATE]);
        // While SNS refuses, it is asked to send the message again.
        sns.answer(500);
        let signed = sign(genuine.clone(), "1", &Signer::genuine());
        assert_refused(&send(&world, &signed).await, 503, "Post it again");
        sns.answer(200);
        assert_eq!(outcome(&send(&world, &signed).await), came_to("confirmed"));
        let confirmation = genuine["SubscribeURL"].as_str().unwrap().strip_prefix(HOST).unwrap();
        assert_eq!(sns.asked(), [CERTIFICATE, confirmation, confirmation]);
        let ended = sign(message(&world, "UnsubscribeConfirmation", "You have chosen to deactivate"), "2", &Signer::genuine());
        assert_eq!(outcome(&send(&world, &ended).await), came_to("unsubscribed"));
        assert_eq!(sns.asked().len(), 3, "nothing is confirmed back");
        world.finish().await;
    }

    async fn whoever_knows_a_topic_cannot_make_the_server_ask_sns_without_end(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let sns = Sns::start().await;
        let world = sns.world(engine).await;
        for number in 0..15 {
            let mut message = message(&world, "Notification", "{}");
            message["SigningCertURL"] = json!(format!("{HOST}/SimpleNotificationService-{number}.pem"));
            let reply = send(&world, &message).await;
            assert_eq!(reply.status, if number < 10 { 403 } else { 503 }, "{number}");
        }
        assert_eq!(sns.asked().len(), 10);
        world.advance(61);
        let message = sign(message(&world, "Notification", "{}"), "2", &Signer::genuine());
        assert_eq!(outcome(&send(&world, &message).await), came_to("ignored"));
        world.finish().await;
    }
}
