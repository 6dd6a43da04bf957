//! Slow clients are cut, wherever they are slow, and hold nobody up.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use countersign::store::Engine;
use countersign::web::extract::body::WITHIN;
use countersign::web::{self, Web};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::World;

/// Sends a head, and then a byte of the body now and then; what comes back, and after how long the connection ended.
async fn trickle(address: &str, path: &str, kind: &str) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: 60000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let begun = Instant::now();
    let (mut reading, mut writing) = stream.into_split();
    let sending = tokio::spawn(async move {
        // As long as somebody reads it.
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_trickles_is_cut_on_every_way_in_and_others_are_answered_meanwhile() {
    assert!(WITHIN < Duration::from_secs(15));
    let world = World::with(
        Engine::Sqlite,
        "[hook]\npostmark_secret = \"a-password-of-more-than-twenty-letters\"\n",
    )
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut slow = Web::new(world.app.clone(), None);
    slow.body_within = Duration::from_millis(400);
    let server = web::serve(listener, slow, 1).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
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
