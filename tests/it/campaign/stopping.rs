//! What stops a campaign by itself, told by reports and complaints; and that its hours hold for when mails leave.

use countersign::app::bounce::Taken;
use countersign::domain::campaign::Kind;
use countersign::domain::policy::{Zone, ZoneName};
use countersign::domain::time::Timestamp;

use super::{begin, plan, told, work};
use crate::harness::{DECLARATIONS, World};
use crate::import::storing::List;
use crate::leaving::bounces::{complaint_of, feedback, report, return_path};
use crate::leaving::{brand, contact_of, links};
use crate::on_both_engines;

async fn bought(world: &World, count: usize) {
    let mut text = "email,order,date\n".to_owned();
    for at in 0..count {
        text.push_str(&format!("p{at}@example.org,{at},2026-01-01\n"));
    }
    List::bought("orders", &text).take_in(world).await;
}

/// A server's report that the mail to somebody came back.
async fn comes_back(world: &World, email: &str, status: &str) -> Taken {
    let to = return_path(world, email).await;
    let message = report(&to, "failed", status, "it does not go");
    let taken = world.app.take_report(message.as_bytes(), Some(&to)).await;
    taken.unwrap()
}

async fn complains(world: &World, email: &str) -> Taken {
    let message = complaint_of(world, email).await;
    let taken = world.app.take_report(message.as_bytes(), None).await;
    taken.unwrap()
}

async fn state(world: &World, name: &str) -> (String, Option<String>) {
    world.app.campaigns_due().await.unwrap();
    let now = told(world, name).await;
    (now.state, now.why)
}

fn running() -> (String, Option<String>) {
    ("running".to_owned(), None)
}

fn stopped(why: &str) -> (String, Option<String>) {
    ("stopped".to_owned(), Some(why.to_owned()))
}

on_both_engines! {
    async fn a_campaign_stops_when_reports_tell_that_its_mails_come_back_each_person_counted_once(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 60).await;
        let mut slow = plan(Kind::Invitation);
        slow.an_hour = 25;
        begin(&world, "bad list", slow).await.unwrap();
        assert_eq!(work(&world).await, 25);
        assert_eq!(told(&world, "bad list").await.accepted, 25, "every server took its mail");
        let asked: Vec<String> = world.caught().into_iter().map(|mail| mail.to).collect();
        // Two of 25 are below a tenth, however often they are reported and whether for good or for the time being.
        assert_eq!(comes_back(&world, &asked[0], "5.1.1").await, Taken::Hard);
        assert_eq!(comes_back(&world, &asked[0], "5.1.1").await, Taken::Again);
        assert_eq!(comes_back(&world, &asked[1], "5.2.2").await, Taken::Soft);
        assert_eq!(comes_back(&world, &asked[1], "5.2.2").await, Taken::Soft);
        assert_eq!(state(&world, "bad list").await, running());
        assert_eq!(comes_back(&world, &asked[2], "5.1.1").await, Taken::Hard);
        assert_eq!(state(&world, "bad list").await, stopped("3 of 25 mails failed"));
        // Nothing leaves any more; resumed, what was seen is not counted again.
        world.advance(7_200);
        assert_eq!(work(&world).await, 0);
        world.app.resume_campaign(&brand(&world), "bad list").await.unwrap();
        assert_eq!(work(&world).await, 25);
        assert_eq!(comes_back(&world, &asked[3], "5.1.1").await, Taken::Hard);
        world.app.campaigns_due().await.unwrap();
        assert_eq!(told(&world, "bad list").await.state, "running", "one of 25");
        world.finish().await;
    }

    async fn a_campaign_stops_when_three_people_and_too_many_of_a_thousand_complain(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 30).await;
        begin(&world, "unwanted", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 30);
        assert_eq!(complains(&world, "p0@example.org").await, Taken::Complaint);
        assert_eq!(complains(&world, "p0@example.org").await, Taken::Again);
        // A report that holds no more than the link to leave of some mail of the brand.
        let url = links(&world, contact_of(&world, "p1@example.org").await, Some("newsletter")).list_unsubscribe;
        let by_link = feedback("abuse", "", &format!("List-Unsubscribe: {url}\r\n"));
        assert_eq!(world.app.take_report(by_link.as_bytes(), None).await.unwrap(), Taken::Complaint);
        assert_eq!(state(&world, "unwanted").await, running(), "two people stop nothing");
        assert_eq!(complains(&world, "p2@example.org").await, Taken::Complaint);
        assert_eq!(state(&world, "unwanted").await, stopped("0 of 30 mails failed, 3 people complained"));
        world.app.resume_campaign(&brand(&world), "unwanted").await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(told(&world, "unwanted").await.state, "running", "these three were seen");
        assert_eq!(told(&world, "unwanted").await.left, 3);
        world.finish().await;
    }

    async fn a_campaign_goes_on_below_its_share_of_complaints_and_of_somebody_whom_it_did_not_ask(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 30).await;
        let mut calm = plan(Kind::Invitation);
        calm.stop_at_complaints_permille = 200;
        begin(&world, "calm", calm).await.unwrap();
        assert_eq!(work(&world).await, 30);
        for number in 0..6 {
            let other = format!("other{number}@example.org");
            world.signed_up(&other, &format!("192.0.2.{number}")).await;
            world.deliver().await;
            complains(&world, &other).await;
        }
        for number in 0..5 {
            complains(&world, &format!("p{number}@example.org")).await;
        }
        assert_eq!(state(&world, "calm").await, running(), "five of thirty, and six who signed up by themselves");
        complains(&world, "p5@example.org").await;
        assert_eq!(state(&world, "calm").await, stopped("0 of 30 mails failed, 6 people complained"));
        world.finish().await;
    }

    async fn a_mail_that_something_kept_back_until_the_night_leaves_when_the_hours_begin_again(engine: Engine) {
        let tokyo = "from_address = \"letters@acme.example\"\ntime_zone = \"Asia/Tokyo\"\n";
        let declared = DECLARATIONS.replacen("from_address = \"letters@acme.example\"\n", tokyo, 1);
        let world = World::declared(engine, "", &declared).await;
        bought(&world, 2).await;
        let mut by_day = plan(Kind::Invitation);
        by_day.hours = Some((8, 18));
        begin(&world, "by day", by_day).await.unwrap();
        // The world begins at 17:34 in UTC, when it is night in Tokyo.
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 0);
        world.advance(6 * 3_600);
        assert_eq!(world.app.campaigns_due().await.unwrap(), 2, "08:34 in Tokyo");
        // Paused in the evening, and resumed in the night: 20:34.
        world.app.pause_campaign(&brand(&world), "by day").await.unwrap();
        world.deliver().await;
        world.advance(12 * 3_600);
        world.app.resume_campaign(&brand(&world), "by day").await.unwrap();
        assert_eq!(world.deliver().await.len(), 0, "it is night");
        world.advance(11 * 3_600 + 25 * 60);
        assert_eq!(world.deliver().await.len(), 0, "07:59");
        world.advance(60);
        assert_eq!(world.deliver().await.len(), 2, "at eight");
        world.finish().await;
    }
}

#[test]
fn hours_begin_again_today_or_tomorrow_and_behind_an_hour_that_clocks_skip() {
    let zone = Zone::of(&ZoneName::try_from("Europe/Amsterdam".to_owned()).unwrap());
    let mut plan = plan(Kind::Invitation);
    let opens = |plan: &countersign::domain::campaign::Plan, at: &str| {
        let at = Timestamp::parse(at).unwrap();
        plan.opens_at(&zone, at).map(|at| at.to_string())
    };
    assert_eq!(opens(&plan, "2026-11-24T02:00:00Z"), None, "no hours");
    plan.hours = Some((9, 17));
    for (at, begins) in [
        ("2026-11-24T02:00:00Z", Some("2026-11-24T08:00:00")),
        ("2026-11-24T08:00:00Z", None),
        ("2026-11-24T15:59:59Z", None),
        ("2026-11-24T16:00:00Z", Some("2026-11-25T08:00:00")),
    ] {
        let found = opens(&plan, at);
        assert!(
            found.as_deref().map(|text| &text[..19]) == begins,
            "{at}: {found:?}"
        );
    }
    plan.hours = Some((2, 5));
    let found = opens(&plan, "2027-03-28T00:30:00Z").unwrap();
    assert!(found.starts_with("2027-03-28T01:00:00"), "{found}");
}
