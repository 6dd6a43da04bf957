//! Peers that refuse, fall silent, hang up or talk too much, at every step.

use std::time::{Duration, Instant};

use countersign::mail::transport::{Outcome, Phase, SmtpSettings, Transport};

use super::peers::{Action, MESSAGE, Peer, Step, envelope, say, send, settings};

const PIPELINING: &[&str] = &["PIPELINING", "8BITMIME"];
const ONE_BY_ONE: &[&str] = &["8BITMIME"];
/// Where a step's failure is booked.
const STEPS: [(Step, Phase); 6] = [
    (Step::Greeting, Phase::Connect),
    (Step::Hello, Phase::Connect),
    (Step::MailFrom, Phase::MailFrom),
    (Step::Recipient, Phase::Recipient),
    (Step::Data, Phase::Data),
    (Step::AfterDot, Phase::FinalDot),
];

/// A peer that does something odd whenever it comes to one step.
async fn peer_with(
    offers: &'static [&'static str],
    step: Step,
    action: impl Fn() -> Action + Send + Sync + 'static,
) -> Peer {
    Peer::start(offers, move |turn| match turn.step == step {
        true => action(),
        false => Action::Usual,
    })
    .await
}

fn transport(peer: &Peer) -> Transport {
    Transport::new(settings(peer.port)).unwrap()
}

fn phase_of(outcome: &Outcome) -> Option<Phase> {
    match outcome {
        Outcome::Rejected { phase, .. } | Outcome::Deferred { phase, .. } => Some(*phase),
        Outcome::Accepted { .. } | Outcome::Unknown { .. } => None,
    }
}

fn is_deferred(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Deferred { .. })
}

#[tokio::test]
async fn a_refusal_at_any_step_is_booked_at_that_step() {
    for offers in [PIPELINING, ONE_BY_ONE] {
        for (step, phase) in STEPS {
            for (reply, is_final) in [("451 4.3.0 later", false), ("550 5.7.1 never", true)] {
                let peer = peer_with(offers, step, move || say(reply)).await;
                let outcome = send(&transport(&peer), "ann@example.net").await;
                assert_eq!(
                    phase_of(&outcome),
                    Some(phase),
                    "{step:?} {reply}: {outcome:?}"
                );
                // A server that refuses us before it has seen a mail says nothing about the mail.
                let is_rejected =
                    matches!(&outcome, Outcome::Rejected { reply: text, .. } if text == reply);
                assert_eq!(
                    is_rejected,
                    is_final && phase != Phase::Connect,
                    "{outcome:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_421_at_any_step_defers_the_mail_and_ends_the_session() {
    for offers in [PIPELINING, ONE_BY_ONE] {
        for (step, phase) in STEPS {
            let peer = peer_with(offers, step, || say("421 4.3.2 closing")).await;
            let transport = transport(&peer);
            let outcome = send(&transport, "ann@example.net").await;
            assert!(is_deferred(&outcome), "{step:?}: {outcome:?}");
            assert_eq!(phase_of(&outcome), Some(phase));
            assert_eq!(transport.sessions_open(), 0, "{step:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_lost_at_any_step_defers_the_mail_unless_the_dot_was_sent() {
    for offers in [PIPELINING, ONE_BY_ONE] {
        for (step, phase) in STEPS {
            let peer = peer_with(offers, step, || Action::Drop).await;
            let transport = transport(&peer);
            let outcome = send(&transport, "ann@example.net").await;
            match step {
                Step::AfterDot => {
                    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}")
                }
                _ => assert!(is_deferred(&outcome), "{step:?}: {outcome:?}"),
            }
            if step != Step::AfterDot {
                assert_eq!(phase_of(&outcome), Some(phase));
            }
            assert_eq!(transport.sessions_open(), 0, "{step:?}");
        }
    }
}

#[tokio::test]
async fn silence_at_any_step_is_over_in_time() {
    for (step, phase) in STEPS {
        let peer = peer_with(PIPELINING, step, || Action::Stall).await;
        let mut wanted = settings(peer.port);
        match step {
            Step::AfterDot => wanted.final_reply_within = Duration::from_millis(200),
            _ => wanted.reply_within = Duration::from_millis(200),
        }
        let transport = Transport::new(wanted).unwrap();
        let outcome = send(&transport, "ann@example.net").await;
        match step {
            Step::AfterDot => assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}"),
            _ => assert_eq!(phase_of(&outcome), Some(phase), "{outcome:?}"),
        }
        assert_eq!(transport.sessions_open(), 0, "{step:?}");
    }
}

#[tokio::test]
async fn the_reply_after_the_dot_has_its_own_longer_limit() {
    let mut peer = peer_with(PIPELINING, Step::AfterDot, || Action::Stall).await;
    let transport = Transport::new(SmtpSettings {
        reply_within: Duration::from_millis(100),
        final_reply_within: Duration::from_millis(900),
        ..settings(peer.port)
    })
    .unwrap();
    let began = Instant::now();
    let outcome = send(&transport, "ann@example.net").await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert!(
        began.elapsed() >= Duration::from_millis(890),
        "{:?}",
        began.elapsed()
    );
    peer.until(Step::AfterDot).await;
}

/// Large enough to fill the buffers on both sides of a connection.
fn large_message() -> Vec<u8> {
    let mut message = MESSAGE.to_vec();
    message.extend(b"a line of a very large message\r\n".repeat(500_000));
    message
}

#[tokio::test]
async fn a_peer_that_hangs_up_or_falls_silent_inside_the_message_defers_it() {
    let message = large_message();
    for is_silent in [false, true] {
        let peer = peer_with(PIPELINING, Step::InMessage, move || match is_silent {
            true => Action::Stall,
            false => Action::Drop,
        })
        .await;
        let transport = Transport::new(SmtpSettings {
            reply_within: Duration::from_millis(500),
            ..settings(peer.port)
        })
        .unwrap();
        let outcome = transport.send(&envelope("ann@example.net"), &message).await;
        assert!(is_deferred(&outcome), "{outcome:?}");
        assert_eq!(phase_of(&outcome), Some(Phase::Data));
        assert_eq!(transport.sessions_open(), 0);
    }
}

#[tokio::test]
async fn a_reply_of_ten_thousand_lines_is_given_up_at_once() {
    for (step, _) in STEPS {
        let code = match step {
            Step::Greeting => "220",
            Step::Data => "354",
            _ => "250",
        };
        let reply = format!("{code}-x\r\n").repeat(10_000) + &format!("{code} x\r\n");
        let peer = peer_with(PIPELINING, step, move || Action::Say(reply.clone())).await;
        let transport = transport(&peer);
        let began = Instant::now();
        let outcome = send(&transport, "ann@example.net").await;
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{step:?}: {:?}",
            began.elapsed()
        );
        match step {
            Step::AfterDot => assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}"),
            _ => assert!(is_deferred(&outcome), "{step:?}: {outcome:?}"),
        }
        assert_eq!(transport.sessions_open(), 0, "{step:?}");
    }
}

#[tokio::test]
async fn nonsense_defers_the_mail_or_leaves_it_unknown() {
    for text in [
        "hello?\r\n",
        "999 what\r\n",
        "\r\n",
        "2",
        "250-a\r\n350 b\r\n",
    ] {
        for (step, _) in STEPS {
            let peer = peer_with(PIPELINING, step, move || Action::SayAndDrop(text.into())).await;
            let outcome = send(&transport(&peer), "ann@example.net").await;
            match step {
                Step::AfterDot => {
                    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}")
                }
                _ => assert!(is_deferred(&outcome), "{step:?} {text:?}: {outcome:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_positive_but_wrong_is_no_consent() {
    for (step, text) in [
        (Step::MailFrom, "354 go on"),
        (Step::Recipient, "354 go on"),
        (Step::Data, "250 ok"),
        (Step::AfterDot, "354 more"),
    ] {
        let peer = peer_with(ONE_BY_ONE, step, move || say(text)).await;
        let transport = transport(&peer);
        let outcome = send(&transport, "ann@example.net").await;
        assert!(
            !matches!(outcome, Outcome::Accepted { .. } | Outcome::Rejected { .. }),
            "{outcome:?}"
        );
        assert_eq!(transport.sessions_open(), 0);
    }
}

#[tokio::test]
async fn a_demand_for_a_login_is_not_the_mails_fault() {
    let peer = peer_with(PIPELINING, Step::MailFrom, || say("530 5.7.0 log in first")).await;
    let outcome = send(&transport(&peer), "ann@example.net").await;
    assert!(is_deferred(&outcome), "{outcome:?}");
    assert_eq!(phase_of(&outcome), Some(Phase::Login));
}

#[tokio::test]
async fn replies_are_kept_without_addresses_control_characters_or_foreign_bytes() {
    let peer = Peer::start(PIPELINING, |turn| match turn.step {
        Step::Recipient => Action::Say(
            "550-5.1.1 <Ann@Example.net>: nobody\u{1b}[2J here\r\n550 5.1.1 s\u{e9}rieux\r\n"
                .into(),
        ),
        _ => Action::Usual,
    })
    .await;
    let outcome = send(&transport(&peer), "ann@example.net").await;
    let reply = "550 5.1.1 <[…]>: nobody\u{fffd}[2J here s??rieux".to_owned();
    assert_eq!(
        outcome,
        Outcome::Rejected {
            reply,
            phase: Phase::Recipient
        }
    );
}

#[tokio::test]
async fn a_long_reply_is_cut() {
    let reply = format!("250 {}\r\n", "x".repeat(900)).repeat(1);
    let long = reply.replacen(' ', "-", 1).repeat(5) + &reply;
    let peer = peer_with(PIPELINING, Step::AfterDot, move || {
        Action::Say(long.clone())
    })
    .await;
    match send(&transport(&peer), "ann@example.net").await {
        Outcome::Accepted { reply } => assert_eq!(reply.chars().count(), 1000),
        other => panic!("{other:?}"),
    }
}
