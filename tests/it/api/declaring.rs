//! Brands, purposes and forms over the API: read as they are declared, and declared anew.

use countersign::domain::api_key::Scope;
use serde_json::{Value, json};

use super::erasing::deeds;
use super::{key, problem, program, with_key};
use crate::harness::World;
use crate::on_both_engines;

const PATH: &str = "/api/v1/declarations";

fn steps(answer: &Value) -> Vec<String> {
    let steps = answer["steps"].as_array().unwrap();
    let words = steps.iter().map(|one| {
        format!(
            "{} {}",
            one["step"].as_str().unwrap(),
            one["slug"].as_str().unwrap()
        )
    });
    words.collect()
}

on_both_engines! {
    async fn what_is_declared_is_read_changed_planned_and_applied_and_versions_stay(engine: Engine) {
        let world = World::on(engine).await;
        let mut crm = program(&world, &[Scope::CatalogRead, Scope::CatalogWrite]).await;
        let read = crm.get("/api/v1/brands/acme").await;
        assert_eq!(read.status, 200, "{}", read.text());
        let read = read.json();
        let mut brand = read["declared"].clone();
        let revision = read["revision"].clone();
        let same = crm.post_json(PATH, &json!({"brands": [brand]})).await;
        assert_eq!(same.status, 200, "{}", same.text());
        assert_eq!(same.json(), json!({"applied": false, "steps": [], "revision": revision}), "declared again it changes nothing");
        let before = crm.get("/api/v1/forms/news/versions").await.json();
        assert_eq!((before["items"].as_array().unwrap().len(), &before["items"][0]["current"]), (1, &json!(true)));

        let forms = brand["form"].as_array_mut().unwrap();
        let news = forms.iter_mut().find(|form| form["slug"] == "news").unwrap();
        news["title"] = json!({"en": "Letters from the mill"});
        forms.retain(|form| form["slug"] != "news-three");
        forms.push(json!({"slug": "fair", "purposes": ["newsletter"]}));
        brand["legal_name"] = json!("Acme Letters Limited");
        let wanted = json!({"dry_run": true, "revision": revision, "brands": [brand]});
        let planned = crm.post_json(PATH, &wanted).await.json();
        assert_eq!(planned["applied"], json!(false));
        let plan = steps(&planned);
        for step in ["change_brand acme", "new_version news", "add_form fair", "retire_form news-three"] {
            assert!(plan.contains(&step.to_owned()), "{step}: {plan:?}");
        }
        assert_eq!(crm.get("/api/v1/brands/acme").await.json()["revision"], revision, "a plan changes nothing");
        assert!(deeds(&world, "k0").await.is_empty());
        world.advance(1);
        let wanted = json!({"revision": revision, "brands": [brand]});
        let applied = crm.post_json(PATH, &wanted).await.json();
        assert_eq!((&applied["applied"], steps(&applied)), (&json!(true), plan));
        assert_eq!(world.client("192.0.2.1").get("/f/fair").await.status, 200);
        assert!(world.client("192.0.2.1").get("/f/news").await.text().contains("Letters from the mill"));
        let after = crm.get("/api/v1/forms/news/versions").await.json();
        let kept = after["items"].as_array().unwrap();
        assert_eq!((kept.len(), &kept[1]["version"], &kept[1]["current"]), (2, &before["items"][0]["version"], &json!(false)));
        assert_eq!(problem(&crm.get("/api/v1/forms/news-three/versions").await).0, 404);
        // Whoever read it before that is told.
        assert_eq!(problem(&crm.post_json(PATH, &wanted).await).0, 409);
        assert_eq!(deeds(&world, "k0").await.matches("changed brands and forms").count(), 1);
        world.finish().await;
    }

    async fn a_purpose_that_is_left_out_is_told_with_how_many_hold_consent_for_it(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        let mut crm = program(&world, &[Scope::CatalogRead, Scope::CatalogWrite]).await;
        let mut brand = crm.get("/api/v1/brands/acme").await.json()["declared"].clone();
        brand["purpose"].as_array_mut().unwrap().retain(|one| one["slug"] == "events");
        for form in brand["form"].as_array_mut().unwrap() {
            form["purposes"] = json!(["events"]);
            form["choices"] = json!([]);
        }
        let step = json!({
            "step": "remove_purpose", "slug": "newsletter", "version": null,
            "removed": {"brand": "acme", "contacts": 1, "or_more": false}
        });
        for dry_run in [true, false] {
            let told = crm.post_json(PATH, &json!({"dry_run": dry_run, "brands": [brand]})).await.json();
            let steps = told["steps"].as_array().unwrap();
            assert!(steps.contains(&step) && told["applied"] == json!(!dry_run), "{told}");
        }
        world.finish().await;
    }

    async fn a_new_brand_is_declared_and_what_is_wrong_changes_nothing(engine: Engine) {
        let world = World::on(engine).await;
        let mut crm = program(&world, &[Scope::CatalogRead, Scope::CatalogWrite]).await;
        let third = json!({
            "slug": "third", "name": "Third", "legal_name": "Third Ltd", "postal_address": ["3 Mill Lane"],
            "contact": "privacy@third.example", "from_address": "letters@third.example",
            "purpose": [{"slug": "news", "name": {"en": "News"}, "wording": {"en": "News."}}],
            "form": [{"slug": "third", "purposes": ["news"]}]
        });
        for (change, status) in [
            (json!({"slug": "Third"}), 422),
            (json!({"colour": "red"}), 422),
            (json!({"accent": "red"}), 422),
            (json!({"form": [{"slug": "third", "purposes": ["none"]}]}), 422),
            (json!({"form": [{"slug": "news", "purposes": ["news"]}]}), 422),
            (json!({"from_address": null}), 422),
            (json!({"from_address": "nonsense"}), 422),
            (json!({"purpose": [{"slug": "news", "name": {"de": "Neues"}, "wording": {"de": "Neues."}}]}), 422),
        ] {
            let mut wrong = third.clone();
            for (name, value) in change.as_object().unwrap() {
                wrong[name] = value.clone();
            }
            let body = json!({"brands": [third.clone(), wrong]});
            assert_eq!(problem(&crm.post_json(PATH, &body).await).0, status, "{change}");
        }
        assert_eq!(problem(&crm.post_json(PATH, &json!({"brands": []})).await).0, 422);
        assert_eq!(problem(&crm.post_json(PATH, &json!({"brands": [third, third]})).await).0, 422);
        assert_eq!(problem(&crm.get("/api/v1/brands/third").await).0, 404);
        let done = crm.post_json(PATH, &json!({"brands": [third]})).await;
        assert_eq!(steps(&done.json()), ["add_brand third", "add_form third"]);
        assert_eq!(world.client("192.0.2.1").get("/f/third").await.status, 200);
        // Brands that were not named stay as they are.
        assert_eq!(world.client("192.0.2.1").get("/f/news").await.status, 200);
        // A key of one brand changes that one, and makes no other.
        let mut other = with_key(&world, &key(&world, &[Scope::CatalogRead, Scope::CatalogWrite], Some("other")).await);
        let mut fourth = third.clone();
        fourth["slug"] = json!("fourth");
        assert_eq!(problem(&other.post_json(PATH, &json!({"brands": [fourth]})).await).0, 422);
        assert_eq!(problem(&other.post_json(PATH, &json!({"brands": [third]})).await).0, 422);
        let mut own = other.get("/api/v1/brands/other").await.json()["declared"].clone();
        own["name"] = json!("Another Brand");
        assert_eq!(steps(&other.post_json(PATH, &json!({"brands": [own]})).await.json())[0], "change_brand other");
        world.finish().await;
    }
}
