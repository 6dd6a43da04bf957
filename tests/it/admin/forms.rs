//! Forms and brands, changed in the pages.

use super::signing_in::signed_in;
use crate::harness::{Client, World, add_owner};
use crate::on_both_engines;

/// The fields of the edit page as a browser would send them back, with some changed.
async fn fields(
    client: &mut Client,
    path: &str,
    changed: &[(&str, &str)],
) -> Vec<(String, String)> {
    let page = client.get(path).await;
    let mut fields: Vec<(String, String)> = vec![
        ("revision".to_owned(), page.hidden("revision")),
        ("brand".to_owned(), page.hidden("brand")),
        ("languages".to_owned(), "en".to_owned()),
        ("languages".to_owned(), "de".to_owned()),
        ("purpose-newsletter".to_owned(), "purpose".to_owned()),
        ("purpose-events".to_owned(), "choice".to_owned()),
        ("minimum_fill_seconds".to_owned(), "1".to_owned()),
        ("asks_name".to_owned(), "on".to_owned()),
        (
            "origins".to_owned(),
            "https://www.acme.example/\r\n".to_owned(),
        ),
    ];
    fields.extend(
        changed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    fields
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

on_both_engines! {
    async fn changed_words_make_a_new_version_that_can_be_compared_and_an_old_page_still_counts(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let before = world.app.catalog().form("news").unwrap().current.clone();
        let mut client = signed_in(&world, "olga").await;
        let edit = "/admin/forms/news/edit";
        let first = fields(&mut client, edit, &[("title-en", "Letters from Acme")]).await;
        let saved = client.post(edit, &borrowed(&first)).await;
        assert_eq!(saved.location(), "/admin/forms/news?done=saved", "{}", saved.text());
        let form = world.app.catalog().form("news").unwrap().clone();
        assert_ne!(form.current, before);
        assert_eq!(form.versions.len(), 2);
        assert_eq!(form.declared.origins, ["https://www.acme.example"]);
        let mut person = world.client("192.0.2.1");
        assert_eq!(person.get("/f/news?lang=en").await.heading(), "Letters from Acme");
        // The same page sent again rests on what is no longer so.
        let late = client.post(edit, &borrowed(&first)).await;
        assert_eq!(late.status, 422);
        assert!(late.text().contains("somebody else changed"));
        let again = fields(&mut client, edit, &[("title-en", "Letters from Acme")]).await;
        assert_eq!(client.post(edit, &borrowed(&again)).await.location(), "/admin/forms/news?done=same");
        let diff = format!("/admin/forms/news/versions/{}/{}", before.as_str(), form.current.as_str());
        let diff = client.get(&diff).await.text();
        assert!(diff.contains("title (en): Letters from Acme"));
        // The other forms of the brand are as they were.
        for other in ["news-two", "news-three", "guarded"] {
            assert!(world.app.catalog().form(other).is_some(), "{other}");
        }
        let page = client.get("/admin/forms/news").await.text();
        assert!(page.contains("Nothing to mend."), "{page}");
        world.finish().await;
    }

    async fn what_is_wrong_with_a_form_is_said_and_nothing_is_saved(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let edit = "/admin/forms/news/edit";
        let revision = world.app.revision();
        for (changed, words) in [
            (("redirect_after_signup", "javascript:alert(1)"), "must begin with https://"),
            (("origins", "https://a.example/path"), "must be scheme and host only"),
            (("minimum_fill_seconds", "99"), "0 to 60 seconds"),
        ] {
            let mut wrong = fields(&mut client, edit, &[]).await;
            wrong.retain(|field| field.0 != changed.0);
            wrong.push((changed.0.to_owned(), changed.1.to_owned()));
            let reply = client.post(edit, &borrowed(&wrong)).await;
            assert_eq!(reply.status, 422, "{words}");
            assert!(reply.text().contains(words), "{words}: {}", reply.text());
        }
        let none: Vec<(String, String)> = fields(&mut client, edit, &[]).await.into_iter().filter(|field| !field.0.starts_with("purpose-")).collect();
        assert!(client.post(edit, &borrowed(&none)).await.text().contains("name at least one purpose"));
        assert_eq!(world.app.revision(), revision);
        world.finish().await;
    }

    async fn a_new_form_takes_signups_at_once_and_its_name_is_nobody_elses(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let path = "/admin/new-form";
        let taken = fields(&mut client, path, &[("slug", "other")]).await;
        assert_eq!(client.post(path, &borrowed(&taken)).await.status, 422);
        let fresh = fields(&mut client, path, &[("slug", "spring-fair")]).await;
        assert_eq!(client.post(path, &borrowed(&fresh)).await.location(), "/admin/forms/spring-fair?done=saved");
        let mut person = world.client("192.0.2.1");
        assert_eq!(person.post("/f/spring-fair", &[("email", "anna@example.org")]).await.status, 303);
        world.deliver().await;
        world.finish().await;
    }

    async fn a_preview_shows_what_would_be_and_nothing_of_it_can_be_sent(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let mut draft = fields(&mut client, "/admin/forms/news/edit", &[("title-en", "A title to look at")]).await;
        draft.push(("slug".to_owned(), "news".to_owned()));
        let page = client.post("/admin/preview-form/page", &borrowed(&draft)).await;
        assert_eq!(page.heading(), "A title to look at");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("sandbox") && policy.contains("frame-ancestors 'self'") && !policy.contains("allow-forms"));
        let mail = client.post("/admin/preview-form/mail", &borrowed(&draft)).await;
        assert!(mail.text().contains("Acme Letters"));
        assert_eq!(world.app.catalog().form("news").unwrap().versions.len(), 1);
        world.finish().await;
    }

    async fn a_mail_that_sells_is_found_before_it_is_sent(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let page = client.get("/admin/settings/brands/acme").await;
        let mut brand = vec![
            ("revision", page.hidden("revision")),
            ("name", "Acme Letters".to_owned()),
            ("legal_name", "Acme Letters Ltd".to_owned()),
            ("postal_address", "1 Mill Lane\r\n1000 AA Example Town".to_owned()),
            ("contact", "privacy@acme.example".to_owned()),
            ("from_address", "letters@acme.example".to_owned()),
            ("accent", "#1f5f8b".to_owned()),
            ("checked_by_line", "on".to_owned()),
            ("confirm_within_days", "7".to_owned()),
            ("mails_per_hour", "0".to_owned()),
            ("name-newsletter-en", "Newsletter".to_owned()),
            ("name-newsletter-de", "Rundbrief".to_owned()),
            ("wording-newsletter-en", "Every week a voucher, 20 % off.".to_owned()),
            ("wording-newsletter-de", "Neues zweimal im Monat.".to_owned()),
            ("name-events-en", "Events".to_owned()),
            ("wording-events-en", "Invitations.".to_owned()),
        ];
        brand.push(("new_slug", "offers".to_owned()));
        brand.push(("new_name", "Offers".to_owned()));
        brand.push(("new_wording", "Now and then.".to_owned()));
        let brand: Vec<(&str, &str)> = brand.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let saved = client.post("/admin/settings/brands/acme", &brand).await;
        assert_eq!(saved.location(), "/admin/settings?done=saved", "{}", saved.text());
        let catalog = world.app.catalog();
        let declared = &catalog.brand_by_slug("acme").unwrap().declared;
        assert_eq!(declared.purposes.len(), 3);
        assert_eq!(declared.postal_address.len(), 2);
        let page = client.get("/admin/forms/news?lang=en").await.text();
        assert!(page.contains("“voucher”") && page.contains("“%”"), "{page}");
        world.finish().await;
    }
}
