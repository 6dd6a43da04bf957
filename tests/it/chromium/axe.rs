//! Pages held against WCAG by axe-core, which is kept beside the tests.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::driver::Browser;

const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");
const README: &str = include_str!("../../vendor/axe-core/README.md");

/// Only findings of these impacts are asked for: of a whole page, in the size and colours that the browser has now.
const RUN: &str = "const done = arguments[arguments.length - 1], options = { resultTypes: ['violations'] }; \
     if (arguments[0].length) options.runOnly = { type: 'rule', values: arguments[0] }; \
     axe.run(document, options).then( \
       found => done(found.violations.filter(v => v.impact === 'serious' || v.impact === 'critical').flatMap(v => \
         v.nodes.map(n => `${v.impact} ${v.id}: ${v.help}\\n  ${n.html.slice(0, 200)}\\n  ${n.failureSummary}`))), \
       error => done([`axe did not run: ${error}`]))";

/// Asserts that axe-core finds nothing serious or critical on the page that the browser shows. Needs scripts.
pub async fn axe(browser: &Browser) {
    browser.client.execute(AXE, Vec::new()).await.unwrap();
    hold(browser, &[]).await;
}

/// Asserts the same of what depends on colours alone, on a page that `axe` looked at in other ones.
pub async fn colours(browser: &Browser) {
    hold(browser, &["color-contrast", "link-in-text-block"]).await;
}

async fn hold(browser: &Browser, rules: &[&str]) {
    let url = browser.client.current_url().await.unwrap();
    let rules = vec![serde_json::json!(rules)];
    let found = browser.client.execute_async(RUN, rules).await.unwrap();
    let told: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(told.is_empty(), "{}:\n{}", url.path(), told.join("\n"));
}

#[test]
fn axe_core_is_the_file_that_its_readme_names() {
    let hash: String = Sha256::digest(AXE.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(README.contains(&hash), "{hash}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "image-alt")]
async fn axe_core_finds_a_picture_without_words() {
    if super::driver::is_left_out() {
        panic!("image-alt: left out");
    }
    let browser = Browser::start(super::driver::Kind::default()).await;
    browser
        .open("data:text/html,<html lang=en><title>x</title><main><h1>x</h1><img src=x></main></html>")
        .await;
    axe(&browser).await;
}
