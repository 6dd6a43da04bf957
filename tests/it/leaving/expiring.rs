//! Clockwork: every term crossed by a moment, before it and after it; and two workers at once.

use std::time::Duration;

use countersign::app::expire::Looked;
use countersign::domain::event::Fact;
use countersign::domain::standing::Basis;
use countersign::store::contacts;
use countersign::store::set::Writes;

use super::{brand, confirmed, contact_of, signed_up_for_both};
use crate::harness::{DECLARATIONS, World};
use crate::on_both_engines;

const DAY: u64 = 86_400;

/// The brands of all tests, with a reminder after two days on the form `news`, and `acme` giving nothing before it is confirmed.
fn reminding() -> String {
    DECLARATIONS
        .replacen(
            "slug = \"news\"\n",
            "slug = \"news\"\nremind_after_days = 2\n",
            1,
        )
        .replacen(
            "from_address = \"letters@acme.example\"\n",
            "from_address = \"letters@acme.example\"\nhold_until_confirmed = true\n",
            1,
        )
}

async fn reminding_world(engine: countersign::store::Engine, more: &str) -> World {
    World::declared(engine, more, &reminding()).await
}

fn looked(expired: u64, reminded: u64) -> Looked {
    Looked { expired, reminded }
}

async fn circumstances_left(world: &World, email: &str) -> usize {
    let story = world.story(email).await;
    let shown = story.iter().filter_map(|event| event.fact.circumstances());
    shown.filter(|one| one.ip.is_some()).count()
}

on_both_engines! {
    async fn a_request_expires_at_its_last_instant_and_its_link_offers_a_fresh_mail(engine: Engine) {
        let world = World::on(engine).await;
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        world.advance(7 * DAY - 1);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 0));
        world.advance(1);
        assert_eq!(world.app.expire().await.unwrap(), looked(1, 0));
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 0), "once");
        assert_eq!(world.kinds("anna@example.org").await, ["signed_up", "mail_accepted", "expired"]);
        let page = world.client("198.51.100.7").get(&mail.confirm()).await;
        assert_eq!(page.status, 410);
        let fresh = format!("{}/fresh", mail.confirm());
        assert_eq!(world.client("198.51.100.7").post(&fresh, &[]).await.status, 200);
        let second = world.mail_to("anna@example.org").await;
        world.advance(30);
        assert_eq!(world.client("198.51.100.7").post(&second.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }

    async fn a_signup_that_caused_no_mail_ends_without_a_word(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for_both(&world, "anna@example.org").await;
        world.signed_up("anna@example.org", "203.0.113.5").await;
        world.deliver().await;
        world.advance(7 * DAY + 1);
        assert_eq!(world.app.expire().await.unwrap(), looked(2, 0));
        assert_eq!(world.kinds("anna@example.org").await, ["signed_up", "mail_accepted", "signed_up", "expired"]);
        world.finish().await;
    }

    async fn where_the_form_says_so_one_reminder_comes_with_the_same_link_and_no_second_one(engine: Engine) {
        let world = reminding_world(engine, "").await;
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        world.advance(2 * DAY - 1);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 0));
        world.advance(1);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 1));
        let reminder = world.mail_to("anna@example.org").await;
        assert_eq!(world.caught().len(), 2);
        assert!(reminder.0.subject.starts_with("Reminder: "), "{}", reminder.0.subject);
        assert_eq!(reminder.confirm(), mail.confirm());
        assert_eq!(reminder.code(), mail.code());
        for _ in 0..4 {
            world.advance(DAY);
            assert_eq!(world.app.expire().await.unwrap(), looked(0, 0));
        }
        assert_eq!(world.deliver().await.len(), 2);
        assert_eq!(world.client("198.51.100.7").post(&reminder.confirm(), &[]).await.heading(), "Confirmed");
        assert_eq!(
            world.kinds("anna@example.org").await,
            ["signed_up", "mail_accepted", "reminded", "mail_accepted", "confirmed"]
        );
        world.finish().await;
    }

    async fn nobody_is_reminded_who_has_answered_left_or_has_not_got_the_first_mail(engine: Engine) {
        let world = reminding_world(engine, "").await;
        confirmed(&world, "anna@example.org").await;
        let mail = signed_up_for_both(&world, "bert@example.org").await;
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        world.client("192.0.2.1").post("/f/news", &[("email", "carl@example.org")]).await;
        world.advance(3 * DAY);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 0));
        let before = world.deliver().await.len();
        assert_eq!(before, 3, "the mail that had waited, and no reminder");
        // Once the first one is out, the reminder is due within the hour.
        world.advance(3_600);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 1));
        world.mail_to("carl@example.org").await;
        world.finish().await;
    }

    async fn a_reminder_keeps_to_the_mailboxs_budget_and_comes_a_day_later(engine: Engine) {
        let world = reminding_world(engine, "[budget]\nper_mailbox_a_day = 1\n").await;
        signed_up_for_both(&world, "anna@example.org").await;
        world.advance(2 * DAY - 60);
        // Another form uses up the day's mail to the mailbox, under another of its names.
        world.client("192.0.2.1").post("/f/news-two", &[("email", "anna+x@example.org")]).await;
        world.deliver().await;
        world.advance(60);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 0));
        world.advance(DAY);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 1));
        world.mail_to("anna@example.org").await;
        world.finish().await;
    }

    async fn a_reminder_waits_for_the_end_of_a_pause(engine: Engine) {
        let world = reminding_world(engine, "").await;
        for (email, days) in [("anna@example.org", 4), ("bert@example.org", 30)] {
            signed_up_for_both(&world, email).await;
            let contact = contact_of(&world, email).await;
            let pause = countersign::app::prefer::Chosen {
                pause: Some(countersign::app::prefer::Pause::ForDays(days)),
                ..Default::default()
            };
            world.app.prefer(&brand(&world), contact, pause).await.unwrap();
        }
        world.advance(4 * DAY - 1);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 0));
        assert_eq!(world.deliver().await.len(), 2);
        world.advance(1);
        assert_eq!(world.app.expire().await.unwrap(), looked(0, 1));
        world.mail_to("anna@example.org").await;
        // A pause that outlasts the request leaves only its end.
        world.advance(3 * DAY);
        assert_eq!(world.app.expire().await.unwrap(), looked(2, 0));
        assert_eq!(world.deliver().await.len(), 3);
        world.finish().await;
    }

    async fn two_workers_remind_and_expire_each_request_once(engine: Engine) {
        let world = reminding_world(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let second = countersign::app::App::start(
            world.app.config.clone(),
            world.clock.clone(),
            countersign::clock::Random::seeded(99),
        )
        .await
        .unwrap();
        for number in 0..30 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
        }
        world.deliver().await;
        let sum = |one: Looked, two: Looked| looked(one.expired + two.expired, one.reminded + two.reminded);
        world.advance(2 * DAY);
        let (one, two) = tokio::join!(world.app.expire(), second.expire());
        assert_eq!(sum(one.unwrap(), two.unwrap()), looked(0, 30));
        assert_eq!(world.deliver().await.len(), 60);
        world.advance(5 * DAY);
        let (one, two) = tokio::join!(world.app.expire(), second.expire());
        assert_eq!(sum(one.unwrap(), two.unwrap()), looked(30, 0));
        world.advance(91 * DAY);
        let (one, two) = tokio::join!(world.app.purge_unconfirmed(), second.purge_unconfirmed());
        assert_eq!(one.unwrap() + two.unwrap(), 30);
        assert!(world.story("p0@example.org").await.is_empty());
        second.store.close().await;
        world.finish().await;
    }

    async fn who_never_confirmed_is_gone_after_the_term_with_all_data_and_the_log_still_verifies(engine: Engine) {
        let world = reminding_world(engine, "[retention]\nunconfirmed_days = 30\n").await;
        signed_up_for_both(&world, "anna@example.org").await;
        confirmed(&world, "bert@example.org").await;
        let before = crate::leaving::contact_of(&world, "anna@example.org").await;
        world.advance(7 * DAY);
        world.app.expire().await.unwrap();
        world.advance(30 * DAY - 1);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 0);
        world.advance(1);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 0);
        assert!(world.story("anna@example.org").await.is_empty());
        assert!(world.permission("bert@example.org", "newsletter").await.allowed, "nobody else is touched");
        // What stays are emptied events and one that says why.
        let mut conn = world.app.store.read().await.unwrap();
        let left = countersign::store::events::list_whole(&mut conn, brand(&world).id, before, 0, 100).await.unwrap();
        drop(conn);
        let bodies: Vec<_> = left.iter().filter_map(|event| event.body.as_ref()).collect();
        assert!(left.len() > 2 && bodies.len() == 1, "{left:?}");
        assert!(bodies[0].contains("\"by\":\"term\""), "{}", bodies[0]);
        // It was no objection: a list may bring the address, and the person may come back.
        let known = world.app.known_of(&brand(&world), None, "anna@example.org").await.unwrap();
        assert!(known.closed.is_none());
        confirmed(&world, "anna@example.org").await;
        world.finish().await;
    }

    async fn the_term_spares_whoever_was_asked_anew_meanwhile_and_those_who_declined(engine: Engine) {
        let world = reminding_world(engine, "[retention]\nunconfirmed_days = 30\n").await;
        signed_up_for_both(&world, "anna@example.org").await;
        let mail = signed_up_for_both(&world, "bert@example.org").await;
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        world.advance(7 * DAY);
        world.app.expire().await.unwrap();
        world.advance(29 * DAY);
        signed_up_for_both(&world, "anna@example.org").await;
        world.advance(2 * DAY);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 0);
        assert!(!world.story("anna@example.org").await.is_empty());
        assert!(!world.story("bert@example.org").await.is_empty());
        world.advance(5 * DAY);
        assert_eq!(world.app.expire().await.unwrap().expired, 1);
        world.advance(30 * DAY);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        assert!(world.story("anna@example.org").await.is_empty());
        world.finish().await;
    }

    async fn an_address_that_was_corrected_as_mistyped_goes_after_the_term_also_where_a_signup_gives_consent(engine: Engine) {
        let world = World::with(engine, "[retention]\nunconfirmed_days = 30\n").await;
        let (mut client, page) = world.signed_up("ana@exmaple.org", "192.0.2.1").await;
        let path = format!("{}/address", crate::confirm::inbox_path(&page.text()));
        let corrected = client.post(&path, &[("email", "ana@example.org")]).await;
        assert_eq!(corrected.status, 303, "{}", corrected.text());
        world.deliver().await;
        assert!(world.kinds("ana@exmaple.org").await.contains(&"address_changed"));
        world.advance(30 * DAY - 60);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 0);
        world.advance(120);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        assert!(world.story("ana@exmaple.org").await.is_empty());
        assert!(!world.story("ana@example.org").await.is_empty(), "the right address stays");
        world.finish().await;
    }

    async fn by_default_a_signup_gives_consent_that_has_no_end_and_whoever_gave_it_is_not_removed(engine: Engine) {
        let world = World::with(engine, "[retention]\nunconfirmed_days = 30\n").await;
        signed_up_for_both(&world, "anna@example.org").await;
        world.advance(7 * DAY);
        assert_eq!(world.app.expire().await.unwrap(), looked(1, 0));
        world.advance(400 * DAY);
        world.app.lapse().await.unwrap();
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 0);
        let permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((permission.allowed, permission.basis, permission.rule), (true, Basis::Implicit, "A1"));
        assert!(permission.until.is_none());
        world.finish().await;
    }

    async fn one_look_removes_as_many_as_there_are_and_one_that_cannot_be_removed_keeps_nobody_else(engine: Engine) {
        let world = reminding_world(engine, "[retention]\nunconfirmed_days = 30\n[budget]\nper_network_an_hour = 0\n").await;
        for number in 0..230 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
        }
        world.deliver().await;
        world.advance(7 * DAY);
        assert_eq!(world.app.expire().await.unwrap().expired, 230);
        // The first of them is one that nobody can read any more.
        world.sql("update contact set address = 'no address', unconfirmed_since = unconfirmed_since - 1 where address_key = 'p3@example.org'")
            .await
            .unwrap();
        world.advance(30 * DAY);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 229);
        assert!(world.story("p229@example.org").await.is_empty());
        assert!(!world.story("p3@example.org").await.is_empty());
        // Asked between parts, it stops where it is told to.
        assert_eq!(world.app.purge_while(|| false).await.unwrap(), 0);
        world.end().await;
    }

    async fn network_addresses_and_browsers_go_after_their_term_and_the_events_stay_as_they_were(engine: Engine) {
        let world = World::with(engine, "[retention]\ncircumstances_days = 100\n").await;
        confirmed(&world, "anna@example.org").await;
        let there = circumstances_left(&world, "anna@example.org").await;
        assert!(there >= 2);
        world.advance(50 * DAY);
        confirmed(&world, "bert@example.org").await;
        world.advance(50 * DAY - 1);
        assert_eq!(world.app.remove_circumstances().await.unwrap(), 0);
        world.advance(2);
        assert!(world.app.remove_circumstances().await.unwrap() >= 2);
        assert_eq!(circumstances_left(&world, "anna@example.org").await, 0);
        assert!(circumstances_left(&world, "bert@example.org").await >= 2, "these are younger");
        assert_eq!(world.app.remove_circumstances().await.unwrap(), 0, "once");
        let story = world.story("anna@example.org").await;
        assert!(story.iter().any(|event| matches!(event.fact, Fact::Confirmed { .. })));
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Explicit);
        let (_, report) = world.app.bundle(&brand(&world), "anna@example.org").await.unwrap().unwrap();
        assert!(!report.claims.is_empty(), "the bundle still holds");
        world.finish().await;
    }

    async fn two_workers_remove_the_circumstances_of_each_event_once(engine: Engine) {
        let world = World::with(engine, "[retention]\ncircumstances_days = 100\n[budget]\nper_network_an_hour = 0\n").await;
        let second = countersign::app::App::start(
            world.app.config.clone(),
            world.clock.clone(),
            countersign::clock::Random::seeded(99),
        )
        .await
        .unwrap();
        for number in 0..20 {
            confirmed(&world, &format!("p{number}@example.org")).await;
            world.advance(61);
        }
        let with_circumstances = async || {
            let mut conn = world.app.store.read().await.unwrap();
            let all = countersign::store::events::list_audited(&mut conn, 0, i64::MAX, 10_000).await.unwrap();
            u64::try_from(all.iter().filter(|event| event.circumstances.is_some()).count()).unwrap()
        };
        let there = with_circumstances().await;
        assert!(there >= 40, "{there}");
        world.advance(101 * DAY);
        let (one, two) = tokio::join!(world.app.remove_circumstances(), second.remove_circumstances());
        assert_eq!(one.unwrap() + two.unwrap(), there, "each once");
        assert_eq!(with_circumstances().await, 0);
        assert_eq!(second.remove_circumstances().await.unwrap(), 0);
        second.store.close().await;
        world.finish().await;
    }

    async fn statistics_survive_the_purging_of_those_whom_they_counted(engine: Engine) {
        let world = reminding_world(engine, "[retention]\nunconfirmed_days = 30\n").await;
        for email in ["anna@example.org", "bert@example.net"] {
            signed_up_for_both(&world, email).await;
        }
        confirmed(&world, "carl@example.org").await;
        world.advance(7 * DAY);
        world.app.expire().await.unwrap();
        crate::figures::count(&world).await;
        let before = crate::figures::report(&world, 60).await;
        assert_eq!((before.total().signed_up, before.total().mailed, before.total().confirmed), (3, 3, 1));
        world.advance(30 * DAY);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 2);
        assert!(world.story("anna@example.org").await.is_empty());
        crate::figures::count(&world).await;
        let after = crate::figures::report(&world, 60).await;
        assert_eq!(after.total(), before.total());
        let domains = |report: &countersign::app::figures::Report| -> Vec<(String, i64)> {
            report.domains.iter().map(|one| (one.name.clone(), one.figures.signed_up)).collect()
        };
        assert_eq!(domains(&after), domains(&before));
        world.finish().await;
    }

    async fn whoever_waited_when_an_operator_suppressed_the_mailbox_is_removed_after_the_term_too(engine: Engine) {
        let world = reminding_world(engine, "[retention]\nunconfirmed_days = 30\n").await;
        signed_up_for_both(&world, "anna@example.org").await;
        world.app.suppress(&brand(&world), "anna@example.org", "asked for by letter").await.unwrap();
        world.advance(30 * DAY - 1);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 0);
        world.advance(1);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        assert!(world.story("anna@example.org").await.is_empty());
        let still = world.app.suppressed(&brand(&world), "anna@example.org").await.unwrap();
        assert_eq!(still.unwrap().reason, "operator", "it outlives the contact");
        assert_eq!(crate::import::storing::findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_look_that_finds_somebody_to_be_kept_takes_off_the_mark_that_it_saw_and_none_that_was_set_meanwhile(engine: Engine) {
        let world = reminding_world(engine, "").await;
        signed_up_for_both(&world, "anna@example.org").await;
        world.advance(7 * DAY);
        world.app.expire().await.unwrap();
        let marked = async || {
            let mut conn = world.app.store.read().await.unwrap();
            contacts::list_unconfirmed(&mut conn, world.clock.now(), None, 10).await.unwrap()
        };
        let seen = marked().await;
        assert_eq!(seen.len(), 1);
        // Meanwhile another request of the contact ended.
        world.advance(60);
        let mut writes = Writes::default();
        contacts::put_unconfirmed(&mut writes, &[(seen[0].brand_id, seen[0].id)], world.clock.now());
        world.app.store.write_now(writes).await.unwrap();
        let mut writes = Writes::default();
        contacts::move_unconfirmed(&mut writes, &seen[0], None);
        world.app.store.write_now(writes).await.unwrap();
        let newer = marked().await;
        assert_eq!((newer.len(), newer[0].unconfirmed_since), (1, world.clock.now()));
        let mut writes = Writes::default();
        contacts::move_unconfirmed(&mut writes, &newer[0], None);
        world.app.store.write_now(writes).await.unwrap();
        assert!(marked().await.is_empty());
        world.finish().await;
    }

    async fn terms_that_are_off_remove_nothing(engine: Engine) {
        let world = reminding_world(engine, "[retention]\nunconfirmed_days = 0\ncircumstances_days = 0\n").await;
        signed_up_for_both(&world, "anna@example.org").await;
        world.advance(7 * DAY);
        world.app.expire().await.unwrap();
        world.clock.advance(Duration::from_secs(40 * 365 * DAY));
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 0);
        assert_eq!(world.app.remove_circumstances().await.unwrap(), 0);
        assert!(circumstances_left(&world, "anna@example.org").await > 0);
        world.finish().await;
    }
}
