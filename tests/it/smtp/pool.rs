//! Which mail goes over which connection, and that none reads another's replies.

use std::time::{Duration, Instant};

use countersign::mail::transport::{Outcome, Phase, SmtpSettings, Transport};

use super::peers::{Action, Peer, Step, say, send, settings};

const OFFERS: [&[&str]; 2] = [&["PIPELINING"], &[]];

fn accepted_for(outcome: &Outcome, to: &str) -> bool {
    matches!(outcome, Outcome::Accepted { reply } if reply.contains(&format!("<{to}>")))
}

#[tokio::test]
async fn mails_in_a_row_share_a_connection_and_each_gets_its_own_reply() {
    for offers in OFFERS {
        let peer = Peer::start(offers, |_| Action::Usual).await;
        let transport = Transport::new(settings(peer.port)).unwrap();
        for number in 0..20 {
            let to = format!("ann{number}@example.net");
            let outcome = send(&transport, &to).await;
            assert!(accepted_for(&outcome, &to), "{outcome:?}");
        }
        assert_eq!((peer.count("EHLO"), transport.sessions_open()), (1, 1));
        assert_eq!(peer.count("NOOP") + peer.count("RSET"), 0);
    }
}

#[tokio::test]
async fn a_cancelled_send_never_shifts_the_replies_of_the_next_mail() {
    for offers in OFFERS {
        for step in [
            Step::Hello,
            Step::MailFrom,
            Step::Recipient,
            Step::Data,
            Step::AfterDot,
        ] {
            let mut peer = Peer::start(offers, move |turn| {
                match turn.step == step && turn.connection == 0 {
                    true => Action::Stall,
                    false => Action::Usual,
                }
            })
            .await;
            let transport = Transport::new(settings(peer.port)).unwrap();
            tokio::select! {
                outcome = send(&transport, "first@example.net") => panic!("{outcome:?}"),
                () = peer.until(step) => {}
            }
            assert_eq!(transport.sessions_open(), 0, "{step:?}");
            let outcome = send(&transport, "second@example.net").await;
            assert!(
                accepted_for(&outcome, "second@example.net"),
                "{step:?}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_late_reply_is_never_read_by_the_next_mail() {
    let peer = Peer::start(OFFERS[0], |turn| match (turn.step, turn.connection) {
        (Step::AfterDot, 0) => Action::Stall,
        _ => Action::Usual,
    })
    .await;
    let transport = Transport::new(SmtpSettings {
        max_sessions: 1,
        final_reply_within: Duration::from_millis(200),
        ..settings(peer.port)
    })
    .unwrap();
    let first = send(&transport, "first@example.net").await;
    assert!(matches!(first, Outcome::Unknown { .. }), "{first:?}");
    let second = send(&transport, "second@example.net").await;
    assert!(accepted_for(&second, "second@example.net"), "{second:?}");
}

#[tokio::test]
async fn a_server_that_says_one_reply_too_many_loses_the_session() {
    let peer = Peer::start(OFFERS[0], |turn| match (turn.step, turn.connection) {
        (Step::AfterDot, 0) => say("250 ok\r\n250 and another ok"),
        _ => Action::Usual,
    })
    .await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    assert!(matches!(
        send(&transport, "first@example.net").await,
        Outcome::Accepted { .. }
    ));
    assert_eq!(transport.sessions_open(), 0);
    let second = send(&transport, "second@example.net").await;
    assert!(accepted_for(&second, "second@example.net"), "{second:?}");
}

#[tokio::test]
async fn other_mails_go_on_while_one_stalls() {
    let mut peer = Peer::start(OFFERS[0], |turn| match turn.line.contains("stalled@") {
        true => Action::Stall,
        false => Action::Usual,
    })
    .await;
    let transport = Transport::new(SmtpSettings {
        max_sessions: 2,
        ..settings(peer.port)
    })
    .unwrap();
    let theirs = transport.clone();
    let stalled = tokio::spawn(async move { send(&theirs, "stalled@example.net").await });
    peer.until(Step::Recipient).await;
    for number in 0..50 {
        let began = Instant::now();
        let to = format!("ann{number}@example.net");
        assert!(accepted_for(&send(&transport, &to).await, &to));
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    assert!(!stalled.is_finished());
    stalled.abort();
}

#[tokio::test]
async fn a_session_that_the_server_closed_while_idle_costs_no_mail() {
    for offers in OFFERS {
        for is_polite in [true, false] {
            let peer = Peer::start(offers, move |turn| {
                match (turn.step, turn.connection, turn.before) {
                    (Step::MailFrom, 0, 1) if is_polite => {
                        Action::SayAndDrop("421 4.4.2 idle for too long\r\n".into())
                    }
                    (Step::MailFrom, 0, 1) => Action::Drop,
                    _ => Action::Usual,
                }
            })
            .await;
            let transport = Transport::new(settings(peer.port)).unwrap();
            for to in ["first@example.net", "second@example.net"] {
                let outcome = send(&transport, to).await;
                assert!(accepted_for(&outcome, to), "{outcome:?}");
            }
            assert_eq!((peer.count("EHLO"), peer.messages().len()), (2, 2));
        }
    }
}

#[tokio::test]
async fn a_fresh_session_that_breaks_is_not_tried_again_at_once() {
    let peer = Peer::start(OFFERS[0], |turn| match turn.step {
        Step::MailFrom => Action::Drop,
        _ => Action::Usual,
    })
    .await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    let outcome = send(&transport, "ann@example.net").await;
    assert!(
        matches!(
            outcome,
            Outcome::Deferred {
                phase: Phase::MailFrom,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert_eq!(peer.count("EHLO"), 1);
}

#[tokio::test]
async fn after_a_refused_recipient_the_session_is_reset_or_dropped() {
    // In step: the server refuses DATA as well.
    let refusing = |turn: &super::peers::Turn<'_>| match (turn.step, turn.before) {
        (Step::Recipient, 0) => say("550 5.1.1 nobody"),
        (Step::Data, 0) if turn.connection == 0 => say("554 5.5.1 no valid recipients"),
        _ => Action::Usual,
    };
    let peer = Peer::start(OFFERS[0], refusing).await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    let first = send(&transport, "first@example.net").await;
    let reply = "550 5.1.1 nobody".to_owned();
    assert_eq!(
        first,
        Outcome::Rejected {
            reply: reply.clone(),
            phase: Phase::Recipient
        }
    );
    let second = send(&transport, "second@example.net").await;
    assert!(accepted_for(&second, "second@example.net"), "{second:?}");
    assert_eq!((peer.count("EHLO"), peer.count("RSET")), (1, 1));

    // The server wants the data all the same: neither a message nor a lone dot may follow.
    let peer = Peer::start(OFFERS[0], |turn| match (turn.step, turn.connection) {
        (Step::Recipient, 0) => say("550 5.1.1 nobody"),
        _ => Action::Usual,
    })
    .await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    let first = send(&transport, "first@example.net").await;
    assert_eq!(
        first,
        Outcome::Rejected {
            reply,
            phase: Phase::Recipient
        }
    );
    assert_eq!((transport.sessions_open(), peer.messages().len()), (0, 0));
    let second = send(&transport, "second@example.net").await;
    assert!(accepted_for(&second, "second@example.net"), "{second:?}");
}

#[tokio::test]
async fn a_session_ends_politely_after_its_share_of_mails_or_when_idle_or_at_the_close() {
    let mut peer = Peer::start(OFFERS[0], |_| Action::Usual).await;
    let transport = Transport::new(SmtpSettings {
        max_mails_per_session: 2,
        max_sessions: 1,
        idle_for: Duration::from_millis(100),
        ..settings(peer.port)
    })
    .unwrap();
    for _ in 0..4 {
        assert!(matches!(
            send(&transport, "ann@example.net").await,
            Outcome::Accepted { .. }
        ));
    }
    peer.until(Step::Quit).await;
    peer.until(Step::Quit).await;
    assert_eq!(peer.count("EHLO"), 2);
    assert!(matches!(
        send(&transport, "ann@example.net").await,
        Outcome::Accepted { .. }
    ));
    peer.until(Step::Quit).await;

    let mut peer = Peer::start(OFFERS[0], |_| Action::Usual).await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    assert!(matches!(
        send(&transport, "ann@example.net").await,
        Outcome::Accepted { .. }
    ));
    transport.close().await;
    assert_eq!(transport.sessions_open(), 0);
    peer.until(Step::Quit).await;
    let late = send(&transport, "ann@example.net").await;
    assert!(
        matches!(
            late,
            Outcome::Deferred {
                phase: Phase::Connect,
                ..
            }
        ),
        "{late:?}"
    );
}

#[tokio::test]
async fn no_more_sessions_are_open_than_were_agreed() {
    let peer = Peer::start(OFFERS[0], |_| Action::Usual).await;
    let transport = Transport::new(SmtpSettings {
        max_sessions: 3,
        ..settings(peer.port)
    })
    .unwrap();
    let mails: Vec<_> = (0..60)
        .map(|number| {
            let theirs = transport.clone();
            tokio::spawn(async move {
                let to = format!("ann{number}@example.net");
                let outcome = send(&theirs, &to).await;
                assert!(
                    accepted_one(&outcome) && theirs.sessions_open() <= 3,
                    "{outcome:?}"
                );
            })
        })
        .collect();
    for mail in mails {
        mail.await.unwrap();
    }
    assert!(peer.count("EHLO") <= 3);
    assert_eq!(peer.messages().len(), 60);
}

fn accepted_one(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { .. })
}

#[tokio::test]
async fn the_probe_says_nothing_but_noop_and_keeps_no_session() {
    let mut peer = Peer::start(OFFERS[0], |_| Action::Usual).await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    let summary = transport.probe().await.unwrap();
    assert!(summary.contains("220 peer.example.net") && summary.contains("PIPELINING"));
    peer.until(Step::Closed).await;
    let said = ["EHLO client.example.org", "NOOP", "QUIT"];
    assert_eq!(
        (peer.lines(), transport.sessions_open()),
        (said.map(String::from).to_vec(), 0)
    );
    let peer = Peer::start(OFFERS[0], |turn| match turn.step {
        Step::Greeting => say("554 5.3.2 no service for you"),
        _ => Action::Usual,
    })
    .await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    let problem = transport.probe().await.unwrap_err();
    assert_eq!(
        (problem.phase, problem.reason.as_str()),
        (Phase::Connect, "554 5.3.2 no service for you")
    );
}
