//! What the audit sees of keyed hashes of people whom nobody knows: of those who left as a list told, and of those whom a campaign
//! had asked before their term was over.

use countersign::domain::campaign::Kind;
use countersign::domain::event::{Asked, Fact};
use countersign::store::Engine;

use super::{audited, tamper};
use crate::campaign::{begin, plan, work};
use crate::erasure::forget;
use crate::harness::World;
use crate::import::resuming::interrupt;
use crate::import::storing::{List, findings, withdraw};
use crate::on_both_engines;

const NOBODY: [&str; 0] = [];
const DAY: u64 = 86_400;
const TERMS: &str = "[retention]\nunconfirmed_days = 30\nunasked_days = 100\n";

/// People who left, by a list of several parts.
fn gone(people: std::ops::Range<usize>) -> String {
    let rows = people.map(|at| format!("x{at}@example.org,{at},2026-01-01,2026-05-05\n"));
    let rows: String = rows.collect();
    format!("email,order,date,unsubscribed\n{rows}")
}

/// Has rows changed by SQL, one way after another; each time as they were before.
async fn tampered(world: &World, engine: Engine, table: &str, ways: &[(&str, &str)]) {
    let other = match engine {
        Engine::Sqlite => "zeroblob(16)",
        Engine::Postgres => r"'\x00000000000000000000000000000000'::bytea",
    };
    let uuid = match engine {
        Engine::Sqlite => "x'7fffffffffff7fff8fffffffffffffff'",
        Engine::Postgres => "'7fffffff-ffff-7fff-8fff-ffffffffffff'::uuid",
    };
    let one = format!("hash = (select hash from {table} order by hash limit 1)");
    world
        .sql(&format!("create table was as select * from {table}"))
        .await
        .unwrap();
    for (statement, wanted) in ways {
        let statement = statement
            .replace("OTHER", other)
            .replace("NEWER", uuid)
            .replace(
                "COLUMNS",
                "brand_id, hash, purpose, import_id, part, salt, left_at",
            )
            .replace("ONE", &one);
        world.sql(&statement).await.unwrap();
        let found = audited(world).await.findings;
        assert!(
            found.iter().any(|one| one.contains(wanted)),
            "{statement}: {found:?}"
        );
        let back = format!("delete from {table}; insert into {table} select * from was");
        world.sql(&back).await.unwrap();
    }
    world.sql("drop table was").await.unwrap();
    assert_eq!(audited(world).await.findings, NOBODY);
}

/// What is done to people who left, and what is said of it.
const LEFT: &[(&str, &str)] = &[
    (
        "delete from left_elsewhere where ONE",
        "are kept: they were removed, put in or changed",
    ),
    ("delete from left_elsewhere", "rows, and 0 are kept"),
    (
        "update left_elsewhere set left_at = left_at - 1 where ONE",
        "rows are not those that its event tells of: they were changed",
    ),
    (
        "update left_elsewhere set hash = OTHER where ONE",
        "they were changed",
    ),
    (
        "update left_elsewhere set purpose = 'events' where ONE",
        "they were changed",
    ),
    (
        "update left_elsewhere set salt = OTHER where ONE",
        "they were changed",
    ),
    (
        "update left_elsewhere set part = part + 1 where ONE",
        "1 rows are kept, and no event tells of them",
    ),
    (
        "update left_elsewhere set import_id = NEWER where ONE",
        "1 rows are kept, and no event tells of them",
    ),
    (
        "insert into left_elsewhere (COLUMNS) select brand_id, OTHER, purpose, import_id, part, salt, left_at from left_elsewhere where ONE",
        "are kept: they were removed, put in or changed",
    ),
    (
        "insert into left_elsewhere (COLUMNS) select brand_id, OTHER, purpose, import_id, 9, salt, left_at from left_elsewhere where ONE",
        "its part behind row 9: 1 rows are kept, and no event tells of them",
    ),
    (
        "insert into left_elsewhere (COLUMNS) select brand_id, OTHER, purpose, import_id, -1, salt, left_at from left_elsewhere where ONE",
        "1 rows are kept, as an earlier version kept them, of which there were none",
    ),
];

/// And to those who had been asked.
const ASKED: &[(&str, &str)] = &[
    (
        "delete from asked_address where ONE",
        "and 1 of them are remembered as asked: the others were removed",
    ),
    (
        "update asked_address set asked_by = asked_by + 1 where ONE",
        "and no erasure by a term was at that time",
    ),
    (
        "update asked_address set asked_by = TERM where ONE",
        "and no erasure by a term was at that time",
    ),
    (
        "insert into asked_address select brand_id, OTHER, asked_by from asked_address where ONE",
        "it was put in or changed",
    ),
    (
        "insert into asked_address select brand_id, OTHER, OLD from asked_address where ONE",
        "are remembered as asked, and events tell of 2: others were put in",
    ),
];

on_both_engines! {
    async fn who_left_as_a_list_told_is_missed_when_removed_and_noticed_when_put_in_or_changed(engine: Engine) {
        let world = World::on(engine).await;
        let text = gone(0..700);
        List::bought("unsubscribed", &text).take_in(&world).await;
        assert_eq!(audited(&world).await.findings, NOBODY, "while its events wait");
        assert_eq!(findings(&world).await, NOBODY);
        tampered(&world, engine, "left_elsewhere", LEFT).await;
        world.end().await;
    }

    async fn lists_that_tell_of_leaving_raise_no_alarm_however_they_come_and_go(engine: Engine) {
        let world = World::on(engine).await;
        let text = format!("{}x3@example.org,3,2026-01-01,2026-06-06\n", gone(0..1_300));
        let list = List::bought("unsubscribed", &text);
        interrupt(&world, &list, None).await;
        // It broke off: what it told so far counts, and is held against its events.
        assert_eq!(findings(&world).await, NOBODY);
        tampered(&world, engine, "left_elsewhere", &LEFT[..1]).await;
        let begun = list.begin(&world).await.unwrap();
        assert!(begun.resumed);
        list.go_on(&world, begun, None).await.1.unwrap();
        let twice = List { name: "twice", ..list };
        twice.take_in(&world).await;
        let more = gone(600..1_400);
        List::bought("others", &more).take_in(&world).await;
        assert_eq!(findings(&world).await, NOBODY);
        for name in ["twice", "unsubscribed"] {
            withdraw(&world, name).await.unwrap();
            assert_eq!(audited(&world).await.findings, NOBODY, "{name}, while its events wait");
            assert_eq!(findings(&world).await, NOBODY, "{name}");
        }
        world.sql("create table was as select * from left_elsewhere").await.unwrap();
        let taken_back = "update left_elsewhere set import_id = (select id from import where name = 'twice')";
        world.sql(taken_back).await.unwrap();
        let found = findings(&world).await;
        assert!(found.iter().any(|one| one.contains("rows are kept, yet it was taken back")), "{found:?}");
        world.sql("delete from left_elsewhere; insert into left_elsewhere select * from was").await.unwrap();
        // Removed before it is taken back.
        world.sql("delete from left_elsewhere where hash = (select hash from left_elsewhere order by hash limit 1)").await.unwrap();
        withdraw(&world, "others").await.unwrap();
        let found = findings(&world).await;
        let told = "tell of 800 rows, and 799 were there when it was taken back: the others had been removed";
        assert!(found.len() == 1 && found[0].contains(told), "{found:?}");
        world.end().await;
    }

    async fn rows_of_earlier_versions_that_no_event_tells_of_are_told_and_raise_no_alarm(engine: Engine) {
        let world = World::on(engine).await;
        let text = gone(0..3);
        List::bought("as before", &text).take_in(&world).await;
        // As an earlier version had left it.
        tamper(&world, engine, "update left_elsewhere set part = -1; delete from setting where key = 'left_told'; \
            delete from event where kind = 'left_told'").await;
        world.signed_up("ada@example.org", "203.0.113.1").await;
        world.app.sequence().await.unwrap();
        let audit = audited(&world).await;
        assert_eq!(audit.findings, NOBODY);
        let told = "of people who left by lists 3 rows are kept as earlier versions wrote them";
        assert!(audit.remarks.iter().any(|one| one.starts_with(told)), "{:?}", audit.remarks);
        world.advance(60);
        let text = gone(2..6);
        List::bought("since", &text).take_in(&world).await;
        assert_eq!(findings(&world).await, NOBODY);
        tampered(&world, engine, "left_elsewhere", &[(
            "update left_elsewhere set part = -1 where part >= 0",
            "as an earlier version kept them, of which there were none",
        )]).await;
        withdraw(&world, "as before").await.unwrap();
        assert_eq!(findings(&world).await, NOBODY);
        world.end().await;
    }

    async fn whom_a_campaign_had_asked_is_missed_when_removed_and_noticed_when_put_in_or_changed(engine: Engine) {
        let world = World::with(engine, TERMS).await;
        let people = |names: &[&str]| {
            let rows: String = names.iter().map(|one| format!("{one}@example.org,,2026-01-05\n")).collect();
            format!("email,order,date\n{rows}")
        };
        for (round, names) in [&["ann", "bob"][..], &["bob"], &["ann"]].into_iter().enumerate() {
            let name = format!("orders {round}");
            List::bought(&name, &people(names)).take_in(&world).await;
            begin(&world, &name, plan(Kind::Invitation)).await.unwrap();
            work(&world).await;
            world.advance(30 * DAY);
            work(&world).await;
            world.app.expire().await.unwrap();
            if round == 2 {
                // Erased by a wish of her own: what is remembered of her stays.
                forget(&world, "ann@example.org").await.unwrap();
            }
            world.advance(30 * DAY);
            assert_eq!(world.app.purge_unconfirmed().await.unwrap(), [2, 1, 0][round], "{name}");
            assert_eq!(audited(&world).await.findings, NOBODY, "{name}, while its events wait");
            assert_eq!(findings(&world).await, NOBODY, "{name}");
        }
        // Of somebody whom no campaign had asked nothing is remembered.
        List::bought("unasked", &people(&["carl"])).take_in(&world).await;
        world.advance(100 * DAY);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        assert_eq!(findings(&world).await, NOBODY);
        let mut conn = world.app.store.read().await.unwrap();
        let all = countersign::store::events::list_audited(&mut conn, 0, i64::MAX, 1_000).await.unwrap();
        drop(conn);
        let events = all.iter().filter(|event| event.kind == "erased");
        let events: Vec<countersign::domain::event::Event> =
            events.map(|event| serde_json::from_str(event.body.as_ref().unwrap()).unwrap()).collect();
        let asked: Vec<_> = events.iter().map(|event| match &event.fact {
            Fact::Erased { asked, .. } => (event.at.micros(), *asked),
            other => panic!("{other:?}"),
        }).collect();
        let words: Vec<_> = asked.iter().map(|one| one.1).collect();
        assert_eq!(words, [Some(Asked::First), Some(Asked::First), Some(Asked::Again), None, Some(Asked::No)]);
        // The time of bob's first row, which he has no more.
        let first = asked[1].0;
        let term = asked[4].0;
        let ways: Vec<_> = ASKED.iter().map(|(statement, says)| {
            (statement.replace("OLD", &first.to_string()).replace("TERM", &term.to_string()), *says)
        }).collect();
        let ways: Vec<(&str, &str)> = ways.iter().map(|(statement, says)| (statement.as_str(), *says)).collect();
        tampered(&world, engine, "asked_address", &ways).await;
        world.end().await;
    }

    async fn terms_of_earlier_versions_that_did_not_say_whom_they_remember_raise_no_alarm(engine: Engine) {
        let world = World::with(engine, TERMS).await;
        List::bought("orders", "email,order,date\nann@example.org,,2026-01-05\n").take_in(&world).await;
        begin(&world, "orders", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        world.advance(30 * DAY);
        work(&world).await;
        world.app.expire().await.unwrap();
        world.advance(30 * DAY);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        tamper(&world, engine, "update event set body = replace(body, '\"asked\":\"first\",', '') where kind = 'erased'").await;
        assert_eq!(audited(&world).await.findings, NOBODY, "while it waits");
        assert_eq!(findings(&world).await, NOBODY);
        tampered(&world, engine, "asked_address", &[
            ("update asked_address set asked_by = asked_by + 1", "and no erasure by a term was at that time"),
            ("insert into asked_address select brand_id, OTHER, asked_by from asked_address", "it was put in or changed"),
        ]).await;
        // Whether it had left one nothing tells.
        world.sql("delete from asked_address").await.unwrap();
        assert_eq!(audited(&world).await.findings, NOBODY, "docs/log.md says so");
        world.end().await;
    }
}
