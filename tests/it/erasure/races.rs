//! Erasure against everything that can happen at the same moment: some order explains what is left, nobody sees an error
//! page, and nothing comes back.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign::app::App;
use countersign::app::erase::EraseProblem;
use countersign::clock::Random;
use countersign::domain::event::Fact;
use countersign::domain::ids::ContactId;
use countersign::store::Conn;

use super::{BY_OPERATOR, acme, forget, left_of};
use crate::confirm::inbox_path;
use crate::harness::{Reply, World};
use crate::on_both_engines;
use crate::smtp::peers::{Action, Peer, Step, say};

const ROUNDS: usize = 40;

/// A second process on the same database, as the command line is one.
async fn beside(world: &World) -> Arc<App> {
    let config = world.app.config.clone();
    let app = App::start(config, world.clock.clone(), Random::seeded(8)).await;
    app.unwrap_or_else(|problem| panic!("{problem}"))
}

/// Rows that still belong to a contact, besides events that are empty or tell of the erasure.
async fn rows_left(world: &World, contact: ContactId) -> i64 {
    let sql = "select (select count(*) from contact where id = $1) \
         + (select count(*) from request where contact_id = $1) + (select count(*) from outbox where contact_id = $1) \
         + (select count(*) from opened_from where request_id not in (select id from request)) \
         + (select count(*) from event where contact_id = $1 and kind <> 'erased' \
            and (body is not null or salt is not null or circumstances is not null or mail is not null))";
    match world.app.store.read().await.unwrap() {
        Conn::SqliteRead(mut conn) => sqlx::query_scalar(sql)
            .bind(contact)
            .fetch_one(&mut *conn)
            .await
            .unwrap(),
        Conn::PostgresRead(mut conn) => sqlx::query_scalar(sql)
            .bind(contact)
            .fetch_one(&mut *conn)
            .await
            .unwrap(),
        _ => unreachable!(),
    }
}

/// An erasure takes some steps; each round meets it at another one.
async fn meet(round: usize) {
    tokio::time::sleep(Duration::from_millis(round as u64 % 10 * 3)).await;
}

async fn erased_once(world: &World, contact: ContactId, round: usize) {
    assert_eq!(rows_left(world, contact).await, 0, "round {round}");
    let left = left_of(world, contact).await;
    assert!(
        matches!(left.as_slice(), [one] if matches!(one.fact, Fact::Erased { .. })),
        "round {round}: {left:?}"
    );
}

fn is_no_error_page(reply: &Reply) -> bool {
    matches!(reply.status, 200 | 303 | 404 | 422)
}

on_both_engines! {
    async fn whatever_a_person_does_while_being_erased_leaves_nothing_behind(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let second = beside(&world).await;
        let (mut confirmed, mut missed) = (0, 0);
        for round in 0..ROUNDS {
            let email = format!("p{round}@example.org");
            let ip = format!("192.0.2.{round}");
            let (mut person, page) = world.signed_up(&email, &ip).await;
            let inbox = inbox_path(&page.text());
            let mail = world.mail_to(&email).await;
            let contact = world.story(&email).await[0].contact;
            world.advance(90);
            let (mut scanner, mut other, mut third) = (world.client("198.51.100.7"), person.clone(), person.clone());
            let decline = mail.decline();
            let eraser = if round % 2 == 0 { &world.app } else { &second };
            let brand = acme(&world);
            let (erased, pressed, hit, again, refused) = tokio::join!(
                eraser.erase(&brand, &email, BY_OPERATOR),
                async {
                    let path = mail.confirm();
                    meet(round).await;
                    person.post(&path, &[]).await
                },
                async {
                    let path = mail.about();
                    meet(round + 1).await;
                    scanner.get(&path).await
                },
                async {
                    meet(round + 2).await;
                    let path = format!("{inbox}/resend");
                    let reply = other.post(&path, &[]).await;
                    world.delivery.drain().await.unwrap();
                    reply
                },
                async {
                    if round % 4 == 3 { Some(third.post(&decline, &[]).await) } else { None }
                },
            );
            assert!(erased.unwrap().events >= 2, "round {round}");
            for reply in [Some(pressed.clone()), Some(hit), Some(again), refused].into_iter().flatten() {
                assert!(is_no_error_page(&reply), "round {round}: {}", reply.text());
            }
            confirmed += usize::from(pressed.status == 200);
            missed += usize::from(pressed.status == 404);
            world.deliver().await;
            assert!(!world.permission(&email, "newsletter").await.allowed, "round {round}");
            erased_once(&world, contact, round).await;
        }
        eprintln!("of {ROUNDS}, {confirmed} confirmed before they were erased, {missed} came too late");
        world.app.sequence().await.unwrap();
        second.store.close().await;
        world.finish().await;
    }

    async fn a_signup_during_an_erasure_is_erased_with_the_rest_or_is_a_new_contact(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let second = beside(&world).await;
        let brand = acme(&world);
        for round in 0..ROUNDS {
            // Longer than one process has the right to extend the log: the clock stands still otherwise.
            world.advance(11);
            let email = format!("p{round}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let contact = world.story(&email).await[0].contact;
            let eraser = if round % 2 == 0 { &world.app } else { &second };
            let (mut client, mut other) = (world.client("192.0.2.2"), world.client("192.0.2.3"));
            let fields = [("email", email.as_str())];
            let (erased, one, two) = tokio::join!(
                eraser.erase(&brand, &email, BY_OPERATOR),
                client.post("/f/news", &fields),
                async {
                    meet(round).await;
                    other.post("/f/news", &fields).await
                },
            );
            let erased = erased.unwrap();
            assert_eq!((one.status, two.status), (303, 303));
            erased_once(&world, contact, round).await;
            let rest = world.story(&email).await;
            assert_eq!(i64::try_from(rest.len()).unwrap() + erased.events, 3, "round {round}");
            for event in rest {
                assert_ne!(event.contact, contact);
                let Fact::SignedUp(signup) = event.fact else { panic!() };
                assert_eq!(signup.ruling.rule.id(), "D3");
            }
        }
        world.deliver().await;
        second.store.close().await;
        world.finish().await;
    }

    async fn two_erasures_at_once_are_one(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let second = beside(&world).await;
        let brand = acme(&world);
        for round in 0..ROUNDS {
            world.advance(11);
            let email = format!("p{round}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let contact = world.story(&email).await[0].contact;
            let (one, two, three) = tokio::join!(
                world.app.erase(&brand, &email, BY_OPERATOR),
                second.erase(&brand, &email, BY_OPERATOR),
                world.app.erase(&brand, &email, BY_OPERATOR),
            );
            let all = [one, two, three];
            assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
            assert!(all.iter().flat_map(|one| one.as_ref().err()).all(|one| matches!(one, EraseProblem::Unknown)), "{all:?}");
            erased_once(&world, contact, round).await;
        }
        world.deliver().await;
        second.store.close().await;
        world.finish().await;
    }

    async fn a_mail_that_is_under_way_while_its_contact_is_erased_is_not_recorded(engine: Engine) {
        for reply in ["250 2.0.0 taken", "451 4.3.0 later", "550 5.7.1 never"] {
            let seen: Arc<OnceLock<Arc<App>>> = Arc::default();
            let app = seen.clone();
            // The server has the whole mail, and answers only once the contact is gone.
            let peer = Peer::start(&["PIPELINING"], move |turn| {
                if turn.step != Step::AfterDot {
                    return Action::Usual;
                }
                let app = app.get().unwrap().clone();
                let brand = app.catalog().brand_by_slug("acme").unwrap().clone();
                tokio::task::block_in_place(|| {
                    tokio::runtime::Handle::current()
                        .block_on(app.erase(&brand, "anna@example.org", BY_OPERATOR))
                        .unwrap();
                });
                say(reply)
            })
            .await;
            let world = World::mailing_to(engine, peer.port).await;
            assert!(seen.set(world.app.clone()).is_ok());
            world.signed_up("anna@example.org", "192.0.2.1").await;
            let contact = world.story("anna@example.org").await[0].contact;
            world.delivery.drain().await.unwrap();
            erased_once(&world, contact, 0).await;
            assert!(matches!(forget(&world, "anna@example.org").await, Err(EraseProblem::Unknown)));
            world.finish().await;
        }
    }
}

on_both_engines! {
    async fn a_sequencer_that_an_erasure_overtook_finds_nothing_wrong(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let brand = acme(&world);
        let mut wrong = Vec::new();
        for round in 0..ROUNDS {
            let email = format!("p{round}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let (erased, one, two) = tokio::join!(
                world.app.erase(&brand, &email, BY_OPERATOR),
                world.app.sequence(),
                async {
                    let mut last = Ok(0);
                    for _ in 0..5 {
                        last = world.app.sequence().await;
                        if last.is_err() { break; }
                    }
                    last
                },
            );
            erased.unwrap();
            wrong.extend([one, two].into_iter().filter_map(Result::err));
        }
        assert!(wrong.is_empty(), "{} {wrong:?}", wrong.len());
        world.deliver().await;
        world.finish().await;
    }
}
