//! Bringing a list and asking people, in a real browser: with scripts and without, on a phone, by keyboard alone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign::app::App;
use countersign::domain::policy::Source;
use countersign::store::Engine;

use super::axe::axe;
use super::driver::{self, Browser, ENTER, Kind};
use crate::harness::{Folder, World};
use crate::import::storing::List;
use crate::jobs::work;

/// Does in the background what `serve` does, until the test ends.
fn in_background(app: &Arc<App>) -> tokio::task::JoinHandle<()> {
    let app = app.clone();
    tokio::spawn(async move {
        loop {
            work(&app).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}

async fn sign_in(world: &World, browser: &Browser) {
    crate::harness::add_owner(&world.app).await;
    browser.sign_in(&world.base).await;
    browser.wait_for_text("Overview").await;
}

fn list(rows: usize) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let path = folder.0.join("customers.csv");
    let mut text = "E-mail;First name;Last name;Order;Order date;Remarks\n".to_owned();
    for number in 0..rows {
        text.push_str(&format!(
            "person{number}@example.org;Anna;de Vries;10{number};2026-09-1{};\n",
            number % 10
        ));
    }
    text.push_str("info@example.org;;;2001;2026-09-01;\nnobody;;;2002;2026-09-01;typed by hand\nold@example.org;Bo;;2003;2019-01-01;\n");
    std::fs::write(&path, text).unwrap();
    for (name, content) in PAPERS {
        std::fs::write(folder.0.join(name), content).unwrap();
    }
    (folder, path)
}

/// Files of proof beside the list.
const PAPERS: [(&str, &str); 4] = [
    ("order form, signed at the fair in Utrecht.pdf", "an order"),
    ("empty.pdf", ""),
    ("scan-1.png", "a scan"),
    ("scan-2.png", "another scan"),
];

/// Nothing scrolls sideways, and every target can be hit.
async fn fits(browser: &Browser, name: &str) {
    browser.picture(name).await;
    // Without scripts nothing can be measured; the same pages are measured with them.
    if name.ends_with("-bare") {
        return;
    }
    let found = browser
        .run(
            "const low = [...document.querySelectorAll('button, summary, select, input:not([type=hidden]):not([type=checkbox]):not([type=radio])')] \
             .filter(e => e.offsetParent).filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 80)); \
             return [document.documentElement.scrollWidth - document.documentElement.clientWidth, low.join('; ')]",
        )
        .await;
    assert_eq!(
        (
            found[0].as_i64().unwrap().max(0),
            found[1].as_str().unwrap()
        ),
        (0, ""),
        "{name}"
    );
}

/// Adds a paper that holds for all rows and files that rows name, one that is empty by mistake, and takes one away again.
async fn add_papers(browser: &Browser, folder: &std::path::Path, kind: &str) {
    let path = |at: usize| folder.join(PAPERS[at].0).to_str().unwrap().to_owned();
    let checked = async |name: &str| {
        for (at, part) in ["paper", "named"].iter().enumerate() {
            let css = format!("fieldset:has(#{part})");
            browser.picture_of(&css, &format!("{name}-{at}")).await;
        }
        fits(browser, &format!("{name}-top")).await;
        if kind != "bare" {
            axe(browser).await;
        }
    };
    checked(&format!("papers-none-{kind}")).await;
    browser.type_into("#paper", &path(0)).await;
    browser.press("#paper ~ p button").await;
    browser.wait_for_text(PAPERS[0].0).await;
    let both = format!("{}\n{}", path(2), path(3));
    browser.type_into("#named", &both).await;
    browser.press("#named ~ p button").await;
    browser.wait_for_text("2 files, 18 bytes").await;
    browser.type_into("#paper", &path(1)).await;
    browser.press("#paper ~ p button").await;
    browser.wait_for_text("“empty.pdf” was not taken").await;
    checked(&format!("papers-refused-{kind}")).await;
    browser.press("form details summary").await;
    checked(&format!("papers-{kind}")).await;
    browser.press("details ul.papers button").await;
    browser.wait_for_text("1 file, 12 bytes").await;
    // The enter key in a field keeps what was said, and takes nothing away.
    browser
        .type_into("#obtained_on", &format!("2026-09-01{ENTER}"))
        .await;
    browser.find("#obtained_on[value='2026-09-01']").await;
    browser.wait_for_text("1 file, 12 bytes").await;
    browser.wait_for_text(PAPERS[0].0).await;
}

/// From the first step to the report, by pressing buttons.
async fn bring(world: &World, browser: &Browser, path: &std::path::Path, kind: &str) {
    let scripts_off = kind == "bare";
    browser.open(&format!("{}/admin/imports", world.base)).await;
    fits(browser, &format!("imports-empty-{kind}")).await;
    browser.press("a.button").await;
    browser.wait_for_text("For which purpose").await;
    fits(browser, &format!("import-file-{kind}")).await;
    browser
        .type_into("input[type=file]", path.to_str().unwrap())
        .await;
    browser.press("form[enctype] button").await;
    browser.wait_for_text("Read as").await;
    fits(browser, &format!("import-columns-{kind}")).await;
    browser
        .press("select[name=c5] option[value='file.order']")
        .await;
    browser.press("button[value=next]").await;
    browser.wait_for_text("How did these addresses come").await;
    fits(browser, &format!("import-source-empty-{kind}")).await;
    browser
        .press("select[name=source] option[value=purchase]")
        .await;
    browser.press("form.choose button").await;
    browser.wait_for_text("Proof for all rows").await;
    add_papers(browser, path.parent().unwrap(), kind).await;
    browser.press("button[value=show]").await;
    browser.wait_for_text("The first row of this list").await;
    fits(browser, &format!("import-source-{kind}")).await;
    browser.press("button[value=try]").await;
    if scripts_off {
        // Without scripts somebody looks again.
        let shown = async || {
            browser
                .client
                .find(fantoccini::Locator::Css("input[name=name]"))
                .await
                .is_ok()
        };
        while !shown().await {
            browser.client.refresh().await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    browser.wait_for_text("Start the import").await;
    fits(browser, &format!("import-trial-{kind}")).await;
    browser.press("form.sheet button").await;
    browser.wait_for_text("Take the import back").await;
    browser.picture(&format!("import-begun-{kind}")).await;
    if scripts_off {
        while browser.client.source().await.unwrap().contains("data-live") {
            tokio::time::sleep(Duration::from_millis(200)).await;
            browser.client.refresh().await.unwrap();
        }
    }
    browser.wait_for_text("Report, a line for each row").await;
    fits(browser, &format!("import-done-{kind}")).await;
    browser.press("details.danger summary").await;
    fits(browser, &format!("import-take-back-{kind}")).await;
    browser.press("main a[href$='/rows']").await;
    browser.wait_for_text("person1@example.org").await;
    fits(browser, &format!("import-rows-{kind}")).await;
    if !scripts_off {
        axe(browser).await;
    }
    browser
        .press("select[name=verdict] option[value=refuse]")
        .await;
    browser.press("form[role=search] button").await;
    browser.wait_for_text("No row here is so").await;
    fits(browser, &format!("import-rows-none-{kind}")).await;
    browser.open(&format!("{}/admin/imports", world.base)).await;
    fits(browser, &format!("imports-{kind}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_brought_on_a_desk_and_its_pages_turn_by_themselves() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let browser = Browser::start(Kind::default()).await;
    sign_in(&world, &browser).await;
    let background = in_background(&world.app);
    let (_folder, path) = list(1_500);
    bring(&world, &browser, &path, "desk").await;
    background.abort();
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_brought_on_a_phone_in_the_dark() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let kind = Kind {
        phone: Some(390),
        dark: true,
        ..Kind::default()
    };
    let browser = Browser::start(kind).await;
    sign_in(&world, &browser).await;
    let background = in_background(&world.app);
    let (_folder, path) = list(40);
    bring(&world, &browser, &path, "phone").await;
    background.abort();
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_brought_with_scripts_off() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let browser = Browser::start(Kind {
        scripts_off: true,
        ..Kind::default()
    })
    .await;
    sign_in(&world, &browser).await;
    let background = in_background(&world.app);
    let (_folder, path) = list(40);
    bring(&world, &browser, &path, "bare").await;
    background.abort();
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_brought_by_keyboard_alone() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let browser = Browser::start(Kind::default()).await;
    sign_in(&world, &browser).await;
    let background = in_background(&world.app);
    let (_folder, path) = list(20);
    browser.open(&format!("{}/admin/imports", world.base)).await;
    browser.tab_to("main a.button").await;
    browser.keys(ENTER).await;
    browser.wait_for_text("For which purpose").await;
    browser.tab_to("input[type=file]").await;
    // What the browser's own dialogue would give.
    browser.keys(path.to_str().unwrap()).await;
    browser.tab_to("form[enctype] button").await;
    browser.keys(ENTER).await;
    browser.wait_for_text("Read as").await;
    browser.tab_to("button[value=next]").await;
    browser.keys(ENTER).await;
    browser.wait_for_text("How did these addresses come").await;
    browser.tab_to("select[name=source]").await;
    browser.keys("The person bought").await;
    browser.tab_to("form.choose button").await;
    browser.keys(ENTER).await;
    browser.wait_for_text("Proof for all rows").await;
    browser.tab_to("button[value=try]").await;
    browser.keys(ENTER).await;
    browser.wait_for_text("Start the import").await;
    browser.tab_to("form.sheet button").await;
    browser.keys(ENTER).await;
    browser.wait_for_text("Report, a line for each row").await;
    assert!(
        world
            .permission("person1@example.org", "newsletter")
            .await
            .allowed
    );
    background.abort();
    browser.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_is_looked_over_and_watched_on_a_desk_and_on_a_phone() {
    if driver::is_left_out() {
        return;
    }
    let world = World::on(Engine::Sqlite).await;
    let booth = "email,event,kind,date\nanna@example.org,Fair,badge,2026-11-01\nben@example.org,Fair,badge,2026-11-01\n";
    List {
        name: "booth",
        text: booth,
        source: Some(Source::EventBooth),
    }
    .take_in(&world)
    .await;
    let staff = "email,employer,benefit,date\ncleo@example.org,Mill,bicycles,2026-10-01\ndan@example.org,Mill,bicycles,2026-10-01\n";
    List {
        name: "staff",
        text: staff,
        source: Some(Source::EmployerList),
    }
    .take_in(&world)
    .await;
    let browser = Browser::start(Kind::default()).await;
    sign_in(&world, &browser).await;
    let phone = Browser::start(Kind {
        phone: Some(390),
        ..Kind::default()
    })
    .await;
    phone.sign_in(&world.base).await;
    phone.wait_for_text("Overview").await;
    let background = in_background(&world.app);
    let both = async |path: &str, name: &str| {
        phone.open(path).await;
        fits(&phone, &format!("{name}-phone")).await;
        fits(&browser, &format!("{name}-desk")).await;
    };
    browser
        .open(&format!("{}/admin/new-campaign", world.base))
        .await;
    both(
        &format!("{}/admin/new-campaign", world.base),
        "campaign-new",
    )
    .await;
    browser.type_into("#name", "after the fair").await;
    browser.press("main form button").await;
    browser.wait_for_text("Start the campaign").await;
    let here = browser.client.current_url().await.unwrap();
    both(here.as_str(), "campaign-draft").await;
    let shown = browser
        .run("return [document.querySelector('iframe').contentDocument === null, document.querySelector('iframe').clientHeight > 300]")
        .await;
    assert_eq!(
        shown,
        serde_json::json!([true, true]),
        "the mail is in a frame of its own"
    );
    browser.press("form[action$='/start'] button").await;
    browser.wait_for_text("The campaign has started").await;
    crate::campaign::work(&world).await;
    crate::campaign::say_yes(&world, "anna@example.org").await;
    browser.client.refresh().await.unwrap();
    let here = browser.client.current_url().await.unwrap();
    both(here.as_str(), "campaign").await;
    let held = format!("{}?state=held", here.as_str().split('?').next().unwrap());
    browser.open(&held).await;
    both(&held, "campaign-held").await;
    let mail = format!("{}/mail", here.as_str().split('?').next().unwrap());
    browser.open(&mail).await;
    both(&mail, "campaign-mail").await;
    browser
        .open(&format!("{}/admin/campaigns", world.base))
        .await;
    both(&format!("{}/admin/campaigns", world.base), "campaigns").await;
    background.abort();
    phone.close().await;
    browser.close().await;
    world.end().await;
}
