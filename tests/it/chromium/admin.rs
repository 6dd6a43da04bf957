//! The operators' pages in a real browser: phone, dark, scripts off, keyboard alone.

use countersign::app::apply::{apply, parse};
use countersign::app::operators;
use countersign::domain::operator::Role;
use countersign::store::Engine;
use countersign::web::admin::routes::TABLE;

use serde_json::json;

use super::axe::{axe, colours};
use super::driver::{self, Browser, Kind};
use crate::harness::{DECLARATIONS, OWNERS_PASSWORD, World, add_owner};

/// A world with something to look at: a confirmed person, a waiting one, a form with two versions.
async fn world() -> World {
    let world = World::with(Engine::Sqlite, "[webhook]\nallow_private = true\n").await;
    add_owner(&world.app).await;
    let changed = DECLARATIONS.replacen("News twice a month.", "News every week.", 1);
    apply(&world.app, &parse(&changed).unwrap()).await.unwrap();
    let (mut person, _) = world.signed_up("anna@example.org", "192.0.2.7").await;
    let mail = world.mail_to("anna@example.org").await;
    person.get(&mail.confirm()).await;
    world.advance(5);
    person.post(&mail.confirm(), &[]).await;
    world.signed_up("bert@example.org", "192.0.2.8").await;
    world.deliver().await;
    world.app.sequence().await.unwrap();
    world
}

/// Anna's page.
async fn contact(world: &World) -> String {
    let catalog = world.app.catalog();
    let acme = catalog.brand_by_slug("acme").unwrap();
    let (found, _) = world
        .app
        .find_contacts(acme.id, "anna@example.org", "")
        .await
        .unwrap();
    format!("/admin/contacts/acme/{}", found[0].id)
}

/// What is no page of its own: frames within one, and files.
const NO_PAGES: [&str; 8] = [
    "/admin/contacts/{brand}/{contact}/mail/{position}/{part}",
    "/admin/shown/{version}",
    "/admin/forms/{form}/page",
    "/admin/forms/{form}/mail/{part}",
    "/admin/imports/{brand}/{id}/report",
    "/admin/campaigns/{brand}/{id}/mail",
    "/admin/campaigns/{brand}/{id}/mail.html",
    "/admin/new-campaign/{brand}/{id}/mail.html",
];
/// What `jobs.rs` comes by, with lists and campaigns in it.
const IN_JOBS: [&str; 8] = [
    "/admin/imports/{brand}/{id}",
    "/admin/imports/{brand}/{id}/rows",
    "/admin/new-import/{brand}/{id}/columns",
    "/admin/new-import/{brand}/{id}/source",
    "/admin/new-import/{brand}/{id}/trial",
    "/admin/campaigns/{brand}/{id}",
    "/admin/new-campaign/{brand}/{id}",
    "/admin/sign-in/code",
];

/// Every page of the table that the guard reads, filled in; one that nobody thought of fails.
async fn pages(world: &World) -> Vec<String> {
    let contact = contact(world).await;
    let form = world.app.catalog().form("news").unwrap().clone();
    let versions: Vec<&str> = form.versions.keys().map(|hash| hash.as_str()).collect();
    let diff = format!("/admin/forms/news/versions/{}/{}", versions[0], versions[1]);
    let webhook = webhook(world).await;
    let looked_at = TABLE
        .iter()
        .filter(|entry| entry.method == "get")
        .map(|entry| entry.path)
        .filter(|path| !NO_PAGES.contains(path) && !IN_JOBS.contains(path));
    let mut pages: Vec<String> = looked_at
        .map(|path| match path {
            "/admin/contacts/{brand}/{contact}" => contact.clone(),
            "/admin/forms/{form}/versions/{old}/{new}" => diff.clone(),
            "/admin/settings/webhooks/{id}" => webhook.clone(),
            path => path
                .replace("{form}", "news")
                .replace("{brand}", "acme")
                .replace("{name}", "olga"),
        })
        .collect();
    for path in &pages {
        assert!(!path.contains('{'), "{path}: no page is looked at");
    }
    // Refusals are pages, too.
    pages.push("/admin/forms/there-is-none".to_owned());
    pages
}

/// A webhook with a message that nobody took; the path of its page.
async fn webhook(world: &World) -> String {
    let mut client = crate::admin::signing_in::signed_in(world, "olga").await;
    let fields = [
        ("url", "http://127.0.0.1:9/"),
        ("about", "the shop"),
        ("kinds", "contact.confirmed"),
    ];
    client.post("/admin/settings/webhooks", &fields).await;
    let list = client.get("/admin/settings/webhooks").await.text();
    let at = list.find("/admin/settings/webhooks/").unwrap();
    let path = list[at..].split('"').next().unwrap().to_owned();
    client.post(&path, &[("do", "test")]).await;
    path
}

/// On a phone the places are a row that scrolls; pages at the door have none.
const PLACE_IN_SIGHT: &str = "const here = document.querySelector('.bar nav [aria-current]'); if (!here) return true; \
     const place = here.getBoundingClientRect(); return place.left >= 0 && place.right <= innerWidth";

/// Each page is opened once: a page that fits and reads in one look is the same page in the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_fits_a_phone_stands_out_in_the_dark_and_names_its_fields() {
    if driver::is_left_out() {
        return;
    }
    let world = world().await;
    let browser = Browser::start(Kind::default()).await;
    browser.sign_in(&world.base).await;
    browser.wait_for_text("Overview").await;
    for path in pages(&world).await {
        let page = path.trim_start_matches("/admin").replace('/', "-");
        let short: String = page.chars().take(40).collect();
        browser.look(false, Some(360)).await;
        browser.open(&format!("{}{path}", world.base)).await;
        browser.find("main h1").await;
        browser.picture(&format!("admin{short}-phone")).await;
        axe(&browser).await;
        fits(&browser, &page, true).await;
        let seen = browser.run(PLACE_IN_SIGHT).await;
        assert_eq!(
            seen,
            json!(true),
            "{path}: where somebody is, is out of sight"
        );
        browser.look(true, None).await;
        browser.picture(&format!("admin{short}-dark")).await;
        colours(&browser).await;
        fits(&browser, &page, false).await;
    }
    browser.close().await;
    world.finish().await;
}

/// Nothing is wider than the screen, no target too low, no field without a label.
async fn fits(browser: &Browser, page: &str, is_phone: bool) {
    let found = browser
        .run(
            "const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth; \
             const low = [...document.querySelectorAll('button, main input:not([type=hidden]):not([type=checkbox]):not([type=radio]), main summary')] \
             .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 90)); \
             const named = [...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')] \
             .filter(e => !e.labels.length).map(e => e.name); \
             return [Math.max(0, wide), low.join('; '), named.join(), innerWidth]",
        )
        .await;
    assert_eq!(
        found.as_array().unwrap()[..3],
        [json!(0), json!(""), json!("")],
        "{page}: wider than the screen, too low, without a label"
    );
    assert_eq!(found[3].as_u64().unwrap() == 360, is_phone, "{found}");
}

/// What somebody sees who may not: a role that a page is not for, a file that is not taken along, a post from elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_that_refuse_say_why_in_the_light_and_in_the_dark() {
    if driver::is_left_out() {
        return;
    }
    let world = world().await;
    let viewer = (Role::Viewer, &[][..]);
    operators::add(&world.app, None, "vera", OWNERS_PASSWORD, viewer)
        .await
        .unwrap();
    for dark in [false, true] {
        let browser = Browser::start(Kind {
            dark,
            ..Kind::default()
        })
        .await;
        browser.open(&format!("{}/admin/sign-in", world.base)).await;
        browser.type_into("input[name=name]", "vera").await;
        browser
            .type_into("input[name=password]", OWNERS_PASSWORD)
            .await;
        browser.press("main button").await;
        browser.wait_for_text("Overview").await;
        for path in ["/admin/settings/keys", "/admin/forms?format=csv"] {
            browser.open(&format!("{}{path}", world.base)).await;
            browser.wait_for_text("Not for your role").await;
            axe(&browser).await;
        }
        browser
            .open(&format!("{}{}", world.base, contact(&world).await))
            .await;
        browser.wait_for_text("hidden from it").await;
        axe(&browser).await;
        browser.close().await;
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_scripts_off_a_person_is_found_and_a_form_is_changed_and_looked_at_before() {
    if driver::is_left_out() {
        return;
    }
    let world = world().await;
    let browser = Browser::start(Kind {
        scripts_off: true,
        ..Kind::default()
    })
    .await;
    browser.sign_in(&world.base).await;
    browser.wait_for_text("Overview").await;
    browser
        .open(&format!("{}/admin/contacts", world.base))
        .await;
    browser.type_into("input[name=q]", "anna@example.org").await;
    browser.press("form[role=search] button").await;
    browser.wait_for_text("Where this person stands").await;
    browser.wait_for_text("explicit").await;
    browser.press(".story summary").await;
    browser.wait_for_text("\"kind\": \"signed_up\"").await;
    browser.picture("admin-contact-desk").await;
    browser
        .open(&format!("{}/admin/forms/news/edit", world.base))
        .await;
    browser
        .type_into("input[name=title-en]", "Letters in spring")
        .await;
    browser.press("button[formtarget=preview-page]").await;
    browser.client.enter_frame(0).await.unwrap();
    browser.wait_for_text("Letters in spring").await;
    browser.client.enter_parent_frame().await.unwrap();
    browser.picture("admin-edit-desk").await;
    browser.press("#edit button:not([formtarget])").await;
    browser.wait_for_text("Saved.").await;
    browser.picture("admin-form-desk").await;
    world.finish().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_alone_signs_in_and_changes_a_form_and_the_previews_follow() {
    if driver::is_left_out() {
        return;
    }
    let world = world().await;
    let browser = Browser::start(Kind::default()).await;
    browser.open(&format!("{}/admin/sign-in", world.base)).await;
    browser.tab_to("input[name=name]").await;
    browser.keys("olga").await;
    browser.tab_to("input[name=password]").await;
    browser.keys("a long enough password\u{E007}").await;
    browser.wait_for_text("Overview").await;
    browser.tab_to(".skip").await;
    browser.keys("\u{E007}").await;
    browser.open(&format!("{}/admin", world.base)).await;
    browser.tab_to("nav a[href=\"/admin/forms\"]").await;
    browser.keys("\u{E007}").await;
    browser.wait_for_text("New form").await;
    browser.tab_to("a[href=\"/admin/forms/news\"]").await;
    browser.keys("\u{E007}").await;
    browser.wait_for_text("Nothing to mend.").await;
    browser.tab_to("a[href=\"/admin/forms/news/edit\"]").await;
    browser.keys("\u{E007}").await;
    browser.wait_for_text("Languages and words").await;
    browser.tab_to("input[name=title-en]").await;
    browser.keys("Letters by key").await;
    // The preview follows by itself a moment after the last key.
    browser.client.enter_frame(0).await.unwrap();
    browser.wait_for_text("Letters by key").await;
    browser.client.enter_parent_frame().await.unwrap();
    browser.tab_to("#edit button:not([formtarget])").await;
    browser.keys("\u{E007}").await;
    browser.wait_for_text("Saved.").await;
    let form = world.app.catalog().form("news").unwrap().clone();
    assert_eq!(form.declared.title["en"], "Letters by key");
    browser.close().await;
    world.finish().await;
}
