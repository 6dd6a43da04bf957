//! What comes too late: mails that a pause or a standstill kept back, reminders before the first mail, campaigns behind many others.

use countersign::app::prefer::{Chosen, Pause};
use countersign::domain::campaign::Kind;
use countersign::domain::event::{Event, Fact};
use countersign::domain::policy::Source;

use super::{begin, plan, release, say_yes, told, work};
use crate::harness::World;
use crate::import::storing::{List, findings};
use crate::leaving::{brand, contact_of};
use crate::on_both_engines;

const DAY: u64 = 86_400;
const NOTHING: [&str; 0] = [];

async fn bought(world: &World) {
    List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\n")
        .take_in(world)
        .await;
}

/// Asks, and lets no mail leave yet.
async fn asked(world: &World) {
    world.app.campaigns_due().await.unwrap();
    assert_eq!(world.app.campaigns_due().await.unwrap(), 1);
}

async fn pause(world: &World, email: &str, days: u64) {
    let chosen = Chosen {
        pause: Some(Pause::ForDays(days)),
        ..Chosen::default()
    };
    let contact = contact_of(world, email).await;
    let paused = world.app.prefer(&brand(world), contact, chosen).await;
    paused.unwrap();
}

async fn state(world: &World, name: &str) -> String {
    told(world, name).await.state
}

on_both_engines! {
    async fn whom_a_pause_kept_from_being_asked_in_time_is_asked_anew_after_it(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        asked(&world).await;
        pause(&world, "a@example.org", 30).await;
        work(&world).await;
        assert!(world.caught().is_empty());
        let story = world.story("a@example.org").await;
        let Some(Fact::MailFailed { reason, tries: 0, .. }) = story.last().map(|event| &event.fact) else { panic!("{story:?}") };
        assert!(reason.contains("asked anew"), "{reason}");
        let now = told(&world, "spring").await;
        assert_eq!((now.state.as_str(), now.waiting, now.asked), ("running", 1, 0));
        world.advance(29 * DAY);
        world.app.expire().await.unwrap();
        assert_eq!(work(&world).await, 0);
        world.advance(DAY);
        assert_eq!(work(&world).await, 1);
        assert_eq!(world.caught().len(), 1);
        say_yes(&world, "a@example.org").await;
        assert_eq!(told(&world, "spring").await.confirmed, 1);
        assert_eq!(findings(&world).await, NOTHING);
        world.finish().await;
    }

    async fn a_release_outlasts_a_standstill_in_which_the_time_to_answer_went_by(engine: Engine) {
        let world = World::on(engine).await;
        let staff = "email,employer,benefit,date\na@example.org,Mill Ltd,bicycles,2026-10-01\n";
        List { name: "staff", text: staff, source: Some(Source::EmployerList) }.take_in(&world).await;
        begin(&world, "bicycles", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(release(&world, "bicycles", &["a@example.org"]).await.unwrap(), 1);
        assert_eq!(world.app.campaigns_due().await.unwrap(), 1);
        // No mail leaves for a month: the request expires, and the campaign comes to its end.
        world.advance(31 * DAY);
        world.app.expire().await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(state(&world, "bicycles").await, "done");
        world.deliver().await;
        assert!(world.caught().is_empty());
        assert_eq!(state(&world, "bicycles").await, "running");
        assert_eq!(work(&world).await, 1, "the release holds");
        assert_eq!(world.caught().len(), 1);
        say_yes(&world, "a@example.org").await;
        assert_eq!(told(&world, "bicycles").await.confirmed, 1);
        assert_eq!(findings(&world).await, NOTHING);
        world.finish().await;
    }

    async fn a_mail_to_whom_nothing_is_known_of_any_more_asks_nobody(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        asked(&world).await;
        // As if the import had been taken back in the moment of asking.
        world.sql("update contact set standings = '{}'").await.unwrap();
        world.deliver().await;
        assert!(world.caught().is_empty());
        let now = told(&world, "spring").await;
        assert_eq!((now.asked, now.cancelled), (0, 1));
        let story = world.story("a@example.org").await;
        let Some(Fact::MailFailed { reason, .. }) = story.last().map(|event| &event.fact) else { panic!("{story:?}") };
        assert!(reason.contains("nothing was known"), "{reason}");
        world.finish().await;
    }

    async fn a_campaign_behind_five_hundred_others_is_worked_on_too(engine: Engine) {
        let world = World::on(engine).await;
        for at in 0..501 {
            begin(&world, &format!("campaign {at}"), plan(Kind::Invitation)).await.unwrap();
        }
        world.app.campaigns_due().await.unwrap();
        for name in ["campaign 0", "campaign 499", "campaign 500"] {
            assert_eq!(state(&world, name).await, "running", "{name}");
        }
        world.finish().await;
    }

    async fn a_campaign_that_is_paused_while_it_enrols_goes_on_with_that(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        world.app.pause_campaign(&brand(&world), "spring").await.unwrap();
        assert_eq!(work(&world).await, 0);
        let now = told(&world, "spring").await;
        assert_eq!((now.state.as_str(), now.waiting), ("paused", 0));
        world.app.resume_campaign(&brand(&world), "spring").await.unwrap();
        let now = told(&world, "spring").await;
        assert_eq!((now.state.as_str(), now.why), ("enrolling", None));
        assert_eq!(work(&world).await, 1);
        // Once everybody is enrolled it is asking that goes on.
        world.app.pause_campaign(&brand(&world), "spring").await.unwrap();
        world.app.resume_campaign(&brand(&world), "spring").await.unwrap();
        assert_eq!(state(&world, "spring").await, "running");
        world.finish().await;
    }

    async fn a_reminder_waits_for_a_first_mail_that_is_late(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world).await;
        let mut reminding = plan(Kind::Invitation);
        reminding.remind_after_days = Some(1);
        begin(&world, "spring", reminding).await.unwrap();
        asked(&world).await;
        world.advance(DAY + 60);
        world.app.campaigns_due().await.unwrap();
        world.deliver().await;
        assert_eq!(world.caught().len(), 1, "the first mail, and no reminder before it");
        world.advance(3_600);
        world.app.campaigns_due().await.unwrap();
        world.deliver().await;
        assert_eq!(world.caught().len(), 2);
        let story = world.story("a@example.org").await;
        let reminded = |event: &&Event| matches!(&event.fact, Fact::Invited(invited) if invited.reminder);
        assert_eq!(story.iter().filter(reminded).count(), 1);
        assert_eq!(findings(&world).await, NOTHING);
        world.finish().await;
    }
}
