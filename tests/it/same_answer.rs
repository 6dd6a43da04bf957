//! Is this address known? The answer is the same, byte for byte, in every state that an address can be in.

use std::time::{Duration, Instant};

use countersign::domain::event::Grade;
use countersign::store::{Engine, budgets, outbox};
use serde_json::json;

use crate::confirm::inbox_path;
use crate::harness::{Client, Mail, Reply, World};
use crate::on_both_engines;

/// Tokens, the masked address, the date and the request's id differ; everything else must not.
fn without_nonces(reply: &Reply, local: &str) -> (u16, Vec<(String, String)>, String) {
    let clean = |text: &str| {
        let text = text.replace(local, "LOCAL");
        let (mut clean, mut rest) = (String::new(), text.as_str());
        while !rest.is_empty() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
            let (run, behind) = rest.split_at(end.unwrap_or(rest.len()));
            let is_nonce = run.len() >= 40 || run.starts_with("cs-");
            clean.push_str(if is_nonce { "NONCE" } else { run });
            let next = behind.chars().next();
            clean.extend(next);
            rest = &behind[next.map_or(0, char::len_utf8)..];
        }
        clean
    };
    let headers = reply
        .headers
        .iter()
        .filter(|header| !matches!(header.0.as_str(), "date" | "x-request-id"))
        .map(|header| (header.0.clone(), clean(&header.1)))
        .collect();
    (reply.status, headers, clean(&reply.text()))
}

/// What a stranger sees, one answer after another.
struct Seen<'a> {
    local: &'a str,
    answers: Vec<(String, Answer)>,
}

type Answer = (u16, Vec<(String, String)>, String);

impl Seen<'_> {
    fn keep(&mut self, what: &str, reply: &Reply) {
        let answer = without_nonces(reply, self.local);
        self.answers.push((what.to_owned(), answer));
    }

    /// The page of a signup, its status, and wrong codes until no more is taken.
    async fn look(&mut self, what: &str, client: &mut Client, inbox: &str, codes: usize) {
        let page = client.get(inbox).await;
        self.keep(&format!("{what}: page"), &page);
        let status = client.get(&format!("{inbox}/status")).await;
        self.keep(&format!("{what}: status"), &status);
        for number in 0..codes {
            let code = client
                .post(&format!("{inbox}/code"), &[("code", "12")])
                .await;
            self.keep(&format!("{what}: code {number}"), &code);
        }
    }

    /// A press on "send again", as a person makes it, and what the page says then.
    async fn resend(&mut self, what: &str, client: &mut Client, inbox: &str) {
        let opened = client.get(inbox).await.hidden("opened");
        let reply = client
            .post(&format!("{inbox}/resend"), &[("opened", &opened)])
            .await;
        self.keep(&format!("{what}: again"), &reply);
        let body = json!({"opened": opened});
        let json = client.post_json(&format!("{inbox}/resend"), &body).await;
        self.keep(&format!("{what}: again, as a script"), &json);
    }
}

/// Everything that a stranger can ask about an address, written otherwise than it is stored: signing up both ways, each page with
/// its status, wrong codes, sending again at once and later, and correcting it; and the first page once more behind the second
/// signup, in the same browser and in another one.
async fn interview(world: &World, local: &str) -> Vec<(String, Answer)> {
    let email = format!("{}{}@example.org", local[..1].to_uppercase(), &local[1..]);
    let mut seen = Seen {
        local,
        answers: Vec::new(),
    };
    let mut client: Client = world.client("203.0.113.5");
    let reply = client.post("/f/news-two", &[("email", &email)]).await;
    seen.keep("signup", &reply);
    let first = inbox_path(&client.get(&reply.location()).await.text());
    let elsewhere = client.clone();
    seen.look("first", &mut client, &first, 1).await;
    seen.resend("first", &mut client, &first).await;
    let body = json!({"email": email});
    let reply = client.post_json("/f/news-three", &body).await;
    seen.keep("signup as a script", &reply);
    let second = reply.json()["inbox"].as_str().unwrap().to_owned();
    let second = second[second.find("/i/").unwrap()..].to_owned();
    seen.look("second", &mut client, &second, 0).await;
    for mut client in [client, elsewhere] {
        seen.look("first behind the second", &mut client, &first, 2)
            .await;
        world.advance(61);
        seen.resend("first behind the second", &mut client, &first)
            .await;
        seen.resend("second", &mut client, &second).await;
        seen.look("first in the end", &mut client, &first, 1).await;
        seen.look("second in the end", &mut client, &second, 1)
            .await;
    }
    let mut client = world.client("203.0.113.5");
    for (what, inbox) in [("first", &first), ("second", &second)] {
        let right = format!("{what}-{local}@example.net");
        let address = format!("{inbox}/address");
        let reply = client.post(&address, &[("email", &right)]).await;
        seen.keep(&format!("{what}: address"), &reply);
        let next = client.get(&reply.location()).await;
        seen.keep(&format!("{what}: the right address"), &next);
        let closed = client.get(&format!("{inbox}/status")).await;
        seen.keep(&format!("{what}: corrected"), &closed);
    }
    seen.answers
}

on_both_engines! {
    async fn ten_states_of_an_address_get_one_answer(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        // New, waiting, confirmed, declined, over its budget, once more, a program's; withdrawn, suppressed, left elsewhere.
        let states = ["annanew", "annapen", "annacon", "annadec", "annabud", "annaold", "annabot", "annaleft", "annasupp", "annalef"];
        for (number, local) in states.iter().enumerate().skip(1) {
            let email = format!("{local}@example.org");
            if number == 6 {
                world.client("192.0.2.1").post("/f/news", &[("email", &email), ("website", "x")]).await;
                continue;
            }
            if *local == "annalef" {
                // A list told that this one left; the brand knows nothing else of it.
                let text = format!("email,order,date,unsubscribed\n{email},1,2026-01-01,2026-05-05\n");
                crate::import::storing::List::bought("left", &text).take_in(&world).await;
                continue;
            }
            world.signed_up(&email, "192.0.2.1").await;
            let mail = world.mail_to(&email).await;
            let mut other = world.client(&format!("198.51.{number}.7"));
            match *local {
                "annacon" => { other.post(&mail.confirm(), &[]).await; }
                "annadec" => { other.post(&mail.decline(), &[]).await; }
                "annabud" => {
                    for form in ["/f/news-two", "/f/news-three"] {
                        world.client("192.0.2.1").post(form, &[("email", &email)]).await;
                    }
                    world.deliver().await;
                }
                "annaleft" => {
                    other.post(&mail.confirm(), &[]).await;
                    let contact = crate::leaving::contact_of(&world, &email).await;
                    let url = crate::leaving::links(&world, contact, None).unsubscribe_url;
                    other.post(&url, &[("leave", "yes")]).await;
                    assert!(!world.permission(&email, "newsletter").await.allowed);
                }
                "annasupp" => {
                    let brand = crate::leaving::brand(&world);
                    world.app.suppress(&brand, &email, "a letter").await.unwrap();
                }
                _ => {}
            }
        }
        let expected = interview(&world, states[0]).await;
        let status = |what: &str| expected.iter().find(|one| one.0 == what).unwrap().1.0;
        assert_eq!((status("signup"), status("signup as a script")), (303, 202));
        assert_eq!((status("first: again"), status("first: address")), (303, 303));
        assert!(expected.iter().any(|one| one.1.2.contains("a•••@example.org")));
        for local in &states[1..] {
            let seen = interview(&world, local).await;
            assert_eq!(seen.len(), expected.len());
            for (seen, expected) in seen.iter().zip(&expected) {
                assert_eq!(seen, expected, "{local}");
            }
        }
        world.end().await;
    }
}

/// Rows of the outbox, and the rates that were ever moved.
async fn rows(world: &World) -> (i64, Vec<String>) {
    let names = ["nobody", "nobody:form", "nobody:network", "installation"];
    let keys: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut conn = world.app.store.read().await.unwrap();
    let (due, failed) = outbox::count(&mut conn).await.unwrap();
    let mut moved: Vec<String> = budgets::find_rates(&mut conn, &keys)
        .await
        .unwrap()
        .into_iter()
        .map(|rate| format!("{} {}", rate.0, rate.1))
        .collect();
    moved.sort_unstable();
    (due + failed, moved)
}

on_both_engines! {
    async fn a_signup_and_a_resend_without_a_mail_write_the_rows_of_one_with_a_mail(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        for local in ["bot", "budget", "suppressed", "declined"] {
            let email = format!("{local}@example.org");
            if local != "bot" {
                world.signed_up(&email, "192.0.2.1").await;
                let mail = world.mail_to(&email).await;
                if local == "suppressed" {
                    let brand = crate::leaving::brand(&world);
                    world.app.suppress(&brand, &email, "a letter").await.unwrap();
                }
                if local == "declined" {
                    world.client("198.51.100.7").post(&mail.decline(), &[]).await;
                }
                if local == "budget" {
                    for form in ["/f/news-two", "/f/news-three"] {
                        world.client("192.0.2.1").post(form, &[("email", &email)]).await;
                    }
                    world.deliver().await;
                }
            }
            let mut client = world.client("203.0.113.5");
            let fields = [("email", email.as_str()), ("website", "x")];
            let few = if local == "bot" { 2 } else { 1 };
            let before = rows(&world).await;
            let page = client.post("/f/news-two", &fields[..few]).await.location();
            let after = rows(&world).await;
            assert_eq!(after.0, before.0 + 1, "{local}");
            assert_ne!(after.1, before.1, "{local}");
            let sent = world.deliver().await.len();
            world.advance(61);
            let before = rows(&world).await;
            let resend = format!("{}/resend", inbox_path(&client.get(&page).await.text()));
            assert_eq!(client.post(&resend, &[("website", "x")]).await.status, 303);
            let after = rows(&world).await;
            assert_eq!(after.0, before.0 + 1, "{local}");
            assert_ne!(after.1, before.1, "{local}");
            assert_eq!(world.deliver().await.len(), sent, "{local}: no mail");
        }
        world.finish().await;
    }

    async fn the_page_of_a_replaced_signup_follows_its_successor_in_the_browser_that_made_both(engine: Engine) {
        let world = World::on(engine).await;
        let (mut person, page) = world.signed_up("anna@example.org", "192.0.2.1").await;
        let first = inbox_path(&page.text());
        let old_code = world.mail_to("anna@example.org").await.code();
        let mut stranger = world.client("203.0.113.5");
        let state = async |client: &mut Client| {
            let status = client.get(&format!("{first}/status")).await;
            status.json()["state"].as_str().unwrap().to_owned()
        };
        world.advance(601);
        let reply = person.post("/f/news", &[("email", "anna@example.org")]).await;
        person.get(&reply.location()).await;
        let code = world.mail_to("anna@example.org").await.code();
        assert_eq!(state(&mut person).await, "waiting");
        // The code of the first mail is no good any more, and the second one's only where the second signup was made.
        for wrong in [&old_code, &code] {
            let refused = stranger.post(&format!("{first}/code"), &[("code", wrong)]).await;
            assert_eq!(refused.status, 422);
        }
        assert_eq!(person.post(&format!("{first}/code"), &[("code", &old_code)]).await.status, 422);
        assert_eq!(person.post(&format!("{first}/code"), &[("code", &code)]).await.status, 303);
        assert_eq!(world.permission("anna@example.org", "newsletter").await.grade, Some(Grade::Code));
        assert_eq!(state(&mut person).await, "confirmed");
        assert_eq!(state(&mut stranger).await, "waiting");
        world.finish().await;
    }

    async fn however_many_signups_a_browser_makes_it_has_five_guesses_at_a_mails_code_beside_those_of_its_own_page(engine: Engine) {
        // A stranger signs somebody up by three forms in one browser, and so holds all cookies.
        let world = World::on(engine).await;
        let mut stranger = world.client("203.0.113.5");
        let mut pages = Vec::new();
        for form in ["/f/news", "/f/news-two", "/f/news-three"] {
            let reply = stranger.post(form, &[("email", "anna@example.org")]).await;
            pages.push(inbox_path(&stranger.get(&reply.location()).await.text()));
        }
        let mail = world.mail_to("anna@example.org").await;
        let code = mail.code();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        // All at once: they are counted as those one after another.
        let posts = (0..12).map(|_| {
            let (mut client, path) = (stranger.clone(), format!("{}/code", pages[0]));
            async move { client.post(&path, &[("code", wrong)]).await.status }
        });
        let answers = futures_util::future::join_all(posts).await;
        assert!(answers.iter().all(|status| *status == 422), "{answers:?}");
        for page in &pages[..2] {
            let refused = stranger.post(&format!("{page}/code"), &[("code", &code)]).await;
            assert_eq!(refused.status, 422, "the right one too");
        }
        assert_eq!(world.permission("anna@example.org", "newsletter").await.grade, None);
        let tried = world.story("anna@example.org").await;
        let tried = tried.iter().filter(|event| matches!(event.fact, countersign::domain::event::Fact::CodeWrong { .. }));
        assert_eq!(tried.count(), 6, "five on the first page, one on the second");
        // Its own page has its own.
        assert_eq!(stranger.post(&format!("{}/code", pages[2]), &[("code", &code)]).await.status, 303);
        world.finish().await;
    }

    async fn a_resend_on_the_page_of_a_replaced_signup_sends_the_newer_mail_and_corrects_nothing_of_it(engine: Engine) {
        let world = World::on(engine).await;
        let (mut stranger, page) = world.signed_up("anna@example.org", "203.0.113.5").await;
        let first = inbox_path(&page.text());
        let old = world.mail_to("anna@example.org").await;
        world.advance(601);
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        world.advance(61);
        assert_eq!(stranger.post(&format!("{first}/resend"), &[]).await.status, 303);
        let again = world.mail_to("anna@example.org").await;
        assert_eq!(again.confirm(), mail.confirm());
        assert_ne!(again.confirm(), old.confirm());
        // Somebody else signed up behind the stranger: what that gave stays, and so does the link.
        let reply = stranger.post(&format!("{first}/address"), &[("email", "right@example.org")]).await;
        assert_eq!(reply.status, 303);
        world.mail_to("right@example.org").await;
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        assert_eq!(world.client("198.51.100.7").post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }
}

/// Signups of each state that are timed.
const SAMPLES: usize = 60;
/// States, in the order in which a round asks them: new, waiting, confirmed, declined, a program's, over its budget, withdrawn,
/// suppressed.
const STATES: usize = 8;

/// With `COUNTERSIGN_TEST_SAMPLES=4000` on a quiet machine the bounds are those of T19; it takes minutes.
fn samples_told() -> Option<usize> {
    told("COUNTERSIGN_TEST_SAMPLES")
}

fn told(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

/// Other people who sign up all the while, as many at once as `COUNTERSIGN_TEST_LOAD` says; nobody where it says nothing.
fn others(world: &World) -> tokio::task::JoinSet<()> {
    let mut others = tokio::task::JoinSet::new();
    for one in 0..told("COUNTERSIGN_TEST_LOAD").unwrap_or(0) {
        let mut client = world.client("198.51.100.7");
        others.spawn(async move {
            for number in 0.. {
                let email = format!("other{one}-{number}@example.org");
                client.post("/f/news-three", &[("email", &email)]).await;
            }
        });
    }
    others
}

fn address(state: usize, sample: usize) -> String {
    format!("s{state}-{sample}@example.org")
}

/// How often a sample of one is above a sample of the other, which is half of the time where nothing tells them apart.
fn area(one: &[Duration], other: &[Duration]) -> f64 {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
    let above: f64 = pairs
        .map(|(a, b)| match a.cmp(b) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    above / (one.len() * other.len()) as f64
}

fn median(samples: &[Duration]) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// The bounds are wide, so that a busy machine passes: what they find is a state that saves a commit, or waits for something else.
/// A single statement more or less they do not find; that a signup without a mail writes like one with a mail is seen below, by the
/// rows. Only a mail that replaces an older one writes a statement more, which the least time of an answer covers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_the_answer_does_not_tell_the_states_of_addresses_apart() {
    let limits = "[budget]\nper_network_an_hour = 0\nper_form_an_hour = 0\nper_installation_an_hour = 0\n\
                  [breaker]\nmails_at_least = 1000000\n";
    let world = World::with(Engine::Sqlite, limits).await;
    let mut client = world.client("192.0.2.1");
    let samples = samples_told().unwrap_or(SAMPLES);
    for sample in 0..samples {
        for state in 1..STATES {
            let email = address(state, sample);
            let fields = [("email", email.as_str()), ("website", "x")];
            let few = if state == 4 { 2 } else { 1 };
            assert_eq!(client.post("/f/news", &fields[..few]).await.status, 303);
        }
    }
    let mails = world.deliver().await;
    for mail in mails {
        let (state, _) = mail.to[1..].split_once('-').unwrap();
        let path = Mail(mail.clone());
        match state {
            "2" => client.post(&path.confirm(), &[]).await,
            "3" => client.post(&path.decline(), &[]).await,
            "6" => {
                client.post(&path.confirm(), &[]).await;
                let contact = crate::leaving::contact_of(&world, &mail.to).await;
                let url = crate::leaving::links(&world, contact, None).unsubscribe_url;
                client.post(&url, &[("leave", "yes")]).await
            }
            "7" => {
                let brand = crate::leaving::brand(&world);
                let suppressed = world.app.suppress(&brand, &mail.to, "a letter").await;
                suppressed.unwrap();
                continue;
            }
            "5" => {
                client.post("/f/news-two", &[("email", &mail.to)]).await;
                client.post("/f/news-three", &[("email", &mail.to)]).await
            }
            _ => continue,
        };
    }
    world.deliver().await;
    let others = others(&world);
    let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); STATES];
    for sample in 0..samples {
        for at in 0..STATES {
            // Each state comes first, second and so on equally often.
            let state = (at + sample) % STATES;
            let email = address(state, sample);
            let begun = Instant::now();
            let reply = client.post("/f/news-two", &[("email", &email)]).await;
            taken[state].push(begun.elapsed());
            assert_eq!(reply.status, 303);
        }
    }
    drop(others);
    let medians: Vec<Duration> = taken.iter().map(|samples| median(samples)).collect();
    for state in 1..STATES {
        let area = area(&taken[state], &taken[0]);
        let ratio = medians[state].as_secs_f64() / medians[0].as_secs_f64();
        let told = format!("state {state}: {area:.2}, {ratio:.2}, {medians:?}");
        if samples_told().is_some() {
            let gap = medians[state].abs_diff(medians[0]);
            let is_bounded = (0.48..=0.52).contains(&area) && gap < Duration::from_millis(1);
            assert!(is_bounded, "{told}");
        }
        assert!((0.2..0.8).contains(&area), "{told}");
        assert!((0.5..2.0).contains(&ratio), "{told}");
    }
    world.end().await;
}
