//! The program killed (SIGKILL) at random moments during an import, during a campaign, and while it tells a webhook: nothing doubled,
//! nothing lost.

mod hooks;
mod steps;

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use countersign::app::App;
use countersign::cli::demo::smtp_catcher;
use countersign::clock::{Clock, Random};
use countersign::store::Engine;
use countersign::web::demo::Caught;

use crate::harness::place;
use crate::import::command::data;
use crate::on_both_engines;
use crate::process::{
    LEASES_ARE_OVER, PROGRAM, declare, free_port, look, run, start, wait_until, write_settings,
};

const PEOPLE: usize = 6_000;
/// Kills before a command has run for so long, in milliseconds; longer by a quarter each time that it had not come to its work.
const KILLED_WITHIN: u64 = 900;
/// As often as it takes until kills have met the import at work so many times,
const INTERRUPTED: usize = 2;
/// and at most so often.
const ROUNDS: usize = 60;

fn list(folder: &Path, people: usize) {
    let mut text = "email,order,date\n".to_owned();
    for at in 0..people {
        text.push_str(&format!("k{at}@example.org,{at},2026-01-01\n"));
    }
    std::fs::write(folder.join("people.csv"), text).unwrap();
}

/// The arguments of the import, the same each time.
fn import(folder: &Path) -> Vec<String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut words: Vec<String> =
        "--brand acme --purpose newsletter --source purchase --json --report"
            .split(' ')
            .map(str::to_owned)
            .collect();
    words.push(at("report.csv"));
    [vec!["import".to_owned(), at("people.csv")], words].concat()
}

fn rows_done(folder: &Path, port: u16) -> u64 {
    let listed = run(
        folder,
        port,
        &["import", "list", "--brand", "acme", "--json"],
    );
    let text = String::from_utf8(listed.stdout).unwrap();
    let first = text.lines().next();
    first.map_or(0, |line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["rows"].as_u64().unwrap()
    })
}

/// The kinds of the events of each contact that has any, in their order.
async fn stories(app: &App, people: usize) -> HashMap<String, Vec<&'static str>> {
    let catalog = app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let mut all = HashMap::new();
    for at in 0..people {
        let email = format!("k{at}@example.org");
        let story = crate::harness::story_of(app, brand, &email).await;
        all.insert(email, story.iter().map(|event| event.fact.kind()).collect());
    }
    all
}

async fn holds(app: &App, told: &str) {
    app.sequence().await.unwrap();
    let audit = app.audit(true, |_, _| {}).await.unwrap();
    assert!(
        audit.holds() && audit.waiting == 0,
        "{:?}; {told}",
        audit.findings
    );
}

on_both_engines! {
    async fn an_import_that_is_killed_at_random_moments_comes_out_as_one_that_was_not(engine: Engine) {
        let seed = u64::from_le_bytes(Random::Os.bytes());
        let random = Random::seeded(seed);
        let place = place(engine).await;
        let folder = &place.folder.0;
        let port = free_port();
        write_settings(folder, &place.url, port, 1);
        declare(folder, port);
        list(folder, PEOPLE);
        let words = import(folder);
        let (mut moments, mut before, mut interrupted) = (Vec::new(), 0, 0);
        let mut within = KILLED_WITHIN;
        while interrupted < INTERRUPTED && moments.len() < ROUNDS {
            let mut child = Command::new(PROGRAM)
                .arg("--config")
                .arg(folder.join(format!("{port}.toml")))
                .args(&words)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let moment = random.below(within);
            moments.push(moment);
            tokio::time::sleep(Duration::from_millis(moment)).await;
            child.kill().unwrap();
            child.wait().unwrap();
            let now = rows_done(folder, port);
            if now > before {
                interrupted += usize::from(now < PEOPLE as u64);
            } else {
                within = (within * 5 / 4).min(30_000);
            }
            before = now;
            if now == PEOPLE as u64 {
                break;
            }
        }
        let told = format!("seed {seed}, killed after {moments:?} ms, {before} rows were in");
        assert!(interrupted > 0, "no kill met it at work; {told}");
        let last: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = run(folder, port, &last);
        // It may have been killed when all was written, and before it said so.
        if before < PEOPLE as u64 || done.status.success() {
            let done = data(&done);
            assert_eq!((&done["rows"], &done["new"]), (&PEOPLE.into(), &PEOPLE.into()), "{told}");
        }
        let report = std::fs::read_to_string(folder.join("report.csv")).unwrap();
        let mut lines: Vec<&str> = report.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
        assert_eq!(lines.len(), PEOPLE, "{told}");
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), PEOPLE, "a line stands there twice; {told}");
        let app = look(&place.url, 1, Duration::ZERO).await;
        let stories = stories(&app, PEOPLE).await;
        assert!(stories.values().all(|kinds| *kinds == ["imported"]), "{told}");
        holds(&app, &told).await;
        app.store.close().await;
        if let Some(database) = place.database {
            database.drop().await;
        }
    }

    async fn a_campaign_whose_server_is_killed_at_random_moments_asks_everybody_once(engine: Engine) {
        const ASKED: usize = 400;
        let seed = u64::from_le_bytes(Random::Os.bytes());
        let random = Random::seeded(seed);
        let place = place(engine).await;
        let folder = &place.folder.0;
        let port = free_port();
        let caught = Arc::new(Caught::with_room_for(100_000));
        let smtp = smtp_catcher::start(caught.clone(), Clock::System).await.unwrap();
        write_settings(folder, &place.url, port, smtp.port());
        declare(folder, port);
        list(folder, ASKED);
        let words = import(folder);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(data(&run(folder, port, &words))["new"], ASKED);
        let start_it = "campaign start spring --brand acme --purpose newsletter --form news --kind invitation --rate 0 --json";
        let words: Vec<&str> = start_it.split(' ').collect();
        assert_eq!(data(&run(folder, port, &words))["started"], true);
        let status = || data(&run(folder, port, &["campaign", "status", "spring", "--brand", "acme", "--json"]));
        let mut moments = Vec::new();
        for _ in 0..8 {
            let mut server = start(folder, port).await;
            // It enrols two seconds after its start, and asks two seconds after that.
            let moment = 1_900 + random.below(2_600);
            moments.push(moment);
            tokio::time::sleep(Duration::from_millis(moment)).await;
            server.child.kill().unwrap();
            server.child.wait().unwrap();
        }
        let told = format!("seed {seed}, killed after {moments:?} ms");
        let server = start(folder, port).await;
        wait_until(&format!("everybody is asked; {told}"), Duration::from_secs(90), async || status()["asked"] == ASKED).await;
        // On SQLite a new process knows that it is alone and goes on at once; on PostgreSQL leases must run out.
        if engine == Engine::Sqlite {
            wait_until(&format!("all mails are sent; {told}"), Duration::from_secs(90), async || status()["accepted"] == ASKED).await;
        }
        drop(server);
        let app = look(&place.url, smtp.port(), LEASES_ARE_OVER).await;
        app.delivery().unwrap().drain().await.unwrap();
        let stories = stories(&app, ASKED).await;
        for (email, kinds) in &stories {
            assert_eq!(*kinds, ["imported", "invited", "mail_accepted"], "{email}; {told}");
        }
        let brand = app.catalog().brand_by_slug("acme").unwrap().clone();
        let row = app.campaign(&brand, "spring").await.unwrap();
        let now = app.tell_campaign(row.clone()).await.unwrap();
        crate::campaign::numbers::hold(&app, &row, &now).await;
        assert_eq!((now.asked, now.accepted, now.waiting), (ASKED as i64, ASKED as i64, 0), "{told}");
        // What was sent twice, if anything, carries one Message-ID: the try that a kill cut off and the one after it.
        let mut ids: HashMap<String, Vec<String>> = HashMap::new();
        for mail in caught.list() {
            let id = mail.raw.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
            let known = ids.entry(mail.to).or_default();
            if !known.contains(&id) {
                known.push(id);
            }
        }
        assert_eq!(ids.len(), ASKED, "{told}");
        assert!(ids.values().all(|ids| ids.len() == 1), "{told}");
        holds(&app, &told).await;
        app.store.close().await;
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}
