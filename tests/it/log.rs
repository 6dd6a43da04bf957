//! The log of evidence, read over HTTP by a reader of the test's own.

use std::sync::Arc;
use std::time::Duration;

use countersign::app::App;
use countersign::app::sign_up::Submission;
use countersign::clock::{Clock, Random};
use countersign::ledger::checkpoint::Checkpoint;
use countersign::ledger::merkle::{Growing, Hash, leaf_hash, verify_consistency};
use countersign::ledger::tile::Resource;
use countersign::ledger::tree::{Growth, edge_tiles};
use countersign::store::{Engine, Location, log};
use sqlx::{Connection, PgConnection};

use crate::harness::{START, World, dying_at};
use crate::on_both_engines;

/// A reader that knows the log's key and nothing else.
struct Reader<'a> {
    world: &'a World,
}

impl Reader<'_> {
    async fn bytes(&self, path: &str) -> Vec<u8> {
        let reply = self.world.client("203.0.113.9").get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        reply.body
    }

    async fn head(&self) -> Checkpoint {
        let note = self.bytes("/log/checkpoint").await;
        let key = self.world.app.log.key.verifier();
        Checkpoint::verified(&note, &key).unwrap().0
    }

    /// The entries of the whole log, from its bundles.
    async fn entries(&self, size: u64) -> Vec<Hash> {
        let mut entries = Vec::new();
        while (entries.len() as u64) < size {
            let from = entries.len() as u64;
            let wanted = Resource::Entries {
                place: from / 256,
                width: (size - from).min(256),
            };
            let bytes = self.bytes(&format!("/log/{}", wanted.path())).await;
            for entry in bytes.chunks(34) {
                assert_eq!(entry[..2], [0, 32]);
                entries.push(entry[2..].try_into().unwrap());
            }
        }
        entries
    }
}

fn root_of(entries: &[Hash]) -> Hash {
    let mut tree = Growing::default();
    entries
        .iter()
        .for_each(|entry| tree.push(leaf_hash(entry), |_, _| {}));
    tree.root()
}

/// Records so many events by signups of other people, and logs them.
async fn grow(world: &World, people: u32, run: &str) {
    for person in 0..people {
        let email = format!("{run}{person}@example.org");
        world
            .signed_up(&email, &format!("198.51.100.{person}"))
            .await;
    }
    world.app.sequence().await.unwrap();
}

on_both_engines! {
    async fn whoever_reads_the_tiles_finds_the_root_that_was_signed(engine: Engine) {
        let world = World::on(engine).await;
        let reader = Reader { world: &world };
        world.app.sequence().await.unwrap();
        assert_eq!(reader.head().await.size, 0);
        let mut before: Option<Checkpoint> = None;
        for run in ["a", "b", "c"] {
            grow(&world, 90, run).await;
            let head = reader.head().await;
            let entries = reader.entries(head.size).await;
            assert_eq!(root_of(&entries), head.root);
            if let Some(before) = before {
                let proof = world.app.log_consistency(before.size, head.size).await.unwrap();
                verify_consistency(before.size, &before.root, head.size, &head.root, &proof).unwrap();
            }
            // Level 0 has the leaf hashes, level 1 the roots of 256 of them.
            let leaves = reader.bytes(&format!("/log/tile/0/000{}", part(head.size))).await;
            let expected: Vec<u8> = entries.iter().take(256).flat_map(|entry| leaf_hash(entry)).collect();
            assert_eq!(leaves, expected);
            if head.size >= 256 {
                let above = reader.bytes(&format!("/log/tile/1/000.p/{}", head.size / 256)).await;
                assert_eq!(above[..32], root_of(&entries[..256]));
            }
            before = Some(head);
        }
        assert!(before.is_some_and(|head| head.size >= 256));
        world.end().await;
    }

    async fn every_event_is_in_the_log_once_in_the_order_of_its_commit(engine: Engine) {
        let world = World::on(engine).await;
        let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
        let mail = world.mail_to("ada@example.org").await;
        world.advance(60);
        person.post(&mail.confirm(), &[]).await;
        world.app.sequence().await.unwrap();
        // Nothing new: no further checkpoint.
        assert_eq!(world.app.sequence().await.unwrap(), 0);
        let mut conn = world.app.store.read().await.unwrap();
        let events = log::list_events(&mut conn, 0, i64::MAX, 1_000).await.unwrap();
        let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
        let indexes = log::indexes(&mut conn, &positions).await.unwrap();
        let found: Vec<Option<i64>> = indexes.iter().map(|found| found.1).collect();
        let expected: Vec<Option<i64>> = (0..).take(events.len()).map(Some).collect();
        assert_eq!(found, expected);
        drop(conn);
        let reader = Reader { world: &world };
        let entries = reader.entries(events.len() as u64).await;
        for (event, entry) in events.iter().zip(&entries) {
            assert_eq!(hmac(event.salt.as_ref().unwrap(), event.body.as_ref().unwrap()), *entry);
        }
        world.end().await;
    }

    async fn a_gap_in_the_positions_leaves_no_gap_in_the_log(engine: Engine) {
        let world = World::on(engine).await;
        grow(&world, 3, "a").await;
        world.sql(gap(engine)).await.unwrap();
        grow(&world, 3, "b").await;
        let mut conn = world.app.store.read().await.unwrap();
        let runs = log::list_runs(&mut conn, -1, 10).await.unwrap();
        assert_eq!(runs.len(), 2, "{runs:?}");
        let last = log::last_position(&mut conn).await.unwrap();
        let head = log::head(&mut conn).await.unwrap().unwrap();
        assert!(last > head.size, "{last}");
        let indexes = log::indexes(&mut conn, &[last]).await.unwrap();
        assert_eq!(indexes, [(last, Some(head.size - 1))]);
        drop(conn);
        let reader = Reader { world: &world };
        let head = reader.head().await;
        assert_eq!(root_of(&reader.entries(head.size).await), head.root);
        world.end().await;
    }

    async fn tiles_are_cacheable_for_ever_and_the_checkpoint_is_not(engine: Engine) {
        let world = World::on(engine).await;
        grow(&world, 2, "a").await;
        let mut anybody = world.client("203.0.113.9");
        let head = anybody.get("/log/checkpoint").await;
        assert_eq!(head.header("cache-control"), Some("public, max-age=2"));
        assert_eq!(head.header("content-type"), Some("text/plain; charset=utf-8"));
        let tile = anybody.get("/log/tile/entries/000.p/2").await;
        assert_eq!(tile.header("cache-control"), Some("public, max-age=31536000, immutable"));
        for missing in [
            "/log/tile/entries/000", "/log/tile/entries/000.p/3", "/log/tile/0/001.p/1",
            "/log/tile/1/000.p/1", "/log/tile/0/000.p/02", "/log/", "/log/checkpoint/",
        ] {
            assert_eq!(anybody.get(missing).await.status, 404, "{missing}");
        }
        world.end().await;
    }

    async fn a_tile_that_rotted_is_noticed_before_anything_is_signed_over_it(engine: Engine) {
        let world = World::on(engine).await;
        grow(&world, 5, "a").await;
        let reader = Reader { world: &world };
        let before = reader.head().await;
        world.signed_up("late@example.org", "203.0.113.1").await;
        world.sql(without_trigger(engine)).await.unwrap();
        world.sql(flip(engine)).await.unwrap();
        let problem = world.app.sequence().await.unwrap_err();
        assert!(problem.to_string().contains("root hash"), "{problem}");
        assert_eq!(reader.head().await, before);
        world.end().await;
    }

    async fn the_database_refuses_to_change_the_log(engine: Engine) {
        let world = World::on(engine).await;
        grow(&world, 2, "a").await;
        for change in [
            "update log_checkpoint set note = 'x'",
            "delete from log_checkpoint",
            "update log_run set first_position = 7",
            "delete from log_run",
            "update log_tile set place = 9",
            "delete from log_tile",
        ] {
            assert!(world.sql(change).await.is_err(), "{change}");
        }
        world.end().await;
    }

    async fn a_process_that_dies_between_writing_tiles_and_signing_leaves_a_log_that_goes_on(engine: Engine) {
        let world = World::on(engine).await;
        grow(&world, 3, "a").await;
        let reader = Reader { world: &world };
        let before = reader.head().await;
        for person in 0..300 {
            world.signed_up(&format!("p{person}@example.org"), &format!("198.51.{}.1", person % 200)).await;
        }
        // What a dying sequencer leaves: tiles with 200 of the new entries, a full one among them, and no checkpoint.
        let mut conn = world.app.store.read().await.unwrap();
        let edge = log::tiles(&mut conn, &edge_tiles(before.size)).await.unwrap();
        let mut grown = Growth::from_edge(before.size, edge).unwrap();
        let events = log::list_events(&mut conn, 3, i64::MAX, 260).await.unwrap();
        drop(conn);
        for event in &events {
            grown.push(hmac(event.salt.as_ref().unwrap(), event.body.as_ref().unwrap()));
        }
        log::stage(&world.app.store, &grown.take(), &[]).await.unwrap();
        // Readers see nothing of it, and whoever comes next writes the same and goes on.
        assert_eq!(reader.head().await, before);
        assert_eq!(world.client("203.0.113.9").get("/log/tile/entries/000").await.status, 404);
        assert_eq!(world.app.sequence().await.unwrap(), 300);
        let head = reader.head().await;
        assert_eq!(root_of(&reader.entries(head.size).await), head.root);
        assert_eq!(world.app.audit(true, |_, _| {}).await.unwrap().findings, [""; 0]);
        world.end().await;
    }

    async fn under_load_from_two_processes_every_event_gets_one_place(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let other = another(&world).await;
        let load = |app: Arc<App>, run: u32| async move {
            for person in 0..40 {
                let form = app.catalog().form("news").unwrap().clone();
                let email = format!("r{run}p{person}@example.org");
                let given = Submission { email, ..Default::default() };
                app.sign_up(&form, given).await.unwrap();
            }
        };
        let sequencing = |app: Arc<App>| async move {
            for _ in 0..40 {
                app.sequence().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let signups: Vec<_> = (0..8)
            .map(|run| {
                let app = if run % 2 == 0 { world.app.clone() } else { other.clone() };
                tokio::spawn(load(app, run))
            })
            .collect();
        let (one, two) = (tokio::spawn(sequencing(world.app.clone())), tokio::spawn(sequencing(other.clone())));
        for task in signups {
            task.await.unwrap();
        }
        one.await.unwrap();
        two.await.unwrap();
        world.app.sequence().await.unwrap();
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert_eq!((audit.findings.clone(), audit.waiting), (Vec::new(), 0));
        assert_eq!(audit.entries, 2 + 8 * 40);
        other.store.close().await;
        world.end().await;
    }

    async fn a_sequencer_that_dies_at_any_of_its_steps_leaves_a_log_that_goes_on(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let mut waits = 1;
        for round in 1.. {
            world.signed_up(&format!("p{round}@example.org"), "203.0.113.1").await;
            if dying_at(waits, world.app.sequence()).await.is_none() {
                let audit = world.app.audit(true, |_, _| {}).await.unwrap();
                assert_eq!(audit.findings, [""; 0], "dead at {waits}");
                waits += 1;
            } else if waits > 4 {
                break;
            }
            // It has a dozen ways to the database and back; on a busy machine answers are there before it looks for them, so who
            // came to the end before the fifth is sent again.
            assert!(round < 500, "it never came to its end, or always: {waits}");
        }
        // Whoever comes next, with the dead one's lease over, logs what was left.
        world.advance(20);
        let clock = Clock::fixed(world.clock.now());
        let next = App::start(world.app.config.clone(), clock, Random::seeded(9)).await.unwrap();
        next.sequence().await.unwrap();
        let audit = next.audit(true, |_, _| {}).await.unwrap();
        assert_eq!((audit.findings, audit.waiting), (vec![], 0));
        next.store.close().await;
        world.end().await;
    }

    async fn two_sequencers_at_once_make_one_log(engine: Engine) {
        let world = World::on(engine).await;
        let other = another(&world).await;
        for round in 0..12 {
            for person in 0..4 {
                let email = format!("r{round}p{person}@example.org");
                world.signed_up(&email, &format!("198.51.{round}.{person}")).await;
            }
            let (one, two) = tokio::join!(world.app.sequence(), other.sequence());
            assert_eq!(one.unwrap() + two.unwrap(), 4, "round {round}");
        }
        let reader = Reader { world: &world };
        let head = reader.head().await;
        assert_eq!(head.size, 50);
        assert_eq!(root_of(&reader.entries(50).await), head.root);
        other.store.close().await;
        world.end().await;
    }
}

/// A second process whose clock is ahead: it takes the first one's lease for over, while the first still believes in it.
async fn another(world: &World) -> Arc<App> {
    world.app.sequence().await.unwrap();
    let clock = Clock::fixed(START.plus(Duration::from_secs(20)));
    let other = App::start(world.app.config.clone(), clock, Random::seeded(8))
        .await
        .unwrap();
    world.signed_up("first@example.org", "203.0.113.1").await;
    assert_eq!(other.sequence().await.unwrap(), 1);
    world.signed_up("second@example.org", "203.0.113.1").await;
    assert_eq!(world.app.sequence().await.unwrap(), 1);
    other
}

fn part(size: u64) -> String {
    if size >= 256 {
        String::new()
    } else {
        format!(".p/{size}")
    }
}

fn hmac(salt: &[u8], body: &str) -> Hash {
    countersign::ledger::commitment::commitment(salt.try_into().unwrap(), body.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_an_event_whose_commit_is_late_is_waited_for() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    grow(&world, 2, "a").await;
    let Location::Postgres(url) = &world.app.config.database else {
        panic!("PostgreSQL");
    };
    // A transaction that has its position and is not committed yet.
    let mut late = PgConnection::connect(url).await.unwrap();
    let begin = "begin; insert into event (brand_id, contact_id, kind, at, body, salt) \
         select brand_id, contact_id, kind, at, body, salt from event where position = 1";
    sqlx::raw_sql(begin).execute(&mut late).await.unwrap();
    world.signed_up("behind@example.org", "203.0.113.1").await;
    assert_eq!(world.app.sequence().await.unwrap(), 0);
    sqlx::raw_sql("commit").execute(&mut late).await.unwrap();
    assert_eq!(world.app.sequence().await.unwrap(), 2);
    late.close().await.unwrap();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_an_event_beyond_the_positions_given_out_stops_the_log_aloud() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    grow(&world, 2, "a").await;
    let far = "insert into event (position, brand_id, contact_id, kind, at, body, salt) overriding system value \
         select 1000000, brand_id, contact_id, kind, at, body, salt from event where position = 1";
    world.sql(far).await.unwrap();
    world.signed_up("hidden@example.org", "203.0.113.1").await;
    let problem = world.app.sequence().await.unwrap_err().to_string();
    assert!(problem.contains("event_position_seq"), "{problem}");
    // As the problem says.
    world
        .sql("select setval('event_position_seq', 1000000)")
        .await
        .unwrap();
    assert_eq!(world.app.sequence().await.unwrap(), 2);
    assert_eq!(
        world.app.audit(false, |_, _| {}).await.unwrap().findings,
        [""; 0]
    );
    world.end().await;
}

/// Uses up positions as transactions do that are rolled back on PostgreSQL.
fn gap(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "update sqlite_sequence set seq = seq + 7 where name = 'event'",
        Engine::Postgres => "select nextval('event_position_seq') from generate_series(1, 7)",
    }
}

fn without_trigger(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "drop trigger log_tile_only_grows",
        Engine::Postgres => "drop trigger log_tile_only_grows on log_tile",
    }
}

/// Flips one bit of the first commitment.
fn flip(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "update log_tile set hashes = cast(case when substr(hashes, 1, 1) = x'00' then x'01' else x'00' end \
             || substr(hashes, 2) as blob) where level = 0 and place = 0"
        }
        Engine::Postgres => {
            "update log_tile set hashes = set_bit(hashes, 0, 1 - get_bit(hashes, 0)) where level = 0 and place = 0"
        }
    }
}
