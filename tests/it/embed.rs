//! `/f/{form}/embed`: what it gives to copy, and whether a site can live with it.

use countersign::domain::event::Fact;
use countersign::store::Engine;

use crate::harness::{DECLARATIONS, Reply, World};

/// What stands in a way's box to copy, as it is copied.
fn copied(page: &Reply, way: u8) -> Option<String> {
    let text = page.text();
    let box_ = format!("id=\"code-{way}\"><code>");
    let rest = &text[text.find(&box_)? + box_.len()..];
    let code = &rest[..rest.find("</code>").unwrap()];
    let plain = |code: String, (written, meant)| code.replace(written, meant);
    let written = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    Some(written.into_iter().fold(code.to_owned(), plain))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plain_form_speaks_a_language_of_the_form_whatever_the_owners_browser_speaks() {
    let one = "slug = \"news-two\"\nlanguages = [\"de\"]\n";
    let declared = DECLARATIONS.replace("slug = \"news-two\"\n", one);
    let world = World::declared(Engine::Sqlite, "", &declared).await;
    let mut owner = world.client("192.0.2.1").with("accept-language", "en");
    let page = owner.get("/f/news-two/embed").await;
    assert_eq!(
        page.heading(),
        "Put this form on your website",
        "the page is the owner's"
    );
    let plain = copied(&page, 2).unwrap();
    assert!(plain.contains("name=\"lang\" value=\"de\""), "{plain}");
    assert!(
        plain.contains("<label>E\u{2011}Mail-Adresse <input") && plain.contains("Rundbrief"),
        "{plain}"
    );
    assert!(!page.text().contains("<nav"), "one language, no links");

    let page = owner.get("/f/news/embed").await;
    let said = |way| copied(&page, way).unwrap();
    assert!(
        said(2).contains("name=\"lang\" value=\"en\""),
        "{}",
        said(2)
    );
    assert!(
        !said(1).contains("lang=") && !said(3).contains("lang="),
        "they ask the reader's page or browser"
    );
    assert!(page.text().contains("href=\"/f/news/embed?lang=nl\""));
    let page = owner.get("/f/news/embed?lang=nl").await;
    let said = |way| copied(&page, way).unwrap();
    assert!(said(1).contains("form=\"news\" lang=\"nl\""), "{}", said(1));
    assert!(
        said(2).contains("name=\"lang\" value=\"nl\"") && said(2).contains("Naam (niet verplicht)"),
        "{}",
        said(2)
    );
    assert!(
        said(3).contains("/f/news?embed=1&amp;lang=nl\""),
        "{}",
        said(3)
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plain_form_asks_for_a_name_where_the_form_does_and_hides_a_trap_without_styles() {
    let world = World::on(Engine::Sqlite).await;
    let mut client = world.client("192.0.2.1");
    let plain = copied(&client.get("/f/news/embed").await, 2).unwrap();
    assert!(plain.contains("name=\"name\""), "{plain}");
    assert!(
        plain.contains("<div hidden>") && plain.contains("name=\"website\" tabindex=\"-1\""),
        "{plain}"
    );
    assert!(!plain.contains("style="), "{plain}");
    let without = copied(&client.get("/f/news-two/embed").await, 2).unwrap();
    assert!(!without.contains("name=\"name\""), "{without}");
    // A program that fills in whatever has a name is caught, a person is not.
    let given = [
        ("email", "bot@example.org"),
        ("website", "x"),
        ("lang", "en"),
    ];
    assert_eq!(client.post("/f/news", &given).await.status, 303);
    assert!(world.deliver().await.is_empty());
    let given = [
        ("email", "anna@example.org"),
        ("website", ""),
        ("name", "Anna"),
        ("lang", "en"),
    ];
    assert_eq!(client.post("/f/news", &given).await.status, 303);
    world.mail_to("anna@example.org").await;
    let story = world.story("anna@example.org").await;
    assert!(matches!(&story[0].fact, Fact::SignedUp(_)));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_asks_for_a_proof_of_work_is_not_offered_as_plain_html() {
    let world = World::on(Engine::Sqlite).await;
    let mut client = world.client("192.0.2.1");
    let page = client.get("/f/guarded/embed").await;
    assert!(copied(&page, 1).is_some() && copied(&page, 3).is_some());
    assert_eq!(copied(&page, 2), None);
    let text = page.text();
    assert!(
        text.contains("Not for this form") && !text.contains("Works everywhere"),
        "{text}"
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_says_what_a_strict_policy_of_the_site_must_allow() {
    let then = "slug = \"news-two\"\nredirect_after_signup = \"https://www.acme.example/thanks\"\n";
    let declared = DECLARATIONS.replace("slug = \"news-two\"\n", then);
    let world = World::declared(Engine::Sqlite, "", &declared).await;
    let mut client = world.client("192.0.2.1");
    let base = world.base.clone();
    let news = client.get("/f/news/embed").await.text();
    for policy in [
        format!(">script-src {base}; connect-src {base}<"),
        format!(">form-action {base}<"),
        format!(">frame-src {base}<"),
    ] {
        assert!(news.contains(&policy), "{policy} in {news}");
    }
    let two = client.get("/f/news-two/embed").await.text();
    let both = format!(">form-action {base} https://www.acme.example<");
    assert!(
        two.contains(&both),
        "the site's own policy holds where its form is led on to"
    );
    world.finish().await;
}
