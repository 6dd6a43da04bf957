//! The overview, evidence, delivery and policy pages in a browser: desk, phone, dark, without scripts, and by axe-core.

use countersign::store::Engine;

use super::axe::{axe, colours};
use super::driver::{self, Browser, Kind};
use crate::harness::World;

const PAGES: [(&str, &str); 8] = [
    ("overview", "/admin?days=7"),
    ("evidence", "/admin/evidence"),
    ("checkpoints", "/admin/evidence/checkpoints"),
    ("delivery", "/admin/delivery"),
    ("delivery-held", "/admin/delivery?show=held"),
    ("delivery-failed", "/admin/delivery?show=failed"),
    ("policy", "/admin/policy"),
    ("policy-case", "/admin/policy?source=purchase&brand=acme"),
];

const WIDER: &str =
    "return document.documentElement.scrollWidth - document.documentElement.clientWidth";

/// A world with some days of signups, a failed mail and a broken past.
async fn busy() -> World {
    let world = World::on(Engine::Sqlite).await;
    crate::harness::add_owner(&world.app).await;
    for day in 0..6_u8 {
        for number in 0..=(day * 3 % 7) {
            let (email, ip) = (
                format!("p{day}.{number}@d{}.example", number % 4),
                format!("192.0.2.{}", 10 + number),
            );
            if number % 3 == 2 {
                world.signed_up(&email, &ip).await;
                world.deliver().await;
            } else {
                crate::figures::confirmed(&world, &email, &ip, u64::from(number) * 400).await;
            }
        }
        world.advance(86_400);
    }
    world.signed_up("last@d1.example", "192.0.2.99").await;
    world
        .sql("update outbox set state = 'failed', due_at = 9223372036854775807, tries = 20, last_reply = '452 4.2.2 mailbox full'")
        .await
        .unwrap();
    crate::figures::count(&world).await;
    world
}

/// Signed in, at the overview.
async fn at_the_overview(world: &World, kind: Kind) -> Browser {
    let browser = Browser::start(kind).await;
    browser.sign_in(&world.base).await;
    browser.wait_for_text("needs you today").await;
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_figures_stand_up_to_axe_core_at_a_desk_in_the_dark_and_on_a_phone() {
    if driver::is_left_out() {
        return;
    }
    let world = busy().await;
    let browser = at_the_overview(&world, Kind::default()).await;
    for (page, path) in PAGES {
        browser.open(&format!("{}{path}", world.base)).await;
        browser.find("h1").await;
        for (name, dark, phone) in [
            ("desk", false, None),
            ("dark", true, None),
            ("phone", false, Some(390)),
        ] {
            browser.look(dark, phone).await;
            browser.picture(&format!("{page}-{name}")).await;
            if dark {
                colours(&browser).await;
            } else {
                axe(&browser).await;
            }
            let wide = browser.run(WIDER).await;
            assert_eq!(wide, 0, "{page}, {name}: wider than the screen");
            if std::env::var("COUNTERSIGN_TEST_SCREENSHOTS").is_ok() {
                browser.run("window.scrollTo(0, 760)").await;
                browser.picture(&format!("{page}-{name}-below")).await;
            }
        }
        browser.look(false, None).await;
    }
    browser.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_figures_show_without_scripts() {
    if driver::is_left_out() {
        return;
    }
    let world = busy().await;
    let scripts_off = true;
    let kind = Kind {
        scripts_off,
        ..Kind::default()
    };
    let browser = at_the_overview(&world, kind).await;
    for (page, path) in PAGES {
        browser.open(&format!("{}{path}", world.base)).await;
        browser.find("h1").await;
        browser.picture(&format!("{page}-plain")).await;
    }
    browser.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_of_the_log_shows_its_outcome_without_a_reload_and_a_failed_mail_is_tried_again() {
    if driver::is_left_out() {
        return;
    }
    let world = busy().await;
    let browser = Browser::start(Kind::default()).await;
    browser.sign_in(&world.base).await;
    browser.wait_for_text("needs you today").await;
    browser
        .open(&format!("{}/admin/evidence", world.base))
        .await;
    browser
        .press("form[action='/admin/evidence/verify'] button")
        .await;
    browser.wait_for_text("Everything holds").await;
    browser
        .open(&format!("{}/admin/delivery?show=failed", world.base))
        .await;
    browser.wait_for_text("452 4.2.2 mailbox full").await;
    browser.press("td form button").await;
    browser.wait_for_text("are due again").await;
    assert_eq!(
        world.mail_to("last@d1.example").await.0.to,
        "last@d1.example"
    );
    browser.close().await;
    world.end().await;
}
