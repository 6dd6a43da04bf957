//! The suppression list against the events that it follows from.

use countersign::domain::api_key::Scope;
use countersign::domain::operator::Deed;
use serde_json::json;

use super::audited;
use crate::api::program;
use crate::erasure::{acme, forget};
use crate::harness::World;
use crate::leaving::bounces::{complaint_of, report, return_path};
use crate::leaving::{confirmed, signed_up_for_both};
use crate::on_both_engines;

/// Anna declined, Bert's mail came back, Carl complained, Dora was suppressed by an operator and let go, Emil is suppressed by one,
/// and so is a mailbox that no contact has. Frank confirmed and nothing is wrong. Gina declined and was erased.
async fn people(world: &World) {
    for email in ["anna@example.org", "gina@example.org"] {
        let mail = signed_up_for_both(world, email).await;
        world.advance(60);
        world
            .client("198.51.100.7")
            .post(&mail.decline(), &[])
            .await;
    }
    for name in ["bert", "carl", "dora", "emil", "frank"] {
        confirmed(world, &format!("{name}@example.org")).await;
        world.advance(60);
    }
    let to = return_path(world, "bert@example.org").await;
    let message = report(&to, "failed", "5.1.1", "550 no such user");
    world
        .app
        .take_report(message.as_bytes(), Some(&to))
        .await
        .unwrap();
    let message = complaint_of(world, "carl@example.org").await;
    world
        .app
        .take_report(message.as_bytes(), None)
        .await
        .unwrap();
    let mut shop = program(world, &[Scope::SuppressionsWrite]).await;
    let body = |who: &str| json!({"brand": "acme", "address": format!("{who}@example.org"), "reason": "asked by letter"});
    for who in ["dora", "emil", "nobody", "somebody"] {
        world.advance(600);
        let done = shop.post_json("/api/v1/suppressions", &body(who)).await;
        assert_eq!(done.status, 200, "{}", done.text());
    }
    // Under another name of the mailbox, and of one that no contact has.
    for who in ["dora+x", "somebody"] {
        let done = shop
            .post_json("/api/v1/suppressions/lift", &body(who))
            .await;
        assert_eq!(
            (done.status, &done.json()["changed"]),
            (200, &json!(true)),
            "{}",
            done.text()
        );
    }
    world.app.sequence().await.unwrap();
    forget(world, "gina@example.org").await.unwrap();
    world.app.sequence().await.unwrap();
}

/// What a version that named no mailbox in a deed kept of it.
async fn unnamed(world: &World, deed: Deed, on: &str) {
    let kept = world.app.acted_on_command_line(deed, on.to_owned());
    kept.await.unwrap();
}

async fn found(world: &World) -> Vec<String> {
    audited(world).await.findings
}

/// What is done by SQL to the row that is suppressed for a reason, and what is said of it.
const TAMPERINGS: [(&str, &str); 8] = [
    (
        "update mailbox set suppressed_at = null, suppressed_for = null where suppressed_for = 'complained'",
        "it is open, and an event tells that it was suppressed",
    ),
    (
        "delete from mailbox where suppressed_for = 'bounced'",
        "it is open, and an event tells that it was suppressed",
    ),
    (
        "update mailbox set suppressed_at = suppressed_at + 1 where suppressed_for = 'bounced'",
        "It was changed",
    ),
    (
        "update mailbox set suppressed_for = 'operator' where suppressed_for = 'complained'",
        "It was changed",
    ),
    (
        "update mailbox set suppressed_at = suppressed_at - 1000000000 where suppressed_for = 'operator'",
        "no event tells of that",
    ),
    (
        "update mailbox set suppressed_at = (select max(suppressed_at) from mailbox where suppressed_for = 'bounced'), \
         suppressed_for = 'bounced' where suppressed_at is null",
        "no event tells of that: it was put in or changed",
    ),
    // Of the erased contact, whose events tell when, and not who.
    (
        "update mailbox set suppressed_at = suppressed_at + 1 where suppressed_for = 'declined'",
        "no event tells of that: it was put in or changed",
    ),
    (
        "update mailbox set suppressed_for = 'bounced' where suppressed_for = 'declined'",
        "no event tells of that: it was put in or changed",
    ),
];

on_both_engines! {
    async fn the_suppression_list_that_the_server_wrote_is_what_its_events_say(engine: Engine) {
        let world = World::on(engine).await;
        people(&world).await;
        assert_eq!(found(&world).await, Vec::<String>::new());
        world.end().await;
    }

    async fn a_row_of_the_suppression_list_that_was_put_in_changed_or_removed_is_named(engine: Engine) {
        for (statement, says) in TAMPERINGS {
            let world = World::on(engine).await;
            people(&world).await;
            world.sql(statement).await.unwrap();
            let found = found(&world).await;
            assert!(found.iter().any(|one| one.contains(says)), "{statement}: {found:?}");
            world.end().await;
        }
    }

    async fn a_suppression_that_is_sent_again_and_again_is_no_finding(engine: Engine) {
        let world = World::on(engine).await;
        let (brand, email, reason) = (acme(&world), "nobody@example.org", "asked by letter");
        let on = world.app.mailbox_named(&brand, email).unwrap();
        for _ in 0..2 {
            for _ in 0..70 {
                world.advance(600);
                world.app.acted_on_command_line(Deed::SuppressionAdded, on.clone()).await.unwrap();
                world.app.suppress(&brand, email, reason).await.unwrap();
            }
            world.app.sequence().await.unwrap();
            assert_eq!(found(&world).await, Vec::<String>::new());
            world.app.acted_on_command_line(Deed::SuppressionLifted, on.clone()).await.unwrap();
            assert!(world.app.lift_suppression(&brand, email, reason).await.unwrap().is_some());
        }
        world.end().await;
    }

    async fn a_clock_that_is_set_back_between_a_deed_and_what_it_does_raises_no_alarm(engine: Engine) {
        let world = World::on(engine).await;
        let (brand, email) = (acme(&world), "nobody@example.org");
        let on = world.app.mailbox_named(&brand, email).unwrap();
        world.app.acted_on_command_line(Deed::SuppressionAdded, on).await.unwrap();
        world.clock.step(-60_000_000);
        world.app.suppress(&brand, email, "asked by letter").await.unwrap();
        world.clock.step(60_000_000);
        world.app.sequence().await.unwrap();
        assert_eq!(found(&world).await, Vec::<String>::new());
        world.end().await;
    }

    async fn deeds_of_earlier_versions_that_name_no_mailbox_raise_no_alarm(engine: Engine) {
        let world = World::on(engine).await;
        let (brand, reason) = (acme(&world), "asked by letter");
        unnamed(&world, Deed::SuppressionAdded, "an address that brand acme has no contact of").await;
        world.advance(1);
        world.app.suppress(&brand, "nobody@example.org", reason).await.unwrap();
        confirmed(&world, "dora@example.org").await;
        world.advance(600);
        unnamed(&world, Deed::SuppressionAdded, "a mailbox of brand acme").await;
        world.app.suppress(&brand, "dora@example.org", reason).await.unwrap();
        world.advance(600);
        // Under another spelling, so that no event of the contact tells of it.
        unnamed(&world, Deed::SuppressionLifted, "a mailbox of brand acme").await;
        assert!(world.app.lift_suppression(&brand, "dora+x@example.org", reason).await.unwrap().is_some());
        world.app.sequence().await.unwrap();
        assert_eq!(found(&world).await, Vec::<String>::new());
        world.sql("update mailbox set suppressed_at = suppressed_at + 100000000000 where suppressed_for = 'operator'").await.unwrap();
        let found = found(&world).await;
        assert!(found.iter().any(|one| one.contains("no event tells of that")), "at no time of such a deed: {found:?}");
        world.end().await;
    }

    async fn that_a_row_of_a_mailbox_without_a_contact_was_removed_is_what_nothing_tells(engine: Engine) {
        let world = World::on(engine).await;
        people(&world).await;
        world.sql("delete from mailbox where suppressed_for = 'operator' and hash not in (select mailbox from contact)").await.unwrap();
        world.sql("delete from mailbox where suppressed_for = 'declined' and hash not in (select mailbox from contact)").await.unwrap();
        assert_eq!(found(&world).await, Vec::<String>::new(), "docs/log.md says so");
        world.end().await;
    }
}
