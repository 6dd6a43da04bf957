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

    async fn what_was_typed_comes_back_with_what_is_wrong_beside_its_field(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let edit = "/admin/forms/news/edit";
        // As browsers count it the text fits: a line's end is one character.
        let lines = "a line\r\n".repeat(280).trim_end().to_owned();
        let fits = fields(&mut client, edit, &[("intro-en", &lines)]).await;
        assert_eq!(client.post(edit, &borrowed(&fits)).await.location(), "/admin/forms/news?done=saved");
        let long = "x".repeat(2_001);
        for (changed, words) in [
            (("minimum_fill_seconds", "a few"), "0 to 60 seconds"),
            (("remind_after_days", "two"), "are a number"),
            (("intro-en", long.as_str()), "too long"),
            (("origins", "https://a.example/path"), "scheme and host only"),
            (("redirect_after_signup", "javascript:alert(1)"), "must begin with https://"),
            (("remind_after_days", "30"), "less than the brand"),
        ] {
            let mut wrong = fields(&mut client, edit, &[("title-en", "Typed with care"), ("name_in_mail", "on")]).await;
            wrong.retain(|field| field.0 != changed.0 && field.0 != "purpose-events");
            wrong.push(("purpose-events".to_owned(), "none".to_owned()));
            wrong.push((changed.0.to_owned(), changed.1.to_owned()));
            let reply = client.post(edit, &borrowed(&wrong)).await;
            let text = reply.text();
            assert_eq!(reply.status, 422, "{words}");
            assert!(text.contains("value=\"Typed with care\"") && text.contains(changed.1), "{words}: what was typed");
            assert!(text.contains("name=\"name_in_mail\" checked"), "{words}: a box");
            assert!(text.contains("name=\"purpose-events\" value=\"none\" checked"), "{words}: a choice");
            let beside = format!("id=\"{}-problem\"", changed.0);
            let at = text.find(&beside).unwrap_or_else(|| panic!("{words}: beside its field"));
            assert!(text[at..at + 300].contains(words), "{words}: {}", &text[at..at + 300]);
            assert!(text.contains(&format!("aria-describedby=\"{}-problem", changed.0)) && text.contains("aria-invalid"), "{words}");
        }
        // A new form whose name does not fit keeps everything, and so does a brand.
        let path = "/admin/new-form";
        let wrong = fields(&mut client, path, &[("slug", "Spring Fair"), ("title-en", "Typed with care")]).await;
        let reply = client.post(path, &borrowed(&wrong)).await;
        assert!(reply.status == 422 && reply.text().contains("value=\"Spring Fair\"") && reply.text().contains("Typed with care"));
        let page = client.get("/admin/settings/brands/acme").await;
        let revision = page.hidden("revision");
        let brand = [("revision", revision.as_str()), ("name", "Typed with care"), ("confirm_within_days", "soon"), ("mails_per_hour", "0"), ("new_slug", "offers"), ("new_name", "Offers by mail")];
        let reply = client.post("/admin/settings/brands/acme", &brand).await;
        let text = reply.text();
        assert!(reply.status == 422 && text.contains("Typed with care") && text.contains("value=\"soon\"") && text.contains("Offers by mail"), "{text}");
        world.finish().await;
    }

    async fn of_two_who_save_at_once_the_later_is_told_and_nothing_of_the_first_is_lost(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let client = signed_in(&world, "olga").await;
        let edit = "/admin/forms/news/edit";
        for round in 0..5 {
            let mut posts = Vec::new();
            for number in 0..6 {
                let mut client = client.clone();
                let words = [format!("Title {round}.{number}"), format!("Button {round}.{number}")];
                let own = fields(&mut client, edit, &[("title-en", &words[0]), ("button-en", &words[1])]).await;
                posts.push(async move { client.post(edit, &borrowed(&own)).await });
            }
            let replies = futures_util::future::join_all(posts).await;
            let saved = replies.iter().filter(|reply| reply.status == 303).count();
            assert_eq!(saved, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
            let told = replies.iter().filter(|reply| reply.status == 422 && reply.text().contains("somebody else changed")).count();
            assert_eq!(told, 5);
            let form = world.app.catalog().form("news").unwrap().clone();
            let (title, button) = (&form.declared.title["en"], &form.declared.button["en"]);
            assert_eq!(title.strip_prefix("Title"), button.strip_prefix("Button"));
        }
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
