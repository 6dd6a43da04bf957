//! Posts to the operators' pages come from these pages only.

mod as_sent;
mod brands;
pub mod contacts;
mod files;
pub mod forms;
mod holds;
mod kept_to_brand;
pub mod passkeys;
pub mod roles;
mod ruling;
pub mod sealed;
pub mod signing_in;
pub mod tables;
mod wishes;

use countersign::app::operators;

use crate::harness::World;
use crate::on_both_engines;

on_both_engines! {
    async fn a_post_from_another_site_signs_nobody_in_or_out(engine: Engine) {
        let world = World::on(engine).await;
        crate::harness::add_owner(&world.app).await;
        let fields = [("name", "olga"), ("password", "a long enough password")];
        for (site, origin, allowed) in [
            (Some("cross-site"), "https://evil.example", false),
            (Some("cross-site"), "null", false),
            (Some("same-site"), "null", false),
            (None, "https://evil.example", false),
            (None, "null", false),
            (Some("same-origin"), "null", true),
        ] {
            let mut client = world.client("192.0.2.1").with("origin", origin);
            if let Some(site) = site {
                client = client.with("sec-fetch-site", site);
            }
            let reply = client.post("/admin/sign-in", &fields).await;
            assert_eq!(reply.status == 303, allowed, "{site:?} {origin}");
            if allowed {
                assert_eq!(client.get("/admin").await.status, 200);
                let mut evil = client.clone();
                evil.headers.retain(|header| header.0 != "sec-fetch-site");
                let mut evil = evil.with("sec-fetch-site", "cross-site");
                assert_eq!(evil.post("/admin/sign-out", &[]).await.status, 403);
                assert_eq!(client.get("/admin").await.status, 200);
            }
        }
        let mut nobody = world.client("192.0.2.1");
        assert_eq!(nobody.get("/admin").await.location(), "/admin/sign-in");
        world.finish().await;
    }

    async fn a_new_password_ends_all_sessions_and_a_disabled_operator_is_out(engine: Engine) {
        let world = World::on(engine).await;
        crate::harness::add_owner(&world.app).await;
        let fields = [("name", "olga"), ("password", "a long enough password")];
        let mut client = world.client("192.0.2.1").with("sec-fetch-site", "same-origin");
        client.post("/admin/sign-in", &fields).await;
        assert_eq!(client.get("/admin").await.status, 200);
        operators::set_password(&world.app, None, "olga", "another long password", &[]).await.unwrap();
        assert_eq!(client.get("/admin").await.status, 303);
        assert_eq!(client.post("/admin/sign-in", &fields).await.status, 401);
        let fields = [("name", "olga"), ("password", "another long password")];
        client.post("/admin/sign-in", &fields).await;
        assert_eq!(client.get("/admin").await.status, 200);
        operators::disable(&world.app, None, "olga").await.unwrap();
        assert_eq!(client.get("/admin").await.status, 303);
        assert_eq!(client.post("/admin/sign-in", &fields).await.status, 401);
        world.finish().await;
    }
}
