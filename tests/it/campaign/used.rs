//! When a contact last used what it agreed to, and from when on it is due to be asked again: on its page, and for programs.

use countersign::domain::api_key::Scope;
use countersign::domain::operator::Role;
use serde_json::{Value, json};

use super::by_time::world;
use crate::api::program;
use crate::harness::{Client, World};
use crate::jobs::signed_in;
use crate::leaving::{brand, confirmed, links};
use crate::on_both_engines;

const DAY: u64 = 86_400;

async fn report(shop: &mut Client, purpose: Option<&str>, at: &str) {
    let mut body =
        json!({"brand": "acme", "uses": [{"address": "anna@example.org", "last_used_at": at}]});
    if let Some(purpose) = purpose {
        body["purpose"] = json!(purpose);
    }
    let reply = shop.post_json("/api/v1/contacts/use", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Last use and due date of a purpose.
fn told(contact: &Value, purpose: &str) -> (Value, Value) {
    let standing = &contact["standings"][purpose];
    (
        standing["last_used_at"].clone(),
        standing["due_from"].clone(),
    )
}

on_both_engines! {
    async fn a_contact_tells_its_last_use_and_from_when_on_it_is_due(engine: Engine) {
        let world = world(engine, "after_years = 3\nunused_months = 24").await;
        let id = confirmed(&world, "anna@example.org").await;
        let mut shop = program(&world, &[Scope::ContactsRead, Scope::UseWrite]).await;
        let path = format!("/api/v1/contacts/{id}");
        let day = |text: &str| json!(format!("{text}T00:00:00.000000Z"));
        let contact = shop.get(&path).await.json();
        for purpose in ["newsletter", "events"] {
            assert_eq!(told(&contact, purpose), (json!(null), day("2028-11-23")), "{purpose}");
        }
        world.advance(400 * DAY);
        report(&mut shop, Some("newsletter"), "2027-11-20T10:00:00Z").await;
        let contact = shop.get(&path).await.json();
        assert_eq!(told(&contact, "newsletter"), (json!("2027-11-20T10:00:00.000000Z"), day("2029-11-20")));
        assert_eq!(told(&contact, "events"), (json!(null), day("2028-11-23")));
        // Of whatever was agreed to; then the years since the confirmation are over first.
        report(&mut shop, None, "2027-12-01T08:00:00Z").await;
        let contact = shop.get(&path).await.json();
        for purpose in ["newsletter", "events"] {
            assert_eq!(told(&contact, purpose), (json!("2027-12-01T08:00:00.000000Z"), day("2029-11-23")), "{purpose}");
        }
        let find = json!({"brand": "acme", "address": "anna@example.org"});
        assert_eq!(shop.post_json("/api/v1/contacts/find", &find).await.json(), contact);
        assert_eq!(shop.get("/api/v1/contacts?brand=acme").await.json()["items"], json!([contact]));

        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let page_of = format!("/admin/contacts/acme/{id}");
        let page = olga.get(&page_of).await.text();
        assert!(page.contains("Last used") && page.contains("2027-12-01T08:00:00.000000Z"), "{page}");
        let due = "</span><span class=\"exact\">2029-11-23T00:00:00.000000Z</span>";
        assert_eq!(page.matches(due).count(), 2, "{page}");
        assert!(!page.contains(&format!("ago{due}")), "{page}");
        assert!(page.contains("asks again 3 years after the confirmation or after 24 months without use"), "{page}");
        // Who left is not due any more, and what was used stays told.
        let url = links(&world, id, Some("events")).unsubscribe_url;
        world.client("198.51.100.7").post(&url, &[("leave", "yes")]).await;
        let contact = shop.get(&path).await.json();
        assert_eq!(told(&contact, "events"), (json!("2027-12-01T08:00:00.000000Z"), json!(null)));
        world.advance(731 * DAY);
        let mut olga = crate::jobs::sign_in(&world.base, "olga").await;
        let page = olga.get(&page_of).await.text();
        assert!(page.contains(&format!("ago{due}")) && page.matches(due).count() == 1, "{page}");
        world.finish().await;
    }

    async fn a_brand_that_does_not_ask_again_tells_use_only_where_it_was_reported(engine: Engine) {
        let world = World::on(engine).await;
        assert_eq!(brand(&world).declared.reconfirm, None);
        let id = confirmed(&world, "anna@example.org").await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let page_of = format!("/admin/contacts/acme/{id}");
        let page = olga.get(&page_of).await.text();
        assert!(!page.contains("Last used") && !page.contains("Due again"), "{page}");
        let mut shop = program(&world, &[Scope::ContactsRead, Scope::UseWrite]).await;
        report(&mut shop, Some("newsletter"), "2026-11-20T10:00:00Z").await;
        let page = olga.get(&page_of).await.text();
        assert!(page.contains("Last used") && page.contains("2026-11-20T10:00:00.000000Z") && !page.contains("Due again"), "{page}");
        let contact = shop.get(&format!("/api/v1/contacts/{id}")).await.json();
        assert_eq!(told(&contact, "newsletter"), (json!("2026-11-20T10:00:00.000000Z"), json!(null)));
        assert_eq!(told(&contact, "events"), (json!(null), json!(null)));
        world.finish().await;
    }
}
