//! Evidence bundles out of a whole server, given to the three programs that check them.

use countersign::ledger::bundle::{self, Known, Report};
use countersign::store::Engine;

use crate::harness::World;
use crate::{on_both_engines, recipe};

/// The bundle that the server makes of an address.
pub async fn bundle_of(world: &World, email: &str) -> (Vec<u8>, Report) {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    world.app.bundle(brand, email).await.unwrap().unwrap()
}

/// One signs up, confirms by the mail's link a minute later, and others do the same around it.
async fn confirmed(world: &World, email: &str) {
    world
        .signed_up(&format!("before.{email}"), "198.51.100.1")
        .await;
    let (mut person, _) = world.signed_up(email, "203.0.113.1").await;
    world
        .signed_up(&format!("after.{email}"), "198.51.100.2")
        .await;
    let mail = world.mail_to(email).await;
    world.advance(60);
    let page = person.get(&mail.confirm()).await;
    assert_eq!(page.status, 200);
    world.advance(5);
    let done = person.post(&mail.confirm(), &[]).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

on_both_engines! {
    async fn a_bundle_of_the_server_holds_and_tells_the_whole_story(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let (bytes, report) = bundle_of(&world, "ada@example.org").await;
        let kinds: Vec<&str> = report.events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["signed_up", "mail_accepted", "link_opened", "confirmed"]);
        assert!(report.claims.iter().any(|claim| claim.says.contains("confirmed")), "{:?}", report.claims);
        let key = world.app.log.key.verifier();
        let known = Known { key: Some(&key), ..Known::default() };
        assert_eq!(bundle::verify(&bytes, known).unwrap(), report);
        recipe::passes(&bytes);
        world.end().await;
    }

    async fn a_bundle_waits_for_no_server_and_goes_on_after_more_has_happened(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let (_, first) = bundle_of(&world, "ada@example.org").await;
        for person in 0..300 {
            world.signed_up(&format!("p{person}@example.org"), &format!("198.51.{}.7", person % 250)).await;
        }
        let (bytes, second) = bundle_of(&world, "ada@example.org").await;
        assert!(second.size > first.size + 256, "{} {}", first.size, second.size);
        let indexes = |report: &Report| report.events.iter().map(|event| event.index).collect::<Vec<_>>();
        assert_eq!(indexes(&first), indexes(&second));
        recipe::passes(&bytes);
        world.end().await;
    }

    async fn an_event_that_was_changed_past_the_server_makes_no_bundle(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        bundle_of(&world, "ada@example.org").await;
        let trigger = match engine {
            Engine::Sqlite => "drop trigger event_never_changes",
            Engine::Postgres => "drop trigger event_never_changes on event",
        };
        world.sql(trigger).await.unwrap();
        world
            .sql("update event set body = replace(body, 'same_browser', 'link_button') where kind = 'confirmed'")
            .await
            .unwrap();
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let problem = world.app.bundle(brand, "ada@example.org").await.err().unwrap();
        assert!(problem.to_string().contains("proofs/0004.tlog-proof"), "{problem}");
        world.end().await;
    }
}
