//! Whoever is kept to some brands reaches nothing of the others: not by the newest pages and deeds, and not by any file.

use countersign::app::operators;
use countersign::domain::operator::Role;

use super::signing_in::signed_in;
use crate::harness::{Client, OWNERS_PASSWORD, World, add_owner};
use crate::leaving::{brand, confirmed};
use crate::on_both_engines;

const ANNA: &str = "anna@example.org";

/// Editors of each brand: `emil` of the other one, `anke` of Acme.
async fn editors(world: &World) -> (Client, Client) {
    let catalog = world.app.catalog();
    for (name, slug) in [("emil", "other"), ("anke", "acme")] {
        let brands = [catalog.brand_by_slug(slug).unwrap().id];
        operators::add(
            &world.app,
            None,
            name,
            OWNERS_PASSWORD,
            (Role::Editor, &brands),
        )
        .await
        .unwrap();
    }
    (
        signed_in(world, "emil").await,
        signed_in(world, "anke").await,
    )
}

on_both_engines! {
    async fn no_deed_reaches_a_contact_a_form_or_a_brand_of_another(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, ANNA).await;
        let (mut emil, mut anke) = editors(&world).await;
        let acme = brand(&world);
        let version = world.app.catalog().forms_of(acme.id).next().unwrap().current.as_str().to_owned();
        let revision = world.app.revision();
        let of_anna = format!("/admin/contacts/acme/{contact}");
        let before = world.kinds(ANNA).await;
        for path in ["", "?purposes_format=csv", "?after=1", "/mail/1/text"] {
            assert_eq!(emil.get(&format!("{of_anna}{path}")).await.status, 404, "{path}");
        }
        for (deed, field) in [
            ("ask-again", ""), ("note", "note"), ("withdraw", "reason"), ("erase", "address"), ("verify", ""), ("bundle", ""),
        ] {
            let reply = emil.post(&format!("{of_anna}/{deed}"), &[(field, ANNA)]).await;
            assert_eq!(reply.status, 404, "{deed}");
        }
        for (path, fields) in [
            ("hold", [("reason", "Case 12/26"), ("until", "2027-01-01")]),
            ("hold/lift", [("reason", "it is settled"), ("until", "")]),
        ] {
            assert_eq!(emil.post(&format!("{of_anna}/{path}"), &fields).await.status, 403, "an owner of all brands does that");
        }
        for path in ["/admin/settings/brands/acme", "/admin/forms/news", "/admin/forms/news/edit", &format!("/admin/shown/{version}")] {
            assert_eq!(emil.get(path).await.status, 404, "{path}");
        }
        let brand_fields = [("name", "Mine now"), ("revision", revision.as_str()), ("sets_law", "yes"), ("overlays", "de")];
        assert_eq!(emil.post("/admin/settings/brands/acme", &brand_fields).await.status, 404);
        assert_eq!(emil.post("/admin/settings/new-brand", &[("slug", "mine")]).await.status, 403);
        assert_eq!(emil.post("/admin/forms/news/retire", &[("revision", &revision), ("name", "news")]).await.status, 404);
        let named = [("brand", "acme"), ("address", ANNA), ("reason", "asked by letter")];
        for deed in ["", "/add", "/lift"] {
            let reply = emil.post(&format!("/admin/settings/suppressions{deed}"), &named).await;
            assert_eq!(reply.location(), "/admin/settings", "{deed}");
        }
        assert!(world.app.suppressed(&acme, ANNA).await.unwrap().is_none());
        assert_eq!(world.app.catalog().brand_by_slug("acme").unwrap().declared.name, "Acme Letters");
        assert_eq!(world.kinds(ANNA).await, before, "nothing happened to her");
        // Whoever works for the brand finds and does all of it.
        assert_eq!(anke.get(&format!("{of_anna}?purposes_format=csv")).await.status, 200);
        let added = anke.post("/admin/settings/suppressions/add", &named).await;
        assert_eq!(added.status, 200);
        assert!(world.app.suppressed(&acme, ANNA).await.unwrap().is_some());
        world.finish().await;
    }

    async fn no_page_and_no_file_tells_of_another_brand_whatever_its_address_asks(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let contact = confirmed(&world, ANNA).await;
        world.signed_up("fail@acme-only.example", "192.0.2.9").await;
        world.deliver().await;
        world.signed_up("fail@acme-only.example", "192.0.2.9").await;
        crate::figures::count(&world).await;
        let mut olga = signed_in(&world, "olga").await;
        let hold = [("reason", "Case 12/26"), ("until", "2027-01-01")];
        assert_eq!(olga.post(&format!("/admin/contacts/acme/{contact}/hold"), &hold).await.status, 303);
        let suppress = [("brand", "acme"), ("address", "gone@acme-only.example"), ("reason", "asked by letter")];
        olga.post("/admin/settings/suppressions/add", &suppress).await;
        let hash = olga.get("/admin/settings/suppressions?brand=acme&format=csv").await.text();
        let hash = hash.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
        let (mut emil, mut anke) = editors(&world).await;
        let words = [ANNA, "Acme", "acme-only", "Case 12/26", "news-two", hash.as_str()];
        for (path, shows) in [
            ("/admin?brand=acme", true),
            ("/admin?brand=acme&format=csv", true),
            ("/admin?brand=acme&forms_format=csv", true),
            ("/admin?brand=acme&domains_format=csv", true),
            ("/admin?brand=acme&failed_format=csv", false),
            ("/admin/contacts?brand=acme", true),
            ("/admin/contacts/held?brand=acme", true),
            ("/admin/contacts/held?brand=acme&sort=-since&format=csv", true),
            ("/admin/forms?format=csv", true),
            ("/admin/imports?format=csv", false),
            ("/admin/campaigns?format=csv", false),
            ("/admin/delivery?show=waiting&format=csv", false),
            ("/admin/delivery?domains_format=csv", true),
            ("/admin/policy?brand=acme", true),
            ("/admin/policy?brands_format=csv", true),
            ("/admin/settings?format=csv", true),
            ("/admin/settings/suppressions?brand=acme&format=csv", true),
            ("/admin/evidence/sealed?brand=acme", false),
        ] {
            let reply = emil.get(path).await;
            assert_eq!(reply.status, 200, "{path}");
            let text = reply.text();
            // The field of a form that chooses a brand may repeat what was asked.
            let found: Vec<_> = words.iter().filter(|word| text.contains(**word)).collect();
            assert!(found.is_empty(), "{path}: {found:?} in {text}");
            let own = anke.get(path).await.text();
            let tells = words.iter().any(|word| own.contains(word));
            assert!(tells || !shows, "{path} has nothing to hide: {own}");
        }
        let taken = emil.post("/admin/contacts/list", &[("brand", "acme")]).await;
        assert_eq!(taken.location(), "/admin/contacts");
        let searched = emil.post("/admin/contacts", &[("brand", "acme"), ("q", ANNA)]).await;
        assert!(!searched.text().contains("Acme"), "{}", searched.text());
        world.end().await;
    }

    async fn what_an_audit_found_is_read_by_whoever_works_for_all_brands_and_others_learn_how_much(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let (mut emil, _) = editors(&world).await;
        let found = serde_json::json!({
            "by": "olga", "ended_at": world.clock.now(), "seconds": 1, "entries": 9, "checkpoints": 1, "timestamps": 0, "emptied": 0,
            "findings": ["the mailbox 00ff of a contact of Acme"], "more": 3, "remarks": ["of the brand Acme"],
        });
        let keep = format!("insert into setting (key, value) values ('last_audit', '{found}')");
        world.sql(&keep).await.unwrap();
        let page = emil.get("/admin/evidence").await.text();
        assert!(page.contains("Something does not hold") && page.contains("Findings: 4."), "{page}");
        assert!(!page.contains("00ff") && !page.contains("of the brand Acme"), "{page}");
        assert!(!page.contains("action=\"/admin/evidence/"), "neither may be asked for: {page}");
        for deed in ["verify", "timestamp"] {
            assert_eq!(emil.post(&format!("/admin/evidence/{deed}"), &[]).await.status, 403, "{deed}");
        }
        assert!(world.app.auditing.running().is_none());
        let mut olga = signed_in(&world, "olga").await;
        let page = olga.get("/admin/evidence").await.text();
        assert!(page.contains("the mailbox 00ff") && page.contains("of the brand Acme") && page.contains("Check now"), "{page}");
        world.end().await;
    }
}
