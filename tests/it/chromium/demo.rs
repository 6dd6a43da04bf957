//! The demo as somebody tries it: form, inbox, the mail's own button.

use std::time::{Duration, Instant};

use super::driver::{self, Browser, Kind};
use crate::harness::Folder;
use crate::timestamp_command::Demo;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_button_in_the_demos_inbox_confirms_and_the_first_tab_turns_by_itself() {
    if driver::is_left_out() {
        return;
    }
    let folder = Folder::new();
    let demo = Demo::start(&folder);
    let browser = Browser::start(Kind::default()).await;
    browser.open(&format!("{}/f/newsletter", demo.base)).await;
    // A person types for longer than a second; the demo's clock is the machine's.
    let typed = "const done = arguments[0]; setTimeout(done, 1500)";
    browser
        .client
        .execute_async(typed, Vec::new())
        .await
        .unwrap();
    browser
        .type_into("input[name=email]", "anna@example.org")
        .await;
    browser.press("#form button").await;
    browser.wait_for_text("•••@example.org").await;
    let first = browser.new_tab().await;
    let second = browser.client.window().await.unwrap();
    browser.open(&format!("{}/inbox", demo.base)).await;
    browser.find("iframe").await;
    browser.client.enter_frame(0).await.unwrap();
    browser.press("a[href*='/c/']").await;
    let deadline = Instant::now() + Duration::from_secs(60);
    let third = loop {
        let tabs = browser.client.windows().await.unwrap();
        if let Some(tab) = tabs.into_iter().find(|tab| *tab != first && *tab != second) {
            break tab;
        }
        assert!(Instant::now() < deadline, "the button opens no tab");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    browser.client.switch_to_window(third).await.unwrap();
    browser.wait_for_text("Confirmed").await;
    browser.client.switch_to_window(first).await.unwrap();
    browser.wait_for_text("Confirmed").await;
    browser.close().await;
}
