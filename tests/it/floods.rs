//! Many people at once: of a flood of sign-ins few passwords are hashed and the rest is turned away at once, while signups go on
//! (T20); and whoever comes while the process gets no turn is answered later, not reset.

use std::sync::Arc;
use std::time::Duration;

use countersign::cli::demo::smtp_catcher;
use countersign::clock::Clock;
use countersign::store::Engine;
use countersign::web::demo::Caught;

use crate::harness::{Client, place};
use crate::process::{declare, free_port, start, write_settings};

/// Sign-ins that come at once; each for a name of its own, so that no limit of a name turns them away.
const AT_ONCE: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_sign_ins_is_turned_away_at_once_and_signups_go_on() {
    // A process of its own: what is hashed at once is counted in the whole process, where other tests sign in too.
    let place = place(Engine::Sqlite).await;
    let caught = Arc::new(Caught::with_room_for(1_000));
    let smtp = smtp_catcher::start(caught, Clock::System).await.unwrap();
    let port = free_port();
    write_settings(&place.folder.0, &place.url, port, smtp.port());
    declare(&place.folder.0, port);
    let server = start(&place.folder.0, port).await;
    let flood: Vec<_> = (0..AT_ONCE)
        .map(|number| {
            let client = Client::new(&server.base, "127.0.0.1");
            let mut client = client.with("sec-fetch-site", "same-origin");
            tokio::spawn(async move {
                let name = format!("nobody{number}");
                let fields = [
                    ("name", name.as_str()),
                    ("password", "a wrong password, long"),
                ];
                client.post("/admin/sign-in", &fields).await
            })
        })
        .collect();
    let signups = async {
        for number in 0..20 {
            let mut client = Client::new(&server.base, "127.0.0.1");
            let email = format!("p{number}@example.org");
            let reply = client.post("/f/news", &[("email", &email)]).await;
            assert_eq!(reply.status, 303, "{}", reply.text());
        }
    };
    let within = Duration::from_secs(10);
    let signed_up = tokio::time::timeout(within, signups).await;
    assert!(signed_up.is_ok(), "signups wait for sign-ins");
    let (mut wrong, mut turned_away) = (0, 0);
    for one in flood {
        match one.await.unwrap().status {
            401 => wrong += 1,
            429 => turned_away += 1,
            other => panic!("{other}"),
        }
    }
    assert!(wrong >= 2, "{wrong} were hashed");
    assert!(turned_away >= AT_ONCE / 2, "{turned_away} were turned away");
}

/// Signups that come while nobody accepts them.
const HELD_UP: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_up_while_the_process_gets_no_turn_is_answered_later_and_not_reset() {
    let place = place(Engine::Sqlite).await;
    let caught = Arc::new(Caught::with_room_for(2 * HELD_UP));
    let smtp = smtp_catcher::start(caught, Clock::System).await.unwrap();
    let port = free_port();
    write_settings(&place.folder.0, &place.url, port, smtp.port());
    declare(&place.folder.0, port);
    let server = start(&place.folder.0, port).await;
    server.tell("-STOP");
    let signups: Vec<_> = (0..HELD_UP)
        .map(|number| {
            let mut client = Client::new(&server.base, "127.0.0.1");
            tokio::spawn(async move {
                let email = format!("p{number}@example.org");
                client.post("/f/news", &[("email", &email)]).await.status
            })
        })
        .collect();
    // Longer than Linux asks again for connections that no queue has room for.
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.tell("-CONT");
    for signup in signups {
        assert_eq!(signup.await.unwrap(), 303);
    }
}
