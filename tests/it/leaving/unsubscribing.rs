//! `/u/{token}`: by the mail program's button, by ours, against scanners, other people's posts and the person's own click.

use std::io::Write;
use std::process::{Command, Stdio};

use countersign::app::withdraw::{Leave, Leaver, Left, Scope};
use countersign::domain::campaign::Kind;
use countersign::domain::circumstances::Circumstances;
use countersign::domain::event::{Fact, LeaveMethod, LeftBy};
use countersign::domain::policy::Source;
use countersign::domain::sentence::sentence;

use super::{allowed, brand, confirmed, contact_of, links, signed_up_for_both};
use crate::campaign::{begin, plan, told, work};
use crate::harness::World;
use crate::import::storing::List;
use crate::on_both_engines;

const ONE_CLICK: [(&str, &str); 1] = [("List-Unsubscribe", "One-Click")];

/// Finds the link in a mail and posts what stands beside it, as a mail program does.
const PROGRAM: &str = "
import email, email.policy, sys, urllib.request
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
url = mail['List-Unsubscribe'].strip()
assert url[0] == '<' and url[-1] == '>', url
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(url[1:-1], data=mail['List-Unsubscribe-Post'].encode(), timeout=20).status)
";

async fn one_click_by_python(mail: String) -> String {
    let done = tokio::task::spawn_blocking(move || {
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(mail.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    });
    let done = done.await.unwrap();
    assert!(done.status.success());
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn leave(who: Leaver, scope: Scope) -> Leave {
    Leave {
        who,
        scope,
        method: LeaveMethod::Api,
        by: LeftBy::Operator,
        reason: None,
        circumstances: Circumstances::default(),
    }
}

on_both_engines! {
    async fn others_are_told_that_a_complaint_left_everything(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let message = crate::leaving::bounces::complaint_of(&world, "anna@example.org").await;
        assert_eq!(world.app.take_report(message.as_bytes(), None).await.unwrap(), countersign::app::bounce::Taken::Complaint);
        world.app.sequence().await.unwrap();
        let told = world.app.announcements(0, 100, &Default::default()).await.unwrap();
        let told = serde_json::to_value(&told.announcements.last().unwrap().announcement).unwrap();
        let data = &told["data"];
        assert_eq!((&told["type"], &data["method"], &data["scope"]), (&"contact.withdrawn".into(), &"complaint".into(), &"all".into()), "{told}");
        world.finish().await;
    }

    async fn each_way_that_a_person_leaves_is_logged_and_told_by_its_name(engine: Engine) {
        let world = World::on(engine).await;
        let last_told = async || {
            world.app.sequence().await.unwrap();
            let told = world.app.announcements(0, 100, &Default::default()).await.unwrap();
            let told = serde_json::to_value(&told.announcements.last().unwrap().announcement).unwrap();
            assert_eq!(told["type"], "contact.withdrawn", "{told}");
            let data = &told["data"];
            (data["method"].clone(), data["scope"].clone(), data["purposes"].clone())
        };
        let left = async |email: &str| {
            let story = world.story(email).await;
            let Fact::Withdrawn { method, by, scope, .. } = &story.last().unwrap().fact else { panic!("{story:?}") };
            (*method, *by, scope.clone())
        };
        let person = Some(LeftBy::Person);
        let contact = confirmed(&world, "anna@example.org").await;
        let url = links(&world, contact, Some("newsletter")).unsubscribe_url;
        // Some programs end the body with a line.
        let done = world.client("198.51.100.7").send("POST", &url, Some("application/x-www-form-urlencoded"), b"List-Unsubscribe=One-Click\r\n").await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(left("anna@example.org").await, (Some(LeaveMethod::OneClick), person, "purposes".to_owned()));
        assert_eq!(last_told().await, ("one_click".into(), "purposes".into(), serde_json::json!(["newsletter"])));
        let contact = confirmed(&world, "bert@example.org").await;
        let url = links(&world, contact, None).unsubscribe_url;
        assert_eq!(world.client("198.51.100.7").post(&url, &[("leave", "yes")]).await.status, 200);
        assert_eq!(left("bert@example.org").await, (Some(LeaveMethod::LinkButton), person, "all".to_owned()));
        assert_eq!(last_told().await, ("link_button".into(), "all".into(), serde_json::json!(["events", "newsletter"])));
        world.finish().await;
    }

    async fn leaving_while_a_list_names_the_person_is_never_undone_by_it(engine: Engine) {
        let world = World::on(engine).await;
        for round in 0..12 {
            let email = format!("p{round}@example.org");
            let contact = confirmed(&world, &email).await;
            let url = links(&world, contact, None).unsubscribe_url;
            let (name, text) = (format!("list {round}"), format!("email,order,date\n{email},{round},2026-06-01\n"));
            let list = List::bought(&name, &text);
            let mut person = world.client("198.51.100.7");
            let (done, _) = tokio::join!(person.post(&url, &ONE_CLICK), list.take_in(&world));
            assert_eq!(done.status, 200, "{}", done.text());
            let may = world.permission(&email, "newsletter").await;
            assert_eq!((may.allowed, may.rule), (false, "D3"), "{round}");
        }
        assert_eq!(crate::import::storing::findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn opening_the_link_a_hundred_times_by_get_and_head_changes_nothing_and_one_press_leaves_all(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let url = links(&world, contact, None).unsubscribe_url;
        let before = world.kinds("anna@example.org").await;
        let storm = (0..100).map(|hit| {
            let mut client = world.client(&format!("198.51.100.{hit}"));
            let url = url.clone();
            async move { client.send(if hit % 2 == 0 { "HEAD" } else { "GET" }, &url, None, b"").await.status }
        });
        assert!(futures_util::future::join_all(storm).await.iter().all(|status| *status == 200));
        // Each hit is evidence, up to forty, and a few more where several are recorded at once; nothing else changes.
        let kinds = world.kinds("anna@example.org").await;
        let (known, hits) = kinds.split_at(before.len());
        assert_eq!(known, &before[..]);
        assert!((40..100).contains(&hits.len()), "{}", hits.len());
        for _ in 0..60 {
            assert_eq!(world.client("198.51.100.7").get(&url).await.status, 200);
        }
        assert_eq!(world.kinds("anna@example.org").await, kinds, "a storm stays bounded");
        assert!(hits.iter().all(|kind| *kind == "link_opened"));
        let story = world.story("anna@example.org").await;
        let last = story.last().unwrap();
        assert!(sentence(last).starts_with("The link to leave was opened by ") && last.request.is_none(), "{}", sentence(last));
        assert_eq!(allowed(&world, "anna@example.org").await, (true, true));
        let mut person = world.client("203.0.113.9");
        let page = person.get(&url).await;
        assert_eq!(page.heading(), "Leave Acme Letters?");
        assert_eq!(page.text().matches("<button").count(), 1, "one thing to do");
        assert!(page.text().contains("a•••@example.org") && !page.text().contains("anna@example.org"));
        assert!(page.header("set-cookie").is_none());
        let left = person.post(&url, &[("leave", "yes")]).await;
        assert_eq!((left.status, left.heading().as_str()), (200, "You have left"));
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        assert_eq!(world.permission("anna@example.org", "newsletter").await.rule, "D3");
        let story = world.story("anna@example.org").await;
        let Fact::Withdrawn { purposes, scope, method, by, circumstances, .. } = &story.last().unwrap().fact else {
            panic!("{:?}", story.last());
        };
        assert_eq!((purposes.len(), scope.as_str(), *method), (2, "all", Some(LeaveMethod::LinkButton)));
        assert_eq!(*by, Some(LeftBy::Person));
        assert_eq!(circumstances.ip.unwrap().to_string(), "203.0.113.9");
        world.finish().await;
    }

    async fn the_mail_programs_own_request_leaves_at_once_without_cookie_or_redirect_and_may_be_repeated(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let links = links(&world, contact, Some("newsletter"));
        assert_eq!(links.list_unsubscribe, format!("<{}>", links.unsubscribe_url));
        assert_eq!(links.list_unsubscribe_post, "List-Unsubscribe=One-Click");
        for round in 0..3 {
            let done = world.client("198.51.100.7").post(&links.unsubscribe_url, &ONE_CLICK).await;
            assert_eq!(done.status, 200, "{round}: {}", done.text());
            assert!(done.header("set-cookie").is_none());
        }
        assert_eq!(allowed(&world, "anna@example.org").await, (false, true), "the link is for one purpose");
        let withdrawn = world.kinds("anna@example.org").await.into_iter().filter(|kind| *kind == "withdrawn");
        assert_eq!(withdrawn.count(), 1, "repeating it tells nothing new");
        // RFC 8058 lets the request come as multipart/form-data too.
        let all = crate::leaving::links(&world, contact, None).unsubscribe_url;
        let body = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        let done = world.client("198.51.100.7").send("POST", &all, Some("multipart/form-data; boundary=b"), body.as_bytes()).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        world.finish().await;
    }

    async fn a_post_that_says_anything_else_leaves_nothing(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let url = links(&world, contact, None).unsubscribe_url;
        for fields in [&[][..], &[("leave", "no")], &[("List-Unsubscribe", "Two-Clicks")], &[("list-unsubscribe", "One-Click")]] {
            assert_eq!(world.client("198.51.100.7").post(&url, fields).await.status, 400, "{fields:?}");
        }
        assert_eq!(allowed(&world, "anna@example.org").await, (true, true));
        world.finish().await;
    }

    async fn a_forged_link_and_one_about_another_purpose_or_of_another_kind_say_only_that_they_do_not_work(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let of_one = links(&world, contact, Some("newsletter"));
        let (_, token) = of_one.unsubscribe_url.rsplit_once('.').unwrap();
        let preferences = of_one.preferences_url.rsplit('/').next().unwrap();
        for path in [format!("/u/events.{token}"), format!("/u/{token}"), format!("/u/{preferences}"), format!("/p/{token}"), "/u/x".to_owned()] {
            let page = world.client("198.51.100.7").post(&path, &ONE_CLICK).await;
            assert_eq!(page.status, 404, "{path}");
            assert!(!page.text().contains("Acme"), "{path}");
        }
        assert_eq!(allowed(&world, "anna@example.org").await, (true, true));
        world.finish().await;
    }

    async fn a_link_lets_the_person_leave_after_years_and_after_their_erasure_says_that_nothing_is_kept(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let url = links(&world, contact, None).unsubscribe_url;
        world.advance(20 * 365 * 86_400);
        assert_eq!(world.client("198.51.100.7").post(&url, &ONE_CLICK).await.status, 200);
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        let wish = countersign::app::erase::Wish {
            by: countersign::domain::event::ErasedBy::Person,
            through: countersign::domain::event::Through::PreferencesPage,
        };
        world.app.erase(&brand(&world), "anna@example.org", wish).await.unwrap();
        let page = world.client("198.51.100.7").post(&url, &ONE_CLICK).await;
        assert_eq!((page.status, page.heading().as_str()), (200, "There is nothing to leave"));
        assert!(world.story("anna@example.org").await.is_empty(), "the link creates nothing");
        world.finish().await;
    }

    async fn whoever_leaves_while_a_request_is_open_ends_it_and_its_mail_does_not_leave(engine: Engine) {
        let world = World::on(engine).await;
        let first = signed_up_for_both(&world, "anna@example.org").await;
        world.advance(700);
        // A second signup whose mail still waits.
        world.client("192.0.2.1").post("/f/news", &[("email", "anna@example.org")]).await;
        let contact = contact_of(&world, "anna@example.org").await;
        let mails = world.caught().len();
        let url = links(&world, contact, None).unsubscribe_url;
        world.client("198.51.100.7").post(&url, &ONE_CLICK).await;
        assert_eq!(world.deliver().await.len(), mails);
        let page = world.client("198.51.100.7").get(&first.confirm()).await;
        assert_ne!(page.heading(), "Subscribe to Acme Letters?");
        assert_ne!(world.client("198.51.100.7").post(&first.confirm(), &[]).await.heading(), "Confirmed");
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        world.finish().await;
    }

    async fn the_page_of_a_request_that_ended_by_leaving_says_so(engine: Engine) {
        let world = World::on(engine).await;
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        let contact = contact_of(&world, "anna@example.org").await;
        world.client("198.51.100.7").post(&links(&world, contact, None).unsubscribe_url, &ONE_CLICK).await;
        for page in [
            world.client("198.51.100.7").get(&mail.confirm()).await,
            world.client("198.51.100.7").post(&mail.confirm(), &[]).await,
        ] {
            assert_eq!((page.status, page.heading().as_str()), (200, "You have left since"));
        }
        world.finish().await;
    }

    async fn nothing_but_the_persons_own_new_confirmation_undoes_it(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        world.client("198.51.100.7").post(&links(&world, contact, None).unsubscribe_url, &ONE_CLICK).await;
        world.advance(86_400);
        // Somebody else posts the form.
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        // A list says that the person came to the booth yesterday.
        let booth = "email,event,kind,date\nanna@example.org,Fair,badge,2026-11-23\n";
        let list = List { name: "booth", text: booth, source: Some(Source::EventBooth) };
        assert_eq!(list.take_in(&world).await.new, 0);
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        for purpose in ["newsletter", "events"] {
            let known = world.app.known_of(&brand(&world), Some(&crate::leaving::slug(purpose)), "anna@example.org").await.unwrap();
            assert!(known.closed.is_some(), "{purpose}");
        }
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        assert_eq!(allowed(&world, "anna@example.org").await, (true, true));
        world.finish().await;
    }

    async fn whoever_left_everything_has_left_what_the_brand_declares_later(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        world.app.withdraw(&brand(&world), leave(Leaver::Contact(contact), Scope::All)).await.unwrap();
        let later = crate::leaving::slug("declared-later");
        let closed = async |world: &World| {
            world.app.known_of(&brand(world), Some(&later), "anna@example.org").await.unwrap().closed.is_some()
        };
        assert!(closed(&world).await);
        // Somebody types the address again, and the person leaves both purposes once more, one by one: everything stays left.
        world.advance(86_400);
        signed_up_for_both(&world, "anna@example.org").await;
        for (number, purpose) in ["newsletter", "events"].into_iter().enumerate() {
            if number == 0 {
                let url = links(&world, contact, Some(purpose)).unsubscribe_url;
                assert_eq!(world.client("198.51.100.7").post(&url, &ONE_CLICK).await.status, 200);
            } else {
                world.advance(86_400);
                signed_up_for_both(&world, "anna@example.org").await;
                let off = countersign::app::prefer::Chosen { off: vec![crate::leaving::slug(purpose)], ..Default::default() };
                assert_eq!(world.app.prefer(&brand(&world), contact, off).await.unwrap(), countersign::app::prefer::Preferred::Saved);
            }
            let story = world.story("anna@example.org").await;
            let Fact::Withdrawn { scope, keeps_all, .. } = &story.last().unwrap().fact else { panic!("{:?}", story.last()) };
            assert_eq!((scope.as_str(), *keeps_all), ("purposes", true));
        }
        assert!(closed(&world).await);
        assert_eq!(crate::import::storing::findings(&world).await, Vec::<String>::new());
        // Coming back for all there was opens it again.
        world.advance(86_400);
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        assert!(!closed(&world).await);
        world.finish().await;
    }

    async fn a_withdrawal_by_address_tells_what_it_ended_and_that_nothing_is_known(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let address = || Leaver::Address("Anna@Example.org".to_owned());
        let one = Scope::Purposes(vec![crate::leaving::slug("events")]);
        let left = world.app.withdraw(&brand(&world), leave(address(), one.clone())).await.unwrap();
        assert_eq!(left, Left::Now { contact, purposes: vec![crate::leaving::slug("events")] });
        assert_eq!(world.app.withdraw(&brand(&world), leave(address(), one)).await.unwrap(), Left::Before { contact });
        let unknown = leave(Leaver::Address("nobody@example.org".to_owned()), Scope::All);
        assert!(world.app.withdraw(&brand(&world), unknown).await.is_err());
        let no_purpose = leave(address(), Scope::Purposes(vec![crate::leaving::slug("nonsense")]));
        assert!(world.app.withdraw(&brand(&world), no_purpose).await.is_err());
        world.finish().await;
    }

    async fn of_leaving_and_confirming_at_once_some_order_explains_the_end_and_nobody_sees_an_error(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        for round in 0..20 {
            let email = format!("p{round}@example.org");
            let mail = signed_up_for_both(&world, &email).await;
            let contact = contact_of(&world, &email).await;
            let url = links(&world, contact, None).unsubscribe_url;
            let acts = (0..6).map(|act| {
                let mut client = world.client(&format!("198.51.{act}.7"));
                let (confirm, url) = (mail.confirm(), url.clone());
                async move {
                    if act % 2 == 0 {
                        client.post(&confirm, &[]).await.status
                    } else {
                        client.post(&url, &ONE_CLICK).await.status
                    }
                }
            });
            let statuses = futures_util::future::join_all(acts).await;
            assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
            let kinds = world.kinds(&email).await;
            let confirmations = kinds.iter().filter(|kind| **kind == "confirmed").count();
            let last = kinds.iter().rev().find(|kind| ["confirmed", "withdrawn"].contains(kind)).unwrap();
            assert!(confirmations <= 1, "{kinds:?}");
            // Once left, the open request is over: no order of these acts ends with a consent.
            assert_eq!(*last, "withdrawn", "{kinds:?}");
            assert_eq!(allowed(&world, &email).await, (false, false));
        }
        world.finish().await;
    }

    async fn a_campaigns_mail_carries_the_two_fields_and_a_confirmation_mail_does_not(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for_both(&world, "carl@example.org").await;
        let confirmation = world.caught().into_iter().next().unwrap();
        assert!(!confirmation.raw.contains("List-Unsubscribe"));
        let booth = "email,event,kind,date\nanna@example.org,Fair,badge,2026-11-01\nbert@example.org,Fair,badge,2026-11-01\n";
        let list = List { name: "booth", text: booth, source: Some(Source::EventBooth) };
        assert_eq!(list.take_in(&world).await.new, 2);
        begin(&world, "after the fair", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 2);
        let mut urls = Vec::new();
        for email in ["anna@example.org", "bert@example.org"] {
            let raw = world.mail_to(email).await.0.raw;
            let field = |name: &str| {
                let line = raw.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                line.unwrap_or_else(|| panic!("no {name} in {raw}")).to_owned()
            };
            assert_eq!(field("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
            let url = field("List-Unsubscribe").replace(['<', '>'], "");
            assert!(url.starts_with(&format!("{}/u/newsletter.", world.base)), "{url}");
            urls.push(url);
        }
        // A program that knows nothing but the mail does as RFC 8058 has it.
        let raw = world.mail_to("anna@example.org").await.0.raw;
        assert_eq!(one_click_by_python(raw).await, "200");
        assert!(world.permission("bert@example.org", "newsletter").await.allowed, "each mail has its own link");
        assert_eq!(told(&world, "after the fair").await.asked, 2);
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_to_leave_speak_the_persons_language() {
    let world = World::on(countersign::store::Engine::Sqlite).await;
    // What is asked, what is done then, the heading of the choices, and a sentence of theirs.
    let all = [
        (
            "en",
            "Leave “Newsletter”?",
            "You have left",
            "Your choices",
            "No mail for a while.",
        ),
        (
            "nl",
            "Afmelden voor “Newsletter”?",
            "Je bent afgemeld",
            "Je keuzes",
            "Een tijd geen mail.",
        ),
        (
            "de",
            "„Rundbrief“ abbestellen?",
            "Sie sind abgemeldet",
            "Ihre Auswahl",
            "Eine Zeit lang keine Mails.",
        ),
        (
            "fr",
            "Vous désabonner de « Newsletter » ?",
            "Vous êtes désabonné",
            "Vos choix",
            "Aucun e-mail pendant un temps.",
        ),
        (
            "es",
            "¿Darse de baja de «Newsletter»?",
            "Se ha dado de baja",
            "Sus preferencias",
            "Ningún correo por un tiempo.",
        ),
    ];
    for (language, asks, done, choices, sentence) in all {
        let email = format!("anna-{language}@example.org");
        let fields = [("email", email.as_str()), ("lang", language)];
        world.client("192.0.2.1").post("/f/news", &fields).await;
        let mail = world.mail_to(&email).await;
        let mut client = world.client("198.51.100.7");
        client.post(&mail.confirm(), &[]).await;
        let contact = contact_of(&world, &email).await;
        let links = links(&world, contact, Some("newsletter"));
        let page = client.get(&links.unsubscribe_url).await;
        assert_eq!((page.status, page.heading().as_str()), (200, asks));
        let page = client.get(&links.preferences_url).await;
        assert_eq!((page.status, page.heading().as_str()), (200, choices));
        assert!(
            page.text().contains(sentence),
            "{language}: {}",
            page.text()
        );
        let left = client
            .post(&links.unsubscribe_url, &[("leave", "yes")])
            .await;
        assert_eq!((left.status, left.heading().as_str()), (200, done));
    }
    world.finish().await;
}
