//! What a page costs to load: limits on what goes over the wire.

use std::io::Read;
use std::path::Path;

use countersign::store::Engine;

use crate::harness::{Client, Reply, World};

fn source(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    std::fs::read(folder.join(name)).unwrap()
}

fn unpacked(reply: &Reply) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut packed = flate2::read::GzDecoder::new(reply.body.as_slice());
    packed.read_to_end(&mut plain).unwrap();
    plain
}

/// What a browser gets, which takes gzip as all do.
async fn packed(world: &World, path: &str) -> Reply {
    let mut browser =
        Client::new(&world.base, "192.0.2.1").with("accept-encoding", "gzip, deflate, br");
    let reply = browser.get(path).await;
    assert_eq!(reply.status, 200, "{path}");
    assert_eq!(reply.header("vary"), Some("accept-encoding"), "{path}");
    assert_eq!(reply.header("content-encoding"), Some("gzip"), "{path}");
    reply
}

/// The address of the public stylesheet, as a page names it.
async fn stylesheet(world: &World) -> String {
    let page = Client::new(&world.base, "192.0.2.1")
        .get("/f/news")
        .await
        .text();
    let at = page.find("/static/public-").expect("a stylesheet");
    let end = page[at..].find('"').unwrap();
    page[at..at + end].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_form_is_at_most_five_kilobytes_on_the_wire() {
    let world = World::on(Engine::Sqlite).await;
    let reply = packed(&world, "/embed.js").await;
    assert!(
        reply.body.len() <= 5_120,
        "embed.js has {} bytes",
        reply.body.len()
    );
    assert!(unpacked(&reply) == source("embed.js"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_stylesheet_is_at_most_eight_kilobytes_on_the_wire() {
    let world = World::on(Engine::Sqlite).await;
    let path = stylesheet(&world).await;
    let reply = packed(&world, &path).await;
    assert!(
        reply.body.len() <= 8_192,
        "{path} has {} bytes",
        reply.body.len()
    );
    assert!(unpacked(&reply) == source("public.css"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_no_gzip_gets_the_file_as_it_is_and_no_page_about_a_person_is_ever_packed() {
    let world = World::on(Engine::Sqlite).await;
    for refused in [None, Some("br"), Some("gzip;q=0, *"), Some("identity")] {
        let mut client = Client::new(&world.base, "192.0.2.1");
        if let Some(refused) = refused {
            client = client.with("accept-encoding", refused);
        }
        let reply = client.get("/embed.js").await;
        assert_eq!(reply.header("content-encoding"), None, "{refused:?}");
        assert_eq!(reply.header("vary"), Some("accept-encoding"), "{refused:?}");
        assert!(reply.body == source("embed.js"), "{refused:?}");
    }
    let mut any = Client::new(&world.base, "192.0.2.1").with("accept-encoding", "*");
    assert_eq!(
        any.get("/embed.js").await.header("content-encoding"),
        Some("gzip")
    );
    let mut browser = Client::new(&world.base, "192.0.2.1").with("accept-encoding", "gzip");
    let page = browser.get("/f/news").await;
    assert_eq!(page.header("content-encoding"), None);
    world.finish().await;
}
