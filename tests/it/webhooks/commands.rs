//! `countersign webhook` and `countersign key`, and the same over the API.

use countersign::domain::api_key::Scope;
use serde_json::{Value, json};

use super::{PRIVATE, Receiver, tell};
use crate::api::{problem, program};
use crate::harness::{Folder, World};
use crate::on_both_engines;
use crate::process::PROGRAM;

/// Runs a command beside the world's server; answers with its exit code and its output.
fn run(world: &World, folder: &Folder, arguments: &[&str]) -> (i32, String) {
    let file = folder.0.join("settings.toml");
    std::fs::write(&file, format!("{}{PRIVATE}", world.settings_text())).unwrap();
    let done = std::process::Command::new(PROGRAM)
        .arg("--config")
        .arg(&file)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap(), text)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

on_both_engines! {
    async fn webhooks_are_added_tested_paused_rotated_and_removed_on_the_command_line(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let folder = Folder::new();
        let receiver = Receiver::willing().await;
        let url = receiver.peer.url();
        let (code, text) = run(&world, &folder, &["webhook", "add", &url, "--type", "contact.pending,contact.erased", "--brand", "acme", "--json"]);
        assert_eq!(code, 0, "{text}");
        let added = json_of(&text);
        assert!(added["secret"].as_str().unwrap().starts_with("whsec_"));
        let id = added["id"].as_str().unwrap();
        let (code, text) = run(&world, &folder, &["webhook", "test", id]);
        assert!(code == 0 && text.contains("200 after") && text.contains("thanks"), "{text}");
        assert_eq!(receiver.bodies()[0]["type"], "webhook.test");
        world.signed_up("anna@example.org", "192.0.2.1").await;
        tell(&world).await;
        let (_, log) = run(&world, &folder, &["webhook", "log", id]);
        assert!(log.contains("delivered") && log.contains("contact.pending") && !log.contains("anna"), "{log}");
        assert_eq!(run(&world, &folder, &["webhook", "pause", id]).0, 0);
        let (_, list) = run(&world, &folder, &["webhook", "list"]);
        assert!(list.contains("paused") && list.contains("an operator paused it"), "{list}");
        assert_eq!(run(&world, &folder, &["webhook", "resume", id]).0, 0);
        let (_, secret) = run(&world, &folder, &["webhook", "rotate", id]);
        assert!(secret.starts_with("whsec_") && !text.contains(secret.trim()));
        assert_eq!(run(&world, &folder, &["webhook", "remove", id]).0, 0);
        assert_eq!(run(&world, &folder, &["webhook", "remove", id]).0, 1);
        assert_eq!(run(&world, &folder, &["webhook", "log", id]).0, 1);
        assert_eq!(run(&world, &folder, &["webhook", "add", "nowhere"]).0, 2);
        assert_eq!(run(&world, &folder, &["webhook", "add", &url, "--type", "contact.none"]).0, 2);
        world.deliver().await;
        world.finish().await;
    }

    async fn keys_are_added_listed_and_revoked_on_the_command_line(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let folder = Folder::new();
        let (code, text) = run(&world, &folder, &["key", "add", "shop", "--scope", "signups:write,catalog:read", "--brand", "acme", "--expires", "2027-01-01", "--json"]);
        assert_eq!(code, 0, "{text}");
        let secret = json_of(&text)["key"].as_str().unwrap().to_owned();
        let mut program = crate::api::with_key(&world, &secret);
        assert_eq!(program.get("/api/v1/brands").await.status, 200);
        let (_, list) = run(&world, &folder, &["key", "list", "--json"]);
        let told = json_of(&list);
        assert_eq!((&told["state"], &told["used_on"], &told["brand"]), (&json!("in use"), &json!("2026-11-23"), &json!("acme")));
        assert!(!list.contains(&secret));
        assert_eq!(run(&world, &folder, &["key", "revoke", "shop"]).0, 0);
        assert_eq!(program.get("/api/v1/brands").await.status, 401);
        assert_eq!(run(&world, &folder, &["key", "revoke", "shop"]).0, 1);
        assert_eq!(run(&world, &folder, &["key", "add", "shop", "--scope", "catalog:read"]).0, 1);
        assert_eq!(run(&world, &folder, &["key", "add", "x", "--scope", "everything"]).0, 2);
        assert_eq!(run(&world, &folder, &["key", "add", "x", "--scope", "catalog:read", "--expires", "2020-01-01"]).0, 2);
        world.finish().await;
    }

    async fn webhooks_are_managed_over_the_api_by_keys_that_see_them(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::willing().await;
        let mut program = program(&world, &[Scope::WebhooksRead, Scope::WebhooksWrite]).await;
        let body = json!({"url": receiver.peer.url(), "types": ["contact.pending"], "about": "shop"});
        let mut once = program.clone().with("idempotency-key", "w1");
        let first = once.post_json("/api/v1/webhooks", &body).await;
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!(once.post_json("/api/v1/webhooks", &body).await.body, first.body);
        let dump = crate::erasure::traces::dump(&world).await;
        assert!(!dump.contains(first.json()["secret"].as_str().unwrap()), "the secret is kept nowhere");
        let id = first.json()["id"].as_str().unwrap().to_owned();
        let at = |rest: &str| format!("/api/v1/webhooks/{id}{rest}");
        assert_eq!(program.get("/api/v1/webhooks").await.json()["items"].as_array().unwrap().len(), 1);
        let mut narrow = crate::api::with_key(&world, &crate::api::key(&world, &[Scope::WebhooksRead, Scope::WebhooksWrite], Some("acme")).await);
        assert_eq!(narrow.get("/api/v1/webhooks").await.json()["items"], json!([]), "it tells of other brands too");
        assert_eq!(problem(&narrow.get(&at("")).await).0, 404);
        let own = narrow.post_json("/api/v1/webhooks", &json!({"url": receiver.peer.url()})).await;
        assert_eq!(own.json()["brand"], "acme");
        assert_eq!(program.post_json(&at("/test"), &json!({})).await.json()["taken"], true);
        assert_eq!(program.post_json(&at("/pause"), &json!({})).await.status, 204);
        assert_eq!(program.get(&at("")).await.json()["state"], "paused");
        assert_eq!(program.post_json(&at("/resume"), &json!({})).await.status, 204);
        assert!(program.post_json(&at("/rotate"), &json!({})).await.json()["secret"].as_str().unwrap().starts_with("whsec_"));
        world.signed_up("anna@example.org", "192.0.2.1").await;
        tell(&world).await;
        let deliveries = program.get(&at("/deliveries")).await.json();
        assert_eq!(deliveries["items"][0]["state"], "delivered");
        assert_eq!(program.send("DELETE", &at(""), None, b"").await.status, 204);
        assert_eq!(problem(&program.get(&at("")).await).0, 404);
        for wrong in [json!({"url": "nowhere"}), json!({"url": "https://hooks.example.org/", "types": ["x"]})] {
            assert_eq!(problem(&program.post_json("/api/v1/webhooks", &wrong).await).0, 422);
        }
        world.deliver().await;
        world.finish().await;
    }
}
