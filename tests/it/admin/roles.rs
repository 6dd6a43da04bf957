//! Each role at each route, from the table that the guard reads.

use countersign::app::operators;
use countersign::domain::operator::{Need, Role};
use countersign::store::Engine;
use countersign::web::admin::routes::TABLE;

use super::signing_in::{browser, signed_in};
use crate::harness::World;

const PASSWORD: &str = "a long enough password";

/// A path with something in the place of each name.
fn filled(path: &str, contact: &str) -> String {
    path.replace("{contact}", contact)
        .replace("{brand}", "acme")
        .replace("{form}", "news")
        .replace("{position}", "1")
        .split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// The same path with its last letter percent-encoded.
fn encoded(path: &str) -> String {
    let (before, last) = path.split_at(path.len() - 1);
    format!("{before}%{:02X}", last.as_bytes()[0])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_gets_what_the_table_says_and_a_stranger_gets_the_door() {
    let world = World::on(Engine::Sqlite).await;
    let contact = uuid::Uuid::from_u128(7).to_string();
    for role in Role::ALL {
        let name = role.as_str();
        operators::add(&world.app, None, name, PASSWORD, (role, &[]))
            .await
            .unwrap();
    }
    assert!(TABLE.len() > 20);
    let mut signed = Vec::new();
    for role in Role::ALL {
        signed.push((role, signed_in(&world, role.as_str()).await));
    }
    for entry in TABLE {
        let path = filled(entry.path, &contact);
        for (role, client) in &mut signed {
            // Signing out, or in as somebody else, would end what the next routes need.
            if path.contains("/sign-") {
                continue;
            }
            let reply = match entry.method {
                "get" => client.get(&path).await,
                _ => client.post(&path, &[]).await,
            };
            let expected = role.may(entry.need);
            assert_eq!(
                reply.status != 403,
                expected,
                "{} {} {path}: {}",
                role.as_str(),
                entry.method,
                reply.status
            );
            assert!(
                reply.status < 500,
                "{} {path}: {}",
                entry.method,
                reply.status
            );
            // As a file it is taken along, whichever page it is.
            if entry.method == "get" && entry.need == Need::Look {
                let file = client.get(&format!("{path}?format=csv")).await;
                let takes = role.may(Need::Take);
                assert_eq!(
                    file.status != 403,
                    takes,
                    "{} {path} as a file",
                    role.as_str()
                );
                let hidden = client.get(&format!("{path}?x=1&form%61t=c%73v")).await;
                assert_eq!(
                    hidden.status != 403,
                    takes,
                    "{} {path} as a file",
                    role.as_str()
                );
                assert!(
                    takes || !reply.text().contains("format=csv"),
                    "{path} offers a file"
                );
            }
        }
        let mut stranger = browser(&world, "192.0.2.50");
        let reply = match entry.method {
            "get" => stranger.get(&path).await,
            _ => stranger.post(&path, &[]).await,
        };
        if entry.need == Need::Nothing {
            assert!(reply.status < 500);
        } else {
            assert_eq!(reply.location(), "/admin/sign-in", "{path}");
        }
        // A letter of the path may come percent-encoded: it is the same page.
        let encoded = encoded(&path);
        let (_, viewer) = &mut signed[2];
        let again = match entry.method {
            "get" => stranger.get(&encoded).await,
            _ => stranger.post(&encoded, &[]).await,
        };
        assert!(again.status < 500, "{encoded}: {}", again.status);
        if entry.need != Need::Nothing {
            assert_eq!(again.location(), "/admin/sign-in", "{encoded}");
        }
        if !path.contains("/sign-") {
            let reply = match entry.method {
                "get" => viewer.get(&encoded).await,
                _ => viewer.post(&encoded, &[]).await,
            };
            let may = Role::Viewer.may(entry.need);
            assert_eq!(reply.status != 403, may, "{encoded}: {}", reply.status);
        }
        if entry.method == "post" {
            let mut evil = signed[0].1.clone();
            evil.headers.retain(|header| header.0 != "sec-fetch-site");
            let mut evil = evil.with("sec-fetch-site", "cross-site");
            for path in [&path, &encoded] {
                let status = evil.post(path, &[]).await.status;
                assert_eq!(status, 403, "from elsewhere: {path}");
            }
        }
    }
    for path in ["/admin/nothing", "/admin/sign-in/nothing", "/admin/"] {
        let reply = browser(&world, "192.0.2.50").get(path).await;
        assert_eq!(reply.status, 404, "{path}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_kept_to_a_brand_finds_nothing_of_another() {
    let world = World::on(Engine::Sqlite).await;
    world.signed_up("anna@example.org", "192.0.2.1").await;
    world.deliver().await;
    let catalog = world.app.catalog();
    let acme = catalog.brand_by_slug("acme").unwrap();
    let other = catalog.brand_by_slug("other").unwrap();
    let brands = [other.id];
    operators::add(&world.app, None, "emil", PASSWORD, (Role::Owner, &brands))
        .await
        .unwrap();
    let (found, _) = world.app.newest_contacts(acme.id, None).await.unwrap();
    let mut emil = signed_in(&world, "emil").await;
    for path in [
        format!("/admin/contacts/acme/{}", found[0].id),
        "/admin/forms/news".to_owned(),
        "/admin/forms/news/edit".to_owned(),
        "/admin/settings/brands/acme".to_owned(),
    ] {
        assert_eq!(emil.get(&path).await.status, 404, "{path}");
    }
    for path in [
        "/admin/contacts",
        "/admin/contacts?brand=acme",
        "/admin/forms",
        "/admin",
    ] {
        let reply = emil.get(path).await;
        assert_eq!(reply.status, 200);
        let text = reply.text();
        assert!(!text.contains("anna@") && !text.contains("Acme"), "{path}");
    }
    // Numbers and a server's words are of all brands' mails: not for whoever is kept to one.
    world.signed_up("bert@example.org", "192.0.2.2").await;
    world
        .app
        .live
        .set_smtp_problem(Some("550 a mail of Acme, no"));
    for (path, words) in [("/admin", "mails waiting"), ("/admin/delivery", "waiting")] {
        let own = emil.get(path).await.text();
        assert!(own.contains(&format!("<b>0</b> {words}")), "{path}: {own}");
        assert!(!own.contains("a mail of Acme"), "{path}");
    }
    crate::harness::add_owner(&world.app).await;
    let mut olga = signed_in(&world, "olga").await;
    let all = olga.get("/admin/delivery").await.text();
    assert!(
        all.contains("<b>1</b> waiting") && all.contains("a mail of Acme"),
        "{all}"
    );
    world.deliver().await;
    let fields = [("brand", "acme"), ("q", "anna")];
    assert!(
        !emil
            .post("/admin/contacts", &fields)
            .await
            .text()
            .contains("anna@")
    );
    assert_eq!(
        emil.get("/admin/settings/operators").await.status,
        403,
        "kept to a brand, an owner rules nothing"
    );
    world.finish().await;
}
