//! Mail bombing: what a stranger can cause is bounded, and the answer never changes.

use serde_json::json;

use countersign::domain::api_key::Scope;
use countersign::domain::event::{Fact, MailFate};

use crate::confirm::inbox_path;
use crate::harness::{DECLARATIONS, World};
use crate::on_both_engines;

/// Signups for one mailbox; `COUNTERSIGN_TEST_FLOOD=100000` is what T1 speaks of, which takes minutes.
const FLOOD: usize = 1_000;
/// Signups of each client address.
const OF_EACH: usize = 10;

fn flood_told() -> usize {
    let told = std::env::var("COUNTERSIGN_TEST_FLOOD").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(FLOOD)
}

on_both_engines! {
    async fn however_many_addresses_sign_one_mailbox_up_by_all_ways_they_cause_the_budgets_mails_and_no_more(engine: Engine) {
        let limits = "[budget]\nper_network_an_hour = 0\nper_form_an_hour = 0\nper_installation_an_hour = 0\n";
        let world = World::with(engine, limits).await;
        let forms = ["/f/news", "/f/news-two", "/f/news-three"];
        let names = ["v.ictim@gmail.com", "vic.tim+a@gmail.com", "VICTIM@googlemail.com"];
        let mut program = crate::api::program(&world, &[Scope::SignupsWrite]).await;
        for (name, form) in names.iter().zip(["news", "news-two", "news-three"]) {
            let reply = program.post_json("/api/v1/signups", &json!({"form": form, "email": name})).await;
            assert_eq!(reply.status, 202, "{}", reply.text());
        }
        let posts = (0..flood_told()).map(|number: usize| {
            let from = number / OF_EACH;
            let mut client = world.client(&format!("10.{}.{}.{}", from / 62_500, from / 250 % 250, from % 250));
            async move {
                let (form, name) = (forms[number % 3], names[number % names.len()]);
                if number.is_multiple_of(2) {
                    client.post(form, &[("email", name)]).await.status
                } else {
                    client.post_json(form, &json!({"email": name})).await.status
                }
            }
        });
        let mut statuses = Vec::new();
        for part in &mut futures_util_chunks(posts.collect(), 50) {
            statuses.extend(futures_util::future::join_all(part.drain(..)).await);
        }
        assert!(statuses.iter().all(|status| [202, 303].contains(status)));
        assert_eq!(world.deliver().await.len(), 3);
        world.advance(86_400);
        world.signed_up("victim@gmail.com", "192.0.2.1").await;
        assert_eq!(world.deliver().await.len(), 4);
        world.finish().await;
    }

    async fn one_network_causes_its_number_of_mails_an_hour_whichever_of_its_addresses_it_uses(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 10\n").await;
        let mut by_hour = Vec::new();
        for hour in 0..4 {
            let before = world.caught().len();
            for number in 0..24 {
                let ip = format!("2001:db8:1:2:{:x}:{hour}:{number}:9", number * 7_919 % 65_536);
                world.signed_up(&format!("p{hour}-{number}@example.org"), &ip).await;
                world.advance(150);
            }
            by_hour.push(world.deliver().await.len() - before);
        }
        // So many may come at once, and beyond that they come evenly: in the first hour up to twice the number.
        assert_eq!(by_hour, [19, 10, 10, 10]);
        for ip in ["2001:db8:1:3::9", "198.51.100.7"] {
            let before = world.caught().len();
            world.signed_up(&format!("p{before}@example.org"), ip).await;
            assert_eq!(world.deliver().await.len(), before + 1, "{ip} is another network");
        }
        world.finish().await;
    }

    async fn one_client_causes_its_share_an_hour_and_then_silence_with_the_same_answer(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 5\n").await;
        for number in 0..9 {
            let (_, page) = world.signed_up(&format!("p{number}@example.org"), "2001:db8:1:2::9").await;
            assert_eq!(page.status, 200);
        }
        assert_eq!(world.deliver().await.len(), 5);
        world.finish().await;
    }

    async fn what_a_network_has_left_tells_nothing_of_an_address(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 2\n").await;
        let declined = {
            world.signed_up("declined@example.org", "192.0.2.1").await;
            world.mail_to("declined@example.org").await
        };
        world.advance(3);
        world.client("198.51.100.1").post(&declined.decline(), &[]).await;
        world.signed_up("waiting@example.org", "192.0.2.3").await;
        world.deliver().await;
        for (number, state) in ["declined", "waiting", "new"].into_iter().enumerate() {
            let stranger = format!("203.0.{number}.5");
            let own = |turn: u8| format!("own{turn}-{number}@example.net");
            world.signed_up(&own(1), &stranger).await;
            world.signed_up(&format!("{state}@example.org"), &stranger).await;
            world.signed_up(&own(2), &stranger).await;
            world.deliver().await;
            let got: Vec<_> = world.caught().into_iter().map(|mail| mail.to).collect();
            assert!(got.contains(&own(1)) && !got.contains(&own(2)), "{state}: {got:?}");
        }
        world.finish().await;
    }

    async fn nobody_can_queue_up_so_many_mails_that_other_peoples_come_too_late(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_form_an_hour = 1\nper_network_an_hour = 0\n").await;
        for number in 0..40 {
            world.signed_up(&format!("p{number}@example.net"), "192.0.2.1").await;
        }
        let mail = |story: &[countersign::domain::event::Event]| match &story[0].fact {
            Fact::SignedUp(signup) => signup.mail,
            other => panic!("{other:?}"),
        };
        assert_eq!(mail(&world.story("p24@example.net").await), MailFate::Queued);
        assert_eq!(mail(&world.story("p39@example.net").await), MailFate::OverBudget);
        // Who comes then is told at once how it is, and has a mail by the page, or tomorrow.
        world.signed_up("anna@example.org", "192.0.2.9").await;
        assert_eq!(mail(&world.story("anna@example.org").await), MailFate::OverBudget);
        world.advance(86_400);
        world.signed_up("anna@example.org", "192.0.2.9").await;
        world.advance(86_400);
        world.mail_to("anna@example.org").await;
        world.end().await;
    }

    async fn a_forms_hourly_limit_holds_mails_back_and_drops_none(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_form_an_hour = 3\nper_network_an_hour = 0\n").await;
        for number in 0..5 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
        }
        assert_eq!(world.deliver().await.len(), 3);
        world.advance(1_201);
        assert_eq!(world.deliver().await.len(), 4);
        world.advance(1_201);
        assert_eq!(world.deliver().await.len(), 5);
        world.finish().await;
    }

    async fn the_installations_hourly_limit_covers_all_brands_and_forms(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_installation_an_hour = 3\n").await;
        for (number, form) in ["/f/news", "/f/news-two", "/f/other", "/f/other"].iter().enumerate() {
            let mut client = world.client("192.0.2.1");
            client.post(form, &[("email", &format!("p{number}@example.org"))]).await;
        }
        assert_eq!(world.deliver().await.len(), 3);
        world.advance(1_201);
        assert_eq!(world.deliver().await.len(), 4);
        world.finish().await;
    }

    async fn a_filled_honeypot_and_an_instant_form_cost_the_mail_and_not_the_answer(engine: Engine) {
        let world = World::on(engine).await;
        let mut bot = world.client("192.0.2.1");
        let reply = bot.post("/f/news", &[("email", "a@example.org"), ("website", "x")]).await;
        assert_eq!(reply.status, 303);
        let form = bot.get("/f/news").await;
        let fields = [("email", "b@example.org"), ("opened", &form.hidden("opened"))];
        assert_eq!(bot.post("/f/news", &fields).await.status, 303);
        assert_eq!(world.deliver().await.len(), 0);
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        world.advance(5);
        let fields = [("email", "c@example.org"), ("opened", &form.hidden("opened"))];
        assert_eq!(bot.post("/f/news", &fields).await.status, 303);
        assert_eq!(world.deliver().await.len(), 1);
        world.finish().await;
    }

    async fn what_a_program_signed_up_is_sent_again_only_by_a_press_as_a_person_makes_it_with_the_same_answer(engine: Engine) {
        let world = World::on(engine).await;
        for (number, trap) in [false, true].into_iter().enumerate() {
            let email = format!("p{number}@example.org");
            let mut client = world.client("192.0.2.1");
            let opened = client.get("/f/news").await.hidden("opened");
            let fields = if trap { [("email", email.as_str()), ("website", "x")] } else { [("email", email.as_str()), ("opened", &opened)] };
            let page = client.post("/f/news", &fields).await.location();
            let page = client.get(&page).await;
            let resend = format!("{}/resend", inbox_path(&page.text()));
            let mut answers = Vec::new();
            // A program posts; one that fills in whatever it finds; one that is faster than a person.
            for fields in [vec![], vec![("opened", page.hidden("opened")), ("website", "x".to_owned())], vec![("opened", "forged".to_owned())]] {
                world.advance(61);
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let reply = client.post(&resend, &fields).await;
                answers.push((reply.status, reply.location()));
                assert_eq!(world.deliver().await.len(), number, "{fields:?}");
            }
            world.advance(61);
            let fresh = client.get(resend.trim_end_matches("/resend")).await.hidden("opened");
            let reply = client.post(&resend, &[("opened", &fresh), ("website", "")]).await;
            answers.push((reply.status, reply.location()));
            assert_eq!(world.deliver().await.len(), number, "at once");
            // A person reads, waits, and presses.
            world.advance(61);
            let reply = client.post(&resend, &[("opened", &fresh), ("website", "")]).await;
            answers.push((reply.status, reply.location()));
            assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
            let mail = world.mail_to(&email).await;
            let mut person = world.client("198.51.100.7");
            person.post(&mail.confirm(), &[]).await;
            assert!(world.permission(&email, "newsletter").await.allowed);
        }
        // A form on a page of somebody's own shows the same by script.
        let mut client = world.client("192.0.2.1");
        let opened = client.get("/f/news").await.hidden("opened");
        let taken = client.post_json("/f/news", &serde_json::json!({"email": "q@example.org", "opened": opened})).await.json();
        let path = taken["inbox"].as_str().unwrap().trim_start_matches(&world.base).to_owned();
        for (body, mails) in [(serde_json::json!({}), 2), (serde_json::json!({"opened": taken["opened"]}), 3)] {
            world.advance(61);
            let reply = client.post_json(&format!("{path}/resend"), &body).await;
            assert_eq!((reply.status, &reply.json()["state"]), (200, &serde_json::json!("waiting")), "{}", reply.text());
            assert_eq!(world.deliver().await.len(), mails);
        }
        world.finish().await;
    }

    async fn sending_again_waits_a_minute_and_shares_the_days_budget(engine: Engine) {
        let world = World::on(engine).await;
        let (mut browser, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let inbox = inbox_path(&page.text());
        let first = world.mail_to("anna@example.org").await;
        let resend = format!("{inbox}/resend");
        for (seconds, mails) in [(30, 1), (31, 2), (61, 3), (61, 3), (3_600, 3)] {
            world.advance(seconds);
            let reply = browser.post(&resend, &[]).await;
            assert_eq!(reply.status, 303);
            assert_eq!(world.deliver().await.len(), mails, "{seconds}");
        }
        let last = world.mail_to("anna@example.org").await;
        assert_eq!(last.confirm(), first.confirm(), "the same request keeps its link");
        world.finish().await;
    }

    async fn resends_reminders_and_fresh_links_draw_on_the_hourly_limits_and_are_held_beyond_them(engine: Engine) {
        let reminding = DECLARATIONS.replacen("slug = \"news\"", "slug = \"news\"\nremind_after_days = 1", 1);
        let world = World::declared(engine, "[budget]\nper_form_an_hour = 2\nper_network_an_hour = 0\n", &reminding).await;
        let mut pages = Vec::new();
        for number in 0..2 {
            pages.push(world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await);
        }
        assert_eq!(world.deliver().await.len(), 2);
        world.advance(61);
        for (client, page) in &mut pages {
            let resend = format!("{}/resend", inbox_path(&page.text()));
            assert_eq!(client.post(&resend, &[]).await.status, 303);
        }
        assert_eq!(world.deliver().await.len(), 2, "the form's hour is used up");
        world.advance(1_801);
        assert_eq!(world.deliver().await.len(), 3);
        world.advance(1_801);
        assert_eq!(world.deliver().await.len(), 4, "held, and none is lost");
        // The third signup and two reminders: one more than the hour has.
        world.advance(86_400 - 4_000);
        world.signed_up("p2@example.org", "192.0.2.1").await;
        world.advance(400);
        assert_eq!(world.app.expire().await.unwrap().reminded, 2);
        assert_eq!(world.deliver().await.len(), 6);
        world.advance(1_801);
        assert_eq!(world.deliver().await.len(), 7);
        world.finish().await;
    }

    async fn a_fresh_link_to_the_preferences_draws_on_the_installations_limit(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_installation_an_hour = 2\n").await;
        for number in 0..2 {
            world.signed_up(&format!("p{number}@example.org"), "192.0.2.1").await;
        }
        assert_eq!(world.deliver().await.len(), 2);
        for number in 0..2 {
            let email = format!("p{number}@example.org");
            let sent = world.client("192.0.2.1").post("/p", &[("brand", "acme"), ("email", &email)]).await;
            assert_eq!(sent.status, 200);
        }
        assert_eq!(world.deliver().await.len(), 2);
        world.advance(1_801);
        assert_eq!(world.deliver().await.len(), 3);
        world.advance(1_801);
        assert_eq!(world.deliver().await.len(), 4);
        world.finish().await;
    }

    async fn asking_for_the_link_of_an_unknown_address_uses_up_no_mail_of_the_person_behind_it(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_installation_an_hour = 4\n").await;
        let fields = [("brand", "acme"), ("email", "anna@example.org")];
        for _ in 0..6 {
            world.advance(61);
            assert_eq!(world.client("203.0.113.5").post("/p", &fields).await.status, 200);
        }
        assert_eq!(world.deliver().await.len(), 0);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        world.mail_to("anna@example.org").await;
        // Known, each link counts: two more, and the day's three are used up.
        for mails in [2, 3, 3] {
            world.advance(61);
            assert_eq!(world.client("203.0.113.5").post("/p", &fields).await.status, 200);
            assert_eq!(world.deliver().await.len(), mails);
        }
        world.finish().await;
    }

    async fn a_proof_of_work_is_asked_on_every_path_in_and_counts_once(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let without = client.post("/f/guarded", &[("email", "a@example.org")]).await;
        assert_eq!(without.status, 422);
        let without = client.post_json("/f/guarded", &json!({"email": "a@example.org"})).await;
        assert_eq!(without.status, 422);
        let proof = solved(&client.get("/f/guarded/challenge").await.json());
        let fields = [("email", "a@example.org"), ("altcha", proof.as_str())];
        assert_eq!(client.post("/f/guarded", &fields).await.status, 303);
        assert_eq!(client.post("/f/guarded", &fields).await.status, 422, "spent");
        let proof = solved(&client.get("/f/guarded/challenge").await.json());
        let body = json!({"email": "b@example.org", "altcha": proof});
        assert_eq!(client.post_json("/f/guarded", &body).await.status, 202);
        assert_eq!(world.deliver().await.len(), 2);
        world.finish().await;
    }
}

/// Splits futures into groups, so that a test opens a bounded number of sockets at once.
fn futures_util_chunks<F>(all: Vec<F>, size: usize) -> Vec<Vec<F>> {
    let mut groups: Vec<Vec<F>> = Vec::new();
    for one in all {
        match groups.last_mut() {
            Some(group) if group.len() < size => group.push(one),
            _ => groups.push(vec![one]),
        }
    }
    groups
}

/// What a browser's script would send for a challenge.
pub fn solved(challenge: &serde_json::Value) -> String {
    use base64::Engine;
    let challenge: altcha::Challenge = serde_json::from_value(challenge.clone()).unwrap();
    let solution = altcha::solve_challenge(altcha::SolveChallengeOptions::new(&challenge))
        .unwrap()
        .unwrap();
    let payload = altcha::Payload {
        challenge,
        solution,
    };
    base64::engine::general_purpose::STANDARD.encode(serde_json::to_vec(&payload).unwrap())
}
