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
        world.advance(1);
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

    async fn a_person_is_found_by_the_beginning_of_an_id_of_eight_digits_or_more_and_by_an_address_that_looks_like_one(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for number in 0..60 {
            world.signed_up(&format!("reader{number:02}@example.org"), &format!("192.0.2.{number}")).await;
        }
        // Far enough that the first twelve digits, which are the time, are others.
        world.advance(3 * 86_400);
        world.signed_up("anna@example.org", "192.0.2.99").await;
        world.deliver().await;
        let anna = crate::leaving::contact_of(&world, "anna@example.org").await.to_string();
        let first = crate::leaving::contact_of(&world, "reader00@example.org").await.to_string();
        let mut client = signed_in(&world, "olga").await;
        let page = format!("/admin/contacts/acme/{anna}");
        for prefix in [&anna[..8], &anna[..13], &anna[..9], &anna.replace('-', "")[..20], &anna.to_uppercase()[..18], &anna[..35]] {
            let found = client.post("/admin/contacts", &[("brand", "acme"), ("q", prefix)]).await;
            assert_eq!((found.status, found.header("location")), (303, Some(page.as_str())), "{prefix}: {}", found.text());
        }
        let short = client.post("/admin/contacts", &[("brand", "acme"), ("q", &anna[..7])]).await;
        assert_eq!(short.status, 200, "seven digits are the beginning of an address");
        assert!(!short.text().contains("anna@example.org"), "{}", short.text());
        // All sixty begin alike: a page, and the rest behind it; then addresses that begin so.
        let digits = &first[..8];
        world.signed_up(&format!("{digits}77@example.org"), "192.0.2.100").await;
        world.deliver().await;
        let ask = |after: String| vec![("brand".to_owned(), "acme".to_owned()), ("q".to_owned(), digits.to_owned()), ("after".to_owned(), after)];
        let mut seen = Vec::new();
        let mut after = String::new();
        for _ in 0..3 {
            let fields = ask(after);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let page = client.post("/admin/contacts", &fields).await;
            let text = page.text();
            seen.extend(text.split("@example.org</a>").map(|part| part.rsplit('>').next().unwrap().to_owned()).filter(|name| !name.is_empty()));
            if !text.contains("name=\"after\"") {
                break;
            }
            after = page.hidden("after");
        }
        seen.retain(|name| name.starts_with("reader") || name.starts_with(digits));
        assert_eq!(seen.len(), 61, "{seen:?}");
        assert_eq!(seen.last().unwrap(), &format!("{digits}77"), "addresses come behind the ids");
        seen.dedup();
        assert_eq!(seen.len(), 61, "none twice");
        let nobody = client.post("/admin/contacts", &[("brand", "other"), ("q", &anna[..13])]).await;
        assert!(nobody.status == 200 && !nobody.text().contains("anna"), "another brand's");
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

    async fn whoever_leaves_by_letter_is_withdrawn_and_comes_back_only_by_a_new_confirmation(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        world.signed_up("anna@example.org", "192.0.2.7").await;
        world.deliver().await;
        let mut client = signed_in(&world, "olga").await;
        let fields = [("brand", "acme"), ("q", "anna@example.org")];
        let path = client.post("/admin/contacts", &fields).await.location();
        let gone = client.post(&format!("{path}/withdraw"), &[("purpose", ""), ("reason", "a letter of 20 November")]).await;
        assert_eq!(gone.location(), format!("{path}?done=withdrawn"));
        let page = client.get(&path).await.text();
        assert!(page.contains("a letter of 20 November"), "{page}");
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        let event = world.story("anna@example.org").await.into_iter().find(|event| event.fact.kind() == "withdrawn").unwrap();
        assert!(event.fact.circumstances().unwrap().ip.is_none());
        world.finish().await;
    }

    async fn a_key_made_in_the_pages_opens_the_api_until_it_is_revoked_and_is_shown_once(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let none = client.post("/admin/settings/keys", &[("name", "shop")]).await;
        assert_eq!(none.status, 422);
        let made = client.post("/admin/settings/keys", &[("name", "shop"), ("scopes", "catalog:read"), ("brand", "acme")]).await;
        let text = made.text();
        let at = text.find("csk_").expect("the key");
        let key: String = text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').collect();
        let mut program = world.client("192.0.2.30").with("authorization", &format!("Bearer {key}"));
        assert_eq!(program.get("/api/v1/brands").await.status, 200);
        assert!(!client.get("/admin/settings/keys").await.text().contains("csk_"));
        client.post("/admin/settings/keys/shop/revoke", &[]).await;
        assert_eq!(program.get("/api/v1/brands").await.status, 401);
        world.finish().await;
    }

    async fn a_webhook_is_added_paused_and_removed_in_the_pages(engine: Engine) {
        let world = World::with(engine, "[webhook]\nallow_private = true\n").await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let wrong = client.post("/admin/settings/webhooks", &[("url", "ftp://receiver.example/")]).await;
        assert_eq!(wrong.status, 422);
        let fields = [("url", "http://127.0.0.1:9/"), ("about", "the shop"), ("kinds", "contact.confirmed")];
        let added = client.post("/admin/settings/webhooks", &fields).await;
        assert!(added.text().contains("whsec_"), "{}", added.text());
        let list = client.get("/admin/settings/webhooks").await.text();
        let at = list.find("/admin/settings/webhooks/").unwrap();
        let path = list[at..].split('"').next().unwrap().to_owned();
        let tested = client.post(&path, &[("do", "test")]).await;
        assert!(tested.text().contains("was not taken"), "nobody listens there");
        assert_eq!(client.post(&path, &[("do", "pause")]).await.status, 303);
        assert!(client.get(&path).await.text().contains("paused"));
        assert!(client.post(&path, &[("do", "rotate")]).await.text().contains("whsec_"));
        assert_eq!(client.post(&path, &[("do", "remove")]).await.status, 303);
        assert_eq!(client.get(&path).await.status, 404);
        world.finish().await;
    }

    async fn a_suppressed_mailbox_is_found_by_a_post_and_lifted_with_a_reason(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let (mut person, _) = world.signed_up("anna@example.org", "192.0.2.7").await;
        let mail = world.mail_to("anna@example.org").await;
        person.post(&mail.decline(), &[]).await;
        let mut client = signed_in(&world, "olga").await;
        let fields = [("brand", "acme"), ("address", "anna@example.org")];
        let path = "/admin/settings/suppressions";
        assert!(client.post(path, &fields).await.text().contains("Suppressed"));
        let lift = format!("{path}/lift");
        assert_eq!(client.post(&lift, &fields).await.status, 422, "without a reason");
        let with = [("brand", "acme"), ("address", "anna@example.org"), ("reason", "she wrote that she pressed the wrong button")];
        assert!(client.post(&lift, &with).await.text().contains("Mail may go"));
        assert!(client.post(path, &fields).await.text().contains("Open"));
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed, "what was declined stays so");
        world.finish().await;
    }

    async fn while_as_many_bundles_are_made_as_may_be_another_one_waits(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let contact = crate::leaving::confirmed(&world, "anna@example.org").await;
        let olga = signed_in(&world, "olga").await;
        let key = crate::api::key(&world, &[countersign::domain::api_key::Scope::EvidenceRead], None).await;
        // A process of the same installation whose turns are all taken.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut web = countersign::web::Web::new(world.app.clone(), None);
        web.bundles = tokio::sync::Semaphore::new(0);
        tokio::spawn(countersign::web::serve(listener, web, 1).unwrap());
        let mut busy = crate::harness::Client::new(&base, "192.0.2.1").with("sec-fetch-site", "same-origin");
        busy.cookies.clone_from(&olga.cookies);
        for deed in ["verify", "bundle"] {
            let reply = busy.post(&format!("/admin/contacts/acme/{contact}/{deed}"), &[]).await;
            assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")), "{deed}: {}", reply.text());
            assert!(reply.text().contains("try again in a few seconds"), "{deed}: {}", reply.text());
        }
        let mut program = crate::harness::Client::new(&base, "192.0.2.1").with("authorization", &format!("Bearer {key}"));
        let reply = program.get(&format!("/api/v1/contacts/{contact}/evidence")).await;
        assert_eq!(crate::api::problem(&reply).0, 503, "they take the same turns");
        let mut olga = olga;
        let checked = olga.post(&format!("/admin/contacts/acme/{contact}/verify"), &[]).await;
        assert!(checked.status == 200 && checked.text().contains("It holds."), "{}", checked.text());
        assert!(!world.kinds("anna@example.org").await.contains(&"exported"), "nothing was handed out");
        world.finish().await;
    }
}
