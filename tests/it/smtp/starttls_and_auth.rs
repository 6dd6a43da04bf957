//! TLS and login against Debian's aiosmtpd.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::mail::transport::{
    Login, Outcome, Phase, SettingsProblem, SmtpSettings, Tls, Transport,
};

use super::packaged::{Aiosmtpd, Authority};
use super::peers::{Action, MESSAGE, Peer, Step, is_left_out, say, send, settings};

const RIGHT: (&str, &str) = ("DNS:localhost", "-days 30");
const EXPIRED: &str = "-startdate 20200101000000Z -enddate 20200201000000Z";

fn verbs(events: &[serde_json::Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event["verb"].as_str())
        .collect()
}

#[tokio::test]
async fn a_mail_is_accepted_over_starttls_with_a_login_and_arrives_byte_for_byte() {
    if is_left_out("aiosmtpd over STARTTLS") {
        return;
    }
    let authority = Authority::new().await;
    authority.issue(RIGHT.0, RIGHT.1).await;
    for (more, mechanism) in [(&[][..], "PLAIN"), (&["--no", "PLAIN"][..], "LOGIN")] {
        let mut server = authority.server(more).await;
        let transport = Transport::new(authority.settings(server.port)).unwrap();
        let outcome = send(&transport, "ann@example.net").await;
        let reply = "250 2.0.0 taken by aiosmtpd".to_owned();
        assert_eq!(outcome, Outcome::Accepted { reply });
        let events = server.until("mail").await;
        assert!(
            events.iter().any(|event| event["mechanism"] == mechanism),
            "{events:?}"
        );
        let mail = events.last().unwrap();
        assert_eq!(mail["sender"], "bounces+7f@example.org");
        assert_eq!(mail["recipients"], serde_json::json!(["ann@example.net"]));
        assert_eq!(
            (&mail["is_encrypted"], &mail["is_authenticated"]),
            (&true.into(), &true.into())
        );
        assert_eq!(
            STANDARD.decode(mail["message"].as_str().unwrap()).unwrap(),
            MESSAGE
        );
        transport.close().await;
        server.until("closed").await;
        assert_eq!(transport.sessions_open(), 0);
    }
}

#[tokio::test]
async fn a_mail_is_accepted_over_implicit_tls_and_the_probe_tells_what_the_server_said() {
    if is_left_out("aiosmtpd over implicit TLS") {
        return;
    }
    let authority = Authority::new().await;
    authority.issue(RIGHT.0, RIGHT.1).await;
    let mut server = authority.server(&["--implicit"]).await;
    let transport = Transport::new(SmtpSettings {
        tls: Tls::Implicit,
        ..authority.settings(server.port)
    })
    .unwrap();
    let summary = transport.probe().await.unwrap();
    assert!(summary.contains("aiosmtpd.example.net"), "{summary}");
    assert_eq!(transport.sessions_open(), 0);
    assert!(matches!(
        send(&transport, "ann@example.net").await,
        Outcome::Accepted { .. }
    ));
    let events = server.until("mail").await;
    assert_eq!(events.last().unwrap()["is_encrypted"], true);
}

#[tokio::test]
async fn an_international_recipient_is_sent_with_smtputf8() {
    if is_left_out("aiosmtpd with SMTPUTF8") {
        return;
    }
    let authority = Authority::new().await;
    authority.issue(RIGHT.0, RIGHT.1).await;
    let mut server = authority.server(&[]).await;
    let transport = Transport::new(authority.settings(server.port)).unwrap();
    assert!(matches!(
        send(&transport, "jörg@example.net").await,
        Outcome::Accepted { .. }
    ));
    let mail = server.until("mail").await.pop().unwrap();
    assert_eq!(mail["recipients"], serde_json::json!(["jörg@example.net"]));
    assert!(
        mail["options"]
            .as_array()
            .unwrap()
            .contains(&"SMTPUTF8".into())
    );
}

#[tokio::test]
async fn behind_a_wrong_certificate_nothing_is_said() {
    if is_left_out("aiosmtpd with wrong certificates") {
        return;
    }
    let authority = Authority::new().await;
    for (names, dates, word) in [
        ("DNS:elsewhere.example", RIGHT.1, "not valid for"),
        (RIGHT.0, EXPIRED, "expired"),
        ("", "", "UnknownIssuer"),
    ] {
        match names {
            "" => authority.self_sign().await,
            _ => authority.issue(names, dates).await,
        }
        for (more, tls) in [
            (&[][..], Tls::Required),
            (&["--implicit"][..], Tls::Implicit),
        ] {
            let server = authority.server(more).await;
            let wanted = SmtpSettings {
                tls,
                ..authority.settings(server.port)
            };
            let transport = Transport::new(wanted).unwrap();
            match send(&transport, "ann@example.net").await {
                Outcome::Deferred {
                    reason,
                    phase: Phase::Tls,
                } => {
                    assert!(reason.contains(word), "{reason}");
                }
                other => panic!("{names} {dates}: {other:?}"),
            }
            assert_eq!(transport.probe().await.unwrap_err().phase, Phase::Tls);
            drop(transport);
            let ordinary = if tls == Tls::Required {
                &["EHLO", "STARTTLS"][..]
            } else {
                &[][..]
            };
            server.stop_and_tell().await.iter().for_each(|event| {
                if let Some(verb) = event["verb"].as_str() {
                    assert!(ordinary.contains(&verb), "{verb} was said");
                }
            });
        }
    }
}

#[tokio::test]
async fn without_an_offer_of_starttls_nothing_is_said_after_ehlo() {
    if is_left_out("aiosmtpd without STARTTLS") {
        return;
    }
    let authority = Authority::new().await;
    let server = Aiosmtpd::start(&["--user", "mailer", "--password", "right horse"]).await;
    let transport = Transport::new(authority.settings(server.port)).unwrap();
    match send(&transport, "ann@example.net").await {
        Outcome::Deferred {
            reason,
            phase: Phase::Tls,
        } => {
            assert!(reason.contains("does not offer STARTTLS"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(verbs(&server.stop_and_tell().await), ["EHLO"]);
}

#[tokio::test]
async fn a_wrong_password_defers_the_mail_and_is_in_no_text() {
    if is_left_out("aiosmtpd with a wrong password") {
        return;
    }
    let authority = Authority::new().await;
    authority.issue(RIGHT.0, RIGHT.1).await;
    let server = authority.server(&[]).await;
    let transport = Transport::new(SmtpSettings {
        login: Login::Password {
            user: "mailer".into(),
            password: "wrong horse".into(),
        },
        ..authority.settings(server.port)
    })
    .unwrap();
    match send(&transport, "ann@example.net").await {
        Outcome::Deferred {
            reason,
            phase: Phase::Login,
        } => {
            assert!(reason.starts_with("535"), "{reason}");
            assert!(
                !reason.contains("horse") && !reason.contains("mailer"),
                "{reason}"
            );
        }
        other => panic!("{other:?}"),
    }
    let events = server.stop_and_tell().await;
    assert_eq!(verbs(&events), ["EHLO", "STARTTLS", "EHLO", "AUTH"]);
}

#[tokio::test]
async fn a_refused_or_injected_starttls_ends_the_connection() {
    let authority = if is_left_out("STARTTLS injection") {
        return;
    } else {
        Authority::new().await
    };
    // Were the handshake begun with injected replies at hand, it would fail here for another reason.
    let injected = "220 ready\r\n250-injected\r\n250 AUTH PLAIN";
    for (answer, words) in [
        ("454 4.7.0 not now", "454 4.7.0 not now"),
        ("502 5.5.1 unknown command", "502 5.5.1 unknown command"),
        (injected, "the server said more than one reply"),
    ] {
        let mut peer = Peer::start(&["STARTTLS", "AUTH PLAIN"], move |turn| match turn.step {
            Step::StartTls => say(answer),
            _ => Action::Usual,
        })
        .await;
        let transport = Transport::new(authority.settings(peer.port)).unwrap();
        let outcome = send(&transport, "ann@example.net").await;
        let (reason, phase) = (words.to_owned(), Phase::Tls);
        assert_eq!(outcome, Outcome::Deferred { reason, phase });
        peer.until(Step::Closed).await;
        assert_eq!(peer.lines(), ["EHLO client.example.org", "STARTTLS"]);
    }
}

#[tokio::test]
async fn plain_text_is_sent_to_no_address_but_loopback() {
    // 192.0.2.1 is for documentation (RFC 5737): a connection attempt would take until the limit.
    let transport = Transport::new(SmtpSettings {
        host: "192.0.2.1".into(),
        connect_within: Duration::from_secs(600),
        ..settings(25)
    })
    .unwrap();
    match send(&transport, "ann@example.net").await {
        Outcome::Deferred {
            reason,
            phase: Phase::Connect,
        } => {
            assert!(reason.contains("loopback"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let with = |change: &dyn Fn(&mut SmtpSettings)| {
        let mut wanted = settings(25);
        change(&mut wanted);
        Transport::new(wanted).err()
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(
        with(&|wanted| wanted.max_sessions = 0),
        Some(SettingsProblem::Limits)
    );
    assert_eq!(
        with(&|wanted| wanted.host = "a b".into()),
        Some(SettingsProblem::Host)
    );
    let two_lines = |wanted: &mut SmtpSettings| wanted.hello_name = "a\r\nMAIL".into();
    assert_eq!(with(&two_lines), Some(SettingsProblem::HelloName));
    let no_pem = |wanted: &mut SmtpSettings| {
        wanted.tls = Tls::Required;
        wanted.extra_root_certificates = vec![b"no certificate".to_vec()];
    };
    assert_eq!(
        with(&no_pem),
        Some(SettingsProblem::RootCertificate { number: 1 })
    );
}
