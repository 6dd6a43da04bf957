//! Leaving, choosing, and what becomes of the mail.

pub mod bounces;
pub mod command;
mod expiring;
mod handed_out;
mod inbound;
mod kept_back;
mod pages;
mod preferences;
mod purging;
mod reports;
mod stronger;
mod unsubscribing;

use std::sync::Arc;

use countersign::app::links::Links;
use countersign::domain::brand::{Brand, Slug};
use countersign::domain::ids::ContactId;
use countersign::domain::token::Purpose;
use countersign::store::contacts;

use crate::harness::{Mail, World};

pub fn brand(world: &World) -> Arc<Brand> {
    let catalog = world.app.catalog();
    catalog.brand_by_slug("acme").unwrap().clone()
}

pub fn slug(name: &str) -> Slug {
    Slug::try_from(name.to_owned()).unwrap()
}

pub async fn contact_of(world: &World, email: &str) -> ContactId {
    let mut conn = world.app.store.read().await.unwrap();
    let found = contacts::find(&mut conn, brand(world).id, email).await;
    found.unwrap().unwrap().id
}

/// Signs up for the newsletter and for events; answers with the mail.
pub async fn signed_up_for_both(world: &World, email: &str) -> Mail {
    let fields = [
        ("email", email),
        ("purpose", "newsletter"),
        ("purpose", "events"),
    ];
    let reply = world.client("192.0.2.1").post("/f/news", &fields).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    world.mail_to(email).await
}

/// The same, and confirms.
pub async fn confirmed(world: &World, email: &str) -> ContactId {
    let mail = signed_up_for_both(world, email).await;
    let done = world
        .client("198.51.100.7")
        .post(&mail.confirm(), &[])
        .await;
    assert_eq!(done.heading(), "Confirmed");
    contact_of(world, email).await
}

pub fn links(world: &World, contact: ContactId, purpose: Option<&str>) -> Links {
    let purpose = purpose.map(slug);
    world.app.links(&brand(world), contact, purpose.as_ref())
}

/// A link to the preferences as it stands in a mail to the contact, and as no program is given it; it works for as long as theirs.
pub fn mailed(world: &World, contact: ContactId) -> String {
    let until = world.clock.now().plus(world.app.config.links.handed_out);
    let number = brand(world).number;
    let keys = &world.app.keys;
    let token = keys.sign(Purpose::Preferences, number, contact.0, until);
    world.app.url(&format!("/p/{token}"))
}

pub async fn allowed(world: &World, email: &str) -> (bool, bool) {
    let newsletter = world.permission(email, "newsletter").await;
    let events = world.permission(email, "events").await;
    (newsletter.allowed, events.allowed)
}
