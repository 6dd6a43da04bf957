//! The log is stamped by outside authorities: at its time and on demand, checked before it is kept, and never in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use countersign::app::App;
use countersign::app::timestamp::{Asking, Stamped};
use countersign::clock::{Clock, Random};
use countersign::domain::time::Timestamp;
use countersign::ledger::timestamp::authority::Authority;
use countersign::ledger::timestamp::request;
use countersign::store::timestamps::{self, KeptStamp};
use countersign::store::{Conn, log};

use crate::harness::http::{Peer, Reaction, Request};
use crate::harness::{START, World, dying_at};
use crate::on_both_engines;
use crate::timestamps::{Kind, OpenSsl, PLAIN, is_left_out};

const REPLY: &str = "application/timestamp-reply";
const HOUR: u64 = 3_600;

/// An authority whose clock is two seconds behind the one that tests begin at, and knows whole seconds only.
fn respond(authority: &Authority, request: &Request) -> Reaction {
    let at = START.minus(Duration::from_secs(2));
    Reaction::ok(REPLY, authority.respond(&request.body, at))
}

pub async fn good() -> Peer {
    let authority = Authority::from_secret(&[7; 32]);
    Peer::start(move |request| {
        assert!(
            request
                .head
                .contains("content-type: application/timestamp-query")
        );
        respond(&authority, &request)
    })
    .await
}

pub fn section(authorities: &[(&str, &Peer)], more: &str) -> String {
    let list: Vec<String> = authorities
        .iter()
        .map(|(name, peer)| format!("\"{name}={}\"", peer.url()))
        .collect();
    format!(
        "[timestamp]\nauthorities = [{}]\nallow_private = true\nwithin_seconds = 1\n{more}\n",
        list.join(", ")
    )
}

async fn world(engine: countersign::store::Engine, authorities: &[(&str, &Peer)]) -> World {
    World::with(engine, &section(authorities, "")).await
}

/// How an authority answers that must not be believed; it also has a request of somebody else's.
type Wrong = fn(&Authority, &Request, &[u8]) -> Reaction;

/// One more entry, or a few, in the log.
async fn grow(world: &World, name: &str) {
    world
        .signed_up(&format!("{name}@example.org"), "192.0.2.1")
        .await;
    world.app.sequence().await.unwrap();
}

fn kept(asked: &[Asking]) -> Vec<&Stamped> {
    asked
        .iter()
        .filter_map(|one| one.outcome.as_ref().ok())
        .collect()
}

fn problem(asked: &[Asking]) -> String {
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked[0].outcome.as_ref().unwrap_err().to_string()
}

async fn stored(app: &App) -> Vec<KeptStamp> {
    let mut conn = app.store.read().await.unwrap();
    let all = timestamps::list(&mut conn, 0, 1_000).await.unwrap();
    all.into_iter().map(|one| one.stamp).collect()
}

async fn run(app: &App, sql: &'static str) -> Result<(), sqlx::Error> {
    match app.store.write().await.unwrap() {
        Conn::SqliteWrite(mut tx) => sqlx::query(sql).execute(&mut *tx).await.map(|_| ()),
        Conn::PostgresWrite(mut tx) => sqlx::query(sql).execute(&mut *tx).await.map(|_| ()),
        _ => unreachable!(),
    }
}

on_both_engines! {
    async fn the_log_is_stamped_at_its_time_if_it_has_grown(engine: Engine) {
        let peer = good().await;
        let world = world(engine, &[("one", &peer)]).await;
        assert!(world.app.stamp_due().await.unwrap().is_empty(), "nothing is in the log yet");
        grow(&world, "a").await;
        let asked = world.app.stamp_due().await.unwrap();
        assert_eq!(kept(&asked).len(), 1, "{asked:?}");
        assert!(kept(&asked)[0].stamp.root_on_trust);
        world.advance(2 * HOUR);
        assert!(world.app.stamp_due().await.unwrap().is_empty(), "it has not grown");
        grow(&world, "b").await;
        assert_eq!(kept(&world.app.stamp_due().await.unwrap()).len(), 1, "its time was over, and now it has grown");
        grow(&world, "c").await;
        world.advance(HOUR - 10);
        assert!(world.app.stamp_due().await.unwrap().is_empty(), "its time has not come");
        world.advance(10);
        assert_eq!(kept(&world.app.stamp_due().await.unwrap()).len(), 1);
        assert_eq!(peer.asked(), 3);

        let sizes: Vec<i64> = stored(&world.app).await.iter().map(|one| one.size).collect();
        let mut conn = world.app.store.read().await.unwrap();
        let all = log::list_checkpoints(&mut conn, 0, 100).await.unwrap();
        let all: Vec<i64> = all.iter().map(|one| one.size).collect();
        assert_eq!(sizes, all, "each is over a checkpoint");
        let (first, last) = (sizes[0], sizes[2]);
        let before = timestamps::last_before(&mut conn, last).await.unwrap();
        assert_eq!(before[0].size, sizes[1]);
        let covers = timestamps::first_from(&mut conn, first + 1).await.unwrap();
        assert_eq!(covers[0].size, sizes[1]);
        assert!(timestamps::last_before(&mut conn, first).await.unwrap().is_empty());
        assert!(timestamps::first_from(&mut conn, last + 1).await.unwrap().is_empty());
        drop(conn);
        world.deliver().await;
        world.finish().await;
    }

    async fn on_demand_every_authority_is_asked_at_once_and_a_stamp_that_is_there_is_answered_with(engine: Engine) {
        let (one, two) = (good().await, good().await);
        let world = world(engine, &[("one", &one), ("two", &two)]).await;
        assert!(world.app.stamp_now().await.unwrap().is_empty());
        grow(&world, "a").await;
        let first = world.app.stamp_now().await.unwrap();
        assert!(kept(&first).iter().all(|kept| !kept.was_there) && kept(&first).len() == 2, "{first:?}");
        let again = world.app.stamp_now().await.unwrap();
        assert!(kept(&again).iter().all(|kept| kept.was_there) && kept(&again).len() == 2, "{again:?}");
        for (first, again) in kept(&first).iter().zip(kept(&again)) {
            assert_eq!(first.stamp, again.stamp);
        }
        assert_eq!((one.asked(), two.asked(), stored(&world.app).await.len()), (1, 1, 2));
        world.deliver().await;
        world.finish().await;
    }

    async fn a_stamp_is_never_changed_and_never_deleted(engine: Engine) {
        let peer = good().await;
        let world = world(engine, &[("one", &peer)]).await;
        grow(&world, "a").await;
        world.app.stamp_now().await.unwrap();
        for sql in ["update timestamp set at = at + 1", "update timestamp set certificates = authority", "delete from timestamp"] {
            let refused = run(&world.app, sql).await.unwrap_err().to_string();
            assert!(refused.contains("a timestamp never changes"), "{refused}");
        }
        assert_eq!(stored(&world.app).await.len(), 1);
        world.deliver().await;
        world.finish().await;
    }

    async fn a_failure_is_kept_and_shown_and_tried_again_until_it_is_mended(engine: Engine) {
        let broken = Arc::new(AtomicUsize::new(1));
        let (authority, state) = (Authority::from_secret(&[7; 32]), broken.clone());
        let peer = Peer::start(move |request| match state.load(Ordering::SeqCst) {
            1 => Reaction::status(500, "no"),
            _ => respond(&authority, &request),
        }).await;
        let world = world(engine, &[("one", &peer)]).await;
        grow(&world, "a").await;
        assert!(problem(&world.app.stamp_due().await.unwrap()).contains("500"));
        let mut waited = 0;
        for tries in 2..=5 {
            assert!(world.app.stamp_due().await.unwrap().is_empty(), "not at once");
            let mut pause = 0;
            while world.app.stamp_due().await.unwrap().is_empty() {
                world.advance(1);
                pause += 1;
            }
            assert!(pause >= 15 << tries >> 1 && pause > waited / 2, "{tries}: {pause} s");
            waited = pause;
        }
        let ready = world.app.readiness().await.unwrap();
        let standing = &ready.timestamps[0];
        assert_eq!((standing.authority.as_str(), standing.failures, standing.entries), ("one", 5, 0));
        assert!(standing.problem.as_ref().unwrap().contains("500"));
        let shown = world.client("192.0.2.1").get("/readyz").await;
        assert_eq!(shown.status, 200, "signups are taken all the same");
        assert!(shown.json()["timestamps"][0]["problem"].as_str().unwrap().contains("500"));
        crate::harness::add_owner(&world.app).await;
        let fields = [("name", "olga"), ("password", "a long enough password")];
        let mut olga = world.client("192.0.2.1").with("sec-fetch-site", "same-origin");
        olga.post("/admin/sign-in", &fields).await;
        let page = olga.get("/admin").await.text();
        assert!(page.contains("no stamp yet; 5 tries failed"), "{page}");

        broken.store(0, Ordering::SeqCst);
        // The new operator and the sign-in stand in the log, too.
        world.app.sequence().await.unwrap();
        world.advance(HOUR);
        assert_eq!(kept(&world.app.stamp_due().await.unwrap()).len(), 1);
        let ready = world.app.readiness().await.unwrap();
        let standing = &ready.timestamps[0];
        assert_eq!((standing.failures, &standing.problem), (0, &None));
        assert!(standing.entries > 0 && standing.last_stamp_at.is_some());
        olga.post("/admin/sign-in", &fields).await;
        let page = olga.get("/admin").await.text();
        assert!(page.contains("countersign demo authority - proves nothing to others"), "{page}");
        world.deliver().await;
        world.finish().await;
    }

    async fn what_fails_its_check_is_never_kept(engine: Engine) {
        let other = request(b"other bytes", 5, None).unwrap();
        let refused: [(&str, Wrong, &str); 8] = [
            ("other imprint and nonce", |a, _, other| Reaction::ok(REPLY, a.respond(other, START)), "imprint"),
            ("rejection", |a, _, _| Reaction::ok(REPLY, a.respond(b"no request", START)), "rejected"),
            ("garbage", |_, _, _| Reaction::ok(REPLY, "<html>"), "no well-formed"),
            ("nothing", |_, _, _| Reaction::ok(REPLY, ""), "no well-formed"),
            ("HTTP 500", |a, r, _| Reaction::Answer { status: 500, headers: vec![("content-type", REPLY.to_owned())], body: a.respond(&r.body, START) }, "500"),
            ("other type", |a, r, _| Reaction::ok("text/html", a.respond(&r.body, START)), "text/html"),
            ("too large", |_, _, _| Reaction::ok(REPLY, vec![0; 65_537]), "larger than 65536"),
            ("hangs", |_, _, _| Reaction::Hang, "in time"),
        ];
        let way = Arc::new(AtomicUsize::new(0));
        let (authority, which) = (Authority::from_secret(&[7; 32]), way.clone());
        let peer = Peer::start(move |request| {
            (refused[which.load(Ordering::SeqCst)].1)(&authority, &request, &other)
        }).await;
        let world = world(engine, &[("one", &peer)]).await;
        grow(&world, "a").await;
        for (index, (name, _, told)) in refused.iter().enumerate() {
            way.store(index, Ordering::SeqCst);
            let problem = problem(&world.app.stamp_now().await.unwrap());
            assert!(problem.contains(told), "{name}: {problem}");
        }
        assert!(stored(&world.app).await.is_empty());
        world.deliver().await;
        world.finish().await;
    }

    async fn two_processes_at_once_ask_once(engine: Engine) {
        let peer = good().await;
        let world = world(engine, &[("one", &peer)]).await;
        let second = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(99)).await.unwrap();
        for name in ["a", "b", "c", "d"] {
            grow(&world, name).await;
            let (one, two) = tokio::join!(world.app.stamp_due(), second.stamp_due());
            assert_eq!(kept(&one.unwrap()).len() + kept(&two.unwrap()).len(), 1);
            world.advance(HOUR);
        }
        assert_eq!((peer.asked(), stored(&world.app).await.len()), (4, 4));
        // On demand nobody waits for a lease; two stamps of one checkpoint are one too many, and the first stays.
        grow(&world, "e").await;
        let (one, two) = tokio::join!(world.app.stamp_now(), second.stamp_now());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((kept(&one).len(), kept(&two).len()), (1, 1));
        assert_eq!(kept(&one)[0].stamp, kept(&two)[0].stamp, "both are told of the one that is kept");
        assert_eq!(stored(&world.app).await.len(), 5);
        second.store.close().await;
        world.deliver().await;
        world.finish().await;
    }

    async fn whoever_dies_while_an_authority_is_asked_leaves_nothing_wrong(engine: Engine) {
        let hangs = Arc::new(AtomicUsize::new(1));
        let (authority, state) = (Authority::from_secret(&[7; 32]), hangs.clone());
        let peer = Peer::start(move |request| match state.load(Ordering::SeqCst) {
            1 => Reaction::Hang,
            _ => respond(&authority, &request),
        }).await;
        let world = world(engine, &[("one", &peer)]).await;
        grow(&world, "a").await;
        let dying = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(98)).await.unwrap();
        // Steps 1 and 2: the lease is taken, the question is out, and the process is gone.
        tokio::select! {
            _ = dying.stamp_due() => panic!("it hangs"),
            () = asked(&peer) => {}
        }
        dying.store.close().await;
        hangs.store(0, Ordering::SeqCst);
        assert!(world.app.stamp_due().await.unwrap().is_empty(), "the dead one has the lease");
        assert!(stored(&world.app).await.is_empty());
        world.advance(61);
        assert_eq!(kept(&world.app.stamp_due().await.unwrap()).len(), 1, "and then it ran out");
        assert_eq!(stored(&world.app).await.len(), 1);
        // Step 4: written, and gone before the lease was let go of. The stamp is there, and nobody asks again.
        let other = world.app.random.uuid_v7(world.clock.now());
        let now = world.clock.now();
        let until = now.plus(Duration::from_secs(61));
        assert!(countersign::store::leases::take(&world.app.store, "timestamps", other, now, until).await.unwrap());
        grow(&world, "b").await;
        world.advance(HOUR);
        assert_eq!(kept(&world.app.stamp_due().await.unwrap()).len(), 1);
        assert_eq!(stored(&world.app).await.len(), 2);
        world.deliver().await;
        world.finish().await;
    }

    async fn whoever_dies_at_any_step_of_stamping_leaves_nothing_wrong(engine: Engine) {
        let time = Arc::new(AtomicI64::new(START.micros()));
        let (authority, shown) = (Authority::from_secret(&[7; 32]), time.clone());
        let peer = Peer::start(move |request| {
            let at = Timestamp::from_micros(shown.load(Ordering::SeqCst));
            Reaction::ok(REPLY, authority.respond(&request.body, at))
        }).await;
        let world = world(engine, &[("one", &peer)]).await;
        let mut ended = 0;
        for waits in 1..60 {
            grow(&world, &format!("p{waits}")).await;
            if dying_at(waits, world.app.stamp_due()).await.is_some() {
                ended += 1;
            }
            // The lease of the dead one, and the interval, are over.
            world.advance(HOUR + 120);
            time.store(world.clock.now().micros(), Ordering::SeqCst);
            let audit = world.app.audit(true, |_, _| {}).await.unwrap();
            assert_eq!(audit.findings, [""; 0], "dead at {waits}");
        }
        assert!(ended > 0 && ended < 59, "{ended} came to their end");
        assert_eq!(kept(&world.app.stamp_now().await.unwrap()).len(), 1);
        world.end().await;
    }

    async fn signups_go_on_while_an_authority_hangs(engine: Engine) {
        let hangs = Peer::start(|_| Reaction::Hang).await;
        let (fast, slow) = (good().await, section(&[("hangs", &hangs)], ""));
        let slow = slow.replace("within_seconds = 1", "within_seconds = 30")
            .replace("authorities = [", &format!("authorities = [\"fast={}\", ", fast.url()));
        let world = World::with(engine, &format!("{slow}[budget]\nper_network_an_hour = 0\n")).await;
        grow(&world, "a").await;
        let app = world.app.clone();
        let asking = tokio::spawn(async move { app.stamp_due().await.map(|asked| asked.len()) });
        asked(&hangs).await;
        for number in 0..20 {
            grow(&world, &format!("b{number}")).await;
        }
        assert!(!asking.is_finished(), "it still hangs, and twenty people have signed up");
        // The other authority's stamp did not wait for the one that hangs.
        while stored(&world.app).await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(stored(&world.app).await[0].authority, "fast");
        asking.abort();
        world.deliver().await;
        world.finish().await;
    }

    async fn a_root_that_was_not_named_is_kept_to_from_the_first_stamp_on(engine: Engine) {
        let which = Arc::new(AtomicUsize::new(7));
        let state = which.clone();
        let peer = Peer::start(move |request| {
            let secret = [u8::try_from(state.load(Ordering::SeqCst)).unwrap(); 32];
            respond(&Authority::from_secret(&secret), &request)
        }).await;
        let world = world(engine, &[("one", &peer)]).await;
        grow(&world, "a").await;
        assert_eq!(kept(&world.app.stamp_now().await.unwrap()).len(), 1);
        which.store(8, Ordering::SeqCst);
        grow(&world, "b").await;
        let problem = problem(&world.app.stamp_now().await.unwrap());
        assert!(problem.contains("which its earlier stamps lead to"), "{problem}");
        which.store(7, Ordering::SeqCst);
        let asked = world.app.stamp_now().await.unwrap();
        assert!(kept(&asked)[0].stamp.root_on_trust);
        world.deliver().await;
        world.finish().await;
    }

    async fn an_event_tells_how_far_the_clock_was_ahead_of_the_authority(engine: Engine) {
        let peer = good().await;
        let world = world(engine, &[("one", &peer)]).await;
        grow(&world, "a").await;
        world.app.stamp_now().await.unwrap();
        world.signed_up("b@example.org", "192.0.2.1").await;
        let ahead = |story: &[countersign::domain::event::Event]| story[0].clock.ahead_micros;
        assert_eq!(ahead(&world.story("a@example.org").await), None);
        assert_eq!(ahead(&world.story("b@example.org").await), Some(1_500_000));
        assert_eq!(world.app.readiness().await.unwrap().timestamps[0].clock_ahead_seconds, Some(1.5));
        world.deliver().await;
        world.finish().await;
    }

    async fn openssl_stamps_and_openssl_accepts_what_is_kept(engine: Engine) {
        if is_left_out() {
            return;
        }
        let authority = Arc::new(OpenSsl::new(PLAIN));
        let served = authority.clone();
        let peer = Peer::start(move |request| Reaction::ok(REPLY, served.answer(&request.body))).await;
        let root = authority.path("root.pem");
        let named = format!("roots = [\"ssl={}\"]\npolicies = [\"ssl=1.2.3.4.5.6\"]", root.display());
        let world = World::with(engine, &section(&[("ssl", &peer)], &named)).await;
        // The program tells the machine's time.
        world.clock.step(Clock::System.now().micros() - START.micros());
        grow(&world, "a").await;
        let asked = world.app.stamp_due().await.unwrap();
        let stamp = &kept(&asked)[0].stamp;
        assert!(!stamp.root_on_trust && stamp.policy == "1.2.3.4.5.6", "{stamp:?}");

        let stored = &stored(&world.app).await[0];
        let mut conn = world.app.store.read().await.unwrap();
        let checkpoint = log::find_checkpoint(&mut conn, stored.size).await.unwrap().unwrap();
        drop(conn);
        authority.write("kept.checkpoint", checkpoint.note.as_bytes());
        authority.write("kept.tsr", &stored.response);
        authority.write("kept.pem", stored.certificates.as_bytes());
        for trusted in ["root.pem -untrusted kept.pem", "kept.pem"] {
            let said = authority.run(&format!("ts -verify -data kept.checkpoint -in kept.tsr -CAfile {trusted}"));
            assert!(said.contains("Verification: OK"), "{said}");
        }
        assert_eq!(stored.at, stamp.at);
        world.deliver().await;
        world.finish().await;
    }
}

async fn asked(peer: &Peer) {
    while peer.asked() == 0 {
        tokio::task::yield_now().await;
    }
}

/// Certificates of openssl's authority that must not do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_is_not_trusted_and_a_signer_that_may_not_stamp_are_refused() {
    if is_left_out() {
        return;
    }
    let other_root = OpenSsl::new(PLAIN);
    let expired = Kind {
        dates: "-startdate 20200101000000Z -enddate 20210101000000Z",
        ..PLAIN
    };
    let not_for_stamps = Kind {
        usage: "critical,serverAuth",
        ..PLAIN
    };
    for (kind, root, told) in [
        (
            PLAIN,
            Some(&other_root),
            "a signature between signer and root does not hold",
        ),
        (expired, None, "was valid from 2020-01-01"),
        (not_for_stamps, None, "it is for something else"),
    ] {
        let authority = Arc::new(OpenSsl::new(kind));
        let content = (kind.usage != PLAIN.usage).then(|| OpenSsl::new(PLAIN));
        let root = root.map_or_else(
            || authority.path("root.pem"),
            |other| other.path("root.pem"),
        );
        let served = authority.clone();
        let peer = Peer::start(move |request| {
            let response = match &content {
                None => served.answer(&request.body),
                // openssl's authority refuses to sign with such a certificate; its CMS does not.
                Some(other) => served.signed_by_cms(&other.content_for(&request.body), "-cades"),
            };
            Reaction::ok(REPLY, response)
        })
        .await;
        let named = format!("roots = [\"ssl={}\"]", root.display());
        let settings = section(&[("ssl", &peer)], &named).replace("_seconds = 1", "_seconds = 30");
        let world = World::with(countersign::store::Engine::Sqlite, &settings).await;
        grow(&world, "a").await;
        let problem = problem(&world.app.stamp_now().await.unwrap());
        assert!(problem.contains(told), "{problem}");
        assert!(stored(&world.app).await.is_empty());
        world.deliver().await;
        world.finish().await;
    }
}

/// The time of a stamp is the authority's, whatever ours says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kept_time_is_the_tokens_own() {
    let peer = good().await;
    let world = world(countersign::store::Engine::Sqlite, &[("one", &peer)]).await;
    grow(&world, "a").await;
    world.advance(86_000);
    world.app.stamp_now().await.unwrap();
    let stored = &stored(&world.app).await[0];
    let at: Timestamp = START.minus(Duration::from_secs(2));
    assert_eq!((stored.at, stored.received_at), (at, world.clock.now()));
    world.deliver().await;
    world.finish().await;
}
