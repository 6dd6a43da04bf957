//! What both engines must hold: append-only events, durable batches, standings that are the fold of the events.

use countersign::app::sign_up::Submission;
use countersign::domain::ids::ContactId;
use countersign::domain::standing::fold;
use countersign::store::contacts::Contact;
use countersign::store::locks::Locks;
use countersign::store::set::Writes;
use countersign::store::{Conn, Location, contacts, log};
use sqlx::{Connection, PgConnection};

use crate::harness::{World, dying_at};
use crate::on_both_engines;

async fn run(world: &World, sql: &'static str) -> Result<u64, sqlx::Error> {
    match world.app.store.write().await.unwrap() {
        Conn::SqliteWrite(mut tx) => sqlx::query(sql)
            .execute(&mut *tx)
            .await
            .map(|done| done.rows_affected()),
        Conn::PostgresWrite(mut tx) => sqlx::query(sql)
            .execute(&mut *tx)
            .await
            .map(|done| done.rows_affected()),
        _ => unreachable!(),
    }
}

/// The indexes of contacts, each with the statement that makes it; and what a writer is asked to have on disk.
async fn indexes(world: &World) -> (Vec<(String, String)>, String) {
    let names = "select name, sql from sqlite_schema where type = 'index' and tbl_name = 'contact' and sql is not null order by name";
    let named = "select cast(indexname as text), indexdef from pg_indexes where tablename = 'contact' order by 1";
    match world.app.store.write().await.unwrap() {
        Conn::SqliteWrite(mut tx) => {
            let indexes = sqlx::query_as(names).fetch_all(&mut *tx).await.unwrap();
            let (level,): (i64,) = sqlx::query_as("pragma synchronous")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            (indexes, level.to_string())
        }
        Conn::PostgresWrite(mut tx) => {
            let indexes = sqlx::query_as(named).fetch_all(&mut *tx).await.unwrap();
            let (level,): (String,) = sqlx::query_as("show synchronous_commit")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            (indexes, level)
        }
        _ => unreachable!(),
    }
}

on_both_engines! {
    async fn a_store_that_is_filled_has_its_indexes_and_its_care_again_and_one_that_holds_people_is_not_filled(engine: Engine) {
        let world = World::on(engine).await;
        let before = indexes(&world).await;
        assert!(before.0.iter().any(|index| index.0 == "contact_address"), "{before:?}");
        let load = world.app.store.begin_load().await.unwrap();
        assert!(!indexes(&world).await.0.iter().any(|index| index.0 == "contact_address"));
        let id = ContactId(world.app.random.uuid_v7(world.app.clock.now()));
        let contact = Contact {
            brand_id: crate::leaving::brand(&world).id,
            id,
            address: "anna@example.org".to_owned(),
            address_key: "anna@example.org".to_owned(),
            mailbox: vec![7; 16],
            language: "en".to_owned(),
            name: None,
            open_request_id: None,
            standings: Default::default(),
            created_at: world.app.clock.now(),
        };
        let mut writes = Writes::default();
        contacts::put(&mut writes, &[contact]);
        load.put(vec![writes]).await.unwrap();
        load.end().await.unwrap();
        assert_eq!(indexes(&world).await, before);
        assert_eq!(crate::leaving::contact_of(&world, "anna@example.org").await, id);
        let refused = world.app.store.begin_load().await.unwrap_err().to_string();
        assert!(refused.contains("only an empty store"), "{refused}");
        assert_eq!(indexes(&world).await, before);
        world.end().await;
    }

    async fn events_and_form_versions_refuse_to_be_changed_or_deleted(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        for sql in [
            "update event set body = '{}'",
            "update event set at = at + 1",
            "update event set contact_id = brand_id, body = null",
            "delete from event",
            "update form_version set content = '{}'",
            "update form_version set shown = ''",
            "delete from form_version",
        ] {
            let refused = run(&world, sql).await.unwrap_err().to_string();
            assert!(refused.contains("never"), "{refused}");
        }
        world.deliver().await;
        world.finish().await;
    }

    async fn signups_of_one_batch_see_each_other_and_a_refusal_touches_nobody(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let form = world.app.catalog().form("news").unwrap().clone();
        let calls = (0..200).map(|number: usize| {
            let (app, form) = (world.app.clone(), form.clone());
            async move {
                let email = match number % 4 {
                    0 => "same@example.org".to_owned(),
                    1 => "no address".to_owned(),
                    _ => format!("p{number}@example.org"),
                };
                let given = Submission { email, ..Default::default() };
                app.sign_up(&form, given).await.is_ok()
            }
        });
        let done = futures_util::future::join_all(calls).await;
        assert_eq!(done.iter().filter(|ok| **ok).count(), 150);
        assert_eq!(world.deliver().await.len(), 101, "one mail for the address that came fifty times");
        assert_eq!(world.story("same@example.org").await.iter().filter(|e| e.fact.kind() == "signed_up").count(), 50);
        world.finish().await;
    }

    async fn the_stored_standing_is_the_fold_of_the_events(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        for number in 0..12 {
            let email = format!("p{number}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let mail = world.mail_to(&email).await;
            let mut other = world.client(&format!("198.51.{number}.7"));
            match number % 3 {
                0 => { other.post(&mail.confirm(), &[]).await; }
                1 => { other.post(&mail.decline(), &[]).await; }
                _ => {}
            }
            world.advance(700);
            world.signed_up(&email, "192.0.2.1").await;
        }
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        for number in 0..12 {
            let email = format!("p{number}@example.org");
            let story = world.story(&email).await;
            let mut conn = world.app.store.read().await.unwrap();
            let contact = contacts::find(&mut conn, brand.id, &email).await.unwrap().unwrap();
            assert_eq!(contact.standings, fold(&story, world.clock.now()), "{email}");
        }
        world.deliver().await;
        world.finish().await;
    }

    async fn text_that_the_database_cannot_hold_spoils_nobody_elses_signup(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1").with("user-agent", "x\u{0}y\u{7}");
        // The server refuses the header or cleans it; either way the next person is served.
        let _ = client.clone().with("accept-language", "\u{1}").get("/f/news").await;
        client.headers.retain(|header| header.0 != "user-agent");
        let fields = [("email", "a@example.org"), ("page", "https://x.example/\u{0}"), ("name", "A\u{0}")];
        assert_eq!(client.post("/f/news", &fields).await.status, 303);
        assert_eq!(world.deliver().await.len(), 1);
        world.finish().await;
    }

    async fn two_processes_on_one_database_decide_as_one(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let second = countersign::app::App::start(
            world.app.config.clone(),
            world.clock.clone(),
            countersign::clock::Random::seeded(99),
        )
        .await
        .unwrap();
        let form = world.app.catalog().form("news").unwrap().clone();
        let calls = (0..300).map(|number: usize| {
            let app = if number.is_multiple_of(2) { world.app.clone() } else { second.clone() };
            let form = form.clone();
            async move {
                let email = format!("p{}@example.org", number / 6);
                let given = Submission { email, ..Default::default() };
                app.sign_up(&form, given).await.unwrap();
            }
        });
        futures_util::future::join_all(calls).await;
        let (one, two) = (world.delivery.clone(), second.delivery().unwrap());
        let (a, b) = tokio::join!(one.drain(), two.drain());
        a.unwrap();
        b.unwrap();
        let mails = world.deliver().await;
        assert_eq!(mails.len(), 50, "one mail an address, whoever took the signup and whoever sent");
        second.store.close().await;
        world.finish().await;
    }
}

/// Whoever asked may be gone before the database has answered to `begin`: his connection must not go back to the others with
/// a transaction open, in which what they write would never be committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_transaction_that_is_given_up_while_it_begins_takes_nothing_with_it() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(countersign::store::Engine::Postgres).await;
    let store = &world.app.store;
    let Location::Postgres(url) = &world.app.config.database else {
        panic!("PostgreSQL");
    };
    let mut beside = PgConnection::connect(url).await.unwrap();
    for round in 0..60 {
        let waits = 1 + round as usize % 3;
        match round % 3 {
            0 => drop(dying_at(waits, store.write()).await),
            1 => drop(dying_at(waits, store.hold(Locks::default())).await),
            _ => drop(dying_at(waits, store.hold_to_write(Locks::default())).await),
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let tile = ((7, round), vec![1; 32]);
        log::stage(store, &[tile], &[]).await.unwrap();
        let (kept,): (i64,) =
            sqlx::query_as("select count(*) from log_tile where level = 7 and place = $1")
                .bind(i64::try_from(round).unwrap())
                .fetch_one(&mut beside)
                .await
                .unwrap();
        assert_eq!(kept, 1, "round {round}: written and not committed");
    }
    beside.close().await.unwrap();
    world.end().await;
}
