//! Requests to servers that the operator named reach those and nothing else (T30), over real sockets.

use std::time::{Duration, Instant};

use countersign::outgoing::{Limits, Outgoing, OutgoingProblem};

use crate::harness::http::{Peer, Reaction};

const LIMITS: Limits = Limits {
    allow_private: true,
    within: Duration::from_secs(20),
    answer_at_most: 64 << 10,
};

async fn post(limits: Limits, url: &str) -> Result<Vec<u8>, OutgoingProblem> {
    let answer = Outgoing::new(limits)
        .post(url, "text/plain", b"hello".to_vec())
        .await?;
    assert_eq!(answer.status, 200);
    Ok(answer.body)
}

#[tokio::test]
async fn a_body_goes_out_and_the_answer_comes_back_with_its_type() {
    let peer = Peer::start(|request| {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("post", "/")
        );
        assert!(request.head.contains("content-type: text/plain"));
        Reaction::ok("Text/Plain; charset=utf-8", request.body)
    })
    .await;
    let outgoing = Outgoing::new(LIMITS);
    let answer = outgoing
        .post(&peer.url(), "text/plain", b"hello".to_vec())
        .await;
    let answer = answer.unwrap();
    assert_eq!(answer.content_type, "text/plain");
    assert_eq!(answer.body, b"hello");
}

#[tokio::test]
async fn an_address_of_this_machine_is_refused_in_every_spelling_and_nothing_reaches_it() {
    let peer = Peer::start(|_| Reaction::ok("text/plain", "secret")).await;
    let limits = Limits {
        allow_private: false,
        ..LIMITS
    };
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ] {
        let refused = post(limits, &format!("http://{host}:{}/", peer.port)).await;
        let problem = refused.unwrap_err();
        assert!(
            matches!(problem, OutgoingProblem::Refused { .. }),
            "{host}: {problem}"
        );
    }
    assert_eq!(peer.asked(), 0);
    // The same place is reached where the operator allows it, so the refusals above are not of something else.
    let reached = post(LIMITS, &format!("http://localhost:{}/", peer.port)).await;
    assert_eq!(reached.unwrap(), b"secret");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let inside = Peer::start(|_| Reaction::ok("text/plain", "secret")).await;
        let target = inside.url();
        let peer = Peer::start(move |_| Reaction::Answer {
            status,
            headers: vec![("location", target.clone())],
            body: Vec::new(),
        })
        .await;
        let refused = post(LIMITS, &peer.url()).await;
        assert_eq!(refused, Err(OutgoingProblem::Redirect(status)));
        assert_eq!(inside.asked(), 0);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_with_and_without_its_length_told() {
    let fits = Peer::start(|_| Reaction::ok("text/plain", vec![b'x'; 64 << 10])).await;
    assert_eq!(post(LIMITS, &fits.url()).await.unwrap().len(), 64 << 10);
    let told = Peer::start(|_| Reaction::ok("text/plain", vec![b'x'; (64 << 10) + 1])).await;
    let untold = Peer::start(|_| {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        bytes.resize(1 << 20, b'x');
        Reaction::Raw(bytes)
    })
    .await;
    for peer in [told, untold] {
        let refused = post(LIMITS, &peer.url()).await;
        assert_eq!(refused, Err(OutgoingProblem::Large(64 << 10)));
    }
    let head = Peer::start(|_| {
        Reaction::Raw(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes())
    })
    .await;
    assert!(post(LIMITS, &head.url()).await.is_err());
}

#[tokio::test]
async fn a_server_that_hangs_or_drips_is_cut_off_in_time() {
    let limits = Limits {
        within: Duration::from_millis(600),
        ..LIMITS
    };
    let hangs = Peer::start(|_| Reaction::Hang).await;
    let drips = Peer::start(|_| Reaction::Drip).await;
    // It accepts, and never reads nor writes.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("http://{}/", silent.local_addr().unwrap());
    for url in [hangs.url(), drips.url(), silent_url] {
        let began = Instant::now();
        assert_eq!(
            post(limits, &url).await,
            Err(OutgoingProblem::Slow),
            "{url}"
        );
        assert!(began.elapsed() < Duration::from_secs(5), "{url}");
    }
}

#[tokio::test]
async fn what_is_no_http_and_who_is_not_there_is_told() {
    let garbage = Peer::start(|_| Reaction::Raw(b"220 mail.example ESMTP\r\n".to_vec())).await;
    assert!(post(LIMITS, &garbage.url()).await.is_err());
    let broken = Peer::start(|_| {
        Reaction::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec())
    })
    .await;
    assert!(post(LIMITS, &broken.url()).await.is_err());
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let problem = post(LIMITS, &gone).await.unwrap_err();
    assert!(
        matches!(problem, OutgoingProblem::Connection(_)),
        "{problem}"
    );
}

#[tokio::test]
async fn an_https_server_without_a_trusted_certificate_is_not_talked_to() {
    let peer = Peer::start(|_| Reaction::ok("text/plain", "secret")).await;
    let url = format!("https://127.0.0.1:{}/", peer.port);
    assert!(post(LIMITS, &url).await.is_err());
    assert_eq!(peer.asked(), 0);
}
