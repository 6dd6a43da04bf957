//! What the audit must see beyond single rows: erasures that were none, consents that were lent to another, a log begun anew.

use countersign::app::App;
use countersign::app::sign_up::Submission;
use countersign::clock::{Clock, Random};
use countersign::store::{Engine, Location, head_file};

use super::{audited, tamper, two_people, two_people_at};
use crate::erasure::forget;
use crate::harness::{Folder, World};
use crate::on_both_engines;

/// Copies a row of `event` with some columns changed.
fn copied(position: i64, changed: &[(&str, &str)]) -> String {
    let columns = ["brand_id", "contact_id", "kind", "at", "body", "salt"];
    let taken = columns.map(|column| {
        let found = changed.iter().find(|change| change.0 == column);
        found.map_or(column, |change| change.1)
    });
    format!(
        "insert into event (brand_id, contact_id, kind, at, body, salt) select {} from event where position = {position}; ",
        taken.join(", ")
    )
}

const EMPTY_FIVE: &str = "update event set body = null, salt = null, circumstances = null, mail = null where position = 5; ";

async fn says(world: &World, wanted: &str) {
    let audit = audited(world).await;
    let told = audit.findings.iter().any(|found| found.contains(wanted));
    assert!(told, "{:?} {} waiting", audit.findings, audit.waiting);
}

on_both_engines! {
    async fn one_event_emptied_behind_a_forged_erasure_is_named(engine: Engine) {
        let world = two_people(engine).await;
        tamper(&world, engine, &format!("{EMPTY_FIVE}{}", copied(2, &[("kind", "'erased'")]))).await;
        // Not logged yet, and then logged.
        says(&world, "event 4 (position 5): it was emptied").await;
        world.app.sequence().await.unwrap();
        says(&world, "event 4 (position 5): it was emptied").await;
        world.end().await;
    }

    async fn an_event_that_was_hidden_among_those_of_somebody_who_had_been_erased_is_named(engine: Engine) {
        // Behind the other's erasure, and before it.
        for (erased_last, wanted) in [(false, "the erasure of its contact stands before it"), (true, "others were emptied, or moved to that contact")] {
            let world = World::on(engine).await;
            world.signed_up("ben@example.org", "198.51.100.2").await;
            world.app.sequence().await.unwrap();
            if !erased_last {
                forget(&world, "ben@example.org").await.unwrap();
            }
            let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
            let mail = world.mail_to("ada@example.org").await;
            world.advance(90);
            assert_eq!(person.post(&mail.decline(), &[]).await.status, 200);
            if erased_last {
                forget(&world, "ben@example.org").await.unwrap();
            }
            world.app.sequence().await.unwrap();
            assert_eq!(audited(&world).await.findings, [""; 0]);
            tamper(&world, engine, "update event set body = null, salt = null, circumstances = null, mail = null, \
                contact_id = (select contact_id from event where kind = 'erased') where kind = 'declined'").await;
            says(&world, wanted).await;
            world.end().await;
        }
    }

    async fn a_confirmation_of_what_its_request_did_not_ask_for_is_named(engine: Engine) {
        let world = World::on(engine).await;
        for email in ["ada@example.org", "ben@example.org"] {
            world.signed_up(email, "203.0.113.1").await;
        }
        let (ada, ben) = (world.mail_to("ada@example.org").await, world.mail_to("ben@example.org").await);
        let contact = |who: &str| format!("(select id from contact where address = '{who}@example.org')");
        world.sql(&format!("update request set purposes = 'newsletter events' where contact_id = {}", contact("ada"))).await.unwrap();
        world.advance(90);
        let press = async |path: String| {
            let mut person = world.client("203.0.113.1");
            person.get(&path).await;
            world.advance(20);
            assert_eq!(person.post(&path, &[]).await.status, 200);
        };
        press(ada.confirm()).await;
        world.app.sequence().await.unwrap();
        says(&world, "is for events, which its request did not ask for").await;
        // Ben's answer becomes Ada's.
        world.sql(&format!("update request set contact_id = {} where contact_id = {}", contact("ada"), contact("ben"))).await.unwrap();
        press(ben.confirm()).await;
        world.app.sequence().await.unwrap();
        says(&world, "answers a request that no signup and no invitation of it opened").await;
        world.end().await;
    }

    async fn a_contact_that_was_removed_by_sql_is_named(engine: Engine) {
        let world = two_people(engine).await;
        tamper(&world, engine, "delete from contact where address = 'ada@example.org'").await;
        says(&world, "it is missing, yet the event at position 2 tells of it").await;
        world.end().await;
    }

    async fn a_consent_that_is_found_under_another_address_is_named(engine: Engine) {
        let world = two_people(engine).await;
        tamper(&world, engine, "update contact set address_key = 'eve@example.org' where address = 'ada@example.org'").await;
        assert_eq!(world.permission("eve@example.org", "newsletter").await.grade.unwrap().as_str(), "same_browser");
        says(&world, "found under another address").await;
        world.end().await;
    }

    async fn a_contact_with_another_mailbox_or_other_dates_than_its_own_is_named(engine: Engine) {
        let other = match engine {
            Engine::Sqlite => "x'00000000000000000000000000000009'",
            Engine::Postgres => "'\\x00000000000000000000000000000009'",
        };
        for (column, value, wanted) in [
            ("mailbox", other, "its mailbox, by which budgets and suppressions find it, is not that of its address"),
            ("lapses_at", "1", "the dates by which it is found"),
            ("explicit_from", "null", "the dates by which it is found"),
        ] {
            let world = two_people(engine).await;
            tamper(&world, engine, &format!("update contact set {column} = {value} where address = 'ada@example.org'")).await;
            says(&world, wanted).await;
            world.end().await;
        }
    }

    async fn a_contact_with_a_language_a_name_or_a_request_that_no_event_tells_of_is_named(engine: Engine) {
        let world = two_people(engine).await;
        let form = world.app.catalog().form("news").unwrap().clone();
        let (email, name) = ("carol@example.org".to_owned(), Some("Carol".to_owned()));
        world.app.sign_up(&form, Submission { email, name, ..Default::default() }).await.unwrap();
        world.app.sequence().await.unwrap();
        assert_eq!(audited(&world).await.findings, [""; 0]);
        let set = async |column: &str, value: &str| {
            let statement = format!("update contact set {column} = {value} where address = 'carol@example.org'");
            world.sql(&statement).await.unwrap();
        };
        let of = |who: &str| format!("(select q.id from request q join contact c on c.id = q.contact_id where c.address = '{who}@example.org')");
        for (column, value, before, wanted) in [
            ("language", "'fr'".to_owned(), "'en'".to_owned(), "the language that it is written to in"),
            ("name", "'Eve'".to_owned(), "'Carol'".to_owned(), "its name is one that no event of it tells of"),
            ("name", "null".to_owned(), "'Carol'".to_owned(), "its events tell of a name, and that is gone"),
            ("open_request_id", of("ben"), of("carol"), "its newest request, by which its links and pages go on"),
            ("open_request_id", "null".to_owned(), of("carol"), "its events tell of a request, and none is kept"),
        ] {
            set(column, &value).await;
            says(&world, wanted).await;
            set(column, &before).await;
            assert_eq!(audited(&world).await.findings, [""; 0], "{column}");
        }
        world.end().await;
    }

    async fn a_consent_that_was_lent_to_another_brand_is_named(engine: Engine) {
        let world = two_people(engine).await;
        let other = match engine { Engine::Sqlite => "x'00000000000000000000000000000009'", Engine::Postgres => "'00000000-0000-0000-0000-000000000009'" };
        tamper(&world, engine, &format!("insert into contact (brand_id, id, address, address_key, mailbox, language, standings, created_at) \
            select {other}, id, address, address_key, mailbox, language, standings, created_at from contact where address = 'ada@example.org'")).await;
        says(&world, "no event of it tells of the address").await;
        world.end().await;
    }

    async fn a_log_whose_checkpoints_are_all_gone_does_not_hold(engine: Engine) {
        let world = two_people(engine).await;
        tamper(&world, engine, "delete from log_checkpoint").await;
        says(&world, "the checkpoints were removed").await;
        world.end().await;
    }

    async fn a_run_that_no_entry_leads_to_is_named(engine: Engine) {
        for run in ["(1000, 3)", "(-5, 2)"] {
            let world = two_people(engine).await;
            tamper(&world, engine, &format!("insert into log_run (first_index, first_position) values {run}")).await;
            says(&world, "belongs to no entry").await;
            world.end().await;
        }
    }

    async fn the_last_position_of_an_older_checkpoint_is_checked(engine: Engine) {
        let world = two_people(engine).await;
        tamper(&world, engine, "update log_checkpoint set last_position = 2 where size = 1").await;
        says(&world, "checkpoint of size 1").await;
        world.end().await;
    }

    async fn an_event_that_was_copied_within_minutes_is_named(engine: Engine) {
        let world = two_people(engine).await;
        world.sql(&copied(5, &[])).await.unwrap();
        world.app.sequence().await.unwrap();
        says(&world, "stands there twice").await;
        world.end().await;
    }

    async fn a_server_signs_nothing_on_a_log_that_was_begun_anew_or_cut_under_it(engine: Engine) {
        for statements in [
            "delete from log_checkpoint; delete from log_tile; delete from log_run; delete from event where position = 5",
            "delete from log_checkpoint where size = 5; delete from event where position = 5",
        ] {
            let world = two_people(engine).await;
            tamper(&world, engine, statements).await;
            world.signed_up("late@example.org", "198.51.100.3").await;
            let problem = world.app.sequence().await.unwrap_err().to_string();
            assert!(problem.contains("has seen a log of 5 entries") && problem.contains("restart"), "{problem}");
            world.end().await;
        }
    }

    async fn a_back_dated_event_is_found_even_with_the_checkpoints_between_removed_and_the_columns_mended(engine: Engine) {
        let world = two_people(engine).await;
        for hour in 0..3 {
            world.advance(3_600);
            world.signed_up(&format!("h{hour}@example.org"), "198.51.100.9").await;
            world.app.sequence().await.unwrap();
        }
        world.sql(&copied(5, &[])).await.unwrap();
        world.app.sequence().await.unwrap();
        let whole = world.app.audit(false, |_, _| {}).await.unwrap();
        assert!(whole.findings[0].contains("event 8 (position 9)") && whole.findings[0].contains("back-dated"), "{whole:?}");
        tamper(&world, engine, "delete from log_checkpoint where size in (6, 7, 8); update log_checkpoint set follows = 5 where size = 9; \
            update log_checkpoint set signed_at = (select signed_at from log_checkpoint where size = 5) where size = 9").await;
        for wanted in ["size 9 follows Some(8), yet Some(5) stands before it", "its column follows was", "its column signed_at was"] {
            says(&world, wanted).await;
        }
        let mended = world.app.audit(false, |_, _| {}).await.unwrap();
        assert!(mended.remarks.iter().any(|told| told.starts_with("3 events came into the log")), "{mended:?}");
        world.end().await;
    }

    async fn a_timestamp_that_was_removed_put_in_or_lent_to_another_authority_is_named(engine: Engine) {
        let changed = "is not what was kept, or does not follow on the one before it";
        for (statement, wanted) in [
            ("delete from timestamp where size = 1", "the timestamp number 1 is missing"),
            ("delete from timestamp where size = 1; update timestamp set number = 1", changed),
            ("delete from timestamp where number = 2", "tells of 2 timestamps, and 1 of those that are there"),
            ("delete from timestamp", "tells of 1 timestamps, and 0 of those that are there"),
            ("update timestamp set authority = 'two' where size = 1", changed),
            ("update timestamp set chain = (select chain from timestamp where number = 2) where number = 1", changed),
            ("update timestamp set number = 3 where number = 1", "the timestamp number 1 is missing"),
        ] {
            let (world, _, _) = crate::bundle::stamped(engine).await;
            // What the log signs next tells of both.
            world.signed_up("later@example.org", "198.51.100.9").await;
            world.app.sequence().await.unwrap();
            assert_eq!(world.app.audit(false, |_, _| {}).await.unwrap().findings, [""; 0]);
            let triggers = match engine {
                Engine::Sqlite => "drop trigger timestamp_never_changes; drop trigger timestamp_is_never_deleted; ",
                Engine::Postgres => "",
            };
            tamper(&world, engine, &format!("{triggers}{statement}")).await;
            says(&world, wanted).await;
            world.end().await;
        }
    }
}

/// A file beside the database on SQLite by default; named in the settings on either engine.
fn head_kept_in(folder: &Folder) -> String {
    format!(
        "[ledger]\nhead_file = \"{}\"\n",
        folder.0.join("head").display()
    )
}

on_both_engines! {
    async fn a_server_that_starts_signs_nothing_on_a_log_whose_end_was_cut_off_while_none_ran(engine: Engine) {
        let folder = Folder::new();
        let world = World::with(engine, &head_kept_in(&folder)).await;
        two_people_at(&world).await;
        tamper(&world, engine, "delete from log_checkpoint where size = 5; delete from event where position = 5").await;
        let start = || App::start(world.app.config.clone(), Clock::fixed(world.clock.now()), Random::seeded(9));
        for _ in 0..2 {
            let next = start().await.unwrap();
            let problem = next.sequence().await.unwrap_err().to_string();
            assert!(problem.contains("the log had 5 entries before"), "{problem}");
            assert!(next.sending_held().await.unwrap().is_some(), "mail would leave");
            next.store.close().await;
        }
        says(&world, "the log's head beside the database: the log had 5 entries before, and this database has 1").await;
        // Even if somebody else goes on from there, until the log is longer than it was.
        let file = folder.0.join("head");
        let kept = head_file::read(&file).unwrap().unwrap();
        head_file::replace(&file, None).unwrap();
        world.advance(20);
        let next = start().await.unwrap();
        for person in 0..3 {
            world.signed_up(&format!("p{person}@example.org"), "198.51.100.3").await;
        }
        next.sequence().await.unwrap();
        next.store.close().await;
        head_file::write(&file, std::str::from_utf8(&kept).unwrap()).unwrap();
        says(&world, "this database has another history of the first 5 entries").await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_the_head_lies_beside_an_sqlite_database_and_on_postgres_the_audit_says_that_there_is_none()
 {
    let world = two_people(Engine::Sqlite).await;
    let Location::Sqlite(database) = &world.app.config.database else {
        panic!("SQLite");
    };
    assert!(
        head_file::read(&head_file::beside(database))
            .unwrap()
            .is_some()
    );
    assert_eq!(audited(&world).await.beside, Some(5));
    world.end().await;
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = two_people(Engine::Postgres).await;
    let audit = audited(&world).await;
    assert_eq!(audit.findings, [""; 0]);
    assert!(
        audit
            .remarks
            .iter()
            .any(|told| told.contains("[ledger] head_file")),
        "{audit:?}"
    );
    world.end().await;
}
