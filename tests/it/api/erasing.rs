//! Erasing contacts, and keeping a brand from mailboxes.

use countersign::app::acted::deeds_of;
use countersign::domain::api_key::Scope;
use countersign::domain::event::{ErasedBy, Fact, Through};
use countersign::domain::ids::OperatorId;
use countersign::domain::sentence::sentence;
use countersign::domain::standing::Basis;
use serde_json::json;

use super::{problem, program, signed_up};
use crate::harness::World;
use crate::on_both_engines;

/// What the first key did, in words.
pub async fn deeds(world: &World, key: &str) -> String {
    let keys = world.app.api_keys().await.unwrap();
    let id = keys.iter().find(|one| one.name == key).unwrap().id;
    let deeds = deeds_of(&world.app.store, OperatorId(id.0), 100).await;
    let words: Vec<String> = deeds.unwrap().iter().map(sentence).collect();
    words.join("\n")
}

on_both_engines! {
    async fn a_contact_is_erased_once_and_refused_to_lists_afterwards(engine: Engine) {
        let world = World::on(engine).await;
        let mut shop = program(&world, &[Scope::ContactsErase, Scope::ContactsRead, Scope::SignupsWrite]).await;
        for email in ["anna@example.org", "bo@example.org"] {
            signed_up(&mut shop, email).await;
        }
        world.deliver().await;
        let find = json!({"brand": "acme", "address": "bo@example.org"});
        let bo = shop.post_json("/api/v1/contacts/find", &find).await.json()["id"].clone();
        let ask = json!({"brand": "acme", "address": "Anna@Example.org"});
        let done = shop.post_json("/api/v1/erasures", &ask).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let done = done.json();
        assert_eq!((&done["erased_before"], &done["events"], &done["requests"]), (&json!(false), &json!(2), &json!(1)));
        assert!(world.story("anna@example.org").await.is_empty());
        let again = shop.post_json("/api/v1/erasures", &ask).await.json();
        assert_eq!((&again["erased_before"], &again["contact"]), (&json!(true), &json!(null)));
        // The same by the id, which tells also afterwards that it was done.
        let ask = json!({"brand": "acme", "contact": bo});
        assert_eq!(shop.post_json("/api/v1/erasures", &ask).await.json()["erased_before"], json!(false));
        let again = shop.post_json("/api/v1/erasures", &ask).await.json();
        assert_eq!((&again["erased_before"], &again["contact"]), (&json!(true), &bo));
        for (body, status) in [
            (json!({"brand": "acme", "address": "nobody@example.org"}), 404),
            (json!({"brand": "other", "address": "anna@example.org"}), 404),
            (json!({"brand": "acme", "contact": "0191b1b2-0000-7000-8000-000000000000"}), 404),
            (json!({"brand": "acme", "address": "nobody"}), 422),
            (json!({"brand": "acme", "contact": "7"}), 422),
            (json!({"brand": "acme"}), 422),
        ] {
            assert_eq!(problem(&shop.post_json("/api/v1/erasures", &body).await).0, status, "{body}");
        }
        world.app.sequence().await.unwrap();
        let told = world.app.announcements(0, 100, &Default::default()).await.unwrap();
        let erased = told.announcements.iter().filter(|one| one.announcement.kind == "contact.erased").count();
        assert_eq!(erased, 2);
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let address = countersign::app::permit::parse_address("anna@example.org").unwrap();
        assert_eq!(world.app.erased_among(brand, &[address]).await.unwrap(), [true], "D3 for whatever a list brings");
        assert_eq!(deeds(&world, "k0").await.matches("erased a contact on request").count(), 2);
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert!(audit.holds(), "{:?}", audit.findings);
        world.finish().await;
    }

    async fn a_contact_is_held_for_a_claim_listed_and_let_go_and_kept_from_erasure_meanwhile(engine: Engine) {
        let world = World::on(engine).await;
        let scopes = [Scope::HoldsRead, Scope::HoldsWrite, Scope::ContactsErase, Scope::SignupsWrite];
        let mut shop = program(&world, &scopes).await;
        for name in ["anna", "bert"] {
            signed_up(&mut shop, &format!("{name}@example.org")).await;
        }
        world.deliver().await;
        let hold_of = async |name: &str| {
            let contact = crate::leaving::contact_of(&world, &format!("{name}@example.org")).await;
            format!("/api/v1/contacts/{contact}/hold")
        };
        let (anna, bert) = (hold_of("anna").await, hold_of("bert").await);
        let claim = json!({"reason": "claim 2026/17", "until": "2028-12-31"});
        let held = shop.post_json(&anna, &claim).await;
        assert_eq!(held.status, 200, "{}", held.text());
        let held = held.json();
        assert_eq!((&held["held"], held["until"].as_str()), (&json!(true), Some("2029-01-01T00:00:00.000000Z")));
        assert_eq!(shop.post_json(&bert, &json!({"reason": "claim 2026/18", "until": "2027-01-31"})).await.status, 200);
        // Nobody replaces a hold without having seen it.
        assert_eq!(problem(&shop.post_json(&anna, &claim).await).0, 409);
        let longer = json!({"reason": "claim 2026/17, appeal", "until": "2030-12-31", "replaces": held["since"]});
        world.advance(60);
        assert_eq!(shop.post_json(&anna, &longer).await.status, 200);
        for body in [
            json!({"reason": "x", "until": "2028-12-31"}),
            json!({"reason": "claim", "until": "2020-12-31"}),
            json!({"reason": "claim", "until": "2028-12-31T00:00:00Z"}),
            json!({"reason": "claim", "until": "2058-12-31"}),
        ] {
            assert_eq!(problem(&shop.post_json(&bert, &body).await).0, 422, "{body}");
        }
        let page = shop.get("/api/v1/holds?brand=acme&limit=1").await.json();
        assert_eq!((page["items"].as_array().unwrap().len(), page["items"][0]["reason"].as_str()), (1, Some("claim 2026/18")));
        let next = format!("/api/v1/holds?brand=acme&limit=1&after={}", page["next"].as_str().unwrap());
        let second = shop.get(&next).await.json();
        assert_eq!(second["items"][0]["reason"], "claim 2026/17, appeal");
        assert_eq!(second["items"][0]["by"], "API key k0");
        let erase = json!({"brand": "acme", "address": "anna@example.org"});
        assert_eq!(problem(&shop.post_json("/api/v1/erasures", &erase).await).0, 409);
        let lifted = shop.post_json(&format!("{anna}/lift"), &json!({"reason": "settled"})).await;
        assert_eq!(lifted.json()["held"], json!(false));
        assert_eq!(problem(&shop.post_json(&format!("{anna}/lift"), &json!({"reason": "settled"})).await).0, 409);
        world.app.sequence().await.unwrap();
        assert_eq!(shop.post_json("/api/v1/erasures", &erase).await.status, 200);
        let did = deeds(&world, "k0").await;
        assert_eq!(did.matches("took a list along").count(), 1, "{did}");
        assert!(!did.contains('@'), "{did}");
        // A key without the scope sees nothing of it.
        let mut other = program(&world, &[Scope::ContactsRead]).await;
        assert_eq!(other.get("/api/v1/holds?brand=acme").await.status, 403);
        world.finish().await;
    }

    async fn a_mailbox_is_suppressed_and_let_go_with_a_reason_that_stays_in_the_evidence(engine: Engine) {
        let world = World::on(engine).await;
        let scopes = [Scope::SuppressionsRead, Scope::SuppressionsWrite, Scope::SignupsWrite];
        let mut shop = program(&world, &scopes).await;
        let ask = |address: &str| json!({"brand": "acme", "address": address, "reason": "asked by letter"});
        // Of somebody whom the brand knows: the mail that waits does not leave.
        signed_up(&mut shop, "anna@example.org").await;
        let done = shop.post_json("/api/v1/suppressions", &ask("anna@example.org")).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let done = done.json();
        assert_eq!((&done["changed"], &done["suppressed"], &done["reason"]), (&json!(true), &json!(true), &json!("operator")));
        assert!(world.deliver().await.is_empty(), "nothing is sent there");
        assert_eq!(world.kinds("anna@example.org").await, ["signed_up", "suppressed"]);
        let said = world.story("anna@example.org").await;
        assert!(matches!(&said[1].fact, Fact::Suppressed { reason, .. } if reason == "asked by letter"));
        let anna = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((anna.allowed, anna.rule, anna.basis), (false, "D3", Basis::Implicit));
        let again = shop.post_json("/api/v1/suppressions", &ask("anna@example.org")).await.json();
        assert_eq!((&again["changed"], &again["since"]), (&json!(false), &done["since"]));
        // Of somebody whom it does not know.
        assert_eq!(shop.post_json("/api/v1/suppressions", &ask("new@example.org")).await.json()["changed"], json!(true));
        signed_up(&mut shop, "new@example.org").await;
        assert!(world.deliver().await.is_empty());
        let find = json!({"brand": "acme", "address": "new@example.org"});
        assert_eq!(shop.post_json("/api/v1/suppressions/find", &find).await.json()["reason"], json!("operator"));
        // Let go, everything is as it was.
        let lifted = shop.post_json("/api/v1/suppressions/lift", &ask("anna@example.org")).await.json();
        assert_eq!((&lifted["changed"], &lifted["suppressed"], &lifted["reason"]), (&json!(true), &json!(false), &json!("operator")));
        let lifted = shop.post_json("/api/v1/suppressions/lift", &ask("anna@example.org")).await.json();
        assert_eq!(lifted["changed"], json!(false));
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        for reason in ["", "no", "a\u{7}b"] {
            let body = json!({"brand": "acme", "address": "anna@example.org", "reason": reason});
            assert_eq!(problem(&shop.post_json("/api/v1/suppressions", &body).await).0, 422, "{reason:?}");
        }
        let did = deeds(&world, "k0").await;
        assert_eq!(did.matches("kept the brand from a mailbox").count(), 3, "{did}");
        assert_eq!(did.matches("lifted a suppression").count(), 1, "{did}");
        assert!(!did.contains('@'), "{did}");
        world.app.sequence().await.unwrap();
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert!(audit.holds(), "{:?}", audit.findings);
        world.finish().await;
    }

    async fn an_erasure_over_the_api_says_by_what_way_it_came(engine: Engine) {
        let world = World::on(engine).await;
        let mut shop = program(&world, &[Scope::ContactsErase, Scope::SignupsWrite]).await;
        signed_up(&mut shop, "anna@example.org").await;
        world.deliver().await;
        let ask = json!({"brand": "acme", "address": "anna@example.org"});
        let mut once = shop.clone().with("idempotency-key", "e-1");
        let first = once.post_json("/api/v1/erasures", &ask).await;
        let repeated = once.post_json("/api/v1/erasures", &ask).await;
        assert_eq!((repeated.header("idempotency-replayed"), repeated.text()), (Some("true"), first.text()));
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let contact: uuid::Uuid = first.json()["contact"].as_str().unwrap().parse().unwrap();
        let mut conn = world.app.store.read().await.unwrap();
        let last = countersign::store::events::list_last(&mut conn, brand.id, countersign::domain::ids::ContactId(contact), 1).await;
        drop(conn);
        let body = last.unwrap()[0].body.clone().unwrap();
        let event: countersign::domain::event::Event = serde_json::from_str(&body).unwrap();
        assert!(matches!(event.fact, Fact::Erased { by: ErasedBy::Operator, through: Through::Api, .. }), "{body}");
        world.finish().await;
    }
}
