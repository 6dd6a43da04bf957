//! Whose mail it is: clocks that jump, or differ, and results whose writing fails, send no mail twice and tell of none twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign::app::App;
use countersign::app::apply::{apply, parse};
use countersign::app::sign_up::Submission;
use countersign::clock::{Clock, Random};
use countersign::store::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::peers::{Action, Peer, Step, say};
use crate::harness::{DECLARATIONS, World, place, postgres, settings, story_of};
use crate::import::storing::findings;
use crate::on_both_engines;

const AN_HOUR: i64 = 3_600_000_000;

/// A server that takes the first mail only once it is told to.
async fn slow_peer() -> (Peer, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let (theirs, is_first) = (go_on.clone(), AtomicBool::new(true));
    let peer = Peer::start(&["8BITMIME"], move |turn| {
        let waits = turn.step == Step::AfterDot && is_first.swap(false, Ordering::SeqCst);
        match waits {
            true => Action::After(theirs.clone()),
            false => Action::Usual,
        }
    });
    (peer.await, go_on)
}

on_both_engines! {
    async fn a_mail_that_is_being_sent_is_not_sent_again_when_the_clock_jumps(engine: Engine) {
        let (mut peer, go_on) = slow_peer().await;
        let world = World::mailing_to(engine, peer.port).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let sending = tokio::spawn({
            let delivery = world.delivery.clone();
            async move { delivery.drain().await.unwrap() }
        });
        peer.until(Step::AfterDot).await;
        world.clock.step(AN_HOUR);
        assert_eq!(world.delivery.drain().await.unwrap(), 0);
        go_on.notify_one();
        assert_eq!(sending.await.unwrap(), 1);
        assert_eq!(world.delivery.drain().await.unwrap(), 0);
        assert_eq!(peer.messages().len(), 1);
        assert_eq!(world.kinds("anna@example.org").await, ["signed_up", "mail_accepted"]);
        world.finish().await;
    }

    async fn a_refusal_that_cannot_be_written_tells_of_no_other_mail_twice_and_is_written_later(engine: Engine) {
        let peer = Peer::start(&["8BITMIME"], |turn| match turn.step {
            Step::Recipient if turn.line.contains("<gone") => say("550 5.1.1 no such user"),
            _ => Action::Usual,
        })
        .await;
        let world = World::mailing_to(engine, peer.port).await;
        for email in ["anna@example.org", "gone@example.org", "bert@example.org"] {
            world.signed_up(email, "192.0.2.1").await;
        }
        let fails = match engine {
            Engine::Sqlite => "create trigger fails before update of suppressed_at on mailbox \
                begin select raise(abort, 'no'); end",
            Engine::Postgres => "create function fails() returns trigger language plpgsql as \
                $$ begin raise exception 'no'; end $$; \
                create trigger fails before update on mailbox for each row execute function fails()",
        };
        world.sql(fails).await.unwrap();
        world.delivery.drain().await.unwrap();
        for email in ["anna@example.org", "bert@example.org"] {
            assert_eq!(world.kinds(email).await, ["signed_up", "mail_accepted"]);
        }
        assert_eq!(world.kinds("gone@example.org").await, ["signed_up"]);
        let mended = match engine {
            Engine::Sqlite => "drop trigger fails",
            Engine::Postgres => "drop trigger fails on mailbox",
        };
        world.sql(mended).await.unwrap();
        world.advance(61);
        world.delivery.drain().await.unwrap();
        assert_eq!(world.kinds("gone@example.org").await, ["signed_up", "mail_failed", "bounced"]);
        assert_eq!(peer.messages().len(), 2);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_machines_whose_clocks_differ_send_no_mail_twice() {
    if postgres::is_left_out() {
        return;
    }
    let (mut peer, go_on) = slow_peer().await;
    let place = place(Engine::Postgres).await;
    let now = Clock::System.now();
    let mut apps = Vec::new();
    for ahead in [0, 90] {
        let config = settings("http://127.0.0.1:1", &place.url, peer.port, "");
        let clock = Clock::of_one_machine(now.plus(Duration::from_secs(ahead)));
        apps.push(App::start(config, clock, Random::Os).await.unwrap());
    }
    let declared = parse(DECLARATIONS).unwrap();
    apply(&apps[0], &declared).await.unwrap();
    let form = apps[0].catalog().form("news").unwrap().clone();
    let given = Submission {
        email: "anna@example.org".to_owned(),
        ..Default::default()
    };
    apps[0].sign_up(&form, given).await.unwrap();
    apps[1].refresh_catalog().await.unwrap();
    let one = apps[0].delivery().unwrap();
    let sending = tokio::spawn(async move { one.drain().await.unwrap() });
    peer.until(Step::AfterDot).await;
    let two = apps[1].delivery().unwrap();
    assert_eq!(two.drain().await.unwrap(), 0);
    go_on.notify_one();
    assert_eq!(sending.await.unwrap(), 1);
    assert_eq!(peer.messages().len(), 1);
    for app in apps {
        app.store.close().await;
    }
    if let Some(database) = place.database {
        database.drop().await;
    }
}

/// Stands between this process and PostgreSQL. While `cuts` is set, the next connection that commits is cut
/// once the server has done so, and before the process hears of it.
async fn cutting_proxy(server: String, cuts: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, cuts) = (server.clone(), cuts.clone());
            tokio::spawn(async move {
                let there = TcpStream::connect(server).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = there.into_split();
                let is_cut = Arc::new(AtomicBool::new(false));
                let cut = is_cut.clone();
                tokio::spawn(async move {
                    let mut buffer = vec![0; 65_536];
                    loop {
                        let read = from_client.read(&mut buffer).await.unwrap_or(0);
                        let said = &buffer[..read];
                        if said.windows(6).any(|one| one == b"commit")
                            && cuts.swap(false, Ordering::SeqCst)
                        {
                            cut.store(true, Ordering::SeqCst);
                        }
                        if read == 0 || to_server.write_all(said).await.is_err() {
                            break;
                        }
                    }
                });
                let mut buffer = vec![0; 65_536];
                loop {
                    let read = from_server.read(&mut buffer).await.unwrap_or(0);
                    if read == 0
                        || is_cut.load(Ordering::SeqCst)
                        || to_client.write_all(&buffer[..read]).await.is_err()
                    {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_behind_the_commit_writes_no_result_twice() {
    if postgres::is_left_out() {
        return;
    }
    let (mut peer, go_on) = slow_peer().await;
    let place = place(Engine::Postgres).await;
    let (user, rest) = place.url.rsplit_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let cuts = Arc::new(AtomicBool::new(false));
    let port = cutting_proxy(server.to_owned(), cuts.clone()).await;
    // The proxy has to read what is said.
    let proxied = format!("{user}@127.0.0.1:{port}/{database}?sslmode=disable");
    let config = settings("http://127.0.0.1:1", &proxied, peer.port, "");
    let app = App::start(config, Clock::System, Random::Os).await.unwrap();
    apply(&app, &parse(DECLARATIONS).unwrap()).await.unwrap();
    let form = app.catalog().form("news").unwrap().clone();
    let given = Submission {
        email: "anna@example.org".to_owned(),
        ..Default::default()
    };
    app.sign_up(&form, given).await.unwrap();
    let delivery = app.delivery().unwrap();
    let sending = tokio::spawn(async move { delivery.drain().await.unwrap() });
    peer.until(Step::AfterDot).await;
    cuts.store(true, Ordering::SeqCst);
    go_on.notify_one();
    assert_eq!(sending.await.unwrap(), 1);
    assert!(!cuts.load(Ordering::SeqCst), "the connection was cut");
    let brand = app.catalog().brand_by_slug("acme").unwrap().clone();
    let story = story_of(&app, &brand, "anna@example.org").await;
    let kinds: Vec<_> = story.iter().map(|event| event.fact.kind()).collect();
    assert_eq!(kinds, ["signed_up", "mail_accepted"]);
    assert_eq!(peer.messages().len(), 1);
    app.store.close().await;
    if let Some(database) = place.database {
        database.drop().await;
    }
}
