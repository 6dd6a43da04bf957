//! The "check your inbox" page: it speaks of one signup only, and turns by itself.

use std::time::Duration;

use countersign::web::Web;
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
    tokio::time::timeout(Duration::from_secs(20), reading)
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

    async fn whoever_presses_send_again_too_soon_is_told_so_and_when_it_can_be(engine: Engine) {
        let world = World::on(engine).await;
        let (mut person, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        assert!(page.text().contains("<noscript><p class=\"quiet\">It can be sent again in 60 s."), "{}", page.text());
        let resend = format!("{}/resend", inbox_path(&page.text()));
        world.mail_to("anna@example.org").await;
        world.advance(10);
        let early = person.post(&resend, &[("opened", &page.hidden("opened"))]).await;
        let page = person.get(&early.location()).await;
        let text = page.text();
        assert!(text.contains(">That was too soon, so nothing was sent.") && text.contains("again in 50 s."), "{text}");
        assert!(!text.contains(">We have asked"), "{text}");
        assert_eq!(world.deliver().await.len(), 1);
        world.advance(50);
        let text = person.get(&early.location()).await.text();
        assert!(!text.contains("again in 0 s"), "{text}");
        let sent = person.post(&resend, &[("opened", &page.hidden("opened"))]).await;
        let text = person.get(&sent.location()).await.text();
        assert!(text.contains(">We have asked") && text.contains("again in 60 s."), "{text}");
        assert_eq!(world.deliver().await.len(), 2);
        world.finish().await;
    }

    async fn the_page_of_a_request_that_is_over_promises_no_mail_and_tells_nobody_that_the_owner_declined(engine: Engine) {
        let world = World::on(engine).await;
        let (mut declined, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let said = world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        assert!(said.text().contains("write to privacy@acme.example"), "{}", said.text());
        assert!(!said.text().contains("href=\"/f/"), "no way on that leads nowhere");
        let (mut corrected, other) = world.signed_up("bea@example.org", "192.0.2.1").await;
        world.mail_to("bea@example.org").await;
        let inbox = inbox_path(&other.text());
        world.advance(5);
        corrected.post(&format!("{inbox}/address"), &[("email", "bee@example.org")]).await;
        world.mail_to("bee@example.org").await;
        let one = declined.get(&inbox_path(&page.text())).await.text();
        let two = corrected.get(&inbox).await.text();
        assert!(one.contains("If no mail comes then, write to privacy@acme.example."), "{one}");
        assert!(!one.contains("at any time"), "{one}");
        assert_eq!(one, two, "it tells nobody which it is");
        world.finish().await;
    }

    async fn a_waiting_page_is_stirred_so_that_no_proxy_cuts_it_off(engine: Engine) {
        let world = World::on(engine).await;
        let (_, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut web = Web::new(world.app.clone(), None);
        web.stir_within = Duration::ZERO;
        tokio::spawn(countersign::web::serve(listener, web, 1).unwrap());
        let path = format!("{}/events", inbox_path(&page.text()));
        let seen = wait_for_event(&base, &path, ":\n\n").await;
        assert!(seen.contains("\"state\":\"waiting\"") && seen.contains(":\n\n"), "{seen}");
        world.mail_to("anna@example.org").await;
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
