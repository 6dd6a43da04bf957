//! Programs from packages: openssl, Python, and Debian's aiosmtpd as an SMTP server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use countersign::mail::transport::{Login, SmtpSettings, Tls};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::peers::{PATIENCE, settings};

/// A directory that is gone at the end of the test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "countersign-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, SeqCst)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub async fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Debian's python3-aiosmtpd in a process of its own, which ends with this value.
pub struct Aiosmtpd {
    pub port: u16,
    process: Child,
    events: mpsc::UnboundedReceiver<serde_json::Value>,
}

impl Aiosmtpd {
    pub async fn start(arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp/aiosmtpd_peer.py");
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 is needed for this test");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = sender.send(serde_json::from_str(&line).expect("a JSON line"));
            }
        });
        let mut server = Self {
            port: 0,
            process,
            events,
        };
        let listening = server.until("listening").await.pop().unwrap();
        server.port = u16::try_from(listening["port"].as_u64().unwrap()).unwrap();
        server
    }

    /// Lets the server serve its connections to their end and gives every event that is left.
    pub async fn stop_and_tell(mut self) -> Vec<serde_json::Value> {
        drop(self.process.stdin.take());
        let mut seen = Vec::new();
        while let Some(event) = timeout(PATIENCE, self.events.recv()).await.expect("an end") {
            seen.push(event);
        }
        seen
    }

    /// All events up to and with the next one of this name.
    pub async fn until(&mut self, name: &str) -> Vec<serde_json::Value> {
        let mut seen = Vec::new();
        timeout(PATIENCE, async {
            while seen
                .last()
                .is_none_or(|event: &serde_json::Value| event["event"] != name)
            {
                seen.push(self.events.recv().await.expect("the server runs"));
            }
        })
        .await
        .unwrap_or_else(|_| panic!("no event {name} after {seen:?}"));
        seen
    }
}

/// An authority and certificates for a server, made by the openssl command.
pub struct Authority(Scratch);

impl Authority {
    pub async fn new() -> Self {
        let scratch = Scratch::new();
        let command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
            -keyout ca.key -out ca.pem -subj /CN=Test-authority \
            -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign";
        openssl(&scratch, command).await;
        Self(scratch)
    }

    pub async fn issue(&self, names: &str, dates: &str) {
        let scratch = &self.0;
        let command = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -keyout server.key -out server.csr -subj /CN=Test-server";
        openssl(scratch, command).await;
        let database = "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\n\
            default_md=sha256\npolicy=p\ncertificate=ca.pem\nprivate_key=ca.key\nx509_extensions=e\n\
            [p]\ncommonName=supplied\n[e]\nsubjectAltName=";
        let config = format!("{database}{names}\n");
        std::fs::write(scratch.path().join("ca.cnf"), config).unwrap();
        std::fs::write(scratch.path().join("index.txt"), "").unwrap();
        std::fs::write(scratch.path().join("serial"), "01\n").unwrap();
        let command =
            format!("ca -batch -notext -config ca.cnf -in server.csr -out server.pem {dates}");
        openssl(scratch, &command).await;
    }

    pub async fn self_sign(&self) {
        let command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
            -keyout server.key -out server.pem -subj /CN=Nobodys-server \
            -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:false";
        openssl(&self.0, command).await;
    }

    pub async fn server(&self, more: &[&str]) -> Aiosmtpd {
        let path = |name: &str| self.0.path().join(name).to_str().unwrap().to_owned();
        let (certificate, key) = (path("server.pem"), path("server.key"));
        let mut arguments = vec!["--certificate", &certificate, "--key", &key];
        arguments.extend(["--user", "mailer", "--password", "right horse"]);
        arguments.extend(more);
        Aiosmtpd::start(&arguments).await
    }

    pub fn settings(&self, port: u16) -> SmtpSettings {
        SmtpSettings {
            host: "localhost".into(),
            tls: Tls::Required,
            login: Login::Password {
                user: "mailer".into(),
                password: "right horse".into(),
            },
            extra_root_certificates: vec![std::fs::read(self.0.path().join("ca.pem")).unwrap()],
            ..settings(port)
        }
    }
}

async fn openssl(scratch: &Scratch, command: &str) {
    let arguments: Vec<&str> = command.split_whitespace().collect();
    scratch.run("openssl", &arguments).await;
}
