//! Is this address known? The answer is the same, byte for byte, in every state that an address can be in.

use serde_json::json;

use crate::confirm::inbox_path;
use crate::harness::{Client, Reply, World};
use crate::on_both_engines;

/// Tokens, the masked address, the date and the request's id differ; everything else must not.
fn without_nonces(reply: &Reply, local: &str) -> (u16, Vec<(String, String)>, String) {
    let clean = |text: &str| {
        let mut clean = text.replace(local, "LOCAL");
        while let Some(at) = clean
            .find("/i/")
            .or_else(|| clean.find("cs-").or_else(|| clean.find("value=\"AS")))
        {
            let end = clean[at + 3..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || "-_=".contains(c)))
                .map_or(clean.len(), |length| at + 3 + length);
            clean.replace_range(at..end.max(at + 3), "NONCE");
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
