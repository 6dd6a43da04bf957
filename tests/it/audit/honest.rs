//! Honest installations on which the audit must find nothing, whatever they went through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use countersign::app::App;
use countersign::clock::{Clock, Random};
use countersign::domain::time::Timestamp;
use countersign::ledger::note::Verifier;
use countersign::ledger::timestamp::Certificate;
use countersign::ledger::timestamp::authority::Authority;
use countersign::store::log;

use super::{audited, two_people};
use crate::bundle::bundle_of;
use crate::erasure::forget;
use crate::harness::http::{Peer, Reaction};
use crate::harness::{Folder, START, World};
use crate::witnessing::witness::{TIME, Witness};
use crate::{on_both_engines, recipe};

const HOUR: i64 = 3_600_000_000;

/// On PostgreSQL no head is kept outside the database unless the settings name a file, and the audit says so.
fn without_head(mut remarks: Vec<String>) -> Vec<String> {
    remarks.retain(|told| !told.contains("[ledger] head_file"));
    remarks
}

/// An authority, and what its clock shows in microseconds.
async fn authority_at(micros: i64) -> (Peer, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(micros));
    let (authority, shown) = (Authority::from_secret(&[7; 32]), time.clone());
    let peer = Peer::start(move |request| {
        let at = Timestamp::from_micros(shown.load(Ordering::SeqCst));
        Reaction::ok(
            "application/timestamp-reply",
            authority.respond(&request.body, at),
        )
    });
    (peer.await, time)
}

fn settings_of(peer: &Peer) -> String {
    let url = peer.url();
    format!("[timestamp]\nauthorities = [\"one={url}\"]\nallow_private = true\n")
}

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

    async fn an_event_recorded_just_before_the_clock_was_set_back_is_remarked_up_to_a_day(engine: Engine) {
        for (hours, is_found) in [(2, false), (25, true)] {
            let world = two_people(engine).await;
            world.clock.step(hours * HOUR);
            world.signed_up("ahead@example.org", "198.51.100.3").await;
            world.clock.step(-hours * HOUR);
            world.app.sequence().await.unwrap();
            let audit = audited(&world).await;
            if is_found {
                assert!(audit.findings[0].contains("event 5 (position 6): it says"), "{audit:?}");
            } else {
                assert_eq!(audit.findings, [""; 0]);
                assert!(audit.remarks[0].starts_with("1 events say a time that had not come when they were logged"), "{audit:?}");
                let (bytes, report) = bundle_of(&world, "ahead@example.org").await;
                assert!(report.remarks[0].ends_with("the clock was set back, or another machine's clock differs"), "{report:?}");
                recipe::passes(&bytes);
            }
            world.end().await;
        }
    }

    async fn a_clock_that_is_off_against_an_authority_is_no_finding_and_its_bundles_hold(engine: Engine) {
        for by in [-HOUR, HOUR] {
            // The authority's clock stands an hour from ours.
            let (peer, time) = authority_at(START.micros() - by).await;
            let world = World::with(engine, &settings_of(&peer)).await;
            let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
            world.app.sequence().await.unwrap();
            let asked = world.app.stamp_due().await.unwrap();
            // Behind, events must have said so for a while before a stamp is kept.
            assert_eq!((asked.len(), asked[0].outcome.is_ok()), (1, by > 0));
            let pass = |seconds| {
                world.advance(seconds);
                time.store(world.clock.now().micros() - by, Ordering::SeqCst);
            };
            pass(180);
            assert_eq!(world.app.stamp_now().await.unwrap().iter().filter(|asked| asked.outcome.is_ok()).count(), 1);
            let mail = world.mail_to("ada@example.org").await;
            pass(90);
            assert_eq!(person.post(&mail.confirm(), &[]).await.status, 200);
            let (bytes, report) = bundle_of(&world, "ada@example.org").await;
            assert_eq!(report.anchors.len(), 2);
            assert!(!report.remarks.is_empty(), "{by}");
            recipe::passes(&bytes);
            let audit = audited(&world).await;
            assert_eq!(audit.findings, [""; 0], "{by}");
            let told = |remark: &String| remark.contains("say another time than an authority's clock showed");
            assert!(audit.remarks.iter().any(told), "{audit:?}");
            world.end().await;
        }
    }

    async fn a_token_of_a_clock_that_is_days_off_is_not_kept_and_told_and_asked_for_again(engine: Engine) {
        for (days, way) in [(-3, "4320 minutes later"), (3, "4320 minutes earlier")] {
            let (peer, time) = authority_at(START.micros() - days * 24 * HOUR).await;
            let world = World::with(engine, &settings_of(&peer)).await;
            let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
            world.app.sequence().await.unwrap();
            let asked = world.app.stamp_due().await.unwrap();
            let told = asked[0].outcome.as_ref().unwrap_err().to_string();
            assert!(told.contains(way), "{told}");
            let ready = world.app.readiness().await.unwrap();
            let standing = &ready.timestamps[0];
            assert_eq!((standing.failures, standing.entries), (1, 0));
            let ahead = standing.clock_ahead_seconds.unwrap();
            assert!((ahead - days as f64 * 86_400.0).abs() < 1.0, "{ahead}");
            // No event claims what cannot be.
            let mail = world.mail_to("ada@example.org").await;
            assert_eq!(person.post(&mail.confirm(), &[]).await.status, 200);
            assert_eq!(world.story("ada@example.org").await.last().unwrap().clock.ahead_micros, None);
            world.app.sequence().await.unwrap();
            world.advance(60);
            time.store(world.clock.now().micros(), Ordering::SeqCst);
            assert!(world.app.stamp_due().await.unwrap()[0].outcome.is_ok());
            let (_, report) = bundle_of(&world, "ada@example.org").await;
            assert_eq!((report.anchors.len(), report.remarks), (1, vec![]));
            assert_eq!(audited(&world).await.findings, [""; 0]);
            world.end().await;
        }
    }

    async fn whoever_signs_up_while_a_clock_is_found_to_be_behind_has_a_bundle_that_holds(engine: Engine) {
        let (peer, time) = authority_at(START.micros() + HOUR).await;
        let world = World::with(engine, &settings_of(&peer)).await;
        world.signed_up("first@example.org", "203.0.113.1").await;
        world.app.sequence().await.unwrap();
        // She is not in the log that is stamped, and nothing is known of the clock.
        let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
        let asked = world.app.stamp_now().await.unwrap();
        let told = asked[0].outcome.as_ref().unwrap_err().to_string();
        assert!(told.contains("60 minutes later"), "{told}");
        for _ in 0..3 {
            assert!(world.app.stamp_now().await.unwrap()[0].outcome.is_err(), "others may not know it yet");
            assert!(world.app.stamp_due().await.unwrap().is_empty());
            world.app.sequence().await.unwrap();
            world.advance(60);
            time.store(world.clock.now().micros() + HOUR, Ordering::SeqCst);
        }
        assert!(world.app.stamp_due().await.unwrap()[0].outcome.is_ok());
        let mail = world.mail_to("ada@example.org").await;
        assert_eq!(person.post(&mail.confirm(), &[]).await.status, 200);
        let (bytes, report) = bundle_of(&world, "ada@example.org").await;
        assert!(report.remarks.iter().any(|told| told.contains("its clock was off, as it says itself")), "{report:?}");
        recipe::passes(&bytes);
        assert_eq!(audited(&world).await.findings, [""; 0]);
        world.end().await;
    }

    async fn roots_of_an_authority_that_were_replaced_are_remarked_and_the_old_ones_after_the_new_found(engine: Engine) {
        let (old, new) = (Authority::from_secret(&[7; 32]), Authority::from_secret(&[8; 32]));
        let pems = [old.root_pem(), new.root_pem()];
        let is_new = Arc::new(AtomicBool::new(false));
        let told = is_new.clone();
        let peer = Peer::start(move |request| {
            let authority = if told.load(Ordering::SeqCst) { &new } else { &old };
            Reaction::ok("application/timestamp-reply", authority.respond(&request.body, START))
        })
        .await;
        let folder = Folder::new();
        let file = folder.0.join("roots.pem");
        std::fs::write(&file, pems.concat()).unwrap();
        let settings = format!(
            "[timestamp]\nauthorities = [\"one={}\"]\nroots = [\"one={}\"]\nallow_private = true\n",
            peer.url(), file.display()
        );
        let world = World::with(engine, &settings).await;
        for person in 0..2 {
            world.signed_up(&format!("p{person}@example.org"), "198.51.100.1").await;
            world.app.sequence().await.unwrap();
            assert!(world.app.stamp_now().await.unwrap()[0].outcome.is_ok());
            is_new.store(true, Ordering::SeqCst);
        }
        let roots = pems.map(|pem| Certificate::all_from_pem(pem.as_bytes()).unwrap());
        let under = |roots: Vec<Certificate>| {
            let mut config = world.app.config.clone();
            config.timestamps.authorities[0].roots = roots;
            App::start(config, Clock::fixed(world.clock.now()), Random::seeded(9))
        };
        let audit = async |roots| {
            let app = under(roots).await.unwrap();
            let audit = app.audit(false, |_, _| {}).await.unwrap();
            app.store.close().await;
            (audit.findings, without_head(audit.remarks))
        };
        assert_eq!(audit(roots.concat()).await, (vec![], vec![]));
        let (findings, remarks) = audit(roots[1].clone()).await;
        assert_eq!(findings, [""; 0]);
        assert!(remarks[0].starts_with("1 timestamps by one lead to a root certificate that is not among"), "{remarks:?}");
        // The new one cannot have been there before the old one was replaced by it.
        let (findings, _) = audit(roots[0].clone()).await;
        assert!(findings[0].contains("size 2 by one: it leads to the root certificate"), "{findings:?}");
        world.end().await;
    }

    async fn a_witness_whose_key_was_replaced_is_remarked_and_its_old_key_after_the_new_found(engine: Engine) {
        let (old, new) = (Arc::new(Witness::new("w.example/1")), Arc::new(Witness::new("w.example/1")));
        let world = World::on(engine).await;
        let lines = |witness: &Witness, size: i64, note: &str| {
            let text = &note[..note.find("\n\n").unwrap() + 1];
            format!("insert into cosignature (size, witness, line, at, received_at) values ({size}, 'w.example/1', '{}', {}, 0)", witness.line(text, false), TIME * 1_000_000)
        };
        for (person, witness) in [&old, &new].into_iter().enumerate() {
            world.signed_up(&format!("p{person}@example.org"), "198.51.100.1").await;
            world.app.sequence().await.unwrap();
            let mut conn = world.app.store.read().await.unwrap();
            let head = log::head(&mut conn).await.unwrap().unwrap();
            drop(conn);
            world.sql(&lines(witness, head.size, &head.note)).await.unwrap();
        }
        let audit = async |witness: &Witness| {
            let mut config = world.app.config.clone();
            let key = Verifier::parse(&witness.vkey()).unwrap();
            config.witnesses.witnesses = vec![countersign::config::Witness { key, url: String::new() }];
            let app = App::start(config, Clock::fixed(world.clock.now()), Random::seeded(9)).await.unwrap();
            let audit = app.audit(false, |_, _| {}).await.unwrap();
            app.store.close().await;
            (audit.findings, without_head(audit.remarks))
        };
        let (findings, remarks) = audit(&new).await;
        assert_eq!(findings, [""; 0]);
        assert!(remarks[0].starts_with("1 lines of the witness w.example/1 are by another key"), "{remarks:?}");
        let (findings, _) = audit(&old).await;
        assert!(findings[0].contains("under the checkpoint of size 2: it is by another key than the settings name"), "{findings:?}");
        world.end().await;
    }

    async fn a_clock_that_was_set_back_between_mail_and_confirmation_makes_a_bundle_that_holds(engine: Engine) {
        let world = World::on(engine).await;
        world.clock.step(HOUR);
        let (mut person, _) = world.signed_up("ada@example.org", "203.0.113.1").await;
        let mail = world.mail_to("ada@example.org").await;
        world.clock.step(-HOUR);
        assert_eq!(person.post(&mail.confirm(), &[]).await.status, 200);
        let (bytes, report) = bundle_of(&world, "ada@example.org").await;
        assert!(report.remarks.iter().any(|told| told.ends_with("the clock was set back between them")), "{report:?}");
        recipe::passes(&bytes);
        world.end().await;
    }

    async fn a_log_that_lags_behind_is_not_stamped(engine: Engine) {
        let peer = Peer::start(|_| Reaction::status(500, "not now")).await;
        let settings = format!("[timestamp]\nauthorities = [\"one={}\"]\nallow_private = true\n", peer.url());
        let world = World::with(engine, &settings).await;
        world.signed_up("ada@example.org", "203.0.113.1").await;
        world.app.sequence().await.unwrap();
        world.advance(61);
        world.signed_up("ben@example.org", "203.0.113.2").await;
        assert!(world.app.stamp_due().await.unwrap().is_empty());
        assert!(world.app.stamp_now().await.unwrap().is_empty());
        world.app.sequence().await.unwrap();
        assert_eq!(world.app.stamp_due().await.unwrap().len(), 1);
        assert_eq!(peer.asked(), 1);
        world.end().await;
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
