//! Erasure: nothing of the person is left, the log stays whole, and nothing comes back.

mod command;
mod races;
pub mod sealed;
pub mod traces;

use std::sync::Arc;

use countersign::app::erase::{EraseProblem, Erased, Wish};
use countersign::domain::brand::Brand;
use countersign::domain::email_address::{AddressRules, EmailAddress};
use countersign::domain::event::{ErasedBy, Event, Fact, Through};
use countersign::domain::ids::ContactId;
use countersign::domain::policy::Closed;
use countersign::ledger::commitment::commitment;
use countersign::ledger::merkle::{Hash, leaf_hash, verify_inclusion};
use countersign::ledger::tree::Tiles;
use countersign::store::log::{self, LoggedEvent};

use crate::confirm::inbox_path;
use crate::harness::{Client, Mail, World};
use crate::on_both_engines;

pub const BY_OPERATOR: Wish = Wish {
    by: ErasedBy::Operator,
    through: Through::CommandLine,
};

pub fn acme(world: &World) -> Arc<Brand> {
    world.app.catalog().brand_by_slug("acme").unwrap().clone()
}

pub async fn forget(world: &World, email: &str) -> Result<Erased, EraseProblem> {
    let erased = world.app.erase(&acme(world), email, BY_OPERATOR).await?;
    assert!(world.app.store.scrub().await.unwrap());
    Ok(erased)
}

/// What is still told of an erased contact.
pub async fn left_of(world: &World, contact: ContactId) -> Vec<Event> {
    let mut conn = world.app.store.read().await.unwrap();
    countersign::store::events::list_after(&mut conn, acme(world).id, contact, 0, 10_000)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|stored| Some(serde_json::from_str(&stored.body?).unwrap()))
        .collect()
}

/// Signs up, gets the mail, opens both links, mistypes the code and confirms. Answers with the mail and the inbox page.
pub async fn confirmed(world: &World, email: &str, ip: &str) -> (Client, String, Mail) {
    let (mut client, page) = world.signed_up(email, ip).await;
    let inbox = inbox_path(&page.text());
    let mail = world.mail_to(parsed(email).deliverable()).await;
    let mut other = world.client("198.51.100.7");
    other.get(&mail.confirm()).await;
    other.get(&mail.about()).await;
    client
        .post(&format!("{inbox}/code"), &[("code", "000000")])
        .await;
    client
        .post(&format!("{inbox}/code"), &[("code", &mail.code())])
        .await;
    assert_eq!(
        world
            .permission(email, "newsletter")
            .await
            .grade
            .unwrap()
            .as_str(),
        "code"
    );
    (client, inbox, mail)
}

/// The log as its tiles tell it, with all of its events.
struct WholeLog {
    tiles: Tiles,
    size: u64,
    root: Hash,
    events: Vec<LoggedEvent>,
}

async fn whole_log(world: &World) -> WholeLog {
    let mut conn = world.app.store.read().await.unwrap();
    let head = world.app.log_head(&mut conn).await.unwrap().unwrap();
    let mut tiles = Tiles::default();
    for level in 0..3 {
        for (id, bytes) in log::list_tiles(&mut conn, level, 0, 1_000).await.unwrap() {
            tiles.add(id, &bytes).unwrap();
        }
    }
    let events = log::list_events(&mut conn, 0, head.last_position, 10_000)
        .await
        .unwrap();
    WholeLog {
        tiles,
        size: head.size,
        root: head.root,
        events,
    }
}

impl WholeLog {
    /// Proves each event of a contact anew from its body and salt; answers with their number.
    fn prove(&self, contact: ContactId) -> usize {
        let mut proven = 0;
        for (index, event) in (0..).zip(&self.events) {
            if event.contact_id != contact {
                continue;
            }
            let salt = event.salt.clone().unwrap().try_into().unwrap();
            let entry = commitment(&salt, event.body.as_deref().unwrap().as_bytes());
            let proof = self.tiles.inclusion(index, self.size).unwrap();
            let leaf = leaf_hash(&entry);
            verify_inclusion(&leaf, index, self.size, &proof, &self.root).unwrap();
            proven += 1;
        }
        proven
    }
}

on_both_engines! {
    async fn after_an_erasure_the_log_is_as_it_was_and_the_proof_of_others_holds(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org", "192.0.2.1").await;
        confirmed(&world, "bert@example.org", "192.0.2.2").await;
        let others = world.story("bert@example.org").await[0].contact;
        world.app.sequence().await.unwrap();
        let before = whole_log(&world).await;
        let erased = forget(&world, "anna@example.org").await.unwrap();
        assert_eq!(before.prove(others), world.story("bert@example.org").await.len());

        world.app.sequence().await.unwrap();
        let after = whole_log(&world).await;
        assert_eq!(after.tiles.root(before.size).unwrap(), before.root);
        assert_eq!(after.tiles.root(after.size).unwrap(), after.root);
        assert_eq!(after.prove(others), before.prove(others));
        let emptied = after.events.iter().filter(|event| event.contact_id == erased.contact);
        let emptied: Vec<_> = emptied.filter(|event| event.body.is_none() && event.salt.is_none()).collect();
        assert_eq!(emptied.len(), usize::try_from(erased.events).unwrap());
        let last = after.events.last().unwrap();
        assert_eq!((last.contact_id, last.kind.as_str()), (erased.contact, "erased"));
        assert!(emptied.iter().all(|event| event.position < last.position));
        world.finish().await;
    }

    async fn an_erasure_leaves_one_event_that_says_so_and_nothing_about_the_person(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org", "192.0.2.1").await;
        let count = world.story("anna@example.org").await.len();
        let erased = forget(&world, "anna@example.org").await.unwrap();
        assert_eq!(usize::try_from(erased.events).unwrap(), count);
        assert_eq!((erased.requests, erased.openings, erased.sealed_until), (1, 1, None));
        let left = left_of(&world, erased.contact).await;
        let fact = Fact::Erased {
            by: ErasedBy::Operator,
            through: Through::CommandLine,
            events: erased.events,
            sealed: false,
            reason: None,
            sealed_until: None,
            sealed_sha256: None,
            erased_before: Some(false),
            asked: None,
        };
        assert_eq!(left.into_iter().map(|event| event.fact).collect::<Vec<_>>(), [fact]);
        assert!(world.story("anna@example.org").await.is_empty());
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn an_event_is_emptied_only_once_the_log_holds_it(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org", "192.0.2.1").await;
        let mut conn = world.app.store.read().await.unwrap();
        assert!(log::head(&mut conn).await.unwrap().is_none(), "nothing was logged yet");
        drop(conn);
        let erased = forget(&world, "anna@example.org").await.unwrap();
        world.app.sequence().await.unwrap();
        let log = whole_log(&world).await;
        assert_eq!(log.size, u64::try_from(erased.events).unwrap() + 1);
        assert_eq!(log.tiles.root(log.size).unwrap(), log.root);
        world.finish().await;
    }

    async fn an_address_that_nobody_knows_is_not_erased_and_nothing_is_added(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("bert@example.org", "192.0.2.1").await;
        world.deliver().await;
        let unknown = forget(&world, "anna@example.org").await;
        assert!(matches!(unknown, Err(EraseProblem::Unknown)));
        let wrong = forget(&world, "no address").await;
        assert!(matches!(wrong, Err(EraseProblem::Address(_))));
        world.app.sequence().await.unwrap();
        let log = whole_log(&world).await;
        assert!(log.events.iter().all(|event| event.kind != "erased"));
        assert_eq!(erased_among(&world, &["anna@example.org"]).await, [false]);
        forget(&world, "bert@example.org").await.unwrap();
        assert!(matches!(forget(&world, "bert@example.org").await, Err(EraseProblem::Unknown)), "nor a second time");
        world.finish().await;
    }

    async fn links_of_an_erased_contact_create_nothing_and_show_a_kind_page(engine: Engine) {
        let world = World::on(engine).await;
        let (mut client, inbox, mail) = confirmed(&world, "anna@example.org", "192.0.2.1").await;
        world.advance(700);
        let (mut again, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let open_inbox = inbox_path(&page.text());
        let open = world.mail_to("anna@example.org").await;
        let erased = forget(&world, "anna@example.org").await.unwrap();
        assert_eq!(erased.requests, 2);
        for client in [&mut client, &mut again] {
            for mail in [&mail, &open] {
                for path in [mail.confirm(), mail.decline(), mail.about()] {
                    let reply = client.get(&path).await;
                    assert_eq!((reply.status, reply.heading()), (404, "This link does not work".to_owned()), "{path}");
                }
                for path in [mail.confirm(), mail.decline(), format!("{}/fresh", mail.confirm())] {
                    assert!(matches!(client.post(&path, &[]).await.status, 303 | 404), "{path}");
                }
                let code = mail.code();
                assert_eq!(client.post(&mail.confirm(), &[("code", &code)]).await.status, 404);
                for inbox in [&inbox, &open_inbox] {
                    for path in [inbox.clone(), format!("{inbox}/status")] {
                        assert_eq!(client.get(&path).await.status, 404, "{path}");
                    }
                    assert_eq!(client.post(&format!("{inbox}/code"), &[("code", &code)]).await.status, 404);
                    assert_eq!(client.post(&format!("{inbox}/resend"), &[]).await.status, 404);
                    assert_eq!(client.post(&format!("{inbox}/change"), &[("email", "other@example.org")]).await.status, 404);
                }
            }
        }
        assert_eq!(left_of(&world, erased.contact).await.len(), 1);
        // After their time links offer a new mail, which goes through the same door.
        world.advance(8 * 86_400);
        assert_eq!(again.post(&format!("{}/fresh", open.confirm()), &[]).await.status, 404);
        assert!(world.story("anna@example.org").await.is_empty());
        world.finish().await;
    }

    async fn an_erased_address_gives_no_consent_until_the_person_signs_up_and_confirms_anew(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org", "192.0.2.1").await;
        let before = world.story("anna@example.org").await[0].contact;
        forget(&world, "anna@example.org").await.unwrap();
        world.advance(86_400);
        // What an import would ask: the address is refused, though it is not stored anywhere.
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let known = async || world.app.known_of(brand, None, "Anna@example.org").await.unwrap().closed;
        assert_eq!(known().await, Some(Closed::Erased));
        // Anybody could have typed it: the website form's implicit consent is not given (D3), but the person is asked.
        let (mut client, _) = world.signed_up("Anna@Example.org", "192.0.2.1").await;
        let story = world.story("anna@example.org").await;
        assert_ne!(story[0].contact, before, "a new contact");
        let Fact::SignedUp(signup) = &story[0].fact else { panic!("{story:?}") };
        assert_eq!((signup.ruling.rule.id(), signup.mail), ("D3", countersign::domain::event::MailFate::Queued));
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        let mail = world.mail_to("Anna@example.org").await;
        client.post(&mail.confirm(), &[]).await;
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        assert_eq!(known().await, None);
        // From here on it is a contact like any other.
        world.advance(86_400);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let last = world.story("anna@example.org").await.pop().unwrap();
        let Fact::SignedUp(signup) = &last.fact else { panic!("{last:?}") };
        assert_eq!(signup.ruling.rule.id(), "A1");
        world.deliver().await;
        world.finish().await;
    }

    async fn an_import_can_tell_an_erased_address_from_others_of_the_same_mailbox(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna+news@example.org", "192.0.2.1").await;
        world.advance(700);
        confirmed(&world, "anna@example.org", "192.0.2.2").await;
        forget(&world, "anna+news@example.org").await.unwrap();
        let asked = ["Anna+News@EXAMPLE.org", "anna@example.org", "anna+shop@example.org"];
        assert_eq!(erased_among(&world, &asked).await, [true, false, false]);
        assert!(world.permission("anna@example.org", "newsletter").await.allowed, "nobody erased this one");
        let other = world.app.catalog().brand_by_slug("other").unwrap().clone();
        let address = parsed("anna+news@example.org");
        assert_eq!(world.app.erased_among(&other, &[address]).await.unwrap(), [false]);
        world.advance(86_400);
        world.signed_up("anna@example.org", "192.0.2.2").await;
        world.mail_to("anna@example.org").await;
        world.finish().await;
    }

    async fn one_brand_forgets_and_the_other_keeps_what_it_has(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.client("192.0.2.1").post("/f/other", &[("email", "anna@example.org")]).await;
        world.deliver().await;
        forget(&world, "anna@example.org").await.unwrap();
        let other = world.app.catalog().brand_by_slug("other").unwrap().clone();
        assert_eq!(crate::harness::story_of(&world.app, &other, "anna@example.org").await.len(), 2);
        world.finish().await;
    }

    async fn a_contact_of_thousands_of_events_is_erased_whole(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let form = world.app.catalog().form("news").unwrap().clone();
        let calls = (0..2_100).map(|_| {
            let (app, form) = (world.app.clone(), form.clone());
            let given = countersign::app::sign_up::Submission { email: "anna@example.org".into(), ..Default::default() };
            async move { app.sign_up(&form, given).await.is_ok() }
        });
        assert!(futures_util::future::join_all(calls).await.into_iter().all(|done| done));
        world.signed_up("bert@example.org", "192.0.2.2").await;
        let erased = forget(&world, "anna@example.org").await.unwrap();
        assert_eq!((erased.events, erased.requests), (2_100, 2_100));
        assert_eq!(world.kinds("bert@example.org").await, ["signed_up"]);
        world.mail_to("bert@example.org").await;
        world.finish().await;
    }
}

fn parsed(email: &str) -> EmailAddress {
    EmailAddress::parse(email, &AddressRules { any_domain: true }).unwrap()
}

async fn erased_among(world: &World, emails: &[&str]) -> Vec<bool> {
    let addresses: Vec<_> = emails.iter().map(|email| parsed(email)).collect();
    world
        .app
        .erased_among(&acme(world), &addresses)
        .await
        .unwrap()
}
