//! What mail providers tell by webhook, over the real server: signed as each signs, in the form of each one's documentation.

mod brevo;
mod mailgun;
mod postmark;
mod sendgrid;
mod ses;
mod sns;

use countersign::domain::event::Fact;
use countersign::domain::leaving::LeaveMethod;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, World};
use crate::leaving::{allowed, signed_up_for_both};

pub const ANNA: &str = "anna@example.org";
/// From where the provider posts.
pub const THERE: &str = "198.51.100.77";

/// Signs up and confirms; answers with the mail as the provider got it.
pub async fn confirmed(world: &World, email: &str) -> String {
    let mail = signed_up_for_both(world, email).await;
    let mut person = world.client("198.51.100.7");
    let done = person.post(&mail.confirm(), &[]).await;
    assert_eq!(done.heading(), "Confirmed");
    mail.0.raw
}

/// Signs up and does not confirm.
pub async fn signed_up(world: &World, email: &str) -> String {
    signed_up_for_both(world, email).await.0.raw
}

/// The value of a field in the mail's head, as the provider reads it.
pub fn field<'a>(raw: &'a str, name: &str) -> &'a str {
    let head = raw.split("\r\n\r\n").next().unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.find(|line| {
        let found = line.split(':').next().unwrap();
        found.eq_ignore_ascii_case(name)
    });
    let line = line.unwrap_or_else(|| panic!("no field {name} in\n{head}"));
    line[name.len() + 1..].trim()
}

pub async fn posted(mut client: Client, path: &str, body: &[u8]) -> Reply {
    client
        .send("POST", path, Some("application/json"), body)
        .await
}

/// What the answer says that the events came to.
pub fn outcome(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["events"].clone()
}

pub fn came_to(what: &str) -> Value {
    json!({ what: 1 })
}

/// Asserts that a post was refused with a problem document (RFC 9457).
pub fn assert_refused(reply: &Reply, status: u16, why: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    let told = reply.json();
    assert_eq!(told["status"], status);
    assert!(told["detail"].as_str().unwrap().contains(why), "{told}");
}

/// Asserts that nothing happened to the contact since these events.
pub async fn assert_untouched(world: &World, before: &[&str]) {
    assert_eq!(world.kinds(ANNA).await, before);
    assert_eq!(allowed(world, ANNA).await, (true, true));
}

/// Asserts that the mail came back for good, as this provider told.
pub async fn assert_bounced(world: &World, reporter: &str, report: &str, status: &str) {
    assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
    let story = world.story(ANNA).await;
    let Fact::Bounced(bounced) = &story.last().unwrap().fact else {
        panic!("{:?}", story.last());
    };
    assert!(bounced.hard);
    assert_eq!(bounced.reporter, format!("{reporter}, by webhook"));
    assert_eq!(
        (bounced.report.as_str(), bounced.status.as_str()),
        (report, status)
    );
    let mails = world.deliver().await.len();
    world.advance(86_400);
    world.signed_up(ANNA, "192.0.2.9").await;
    assert_eq!(
        world.deliver().await.len(),
        mails,
        "nothing is sent there any more"
    );
}

pub async fn assert_complained(world: &World, reporter: &str) {
    assert_eq!(allowed(world, ANNA).await, (false, false));
    assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D3");
    let story = world.story(ANNA).await;
    let Fact::Complained(complaint) = &story.last().unwrap().fact else {
        panic!("{:?}", story.last());
    };
    assert_eq!(complaint.feedback, "abuse");
    assert_eq!(complaint.reporter, format!("{reporter}, by webhook"));
}

/// Asserts that the person, who had left everything before, complained: that is told, ends nothing more, and suppresses.
pub async fn assert_complained_after_leaving(world: &World, reporter: &str) {
    assert_complained(world, reporter).await;
    let story = world.story(ANNA).await;
    assert!(story.last().unwrap().fact.purposes().is_empty());
    let brand = crate::leaving::brand(world);
    let suppressed = world.app.suppressed(&brand, ANNA).await.unwrap().unwrap();
    assert_eq!(suppressed.reason, "complained");
}

pub async fn assert_left(world: &World, reporter: &str) {
    assert_eq!(allowed(world, ANNA).await, (false, false));
    let story = world.story(ANNA).await;
    let Fact::Withdrawn {
        scope,
        method,
        told_by,
        ..
    } = &story.last().unwrap().fact
    else {
        panic!("{:?}", story.last());
    };
    assert_eq!(
        (scope.as_str(), *method),
        ("all", Some(LeaveMethod::Provider))
    );
    let told_by = told_by.as_ref().unwrap();
    assert_eq!(told_by.reporter, format!("{reporter}, by webhook"));
    let says = countersign::domain::sentence::sentence(story.last().unwrap());
    assert!(says.contains(reporter), "{says}");
}

/// Bounces of the contact that were counted.
pub async fn passing(world: &World) -> Vec<Option<u32>> {
    let story = world.story(ANNA).await;
    let bounces = story.iter().filter_map(|event| match &event.fact {
        Fact::Bounced(bounced) => Some(bounced.passing),
        _ => None,
    });
    bounces.collect()
}

/// A token that only another installation can have made.
pub fn foreign(token: &str) -> String {
    let other = if token.starts_with('a') { "b" } else { "a" };
    format!("{other}{}", &token[1..])
}
