//! The server killed while it tells a webhook: every event arrives, and those of a contact in their order.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use countersign::app::App;
use countersign::app::sign_up::Submission;
use countersign::app::withdraw::{Leave, Leaver, Scope};
use countersign::clock::{Clock, Random};
use countersign::config::Config;
use countersign::domain::circumstances::Circumstances;
use countersign::domain::event::{LeaveMethod, LeftBy};
use serde_json::Value;

use crate::campaign::slug;
use crate::harness::http::Reaction;
use crate::harness::{place, sql_at};
use crate::on_both_engines;
use crate::process::{declare, free_port, run, start, write_settings};
use crate::webhooks::Receiver;

const PEOPLE: usize = 60;
/// Each signs up, leaves one purpose, and then the other.
const EVENTS: usize = 3 * PEOPLE;
/// Kills that met the server while it told, before the last start.
const INTERRUPTED: usize = 3;
/// Rounds at most, and until when a new one begins.
const ROUNDS: usize = 25;
const KILLING: Duration = Duration::from_secs(15);
/// For what is left after the last start.
const THE_REST: Duration = Duration::from_secs(25);
/// A dead process keeps others from a webhook until its lease is over. That time is made to pass.
const LEASES_END: &str = "update lease set held_until = 0";

/// Events of people, recorded by a process that tells nobody.
async fn record(app: &App) {
    let form = app.catalog().form("news").unwrap().clone();
    let brand = app.catalog().brand_by_slug("acme").unwrap().clone();
    for at in 0..PEOPLE {
        let email = format!("w{at}@example.org");
        let given = Submission {
            email: email.clone(),
            purposes: vec!["newsletter".to_owned(), "events".to_owned()],
            ..Default::default()
        };
        app.sign_up(&form, given).await.unwrap();
    }
    for purpose in ["newsletter", "events"] {
        for at in 0..PEOPLE {
            let leave = Leave {
                who: Leaver::Address(format!("w{at}@example.org")),
                scope: Scope::Purposes(vec![slug(purpose)]),
                method: LeaveMethod::CommandLine,
                by: LeftBy::Operator,
                reason: None,
                circumstances: Circumstances::default(),
            };
            app.withdraw(&brand, leave).await.unwrap();
        }
    }
}

/// The ids of what arrived, by contact, each where it arrived first.
fn first_of_each(bodies: &[Value]) -> HashMap<String, Vec<String>> {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    for body in bodies {
        let id = body["id"].as_str().unwrap().to_owned();
        let contact = body["data"]["contact"].as_str().unwrap().to_owned();
        let known = all.entry(contact).or_default();
        if !known.contains(&id) {
            known.push(id);
        }
    }
    all
}

/// The links are made anew with each try: they work for a time from then on.
fn without_links(mut told: Value) -> Value {
    told["data"].as_object_mut().unwrap().remove("links");
    told
}

fn count(told: &HashMap<String, Vec<String>>) -> usize {
    told.values().map(Vec::len).sum()
}

on_both_engines! {
    async fn a_server_that_is_killed_while_it_tells_a_webhook_tells_everything_and_in_order(engine: Engine) {
        let seed = u64::from_le_bytes(Random::Os.bytes());
        let random = Random::seeded(seed);
        let place = place(engine).await;
        let folder = &place.folder.0;
        let port = free_port();
        write_settings(folder, &place.url, port, 1);
        let file = folder.join(format!("{port}.toml"));
        let settings = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{settings}[webhook]\nallow_private = true\n")).unwrap();
        declare(folder, port);
        // It takes its time, so that kills meet messages under way.
        let receiver = Receiver::new(|_, _| {
            std::thread::sleep(Duration::from_millis(15));
            Reaction::ok("text/plain", "thanks")
        }).await;
        let added = run(folder, port, &["webhook", "add", &receiver.peer.url()]);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let config = Config::load(&file, true).unwrap();
        let location = config.database.clone();
        let app = App::start(config, Clock::System, Random::Os).await.unwrap();
        record(&app).await;
        app.sequence().await.unwrap();
        app.end_sequencing().await.unwrap();
        let feed = app.announcements(0, 1_000, &Default::default()).await.unwrap();
        let feed: Vec<Value> = feed.announcements.iter().map(|one| without_links(serde_json::to_value(&one.announcement).unwrap())).collect();
        let wanted = first_of_each(&feed);
        assert_eq!((wanted.len(), count(&wanted)), (PEOPLE, EVENTS));
        app.store.close().await;

        let (mut moments, mut interrupted) = (Vec::new(), 0);
        let until = Instant::now() + KILLING;
        while interrupted < INTERRUPTED && moments.len() < ROUNDS && Instant::now() < until {
            let before = receiver.requests().len();
            sql_at(&location, LEASES_END).await.unwrap();
            let mut server = start(folder, port).await;
            // Every third kill meets it wherever it is; the others, once it tells.
            if moments.len() % 3 != 2 {
                let patience = Instant::now() + Duration::from_secs(8);
                while receiver.requests().len() == before && Instant::now() < patience {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            let moment = random.below(350);
            moments.push(moment);
            tokio::time::sleep(Duration::from_millis(moment)).await;
            server.child.kill().unwrap();
            server.child.wait().unwrap();
            let bodies = receiver.bodies();
            let told = count(&first_of_each(&bodies));
            interrupted += usize::from(bodies.len() > before && told < EVENTS);
            if told == EVENTS {
                break;
            }
        }
        let told = format!("seed {seed}, killed after {moments:?} ms");
        assert!(interrupted > 0, "no kill met it while it told; {told}");
        sql_at(&location, LEASES_END).await.unwrap();
        let server = start(folder, port).await;
        let until = Instant::now() + THE_REST;
        while count(&first_of_each(&receiver.bodies())) < EVENTS {
            let (came, new) = (receiver.requests().len(), count(&first_of_each(&receiver.bodies())));
            assert!(Instant::now() < until, "{new} of {EVENTS} are told, in {came} messages; {told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(server);
        let bodies = receiver.bodies();
        assert_eq!(first_of_each(&bodies), wanted, "each at least once, and in the order of its contact; {told}");
        // What came twice is the same message: the try that a kill cut off, and the one after it.
        for body in &bodies {
            assert!(feed.contains(&without_links(body.clone())), "{body}; {told}");
        }
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}
