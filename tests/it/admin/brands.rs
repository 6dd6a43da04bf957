//! Brands and forms from the pages: a new brand, what of one only a file could say before, and a form that is retired.

use countersign::app::operators;
use countersign::domain::brand::RoleAddresses;
use countersign::domain::operator::Role;
use countersign::domain::policy::Overlay;

use super::signing_in::signed_in;
use crate::harness::{OWNERS_PASSWORD, World, add_owner};
use crate::on_both_engines;

/// The fields that a brand must have.
const REQUIRED: [(&str, &str); 9] = [
    ("name", "Spring Society"),
    ("legal_name", "Spring Society Ltd"),
    ("postal_address", "2 Mill Lane\r\n1000 AA Example Town"),
    ("contact", "privacy@spring.example"),
    ("from_address", "letters@spring.example"),
    ("accent", "#1f5f8b"),
    ("confirm_within_days", "7"),
    ("mails_per_hour", "0"),
    ("sets_law", "yes"),
];

fn with<'a>(own: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = own.to_vec();
    let rest = REQUIRED
        .iter()
        .filter(|one| !own.iter().any(|own| own.0 == one.0));
    fields.extend(rest);
    fields
}

on_both_engines! {
    async fn a_new_brand_is_made_and_its_overlays_zone_and_terms_are_set_as_a_file_would(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let path = "/admin/settings/new-brand";
        let page = client.get(path).await;
        assert_eq!(page.status, 200);
        let revision = page.hidden("revision");
        let law = [("time_zone", "UTC"), ("active_within_months", "24")];
        for (slug, words) in [("", "is no name"), ("Spring Society", "is no name"), ("acme", "There is a brand acme already")] {
            let own = [&[("slug", slug), ("revision", revision.as_str())][..], &law].concat();
            let reply = client.post(path, &with(&own)).await;
            assert!(reply.status == 422 && reply.text().contains(words), "{slug}: {}", reply.text());
            assert!(reply.text().contains("value=\"Spring Society\""), "what was typed is kept");
        }
        let own = [&[("slug", "spring"), ("revision", revision.as_str()), ("new_slug", "letters"), ("new_name", "Letters"), ("new_wording", "A letter in spring.")][..], &law].concat();
        assert_eq!(client.post(path, &with(&own)).await.location(), "/admin/settings?done=saved");
        let catalog = world.app.catalog();
        let made = &catalog.brand_by_slug("spring").unwrap().declared;
        assert_eq!((made.legal_name.as_str(), made.purposes.len()), ("Spring Society Ltd", 1));
        assert_eq!(catalog.brand_by_slug("acme").unwrap().declared.name, "Acme Letters", "no other brand is touched");
        // What only a file could say.
        let path = "/admin/settings/brands/spring";
        let revision = client.get(path).await.hidden("revision");
        let words = [("name-letters-en", "Letters"), ("wording-letters-en", "A letter in spring."), ("revision", revision.as_str())];
        for (own, expected) in [
            (vec![("time_zone", "Atlantis/Capital"), ("active_within_months", "12")], "is no time zone"),
            (vec![("time_zone", "UTC"), ("active_within_months", "99")], "active_within_months must be 1 to 24"),
            (vec![("time_zone", "UTC"), ("active_within_months", "12"), ("role_addresses", "on")], "needs responsible"),
            (vec![("time_zone", "UTC"), ("active_within_months", "12"), ("keep_years", "3")], "keep_proof_after_erasure"),
            (vec![("time_zone", "UTC"), ("active_within_months", "12"), ("from_address", "nonsense")], "from_address &#34;nonsense&#34; is no address"),
            (vec![("time_zone", "UTC"), ("active_within_months", "12"), ("reply_to", "x y")], "reply_to &#34;x y&#34; is no address"),
            (vec![("time_zone", "UTC"), ("active_within_months", "12"), ("contact", "")], "contact says whom people write to"),
        ] {
            let own = [&words[..], &own].concat();
            let reply = client.post(path, &with(&own)).await;
            assert!(reply.status == 422 && reply.text().contains(expected), "{expected}: {}", reply.text());
        }
        let own = [&words[..], &[
            ("time_zone", "Europe/Amsterdam"), ("active_within_months", "12"), ("overlays", "nl"), ("overlays", "de"),
            ("role_addresses", "on"), ("responsible", "Rita Role"),
        ]].concat();
        assert_eq!(client.post(path, &with(&own)).await.location(), "/admin/settings?done=saved");
        let catalog = world.app.catalog();
        let set = &catalog.brand_by_slug("spring").unwrap().declared;
        assert_eq!((set.time_zone.as_str(), set.active_within_months), ("Europe/Amsterdam", 12));
        assert!(set.overlays.iter().eq(&[Overlay::De, Overlay::Nl]));
        assert_eq!((set.role_addresses, set.responsible.as_deref()), (RoleAddresses::ConfirmFirst, Some("Rita Role")));
        let page = client.get(path).await;
        assert!(page.text().contains("value=\"de\" checked") && page.text().contains("value=\"Europe/Amsterdam\""));
        // A page that an older version drew has none of these fields, and changes none of them.
        let revision = page.hidden("revision");
        let old = [("name-letters-en", "Letters"), ("wording-letters-en", "A letter in spring."), ("revision", revision.as_str()), ("sets_law", ""), ("name", "Spring Circle")];
        assert_eq!(client.post(path, &with(&old)).await.location(), "/admin/settings?done=saved");
        let catalog = world.app.catalog();
        let kept = &catalog.brand_by_slug("spring").unwrap().declared;
        assert_eq!((kept.name.as_str(), kept.overlays.len(), kept.active_within_months), ("Spring Circle", 2, 12));
        // What proof outlives an erasure, and whose key opens it, is an owner's to say.
        operators::add(&world.app, None, "eddie", OWNERS_PASSWORD, (Role::Editor, &[])).await.unwrap();
        let mut eddie = signed_in(&world, "eddie").await;
        let (before, page) = (client.get(path).await.hidden("revision"), eddie.get(path).await);
        let revision = page.hidden("revision");
        let now = [("name-letters-en", "Letters"), ("wording-letters-en", "A letter in spring."), ("time_zone", "Europe/Amsterdam"),
            ("active_within_months", "12"), ("overlays", "nl"), ("overlays", "de"), ("role_addresses", "on"), ("responsible", "Rita Role")];
        let own = [&now[..], &[("name", "Spring Folk"), ("revision", revision.as_str()), ("keep_reason", "mine"), ("keep_years", "3"), ("keep_key", "mine")]].concat();
        assert_eq!(eddie.post(path, &with(&own)).await.location(), "/admin/settings?done=saved");
        let catalog = world.app.catalog();
        let kept = &catalog.brand_by_slug("spring").unwrap().declared;
        assert!(kept.name == "Spring Folk" && kept.keep_proof_after_erasure.is_none());
        // Fields that come back with what is wrong still rest on what they did: what eddie saved is not overwritten unseen.
        let own = [&now[..], &[("revision", before.as_str()), ("mails_per_hour", "many")]].concat();
        let wrong = client.post(path, &with(&own)).await;
        assert_eq!((wrong.status, wrong.hidden("revision")), (422, before.clone()));
        let own = [&now[..], &[("revision", before.as_str())]].concat();
        let late = client.post(path, &with(&own)).await;
        assert!(late.status == 422 && late.text().contains("somebody else changed"), "{}", late.text());
        let listed = client.get("/admin/settings?filter=spring").await.text();
        assert!(listed.contains("de, nl") && !listed.contains("/admin/settings/brands/acme"), "{listed}");
        // Every term is there, with what it does.
        let terms = client.get("/admin/settings").await.text();
        for (name, value) in [("[leaving] mailed_link_days", "7 days"), ("[leaving] program_link_days", "90 days"),
            ("[campaign] asked_again_months", "12 months"), ("fixed: links that were opened", "91 days"), ("fixed: reports of lists", "7 days"),
            ("fixed: lists and campaigns begun", "1 day"), ("fixed: numbers of booth entries", "40 days"),
            ("fixed: small domains in figures", "31 days"), ("fixed: what webhooks were told", "30 days")] {
            let row = terms.split("<tr").find(|row| row.contains(name));
            assert!(row.is_some_and(|row| row.contains(value)), "{name} in {terms}");
        }
        let deeds = client.get("/admin/account").await.text();
        assert!(deeds.contains("changed brands and forms") && deeds.contains("brand spring"), "{deeds}");
        world.finish().await;
    }

    async fn a_form_is_retired_by_its_name_and_whoever_got_its_mail_still_confirms(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let (mut person, _) = world.signed_up("anna@example.org", "192.0.2.7").await;
        let mail = world.mail_to("anna@example.org").await;
        let mut client = signed_in(&world, "olga").await;
        let page = client.get("/admin/forms/news").await;
        let revision = page.hidden("revision");
        let path = "/admin/forms/news/retire";
        let wrong = client.post(path, &[("revision", &revision), ("name", "other")]).await;
        assert!(wrong.status == 422 && wrong.text().contains("type the name of the form"));
        let stale = client.post(path, &[("revision", "before"), ("name", "news")]).await;
        assert!(stale.status == 409 && stale.text().contains("somebody else changed"));
        let done = client.post(path, &[("revision", &revision), ("name", "news")]).await;
        assert_eq!(done.location(), "/admin/forms?done=retired", "{}", done.text());
        assert!(client.get("/admin/forms?done=retired").await.text().contains("takes no signups any more"));
        let late = world.client("192.0.2.8").post("/f/news", &[("email", "bert@example.org")]).await;
        assert!(late.status >= 400, "{}", late.status);
        person.get(&mail.confirm()).await;
        world.advance(5);
        person.post(&mail.confirm(), &[]).await;
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        let deeds = client.get("/admin/account").await.text();
        assert!(deeds.contains("retired a form") && deeds.contains("form news of brand acme"), "{deeds}");
        world.finish().await;
    }
}
