//! `countersign timestamp`, beside a running server, after a killed one, and against the demo's own authority.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::clock::Clock;
use countersign::ledger::timestamp::authority::Authority;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::harness::http::{Peer, Reaction};
use crate::harness::{Client, Folder};
use crate::process::{PROGRAM, declare, free_port, run, start, wait_until, write_settings};
use crate::timestamps::is_left_out;

const REPLY: &str = "application/timestamp-reply";
const DEMO: &str = "countersign demo authority - proves nothing to others";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Settings of a server whose log is stamped by these.
fn installation(authorities: &str) -> (Folder, u16) {
    let (folder, port) = (Folder::new(), free_port());
    let database = format!("sqlite://{}", folder.0.join("test.db").display());
    write_settings(&folder.0, &database, port, 1);
    let file = folder.0.join(format!("{port}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    let section = format!(
        "[timestamp]\nauthorities = [{authorities}]\nallow_private = true\nwithin_seconds = 1\n"
    );
    std::fs::write(&file, text + &section).unwrap();
    declare(&folder.0, port);
    (folder, port)
}

/// A demo that is killed when the test lets go of it.
pub struct Demo {
    child: Child,
    pub base: String,
    lines: Vec<String>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    pub fn start(folder: &Folder) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["demo", "--port", "0", "--data"])
            .arg(folder.0.join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<String> = output.lines().take(7).map(Result::unwrap).collect();
        let form = lines[0].trim_start_matches("form: ");
        Self {
            child,
            base: form.trim_end_matches("/f/newsletter").to_owned(),
            lines,
        }
    }

    async fn sign_up(&self, email: &str) {
        let mut client = Client::new(&self.base, "127.0.0.1");
        let reply = client.post("/f/newsletter", &[("email", email)]).await;
        assert_eq!(reply.status, 303);
    }
}

fn stamp(folder: &Folder) -> Output {
    Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.0.join("data/countersign.toml"))
        .arg("timestamp")
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_stamps_its_log_and_says_everywhere_that_this_proves_nothing_to_others() {
    let folder = Folder::new();
    let demo = Demo::start(&folder);
    let told = demo
        .lines
        .iter()
        .find(|line| line.starts_with("timestamps: "));
    assert!(told.unwrap().contains("demo authority") && told.unwrap().contains("proves nothing"));
    demo.sign_up("anna@example.org").await;
    let mut client = Client::new(&demo.base, "127.0.0.1");
    wait_until(
        "the worker has it stamped",
        Duration::from_secs(90),
        async || {
            let ready = client.get("/readyz").await.json();
            ready["timestamps"][0]["entries"].as_i64() > Some(0)
        },
    )
    .await;
    let ready = client.get("/readyz").await.json();
    assert_eq!(ready["timestamps"][0]["signer"], DEMO);
    assert!(ready["timestamps"][0]["problem"].is_null());
    client.headers.clear();
    let metrics = client.get("/metrics").await.text();
    assert!(
        metrics.contains("countersign_timestamp_age_seconds{authority=\"demo\"}"),
        "{metrics}"
    );
    demo.sign_up("bob@example.org").await;
    let done = stamp(&folder);
    let text = said(&done);
    assert!(done.status.success(), "{text}");
    assert!(
        text.starts_with("demo: ") && text.contains(&format!("\"{DEMO}\"")),
        "{text}"
    );
    assert!(
        text.contains(&format!("\"{DEMO} (root)\"")) && text.contains("on trust"),
        "{text}"
    );
    drop(demo);

    // Killed and started again it has the same root, so its earlier stamps and its later ones hang together.
    let demo = Demo::start(&folder);
    demo.sign_up("carl@example.org").await;
    let later = stamp(&folder);
    assert!(later.status.success(), "{}", said(&later));
    assert!(!said(&later).contains("as before"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_ends_with_one_if_an_authority_fails_and_with_two_if_there_is_none() {
    let authority = Authority::from_secret(&[7; 32]);
    let good = Peer::start(move |request| {
        Reaction::ok(REPLY, authority.respond(&request.body, Clock::System.now()))
    })
    .await;
    let bad = Peer::start(|_| Reaction::status(503, "later\u{1b}[2J")).await;
    let both = format!("\"good={}\", \"bad={}\"", good.url(), bad.url());
    let (folder, port) = installation(&both);
    // What was done on the command line is in the log already: that something was declared, and that a stamp was asked for.
    let first = run(&folder.0, port, &["timestamp"]);
    assert_eq!(first.status.code(), Some(1), "{}", said(&first));
    assert!(
        said(&first).contains("good: 2 entries stamped at 20"),
        "{}",
        said(&first)
    );
    let server = start(&folder.0, port).await;
    let mut client = Client::new(&server.base, "127.0.0.1");
    assert_eq!(
        client
            .post("/f/news", &[("email", "anna@example.org")])
            .await
            .status,
        303
    );
    let done = run(&folder.0, port, &["timestamp"]);
    assert_eq!(done.status.code(), Some(1), "{}", said(&done));
    let text = said(&done);
    assert!(text.contains("good: 4 entries stamped at 20"), "{text}");
    assert!(
        text.contains("bad: failed: it answered with the HTTP status 503"),
        "{text}"
    );
    assert!(text.contains("1 of 2 authorities gave no stamp"), "{text}");
    drop(server);
    let (folder, port) = installation("");
    assert_eq!(run(&folder.0, port, &["timestamp"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_asks_leaves_a_log_that_is_stamped_later() {
    let hangs = Arc::new(AtomicUsize::new(1));
    let (authority, state) = (Authority::from_secret(&[7; 32]), hangs.clone());
    let peer = Peer::start(move |request| match state.load(Ordering::SeqCst) {
        1 => Reaction::Hang,
        _ => Reaction::ok(REPLY, authority.respond(&request.body, Clock::System.now())),
    })
    .await;
    let (folder, port) = installation(&format!("\"one={}\"", peer.url()));
    let mut server = start(&folder.0, port).await;
    let mut client = Client::new(&server.base, "127.0.0.1");
    assert_eq!(
        client
            .post("/f/news", &[("email", "anna@example.org")])
            .await
            .status,
        303
    );
    wait_until(
        "the authority is asked",
        Duration::from_secs(20),
        async || peer.asked() > 0,
    )
    .await;
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    hangs.store(0, Ordering::SeqCst);
    let server = start(&folder.0, port).await;
    let done = run(&folder.0, port, &["timestamp"]);
    assert!(done.status.success(), "{}", said(&done));
    let ready = Client::new(&server.base, "127.0.0.1")
        .get("/readyz")
        .await
        .json();
    assert_eq!(ready["timestamps"][0]["entries"], 3);
    assert_eq!(ready["timestamps"][0]["failures"], 0);
}

/// A TLS server for `localhost` with a certificate that openssl made; `ca.pem` in the folder is its authority.
fn tls(folder: &Folder) -> TlsAcceptor {
    for command in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout ca.key -out ca.pem -subj /CN=ca",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -out own.csr -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost",
        "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -days 30 -copy_extensions copy -out own.pem",
    ] {
        let made = Command::new("openssl")
            .args(command.split_whitespace())
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
    }
    let chain = CertificateDer::pem_file_iter(folder.0.join("own.pem")).unwrap();
    let chain = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(folder.0.join("own.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_behind_https_is_asked_if_the_machine_trusts_its_certificate() {
    if is_left_out() {
        return;
    }
    let certificates = Folder::new();
    let authority = Authority::from_secret(&[7; 32]);
    let peer = Peer::start_tls(tls(&certificates), move |request| {
        Reaction::ok(REPLY, authority.respond(&request.body, Clock::System.now()))
    })
    .await;
    let (folder, port) = installation(&format!("\"one=https://localhost:{}/\"", peer.port));
    let server = start(&folder.0, port).await;
    let mut client = Client::new(&server.base, "127.0.0.1");
    let reply = client
        .post("/f/news", &[("email", "anna@example.org")])
        .await;
    assert_eq!(reply.status, 303);
    let unknown = run(&folder.0, port, &["timestamp"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        said(&unknown).contains("one: failed: TLS:"),
        "{}",
        said(&unknown)
    );
    assert_eq!(peer.asked(), 0, "nothing was said to it");
    let trusted = Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.0.join(format!("{port}.toml")))
        .arg("timestamp")
        .env("SSL_CERT_FILE", certificates.0.join("ca.pem"))
        .output()
        .unwrap();
    assert!(trusted.status.success(), "{}", said(&trusted));
    assert_eq!(peer.asked(), 1);
}
