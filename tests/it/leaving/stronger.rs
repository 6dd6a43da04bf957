//! Why a mailbox is suppressed: a stronger reason takes a weaker one's place, so that it holds under every spelling of the address, and the
//! audit knows it.

use countersign::app::bounce::Taken;
use countersign::domain::event::Fact;

use super::bounces::{complaint_of, report, return_path};
use super::{brand, confirmed, signed_up_for_both};
use crate::harness::World;
use crate::import::storing::findings;
use crate::on_both_engines;

const ANNA: &str = "anna@example.org";
const OTHER: &str = "anna+x@example.org";
/// A spelling that nobody signed up with.
const THIRD: &str = "anna+y@example.org";
const LETTER: &str = "asked for by letter";

/// Anna confirmed, and said of a signup under another spelling that it was not hers: the mailbox is suppressed, and what she had
/// confirmed goes on.
async fn declined_elsewhere(engine: countersign::store::Engine) -> World {
    let world = World::on(engine).await;
    confirmed(&world, ANNA).await;
    world.advance(86_400);
    let mail = signed_up_for_both(&world, OTHER).await;
    world
        .client("198.51.100.7")
        .post(&mail.decline(), &[])
        .await;
    assert_eq!(reason(&world).await, "declined");
    assert!(world.permission(ANNA, "newsletter").await.allowed);
    world.advance(3_600);
    world
}

async fn reason(world: &World) -> String {
    let found = world.app.suppressed(&brand(world), THIRD).await.unwrap();
    found.unwrap().reason
}

async fn rule(world: &World) -> (bool, &'static str) {
    let permission = world.permission(ANNA, "newsletter").await;
    (permission.allowed, permission.rule)
}

async fn gone(world: &World, email: &str) -> Taken {
    let to = return_path(world, email).await;
    let gone = report(&to, "failed", "5.1.1", "550 no such user");
    world
        .app
        .take_report(gone.as_bytes(), Some(&to))
        .await
        .unwrap()
}

async fn complains(world: &World, email: &str) -> Taken {
    let message = complaint_of(world, email).await;
    world
        .app
        .take_report(message.as_bytes(), None)
        .await
        .unwrap()
}

on_both_engines! {
    async fn what_an_operator_says_holds_for_every_spelling_of_a_mailbox_that_was_declined_under_one(engine: Engine) {
        for address in [OTHER, THIRD] {
            let world = declined_elsewhere(engine).await;
            let on = world.app.mailbox_named(&brand(&world), address).unwrap();
            world.app.acted_on_command_line(countersign::domain::operator::Deed::SuppressionAdded, on).await.unwrap();
            let (now, before) = world.app.suppress(&brand(&world), address, LETTER).await.unwrap();
            assert_eq!((now.reason.as_str(), before), ("operator", false), "{address}");
            assert_eq!(now.since, world.clock.now());
            assert_eq!(rule(&world).await, (false, "D3"), "{address}");
            assert_eq!(findings(&world).await, Vec::<String>::new());
            world.advance(60);
            let (again, before) = world.app.suppress(&brand(&world), address, LETTER).await.unwrap();
            assert_eq!((again, before), (now, true), "{address}");
            world.finish().await;
        }
    }

    async fn a_complaint_and_a_mail_that_came_back_hold_for_every_spelling_of_a_mailbox_that_was_declined(engine: Engine) {
        let world = declined_elsewhere(engine).await;
        assert_eq!(gone(&world, OTHER).await, Taken::Hard);
        assert_eq!((reason(&world).await.as_str(), rule(&world).await), ("declined", (true, "G3")), "a tag says nothing of the rest");
        assert_eq!(gone(&world, ANNA).await, Taken::Hard);
        assert_eq!((reason(&world).await.as_str(), rule(&world).await), ("bounced", (false, "D6")));
        assert_eq!(gone(&world, ANNA).await, Taken::Again);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;

        let world = declined_elsewhere(engine).await;
        assert_eq!(complains(&world, OTHER).await, Taken::Complaint);
        assert_eq!((reason(&world).await.as_str(), rule(&world).await), ("complained", (false, "D3")));
        assert_eq!(complains(&world, OTHER).await, Taken::Again);
        let story = world.story(OTHER).await;
        assert!(matches!(&story.last().unwrap().fact, Fact::Complained(one) if one.replaces.as_deref() == Some("declined")));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_weaker_reason_that_comes_later_changes_nothing_and_a_lift_takes_all_of_it_away(engine: Engine) {
        let world = declined_elsewhere(engine).await;
        for (step, stands) in ["bounced", "complained", "operator"].iter().enumerate() {
            world.advance(60);
            match step {
                0 => assert_eq!(gone(&world, ANNA).await, Taken::Hard),
                1 => assert_eq!(complains(&world, OTHER).await, Taken::Complaint),
                _ => assert!(!world.app.suppress(&brand(&world), OTHER, LETTER).await.unwrap().1),
            }
            assert_eq!(reason(&world).await, *stands);
            assert_eq!(findings(&world).await, Vec::<String>::new(), "{stands}");
        }
        let since = world.app.suppressed(&brand(&world), ANNA).await.unwrap().unwrap().since;
        world.advance(60);
        assert_eq!(complains(&world, ANNA).await, Taken::Complaint);
        assert_eq!(gone(&world, OTHER).await, Taken::Hard);
        let now = world.app.suppressed(&brand(&world), ANNA).await.unwrap().unwrap();
        assert_eq!((now.reason.as_str(), now.since), ("operator", since));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        for address in [ANNA, OTHER] {
            world.app.lift_suppression(&brand(&world), address, "spoke with her").await.unwrap().unwrap();
        }
        assert_eq!(world.app.suppressed(&brand(&world), ANNA).await.unwrap(), None);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_decline_after_a_mail_that_came_back_leaves_the_stronger_reason(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, ANNA).await;
        world.advance(86_400);
        let mail = signed_up_for_both(&world, OTHER).await;
        assert_eq!(gone(&world, ANNA).await, Taken::Hard);
        world.advance(60);
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        assert!(world.kinds(OTHER).await.contains(&"declined"));
        assert_eq!(reason(&world).await, "bounced");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn putting_the_weaker_reason_back_by_sql_is_found(engine: Engine) {
        let world = declined_elsewhere(engine).await;
        let declined = world.app.suppressed(&brand(&world), ANNA).await.unwrap().unwrap().since;
        assert_eq!(complains(&world, OTHER).await, Taken::Complaint);
        world.app.suppress(&brand(&world), OTHER, LETTER).await.unwrap();
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.sql(&format!("update mailbox set suppressed_for = 'declined', suppressed_at = {} where suppressed_for = 'operator'", declined.micros()))
            .await
            .unwrap();
        let found = findings(&world).await;
        assert!(found.iter().any(|one| one.contains("It was changed")), "{found:?}");
        world.finish().await;
    }
}
