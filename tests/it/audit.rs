//! `verify --log` against an operator with the database's password: every kind of row changed, removed, added, moved.

mod forged;
mod honest;
mod kept;
mod left;
mod suppressions;

use std::process::Command;

use countersign::app::audit::Audit;
use countersign::ledger::archive;
use countersign::store::Engine;

use crate::bundle::bundle_of;
use crate::harness::{Folder, World};
use crate::on_both_engines;

/// Ada signs up and confirms, Ben signs up; everything is in the log, under two checkpoints.
async fn two_people(engine: Engine) -> World {
    let world = World::on(engine).await;
    two_people_at(&world).await;
    world
}

/// The same on a server with settings of its own.
async fn two_people_at(world: &World) {
    world.signed_up("ben@example.org", "198.51.100.2").await;
    world.app.sequence().await.unwrap();
    let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
    let mail = world.mail_to("ada@example.org").await;
    world.advance(90);
    assert_eq!(person.post(&mail.confirm(), &[]).await.status, 200);
    world.app.sequence().await.unwrap();
}

pub async fn audited(world: &World) -> Audit {
    world.app.audit(true, |_, _| {}).await.unwrap()
}

/// Runs statements with no trigger in the way.
async fn tamper(world: &World, engine: Engine, statements: &str) {
    let before = match engine {
        Engine::Postgres => "set session_replication_role = replica; ".to_owned(),
        Engine::Sqlite => [
            "event_never_changes",
            "event_is_never_deleted",
            "form_version_never_changes",
            "form_version_is_never_deleted",
            "log_run_never_changes",
            "log_run_is_never_deleted",
            "log_tile_only_grows",
            "log_tile_is_never_deleted",
            "log_checkpoint_never_changes",
            "log_checkpoint_is_never_deleted",
        ]
        .map(|trigger| format!("drop trigger {trigger}; "))
        .concat(),
    };
    let free = match engine {
        Engine::Sqlite => "pragma foreign_keys = off; ",
        Engine::Postgres => "",
    };
    world
        .sql(&format!("{free}{before}{statements}"))
        .await
        .unwrap();
}

/// What is done by SQL, and what the audit must say of it. The events: 1 Ben's signup, 2 Ada's, 3 and 4 their mails, 5 Ada's
/// confirmation (indexes one less).
const TAMPERINGS: &[(&str, &str)] = &[
    (
        "update event set body = replace(body, 'same_browser', 'code') where position = 5",
        "event 4 (position 5): it is not what was logged",
    ),
    (
        "update event set salt = (select salt from event where position = 1) where position = 2",
        "event 1 (position 2): it is not what was logged",
    ),
    (
        "delete from event where position = 2",
        "event 1 (position 2): it is missing",
    ),
    (
        "delete from event where position = 5",
        "event 4 (position 5): it is missing",
    ),
    (
        "update event set position = -5 where position = 2; update event set position = 2 where position = 1; \
         update event set position = 1 where position = -5",
        "event 0 is what was logged as event 1: they were reordered",
    ),
    (
        "insert into event (position, brand_id, contact_id, kind, at, body, salt) OVERRIDING \
         select -1, brand_id, contact_id, kind, at, body, salt from event where position = 2",
        "an event stands at position -1 that was not there",
    ),
    (
        "update event set body = null, salt = null, circumstances = null, mail = null where position = 2",
        "event 1 (position 2): it was emptied, and no erasure of its contact stands behind it",
    ),
    (
        "update event set salt = null where position = 2",
        "event 1 (position 2): part of it was emptied",
    ),
    (
        "update event set at = at - 1000000 where position = 5",
        "event 4 (position 5): its column at was changed",
    ),
    (
        "update event set kind = 'declined' where position = 5",
        "event 4 (position 5): its column kind was changed",
    ),
    (
        "update event set contact_id = (select contact_id from event where position = 1) where position = 5",
        "event 4 (position 5): its column contact_id was changed",
    ),
    (
        "update event set mail = null where kind = 'mail_accepted'",
        "its mail was removed",
    ),
    (
        "update event set mail = (select mail from event where position = 3) where position = 4",
        "event 3 (position 4): its mail was changed",
    ),
    (
        "update event set circumstances = replace(circumstances, '203.0.113.1', '203.0.113.2') where position = 2",
        "event 1 (position 2): its circumstances were changed",
    ),
    (
        "update mail_dictionary set bytes = substr(bytes, 2)",
        "its mail was changed",
    ),
    (
        "update form_version set shown = replace(shown, 'newsletter', 'newsletters')",
        "it was changed",
    ),
    ("delete from form_version", "which events name, is missing"),
    (
        "delete from log_checkpoint where size = 1",
        "one was removed or added",
    ),
    (
        "delete from log_checkpoint where size = 1; update log_checkpoint set follows = 0 where size = 5",
        "the checkpoint of size 5 follows Some(1), yet Some(0) stands before it: one was removed or added",
    ),
    (
        "update log_checkpoint set follows = 3 where size = 5",
        "the checkpoint of size 5: its column follows was changed",
    ),
    (
        "update log_checkpoint set signed_at = signed_at - 1 where size = 1",
        "the checkpoint of size 1: its column signed_at was changed",
    ),
    (
        "update log_checkpoint set note = replace(note, '/log', '/lug') where size = 5",
        "the newest checkpoint: ",
    ),
    (
        "update log_checkpoint set note = (select note from log_checkpoint where size = 5) where size = 1",
        "the checkpoint of size 1 says 5",
    ),
    (
        "update log_run set first_position = 2",
        "event 4 (position 6): it is missing",
    ),
    (
        "delete from log_run",
        "no run tells at which position entry 0 stands",
    ),
    (
        "update log_run set first_position = 9223372036854775807",
        "no run tells at which position entry 1 stands",
    ),
    (
        "delete from log_tile",
        "the tile 0 of level 0 is missing or too short",
    ),
    (
        "update log_tile set hashes = FLIPPED",
        "they, or the checkpoint, were changed",
    ),
    (
        "update contact set standings = (select standings from contact where address = 'ada@example.org')",
        "its standing is not what its events say",
    ),
    (
        "update contact set standings = 'x' where address = 'ada@example.org'",
        "its standing cannot be read: it was changed",
    ),
    (
        "update contact set address = 'eve@example.org' where address = 'ada@example.org'",
        "no event of it tells of the address that is kept",
    ),
];

fn written_for(engine: Engine, statement: &str) -> String {
    match engine {
        Engine::Sqlite => statement
            .replace("OVERRIDING ", "")
            .replace("FLIPPED", "cast(x'00' || substr(hashes, 2) as blob)"),
        Engine::Postgres => statement
            .replace("OVERRIDING ", "overriding system value ")
            .replace("update event set position = -5 where position = 2", "alter table event alter column position set generated by default; update event set position = -5 where position = 2")
            .replace("FLIPPED", "set_byte(hashes, 0, 255 - get_byte(hashes, 0))"),
    }
}

on_both_engines! {
    async fn whatever_is_done_by_sql_to_a_row_of_the_evidence_is_named(engine: Engine) {
        for (statement, finding) in TAMPERINGS {
            let world = two_people(engine).await;
            let before = audited(&world).await;
            assert_eq!(before.findings, [""; 0], "before {statement}");
            assert_eq!((before.entries, before.checkpoints, before.contacts), (5, 3, Some(2)));
            tamper(&world, engine, &written_for(engine, statement)).await;
            let after = audited(&world).await;
            let found = after.findings.iter().any(|found| found.contains(finding));
            assert!(found, "{statement}: {:?}", after.findings);
            world.end().await;
        }
    }

    async fn an_event_that_is_inserted_with_an_old_date_is_logged_and_told(engine: Engine) {
        let world = two_people(engine).await;
        let copied = "insert into event (brand_id, contact_id, kind, at, body, salt) \
             select brand_id, contact_id, kind, at, body, salt from event where position = 1";
        // An hour later somebody writes an event that says it happened before.
        world.advance(3_600);
        world.signed_up("late@example.org", "198.51.100.3").await;
        world.app.sequence().await.unwrap();
        world.sql(copied).await.unwrap();
        world.app.sequence().await.unwrap();
        let audit = audited(&world).await;
        let told = |part: &str| audit.findings.iter().any(|found| found.contains(part));
        assert!(told("(position 7): it says 2026-11-23T17:34:05"), "{:?}", audit.findings);
        assert!(told("it was back-dated"), "{:?}", audit.findings);
        world.end().await;
    }

    async fn events_that_waited_while_no_worker_ran_are_no_findings(engine: Engine) {
        let world = two_people(engine).await;
        // More than one checkpoint holds, recorded within the same second, and logged only a day later.
        let copies = match engine {
            Engine::Sqlite => "with recursive n (i) as (select 1 union all select i + 1 from n where i < 9000) \
                 insert into event (brand_id, contact_id, kind, at, body, salt) \
                 select brand_id, contact_id, kind, at, body, salt from event, n where position = 5",
            Engine::Postgres => "insert into event (brand_id, contact_id, kind, at, body, salt) \
                 select brand_id, contact_id, kind, at, body, salt from event, generate_series(1, 9000) where position = 5",
        };
        world.sql(copies).await.unwrap();
        world.advance(86_400);
        assert_eq!(world.app.sequence().await.unwrap(), 9_000);
        let mut conn = world.app.store.read().await.unwrap();
        let signed = countersign::store::log::list_checkpoints(&mut conn, 5, 10).await.unwrap();
        drop(conn);
        // Two of full batches, and the one that holds the rest.
        let complete = signed.iter().map(|one| !one.note.contains("\ncomplete -\n"));
        assert_eq!(complete.collect::<Vec<_>>(), [false, false, true]);
        let audit = world.app.audit(false, |_, _| {}).await.unwrap();
        assert_eq!(audit.findings.first(), None);
        world.end().await;
    }

    async fn what_an_authority_saw_tells_a_back_dated_event_even_if_our_own_times_are_changed_with_it(engine: Engine) {
        let (world, _, _) = crate::bundle::stamped(engine).await;
        // Two hours later an event is written as if of the first minute, and the times of the checkpoints are moved to fit.
        world.advance(7_200);
        let copied = "insert into event (brand_id, contact_id, kind, at, body, salt) \
             select brand_id, contact_id, kind, at, body, salt from event where position = 1";
        world.sql(copied).await.unwrap();
        world.app.sequence().await.unwrap();
        let first = countersign::store::log::find_checkpoint(&mut world.app.store.read().await.unwrap(), 0).await;
        let first = first.unwrap().unwrap().signed_at.micros();
        tamper(&world, engine, &format!("update log_checkpoint set signed_at = {first}")).await;
        let audit = audited(&world).await;
        let told = audit.findings.iter().any(|found| found.contains("an authority stamped the checkpoint of size"));
        assert!(told, "{:?}", audit.findings);
        world.end().await;
    }

    async fn a_timestamp_that_was_changed_or_moved_to_another_checkpoint_is_named(engine: Engine) {
        for statement in [
            "update timestamp set size = 0 where size = 1",
            "update timestamp set response = (select response from timestamp where size > 1) where size = 1",
            "update timestamp set at = at - 1 where size = 1",
            "update timestamp set certificates = '' where size = 1",
        ] {
            let (world, _, _) = crate::bundle::stamped(engine).await;
            let triggers = match engine {
                Engine::Sqlite => "drop trigger timestamp_never_changes; ",
                Engine::Postgres => "",
            };
            tamper(&world, engine, &format!("{triggers}{statement}")).await;
            let audit = audited(&world).await;
            let told = audit.findings.iter().any(|found| found.starts_with("the timestamp of the checkpoint of size"));
            assert!(told, "{statement}: {:?}", audit.findings);
            world.end().await;
        }
    }

    async fn an_older_copy_is_told_apart_by_any_later_checkpoint_that_somebody_kept(engine: Engine) {
        let world = two_people(engine).await;
        let (bundle, _) = bundle_of(&world, "ada@example.org").await;
        let (files, _) = countersign::ledger::archive::read(&bundle).unwrap();
        let kept = &files["checkpoint"];
        use countersign::app::audit::Comparison::{Behind, Continues};
        assert_eq!(world.app.compare(kept).await.unwrap().unwrap(), Continues { size: 5 });
        // As an older copy has it.
        tamper(&world, engine, "delete from log_checkpoint where size = 5; delete from event where position > 1").await;
        assert_eq!(world.app.compare(kept).await.unwrap().unwrap(), Behind { here: 1, there: 5 });
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_says_that_the_log_holds_or_what_does_not() {
    let world = two_people(Engine::Sqlite).await;
    let folder = Folder::new();
    let (bundle, _) = bundle_of(&world, "ada@example.org").await;
    let kept = folder.0.join("kept.zip");
    std::fs::write(&kept, bundle).unwrap();
    let settings = folder.0.join("countersign.toml");
    std::fs::write(&settings, world.settings_text()).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .args(["--config", settings.to_str().unwrap(), "verify"])
            .args(more)
            .output()
            .unwrap()
    };
    let good = run(&["--log", "--against", kept.to_str().unwrap()]);
    let text = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success(), "{text} {:?}", good.stderr);
    assert!(text.contains("5 entries under 3 checkpoints"), "{text}");
    assert!(
        text.contains("this log continues it, from 5 entries"),
        "{text}"
    );
    assert!(text.ends_with("The log holds.\n"), "{text}");
    let (files, _) = archive::read(&std::fs::read(&kept).unwrap()).unwrap();
    let against = |name: &str, bytes: &[u8]| {
        let file = folder.0.join(name);
        std::fs::write(&file, bytes).unwrap();
        let done = run(&["--log", "--against", file.to_str().unwrap()]);
        let text = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, text) = against("receipt", &files["proofs/0002.tlog-proof"]);
    assert!(
        code == Some(0) && text.contains("this log continues it, from 5 entries"),
        "{text}"
    );
    // Whatever has no checkpoint compares with nothing, and that is no success.
    let others = [("report.html".to_owned(), files["report.html"].clone())].into();
    let (code, text) = against("other.zip", &archive::write(&others).unwrap());
    assert!(
        code == Some(2) && text.contains("it holds no checkpoint"),
        "{text}"
    );
    let rebuilt = run(&["--rebuild-check", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&rebuilt.stdout).unwrap();
    assert_eq!(
        (&json["holds"], &json["contacts"]),
        (&true.into(), &2.into())
    );
    tamper(
        &world,
        Engine::Sqlite,
        "delete from event where position = 2",
    )
    .await;
    let bad = run(&["--log"]);
    assert_eq!(bad.status.code(), Some(1));
    let text = String::from_utf8(bad.stdout).unwrap();
    assert!(
        text.contains("- event 1 (position 2): it is missing"),
        "{text}"
    );
    assert_eq!(run(&[]).status.code(), Some(2));
    world.end().await;
}
