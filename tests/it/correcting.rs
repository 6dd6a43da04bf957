//! "Wrong address?": one more way in, with the checks of the others, and no way to learn of anybody.

use countersign::domain::event::Fact;
use serde_json::json;

use crate::budgets::solved;
use crate::confirm::inbox_path;
use crate::harness::{Client, DECLARATIONS, Reply, World};
use crate::on_both_engines;

/// Signs up at a form; the path of the page that comes next.
async fn inbox_of(client: &mut Client, form: &str, fields: &[(&str, &str)]) -> String {
    let reply = client.post(form, fields).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    inbox_path(&client.get(&reply.location()).await.text())
}

/// Corrects the address of a request; the path of the page that it leads to.
async fn correct(client: &mut Client, inbox: &str, email: &str) -> String {
    let reply = client
        .post(&format!("{inbox}/address"), &[("email", email)])
        .await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.location()
}

async fn name_of(world: &World) -> String {
    let brand = crate::leaving::brand(world);
    let mut conn = world.app.store.read().await.unwrap();
    let found = countersign::store::contacts::find(&mut conn, brand.id, "anna@example.org").await;
    found.unwrap().unwrap().name.unwrap_or_default()
}

on_both_engines! {
    async fn a_stranger_who_types_somebodys_address_and_corrects_it_to_their_own_learns_no_name(engine: Engine) {
        let named = DECLARATIONS.replace("asks_name = true", "asks_name = true\nname_in_mail = true");
        let world = World::declared(engine, "", &named).await;
        let mut anna = world.client("192.0.2.1");
        inbox_of(&mut anna, "/f/news", &[("email", "anna@example.org"), ("name", "Anna Beispiel")]).await;
        let mail = world.mail_to("anna@example.org").await;
        assert!(mail.0.text.contains("Anna Beispiel"), "{}", mail.0.text);
        anna.post(&mail.confirm(), &[]).await;
        let mut stranger = world.client("203.0.113.5");
        let inbox = inbox_of(&mut stranger, "/f/news", &[("email", "anna@example.org")]).await;
        world.advance(5);
        correct(&mut stranger, &inbox, "stranger@example.net").await;
        let mail = world.mail_to("stranger@example.net").await;
        assert!(!mail.0.text.contains("Anna") && !mail.0.html.contains("Anna"), "{}", mail.0.text);
        let story = world.story("stranger@example.net").await;
        let Fact::SignedUp(said) = &story[0].fact else { panic!("{story:?}") };
        assert_eq!(said.name, None);
        world.finish().await;
    }

    async fn nobody_else_types_over_the_name_that_a_mail_has_or_that_was_confirmed(engine: Engine) {
        let named = DECLARATIONS.replace("asks_name = true", "asks_name = true\nname_in_mail = true");
        let world = World::declared(engine, "", &named).await;
        let mut anna = world.client("192.0.2.1");
        let inbox = inbox_of(&mut anna, "/f/news", &[("email", "anna@example.org"), ("name", "Anna")]).await;
        world.mail_to("anna@example.org").await;
        let stranger = async || {
            let fields = [("email", "anna@example.org"), ("name", "Call us and win")];
            inbox_of(&mut world.client("203.0.113.5"), "/f/news", &fields).await
        };
        stranger().await;
        world.advance(61);
        anna.post(&format!("{inbox}/resend"), &[]).await;
        let mail = world.mail_to("anna@example.org").await;
        assert!(mail.0.text.contains("Anna") && !mail.0.text.contains("win"), "{}", mail.0.text);
        anna.post(&mail.confirm(), &[]).await;
        world.advance(601);
        stranger().await;
        world.deliver().await;
        let brand = crate::leaving::brand(&world);
        let mut conn = world.app.store.read().await.unwrap();
        let contact = countersign::store::contacts::find(&mut conn, brand.id, "anna@example.org").await.unwrap().unwrap();
        drop(conn);
        assert_eq!(contact.name.as_deref(), Some("Anna"));
        world.finish().await;
    }

    async fn whoever_confirmed_and_signs_up_again_has_the_new_name_once_that_signup_is_confirmed_too(engine: Engine) {
        let world = World::on(engine).await;
        let signed_up = async |name: &str| {
            let mut anna = world.client("192.0.2.1");
            let inbox = inbox_of(&mut anna, "/f/news", &[("email", "anna@example.org"), ("name", name)]).await;
            (anna, inbox, world.mail_to("anna@example.org").await)
        };
        let (mut anna, _, mail) = signed_up("Anna").await;
        anna.post(&mail.confirm(), &[]).await;
        let ways = ["Anna Maria", "Anna Maria Lopez", "Anna Maria Lopez", ""];
        let names = ["Anna Maria", "Anna Maria Lopez", "Anna Maria Lopez", "Anna Maria Lopez"];
        for (day, (typed, holds)) in ways.into_iter().zip(names).enumerate() {
            world.advance(86_400);
            let before = name_of(&world).await;
            let (mut anna, inbox, mail) = signed_up(typed).await;
            assert_eq!(name_of(&world).await, before, "a signup alone changes nothing");
            let done = match day {
                0 => anna.post(&format!("{inbox}/code"), &[("code", &mail.code())]).await.status,
                1 => world.client("198.51.100.7").post(&mail.confirm(), &[]).await.status,
                _ => anna.post(&mail.confirm(), &[]).await.status,
            };
            assert!([200, 303].contains(&done), "{done}");
            assert_eq!(name_of(&world).await, holds);
        }
        let taken: Vec<Option<String>> = world.story("anna@example.org").await.into_iter().filter_map(|one| match one.fact {
            Fact::Confirmed { name, .. } => Some(name),
            _ => None,
        }).collect();
        let said = |name: &str| Some(name.to_owned());
        assert_eq!(taken, [None, said("Anna Maria"), said("Anna Maria Lopez"), None, None]);
        let told = world.story("anna@example.org").await.iter().map(countersign::domain::sentence::sentence).filter(|one| one.contains("The name given at that signup")).count();
        assert_eq!(told, 2);
        let mut ben = world.client("192.0.2.2");
        for fields in [&[("email", "ben@example.org")][..], &[("email", "ben@example.org"), ("name", "Ben")]] {
            world.advance(86_400);
            inbox_of(&mut ben, "/f/news", fields).await;
            let mail = world.mail_to("ben@example.org").await;
            ben.post(&mail.confirm(), &[]).await;
        }
        world.app.sequence().await.unwrap();
        assert_eq!(crate::audit::audited(&world).await.findings, [""; 0], "a name that came with a confirmation is told by an event");
        world.finish().await;
    }

    async fn what_the_person_typed_at_the_same_signup_goes_along_to_the_right_address(engine: Engine) {
        let named = DECLARATIONS.replace("asks_name = true", "asks_name = true\nname_in_mail = true");
        let world = World::declared(engine, "", &named).await;
        let mut person = world.client("192.0.2.1");
        let page = "https://www.acme.example/join";
        let fields = [("email", "ana@example.org"), ("name", "Anna"), ("page", page), ("purpose", "events")];
        let inbox = inbox_of(&mut person, "/f/news", &fields).await;
        world.advance(5);
        let next = correct(&mut person, &inbox, "anna@example.org").await;
        assert!(person.get(&next).await.text().contains("a•••@example.org"));
        let mail = world.mail_to("anna@example.org").await;
        assert!(mail.0.text.contains("Anna") && mail.0.text.contains("www.acme.example"), "{}", mail.0.text);
        let story = world.story("anna@example.org").await;
        let Fact::SignedUp(said) = &story[0].fact else { panic!("{story:?}") };
        assert_eq!((said.page.as_deref(), said.purposes.len()), (Some(page), 1));
        assert_eq!(world.kinds("ana@example.org").await, ["signed_up", "address_changed"]);
        assert_eq!(world.deliver().await.len(), 1, "the wrong address gets no mail any more");
        world.finish().await;
    }

    async fn a_proof_of_work_is_asked_for_a_corrected_address_too_and_counts_once(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let proof = solved(&client.get("/f/guarded/challenge").await.json());
        let inbox = inbox_of(&mut client, "/f/guarded", &[("email", "a@example.org"), ("altcha", &proof)]).await;
        world.advance(5);
        let address = format!("{inbox}/address");
        let page = client.get(&inbox).await.text();
        assert!(page.contains("data-challenge=\"/f/guarded/challenge\"") && page.contains("name=\"altcha\""), "{page}");
        let without = client.post(&address, &[("email", "b@example.org")]).await;
        assert_eq!(without.status, 422);
        assert!(without.text().contains("value=\"b@example.org\""), "what was typed is shown again");
        let used = client.post(&address, &[("email", "bea@example.org"), ("altcha", &proof)]).await;
        assert_eq!(used.status, 422, "the proof of the signup is spent");
        let body = json!({"email": "bea@example.org"});
        assert_eq!(client.post_json(&address, &body).await.status, 422);
        assert_eq!(world.deliver().await.len(), 1);
        let proof = solved(&client.get("/f/guarded/challenge").await.json());
        let body = json!({"email": "bea@example.org", "altcha": proof});
        let done = client.post_json(&address, &body).await;
        assert_eq!(done.status, 202, "{}", done.text());
        assert_eq!(done.json()["masked"], "b•••@example.org");
        world.mail_to("bea@example.org").await;
        world.finish().await;
    }

    async fn a_request_is_corrected_once_and_answers_alike_ever_after(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let inbox = inbox_of(&mut client, "/f/news", &[("email", "a@example.org")]).await;
        world.advance(5);
        let at_once: Vec<Reply> = futures_util::future::join_all((0..6).map(|number| {
            let mut client = client.clone();
            let inbox = inbox.clone();
            async move {
                let email = format!("b{number}@example.org");
                client.post(&format!("{inbox}/address"), &[("email", &email)]).await
            }
        })).await;
        let first = at_once[0].location();
        assert!(at_once.iter().all(|reply| reply.status == 303 && reply.location() == first), "{at_once:?}");
        world.advance(3_600);
        assert_eq!(correct(&mut client, &inbox, "later@example.org").await, first);
        let again = client.post_json(&format!("{inbox}/address"), &json!({"email": "c@example.org"})).await;
        assert_eq!(again.status, 202);
        assert!(again.json()["inbox"].as_str().unwrap().ends_with(&first), "{}", again.text());
        assert!(world.deliver().await.iter().filter(|mail| mail.to != "a@example.org").count() == 1);
        world.finish().await;
    }

    async fn a_chain_of_corrections_ends_and_leads_to_the_form(engine: Engine) {
        let world = World::with(engine, "[budget]\nper_network_an_hour = 0\n").await;
        let mut client = world.client("192.0.2.1");
        let mut inbox = inbox_of(&mut client, "/f/news", &[("email", "a0@example.org")]).await;
        for number in 1..=3 {
            world.advance(5);
            inbox = correct(&mut client, &inbox, &format!("a{number}@example.org")).await;
        }
        world.advance(5);
        let page = client.get(&inbox).await.text();
        assert!(!page.contains("/address\"") && page.contains("href=\"/f/news\""), "{page}");
        let refused = client.post(&format!("{inbox}/address"), &[("email", "a4@example.org")]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("corrected several times"));
        assert_eq!(client.post_json(&format!("{inbox}/address"), &json!({"email": "a4@example.org"})).await.status, 422);
        let mails = world.deliver().await;
        assert!(mails.iter().all(|mail| mail.to != "a4@example.org"));
        world.finish().await;
    }

    async fn a_honeypot_an_instant_correction_and_a_programs_signup_cost_the_mail_and_not_the_answer(engine: Engine) {
        let world = World::on(engine).await;
        let mut bot = world.client("192.0.2.1");
        // A program filled the form in: another address changes nothing about that.
        let inbox = inbox_of(&mut bot, "/f/news", &[("email", "a@example.org"), ("website", "x")]).await;
        world.advance(5);
        correct(&mut bot, &inbox, "b@example.org").await;
        // It fills in what people do not see on the next page.
        let inbox = inbox_of(&mut bot, "/f/news", &[("email", "c@example.org")]).await;
        world.advance(5);
        let fields = [("email", "d@example.org"), ("website", "x")];
        assert_eq!(bot.post(&format!("{inbox}/address"), &fields).await.status, 303);
        // It is faster than a person types.
        let inbox = inbox_of(&mut bot, "/f/news", &[("email", "e@example.org")]).await;
        correct(&mut bot, &inbox, "f@example.org").await;
        assert_eq!(world.deliver().await.len(), 0);
        // A press on the address that the page proposes needs no typing.
        let inbox = inbox_of(&mut bot, "/f/news", &[("email", "g@gmial.com")]).await;
        correct(&mut bot, &inbox, "g@gmail.com").await;
        world.mail_to("g@gmail.com").await;
        world.finish().await;
    }

    async fn the_same_address_once_more_is_no_correction_and_spoils_no_link(engine: Engine) {
        let world = World::on(engine).await;
        let mut client = world.client("192.0.2.1");
        let inbox = inbox_of(&mut client, "/f/news", &[("email", "anna@example.org")]).await;
        world.advance(5);
        assert_eq!(correct(&mut client, &inbox, "ANNA@example.org").await, inbox);
        let mail = world.mail_to("anna@example.org").await;
        assert_eq!(client.post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        // Answered, there is nothing to correct: the page says how it stands.
        assert_eq!(correct(&mut client, &inbox, "bea@example.org").await, inbox);
        assert_eq!(world.deliver().await.len(), 1);
        world.finish().await;
    }
}
