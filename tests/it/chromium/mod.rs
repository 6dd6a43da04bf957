//! The whole path in a real browser: same browser, other browser, code, scripts off, phone, keyboard, scanner, embedded.

mod admin;
pub mod axe;
mod booth;
mod demo;
pub mod driver;
mod embedding;
mod figures;
mod jobs;
mod passkeys;

use countersign::domain::campaign::Kind as CampaignKind;
use countersign::domain::event::Grade;
use countersign::domain::policy::Source;
use countersign::domain::standing::Basis;
use countersign::store::Engine;

use crate::campaign::{begin, plan, work};
use crate::harness::{Folder, Mail, World};
use crate::import::storing::List;
use driver::{Browser, Kind};
use serde_json::json;

/// Signs up at the hosted form as a person does, up to the "check your inbox" page.
async fn sign_up(world: &World, browser: &Browser, email: &str) -> Mail {
    browser.open(&format!("{}/f/news", world.base)).await;
    browser.type_into("input[name=email]", email).await;
    // A person takes longer than a second to type; the test's clock is moved by hand.
    world.advance(5);
    browser
        .press("form[action='/f/news'] button:not([type=button])")
        .await;
    browser.wait_for_text("•••@example.org").await;
    world.mail_to(email).await
}

async fn grade(world: &World, email: &str) -> Option<Grade> {
    world.permission(email, "newsletter").await.grade
}

/// The page's own clock, moved on.
const A_MINUTE_LATER: &str = "const now = Date.now; Date.now = () => now() + 61000";

macro_rules! in_chromium {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)+) => {$(
        $(#[$meta])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            if driver::is_left_out() {
                return;
            }
            let $world = World::on(Engine::Sqlite).await;
            $body
            $world.finish().await;
        }
    )+};
}

/// The contrast of an element's border with what lies around the element, which WCAG asks to be 3 at least.
const BORDER: &str = "const q = document.querySelector('.q'); \
    const rgb = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number); \
    const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); \
      return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
    const one = light(rgb(getComputedStyle(q).borderTopColor)); \
    const other = light(rgb(getComputedStyle(q.closest('.c')).backgroundColor)); \
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)";

in_chromium! {
    async fn the_notice_of_a_merger_has_two_buttons_that_stand_out_by_day_and_by_night(world) {
        let old = "email,document,old_brand,original_source,original_date\nann@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n";
        let list = List { name: "mill", text: old, source: Some(Source::MergerOrAcquisition) };
        list.take_in(&world).await;
        begin(&world, "merger", plan(CampaignKind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        let mail = world.mail_to("ann@example.org").await;
        let folder = Folder::new();
        let file = folder.0.join("mail.html");
        std::fs::write(&file, &mail.0.html).unwrap();
        for (dark, phone) in [(false, None), (true, None), (true, Some(360))] {
            let browser = Browser::start(Kind { dark, phone, ..Kind::default() }).await;
            browser.open(&format!("file://{}", file.display())).await;
            browser.wait_for_text("Yes, I stay").await;
            axe::axe(&browser).await;
            let contrast = browser.run(BORDER).await.as_f64().unwrap();
            assert!(contrast >= 3.0, "{contrast} dark: {dark}");
            browser.picture(&format!("merger-mail-{dark}-{}", phone.is_some())).await;
            browser.close().await;
        }
    }

    async fn the_browser_that_signed_up_completes_by_itself_and_its_first_tab_turns(world) {
        let browser = Browser::start(Kind::default()).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        browser.picture("inbox-desktop").await;
        let first = browser.new_tab().await;
        browser.open(&format!("{}{}", world.base, mail.confirm())).await;
        browser.wait_for_text("Confirmed").await;
        assert_eq!(grade(&world, "anna@example.org").await, Some(Grade::SameBrowser));
        browser.client.switch_to_window(first).await.unwrap();
        browser.wait_for_text("Confirmed").await;
        browser.picture("inbox-confirmed-desktop").await;
        browser.close().await;
    }

    async fn in_another_browser_one_press_confirms_and_the_first_tab_turns(world) {
        let browser = Browser::start(Kind::default()).await;
        let other = Browser::start(Kind { dark: true, ..Kind::default() }).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        other.open(&format!("{}{}", world.base, mail.confirm())).await;
        other.picture("confirm-dark").await;
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        // The person reads before pressing.
        world.advance(4);
        other.press("#confirm button").await;
        other.wait_for_text("Confirmed").await;
        other.picture("done-dark").await;
        assert_eq!(grade(&world, "anna@example.org").await, Some(Grade::LinkButton));
        browser.wait_for_text("Confirmed").await;
        other.close().await;
        browser.close().await;
    }

    async fn where_nothing_streams_the_first_page_asks_and_turns_all_the_same(world) {
        let browser = Browser::start(Kind::default()).await;
        browser.devtools("Network.enable", json!({})).await;
        browser.devtools("Network.setBlockedURLs", json!({ "urls": ["*/events"] })).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        let streams = "const done = arguments[0]; fetch(location.pathname + '/events').then(() => done('yes'), () => done('no'))";
        assert_eq!(browser.client.execute_async(streams, Vec::new()).await.unwrap(), "no");
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        browser.wait_for_text("Confirmed").await;
        browser.close().await;
    }

    async fn send_again_sends_once_its_time_has_come_and_counts_down_anew(world) {
        let browser = Browser::start(Kind::default()).await;
        sign_up(&world, &browser, "anna@example.org").await;
        browser.wait_for_text("Send again in").await;
        // Too soon it does nothing.
        browser.press("#resend-form button").await;
        world.advance(61);
        browser.run(A_MINUTE_LATER).await;
        browser.find("#resend-form button:not([aria-disabled])").await;
        browser.press("#resend-form button").await;
        browser.wait_for_text("We have asked for the mail once more").await;
        browser.wait_for_text("Send again in").await;
        assert_eq!(world.deliver().await.len(), 2);
        browser.close().await;
    }

    async fn six_digits_typed_on_the_first_page_confirm_after_a_wrong_try(world) {
        let browser = Browser::start(Kind::default()).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        let wrong = if mail.code() == "000000" { "000001" } else { "000000" };
        browser.type_into("input[name=code]", wrong).await;
        browser.wait_for_text("Tries left: 4").await;
        // A key too many is cut off again and costs no try.
        browser.type_into("input[name=code]", "\u{E010}7").await;
        browser.picture("code-wrong").await;
        browser.find("input[name=code]").await.clear().await.unwrap();
        browser.type_into("input[name=code]", &mail.code()).await;
        browser.wait_for_text("Confirmed").await;
        assert_eq!(grade(&world, "anna@example.org").await, Some(Grade::Code));
        let kinds = world.kinds("anna@example.org").await;
        assert_eq!(kinds.iter().filter(|kind| **kind == "code_wrong").count(), 1);
        browser.close().await;
    }

    async fn with_scripts_off_the_whole_path_works_by_buttons_and_links(world) {
        let browser = Browser::start(Kind { scripts_off: true, ..Kind::default() }).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        browser.picture("inbox-no-scripts").await;
        let inbox = browser.client.current_url().await.unwrap();
        browser.open(&format!("{}{}", world.base, mail.confirm())).await;
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        browser.press("#confirm button").await;
        browser.wait_for_text("Confirmed").await;
        browser.open(inbox.as_str()).await;
        browser.wait_for_text("Confirmed").await;
        browser.close().await;
    }

    async fn on_a_phone_nothing_scrolls_sideways_and_every_target_can_be_hit(world) {
        let browser = Browser::start(Kind { phone: Some(360), ..Kind::default() }).await;
        let small = "const low = [...document.querySelectorAll('button, summary, input:not([type=hidden]):not([type=checkbox])')] \
             .filter(e => e.offsetParent && !e.closest('[aria-hidden=true]')).filter(e => e.getBoundingClientRect().height < 43.5) \
             .map(e => e.outerHTML.slice(0, 80)); \
             return [document.documentElement.scrollWidth - 360, low.join('; ')]";
        let fits = async |name: &str| {
            browser.picture(&format!("{name}-phone")).await;
            let found = browser.run(small).await;
            assert_eq!((found[0].as_i64().unwrap().max(0), found[1].as_str().unwrap()), (0, ""), "{name}");
        };
        browser.open(&format!("{}/f/news", world.base)).await;
        fits("form").await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        fits("inbox").await;
        browser.client.delete_all_cookies().await.unwrap();
        for (name, path) in [("confirm", mail.confirm()), ("decline", mail.decline())] {
            browser.open(&format!("{}{path}", world.base)).await;
            fits(name).await;
        }
        world.advance(4);
        browser.open(&format!("{}/f/news/embed", world.base)).await;
        fits("embed").await;
        browser.open(&format!("{}{}", world.base, mail.confirm())).await;
        world.advance(4);
        browser.press("#confirm button").await;
        browser.wait_for_text("Confirmed").await;
        fits("done").await;
        for (name, path) in [("about", mail.about()), ("used", mail.confirm()), ("broken", format!("{}x", mail.confirm()))] {
            browser.open(&format!("{}{path}", world.base)).await;
            fits(name).await;
        }
        let mail = sign_up(&world, &browser, "bert@example.org").await;
        browser.client.delete_all_cookies().await.unwrap();
        world.advance(8 * 86_400);
        browser.open(&format!("{}{}", world.base, mail.confirm())).await;
        fits("expired").await;
        browser.press("main button").await;
        browser.wait_for_text("Check your inbox").await;
        fits("fresh").await;
        world.mail_to("bert@example.org").await;
        browser.close().await;
    }

    async fn the_demos_inbox_shows_a_mail_whole_on_a_phone_and_on_a_desk(world) {
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.mail_to("anna@example.org").await;
        let inbox = world.demo_inbox();
        for phone in [Some(390), None] {
            let browser = Browser::start(Kind { phone, ..Kind::default() }).await;
            browser.open(&inbox).await;
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
            loop {
                let cut = browser.run(
                    "const f = document.querySelector('iframe'), d = f.contentDocument; \
                     return d.body.textContent.includes('1 Mill Lane') ? d.documentElement.scrollHeight - f.clientHeight : null",
                ).await;
                if cut == 0 {
                    break;
                }
                assert!(std::time::Instant::now() < deadline, "{phone:?}: cut off by {cut}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            browser.picture(&format!("demo-inbox-{}", phone.unwrap_or(1100))).await;
            browser.close().await;
        }
    }

    async fn the_keyboard_alone_leads_from_the_form_to_the_confirmation_with_the_focus_in_sight(world) {
        let browser = Browser::start(Kind::default()).await;
        browser.open(&format!("{}/f/news", world.base)).await;
        browser.tab_to("#email").await;
        browser.keys("anna@example.org").await;
        world.advance(5);
        browser.tab_to("#form button").await;
        browser.keys(driver::ENTER).await;
        browser.wait_for_text("•••@example.org").await;
        let code = world.mail_to("anna@example.org").await.code();
        browser.tab_to("#code").await;
        browser.keys(&code).await;
        browser.wait_for_text("Confirmed").await;
        browser.close().await;
    }

    async fn the_keyboard_alone_confirms_behind_the_link(world) {
        let browser = Browser::start(Kind::default()).await;
        let other = Browser::start(Kind::default()).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        browser.close().await;
        other.open(&format!("{}{}", world.base, mail.confirm())).await;
        world.advance(4);
        let button = "#confirm button";
        for _ in 0..10 {
            other.client.active_element().await.unwrap().send_keys("\u{E004}").await.unwrap();
            if other.run(&format!("return document.activeElement === document.querySelector('{button}')")).await == true {
                break;
            }
        }
        other.client.active_element().await.unwrap().send_keys("\u{E007}").await.unwrap();
        other.wait_for_text("Confirmed").await;
        assert_eq!(grade(&world, "anna@example.org").await, Some(Grade::LinkButton));
        other.close().await;
    }

    async fn the_keyboard_alone_corrects_an_address_at_a_form_that_asks_for_a_proof(world) {
        let browser = Browser::start(Kind::default()).await;
        let go_to = async |css: &str| {
            for _ in 0..40 {
                let there = format!("return document.activeElement.matches('{css}')");
                if browser.run(&there).await == true {
                    return;
                }
                browser.client.active_element().await.unwrap().send_keys("\u{E004}").await.unwrap();
            }
            panic!("no way to {css}");
        };
        browser.open(&format!("{}/f/guarded", world.base)).await;
        go_to("#email").await;
        browser.keys("ana@example.org").await;
        world.advance(5);
        browser.keys(driver::ENTER).await;
        browser.wait_for_text("a•••@example.org").await;
        world.advance(5);
        go_to(".help summary").await;
        browser.keys(driver::ENTER).await;
        go_to("#email").await;
        browser.keys("bea@").await;
        axe::axe(&browser).await;
        browser.keys(driver::ENTER).await;
        browser.find("#email-problem").await;
        // What was typed is there again; a fresh proof is made for the next try.
        let typed = browser.run("return document.getElementById('email').value").await;
        assert_eq!(typed, "bea@");
        axe::axe(&browser).await;
        go_to("#email").await;
        browser.keys("\u{E010}example.org").await;
        browser.keys(driver::ENTER).await;
        browser.wait_for_text("b•••@example.org").await;
        world.mail_to("bea@example.org").await;
        browser.close().await;
    }

    async fn a_brands_logo_is_loaded_from_where_it_lies_and_nothing_else_is(world) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let serving = tokio::spawn(async move {
            let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'><rect width='40' height='40'/></svg>";
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: image/svg+xml\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", svg.len());
                let _ = stream.write_all(format!("{head}{svg}").as_bytes()).await;
            }
        });
        let logo = format!("{host}/looks/logo;wide.svg?v=2");
        let with_logo = crate::harness::DECLARATIONS.replacen(
            "slug = \"acme\"",
            &format!("slug = \"acme\"\nlogo_url = \"{logo}\""),
            1,
        );
        let declared = countersign::app::apply::parse(&with_logo).unwrap();
        countersign::app::apply::apply(&world.app, &declared).await.unwrap();
        let browser = Browser::start(Kind::default()).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        let inbox = browser.client.current_url().await.unwrap().path().to_owned();
        let contact = crate::leaving::contact_of(&world, "anna@example.org").await;
        let links = crate::leaving::links(&world, contact, None);
        browser.client.delete_all_cookies().await.unwrap();
        let loaded = "const done = arguments[arguments.length - 1], e = document.querySelector('header.brand img'); \
             const told = () => done(e.naturalWidth); e.complete ? told() : (e.onload = told, e.onerror = told)";
        let other = format!(
            "const done = arguments[arguments.length - 1], e = new Image(); e.onload = () => done('loaded'); \
             e.onerror = () => done('refused'); e.src = '{host}/another.svg'"
        );
        let path = |url: &str| url.replace(&world.base, "");
        let pages = [
            "/f/news".to_owned(), inbox, mail.confirm(), mail.decline(), mail.about(), "/p?brand=acme".to_owned(),
            path(&links.preferences_url), path(&links.unsubscribe_url), "/f/news/embed".to_owned(),
        ];
        for path in pages {
            browser.open(&format!("{}{path}", world.base)).await;
            let width = browser.client.execute_async(loaded, Vec::new()).await.unwrap();
            assert_eq!(width, 40, "{path}");
            let another = browser.client.execute_async(&other, Vec::new()).await.unwrap();
            assert_eq!(another, "refused", "{path}: only the logo");
        }
        browser.picture("form-with-logo").await;
        browser.close().await;
        serving.abort();
    }

    async fn a_scanner_that_runs_scripts_and_opens_every_link_confirms_and_declines_nothing(world) {
        let browser = Browser::start(Kind::default()).await;
        let scanner = Browser::start(Kind::default()).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        for path in [mail.confirm(), mail.decline(), mail.about(), mail.confirm()] {
            scanner.open(&format!("{}{path}", world.base)).await;
            // Whatever a page's scripts would do by themselves is done once it has loaded and rested.
            scanner.client.execute_async(
                "const done = arguments[arguments.length - 1]; requestIdleCallback(() => setTimeout(done, 300))", Vec::new(),
            ).await.unwrap();
        }
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        world.advance(60);
        scanner.press("#confirm button").await;
        scanner.find("input[name=code]").await;
        scanner.picture("code-asked").await;
        assert_eq!(world.permission("anna@example.org", "newsletter").await.basis, Basis::Implicit);
        let kinds = world.kinds("anna@example.org").await;
        assert!(kinds.contains(&"code_asked") && !kinds.contains(&"confirmed") && !kinds.contains(&"declined"));
        scanner.close().await;
        browser.close().await;
    }

    async fn an_operator_signs_in_sees_the_overview_and_signs_out(world) {
        crate::harness::add_owner(&world.app).await;
        let browser = Browser::start(Kind::default()).await;
        browser.open(&format!("{}/admin", world.base)).await;
        browser.type_into("input[name=name]", "olga").await;
        browser.type_into("input[name=password]", "wrong").await;
        browser.press("main button").await;
        browser.wait_for_text("wrong").await;
        browser.type_into("input[name=password]", "a long enough password").await;
        browser.press("main button").await;
        browser.wait_for_text("Overview").await;
        browser.picture("admin-overview").await;
        axe::axe(&browser).await;
        browser.press("header button").await;
        browser.wait_for_text("Sign in").await;
        browser.open(&format!("{}/admin", world.base)).await;
        browser.wait_for_text("Password").await;
        browser.close().await;
    }

    async fn every_page_loads_from_its_own_origin_only(world) {
        let browser = Browser::start(Kind::default()).await;
        let mail = sign_up(&world, &browser, "anna@example.org").await;
        browser.client.delete_all_cookies().await.unwrap();
        let pages = ["/f/news".to_owned(), "/f/news/embed".to_owned(), mail.confirm(), mail.decline(), mail.about(), "/admin/sign-in".to_owned()];
        for path in pages {
            browser.open(&format!("{}{path}", world.base)).await;
            let foreign = browser.run(
                "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))",
            ).await;
            assert_eq!(foreign, serde_json::json!([]), "{path}");
            browser.picture(&format!("page{}", path.chars().take(20).collect::<String>().replace('/', "-"))).await;
        }
        browser.close().await;
    }
}
