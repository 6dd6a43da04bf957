//! A process that serves pages only asks no authority, and yet says how far its clock is off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign::app::App;
use countersign::clock::{Clock, Random};
use countersign::domain::event::ClockState;
use countersign::domain::time::Timestamp;
use countersign::ledger::timestamp::authority::Authority;
use countersign::store::Engine;

use crate::harness::http::{Peer, Reaction};
use crate::harness::{START, World};
use crate::{on_both_engines, recipe};

const MINUTE: i64 = 60_000_000;

/// The hour that clocks skip and the one they show twice, a leap day, and before and behind the seconds that 31 bits count.
const MOMENTS: [&str; 5] = [
    "2027-03-28T00:59:59Z",
    "2027-10-31T00:59:59Z",
    "2028-02-29T23:59:58Z",
    "2038-01-19T03:14:06Z",
    "2038-01-19T05:14:08Z",
];

on_both_engines! {
    async fn over_a_leap_day_2038_and_steps_of_an_hour_the_log_keeps_its_order_and_events_tell_of_the_clock(engine: Engine) {
        let world = World::on(engine).await;
        for (number, moment) in MOMENTS.into_iter().enumerate() {
            let until = Timestamp::parse(moment).unwrap();
            world.clock.advance(until.since(world.clock.now()));
            let email = format!("p{number}@example.org");
            let (mut person, _) = world.signed_up(&email, "203.0.113.1").await;
            let mail = world.mail_to(&email).await;
            world.app.sequence().await.unwrap();
            let by = if number % 2 == 0 { -60 * MINUTE } else { 60 * MINUTE };
            world.clock.step(by);
            let done = person.post(&mail.confirm(), &[]).await;
            assert_eq!(done.heading(), "Confirmed", "{moment}");
            assert!(world.permission(&email, "newsletter").await.allowed, "{moment}");
            world.app.sequence().await.unwrap();
            let story = world.story(&email).await;
            let kinds: Vec<_> = story.iter().map(|event| event.fact.kind()).collect();
            assert_eq!(kinds, ["signed_up", "mail_accepted", "confirmed"], "{moment}");
            assert_eq!(story[2].clock.state, ClockState::Stepped, "{moment}");
            let behind = story[2].at < story[0].at;
            assert_eq!(behind, by < 0, "it says what the clock said");
            world.clock.step(-by);
            world.advance(1_200);
        }
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert_eq!((audit.findings, audit.waiting), (vec![], 0));
        world.finish().await;
    }

    async fn a_web_process_whose_clock_is_behind_says_so_and_its_bundles_hold(engine: Engine) {
        let time = Arc::new(AtomicI64::new(START.micros()));
        let (authority, told) = (Authority::from_secret(&[7; 32]), time.clone());
        let peer = Peer::start(move |request| {
            let at = Timestamp::from_micros(told.load(Ordering::SeqCst));
            Reaction::ok("application/timestamp-reply", authority.respond(&request.body, at))
        })
        .await;
        let settings = format!("[timestamp]\nauthorities = [\"one={}\"]\nallow_private = true\n", peer.url());
        let world = World::with(engine, &settings).await;
        // The pages are served by a machine whose clock is twenty minutes behind. With SQLite the worker is on it too; else it
        // is on another, whose clock is three minutes ahead.
        world.clock.step(-20 * MINUTE);
        let off = match engine {
            Engine::Sqlite => -20 * MINUTE,
            Engine::Postgres => 3 * MINUTE,
        };
        let worker_clock = Clock::fixed(Timestamp::from_micros(START.micros() + off));
        let worker = App::start(world.app.config.clone(), worker_clock.clone(), Random::seeded(8)).await.unwrap();
        world.signed_up("first@example.org", "198.51.100.1").await;
        worker.sequence().await.unwrap();
        worker.stamp_now().await.unwrap();
        assert_eq!(world.story("first@example.org").await[0].clock.ahead_micros, None);
        // What the worker saw, the others learn.
        world.app.learn_ahead().await.unwrap();
        let advance = |seconds: u64| {
            let by = std::time::Duration::from_secs(seconds);
            world.clock.advance(by);
            worker_clock.advance(by);
            time.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
        };
        advance(1_200);
        let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
        let ahead = world.story("ada@example.org").await[0].clock.ahead_micros.unwrap();
        // The clocks of this test stand still while it runs, and the database's goes on.
        assert!((ahead + 20 * MINUTE).abs() < 5 * MINUTE, "{ahead}");
        // Just before it is confirmed an authority stamps the log: by the page's own clock that was later.
        let mail = world.mail_to("ada@example.org").await;
        worker.sequence().await.unwrap();
        worker.stamp_now().await.unwrap();
        advance(60);
        assert_eq!(person.post(&mail.confirm(), &[]).await.status, 200);
        let catalog = worker.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let (bytes, report) = worker.bundle(brand, "ada@example.org").await.unwrap().unwrap();
        assert!(report.remarks.iter().any(|told| told.contains("its clock was off, as it says itself")), "{:?}", report.remarks);
        recipe::passes(&bytes);
        // One that starts later knows it from the beginning.
        let later = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(9)).await.unwrap();
        assert!(later.clock.reading().ahead_micros.is_some());
        for app in [worker, later] {
            app.store.close().await;
        }
        world.end().await;
    }
}
