//! Mails in a row: the commands of the next leave behind the message of the one before, and still every mail gets its own
//! reply, is sent once, and waits for no other.

use std::borrow::Borrow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use countersign::mail::transport::{Mail, Outcome, SmtpSettings, Transport};
use tokio::time::timeout;

use super::peers::{Action, MESSAGE, PATIENCE, Peer, Step, Turn, envelope, say, settings};

const OFFERS: [&[&str]; 2] = [&["PIPELINING"], &[]];
const MAILS: usize = 8;

fn address(number: usize) -> String {
    format!("ann{number}@example.net")
}

struct Numbered(usize, Mail);

impl Borrow<Mail> for Numbered {
    fn borrow(&self) -> &Mail {
        &self.1
    }
}

/// What became of each of so many mails in a row, in the order in which it was told.
async fn send_row(transport: &Transport, mails: usize) -> Vec<(usize, Outcome)> {
    let row = (0..mails).map(|number| {
        let mail = Mail::checked(&envelope(&address(number)), MESSAGE.to_vec());
        Numbered(number, mail.unwrap())
    });
    let outcomes = Mutex::new(Vec::new());
    let told = |mail: &Numbered, outcome| outcomes.lock().unwrap().push((mail.0, outcome));
    timeout(PATIENCE, transport.send_row(row, &told))
        .await
        .expect("the row came back");
    outcomes.into_inner().unwrap()
}

fn accepted_for(outcome: &Outcome, number: usize) -> bool {
    let to = format!("<{}>", address(number));
    matches!(outcome, Outcome::Accepted { reply } if reply.contains(&to))
}

/// A script that does something odd when one mail comes to a step.
fn at_mail(
    number: usize,
    step: Step,
    action: impl Fn() -> Action + Send + Sync + 'static,
) -> impl Fn(&Turn<'_>) -> Action + Send + Sync + 'static {
    move |turn| match turn.step == step && turn.before == number && turn.connection == 0 {
        true => action(),
        false => Action::Usual,
    }
}

#[tokio::test]
async fn mails_in_a_row_share_a_session_and_each_gets_its_own_reply() {
    for offers in OFFERS {
        let peer = Peer::start(offers, |_| Action::Usual).await;
        let transport = Transport::new(settings(peer.port)).unwrap();
        for (place, (number, outcome)) in send_row(&transport, 20).await.iter().enumerate() {
            assert_eq!(place, *number);
            assert!(accepted_for(outcome, *number), "{outcome:?}");
        }
        assert_eq!((peer.count("EHLO"), transport.sessions_open()), (1, 1));
        assert_eq!((peer.count("MAIL"), peer.messages().len()), (20, 20));
    }
}

#[tokio::test]
async fn the_next_mail_is_begun_before_the_server_has_answered_for_the_one_before() {
    let mut peer = Peer::start(OFFERS[0], |turn| match turn.step {
        // The peer reads on as if it had answered, and answers for both at the end.
        Step::AfterDot if turn.before == 2 => Action::Say(String::new()),
        Step::MailFrom if turn.before == 3 => say("250 2.0.0 late\r\n250 2.1.0 ok"),
        _ => Action::Usual,
    })
    .await;
    let transport = Transport::new(settings(peer.port)).unwrap();
    let outcomes = send_row(&transport, MAILS).await;
    peer.until(Step::AfterDot).await;
    assert!(
        outcomes
            .iter()
            .all(|(_, outcome)| matches!(outcome, Outcome::Accepted { .. })),
        "{outcomes:?}"
    );
    assert_eq!((peer.count("EHLO"), peer.count("MAIL")), (1, MAILS));
}

#[tokio::test]
async fn whatever_befalls_one_mail_of_a_row_the_others_are_sent_just_once() {
    type Odd = fn() -> Action;
    let odds: [Odd; 4] = [
        || say("451 4.3.0 later"),
        || say("550 5.7.1 never"),
        || Action::SayAndDrop("421 4.3.2 closing\r\n".into()),
        || Action::Drop,
    ];
    for offers in OFFERS {
        for step in [Step::MailFrom, Step::Recipient, Step::Data, Step::AfterDot] {
            for (number, odd) in odds.into_iter().enumerate() {
                let peer = Peer::start(offers, at_mail(3, step, odd)).await;
                let transport = Transport::new(settings(peer.port)).unwrap();
                let outcomes = send_row(&transport, MAILS).await;
                let name = format!("{step:?} {number} {outcomes:?}");
                assert_eq!(outcomes.len(), MAILS, "{name}");
                // A session that ends before MAIL is answered costs no mail.
                let is_lost = step != Step::MailFrom || number < 2;
                for (number, outcome) in &outcomes {
                    let is_hit = is_lost && *number == 3;
                    assert_eq!(!is_hit, accepted_for(outcome, *number), "{name}");
                }
                let taken = MAILS - usize::from(is_lost && step != Step::AfterDot);
                assert_eq!(peer.messages().len(), taken, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_mail_that_stalls_holds_up_none_behind_it() {
    for step in [Step::MailFrom, Step::Data, Step::AfterDot] {
        let peer = Peer::start(OFFERS[0], at_mail(3, step, || Action::Stall)).await;
        let transport = Transport::new(SmtpSettings {
            reply_within: Duration::from_secs(2),
            final_reply_within: Duration::from_secs(2),
            ..settings(peer.port)
        })
        .unwrap();
        let began = Instant::now();
        let watched = async {
            while peer.messages().len() < MAILS - usize::from(step != Step::AfterDot) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            began.elapsed()
        };
        let (outcomes, others_took) = tokio::join!(send_row(&transport, MAILS), watched);
        assert!(others_took < Duration::from_secs(1), "{others_took:?}");
        for (number, outcome) in &outcomes {
            // Before MAIL is answered nothing is lost, and a fresh session takes the mail.
            let is_fine = *number != 3 || step == Step::MailFrom;
            assert_eq!(is_fine, accepted_for(outcome, *number), "{outcomes:?}");
        }
        assert_eq!(outcomes.last().unwrap().0, 3, "told last: {outcomes:?}");
        let is_unknown = matches!(outcomes.last().unwrap().1, Outcome::Unknown { .. });
        assert_eq!(is_unknown, step == Step::AfterDot);
    }
}

#[tokio::test]
async fn a_reply_too_many_inside_a_row_is_never_taken_for_another_mails() {
    for (step, text) in [
        (Step::AfterDot, "250 ok\r\n250 and another ok"),
        (Step::AfterDot, "250 ok\r\n354 and go on"),
        (Step::Data, "354 go on\r\n250 taken before it was sent"),
        (Step::Recipient, "250 ok\r\n354 go on"),
    ] {
        let peer = Peer::start(OFFERS[0], at_mail(3, step, move || say(text))).await;
        let transport = Transport::new(settings(peer.port)).unwrap();
        let outcomes = send_row(&transport, MAILS).await;
        for (number, outcome) in &outcomes {
            let is_suspect = (3..=4).contains(number);
            assert!(
                is_suspect || accepted_for(outcome, *number),
                "{text}: {outcomes:?}"
            );
        }
        let accepted = outcomes
            .iter()
            .filter(|one| matches!(one.1, Outcome::Accepted { .. }));
        assert!(
            accepted.count() <= peer.messages().len(),
            "{text}: {outcomes:?}"
        );
    }
}

#[tokio::test]
async fn a_session_carries_its_share_of_a_row_and_a_slow_server_is_not_hurried() {
    let peer = Peer::start(OFFERS[0], |_| Action::Usual).await;
    let transport = Transport::new(SmtpSettings {
        max_mails_per_session: 3,
        max_sessions: 1,
        ..settings(peer.port)
    })
    .unwrap();
    let outcomes = send_row(&transport, 7).await;
    assert!(
        outcomes
            .iter()
            .all(|(number, outcome)| accepted_for(outcome, *number))
    );
    assert_eq!((peer.count("EHLO"), peer.count("MAIL")), (3, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_answered_late_gives_its_only_session_to_those_behind_it() {
    let late = || {
        std::thread::sleep(Duration::from_millis(700));
        Action::Usual
    };
    let peer = Peer::start(OFFERS[0], at_mail(3, Step::AfterDot, late)).await;
    let transport = Transport::new(SmtpSettings {
        max_sessions: 1,
        ..settings(peer.port)
    })
    .unwrap();
    let outcomes = send_row(&transport, MAILS).await;
    for (number, outcome) in &outcomes {
        assert!(accepted_for(outcome, *number), "{outcomes:?}");
    }
    assert_eq!((outcomes.len(), peer.messages().len()), (MAILS, MAILS));
}
