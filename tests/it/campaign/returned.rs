//! Mails that a server took and sent back later, be it for the time being: nobody was told by them.

use countersign::app::bounce::Taken;
use countersign::domain::campaign::Kind;
use countersign::domain::policy::Source;
use countersign::domain::time::Timestamp;

use super::{begin, plan, told, work};
use crate::harness::World;
use crate::import::storing::{List, findings};
use crate::leaving::bounces::{report, return_path};
use crate::on_both_engines;

async fn comes_back_for_now(world: &World, email: &str) {
    let to = return_path(world, email).await;
    let message = report(&to, "failed", "4.2.2", "mailbox full");
    let taken = world.app.take_report(message.as_bytes(), Some(&to)).await;
    assert_eq!(taken.unwrap(), Taken::Soft);
}

async fn may(world: &World, email: &str) -> (bool, &'static str) {
    let told = world.permission(email, "newsletter").await;
    (told.allowed, told.rule)
}

on_both_engines! {
    async fn whom_a_merger_s_notice_did_not_reach_may_not_be_mailed_and_is_told_by_the_next_one(engine: Engine) {
        let world = World::on(engine).await;
        let old = "email,document,old_brand,original_source,original_date\n\
            full@example.org,Deed 7,Mill Letters,purchase,2026-01-10\nhere@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n\
            buyer@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n";
        List { name: "mill", text: old, source: Some(Source::MergerOrAcquisition) }.take_in(&world).await;
        begin(&world, "merger", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 3);
        assert_eq!(may(&world, "full@example.org").await, (true, "O4"));
        // One of them has bought something here meanwhile, which needs no notice.
        List::bought("orders", "email,order,date\nbuyer@example.org,1,2026-11-01\n").take_in(&world).await;
        world.advance(3_600);
        comes_back_for_now(&world, "full@example.org").await;
        comes_back_for_now(&world, "buyer@example.org").await;
        assert_eq!(may(&world, "full@example.org").await, (false, "O4"));
        assert!(may(&world, "here@example.org").await.0 && may(&world, "buyer@example.org").await.0);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        // Once the first request is over.
        world.advance(31 * 86_400);
        begin(&world, "once more", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        world.mail_to("full@example.org").await;
        assert_eq!(may(&world, "full@example.org").await, (true, "O4"));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn the_consent_of_somebody_whose_mail_came_back_for_now_does_not_end_unanswered(engine: Engine) {
        let world = World::on(engine).await;
        let orders = "email,order,date\nfull@example.org,1,2026-01-01\nsilent@example.org,2,2026-01-01\n";
        List::bought("orders", orders).take_in(&world).await;
        let mut asked = plan(Kind::Reconfirmation);
        asked.lapse_unanswered_at = Some(Timestamp::parse("2027-02-01").unwrap());
        begin(&world, "again", asked).await.unwrap();
        assert_eq!(work(&world).await, 2);
        world.advance(60);
        comes_back_for_now(&world, "full@example.org").await;
        world.advance(80 * 86_400);
        work(&world).await;
        assert_eq!(told(&world, "again").await.unanswered, 2);
        assert_eq!(may(&world, "silent@example.org").await, (false, "D2"));
        assert_eq!(may(&world, "full@example.org").await, (true, "A2"));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }
}
