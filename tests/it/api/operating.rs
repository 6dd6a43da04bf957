//! What operators see and do in their pages, over the API: the outbox, figures, the policy, the log, previews of forms.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign::domain::api_key::Scope;
use countersign::ledger::bundle::read_receipt;
use countersign::store::Engine;
use serde_json::{Value, json};

use super::{key, problem, program, with_key};
use crate::figures;
use crate::harness::{Client, World};
use crate::on_both_engines;
use crate::stamping;

/// Every mail of the outbox failed for good, as if a server had refused it.
async fn fail(world: &World) {
    let text = "update outbox set state = 'failed', due_at = 9223372036854775807, tries = 2, \
         last_reply = '550 5.1.1 no such mailbox', \
         attempts = '1795455245000000 450 later\n1795455845000000 550 5.1.1 no such mailbox\n' \
         where template <> 'nothing'";
    world.sql(text).await.unwrap();
}

async fn items(program: &mut Client, path: &str) -> Vec<Value> {
    let reply = program.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

async fn sent(world: &World) -> usize {
    world.deliver().await.len()
}

on_both_engines! {
    async fn the_outbox_tells_each_try_with_its_reply_and_what_failed_is_tried_again(engine: Engine) {
        let world = World::on(engine).await;
        for name in ["anna", "bea", "cleo"] {
            world.signed_up(&format!("{name}@example.org"), "192.0.2.1").await;
        }
        // A signup that causes no mail leaves a row as well, which is nobody's business.
        world.client("192.0.2.1").post("/f/news", &[("email", "bot@example.org"), ("website", "x")]).await;
        let mut program = program(&world, &[Scope::OutboxRead, Scope::OutboxWrite]).await;
        let waiting = items(&mut program, "/api/v1/outbox?brand=acme").await;
        assert_eq!(waiting.len(), 3);
        assert_eq!((&waiting[0]["state"], &waiting[0]["kind"], &waiting[0]["recipient_domain"]), (&json!("waiting"), &json!("confirm"), &json!("example.org")));
        assert!(waiting[0]["due_at"].is_string() && !waiting[0].to_string().contains("anna"));
        let id = waiting[0]["id"].as_str().unwrap().to_owned();
        let early = program.send("POST", &format!("/api/v1/outbox/{id}/retry"), None, b"").await;
        assert_eq!(problem(&early).0, 409, "it did not fail");
        fail(&world).await;
        assert_eq!(items(&mut program, "/api/v1/outbox").await, [] as [Value; 0]);
        let mut seen = Vec::new();
        let mut path = "/api/v1/outbox?state=failed&limit=2".to_owned();
        loop {
            let page = program.get(&path).await.json();
            seen.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/outbox?state=failed&limit=2&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0]["attempts"].as_array().unwrap().len(), 2);
        assert_eq!((&seen[0]["attempts"][0]["reply"], &seen[0]["last_reply"]), (&json!("450 later"), &json!("550 5.1.1 no such mailbox")));
        assert_eq!((&seen[0]["state"], &seen[0]["due_at"]), (&json!("failed"), &Value::Null));
        let one = program.get(&format!("/api/v1/outbox/{id}")).await;
        assert!(seen.contains(&one.json()));
        // A repetition of the same request is answered and does nothing more.
        let mut once = program.clone().with("idempotency-key", "again-1");
        let path = format!("/api/v1/outbox/{id}/retry");
        let first = once.send("POST", &path, None, b"").await;
        assert_eq!(first.json(), json!({"mails": 1}));
        assert_eq!(sent(&world).await, 1);
        let repeated = once.send("POST", &path, None, b"").await;
        assert_eq!((repeated.json(), repeated.header("idempotency-replayed")), (json!({"mails": 1}), Some("true")));
        assert_eq!(problem(&program.get(&format!("/api/v1/outbox/{id}")).await).0, 404, "a server took it");
        // A key of another brand has nothing to try again.
        let mut stranger = with_key(&world, &key(&world, &[Scope::OutboxRead, Scope::OutboxWrite], Some("other")).await);
        assert_eq!(stranger.post_json("/api/v1/outbox/retry", &json!({})).await.json(), json!({"mails": 0}));
        assert_eq!(items(&mut stranger, "/api/v1/outbox?state=failed").await.len(), 0);
        let all = program.post_json("/api/v1/outbox/retry", &json!({"brand": "acme"})).await;
        assert_eq!(all.json(), json!({"mails": 2}));
        assert_eq!(sent(&world).await, 3);
        for wrong in ["?state=gone", "?after=x", "?after=aTE", "?limit=0", "?show=failed"] {
            assert_eq!(problem(&program.get(&format!("/api/v1/outbox{wrong}")).await).0, 400, "{wrong}");
        }
        world.finish().await;
    }

    async fn held_mails_are_let_go_by_a_key_of_all_brands_only(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.sql("update outbox set due_at = 9223372036854775806").await.unwrap();
        let mut program = program(&world, &[Scope::OutboxRead, Scope::OutboxWrite]).await;
        let held = items(&mut program, "/api/v1/outbox?state=held").await;
        assert_eq!((held.len(), &held[0]["state"]), (1, &json!("held")));
        let mut narrow = with_key(&world, &key(&world, &[Scope::OutboxWrite], Some("acme")).await);
        assert_eq!(problem(&narrow.send("POST", "/api/v1/outbox/release", None, b"").await).0, 403);
        let released = program.send("POST", "/api/v1/outbox/release", None, b"").await;
        assert_eq!(released.json(), json!({"mails": 1, "was_open": false}));
        assert_eq!(sent(&world).await, 1);
        world.finish().await;
    }

    async fn the_figures_are_those_of_the_overview(engine: Engine) {
        let world = World::on(engine).await;
        figures::story(&world).await;
        figures::count(&world).await;
        let mut program = program(&world, &[Scope::FiguresRead]).await;
        let told = program.get("/api/v1/figures?brand=acme&days=7").await.json();
        assert_eq!((&told["from"], &told["to"]), (&json!("2026-11-17"), &json!("2026-11-23")));
        assert_eq!(told["total"], json!({
            "signed_up": 7, "held_back": 1, "mailed": 6, "opened": 2, "confirmed": 3, "declined": 1, "failed": 0, "replaced": 1
        }));
        assert_eq!(told["rates"]["confirmed"], json!(3.0 / 7.0));
        assert_eq!(told["median"], "within 10 minutes");
        let days = told["days"].as_array().unwrap();
        assert_eq!((days.len(), &days[6]["day"], &days[6]["figures"]["signed_up"]), (7, &json!("2026-11-23"), &json!(7)));
        let forms = told["forms"].as_array().unwrap();
        assert_eq!((forms.len(), &forms[0]["form"], &forms[0]["signed_up_by_day"]), (2, &json!("news"), &json!([0, 0, 0, 0, 0, 0, 6])));
        assert_eq!((&told["sources"][0]["name"], &told["domains"][1]["name"]), (&json!("website_form"), &json!("example.net")));
        let mails = items(&mut program, "/api/v1/figures/mails?days=7").await;
        assert_eq!(mails[0], json!({"domain": "example.org", "accepted": 5, "failed": 0, "came_back": 0, "complaints": 0}));
        // Of a brand without signups there are no shares.
        let other = program.get("/api/v1/figures?brand=other").await.json();
        assert_eq!((&other["rates"]["confirmed"], other["days"].as_array().unwrap().len()), (&Value::Null, 30));
        let mut narrow = with_key(&world, &key(&world, &[Scope::FiguresRead], Some("other")).await);
        assert_eq!(narrow.get("/api/v1/figures").await.json()["total"]["signed_up"], 0);
        for wrong in ["?days=0", "?days=367", "?days=x", "?form=news"] {
            assert_eq!(problem(&program.get(&format!("/api/v1/figures{wrong}")).await).0, 400, "{wrong}");
        }
        world.finish().await;
    }

    async fn what_a_brand_knows_of_an_address_counts_in_a_case_and_takes_the_scope_to_ask(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        let case = |address: Option<&str>| json!({
            "source": "purchase", "obtained_on": "2026-10-01", "proof": {"order": "4711"}, "brand": "acme", "address": address
        });
        let mut program = program(&world, &[Scope::PolicyRead, Scope::PermissionsRead]).await;
        let open = program.post_json("/api/v1/policy/explain", &case(None)).await.json();
        assert_eq!((&open["verdict"], &open["rule"]), (&json!("accept"), &json!("A2")));
        let closed = program.post_json("/api/v1/policy/explain", &case(Some("anna@example.org"))).await.json();
        assert_eq!((&closed["verdict"], &closed["rule"]), (&json!("refuse"), &json!("D3")));
        let mut narrow = self::program(&world, &[Scope::PolicyRead]).await;
        assert_eq!(narrow.post_json("/api/v1/policy/explain", &case(None)).await.status, 200);
        let refused = narrow.post_json("/api/v1/policy/explain", &case(Some("anna@example.org"))).await;
        assert_eq!(problem(&refused).0, 403);
        assert!(refused.text().contains("permissions:read"));
        for (wrong, said) in [
            (json!({}), "Name a source"),
            (json!({"source": "luck"}), "no such source"),
            (json!({"obtained_on": "2026-01-01"}), "beside source"),
            (json!({"source": "purchase", "proof": {"moon": "1"}}), "it takes:"),
            (json!({"source": "purchase", "overlay": ["mars"]}), "ca-casl"),
            (json!({"source": "purchase", "as_of": "soon"}), "Write a time"),
            (json!({"source": "purchase", "purpose": "newsletter"}), "with a brand"),
            (json!({"source": "purchase", "brand": "none"}), "no such brand"),
            (json!({"source": "purchase", "address": "nobody"}), "no address"),
            (json!({"sources": vec![json!({"source": "purchase"}); 21]}), "At most 20"),
        ] {
            let reply = program.post_json("/api/v1/policy/explain", &wrong).await;
            assert_eq!(problem(&reply).0, 422, "{wrong}");
            assert!(reply.text().contains(said), "{wrong}: {}", reply.text());
        }
        world.finish().await;
    }

    async fn the_log_its_stamps_and_the_receipt_of_an_event_can_be_checked_by_whoever_gets_them(engine: Engine) {
        let peer = stamping::good().await;
        let world = World::with(engine, &stamping::section(&[("one", &peer)], "")).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        let mut program = program(&world, &[Scope::LogRead, Scope::LogWrite, Scope::EvidenceRead]).await;
        let before = program.get("/api/v1/log").await.json();
        assert_eq!((&before["entries"], &before["checkpoint"]), (&json!(0), &Value::Null));
        let event = world.story("anna@example.org").await[0].clone();
        let path = format!("/api/v1/contacts/{}/events/{}/receipt", event.contact, event.id);
        assert_eq!(problem(&program.get(&path).await).0, 503, "not before it has its place");
        let stamped = program.send("POST", "/api/v1/log/timestamps", None, b"").await;
        assert_eq!(stamped.json()["items"], json!([{"authority": "one", "stamped": true, "problem": null}]));
        let log = program.get("/api/v1/log").await.json();
        let note = log["checkpoint"].as_str().unwrap();
        let verifier = world.app.log.key.verifier();
        assert_eq!(log["vkey"], json!(verifier.vkey()));
        assert!(note.starts_with(&format!("{}\n{}\n", verifier.name, log["entries"])), "{note}");
        assert_eq!((&log["authorities"][0]["name"], &log["authorities"][0]["entries"]), (&json!("one"), &log["entries"]));
        let told = program.get(&path).await.json();
        let read = read_receipt(told["receipt"].as_str().unwrap().as_bytes(), &verifier).unwrap();
        assert_eq!((read.kind.as_str(), read.index), ("signed_up", 0));
        let other = path.replace(&event.id.to_string(), "0191b1b2-0000-7000-8000-000000000000");
        assert_eq!(problem(&program.get(&other).await).0, 404);
        let stamps = items(&mut program, "/api/v1/log/timestamps").await;
        assert_eq!((stamps.len(), &stamps[0]["number"], &stamps[0]["size"]), (1, &json!(1), &log["entries"]));
        let whole = program.get("/api/v1/log/timestamps/1").await.json();
        let response = STANDARD.decode(whole["response"].as_str().unwrap()).unwrap();
        let told = countersign::ledger::timestamp::told(&response).unwrap();
        assert_eq!(json!(told.0), whole["serial"]);
        assert!(note.starts_with(whole["checkpoint"].as_str().unwrap()), "without the lines of others");
        for number in ["2", "0", "x", "-1"] {
            assert_eq!(problem(&program.get(&format!("/api/v1/log/timestamps/{number}")).await).0, 404, "{number}");
        }
        world.signed_up("bea@example.org", "192.0.2.1").await;
        world.app.sequence().await.unwrap();
        let first = program.get("/api/v1/log/checkpoints?limit=1").await.json();
        let next = first["next"].as_str().unwrap();
        let second = program.get(&format!("/api/v1/log/checkpoints?limit=1&after={next}")).await.json();
        assert_eq!(second["items"][0]["size"], log["entries"]);
        world.deliver().await;
        world.finish().await;
    }

    async fn an_audit_is_begun_once_and_tells_what_it_found(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        world.app.sequence().await.unwrap();
        let mut program = program(&world, &[Scope::LogRead, Scope::LogWrite]).await;
        assert_eq!(program.get("/api/v1/log/audit").await.json(), json!({"running": null, "last": null}));
        let none = program.send("POST", "/api/v1/log/timestamps", None, b"").await;
        assert_eq!(problem(&none).0, 409, "no authority is named");
        let begun = program.send("POST", "/api/v1/log/audit", None, b"").await;
        assert_eq!(begun.status, 202, "{}", begun.text());
        let mut last = Value::Null;
        for _ in 0..200 {
            last = program.get("/api/v1/log/audit").await.json()["last"].clone();
            if !last.is_null() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!((&last["holds"], &last["findings"], &last["by"]), (&json!(true), &json!([]), &json!("API key k0")), "{last}");
        world.finish().await;
    }

    async fn a_form_is_looked_at_with_its_page_its_mail_and_what_the_linter_finds(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, &[Scope::CatalogRead]).await;
        let shown = program.get("/api/v1/forms/news/preview").await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        let shown = shown.json();
        let forms = items(&mut program, "/api/v1/forms?brand=acme").await;
        let version = forms.iter().find(|form| form["slug"] == "news").unwrap()["version"].clone();
        assert_eq!((&shown["version"], &shown["language"], &shown["findings"]), (&version, &json!("en"), &json!([])));
        assert!(shown["page"].as_str().unwrap().contains("<form"));
        let mail = &shown["mail"];
        assert!(mail["text"].as_str().unwrap().contains("Acme Letters Ltd") && mail["html"].as_str().unwrap().contains("/c/"));
        assert_eq!(problem(&program.get("/api/v1/forms/news/preview?lang=xx").await).0, 422);
        assert_eq!(problem(&program.get("/api/v1/forms/none/preview").await).0, 404);
        let draft = json!({"brand": "acme", "lang": "de", "form": {
            "slug": "fresh", "purposes": ["newsletter"], "languages": ["en", "de"],
            "consent": {"en": "Yes, with a 50% discount!", "de": "Ja, mit 50% Rabatt!"}
        }});
        let would = program.post_json("/api/v1/forms/preview", &draft).await;
        assert_eq!(would.status, 200, "{}", would.text());
        let would = would.json();
        assert_eq!((&would["form"], &would["language"]), (&json!("fresh"), &json!("de")));
        assert!(would["page"].as_str().unwrap().contains("Rabatt"));
        for wrong in [
            json!({"brand": "acme", "form": {"slug": "fresh", "purposes": ["moon"]}}),
            json!({"brand": "none", "form": {"slug": "fresh", "purposes": ["newsletter"]}}),
            json!({"brand": "acme", "form": {"slug": "fresh"}}),
        ] {
            assert_eq!(problem(&program.post_json("/api/v1/forms/preview", &wrong).await).0, 422, "{wrong}");
        }
        assert_eq!(items(&mut program, "/api/v1/forms?brand=acme").await.len(), forms.len(), "nothing was declared");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_case_is_explained_as_the_command_does_and_the_policy_is_the_same() {
    let world = World::on(Engine::Sqlite).await;
    let mut program = program(&world, &[Scope::PolicyRead]).await;
    let told = program.get("/api/v1/policy").await.json();
    assert_eq!(told, crate::policy::json_of(&["--json"]));
    for (asked, words) in [
        (
            json!({"source": "purchase", "obtained_on": "2026-05-01", "proof": {"order": "4711"}, "as_of": "2026-11-23"}),
            "--source purchase --obtained-on 2026-05-01 --proof order=4711 --as-of 2026-11-23",
        ),
        (
            json!({"source": "bought_or_rented_list", "address": "info@example.org", "overlay": ["de", "uk"], "as_of": "2026-11-23"}),
            "--source bought_or_rented_list --address info@example.org --overlay de,uk --as-of 2026-11-23",
        ),
        (
            json!({
                "sources": [{"source": "event_organizer_list"}, {"source": "purchase", "obtained_on": "2026-05-01"}],
                "confirm_organizer_list": true, "as_of": "2026-11-23"
            }),
            "--source event_organizer_list --source purchase --obtained-on 2026-05-01 --confirm-organizer-list --as-of 2026-11-23",
        ),
    ] {
        let told = program.post_json("/api/v1/policy/explain", &asked).await;
        assert_eq!(told.status, 200, "{asked}: {}", told.text());
        let all: Vec<&str> = ["explain", "--json"]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        assert_eq!(told.json(), crate::policy::json_of(&all), "{words}");
    }
    world.finish().await;
}
