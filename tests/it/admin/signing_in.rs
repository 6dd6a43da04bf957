//! Coming in: second factors, sessions, guessing.

use countersign::app::acted::{Acting, deeds_of};
use countersign::domain::circumstances::Circumstances;
use countersign::domain::operator::Operator;
use totp_rs::{Builder, Secret};

use crate::harness::{Client, Reply, World, add_owner};
use crate::on_both_engines;

pub const PASSWORD: &str = "a long enough password";

pub fn browser(world: &World, ip: &str) -> Client {
    world.client(ip).with("sec-fetch-site", "same-origin")
}

pub async fn signed_in(world: &World, name: &str) -> Client {
    let mut client = browser(world, "192.0.2.1");
    let reply = client
        .post("/admin/sign-in", &[("name", name), ("password", PASSWORD)])
        .await;
    assert_eq!(reply.location(), "/admin", "{}", reply.text());
    client
}

async fn try_with(client: &mut Client, name: &str, password: &str) -> Reply {
    client
        .post("/admin/sign-in", &[("name", name), ("password", password)])
        .await
}

/// The code that an app would show now for the key that the page showed.
fn code(world: &World, secret: &str) -> String {
    let totp = Builder::new()
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .with_account_name("x")
        .build()
        .unwrap();
    let now = u64::try_from(world.clock.now().unix_seconds()).unwrap();
    totp.generate(now).to_string()
}

/// Sets up codes through the pages: the key, and the recovery codes.
pub async fn set_up(world: &World, client: &mut Client) -> (String, Vec<String>) {
    let offer = client.post("/admin/account/codes/begin", &[]).await;
    let text = offer.text();
    let at = text.find("into the app: <code>").unwrap() + 20;
    let secret = text[at..].split('<').next().unwrap().to_owned();
    let number = offer.hidden("number");
    let wrong = client
        .post(
            "/admin/account/codes",
            &[
                ("number", &number),
                ("code", "000000"),
                ("current", PASSWORD),
            ],
        )
        .await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text().contains(&secret),
        "the same key is offered again"
    );
    let right = code(world, &secret);
    let done = client
        .post(
            "/admin/account/codes",
            &[("number", &number), ("code", &right), ("current", PASSWORD)],
        )
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    let codes = done
        .text()
        .split("<li><code>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    (secret, codes)
}

async fn olga(world: &World) -> Operator {
    let all = countersign::app::operators::list(&world.app.store)
        .await
        .unwrap();
    all.into_iter()
        .map(|one| one.operator)
        .find(|one| one.name == "olga")
        .unwrap()
}

on_both_engines! {
    async fn with_codes_set_up_a_password_alone_opens_nothing_and_each_code_opens_once(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let (secret, recovery) = set_up(&world, &mut client).await;
        assert_eq!(recovery.len(), 10);
        world.advance(60);

        let mut other = browser(&world, "192.0.2.9");
        let reply = try_with(&mut other, "olga", PASSWORD).await;
        assert_eq!(reply.location(), "/admin/sign-in/code");
        let half = other.cookies["session"].clone();
        assert_eq!(other.get("/admin").await.location(), "/admin/sign-in");
        let now = code(&world, &secret);
        let reply = other.post("/admin/sign-in/code", &[("code", &now)]).await;
        assert_eq!(reply.location(), "/admin");
        assert_eq!(other.get("/admin").await.status, 200);
        assert_ne!(other.cookies["session"], half, "another cookie than before the second factor");

        // The same code again, within its time: used.
        let mut third = browser(&world, "192.0.2.10");
        try_with(&mut third, "olga", PASSWORD).await;
        assert_eq!(third.post("/admin/sign-in/code", &[("code", &now)]).await.status, 401);
        // A recovery code in capitals opens, once.
        let capitals = recovery[0].to_uppercase();
        assert_eq!(third.post("/admin/sign-in/code", &[("code", &capitals)]).await.location(), "/admin");
        world.advance(3_600);
        let mut fourth = browser(&world, "192.0.2.11");
        try_with(&mut fourth, "olga", PASSWORD).await;
        assert_eq!(fourth.post("/admin/sign-in/code", &[("code", &recovery[0])]).await.status, 401);
        // Five tries, then from the beginning; a right code is too late.
        for _ in 0..4 {
            fourth.post("/admin/sign-in/code", &[("code", "111111")]).await;
        }
        let late = fourth.post("/admin/sign-in/code", &[("code", &recovery[1])]).await;
        assert_eq!(late.status, 401);
        assert_eq!(fourth.get("/admin/sign-in/code").await.location(), "/admin/sign-in");
        world.finish().await;
    }

    async fn wrong_codes_are_counted_over_all_sign_ins_and_the_operators_own_browser_goes_on(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut own = signed_in(&world, "olga").await;
        let (secret, _) = set_up(&world, &mut own).await;
        own.post("/admin/sign-out", &[]).await;
        world.advance(60);
        // Whoever has the password signs in as often as they like, from anywhere, and guesses the code each time.
        let guess = async |from: usize, code: &str| {
            let mut thief = browser(&world, &format!("198.51.100.{from}"));
            assert_eq!(try_with(&mut thief, "olga", PASSWORD).await.location(), "/admin/sign-in/code");
            let reply = thief.post("/admin/sign-in/code", &[("code", code)]).await;
            (thief, reply)
        };
        for from in 0..5 {
            assert_eq!(guess(from, "111111").await.1.status, 401);
        }
        let right = code(&world, &secret);
        let (mut thief, refused) = guess(5, &right).await;
        assert_eq!(refused.status, 429, "even the right code");
        assert!(refused.text().contains("too many wrong tries"), "{}", refused.text());
        assert_eq!(thief.get("/admin").await.status, 303);
        // The browser in which olga signed in before has a count of its own.
        assert_eq!(try_with(&mut own, "olga", PASSWORD).await.location(), "/admin/sign-in/code");
        assert_eq!(own.post("/admin/sign-in/code", &[("code", &right)]).await.location(), "/admin");
        let deeds = deeds_of(&world.app.store, olga(&world).await.id, 20).await.unwrap();
        let said: Vec<String> = deeds.iter().map(countersign::domain::sentence::sentence).collect();
        let wrong: Vec<&String> = said.iter().filter(|one| one.contains("gave a wrong second factor")).collect();
        assert_eq!(wrong.len(), 5, "{said:?}");
        assert_eq!(wrong[4], "olga knew the password and gave a wrong second factor from 198.51.100.4.");
        // After an hour one may try again from anywhere.
        world.advance(3_600);
        assert_eq!(guess(6, &code(&world, &secret)).await.1.location(), "/admin");
        world.finish().await;
    }

    async fn what_operators_do_stands_in_the_log_and_the_log_verifies(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        set_up(&world, &mut client).await;
        client.post("/admin/sign-out", &[]).await;
        assert_eq!(client.get("/admin").await.status, 303);
        let deeds = deeds_of(&world.app.store, olga(&world).await.id, 10).await.unwrap();
        let said: Vec<String> = deeds.iter().map(countersign::domain::sentence::sentence).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert_eq!(said[0], "olga signed in from 192.0.2.1.");
        assert_eq!(said[1], "olga set up one-time codes from 192.0.2.1.");
        assert_eq!(said[2], "olga signed out from 192.0.2.1.");
        world.app.sequence().await.unwrap();
        let audit = world.app.audit(true, |_, _| {}).await.unwrap();
        assert!(audit.findings.is_empty(), "{:?}", audit.findings);
        world.finish().await;
    }

    async fn a_session_can_be_ended_from_another_and_a_new_password_ends_the_others(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut here = signed_in(&world, "olga").await;
        let mut there = signed_in(&world, "olga").await;
        let page = here.get("/admin/account").await;
        let id = page.hidden("session");
        here.post("/admin/account/sessions/end", &[("session", &id)]).await;
        assert_eq!(there.get("/admin").await.status, 303);
        assert_eq!(here.get("/admin").await.status, 200);

        let mut there = signed_in(&world, "olga").await;
        let fields = [("current", "wrong"), ("password", "another long password")];
        assert_eq!(here.post("/admin/account/password", &fields).await.status, 422);
        let fields = [("current", PASSWORD), ("password", "short")];
        assert_eq!(here.post("/admin/account/password", &fields).await.status, 422);
        let fields = [("current", PASSWORD), ("password", "another long password")];
        assert_eq!(here.post("/admin/account/password", &fields).await.location(), "/admin/account?done=password");
        assert_eq!(there.get("/admin").await.status, 303);
        assert_eq!(here.get("/admin").await.status, 200);
        world.finish().await;
    }

    async fn codes_and_a_role_end_the_other_sessions_and_a_stolen_session_cannot_take_the_factors(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut here = signed_in(&world, "olga").await;
        let mut there = signed_in(&world, "olga").await;
        // A thief who has the session and not the password sets nothing up.
        let offer = there.post("/admin/account/codes/begin", &[]).await;
        let text = offer.text();
        let at = text.find("into the app: <code>").unwrap() + 20;
        let secret = text[at..].split('<').next().unwrap().to_owned();
        let (number, now) = (offer.hidden("number"), code(&world, &secret));
        for current in ["", "guessed by the thief"] {
            let fields = [("number", number.as_str()), ("code", &now), ("current", current)];
            let refused = there.post("/admin/account/codes", &fields).await;
            assert_eq!(refused.status, 422);
            assert!(refused.text().contains("is not this one") && refused.text().contains(&secret));
        }
        assert!(!world.app.factors(olga(&world).await.id).await.unwrap().has_codes);
        let (secret, _) = set_up(&world, &mut here).await;
        assert_eq!(there.get("/admin").await.status, 303, "the others ended");
        assert_eq!(here.get("/admin").await.status, 200);

        world.advance(60);
        let mut there = browser(&world, "192.0.2.9");
        try_with(&mut there, "olga", PASSWORD).await;
        let now = code(&world, &secret);
        assert_eq!(there.post("/admin/sign-in/code", &[("code", &now)]).await.location(), "/admin");
        here.post("/admin/account/codes/remove", &[("current", "wrong")]).await;
        assert_eq!(there.get("/admin").await.status, 200);
        here.post("/admin/account/codes/remove", &[("current", PASSWORD)]).await;
        assert_eq!(there.get("/admin").await.status, 303);
        assert_eq!(here.get("/admin").await.status, 200);

        // What somebody else changes of an operator ends all of their sessions; what they change of themselves, the others.
        let fields = [("name", "emil"), ("password", PASSWORD), ("role", "owner"), ("current", PASSWORD)];
        here.post("/admin/settings/operators", &fields).await;
        let mut emil = signed_in(&world, "emil").await;
        let mut elsewhere = signed_in(&world, "emil").await;
        here.post("/admin/settings/operators/emil", &[("do", "change"), ("role", "editor"), ("current", PASSWORD)]).await;
        assert_eq!((emil.get("/admin").await.status, elsewhere.get("/admin").await.status), (303, 303));
        let mut emil = signed_in(&world, "emil").await;
        let mut there = signed_in(&world, "olga").await;
        here.post("/admin/settings/operators/emil", &[("do", "change"), ("role", "owner"), ("current", PASSWORD)]).await;
        assert_eq!((emil.get("/admin").await.status, there.get("/admin").await.status), (303, 200));
        here.post("/admin/settings/operators/olga", &[("do", "change"), ("role", "viewer"), ("current", PASSWORD)]).await;
        assert_eq!((here.get("/admin").await.status, there.get("/admin").await.status), (200, 303));
        world.finish().await;
    }

    async fn a_session_ends_when_idle_for_an_hour_and_after_twelve_in_any_case(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        world.advance(3_500);
        assert_eq!(client.get("/admin").await.status, 200);
        world.advance(3_500);
        assert_eq!(client.get("/admin").await.status, 200);
        world.advance(3_700);
        assert_eq!(client.get("/admin").await.status, 303);
        let mut client = signed_in(&world, "olga").await;
        for _ in 0..12 {
            assert_eq!(client.get("/admin").await.status, 200);
            world.advance(3_599);
        }
        assert_eq!(client.get("/admin").await.status, 200);
        world.advance(60);
        assert_eq!(client.get("/admin").await.status, 303);
        world.finish().await;
    }

    async fn whoever_guesses_is_slowed_down_and_the_operators_own_browser_is_not_locked_out(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut own = signed_in(&world, "olga").await;
        own.post("/admin/sign-out", &[]).await;
        assert!(own.cookies.contains_key("device"));
        let mut morning = browser(&world, "192.0.2.1");
        let reply = try_with(&mut morning, "olga", PASSWORD).await;
        let cookie = |name: &str| {
            let start = format!("{name}=");
            let mut all = reply.headers.iter().filter(|one| one.0 == "set-cookie").map(|one| one.1.clone());
            all.find(|cookie| cookie.starts_with(&start)).unwrap()
        };
        assert!(cookie("device").contains("Max-Age=15552000"), "it outlasts the browser: {}", cookie("device"));
        assert!(!cookie("session").contains("Max-Age"), "the session ends with it: {}", cookie("session"));
        // From many networks, so that the name's rate is what ends it.
        for guess in 0..20 {
            let mut stranger = browser(&world, &format!("198.51.100.{guess}"));
            assert_eq!(try_with(&mut stranger, "olga", &format!("guess number {guess}")).await.status, 401);
        }
        let mut stranger = browser(&world, "198.51.100.99");
        let refused = try_with(&mut stranger, "olga", PASSWORD).await;
        assert_eq!(refused.status, 429, "even the right password tells a stranger nothing");
        // An unknown name is treated alike.
        for guess in 0..20 {
            let mut stranger = browser(&world, &format!("198.51.101.{guess}"));
            assert_eq!(try_with(&mut stranger, "nobody", "guess").await.status, 401);
        }
        let unknown = try_with(&mut stranger, "nobody", "guess").await;
        assert_eq!(unknown.status, 429);
        let strip = |reply: &Reply, name: &str| reply.text().replace(name, "NAME");
        assert_eq!(strip(&refused, "olga"), strip(&unknown, "nobody"));
        // The browser in which olga signed in before goes on.
        assert_eq!(try_with(&mut own, "olga", PASSWORD).await.location(), "/admin");
        // And after an hour everybody may try again.
        world.advance(3_600);
        assert_eq!(try_with(&mut stranger, "olga", PASSWORD).await.location(), "/admin");
        world.finish().await;
    }

    async fn a_cookie_that_somebody_planted_is_not_the_session_after_signing_in(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let planted = "ab".repeat(32);
        let mut client = browser(&world, "192.0.2.1");
        client.cookies.insert("session".to_owned(), planted.clone());
        try_with(&mut client, "olga", PASSWORD).await;
        assert_ne!(client.cookies["session"], planted);
        let mut thief = browser(&world, "192.0.2.2");
        thief.cookies.insert("session".to_owned(), planted);
        assert_eq!(thief.get("/admin").await.status, 303);
        world.finish().await;
    }

    async fn an_owner_takes_lost_factors_away_and_the_last_owner_stays(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        let fields = [("name", "emil"), ("password", PASSWORD), ("role", "editor"), ("current", PASSWORD)];
        assert_eq!(client.post("/admin/settings/operators", &fields).await.location(), "/admin/settings/operators?done=added");
        assert_eq!(client.post("/admin/settings/operators", &fields).await.status, 422, "the name is taken");
        let mut emil = signed_in(&world, "emil").await;
        set_up(&world, &mut emil).await;
        client.post("/admin/settings/operators/emil", &[("do", "factors"), ("current", PASSWORD)]).await;
        assert_eq!(emil.get("/admin").await.status, 303);
        signed_in(&world, "emil").await;
        let down = [("do", "change"), ("role", "viewer"), ("current", PASSWORD)];
        assert_eq!(client.post("/admin/settings/operators/olga", &down).await.status, 422);
        assert_eq!(client.post("/admin/settings/operators/olga", &[("do", "disable"), ("current", PASSWORD)]).await.status, 422);
        let up = [("do", "change"), ("role", "owner"), ("current", PASSWORD)];
        assert_eq!(client.post("/admin/settings/operators/emil", &up).await.status, 303);
        assert_eq!(client.post("/admin/settings/operators/olga", &down).await.status, 303);
        assert_eq!(client.get("/admin/settings/operators").await.status, 403);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deed_is_kept_before_it_is_done_and_names_no_address() {
    let world = World::on(countersign::store::Engine::Sqlite).await;
    add_owner(&world.app).await;
    let acting = Acting {
        operator: olga(&world).await,
        circumstances: Circumstances::default(),
    };
    let long = "x".repeat(1_000);
    let deed = countersign::domain::operator::Deed::FormChanged;
    world.app.acted(&acting, deed, Some(long)).await.unwrap();
    let deeds = deeds_of(&world.app.store, acting.operator.id, 10)
        .await
        .unwrap();
    let said = countersign::domain::sentence::sentence(&deeds[0]);
    assert!(said.len() < 400, "what is kept of a deed is bounded");
    world.finish().await;
}
