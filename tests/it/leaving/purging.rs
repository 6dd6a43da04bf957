//! The terms of those whom a list brought and who never confirmed: asked by a campaign, or by nobody.

use countersign::app::campaign::Told;
use countersign::domain::campaign::Kind;
use countersign::domain::policy::Source;
use countersign::domain::standing::Basis;
use countersign::store::Engine;

use super::brand;
use crate::campaign::{begin, plan, release, say_yes, work};
use crate::harness::World;
use crate::import::storing::{List, findings};
use crate::on_both_engines;

const DAY: u64 = 86_400;
const TERMS: &str = "[retention]\nunconfirmed_days = 30\nunasked_days = 100\n";

async fn staff(world: &World, name: &str, people: &[&str]) {
    let rows = people.iter();
    let rows = rows.map(|one| format!("{one}@example.org,Mill Ltd,bicycles,2026-10-01\n"));
    let text = format!("email,employer,benefit,date\n{}", rows.collect::<String>());
    let list = List {
        name,
        text: &text,
        source: Some(Source::EmployerList),
    };
    list.take_in(world).await;
}

/// The numbers, which are not held against the people: those who were removed are no longer listed.
async fn numbers(world: &World, name: &str) -> Told {
    let row = world.app.campaign(&brand(world), name).await.unwrap();
    world.app.tell_campaign(row).await.unwrap()
}

async fn purged(world: &World) -> u64 {
    world.app.purge_unconfirmed().await.unwrap()
}

async fn is_known(world: &World, email: &str) -> bool {
    !world.story(email).await.is_empty()
}

on_both_engines! {
    async fn whom_a_campaign_asked_and_who_never_answered_is_gone_after_the_term_and_its_numbers_stay(engine: Engine) {
        let world = World::with(engine, TERMS).await;
        staff(&world, "staff", &["ann", "bob", "cleo"]).await;
        begin(&world, "bicycles", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        release(&world, "bicycles", &["ann@example.org", "bob@example.org"]).await.unwrap();
        assert_eq!(work(&world).await, 2);
        say_yes(&world, "ann@example.org").await;
        world.advance(30 * DAY);
        work(&world).await;
        assert_eq!(world.app.expire().await.unwrap().expired, 1);
        let before = numbers(&world, "bicycles").await;
        assert_eq!((before.state.as_str(), before.asked, before.accepted, before.confirmed, before.unanswered), ("done", 2, 2, 1, 1));
        world.advance(30 * DAY - 1);
        assert_eq!(purged(&world).await, 0);
        world.advance(1);
        assert_eq!(purged(&world).await, 1);
        assert!(!is_known(&world, "bob@example.org").await);
        assert!(is_known(&world, "ann@example.org").await && is_known(&world, "cleo@example.org").await);
        let after = numbers(&world, "bicycles").await;
        assert_eq!(serde_json::to_value(&after).unwrap(), serde_json::to_value(&before).unwrap());
        // A list may bring the address again; whoever was invited in person is not invited a second time.
        staff(&world, "staff again", &["bob", "dora"]).await;
        assert_eq!(world.permission("bob@example.org", "newsletter").await.rule, "O3");
        begin(&world, "once more", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        release(&world, "once more", &["bob@example.org", "dora@example.org"]).await.unwrap();
        assert_eq!(work(&world).await, 1);
        world.mail_to("dora@example.org").await;
        assert_eq!(numbers(&world, "once more").await.left_out["invited_before"], 1);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn whom_a_list_brought_and_nobody_asked_is_gone_a_longer_term_after_the_last_list_that_told_of_them(engine: Engine) {
        let world = World::with(engine, TERMS).await;
        staff(&world, "staff", &["ann", "bob"]).await;
        List::bought("orders", "email,order,date\ncarl@example.org,1,2026-01-05\n").take_in(&world).await;
        world.advance(40 * DAY);
        // They are looked at after the shorter term, and stay.
        assert_eq!(purged(&world).await, 0);
        let more = "email,employer,benefit,date\nbob@example.org,Mill Ltd,pension,2026-11-01\n";
        List { name: "more", text: more, source: Some(Source::EmployerList) }.take_in(&world).await;
        world.advance(60 * DAY - 1);
        assert_eq!(purged(&world).await, 0);
        world.advance(1);
        assert_eq!(purged(&world).await, 1);
        assert!(!is_known(&world, "ann@example.org").await && is_known(&world, "bob@example.org").await);
        world.advance(40 * DAY - 1);
        assert_eq!(purged(&world).await, 0);
        world.advance(1);
        assert_eq!(purged(&world).await, 1);
        assert!(!is_known(&world, "bob@example.org").await);
        let buyer = world.permission("carl@example.org", "newsletter").await;
        assert_eq!((buyer.allowed, buyer.basis), (true, Basis::Implicit), "consent is not for the clock");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn who_waits_in_a_campaign_that_is_under_way_stays_until_it_has_asked(engine: Engine) {
        let world = World::with(engine, TERMS).await;
        let orders = "email,order,date\nann@example.org,,2026-01-05\nbob@example.org,,2026-01-05\n";
        List::bought("orders", orders).take_in(&world).await;
        let mut slowly = plan(Kind::Invitation);
        slowly.warm_up = vec![1];
        slowly.an_hour = 1;
        begin(&world, "spring", slowly).await.unwrap();
        work(&world).await;
        world.app.campaigns_due().await.unwrap();
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        world.app.pause_campaign(brand, "spring").await.unwrap();
        let (asked, waits) = match world.caught()[0].to.as_str() {
            "ann@example.org" => ("ann@example.org", "bob@example.org"),
            _ => ("bob@example.org", "ann@example.org"),
        };
        world.advance(110 * DAY);
        world.app.expire().await.unwrap();
        world.advance(30 * DAY);
        assert_eq!(purged(&world).await, 1);
        assert!(!is_known(&world, asked).await && is_known(&world, waits).await);
        assert_eq!(numbers(&world, "spring").await.unanswered, 1);
        // Who was removed while the campaign stood still does not keep it from going on, and from its end.
        world.app.resume_campaign(brand, "spring").await.unwrap();
        assert_eq!(work(&world).await, 1);
        world.mail_to(waits).await;
        world.advance(30 * DAY);
        work(&world).await;
        assert_eq!((numbers(&world, "spring").await.state.as_str(), numbers(&world, "spring").await.unanswered), ("done", 2));
        world.app.expire().await.unwrap();
        world.advance(30 * DAY);
        assert_eq!(purged(&world).await, 1);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn whose_mail_a_cancelled_campaign_never_sent_was_not_asked_and_has_the_longer_term(engine: Engine) {
        let world = World::with(engine, TERMS).await;
        List::bought("orders", "email,order,date\nann@example.org,,2026-01-05\n").take_in(&world).await;
        begin(&world, "wrong", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 1);
        let catalog = world.app.catalog();
        world.app.cancel_campaign(catalog.brand_by_slug("acme").unwrap(), "wrong").await.unwrap();
        world.deliver().await;
        assert!(world.caught().is_empty());
        world.advance(99 * DAY);
        world.app.expire().await.unwrap();
        assert_eq!(purged(&world).await, 0);
        world.advance(2 * DAY);
        assert_eq!(purged(&world).await, 1);
        world.finish().await;
    }

    async fn whom_an_earlier_version_took_in_is_looked_at_too_and_a_term_of_zero_keeps_whom_nobody_asked(engine: Engine) {
        let world = World::with(engine, "[retention]\nunconfirmed_days = 30\nunasked_days = 0\n").await;
        staff(&world, "staff", &["ann"]).await;
        List::bought("orders", "email,order,date\ncarl@example.org,1,2026-01-05\n").take_in(&world).await;
        world.sql("update contact set unconfirmed_since = null").await.unwrap();
        let folder = if engine == Engine::Sqlite { "sqlite" } else { "postgres" };
        let path = format!("{}/migrations/{folder}/0025_count_from_lists.sql", env!("CARGO_MANIFEST_DIR"));
        let migration = std::fs::read_to_string(path).unwrap();
        let begin = migration.find("update contact").unwrap();
        world.sql(&migration[begin..]).await.unwrap();
        let marked = async || {
            let mut conn = world.app.store.read().await.unwrap();
            let later = world.clock.now().plus(std::time::Duration::from_secs(400 * DAY));
            countersign::store::contacts::list_unconfirmed(&mut conn, later, None, 10).await.unwrap()
        };
        assert_eq!(marked().await.iter().map(|one| one.address.as_str()).collect::<Vec<_>>(), ["ann@example.org"]);
        world.advance(400 * DAY);
        assert_eq!(purged(&world).await, 0);
        assert!(is_known(&world, "ann@example.org").await);
        assert_eq!(marked().await.len(), 1, "a term that is set later finds them");
        world.finish().await;
    }
}
