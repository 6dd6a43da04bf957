//! What is on the wire: one message, one recipient, no line that two servers could read differently.

use countersign::mail::transport::{Envelope, Outcome, Phase, Transport};

use super::peers::{Action, MESSAGE, Peer, envelope, send, settings};

const OFFERS: &[&str] = &["PIPELINING", "8BITMIME", "SMTPUTF8"];

#[tokio::test]
async fn no_variant_of_the_end_of_data_leaves_the_process() {
    let peer = Peer::start(OFFERS, |_| Action::Usual).await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    // The variants of CVE-2023-51764 and the papers about it.
    for end in [
        "\n.\n",
        "\r.\r",
        "\n.\r\n",
        "\r\n.\n",
        "\r\n.\r",
        "\r.\r\n",
        "\n.\r",
        "\r.\n",
        "\r\n\0.\r\n",
        "\r\n.\0\r\n",
        "\r\n\n.\n",
        "\r\r\n.\r\r\n",
        "\n\n.\n\n",
        "\r",
        "\n",
        "\0",
    ] {
        let smuggled = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nmore\r\n";
        let head = "From: a@example.org\r\nSubject: x\r\n\r\n";
        for message in [
            format!("{head}text{end}{smuggled}"),
            format!("Subject: x{end}{smuggled}\r\n\r\ntext\r\n"),
            format!("{head}text{end}"),
        ] {
            let outcome = transport
                .send(&envelope("ann@example.net"), message.as_bytes())
                .await;
            let is_refused = matches!(
                outcome,
                Outcome::Rejected {
                    phase: Phase::Data,
                    ..
                }
            );
            assert!(is_refused, "{end:?}: {outcome:?}");
        }
    }
    assert_eq!(peer.lines().len(), 0, "not even a connection was made");
}

#[tokio::test]
async fn a_message_full_of_dots_is_one_message_and_arrives_as_it_was() {
    for message in [
        MESSAGE.to_vec(),
        b"A: b\r\n\r\n.\r\n".to_vec(),
        b"A: b\r\n\r\n\r\n.\r\nMAIL FROM:<a@example.org>\r\n.\r\n..\r\n...\r\n\r\n".to_vec(),
        b".A: b\r\n\r\n.\r\n.\r\n."
            .iter()
            .copied()
            .chain(*b"\r\n")
            .collect(),
        b"\r\n".to_vec(),
    ] {
        let peer = Peer::start(OFFERS, |_| Action::Usual).await;
        let transport = Transport::new(settings(peer.port)).unwrap();
        let outcome = transport.send(&envelope("ann@example.net"), &message).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        let wire = peer.messages().pop().unwrap();
        let plain: Vec<u8> = wire
            .split_inclusive(|byte| *byte == b'\n')
            .flat_map(|line| line.strip_prefix(b".").unwrap_or(line))
            .copied()
            .collect();
        assert_eq!(
            String::from_utf8_lossy(&plain),
            String::from_utf8_lossy(&message)
        );
        assert_eq!((peer.count("MAIL"), peer.messages().len()), (1, 1));
        assert_eq!(peer.count("RCPT TO:<ann@example.net>"), 1);
        // Still in step: the session was kept.
        assert_eq!(transport.sessions_open(), 1);
    }
}

#[tokio::test]
async fn the_longest_line_is_998_octets() {
    let peer = Peer::start(OFFERS, |_| Action::Usual).await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    for (length, is_fine) in [(998, true), (999, false)] {
        let message = format!("A: b\r\n\r\n{}\r\n", "x".repeat(length));
        let outcome = transport
            .send(&envelope("ann@example.net"), message.as_bytes())
            .await;
        assert_eq!(
            matches!(outcome, Outcome::Accepted { .. }),
            is_fine,
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn an_address_that_could_end_its_command_is_never_sent() {
    let peer = Peer::start(OFFERS, |_| Action::Usual).await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    for bad in [
        "",
        "ann",
        "@example.net",
        "ann@",
        "ann@exa mple.net",
        "ann@example.net>",
        "<ann@example.net",
        "ann@example.net\r\nRCPT TO:<b@example.net",
        "a\nb@example.net",
        "a\0@example.net",
        "a b@example.net",
        "\"a b\"@example.net",
        "a@b@example.net",
        "a@[127.0.0.1]",
        "a\u{85}@example.net",
        "a\u{2028}@example.net",
        "ann@exämple.net",
        "a@example.net> SIZE=1 <",
        "a,b@example.net",
    ] {
        let outcome = send(&transport, bad).await;
        let is_refused = matches!(
            outcome,
            Outcome::Rejected {
                phase: Phase::Recipient,
                ..
            }
        );
        assert!(is_refused, "{bad:?}: {outcome:?}");
        let from = Envelope {
            from: bad.into(),
            ..envelope("ann@example.net")
        };
        let outcome = transport.send(&from, MESSAGE).await;
        let is_refused = matches!(
            outcome,
            Outcome::Rejected {
                phase: Phase::MailFrom,
                ..
            }
        );
        assert_eq!(is_refused, !bad.is_empty(), "{bad:?}: {outcome:?}");
    }
    assert_eq!(
        peer.count("RCPT"),
        1,
        "only the null sender's mail was sent"
    );
    assert_eq!(peer.count("MAIL FROM:<>"), 1);
}

#[tokio::test]
async fn extensions_are_used_where_needed_and_offered() {
    let text = "Subject: x\r\n\r\nG\u{fc}nther\r\n";
    let header = "Subject: G\u{fc}nther\r\n\r\nx\r\n";
    for (to, message, parameters) in [
        ("ann@example.net", "Subject: x\r\n\r\nx\r\n", ""),
        ("ann@example.net", text, " BODY=8BITMIME"),
        ("ann@example.net", header, " BODY=8BITMIME SMTPUTF8"),
        (
            "j\u{f6}rg@example.net",
            "Subject: x\r\n\r\nx\r\n",
            " SMTPUTF8",
        ),
    ] {
        let peer = Peer::start(OFFERS, |_| Action::Usual).await;
        let transport = Transport::new(settings(peer.port)).unwrap();
        let outcome = transport.send(&envelope(to), message.as_bytes()).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        let line = format!("MAIL FROM:<bounces+7f@example.org>{parameters}");
        assert!(peer.lines().contains(&line), "{:?}", peer.lines());

        let peer = Peer::start(&["PIPELINING"], |_| Action::Usual).await;
        let transport = Transport::new(settings(peer.port)).unwrap();
        let outcome = transport.send(&envelope(to), message.as_bytes()).await;
        assert_eq!(
            matches!(outcome, Outcome::Accepted { .. }),
            parameters.is_empty(),
            "{outcome:?}"
        );
        assert_eq!(peer.count("MAIL"), usize::from(parameters.is_empty()));
    }
}
