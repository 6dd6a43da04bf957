//! Witnesses cosign the log, remember it better than a restored database does, and are never in the way.

pub mod witness;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use countersign::app::App;
use countersign::app::sign_up::Submission;
use countersign::app::witness::{Asking, WitnessProblem};
use countersign::clock::Random;
use countersign::domain::keys::Keys;
use countersign::ledger::checkpoint::Checkpoint;
use countersign::ledger::note::{Note, SigningNoteKey, Verifier};
use countersign::store::{Conn, Engine, Location, cosignatures, log};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use self::witness::{TIME, Witness};
use crate::harness::http::{Peer, Reaction};
use crate::harness::{Client, SECRET, World};
use crate::on_both_engines;
use crate::process::{declare, free_port, start, wait_until, write_settings};

async fn serve(witness: &Arc<Witness>) -> Peer {
    let served = witness.clone();
    Peer::start(move |request| served.answer(&request)).await
}

fn section(witnesses: &[(&Witness, &Peer)]) -> String {
    let list: Vec<String> = witnesses
        .iter()
        .map(|(witness, peer)| format!("\"{} {}\"", witness.vkey(), peer.url()))
        .collect();
    format!(
        "[ledger]\norigin = \"log.example\"\n[budget]\nper_network_an_hour = 0\n[witness]\nwitnesses = [{}]\n\
         allow_private = true\nwithin_seconds = 2\n",
        list.join(", ")
    )
}

/// A server whose log these witnesses know.
async fn world(engine: Engine, witnesses: &[(&Witness, &Peer)]) -> World {
    let world = World::with(engine, &section(witnesses)).await;
    for (witness, _) in witnesses {
        witness.trust(&world.app.log.key.verifier().vkey());
    }
    world
}

/// So many more people, and the log with them.
async fn grow(app: &Arc<App>, name: &str, people: usize) {
    let form = app.catalog().form("news").unwrap().clone();
    let calls = (0..people).map(|number| {
        let (app, form) = (app.clone(), form.clone());
        async move {
            let given = Submission {
                email: format!("{name}{number}@example.org"),
                ..Default::default()
            };
            assert!(app.sign_up(&form, given).await.is_ok());
        }
    });
    futures_util::future::join_all(calls).await;
    app.sequence().await.unwrap();
}

fn good(asked: &[Asking]) -> usize {
    asked.iter().filter(|one| one.outcome.is_ok()).count()
}

fn problem(asked: &[Asking]) -> WitnessProblem {
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked[0].outcome.clone().unwrap_err()
}

async fn size(app: &App) -> u64 {
    let mut conn = app.store.read().await.unwrap();
    u64::try_from(log::head(&mut conn).await.unwrap().unwrap().size).unwrap()
}

async fn kept(app: &App, witness: &Witness) -> Option<i64> {
    let mut conn = app.store.read().await.unwrap();
    let newest = cosignatures::newest_by(&mut conn, &witness.name).await;
    newest.unwrap().map(|newest| newest.size)
}

async fn run(app: &App, sql: &'static str) -> Result<(), sqlx::Error> {
    match app.store.write().await.unwrap() {
        Conn::SqliteWrite(mut tx) => sqlx::query(sql).execute(&mut *tx).await.map(|_| ()),
        Conn::PostgresWrite(mut tx) => sqlx::query(sql).execute(&mut *tx).await.map(|_| ()),
        _ => unreachable!(),
    }
}

const LATER: Duration = Duration::from_secs(2 * 3_600);

on_both_engines! {
    async fn each_new_head_is_cosigned_and_served_with_its_cosignatures(engine: Engine) {
        let (one, two) = (Arc::new(Witness::new("w.example/1")), Arc::new(Witness::new("w.example/2")));
        let (at_one, at_two) = (serve(&one).await, serve(&two).await);
        let world = world(engine, &[(&one, &at_one), (&two, &at_two)]).await;
        assert!(world.app.witness_due().await.unwrap().is_empty(), "there is no log yet");
        // Sizes before, at and behind the edges of tiles and of powers of two.
        let mut all = 0;
        for people in [1, 1, 2, 251, 1, 1, 254, 300] {
            grow(&world.app, &format!("p{all}-"), people).await;
            all += people as u64;
            assert_eq!(size(&world.app).await, all);
            let asked = world.app.witness_due().await.unwrap();
            assert_eq!(good(&asked), 2, "{all}: {asked:?}");
            assert!(world.app.witness_due().await.unwrap().is_empty(), "nothing is new");
            world.advance(2);
        }
        assert_eq!((one.latest().0, two.latest().0), (all, all));
        assert_eq!((at_one.asked(), at_two.asked()), (8, 8), "no question was one too many");

        let served = world.client("192.0.2.1").get("/log/checkpoint").await.body;
        let key = world.app.log.key.verifier();
        let (head, note) = Checkpoint::verified(&served, &key).unwrap();
        assert_eq!((head.size, note.lines.len()), (all, 3));
        for witness in [&one, &two] {
            let key = Verifier::parse(&witness.vkey()).unwrap();
            assert_eq!(note.verify_cosignature(&key).unwrap(), TIME);
        }
        // The bundle's own check of a proof takes it as well, and so does an older head.
        let older = world.app.checkpoint_with_cosignatures(4).await.unwrap().unwrap();
        assert_eq!(Note::parse(older.as_bytes()).unwrap().lines.len(), 3);
        assert_eq!(world.app.checkpoint_with_cosignatures(3).await.unwrap(), None);
        let ready = world.app.readiness().await.unwrap();
        assert_eq!((ready.witnesses[0].entries, ready.witnesses[0].failures), (i64::try_from(all).unwrap(), 0));
        world.end().await;
    }

    async fn a_cosignature_is_never_changed_and_never_deleted(engine: Engine) {
        let witness = Arc::new(Witness::new("w.example/1"));
        let peer = serve(&witness).await;
        let world = world(engine, &[(&witness, &peer)]).await;
        grow(&world.app, "a", 2).await;
        assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
        for sql in ["update cosignature set line = ''", "delete from cosignature"] {
            let refused = run(&world.app, sql).await.unwrap_err().to_string();
            assert!(refused.contains("a cosignature never changes"), "{refused}");
        }
        world.end().await;
    }

    async fn a_line_that_was_changed_or_moved_past_the_server_is_named_by_the_audit(engine: Engine) {
        let free = match engine {
            Engine::Sqlite => "drop trigger cosignature_never_changes; ",
            Engine::Postgres => "set session_replication_role = replica; ",
        };
        for change in ["set at = at + 1000000", "set size = 0", "set line = substr(line, 1, 39) || case substr(line, 40, 1) when 'A' then 'B' else 'A' end || substr(line, 41)"] {
            let witness = Arc::new(Witness::new("w.example/1"));
            let peer = serve(&witness).await;
            let world = world(engine, &[(&witness, &peer)]).await;
            grow(&world.app, "a", 2).await;
            assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
            assert_eq!(world.app.audit(false, |_, _| {}).await.unwrap().findings, [""; 0]);
            world.sql(&format!("{free}update cosignature {change}")).await.unwrap();
            let audit = world.app.audit(false, |_, _| {}).await.unwrap();
            let told = audit.findings.iter().any(|found| found.starts_with("the line of the witness w.example/1 under"));
            assert!(told, "{change}: {:?}", audit.findings);
            world.end().await;
        }
    }

    async fn a_witness_may_restart_and_may_lose_its_memory(engine: Engine) {
        let witness = Arc::new(Witness::new("w.example/1"));
        let peer = serve(&witness).await;
        let world = world(engine, &[(&witness, &peer)]).await;
        grow(&world.app, "a", 3).await;
        assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
        let port = peer.port;
        drop(peer);
        grow(&world.app, "b", 2).await;
        world.advance(2);
        let told = problem(&world.app.witness_due().await.unwrap()).to_string();
        assert!(told.contains("connection"), "{told}");
        let served = witness.clone();
        let peer = Peer::start_at(port, move |request| served.answer(&request)).await;
        assert!(world.app.witness_due().await.unwrap().is_empty(), "not at once");
        world.clock.advance(LATER);
        assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
        assert_eq!((witness.latest().0, peer.asked()), (5, 1));
        witness.forget();
        grow(&world.app, "c", 2).await;
        world.clock.advance(LATER);
        assert_eq!(good(&world.app.witness_due().await.unwrap()), 1, "it names the size 0, and is told from there");
        assert_eq!((witness.latest().0, peer.asked()), (7, 3));
        world.end().await;
    }

    async fn whoever_dies_after_the_witness_has_written_is_told_by_it_where_it_stands(engine: Engine) {
        let witness = Arc::new(Witness::new("w.example/1"));
        let hangs = Arc::new(AtomicUsize::new(0));
        let (served, state) = (witness.clone(), hangs.clone());
        let peer = Peer::start(move |request| {
            let reaction = served.answer(&request);
            if state.load(Ordering::SeqCst) == 1 { Reaction::Hang } else { reaction }
        }).await;
        let world = world(engine, &[(&witness, &peer)]).await;
        grow(&world.app, "a", 3).await;
        assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
        grow(&world.app, "b", 4).await;
        world.advance(2);
        hangs.store(1, Ordering::SeqCst);
        let dying = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(98)).await.unwrap();
        let before = peer.asked();
        tokio::select! {
            _ = dying.witness_due() => panic!("it hangs"),
            () = async { while peer.asked() == before { tokio::task::yield_now().await } } => {}
        }
        dying.store.close().await;
        hangs.store(0, Ordering::SeqCst);
        assert_eq!((witness.latest().0, kept(&world.app, &witness).await), (7, Some(3)));
        assert!(world.app.witness_due().await.unwrap().is_empty(), "the dead one has the lease");
        world.clock.advance(LATER);
        // Meanwhile the log has grown, or it has not: both go on from what the witness names.
        if engine == Engine::Sqlite {
            grow(&world.app, "c", 1).await;
        }
        assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
        assert_eq!(kept(&world.app, &witness).await, Some(i64::try_from(size(&world.app).await).unwrap()));
        world.end().await;
    }

    async fn a_log_that_lost_what_a_witness_has_seen_is_told_of_aloud(engine: Engine) {
        let witness = Arc::new(Witness::new("w.example/1"));
        let peer = serve(&witness).await;
        let first = world(engine, &[(&witness, &peer)]).await;
        grow(&first.app, "a", 9).await;
        assert_eq!(good(&first.app.witness_due().await.unwrap()), 1);
        first.end().await;
        // The same secret and name over a database that knows less: as if an older copy had been restored.
        let second = world(engine, &[(&witness, &peer)]).await;
        grow(&second.app, "a", 4).await;
        let told = problem(&second.app.witness_due().await.unwrap());
        assert!(matches!(told, WitnessProblem::RolledBack { theirs: 9, ours: 4 }), "{told}");
        let shown = second.client("192.0.2.1").get("/readyz").await.json();
        assert_eq!(shown["witnesses"][0]["in_doubt"], true);
        let shown = shown["witnesses"][0]["problem"].as_str().unwrap();
        assert!(shown.contains("restored from an older copy"), "{shown}");
        // No mail leaves until somebody takes the database as it is; then the witness's word holds nothing back any more.
        assert!(second.app.sending_held().await.unwrap().unwrap().why.contains("w.example/1"));
        assert!(second.app.accept_restored().await.unwrap());
        second.clock.advance(LATER);
        problem(&second.app.witness_due().await.unwrap());
        assert_eq!(second.app.sending_held().await.unwrap(), None);
        crate::harness::add_owner(&second.app).await;
        let mut olga = second.client("192.0.2.1").with("sec-fetch-site", "same-origin");
        olga.post("/admin/sign-in", &[("name", "olga"), ("password", "a long enough password")]).await;
        let page = olga.get("/admin").await.text();
        assert!(page.contains("role=\"alert\"") && page.contains("The witness w.example/1 has seen another history"), "{page}");
        // It goes on from there, past what the witness saw, with and without a checkpoint of the very size.
        // Besides these, the log holds the new operator and the sign-in.
        grow(&second.app, "b", if engine == Engine::Sqlite { 3 } else { 6 }).await;
        second.clock.advance(LATER);
        let told = problem(&second.app.witness_due().await.unwrap());
        match engine {
            Engine::Sqlite => assert!(matches!(told, WitnessProblem::Inconsistent), "{told}"),
            Engine::Postgres => assert!(matches!(told, WitnessProblem::RolledBack { theirs: 9, ours: 12 }), "{told}"),
        }
        assert!(told.to_string().contains("older copy"));
        assert_eq!((witness.latest().0, kept(&second.app, &witness).await), (9, None));
        // Once its operator has set the witness back, it is believed.
        witness.forget();
        second.clock.advance(LATER);
        assert_eq!(good(&second.app.witness_due().await.unwrap()), 1);
        let standing = &second.app.readiness().await.unwrap().witnesses[0];
        assert_eq!((standing.in_doubt, &standing.problem), (false, &None));
        second.end().await;
    }

    async fn what_is_no_cosignature_of_the_witness_is_never_kept(engine: Engine) {
        let witness = Arc::new(Witness::new("w.example/1"));
        let other = Witness::new("w.example/1");
        let way = Arc::new(AtomicUsize::new(0));
        let (served, which) = (witness.clone(), way.clone());
        let conflict = |kind: &str, body: &str| Reaction::Answer {
            status: 409,
            headers: vec![("content-type", kind.to_owned())],
            body: body.as_bytes().to_vec(),
        };
        let told = [
            "does not fit the text", "no signature by", "no signature by", "no signature by", "404", "403", "422", "500",
            "names no size", "names no size", "names no size", "in time", "not UTF-8", "larger than 65536", "redirect",
        ];
        let peer = Peer::start(move |request| {
            let body = String::from_utf8(request.body.clone()).unwrap();
            let text = body.split("\n\n").nth(1).unwrap().to_owned() + "\n";
            match which.load(Ordering::SeqCst) {
                0 => Reaction::ok("text/plain", served.line(&text, true)),
                1 => Reaction::ok("text/plain", other.line(&text, false)),
                2 => Reaction::ok("text/plain", ""),
                3 => Reaction::ok("text/plain", "hello\n"),
                4 => Reaction::status(404, ""),
                5 => Reaction::status(403, ""),
                6 => Reaction::status(422, ""),
                7 => Reaction::status(500, ""),
                8 => conflict("text/plain", "1\n"),
                9 => conflict("text/x.tlog.size", "1"),
                10 => conflict("text/x.tlog.size", "0\n"),
                11 => Reaction::Hang,
                12 => Reaction::ok("text/plain", vec![0xFF; 8]),
                13 => Reaction::ok("text/plain", vec![b'x'; 65_537]),
                14 => Reaction::Answer { status: 307, headers: vec![("location", "/".to_owned())], body: Vec::new() },
                // Lines of others beside the good one.
                _ => Reaction::ok("text/plain", other.line(&text, false) + &served.line(&text, false) + "\u{2014} x y\n"),
            }
        }).await;
        let world = world(engine, &[(&witness, &peer)]).await;
        grow(&world.app, "a", 3).await;
        for (index, told) in told.iter().enumerate() {
            way.store(index, Ordering::SeqCst);
            let problem = problem(&world.app.witness_due().await.unwrap()).to_string();
            assert!(problem.contains(told), "{index}: {problem}");
            world.clock.advance(LATER);
        }
        assert_eq!(kept(&world.app, &witness).await, None);
        way.store(4, Ordering::SeqCst);
        let unknown = problem(&world.app.witness_due().await.unwrap()).to_string();
        assert!(unknown.contains(&world.app.log.key.verifier().vkey()), "what its operator has to add: {unknown}");
        world.clock.advance(LATER);
        assert_eq!(world.app.readiness().await.unwrap().witnesses[0].failures, 16);
        way.store(99, Ordering::SeqCst);
        assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
        let note = world.app.checkpoint_with_cosignatures(3).await.unwrap().unwrap();
        assert_eq!(Note::parse(note.as_bytes()).unwrap().lines.len(), 2, "lines of unknown keys are left out");
        world.end().await;
    }

    async fn two_processes_at_once_show_a_head_once(engine: Engine) {
        let witness = Arc::new(Witness::new("w.example/1"));
        let peer = serve(&witness).await;
        let world = world(engine, &[(&witness, &peer)]).await;
        let second = App::start(world.app.config.clone(), world.clock.clone(), Random::seeded(99)).await.unwrap();
        for name in ["a", "b", "c", "d"] {
            grow(&world.app, name, 2).await;
            world.advance(2);
            let (one, two) = tokio::join!(world.app.witness_due(), second.witness_due());
            assert_eq!(good(&one.unwrap()) + good(&two.unwrap()), 1);
        }
        assert_eq!((peer.asked(), witness.latest().0), (4, 8));
        second.store.close().await;
        world.end().await;
    }

    async fn signups_go_on_while_a_witness_hangs(engine: Engine) {
        let (slow, fast) = (Arc::new(Witness::new("w.example/1")), Arc::new(Witness::new("w.example/2")));
        let (hangs, answers) = (Peer::start(|_| Reaction::Hang).await, serve(&fast).await);
        let world = world(engine, &[(&slow, &hangs), (&fast, &answers)]).await;
        grow(&world.app, "a", 1).await;
        let app = world.app.clone();
        let asking = tokio::spawn(async move { app.witness_due().await });
        while hangs.asked() == 0 {
            tokio::task::yield_now().await;
        }
        for number in 0..10 {
            grow(&world.app, &format!("b{number}-"), 1).await;
        }
        let asked = asking.await.unwrap().unwrap();
        assert_eq!((asked.len(), good(&asked)), (2, 1), "{asked:?}");
        assert_eq!(kept(&world.app, &fast).await, Some(1));
        world.end().await;
    }
}

/// A copy of the database's file from before, put back into its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_of_the_file_that_is_put_back_is_noticed() {
    let witness = Arc::new(Witness::new("w.example/1"));
    let peer = serve(&witness).await;
    let world = world(Engine::Sqlite, &[(&witness, &peer)]).await;
    grow(&world.app, "a", 4).await;
    assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);
    let folder = crate::harness::Folder::new();
    let copy = folder.0.join("copy.db");
    let Location::Sqlite(file) = &world.app.config.database else {
        unreachable!()
    };
    let options = SqliteConnectOptions::new().filename(file);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("vacuum into $1")
        .bind(copy.to_str().unwrap())
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    grow(&world.app, "b", 3).await;
    world.advance(2);
    assert_eq!(good(&world.app.witness_due().await.unwrap()), 1);

    let mut config = world.app.config.clone();
    config.database = Location::Sqlite(copy);
    // What lies beside the other file would tell, too; here only the witness is to.
    config.ledger.head_file = None;
    let restored = App::start(config, world.clock.clone(), Random::seeded(5)).await;
    let restored = restored.unwrap();
    let told = problem(&restored.witness_due().await.unwrap());
    assert!(
        matches!(told, WitnessProblem::RolledBack { theirs: 7, ours: 4 }),
        "at its start, before anything is new: {told}"
    );
    // The copy still has the lease of the sequencer of its time.
    world.clock.advance(LATER);
    grow(&restored, "c", 1).await;
    let told = problem(&restored.witness_due().await.unwrap());
    assert!(
        matches!(told, WitnessProblem::RolledBack { theirs: 7, ours: 5 }),
        "{told}"
    );
    restored.store.close().await;
    world.end().await;
}

/// The worker of a running server, which dies at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_shows_its_log_to_the_witness_by_itself_and_after_a_kill_goes_on() {
    let witness = Arc::new(Witness::new("w.example/1"));
    let peer = serve(&witness).await;
    let (folder, port) = (crate::harness::Folder::new(), free_port());
    let database = format!("sqlite://{}", folder.0.join("test.db").display());
    write_settings(&folder.0, &database, port, 1);
    let file = folder.0.join(format!("{port}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    let more = format!(
        "[ledger]\norigin = \"log.example\"\n[witness]\nallow_private = true\nwitnesses = [\"{} {}\"]\n",
        witness.vkey(),
        peer.url()
    );
    std::fs::write(&file, text + &more).unwrap();
    declare(&folder.0, port);
    let secret = base64::engine::general_purpose::STANDARD
        .decode(SECRET)
        .unwrap();
    let keys = Keys::derive(&[secret.into()]).unwrap();
    let key = SigningNoteKey::new("log.example", keys.log_secret()).unwrap();
    witness.trust(&key.verifier().vkey());
    for round in 1..=3 {
        let mut server = start(&folder.0, port).await;
        let mut client = Client::new(&server.base, "127.0.0.1");
        let email = format!("p{round}@example.org");
        assert_eq!(
            client.post("/f/news", &[("email", &email)]).await.status,
            303
        );
        // A killed sequencer's lease lasts for ten seconds.
        wait_until(
            "the witness has seen it",
            Duration::from_secs(120),
            async || witness.latest().0 >= round,
        )
        .await;
        if round == 3 {
            wait_until("its line is served", Duration::from_secs(120), async || {
                let served = client.get("/log/checkpoint").await.body;
                let note = Note::parse(&served).unwrap();
                let by = Verifier::parse(&witness.vkey()).unwrap();
                note.verify(&key.verifier()).unwrap();
                note.verify_cosignature(&by) == Ok(TIME)
            })
            .await;
        }
        // At once after the witness wrote: whether our side had time to write as well is left to chance.
        server.child.kill().unwrap();
        server.child.wait().unwrap();
    }
}
