//! Sealed evidence in the pages: listed without the key, opened with it, and never without a trace.

use countersign::app::acted::deeds_of;
use countersign::app::operators;
use countersign::domain::operator::Role;
use countersign::domain::seal::OpeningKey;
use countersign::domain::sentence::sentence;
use countersign::ledger::bundle::{Known, verify};

use super::signing_in::{PASSWORD, signed_in};
use crate::erasure::sealed::{EMAIL, keeping, key};
use crate::erasure::{confirmed, forget, left_of};
use crate::harness::{Client, Reply, World, add_owner};
use crate::on_both_engines;

const PATH: &str = "/admin/evidence/sealed";

/// A post as a browser sends a form with a file.
async fn open(client: &mut Client, key: &OpeningKey, fields: &[(&str, &str)]) -> Reply {
    let mut body = String::new();
    let file = format!("# for the safe\nprivate: {}\n", key.text());
    for (name, value) in fields {
        body.push_str(&format!(
            "--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!(
        "--b\r\ncontent-disposition: form-data; name=\"key\"; filename=\"seal.key\"\r\n\
         content-type: text/plain\r\n\r\n{file}\r\n--b--\r\n"
    ));
    let kind = Some("multipart/form-data; boundary=b");
    client.send("POST", PATH, kind, body.as_bytes()).await
}

fn asking(reason: &'static str) -> [(&'static str, &'static str); 3] {
    [("brand", "acme"), ("address", EMAIL), ("reason", reason)]
}

/// What the operator did, as the log says it.
async fn last_deed(world: &World, name: &str) -> String {
    let all = operators::list(&world.app.store).await.unwrap();
    let one = all.iter().find(|one| one.operator.name == name).unwrap();
    let deeds = deeds_of(&world.app.store, one.operator.id, 50)
        .await
        .unwrap();
    sentence(deeds.last().unwrap())
}

on_both_engines! {
    async fn who_brings_the_key_gets_the_evidence_of_an_erased_person_and_stands_in_the_log(engine: Engine) {
        let world = keeping(engine).await;
        add_owner(&world.app).await;
        operators::add(&world.app, None, "aude", PASSWORD, (Role::Auditor, &[])).await.unwrap();
        operators::add(&world.app, None, "vera", PASSWORD, (Role::Viewer, &[])).await.unwrap();
        let (mut aude, mut vera) = (signed_in(&world, "aude").await, signed_in(&world, "vera").await);
        assert!(aude.get(PATH).await.text().contains("Nothing of this brand is sealed."));
        confirmed(&world, EMAIL, "203.0.113.77").await;
        let none = open(&mut aude, &key(), &asking("Case 12/26")).await;
        assert_eq!(none.status, 409, "nothing is sealed of somebody who was not erased");
        let erased = forget(&world, EMAIL).await.unwrap();
        assert_eq!(vera.get(PATH).await.status, 403);
        assert_eq!(open(&mut vera, &key(), &asking("Case 12/26")).await.status, 403);
        let page = aude.get(PATH).await.text();
        assert!(page.contains(&erased.contact.to_string()) && page.contains("Claims over mail sent without consent"));
        assert!(!page.contains("zwiebel-haus"), "no address leads there");

        for (what, fields, key, status) in [
            ("another key", asking("Case 12/26"), OpeningKey::derive(&[43; 32]), 422),
            ("no reason", asking(" "), key(), 422),
            ("another person", [("brand", "acme"), ("address", "bert@example.org"), ("reason", "Case")], key(), 409),
            ("another brand", [("brand", "other"), ("address", EMAIL), ("reason", "Case")], key(), 409),
            ("no address", [("brand", "acme"), ("address", "nobody"), ("reason", "Case")], key(), 422),
        ] {
            let reply = open(&mut aude, &key, &fields).await;
            assert_eq!(reply.status, status, "{what}: {}", reply.text());
            assert!(reply.text().contains("Not opened"), "{what}");
        }
        let nowhere = [("brand", "nowhere"), ("address", EMAIL), ("reason", "Case 12/26")];
        assert_eq!(open(&mut aude, &key(), &nowhere).await.status, 404, "a brand that is not there is not another one");
        let reply = aude.post(PATH, &asking("Case 12/26")).await;
        assert!(reply.status == 422 && reply.text().contains("no private seal key"));
        assert_eq!(left_of(&world, erased.contact).await.len(), 1, "nothing was opened so far");

        let reply = open(&mut aude, &key(), &asking("Case 12/26")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/zip"));
        let name = format!("attachment; filename=\"evidence-{}.zip\"", erased.contact);
        assert_eq!(reply.header("content-disposition"), Some(name.as_str()));
        let report = verify(&reply.body, Known::default()).unwrap();
        assert!(report.events.len() > 5);
        let left = left_of(&world, erased.contact).await;
        let kinds: Vec<_> = left.iter().map(|event| event.fact.kind()).collect();
        assert_eq!(kinds, ["erased", "seal_opened"]);
        assert!(sentence(&left[1]).contains("aude: Case 12/26"), "{}", sentence(&left[1]));
        let said = last_deed(&world, "aude").await;
        assert_eq!(said, format!("aude opened sealed evidence from 192.0.2.1: contact {} of brand acme: Case 12/26.", erased.contact));
        let page = aude.get(PATH).await.text();
        assert!(page.contains("aude: Case 12/26"));
        assert!(!page.contains(&key().text()), "the key is read and forgotten");
        world.app.sequence().await.unwrap();
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert!(audit.findings.is_empty(), "{:?}", audit.findings);
        world.finish().await;
    }

    async fn of_an_address_that_was_erased_twice_one_erasure_is_opened_and_it_has_to_be_said_which(engine: Engine) {
        let world = keeping(engine).await;
        add_owner(&world.app).await;
        let mut erased = Vec::new();
        for _ in 0..2 {
            confirmed(&world, EMAIL, "203.0.113.77").await;
            erased.push(forget(&world, EMAIL).await.unwrap().contact);
            world.advance(86_400);
        }
        let mut olga = signed_in(&world, "olga").await;
        let reply = open(&mut olga, &key(), &asking("Case 1")).await;
        assert_eq!(reply.status, 409);
        assert!(reply.text().contains("erased 2 times"), "{}", reply.text());
        for (which, status) in [("0", 422), ("first", 422), ("3", 409), ("2", 200)] {
            let fields = [asking("Case 1").as_slice(), &[("which", which)]].concat();
            assert_eq!(open(&mut olga, &key(), &fields).await.status, status, "{which}");
        }
        assert_eq!(left_of(&world, erased[0]).await.len(), 1);
        assert_eq!(left_of(&world, erased[1]).await.len(), 2);
        world.finish().await;
    }

    async fn whoever_is_kept_to_a_brand_opens_nothing_of_another(engine: Engine) {
        let world = keeping(engine).await;
        let catalog = world.app.catalog();
        let other = [catalog.brand_by_slug("other").unwrap().id];
        operators::add(&world.app, None, "emil", PASSWORD, (Role::Owner, &other)).await.unwrap();
        confirmed(&world, EMAIL, "203.0.113.77").await;
        let erased = forget(&world, EMAIL).await.unwrap();
        let mut emil = signed_in(&world, "emil").await;
        for path in [PATH.to_owned(), format!("{PATH}?brand=acme"), format!("{PATH}?brand=acme&format=csv")] {
            let reply = emil.get(&path).await;
            assert!(reply.status == 200 && !reply.text().contains(&erased.contact.to_string()), "{path}");
        }
        assert_eq!(open(&mut emil, &key(), &asking("Case 1")).await.status, 404);
        assert_eq!(left_of(&world, erased.contact).await.len(), 1);
        world.finish().await;
    }
}
