//! What keeps mail back though somebody agreed: a suppressed mailbox, whatever the spelling; a pause, whatever is given in it.

use countersign::app::bounce::Taken;
use countersign::app::permit::parse_address;
use countersign::app::prefer::{Chosen, Pause, Preferred};
use countersign::domain::api_key::Scope;
use countersign::domain::policy::Source;
use countersign::domain::time::Timestamp;
use serde_json::json;

use super::bounces::{report, return_path};
use super::{allowed, brand, confirmed, contact_of, links, mailed, slug};
use crate::api::program;
use crate::harness::World;
use crate::import::storing::{List, findings};
use crate::on_both_engines;

const DAY: u64 = 86_400;
const ANNA: &str = "anna@example.org";
const OTHER: &str = "anna+x@example.org";

async fn answers(world: &World, at: Option<Timestamp>) -> Vec<(bool, &'static str)> {
    let (brand, purpose) = (brand(world), slug("newsletter"));
    let addresses = [ANNA, OTHER].map(|one| parse_address(one).unwrap());
    let all: Vec<_> = addresses.iter().collect();
    let listed = world
        .app
        .permissions(&brand, &purpose, &all, at)
        .await
        .unwrap();
    let mut answers = Vec::new();
    for (email, listed) in [ANNA, OTHER].into_iter().zip(listed) {
        let one = world
            .app
            .permission(&brand, &purpose, email, at)
            .await
            .unwrap();
        assert_eq!(one, listed, "{email}");
        answers.push((one.allowed, one.rule));
    }
    answers
}

async fn choose(world: &World, email: &str, chosen: Chosen) {
    let contact = contact_of(world, email).await;
    let shown = world
        .app
        .preferences(&brand(world), contact)
        .await
        .unwrap()
        .unwrap();
    let chosen = Chosen {
        wording: shown.wording,
        ..chosen
    };
    let done = world
        .app
        .prefer(&brand(world), contact, chosen)
        .await
        .unwrap();
    assert_eq!(done, Preferred::Saved);
}

async fn pause(world: &World, email: &str, days: u64) {
    let pause = Some(Pause::ForDays(days));
    choose(
        world,
        email,
        Chosen {
            pause,
            ..Chosen::default()
        },
    )
    .await;
}

/// Signs up for one purpose only.
async fn signed_up_for(world: &World, email: &str, purpose: &str) {
    let fields = [("email", email), ("purpose", purpose)];
    let reply = world.client("192.0.2.9").post("/f/news", &fields).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
}

on_both_engines! {
    async fn a_suppressed_mailbox_is_not_mailed_under_any_spelling_of_its_address(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, ANNA).await;
        world.advance(DAY);
        confirmed(&world, OTHER).await;
        let before = world.clock.now();
        world.advance(60);
        world.app.suppress(&brand(&world), ANNA, "asked for by letter").await.unwrap();
        assert_eq!(answers(&world, None).await, [(false, "D3"), (false, "D3")]);
        let mut program = program(&world, &[Scope::PermissionsRead]).await;
        let body = json!({"brand": "acme", "purpose": "newsletter", "addresses": [OTHER]});
        let reply = program.post_json("/api/v1/permissions", &body).await;
        assert_eq!(reply.json()["items"][0]["rule"], "D3", "{}", reply.text());
        let story = world.app.story_of(&brand(&world), contact_of(&world, OTHER).await, 0).await.unwrap().unwrap();
        assert!(story.purposes.iter().all(|one| !one.permission.allowed));
        // For a moment before, and for the moment at which it began.
        assert_eq!(answers(&world, Some(before)).await, [(true, "G3"), (true, "G3")]);
        assert_eq!(answers(&world, Some(world.clock.now())).await, [(false, "D3"), (false, "D3")]);
        // What is turned on now is of no use either.
        choose(&world, OTHER, Chosen { off: vec![slug("newsletter")], ..Chosen::default() }).await;
        world.advance(60);
        choose(&world, OTHER, Chosen { on: vec![slug("newsletter")], ..Chosen::default() }).await;
        assert_eq!(answers(&world, None).await, [(false, "D3"), (false, "D3")]);
        // Lifted under one spelling, the contact that was marked is let go under its own.
        world.app.lift_suppression(&brand(&world), OTHER, "asked for by letter").await.unwrap().unwrap();
        assert_eq!(answers(&world, None).await, [(false, "D3"), (true, "G3")]);
        world.app.lift_suppression(&brand(&world), ANNA, "asked for by letter").await.unwrap().unwrap();
        assert_eq!(answers(&world, None).await, [(true, "G3"), (true, "G3")]);
        assert_eq!(world.app.lift_suppression(&brand(&world), ANNA, "once more").await.unwrap(), None);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn the_preferences_page_says_what_is_agreed_and_not_sent_all_the_same_and_why(engine: Engine) {
        const CAME_BACK: &str = "came back as undeliverable";
        const NOT_WRITTEN: &str = "Acme Letters does not write to this mailbox at present.";
        let world = World::on(engine).await;
        let contact = confirmed(&world, ANNA).await;
        world.advance(DAY);
        let other = confirmed(&world, OTHER).await;
        let shown = async |contact| {
            let page = world.client("203.0.113.9").get(&mailed(&world, contact)).await;
            assert_eq!(page.text().matches(" checked").count(), 2, "what was agreed stays");
            let told = page.text();
            (told.contains(CAME_BACK), told.contains(NOT_WRITTEN), told.contains("Not sent: Newsletter, Events"))
        };
        assert_eq!(shown(contact).await, (false, false, false));
        pause(&world, ANNA, 30).await;
        assert_eq!(shown(contact).await, (false, false, false), "a pause has a notice of its own");
        world.advance(DAY);
        world.app.suppress(&brand(&world), ANNA, "asked for by letter").await.unwrap();
        // Under every spelling of the mailbox, and nothing of it where anybody may look.
        for one in [contact, other] {
            assert_eq!(shown(one).await, (false, true, true));
            let leave = links(&world, one, None).unsubscribe_url;
            for url in [leave.as_str(), "/p?brand=acme"] {
                let page = world.client("203.0.113.9").get(url).await;
                assert!(page.status == 200 && !page.text().contains("does not write"), "{url}");
            }
        }
        world.app.lift_suppression(&brand(&world), ANNA, "asked for by letter").await.unwrap().unwrap();
        assert_eq!(shown(contact).await, (false, false, false));
        let to = return_path(&world, ANNA).await;
        let gone = report(&to, "failed", "5.1.1", "550 no such user");
        assert_eq!(world.app.take_report(gone.as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        for one in [contact, other] {
            assert_eq!(shown(one).await, (true, false, true));
        }
        world.app.lift_suppression(&brand(&world), ANNA, "it works again").await.unwrap().unwrap();
        assert_eq!(shown(contact).await, (false, false, false));
        // Nothing is on: there is nothing to say.
        world.app.suppress(&brand(&world), ANNA, "asked for by letter").await.unwrap();
        let url = mailed(&world, contact);
        world.client("203.0.113.9").post(&url, &[("act", "leave")]).await;
        assert!(!world.client("203.0.113.9").get(&url).await.text().contains(NOT_WRITTEN));
        world.finish().await;
    }

    async fn mail_that_came_back_for_good_closes_the_mailbox_under_any_spelling_and_for_what_is_given_later(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, OTHER).await;
        world.advance(DAY);
        signed_up_for(&world, ANNA, "events").await;
        world.deliver().await;
        let to = return_path(&world, ANNA).await;
        let gone = report(&to, "failed", "5.1.1", "550 no such user");
        assert_eq!(world.app.take_report(gone.as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        assert_eq!(answers(&world, None).await, [(false, "G1"), (false, "D6")]);
        // A row that would be accepted is refused, and a form gives nothing.
        let list = List::bought("orders", "email,order,date\nanna@example.org,1,2026-01-01\n");
        assert_eq!(list.take_in(&world).await.added, 0);
        let both = [("email", "anna+y@example.org"), ("purpose", "newsletter"), ("purpose", "events")];
        assert_eq!(world.client("192.0.2.1").post("/f/news", &both).await.status, 303);
        assert_eq!(allowed(&world, "anna+y@example.org").await, (false, false));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn what_is_given_in_a_pause_waits_for_its_end_as_the_rest_does(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for(&world, ANNA, "events").await;
        let mail = world.mail_to(ANNA).await;
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        pause(&world, ANNA, 30).await;
        let rule = async |purpose: &str| {
            let answer = world.permission(ANNA, purpose).await;
            (answer.allowed, answer.rule)
        };
        // A stranger fills in the form; a list brings an order; the person turns a purpose off and on again.
        signed_up_for(&world, ANNA, "newsletter").await;
        world.deliver().await;
        assert_eq!(rule("newsletter").await, (false, "D5"));
        List::bought("orders", "email,order,date\nanna@example.org,1,2026-01-01\n").take_in(&world).await;
        assert_eq!(rule("newsletter").await, (false, "D5"));
        world.advance(60);
        choose(&world, ANNA, Chosen { off: vec![slug("events")], ..Chosen::default() }).await;
        world.advance(60);
        choose(&world, ANNA, Chosen { on: vec![slug("events")], ..Chosen::default() }).await;
        assert_eq!(rule("events").await, (false, "D5"));
        let url = links(&world, contact_of(&world, ANNA).await, None).preferences_url;
        assert!(world.client("203.0.113.9").get(&url).await.text().contains("No mail before"));
        world.advance(30 * DAY);
        assert_eq!(allowed(&world, ANNA).await, (true, true));
        let why = world.permission(ANNA, "events").await.why;
        assert!(why.starts_with("Said yes at 2026-11-23") && !why.contains("double opt-in"), "{why}");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn consent_that_lapses_in_a_pause_and_is_given_anew_in_it_waits_for_the_end_of_the_pause(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", "email,order,date\nanna@example.org,1,2024-12-01\n").take_in(&world).await;
        pause(&world, ANNA, 90).await;
        world.advance(10 * DAY);
        assert_eq!(world.app.lapse().await.unwrap(), 1);
        List::bought("more", "email,order,date\nanna@example.org,2,2026-11-20\n").take_in(&world).await;
        assert_eq!(world.kinds(ANNA).await, ["imported", "paused", "lapsed", "imported"]);
        let during = world.permission(ANNA, "newsletter").await;
        assert_eq!((during.allowed, during.rule), (false, "D5"));
        // An import that is taken back takes no pause with it.
        crate::import::storing::withdraw(&world, "more").await.unwrap();
        let orders = "email,order,date\nanna@example.org,3,2026-11-21\n";
        List { name: "third", text: orders, source: Some(Source::Purchase) }.take_in(&world).await;
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D5");
        world.advance(80 * DAY);
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn after_an_operator_lifted_what_passing_bounces_had_suppressed_they_are_counted_anew(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 2\n").await;
        confirmed(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        let full = || report(&to, "failed", "5.2.2", "552 5.2.2 mailbox full");
        for round in 0..2 {
            assert_eq!(world.app.take_report(full().as_bytes(), Some(&to)).await.unwrap(), Taken::Soft, "{round}");
            assert!(world.permission(ANNA, "newsletter").await.allowed, "{round}");
            assert_eq!(world.app.take_report(full().as_bytes(), Some(&to)).await.unwrap(), Taken::Hard, "{round}");
            world.app.lift_suppression(&brand(&world), ANNA, "emptied").await.unwrap().unwrap();
        }
        world.finish().await;
    }
}
