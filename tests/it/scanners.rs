//! Mail scanners open links, run scripts, press buttons: none confirms.

use countersign::domain::event::Fact;
use countersign::domain::scanner::Signal;
use countersign::domain::standing::Basis;

use crate::harness::{Mail, World};
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

/// Six people who signed up, each with the mail.
async fn mails_of_six(world: &World) -> Vec<(String, Mail)> {
    let mut mails = Vec::new();
    for person in 0..6 {
        let email = format!("p{person}@example.org");
        world.signed_up(&email, "192.0.2.1").await;
        let mail = world.mail_to(&email).await;
        mails.push((email, mail));
    }
    mails
}

/// Where the pages have their style sheet.
async fn style_of_pages(world: &World) -> String {
    let page = world.client("192.0.2.1").get("/f/news").await.text();
    let (_, behind) = page.split_once("rel=\"stylesheet\" href=\"").unwrap();
    behind.split('"').next().unwrap().to_owned()
}

on_both_engines! {
    async fn whatever_is_read_by_get_answers_head_with_the_same_status_and_no_body(engine: Engine) {
        let world = World::on(engine).await;
        let (_, inbox) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let inbox = crate::confirm::inbox_path(&inbox.text());
        let style = style_of_pages(&world).await;
        let pages = ["/f/news", "/f/news/embed", "/f/news/qr.svg", "/embed.js", "/verify", "/livez", "/readyz", "/p?brand=acme", &inbox, &style, &mail.confirm()];
        for page in pages {
            let mut client = world.client("198.51.100.7");
            let read = client.get(page).await;
            let asked = client.send("HEAD", page, None, b"").await;
            assert_eq!((read.status, asked.status, asked.text().len()), (200, 200, 0), "{page}");
        }
        world.finish().await;
    }

    async fn what_networks_opened_is_forgotten_after_ninety_one_days_and_the_hits_in_the_story_stay(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.client("203.0.113.9").get(&mail.confirm()).await;
        let event = &world.story("anna@example.org").await[0];
        let key = (event.brand, event.request.unwrap());
        let kept = async || {
            let mut conn = world.app.store.read().await.unwrap();
            countersign::store::openings::list(&mut conn, &[key]).await.unwrap().len()
        };
        for (seconds, left) in [(0, 1), (91 * 86_400, 1), (1, 0)] {
            world.advance(seconds);
            world.app.tidy().await.unwrap();
            assert_eq!(kept().await, left, "{seconds}");
        }
        assert!(world.kinds("anna@example.org").await.contains(&"link_opened"));
        world.finish().await;
    }

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
        let mails = mails_of_six(&world).await;
        let links: Vec<_> = mails.into_iter().map(|(email, mail)| (email, mail.confirm())).collect();
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

    async fn a_decline_from_a_network_that_swept_the_mail_asks_for_the_code_and_the_code_declines(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let mut scanner = world.client("203.0.113.9");
        for path in [mail.confirm(), mail.about(), mail.decline()] {
            scanner.get(&path).await;
        }
        world.advance(3_600);
        let page = scanner.get(&mail.decline()).await;
        world.advance(30);
        let asked = scanner.post(&mail.decline(), &[("opened", &page.hidden("opened"))]).await;
        assert!(asked.status == 200 && asked.text().contains("name=\"code\"") && asked.text().contains("/decline\""), "{}", asked.text());
        assert_eq!(asked_for(&world, "anna@example.org").await, [[Signal::OpenedAllLinks]]);
        assert!(world.story("anna@example.org").await.iter().any(|event| matches!(event.fact, Fact::CodeAsked { declining: true, .. })));
        // It stays as it is until then: the person may still confirm, and mail may be sent.
        assert!(!world.kinds("anna@example.org").await.contains(&"declined"));
        let wrong = scanner.post(&mail.decline(), &[("code", "000000")]).await;
        assert_eq!(wrong.status, 422);
        assert!(!world.kinds("anna@example.org").await.contains(&"declined"));
        let done = scanner.post(&mail.decline(), &[("code", &mail.code())]).await;
        assert_eq!(done.heading(), "Thank you for telling us");
        assert!(world.kinds("anna@example.org").await.contains(&"declined"));
        world.finish().await;
    }

    async fn a_decline_at_once_on_any_page_is_not_taken_and_one_after_reading_is(engine: Engine) {
        let world = World::on(engine).await;
        for (number, page) in ["confirm", "about", "decline", "code"].iter().enumerate() {
            let email = format!("p{number}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let mail = world.mail_to(&email).await;
            let mut client = world.client(&format!("203.0.{number}.9"));
            let shown = match *page {
                "confirm" => client.get(&mail.confirm()).await,
                "about" => client.get(&mail.about()).await,
                "decline" => client.get(&mail.decline()).await,
                // What a press at once on the other button leads to.
                _ => {
                    let shown = client.get(&mail.confirm()).await;
                    world.advance(1);
                    client.post(&mail.confirm(), &[("opened", &shown.hidden("opened"))]).await
                }
            };
            world.advance(1);
            let opened = shown.hidden("opened");
            let asked = client.post(&mail.decline(), &[("opened", &opened)]).await;
            assert!(asked.text().contains("name=\"code\""), "{page}");
            assert!(!world.kinds(&email).await.contains(&"declined"), "{page}");
            world.advance(3);
            let done = client.post(&mail.decline(), &[("opened", &opened)]).await;
            assert_eq!(done.heading(), "Thank you for telling us", "{page}");
        }
        world.finish().await;
    }

    async fn a_network_that_opens_several_peoples_links_in_a_minute_declines_for_none_but_whoever_has_the_code(engine: Engine) {
        let world = World::on(engine).await;
        let mails = mails_of_six(&world).await;
        let mut scanner = world.client("203.0.113.9");
        for (_, mail) in &mails {
            scanner.get(&mail.confirm()).await;
        }
        world.advance(5);
        for (email, mail) in &mails {
            scanner.post(&mail.decline(), &[]).await;
            assert_eq!(asked_for(&world, email).await, [[Signal::SeveralPeople]]);
            assert!(!world.kinds(email).await.contains(&"declined"));
        }
        let (email, mail) = &mails[0];
        for tries in 1..=6 {
            let wrong = scanner.post(&mail.decline(), &[("code", "1")]).await;
            assert_eq!((wrong.status, wrong.text().contains("name=\"code\"")), (422, true), "{tries}");
        }
        let done = scanner.post(&mail.decline(), &[("code", &mail.code())]).await;
        assert_eq!((done.heading().as_str(), world.kinds(email).await.contains(&"declined")), ("Thank you for telling us", true));
        // The person is held up neither from elsewhere nor in the browser that signed up.
        assert_eq!(world.client("198.51.100.7").post(&mails[1].1.decline(), &[]).await.heading(), "Thank you for telling us");
        world.finish().await;
    }

    async fn the_browser_that_signed_up_declines_at_once(engine: Engine) {
        let world = World::on(engine).await;
        let (mut browser, _) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        for path in [mail.confirm(), mail.about(), mail.decline()] {
            browser.get(&path).await;
        }
        assert_eq!(browser.post(&mail.decline(), &[]).await.heading(), "Thank you for telling us");
        world.finish().await;
    }

    async fn a_sweep_is_seen_however_many_hits_came_before_and_after_it_in_so_many_rows(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        // Hits of others, more than are kept one by one, from more networks than are told apart.
        for number in 0..90 {
            world.client(&format!("203.0.{number}.9")).get(&mail.confirm()).await;
        }
        let mut scanner = world.client("198.51.100.9");
        scanner.get(&mail.about()).await;
        world.advance(4);
        scanner.get(&mail.confirm()).await;
        for number in 90..120 {
            world.client(&format!("203.0.{number}.9")).get(&mail.confirm()).await;
        }
        // The same network comes again, calmly: what it did stays.
        world.advance(3_600);
        let page = scanner.get(&mail.confirm()).await;
        world.advance(60);
        let asked = scanner.post(&mail.confirm(), &[("opened", &page.hidden("opened"))]).await;
        assert!(asked.text().contains("name=\"code\""));
        assert_eq!(asked_for(&world, "anna@example.org").await, [[Signal::OpenedAllLinks]]);
        let event = &world.story("anna@example.org").await[0];
        let key = (event.brand, event.request.unwrap());
        let mut conn = world.app.store.read().await.unwrap();
        let kept = countersign::store::openings::list(&mut conn, &[key]).await.unwrap().len();
        drop(conn);
        assert!((40..=104).contains(&kept), "{kept}");
        let hits = world.kinds("anna@example.org").await.iter().filter(|kind| **kind == "link_opened").count();
        assert_eq!(hits, 40);
        // Somebody at home, whose network comes late too, is not held up.
        let mut person = world.client("192.0.2.200");
        person.get(&mail.confirm()).await;
        world.advance(3);
        assert_eq!(person.post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }

    async fn two_networks_that_sweep_a_mail_at_the_same_time_are_both_seen_whatever_their_slots(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let mut sweeping: Vec<_> = (0..18).map(|number| world.client(&format!("198.51.{number}.9"))).collect();
        for link in [mail.confirm(), mail.about()] {
            for one in &mut sweeping {
                one.get(&link).await;
            }
        }
        world.advance(5);
        for one in &mut sweeping {
            let asked = one.post(&mail.confirm(), &[]).await;
            assert!(asked.text().contains("name=\"code\""));
        }
        assert!(!world.kinds("anna@example.org").await.contains(&"confirmed"));
        world.finish().await;
    }

    async fn a_network_that_opens_only_the_links_that_decline_of_several_people_declines_for_none(engine: Engine) {
        let world = World::on(engine).await;
        let mails = mails_of_six(&world).await;
        let mut scanner = world.client("203.0.113.9");
        for (_, mail) in &mails {
            scanner.get(&mail.decline()).await;
        }
        world.advance(5);
        for (email, mail) in &mails {
            scanner.post(&mail.decline(), &[]).await;
            assert_eq!(asked_for(&world, email).await, [[Signal::SeveralPeople]]);
        }
        world.finish().await;
    }

    async fn people_are_counted_by_hits_that_are_kept_no_more_one_by_one(engine: Engine) {
        let world = World::on(engine).await;
        let mut links = Vec::new();
        for person in 0..5 {
            let email = format!("p{person}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let link = world.mail_to(&email).await.confirm();
            for number in 0..41 {
                world.client(&format!("203.{person}.{number}.9")).get(&link).await;
            }
            links.push((email, link));
        }
        world.advance(120);
        let mut scanner = world.client("198.51.100.9");
        for (_, link) in &links {
            scanner.get(link).await;
        }
        world.advance(5);
        scanner.post(&links[0].1, &[]).await;
        assert_eq!(asked_for(&world, &links[0].0).await, [[Signal::SeveralPeople]]);
        world.finish().await;
    }

    async fn a_gateway_that_opens_many_links_and_presses_a_minute_and_a_half_later_confirms_none(engine: Engine) {
        let world = World::on(engine).await;
        let mails = mails_of_six(&world).await;
        let mut gateway = world.client("203.0.113.9");
        for (_, mail) in &mails {
            gateway.get(&mail.confirm()).await;
        }
        world.advance(90);
        for (email, mail) in &mails {
            let asked = gateway.post(&mail.confirm(), &[]).await;
            assert!(asked.text().contains("name=\"code\""));
            assert_eq!(world.permission(email, "newsletter").await.basis, Basis::Implicit);
            assert_eq!(asked_for(&world, email).await, [[Signal::SeveralPeople]]);
        }
        // One of them reads at home.
        let home = world.client("198.51.100.7").post(&mails[0].1.confirm(), &[]).await;
        assert_eq!(home.heading(), "Confirmed");
        world.finish().await;
    }

    async fn a_person_whose_office_is_swept_while_they_read_is_not_held_up(engine: Engine) {
        let world = World::on(engine).await;
        let mails = mails_of_six(&world).await;
        let mut office = world.client("203.0.113.9");
        let page = office.get(&mails[0].1.confirm()).await;
        world.advance(120);
        for (_, mail) in &mails[1..] {
            office.get(&mail.confirm()).await;
        }
        world.advance(5);
        let done = office.post(&mails[0].1.confirm(), &[("opened", &page.hidden("opened"))]).await;
        assert_eq!(done.heading(), "Confirmed");
        world.finish().await;
    }

    async fn a_press_without_any_proof_of_its_page_asks_for_the_code(engine: Engine) {
        let world = World::on(engine).await;
        let (browser, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let inbox = crate::confirm::inbox_path(&page.text());
        let mail = world.mail_to("anna@example.org").await;
        world.advance(3_600);
        let mut program = world.client("203.0.113.9").bare();
        let forged = ("opened", inbox.as_str());
        for fields in [&[][..], &[forged][..]] {
            for path in [mail.confirm(), mail.decline()] {
                let asked = program.post(&path, fields).await;
                assert!(asked.text().contains("name=\"code\""), "{path}");
            }
        }
        assert_eq!(asked_for(&world, "anna@example.org").await, [[Signal::NoPage]; 4]);
        let told: Vec<String> = world.story("anna@example.org").await.iter().map(countersign::domain::sentence::sentence).collect();
        assert!(told.iter().any(|told| told.contains("whose page nobody is known to have opened")), "{told:?}");
        let kinds = world.kinds("anna@example.org").await;
        assert!(!kinds.contains(&"confirmed") && !kinds.contains(&"declined"));
        // The mark of the page is proof from wherever it comes back, and so is this network's own hit.
        let opened = world.client("198.51.100.7").get(&mail.confirm()).await.hidden("opened");
        world.advance(3);
        let mut moved = world.client("198.18.0.7").bare();
        assert_eq!(moved.post(&mail.confirm(), &[("opened", &opened)]).await.heading(), "Confirmed");
        // The browser that signed up needs none.
        assert_eq!(browser.bare().post(&mail.confirm(), &[]).await.heading(), "Already confirmed");
        let (browser, _) = world.signed_up("bea@example.org", "192.0.2.1").await;
        let mail = world.mail_to("bea@example.org").await;
        assert_eq!(browser.bare().post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }
}
