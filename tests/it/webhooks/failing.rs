//! Receivers that fail, stall, lead elsewhere, or are where nobody should be led.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign::app::webhooks::{NewWebhook, WebhookProblem};

use super::{PRIVATE, Receiver, declined, hook, tell};
use crate::harness::World;
use crate::harness::http::{Peer, Reaction};
use crate::on_both_engines;

on_both_engines! {
    async fn what_one_contact_waits_for_keeps_no_other_waiting_and_stays_in_order(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let fails = Arc::new(AtomicBool::new(true));
        let still = fails.clone();
        let receiver = Receiver::new(move |_, body| {
            let anna = body["data"]["address"] == "anna@example.org";
            Reaction::status(if anna && still.load(Ordering::SeqCst) { 503 } else { 204 }, "")
        }).await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        declined(&world, "anna@example.org").await;
        declined(&world, "bert@example.org").await;
        assert_eq!(tell(&world).await, 2);
        let mut told = receiver.told();
        told.sort_unstable();
        assert_eq!(told, ["declined bert", "pending anna", "pending bert"], "anna's second waits for her first");
        assert_eq!(tell(&world).await, 0);
        assert_eq!(receiver.told().len(), 3, "not before its time");
        world.advance(7);
        tell(&world).await;
        fails.store(false, Ordering::SeqCst);
        world.advance(40);
        assert_eq!(tell(&world).await, 2);
        assert_eq!(receiver.told()[3..], ["pending anna", "pending anna", "declined anna"]);
        let tries: Vec<(i64, i64)> = world.app.deliveries(id, None, 10).await.unwrap().iter()
            .map(|row| (row.tries, row.status.unwrap())).collect();
        assert_eq!(tries, [(1, 204), (1, 204), (1, 204), (3, 204)]);
        // Each try carries the same id.
        let ids: std::collections::BTreeSet<String> = receiver.requests().iter()
            .map(|request| crate::webhooks::headers(request)["webhook-id"].to_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 4);
        world.deliver().await;
        world.finish().await;
    }

    async fn a_receiver_that_fails_for_three_days_is_paused_and_told_everything_once_it_is_back(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let fails = Arc::new(AtomicBool::new(true));
        let still = fails.clone();
        let receiver = Receiver::new(move |_, _| {
            Reaction::status(if still.load(Ordering::SeqCst) { 500 } else { 200 }, "out of order")
        }).await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        for number in 0..5 {
            declined(&world, &format!("p{number}@example.org")).await;
        }
        let mut hours = 0;
        while world.app.webhook(id).await.unwrap().unwrap().row.state == "active" {
            tell(&world).await;
            world.advance(1_800);
            hours += 1;
            assert!(hours < 300, "it is not paused");
        }
        assert!((144..150).contains(&hours), "{hours} half hours");
        let paused = world.app.webhook(id).await.unwrap().unwrap();
        assert!(paused.row.why.unwrap().starts_with("it has failed since"));
        assert_eq!(paused.waiting, 10, "nothing was given up");
        let asked = receiver.requests().len();
        // Five at first, then one at a time.
        assert!(asked < 160, "{asked} requests");
        declined(&world, "late@example.org").await;
        world.advance(86_400);
        assert_eq!(tell(&world).await, 0);
        assert_eq!(receiver.requests().len(), asked);
        fails.store(false, Ordering::SeqCst);
        world.app.resume_webhook(None, id).await.unwrap();
        assert_eq!(tell(&world).await, 12);
        world.deliver().await;
        world.finish().await;
    }

    async fn what_waited_in_a_pause_has_all_of_its_time_afterwards(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let fails = Arc::new(AtomicBool::new(true));
        let still = fails.clone();
        let receiver = Receiver::new(move |_, _| {
            Reaction::status(if still.load(Ordering::SeqCst) { 503 } else { 204 }, "")
        }).await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        tell(&world).await;
        world.app.pause_webhook(None, id).await.unwrap();
        world.advance(4 * 86_400);
        world.app.resume_webhook(None, id).await.unwrap();
        assert_eq!(tell(&world).await, 0, "it fails once more");
        let row = &world.app.deliveries(id, None, 1).await.unwrap()[0];
        assert_eq!((row.state.as_str(), row.tries), ("waiting", 1));
        fails.store(false, Ordering::SeqCst);
        world.advance(3_600);
        assert_eq!(tell(&world).await, 1);
        world.deliver().await;
        world.finish().await;
    }

    async fn a_receiver_that_may_take_the_longest_time_is_told_at_any_moment(engine: Engine) {
        let world = World::with(engine, "[webhook]\nallow_private = true\nwithin_seconds = 60\n").await;
        let receiver = Receiver::willing().await;
        hook(&world, receiver.peer.url(), &[]).await;
        for number in 0..12 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
            assert_eq!(tell(&world).await, 1, "after {number} half minutes");
            world.advance(30);
        }
        world.deliver().await;
        world.finish().await;
    }

    async fn after_an_outage_what_waited_for_hours_is_sent_at_once(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let fails = Arc::new(AtomicBool::new(true));
        let still = fails.clone();
        let receiver = Receiver::new(move |_, _| {
            Reaction::status(if still.load(Ordering::SeqCst) { 500 } else { 200 }, "")
        }).await;
        hook(&world, receiver.peer.url(), &[]).await;
        for number in 0..5 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
        }
        for _ in 0..40 {
            tell(&world).await;
            world.advance(1_800);
        }
        fails.store(false, Ordering::SeqCst);
        world.signed_up("late@example.org", "192.0.2.1").await;
        world.advance(3_600);
        let mut taken = 0;
        for _ in 0..20 {
            taken += tell(&world).await;
            world.advance(60);
        }
        assert_eq!(taken, 6);
        world.deliver().await;
        world.finish().await;
    }

    async fn a_message_that_is_never_taken_is_given_up_after_three_days_and_the_next_one_goes(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::new(|_, body| {
            let poison = crate::webhooks::short(body) == "pending anna";
            Reaction::status(if poison { 400 } else { 200 }, "no <b>such</b> thing\r\n\u{1b}[2J")
        }).await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        declined(&world, "anna@example.org").await;
        let mut hours = 0;
        while world.app.deliveries(id, None, 500).await.unwrap().iter().all(|row| row.state != "failed") {
            // Others are told meanwhile.
            world.signed_up(&format!("p{hours}@example.org"), "192.0.2.1").await;
            tell(&world).await;
            world.advance(3_600);
            hours += 1;
            assert!(hours < 100, "it is not given up");
        }
        assert!((72..76).contains(&hours), "{hours} hours");
        tell(&world).await;
        let last = receiver.told();
        assert!(last.contains(&"declined anna".to_owned()));
        let kept = world.app.deliveries(id, None, 500).await.unwrap();
        let given_up = kept.iter().find(|row| row.state == "failed").unwrap();
        assert_eq!(given_up.reply.as_deref(), Some("no <b>such</b> thing   [2J"));
        assert_eq!(world.app.webhook(id).await.unwrap().unwrap().row.state, "active");
        world.deliver().await;
        world.finish().await;
    }

    async fn a_receiver_that_stalls_is_cut_off_and_keeps_no_other_webhook_waiting(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let stalls = Receiver::new(|_, _| Reaction::Hang).await;
        let willing = Receiver::willing().await;
        let (id, _) = hook(&world, stalls.peer.url(), &[]).await;
        hook(&world, willing.peer.url(), &[]).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.app.sequence().await.unwrap();
        let began = Instant::now();
        world.app.tell_in_background().await.unwrap();
        while willing.requests().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(5), "the other one waits");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The other one may have been told before this one was begun.
        while world.app.deliveries(id, None, 1).await.unwrap().first().is_none_or(|one| one.tries == 0) {
            assert!(began.elapsed() < Duration::from_secs(8), "it is not cut off");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let row = &world.app.deliveries(id, None, 1).await.unwrap()[0];
        assert_eq!((row.status, row.reply.as_deref()), (None, Some("it did not answer in time")));
        world.deliver().await;
        world.finish().await;
    }

    async fn a_receiver_that_is_gone_is_not_asked_again(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::new(|_, _| Reaction::status(410, "gone")).await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        tell(&world).await;
        let row = world.app.webhook(id).await.unwrap().unwrap().row;
        assert_eq!((row.state.as_str(), row.why.as_deref()), ("paused", Some("the receiver answered that it is gone (410)")));
        world.advance(86_400);
        tell(&world).await;
        assert_eq!(receiver.requests().len(), 1);
        world.deliver().await;
        world.finish().await;
    }

    async fn no_redirect_is_followed_and_it_counts_as_a_failure(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let inside = Peer::start(|_| Reaction::ok("text/plain", "secret")).await;
        let target = inside.url();
        let receiver = Receiver::new(move |_, _| Reaction::Answer {
            status: 307, headers: vec![("location", target.clone())], body: Vec::new(),
        }).await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        assert_eq!(tell(&world).await, 0);
        assert_eq!((receiver.requests().len(), inside.asked()), (1, 0));
        let row = &world.app.deliveries(id, None, 1).await.unwrap()[0];
        assert!(row.reply.as_deref().unwrap().contains("redirect (307)"), "{row:?}");
        world.deliver().await;
        world.finish().await;
    }

    async fn private_networks_are_reached_neither_by_address_nor_by_a_name_that_leads_there(engine: Engine) {
        let world = World::on(engine).await;
        let receiver = Receiver::willing().await;
        for url in [
            "https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/", "https://169.254.169.254/latest/meta-data",
            "https://[::ffff:192.168.0.1]/", "http://hooks.example.org/", "ftp://hooks.example.org/", "https://u:p@hooks.example.org/",
            "https://hooks.example.org/a b", "hooks.example.org",
        ] {
            let refused = world.app.add_webhook(None, NewWebhook { url: url.into(), ..NewWebhook::default() }).await;
            assert!(matches!(refused, Err(WebhookProblem::Url(_))), "{url}");
        }
        // The name is looked up at each try: what it leads to today is looked at today.
        let url = format!("https://localhost:{}/", receiver.peer.port);
        let (id, _) = hook(&world, url, &[]).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        assert_eq!(tell(&world).await, 0);
        let row = &world.app.deliveries(id, None, 1).await.unwrap()[0];
        assert!(row.reply.as_deref().unwrap().contains("localhost has the address"), "{row:?}");
        assert_eq!(receiver.peer.asked(), 0);
        world.deliver().await;
        world.finish().await;
    }
}
