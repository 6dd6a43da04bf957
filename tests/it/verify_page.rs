//! static/verify.html in Chromium, opened from disk: the verdict on good and broken bundles, changed bytes, and its looks.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::ledger::archive::{self, Files};
use countersign::store::Engine;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use serde_json::{Value, json};

use crate::bundle;
use crate::chromium::driver::{self, Browser, Kind};
use crate::evidence::invited::invited;
use crate::harness::Folder;
use crate::samples::{Sample, Samples, Trust};

const PATIENCE: Duration = Duration::from_secs(30);

fn page() -> String {
    format!("file://{}/static/verify.html", env!("CARGO_MANIFEST_DIR"))
}

/// Fills the optional fields, empties the last answer, and chooses the file as a person does.
async fn check(browser: &Browser, samples: &Samples, name: &str, trust: &Trust) -> Value {
    let prepare = "for (const [field, value] of Object.entries(arguments[0])) document.getElementById(field).value = value; \
         const result = document.getElementById('result'); result.replaceChildren(); result.hidden = true; \
         document.getElementById('file').value = ''";
    let fields = json!({ "key": trust.key, "roots": trust.roots, "witnesses": trust.witnesses });
    browser.client.execute(prepare, vec![fields]).await.unwrap();
    let path = samples.path(name);
    let file = browser.find("#file").await;
    file.send_keys(path.to_str().unwrap()).await.unwrap();
    answer(browser, name).await
}

/// A bundle of a whole server as its reader has it: `bundle.zip`, and its files unpacked beside it.
async fn unpacked() -> (Folder, Files) {
    let (world, bytes, _) = bundle::stamped(Engine::Sqlite).await;
    world.end().await;
    let (files, _) = archive::read(&bytes).unwrap();
    let folder = Folder::new();
    std::fs::write(folder.0.join("bundle.zip"), bytes).unwrap();
    for (name, content) in &files {
        let path = folder.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    (folder, files)
}

/// `[headline, step and file, reason]` of the verdict once it is there.
async fn answer(browser: &Browser, name: &str) -> Value {
    answer_within(browser, name, PATIENCE).await
}

async fn answer_within(browser: &Browser, name: &str, patience: Duration) -> Value {
    // The page waits by itself: asked from outside every moment, the browser would be busy with answering.
    let read = "const [patience] = arguments, done = arguments[1], end = Date.now() + patience; \
         const text = css => document.querySelector(css)?.textContent ?? ''; \
         const look = () => { \
           if (!document.getElementById('result').hidden) \
             done([text('#verdict'), text('.where'), text('.where code'), text('.wrong p + p')]); \
           else if (Date.now() >= end) done(null); else setTimeout(look, 4) }; look()";
    let patience = vec![json!(patience.as_millis() as u64)];
    let found = browser.client.execute_async(read, patience).await.unwrap();
    assert!(!found.is_null(), "{name}: no answer");
    found
}

fn assert_is_right(sample: &Sample, answer: &Value) {
    let (name, about) = (&sample.name, &sample.about);
    let text = |i: usize| answer[i].as_str().unwrap();
    if sample.step == 0 {
        assert_eq!(text(0), "This bundle holds", "{name} ({about}): {answer}");
        return;
    }
    assert_eq!(text(0), "This bundle does not hold", "{name} ({about})");
    let step = text(1).strip_prefix("Step ").unwrap();
    let step = step.split(' ').next().unwrap().parse().unwrap();
    assert!(
        sample.is_answered_by(step, text(2)),
        "{name} ({about}): {answer}"
    );
    assert!(text(3).len() > 10, "{name}: a reason is given");
}

/// The key itself: keys sent to a file field would be taken for a path.
async fn press_tab(browser: &Browser) {
    let key = KeyActions::new("keyboard".to_owned())
        .then(KeyAction::Down { value: '\u{E004}' })
        .then(KeyAction::Up { value: '\u{E004}' });
    browser.client.perform_actions(key).await.unwrap();
}

/// Runs `script`, which answers a promise, over positions `from..to` until all `length` are done; gives what it found.
async fn sweep(
    browser: &Browser,
    script: &str,
    bytes: &[u8],
    length: usize,
    step: usize,
) -> Vec<Value> {
    let wrapped = format!(
        "const done = arguments[arguments.length - 1]; const [text, from, to] = arguments; \
         const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)); \
         (async () => {{ const found = []; {script}; return found }})().then(done, error => done([String(error)]))"
    );
    let text = STANDARD.encode(bytes);
    let mut found = Vec::new();
    for from in (0..length).step_by(step) {
        let to = (from + step).min(length);
        let arguments = vec![json!(text), json!(from), json!(to)];
        let some = browser
            .client
            .execute_async(&wrapped, arguments)
            .await
            .unwrap();
        found.extend(some.as_array().unwrap().iter().cloned());
    }
    found
}

macro_rules! on_the_page {
    ($($(#[$meta:meta])* async fn $name:ident($browser:ident, $samples:ident, $kind:expr) $body:block)+) => {$(
        $(#[$meta])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            if driver::is_left_out() {
                return;
            }
            let $samples = Samples::get();
            let $browser = Browser::start($kind).await;
            $browser.open(&page()).await;
            $body
            $browser.close().await;
        }
    )+};
}

on_the_page! {
    async fn every_good_bundle_holds_and_every_broken_one_is_refused_by_step_and_file(browser, samples, Kind::default()) {
        for sample in &samples.list {
            let answer = check(&browser, &samples, &sample.name, &sample.trust).await;
            assert_is_right(sample, &answer);
        }
    }

    async fn a_bundle_of_more_than_a_thousand_events_holds_in_the_browser_too_which_shows_it_in_parts(browser, _samples, Kind::default()) {
        let (world, bytes, _) = bundle::large(Engine::Sqlite, 1_200).await;
        world.end().await;
        let folder = Folder::new();
        let path = folder.0.join("large.zip");
        std::fs::write(&path, bytes).unwrap();
        browser.find("#file").await.send_keys(path.to_str().unwrap()).await.unwrap();
        // It hashes thousands of times, each time by way of the browser's own task.
        let answer = answer_within(&browser, "large", PATIENCE * 4).await;
        assert_eq!(answer[0], "This bundle holds", "{answer}");
        // The story is shown in parts.
        let shown = "return [document.querySelectorAll('.story > li').length, document.querySelector('button.more').textContent]";
        assert_eq!(browser.run(shown).await, json!([500, "Show 500 of 704 further events"]));
        browser.run("document.querySelector('button.more').click(); return null").await;
        let count = "return document.querySelectorAll('.story > li').length";
        assert_eq!(browser.run(count).await, json!(1_000));
    }

    async fn one_changed_bit_anywhere_in_a_bundle_is_refused(browser, samples, Kind::default()) {
        let bytes = std::fs::read(samples.path("good")).unwrap();
        let script = "for (let i = from; i < to; i++) { const bit = 1 << i % 8; \
                bytes[i] ^= bit; if ((await checkBundle(bytes)).holds) found.push(i); bytes[i] ^= bit; } \
             if (!(await checkBundle(bytes)).holds) found.push('unchanged')";
        let found = sweep(&browser, script, &bytes, bytes.len(), 4096).await;
        assert!(found.is_empty(), "{found:?}");
    }

    /// Behind the container: the archive is packed anew around each change, so that only signatures and hashes can tell.
    async fn one_changed_byte_in_any_file_is_refused_when_all_is_packed_anew_around_it(browser, samples, Kind::default()) {
        let bytes = std::fs::read(samples.path("good-stored-again")).unwrap();
        let script = "const view = new DataView(bytes.buffer); \
             const crc = part => { let c = -1; for (const byte of part) { c ^= byte; for (let k = 0; k < 8; k++) c = c & 1 ? c >>> 1 ^ 0xedb88320 : c >>> 1; } return ~c >>> 0; }; \
             let at = view.getUint32(bytes.length - 6, true), place = 0; \
             while (view.getUint32(at, true) === 0x02014b50) { \
                const size = view.getUint32(at + 24, true), start = view.getUint32(at + 42, true), names = view.getUint16(at + 28, true); \
                const data = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true); \
                for (let i = data; i < data + size; i++, place++) { \
                    if (place < from || place >= to) continue; \
                    bytes[i] ^= 1; view.setUint32(at + 16, crc(bytes.subarray(data, data + size)), true); \
                    const { holds, step } = await checkBundle(bytes); if (holds || step < 2) found.push([i, step ?? 0]); bytes[i] ^= 1; } \
                view.setUint32(at + 16, crc(bytes.subarray(data, data + size)), true); \
                at += 46 + names + view.getUint16(at + 30, true) + view.getUint16(at + 32, true); } \
             if (!(await checkBundle(bytes)).holds || place < 5000) found.push(['unchanged', place])";
        let found = sweep(&browser, script, &bytes, bytes.len(), 1024).await;
        assert!(found.is_empty(), "{found:?}");
    }

    async fn the_page_can_send_nothing_even_if_something_in_it_tried(browser, samples, Kind::default()) {
        check(&browser, &samples, "good", &Trust::default()).await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let script = "const done = arguments[arguments.length - 1], url = arguments[0]; const frame = document.createElement('iframe'); \
             frame.src = url; const image = new Image(); image.src = url; const form = document.createElement('form'); form.action = url; \
             form.target = '_blank'; const script = document.createElement('link'); script.rel = 'stylesheet'; script.href = url; \
             document.body.append(frame, image, form, script); form.submit(); navigator.sendBeacon(url, 'x'); \
             let markup = 'refused'; try { document.body.innerHTML = '<b>x</b>'; markup = 'taken'; } catch {} \
             try { new WebSocket(url.replace('http', 'ws')); } catch {} \
             fetch(url, { mode: 'no-cors' }).then(() => 'sent', () => 'refused').then(fetched => setTimeout(() => done([fetched, markup]), 500))";
        let said = browser.client.execute_async(script, vec![json!(url)]).await.unwrap();
        assert_eq!(said, json!(["refused", "refused"]));
        // For a frame or a form Chromium opens a connection before it looks at the policy; nothing may be said on it.
        while let Ok((mut connection, _)) = listener.accept() {
            connection.set_nonblocking(true).unwrap();
            let mut heard = [0; 64];
            assert!(!matches!(connection.read(&mut heard), Ok(1..)), "{heard:?}");
        }
    }

    async fn a_bundle_that_is_dropped_on_the_page_is_checked(browser, samples, Kind::default()) {
        let bytes = std::fs::read(samples.path("good-small")).unwrap();
        let script = "const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0)); const dataTransfer = new DataTransfer(); \
             dataTransfer.items.add(new File([bytes], 'dropped.zip')); \
             document.querySelector('h1').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))";
        browser.client.execute(script, vec![json!(STANDARD.encode(bytes))]).await.unwrap();
        assert_eq!(answer(&browser, "dropped").await[0], "This bundle holds");
        browser.wait_for_text("dropped.zip, ").await;
    }

    async fn markup_in_a_bundle_stays_text(browser, samples, Kind::default()) {
        let answer = check(&browser, &samples, "good-markup", &Trust::default()).await;
        assert_eq!(answer[0], "This bundle holds");
        let seen = browser.run(
            "const result = document.getElementById('result'); \
             return [result.querySelectorAll('img, script').length, result.textContent.split('<img src=x').length > 5, document.title]",
        ).await;
        assert_eq!(seen, json!([0, true, "Holds: good-markup.zip"]));
    }

    async fn the_story_tells_from_where_an_event_came_or_that_it_is_not_disclosed(browser, samples, Kind::default()) {
        let read = "return [...document.querySelectorAll('.story > li')].map(li => [...li.querySelectorAll('dt')].find(dt => dt.textContent === 'Came from')?.nextSibling.textContent ?? null)";
        check(&browser, &samples, "good-removed-some", &Trust::default()).await;
        let told = browser.run(read).await;
        let told: Vec<Option<&str>> = told.as_array().unwrap().iter().map(Value::as_str).collect();
        let [hidden, mail, nothing, seen] = told[..4] else { panic!("{told:?}") };
        assert!(hidden.unwrap().starts_with("Not disclosed: "), "{told:?}");
        assert_eq!(mail, None);
        assert_eq!(nothing, Some("A network address and browser that were not noted; circumstances/0003.json has the hash that the record names"));
        assert_eq!(seen, Some("192.0.2.7, with the browser “Söme Browser/1 🦊”; circumstances/0004.json has the hash that the record names"));
        check(&browser, &samples, "good-proxy", &Trust::default()).await;
        let told = browser.run(read).await;
        assert!(told[2].as_str().unwrap().starts_with("2001:db8::7, through 10.0.0.9, with the browser “A \"Browser\""), "{told}");
    }

    async fn what_is_no_fault_and_yet_worth_knowing_stands_in_a_part_of_its_own(browser, samples, Kind::default()) {
        for (name, told) in [
            ("good-clock-set-back", "events/0002.json stands before events/0003.json in the log and says a later time"),
            ("good-reply-lost", "No mail server said that it took the mail which events/0002.json answers"),
            ("good-clock-ahead", "the server's clock was ahead, for it signed that checkpoint at"),
            ("good-clock-behind", "The clock was off by 20 minutes at events/0004.json, as it says itself"),
        ] {
            check(&browser, &samples, name, &Trust::default()).await;
            let text = browser.run("return document.getElementById('remarks').textContent").await;
            assert!(text.as_str().unwrap().contains(told), "{name}: {text}");
        }
        check(&browser, &samples, "good", &Trust::default()).await;
        assert_eq!(browser.run("return document.getElementById('remarks')").await, Value::Null);
    }

    async fn a_malformed_key_is_told_beside_its_field_and_a_good_one_leaves_nothing_of_it_on_trust(browser, samples, Kind::default()) {
        let file = browser.find("#file").await;
        file.send_keys(samples.path("good").to_str().unwrap()).await.unwrap();
        answer(&browser, "good").await;
        browser.wait_for_text("That the log's key belongs to who you think").await;
        browser.press("#known summary").await;
        browser.type_into("#key", "log.acme.example+1234").await;
        browser.press("form button").await;
        browser.wait_for_text("It is not a verifier key").await;
        let seen = browser.run("return [document.activeElement.id, document.getElementById('key').hasAttribute('aria-invalid')]").await;
        assert_eq!(seen, json!(["key", true]));
        let pinned = samples.list.iter().find(|sample| sample.name == "good-pinned").unwrap();
        let answer = check(&browser, &samples, "good", &pinned.trust).await;
        assert_eq!(answer[0], "This bundle holds");
        let trust = browser.run("return document.getElementById('trust').textContent").await;
        let trust = trust.as_str().unwrap();
        assert!(!trust.contains("key") && !trust.contains("root certificate"), "{trust}");
        assert!(trust.contains("truly happened"), "{trust}");
    }

    async fn the_keyboard_reaches_everything_with_the_focus_in_sight_and_the_verdict_takes_it(browser, samples, Kind::default()) {
        let mut reached = Vec::new();
        for _ in 0..4 {
            press_tab(&browser).await;
            let seen = browser.run(
                "const e = document.activeElement, s = getComputedStyle(e); return [e.id || e.tagName, s.outlineStyle !== 'none']",
            ).await;
            assert_eq!(seen[1], true, "{seen}");
            reached.push(seen[0].as_str().unwrap().to_owned());
        }
        assert_eq!(reached, ["file", "SUMMARY", "BUTTON", "SUMMARY"]);
        check(&browser, &samples, "good", &Trust::default()).await;
        assert_eq!(browser.run("return document.activeElement.id").await, "verdict");
    }

    async fn on_a_phone_nothing_scrolls_sideways_and_every_target_can_be_hit(browser, samples, Kind { phone: Some(360), ..Kind::default() }) {
        for name in ["good", "form-changed"] {
            check(&browser, &samples, name, &Trust::default()).await;
            browser.run("document.querySelectorAll('details').forEach(one => one.open = true)").await;
            browser.picture(&format!("verify-{name}-phone")).await;
            let seen = browser.run(
                "const low = [...document.querySelectorAll('button, summary, input, textarea')].filter(e => e.getBoundingClientRect().height < 43.5); \
                 return [Math.max(0, document.documentElement.scrollWidth - 360), low.map(e => e.outerHTML.slice(0, 80)).join()]",
            ).await;
            assert_eq!(seen, json!([0, ""]), "{name}");
        }
    }

    async fn the_server_gives_the_same_page_under_a_policy_that_lets_it_work(browser, samples, Kind::default()) {
        let world = crate::harness::World::on(countersign::store::Engine::Sqlite).await;
        browser.open(&format!("{}/verify", world.base)).await;
        for name in ["good", "form-changed"] {
            let sample = samples.list.iter().find(|sample| sample.name == name).unwrap();
            assert_is_right(sample, &check(&browser, &samples, name, &Trust::default()).await);
        }
        world.finish().await;
    }

    async fn words_stand_out_in_light(browser, samples, Kind::default()) {
        assert_contrast(&browser, &samples).await;
    }

    async fn words_stand_out_in_dark(browser, samples, Kind { dark: true, ..Kind::default() }) {
        assert_contrast(&browser, &samples).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_of_the_server_holds_on_the_page_that_it_brings_with_it() {
    if driver::is_left_out() {
        return;
    }
    let (folder, _) = unpacked().await;
    let browser = Browser::start(Kind::default()).await;
    let url = format!("file://{}/verify.html", folder.0.display());
    browser.open(&url).await;
    let file = browser.find("#file").await;
    let zip = folder.0.join("bundle.zip");
    file.send_keys(zip.to_str().unwrap()).await.unwrap();
    let answer = answer(&browser, "bundle.zip").await;
    assert_eq!(answer[0], "This bundle holds", "{answer}");
    let seen = browser
        .run(
            "const text = document.getElementById('result').textContent; \
             return [document.querySelectorAll('.steps li:not(.later)').length, text.includes('2 time stamps by an authority'), \
                text.includes('203.0.113.1, through 127.0.0.1; circumstances/0004.json has the hash that the record names')]",
        )
        .await;
    assert_eq!(seen, json!([11, true, true]));
    browser.picture("verify-of-the-server").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_tells_of_somebody_whom_an_import_named_and_a_campaign_asked() {
    if driver::is_left_out() {
        return;
    }
    let (world, bytes, _) = invited(Engine::Sqlite).await;
    world.end().await;
    let folder = Folder::new();
    let zip = folder.0.join("bundle.zip");
    std::fs::write(&zip, bytes).unwrap();
    let browser = Browser::start(Kind::default()).await;
    browser.open(&page()).await;
    let file = browser.find("#file").await;
    file.send_keys(zip.to_str().unwrap()).await.unwrap();
    let answer = answer(&browser, "bundle.zip").await;
    assert_eq!(answer[0], "This bundle holds", "{answer}");
    let read = "return [[...document.querySelectorAll('.story h3')].map(one => one.textContent), \
         [...document.querySelectorAll('.story > li:last-child dt')].map(one => one.textContent)]";
    let seen = browser.run(read).await;
    let headings = [
        "Imported for “newsletter”",
        "Asked by campaign to confirm “newsletter”",
        "The mail server took the mail",
        "Reminded by campaign to confirm “newsletter”",
        "The mail server took the mail",
        "A link from the mail was opened",
        "Confirmed “newsletter”",
    ];
    let rows = ["Record", "Time", "Came from", "Invitation", "Mail"];
    assert_eq!(seen, json!([headings, rows]));
    browser.picture("verify-of-invited").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_opens_from_disk_asks_for_nothing_and_fits_a_desk_and_a_phone() {
    if driver::is_left_out() {
        return;
    }
    let (folder, files) = unpacked().await;
    for (phone, width) in [(None, 1280), (Some(390), 390)] {
        let kind = Kind {
            phone,
            ..Kind::default()
        };
        let browser = Browser::start(kind).await;
        if phone.is_none() {
            browser.client.set_window_size(width, 900).await.unwrap();
        }
        let url = format!("file://{}/report.html", folder.0.display());
        browser.open(&url).await;
        let seen = browser
            .run(
                "return [document.readyState, document.title, performance.getEntriesByType('resource').map(one => one.name), innerWidth, \
                    Math.max(0, document.documentElement.scrollWidth - innerWidth), \
                    document.querySelectorAll('[src], [srcset], link, object, embed').length]",
            )
            .await;
        let title = "Proof of consent: ada@example.org and Acme Letters";
        assert_eq!(seen, json!(["complete", title, [], width, 0, 0]));
        let links = browser
            .run(
                "return [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))",
            )
            .await;
        let links = links.as_array().unwrap();
        for link in links.iter().map(|link| link.as_str().unwrap()) {
            assert!(files.contains_key(link), "{link} is not in the bundle");
        }
        assert!(links.len() > 8, "{links:?}");
        browser.picture(&format!("report-{width}")).await;
        let pages = papers(&browser.printed().await);
        assert!(pages.len() > 1, "{pages:?}");
        // A4 in points.
        for (width, height) in pages {
            assert!(
                (width - 595.3).abs() < 1.0 && (height - 841.9).abs() < 1.0,
                "{width} x {height}"
            );
        }
        browser.close().await;
    }
}

/// Width and height of each page of a PDF, in points.
fn papers(pdf: &[u8]) -> Vec<(f64, f64)> {
    let text = String::from_utf8_lossy(pdf);
    let boxes = text.split("/MediaBox [0 0 ").skip(1);
    let sizes = boxes.map(|rest| {
        let (width, rest) = rest.split_once(' ').unwrap();
        let height = rest.split(']').next().unwrap();
        (width.parse().unwrap(), height.parse().unwrap())
    });
    sizes.collect()
}

/// WCAG 2.2, success criterion 1.4.3: every word against what lies behind it, at least 4.5 to 1.
async fn assert_contrast(browser: &Browser, samples: &Samples) {
    let script = "const rgb = color => color.match(/[\\d.]+/g).map(Number); \
         const light = color => { const [r, g, b] = rgb(color).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
         const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if ((rgb(c)[3] ?? 1) > 0) return c; } return 'rgb(255, 255, 255)'; }; \
         const faint = [], seen = [...document.querySelectorAll('body *')].filter(e => !e.closest('script, template') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())); \
         for (const e of seen) { const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x); \
            if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(e.outerHTML.slice(0, 80)); } return [seen.length > 60, faint.join('; ')]";
    for name in ["good", "token-signature"] {
        check(browser, samples, name, &Trust::default()).await;
        browser.picture(&format!("verify-{name}")).await;
        let seen = browser.run(script).await;
        assert_eq!(seen[1], "", "{name}");
        assert!(name != "good" || seen[0] == true, "{seen}");
    }
}

#[test]
fn the_page_is_what_its_sources_give_and_small_enough_for_every_bundle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let page = std::fs::read(root.join("verify.html")).unwrap();
    assert!(page.len() < 700_000, "{}", page.len());
    if std::env::var("COUNTERSIGN_TEST_QUICK").is_ok() {
        eprintln!("left out in the quick check: assembling the page, which needs Python");
        return;
    }
    let done = Command::new("/usr/bin/python3")
        .arg(root.join("verify/assemble"))
        .arg("--check")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
}
