//! Campaigns over the API: counted, looked over, started, released by hand, paused, cancelled.

use countersign::domain::api_key::Scope;
use countersign::domain::policy::Source;
use serde_json::{Value, json};

use super::erasing::deeds;
use super::{problem, program};
use crate::campaign::work;
use crate::harness::{Client, World};
use crate::import::storing::List;
use crate::jobs::work as prepare;
use crate::on_both_engines;

pub const DRAFTS: &str = "/api/v1/campaign-drafts";

async fn people(world: &World) {
    let booth = "email,event,kind,date\nanna@example.org,Fair,badge,2026-11-01\nben@example.org,Fair,badge,2026-11-01\n";
    let staff = "email,employer,benefit,date\ncleo@example.org,Mill,bicycles,2026-10-01\ndan@example.org,Mill,bicycles,2026-10-01\n";
    for (name, text, source) in [
        ("booth", booth, Source::EventBooth),
        ("staff", staff, Source::EmployerList),
    ] {
        let list = List {
            name,
            text,
            source: Some(source),
        };
        assert_eq!(list.take_in(world).await.new, 2);
    }
}

pub fn wanted(name: &str) -> Value {
    json!({"brand": "acme", "name": name, "kind": "invitation", "purpose": "newsletter", "form": "news", "rate": 0})
}

/// A campaign that was counted and started; answers with its path.
pub async fn started(world: &World, program: &mut Client, wanted: &Value) -> String {
    let draft = program.post_json(DRAFTS, wanted).await;
    assert_eq!(draft.status, 202, "{}", draft.text());
    prepare(&world.app).await;
    let path = format!("{DRAFTS}/{}/start", draft.json()["id"].as_str().unwrap());
    let started = program.send("POST", &path, None, b"").await;
    assert_eq!(started.status, 201, "{}", started.text());
    format!(
        "/api/v1/campaigns/{}",
        started.json()["id"].as_str().unwrap()
    )
}

async fn act(program: &mut Client, path: &str, verb: &str) -> Value {
    let reply = program
        .send("POST", &format!("{path}/{verb}"), None, b"")
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn addresses(program: &mut Client, path: &str, state: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut page = format!("{path}/people?state={state}&limit=1");
    loop {
        let reply = program.get(&page).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let reply = reply.json();
        let items = reply["items"].as_array().unwrap();
        found.extend(
            items
                .iter()
                .map(|one| one["address"].as_str().unwrap().to_owned()),
        );
        match reply["next"].as_str() {
            Some(next) => page = format!("{path}/people?state={state}&limit=1&after={next}"),
            None => break,
        }
    }
    found.sort();
    found
}

on_both_engines! {
    async fn a_campaign_is_counted_looked_over_started_released_paused_and_cancelled(engine: Engine) {
        let world = World::on(engine).await;
        people(&world).await;
        let scopes = [Scope::CampaignsRead, Scope::CampaignsWrite, Scope::ContactsRead];
        let mut crm = program(&world, &scopes).await;
        let mut wanted = wanted("spring");
        wanted["note"] = json!("We met at the fair.");
        let draft = crm.post_json(DRAFTS, &wanted).await;
        assert_eq!(draft.status, 202, "{}", draft.text());
        let draft = draft.json();
        assert_eq!((&draft["stage"], &draft["asked"]), (&json!("trying"), &json!(null)));
        let path = format!("{DRAFTS}/{}", draft["id"].as_str().unwrap());
        assert_eq!(problem(&crm.send("POST", &format!("{path}/start"), None, b"").await).0, 409, "not counted yet");
        prepare(&world.app).await;
        // Whoever lost the answer finds it again.
        world.advance(1);
        let second = crm.post_json(DRAFTS, &crate::api::campaigning::wanted("autumn")).await.json();
        let page = crm.get(&format!("{DRAFTS}?brand=acme&limit=1")).await.json();
        assert_eq!((&page["items"][0]["id"], &page["items"][0]["name"]), (&second["id"], &json!("autumn")), "{page}");
        let next = page["next"].as_str().unwrap();
        let page = crm.get(&format!("{DRAFTS}?brand=acme&limit=1&after={next}")).await.json();
        assert_eq!((&page["items"][0]["id"], &page["items"][0]["asked"]), (&draft["id"], &json!(2)), "{page}");
        assert_eq!(crm.get(&format!("{DRAFTS}?brand=other")).await.json(), json!({"items": []}));
        assert_eq!(problem(&crm.get(&format!("{DRAFTS}?brand=nowhere")).await).0, 422);
        let counted = crm.get(&path).await.json();
        assert_eq!((&counted["stage"], &counted["asked"], &counted["held"]), (&json!("tried"), &json!(2), &json!(2)), "{counted}");
        let mail = crm.get(&format!("{path}/mail")).await.json();
        assert!(mail["text"].as_str().unwrap().contains("We met at the fair."), "{mail}");
        assert!(mail["to"].as_str().unwrap().ends_with("@example.org"), "{mail}");
        assert!(world.caught().is_empty(), "nobody is asked before it is started");
        let started = crm.send("POST", &format!("{path}/start"), None, b"").await;
        assert_eq!(started.status, 201, "{}", started.text());
        assert_eq!(problem(&crm.get(&path).await).0, 404, "it is no draft any more");
        let path = format!("/api/v1/campaigns/{}", started.json()["id"].as_str().unwrap());
        work(&world).await;
        let now = crm.get(&path).await.json();
        assert_eq!((&now["asked"], &now["held"], &now["accepted"], &now["brand"]), (&json!(2), &json!(2), &json!(2), &json!("acme")), "{now}");
        assert_eq!(addresses(&mut crm, &path, "held").await, ["cleo@example.org", "dan@example.org"]);
        assert_eq!(addresses(&mut crm, &path, "asked").await, ["anna@example.org", "ben@example.org"]);

        let release = format!("{path}/release");
        let both = json!({"addresses": ["cleo@example.org", "nobody@example.org"]});
        assert_eq!(problem(&crm.post_json(&release, &both).await).0, 409, "all of them, or none");
        assert_eq!(problem(&crm.post_json(&release, &json!({"addresses": []})).await).0, 422);
        let released = crm.post_json(&release, &json!({"addresses": ["cleo@example.org"]})).await;
        assert_eq!((released.status, released.json()), (200, json!({"released": 1})));
        assert_eq!(act(&mut crm, &path, "pause").await["state"], json!("paused"));
        work(&world).await;
        assert!(!world.caught().iter().any(|mail| mail.to == "cleo@example.org"), "it is paused");
        assert_eq!(act(&mut crm, &path, "resume").await["state"], json!("running"));
        work(&world).await;
        assert!(world.caught().iter().any(|mail| mail.to == "cleo@example.org"));
        assert_eq!(act(&mut crm, &path, "cancel").await["state"], json!("cancelled"));
        assert_eq!(problem(&crm.send("POST", &format!("{path}/resume"), None, b"").await).0, 409);
        let did = deeds(&world, "k0").await;
        for deed in ["started a campaign", "paused a campaign", "let a campaign go on", "cancelled a campaign", "released a request to one person"] {
            assert!(did.contains(deed), "{deed}: {did}");
        }
        assert!(!did.contains('@'), "{did}");
        world.finish().await;
    }

    async fn every_kind_has_its_parameters_and_what_is_wrong_is_told(engine: Engine) {
        let world = World::on(engine).await;
        people(&world).await;
        let mut crm = program(&world, &[Scope::CampaignsRead, Scope::CampaignsWrite]).await;
        let with = |more: Value| {
            let mut all = wanted("summer");
            for (name, value) in more.as_object().unwrap() {
                all[name] = value.clone();
            }
            all
        };
        for more in [
            json!({"kind": "spam"}),
            json!({"purpose": "none"}),
            json!({"purpose": "NONE"}),
            json!({"form": "none"}),
            json!({"form": "other"}),
            json!({"import": "none"}),
            json!({"name": ""}),
            json!({"old_brand": "Mill"}),
            json!({"kind": "merger_notice"}),
            json!({"hours": [9]}),
            json!({"hours": [17, 9]}),
            json!({"answer_within": 91}),
            json!({"remind_after": 30}),
            json!({"lapse_unanswered_on": "soon"}),
            json!({"lapse_unanswered_on": "2027-01-01"}),
            json!({"stop_at_failed": 0}),
            json!({"stop_at_complaints": 0}),
            json!({"warm_up": vec![1; 366]}),
            json!({"brand": "none"}),
        ] {
            assert_eq!(problem(&crm.post_json(DRAFTS, &with(more.clone())).await).0, 422, "{more}");
        }
        for (name, more, asked, held) in [
            ("one", json!({"import": "staff", "hours": [9, 17], "warm_up": [50, 200], "remind_after": 7}), 0, 2),
            ("two", json!({"kind": "reconfirmation", "lapse_unanswered_on": "2027-12-31"}), 2, 0),
            ("three", json!({"kind": "merger_notice", "old_brand": "Mill Letters", "note": "Acme bought it."}), 0, 0),
        ] {
            let mut wanted = with(more);
            wanted["name"] = json!(name);
            let draft = crm.post_json(DRAFTS, &wanted).await;
            assert_eq!(draft.status, 202, "{}", draft.text());
            prepare(&world.app).await;
            let path = format!("{DRAFTS}/{}", draft.json()["id"].as_str().unwrap());
            let counted = crm.get(&path).await.json();
            assert_eq!((&counted["asked"], &counted["held"]), (&json!(asked), &json!(held)), "{counted}");
            assert_eq!(crm.send("DELETE", &path, None, b"").await.status, 204);
        }
        // One after another, the newest first; a name is taken once.
        let path = started(&world, &mut crm, &wanted("a")).await;
        act(&mut crm, &path, "cancel").await;
        world.advance(1);
        let path = started(&world, &mut crm, &wanted("b")).await;
        act(&mut crm, &path, "cancel").await;
        let first = crm.get("/api/v1/campaigns?brand=acme&limit=1").await.json();
        let next = first["next"].as_str().unwrap();
        let second = crm.get(&format!("/api/v1/campaigns?brand=acme&limit=1&after={next}")).await.json();
        assert_eq!((&first["items"][0]["name"], &second["items"][0]["name"]), (&json!("b"), &json!("a")));
        let draft = crm.post_json(DRAFTS, &wanted("a")).await.json();
        prepare(&world.app).await;
        let path = format!("{DRAFTS}/{}/start", draft["id"].as_str().unwrap());
        assert_eq!(problem(&crm.send("POST", &path, None, b"").await).0, 409);
        world.finish().await;
    }
}
