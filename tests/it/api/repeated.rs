//! Writes that come twice.

use std::collections::BTreeMap;

use countersign::app::App;
use countersign::app::keys::NewKey;
use countersign::app::repeat::{Repeatable, Taken};
use countersign::clock::{Clock, Random};
use countersign::domain::api_key::Scope;
use serde_json::json;

use super::{problem, program};
use crate::harness::{START, World, place, settings};
use crate::on_both_engines;

on_both_engines! {
    async fn a_repeated_signup_gets_the_first_answer_and_is_recorded_once(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, &[Scope::SignupsWrite]).await.with("idempotency-key", "\"one\"");
        let body = json!({"form": "news", "email": "anna@example.org"});
        let first = program.post_json("/api/v1/signups", &body).await;
        assert_eq!((first.status, first.header("idempotency-replayed")), (202, None));
        world.advance(3_600);
        let second = program.post_json("/api/v1/signups", &body).await;
        assert_eq!((second.status, second.header("idempotency-replayed")), (202, Some("true")));
        assert_eq!(first.body, second.body);
        assert_eq!(world.kinds("anna@example.org").await, ["signed_up"]);
        let other = json!({"form": "news", "email": "bert@example.org"});
        assert_eq!(problem(&program.post_json("/api/v1/signups", &other).await), (422, "otherwise".into()));
        // Another program's keys are its own.
        let mut another = self::program(&world, &[Scope::SignupsWrite]).await.with("idempotency-key", "one");
        assert_eq!(another.post_json("/api/v1/signups", &other).await.status, 202);
        world.advance(86_400);
        assert_eq!(program.post_json("/api/v1/signups", &other).await.status, 202, "after a day it is free again");
        world.deliver().await;
        world.finish().await;
    }

    async fn a_kept_answer_is_read_under_a_newer_root_secret_and_without_its_own_the_reason_is_told(engine: Engine) {
        let place = place(engine).await;
        let config = settings("http://127.0.0.1:1", &place.url, 25, "");
        let start = |before: &[u8]| {
            let mut config = config.clone();
            let newer = before.iter().map(|byte| vec![*byte; 32].into());
            config.root_secrets = newer.chain(config.root_secrets).collect();
            App::start(config, Clock::fixed(START), Random::seeded(1))
        };
        let app = start(&[9]).await.unwrap();
        let new = NewKey { name: "backend".into(), scopes: vec![Scope::SignupsWrite], brand: None, expires_at: None };
        let key = app.add_key(None, new).await.unwrap().0.id;
        let again = || Repeatable { key, brought: "one".into(), request: [1; 32] };
        let Taken::Up(turn) = app.take_up(again()).await.unwrap() else { panic!("it is the first") };
        app.answered(turn, 201, "made").await.unwrap();
        app.store.close().await;
        let app = start(&[10, 9]).await.unwrap();
        assert!(matches!(app.take_up(again()).await.unwrap(), Taken::Answered(201, body) if body == "made"));
        app.store.close().await;
        let app = start(&[10]).await.unwrap();
        assert!(matches!(app.take_up(again()).await.unwrap(), Taken::Unreadable));
        app.store.close().await;
        if let Some(database) = place.database {
            database.drop().await;
        }
    }

    async fn of_many_at_once_one_is_done(engine: Engine) {
        let world = World::on(engine).await;
        let program = program(&world, &[Scope::SignupsWrite]).await.with("idempotency-key", "at-once");
        let body = json!({"form": "news", "email": "anna@example.org"});
        let all = (0..12).map(|_| {
            let (mut program, body) = (program.clone(), body.clone());
            tokio::spawn(async move { program.post_json("/api/v1/signups", &body).await })
        });
        let mut answers: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
        for one in futures_util::future::join_all(all).await {
            let reply = one.unwrap();
            answers.entry(reply.status).or_default().push(reply.body);
        }
        let mut done = answers.remove(&202).unwrap();
        done.dedup();
        assert_eq!(done.len(), 1, "all that were answered were answered the same");
        answers.remove(&409);
        assert!(answers.is_empty(), "{answers:?}");
        assert_eq!(world.kinds("anna@example.org").await, ["signed_up"]);
        world.deliver().await;
        world.finish().await;
    }

    async fn a_refused_request_may_come_again_under_the_same_key(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, &[Scope::SignupsWrite]).await.with("idempotency-key", "again");
        for _ in 0..2 {
            let body = json!({"form": "news", "email": "info@example.org"});
            assert_eq!(problem(&program.post_json("/api/v1/signups", &body).await).0, 422);
        }
        let good = json!({"form": "news", "email": "anna@example.org"});
        assert_eq!(program.post_json("/api/v1/signups", &good).await.status, 202);
        for wrong in ["", " ", "a b", &"x".repeat(256)] {
            program.headers.retain(|header| header.0 != "idempotency-key");
            let mut program = program.clone().with("idempotency-key", wrong);
            assert_eq!(problem(&program.post_json("/api/v1/signups", &good).await).0, 400, "{wrong:?}");
        }
        world.deliver().await;
        world.finish().await;
    }

    async fn what_is_gone_after_the_write_is_answered_again_and_not_looked_for(engine: Engine) {
        let world = World::with(engine, crate::webhooks::PRIVATE).await;
        let scopes = [Scope::CampaignsWrite, Scope::CampaignsRead, Scope::ImportsWrite, Scope::WebhooksWrite];
        let mut crm = program(&world, &scopes).await;
        let mut drafts = Vec::new();
        for name in ["spring", "autumn"] {
            let draft = crm.post_json(crate::api::campaigning::DRAFTS, &crate::api::campaigning::wanted(name)).await;
            drafts.push(format!("{}/{}", crate::api::campaigning::DRAFTS, draft.json()["id"].as_str().unwrap()));
        }
        let list = crate::api::importing::bring(&mut crm, "staff.csv", "text/csv", b"email\nanna@example.org\n").await;
        let list = format!("{}/{}", crate::api::importing::DRAFTS, list.json()["id"].as_str().unwrap());
        let hook = crm.post_json("/api/v1/webhooks", &json!({"url": "http://127.0.0.1:1/", "about": "the shop"})).await;
        assert_eq!(hook.status, 201, "{}", hook.text());
        let hook = format!("/api/v1/webhooks/{}", hook.json()["id"].as_str().unwrap());
        crate::jobs::work(&world.app).await;
        for (number, (method, path, status)) in [
            ("POST", format!("{}/start", drafts[0]), 201),
            ("DELETE", drafts[1].clone(), 204),
            ("DELETE", list, 204),
            ("DELETE", hook, 204),
        ].into_iter().enumerate() {
            let mut once = crm.clone().with("idempotency-key", &format!("gone-{number}"));
            let first = once.send(method, &path, None, b"").await;
            assert_eq!(first.status, status, "{path}: {}", first.text());
            let second = once.send(method, &path, None, b"").await;
            assert_eq!((second.status, &second.body), (status, &first.body), "{path}: {}", second.text());
            assert_eq!(second.header("idempotency-replayed"), Some("true"), "{path}");
            let without = crm.send(method, &path, None, b"").await;
            assert_eq!(problem(&without).0, 404, "{path}");
        }
        let did = crate::api::erasing::deeds(&world, "k0").await;
        for deed in ["brought a list", "removed a list", "started a campaign"] {
            assert_eq!(did.matches(deed).count(), 1, "{deed}: {did}");
        }
        assert!(!did.contains("staff.csv"), "a file's name may hold an address: {did}");
        world.end().await;
    }
}
