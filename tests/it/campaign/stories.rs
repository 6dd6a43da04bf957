//! From a file to explicit consent: the trade show, the employer's list, the merger.

use countersign::app::campaign::NewCampaign;
use countersign::domain::campaign::Kind;
use countersign::domain::event::Grade;
use countersign::domain::policy::Source;
use countersign::domain::standing::Basis;
use countersign::domain::time::Timestamp;

use super::{begin, plan, release, say_no, say_yes, told, work};
use crate::harness::World;
use crate::import::command::{data, tried};
use crate::import::storing::{List, findings};
use crate::on_both_engines;

async fn stands(world: &World, email: &str) -> (bool, Basis, &'static str) {
    let may = world.permission(email, "newsletter").await;
    (may.allowed, may.basis, may.rule)
}

on_both_engines! {
    async fn people_met_at_a_trade_show_are_invited_and_those_of_the_organiser_s_list_only_by_name(engine: Engine) {
        let world = World::on(engine).await;
        // Those who came to our booth left their badges: they may be mailed, and the server may ask them.
        let booth = "email,event,kind,date,language\nanna@example.org,Fair,badge,2026-11-01,de\nben@example.org,Fair,badge,2026-11-01,\n";
        let list = List { name: "booth", text: booth, source: Some(Source::EventBooth) };
        assert_eq!(list.take_in(&world).await.new, 2);
        assert_eq!(stands(&world, "anna@example.org").await, (true, Basis::Implicit, "O2a"));
        // The organiser's list came later, and somebody chose to ask its people one by one.
        let organiser = "email\ncleo@example.org\ndan@example.org\n";
        let arguments = "--source event_organizer_list --proof event=Fair --proof organizer=Fair --name organiser \
            --confirm-organizer-list --json";
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let (_folder, output) = tried(&world, organiser.as_bytes(), &words).await;
        assert_eq!(data(&output)["new"], 2);
        assert_eq!(stands(&world, "cleo@example.org").await, (false, Basis::None, "O2b"));

        begin(&world, "after the fair", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 2);
        let now = told(&world, "after the fair").await;
        assert_eq!((now.asked, now.held, now.accepted), (2, 2, 2));
        let mail = world.mail_to("ben@example.org").await.0;
        assert_eq!(mail.subject, "Newsletter from Acme Letters: yes or no?");
        assert!(mail.text.contains("because you visited the booth of Acme Letters"), "{}", mail.text);
        assert!(!mail.text.contains("Your address was entered"), "{}", mail.text);
        let german = world.mail_to("anna@example.org").await.0;
        assert_eq!(german.subject, "Rundbrief von Acme Letters: ja oder nein?");

        say_yes(&world, "anna@example.org").await;
        say_no(&world, "ben@example.org").await;
        assert_eq!(release(&world, "after the fair", &["cleo@example.org"]).await.unwrap(), 1);
        assert!(release(&world, "after the fair", &["cleo@example.org"]).await.is_err());
        assert_eq!(work(&world).await, 1);
        say_yes(&world, "cleo@example.org").await;
        assert_eq!(stands(&world, "anna@example.org").await, (true, Basis::Explicit, "G3"));
        assert_eq!(stands(&world, "ben@example.org").await, (false, Basis::None, "D3"));
        assert_eq!(stands(&world, "cleo@example.org").await, (true, Basis::Explicit, "G3"));
        assert_eq!(stands(&world, "dan@example.org").await, (false, Basis::None, "O2b"));
        assert!(world.caught().iter().all(|mail| mail.to != "dan@example.org"));
        let now = told(&world, "after the fair").await;
        assert_eq!((now.confirmed, now.declined, now.held), (2, 1, 1));
        assert_eq!(world.kinds("cleo@example.org").await, ["imported", "invited", "mail_accepted", "link_opened", "confirmed"]);
        world.finish().await;
    }

    async fn employees_are_invited_once_each_when_somebody_releases_them(engine: Engine) {
        let world = World::on(engine).await;
        let staff = "email,employer,benefit,date\nann@example.org,Mill Ltd,bicycles,2026-10-01\nbob@example.org,Mill Ltd,bicycles,2026-10-01\n";
        List { name: "staff", text: staff, source: Some(Source::EmployerList) }.take_in(&world).await;
        let mut asked = plan(Kind::Invitation);
        asked.remind_after_days = Some(3);
        begin(&world, "bicycles", asked).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "bicycles").await.held, 2);
        assert!(world.caught().is_empty());
        release(&world, "bicycles", &["ann@example.org", "bob@example.org"]).await.unwrap();
        assert_eq!(work(&world).await, 2);
        let mail = world.mail_to("bob@example.org").await.0;
        assert!(mail.text.contains("your employer named you to Acme Letters"), "{}", mail.text);
        say_yes(&world, "ann@example.org").await;
        let ann = world.permission("ann@example.org", "newsletter").await;
        assert_eq!((ann.basis, ann.grade), (Basis::Explicit, Some(Grade::LinkButton)));
        // No reminder for who was asked one to one; and a second campaign does not invite again.
        world.advance(5 * 86_400);
        work(&world).await;
        assert_eq!(world.caught().len(), 2);
        world.advance(30 * 86_400);
        work(&world).await;
        let now = told(&world, "bicycles").await;
        assert_eq!((now.state.as_str(), now.confirmed, now.unanswered), ("done", 1, 1));
        begin(&world, "once more", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        release(&world, "once more", &["bob@example.org"]).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "once more").await.left_out["invited_before"], 1);
        assert_eq!(stands(&world, "bob@example.org").await, (false, Basis::None, "O3"));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn after_a_merger_the_new_brand_may_mail_once_the_notice_has_arrived_and_people_stay_or_leave(engine: Engine) {
        let world = World::on(engine).await;
        let old = "email,document,old_brand,original_source,original_date\n\
            stay@example.org,Deed 7,Mill Letters,purchase,2026-01-10\nleave@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n\
            silent@example.org,Deed 7,Mill Letters,purchase,2026-01-10\nunproven@example.org,Deed 7,Mill Letters,,\n";
        let list = List { name: "mill", text: old, source: Some(Source::MergerOrAcquisition) };
        list.take_in(&world).await;
        // Carried over, and yet nobody may be mailed before they were told.
        assert_eq!(stands(&world, "stay@example.org").await, (false, Basis::None, "O4"));
        begin(&world, "invite", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert_eq!(told(&world, "invite").await.left_out["merger_notice_first"], 3);
        begin(&world, "merger", plan(Kind::MergerNotice)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 3);
        assert!(!stands(&world, "stay@example.org").await.0, "asked, but nothing has arrived");
        world.deliver().await;
        for address in ["stay@example.org", "leave@example.org", "silent@example.org"] {
            assert_eq!(stands(&world, address).await, (true, Basis::Implicit, "O4"), "{address}");
        }
        let until = world.permission("stay@example.org", "newsletter").await.until.unwrap();
        assert_eq!(until, Timestamp::parse("2028-01-10").unwrap());
        let mail = world.mail_to("stay@example.org").await.0;
        assert_eq!(mail.subject, "Mill Letters is now part of Acme Letters");
        assert!(mail.text.contains("Mill Letters has been bought by Acme.") && mail.html.contains("Yes, I stay"), "{}", mail.text);
        assert!(!mail.text.contains("mailing list"), "whoever only bought there was on none: {}", mail.text);
        // One button to stay, and one to leave.
        let buttons: Vec<&str> = mail.html.split("<a class=\"b").skip(1).map(|one| one.split("</a>").next().unwrap()).collect();
        assert_eq!(buttons.len(), 2, "{}", mail.html);
        assert!(buttons[0].ends_with("Yes, I stay") && buttons[1].ends_with("I leave"), "{buttons:?}");
        assert!(buttons[1].contains(world.mail_to("stay@example.org").await.decline().as_str()), "{buttons:?}");
        assert_eq!(mail.html.matches("I leave").count(), 1);
        say_yes(&world, "stay@example.org").await;
        say_no(&world, "leave@example.org").await;
        assert_eq!(stands(&world, "stay@example.org").await, (true, Basis::Explicit, "G3"));
        assert_eq!(stands(&world, "leave@example.org").await, (false, Basis::None, "D3"));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        // Who said nothing stays as it was at the old brand, to the day.
        world.advance(500 * 86_400);
        world.app.lapse().await.unwrap();
        assert_eq!(stands(&world, "silent@example.org").await, (false, Basis::None, "D2"));
        assert!(!stands(&world, "unproven@example.org").await.0);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_merger_s_notice_goes_to_those_only_who_know_the_brand_that_it_names(engine: Engine) {
        let world = World::on(engine).await;
        let old = "email,document,old_brand,original_source,original_date\n\
            mill@example.org,Deed 7, MILL letters ,purchase,2026-01-10\n\
            pond@example.org,Deed 8,Pond Post,purchase,2026-01-10\n\
            both@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n\
            both@example.org,Deed 8,Pond Post,purchase,2026-02-10\n";
        List { name: "two brands", text: old, source: Some(Source::MergerOrAcquisition) }.take_in(&world).await;
        begin(&world, "mill", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 2);
        let to: Vec<String> = world.caught().into_iter().map(|mail| mail.to).collect();
        assert!(!to.contains(&"pond@example.org".to_owned()), "{to:?}");
        assert_eq!(told(&world, "mill").await.left_out["other_old_brand"], 1);
        assert!(!stands(&world, "pond@example.org").await.0, "nobody has told them yet");
        let mut pond = plan(Kind::MergerNotice);
        pond.old_brand = Some("pond post ".to_owned());
        begin(&world, "pond", pond).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert!(world.mail_to("pond@example.org").await.0.subject.contains("pond post"));
        assert_eq!(told(&world, "pond").await.left_out["no_merger_notice_due"], 2, "once is enough");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn the_notice_of_one_merger_opens_nothing_that_came_by_another_one(engine: Engine) {
        let world = World::on(engine).await;
        let old = "email,document,old_brand,original_source,original_date\n\
            both@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n\
            both@example.org,Deed 8,Pond Post,purchase,2026-06-10\n\
            half@example.org,Deed 7,Mill Letters,,\n\
            half@example.org,Deed 8,Pond Post,purchase,2026-06-10\n";
        List { name: "two brands", text: old, source: Some(Source::MergerOrAcquisition) }.take_in(&world).await;
        begin(&world, "mill", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert_eq!(told(&world, "mill").await.left_out["other_old_brand"], 1, "nothing that is proven came from there");
        let until = async |email: &str| world.permission(email, "newsletter").await.until;
        assert!(!stands(&world, "half@example.org").await.0);
        assert_eq!(until("both@example.org").await, Timestamp::parse("2028-01-10"), "not the pond's");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        // When that is over, the rest still waits for its own notice.
        world.advance(414 * 86_400);
        world.app.lapse().await.unwrap();
        assert_eq!(stands(&world, "both@example.org").await, (false, Basis::None, "D2"));
        begin(&world, "mill again", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 0, "they were told of that one");
        let mut pond = plan(Kind::MergerNotice);
        pond.old_brand = Some("Pond Post".to_owned());
        begin(&world, "pond", pond).await.unwrap();
        assert_eq!(work(&world).await, 2);
        for email in ["both@example.org", "half@example.org"] {
            assert_eq!(stands(&world, email).await, (true, Basis::Implicit, "O4"), "{email}");
            assert_eq!(until(email).await, Timestamp::parse("2028-06-10"), "{email}");
        }
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn who_answered_an_ad_and_stands_on_an_employers_list_can_be_released(engine: Engine) {
        let world = World::on(engine).await;
        let ad = "email\nboth@example.org\nad@example.org\n";
        List { name: "ad", text: ad, source: Some(Source::AdResponse) }.take_in(&world).await;
        let staff = "email,employer,benefit,date\nboth@example.org,Mill Ltd,gym,2026-10-01\n";
        List { name: "staff", text: staff, source: Some(Source::EmployerList) }.take_in(&world).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        let now = told(&world, "spring").await;
        assert_eq!((now.held, now.left_out["not_by_mail"]), (1, 1));
        release(&world, "spring", &["both@example.org"]).await.unwrap();
        assert_eq!(work(&world).await, 1);
        world.mail_to("both@example.org").await;
        world.finish().await;
    }

    async fn the_count_before_a_campaign_tells_who_was_asked_before(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("old", "email,order,date\na@example.org,1,2023-01-01\nb@example.org,2,2023-01-01\n").take_in(&world).await;
        begin(&world, "first", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 2);
        world.advance(31 * 86_400);
        work(&world).await;
        List::bought("more", "email,order,date\nc@example.org,3,2023-01-01\n").take_in(&world).await;
        let acme = world.app.catalog().brand_by_slug("acme").unwrap().clone();
        let new = NewCampaign { name: "second".to_owned(), plan: plan(Kind::Invitation) };
        let counted = world.app.count_campaign(&acme, &new).await.unwrap();
        assert_eq!((counted.asked, counted.held, counted.asked_before), (3, 0, 2));
        world.finish().await;
    }

    async fn what_a_merger_carries_over_without_an_end_waits_for_its_notice_too(engine: Engine) {
        let world = World::on(engine).await;
        let old = "email,document,old_brand,original_source,original_date\n\
            anna@example.org,Deed 7,Mill Letters,newsletter_form,2019-01-10\nben@example.org,Deed 7,Mill Letters,event_booth,2020-02-01\n";
        let list = List { name: "mill", text: old, source: Some(Source::MergerOrAcquisition) };
        list.take_in(&world).await;
        assert_eq!(stands(&world, "anna@example.org").await, (false, Basis::None, "O4"));
        assert!(world.permission("anna@example.org", "newsletter").await.why.contains("once the notice of the change has reached"));
        begin(&world, "invite", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "invite").await.left_out["merger_notice_first"], 2);
        begin(&world, "merger", plan(Kind::MergerNotice)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 2);
        assert!(!stands(&world, "anna@example.org").await.0, "asked, but nothing has arrived");
        world.deliver().await;
        for address in ["anna@example.org", "ben@example.org"] {
            assert_eq!(stands(&world, address).await, (true, Basis::Implicit, "O4"), "{address}");
            assert_eq!(world.permission(address, "newsletter").await.until, None, "{address}");
        }
        // Told once; a second notice has nobody to tell, and nothing ends by itself.
        begin(&world, "once more", plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "once more").await.left_out["no_merger_notice_due"], 2);
        world.advance(1_000 * 86_400);
        assert_eq!(world.app.lapse().await.unwrap(), 0);
        assert_eq!(stands(&world, "ben@example.org").await, (true, Basis::Implicit, "O4"));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn whoever_does_not_answer_a_re_confirmation_lapses_on_the_day_that_was_said(engine: Engine) {
        let world = World::on(engine).await;
        let orders = "email,order,date\nyes@example.org,1,2026-01-01\nsilent@example.org,2,2026-01-01\nlate@example.org,3,2026-01-01\n";
        List::bought("orders", orders).take_in(&world).await;
        let mut asked = plan(Kind::Reconfirmation);
        asked.remind_after_days = Some(7);
        asked.lapse_unanswered_at = Some(Timestamp::parse("2027-02-01").unwrap());
        begin(&world, "again", asked).await.unwrap();
        assert_eq!(work(&world).await, 3);
        assert_eq!(world.mail_to("yes@example.org").await.0.subject, "Do you still want Newsletter from Acme Letters?");
        say_yes(&world, "yes@example.org").await;
        world.advance(8 * 86_400);
        work(&world).await;
        let reminders = world.caught().into_iter().filter(|mail| mail.subject.starts_with("Reminder: ")).count();
        assert_eq!(reminders, 2, "one each for those who have not answered");
        world.advance(86_400);
        work(&world).await;
        assert_eq!(world.caught().len(), 5, "no second reminder");
        say_yes(&world, "late@example.org").await;
        assert_eq!(stands(&world, "silent@example.org").await, (true, Basis::Implicit, "A2"));
        world.advance(70 * 86_400);
        work(&world).await;
        assert_eq!(stands(&world, "silent@example.org").await, (false, Basis::None, "D2"));
        assert_eq!(stands(&world, "late@example.org").await, (true, Basis::Explicit, "G3"));
        let now = told(&world, "again").await;
        assert_eq!((now.state.as_str(), now.confirmed, now.unanswered), ("done", 2, 1));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn the_page_of_a_campaigns_old_link_offers_no_mail_and_gives_no_consent(engine: Engine) {
        let world = World::on(engine).await;
        let staff = "email,employer,benefit,date\nann@example.org,Mill Ltd,bicycles,2026-10-01\n";
        List { name: "staff", text: staff, source: Some(Source::EmployerList) }.take_in(&world).await;
        begin(&world, "bicycles", plan(Kind::Invitation)).await.unwrap();
        work(&world).await;
        release(&world, "bicycles", &["ann@example.org"]).await.unwrap();
        work(&world).await;
        let mail = world.mail_to("ann@example.org").await;
        let before = stands(&world, "ann@example.org").await;
        assert!(!before.0, "{before:?}");
        world.advance(31 * 86_400);
        for is_ended in [false, true] {
            if is_ended {
                world.app.expire().await.unwrap();
            }
            let mut scanner = world.client("203.0.113.9");
            let page = scanner.get(&mail.confirm()).await;
            assert_eq!((page.status, page.heading().as_str()), (410, "This link is too old"));
            assert!(!page.text().contains("<form") && page.text().contains("href=\"/f/news\""), "{}", page.text());
            let pressed = scanner.post(&format!("{}/fresh", mail.confirm()), &[]).await;
            assert_eq!(pressed.status, 410);
            assert_eq!(world.deliver().await.len(), 1);
            assert_eq!(stands(&world, "ann@example.org").await, before);
        }
        let kinds = world.kinds("ann@example.org").await;
        assert!(!kinds.contains(&"signed_up") && !kinds.contains(&"mail_requested"), "{kinds:?}");
        // No is still taken.
        world.advance(30);
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        assert_eq!(stands(&world, "ann@example.org").await, (false, Basis::None, "D3"));
        assert_eq!(told(&world, "bicycles").await.declined, 1);
        world.finish().await;
    }
}
