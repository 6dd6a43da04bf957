//! Figures: sums behind the log, held against what was counted by hand; the pages that show them.

pub mod pages;

use countersign::app::figures::{Named, Report};
use countersign::domain::figures::{Dimension, Figures, day_of};
use countersign::domain::ids::BrandId;
use countersign::store::Engine;
use countersign::store::summaries::{self, Line, Span};

use crate::confirm::inbox_path;
use crate::harness::{START, World, dying_at};
use crate::on_both_engines;

pub fn brand(world: &World) -> BrandId {
    world.app.catalog().brand_by_slug("acme").unwrap().id
}

/// Has everything logged and counted.
pub async fn count(world: &World) {
    world.app.sequence().await.unwrap();
    world.app.summarize().await.unwrap();
}

pub async fn report(world: &World, days: i64) -> Report {
    world.app.figures(&[brand(world)], days).await.unwrap()
}

async fn lines(world: &World, dimension: Dimension) -> Vec<Line> {
    let brands = [brand(world)];
    let span = Span {
        brands: &brands,
        dimension,
        first: 0,
        last: i64::MAX,
    };
    let mut conn = world.app.store.read().await.unwrap();
    summaries::by_name(&mut conn, span).await.unwrap()
}

/// Signs up and gets the mail, reads the page behind its link and presses the button after so many seconds.
pub async fn confirmed(world: &World, email: &str, ip: &str, after: u64) {
    world.signed_up(email, ip).await;
    let mail = world.mail_to(email).await;
    world.advance(after);
    let mut other = world.client(ip);
    let page = other.get(&mail.confirm()).await;
    other.get(&mail.confirm()).await;
    world.advance(3);
    let done = other
        .post(&mail.confirm(), &[("opened", &page.hidden("opened"))])
        .await;
    assert_eq!(done.heading(), "Confirmed");
}

/// What the story below comes to, counted by hand.
const TRUTH: Figures = Figures {
    signed_up: 7,
    held_back: 1,
    mailed: 6,
    opened: 2,
    confirmed: 3,
    declined: 1,
    failed: 0,
    replaced: 1,
    withdrawn: 0,
    bounced: 0,
    complained: 0,
    within_minute: 1,
    within_ten_minutes: 1,
    within_hour: 0,
    within_day: 1,
    later: 0,
};

/// Two confirm by the button, one by the code, one says "not me", one signs up twice, and a bot comes.
pub async fn story(world: &World) {
    confirmed(world, "anna@example.org", "192.0.2.1", 10).await;
    confirmed(world, "bea@example.org", "192.0.2.2", 300).await;
    let (mut browser, inbox) = world.signed_up("cleo@example.net", "192.0.2.3").await;
    let code = world.mail_to("cleo@example.net").await.code();
    world.advance(7_200);
    let path = format!("{}/code", inbox_path(&inbox.text()));
    assert_eq!(browser.post(&path, &[("code", &code)]).await.status, 303);
    world.signed_up("dora@example.org", "192.0.2.4").await;
    let mail = world.mail_to("dora@example.org").await;
    world.client("192.0.2.5").post(&mail.decline(), &[]).await;
    let mut client = world.client("192.0.2.6");
    client
        .post("/f/news", &[("email", "eva@example.org")])
        .await;
    world.deliver().await;
    world.advance(60);
    client
        .post("/f/news-two", &[("email", "eva@example.org")])
        .await;
    world.deliver().await;
    client
        .post(
            "/f/news",
            &[("email", "bot@example.org"), ("website", "spam")],
        )
        .await;
    world.deliver().await;
}

on_both_engines! {
    async fn the_figures_are_what_was_counted_by_hand_in_every_dimension(engine: Engine) {
        let world = World::on(engine).await;
        story(&world).await;
        count(&world).await;
        let found = report(&world, 7).await;
        assert_eq!(found.total(), TRUTH);
        assert_eq!((found.days.len(), found.behind), (7, 0));
        assert_eq!(found.days.iter().filter(|day| **day != Figures::default()).count(), 1);
        let of = |lines: &[Named]| -> Vec<(String, i64, i64)> {
            lines.iter().map(|line| (line.name.clone(), line.figures.signed_up, line.figures.confirmed)).collect()
        };
        assert_eq!(of(&found.sources), [("website_form".to_owned(), 7, 3)]);
        assert_eq!(of(&found.domains), [("example.org".to_owned(), 6, 2), ("example.net".to_owned(), 1, 1)]);
        let forms: Vec<_> = found.forms.iter().map(|one| (one.form.as_str(), one.figures.signed_up, one.signups.last())).collect();
        assert_eq!(forms, [("news", 6, Some(&6)), ("news-two", 1, Some(&1))]);
        assert_eq!(found.total().median(), Some("within 10 minutes"));
        let mails = world.app.mail_figures(&[brand(&world)], 7).await.unwrap();
        let mails: Vec<_> = mails.iter().map(|line| (line.name.as_str(), line.figures.mailed, line.figures.signed_up)).collect();
        assert_eq!(mails, [("example.org", 5, 0), ("example.net", 1, 0)]);
        world.finish().await;
    }

    async fn what_comes_later_is_counted_under_the_day_of_the_signup(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        count(&world).await;
        world.advance(2 * 86_400);
        let mut other = world.client("192.0.2.2");
        let page = other.get(&mail.confirm()).await;
        world.advance(3);
        other.post(&mail.confirm(), &[("opened", &page.hidden("opened"))]).await;
        count(&world).await;
        let found = report(&world, 7).await;
        assert_eq!(found.days.iter().map(|day| day.confirmed).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(found.total().later, 1);
        world.finish().await;
    }

    async fn nothing_is_counted_that_no_checkpoint_holds_and_nothing_twice(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        assert_eq!(world.app.summarize().await.unwrap(), 0);
        world.app.sequence().await.unwrap();
        let (one, two) = tokio::join!(world.app.summarize(), world.app.summarize());
        assert_eq!(one.unwrap() + two.unwrap(), 2);
        assert_eq!(world.app.summarize().await.unwrap(), 0);
        assert_eq!(report(&world, 7).await.total().signed_up, 1);
        world.finish().await;
    }

    async fn wherever_a_worker_dies_the_figures_are_whole(engine: Engine) {
        let world = World::on(engine).await;
        story(&world).await;
        world.app.sequence().await.unwrap();
        for waits in 0.. {
            if dying_at(waits, world.app.summarize()).await.is_some() {
                break;
            }
        }
        count(&world).await;
        assert_eq!(report(&world, 7).await.total(), TRUTH);
        world.finish().await;
    }

    async fn an_erasure_changes_no_figure_and_no_address_is_in_them(engine: Engine) {
        let world = World::on(engine).await;
        story(&world).await;
        count(&world).await;
        let before = lines(&world, Dimension::Domain).await;
        crate::erasure::forget(&world, "anna@example.org").await.unwrap();
        count(&world).await;
        assert_eq!(lines(&world, Dimension::Domain).await, before);
        assert!(before.iter().all(|line| !line.name.contains('@')), "{before:?}");
        world.end().await;
    }

    async fn a_kind_that_is_not_known_here_is_passed_by_and_one_known_by_name_is_counted(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        count(&world).await;
        let (hex, at) = (brand(&world).0.simple().to_string(), START.micros());
        let uuid = |engine| match engine {
            Engine::Sqlite => format!("x'{hex}'"),
            Engine::Postgres => format!("'{hex}'::uuid"),
        };
        let salt = match engine {
            Engine::Sqlite => "zeroblob(32)".to_owned(),
            Engine::Postgres => "decode(repeat('00', 32), 'hex')".to_owned(),
        };
        for (kind, body) in [("sung", "{\"mail\": 7}"), ("withdrawn", "{}"), ("bounced", "{}"), ("mail_accepted", "[]")] {
            world.sql(&format!(
                "insert into event (brand_id, contact_id, kind, at, body, salt) values ({id}, {id}, '{kind}', {at}, '{body}', {salt})",
                id = uuid(engine)
            )).await.unwrap();
        }
        count(&world).await;
        let total = report(&world, 7).await.total();
        assert_eq!((total.signed_up, total.mailed, total.withdrawn, total.bounced), (1, 1, 1, 1));
        world.end().await;
    }

    async fn a_day_names_two_hundred_domains_and_small_ones_for_a_month(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let mut client = world.client("192.0.2.1");
        for number in 0..203 {
            let email = format!("a@d{number}.example");
            assert_eq!(client.post("/f/news", &[("email", &email)]).await.status, 303);
        }
        for number in 0..5 {
            client.post("/f/news", &[("email", &format!("a{number}@d7.example"))]).await;
        }
        world.deliver().await;
        count(&world).await;
        let named = lines(&world, Dimension::Domain).await;
        let other = named.iter().find(|line| line.name == "other").unwrap();
        assert_eq!((named.len(), other.figures.signed_up), (201, 3));
        world.app.tidy().await.unwrap();
        assert_eq!(lines(&world, Dimension::Domain).await.len(), 201);
        world.advance(40 * 86_400);
        world.app.tidy().await.unwrap();
        let mut named: Vec<(String, i64)> = lines(&world, Dimension::Domain).await.into_iter()
            .map(|line| (line.name, line.figures.signed_up)).collect();
        named.sort();
        assert_eq!(named, [("d7.example".to_owned(), 6), ("other".to_owned(), 202)]);
        let mut conn = world.app.store.read().await.unwrap();
        let cursor = summaries::cursor(&mut conn).await.unwrap();
        assert_eq!(cursor.folded_day, day_of(world.app.clock.now()) - 31);
        drop(conn);
        world.finish().await;
    }
}
