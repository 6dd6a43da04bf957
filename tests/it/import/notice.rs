//! The mail that tells the operator of implicit consent that is about to lapse.

use countersign::app::App;
use countersign::clock::Random;
use countersign::config::Config;

use super::storing::List;
use crate::harness::{Folder, World};
use crate::on_both_engines;
use crate::smtp::peers::{Action, Peer, Step, say};

const DAY: u64 = 86_400;
const SETTINGS: &str = "[notice]\nemail = \"owner@acme.example\"\n";

/// Purchases whose consent ends so many days after the world's start, 2026-11-23.
async fn bought(world: &World, name: &str, dates: &[(&str, &str)]) {
    let mut text = "email,order,date\n".to_owned();
    for (who, date) in dates {
        text.push_str(&format!("{who}@example.org,1,{date}\n"));
    }
    List::bought(name, &text).take_in(world).await;
}

/// What a worker does every few minutes.
async fn tell(world: &World) -> usize {
    world.app.tell_of_lapsing().await.unwrap();
    world.delivery.send_notices().await.unwrap()
}

on_both_engines! {
    async fn the_operator_is_told_once_a_day_at_most_with_numbers_and_no_address(engine: Engine) {
        let world = World::with(engine, SETTINGS).await;
        bought(&world, "orders", &[("soon", "2024-12-01"), ("sooner", "2024-11-28"), ("later", "2025-06-01")]).await;
        assert_eq!(tell(&world).await, 1);
        let mail = world.caught().remove(0);
        assert_eq!(mail.to, "owner@acme.example");
        assert_eq!(mail.subject, "Acme Letters: implicit consent of 2 contacts is about to end");
        assert!(mail.text.contains("ends within 30 days, the first at 2026-11-28 00:00 UTC."), "{}", mail.text);
        assert!(mail.text.contains("countersign lapsing --brand acme --within 30"), "{}", mail.text);
        assert!(!mail.raw.contains("example.org") && !mail.raw.contains("soon"), "{}", mail.raw);
        assert!(mail.raw.contains("Auto-Submitted: auto-generated"), "{}", mail.raw);
        for _ in 0..3 {
            assert_eq!(tell(&world).await, 0, "once a day at most");
        }
        // The next day nothing new is about to end; then something is; and after a week what still is is told again.
        world.advance(DAY);
        assert_eq!(tell(&world).await, 0);
        bought(&world, "more", &[("new", "2024-12-24")]).await;
        world.advance(DAY);
        assert_eq!(tell(&world).await, 1);
        assert_eq!(world.caught()[0].subject, "Acme Letters: implicit consent of 3 contacts is about to end");
        world.advance(6 * DAY);
        world.app.lapse().await.unwrap();
        assert_eq!(tell(&world).await, 0);
        world.advance(DAY);
        assert_eq!(tell(&world).await, 1);
        assert_eq!(world.caught()[0].subject, "Acme Letters: implicit consent of 1 contact is about to end");
        assert_eq!(world.caught().len(), 3);
        world.finish().await;
    }

    async fn two_workers_tell_once_and_nobody_is_told_where_nobody_is_named(engine: Engine) {
        let world = World::with(engine, SETTINGS).await;
        bought(&world, "orders", &[("soon", "2024-12-01")]).await;
        let config = world.app.config.clone();
        let other = App::start(config, world.clock.clone(), Random::seeded(8)).await.unwrap();
        let second = other.delivery().unwrap();
        let (one, two) = tokio::join!(world.app.tell_of_lapsing(), other.tell_of_lapsing());
        assert_eq!(one.unwrap() + two.unwrap(), 1);
        let (one, two) = tokio::join!(world.delivery.send_notices(), second.send_notices());
        assert_eq!(one.unwrap() + two.unwrap(), 1);
        assert_eq!(world.caught().len(), 1);
        other.store.close().await;
        world.finish().await;

        let silent = World::on(engine).await;
        bought(&silent, "orders", &[("soon", "2024-12-01")]).await;
        assert_eq!(tell(&silent).await, 0);
        assert!(silent.caught().is_empty());
        silent.finish().await;
    }

    async fn when_the_operator_was_written_to_is_forgotten_after_ninety_days(engine: Engine) {
        let world = World::with(engine, SETTINGS).await;
        bought(&world, "orders", &[("soon", "2024-12-01")]).await;
        assert_eq!(tell(&world).await, 1);
        let brand = crate::leaving::brand(&world).id;
        let last = async || {
            let mut conn = world.app.store.read().await.unwrap();
            countersign::store::notices::find_last(&mut conn, brand).await.unwrap()
        };
        let told = last().await.unwrap();
        world.advance(90 * 86_400 - world.clock.now().since(told.due_at).as_secs());
        world.app.tidy().await.unwrap();
        assert_eq!(last().await.map(|row| row.day), Some(told.day), "in its last instant it is there");
        world.advance(1);
        world.app.tidy().await.unwrap();
        assert_eq!(last().await, None);
        world.end().await;
    }

    async fn a_notice_that_a_server_puts_off_is_tried_again(engine: Engine) {
        let peer = Peer::start(&["8BITMIME"], |turn| match turn.step {
            Step::Recipient => say("451 4.3.0 not now"),
            _ => Action::Usual,
        })
        .await;
        let world = World::with(engine, &format!("{SETTINGS}[delivery]\nmax_tries = 3\n")).await;
        bought(&world, "orders", &[("soon", "2024-12-01")]).await;
        world.app.tell_of_lapsing().await.unwrap();
        let mut config = world.app.config.clone();
        config.smtp.port = peer.port;
        let off = App::start(config, world.clock.clone(), Random::seeded(9)).await.unwrap();
        let putting_off = off.delivery().unwrap();
        assert_eq!(putting_off.send_notices().await.unwrap(), 0);
        assert_eq!(world.delivery.send_notices().await.unwrap(), 0, "not before its time");
        world.advance(3_601);
        assert_eq!(world.delivery.send_notices().await.unwrap(), 1);
        assert_eq!(world.caught().len(), 1);
        off.store.close().await;
        world.finish().await;
    }
}

#[test]
fn an_address_for_notices_that_is_none_is_refused() {
    let folder = Folder::new();
    let text = "[server]\nbase_url = \"http://localhost\"\n[notice]\nemail = \"nobody\"\n";
    let problem = Config::parse(text, Default::default(), &folder.0).unwrap_err();
    assert!(
        problem
            .to_string()
            .contains("[notice] email: it is no address"),
        "{problem}"
    );
}
