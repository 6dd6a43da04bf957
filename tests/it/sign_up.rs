//! Signing up: every way in, what is refused and how, what is kept.

use countersign::domain::event::{ClockState, Fact};
use countersign::domain::form::VersionHash;
use serde_json::json;

use crate::harness::World;
use crate::on_both_engines;

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
        let reply = client.post_json("/f/news", &json!({"email": "carl@example.org", "purpose": ["events"]})).await;
        assert_eq!(reply.status, 202);
        assert_eq!(reply.json()["masked"], "c•••@example.org");
        let mut accepting = world.client("192.0.2.1").with("accept", "application/json");
        assert_eq!(accepting.post("/f/news", &[("email", "d@example.org")]).await.status, 202);
        assert_eq!(world.deliver().await.len(), 4);
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
            for reply in [preflight, answer] {
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
