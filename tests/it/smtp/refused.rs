//! A server that refuses a recipient for good while the mail is handed over: as a report that the mail came back, where it speaks
//! of the mailbox, and no more than the end of this mail where it does not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use countersign::domain::announcement::Kind;
use countersign::domain::campaign::Kind as CampaignKind;
use countersign::domain::event::Fact;
use countersign::domain::standing::RequestState;

use super::peers::{Action, Peer, Step, say};
use crate::campaign::{begin, plan, told, work};
use crate::harness::World;
use crate::import::storing::{List, findings};
use crate::leaving::bounces::state_of;
use crate::on_both_engines;
use crate::webhooks::{PRIVATE, Receiver, hook, tell};

/// What the server says to RCPT, by the beginning of the address.
const REPLIES: [(&str, &str); 9] = [
    ("gone", "550 5.1.1 no such user"),
    ("plain", "550 no such user here"),
    ("full", "552 5.2.2 mailbox full"),
    ("policy", "550 5.7.1 refused by policy"),
    ("busy", "452 4.2.2 mailbox full"),
    ("grey", "451 4.7.1 greylisted"),
    ("size", "552 5.3.4 too big"),
    ("syntax", "501 5.5.4 bad parameters"),
    ("relay", "550 relaying denied"),
];

/// One that also refuses what it is sent, to addresses that begin with "late".
async fn peer() -> Peer {
    let to: Arc<Mutex<HashMap<usize, String>>> = Arc::default();
    Peer::start(&["PIPELINING", "8BITMIME"], move |turn| {
        let mut to = to.lock().unwrap();
        if turn.step == Step::Recipient {
            to.insert(turn.connection, turn.line.to_owned());
            let known = REPLIES
                .iter()
                .find(|one| turn.line.contains(&format!("<{}", one.0)));
            return known.map_or(Action::Usual, |one| say(one.1));
        }
        let late = to
            .get(&turn.connection)
            .is_some_and(|to| to.contains("<late"));
        if turn.step == Step::AfterDot && late {
            return say("550 5.1.1 no such user after all");
        }
        Action::Usual
    })
    .await
}

async fn allowed(world: &World, name: &str) -> (bool, &'static str) {
    let may = world
        .permission(&format!("{name}@example.org"), "newsletter")
        .await;
    (may.allowed, may.rule)
}

async fn bounces(world: &World, name: &str) -> Vec<(bool, String)> {
    let story = world.story(&format!("{name}@example.org")).await;
    let bounced = story.into_iter().filter_map(|event| match event.fact {
        Fact::Bounced(bounced) => Some((bounced.hard, bounced.status)),
        _ => None,
    });
    bounced.collect()
}

on_both_engines! {
    async fn a_recipient_that_is_refused_for_good_counts_as_a_bounce_only_where_the_reply_speaks_of_the_mailbox(engine: Engine) {
        let peer = peer().await;
        let world = World::mailing_with(engine, peer.port, PRIVATE).await;
        let receiver = Receiver::willing().await;
        hook(&world, receiver.peer.url(), &[Kind::Bounced]).await;
        for name in ["gone", "plain", "full", "policy", "size", "syntax", "relay", "late", "well"] {
            world.signed_up(&format!("{name}@example.org"), "192.0.2.1").await;
            world.advance(60);
        }
        assert_eq!(world.delivery.drain().await.unwrap(), 9);
        for (name, status) in [("gone", "5.1.1"), ("plain", "550")] {
            assert_eq!(bounces(&world, name).await, [(true, status.to_owned())], "{name}");
            assert_eq!(allowed(&world, name).await, (false, "D6"), "{name}");
            let address = format!("{name}@example.org");
            assert_eq!(world.kinds(&address).await, ["signed_up", "mail_failed", "bounced"]);
            assert_eq!(state_of(&world, &address).await, RequestState::Bounced);
        }
        assert_eq!(bounces(&world, "full").await, [(false, "5.2.2".to_owned())], "passing: it is counted");
        assert_eq!(allowed(&world, "full").await, (true, "A1"));
        for name in ["policy", "size", "syntax", "relay", "late"] {
            let address = format!("{name}@example.org");
            assert_eq!(world.kinds(&address).await, ["signed_up", "mail_failed"], "{name}");
            assert_eq!(allowed(&world, name).await, (true, "A1"), "{name}");
            let Fact::MailFailed { reason, .. } = &world.story(&address).await[1].fact else { panic!("{name}") };
            assert!(reason.starts_with('5'), "the server's words: {reason}");
        }
        let ready = world.app.readiness().await.unwrap();
        assert_eq!((ready.mails_waiting, ready.mails_failed), (0, 8), "each is shown with the server's words");
        tell(&world).await;
        let mut told = receiver.told();
        told.sort();
        assert_eq!(told, ["bounced gone", "bounced plain"]);
        // Nothing more is sent to a mailbox that is not there.
        world.advance(86_400);
        world.signed_up("gone@example.org", "192.0.2.9").await;
        world.delivery.drain().await.unwrap();
        assert!(!world.kinds("gone@example.org").await.contains(&"mail_accepted"));
        assert_eq!(bounces(&world, "gone").await.len(), 1);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.end().await;
    }

    async fn a_mailbox_that_stays_full_by_passing_replies_is_counted_once_the_mail_is_given_up(engine: Engine) {
        let peer = peer().await;
        let world = World::mailing_with(engine, peer.port, "[delivery]\nmax_tries = 2\n").await;
        for name in ["busy", "grey"] {
            world.signed_up(&format!("{name}@example.org"), "192.0.2.1").await;
            world.advance(60);
        }
        world.delivery.drain().await.unwrap();
        assert_eq!(bounces(&world, "busy").await, [], "it is tried again");
        world.advance(86_400);
        world.delivery.drain().await.unwrap();
        assert_eq!(bounces(&world, "busy").await, [(false, "4.2.2".to_owned())]);
        assert_eq!(world.kinds("busy@example.org").await, ["signed_up", "mail_failed", "bounced"]);
        assert_eq!(allowed(&world, "busy").await, (true, "A1"));
        assert_eq!(world.kinds("grey@example.org").await, ["signed_up", "mail_failed"], "that speaks of no mailbox");
        assert_eq!(world.app.readiness().await.unwrap().mails_failed, 2);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.end().await;
    }

    async fn a_campaign_counts_a_refused_mailbox_once_and_asks_it_no_more(engine: Engine) {
        let peer = peer().await;
        let world = World::mailing_to(engine, peer.port).await;
        let orders = "email,order,date\ngone@example.org,1,2026-01-01\nfull@example.org,2,2026-01-01\nwell@example.org,3,2026-01-01\n";
        List::bought("orders", orders).take_in(&world).await;
        begin(&world, "spring", plan(CampaignKind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 3);
        let now = told(&world, "spring").await;
        assert_eq!((now.asked, now.accepted, now.failed), (3, 1, 2));
        let catalog = world.app.catalog();
        let row = world.app.campaign(catalog.brand_by_slug("acme").unwrap(), "spring").await.unwrap();
        let mut conn = world.app.store.read().await.unwrap();
        let fates = countersign::store::campaign_fates::count(&mut conn, &row).await.unwrap();
        assert_eq!((fates.mails, fates.failed, fates.complained), (3, 2, 0));
        drop(conn);
        assert_eq!(allowed(&world, "gone").await, (false, "D6"));
        begin(&world, "again", plan(CampaignKind::Invitation)).await.unwrap();
        world.advance(40 * 86_400);
        work(&world).await;
        assert_eq!(told(&world, "again").await.left_out["refused"], 1);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.end().await;
    }
}
