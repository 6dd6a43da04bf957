//! The program as a process: killed at any moment, run twice on one database, asked on the command line.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign::app::App;
use countersign::app::sign_up::Submission;
use countersign::cli::demo::smtp_catcher;
use countersign::clock::{Clock, Random};
use countersign::config::Config;
use countersign::domain::brand::Slug;
use countersign::domain::standing::Basis;
use countersign::store::Engine;
use countersign::web::demo::Caught;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Client, Folder, SECRET, place, postgres};
use crate::on_both_engines;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");

/// A server process that is killed when the test lets go of it.
pub struct Server {
    pub child: Child,
    pub base: String,
}

impl Server {
    /// Sends it a signal, named as kill(1) does.
    pub fn tell(&self, signal: &str) {
        let told = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(told.unwrap().success(), "{signal}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

pub fn write_settings(folder: &Path, database: &str, port: u16, smtp_port: u16) {
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\nbase_url = \"http://127.0.0.1:{port}\"\nany_domain = true\n\
         [database]\nurl = \"{database}\"\n[secrets]\nroot = \"{SECRET}\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {smtp_port}\ntls = \"plain\"\n\
         [budget]\nper_network_an_hour = 0\nper_form_an_hour = 0\nper_installation_an_hour = 0\n"
    );
    std::fs::write(folder.join(format!("{port}.toml")), text).unwrap();
}

pub fn run(folder: &Path, port: u16, arguments: &[&str]) -> std::process::Output {
    Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.join(format!("{port}.toml")))
        .args(arguments)
        .output()
        .unwrap()
}

pub async fn start(folder: &Path, port: u16) -> Server {
    start_with(folder, port, Stdio::null()).await
}

/// Starts the server, its log going somewhere.
pub async fn start_with(folder: &Path, port: u16, log: Stdio) -> Server {
    let child = Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.join(format!("{port}.toml")))
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let deadline = Instant::now() + Duration::from_secs(20);
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        assert!(Instant::now() < deadline, "the server did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Server { child, base }
}

pub async fn wait_until(what: &str, within: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Clients that sign up without pause until told to stop; each acknowledged address is in the journal outside the server.
async fn load(base: String, name: usize, stop: Arc<AtomicUsize>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) == 1 {
            break;
        }
        let email = format!("k{name}-{number}@example.org");
        let mut client = Client::new(&base, "127.0.0.1");
        let (email_sent, base_up) = (
            email.clone(),
            tokio::net::TcpStream::connect(base.trim_start_matches("http://"))
                .await
                .is_ok(),
        );
        if !base_up {
            break;
        }
        let post = tokio::spawn(async move {
            client
                .post("/f/news", &[("email", &email_sent)])
                .await
                .status
        });
        // A connection that the kill cut off answers nothing; that signup was not acknowledged.
        if let Ok(303) = post.await {
            acknowledged.push(email);
        }
    }
    acknowledged
}

pub fn declare(folder: &Path, port: u16) {
    let file = folder.join("brands.toml");
    std::fs::write(&file, crate::harness::DECLARATIONS).unwrap();
    let done = run(folder, port, &["apply", file.to_str().unwrap()]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Kills before the server has stood for so long, in milliseconds.
const KILLED_WITHIN: u64 = 800;
const ROUNDS: usize = 10;
/// Longer than a claim on a mail outlives the process that made it.
pub const LEASES_ARE_OVER: Duration = Duration::from_secs(61);

/// Starts the server, drives it with signups, and kills it after a time; answers with the acknowledged addresses.
async fn one_round(folder: &Path, port: u16, round: usize, killed_after: u64) -> Vec<String> {
    let mut server = start(folder, port).await;
    let stop = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..8)
        .map(|name| tokio::spawn(load(server.base.clone(), round * 100 + name, stop.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(killed_after)).await;
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    stop.store(1, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for client in clients {
        acknowledged.extend(client.await.unwrap());
    }
    acknowledged
}

/// Looks at the database as one more process does, with a clock that may be ahead.
pub async fn look(url: &str, smtp_port: u16, ahead: Duration) -> Arc<App> {
    let config = crate::harness::settings("http://127.0.0.1:1", url, smtp_port, "");
    let clock = Clock::fixed(Clock::System.now().plus(ahead));
    App::start(config, clock, Random::Os).await.unwrap()
}

on_both_engines! {
    async fn after_kills_at_random_moments_every_acknowledged_signup_is_there_and_mailed(engine: Engine) {
        let seed = u64::from_le_bytes(Random::Os.bytes());
        let random = Random::seeded(seed);
        let moments: Vec<u64> = (0..ROUNDS).map(|_| random.below(KILLED_WITHIN)).collect();
        let told = format!("seed {seed}, killed after {moments:?} ms");
        let place = place(engine).await;
        let folder = &place.folder.0;
        let port = free_port();
        let caught = Arc::new(Caught::with_room_for(100_000));
        let smtp = smtp_catcher::start(caught.clone(), Clock::System).await.unwrap();
        write_settings(folder, &place.url, port, smtp.port());
        declare(folder, port);
        // The journal of what was acknowledged is here, outside the server.
        let mut acknowledged = Vec::new();
        for (round, killed_after) in moments.iter().enumerate() {
            acknowledged.extend(one_round(folder, port, round, *killed_after).await);
        }
        assert!(acknowledged.len() > 50, "{} signups are too few to tell; {told}", acknowledged.len());
        // On SQLite a new process knows that it is alone and goes on at once; on PostgreSQL leases must run out.
        let server = match engine {
            Engine::Sqlite => Some(start(folder, port).await),
            Engine::Postgres => {
                let later = look(&place.url, smtp.port(), LEASES_ARE_OVER).await;
                later.delivery().unwrap().drain().await.unwrap();
                later.sequence().await.unwrap();
                later.store.close().await;
                None
            }
        };
        wait_until(&format!("every acknowledged signup is mailed; {told}"), Duration::from_secs(60), async || {
            let mailed: HashSet<String> = caught.list().into_iter().map(|mail| mail.to).collect();
            acknowledged.iter().all(|email| mailed.contains(email))
        })
        .await;
        drop(server);
        let app = look(&place.url, smtp.port(), LEASES_ARE_OVER).await;
        let catalog = app.catalog();
        let (brand, purpose) = (catalog.brand_by_slug("acme").unwrap(), Slug::try_from("newsletter".to_owned()).unwrap());
        for email in &acknowledged {
            let answer = app.permission(brand, &purpose, email, None).await.unwrap();
            assert_eq!(answer.basis, Basis::Implicit, "{email}; {told}");
        }
        app.sequence().await.unwrap();
        let audit = app.audit(true, |_, _| {}).await.unwrap();
        assert!(audit.holds() && audit.waiting == 0, "{:?}; {told}", audit.findings);
        assert!(audit.entries >= acknowledged.len() as u64 && audit.checkpoints > 1, "{audit:?}; {told}");
        app.store.close().await;
        // What was sent twice, if anything, carries one Message-ID: the try that the kill cut off and the one after it.
        let mut ids: HashMap<String, HashSet<String>> = HashMap::new();
        for mail in caught.list() {
            let id = mail.raw.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
            ids.entry(mail.to).or_default().insert(id);
        }
        assert!(ids.values().all(|ids| ids.len() == 1), "{told}");
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}

/// Whether this process itself had a mail taken: its metrics are its own.
async fn sent_any(server: &Server) -> bool {
    // What was forwarded is not of this machine.
    let mut client = Client::new(&server.base, "127.0.0.1");
    client.headers.clear();
    let metrics = client.get("/metrics").await;
    assert_eq!(metrics.status, 200, "{}", metrics.text());
    metrics.text().lines().any(|line| {
        line.strip_prefix("countersign_mails_total{result=\"accepted\"} ")
            .is_some_and(|count| count != "0")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_server_processes_on_one_postgresql_send_no_mail_twice() {
    if postgres::is_left_out() {
        return;
    }
    let place = place(Engine::Postgres).await;
    let caught = Arc::new(Caught::with_room_for(100_000));
    let smtp = smtp_catcher::start(caught.clone(), Clock::System)
        .await
        .unwrap();
    let ports = [free_port(), free_port()];
    for port in ports {
        write_settings(&place.folder.0, &place.url, port, smtp.port());
    }
    declare(&place.folder.0, ports[0]);
    let servers = [
        start(&place.folder.0, ports[0]).await,
        start(&place.folder.0, ports[1]).await,
    ];
    let posts = |numbers: Range<usize>| {
        let posts = numbers.map(|number| {
            let base = servers[number % 2].base.clone();
            async move {
                let mut client = Client::new(&base, "127.0.0.1");
                // Each address comes to both processes.
                let email = format!("d{}@example.org", number / 2);
                client.post("/f/news", &[("email", &email)]).await.status
            }
        });
        futures_util::future::join_all(posts)
    };
    // Until both have sent: whichever is slow, as on a busy machine, gets more time, and one that sends nothing is found.
    let (mut posted, deadline) = (0, Instant::now() + Duration::from_secs(60));
    while posted < 300 || !(sent_any(&servers[0]).await && sent_any(&servers[1]).await) {
        assert!(
            Instant::now() < deadline && posted < 20_000,
            "both processes send"
        );
        let statuses = posts(posted..posted + 40).await;
        assert!(statuses.iter().all(|status| *status == 303));
        posted += 40;
    }
    let people = posted / 2;
    wait_until("all mails are sent", Duration::from_secs(60), async || {
        caught.list().len() >= people
    })
    .await;
    drop(servers);
    let mails = caught.list();
    let reached: HashSet<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!((mails.len(), reached.len()), (people, people));
    if let Some(database) = place.database {
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_waits_does_not_hold_up_the_end_of_the_server() {
    let (folder, port) = (Folder::new(), free_port());
    let database = format!("sqlite://{}", folder.0.join("test.db").display());
    write_settings(&folder.0, &database, port, 1);
    declare(&folder.0, port);
    let mut server = start(&folder.0, port).await;
    let mut client = Client::new(&server.base, "127.0.0.1");
    let reply = client
        .post("/f/news", &[("email", "anna@example.org")])
        .await;
    let head = format!(
        "GET {}/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n",
        reply.location()
    );
    let mut page = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    page.write_all(head.as_bytes()).await.unwrap();
    let mut seen = String::new();
    while !seen.contains("waiting") {
        let mut buffer = [0; 1_024];
        let read = page.read(&mut buffer).await.unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    server.tell("-TERM");
    // Requests under way get ten seconds.
    wait_until("the server ends", Duration::from_secs(6), async || {
        server.child.try_wait().unwrap().is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_says_where_everything_is_in_its_first_lines() {
    let folder = Folder::new();
    let mut child = Command::new(PROGRAM)
        .args(["demo", "--port", "0", "--data"])
        .arg(folder.0.join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(5)
        .map(Result::unwrap)
        .collect();
    for (line, beginning) in lines.iter().zip([
        "form: http://127.0.0.1:",
        "inbox: ",
        "admin: ",
        "operator: ",
        "password: ",
    ]) {
        assert!(line.starts_with(beginning), "{line}");
    }
    let base = lines[0]
        .trim_start_matches("form: ")
        .trim_end_matches("/f/newsletter")
        .to_owned();
    let mut client = Client::new(&base, "127.0.0.1");
    assert_eq!(client.get("/f/newsletter").await.status, 200);
    let mut signing_in = client
        .clone()
        .with("origin", &base)
        .with("sec-fetch-site", "same-origin");
    let password = lines[4].trim_start_matches("password: ");
    let wrong = signing_in
        .post("/admin/sign-in", &[("name", "demo"), ("password", "wrong")])
        .await;
    assert_eq!(wrong.status, 401);
    let right = signing_in
        .post(
            "/admin/sign-in",
            &[("name", "demo"), ("password", password)],
        )
        .await;
    assert_eq!(right.location(), "/admin");
    assert!(signing_in.get("/admin").await.text().contains("Overview"));
    let asked = Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.0.join("data/countersign.toml"))
        .args([
            "permission",
            "anna@example.org",
            "--brand",
            "demo",
            "--purpose",
            "newsletter",
            "--json",
        ])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&asked.stdout).trim(),
        "{\"allowed\":false,\"basis\":\"none\",\"grade\":null,\"since\":null,\"until\":null,\"rule\":\"G1\",\
         \"why\":\"No act of the person is known for this brand and purpose.\"}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn wrong_usage_and_wrong_settings_end_with_two_and_say_what_to_do() {
    let folder = Folder::new();
    let file = folder.0.join("1.toml");
    std::fs::write(&file, "[server]\nlisten = \"x\"\n").unwrap();
    let done = run(&folder.0, 1, &["serve"]);
    assert_eq!(done.status.code(), Some(2));
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        text.contains("listen") && text.contains("base_url") && text.contains("root"),
        "{text}"
    );
    assert_eq!(run(&folder.0, 1, &["nonsense"]).status.code(), Some(2));
}

#[test]
fn init_makes_an_installation_that_starts_and_refuses_to_overwrite_it() {
    let folder = Folder::new();
    let file = folder.0.join("1.toml");
    let init = || {
        Command::new(PROGRAM)
            .arg("--config")
            .arg(&file)
            .args(["init", "--yes"])
            .output()
            .unwrap()
    };
    let done = init();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(String::from_utf8_lossy(&done.stdout).contains("password: "));
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(init().status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let listed = run(&folder.0, 1, &["operator", "list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).starts_with("owner\towner\tenabled"));
}

/// Runs a command whose standard output goes to nobody: what it is connected to has no reader any more.
fn run_unread(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    run_into(folder, arguments, writer.into())
}

fn run_into(folder: &Path, arguments: &[&str], output: Stdio) -> std::process::Output {
    let mut child = Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.join("1.toml"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Passwords are read from here; most commands read nothing.
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(b"a long enough password\n");
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_do_their_work_and_end_well_when_their_reader_leaves_early() {
    let folder = Folder::new();
    let file = folder.0.join("brands.toml");
    std::fs::write(&file, crate::harness::DECLARATIONS).unwrap();
    let file = file.to_str().unwrap();
    let anna = ["anna@example.org", "--brand", "acme"];
    let permission = [
        "permission",
        anna[0],
        anna[1],
        anna[2],
        "--purpose",
        "newsletter",
    ];
    let evidence = ["evidence", anna[0], anna[1], anna[2], "--timeline"];
    let unread = |arguments: &[&str]| {
        let done = run_unread(&folder.0, arguments);
        let words = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(
            (done.status.code(), words.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    };
    unread(&["--help"]);
    unread(&["policy"]);
    unread(&["policy", "explain", "--source", "unknown"]);
    unread(&["init", "--print"]);
    unread(&["init", "--yes"]);
    unread(&["apply", file, "--plan"]);
    unread(&["apply", file]);
    unread(&["operator", "add", "olga"]);
    unread(&["operator", "list"]);
    let config = Config::load(&folder.0.join("1.toml"), true).unwrap();
    let app = App::start(config, Clock::System, Random::Os).await.unwrap();
    let form = app.catalog().form("news").unwrap().clone();
    let given = Submission {
        email: anna[0].to_owned(),
        ..Default::default()
    };
    app.sign_up(&form, given).await.unwrap();
    app.store.close().await;
    unread(&permission);
    unread(&[permission.as_slice(), &["--json"]].concat());
    unread(&evidence);
    unread(&[evidence.as_slice(), &["--json"]].concat());
    let listed = run(&folder.0, 1, &["operator", "list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains("olga") && listed.contains("owner"),
        "{listed}"
    );
}

#[test]
fn output_that_finds_no_room_is_told_and_fails() {
    let folder = Folder::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let done = run_into(&folder.0, &["init", "--print"], full.into());
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{words}");
    assert!(
        words.starts_with("countersign: standard output: "),
        "{words}"
    );
}
