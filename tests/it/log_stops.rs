//! When the log cannot go on, or goes on in spite of damage: what is told, and what is mended by itself.

use std::time::Duration;

use countersign::app::App;
use countersign::clock::{Clock, Random};
use countersign::domain::time::Timestamp;
use countersign::ledger::checkpoint::Checkpoint;
use countersign::store::{Engine, Location, head_file, leases, log};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::harness::{Folder, START, World};
use crate::on_both_engines;

async fn sign_up(world: &World, names: &[&str]) {
    for name in names {
        world
            .signed_up(&format!("{name}@example.org"), "203.0.113.1")
            .await;
    }
}

/// Puts so many hashes behind those of the first tile, as a damaged disk or a stranger might.
async fn add_to_tile(world: &World, engine: Engine, hashes: usize) {
    let hex = "ab".repeat(32 * hashes);
    let added = match engine {
        Engine::Sqlite => format!("cast(hashes || x'{hex}' as blob)"),
        Engine::Postgres => format!("hashes || '\\x{hex}'::bytea"),
    };
    let statement = format!("update log_tile set hashes = {added} where level = 0 and place = 0");
    world.sql(&statement).await.unwrap();
}

async fn tile(world: &World) -> Vec<u8> {
    let mut conn = world.app.store.read().await.unwrap();
    let found = log::tiles(&mut conn, &[(0, 0)]).await.unwrap();
    found[0].1.clone()
}

async fn findings(world: &World) -> Vec<String> {
    world.app.audit(true, |_, _| {}).await.unwrap().findings
}

on_both_engines! {
    async fn a_tile_that_differs_beyond_the_newest_checkpoint_is_written_anew_from_the_events(engine: Engine) {
        // Shorter than what is to be there, as long, and longer.
        for hashes in [1, 2, 5] {
            let world = World::on(engine).await;
            sign_up(&world, &["a", "b", "c"]).await;
            world.app.sequence().await.unwrap();
            let signed = tile(&world).await;
            sign_up(&world, &["d", "e"]).await;
            add_to_tile(&world, engine, hashes).await;
            assert_eq!(world.app.sequence().await.unwrap(), 2, "{hashes}");
            let mended = tile(&world).await;
            assert!(mended.len() == 5 * 32 && mended.starts_with(&signed), "{hashes}");
            assert_eq!(findings(&world).await, [""; 0], "{hashes}");
            // And the log goes on.
            sign_up(&world, &["f"]).await;
            assert_eq!(world.app.sequence().await.unwrap(), 1, "{hashes}");
            assert_eq!(findings(&world).await, [""; 0], "{hashes}");
            world.end().await;
        }
    }

    async fn a_tile_beyond_the_newest_checkpoint_is_left_as_it_is_where_somebody_has_seen_a_larger_log(engine: Engine) {
        let folder = Folder::new();
        let file = folder.0.join("head");
        let world = World::with(engine, &format!("[ledger]\nhead_file = \"{}\"\n", file.display())).await;
        sign_up(&world, &["a", "b", "c"]).await;
        world.app.sequence().await.unwrap();
        // As if this copy were older than the file.
        let larger = Checkpoint {
            origin: world.app.log.key.verifier().name,
            size: 9,
            root: [7; 32],
            signed_at: START,
            follows: Some(3),
            complete_at: None,
            stamps: Default::default(),
        };
        head_file::write(&file, &world.app.log.key.sign(&larger.text())).unwrap();
        sign_up(&world, &["d"]).await;
        add_to_tile(&world, engine, 1).await;
        let before = tile(&world).await;
        let problem = world.app.sequence().await.unwrap_err().to_string();
        for words in ["the tile 0 of level 0", "of 3 entries", "has seen a log of 9", "put the newest one back"] {
            assert!(problem.contains(words), "{words}: {problem}");
        }
        assert_eq!(tile(&world).await, before);
        // The operator says that nothing newer is to be had.
        world.app.accept_restored().await.unwrap();
        assert_eq!(world.app.sequence().await.unwrap(), 1);
        assert_eq!(findings(&world).await, [""; 0]);
        world.end().await;
    }

    async fn the_database_refuses_to_change_of_a_tile_what_a_checkpoint_holds_and_nothing_else(engine: Engine) {
        let world = World::on(engine).await;
        sign_up(&world, &["a", "b"]).await;
        world.app.sequence().await.unwrap();
        add_to_tile(&world, engine, 2).await;
        let put = |hashes: &str| format!("update log_tile set hashes = {hashes} where level = 0 and place = 0");
        let (one, cut, beyond) = match engine {
            Engine::Sqlite => ("cast(x'00' || substr(hashes, 2) as blob)", "substr(hashes, 1, 32)", "substr(hashes, 1, 64)"),
            Engine::Postgres => ("set_byte(hashes, 0, (get_byte(hashes, 0) + 1) % 256)", "substr(hashes, 1, 32)", "substr(hashes, 1, 64)"),
        };
        for refused in [one, cut] {
            let refused = world.sql(&put(refused)).await.unwrap_err().to_string();
            assert!(refused.contains("what a checkpoint holds of a tile never changes"), "{refused}");
        }
        world.sql(&put(beyond)).await.unwrap();
        assert_eq!(tile(&world).await.len(), 64);
        world.end().await;
    }

    async fn events_that_wait_for_their_place_are_told_with_since_when_and_why(engine: Engine) {
        let world = World::on(engine).await;
        sign_up(&world, &["a"]).await;
        world.app.sequence().await.unwrap();
        world.app.end_sequencing().await.unwrap();
        let waiting = || async { world.app.readiness().await.unwrap().log_waiting };
        world.advance(60);
        sign_up(&world, &["b"]).await;
        assert_eq!(waiting().await, None, "it came just now");
        // Nobody is there.
        world.advance(15);
        let told = waiting().await.unwrap();
        assert_eq!(told.since, START.plus(Duration::from_secs(60)));
        assert!(told.why.contains("nobody extends the log"), "{}", told.why);
        // Somebody else has the right to, and does nothing.
        let now = world.clock.now();
        let until = now.plus(Duration::from_secs(10));
        assert!(leases::take(&world.app.store, "sequencer", Uuid::from_u128(7), now, until).await.unwrap());
        assert_eq!(world.app.sequence().await.unwrap(), 0);
        let told = waiting().await.unwrap();
        assert!(told.why.starts_with(&format!("another process has the right to extend the log until {until}")), "{}", told.why);
        let page = world.client("203.0.113.9").get("/readyz").await.text();
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(page["log_waiting"]["since"], "2026-11-23T17:35:05.000000Z");
        // The operators' page says it too.
        crate::harness::add_owner(&world.app).await;
        let mut olga = world.client("192.0.2.1").with("sec-fetch-site", "same-origin");
        olga.post("/admin/sign-in", &[("name", "olga"), ("password", "a long enough password")]).await;
        let overview = olga.get("/admin").await.text();
        assert!(overview.contains("since 2026-11-23 17:35 UTC another process has the right"), "{overview}");
        // Its lease is over, and the log goes on.
        world.advance(11);
        // With the new operator and the sign-in.
        assert_eq!(world.app.sequence().await.unwrap(), 3);
        assert_eq!(waiting().await, None);
        world.app.measure().await.unwrap();
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_transaction_that_keeps_the_log_waiting_is_named() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    sign_up(&world, &["a"]).await;
    world.app.sequence().await.unwrap();
    let mut idle = connection(&world).await;
    let begin = "set application_name = 'a forgotten console'; begin; \
         insert into event (brand_id, contact_id, kind, at, body, salt) \
         select brand_id, contact_id, kind, at, body, salt from event where position = 1";
    sqlx::raw_sql(begin).execute(&mut idle).await.unwrap();
    sign_up(&world, &["b"]).await;
    assert_eq!(world.app.sequence().await.unwrap(), 0);
    world.advance(15);
    // Open for longer than a writer is.
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let told = world.app.readiness().await.unwrap().log_waiting.unwrap();
    for words in [
        "a transaction in the database is open for",
        "\"a forgotten console\", idle in transaction",
        "select pg_terminate_backend(",
    ] {
        assert!(told.why.contains(words), "{words}: {}", told.why);
    }
    // As it says.
    let end = told.why.split('`').nth(1).unwrap();
    world.sql(end).await.unwrap();
    for _ in 0..100 {
        if world.app.sequence().await.unwrap() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.app.readiness().await.unwrap().log_waiting, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_sequence_that_hands_out_positions_ahead_is_refused_at_start_and_while_the_server_runs()
 {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    let start = || {
        App::start(
            world.app.config.clone(),
            Clock::fixed(Timestamp::from_micros(START.micros())),
            Random::seeded(9),
        )
    };
    sign_up(&world, &["a"]).await;
    for (altered, words, mended) in [
        (
            "cache 20",
            "run `alter sequence event_position_seq cache 1`",
            "cache 1",
        ),
        (
            "cycle",
            "`alter sequence event_position_seq increment by 1 no cycle`",
            "no cycle",
        ),
    ] {
        let alter = |how: &str| format!("alter sequence event_position_seq {how}");
        world.sql(&alter(altered)).await.unwrap();
        let problem = start().await.err().unwrap().to_string();
        assert!(problem.contains(words), "{problem}");
        if altered.starts_with("cache") {
            let problem = world.app.sequence().await.unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}");
        }
        world.sql(&alter(mended)).await.unwrap();
    }
    start().await.unwrap().store.close().await;
    assert_eq!(world.app.sequence().await.unwrap(), 1);
    world.end().await;
}

async fn connection(world: &World) -> PgConnection {
    let Location::Postgres(url) = &world.app.config.database else {
        panic!("PostgreSQL");
    };
    PgConnection::connect(url).await.unwrap()
}
