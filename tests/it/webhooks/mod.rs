//! Webhooks: signed as Standard Webhooks says, at least once, in order per contact, through failures and deaths.

mod commands;
mod failing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::app::App;
use countersign::app::webhooks::NewWebhook;
use countersign::clock::Random;
use countersign::domain::announcement::Kind;
use countersign::domain::ids::WebhookId;
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::harness::http::{Peer, Reaction, Request};
use crate::harness::{World, dying_at};
use crate::on_both_engines;

pub const PRIVATE: &str = "[webhook]\nallow_private = true\nwithin_seconds = 1\n";

/// A receiver that keeps what it is sent, and answers as it is told.
pub struct Receiver {
    pub peer: Peer,
    got: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub async fn new(answer: impl Fn(usize, &Value) -> Reaction + Send + Sync + 'static) -> Self {
        let got: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = got.clone();
        let peer = Peer::start(move |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let mut kept = kept.lock().unwrap();
            let number = kept.len();
            kept.push(request);
            drop(kept);
            answer(number, &body)
        });
        Self {
            peer: peer.await,
            got,
        }
    }

    /// One that takes everything.
    pub async fn willing() -> Self {
        Self::new(|_, _| Reaction::ok("text/plain", "thanks")).await
    }

    pub fn requests(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }

    pub fn bodies(&self) -> Vec<Value> {
        let all = self.requests();
        all.iter()
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect()
    }

    /// The types of what came, with the names before the @.
    pub fn told(&self) -> Vec<String> {
        self.bodies().iter().map(short).collect()
    }
}

pub fn short(body: &Value) -> String {
    let kind = body["type"]
        .as_str()
        .unwrap()
        .trim_start_matches("contact.");
    let address = body["data"]["address"].as_str().unwrap_or("-");
    format!("{kind} {}", address.split('@').next().unwrap())
}

/// The headers of a request as the reference library wants them.
pub fn headers(request: &Request) -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    for line in request.raw_head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        headers.insert(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            value.trim().parse().unwrap(),
        );
    }
    headers
}

pub async fn hook(world: &World, url: String, kinds: &[Kind]) -> (WebhookId, String) {
    let new = NewWebhook {
        url,
        kinds: kinds.to_vec(),
        ..NewWebhook::default()
    };
    let (row, secret) = world.app.add_webhook(None, new).await.unwrap();
    (row.id, secret)
}

/// Lets everything that was recorded get its place, and tells it.
pub async fn tell(world: &World) -> usize {
    world.app.sequence().await.unwrap();
    world.app.tell_webhooks().await.unwrap()
}

/// Signs up, and says "this was not me": two events that are told.
pub async fn declined(world: &World, email: &str) {
    world.signed_up(email, "192.0.2.1").await;
    let mail = world.mail_to(email).await;
    world
        .client("198.51.100.7")
        .post(&mail.decline(), &[])
        .await;
}

on_both_engines! {
    async fn the_reference_library_verifies_what_is_sent_and_the_feed_says_the_same(engine: Engine) {
        // The library holds the message's time against the machine's clock, so this world's clock is set to it.
        let world = World::with(engine, PRIVATE).await;
        let now = countersign::clock::Clock::System.now();
        world.clock.advance(now.since(world.clock.now()));
        let receiver = Receiver::willing().await;
        world.signed_up("before@example.org", "192.0.2.1").await;
        world.app.sequence().await.unwrap();
        let (_, secret) = hook(&world, receiver.peer.url(), &[]).await;
        declined(&world, "anna@example.org").await;
        assert_eq!(tell(&world).await, 2);
        assert_eq!(receiver.told(), ["pending anna", "declined anna"], "from then on, and in order");
        let reference = Webhook::new(&secret).unwrap();
        let another = Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut ids = Vec::new();
        for request in receiver.requests() {
            let headers = headers(&request);
            reference.verify(&request.body, &headers).unwrap();
            assert!(another.verify(&request.body, &headers).is_err());
            let mut changed = request.body.clone();
            changed[5] ^= 1;
            assert!(reference.verify(&changed, &headers).is_err());
            ids.push(headers["webhook-id"].to_str().unwrap().to_owned());
        }
        let feed = world.app.announcements(0, 100, &Default::default()).await.unwrap();
        let feed: Vec<Value> = feed.announcements.iter().map(|one| serde_json::to_value(&one.announcement).unwrap()).collect();
        assert_eq!(feed[1..], receiver.bodies());
        assert_eq!(ids, feed[1..].iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
        assert_eq!(tell(&world).await, 0, "and not again");
        world.deliver().await;
        world.finish().await;
    }

    async fn a_webhook_is_told_of_its_brand_and_types_only(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let (all, some, other) = (Receiver::willing().await, Receiver::willing().await, Receiver::willing().await);
        hook(&world, all.peer.url(), &[]).await;
        hook(&world, some.peer.url(), &[Kind::Declined]).await;
        let brand = world.app.catalog().brand_by_slug("other").unwrap().clone();
        let new = NewWebhook { url: other.peer.url(), brand: Some(brand), ..NewWebhook::default() };
        world.app.add_webhook(None, new).await.unwrap();
        declined(&world, "anna@example.org").await;
        world.client("192.0.2.1").post("/f/other", &[("email", "bert@example.org")]).await;
        tell(&world).await;
        let mut told = all.told();
        told.sort_unstable();
        assert_eq!(told, ["declined anna", "pending anna", "pending bert"]);
        assert_eq!(some.told(), ["declined anna"]);
        assert_eq!(other.told(), ["pending bert"]);
        world.deliver().await;
        world.finish().await;
    }

    async fn that_implicit_consent_lapsed_is_told_with_the_purposes(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::willing().await;
        hook(&world, receiver.peer.url(), &[Kind::Lapsed]).await;
        let orders = "email,order,date\nsoon@example.org,1,2024-11-25\nlater@example.org,2,2025-11-25\n";
        crate::import::storing::List::bought("orders", orders).take_in(&world).await;
        world.advance(2 * 86_400);
        assert_eq!(tell(&world).await, 0, "not before it is written down");
        assert_eq!(world.app.lapse().await.unwrap(), 1);
        assert_eq!(tell(&world).await, 1);
        assert_eq!(receiver.told(), ["lapsed soon"]);
        assert_eq!(receiver.bodies()[0]["type"], "contact.lapsed");
        assert_eq!(receiver.bodies()[0]["data"]["purposes"], serde_json::json!(["newsletter"]));
        world.finish().await;
    }

    async fn while_a_secret_is_rotated_the_old_one_verifies_for_a_day(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::willing().await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        let secrets = |world: &World| {
            let app = world.app.clone();
            async move { app.test_webhook(None, id).await.unwrap() }
        };
        secrets(&world).await;
        world.app.rotate_webhook(None, id).await.unwrap();
        secrets(&world).await;
        world.advance(86_399);
        secrets(&world).await;
        world.advance(1);
        secrets(&world).await;
        let signatures: Vec<usize> = receiver.requests().iter().map(|request| {
            headers(request)["webhook-signature"].to_str().unwrap().split(' ').count()
        }).collect();
        assert_eq!(signatures, [1, 2, 2, 1]);
        world.finish().await;
    }

    async fn of_an_erased_contact_the_erasure_is_told_and_nothing_stays(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::new(|number, body| {
            // It repeats what it is sent, as many do.
            Reaction::status(if number == 1 { 500 } else { 200 }, &body.to_string())
        }).await;
        let (id, _) = hook(&world, receiver.peer.url(), &[]).await;
        declined(&world, "anna@example.org").await;
        tell(&world).await;
        assert!(crate::erasure::traces::dump(&world).await.matches("anna@example.org").count() > 2);
        let brand = world.app.catalog().brand_by_slug("acme").unwrap().clone();
        let wish = countersign::app::erase::Wish {
            by: countersign::domain::event::ErasedBy::Person,
            through: countersign::domain::event::Through::Api,
        };
        world.app.erase(&brand, "anna@example.org", wish).await.unwrap();
        tell(&world).await;
        assert_eq!(receiver.told(), ["pending anna", "declined anna", "erased -"]);
        let dump = crate::erasure::traces::dump(&world).await;
        assert!(!dump.contains("anna@example.org"));
        let kept = world.app.deliveries(id, None, 10).await.unwrap();
        assert_eq!(kept.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["contact.erased"]);
        world.finish().await;
    }

    async fn a_process_that_dies_anywhere_loses_nothing_and_mixes_up_nobody(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::willing().await;
        hook(&world, receiver.peer.url(), &[]).await;
        // Enough that it dies often, also where much is ready at once and so little is waited for.
        let people = ["anna", "bert", "carl", "dora", "emil", "fina"];
        for name in people {
            declined(&world, &format!("{name}@example.org")).await;
        }
        world.app.sequence().await.unwrap();
        let mut deaths = 0;
        for waits in 1.. {
            let ended = dying_at(waits, world.app.tell_webhooks()).await;
            // Whatever was under way arrives, though nobody waits for it any more.
            tokio::time::sleep(Duration::from_millis(20)).await;
            if let Some(ended) = ended && ended.unwrap() == 0 {
                break;
            }
            deaths += 1;
            assert!(waits < 500, "it does not come to an end");
        }
        assert!(deaths > 6, "{deaths}");
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for told in receiver.told() {
            let (kind, who) = told.split_once(' ').unwrap();
            let kinds = of.entry(who.to_owned()).or_default();
            if !kinds.contains(&kind.to_owned()) {
                kinds.push(kind.to_owned());
            }
        }
        assert_eq!(of.len(), people.len());
        for kinds in of.values() {
            assert_eq!(kinds, &["pending", "declined"]);
        }
        world.deliver().await;
        world.finish().await;
    }

    async fn two_workers_on_one_database_tell_each_event_once_and_in_order(engine: Engine) {
        let world = World::with(engine, PRIVATE).await;
        let receiver = Receiver::willing().await;
        hook(&world, receiver.peer.url(), &[]).await;
        let second = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(8)).await.unwrap();
        for number in 0..6 {
            declined(&world, &format!("p{number}@example.org")).await;
        }
        world.app.sequence().await.unwrap();
        for _ in 0..4 {
            let (one, two) = tokio::join!(world.app.tell_webhooks(), second.tell_webhooks());
            one.unwrap();
            two.unwrap();
        }
        let mut told = receiver.told();
        assert_eq!(told.len(), 12);
        for number in 0..6 {
            let of: Vec<&String> = told.iter().filter(|told| told.ends_with(&format!("p{number}"))).collect();
            assert_eq!(of, [&format!("pending p{number}"), &format!("declined p{number}")]);
        }
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), 12);
        second.store.close().await;
        world.deliver().await;
        world.finish().await;
    }
}
