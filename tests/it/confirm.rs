//! Answering the mail: by link, by code, with "not me"; twice, at once, too late.

use countersign::domain::event::Grade;
use countersign::domain::standing::Basis;

use crate::harness::{Reply, World};
use crate::on_both_engines;

on_both_engines! {
    async fn a_button_press_after_reading_confirms_and_a_second_says_already(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        let mail = world.mail_to("anna@example.org").await;
        let mut other = world.client("198.51.100.7");
        let page = other.get(&mail.confirm()).await;
        assert_eq!(page.status, 200);
        world.advance(3);
        let done = other.post(&mail.confirm(), &[("opened", &page.hidden("opened"))]).await;
        assert_eq!(done.heading(), "Confirmed");
        // The link goes to the address: whoever presses need not be the only one who sees this page.
        assert!(done.text().contains("<a href=\"/p?brand=acme\">"), "{}", done.text());
        let again = other.post(&mail.confirm(), &[]).await;
        assert_eq!(again.heading(), "Already confirmed");
        let permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((permission.basis, permission.grade), (Basis::Explicit, Some(Grade::LinkButton)));
        assert_eq!(
            world.kinds("anna@example.org").await,
            ["signed_up", "mail_accepted", "link_opened", "confirmed"]
        );
        world.finish().await;
    }

    async fn only_pages_whose_form_leads_on_to_a_declared_address_let_browsers_follow_it_anywhere(engine: Engine) {
        let both = "slug = \"news\"\nredirect_after_signup = \"https://www.acme.example/a\"\n\
             redirect_after_confirmation = \"http://www.acme.example/b\"\n";
        let declared = crate::harness::DECLARATIONS.replace("slug = \"news\"\n", both);
        let world = World::declared(engine, "", &declared).await;
        let allowed = |reply: &Reply| {
            let policy = reply.header("content-security-policy").unwrap();
            policy.split("; ").find(|part| part.starts_with("form-action")).unwrap().to_owned()
        };
        let (own, https) = ("form-action 'self'", "form-action 'self' https:");
        let any = "form-action 'self' https: http:";
        let mut person = world.client("192.0.2.1");
        assert_eq!(allowed(&person.get("/f/news").await), https);
        assert_eq!(allowed(&person.post("/f/news", &[("email", "")]).await), https);
        assert_eq!(allowed(&person.get("/f/news-two").await), own);
        person.post("/f/news", &[("email", "anna@example.org")]).await;
        let mail = world.mail_to("anna@example.org").await;
        let mut other = world.client("198.51.100.7");
        assert_eq!(allowed(&other.get(&mail.confirm()).await), any);
        // At once, as a program presses: the code is asked for.
        let asks = other.post(&mail.confirm(), &[]).await;
        assert_eq!((asks.heading().as_str(), allowed(&asks).as_str()), ("One more step", any));
        let asks = other.post(&mail.decline(), &[]).await;
        assert_eq!((asks.heading().as_str(), allowed(&asks).as_str()), ("One more step", own));
        let done = other.post(&mail.confirm(), &[("code", &mail.code())]).await;
        assert_eq!((done.status, done.location().as_str()), (303, "http://www.acme.example/b"));
        world.finish().await;
    }

    async fn about_this_mail_says_what_an_unanswered_mail_lets_the_brand_send(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let mut about = async |form: &str, email: &str| {
            client.post(form, &[("email", email)]).await;
            let mail = world.mail_to(email).await;
            world.client("198.51.100.7").get(&mail.about()).await.text()
        };
        let at_once = about("/f/news", "anna@example.org").await;
        let held = about("/f/other", "bea@example.org").await;
        let may = "may still send you what was asked for in the form, unless you press “This was not me”";
        let nobody = "so that nobody can subscribe you but yourself";
        assert!(at_once.contains(&format!("Acme Letters {may}")) && !at_once.contains(nobody), "{at_once}");
        assert!(held.contains(nobody) && !held.contains(may), "{held}");
        world.finish().await;
    }

    async fn the_browser_that_signed_up_confirms_with_its_own_grade_and_no_pause(engine: Engine) {
        let world = World::on(engine).await;
        let (mut browser, _) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let page = browser.get(&mail.confirm()).await;
        assert!(page.text().contains("<script"));
        let done = browser.post(&mail.confirm(), &[]).await;
        assert_eq!(done.heading(), "Confirmed");
        let permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!(permission.grade, Some(Grade::SameBrowser));
        world.finish().await;
    }

    async fn the_code_of_the_mail_confirms_and_five_wrong_ones_close_that_way(engine: Engine) {
        let world = World::on(engine).await;
        let (mut browser, inbox) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let token = inbox_path(&inbox.text());
        let wrong = if mail.code() == "000000" { "000001" } else { "000000" };
        for _ in 0..4 {
            let reply = browser.post(&format!("{token}/code"), &[("code", wrong)]).await;
            assert_eq!(reply.status, 422);
        }
        let typed = format!("{} {}", &mail.code()[..3], &mail.code()[3..]);
        let reply = browser.post(&format!("{token}/code"), &[("code", &typed)]).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        assert_eq!(world.permission("anna@example.org", "newsletter").await.grade, Some(Grade::Code));

        let (mut browser, inbox) = world.signed_up("bea@example.org", "192.0.2.1").await;
        let mail = world.mail_to("bea@example.org").await;
        let token = inbox_path(&inbox.text());
        let wrong = if mail.code() == "000000" { "000001" } else { "000000" };
        for _ in 0..5 {
            browser.post(&format!("{token}/code"), &[("code", wrong)]).await;
        }
        let closed = browser.post(&format!("{token}/code"), &[("code", &mail.code())]).await;
        assert_eq!(closed.status, 422);
        assert_eq!(world.permission("bea@example.org", "newsletter").await.basis, Basis::Implicit);
        world.finish().await;
    }

    async fn not_me_stops_all_further_mail_to_the_mailbox_under_any_of_its_names(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let mut other = world.client("198.51.100.7");
        other.get(&mail.decline()).await;
        assert!(world.permission("anna@example.org", "newsletter").await.allowed, "opening declines nothing");
        world.advance(3);
        let declined = other.post(&mail.decline(), &[]).await;
        assert_eq!(declined.status, 200);
        let permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((permission.allowed, permission.rule), (false, "D3"));
        let before = world.deliver().await.len();
        world.advance(86_400 * 2);
        for again in ["anna@example.org", "Anna+x@example.org"] {
            world.signed_up(again, "192.0.2.9").await;
        }
        assert_eq!(world.deliver().await.len(), before);
        let late = other.post(&mail.confirm(), &[]).await;
        assert_ne!(late.heading(), "Confirmed");
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn a_newer_mail_replaces_the_older_one_but_a_signup_without_a_mail_spoils_nothing(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let first = world.mail_to("anna@example.org").await;
        // Somebody types the address again at once: over the budget, no mail, and the first link stays good.
        world.signed_up("anna@example.org", "203.0.113.5").await;
        assert_eq!(world.deliver().await.len(), 1);
        world.advance(601);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let second = world.mail_to("anna@example.org").await;
        assert_ne!(first.confirm(), second.confirm());
        let mut other = world.client("198.51.100.7");
        let replaced = other.post(&first.confirm(), &[]).await;
        assert_eq!(replaced.status, 200);
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        assert_eq!(other.post(&second.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }

    async fn whoever_signs_up_at_two_forms_for_different_things_answers_both_mails(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let email = ("email", "anna@example.org");
        client.post("/f/news-two", &[email]).await;
        let first = world.mail_to("anna@example.org").await;
        client.post("/f/news", &[email, ("purpose", "events")]).await;
        let second = world.mail_to("anna@example.org").await;
        assert_ne!(first.confirm(), second.confirm());
        let mut other = world.client("198.51.100.7");
        assert_eq!(other.post(&first.confirm(), &[]).await.heading(), "Confirmed");
        let basis = async |purpose| world.permission("anna@example.org", purpose).await.basis;
        assert_eq!((basis("newsletter").await, basis("events").await), (Basis::Explicit, Basis::Implicit));
        assert_eq!(other.post(&second.confirm(), &[]).await.heading(), "Confirmed");
        assert_eq!(basis("events").await, Basis::Explicit);
        // What asks for all that an earlier mail asks for takes its place, at whichever form.
        client.post("/f/news-two", &[("email", "bo@example.org")]).await;
        let first = world.mail_to("bo@example.org").await;
        client.post("/f/news", &[("email", "bo@example.org"), ("purpose", "newsletter"), ("purpose", "events")]).await;
        let second = world.mail_to("bo@example.org").await;
        assert!(other.get(&first.confirm()).await.text().contains("There is a newer mail"));
        assert_eq!(other.post(&second.confirm(), &[]).await.heading(), "Confirmed");
        let standing = world.permission("bo@example.org", "newsletter").await;
        assert_eq!(standing.basis, Basis::Explicit);
        world.finish().await;
    }

    async fn the_first_link_works_after_a_second_signup_that_caused_no_mail(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.signed_up("anna@example.org", "203.0.113.5").await;
        let mut other = world.client("198.51.100.7");
        assert_eq!(other.post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }

    async fn an_expired_link_offers_a_fresh_mail_and_a_forged_one_says_no_more_than_that(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.advance(86_400 * 7 + 1);
        let mut other = world.client("198.51.100.7");
        let expired = other.get(&mail.confirm()).await;
        assert_eq!(expired.status, 410);
        let fresh = format!("{}/fresh", mail.confirm());
        assert!(expired.text().contains(&fresh));
        assert_eq!(other.post(&mail.confirm(), &[]).await.status, 410);
        assert_eq!(other.post(&fresh, &[]).await.status, 200);
        let second = world.mail_to("anna@example.org").await;
        assert_ne!(second.confirm(), mail.confirm());
        world.advance(30);
        assert_eq!(other.post(&second.confirm(), &[]).await.heading(), "Confirmed");
        let mut forged = mail.confirm();
        forged.replace_range(10..11, if &forged[10..11] == "A" { "B" } else { "A" });
        let refused = other.get(&forged).await;
        assert_eq!(refused.status, 404);
        assert!(!refused.text().contains("Acme"));
        world.finish().await;
    }

    async fn a_new_mail_by_an_old_link_gives_nothing_and_its_link_confirms(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        client.post("/f/other", &[("email", "anna@example.org")]).await;
        let mail = world.mail_to("anna@example.org").await;
        world.advance(86_400 * 7 + 1);
        for is_ended in [false, true] {
            if is_ended {
                world.app.expire().await.unwrap();
            }
            let before = standing(&world, "other", "anna@example.org").await;
            assert!(before.iter().all(|one| one.1 == "pending"), "{before:?}");
            let mut other = world.client("198.51.100.7");
            let fresh = format!("{}/fresh", mail.confirm());
            assert_eq!(other.post(&fresh, &[]).await.heading(), "Check your inbox");
            assert_eq!(standing(&world, "other", "anna@example.org").await, before);
            let second = world.mail_to("anna@example.org").await;
            assert_ne!(second.confirm(), mail.confirm());
            // It takes a minute, or the budget's time, to the next; the answer is the same.
            let sent = world.caught().len();
            assert_eq!(other.post(&fresh, &[]).await.heading(), "Check your inbox");
            assert_eq!(world.deliver().await.len(), sent);
            if is_ended {
                assert_eq!(other.post(&second.confirm(), &[]).await.status, 303);
                // Answered, the old link says so, and nothing more is sent by it.
                assert_eq!(other.post(&fresh, &[]).await.heading(), "Already confirmed");
                assert_eq!(world.deliver().await.len(), sent);
            } else {
                // Nobody answers this one either.
                world.advance(86_400 * 7 + 1);
                assert_eq!(other.post(&second.confirm(), &[]).await.status, 410);
            }
        }
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("other").unwrap();
        let story = crate::harness::story_of(&world.app, brand, "anna@example.org").await;
        let kinds: Vec<&str> = story.iter().map(|event| event.fact.kind()).collect();
        assert_eq!(kinds, ["signed_up", "mail_accepted", "mail_requested", "mail_accepted", "expired", "mail_requested", "mail_accepted", "confirmed"]);
        world.finish().await;
    }

    async fn an_old_link_sends_three_mails_a_day_at_most_and_none_after_a_no(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.advance(86_400 * 7 + 1);
        let fresh = format!("{}/fresh", mail.confirm());
        let mut other = world.client("198.51.100.7");
        for _ in 0..12 {
            assert_eq!(other.post(&fresh, &[]).await.status, 200);
            world.deliver().await;
            world.advance(601);
        }
        assert_eq!(world.caught().len(), 4, "the first, and three of a day");
        world.advance(86_400);
        assert_eq!(other.post(&mail.decline(), &[]).await.heading(), "Thank you for telling us");
        assert_eq!(other.post(&fresh, &[]).await.heading(), "Thank you for telling us");
        assert_eq!(world.deliver().await.len(), 4);
        world.finish().await;
    }

    async fn not_me_is_taken_after_the_links_time_as_on_the_first_day(engine: Engine) {
        let world = World::on(engine).await;
        for (number, is_ended) in [false, true].into_iter().enumerate() {
            let email = format!("p{number}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let mail = world.mail_to(&email).await;
            world.advance(86_400 * 8);
            if is_ended {
                world.app.expire().await.unwrap();
            }
            assert!(world.permission(&email, "newsletter").await.allowed);
            let mut other = world.client("198.51.100.7");
            for path in [mail.decline(), mail.about()] {
                let page = other.get(&path).await;
                assert_eq!((page.status, page.text().contains("/decline\"")), (200, true), "{path}");
            }
            // A program's press is still none.
            let mut program = world.client("203.0.113.9").bare();
            let asked = program.post(&mail.decline(), &[]).await;
            assert!(asked.text().contains("name=\"code\""));
            assert!(world.permission(&email, "newsletter").await.allowed);
            if is_ended {
                let done = program.post(&mail.decline(), &[("code", &mail.code())]).await;
                assert_eq!(done.heading(), "Thank you for telling us");
            } else {
                world.advance(30);
                let done = other.post(&mail.decline(), &[]).await;
                assert_eq!(done.heading(), "Thank you for telling us");
            }
            let permission = world.permission(&email, "newsletter").await;
            assert_eq!((permission.allowed, permission.rule), (false, "D3"));
            let before = world.deliver().await.len();
            world.advance(86_400 * 2);
            world.signed_up(&email, "192.0.2.9").await;
            assert_eq!(world.deliver().await.len(), before, "the mailbox is blocked");
        }
        world.finish().await;
    }

    async fn a_link_whose_time_is_over_tells_how_its_request_ended(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let mut links = Vec::new();
        for name in ["confirmed", "declined", "replaced", "corrected", "open"] {
            let email = format!("{name}@example.org");
            let (mut browser, page) = world.signed_up(&email, "192.0.2.1").await;
            let mail = world.mail_to(&email).await;
            let mut other = world.client("198.51.100.7");
            match name {
                "confirmed" => { other.post(&mail.confirm(), &[]).await; }
                "declined" => { other.post(&mail.decline(), &[]).await; }
                "replaced" => {
                    world.advance(601);
                    world.signed_up(&email, "192.0.2.1").await;
                    world.deliver().await;
                }
                "corrected" => {
                    world.advance(5);
                    let address = format!("{}/address", inbox_path(&page.text()));
                    browser.post(&address, &[("email", "right@example.org")]).await;
                    world.deliver().await;
                }
                _ => {}
            }
            links.push((name, mail.confirm()));
        }
        world.advance(86_400 * 8);
        for (name, link) in &links {
            let (status, heading) = match *name {
                "confirmed" => (200, "Already confirmed"),
                "declined" => (200, "Thank you for telling us"),
                "replaced" => (200, "There is a newer mail"),
                "corrected" => (200, "The address was changed"),
                _ => (410, "This link is too old"),
            };
            let mut other = world.client("203.0.113.7");
            let shown = other.get(link).await;
            assert_eq!((shown.status, shown.heading().as_str()), (status, heading), "{name}");
            let pressed = other.post(link, &[]).await;
            assert_eq!((pressed.status, pressed.heading().as_str()), (status, heading), "{name}");
            let text = shown.text();
            assert_eq!(text.contains("/fresh\""), *name == "open", "{name}");
            let to_form = text.contains("href=\"/f/news\"");
            assert_eq!(to_form, ["replaced", "corrected"].contains(name), "{name}: {text}");
        }
        assert!(!world.kinds("open@example.org").await.contains(&"confirmed"));
        world.finish().await;
    }

    async fn of_ten_presses_at_once_exactly_one_event_confirms_and_nobody_sees_an_error(engine: Engine) {
        let world = World::on(engine).await;
        for round in 0..10 {
            let email = format!("p{round}@example.org");
            world.signed_up(&email, "192.0.2.1").await;
            let mail = world.mail_to(&email).await;
            let presses = (0..10).map(|press| {
                let mut client = world.client(&format!("198.51.{press}.7"));
                let (confirm, decline) = (mail.confirm(), mail.decline());
                async move {
                    let path = if press % 3 == 0 { decline } else { confirm };
                    client.post(&path, &[]).await.status
                }
            });
            let statuses = futures_util::future::join_all(presses).await;
            assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
            let kinds = world.kinds(&email).await;
            let ends = kinds.iter().filter(|kind| ["confirmed", "declined"].contains(kind)).count();
            assert_eq!(ends, 1, "{kinds:?}");
            let allowed = world.permission(&email, "newsletter").await.allowed;
            assert_eq!(allowed, kinds.contains(&"confirmed"));
        }
        world.finish().await;
    }

    async fn a_brand_that_waits_gives_no_basis_before_the_confirmation_and_redirects_after_it(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        client.post("/f/other", &[("email", "anna@example.org")]).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("other").unwrap();
        let purpose = countersign::domain::brand::Slug::try_from("newsletter".to_owned()).unwrap();
        let before = world.app.permission(brand, &purpose, "anna@example.org", None).await.unwrap();
        assert!(!before.allowed);
        let mail = world.mail_to("anna@example.org").await;
        let done = client.post(&mail.confirm(), &[]).await;
        assert_eq!(done.location(), "https://www.other.example/thanks");
        let after = world.app.permission(brand, &purpose, "anna@example.org", None).await.unwrap();
        assert_eq!(after.basis, Basis::Explicit);
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed, "brands share nothing");
        world.finish().await;
    }

    async fn the_past_is_answered_from_the_events(engine: Engine) {
        let world = World::on(engine).await;
        let before = world.clock.now();
        world.advance(10);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let waiting = world.clock.now();
        let mail = world.mail_to("anna@example.org").await;
        world.advance(10);
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let purpose = countersign::domain::brand::Slug::try_from("newsletter".to_owned()).unwrap();
        for (at, basis) in [(before, Basis::None), (waiting, Basis::Implicit), (world.clock.now(), Basis::Explicit)] {
            let answer = world.app.permission(brand, &purpose, "anna@example.org", Some(at)).await.unwrap();
            assert_eq!(answer.basis, basis, "{at}");
        }
        world.finish().await;
    }
}

/// How a contact of a brand stands, by purpose.
async fn standing(world: &World, brand: &str, email: &str) -> Vec<(String, &'static str)> {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug(brand).unwrap();
    let mut conn = world.app.store.read().await.unwrap();
    let found = countersign::store::contacts::find(&mut conn, brand.id, email).await;
    let standings = found.unwrap().unwrap().standings;
    standings
        .into_iter()
        .map(|(purpose, one)| (purpose.to_string(), one.state.as_str()))
        .collect()
}

/// The path of the inbox page that a page's forms post to.
pub fn inbox_path(page: &str) -> String {
    let at = page.find("/i/").expect("the inbox's own path");
    page[at..at + 3 + 55].to_owned()
}
