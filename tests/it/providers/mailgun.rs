//! Mailgun: an HMAC over a time and a token, which are good once.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    ANNA, THERE, assert_bounced, assert_complained, assert_complained_after_leaving, assert_left,
    assert_refused, assert_untouched, came_to, confirmed, field, foreign, outcome, passing, posted,
    signed_up,
};
use crate::harness::{Reply, World};
use crate::on_both_engines;

const KEY: &str = "key-of-the-tests-own-0123456789";
const PATH: &str = "/hooks/mailgun";

async fn world(engine: countersign::store::Engine) -> World {
    World::with(engine, &format!("[hook]\nmailgun_key = \"{KEY}\"\n")).await
}

/// As documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks describes it.
fn signature(world: &World, key: &str, token: &str) -> Value {
    let timestamp = world.clock.now().unix_seconds().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{timestamp}{token}").as_bytes());
    let bytes = mac.finalize().into_bytes();
    let signature: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "token": token, "timestamp": timestamp, "signature": signature })
}

/// A token that was not used before.
fn fresh() -> String {
    let bytes = countersign::clock::Random::Os.bytes::<25>();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn send(world: &World, signature: &Value, event: &Value) -> Reply {
    let body = json!({ "signature": signature, "event-data": event }).to_string();
    posted(world.client(THERE), PATH, body.as_bytes()).await
}

async fn post(world: &World, event: &Value) -> Reply {
    send(world, &signature(world, KEY, &fresh()), event).await
}

/// What Mailgun makes of our `X-Mailgun-Variables`.
fn variables(raw: &str) -> Value {
    serde_json::from_str(field(raw, "X-Mailgun-Variables")).unwrap()
}

/// As documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure shows it.
fn failed(variables: &Value, severity: &str, reason: &str, code: u16, enhanced: &str) -> Value {
    json!({
        "event": "failed", "id": "G9Bn5sl1TC6nu79C8C0bwg", "timestamp": 1795455300.06745, "log-level": "error",
        "severity": severity, "reason": reason, "recipient": ANNA, "recipient-domain": "example.org",
        "delivery-status": {
            "attempt-no": 1, "message": "", "code": code, "enhanced-code": enhanced,
            "description": "No Such User Here", "session-seconds": 0.0
        },
        "flags": { "is-routed": false, "is-authenticated": true, "is-system-test": false, "is-test-mode": false },
        "envelope": { "transport": "smtp", "sender": "letters@acme.example", "sending-ip": "192.0.2.3", "targets": ANNA },
        "message": { "headers": { "to": ANNA, "message-id": "20261123.1@acme.example", "from": "letters@acme.example", "subject": "x" }, "attachments": [], "size": 111 },
        "campaigns": [], "tags": [], "user-variables": variables
    })
}

/// The others, which say less.
fn told(variables: &Value, kind: &str) -> Value {
    json!({
        "event": kind, "id": "-Agny091SquKnsrW2NEKUA", "timestamp": 1795455300.06745, "log-level": "warn",
        "recipient": ANNA, "flags": { "is-test-mode": false }, "user-variables": variables, "tags": [],
        "message": { "headers": { "to": ANNA, "message-id": "20261123.1@acme.example" } }
    })
}

on_both_engines! {
    async fn a_permanent_failure_ends_the_request(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&signed_up(&world, ANNA).await);
        let event = failed(&variables, "permanent", "bounce", 550, "5.1.1");
        assert_eq!(outcome(&post(&world, &event).await), came_to("hard"));
        assert_bounced(&world, "Mailgun", "G9Bn5sl1TC6nu79C8C0bwg", "5.1.1").await;
        world.finish().await;
    }

    async fn an_address_on_mailguns_own_list_counts_as_one_that_takes_no_mail(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&signed_up(&world, ANNA).await);
        let event = failed(&variables, "permanent", "suppress-bounce", 605, "");
        assert_eq!(outcome(&post(&world, &event).await), came_to("hard"));
        assert_bounced(&world, "Mailgun", "G9Bn5sl1TC6nu79C8C0bwg", "5.0.0").await;
        world.finish().await;
    }

    async fn what_mailguns_lists_tell_of_the_person_counts_as_what_the_person_did(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&confirmed(&world, ANNA).await);
        let event = failed(&variables, "permanent", "suppress-unsubscribe", 605, "");
        assert_eq!(outcome(&post(&world, &event).await), came_to("left"));
        assert_left(&world, "Mailgun").await;
        let mut event = failed(&variables, "permanent", "suppress-complaint", 605, "");
        event["id"] = json!("another");
        assert_eq!(outcome(&post(&world, &event).await), came_to("complaint"));
        assert_complained_after_leaving(&world, "Mailgun").await;
        world.finish().await;
    }

    async fn while_mailgun_still_tries_nothing_is_counted_and_its_last_try_is(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&confirmed(&world, ANNA).await);
        let trying = failed(&variables, "temporary", "generic", 452, "4.2.2");
        assert_eq!(outcome(&post(&world, &trying).await), came_to("ignored"));
        assert_eq!(passing(&world).await, []);
        for severity in ["temporary", "permanent"] {
            let mut last = failed(&variables, severity, "old", 602, "");
            last["id"] = json!(severity);
            assert_eq!(outcome(&post(&world, &last).await), came_to("soft"), "{severity}");
        }
        assert_eq!(passing(&world).await, [Some(1), Some(2)]);
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        world.finish().await;
    }

    async fn a_complaint_withdraws_and_an_unsubscription_too(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&confirmed(&world, ANNA).await);
        for kind in ["accepted", "delivered", "opened", "clicked", "list_member_uploaded"] {
            assert_eq!(outcome(&post(&world, &told(&variables, kind)).await), came_to("ignored"), "{kind}");
        }
        assert_eq!(outcome(&post(&world, &told(&variables, "unsubscribed")).await), came_to("left"));
        assert_left(&world, "Mailgun").await;
        let mut complaint = told(&variables, "complained");
        complaint["id"] = json!("-Agny091SquKnsrW2NEKUB");
        // Of what was left already, a complaint still says that nothing must be sent there again.
        assert_eq!(outcome(&post(&world, &complaint).await), came_to("complaint"));
        assert_complained_after_leaving(&world, "Mailgun").await;
        let before = world.kinds(ANNA).await;
        assert_eq!(outcome(&post(&world, &complaint).await), came_to("again"));
        complaint["id"] = json!("a-complaint-under-another-id");
        assert_eq!(outcome(&post(&world, &complaint).await), came_to("again"));
        assert_eq!(world.kinds(ANNA).await, before);
        world.finish().await;
    }

    async fn a_complaint_alone_withdraws(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&confirmed(&world, ANNA).await);
        assert_eq!(outcome(&post(&world, &told(&variables, "complained")).await), came_to("complaint"));
        assert_complained(&world, "Mailgun").await;
        world.finish().await;
    }

    async fn a_forged_or_stale_signature_changes_nothing(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&confirmed(&world, ANNA).await);
        let before = world.kinds(ANNA).await;
        let event = failed(&variables, "permanent", "bounce", 550, "5.1.1");
        let genuine = signature(&world, KEY, &fresh());
        let mut forged = vec![signature(&world, "another key of somebody else's", &fresh())];
        for (name, value) in [("token", json!("another")), ("timestamp", json!("1795455246")), ("signature", json!("00"))] {
            let mut changed = genuine.clone();
            changed[name] = value;
            forged.push(changed);
        }
        for signature in forged {
            assert_refused(&send(&world, &signature, &event).await, 403, "signature");
        }
        world.advance(9 * 3_600 + 1);
        assert_refused(&send(&world, &genuine, &event).await, 403, "too long ago");
        let unsigned = json!({ "event-data": event }).to_string();
        let reply = posted(world.client(THERE), PATH, unsigned.as_bytes()).await;
        assert_refused(&reply, 400, "JSON");
        assert_untouched(&world, &before).await;
        world.finish().await;
    }

    async fn a_token_is_good_once_also_for_other_events_and_in_another_process(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&confirmed(&world, ANNA).await);
        let before = world.kinds(ANNA).await;
        let signature = signature(&world, KEY, &fresh());
        assert_eq!(outcome(&send(&world, &signature, &told(&variables, "delivered")).await), came_to("ignored"));
        let hard = failed(&variables, "permanent", "bounce", 550, "5.1.1");
        // The signature does not cover the event, so whoever saw one post could put another event beside it.
        assert_eq!(outcome(&send(&world, &signature, &hard).await), came_to("replay"));
        // What is used up stands in the database, where every process looks.
        world.app.tidy().await.unwrap();
        world.advance(8 * 3_600);
        world.app.tidy().await.unwrap();
        assert_eq!(outcome(&send(&world, &signature, &hard).await), came_to("replay"));
        assert_untouched(&world, &before).await;
        world.finish().await;
    }

    async fn an_event_of_somebody_elses_mail_in_the_same_account_changes_nothing(engine: Engine) {
        let world = world(engine).await;
        let variables = variables(&confirmed(&world, ANNA).await);
        let before = world.kinds(ANNA).await;
        let token = variables["countersign"].as_str().unwrap();
        for other in [json!({}), json!({ "countersign": foreign(token) }), json!({ "countersign": 7 })] {
            let event = failed(&other, "permanent", "bounce", 550, "5.1.1");
            assert_eq!(outcome(&post(&world, &event).await), came_to("not_ours"));
        }
        let mut elsewhere = failed(&variables, "permanent", "bounce", 550, "5.1.1");
        elsewhere["recipient"] = json!("otto@example.org");
        assert_eq!(outcome(&post(&world, &elsewhere).await), came_to("wrong_recipient"));
        assert_untouched(&world, &before).await;
        world.finish().await;
    }
}
