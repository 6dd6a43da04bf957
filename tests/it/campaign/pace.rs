//! How fast a campaign goes, what stops it, and that nobody is asked twice.

use std::process::Command;

use countersign::app::campaign::CampaignProblem;
use countersign::app::import::WithdrawProblem;
use countersign::domain::campaign::Kind;

use super::{begin, plan, told, work};
use crate::harness::{Folder, World, dying_at};
use crate::import::command::{complaint, data};
use crate::import::storing::{List, findings};
use crate::on_both_engines;
use crate::smtp::peers::{Action, Peer, Step, say};

pub async fn bought(world: &World, count: usize) {
    let mut text = "email,order,date\n".to_owned();
    for at in 0..count {
        text.push_str(&format!("p{at}@example.org,{at},2026-01-01\n"));
    }
    List::bought("orders", &text).take_in(world).await;
}

on_both_engines! {
    async fn a_campaign_keeps_to_its_rate_its_first_days_and_its_hours(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 130).await;
        let mut slow = plan(Kind::Invitation);
        slow.an_hour = 20;
        slow.warm_up = vec![5, 30];
        // The world begins at 17:34 in UTC, the brand's time zone.
        slow.hours = Some((8, 18));
        begin(&world, "slow", slow).await.unwrap();
        assert_eq!(work(&world).await, 5, "the first day's number");
        assert_eq!(world.app.campaigns_due().await.unwrap(), 0);
        world.advance(3_600);
        assert_eq!(work(&world).await, 0, "the first day's number is used up, and it is past 18");
        world.advance(22 * 3_600);
        assert_eq!(work(&world).await, 0, "the first day is 24 hours long");
        world.advance(3_600);
        assert_eq!(work(&world).await, 20, "an hour's worth at once, on the second day");
        assert_eq!(work(&world).await, 0);
        world.advance(900);
        assert_eq!(work(&world).await, 5, "a quarter of an hour gives a quarter of the rate");
        world.advance(25 * 3_600);
        assert_eq!(work(&world).await, 0, "on the third day it is past 18");
        world.advance(14 * 3_600);
        assert_eq!(work(&world).await, 20);
        assert_eq!(told(&world, "slow").await.asked, 50);
        world.finish().await;
    }

    async fn nobody_is_asked_twice_or_left_out_though_the_worker_dies_at_any_moment(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 230).await;
        begin(&world, "deadly", plan(Kind::Invitation)).await.unwrap();
        let mut waits = 0;
        while told(&world, "deadly").await.asked < 230 {
            let _ = dying_at(waits, world.app.campaigns_due()).await;
            waits += 1;
            assert!(waits < 2_000, "it never ends");
        }
        world.deliver().await;
        let mut to: Vec<String> = world.caught().into_iter().map(|mail| mail.to).collect();
        to.sort_unstable();
        to.dedup();
        assert_eq!((to.len(), world.caught().len()), (230, 230));
        assert_eq!(world.kinds("p7@example.org").await, ["imported", "invited", "mail_accepted"]);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn two_workers_ask_everybody_once(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 250).await;
        begin(&world, "both", plan(Kind::Invitation)).await.unwrap();
        for _ in 0..4 {
            let (one, two) = tokio::join!(world.app.campaigns_due(), world.app.campaigns_due());
            one.unwrap();
            two.unwrap();
        }
        world.deliver().await;
        assert_eq!(world.caught().len(), 250);
        assert_eq!(told(&world, "both").await.accepted, 250);
        world.finish().await;
    }

    async fn a_paused_campaign_sends_nothing_and_a_cancelled_one_never_again(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 3).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        begin(&world, "first", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 3);
        world.app.pause_campaign(brand, "first").await.unwrap();
        world.deliver().await;
        assert!(world.caught().is_empty(), "the mails wait");
        world.app.resume_campaign(brand, "first").await.unwrap();
        world.advance(301);
        world.deliver().await;
        assert_eq!(world.caught().len(), 3);
        let wrong = world.app.resume_campaign(brand, "first").await;
        assert!(matches!(wrong, Err(CampaignProblem::State { .. })), "{wrong:?}");

        begin(&world, "again", plan(Kind::Reconfirmation)).await.unwrap();
        world.advance(40 * 86_400);
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 3);
        world.app.cancel_campaign(brand, "again").await.unwrap();
        world.advance(301);
        world.deliver().await;
        assert_eq!(world.caught().len(), 3, "mails that waited are gone");
        let taken = begin(&world, "again", plan(Kind::Reconfirmation)).await;
        assert!(matches!(taken, Err(CampaignProblem::Taken(_))), "{taken:?}");
        world.finish().await;
    }

    async fn who_left_or_is_erased_between_enrolment_and_asking_is_not_asked(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 3).await;
        begin(&world, "late", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        world.signed_up("p0@example.org", "203.0.113.4").await;
        let mail = world.mail_to("p0@example.org").await;
        world.client("203.0.113.4").post(&mail.decline(), &[]).await;
        let catalog = world.app.catalog();
        let wish = countersign::app::erase::Wish {
            by: countersign::domain::event::ErasedBy::Operator,
            through: countersign::domain::event::Through::CommandLine,
        };
        world.app.erase(catalog.brand_by_slug("acme").unwrap(), "p1@example.org", wish).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert_eq!(told(&world, "late").await.left_out["left"], 1);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn an_import_cannot_be_taken_back_once_its_people_were_asked(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 2).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        let refused = world.app.withdraw_import(brand, "orders").await;
        assert!(matches!(refused, Err(WithdrawProblem::Sent(_))), "{refused:?}");
        // Another list that names the same people came later, and nobody was asked because of it.
        world.advance(60);
        let again = "email,order,date\np0@example.org,9,2026-02-01\n";
        List::bought("later", again).take_in(&world).await;
        assert_eq!(world.app.withdraw_import(brand, "later").await.unwrap().contacts, 1);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_campaign_stops_by_itself_when_too_many_mails_fail_and_goes_on_when_somebody_says_so(engine: Engine) {
        let peer = Peer::start(&["8BITMIME"], |turn| match turn.step {
            // Every second of them.
            Step::Recipient if ["0@", "2@", "4@", "6@", "8@"].iter().any(|end| turn.line.contains(end)) => {
                say("550 5.1.1 nobody here")
            }
            _ => Action::Usual,
        })
        .await;
        let world = World::mailing_to(engine, peer.port).await;
        bought(&world, 60).await;
        let mut slow = plan(Kind::Invitation);
        slow.an_hour = 25;
        begin(&world, "bad list", slow).await.unwrap();
        assert_eq!(work(&world).await, 25);
        world.app.campaigns_due().await.unwrap();
        let now = told(&world, "bad list").await;
        assert_eq!(now.state, "stopped", "{} of {}", now.failed, now.accepted);
        assert!(now.failed > 0 && now.why.as_deref().unwrap().ends_with(" of 25 mails failed"), "{now:?}");
        world.advance(7_200);
        assert_eq!(work(&world).await, 0);
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        world.app.resume_campaign(brand, "bad list").await.unwrap();
        assert_eq!(work(&world).await, 25);
        world.end().await;
    }

    async fn a_mailbox_that_two_contacts_share_stays_suppressed(engine: Engine) {
        let world = World::on(engine).await;
        let text = "email,order,date\njoe+a@example.org,1,2026-01-01\njoe+b@example.org,2,2026-01-01\n";
        List::bought("orders", text).take_in(&world).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        world.signed_up("joe@example.org", "203.0.113.4").await;
        let mail = world.mail_to("joe@example.org").await;
        world.client("203.0.113.4").post(&mail.decline(), &[]).await;
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "spring").await.left_out["refused"], 2);
        world.signed_up("joe@example.org", "203.0.113.5").await;
        assert_eq!(world.deliver().await.len(), 1, "the mailbox is still suppressed");
        world.finish().await;
    }

    async fn a_campaign_is_run_from_the_command_line(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world, 2).await;
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        let run = |arguments: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
            let words = arguments.split_whitespace();
            command.current_dir(&folder.0).arg("campaign").args(words).args(["--brand", "acme"]).output().unwrap()
        };
        let start = "start spring --kind invitation --purpose newsletter --form news --json";
        let tried = data(&run(&format!("{start} --dry-run --preview mail.eml")));
        assert_eq!((&tried["asked"], &tried["started"]), (&2.into(), &false.into()));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(folder.0.join("mail.eml")).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "it holds an address");
        let again = run(&format!("{start} --dry-run --preview mail.eml"));
        assert_eq!(again.status.code(), Some(2), "nothing is written over: {}", complaint(&again));
        let mail = std::fs::read_to_string(folder.0.join("mail.eml")).unwrap();
        assert!(mail.contains("Subject: Newsletter from Acme Letters: yes or no?") && (mail.contains("To: p0@example.org") || mail.contains("To: p1@example.org")), "{mail}");
        assert_eq!(data(&run(start))["started"], true);
        assert_eq!(work(&world).await, 2);
        let now = data(&run("status spring --json --contacts out.csv"));
        assert_eq!((&now["asked"], &now["accepted"], &now["state"]), (&2.into(), &2.into(), &"running".into()));
        let lines = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
        assert!(lines.contains("p0@example.org,asked,,accepted,open,"), "{lines}");
        for (arguments, code, part) in [
            ("start x --kind invitation --purpose nothing --form news", 2, "has no purpose"),
            ("start x --kind invitation --purpose newsletter --form other", 2, "has no form"),
            ("start x --kind merger_notice --purpose newsletter --form news", 2, "old brand"),
            ("start x --kind invitation --purpose newsletter --form news --hours 17-9", 2, "hours"),
            ("resume spring", 1, "cannot be running"),
            ("pause summer", 2, "no campaign"),
            ("release spring p0@example.org", 1, "does not hold"),
        ] {
            let output = run(arguments);
            assert_eq!(output.status.code(), Some(code), "{arguments}: {}", complaint(&output));
            assert!(complaint(&output).contains(part), "{arguments}: {}", complaint(&output));
        }
        assert_eq!(run("pause spring").status.code(), Some(0));
        assert_eq!(data(&run("status --json"))["state"], "paused");
        world.finish().await;
    }
}
