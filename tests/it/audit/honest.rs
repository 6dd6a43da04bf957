//! Honest installations on which the audit must find nothing, whatever they went through.

use std::time::Duration;

use countersign::app::App;
use countersign::clock::{Clock, Random};

use super::{audited, two_people};
use crate::erasure::forget;
use crate::harness::World;
use crate::on_both_engines;

const HOUR: i64 = 3_600_000_000;

on_both_engines! {
    async fn a_clock_that_was_set_back_or_forward_by_an_hour_is_no_finding(engine: Engine) {
        for by in [-HOUR, HOUR, -48 * HOUR, 48 * HOUR] {
            let world = two_people(engine).await;
            world.clock.step(by);
            for person in 0..3 {
                world.signed_up(&format!("p{person}@example.org"), "198.51.100.3").await;
                world.app.sequence().await.unwrap();
                world.advance(60);
            }
            world.clock.step(-by);
            world.signed_up("last@example.org", "198.51.100.3").await;
            world.app.sequence().await.unwrap();
            let audit = audited(&world).await;
            assert_eq!(audit.findings, [""; 0], "{by}");
            assert!(audit.remarks.iter().any(|told| told.ends_with("the clock was set back")), "{by} {audit:?}");
            world.end().await;
        }
    }

    async fn events_that_waited_for_a_week_are_no_finding(engine: Engine) {
        let world = two_people(engine).await;
        world.signed_up("late@example.org", "198.51.100.3").await;
        world.advance(7 * 86_400);
        world.signed_up("later@example.org", "198.51.100.3").await;
        world.app.sequence().await.unwrap();
        let audit = audited(&world).await;
        assert_eq!(audit.findings, [""; 0]);
        assert!(audit.remarks[0].starts_with("1 events came into the log more than ten minutes"), "{audit:?}");
        world.end().await;
    }

    async fn a_dead_sequencers_lease_from_a_clock_that_was_set_back_is_over(engine: Engine) {
        let world = two_people(engine).await;
        let ahead = Clock::fixed(world.clock.now().plus(Duration::from_secs(7_200)));
        let dead = App::start(world.app.config.clone(), ahead, Random::seeded(8)).await.unwrap();
        world.advance(20);
        world.signed_up("one@example.org", "198.51.100.3").await;
        let ahead_did = dead.sequence().await.unwrap();
        dead.store.close().await;
        world.advance(60);
        world.signed_up("two@example.org", "198.51.100.3").await;
        let clock = Clock::fixed(world.clock.now());
        let next = App::start(world.app.config.clone(), clock, Random::seeded(9)).await.unwrap();
        let did = next.sequence().await.unwrap();
        assert_eq!((ahead_did, did), (1, 1));
        next.store.close().await;
        world.end().await;
    }

    async fn whatever_happens_during_the_audit_is_no_finding(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        for person in 0..150 {
            world.signed_up(&format!("p{person}@example.org"), "198.51.100.3").await;
        }
        world.app.sequence().await.unwrap();
        let mails = world.deliver().await;
        assert_eq!(mails.len(), 150);
        let audits = async {
            let mut found = Vec::new();
            for _ in 0..60 {
                found.extend(audited(&world).await.findings);
                tokio::task::yield_now().await;
            }
            found
        };
        let work = async {
            for person in 0..150 {
                let email = format!("p{person}@example.org");
                if person % 2 == 0 {
                    forget(&world, &email).await.unwrap();
                } else {
                    let mail = mails.iter().find(|mail| mail.to == email).unwrap();
                    let link = mail.links.iter().filter_map(|link| Some(&link[link.find("/c/")?..]))
                        .find(|path| path.matches('/').count() == 2).unwrap();
                    world.client("203.0.113.1").post(link, &[]).await;
                }
                world.app.sequence().await.unwrap();
            }
        };
        let (found, ()) = tokio::join!(audits, work);
        assert_eq!(found, [""; 0]);
        world.end().await;
    }
}
