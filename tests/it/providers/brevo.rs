//! Brevo: no signature, a token or a password.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    ANNA, THERE, assert_bounced, assert_complained, assert_left, assert_refused, assert_untouched,
    came_to, confirmed, field, foreign, outcome, passing, posted, signed_up,
};
use crate::harness::{Reply, World};
use crate::on_both_engines;

const SECRET: &str = "a-token-of-the-tests-own-1";
const PATH: &str = "/hooks/brevo";

async fn world(engine: countersign::store::Engine) -> World {
    World::with(engine, &format!("[hook]\nbrevo_secret = \"{SECRET}\"\n")).await
}

async fn post(world: &World, event: &Value) -> Reply {
    let client = world
        .client(THERE)
        .with("authorization", &format!("Bearer {SECRET}"));
    posted(client, PATH, event.to_string().as_bytes()).await
}

/// As developers.brevo.com/docs/transactional-webhooks shows it.
fn event(custom: &str, kind: &str, at: i64, reason: &str) -> Value {
    json!({
        "event": kind, "email": ANNA, "id": 26224, "date": "2026-11-23 17:34:05", "ts": at, "ts_event": at,
        "message-id": "<201798300811.5787683@relay.domain.com>", "subject": "Please confirm",
        "X-Mailin-custom": custom, "sending_ip": "192.0.2.3", "template_id": 22, "tags": ["transac_messages"],
        "reason": reason, "ts_epoch": at * 1_000
    })
}

on_both_engines! {
    async fn a_hard_bounce_ends_the_request(engine: Engine) {
        let world = world(engine).await;
        let raw = signed_up(&world, ANNA).await;
        let bounce = event(field(&raw, "X-Mailin-custom"), "hard_bounce", 1_604_933_654, "550 5.1.1 no such user");
        assert_eq!(outcome(&post(&world, &bounce).await), came_to("hard"));
        let id = "<201798300811.5787683@relay.domain.com> hardbounce 1604933654";
        assert_bounced(&world, "Brevo", id, "5.1.1").await;
        world.finish().await;
    }

    async fn a_soft_bounce_is_counted_once_a_delay_is_not_and_a_blocked_address_takes_no_mail(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let custom = field(&raw, "X-Mailin-custom");
        for (kind, at, came) in [
            ("deferred", 1, "ignored"), ("soft_bounce", 2, "soft"), ("softBounce", 2, "again"), ("soft_bounce", 3, "soft"),
            ("request", 4, "ignored"), ("delivered", 4, "ignored"), ("unique_opened", 5, "ignored"), ("proxy_open", 5, "ignored"),
        ] {
            let told = event(custom, kind, at, "452 4.2.2 mailbox full");
            assert_eq!(outcome(&post(&world, &told).await), came_to(came), "{kind} {at}");
        }
        assert_eq!(passing(&world).await, [Some(1), Some(2)]);
        let blocked = event(custom, "blocked", 6, "blocked : due to blacklist user");
        assert_eq!(outcome(&post(&world, &blocked).await), came_to("hard"));
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
        world.finish().await;
    }

    async fn a_complaint_withdraws(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let told = event(field(&raw, "X-Mailin-custom"), "spam", 1, "");
        assert_eq!(outcome(&post(&world, &told).await), came_to("complaint"));
        assert_complained(&world, "Brevo").await;
        world.finish().await;
    }

    async fn who_leaves_by_brevos_link_has_left_also_where_posts_come_in_batches(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let custom = field(&raw, "X-Mailin-custom");
        let batch = json!([event(custom, "delivered", 1, ""), "broken", event(custom, "unsubscribed", 2, "")]);
        assert_eq!(outcome(&post(&world, &batch).await), json!({ "ignored": 1, "broken": 1, "left": 1 }));
        assert_left(&world, "Brevo").await;
        world.finish().await;
    }

    async fn without_the_secret_or_our_token_nothing_changes(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let before = world.kinds(ANNA).await;
        let custom = field(&raw, "X-Mailin-custom");
        let body = event(custom, "spam", 1, "").to_string();
        let wrong = world.client(THERE).with("authorization", "Bearer a-token-of-the-tests-own-2");
        for client in [world.client(THERE), wrong] {
            assert_refused(&posted(client, PATH, body.as_bytes()).await, 401, "credentials");
        }
        for other in ["", "some_custom_header", &foreign(custom)] {
            assert_eq!(outcome(&post(&world, &event(other, "spam", 1, "")).await), came_to("not_ours"));
        }
        assert_untouched(&world, &before).await;
        let basic = format!("Basic {}", STANDARD.encode(format!("brevo:{SECRET}")));
        let client = world.client(THERE).with("authorization", &basic);
        assert_eq!(outcome(&posted(client, PATH, body.as_bytes()).await), came_to("complaint"));
        world.finish().await;
    }
}
