//! Passkeys: made, used, and refused. The authenticator is one in software, so that it can lie.

use countersign::app::acted::deeds_of;
use countersign::app::operators;
use countersign::domain::operator::Role;
use countersign::domain::sentence::sentence;
use serde_json::Value;

use super::signing_in::{PASSWORD, browser, set_up, signed_in};
use crate::harness::authenticator::{Authenticator, Browsing};
use crate::harness::{Client, Reply, World, add_owner};
use crate::on_both_engines;

const ADD: &str = "/admin/account/passkeys";
const SIGN: &str = "/admin/sign-in/passkey";

async fn asked(client: &mut Client, path: &str) -> Value {
    let reply = client
        .post(&format!("{path}/begin"), &[("current", PASSWORD)])
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    reply.json()
}

/// Adds a passkey under one's own name.
async fn add(
    world: &World,
    client: &mut Client,
    name: &str,
    authenticator: &Authenticator,
) -> Reply {
    let options = asked(client, ADD).await;
    let answer = authenticator.make(&Browsing::at(&world.base, &options));
    client
        .post(ADD, &[("name", name), ("answer", &answer)])
        .await
}

/// Adds a passkey as the first second factor; answers with the recovery codes.
pub async fn with_passkey(world: &World, client: &mut Client) -> Vec<String> {
    let done = add(world, client, "Blue key", &Authenticator::new(1)).await;
    let text = done.text();
    let codes = text.split("<li><code>").skip(1);
    codes
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

/// A browser in which the password was right, and nothing more.
async fn half_in(world: &World, name: &str, ip: &str) -> Client {
    let mut client = browser(world, ip);
    let fields = [("name", name), ("password", PASSWORD)];
    let reply = client.post("/admin/sign-in", &fields).await;
    assert_eq!(reply.location(), "/admin/sign-in/code");
    client
}

async fn sign(client: &mut Client, answer: &str) -> Reply {
    client.post(SIGN, &[("answer", answer)]).await
}

/// What the operator did, as the log says it.
async fn said(world: &World, name: &str) -> Vec<String> {
    let all = operators::list(&world.app.store).await.unwrap();
    let one = all.iter().find(|one| one.operator.name == name).unwrap();
    let deeds = deeds_of(&world.app.store, one.operator.id, 50)
        .await
        .unwrap();
    deeds.iter().map(sentence).collect()
}

async fn count(world: &World, name: &str) -> usize {
    let all = operators::list(&world.app.store).await.unwrap();
    let one = all.iter().find(|one| one.operator.name == name).unwrap();
    world.app.passkeys(one.operator.id).await.unwrap().len()
}

on_both_engines! {
    async fn a_passkey_opens_the_pages_behind_the_password_and_the_log_tells(engine: Engine) {
        let world = World::at("localhost", engine).await;
        add_owner(&world.app).await;
        let mut olga = signed_in(&world, "olga").await;
        let options = asked(&mut olga, ADD).await;
        assert_eq!(options["rp"]["id"], "localhost");
        assert_eq!(options["user"]["name"], "olga");
        assert_eq!(options["attestation"], "none");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "preferred");
        assert_eq!(options["excludeCredentials"], Value::Array(Vec::new()));
        let mut blue = Authenticator::new(1);
        let done = add(&world, &mut olga, "Blue key", &blue).await;
        assert_eq!(done.heading(), "Recovery codes", "the first second factor comes with recovery codes");
        assert_eq!(done.text().matches("<li><code>").count(), 10);
        let options = asked(&mut olga, ADD).await;
        assert_eq!(options["excludeCredentials"][0]["id"], blue.id());
        let red = Authenticator::new(2);
        let reply = add(&world, &mut olga, "Red <key>", &red).await;
        assert_eq!(reply.location(), "/admin/account?done=passkey#passkeys", "no new recovery codes");
        let page = olga.get("/admin/account").await.text();
        assert!(page.contains("Blue key") && page.contains("Red &#60;key&#62;") && page.contains("not used yet"));
        assert!(page.contains("10 recovery codes left"));

        world.advance(60);
        let mut other = half_in(&world, "olga", "192.0.2.9").await;
        let half = other.cookies["session"].clone();
        assert_eq!(other.get("/admin").await.location(), "/admin/sign-in");
        let page = other.get("/admin/sign-in/code").await.text();
        assert!(page.contains("Use a passkey") && page.contains("Recovery code</label>"));
        let options = asked(&mut other, SIGN).await;
        assert_eq!(options["rpId"], "localhost");
        assert_eq!(options["userVerification"], "preferred");
        assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 2);
        blue.counter += 1;
        let answer = blue.sign(&Browsing::at(&world.base, &options));
        assert_eq!(sign(&mut other, &answer).await.location(), "/admin");
        assert_eq!(other.get("/admin").await.status, 200);
        assert_ne!(other.cookies["session"], half, "another cookie than before the second factor");
        assert!(other.cookies.contains_key("device"));
        let mut before = browser(&world, "192.0.2.9");
        before.cookies.insert("session".to_owned(), half);
        assert_eq!(before.get("/admin").await.status, 303);
        assert_eq!(before.get("/admin/sign-in/code").await.location(), "/admin/sign-in");
        assert!(other.get("/admin/account").await.text().contains("last used"));

        let said = said(&world, "olga").await;
        assert_eq!(said[1], "olga added a passkey from 192.0.2.1: Blue key.");
        assert_eq!(said[3], "olga signed in with a passkey from 192.0.2.9: Blue key.");
        world.app.sequence().await.unwrap();
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert!(audit.findings.is_empty(), "{:?}", audit.findings);
        world.finish().await;
    }

    async fn a_signature_opens_once_for_its_own_challenge_origin_and_operator(engine: Engine) {
        let world = World::at("localhost", engine).await;
        add_owner(&world.app).await;
        operators::add(&world.app, None, "emil", PASSWORD, (Role::Editor, &[])).await.unwrap();
        let (mut blue, red) = (Authenticator::new(1), Authenticator::new(2));
        let mut olga = signed_in(&world, "olga").await;
        add(&world, &mut olga, "Blue key", &blue).await;
        let mut emil = signed_in(&world, "emil").await;
        add(&world, &mut emil, "Red key", &red).await;
        blue.counter = 7;

        let mut client = half_in(&world, "olga", "192.0.2.9").await;
        let nothing = blue.sign(&Browsing {
            origin: world.base.clone(),
            challenge: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            relying_party: "localhost".to_owned(),
        });
        let reply = sign(&mut client, &nothing).await;
        assert_eq!(reply.status, 401, "nothing was asked");
        assert!(reply.text().contains("use the passkey again"));
        let options = asked(&mut client, SIGN).await;
        let honest = Browsing::at(&world.base, &options);
        // Each lie uses its challenge up, so each gets a fresh one.
        type Lie = (&'static str, fn(&mut Browsing));
        let lies: [Lie; 3] = [
            ("another origin", |lie| lie.origin = "https://evil.example".to_owned()),
            ("another port", |lie| lie.origin = "http://localhost:1".to_owned()),
            ("another relying party", |lie| lie.relying_party = "evil.example".to_owned()),
        ];
        let reply = sign(&mut client, &nothing).await;
        assert_eq!(reply.status, 401, "another challenge");
        assert!(reply.text().contains("does not fit"), "{}", reply.text());
        let reply = sign(&mut client, &blue.sign(&honest)).await;
        assert_eq!(reply.status, 401, "the challenge is used up by the wrong answer");
        world.advance(3_600);
        let mut client = half_in(&world, "olga", "192.0.2.10").await;
        for (what, lie) in lies {
            let options = asked(&mut client, SIGN).await;
            let mut browsing = Browsing::at(&world.base, &options);
            lie(&mut browsing);
            let reply = sign(&mut client, &blue.sign(&browsing)).await;
            assert_eq!(reply.status, 401, "{what}");
            assert!(reply.text().contains("does not fit"), "{what}: {}", reply.text());
        }
        let options = asked(&mut client, SIGN).await;
        let reply = sign(&mut client, &red.sign(&Browsing::at(&world.base, &options))).await;
        assert_eq!(reply.status, 401, "somebody else's passkey");
        // The fifth try: from the beginning, whatever comes.
        asked(&mut client, SIGN).await;
        assert_eq!(sign(&mut client, &nothing).await.location(), "/admin/sign-in");
        let reply = client.post(&format!("{SIGN}/begin"), &[]).await;
        assert_eq!(reply.status, 401);
        assert!(reply.json()["problem"].as_str().unwrap().contains("sign in again"));
        assert_eq!(client.get("/admin").await.status, 303);
        // A signature of one text under another; an hour later, since wrong ones are counted.
        world.advance(3_600);
        let mut client = half_in(&world, "olga", "192.0.2.10").await;
        let options = asked(&mut client, SIGN).await;
        let right = blue.sign(&Browsing::at(&world.base, &options));
        let mut forged: Value = serde_json::from_str(&right).unwrap();
        forged["response"]["signature"] = serde_json::from_str::<Value>(&nothing).unwrap()["response"]["signature"].clone();
        let reply = sign(&mut client, &forged.to_string()).await;
        assert!(reply.status == 401 && reply.text().contains("does not fit"));

        // What was right once, again: in its own session, and in another one with a challenge of its own.
        let mut client = half_in(&world, "olga", "192.0.2.11").await;
        let options = asked(&mut client, SIGN).await;
        let right = blue.sign(&Browsing::at(&world.base, &options));
        let mut twin = client.clone();
        assert_eq!(sign(&mut client, &right).await.location(), "/admin");
        assert_eq!(sign(&mut twin, &right).await.status, 401);
        let mut other = half_in(&world, "olga", "192.0.2.12").await;
        asked(&mut other, SIGN).await;
        assert_eq!(sign(&mut other, &right).await.status, 401);
        world.advance(3_600);
        for garbage in ["", "{}", "[]", "{\"id\":1}", &"x".repeat(8_000)] {
            let mut client = half_in(&world, "olga", "192.0.2.13").await;
            asked(&mut client, SIGN).await;
            assert_eq!(sign(&mut client, garbage).await.status, 401);
        }
        // Too late: five minutes after the password.
        let mut late = half_in(&world, "olga", "192.0.2.14").await;
        let options = asked(&mut late, SIGN).await;
        world.advance(301);
        blue.counter += 1;
        let reply = sign(&mut late, &blue.sign(&Browsing::at(&world.base, &options))).await;
        assert_eq!(reply.status, 401);
        assert_eq!(late.get("/admin").await.status, 303);
        world.finish().await;
    }

    async fn a_counter_that_goes_back_is_refused_and_stands_in_the_log(engine: Engine) {
        let world = World::at("localhost", engine).await;
        add_owner(&world.app).await;
        let mut olga = signed_in(&world, "olga").await;
        let mut blue = Authenticator::new(1);
        add(&world, &mut olga, "Blue key", &blue).await;
        let copy = blue.clone();
        for _ in 0..2 {
            blue.counter += 5;
            let mut client = half_in(&world, "olga", "192.0.2.9").await;
            let options = asked(&mut client, SIGN).await;
            let answer = blue.sign(&Browsing::at(&world.base, &options));
            assert_eq!(sign(&mut client, &answer).await.location(), "/admin");
        }
        let mut thief = half_in(&world, "olga", "192.0.2.66").await;
        let options = asked(&mut thief, SIGN).await;
        let reply = sign(&mut thief, &copy.sign(&Browsing::at(&world.base, &options))).await;
        assert_eq!(reply.status, 401);
        assert!(reply.text().contains("there may be a copy"));
        assert_eq!(thief.get("/admin").await.status, 303);
        let said = said(&world, "olga").await;
        let last = said.last().unwrap();
        assert_eq!(last, "olga was refused with a passkey whose counter went back from 192.0.2.66: Blue key.");
        world.finish().await;
    }

    async fn a_passkey_is_added_once_by_an_honest_answer_within_five_minutes(engine: Engine) {
        let world = World::at("localhost", engine).await;
        add_owner(&world.app).await;
        operators::add(&world.app, None, "emil", PASSWORD, (Role::Viewer, &[])).await.unwrap();
        let mut olga = signed_in(&world, "olga").await;
        let blue = Authenticator::new(1);
        let nothing = [("name", "Blue key"), ("answer", "{}")];
        let reply = olga.post(ADD, &nothing).await;
        assert_eq!(reply.status, 422);
        assert!(reply.text().contains("begin again"));
        for origin in ["https://evil.example", "http://localhost", "null"] {
            let options = asked(&mut olga, ADD).await;
            let answer = blue.make(&Browsing::at(origin, &options));
            let reply = olga.post(ADD, &[("name", "Blue key"), ("answer", &answer)]).await;
            assert_eq!(reply.status, 422, "{origin}");
        }
        let first = asked(&mut olga, ADD).await;
        asked(&mut olga, ADD).await;
        let answer = blue.make(&Browsing::at(&world.base, &first));
        let fields = [("name", "Blue key"), ("answer", answer.as_str())];
        assert_eq!(olga.post(ADD, &fields).await.status, 422, "an older challenge");
        let options = asked(&mut olga, ADD).await;
        let answer = blue.make(&Browsing::at(&world.base, &options));
        world.advance(301);
        let fields = [("name", "Blue key"), ("answer", answer.as_str())];
        let late = olga.post(ADD, &fields).await;
        assert!(late.status == 422 && late.text().contains("longer than five minutes"));
        for name in ["", "  ", "a\nb", &"x".repeat(61)] {
            assert_eq!(add(&world, &mut olga, name, &blue).await.status, 422);
        }
        assert_eq!(count(&world, "olga").await, 0);
        assert_eq!(signed_in(&world, "olga").await.get("/admin").await.status, 200, "no second factor yet");

        let options = asked(&mut olga, ADD).await;
        let answer = blue.make(&Browsing::at(&world.base, &options));
        let fields = [("name", "Blue key"), ("answer", answer.as_str())];
        assert_eq!(olga.post(ADD, &fields).await.status, 200);
        assert_eq!(olga.post(ADD, &fields).await.status, 422, "sent twice");
        let mut emil = signed_in(&world, "emil").await;
        let taken = add(&world, &mut emil, "Blue key", &blue).await;
        assert!(taken.status == 422 && taken.text().contains("set up already"));
        assert_eq!((count(&world, "olga").await, count(&world, "emil").await), (1, 0));
        for seed in 10..29 {
            let authenticator = Authenticator::new(seed);
            assert_eq!(add(&world, &mut olga, "One more", &authenticator).await.status, 303);
        }
        let reply = olga.post(&format!("{ADD}/begin"), &[("current", PASSWORD)]).await;
        assert_eq!(reply.status, 409);
        assert!(reply.json()["problem"].as_str().unwrap().contains("20 passkeys already"));
        world.finish().await;
    }

    async fn a_stolen_session_adds_no_passkey_and_adding_or_removing_one_ends_the_others(engine: Engine) {
        let world = World::at("localhost", engine).await;
        add_owner(&world.app).await;
        let mut olga = signed_in(&world, "olga").await;
        let mut stolen = signed_in(&world, "olga").await;
        for current in [&[][..], &[("current", "guessed by the thief")]] {
            let refused = stolen.post(&format!("{ADD}/begin"), current).await;
            assert_eq!(refused.status, 422);
            assert!(refused.json()["problem"].as_str().unwrap().contains("is not this one"));
        }
        // What a browser makes unasked is not taken.
        let thiefs = Authenticator::new(9);
        let options = asked(&mut olga, ADD).await;
        let answer = thiefs.make(&Browsing::at(&world.base, &options));
        let reply = stolen.post(ADD, &[("name", "Mine now"), ("answer", &answer)]).await;
        assert_eq!((reply.status, count(&world, "olga").await), (422, 0));
        add(&world, &mut olga, "Blue key", &Authenticator::new(1)).await;
        assert_eq!(stolen.get("/admin").await.status, 303, "the other session ended");
        assert_eq!(olga.get("/admin").await.status, 200);

        let mut there = half_in(&world, "olga", "192.0.2.9").await;
        let id = olga.get("/admin/account").await.hidden("passkey");
        olga.post(&format!("{ADD}/remove"), &[("passkey", &id), ("current", PASSWORD)]).await;
        assert_eq!(count(&world, "olga").await, 0);
        let page = there.get("/admin/sign-in/code").await;
        assert_eq!((page.status, olga.get("/admin").await.status), (303, 200), "one that was half in, too");
        world.finish().await;
    }

    async fn a_passkey_goes_with_the_password_and_all_go_with_a_reset(engine: Engine) {
        let world = World::at("localhost", engine).await;
        add_owner(&world.app).await;
        operators::add(&world.app, None, "emil", PASSWORD, (Role::Editor, &[])).await.unwrap();
        let mut emil = signed_in(&world, "emil").await;
        add(&world, &mut emil, "Blue key", &Authenticator::new(1)).await;
        let id = emil.get("/admin/account").await.hidden("passkey");
        let mut olga = signed_in(&world, "olga").await;
        let remove = [("passkey", id.as_str()), ("current", PASSWORD)];
        olga.post(&format!("{ADD}/remove"), &remove).await;
        assert_eq!(count(&world, "emil").await, 1, "nobody removes another's");
        let wrong = [("passkey", id.as_str()), ("current", "not the password")];
        assert_eq!(emil.post(&format!("{ADD}/remove"), &wrong).await.status, 422);
        assert_eq!(count(&world, "emil").await, 1);
        // With codes besides, recovery codes outlive either of the two, and go with the last.
        set_up(&world, &mut emil).await;
        let codes = [("current", PASSWORD)];
        let reply = emil.post("/admin/account/codes/remove", &codes).await;
        assert_eq!(reply.location(), "/admin/account?done=codes-only");
        assert!(emil.get("/admin/account").await.text().contains("10 recovery codes left"));
        half_in(&world, "emil", "192.0.2.9").await;
        let reply = emil.post(&format!("{ADD}/remove"), &remove).await;
        assert_eq!(reply.location(), "/admin/account?done=no-passkey#passkeys");
        assert_eq!(count(&world, "emil").await, 0);
        assert!(emil.get("/admin/account").await.text().contains("Your password alone opens these pages"));
        let said = said(&world, "emil").await;
        assert_eq!(said.last().unwrap(), "emil removed a passkey from 192.0.2.1: Blue key.");

        add(&world, &mut emil, "Red key", &Authenticator::new(2)).await;
        let mut half = half_in(&world, "emil", "192.0.2.9").await;
        olga.post("/admin/settings/operators/emil", &[("do", "factors"), ("current", PASSWORD)]).await;
        assert_eq!(count(&world, "emil").await, 0);
        assert_eq!(half.get("/admin/sign-in/code").await.location(), "/admin/sign-in");
        let mut emil = signed_in(&world, "emil").await;
        add(&world, &mut emil, "Red key", &Authenticator::new(2)).await;
        let folder = crate::harness::Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        let command = |name: &'static str| {
            let mut command = std::process::Command::new(crate::process::PROGRAM);
            command.current_dir(&folder.0).args(["operator", "reset-factors", name]);
            command.output().unwrap()
        };
        let output = command("emil");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(command("nobody").status.code(), Some(1));
        assert_eq!(count(&world, "emil").await, 0);
        assert_eq!(emil.get("/admin").await.status, 303);
        signed_in(&world, "emil").await;
        world.finish().await;
    }

    async fn before_the_password_nothing_tells_who_has_a_passkey(engine: Engine) {
        let world = World::at("localhost", engine).await;
        add_owner(&world.app).await;
        operators::add(&world.app, None, "emil", PASSWORD, (Role::Editor, &[])).await.unwrap();
        let mut olga = signed_in(&world, "olga").await;
        add(&world, &mut olga, "Blue key", &Authenticator::new(1)).await;
        let mut seen = Vec::new();
        for name in ["olga", "emil", "nobody"] {
            let mut client = browser(&world, "192.0.2.9");
            let mut all = vec![client.get("/admin/sign-in").await];
            let fields = [("name", name), ("password", "not the password")];
            all.push(client.post("/admin/sign-in", &fields).await);
            all.push(client.get("/admin/sign-in/code").await);
            all.push(client.post(&format!("{SIGN}/begin"), &[]).await);
            all.push(client.post(SIGN, &[("answer", "{}")]).await);
            assert!(client.cookies.is_empty());
            let told = all.iter().map(|reply| (reply.status, reply.text().replace(name, "NAME")));
            seen.push(told.collect::<Vec<_>>());
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0], seen[2]);
        assert_eq!(seen[0][3].0, 401);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_bare_ip_address_the_pages_say_that_there_are_no_passkeys_and_why() {
    let world = World::on(countersign::store::Engine::Sqlite).await;
    add_owner(&world.app).await;
    let mut olga = signed_in(&world, "olga").await;
    for path in ["/admin/account", "/admin/settings"] {
        let text = olga.get(path).await.text();
        assert!(text.contains("is a bare IP address"), "{path}");
        assert!(!text.contains("data-passkey"));
    }
    // What a request says of its host changes nothing.
    let mut told = olga.clone().with("host", "localhost");
    let reply = told
        .post(&format!("{ADD}/begin"), &[("current", PASSWORD)])
        .await;
    assert_eq!(reply.status, 409);
    assert!(
        reply.json()["problem"]
            .as_str()
            .unwrap()
            .contains("bare IP address")
    );
    world.finish().await;
}
