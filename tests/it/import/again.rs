//! Lists that tell what others told before: what is kept of it, what is left when one of them is taken back, and whose choice holds
//! for whose claims.

use countersign::app::campaign::{NewCampaign, Worded};
use countersign::domain::campaign::Kind;
use countersign::domain::event::Grade;
use countersign::domain::policy::Rule;
use countersign::domain::standing::Basis;
use countersign::domain::time::Timestamp;

use super::command::{data, tried};
use super::storing::{List, findings, withdraw};
use crate::campaign::{begin, plan, work};
use crate::harness::World;
use crate::leaving::brand;
use crate::on_both_engines;

const A: &str = "a@example.org";
const NOTHING: [&str; 0] = [];
const ORDERS: &str = "email,order,date\na@example.org,1,2026-01-01\nb@example.org,2,2026-01-01\n";

async fn allowed(world: &World) -> bool {
    world.permission(A, "newsletter").await.allowed
}

on_both_engines! {
    async fn whom_two_lists_name_stays_when_one_is_taken_back_and_nightly_lists_add_no_further_events(engine: Engine) {
        let world = World::on(engine).await;
        assert_eq!(List::bought("monday", ORDERS).take_in(&world).await.new, 2);
        for name in ["tuesday", "wednesday", "thursday"] {
            let counts = List::bought(name, ORDERS).take_in(&world).await;
            assert_eq!((counts.unchanged, counts.added), (2, 0), "{name}");
        }
        assert_eq!(world.kinds(A).await, ["imported", "imported"], "two tell it, and that is enough");
        let says = countersign::domain::sentence::sentence(&world.story(A).await[1]);
        assert!(says.starts_with("An import told again what the brand knew of newsletter as purchase (line 2 "), "{says}");
        assert_eq!(withdraw(&world, "monday").await.unwrap(), (2, 0));
        let a = world.permission(A, "newsletter").await;
        assert_eq!((a.allowed, a.rule, a.until), (true, "A2", Timestamp::parse("2028-01-01")));
        assert_eq!(findings(&world).await, NOTHING);
        // Now one alone tells it, and the next night's list is kept beside it.
        assert_eq!(List::bought("friday", ORDERS).take_in(&world).await.unchanged, 2);
        assert_eq!(List::bought("saturday", ORDERS).take_in(&world).await.unchanged, 2);
        assert_eq!(world.kinds(A).await, ["imported", "imported", "import_withdrawn", "imported"]);
        withdraw(&world, "tuesday").await.unwrap();
        assert!(allowed(&world).await);
        withdraw(&world, "friday").await.unwrap();
        assert!(!allowed(&world).await, "nobody tells it any more");
        assert_eq!(findings(&world).await, NOTHING);
        let (bytes, _) = crate::bundle::bundle_of(&world, A).await;
        assert!(!bytes.is_empty());
        world.finish().await;
    }

    async fn a_row_that_stands_twice_in_one_list_is_kept_once(engine: Engine) {
        let world = World::on(engine).await;
        let text = "email,order,date\na@example.org,1,2026-01-01\na@example.org,1,2026-01-01\n";
        let counts = List::bought("orders", text).take_in(&world).await;
        assert_eq!((counts.new, counts.unchanged), (1, 1));
        assert_eq!(world.kinds(A).await, ["imported"]);
        world.finish().await;
    }

    async fn another_system_s_word_on_what_was_claimed_before_is_kept_and_counts(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", ORDERS).take_in(&world).await;
        let words = "email,order,date,CONFIRM_TIME\na@example.org,1,2026-01-01,2026-01-02 10:05:00\n";
        let counts = List::bought("mailchimp", words).take_in(&world).await;
        assert_eq!((counts.added, counts.unchanged), (1, 0));
        let a = world.permission(A, "newsletter").await;
        assert_eq!((a.basis, a.grade), (Basis::Explicit, Some(Grade::ApiClaim)));
        let again = List::bought("mailchimp again", words).take_in(&world).await;
        assert_eq!((again.added, again.unchanged), (0, 1));
        withdraw(&world, "mailchimp").await.unwrap();
        assert_eq!(world.permission(A, "newsletter").await.basis, Basis::Explicit, "the second list says so too");
        withdraw(&world, "mailchimp again").await.unwrap();
        assert_eq!(world.permission(A, "newsletter").await.basis, Basis::Implicit);
        assert_eq!(findings(&world).await, NOTHING);
        world.finish().await;
    }

    async fn another_system_s_older_word_brings_nothing_back_that_ended_and_a_newer_one_does(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", ORDERS).take_in(&world).await;
        let mut asked = plan(Kind::Reconfirmation);
        asked.lapse_unanswered_at = Timestamp::parse("2027-01-15");
        begin(&world, "still", asked).await.unwrap();
        work(&world).await;
        world.advance(60 * 86_400);
        work(&world).await;
        assert!(!allowed(&world).await);
        // Older, unreadable, and yet to come.
        for at in ["2026-01-02 10:05:00", "31.01.2027", "2099-01-01"] {
            let words = format!("email,order,date,CONFIRM_TIME\na@example.org,1,2026-01-01,{at}\n");
            assert_eq!(List::bought(at, &words).take_in(&world).await.added, 1);
            assert!(!allowed(&world).await, "{at}");
        }
        let newer = "email,order,date,CONFIRM_TIME\na@example.org,1,2026-01-01,2027-01-20 10:05:00\n";
        assert_eq!(List::bought("newer", newer).take_in(&world).await.added, 1);
        assert!(allowed(&world).await);
        assert_eq!(findings(&world).await, NOTHING);
        world.finish().await;
    }

    async fn a_signup_takes_the_end_from_what_an_import_gave(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", "email,order,date\na@example.org,1,2024-12-01\n").take_in(&world).await;
        let before = world.permission(A, "newsletter").await;
        assert_eq!(before.until, Timestamp::parse("2026-12-01"));
        world.advance(86_400);
        world.signed_up(A, "192.0.2.1").await;
        world.deliver().await;
        let a = world.permission(A, "newsletter").await;
        assert_eq!((a.allowed, a.rule, a.until, a.since), (true, "A1", None, before.since));
        world.advance(30 * 86_400);
        world.app.lapse().await.unwrap();
        assert!(allowed(&world).await);
        assert_eq!(findings(&world).await, NOTHING);
        world.finish().await;
    }

    async fn an_organiser_s_list_that_was_confirmed_for_one_import_opens_no_other(engine: Engine) {
        let world = World::on(engine).await;
        let list = |organizer: &str| format!("email,event,organizer\na@example.org,Fair,{organizer}\n");
        let take = async |name: &str, organizer: &str, more: &[&str]| {
            let arguments = [&["--source", "event_organizer_list", "--name", name, "--json"], more].concat();
            let (_folder, output) = tried(&world, list(organizer).as_bytes(), &arguments).await;
            data(&output)["verdicts"].clone()
        };
        let chosen = ["--confirm-organizer-list"];
        assert_eq!(take("first", "Fair Ltd", &chosen).await["confirm_first"]["rules"]["O2b"], 1);
        assert_eq!(take("second", "Other Ltd", &[]).await["refuse"]["rules"]["O2b"], 1);
        assert_eq!(world.kinds(A).await, ["imported"], "of the refused row nothing is kept");
        assert_eq!(take("third", "Other Ltd", &chosen).await["confirm_first"]["rules"]["O2b"], 1);
        // Whom the choice let in may still be asked one by one.
        let new = NewCampaign { name: "fair".to_owned(), plan: plan(Kind::Invitation) };
        let counted = world.app.count_campaign(&brand(&world), &new).await.unwrap();
        assert_eq!((counted.held, counted.asked), (1, 0), "{counted:?}");
        world.finish().await;
    }

    async fn an_import_of_long_ago_is_named_for_a_campaign(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("long ago", ORDERS).take_in(&world).await;
        for at in 0..500 {
            List::bought(&format!("later {at}"), ORDERS).begin(&world).await.unwrap();
        }
        let worded = |name: &str| Worded {
            kind: Kind::Invitation,
            purpose: "newsletter".to_owned(),
            form: "news".to_owned(),
            import: Some(name.to_owned()),
            due: false,
            old_brand: None,
            note: None,
            an_hour: 0,
            warm_up: Vec::new(),
            hours: None,
            answer_within_days: 30,
            remind_after_days: None,
            lapse_unanswered_on: None,
            stop_at_failed_percent: 10,
            stop_at_complaints_permille: 3,
        };
        let found = world.app.plan_of(&brand(&world), worded("long ago")).await.unwrap();
        assert!(found.import.is_some());
        assert!(world.app.plan_of(&brand(&world), worded("never")).await.is_err());
        world.finish().await;
    }

    async fn the_report_shows_a_domain_that_only_looks_like_another_and_one_that_was_mistyped(engine: Engine) {
        let world = World::on(engine).await;
        // A Cyrillic letter stands in the place of the first "a".
        let text = "email,order,date\nbea@ex\u{430}mple.org,1,2026-01-01\nbob@gmial.com,2,2026-01-01\nann@Example.org,3,2026-01-01\n";
        let (folder, output) = tried(&world, text.as_bytes(), &["--source", "purchase", "--report", "out.csv", "--json"]).await;
        assert_eq!(data(&output)["verdicts"]["accept"]["rules"][Rule::A2.id()], 3);
        let report = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
        let lines: Vec<&str> = report.lines().skip(1).collect();
        assert!(lines[0].contains("Mail goes to the domain xn--exmple-4nf.org."), "{report}");
        assert!(lines[1].contains("Perhaps bob@gmail.com was meant."), "{report}");
        assert!(!lines[2].contains("Mail goes") && !lines[2].contains("Perhaps"), "{report}");
        world.finish().await;
    }
}
