//! Leaving and choosing in a real browser: on a phone, with scripts off, by the keyboard alone, and a scanner that opens all.

use countersign::store::Engine;

use super::{allowed, confirmed, contact_of, links, mailed, signed_up_for_both};
use crate::chromium::driver::{self, Browser, Kind};
use crate::harness::World;

/// What is too low to be hit with a thumb, and by how much the page is too wide for a phone of 360 pixels.
const TOO_SMALL: &str = "const low = [...document.querySelectorAll('button, select, summary, input:not([type=hidden]):not([type=checkbox])')] \
     .filter(e => e.offsetParent).filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 80)); \
     return [Math.max(0, document.documentElement.scrollWidth - 360), low.join('; ')]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_fit_on_a_phone_and_with_scripts_off_everything_can_be_chosen_left_and_erased() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let contact = confirmed(&world, "anna@example.org").await;
    let links = links(&world, contact, Some("newsletter"));
    let preferences = mailed(&world, contact);
    let browser = Browser::start(Kind {
        phone: Some(360),
        ..Kind::default()
    })
    .await;
    let fits = async |name: &str| {
        browser.picture(&format!("{name}-phone")).await;
        assert_eq!(
            browser.run(TOO_SMALL).await,
            serde_json::json!([0, ""]),
            "{name}"
        );
    };
    browser.open(&preferences).await;
    browser.wait_for_text("Your choices").await;
    fits("prefer").await;
    signed_up_for_both(&world, "bert@example.org").await;
    let asked = mailed(&world, contact_of(&world, "bert@example.org").await);
    browser.open(&asked).await;
    browser.wait_for_text("I agree to this").await;
    fits("prefer-asks").await;
    browser.open(&format!("{}/erase", preferences)).await;
    fits("erase").await;
    browser.open(&links.unsubscribe_url).await;
    fits("leave").await;
    browser.open(&format!("{}/p?brand=acme", world.base)).await;
    fits("lost").await;
    browser.close().await;

    // At the width of a desk: the driver cannot click on a touch screen where scripts are off.
    let browser = Browser::start(Kind {
        scripts_off: true,
        ..Kind::default()
    })
    .await;
    browser.open(&preferences).await;
    browser.press("input[type=checkbox][value=events]").await;
    browser.press_through("#choices button").await;
    browser.wait_for_text("Saved.").await;
    assert_eq!(allowed(&world, "anna@example.org").await, (true, false));
    browser.press_through("#pause button").await;
    browser.wait_for_text("No mail before").await;
    assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
    browser.press_through("button[value=resume]").await;
    browser.wait_for_text("Saved.").await;
    browser.open(&links.unsubscribe_url).await;
    browser.press("main button").await;
    browser.wait_for_text("You have left").await;
    browser.picture("left-no-scripts").await;
    assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
    browser.open(&preferences).await;
    browser
        .press("input[type=checkbox][value=newsletter]")
        .await;
    browser.press_through("#choices button").await;
    browser.wait_for_text("Saved.").await;
    assert_eq!(allowed(&world, "anna@example.org").await, (true, false));
    browser.press_through("#leave button").await;
    browser.wait_for_text("Saved.").await;
    assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
    browser.open(&format!("{}/erase", preferences)).await;
    browser.press("main button").await;
    browser.wait_for_text("Erased").await;
    assert!(world.story("anna@example.org").await.is_empty());
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_alone_turns_a_purpose_off_and_leaves_with_the_focus_in_sight() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let contact = confirmed(&world, "anna@example.org").await;
    let links = links(&world, contact, None);
    let browser = Browser::start(Kind {
        dark: true,
        ..Kind::default()
    })
    .await;
    let tab_to = async |wanted: &str| {
        for _ in 0..25 {
            browser
                .client
                .active_element()
                .await
                .unwrap()
                .send_keys("\u{E004}")
                .await
                .unwrap();
            let seen = browser.run(&format!(
                "const e = document.activeElement; const s = getComputedStyle(e); \
                 return [e.matches('{wanted}'), s.outlineStyle !== 'none' || s.boxShadow !== 'none']"
            )).await;
            assert_eq!(seen[1], true, "the focus is in sight");
            if seen[0] == true {
                return browser.client.active_element().await.unwrap();
            }
        }
        panic!("no way to {wanted}");
    };
    browser.open(&links.preferences_url).await;
    browser.picture("prefer-dark").await;
    tab_to("input[type=checkbox][value=events]")
        .await
        .send_keys(" ")
        .await
        .unwrap();
    tab_to("#choices button")
        .await
        .send_keys("\u{E007}")
        .await
        .unwrap();
    browser.wait_for_text("Saved.").await;
    assert_eq!(allowed(&world, "anna@example.org").await, (true, false));
    browser.open(&links.unsubscribe_url).await;
    tab_to("main button")
        .await
        .send_keys("\u{E007}")
        .await
        .unwrap();
    browser.wait_for_text("You have left").await;
    assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scanner_that_runs_scripts_and_opens_every_link_leaves_and_changes_nothing() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let contact = confirmed(&world, "anna@example.org").await;
    let before = world.kinds("anna@example.org").await;
    let links = links(&world, contact, None);
    let preferences = mailed(&world, contact);
    let scanner = Browser::start(Kind::default()).await;
    let erase = format!("{}/erase", preferences);
    for url in [&links.unsubscribe_url, &preferences, &erase] {
        scanner.open(url).await;
        scanner.client.execute_async(
            "const done = arguments[arguments.length - 1]; requestIdleCallback(() => setTimeout(done, 300))", Vec::new(),
        ).await.unwrap();
        let foreign = scanner.run(
            "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))",
        ).await;
        assert_eq!(foreign, serde_json::json!([]));
    }
    let after = world.kinds("anna@example.org").await;
    let (known, hits) = after.split_at(before.len());
    assert_eq!((known, hits), (&before[..], &["link_opened"; 2][..]));
    assert_eq!(allowed(&world, "anna@example.org").await, (true, true));
    scanner.close().await;
    world.finish().await;
}
