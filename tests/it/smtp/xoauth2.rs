//! XOAUTH2: tokens from a small endpoint, shown to a peer that checks them.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::mail::transport::{
    Login, Outcome, Phase, SettingsProblem, SmtpSettings, Transport,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::packaged::Aiosmtpd;
use super::peers::{Action, Peer, Step, is_left_out, say, send, settings};

/// An OAuth token endpoint that answers `token-1`, `token-2` and so on, or always the same refusal.
struct Endpoint {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn start(life: u64, refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for number in 1.. {
                let Ok((mut socket, _)) = listener.accept().await else {
                    break;
                };
                let mut request = Vec::new();
                while !is_whole(&request) {
                    if socket.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                seen.lock()
                    .unwrap()
                    .push(String::from_utf8(request).unwrap());
                let granted = format!(
                    r#"{{"access_token":"token-{number}","token_type":"Bearer",
                    "expires_in":{life},"refresh_token":"refresh-{number}"}}"#
                );
                let (status, body) = match refusal {
                    Some(refusal) => ("400 Bad Request", refusal),
                    None => ("200 OK", granted.as_str()),
                };
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\
                    Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    body.len() >= length
}

fn with_tokens(port: u16, url: &str) -> SmtpSettings {
    SmtpSettings {
        login: Login::Xoauth2 {
            user: "mailer@example.org".into(),
            token_url: url.into(),
            client_id: "client & id".into(),
            client_secret: "client-secret".into(),
            refresh_token: "refresh-0".into(),
            scope: Some("https://mail.example/SMTP.Send offline_access".into()),
        },
        max_mails_per_session: 1,
        ..settings(port)
    }
}

/// A peer that grants a login with exactly this token, refuses others in two steps, and counts logins.
async fn peer_that_wants(token: &'static str, logins: Arc<AtomicUsize>) -> Peer {
    let user = format!("user=mailer@example.org\u{1}auth=Bearer {token}\u{1}\u{1}");
    let wanted = format!("AUTH XOAUTH2 {}", STANDARD.encode(user));
    Peer::start(
        &["PIPELINING", "AUTH PLAIN XOAUTH2"],
        move |turn| match turn.step {
            Step::Auth => {
                logins.fetch_add(1, SeqCst);
                match turn.line == wanted {
                    true => say("235 2.7.0 welcome"),
                    false => say("334 eyJzdGF0dXMiOiI0MDAifQ=="),
                }
            }
            Step::AuthAnswer => {
                assert_eq!(turn.line, "", "a refusal is answered with an empty line");
                say("535 5.7.3 the token token-1 of mailer@example.org was refused")
            }
            _ => Action::Usual,
        },
    )
    .await
}

#[tokio::test]
async fn a_token_is_fetched_once_and_shown_at_every_login() {
    let (endpoint, logins) = (Endpoint::start(3600, None).await, Arc::default());
    let peer = peer_that_wants("token-1", Arc::clone(&logins)).await;
    let transport = Transport::new(with_tokens(peer.port, &endpoint.url)).unwrap();
    for _ in 0..3 {
        let outcome = send(&transport, "ann@example.net").await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(logins.load(SeqCst), 3);
    let requests = endpoint.requests();
    assert_eq!(requests.len(), 1);
    let (head, form) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /token HTTP/1.1"), "{head}");
    let mut fields: Vec<&str> = form.split('&').collect();
    fields.sort_unstable();
    assert_eq!(fields.len(), 5, "{fields:?}");
    assert!(
        fields[0].starts_with("client_id=client") && fields[0].contains("%26"),
        "{fields:?}"
    );
    assert_eq!(
        fields[1..4],
        [
            "client_secret=client-secret",
            "grant_type=refresh_token",
            "refresh_token=refresh-0"
        ]
    );
    assert!(
        fields[4].starts_with("scope=https%3A%2F%2Fmail.example%2FSMTP.Send"),
        "{fields:?}"
    );
}

#[tokio::test]
async fn after_a_535_another_token_is_fetched_once_with_the_newest_refresh_token() {
    let (endpoint, logins) = (Endpoint::start(3600, None).await, Arc::default());
    let peer = peer_that_wants("token-2", Arc::clone(&logins)).await;
    let transport = Transport::new(with_tokens(peer.port, &endpoint.url)).unwrap();
    let outcome = send(&transport, "ann@example.net").await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let requests = endpoint.requests();
    assert_eq!((requests.len(), logins.load(SeqCst)), (2, 2));
    assert!(requests[1].contains("refresh_token=refresh-1"));
}

#[tokio::test]
async fn a_login_that_is_refused_twice_defers_the_mail_without_a_secret_in_the_text() {
    let (endpoint, logins) = (Endpoint::start(3600, None).await, Arc::default());
    let peer = peer_that_wants("token-9", Arc::clone(&logins)).await;
    let transport = Transport::new(with_tokens(peer.port, &endpoint.url)).unwrap();
    match send(&transport, "ann@example.net").await {
        Outcome::Deferred {
            reason,
            phase: Phase::Login,
        } => {
            assert!(
                reason.starts_with("535 5.7.3") && !reason.contains("mailer"),
                "{reason}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((endpoint.requests().len(), logins.load(SeqCst)), (2, 2));
    assert_eq!((peer.count("MAIL"), transport.sessions_open()), (0, 0));
}

#[tokio::test]
async fn a_token_about_to_expire_is_not_used() {
    let (endpoint, logins) = (Endpoint::start(59, None).await, Arc::default());
    let peer = peer_that_wants("token-1", logins).await;
    let transport = Transport::new(with_tokens(peer.port, &endpoint.url)).unwrap();
    assert!(matches!(
        send(&transport, "ann@example.net").await,
        Outcome::Accepted { .. }
    ));
    let _ = send(&transport, "ann@example.net").await;
    assert!(
        endpoint.requests().len() >= 2,
        "the first token was kept too long"
    );
}

#[tokio::test]
async fn many_sessions_that_open_at_once_fetch_one_token() {
    let (endpoint, logins) = (Endpoint::start(3600, None).await, Arc::default());
    let peer = peer_that_wants("token-1", logins).await;
    let transport = Transport::new(with_tokens(peer.port, &endpoint.url)).unwrap();
    let mails: Vec<_> = (0..8)
        .map(|_| {
            let theirs = transport.clone();
            tokio::spawn(async move { send(&theirs, "ann@example.net").await })
        })
        .collect();
    for mail in mails {
        let outcome = mail.await.unwrap();
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_refuses_or_is_not_there_defers_the_mail() {
    let refusal = r#"{"error":"invalid_grant","error_description":"mailer@example.org refresh-0"}"#;
    let endpoint = Endpoint::start(3600, Some(refusal)).await;
    let nowhere = "http://127.0.0.1:1/token".to_owned();
    for (url, words) in [
        (
            &endpoint.url,
            "the token endpoint answered 400 invalid_grant",
        ),
        (
            &nowhere,
            "the token endpoint was not reached: connection refused",
        ),
    ] {
        let peer = peer_that_wants("token-1", Arc::default()).await;
        let transport = Transport::new(SmtpSettings {
            connect_within: Duration::from_secs(5),
            ..with_tokens(peer.port, url)
        })
        .unwrap();
        let outcome = send(&transport, "ann@example.net").await;
        let reason = words.to_owned();
        assert_eq!(
            outcome,
            Outcome::Deferred {
                reason,
                phase: Phase::Login
            }
        );
        assert_eq!(peer.count("AUTH") + peer.count("MAIL"), 0);
    }
}

#[tokio::test]
async fn the_token_url_is_https_or_loopback() {
    for (url, is_fine) in [
        ("https://login.example.com/token", true),
        ("http://127.0.0.1:8080/token", true),
        ("http://[::1]:8080/token", true),
        ("http://login.example.com/token", false),
        ("http://localhost/token", false),
        ("http://127.0.0.1.example.com/token", false),
        ("https://user:pass@login.example.com/token", false),
        ("http://127.0.0.1@login.example.com/token", false),
        ("ftp://127.0.0.1/token", false),
        ("/token", false),
        ("", false),
    ] {
        let problem = Transport::new(with_tokens(25, url)).err();
        assert_eq!(
            problem,
            (!is_fine).then_some(SettingsProblem::TokenUrl),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_packaged_server_accepts_the_login() {
    if is_left_out("aiosmtpd with XOAUTH2") {
        return;
    }
    let endpoint = Endpoint::start(3600, None).await;
    let arguments = ["--user", "mailer@example.org", "--token", "token-1"];
    let mut server = Aiosmtpd::start(&arguments).await;
    let transport = Transport::new(with_tokens(server.port, &endpoint.url)).unwrap();
    let outcome = send(&transport, "ann@example.net").await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(
        server.until("mail").await.last().unwrap()["is_authenticated"],
        true
    );
}
