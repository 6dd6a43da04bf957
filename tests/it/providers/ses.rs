//! What Amazon SES tells of a mail: notifications of an identity, and events of a configuration set.

use serde_json::{Value, json};

use super::sns::{CERTIFICATE, Signer, Sns, message, pinned, post, send, sign};
use super::{
    ANNA, assert_bounced, assert_complained, assert_left, assert_untouched, came_to, confirmed,
    field, foreign, outcome, passing, signed_up,
};
use crate::on_both_engines;
use crate::smtp::peers::is_left_out;

/// The mail of a notification, with its own head as SES gives it back where that is switched on
/// (docs.aws.amazon.com/ses/latest/dg/notification-contents.html).
pub fn mail(raw: &str) -> Value {
    json!({
        "timestamp": "2026-11-23T17:34:05.000Z", "messageId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000",
        "source": "letters@acme.example", "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/acme.example",
        "sourceIp": "127.0.3.0", "sendingAccountId": "123456789012", "destination": [ANNA], "headersTruncated": false,
        "headers": [
            { "name": "From", "value": "\"Acme Letters\" <letters@acme.example>" }, { "name": "To", "value": ANNA },
            { "name": "X-Countersign-Mail", "value": field(raw, "X-Countersign-Mail") }
        ],
        "commonHeaders": { "from": ["Acme Letters <letters@acme.example>"], "to": [ANNA], "messageId": "1", "subject": "x" }
    })
}

/// The same of an event that a configuration set publishes: with tags.
fn tagged(raw: &str) -> Value {
    let tag = field(raw, "X-SES-MESSAGE-TAGS")
        .strip_prefix("countersign=")
        .unwrap();
    let mut mail = mail(raw);
    mail["headers"] = json!([]);
    mail["tags"] = json!({ "ses:configuration-set": ["ConfigSet"], "countersign": [tag] });
    mail
}

fn bounce(mail: &Value, id: &str, kind: &str, subtype: &str, status: &str, said: &str) -> Value {
    json!({
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind, "bounceSubType": subtype, "reportingMTA": "dns; email.example.com",
            "bouncedRecipients": [{ "emailAddress": ANNA, "status": status, "action": "failed", "diagnosticCode": said }],
            "timestamp": "2026-11-23T17:40:00.000Z", "feedbackId": id, "remoteMtaIp": "127.0.2.0"
        },
        "mail": mail
    })
}

pub fn complaint(mail: &Value, feedback: Option<&str>) -> Value {
    json!({
        "eventType": "Complaint",
        "complaint": {
            "userAgent": "AnyCompany Feedback Loop (V0.01)", "complainedRecipients": [{ "emailAddress": ANNA }],
            "complaintFeedbackType": feedback, "arrivalDate": "2026-11-23T17:40:00.000Z",
            "timestamp": "2026-11-23T17:40:00.000Z", "feedbackId": "000001378603177f-18c07c78-fa81-4a58-9dd1-fedc3cb8f49a-000000"
        },
        "mail": mail
    })
}

const FEEDBACK: &str = "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa068a-000000";

on_both_engines! {
    async fn a_permanent_bounce_ends_the_request_and_the_certificate_is_fetched_once(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let sns = Sns::start().await;
        let world = sns.world(engine).await;
        let raw = signed_up(&world, ANNA).await;
        let event = bounce(&mail(&raw), FEEDBACK, "Permanent", "General", "5.1.1", "smtp; 550 5.1.1 <anna@example.org>... User");
        for (version, came) in [("1", "hard"), ("2", "again")] {
            let mut message = message(&world, "Notification", &event.to_string());
            message["Subject"] = json!("Amazon SES Email Event Notification");
            let reply = send(&world, &sign(message, version, &Signer::genuine())).await;
            assert_eq!(outcome(&reply), came_to(came), "version {version}");
        }
        assert_eq!(sns.asked(), [CERTIFICATE]);
        assert_bounced(&world, "Amazon SES", FEEDBACK, "5.1.1").await;
        world.finish().await;
    }

    async fn what_passes_is_counted_once_and_what_is_no_failure_not_at_all(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let (world, _folder) = pinned(engine, "").await;
        let raw = confirmed(&world, ANNA).await;
        let mail = mail(&raw);
        for (id, kind, came) in [("1", "Transient", "soft"), ("1", "Transient", "again"), ("2", "Undetermined", "soft")] {
            let event = bounce(&mail, id, kind, "MailboxFull", "4.2.2", "smtp; 452 4.2.2 full");
            assert_eq!(outcome(&post(&world, &event).await), came_to(came), "{kind}");
        }
        assert_eq!(passing(&world).await, [Some(1), Some(2)]);
        for other in [
            json!({ "notificationType": "Delivery", "delivery": {}, "mail": mail }),
            json!({ "eventType": "DeliveryDelay", "deliveryDelay": {}, "mail": mail }),
            json!({ "eventType": "SomethingNew" }),
        ] {
            assert_eq!(outcome(&post(&world, &other).await), came_to("ignored"));
        }
        let sentence = "Successfully validated SNS topic for Amazon SES event publishing.";
        let message = sign(message(&world, "Notification", sentence), "1", &Signer::genuine());
        assert_eq!(outcome(&send(&world, &message).await), came_to("ignored"));
        let listed = bounce(&mail, "3", "Permanent", "OnAccountSuppressionList", "5.1.1", "Amazon SES did not send the message");
        assert_eq!(outcome(&post(&world, &listed).await), came_to("hard"));
        world.finish().await;
    }

    async fn a_complaint_withdraws_and_feedback_that_is_none_does_not(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let (world, _folder) = pinned(engine, "").await;
        let raw = confirmed(&world, ANNA).await;
        let before = world.kinds(ANNA).await;
        let mail = tagged(&raw);
        for kind in ["not-spam", "auth-failure", "virus", "other"] {
            assert_eq!(outcome(&post(&world, &complaint(&mail, Some(kind))).await), came_to("no_complaint"), "{kind}");
        }
        assert_untouched(&world, &before).await;
        // One that SES did not even send, since the person had complained of an earlier one.
        let mut listed = complaint(&mail, None);
        listed["complaint"]["complaintSubType"] = json!("OnAccountSuppressionList");
        listed["complaint"]["feedbackId"] = json!("listed");
        assert_eq!(outcome(&post(&world, &listed).await), came_to("complaint"));
        assert_complained(&world, "Amazon SES").await;
        let brand = crate::leaving::brand(&world);
        world.app.lift_suppression(&brand, ANNA, "by mistake").await.unwrap().unwrap();
        assert_eq!(outcome(&post(&world, &complaint(&mail, None)).await), came_to("complaint"));
        assert_complained(&world, "Amazon SES").await;
        world.finish().await;
    }

    async fn who_unsubscribes_at_ses_has_left_and_a_change_of_topics_there_is_not_that(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let (world, _folder) = pinned(engine, "").await;
        let raw = confirmed(&world, ANNA).await;
        // docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
        let subscription = |all: bool| json!({
            "eventType": "Subscription", "mail": tagged(&raw),
            "subscription": {
                "contactList": "ContactListName", "timestamp": "2026-11-23T18:00:00.000Z", "source": "UnsubscribeHeader",
                "newTopicPreferences": { "unsubscribeAll": all, "topicSubscriptionStatus": [{ "topicName": "ExampleTopicName", "subscriptionStatus": "OptOut" }] },
                "oldTopicPreferences": { "unsubscribeAll": false, "topicSubscriptionStatus": [{ "topicName": "ExampleTopicName", "subscriptionStatus": "OptOut" }] }
            }
        });
        assert_eq!(outcome(&post(&world, &subscription(false)).await), came_to("ignored"));
        assert_eq!(outcome(&post(&world, &subscription(true)).await), came_to("left"));
        assert_left(&world, "Amazon SES").await;
        world.finish().await;
    }

    async fn the_envelope_sender_alone_says_whose_mail_it_was_and_other_mail_or_another_recipient_changes_nothing(engine: Engine) {
        if is_left_out("messages of SNS, signed by openssl") {
            return;
        }
        let (world, _folder) = pinned(engine, "[bounce]\ndomain = \"bounces.acme.example\"\n").await;
        let raw = confirmed(&world, ANNA).await;
        let before = world.kinds(ANNA).await;
        let token = field(&raw, "X-Countersign-Mail").to_owned();
        let mut bare = mail(&raw);
        bare["headers"] = json!([]);
        let failed = |mail: &Value| bounce(mail, FEEDBACK, "Permanent", "General", "5.1.1", "550 5.1.1");
        assert_eq!(outcome(&post(&world, &failed(&bare)).await), came_to("not_ours"));
        bare["source"] = json!(format!("bounce+{}@bounces.acme.example", foreign(&token)));
        assert_eq!(outcome(&post(&world, &failed(&bare)).await), came_to("not_ours"));
        bare["source"] = json!(format!("bounce+{token}@bounces.acme.example"));
        let mut others = failed(&bare);
        others["bounce"]["bouncedRecipients"][0]["emailAddress"] = json!("otto@example.org");
        assert_eq!(outcome(&post(&world, &others).await), came_to("wrong_recipient"));
        others["bounce"]["bouncedRecipients"] = json!([]);
        assert_eq!(outcome(&post(&world, &others).await), came_to("broken"));
        assert_untouched(&world, &before).await;
        assert_eq!(outcome(&post(&world, &failed(&bare)).await), came_to("hard"));
        world.finish().await;
    }
}
