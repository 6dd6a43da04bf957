//! From the outbox to the SMTP server, and what is kept of it.

use countersign::app::apply::{apply, parse};
use countersign::domain::brand::Brand;
use countersign::domain::event::Fact;
use countersign::domain::form::FormContent;
use countersign::mail::compose::ConfirmationMail;
use countersign::mail::compose::skeleton::{Skeleton, Varying};

use crate::harness::{DECLARATIONS, START, World};
use crate::on_both_engines;

const NO_BUDGET: &str = "[budget]\nper_network_an_hour = 0\n";

/// The example brand, which may send so many mails an hour.
fn at_an_hour(mails: u32) -> String {
    let own = "from_address = \"letters@acme.example\"\n";
    let with_rate = format!("{own}mails_per_hour = {mails}\n");
    DECLARATIONS.replacen(own, &with_rate, 1)
}

on_both_engines! {
    async fn the_mail_is_complete_and_its_exact_bytes_and_the_reply_are_kept(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let raw = &mail.0.raw;
        for header in ["From: ", "To: anna@example.org", "Date: ", "Message-ID: <", "Auto-Submitted: auto-generated", "Subject: "] {
            assert!(raw.contains(header), "{header} in {raw}");
        }
        assert!(!mail.0.html.contains("<img") && !raw.contains("http://www.") && !raw.contains("https://"));
        for link in &mail.0.links {
            assert!(link.starts_with(&world.base), "{link}");
        }
        assert!(mail.0.text.contains("1 Mill Lane") && mail.0.html.contains("1 Mill Lane"));
        let story = world.story("anna@example.org").await;
        let Fact::MailAccepted { message_id, reply, .. } = &story[1].fact else {
            panic!("{story:?}");
        };
        assert!(raw.contains(&format!("<{message_id}>")) && reply.contains("caught"));
        let catalog = world.app.catalog();
        let brand = catalog.brand(story[0].brand).unwrap();
        let kept = world.app.mails_as_sent(brand, story[0].contact).await.unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].1, raw.as_bytes());
        world.finish().await;
    }

    async fn the_mail_sends_nobody_with_its_code_to_a_page_that_is_not_there(engine: Engine) {
        let then = "slug = \"news-two\"\nredirect_after_signup = \"https://www.acme.example/next\"\n";
        let declared = DECLARATIONS
            .replace("slug = \"news-two\"\n", then)
            .replace("slug = \"news\"\n", "slug = \"news\"\nkiosk = true\n");
        let world = World::declared(engine, "", &declared).await;
        let mut client = world.client("192.0.2.1");
        let (if_asked, there) = ("If the page asks for a code, enter this one:", "on the page where you subscribed:");
        // The first two forms differ in nothing but where they lead.
        for (form, email, expected, other) in [
            ("news-three", "a@example.org", there, if_asked),
            ("news-two", "b@example.org", if_asked, there),
            ("news?kiosk=1", "c@example.org", if_asked, there),
        ] {
            assert_eq!(client.post(&format!("/f/{form}"), &[("email", email)]).await.status, 303);
            let mail = world.mail_to(email).await.0;
            for text in [&mail.text, &mail.html] {
                assert!(text.contains(expected) && !text.contains(other), "{form}: {text}");
            }
        }
        world.finish().await;
    }

    async fn a_domains_rate_holds_mails_back_until_their_turn(engine: Engine) {
        let world = World::with(engine, "[delivery]\nper_domain_an_hour = 2\n").await;
        for number in 0..3 {
            world.signed_up(&format!("p{number}@slow.example"), "192.0.2.1").await;
        }
        world.signed_up("anna@fast.example", "192.0.2.1").await;
        assert_eq!(world.deliver().await.len(), 3);
        world.advance(1_801);
        assert_eq!(world.deliver().await.len(), 4);
        world.finish().await;
    }

    async fn a_backlog_leaves_at_its_rate_and_each_mail_is_looked_at_about_once_an_hour(engine: Engine) {
        let world = World::declared(engine, NO_BUDGET, &at_an_hour(60)).await;
        for number in 0..240 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
            world.clock.advance(std::time::Duration::from_millis(1));
        }
        let mut looked_at = world.delivery.drain().await.unwrap();
        assert_eq!(world.caught().len(), 60, "an hour's worth at once");
        for minute in 1..=180 {
            world.advance(60);
            looked_at += world.delivery.drain().await.unwrap();
            assert_eq!(world.caught().len(), 60 + minute, "and then one a minute");
        }
        let in_order: Vec<String> = world.caught().into_iter().rev().skip(60).map(|mail| mail.to).collect();
        assert_eq!(in_order, (60..240).map(|number| format!("p{number}@example.org")).collect::<Vec<_>>());
        // Each once, and those that wait for three hours once more at each of them: not once for each mail that leaves.
        assert!(looked_at < 3 * 240, "{looked_at}");
        world.finish().await;
    }

    async fn a_rate_that_is_lifted_lets_everybody_go_within_the_hour(engine: Engine) {
        let world = World::declared(engine, NO_BUDGET, &at_an_hour(2)).await;
        for number in 0..20 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
        }
        assert_eq!(world.deliver().await.len(), 2);
        apply(&world.app, &parse(&at_an_hour(0)).unwrap()).await.unwrap();
        world.advance(3_600);
        assert_eq!(world.deliver().await.len(), 20);
        world.finish().await;
    }

    async fn mails_that_wait_for_their_domain_take_no_turns_from_the_others_of_the_brand(engine: Engine) {
        let settings = format!("{NO_BUDGET}[delivery]\nper_domain_an_hour = 6\n");
        let world = World::declared(engine, &settings, &at_an_hour(60)).await;
        for number in 0..60 {
            world.signed_up(&format!("p{number}@slow.example"), "192.0.2.1").await;
        }
        for number in 0..120 {
            world.signed_up(&format!("p@of{number}.example"), "192.0.2.1").await;
        }
        assert_eq!(world.deliver().await.len(), 60);
        for minute in 1..=120 {
            world.advance(60);
            let left = world.deliver().await;
            let slow = left.iter().filter(|mail| mail.to.ends_with("@slow.example")).count();
            assert!(left.len() <= 60 + minute && slow <= 6 + minute / 10, "{minute}: {} {slow}", left.len());
            if minute == 60 {
                assert!(left.len() == 120 && slow >= 11, "all that the brand may send: {} {slow}", left.len());
            }
        }
        world.advance(86_400);
        world.deliver().await;
        world.end().await;
    }

    async fn a_server_that_is_away_delays_the_mail_and_the_story_tells_when_it_is_given_up(engine: Engine) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let place = crate::harness::place(engine).await;
        let config = crate::harness::settings("http://127.0.0.1:1", &place.url, port, "");
        let clock = countersign::clock::Clock::fixed(START);
        let app = countersign::app::App::start(config, clock.clone(), countersign::clock::Random::seeded(1)).await.unwrap();
        let declarations = countersign::app::apply::parse(DECLARATIONS).unwrap();
        countersign::app::apply::apply(&app, &declarations).await.unwrap();
        let form = app.catalog().form("news").unwrap().clone();
        let given = countersign::app::sign_up::Submission {
            email: "anna@example.org".to_owned(),
            ..Default::default()
        };
        app.sign_up(&form, given).await.unwrap();
        let delivery = app.delivery().unwrap();
        let mut tries = 0;
        // 72 hours of tries, each later than the one before; bounded by the product's own limit of tries.
        for _ in 0..100 {
            tries += delivery.drain().await.unwrap();
            clock.advance(std::time::Duration::from_secs(3_600));
        }
        assert!((20..=27).contains(&tries), "{tries}");
        assert!(app.readiness().await.unwrap().last_smtp_problem.is_some());
        let catalog = app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let story = crate::harness::story_of(&app, brand, "anna@example.org").await;
        let last = story.last().unwrap();
        assert!(matches!(last.fact, Fact::MailFailed { .. }));
        let hours = last.at.since(START).as_secs() / 3_600;
        assert!((72..78).contains(&hours), "tried for all of its 72 hours: {hours}");
        let mut conn = app.store.read().await.unwrap();
        assert_eq!(countersign::store::outbox::count(&mut conn).await.unwrap(), (0, 1), "parked and shown");
        drop(conn);
        app.store.close().await;
        if let Some(database) = place.database {
            database.drop().await;
        }
    }

    async fn a_mail_whose_request_was_answered_meanwhile_is_not_sent(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.advance(86_400 * 8);
        assert_eq!(world.deliver().await.len(), 0, "the link would have expired");
        world.finish().await;
    }
}

/// The example mail, with what varies.
fn example(language: &str, values: &Varying) -> Vec<u8> {
    let declared = parse(DECLARATIONS).unwrap().brands.remove(0);
    let content = FormContent::compose(&declared, &declared.forms[0], &|key, language, brand| {
        countersign::texts::Texts::of(language).arg(key, "brand", brand)
    });
    let purposes = declared.forms[0].purposes.clone();
    let brand = Brand {
        id: countersign::domain::ids::BrandId(uuid::Uuid::nil()),
        number: 1,
        declared,
    };
    let mail = ConfirmationMail {
        brand: &brand,
        content: &content,
        language,
        purposes: &purposes,
        name: None,
        to: &values.to,
        confirm_url: format!("https://confirm.acme.example/c/{}", values.confirm_token),
        decline_url: format!(
            "https://confirm.acme.example/c/{}/decline",
            values.confirm_token
        ),
        about_url: format!("https://confirm.acme.example/a/{}", values.about_token),
        code: values.code.clone(),
        asked_at: values.asked_at,
        by_tablet: false,
        no_page_left: false,
        asked_from: Some("www.acme.example".to_owned()),
        expires_at: values.expires_at,
        message_id: format!("{}@acme.example", values.message_local),
        now: values.now,
        ask: None,
        reminder: false,
        unsubscribe_url: None,
    };
    mail.compose().unwrap()
}

fn example_values() -> Varying {
    Varying {
        to: "anna@example.org".to_owned(),
        confirm_token: "TOKEN".to_owned(),
        about_token: "TOKEN".to_owned(),
        leave_token: "TOKEN".to_owned(),
        code: "123456".to_owned(),
        asked_at: START,
        expires_at: START.plus(std::time::Duration::from_secs(7 * 86_400)),
        message_local: "0000".to_owned(),
        now: START,
    }
}

#[test]
fn the_confirmation_mail_reads_as_it_should_in_english() {
    let raw = String::from_utf8(example("en", &example_values())).unwrap();
    let parsed = mail_parser::MessageParser::default()
        .parse(raw.as_bytes())
        .unwrap();
    let text = parsed.body_text(0).unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!(
        "confirmation_mail_headers",
        raw.split("\r\n\r\n").next().unwrap().replace("\r\n", "\n")
    );
    insta::assert_snapshot!("confirmation_mail_text", text);
}

#[test]
fn a_mail_of_every_language_is_filled_in_with_the_bytes_of_a_composed_one() {
    for language in countersign::domain::brand::LANGUAGES {
        let compose = |values: &Varying| Ok::<_, ()>(example(language, values));
        let skeleton = Skeleton::of(compose).expect(language);
        let values = Varying {
            confirm_token: "t".repeat(55),
            about_token: "u".repeat(55),
            leave_token: "v".repeat(55),
            message_local: uuid::Uuid::nil().to_string(),
            ..example_values()
        };
        let filled = skeleton.fill(&values).expect(language);
        assert_eq!(
            String::from_utf8(filled).unwrap(),
            String::from_utf8(example(language, &values)).unwrap()
        );
    }
}

#[test]
fn the_mail_tells_its_dates_as_each_language_writes_them() {
    for (language, asked, expires) in [
        (
            "en",
            "on 23 Nov 2026, 17:34 (UTC)",
            "30 Nov 2026, 17:34 (UTC).",
        ),
        (
            "nl",
            "op 23-11-2026 om 17:34 uur (UTC)",
            "tot 30-11-2026 om 17:34 uur (UTC).",
        ),
        (
            "de",
            "am 23.11.2026 um 17:34 Uhr (UTC)",
            "bis zum 30.11.2026 um 17:34 Uhr (UTC).",
        ),
        (
            "fr",
            "le 23/11/2026 à 17\u{a0}h\u{a0}34 (UTC)",
            "jusqu’au 30/11/2026 à 17\u{a0}h\u{a0}34 (UTC).",
        ),
        (
            "es",
            "el 23/11/2026, 17:34\u{a0}h (UTC)",
            "hasta el 30/11/2026, 17:34\u{a0}h (UTC).",
        ),
    ] {
        let raw = example(language, &example_values());
        let parsed = mail_parser::MessageParser::default().parse(&raw).unwrap();
        for body in [parsed.body_text(0), parsed.body_html(0)] {
            let body = body.unwrap();
            assert!(body.contains(asked) && body.contains(expires), "{body}");
        }
    }
}
