//! Going on with an import: only with its own report, in parts that leave others room, and taking back without holding anybody up.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign::app::App;
use countersign::app::import::{Problem, WithdrawProblem};
use countersign::app::sign_up::Submission;
use countersign::clock::Random;
use countersign::domain::campaign::Kind;
use countersign::store::locks::Locks;
use countersign::store::set::Writes;
use countersign::store::{Conn, Engine, StoreError, budgets};

use super::storing::{List, findings, withdraw};
use crate::campaign::{begin, plan, work};
use crate::harness::{Folder, World, dying_at};
use crate::on_both_engines;

fn people(count: usize) -> String {
    let mut text = "email,order,date\n".to_owned();
    for at in 0..count {
        text.push_str(&format!("p{at}@example.org,{at},2026-01-01\n"));
    }
    text
}

/// Interrupts an import behind its first part; answers with the rows that are in.
pub async fn interrupt(world: &World, list: &List<'_>, report: Option<&Path>) -> i64 {
    for waits in 3..2_000 {
        let begun = list.begin(world).await.unwrap();
        if begun.row.rows_done > 0 {
            return begun.row.rows_done;
        }
        let ended = dying_at(waits, list.go_on(world, begun, report)).await;
        assert!(ended.is_none(), "it came to its end");
    }
    panic!("it never began");
}

async fn refused(world: &World, list: &List<'_>, report: Option<PathBuf>) -> String {
    let begun = list.begin(world).await.unwrap();
    let ended = list.go_on(world, begun, report.as_deref()).await.1;
    match ended {
        Err(Problem::Report(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    async fn an_import_goes_on_with_its_own_report_and_with_no_other(engine: Engine) {
        let world = World::on(engine).await;
        let folder = Folder::new();
        let report = folder.0.join("report.csv");
        let text = people(3_000);
        let list = List::bought("spring", &text);
        let done = interrupt(&world, &list, Some(&report)).await;
        assert!(done < 3_000);
        let own = std::fs::read(&report).unwrap();
        // As long, and yet another one.
        let mut other = own.clone();
        other[60] ^= 1;
        std::fs::write(folder.0.join("other.csv"), &other).unwrap();
        let says = refused(&world, &list, Some(folder.0.join("other.csv"))).await;
        assert!(says.contains("not the report that the import began with"), "{says}");
        assert_eq!(std::fs::read(folder.0.join("other.csv")).unwrap(), other, "it is left as it was");
        std::fs::write(folder.0.join("short.csv"), &own[..50]).unwrap();
        let says = refused(&world, &list, Some(folder.0.join("short.csv"))).await;
        assert!(says.contains("not the report"), "{says}");
        let says = refused(&world, &list, None).await;
        assert!(says.contains("give the same --report again"), "{says}");
        let begun = list.begin(&world).await.unwrap();
        list.go_on(&world, begun, Some(&report)).await.1.unwrap();
        let lines = std::fs::read_to_string(&report).unwrap();
        assert_eq!(lines.lines().count(), 3_001);

        let silent = List { name: "silent", ..list };
        interrupt(&world, &silent, None).await;
        let says = refused(&world, &silent, Some(folder.0.join("late.csv"))).await;
        assert!(says.contains("its first rows would be missing"), "{says}");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn an_import_that_another_process_overtakes_tells_its_rows_in_their_order_and_once(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let second = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(99)).await.unwrap();
        let form = second.catalog().form("news").unwrap().clone();
        let mut text = people(2_500);
        text.push_str(people(1_500).split_once('\n').unwrap().1);
        let list = List::bought("spring", &text);
        let folder = Folder::new();
        let report = folder.0.join("report.csv");
        let begun = list.begin(&world).await.unwrap();
        let (ended, others) = tokio::join!(list.go_on(&world, begun, Some(&report)), async {
            let (mut others, begun) = (0, Instant::now());
            while world.app.imports(world.app.catalog().brand_by_slug("acme").unwrap()).await.unwrap()[0].rows_done < 3_000 {
                let email = format!("other{others}@example.org");
                assert!(begun.elapsed() < Duration::from_secs(60), "it does not go on");
                second.sign_up(&form, Submission { email, ..Submission::default() }).await.unwrap();
                others += 1;
            }
            others
        });
        ended.1.unwrap();
        assert!(others > 3, "nobody overtook it");
        let counts = ended.0.counts;
        assert_eq!((counts.rows(), counts.new, counts.unchanged), (4_000, 2_500, 1_500));
        let lines = std::fs::read_to_string(&report).unwrap();
        let numbers: Vec<usize> = lines.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(numbers, (2..4_002).collect::<Vec<_>>());
        assert_eq!(findings(&world).await, Vec::<String>::new());
        assert_eq!(world.deliver().await.len(), others);
        second.store.close().await;
        world.finish().await;
    }

    async fn an_import_that_runs_can_be_taken_back(engine: Engine) {
        let world = World::on(engine).await;
        let text = people(12_000);
        let list = List::bought("spring", &text);
        let begun = list.begin(&world).await.unwrap();
        let app = world.app.clone();
        let taking_back = tokio::spawn(async move {
            let acme = app.catalog().brand_by_slug("acme").unwrap().clone();
            let begun = Instant::now();
            while app.imports(&acme).await.unwrap()[0].rows_done == 0 {
                assert!(begun.elapsed() < Duration::from_secs(60), "it does not begin");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            app.withdraw_import(&acme, "spring").await
        });
        let ended = list.go_on(&world, begun, None).await;
        let contacts = taking_back.await.unwrap().unwrap().contacts;
        assert!(matches!(ended.1, Err(Problem::Elsewhere)), "{:?}", ended.1);
        assert_eq!(contacts, ended.0.counts.new, "all that was in, and nothing came after");
        assert!((1..12_000).contains(&contacts), "{contacts}");
        assert!(!world.permission("p0@example.org", "newsletter").await.allowed);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn an_import_takes_few_locks_at_once_on_postgresql(engine: Engine) {
        let world = World::on(engine).await;
        let text = people(450);
        List::bought("spring", &text).take_in(&world).await;
        // The transactions that wrote the events.
        let Conn::PostgresRead(mut conn) = world.app.store.read().await.unwrap() else {
            world.finish().await;
            return;
        };
        let sql = "select count(distinct xmin::text) from event where kind = 'imported'";
        let parts: i64 = sqlx::query_scalar(sql).fetch_one(&mut *conn).await.unwrap();
        drop(conn);
        assert_eq!(parts, 3, "parts of 200 rows");
        world.finish().await;
    }

    async fn whether_anybody_was_asked_is_looked_up_without_holding_up_other_writers(engine: Engine) {
        let world = World::on(engine).await;
        let text = people(30);
        List::bought("orders", &text).take_in(&world).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        // Somebody else writes all the while.
        let writer = world.app.store.write().await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(20), withdraw(&world, "orders")).await;
        assert!(matches!(answer, Ok(Err(WithdrawProblem::Sent(_)))), "{answer:?}");
        drop(writer);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }
}

/// On one thread, where the writing of a part has not begun when the next one is decided.
#[tokio::test]
async fn an_import_comes_to_its_end_whenever_others_in_its_process_are_overtaken() {
    let world = World::on(Engine::Sqlite).await;
    let (config, clock) = (world.app.config.clone(), world.clock.clone());
    let second = App::start(config, clock, Random::seeded(99)).await.unwrap();
    let store = &world.app.store;
    let now = world.clock.now();
    let text = people(700);
    let mut times = 0;
    for waits in 0..24 {
        // Nothing is decided inside the transaction any more because of the one before.
        for _ in 0..40 {
            drop(store.hold(Locks::default()).await.unwrap());
        }
        let name = format!("list {waits}");
        let list = List::bought(&name, &text);
        let begun = list.begin(&world).await.unwrap();
        let mut import = Box::pin(list.go_on(&world, begun, None));
        if dying_at(waits, &mut import).await.is_some() {
            break;
        }
        // Left where it is, it may hold the writer itself.
        let writer = tokio::time::timeout(Duration::from_millis(500), store.write()).await;
        if writer.is_err() {
            import.await.1.unwrap();
            continue;
        }
        drop(writer);
        let one = |key: &str| {
            let mut writes = Writes::default();
            budgets::add_rates(&mut writes, &[(key.to_owned(), 1)], now);
            writes
        };
        let held = store.hold(Locks::default()).await.unwrap();
        second.store.write_now(one("second")).await.unwrap();
        let overtaken = held.finish(one("first")).await;
        assert!(
            matches!(overtaken, Err(StoreError::Overtaken)),
            "{overtaken:?}"
        );
        let ended = tokio::time::timeout(Duration::from_secs(20), import).await;
        ended.expect("it stands still").1.unwrap();
        times += 1;
    }
    assert!(times > 2, "{times}");
    second.store.close().await;
    world.finish().await;
}
