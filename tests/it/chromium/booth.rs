//! The booth in a real browser: one person after the other, with and without a connection, and nothing left of anybody.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign::domain::event::Fact;
use countersign::store::Engine;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::driver::{self, Browser, Kind};
use crate::booth::declarations;
use crate::harness::World;

/// The line between the tablet and the server, which can be cut.
struct Line {
    base: String,
    cut: watch::Sender<bool>,
    refused: Arc<AtomicBool>,
}

impl Line {
    async fn to(world: &World) -> Self {
        let server = world.base.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (cut, seen) = watch::channel(false);
        let refused = Arc::new(AtomicBool::new(false));
        let noted = refused.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if *seen.borrow() {
                    noted.store(true, Ordering::SeqCst);
                    continue;
                }
                let (server, mut seen) = (server.clone(), seen.clone());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = seen.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        Self { base, cut, refused }
    }

    fn cut(&self) {
        self.refused.store(false, Ordering::SeqCst);
        self.cut.send(true).unwrap();
    }

    fn mend(&self) {
        assert!(
            self.refused.load(Ordering::SeqCst),
            "nobody missed the line"
        );
        self.cut.send(false).unwrap();
    }
}

/// A world at the browser's own time: a tablet's claims are compared with it.
async fn world() -> World {
    let world = World::declared(Engine::Sqlite, "", &declarations()).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_micros()).unwrap();
    world.clock.step(now - world.clock.now().micros());
    world
}

const EMAIL: &str = "#entry input[name=email]";

async fn until(browser: &Browser, script: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while browser.run(script).await != true {
        assert!(Instant::now() < deadline, "{script}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ready(browser: &Browser, url: &str) {
    browser.open(url).await;
    until(
        browser,
        "return document.getElementById('ready').className.includes('good')",
    )
    .await;
}

async fn sign(browser: &Browser, email: &str) {
    browser.type_into(EMAIL, email).await;
    browser.press("#entry button.yes").await;
    until(browser, "return !document.getElementById('thanks').hidden && document.getElementById('entry').hidden").await;
}

/// Whether anything of the page tells of somebody: its text, its fields, its address.
async fn tells_of(browser: &Browser, word: &str) -> bool {
    let script = format!(
        "return [document.documentElement.outerHTML, location.href, JSON.stringify(history.state), \
         ...[...document.querySelectorAll('input')].map(i => i.value)].some(t => t && t.includes('{word}'))"
    );
    browser.run(&script).await == true
}

async fn later(browser: &Browser, seconds: u32) {
    let script = format!("const now = Date.now; Date.now = () => now() + {seconds}000;");
    browser.run(&script).await;
}

/// Files below a folder that hold a text, in UTF-8 or UTF-16.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let narrow = text.as_bytes().to_vec();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
            if has(&narrow) || has(&wide) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

macro_rules! at_the_booth {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident, $line:ident) $body:block)+) => {$(
        $(#[$meta])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            if driver::is_left_out() {
                return;
            }
            let $world = world().await;
            let $line = Line::to(&$world).await;
            $body
            $world.finish().await;
        }
    )+};
}

at_the_booth! {
    async fn a_signup_is_thanked_in_place_and_the_page_clears_itself(world, line) {
        let browser = Browser::start(Kind::default()).await;
        ready(&browser, &format!("{}/f/news?kiosk=1", line.base)).await;
        let before = browser.run("return history.length").await;
        browser.picture("booth").await;
        sign(&browser, "vera@example.org").await;
        browser.picture("booth-thanks").await;
        assert!(!tells_of(&browser, "vera").await);
        world.mail_to("vera@example.org").await;
        browser.press("#next").await;
        until(&browser, "return !document.getElementById('entry').hidden").await;
        sign(&browser, "bert@example.org").await;
        later(&browser, 16).await;
        until(&browser, "return !document.getElementById('entry').hidden").await;
        assert_eq!(browser.run("return history.length").await, before);
        assert!(!tells_of(&browser, "vera").await && !tells_of(&browser, "bert").await);
        assert_eq!(browser.run("return document.cookie").await, "");
        assert_eq!(browser.client.get_all_cookies().await.unwrap().len(), 0);
        world.mail_to("bert@example.org").await;
        assert!(files_with(&browser.profile.0, "vera@example.org").is_empty());
        browser.close().await;
    }

    async fn without_a_connection_entries_wait_unreadable_and_are_recorded_once_with_their_own_times(world, line) {
        let browser = Browser::start(Kind::default()).await;
        let url = format!("{}/f/news?kiosk=1&lang=en", line.base);
        ready(&browser, &url).await;
        line.cut();
        let people = ["vera.waits@example.org", "bert.waits@example.org"];
        for (number, email) in people.iter().enumerate() {
            // The page itself comes back without the server.
            browser.open(&url).await;
            browser.find(EMAIL).await;
            sign(&browser, email).await;
            browser.wait_for_text("kept here, encrypted").await;
            browser.wait_for_text(&format!("Waiting to be sent: {}", number + 1)).await;
            browser.picture("booth-offline").await;
            browser.press("#next").await;
        }
        let sealed = "return new Promise(done => { const asked = indexedDB.open('countersign /f/news'); \
             asked.onsuccess = () => { const all = asked.result.transaction('entries').objectStore('entries').getAll(); \
             all.onsuccess = () => done(all.result.map(one => [Object.keys(one).sort().join(), new TextDecoder().decode(one.sealed)])) } })";
        let kept = browser.run(sealed).await;
        assert_eq!(kept.as_array().unwrap().len(), 2);
        for one in kept.as_array().unwrap() {
            assert_eq!(one[0], "at,id,key,sealed");
            assert!(!one[1].as_str().unwrap().contains("waits"));
        }
        // The bytes on the tablet's disk: the entries are there, and of the people nothing.
        assert!(!files_with(&browser.profile.0.join("Default/IndexedDB"), "sealed").is_empty());
        assert_eq!(files_with(&browser.profile.0, ".waits"), Vec::<String>::new());
        assert!(!world.permission(people[0], "newsletter").await.allowed);
        // No more than clocks may be apart: the browser's stands still meanwhile.
        world.advance(400);
        line.mend();
        browser.press("#staff summary").await;
        browser.picture("booth-staff").await;
        browser.press("#send").await;
        browser.wait_for_text("Waiting to be sent: 0").await;
        browser.wait_for_text("Nothing waits to be sent").await;
        for email in people {
            let story = world.story(email).await;
            let Fact::SignedUp(signup) = &story[0].fact else { panic!("{story:?}") };
            let waited = story[0].at.since(signup.entered_at.unwrap()).as_secs();
            assert!(signup.kiosk && (370..500).contains(&waited), "{waited}");
            assert_eq!(story.iter().filter(|event| event.fact.kind() == "signed_up").count(), 1);
            world.mail_to(email).await;
        }
        browser.close().await;
    }

    async fn an_answer_that_was_lost_on_its_way_does_not_record_twice(world, line) {
        let browser = Browser::start(Kind::default()).await;
        ready(&browser, &format!("{}/f/news?kiosk=1", line.base)).await;
        // The signup arrives; its answer does not.
        browser.run(
            "const real = window.fetch; let lost = false; window.fetch = async (...all) => { const answer = await real(...all); \
             if (!lost) { lost = true; throw new TypeError('lost'); } return answer; };",
        ).await;
        sign(&browser, "vera@example.org").await;
        browser.wait_for_text("Waiting to be sent: 1").await;
        browser.run("window.dispatchEvent(new Event('online'))").await;
        browser.wait_for_text("Waiting to be sent: 0").await;
        assert_eq!(world.kinds("vera@example.org").await, ["signed_up"]);
        world.mail_to("vera@example.org").await;
        browser.close().await;
    }

    async fn what_the_server_refuses_stays_with_its_reason_until_the_staff_removes_it(world, line) {
        let browser = Browser::start(Kind::default()).await;
        ready(&browser, &format!("{}/f/news?kiosk=1&lang=en", line.base)).await;
        line.cut();
        sign(&browser, "info@example.org").await;
        browser.wait_for_text("Waiting to be sent: 1").await;
        browser.press("#next").await;
        line.mend();
        browser.press("#staff summary").await;
        browser.press("#send").await;
        browser.wait_for_text("Could not be recorded: 1").await;
        browser.wait_for_text("several people").await;
        browser.wait_for_text("Waiting to be sent: 0").await;
        browser.run("document.getElementById('refused').scrollIntoView({ block: 'end' })").await;
        browser.picture("booth-refused").await;
        assert!(!tells_of(&browser, "info@").await);
        let told = "const line = document.querySelector('#refused h2');";
        browser.run(&format!("{told} line.textContent = ''")).await;
        browser.press("#again").await;
        until(&browser, &format!("{told} return line.textContent === 'Could not be recorded: 1' && Boolean(line.offsetParent)")).await;
        browser.press("#remove").await;
        browser.wait_for_text("Press once more to remove them").await;
        assert_eq!(browser.run("return document.getElementById('refused').hidden").await, false, "one tap removes nothing");
        browser.press("#remove").await;
        until(&browser, "return document.getElementById('refused').hidden").await;
        assert_eq!(world.deliver().await.len(), 0);
        browser.close().await;
    }

    async fn a_tablet_whose_clock_was_reset_says_that_it_is_not_ready_and_loses_nothing(world, line) {
        let browser = Browser::start(Kind::default()).await;
        let url = format!("{}/f/news?kiosk=1&lang=en", line.base);
        ready(&browser, &url).await;
        line.cut();
        // Two months behind, from now on.
        browser.run("const Real = Date, back = 61 * 86400000; window.Date = class extends Real { \
             constructor(...all) { super(...(all.length ? all : [Real.now() - back])); } static now() { return Real.now() - back; } }; \
             document.getElementById('send').click()").await;
        sign(&browser, "vera@example.org").await;
        browser.wait_for_text("Waiting to be sent: 1").await;
        browser.press("#next").await;
        line.mend();
        browser.press("#staff summary").await;
        browser.press("#send").await;
        browser.wait_for_text("Waiting to be sent: 0").await;
        browser.wait_for_text("not ready for use without a connection").await;
        let story = world.story("vera@example.org").await;
        let Fact::SignedUp(signup) = &story[0].fact else { panic!("{story:?}") };
        let (entered, said) = (signup.entered_at.unwrap(), signup.clock_said.unwrap());
        assert!(story[0].at.since(entered).as_secs() < 120, "{entered}");
        assert_eq!(entered.since(said).as_secs().div_ceil(3_600) / 24, 61, "{said}");
        world.mail_to("vera@example.org").await;
        browser.close().await;
    }

    async fn an_entry_is_on_the_tablets_disk_before_it_is_sent(world, line) {
        let browser = Browser::start(Kind::default()).await;
        let url = format!("{}/f/news?kiosk=1&lang=en", line.base);
        ready(&browser, &url).await;
        // Nothing is answered; and then the tablet goes out.
        browser.run("window.fetch = () => new Promise(() => {})").await;
        browser.type_into(EMAIL, "vera@example.org").await;
        browser.press("#entry button.yes").await;
        let kept = "return new Promise(done => { const asked = indexedDB.open('countersign /f/news'); asked.onsuccess = () => { \
             const all = asked.result.transaction('entries').objectStore('entries').count(); all.onsuccess = () => done(all.result === 1) } })";
        until(&browser, kept).await;
        assert_eq!(world.deliver().await.len(), 0);
        browser.open(&url).await;
        browser.wait_for_text("Waiting to be sent: 0").await;
        let begun = Instant::now();
        while world.kinds("vera@example.org").await.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it is lost");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        world.mail_to("vera@example.org").await;
        browser.close().await;
    }

    async fn a_tablet_whose_clock_is_wrong_is_told_so(world, line) {
        let browser = Browser::start(Kind::default()).await;
        world.clock.step(-3_600_000_000);
        browser.open(&format!("{}/f/news?kiosk=1&lang=en", line.base)).await;
        browser.press("#staff summary").await;
        browser.wait_for_text("clock is wrong").await;
        browser.picture("booth-clock").await;
        browser.close().await;
    }

    async fn no_way_back_leads_to_the_person_before(world, line) {
        let browser = Browser::start(Kind::default()).await;
        let url = format!("{}/f/news?kiosk=1", line.base);
        let other = format!("{}/f/news/poster", line.base);
        browser.open(&other).await;
        ready(&browser, &url).await;
        // Half filled, and left by a swipe; then back.
        browser.type_into(EMAIL, "carla@example.org").await;
        browser.client.back().await.unwrap();
        browser.client.forward().await.unwrap();
        browser.find(EMAIL).await;
        assert!(!tells_of(&browser, "carla").await);
        sign(&browser, "vera@example.org").await;
        for _ in 0..2 {
            browser.client.back().await.unwrap();
            assert!(!tells_of(&browser, "vera").await);
            browser.client.forward().await.unwrap();
            browser.find(EMAIL).await;
            assert!(!tells_of(&browser, "vera").await);
        }
        browser.client.refresh().await.unwrap();
        browser.find(EMAIL).await;
        assert!(!tells_of(&browser, "vera").await && !tells_of(&browser, "carla").await);
        world.mail_to("vera@example.org").await;
        assert_eq!(files_with(&browser.profile.0, "carla@"), Vec::<String>::new());
        browser.close().await;
    }

    async fn who_goes_away_is_warned_and_then_forgotten_and_can_put_it_off(world, line) {
        let browser = Browser::start(Kind::default()).await;
        ready(&browser, &format!("{}/f/news?kiosk=1", line.base)).await;
        browser.type_into(EMAIL, "vera@example.org").await;
        browser.press("input[value=events]").await;
        later(&browser, 65).await;
        browser.wait_for_text("Still there?").await;
        browser.picture("booth-idle").await;
        browser.press("#stay").await;
        until(&browser, "return document.getElementById('idle').hidden").await;
        assert!(tells_of(&browser, "vera").await, "put off");
        later(&browser, 70).await;
        browser.wait_for_text("Still there?").await;
        later(&browser, 15).await;
        until(&browser, "return document.querySelector('#entry input').value === ''").await;
        assert!(!tells_of(&browser, "vera").await);
        assert_eq!(browser.run("return document.querySelector('input[value=events]').checked").await, false);
        browser.close().await;
    }

    async fn a_mistake_is_told_beside_its_field_and_can_be_mended(world, line) {
        let browser = Browser::start(Kind::default()).await;
        ready(&browser, &format!("{}/f/news?kiosk=1", line.base)).await;
        browser.type_into(EMAIL, "vera").await;
        browser.press("#entry button.yes").await;
        browser.wait_for_text("no @ sign").await;
        browser.picture("booth-mistake").await;
        assert_eq!(browser.run("return document.activeElement.name").await, "email");
        browser.type_into(EMAIL, "@example.org").await;
        browser.press("#entry button.yes").await;
        until(&browser, "return !document.getElementById('thanks').hidden").await;
        browser.press("#next").await;
        // What only the server knows.
        browser.type_into(EMAIL, "info@example.org").await;
        browser.press("#entry button.yes").await;
        browser.wait_for_text("several people").await;
        assert_eq!(world.deliver().await.len(), 1);
        browser.close().await;
    }

    async fn with_scripts_off_the_post_works_and_the_way_back_is_empty(world, line) {
        let browser = Browser::start(Kind { scripts_off: true, ..Kind::default() }).await;
        browser.open(&format!("{}/f/news?kiosk=1&lang=en", line.base)).await;
        browser.type_into(EMAIL, "vera@example.org").await;
        world.advance(5);
        browser.press("#entry button.yes").await;
        browser.wait_for_text("Look at your inbox").await;
        browser.picture("booth-no-scripts").await;
        assert!(!tells_of(&browser, "vera").await);
        until(&browser, "return document.querySelector('img.trap').complete").await;
        browser.client.back().await.unwrap();
        browser.find(EMAIL).await;
        assert!(!tells_of(&browser, "vera").await, "the page before");
        browser.client.forward().await.unwrap();
        browser.press("main a.yes").await;
        browser.find(EMAIL).await;
        assert!(!tells_of(&browser, "vera").await);
        world.mail_to("vera@example.org").await;
        browser.close().await;
    }

    async fn on_phone_and_tablet_nothing_scrolls_sideways_and_every_target_can_be_hit(world, line) {
        let small = "const low = [...document.querySelectorAll('button, summary, select, nav a, input:not([type=hidden]):not([type=checkbox])')] \
             .filter(e => e.offsetParent && !e.closest('[aria-hidden=true]')).filter(e => e.getBoundingClientRect().height < 43.5) \
             .map(e => e.outerHTML.slice(0, 80)); \
             return [document.documentElement.scrollWidth - innerWidth, low.join('; '), \
             [...document.querySelectorAll('a')].filter(a => !a.getAttribute('href').startsWith('/f/news?kiosk=1')).length]";
        for width in [360, 768, 1024] {
            let browser = Browser::start(Kind { phone: Some(width), dark: width == 768, ..Kind::default() }).await;
            ready(&browser, &format!("{}/f/news?kiosk=1&lang=de", line.base)).await;
            let fits = async |name: &str| {
                browser.picture(&format!("booth-{name}-{width}")).await;
                let found = browser.run(small).await;
                assert_eq!((found[0].as_i64().unwrap().max(0), found[1].as_str().unwrap(), found[2].as_i64().unwrap()), (0, "", 0), "{name} {width}");
            };
            fits("form").await;
            browser.press("#staff summary").await;
            fits("staff").await;
            sign(&browser, &format!("p{width}@example.org")).await;
            fits("thanks").await;
            browser.close().await;
        }
        world.deliver().await;
    }

    async fn the_keyboard_alone_signs_and_leads_to_the_next_person(world, line) {
        let browser = Browser::start(Kind::default()).await;
        ready(&browser, &format!("{}/f/news?kiosk=1", line.base)).await;
        let tab_to = async |css: &str| {
            let there = format!("return document.activeElement.matches('{css}')");
            for _ in 0..20 {
                if browser.run(&there).await == true {
                    return;
                }
                browser.client.active_element().await.unwrap().send_keys("\u{E004}").await.unwrap();
            }
            panic!("no way to {css}");
        };
        let type_there = async |keys: &str| browser.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
        tab_to("[name=email]").await;
        type_there("vera@example.org").await;
        tab_to("#entry button").await;
        type_there("\u{E007}").await;
        until(&browser, "return document.activeElement.matches('#thanks h1')").await;
        tab_to("#next").await;
        type_there("\u{E007}").await;
        until(&browser, "return document.activeElement.matches('#entry h1')").await;
        tab_to("[name=email]").await;
        world.mail_to("vera@example.org").await;
        browser.close().await;
    }

    async fn the_next_person_finds_the_language_that_the_tablet_was_set_up_in(world, line) {
        let browser = Browser::start(Kind::default()).await;
        ready(&browser, &format!("{}/f/news?kiosk=1&lang=de", line.base)).await;
        browser.press("nav a[hreflang=fr]").await;
        until(&browser, "return document.documentElement.lang === 'fr'").await;
        ready(&browser, browser.client.current_url().await.unwrap().as_ref()).await;
        sign(&browser, "vera@example.org").await;
        browser.press("#next").await;
        until(&browser, "return document.documentElement.lang === 'de'").await;
        let mail = world.mail_to("vera@example.org").await;
        assert!(mail.0.html.contains("lang=\"fr\""));
        browser.close().await;
    }
}
