//! Finding people, their story, and what is done on request.

use super::signing_in::signed_in;
use crate::harness::{World, add_owner};
use crate::on_both_engines;

on_both_engines! {
    async fn a_person_is_found_by_address_beginning_and_id_and_no_address_stands_in_a_url(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for number in 0..60 {
            let email = format!("reader{number:02}@example.org");
            world.signed_up(&email, &format!("192.0.2.{number}")).await;
        }
        world.signed_up("anna@example.org", "192.0.2.99").await;
        world.deliver().await;
        let mut client = signed_in(&world, "olga").await;
        let found = |text: &'static str| [("brand", "acme"), ("q", text)];
        let page = client.post("/admin/contacts", &found("Anna@Example.org")).await.location();
        assert!(page.starts_with("/admin/contacts/acme/") && !page.contains("anna"));
        let id = page.rsplit('/').next().unwrap().to_owned();
        let by_id = client.post("/admin/contacts", &[("brand", "acme"), ("q", &id)]).await;
        assert_eq!(by_id.location(), page);
        let many = client.post("/admin/contacts", &found("reader")).await;
        assert_eq!(many.text().matches("@example.org</a>").count(), 50);
        let more = [("brand", "acme"), ("q", "reader"), ("after", &many.hidden("after"))];
        assert_eq!(client.post("/admin/contacts", &more).await.text().matches("@example.org</a>").count(), 10);
        let nobody = client.post("/admin/contacts", &found("zoe")).await;
        assert!(nobody.text().contains("knows no address that begins so"));
        let newest = client.get("/admin/contacts").await.text();
        assert!(newest.contains("anna@example.org") && newest.contains("Next rows"));
        for href in newest.split("href=\"").skip(1) {
            assert!(!href.split('"').next().unwrap().contains('@'), "an address in a URL");
        }
        let list = client.post("/admin/contacts/list", &[("brand", "acme")]).await;
        let text = list.text();
        assert_eq!(text.lines().count(), 62);
        assert!(text.starts_with("id,address,language,known_since,newsletter,events\n"));
        assert!(text.contains(",anna@example.org,en,"), "{}", &text[..300]);
        world.finish().await;
    }

    async fn a_contacts_page_tells_the_story_with_form_and_mail_and_the_evidence_holds(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let (mut person, _) = world.signed_up("anna@example.org", "192.0.2.7").await;
        let mail = world.mail_to("anna@example.org").await;
        world.advance(30);
        person.get(&mail.confirm()).await;
        world.advance(5);
        let confirmed = person.post(&mail.confirm(), &[]).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text());
        world.app.sequence().await.unwrap();
        let mut client = signed_in(&world, "olga").await;
        let fields = [("brand", "acme"), ("q", "anna@example.org")];
        let path = client.post("/admin/contacts", &fields).await.location();
        let page = client.get(&path).await.text();
        for words in ["Signed up for newsletter", "The mail server took the confirmation mail", "Confirmed newsletter", "explicit", "in the log"] {
            assert!(page.contains(words), "{words}");
        }
        let at = page.find("/mail/").unwrap();
        let mail_path = format!("{path}{}", page[at..].split('"').next().unwrap());
        let html = client.get(&mail_path).await;
        assert!(html.text().contains(&mail.confirm()));
        assert!(html.header("content-security-policy").unwrap().contains("sandbox"));
        let at = page.find("/admin/shown/").unwrap();
        let shown = client.get(page[at..].split('"').next().unwrap()).await;
        assert!(shown.text().contains("News twice a month."));
        let checked = client.post(&format!("{path}/verify"), &[]).await;
        assert!(checked.text().contains("It holds."), "{}", checked.text());
        let bundle = client.post(&format!("{path}/bundle"), &[]).await;
        assert_eq!(bundle.header("content-type"), Some("application/zip"));
        let report = countersign::ledger::bundle::verify(&bundle.body, countersign::ledger::bundle::Known::default());
        assert!(report.is_ok(), "{:?}", report.err());
        world.finish().await;
    }

    async fn the_mail_is_sent_again_on_request_and_erasing_asks_for_the_address(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        world.signed_up("anna@example.org", "192.0.2.7").await;
        world.deliver().await;
        let mut client = signed_in(&world, "olga").await;
        let fields = [("brand", "acme"), ("q", "anna@example.org")];
        let path = client.post("/admin/contacts", &fields).await.location();
        world.advance(120);
        client.post(&format!("{path}/ask-again"), &[]).await;
        assert_eq!(world.deliver().await.len(), 2);
        let last = world.story("anna@example.org").await;
        let again = last.iter().find(|event| event.fact.kind() == "mail_requested").unwrap();
        assert!(again.fact.circumstances().unwrap().ip.is_none(), "the operator's address is not the person's");
        let wrong = client.post(&format!("{path}/erase"), &[("address", "anna@example.com")]).await;
        assert_eq!(wrong.status, 422);
        assert_eq!(world.story("anna@example.org").await.len(), last.len());
        let gone = client.post(&format!("{path}/erase"), &[("address", "Anna@example.org")]).await;
        assert_eq!(gone.location(), "/admin/contacts?brand=acme&done=erased", "{}", gone.text());
        assert_eq!(client.get(&path).await.status, 404);
        assert!(world.story("anna@example.org").await.is_empty());
        world.finish().await;
    }
}
