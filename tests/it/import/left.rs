//! What a list says of people who left, of addresses that were mistyped, and of one address in several rows.

use countersign::app::correct::Correction;
use countersign::app::sign_up::Submission;
use countersign::domain::campaign::Kind;
use countersign::domain::event::Fact;
use countersign::domain::policy::{Closed, Rule, Source, Verdict};
use countersign::domain::standing::Basis;
use countersign::store::requests;

use super::command::{data, tried};
use super::storing::{List, confirm, findings, withdraw};
use crate::campaign::{begin, plan, told};
use crate::harness::{Folder, World};
use crate::leaving::{allowed, signed_up_for_both, slug};
use crate::on_both_engines;

const NOBODY: [&str; 0] = [];

on_both_engines! {
    async fn a_row_that_says_left_withdraws_a_known_contact_as_the_brand_s_word_and_stores_nobody_else(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\nb@example.org,2,2026-01-01\n").take_in(&world).await;
        let text = "email,order,date,unsubscribed\na@example.org,1,2026-01-01,yes\nb@example.org,2,2026-01-01,no\n\
            new@example.org,3,2026-01-01,2026-05-05\n";
        let left = List::bought("unsubscribed", text);
        let counts = left.take_in(&world).await;
        assert_eq!((counts.left, counts.new, counts.unchanged), (1, 0, 1));
        let a = world.permission("a@example.org", "newsletter").await;
        assert_eq!((a.allowed, a.basis, a.rule), (false, Basis::None, "D3"));
        assert!(world.permission("b@example.org", "newsletter").await.allowed);
        assert!(world.story("new@example.org").await.is_empty(), "of whom the brand does not know nothing is stored");
        let story = world.story("a@example.org").await;
        let says = countersign::domain::sentence::sentence(&story[1]);
        assert!(says.starts_with("An import told that the person left newsletter (line 2 of import "), "{says}");
        // Other programs hear of it as of any withdrawal.
        world.app.sequence().await.unwrap();
        let feed = world.app.announcements(0, 100, &Default::default()).await.unwrap();
        let heard: Vec<_> = feed.announcements.iter().map(|one| &one.announcement).collect();
        let data = &heard[0].data;
        assert_eq!((heard.len(), heard[0].kind, data.method), (1, "contact.withdrawn", Some("import")));
        assert_eq!((data.scope.as_deref(), data.address.as_deref()), (Some("purposes"), Some("a@example.org")));
        assert_eq!(data.purposes, [slug("newsletter")]);
        // Told again it changes nothing, and no later list opens it.
        let again = List { name: "again", ..left };
        assert_eq!(again.take_in(&world).await.left, 0);
        let later = List::bought("later", "email,order,date\na@example.org,9,2026-06-01\n");
        assert_eq!(later.take_in(&world).await.added, 0);
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        assert_eq!(world.kinds("a@example.org").await, ["imported", "imported", "imported"]);
        world.app.sequence().await.unwrap();
        let feed = world.app.announcements(0, 100, &Default::default()).await.unwrap();
        assert_eq!(feed.announcements.len(), 1, "it is told once");
        // Of a third list with the same word nothing is kept: the one or the other stands.
        let third = List { name: "third", ..again };
        assert_eq!((third.take_in(&world).await.left, world.kinds("a@example.org").await.len()), (0, 3));
        // Nor does a later list bring in who was not known and left; only their own confirmation does.
        let new = List::bought("new", "email,order,date\nnew@example.org,3,2026-06-01\n");
        assert_eq!(new.take_in(&world).await.new, 0);
        assert!(world.story("new@example.org").await.is_empty());
        confirm(&world, "new@example.org").await;
        let renewed = List { name: "renewed", ..new };
        assert_eq!(renewed.take_in(&world).await.added, 1);
        assert!(world.permission("new@example.org", "newsletter").await.allowed);
        let (bytes, _) = crate::bundle::bundle_of(&world, "a@example.org").await;
        assert!(!bytes.is_empty());
        // A list that was wrong is taken back as a whole, and so is what it told of leaving; what another one told of it stays.
        assert_eq!(withdraw(&world, "unsubscribed").await.unwrap(), (2, 0));
        let a = world.permission("a@example.org", "newsletter").await;
        assert_eq!((a.allowed, a.rule), (false, "D3"));
        assert!(world.permission("b@example.org", "newsletter").await.allowed);
        withdraw(&world, "again").await.unwrap();
        assert!(world.permission("a@example.org", "newsletter").await.allowed);
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn a_list_that_says_left_ends_what_asks_the_person_and_not_what_they_asked_for_since(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\n").take_in(&world).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 1);
        world.signed_up("b@example.org", "192.0.2.7").await;
        let mail = world.mail_to("b@example.org").await;
        let before = world.caught().len();
        // The one left by now; the other in May, and signed up today.
        let text = "email,order,date,unsubscribed\na@example.org,1,2026-01-01,yes\nb@example.org,2,2026-01-01,2026-05-05\n";
        assert_eq!(List::bought("mailchimp", text).take_in(&world).await.left, 2);
        assert_eq!(world.deliver().await.len(), before, "the campaign's mail does not leave");
        let told = told(&world, "spring").await;
        assert_eq!((told.asked, told.left), (1, 1));
        assert!(!world.permission("b@example.org", "newsletter").await.allowed);
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        let b = world.permission("b@example.org", "newsletter").await;
        assert_eq!((b.allowed, b.basis), (true, Basis::Explicit), "{}", b.why);
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn nobody_is_taken_in_whom_any_of_several_columns_says_left(engine: Engine) {
        let world = World::on(engine).await;
        let text = "email,order,date,Opted out,Unsubscribed from all email,Opted out of email: News\n\
            one@example.org,1,2026-01-01,,yes,\ntwo@example.org,2,2026-01-01,no,,2026-02-02\n\
            three@example.org,3,2026-01-01,true,false,\nfour@example.org,4,2026-01-01,-,n/a,null\n";
        let counts = List::bought("opted out", text).take_in(&world).await;
        assert_eq!(counts.new, 1);
        for gone in ["one", "two", "three"] {
            let permission = world.permission(&format!("{gone}@example.org"), "newsletter").await;
            assert!(!permission.allowed, "{gone}");
        }
        assert!(world.permission("four@example.org", "newsletter").await.allowed);
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn who_confirmed_here_after_leaving_elsewhere_stays_and_who_left_after_that_does_not(engine: Engine) {
        let world = World::on(engine).await;
        confirm(&world, "back@example.org").await;
        confirm(&world, "gone@example.org").await;
        confirm(&world, "undated@example.org").await;
        world.advance(40 * 86_400);
        let text = "email,order,date,unsubscribed\nback@example.org,1,2026-01-01,2025-03-03\n\
            gone@example.org,2,2026-01-01,2026-12-20\nundated@example.org,3,2026-01-01,yes\n";
        assert_eq!(List::bought("mailchimp", text).take_in(&world).await.left, 2);
        let back = world.permission("back@example.org", "newsletter").await;
        assert_eq!((back.allowed, back.basis), (true, Basis::Explicit));
        for gone in ["gone@example.org", "undated@example.org"] {
            assert!(!world.permission(gone, "newsletter").await.allowed, "{gone}");
        }
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn whoever_left_elsewhere_is_given_no_consent_by_a_form_that_anybody_can_fill_in_before_confirming(engine: Engine) {
        let world = World::on(engine).await;
        let text = "email,order,date,unsubscribed\nleft@example.org,1,2026-01-01,2026-05-05\n";
        List::bought("mailchimp", text).take_in(&world).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let (newsletter, events) = (slug("newsletter"), slug("events"));
        let closed = async |purpose| world.app.known_of(brand, purpose, "left@example.org").await.unwrap().closed;
        assert_eq!(closed(Some(&newsletter)).await, Some(Closed::Withdrew), "as an import would say");
        assert_eq!(closed(None).await, Some(Closed::Withdrew));
        assert_eq!(closed(Some(&events)).await, None, "a list speaks of its own purpose");
        // A stranger fills in the form, for the one purpose and then for both.
        world.signed_up("left@example.org", "192.0.2.1").await;
        world.deliver().await;
        let story = world.story("left@example.org").await;
        let Fact::SignedUp(signup) = &story[0].fact else { panic!() };
        assert_eq!((signup.ruling.verdict, signup.ruling.rule), (Verdict::Refuse, Rule::D3));
        assert!(!world.permission("left@example.org", "newsletter").await.allowed);
        world.advance(86_400);
        let mail = signed_up_for_both(&world, "left@example.org").await;
        assert_eq!(allowed(&world, "left@example.org").await, (false, true));
        let story = world.story("left@example.org").await;
        let both = story.iter().rev().find(|event| matches!(event.fact, Fact::SignedUp(_))).unwrap();
        let says = countersign::domain::sentence::sentence(both);
        assert!(says.contains("the person left newsletter"), "{says}");
        let again = List::bought("orders", "email,order,date\nleft@example.org,2,2026-10-01\n");
        assert_eq!(again.take_in(&world).await.added, 0);
        // The person's own double opt-in reopens, and what comes after it holds.
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        assert_eq!(allowed(&world, "left@example.org").await, (true, true));
        assert_eq!((closed(Some(&newsletter)).await, closed(None).await), (None, None));
        world.advance(86_400);
        world.signed_up("left@example.org", "192.0.2.1").await;
        world.deliver().await;
        assert_eq!(allowed(&world, "left@example.org").await, (true, true));
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn who_confirmed_anew_after_the_day_that_a_list_names_stays(engine: Engine) {
        let world = World::on(engine).await;
        confirm(&world, "anna@example.org").await;
        confirm(&world, "once@example.org").await;
        world.advance(400 * 86_400);
        confirm(&world, "anna@example.org").await;
        world.advance(400 * 86_400);
        // Between the two confirmations of the one, and after the only one of the other.
        let text = "email,order,date,unsubscribed\nanna@example.org,1,2026-01-01,2027-06-01\nonce@example.org,2,2026-01-01,2027-06-01\n";
        assert_eq!(List::bought("mailchimp", text).take_in(&world).await.left, 1);
        let anna = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((anna.allowed, anna.basis), (true, Basis::Explicit));
        assert!(!world.permission("once@example.org", "newsletter").await.allowed);
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn what_a_merger_carries_over_and_an_own_order_give_the_same_in_either_order(engine: Engine) {
        let world = World::on(engine).await;
        let merged = |who: &str| format!(
            "email,document,old_brand,original_source,original_date\n{who}@example.org,Deed 7,Mill Letters,newsletter_form,2026-01-10\n"
        );
        let bought = |who: &str| format!("email,order,date\n{who}@example.org,1,2026-01-01\n");
        let merger = Some(Source::MergerOrAcquisition);
        List { name: "m1", text: &merged("first"), source: merger }.take_in(&world).await;
        List::bought("o1", &bought("first")).take_in(&world).await;
        List::bought("o2", &bought("second")).take_in(&world).await;
        List { name: "m2", text: &merged("second"), source: merger }.take_in(&world).await;
        let mut all = Vec::new();
        for who in ["first@example.org", "second@example.org"] {
            let answer = world.permission(who, "newsletter").await;
            all.push((answer.allowed, answer.rule, answer.until.map(|at| at.to_string())));
        }
        assert_eq!(all[0], (true, "A2", Some("2028-01-01T00:00:00.000000Z".to_owned())));
        assert_eq!(all[0], all[1]);
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn a_signup_that_was_corrected_is_no_source_of_a_later_import(engine: Engine) {
        let world = World::on(engine).await;
        let form = world.app.catalog().form("news").unwrap().clone();
        let given = |email: &str| Submission { email: email.to_owned(), ..Submission::default() };
        let wrong = world.app.sign_up(&form, given("wrong@example.org")).await.unwrap();
        let mut conn = world.app.store.read().await.unwrap();
        let request = requests::find(&mut conn, form.brand, wrong.request).await.unwrap().unwrap();
        drop(conn);
        world.advance(5);
        let right = Correction {
            email: "right@example.org".to_owned(),
            fields: Vec::new(),
            bot: false,
            circumstances: Default::default(),
        };
        world.app.correct_address(&form, &request, right).await.unwrap();
        world.deliver().await;
        let staff = "email,employer,benefit,date\nwrong@example.org,Mill Ltd,bicycles,2026-10-01\n\
            right@example.org,Mill Ltd,bicycles,2026-10-01\n";
        List { name: "staff", text: staff, source: Some(Source::EmployerList) }.take_in(&world).await;
        let wrong = world.permission("wrong@example.org", "newsletter").await;
        assert_eq!((wrong.allowed, wrong.rule), (false, "O3"), "{}", wrong.why);
        let right = world.permission("right@example.org", "newsletter").await;
        assert_eq!((right.allowed, right.rule), (true, "A1"));
        assert_eq!(findings(&world).await, NOBODY);
        world.finish().await;
    }

    async fn the_rows_of_a_dry_run_see_each_other_as_those_of_an_import_do(engine: Engine) {
        let world = World::on(engine).await;
        let row = |at: usize| format!("filler{at}@example.org,purchase,1,2026-01-01,,,\n");
        let mut text = "email,source,order,date,employer,benefit,unsubscribed\n".to_owned();
        // The same person three times, in three parts: named by the employer, then as a customer, then by the employer again.
        text.push_str("kim@example.org,employer_list,,2026-10-01,Mill Ltd,bicycles,\n");
        text.push_str("gone@example.org,purchase,7,2026-01-01,,,\n");
        (0..1_100).for_each(|at| text.push_str(&row(at)));
        text.push_str("kim@example.org,purchase,5,2026-01-05,,,\ngone@example.org,purchase,7,2026-01-01,,,yes\n");
        (0..1_100).for_each(|at| text.push_str(&row(at)));
        text.push_str("kim@example.org,employer_list,,2026-10-02,Mill Ltd,bicycles,\ngone@example.org,purchase,8,2026-02-01,,,\n");
        let (folder, output) = tried(&world, text.as_bytes(), &["--dry-run", "--json", "--report", "tried.csv"]).await;
        let dry = data(&output);
        let tried_rows = std::fs::read_to_string(folder.0.join("tried.csv")).unwrap();
        let (folder, output) = tried(&world, text.as_bytes(), &["--json", "--report", "done.csv"]).await;
        let done = data(&output);
        assert_eq!(dry["verdicts"], done["verdicts"]);
        assert_eq!((&dry["again"], &dry["new"]), (&1_104.into(), &0.into()));
        assert_eq!(tried_rows, std::fs::read_to_string(folder.0.join("done.csv")).unwrap());
        let kim: Vec<&str> = tried_rows.lines().filter(|line| line.contains("kim@")).collect();
        let starts = [",confirm_first,O3,", ",accept,A2,", ",accept,A2,"];
        assert!(kim.iter().zip(starts).all(|(line, part)| line.contains(part)), "{kim:?}");
        let gone: Vec<&str> = tried_rows.lines().filter(|line| line.contains("gone@")).collect();
        let starts = [",accept,A2,", ",refuse,D3,", ",refuse,D3,"];
        assert!(gone.iter().zip(starts).all(|(line, part)| line.contains(part)), "{gone:?}");
        world.finish().await;
    }
}

#[test]
fn what_is_read_is_what_was_opened_whatever_the_name_leads_to_later() {
    let folder = Folder::new();
    let path = folder.0.join("list");
    std::fs::write(&path, "email\nfirst@example.org\n").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "email\nsecond@example.org\n").unwrap();
    let options = countersign::intake::Options::default();
    for _ in 0..2 {
        let mut rows = countersign::intake::Rows::of(file.try_clone().unwrap(), &options).unwrap();
        rows.header().unwrap();
        let row = rows.next().unwrap().unwrap().unwrap();
        assert_eq!(row.cells, ["first@example.org"]);
    }
}
