//! How much a brand keeps of network address and browser: whole, shortened, or nothing. Limits work the same.

use countersign::domain::event::Fact;
use countersign::domain::standing::Basis;
use countersign::ledger::bundle::{self, Known};

use crate::admin::signing_in::signed_in;
use crate::harness::{DECLARATIONS, World, add_owner};
use crate::import::storing::{List, findings};
use crate::on_both_engines;

const FROM: &str = "198.51.100.77";
const BROWSER: &str = "Secretive/7.1";

/// A world whose brand `acme` keeps so much.
async fn keeping(engine: countersign::store::Engine, how: &str, more: &str) -> World {
    let declared = format!("slug = \"acme\"\ncircumstances = \"{how}\"");
    let declarations = DECLARATIONS.replacen("slug = \"acme\"", &declared, 1);
    World::declared(engine, more, &declarations).await
}

/// A signup that is confirmed by the button, in a browser that says what it is.
async fn confirmed(world: &World, email: &str) {
    let mut person = world
        .client(FROM)
        .with("user-agent", BROWSER)
        .with("accept-language", "nl");
    let signed_up = person.post("/f/news", &[("email", email)]).await;
    assert_eq!(signed_up.status, 303, "{}", signed_up.text());
    let link = world.mail_to(email).await.confirm();
    let mut elsewhere = world.client(FROM).with("user-agent", BROWSER);
    elsewhere.get(&link).await;
    world.advance(30);
    assert_eq!(elsewhere.post(&link, &[]).await.heading(), "Bevestigd");
}

/// Everything that the database holds of hits and events, as text.
async fn kept(world: &World) -> String {
    let mut conn = world.app.store.read().await.unwrap();
    let all = countersign::store::events::list_audited(&mut conn, 0, i64::MAX, 1_000)
        .await
        .unwrap();
    all.iter()
        .map(|event| {
            let body = event.body.clone().unwrap_or_default();
            format!(
                "{body}\n{}\n",
                event.circumstances.clone().unwrap_or_default()
            )
        })
        .collect()
}

on_both_engines! {
    async fn a_brand_that_shortens_them_keeps_the_block_and_no_browser_and_the_evidence_holds(engine: Engine) {
        let world = keeping(engine, "shortened", "").await;
        confirmed(&world, "ada@example.org").await;
        let story = world.story("ada@example.org").await;
        let Fact::SignedUp(signup) = &story[0].fact else { panic!("{story:?}") };
        let kept_of = &signup.circumstances;
        assert_eq!(kept_of.ip, "198.51.100.0".parse().ok());
        assert_eq!((kept_of.user_agent.as_deref(), kept_of.accept_language.as_deref()), (None, Some("nl")));
        let kept = kept(&world).await;
        assert!(kept.contains("198.51.100.0") && !kept.contains(FROM) && !kept.contains(BROWSER), "{kept}");
        let (bytes, _) = crate::bundle::bundle_of(&world, "ada@example.org").await;
        bundle::verify(&bytes, Known::default()).unwrap();
        world.finish().await;
    }

    async fn a_brand_that_keeps_nothing_leaves_no_trace_of_network_and_browser_and_the_evidence_holds(engine: Engine) {
        let world = keeping(engine, "nothing", "").await;
        confirmed(&world, "ada@example.org").await;
        for event in world.story("ada@example.org").await {
            assert_eq!(event.circumstances_sha256, None, "{event:?}");
        }
        let kept = kept(&world).await;
        assert!(!kept.contains("198.51.100") && !kept.contains(BROWSER), "{kept}");
        let (bytes, report) = crate::bundle::bundle_of(&world, "ada@example.org").await;
        bundle::verify(&bytes, Known::default()).unwrap();
        assert!(report.events.iter().any(|event| event.kind == "confirmed"));
        let (files, _) = countersign::ledger::archive::read(&bytes).unwrap();
        let page = String::from_utf8(files["report.html"].clone()).unwrap();
        assert!(!page.contains("Browser and network"), "there is nothing to disclose");
        world.finish().await;
    }

    async fn addresses_that_a_list_names_are_kept_beside_the_event_as_the_brand_says_and_for_the_same_term(engine: Engine) {
        let text = "Email Address,date,order,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP\n\
            ada@example.org,2026-01-01,1,2026-01-02 10:00:00,203.0.113.5,2026-01-02 10:05:00,203.0.113.77\n";
        for (how, ip) in [("whole", Some("203.0.113.77")), ("shortened", Some("203.0.113.0")), ("nothing", None)] {
            let world = keeping(engine, how, "[retention]\ncircumstances_days = 30\n").await;
            let list = List::bought("mailchimp", text);
            assert_eq!(list.take_in(&world).await.new, 1);
            let whence = async || {
                let story = world.story("ada@example.org").await;
                let Fact::Imported(imported) = &story[0].fact else { panic!("{story:?}") };
                let said = imported.elsewhere.clone().unwrap();
                assert!(said.says_whence && said.tells_of_a_confirmation() && said.confirmed_ip.is_none(), "{said:?}");
                imported.circumstances.as_ref().and_then(|one| one.confirmed_ip.clone())
            };
            assert_eq!(whence().await.as_deref(), ip, "{how}");
            let rows = kept(&world).await;
            for body in rows.lines().filter(|line| line.contains("\"kind\"")) {
                assert!(!body.contains("203.0.113"), "{body}");
            }
            if how != "whole" {
                assert!(!rows.contains("203.0.113.5") && !rows.contains("203.0.113.77"), "{rows}");
            }
            let (bytes, _) = crate::bundle::bundle_of(&world, "ada@example.org").await;
            bundle::verify(&bytes, Known::default()).unwrap();
            if how == "whole" {
                crate::recipe::passes(&bytes);
            }
            assert_eq!(findings(&world).await, Vec::<String>::new());
            world.advance(31 * 86_400);
            assert_eq!(world.app.remove_circumstances().await.unwrap(), u64::from(ip.is_some()));
            assert_eq!(whence().await, None);
            // The same words again are known, whatever became of the addresses.
            let again = List { name: "again", ..list };
            assert_eq!(again.take_in(&world).await.unchanged, 1);
            assert_eq!(world.permission("ada@example.org", "newsletter").await.basis, Basis::Explicit);
            assert_eq!(findings(&world).await, Vec::<String>::new());
            world.finish().await;
        }
    }

    async fn limits_of_a_network_and_marks_of_scanners_need_no_kept_address(engine: Engine) {
        let limit = "[budget]\nper_network_an_hour = 3\n[scanner]\npeople_a_minute = 2\n";
        let world = keeping(engine, "nothing", limit).await;
        for number in 0..5 {
            world.signed_up(&format!("p{number}@example.org"), FROM).await;
        }
        let mails = world.deliver().await;
        assert_eq!(mails.len(), 3, "the network's budget is used up");
        world.signed_up("elsewhere@example.org", "203.0.113.9").await;
        assert_eq!(world.deliver().await.len(), 4);
        // A scanner opens the links of several people from its network, and presses the last.
        let links: Vec<String> = mails.iter().map(|mail| crate::harness::Mail(mail.clone()).confirm()).collect();
        let mut scanner = world.client("192.0.2.66");
        for link in &links {
            scanner.get(link).await;
        }
        world.advance(5);
        let pressed = scanner.post(&links[0], &[]).await;
        assert_ne!(pressed.heading(), "Confirmed");
        let kinds = world.kinds(&mails[0].to).await;
        assert!(kinds.contains(&"code_asked"), "{kinds:?}");
        world.finish().await;
    }

    async fn an_operator_sees_and_changes_on_the_brands_page_how_much_is_kept(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut olga = signed_in(&world, "olga").await;
        let path = "/admin/settings/brands/acme";
        let page = olga.get(path).await;
        assert!(page.text().contains("<option value=\"whole\" selected>"), "{}", page.text());
        let revision = page.hidden("revision");
        let words = ["name-newsletter-en", "name-events-en", "wording-newsletter-en", "wording-events-en"];
        let mut fields = vec![
            ("revision", revision.as_str()), ("name", "Acme Letters"), ("legal_name", "Acme Letters Ltd"), ("postal_address", "1 Mill Lane"),
            ("contact", "privacy@acme.example"), ("from_address", "letters@acme.example"), ("accent", "#1f5f8b"),
            ("confirm_within_days", "7"), ("mails_per_hour", "0"),
        ];
        fields.extend(words.map(|name| (name, "Words")));
        let mut wrong = fields.clone();
        wrong.push(("circumstances", "some"));
        assert_eq!(olga.post(path, &wrong).await.status, 422);
        fields.push(("circumstances", "nothing"));
        let saved = olga.post(path, &fields).await;
        assert_eq!(saved.status, 303, "{}", saved.text());
        assert!(olga.get(path).await.text().contains("<option value=\"nothing\" selected>"));
        confirmed(&world, "ada@example.org").await;
        assert!(world.story("ada@example.org").await.iter().all(|event| event.circumstances_sha256.is_none()));
        world.finish().await;
    }
}

#[test]
fn a_declaration_that_says_something_else_is_refused_with_the_words_that_there_are() {
    let wrong = DECLARATIONS.replacen(
        "slug = \"acme\"",
        "slug = \"acme\"\ncircumstances = \"hashed\"",
        1,
    );
    let problem = countersign::app::apply::parse(&wrong)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    for word in ["whole", "shortened", "nothing"] {
        assert!(problem.contains(word), "{problem}");
    }
}
