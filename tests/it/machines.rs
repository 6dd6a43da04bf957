//! An address of their own for machines that look how a process does; and what one process saw, told by another.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use countersign::app::App;
use countersign::clock::{Clock, Random};
use countersign::store::Engine;

use crate::harness::{Client, Folder, World, place, settings};
use crate::on_both_engines;
use crate::process::{PROGRAM, Server, declare, free_port, wait_until, write_settings};

/// Settings with further sections; answers with their port.
fn write(folder: &Folder, database: &str, smtp_port: u16, more: &str) -> u16 {
    let port = free_port();
    write_settings(&folder.0, database, port, smtp_port);
    let file = folder.0.join(format!("{port}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}{more}")).unwrap();
    port
}

/// Starts a role, and waits for an address that it answers on.
async fn serve(folder: &Folder, settings: u16, role: &str, answers_on: u16) -> Server {
    let child = Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.0.join(format!("{settings}.toml")))
        .args(["serve", "--role", role])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while tokio::net::TcpStream::connect(("127.0.0.1", answers_on))
        .await
        .is_err()
    {
        assert!(Instant::now() < deadline, "{role} did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Server {
        child,
        base: format!("http://127.0.0.1:{answers_on}"),
    }
}

/// Without the header of a proxy.
fn direct(base: &str) -> Client {
    let mut client = Client::new(base, "127.0.0.1");
    client.headers.clear();
    client
}

on_both_engines! {
    async fn a_worker_is_seen_on_an_address_of_its_own_and_what_it_meets_at_the_smtp_server_shows_on_the_web_processs_pages(engine: Engine) {
        let place = place(engine).await;
        let folder = Folder::new();
        // Nobody listens there: no mail leaves.
        let smtp = free_port();
        let (for_worker, for_web) = (free_port(), free_port());
        let worker_settings = write(&folder, &place.url, smtp, &format!("[telemetry]\nlisten = \"127.0.0.1:{for_worker}\"\n"));
        let web_settings = write(&folder, &place.url, smtp, &format!("[telemetry]\nlisten = \"127.0.0.1:{for_web}\"\n"));
        declare(&folder.0, worker_settings);
        let web = serve(&folder, web_settings, "web", web_settings).await;
        let worker = serve(&folder, worker_settings, "worker", for_worker).await;
        assert!(tokio::net::TcpStream::connect(("127.0.0.1", worker_settings)).await.is_err(), "a worker serves no pages");
        let public = format!("http://127.0.0.1:{web_settings}");
        assert_eq!(direct(&public).get("/metrics").await.status, 404, "they have their own address");
        assert_eq!(direct(&public).post("/f/news", &[("email", "ada@example.org")]).await.status, 303);
        let mut seen = direct(&worker.base);
        wait_until("the worker counts the mail that did not leave", Duration::from_secs(20), async || {
            seen.get("/metrics").await.text().contains("countersign_mails_total{result=\"deferred\"} 1")
        }).await;
        assert_eq!(seen.get("/livez").await.text(), "alive\n");
        assert_eq!(seen.get("/readyz").await.json()["mails_waiting"], 1);
        assert_eq!(seen.get("/f/news").await.status, 404, "nothing else is there");
        let mut machines = direct(&format!("http://127.0.0.1:{for_web}"));
        let metrics = machines.get("/metrics").await.text();
        assert!(!metrics.contains("countersign_mails_total") && metrics.contains("countersign_signups_total"), "each counts for itself");
        wait_until("the web process tells what the worker met", Duration::from_secs(20), async || {
            let ready = direct(&public).get("/readyz").await.json();
            ready["last_smtp_problem"].as_str().is_some_and(|problem| !problem.contains("ada"))
        }).await;
        drop((web, worker));
        if let Some(database) = place.database {
            database.drop().await;
        }
    }

    async fn what_keeps_mail_from_leaving_outlives_the_process_that_saw_it_and_ends_with_the_first_mail_that_leaves(engine: Engine) {
        let world = World::on(engine).await;
        world.app.live.set_smtp_problem(Some("535 5.7.8 no such user"));
        let config = {
            let countersign::store::Location::Sqlite(path) = &world.app.config.database else {
                let countersign::store::Location::Postgres(url) = &world.app.config.database else { unreachable!() };
                return of_another(&world, &url.clone()).await;
            };
            format!("sqlite://{}", path.display())
        };
        of_another(&world, &config).await;
    }

    async fn without_a_token_metrics_are_for_this_machine_only_and_with_one_for_whoever_brings_it(engine: Engine) {
        let world = World::on(engine).await;
        let mut here = direct(&world.base);
        // This process collects none; what counts is that it is let in.
        assert_eq!(here.get("/metrics").await.status, 404);
        assert_eq!(world.client("192.0.2.1").get("/metrics").await.status, 401, "it was forwarded");
        world.end().await;
        let world = World::with(engine, "[metrics]\ntoken = \"a token of some length\"\n").await;
        let mut here = direct(&world.base);
        assert_eq!(here.get("/metrics").await.status, 401);
        let mut scraper = here.with("authorization", "Bearer a token of some length");
        assert_eq!(scraper.get("/metrics").await.status, 404);
        world.end().await;
    }
}

/// Another process on the database of a world.
async fn of_another(world: &World, url: &str) {
    let config = settings("http://127.0.0.1:1", url, 25, "");
    let other = App::start(
        config,
        Clock::fixed(crate::harness::START),
        Random::seeded(2),
    )
    .await
    .unwrap();
    let problem = async |app: &App| app.readiness().await.unwrap().last_smtp_problem;
    assert_eq!(
        problem(&world.app).await.as_deref(),
        Some("535 5.7.8 no such user"),
        "before it is kept"
    );
    assert_eq!(problem(&other).await, None);
    world.app.keep_smtp_problem().await.unwrap();
    assert_eq!(
        problem(&other).await.as_deref(),
        Some("535 5.7.8 no such user")
    );
    // The other one sends a mail.
    other.live.set_smtp_problem(None);
    other.keep_smtp_problem().await.unwrap();
    assert_eq!(
        (problem(&world.app).await, problem(&other).await),
        (None, None)
    );
    // A long reply is cut.
    other.live.set_smtp_problem(Some(&"x".repeat(5_000)));
    other.keep_smtp_problem().await.unwrap();
    assert_eq!(
        problem(&world.app).await.map(|text| text.len()),
        Some(1_000)
    );
    other.store.close().await;
}

#[tokio::test]
async fn behind_a_public_name_metrics_need_a_token_or_an_address_of_their_own_since_a_proxy_here_cannot_be_told()
 {
    // The name leads nowhere; the request goes to the listener itself, as a proxy on this machine would send it.
    let place = place(Engine::Sqlite).await;
    let config = settings("https://confirm.example.org", &place.url, 25, "");
    let app = App::start(
        config,
        Clock::fixed(crate::harness::START),
        Random::seeded(1),
    )
    .await
    .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server =
        countersign::web::serve(listener, countersign::web::Web::new(app.clone(), None), 1)
            .unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    assert_eq!(direct(&base).get("/metrics").await.status, 401);
    assert_eq!(direct(&base).get("/livez").await.status, 200);
    handle.stop(false).await;
    app.store.close().await;
}
