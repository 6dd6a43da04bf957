//! The pages of figures, delivery, evidence and policy, as an operator's browser gets them.

use countersign::domain::operator::Role;

use super::{count, story};
use crate::harness::{Client, World};
use crate::on_both_engines;

/// Somebody signed in, of a role, kept to some brands.
pub async fn operator(world: &World, name: &str, role: Role, brands: &[&str]) -> Client {
    let password = "a long enough password";
    let catalog = world.app.catalog();
    let brands: Vec<_> = brands
        .iter()
        .map(|slug| catalog.brand_by_slug(slug).unwrap().id)
        .collect();
    countersign::app::operators::add(&world.app, None, name, password, (role, &brands))
        .await
        .unwrap();
    let mut client = world
        .client("192.0.2.200")
        .with("sec-fetch-site", "same-origin");
    let fields = [("name", name), ("password", password)];
    assert_eq!(client.post("/admin/sign-in", &fields).await.status, 303);
    client
}

on_both_engines! {
    async fn the_overview_shows_the_funnel_of_the_brands_that_an_operator_works_for(engine: Engine) {
        let world = World::on(engine).await;
        story(&world).await;
        count(&world).await;
        let mut olga = operator(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin?brand=acme&days=7").await.text();
        assert!(page.contains("Nothing needs you today"), "{page}");
        assert!(page.contains("<b>7</b> <span class=\"rate\">100.0 %</span>"), "{page}");
        assert!(page.contains("<b>3</b> <span class=\"rate\">42.9 %</span>"), "{page}");
        assert!(page.contains("within 10 minutes") && page.contains("7 days from 2026-11-17: 7 signed up, 3 confirmed."), "{page}");
        assert!(!page.contains("@example"), "{page}");
        let csv = olga.get("/admin?brand=acme&days=7&format=csv").await.text();
        assert!(csv.contains("domain,example.org,6,5,2,2,1,0"), "{csv}");
        let mut otto = operator(&world, "otto", Role::Viewer, &["other"]).await;
        let page = otto.get("/admin?brand=acme").await.text();
        assert!(page.contains("Nobody signed up") && !page.contains("Acme Letters"), "{page}");
        world.finish().await;
    }

    async fn failed_mails_are_tried_again_by_whoever_may_change_something_and_leave(engine: Engine) {
        let world = World::on(engine).await;
        for name in ["anna", "bea"] {
            world.signed_up(&format!("{name}@example.org"), "192.0.2.1").await;
        }
        world.sql("update outbox set state = 'failed', due_at = 9223372036854775807, tries = 20, last_reply = '550 5.1.1 no such mailbox'").await.unwrap();
        let mut vera = operator(&world, "vera", Role::Viewer, &[]).await;
        let page = vera.get("/admin/delivery?show=failed").await.text();
        assert!(page.contains("550 5.1.1 no such mailbox") && !page.contains("Try all again") && !page.contains("anna"), "{page}");
        assert_eq!(vera.post("/admin/delivery/retry", &[]).await.status, 403);
        let mut otto = operator(&world, "otto", Role::Editor, &["other"]).await;
        assert_eq!(otto.post("/admin/delivery/retry", &[]).await.location(), "/admin/delivery?show=failed&done=none");
        let mut olga = operator(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin/delivery?show=failed").await.text();
        assert!(olga.get("/admin").await.text().contains("Mails that failed for good: 2."));
        let one = page.split("name=\"mail\" value=\"").nth(1).unwrap()[..36].to_owned();
        assert_eq!(olga.post("/admin/delivery/retry", &[("mail", &one)]).await.location(), "/admin/delivery?show=failed&done=retried");
        assert_eq!(world.deliver().await.len(), 1);
        olga.post("/admin/delivery/retry", &[]).await;
        assert_eq!(world.deliver().await.len(), 2);
        let csv = olga.get("/admin/delivery?show=waiting&format=csv").await.text();
        assert_eq!(csv.lines().count(), 1, "{csv}");
        world.finish().await;
    }

    async fn an_auditor_has_the_log_checked_in_the_background_and_reads_what_was_found(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        count(&world).await;
        let mut vera = operator(&world, "vera", Role::Viewer, &[]).await;
        assert_eq!(vera.post("/admin/evidence/verify", &[]).await.status, 403);
        let mut arno = operator(&world, "arno", Role::Auditor, &[]).await;
        assert!(arno.get("/admin/evidence").await.text().contains("Nobody had it checked"));
        assert_eq!(arno.post("/admin/evidence/verify", &[]).await.location(), "/admin/evidence?done=checking");
        while world.app.auditing.running().is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let page = arno.get("/admin/evidence").await.text();
        assert!(page.contains("Everything holds") && page.contains("by arno"), "{page}");
        assert!(page.contains(&world.app.log.key.verifier().vkey()), "{page}");
        let checkpoints = arno.get("/admin/evidence/checkpoints?format=csv").await.text();
        assert!(checkpoints.lines().count() >= 2, "{checkpoints}");
        assert_eq!(arno.post("/admin/evidence/timestamp", &[]).await.status, 403);
        let mut olga = operator(&world, "olga", Role::Owner, &[]).await;
        assert_eq!(olga.post("/admin/evidence/timestamp", &[]).await.location(), "/admin/evidence?done=no-authority");
        world.sql("insert into setting (key, value) values ('sending_held', 'the log had 9 entries before, and this database has 3')").await.unwrap();
        let page = olga.get("/admin/evidence").await.text();
        assert!(page.contains("the log had 9 entries before") && page.contains("countersign restored accept"), "{page}");
        let page = olga.get("/admin").await.text();
        assert!(page.contains("No mail leaves: the log had 9 entries before"), "{page}");
        assert!(world.app.accept_restored().await.unwrap());
        world.finish().await;
    }

    async fn the_policy_page_explains_a_case_as_the_command_does(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = operator(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin/policy?source=purchase&brand=acme").await.text();
        assert!(page.contains("name=\"proof_order\"") && page.contains("bought_or_rented_list"), "{page}");
        let fields = [("source", "purchase"), ("brand", "acme"), ("obtained_on", "2026-08-24"), ("as_of", "2026-11-24"), ("proof_order", "1001")];
        let told = olga.post("/admin/policy", &fields).await;
        assert_eq!(told.status, 200);
        let output = tokio::task::spawn_blocking(|| {
            std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
                .args(["policy", "explain", "--json", "--source", "purchase", "--obtained-on", "2026-08-24"])
                .args(["--proof", "order=1001", "--as-of", "2026-11-24"])
                .output()
                .unwrap()
        }).await.unwrap();
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(told.text().contains(said["why"].as_str().unwrap()), "{said} {}", told.text());
        assert!(told.text().contains("accept, on implicit consent"), "{}", told.text());
        let wrong = olga.post("/admin/policy", &[("source", "purchase"), ("as_of", "soon")]).await;
        assert!(wrong.status == 422 && wrong.text().contains("is no time"), "{}", wrong.text());
        let mut otto = operator(&world, "otto", Role::Viewer, &["other"]).await;
        assert!(!otto.get("/admin/policy").await.text().contains("Acme Letters"));
        assert_eq!(otto.post("/admin/policy", &fields).await.status, 422);
        world.finish().await;
    }

    async fn a_request_has_an_id_that_a_trusted_proxy_may_give(engine: Engine) {
        let world = World::on(engine).await;
        let id = |reply: &crate::harness::Reply| reply.header("x-request-id").unwrap().to_owned();
        let mut client = world.client("192.0.2.1");
        let (one, two) = (client.get("/livez").await, client.get("/livez").await);
        assert_ne!(id(&one), id(&two));
        let mut proxied = world.client("192.0.2.1").with("x-request-id", "edge-42.a_b");
        assert_eq!(id(&proxied.get("/livez").await), "edge-42.a_b");
        let mut odd = world.client("192.0.2.1").with("x-request-id", "a b<script>");
        assert_ne!(id(&odd.get("/livez").await), "a b<script>");
        world.finish().await;
    }
}
