//! The pace is that of the mails that leave, whatever kept them back; and signups do not wait behind a campaign.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::domain::campaign::Kind;
use countersign::store::campaigns::{self, RecipientRow};
use countersign::store::settings;

use super::pace::bought;
use super::{begin, plan, told, work};
use crate::harness::{DECLARATIONS, World};
use crate::leaving::brand;
use crate::on_both_engines;
use crate::smtp::peers::{Action, Peer, Step, say};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// What the worker does in an hour or so.
async fn go_on(world: &World) -> usize {
    let asked = work(world).await;
    asked + world.app.campaigns_due().await.unwrap()
}

async fn recipients(world: &World, name: &str, state: &str) -> Vec<RecipientRow> {
    let row = world.app.campaign(&brand(world), name).await.unwrap();
    let mut conn = world.app.store.read().await.unwrap();
    let ever = world
        .clock
        .now()
        .plus(std::time::Duration::from_secs(99 * DAY));
    campaigns::list_due(&mut conn, &row, state, ever, 1_000)
        .await
        .unwrap()
}

on_both_engines! {
    async fn an_outage_uses_up_no_day_of_the_warm_up_and_what_waited_leaves_as_slowly(engine: Engine) {
        let down = Arc::new(AtomicBool::new(true));
        let is_down = down.clone();
        let peer = Peer::start(&["8BITMIME"], move |turn| match turn.step {
            Step::Greeting if is_down.load(Ordering::SeqCst) => Action::SayAndDrop("421 4.3.2 not now\r\n".to_owned()),
            _ => Action::Usual,
        })
        .await;
        let world = World::mailing_to(engine, peer.port).await;
        bought(&world, 200).await;
        let mut slow = plan(Kind::Invitation);
        slow.warm_up = vec![5, 30, 90];
        begin(&world, "slow", slow).await.unwrap();
        assert_eq!(go_on(&world).await, 5);
        for _ in 0..2 * 24 {
            world.advance(HOUR);
            assert_eq!(go_on(&world).await, 0, "nothing leaves, so nobody else is asked");
        }
        down.store(false, Ordering::SeqCst);
        for _ in 0..6 {
            world.advance(HOUR);
            assert_eq!(go_on(&world).await, 0);
        }
        assert_eq!(told(&world, "slow").await.accepted, 5, "two days late, the first day's number");
        world.advance(DAY);
        assert_eq!(go_on(&world).await, 30, "a day after they left, the second day's");
        assert_eq!(go_on(&world).await, 0);
        assert_eq!(told(&world, "slow").await.accepted, 35);
        world.end().await;
    }

    async fn a_first_day_whose_mails_all_fail_does_not_stop_the_warm_up(engine: Engine) {
        let peer = Peer::start(&["8BITMIME"], |turn| match turn.step {
            Step::Recipient => say("550 5.1.1 nobody here"),
            _ => Action::Usual,
        })
        .await;
        let world = World::mailing_to(engine, peer.port).await;
        bought(&world, 9).await;
        let mut slow = plan(Kind::Invitation);
        slow.warm_up = vec![3, 4];
        begin(&world, "slow", slow).await.unwrap();
        assert_eq!(go_on(&world).await, 3);
        world.advance(DAY);
        assert_eq!(go_on(&world).await, 4);
        world.end().await;
    }

    async fn a_pause_uses_up_no_day_of_the_warm_up(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 200).await;
        let mut slow = plan(Kind::Invitation);
        slow.warm_up = vec![5, 30, 90];
        begin(&world, "slow", slow).await.unwrap();
        assert_eq!(go_on(&world).await, 5);
        let catalog = world.app.catalog();
        let acme = catalog.brand_by_slug("acme").unwrap();
        world.app.pause_campaign(acme, "slow").await.unwrap();
        world.advance(7 * DAY);
        assert_eq!(go_on(&world).await, 0);
        world.app.resume_campaign(acme, "slow").await.unwrap();
        assert_eq!(go_on(&world).await, 30, "the second day");
        world.advance(23 * HOUR);
        assert_eq!(go_on(&world).await, 0);
        world.advance(HOUR);
        assert_eq!(go_on(&world).await, 90, "the third");
        world.advance(DAY);
        assert_eq!(go_on(&world).await, 75, "all others");
        world.finish().await;
    }

    async fn what_waited_in_a_pause_leaves_at_the_campaigns_rate(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 90).await;
        let mut slow = plan(Kind::Invitation);
        slow.an_hour = 20;
        begin(&world, "slow", slow).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 20);
        let catalog = world.app.catalog();
        let acme = catalog.brand_by_slug("acme").unwrap();
        world.app.pause_campaign(acme, "slow").await.unwrap();
        world.advance(DAY);
        world.deliver().await;
        world.app.resume_campaign(acme, "slow").await.unwrap();
        assert_eq!(go_on(&world).await, 0, "an hour's worth waits already");
        world.advance(301);
        go_on(&world).await;
        go_on(&world).await;
        assert_eq!(world.caught().len(), 20, "not those who wait and as many new ones");
        world.advance(HOUR);
        go_on(&world).await;
        assert_eq!(world.caught().len(), 40);
        world.end().await;
    }

    async fn while_sending_is_held_nobody_is_asked(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 3).await;
        let mut tx = world.app.store.write().await.unwrap();
        settings::put(&mut tx, "sending_held", "an older copy").await.unwrap();
        tx.commit().await.unwrap();
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(go_on(&world).await, 0);
        let mut tx = world.app.store.write().await.unwrap();
        settings::clear(&mut tx, "sending_held").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(go_on(&world).await, 3);
        world.finish().await;
    }

    async fn a_campaign_without_a_rate_queues_some_hundreds_at_a_time(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 700).await;
        begin(&world, "fast", plan(Kind::Invitation)).await.unwrap();
        for _ in 0..3 {
            world.app.campaigns_due().await.unwrap();
        }
        assert_eq!(told(&world, "fast").await.asked, 500);
        world.deliver().await;
        assert_eq!(world.app.campaigns_due().await.unwrap(), 200);
        world.deliver().await;
        assert_eq!(told(&world, "fast").await.accepted, 700);
        world.finish().await;
    }

    async fn whoever_signs_up_has_the_mail_before_a_campaigns_people(engine: Engine) {
        let own = "from_address = \"letters@acme.example\"\n";
        let slow = DECLARATIONS.replacen(own, &format!("{own}mails_per_hour = 2\n"), 1);
        let world = World::declared(engine, "", &slow).await;
        bought(&world, 40).await;
        begin(&world, "fast", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 2, "no more than the brand may send");
        world.advance(1);
        world.signed_up("vera@example.com", "203.0.113.4").await;
        let first = world.deliver().await;
        assert_eq!(first.len(), 2);
        assert!(first.iter().any(|mail| mail.to == "vera@example.com"), "{:?}", first.iter().map(|mail| &mail.to).collect::<Vec<_>>());
        world.advance(DAY);
        world.deliver().await;
        world.finish().await;
    }

    async fn whoever_signs_up_gets_the_next_turn_though_campaigns_wait_for_theirs(engine: Engine) {
        let own = "from_address = \"letters@acme.example\"\n";
        let slow = DECLARATIONS.replacen(own, &format!("{own}mails_per_hour = 10\n"), 1);
        let world = World::declared(engine, "", &slow).await;
        bought(&world, 40).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        world.app.campaigns_due().await.unwrap();
        begin(&world, "summer", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.deliver().await.len(), 10, "an hour's worth; the other campaign's people have turns now");
        for name in ["vera", "wim"] {
            world.signed_up(&format!("{name}@example.com"), "203.0.113.4").await;
        }
        assert_eq!(world.deliver().await.len(), 10);
        for name in ["vera", "wim"] {
            world.advance(360);
            let newest = world.deliver().await.remove(0);
            assert_eq!(newest.to, format!("{name}@example.com"));
        }
        assert_eq!(world.caught().len(), 12);
        world.end().await;
    }

    async fn a_reminder_outside_the_hours_waits_for_them_and_over_the_rate_for_its_own_turn(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 20).await;
        // The world begins at 17:34 in UTC, the brand's time zone.
        let mut slow = plan(Kind::Invitation);
        slow.hours = Some((8, 18));
        slow.remind_after_days = Some(3);
        slow.an_hour = 10;
        begin(&world, "slow", slow).await.unwrap();
        assert_eq!(go_on(&world).await, 10);
        world.advance(14 * HOUR + 1_800);
        assert_eq!(go_on(&world).await, 10);
        world.advance(3 * DAY - 14 * HOUR);
        // 18:04: the first ten reminders are due.
        go_on(&world).await;
        assert_eq!(world.caught().len(), 20);
        let opens = world.clock.now().plus(std::time::Duration::from_secs(14 * HOUR - 245));
        let waits: Vec<_> = recipients(&world, "slow", "asked").await.into_iter().map(|one| one.due_at).collect();
        assert_eq!(waits.iter().filter(|at| **at == opens).count(), 10, "{waits:?} {opens}");
        world.advance(14 * HOUR);
        go_on(&world).await;
        assert_eq!(world.caught().len(), 30, "an hour's worth of reminders");
        let now = world.clock.now();
        let mut turns: Vec<u64> = recipients(&world, "slow", "asked").await.into_iter()
            .filter(|one| one.reminded_at.is_none())
            .map(|one| one.due_at.since(now).as_secs())
            .collect();
        turns.sort_unstable();
        assert_eq!(turns, (1..=10).map(|at| at * 360).collect::<Vec<u64>>(), "six minutes each");
        world.finish().await;
    }

    async fn at_a_tight_rate_reminders_come_before_people_who_were_not_asked(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 40).await;
        let mut slow = plan(Kind::Invitation);
        slow.remind_after_days = Some(3);
        slow.an_hour = 10;
        begin(&world, "slow", slow).await.unwrap();
        assert_eq!(go_on(&world).await, 10);
        world.advance(3 * DAY);
        assert_eq!(go_on(&world).await, 0);
        assert_eq!(world.caught().iter().filter(|mail| mail.subject.starts_with("Reminder: ")).count(), 10);
        world.finish().await;
    }
}
