//! Mail scanners open links, run scripts, press buttons: none confirms.

use countersign::domain::event::Fact;
use countersign::domain::scanner::Signal;
use countersign::domain::standing::Basis;

use crate::harness::World;
use crate::on_both_engines;

async fn asked_for(world: &World, email: &str) -> Vec<Vec<Signal>> {
    world
        .story(email)
        .await
        .into_iter()
        .filter_map(|event| match event.fact {
            Fact::CodeAsked { signals, .. } => Some(signals),
            _ => None,
        })
        .collect()
}

on_both_engines! {
    async fn get_and_head_from_many_addresses_change_nothing_but_are_recorded(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        for number in 0..12 {
            let mut scanner = world.client(&format!("203.0.{number}.9"));
            for path in [mail.confirm(), mail.decline(), mail.about()] {
                for method in ["GET", "HEAD"] {
                    let reply = scanner.send(method, &path, None, b"").await;
                    assert_eq!(reply.status, 200);
                    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
                    assert_eq!(reply.header("cache-control"), Some("no-store"));
                    assert!(!reply.text().contains("<script"), "no script without the cookie");
                }
                scanner.send("OPTIONS", &path, None, b"").await;
            }
        }
        let kinds = world.kinds("anna@example.org").await;
        assert!(!kinds.contains(&"confirmed") && !kinds.contains(&"declined"));
        let hits = kinds.iter().filter(|kind| **kind == "link_opened").count();
        assert_eq!(hits, 40, "hits are kept up to a number");
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        world.finish().await;
    }

    async fn a_press_at_once_asks_for_the_code_and_the_code_confirms(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let mut scanner = world.client("203.0.113.9");
        let page = scanner.get(&mail.confirm()).await;
        world.advance(1);
        let asked = scanner.post(&mail.confirm(), &[("opened", &page.hidden("opened"))]).await;
        assert!(asked.text().contains("name=\"code\""));
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        assert_eq!(asked_for(&world, "anna@example.org").await, [[Signal::PressedAtOnce]]);
        let done = scanner.post(&mail.confirm(), &[("code", &mail.code())]).await;
        assert_eq!(done.heading(), "Confirmed");
        world.finish().await;
    }

    async fn a_press_from_a_network_that_opened_both_links_asks_for_the_code_however_late(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.client("203.0.113.9").get(&mail.confirm()).await;
        world.advance(4);
        // Another machine of the same block.
        world.client("203.0.113.77").get(&mail.about()).await;
        world.advance(3_600);
        let mut scanner = world.client("203.0.113.9");
        let asked = scanner.post(&mail.confirm(), &[]).await;
        assert!(asked.text().contains("name=\"code\""));
        assert_eq!(asked_for(&world, "anna@example.org").await, [[Signal::OpenedAllLinks]]);
        // The person, from elsewhere, is not held up.
        let mut person = world.client("198.51.100.7");
        person.get(&mail.confirm()).await;
        world.advance(3);
        assert_eq!(person.post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }

    async fn a_network_that_opens_several_peoples_links_in_a_minute_confirms_none_of_them(engine: Engine) {
        let world = World::on(engine).await;
        let mut links = Vec::new();
        for person in 0..6 {
            let email = format!("p{person}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            links.push((email.clone(), world.mail_to(&email).await.confirm()));
        }
        let mut scanner = world.client("203.0.113.9");
        for (_, link) in &links {
            scanner.get(link).await;
        }
        world.advance(5);
        for (email, link) in &links {
            scanner.post(link, &[]).await;
            assert_eq!(world.permission(email, "newsletter").await.basis, Basis::Implicit);
            assert_eq!(asked_for(&world, email).await, [[Signal::SeveralPeople]]);
        }
        world.finish().await;
    }

    async fn people_of_one_office_who_press_one_after_another_are_not_held_up(engine: Engine) {
        let world = World::on(engine).await;
        for person in 0..8 {
            let email = format!("p{person}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let mail = world.mail_to(&email).await;
            let mut browser = world.client("198.51.100.7");
            browser.get(&mail.confirm()).await;
            world.advance(20);
            assert_eq!(browser.post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        }
        world.finish().await;
    }

    async fn rotating_a_forged_forwarded_address_changes_no_network_when_the_peer_is_not_trusted(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 2\n").await;
        // The peer is this machine, a trusted proxy; left of the address that it adds everything is hearsay.
        for number in 0..5 {
            let mut client = world.client(&format!("10.9.8.{number}, 192.0.2.1"));
            client.post("/f/news", &[("email", &format!("p{number}@example.org"))]).await;
        }
        assert_eq!(world.deliver().await.len(), 2);
        world.finish().await;
    }
}
