//! `/p/{token}`: purposes on and off, language, pause, leaving, data, erasing; and a fresh link by mail.

use countersign::domain::campaign::Kind;
use countersign::domain::event::{Fact, Grade};
use countersign::domain::sentence::sentence;
use countersign::domain::standing::Basis;

use super::{allowed, brand, confirmed, contact_of, links, mailed, signed_up_for_both};
use crate::campaign;
use crate::harness::{DECLARATIONS, Reply, World};
use crate::import::storing::List;
use crate::on_both_engines;

const DAY: u64 = 86_400;

async fn page(world: &World, email: &str) -> (String, Reply) {
    let contact = contact_of(world, email).await;
    let url = mailed(world, contact);
    let page = world.client("203.0.113.9").get(&url).await;
    assert_eq!(page.status, 200);
    (url, page)
}

/// The words that the page shows and would have agreed to.
fn wording(page: &Reply) -> String {
    page.hidden("wording")
}

async fn save(world: &World, url: &str, fields: &[(&str, &str)]) -> Reply {
    let mut client = world.client("203.0.113.9");
    let saved = client.post(url, fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    client.get(&saved.location()).await
}

on_both_engines! {
    async fn opening_the_page_changes_nothing_and_shows_what_is_on(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let before = world.kinds("anna@example.org").await;
        for path in ["", "/erase", "/data.json"] {
            let (url, _) = page(&world, "anna@example.org").await;
            for method in ["GET", "HEAD"] {
                let reply = world.client("203.0.113.9").send(method, &format!("{url}{path}"), None, b"").await;
                // A file has no HEAD of its own.
                assert!(reply.status == 200 || path == "/data.json" && method == "HEAD", "{path} {}", reply.status);
            }
        }
        let after = world.kinds("anna@example.org").await;
        let kept: Vec<_> = after[before.len()..].iter().filter(|kind| **kind != "link_opened").collect();
        assert_eq!(kept, [&"exported"], "hits are kept, and that a copy was handed out");
        for _ in 0..50 {
            page(&world, "anna@example.org").await;
        }
        assert_eq!(world.kinds("anna@example.org").await.len(), before.len() + 41, "a storm stays bounded");
        let (_, page) = page(&world, "anna@example.org").await;
        let text = page.text();
        assert_eq!(text.matches(" checked").count(), 2);
        assert!(text.contains("News twice a month.") && text.contains("Invitations."));
        assert!(text.contains("a•••@example.org") && !text.contains("anna@example.org"));
        world.finish().await;
    }

    async fn turning_a_purpose_off_withdraws_it_and_turning_it_on_is_a_new_consent_with_its_own_wording(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, shown) = page(&world, "anna@example.org").await;
        let off = [("act", "save"), ("was", "newsletter"), ("was", "events"), ("purpose", "newsletter"), ("wording", &wording(&shown))];
        let after = save(&world, &url, &off).await;
        assert!(after.text().contains("Saved."));
        assert_eq!(allowed(&world, "anna@example.org").await, (true, false));
        world.advance(DAY);
        let (url, shown) = page(&world, "anna@example.org").await;
        let on = [("act", "save"), ("was", "newsletter"), ("purpose", "newsletter"), ("purpose", "events"), ("wording", &wording(&shown))];
        save(&world, &url, &on).await;
        let permission = world.permission("anna@example.org", "events").await;
        assert_eq!((permission.allowed, permission.grade), (true, Some(Grade::LinkButton)));
        assert_eq!(permission.since, Some(world.clock.now()));
        let story = world.story("anna@example.org").await;
        // The page was opened in between.
        let [.., off, _, on] = story.as_slice() else { panic!() };
        assert!(matches!(&off.fact, Fact::Withdrawn { scope, .. } if scope == "purposes"));
        let Fact::PurposeChanged(change) = &on.fact else { panic!("{on:?}") };
        assert_eq!(change.purposes, [crate::leaving::slug("events")]);
        assert_eq!((change.shown[0].name.as_str(), change.shown[0].wording.as_str()), ("Events", "Invitations."));
        assert!(shown.text().contains(&change.consent) && shown.text().contains(&change.button));
        assert_eq!(change.asked_by.legal_name, "Acme Letters Ltd");
        assert_eq!(change.circumstances.ip.unwrap().to_string(), "203.0.113.9");
        let past = world.app.permission(&brand(&world), &crate::leaving::slug("events"), "anna@example.org", Some(off.at)).await.unwrap();
        assert!(!past.allowed);
        world.finish().await;
    }

    async fn what_is_on_without_a_yes_is_agreed_to_at_a_box_of_its_own_and_saving_alone_claims_nothing(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for_both(&world, "anna@example.org").await;
        let (url, shown) = page(&world, "anna@example.org").await;
        let boxes = |page: &Reply| page.text().matches("name=\"agree\"").count();
        assert_eq!((boxes(&shown), shown.text().matches(" checked").count()), (2, 2), "no box of these is ticked in advance");
        let words = wording(&shown);
        let kept = [("act", "save"), ("was", "newsletter"), ("was", "events"), ("purpose", "newsletter"), ("purpose", "events")];
        let with = |more: &[(&'static str, &'static str)]| {
            let mut fields: Vec<(&str, String)> = kept.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect();
            fields.push(("wording", words.clone()));
            fields
        };
        let save = async |fields: Vec<(&'static str, String)>| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            save(&world, &url, &fields).await
        };
        let before = world.kinds("anna@example.org").await;
        assert!(shown.text().contains("whose boxes you tick here yourself") && shown.text().contains("A box that was ticked already is no new consent."));
        assert!(save(with(&[])).await.text().contains("Everything was like that already."));
        assert_eq!(world.kinds("anna@example.org").await, before);
        let agreed = save(with(&[("agree", "newsletter")])).await;
        assert!(agreed.text().contains("Saved."), "{}", agreed.text());
        assert_eq!(boxes(&agreed), 1, "there is nothing more to say yes to for the newsletter");
        let newsletter = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((newsletter.basis, newsletter.grade, newsletter.since), (Basis::Explicit, Some(Grade::LinkButton), Some(world.clock.now())));
        assert_eq!(world.permission("anna@example.org", "events").await.basis, Basis::Implicit);
        let story = world.story("anna@example.org").await;
        let Fact::PurposeChanged(change) = &story.last().unwrap().fact else { panic!("{story:?}") };
        assert_eq!(change.purposes, [crate::leaving::slug("newsletter")]);
        assert!(shown.text().contains(change.shown[0].agree.as_deref().unwrap()) && shown.text().contains(&change.consent));
        let report = world.client("203.0.113.9").get(&format!("{url}/report.zip")).await;
        countersign::ledger::bundle::verify(&report.body, Default::default()).unwrap();
        crate::recipe::passes(&report.body);
        // Said once it is said; and a page that is old says yes to nothing that is off by now.
        assert!(save(with(&[("agree", "newsletter")])).await.text().contains("Everything was like that already."));
        let off = vec![("act", "save".to_owned()), ("was", "events".to_owned()), ("agree", "events".to_owned()), ("wording", words.clone())];
        save(off).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (true, false), "off is off");
        assert!(save(with(&[("agree", "events")])).await.text().contains("Everything was like that already."));
        assert_eq!(allowed(&world, "anna@example.org").await, (true, false));
        world.finish().await;
    }

    async fn what_an_import_claims_is_asked_for_too_and_a_yes_to_other_words_counts_for_nothing(engine: Engine) {
        let world = World::on(engine).await;
        let list = "email,order,date,CONFIRM_TIME\nanna@example.org,1,2026-01-01,2026-01-02 10:05:00\n";
        List::bought("shop", list).take_in(&world).await;
        assert_eq!(world.permission("anna@example.org", "newsletter").await.grade, Some(Grade::ApiClaim));
        let (url, shown) = page(&world, "anna@example.org").await;
        let yes = [("act", "save"), ("was", "newsletter"), ("purpose", "newsletter"), ("agree", "newsletter")];
        let other = save(&world, &url, &yes).await;
        assert!(other.text().contains("has changed since you opened the page"), "{}", other.text());
        let words = wording(&shown);
        let yes: Vec<_> = yes.into_iter().chain([("wording", words.as_str())]).collect();
        assert!(save(&world, &url, &yes).await.text().contains("Saved."));
        let now = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((now.grade, now.since), (Some(Grade::LinkButton), Some(world.clock.now())));
        world.finish().await;
    }

    async fn an_old_page_changes_only_what_was_changed_on_it_and_agrees_to_no_words_that_it_did_not_show(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let (url, old) = page(&world, "anna@example.org").await;
        // Meanwhile the person leaves events elsewhere; the old page, where both are ticked, turns off the newsletter only.
        world.client("198.51.100.7").post(&links(&world, contact, Some("events")).unsubscribe_url, &[("leave", "yes")]).await;
        let fields = [("act", "save"), ("was", "newsletter"), ("was", "events"), ("purpose", "events"), ("wording", &wording(&old))];
        save(&world, &url, &fields).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        // The brand describes events otherwise now: a page from before does not agree to that.
        let (url, old) = page(&world, "anna@example.org").await;
        let other = DECLARATIONS.replacen("Invitations.", "Invitations and adverts.", 1);
        countersign::app::apply::apply(&world.app, &countersign::app::apply::parse(&other).unwrap()).await.unwrap();
        let fields = [("act", "save"), ("purpose", "events"), ("wording", &wording(&old))];
        let shown = save(&world, &url, &fields).await;
        assert!(shown.text().contains("has changed since you opened the page"));
        assert!(shown.text().contains("Invitations and adverts."));
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        let fields = [("act", "save"), ("purpose", "events"), ("wording", &wording(&shown))];
        save(&world, &url, &fields).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (false, true));
        // Leaving needs no wording: what such a page turns off is off, though what it turns on is not on.
        let (url, old) = page(&world, "anna@example.org").await;
        countersign::app::apply::apply(&world.app, &countersign::app::apply::parse(DECLARATIONS).unwrap()).await.unwrap();
        let fields = [("act", "save"), ("was", "events"), ("purpose", "newsletter"), ("wording", &wording(&old))];
        let shown = save(&world, &url, &fields).await;
        assert!(shown.text().contains("What you turned off is off."), "{}", shown.text());
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        world.finish().await;
    }

    async fn leaving_everything_is_offered_as_long_as_anything_could_still_come(engine: Engine) {
        let world = World::on(engine).await;
        let offers = |page: &crate::harness::Reply| page.text().contains("value=\"leave\"");
        // Waiting for an answer, in a brand where a signup gives nothing before it.
        world.client("192.0.2.1").post("/f/other", &[("email", "bert@example.org")]).await;
        world.deliver().await;
        let catalog = world.app.catalog();
        let other = catalog.brand_by_slug("other").unwrap();
        let (found, _) = world.app.find_contacts(other.id, "bert@example.org", "").await.unwrap();
        let url = world.app.links(other, found[0].id, None).preferences_url;
        let waiting = world.client("203.0.113.9").get(&url).await;
        assert!(offers(&waiting), "{}", waiting.text());
        // Paused; then with every purpose turned off one by one, when what is declared later could be sent.
        confirmed(&world, "anna@example.org").await;
        let (url, shown) = page(&world, "anna@example.org").await;
        let paused = save(&world, &url, &[("act", "pause"), ("days", "30")]).await;
        assert!(offers(&paused));
        let off = [("act", "save"), ("was", "newsletter"), ("was", "events"), ("wording", &wording(&shown))];
        let off = save(&world, &url, &off).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        assert!(offers(&off), "{}", off.text());
        let left = save(&world, &url, &[("act", "leave")]).await;
        assert!(!offers(&left), "nothing more to leave");
        // Somebody signed up again, and a mail asks: that can be left, too.
        world.advance(DAY);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.deliver().await;
        let (_, again) = page(&world, "anna@example.org").await;
        assert!(offers(&again));
        world.finish().await;
    }

    async fn a_pause_keeps_mail_back_until_its_last_instant_and_can_be_ended(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, _) = page(&world, "anna@example.org").await;
        let shown = save(&world, &url, &[("act", "pause"), ("days", "30")]).await;
        assert!(shown.text().contains("No mail before"));
        let permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((permission.allowed, permission.rule), (false, "D5"));
        assert_eq!(permission.grade, Some(Grade::LinkButton), "what was agreed stays");
        world.advance(30 * DAY - 1);
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        world.advance(1);
        assert_eq!(allowed(&world, "anna@example.org").await, (true, true));
        save(&world, &url, &[("act", "pause"), ("days", "180")]).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        save(&world, &url, &[("act", "resume")]).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (true, true));
        save(&world, &url, &[("act", "pause"), ("days", "9999")]).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (true, true), "only what the page offers");
        world.finish().await;
    }

    async fn the_language_changes_for_pages_and_mails(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, shown) = page(&world, "anna@example.org").await;
        let fields = [("act", "save"), ("was", "newsletter"), ("was", "events"), ("purpose", "newsletter"), ("purpose", "events"),
            ("language", "de"), ("wording", &wording(&shown))];
        let after = save(&world, &url, &fields).await;
        assert_eq!(after.heading(), "Ihre Auswahl");
        assert_eq!(world.kinds("anna@example.org").await.last(), Some(&"language_changed"));
        let wrong = [("act", "save"), ("was", "newsletter"), ("purpose", "newsletter"), ("language", "xx"), ("wording", &wording(&after))];
        save(&world, &url, &wrong).await;
        assert_eq!(page(&world, "anna@example.org").await.1.heading(), "Ihre Auswahl");
        world.finish().await;
    }

    async fn leaving_everything_on_the_page_is_a_withdrawal_of_all(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, _) = page(&world, "anna@example.org").await;
        let shown = save(&world, &url, &[("act", "leave")]).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        assert!(!shown.text().contains("value=\"leave\""), "nothing more to leave");
        let story = world.story("anna@example.org").await;
        let told = sentence(story.last().unwrap());
        assert!(told.starts_with("Left everything (events, newsletter) on the preferences page"), "{told}");
        world.finish().await;
    }

    async fn the_data_are_all_that_is_kept_and_the_report_is_a_bundle_that_verifies(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, shown) = page(&world, "anna@example.org").await;
        let fields = [("act", "save"), ("was", "newsletter"), ("purpose", "newsletter"), ("wording", &wording(&shown))];
        save(&world, &url, &fields).await;
        let data = world.client("203.0.113.9").get(&format!("{url}/data.json")).await;
        assert!(data.header("content-disposition").unwrap().starts_with("attachment"));
        let data = data.json();
        assert_eq!(data["address"], "anna@example.org");
        let kinds: Vec<&str> = data["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, world.kinds("anna@example.org").await);
        assert_eq!(data["events"][0]["circumstances"]["ip"], "192.0.2.1");
        assert_eq!((&data["events_left_out"], &data["suppressed"]), (&false.into(), &serde_json::Value::Null));
        assert_eq!(data["requests"].as_array().unwrap().len(), 1);
        assert_eq!(data["requests"][0]["state"], "confirmed");
        let report = world.client("203.0.113.9").get(&format!("{url}/report.zip")).await;
        assert_eq!(report.header("content-type"), Some("application/zip"));
        let checked = countersign::ledger::bundle::verify(&report.body, Default::default()).unwrap();
        assert!(!checked.claims.is_empty());
        crate::recipe::passes(&report.body);
        world.finish().await;
    }

    async fn the_data_tell_of_mails_that_wait_of_campaigns_and_of_a_closed_door(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let data = async |email: &str| {
            let contact = contact_of(&world, email).await;
            world.app.data_of(&brand(&world), contact).await.unwrap().unwrap()
        };
        let anna = data("anna@example.org").await;
        assert_eq!((&anna["unsent_mails"][0]["template"], &anna["unsent_mails"][0]["state"]), (&"confirm".into(), &"due".into()));
        assert_eq!((&anna["requests"][0]["state"], &anna["requests"][0]["mailed"]), (&"open".into(), &true.into()));
        let mail = world.mail_to("anna@example.org").await;
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        let anna = data("anna@example.org").await;
        assert_eq!((&anna["suppressed"]["why"], anna["unsent_mails"].as_array().unwrap().len()), (&"declined".into(), 0));
        List::bought("spring", "email,order,date\nben@example.org,1,2026-10-01\n").take_in(&world).await;
        campaign::begin(&world, "hello", campaign::plan(Kind::Invitation)).await.unwrap();
        campaign::work(&world).await;
        let ben = data("ben@example.org").await;
        assert_eq!((&ben["campaigns"][0]["name"], &ben["campaigns"][0]["state"]), (&"hello".into(), &"asked".into()));
        world.finish().await;
    }

    async fn whoever_asks_to_be_erased_is_and_the_link_opens_nothing_any_more(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, _) = page(&world, "anna@example.org").await;
        let asked = world.client("203.0.113.9").get(&format!("{url}/erase")).await;
        assert_eq!(asked.heading(), "Erase everything?");
        assert_eq!(world.client("203.0.113.9").post(&format!("{url}/erase"), &[]).await.status, 404);
        assert!(!world.story("anna@example.org").await.is_empty(), "only the button's own word erases");
        let done = world.client("203.0.113.9").post(&format!("{url}/erase"), &[("erase", "yes")]).await;
        assert_eq!((done.status, done.heading().as_str()), (200, "Erased"));
        assert!(world.story("anna@example.org").await.is_empty());
        for path in ["", "/erase", "/data.json", "/report.zip"] {
            assert_eq!(world.client("203.0.113.9").get(&format!("{url}{path}")).await.status, 404, "{path}");
        }
        let known = world.app.known_of(&brand(&world), None, "anna@example.org").await.unwrap();
        assert!(known.closed.is_some(), "no list brings it back");
        world.finish().await;
    }

    async fn a_link_ends_and_its_page_leads_to_a_new_one_by_mail_that_works_for_a_week(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let url = links(&world, contact_of(&world, "anna@example.org").await, None).preferences_url;
        world.advance(90 * DAY - 1);
        assert_eq!(world.client("203.0.113.9").get(&url).await.status, 200);
        world.advance(1);
        let expired = world.client("203.0.113.9").get(&url).await;
        assert_eq!(expired.status, 410);
        assert!(expired.text().contains("href=\"/p?brand=acme\""), "{}", expired.text());
        assert!(!expired.text().contains("a•••@example.org"));
        let asked = world.client("203.0.113.9").get("/p?brand=acme").await;
        assert_eq!(asked.heading(), "Your choices");
        let sent = world.client("203.0.113.9").post("/p", &[("brand", "acme"), ("email", " Anna@Example.org")]).await;
        assert_eq!(sent.heading(), "Check your inbox");
        let mail = world.mail_to("anna@example.org").await;
        assert_eq!(mail.0.subject, "Your choices at Acme Letters");
        let link = mail.0.links.iter().find(|link| link.contains("/p/")).unwrap().clone();
        assert_eq!(world.client("203.0.113.9").get(&link).await.heading(), "Your choices");
        let story = world.story("anna@example.org").await;
        let told = sentence(story.last().unwrap());
        assert!(told.contains("link to the preferences"), "{told}");
        world.app.bundle(&brand(&world), "anna@example.org").await.unwrap().unwrap();
        world.advance(7 * DAY);
        assert_eq!(world.client("203.0.113.9").get(&link).await.status, 410);
        world.finish().await;
    }

    async fn how_long_links_work_is_what_the_settings_say(engine: Engine) {
        let world = World::with(engine, "[leaving]\nmailed_link_days = 1\nprogram_link_days = 2\n").await;
        let contact = confirmed(&world, "anna@example.org").await;
        world.client("203.0.113.9").post("/p", &[("brand", "acme"), ("email", "anna@example.org")]).await;
        let mail = world.mail_to("anna@example.org").await;
        let mailed = mail.0.links.iter().find(|link| link.contains("/p/")).unwrap().clone();
        let given = links(&world, contact, None).preferences_url;
        for (seconds, statuses) in [(DAY - 1, (200, 200)), (1, (410, 200)), (DAY - 1, (410, 200)), (1, (410, 410))] {
            world.advance(seconds);
            let mut client = world.client("203.0.113.9");
            assert_eq!((client.get(&mailed).await.status, client.get(&given).await.status), statuses);
        }
        world.finish().await;
    }

    async fn asking_for_a_link_answers_alike_for_every_address_and_mails_only_who_may_be_written_to(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "known@example.org").await;
        let mail = signed_up_for_both(&world, "declined@example.org").await;
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        world.advance(DAY);
        let before = world.caught().len();
        let mut answers = Vec::new();
        for email in ["known@example.org", "declined@example.org", "nobody@example.org"] {
            let reply = world.client("203.0.113.9").post("/p", &[("brand", "acme"), ("email", email)]).await;
            answers.push((reply.status, reply.body));
        }
        assert!(answers.windows(2).all(|two| two[0] == two[1]));
        let caught = world.deliver().await;
        assert_eq!(caught.len(), before + 1);
        assert_eq!(caught[0].to, "known@example.org");
        // Within the mailbox's budget, whoever asks.
        for number in 0..20 {
            world.advance(61);
            world.client(&format!("203.0.113.{number}")).post("/p", &[("brand", "acme"), ("email", "known@example.org")]).await;
        }
        assert_eq!(world.deliver().await.len(), before + 3);
        let wrong = world.client("203.0.113.9").post("/p", &[("brand", "acme"), ("email", "no address")]).await;
        assert_eq!(wrong.status, 422);
        for brand in ["", "nonsense"] {
            assert_eq!(world.client("203.0.113.9").get(&format!("/p?brand={brand}")).await.status, 404);
        }
        world.finish().await;
    }

    async fn pressing_a_pause_again_is_no_event_and_choices_have_a_limit_a_day_that_leaving_has_not(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, shown) = page(&world, "anna@example.org").await;
        let wording = wording(&shown);
        let counted = async |kind: &str| world.kinds("anna@example.org").await.iter().filter(|one| **one == kind).count();
        for _ in 0..5 {
            save(&world, &url, &[("act", "pause"), ("days", "30")]).await;
            world.advance(3_600);
        }
        assert_eq!(counted("paused").await, 1, "by less than a day");
        assert!(save(&world, &url, &[("act", "pause"), ("days", "90")]).await.text().contains("No mail before"));
        save(&world, &url, &[("act", "resume")]).await;
        assert_eq!(counted("paused").await, 3);
        let off = [("act", "save"), ("was", "newsletter"), ("was", "events"), ("purpose", "newsletter")];
        let on = [("act", "save"), ("was", "newsletter"), ("purpose", "newsletter"), ("purpose", "events"), ("wording", wording.as_str())];
        let mut refused = None;
        for _ in 0..30 {
            save(&world, &url, &off).await;
            let after = save(&world, &url, &on).await;
            if after.text().contains("were changed very often today") {
                refused = Some(after);
                break;
            }
        }
        let refused = refused.expect("a limit");
        assert_eq!(refused.status, 200);
        assert_eq!(counted("purpose_changed").await + counted("paused").await, countersign::app::prefer::CHANGES_A_DAY);
        assert_eq!(allowed(&world, "anna@example.org").await, (true, false), "off it is all the same");
        let kinds = world.kinds("anna@example.org").await.len();
        for other in [&[("act", "pause"), ("days", "180")][..], &[("act", "save"), ("language", "de")][..]] {
            assert!(save(&world, &url, other).await.text().contains("were changed very often today"));
        }
        assert_eq!(world.kinds("anna@example.org").await.len(), kinds);
        // Of two things at once the one that leaves is done.
        let both = [("act", "save"), ("was", "newsletter"), ("purpose", "events"), ("wording", wording.as_str())];
        assert!(save(&world, &url, &both).await.text().contains("were changed very often today"));
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        world.advance(DAY + 1);
        assert!(save(&world, &url, &both).await.text().contains("Saved."));
        assert_eq!(allowed(&world, "anna@example.org").await, (false, true));
        world.finish().await;
    }

    async fn whoever_changed_too_much_today_still_leaves_everything_and_is_erased_at_once(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let (url, _) = page(&world, "anna@example.org").await;
        for language in ["de", "en"].into_iter().cycle().take(countersign::app::prefer::CHANGES_A_DAY + 1) {
            save(&world, &url, &[("act", "save"), ("language", language)]).await;
        }
        assert_eq!(world.kinds("anna@example.org").await.iter().filter(|kind| **kind == "language_changed").count(), 20);
        save(&world, &url, &[("act", "leave")]).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        let erased = world.client("203.0.113.9").post(&format!("{url}/erase"), &[("erase", "yes")]).await;
        assert_eq!(erased.heading(), "Erased");
        world.finish().await;
    }
}
