//! Each try of a mail is kept with what the server said, for as long as the mail's row is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::app::erase::Wish;
use countersign::app::queue::{QueuedMail, Which};
use countersign::domain::event::{ErasedBy, Through};
use countersign::domain::ids::OperatorId;
use countersign::domain::operator::{Operator, Role};

use super::peers::{Action, Peer, Step, say};
use crate::figures::pages::operator;
use crate::harness::World;
use crate::on_both_engines;

/// A server that puts each recipient off, in other words each time; `later` it takes at the third try.
async fn unwilling() -> Peer {
    let tries = Arc::new(AtomicUsize::new(0));
    Peer::start(&["8BITMIME"], move |turn| {
        if turn.step != Step::Recipient {
            return Action::Usual;
        }
        let number = tries.fetch_add(1, Ordering::SeqCst) / 2;
        if number >= 2 && turn.line.contains("<later@") {
            return Action::Usual;
        }
        say(&format!(
            "451 4.3.0 round {number}\u{1b}[2J {}",
            "long words ".repeat(60)
        ))
    })
    .await
}

async fn queued(world: &World, which: Which) -> Vec<QueuedMail> {
    let everybody = Operator {
        id: OperatorId(uuid::Uuid::nil()),
        name: "nobody".to_owned(),
        role: Role::Owner,
        brands: Vec::new(),
    };
    let mut mails = world
        .app
        .queue(&everybody, which, (None, false), 100)
        .await
        .unwrap()
        .0;
    mails.sort_by_key(|mail| mail.domain.clone());
    mails
}

on_both_engines! {
    async fn each_try_is_kept_with_the_servers_words_shown_on_the_mails_row_and_gone_with_it(engine: Engine) {
        let peer = unwilling().await;
        let world = World::mailing_with(engine, peer.port, "[delivery]\nmax_tries = 3\n").await;
        world.signed_up("later@a.example", "192.0.2.1").await;
        world.signed_up("never@b.example", "192.0.2.2").await;
        world.delivery.drain().await.unwrap();
        let first = world.clock.now();
        assert_eq!(queued(&world, Which::Waiting).await.iter().map(|mail| mail.attempts.len()).collect::<Vec<_>>(), [1, 1]);
        world.advance(60);
        world.delivery.drain().await.unwrap();
        for mail in queued(&world, Which::Waiting).await {
            let tries: Vec<_> = mail.attempts.iter().map(|one| (one.at, one.said[..17].to_owned())).collect();
            assert_eq!(tries, [(first, "451 4.3.0 round 0".to_owned()), (world.clock.now(), "451 4.3.0 round 1".to_owned())]);
            assert!(mail.attempts.iter().all(|one| one.said.chars().count() <= 400 && !one.said.chars().any(char::is_control)), "{mail:?}");
        }
        let mut olga = operator(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin/delivery").await.text();
        assert_eq!(page.matches("<details><summary>").count(), 2, "{page}");
        assert!(page.contains("round 0") && page.contains("round 1"), "{page}");
        world.advance(300);
        world.delivery.drain().await.unwrap();
        assert!(queued(&world, Which::Waiting).await.is_empty());
        let failed = queued(&world, Which::Failed).await;
        assert_eq!((failed.len(), failed[0].domain.as_str(), failed[0].attempts.len()), (1, "b.example", 3), "{failed:?}");
        let page = olga.get("/admin/delivery?show=failed").await.text();
        assert!(page.contains("round 0") && page.contains("round 2") && !page.contains("never@"), "{page}");
        // By hand it begins anew.
        olga.post("/admin/delivery/retry", &[]).await;
        assert!(queued(&world, Which::Waiting).await[0].attempts.is_empty());
        world.delivery.drain().await.unwrap();
        assert_eq!(queued(&world, Which::Waiting).await[0].attempts.len(), 1);
        // Erased, nothing is left of what servers said of the mailbox.
        let catalog = world.app.catalog();
        let wish = Wish { by: ErasedBy::Operator, through: Through::CommandLine };
        world.app.erase(catalog.brand_by_slug("acme").unwrap(), "never@b.example", wish).await.unwrap();
        assert!(queued(&world, Which::Waiting).await.is_empty() && queued(&world, Which::Failed).await.is_empty());
        world.finish().await;
    }
}
