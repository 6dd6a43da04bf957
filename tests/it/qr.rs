//! The form as a QR code, read back by another program, and the sheet that shows it.

use countersign::store::Engine;

use crate::harness::World;

/// The modules of the code, as the picture's one path draws them.
fn modules(picture: &str) -> (usize, Vec<Vec<bool>>) {
    let size: usize = picture
        .split("viewBox=\"0 0 ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .unwrap()
        .parse()
        .unwrap();
    let mut dark = vec![vec![false; size]; size];
    let path = picture.split("fill=\"#000\" d=\"").nth(1).unwrap();
    for run in path.split('"').next().unwrap().split('M').skip(1) {
        let (at, rest) = run.split_once('h').unwrap();
        let (x, y) = at.split_once(' ').unwrap();
        let long: usize = rest.split('v').next().unwrap().parse().unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        dark[y][x..x + long].fill(true);
    }
    (size, dark)
}

/// What a scanner reads.
fn read(picture: &str) -> String {
    let (size, dark) = modules(picture);
    let inner = size - 8;
    let grid = rqrr::SimpleGrid::from_func(inner, |x, y| dark[y + 4][x + 4]);
    rqrr::Grid::new(grid).decode().unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_leads_to_the_form_whatever_the_host_header_says() {
    let world = World::on(Engine::Sqlite).await;
    let mut client = world
        .client("192.0.2.1")
        .with("host", "evil.example")
        .with("x-forwarded-host", "evil.example");
    let reply = client.get("/f/news/qr.svg").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("image/svg+xml"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=86400"));
    assert_eq!(read(&reply.text()), format!("{}/f/news", world.base));
    assert!(
        reply
            .text()
            .contains("<title id=\"t\">Subscribe to Acme Letters: http"),
        "{}",
        reply.text()
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_language_of_the_form_goes_into_the_code_and_anything_else_does_not() {
    let world = World::on(Engine::Sqlite).await;
    let mut client = world.client("192.0.2.1");
    let german = client.get("/f/news/qr.svg?lang=de").await.text();
    assert_eq!(read(&german), format!("{}/f/news?lang=de", world.base));
    let other = client.get("/f/news/qr.svg?lang=%22%3E%3Cx").await.text();
    assert_eq!(read(&other), format!("{}/f/news", world.base));
    assert!(!other.contains("<x"));
    assert_eq!(client.get("/f/nonsense/qr.svg").await.status, 404);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sheet_to_print_shows_the_code_and_the_address_to_type() {
    let world = World::on(Engine::Sqlite).await;
    let mut client = world.client("192.0.2.1");
    let embed = client.get("/f/news/embed").await.text();
    assert!(embed.contains("href=\"/f/news/poster\""));
    let sheet = client.get("/f/news/poster?lang=de").await;
    assert_eq!(sheet.status, 200);
    let address = world.base.trim_start_matches("http://");
    let text = sheet.text();
    assert!(text.contains("src=\"/f/news/qr.svg?lang=de\""), "{text}");
    assert!(
        text.contains(&format!("{address}/f/news?lang=de")),
        "{text}"
    );
    assert_eq!(client.get("/f/nonsense/poster").await.status, 404);
    world.finish().await;
}
