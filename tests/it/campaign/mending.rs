//! What a campaign leaves behind: its tallies, what is cancelled, who is held, who acted anew; and the breaker that it does not move.

use std::time::Duration;

use countersign::app::campaign::{CampaignProblem, NewCampaign};
use countersign::domain::campaign::Kind;
use countersign::domain::event::Fact;
use countersign::domain::policy::Source;
use countersign::domain::standing::Basis;
use countersign::domain::time::Timestamp;
use countersign::store::{Engine, Location, breaker, campaign_fates};
use sqlx::{Connection, PgConnection};

use super::{begin, plan, release, say_yes, told, work};
use crate::harness::World;
use crate::import::storing::{List, findings, withdraw};
use crate::on_both_engines;

const DAY: u64 = 86_400;

async fn stands(world: &World, email: &str) -> (bool, Basis, &'static str) {
    let may = world.permission(email, "newsletter").await;
    (may.allowed, may.basis, may.rule)
}

async fn bought(world: &World, text: &str) {
    let text = format!("email,order,date\n{text}");
    List::bought("orders", &text).take_in(world).await;
}

/// Mails that had a fate, as they were tallied, and how many of them failed.
async fn tallied(world: &World, name: &str) -> (i64, i64) {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let row = world.app.campaign(brand, name).await.unwrap();
    let mut conn = world.app.store.read().await.unwrap();
    let fates = campaign_fates::count(&mut conn, &row).await.unwrap();
    (fates.mails, fates.failed)
}

async fn cancel(world: &World, name: &str) {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    world.app.cancel_campaign(brand, name).await.unwrap();
}

on_both_engines! {
    async fn a_campaign_over_an_import_that_is_not_done_does_not_begin(engine: Engine) {
        let world = World::on(engine).await;
        let list = List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\n");
        let begun = list.begin(&world).await.unwrap();
        let acme = world.app.catalog().brand_by_slug("acme").unwrap().clone();
        let mut of_list = plan(Kind::Invitation);
        of_list.import = Some(begun.row.id);
        let new = NewCampaign { name: "early".to_owned(), plan: of_list.clone() };
        let counted = world.app.count_campaign(&acme, &new).await.map(drop);
        for refused in [counted, begin(&world, "early", of_list.clone()).await] {
            let Err(CampaignProblem::Plan(problems)) = refused else { panic!("{refused:?}") };
            assert!(problems[0].starts_with("the import \"orders\" is not done: 0 rows are in"), "{problems:?}");
        }
        list.go_on(&world, begun, None).await.1.unwrap();
        begin(&world, "early", of_list).await.unwrap();
        assert_eq!(work(&world).await, 1);
        world.finish().await;
    }

    async fn the_breaker_weighs_no_confirmation_of_a_campaign(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, "asked@example.org,1,2026-01-01\n").await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        say_yes(&world, "asked@example.org").await;
        let count = async || {
            let mut conn = world.app.store.read().await.unwrap();
            let all = (Timestamp::from_micros(0), world.clock.now().plus(Duration::from_secs(600)));
            let tally = breaker::count(&mut conn, all.0, all.1).await.unwrap();
            (tally.mailed, tally.confirmed)
        };
        assert_eq!(count().await, (0, 0));
        crate::import::storing::confirm(&world, "own@example.org").await;
        assert_eq!(count().await, (1, 1));
        world.finish().await;
    }

    async fn the_fates_of_first_mails_are_tallied_once_each(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, "a@example.org,1,2026-01-01\nb@example.org,2,2026-01-01\n").await;
        let mut asked = plan(Kind::Invitation);
        asked.remind_after_days = Some(3);
        begin(&world, "spring", asked).await.unwrap();
        work(&world).await;
        assert_eq!(tallied(&world, "spring").await, (2, 0));
        world.advance(4 * DAY);
        work(&world).await;
        assert_eq!(world.caught().len(), 4, "two reminders");
        assert_eq!(tallied(&world, "spring").await, (2, 0), "a reminder is no fate");
        world.finish().await;
    }

    async fn a_mail_that_a_cancelled_campaign_never_sent_asked_nobody(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, "a@example.org,1,2026-01-01\nb@example.org,2,2026-01-01\n").await;
        begin(&world, "wrong", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 2);
        cancel(&world, "wrong").await;
        world.deliver().await;
        assert!(world.caught().is_empty());
        let now = told(&world, "wrong").await;
        assert_eq!((now.asked, now.cancelled, now.failed), (0, 2, 0));
        let story = world.story("a@example.org").await;
        let Fact::MailFailed { reason, tries: 0, .. } = &story[2].fact else { panic!("{story:?}") };
        assert!(reason.contains("cancelled"), "{reason}");
        // Nobody has to wait for an answer that cannot come: the right campaign asks once the mailbox's ten minutes are over.
        world.advance(601);
        begin(&world, "right", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 2);
        assert_eq!(world.caught().len(), 2);
        say_yes(&world, "a@example.org").await;
        assert_eq!(stands(&world, "a@example.org").await, (true, Basis::Explicit, "G3"));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn an_import_whose_campaign_was_cancelled_before_a_mail_left_can_be_taken_back(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, "a@example.org,1,2026-01-01\n").await;
        begin(&world, "wrong", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 1);
        cancel(&world, "wrong").await;
        world.deliver().await;
        assert_eq!(withdraw(&world, "orders").await.unwrap(), (1, 1));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn people_who_are_held_keep_no_campaign_running_and_a_release_sets_it_going_again(engine: Engine) {
        let world = World::on(engine).await;
        let staff = "email,employer,benefit,date\nann@example.org,Mill Ltd,bicycles,2026-10-01\nbob@example.org,Mill Ltd,bicycles,2026-10-01\n";
        List { name: "staff", text: staff, source: Some(Source::EmployerList) }.take_in(&world).await;
        begin(&world, "bicycles", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        let now = told(&world, "bicycles").await;
        assert_eq!((now.state.as_str(), now.held), ("done", 2));
        assert_eq!(release(&world, "bicycles", &["ann@example.org"]).await.unwrap(), 1);
        let now = told(&world, "bicycles").await;
        assert_eq!((now.state.as_str(), now.ended_at), ("running", None));
        assert_eq!(work(&world).await, 1);
        say_yes(&world, "ann@example.org").await;
        world.advance(31 * DAY);
        work(&world).await;
        let now = told(&world, "bicycles").await;
        assert_eq!((now.state.as_str(), now.confirmed, now.held), ("done", 1, 1));
        world.finish().await;
    }

    async fn who_bought_again_after_being_asked_does_not_lapse_unanswered(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, "again@example.org,1,2026-01-01\nlate@example.org,2,2026-01-01\nsilent@example.org,3,2026-01-01\n").await;
        let mut asked = plan(Kind::Reconfirmation);
        asked.lapse_unanswered_at = Some(Timestamp::parse("2027-01-15").unwrap());
        begin(&world, "still", asked).await.unwrap();
        assert_eq!(work(&world).await, 3);
        world.advance(20 * DAY);
        // One order of after the mail, and one of before it that was only told later.
        let orders = "email,order,date\nagain@example.org,8,2026-12-10\nlate@example.org,9,2026-10-01\n";
        List::bought("december", orders).take_in(&world).await;
        world.advance(60 * DAY);
        work(&world).await;
        assert_eq!(told(&world, "still").await.unanswered, 3);
        assert_eq!(stands(&world, "again@example.org").await, (true, Basis::Implicit, "A2"));
        let until = world.permission("again@example.org", "newsletter").await.until.unwrap();
        assert_eq!(until, Timestamp::parse("2028-12-10").unwrap());
        for lapsed in ["late@example.org", "silent@example.org"] {
            assert_eq!(stands(&world, lapsed).await, (false, Basis::None, "D2"), "{lapsed}");
        }
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_merger_s_notice_comes_first_also_where_the_brand_s_own_consent_lapsed_meanwhile(engine: Engine) {
        let world = World::on(engine).await;
        // Bought here two years ago, and then carried over from another brand with a later act.
        bought(&world, "a@example.org,1,2024-12-01\n").await;
        let old = "email,document,old_brand,original_source,original_date\na@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n";
        List { name: "mill", text: old, source: Some(Source::MergerOrAcquisition) }.take_in(&world).await;
        assert_eq!(stands(&world, "a@example.org").await, (true, Basis::Implicit, "A2"));
        world.advance(30 * DAY);
        world.app.lapse().await.unwrap();
        assert_eq!(stands(&world, "a@example.org").await, (false, Basis::None, "D2"));
        begin(&world, "invite", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "invite").await.left_out["merger_notice_first"], 1);
        begin(&world, "merger", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert_eq!(stands(&world, "a@example.org").await, (true, Basis::Implicit, "O4"));
        let until = world.permission("a@example.org", "newsletter").await.until.unwrap();
        assert_eq!(until, Timestamp::parse("2028-01-10").unwrap());
        // Once told, they are told no more: what lapses then may be asked for like any other.
        world.advance(31 * DAY);
        work(&world).await;
        let mut asked = plan(Kind::Reconfirmation);
        asked.lapse_unanswered_at = Some(Timestamp::parse("2027-03-15").unwrap());
        begin(&world, "still", asked).await.unwrap();
        assert_eq!(work(&world).await, 1);
        world.advance(60 * DAY);
        work(&world).await;
        assert_eq!(stands(&world, "a@example.org").await, (false, Basis::None, "D2"));
        begin(&world, "notice again", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        begin(&world, "invite again", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_a_mail_waits_for_an_erasure_before_it_holds_anything() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    world.signed_up("a@example.org", "203.0.113.1").await;
    let Location::Postgres(url) = &world.app.config.database else {
        unreachable!()
    };
    let mut erasure = PgConnection::connect(url).await.unwrap();
    // As an erasure begins: it takes the contact's row before anything else.
    sqlx::raw_sql("begin; select 1 from contact for update")
        .execute(&mut erasure)
        .await
        .unwrap();
    let delivery = world.delivery.clone();
    let sending = tokio::spawn(async move { delivery.drain().await });
    while world.caught().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let deleted = sqlx::raw_sql("set local lock_timeout = '2s'; delete from outbox")
        .execute(&mut erasure)
        .await;
    assert!(
        deleted.is_ok(),
        "the result holds the mail and waits for the contact: {deleted:?}"
    );
    sqlx::raw_sql("rollback")
        .execute(&mut erasure)
        .await
        .unwrap();
    erasure.close().await.unwrap();
    sending.await.unwrap().unwrap();
    assert_eq!(
        world.kinds("a@example.org").await.last(),
        Some(&"mail_accepted")
    );
    world.finish().await;
}
