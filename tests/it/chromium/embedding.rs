//! The three ways to embed a form, each copied from the page that shows them and put on another site.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign::app::apply::{apply, parse};
use countersign::domain::event::{Fact, Grade};
use countersign::store::Engine;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::driver::{self, Browser, Kind};
use super::{A_MINUTE_LATER, grade, sign_up};
use crate::harness::{DECLARATIONS, World};

/// Widths to look at: a desk, a phone, and the narrowest that we promise to fit.
const WIDTHS: [Option<u32>; 3] = [None, Some(390), Some(280)];

/// Somebody's site: one page, on another origin and another site than ours (a name instead of a number).
struct Site {
    origin: String,
    answer: Arc<Mutex<String>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Site {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let answer = Arc::new(Mutex::new(String::new()));
        let shown = answer.clone();
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let shown = shown.clone();
                // Browsers open connections that they may not use.
                tokio::spawn(async move {
                    let mut request = [0; 4_096];
                    let _ = stream.read(&mut request).await;
                    let answer = shown.lock().unwrap().clone();
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self {
            origin,
            answer,
            serving,
        }
    }

    /// Sends whoever comes on to another place.
    fn lead_to(&self, url: &str) {
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 302 Found\r\nlocation: {url}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        );
    }

    /// Shows a snippet under a policy as strict as sites have it: nothing but what the snippet needs.
    fn show(&self, snippet: &str, policy: &str) {
        let html = format!(
            "<!doctype html><html lang=\"en\"><title>A site</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{snippet}"
        );
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n\
             content-length: {}\r\ncontent-security-policy: default-src 'none'; {policy}\r\n\r\n{html}",
            html.len()
        );
    }
}

/// A server whose form may stand on a site, and what its page shows to copy: script, plain HTML, frame.
async fn served() -> (World, Site, [String; 3]) {
    let world = World::on(Engine::Sqlite).await;
    let site = Site::start().await;
    let declarations = DECLARATIONS.replace("https://www.acme.example", &site.origin);
    apply(&world.app, &parse(&declarations).unwrap())
        .await
        .unwrap();
    let browser = Browser::start(Kind::default()).await;
    browser.open(&format!("{}/f/news/embed", world.base)).await;
    let copied = browser
        .run("return [1, 2, 3].map(n => document.getElementById('code-' + n).textContent)")
        .await;
    browser.close().await;
    let copied = [0, 1, 2].map(|way| copied[way].as_str().unwrap().to_owned());
    (world, site, copied)
}

/// In the page or the frame that the browser is in.
async fn assert_no_sideways_scrolling(browser: &Browser, what: &str) {
    let over = browser
        .run("const e = document.documentElement; return e.scrollWidth - e.clientWidth")
        .await;
    assert_eq!(over, 0, "{what} scrolls sideways");
}

/// Waits until a script says something of what the widget in the page shows: `root`.
async fn in_widget(browser: &Browser, script: &str) {
    let script =
        format!("const root = document.querySelector('countersign-form').shadowRoot; {script}");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let seen = browser.run(&script).await;
        if seen != serde_json::Value::Null && seen != false {
            return;
        }
        let shown = "return document.querySelector('countersign-form').shadowRoot.textContent";
        if Instant::now() >= deadline {
            panic!("{script}: {}", browser.run(shown).await);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The steps of a page of ours, as a person takes them: address, button, code, button.
async fn sign_up_and_type_the_code(world: &World, browser: &Browser, email: &str) {
    browser.type_into("input[name=email]", email).await;
    world.advance(5);
    browser.press("form button:not([type=button])").await;
    browser.wait_for_text("•••@example.org").await;
    let code = world.mail_to(email).await.code();
    browser.type_into("input[name=code]", &code).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copied_as_a_script_the_form_signs_up_and_confirms_in_place_on_any_width() {
    if driver::is_left_out() {
        return;
    }
    let (world, site, [script, _, _]) = served().await;
    let base = &world.base;
    site.show(&script, &format!("script-src {base}; connect-src {base}"));
    for width in WIDTHS {
        let (email, name) = (
            format!("w{}@example.org", width.unwrap_or(0)),
            format!("widget-{}", width.unwrap_or(1100)),
        );
        let browser = Browser::start(Kind {
            phone: width,
            ..Kind::default()
        })
        .await;
        browser.open(&site.origin).await;
        let inside = async |script: &str| in_widget(&browser, script).await;
        inside(&format!("const e = root && root.querySelector('input[type=email]'); if (!e) return false; e.value = '{email}'; return true")).await;
        browser.picture(&format!("{name}-form")).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        world.advance(5);
        inside("root.querySelector('form').requestSubmit(); return true").await;
        inside("return root.textContent.includes('•••@example.org')").await;
        browser.picture(&format!("{name}-inbox")).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        let mail = world.mail_to(&email).await;
        let code = mail.code();
        inside(&format!(
            "const e = root.querySelector('input[inputmode=numeric]'); if (!e) return false; e.value = '{code}'; \
             e.dispatchEvent(new Event('input', {{bubbles: true}})); return true"
        ))
        .await;
        inside("return root.textContent.includes('Confirmed')").await;
        browser.picture(&format!("{name}-confirmed")).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        assert_eq!(grade(&world, &email).await, Some(Grade::Code));
        // The page that it was asked on stands in the mail, as it is a declared one.
        assert!(mail.0.text.contains("localhost"));
        browser.close().await;
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_embedded_form_a_mistyped_address_is_corrected_with_a_proof_of_its_own() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let site = Site::start().await;
    let declarations = DECLARATIONS.replace(
        "proof_of_work = true",
        &format!("proof_of_work = true\norigins = [\"{}\"]", site.origin),
    );
    apply(&world.app, &parse(&declarations).unwrap())
        .await
        .unwrap();
    let base = &world.base;
    let script = format!(
        "<script src=\"{base}/embed.js\" defer></script><countersign-form form=\"guarded\"></countersign-form>"
    );
    site.show(&script, &format!("script-src {base}; connect-src {base}"));
    let browser = Browser::start(Kind::default()).await;
    browser.open(&site.origin).await;
    let inside = async |script: &str| in_widget(&browser, script).await;
    inside("const e = root && root.querySelector('input[type=email]'); if (!e) return false; e.value = 'ana@example.org'; return true").await;
    world.advance(5);
    inside("root.querySelector('form').requestSubmit(); return true").await;
    inside("return root.textContent.includes('a•••@example.org')").await;
    world.advance(5);
    inside(
        "const e = root.querySelector('details input[type=email]'); if (!e) return false; \
         root.querySelector('details').open = true; e.value = 'bea@example.org'; e.form.requestSubmit(); return true",
    )
    .await;
    inside("return root.textContent.includes('b•••@example.org')").await;
    let mail = world.mail_to("bea@example.org").await;
    world
        .client("198.51.100.7")
        .post(&mail.confirm(), &[])
        .await;
    inside("return root.textContent.includes('Confirmed')").await;
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_form_opens_the_mailbox_sends_again_after_a_failure_and_leads_on() {
    if driver::is_left_out() {
        return;
    }
    let site = Site::start().await;
    let news = format!(
        "slug = \"news\"\nredirect_after_confirmation = \"{}/thanks\"\n",
        site.origin
    );
    let declared = DECLARATIONS
        .replace("https://www.acme.example", &site.origin)
        .replace("slug = \"news\"\n", &news);
    let world = World::declared(Engine::Sqlite, "", &declared).await;
    let base = &world.base;
    let script = format!(
        "<script src=\"{base}/embed.js\" defer></script><countersign-form form=\"news\"></countersign-form>"
    );
    site.show(&script, &format!("script-src {base}; connect-src {base}"));
    let browser = Browser::start(Kind {
        phone: Some(390),
        ..Kind::default()
    })
    .await;
    browser.open(&site.origin).await;
    let inside = async |script: &str| in_widget(&browser, script).await;
    inside("const e = root && root.querySelector('input[type=email]'); if (!e) return false; e.value = 'anna@gmail.com'; return true").await;
    world.advance(5);
    inside("root.querySelector('form').requestSubmit(); return true").await;
    inside("const a = root.querySelector('a'); return a && a.textContent === 'Open Gmail' && a.href === 'https://mail.google.com/'").await;
    browser.picture("widget-webmail").await;
    assert_no_sideways_scrolling(&browser, "widget with webmail").await;

    // One press that does not get through; the next one may follow soon.
    let refused = json!({ "urls": ["*/resend"] });
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", refused).await;
    world.advance(61);
    browser.run(A_MINUTE_LATER).await;
    let again = "const again = [...root.querySelectorAll('button')].find(b => b.textContent.startsWith('Send again'));";
    let press = format!(
        "{again} if (again.ariaDisabled === 'true') return false; again.click(); return true"
    );
    inside(&press).await;
    inside("return root.textContent.includes('That did not work')").await;
    browser.devtools("Network.disable", json!({})).await;
    let failed_at = Instant::now();
    inside(&format!(
        "{again} again.click(); return root.textContent.includes('We have asked for the mail once more')"
    ))
    .await;
    assert!(failed_at.elapsed() < Duration::from_secs(30), "locked");

    let mail = world.mail_to("anna@gmail.com").await;
    assert_eq!(world.caught().len(), 2);
    world
        .client("198.51.100.7")
        .post(&mail.confirm(), &[])
        .await;
    inside("return root.textContent.includes('Confirmed')").await;
    browser.picture("widget-continue").await;
    inside("const a = root.querySelector('a'); return a && a.textContent === 'Continue' && (a.click(), true)").await;
    let there = format!("{}/thanks", site.origin);
    let deadline = Instant::now() + Duration::from_secs(60);
    while browser.client.current_url().await.unwrap().as_str() != there {
        assert!(Instant::now() < deadline, "it does not lead on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copied_as_a_frame_the_form_signs_up_and_confirms_within_it_with_scripts_or_without() {
    if driver::is_left_out() {
        return;
    }
    let (world, site, [_, _, frame]) = served().await;
    site.show(&frame, &format!("frame-src {}", world.base));
    let mut kinds: Vec<Kind> = WIDTHS
        .map(|phone| Kind {
            phone,
            ..Kind::default()
        })
        .into();
    kinds.push(Kind {
        scripts_off: true,
        ..Kind::default()
    });
    for (number, kind) in kinds.into_iter().enumerate() {
        let (email, name) = (format!("f{number}@example.org"), format!("frame-{number}"));
        let browser = Browser::start(kind).await;
        browser.open(&site.origin).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        browser.client.enter_frame(0).await.unwrap();
        assert_no_sideways_scrolling(&browser, &name).await;
        browser.picture(&format!("{name}-form")).await;
        sign_up_and_type_the_code(&world, &browser, &email).await;
        browser.picture(&format!("{name}-inbox")).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        if kind.scripts_off {
            browser.press("#code-form button").await;
        }
        browser.wait_for_text("Confirmed").await;
        browser.picture(&format!("{name}-confirmed")).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        assert_eq!(grade(&world, &email).await, Some(Grade::Code));
        let address = browser.client.current_url().await.unwrap();
        assert!(
            address.as_str().starts_with(&site.origin),
            "the site stays: {address}"
        );
        browser.close().await;
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copied_as_plain_html_the_form_leads_to_our_pages_with_scripts_or_without() {
    if driver::is_left_out() {
        return;
    }
    let (world, site, [_, html, _]) = served().await;
    site.show(&html, &format!("form-action {}", world.base));
    for (number, phone) in WIDTHS.into_iter().enumerate() {
        let (email, name) = (format!("h{number}@example.org"), format!("html-{number}"));
        let scripts_off = number == 0;
        let browser = Browser::start(Kind {
            phone,
            scripts_off,
            ..Kind::default()
        })
        .await;
        browser.open(&site.origin).await;
        browser.picture(&format!("{name}-form")).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        sign_up_and_type_the_code(&world, &browser, &email).await;
        assert_no_sideways_scrolling(&browser, &name).await;
        if scripts_off {
            browser.press("#code-form button").await;
        }
        browser.wait_for_text("Confirmed").await;
        assert_eq!(grade(&world, &email).await, Some(Grade::Code));
        let story = world.story(&email).await;
        let Fact::SignedUp(signup) = &story[0].fact else {
            panic!("{story:?}");
        };
        let version = &signup.form_version;
        assert!(
            html.contains(version.as_str()),
            "the version that the site shows"
        );
        browser.close().await;
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_to_the_forms_next_pages_though_these_lead_on_to_another_origin() {
    if driver::is_left_out() {
        return;
    }
    let (hop, end) = (Site::start().await, Site::start().await);
    hop.lead_to(&end.origin);
    end.show("<p>Welcome on our own site.</p>", "");
    let after = |which: &str| format!("redirect_after_{which} = \"{}/thanks\"\n", hop.origin);
    let form = |slug: &str, which: &str| {
        let slug = format!("slug = \"{slug}\"\n");
        (slug.clone(), slug + &after(which))
    };
    let (news, news_then) = form("news", "confirmation");
    let (two, two_then) = form("news-two", "signup");
    let declared = DECLARATIONS
        .replace(&news, &news_then)
        .replace(&two, &two_then);
    let world = World::declared(Engine::Sqlite, "", &declared).await;
    let browser = Browser::start(Kind::default()).await;
    let other = Browser::start(Kind::default()).await;
    let comes = async |browser: &Browser, how: &str| {
        browser.wait_for_text("Welcome on our own site").await;
        let address = browser.client.current_url().await.unwrap();
        assert!(
            address.as_str().starts_with(&end.origin),
            "{how}: {address}"
        );
    };

    browser.open(&format!("{}/f/news-two", world.base)).await;
    browser
        .type_into("input[name=email]", "two@example.org")
        .await;
    world.advance(5);
    browser.press("#form button").await;
    comes(&browser, "signup").await;
    world.mail_to("two@example.org").await;

    let mail = sign_up(&world, &browser, "same@example.org").await;
    browser
        .open(&format!("{}{}", world.base, mail.confirm()))
        .await;
    comes(&browser, "same browser").await;

    let mail = sign_up(&world, &browser, "button@example.org").await;
    other
        .open(&format!("{}{}", world.base, mail.confirm()))
        .await;
    world.advance(4);
    other.press("#confirm button").await;
    comes(&other, "button").await;

    let mail = sign_up(&world, &browser, "code@example.org").await;
    other
        .open(&format!("{}{}", world.base, mail.confirm()))
        .await;
    // At once, as a program presses.
    other.press("#confirm button").await;
    other.type_into("input[name=code]", &mail.code()).await;
    other.press("form.code button").await;
    comes(&other, "code").await;
    assert_eq!(grade(&world, "code@example.org").await, Some(Grade::Code));
    other.close().await;
    browser.close().await;
    world.finish().await;
}
