//! Implicit consent that ends by itself, and questions about many addresses.

use std::collections::HashSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use countersign::app::App;
use countersign::clock::{Clock, Random};
use countersign::domain::brand::Slug;
use countersign::domain::event::Fact;
use countersign::domain::time::Timestamp;

use super::command::data;
use super::storing::{List, confirm, findings};
use crate::harness::{Folder, World, settings};
use crate::on_both_engines;
use crate::process::{Server, wait_until};

const DAY: u64 = 86_400;

/// Bought so that the consent ends a day after the world's start, and a year later.
const SOON: &str =
    "email,order,date\nsoon@example.org,1,2024-11-25\nlater@example.org,2,2025-11-25\n";

async fn asked(world: &World, at: Option<&str>) -> Vec<(bool, &'static str)> {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let purpose = Slug::try_from("newsletter".to_owned()).unwrap();
    let at = at.map(|at| Timestamp::parse(at).unwrap());
    let mut all = Vec::new();
    for address in ["soon@example.org", "later@example.org"] {
        let one = world
            .app
            .permission(brand, &purpose, address, at)
            .await
            .unwrap();
        all.push((one.allowed, one.rule));
    }
    all
}

/// What such a process is told: the database, a folder, its number, and its clock in microseconds.
const PROCESS: &str = "COUNTERSIGN_TEST_PROCESS";

/// The part of two processes in the test below.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "another test runs it, as a process of its own"]
async fn as_a_process_of_its_own_it_ends_consents() {
    let Ok(told) = std::env::var(PROCESS) else {
        return;
    };
    let told: Vec<&str> = told.lines().collect();
    let clock = Clock::fixed(Timestamp::from_micros(told[3].parse().unwrap()));
    let config = settings("http://127.0.0.1:1", told[0], 25, "");
    let app = App::start(config, clock, Random::Os).await.unwrap();
    let at = |name: &str| std::path::Path::new(told[1]).join(name);
    std::fs::write(at(&format!("ready-{}", told[2])), "").unwrap();
    // Looked for often, so that both begin at the same moment.
    let deadline = Instant::now() + Duration::from_secs(60);
    while !at("go").exists() {
        assert!(Instant::now() < deadline, "nobody says go");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    app.lapse().await.unwrap();
    app.store.close().await;
    std::fs::write(at(&format!("done-{}", told[2])), "").unwrap();
}

on_both_engines! {
    async fn implicit_consent_lapses_at_its_hour_and_a_past_moment_is_answered_as_of_then(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", SOON).take_in(&world).await;
        assert_eq!(world.app.lapse().await.unwrap(), 0);
        assert_eq!(asked(&world, None).await, [(true, "A2"), (true, "A2")]);
        // The clock passes midnight of 25 November; nothing has run yet, and the answer is right all the same.
        world.advance(2 * DAY);
        assert_eq!(asked(&world, None).await, [(false, "D2"), (true, "A2")]);
        assert_eq!(world.app.lapse().await.unwrap(), 1);
        assert_eq!(world.app.lapse().await.unwrap(), 0);
        assert_eq!(world.kinds("soon@example.org").await, ["imported", "lapsed"]);
        assert_eq!(asked(&world, None).await, [(false, "D2"), (true, "A2")]);
        assert_eq!(asked(&world, Some("2026-11-24")).await, [(true, "A2"), (true, "A2")]);
        assert_eq!(asked(&world, Some("2026-11-25T00:00:01Z")).await, [(false, "D2"), (true, "A2")]);
        let story = world.story("soon@example.org").await;
        let Fact::Lapsed { until, .. } = &story[1].fact else { panic!("{story:?}") };
        assert_eq!(until.to_string(), "2026-11-25T00:00:00.000000Z");
        let why = world.permission("soon@example.org", "newsletter").await.why;
        assert_eq!(why, "Implicit consent lapsed at 2026-11-25 00:00 UTC.");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        let feed = world.app.announcements(0, 100, &Default::default()).await.unwrap();
        let told = &feed.announcements.last().unwrap().announcement;
        assert_eq!((told.kind, told.data.rule), ("contact.lapsed", Some("D2")));
        world.finish().await;
    }

    async fn a_new_act_before_the_end_or_after_it_gives_consent_anew(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", SOON).take_in(&world).await;
        let again = "email,order,date\nsoon@example.org,3,2026-11-01\n";
        List::bought("again", again).take_in(&world).await;
        world.advance(2 * DAY);
        assert_eq!(world.app.lapse().await.unwrap(), 0);
        assert_eq!(asked(&world, None).await[0], (true, "A2"));
        world.advance(800 * DAY);
        assert_eq!(world.app.lapse().await.unwrap(), 2);
        let bought = "email,order,date\nsoon@example.org,4,2028-11-01\n";
        List::bought("a new one", bought).take_in(&world).await;
        assert_eq!(asked(&world, None).await, [(true, "A2"), (false, "D2")]);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_confirmed_contact_does_not_lapse(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", SOON).take_in(&world).await;
        confirm(&world, "soon@example.org").await;
        world.advance(900 * DAY);
        assert_eq!(world.app.lapse().await.unwrap(), 1);
        assert_eq!(asked(&world, None).await, [(true, "G3"), (false, "D2")]);
        world.finish().await;
    }

    async fn two_processes_that_end_consents_at_once_end_each_once(engine: Engine) {
        const PEOPLE: usize = 1_300;
        let world = World::on(engine).await;
        let mut text = "email,order,date\n".to_owned();
        for at in 0..PEOPLE {
            text.push_str(&format!("p{at}@example.org,{at},2024-11-25\n"));
        }
        List::bought("orders", &text).take_in(&world).await;
        world.advance(2 * DAY);
        let folder = Folder::new();
        let mut both = Vec::new();
        for number in 0..2 {
            let (url, now) = (world.database_url(), world.clock.now().micros());
            let mut program = std::process::Command::new(std::env::current_exe().unwrap());
            program.args(["--ignored", "--exact", "import::lapsing::as_a_process_of_its_own_it_ends_consents"]);
            program.env(PROCESS, format!("{url}\n{}\n{number}\n{now}", folder.0.display()));
            program.stdout(Stdio::null()).stderr(Stdio::null());
            both.push(Server { child: program.spawn().unwrap(), base: String::new() });
        }
        let all = |name: &str| (0..2).all(|number| folder.0.join(format!("{name}-{number}")).exists());
        wait_until("both are ready", Duration::from_secs(60), async || all("ready")).await;
        std::fs::write(folder.0.join("go"), "").unwrap();
        wait_until("both have ended", Duration::from_secs(60), async || {
            both.iter_mut().all(|one| one.child.try_wait().unwrap().is_some())
        }).await;
        assert!(all("done"));
        let mut conn = world.app.store.read().await.unwrap();
        let events = countersign::store::events::list_audited(&mut conn, 0, i64::MAX, 10_000).await.unwrap();
        drop(conn);
        let lapsed: HashSet<_> = events.iter().filter(|one| one.kind == "lapsed").map(|one| one.contact_id).collect();
        assert_eq!((lapsed.len(), events.len()), (PEOPLE, 2 * PEOPLE), "each was imported, and lapsed once");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_list_is_answered_as_its_addresses_one_by_one(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", SOON).take_in(&world).await;
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        let mut list = "Nr;Email\n".to_owned();
        for at in 0..1_100 {
            list.push_str(&format!("{at};nobody{at}@example.org\n"));
        }
        list.push_str("x;=later@example.org\nx;nonsense\nx;Later@Example.org\n");
        std::fs::write(folder.0.join("list.csv"), list).unwrap();
        let ask = |more: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
            command.current_dir(&folder.0).args(["permission", "--brand", "acme", "--purpose", "newsletter"]);
            command.args(["--file", "list.csv"]).args(more);
            command.output().unwrap()
        };
        let output = ask(&["--out", "all.csv", "--json"]);
        assert_eq!(data(&output), serde_json::json!({ "allowed": 1, "not_allowed": 1_101, "broken": 1 }));
        let all = std::fs::read_to_string(folder.0.join("all.csv")).unwrap();
        assert_eq!(all.lines().count(), 1_104);
        assert!(all.starts_with("line,address,allowed,basis,grade,since,until,rule,why\n2,nobody0@example.org,no,none,,,,G1,"));
        assert!(all.contains("\n1102,'=later@example.org,no,none,"), "{}", &all[all.len() - 600..]);
        assert!(all.contains("\n1103,nonsense,no,,,,,,"), "{}", &all[all.len() - 600..]);
        let output = ask(&["--allowed-only"]);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("\n1104,Later@Example.org,yes,implicit,,"), "{text}");
        // The command goes by the real clock, and the import came a day earlier by the world's.
        let output = ask(&["--allowed-only", "--at", "2026-11-01"]);
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
        assert_eq!(ask(&["--out", "all.csv"]).status.code(), Some(2));
        world.finish().await;
    }

    async fn an_operator_sees_beforehand_whose_consent_lapses(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", SOON).take_in(&world).await;
        let overview = world.app.overview().await.unwrap();
        assert_eq!(overview.lapsing, [("acme".to_owned(), 1)]);
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let before = Timestamp::parse("2028-01-01").unwrap();
        let (page, next) = world.app.lapsing(brand, before, None).await.unwrap();
        let addresses: Vec<&str> = page.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(addresses, ["soon@example.org", "later@example.org"]);
        assert_eq!(world.app.lapsing(brand, before, next).await.unwrap().0, []);
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
        let output = command.current_dir(&folder.0).args(["lapsing", "--brand", "acme", "--json"]).output().unwrap();
        assert_eq!(data(&output)["address"], "soon@example.org");
        world.finish().await;
    }
}
