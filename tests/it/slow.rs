//! Slow clients are cut, wherever they are slow, and hold nobody up.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use countersign::domain::api_key::Scope;
use countersign::store::Engine;
use countersign::web::extract::body::WITHIN;
use countersign::web::extract::paced::Pace;
use countersign::web::{self, Web};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::World;

/// Sends a head, and then a byte of the body now and then; what comes back, and after how long the connection ended.
async fn trickle(address: &str, path: &str, kind: &str) -> (String, Duration) {
    trickle_with(address, path, kind, "", Duration::from_millis(20)).await
}

/// The same with further lines of the head, and a pause between the bytes.
async fn trickle_with(
    address: &str,
    path: &str,
    kind: &str,
    more: &str,
    pause: Duration,
) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: 60000\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let begun = Instant::now();
    let (mut reading, mut writing) = stream.into_split();
    let sending = tokio::spawn(async move {
        // As long as somebody reads it.
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(pause).await;
        }
    });
    let mut answer = Vec::new();
    let read = reading.read_to_end(&mut answer);
    let ended = tokio::time::timeout(Duration::from_secs(20), read).await;
    sending.abort();
    assert!(ended.is_ok(), "{path}: still open after 20 s");
    (
        String::from_utf8_lossy(&answer).into_owned(),
        begun.elapsed(),
    )
}

/// A second server of the same installation, with other limits.
fn beside(world: &World, change: impl FnOnce(&mut Web)) -> (String, actix_web::dev::ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut web = Web::new(world.app.clone(), None);
    change(&mut web);
    let server = web::serve(listener, web, 1).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    (address, handle)
}

fn files_in(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let count = |entry: std::fs::DirEntry| match entry.path().is_dir() {
        true => files_in(&entry.path()),
        false => 1,
    };
    entries.map(count).sum()
}

const CSV: &str = "text/csv";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_or_a_file_of_proof_that_trickles_is_cut_with_a_clear_answer_and_leaves_nothing() {
    let world = World::on(Engine::Sqlite).await;
    let secret = crate::api::key(&world, &[Scope::ImportsWrite], None).await;
    let mut program = crate::api::with_key(&world, &secret);
    let list = b"email,order,date\nlea@example.org,1,2026-10-01\n";
    let draft = crate::api::importing::bring(&mut program, "a.csv", CSV, list)
        .await
        .json();
    let draft = draft["id"].as_str().unwrap();
    crate::harness::add_owner(&world.app).await;
    let mut olga = world
        .client("192.0.2.200")
        .with("sec-fetch-site", "same-origin");
    let password = crate::harness::OWNERS_PASSWORD;
    let fields = [("name", "olga"), ("password", password)];
    assert_eq!(olga.post("/admin/sign-in", &fields).await.status, 303);
    let cookies = olga.cookies.iter();
    let cookies: Vec<String> = cookies
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let session = format!(
        "sec-fetch-site: same-origin\r\nx-forwarded-for: 192.0.2.200\r\ncookie: {}\r\n",
        cookies.join("; ")
    );
    let bearer = format!("authorization: Bearer {secret}\r\n");
    let (address, handle) = beside(&world, |web| {
        web.upload_pace = Pace {
            grace: Duration::from_millis(400),
            least: 10_000,
        };
    });
    let brand = "/admin/new-import/acme";
    let ways = [
        (
            "/api/v1/import-drafts?brand=acme&purpose=newsletter&file_name=b.csv".to_owned(),
            CSV,
            &bearer,
        ),
        (
            format!("/api/v1/import-drafts/{draft}/files?name=b.pdf"),
            "application/pdf",
            &bearer,
        ),
        (
            "/admin/new-import".to_owned(),
            "multipart/form-data; boundary=b",
            &session,
        ),
        (
            format!("{brand}/{draft}/source"),
            "multipart/form-data; boundary=b",
            &session,
        ),
    ];
    let files = || files_in(&world.app.config.uploads.folder);
    let before = files();
    for (path, kind, more) in ways {
        // Never silent, and still too slow; then silent.
        for pause in [Duration::from_millis(20), Duration::from_secs(60)] {
            let (answer, after) = trickle_with(&address, &path, kind, more, pause).await;
            assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
            assert!(after < Duration::from_secs(10), "{path}: {after:?}");
            if path.starts_with("/api") {
                assert!(
                    answer.contains("problem-too-slow") && answer.contains("Send it in one go"),
                    "{answer}"
                );
            }
        }
    }
    assert_eq!(files(), before, "what did not come whole is gone");
    handle.stop(false).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_keeps_its_pace_is_taken_however_long_it_takes() {
    let world = World::on(Engine::Sqlite).await;
    let secret = crate::api::key(&world, &[Scope::ImportsWrite], None).await;
    let (address, handle) = beside(&world, |web| {
        web.upload_pace = Pace {
            grace: Duration::from_secs(1),
            least: 10_000,
        };
    });
    let rows = |number: usize| -> String {
        let row = |at: usize| format!("p{number}-{at}@example.org,{at},2026-10-01\n");
        (0..300).map(row).collect()
    };
    let parts: Vec<String> = (0..50).map(rows).collect();
    let head = "email,order,date\n";
    let length = head.len() + parts.iter().map(String::len).sum::<usize>();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let path = "/api/v1/import-drafts?brand=acme&purpose=newsletter&file_name=long.csv";
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {CSV}\r\ncontent-length: {length}\r\n\
         authorization: Bearer {secret}\r\nconnection: close\r\n\r\n{head}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let begun = Instant::now();
    for part in &parts {
        tokio::time::sleep(Duration::from_millis(30)).await;
        stream.write_all(part.as_bytes()).await.unwrap();
    }
    assert!(
        begun.elapsed() > Duration::from_secs(1),
        "longer than the grace"
    );
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    handle.stop(false).await;
    world.finish().await;
}

/// How many clients are slow at once, half of them in the head and half in the body (T32).
const SLOW: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_connections_are_cut_and_the_others_are_answered_meanwhile() {
    // Whoever is slow in the head and then in the body too.
    assert!(web::HEAD_WITHIN + WITHIN < Duration::from_secs(15));
    let world = World::with(Engine::Sqlite, "[budget]\nper_network_an_hour = 0\n").await;
    let (address, handle) = beside(&world, |web| {
        web.body_within = Duration::from_secs(3);
        web.head_within = Duration::from_secs(3);
    });
    let kind = "application/x-www-form-urlencoded";
    let slow: Vec<_> = (0..SLOW)
        .map(|number| {
            let address = address.clone();
            let pause = Duration::from_millis(400);
            tokio::spawn(async move {
                if number % 2 == 0 {
                    return trickle_with(&address, "/f/news", kind, "", pause).await;
                }
                // A head that never ends: line after line.
                let mut stream = TcpStream::connect(&address).await.unwrap();
                let begun = Instant::now();
                let (mut reading, mut writing) = stream.split();
                let mut answer = Vec::new();
                let sending = async {
                    let first = writing.write_all(b"POST /f/news HTTP/1.1\r\n").await;
                    while first.is_ok() && writing.write_all(b"x: y\r\n").await.is_ok() {
                        tokio::time::sleep(pause).await;
                    }
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    _ = reading.read_to_end(&mut answer) => {}
                    () = sending => {}
                    () = tokio::time::sleep(Duration::from_secs(20)) => panic!("a slow head is still waited for"),
                }
                (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
            })
        })
        .collect();
    // They are all there before anybody else comes.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut taken = Vec::new();
    for number in 0..100 {
        let mut client = crate::harness::Client::new(&format!("http://{address}"), "192.0.2.1");
        let begun = Instant::now();
        let status = if number % 10 == 0 {
            let email = format!("p{number}@example.org");
            client.post("/f/news", &[("email", &email)]).await.status
        } else {
            client.get("/f/news").await.status
        };
        assert!(matches!(status, 200 | 303), "{status}");
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    // What a quiet machine does is measured elsewhere; nobody waits for the slow ones.
    assert!(
        taken[98] < Duration::from_millis(1_500),
        "{:?}",
        &taken[90..]
    );
    for one in slow {
        let (answer, after) = one.await.unwrap();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
        assert!(after < Duration::from_secs(15), "{after:?}");
    }
    handle.stop(false).await;
    assert_eq!(world.deliver().await.len(), 10);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_trickles_is_cut_on_every_way_in_and_others_are_answered_meanwhile() {
    assert!(WITHIN < Duration::from_secs(15));
    let world = World::with(
        Engine::Sqlite,
        "[hook]\npostmark_secret = \"a-password-of-more-than-twenty-letters\"\n",
    )
    .await;
    let (address, handle) = beside(&world, |web| {
        web.body_within = Duration::from_millis(400);
    });
    let ways = [
        ("/f/news", "application/x-www-form-urlencoded"),
        ("/f/news", "application/json"),
        ("/p", "multipart/form-data; boundary=b"),
        ("/admin/sign-in", "application/x-www-form-urlencoded"),
        ("/hooks/postmark", "application/json"),
    ];
    let all = ways.map(|(path, kind)| {
        let address = address.clone();
        async move { (path, trickle(&address, path, kind).await) }
    });
    let all = futures_util::future::join_all(all);
    let other = async {
        let mut client = crate::harness::Client::new(&format!("http://{address}"), "192.0.2.1");
        let begun = Instant::now();
        assert_eq!(client.get("/f/news").await.status, 200);
        begun.elapsed()
    };
    let (all, other) = tokio::join!(all, other);
    assert!(other < Duration::from_secs(2), "{other:?}");
    for (path, (answer, after)) in all {
        if path != "/admin/sign-in" {
            assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        }
        assert!(after < Duration::from_secs(10), "{path}: {after:?}");
    }
    handle.stop(false).await;
    world.finish().await;
}
