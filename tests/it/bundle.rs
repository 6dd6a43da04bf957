//! Evidence bundles out of a whole server, given to the three programs that check them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use countersign::app::App;
use countersign::app::prove::select::Span;
use countersign::clock::Random;
use countersign::domain::time::Timestamp;
use countersign::ledger::archive;
use countersign::ledger::bundle::{self, Known, Report, Whence};
use countersign::ledger::note::Verifier;
use countersign::ledger::timestamp::authority::Authority;
use countersign::store::Engine;

use crate::harness::http::{Peer, Reaction};
use crate::harness::{Folder, START, World};
use crate::{on_both_engines, recipe};

/// The bundle that the server makes of an address.
pub async fn bundle_of(world: &World, email: &str) -> (Vec<u8>, Report) {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    world.app.bundle(brand, email).await.unwrap().unwrap()
}

/// One signs up, confirms by the mail's link a minute later, and others do the same around it.
async fn confirmed(world: &World, email: &str) {
    world
        .signed_up(&format!("before.{email}"), "198.51.100.1")
        .await;
    let (mut person, _) = world.signed_up(email, "203.0.113.1").await;
    world
        .signed_up(&format!("after.{email}"), "198.51.100.2")
        .await;
    let mail = world.mail_to(email).await;
    world.advance(60);
    let page = person.get(&mail.confirm()).await;
    assert_eq!(page.status, 200);
    world.advance(5);
    let done = person.post(&mail.confirm(), &[]).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

/// A server whose log an authority stamps, with Ada's confirmation between two stamps an hour apart.
pub async fn stamped(engine: Engine) -> (World, Vec<u8>, Report) {
    let time = Arc::new(AtomicI64::new(START.micros()));
    let (authority, told) = (Authority::from_secret(&[7; 32]), time.clone());
    let peer = Peer::start(move |request| {
        let at = Timestamp::from_micros(told.load(Ordering::SeqCst));
        Reaction::ok(
            "application/timestamp-reply",
            authority.respond(&request.body, at),
        )
    })
    .await;
    let settings = format!(
        "[timestamp]\nauthorities = [\"one={}\"]\nallow_private = true\n",
        peer.url()
    );
    let world = World::with(engine, &settings).await;
    world.signed_up("first@example.org", "198.51.100.1").await;
    world.app.sequence().await.unwrap();
    assert_eq!(world.app.stamp_due().await.unwrap().len(), 1);
    world.advance(3_600);
    confirmed(&world, "ada@example.org").await;
    time.store(world.clock.now().micros(), Ordering::SeqCst);
    let (bytes, report) = bundle_of(&world, "ada@example.org").await;
    (world, bytes, report)
}

/// Adds so many copies of the first event of a kind, under that kind or another, as many hits on a link would stand there.
fn copies(engine: Engine, count: usize, of: &str, kind: &str) -> String {
    let (with, numbers) = match engine {
        Engine::Sqlite => (
            format!(
                "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) "
            ),
            "n".to_owned(),
        ),
        Engine::Postgres => (String::new(), format!("generate_series(1, {count})")),
    };
    format!(
        "{with}insert into event (brand_id, contact_id, kind, at, body, salt, circumstances) \
         select brand_id, contact_id, '{kind}', at, body, salt, circumstances from event, {numbers} \
         where position = (select min(position) from event where kind = '{of}')"
    )
}

/// A bundle of one whose link was opened more than ten thousand times.
pub async fn large(engine: Engine, hits: usize) -> (World, Vec<u8>, Report) {
    let world = World::on(engine).await;
    confirmed(&world, "ada@example.org").await;
    let hits = copies(engine, hits, "link_opened", "link_opened");
    world.sql(&hits).await.unwrap();
    let (bytes, report) = bundle_of(&world, "ada@example.org").await;
    (world, bytes, report)
}

/// What lets events be changed past the server.
const fn without_trigger(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "drop trigger event_never_changes",
        Engine::Postgres => "drop trigger event_never_changes on event",
    }
}

on_both_engines! {
    async fn an_authority_bounds_each_event_of_a_bundle_from_both_sides(engine: Engine) {
        let (world, bytes, report) = stamped(engine).await;
        let sizes: Vec<u64> = report.anchors.iter().map(|anchor| anchor.size).collect();
        assert_eq!(sizes, [1, report.size]);
        for event in &report.events {
            let (after, before) = (event.logged_after.as_ref().unwrap(), event.logged_before.as_ref().unwrap());
            assert_eq!((after.0.as_str(), after.1), ("00000001-one", START));
            assert_eq!(before.1, world.clock.now());
        }
        recipe::passes(&bytes);
        // What is noted of the asking is nothing that a bundle rests on.
        world.sql("delete from timestamp_try").await.unwrap();
        // A second one finds the stamp there, and asks for no other.
        let (_, again) = bundle_of(&world, "ada@example.org").await;
        assert_eq!(again.anchors.len(), 2);
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert_eq!((audit.findings, audit.timestamps), (vec![], 2));
        world.end().await;
    }

    async fn a_bundle_is_made_without_an_authority_that_does_not_answer(engine: Engine) {
        let settings = "[timestamp]\nauthorities = [\"gone=http://127.0.0.1:9/\"]\nallow_private = true\nwithin_seconds = 1\n";
        let world = World::with(engine, settings).await;
        confirmed(&world, "ada@example.org").await;
        let (_, report) = bundle_of(&world, "ada@example.org").await;
        assert_eq!((report.events.len(), report.anchors.len()), (4, 0));
        world.end().await;
    }

    async fn a_bundle_of_the_server_holds_and_tells_the_whole_story(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let (bytes, report) = bundle_of(&world, "ada@example.org").await;
        let kinds: Vec<&str> = report.events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["signed_up", "mail_accepted", "link_opened", "confirmed"]);
        assert!(report.claims.iter().any(|claim| claim.says.contains("confirmed")), "{:?}", report.claims);
        let key = world.app.log.key.verifier();
        let known = Known { key: Some(&key), ..Known::default() };
        assert_eq!(bundle::verify(&bytes, known).unwrap(), report);
        recipe::passes(&bytes);
        world.end().await;
    }

    async fn a_bundle_shows_from_where_each_event_came_as_long_as_that_is_kept(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let (bytes, report) = bundle_of(&world, "ada@example.org").await;
        let whence = |report: &Report| report.events.iter().map(|event| event.whence.clone()).collect::<Vec<_>>();
        let told = whence(&report);
        assert_eq!(told[1], Whence::Nowhere, "no request sent the mail");
        for at in [0, 2, 3] {
            let Whence::Disclosed(words) = &told[at] else { panic!("{told:?}") };
            assert!(words.starts_with("from 203.0.113.1"), "{words}");
        }
        let (files, _) = archive::read(&bytes).unwrap();
        let names: Vec<&String> = files.keys().filter(|name| name.starts_with("circumstances/")).collect();
        assert_eq!(names, ["circumstances/0001.json", "circumstances/0003.json", "circumstances/0004.json"]);
        world.sql("update event set circumstances = null where kind = 'confirmed'").await.unwrap();
        let (bytes, report) = bundle_of(&world, "ada@example.org").await;
        assert_eq!(whence(&report), [told[0].clone(), Whence::Nowhere, told[2].clone(), Whence::NotDisclosed]);
        let (files, _) = archive::read(&bytes).unwrap();
        assert!(!files.contains_key("circumstances/0004.json"));
        let page = String::from_utf8(files["report.html"].clone()).unwrap();
        assert!(page.contains("not disclosed: they are kept for a shorter time than the event"));
        recipe::passes(&bytes);
        world.end().await;
    }

    async fn circumstances_that_were_changed_past_the_server_make_no_bundle(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        world.sql(without_trigger(engine)).await.unwrap();
        world
            .sql("update event set circumstances = replace(circumstances, '203.0.113.1', '203.0.113.2') where kind = 'confirmed'")
            .await
            .unwrap();
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let problem = world.app.bundle(brand, "ada@example.org").await.err().unwrap();
        assert!(problem.to_string().contains("circumstances/0004.json"), "{problem}");
        world.end().await;
    }

    async fn whoever_confirmed_gets_a_receipt_that_holds_by_the_logs_key_alone(engine: Engine) {
        let world = World::on(engine).await;
        let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
        let link = world.mail_to("ada@example.org").await.confirm();
        let receipt = format!("{link}/receipt");
        assert_eq!(person.get(&receipt).await.status, 404);
        world.advance(60);
        let done = person.post(&link, &[]).await;
        assert!(done.text().contains(&receipt), "{}", done.text());
        // Not in the log yet: come again. A reading request extends nothing.
        let early = person.get(&receipt).await;
        assert_eq!((early.status, early.header("retry-after")), (503, Some("5")));
        world.app.sequence().await.unwrap();
        // The link's time is over; what was confirmed stays.
        world.advance(40 * 86_400);
        let given = world.client("198.51.100.77").get(&receipt).await;
        assert_eq!(given.status, 200);
        assert_eq!(given.header("content-disposition"), Some("attachment; filename=\"receipt.tlog-proof\""));
        let key = world.client("198.51.100.77").get("/log/log-key.pub").await.text();
        let key = Verifier::parse(key.trim()).unwrap();
        let told = bundle::read_receipt(&given.body, &key).unwrap();
        assert_eq!((told.kind.as_str(), told.index, told.size), ("confirmed", 2, 3));
        assert!(!given.text().contains("ada@"), "no address in it");
        for at in 0..given.body.len() {
            let mut changed = given.body.clone();
            changed[at] ^= 1;
            assert!(bundle::read_receipt(&changed, &key).is_err(), "byte {at}");
        }
        world.end().await;
    }

    async fn a_bundle_of_more_than_ten_thousand_events_holds_by_the_program(engine: Engine) {
        let (world, bytes, report) = large(engine, 10_500).await;
        assert_eq!(report.events.len(), 10_504);
        let (files, is_ours) = archive::read(&bytes).unwrap();
        assert!(is_ours && files.len() > 31_000, "{}", files.len());
        world.end().await;
    }

    async fn where_a_bundle_has_no_room_a_part_of_the_time_does_and_says_that_it_is_one(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        world.sql(&copies(engine, 20_000, "link_opened", "link_opened")).await.unwrap();
        world.advance(40 * 86_400);
        let second = world.clock.now();
        confirmed(&world, "ada@example.org").await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let of = |from: Option<Timestamp>, until: Option<Timestamp>| world.app.bundle_of(brand, "ada@example.org", Span { from, until });
        let problem = of(None, None).await.err().unwrap().to_string();
        assert!(problem.contains("more than 20000 events") && problem.contains("with --from and --until"), "{problem}");
        // The second signup alone, and from the middle of its request: what belongs to it stays together.
        for (from, until) in [
            (Some(second), None),
            (Some(world.clock.now()), None),
            (Some(second), Some(second.plus(Duration::from_secs(1)))),
        ] {
            let made = of(from, until).await.unwrap().unwrap();
            let kinds: Vec<&str> = made.report.events.iter().map(|event| event.kind.as_str()).collect();
            assert_eq!(kinds, ["signed_up", "mail_accepted", "link_opened", "confirmed"]);
            assert!(made.left_out[0].contains("20004 other events of this contact are left out"), "{:?}", made.left_out);
            let (files, _) = archive::read(&made.bytes).unwrap();
            let page = String::from_utf8(files["report.html"].clone()).unwrap();
            assert!(page.contains(&made.left_out[0]) && page.contains("tells of a part of the time only"));
            assert!(!page.contains("Consent stands"), "it cannot say what stands now");
            let record = String::from_utf8(files["record.jsonld"].clone()).unwrap();
            assert!(record.contains("are left out"));
            recipe::passes(&made.bytes);
        }
        let problem = of(Some(world.clock.now().plus(Duration::from_secs(1))), None).await.err().unwrap().to_string();
        assert_eq!(problem, "nothing happened in this time");
        world.end().await;
    }

    async fn a_receipt_is_found_behind_any_number_of_other_events(engine: Engine) {
        let world = World::on(engine).await;
        let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
        let link = world.mail_to("ada@example.org").await.confirm();
        world.sql(&copies(engine, 5_100, "signed_up", "link_opened")).await.unwrap();
        world.advance(60);
        assert_eq!(person.post(&link, &[]).await.status, 200);
        world.app.sequence().await.unwrap();
        let given = person.get(&format!("{link}/receipt")).await;
        assert_eq!(given.status, 200);
        let told = bundle::read_receipt(&given.body, &world.app.log.key.verifier()).unwrap();
        assert_eq!((told.kind.as_str(), told.index), ("confirmed", 5_102));
        world.end().await;
    }

    async fn a_bundle_waits_for_no_server_and_goes_on_after_more_has_happened(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let (_, first) = bundle_of(&world, "ada@example.org").await;
        for person in 0..300 {
            world.signed_up(&format!("p{person}@example.org"), &format!("198.51.{}.7", person % 250)).await;
        }
        let (bytes, second) = bundle_of(&world, "ada@example.org").await;
        assert!(second.size > first.size + 256, "{} {}", first.size, second.size);
        let indexes = |report: &Report| report.events.iter().map(|event| event.index).collect::<Vec<_>>();
        assert_eq!(indexes(&first), indexes(&second));
        recipe::passes(&bytes);
        world.end().await;
    }

    async fn a_command_that_made_a_bundle_keeps_no_server_from_going_on_with_the_log(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let command = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(5)).await.unwrap();
        let catalog = command.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        assert!(command.bundle(brand, "ada@example.org").await.unwrap().is_some());
        world.signed_up("late@example.org", "203.0.113.2").await;
        assert_eq!(world.app.sequence().await.unwrap(), 1, "the server waits for a lease");
        command.store.close().await;
        world.end().await;
    }

    async fn an_event_that_was_changed_past_the_server_makes_no_bundle(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        bundle_of(&world, "ada@example.org").await;
        world.sql(without_trigger(engine)).await.unwrap();
        world
            .sql("update event set body = replace(body, 'same_browser', 'link_button') where kind = 'confirmed'")
            .await
            .unwrap();
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let problem = world.app.bundle(brand, "ada@example.org").await.err().unwrap();
        assert!(problem.to_string().contains("proofs/0004.tlog-proof"), "{problem}");
        world.end().await;
    }
}

/// Two authorities stamp the log 260 times; Ada opens her link before each time, and confirms after the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_more_timestamps_than_a_bundle_holds_those_around_confirmations_go_first() {
    let time = Arc::new(AtomicI64::new(START.micros()));
    let mut peers = Vec::new();
    for secret in [7, 8] {
        let (authority, told) = (Authority::from_secret(&[secret; 32]), time.clone());
        let peer = Peer::start(move |request| {
            let at = Timestamp::from_micros(told.load(Ordering::SeqCst));
            let answer = authority.respond(&request.body, at);
            Reaction::ok("application/timestamp-reply", answer)
        });
        peers.push(peer.await);
    }
    let settings = format!(
        "[timestamp]\nauthorities = [\"one={}\", \"two={}\"]\nallow_private = true\nevery_minutes = 10\n",
        peers[0].url(),
        peers[1].url()
    );
    let world = World::with(Engine::Sqlite, &settings).await;
    let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
    let link = world.mail_to("ada@example.org").await.confirm();
    person.get(&link).await;
    for _ in 0..260 {
        let hit = copies(Engine::Sqlite, 1, "link_opened", "link_opened");
        world.sql(&hit).await.unwrap();
        world.app.sequence().await.unwrap();
        // A copied event says the first minute: no stamp may speak against it.
        world.clock.step(1_000_000);
        time.store(world.clock.now().micros(), Ordering::SeqCst);
        world.app.stamp_now().await.unwrap();
    }
    person.post(&link, &[]).await;
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let made = world.app.bundle_of(brand, "ada@example.org", Span::WHOLE);
    let made = made.await.unwrap().unwrap();
    let report = &made.report;
    assert_eq!(report.anchors.len(), 500);
    let confirmed = report.events.last().unwrap();
    assert_eq!(confirmed.kind, "confirmed");
    // Its own on both sides: the last that did not hold it, and the first that did.
    let (after, before) = (
        confirmed.logged_after.as_ref().unwrap(),
        confirmed.logged_before.as_ref().unwrap(),
    );
    assert_eq!(
        (after.1, before.1),
        (START.plus(Duration::from_secs(260)), world.clock.now())
    );
    assert!(
        after.0.starts_with("00000263-") && before.0.starts_with("00000264-"),
        "{after:?} {before:?}"
    );
    let told = &made.left_out[0];
    assert!(
        told.contains("no more than 500 timestamps")
            && told.contains("other events are bounded by"),
        "{told}"
    );
    let (files, _) = archive::read(&made.bytes).unwrap();
    assert!(String::from_utf8_lossy(&files["report.html"]).contains(told.as_str()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_makes_a_bundle_of_a_part_of_the_time() {
    let world = World::on(Engine::Sqlite).await;
    confirmed(&world, "ada@example.org").await;
    let folder = Folder::new();
    let settings = folder.0.join("countersign.toml");
    std::fs::write(&settings, world.settings_text()).unwrap();
    let run = |more: &[&str]| {
        let file = folder.0.join("ada.zip");
        std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args([
                "--config",
                settings.to_str().unwrap(),
                "evidence",
                "ada@example.org",
                "--brand",
                "acme",
                "-o",
            ])
            .arg(file)
            .args(more)
            .output()
            .unwrap()
    };
    let made = run(&["--from", "2026-11-23", "--until", "2026-11-24"]);
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success(), "{said}");
    assert!(
        // The one that tells of this very bundle is of today.
        said.contains("4 events") && said.contains("1 other events of this contact are left out"),
        "{said}"
    );
    assert_eq!(run(&["--from", "2027-01-01"]).status.code(), Some(1));
    assert_eq!(run(&["--from", "yesterday"]).status.code(), Some(2));
    world.end().await;
}
