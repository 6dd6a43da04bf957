//! Every way that can cause a mail or try a secret goes through the same limits (T3).

use std::collections::BTreeSet;
use std::path::Path;

use countersign::domain::api_key::Scope;
use serde_json::json;

use crate::confirm::inbox_path;
use crate::harness::World;
use crate::on_both_engines;

/// What a POST to a public page can do. The tests below go all those that cause mails, and all those that try a code.
const WAYS: [(&str, &str); 14] = [
    ("public::form::submit", "mails"),
    ("public::form::ceiling", "nothing: for measuring only"),
    ("public::kiosk::entries", "mails"),
    ("public::inbox::resend", "mails"),
    ("public::inbox::code", "tries a code"),
    ("public::inbox::address", "mails"),
    ("public::confirm::submit", "tries a code"),
    ("public::confirm::fresh", "mails"),
    ("public::decline::submit", "tries a code"),
    ("public::unsubscribe::submit", "nothing"),
    ("public::prefer::lost", "mails"),
    ("public::prefer::submit", "nothing"),
    ("public::prefer::erase", "nothing"),
    ("hooks::take", "nothing"),
];

#[test]
fn no_public_route_takes_a_post_without_standing_among_the_ways() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/routes.rs");
    let text = std::fs::read_to_string(file).unwrap();
    let posts = text.split("post().to(").skip(1);
    let posts: BTreeSet<&str> = posts.map(|rest| rest.split(')').next().unwrap()).collect();
    assert_eq!(posts, WAYS.iter().map(|way| way.0).collect());
}

on_both_engines! {
    async fn once_the_installations_hour_is_used_up_no_way_sends_a_mail_and_all_are_held(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_installation_an_hour = 1\nper_network_an_hour = 0\nper_key_an_hour = 0\n").await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let expired = world.mail_to("anna@example.org").await.confirm();
        world.advance(8 * 86_400);
        let (mut bea, page) = world.signed_up("bea@example.org", "192.0.2.1").await;
        let inbox = inbox_path(&page.text());
        assert_eq!(world.deliver().await.len(), 2, "the hour is used up");
        world.advance(61);
        let mut program = crate::api::program(&world, &[Scope::SignupsWrite]).await;
        let mut stranger = world.client("198.51.100.7");
        for way in 0..7 {
            let reply = match way {
                0 => stranger.post("/f/news", &[("email", "form@example.org")]).await,
                1 => stranger.post_json("/f/news", &json!({"email": "json@example.org"})).await,
                2 => program.post_json("/api/v1/signups", &json!({"form": "news", "email": "api@example.org"})).await,
                3 => stranger.post(&format!("{expired}/fresh"), &[]).await,
                4 => bea.post(&format!("{inbox}/resend"), &[]).await,
                5 => bea.post(&format!("{inbox}/address"), &[("email", "cleo@example.org")]).await,
                _ => stranger.post("/p", &[("email", "bea@example.org"), ("brand", "acme")]).await,
            };
            assert!(reply.status < 400, "way {way}: {} {}", reply.status, reply.text());
            assert_eq!(world.deliver().await.len(), 2, "way {way}");
        }
        // Nothing is lost but what a correction made void.
        for _ in 0..12 {
            world.advance(3_600);
            world.deliver().await;
        }
        let to: BTreeSet<String> = world.caught().into_iter().map(|mail| mail.to).collect();
        for name in ["form", "json", "api", "anna", "cleo", "bea"] {
            assert!(to.contains(&format!("{name}@example.org")), "{name}: {to:?}");
        }
        assert_eq!(world.caught().len(), 8);
        world.end().await;
    }

    async fn wrong_codes_count_together_by_whichever_way_they_are_tried(engine: Engine) {
        let world = World::on(engine).await;
        let (mut browser, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let inbox = inbox_path(&page.text());
        let mail = world.mail_to("anna@example.org").await;
        let mut stranger = world.client("198.51.100.7");
        for way in [mail.confirm(), mail.decline(), mail.confirm(), mail.decline()] {
            assert_eq!(stranger.post(&way, &[("code", "1")]).await.status, 422);
        }
        assert_eq!(browser.post(&format!("{inbox}/code"), &[("code", "1")]).await.status, 422);
        for way in [mail.confirm(), format!("{inbox}/code")] {
            assert_eq!(stranger.post(&way, &[("code", &mail.code())]).await.status, 422, "{way}");
        }
        let kinds = world.kinds("anna@example.org").await;
        assert_eq!(kinds.iter().filter(|kind| **kind == "code_wrong").count(), 5);
        assert!(!kinds.contains(&"confirmed") && !kinds.contains(&"declined"));
        // Whoever has the mail says no with its code, however many wrong ones others typed.
        assert_eq!(stranger.post(&mail.decline(), &[("code", &mail.code())]).await.heading(), "Thank you for telling us");
        assert!(world.kinds("anna@example.org").await.contains(&"declined"));
        world.finish().await;
    }
}
