//! Postmark: no signature, a secret and networks.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    ANNA, THERE, assert_bounced, assert_complained, assert_left, assert_refused, assert_untouched,
    came_to, confirmed, field, foreign, outcome, passing, posted, signed_up,
};
use crate::harness::{Client, Reply, World};
use crate::on_both_engines;

const SECRET: &str = "a-password-of-the-tests-own";
const PATH: &str = "/hooks/postmark";

async fn world(engine: countersign::store::Engine) -> World {
    let settings = format!("[hook]\npostmark_secret = \"{SECRET}\"\n[bounce]\nsoft_limit = 3\n");
    World::with(engine, &settings).await
}

fn client(world: &World, password: &str) -> Client {
    let basic = format!("Basic {}", STANDARD.encode(format!("postmark:{password}")));
    world.client(THERE).with("authorization", &basic)
}

async fn post(world: &World, event: &Value) -> Reply {
    posted(client(world, SECRET), PATH, event.to_string().as_bytes()).await
}

/// As postmarkapp.com/developer/webhooks/bounce-webhook shows it.
fn bounce(token: &str, kind: &str, id: u64, details: &str) -> Value {
    json!({
        "RecordType": "Bounce", "ID": id, "Type": kind, "TypeCode": 1, "Name": "Hard bounce", "Tag": "",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Metadata": { "countersign": token },
        "ServerID": 23, "MessageStream": "outbound",
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": details, "Email": ANNA, "From": "letters@acme.example",
        "BouncedAt": "2026-11-23T17:40:00.0000000Z", "DumpAvailable": true, "Inactive": true,
        "CanActivate": true, "Subject": "Please confirm", "Content": "…"
    })
}

on_both_engines! {
    async fn a_hard_bounce_ends_the_request_and_is_told_once(engine: Engine) {
        let world = world(engine).await;
        let raw = signed_up(&world, ANNA).await;
        let token = field(&raw, "X-PM-Metadata-countersign").to_owned();
        let event = bounce(&token, "HardBounce", 4323372036854775807, "smtp;550 5.1.1 no such user");
        assert_eq!(outcome(&post(&world, &event).await), came_to("hard"));
        assert_eq!(outcome(&post(&world, &event).await), came_to("again"));
        assert_bounced(&world, "Postmark", "Bounce 4323372036854775807", "5.1.1").await;
        world.finish().await;
    }

    async fn a_soft_bounce_is_counted_once_however_often_it_is_told_and_the_limit_holds(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let token = field(&raw, "X-PM-Metadata-countersign").to_owned();
        let soft = |id| bounce(&token, "SoftBounce", id, "smtp;552 5.2.2 mailbox full");
        for (id, came) in [(1, "soft"), (1, "again"), (2, "soft"), (1, "again"), (2, "again")] {
            assert_eq!(outcome(&post(&world, &soft(id)).await), came_to(came), "{id}");
        }
        assert_eq!(passing(&world).await, [Some(1), Some(2)]);
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        // A delay, an answer from somebody on holiday and a type that is not known count for nothing.
        for kind in ["Transient", "AutoResponder", "SomethingNew"] {
            assert_eq!(outcome(&post(&world, &bounce(&token, kind, 9, "")).await), came_to("ignored"));
        }
        assert_eq!(outcome(&post(&world, &soft(3)).await), came_to("hard"));
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
        world.finish().await;
    }

    async fn of_ten_posts_of_one_soft_bounce_at_once_one_is_counted(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let token = field(&raw, "X-PM-Metadata-countersign").to_owned();
        let event = bounce(&token, "SoftBounce", 7, "smtp;452 4.2.2 mailbox full");
        let posts = (0..10).map(|_| post(&world, &event));
        let replies = futures_util::future::join_all(posts).await;
        let soft = replies.iter().filter(|reply| outcome(reply) == came_to("soft")).count();
        assert_eq!((soft, passing(&world).await), (1, vec![Some(1)]));
        world.finish().await;
    }

    async fn a_complaint_withdraws_and_a_bounce_that_the_receiving_servers_policy_caused_does_not_end_it(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let token = field(&raw, "X-PM-Metadata-countersign").to_owned();
        let policy = bounce(&token, "HardBounce", 1, "smtp;550 5.7.1 refused by policy");
        assert_eq!(outcome(&post(&world, &policy).await), came_to("soft"));
        let mut complaint = bounce(&token, "SpamComplaint", 2, "Test spam complaint details");
        complaint["RecordType"] = json!("SpamComplaint");
        complaint["TypeCode"] = json!(100_001);
        assert_eq!(outcome(&post(&world, &complaint).await), came_to("complaint"));
        assert_complained(&world, "Postmark").await;
        assert_eq!(outcome(&post(&world, &complaint).await), came_to("again"));
        world.finish().await;
    }

    async fn who_leaves_by_postmarks_own_link_has_left_everything_and_what_an_operator_did_there_is_not_the_persons_act(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let before = world.kinds(ANNA).await;
        let token = field(&raw, "X-PM-Metadata-countersign").to_owned();
        // As postmarkapp.com/developer/webhooks/subscription-change-webhook shows it.
        let change = |origin: &str, stop: bool| json!({
            "RecordType": "SubscriptionChange", "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "ServerID": 123456,
            "MessageStream": "outbound", "ChangedAt": "2026-11-23T18:00:00Z", "Recipient": ANNA, "Origin": origin,
            "SuppressSending": stop, "SuppressionReason": "ManualSuppression", "Tag": "my-tag",
            "Metadata": { "countersign": token }
        });
        for other in [change("Customer", true), change("Recipient", false)] {
            assert_eq!(outcome(&post(&world, &other).await), came_to("ignored"));
        }
        assert_untouched(&world, &before).await;
        assert_eq!(outcome(&post(&world, &change("Recipient", true)).await), came_to("left"));
        assert_left(&world, "Postmark").await;
        assert_eq!(outcome(&post(&world, &change("Recipient", true)).await), came_to("again"));
        // The person's own new act counts, and the old post, sent once more, does not undo it.
        world.advance(3_600);
        let anew = crate::leaving::signed_up_for_both(&world, ANNA).await;
        assert_eq!(world.client("198.51.100.7").post(&anew.confirm(), &[]).await.heading(), "Confirmed");
        assert_eq!(outcome(&post(&world, &change("Recipient", true)).await), came_to("again"));
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        world.finish().await;
    }

    async fn without_the_secret_nothing_is_believed(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let before = world.kinds(ANNA).await;
        let event = bounce(field(&raw, "X-PM-Metadata-countersign"), "HardBounce", 1, "550 5.1.1").to_string();
        let bare = world.client(THERE);
        let digest = world.client(THERE).with("authorization", &format!("Digest {SECRET}"));
        for client in [bare, digest, client(&world, "a-password-of-the-tests-owN"), client(&world, "")] {
            let reply = posted(client, PATH, event.as_bytes()).await;
            assert_refused(&reply, 401, "credentials");
            assert!(reply.header("www-authenticate").unwrap().starts_with("Basic "));
        }
        assert_untouched(&world, &before).await;
        let bearer = world.client(THERE).with("authorization", &format!("Bearer {SECRET}"));
        assert_eq!(outcome(&posted(bearer, PATH, event.as_bytes()).await), came_to("hard"));
        world.finish().await;
    }

    async fn an_event_of_a_mail_that_is_not_ours_or_went_to_somebody_else_changes_nothing(engine: Engine) {
        let world = world(engine).await;
        let raw = confirmed(&world, ANNA).await;
        let other = confirmed(&world, "otto@example.org").await;
        let before = world.kinds(ANNA).await;
        let token = field(&raw, "X-PM-Metadata-countersign").to_owned();
        let ottos = field(&other, "X-PM-Metadata-countersign").to_owned();
        let hard = |token: &str| bounce(token, "HardBounce", 1, "smtp;550 5.1.1");
        let mut without = hard(&token);
        without["Metadata"] = json!({});
        for event in [hard(&foreign(&token)), hard(""), without] {
            assert_eq!(outcome(&post(&world, &event).await), came_to("not_ours"));
        }
        assert_eq!(outcome(&post(&world, &hard(&ottos)).await), came_to("wrong_recipient"));
        let mut elsewhere = hard(&token);
        elsewhere["Email"] = json!("anna@example.com");
        assert_eq!(outcome(&post(&world, &elsewhere).await), came_to("wrong_recipient"));
        elsewhere["Email"] = json!(null);
        assert_eq!(outcome(&post(&world, &elsewhere).await), came_to("broken"));
        assert_untouched(&world, &before).await;
        assert!(world.permission("otto@example.org", "newsletter").await.allowed);
        let mut shouted = hard(&token);
        shouted["Email"] = json!("Anna@EXAMPLE.org");
        assert_eq!(outcome(&post(&world, &shouted).await), came_to("hard"));
        world.finish().await;
    }

    async fn a_post_that_cannot_be_read_or_is_too_large_is_refused_and_one_of_another_kind_is_not(engine: Engine) {
        let world = world(engine).await;
        for body in [&b"{"[..], b"", b"[]", b"{}", b"\"text\"", b"\xff\xfe"] {
            let reply = posted(client(&world, SECRET), PATH, body).await;
            assert_refused(&reply, 400, "JSON");
        }
        for kind in ["Delivery", "Open", "Click", "SomethingNew"] {
            let event = json!({ "RecordType": kind });
            assert_eq!(outcome(&post(&world, &event).await), came_to("ignored"), "{kind}");
        }
        let large = vec![b' '; (1 << 20) + 1];
        let reply = posted(client(&world, SECRET), PATH, &large).await;
        assert_refused(&reply, 413, "1048576 bytes");
        let missing = posted(client(&world, SECRET), "/hooks/mailgun", b"{}").await;
        assert_refused(&missing, 404, "not set up");
        assert_refused(&posted(client(&world, SECRET), "/hooks/somebody", b"{}").await, 404, "not set up");
        world.finish().await;
    }

    async fn with_networks_the_secret_alone_is_not_enough(engine: Engine) {
        let settings = format!("[hook]\npostmark_secret = \"{SECRET}\"\npostmark_networks = [\"198.51.100.64/28\"]\n");
        let world = World::with(engine, &settings).await;
        let open = br#"{"RecordType": "Open"}"#;
        let basic = format!("Basic {}", STANDARD.encode(format!("postmark:{SECRET}")));
        for (from, status) in [("198.51.100.80", 403), ("2001:db8::1", 403), (THERE, 200)] {
            let client = world.client(from).with("authorization", &basic);
            assert_eq!(posted(client, PATH, open).await.status, status, "{from}");
        }
        world.finish().await;
    }

    async fn while_the_database_fails_the_provider_is_told_to_come_again_and_then_nothing_is_lost(engine: Engine) {
        let world = world(engine).await;
        let raw = signed_up(&world, ANNA).await;
        let event = bounce(field(&raw, "X-PM-Metadata-countersign"), "HardBounce", 1, "smtp;550 5.1.1");
        world.sql("alter table contact rename to contact_away").await.unwrap();
        let reply = post(&world, &event).await;
        assert_refused(&reply, 503, "Post it again");
        assert!(reply.header("retry-after").is_some());
        world.sql("alter table contact_away rename to contact").await.unwrap();
        assert_eq!(outcome(&post(&world, &event).await), came_to("hard"));
        world.finish().await;
    }
}
