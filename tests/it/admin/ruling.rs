//! Who may do what: given by an owner who knows their password, for brands that there are.

use countersign::app::App;
use countersign::app::acted::deeds_of;
use countersign::app::apply::{apply, parse};
use countersign::app::operators;
use countersign::clock::Random;
use countersign::domain::ids::OperatorId;
use countersign::domain::sentence::sentence;

use super::signing_in::{PASSWORD, signed_in};
use crate::harness::{DECLARATIONS, World, add_owner};
use crate::on_both_engines;

const FRESH: &str = "
[[brand]]
slug = \"fresh\"
name = \"Fresh Brand\"
legal_name = \"Fresh Brand BV\"
postal_address = [\"3 Mill Lane\"]
contact = \"privacy@fresh.example\"
from_address = \"letters@fresh.example\"

[[brand.purpose]]
slug = \"newsletter\"
name = { en = \"Newsletter\" }
wording = { en = \"News.\" }

[[brand.form]]
slug = \"fresh\"
purposes = [\"newsletter\"]
";

async fn id_of(world: &World, name: &str) -> OperatorId {
    let all = operators::list(&world.app.store).await.unwrap();
    let one = all.iter().find(|one| one.operator.name == name).unwrap();
    one.operator.id
}

/// What an operator did, as the log says it.
pub async fn said(world: &World, name: &str) -> Vec<String> {
    let deeds = deeds_of(&world.app.store, id_of(world, name).await, 100);
    deeds.await.unwrap().iter().map(sentence).collect()
}

on_both_engines! {
    async fn a_brand_of_which_this_process_was_not_told_yet_is_found_and_an_unknown_one_is_refused(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut olga = signed_in(&world, "olga").await;
        // Another process is told of a brand; this one still has the older catalog.
        let other = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(8)).await.unwrap();
        apply(&other, &parse(&format!("{DECLARATIONS}{FRESH}")).unwrap()).await.unwrap();
        assert!(world.app.catalog().brand_by_slug("fresh").is_none());
        let emil = [("name", "emil"), ("password", PASSWORD), ("role", "editor"), ("current", PASSWORD)];
        let with = |fields: &[(&'static str, &'static str)], brand: (&'static str, &'static str)| {
            let mut fields = fields.to_vec();
            fields.push(brand);
            fields
        };
        let refused = olga.post("/admin/settings/operators", &with(&emil, ("brands", "nowhere"))).await;
        assert!(refused.status == 422 && refused.text().contains("there is no brand &#34;nowhere&#34;"), "{}", refused.text());
        let key = [("name", "crm"), ("scopes", "catalog:read")];
        let refused = olga.post("/admin/settings/keys", &with(&key, ("brand", "nowhere"))).await;
        assert!(refused.status == 422 && refused.text().contains("there is no brand"), "{}", refused.text());
        let hook = [("url", "https://hooks.example/countersign"), ("kinds", "erased")];
        let refused = olga.post("/admin/settings/webhooks", &with(&hook, ("brand", "nowhere"))).await;
        assert!(refused.status == 422 && refused.text().contains("there is no brand"), "{}", refused.text());
        assert_eq!(operators::list(&world.app.store).await.unwrap().len(), 1);
        assert!(world.app.api_keys().await.unwrap().is_empty() && world.app.webhooks().await.unwrap().is_empty());

        let added = olga.post("/admin/settings/operators", &with(&emil, ("brands", "fresh"))).await;
        assert_eq!(added.location(), "/admin/settings/operators?done=added", "{}", added.text());
        let fresh = other.catalog().brand_by_slug("fresh").unwrap().id;
        let all = operators::list(&world.app.store).await.unwrap();
        assert_eq!(all.iter().find(|one| one.operator.name == "emil").unwrap().operator.brands, [fresh]);
        assert_eq!(olga.post("/admin/settings/keys", &with(&key, ("brand", "fresh"))).await.status, 200);
        assert_eq!(world.app.api_keys().await.unwrap()[0].brand, Some(fresh));
        let page = olga.get("/admin/settings/operators/emil").await.text();
        assert!(page.contains("value=\"fresh\" checked"), "{page}");
        world.end().await;
    }

    async fn what_an_owner_does_about_operators_takes_their_password_and_reaches_not_themselves(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        operators::add(&world.app, None, "emil", PASSWORD, (countersign::domain::operator::Role::Owner, &[])).await.unwrap();
        let mut olga = signed_in(&world, "olga").await;
        let mut emil = signed_in(&world, "emil").await;
        for deed in ["password", "factors", "disable"] {
            let fields = [("do", deed), ("password", "another long password"), ("current", PASSWORD)];
            let refused = olga.post("/admin/settings/operators/olga", &fields).await;
            assert!(refused.status == 422 && refused.text().contains("this is you"), "{deed}: {}", refused.text());
            for current in ["", "guessed by a thief"] {
                let fields = [("do", deed), ("password", "another long password"), ("current", current)];
                let refused = olga.post("/admin/settings/operators/emil", &fields).await;
                assert!(refused.status == 422 && refused.text().contains("your own password"), "{deed}: {}", refused.text());
            }
        }
        let up = [("do", "change"), ("role", "viewer"), ("current", "guessed by a thief")];
        assert_eq!(olga.post("/admin/settings/operators/emil", &up).await.status, 422);
        let new = [("name", "otto"), ("password", PASSWORD), ("role", "owner"), ("current", "")];
        assert_eq!(olga.post("/admin/settings/operators", &new).await.status, 422);
        assert_eq!(operators::list(&world.app.store).await.unwrap().len(), 2);
        assert_eq!((olga.get("/admin").await.status, emil.get("/admin").await.status), (200, 200), "nobody's sessions ended");
        assert_eq!(said(&world, "olga").await.len(), 1, "signing in");
        let fields = [("do", "disable"), ("current", PASSWORD)];
        let done = olga.post("/admin/settings/operators/emil", &fields).await;
        assert_eq!(done.location(), "/admin/settings/operators?done=disabled", "{}", done.text());
        assert_eq!(emil.get("/admin").await.status, 303);
        world.end().await;
    }

    async fn files_whose_lines_may_name_people_are_deeds_and_so_is_a_test_of_a_webhook(engine: Engine) {
        let world = World::with(engine, crate::webhooks::PRIVATE).await;
        add_owner(&world.app).await;
        let mut olga = signed_in(&world, "olga").await;
        let (hook, _) = crate::webhooks::hook(&world, "http://127.0.0.1:1/".to_owned(), &[]).await;
        let path = format!("/admin/settings/webhooks/{hook}");
        assert_eq!(olga.get("/admin/delivery?show=failed").await.status, 200);
        assert_eq!(olga.get("/admin/delivery?show=failed&format=csv").await.status, 200);
        assert_eq!(olga.get(&format!("{path}?format=csv")).await.status, 200);
        assert_eq!(olga.post(&path, &[("do", "test")]).await.status, 200);
        let did = said(&world, "olga").await;
        assert_eq!(did[1..], [
            "olga took a list along from 192.0.2.1: failed mails of the outbox.".to_owned(),
            format!("olga took a list along from 192.0.2.1: deliveries of the webhook {hook}."),
            format!("olga sent a test message to a webhook from 192.0.2.1: {hook}."),
        ]);
        world.end().await;
    }
}
