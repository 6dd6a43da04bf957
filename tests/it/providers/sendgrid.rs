//! SendGrid: ECDSA over a time and the whole body, and many events in one post.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::{
    ANNA, THERE, assert_bounced, assert_complained, assert_complained_after_leaving, assert_left,
    assert_refused, assert_untouched, came_to, confirmed, field, foreign, outcome, posted,
    signed_up,
};
use crate::harness::{Reply, World};
use crate::on_both_engines;

const PATH: &str = "/hooks/sendgrid";

/// SendGrid's key: what signs, and what its settings show.
struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap())
    }

    /// `SubjectPublicKeyInfo` (RFC 5480), base64.
    fn shown(&self) -> String {
        let mut der = vec![
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        ];
        der.extend([
            0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ]);
        der.extend(self.0.public_key().as_ref());
        STANDARD.encode(der)
    }

    fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let message = [timestamp.as_bytes(), body].concat();
        STANDARD.encode(self.0.sign(&SystemRandom::new(), &message).unwrap())
    }
}

async fn world(engine: countersign::store::Engine) -> (World, Key) {
    let key = Key::new();
    let settings = format!("[hook]\nsendgrid_key = \"{}\"\n", key.shown());
    (World::with(engine, &settings).await, key)
}

fn now(world: &World) -> String {
    world.clock.now().unix_seconds().to_string()
}

async fn send(world: &World, signature: &str, timestamp: &str, body: &[u8]) -> Reply {
    let client = world
        .client(THERE)
        .with("X-Twilio-Email-Event-Webhook-Signature", signature)
        .with("X-Twilio-Email-Event-Webhook-Timestamp", timestamp);
    posted(client, PATH, body).await
}

async fn post(world: &World, key: &Key, events: &Value) -> Reply {
    // SendGrid ends lines within the body, and signs what it sends.
    let body = events.to_string().replace("},{", "},\r\n{");
    let at = now(world);
    send(world, &key.sign(&at, body.as_bytes()), &at, body.as_bytes()).await
}

/// The token as SendGrid finds it in our `X-SMTPAPI`.
fn token(raw: &str) -> String {
    let header: Value = serde_json::from_str(field(raw, "X-SMTPAPI")).unwrap();
    header["unique_args"]["countersign"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// As twilio.com/docs/sendgrid/for-developers/tracking-events/event shows it; unique arguments stand beside the rest.
fn event(token: &str, kind: &str, id: &str) -> Value {
    json!({
        "email": ANNA, "timestamp": 1795455300, "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>", "event": kind,
        "category": ["cat facts"], "sg_event_id": id, "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "countersign": token
    })
}

fn bounce(token: &str, id: &str, kind: &str, status: &str, reason: &str) -> Value {
    let mut bounce = event(token, "bounce", id);
    bounce["type"] = json!(kind);
    bounce["status"] = json!(status);
    bounce["reason"] = json!(reason);
    bounce["bounce_classification"] = json!("Invalid Address");
    bounce
}

on_both_engines! {
    async fn a_bounce_ends_the_request(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&signed_up(&world, ANNA).await);
        let events = json!([bounce(&token, "6g4ZI7SA-xmRDv57GoPIPw==", "bounce", "5.0.0", "500 unknown recipient")]);
        assert_eq!(outcome(&post(&world, &key, &events).await), came_to("hard"));
        assert_bounced(&world, "SendGrid", "6g4ZI7SA-xmRDv57GoPIPw==", "5.0.0").await;
        world.finish().await;
    }

    async fn a_block_is_counted_and_what_is_dropped_because_of_the_address_counts_for_good(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&confirmed(&world, ANNA).await);
        let blocked = json!([bounce(&token, "1", "blocked", "5.7.1", "550 5.7.1 blocked")]);
        assert_eq!(outcome(&post(&world, &key, &blocked).await), came_to("soft"));
        let mut dropped = event(&token, "dropped", "2");
        dropped["reason"] = json!("Recipient List over Package Quota");
        assert_eq!(outcome(&post(&world, &key, &json!([dropped])).await), came_to("soft"));
        dropped["reason"] = json!("Bounced Address");
        dropped["sg_event_id"] = json!("3");
        assert_eq!(outcome(&post(&world, &key, &json!([dropped])).await), came_to("hard"));
        assert_bounced(&world, "SendGrid", "3", "5.0.0").await;
        world.finish().await;
    }

    async fn what_is_dropped_because_of_what_the_person_did_counts_as_that(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&confirmed(&world, ANNA).await);
        let mut dropped = event(&token, "dropped", "1");
        dropped["reason"] = json!("Unsubscribed Address");
        assert_eq!(outcome(&post(&world, &key, &json!([dropped])).await), came_to("left"));
        assert_left(&world, "SendGrid").await;
        dropped["reason"] = json!("Spam Reporting Address");
        dropped["sg_event_id"] = json!("2");
        assert_eq!(outcome(&post(&world, &key, &json!([dropped])).await), came_to("complaint"));
        assert_complained_after_leaving(&world, "SendGrid").await;
        world.finish().await;
    }

    async fn a_spam_report_withdraws(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&confirmed(&world, ANNA).await);
        let events = json!([event(&token, "spamreport", "37nvH5QBz858KGVYCM4uOA==")]);
        assert_eq!(outcome(&post(&world, &key, &events).await), came_to("complaint"));
        assert_complained(&world, "SendGrid").await;
        world.finish().await;
    }

    async fn who_leaves_by_sendgrids_link_has_left(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&confirmed(&world, ANNA).await);
        let mut events = json!([event(&token, "group_unsubscribe", "ahSCB7xYcXFb-hEaawsPRw==")]);
        events[0]["asm_group_id"] = json!(10);
        assert_eq!(outcome(&post(&world, &key, &events).await), came_to("left"));
        assert_left(&world, "SendGrid").await;
        world.finish().await;
    }

    async fn who_leaves_and_complains_in_one_post_has_left_and_is_written_to_no_more(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&confirmed(&world, ANNA).await);
        let events = json!([event(&token, "unsubscribe", "1"), event(&token, "spamreport", "2"), event(&token, "spamreport", "3")]);
        assert_eq!(outcome(&post(&world, &key, &events).await), json!({ "left": 1, "complaint": 1, "again": 1 }));
        assert_complained_after_leaving(&world, "SendGrid").await;
        world.finish().await;
    }

    async fn of_a_batch_with_broken_and_unknown_entries_the_rest_is_taken_each_for_its_own_contact(engine: Engine) {
        let (world, key) = world(engine).await;
        let anna = token(&confirmed(&world, ANNA).await);
        let otto = token(&confirmed(&world, "otto@example.org").await);
        let mut ottos = bounce(&otto, "2", "bounce", "5.1.1", "550 5.1.1 no such user");
        ottos["email"] = json!("otto@example.org");
        let mut nowhere = bounce(&anna, "3", "bounce", "5.1.1", "550");
        nowhere.as_object_mut().unwrap().remove("email");
        let events = json!([
            event(&anna, "processed", "a"), event(&anna, "delivered", "b"), event(&anna, "deferred", "c"),
            event(&anna, "open", "d"), event(&anna, "something_new", "e"),
            7, null, ["x"], { "email": ANNA }, nowhere,
            bounce(&foreign(&anna), "4", "bounce", "5.1.1", "550"),
            bounce(&otto, "5", "bounce", "5.1.1", "550"),
            bounce(&anna, "1", "blocked", "4.0.0", "450 later"),
            bounce(&anna, "1", "blocked", "4.0.0", "450 later"),
            ottos,
        ]);
        let came = outcome(&post(&world, &key, &events).await);
        assert_eq!(came, json!({
            "ignored": 5, "broken": 5, "not_ours": 1, "wrong_recipient": 1, "soft": 1, "again": 1, "hard": 1
        }));
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        assert_eq!(world.permission("otto@example.org", "newsletter").await.rule, "D6");
        world.finish().await;
    }

    async fn a_forged_or_stale_post_and_one_that_was_changed_on_its_way_change_nothing(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&confirmed(&world, ANNA).await);
        let before = world.kinds(ANNA).await;
        let body = json!([event(&token, "spamreport", "1")]).to_string();
        let at = now(&world);
        let genuine = key.sign(&at, body.as_bytes());
        let somebodys = Key::new().sign(&at, body.as_bytes());
        let changed = body.replace("spamreport", "unsubscribe");
        let later = (at.parse::<i64>().unwrap() + 1).to_string();
        for (signature, at, body) in [
            (&somebodys, &at, &body), (&genuine, &at, &changed), (&genuine, &later, &body),
            (&"AAAA".to_owned(), &at, &body), (&"!".to_owned(), &at, &body),
        ] {
            assert_refused(&send(&world, signature, at, body.as_bytes()).await, 403, "signature");
        }
        let bare = posted(world.client(THERE), PATH, body.as_bytes()).await;
        assert_refused(&bare, 403, "signature");
        // Signed for a time that has not come.
        let ahead = (at.parse::<i64>().unwrap() + 3_600).to_string();
        let early = key.sign(&ahead, body.as_bytes());
        assert_refused(&send(&world, &early, &ahead, body.as_bytes()).await, 403, "ahead");
        world.advance(25 * 3_600 + 1);
        assert_refused(&send(&world, &genuine, &at, body.as_bytes()).await, 403, "too long ago");
        assert_untouched(&world, &before).await;
        world.finish().await;
    }

    async fn a_post_that_comes_again_changes_nothing_even_after_the_person_came_back(engine: Engine) {
        let (world, key) = world(engine).await;
        let token = token(&confirmed(&world, ANNA).await);
        // What the second entry tells is known by then, so no event names it.
        let body = json!([event(&token, "unsubscribe", "1"), event(&token, "unsubscribe", "2")]).to_string();
        let at = now(&world);
        let signature = key.sign(&at, body.as_bytes());
        let first = send(&world, &signature, &at, body.as_bytes()).await;
        assert_eq!(outcome(&first), json!({ "left": 1, "again": 1 }));
        world.advance(3_600);
        let anew = crate::leaving::signed_up_for_both(&world, ANNA).await;
        world.client("198.51.100.7").post(&anew.confirm(), &[]).await;
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        let again = send(&world, &signature, &at, body.as_bytes()).await;
        assert_eq!(outcome(&again), came_to("replay"));
        // The same signature in another spelling: its second half from the other end.
        let resigned = key.sign(&at, body.as_bytes());
        assert_eq!(outcome(&send(&world, &resigned, &at, body.as_bytes()).await), came_to("replay"));
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        world.finish().await;
    }

    async fn more_events_than_a_post_may_have_are_refused_as_a_whole(engine: Engine) {
        let (world, key) = world(engine).await;
        let many = Value::Array(vec![json!(0); 5_001]);
        assert_refused(&post(&world, &key, &many).await, 413, "5000 events");
        let fitting = Value::Array(vec![json!(0); 5_000]);
        assert_eq!(outcome(&post(&world, &key, &fitting).await), json!({ "broken": 5_000 }));
        assert_refused(&post(&world, &key, &json!({ "event": "bounce" })).await, 400, "JSON");
        world.finish().await;
    }
}
