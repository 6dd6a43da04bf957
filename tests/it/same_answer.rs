//! Is this address known? The answer is the same, byte for byte, in every state that an address can be in.

use std::time::{Duration, Instant};

use countersign::store::Engine;
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

/// Everything that a stranger can ask about an address: signing up both ways, the page, its status, sending again, a
/// wrong code.
async fn interview(world: &World, local: &str) -> Vec<(u16, Vec<(String, String)>, String)> {
    let email = format!("{local}@example.org");
    let mut client: Client = world.client("203.0.113.5");
    let mut seen = Vec::new();
    let reply = client.post("/f/news-two", &[("email", &email)]).await;
    let location = reply.location();
    seen.push(without_nonces(&reply, local));
    let page = client.get(&location).await;
    let inbox = inbox_path(&page.text());
    seen.push(without_nonces(&page, local));
    seen.push(without_nonces(
        &client.get(&format!("{inbox}/status")).await,
        local,
    ));
    seen.push(without_nonces(
        &client
            .post(&format!("{inbox}/code"), &[("code", "12")])
            .await,
        local,
    ));
    seen.push(without_nonces(
        &client.post(&format!("{inbox}/resend"), &[]).await,
        local,
    ));
    let reply = client
        .post_json("/f/news-three", &json!({"email": email}))
        .await;
    seen.push(without_nonces(&reply, local));
    seen
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
        assert_eq!(expected[0].0, 303);
        assert_eq!(expected[5].0, 202);
        for local in &states[1..] {
            let seen = interview(&world, local).await;
            for (step, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
                assert_eq!(seen, expected, "{local}, step {step}");
            }
        }
        world.end().await;
    }
}

/// Signups of each state that are timed.
const SAMPLES: usize = 60;
/// States, in the order in which a round asks them: new, waiting, confirmed, declined, a program's, over its budget.
const STATES: usize = 6;

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

/// The bounds are wide, so that a busy machine passes: a state that saves a commit, a hash or a query to elsewhere does not. How the
/// distributions lie on a quiet machine is a matter of `countersign bench`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_the_answer_does_not_tell_the_states_of_addresses_apart() {
    let limits = "[budget]\nper_network_an_hour = 0\nper_form_an_hour = 0\nper_installation_an_hour = 0\n\
                  [breaker]\nmails_at_least = 1000000\n";
    let world = World::with(Engine::Sqlite, limits).await;
    let mut client = world.client("192.0.2.1");
    for sample in 0..SAMPLES {
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
            "5" => {
                client.post("/f/news-two", &[("email", &mail.to)]).await;
                client.post("/f/news-three", &[("email", &mail.to)]).await
            }
            _ => continue,
        };
    }
    world.deliver().await;
    let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); STATES];
    for sample in 0..SAMPLES {
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
    let medians: Vec<Duration> = taken.iter().map(|samples| median(samples)).collect();
    for state in 1..STATES {
        let area = area(&taken[state], &taken[0]);
        let ratio = medians[state].as_secs_f64() / medians[0].as_secs_f64();
        let told = format!("state {state}: {area:.2}, {ratio:.2}, {medians:?}");
        assert!((0.2..0.8).contains(&area), "{told}");
        assert!((0.5..2.0).contains(&ratio), "{told}");
    }
    world.end().await;
}
