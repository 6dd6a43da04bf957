//! Signing up: every way in, what is refused and how, what is kept.

use countersign::domain::event::{ClockState, Fact};
use countersign::domain::form::VersionHash;
use countersign::domain::policy::Rule;
use serde_json::json;

use crate::harness::World;
use crate::on_both_engines;

/// Who signs up, with which headers and from which page as the form says; the rule that decides and the page that is kept.
type Visit<'a> = (
    &'a str,
    &'a [(&'a str, &'a str)],
    Option<String>,
    Rule,
    Option<String>,
);

on_both_engines! {
    async fn a_plain_form_a_multipart_form_and_json_all_sign_up(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        assert_eq!(client.post("/f/news", &[("email", "a@example.org")]).await.status, 303);
        let body = "--x\r\ncontent-disposition: form-data; name=\"email\"\r\n\r\nb@example.org\r\n--x--\r\n";
        let reply = client
            .send("POST", "/f/news", Some("multipart/form-data; boundary=x"), body.as_bytes())
            .await;
        assert_eq!(reply.status, 303);
        // A page in an older character set, and a file that nobody asked for.
        let older = b"--x\r\ncontent-disposition: form-data; name=\"email\"\r\n\r\ne@example.org\r\n\
            --x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nM\xfcller\r\n\
            --x\r\ncontent-disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n";
        let older = [&older[..], &[0xff; 20_000], b"\r\n--x--\r\n"].concat();
        let reply = client.send("POST", "/f/news", Some("multipart/form-data; boundary=x"), &older).await;
        assert_eq!(reply.status, 303);
        let reply = client.post_json("/f/news", &json!({"email": "carl@example.org", "purpose": ["events"]})).await;
        assert_eq!(reply.status, 202);
        assert_eq!(reply.json()["masked"], "c•••@example.org");
        let mut accepting = world.client("192.0.2.1").with("accept", "application/json");
        assert_eq!(accepting.post("/f/news", &[("email", "d@example.org")]).await.status, 202);
        assert_eq!(world.deliver().await.len(), 5);
        assert!(world.permission("carl@example.org", "events").await.allowed);
        assert!(!world.permission("carl@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn events_after_the_clock_was_set_say_so_for_ten_minutes(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.clock.step(3_600_000_000);
        world.deliver().await;
        world.advance(1_200);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        let story = world.story("anna@example.org").await;
        let told: Vec<_> = story.iter().map(|event| (event.fact.kind(), event.clock.state)).collect();
        assert_eq!(told[..3], [
            ("signed_up", ClockState::Unknown),
            ("mail_accepted", ClockState::Stepped),
            ("replaced", ClockState::Unknown),
        ]);
        world.finish().await;
    }

    async fn a_signup_points_to_the_version_that_was_shown(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let shown = client.get("/f/news").await.hidden("version");
        let changed = crate::harness::DECLARATIONS.replace("News twice a month.", "News every day.");
        let declarations = countersign::app::apply::parse(&changed).unwrap();
        countersign::app::apply::apply(&world.app, &declarations).await.unwrap();
        assert_ne!(client.get("/f/news").await.hidden("version"), shown);
        client.post("/f/news", &[("email", "a@example.org"), ("version", &shown)]).await;
        client.post("/f/news", &[("email", "b@example.org"), ("version", "made up")]).await;
        let version = |fact: &Fact| match fact {
            Fact::SignedUp(signup) => signup.form_version.as_str().to_owned(),
            _ => String::new(),
        };
        assert_eq!(version(&world.story("a@example.org").await[0].fact), shown);
        assert_ne!(version(&world.story("b@example.org").await[0].fact), shown);
        let page = world.app.form_as_shown(&VersionHash::stored(shown)).await.unwrap().unwrap();
        assert!(page.contains("<h2>Subscribe to Acme Letters</h2>"), "{page}");
        world.deliver().await;
        world.finish().await;
    }

    async fn whoever_was_shown_an_older_version_agrees_to_what_it_said_and_is_still_offered(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let shown = client.get("/f/news").await.hidden("version");
        let fixed = "purposes = [\"newsletter\"]\nchoices = [\"events\"]";
        let apply = async |now: &str| {
            let changed = crate::harness::DECLARATIONS.replacen(fixed, now, 1);
            let declarations = countersign::app::apply::parse(&changed).unwrap();
            countersign::app::apply::apply(&world.app, &declarations).await.unwrap();
        };
        // What was a box then belongs to the form now, and nobody ticked it.
        apply("purposes = [\"newsletter\", \"events\"]").await;
        client.post("/f/news", &[("email", "a@example.org"), ("version", &shown)]).await;
        assert!(world.permission("a@example.org", "newsletter").await.allowed);
        assert!(!world.permission("a@example.org", "events").await.allowed);
        // Of what was ticked then, what the form no longer has is left out.
        apply("purposes = [\"newsletter\"]").await;
        let both = [("purpose", "newsletter"), ("purpose", "events"), ("version", shown.as_str())];
        let reply = client.post("/f/news", &[&[("email", "b@example.org")], &both[..]].concat()).await;
        assert_eq!(reply.status, 303);
        assert!(world.permission("b@example.org", "newsletter").await.allowed);
        assert!(!world.permission("b@example.org", "events").await.allowed);
        let reply = client.post("/f/news", &[("email", "c@example.org"), both[1], both[2]]).await;
        assert_eq!(reply.status, 422);
        assert!(reply.text().contains("This form no longer has what you chose."));
        assert_eq!(world.deliver().await.len(), 2);
        world.finish().await;
    }

    async fn whoever_signs_up_on_a_page_that_is_not_the_brands_own_is_asked_before_anything_is_sent(engine: Engine) {
        let world = World::on(engine).await;
        let (own, foreign) = ("https://www.acme.example", "https://other.example");
        let page = |origin: &str| format!("{origin}/signup");
        let base = world.app.config.base_url.clone();
        let rows: [Visit<'_>; 8] = [
            ("a", &[], None, Rule::A1, None),
            ("b", &[("origin", own)], Some(page(own)), Rule::A1, Some(page(own))),
            ("c", &[("origin", foreign), ("referer", &page(foreign))], None, Rule::D4, Some(page(foreign))),
            ("d", &[("origin", foreign)], Some(page(own)), Rule::D4, Some(foreign.to_owned())),
            ("e", &[("referer", &page(foreign))], None, Rule::D4, Some(page(foreign))),
            ("f", &[("origin", &base), ("referer", &page(&base))], None, Rule::A1, Some(page(&base))),
            // Our form in a frame of somebody else's page.
            ("g", &[("origin", &base)], Some(page(foreign)), Rule::D4, Some(page(foreign))),
            ("h", &[("origin", "null")], None, Rule::A1, None),
        ];
        for (name, headers, said, rule, kept) in rows {
            let mut client = world.client("192.0.2.1");
            for (header, value) in headers {
                client = client.with(header, value);
            }
            let email = format!("{name}@example.org");
            let mut fields = vec![("email", email.as_str())];
            fields.extend(said.as_deref().map(|page| ("page", page)));
            assert_eq!(client.post("/f/news", &fields).await.status, 303, "{name}");
            let permission = world.permission(&email, "newsletter").await;
            assert_eq!((permission.allowed, permission.rule), (rule == Rule::A1, rule.id()), "{name}");
            match &world.story(&email).await[0].fact {
                Fact::SignedUp(signup) => assert_eq!(signup.page, kept, "{name}"),
                other => panic!("{other:?}"),
            }
        }
        let mail = world.mail_to("c@example.org").await;
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        assert!(world.permission("c@example.org", "newsletter").await.allowed);
        // A brand that names no origins has none that are foreign.
        let mut client = world.client("192.0.2.1").with("origin", foreign);
        client.post("/f/other", &[("email", "a@example.org")]).await;
        let brand = world.app.catalog().brand_by_slug("other").unwrap().clone();
        let story = crate::harness::story_of(&world.app, &brand, "a@example.org").await;
        assert!(matches!(&story[0].fact, Fact::SignedUp(signup) if signup.ruling.rule == Rule::A1));
        world.deliver().await;
        world.finish().await;
    }

    async fn a_name_is_kept_as_it_was_typed_and_stands_in_a_mail_only_if_it_is_nothing_but_a_name(engine: Engine) {
        let declarations = crate::harness::DECLARATIONS.replacen("asks_name = true", "asks_name = true\nname_in_mail = true", 1);
        let world = World::declared(engine, "", &declarations).await;
        for (email, name, is_told) in [
            ("a@example.org", "O’Brien", true),
            ("b@example.org", "J.R.R. Tolkien", true),
            ("c@example.org", "Anna, Maria (HR)", false),
            ("d@example.org", "Win at evil.example", false),
        ] {
            world.client("192.0.2.1").post("/f/news", &[("email", email), ("name", name)]).await;
            let mail = world.mail_to(email).await;
            assert_eq!(mail.0.text.contains(name), is_told, "{name}");
            assert!(!mail.0.raw.contains("evil"), "{name}");
            match &world.story(email).await[0].fact {
                Fact::SignedUp(signup) => assert_eq!(signup.name.as_deref(), Some(name)),
                other => panic!("{other:?}"),
            }
        }
        world.finish().await;
    }

    async fn wrong_addresses_get_words_that_help_and_leave_nothing_behind(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        for email in ["", "anna", "a@b@c", "anna@[192.0.2.1]", "\"a b\"@example.org", "info@example.org", "a@b..c"] {
            let reply = client.post("/f/news", &[("email", email)]).await;
            assert_eq!(reply.status, 422, "{email}");
            assert!(reply.text().contains("id=\"email-problem\""), "{email}");
            let reply = client.post_json("/f/news", &json!({"email": email})).await;
            assert_eq!(reply.status, 422);
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
            assert_eq!(reply.json()["errors"][0]["field"], "email");
        }
        for email in ["a b@x.example", "Anna <a@x.example>"] {
            let text = client.post("/f/news", &[("email", email)]).await.text();
            assert!(text.contains("An address has no spaces. Enter the address alone"), "{email}: {text}");
        }
        let reply = client.post("/f/news", &[("email", "a@example.org"), ("purpose", "nonsense")]).await;
        assert_eq!(reply.status, 422);
        assert_eq!(world.deliver().await.len(), 0);
        world.finish().await;
    }

    async fn a_likely_typo_is_taken_and_asked_about(engine: Engine) {
        let world = World::on(engine).await;
        let (mut client, page) = world.signed_up("anna@gmial.com", "192.0.2.1").await;
        assert!(page.text().contains("anna@gmail.com"));
        let inbox = crate::confirm::inbox_path(&page.text());
        let reply = client.post(&format!("{inbox}/address"), &[("email", "anna@gmail.com")]).await;
        assert_eq!(reply.status, 303);
        let mails = world.deliver().await;
        assert_eq!(mails.len(), 1, "the mistyped address gets no mail any more");
        assert_eq!(mails[0].to, "anna@gmail.com");
        assert!(!world.permission("anna@gmial.com", "newsletter").await.allowed);
        assert!(world.permission("anna@gmail.com", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn too_much_is_refused_before_it_is_parsed(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let long = "a".repeat(1_000_000);
        assert_eq!(client.post("/f/news", &[("email", &long)]).await.status, 413);
        assert_eq!(client.post("/f/news", &[("email", &long[..10_000])]).await.status, 413);
        let reply = client.send("POST", "/f/news", Some("text/csv"), b"x").await;
        assert_eq!(reply.status, 415);
        let reply = client.send("POST", "/f/news", Some("application/json"), b"{").await;
        assert_eq!(reply.status, 400);
        assert_eq!(client.get("/f/nonsense").await.status, 404);
        world.finish().await;
    }

    async fn scripts_of_the_forms_origins_may_read_the_answer_and_no_others(engine: Engine) {
        let world = World::on(engine).await;
        for (origin, allowed) in [("https://www.acme.example", true), ("https://evil.example", false)] {
            let mut client = world.client("192.0.2.1").with("origin", origin);
            let preflight = client.send("OPTIONS", "/f/news", None, b"").await;
            let answer = client.post_json("/f/news", &json!({"email": "a@example.org"})).await;
            let broken = client.send("POST", "/f/news", Some("application/json"), b"{").await;
            let large = client.send("POST", "/f/news", Some("application/json"), &[b' '; 70_000]).await;
            let unknown = client.send("POST", "/f/news", Some("text/plain"), b"").await;
            assert_eq!([&broken, &large, &unknown].map(|reply| reply.status), [400, 413, 415]);
            for reply in [preflight, answer, broken, large, unknown] {
                let allow = reply.header("access-control-allow-origin");
                assert_eq!(allow, allowed.then_some(origin));
                assert_eq!(reply.header("access-control-allow-credentials"), None);
            }
        }
        world.deliver().await;
        world.finish().await;
    }

    async fn links_never_follow_the_host_header(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1").with("host", "evil.example").with("x-forwarded-host", "evil.example");
        let reply = client.post("/f/news", &[("email", "a@example.org"), ("page", "https://evil.example/x")]).await;
        assert!(!reply.location().contains("evil"));
        let json = client.post_json("/f/news", &json!({"email": "b@example.org"})).await;
        assert!(!json.text().contains("evil"));
        for mail in world.deliver().await {
            assert!(!mail.raw.contains("evil"));
        }
        world.finish().await;
    }

    async fn nothing_typed_into_the_form_reaches_the_mail(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let spam = "Win http://evil.example now";
        let fields = [
            ("email", "a@example.org"),
            ("name", spam),
            ("page", "https://evil.example/win"),
            ("lang", "evil"),
            ("version", "evil"),
        ];
        client.post("/f/news", &fields).await;
        let mail = world.mail_to("a@example.org").await;
        assert!(!mail.0.raw.contains("evil") && !mail.0.raw.contains("Win"));
        assert_eq!(mail.0.raw.matches("\r\nTo: ").count(), 1);
        assert!(mail.0.raw.lines().all(|line| line.len() <= 998));
        world.finish().await;
    }

    async fn a_new_signup_never_lowers_a_confirmed_contact(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        world.advance(3_600);
        world.signed_up("anna@example.org", "203.0.113.5").await;
        let permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!(permission.basis, countersign::domain::standing::Basis::Explicit);
        world.deliver().await;
        world.finish().await;
    }

    async fn the_language_follows_the_form_the_field_and_the_browser(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1").with("accept-language", "de-AT,en;q=0.5");
        client.post("/f/news", &[("email", "a@example.org")]).await;
        client.post("/f/news", &[("email", "b@example.org"), ("lang", "fr")]).await;
        let german = world.mail_to("a@example.org").await;
        assert!(german.0.html.contains("lang=\"de\"") && german.0.subject.contains("Rundbrief"));
        assert!(world.mail_to("b@example.org").await.0.html.contains("lang=\"fr\""));
        world.finish().await;
    }
}
