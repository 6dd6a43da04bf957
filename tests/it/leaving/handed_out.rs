//! The links that programs are given: who gets them, and that whoever has one leaves by it, and gives, erases and takes along nothing.

use countersign::domain::api_key::Scope;
use serde_json::{Value, json};

use super::{allowed, confirmed, contact_of, links, signed_up_for_both};
use crate::api::{problem, program};
use crate::harness::World;
use crate::on_both_engines;
use crate::webhooks::{PRIVATE, Receiver, hook, tell};

const ANNA: &str = "anna@example.org";
const MORE: &str = "One step more: a link by mail";

/// The feed as a program with these scopes reads it.
async fn feed(world: &World, scopes: &[Scope]) -> Vec<Value> {
    let read = program(world, scopes).await.get("/api/v1/events").await;
    assert_eq!(read.status, 200, "{}", read.text());
    read.json()["items"].as_array().unwrap().clone()
}

on_both_engines! {
    async fn a_key_that_only_reads_contacts_and_events_gets_no_link_that_acts_for_a_person(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::willing().await;
        hook(&world, receiver.peer.url(), &[]).await;
        let contact = confirmed(&world, ANNA).await;
        assert!(tell(&world).await > 0);
        let path = format!("/api/v1/contacts/{contact}/links");
        let mut reader = program(&world, &[Scope::ContactsRead, Scope::EventsRead]).await;
        let refused = reader.get(&path).await;
        assert_eq!(problem(&refused).0, 403);
        assert!(refused.text().contains("links:read"), "{}", refused.text());
        let plain = feed(&world, &[Scope::ContactsRead, Scope::EventsRead]).await;
        assert!(plain.len() >= 2 && plain.iter().all(|one| one["data"].get("links").is_none()), "{plain:?}");
        assert!(plain.iter().all(|one| !one.to_string().contains("/p/") && !one.to_string().contains("/u/")));
        // With the scope, and at the receivers that an operator chose, they are there, and they are ready to use.
        let whole = feed(&world, &[Scope::EventsRead, Scope::LinksRead]).await;
        let own = program(&world, &[Scope::LinksRead]).await.get(&path).await.json();
        for links in whole.iter().map(|one| &one["data"]["links"]).chain(receiver.bodies().iter().map(|one| &one["data"]["links"])).chain([&own]) {
            let leave = links["unsubscribe_url"].as_str().unwrap();
            assert_eq!(links["list_unsubscribe"], format!("<{leave}>"));
            assert_eq!(links["list_unsubscribe_post"], "List-Unsubscribe=One-Click");
            let chooses = links["preferences_url"].as_str().unwrap();
            let erase = world.client("203.0.113.9").get(&format!("{chooses}/erase")).await;
            assert_eq!((erase.status, erase.heading().as_str()), (403, MORE));
        }
        world.finish().await;
    }

    async fn by_a_link_that_a_program_was_given_nobody_agrees_erases_or_takes_along_and_everybody_leaves(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, ANNA).await;
        let url = links(&world, contact, None).preferences_url;
        let mut holder = world.client("203.0.113.9");
        let shown = holder.get(&url).await;
        assert_eq!(shown.heading(), "Your choices");
        let wording = shown.hidden("wording");
        holder.post(&url, &[("act", "save"), ("was", "events"), ("was", "newsletter"), ("purpose", "newsletter")]).await;
        assert_eq!(allowed(&world, ANNA).await, (true, false), "off at once");
        let before = world.kinds(ANNA).await;
        let on = [("act", "save"), ("was", "newsletter"), ("purpose", "newsletter"), ("purpose", "events"), ("wording", wording.as_str())];
        let asked = holder.post(&url, &on).await;
        assert_eq!((asked.status, asked.heading().as_str()), (403, MORE));
        assert!(asked.text().contains("href=\"/p?brand=acme\""), "{}", asked.text());
        for path in ["erase", "data.json", "report.zip"] {
            let asked = holder.get(&format!("{url}/{path}")).await;
            assert_eq!((asked.status, asked.heading().as_str()), (403, MORE), "{path}");
        }
        let asked = holder.post(&format!("{url}/erase"), &[("erase", "yes")]).await;
        assert_eq!((asked.status, asked.heading().as_str()), (403, MORE));
        assert_eq!(world.kinds(ANNA).await, before, "nothing was written");
        // What leaves stands, whatever else the same form asks for.
        let both = [("act", "save"), ("was", "newsletter"), ("purpose", "events"), ("wording", wording.as_str())];
        assert_eq!(holder.post(&url, &both).await.status, 403);
        assert_eq!(allowed(&world, ANNA).await, (false, false));
        assert_eq!(holder.post(&url, &[("act", "pause"), ("days", "30")]).await.status, 303);
        assert_eq!(holder.post(&url, &[("act", "save"), ("language", "de")]).await.status, 303);
        assert_eq!(holder.post(&url, &[("act", "leave")]).await.status, 303);
        let kinds = world.kinds(ANNA).await;
        assert_eq!(kinds[kinds.len() - 4..], ["withdrawn", "paused", "language_changed", "withdrawn"]);
        // The way on: the link that comes by mail.
        world.advance(3_600);
        holder.post("/p", &[("brand", "acme"), ("email", ANNA)]).await;
        let mail = world.mail_to(ANNA).await;
        let fresh = mail.0.links.iter().find(|link| link.contains("/p/")).unwrap().clone();
        let wording = holder.get(&fresh).await.hidden("wording");
        let on = [("act", "save"), ("purpose", "events"), ("wording", wording.as_str())];
        assert_eq!(holder.post(&fresh, &on).await.status, 303);
        assert_eq!(world.kinds(ANNA).await.last(), Some(&"purpose_changed"));
        assert_eq!(holder.get(&format!("{fresh}/data.json")).await.json()["address"], ANNA);
        world.finish().await;
    }

    async fn behind_a_programs_link_the_page_asks_for_no_yes_and_says_so(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for_both(&world, ANNA).await;
        let url = links(&world, contact_of(&world, ANNA).await, None).preferences_url;
        let mut holder = world.client("203.0.113.9");
        let shown = holder.get(&url).await;
        assert!(!shown.text().contains("name=\"agree\"") && !shown.text().contains("By pressing the button"), "{}", shown.text());
        assert!(shown.text().contains("To agree to mails you need a fresh link"));
        let before = world.kinds(ANNA).await;
        let wording = shown.hidden("wording");
        let kept = [("act", "save"), ("was", "newsletter"), ("purpose", "newsletter"), ("wording", wording.as_str())];
        assert_eq!(holder.post(&url, &kept).await.status, 303);
        let yes: Vec<_> = kept.into_iter().chain([("agree", "newsletter")]).collect();
        let asked = holder.post(&url, &yes).await;
        assert_eq!((asked.status, asked.heading().as_str()), (403, MORE));
        assert_eq!(world.kinds(ANNA).await, before, "nothing was written");
        world.finish().await;
    }

    async fn nobody_to_whom_no_mail_was_ever_sent_has_explicit_consent_by_a_programs_link(engine: Engine) {
        let world = World::on(engine).await;
        // Nothing was delivered yet.
        world.client("192.0.2.1").post("/f/news", &[("email", ANNA)]).await;
        let url = links(&world, contact_of(&world, ANNA).await, None).preferences_url;
        let mut holder = world.client("203.0.113.9");
        let wording = holder.get(&url).await.hidden("wording");
        let all = [("act", "save"), ("purpose", "newsletter"), ("purpose", "events"), ("wording", wording.as_str())];
        assert_eq!(holder.post(&url, &all).await.status, 403);
        for purpose in ["newsletter", "events"] {
            let permission = serde_json::to_value(world.permission(ANNA, purpose).await).unwrap();
            assert_ne!(permission["basis"], json!("explicit"), "{purpose}");
        }
        world.deliver().await;
        world.finish().await;
    }
}
