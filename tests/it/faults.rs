//! The storage under a running server fails: system calls fail or kill the process, the disk is full. Whatever is acknowledged stays;
//! what is not is refused with an answer, and the server goes on once the storage does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::cli::demo::smtp_catcher;
use countersign::clock::Clock;
use countersign::domain::brand::Slug;
use countersign::domain::standing::Basis;
use countersign::web::demo::Caught;

use crate::harness::{Client, Folder};
use crate::process::{
    LEASES_ARE_OVER, PROGRAM, Server, declare, free_port, look, start, wait_until, write_settings,
};

/// Whether a program does its work here: some machines let nobody trace processes or mount anything.
fn works(program: &str, arguments: &[&str]) -> bool {
    let done = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let works = done.is_ok_and(|status| status.success());
    if !works {
        eprintln!("left out: {program} does not work on this machine");
    }
    works
}

/// Signs up; true if it was acknowledged, false if it was refused with an answer; none if the connection broke.
async fn sign_up(base: &str, email: &str) -> Option<bool> {
    let mut client = Client::new(base, "127.0.0.1");
    let email = email.to_owned();
    // The client gives up where there is no answer.
    let posted =
        tokio::spawn(async move { client.post("/f/news", &[("email", &email)]).await.status });
    match posted.await {
        Ok(303) => Some(true),
        Ok(status) => {
            assert_eq!(status, 503, "refused, and told to try again");
            Some(false)
        }
        Err(_) => None,
    }
}

async fn is_taken(base: &str, email: &str) -> bool {
    sign_up(base, email).await == Some(true)
}

/// The installation, and what was acknowledged by it.
struct Faulty {
    folder: Folder,
    port: u16,
    smtp: u16,
    url: String,
    acknowledged: Vec<String>,
}

impl Faulty {
    async fn new() -> Self {
        let folder = Folder::new();
        let caught = Arc::new(Caught::with_room_for(10_000));
        let smtp = smtp_catcher::start(caught, Clock::System).await.unwrap();
        let url = format!("sqlite://{}", folder.0.join("test.db").display());
        let port = free_port();
        write_settings(&folder.0, &url, port, smtp.port());
        declare(&folder.0, port);
        Self {
            folder,
            port,
            smtp: smtp.port(),
            url,
            acknowledged: Vec::new(),
        }
    }

    async fn sign_up(&mut self, base: &str, email: &str) -> Option<bool> {
        let taken = sign_up(base, email).await;
        if taken == Some(true) {
            self.acknowledged.push(email.to_owned());
        }
        taken
    }

    /// With the server gone: all that was acknowledged is there, and the log holds.
    async fn assert_whole(self) {
        let app = look(&self.url, self.smtp, LEASES_ARE_OVER).await;
        let catalog = app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let purpose = Slug::try_from("newsletter".to_owned()).unwrap();
        for email in &self.acknowledged {
            let answer = app.permission(brand, &purpose, email, None).await.unwrap();
            assert_eq!(answer.basis, Basis::Implicit, "{email}");
        }
        app.sequence().await.unwrap();
        let audit = app.audit(true, |_, _| {}).await.unwrap();
        assert!(audit.holds() && audit.waiting == 0, "{:?}", audit.findings);
        app.store.close().await;
        drop(self.folder);
    }
}

/// strace at a process; it lets go of it when it is dropped.
struct Tracing(Child);

impl Tracing {
    /// Has system calls on files of the folder fail from now on.
    async fn start(server: &Server, inject: &str, told: &Path) -> Self {
        let calls = inject.split(':').next().unwrap();
        let child = Command::new("strace")
            .args(["-f", "-qq", "-o"])
            .arg(told)
            .args([
                "-e",
                &format!("trace={calls}"),
                "-e",
                &format!("inject={inject}"),
            ])
            .args(["-p", &server.child.id().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It is there once each thread has a tracer.
        let tasks = format!("/proc/{}/task", server.child.id());
        wait_until("strace is at it", Duration::from_secs(10), async || {
            // It may have come to its first call already, and be dead.
            let threads = std::fs::read_dir(&tasks).into_iter().flatten().flatten();
            let mut statuses =
                threads.map(|one| std::fs::read_to_string(one.path().join("status")));
            statuses.all(|status| {
                status.is_ok_and(|status| {
                    status.contains("State:\tZ") || !status.contains("TracerPid:\t0\n")
                })
            })
        })
        .await;
        Self(child)
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        // Asked to end it detaches; killed it might take the server along. Of a server that was killed while it was being attached to, it may
        // wait for threads that are no more.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let asked_at = Instant::now();
        while self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            if asked_at.elapsed() > Duration::from_secs(10) {
                let _ = self.0.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_system_call_of_the_store_fails_nothing_acknowledged_is_lost_and_the_server_goes_on()
 {
    if !works("strace", &["-f", "-o", "/dev/null", "true"]) {
        return;
    }
    let mut faulty = Faulty::new().await;
    let server = start(&faulty.folder.0, faulty.port).await;
    let told = faulty.folder.0.join("strace.txt");
    let mut refused = 0;
    for (round, inject) in [
        "pwrite64:error=ENOSPC",
        "pwrite64:error=EIO",
        "fdatasync,fsync:error=EIO",
        "fdatasync,fsync:error=ENOSPC",
        // Every second one only: a write that is there and its sync that fails, and the other way round.
        "pwrite64,fdatasync,fsync:error=EIO:when=1+2",
        "pwrite64,fdatasync,fsync:error=EIO:when=2+2",
    ]
    .into_iter()
    .enumerate()
    {
        let before = format!("before{round}@example.org");
        assert_eq!(
            faulty.sign_up(&server.base, &before).await,
            Some(true),
            "{inject}"
        );
        let tracing = Tracing::start(&server, inject, &told).await;
        for number in 0..3 {
            let email = format!("during{round}-{number}@example.org");
            let taken = faulty.sign_up(&server.base, &email).await;
            assert!(taken.is_some(), "{inject}: there is an answer");
            refused += usize::from(taken == Some(false));
        }
        let page = Client::new(&server.base, "127.0.0.1").get("/f/news").await;
        assert_eq!(page.status, 200, "{inject}: what writes nothing goes on");
        drop(tracing);
        let injected = std::fs::read_to_string(&told).unwrap();
        assert!(injected.contains("(INJECTED)"), "{inject}: nothing failed");
        wait_until(
            &format!("{inject}: it goes on"),
            Duration::from_secs(10),
            async || is_taken(&server.base, &format!("again{round}@example.org")).await,
        )
        .await;
        faulty
            .acknowledged
            .push(format!("again{round}@example.org"));
    }
    assert!(refused >= 6, "{refused} refused");
    drop(server);
    faulty.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_system_call_of_a_signup_has_lost_nothing_acknowledged() {
    if !works("strace", &["-f", "-o", "/dev/null", "true"]) {
        return;
    }
    let mut faulty = Faulty::new().await;
    let told = faulty.folder.0.join("strace.txt");
    let mut killed = 0;
    for (round, inject) in [
        "pwrite64:signal=KILL:when=1",
        "pwrite64:signal=KILL:when=2",
        "pwrite64:signal=KILL:when=4",
        "fdatasync,fsync:signal=KILL:when=1",
        "fdatasync,fsync:signal=KILL:when=2",
    ]
    .into_iter()
    .enumerate()
    {
        let mut server = start(&faulty.folder.0, faulty.port).await;
        let before = format!("before{round}@example.org");
        assert_eq!(
            faulty.sign_up(&server.base, &before).await,
            Some(true),
            "{inject}"
        );
        let tracing = Tracing::start(&server, inject, &told).await;
        for number in 0..20 {
            let email = format!("during{round}-{number}@example.org");
            if faulty.sign_up(&server.base, &email).await.is_none() {
                killed += 1;
                break;
            }
        }
        drop(tracing);
        let _ = server.child.kill();
        let _ = server.child.wait();
    }
    assert!(killed >= 4, "{killed} of 5 were killed at a signup");
    faulty.assert_whole().await;
}

/// A server in a file system of its own that is soon full, in a mount namespace that goes with the server; the folder as it is seen
/// from outside.
async fn on_a_small_disk(folder: &Path, port: u16, megabytes: u32) -> (Server, PathBuf) {
    let disk = folder.join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={megabytes}m none \"$1\" && cp \"$2\"* \"$1\" && exec \"$3\" --config \"$4\" serve"
    );
    let child = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"])
        .arg(&disk)
        .arg(folder.join("test.db"))
        .arg(PROGRAM)
        .arg(folder.join(format!("{port}.toml")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let base = format!("http://127.0.0.1:{port}");
    wait_until("the server starts", Duration::from_secs(20), async || {
        let address = ("127.0.0.1", port);
        tokio::net::TcpStream::connect(address).await.is_ok()
    })
    .await;
    let seen = format!("/proc/{}/root{}", child.id(), disk.display());
    (Server { child, base }, PathBuf::from(seen))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_signups_are_refused_and_once_there_is_room_they_are_taken_again() {
    let mount = "mount -t tmpfs -o size=1m none /mnt";
    if !works(
        "unshare",
        &["--map-root-user", "--mount", "sh", "-c", mount],
    ) {
        return;
    }
    let mut faulty = Faulty::new().await;
    let port = free_port();
    let database = format!(
        "sqlite://{}",
        faulty.folder.0.join("disk/test.db").display()
    );
    write_settings(&faulty.folder.0, &database, port, faulty.smtp);
    let (server, disk) = on_a_small_disk(&faulty.folder.0, port, 16).await;
    assert_eq!(
        faulty.sign_up(&server.base, "before@example.org").await,
        Some(true)
    );
    // Something else fills the disk to its last block.
    let ballast = disk.join("ballast");
    let filled = std::fs::write(&ballast, vec![7; 32 << 20]);
    assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    let mut refused = 0;
    for number in 0..60 {
        let email = format!("during{number}@example.org");
        match faulty.sign_up(&server.base, &email).await {
            Some(true) => {}
            Some(false) => refused += 1,
            None => panic!("there is an answer"),
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the log of the database had room for a few");
    let mut client = Client::new(&server.base, "127.0.0.1");
    assert_eq!(client.get("/f/news").await.status, 200);
    std::fs::remove_file(&ballast).unwrap();
    wait_until("it goes on", Duration::from_secs(10), async || {
        is_taken(&server.base, "after@example.org").await
    })
    .await;
    faulty.acknowledged.push("after@example.org".to_owned());
    // Its files go with the server: a copy of what is on that disk, once nothing is under way.
    let mut server = server;
    server.tell("-STOP");
    for name in ["test.db", "test.db-wal"] {
        let copied = std::fs::copy(disk.join(name), faulty.folder.0.join(name));
        assert!(copied.is_ok() || name.ends_with("wal"), "{copied:?}");
    }
    let _ = server.child.kill();
    let _ = server.child.wait();
    faulty.assert_whole().await;
}
