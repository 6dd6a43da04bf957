//! The "check your inbox" page: it speaks of one signup only, and turns by itself.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::confirm::inbox_path;
use crate::harness::World;
use crate::on_both_engines;

/// Reads server-sent events until one says this.
async fn wait_for_event(base: &str, path: &str, wanted: &str) -> String {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = String::new();
    let mut buffer = [0; 2_048];
    let reading = async {
        while !seen.contains(wanted) {
            let read = stream.read(&mut buffer).await.unwrap();
            if read == 0 {
                break;
            }
            seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), reading)
        .await
        .unwrap();
    seen
}

on_both_engines! {
    async fn the_first_tab_is_told_when_another_device_confirms(engine: Engine) {
        let world = World::on(engine).await;
        let (_, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let path = format!("{}/events", inbox_path(&page.text()));
        let base = world.base.clone();
        let waiting = tokio::spawn(async move { wait_for_event(&base, &path, "confirmed").await });
        let mail = world.mail_to("anna@example.org").await;
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        let seen = waiting.await.unwrap();
        assert!(seen.contains("\"state\":\"confirmed\""), "{seen}");
        world.finish().await;
    }

    async fn a_strangers_second_signup_never_learns_that_the_person_confirmed_the_first(engine: Engine) {
        let world = World::on(engine).await;
        let (mut person, _) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let (mut stranger, page) = world.signed_up("anna@example.org", "203.0.113.5").await;
        let second = person.post("/f/news", &[("email", "anna@example.org")]).await;
        let own = person.get(&second.location()).await;
        let mail = world.mail_to("anna@example.org").await;
        person.post(&mail.confirm(), &[]).await;
        let status = stranger.get(&format!("{}/status", inbox_path(&page.text()))).await;
        assert_eq!(status.json()["state"], "waiting");
        let status = person.get(&format!("{}/status", inbox_path(&own.text()))).await;
        assert_eq!(status.json()["state"], "confirmed", "a person who pressed twice is told");
        world.finish().await;
    }

    async fn no_code_opens_the_page_of_a_signup_that_had_no_mail(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let (mut stranger, page) = world.signed_up("anna@example.org", "203.0.113.5").await;
        let code = world.mail_to("anna@example.org").await.code();
        let inbox = inbox_path(&page.text());
        assert_eq!(stranger.post(&format!("{inbox}/code"), &[("code", &code)]).await.status, 422);
        assert_eq!(world.permission("anna@example.org", "newsletter").await.grade, None);
        world.finish().await;
    }

    async fn a_token_of_the_inbox_page_opens_no_other_page(engine: Engine) {
        let world = World::on(engine).await;
        let (mut browser, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let inbox = inbox_path(&page.text());
        let token = inbox.trim_start_matches("/i/");
        for path in ["/c/", "/a/"] {
            assert_eq!(browser.get(&format!("{path}{token}")).await.status, 404);
        }
        assert_eq!(browser.post(&format!("/c/{token}"), &[]).await.status, 404);
        let mail = world.mail_to("anna@example.org").await;
        let confirm = mail.confirm();
        let token = confirm.trim_start_matches("/c/");
        assert_eq!(browser.get(&format!("/i/{token}")).await.status, 404);
        world.finish().await;
    }
}
