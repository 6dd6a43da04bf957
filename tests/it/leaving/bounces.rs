//! Mail that comes back and complaints: what they end, what forged ones change, and when passing ones count for good.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::app::bounce::Taken;
use countersign::domain::envelope::Returned;
use countersign::domain::event::Fact;
use countersign::domain::standing::RequestState;

use super::{brand, confirmed, contact_of, links, signed_up_for_both};
use crate::harness::World;
use crate::on_both_engines;

/// The newest request of an address.
async fn request_of(world: &World, email: &str) -> countersign::domain::ids::RequestId {
    let story = world.story(email).await;
    story.iter().rev().find_map(|event| event.request).unwrap()
}

pub async fn return_path(world: &World, email: &str) -> String {
    let request = request_of(world, email).await;
    world.app.keys.return_path(
        brand(world).number,
        Returned::Request(request),
        "bounces.acme.example",
    )
}

/// A delivery report as RFC 3464 has it, about a mail that no other one is about.
pub fn report(to: &str, action: &str, status: &str, said: &str) -> String {
    let number = REPORTS.fetch_add(1, Ordering::Relaxed);
    let mail = format!("Message-ID:\r\n <mail-{number}@acme.example>\r\n");
    report_of(&mail, to, action, status, said)
}

static REPORTS: AtomicUsize = AtomicUsize::new(0);

/// One about the mail whose head begins so; if that is empty, one that returns nothing of it.
fn report_of(mail: &str, to: &str, action: &str, status: &str, said: &str) -> String {
    let number = REPORTS.fetch_add(1, Ordering::Relaxed);
    let returned = if mail.is_empty() {
        String::new()
    } else {
        format!(
            "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Please confirm\r\n{mail}\r\n"
        )
    };
    format!(
        "From: MAILER-DAEMON@mx.example.org\r\nTo: <{to}>\r\nSubject: Undelivered Mail Returned to Sender\r\n\
         Message-ID: <report-{number}@mx.example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.example.org\r\nArrival-Date: Mon, 23 Nov 2026 17:34:05 +0000\r\n\r\n\
         Final-Recipient: rfc822; somebody\r\nAction: {action}\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; {said}\r\n\r\n{returned}--b--\r\n"
    )
}

/// A feedback report as RFC 5965 has it.
pub fn feedback(kind: &str, original_from: &str, original: &str) -> String {
    format!(
        "From: feedback@provider.example\r\nTo: fbl@acme.example\r\nSubject: FW: Newsletter\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n\
         --b\r\nContent-Type: message/feedback-report\r\n\r\n\
         Feedback-Type: {kind}\r\nUser-Agent: Provider-Feedback/1.0\r\nVersion: 1\r\n{original_from}\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{original}Subject: Newsletter\r\n\r\nHello\r\n--b--\r\n"
    )
}

const ANNA: &str = "anna@example.org";

/// A complaint about the newest mail to an address.
pub async fn complaint_of(world: &World, email: &str) -> String {
    let path = return_path(world, email).await;
    feedback("abuse", &format!("Original-Mail-From: <{path}>\r\n"), "")
}

/// How many in a row each mail of Anna's that came back for the time being was.
async fn passing(world: &World) -> Vec<u32> {
    let story = world.story(ANNA).await;
    let passing = story.iter().filter_map(|event| match &event.fact {
        Fact::Bounced(bounced) => bounced.passing,
        _ => None,
    });
    passing.collect()
}

async fn suppressed_for(world: &World, email: &str) -> Option<String> {
    let found = world.app.suppressed(&brand(world), email).await.unwrap();
    found.map(|suppressed| suppressed.reason)
}

pub async fn state_of(world: &World, email: &str) -> RequestState {
    let request = request_of(world, email).await;
    let mut conn = world.app.store.read().await.unwrap();
    let found = countersign::store::requests::find(&mut conn, brand(world).id, request)
        .await
        .unwrap();
    found.unwrap().state().unwrap()
}

/// A report about several recipients, each with the action, the status and the server's words.
fn report_on(to: &str, groups: &[(&str, &str, &str, &str)]) -> String {
    let text = report(to, "failed", "5.1.1", "-");
    let (head, rest) = text.split_once("Final-Recipient").unwrap();
    let (_, tail) = rest.split_once("\r\n\r\n").unwrap();
    let groups = groups.iter().map(|(whom, action, status, said)| {
        format!("Final-Recipient: rfc822; {whom}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {said}\r\n\r\n")
    });
    format!("{head}{}{tail}", groups.collect::<String>())
}

on_both_engines! {
    async fn one_address_that_is_not_there_behind_an_alias_or_a_forward_closes_no_mailbox(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for_both(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        let gone = "550 5.1.1 no such user";
        for groups in [
            vec![("ex@example.org", "failed", "5.1.1", gone)],
            vec![("ex@example.org", "failed", "5.1.1", gone), ("boss@example.org", "delivered", "2.0.0", "250 ok")],
            vec![(ANNA, "failed", "5.1.1", gone), ("boss@example.org", "relayed", "2.0.0", "250 ok")],
        ] {
            let message = report_on(&to, &groups);
            assert_eq!(world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), Taken::Soft, "{groups:?}");
        }
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        let message = report_on(&to, &[("<Anna@Example.org>", "failed", "5.1.1", gone), ("ex@example.org", "failed", "4.4.1", "later")]);
        assert_eq!(world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
        world.finish().await;
    }

    async fn whoever_has_a_link_to_leave_can_forge_no_bounce_where_mails_have_envelope_senders_of_their_own(engine: Engine) {
        for (settings, taken) in [("[bounce]\ndomain = \"bounces.acme.example\"\n", Taken::NotOurs), ("", Taken::Hard)] {
            let world = World::with(engine, settings).await;
            let contact = confirmed(&world, ANNA).await;
            let link = links(&world, contact, None).unsubscribe_url;
            let forged = report_of(&format!("List-Unsubscribe: <{link}>\r\n"), "fbl@acme.example", "failed", "5.1.1", "550 5.1.1 no such user");
            assert_eq!(world.app.take_report(forged.as_bytes(), None).await.unwrap(), taken, "{settings}");
            let complaint = feedback("abuse", "", &format!("List-Unsubscribe: <{link}>\r\n"));
            assert_eq!(world.app.take_report(complaint.as_bytes(), None).await.unwrap(), Taken::Complaint, "{settings}");
            world.end().await;
        }
    }

    async fn a_report_about_a_mail_with_an_address_that_is_not_ascii_is_read_with_the_head_that_it_returns(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for_both(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        let global = |number: u32| {
            let text = report_of(&format!("Return-Path: <{to}>\r\nMessage-ID: <mail-{number}@acme.example>\r\n"), "postmaster@mx.example.org", "failed", "5.2.2", "552 5.2.2 mailbox full");
            text.replace("message/delivery-status", "message/global-delivery-status")
                .replace("text/rfc822-headers", "message/global-headers")
                .replace("rfc822; somebody", "utf-8; anna@bücher.example")
        };
        // Without the envelope's recipient it is known by the head; and two mails of one request count as two.
        for number in [1, 1, 2] {
            let taken = world.app.take_report(global(number).as_bytes(), None).await.unwrap();
            assert!(matches!(taken, Taken::Soft | Taken::Again), "{number}: {taken:?}");
        }
        assert_eq!(passing(&world).await, [1, 2]);
        world.finish().await;
    }

    async fn a_mail_that_comes_back_for_good_ends_its_request_and_nothing_is_sent_there_any_more(engine: Engine) {
        let world = World::on(engine).await;
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        let to = return_path(&world, "anna@example.org").await;
        let message = report(&to, "failed", "5.1.1", "550 5.1.1 <anna@example.org>: no such user");
        assert_eq!(world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        assert_eq!(state_of(&world, "anna@example.org").await, RequestState::Bounced);
        let permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((permission.allowed, permission.rule), (false, "D6"));
        let story = world.story("anna@example.org").await;
        let Fact::Bounced(bounced) = &story.last().unwrap().fact else { panic!() };
        assert!(bounced.hard);
        assert_eq!((bounced.status.as_str(), bounced.reporter.as_str()), ("5.1.1", "mx.example.org"));
        assert!(bounced.said.contains("no such user"));
        assert!(countersign::domain::sentence::sentence(story.last().unwrap()).contains("came back for good (5.1.1)"));
        // It is not said to be too old, nor is a mail offered that would come back again.
        let page = world.client("198.51.100.7").get(&mail.confirm()).await;
        assert_eq!(page.heading(), "The mail did not arrive");
        assert!(page.text().contains("href=\"/f/news\"") && !page.text().contains("/fresh"), "{}", page.text());
        // The link leads nowhere, and a new signup causes no mail under any of the mailbox's names.
        assert_ne!(world.client("198.51.100.7").post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        let mails = world.deliver().await.len();
        world.advance(86_400);
        world.signed_up("Anna+again@example.org", "192.0.2.9").await;
        assert_eq!(world.deliver().await.len(), mails);
        assert_eq!(world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), Taken::Again);
        world.finish().await;
    }

    async fn a_forged_report_changes_nothing(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "anna@example.org").await;
        let genuine = return_path(&world, "anna@example.org").await;
        let before = world.kinds("anna@example.org").await;
        let mut forged = Vec::new();
        for at in ["bounce+".len(), "bounce+".len() + 20, "bounce+".len() + 55] {
            let mut changed: Vec<char> = genuine.chars().collect();
            changed[at] = if changed[at] == 'a' { 'b' } else { 'a' };
            forged.push(changed.into_iter().collect::<String>());
        }
        forged.push("anna@example.org".to_owned());
        forged.push(format!("bounce+{}@bounces.acme.example", contact.0.simple()));
        for to in &forged {
            let message = report(to, "failed", "5.1.1", "550 no such user");
            assert_eq!(world.app.take_report(message.as_bytes(), Some(to)).await.unwrap(), Taken::NotOurs, "{to}");
            let complaint = feedback("abuse", &format!("Original-Mail-From: <{to}>\r\n"), &format!("Return-Path: <{to}>\r\n"));
            assert_eq!(world.app.take_report(complaint.as_bytes(), None).await.unwrap(), Taken::NotOurs, "{to}");
        }
        assert_eq!(world.kinds("anna@example.org").await, before);
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn an_answer_from_somebody_on_holiday_a_delay_and_a_receipt_are_no_bounce(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let to = return_path(&world, "anna@example.org").await;
        let holiday = format!(
            "From: anna@example.org\r\nTo: <{to}>\r\nSubject: Out of office, 5.1.1 weeks\r\nAuto-Submitted: auto-replied\r\n\r\nBack in May.\r\n"
        );
        assert_eq!(world.app.take_report(holiday.as_bytes(), Some(&to)).await.unwrap(), Taken::NoReport);
        for action in ["delayed", "delivered", "relayed", "expanded"] {
            let message = report(&to, action, "4.4.7", "later");
            assert_eq!(world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), Taken::Underway, "{action}");
        }
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn passing_bounces_are_counted_and_from_the_limit_on_they_are_for_good(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 3\n").await;
        confirmed(&world, "anna@example.org").await;
        let to = return_path(&world, "anna@example.org").await;
        for taken in [Taken::Soft, Taken::Soft, Taken::Hard] {
            assert!(world.permission("anna@example.org", "newsletter").await.allowed);
            // Of three mails: a server that writes twice of one says nothing new, see below.
            let full = report(&to, "failed", "5.2.2", "552 5.2.2 mailbox full");
            assert_eq!(world.app.take_report(full.as_bytes(), Some(&to)).await.unwrap(), taken);
        }
        assert_eq!(world.permission("anna@example.org", "newsletter").await.rule, "D6");
        assert_eq!(passing(&world).await, [1, 2, 3]);
        world.finish().await;
    }

    async fn five_reports_about_one_mail_and_one_report_handed_over_twice_count_once(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 2\n").await;
        let first = signed_up_for_both(&world, ANNA).await.0.raw;
        let to = return_path(&world, ANNA).await;
        let id = first.split("\r\n").find(|line| line.starts_with("Message-ID: ")).unwrap();
        // An alias leads to five mailboxes, all of them full; one server returns the whole mail, the others its head.
        let whole = report_of(&format!("X-Received: x\r\n{id}\r\n"), &to, "failed", "5.2.2", "552 5.2.2 mailbox full");
        let whole = whole.replace("text/rfc822-headers", "message/rfc822");
        for (number, taken) in [Taken::Soft, Taken::Again, Taken::Again, Taken::Again, Taken::Again].into_iter().enumerate() {
            let head = report_of(&format!("{id}\r\n"), &to, "failed", "5.2.2", "552 5.2.2 mailbox full");
            let message = if number == 1 { &whole } else { &head };
            assert_eq!(world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), taken, "{number}");
        }
        assert_eq!(passing(&world).await, [1]);
        let story = world.story(ANNA).await;
        let Fact::Bounced(bounced) = &story.last().unwrap().fact else { panic!("{story:?}") };
        assert_eq!(bounced.mail.as_deref(), id.strip_prefix("Message-ID: <").and_then(|id| id.strip_suffix('>')));
        // A server that did not hear our answer hands its report over once more, after the person did something, too.
        let full = report(&to, "failed", "5.2.2", "552 5.2.2 mailbox full");
        assert!(bounced.report.contains("@mx.example.org"), "{bounced:?}");
        let mut anna = world.client("198.51.100.7");
        let fresh = crate::harness::Mail(world.caught().remove(0));
        assert_eq!(anna.post(&fresh.confirm(), &[]).await.heading(), "Confirmed");
        for taken in [Taken::Soft, Taken::Again] {
            assert_eq!(world.app.take_report(full.as_bytes(), Some(&to)).await.unwrap(), taken);
        }
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        assert_eq!(passing(&world).await, [1, 1]);
        assert_eq!(crate::import::storing::findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn reports_that_return_nothing_of_the_mail_count_once_for_its_request(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 2\n").await;
        let mut last = Taken::NoReport;
        for (round, first) in [Taken::Soft, Taken::Hard].into_iter().enumerate() {
            signed_up_for_both(&world, ANNA).await;
            let to = return_path(&world, ANNA).await;
            for taken in [first, Taken::Again] {
                let full = report_of("", &to, "failed", "5.2.2", "552 5.2.2 mailbox full");
                last = world.app.take_report(full.as_bytes(), Some(&to)).await.unwrap();
                assert_eq!(last, taken, "{round}");
            }
            world.advance(86_400);
        }
        assert_eq!((last, passing(&world).await), (Taken::Again, vec![1, 2]));
        world.finish().await;
    }

    async fn a_disabled_mailbox_is_written_to_until_the_fifth_in_a_row_says_that_it_stays_so(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        let disabled = || report(&to, "failed", "5.2.1", "550 5.2.1 The email account that you tried to reach is disabled");
        for _ in 0..4 {
            assert_eq!(world.app.take_report(disabled().as_bytes(), Some(&to)).await.unwrap(), Taken::Soft);
        }
        assert!(world.permission(ANNA, "newsletter").await.allowed);
        assert_eq!(suppressed_for(&world, ANNA).await, None);
        assert_eq!(world.app.take_report(disabled().as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
        assert_eq!(suppressed_for(&world, ANNA).await.as_deref(), Some("bounced"));
        world.finish().await;
    }

    async fn what_the_person_does_in_between_starts_the_count_anew(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 2\n").await;
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        let to = return_path(&world, "anna@example.org").await;
        let full = || report(&to, "failed", "4.2.2", "452 4.2.2 mailbox full");
        assert_eq!(world.app.take_report(full().as_bytes(), Some(&to)).await.unwrap(), Taken::Soft);
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        assert_eq!(world.app.take_report(full().as_bytes(), Some(&to)).await.unwrap(), Taken::Soft);
        assert_eq!(world.app.take_report(full().as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        world.finish().await;
    }

    async fn a_link_that_is_opened_between_two_mails_that_came_back_starts_no_new_count(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 2\n").await;
        let contact = confirmed(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        let full = || report(&to, "failed", "5.2.2", "552 5.2.2 mailbox full");
        assert_eq!(world.app.take_report(full().as_bytes(), Some(&to)).await.unwrap(), Taken::Soft);
        world.advance(60);
        let links = links(&world, contact, None);
        for url in [&links.unsubscribe_url, &links.preferences_url] {
            for method in ["GET", "HEAD"] {
                assert_eq!(world.client("203.0.113.9").send(method, url, None, b"").await.status, 200);
            }
        }
        assert_eq!(world.kinds(ANNA).await.iter().filter(|kind| **kind == "link_opened").count(), 4);
        assert_eq!(world.app.take_report(full().as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
        world.finish().await;
    }

    async fn of_as_many_different_passing_reports_at_once_as_the_limit_says_one_is_for_good(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 5\n").await;
        confirmed(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        let messages: Vec<String> = (0..5).map(|number| report(&to, "failed", "5.2.2", &format!("552 5.2.2 mailbox full, {number}"))).collect();
        let reports = messages.iter().map(|message| world.app.take_report(message.as_bytes(), Some(&to)));
        let taken: Vec<Taken> = futures_util::future::join_all(reports).await.into_iter().map(Result::unwrap).collect();
        let of = |wanted: Taken| taken.iter().filter(|one| **one == wanted).count();
        assert_eq!((of(Taken::Soft), of(Taken::Hard)), (4, 1), "{taken:?}");
        assert_eq!(passing(&world).await, [1, 2, 3, 4, 5]);
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
        assert_eq!(suppressed_for(&world, ANNA).await.as_deref(), Some("bounced"));
        world.finish().await;
    }

    async fn a_complaint_leaves_everything_and_suppresses_by_whichever_thing_of_ours_the_report_holds(engine: Engine) {
        let world = World::on(engine).await;
        for (number, how) in ["original-mail-from", "return-path", "list-unsubscribe"].iter().enumerate() {
            let email = format!("p{number}@example.org");
            let contact = confirmed(&world, &email).await;
            let path = return_path(&world, &email).await;
            let url = links(&world, contact, Some("newsletter")).list_unsubscribe;
            let message = match *how {
                "original-mail-from" => feedback("abuse", &format!("Original-Mail-From: <{path}>\r\n"), ""),
                "return-path" => feedback("abuse", "", &format!("Return-Path: <{path}>\r\n")),
                _ => feedback("Abuse", "", &format!("List-Unsubscribe: {url}\r\n")),
            };
            assert_eq!(world.app.take_report(message.as_bytes(), None).await.unwrap(), Taken::Complaint, "{how}");
            assert_eq!(world.app.take_report(message.as_bytes(), None).await.unwrap(), Taken::Again);
            assert_eq!(crate::leaving::allowed(&world, &email).await, (false, false));
            assert_eq!(world.permission(&email, "newsletter").await.rule, "D3");
            let mails = world.deliver().await.len();
            world.advance(86_400);
            world.signed_up(&email, "192.0.2.9").await;
            assert_eq!(world.deliver().await.len(), mails, "{how}");
            let story = world.story(&email).await;
            assert!(story.iter().any(|event| matches!(&event.fact, Fact::Complained(one) if one.feedback == "abuse")));
        }
        world.finish().await;
    }

    async fn a_complaint_of_somebody_who_had_left_before_is_told_once_and_suppresses_what_leaving_alone_does_not(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, ANNA).await;
        let message = complaint_of(&world, ANNA).await;
        let url = links(&world, contact, None).unsubscribe_url;
        world.client("198.51.100.7").post(&url, &[("leave", "yes")]).await;
        assert_eq!(suppressed_for(&world, ANNA).await, None);
        let left = world.permission(ANNA, "newsletter").await;
        world.advance(3_600);
        // Ten at once: one of them is told.
        let reports = (0..10).map(|_| world.app.take_report(message.as_bytes(), None));
        let taken: Vec<Taken> = futures_util::future::join_all(reports).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(taken.iter().filter(|one| **one == Taken::Complaint).count(), 1, "{taken:?}");
        assert_eq!(taken.iter().filter(|one| **one == Taken::Again).count(), 9, "{taken:?}");
        assert_eq!(suppressed_for(&world, ANNA).await.as_deref(), Some("complained"));
        let story = world.story(ANNA).await;
        let Fact::Complained(complained) = &story.last().unwrap().fact else { panic!("{:?}", story.last()) };
        assert!(complained.purposes.is_empty(), "nothing was left that had not been left: {:?}", complained.purposes);
        let says = countersign::domain::sentence::sentence(story.last().unwrap());
        assert!(says.contains("had left everything before") && says.contains("nothing is sent"), "{says}");
        let after = world.permission(ANNA, "newsletter").await;
        assert_eq!((after.rule, after.since), (left.rule, left.since), "the person left when they left");
        // Whoever types the address into a form now causes no mail.
        let mails = world.deliver().await.len();
        world.advance(86_400);
        world.signed_up("Anna+again@example.org", "192.0.2.9").await;
        assert_eq!(world.deliver().await.len(), mails);
        let kinds = world.kinds(ANNA).await;
        assert_eq!(world.app.take_report(message.as_bytes(), None).await.unwrap(), Taken::Again);
        assert_eq!(world.kinds(ANNA).await, kinds);
        world.finish().await;
    }

    async fn a_complaint_is_in_the_story_where_the_mailbox_was_suppressed_before_and_again_after_that_was_lifted(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, ANNA).await;
        let message = complaint_of(&world, ANNA).await;
        let url = links(&world, contact, None).unsubscribe_url;
        world.client("198.51.100.7").post(&url, &[("leave", "yes")]).await;
        let to = return_path(&world, ANNA).await;
        let gone = report(&to, "failed", "5.1.1", "550 no such user");
        assert_eq!(world.app.take_report(gone.as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
        for taken in [Taken::Complaint, Taken::Again] {
            assert_eq!(world.app.take_report(message.as_bytes(), None).await.unwrap(), taken);
            assert_eq!(suppressed_for(&world, ANNA).await.as_deref(), Some("complained"), "the stronger reason");
        }
        world.app.lift_suppression(&brand(&world), ANNA, "by mistake").await.unwrap().unwrap();
        for taken in [Taken::Complaint, Taken::Again] {
            assert_eq!(world.app.take_report(message.as_bytes(), None).await.unwrap(), taken);
            assert_eq!(suppressed_for(&world, ANNA).await.as_deref(), Some("complained"));
        }
        let kinds = world.kinds(ANNA).await;
        let last: Vec<_> = kinds.iter().rev().take(5).rev().copied().collect();
        assert_eq!(last, ["withdrawn", "bounced", "complained", "suppression_lifted", "complained"]);
        world.finish().await;
    }

    async fn a_mail_that_comes_back_once_more_suppresses_again_what_was_lifted_under_another_name_of_the_mailbox(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        let gone = report(&to, "failed", "5.1.1", "550 no such user");
        for taken in [Taken::Hard, Taken::Again] {
            assert_eq!(world.app.take_report(gone.as_bytes(), Some(&to)).await.unwrap(), taken);
        }
        world.app.lift_suppression(&brand(&world), "anna+x@example.org", "mended").await.unwrap().unwrap();
        assert_eq!(suppressed_for(&world, ANNA).await, None);
        // What was told is known; another mail that comes back is not.
        assert_eq!(world.app.take_report(gone.as_bytes(), Some(&to)).await.unwrap(), Taken::Again);
        let gone = report(&to, "failed", "5.1.1", "550 no such user");
        for taken in [Taken::Hard, Taken::Again] {
            assert_eq!(world.app.take_report(gone.as_bytes(), Some(&to)).await.unwrap(), taken);
            assert_eq!(suppressed_for(&world, ANNA).await.as_deref(), Some("bounced"));
        }
        world.finish().await;
    }

    async fn a_tag_that_does_not_exist_cuts_nobody_off_who_has_the_address_without_it(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, ANNA).await;
        world.advance(86_400);
        world.signed_up("anna+stranger@example.org", "203.0.113.9").await;
        world.mail_to("anna+stranger@example.org").await;
        let to = return_path(&world, "anna+stranger@example.org").await;
        let gone = report(&to, "failed", "5.1.1", "550 no such user");
        for taken in [Taken::Hard, Taken::Again] {
            assert_eq!(world.app.take_report(gone.as_bytes(), Some(&to)).await.unwrap(), taken);
        }
        assert!(world.permission(ANNA, "newsletter").await.allowed, "another person, where a host knows no tags");
        assert_eq!(suppressed_for(&world, ANNA).await, None);
        let tagged = world.permission("anna+stranger@example.org", "newsletter").await;
        assert_eq!((tagged.allowed, tagged.rule), (false, "D6"));
        let story = world.story("anna+stranger@example.org").await;
        let told = story.iter().any(|one| matches!(&one.fact, Fact::Bounced(bounced) if bounced.hard && bounced.address_only));
        assert!(told, "{story:?}");
        assert_eq!(crate::import::storing::findings(&world).await, Vec::<String>::new());
        world.app.lift_suppression(&brand(&world), "anna+stranger@example.org", "mended").await.unwrap().unwrap();
        assert!(world.permission("anna+stranger@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn feedback_that_is_no_complaint_changes_nothing(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let path = return_path(&world, "anna@example.org").await;
        for kind in ["not-spam", "auth-failure", "virus", "other"] {
            let message = feedback(kind, &format!("Original-Mail-From: <{path}>\r\n"), "");
            assert_eq!(world.app.take_report(message.as_bytes(), None).await.unwrap(), Taken::NoComplaint, "{kind}");
        }
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn a_report_about_somebody_who_was_erased_creates_nothing(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let to = return_path(&world, "anna@example.org").await;
        let wish = countersign::app::erase::Wish {
            by: countersign::domain::event::ErasedBy::Operator,
            through: countersign::domain::event::Through::CommandLine,
        };
        world.app.erase(&brand(&world), "anna@example.org", wish).await.unwrap();
        let message = report(&to, "failed", "5.1.1", "550 no such user");
        assert_eq!(world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), Taken::Gone);
        assert!(world.story("anna@example.org").await.is_empty());
        world.finish().await;
    }

    async fn of_ten_reports_about_one_mail_at_once_one_is_told(engine: Engine) {
        let world = World::on(engine).await;
        signed_up_for_both(&world, "anna@example.org").await;
        let to = return_path(&world, "anna@example.org").await;
        let message = report(&to, "failed", "5.1.1", "550 no such user");
        let reports = (0..10).map(|_| world.app.take_report(message.as_bytes(), Some(&to)));
        let taken = futures_util::future::join_all(reports).await;
        let hard = taken.into_iter().filter(|one| *one.as_ref().unwrap() == Taken::Hard).count();
        assert_eq!(hard, 1);
        let told = world.kinds("anna@example.org").await.into_iter().filter(|kind| *kind == "bounced").count();
        assert_eq!(told, 1);
        world.finish().await;
    }

    async fn a_contact_whose_mail_never_arrived_is_removed_after_the_term_too(engine: Engine) {
        let world = World::declared(
            engine,
            "[retention]\nunconfirmed_days = 30\n",
            &crate::harness::DECLARATIONS.replacen(
                "from_address = \"letters@acme.example\"\n",
                "from_address = \"letters@acme.example\"\nhold_until_confirmed = true\n",
                1,
            ),
        ).await;
        signed_up_for_both(&world, "anna@example.org").await;
        let contact = contact_of(&world, "anna@example.org").await;
        let to = return_path(&world, "anna@example.org").await;
        let message = report(&to, "failed", "5.1.1", "550 no such user");
        world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap();
        world.advance(30 * 86_400);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        assert!(world.app.preferences(&brand(&world), contact).await.unwrap().is_none());
        // What is left of it is that the mailbox is not written to.
        world.signed_up("anna@example.org", "192.0.2.9").await;
        assert_eq!(world.deliver().await.len(), 1);
        world.finish().await;
    }
}
