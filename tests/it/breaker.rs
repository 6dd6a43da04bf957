//! The breaker: a flood of signups that nobody confirms holds confirmation mails, and loses none (T2).

use std::sync::Arc;

use countersign::app::App;
use countersign::app::apply::{apply, parse};
use countersign::app::confirm::{Act, Answer, Outcome};
use countersign::app::sign_up::Submission;
use countersign::clock::{Clock, Random};
use countersign::config::Config;
use countersign::domain::ids::RequestId;
use countersign::store::breaker::{self, Trip};
use countersign::store::{Engine, outbox};
use futures_util::future::join_all;

use crate::harness::{DECLARATIONS, Folder, START, World};
use crate::on_both_engines;

const SETTINGS: &str = "[budget]\nper_network_an_hour = 0\nper_form_an_hour = 0\n\
     [breaker]\nmails_at_least = 40\nwarm_up_mails = 60\n";

async fn sign_up(world: &World, name: &str, count: usize) -> Vec<RequestId> {
    let form = world.app.catalog().form("news").unwrap().clone();
    let calls = (0..count).map(|number| {
        let (app, form) = (world.app.clone(), form.clone());
        async move {
            let given = Submission {
                email: format!("{name}{number}@example.org"),
                ..Default::default()
            };
            app.sign_up(&form, given).await.unwrap().request
        }
    });
    join_all(calls).await
}

async fn confirm(world: &World, requests: &[RequestId]) {
    let brand = world.app.catalog().form("news").unwrap().brand;
    let calls = requests.iter().map(|request| {
        world.app.answer(Answer {
            brand,
            request: *request,
            act: Act::SameBrowser,
            method: "POST".to_owned(),
            circumstances: Default::default(),
        })
    });
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap(), Outcome::Confirmed { again: false });
    }
}

/// Sends what is due. Answers with how many mails wait after it, and how many of them are held.
async fn deliver(world: &World) -> (i64, i64) {
    world.delivery.drain().await.unwrap();
    waiting(world).await
}

async fn waiting(world: &World) -> (i64, i64) {
    let mut conn = world.app.store.read().await.unwrap();
    let (due, failed) = outbox::count(&mut conn).await.unwrap();
    assert_eq!(failed, 0);
    (due, outbox::count_held(&mut conn, 1_000).await.unwrap())
}

/// Lets minutes pass, at each of which a worker looks.
async fn watch(world: &World, minutes: u64) {
    for _ in 0..minutes {
        world.advance(60);
        world.app.watch_breaker().await.unwrap();
    }
}

async fn let_go(world: &World) {
    world.app.release_breaker().await.unwrap();
    assert_eq!(deliver(world).await, (0, 0));
}

async fn is_open(world: &World) -> bool {
    world.app.breaker().await.unwrap().open_since.is_some()
}

/// A world in which it is usual that four of five confirm.
async fn accustomed(engine: Engine) -> World {
    let world = World::with(engine, SETTINGS).await;
    let people = sign_up(&world, "usual", 100).await;
    assert_eq!(deliver(&world).await, (0, 0));
    confirm(&world, &people[..80]).await;
    world.advance(2 * 3_600);
    watch(&world, 1).await;
    assert!(!is_open(&world).await);
    world
}

/// The same, with a flood that has just tripped the breaker and 50 further signups behind it.
async fn flooded(engine: Engine) -> (World, Vec<RequestId>) {
    let world = accustomed(engine).await;
    let flood = sign_up(&world, "flood", 60).await;
    assert_eq!(deliver(&world).await, (0, 0));
    watch(&world, 4).await;
    assert!(!is_open(&world).await, "young mails are not judged");
    watch(&world, 2).await;
    assert!(is_open(&world).await);
    sign_up(&world, "held", 50).await;
    assert_eq!(deliver(&world).await, (50, 50));
    (world, flood)
}

/// A second worker process on the same database, with its own settings.
async fn another_worker(world: &World, change: impl FnOnce(&mut App)) -> Arc<App> {
    let config = world.app.config.clone();
    let mut app = App::start(config, world.clock.clone(), Random::seeded(8))
        .await
        .unwrap();
    change(Arc::get_mut(&mut app).unwrap());
    app
}

on_both_engines! {
    async fn a_flood_that_nobody_confirms_holds_what_follows_until_the_operator_lets_it_go(engine: Engine) {
        let (world, _) = flooded(engine).await;
        let ready = world.client("192.0.2.1").get("/readyz").await.json();
        assert_eq!(ready["breaker"]["mails_held"], 50);
        assert!(ready["breaker"]["open_since"].is_string(), "{ready}");
        watch(&world, 30).await;
        assert_eq!(deliver(&world).await, (50, 50));
        let released = world.app.release_breaker().await.unwrap();
        assert!(released.was_open);
        assert_eq!(released.mails, 50);
        assert_eq!(deliver(&world).await, (0, 0));
        // Each held mail was sent once: 100 usual ones, the 60 of the flood, and these.
        assert_eq!(mails_taken(&world).await, 210);
        world.finish().await;
    }

    async fn the_operators_word_counts_for_a_window_and_then_the_breaker_watches_again(engine: Engine) {
        let (world, _) = flooded(engine).await;
        world.app.release_breaker().await.unwrap();
        assert_eq!(deliver(&world).await, (0, 0));
        sign_up(&world, "more", 60).await;
        deliver(&world).await;
        watch(&world, 70).await;
        assert!(!is_open(&world).await);
        // What the operator let go counts as usual from now on, so it takes more than before.
        sign_up(&world, "again", 100).await;
        deliver(&world).await;
        watch(&world, 7).await;
        assert!(is_open(&world).await);
        world.finish().await;
    }

    async fn when_it_held_mails_is_forgotten_ninety_days_after_it_closed(engine: Engine) {
        let (world, _) = flooded(engine).await;
        let_go(&world).await;
        let last = async || {
            let mut conn = world.app.store.read().await.unwrap();
            countersign::store::breaker::find_last(&mut conn).await.unwrap()
        };
        assert!(last().await.is_some());
        world.advance(90 * 86_400);
        world.app.tidy().await.unwrap();
        assert!(last().await.is_some(), "in its last instant it is there");
        world.advance(1);
        world.app.tidy().await.unwrap();
        assert!(last().await.is_none());
        world.end().await;
    }

    async fn people_who_confirm_after_all_close_it_and_all_that_was_held_leaves(engine: Engine) {
        let (world, flood) = flooded(engine).await;
        confirm(&world, &flood[..35]).await;
        watch(&world, 1).await;
        assert!(is_open(&world).await);
        confirm(&world, &flood[35..37]).await;
        watch(&world, 1).await;
        assert!(!is_open(&world).await);
        assert_eq!(deliver(&world).await, (0, 0));
        watch(&world, 4).await;
        assert!(!is_open(&world).await);
        world.finish().await;
    }

    async fn after_a_window_it_closes_and_what_was_held_leaves_bit_by_bit_however_many_workers_look(engine: Engine) {
        let (world, _) = flooded(engine).await;
        let other = another_worker(&world, |_| {}).await;
        watch(&world, 64).await;
        assert!(is_open(&world).await);
        watch(&world, 1).await;
        assert!(!is_open(&world).await);
        let (held, _) = deliver(&world).await;
        assert!(held >= 49, "{held}");
        // New people are asked at once.
        sign_up(&world, "new", 3).await;
        assert_eq!(deliver(&world).await, (held, held));
        for _ in 0..60 {
            world.advance(60);
            let (one, two) = tokio::join!(world.app.watch_breaker(), other.watch_breaker());
            one.unwrap();
            two.unwrap();
            let before = mails_taken(&world).await;
            deliver(&world).await;
            assert!(mails_taken(&world).await - before <= 1);
        }
        // In a window half as many as trip it.
        assert_eq!(waiting(&world).await, (held - 20, held - 20));
        assert!(!is_open(&world).await);
        other.store.close().await;
        let_go(&world).await;
        world.finish().await;
    }

    async fn what_one_worker_sees_all_of_them_hold(engine: Engine) {
        let world = accustomed(engine).await;
        let other = another_worker(&world, |_| {}).await;
        sign_up(&world, "flood", 60).await;
        deliver(&world).await;
        world.advance(360);
        let (one, two) = tokio::join!(world.app.watch_breaker(), other.watch_breaker());
        one.unwrap();
        two.unwrap();
        sign_up(&world, "held", 20).await;
        other.delivery().unwrap().drain().await.unwrap();
        assert_eq!(waiting(&world).await, (20, 20));
        // Whichever process is told, the mails are due for every worker.
        assert_eq!(other.release_breaker().await.unwrap().mails, 20);
        assert!(!world.app.release_breaker().await.unwrap().was_open);
        assert_eq!(deliver(&world).await, (0, 0));
        other.store.close().await;
        world.finish().await;
    }

    async fn a_mail_put_by_at_the_moment_of_the_closing_is_found_at_the_next_look(engine: Engine) {
        let (world, _) = flooded(engine).await;
        let mut tx = world.app.store.write().await.unwrap();
        let now = world.clock.now();
        let closed = countersign::domain::breaker::Closed::Recovered;
        assert!(breaker::close(&mut tx, now, closed).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(deliver(&world).await, (50, 50));
        watch(&world, 1).await;
        assert_eq!(deliver(&world).await, (0, 0));
        world.finish().await;
    }

    async fn turned_off_in_the_settings_it_lets_all_go_and_never_trips(engine: Engine) {
        let (world, _) = flooded(engine).await;
        let off = another_worker(&world, |app| app.config.breaker.on = false).await;
        off.watch_breaker().await.unwrap();
        assert_eq!(deliver(&world).await, (0, 0));
        sign_up(&world, "more", 90).await;
        deliver(&world).await;
        for _ in 0..10 {
            world.advance(60);
            off.watch_breaker().await.unwrap();
        }
        assert!(!is_open(&world).await);
        off.store.close().await;
        world.finish().await;
    }

    async fn a_new_installation_does_not_know_what_is_usual_and_holds_nothing(engine: Engine) {
        let world = World::with(engine, SETTINGS).await;
        sign_up(&world, "p", 200).await;
        deliver(&world).await;
        watch(&world, 130).await;
        assert!(!is_open(&world).await);
        world.finish().await;
    }

    async fn ordinary_days_with_quiet_nights_and_a_busy_hour_hold_nothing(engine: Engine) {
        let world = accustomed(engine).await;
        // People who confirm later: half an hour, or three hours.
        let (mut soon, mut later) = (Vec::new(), Vec::new());
        for step in 0..60_usize {
            let hour = step / 6;
            let count = match hour {
                0..3 => 1,
                5 => 30,
                _ => 8,
            };
            let people = sign_up(&world, &format!("d{step}n"), count).await;
            deliver(&world).await;
            let (now, rest) = people.split_at(count / 2);
            let (half_an_hour, hours) = rest.split_at(rest.len() / 3);
            confirm(&world, now).await;
            soon.push(half_an_hour.to_vec());
            later.push(hours.split_at(hours.len() / 2).0.to_vec());
            if step >= 3 {
                confirm(&world, &soon[step - 3]).await;
            }
            if step >= 18 {
                confirm(&world, &later[step - 18]).await;
            }
            watch(&world, 10).await;
            assert!(!is_open(&world).await, "step {step}");
        }
        world.finish().await;
    }

    async fn a_flood_does_not_become_what_is_usual(engine: Engine) {
        let (world, _) = flooded(engine).await;
        watch(&world, 66).await;
        world.app.tidy().await.unwrap();
        // Three of ten confirm: too few beside the usual four of five, enough beside what the flood would make of them.
        let second = sign_up(&world, "second", 60).await;
        deliver(&world).await;
        confirm(&world, &second[..18]).await;
        watch(&world, 7).await;
        assert!(is_open(&world).await);
        let_go(&world).await;
        world.finish().await;
    }

    async fn the_overview_tells_the_operator_what_is_held_and_what_to_do(engine: Engine) {
        let (world, _) = flooded(engine).await;
        crate::harness::add_owner(&world.app).await;
        let mut client = world.client("192.0.2.1").with("sec-fetch-site", "same-origin");
        let fields = [("name", "olga"), ("password", "a long enough password")];
        assert_eq!(client.post("/admin/sign-in", &fields).await.status, 303);
        let page = client.get("/admin").await.text();
        assert!(page.contains("countersign breaker release") && page.contains("<b>50</b> of them held"), "{page}");
        world.app.release_breaker().await.unwrap();
        deliver(&world).await;
        let page = client.get("/admin").await.text();
        assert!(!page.contains("breaker release"), "{page}");
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_tells_how_it_stands_and_lets_held_mails_go() {
    let folder = Folder::new();
    let said = |arguments: &[&str]| {
        let done = crate::process::run(&folder.0, 1, arguments);
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    said(&["init", "--yes"]);
    assert_eq!(said(&["breaker", "status"]), "Closed. Mails held: 0.\n");
    let config = Config::load(&folder.0.join("1.toml"), true).unwrap();
    let app = App::start(config, Clock::System, Random::Os).await.unwrap();
    apply(&app, &parse(DECLARATIONS).unwrap()).await.unwrap();
    let mut tx = app.store.write().await.unwrap();
    let trip = Trip {
        tripped_at: START,
        since: START,
        window: Default::default(),
        usual: Default::default(),
        closed: None,
    };
    assert!(breaker::trip(&mut tx, &trip).await.unwrap());
    assert!(!breaker::trip(&mut tx, &trip).await.unwrap());
    tx.commit().await.unwrap();
    let form = app.catalog().form("news").unwrap().clone();
    let given = Submission {
        email: "anna@acme.com".to_owned(),
        ..Default::default()
    };
    app.sign_up(&form, given).await.unwrap();
    app.delivery().unwrap().drain().await.unwrap();
    app.store.close().await;
    let status: serde_json::Value =
        serde_json::from_str(&said(&["breaker", "status", "--json"])).unwrap();
    assert_eq!(
        status,
        serde_json::json!({"open_since": START, "mails_held": 1})
    );
    assert!(said(&["breaker", "status"]).ends_with(" UTC. Mails held: 1.\n"));
    assert_eq!(
        said(&["breaker", "release"]),
        "Closed.\nMails released: 1.\n"
    );
    assert_eq!(
        said(&["breaker", "release"]),
        "It was closed already.\nMails released: 0.\n"
    );
}

/// Mails that the server took, by the tally.
async fn mails_taken(world: &World) -> i64 {
    let mut conn = world.app.store.read().await.unwrap();
    let (from, until) = (
        countersign::domain::time::Timestamp::from_micros(0),
        world.clock.now().plus(std::time::Duration::from_secs(60)),
    );
    breaker::count(&mut conn, from, until).await.unwrap().mailed
}
