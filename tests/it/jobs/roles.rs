//! Who may do what with imports and campaigns.

use countersign::domain::campaign::Kind;
use countersign::domain::operator::Role;

use super::{bring, signed_in, there, tried, work};
use crate::campaign::{begin, plan};
use crate::harness::World;
use crate::on_both_engines;

const LIST: &[u8] = b"email,order,date\nann@example.org,1,2026-10-01\n";

on_both_engines! {
    async fn who_looks_on_brings_and_starts_nothing_and_takes_nothing_along(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Editor, &[]).await;
        let trial = tried(&mut olga, &world.app, LIST, &[("source", "purchase")]).await;
        let waiting = there(&bring(&mut olga, "acme/newsletter", "b.csv", LIST).await);
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await);
        work(&world.app).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        let list = olga.get("/admin/campaigns").await.text();
        let campaign = list.split("href=\"/admin/campaigns/acme/").nth(1).unwrap().split('"').next().unwrap();
        let campaign = format!("/admin/campaigns/acme/{campaign}");
        for (name, role, takes) in [("vic", Role::Viewer, 403), ("auda", Role::Auditor, 200)] {
            let mut client = signed_in(&world, name, role, &[]).await;
            let page = client.get("/admin/imports").await.text();
            assert!(!page.contains("Bring a list</a>") && !page.contains("b.csv") && page.contains(">a</a>"), "{page}");
            let page = client.get(&import).await.text();
            assert!(!page.contains("Take it back") && page.contains("Report, a line") == (takes == 200), "{page}");
            assert_eq!(client.get(&format!("{import}/report")).await.status, takes, "{name}");
            assert_eq!(client.get(&format!("{campaign}?format=csv")).await.status, takes, "{name}");
            assert_eq!(client.get("/admin/imports?format=csv").await.status, takes, "{name}");
            assert_eq!(bring(&mut client, "acme/newsletter", "x.csv", LIST).await.status, 403);
            for path in [waiting.as_str(), "/admin/new-import", "/admin/new-campaign"] {
                assert_eq!(client.get(path).await.status, 403, "{name} {path}");
            }
            for path in [format!("{import}/take-back"), format!("{campaign}/cancel"), format!("{campaign}/release")] {
                assert_eq!(client.post(&path, &[("name", "a")]).await.status, 403, "{name} {path}");
            }
            let page = client.get(&campaign).await.text();
            assert!(!page.contains("Cancel it") && !page.contains("Pause</button>"), "{page}");
        }
        assert_eq!(std::fs::read_dir(&world.app.config.uploads.folder).unwrap().count(), 2, "a list and a report");
        world.finish().await;
    }

    async fn a_brand_of_somebody_else_is_nowhere(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let trial = tried(&mut olga, &world.app, LIST, &[("source", "purchase")]).await;
        let waiting = there(&bring(&mut olga, "acme/newsletter", "b.csv", LIST).await);
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await);
        work(&world.app).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        let list = olga.get("/admin/campaigns").await.text();
        let campaign = list.split("href=\"/admin/campaigns/acme/").nth(1).unwrap().split('"').next().unwrap();
        let campaign = format!("/admin/campaigns/acme/{campaign}");
        let mut otto = signed_in(&world, "otto", Role::Editor, &["other"]).await;
        for path in ["/admin/imports", "/admin/campaigns", "/admin/new-import", "/admin/new-campaign"] {
            let page = otto.get(path).await.text();
            assert!(!page.contains("Acme"), "{path}: {page}");
        }
        let reports = format!("{import}/report");
        let mails = format!("{campaign}/mail");
        let sheets = format!("{campaign}/mail.html");
        for path in [&import, &waiting, &campaign, &reports, &mails, &sheets] {
            assert_eq!(otto.get(path).await.status, 404, "{path}");
        }
        assert_eq!(otto.get(&format!("{campaign}?format=csv")).await.status, 404);
        let (back, go) = (format!("{import}/take-back"), format!("{import}/resume"));
        let deeds = ["pause", "resume", "cancel", "release"].map(|deed| format!("{campaign}/{deed}"));
        for path in deeds.iter().chain([&back, &go, &waiting]) {
            assert_eq!(otto.post(path, &[("name", "a")]).await.status, 404, "{path}");
        }
        assert_eq!(bring(&mut otto, "acme/newsletter", "x.csv", LIST).await.status, 404);
        let fields = [("name", "x"), ("kind", "invitation"), ("for", "acme/newsletter"), ("form", "acme/news")];
        assert_eq!(otto.post("/admin/new-campaign", &fields).await.status, 404);
        // Nor does the path of another brand lead there.
        assert_eq!(otto.get(&import.replace("/acme/", "/other/")).await.status, 404);
        assert_eq!(otto.get(&waiting.replace("/acme/", "/other/")).await.status, 404);
        assert_eq!(otto.get(&campaign.replace("/acme/", "/other/")).await.status, 404);
        world.finish().await;
    }

    async fn a_list_that_another_site_sends_is_refused_and_not_kept(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let waiting = there(&bring(&mut olga, "acme/newsletter", "b.csv", LIST).await);
        olga.headers.retain(|header| header.0 != "sec-fetch-site");
        let mut evil = olga.with("sec-fetch-site", "cross-site").with("origin", "https://evil.example");
        assert_eq!(bring(&mut evil, "acme/newsletter", "x.csv", LIST).await.status, 403);
        assert_eq!(evil.post(&waiting.replace("/columns", "/remove"), &[]).await.status, 403);
        let fields = [("name", "x"), ("kind", "invitation"), ("for", "acme/newsletter"), ("form", "acme/news"), ("rate", "0"),
            ("answer_within", "30"), ("stop", "10"), ("complaints", "3")];
        assert_eq!(evil.post("/admin/new-campaign", &fields).await.status, 403);
        assert_eq!(std::fs::read_dir(&world.app.config.uploads.folder).unwrap().count(), 1);
        world.finish().await;
    }
}
