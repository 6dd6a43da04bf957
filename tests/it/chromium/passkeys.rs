//! A passkey in a real browser with the virtual authenticator that chromedriver has (WebAuthn Level 3, section 11).

use countersign::app::operators;
use countersign::store::Engine;
use serde_json::json;

use super::axe::axe;
use super::driver::{self, Browser, ENTER, Kind};
use crate::harness::{OWNERS_PASSWORD, World, add_owner};

async fn password(world: &World, browser: &Browser) {
    browser.open(&format!("{}/admin/sign-in", world.base)).await;
    browser.tab_to("input[name=name]").await;
    browser.keys("olga").await;
    browser.tab_to("input[name=password]").await;
    browser.keys(&format!("{OWNERS_PASSWORD}{ENTER}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_keyboard_alone_a_passkey_is_added_opens_the_pages_and_is_removed() {
    if driver::is_left_out() {
        return;
    }
    let world = World::at("localhost", Engine::Sqlite).await;
    add_owner(&world.app).await;
    let browser = Browser::start(Kind::default()).await;
    let id = browser
        .webauthn(
            "authenticator",
            json!({
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
                "hasUserVerification": true, "isUserVerified": true, "isUserConsenting": true
            }),
        )
        .await;
    password(&world, &browser).await;
    browser.wait_for_text("Overview").await;
    browser.open(&format!("{}/admin/account", world.base)).await;
    browser.wait_for_text("Your password alone opens").await;
    axe(&browser).await;
    browser.tab_to("#passkey-name").await;
    browser.keys("Laptop").await;
    browser.tab_to("#passkey-current").await;
    browser.keys(&format!("not my password{ENTER}")).await;
    browser.wait_for_text("is not this one").await;
    axe(&browser).await;
    browser
        .find("#passkey-current")
        .await
        .clear()
        .await
        .unwrap();
    browser.tab_to("#passkey-current").await;
    browser.keys(&format!("{OWNERS_PASSWORD}{ENTER}")).await;
    browser.wait_for_text("They are not shown again").await;
    axe(&browser).await;
    browser.picture("passkey-added").await;
    browser.open(&format!("{}/admin/account", world.base)).await;
    browser.wait_for_text("Laptop").await;
    browser.wait_for_text("not used yet").await;
    axe(&browser).await;
    browser.picture("passkey-account").await;
    // The same authenticator again: the browser leaves out what is there already.
    browser.tab_to("#passkey-name").await;
    browser.keys("Again").await;
    browser.tab_to("#passkey-current").await;
    browser.keys(&format!("{OWNERS_PASSWORD}{ENTER}")).await;
    browser
        .wait_for_text("This passkey is set up here already")
        .await;
    axe(&browser).await;
    browser.picture("passkey-again").await;
    browser
        .tab_to("form[action=\"/admin/sign-out\"] button")
        .await;
    browser.keys(ENTER).await;
    browser.wait_for_text("Sign in").await;

    password(&world, &browser).await;
    browser.wait_for_text("Your second factor").await;
    let focused = browser
        .run("return document.activeElement.textContent")
        .await;
    assert_eq!(focused, "Use a passkey");
    axe(&browser).await;
    browser.picture("passkey-factor").await;
    // Called off by the person: the page says what to do, and the button waits again.
    let uv = format!("authenticator/{id}/uv");
    browser
        .webauthn(&uv, json!({ "isUserVerified": false }))
        .await;
    browser.keys(ENTER).await;
    browser.wait_for_text("No passkey came").await;
    browser.picture("passkey-called-off").await;
    axe(&browser).await;
    browser
        .webauthn(&uv, json!({ "isUserVerified": true }))
        .await;
    let focused = browser
        .run("return document.activeElement.textContent")
        .await;
    assert_eq!(focused, "Use a passkey");
    browser.keys(ENTER).await;
    browser.wait_for_text("Overview").await;

    browser.open(&format!("{}/admin/account", world.base)).await;
    browser.wait_for_text("last used").await;
    browser.tab_to(".list details summary").await;
    browser.keys(ENTER).await;
    browser.tab_to(".list details input[type=password]").await;
    browser.keys(&format!("{OWNERS_PASSWORD}{ENTER}")).await;
    browser.wait_for_text("The passkey is removed;").await;
    let all = operators::list(&world.app.store).await.unwrap();
    let olga = all[0].operator.id;
    assert!(world.app.passkeys(olga).await.unwrap().is_empty());
    browser.close().await;
    world.finish().await;
}

/// The pages on a phone and in the dark, with two passkeys and codes beside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_phone_and_in_the_dark_the_passkeys_pages_hold() {
    if driver::is_left_out() {
        return;
    }
    let world = World::at("localhost", Engine::Sqlite).await;
    add_owner(&world.app).await;
    let mut first = true;
    for (name, phone, dark) in [
        ("phone", Some(360), false),
        ("dark", None, true),
        ("phone-dark", Some(360), true),
    ] {
        let browser = Browser::start(Kind {
            phone,
            dark,
            ..Kind::default()
        })
        .await;
        if first {
            browser
                .webauthn(
                    "authenticator",
                    json!({ "protocol": "ctap2", "transport": "usb", "isUserConsenting": true }),
                )
                .await;
        }
        browser.sign_in(&world.base).await;
        if first {
            browser.wait_for_text("Overview").await;
            browser.open(&format!("{}/admin/account", world.base)).await;
            browser
                .type_into(
                    "#passkey-name",
                    "The blue security key in the second drawer of the old desk",
                )
                .await;
            browser.type_into("#passkey-current", OWNERS_PASSWORD).await;
            browser.press("form[data-passkey] button").await;
            browser.wait_for_text("They are not shown again").await;
            browser.open(&format!("{}/admin/account", world.base)).await;
            browser.wait_for_text("The blue security key").await;
            browser.picture(&format!("passkey-account-{name}")).await;
            axe(&browser).await;
            first = false;
        } else {
            browser.wait_for_text("Your second factor").await;
            browser.find("form[data-passkey] button").await;
            browser.picture(&format!("passkey-factor-{name}")).await;
            axe(&browser).await;
        }
        let wide =
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(
            browser.run(wide).await,
            false,
            "{name}: wider than the screen"
        );
        browser.close().await;
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_scripts_off_the_page_says_that_a_passkey_needs_them_and_takes_a_code() {
    if driver::is_left_out() {
        return;
    }
    let world = World::at("localhost", Engine::Sqlite).await;
    add_owner(&world.app).await;
    let mut client = crate::admin::signing_in::signed_in(&world, "olga").await;
    let codes = crate::admin::passkeys::with_passkey(&world, &mut client).await;
    let browser = Browser::start(Kind {
        scripts_off: true,
        ..Kind::default()
    })
    .await;
    browser.sign_in(&world.base).await;
    browser.wait_for_text("It needs scripts").await;
    browser.picture("passkey-no-scripts").await;
    browser.type_into("#code", &codes[0]).await;
    browser
        .press("form[action=\"/admin/sign-in/code\"] button")
        .await;
    browser.wait_for_text("Overview").await;
    browser.open(&format!("{}/admin/account", world.base)).await;
    browser
        .wait_for_text("Adding a passkey needs scripts")
        .await;
    browser.close().await;
    world.finish().await;
}
