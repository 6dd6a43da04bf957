//! A backend's own form starts a double opt-in; what it says of the person is kept as its word.

use countersign::domain::api_key::Scope;
use countersign::domain::event::{Fact, MailFate};
use serde_json::json;

use super::{program, signed_up};
use crate::harness::World;
use crate::on_both_engines;

on_both_engines! {
    async fn a_signup_of_a_program_is_confirmed_like_any_other_and_its_words_are_marked_as_claims(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, &[Scope::SignupsWrite]).await;
        let body = json!({
            "form": "news", "email": "anna@example.org", "purpose": ["newsletter", "events"], "lang": "en",
            "page": "https://shop.example/checkout", "ip": "203.0.113.9", "user_agent": "Mozilla/5.0",
            "wording": "Yes, send me the letters.", "entered_at": "2026-11-23T17:00:00Z",
        });
        let reply = program.post_json("/api/v1/signups", &body).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
        let inbox = reply.json()["inbox"].as_str().unwrap().to_owned();
        assert_eq!(world.client("203.0.113.9").get(&inbox).await.status, 200);
        let story = world.story("anna@example.org").await;
        let Fact::SignedUp(signup) = &story[0].fact else { panic!("a signup") };
        let passed_on = signup.passed_on.as_ref().unwrap();
        assert_eq!(passed_on.wording.as_deref(), Some("Yes, send me the letters."));
        assert_eq!(passed_on.entered_at.unwrap().to_string(), "2026-11-23T17:00:00.000000Z");
        assert_eq!(signup.circumstances.claimed_ip.unwrap().to_string(), "203.0.113.9");
        assert_eq!(signup.circumstances.ip.unwrap().to_string(), crate::api::BACKEND);
        assert!(signup.boxes.is_empty(), "no form of ours was shown");
        let told = countersign::domain::sentence::sentence(&story[0]);
        assert!(told.contains("as a program of the operator's says"), "{told}");
        let mail = world.mail_to("anna@example.org").await;
        world.advance(60);
        let mut person = world.client("203.0.113.9");
        person.get(&mail.confirm()).await;
        world.advance(10);
        person.post(&mail.confirm(), &[]).await;
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        let (bytes, _) = crate::bundle::bundle_of(&world, "anna@example.org").await;
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut report = String::new();
        std::io::Read::read_to_string(&mut archive.by_name("report.html").unwrap(), &mut report).unwrap();
        for words in ["a program of the operator&#39;s reported that the address", "Wording, as the program says", "The person&#39;s network address, as the program says"] {
            assert!(report.contains(words), "{words}");
        }
        world.finish().await;
    }

    async fn the_answer_does_not_tell_what_is_known_of_an_address(engine: Engine) {
        let world = World::on(engine).await;
        let mut program = program(&world, &[Scope::SignupsWrite]).await;
        let fresh = signed_up(&mut program, "anna@example.org").await;
        let mail = world.mail_to("anna@example.org").await;
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        let known = signed_up(&mut program, "anna@example.org").await;
        let shape = |reply: &crate::harness::Reply| {
            let body = reply.json();
            (reply.status, body.as_object().unwrap().keys().cloned().collect::<Vec<_>>(), reply.body.len())
        };
        assert_eq!(shape(&fresh), shape(&known));
        world.deliver().await;
        world.finish().await;
    }

    async fn signups_draw_on_the_network_that_the_program_names_or_on_the_keys_own_rate(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 2\nper_key_an_hour = 3\n").await;
        let mut program = program(&world, &[Scope::SignupsWrite]).await;
        for (number, ip) in [(0, Some("203.0.113.9")), (1, Some("203.0.113.9")), (2, Some("203.0.113.9")), (3, Some("203.0.113.10"))] {
            let body = json!({"form": "news", "email": format!("n{number}@example.org"), "ip": ip});
            assert_eq!(program.post_json("/api/v1/signups", &body).await.status, 202);
        }
        for number in 4..8 {
            signed_up(&mut program, &format!("n{number}@example.org")).await;
        }
        let mut held = Vec::new();
        for number in 0..8 {
            let story = world.story(&format!("n{number}@example.org")).await;
            let Fact::SignedUp(signup) = &story[0].fact else { panic!("a signup") };
            if signup.mail == MailFate::OverBudget {
                held.push(number);
            }
        }
        assert_eq!(held, [2, 7]);
        assert_eq!(world.deliver().await.len(), 6);
        world.finish().await;
    }

    async fn a_program_withdraws_somebody_and_gets_the_links_by_which_people_leave_themselves(engine: Engine) {
        let world = World::on(engine).await;
        let scopes = [Scope::SignupsWrite, Scope::ContactsRead, Scope::LinksRead, Scope::WithdrawalsWrite, Scope::SuppressionsRead];
        let mut program = program(&world, &scopes).await;
        signed_up(&mut program, "anna@example.org").await;
        world.deliver().await;
        let who = json!({"brand": "acme", "address": "anna@example.org"});
        let id = program.post_json("/api/v1/contacts/find", &who).await.json()["id"].as_str().unwrap().to_owned();
        let links = program.get(&format!("/api/v1/contacts/{id}/links?purpose=newsletter")).await.json();
        let leave = links["unsubscribe_url"].as_str().unwrap();
        assert_eq!(links["list_unsubscribe"], format!("<{leave}>"));
        assert_eq!(links["list_unsubscribe_post"], "List-Unsubscribe=One-Click");
        assert_eq!(world.client("203.0.113.9").get(leave).await.status, 200);
        let chooses = links["preferences_url"].as_str().unwrap();
        assert_eq!(world.client("203.0.113.9").get(chooses).await.status, 200);
        let none = program.get(&format!("/api/v1/contacts/{id}/links?purpose=none")).await;
        assert_eq!(none.status, 422);
        let left = program.post_json("/api/v1/withdrawals", &json!({"brand": "acme", "contact": id, "reason": "by telephone"})).await;
        assert_eq!((left.status, &left.json()["left_before"]), (200, &json!(false)), "{}", left.text());
        let again = program.post_json("/api/v1/withdrawals", &who).await;
        assert_eq!(again.json()["left_before"], true);
        let did = crate::api::erasing::deeds(&world, "k0").await;
        assert_eq!(did, format!("API key k0 withdrew a contact on request from {}: contact {id} of brand acme.", crate::api::BACKEND));
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        let told = program.post_json("/api/v1/suppressions/find", &who).await.json();
        assert_eq!(told["suppressed"], false);
        for (wrong, status) in [
            (json!({"brand": "acme"}), 422),
            (json!({"brand": "acme", "contact": id, "address": "anna@example.org"}), 422),
            (json!({"brand": "acme", "address": "nobody"}), 422),
            (json!({"brand": "acme", "address": "nobody@example.org"}), 404),
            (json!({"brand": "acme", "contact": id, "purposes": ["none"]}), 422),
            (json!({"brand": "none", "contact": id}), 422),
        ] {
            assert_eq!(crate::api::problem(&program.post_json("/api/v1/withdrawals", &wrong).await).0, status, "{wrong}");
        }
        world.finish().await;
    }
}
