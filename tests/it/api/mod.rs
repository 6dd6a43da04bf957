//! The API: who gets in, what is refused and how, and what it does.

mod campaigning;
mod declaring;
mod description;
pub mod erasing;
mod examples;
pub mod importing;
mod limits;
mod operating;
mod repeated;
mod signups;
mod tester;

use countersign::app::keys::NewKey;
use countersign::domain::api_key::Scope;
use countersign::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, World};
use crate::on_both_engines;

pub const BACKEND: &str = "192.0.2.200";

/// A key with these scopes; for one brand, if one is named.
pub async fn key(world: &World, scopes: &[Scope], brand: Option<&str>) -> String {
    let catalog = world.app.catalog();
    let new = NewKey {
        name: format!("k{}", world.app.api_keys().await.unwrap().len()),
        scopes: scopes.to_vec(),
        brand: brand.map(|slug| catalog.brand_by_slug(slug).unwrap().clone()),
        expires_at: None,
    };
    world.app.add_key(None, new).await.unwrap().1
}

/// A program with a key of its own.
pub async fn program(world: &World, scopes: &[Scope]) -> Client {
    with_key(world, &key(world, scopes, None).await)
}

pub fn with_key(world: &World, key: &str) -> Client {
    world
        .client(BACKEND)
        .with("authorization", &format!("Bearer {key}"))
}

/// A refusal: its status and the last part of its type.
pub fn problem(reply: &Reply) -> (u16, String) {
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{}",
        reply.text()
    );
    let document = reply.json();
    assert_eq!(document["status"], json!(reply.status));
    let kind = document["type"].as_str().unwrap();
    (reply.status, kind.rsplit('-').next().unwrap().to_owned())
}

pub async fn signed_up(program: &mut Client, email: &str) -> Reply {
    let body = json!({"form": "news", "email": email});
    let reply = program.post_json("/api/v1/signups", &body).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    reply
}

async fn permissions(program: &mut Client, addresses: &[String]) -> Vec<Value> {
    let body = json!({"brand": "acme", "purpose": "newsletter", "addresses": addresses});
    let reply = program.post_json("/api/v1/permissions", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

on_both_engines! {
    async fn without_a_key_that_holds_nobody_gets_in(engine: Engine) {
        let world = World::on(engine).await;
        let refused = world.client(BACKEND).get("/api/v1/brands").await;
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        assert_eq!(problem(&refused).0, 401);
        let secret = key(&world, &[Scope::CatalogRead], None).await;
        assert!(secret.starts_with("csk_") && secret.len() == 47);
        assert_eq!(with_key(&world, &secret).get("/api/v1/brands").await.status, 200);
        for wrong in [secret.replace("csk_", "csk-"), format!("{secret}x"), format!("{}x", &secret[..46]), "csk_".into()] {
            assert_eq!(problem(&with_key(&world, &wrong).get("/api/v1/brands").await).0, 401, "{wrong}");
        }
        let known = world.app.api_keys().await.unwrap();
        assert_eq!(known[0].used_day, Some(20_780), "the day of its use");
        world.app.revoke_key(None, "k0").await.unwrap();
        assert_eq!(problem(&with_key(&world, &secret).get("/api/v1/brands").await).0, 401);
        assert!(world.app.revoke_key(None, "k0").await.is_err());
        world.finish().await;
    }

    async fn a_key_ends_at_its_time(engine: Engine) {
        let world = World::on(engine).await;
        let until = Timestamp::from_micros(crate::harness::START.micros() + 60_000_000);
        let new = NewKey { name: "short".into(), scopes: vec![Scope::CatalogRead], brand: None, expires_at: Some(until) };
        let (_, secret) = world.app.add_key(None, new.clone()).await.unwrap();
        assert!(world.app.add_key(None, new).await.is_err(), "the name is taken");
        let mut program = with_key(&world, &secret);
        assert_eq!(program.get("/api/v1/brands").await.status, 200);
        world.advance(60);
        assert_eq!(program.get("/api/v1/brands").await.status, 401);
        world.finish().await;
    }

    async fn a_key_may_do_what_its_scopes_say_and_nothing_else(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, &[Scope::CatalogRead]).await;
        let refused = program.post_json("/api/v1/signups", &json!({"form": "news", "email": "a@example.org"})).await;
        assert_eq!(problem(&refused), (403, "forbidden".into()));
        assert!(refused.text().contains("signups:write"));
        world.finish().await;
    }

    async fn a_key_of_one_brand_does_not_learn_of_others(engine: Engine) {
        let world = World::on(engine).await;
        let scopes = [Scope::CatalogRead, Scope::SignupsWrite, Scope::ContactsRead, Scope::PermissionsRead];
        let secret = key(&world, &scopes, Some("other")).await;
        let mut program = with_key(&world, &secret);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        let brands = program.get("/api/v1/brands").await.json();
        assert_eq!(brands["items"].as_array().unwrap().len(), 1);
        let there = program.post_json("/api/v1/contacts/find", &json!({"brand": "acme", "address": "anna@example.org"})).await;
        let nowhere = program.post_json("/api/v1/contacts/find", &json!({"brand": "none", "address": "anna@example.org"})).await;
        assert_eq!((there.status, there.text()), (nowhere.status, nowhere.text()));
        let signup = program.post_json("/api/v1/signups", &json!({"form": "news", "email": "b@example.org"})).await;
        assert_eq!(problem(&signup).0, 422);
        // By its id, which it cannot know.
        let mut whole = self::program(&world, &[Scope::ContactsRead]).await;
        let found = whole.post_json("/api/v1/contacts/find", &json!({"brand": "acme", "address": "anna@example.org"})).await;
        let id = found.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(whole.get(&format!("/api/v1/contacts/{id}")).await.status, 200);
        assert_eq!(problem(&program.get(&format!("/api/v1/contacts/{id}")).await).0, 404);
        world.finish().await;
    }

    async fn every_refusal_is_a_problem_document_whatever_is_wrong(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, Scope::ALL).await;
        for path in ["/api", "/api/", "/api/v1", "/api/v2/signups", "/api/v1/contacts/nobody", "/api/v1/contacts/a/b/c"] {
            assert_eq!(problem(&program.get(path).await).0, 404, "{path}");
        }
        let no_method = program.get("/api/v1/signups").await;
        assert_eq!((problem(&no_method).0, no_method.header("allow")), (405, Some("POST")));
        let both = program.send("PATCH", "/api/v1/webhooks", None, b"").await;
        assert_eq!(both.header("allow"), Some("GET, POST"));
        let form = program.post("/api/v1/signups", &[("email", "a@example.org")]).await;
        assert_eq!(problem(&form).0, 415);
        for (body, status) in [
            ("{", 400),
            ("", 400),
            ("[]", 422),
            (r#"{"form":"news"}"#, 422),
            (r#"{"form":"news","email":7}"#, 422),
            (r#"{"form":"news","email":"a@example.org","emial":"x"}"#, 422),
            (r#"{"form":"news","email":"a@example.org","email":"b@example.org"}"#, 422),
            (r#"{"form":"news","email":"a@example.org","name":"\u0000"}"#, 422),
            (r#"{"form":"news","email":"a@example.org","ip":"300.1.1.1"}"#, 422),
            (r#"{"form":"news","email":"a@example.org","entered_at":"yesterday"}"#, 422),
            (r#"{"form":"news","email":"nobody"}"#, 422),
            (r#"{"form":"news","email":"a@example.org","purpose":["none"]}"#, 422),
            (r#"{"form":"none","email":"a@example.org"}"#, 422),
        ] {
            let reply = program.send("POST", "/api/v1/signups", Some("application/json"), body.as_bytes()).await;
            assert_eq!(problem(&reply).0, status, "{body}");
        }
        let unknown = program.send("POST", "/api/v1/signups", Some("application/json"), br#"{"emial":"x"}"#).await;
        assert!(unknown.text().contains("unknown field `emial`, expected one of `form`, `email`"), "{}", unknown.text());
        let large = vec![b' '; (64 << 10) + 1];
        let large = program.send("POST", "/api/v1/signups", Some("application/json"), &large).await;
        assert_eq!(problem(&large).0, 413);
        for query in ["?limit=0", "?limit=501", "?limit=x", "?after=x", "?after=aTE", "?type=none", "?before=1"] {
            assert_eq!(problem(&program.get(&format!("/api/v1/events{query}")).await).0, 400, "{query}");
        }
        world.finish().await;
    }

    async fn a_key_has_so_many_requests_a_minute_and_is_told_with_each(engine: Engine) {
        let world = World::with(engine, "[api]\nrequests_a_minute = 3\n").await;
        let mut program = program(&world, &[Scope::CatalogRead, Scope::PermissionsRead]).await;
        let first = program.get("/api/v1/brands").await;
        assert_eq!(first.header("ratelimit-policy"), Some("\"key\";q=3;w=60"));
        // The clock stands at five seconds past the minute.
        assert_eq!(first.header("ratelimit"), Some("\"key\";r=2;t=55"));
        assert_eq!(program.get("/api/v1/brands").await.header("ratelimit"), Some("\"key\";r=1;t=55"));
        // Two hundred addresses are worth two requests.
        let many: Vec<String> = (0..200).map(|number| format!("a{number}@example.org")).collect();
        let body = json!({"brand": "acme", "purpose": "newsletter", "addresses": many});
        let refused = program.post_json("/api/v1/permissions", &body).await;
        assert_eq!((problem(&refused), refused.header("retry-after")), ((429, "exceeded".into()), Some("55")));
        let another = self::program(&world, &[Scope::CatalogRead]).await.get("/api/v1/brands").await;
        assert_eq!(another.status, 200);
        world.advance(55);
        assert_eq!(program.post_json("/api/v1/permissions", &body).await.status, 200);
        world.finish().await;
    }

    async fn ten_thousand_addresses_are_answered_in_their_order(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.signed_up("anna@example.org", "192.0.2.1").await.0;
        let mail = world.mail_to("anna@example.org").await;
        client.get(&mail.confirm()).await;
        world.advance(10);
        client.post(&mail.confirm(), &[]).await;
        let mut program = program(&world, &[Scope::PermissionsRead]).await;
        let mut addresses: Vec<String> = (0..10_000).map(|number| format!("p{number}@example.org")).collect();
        addresses[0] = "not an address".into();
        addresses[9_999] = "Anna@Example.org".into();
        let items = permissions(&mut program, &addresses).await;
        let told: Vec<&str> = items.iter().map(|item| item["address"].as_str().unwrap()).collect();
        assert_eq!(told, addresses);
        let allowed: Vec<usize> = (0..10_000).filter(|at| items[*at]["allowed"] == json!(true)).collect();
        assert_eq!(allowed, [9_999]);
        assert_eq!(items[9_999]["basis"], "explicit");
        assert!(items[0]["why"].as_str().unwrap().contains("no address"));
        addresses.push("one@more.example".into());
        let body = json!({"brand": "acme", "purpose": "newsletter", "addresses": addresses});
        assert_eq!(problem(&program.post_json("/api/v1/permissions", &body).await).0, 422);
        world.finish().await;
    }

    async fn contacts_are_found_by_address_and_id_and_read_page_by_page(engine: Engine) {
        let world = World::on(engine).await;
        for number in 0..5 {
            world.signed_up(&format!("c{number}@example.org"), "192.0.2.1").await;
            world.advance(1);
        }
        world.deliver().await;
        let mut program = program(&world, &[Scope::ContactsRead, Scope::EvidenceRead]).await;
        let mut seen = Vec::new();
        let mut path = "/api/v1/contacts?brand=acme&limit=2".to_owned();
        loop {
            let page = program.get(&path).await.json();
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["address"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/contacts?brand=acme&limit=2&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, (0..5).map(|number| format!("c{number}@example.org")).collect::<Vec<_>>());
        let found = program.post_json("/api/v1/contacts/find", &json!({"brand": "acme", "address": "C3@Example.org"})).await.json();
        assert_eq!(found["standings"]["newsletter"]["state"], "implicit");
        let id = found["id"].as_str().unwrap();
        let events = program.get(&format!("/api/v1/contacts/{id}/events")).await.json();
        let kinds: Vec<&str> = events["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["signed_up", "mail_accepted"]);
        let bundle = program.get(&format!("/api/v1/contacts/{id}/evidence")).await;
        assert_eq!((bundle.status, bundle.header("content-type")), (200, Some("application/zip")));
        assert!(zip::ZipArchive::new(std::io::Cursor::new(bundle.body)).unwrap().len() > 5);
        world.finish().await;
    }

    async fn the_feed_tells_each_event_once_whoever_comes_back_with_its_cursor(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, &[Scope::EventsRead]).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let before = program.get("/api/v1/events").await.json();
        assert_eq!(before["items"], json!([]), "not before it has its place in the log");
        world.app.sequence().await.unwrap();
        let mut told = Vec::new();
        let mut next = before["next"].as_str().unwrap().to_owned();
        for round in 0..3 {
            let page = program.get(&format!("/api/v1/events?limit=1&after={next}")).await.json();
            next = page["next"].as_str().unwrap().to_owned();
            told.extend(page["items"].as_array().unwrap().iter().map(|item| {
                format!("{} {}", item["type"].as_str().unwrap(), item["data"]["address"].as_str().unwrap())
            }));
            if round == 0 {
                let mail = world.mail_to("anna@example.org").await;
                world.client("198.51.100.7").post(&mail.decline(), &[]).await;
                world.app.sequence().await.unwrap();
            }
        }
        assert_eq!(told, ["contact.pending anna@example.org", "contact.declined anna@example.org"]);
        let only = program.get("/api/v1/events?type=contact.declined&brand=acme").await.json();
        assert_eq!(only["items"].as_array().unwrap().len(), 1);
        assert_eq!(program.get("/api/v1/events?brand=other").await.json()["items"], json!([]));
        world.finish().await;
    }
}
